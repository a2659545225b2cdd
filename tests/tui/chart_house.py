"""A generated house for the chart's tests, and an app with nothing but the chart."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.message import Message
from textual.pilot import Pilot

import dpolg_tui.tui
from dpolg_tui.domain.models import Kind, Occupancy, Room, Status
from dpolg_tui.tui.widgets.chart import OccupancyChart

TODAY = date(2026, 11, 21)
STYLES = Path(dpolg_tui.tui.__file__).parent / "styles" / "chart.tcss"
PLACES = (("Brannenburg", "Haupthaus"), ("Brannenburg", "Nebenhaus"), ("Lenggries", None))
NAMES = ("Huber", "Yılmaz", "Müller-Lüdenscheidt", "Wójcik", "Groß")


def a_room(room_id: int, name: str | None = None, **values: object) -> Room:
    """A room with plausible values."""
    place, building = PLACES[room_id % len(PLACES)]
    base = {
        "category": "DZ",
        "building": building,
        "place": place,
        "capacity": 2,
        "price_low": Decimal("45.00"),
        "price_high": Decimal("60.00"),
        "final_cleaning_fee": Decimal("30.00"),
    }
    return Room(room_id, name or f"Zimmer {room_id}", **(base | values))  # type: ignore[arg-type]


def a_stay(stay_id: int, room_id: int | None, arrival: date, nights: int = 3, **values: object) -> Occupancy:
    """A confirmed stay."""
    base = {
        "booking_id": stay_id,
        "number": f"2026-{stay_id}",
        "status": Status.CONFIRMED,
        "guest_id": stay_id,
        "last_name": NAMES[stay_id % len(NAMES)],
        "first_name": "Eva",
        "persons": 2,
    }
    kind = values.pop("kind", Kind.STAY)
    return Occupancy(
        stay_id,
        room_id,
        arrival,
        arrival + timedelta(days=nights),
        kind,
        **(base | values),  # type: ignore[arg-type]
    )


class House:
    """Occupancies by room, as the store keeps them."""

    def __init__(self, first: date, last: date, occupancies: Iterable[Occupancy] = ()) -> None:
        self.first, self.last = first, last
        self.occupancies: dict[int, Occupancy] = {}
        self._rooms: dict[int | None, list[Occupancy]] = defaultdict(list)
        for occupancy in occupancies:
            self.put(occupancy)

    def put(self, occupancy: Occupancy) -> None:
        """Adds or replaces one."""
        self.drop(occupancy.id)
        self.occupancies[occupancy.id] = occupancy
        lane = self._rooms[occupancy.room_id]
        lane.append(occupancy)
        lane.sort(key=lambda it: it.arrival)

    def drop(self, occupancy_id: int) -> None:
        """Removes one."""
        before = self.occupancies.pop(occupancy_id, None)
        if before is not None:
            self._rooms[before.room_id].remove(before)

    def in_room(self, room_id: int | None, first: date, last: date) -> Sequence[Occupancy]:
        lane = self._rooms.get(room_id, [])
        start = bisect_left(lane, first - timedelta(days=365), key=lambda it: it.arrival)
        found = []
        for occupancy in lane[start:]:
            if occupancy.arrival >= last:
                break
            if occupancy.departure > first:
                found.append(occupancy)
        return found


def generated(rooms: int, days: int, seed: int = 1) -> tuple[list[Room], House]:
    """A full house around today with turnovers, gaps, blocks and unassigned stays."""
    chance = random.Random(seed)
    first = TODAY - timedelta(days=days // 2)
    house = House(first, first + timedelta(days=days))
    number = 0
    for room_id in [*range(1, rooms + 1), None, None]:
        day = first
        while day < house.last:
            day += timedelta(days=chance.choice((0, 0, 1, 2)) if room_id else chance.randrange(5, 40))
            nights = chance.randrange(1, 9)
            number += 1
            if room_id and chance.random() < 0.05:
                house.put(
                    Occupancy(
                        number, room_id, day, day + timedelta(days=nights), Kind.OUT_OF_ORDER, "Heizung"
                    )
                )
            else:
                status = chance.choice([status for status in Status if status is not Status.CANCELLED])
                house.put(
                    a_stay(
                        number,
                        room_id,
                        day,
                        nights,
                        status=status,
                        foundation_case=chance.random() < 0.1,
                        has_notes=chance.random() < 0.2,
                        persons=chance.randrange(1, 5),
                    )
                )
            day += timedelta(days=nights)
    return [a_room(room_id) for room_id in range(1, rooms + 1)], house


class CountingChart(OccupancyChart):
    """Counts the lines that are drawn."""

    drawn: ClassVar[list[int]] = []

    def render_line(self, y: int):  # type: ignore[no-untyped-def]
        self.drawn.append(y)
        return super().render_line(y)


class ChartApp(App[None]):
    """Nothing but a chart; keeps what it posts."""

    CSS_PATH = STYLES

    def __init__(self, rooms: Sequence[Room], house: House) -> None:
        super().__init__()
        self.rooms, self.house = rooms, house
        self.posted: list[Message] = []

    def compose(self) -> ComposeResult:
        yield CountingChart(today=TODAY, id="chart")

    @property
    def chart(self) -> CountingChart:
        return self.screen.query_one(CountingChart)

    def on_mount(self) -> None:
        self.chart.set_rooms(self.rooms)
        self.chart.set_source(self.house)
        self.chart.focus()

    def _keep(self, message: Message) -> None:
        self.posted.append(message)

    on_occupancy_chart_open_requested = _keep
    on_occupancy_chart_create_requested = _keep
    on_occupancy_chart_move_requested = _keep
    on_occupancy_chart_range_marked = _keep
    on_chart_view_window_changed = _keep
    on_chart_view_cursor_moved = _keep

    def of(self, kind: type[Message]) -> list[Message]:
        """What was posted of a kind."""
        return [message for message in self.posted if isinstance(message, kind)]

    def lines(self) -> list[str]:
        """The picture as text, drawn fresh."""
        chart = self.chart
        return [OccupancyChart.render_line(chart, y).text for y in range(chart.size.height)]


def small_house(*occupancies: Occupancy, rooms: int = 6) -> ChartApp:
    """A few rooms and what stands in them."""
    half_a_year = timedelta(days=200)
    house = House(TODAY - half_a_year, TODAY + half_a_year, occupancies)
    return ChartApp([a_room(number) for number in range(1, rooms + 1)], house)


async def settle(pilot: Pilot[None]) -> None:
    """Everything is drawn."""
    await pilot.pause()
    await pilot.pause()
