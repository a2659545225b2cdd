"""Runs desks under faults, heals, compares, again and again; then lets the checker judge."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import math
import random
import statistics
import sys
import time
from collections import Counter
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import asyncpg

from tests.databases import run
from tools.chaos import checker, history
from tools.chaos.faults import A_MINUTE, KINDS, OFTEN_ENOUGH, Faults
from tools.chaos.ground import Ground, furnish, open_desks, working_directory
from tools.chaos.servers import Disk, Servers

ACTION_LIMIT = 4.0
"""Seconds: ``action_timeout`` of these desks. Shorter than the usual ten, so that short faults reach it."""
GRACE = 1.0
"""Seconds by which an action may be late because all desks share the processors of this computer."""
VIEW_LIMIT = 5.0
"""Seconds after healing in which every desk must show the database."""
NEVER = 30.0
"""Seconds for which a late view is watched: what is not right then, never will be."""
QUEUE_LIMIT = 30.0
BUSY = 0.05
CROWDED, MOST_CROWDED = 2.0, 4.0
"""From this slowness on limits are multiplied by it, up to the second: other programs take the processors."""
ROUND = 6.0
LONGEST_FAULT = 2.5
LOOK, LOOK_PER_DESK = 0.1, 0.005
"""Seconds between two looks at all views: what is measured should not be the looking."""
WRONG = (
    "lost",
    "doubled",
    "overlaps",
    "stale_views",
    "beyond_limit",
    "audit_gaps",
    "defects",
    "queues_stuck",
)


def slowness() -> float:
    """How many times longer than its processor time some work takes: 1 if nothing else runs."""
    began, used = time.perf_counter(), time.thread_time()
    while time.thread_time() - used < BUSY:
        pass
    return (time.perf_counter() - began) / BUSY


class Run:
    """One run on one ground."""

    def __init__(self, ground: Ground, options: argparse.Namespace) -> None:
        self._ground = ground
        self._options = options
        self._chance = random.Random(options.seed)
        self.faults = Faults(ground, self._chance, options.longest_fault)
        self.overlaps = 0
        self.looks = 0
        self.late: list[dict[str, Any]] = []
        self.pictures = 0
        self.slowest_view = 0.0
        self.queues_stuck = 0
        self.slowness = [1.0]
        self._next_long_stop = math.inf
        self._look = max(LOOK, LOOK_PER_DESK * options.desks)
        self._watched_on = 0.0 if options.negative_control else NEVER

    @property
    def crowded(self) -> float:
        """By what limits are multiplied now."""
        return _crowded(self.slowness[-5:])

    async def conduct(self) -> None:
        """Rounds of faults and healing until the time is over."""
        watching = asyncio.gather(self._watch_overlaps(), self._watch_slowness())
        end = time.monotonic() + self._options.seconds
        if self._options.seconds >= OFTEN_ENOUGH:
            self._next_long_stop = time.monotonic() + ROUND
        kinds = self._kinds()
        try:
            while (now := time.monotonic()) < end:
                await self._round(kinds, min(end, now + ROUND))
                await self._heal()
        finally:
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching

    def _kinds(self) -> Any:
        """Every kind once in a random order, then again."""
        if self._options.negative_control:
            # What shows soonest that request ids and the resync are missing.
            while True:
                yield from ("answer_about_guest_lost", "connections_cut")
        while True:
            kinds = [kind for kind in KINDS if kind not in self.faults.impossible]
            self._chance.shuffle(kinds)
            yield from kinds

    async def _round(self, kinds: Any, end: float) -> None:
        self.faults.of_the_round.clear()
        for process in self._ground.processes:
            process.tell("work")
        async with asyncio.TaskGroup() as group:
            if time.monotonic() > self._next_long_stop:
                self._next_long_stop += OFTEN_ENOUGH
                group.create_task(self.faults.strike("client_stopped_a_minute"))
                end = time.monotonic() + A_MINUTE
            while time.monotonic() < end:
                await asyncio.sleep(self._chance.uniform(0.3, 0.9))
                group.create_task(self.faults.strike(next(kinds)))

    async def _heal(self) -> None:
        """All faults are over; everybody stops working; all views must become the database's."""
        for process in self._ground.processes:
            process.tell("pause")
        healed = time.monotonic()
        connection = await asyncpg.connect(self._ground.servers.dsn())
        try:
            late = len(self.late)
            await self._wait_for_views(connection, healed)
            await self._wait_for_queues(healed)
            if len(self.late) == late:  # what is late was watched already
                await self._wait_for_views(connection, time.monotonic())
        finally:
            await connection.close()

    async def _views(self) -> list[dict[str, Any]]:
        answers = await asyncio.gather(*(process.views() for process in self._ground.processes))
        return [view for answer in answers for view in answer]

    async def _wait_for_views(self, connection: asyncpg.Connection, since: float) -> None:
        """Late is a view that is not right within its limit; it is watched on, to tell late from never."""
        behind = {view["desk"] for view in await self._views()}
        late: dict[str, dict[str, Any]] = {}
        while True:
            # By how crowded it is now: a hundred desks that come back at once crowd the computer themselves.
            limit = VIEW_LIMIT * self.crowded
            asked = time.monotonic()
            views = {view["desk"]: view for view in await self._views()}
            differing = await checker.views_differ(connection, list(views.values()))
            self.pictures += sum(view["screen"] is not None for view in views.values())
            right = behind - differing.keys()
            after = round(asked - since, 2)
            if right:
                self.slowest_view = max(self.slowest_view, after)
            for desk in right & late.keys():
                late[desk]["right_after"] = after
            behind -= right
            if behind and after > limit and not late:
                self.slowest_view = max(self.slowest_view, after)
                late = {desk: self._late(views[desk], differing[desk], limit) for desk in sorted(behind)}
                self.late += late.values()
            if not behind or after > limit + self._watched_on:
                return
            await asyncio.sleep(self._look)

    def _late(self, view: dict[str, Any], differing: list[str], limit: float) -> dict[str, Any]:
        """What a desk was doing when its view was late."""
        return {
            "desk": view["desk"],
            "limit": limit,
            "right_after": None,
            "slowness": [round(one, 1) for one in self.slowness[-8:]],
            "faults_of_the_round": self.faults.of_the_round,
            "connected": view["connected"],
            "waiting": view["waiting"],
            "doing": view["doing"],
            "differing": len(differing),
            "for_example": differing[:6],
        }

    async def _wait_for_queues(self, since: float) -> None:
        while True:
            busy = [view for view in await self._views() if view["waiting"] or view["busy"]]
            if not busy:
                return
            if time.monotonic() - since > QUEUE_LIMIT * self.crowded:
                self.queues_stuck += len(busy)
                return
            await asyncio.sleep(self._look)

    async def _watch_slowness(self) -> None:
        while True:
            self.slowness.append(await asyncio.to_thread(slowness))
            await asyncio.sleep(1)

    async def _watch_overlaps(self) -> None:
        async with aclosing(checker.watch_overlaps(self._ground.servers.dsn)) as seen:
            async for found in seen:
                self.looks += 1
                self.overlaps += found


def _crowded(measured: list[float]) -> float:
    usual = statistics.median(measured)
    return min(usual, MOST_CROWDED) if usual >= CROWDED else 1.0


async def chaos(servers: Servers, disk: Disk, options: argparse.Namespace) -> dict[str, Any]:
    """One run from furnishing to judgement; the figures."""
    database = servers.database
    names = await furnish(database, options.desks)
    superuser = await asyncpg.connect(database.superuser_dsn)
    before = await checker.rows(superuser)
    first = await superuser.fetchval("SELECT coalesce(max(id), 0) FROM app.audit_log")
    await superuser.close()
    order = {
        "seed": options.seed,
        "limit": ACTION_LIMIT,
        "negative_control": options.negative_control,
        # What one writes all others hear of: the work grows with the square.
        "slower": max(1.0, (options.desks / 8) ** 2),
    }
    with working_directory() as kept:
        directory = Path(kept)
        opened = time.monotonic()
        ground = await open_desks(servers, disk, names, order, directory)
        signing_in = round(time.monotonic() - opened, 1)
        conducted = Run(ground, options)
        began = time.monotonic()
        try:
            await conducted.conduct()
        finally:
            await ground.close()
        connection = await asyncpg.connect(servers.dsn())
        try:
            events = history.read(directory)
            figures = await _figures(connection, conducted, ground, events, before, first)
        finally:
            await connection.close()
        complaints = _complaints(directory)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "desks": options.desks,
        "seed": options.seed,
        "negative_control": options.negative_control,
        "signing_in": signing_in,
        **figures,
        "complaints": complaints,
    }


async def _figures(
    connection: asyncpg.Connection,
    conducted: Run,
    ground: Ground,
    events: list[dict[str, Any]],
    before: checker.Rows,
    first: int,
) -> dict[str, Any]:
    told = checker.told(events)
    replayed = await checker.replay(connection, before, first)
    counts, born = await checker.executions(connection), await checker.born(connection)
    verdict = checker.judge(told, replayed, counts, born)
    process_of = {name: process.number for process in ground.processes for name in process.names}
    limit = ACTION_LIMIT + GRACE * _crowded(conducted.slowness)
    late, slowest = checker.beyond(told, limit, ground.stops, process_of)
    settled = told.acknowledged | told.refused | told.outcomes.keys()
    return {
        "operations": len(told.operations),
        "acknowledged": len(told.acknowledged),
        "lost": len(verdict.lost),
        "doubled": len(verdict.doubled),
        "overlaps": conducted.overlaps + replayed.overlaps + await checker.overlaps(connection),
        "overlap_looks": conducted.looks,
        "stale_views": len(conducted.late),
        "never_right": sum(one["right_after"] is None for one in conducted.late),
        "pictures": conducted.pictures,
        "slowest_view": round(conducted.slowest_view, 2),
        "beyond_limit": len(late),
        "slowest_action": round(slowest, 2),
        "unknown_resolved": len(told.unknown & settled),
        "queued": len(told.queued),
        "queued_acknowledged": len(told.queued & told.acknowledged),
        "queues_stuck": conducted.queues_stuck,
        "cut_off_by_kill": len(told.operations.keys() - told.outcomes.keys()),
        "audit_gaps": len(replayed.gaps),
        "defects": sum(event.get("outcome") == "defect" for event in events),
        "answers_lost": sum(proxy.answers_lost for proxy in ground.proxies),
        "slowness": round(statistics.median(conducted.slowness), 1),
        "outcomes": dict(Counter(told.outcomes.values()).most_common()),
        "kinds": dict(Counter(one["kind"] for one in told.operations.values()).most_common()),
        "faults": dict(sorted(conducted.faults.counts.items())),
        "skipped": conducted.faults.impossible,
        "details": _details(told, verdict, late, conducted, replayed.gaps, events),
    }


def _details(
    told: checker.Told,
    verdict: checker.Verdict,
    late: list[str],
    conducted: Run,
    gaps: list[str],
    events: list[dict[str, Any]],
) -> dict[str, list[Any]]:
    """The first twenty of everything that is wrong."""
    details: dict[str, list[Any]] = {
        "lost": [told.operations[name] for name in verdict.lost],
        "doubled": [told.operations[name] for name in verdict.doubled],
        "beyond_limit": [told.operations[name] for name in late],
        "stale_views": conducted.late,
        "audit_gaps": gaps,
        "defects": [event for event in events if event.get("outcome") == "defect"],
    }
    return {name: found[:20] for name, found in details.items() if found}


def _complaints(directory: Path) -> list[str]:
    """What the desks' processes wrote to stderr: the last lines of each."""
    found = []
    for path in sorted(directory.glob("stderr-*.txt")):
        lines = path.read_text(errors="replace").strip().splitlines()
        if lines:
            found.append(f"{path.name}: {' | '.join(lines[-3:])}")
    return found


def wrong(figures: dict[str, Any]) -> list[str]:
    """What must not be, in words."""
    return [f"{name} = {figures[name]}" for name in WRONG if figures[name]]


def main(argv: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tools/chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of faults and healing (default 20)")
    parser.add_argument("--desks", type=int, default=5, help="how many (default 5)")
    parser.add_argument("--seed", type=int, default=1, help="of operations and faults (default 1)")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--longest-fault", type=float, default=LONGEST_FAULT, help="seconds (default %(default)s)"
    )
    parser.add_argument(
        "--negative-control",
        action="store_true",
        help="no request ids and no resync: the checker must find something wrong",
    )
    options = parser.parse_args(argv)
    logging.getLogger().addHandler(logging.NullHandler())
    # Before there are threads: mounts of our own belong to the thread that asks for them, and its children.
    disk = Disk()
    try:
        servers = Servers(options.desks, disk)
        try:
            figures: dict[str, Any] = run(lambda: chaos(servers, disk, options))
        finally:
            servers.close()
    finally:
        disk.close()
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=1, default=str) + "\n")
    for name, value in figures.items():
        print(f"{name:20} {value}")
    found = wrong(figures)
    print("WRONG: " + ", ".join(found) if found else "Nothing is wrong.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
