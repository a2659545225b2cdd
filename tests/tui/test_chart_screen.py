"""The chart screen on a real database: finding the way, new bookings, blocks, and what colleagues do."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from textual.widgets import Input

from dpolg_tui.desk.events import ConnectionChanged
from dpolg_tui.domain.chart import room_key
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.domain.models import Kind
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.filter import FilterDialog
from dpolg_tui.tui.dialogs.go_to_date import GoToDateDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.dialogs.search import SearchDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.chart import ChartScreen
from tests.databases import TestDatabase
from tests.tui.chart_screen import DAY, at_the_chart
from tests.tui.desk_app import config_for, running


async def test_search_jumps_to_a_bar_that_was_not_loaded(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        start = chart.today + timedelta(days=500)
        result = await chart.colleague.bookings.create(
            {
                "guest_id": chart.house.yilmaz,
                "persons": 1,
                "stay/new": {"room_id": chart.house.double, "arrival": start, "departure": start + 3 * DAY},
            }
        )
        await chart.press("slash")
        await chart.at(SearchDialog)
        await chart.press(*"yilm")
        await chart.run.sees("Yılmaz [VIP]")
        await chart.press("enter")
        await chart.back()
        await chart.run.until(lambda: chart.widget.cursor.day == start, "jumped")
        under = chart.widget.occupancy_under_cursor()
        assert under is not None
        assert under.booking_id == result.id


async def test_enter_ahead_of_the_answer_never_takes_what_an_older_text_found(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_chart(database) as chart:
        await chart.book(chart.house.double, 40, 2, guest_id=chart.house.yilmaz)
        await chart.press("slash")
        await chart.at(SearchDialog)
        await chart.press(*"yilm")
        await chart.run.sees("Yılmaz [VIP]")
        monkeypatch.setattr("dpolg_tui.tui.dialogs.search.DEBOUNCE", 600.0)
        await chart.press(*"xy", "enter")
        await chart.run.sees("Nichts gefunden")
        await chart.press("backspace", "backspace", "enter")
        await chart.back()
        await chart.run.until(lambda: chart.widget.cursor.day == chart.today + 40 * DAY, "jumped")


async def test_go_to_a_date(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        await chart.press("g")
        await chart.at(GoToDateDialog)
        await chart.press(*"31.02.", "enter")
        await chart.run.sees("31.02.")
        assert isinstance(chart.run.app.screen, GoToDateDialog)
        chart.run.app.screen.query_one(Input).value = "+400"
        await chart.press("enter")
        await chart.back()
        assert chart.widget.cursor.day == chart.today + 400 * DAY
        await chart.run.until(
            lambda: chart.widget.model.is_known(chart.widget.cursor.day), "the days there are loaded"
        )


async def test_new_in_the_marked_range_and_enter_opens(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        chart.widget.place_cursor(room_key(chart.house.double), chart.today)
        await chart.press("v", "right", "right", "n")
        form = await chart.at(BookingScreen)
        assert form.form.period == (chart.today, chart.today + 3 * DAY)
        assert form.form.room_id == chart.house.double
        await chart.press("escape")
        await chart.run.until(lambda: not isinstance(chart.run.app.screen, BookingScreen), "left")
        if isinstance(chart.run.app.screen, ConfirmDialog):
            await chart.press("tab", "enter")
        await chart.back()
        stay = await chart.book(chart.house.single, 1, 2)
        await chart.cursor_on(stay)
        await chart.press("enter")
        form = await chart.at(BookingScreen)
        opened = chart.stay(stay)
        assert opened is not None
        assert form.booking_id == opened.booking_id


async def test_blocks(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        chart.widget.place_cursor(room_key(chart.house.double), chart.today + 5 * DAY)
        await chart.press("v", "right", "b")
        await chart.at(BlockDialog)
        await chart.press(*"Estrich", "ctrl+s")
        await chart.back()
        await chart.run.sees("Sperre gespeichert")
        made = chart.widget.occupancy_under_cursor()
        assert made is not None
        assert (made.reason, made.nights) == ("Estrich", 2)
        result = await chart.colleague.blocks.create(
            chart.house.double, chart.today, chart.today + 2 * DAY, Kind.OUT_OF_ORDER, "Heizung [kalt]"
        )
        assert result.id is not None
        await chart.cursor_on(result.id)
        await chart.run.sees("Heizung [kalt]")
        await chart.press("b")
        await chart.at(BlockDialog)
        await chart.press("escape")
        await chart.back()
        await chart.press("delete")
        await chart.at(ConfirmDialog)
        await chart.run.sees(": defekt: Heizung [kalt]")
        await chart.press("j")
        await chart.back()
        await chart.run.until(lambda: chart.stay(result.id) is None, "lifted")


async def test_while_a_bar_is_held_the_footer_says_how_to_put_it_down(database: TestDatabase) -> None:
    async with at_the_chart(database, (80, 24)) as chart:
        stay = await chart.book(chart.house.double, 2, 3)
        await chart.cursor_on(stay)
        await chart.run.sees("n neu  Enter öffnen  m verschieben")
        await chart.press("m")
        await chart.run.sees("Enter ablegen  Esc zurücklegen")
        assert "n neu" not in chart.run.text()
        for key in ("n", "b", "u", "i", "delete", "slash", "g", "f", "r", "m"):
            await chart.press(key)
        await chart.back()
        assert chart.widget.ghost is not None
        await chart.press("escape")
        await chart.run.sees("n neu  Enter öffnen  m verschieben")
        await chart.press("v")
        await chart.run.sees("Esc aufheben")
        await chart.press("escape")
        await chart.run.until(lambda: "Esc aufheben" not in chart.run.text(), "nothing marked")


async def test_keys_for_a_bar_say_so_where_there_is_none(database: TestDatabase) -> None:
    async with at_the_chart(database, (80, 24)) as chart:
        for key in ("m", "e", "E"):
            await chart.press(key)
            await chart.run.sees("Unter dem Cursor steht nichts: bitte einen Balken wählen.")
            await chart.press("right")


async def test_filter_by_category_and_free_nights(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        await chart.book(chart.house.single, 1, 2)
        await chart.press("f")
        dialog = await chart.at(FilterDialog)
        tomorrow = chart.today + DAY
        dialog.query_one("#field-free_from Input", Input).value = f"{tomorrow:%d.%m.%Y}"
        dialog.query_one("#field-free_until Input", Input).value = "+1"
        await chart.press("ctrl+s")
        await chart.back()
        await chart.run.until(
            lambda: [room.id for room in chart.widget.model.shown_rooms] == [chart.house.double], "filtered"
        )
        await chart.press("f")
        dialog = await chart.at(FilterDialog)
        dialog.query_one("#all").press()
        await chart.back()
        await chart.run.until(lambda: len(chart.widget.model.shown_rooms) == 2, "all")


async def test_a_colleague_is_named_and_moves_nothing(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        chart.widget.place_cursor(room_key(chart.house.double), chart.today + 5 * DAY)
        await chart.press("v", "right")
        before = (chart.widget.cursor, chart.widget.marked_range(), chart.widget.window)
        occupancy = chart.colleague.store.occupancies[stay]
        await chart.colleague.bookings.move(
            occupancy, chart.house.double, occupancy.arrival, occupancy.departure
        )
        await chart.run.sees("hat 2")
        await chart.run.sees("verschoben")
        assert (chart.widget.cursor, chart.widget.marked_range(), chart.widget.window) == before
        await chart.run.until(
            lambda: any(
                it.occupancy.id == stay
                for row in chart.widget.model.rows
                if row.key == room_key(chart.house.double)
                for it in chart.widget.bars_in(row)
            ),
            "drawn in its new room",
        )


async def test_days_that_could_not_be_read_are_read_when_the_database_is_back(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with at_the_chart(database) as chart:
        desk, far = chart.run.desk, chart.today + 300 * DAY

        async def unreachable(*_: date) -> None:
            raise Unreachable

        with monkeypatch.context() as patch:
            patch.setattr(desk, "show", unreachable)
            chart.widget.go_to(far)
            await chart.run.sees("nicht erreichbar")
        assert not desk.store.covers(far, far + DAY)
        desk.tell(ConnectionChanged(desk.connection))
        await chart.run.until(lambda: desk.store.covers(far, far + DAY), "loaded")


async def test_an_empty_house_leads_an_admin_to_the_first_room(database: TestDatabase) -> None:
    for name, words in (("admin", "Erstes Zimmer anlegen"), ("anna", "Ein Admin legt sie")):
        async with running(config_for(database)) as run:
            await run.sign_in(name, database.users[name].password)
            await run.sees(words)
            await run.pilot.press("n", "enter")
            if name == "admin":
                await run.until(lambda: isinstance(run.app.screen, RoomDialog), "room form")
            else:
                assert isinstance(run.app.screen, ChartScreen)


async def test_holidays_come_late(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        christmas = date(chart.today.year, 12, 25)
        await chart.run.until(lambda: chart.widget._holiday(christmas), "holidays")
        chart.widget.place_cursor(room_key(chart.house.double), christmas)
        await chart.run.sees("Weihnachtstag")
