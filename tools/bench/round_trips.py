"""Round trips per action on a warm connection, counted on the wire between desk and server."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from dpolg_tui.desk import Desk
from dpolg_tui.operations.embedded import HOST
from tests.databases import TestDatabase
from tools.bench import actions, ground
from tools.bench.figures import Figure
from tools.wire_proxy import WireProxy, wire_proxy

LIMIT = 1.0


def measure(*, quick: bool) -> list[Figure]:
    with ground.server() as server, ground.house(server, "small") as database:
        target = (HOST, server.cluster.port)
        counted = asyncio.run(_count(database, target, 2 if quick else 5))
    return [
        Figure(
            group="round_trips",
            name=name,
            unit="",
            # A heartbeat of the live connection falls into a count now and then.
            value=float(Counter(counts).most_common(1)[0][0]),
            samples=len(counts),
            aim=f"≤ {LIMIT:g}",
            limit=LIMIT,
        )
        for name, counts in counted.items()
    ]


async def count(desk: Desk, proxy: WireProxy, rounds: int) -> dict[str, list[int]]:
    """Does everything ``rounds`` times; the round trips of each time, by the name of the action."""
    counted: dict[str, list[int]] = {}
    for number in range(rounds):
        day = desk.today() + timedelta(days=200 + 10 * number)
        for source in (actions.every(desk, day), actions.rooms(desk)):
            async for action in source:
                proxy.reset()
                await action.run()
                counted.setdefault(action.name, []).append(proxy.traffic.round_trips)
    return counted


async def _count(database: TestDatabase, target: tuple[str, int], rounds: int) -> dict[str, list[int]]:
    async with wire_proxy(target) as proxy, ground.desk(database, "admin", proxy.port) as desk:
        await ground.settle()
        return await count(desk, proxy, rounds)
