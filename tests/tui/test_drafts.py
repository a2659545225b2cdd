"""What is typed and not saved outlives the program: signals, defects, a full disk."""

from __future__ import annotations

import asyncpg
import pytest

from dpolg_tui import locations
from dpolg_tui.desk import Desk
from dpolg_tui.desk.drafts import Draft
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.drafting import DraftsDialog, keep_drafts
from dpolg_tui.tui.screens.booking import BookingScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import Desks, House, book, furnish, in_days, signed_in


async def sign_in(here: Running, database: TestDatabase, user: str = "anna") -> None:
    await here.sign_in(user, database.users[user].password)


async def test_forms_of_a_program_that_was_ended_are_offered_at_the_next_start(
    database: TestDatabase,
) -> None:
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        booking = await book(ben, house.huber, house.single, 0, notes="Hund")
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            await desks.open_booking(booking)
            await desks.type_into("notes", "Hund und Katze")
            await desks.open(GuestDialog())
            await desks.type_into("last_name", "Neumann")
            here.app.leave_at_once()  # SIGTERM, SIGHUP, a closed window
        user = database.users["anna"]
        (file,) = locations.state_directory().glob("drafts/*.json")
        assert file.stat().st_mode & 0o777 == 0o600
        async with running(config_for(database)) as here:
            await sign_in(here, database, "ben")
            await here.pilot.pause(0.2)
            assert not isinstance(here.app.screen, DraftsDialog), "of another user"
        async with running(config_for(database)) as here:
            await sign_in(here, database, user.username)
            desks = Desks(here, ben, house)
            await here.until(lambda: isinstance(here.app.screen, DraftsDialog), "question")
            await here.sees("Neuer Gast")
            await desks.press("escape")
            assert file.exists(), "not now is not never"
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            await here.until(lambda: isinstance(here.app.screen, DraftsDialog), "question")
            await desks.press("enter")
            await here.until(lambda: isinstance(desks.screen, GuestDialog), "guest")
            assert desks.form.values()["last_name"] == "Neumann"
            await desks.press("ctrl+s")
            await here.until(lambda: isinstance(desks.screen, BookingScreen), "booking")
            await here.until(lambda: desks.form.ready and desks.form.dirty, "typed again")
            assert {name: change.after for name, change in desks.form.changes().items()} == {
                "notes": "Hund und Katze"
            }
            await desks.press("ctrl+s")
            await here.until(lambda: not isinstance(desks.screen, BookingScreen), "saved")
            here.app.leave_at_once()
        assert not file.exists()
        assert (await ben.bookings.get(booking)).notes == "Hund und Katze"


async def end_by_a_defect(database: TestDatabase, ben: Desk, house: House) -> None:
    async with running(config_for(database)) as here:
        await sign_in(here, database)
        desks = Desks(here, ben, house)
        await desks.open_booking(room_id=house.double, arrival=in_days(0), departure=in_days(3))
        await desks.type_into("guest_id", "hub")
        await here.sees("Huber, Anton")
        await desks.press("enter")
        here.app.call_later(lambda: 1 // 0)
        await here.pilot.pause(0.5)


async def test_a_defect_keeps_a_new_booking_with_its_guest(database: TestDatabase) -> None:
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        with pytest.raises(ZeroDivisionError):
            await end_by_a_defect(database, ben, house)
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            await here.until(lambda: isinstance(here.app.screen, DraftsDialog), "question")
            await desks.press("enter")
            await here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
            await here.until(lambda: desks.form.field("guest_id").peek == house.huber, "guest")
            stay = desks.form.values()["stay/new"]
            assert stay == {"room_id": house.double, "arrival": in_days(0), "departure": in_days(3)}


async def test_a_form_that_is_just_closing_holds_nothing_to_keep(database: TestDatabase) -> None:
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            screen = await desks.open_booking(room_id=house.double, arrival=in_days(0), departure=in_days(3))
            await desks.type_into("notes", "Hund")
            assert screen in here.app.dirty_screens
            await screen.form.remove()  # as when it closes: the fields go first
            assert here.app.dirty_screens == []
            keep_drafts(here.app)


async def test_a_full_disk_is_said_once_and_the_form_stays(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            await desks.open(GuestDialog())
            await desks.type_into("last_name", "Neumann")

            def full(*_: object) -> None:
                raise OSError(28, "No space left on device")

            monkeypatch.setattr("os.fsync", full)
            keep_drafts(here.app)
            keep_drafts(here.app)
            await desks.toast("bitte bald speichern")
            assert desks.form.values()["last_name"] == "Neumann"


async def restored_since(database: TestDatabase) -> None:
    """A restore of a backup from before the last booking."""
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("SELECT auth.after_restore()")
    finally:
        await owner.close()


async def test_forms_from_before_a_restore_are_opened_with_a_warning_or_shown(
    database: TestDatabase,
) -> None:
    """What belongs to a record that did not come back has no form: what was typed can be read, and stays."""
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        booking = await book(ben, house.huber, house.single, 0)
        async with running(config_for(database)) as here:
            await sign_in(here, database)
            desks = Desks(here, ben, house)
            await desks.open_booking(booking)
            await desks.type_into("notes", "Hund und Katze")
            keep_drafts(here.app)
            gone = Draft(
                "booking",
                4711,
                "Buchung 2026-9",
                {"notes": "spät\nan", "room_id": house.double, "guest_id": [7, "Maier, Eva"], "persons": ""},
                id="gone",
            )
            here.desk.drafts.keep([*here.desk.drafts._open, gone])
            # Killed: nothing more is written.
            kept = locations.private_file("drafts", here.desk.instance, here.desk.user.id)
            text = kept.read_text()
        kept.write_text(text)
    await restored_since(database)
    async with signed_in(database, "ben") as ben, running(config_for(database)) as here:
        await sign_in(here, database)
        desks = Desks(here, ben, house)
        await here.until(lambda: isinstance(here.app.screen, DraftsDialog), "question")
        await here.sees("Buchung 2026-9 (von vor der Wiederherstellung)")
        await desks.press("enter")
        await here.sees("Eingaben ohne Formular")
        for words in ("Den Eintrag gibt es", "Notizen: spät an", "Gast: Maier, Eva"):
            await here.sees(words)
        await desks.press("enter")
        await here.until(lambda: isinstance(desks.screen, BookingScreen) and desks.form.dirty, "form")
        await here.sees("ob dies noch derselbe")
        here.app.leave_at_once()
    async with signed_in(database, "ben") as ben, running(config_for(database)) as here:
        await sign_in(here, database)
        await here.until(lambda: isinstance(here.app.screen, DraftsDialog), "question")
        assert sorted(one.title for one in here.desk.drafts.pending)[1] == "Buchung 2026-9"
        assert len(here.desk.drafts.pending) == 2
