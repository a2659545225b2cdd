"""Layout of the occupancy chart: rows, lanes, columns of bars, totals. Pure arithmetic.

A day is ``zoom`` columns wide and has two halves. A stay begins in the second half of its arrival
day and ends in the first half of its departure day, so that two stays that turn over on one day
touch without overlapping. A *night* is therefore drawn from the middle of its day to the middle
of the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from itertools import accumulate

from dpolg_tui.domain.german import natural_key
from dpolg_tui.domain.models import Occupancy, Room

ZOOMS = (2, 4, 6)
"""Columns a day, from far to near."""

PAST_DAYS = 2
"""Days that stay in sight left of today."""

ONE_DAY = timedelta(days=1)


class Grouping(StrEnum):
    """What the rooms of a place are grouped by."""

    BUILDING = "building"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class RowKey:
    """Names a row for good, whatever is inserted above it: of a group, a room or a lane."""

    kind: str
    """``group``, ``room`` or ``lane``."""
    name: str = ""
    number: int = 0


def room_key(room_id: int) -> RowKey:
    """The key of a room's row."""
    return RowKey("room", number=room_id)


def lane_key(lane: int) -> RowKey:
    """The key of a line of the unassigned lane."""
    return RowKey("lane", number=lane)


UNASSIGNED_GROUP = RowKey("group", "\0unassigned")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the chart's body."""

    key: RowKey
    label: str
    group: RowKey
    """The group it belongs to; of a group row its own key."""
    room: Room | None = None
    rooms: int = 0
    """How many rooms a group holds."""
    folded: bool = False

    @property
    def is_group(self) -> bool:
        return self.key.kind == "group"

    @property
    def is_lane(self) -> bool:
        return self.key.kind == "lane"

    @property
    def room_id(self) -> int | None:
        return self.room.id if self.room else None


def is_retired(room: Room, night: date) -> bool:
    """Whether the room is out of service for good on that night."""
    return room.retired_from is not None and room.retired_from <= night


def group_label(room: Room, grouping: Grouping) -> str:
    """Heading of the group a room stands in: building or category, then the place."""
    part = room.category if grouping is Grouping.CATEGORY else room.building
    return f"{part} · {room.place}" if part else room.place


def build_rows(
    rooms: Iterable[Room],
    *,
    grouping: Grouping = Grouping.BUILDING,
    folded: frozenset[RowKey] = frozenset(),
    lanes: int = 1,
) -> tuple[Row, ...]:
    """Rows from top to bottom: groups in natural order with their rooms, then the unassigned lane.

    The lane has at least one line, as a place to move a stay to.
    """
    groups: dict[tuple[str, str], list[Room]] = {}
    for room in rooms:
        part = room.category if grouping is Grouping.CATEGORY else room.building or ""
        groups.setdefault((room.place, part), []).append(room)
    rows: list[Row] = []
    for place, part in sorted(groups, key=lambda it: (natural_key(it[0]), natural_key(it[1]))):
        members = sorted(groups[place, part], key=lambda room: (natural_key(room.name), room.id))
        key = RowKey("group", f"{place}\0{part}")
        is_folded = key in folded
        rows.append(Row(key, group_label(members[0], grouping), key, rooms=len(members), folded=is_folded))
        if not is_folded:
            rows.extend(Row(room_key(room.id), room.name, key, room=room) for room in members)
    is_folded = UNASSIGNED_GROUP in folded
    rows.append(Row(UNASSIGNED_GROUP, "Ohne Zimmer", UNASSIGNED_GROUP, folded=is_folded))
    if not is_folded:
        rows.extend(Row(lane_key(lane), "", UNASSIGNED_GROUP) for lane in range(max(1, lanes)))
    return tuple(rows)


def lanes_of(occupancies: Iterable[Occupancy]) -> list[list[Occupancy]]:
    """Spreads stays that may overlap over as few lines as they need, earliest first."""
    lanes: list[list[Occupancy]] = []
    for occupancy in sorted(occupancies, key=lambda it: (it.arrival, it.departure, it.id)):
        for lane in lanes:
            if lane[-1].departure <= occupancy.arrival:
                lane.append(occupancy)
                break
        else:
            lanes.append([occupancy])
    return lanes


@dataclass(frozen=True, slots=True)
class Window:
    """The days in sight: from ``first`` on, as many as ``width`` columns show."""

    first: date
    width: int
    zoom: int

    @property
    def half(self) -> int:
        return self.zoom // 2

    @property
    def days(self) -> int:
        """Days of which at least one column is in sight."""
        return max(1, -(-self.width // self.zoom))

    @property
    def whole_days(self) -> int:
        """Days that are in sight in full."""
        return max(1, self.width // self.zoom)

    @property
    def last(self) -> date:
        """The last day in sight."""
        return self.first + timedelta(days=self.days - 1)

    def day(self, index: int) -> date:
        return self.first + timedelta(days=index)

    def day_columns(self, day: date) -> tuple[int, int]:
        """Columns of a day, not cropped to the window."""
        start = (day - self.first).days * self.zoom
        return start, start + self.zoom

    def span(self, arrival: date, departure: date) -> tuple[int, int]:
        """Columns of the nights from arrival to departure, not cropped to the window."""
        return (
            (arrival - self.first).days * self.zoom + self.half,
            (departure - self.first).days * self.zoom + self.half,
        )

    def crop(self, start: int, end: int) -> tuple[int, int]:
        return max(0, start), min(self.width, end)

    def day_at(self, column: int) -> date:
        """The day at a column: what the header shows there."""
        return self.first + timedelta(days=column // self.zoom)

    def night_at(self, column: int) -> date:
        """The day whose night is drawn at a column: what a click there means."""
        return self.first + timedelta(days=(column - self.half) // self.zoom)

    def shows_night(self, night: date) -> bool:
        """Whether the night is in sight in full."""
        start, end = self.span(night, night + ONE_DAY)
        return start >= 0 and end <= self.width


@dataclass(frozen=True, slots=True)
class Bar:
    """Columns of an occupancy inside a window; ``cut_*``: it goes on outside."""

    occupancy: Occupancy
    start: int
    end: int
    cut_left: bool = False
    cut_right: bool = False

    @property
    def width(self) -> int:
        return self.end - self.start


def bars_of(occupancies: Iterable[Occupancy], window: Window) -> list[Bar]:
    """The bars of one row from left to right. What is out of sight is left out.

    Two can share a night only while one of them waits to be sent: the earlier one is drawn over it.
    """
    bars: list[Bar] = []
    taken = 0
    for occupancy in sorted(occupancies, key=lambda it: (it.arrival, it.id)):
        start, end = window.span(occupancy.arrival, occupancy.departure)
        left, right = window.crop(start, end)
        left = max(left, taken)
        if left < right:
            bars.append(Bar(occupancy, left, right, start < left, end > right))
            taken = right
    return bars


@dataclass(frozen=True, slots=True)
class DayTotals:
    """Figures of one day: rooms of the coming night, and who comes and goes."""

    rooms: int
    taken: int
    arrivals: int
    departures: int

    @property
    def free(self) -> int:
        return self.rooms - self.taken


def totals_of(
    rooms: Sequence[Room], occupancies: Iterable[Occupancy], first: date, days: int
) -> list[DayTotals]:
    """Totals of each day from ``first`` on.

    ``occupancies`` are those of the rooms and the unassigned ones. A block takes a room but
    neither arrives nor departs; a stay without room arrives but takes none; a retired room counts
    neither as free nor as taken.
    """
    retired: dict[int, date | None] = {}
    steps_open, steps_taken = [0] * (days + 1), [0] * (days + 1)
    for room in rooms:
        retired[room.id] = room.retired_from
        end = days if room.retired_from is None else min(days, (room.retired_from - first).days)
        if end > 0:
            steps_open[0] += 1
            steps_open[end] -= 1
    arrivals, departures = [0] * days, [0] * days
    for occupancy in occupancies:
        start = (occupancy.arrival - first).days
        end = (occupancy.departure - first).days
        if not occupancy.is_block:
            if 0 <= start < days:
                arrivals[start] += 1
            if 0 <= end < days:
                departures[end] += 1
        if occupancy.room_id is None or occupancy.room_id not in retired:
            continue
        retired_from = retired[occupancy.room_id]
        if retired_from is not None:
            end = min(end, (retired_from - first).days)
        start, end = max(0, start), min(days, end)
        if start < end:
            steps_taken[start] += 1
            steps_taken[end] -= 1
    figures = zip(accumulate(steps_open), accumulate(steps_taken), arrivals, departures, strict=False)
    return [DayTotals(*figure) for figure in figures]
