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
from tools.chaos.control import without_request_ids_and_resync
from tools.chaos.history import MARKER, History
from tools.chaos.operations import Operation, Staff

LONGEST_PAUSE = 0.12
LOGIN_PAUSE = 0.3
MOST_WAITING = 5
"""With more in the queue staff wait for the line, too."""

_current: ContextVar[Seat | None] = ContextVar("seat", default=None)


class Seat:
    """One desk and who sits at it."""

    def __init__(self, desk: Desk, user: dict[str, str], start: int, history: History, seed: str) -> None:
        self.desk = desk
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
            "waiting": self.desk.outbox.waiting,
            "first": store.first,
            "last": store.last,
            "bars": [
                (bar.id, bar.room_id, bar.arrival, bar.departure, bar.status, bar.last_name, bar.version)
                for bar in store.occupancies.values()
            ],
            "rooms": [(room.id, room.version) for room in store.rooms.values()],
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
async def _desk(config: Config, user: dict[str, str], *, screen: bool) -> AsyncIterator[Desk]:
    """A desk that somebody has signed in to, however long that takes."""
    if screen:
        from tests.tui.desk_app import running

        async with running(config) as here:
            await here.sign_in(user["username"], user["password"])
            yield here.desk
        return
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
            settings = database_from_dsn(f"{order['dsn']}?sslmode=disable")
            signing_in = [
                stack.enter_async_context(
                    _desk(
                        Config(
                            database=replace(
                                settings, hosts=(("127.0.0.1", user["port"]),), action_timeout=order["limit"]
                            )
                        ),
                        user,
                        screen=order["screen"],
                    )
                )
                for user in order["users"]
            ]
            for user, desk in zip(order["users"], await asyncio.gather(*signing_in), strict=True):
                seed = f"{order['seed']} {user['username']} {order['start']}"
                seat = Seat(desk, user, order["start"], history, seed)
                seat.take_over_queue()
                self._seats.append(seat)
            _tell({"ready": True})
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self._sit(seat)) for seat in self._seats]
                await self._listen(orders)
                for task in tasks:
                    task.cancel()
        history.close()

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
