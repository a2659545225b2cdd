"""What happens on other desks: notifications, the change feed behind them, and who is signed in.

A notification is a hint that anybody can forge. It only makes this desk ask the feed at once instead
of at its next heartbeat; what changed, and who did it, comes from the feed alone.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from dpolg_tui.db import errors
from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.db.pool import Backoff
from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.domain.errors import DomainError, MustChangePassword, NotAllowed, SessionEnded
from dpolg_tui.domain.models import RealtimeEvent, Role, User
from dpolg_tui.domain.people import Presence

log = logging.getLogger(__name__)

CHANNELS = ("booking", "guest", "room", "reminder", "user", "setting", "presence")
_KINDS = {
    "bookings": "booking",
    "blocks": "block",
    "rooms": "room",
    "guests": "guest",
    "reminders": "reminder",
    "users": "user",
    "settings": "setting",
}
_ACTIONS = {"INSERT": "created", "UPDATE": "updated", "DELETE": "deleted"}
_HINT = re.compile(r"[a-z_]{1,40}:[0-9]{1,19}:(?P<desk>[0-9A-Za-z_.-]{0,64})")
_LISTEN_SQL = "; ".join(f'LISTEN "{channel}"' for channel in CHANNELS)
_HEARTBEAT_SQL = call_sql("app.heartbeat", 1)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds. A silent peer is noticed after ``heartbeat`` + ``limit``."""

    heartbeat: float = 10.0
    limit: float = 4.0
    window: float = 0.05
    """Hints that follow the first one within this time are fetched together."""


@dataclass(frozen=True, slots=True)
class LiveUpdate:
    """News for the desk: changes in their order, or ``reload``: too many to tell, read everything again."""

    events: tuple[RealtimeEvent, ...]
    present: tuple[Presence, ...]
    """Every desk at which somebody is signed in, this one too."""
    reload: bool = False
    presence_changed: bool = False

    def with_later(self, later: LiveUpdate) -> LiveUpdate:
        """Both as one: who reads everything again needs no changes."""
        reload = self.reload or later.reload
        return LiveUpdate(
            () if reload else self.events + later.events,
            later.present,
            reload,
            self.presence_changed or later.presence_changed,
        )


class _Listener(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """A connection that hands notifications on without a callback each.

    ``add_listener`` would cost two round trips per channel and a turn of the loop per notification.
    """

    on_hint: Callable[[str], None] | None = None

    def _process_notification(self, pid: int, channel: str, payload: str) -> None:  # noqa: ARG002
        if self.on_hint is not None:
            self.on_hint(payload)


class Live:
    """Keeps this desk up to date until ``stop``; supervises itself, with full jitter between its tries.

    ``on_changes`` gets news, ``on_state`` the phases of the connection, ``on_session_ended`` the German
    sentence why the session is over; all on the event loop. The first update after ``start`` has
    ``reload`` set: from its snapshot on nothing is missed, so the desk reads its data then.
    """

    def __init__(
        self,
        database: Database,
        on_changes: Callable[[LiveUpdate], None],
        on_state: Callable[[ConnectionState], None],
        on_session_ended: Callable[[str], None] | None = None,
        *,
        intervals: Intervals | None = None,
    ) -> None:
        self.state = ConnectionState()
        self._database = database
        self._on_changes = on_changes
        self._on_state = on_state
        self._on_session_ended = on_session_ended
        self._intervals = intervals or Intervals()
        self._snapshot: str | None = None
        self._instance: str | None = None
        self._present: tuple[Presence, ...] = ()
        self._wake = asyncio.Event()
        self._hinted = False
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        database.on_renewed = self._wake.set

    def start(self) -> None:
        """Listen from now on."""
        if self._task is None:
            self.state = ConnectionState()
            self._task = asyncio.get_running_loop().create_task(self._supervise(), name="live")

    async def stop(self) -> None:
        """Stop listening. A later ``start`` begins with a reload."""
        if self._task is not None:
            task, self._task = self._task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self._snapshot = None
        self._present = ()

    # -- supervision -----------------------------------------------------------------------------

    async def _supervise(self) -> None:
        backoff = Backoff()
        while True:
            self._database.renewed.clear()
            generation = self._database.generation
            try:
                await self._connected(backoff)
            except (SessionEnded, NotAllowed, MustChangePassword) as error:
                if await self._session_is_over(generation):
                    self._tell(self._on_session_ended, error.message)
                    await self._database.renewed.wait()
                continue
            except (*errors.DRIVER_ERRORS, DomainError) as error:
                failure = errors.connect_error(error, self._database.settings.address)
                log.warning("live connection lost: %s", type(error).__name__)
                self._set_state(Phase.OFFLINE, failure.message)
            except Exception as error:  # noqa: BLE001 - no defect may stop the updates of this desk for good
                self._set_state(Phase.OFFLINE, errors.defect(error).message)
            else:
                # A new session: connect again under its token, without a pause.
                continue
            await asyncio.sleep(backoff.next())

    async def _session_is_over(self, generation: int) -> bool:
        """Not while signing in anew: the old session ends a moment before the new token is in use."""
        await self._database.settled.wait()
        return generation == self._database.generation

    async def _connected(self, backoff: Backoff) -> None:
        """One connection from its opening to its end; returns when the session was renewed."""
        generation = self._database.generation
        self._hinted = False
        self._wake.clear()
        self._lost.clear()
        listener = await self._database.dedicated(_Listener)
        try:
            listener.on_hint = self._hint
            listener.add_termination_listener(self._connection_lost)
            await self._limited(listener, listener.execute(_LISTEN_SQL))
            # Listening first, then asking for what was missed: no gap between the two.
            heartbeat = await self._limited(listener, listener.prepare(_HEARTBEAT_SQL))
            await self._ask(listener, heartbeat)
            backoff.reset()
            self._set_state(Phase.CONNECTED)
            while generation == self._database.generation:
                await self._wait_for_hint()
                if self._lost.is_set():
                    raise ConnectionResetError("the live connection was closed")
                if generation != self._database.generation:
                    return
                self._hinted = False
                self._wake.clear()
                asked = asyncio.get_running_loop().time()
                await self._ask(listener, heartbeat)
                await self._rest_of_window(asked)
        finally:
            listener.on_hint = None
            # Its end is told a moment later, when the next connection may already be in use.
            listener.remove_termination_listener(self._connection_lost)
            listener.terminate()

    async def _wait_for_hint(self) -> None:
        """Until a hint comes, the connection ends, or the next heartbeat is due."""
        if self._hinted:
            return
        try:
            async with asyncio.timeout(self._intervals.heartbeat):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _rest_of_window(self, asked: float) -> None:
        rest = asked + self._intervals.window - asyncio.get_running_loop().time()
        if rest <= 0:
            return
        try:
            async with asyncio.timeout(rest):
                await self._lost.wait()
        except TimeoutError:
            return

    async def _limited(self, listener: asyncpg.Connection, call: Any) -> Any:
        """The answer of ``call``, or its connection is terminated: the driver's own time-outs can hang."""
        alarm = asyncio.get_running_loop().call_later(self._intervals.limit, listener.terminate)
        try:
            return await call
        finally:
            alarm.cancel()

    # -- hints and answers -----------------------------------------------------------------------

    def _hint(self, payload: str) -> None:
        hint = _HINT.fullmatch(payload)
        if hint is None or hint["desk"] == self._database.desk:
            # What this desk wrote, it knows from the answer; should that get lost, from the next heartbeat.
            return
        self._hinted = True
        self._wake.set()

    def _connection_lost(self, _connection: asyncpg.Connection) -> None:
        self._lost.set()
        self._wake.set()

    async def _ask(self, listener: asyncpg.Connection, heartbeat: Any) -> None:
        """One round trip: session check, changes since the last snapshot, who is here."""
        try:
            answer = await self._limited(listener, heartbeat.fetchval(self._snapshot))
        except asyncpg.PostgresError as error:
            if errors.is_lost(error):
                raise
            raise errors.translate(error) from None
        first = self._snapshot is None
        another = self._instance not in (None, answer["instance_id"])
        self._snapshot = answer["snapshot"]
        self._instance = answer["instance_id"]
        present = _present(answer["present"])
        presence_changed = present != self._present
        self._present = present
        reload = first or another or bool(answer["reload"])
        events = () if reload else self._events(answer["changes"])
        if events or reload or presence_changed:
            self._tell(self._on_changes, LiveUpdate(events, present, reload, presence_changed))

    def _events(self, changes: list[Mapping[str, Any]]) -> tuple[RealtimeEvent, ...]:
        events = []
        for change in changes:
            kind = _KINDS.get(change["table"])
            action = _ACTIONS.get(change["operation"])
            if kind is None or action is None:
                log.debug("a change of %s is of no interest here", change["table"])
                continue
            own = change["client"] == self._database.desk
            events.append(
                RealtimeEvent(
                    type=f"{kind}-{action}",
                    payload={"id": change["id"], "own": own},
                    user_id=change["user_id"],
                    timestamp=datetime.fromisoformat(change["at"]),
                )
            )
        return tuple(events)

    def _set_state(self, phase: Phase, reason: str | None = None) -> None:
        state = self.state.to(phase, reason)
        if state != self.state or phase is not self.state.phase:
            self.state = state
            self._tell(self._on_state, state)

    def _tell(self, callback: Callable[[Any], None] | None, news: Any) -> None:
        if callback is None:
            return
        try:
            callback(news)
        except Exception as error:  # noqa: BLE001 - a screen's defect must not stop the updates
            errors.defect(error)


def _present(entries: list[Mapping[str, Any]]) -> tuple[Presence, ...]:
    return tuple(_presence(entry) for entry in entries)


def _presence(entry: Mapping[str, Any]) -> Presence:
    user = User(entry["user_id"], entry["username"], entry["full_name"], Role(entry["role"]))
    return Presence(
        user_id=user.id,
        display_name=user.display_name,
        initials=user.initials,
        desk=entry["desk"],
        since=datetime.fromisoformat(entry["since"]),
        screen=entry["screen"],
        booking_id=entry["booking_id"],
    )
