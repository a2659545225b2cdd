"""The chart widget's cursor: marking, moving bars and the mouse."""

from __future__ import annotations

from datetime import timedelta

from textual.pilot import Pilot

from dpolg_tui.domain.chart import Grouping, lane_key, room_key
from dpolg_tui.domain.models import Kind, Occupancy
from dpolg_tui.tui.widgets.chart import OccupancyChart
from dpolg_tui.tui.widgets.chart_model import ChartFilter
from tests.tui.chart_house import TODAY, ChartApp, a_stay, settle, small_house

DAY = timedelta(days=1)


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
