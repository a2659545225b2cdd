"""The one way to write: a function of the database, a request id, one round trip."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from dpolg_tui.db import rows
from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.rearrange import RecordWrite

SAVED = ("booking", "guest", "room", "block", "reminder")

STATEMENTS = (
    *(call_sql(f"app.save_{kind}", 3) for kind in SAVED),
    *(call_sql(f"app.delete_{kind}", 2) for kind in SAVED),
    call_sql("app.save_several", 2),
    call_sql("app.take_back", 4),
)
"""Prepared on every connection, so that a write is one round trip."""


async def save(
    database: Database, kind: str, record_id: int | None, changes: Changes, *, request: UUID | None = None
) -> dict[str, Any]:
    """Create (``record_id`` None) or change a record; the jsonb answer of the function.

    The same ``request`` twice happens once. Raises RuleViolated, NotAllowed, SessionEnded,
    OutcomeUnknown, Unreachable.
    """
    answer: dict[str, Any] = await database.call(
        f"app.save_{kind}", request or uuid4(), record_id, rows.changes_argument(changes), write=True
    )
    return answer


async def save_several(
    database: Database, changed: Iterable[RecordWrite], *, request: UUID | None = None
) -> dict[str, Any]:
    """Change bookings and blocks together, all of them or none; otherwise as ``save``."""
    argument = [
        {"kind": one.kind, "id": one.id, "changes": rows.changes_argument(one.changes)} for one in changed
    ]
    answer: dict[str, Any] = await database.call("app.save_several", request or uuid4(), argument, write=True)
    return answer


async def delete(
    database: Database, kind: str, record_id: int, *, request: UUID | None = None
) -> dict[str, Any]:
    """Delete a record; refused by the database while anything refers to it or without the right."""
    answer: dict[str, Any] = await database.call(
        f"app.delete_{kind}", request or uuid4(), record_id, write=True
    )
    return answer


async def take_back(
    database: Database, kind: str, record_id: int, seen: int, *, request: UUID | None = None
) -> dict[str, Any]:
    """Delete an own new record again, unless it has another version than ``seen`` or is referred to."""
    answer: dict[str, Any] = await database.call(
        "app.take_back", request or uuid4(), kind, record_id, seen, write=True
    )
    return answer
