"""Six weeks of the chart at 10,000 and at 100,000 bookings: as many bars, a longer past."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import asyncpg

from dpolg_tui.db import reads
from dpolg_tui.operations.house import HouseSize
from tests.databases import TestDatabase
from tools.bench import ground
from tools.bench.figures import Figure, at_most, at_most_times, median, percentile

ROOMS = 50
SIX_WEEKS = timedelta(days=42)
LIMIT = 5.0
FLAT = 1.5
"""Ten times the bookings may miss the processor's caches more often, nothing else."""
WARM_UP = 16
# The same rows by the same index, asked by the owner of the machine without any function.
BARE = """
SELECT o.id, o.room_id, o.arrival, o.departure, o.kind, o.reason, o.booking_id,
       b.number, b.status, b.guest_id, g.last_name, g.first_name, b.persons,
       b.foundation_case, b.option_expires, b.notes IS NOT NULL, coalesce(b.version, o.version)
  FROM app.occupancies o
  LEFT JOIN app.bookings b ON b.id = o.booking_id
  LEFT JOIN app.guests g ON g.id = b.guest_id
 WHERE o.active AND o.arrival < $2::date AND o.departure > $1::date AND o.arrival >= $1::date - 365
"""


def measure(*, quick: bool) -> list[Figure]:
    numbers = (2_000, 4_000) if quick else (10_000, 100_000)
    with ground.server() as server, ExitStack() as stack:
        houses = [
            stack.enter_context(
                ground.house(server, HouseSize(rooms=ROOMS, guests=number // 5, bookings=number))
            )
            for number in numbers
        ]
        asked = asyncio.run(_ask(houses, 20 if quick else 200))
    figures = [
        Figure(
            group="window",
            name=f"six weeks, {number:,} bookings, {it.rows} bars",
            unit="ms",
            value=median(it.function),
            p99=percentile(it.function, 0.99),
            samples=len(it.function),
            baseline=median(it.bare),
            beside="bare SQL, superuser",
            **at_most(LIMIT, "ms"),  # type: ignore[arg-type]
        )
        for number, it in zip(numbers, asked, strict=True)
    ]
    few, many = (1000 * median(it.function) / it.rows for it in asked)
    figures.append(
        Figure(
            group="window",
            name=f"per bar, {numbers[1]:,} bookings beside {numbers[0]:,}",
            unit="µs",
            value=many,
            samples=len(asked[0].function),
            beside="µs",
            **at_most_times(FLAT, few),  # type: ignore[arg-type]
        )
    )
    return figures


@dataclass(slots=True)
class _Asked:
    """Milliseconds of the desk's own read and of the bare query, and the bars of one window."""

    function: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    rows: int = 0


async def _ask(houses: list[TestDatabase], times: int) -> list[_Asked]:
    """Asks all houses in turns, so that they see the same weather."""
    today = date.today()  # noqa: DTZ011
    asked = [_Asked() for _ in houses]
    async with AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(ground.desk(house, "anna")) for house in houses]
        statements = []
        for house in houses:
            superuser: Any = await asyncpg.connect(house.superuser_dsn)
            stack.callback(superuser.terminate)
            statements.append(await superuser.prepare(BARE))
        for number in range(times + WARM_UP):
            # A few windows around today, as somebody who leafs through them asks.
            first = today + timedelta(days=7 * (number % 8) - 28)
            for it, desk, statement in zip(asked, desks, statements, strict=True):
                started = time.perf_counter()
                rows = len(await desk.database.fetch(reads.CHART, first, first + SIX_WEEKS))
                between = time.perf_counter()
                await statement.fetch(first, first + SIX_WEEKS)
                ended = time.perf_counter()
                if number >= WARM_UP:
                    it.function.append(1000 * (between - started))
                    it.bare.append(1000 * (ended - between))
                    it.rows = max(it.rows, rows)
    return asked
