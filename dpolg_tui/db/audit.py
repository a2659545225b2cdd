"""The audit log as a whole, for admins."""

from __future__ import annotations

from dpolg_tui.db import rows
from dpolg_tui.db.connection import Database
from dpolg_tui.domain.audit import AuditEntry, AuditFilter

AUDIT = "SELECT * FROM app.audit($1, $2, $3, $4, $5, $6, $7, $8)"


async def audit(database: Database, wanted: AuditFilter, before: int | None, most: int) -> list[AuditEntry]:
    """Newest first; ``before`` is the id of the last entry that is known. Raises NotAllowed."""
    found = await database.fetch(
        AUDIT,
        wanted.user_id,
        list(wanted.tables) or None,
        wanted.record_id,
        wanted.since,
        wanted.until,
        wanted.field,
        before,
        most,
    )
    return [rows.known(AuditEntry, row) for row in found]
