"""From a key press to the last byte of its picture, beside a bare Line API widget."""

from __future__ import annotations

import asyncio

from dpolg_tui.operations.house import HouseSize
from dpolg_tui.tui.app import DeskApp
from tests.databases import TestDatabase
from tools.bench import ground
from tools.bench.figures import Figure, at_most_times, median, percentile
from tools.bench.painting import BareGridApp, Painted, painting

SIZES = ((80, 24), (160, 50))
HOUSES = {"16 rooms": "small", "200 rooms": HouseSize(rooms=200, guests=5_000)}
# A walk that stays inside the window: the picture changes by the cursor and its detail line.
WALK = ("right", "down", "left", "up", "down", "right", "up", "left")
AIM = 2.0


def measure(*, quick: bool) -> list[Figure]:
    presses = 16 if quick else 96
    figures: list[Figure] = []
    with ground.server() as server:
        for rooms, size in list(HOUSES.items())[: 1 if quick else None]:
            with ground.house(server, size) as database:
                for screen in SIZES:
                    figures += asyncio.run(_compare(database, rooms, screen, presses))
    return figures


async def _compare(database: TestDatabase, rooms: str, screen: tuple[int, int], presses: int) -> list[Figure]:
    waits: dict[str, list[float]] = {"chart": [], "bare": []}
    computing: dict[str, list[float]] = {"chart": [], "bare": []}
    async with ground.desk(database, "anna") as desk:
        # In turns, so that both see the same weather.
        for _ in range(4):
            for name, app in (("bare", BareGridApp()), ("chart", DeskApp(desk))):
                async with painting(app, screen) as (pilot, painted):
                    if isinstance(app, DeskApp):
                        await app.signed_in()
                        app.clear_notifications()
                    await pilot.pause(1.0)
                    await _walk(painted, presses // 4, waits[name], computing[name])
    place = f"{screen[0]}×{screen[1]}, {rooms}"
    figures = []
    for what, measured in (("key → painted", waits), ("computing per key", computing)):
        figures.append(
            Figure(
                group="keys",
                name=f"{what}, {place}",
                unit="ms",
                value=1000 * median(measured["chart"]),
                p99=1000 * percentile(measured["chart"], 0.99),
                samples=len(measured["chart"]),
                beside="bare grid",
                **at_most_times(AIM, 1000 * median(measured["bare"])),  # type: ignore[arg-type]
            )
        )
    return figures


async def _walk(painted: Painted, presses: int, waits: list[float], computing: list[float]) -> None:
    for number in range(presses):
        result = await painted.key(WALK[number % len(WALK)])
        if result is not None and number >= 2:
            waits.append(result[0])
            computing.append(result[1])
