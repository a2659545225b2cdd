"""The desk's live copy of what the chart shows: rooms, and the occupancies of a window of days."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from datetime import date

from dpolg_tui.domain.models import Occupancy, Room, User


class Store:
    """Rooms and the active occupancies that touch [first, last).

    A state of a booking is taken over only if it is not older than the one already seen, so that
    answers, notifications and loads may arrive in any order.
    """

    def __init__(self) -> None:
        self.rooms: dict[int, Room] = {}
        self.colleagues: dict[int, User] = {}
        self.occupancies: dict[int, Occupancy] = {}
        self.first: date = date.min
        self.last: date = date.min
        self._by_room: dict[int | None, list[Occupancy]] = {}
        self._of_booking: dict[int, set[int]] = {}
        # Newest version seen of a booking (positive id) or block (negative id); None: it is gone for good.
        self._seen: dict[int, int | None] = {}
        # Bars shown where an own change wants them, not answered yet: as stored, as shown.
        self._provisional: dict[int, tuple[Occupancy, Occupancy]] = {}

    def in_room(self, room_id: int | None, first: date, last: date) -> list[Occupancy]:
        """Occupancies of a room (None: unassigned) that touch a night of [first, last), by arrival."""
        return [
            found
            for found in self._by_room.get(room_id, ())
            if found.arrival < last and found.departure > first
        ]

    def of_booking(self, booking_id: int) -> list[Occupancy]:
        """The bars of a booking in the window, by arrival."""
        found = [self.occupancies[id_] for id_ in self._of_booking.get(booking_id, ())]
        return sorted(found, key=_order)

    def bookings_of_guests(self, guests: Iterable[int]) -> set[int]:
        """Bookings in the window whose bar bears the name of one of these guests."""
        wanted = set(guests)
        return {
            found.booking_id
            for found in self.occupancies.values()
            if found.booking_id is not None and found.guest_id in wanted
        }

    def covers(self, first: date, last: date) -> bool:
        return self.first <= first and last <= self.last

    def begin_window(self, first: date, last: date) -> None:
        """Forget all occupancies and show this window from now on."""
        self.first, self.last = first, last
        self.occupancies.clear()
        self._by_room.clear()
        self._of_booking.clear()

    def extend_window(self, first: date, last: date) -> None:
        self.first, self.last = min(self.first, first), max(self.last, last)

    def forget_versions(self) -> None:
        """After a restore of the database versions may be lower than those seen."""
        self._seen.clear()

    def add_loaded(self, loaded: Iterable[Occupancy]) -> None:
        """Rows of a window read: whatever is known in a newer state stays as it is."""
        for occupancy in loaded:
            known = self._seen.get(_key(occupancy), 0)
            if known is None or known > occupancy.version:
                continue
            self._seen[_key(occupancy)] = occupancy.version
            stood, shown = self._provisional.get(occupancy.id, (None, occupancy))
            if stood is not None and stood.version != occupancy.version:
                del self._provisional[occupancy.id]
                shown = occupancy
            self._put(shown)

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
        by_key: dict[int, list[Occupancy]] = {id_: [] for id_ in bookings}
        by_key.update({-id_: [] for id_ in blocks})
        for occupancy in fresh:
            by_key.setdefault(_key(occupancy), []).append(occupancy)
        touched: list[int] = []
        for key, states in by_key.items():
            touched += self._replace(key, states, version)
        return tuple(touched)

    def forget(self, *, booking_id: int | None = None, block_id: int | None = None) -> tuple[int, ...]:
        """A record was deleted: rows read before that must not bring it back."""
        key = booking_id if booking_id is not None else -(block_id or 0)
        touched = self._replace(key, [], None)
        self._seen[key] = None
        return tuple(touched)

    def put_provisionally(self, occupancy: Occupancy) -> None:
        """Show an own change before the database has answered."""
        stood, _ = self._provisional.get(occupancy.id, (self.occupancies.get(occupancy.id), None))
        self._put(occupancy)
        if stood is not None:
            self._provisional[occupancy.id] = (stood, occupancy)

    def take_back(self, occupancy_id: int) -> bool:
        """Show a bar as it is stored, unless something newer has arrived meanwhile."""
        stood, _ = self._provisional.pop(occupancy_id, (None, None))
        if stood is None or occupancy_id not in self.occupancies:
            return False
        self._put(stood)
        return True

    def _replace(self, key: int, states: list[Occupancy], version: int | None) -> list[int]:
        known = self._seen.get(key, 0)
        version = max((state.version for state in states), default=version or known or 0)
        if known is None or version < known:
            return []
        self._seen[key] = version
        current = set(self._of_booking.get(key, ())) if key > 0 else {-key} & self.occupancies.keys()
        wanted = {state.id: state for state in states if self._in_window(state)}
        touched = [id_ for id_, state in wanted.items() if self.occupancies.get(id_) != state]
        gone = current - wanted.keys()
        for id_ in current | wanted.keys():
            self._provisional.pop(id_, None)
        for id_ in gone:
            self._remove(id_)
        for id_ in touched:
            self._put(wanted[id_])
        return [*touched, *gone]

    def _in_window(self, occupancy: Occupancy) -> bool:
        return occupancy.arrival < self.last and occupancy.departure > self.first

    def _put(self, occupancy: Occupancy) -> None:
        self._remove(occupancy.id)
        self.occupancies[occupancy.id] = occupancy
        insort(self._by_room.setdefault(occupancy.room_id, []), occupancy, key=_order)
        if occupancy.booking_id is not None:
            self._of_booking.setdefault(occupancy.booking_id, set()).add(occupancy.id)

    def _remove(self, occupancy_id: int) -> None:
        known = self.occupancies.pop(occupancy_id, None)
        if known is None:
            return
        self._by_room[known.room_id].remove(known)
        if known.booking_id is not None:
            self._of_booking[known.booking_id].discard(occupancy_id)


def _key(occupancy: Occupancy) -> int:
    return -occupancy.id if occupancy.booking_id is None else occupancy.booking_id


def _order(occupancy: Occupancy) -> tuple[date, date, int]:
    return occupancy.arrival, occupancy.departure, occupancy.id
