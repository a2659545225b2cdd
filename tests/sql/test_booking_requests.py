"""The same request happens once, and numbers of bookings have no gaps."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from tests.sql.bookings import booked, set_status
from tests.sql.stage import Desk, Stage, change, new, stay


async def test_numbers_have_no_gaps_whatever_fails(stage: Stage) -> None:
    desks = [await stage.desk(name) for name in ("anna", "ben", "clara", "david", "emil")]

    async def work(desk: Desk, turn: int) -> str:
        try:
            if turn % 4 == 0:
                return str((await desk.book(stage.guests[0], stay(stage.rooms[0], 0, 3)))["outcome"])
            if turn % 4 == 1:
                await desk.book(stage.guests[0], stay(stage.rooms[0], turn, turn + 1), persons=90)
            return str((await desk.book(stage.guests[0], stay(None, 0, 1)))["outcome"])
        except asyncpg.CheckViolationError:
            return "refused"

    async def row(desk: Desk) -> list[str]:
        return [await work(desk, turn) for turn in range(12)]

    outcomes = [outcome for found in await asyncio.gather(*map(row, desks)) for outcome in found]
    assert {"done", "taken", "refused"} == set(outcomes)
    numbers = await stage.superuser.fetch(
        "SELECT split_part(number, '-', 2)::int AS n FROM app.bookings ORDER BY 1"
    )
    assert [row["n"] for row in numbers] == list(range(1, outcomes.count("done") + 1))


async def test_the_same_request_twice_happens_once(stage: Stage, anna: Desk) -> None:
    request = uuid4()
    changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], 0, 3))
    first = await anna.save("booking", None, changes, request=request)
    again = await anna.save("booking", None, changes, request=request)
    assert again == first
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.bookings") == 1
    # The answer is of today: somebody changed it since.
    await anna.save("booking", first["id"], {"notes": change(None, "x")})
    assert (await anna.save("booking", None, changes, request=request))["version"] == 2


async def test_the_same_request_at_the_same_time_happens_once(stage: Stage, anna: Desk) -> None:
    connections = [anna, *[await _same_session(stage, anna) for _ in range(3)]]
    for number in range(5):
        request = uuid4()
        changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], number, number + 1))
        answers = await asyncio.gather(
            *(desk.save("booking", None, changes, request=request) for desk in connections)
        )
        assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.bookings") == 5


async def _same_session(stage: Stage, desk: Desk) -> Desk:
    another = await stage.desk(desk.username)
    await another.connection.execute(f"SET app.session_token = '{desk.token}'")
    return Desk(desk.username, desk.token, another.connection)


async def test_what_was_refused_may_be_tried_again(stage: Stage, anna: Desk, ben: Desk) -> None:
    other = await booked(ben, stage)
    request = uuid4()
    changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], 0, 3))
    assert (await anna.save("booking", None, changes, request=request))["outcome"] == "taken"
    await set_status(ben, other["id"], "bestaetigt", "storniert")
    assert (await anna.save("booking", None, changes, request=request))["outcome"] == "done"


async def test_a_session_that_ends_between_check_and_request_says_so(stage: Stage, anna: Desk) -> None:
    """The function that writes has looked at the session just before; the request looks once more."""
    await stage.superuser.execute("UPDATE auth.sessions SET ended_at = now(), end_reason = 'deactivated'")
    await stage.superuser.execute(f"SET app.session_token = '{anna.token}'")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError) as refused:
        await stage.superuser.fetchval("SELECT app.begin_request($1, 'save bookings', '{}')", uuid4())
    assert refused.value.constraint_name == "session_deactivated"


async def test_a_write_that_waits_while_its_session_ends_is_undone(stage: Stage, anna: Desk) -> None:
    state = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    async with stage.superuser.transaction():
        await stage.superuser.execute("SELECT FROM app.bookings FOR UPDATE")
        save = asyncio.create_task(anna.save("booking", state["id"], {"notes": change(None, "spät")}))
        async with asyncio.timeout(20):
            while not await stage.superuser.fetchval(waiting):  # noqa: ASYNC110 - another process is asked
                await asyncio.sleep(0.02)
        await stage.superuser.execute("UPDATE auth.sessions SET ended_at = now(), end_reason = 'deactivated'")
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError) as refused:
        await save
    assert refused.value.constraint_name == "session_deactivated"
    assert await stage.superuser.fetchval("SELECT notes FROM app.bookings") is None
