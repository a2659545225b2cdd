"""The occupancy chart on its own: cursor, marks, moving, mouse, and how little is drawn again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from dpolg_tui.domain.chart import ZOOMS, Grouping, RowKey, lane_key, room_key
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.tui.widgets.chart import OccupancyChart
from dpolg_tui.tui.widgets.chart_model import ChartFilter
from dpolg_tui.tui.widgets.chart_text import bar_text, cut, fit, plain
from tests.tui.chart_house import TODAY, ChartApp, House, a_room, a_stay, generated

DAY = timedelta(days=1)
HOSTILE = [
    "Müller [VIP]",
    "[/b]",
    "[link=x]Å",
    "👨‍👩‍👧‍👦 Familie",
    "王小明",
    "N" * 500,
    "Zeile\nzwei\tdrei\x1b[31m",
    "\u202eumgekehrt",
    "",
]


def small_house(*occupancies: Occupancy, rooms: int = 6) -> ChartApp:
    """A few rooms and what stands in them."""
    house = House(TODAY - 200 * DAY, TODAY + 200 * DAY, occupancies)
    return ChartApp([a_room(number) for number in range(1, rooms + 1)], house)


async def settle(pilot: Pilot[None]) -> None:
    """Everything is drawn."""
    await pilot.pause()
    await pilot.pause()


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("width", [0, 1, 2, 3, 5, 8, 13, 40])
def test_a_bar_is_exactly_as_wide_as_it_should_be(name: str, width: int) -> None:
    stay = a_stay(1, 1, TODAY, last_name=name, foundation_case=True, has_notes=True, persons=4)
    assert cell_len(bar_text(stay, width, TODAY + 9 * DAY)) == width


def test_texts_are_cut_by_cells() -> None:
    assert cut("Müller", 4) == "Mül…"
    assert cut("王小明", 4) == "王…"
    assert fit("王小明", 4) == "王… "
    assert plain("a\n\tb\x1b[31m\u200d") == "a b[31m"


def test_a_bar_says_status_name_persons_and_at_most_three_glyphs() -> None:
    stay = a_stay(1, 1, TODAY - 5 * DAY, last_name="Huber", foundation_case=True, has_notes=True, persons=3)
    assert bar_text(stay, 20, TODAY) == "◆ Huber +2 !★≡      "
    assert bar_text(stay, 11, TODAY) == "◆ Huber !★≡"
    assert bar_text(stay, 9, TODAY) == "◆ Huber !"
    assert bar_text(stay, 8, TODAY) == "◆ Huber "
    assert bar_text(stay, 6, TODAY) == "◆ Hub…"
    block = Occupancy(2, 1, TODAY, TODAY + DAY, Kind.OUT_OF_ORDER, "Heizung")
    assert bar_text(block, 20, TODAY) == "╳ defekt: Heizung   "


# --- picture --------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (200, 60), (24, 7)])
async def test_every_line_fills_the_widget(size: tuple[int, int]) -> None:
    app = ChartApp(*generated(16, 200))
    async with app.run_test(size=size) as pilot:
        for zoom in ZOOMS:
            app.chart.set_zoom(zoom)
            await settle(pilot)
            assert {cell_len(line) for line in app.lines()} == {app.chart.inner_width}


async def test_turnovers_touch_and_arrows_show_what_goes_on() -> None:
    app = small_house(
        a_stay(1, 3, TODAY - 9 * DAY, 10, last_name="Alt"),
        a_stay(2, 3, TODAY + DAY, 4, last_name="Neu", status=Status.RESERVED),
        a_stay(3, 6, TODAY + 3 * DAY, 90, last_name="Lang", status=Status.RESERVED),
    )
    async with app.run_test() as pilot:
        await settle(pilot)
        line = next(line for line in app.lines() if "Neu" in line)
        assert "◀◆ Alt" in line
        assert "▌▐○ Neu +1      ▌" in line
        assert next(line for line in app.lines() if "Lang" in line).endswith("▶")


async def test_hostile_names_are_drawn_as_they_are() -> None:
    stays = [
        a_stay(n, 1 + n % 6, TODAY + n // 6 * 8 * DAY, 8, last_name=name) for n, name in enumerate(HOSTILE)
    ]
    rooms_too = small_house(*stays, a_stay(99, None, TODAY, last_name="[/b]"))
    rooms_too.rooms = [a_room(number, HOSTILE[number]) for number in range(1, 7)]
    async with rooms_too.run_test(size=(160, 30)) as pilot:
        await settle(pilot)
        lines = rooms_too.lines()
        assert {cell_len(line) for line in lines} == {160}
        assert any("Müller [VIP]" in line for line in lines)
        assert any("◆ [/b]" in line for line in lines)
        for key in ("right", "down", "down", "m", "right", "escape", "c", "c", "z", "t"):
            await pilot.press(key)
        rooms_too.chart.set_filter(ChartFilter("[/b]\n👪", None, lambda it: it.id == 1))
        await settle(pilot)


async def test_a_house_without_rooms_says_so() -> None:
    app = ChartApp([], House(TODAY - DAY, TODAY + DAY))
    async with app.run_test() as pilot:
        app.chart.set_empty_text("Noch keine Zimmer angelegt.", "Enter: Erstes Zimmer anlegen")
        for key in ("left", "up", "pagedown", "end", "home", "enter", "n", "m", "v", "space", "t", "z"):
            await pilot.press(key)
        await settle(pilot)
        assert any("Erstes Zimmer anlegen" in line for line in app.lines())
        app.chart.set_rooms([a_room(1)])
        await settle(pilot)
        assert app.chart.cursor.row == room_key(1)


async def test_totals_stay_in_sight_and_count() -> None:
    app = small_house(
        a_stay(1, 1, TODAY, 2), Occupancy(2, 2, TODAY, TODAY + DAY, Kind.HOUSE_USE), a_stay(3, None, TODAY, 1)
    )
    async with app.run_test() as pilot:
        await settle(pilot)
        free, moves = app.lines()[-3:-1]
        assert free.split()[:5] == ["frei", "6", "6", "4", "5"]
        assert moves.split()[3:7] == ["·", "·", "2/0", "0/1"]
        app.house.drop(1)
        app.chart.occupancies_changed([1])
        await settle(pilot)
        assert app.lines()[-3].split()[:5] == ["frei", "6", "6", "5", "6"]


async def test_days_that_are_not_loaded_say_so() -> None:
    app = ChartApp([a_room(1)], House(TODAY, TODAY + 3 * DAY))
    async with app.run_test() as pilot:
        await settle(pilot)
        assert app.lines()[-3].split()[:4] == ["frei", "…", "…", "1"]


# --- cursor and range -----------------------------------------------------------------------------


async def test_the_cursor_moves_by_cell_and_drags_the_window_along() -> None:
    app = small_house()
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.chart
        assert chart.window.first == TODAY - 2 * DAY
        await pilot.press("right", "down", "down")
        assert (chart.cursor.row, chart.cursor.day) == (room_key(1), TODAY + DAY)
        for _ in range(30):
            await pilot.press("right")
        assert chart.cursor.day == TODAY + 31 * DAY
        assert chart.window.shows_night(chart.cursor.day)
        assert app.of(OccupancyChart.WindowChanged)
        await pilot.press("t")
        assert (chart.cursor.day, chart.window.first) == (TODAY, TODAY - 2 * DAY)
        await pilot.press("pagedown")
        assert chart.window.first == TODAY - 2 * DAY + (chart.window.whole_days - 1) * DAY
        await pilot.press("pageup", "home")
        assert chart.cursor.day == chart.window.first
        await pilot.press("end", "end")
        assert chart.cursor.row == lane_key(0)
        assert chart.window.shows_night(chart.cursor.day)


async def test_marking_a_range_and_booking_it() -> None:
    app = small_house()
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("v", "right", "right")
        marked = app.chart.marked_range()
        assert marked is not None
        assert (marked.room_id, marked.arrival, marked.departure) == (3, TODAY, TODAY + 3 * DAY)
        assert any("[── 3 N ───]" in line for line in app.lines())
        await pilot.press("enter")
        await settle(pilot)
        [request] = app.of(OccupancyChart.CreateRequested)
        assert (request.room_id, request.arrival, request.departure) == (3, TODAY, TODAY + 3 * DAY)
        await pilot.press("escape")
        assert app.chart.marked_range() is None
        await pilot.press("shift+left", "shift+left")
        marked = app.chart.marked_range()
        assert marked is not None
        assert (marked.arrival, marked.departure) == (TODAY, TODAY + 3 * DAY)
        await pilot.press("right")
        assert app.chart.marked_range() is None


async def test_groups_fold_and_the_cursor_finds_its_way() -> None:
    app = small_house()
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.chart
        await pilot.press("space")
        row = chart.cursor_row
        assert row is not None
        assert row.is_group
        assert row.folded
        assert any("▸ Haupthaus · Brannenburg (2 Zimmer)" in line for line in app.lines())
        await pilot.press("enter")
        assert chart.cursor.row == room_key(3)
        chart.set_grouping(Grouping.CATEGORY)
        await settle(pilot)
        assert chart.cursor.row == room_key(3)
        assert any("DZ · Lenggries" in line for line in app.lines())


async def test_filter_hides_rooms_and_jump_brings_them_back() -> None:
    app = small_house(a_stay(1, 5, TODAY + 40 * DAY))
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.chart
        chart.set_filter(ChartFilter("nur 3", lambda room: room.id == 3))
        await settle(pilot)
        assert "Filter: nur 3" in app.lines()[1]
        assert not any("Zimmer 5" in line for line in app.lines())
        assert chart.jump_to(1)
        await settle(pilot)
        assert chart.occupancy_under_cursor() == app.house.occupancies[1]
        assert not chart.jump_to(12345)


# --- moving ---------------------------------------------------------------------------------------


async def test_moving_shows_free_or_taken_and_asks_for_the_move() -> None:
    app = small_house(a_stay(1, 3, TODAY, 3), a_stay(2, 6, TODAY + 2 * DAY, 3, last_name="Vogl"))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("m", "down")
        assert any("✗ belegt:" in line for line in app.lines())
        assert "belegt: Vogl" in app.lines()[-1]
        await pilot.press("left")
        assert any("✓ frei" in line for line in app.lines())
        await pilot.press("enter")
        await settle(pilot)
        [request] = app.of(OccupancyChart.MoveRequested)
        assert (request.room_id, request.arrival, request.departure) == (6, TODAY - DAY, TODAY + 2 * DAY)
        assert request.free
        assert app.chart.ghost is None


async def test_escape_puts_back_and_nothing_is_asked() -> None:
    app = small_house(a_stay(1, 3, TODAY, 3))
    async with app.run_test() as pilot:
        await settle(pilot)
        before = app.lines()
        await pilot.press("m", "escape", "m", "enter")
        await settle(pilot)
        assert not app.of(OccupancyChart.MoveRequested)
        assert app.lines() == before


async def test_ends_change_alone_and_keep_a_night() -> None:
    app = small_house(a_stay(1, 3, TODAY, 2))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.press("e", "right", "right", "down", "enter")
        await pilot.press("t", "E", "right", "right", "right", "right", "enter")
        await settle(pilot)
        first, second = app.of(OccupancyChart.MoveRequested)
        assert (first.room_id, first.arrival, first.departure) == (3, TODAY, TODAY + 4 * DAY)
        assert (second.arrival, second.departure) == (TODAY + DAY, TODAY + 2 * DAY)


async def test_a_block_cannot_lose_its_room() -> None:
    app = small_house(Occupancy(1, 5, TODAY, TODAY + DAY, Kind.HOUSE_USE))
    async with app.run_test() as pilot:
        app.chart.place_cursor(room_key(5), TODAY)
        await settle(pilot)
        await pilot.press("m", "down", "enter")
        await settle(pilot)
        assert app.chart.ghost is not None
        assert "braucht ein Zimmer" in app.chart.detail_text()
        assert not app.of(OccupancyChart.MoveRequested)


# --- mouse ----------------------------------------------------------------------------------------


def point(app: ChartApp, room_id: int, day_columns: int) -> tuple[int, int]:
    """Where a column of a room's row is, counted from today's first column."""
    chart = app.chart
    return (
        chart.room_width + chart.window.day_columns(TODAY)[0] + day_columns,
        chart.top + chart.model.index[room_key(room_id)] - chart.scroll_offset.y,
    )


async def drag(pilot: Pilot[None], start: tuple[int, int], end: tuple[int, int]) -> None:
    await pilot.mouse_down("#chart", offset=start)
    await pilot.hover("#chart", offset=end)
    await pilot.mouse_up("#chart", offset=end)
    await settle(pilot)


async def test_clicks_select_and_open() -> None:
    app = small_house(a_stay(1, 6, TODAY, 2))
    async with app.run_test() as pilot:
        await settle(pilot)
        await pilot.click("#chart", offset=point(app, 6, 5))
        assert app.chart.occupancy_under_cursor() == app.house.occupancies[1]
        assert not app.of(OccupancyChart.OpenRequested)
        await pilot.click("#chart", offset=point(app, 6, 5), times=2)
        await settle(pilot)
        assert len(app.of(OccupancyChart.OpenRequested)) == 1


async def test_dragging_creates_moves_and_extends() -> None:
    app = small_house(a_stay(1, 6, TODAY, 2))
    async with app.run_test() as pilot:
        await settle(pilot)
        await drag(pilot, point(app, 3, 3), point(app, 3, 12))
        [created] = app.of(OccupancyChart.CreateRequested)
        assert (created.room_id, created.arrival, created.departure) == (3, TODAY, TODAY + 3 * DAY)
        await drag(pilot, point(app, 6, 5), point(app, 3, 9))
        await drag(pilot, point(app, 6, 9), point(app, 6, 13))
        moved, extended = app.of(OccupancyChart.MoveRequested)
        assert (moved.room_id, moved.arrival, moved.departure) == (3, TODAY + DAY, TODAY + 3 * DAY)
        assert (extended.room_id, extended.arrival, extended.departure) == (6, TODAY, TODAY + 3 * DAY)


# --- how little is drawn again --------------------------------------------------------------------


async def test_only_changed_lines_are_drawn_again() -> None:
    app = ChartApp(*generated(200, 730))
    async with app.run_test(size=(160, 50)) as pilot:
        await settle(pilot)
        chart = app.chart
        chart.drawn.clear()
        await pilot.press("right")
        await settle(pilot)
        # the cursor's row, the days, the detail line
        assert len(chart.drawn) <= 3
        chart.drawn.clear()
        await pilot.press("down")
        await settle(pilot)
        assert len(chart.drawn) <= 4
        shown = chart.row_at(10)
        assert shown is not None
        assert shown.room is not None
        stay = next(
            it
            for it in app.house.in_room(shown.room.id, TODAY, TODAY + 9 * DAY)
            if it.departure > TODAY + DAY
        )
        chart.drawn.clear()
        app.house.put(replace(stay, last_name="Anders"))
        chart.occupancies_changed([stay.id])
        await settle(pilot)
        # its row and the lines below; nothing of a row that is out of sight
        assert set(chart.drawn) <= {10, *range(50 - chart.bottom, 50)}
        assert 10 in chart.drawn
        chart.drawn.clear()
        hidden = chart.model.rows[150].room
        assert hidden is not None
        app.house.put(a_stay(90_000, hidden.id, TODAY, 1))
        chart.occupancies_changed([90_000])
        await settle(pilot)
        assert set(chart.drawn) <= set(range(50 - chart.bottom, 50))


async def test_a_change_moves_neither_cursor_nor_scroll_nor_mark() -> None:
    app = ChartApp(*generated(60, 100))
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.chart
        for _ in range(30):
            await pilot.press("down")
        await pilot.press("v", "right")
        await settle(pilot)
        top_row, cursor, marked = chart.row_at(chart.top), chart.cursor, chart.marked_range()
        # a room above, and a new line of the unassigned lane
        chart.set_rooms([*app.rooms, a_room(0, "0 Neu", place="Brannenburg", building="Haupthaus")])
        for number in range(5):
            app.house.put(a_stay(70_000 + number, None, TODAY, 9))
        chart.occupancies_changed(range(70_000, 70_005))
        await settle(pilot)
        assert chart.row_at(chart.top) == top_row
        assert chart.cursor == cursor
        assert chart.marked_range() == marked


async def test_a_stay_that_leaves_the_unassigned_lane_is_drawn_in_its_room() -> None:
    stay = a_stay(1, None, TODAY, 3, last_name="Wanderer")
    app = small_house(stay)
    async with app.run_test() as pilot:
        await settle(pilot)
        app.house.put(replace(stay, room_id=6))
        app.chart.occupancies_changed([1])
        await settle(pilot)
        [line] = [line for line in app.lines() if "Wanderer" in line]
        assert "Zimmer 6" in line
        app.house.put(replace(stay, room_id=None))
        app.chart.occupancies_changed([1])
        await settle(pilot)
        [line] = [line for line in app.lines() if "Wanderer" in line]
        assert "Zimmer" not in line


async def test_a_deleted_room_leaves_the_cursor_with_a_neighbour() -> None:
    app = small_house()
    async with app.run_test() as pilot:
        await settle(pilot)
        chart = app.chart
        chart.place_cursor(room_key(6), TODAY)
        chart.set_rooms([room for room in app.rooms if room.id != 6])
        await settle(pilot)
        row = chart.cursor_row
        assert row is not None
        assert row.room is not None
        assert chart.cursor.row != RowKey("room")


async def test_colours_follow_the_theme() -> None:
    app = small_house(a_stay(1, 3, TODAY - DAY, 3))
    async with app.run_test() as pilot:
        await settle(pilot)
        before = app.chart.painter.styles["chart--confirmed"]
        app.theme = "ansi-dark"
        await settle(pilot)
        after = app.chart.painter.styles["chart--confirmed"]
        assert before != after
        assert after.bgcolor is not None
        assert after.bgcolor.number == 4
