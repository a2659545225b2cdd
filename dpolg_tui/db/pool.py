"""A small pool of connections, warm and never hanging.

Not asyncpg's: that one asks the server on every release, waits without bound for the answer to a
cancelled query, cannot prepare statements on a given connection and restores its floor without
jitter. A connection here carries no session state (every call is one statement with autocommit), so
that giving it back costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg

from dpolg_tui.db import errors
from dpolg_tui.domain.errors import DomainError, Unreachable

log = logging.getLogger(__name__)

BACKOFF_LOWEST = 0.2
# A desk shows what is stored within 5 s of the line's return, however long it was away.
BACKOFF_HIGHEST = 3.0
PREPARE_LIMIT = 5.0
_STATEMENTS_HIGHEST = 300
_CLOSED = "Die Verbindung wurde beendet."


class Backoff:
    """Full jitter: a random wait up to a bound that doubles, so that desks do not come back in step."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._bound = BACKOFF_LOWEST

    def next(self) -> float:
        """Seconds to wait before the next try."""
        wait = random.uniform(0, self._bound)  # noqa: S311 - spreads load, protects nothing
        self._bound = min(2 * self._bound, BACKOFF_HIGHEST)
        return wait


class Pooled:
    """A connection with its prepared statements. ``generation`` tells under which session it was opened."""

    __slots__ = ("_statements", "connection", "generation", "idle_since", "refused")

    def __init__(self, connection: asyncpg.Connection, generation: int) -> None:
        self.connection = connection
        self.generation = generation
        self.idle_since = 0.0
        self.refused: set[str] = set()
        self._statements: dict[str, Any] = {}

    @property
    def usable(self) -> bool:
        return not self.connection.is_closed()

    def knows(self, sql: str) -> bool:
        return sql in self._statements or sql in self.refused

    async def statement(self, sql: str) -> Any:
        """The prepared statement of ``sql``: one round trip the first time, none afterwards."""
        statement = self._statements.get(sql)
        if statement is None:
            statement = await self.connection.prepare(sql)
            if len(self._statements) >= _STATEMENTS_HIGHEST:
                del self._statements[next(iter(self._statements))]
            self._statements[sql] = statement
        return statement

    def forget(self, sql: str) -> None:
        self._statements.pop(sql, None)


class Pool:
    """Hands out connections; opens, warms, replaces and closes them in the background."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[asyncpg.Connection]],
        *,
        lowest: int,
        highest: int,
        idle_timeout: float,
        on_opened: Callable[[], None],
        on_failed: Callable[[BaseException], None],
    ) -> None:
        self._connect = connect
        self._lowest = min(lowest, highest)
        self._highest = highest
        self._idle_timeout = idle_timeout
        self._on_opened = on_opened
        self._on_failed = on_failed
        self._generation = 0
        self._hot: tuple[str, ...] = ()
        self._all: set[Pooled] = set()
        self._idle: list[Pooled] = []
        self._waiters: deque[asyncio.Future[Pooled]] = deque()
        self._opening = 0
        self._warming = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._wake = asyncio.Event()
        self._warm = asyncio.Event()
        self._closed = False

    @property
    def size(self) -> int:
        """Open connections."""
        return len(self._all)

    def start(self) -> None:
        """Begin to keep ``lowest`` connections open and warm."""
        if not any(task.get_name() == "pool-keeper" for task in self._tasks):
            self._spawn(self._keep(), "pool-keeper")

    def warm(self, statements: tuple[str, ...]) -> None:
        """Have every connection prepare ``statements`` while nobody needs it."""
        self._hot = tuple(dict.fromkeys((*self._hot, *statements)))
        self._warm.clear()
        self._wake.set()

    async def wait_warm(self) -> None:
        """Returns once every open connection knows the hot statements."""
        await self._warm.wait()

    async def acquire(self) -> Pooled:
        """A usable connection; raises the driver's error when one was opened for it in vain."""
        if self._closed:
            raise Unreachable(_CLOSED)
        while self._idle:
            pooled = self._idle.pop()
            if pooled.usable:
                return pooled
            self._forget(pooled)
        waiter: asyncio.Future[Pooled] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._open_for_waiters()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release(waiter.result())
            raise
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def release(self, pooled: Pooled) -> None:
        """Give a connection back: to whoever waits longest, else to the idle ones."""
        if self._closed or not pooled.usable or pooled.generation != self._generation:
            self.discard(pooled)
            return
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(pooled)
                return
        pooled.idle_since = asyncio.get_running_loop().time()
        self._idle.append(pooled)
        if any(not pooled.knows(sql) for sql in self._hot):
            self._wake.set()

    def discard(self, pooled: Pooled) -> None:
        """Terminate a connection and replace it if somebody waits or too few are left."""
        pooled.connection.terminate()
        self._forget(pooled)
        if not self._closed:
            self._open_for_waiters()

    def drop_idle(self) -> None:
        """Terminate what lies idle: it most likely shares the fate of the connection that just died."""
        for pooled in self._idle[:]:
            self.discard(pooled)

    def renew(self) -> None:
        """From now on only new connections: those in use end when they are given back."""
        self._generation += 1
        self.drop_idle()

    async def close(self) -> None:
        """Terminate everything at once."""
        self._closed = True
        for task in self._tasks:
            task.cancel()
        self._fail_waiters(Unreachable(_CLOSED))
        for pooled in tuple(self._all):
            self.discard(pooled)
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # The sockets of terminated connections close in the next turn of the loop.
        await asyncio.sleep(0)

    # -- in the background ---------------------------------------------------------------------

    def _spawn(self, work: Any, name: str) -> None:
        task: asyncio.Task[Any] = asyncio.get_running_loop().create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            errors.defect(error)
            if task.get_name() == "pool-keeper" and not self._closed:
                self.start()

    def _forget(self, pooled: Pooled) -> None:
        self._all.discard(pooled)
        if pooled in self._idle:
            self._idle.remove(pooled)
        self._wake.set()

    def _fail_waiters(self, error: Exception) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(error)

    def _open_for_waiters(self) -> None:
        wanted = sum(not waiter.done() for waiter in self._waiters)
        # One that only warms up is back within a round trip, sooner than a new one.
        while wanted > self._opening + self._warming and self.size + self._opening < self._highest:
            self._opening += 1
            self._spawn(self._open(), "pool-open")

    async def _open(self) -> bool:
        generation = self._generation
        try:
            connection = await self._connect()
        except (*errors.DRIVER_ERRORS, DomainError) as error:
            self._opening -= 1
            self._on_failed(error)
            if not self._all:
                self._fail_waiters(error)
            return False
        except BaseException:
            self._opening -= 1
            raise
        self._opening -= 1
        pooled = Pooled(connection, generation)
        self._all.add(pooled)
        connection.add_termination_listener(lambda _: self._wake.set())
        self._warm.clear()
        self._wake.set()
        self._on_opened()
        self.release(pooled)
        return True

    async def _keep(self) -> None:
        backoff = Backoff()
        while True:
            self._wake.clear()
            self._sweep()
            if self.size + self._opening < self._lowest:
                self._opening += 1
                if await self._open():
                    backoff.reset()
                else:
                    await asyncio.sleep(backoff.next())
                continue
            if await self._warm_one():
                continue
            if self.size and all(pooled.knows(sql) for pooled in self._all for sql in self._hot):
                self._warm.set()
            try:
                async with asyncio.timeout(self._idle_timeout / 4):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _sweep(self) -> None:
        """Forget closed connections, close those above the lowest number that nobody used for long."""
        oldest = asyncio.get_running_loop().time() - self._idle_timeout
        for pooled in self._idle[:]:
            if not pooled.usable or (self.size > self._lowest and pooled.idle_since < oldest):
                self.discard(pooled)

    async def _warm_one(self) -> bool:
        """Prepare one statement on one idle connection, so that an action waits at most for this one."""
        for pooled in self._idle:
            missing = next((sql for sql in self._hot if not pooled.knows(sql)), None)
            if missing is None:
                continue
            self._idle.remove(pooled)
            self._warming += 1
            alarm = asyncio.get_running_loop().call_later(PREPARE_LIMIT, pooled.connection.terminate)
            try:
                await pooled.statement(missing)
                # The driver prepares without a Sync: for the server the statement goes on, with its
                # time limit running, until the next message. A query of nothing ends it.
                await pooled.connection.execute("SELECT")
            except errors.DRIVER_ERRORS as error:
                pooled.refused.add(missing)
                if not errors.is_lost(error):
                    errors.defect(error)
            finally:
                alarm.cancel()
                self._warming -= 1
                self.release(pooled)
            return True
        return False
