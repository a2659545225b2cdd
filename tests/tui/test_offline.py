"""A desk with a screen whose line is cut: typing goes on, saving queues, and the screen says so."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from dpolg_tui.db.state import Phase
from dpolg_tui.domain.merge import Change
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.missed import MissedDialog
from dpolg_tui.tui.dialogs.queue import QueueDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.chart import ChartScreen
from tests.databases import TestDatabase
from tests.tui.forms_house import book, in_days
from tests.tui.offline_desk import cut_off, offline


async def notes_of(database: TestDatabase, booking: int) -> list[str]:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        return [
            row["notes"]
            for row in await owner.fetch(
                "SELECT new_data ->> 'notes' AS notes FROM app.audit_log "
                "WHERE table_name = 'bookings' AND record_id = $1 AND operation = 'UPDATE'",
                booking,
            )
        ]
    finally:
        await owner.close()


async def test_typing_goes_on_without_a_line_and_is_saved_once(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        booking = await book(desks.ben, desks.house.huber, desks.house.single, 0)
        screen = await desks.open_booking(booking)
        await desks.type_into("notes", "Hund")
        await offline(desks, proxy)
        await desks.here.sees("offline seit")
        await desks.type_into("notes", "Hund und Katze")
        await desks.press("ctrl+s")
        await desks.toast("vorgemerkt: wird gesendet, sobald die Verbindung wieder da ist")
        await desks.here.until(lambda: desks.screen is not screen, "form closed")
        await desks.here.sees("1 vorgemerkt")
        await desks.here.sees("Stand ")
        await proxy.accept()
        await desks.toast("Gesendet und gespeichert: Buchung ")
        await desks.here.sees("gespeichert")
        assert (await desks.ben.bookings.get(booking)).notes == "Hund und Katze"
        assert await notes_of(database, booking) == ["Hund und Katze"]


async def test_the_search_jumps_to_a_bar_that_is_known_without_a_line(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        desk = desks.here.desk
        arrival = desk.today() + timedelta(90)
        await book(desks.ben, desks.house.huber, desks.house.single, (arrival - in_days(0)).days)
        await desks.here.until(lambda: desk.store.occupancies, "bar")
        await offline(desks, proxy)
        await desks.press("slash", *"hub")
        await desks.here.sees("Huber, Anton")
        await desks.press("enter")
        await desks.here.until(
            lambda: isinstance(desks.screen, ChartScreen) and desks.screen.chart.cursor.day == arrival,
            "jumped",
        )


async def test_what_no_longer_fits_opens_with_what_was_typed(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        await desks.open_booking(room_id=desks.house.double, arrival=in_days(0), departure=in_days(3))
        await desks.type_into("guest_id", "hub")
        await desks.here.sees("Huber, Anton")
        await desks.press("enter")
        await offline(desks, proxy)
        await desks.type_into("notes", "spät da")
        await desks.press("ctrl+s")
        await desks.toast("vorgemerkt")
        await book(desks.ben, desks.house.yilmaz, desks.house.double, 1)
        await proxy.accept()
        await desks.toast("Passt nicht mehr: Neue Buchung Huber, Anton")
        desks.here.app.action_queue()
        await desks.here.until(lambda: isinstance(desks.screen, QueueDialog), "queue")
        await desks.here.sees("Huber, Anton, 2 [Wendelstein]")
        await desks.here.until(lambda: "Yılmaz" in desks.here.text(), "who has the room")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        await desks.here.until(lambda: desks.form.field("guest_id").peek == desks.house.huber, "guest")
        assert desks.form.values()["notes"] == "spät da"
        desks.form.put({"arrival": in_days(10), "departure": in_days(12)})
        await desks.press("ctrl+s")
        await desks.here.until(lambda: not isinstance(desks.screen, BookingScreen), "saved")
        assert desks.here.desk.outbox.items == ()
        found = await desks.ben.bookings.search("Huber")
        assert [one.arrival for one in found] == [in_days(10)]


async def test_a_queued_change_can_be_discarded(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        await offline(desks, proxy)
        await desks.open(GuestDialog())
        await desks.type_into("last_name", "Neumann")
        await desks.press("ctrl+s")
        await desks.toast("Gast vorgemerkt")
        desks.here.app.action_queue()
        await desks.here.sees("Neuer Gast Neumann")
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.here.sees("Es ist nichts vorgemerkt")


async def test_what_happened_meanwhile_is_told_in_one_line(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        booking = await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await desks.here.until(lambda: desks.here.desk.connection.phase is Phase.CONNECTED, "connected")
        await offline(desks, proxy)
        await desks.ben.bookings.save(booking, {"notes": Change(None, "Hund")})
        await desks.ben.guests.save(desks.house.yilmaz, {"city": Change(None, "Ulm")})
        await proxy.accept()
        await desks.toast("Während der Unterbrechung: 2 Änderungen (Ben Beispiel)")
        desks.here.app.action_missed()
        await desks.here.until(lambda: isinstance(desks.screen, MissedDialog), "list")
        await desks.here.sees("Gast")
