"""The dialogs of the forms: one way out, keys, and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from textual.screen import Screen

from dpolg_tui.domain.models import Conflict
from dpolg_tui.tui.actions import actions_of
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.calendar import CalendarDialog
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.conflict import ConflictDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.help import HelpDialog
from dpolg_tui.tui.dialogs.pick import Option, PickDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.dialogs.taken import TakenDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.rooms import RoomsScreen
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house, in_days

HOSTILE = "[/b] [bold]Müller 😀"


def conflicts() -> list[Conflict]:
    stay = {"room_id": None, "arrival": in_days(0), "departure": in_days(3)}
    return [
        Conflict("notes", None, HOSTILE, "theirs " + HOSTILE),
        Conflict("stay/1", stay, {**stay, "departure": in_days(4)}, {**stay, "departure": in_days(5)}),
        Conflict("guest_id", 1, 2, 3),
    ]


DIALOGS: dict[str, Callable[[], Screen[Any]]] = {
    "guest": GuestDialog,
    "room": RoomDialog,
    "block": lambda: BlockDialog(None, in_days(0), in_days(1)),
    "cancel": lambda: CancelDialog(HOSTILE),
    "conflict": lambda: ConflictDialog(conflicts(), HOSTILE, {1: HOSTILE}),
    "calendar": lambda: CalendarDialog(None, in_days(0), in_days(2)),
    "day": lambda: CalendarDialog(None, None, None, one_day=True),
    "pick": lambda: PickDialog(HOSTILE, [Option(HOSTILE, 1), Option("zwei", 2)], 2),
    "taken": lambda: TakenDialog([], []),
}


class Answers:
    """What a dialog answered; asks for it once."""

    def __init__(self, desks: Desks, dialog: Screen[Any]) -> None:
        self.given: list[object] = []
        desks.here.app.push_screen(dialog, self.given.append)


async def opened(desks: Desks, dialog: Screen[Any]) -> Answers:
    """Opens a dialog and waits until it is on top."""
    answers = Answers(desks, dialog)
    await desks.here.until(lambda: desks.screen is dialog, "dialog")
    return answers


async def closed(desks: Desks) -> None:
    """Waits until the list below is on top again."""
    await desks.here.until(lambda: isinstance(desks.screen, RoomsScreen), "dialog closed")


async def test_every_dialog_closes_once_whatever_is_pressed_and_has_help(database: TestDatabase) -> None:
    async with house(database) as desks:
        for name, make in DIALOGS.items():
            dialog = make()
            answers = await opened(desks, dialog)
            await desks.press("f1")
            await desks.here.until(lambda: isinstance(desks.screen, HelpDialog), f"help of {name}")
            for action in actions_of(getattr(dialog, "SCOPE", "")):
                assert action.help.split()[0] in desks.here.text(), action.name
            await desks.press("escape", "escape")
            await closed(desks)
            assert answers.given == [None], name


async def test_every_dialog_fits_into_80_by_24(database: TestDatabase) -> None:
    async with house(database) as desks:
        for name, make in DIALOGS.items():
            dialog = make()
            await opened(desks, dialog)
            box = dialog.query_one(".dialog").region
            assert box.right <= 80, name
            assert box.bottom <= 23, name
            buttons = dialog.query_one(".dialog-buttons").region
            assert buttons.bottom < box.bottom, f"the buttons of {name} are in sight"
            await desks.press("escape")
            await closed(desks)


async def test_a_conflict_is_decided_by_keys(database: TestDatabase) -> None:
    async with house(database) as desks:
        answers = await opened(
            desks, ConflictDialog(conflicts(), "Ben", {1: "Huber", 2: "Yılmaz", 3: "Groß"})
        )
        for words in ("03.–06.03.2031, 3", "● Yılmaz"):
            await desks.here.sees(words)
        await desks.press("g", "m", "enter", "ctrl+s")
        await closed(desks)
        (chosen,) = answers.given
        assert isinstance(chosen, dict)
        assert chosen == {
            "notes": "theirs " + HOSTILE,
            "stay/1": {"room_id": None, "arrival": in_days(0), "departure": in_days(4)},
            "guest_id": 3,
        }


async def test_the_calendar_picks_a_stay_and_a_day(database: TestDatabase) -> None:
    async with house(database) as desks:
        answers = await opened(desks, CalendarDialog(None, in_days(0), in_days(2)))
        await desks.press("right", "enter", "down", "enter")
        await closed(desks)
        assert answers.given == [(in_days(1), in_days(8))]
        answers = await opened(desks, CalendarDialog(None, in_days(0), None, one_day=True))
        await desks.press("pagedown", "pageup", "left", "enter")
        await closed(desks)
        assert answers.given == [in_days(-1)]
        answers = await opened(desks, CalendarDialog(None, date(2032, 1, 31), None, one_day=True))
        await desks.press("pagedown", "enter")
        await closed(desks)
        assert answers.given == [date(2032, 2, 29)], "a month on from a day that is not there"


async def test_the_calendar_refuses_more_than_a_year(database: TestDatabase) -> None:
    async with house(database) as desks:
        answers = await opened(desks, CalendarDialog(None, in_days(0), in_days(2)))
        await desks.press("enter", *["pagedown"] * 13, "enter")
        await desks.here.sees("Höchstens 365 Nächte")
        assert answers.given == []


async def test_letters_jump_in_a_list(database: TestDatabase) -> None:
    async with house(database) as desks:
        options = [Option("eins", 1), Option("zwei", 2), Option("Über [drei]", 3)]
        for typed, value in (("zw", 2), ("z", 2), ("x", 1), ("ü", 3)):
            answers = await opened(desks, PickDialog("Liste", options, 1))
            await desks.press(*typed, "enter")
            await closed(desks)
            (option,) = answers.given
            assert isinstance(option, Option)
            assert option.value == value


async def test_a_taken_room_is_replaced_and_saved_again(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking(room_id=desks.house.single, arrival=in_days(0), departure=in_days(3))
        desks.form.put({"guest_id": desks.house.huber})
        await book(desks.ben, desks.house.yilmaz, desks.house.single, 1)
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, TakenDialog), "taken")
        await desks.here.sees("Yılmaz [VIP]")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        assert desks.form.field("room_id").value == desks.house.double
        assert desks.form.field("room_id").error == ""
        await desks.press("ctrl+s")
        await closed(desks)
        (found,) = await desks.ben.bookings.search("Huber")
        assert found.room_id == desks.house.double
