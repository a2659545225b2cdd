"""Records of every kind as they will be while their writes wait; plain once, when the line is back."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import date, timedelta
from decimal import Decimal

import pytest

from dpolg_tui.db.state import Phase
from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.desk.known import DELETED_SOON
from dpolg_tui.domain.errors import OutcomeUnknown, Unreachable
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome, Priority, Reminder, Status
from tests.databases import TestDatabase
from tests.desk.offline import count, cut, desk_through
from tests.desk.test_queue import Cut, book, line_cut
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import furnish, signed_in
from tools.wire_proxy import wire_proxy

Shown = list[tuple[str, bool, bool]]


async def reminders(desk: Desk, booking_id: int | None) -> Shown:
    """Title, whether it is done, and whether it waits to be sent."""
    found = (await desk.bookings.get(booking_id or 0)).reminders
    return [(one.title, one.completed, one.queued) for one in found]


def told_of_reminders(now: Cut) -> list[tuple[int, int | None]]:
    heard = [event for event in now.heard if isinstance(event, RecordChanged)]
    now.heard.clear()
    return [(event.id, event.booking_id) for event in heard if event.kind == "reminder"]


async def test_reminders_are_shown_as_they_will_be_and_taken_back(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, booking = now.anna, now.booked.booking_id
        made = await anna.reminders.add(booking, "Kaution", now.day(3), priority=Priority.HIGH)
        assert made.outcome is Outcome.QUEUED
        number = made.id or 0
        assert await reminders(anna, booking) == [("Kaution", False, True)]
        assert told_of_reminders(now) == [(number, booking)]
        assert (await anna.reminders.get(number)).priority is Priority.HIGH
        await anna.reminders.complete(number)
        (done,) = (await anna.bookings.get(booking or 0)).reminders
        assert (done.completed, done.completed_by) == (True, "Anna Beispiel")
        await anna.reminders.save(number, {"title": Change("Kaution", "Kaution zurück")})
        assert await reminders(anna, booking) == [("Kaution zurück", True, True)]
        await anna.reminders.delete(number)
        assert await reminders(anna, booking) == []
        assert anna.known.refusal("reminder", number, "") == DELETED_SOON
        told_of_reminders(now)
        for shown in (("Kaution zurück", True), ("Kaution", True), ("Kaution", False), None):
            assert (await anna.undo.undo()).done
            assert told_of_reminders(now) == [(number, booking)]
            assert await reminders(anna, booking) == ([] if shown is None else [(*shown, True)])
        assert (await anna.undo.redo()).done
        assert (await anna.undo.redo()).done
        await now.sent()
        assert anna.outbox.items == ()
        assert await reminders(anna, booking) == [("Kaution", True, False)]
        assert await count(database, "app.reminders WHERE title = 'Kaution'") == 1
        # The line goes again: what was sent is known, though nobody has read the booking since.
        await cut(anna, now.proxy)
        assert await reminders(anna, booking) == [("Kaution", True, False)]


async def test_a_reminder_of_a_booking_made_without_a_line_goes_along(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna = now.anna
        booked = await book(anna, now.house.huber, now.house.double, 0)
        await anna.reminders.add(booked.id, "Kinderbett", now.day(0))
        assert await reminders(anna, booked.id) == [("Kinderbett", False, True)]
        await now.sent()
        assert anna.outbox.items == ()
        assert await reminders(anna, booked.id) == [("Kinderbett", False, False)]
        assert await count(database, "app.reminders WHERE title = 'Kinderbett'") == 1


async def test_what_a_colleague_did_to_the_same_reminder_is_shown_once_and_asked_about(
    database: TestDatabase,
) -> None:
    async with AsyncExitStack() as stack:
        now = await stack.enter_async_context(line_cut(database))
        anna, booking = now.anna, now.booked.booking_id
        admin = await stack.enter_async_context(signed_in(database, "admin"))
        await now.proxy.accept()
        await until(lambda: anna.connection.phase is Phase.CONNECTED, 20)
        await anna.bookings.get(booking or 0)
        kept = (await anna.reminders.add(booking, "Anruf", now.day(0))).id or 0
        gone = (await anna.reminders.add(booking, "Schlüssel", now.day(1))).id or 0
        await cut(anna, now.proxy)
        assert await reminders(anna, booking) == [("Anruf", False, False), ("Schlüssel", False, False)]
        await anna.reminders.save(kept, {"title": Change("Anruf", "Anruf Anna")})
        await anna.reminders.complete(gone)
        assert await reminders(anna, booking) == [("Anruf Anna", False, True), ("Schlüssel", True, True)]
        await admin.reminders.save(kept, {"title": Change("Anruf", "Anruf um zwei")})
        await admin.reminders.delete(gone)
        await now.proxy.accept()
        await until(lambda: not anna.outbox.waiting, 20)
        reasons = [one.reason for one in anna.outbox.items]
        assert reasons == [
            "Admin Beispiel hat inzwischen dasselbe geändert.",
            "Den Eintrag gibt es nicht mehr: er wurde inzwischen gelöscht.",
        ]
        assert await reminders(anna, booking) == [("Anruf um zwei", False, False)]


async def test_rooms_are_shown_as_they_will_be_and_can_be_booked(database: TestDatabase) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(wire_proxy(config_for(database).database.hosts[0]))
        admin = await stack.enter_async_context(desk_through(database, proxy, "admin"))
        house = await furnish(admin)
        before = admin.store.rooms[house.single]
        await cut(admin, proxy)
        heard: list[tuple[str, int]] = []
        admin.subscribe(
            lambda event: heard.append((event.kind, event.id)) if isinstance(event, RecordChanged) else None
        )
        await admin.rooms.save(
            house.single,
            {
                "name": Change(before.name, "1 Watzmann"),
                "price_low": Change(before.price_low, Decimal("47.50")),
                "key_code": Change(None, "4711"),
            },
        )
        changed = admin.store.rooms[house.single]
        assert (changed.name, changed.price_low, changed.has_key_code) == (
            "1 Watzmann",
            Decimal("47.50"),
            True,
        )
        assert changed.queued
        assert heard == [("room", house.single)]
        assert "4711" not in str(admin.outbox.items[-1].label)
        assert (await admin.undo.undo()).done
        assert admin.store.rooms[house.single] == before
        assert (await admin.undo.redo()).done
        values = {
            "name": "3 Hochfelln",
            "category": "EZ",
            "place": "Brannenburg",
            "capacity": 1,
            "price_low": Decimal("40.00"),
            "price_high": Decimal("40.00"),
        }
        made = await admin.rooms.create(values)
        room = admin.store.rooms[made.id or 0]
        assert (room.name, room.queued, room.id < 0) == ("3 Hochfelln", True, True)
        # It can be taken at once: by a guest, and by a block.
        today = admin.today()
        booked = await book(admin, house.huber, room.id, 0)
        await admin.blocks.create(room.id, today + timedelta(5), today + timedelta(6), Kind.HOUSE_USE, "Chor")
        assert len(admin.store.in_room(room.id, today, today + timedelta(9))) == 2
        await admin.rooms.delete(house.double)
        assert house.double not in admin.store.rooms
        assert (await admin.undo.undo()).done
        await proxy.accept()
        await until(lambda: not admin.outbox.waiting, 20)
        assert admin.outbox.items == ()
        real = admin.outbox.real_id(room.id)
        assert sorted(admin.store.rooms) == sorted([house.single, house.double, real])
        assert not any(one.queued for one in admin.store.rooms.values())
        assert admin.store.rooms[house.single].name == "1 Watzmann"
        bars = admin.store.in_room(real, today, today + timedelta(9))
        assert [(bar.booking_id, bar.queued) for bar in bars] == [
            (admin.outbox.real_id(booked.id or 0), False),
            (None, False),
        ]
        assert await count(database, "app.rooms") == 3


async def test_guests_and_blocks_are_listed_as_they_will_be(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, house = now.anna, now.house
        await anna.guests.save(house.huber, {"city": Change("Ulm", "Bonn")})
        made = await anna.guests.create({"last_name": "Neumann"})

        async def listed() -> list[tuple[str, str | None, bool]]:
            return [(one.name, one.city, one.queued) for one in await anna.guests.search("")]

        assert ("Neumann", None, True) in await listed()
        await anna.guests.delete(made.id or 0)
        assert "Neumann" not in [name for name, *_ in await listed()]
        assert (await anna.undo.undo()).done
        assert ("Neumann", None, True) in await listed()
        # A block beyond the days that the desk holds.
        first = now.day(400)
        await anna.blocks.create(house.double, first, first + timedelta(2), Kind.OUT_OF_ORDER, "Dach")

        async def blocks() -> list[tuple[date, str | None, bool]]:
            found = await anna.blocks.of_room(house.double, now.day(0), now.day(700))
            return [(one.arrival, one.reason, one.queued) for one in found]

        assert await blocks() == [(first, "Dach", True)]
        assert (await anna.undo.undo()).done
        assert await blocks() == []
        assert (await anna.undo.redo()).done
        await now.sent()
        assert anna.outbox.items == ()
        assert await blocks() == [(first, "Dach", False)]


async def test_a_search_finds_what_was_cancelled_or_booked_far_ahead(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna = now.anna
        await anna.bookings.cancel(now.booked.booking_id or 0, "krank")
        far = await book(anna, now.house.huber, now.house.single, 300)
        found = {one.id: one.status for one in await anna.bookings.search("huber")}
        assert found == {now.booked.booking_id: Status.CANCELLED, far.id: Status.CONFIRMED}


async def test_changes_of_the_same_field_are_told_apart(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, booking = now.anna, now.booked.booking_id or 0
        name = f"Buchung {now.booked.number} Huber: "
        notes = [
            "Hund",
            "Hund und Katze",
            "Kommt erst spät am Abend, bitte den Schlüssel hinterlegen",
            "Hund",
        ]
        before = None
        for text in notes:
            await anna.bookings.save(booking, {"notes": Change(before, text)})
            before = text
        labels = [one.label.removeprefix(name) for one in anna.outbox.items]
        assert labels[:3] == [
            "Notizen Hund",
            "Notizen Hund und Katze",
            "Notizen Kommt erst spät am Abend, bitte den Sch…",
        ]
        clock = labels[3].removeprefix("Notizen Hund (").removesuffix(")")
        assert [len(part) for part in clock.split(":")] == [2, 2, 2]
        await anna.reminders.add(booking, "Anruf", now.day(0))
        reminder: Reminder = (await anna.bookings.get(booking)).reminders[0]
        await anna.reminders.complete(reminder.id)
        assert anna.outbox.items[-1].label == "Erinnerung Anruf: Erledigt ja"


async def test_accounts_are_never_queued_but_refused_at_once(database: TestDatabase) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(wire_proxy(config_for(database).database.hosts[0]))
        admin = await stack.enter_async_context(desk_through(database, proxy, "admin"))
        anna = next(one for one in await admin.people.users() if one.username == "anna")
        await cut(admin, proxy)
        change = {"active": Change(True, False)}
        with pytest.raises(Unreachable, match="Zugänge lassen sich nur mit Verbindung ändern"):
            await admin.people.save(anna.id, change)
        assert admin.outbox.items == ()
        await proxy.accept()
        await until(lambda: admin.connection.phase is Phase.CONNECTED, 20)
        # Taken for reachable, and cut all the same: nothing is kept for later either.
        await proxy.refuse()
        with pytest.raises((Unreachable, OutcomeUnknown)):
            await admin.people.save(anna.id, change)
        assert admin.outbox.items == ()
