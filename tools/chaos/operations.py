"""Random things that staff do at a desk, each with what must be in the database once it is acknowledged."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from dpolg_tui.desk import Desk
from dpolg_tui.domain import rearrange as plans
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.domain.rearrange import Place, Plan
from dpolg_tui.domain.undo import Entry
from tools.chaos.history import MARKER, owner, place
from tools.chaos.history import Place as Place_

DAYS = 45
"""So far into the future they book."""
FULL = 200
"""Stays and blocks from which on they cancel where they would have booked: a full house refuses all."""


@dataclass(frozen=True)
class Operation:
    """``act`` is one user action. ``expect``: what the checker looks for if it is acknowledged."""

    kind: str
    act: Callable[[], Awaitable[Any]]
    expect: dict[str, Any] = field(default_factory=dict)


class Staff:
    """Somebody at a desk who does one thing after the other."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self._desk = desk
        self._chance = chance
        self._guests: list[int] = []
        self._reminders: list[int] = []
        self._last: tuple[Entry, list[Place_]] | None = None
        self._before: list[Place_] = []

    async def next(self, marker: str) -> Operation | None:
        """The next operation; None where what was chosen makes no sense now."""
        kinds = list(_WEIGHTS)
        kind = self._chance.choices(kinds, [_WEIGHTS[one] for one in kinds])[0]
        if kind == "booking_create" and len(self._desk.store.occupancies) > FULL:
            kind = "cancel"
        try:
            operation: Operation | None = await getattr(self, f"_{kind}")(marker)
        except InvalidInput:
            return None  # the plan does not work out: the screen would say so before anything is sent
        return operation

    def learn(self, kind: str, record_id: int | None) -> None:
        """What was done here will be changed later, or taken back."""
        entries = self._desk.undo.entries
        self._last = (entries[0], self._before) if kind in ("move", "shift", "swap") and entries else None
        if record_id is not None and record_id > 0:
            if kind == "guest_create":
                self._guests.append(record_id)
            elif kind == "reminder_add":
                self._reminders.append(record_id)

    # -- choices -----------------------------------------------------------------------------------

    def _bars(self, *, blocks: bool = False) -> list[Occupancy]:
        today = self._desk.today()
        wanted = (Status.CONFIRMED, Status.RESERVED)
        return [
            bar
            for bar in self._desk.store.occupancies.values()
            if bar.arrival > today and (bar.is_block if blocks else bar.status in wanted)
        ]

    def _bar(self, *, blocks: bool = False) -> Occupancy:
        bars = self._bars(blocks=blocks)
        if not bars:
            raise InvalidInput
        return self._chance.choice(sorted(bars, key=lambda bar: bar.id))

    def _room(self) -> int:
        return self._chance.choice(sorted(self._desk.store.rooms))

    def _days(self) -> dict[str, Any]:
        arrival = self._desk.today() + timedelta(self._chance.randint(1, DAYS))
        return {"arrival": arrival, "departure": arrival + timedelta(self._chance.randint(1, 6))}

    def _guest(self) -> int:
        if not self._guests:
            raise InvalidInput
        return self._chance.choice(self._guests)

    # -- values of their own -----------------------------------------------------------------------

    async def _guest_create(self, marker: str) -> Operation:
        values = {"last_name": marker, "city": "Ulm"}
        return Operation("guest_create", lambda: self._desk.guests.create(values), {"marker": marker})

    async def _guest_edit(self, marker: str) -> Operation:
        guest = await self._desk.guests.get(self._guest())
        changes = {"notes": Change(guest.notes, marker)}
        return Operation("guest_edit", lambda: self._desk.guests.save(guest.id, changes), {"marker": marker})

    async def _booking_create(self, marker: str) -> Operation:
        room = None if self._chance.random() < 0.3 else self._room()
        values = {
            "guest_id": self._guest(),
            "persons": 1,
            "notes": marker,
            "stay/new": {"room_id": room, **self._days()},
        }
        return Operation("booking_create", lambda: self._desk.bookings.create(values), {"marker": marker})

    async def _booking_edit(self, marker: str) -> Operation:
        booking = await self._desk.bookings.get(self._bar().booking_id or 0)
        changes = {"notes": Change(booking.notes, marker)}
        return Operation(
            "booking_edit", lambda: self._desk.bookings.save(booking.id, changes), {"marker": marker}
        )

    async def _block_create(self, marker: str) -> Operation:
        days, room = self._days(), self._room()
        return Operation(
            "block_create",
            lambda: self._desk.blocks.create(
                room, days["arrival"], days["departure"], Kind.OUT_OF_ORDER, marker
            ),
            {"marker": marker},
        )

    async def _reminder_add(self, marker: str) -> Operation:
        booking = self._bar().booking_id
        due = self._desk.today() + timedelta(3)
        return Operation(
            "reminder_add", lambda: self._desk.reminders.add(booking, marker, due), {"marker": marker}
        )

    async def _reminder_edit(self, marker: str) -> Operation:
        if not self._reminders:
            raise InvalidInput
        reminder = await self._desk.reminders.get(self._chance.choice(self._reminders))
        changes = {"description": Change(reminder.description, marker)}
        return Operation(
            "reminder_edit", lambda: self._desk.reminders.save(reminder.id, changes), {"marker": marker}
        )

    async def _cancel(self, marker: str) -> Operation:
        booking = self._bar().booking_id or 0
        return Operation("cancel", lambda: self._desk.bookings.cancel(booking, marker), {"marker": marker})

    # -- places and states -------------------------------------------------------------------------

    async def _reopen(self, marker: str) -> Operation:  # noqa: ARG002
        found = await self._desk.bookings.search("chaos", 30)
        cancelled = [one.id for one in found if one.status is Status.CANCELLED]
        if not cancelled:
            raise InvalidInput
        booking = self._chance.choice(cancelled)
        expect = {"status": [booking, Status.CONFIRMED.value]}
        return Operation("reopen", lambda: self._desk.bookings.reopen(booking), expect)

    async def _move(self, marker: str) -> Operation:  # noqa: ARG002
        bar, days = self._bar(), self._days()
        target = Place(self._room(), days["arrival"], days["departure"])
        plan = plans.move(bar, target, self._desk.today())
        bookings = self._desk.bookings
        return self._planned(
            "move", plan, lambda: bookings.move(bar, target.room_id, target.arrival, target.departure)
        )

    async def _block_move(self, marker: str) -> Operation:  # noqa: ARG002
        bar, days = self._bar(blocks=True), self._days()
        target = Place(self._room(), days["arrival"], days["departure"])
        plan = plans.move(bar, target, self._desk.today())
        bookings = self._desk.bookings
        return self._planned(
            "block_move", plan, lambda: bookings.move(bar, target.room_id, target.arrival, target.departure)
        )

    async def _swap(self, marker: str) -> Operation:  # noqa: ARG002
        one, other = self._bar(), self._bar()
        plan = plans.swap(one, other, self._desk.today())
        return self._planned("swap", plan, lambda: self._desk.bookings.swap(one, other))

    async def _shift(self, marker: str) -> Operation:  # noqa: ARG002
        bar, days = self._bar(), self._chance.choice((-2, -1, 1, 2, 3))
        bookings = self._desk.bookings
        by = timedelta(days=days)
        plan = bookings.make_room(bar, Place(bar.room_id, bar.arrival + by, bar.departure + by))
        return self._planned("shift", plan, lambda: bookings.shift(bar, days, neighbours=True))

    async def _split(self, marker: str) -> Operation:  # noqa: ARG002
        bar, room = self._bar(), self._room()
        day = bar.arrival + timedelta(1)
        plan = plans.split(bar, day, room)
        return self._planned("split", plan, lambda: self._desk.bookings.split(bar, day, room))

    async def _join(self, marker: str) -> Operation:  # noqa: ARG002
        for bar in self._bars():
            other = plans.next_part(bar, self._desk.store.of_booking(bar.booking_id or 0))
            if other is not None:
                plan = plans.join(bar, other, self._desk.today())
                return self._planned("join", plan, partial(self._desk.bookings.join, bar, other))
        raise InvalidInput

    async def _block_delete(self, marker: str) -> Operation:  # noqa: ARG002
        bar = self._bar(blocks=True)
        return Operation("block_delete", lambda: self._desk.blocks.delete(bar.id), {"gone": self._owner(bar)})

    async def _undo(self, marker: str) -> Operation:  # noqa: ARG002
        """Only of places: values of their own are counted, and an old one would be there once more."""
        last, self._last = self._last, None
        if last is None or self._desk.outbox.waiting or self._desk.undo.entries[:1] != [last[0]]:
            raise InvalidInput
        return Operation("undo", partial(self._desk.undo.undo, last[0].number), {"places": last[1]})

    def _owner(self, bar: Occupancy) -> str:
        """Whose place a bar is; of what waits in the queue only the value of its own is known."""
        record = bar.id if bar.is_block else bar.booking_id or 0
        if record > 0:
            return owner(bar)
        creating = (item for item in self._desk.outbox.items if item.temporary == record)
        marker = next((MARKER.search(item.write.key) for item in creating), None)
        if marker is None:
            raise InvalidInput  # it is being sent
        return marker[0]

    def _planned(self, kind: str, plan: Plan, act: Callable[[], Awaitable[Any]]) -> Operation:
        def places(bar: Occupancy, wanted: Iterable[Place]) -> list[Place_]:
            return [place(self._owner(bar), each.room_id, each.arrival, each.departure) for each in wanted]

        self._before = [one for step in plan for one in places(step.bar, [Place.of(step.bar)])]
        return Operation(
            kind, act, {"places": [one for step in plan for one in places(step.bar, step.places)]}
        )

    # -- reads -------------------------------------------------------------------------------------

    async def _search(self, marker: str) -> Operation:  # noqa: ARG002
        return Operation("search", lambda: self._desk.guests.search("chaos", 20))

    async def _show(self, marker: str) -> Operation:  # noqa: ARG002
        first = self._desk.today() + timedelta(self._chance.randint(-30, 60))
        return Operation("show", lambda: self._desk.show(first, first + timedelta(42)))


_WEIGHTS = {
    "guest_create": 6,
    "guest_edit": 5,
    "booking_create": 12,
    "booking_edit": 10,
    "block_create": 3,
    "block_move": 2,
    "block_delete": 2,
    "reminder_add": 3,
    "reminder_edit": 2,
    "cancel": 3,
    "reopen": 2,
    "move": 12,
    "swap": 4,
    "shift": 5,
    "split": 4,
    "join": 4,
    "undo": 8,
    "search": 3,
    "show": 1,
}
