"""A morning's work of every kind: taken back to its beginning, done again to its end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Occupancy, Room
from dpolg_tui.domain.undo import TAKEN_BACK
from tests.databases import TestDatabase
from tests.desk.two import until
from tests.tui.forms_house import furnish, signed_in

PICTURE = """
    SELECT array(SELECT jsonb_build_array(r.name, r.notes, r.price_low) FROM app.rooms r ORDER BY r.name),
           array(SELECT jsonb_build_array(g.last_name, g.city, g.notes)
                   FROM app.guests g ORDER BY g.last_name),
           array(SELECT jsonb_build_array(b.number, b.status, b.notes, b.persons, b.cancellation_reason)
                   FROM app.bookings b WHERE b.cancellation_reason IS DISTINCT FROM $1 ORDER BY b.number),
           array(SELECT jsonb_build_array(b.number, r.name, o.kind, o.reason, o.arrival, o.departure)
                   FROM app.occupancies o LEFT JOIN app.bookings b ON b.id = o.booking_id
                   LEFT JOIN app.rooms r ON r.id = o.room_id
                  WHERE o.active ORDER BY o.arrival, o.departure, r.name, b.number)
"""
"""Everything but the numbers given by the database; a new booking that was taken back is as good as none."""


@pytest.mark.both_versions
async def test_twenty_changes_of_every_kind_back_and_forth(database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.superuser_dsn)
    try:
        async with signed_in(database, "admin") as desk:
            await _back_and_forth(desk, owner)
    finally:
        await owner.close()


async def _back_and_forth(desk: Desk, owner: asyncpg.Connection) -> None:
    house = await furnish(desk)
    await until(lambda: len(desk.store.rooms) == 2)
    desk.undo.clear()

    async def picture() -> tuple[Any, ...]:
        return tuple(await owner.fetchrow(PICTURE, TAKEN_BACK))

    pictures = [await picture()]
    for do in _morning(desk, house.single, house.double, house.huber):
        assert await do() is not None
        assert await picture() != pictures[-1]
        pictures.append(await picture())
    assert len(desk.undo.entries) == len(pictures) - 1 == 20
    for wanted in pictures[-2::-1]:
        told = await desk.undo.undo()
        assert told.done, told.sentence
        assert await picture() == wanted, told.sentence
    for wanted in pictures[1:]:
        told = await desk.undo.redo()
        assert told.done, told.sentence
        assert await picture() == wanted, told.sentence


def _morning(desk: Desk, single: int, double: int, guest: int) -> list[Callable[[], Awaitable[object]]]:
    made: list[int] = []

    def day(number: int) -> date:
        return desk.today() + timedelta(days=number)

    def bar(number: int, part: int = 0) -> Occupancy:
        return desk.store.of_booking(made[number])[part]

    def block() -> Occupancy:
        return next(found for found in desk.store.occupancies.values() if found.is_block)

    async def book(room: int, first: int, last: int) -> object:
        stay = {"room_id": room, "arrival": day(first), "departure": day(last)}
        made.append((await desk.bookings.create({"guest_id": guest, "persons": 1, "stay/new": stay})).id or 0)
        return made

    async def of_new_guest() -> object:
        (found,) = await desk.guests.search("Weber")
        return await desk.guests.save(found.id, {"city": Change(None, "Ulm")})

    def new_room() -> Room:
        return next(room for room in desk.store.rooms.values() if room.name == "77")

    async def of_new_room() -> object:
        prices = {"price_low": Change(Decimal("50.00"), Decimal("55.00"))}
        return await desk.rooms.save(new_room().id, prices)

    blocks, bookings = desk.blocks, desk.bookings
    room = {"name": "77", "category": "DZ", "place": "Fall", "capacity": 2, "price_low": Decimal("50.00")}
    return [
        lambda: desk.guests.create({"last_name": "Weber"}),
        of_new_guest,
        lambda: desk.rooms.create({**room, "price_high": Decimal("60.00")}),
        of_new_room,
        lambda: book(single, -2, 4),
        lambda: book(double, -1, 6),
        lambda: book(double, 8, 12),
        lambda: bookings.save(made[0], {"notes": Change(None, "Hund")}),
        lambda: bookings.swap(bar(0), bar(1)),
        lambda: bookings.check_in(made[0]),
        lambda: bookings.move(bar(0), new_room().id, day(-2), day(4)),  # the nights that remain
        lambda: bookings.check_in(made[1]),
        lambda: bookings.shift(bar(2), 2, neighbours=True),
        lambda: bookings.split(bar(2), day(12), single),
        lambda: bookings.join(bar(2, 0), bar(2, 1)),
        lambda: blocks.create(single, day(20), day(22), Kind.OUT_OF_ORDER, "Bad"),
        lambda: blocks.move(block(), double, day(21), day(23)),
        lambda: bookings.check_out(made[0], day(0)),
        lambda: bookings.cancel(made[2], "krank"),
        lambda: blocks.delete(block().id),
    ]
