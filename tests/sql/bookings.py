"""What tests of bookings in the database do again and again."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.sql.stage import Desk, Stage, change, stay


async def refused(awaitable: Any) -> str:
    """The name of the rule that refuses it."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await awaitable
    return str(refused.value.constraint_name or refused.value.column_name)


def only_stay(state: dict[str, Any]) -> dict[str, Any]:
    (only,) = state["stays"]
    return {key: only[key] for key in ("room_id", "arrival", "departure")}


async def booked(desk: Desk, stage: Stage, *stays: dict[str, Any], **fields: object) -> dict[str, Any]:
    """The state of a new booking."""
    answer = await desk.book(stage.guests[0], *(stays or (stay(stage.rooms[1], 0, 3),)), **fields)
    assert answer["outcome"] == "done"
    state: dict[str, Any] = answer["state"]
    return state


async def set_status(desk: Desk, booking: int, old: str, status: str) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": change(old, status)}
    if status == "storniert":
        changes["cancellation_reason"] = change(None, "krank")
    return await desk.save("booking", booking, changes)
