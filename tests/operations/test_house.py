"""The generated house: always the same for a seed, always possible, always with everything in it."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain.models import Kind, Status
from dpolg_tui.operations.house import SIZES, BookingRow, House, HouseSize, OccupancyRow, generate

TODAY = date(2026, 11, 21)


def by_id(house: House) -> dict[int, BookingRow]:
    return {booking.id: booking for booking in house.bookings()}


def nights(occupancy: OccupancyRow) -> list[date]:
    return [
        occupancy.arrival + timedelta(days=day)
        for day in range((occupancy.departure - occupancy.arrival).days)
    ]


def check_possible(house: House) -> None:
    """No two in one room in one night, no more people than beds, statuses that fit the day."""
    today = house.today
    rooms = {room.id: room for room in house.rooms()}
    bookings = by_id(house)
    taken: set[tuple[int, date]] = set()
    beds: Counter[tuple[int, date]] = Counter()
    stays: dict[int, list[OccupancyRow]] = {}
    for occupancy in house.occupancies():
        assert 1 <= (occupancy.departure - occupancy.arrival).days <= 365
        assert (occupancy.kind == Kind.STAY) == (occupancy.booking_id is not None)
        if occupancy.booking_id is None:
            assert occupancy.reason
            assert occupancy.room_id
            assert occupancy.active
        else:
            stays.setdefault(occupancy.booking_id, []).append(occupancy)
            assert occupancy.active == (bookings[occupancy.booking_id].status != Status.CANCELLED)
        for night in nights(occupancy):
            if occupancy.active and occupancy.room_id is not None:
                assert (occupancy.room_id, night) not in taken
                taken.add((occupancy.room_id, night))
            if occupancy.booking_id is not None and occupancy.room_id is not None:
                beds[occupancy.booking_id, night] += rooms[occupancy.room_id].capacity
    for (booking_id, _), available in beds.items():
        assert bookings[booking_id].persons <= available
    assert set(stays) == set(bookings)
    for booking in bookings.values():
        check_booking(booking, stays[booking.id], today)


def check_booking(booking: BookingRow, stays: list[OccupancyRow], today: date) -> None:
    arrival = min(stay.arrival for stay in stays)
    departure = max(stay.departure for stay in stays)
    assert booking.created_at.date() < today
    assert booking.created_at.date() <= arrival
    assert booking.persons >= 1
    assert (booking.checked_in_at is not None) == (booking.status in (Status.CHECKED_IN, Status.CHECKED_OUT))
    assert (booking.checked_out_at is not None) == (booking.status == Status.CHECKED_OUT)
    assert (booking.cancelled_at is not None) == (booking.status == Status.CANCELLED)
    assert (booking.cancellation_reason is not None) == (booking.status == Status.CANCELLED)
    for moment in (booking.cancelled_at, booking.checked_in_at, booking.checked_out_at):
        assert moment is None or booking.created_at <= moment
        assert moment is None or moment.date() <= today
    if booking.status == Status.CHECKED_OUT:
        assert departure <= today
    elif booking.status == Status.CHECKED_IN:
        assert arrival <= today
        assert departure >= today - timedelta(days=1)
    elif booking.status in (Status.RESERVED, Status.CONFIRMED):
        assert arrival >= today - timedelta(days=1)
    if booking.option_expires is not None:
        assert booking.status == Status.RESERVED
        assert booking.created_at.date() < booking.option_expires <= arrival


def check_complete(house: House) -> None:
    """Everything that a desk can show is there, whatever the seed."""
    today = house.today
    bookings = by_id(house)
    occupancies = list(house.occupancies())
    active = [occupancy for occupancy in occupancies if occupancy.active]
    assert {booking.status for booking in bookings.values()} == set(Status)
    assert {occupancy.kind for occupancy in occupancies} == set(Kind)
    status = {
        occupancy.id: bookings[occupancy.booking_id].status for occupancy in active if occupancy.booking_id
    }

    def some(
        *, arrival: date | None = None, departure: date | None = None, among: tuple[Status, ...]
    ) -> bool:
        return any(
            status.get(occupancy.id) in among
            and arrival in (None, occupancy.arrival)
            and departure in (None, occupancy.departure)
            for occupancy in active
        )

    yesterday = today - timedelta(days=1)
    assert some(arrival=today, among=(Status.CONFIRMED,))
    assert some(arrival=today, among=(Status.CHECKED_IN,))
    assert some(departure=today, among=(Status.CHECKED_IN,))
    assert some(departure=today, among=(Status.CHECKED_OUT,))
    assert some(arrival=yesterday, among=(Status.CONFIRMED, Status.RESERVED)), "arrival overdue"
    assert some(departure=yesterday, among=(Status.CHECKED_IN,)), "departure overdue"
    options = [booking.option_expires for booking in bookings.values() if booking.option_expires]
    assert min(options) < today < max(options)
    assert any(booking.foundation_case for booking in bookings.values())
    unassigned = [occupancy for occupancy in active if occupancy.room_id is None]
    assert unassigned
    assert min(occupancy.arrival for occupancy in unassigned) <= today + timedelta(days=7)
    ends = {(occupancy.room_id, occupancy.departure) for occupancy in active if occupancy.room_id}
    turnovers = [occupancy for occupancy in active if (occupancy.room_id, occupancy.arrival) in ends]
    assert len(turnovers) > len(active) / 5
    several = Counter(occupancy.booking_id for occupancy in occupancies if occupancy.booking_id)
    assert max(several.values()) == 2


@settings(max_examples=12, deadline=None)
@given(
    seed=st.integers(min_value=0, max_value=2**32),
    today=st.dates(date(2024, 1, 1), date(2032, 12, 31)),
)
def test_every_small_house_is_possible_and_complete(seed: int, today: date) -> None:
    house = generate(seed, today)
    check_possible(house)
    check_complete(house)


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(),
    rooms=st.integers(1, 30),
    guests=st.integers(1, 40),
    bookings=st.integers(60, 900),
)
def test_a_house_of_any_size_has_exactly_the_bookings_asked_for(
    seed: int, rooms: int, guests: int, bookings: int
) -> None:
    house = generate(seed, TODAY, HouseSize(rooms, guests, max(bookings, rooms * 60)))
    assert sum(1 for _ in house.bookings()) == house.size.bookings
    assert sum(1 for _ in house.rooms()) == rooms
    assert sum(1 for _ in house.guests()) == guests
    check_possible(house)


def test_the_small_house_is_the_one_described() -> None:
    house = generate(1, TODAY)
    rooms = list(house.rooms())
    assert len(rooms) == 16
    assert {room.category for room in rooms} == {"EZ", "DZ", "App", "FeWo", "BU"}
    assert len({room.place for room in rooms}) == 3
    assert len({room.building for room in rooms}) == 4
    assert all(0 < room.price_low <= room.price_high for room in rooms)
    guests = list(house.guests())
    assert len(guests) == 300
    names = " ".join(f"{guest.first_name} {guest.last_name}" for guest in guests)
    for letter in "şğıłńßäöü-'":
        assert letter in names
    for guest in guests:
        if guest.email is not None:
            assert re.fullmatch(r"[a-z-]+\.[a-z-]+\d+@[a-z.]*(example\.org|\.invalid)", guest.email), (
                guest.email
            )
    arrivals = [occupancy.arrival for occupancy in house.occupancies()]
    assert TODAY - timedelta(days=184) <= min(arrivals) < TODAY - timedelta(days=150)
    assert TODAY + timedelta(days=100) < max(arrivals) <= TODAY + timedelta(days=184)


def test_reservation_numbers_count_up_within_the_year_of_booking() -> None:
    last: Counter[str] = Counter()
    for booking in generate(3, TODAY).bookings():
        year, _, number = booking.number.partition("-")
        assert int(year) == booking.created_at.year
        last[year] += 1
        assert int(number) == last[year]


def test_the_empty_house_has_nothing_but_its_users() -> None:
    house = generate(1, TODAY, "empty")
    assert not [*house.rooms(), *house.guests(), *house.bookings(), *house.occupancies()]


@pytest.mark.long
def test_the_large_house_is_made_in_seconds() -> None:
    house = generate(1, TODAY, "large")
    started = time.perf_counter()
    bookings = sum(1 for _ in house.bookings())
    guests = sum(1 for _ in house.guests())
    occupancies = sum(1 for _ in house.occupancies())
    assert time.perf_counter() - started < 30, "takes about four seconds on an idle machine"
    assert (bookings, guests) == (100_000, 50_000) == (SIZES["large"].bookings, SIZES["large"].guests)
    assert occupancies > bookings
    today = sum(
        occupancy.active and occupancy.arrival <= TODAY < occupancy.departure
        for occupancy in house.occupancies()
    )
    assert 80 < today <= 200, "as full as a house can be"


def test_parts_do_not_depend_on_the_order_in_which_they_are_asked_for() -> None:
    first, second = generate(5, TODAY), generate(5, TODAY)
    forwards = [list(first.rooms()), list(first.guests()), list(first.bookings()), list(first.occupancies())]
    backwards = [
        list(second.occupancies()),
        list(second.bookings()),
        list(second.guests()),
        list(second.rooms()),
    ]
    assert forwards == backwards[::-1]
    assert list(first.bookings()) == forwards[2]
    assert list(generate(6, TODAY).bookings()) != forwards[2]


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711"])
def test_same_seed_same_house_whatever_the_hash_order(hash_seed: str) -> None:
    program = (
        "import hashlib; from datetime import date; from dpolg_tui.operations.house import generate;"
        "house = generate(9, date(2026, 11, 21));"
        "rows = [*house.rooms(), *house.guests(), *house.bookings(), *house.occupancies()];"
        "print(hashlib.sha256(repr(rows).encode()).hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    house = generate(9, TODAY)
    rows = [*house.rooms(), *house.guests(), *house.bookings(), *house.occupancies()]
    assert answer.stdout.strip() == hashlib.sha256(repr(rows).encode()).hexdigest()
