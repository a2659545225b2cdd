"""Every read of the desk: the statement, its arguments, its rows as domain values. One round trip each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from dpolg_tui.db import rows
from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.models import (
    Booking,
    BookingSummary,
    FreeRoom,
    Guest,
    GuestSummary,
    HistoryEntry,
    Occupancy,
    Reminder,
    Room,
    User,
)

ROOMS = "SELECT * FROM app.rooms()"
COLLEAGUES = "SELECT * FROM app.colleagues()"
CHART = "SELECT * FROM app.chart($1, $2)"
CHART_ROOM = "SELECT * FROM app.chart($1, $2, $3)"
CHART_ROWS = "SELECT * FROM app.chart_rows($1, $2)"
SEARCH_GUESTS = "SELECT * FROM app.search_guests($1, $2)"
SEARCH_BOOKINGS = "SELECT * FROM app.search_bookings($1, $2)"
FREE_ROOMS = "SELECT * FROM app.free_rooms($1, $2, $3, $4)"
HISTORY = "SELECT * FROM app.history($1, $2, $3)"
BACKUP_STATE = "SELECT * FROM app.backup_state()"
REMINDERS = "SELECT * FROM app.reminders($1)"

STATEMENTS = (
    CHART,
    CHART_ROWS,
    call_sql("app.booking", 1),
    FREE_ROOMS,
    SEARCH_GUESTS,
    SEARCH_BOOKINGS,
    HISTORY,
    REMINDERS,
    call_sql("app.guest", 1),
    CHART_ROOM,
    ROOMS,
    COLLEAGUES,
)
"""What a desk asks all day: prepared on every connection, so that an answer is one round trip."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the database tells before the login."""

    schema_version: int
    minimum_client: str
    instance_id: str


async def hello(database: Database) -> Greeting:
    answer: dict[str, Any] = await database.call("app.hello")
    return Greeting(answer["schema_version"], answer["minimum_client"], answer["instance_id"])


async def snapshot(database: Database) -> dict[str, Any]:
    """The answer of the first heartbeat: what is read afterwards is at least this new."""
    answer: dict[str, Any] = await database.call("app.heartbeat", None)
    return answer


async def rooms(database: Database) -> list[Room]:
    return [rows.room(row) for row in await database.fetch(ROOMS)]


async def colleagues(database: Database) -> list[User]:
    return [rows.user(row) for row in await database.fetch(COLLEAGUES)]


async def chart(database: Database, first: date, last: date, room_id: int | None = None) -> list[Occupancy]:
    """Active occupancies that touch a night of [first, last)."""
    if room_id is None:
        return [rows.occupancy(row) for row in await database.fetch(CHART, first, last)]
    return [rows.occupancy(row) for row in await database.fetch(CHART_ROOM, first, last, room_id)]


async def chart_rows(database: Database, bookings: Iterable[int], blocks: Iterable[int]) -> list[Occupancy]:
    """The bars of these bookings and blocks; what does not come back is gone or cancelled."""
    return [rows.occupancy(row) for row in await database.fetch(CHART_ROWS, list(bookings), list(blocks))]


async def booking(database: Database, booking_id: int) -> Booking:
    state = await database.call("app.booking", booking_id)
    if state is None:
        raise RecordMissing
    return rows.booking(state)


async def guest(database: Database, guest_id: int) -> Guest:
    state = await database.call("app.guest", guest_id)
    if state is None:
        raise RecordMissing
    return rows.guest(state)


async def search_guests(database: Database, text: str, most: int) -> list[GuestSummary]:
    return [rows.guest_summary(row) for row in await database.fetch(SEARCH_GUESTS, text, most)]


async def search_bookings(database: Database, text: str, most: int) -> list[BookingSummary]:
    return [rows.booking_summary(row) for row in await database.fetch(SEARCH_BOOKINGS, text, most)]


async def free_rooms(
    database: Database, arrival: date, departure: date, persons: int, except_booking: int | None
) -> list[FreeRoom]:
    found = await database.fetch(FREE_ROOMS, arrival, departure, persons, except_booking)
    return [FreeRoom(row["room_id"], row["fits"]) for row in found]


async def reminders(database: Database, reminder_ids: Iterable[int]) -> list[Reminder]:
    """What does not come back is gone."""
    return [rows.reminder_row(row) for row in await database.fetch(REMINDERS, list(reminder_ids))]


async def history(database: Database, kind: str, record_id: int, most: int) -> list[HistoryEntry]:
    """Newest first. ``kind`` is bookings, guests, rooms, occupancies or reminders."""
    return [rows.history_entry(row) for row in await database.fetch(HISTORY, kind, record_id, most)]


async def backup_state(database: Database) -> BackupState:
    """How the backups of the house stand."""
    [row] = await database.fetch(BACKUP_STATE)
    return BackupState(
        last_good=row["last_good_backup"],
        last_verified=row["last_good_verification"],
        overdue=row["overdue"],
        newest_ok=row["newest_backup_ok"],
        verification_ok=row["newest_verification_ok"],
        copy_ok=row["newest_copy_ok"],
    )
