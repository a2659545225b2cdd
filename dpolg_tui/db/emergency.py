"""The emergency list from the database: for a desk that is signed in, and for the owner's timer."""

from __future__ import annotations

from dpolg_tui.db import errors
from dpolg_tui.db.connection import Database
from dpolg_tui.db.hosts import decode_json
from dpolg_tui.db.migrations import OWNER, Target, connect
from dpolg_tui.domain import emergency

DAYS = 7


async def for_desk(database: Database) -> emergency.Emergency:
    """From today on, one round trip. Raises what every read may raise."""
    return emergency.read(await database.call("app.emergency_list", None, DAYS))


async def for_owner(database: Target) -> emergency.Emergency:
    """The same without a session. Raises NotAllowed, Unreachable."""
    connection = await connect(database)
    try:
        async with connection.transaction(readonly=True):
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            # As text: this connection may know jsonb or not.
            answer = await connection.fetchval("SELECT app.emergency_days(NULL, $1)::text", DAYS)
    except errors.DRIVER_ERRORS as error:
        raise errors.translate(error) from None
    finally:
        await connection.close()
    return emergency.read(decode_json(answer))
