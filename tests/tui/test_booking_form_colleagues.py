"""The booking form on a real database: what colleagues do meanwhile, and a session that ends."""

from __future__ import annotations

import asyncpg

from dpolg_tui.domain.merge import Change
from dpolg_tui.tui.dialogs.conflict import ConflictDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from tests.databases import TestDatabase
from tests.tui.forms_house import book, choose_guest, german, house, in_days, left


async def test_only_what_changed_is_sent_and_others_are_merged(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "Hund [bellt]")
        await desks.ben.bookings.save(booking_id, {"persons": Change(1, 2)})
        await desks.toast("Ben Beispiel hat geändert: Personen.")
        assert desks.form.field("persons").value == 2
        assert desks.form.field("notes").raw == "Hund [bellt]"
        await desks.press("ctrl+s")
        await left(desks)
        booking = await desks.ben.bookings.get(booking_id)
        assert (booking.persons, booking.notes) == (2, "Hund [bellt]")


async def test_the_same_field_is_chosen_field_by_field(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "meins")
        await desks.type_into("cleaning_date", german(4))
        await desks.ben.bookings.save(
            booking_id,
            {"notes": Change(None, "[/b] bens"), "cleaning_date": Change(None, in_days(5))},
        )
        await desks.toast("Ihre Eingabe bleibt stehen")
        assert desks.form.field("notes").raw == "meins"
        await desks.here.sees("Ben Beispiel hat gespeichert:")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, ConflictDialog), "conflict")
        await desks.here.sees("Ben Beispiel hat inzwischen gespeichert")
        for words in ("● meins", "○ [/b] bens", "● 07.03.2031", "○ 08.03.2031", "–"):
            assert words in desks.here.text(), words
        rows = {str(key.value): index for index, key in enumerate(desks.screen.query_one("DataTable").rows)}
        assert set(rows) == {"notes", "cleaning_date"}
        await desks.press(*["down"] * rows["cleaning_date"], "g", "ctrl+s")
        await left(desks)
        booking = await desks.ben.bookings.get(booking_id)
        assert (booking.notes, booking.cleaning_date) == ("meins", in_days(5))


async def test_going_back_from_a_conflict_saves_nothing_and_keeps_all(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "meins")
        await desks.ben.bookings.save(booking_id, {"notes": Change(None, "bens")})
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, ConflictDialog), "conflict")
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        assert desks.form.field("notes").raw == "meins"
        assert "bens" in desks.form.field("notes").hint
        assert (await desks.ben.bookings.get(booking_id)).notes == "bens"


async def test_a_taken_room_names_who_has_it_and_keeps_the_form(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking(room_id=desks.house.single, arrival=in_days(0), departure=in_days(3))
        await choose_guest(desks, "Yilmaz", "Yılmaz [VIP], Ayşe")
        await desks.type_into("notes", "bleibt")
        await book(desks.ben, desks.house.huber, desks.house.single, 1)
        await desks.press("ctrl+s")
        await desks.here.sees("Huber")
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        assert "Huber" in desks.form.field("room_id").error
        assert desks.form.field("notes").raw == "bleibt"


async def test_an_ended_session_keeps_the_form(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "bleibt stehen")
        owner = await asyncpg.connect(database.superuser_dsn)
        await owner.execute(
            "UPDATE auth.sessions SET ended_at = now() WHERE user_id = "
            "(SELECT id FROM auth.users WHERE username = 'anna')"
        )
        await owner.close()
        await desks.press("ctrl+s")
        await desks.here.until(lambda: not desks.screen._saving, "answer")  # type: ignore[attr-defined]
        assert desks.form.field("notes").raw == "bleibt stehen"
        assert desks.form.dirty
        user = database.users["anna"]
        await desks.here.desk.unlock(user.password)
        await desks.press("ctrl+s")
        await left(desks)
        assert (await desks.ben.bookings.get(booking_id)).notes == "bleibt stehen"


async def test_a_deleted_booking_says_so_and_keeps_the_text(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "steht noch")
        await desks.here.desk.bookings.delete(booking_id)
        await desks.press("ctrl+s")
        await desks.toast("gelöscht")
        assert desks.form.field("notes").raw == "steht noch"


async def test_a_renamed_guest_is_renamed_in_the_open_form(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.ben.guests.save(desks.house.huber, {"last_name": Change("Huber", "Huber-[Lang]")})
        await desks.here.sees("Huber-[Lang], Anton")
        assert not desks.form.dirty
