"""The plan's own criterion: with 100,000 bookings and five desks at work, everything under 200 ms (p99).

All five desks live in one process, so their computing waits for each other as it would not on five
computers; each hears of every change of the others.
"""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations.house import HouseSize
from tests.databases import TestDatabase
from tools.bench import actions, ground
from tools.bench.figures import Figure, at_most, median, percentile

DESKS = 5
LIMIT = 200.0
THINKING = 0.15
"""Seconds on average between two actions of a desk: far busier than people are."""


def measure(*, quick: bool) -> list[Figure]:
    size: str | HouseSize = HouseSize(rooms=40, guests=500) if quick else "large"
    with ground.server() as server, ground.house(server, size) as database:
        took = asyncio.run(_work(database, rounds=1 if quick else 12))
    order = sorted(took, key=lambda name: (name.startswith("write"), name))
    everything = [seconds for name in order for seconds in took[name]]
    figures = [_figure("every query and action", everything)]
    return figures + [_figure(name, took[name]) for name in order]


def _figure(name: str, milliseconds: list[float]) -> Figure:
    return Figure(
        group="criterion",
        name=name,
        unit="ms",
        value=median(milliseconds),
        p99=percentile(milliseconds, 0.99),
        samples=len(milliseconds),
        **at_most(LIMIT, "ms", "p99 "),  # type: ignore[arg-type]
    )


async def _work(database: TestDatabase, rounds: int) -> dict[str, list[float]]:
    """Milliseconds per action of all desks."""
    took: dict[str, list[float]] = {}
    async with ground.desks(database, DESKS) as desks:
        await asyncio.gather(*(_one(desk, number, rounds, took) for number, desk in enumerate(desks)))
    return took


async def _one(desk: Desk, number: int, rounds: int, took: dict[str, list[float]]) -> None:
    chance = random.Random(number)
    for turn in range(rounds):
        day = desk.today() + timedelta(days=10 + 60 * (turn % 5))
        try:
            async for action in actions.every(desk, day, chance.choice(actions.QUERIES), number, DESKS):
                await asyncio.sleep(chance.uniform(0, 2 * THINKING))
                started = time.perf_counter()
                await action.run()
                took.setdefault(action.name, []).append(1000 * (time.perf_counter() - started))
        except DomainError as error:
            raise RuntimeError(f"desk {number}: {error.message}") from error
