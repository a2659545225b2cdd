"""What the chart changes of stays, on a real database: their rooms, nights and status."""

from __future__ import annotations

from decimal import Decimal

from dpolg_tui.domain.chart import lane_key
from dpolg_tui.domain.models import Status
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog, StayChange
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.early_departure import EarlyDepartureDialog
from dpolg_tui.tui.dialogs.rearrange import RearrangeDialog
from dpolg_tui.tui.dialogs.search import SearchDialog
from dpolg_tui.tui.dialogs.taken import TakenDialog
from tests.databases import TestDatabase
from tests.tui.chart_house import TODAY, a_room, a_stay
from tests.tui.chart_screen import DAY, at_the_chart


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
        assert "2 [Wendelstein] · " not in chart.run.text(), "the room that it would leave"
        await chart.press("escape")
        await chart.back()
        assert chart.stay(stay) is not None
        moved = chart.stay(other)
        assert moved is not None
        assert moved.room_id == chart.house.double


async def test_the_cursor_follows_into_the_free_room_that_was_chosen(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        await chart.book(chart.house.double, 1, 2)
        stay = await chart.book(chart.house.double, 5, 2, guest_id=chart.house.yilmaz)
        await chart.cursor_on(stay)
        await chart.press("m", "left", "left", "left", "left", "enter")
        await chart.at(TakenDialog)
        await chart.press("enter")
        await chart.at(ChangeStayDialog)
        await chart.press("enter")
        await chart.back()
        await chart.run.until(
            lambda: (bar := chart.widget.occupancy_under_cursor()) is not None and bar.id == stay,
            "the cursor is on the moved bar",
        )


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


async def test_a_long_plan_says_how_many_are_moved_and_scrolls(database: TestDatabase) -> None:
    async with at_the_chart(database, size=(80, 24)) as chart:
        stays = [await chart.book(chart.house.single, 1 + 2 * number, 2) for number in range(5)]
        await chart.book(chart.house.single, 11, 2, guest_id=chart.house.yilmaz)
        await chart.cursor_on(stays[0])
        await chart.press("S", "right", "enter")
        await chart.at(RearrangeDialog)
        await chart.run.sees("6 Aufenthalte")
        assert "Yılmaz" not in chart.run.text()
        await chart.press("pagedown", "pagedown")
        await chart.run.sees("Yılmaz [VIP]")
        await chart.press("pageup", "pageup")
        await chart.run.until(lambda: "Yılmaz" not in chart.run.text(), "scrolled back")


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
