"""What there is: a durable PostgreSQL of our own, an empty house, processes of desks behind proxies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.db.login import Parameters
from dpolg_tui.domain.models import Role
from tests.databases import TestDatabase
from tools.chaos.servers import NOBODY, Disk, Servers
from tools.wire_proxy import WireProxy

ROOT = Path(__file__).parents[2]
PASSWORD = "vier Kutschen am Inn"
ROOMS = 12
MAKE_ROOMS = (
    "INSERT INTO app.rooms (name, category, place, capacity) "
    "SELECT 'Zimmer ' || n, 'DZ', 'Brannenburg', 2 FROM generate_series(1, $1) n"
)
LARGEST_PROCESS = 10
"""Desks in one process, when there are many."""
START_LIMIT = 300.0
ANSWER_LIMIT = 10.0
WEAKEST = Parameters(memory_kib=19_456, iterations=2, parallelism=1)


async def furnish(database: TestDatabase, desks: int) -> list[str]:
    """Rooms, and a user for each desk; their names."""
    names = [f"d{number:03}" for number in range(1, desks + 1)]
    for name in names:
        await create_user(
            database.owner_dsn,
            NewUser(
                username=name,
                password=PASSWORD,
                full_name=f"Arbeitsplatz {name}",
                email=f"{name}@example.org",
                role=Role.USER,
                must_change_password=False,
                parameters=WEAKEST,
            ),
        )
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute(MAKE_ROOMS, ROOMS)
    finally:
        await owner.close()
    return names


Line = tuple[WireProxy, WireProxy]
"""A desk's way to the one place of a server and to the other. What breaks a line breaks both."""


@dataclass
class Process:
    """Some desks in a process of their own; killed ones are started again."""

    number: int
    names: list[str]
    lines: list[Line]
    order: dict[str, Any]
    directory: Path
    starts: int = 0
    stopped: bool = False
    taken: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held by the fault that kills or stops it."""
    child: asyncio.subprocess.Process | None = None
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def history(self) -> Path:
        return self.directory / f"history-{self.number}-{self.starts}.jsonl"

    @property
    def complaints(self) -> Path:
        return self.directory / f"stderr-{self.number}-{self.starts}.txt"

    async def start(self) -> None:
        """Returns when everybody has signed in."""
        self.starts += 1
        # What a desk keeps on its computer outlives its process.
        state = self.directory / f"state-{self.number}"
        self.child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tools.chaos.worker",
            cwd=ROOT,
            env={
                **os.environ,
                "XDG_STATE_HOME": str(state),
                "XDG_CONFIG_HOME": str(state),
                "TEXTUAL_DISABLE_KITTY_KEY": "1",
                "TERM": "xterm-256color",
            },
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self.complaints.open("wb"),
            limit=2**26,
        )
        users = [
            {"username": name, "password": PASSWORD, "ports": [proxy.port for proxy in line]}
            for name, line in zip(self.names, self.lines, strict=True)
        ]
        self._say({**self.order, "users": users, "start": self.starts, "history": str(self.history)})
        await self._answer(START_LIMIT)

    def _say(self, order: dict[str, Any]) -> None:
        assert self.child is not None
        assert self.child.stdin is not None
        self.child.stdin.write(json.dumps(order).encode() + b"\n")

    async def _answer(self, limit: float) -> dict[str, Any]:
        assert self.child is not None
        assert self.child.stdout is not None
        async with asyncio.timeout(limit):
            line = await self.child.stdout.readline()
        if not line:
            await self.child.wait()
            said = self.complaints.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the desks of process {self.number} ended by themselves:\n{said}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def tell(self, what: str) -> None:
        """``work`` or ``pause``."""
        self._say({"do": what})

    async def views(self) -> list[dict[str, Any]]:
        """What its desks show now."""
        async with self._asking:
            self._say({"do": "view"})
            return list((await self._answer(ANSWER_LIMIT))["views"])

    @property
    def in_the_middle_of_a_save(self) -> bool:
        """Whether the last thing that its desks noted is the beginning of an operation."""
        if not self.history.exists():
            return False
        last = self.history.read_bytes().rstrip(b"\n").rpartition(b"\n")[2]
        return b'"begin"' in last and b'"expect": {}' not in last

    async def kill(self) -> None:
        """As the power switch does."""
        assert self.child is not None
        if self.child.returncode is None:
            self.child.send_signal(signal.SIGKILL)
        await self.child.wait()

    def stop(self) -> None:
        """It does nothing until ``go_on``, and does not know it."""
        assert self.child is not None
        self.stopped = True
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self.child is not None
        if self.stopped:
            self.stopped = False
            self.child.send_signal(signal.SIGCONT)

    async def close(self) -> None:
        """Politely; after ten seconds not."""
        assert self.child is not None
        self.go_on()
        if self.child.returncode is None:
            self.tell("close")
            try:
                async with asyncio.timeout(ANSWER_LIMIT):
                    await self.child.wait()
            except TimeoutError:
                await self.kill()


@dataclass
class Ground:
    """Everything that faults can reach."""

    servers: Servers
    disk: Disk
    processes: list[Process]
    lines: list[Line]
    stops: list[tuple[int, float, float]] = field(default_factory=list)
    """Process, from, to: while it was stopped."""

    @property
    def proxies(self) -> list[WireProxy]:
        """Of all lines."""
        return [proxy for line in self.lines for proxy in line]

    def go_on(self, process: Process, since: float) -> None:
        """Ends a stop and notes how long it was."""
        process.go_on()
        self.stops.append((process.number, since, time.monotonic()))

    async def close(self) -> None:
        await asyncio.gather(*(process.close() for process in self.processes), return_exceptions=True)
        await asyncio.gather(*(proxy.close() for proxy in self.proxies))


async def open_desks(
    servers: Servers, disk: Disk, names: list[str], order: dict[str, Any], directory: Path
) -> Ground:
    """Desks behind proxies, signed in. The first one has a screen, the last process a wrong clock."""
    lines = [(WireProxy(NOBODY), WireProxy(NOBODY)) for _ in names]
    for line in lines:
        for proxy, fronts in zip(line, servers.fronts, strict=True):
            await proxy.start()
            fronts.append(proxy)
    servers.lead_there()
    processes = []
    for number, (first, last) in enumerate(_shares(len(names))):
        processes.append(
            Process(
                number,
                names[first:last],
                lines[first:last],
                {
                    **order,
                    "dsn": servers.database.dsn,
                    "screen": number == 0 and not order["negative_control"],
                    "clock": last == len(names) and number > 0,
                },
                directory,
            )
        )
    ground = Ground(servers, disk, processes, lines)
    try:
        await asyncio.gather(*(process.start() for process in processes))
    except BaseException:
        await ground.close()
        raise
    return ground


def _shares(desks: int) -> list[tuple[int, int]]:
    """From where to where the desks of each process are: the first one has a process of its own."""
    size = min(LARGEST_PROCESS, max(1, desks // 10))
    starts = [0, *range(1, desks, size)]
    return list(zip(starts, [*starts[1:], desks], strict=True))


def working_directory() -> tempfile.TemporaryDirectory[str]:
    """For histories and what desks keep."""
    return tempfile.TemporaryDirectory(prefix="dpolg-chaos-")
