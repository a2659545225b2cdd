"""Plans of swap, shift, split and join: what holds for every house."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dpolg_tui.domain import rearrange
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Kind, Occupancy, Status
from dpolg_tui.domain.rearrange import Place, Plan, writes_of
from dpolg_tui.domain.stay import overlaps

TODAY = date(2026, 11, 21)
COMING = (Status.RESERVED, Status.CONFIRMED)


def day(number: int) -> date:
    return TODAY + timedelta(days=number)


def a_bar(
    number: int, room: int | None, first: int, last: int, status: Status | None = Status.CONFIRMED
) -> Occupancy:
    """A stay of a booking of the same number; without a status a block."""
    if status is None:
        return Occupancy(number, room, day(first), day(last), Kind.OUT_OF_ORDER, "Heizung")
    return Occupancy(
        number, room, day(first), day(last), Kind.STAY, booking_id=number, number=f"2026-{number}",
        status=status, last_name="Huber",
    )  # fmt: skip


def done(bars: Iterable[Occupancy], plan: Plan) -> list[Place]:
    """Where everything stands after a plan."""
    steps = {step.bar.id: step.places for step in plan}
    return [place for bar in bars for place in steps.get(bar.id, (Place.of(bar),))]


@st.composite
def a_room(draw: st.DrawFn) -> list[Occupancy]:
    """Stays in one room from today on, none over another."""
    bars, at = [], 0
    for number in range(1, draw(st.integers(2, 6)) + 1):
        at += draw(st.integers(0, 4))
        nights = draw(st.integers(1, 6))
        bars.append(a_bar(number, 1, at, at + nights, draw(st.sampled_from(COMING))))
        at += nights
    return bars


bars = st.builds(
    lambda room, first, nights, status: a_bar(1, room, first, first + nights, status),
    st.sampled_from([None, 1, 2]),
    st.integers(-5, 5),
    st.integers(1, 9),
    st.sampled_from([*COMING, Status.CHECKED_IN, None]),
).filter(lambda bar: bar.room_id is not None or bar.status in COMING)


@given(bars, bars)
def test_a_swap_exchanges_rooms_and_keeps_every_night(one: Occupancy, other: Occupancy) -> None:
    other = replace(other, id=2, booking_id=None if other.is_block else 2)
    try:
        plan = rearrange.swap(one, other, TODAY)
    except InvalidInput:
        return
    assert one.room_id != other.room_id
    for step, room in zip(plan, (other.room_id, one.room_id), strict=True):
        assert step.places[-1].room_id == room
        assert step.places[0].arrival == step.bar.arrival
        assert step.places[-1].departure == step.bar.departure
        assert sum(place.nights for place in step.places) == step.bar.nights
        if step.bar.status is Status.CHECKED_IN and len(step.places) == 2:
            assert step.places[0] == Place(step.bar.room_id, step.bar.arrival, TODAY)
        else:
            assert len(step.places) == 1
    if all(len(step.places) == 1 for step in plan):
        first, second = (step.places[0].take(step.bar) for step in plan)
        back = rearrange.swap(first, second, TODAY)
        assert done((first, second), back) == [Place.of(one), Place.of(other)]
    assert len(writes_of(plan)) == 2


@given(a_room(), st.data())
def test_a_shift_moves_neighbours_only_as_far_as_needed(room: list[Occupancy], data: st.DataObject) -> None:
    bar = data.draw(st.sampled_from(room))
    by = data.draw(st.integers(-8, 8))
    assume(by)
    try:
        plan = rearrange.shift(bar, by, room, TODAY)
    except InvalidInput:
        assert by < 0  # nobody may arrive before today
        return
    after = done(room, plan)
    assert [place.nights for place in after] == [it.nights for it in room]
    assert not any(one.collides(other) for one, other in combinations(after, 2))
    number = room.index(bar)
    assert after[number].arrival == bar.arrival + timedelta(days=by)
    for place, before in zip(after, room, strict=True):
        moved = (place.arrival - before.arrival).days
        assert moved == 0 or (moved > 0) == (by > 0)
        assert abs(moved) <= abs(by)
    # Whoever was shifted touches the one who is now beside them.
    for step in plan:
        place = step.places[0]
        ends = [other.departure if by > 0 else other.arrival for other in after if other != place]
        assert step.bar.id == bar.id or (place.arrival if by > 0 else place.departure) in ends


@given(a_room(), st.integers(-3, 20), st.integers(1, 5))
def test_a_bar_dropped_into_another_room_gets_its_place(
    room: list[Occupancy], first: int, nights: int
) -> None:
    bar = a_bar(99, 2, first, first + nights)
    place = Place(1, bar.arrival, bar.departure)
    plan = rearrange.make_room(bar, place, room, TODAY)
    after = done([*room, bar], plan)
    assert after[-1] == place
    assert not any(one.collides(other) for one, other in combinations(after, 2))


def part(bar: Occupancy, number: int, room: int | None, first: int, last: int) -> Occupancy:
    """Another stay of the same booking."""
    return replace(bar, id=number, room_id=room, arrival=day(first), departure=day(last))


def goes_on(one: tuple[date, date], other: tuple[date, date]) -> bool:
    return one[1] == other[0] or other[1] == one[0]


@given(a_room(), st.data())
def test_who_is_shifted_and_has_several_stays_never_loses_a_night_between(
    room: list[Occupancy], data: st.DataObject
) -> None:
    bar = data.draw(st.sampled_from(room))
    by = data.draw(st.integers(1, 6)) * data.draw(st.sampled_from([1, -1]))
    parts = []
    for number, other in enumerate(room, start=100):
        first = data.draw(st.integers(-2, 30))
        if other.id != bar.id:
            parts.append(part(other, number, data.draw(st.sampled_from([None, 2])), first, first + 2))
            # Half of them go on where the other ends.
            if data.draw(st.booleans()):
                parts[-1] = replace(
                    parts[-1], arrival=other.departure, departure=other.departure + timedelta(2)
                )
    bars = [*room, *parts]
    try:
        plan = rearrange.shift(bar, by, bars, TODAY)
    except InvalidInput:
        return
    assert plan[0].bar == bar
    after = {it.id: place for it, place in zip(bars, done(bars, plan), strict=True)}
    for one, other in combinations(bars, 2):
        if one.booking_id == other.booking_id:
            was = [(it.arrival, it.departure) for it in (one, other)]
            becomes = [(after[it.id].arrival, after[it.id].departure) for it in (one, other)]
            assert not goes_on(*was) or goes_on(*becomes)
            assert overlaps(*was[0], *was[1]) == overlaps(*becomes[0], *becomes[1])


def test_a_shifted_guest_who_goes_on_elsewhere_stays_unless_the_other_stay_moves_too() -> None:
    bar, huber = a_bar(1, 1, 0, 2), a_bar(2, 1, 2, 4)
    elsewhere = part(huber, 9, 2, 4, 6)
    refused = [
        (bar, [huber, elsewhere], 1),  # who goes on in another room
        (bar, [huber, part(huber, 9, None, 5, 7)], 2),  # would be in two places
        (bar, [huber, part(huber, 9, 3, 2, 4)], 1),  # two rooms for the same nights
    ]
    for moved, others, by in refused:
        with pytest.raises(InvalidInput, match=r"2026-2 Huber .* gehört zusammen"):
            rearrange.shift(moved, by, others, TODAY)
    # A night is free between them, or the next part is in the same room and is shifted as far.
    assert len(rearrange.shift(bar, 1, [huber, part(huber, 9, 2, 5, 7)], TODAY)) == 2
    same_room = part(huber, 9, 1, 4, 6)
    assert [step.places[0].arrival for step in rearrange.shift(bar, 1, [huber, same_room], TODAY)] == [
        day(1),
        day(3),
        day(5),
    ]
    # Dropped between two parts.
    between = Place(1, day(2), day(3))
    with pytest.raises(InvalidInput, match="zusammen"):
        rearrange.make_room(a_bar(3, 2, 2, 3), between, [part(huber, 9, 1, 0, 2), huber], TODAY)


@given(st.integers(2, 30), st.data())
def test_split_and_join_are_inverse(nights: int, data: st.DataObject) -> None:
    bar = a_bar(1, 1, 0, nights)
    at = day(data.draw(st.integers(1, nights - 1)))
    room = data.draw(st.sampled_from([1, 2, None]))
    [write] = writes_of(rearrange.split(bar, at, room))
    assert set(write.changes) == {"stay/1", "stay/new1"}
    left = Place(1, bar.arrival, at).take(bar)
    right = replace(Place(room, at, bar.departure).take(bar), id=2)
    assert rearrange.next_part(left, [right]) == right
    assert rearrange.next_part(right, [left]) == left
    for one, other in ((left, right), (right, left)):
        plan = rearrange.join(one, other, TODAY)
        assert done((left, right), plan) == [Place(one.room_id, bar.arrival, bar.departure)]
        [write] = writes_of(plan)
        assert write.changes["stay/2"].after is None


def test_a_neighbour_that_was_in_the_house_or_is_a_block_stays() -> None:
    bar = a_bar(1, 1, 0, 2)
    for status in (Status.CHECKED_IN, None):
        other = a_bar(2, 1, 2, 4, status)
        assert len(rearrange.shift(bar, 1, [bar], TODAY)) == 1
        with pytest.raises(InvalidInput, match="lässt sich nicht mitverschieben"):
            rearrange.shift(bar, 1, [other], TODAY)


def test_what_cannot_be_swapped_split_or_joined_says_why() -> None:
    bar, block = a_bar(1, 1, 0, 3), a_bar(9, 2, 0, 3, None)
    lane = a_bar(3, None, 0, 3)
    here = a_bar(4, 1, -2, 3, Status.CHECKED_IN)
    late = a_bar(5, 2, -1, 3)
    refused = [
        (lambda: rearrange.swap(bar, bar, TODAY), "derselbe Balken"),
        (lambda: rearrange.swap(bar, replace(bar, id=7), TODAY), "im selben Zimmer"),
        (lambda: rearrange.swap(lane, replace(lane, id=7), TODAY), "kein Zimmer"),
        (lambda: rearrange.swap(block, lane, TODAY), "Sperre braucht ein Zimmer"),
        (lambda: rearrange.swap(here, lane, TODAY), "braucht ein Zimmer"),
        (lambda: rearrange.swap(here, late, TODAY), "in derselben Nacht"),
        (lambda: rearrange.split(block, day(1), 2), "nur Aufenthalte"),
        (lambda: rearrange.split(bar, day(0), 1), "erste Nacht des zweiten"),
        (lambda: rearrange.join(bar, lane, TODAY), "derselben Buchung"),
        (lambda: rearrange.join(bar, replace(bar, id=2, arrival=day(4), departure=day(5)), TODAY), "anein"),
        (
            lambda: rearrange.join(
                replace(here, id=8, room_id=2, arrival=here.departure, departure=day(5)), here, TODAY
            ),
            "schon gewohnt",
        ),
        (
            lambda: rearrange.join(bar, replace(bar, id=2, arrival=day(3), departure=day(400)), TODAY),
            "höchstens",
        ),
    ]  # fmt: skip
    for plan, words in refused:
        with pytest.raises(InvalidInput, match=words):
            plan()
