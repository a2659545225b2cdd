"""Whatever a desk does to a house: taken back the house is as it was, done again as it became."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from dpolg_tui.domain import rearrange
from dpolg_tui.domain.errors import InvalidInput, RuleViolated
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.domain.undo import MOST, TAKEN_BACK
from tests.databases import TestDatabase
from tests.desk.model import play
from tests.desk.test_rearranging_model import OneDesk, one_desk

ROOMS = 2
NUMBERS = st.integers(0, 50)
PICTURE = """
    SELECT (SELECT array_agg(b ORDER BY b) FROM (
                SELECT jsonb_build_array(b.number, b.status, b.persons, b.notes, b.cancellation_reason,
                                         b.guest_id, b.guest_is_member, (SELECT jsonb_agg(s ORDER BY s) FROM (
                            SELECT jsonb_build_array(o.room_id, o.arrival, o.departure, o.active) AS s
                              FROM app.occupancies o WHERE o.booking_id = b.id) stays)) AS b
                  FROM app.bookings b
                 WHERE b.id = ANY ($1) AND b.cancellation_reason IS DISTINCT FROM $2) bookings) AS bookings,
           (SELECT array_agg(o ORDER BY o) FROM (
                SELECT jsonb_build_array(o.room_id, o.arrival, o.departure, o.kind, o.reason) AS o
                  FROM app.occupancies o
                 WHERE o.booking_id IS NULL AND o.room_id = ANY ($3)) blocks) AS blocks,
           (SELECT array_agg(g ORDER BY g) FROM (
                SELECT jsonb_build_array(g.first_name, g.city, g.notes) AS g
                  FROM app.guests g WHERE g.last_name = $4) guests) AS guests
"""
"""Everything but the numbers given by the database; a new booking that was taken back is as good as none."""


class Changing(RuleBasedStateMachine):
    """The model: what the house looked like before each change, and after each that was taken back."""

    on: OneDesk

    def __init__(self) -> None:
        super().__init__()
        self.name = uuid4().hex
        self.undo = self.on.desk.undo
        self.before: list[Any] = []
        self.after: list[Any] = []
        self.bookings: list[int] = []
        self.rooms: list[int] = []

    def run(self, work: Awaitable[Any]) -> Any:
        return self.on.run(work)

    def picture(self) -> Any:
        wanted = self.bookings, TAKEN_BACK, self.rooms, self.name
        return tuple(self.run(self.on.owner.fetchrow(PICTURE, *wanted)))

    def change(self, work: Awaitable[Any]) -> Any:
        """A new change, or one that is refused and leaves everything as it is."""
        before = self.picture()
        known = self.undo.entries[:1]
        try:
            result = self.run(work)
        except (InvalidInput, RuleViolated):
            result = None
        if self.undo.entries[:1] == known:
            assert self.picture() == before
            return None
        self.before.append(before)
        self.after.clear()
        assert self.undo.last_changes.to_redo() == []
        return result

    def bars(self, wanted: Callable[[Occupancy], object]) -> list[Occupancy]:
        found = self.on.desk.store.occupancies.values()
        mine = (bar for bar in found if bar.booking_id in self.bookings or bar.room_id in self.rooms)
        return sorted((bar for bar in mine if wanted(bar)), key=lambda bar: bar.id)

    @initialize()
    def begin(self) -> None:
        self.undo.clear()
        for number in range(ROOMS):
            self.rooms.append(
                self.run(
                    self.on.owner.fetchval(
                        "INSERT INTO app.rooms (name, category, place, capacity)"
                        " VALUES ($1, 'DZ', 'Lenggries', 2) RETURNING id",
                        f"{self.name} {number}",
                    )
                )
            )
        for number in range(ROOMS):
            self.book(number, number, 3)

    # -- what staff do ---------------------------------------------------------------------------

    @rule(room=st.integers(0, ROOMS), first=st.integers(-2, 6), nights=st.integers(1, 4))
    def book(self, room: int, first: int, nights: int) -> None:
        day = self.on.desk.today() + timedelta(days=first)
        stay = {"room_id": self.room(room), "arrival": day, "departure": day + timedelta(days=nights)}
        values = {"guest_id": self.on.guest, "persons": 1, "stay/new": stay}
        result = self.change(self.on.desk.bookings.create(values))
        if result is not None:
            self.bookings.append(result.id)

    def room(self, number: int) -> int | None:
        return self.rooms[number] if number < ROOMS else None

    @precondition(lambda self: self.bars(bool))
    @rule(one=NUMBERS, room=st.integers(0, ROOMS), days=st.integers(-2, 3), longer=st.integers(-1, 2))
    def move(self, one: int, room: int, days: int, longer: int) -> None:
        bar = self.bars(bool)[one % len(self.bars(bool))]
        first = bar.arrival + timedelta(days=days)
        last = bar.departure + timedelta(days=days + longer)
        self.change(self.on.desk.bookings.move(bar, self.room(room), first, last))

    @precondition(lambda self: len(self.bars(bool)) > 1)
    @rule(one=NUMBERS, other=NUMBERS)
    def swap(self, one: int, other: int) -> None:
        bars = self.bars(bool)
        self.change(self.on.desk.bookings.swap(bars[one % len(bars)], bars[other % len(bars)]))

    @precondition(lambda self: self.bars(lambda bar: bar.nights > 1 and not bar.is_block))
    @rule(one=NUMBERS, night=st.integers(1, 3), room=st.integers(0, ROOMS))
    def split(self, one: int, night: int, room: int) -> None:
        bars = self.bars(lambda bar: bar.nights > 1 and not bar.is_block)
        bar = bars[one % len(bars)]
        day = bar.arrival + timedelta(days=min(night, bar.nights - 1))
        self.change(self.on.desk.bookings.split(bar, day, self.room(room)))

    @precondition(lambda self: self.bars(lambda bar: bar.room_id))
    @rule(one=NUMBERS, days=st.sampled_from([1, 2, -1]))
    def shift_neighbours(self, one: int, days: int) -> None:
        bars = self.bars(lambda bar: bar.room_id)
        self.change(self.on.desk.bookings.shift(bars[one % len(bars)], days, neighbours=True))

    @precondition(lambda self: self.parts())
    @rule(one=NUMBERS)
    def join(self, one: int) -> None:
        bar, other = self.parts()[one % len(self.parts())]
        self.change(self.on.desk.bookings.join(bar, other))

    def parts(self) -> list[tuple[Occupancy, Occupancy]]:
        bars = self.bars(lambda bar: not bar.is_block)
        return [(bar, part) for bar in bars if (part := rearrange.next_part(bar, bars)) is not None]

    @precondition(lambda self: self.bookings)
    @rule(one=NUMBERS, what=st.sampled_from(["notes", "in", "out", "early", "cancel", "reopen", "reserve"]))
    def change_booking(self, one: int, what: str) -> None:
        desk = self.on.desk
        booking = self.bookings[one % len(self.bookings)]
        stored = self.run(desk.bookings.get(booking))
        works: dict[str, Callable[[], Awaitable[Any]]] = {
            "notes": lambda: desk.bookings.save(booking, {"notes": Change(stored.notes, f"{uuid4()}")}),
            "in": lambda: desk.bookings.check_in(booking),
            "out": lambda: desk.bookings.check_out(booking),
            "early": lambda: desk.bookings.check_out(booking, desk.today()),
            "cancel": lambda: desk.bookings.cancel(booking, "krank"),
            "reopen": lambda: desk.bookings.reopen(booking),
            "reserve": lambda: desk.bookings.save(
                booking, {"status": Change(stored.status, Status.RESERVED)}
            ),
        }
        if what == "reopen" and stored.status is not Status.CANCELLED:
            return
        self.change(works[what]())

    @rule(room=st.integers(0, ROOMS - 1), first=st.integers(-1, 6), nights=st.integers(1, 3))
    def block(self, room: int, first: int, nights: int) -> None:
        day = self.on.desk.today() + timedelta(days=first)
        last = day + timedelta(days=nights)
        self.change(self.on.desk.blocks.create(self.rooms[room], day, last, Kind.HOUSE_USE, "Probe"))

    @precondition(lambda self: self.bars(lambda bar: bar.is_block))
    @rule(one=NUMBERS, lift=st.booleans())
    def change_block(self, one: int, lift: bool) -> None:
        blocks = self.bars(lambda bar: bar.is_block)
        block = blocks[one % len(blocks)]
        if lift:
            self.change(self.on.desk.blocks.delete(block.id))
        else:
            self.change(self.on.desk.blocks.save(block.id, {"reason": Change(block.reason, f"{uuid4()}")}))

    @rule(name=st.integers(0, 5))
    def new_guest(self, name: int) -> None:
        self.change(self.on.desk.guests.create({"last_name": self.name, "first_name": f"Gast {name}"}))

    @rule(one=NUMBERS, city=st.sampled_from(["Ulm", "Rosenheim", None]))
    def change_guest(self, one: int, city: str | None) -> None:
        guests = self.run(
            self.on.owner.fetch("SELECT id, city FROM app.guests WHERE last_name = $1 ORDER BY id", self.name)
        )
        if guests:
            guest = guests[one % len(guests)]
            changed = Change(guest["city"], city)
            if changed.before != changed.after:
                self.change(self.on.desk.guests.save(guest["id"], {"city": changed}))

    # -- taking back and doing again -------------------------------------------------------------

    @precondition(lambda self: self.before)
    @rule(times=st.integers(1, 4))
    def take_back(self, times: int) -> None:
        for _ in range(min(times, len(self.before), MOST)):
            now = self.picture()
            told = self.run(self.undo.undo())
            assert told.done, told.sentence
            assert self.picture() == self.before.pop()
            self.after.append(now)

    @precondition(lambda self: self.after)
    @rule(times=st.integers(1, 4))
    def do_again(self, times: int) -> None:
        for _ in range(min(times, len(self.after))):
            now = self.picture()
            told = self.run(self.undo.redo())
            assert told.done, told.sentence
            assert self.picture() == self.after.pop()
            self.before.append(now)

    def teardown(self) -> None:
        """All the way back, and forth again."""
        steps = len(self.before)
        end = self.picture()
        if steps:
            self.take_back(steps)
            assert self.picture() == (None, None, None)
            self.do_again(steps)
            assert self.picture() == end
        # The rooms are for the next house.
        for bar in self.bars(lambda bar: bar.is_block):
            self.run(self.on.desk.blocks.delete(bar.id))


def test_taken_back_and_done_again_the_house_is_as_it_was(database: TestDatabase) -> None:
    with one_desk(database) as on:
        play(Changing, on, examples=12, steps=14)


@pytest.mark.long
def test_taken_back_and_done_again_for_long(database: TestDatabase) -> None:
    with one_desk(database) as on:
        play(Changing, on, examples=150, steps=30)
