"""The booking form on a real database: what one person does with it."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets import TabbedContent

from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Booking, Status
from dpolg_tui.tui.dialogs.calendar import CalendarDialog
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.palette import offers
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.widgets.booking_form import BookingForm
from dpolg_tui.tui.widgets.fields import ChoiceField
from dpolg_tui.tui.widgets.history import History
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, choose_guest, german, house, in_days, left


def room_labels(desks: Desks) -> list[str]:
    field = desks.form.field("room_id")
    assert isinstance(field, ChoiceField)
    return [option.label for option in field.choice.options]


async def test_nothing_can_be_typed_before_the_booking_is_read(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database) as desks:
        booking = await book(desks.ben, desks.house.huber, desks.house.single, 0, notes="Hund kommt mit.")
        bookings, arrived = desks.here.desk.bookings, asyncio.Event()
        get = bookings.get

        async def slow_get(booking_id: int) -> Booking:
            await arrived.wait()
            return await get(booking_id)

        monkeypatch.setattr(bookings, "get", slow_get)
        desks.here.app.push_screen(BookingScreen(booking))
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "screen")
        for _ in range(12):
            await desks.press("tab", "x")
        await desks.here.pilot.click("#field-notes TextArea")
        await desks.press("x")
        assert not any("x" in str(field.raw) for field in desks.form.fields.values())
        arrived.set()
        await desks.here.sees("Hund kommt mit.")
        assert not desks.form.dirty
        await desks.press("tab")
        await desks.press("end", "ctrl+u", "2")
        assert desks.form.dirty


async def test_a_booking_is_made_with_the_keyboard_alone(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        await desks.here.sees("Esc zurück")
        await desks.press("H", "u", "b")
        await desks.here.sees("Huber, Anton  Ulm")
        await desks.press("enter", *german(0), "tab", "+", "3")
        await desks.here.sees("Do 06.03. · 3 Nächte")
        await desks.press("tab")
        await desks.here.until(lambda: len(room_labels(desks)) == 3, "free rooms")
        await desks.press("right")
        await desks.here.sees("135,00 €")
        await desks.here.sees("165,00 €")
        await desks.here.sees("wird noch")
        await desks.press("ctrl+s")
        await desks.toast("Buchung gespeichert.")
        await left(desks)
        (found,) = await desks.ben.bookings.search("Huber")
        booking = await desks.ben.bookings.get(found.id)
        assert (booking.guest_id, booking.status, booking.persons) == (desks.house.huber, Status.CONFIRMED, 1)
        (stay,) = booking.stays
        assert (stay.room_id, stay.arrival, stay.departure) == (desks.house.single, in_days(0), in_days(3))


async def test_a_day_typed_in_short_is_written_in_full_and_its_note_has_room(database: TestDatabase) -> None:
    async with house(database, size=(80, 24)) as desks:
        await desks.open_booking(room_id=None, arrival=in_days(0), departure=in_days(2))
        await desks.type_into("arrival", "3.3.31")
        await desks.press("tab", *"+90", "tab")
        await desks.here.sees("03.03.2031   Mo")
        await desks.here.sees("01.06.2031   So · 90 Nächte")


async def test_a_new_booking_without_room_says_its_number_and_where_it_is(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        await choose_guest(desks, "Hub", "Huber, Anton  Ulm")
        await desks.type_into("arrival", "heute")
        await desks.type_into("departure", "+2")
        await desks.press("ctrl+s")
        await desks.toast("-1 unter „Ohne Zimmer“ gespeichert.")


async def test_what_the_chart_marked_is_filled_in(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking(room_id=desks.house.double, arrival=in_days(1), departure=in_days(3))
        await desks.here.sees("2 [Wendelstein] · 2 P · 60")
        await desks.here.sees("06.03.2031   Do")
        assert not desks.form.dirty, "leaving does not ask"
        await desks.press("escape")
        await left(desks)


async def test_enter_ahead_of_the_answer_never_takes_a_guest_whom_an_older_text_found(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        await desks.type_into("guest_id", "Hub")
        await desks.here.sees("Huber, Anton  Ulm")
        monkeypatch.setattr("dpolg_tui.tui.widgets.guest_field.DEBOUNCE", 600.0)
        await desks.press("x", "y", "enter")
        await desks.here.sees("+ Neuer Gast „Hubxy“")
        assert desks.form.field("guest_id").raw == (None, "Hubxy")


async def test_a_guest_with_much_to_tell_takes_one_line_of_the_list(database: TestDatabase) -> None:
    async with house(database, size=(80, 24)) as desks:
        await desks.ben.guests.create(
            {
                "last_name": "Huber",
                "first_name": "Berta",
                "city": "Garmisch-Partenkirchen",
                "email": "berta@example.org",
            }
        )
        await desks.open_booking()
        await desks.type_into("guest_id", "Huber")
        await desks.here.sees("Huber, Berta  Garmisch-")
        await desks.here.sees("+ Neuer Gast „Huber“")


async def test_a_new_guest_is_made_without_leaving(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking(room_id=None, arrival=in_days(0), departure=in_days(2))
        await desks.type_into("guest_id", "Ayşe Öztürk-Groß")
        await desks.here.sees("+ Neuer Gast „Ayşe Öztürk-Groß“")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, GuestDialog), "guest dialog")
        assert desks.form.field("last_name").value == "Öztürk-Groß"
        assert desks.form.field("first_name").value == "Ayşe"
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "back")
        await desks.here.sees("Öztürk-Groß, Ayşe")
        await desks.press("ctrl+s")
        await left(desks)
        (found,) = await desks.ben.bookings.search("ozturk")
        assert found.room_id is None, "without a room it stands in the unassigned lane"


BAD = [
    ({"arrival": "31.02."}, "arrival", "31.02."),
    ({"departure": german(-1)}, "departure", "vor der Anreise"),
    ({"departure": german(0)}, "departure", "mindestens eine Nacht"),
    ({"departure": "+400"}, "departure", "365"),
    ({"persons": "0"}, "persons", "1 bis 200"),
    ({"persons": "3"}, "persons", "2 Betten"),
    ({"guest_id": "Niemand [/b]"}, "guest_id", "aus der Liste"),
    ({"guest_id": ""}, "guest_id", "fehlt"),
    ({"notes": "ä" * 10_001}, "notes", "10001"),
]


async def test_bad_input_gets_its_sentence_and_nothing_is_lost(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0, 3, persons=2)
        for typed, name, says in BAD:
            await desks.open_booking(booking_id)
            for key, text in typed.items():
                await desks.type_into(key, text)
            field = desks.form.field(name)
            before = field.raw
            await desks.press("ctrl+s")
            await desks.here.until(lambda field=field: field.error, f"sentence for {typed}")
            assert says in field.error
            assert field.editor_widget.has_focus
            assert field.raw == before
            desks.screen.dismiss()
            await left(desks)
        assert (await desks.ben.bookings.get(booking_id)).version == 1


async def test_free_rooms_follow_the_dates_and_the_own_room_is_offered(database: TestDatabase) -> None:
    async with house(database) as desks:
        await book(desks.ben, desks.house.huber, desks.house.single, 10)
        booking_id = await book(desks.ben, desks.house.yilmaz, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.here.until(lambda: len(room_labels(desks)) == 3, "own and the other room")
        await desks.type_into("arrival", german(9))
        await desks.type_into("departure", german(12))
        await desks.here.until(lambda: len(room_labels(desks)) == 2, "the single room is taken then")
        assert room_labels(desks)[1].startswith("2 [Wendelstein]")
        await desks.type_into("persons", "2")
        await desks.type_into("departure", german(10))
        await desks.here.until(lambda: any("zu klein" in label for label in room_labels(desks)), "marked")


async def test_statuses_are_those_allowed(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        field = desks.form.field("status")
        assert isinstance(field, ChoiceField)
        assert {option.value for option in field.choice.options} == {
            Status.CONFIRMED,
            Status.RESERVED,
            Status.CHECKED_IN,
            Status.CANCELLED,
        }


async def test_cancelling_asks_for_a_reason_and_can_be_undone(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.press("ctrl+r")
        await desks.here.until(lambda: isinstance(desks.screen, CancelDialog), "reason")
        await desks.press("ctrl+s")
        await desks.here.sees("Grund fehlt")
        await desks.press(*"krank", "enter")
        await desks.toast("storniert.")
        await left(desks)
        booking = await desks.ben.bookings.get(booking_id)
        assert (booking.status, booking.cancellation_reason) == (Status.CANCELLED, "krank")
        await desks.open_booking(booking_id)
        await desks.here.sees("Stornogrund: krank")
        await desks.press("ctrl+r")
        await desks.toast("zurückgeholt")
        await left(desks)
        assert (await desks.ben.bookings.get(booking_id)).status == Status.CONFIRMED


async def test_choosing_storniert_as_status_asks_for_the_reason_too(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        desks.form.put({"status": Status.CANCELLED})
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, CancelDialog), "reason")
        await desks.press(*"weg", "enter")
        await left(desks)
        booking = await desks.ben.bookings.get(booking_id)
        assert (booking.status, booking.cancellation_reason) == (Status.CANCELLED, "weg")


async def test_leaving_a_changed_form_asks(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        await desks.type_into("notes", "nicht verlieren")
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "still here")
        assert desks.form.field("notes").raw == "nicht verlieren"
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await left(desks)


async def test_the_history_tells_who_changed_what(database: TestDatabase) -> None:
    async with house(database, size=(160, 50)) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.ben.bookings.save(booking_id, {"persons": Change(1, 2)})
        await desks.open_booking(booking_id)
        await desks.press(*["ctrl+t"] * 5)
        await desks.here.until(lambda: desks.screen.query_one(History).table.row_count > 1, "history")
        text = desks.here.text()
        for words in (
            "Ben Beispiel",
            "Personen",
            "vorher",
            "Buchung angelegt",
            "bestätigt",
            "Zimmer",
            "2 [Wendelstein]",
            "Huber, Anton",
        ):
            assert words in text, words
        await desks.press("ctrl+t")
        assert desks.screen.query_one(TabbedContent).active == "tab-stay"


async def test_the_calendar_shows_what_is_taken_and_fills_the_dates(database: TestDatabase) -> None:
    async with house(database) as desks:
        await book(desks.ben, desks.house.huber, desks.house.double, 4)
        await desks.open_booking(room_id=desks.house.double, arrival=in_days(0), departure=in_days(2))
        await desks.press("ctrl+o")
        await desks.here.until(lambda: isinstance(desks.screen, CalendarDialog), "calendar")
        await desks.here.sees(" 7╳ 8╳ 9╳")
        await desks.press("enter", "right", "right", "right", "right", "right")
        await desks.here.sees("Darin ist das Zimmer belegt")
        await desks.press("left", "enter")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        form = desks.form
        assert isinstance(form, BookingForm)
        assert form.period == (in_days(0), in_days(4))


async def test_the_calendar_gives_one_day_to_other_date_fields(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking(arrival=in_days(0), departure=in_days(2))
        desks.form.field("cleaning_date").editor_widget.focus()
        await desks.press("ctrl+o")
        await desks.here.until(lambda: isinstance(desks.screen, CalendarDialog), "calendar")
        await desks.press("down", "enter")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        assert desks.form.field("cleaning_date").value == in_days(7)


async def test_admins_delete_what_was_booked_by_mistake(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        used, mistaken = [
            await book(desks.ben, desks.house.huber, desks.house.single, day) for day in (0, 10)
        ]
        await desks.ben.bookings.check_in(used)
        for booking, words in ((used, "Der Gast war schon im Haus"), (mistaken, "gelöscht.")):
            screen = await desks.open_booking(booking)
            await desks.here.app.run_action("delete", screen)
            await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
            await desks.press("j")
            await desks.toast(words)
        assert await desks.ben.bookings.get(used)
        with pytest.raises(RecordMissing):
            await desks.ben.bookings.get(mistaken)


async def test_users_are_not_offered_to_delete_a_booking(database: TestDatabase) -> None:
    async with house(database, user="anna") as desks:
        screen = await desks.open_booking(await book(desks.ben, desks.house.huber, desks.house.single, 0))
        assert "delete" not in {action.method for action, _node in offers(desks.here.app, screen)}
        screen.action_delete()
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.toast("Dafür fehlt Ihnen die Berechtigung")
