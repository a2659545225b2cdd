"""Whether this program and the database understand each other, asked before anybody signs in."""

from __future__ import annotations

from dpolg_tui import __version__
from dpolg_tui.db import reads, sql_files
from dpolg_tui.db.connection import Database
from dpolg_tui.domain.errors import ClientTooOld, NoSchema


async def check(database: Database) -> str:
    """The id of the installation. Raises ClientTooOld or NoSchema with the remedy."""
    told = await reads.hello(database)
    if _version(__version__) < _version(told.minimum_client):
        raise ClientTooOld(
            f"Dieses Programm ({__version__}) ist zu alt für die Datenbank: bitte Version"
            f" {told.minimum_client} oder neuer installieren."
        )
    if told.schema_version < sql_files.schema_version():
        raise NoSchema(
            "Die Datenbank ist älter als dieses Programm: bitte dort dpolg-tui upgrade-db ausführen."
        )
    return told.instance_id


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())
