"""A process with one or more desks and somebody at each; told what to do by lines of JSON.

The first line says who works here and where; then ``work``, ``pause``, ``view`` and ``close``.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.db import connection, errors
from dpolg_tui.desk import Desk, outbox
from dpolg_tui.desk.events import DeskEvent, SessionLost
from dpolg_tui.desk.offline import State
from dpolg_tui.desk.undo import Told
from dpolg_tui.domain import german
from dpolg_tui.domain.errors import Defect, DomainError
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.settings import UiSettings
from tests.tui.desk_app import Running, running
from tools.chaos.control import without_request_ids_and_resync
from tools.chaos.history import MARKER, History
from tools.chaos.operations import Operation, Staff

LONGEST_PAUSE = 0.12
LOGIN_PAUSE = 0.3
MOST_WAITING = 5
"""With more in the queue staff wait for the line, too."""

SIZE = (140, 60)
"""Of the screen: all rooms are in sight."""

_current: ContextVar[Seat | None] = ContextVar("seat", default=None)


class Seat:
    """One desk and who sits at it."""

    def __init__(
        self,
        desk: Desk,
        user: dict[str, Any],
        start: int,
        history: History,
        seed: str,
        here: Running | None,
    ) -> None:
        self.desk = desk
        self._here = here
        self.user = user
        self.busy = False
        self._start = start
        self._history = history
        self._chance = random.Random(seed)
        self._staff = Staff(desk, self._chance)
        self._number = 0
        self._operation = ""
        self._tracked: dict[UUID, str] = {}
        self._session_lost = False
        desk.subscribe(self._heard)

    def take_over_queue(self) -> None:
        """What the last desk of this user could not send any more."""
        self._queue_changed()

    async def one_operation(self) -> None:
        """The next one, from beginning to end."""
        self._number += 1
        name = f"{self.user['username']}-{self._start}-{self._number}"
        self.busy = True
        try:
            if self._session_lost:
                await self.desk.unlock(self.user["password"])
                self._session_lost = False
                if self._here is not None:
                    self._here.app.call_later(self._here.app.unlocked)
            operation = await self._staff.next(f"chaos-{name}")
            if operation is not None:
                await self._do(name, operation)
        except DomainError:
            return  # what it needed to know could not be read
        finally:
            self.busy = False
            self._operation = ""

    async def _do(self, name: str, operation: Operation) -> None:
        note = self._history.note
        self._operation = name
        note("begin", op=name, kind=operation.kind, expect=operation.expect)
        token = _current.set(self)
        try:
            result = await operation.act()
        except Defect as error:
            note("end", op=name, outcome="defect", why=str(error))
        except DomainError as error:
            note("end", op=name, outcome=f"refused: {type(error).__name__}")
        except Exception as error:
            note("end", op=name, outcome="defect", why=repr(error))
            raise
        else:
            if isinstance(result, Told):
                outcome = "done" if result.done else "in the way"
            else:
                outcome = result.outcome.value if isinstance(result, WriteResult) else "read"
            note("end", op=name, outcome=outcome)
            if isinstance(result, WriteResult) and result.outcome is Outcome.DONE:
                self._staff.learn(operation.kind, result.id)
        finally:
            _current.reset(token)

    def unsure(self) -> None:
        """A write was sent and its connection died before the answer."""
        if self._operation:
            self._history.note("unknown", op=self._operation)

    def discard_refused(self) -> None:
        """What does not fit any more: its user gives it up, and with it what builds on it."""
        outbox = self.desk.outbox
        for one in outbox.items:
            if one.state is not State.CONFLICT or one not in outbox.items:
                continue
            gone = [item.request for item in (one, *outbox.building_on(one.request))]
            tracked = {request: self._tracked.pop(request) for request in gone if request in self._tracked}
            if outbox.discard(one.request):
                for request in gone:
                    self._history.note("refused", request=str(request))
            else:
                self._tracked.update(tracked)  # one of them is being sent

    def view(self) -> dict[str, Any]:
        """What this desk shows."""
        store = self.desk.store
        return {
            "desk": self.user["username"],
            "connected": self.desk.connection.phase.value,
            "busy": self.busy,
            "doing": self._doing(),
            "waiting": self.desk.outbox.waiting,
            "first": store.first,
            "last": store.last,
            "bars": [
                (bar.id, bar.room_id, bar.arrival, bar.departure, bar.status, bar.last_name, bar.version)
                for bar in store.occupancies.values()
            ],
            "rooms": [(room.id, room.version) for room in store.rooms.values()],
            "screen": self._here and picture(self._here),
        }

    def _doing(self) -> dict[str, Any]:
        """What a desk that is late is busy with: for people who look for the reason."""
        state = self.desk.connection
        return {
            "operation": self._operation,
            "since": str(state.since),
            "reason": state.reason,
            "news": self.desk._updates.qsize(),
            "reading": self.desk.window.lock.locked(),
            "connections": self.desk.database._pool.size,
            "tasks": sorted({_where(task) for task in asyncio.all_tasks()} - {""}),
        }

    def _heard(self, event: DeskEvent) -> None:
        if isinstance(event, SessionLost):
            self._session_lost = True
        elif self.desk.user is not None:
            self._queue_changed()

    def _queue_changed(self) -> None:
        now = {one.request: one for one in self.desk.outbox.items}
        for request, one in now.items():
            if request not in self._tracked:
                marker = MARKER.search(one.write.key)
                name = marker[0].removeprefix("chaos-") if marker else self._operation
                self._tracked[request] = name
                self._history.note("queued", op=name, request=str(request))
                if one.state is State.UNKNOWN:
                    self._history.note("unknown", op=name)
        for request in self._tracked.keys() - now.keys():
            self._history.note("sent", op=self._tracked.pop(request), request=str(request))


def _where(task: asyncio.Task[Any]) -> str:
    """The innermost place of this program at which a task waits."""
    places = [frame for frame in task.get_stack() if "dpolg_tui" in frame.f_code.co_filename]
    if not places:
        return ""
    return f"{Path(places[-1].f_code.co_filename).stem}.{places[-1].f_code.co_name}:{places[-1].f_lineno}"


def picture(here: Running) -> dict[str, Any]:
    """The text of the screen. Notices, which lie over it for seconds, are put aside first."""
    app = here.app
    app.clear_notifications()
    chart = app.screen.query("#chart")
    if not chart:
        return {"covered_by": type(app.screen).__name__}
    from dpolg_tui.tui.widgets.chart import OccupancyChart

    widget = chart.first(OccupancyChart)
    return {"covered_by": "", "first": str(widget.window.first), "lines": here.text().splitlines()}


def _notice_lost_answers() -> None:
    judge = connection._Call.judge

    def judge_and_tell(self: Any, failure: BaseException, *, connecting: bool) -> float:
        seat = _current.get()
        if seat is not None and self._write and self._sent and not connecting and errors.is_lost(failure):
            seat.unsure()
        return judge(self, failure, connecting=connecting)

    connection._Call.judge = judge_and_tell  # type: ignore[method-assign]


def _clock_a_day_ahead() -> None:
    class Ahead(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + timedelta(days=1)

    german.datetime = Ahead  # type: ignore[misc]
    outbox.datetime = Ahead  # type: ignore[misc]


@asynccontextmanager
async def _screen(config: Config, user: dict[str, Any]) -> AsyncIterator[Running]:
    """The whole application, signed in through its login screen, however often that must be tried."""
    from dpolg_tui.tui.screens.login import LoginScreen

    async with running(config, SIZE) as here:
        while not (here.app.signed_in_places and here.app.current_mode == "chart"):
            login = here.app.screen
            ready = isinstance(login, LoginScreen) and login.is_mounted and not login._busy
            if ready and here.desk.user is None and here.desk.connection.phase == "connected":
                await here.fill("#username", user["username"])
                await here.fill("#password", user["password"])
                here.app.screen.query_one("#password").focus()
                await here.pilot.press("enter")
            await here.pilot.pause(LOGIN_PAUSE)
        yield here


@asynccontextmanager
async def _desk(config: Config, user: dict[str, Any]) -> AsyncIterator[Desk]:
    """A desk that somebody has signed in to, however long that takes."""
    desk = Desk(config)
    desk.start()
    try:
        while desk.user is None:
            try:
                await desk.login(user["username"], user["password"])
            except DomainError:
                await asyncio.sleep(LOGIN_PAUSE)
        yield desk
    finally:
        await desk.close()


class Worker:
    """All desks of this process."""

    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order
        self._working = asyncio.Event()
        self._seats: list[Seat] = []

    async def run(self, orders: asyncio.StreamReader) -> None:
        """Until ``close``."""
        order = self._order
        history = History(Path(order["history"]))
        async with AsyncExitStack() as stack:
            users = order["users"]
            configs = [self._config(user) for user in users]
            here = None
            if order["screen"]:
                here = await stack.enter_async_context(_screen(configs[0], users[0]))
                desks = [here.desk]
            else:
                opening = (_desk(config, user) for config, user in zip(configs, users, strict=True))
                desks = await asyncio.gather(*(stack.enter_async_context(one) for one in opening))
            for user, desk in zip(users, desks, strict=True):
                seed = f"{order['seed']} {user['username']} {order['start']}"
                seat = Seat(desk, user, order["start"], history, seed, here)
                seat.take_over_queue()
                self._seats.append(seat)
            _tell({"ready": True})
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._sit(seat)) for seat in self._seats]
                await self._listen(orders)
                for task in tasks:
                    task.cancel()
        history.close()

    def _config(self, user: dict[str, Any]) -> Config:
        settings = database_from_dsn(f"{self._order['dsn']}?sslmode=disable")
        hosts = tuple(("127.0.0.1", port) for port in user["ports"])
        return Config(
            database=replace(settings, hosts=hosts, action_timeout=self._order["limit"]),
            # Nobody presses keys here.
            ui=UiSettings(idle_lock_minutes=0),
        )

    async def _sit(self, seat: Seat) -> None:
        while True:
            seat.discard_refused()
            if not self._working.is_set() or seat.desk.outbox.waiting > MOST_WAITING:
                await asyncio.sleep(0.05)
                continue
            await seat.one_operation()
            await asyncio.sleep(seat._chance.uniform(0, LONGEST_PAUSE) * self._order["slower"])

    async def _listen(self, orders: asyncio.StreamReader) -> None:
        while line := await orders.readline():
            match json.loads(line)["do"]:
                case "work":
                    self._working.set()
                case "pause":
                    self._working.clear()
                case "view":
                    _tell({"views": [seat.view() for seat in self._seats]})
                case "close":
                    return


def _tell(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer, default=str) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Reads the first line and works."""
    reader = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    order = json.loads(await reader.readline())
    _notice_lost_answers()
    if order["clock"]:
        _clock_a_day_ahead()
    if order["negative_control"]:
        without_request_ids_and_resync()
    await Worker(order).run(reader)


if __name__ == "__main__":
    asyncio.run(main())
