"""The chart widget: what it draws, and how little of it again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from rich.cells import cell_len

from dpolg_tui.domain.chart import ZOOMS, RowKey, room_key
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.tui.widgets.chart_model import ChartFilter
from dpolg_tui.tui.widgets.chart_text import bar_text, cut, fit, plain
from tests.tui.chart_house import TODAY, ChartApp, House, a_room, a_stay, generated, settle, small_house

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
    assert bar_text(replace(stay, queued=True), 6, TODAY) == "↑ Hub…"
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
