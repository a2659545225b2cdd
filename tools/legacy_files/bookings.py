"""The bookings of an invented house: no overlap, every sum right to the cent, as of one fixed day."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

from tools.legacy_files.layout import Layout

#: The day the file was left: generated files do not change with the calendar.
TODAY = date(2025, 10, 21).toordinal()
#: Name, cents, and a percentage of the nights that stands in place of the cents (from stage 22 on).
SERVICES = (("Bettwäsche", 5500, 0), ("Hund", 1500, 0), ("Frühstück", 2000, 0), ("Kurbeitrag", 0, 5))
#: Name, percent of nights and services, cents.
DISCOUNTS = (("Rabatt Verein", 10, 0), ("Stammgast", 0, 2000))
FREE_SERVICES = ("Parkplatz", "Hund", "Späte Anreise", "Kinderbett", "Zwischenreinigung")
MEMBER_DISCOUNT = 15


@dataclass(frozen=True, slots=True)
class Room:
    """What a price needs to know of a room; money in cents."""

    id: int
    capacity: int
    low: int
    high: int
    cleaning: int


@dataclass(slots=True)
class Booking:
    """One booking and what follows from it; days as ordinals, money in cents."""

    id: int
    room: Room
    guest: int
    member: bool
    arrival: int
    nights: int
    persons: int
    status: str
    created: tuple[int, int]
    foundation: bool
    base: int = 0
    services: int = 0
    discount: int = 0
    total: int = 0
    #: Free services (name, cents, percent), linked templates (index, cents), the same for discounts.
    free_services: Sequence[tuple[str, int, int]] = ()
    links: Sequence[tuple[int, int]] = ()
    free_discounts: Sequence[tuple[str, int, int]] = ()
    discount_links: Sequence[tuple[int, int]] = ()

    @property
    def departure(self) -> int:
        """The day the room is free again."""
        return self.arrival + self.nights


@cache
def day(ordinal: int) -> str:
    """``YYYY-MM-DD``."""
    return date.fromordinal(ordinal).isoformat()


def moment(created: tuple[int, int]) -> str:
    """``YYYY-MM-DD HH:MM:SS`` from a day and its seconds."""
    minutes, seconds = divmod(created[1], 60)
    return f"{day(created[0])} {minutes // 60:02}:{minutes % 60:02}:{seconds:02}"


def plan(
    rng: random.Random,
    file: Layout,
    rooms: Sequence[Room],
    guests: Sequence[tuple[int, bool]],
    number: int,
) -> list[Booking]:
    """``number`` bookings in the order in which they were made, ids with gaps."""
    if not rooms or not guests:
        return []
    mean_days = 5
    first = TODAY - int(mean_days * number / len(rooms) * 0.7) - 3
    free_from = [first + rng.randrange(4) for _ in rooms]
    found = []
    chance = rng.random
    for index in range(number):
        place = index % len(rooms)
        room = rooms[place]
        guest, member = guests[int(chance() * len(guests))]
        arrival = free_from[place] + int(chance() * 4)
        nights = 1 + int(chance() * 6)
        cancelled = chance() < 0.06
        if not cancelled:
            free_from[place] = arrival + nights
        made_on = min(arrival - 1 - int(chance() * 120), TODAY)
        found.append(
            Booking(
                id=0,
                room=room,
                guest=guest,
                member=member,
                arrival=arrival,
                nights=nights,
                persons=1 + int(chance() * room.capacity),
                status="storniert" if cancelled else _status(arrival, nights, chance()),
                created=(made_on, 25200 + int(chance() * 43200)),
                foundation=chance() < 0.03,
            )
        )
    found.sort(key=lambda booking: booking.created)
    booking_id = rng.randrange(12)
    for booking in found:
        booking_id += 1 if chance() > 0.04 else 2 + int(chance() * 5)
        booking.id = booking_id
        _price(booking, rng, file)
    return found


def _status(arrival: int, nights: int, chance: float) -> str:
    if arrival + nights <= TODAY:
        return "ausgecheckt"
    if arrival <= TODAY:
        return "eingecheckt"
    return "bestaetigt" if chance < 0.8 else "reserviert"


def _percent(cents: int, percent: int) -> int:
    """Half up, as money is rounded here."""
    return (cents * percent * 2 + 100) // 200


def _price(booking: Booking, rng: random.Random, file: Layout) -> None:
    room, chance = booking.room, rng.random
    summer = day(booking.arrival)[5:7] in ("06", "07", "08")
    booking.base = booking.nights * (room.high if summer else room.low)
    cleaning = room.cleaning if file.has("rooms", "endreinigung") else 0
    if chance() < 0.35:
        name = FREE_SERVICES[int(chance() * len(FREE_SERVICES))]
        if file.has("additional_services", "original_value") and chance() < 0.2:
            booking.free_services = [(name, _percent(booking.base, 10), 10)]
        else:
            booking.free_services = [(name, 500 + 50 * int(chance() * 60), 0)]
    if file.has("booking_services") and chance() < 0.4:
        kinds = 4 if file.has("service_templates", "price_type") else 3
        chosen = sorted(rng.sample(range(kinds), 1 + int(chance() * 2)))
        booking.links = [
            (kind, _percent(booking.base, SERVICES[kind][2]) or SERVICES[kind][1]) for kind in chosen
        ]
    parts = [cents for _, cents, _ in booking.free_services] + [cents for _, cents in booking.links]
    booking.services = cleaning + sum(parts)
    subtotal = booking.base + booking.services
    if chance() < 0.08:
        name, percent, cents = DISCOUNTS[int(chance() * 2)]
        booking.free_discounts = [(name, _percent(subtotal, percent) or cents, percent)]
    elif file.has("booking_discounts") and chance() < 0.06:
        kind = int(chance() * 2)
        _, percent, cents = DISCOUNTS[kind]
        booking.discount_links = [(kind, _percent(subtotal, percent) or cents)]
    booking.discount = sum(cents for _, cents, _ in booking.free_discounts)
    booking.discount += sum(cents for _, cents in booking.discount_links)
    if booking.member:
        booking.discount += _percent(booking.base, MEMBER_DISCOUNT)
    booking.discount = min(booking.discount, subtotal)
    booking.total = subtotal - booking.discount
