"""The words of the house as frozen values: what the database returns and the screens show.

Dates of stays are half open: the night before ``departure`` is the last one. Money is
``Decimal`` with two places. Moments are timezone-aware. ``version`` grows with every change of
a record and orders two states of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from dpolg_tui.domain.booked import BookedLine, Companion, Payment


class Status(StrEnum):
    """Status of a booking, as stored."""

    RESERVED = "reserviert"
    CONFIRMED = "bestaetigt"
    CHECKED_IN = "eingecheckt"
    CHECKED_OUT = "ausgecheckt"
    CANCELLED = "storniert"


class Kind(StrEnum):
    """What an occupancy is: the stay of a booking, or one of the two kinds of block."""

    STAY = "stay"
    OUT_OF_ORDER = "out_of_order"
    HOUSE_USE = "house_use"


class Role(StrEnum):
    """Role of a member of staff."""

    ADMIN = "admin"
    USER = "user"


@dataclass(frozen=True, slots=True)
class User:
    """A member of staff, as colleagues see them."""

    id: int
    username: str
    full_name: str | None
    role: Role
    must_change_password: bool = False

    @property
    def display_name(self) -> str:
        return self.full_name or self.username

    @property
    def initials(self) -> str:
        """Two or three small letters: of the words of the full name, else of the user name."""
        words = (self.full_name or "").replace("-", " ").split()
        if len(words) >= 2:
            return "".join(word[0] for word in words[:3]).lower()
        return self.username[:2].lower()


@dataclass(frozen=True, slots=True)
class Room:
    """Something that can be slept in. ``key_code`` is never part of it: it is a secret."""

    id: int
    name: str
    category: str
    building: str | None
    place: str
    capacity: int
    price_low: Decimal
    price_high: Decimal
    final_cleaning_fee: Decimal
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    notes: str | None = None
    retired_from: date | None = None
    has_key_code: bool = False
    version: int = 1
    queued: bool = False
    """Shown as it will be once a queued write is sent."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """A bar of the occupancy chart: a room (or None: unassigned) taken for [arrival, departure).

    For a stay, the fields of its booking and the name of its guest come with it; for a block
    (``booking_id`` None) they are empty. ``version`` is that of the booking, for a block its own.
    """

    id: int
    room_id: int | None
    arrival: date
    departure: date
    kind: Kind
    reason: str | None = None
    booking_id: int | None = None
    number: str | None = None
    status: Status | None = None
    guest_id: int | None = None
    last_name: str = ""
    first_name: str = ""
    persons: int = 0
    foundation_case: bool = False
    option_expires: date | None = None
    has_notes: bool = False
    version: int = 1
    queued: bool = False
    """Shown as it will be once a queued write is sent."""

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days

    @property
    def is_block(self) -> bool:
        return self.booking_id is None


@dataclass(frozen=True, slots=True)
class Stay:
    """An occupancy of one booking, as its form edits it. ``id`` None: not stored yet."""

    id: int | None
    room_id: int | None
    arrival: date
    departure: date

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days


class Priority(StrEnum):
    """How urgent a reminder is."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Reminder:
    """A to-do with a due date, by hand or automatic."""

    id: int
    booking_id: int | None
    title: str
    due_date: date
    kind: str = "manual"
    description: str | None = None
    priority: Priority = Priority.MEDIUM
    completed: bool = False
    completed_at: datetime | None = None
    completed_by: str | None = None
    snoozed_until: date | None = None
    """Hidden until this day, then back."""
    version: int = 1
    queued: bool = False
    """Shown as it will be once a queued write is sent."""

    def overdue(self, today: date) -> bool:
        return not self.completed and self.due_date < today

    def snoozed(self, today: date) -> bool:
        return not self.completed and self.snoozed_until is not None and self.snoozed_until > today


@dataclass(frozen=True, slots=True)
class Booking:
    """The agreement: who, when, where, in which state."""

    id: int
    number: str
    guest_id: int
    guest_name: str
    """Last name, first name: as lists show it."""
    status: Status
    persons: int
    stays: tuple[Stay, ...]
    option_expires: date | None = None
    foundation_case: bool = False
    guest_is_member: bool = False
    """Membership of the guest when booking."""
    cleaning_date: date | None = None
    notes: str | None = None
    cancellation_reason: str | None = None
    cancelled_at: datetime | None = None
    checked_in_at: datetime | None = None
    checked_out_at: datetime | None = None
    version: int = 1
    created_at: datetime | None = None
    created_by: str | None = None
    updated_at: datetime | None = None
    updated_by: str | None = None
    payer_name: str | None = None
    """Who pays, if not the guest."""
    invoice_sent_on: date | None = None
    invoice_sent_to: str | None = None
    dunning_sent_on: date | None = None
    total: Decimal | None = None
    """Sum of the price lines; None: no price is stored."""
    paid: Decimal = Decimal("0.00")
    credit_balance: Decimal = Decimal("0.00")
    """Of the guest."""
    price_lines: tuple[BookedLine, ...] = ()
    payments: tuple[Payment, ...] = ()
    companions: tuple[Companion, ...] = ()
    reminders: tuple[Reminder, ...] = ()
    """By due date."""

    @property
    def arrival(self) -> date:
        return min(stay.arrival for stay in self.stays)

    @property
    def departure(self) -> date:
        return max(stay.departure for stay in self.stays)


@dataclass(frozen=True, slots=True)
class GuestSummary:
    """One line of a guest search."""

    id: int
    last_name: str
    first_name: str
    city: str | None
    email: str | None
    phone: str | None
    is_member: bool
    bookings: int = 0
    version: int = 1
    queued: bool = False
    """Shown as it will be once a queued write is sent."""

    @property
    def name(self) -> str:
        return f"{self.last_name}, {self.first_name}" if self.first_name else self.last_name


@dataclass(frozen=True, slots=True)
class Guest:
    """The person who books. Absent values are None, never empty strings."""

    id: int
    last_name: str
    first_name: str
    salutation: str | None = None
    gender: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_business: str | None = None
    phone_private: str | None = None
    phone_mobile: str | None = None
    fax: str | None = None
    street: str | None = None
    postal_code: str | None = None
    city: str | None = None
    country: str | None = None
    date_of_birth: date | None = None
    place_of_birth: str | None = None
    nationality: str | None = None
    language: str | None = None
    identity_document: str | None = None
    is_member: bool = False
    member_number: str | None = None
    profession: str | None = None
    duty_station: str | None = None
    federal_state: str | None = None
    debtor_account: str | None = None
    licence_plate: str | None = None
    invoice_email: str | None = None
    leitweg_id: str | None = None
    cost_centre: str | None = None
    tags: str | None = None
    marketing_consent: bool | None = None
    automatic_mail: bool | None = None
    automatic_mail_language: str | None = None
    notes: str | None = None
    version: int = 1

    @property
    def name(self) -> str:
        return f"{self.last_name}, {self.first_name}" if self.first_name else self.last_name


@dataclass(frozen=True, slots=True)
class FreeRoom:
    """A room with nothing in the asked period. ``fits`` False: fewer beds than persons."""

    room_id: int
    fits: bool = True


@dataclass(frozen=True, slots=True)
class BookingSummary:
    """One line of a booking search: enough to jump to its bar."""

    id: int
    number: str
    guest_name: str
    status: Status
    arrival: date
    departure: date
    room_id: int | None
    occupancy_id: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One line of the audit log about a record: who, when, what before and after."""

    id: int
    timestamp: datetime
    username: str | None
    table_name: str
    record_id: int
    operation: str
    """INSERT, UPDATE, DELETE, EXPORT or ANONYMISE."""
    old_data: dict[str, object] | None
    new_data: dict[str, object] | None
    client_id: str | None = None
    """The desk: ``desk#host``, or None for work at the server."""


@dataclass(frozen=True, slots=True)
class RealtimeEvent:
    """A change that reached this desk, with the plan's types (``booking-created`` …)."""

    type: str
    payload: dict[str, object]
    """``id`` of the record, ``own`` whether this desk made it; never anything personal."""
    user_id: int | None
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that a colleague changed too: what it was, what I typed, what is stored now."""

    field: str
    before: object
    mine: object
    theirs: object


@dataclass(frozen=True, slots=True)
class InTheWay:
    """An occupancy that takes the room. ``label`` is "2026-118 Muster" or the reason of a block."""

    occupancy_id: int
    booking_id: int | None
    room_id: int
    arrival: date
    departure: date
    label: str


class Outcome(StrEnum):
    """What became of a write."""

    DONE = "done"
    CONFLICT = "conflict"
    TAKEN = "taken"
    MISSING = "missing"
    QUEUED = "queued"
    """Not sent yet: kept until the database can be reached. ``id`` of a new record is negative so far."""


@dataclass(frozen=True, slots=True)
class WriteResult:
    """Answer of a write.

    ``id`` and ``version`` are those of the record afterwards; ``merged`` names fields that a
    colleague had changed meanwhile and that now stand beside mine; ``conflicts`` is filled for
    ``conflict``, ``in_the_way`` for ``taken``.
    """

    outcome: Outcome
    id: int | None = None
    version: int | None = None
    merged: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    in_the_way: tuple[InTheWay, ...] = ()
    changed_by: str | None = None
    """Name of the colleague who changed the record last, where that matters."""
    lost_room: bool = False
    """Re-opened into the unassigned lane because the room is taken."""
