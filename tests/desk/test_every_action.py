"""Every read and every write is one round trip on a warm connection, counted on the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.db import writes
from dpolg_tui.desk import Desk
from dpolg_tui.domain.merge import Change
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from tests.databases import Server, TestDatabase
from tools.bench import ground, round_trips
from tools.wire_proxy import WireProxy, wire_proxy

TRIES = 3


@asynccontextmanager
async def desk_behind_proxy(server: Server, database: TestDatabase) -> AsyncIterator[tuple[Desk, WireProxy]]:
    """An admin's desk on a small house, everything prepared."""
    host = "127.0.0.1"
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        today = Desk(ground.config(database)).today()
        await load_house(connection, generate(1, today, HouseSize(rooms=6, guests=20)))
    finally:
        await connection.close()
    async with (
        wire_proxy((host, server.cluster.port)) as proxy,
        ground.desk(database, "admin", proxy.port) as desk,
    ):
        await ground.settle()
        yield desk, proxy


@pytest.mark.both_versions
async def test_every_action_is_one_round_trip(server: Server, database: TestDatabase) -> None:
    async with desk_behind_proxy(server, database) as (desk, proxy):
        counted = await round_trips.count(desk, proxy, TRIES)
    assert len(counted) > 25
    # A heartbeat of the live connection may fall into one of the tries.
    assert {name: sorted(counts)[len(counts) // 2] for name, counts in counted.items()} == dict.fromkeys(
        counted, 1
    )


@pytest.mark.both_versions
async def test_the_same_request_twice_is_done_once(server: Server, database: TestDatabase) -> None:
    async with desk_behind_proxy(server, database) as (desk, proxy):
        room = next(iter(desk.store.rooms))
        first = desk.today() + timedelta(days=300)
        stay = {"room_id": room, "arrival": first, "departure": first + timedelta(days=2)}
        changes = {"guest_id": Change(None, 1), "persons": Change(None, 1), "stay/new": Change(None, stay)}
        request = uuid4()

        async def counted(call: Callable[[], Awaitable[dict[str, object]]]) -> dict[str, object]:
            proxy.reset()
            answer = await call()
            assert proxy.traffic.round_trips == 1
            return answer

        async def save() -> dict[str, object]:
            return await writes.save(desk.database, "booking", None, changes, request=request)

        answers = [await counted(save), await counted(save)]
        assert answers[0]["outcome"] == answers[1]["outcome"] == "done"
        assert answers[0]["id"] == answers[1]["id"]
        assert len(await desk.bookings.taken(room, first, first + timedelta(days=2))) == 1


async def test_taking_back_and_doing_again_is_one_round_trip_each(
    server: Server, database: TestDatabase
) -> None:
    counted: list[int] = []
    async with desk_behind_proxy(server, database) as (desk, proxy):
        first = desk.today() + timedelta(days=300)
        stay = {"room_id": next(iter(desk.store.rooms)), "arrival": first, "departure": first + timedelta(2)}
        made = await desk.bookings.create({"guest_id": 1, "persons": 1, "stay/new": stay})
        [bar] = await desk.bookings.taken(stay["room_id"], first, first + timedelta(2))  # type: ignore[arg-type]
        await desk.bookings.save(made.id or 0, {"notes": Change(None, "spät")})
        await desk.bookings.move(bar, None, bar.arrival, bar.departure)
        await desk.guests.create({"last_name": "Weber", "first_name": "Ilse"})
        for turn in (desk.undo.undo, desk.undo.redo, desk.undo.undo):
            for _ in range(4):
                proxy.reset()
                told = await turn()
                assert told.done, told.sentence
                counted.append(proxy.traffic.round_trips)
    # A heartbeat of the live connection may fall into one of them.
    assert sorted(counted)[:-1] == [1] * 11
