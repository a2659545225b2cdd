"""The generated house in a real database: complete, without overlaps, readable for its staff."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import date, timedelta

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import login
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import HouseExistsError, load_house
from tests.databases import TestDatabase

TODAY = date(2026, 11, 21)
OVERLAPS = """
    SELECT count(*) FROM app.occupancies a JOIN app.occupancies b
        ON a.room_id = b.room_id AND a.id < b.id AND a.active AND b.active
       AND a.arrival < b.departure AND b.arrival < a.departure
"""


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database.owner_dsn)
    yield connection
    await connection.close()


@pytest.mark.both_versions
async def test_the_small_house_arrives_complete(owner: asyncpg.Connection) -> None:
    house = generate(7, TODAY)
    counts = await load_house(owner, house)
    expected = {
        "rooms": len(list(house.rooms())),
        "guests": len(list(house.guests())),
        "bookings": len(list(house.bookings())),
        "occupancies": len(list(house.occupancies())),
    }
    assert counts == expected
    for table, number in expected.items():
        assert await owner.fetchval(f"SELECT count(*) FROM app.{table}") == number
    assert await owner.fetchval(OVERLAPS) == 0
    assert await owner.fetchval("SELECT count(*) FROM app.guests WHERE search = '' OR sort_key = ''") == 0
    stored = await owner.fetch("SELECT id, number, status, created_at FROM app.bookings ORDER BY id")
    assert [tuple(row) for row in stored] == [
        (booking.id, booking.number, booking.status, booking.created_at) for booking in house.bookings()
    ]


async def test_bulk_work_leaves_one_reload_and_no_audit_lines(owner: asyncpg.Connection) -> None:
    before = await owner.fetchval("SELECT count(*) FROM app.audit_log")
    feed = await owner.fetchval("SELECT count(*) FROM app.change_feed")
    await load_house(owner, generate(7, TODAY))
    assert await owner.fetchval("SELECT count(*) FROM app.audit_log") == before
    assert await owner.fetchval("SELECT count(*) FROM app.change_feed") == feed + 1
    assert await owner.fetchval("SELECT count(*) FROM app.change_feed WHERE table_name = 'reload'") == 1


async def test_ids_and_numbers_go_on_behind_the_house(owner: asyncpg.Connection) -> None:
    house = generate(7, TODAY)
    counts = await load_house(owner, house)
    guest = await owner.fetchval("INSERT INTO app.guests (last_name) VALUES ('Später') RETURNING id")
    assert guest == counts["guests"] + 1
    booking = await owner.fetchval(
        "INSERT INTO app.bookings (number, guest_id) VALUES ('x', $1) RETURNING id", guest
    )
    assert booking == counts["bookings"] + 1
    last = Counter(booking.number.partition("-")[0] for booking in house.bookings())
    stored = await owner.fetch("SELECT year, last FROM app.number_counters")
    assert {str(row["year"]): row["last"] for row in stored} == last


async def test_staff_made_the_rows_and_see_them_on_the_chart(
    database: TestDatabase, owner: asyncpg.Connection
) -> None:
    house = generate(7, TODAY)
    await load_house(owner, house)
    assert await owner.fetchval("SELECT count(DISTINCT created_by) FROM app.bookings") == len(database.users)
    assert await owner.fetchval("SELECT count(*) FROM app.bookings WHERE created_by IS NULL") == 0
    first, last = TODAY - timedelta(days=2), TODAY + timedelta(days=40)
    desk = Database(database_from_dsn(f"{database.dsn}?sslmode=disable"))
    desk.start()
    try:
        user = database.users["anna"]
        await login(desk, user.username, user.password)
        rooms = await desk.fetch("SELECT * FROM app.rooms()")
        bars = await desk.fetch("SELECT * FROM app.chart($1, $2)", first, last)
    finally:
        await desk.close()
    assert len(rooms) == 16
    assert {bar["id"] for bar in bars} == {
        occupancy.id
        for occupancy in house.occupancies()
        if occupancy.active and occupancy.arrival < last and occupancy.departure > first
    }


async def test_a_house_needs_an_empty_database(owner: asyncpg.Connection) -> None:
    await load_house(owner, generate(7, TODAY))
    with pytest.raises(HouseExistsError):
        await load_house(owner, generate(8, TODAY))


async def test_an_empty_house_changes_nothing(owner: asyncpg.Connection) -> None:
    assert await load_house(owner, generate(7, TODAY, "empty")) == dict.fromkeys(
        ("rooms", "guests", "bookings", "occupancies"), 0
    )
    assert await owner.fetchval("INSERT INTO app.guests (last_name) VALUES ('Erster') RETURNING id") == 1


async def test_a_failure_leaves_nothing_behind(owner: asyncpg.Connection) -> None:
    # The first arrival lies before the earliest day that the database accepts.
    with pytest.raises(asyncpg.CheckViolationError):
        await load_house(owner, generate(7, date(1990, 1, 5)))
    assert await owner.fetchval("SELECT count(*) FROM app.rooms") == 0


async def test_a_house_of_ten_thousand_bookings_is_loaded(owner: asyncpg.Connection) -> None:
    counts = await load_house(owner, generate(7, TODAY, HouseSize(40, 5000, 10_000, days_ahead=365)))
    assert counts["bookings"] == 10_000
    assert await owner.fetchval(OVERLAPS) == 0


@pytest.mark.long
async def test_the_large_house_is_loaded(owner: asyncpg.Connection) -> None:
    counts = await load_house(owner, generate(7, TODAY, "large"))
    assert (counts["rooms"], counts["guests"], counts["bookings"]) == (200, 50_000, 100_000)
    assert await owner.fetchval(OVERLAPS) == 0
