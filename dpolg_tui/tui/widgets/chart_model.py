"""What the occupancy chart shows: rows of rooms and lanes, who is where, totals. Draws nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from dpolg_tui.domain.chart import (
    ONE_DAY,
    DayTotals,
    Grouping,
    Row,
    RowKey,
    Window,
    build_rows,
    is_retired,
    lane_key,
    lanes_of,
    room_key,
    totals_of,
)
from dpolg_tui.domain.models import Occupancy, Room


class OccupancySource(Protocol):
    """Where the chart reads: the desk's store, or anything like it."""

    @property
    def occupancies(self) -> Mapping[int, Occupancy]:
        """All that are loaded, by id."""

    @property
    def first(self) -> date:
        """First loaded day."""

    @property
    def last(self) -> date:
        """The day after the last loaded night."""

    def in_room(self, room_id: int | None, first: date, last: date) -> Sequence[Occupancy]:
        """Those of a room (or without one) that take a night of [first, last), by arrival."""


class EmptySource:
    """Nothing is loaded yet."""

    occupancies: Mapping[int, Occupancy] = {}
    first = date.min
    last = date.min

    def in_room(self, room_id: int | None, first: date, last: date) -> Sequence[Occupancy]:  # noqa: ARG002
        """Nothing."""
        return ()


@dataclass(frozen=True, slots=True)
class ChartFilter:
    """Which rooms are shown, which stays stand out, and the words for it."""

    label: str
    rooms: Callable[[Room], bool] | None = None
    occupancies: Callable[[Occupancy], bool] | None = None


@dataclass(frozen=True, slots=True)
class Touched:
    """What a change means for the picture."""

    rows: frozenset[RowKey]
    layout: bool
    """Rows were added or removed."""


class ChartModel:
    """Rooms and occupancies arranged as rows. Rows keep their keys, so places survive a change."""

    def __init__(self) -> None:
        self.source: OccupancySource = EmptySource()
        self.rooms: dict[int, Room] = {}
        self.shown_rooms: list[Room] = []
        self.grouping = Grouping.BUILDING
        self.folded: frozenset[RowKey] = frozenset()
        self.filter: ChartFilter | None = None
        self.rows: tuple[Row, ...] = ()
        self.index: dict[RowKey, int] = {}
        self.lanes: list[list[Occupancy]] = []
        self._seen_in: dict[int, RowKey] = {}
        self._totals: tuple[date, int, list[DayTotals]] | None = None

    # Rows

    def rebuild(self, first: date) -> bool:
        """Arranges the rows anew; rooms retired by ``first`` are left out. True if they changed."""
        self._totals = None
        self.lanes = self._unassigned_lanes()
        self.shown_rooms = [room for room in self.rooms.values() if self._is_shown(room, first)]
        rows: tuple[Row, ...] = ()
        if self.rooms:
            rows = build_rows(
                self.shown_rooms, grouping=self.grouping, folded=self.folded, lanes=len(self.lanes)
            )
        changed = rows != self.rows
        self.rows = rows
        self.index = {row.key: number for number, row in enumerate(rows)}
        return changed

    def retirements_between(self, one: date, other: date) -> bool:
        """Whether rooms come or go when the window starts at another day."""
        return any(is_retired(room, one) != is_retired(room, other) for room in self.rooms.values())

    def _is_shown(self, room: Room, first: date) -> bool:
        if is_retired(room, first):
            return False
        return self.filter is None or self.filter.rooms is None or self.filter.rooms(room)

    def _unassigned_lanes(self) -> list[list[Occupancy]]:
        return lanes_of(self.source.in_room(None, self.source.first, self.source.last))

    def row(self, key: RowKey) -> Row | None:
        """The row of a key, if it is there."""
        number = self.index.get(key)
        return None if number is None else self.rows[number]

    def stops(self) -> list[int]:
        """Rows that a cursor can stand on: all but the headings of open groups."""
        return [number for number, row in enumerate(self.rows) if not row.is_group or row.folded]

    # Occupancies

    def occupancies_of(self, row: Row, window: Window) -> Sequence[Occupancy]:
        """What is drawn in a row, at least all that the window shows."""
        if row.is_lane:
            lane = row.key.number
            found: Sequence[Occupancy] = self.lanes[lane] if lane < len(self.lanes) else ()
        elif row.room is not None:
            found = self.source.in_room(row.room.id, window.first - ONE_DAY, window.last + ONE_DAY)
        else:
            found = ()
        for occupancy in found:
            self._seen_in[occupancy.id] = row.key
        return found

    def at(self, row: Row, night: date) -> Occupancy | None:
        """Who has the room in the night after that day."""
        for occupancy in self._near(row, night):
            if occupancy.arrival <= night < occupancy.departure:
                return occupancy
        return None

    def departing(self, row: Row, day: date) -> Occupancy | None:
        """Who leaves the room on that day."""
        return next((it for it in self._near(row, day) if it.departure == day), None)

    def _near(self, row: Row, day: date) -> Sequence[Occupancy]:
        if row.is_lane:
            return self.lanes[row.key.number] if row.key.number < len(self.lanes) else ()
        if row.room is None:
            return ()
        return self.source.in_room(row.room.id, day - ONE_DAY, day + ONE_DAY)

    def in_the_way(
        self, room_id: int | None, arrival: date, departure: date, moving: int | None = None
    ) -> list[Occupancy]:
        """Who has the room in those nights, apart from the one that is being moved."""
        if room_id is None:
            return []
        return [
            it
            for it in self.source.in_room(room_id, arrival, departure)
            if it.id != moving and it.arrival < departure and arrival < it.departure
        ]

    def is_known(self, day: date) -> bool:
        """Whether the occupancies of that day are loaded."""
        return self.source.first <= day < self.source.last

    def place_of(self, occupancy: Occupancy) -> RowKey | None:
        """The row of an occupancy, also if it is folded away or filtered out."""
        if occupancy.room_id is not None:
            return room_key(occupancy.room_id)
        for number, lane in enumerate(self.lanes):
            if any(it.id == occupancy.id for it in lane):
                return lane_key(number)
        return None

    def drawn_in(self, occupancy_id: int) -> RowKey | None:
        """The row in which an occupancy was last drawn."""
        return self._seen_in.get(occupancy_id)

    def changed(self, ids: Iterable[int], first: date) -> Touched:
        """Occupancies were added, changed or removed: the rows to draw again."""
        rows: set[RowKey] = set()
        in_lanes = {it.id for lane in self.lanes for it in lane}
        unassigned = False
        for occupancy_id in ids:
            before = self._seen_in.pop(occupancy_id, None)
            now = self.source.occupancies.get(occupancy_id)
            if before is not None:
                rows.add(before)
            if now is not None and now.room_id is not None:
                rows.add(room_key(now.room_id))
            if occupancy_id in in_lanes or (now is not None and now.room_id is None):
                unassigned = True
        layout = False
        if unassigned:
            old = self.lanes
            layout = self.rebuild(first)
            for number in range(max(len(old), len(self.lanes))):
                if old[number : number + 1] != self.lanes[number : number + 1]:
                    rows.add(lane_key(number))
        self._totals = None
        return Touched(frozenset(rows), layout)

    def totals(self, window: Window) -> list[DayTotals]:
        """The figures of every day in sight, of the rooms that are shown."""
        cached = self._totals
        if cached is not None and cached[0] == window.first and cached[1] >= window.days:
            return cached[2]
        last = window.last + timedelta(days=1)
        occupancies: list[Occupancy] = []
        for room in self.shown_rooms:
            occupancies.extend(self.source.in_room(room.id, window.first - ONE_DAY, last))
        for lane in self.lanes:
            occupancies.extend(lane)
        totals = totals_of(self.shown_rooms, occupancies, window.first, window.days)
        self._totals = (window.first, window.days, totals)
        return totals
