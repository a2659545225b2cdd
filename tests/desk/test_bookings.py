"""What the desk tells about bookings, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Kind
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from tests.databases import TestDatabase


@asynccontextmanager
async def signed_in(database: TestDatabase, size: HouseSize) -> AsyncIterator[Desk]:
    """A desk on a generated house."""
    desk = Desk(Config(database=database_from_dsn(database.dsn)))
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        await load_house(connection, generate(1, desk.today(), size))
        desk.start()
        await desk.login("anna", database.users["anna"].password)
        yield desk
    finally:
        await connection.close()
        await desk.close()


@pytest.mark.both_versions
async def test_blocked_and_booked_rooms_are_not_offered(database: TestDatabase) -> None:
    async with signed_in(database, HouseSize(rooms=4, guests=3)) as desk:
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


@pytest.mark.both_versions
async def test_search_finds_the_exact_number_first_and_all_words(database: TestDatabase) -> None:
    async with signed_in(database, HouseSize(rooms=8, guests=40)) as desk:
        year = desk.today().year
        found = await desk.bookings.search(f"{year}-1")
        assert found[0].number == f"{year}-1"
        assert len(found) > 2
        assert all(booking.number.startswith(f"{year}-1") for booking in found)

        await desk.guests.create({"last_name": "Großmann-Çelik", "first_name": "Jo 50%_\\"})
        for text in ("grossmann", "GROSSMANN jo", "jo celik", "50%", "%_\\", "mann-c"):
            assert [guest.last_name for guest in await desk.guests.search(text)] == ["Großmann-Çelik"], text
