"""Two desks rearrange the same stays at the same moment."""

from __future__ import annotations

import asyncio

import pytest

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Kind, Occupancy, Outcome
from tests.desk.two import Two, until


def _rooms(bars: list[Occupancy]) -> list[int | None]:
    return [bar.room_id for bar in bars]


async def _book(two: Two, first: int, nights: int, room: int) -> int:
    """A booking of one person: the id."""
    stay = {"room_id": room, "arrival": two.day(first), "departure": two.day(first + nights)}
    result = await two.anna.bookings.create({"guest_id": two.house.huber, "stay/new": stay})
    assert result.id is not None
    return result.id


@pytest.mark.both_versions
async def test_two_desks_swap_crosswise_and_every_swap_is_whole(two: Two) -> None:
    single, double = two.house.single, two.house.double
    result = await two.anna.blocks.create(single, two.day(5), two.day(9), Kind.HOUSE_USE, "Probe")
    booking, block = await _book(two, 5, 3, double), result.id or 0
    await two.ben_sees(booking)
    await until(lambda: two.ben.store.occupancies[block])

    def bars(number: int) -> list[Occupancy]:
        desk = (two.anna, two.ben)[number]
        return [desk.store.of_booking(booking)[0], desk.store.occupancies[block]]

    outcomes = []
    for _ in range(10):
        # The one who comes second sees what the first one made of it, or that there is nothing left to do.
        answers = await asyncio.gather(
            two.anna.bookings.swap(*bars(0)), two.ben.bookings.swap(*reversed(bars(1)))
        )
        outcomes += [answer.outcome for answer in answers]
        await until(lambda: _rooms(bars(0)) == _rooms(bars(1)))
        assert sorted(_rooms(bars(0)), key=str) == sorted([single, double], key=str)
        await until(lambda: bars(0) == bars(1))
    assert Outcome.DONE in outcomes
    assert set(outcomes) <= {Outcome.DONE, Outcome.CONFLICT}


async def test_a_refused_swap_is_shown_as_it_was(two: Two) -> None:
    single, double = two.house.single, two.house.double
    long, short = await _book(two, 5, 3, double), await _book(two, 6, 1, single)
    await _book(two, 5, 1, single)
    first, second = two.anna.store.of_booking(long)[0], two.anna.store.of_booking(short)[0]
    with pytest.raises(InvalidInput):
        await two.anna.bookings.swap(first, first)
    answer = await two.anna.bookings.swap(first, second)
    assert answer.outcome is Outcome.TAKEN
    assert [way.arrival for way in answer.in_the_way] == [two.day(5)]
    assert [two.anna.store.occupancies[bar.id] for bar in (first, second)] == [first, second]
