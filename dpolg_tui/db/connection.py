"""The connection of a desk to its database: every call ends within its limit, whatever the network does."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
import re
import secrets
import socket
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import asyncpg

from dpolg_tui.db import errors
from dpolg_tui.db.hosts import Hosts
from dpolg_tui.db.pool import Backoff, Pool, Pooled
from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.domain.errors import DomainError, OutcomeUnknown, Unreachable
from dpolg_tui.log import count_round_trips

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

log = logging.getLogger(__name__)

REPEATS_ON_CONTENTION = 3
# Somebody is waiting: within the limit of a call it is tried more often than in the background.
_LONGEST_WAIT = 1.0
_CLOSED = "Die Verbindung wurde beendet."

T = TypeVar("T")
ConnectionT = TypeVar("ConnectionT", bound=asyncpg.Connection)
_FUNCTION = re.compile(r"[a-z_]+\.[a-z_0-9]+")


def new_token() -> str:
    """A session token: 32 random bytes. The client invents it, so that connections open before the login."""
    return secrets.token_hex(32)


def token_hash(token: str) -> bytes:
    """What the database keeps of a token."""
    return hashlib.sha256(token.encode("ascii")).digest()


def new_client_id(desk: str = "") -> str:
    """``desk#host``: the random desk part goes into notifications, the host only into the audit log."""
    host = re.sub(r"[^A-Za-z0-9_.-]", "-", desk or socket.gethostname())[:60] or "desk"
    return f"{secrets.token_hex(4)}#{host}"


@lru_cache(maxsize=256)
def call_sql(function: str, arguments: int) -> str:
    """The statement that calls ``function``, as ``Database.call`` sends and ``warm`` prepares it."""
    if not _FUNCTION.fullmatch(function):
        raise ValueError(f"{function!r} is not the name of a database function")
    return f"SELECT {function}({', '.join(f'${n}' for n in range(1, arguments + 1))})"


class Database:
    """Calls to the database under one session token.

    ``limit`` is in seconds and holds for everything: connecting, waiting for a connection, repeating,
    the answer. Reads and writes whose connection breaks are repeated with the same arguments; writes
    carry a request id, so that they happen exactly once. ``write=True`` only decides what a call that
    ran out of time says: ``OutcomeUnknown`` if the statement had been sent. ``repeat=False`` is for
    the few calls that must not be sent twice.

    Cancelling a caller does not cancel the statement: it finishes, and the connection stays warm.
    """

    def __init__(self, settings: DatabaseSettings, *, client: str | None = None) -> None:
        self.settings = settings
        self.client = client or new_client_id()
        self.token = new_token()
        self.signed_in = False
        """Whether the token belongs to a session; the login sets it."""
        self.generation = 0
        """Grows with every new token: who keeps an own connection opens it anew."""
        self.renewed = asyncio.Event()
        """Set when a login or a change of the password succeeded; who waits for one clears it."""
        self.settled = asyncio.Event()
        """Not set while somebody signs in anew: that the old session ends then is no news."""
        self.settled.set()
        self.on_renewed: Callable[[], None] | None = None
        self.state = ConnectionState()
        self.on_state: Callable[[ConnectionState], None] | None = None
        self._hosts = Hosts(settings)
        self._hot: tuple[str, ...] = ()
        self._calls: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._pool = Pool(
            self._open,
            lowest=settings.pool_min,
            highest=settings.pool_max,
            idle_timeout=settings.idle_timeout,
            on_opened=self._opened,
            on_failed=self._failed,
        )

    @property
    def desk(self) -> str:
        """The part of the client id that notifications and the change feed carry."""
        return self.client.partition("#")[0]

    @property
    def token_hash(self) -> bytes:
        return token_hash(self.token)

    def start(self) -> None:
        """Begin to connect in the background; calls connect by themselves too."""
        self._pool.start()

    def warm(self, *statements: str) -> None:
        """Have these statements prepared on every connection, in the background, one at a time."""
        self._hot = tuple(dict.fromkeys((*self._hot, *statements)))
        self._pool.warm(statements)

    async def wait_warm(self, limit: float = 10.0) -> None:
        """Returns when the open connections know all hot statements. For measurements and tests."""
        async with asyncio.timeout(limit):
            await self._pool.wait_warm()

    async def close(self) -> None:
        """Terminate every connection; what is still running fails."""
        self._closed = True
        await self._pool.close()
        for task in tuple(self._calls):
            task.cancel()
        await asyncio.gather(*self._calls, return_exceptions=True)

    # -- calls -----------------------------------------------------------------------------------

    async def fetch(
        self, sql: str, *args: object, limit: float | None = None, write: bool = False
    ) -> list[asyncpg.Record]:
        """All rows."""
        return await self._run(lambda s: s.fetch(*args), sql, limit, write, repeat=True)

    async def fetchrow(
        self, sql: str, *args: object, limit: float | None = None, write: bool = False
    ) -> asyncpg.Record | None:
        """The first row."""
        return await self._run(lambda s: s.fetchrow(*args), sql, limit, write, repeat=True)

    async def fetchval(
        self, sql: str, *args: object, limit: float | None = None, write: bool = False, repeat: bool = True
    ) -> Any:
        """The first value of the first row; jsonb as Python values."""
        return await self._run(lambda s: s.fetchval(*args), sql, limit, write, repeat=repeat)

    async def call(
        self,
        function: str,
        *args: object,
        limit: float | None = None,
        write: bool = False,
        repeat: bool = True,
    ) -> Any:
        """The answer of a function that returns one value: ``await database.call("app.booking", 17)``."""
        sql = call_sql(function, len(args))
        return await self.fetchval(sql, *args, limit=limit, write=write, repeat=repeat)

    async def dedicated(self, connection_class: type[ConnectionT]) -> ConnectionT:
        """A connection of one's own outside the pool; the caller terminates it. Raises driver errors."""
        connection: ConnectionT = await self._open(connection_class)
        return connection

    # -- sessions --------------------------------------------------------------------------------

    def sibling(self) -> Database:
        """Another database with a new token for the same desk: to sign in while the old session lives on."""
        other = Database(self.settings, client=self.client)
        other._hosts = self._hosts
        return other

    def adopt(self, token: str) -> None:
        """Go on under the session of ``token``: connections of the old one end as soon as they are free."""
        self.token = token
        self.generation += 1
        self._pool.renew()
        if self.on_renewed is not None:
            self.on_renewed()

    # -- inside ----------------------------------------------------------------------------------

    async def _open(
        self, connection_class: type[asyncpg.Connection] = asyncpg.Connection
    ) -> asyncpg.Connection:
        count_round_trips(3)  # start-up, SCRAM, SCRAM
        return await self._hosts.connect({"app.session_token": self.token}, connection_class)

    def _opened(self) -> None:
        self._set_state(Phase.CONNECTED)

    def _failed(self, error: BaseException) -> None:
        reason = errors.connect_error(error, self.settings.address).message
        if self.state.reason != reason:
            log.warning("no connection: %s %s", type(error).__name__, getattr(error, "sqlstate", ""))
        if self._pool.size == 0:
            self._set_state(Phase.OFFLINE, reason)

    def _set_state(self, phase: Phase, reason: str | None = None) -> None:
        state = self.state.to(phase, reason)
        if state == self.state:
            return
        self.state = state
        if self.on_state is not None:
            self.on_state(state)

    async def _run(
        self,
        execute: Callable[[Any], Awaitable[T]],
        sql: str,
        limit: float | None,
        write: bool,
        *,
        repeat: bool,
    ) -> T:
        if self._closed:
            raise Unreachable(_CLOSED)
        seconds = self.settings.action_timeout if limit is None else limit
        call = _Call(execute, sql, seconds, self.settings.address, write=write, repeat=repeat)
        task = asyncio.get_running_loop().create_task(self._attempts(call))
        self._calls.add(task)
        task.add_done_callback(self._call_done)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                # Not the caller was cancelled, the database was closed.
                raise Unreachable(_CLOSED) from None
            raise

    async def _renewed_since(self, pooled: Pooled, deadline: float) -> bool:
        """Whether a new session has taken the place of this connection's, or is about to.

        The database ends the old one a moment before the new token is in use here.
        """
        try:
            async with asyncio.timeout_at(deadline):
                await self.settled.wait()
        except TimeoutError:
            return False
        return pooled.generation != self.generation

    def _call_done(self, task: asyncio.Task[Any]) -> None:
        self._calls.discard(task)
        # Reading the error keeps asyncio quiet about callers that went away: nobody asks for it any more.
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("a database call ended with %s", type(error).__name__)

    async def _attempts(self, call: _Call[T]) -> T:
        while True:
            connecting = True
            try:
                async with asyncio.timeout_at(call.deadline):
                    pooled = await self._pool.acquire()
                connecting = False
                try:
                    return await call.execute(pooled)
                except errors.DRIVER_ERRORS as failure:
                    if _session_ended(failure) and await self._renewed_since(pooled, call.deadline):
                        # Asked under the session before: once more under the new one.
                        pooled.connection.terminate()
                        raise ConnectionResetError from failure
                    if errors.is_stale_plan(failure):
                        pooled.forget(call.sql)
                    elif call.expired or errors.is_lost(failure):
                        pooled.connection.terminate()
                        self._pool.drop_idle()
                    raise
                finally:
                    self._pool.release(pooled)
            except (*errors.DRIVER_ERRORS, DomainError) as failure:
                wait = call.judge(failure, connecting=connecting)
            except (ValueError, TypeError, LookupError) as failure:
                # Arguments that the driver cannot encode.
                raise errors.defect(failure) from None
            await asyncio.sleep(wait)


def _session_ended(failure: BaseException) -> bool:
    return getattr(failure, "sqlstate", None) == "28000"


class _Call(Generic[T]):
    """One call with its deadline, and what its failed attempts mean for the next one."""

    def __init__(
        self,
        execute: Callable[[Any], Awaitable[T]],
        sql: str,
        seconds: float,
        address: str,
        *,
        write: bool,
        repeat: bool,
    ) -> None:
        self.sql = sql
        self.deadline = asyncio.get_running_loop().time() + seconds
        self.expired = False
        self._execute = execute
        self._address = address
        self._write = write
        self._repeat = repeat
        self._sent = False
        self._connect_failure: BaseException | None = None
        self._repeats = 0
        self._lost = False
        self._backoff = Backoff()

    async def execute(self, pooled: Pooled) -> T:
        """Run the statement; at the deadline the connection is terminated, which ends every wait."""
        alarm = asyncio.get_running_loop().call_at(self.deadline, self._expire, pooled)
        try:
            count_round_trips(1 if pooled.knows(self.sql) else 2)
            statement = await pooled.statement(self.sql)
            self._sent = True
            return await self._execute(statement)
        finally:
            alarm.cancel()

    def _expire(self, pooled: Pooled) -> None:
        self.expired = True
        pooled.connection.terminate()

    def judge(self, failure: BaseException, *, connecting: bool) -> float:
        """Seconds to wait before the next attempt; raises the domain error when there must be none."""
        now = asyncio.get_running_loop().time()
        if self.expired or now >= self.deadline:
            log.warning("a database call ran out of time")
            raise self._out_of_time() from None
        if connecting:
            self._connect_failure = failure
            if errors.is_permanent(failure):
                raise errors.connect_error(failure, self._address) from None
        elif errors.is_retryable(failure) or errors.is_stale_plan(failure):
            self._repeats += 1
            if self._repeats > REPEATS_ON_CONTENTION:
                raise errors.translate(failure) from None
            return _jitter(0.05)
        elif not errors.is_lost(failure):
            raise errors.translate(failure) from None
        elif self._sent and not self._repeat:
            raise self._out_of_time() from None
        elif not self._lost:
            self._lost = True
            return 0.0
        wait = min(self._backoff.next(), _LONGEST_WAIT)
        if now + wait >= self.deadline:
            raise self._out_of_time() from None
        return wait

    def _out_of_time(self) -> DomainError:
        if self._sent and self._write:
            return OutcomeUnknown()
        if self._connect_failure is not None:
            return errors.connect_error(self._connect_failure, self._address)
        if self._lost or not self._sent:
            return Unreachable()
        return Unreachable("Die Datenbank antwortet nicht: bitte Netzwerk prüfen und noch einmal versuchen.")


def _jitter(longest: float) -> float:
    return random.uniform(0, longest)  # noqa: S311 - spreads load, protects nothing
