"""A desk rearranges a house on real PostgreSQL, and a simple model of the house says what must come of it."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from dpolg_tui.desk import Desk
from dpolg_tui.domain import rearrange
from dpolg_tui.domain.errors import InvalidInput, RuleViolated
from dpolg_tui.domain.models import Kind, Occupancy, Outcome, Status, WriteResult
from dpolg_tui.domain.rearrange import Place, Plan, writes_of
from tests.databases import TestDatabase
from tests.desk.model import Ground, ground, play

ROOMS = 3
COMING = (Status.RESERVED, Status.CONFIRMED)
STAYS = st.tuples(st.integers(0, ROOMS), st.integers(-3, 8), st.integers(1, 5))
"""Number of the room, first night counted from today, nights."""


@dataclass
class OneDesk(Ground):
    """One desk for all houses; each house has rooms of its own in the same database."""

    guest: int

    @property
    def desk(self) -> Desk:
        """The only one."""
        return self.desks[0]


@contextmanager
def one_desk(database: TestDatabase) -> Iterator[OneDesk]:
    """With a guest whose bookings they all are."""
    with ground(database, "anna") as on:
        guest = on.run(on.desks[0].guests.create({"last_name": "Huber", "first_name": "Eva"}))
        yield OneDesk(on.run, on.desks, on.owner, guest.id or 0)


class House(RuleBasedStateMachine):
    """The model: bars by id, and cancelled bookings. A rule does something to both and compares."""

    on: OneDesk

    def __init__(self) -> None:
        super().__init__()
        names = [
            self.on.run(
                self.on.owner.fetchval(
                    "INSERT INTO app.rooms (name, category, place, capacity)"
                    " VALUES (gen_random_uuid()::text, 'DZ', 'Lenggries', 2) RETURNING id"
                )
            )
            for _ in range(ROOMS)
        ]
        self.rooms: list[int | None] = [*names, None]
        self.bars: dict[int, Occupancy] = {}
        self.cancelled: dict[int, list[Occupancy]] = {}
        self.today = self.on.desk.today()

    # -- the model -------------------------------------------------------------------------------

    def bar(self, number: int, wanted: Callable[[Occupancy], object] = bool) -> Occupancy:
        """One of the bars, of those that are wanted if there are any."""
        bars = sorted(self.bars.values(), key=lambda bar: bar.id)
        bars = [bar for bar in bars if wanted(bar)] or bars
        return bars[number % len(bars)]

    def day(self, number: int) -> date:
        return self.today + timedelta(days=number)

    def in_the_way(self, places: list[Place], moved: set[int], booking: int | None = None) -> set[int]:
        return {
            bar.id
            for bar in self.bars.values()
            if bar.id not in moved
            and (booking is None or bar.booking_id != booking)
            and any(place.collides(Place.of(bar)) for place in places)
        }

    def neighbours(self, bar: Occupancy) -> list[Occupancy]:
        return [other for other in self.bars.values() if bar.room_id and other.room_id == bar.room_id]

    # -- doing and comparing ---------------------------------------------------------------------

    def rearranged(self, plan: Callable[[], Plan], work: Callable[[], Awaitable[WriteResult]]) -> None:
        """What a plan should come to, and what it came to."""
        try:
            steps = plan()
        except InvalidInput as refused:
            with pytest.raises(InvalidInput, match=f"^{re.escape(refused.message)}$"):
                self.on.run(work())
            return
        changed = [step for step in steps if step.changes_anything]
        places = [place for step in changed for place in step.places]
        moved = {step.bar.id for step in changed}
        ways = self.in_the_way(places, moved)
        writes = writes_of(steps)
        if len(writes) == 1 and writes[0].kind == "booking":
            foreign = self.in_the_way(places, moved, writes[0].id)
            if ways and not foreign:
                with pytest.raises(RuleViolated):
                    self.on.run(work())
                return
            ways = foreign
        result = self.on.run(work())
        assert {way.occupancy_id for way in result.in_the_way} == ways
        assert result.outcome is (Outcome.TAKEN if ways else Outcome.DONE)
        if not ways:
            self.take_over(changed)

    def take_over(self, plan: list[rearrange.Step]) -> None:
        for step in plan:
            del self.bars[step.bar.id]
            for place in step.places[:1]:
                self.bars[step.bar.id] = place.take(step.bar)
        for step in plan:
            for place in step.places[1:]:
                self.add(step.bar, place)

    def add(self, like: Occupancy, place: Place) -> None:
        """A new stay: its id is told by the database."""
        row = self.on.run(
            self.on.owner.fetchrow(
                "SELECT id FROM app.occupancies WHERE booking_id = $1 AND room_id IS NOT DISTINCT FROM $2"
                " AND arrival = $3 AND departure = $4 AND NOT id = ANY ($5)",
                *(like.booking_id, place.room_id, place.arrival, place.departure, list(self.bars)),
            )
        )
        self.bars[row["id"]] = replace(place.take(like), id=row["id"])

    @invariant()
    def the_database_and_the_desk_show_the_model(self) -> None:
        mine = [bar.booking_id for bar in self.bars.values() if bar.booking_id]
        rows = self.on.run(
            self.on.owner.fetch(
                "SELECT o.id, o.room_id, o.arrival, o.departure, b.status FROM app.occupancies o"
                " LEFT JOIN app.bookings b ON b.id = o.booking_id"
                " WHERE o.active AND (o.room_id = ANY ($1) OR o.booking_id = ANY ($2))",
                *(self.rooms[:-1], mine),
            )
        )
        wanted = {bar.id: (*_place(bar), bar.status) for bar in self.bars.values()}
        assert {row["id"]: tuple(row)[1:] for row in rows} == wanted
        store = self.on.desk.store
        shown = {
            bar.id: (*_place(bar), bar.status)
            for bar in store.occupancies.values()
            if bar.room_id in self.rooms[:-1] or bar.booking_id in mine
        }
        assert shown == wanted

    # -- what staff do ---------------------------------------------------------------------------

    @initialize(full=st.lists(st.lists(st.integers(1, 4), min_size=1, max_size=3), max_size=ROOMS))
    def move_in(self, full: list[list[int]]) -> None:
        """Some rooms with one stay after the other."""
        for room, stays in enumerate(full):
            for number, nights in enumerate(stays):
                self._book(room, sum(stays[:number]) - 1, nights)

    @rule(stay=STAYS)
    def book(self, stay: tuple[int, int, int]) -> None:
        self._book(*stay)

    def _book(self, room: int, first: int, nights: int) -> None:
        place = Place(self.rooms[room], self.day(first), self.day(first + nights))
        ways = self.in_the_way([place], set())
        result = self.on.run(
            self.on.desk.bookings.create({"guest_id": self.on.guest, "stay/new": place.value()})
        )
        assert {way.occupancy_id for way in result.in_the_way} == ways
        if not ways:
            like = Occupancy(
                0, *_place(place), Kind.STAY, booking_id=result.id, status=Status.CONFIRMED,
                number=f"{result.id}", last_name="Huber",
            )  # fmt: skip
            [shown] = self.on.desk.store.of_booking(result.id)
            self.add(replace(like, number=shown.number), place)

    @rule(room=st.integers(0, ROOMS - 1), first=st.integers(0, 8), nights=st.integers(1, 3))
    def block(self, room: int, first: int, nights: int) -> None:
        place = Place(self.rooms[room], self.day(first), self.day(first + nights))
        ways = self.in_the_way([place], set())
        result = self.on.run(
            self.on.desk.blocks.create(
                place.room_id or 0, place.arrival, place.departure, Kind.HOUSE_USE, "Probe"
            )
        )
        assert {way.occupancy_id for way in result.in_the_way} == ways
        if not ways:
            self.bars[result.id] = Occupancy(result.id, *_place(place), Kind.HOUSE_USE, "Probe")

    @precondition(lambda self: self.bars)
    @rule(one=st.integers(0, 50), other=st.integers(0, 50))
    def swap(self, one: int, other: int) -> None:
        first = self.bar(one)
        second = self.bar(other, lambda bar: bar.room_id != first.room_id)
        self.rearranged(
            lambda: rearrange.swap(first, second, self.today),
            lambda: self.on.desk.bookings.swap(first, second),
        )

    @precondition(lambda self: self.bars)
    @rule(one=st.integers(0, 50), days=st.integers(-4, 4))
    def shift(self, one: int, days: int) -> None:
        bar = self.bar(one)
        self.rearranged(
            lambda: rearrange.shift(bar, days, (), self.today),
            lambda: self.on.desk.bookings.shift(bar, days),
        )

    @precondition(lambda self: self.bars)
    @rule(one=st.integers(0, 50), days=st.sampled_from([1, 2, 3, -2]))
    def shift_neighbours(self, one: int, days: int) -> None:
        bar = self.bar(one, lambda bar: len(self.neighbours(bar)) > 1)
        others = list(self.bars.values())
        self.rearranged(
            lambda: rearrange.shift(bar, days, others, self.today),
            lambda: self.on.desk.bookings.shift(bar, days, neighbours=True),
        )

    @precondition(lambda self: self.bars)
    @rule(
        one=st.integers(0, 50), room=st.integers(0, ROOMS), days=st.integers(-2, 3), longer=st.integers(-1, 2)
    )
    def move(self, one: int, room: int, days: int, longer: int) -> None:
        bar = self.bar(one)
        by = timedelta(days=days)
        place = Place(self.rooms[room], bar.arrival + by, bar.departure + by + timedelta(days=longer))
        self.rearranged(
            lambda: rearrange.move(bar, place, self.today),
            lambda: self.on.desk.bookings.move(bar, *_place(place)),
        )

    @precondition(lambda self: self.bars)
    @rule(one=st.integers(0, 50), night=st.integers(0, 3), room=st.integers(-1, ROOMS))
    def split(self, one: int, night: int, room: int) -> None:
        bar = self.bar(one, lambda bar: bar.nights > 1 and not bar.is_block)
        day = bar.arrival + timedelta(days=night)
        other = bar.room_id if room < 0 else self.rooms[room]
        self.rearranged(
            lambda: rearrange.split(bar, day, other), lambda: self.on.desk.bookings.split(bar, day, other)
        )

    @precondition(lambda self: self.bars)
    @rule(one=st.integers(0, 50), other=st.integers(0, 50))
    def join(self, one: int, other: int) -> None:
        bars = list(self.bars.values())
        bar = self.bar(one, lambda bar: bar.booking_id and rearrange.next_part(bar, bars))
        part = rearrange.next_part(bar, bars) or self.bar(other)
        self.rearranged(
            lambda: rearrange.join(bar, part, self.today), lambda: self.on.desk.bookings.join(bar, part)
        )

    @precondition(lambda self: any(bar.status in COMING for bar in self.bars.values()))
    @rule(one=st.integers(0, 50))
    def check_in(self, one: int) -> None:
        booking = self._coming(one)
        own = [bar for bar in self.bars.values() if bar.booking_id == booking]
        if all(bar.room_id for bar in own):
            assert self.on.run(self.on.desk.bookings.check_in(booking)).outcome is Outcome.DONE
            self.bars |= {bar.id: replace(bar, status=Status.CHECKED_IN) for bar in own}

    @precondition(lambda self: self._here())
    @rule(one=st.integers(0, 50), early=st.booleans())
    def check_out(self, one: int, early: bool) -> None:
        """Who leaves early gives the nights free that remain; a later stay of the booking goes."""
        here = self._here()
        booking = here[one % len(here)]
        own = [bar for bar in self.bars.values() if bar.booking_id == booking]
        leaves = max(self.today, min(bar.arrival for bar in own) + timedelta(days=1))
        result = self.on.run(self.on.desk.bookings.check_out(booking, leaves if early else None))
        assert result.outcome is Outcome.DONE
        for bar in own:
            if early and bar.arrival >= leaves:
                del self.bars[bar.id]
            else:
                until = min(bar.departure, leaves) if early else bar.departure
                self.bars[bar.id] = replace(bar, departure=until, status=Status.CHECKED_OUT)

    @precondition(lambda self: any(bar.status in COMING for bar in self.bars.values()))
    @rule(one=st.integers(0, 50))
    def cancel(self, one: int) -> None:
        booking = self._coming(one)
        assert self.on.run(self.on.desk.bookings.cancel(booking, "krank")).outcome is Outcome.DONE
        own = [bar for bar in self.bars.values() if bar.booking_id == booking]
        self.cancelled[booking] = [self.bars.pop(bar.id) for bar in own]

    @precondition(lambda self: self.cancelled)
    @rule()
    def reopen(self) -> None:
        booking, own = self.cancelled.popitem()
        lost = [bar for bar in own if self.in_the_way([Place.of(bar)], set())]
        result = self.on.run(self.on.desk.bookings.reopen(booking))
        assert (result.outcome, result.lost_room) == (Outcome.DONE, bool(lost))
        self.bars |= {bar.id: replace(bar, room_id=None) if bar in lost else bar for bar in own}

    def _here(self) -> list[int]:
        return sorted({bar.booking_id or 0 for bar in self.bars.values() if bar.status is Status.CHECKED_IN})

    def _coming(self, number: int) -> int:
        coming = sorted({bar.booking_id or 0 for bar in self.bars.values() if bar.status in COMING})
        return coming[number % len(coming)]


def _place(place: Place | Occupancy) -> tuple[int | None, date, date]:
    return place.room_id, place.arrival, place.departure


def test_the_house_is_what_the_model_says(database: TestDatabase) -> None:
    with one_desk(database) as on:
        play(House, on, examples=20, steps=25)


@pytest.mark.long
@pytest.mark.both_versions
def test_the_house_is_what_the_model_says_for_long(database: TestDatabase) -> None:
    with one_desk(database) as on:
        play(House, on, examples=150, steps=50)
