"""What this desk has read in this session, for looking things up while the database cannot be reached."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any, TypeVar

from dpolg_tui.db.state import Phase
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.domain.german import search_key
from dpolg_tui.domain.models import (
    Booking,
    BookingSummary,
    FreeRoom,
    Guest,
    GuestSummary,
    Reminder,
    Status,
)
from dpolg_tui.domain.queued import (
    Name,
    Waiting,
    booking_with,
    guest_with,
    reminder_with,
    reminders_with,
)

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

MOST = 2000
"""Records of a kind that are remembered: those read last."""

NOT_QUEUED = (
    "Dieser Eintrag ist nicht mehr vorgemerkt: was noch wartet oder nicht mehr passt, zeigt Strg+P "
    "„Vorgemerkte Änderungen“."
)

DELETED_SOON = (
    "Dieser Eintrag ist zum Löschen vorgemerkt: solange das nicht gesendet ist, nimmt Strg+Z oder Strg+P "
    "„Vorgemerkte Änderungen“ es zurück."
)

T = TypeVar("T")
_LINE_FIELDS = frozenset({"last_name", "first_name", "city", "email", "phone", "is_member"})


class Known:
    """Bookings, guests, reminders and lines of guest searches as they were read last in this session."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._records: dict[str, OrderedDict[int, Any]] = {}

    def clear(self) -> None:
        """Somebody else may sign in here."""
        self._records.clear()

    def _kind(self, kind: str) -> OrderedDict[int, Any]:
        return self._records.setdefault(kind, OrderedDict())

    def remember(self, kind: str, record_id: int, record: object) -> None:
        """Keep a record as it was read."""
        records = self._kind(kind)
        records[record_id] = record
        records.move_to_end(record_id)
        if len(records) > MOST:
            records.popitem(last=False)
        if isinstance(record, Booking):
            for reminder in record.reminders:
                self.remember("reminder", reminder.id, reminder)

    def remember_reminder(self, reminder: Reminder) -> None:
        """A reminder is stored like this; its booking shows it."""
        self.remember("reminder", reminder.id, reminder)
        self._in_booking(reminder, (reminder,))

    def forget_reminder(self, reminder_id: int) -> None:
        """A reminder was deleted."""
        before: Reminder | None = self._kind("reminder").pop(reminder_id, None)
        if before is not None:
            self._in_booking(before, ())

    def _in_booking(self, reminder: Reminder, now: tuple[Reminder, ...]) -> None:
        """The known booking of a reminder has this in its place."""
        booking: Booking | None = self._kind("booking").get(reminder.booking_id or 0)
        if booking is not None:
            others = (one for one in booking.reminders if one.id != reminder.id)
            reminders = sorted((*others, *now), key=lambda one: one.due_date)
            self._kind("booking")[booking.id] = replace(booking, reminders=tuple(reminders))

    def booking_of(self, reminder_id: int) -> int | None:
        """The booking of a reminder, whether it waits to be deleted or not; None: not known here."""
        stored: Reminder | None = self._kind("reminder").get(reminder_id)
        return stored.booking_id if stored is not None else None

    def get(self, kind: str, record_id: int) -> Any:
        """A record as it was read last, with what is queued applied to it; or None."""
        return self._with_queued(kind, record_id, self._kind(kind).get(record_id))

    def forget(self, kind: str, record_id: int) -> None:
        """It has changed: what is known of it is old."""
        self._kind(kind).pop(record_id, None)

    def forget_person(self, guest_id: int) -> None:
        """A guest was anonymised: without a connection neither he nor his bookings are shown any more."""
        for kind in ("guest", "guest line"):
            self.forget(kind, guest_id)
        theirs = [one for one in self._kind("booking").values() if one.guest_id == guest_id]
        for booking in theirs:
            self.forget("booking", booking.id)
            for reminder in booking.reminders:
                self.forget("reminder", reminder.id)

    async def read(self, kind: str, record_id: int, ask: Callable[[int], Awaitable[T]], missing: str) -> T:
        """A record from the database, or without it as it was read last.

        Raises Unreachable with the sentence ``missing`` if it was never read, and with another if it was
        made here and does not wait any more.
        """
        record_id = self._desk.outbox.real_id(record_id)
        if record_id > 0 and self._desk.connection.phase is not Phase.OFFLINE:
            try:
                record = await ask(record_id)
            except Unreachable:
                if record_id not in self._kind(kind):
                    raise
            else:
                self.remember(kind, record_id, record)
        found: T | None = self.get(kind, record_id)
        if found is None:
            raise Unreachable(self._why_not(kind, record_id, missing))
        return found

    def refusal(self, kind: str, record_id: int, missing: str) -> str:
        """With what ``read`` would refuse at once, without asking the database; empty: it would not."""
        record_id = self._desk.outbox.real_id(record_id)
        if record_id > 0 and self._desk.connection.phase is not Phase.OFFLINE:
            return ""
        return "" if self.get(kind, record_id) is not None else self._why_not(kind, record_id, missing)

    def _why_not(self, kind: str, record_id: int, missing: str) -> str:
        if any(one.deletes for one in self._desk.outbox.changes(kind, record_id)):
            return DELETED_SOON
        return NOT_QUEUED if record_id < 0 else missing

    async def search(self, ask: Callable[[], Awaitable[T]], here: Callable[[], T]) -> T:
        """The answer of the database, or without it what is known here."""
        if self._desk.connection.phase is not Phase.OFFLINE:
            try:
                return await ask()
            except Unreachable:
                if self._desk.user is None:
                    raise
        return here()

    # -- what is known ---------------------------------------------------------------------------

    def guests(self, text: str, most: int) -> list[GuestSummary]:
        """Guests of earlier searches, and those made here meanwhile, whose line contains the words."""
        words = search_key(text).split()
        lines: dict[int, GuestSummary] = dict(self._kind("guest line"))
        made = {one.record_id for one in self._desk.outbox.changes("guest") if one.creates}
        for guest_id in (*self._kind("guest"), *made):
            if (guest := self.get("guest", guest_id)) is not None:
                before = lines.get(guest_id)
                lines[guest_id] = replace(_line(guest), bookings=before.bookings if before else 0)
        for one in self._desk.outbox.changes("guest"):
            line = lines.get(one.record_id)
            if line is None:
                continue
            if one.record_id not in self._kind("guest"):
                wanted = {name: value for name, value in one.wanted.items() if name in _LINE_FIELDS}
                line = replace(line, **wanted)
            lines[one.record_id] = replace(line, queued=True)
            if one.deletes:
                del lines[one.record_id]
        found = [
            line for line in lines.values() if all(word in search_key(_searched(line)) for word in words)
        ]
        return sorted(found, key=lambda line: search_key(line.name))[:most]

    def bookings(self, text: str, most: int) -> list[BookingSummary]:
        """Bookings with a bar in the window, and those that a queued write concerns, by number or guest."""
        words = search_key(text).split()
        found: dict[int, BookingSummary] = {}
        for bar in sorted(self._desk.store.occupancies.values(), key=lambda bar: bar.arrival):
            if bar.booking_id is None or bar.booking_id in found:
                continue
            name = f"{bar.last_name}, {bar.first_name}".rstrip(", ")
            if all(word in search_key(f"{bar.number} {name}") for word in words):
                found[bar.booking_id] = BookingSummary(
                    id=bar.booking_id,
                    number=bar.number or "",
                    guest_name=name,
                    status=bar.status or Status.CONFIRMED,
                    arrival=bar.arrival,
                    departure=bar.departure,
                    room_id=bar.room_id,
                    occupancy_id=bar.id,
                )
        for booking_id in {one.record_id for one in self._desk.outbox.changes("booking")} - found.keys():
            booking: Booking | None = self.get("booking", booking_id)
            if booking is None or not booking.stays:
                continue
            if all(word in search_key(f"{booking.number} {booking.guest_name}") for word in words):
                found[booking_id] = _summary(booking)
        today = self._desk.today()
        return sorted(found.values(), key=lambda one: (one.departure < today, one.arrival))[:most]

    def free_rooms(
        self, arrival: date, departure: date, persons: int, except_booking: int | None
    ) -> list[FreeRoom]:
        """Rooms without a bar in the period, as far as the window tells. Raises Unreachable beyond it."""
        store = self._desk.store
        if not store.covers(arrival, departure):
            raise Unreachable("Ohne Verbindung ist für diese Tage nicht bekannt, welche Zimmer frei sind.")
        return [
            FreeRoom(room.id, room.capacity >= persons)
            for room in store.rooms.values()
            if (room.retired_from is None or room.retired_from >= departure)
            and all(
                bar.booking_id is not None and bar.booking_id == except_booking
                for bar in store.in_room(room.id, arrival, departure)
            )
        ]

    def remember_lines(self, lines: Iterable[GuestSummary]) -> list[GuestSummary]:
        """Keep the lines of a guest search."""
        found = list(lines)
        for line in found:
            self.remember("guest line", line.id, line)
        return found

    # -- what is queued --------------------------------------------------------------------------

    def _with_queued(self, kind: str, record_id: int, record: Any) -> Any:
        waiting = list(self._desk.outbox.changes(kind, record_id))
        match kind:
            case "guest":
                return guest_with(record, waiting)
            case "reminder":
                return reminder_with(record, waiting, self._me)
            case "booking":
                return self._booking_with(record, waiting)
            case _:
                return record

    def _booking_with(self, stored: Booking | None, waiting: Iterable[Waiting]) -> Booking | None:
        booking = booking_with(stored, waiting, self.name_of)
        return booking and reminders_with(booking, self._desk.outbox.changes("reminder"), self._me)

    @property
    def _me(self) -> str:
        user = self._desk.user
        return user.display_name if user is not None else ""

    def name_of(self, guest_id: int) -> Name | None:
        """What a guest is called, as far as this desk knows."""
        guest = self.get("guest", guest_id) or self._kind("guest line").get(guest_id)
        if guest is not None:
            return guest.last_name, guest.first_name
        return self._desk.store.guest_name(guest_id)


def _line(guest: Guest) -> GuestSummary:
    phone = guest.phone or guest.phone_mobile or guest.phone_private or guest.phone_business
    return GuestSummary(
        guest.id, guest.last_name, guest.first_name, guest.city, guest.email, phone, guest.is_member
    )


def _summary(booking: Booking) -> BookingSummary:
    first = booking.stays[0]
    return BookingSummary(
        booking.id,
        booking.number,
        booking.guest_name,
        booking.status,
        booking.arrival,
        booking.departure,
        first.room_id,
        first.id or 0,
    )


def _searched(line: GuestSummary) -> str:
    return " ".join(
        part
        for part in (line.first_name, line.last_name, line.first_name, line.city, line.email, line.phone)
        if part
    )
