"""What the owner removes because it has had its time."""

from __future__ import annotations

from dataclasses import dataclass

from dpolg_tui.db import errors
from dpolg_tui.db.migrations import OWNER, Target, connect


@dataclass(frozen=True, slots=True)
class Removed:
    """Rows that went: of the audit log, and attempts, sessions, requests and changes told."""

    audit: int
    others: int


async def keep_house(database: Target) -> Removed:
    """Prune the audit log by whole months, and purge what desks would purge bit by bit. Raises NotAllowed."""
    connection = await connect(database)
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            row = await connection.fetchrow(
                "SELECT (h ->> 'audit')::bigint AS audit, (h ->> 'others')::bigint AS others"
                " FROM auth.housekeeping() h"
            )
    except errors.DRIVER_ERRORS as error:
        raise errors.translate(error) from None
    finally:
        await connection.close()
    return Removed(**dict(row))
