"""Whether this program and the database understand each other, asked before anybody signs in."""

from __future__ import annotations

from dpolg_tui.db import reads
from dpolg_tui.db.compatibility import require_compatible
from dpolg_tui.db.connection import Database


async def check(database: Database) -> str:
    """The id of the installation. Raises ClientTooOld or NoSchema with the remedy."""
    told = await reads.hello(database)
    require_compatible(told.schema_version, told.minimum_client)
    return told.instance_id
