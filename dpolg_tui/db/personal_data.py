"""What is held on a guest: reading all of it, and taking his person out of it. For admins."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from dpolg_tui.db.connection import Database
from dpolg_tui.domain.errors import RecordMissing


async def export_guest(database: Database, guest_id: int, request: UUID) -> dict[str, Any]:
    """A list of rows per table; written down in the audit log. Raises RecordMissing, NotAllowed."""
    answer: dict[str, Any] = await database.call("app.export_guest", request, guest_id, write=True)
    if answer.pop("outcome") != "done":
        raise RecordMissing
    return answer


async def anonymise_guest(database: Database, guest_id: int, request: UUID) -> dict[str, Any]:
    """The jsonb answer. Raises RuleViolated while a booking is not over, NotAllowed."""
    answer: dict[str, Any] = await database.call("app.anonymise_guest", request, guest_id, write=True)
    return answer
