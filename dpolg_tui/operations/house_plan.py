"""Who sleeps where and when: the timetable of the generated house, in days relative to today.

Each room is filled outwards from today, stay after stay, so that no two active occupancies of a
room can overlap. Around today some rooms get fixed pieces, so that every house shows turnovers,
overdue arrivals and departures, options and blocks, whatever its seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from dpolg_tui.domain.models import Kind, Status
from dpolg_tui.operations.house_names import BOOKING_NOTES, CANCELLATION_REASONS, DEFECTS, HOUSE_USES

NIGHTS = (1, 2, 3, 4, 5, 6, 7, 10, 14, 21)
NIGHTS_CUMULATIVE = (10, 28, 48, 62, 73, 80, 93, 96, 99, 100)
BLOCK_SHARE = 0.012
FOUNDATION_SHARE = 0.03
CANCELLED_SHARE = 0.08


@dataclass(slots=True)
class Piece:
    """A room (its index, None: unassigned) taken from the first day to the second."""

    room: int | None
    arrival: int
    departure: int


@dataclass(slots=True)
class BookingPlan:
    """A booking before it has a number. All days count from today."""

    pieces: list[Piece]
    status: Status
    guest: int = 0
    persons: int = 1
    created: int = -1
    option_expires: int | None = None
    foundation_case: bool = False
    cleaning: int | None = None
    notes: str | None = None
    cancellation_reason: str | None = None
    cancelled: int | None = None
    pinned: bool = False

    @property
    def arrival(self) -> int:
        return min(piece.arrival for piece in self.pieces)

    @property
    def departure(self) -> int:
        return max(piece.departure for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A room that nobody can book, and why."""

    room: int
    arrival: int
    departure: int
    kind: Kind
    reason: str


@dataclass(slots=True)
class HousePlan:
    """All bookings, in the order in which they were made, and all blocks."""

    bookings: list[BookingPlan] = field(default_factory=list)
    blocks: list[BlockPlan] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Pin:
    """A fixed piece near today. ``kind`` tells stays and blocks apart."""

    arrival: int
    departure: int
    status: Status = Status.CONFIRMED
    option_expires: int | None = None
    foundation_case: bool = False
    kind: Kind = Kind.STAY
    reason: str = ""


PINS: tuple[tuple[Pin, ...], ...] = (
    (Pin(-4, 0, Status.CHECKED_OUT), Pin(0, 3, Status.CHECKED_IN)),
    (Pin(-2, 0, Status.CHECKED_IN), Pin(0, 5, Status.CONFIRMED)),
    (Pin(-1, 3, Status.CONFIRMED),),  # arrival overdue
    (Pin(-5, -1, Status.CHECKED_IN), Pin(2, 6, Status.CONFIRMED)),  # departure overdue
    (Pin(-2, 5, kind=Kind.OUT_OF_ORDER, reason="Heizung"), Pin(5, 8, Status.CONFIRMED)),
    (Pin(-3, 4, Status.CHECKED_IN), Pin(4, 6, Status.CONFIRMED)),
    (Pin(-3, 1, Status.CHECKED_IN), Pin(6, 9, Status.RESERVED, option_expires=-2)),
    (Pin(5, 8, Status.RESERVED, option_expires=4),),
    (Pin(2, 4, kind=Kind.HOUSE_USE, reason="Vorstandssitzung"),),
    (Pin(-2, 6, Status.CHECKED_IN, foundation_case=True),),
)
"""One entry per room that gets fixed pieces."""


def make_plan(
    rng: Random,
    capacities: Sequence[int],
    *,
    guests: int,
    days_back: int,
    days_ahead: int,
    bookings: int | None = None,
) -> HousePlan:
    """Fill the rooms. With ``bookings`` the past goes back as far as it takes for that many.

    Without it the past ends ``days_back`` days ago.
    """
    plan = HousePlan()
    starts = _pin(rng, plan, len(capacities))
    for room in range(len(capacities)):
        _fill_ahead(rng, plan, room, starts[room][1], days_ahead)
    # Cancelled bookings come on top of the assigned ones and make the number exact.
    unassigned = max(6, len(capacities) // 2)
    assigned = None if bookings is None else round((bookings - unassigned) * (1 - CANCELLED_SHARE))
    for room in range(len(capacities)):
        rooms_left = len(capacities) - room
        quota = None if assigned is None else -(-(assigned - len(plan.bookings)) // rooms_left)
        _fill_back(rng, plan, room, starts[room][0], None if quota is not None else -days_back, quota)
    first = min((booking.arrival for booking in plan.bookings), default=-days_back)
    plan.bookings = _merge_some(rng, plan.bookings)
    _add_unassigned(rng, plan, unassigned, days_ahead)
    cancelled = (
        round(len(plan.bookings) * CANCELLED_SHARE) if bookings is None else bookings - len(plan.bookings)
    )
    _add_cancelled(rng, plan, cancelled, len(capacities), first, days_ahead)
    for booking in plan.bookings:
        _furnish(rng, booking, capacities, guests)
    plan.bookings.sort(key=lambda booking: booking.created)
    return plan


def _pin(rng: Random, plan: HousePlan, rooms: int) -> list[tuple[int, int]]:
    """Set the fixed pieces; per room the days from which it is filled back and ahead."""
    order = list(range(rooms))
    rng.shuffle(order)
    starts: list[tuple[int, int]] = []
    for _ in range(rooms):
        day = rng.randint(-6, 2)
        starts.append((day, day))
    for room, pins in zip(order, PINS, strict=False):
        for pin in pins:
            if pin.kind is not Kind.STAY:
                plan.blocks.append(BlockPlan(room, pin.arrival, pin.departure, pin.kind, pin.reason))
                continue
            plan.bookings.append(
                BookingPlan(
                    [Piece(room, pin.arrival, pin.departure)],
                    pin.status,
                    option_expires=pin.option_expires,
                    foundation_case=pin.foundation_case,
                    pinned=True,
                )
            )
        starts[room] = (pins[0].arrival, pins[-1].departure)
    return starts


def _fill_ahead(rng: Random, plan: HousePlan, room: int, day: int, last: int) -> None:
    """Stays from ``day`` on; the further away, the emptier."""
    while True:
        day += _gap(rng, day)
        departure = day + _nights(rng)
        if departure > last:
            return
        _take(rng, plan, room, day, departure)
        day = departure


def _fill_back(
    rng: Random, plan: HousePlan, room: int, day: int, first: int | None, quota: int | None
) -> None:
    """Stays before ``day``, until ``first`` is reached or ``quota`` of them are made."""
    until = None if quota is None else len(plan.bookings) + quota
    while until is None or len(plan.bookings) < until:
        day -= _gap(rng, 0)
        arrival = day - _nights(rng)
        if first is not None and arrival < first:
            return
        _take(rng, plan, room, arrival, day)
        day = arrival


def _gap(rng: Random, day: int) -> int:
    """Empty days before the next stay: often none."""
    away = max(0, day)
    if rng.random() < (0.55 if away < 21 else 0.35 if away < 75 else 0.15):
        return 0
    return 1 + int(rng.expovariate(1 / (1.2 + away / 12)))


def _nights(rng: Random) -> int:
    return rng.choices(NIGHTS, cum_weights=NIGHTS_CUMULATIVE)[0]


def _take(rng: Random, plan: HousePlan, room: int, arrival: int, departure: int) -> None:
    if rng.random() < BLOCK_SHARE:
        if rng.random() < 0.6:
            plan.blocks.append(BlockPlan(room, arrival, departure, Kind.OUT_OF_ORDER, rng.choice(DEFECTS)))
        else:
            plan.blocks.append(BlockPlan(room, arrival, departure, Kind.HOUSE_USE, rng.choice(HOUSE_USES)))
        return
    # The status follows when it is known which pieces belong together.
    plan.bookings.append(BookingPlan([Piece(room, arrival, departure)], Status.CONFIRMED))


def _merge_some(rng: Random, bookings: list[BookingPlan]) -> list[BookingPlan]:
    """Join a few bookings to pairs: guests who move to another room, and guests with two rooms."""
    by_arrival: dict[int, list[BookingPlan]] = {}
    for booking in bookings:
        if not booking.pinned:
            by_arrival.setdefault(booking.arrival, []).append(booking)
    gone: set[int] = set()
    for booking in bookings:
        if booking.pinned or id(booking) in gone or len(booking.pieces) > 1 or rng.random() >= 0.03:
            continue
        moves = rng.random() < 0.5
        mine = booking.pieces[0]
        for other in by_arrival.get(mine.departure if moves else mine.arrival, ()):
            theirs = other.pieces[0]
            if len(other.pieces) > 1 or id(other) in gone or theirs.room == mine.room:
                continue
            if not moves:
                mine.departure = theirs.departure = min(mine.departure, theirs.departure)
            booking.pieces.append(theirs)
            gone.add(id(other))
            break
    return [booking for booking in bookings if id(booking) not in gone]


def _add_unassigned(rng: Random, plan: HousePlan, count: int, days_ahead: int) -> None:
    for index in range(count):
        # The first two are so close that somebody has to act.
        arrival = index + 1 if index < 2 else rng.randint(3, max(4, days_ahead // 2))
        plan.bookings.append(BookingPlan([Piece(None, arrival, arrival + _nights(rng))], Status.CONFIRMED))


def _add_cancelled(rng: Random, plan: HousePlan, count: int, rooms: int, first: int, days_ahead: int) -> None:
    for _ in range(count):
        arrival = rng.randint(first, max(first + 1, days_ahead - 22))
        room = rng.randrange(rooms) if rng.random() < 0.9 else None
        plan.bookings.append(BookingPlan([Piece(room, arrival, arrival + _nights(rng))], Status.CANCELLED))


def _furnish(rng: Random, booking: BookingPlan, capacities: Sequence[int], guests: int) -> None:
    """Everything about a booking that is neither room nor dates."""
    arrival, departure = booking.arrival, booking.departure
    # Some guests come again and again.
    booking.guest = int(guests * rng.random() ** 1.6)
    booking.persons = _persons(rng, booking, capacities)
    booking.created = min(arrival - int(rng.expovariate(1 / 45)), -1 - int(rng.expovariate(1 / 25)))
    if arrival <= 0:
        booking.created = min(booking.created, arrival - 1)
    if booking.status is Status.CANCELLED:
        latest = min(arrival, -1)
        booking.cancelled = rng.randint(min(booking.created, latest), latest)
        booking.cancellation_reason = rng.choice(CANCELLATION_REASONS)
    elif not booking.pinned:
        booking.status = _status(rng, arrival, departure)
        if booking.status is Status.RESERVED and rng.random() < 0.7:
            booking.option_expires = min(arrival, rng.randint(-3, 28))
    if booking.option_expires is not None:
        booking.created = min(booking.created, booking.option_expires - 7)
    if rng.random() < FOUNDATION_SHARE:
        booking.foundation_case = True
    if rng.random() < 0.12:
        booking.notes = rng.choice(BOOKING_NOTES)
    if rng.random() < 0.04:
        booking.cleaning = departure + rng.randint(0, 1)


def _status(rng: Random, arrival: int, departure: int) -> Status:
    """What staff would have made of a booking by this morning."""
    if departure < 0:
        return Status.CHECKED_OUT
    if departure == 0:
        return Status.CHECKED_OUT if rng.random() < 0.5 else Status.CHECKED_IN
    if arrival < 0:
        return Status.CHECKED_IN
    if arrival == 0:
        return Status.CHECKED_IN if rng.random() < 0.3 else Status.CONFIRMED
    return Status.RESERVED if rng.random() < 0.06 + min(0.3, arrival / 350) else Status.CONFIRMED


def _persons(rng: Random, booking: BookingPlan, capacities: Sequence[int]) -> int:
    """Never more than there are beds in any night of the booking."""
    beds = [2 if piece.room is None else capacities[piece.room] for piece in booking.pieces]
    together = len(booking.pieces) == 2 and booking.pieces[0].arrival == booking.pieces[1].arrival
    most = sum(beds) if together else min(beds)
    return min(most, 1 + int(rng.triangular(0, most, min(2, most))))
