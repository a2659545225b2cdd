"""The tabs of the booking form: prices, payments, companions, reminders; by keyboard, at 80×24."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest
from textual.widgets import DataTable, Static, TabbedContent

from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Priority
from dpolg_tui.tui.dialogs.reminder import ReminderDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.booking_tabs import SECTIONS, TABS
from dpolg_tui.tui.widgets.booking_sections import BookingSection, ReminderTable
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house, in_days

PRICES, PAYMENTS, COMPANIONS, REMINDERS = 1, 2, 3, 4
"""How often Strg+T goes there from the stay."""


async def turn_to(desks: Desks, times: int) -> BookingSection:
    """To a tab by keyboard; its section, once the cursor is in it."""
    await desks.press(*["ctrl+t"] * times)
    kind = list(SECTIONS.values())[times - 1][1]
    await desks.here.until(
        lambda: desks.screen.query(kind) and desks.screen.query_one(kind).table.has_focus, "section"
    )
    return desks.screen.query_one(kind)


async def furnish_booking(database: TestDatabase, booking_id: int) -> None:
    """What the data migration brings: lines, payments, companions, a payer, credit."""
    owner = await asyncpg.connect(database.superuser_dsn)
    await owner.execute(
        "INSERT INTO app.price_lines"
        " (booking_id, position, kind, label, quantity, unit_price, amount, percentage)"
        " VALUES ($1, 1, 'nights', 'Nächte Nebensaison', 3, 60, 180, NULL),"
        " ($1, 2, 'service', 'Hund [groß]', 2.5, 10, 25, NULL),"
        " ($1, 3, 'member_discount', 'Mitgliedsrabatt', 1, -27, -27, 15)",
        booking_id,
    )
    await owner.execute(
        "INSERT INTO app.payments (booking_id, amount, paid_on, method, notes)"
        " VALUES ($1, 100.5, '2031-01-02', 'Überweisung', 'Anzahlung [/b]')",
        booking_id,
    )
    await owner.execute(
        "INSERT INTO app.booking_companions (booking_id, last_name, first_name, date_of_birth)"
        " VALUES ($1, 'Huber [VIP]', 'Kim', '2015-05-05')",
        booking_id,
    )
    await owner.execute(
        "WITH p AS (INSERT INTO app.payers (name) VALUES ('Stiftung Süd') RETURNING id)"
        " UPDATE app.bookings b SET payer_id = p.id, invoice_sent_on = '2031-01-03',"
        " invoice_sent_to = 'kasse@example.org', dunning_sent_on = '2031-02-01' FROM p WHERE b.id = $1",
        booking_id,
    )
    await owner.execute(
        "INSERT INTO app.credit_transactions (guest_id, amount, kind)"
        " SELECT b.guest_id, 20, 'added' FROM app.bookings b WHERE b.id = $1",
        booking_id,
    )
    await owner.close()


async def test_migrated_prices_payments_and_companions_are_shown(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await furnish_booking(database, booking_id)
        await desks.open_booking(booking_id)
        await desks.here.sees("178,00 €")
        await turn_to(desks, PRICES)
        await desks.here.sees("Mitgliedsrabatt")
        text = desks.here.text()
        for words in (
            "◐ teilweise · Summe 178,00 € · bezahlt 100,50 € · offen 77,50 €",
            "Zahler Stiftung Süd · Guthaben des Gastes 20,00 €",
            "Hund [groß]",
            "2,5",
            "15 %",
            "-27,00 €",
            "180,00 €",
        ):
            assert words in text, words
        await desks.press("right")
        await desks.here.sees("Anzahlung [/b]")
        assert "Do 02.01.2031" in desks.here.text()
        assert "Überweisung" in desks.here.text()
        assert "Rechnung verschickt am 03.01.2031 an kasse@example.org" in desks.here.text()
        assert "Zahlungserinnerung verschickt am 01.02.2031" in " ".join(desks.here.text().split())
        await desks.press("right")
        await desks.here.sees("Huber [VIP]")
        assert "05.05.2015" in desks.here.text()
        assert "1 eingetragen" in desks.here.text()
        assert not desks.form.dirty


async def test_without_stored_lines_the_price_is_an_information(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await turn_to(desks, PRICES)
        await desks.here.sees("nur Information")
        assert "180,00 €" in desks.here.text()
        assert "Endreinigung" in desks.here.text()
        assert "Summe 210,00 €" in desks.here.text()


async def test_a_new_booking_has_sections_too(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        await turn_to(desks, PRICES)
        await desks.here.sees("sobald Zimmer und Zeitraum gewählt sind")
        await desks.press("ctrl+t", "ctrl+t", "ctrl+t")
        await desks.here.sees("Die Buchung ist noch nicht gespeichert. Erinnerungen gibt es danach.")
        await desks.press("n")
        await desks.toast("zuerst speichern")
        assert isinstance(desks.screen, BookingScreen)


async def test_all_titles_fit_and_the_keys_go_round(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        for number in range(12):
            await desks.ben.reminders.add(booking_id, f"Nr. {number}", in_days(number))
        await desks.open_booking(booking_id)
        desks.form.field("persons").editor_widget.focus()
        await desks.here.sees("Erinnerungen 9+")
        for title in ("Aufenthalt", "Leistungen & Preis", "Zahlungen", "Begleitpersonen", "Verlauf"):
            assert title in desks.here.text(), title
        tabs = desks.screen.query_one(TabbedContent)
        for name in (*TABS[1:], TABS[0]):
            await desks.press("ctrl+t")
            await desks.here.until(lambda name=name: tabs.active == name, name)
        await desks.here.until(lambda: desks.form.field("persons").editor_widget.has_focus, "where it was")
        await turn_to(desks, PAYMENTS)
        await desks.press("left")
        await desks.here.until(lambda: tabs.active == "tab-prices", "back")


async def test_a_reminder_is_added_by_keyboard(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        section = await turn_to(desks, REMINDERS)
        await desks.here.sees("Keine Erinnerungen. n legt eine an.")
        assert "n neu  Enter öffnen  Leer erledigt" in desks.here.text()
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, ReminderDialog), "dialog")
        await desks.press("ctrl+s")
        await desks.here.sees("Titel fehlt")
        await desks.press(*"Anruf", "tab", *"31.2.", "ctrl+s")
        await desks.here.sees("31.02.")
        await desks.type_into("due_date", "morgen")
        await desks.press("ctrl+s")
        await desks.toast("Erinnerung gespeichert.")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "back")
        await desks.here.sees("Anruf")
        tomorrow = desks.here.desk.today() + timedelta(1)
        assert format_date(tomorrow) in desks.here.text()
        await desks.here.sees("Erinnerungen 1")
        assert section.table.has_focus
        reminder = (await desks.ben.bookings.get(booking_id)).reminders[0]
        assert (reminder.title, reminder.due_date) == ("Anruf", tomorrow)
        assert reminder.priority is Priority.MEDIUM


async def test_space_completes_and_opens_again(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        today = desks.here.desk.today()
        for title, due in (
            ("spät", today - timedelta(2)),
            ("heute", today),
            ("später", today + timedelta(5)),
        ):
            await desks.ben.reminders.add(booking_id, title, due, priority=Priority.HIGH)
        await desks.open_booking(booking_id)
        await turn_to(desks, REMINDERS)
        await desks.here.sees("! überfällig · hoch")
        assert "● heute fällig · hoch" in desks.here.text()
        assert "○ offen · hoch" in desks.here.text()
        await desks.press("down", "space")
        await desks.toast("Erinnerung erledigt.")
        await desks.here.sees("✓ erledigt Anna Beispiel")
        await desks.here.sees("Erinnerungen 2")
        # The cursor went along with its reminder: the same key takes it back.
        await desks.press("space")
        await desks.toast("wieder offen")
        await desks.here.sees("● heute fällig")
        assert not any(it.completed for it in (await desks.ben.bookings.get(booking_id)).reminders)


async def test_enter_opens_a_reminder_and_colleagues_meet_in_it(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        added = await desks.ben.reminders.add(booking_id, "Anruf", in_days(0))
        assert added.id is not None
        await desks.open_booking(booking_id)
        await turn_to(desks, REMINDERS)
        await desks.here.sees("Anruf")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, ReminderDialog), "dialog")
        await desks.here.until(lambda: desks.form.ready, "read")
        await desks.type_into("snoozed_until", format_date(in_days(4)))
        await desks.ben.reminders.save(added.id, {"title": Change("Anruf", "Anruf [Ben]")})
        await desks.here.until(lambda: desks.form.field("title").raw == "Anruf [Ben]", "followed")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "back")
        await desks.here.sees(f"◷ zurück bis {format_date(in_days(4))}")
        await desks.here.sees("Anruf [Ben]")


async def test_a_colleagues_reminder_appears_and_moves_nothing(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        other = await book(desks.ben, desks.house.yilmaz, desks.house.single, 0)
        for number in range(20):
            await desks.ben.reminders.add(booking_id, f"Nr. {number}", in_days(number))
        await desks.open_booking(booking_id)
        section = await turn_to(desks, REMINDERS)
        await desks.press("end", "up")
        table = section.table
        marked, line = table.record_id, table.cursor_row - table.scroll_y
        await desks.ben.reminders.add(other, "andere Buchung", in_days(-3))
        first = await desks.ben.reminders.add(booking_id, "[/b] von Ben", in_days(-2))
        await desks.toast("Ben Beispiel hat eine Erinnerung dieser Buchung angelegt.")
        await desks.here.until(lambda: table.row_count == 21, "appeared")
        assert (table.record_id, table.cursor_row - table.scroll_y) == (marked, line)
        assert first.id is not None
        await desks.ben.reminders.complete(first.id)
        await desks.toast("Erinnerung dieser Buchung geändert.")
        await desks.press("end")
        await desks.here.sees("✓ erledigt Ben Beispiel")
        assert not desks.form.dirty


async def test_typed_text_stays_when_a_reminder_arrives(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "mitten im Satz")
        await desks.ben.reminders.add(booking_id, "Anruf", in_days(0))
        await desks.here.sees("Erinnerungen 1")
        assert desks.form.field("notes").raw == "mitten im Satz"
        assert desks.form.field("notes").editor_widget.has_focus
        assert not desks.screen.query(ReminderTable)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
async def test_history_tells_of_reminders_in_words(database: TestDatabase, size: tuple[int, int]) -> None:
    async with house(database, size=size) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        added = await desks.ben.reminders.add(booking_id, "Anruf", in_days(0), priority=Priority.HIGH)
        assert added.id is not None
        await desks.ben.reminders.complete(added.id)
        await desks.open_booking(booking_id)
        screen = desks.screen
        assert isinstance(screen, BookingScreen)
        screen.action_to_history()
        await desks.here.sees("Erinnerung: Erledigt")
        for words in ("Erinnerung angelegt", "Erinnerung: Titel", "Erinnerung: Vorrang"):
            # In a narrow terminal the column cuts them; the marked line stands below in full.
            assert words[:15] in desks.here.text(), words


async def test_stored_amounts_stand_beside_the_stay(database: TestDatabase) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.double, 0)
        await furnish_booking(database, booking_id)
        await desks.open_booking(booking_id)
        facts = str(desks.screen.query_one("#booking-facts", Static).content)
        assert "Summe" + "178,00 €".rjust(21) in facts
        assert "offen" + "77,50 €".rjust(21) in facts
        assert "Nur Information" not in facts
        booking = await desks.ben.bookings.get(booking_id)
        assert booking.total == Decimal("178.00")
        assert desks.screen.query(DataTable)
