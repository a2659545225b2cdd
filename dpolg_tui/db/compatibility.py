"""Whether this program and the database understand each other."""

from __future__ import annotations

from dpolg_tui import __version__
from dpolg_tui.db import sql_files
from dpolg_tui.domain.errors import ClientTooOld, NoSchema


def require_compatible(schema_version: int, minimum_client: str) -> None:
    """Raises ClientTooOld or NoSchema with the remedy, by what ``app.hello()`` told."""
    if _version(__version__) < _version(minimum_client):
        raise ClientTooOld(
            f"Dieses Programm ({__version__}) ist zu alt für die Datenbank: bitte Version"
            f" {minimum_client} oder neuer installieren."
        )
    if schema_version < sql_files.schema_version():
        raise NoSchema(
            "Die Datenbank ist älter als dieses Programm: bitte dort dpolg-tui upgrade-db ausführen."
        )


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
