"""From a write on one desk to its bar on another desk's screen, beside a raw LISTEN callback.

Both clocks start when the first desk sends its write. Both desks are the whole application, and
share one processor with the listener, so the figures are worse than on two computers.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import asyncpg

from dpolg_tui.desk import Desk
from dpolg_tui.operations.house import HouseSize
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.databases import TestDatabase
from tools.bench import ground
from tools.bench.figures import Figure, median, percentile
from tools.bench.painting import Painted, painting

SCREEN = (120, 40)
SLACK = 40.0
LIMIT = 5.0
NIGHTS = timedelta(days=3)
HOUSES = {"16 rooms": "small", "200 rooms": HouseSize(rooms=200, guests=5_000)}


def measure(*, quick: bool) -> list[Figure]:
    figures: list[Figure] = []
    with ground.server() as server:
        for rooms, size in list(HOUSES.items())[: 1 if quick else None]:
            with ground.house(server, size) as database:
                figures += asyncio.run(_measure(database, rooms, 8 if quick else 120))
    return figures


async def _measure(database: TestDatabase, rooms: str, changes: int) -> list[Figure]:
    raw: list[float] = []
    painted: list[float] = []
    async with (
        ground.desk(database, "anna") as anna,
        ground.desk(database, "ben") as ben,
        _shown(anna),
        _shown(ben) as (screen, chart),
        _listening(database) as heard,
    ):
        room_id, arrival = _free_nights(ben, chart)
        for number in range(changes):
            name = f"Q{number:03}"
            guest = await anna.guests.create({"last_name": name, "first_name": "Eva"})
            await asyncio.sleep(0.15 + random.random() / 10)
            while not heard.empty():
                heard.get_nowait()
            bar = screen.seek(f"◆ {name}")
            stay = {"room_id": room_id, "arrival": arrival, "departure": arrival + NIGHTS}
            started = time.perf_counter()
            booked = await anna.bookings.create(
                {"guest_id": guest.id, "persons": 1, "status": "bestaetigt", "stay/new": stay}
            )
            async with asyncio.timeout(LIMIT):
                painted.append(1000 * (await bar - started))
                raw.append(1000 * (await heard.get() - started))
            await asyncio.sleep(0.1)
            await anna.bookings.cancel(booked.id or 0, "Messung")
    return [
        Figure(
            group="propagation",
            name=f"write on desk A → bar painted on desk B, {rooms}",
            unit="ms",
            value=median(painted),
            p99=percentile(painted, 0.99),
            samples=len(painted),
            baseline=median(raw),
            beside="raw LISTEN",
            aim=f"p99 ≤ raw p99 ({percentile(raw, 0.99):.1f}) + {SLACK:g} ms",
            limit=percentile(raw, 0.99) + SLACK,
        )
    ]


@asynccontextmanager
async def _shown(desk: Desk) -> AsyncIterator[tuple[Painted, OccupancyChart]]:
    """The whole application on this desk, its chart on the screen."""
    app = DeskApp(desk)
    async with painting(app, SCREEN) as (pilot, painted):
        await app.signed_in()
        await pilot.pause(1.0)
        yield painted, app.screen.query_one(OccupancyChart)


@asynccontextmanager
async def _listening(database: TestDatabase) -> AsyncIterator[asyncio.Queue[float]]:
    """The moments of all notifications about bookings, as a bare client hears them."""
    heard: asyncio.Queue[float] = asyncio.Queue()
    connection = await asyncpg.connect(database.dsn, ssl=False)
    try:
        await connection.add_listener("booking", lambda *_: heard.put_nowait(time.perf_counter()))
        yield heard
    finally:
        connection.terminate()


def _free_nights(desk: Desk, chart: OccupancyChart) -> tuple[int, date]:
    """A room in sight, free for some nights in sight."""
    window = chart.window
    rooms = [row.room for row in chart.model.rows[: chart.body_height] if row.room is not None]
    for room in rooms:
        arrival = window.first
        while arrival + 2 * NIGHTS < window.last:
            if not desk.store.in_room(room.id, arrival, arrival + NIGHTS):
                return room.id, arrival
            arrival += timedelta(days=1)
    raise RuntimeError("no room in sight is free")
