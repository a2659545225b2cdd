"""The queue on the screen: bars that wait, what does not fit any more, and ways out of it."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest

from dpolg_tui.db.state import Phase
from dpolg_tui.desk import Desk
from dpolg_tui.desk.offline import State
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.conflict import ConflictDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.queue import QueueDialog
from dpolg_tui.tui.dialogs.queued import QueuedDialog
from dpolg_tui.tui.dialogs.reminder import ReminderDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.chart import ChartScreen
from tests.databases import TestDatabase
from tests.desk.test_restored import restore
from tests.tui.desk_app import config_for, running
from tests.tui.forms_house import Desks, book, furnish, house, in_days, signed_in
from tests.tui.offline_desk import cut_off, offline, through
from tests.tui.test_booking_sections import REMINDERS, turn_to
from tools.wire_proxy import wire_proxy


async def open_queue(desks: Desks) -> None:
    desks.here.app.action_queue()
    await desks.here.until(lambda: isinstance(desks.screen, QueueDialog), "queue")


async def booked_here(desk: Desk, guest: int, room: int, first: int) -> int:
    day = desk.today() + timedelta(first)
    stay = {"room_id": room, "arrival": day, "departure": day + timedelta(3)}
    result = await desk.bookings.create({"guest_id": guest, "persons": 1, "stay/new": stay})
    assert result.outcome is Outcome.DONE
    return result.id or 0


async def test_a_booking_made_without_a_line_has_its_bar_until_strg_z(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        await desks.here.until(lambda: desks.here.desk.listening, "listening")
        today = desks.here.desk.today()
        await desks.open_booking(room_id=desks.house.double, arrival=today, departure=today + timedelta(3))
        await desks.type_into("guest_id", "hub")
        await desks.here.sees("Huber, Anton")
        await desks.press("enter")
        await offline(desks, proxy)
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, ChartScreen), "chart")
        await desks.here.sees("↑ Huber")
        await desks.here.sees("1 vorgemerkt")
        await desks.press("ctrl+z")
        await desks.toast("Zurückgenommen, wird nicht gesendet: Neue Buchung Huber, Anton")
        await desks.here.until(lambda: "↑ Huber" not in desks.here.text(), "no bar")
        assert desks.here.desk.outbox.items == ()


async def test_a_refused_swap_shows_what_was_wanted_and_jumps_to_who_is_in_the_way(
    database: TestDatabase,
) -> None:
    async with cut_off(database) as (desks, proxy):
        desk, ben = desks.here.desk, desks.ben
        one = await booked_here(ben, desks.house.huber, desks.house.single, 1)
        two = await booked_here(ben, desks.house.yilmaz, desks.house.double, 2)
        await desks.here.until(lambda: desk.store.of_booking(one) and desk.store.of_booking(two), "both bars")
        bars = desk.store.of_booking(one)[0], desk.store.of_booking(two)[0]
        await offline(desks, proxy)
        result = await desk.bookings.swap(*bars)
        assert result.outcome is Outcome.QUEUED
        day = ben.today()
        await ben.blocks.create(
            desks.house.double, day + timedelta(1), day + timedelta(2), Kind.OUT_OF_ORDER, "Rohrbruch"
        )
        await proxy.accept()
        await desks.toast("Passt nicht mehr")
        await open_queue(desks)
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, QueuedDialog), "what was wanted")
        for words in ("Gewollt:", "Huber: 1 Zugspitze", "→ 2 [Wendelstein]", "Im Weg: ", "Rohrbruch"):
            await desks.here.sees(words)
        await desks.press("enter")  # to the chart
        await desks.here.until(lambda: isinstance(desks.screen, ChartScreen), "chart")
        screen = desks.screen
        assert isinstance(screen, ChartScreen)

        def found() -> bool:
            bar = screen.chart.occupancy_under_cursor()
            return bar is not None and bar.reason == "Rohrbruch"

        await desks.here.until(found, "the block under the cursor")
        await desks.press("escape")
        await open_queue(desks)
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.here.sees("Es ist nichts vorgemerkt")


async def test_a_refused_one_is_sent_again_when_the_room_is_free(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        desk, ben = desks.here.desk, desks.ben
        one = await booked_here(ben, desks.house.huber, desks.house.single, 1)
        await desks.here.until(lambda: desk.store.of_booking(one), "bar")
        bar = desk.store.of_booking(one)[0]
        await offline(desks, proxy)
        await desk.bookings.move(bar, desks.house.double, bar.arrival, bar.departure)
        two = await booked_here(ben, desks.house.yilmaz, desks.house.double, 2)
        await proxy.accept()
        await desks.toast("Passt nicht mehr")
        await ben.bookings.cancel(two, "abgesagt")
        await open_queue(desks)
        await desks.press("space")
        await desks.here.until(lambda: isinstance(desks.screen, QueuedDialog), "what was wanted")
        await desks.here.pilot.click("#send")
        await desks.here.until(lambda: not desk.outbox.items, "sent")
        assert desk.store.of_booking(one)[0].room_id == desks.house.double


@pytest.mark.long
async def test_a_queued_reminder_that_a_colleague_changed_opens_with_what_was_typed(
    database: TestDatabase,
) -> None:
    async with cut_off(database) as (desks, proxy):
        desk, ben = desks.here.desk, desks.ben
        booking = await book(ben, desks.house.huber, desks.house.single, 0)
        added = await ben.reminders.add(booking, "Anruf", in_days(0))
        await desks.open_booking(booking)
        await turn_to(desks, REMINDERS)
        await desks.here.sees("Anruf")
        await offline(desks, proxy)
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, ReminderDialog) and desks.form.ready, "form")
        await desks.type_into("title", "Anruf von Anna")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "queued")
        await desks.here.until(lambda: "↑ offen" in desks.here.text(), "marked")
        await ben.reminders.save(added.id or 0, {"title": Change("Anruf", "Anruf von Ben")})
        await proxy.accept()
        await desks.toast("Passt nicht mehr: Erinnerung Anruf: Titel Anruf von Anna.")
        await desks.here.until(lambda: "Anruf von Ben" in desks.here.text(), "theirs")
        assert "↑" not in desks.here.text()
        await open_queue(desks)
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, ReminderDialog) and desks.form.ready, "form")
        await desks.toast("Ben Beispiel hat inzwischen dasselbe geändert.")
        assert desks.form.values()["title"] == "Anruf von Anna"
        await desks.press("ctrl+s")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "saved")
        await desks.here.until(lambda: "Anruf von Anna" in desks.here.text(), "mine")
        assert desk.outbox.items == ()
        assert [one.title for one in (await ben.bookings.get(booking)).reminders] == ["Anruf von Anna"]


async def test_discarding_says_what_builds_on_it(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        desk = desks.here.desk
        await offline(desks, proxy)
        guest = await desk.guests.create({"last_name": "Neumann"})
        stay = {"room_id": desks.house.double, "arrival": in_days(0), "departure": in_days(2)}
        await desk.bookings.create({"guest_id": guest.id, "persons": 1, "stay/new": stay})
        await open_queue(desks)
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.here.sees("Darauf bauen auf und werden mit verworfen:")
        await desks.here.sees("• Neue Buchung Neumann")
        await desks.press("j")
        await desks.here.sees("Es ist nichts vorgemerkt")
        assert desk.outbox.items == ()


async def test_an_old_queue_is_shown_after_the_sign_in(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with running(through(database, proxy)) as here, signed_in(database, "ben") as ben:
            await here.sign_in("anna", database.users["anna"].password)
            desks = Desks(here, ben, await furnish(ben))
            await offline(desks, proxy)
            await desks.open(GuestDialog())
            await desks.type_into("last_name", "Neumann")
            await desks.press("ctrl+s")
            await desks.toast("Gast vorgemerkt")
            here.app.leave_at_once()
        await restore(database)
        await proxy.accept()
        async with running(through(database, proxy)) as here, signed_in(database, "ben") as ben:
            await here.sign_in("anna", database.users["anna"].password)
            desks = Desks(here, ben, desks.house)
            await here.until(lambda: isinstance(desks.screen, QueueDialog), "queue")
            await desks.toast("Die Datenbank wurde wiederhergestellt: bitte 1 vorgemerkte Änderung")
            await here.sees("Neuer Gast Neumann")
            assert [one.state for one in here.desk.outbox.items] == [State.OLD]
            await desks.press("enter")
            await here.until(lambda: isinstance(desks.screen, GuestDialog), "guest")
            assert desks.form.values()["last_name"] == "Neumann"
            assert await ben.guests.search("neumann") == []
            await desks.press("ctrl+s")
            await here.until(lambda: not isinstance(desks.screen, GuestDialog), "saved")
            assert here.desk.outbox.items == ()
            assert len(await ben.guests.search("neumann")) == 1


def deaf_to_colleagues(screen: BookingScreen) -> None:
    """As if the news were late."""
    screen.on_record_changed = Mock()  # type: ignore[method-assign]


async def two_stays(desks: Desks) -> tuple[int, str, str]:
    """A booking of two stays that follow each other, and their names."""
    booking_id = await book(desks.ben, desks.house.huber, desks.house.single, 0)
    stay = {"room_id": desks.house.double, "arrival": in_days(3), "departure": in_days(5)}
    await desks.ben.bookings.save(booking_id, {"stay/new": Change(None, stay)})
    stays = (await desks.ben.bookings.get(booking_id)).stays
    return booking_id, f"stay/{stays[0].id}", f"stay/{stays[1].id}"


async def remove(desks: Desks, booking_id: int, stay: str) -> None:
    known = next(one for one in (await desks.ben.bookings.get(booking_id)).stays if f"stay/{one.id}" == stay)
    before = {"room_id": known.room_id, "arrival": known.arrival, "departure": known.departure}
    result = await desks.ben.bookings.save(booking_id, {stay: Change(before, None)})
    assert result.outcome is Outcome.DONE


async def test_a_removed_stay_that_was_changed_here_is_made_anew_or_stays_away(
    database: TestDatabase,
) -> None:
    async with house(database) as desks:
        for key, stays in (("m", 2), ("g", 1)):
            booking_id, first, _ = await two_stays(desks)
            screen = await desks.open_booking(booking_id)
            deaf_to_colleagues(screen)
            desks.form.put({"departure": in_days(2)})
            await desks.type_into("notes", "Hund")
            await remove(desks, booking_id, first)
            await desks.press("ctrl+s")
            await desks.here.until(lambda: isinstance(desks.screen, ConflictDialog), "conflict")
            for words in ("● als neuer", "entfernt"):
                await desks.here.sees(words)
            await desks.press(key, "ctrl+s")
            await desks.here.until(lambda: not isinstance(desks.screen, ConflictDialog), "chosen")
            await desks.here.until(lambda: not isinstance(desks.screen, BookingScreen), "saved")
            booking = await desks.ben.bookings.get(booking_id)
            assert (len(booking.stays), booking.notes) == (stays, "Hund")
            assert (booking.stays[0].departure == in_days(2)) is (key == "m")
            await desks.ben.bookings.cancel(booking_id, "weiter")


async def test_a_queued_change_of_a_removed_stay_opens_with_what_was_typed(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        desk = desks.here.desk
        booking_id, first, _ = await two_stays(desks)
        await desk.bookings.get(booking_id)
        before = {"room_id": desks.house.single, "arrival": in_days(0), "departure": in_days(3)}
        await offline(desks, proxy)
        result = await desk.bookings.save(
            booking_id, {first: Change(before, {**before, "departure": in_days(2)})}
        )
        assert result.outcome is Outcome.QUEUED
        await remove(desks, booking_id, first)
        await proxy.accept()
        await desks.toast("Passt nicht mehr")
        await open_queue(desks)
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, BookingScreen), "form")
        await desks.here.until(lambda: desks.form.ready and desks.form.dirty, "typed again")
        assert desks.form.values()["stay/new"] == {**before, "departure": in_days(2)}
        await desks.press("ctrl+s")
        await desks.here.until(lambda: not isinstance(desks.screen, BookingScreen), "saved")
        assert desk.outbox.items == ()
        booking = await desks.ben.bookings.get(booking_id)
        assert [stay.departure for stay in booking.stays] == [in_days(2), in_days(5)]
        assert desk.connection.phase is Phase.CONNECTED
