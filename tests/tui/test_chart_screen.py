"""The chart screen on a real database: every key that changes something, and what colleagues do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from textual.widgets import Input

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import ConnectionChanged
from dpolg_tui.domain.chart import lane_key, room_key
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog, StayChange
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.early_departure import EarlyDepartureDialog
from dpolg_tui.tui.dialogs.filter import FilterDialog
from dpolg_tui.tui.dialogs.go_to_date import GoToDateDialog
from dpolg_tui.tui.dialogs.rearrange import RearrangeDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.dialogs.search import SearchDialog
from dpolg_tui.tui.dialogs.taken import TakenDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.chart import ChartScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.databases import TestDatabase
from tests.tui.chart_house import TODAY, a_room, a_stay
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import House, furnish, signed_in

DAY = timedelta(days=1)


class Chart:
    """The application with the chart on the screen, and short ways to look at it."""

    def __init__(self, run: Running, house: House, colleague: Desk) -> None:
        self.run, self.house, self.colleague = run, house, colleague

    @property
    def widget(self) -> OccupancyChart:
        return self.screen.chart

    @property
    def screen(self) -> ChartScreen:
        screen = next(it for it in self.run.app.screen_stack if isinstance(it, ChartScreen))
        assert isinstance(screen, ChartScreen)
        return screen

    @property
    def today(self) -> date:
        return self.run.desk.today()

    def stay(self, occupancy_id: int) -> Occupancy | None:
        return self.run.desk.store.occupancies.get(occupancy_id)

    async def press(self, *keys: str) -> None:
        await self.run.pilot.press(*keys)

    async def at(self, kind: type[Any]) -> Any:
        await self.run.until(lambda: isinstance(self.run.app.screen, kind), kind.__name__)
        return self.run.app.screen

    async def back(self) -> None:
        await self.at(ChartScreen)

    async def cursor_on(self, occupancy_id: int) -> None:
        await self.run.until(lambda: occupancy_id in self.run.desk.store.occupancies, "loaded")
        await self.run.until(lambda: self.widget.jump_to(occupancy_id), "drawn")
        await self.run.pilot.pause()

    async def book(self, room: int | None, arrival: int, nights: int, **more: object) -> int:
        """A colleague books, days counted from today; the id of the bar."""
        start = self.today + timedelta(days=arrival)
        values: dict[str, object] = {
            "guest_id": self.house.huber,
            "persons": 1,
            "stay/new": {"room_id": room, "arrival": start, "departure": start + timedelta(days=nights)},
        }
        status = more.pop("status", None)
        result = await self.colleague.bookings.create({**values, **more})
        assert result.id is not None
        booking_id = result.id
        if status is Status.CHECKED_IN:
            await self.colleague.bookings.check_in(booking_id)
        [stay] = (await self.colleague.bookings.get(booking_id)).stays
        assert stay.id is not None
        occupancy_id = stay.id
        await self.run.until(
            lambda: (found := self.stay(occupancy_id)) and status in (None, found.status), "booked"
        )
        return occupancy_id


@asynccontextmanager
async def at_the_chart(database: TestDatabase, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Chart]:
    """A small house, a colleague (Ben) and Anna in front of the chart."""
    async with signed_in(database, "ben") as colleague:
        house = await furnish(colleague)
        async with running(config_for(database), size) as run:
            anna = database.users["anna"]
            await run.sign_in(anna.username, anna.password)
            chart = Chart(run, house, colleague)
            await run.until(lambda: len(chart.widget.model.rooms) == 2, "rooms")
            yield chart


async def test_moving_asks_once_and_moves(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        await chart.cursor_on(stay)
        await chart.press("m", "right", "down", "enter")
        await chart.at(ChangeStayDialog)
        for words in ("Huber, Anton", "1 Zugspitze", "2 [Wendelstein]", "120,00 €", "150,00 €", "2 Nächte"):
            await chart.run.sees(words)
        await chart.press("enter")
        await chart.back()
        await chart.run.until(
            lambda: (
                (now := chart.stay(stay))
                and (now.room_id, now.arrival) == (chart.house.double, chart.today + 2 * DAY)
            ),
            "moved",
        )
        await chart.run.until(
            lambda: chart.colleague.store.occupancies[stay].room_id == chart.house.double, "at Ben's"
        )


async def test_a_move_that_is_not_agreed_changes_nothing(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        before = chart.stay(stay)
        await chart.cursor_on(stay)
        await chart.press("e", "right", "enter")
        await chart.at(ChangeStayDialog)
        await chart.press("escape")
        await chart.back()
        assert chart.stay(stay) == before


async def test_a_taken_room_names_who_is_in_the_way_and_offers_free_ones(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        other = await chart.book(chart.house.double, 1, 2, guest_id=chart.house.yilmaz)
        await chart.cursor_on(other)
        await chart.press("m", "up", "enter")
        await chart.at(TakenDialog)
        await chart.run.sees("Huber")
        await chart.run.sees("2 [Wendelstein]")
        await chart.press("escape")
        await chart.back()
        assert chart.stay(stay) is not None
        moved = chart.stay(other)
        assert moved is not None
        assert moved.room_id == chart.house.double


async def test_neighbours_move_along_if_wanted(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        other = await chart.book(chart.house.single, 3, 2, guest_id=chart.house.yilmaz)
        await chart.cursor_on(stay)
        await chart.press("e", "right", "enter")
        await chart.at(TakenDialog)
        await chart.press("tab", "enter")
        await chart.at(RearrangeDialog)
        for words in ("Huber", "Yılmaz [VIP]", "Mit Nachbarn verschieben?"):
            await chart.run.sees(words)
        await chart.press("enter")
        await chart.back()

        def nights(occupancy: int) -> tuple[int, int]:
            bar = chart.colleague.store.occupancies[occupancy]
            return (bar.arrival - chart.today).days, (bar.departure - chart.today).days

        await chart.run.until(lambda: (nights(stay), nights(other)) == ((1, 4), (4, 6)), "shifted, at Ben's")
        # Held for it from the start, no other question; a guest in the house stays where they are.
        await chart.cursor_on(stay)
        await chart.press("S", "right", "enter")
        await chart.at(RearrangeDialog)
        await chart.press("enter")
        await chart.run.until(lambda: (nights(stay), nights(other)) == ((2, 5), (5, 7)), "shifted again")
        await chart.back()
        [booking] = {bar.booking_id for bar in chart.colleague.store.occupancies.values() if bar.id == other}
        await chart.colleague.bookings.check_in(booking or 0)
        await chart.run.until(
            lambda: (bar := chart.stay(other)) and bar.status is Status.CHECKED_IN, "checked in"
        )
        await chart.cursor_on(stay)
        await chart.press("e", "right", "enter")
        await chart.at(TakenDialog)
        await chart.run.sees("ist eingecheckt und lässt sich nicht")
        assert not chart.run.app.screen.query("#neighbours")


async def test_two_bars_swap_their_rooms(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        short = await chart.book(chart.house.single, 1, 2)
        long = await chart.book(chart.house.double, 1, 5, guest_id=chart.house.yilmaz)
        await chart.cursor_on(short)
        await chart.press("s", "s")
        await chart.run.sees("Das ist derselbe Balken")
        await chart.press("escape")
        assert chart.widget.swapping is None
        await chart.press("s")
        await chart.run.sees("tauschen: Huber mit …")
        await chart.press("m", "n", "down")
        await chart.run.sees("tauschen: Huber mit Yılmaz [VIP]")
        await chart.press("enter")
        await chart.at(RearrangeDialog)
        # 2 nights and 5 nights, the final cleaning each: 45 and 60 a night.
        for words in ("1 Zugspitze", "→ 2 [Wendelstein]", "120,00 €", "→ 150,00 €", "330,00 €", "→ 255,00 €"):
            await chart.run.sees(words)
        await chart.press("enter")
        await chart.back()
        theirs = chart.colleague.store.occupancies
        await chart.run.until(lambda: theirs[short].room_id == chart.house.double, "swapped")
        assert theirs[long].room_id == chart.house.single
        # Who does not take part is in the way before anything is asked.
        await chart.book(chart.house.double, 4, 2)
        await chart.cursor_on(long)
        await chart.press("s", "down", "s")
        await chart.run.sees("Im Weg: ")
        assert theirs[long].room_id == chart.house.single


async def test_a_stay_is_split_moved_and_joined(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 4)
        booking = chart.stay(stay).booking_id  # type: ignore[union-attr]

        def parts() -> list[tuple[int | None, int, int]]:
            return [
                (bar.room_id, (bar.arrival - chart.today).days, bar.nights)
                for bar in chart.colleague.store.of_booking(booking or 0)
            ]

        single, double = chart.house.single, chart.house.double
        await chart.cursor_on(stay)
        await chart.press("x")
        await chart.run.sees("Hier lässt sich der Aufenthalt nicht teilen")
        await chart.press("right", "right", "x")
        await chart.at(RearrangeDialog)
        await chart.press("enter")
        await chart.run.until(lambda: parts() == [(single, 1, 2), (single, 3, 2)], "split")
        await chart.back()
        await chart.press("m", "down", "enter")
        await chart.at(ChangeStayDialog)
        await chart.press("enter")
        await chart.run.until(lambda: parts() == [(single, 1, 2), (double, 3, 2)], "moved")
        await chart.back()
        await chart.cursor_on(stay)
        await chart.press("X")
        await chart.at(RearrangeDialog)
        await chart.run.sees("verbunden")
        await chart.press("enter")
        await chart.run.until(lambda: parts() == [(single, 1, 4)], "joined")
        await chart.back()
        await chart.press("X")
        await chart.run.sees("kein zweiter Aufenthalt")


async def test_unassigned_and_back(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        await chart.cursor_on(stay)
        await chart.press("u")
        await chart.at(ChangeStayDialog)
        await chart.press("enter")
        await chart.back()
        await chart.run.until(lambda: (now := chart.stay(stay)) and now.room_id is None, "unassigned")
        await chart.cursor_on(stay)
        assert chart.widget.cursor.row == lane_key(0)
        await chart.press("m", "up", "enter")
        await chart.at(ChangeStayDialog)
        await chart.press("enter")
        await chart.run.until(lambda: (now := chart.stay(stay)) and now.room_id is not None, "assigned")


async def test_check_in_and_early_check_out(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, -2, 5)
        await chart.cursor_on(stay)
        await chart.press("i")
        await chart.run.until(
            lambda: (now := chart.stay(stay)) and now.status is Status.CHECKED_IN, "checked in"
        )
        await chart.press("o")
        await chart.at(EarlyDepartureDialog)
        await chart.press("enter")
        await chart.back()
        await chart.run.until(
            lambda: (now := chart.stay(stay)) and now.status is Status.CHECKED_OUT, "checked out"
        )
        now = chart.stay(stay)
        assert now is not None
        assert now.departure == chart.today


async def test_checking_in_on_another_day_asks(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 3, 2)
        await chart.cursor_on(stay)
        await chart.press("o")
        await chart.run.sees("auschecken")
        await chart.press("i")
        await chart.at(ConfirmDialog)
        await chart.press("escape")
        await chart.back()
        now = chart.stay(stay)
        assert now is not None
        assert now.status is Status.CONFIRMED


async def test_a_guest_in_the_house_moves_with_the_nights_that_remain(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, -2, 5, status=Status.CHECKED_IN)
        await chart.cursor_on(stay)
        await chart.press("m", "down", "enter")
        await chart.at(ChangeStayDialog)
        await chart.run.sees("restlichen")
        await chart.press("enter")
        await chart.back()
        await chart.run.until(
            lambda: any(
                it.arrival == chart.today
                for it in chart.run.desk.store.in_room(chart.house.double, chart.today, chart.today + 9 * DAY)
            ),
            "the rest",
        )
        kept = chart.stay(stay)
        assert kept is not None
        assert (kept.room_id, kept.departure) == (chart.house.single, chart.today)


async def test_cancel_with_a_reason_and_bring_back(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        await chart.cursor_on(stay)
        await chart.press("delete")
        await chart.at(CancelDialog)
        await chart.press(*"krank", "enter")
        await chart.back()
        await chart.run.until(lambda: chart.stay(stay) is None, "bar gone")
        await chart.press("r")
        dialog = await chart.at(SearchDialog)
        await chart.run.until(lambda: dialog._found, "found without typing")
        await chart.press("enter")
        await chart.back()
        await chart.run.until(lambda: chart.stay(stay) is not None, "bar back")
        await chart.run.until(
            lambda: (on := chart.widget.occupancy_under_cursor()) and on.id == stay, "cursor on it"
        )


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
        chart.widget.place_cursor(room_key(chart.house.double), chart.today)
        await chart.press("b")
        await chart.at(BlockDialog)
        await chart.press("escape")
        await chart.run.until(lambda: not isinstance(chart.run.app.screen, BlockDialog), "left")
        if isinstance(chart.run.app.screen, ConfirmDialog):
            await chart.press("tab", "enter")
        await chart.back()
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
        dialog.query_one("#apply").press()
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


# --- price of a change, without a database --------------------------------------------------------


def test_the_price_of_a_move_within_the_house_keeps_the_nights_stayed() -> None:
    cheap = a_room(1, price_low=Decimal("10.00"), final_cleaning_fee=Decimal("5.00"))
    dear = a_room(2, price_low=Decimal("100.00"), final_cleaning_fee=Decimal("7.00"))
    rooms = {1: cheap, 2: dear}
    stay = a_stay(1, 1, TODAY - 2 * DAY, 5, status=Status.CHECKED_IN)
    change = StayChange(stay, 2, stay.arrival, stay.departure, TODAY)
    assert change.moves_remaining
    assert change.price_before(rooms) == Decimal("55.00")
    assert change.price_after(rooms) == Decimal("327.00")
    longer = StayChange(stay, 1, stay.arrival, stay.departure + DAY, TODAY)
    assert not longer.moves_remaining
    assert longer.price_after(rooms) == Decimal("65.00")
    assert StayChange(stay, None, stay.arrival, stay.departure, TODAY).price_after(rooms) is None
