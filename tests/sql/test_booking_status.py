"""From which status a booking may go to which, and what that changes."""

from __future__ import annotations

import asyncio

import pytest

from tests.sql.bookings import booked, refused, set_status
from tests.sql.stage import Desk, Stage, change, day, stay

_STATUSES = ("reserviert", "bestaetigt", "eingecheckt", "ausgecheckt", "storniert")
_ALLOWED = {
    "reserviert": {"bestaetigt", "eingecheckt", "storniert"},
    "bestaetigt": {"reserviert", "eingecheckt", "storniert"},
    "eingecheckt": {"reserviert", "bestaetigt", "ausgecheckt"},
    "ausgecheckt": {"eingecheckt"},
    "storniert": {"reserviert", "bestaetigt"},
}


@pytest.mark.parametrize("old", _STATUSES)
async def test_transitions(stage: Stage, anna: Desk, old: str) -> None:
    way = {"eingecheckt": ["eingecheckt"], "ausgecheckt": ["eingecheckt", "ausgecheckt"]}.get(old, [old])
    for number, status in enumerate(_STATUSES):
        if status == old:
            continue
        state = await booked(anna, stage, stay(stage.rooms[1], number, number + 1), status="reserviert")
        now = "reserviert"
        for step in way:
            if step != now:
                await set_status(anna, state["id"], now, step)
                now = step
        if status in _ALLOWED[old]:
            answer = await set_status(anna, state["id"], old, status)
            assert answer["state"]["status"] == status
        else:
            rule = await refused(set_status(anna, state["id"], old, status))
            assert rule == "status_transition", (old, status)


@pytest.mark.parametrize("status", ["eingecheckt", "ausgecheckt", "storniert"])
async def test_a_new_booking_is_reserved_or_confirmed(stage: Stage, anna: Desk, status: str) -> None:
    assert await refused(anna.book(stage.guests[0], stay(None, 0, 1), status=status)) == "status_transition"
    assert await refused(anna.book(stage.guests[0], stay(None, 0, 1), status="weg")) == "bookings_status"


async def test_check_in_and_out_are_stamped(stage: Stage, anna: Desk) -> None:
    state = await booked(anna, stage)
    inside = (await set_status(anna, state["id"], "bestaetigt", "eingecheckt"))["state"]
    assert inside["checked_in_at"] is not None
    out = (await set_status(anna, state["id"], "eingecheckt", "ausgecheckt"))["state"]
    assert (out["checked_in_at"], out["checked_out_at"] is not None) == (inside["checked_in_at"], True)
    back = (await set_status(anna, state["id"], "ausgecheckt", "eingecheckt"))["state"]
    assert (back["checked_in_at"], back["checked_out_at"]) == (inside["checked_in_at"], None)
    undone = (await set_status(anna, state["id"], "eingecheckt", "bestaetigt"))["state"]
    assert undone["checked_in_at"] is None


async def test_check_in_needs_a_room(stage: Stage, anna: Desk) -> None:
    state = await booked(anna, stage, stay(None, 0, 1))
    assert await refused(set_status(anna, state["id"], "bestaetigt", "eingecheckt")) == "stays_need_room"
    key = f"stay/{state['stays'][0]['id']}"
    both = {
        "status": change("bestaetigt", "eingecheckt"),
        key: change(stay(None, 0, 1), stay(stage.rooms[0], 0, 1)),
    }
    assert (await anna.save("booking", state["id"], both))["outcome"] == "done"
    out = {key: change(stay(stage.rooms[0], 0, 1), stay(None, 0, 1))}
    assert await refused(anna.save("booking", state["id"], out)) == "stays_need_room"


async def test_cancelling_needs_a_reason_and_frees_the_room(stage: Stage, anna: Desk) -> None:
    state = await booked(anna, stage)
    without = {"status": change("bestaetigt", "storniert")}
    assert await refused(anna.save("booking", state["id"], without)) == "bookings_cancellation_reason_given"
    blank = {**without, "cancellation_reason": change(None, "  ")}
    assert await refused(anna.save("booking", state["id"], blank)) == "bookings_cancellation_reason_length"
    cancelled = (await set_status(anna, state["id"], "bestaetigt", "storniert"))["state"]
    assert (cancelled["cancellation_reason"], cancelled["cancelled_at"] is not None) == ("krank", True)
    assert cancelled["stays"] == state["stays"]
    assert await anna.rows("chart", day(-5), day(5)) == []
    assert await stage.superuser.fetchval("SELECT NOT active FROM app.occupancies")
    await booked(anna, stage, stay(stage.rooms[1], 0, 3))


async def test_brought_back_into_its_room_or_without_one(stage: Stage, anna: Desk, ben: Desk) -> None:
    state = await booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3), persons=3)
    await set_status(anna, state["id"], "bestaetigt", "storniert")
    back = await set_status(anna, state["id"], "storniert", "bestaetigt")
    assert (back["outcome"], back["lost_room"]) == ("done", False)
    assert back["state"]["stays"] == state["stays"]
    assert (back["state"]["cancellation_reason"], back["state"]["cancelled_at"]) == (None, None)
    await set_status(anna, state["id"], "bestaetigt", "storniert")
    await booked(ben, stage, stay(stage.rooms[1], 2, 5))
    back = await set_status(anna, state["id"], "storniert", "bestaetigt")
    assert (back["outcome"], back["lost_room"]) == ("done", True)
    assert {value["room_id"] for value in back["state"]["stays"]} == {None, stage.rooms[2]}


async def test_brought_back_at_the_moment_somebody_takes_the_room(
    stage: Stage, anna: Desk, ben: Desk
) -> None:
    for number in range(8):
        state = await booked(anna, stage, stay(stage.rooms[1], number, number + 1))
        await set_status(anna, state["id"], "bestaetigt", "storniert")
        back, other = await asyncio.gather(
            set_status(anna, state["id"], "storniert", "reserviert"),
            ben.book(stage.guests[1], stay(stage.rooms[1], number, number + 1)),
        )
        assert back["outcome"] == "done"
        assert back["lost_room"] is (other["outcome"] == "done")
