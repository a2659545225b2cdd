"""Layout of the occupancy chart: columns, lanes, rows, totals."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dpolg_tui.domain.chart import (
    UNASSIGNED_GROUP,
    ZOOMS,
    Grouping,
    RowKey,
    Window,
    bars_of,
    build_rows,
    lanes_of,
    room_key,
    totals_of,
)
from dpolg_tui.domain.models import Kind, Occupancy, Room, Status

FIRST = date(2026, 11, 1)


def room(room_id: int, name: str = "", place: str = "Brannenburg", **values: object) -> Room:
    base: dict[str, object] = {
        "category": "DZ",
        "building": "Haupthaus",
        "capacity": 2,
        "price_low": Decimal(45),
        "price_high": Decimal(60),
        "final_cleaning_fee": Decimal(30),
    }
    return Room(room_id, name or str(room_id), place=place, **(base | values))  # type: ignore[arg-type]


def stay(number: int, room_id: int | None, start: int, nights: int, block: bool = False) -> Occupancy:
    arrival = FIRST + timedelta(days=start)
    departure = arrival + timedelta(days=nights)
    if block:
        return Occupancy(number, room_id, arrival, departure, Kind.OUT_OF_ORDER)
    return Occupancy(
        number, room_id, arrival, departure, Kind.STAY, booking_id=number, status=Status.CONFIRMED
    )


@st.composite
def one_room(draw: st.DrawFn, room_id: int = 1, first_number: int = 1) -> list[Occupancy]:
    """Occupancies of a room that exclude each other, many turning over on one day."""
    day, found = draw(st.integers(-30, 0)), []
    for number in range(draw(st.integers(0, 12))):
        day += draw(st.sampled_from((0, 0, 0, 1, 4)))
        nights = draw(st.integers(1, 40))
        found.append(stay(first_number + number, room_id, day, nights, draw(st.booleans())))
        day += nights
    return found


windows = st.builds(
    lambda start, width, zoom: Window(FIRST + timedelta(days=start), width, zoom),
    st.integers(-40, 40),
    st.integers(1, 200),
    st.sampled_from(ZOOMS),
)


@given(one_room(), windows)
def test_bars_of_a_room_never_overlap_and_run_from_left_to_right(
    occupancies: list[Occupancy], window: Window
) -> None:
    bars = bars_of(occupancies, window)
    assert all(0 <= bar.start < bar.end <= window.width for bar in bars)
    assert all(one.end <= other.start for one, other in pairwise(bars))


@given(one_room(), st.integers(0, 30), st.integers(1, 30), windows)
def test_a_bar_that_waits_to_be_sent_may_overlap_another_and_breaks_no_line(
    occupancies: list[Occupancy], day: int, nights: int, window: Window
) -> None:
    waits = replace(stay(-1, 1, day, nights), queued=True)
    bars = bars_of([*occupancies, waits], window)
    assert all(0 <= bar.start < bar.end <= window.width for bar in bars)
    assert all(one.end <= other.start for one, other in pairwise(bars))


@given(one_room(), windows)
def test_a_bar_is_as_wide_as_its_nights_unless_the_window_cuts_it(
    occupancies: list[Occupancy], window: Window
) -> None:
    for bar in bars_of(occupancies, window):
        full = bar.occupancy.nights * window.zoom
        assert (bar.width == full) is not (bar.cut_left or bar.cut_right)
        assert bar.width <= full


@given(st.sampled_from(ZOOMS), st.integers(1, 20), st.integers(1, 20))
def test_a_turnover_touches_in_the_middle_of_the_day(zoom: int, before: int, after: int) -> None:
    window = Window(FIRST, 60 * zoom, zoom)
    left, right = bars_of([stay(1, 1, 2, before), stay(2, 1, 2 + before, after)], window)
    day_start, day_end = window.day_columns(left.occupancy.departure)
    assert left.end == right.start == (day_start + day_end) // 2


@given(windows, st.integers(-50, 250))
def test_what_is_clicked_is_what_is_drawn_there(window: Window, column: int) -> None:
    night = window.night_at(column)
    start, end = window.span(night, night + timedelta(days=1))
    assert start <= column < end
    day_start, day_end = window.day_columns(window.day_at(column))
    assert day_start <= column < day_end


@given(windows)
def test_a_window_knows_its_days(window: Window) -> None:
    assert window.day_columns(window.last)[0] < window.width
    assert window.day_columns(window.last)[1] >= window.width
    assert window.whole_days <= window.days


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20)), max_size=25))
def test_lanes_hold_everything_once_without_overlap_and_are_as_few_as_possible(
    spans: list[tuple[int, int]],
) -> None:
    stays = [stay(number, None, start, nights) for number, (start, nights) in enumerate(spans)]
    lanes = lanes_of(stays)
    assert sorted(it.id for lane in lanes for it in lane) == [it.id for it in stays]
    for lane in lanes:
        assert all(a.departure <= b.arrival for a, b in pairwise(lane))
    crowd = max((sum(a.arrival <= b.arrival < a.departure for a in stays) for b in stays), default=0)
    assert len(lanes) == crowd


@given(st.data())
def test_free_and_taken_are_all_open_rooms(data: st.DataObject) -> None:
    retired = st.none() | st.integers(-5, 40).map(lambda days: FIRST + timedelta(days=days))
    rooms = [
        room(number, retired_from=data.draw(retired)) for number in range(1, data.draw(st.integers(1, 5)) + 1)
    ]
    occupancies = [it for one in rooms for it in data.draw(one_room(one.id, one.id * 100))]
    occupancies.append(stay(9999, None, 3, 4))
    days = 35
    for index, totals in enumerate(totals_of(rooms, occupancies, FIRST, days)):
        night = FIRST + timedelta(days=index)
        still_open = {it.id for it in rooms if it.retired_from is None or it.retired_from > night}
        taken = {
            it.room_id
            for it in occupancies
            if it.room_id in still_open and it.arrival <= night < it.departure
        }
        assert (totals.rooms, totals.taken) == (len(still_open), len(taken))
        assert totals.free + totals.taken == totals.rooms
        guests = [it for it in occupancies if not it.is_block]
        assert totals.arrivals == sum(it.arrival == night for it in guests)
        assert totals.departures == sum(it.departure == night for it in guests)


def test_rows_stand_by_place_and_building_in_natural_order() -> None:
    rooms = [
        room(1, "10 Wendelstein"),
        room(2, "2 Zugspitze"),
        room(3, "1", place="Lenggries", building=None),
        room(4, "3", building="Nebenhaus"),
        room(5, "1", place="Ägidien"),
    ]
    rows = build_rows(rooms)
    assert [row.label for row in rows] == [
        "Haupthaus · Ägidien",
        "1",
        "Haupthaus · Brannenburg",
        "2 Zugspitze",
        "10 Wendelstein",
        "Nebenhaus · Brannenburg",
        "3",
        "Lenggries",
        "1",
        "Ohne Zimmer",
        "",
    ]


def test_rows_by_category_folded_and_with_lanes() -> None:
    rooms = [room(1, category="EZ"), room(2, category="DZ"), room(3, category="DZ")]
    folded = RowKey("group", "Brannenburg\0DZ")
    rows = build_rows(rooms, grouping=Grouping.CATEGORY, folded=frozenset([folded]), lanes=3)
    assert [(row.label, row.rooms, row.folded) for row in rows if row.is_group] == [
        ("DZ · Brannenburg", 2, True),
        ("EZ · Brannenburg", 1, False),
        ("Ohne Zimmer", 0, False),
    ]
    assert [row.key for row in rows if row.room] == [room_key(1)]
    assert sum(row.is_lane for row in rows) == 3
    assert not any(row.is_lane for row in build_rows(rooms, folded=frozenset([UNASSIGNED_GROUP]), lanes=3))
