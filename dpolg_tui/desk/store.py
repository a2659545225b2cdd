"""The desk's live copy of what the chart shows: rooms, and the occupancies of a window of days."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from itertools import chain
from typing import Literal

from dpolg_tui.domain.models import Occupancy, Room, User
from dpolg_tui.domain.queued import Name, NameOf, Waiting, bars_with, room_with

Kind = Literal["booking", "block"]
Key = tuple[Kind, int]
"""Kind and id of the record that a bar belongs to: ``("booking", 7)`` or ``("block", 7)``."""


class Store:
    """Rooms and the active occupancies that touch [first, last).

    A state of a booking is taken over only if it is not older than the one already seen, so that
    answers, notifications and loads may arrive in any order. What is shown (``rooms``, ``occupancies``)
    is what is stored, with the queued writes applied to it, and over both own changes of bars that are
    not answered yet.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self._stored_rooms: dict[int, Room] = {}
        self._waiting_rooms: dict[int, tuple[Waiting, ...]] = {}
        self.colleagues: dict[int, User] = {}
        self.occupancies: dict[int, Occupancy] = {}
        self.first: date = date.min
        self.last: date = date.min
        self._by_room: dict[int | None, list[Occupancy]] = {}
        self._shown: dict[Key, set[int]] = {}
        self._stored: dict[Key, dict[int, Occupancy]] = {}
        # Newest version seen; None: it is gone for good.
        self._seen: dict[Key, int | None] = {}
        # Bars shown where an own change wants them, not answered yet.
        self._provisional: dict[int, Occupancy] = {}
        self._waiting: dict[Key, tuple[Waiting, ...]] = {}
        self._names: dict[int, Name] = {}
        self._name_of: NameOf = self._names.get

    def in_room(self, room_id: int | None, first: date, last: date) -> list[Occupancy]:
        """Occupancies of a room (None: unassigned) that touch a night of [first, last), by arrival."""
        return [
            found
            for found in self._by_room.get(room_id, ())
            if found.arrival < last and found.departure > first
        ]

    def of_booking(self, booking_id: int) -> list[Occupancy]:
        """The bars of a booking in the window, by arrival."""
        found = [self.occupancies[id_] for id_ in self._shown.get(("booking", booking_id), ())]
        return sorted(found, key=_order)

    def stored(self, kind: Kind, record_id: int) -> list[Occupancy]:
        """The bars of a booking or block as the database has them, whatever is shown."""
        return list(self._stored.get((kind, record_id), {}).values())

    def bookings_of_guests(self, guests: Iterable[int]) -> set[int]:
        """Bookings in the window whose bar bears the name of one of these guests."""
        wanted = set(guests)
        return {
            found.booking_id
            for found in self.occupancies.values()
            if found.booking_id is not None and found.guest_id in wanted
        }

    # -- rooms -----------------------------------------------------------------------------------

    def take_rooms(self, rooms: Iterable[Room]) -> None:
        """These are the rooms that are stored, all of them."""
        self._stored_rooms = {room.id: room for room in rooms}
        self._show_rooms()

    def take_room(self, fresh: Room) -> None:
        """A room is stored like this, unless something newer is known."""
        known = self._stored_rooms.get(fresh.id)
        if known is None or known.version <= fresh.version:
            self._stored_rooms[fresh.id] = fresh
            self._show_rooms()

    def forget_room(self, room_id: int) -> None:
        """A room was deleted."""
        self._stored_rooms.pop(room_id, None)
        self._show_rooms()

    def _show_rooms(self) -> None:
        made = {id_ for id_, writes in self._waiting_rooms.items() if writes[0].creates}
        shown = (
            room_with(self._stored_rooms.get(id_), self._waiting_rooms.get(id_, ()))
            for id_ in [*self._stored_rooms, *made]
        )
        self.rooms = {room.id: room for room in shown if room is not None}

    # -- bars ------------------------------------------------------------------------------------

    def guest_name(self, guest_id: int) -> Name | None:
        """What a guest is called on a bar in the window, shown or only stored; None: there is none."""
        bars = chain(self.occupancies.values(), *(bars.values() for bars in self._stored.values()))
        return next(((bar.last_name, bar.first_name) for bar in bars if bar.guest_id == guest_id), None)

    def covers(self, first: date, last: date) -> bool:
        return self.first <= first and last <= self.last

    def begin_window(self, first: date, last: date) -> None:
        """Forget all occupancies and show this window from now on."""
        self.first, self.last = first, last
        self.occupancies.clear()
        self._by_room.clear()
        self._shown.clear()
        self._stored.clear()

    def extend_window(self, first: date, last: date) -> None:
        self.first, self.last = min(self.first, first), max(self.last, last)

    def forget_versions(self) -> None:
        """After a restore of the database versions may be lower than those seen."""
        self._seen.clear()

    def add_loaded(self, loaded: Iterable[Occupancy]) -> None:
        """Rows of a window read: whatever is known in a newer state stays as it is."""
        for occupancy in loaded:
            key = _key(occupancy)
            known = self._seen.get(key, 0)
            if known is None or known > occupancy.version:
                continue
            self._seen[key] = occupancy.version
            self._stored.setdefault(key, {})[occupancy.id] = occupancy
            provisional = self._provisional.get(occupancy.id)
            if provisional is not None and provisional.version != occupancy.version:
                del self._provisional[occupancy.id]
            if not self._covered(key, occupancy):
                self._put(occupancy)
        for key in {*self._waiting, *(_key(bar) for bar in self._provisional.values())}:
            self._show(key)
        if self._names:
            self._show_guests(self._names)

    def apply(
        self,
        fresh: Iterable[Occupancy],
        bookings: Iterable[int] = (),
        blocks: Iterable[int] = (),
        *,
        version: int | None = None,
    ) -> tuple[int, ...]:
        """Take over the state of these bookings and blocks: what is not in ``fresh`` has no bar any more.

        ``version`` of the state, where it has no bar that bears it. Returns the ids of the bars that
        appeared, changed or went.
        """
        by_key: dict[Key, list[Occupancy]] = {("booking", id_): [] for id_ in bookings}
        by_key.update({("block", id_): [] for id_ in blocks})
        for occupancy in fresh:
            by_key.setdefault(_key(occupancy), []).append(occupancy)
        touched: list[int] = []
        for key, states in by_key.items():
            touched += self._replace(key, states, version)
        return tuple(touched)

    def forget(self, *, booking_id: int | None = None, block_id: int | None = None) -> tuple[int, ...]:
        """A record was deleted: rows read before that must not bring it back."""
        key: Key = ("booking", booking_id) if booking_id is not None else ("block", block_id or 0)
        touched = self._replace(key, [], None)
        self._seen[key] = None
        return tuple(touched)

    # -- what is not stored yet ------------------------------------------------------------------

    def put_provisionally(self, occupancy: Occupancy) -> None:
        """Show an own change before the database has answered."""
        if occupancy.id in self.occupancies:
            self._provisional[occupancy.id] = occupancy
            self._show(_key(occupancy))

    def take_back(self, occupancy_id: int) -> bool:
        """Show a bar without its own change, unless something newer has arrived meanwhile."""
        provisional = self._provisional.pop(occupancy_id, None)
        return provisional is not None and bool(self._show(_key(provisional)))

    def show_waiting(
        self, waiting: Iterable[Waiting], names: Mapping[int, Name], name_of: NameOf
    ) -> dict[Key, list[int]]:
        """Show what is stored as these writes will change it, in their order.

        ``names`` are those that guests will have; ``name_of`` knows the others. Returns the bars that
        appeared, changed or went, by their record.
        """
        before, named = self._waiting, {*self._names, *names}
        self._waiting, self._names, self._name_of = {}, dict(names), name_of
        self._waiting_rooms = {}
        for one in waiting:
            if one.kind == "booking" or one.kind == "block":
                key: Key = (one.kind, one.record_id)
                self._waiting[key] = (*self._waiting.get(key, ()), one)
            elif one.kind == "room":
                self._waiting_rooms[one.record_id] = (*self._waiting_rooms.get(one.record_id, ()), one)
        self._show_rooms()
        touched = {key: self._show(key) for key in {**before, **self._waiting}}
        touched.update(self._show_guests(named))
        return {key: bars for key, bars in touched.items() if bars}

    def _show_guests(self, guests: Iterable[int]) -> dict[Key, list[int]]:
        return {("booking", id_): self._show(("booking", id_)) for id_ in self.bookings_of_guests(guests)}

    def _covered(self, key: Key, occupancy: Occupancy) -> bool:
        """Whether something is shown instead of what is stored."""
        return key in self._waiting or occupancy.id in self._provisional or occupancy.guest_id in self._names

    # -- what is shown ---------------------------------------------------------------------------

    def _replace(self, key: Key, states: list[Occupancy], version: int | None) -> list[int]:
        known = self._seen.get(key, 0)
        version = max((state.version for state in states), default=version or known or 0)
        if known is None or version < known:
            return []
        self._seen[key] = version
        self._stored[key] = {state.id: state for state in states}
        for id_ in {*self._shown.get(key, ()), *self._stored[key]}:
            self._provisional.pop(id_, None)
        return self._show(key)

    def _show(self, key: Key) -> list[int]:
        """Draws up the bars of a record anew; those that appeared, changed or went."""
        bars: Iterable[Occupancy] = self._stored.get(key, {}).values()
        if waiting := self._waiting.get(key):
            bars = bars_with(bars, waiting, self._name_of)
        wanted = {}
        for bar in bars:
            shown = self._provisional.get(bar.id, bar)
            if (name := self._names.get(shown.guest_id or 0)) is not None:
                shown = replace(shown, last_name=name[0], first_name=name[1], queued=True)
            if shown.arrival < self.last and shown.departure > self.first:
                wanted[shown.id] = shown
        touched = [id_ for id_, bar in wanted.items() if self.occupancies.get(id_) != bar]
        gone = [id_ for id_ in self._shown.get(key, ()) if id_ not in wanted]
        for id_ in gone:
            self._remove(id_)
        for id_ in touched:
            self._put(wanted[id_])
        return [*touched, *gone]

    def _put(self, occupancy: Occupancy) -> None:
        self._remove(occupancy.id)
        self.occupancies[occupancy.id] = occupancy
        insort(self._by_room.setdefault(occupancy.room_id, []), occupancy, key=_order)
        self._shown.setdefault(_key(occupancy), set()).add(occupancy.id)

    def _remove(self, occupancy_id: int) -> None:
        known = self.occupancies.pop(occupancy_id, None)
        if known is None:
            return
        self._by_room[known.room_id].remove(known)
        self._shown[_key(known)].discard(occupancy_id)


def _key(occupancy: Occupancy) -> Key:
    return ("block", occupancy.id) if occupancy.booking_id is None else ("booking", occupancy.booking_id)


def _order(occupancy: Occupancy) -> tuple[date, date, int]:
    return occupancy.arrival, occupancy.departure, occupancy.id
