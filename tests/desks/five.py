"""Several real applications on one database, each with its own pool, driven through Pilot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date, timedelta
from typing import Any

import asyncpg

from dpolg_tui.domain.models import Occupancy
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running

STAFF = ("anna", "ben", "clara", "david", "emil")


@asynccontextmanager
async def desks(
    database: TestDatabase, staff: Sequence[str] = STAFF, size: tuple[int, int] = (120, 40)
) -> AsyncIterator[list[Running]]:
    """One application per member of staff, signed in through the login screen, on the chart."""
    async with AsyncExitStack() as stack:
        open_desks = []
        for username in staff:
            here = await stack.enter_async_context(running(config_for(database), size))
            user = database.users[username]
            await here.sign_in(user.username, user.password)
            open_desks.append(here)
        yield open_desks


async def rows(database: TestDatabase, query: str, *arguments: object) -> list[asyncpg.Record]:
    """Plain SQL as the owner, beside everything the program does."""
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        return list(await owner.fetch(query, *arguments))
    finally:
        await owner.close()


async def overlaps(database: TestDatabase) -> int:
    """Pairs of active occupancies of one room that share a night, counted without the constraint's help."""
    found = await rows(
        database,
        "SELECT count(*) FROM app.occupancies a JOIN app.occupancies b ON b.room_id = a.room_id"
        " WHERE b.id > a.id AND a.active AND b.active"
        " AND a.arrival < b.departure AND b.arrival < a.departure",
    )
    return int(found[0][0])


Bar = tuple[int, int | None, date, date, str | None, str]


def bar(occupancy: Occupancy) -> Bar:
    return (
        occupancy.id,
        occupancy.room_id,
        occupancy.arrival,
        occupancy.departure,
        occupancy.status.value if occupancy.status else None,
        occupancy.last_name,
    )


async def bars_in_database(database: TestDatabase, first: date, last: date) -> set[Bar]:
    """What a chart of [first, last) must show."""
    found = await rows(
        database,
        "SELECT o.id, o.room_id, o.arrival, o.departure, b.status, coalesce(g.last_name, '')"
        " FROM app.occupancies o LEFT JOIN app.bookings b ON b.id = o.booking_id"
        " LEFT JOIN app.guests g ON g.id = b.guest_id"
        " WHERE o.active AND o.arrival < $2 AND o.departure > $1",
        first,
        last,
    )
    return {tuple(row) for row in found}


def bars_on_desk(here: Running) -> set[Bar]:
    return {bar(occupancy) for occupancy in here.desk.store.occupancies.values()}


async def chart_lines(here: Running) -> list[str]:
    """The picture of the chart as painted, from today on and from the top, without the detail line."""
    chart = here.app.screen.query_one(OccupancyChart)
    here.app.clear_notifications()
    chart.set_zoom(4)
    chart.go_to(here.desk.today())
    chart.step(rows=-10_000)
    chart.show_from(here.desk.today() - timedelta(days=2))
    await here.pilot.pause(0.2)
    return here.text().replace("▸", " ").splitlines()[1 : chart.size.height - 1]


async def open_form(here: Running, **wish: Any) -> BookingScreen:
    """The booking form over the chart."""
    screen = BookingScreen(**wish)
    # From within the application: a screen belongs to the application in whose context it is pushed.
    here.app.call_later(here.app.push_screen, screen)
    await here.until(lambda: here.app.screen is screen and screen.is_mounted, "form")
    await here.until(lambda: not screen.form.disabled, "form loaded")
    return screen


async def all_equal(database: TestDatabase, open_desks: Sequence[Running], seconds: float = 10.0) -> None:
    """Waits until every desk's copy is the database's window, and fails with the difference."""
    end = asyncio.get_running_loop().time() + seconds
    while True:
        differences = []
        for here in open_desks:
            store = here.desk.store
            difference = bars_on_desk(here) ^ await bars_in_database(database, store.first, store.last)
            if difference:
                differences.append((here.desk.user, difference))
        if not differences:
            return
        assert asyncio.get_running_loop().time() < end, differences
        await asyncio.sleep(0.1)
