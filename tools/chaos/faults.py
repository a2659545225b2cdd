"""The faults: each a coroutine that breaks something, waits, and heals it."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter

import asyncpg

from dpolg_tui.db.errors import DRIVER_ERRORS
from dpolg_tui.operations.embedded import HOST
from tools.chaos.ground import Ground, Process
from tools.wire_proxy import WireProxy, wire_proxy

REQUESTS = (b"chaos-", b'"last_name"', b'"stay/new"')
"""In requests that write a value of their own; that make a guest; that make a booking or split one."""
MID_SAVE_LIMIT = 1.0
WAL_FILES = 20
"""More than a server keeps in reserve."""
KINDS = (
    "server_killed",
    "connections_cut",
    "answer_lost",
    "black_hole",
    "latency_50_ms",
    "latency_500_ms",
    "trickle",
    "half_open",
    "split_packets",
    "client_killed",
    "client_stopped",
    "lock_held",
    "notification_queue_full",
    "reconnect_storm",
    "disk_full",
    "failover",
)
A_MINUTE = 60.0
OFTEN_ENOUGH = 300.0
"""Seconds between two stops of a minute; shorter runs have none."""


class Faults:
    """Breaks things on a ground, at random places; counts what it did."""

    def __init__(self, ground: Ground, chance: random.Random, longest: float) -> None:
        self.counts: Counter[str] = Counter()
        self.of_the_round: list[str] = []
        self._ground = ground
        self._chance = chance
        self._longest = longest
        self._server = asyncio.Lock()

    async def wait(self) -> None:
        """As long as something is broken."""
        await asyncio.sleep(self._chance.uniform(0.3, self._longest))

    @property
    def impossible(self) -> dict[str, str]:
        """Kinds that this computer does not allow, with the reason."""
        reason = self._ground.disk.reason
        return {"disk_full": reason} if reason else {}

    def _proxies(self) -> list[WireProxy]:
        lines = self._ground.lines
        return [proxy for line in self._chance.sample(lines, max(1, len(lines) // 3)) for proxy in line]

    async def _process(self) -> Process:
        """One that no other fault has in its hands."""
        while True:
            free = [process for process in self._ground.processes if not process.taken.locked()]
            if free:
                return self._chance.choice(free)
            await asyncio.sleep(0.05)

    async def server_killed(self) -> None:
        async with self._server:
            self._ground.servers.kill()
            await asyncio.sleep(self._chance.uniform(0.1, 1.0))
            await self._ground.servers.start()

    async def connections_cut(self) -> None:
        for proxy in self._proxies():
            proxy.cut()

    async def answer_lost(self) -> None:
        for proxy in self._proxies():
            proxy.lose_answer_to(self._chance.choice(REQUESTS))

    async def answer_about_guest_lost(self) -> None:
        """For the negative control: nothing but the request id keeps a guest from being made twice."""
        for proxy in self._ground.proxies:
            proxy.lose_answer_to(REQUESTS[1])

    async def black_hole(self) -> None:
        proxies = self._proxies()
        for proxy in proxies:
            proxy.fall_silent()
        await self.wait()
        for proxy in proxies:
            proxy.speak()

    async def latency_50_ms(self) -> None:
        await self._latency(0.05)

    async def latency_500_ms(self) -> None:
        await self._latency(0.5)

    async def _latency(self, seconds: float) -> None:
        proxies = self._proxies()
        for proxy in proxies:
            proxy.delay, proxy.jitter = seconds, seconds / 2
        await self.wait()
        for proxy in proxies:
            proxy.delay, proxy.jitter = 0.0, 0.0

    async def trickle(self) -> None:
        await self._in_pieces(64, 0.01)

    async def split_packets(self) -> None:
        await self._in_pieces(7, 0.0)

    async def _in_pieces(self, piece: int, pause: float) -> None:
        proxies = self._proxies()
        for proxy in proxies:
            proxy.piece, proxy.pause = piece, pause
        await self.wait()
        for proxy in proxies:
            proxy.piece, proxy.pause = 0, 0.0

    async def half_open(self) -> None:
        proxies = self._proxies()
        for proxy in proxies:
            proxy.half_open()
        await self.wait()
        for proxy in proxies:
            proxy.reset_half_open()

    async def client_killed(self) -> None:
        """In the middle of a save, if it makes one soon."""
        process = await self._process()
        async with process.taken:
            end = time.monotonic() + MID_SAVE_LIMIT
            while not process.in_the_middle_of_a_save and time.monotonic() < end:  # noqa: ASYNC110 - a file
                await asyncio.sleep(0)
            await process.kill()
            await process.start()
            process.tell("work")

    async def client_stopped(self) -> None:
        await self._stop(self._chance.uniform(0.3, self._longest))

    async def client_stopped_a_minute(self) -> None:
        """Longer than any limit and any heartbeat, while everything else goes on breaking."""
        await self._stop(A_MINUTE)

    async def _stop(self, seconds: float) -> None:
        process = await self._process()
        async with process.taken:
            since = time.monotonic()
            process.stop()
            try:
                await asyncio.sleep(seconds)
            finally:
                self._ground.go_on(process, since)

    async def lock_held(self) -> None:
        """A client locks all rooms and vanishes: nobody tells the server."""
        servers = self._ground.servers
        async with self._server, wire_proxy((HOST, servers.primary.port)) as proxy:
            vanished = await asyncpg.connect(servers.dsn("dpolg_owner", proxy.port), ssl=False)
            await vanished.execute("SET idle_in_transaction_session_timeout = '1s'; BEGIN")
            await vanished.execute("SELECT FROM app.rooms FOR UPDATE")
            proxy.fall_silent()
            await asyncio.sleep(1.2)
            vanished.terminate()

    async def notification_queue_full(self) -> None:
        """Somebody listens and never fetches; everybody's next write is refused until that one has gone."""
        async with self._server:
            lazy = await asyncpg.connect(self._ground.servers.dsn())
            loud = await asyncpg.connect(self._ground.servers.dsn())
            try:
                await lazy.execute("LISTEN chaos")
                await lazy.execute("BEGIN; SELECT")
                try:
                    while True:
                        await loud.execute(
                            "SELECT pg_notify('noise', n || repeat('x', 7900)) FROM generate_series(1, 8) n"
                        )
                except asyncpg.ProgramLimitExceededError:
                    await asyncio.sleep(self._chance.uniform(0.2, 0.8))
            finally:
                lazy.terminate()
                await asyncio.sleep(0.1)
                # Asking how full it is makes the server look for what nobody needs any more.
                await loud.execute("SELECT pg_notification_queue_usage()")
                await loud.close()

    async def reconnect_storm(self) -> None:
        """All desks lose their line at once and get it back at once."""
        await asyncio.gather(*(proxy.refuse() for proxy in self._ground.proxies))
        await asyncio.sleep(self._chance.uniform(0.1, 1.0))
        await asyncio.gather(*(proxy.accept() for proxy in self._ground.proxies))

    async def disk_full(self) -> None:
        """Not one page more for the server: writes are refused, or it falls when it needs a WAL file."""
        servers, disk = self._ground.servers, self._ground.disk
        async with self._server:
            await asyncio.to_thread(disk.fill)
            try:
                if self._chance.random() < 0.5:
                    await self._ask_for_wal_files()
                await self.wait()
            finally:
                await asyncio.to_thread(disk.free)
            # It may have given up, since nothing can be repaired without space.
            await servers.start()

    async def _ask_for_wal_files(self) -> None:
        try:
            superuser = await asyncpg.connect(self._ground.servers.dsn())
            for number in range(WAL_FILES):
                await superuser.execute(f"SELECT pg_create_restore_point('{number}'); SELECT pg_switch_wal()")
        except DRIVER_ERRORS:
            return  # it fell

    async def failover(self) -> None:
        """The primary's machine goes for good, its standby takes over and has none itself for now."""
        servers = self._ground.servers
        async with self._server:
            await servers.begin_standby()
            await self.wait()
            await servers.fail_over()

    async def strike(self, kind: str) -> None:
        """One fault of a kind, counted when it is over."""
        self.of_the_round.append(kind)
        await getattr(self, kind)()
        self.counts[kind] += 1
