"""A guest house that never was: rooms, guests, bookings and blocks around a given day.

Pure and seeded: the same seed, size and day give the same house, row by row. Rows are tuples
in the order of their columns, ready for COPY.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import NamedTuple

from dpolg_tui.domain.models import Kind, Status
from dpolg_tui.operations import house_names as names
from dpolg_tui.operations.house_plan import HousePlan, make_plan

DEFAULT_SEED = 2026


class RoomRow(NamedTuple):
    """A row of app.rooms."""

    id: int
    name: str
    category: str
    building: str | None
    place: str
    capacity: int
    price_low: Decimal
    price_high: Decimal
    final_cleaning_fee: Decimal
    key_code: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    notes: str | None
    created_at: datetime


class GuestRow(NamedTuple):
    """A row of app.guests, without the columns that the house leaves empty."""

    id: int
    last_name: str
    first_name: str
    salutation: str | None
    gender: str | None
    email: str | None
    phone: str | None
    phone_mobile: str | None
    street: str | None
    postal_code: str | None
    city: str | None
    country: str | None
    date_of_birth: date | None
    nationality: str | None
    language: str | None
    is_member: bool
    member_number: str | None
    profession: str | None
    duty_station: str | None
    federal_state: str | None
    licence_plate: str | None
    tags: str | None
    marketing_consent: bool | None
    notes: str | None
    created_at: datetime


class BookingRow(NamedTuple):
    """A row of app.bookings."""

    id: int
    number: str
    guest_id: int
    status: str
    persons: int
    option_expires: date | None
    foundation_case: bool
    guest_is_member: bool
    cleaning_date: date | None
    notes: str | None
    cancellation_reason: str | None
    cancelled_at: datetime | None
    checked_in_at: datetime | None
    checked_out_at: datetime | None
    created_at: datetime
    updated_at: datetime | None


class OccupancyRow(NamedTuple):
    """A row of app.occupancies: a stay, or a block where ``booking_id`` is None."""

    id: int
    room_id: int | None
    arrival: date
    departure: date
    booking_id: int | None
    kind: str
    reason: str | None
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class HouseSize:
    """How big a house is. With ``bookings`` its past is as long as that many bookings take."""

    rooms: int
    guests: int
    bookings: int | None = None
    days_back: int = 183
    days_ahead: int = 183


SIZES = {
    "empty": HouseSize(rooms=0, guests=0, bookings=0),
    "small": HouseSize(rooms=16, guests=300),
    "large": HouseSize(rooms=200, guests=50_000, bookings=100_000, days_ahead=540),
}

# Building, place, street, postal code, and its rooms: category, beds, low, high, final cleaning.
_BUILDINGS = (
    ("Haupthaus", "Brannenburg", "Musterweg 1", "83098", (
        ("EZ", 1, 32, 38, 20), ("EZ", 1, 34, 40, 20), ("DZ", 2, 48, 58, 25), ("DZ", 2, 52, 62, 25),
        ("DZ", 3, 58, 69, 25), ("App", 4, 74, 89, 45),
    )),
    ("Nebenhaus", "Brannenburg", "Musterweg 1a", "83098", (
        ("DZ", 2, 46, 55, 25), ("App", 2, 62, 74, 40), ("App", 4, 72, 86, 45),
    )),
    ("Bergblick", "Bayrischzell", "Am Beispielhang 7", "83735", (
        ("DZ", 2, 50, 60, 25), ("App", 3, 68, 82, 40), ("FeWo", 4, 84, 99, 60), ("FeWo", 6, 98, 119, 70),
    )),
    ("Seehaus", "Tegernsee", "Erfundene Zeile 12", "83684", (
        ("FeWo", 5, 96, 118, 65), ("BU", 4, 79, 95, 55), ("BU", 6, 92, 112, 65),
    )),
)  # fmt: skip
_SLOTS = [(*building[:4], *room) for building in _BUILDINGS for room in building[4]]


@dataclass(frozen=True)
class House:
    """The generated house. Its tables are made when they are asked for, guests row by row."""

    today: date
    seed: int
    size: HouseSize

    def rooms(self) -> Iterator[RoomRow]:
        """The rooms, numbered through the buildings."""
        rng = self._random("rooms")
        made = self._moment(self._earliest - 500, rng)
        for index in range(self.size.rooms):
            building, place, street, postal_code, category, beds, low, high, fee = self._slot(index)
            yield RoomRow(
                id=index + 1,
                name=f"{index + 1} {names.MOUNTAINS[index % len(names.MOUNTAINS)]}",
                category=category,
                building=building,
                place=place,
                capacity=beds,
                price_low=Decimal(low).quantize(Decimal("0.01")),
                price_high=Decimal(high).quantize(Decimal("0.01")),
                final_cleaning_fee=Decimal(fee).quantize(Decimal("0.01")),
                key_code=f"{rng.randrange(10_000):04}" if rng.random() < 0.8 else None,
                street=street,
                postal_code=postal_code,
                city=place,
                notes="Barrierefrei, Dusche ohne Schwelle." if index % 16 == 2 else None,
                created_at=made,
            )

    def guests(self) -> Iterator[GuestRow]:
        """The guests, in no particular order."""
        rng = self._random("guests")
        for index in range(self.size.guests):
            yield self._guest(rng, index)

    def bookings(self) -> Iterator[BookingRow]:
        """The bookings in the order in which they were made: numbers grow with their ids."""
        rng = self._random("moments")
        members = self._members
        last: dict[int, int] = {}
        for index, plan in enumerate(self._plan.bookings):
            year = self._date(plan.created).year
            last[year] = last.get(year, 0) + 1
            created = self._moment(plan.created, rng)
            came = plan.status in (Status.CHECKED_IN, Status.CHECKED_OUT)
            # Whoever came or left today did it early, so that it has happened by now.
            checked_in = (
                self._moment(plan.arrival, rng, hour=4 if plan.arrival == 0 else 14) if came else None
            )
            left = plan.status is Status.CHECKED_OUT
            checked_out = (
                self._moment(plan.departure, rng, hour=5 if plan.departure == 0 else 8) if left else None
            )
            cancelled = None if plan.cancelled is None else max(created, self._moment(plan.cancelled, rng))
            yield BookingRow(
                id=index + 1,
                number=f"{year}-{last[year]}",
                guest_id=plan.guest + 1,
                status=plan.status.value,
                persons=plan.persons,
                option_expires=None if plan.option_expires is None else self._date(plan.option_expires),
                foundation_case=plan.foundation_case,
                guest_is_member=members[plan.guest],
                cleaning_date=None if plan.cleaning is None else self._date(plan.cleaning),
                notes=plan.notes,
                cancellation_reason=plan.cancellation_reason,
                cancelled_at=cancelled,
                checked_in_at=checked_in,
                checked_out_at=checked_out,
                created_at=created,
                updated_at=cancelled or checked_out or checked_in,
            )

    def occupancies(self) -> Iterator[OccupancyRow]:
        """All stays, in the order of their bookings, then all blocks."""
        rng = self._random("blocks")
        number = 0
        for index, plan in enumerate(self._plan.bookings):
            created = self._moment(plan.created, rng)
            for piece in plan.pieces:
                number += 1
                yield OccupancyRow(
                    id=number,
                    room_id=None if piece.room is None else piece.room + 1,
                    arrival=self._date(piece.arrival),
                    departure=self._date(piece.departure),
                    booking_id=index + 1,
                    kind=Kind.STAY.value,
                    reason=None,
                    active=plan.status is not Status.CANCELLED,
                    created_at=created,
                )
        for block in self._plan.blocks:
            number += 1
            created = self._moment(min(block.arrival, 0) - 1 - rng.randrange(20), rng)
            yield OccupancyRow(
                id=number,
                room_id=block.room + 1,
                arrival=self._date(block.arrival),
                departure=self._date(block.departure),
                booking_id=None,
                kind=block.kind.value,
                reason=block.reason,
                active=True,
                created_at=created,
            )

    @cached_property
    def _plan(self) -> HousePlan:
        if not self.size.rooms or not self.size.guests:
            return HousePlan()
        return make_plan(
            self._random("plan"),
            [self._slot(index)[5] for index in range(self.size.rooms)],
            guests=self.size.guests,
            days_back=self.size.days_back,
            days_ahead=self.size.days_ahead,
            bookings=self.size.bookings,
        )

    @property
    def _earliest(self) -> int:
        """The day of the first booking: rooms and guests were there before."""
        return self._plan.bookings[0].created if self._plan.bookings else 0

    @cached_property
    def _members(self) -> list[bool]:
        rng = self._random("members")
        return [rng.random() < 0.7 for _ in range(self.size.guests)]

    def _random(self, part: str) -> Random:
        """A generator of its own for each part, so that none depends on what was asked before."""
        return Random(f"{self.seed}/{part}")  # noqa: S311 - nothing here is a secret

    def _slot(self, index: int) -> tuple[str, str, str, str, str, int, int, int, int]:
        return _SLOTS[index * len(_SLOTS) // self.size.rooms]

    def _date(self, day: int) -> date:
        return self.today + timedelta(days=day)

    def _moment(self, day: int, rng: Random, hour: int | None = None) -> datetime:
        """A moment on that day, in office hours unless an hour (UTC) is given."""
        day_of = self._date(day)
        second = rng.randrange(3600 if hour is not None else 9 * 3600) + (7 if hour is None else hour) * 3600
        return datetime(day_of.year, day_of.month, day_of.day, tzinfo=UTC) + timedelta(seconds=second)

    def _guest(self, rng: Random, index: int) -> GuestRow:
        woman = rng.random() < 0.5
        first_name, last_name, nationality = _name(rng, woman=woman)
        abroad = rng.random() < 0.05
        postal_code, city, region = rng.choice(names.FOREIGN_CITIES if abroad else names.CITIES)
        chance = rng.random
        member = self._members[index]
        mail_name = f"{names.plain(first_name)}.{names.plain(last_name)}{index + 1}"
        created = self._moment(self._earliest - rng.randrange(1, 400), rng)
        complete = chance() < 0.9
        return GuestRow(
            id=index + 1,
            last_name=last_name,
            first_name=first_name,
            salutation="Frau" if woman else "Herr",
            gender=None,
            email=f"{mail_name}@{rng.choice(names.MAIL_DOMAINS)}" if chance() < 0.85 else None,
            phone=f"{rng.choice(names.LANDLINES)}{rng.randrange(1000):03}" if complete else None,
            phone_mobile=rng.choice(names.MOBILES) if chance() < 0.6 else None,
            street=f"{rng.choice(names.STREETS)} {rng.randint(1, 120)}" if complete else None,
            postal_code=postal_code if complete else None,
            city=city if complete else None,
            country=region if abroad else "Deutschland",
            date_of_birth=date(rng.randint(1945, 2003), rng.randint(1, 12), rng.randint(1, 28))
            if chance() < 0.5
            else None,
            nationality=nationality,
            language="Deutsch",
            is_member=member,
            member_number=f"{rng.randrange(10**7):07}" if member else None,
            profession=rng.choice(names.PROFESSIONS) if member else None,
            duty_station=rng.choice(names.DUTY_STATIONS) if member and chance() < 0.7 else None,
            federal_state=None if abroad or not complete else region,
            licence_plate=f"XX-{chr(65 + rng.randrange(26))} {rng.randint(1, 9999)}"
            if chance() < 0.2
            else None,
            tags="Stammgast" if chance() < 0.1 else None,
            marketing_consent=chance() < 0.5 if chance() < 0.6 else None,
            notes=rng.choice(names.GUEST_NOTES) if chance() < 0.08 else None,
            created_at=created,
        )


def generate(seed: int, today: date, size: str | HouseSize = "small") -> House:
    """The house of that seed around that day."""
    return House(today, seed, SIZES[size] if isinstance(size, str) else size)


def _name(rng: Random, *, woman: bool) -> tuple[str, str, str]:
    """First name, last name, nationality."""
    origin = rng.random()
    if origin < 0.12:
        first = rng.choice(names.TURKISH_WOMEN if woman else names.TURKISH_MEN)
        return first, rng.choice(names.TURKISH_SURNAMES), "türkisch" if rng.random() < 0.4 else "deutsch"
    if origin < 0.24:
        first = rng.choice(names.POLISH_WOMEN if woman else names.POLISH_MEN)
        return first, rng.choice(names.POLISH_SURNAMES), "polnisch" if rng.random() < 0.4 else "deutsch"
    first = rng.choice(names.WOMEN if woman else names.MEN)
    if origin < 0.36:
        return first, f"{rng.choice(names.SURNAMES)}-{rng.choice(names.SURNAMES)}", "deutsch"
    if origin < 0.40:
        return first, rng.choice(names.LONG_SURNAMES), "deutsch"
    return first, rng.choice(names.SURNAMES), "deutsch"
