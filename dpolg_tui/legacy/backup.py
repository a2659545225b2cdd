"""Backs the target up before anything is written: by pg_dump, into a file that is whole or absent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.domain.zone import in_house
from dpolg_tui.legacy.errors import NoBackup, reason
from dpolg_tui.operations import dumps
from dpolg_tui.operations.files import make_private, sync

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings


async def back_up(settings: DatabaseSettings, server_version: tuple[int, int], directory: Path) -> Path:
    """Dump the target into ``directory``; the finished file. Raises NoBackup with the remedy."""
    program = find_pg_dump(server_version[0])
    stamp = in_house(datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    target = directory / f"{_file_name(settings.database)}-{stamp}.dump"
    draft = target.with_name(f"{target.name}.part")
    try:
        await _dump(program, settings, draft)
        sync(draft)
        draft.rename(target)
        sync(directory)
    except OSError as error:
        raise NoBackup(
            f"Die Sicherung nach {directory} ist nicht möglich ({reason(error)}): "
            "bitte Platz schaffen oder mit --backup-dir einen anderen Ordner nennen."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return target


def find_pg_dump(server_major: int, programs: Iterable[Path] | None = None) -> Path:
    """A pg_dump that is not older than the server."""
    try:
        return dumps.find_program("pg_dump", server_major, _candidates() if programs is None else programs)
    except dumps.NoProgram as error:
        remedy = "oder mit --no-backup auf die Sicherung des Ziels verzichten."
        raise NoBackup(f"{error.message.removesuffix('.')}, {remedy}") from None


def _candidates() -> list[Path]:
    return dumps.candidates("pg_dump")


async def _dump(program: Path, settings: DatabaseSettings, draft: Path) -> None:
    # Made by us and for us alone before pg_dump writes into it: it holds the whole house.
    make_private(draft)
    command: list[str | Path] = [
        program,
        "--format=custom",
        "--no-password",
        f"--role={dumps.BACKUP_ROLE}",
        f"--file={draft}",
    ]
    try:
        await dumps.run(command, settings)
    except dumps.ProgramFailed as error:
        raise NoBackup(
            f"pg_dump konnte das Ziel nicht sichern ({error.message}): bitte beheben, "
            "oder mit --no-backup darauf verzichten."
        ) from None


def _file_name(database: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", database) or "database"
