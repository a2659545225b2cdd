"""What the desk tells about bookings, on real PostgreSQL."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
import pytest

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Kind
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from tests.databases import TestDatabase


@pytest.mark.both_versions
async def test_blocked_and_booked_rooms_are_not_offered(database: TestDatabase) -> None:
    desk = Desk(Config(database=database_from_dsn(database.dsn)))
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        await load_house(connection, generate(1, desk.today(), HouseSize(rooms=4, guests=3, bookings=0)))
        desk.start()
        await desk.login("anna", database.users["anna"].password)
        first = desk.today() + timedelta(days=300)
        last = first + timedelta(days=3)

        async def offered(except_booking: int | None = None) -> set[int]:
            found = await desk.bookings.free_rooms(first, last, 1, except_booking)
            return {room.room_id for room in found}

        assert await offered() == {1, 2, 3, 4}
        await desk.blocks.create(1, first, last, Kind.OUT_OF_ORDER, "Heizung")
        stay = {"room_id": 2, "arrival": first, "departure": last}
        booked = await desk.bookings.create({"guest_id": 1, "persons": 1, "stay/new": stay})
        assert await offered() == {3, 4}
        assert await offered(except_booking=booked.id) == {2, 3, 4}
    finally:
        await connection.close()
        await desk.close()
