"""The live copy: states may arrive in any order, the newest stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.desk.store import Store
from dpolg_tui.domain.models import Kind, Occupancy, Status

START = date(2026, 11, 1)


def bar(
    occupancy_id: int,
    booking_id: int | None,
    version: int,
    room_id: int | None = 1,
    day: int = 0,
    nights: int = 2,
) -> Occupancy:
    return Occupancy(
        id=occupancy_id,
        room_id=room_id,
        arrival=START + timedelta(days=day),
        departure=START + timedelta(days=day + nights),
        kind=Kind.STAY if booking_id else Kind.OUT_OF_ORDER,
        booking_id=booking_id,
        status=Status.CONFIRMED if booking_id else None,
        version=version,
    )


def shown(store: Store) -> set[tuple[int, int | None, date, int]]:
    return {(b.id, b.room_id, b.arrival, b.version) for b in store.occupancies.values()}


def a_store() -> Store:
    store = Store()
    store.begin_window(START, START + timedelta(days=60))
    return store


@settings(max_examples=60)
@given(st.permutations(range(1, 6)))
def test_whatever_the_order_the_newest_state_stays(order: list[int]) -> None:
    store = a_store()
    for version in order:
        store.apply([bar(10, 7, version, room_id=version, day=version)], bookings=[7])
    assert shown(store) == {(10, 5, START + timedelta(days=5), 5)}
    assert store.in_room(5, START, START + timedelta(days=60)) == list(store.occupancies.values())
    assert all(not store.in_room(room, START, START + timedelta(days=60)) for room in range(1, 5))


def test_a_cancelled_booking_does_not_come_back_with_an_older_load() -> None:
    store = a_store()
    store.apply([bar(10, 7, 3)], bookings=[7])
    assert store.apply([], bookings=[7], version=4) == (10,)
    store.add_loaded([bar(10, 7, 3)])
    assert not store.occupancies


def test_a_deleted_block_does_not_come_back() -> None:
    store = a_store()
    store.apply([bar(11, None, 1)], blocks=[11])
    assert store.forget(block_id=11) == (11,)
    store.add_loaded([bar(11, None, 2)])
    assert store.apply([bar(11, None, 3)], blocks=[11]) == ()
    assert not store.occupancies


def test_bookings_and_blocks_of_the_same_number_are_different() -> None:
    store = a_store()
    store.apply([bar(20, 7, 1)], bookings=[7])
    store.apply([bar(7, None, 9, room_id=2)], blocks=[7])
    store.forget(block_id=7)
    assert set(store.occupancies) == {20}


def test_stays_outside_the_window_have_no_bar_but_their_version_counts() -> None:
    store = a_store()
    assert store.apply([bar(10, 7, 5, day=200)], bookings=[7]) == ()
    store.add_loaded([bar(10, 7, 4)])
    assert not store.occupancies


def test_a_stay_that_left_the_booking_loses_its_bar() -> None:
    store = a_store()
    store.apply([bar(10, 7, 1), bar(12, 7, 1, room_id=2)], bookings=[7])
    assert set(store.apply([bar(10, 7, 2)], bookings=[7])) == {10, 12}
    assert set(store.occupancies) == {10}


def test_a_provisional_move_keeps_the_index_true() -> None:
    store = a_store()
    stood = bar(10, 7, 1)
    store.apply([stood], bookings=[7])
    moved = replace(stood, room_id=3)
    store.put_provisionally(moved)
    assert store.in_room(1, START, START + timedelta(days=9)) == []
    assert store.in_room(3, START, START + timedelta(days=9)) == [moved]
    assert store.take_back(10)
    assert store.of_booking(7) == [stood]
    assert not store.take_back(10)


def test_a_provisional_move_survives_a_load_and_gives_way_to_news() -> None:
    store = a_store()
    stood = bar(10, 7, 1)
    store.apply([stood], bookings=[7])
    moved = replace(stood, room_id=3)
    store.put_provisionally(moved)
    store.begin_window(store.first, store.last)
    store.add_loaded([stood])
    assert store.of_booking(7) == [moved]
    news = bar(10, 7, 2, room_id=5)
    store.begin_window(store.first, store.last)
    store.add_loaded([news])
    assert store.of_booking(7) == [news]
    assert not store.take_back(10)
    store.put_provisionally(moved)
    store.apply([bar(10, 7, 3, room_id=6)], bookings=[7])
    assert not store.take_back(10)
    assert [found.room_id for found in store.of_booking(7)] == [6]


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(0, 3), st.integers(0, 50)), max_size=30
    )
)
def test_the_index_by_room_holds_exactly_the_bars(steps: list[tuple[int, int, int, int]]) -> None:
    store = a_store()
    for booking, version, room, day in steps:
        store.apply([bar(booking * 10, booking, version, room_id=room or None, day=day)], bookings=[booking])
    everything = [found for room in (None, 1, 2, 3) for found in store.in_room(room, date.min, date.max)]
    assert sorted(b.id for b in everything) == sorted(store.occupancies)
    assert {b.id: b for b in everything} == store.occupancies
