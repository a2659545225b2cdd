"""Every action of a desk once, in an order in which each has something to do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from dpolg_tui.desk import Desk
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome, Role, Status, WriteResult

_DAY = timedelta(days=1)
NIGHTS = 3 * _DAY
TRIES = 30
QUERIES = ("Mül", "schmidt", "oezd", "2026-1", "Brannenburg", "Kowal", "ß", "e")


@dataclass(slots=True)
class Act:
    """One action; its name tells read from write."""

    name: str
    work: Callable[[], Awaitable[Any]]
    answer: Any = None

    async def run(self) -> None:
        """Do it. A write that was refused measures something else: that is an error."""
        self.answer = await self.work()
        if isinstance(self.answer, WriteResult) and self.answer.outcome is not Outcome.DONE:
            raise RuntimeError(f"{self.name}: {self.answer}")


async def every(
    desk: Desk, day: date, query: str = QUERIES[0], share: int = 0, of: int = 1
) -> AsyncIterator[Act]:
    """All actions on and around a new booking that arrives on ``day`` or later; deletions only if allowed.

    Desks that work at the same time get a share of the rooms each, so that none takes another's.
    """
    word = uuid4().hex[:8]
    deletes = desk.user is not None and desk.user.role is Role.ADMIN
    yield Act("read: search guests", lambda: desk.guests.search(query))
    yield Act("read: search bookings", lambda: desk.bookings.search(query))
    free: list[int] = []
    for _ in range(TRIES):
        act = Act("read: free rooms", lambda day=day: desk.bookings.free_rooms(day, day + 3 * NIGHTS, 1))  # type: ignore[misc]
        yield act
        free = [found.room_id for found in act.answer if found.fits and found.room_id % of == share]
        if len(free) >= 3:
            break
        day += 7 * _DAY
    else:
        raise RuntimeError(f"no three rooms are free before {day}")
    await desk.show(day, day + 4 * NIGHTS)
    first, second, third = free[:3]

    act = Act("write: new guest", lambda: desk.guests.create({"last_name": word, "first_name": "Eva"}))
    yield act
    guest = act.answer.id
    yield Act("read: guest", lambda: desk.guests.get(guest))
    yield Act("write: change guest", lambda: desk.guests.save(guest, {"city": Change(None, "Lenggries")}))

    stay = {"room_id": first, "arrival": day, "departure": day + NIGHTS}
    values = {"guest_id": guest, "persons": 1, "status": Status.CONFIRMED, "stay/new": stay}
    act = Act("write: new booking", lambda: desk.bookings.create(values))
    yield act
    booking = act.answer.id
    yield Act("read: booking", lambda: desk.bookings.get(booking))
    yield Act(
        "write: change booking",
        lambda: desk.bookings.save(booking, {"notes": Change(None, "Späte Anreise")}),
    )
    yield Act(
        "write: move to another room",
        lambda: desk.bookings.move(desk.store.of_booking(booking)[0], second, day, day + NIGHTS),
    )
    yield Act(
        "write: extend",
        lambda: desk.bookings.move(desk.store.of_booking(booking)[0], second, day, day + 2 * NIGHTS),
    )
    yield Act(
        "write: to the unassigned lane",
        lambda: desk.bookings.move(desk.store.of_booking(booking)[0], None, day, day + NIGHTS),
    )
    yield Act(
        "write: back to a room",
        lambda: desk.bookings.move(desk.store.of_booking(booking)[0], first, day, day + NIGHTS),
    )
    until = day + NIGHTS
    yield Act(
        "write: split", lambda: desk.bookings.split(desk.store.of_booking(booking)[0], until - _DAY, second)
    )
    yield Act("write: join", lambda: desk.bookings.join(*desk.store.of_booking(booking)))
    act = Act(
        "write: new booking",
        lambda: desk.bookings.create(
            values | {"stay/new": stay | {"room_id": second, "arrival": until, "departure": until + NIGHTS}}
        ),
    )
    yield act
    neighbour = act.answer.id
    yield Act(
        "write: swap two stays",
        lambda: desk.bookings.swap(desk.store.of_booking(booking)[0], desk.store.of_booking(neighbour)[0]),
    )
    yield Act(
        "write: back to a room",
        lambda: desk.bookings.move(desk.store.of_booking(neighbour)[0], second, until, until + NIGHTS),
    )
    yield Act(
        "write: shift with neighbours",
        lambda: desk.bookings.shift(desk.store.of_booking(booking)[0], 1, neighbours=True),
    )
    yield Act("write: cancel", lambda: desk.bookings.cancel(neighbour, "Dienstplan geändert"))
    yield Act(
        "write: back to a room",
        lambda: desk.bookings.move(desk.store.of_booking(booking)[0], first, day, until),
    )
    yield Act("write: cancel", lambda: desk.bookings.cancel(booking, "Dienstplan geändert"))
    yield Act("write: re-open", lambda: desk.bookings.reopen(booking))
    yield Act("write: check in", lambda: desk.bookings.check_in(booking))
    yield Act("write: check out", lambda: desk.bookings.check_out(booking))
    yield Act("read: history", lambda: desk.bookings.history(booking))
    if deletes:
        # Whoever was in the house stays on record: a second guest and booking go.
        act = Act("write: new guest", lambda: desk.guests.create({"last_name": word, "first_name": "Ida"}))
        yield act
        other = act.answer.id
        act = Act(
            "write: new booking",
            lambda: desk.bookings.create(values | {"guest_id": other, "stay/new": stay | {"room_id": None}}),
        )
        yield act
        mistaken = act.answer.id
        yield Act("write: delete booking", lambda: desk.bookings.delete(mistaken))
        yield Act("write: delete guest", lambda: desk.guests.delete(other))

    act = Act(
        "write: new block",
        lambda: desk.blocks.create(third, day, day + NIGHTS, Kind.OUT_OF_ORDER, "Heizung"),
    )
    yield act
    block = act.answer.id
    yield Act(
        "write: move block",
        lambda: desk.bookings.move(desk.store.occupancies[block], second, day, day + NIGHTS),
    )
    yield Act("write: lift block", lambda: desk.blocks.delete(block))

    yield Act("read: room calendar", lambda: desk.bookings.taken(first, day - 900 * _DAY, day - 800 * _DAY))
    store = desk.store
    yield Act("read: next window", lambda: desk.show(store.last, store.last + 14 * _DAY))


async def rooms(desk: Desk) -> AsyncIterator[Act]:
    """What only admins do with rooms; every desk reads all of them again afterwards."""
    values = {"name": f"Bank {uuid4().hex[:6]}", "category": "DZ", "place": "Lenggries", "capacity": 2}
    prices = {"price_low": 45, "price_high": 55, "final_cleaning_fee": 25}
    act = Act("write: new room", lambda: desk.rooms.create(values | prices))
    yield act
    room = act.answer.id
    yield Act("write: change room", lambda: desk.rooms.save(room, {"notes": Change(None, "Balkon")}))
    yield Act("write: delete room", lambda: desk.rooms.delete(room))
