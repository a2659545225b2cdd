"""What a server needs for so many desks: memory, processor, and how soon all of them see a change.

    sudo .venv/bin/python tools/sizing.py [--desks 5 10 50 100 200] [--changes 20] [--json]

A durable PostgreSQL of its own with the settings of setup.sh, a small house, and that many real desks without
a screen, all in this process: the figures for propagation hold the work of all desks on this one computer.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import psutil

if __package__ in (None, ""):
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from dpolg_tui import locations
from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Kind
from dpolg_tui.operations.binaries import find_embedded
from dpolg_tui.operations.embedded import Cluster, Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from dpolg_tui.settings import DeskSettings
from tests.databases import Server, TestDatabase, run
from tools.bench import ground
from tools.bench.figures import median, percentile

LIMIT = 30.0
SETTLE = 5.0
WINDOW = timedelta(days=42)


@dataclass(frozen=True)
class Sizing:
    """What was measured with so many desks. Memory in MiB, proportional (PSS)."""

    desks: int
    connections: int
    server_memory: float
    per_connection: float
    idle_processor: float
    """Percent of one processor that the server takes while nobody does anything."""
    change_processor: float
    """Milliseconds of the server's processor time per change, all desks told."""
    seen_by_all_median: float
    seen_by_all_p99: float


def main(argv: list[str] | None = None) -> int:
    """Measures and prints one row per number of desks."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--desks", type=int, nargs="+", default=[5, 10, 50, 100, 200])
    parser.add_argument("--changes", type=int, default=20)
    parser.add_argument(
        "--idle", type=float, default=30.0, help="seconds to watch at rest; default: three heartbeats"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    # Slow actions are in the figures: no need for warnings on the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    if not options.json:
        print(
            "desks  connections  memory MiB  per conn.  idle %  change ms CPU  seen by all ms (median, p99)"
        )
    with tempfile.TemporaryDirectory(prefix="dpolg-sizing-") as state:
        locations.state_directory = lambda: Path(state)
        for desks in options.desks:
            # Each as soon as it is known: the biggest can take minutes, and fail.
            _tell(measure(desks, options.changes, options.idle), as_json=options.json)
    if not options.json:
        print(f"Load of this machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.")
    return 0


def _tell(row: Sizing, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(row)), flush=True)
        return
    print(
        f"{row.desks:>5}{row.connections:>13}{row.server_memory:>12.0f}{row.per_connection:>11.1f}"
        f"{row.idle_processor:>8.1f}{row.change_processor:>15.1f}"
        f"{row.seen_by_all_median:>12.0f}{row.seen_by_all_p99:>10.0f}",
        flush=True,
    )


def measure(desks: int, changes: int, idle: float) -> Sizing:
    """Starts the server for so many desks, signs them in, watches them idle, then changes something."""
    connections = 3 * desks + 15 if desks > 5 else 30
    options = Options(max_connections=connections, settings={"shared_buffers": "256MB", "work_mem": "4MB"})
    shared = SharedServer(temporary_directory(), options, binaries=find_embedded(), temporary=True)
    run(shared.start)
    server = Server("embedded", shared)
    try:
        with ground.house(server, "small") as database:
            return asyncio.run(_measure(server.cluster, database, desks, changes, idle))
    finally:
        server.close()


async def _measure(
    cluster: Cluster, database: TestDatabase, number: int, changes: int, rest: float
) -> Sizing:
    first = date.today() + timedelta(days=400)  # noqa: DTZ011
    async with AsyncExitStack() as stack:
        desks = []
        for index in range(number):
            desk = await stack.enter_async_context(_desk(database, index))
            await desk.show(first, first + WINDOW)
            desks.append(desk)
        await asyncio.sleep(SETTLE)
        idle = await _idle(cluster, rest)
        before = _processor(cluster)
        waits = [await _change(desks, number, first) for number in range(changes)]
        used = _processor(cluster) - before
        memory, connected = _memory(cluster), len(_backends(cluster))
        alone = _smallest(cluster)
    return Sizing(
        desks=number,
        connections=connected,
        server_memory=memory,
        per_connection=alone,
        idle_processor=idle,
        change_processor=1000 * used / changes,
        seen_by_all_median=1000 * median(waits),
        seen_by_all_p99=1000 * percentile(waits, 0.99),
    )


@asynccontextmanager
async def _desk(database: TestDatabase, index: int) -> AsyncIterator[Desk]:
    """Signed in, at a place of its own: a second sign-in at the same place would end the first."""
    user = database.users[ground.STAFF[index % len(ground.STAFF)]]
    desk = Desk(replace(ground.config(database), desk=DeskSettings(name=f"Platz {index}")))
    desk.start()
    try:
        await desk.login(user.username, user.password)
        yield desk
    finally:
        await desk.close()


async def _idle(cluster: Cluster, seconds: float) -> float:
    before = _processor(cluster)
    await asyncio.sleep(seconds)
    return 100 * (_processor(cluster) - before) / seconds


async def _change(desks: list[Desk], number: int, first: date) -> float:
    """Seconds from the write of one desk until the last one has it."""
    rooms = sorted(desks[0].store.rooms)
    room, arrival = rooms[number % len(rooms)], first + timedelta(days=number // len(rooms))
    departure = arrival + timedelta(days=1)
    started = time.perf_counter()
    await desks[0].blocks.create(room, arrival, departure, Kind.HOUSE_USE, None)
    async with asyncio.timeout(LIMIT):
        while not all(desk.store.in_room(room, arrival, departure) for desk in desks):  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    seen = time.perf_counter() - started
    await asyncio.sleep(0.2)
    return seen


def _server(cluster: Cluster) -> list[psutil.Process]:
    postmaster = cluster.postmaster()
    assert postmaster is not None, "the server runs while it is measured"
    process = psutil.Process(postmaster.process.pid)
    return [process, *process.children(recursive=True)]


def _backends(cluster: Cluster) -> list[psutil.Process]:
    return [process for process in _server(cluster) if "booking_user" in " ".join(process.cmdline())]


def _processor(cluster: Cluster) -> float:
    """Seconds of processor time of all that runs now; desks keep their connections while it is measured."""
    return sum(sum(process.cpu_times()[:2]) for process in _server(cluster))


def _memory(cluster: Cluster) -> float:
    return sum(process.memory_full_info().pss for process in _server(cluster)) / 1024**2


def _smallest(cluster: Cluster) -> float:
    """Median of what a connection has for itself (USS), MiB."""
    return median([process.memory_full_info().uss / 1024**2 for process in _backends(cluster)])


if __name__ == "__main__":
    sys.exit(main())
