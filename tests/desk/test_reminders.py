"""Reminders between two desks, on real PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import asyncpg
import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import DeskEvent, RecordChanged
from dpolg_tui.domain.booked import LineKind
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome, Priority
from tests.databases import TestDatabase
from tests.tui.forms_house import book, furnish, signed_in

DUE = date(2031, 3, 1)


async def until(condition: Callable[[], object]) -> None:
    """Waits until something is so; fails after ten seconds."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


def listen(desk: Desk) -> list[RecordChanged]:
    """What a desk is told of reminders."""
    heard: list[RecordChanged] = []

    def hear(event: DeskEvent) -> None:
        if isinstance(event, RecordChanged) and event.kind == "reminder":
            heard.append(event)

    desk.subscribe(hear)
    return heard


@pytest.mark.both_versions
async def test_a_reminder_reaches_the_other_desk_with_its_booking(database: TestDatabase) -> None:
    async with signed_in(database, "ben") as ben, signed_in(database, "anna") as anna:
        house = await furnish(ben)
        booking = await book(ben, house.huber, house.single, 0)
        theirs, own = listen(anna), listen(ben)
        result = await ben.reminders.add(booking, "Anzahlung", DUE, priority=Priority.HIGH)
        assert result.outcome is Outcome.DONE
        assert result.id is not None
        assert [(event.action, event.own, event.booking_id) for event in own] == [("created", True, booking)]
        await until(lambda: theirs)
        event = theirs[0]
        assert (event.id, event.action, event.own, event.booking_id) == (result.id, "created", False, booking)
        assert event.by is not None
        assert event.by.username == "ben"
        reminder = (await anna.bookings.get(booking)).reminders[0]
        assert (reminder.title, reminder.due_date, reminder.priority) == ("Anzahlung", DUE, Priority.HIGH)

        await anna.reminders.complete(result.id)
        await until(lambda: [event.action for event in own] == ["created", "updated"])
        done = await ben.reminders.get(result.id)
        assert (done.completed, done.completed_by) == (True, "Anna Beispiel")
        assert done.completed_at is not None
        await ben.reminders.reopen(result.id)
        tomorrow = DUE + timedelta(1)
        await ben.reminders.save(result.id, {"snoozed_until": Change(None, tomorrow)})
        assert (await anna.reminders.get(result.id)).snoozed_until == tomorrow
        assert len(await anna.reminders.history(result.id)) == 4


async def test_a_deleted_reminder_is_told_and_missing(database: TestDatabase) -> None:
    async with signed_in(database, "admin") as admin, signed_in(database, "anna") as anna:
        theirs = listen(anna)
        result = await admin.reminders.add(None, "ohne Buchung", DUE)
        assert result.id is not None
        await until(lambda: theirs)
        await admin.reminders.delete(result.id)
        await until(lambda: [event.action for event in theirs] == ["created", "deleted"])
        with pytest.raises(RecordMissing):
            await anna.reminders.get(result.id)
        assert (await anna.reminders.complete(result.id)).outcome is Outcome.MISSING


async def test_conflicting_days_come_back_as_days(database: TestDatabase) -> None:
    async with signed_in(database, "ben") as ben:
        result = await ben.reminders.add(None, "Anruf", DUE)
        assert result.id is not None
        other = DUE + timedelta(3)
        answer = await ben.reminders.save(result.id, {"due_date": Change(other, other + timedelta(1))})
        assert answer.outcome is Outcome.CONFLICT
        assert answer.conflicts[0].theirs == DUE


async def test_a_booking_has_prices_and_payments_in_cents(database: TestDatabase) -> None:
    async with signed_in(database, "ben") as ben:
        house = await furnish(ben)
        booking_id = await book(ben, house.huber, house.single, 0)
        bare = await ben.bookings.get(booking_id)
        assert (bare.total, bare.paid, bare.price_lines) == (None, Decimal("0.00"), ())
        owner = await asyncpg.connect(database.superuser_dsn)
        await owner.execute(
            "INSERT INTO app.price_lines (booking_id, position, kind, label, quantity, unit_price, amount)"
            " VALUES ($1, 1, 'nights', 'Nächte', 2.5, 45.1, 112.75)",
            booking_id,
        )
        await owner.execute(
            "INSERT INTO app.payments (booking_id, amount, paid_on, method) VALUES ($1, 100.1, $2, 'bar')",
            booking_id,
            DUE,
        )
        await owner.close()
        booking = await ben.bookings.get(booking_id)
        line = booking.price_lines[0]
        assert (line.kind, line.quantity, line.unit_price) == (
            LineKind.NIGHTS,
            Decimal("2.5"),
            Decimal("45.10"),
        )
        assert str(booking.total) == "112.75"
        assert str(booking.paid) == "100.10"
        assert booking.payments[0].paid_on == DUE
