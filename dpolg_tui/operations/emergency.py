"""``emergency-list``: the emergency list without a desk, for a timer on the server."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui import documents
from dpolg_tui.db.emergency import for_owner
from dpolg_tui.desk.emergency_list import EmergencyFiles
from dpolg_tui.setting_types import ConfigError

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings, DeskSettings

FINE = 0


def write_list(database: DatabaseSettings, desk: DeskSettings, directory: Path | None) -> int:
    """Write the list into ``directory``, else where the settings say. Returns the exit code."""
    directory = directory or desk.emergency_directory
    if directory is None:
        raise ConfigError(
            "Es fehlt das Verzeichnis der Notfallliste: bitte --directory angeben oder in config.toml "
            "unter [desk] emergency_directory setzen."
        )
    house = asyncio.run(for_owner(database))
    written = EmergencyFiles(directory, replace(desk, emergency_directory=directory)).write(house)
    sys.stdout.write(f"Notfallliste: {written}\n")
    if written.pdf is None:
        sys.stdout.write(f"{documents.MISSING}\n")
    return FINE
