"""Taking back and doing again, every kind on real PostgreSQL, with a colleague who builds on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any

import pytest

from dpolg_tui.db import reads
from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Booking, Kind, Occupancy, Status
from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.tui.forms_house import signed_in

DERIVED = {"version", "updated_at", "updated_by", "checked_in_at", "checked_out_at", "cancelled_at"}


def fields(record: object) -> dict[str, object]:
    """What people edit of a record; of a booking each stay without its id."""
    values = {name: getattr(record, name) for name in type(record).__dataclass_fields__}  # type: ignore[attr-defined]
    if isinstance(record, Booking):
        values["stays"] = sorted((stay.room_id or 0, stay.arrival, stay.departure) for stay in record.stays)
        values["reminders"] = [(it.title, it.completed) for it in record.reminders]
    return {name: value for name, value in values.items() if name not in DERIVED | {"id"}}


def bar_of(desk: Desk, booking_id: int) -> Occupancy:
    return desk.store.of_booking(booking_id)[0]


async def takes_back(desk: Desk, words: str) -> None:
    told = await desk.undo.undo()
    assert told.done, told.sentence
    assert told.sentence == f"Zurückgenommen: {words}"


async def refuses(desk: Desk, *words: str) -> None:
    told = await desk.undo.undo()
    assert not told.done
    for word in words:
        assert word in told.sentence
    assert told.sentence in [entry.obstacle for entry in desk.undo.entries]


async def there_and_back(
    desk: Desk,
    read: Callable[[], Awaitable[object]],
    do: Callable[[], Awaitable[object]],
    did: str,
) -> None:
    """Done, and twice taken back and done again: each time the record is as it was before or after."""
    before = fields(await read())
    await do()
    assert desk.undo.entries[0].did == did
    after = fields(await read())
    assert after != before
    for _ in range(2):
        assert (await desk.undo.undo()).done
        assert fields(await read()) == before
        assert (await desk.undo.redo()).done
        assert fields(await read()) == after


@pytest.mark.both_versions
async def test_every_change_of_a_booking_is_taken_back_and_done_again(two: Two) -> None:
    anna, house = two.anna, two.house
    booking = await two.book(first=0, nights=4)
    await anna.reminders.add(booking, "Anrufen", two.day(1))

    async def read() -> Booking:
        return await anna.bookings.get(booking)

    def bar() -> Occupancy:
        return bar_of(anna, booking)

    save = anna.bookings.save
    day = two.day
    steps: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        ("verschoben", lambda: anna.bookings.move(bar(), None, day(0), day(4))),
        ("verschoben", lambda: anna.bookings.move(bar(), house.double, day(1), day(6))),
        ("Abreise geändert", lambda: anna.bookings.move(bar(), house.double, day(1), day(5))),
        ("Anreise geändert", lambda: anna.bookings.move(bar(), house.double, day(0), day(5))),
        (
            "Gast, Mitglied bei Buchung geändert",
            lambda: save(booking, {"guest_id": Change(house.huber, house.yilmaz)}),
        ),
        (
            "Personen, Notizen geändert",
            lambda: save(booking, {"notes": Change(None, "Spät"), "persons": Change(2, 1)}),
        ),
        ("aufgeteilt", lambda: anna.bookings.split(bar(), day(2), None)),
        ("Status geändert", lambda: save(booking, {"status": Change(Status.CONFIRMED, Status.RESERVED)})),
        ("storniert", lambda: anna.bookings.cancel(booking, "krank")),
    ]
    await anna.guests.save(house.yilmaz, {"is_member": Change(False, True)})
    for did, do in steps:
        await there_and_back(anna, read, do, did)
        if did == "aufgeteilt":
            assert (await anna.undo.undo()).done
    await there_and_back(anna, read, lambda: anna.bookings.reopen(booking), "wieder geöffnet")


async def test_check_in_and_out(two: Two) -> None:
    anna = two.anna
    booking = await two.book(first=-2, nights=6)

    async def read() -> Booking:
        return await anna.bookings.get(booking)

    await anna.bookings.save(booking, {"status": Change(Status.CONFIRMED, Status.RESERVED)})
    await there_and_back(anna, read, lambda: anna.bookings.check_in(booking), "eingecheckt")
    # The nights that remain move; taken back, the two stays are one again.
    await anna.bookings.save(booking, {"persons": Change(2, 1)})
    await there_and_back(
        anna,
        read,
        lambda: anna.bookings.move(bar_of(anna, booking), two.house.single, two.day(-2), two.day(4)),
        "aufgeteilt",
    )
    await there_and_back(anna, read, lambda: anna.bookings.check_out(booking, two.day(0)), "ausgecheckt")


async def test_a_new_booking_is_cancelled_with_a_reason_and_brought_back(two: Two) -> None:
    booking = await two.book()
    number = (await two.anna.bookings.get(booking)).number
    for _ in range(2):
        await takes_back(two.anna, f"{number} angelegt")
        taken = await two.anna.bookings.get(booking)
        assert (taken.status, taken.cancellation_reason) == (Status.CANCELLED, "zurückgenommen")
        assert two.anna.store.of_booking(booking) == []
        assert (await two.anna.undo.redo()).sentence == f"Wiederhergestellt: {number} angelegt"
        back = await two.anna.bookings.get(booking)
        assert (back.status, back.cancellation_reason) == (Status.CONFIRMED, None)
    # A colleague builds on it.
    bar = await two.ben_sees(booking)
    await two.ben.bookings.move(bar, bar.room_id, bar.arrival, two.day(9))
    await refuses(two.anna, "Ben", "die Abreise", "inzwischen geändert", f"„{number} angelegt“ bleibt")
    assert (await two.anna.bookings.get(booking)).status is Status.CONFIRMED


async def test_what_a_colleague_changed_since_stands_in_the_way(two: Two) -> None:
    anna, ben = two.anna, two.ben
    booking = await two.book()
    bar = bar_of(anna, booking)
    await anna.bookings.move(bar, bar.room_id, bar.arrival, two.day(10))
    await until(lambda: ben.store.of_booking(booking)[0].departure == two.day(10))
    theirs = ben.store.of_booking(booking)[0]
    # Another field is no obstacle, and stays.
    await ben.bookings.save(booking, {"notes": Change(None, "mit Hund")})
    assert (await anna.undo.undo()).done
    assert (await anna.bookings.get(booking)).notes == "mit Hund"
    assert (await anna.undo.redo()).done
    await ben.bookings.move(theirs, theirs.room_id, theirs.arrival, two.day(11))
    await refuses(anna, "Ben", "die Abreise (jetzt", "inzwischen geändert")
    assert bar_of(anna, booking).departure in (two.day(10), two.day(11))
    # The same field back as it was: nothing is in the way any more.
    await until(lambda: ben.store.of_booking(booking)[0].departure == two.day(11))
    again = ben.store.of_booking(booking)[0]
    await ben.bookings.move(again, again.room_id, again.arrival, two.day(10))
    assert (await anna.undo.undo()).done
    assert anna.undo.entries[0].obstacle == ""


async def test_a_room_that_is_taken_since_stands_in_the_way(two: Two) -> None:
    anna, ben, house = two.anna, two.ben, two.house
    first = await two.book(5, 3)
    await anna.bookings.cancel(first, "krank")
    await ben.blocks.create(house.double, two.day(6), two.day(7), Kind.OUT_OF_ORDER, "Heizung")
    await refuses(anna, "inzwischen belegt", "Heizung", "2 [Wendelstein]", "storniert“ bleibt")
    assert (await anna.bookings.get(first)).status is Status.CANCELLED
    block = next(bar for bar in ben.store.occupancies.values() if bar.is_block)
    await ben.blocks.delete(block.id)
    assert (await anna.undo.undo()).done
    assert bar_of(anna, first).room_id == house.double


@pytest.mark.both_versions
async def test_several_records_are_taken_back_together(two: Two) -> None:
    anna, house = two.anna, two.house
    one = await two.book(5, 3)
    other = await anna.bookings.create(
        {
            "guest_id": house.yilmaz,
            "persons": 1,
            "stay/new": {"room_id": house.single, "arrival": two.day(6), "departure": two.day(9)},
        }
    )
    assert other.id is not None
    await anna.bookings.save(one, {"persons": Change(2, 1)})

    async def rooms() -> list[int | None]:
        return [(await anna.bookings.get(id_)).stays[0].room_id for id_ in (one, other.id or 0)]

    await anna.bookings.swap(bar_of(anna, one), bar_of(anna, other.id))
    for _ in range(2):
        assert await rooms() == [house.single, house.double]
        assert (await anna.undo.undo()).done
        assert await rooms() == [house.double, house.single]
        assert (await anna.undo.redo()).done
    bar = await two.ben_sees(one)
    await until(lambda: two.ben.store.of_booking(one)[0].room_id == house.single)
    bar = two.ben.store.of_booking(one)[0]
    await two.ben.bookings.move(bar, None, bar.arrival, bar.departure)
    await refuses(anna, "Ben", "das Zimmer (jetzt ohne Zimmer)")
    assert await rooms() == [None, house.double]


async def test_blocks(two: Two) -> None:
    anna, house = two.anna, two.house

    def blocks() -> list[tuple[Any, ...]]:
        bars = (bar for bar in anna.store.occupancies.values() if bar.is_block)
        return [(bar.room_id, bar.arrival, bar.departure, bar.kind, bar.reason) for bar in bars]

    def block() -> Occupancy:
        return next(bar for bar in anna.store.occupancies.values() if bar.is_block)

    day = two.day
    states = [blocks()]
    await anna.blocks.create(house.single, day(3), day(5), Kind.OUT_OF_ORDER, "Heizung")
    states.append(blocks())
    await anna.blocks.move(block(), house.double, day(4), day(8))
    states.append(blocks())
    await anna.blocks.save(block().id, {"reason": Change("Heizung", "Bad")})
    states.append(blocks())
    await anna.blocks.delete(block().id)
    states.append(blocks())
    assert [entry.did for entry in anna.undo.entries[:4]] == [
        "aufgehoben",
        "Grund geändert",
        "verschoben",
        "angelegt",
    ]
    for _ in range(2):
        for state in states[-2::-1]:
            assert (await anna.undo.undo()).done
            assert blocks() == state
        for state in states[1:]:
            assert (await anna.undo.redo()).done
            assert blocks() == state
    assert [len(await reads.chart(anna.database, day(0), day(20))), blocks()] == [0, []]


async def test_a_new_block_that_changed_places_with_a_stay_and_back_is_still_as_it_was_made(two: Two) -> None:
    anna = two.anna
    booking = await two.book(5, 3)
    await anna.bookings.save(booking, {"persons": Change(2, 1)})
    await anna.blocks.create(two.house.single, two.day(5), two.day(7), Kind.HOUSE_USE, None)
    block = next(bar for bar in anna.store.occupancies.values() if bar.is_block)
    await anna.bookings.swap(bar_of(anna, booking), block)
    assert (await anna.undo.undo()).done
    await takes_back(anna, "Sperre 1 Zugspitze angelegt")


@pytest.mark.both_versions
async def test_guests_and_reminders_of_somebody_who_may_not_delete(two: Two) -> None:
    anna, ben = two.anna, two.ben
    made = await anna.guests.create({"last_name": "Weber", "first_name": "Ilse", "city": "Ulm"})
    assert made.id is not None
    await anna.guests.save(made.id, {"city": Change("Ulm", "Rosenheim"), "notes": Change(None, "Hund")})
    assert anna.undo.entries[0].words == "Gast Weber, Ilse: Wohnort, Notizen geändert"
    assert (await anna.undo.undo()).done
    assert (await anna.guests.get(made.id)).city == "Ulm"
    assert (await anna.undo.undo()).done
    with pytest.raises(RecordMissing):
        await anna.guests.get(made.id)
    # It comes back under another number, and the later change with it.
    assert (await anna.undo.redo()).done
    assert (await anna.undo.redo()).done
    found = await anna.guests.search("Weber")
    assert len(found) == 1
    assert found[0].id != made.id
    again = await anna.guests.get(found[0].id)
    assert (again.city, again.notes) == ("Rosenheim", "Hund")
    assert (await anna.undo.undo()).done
    # A colleague builds on it: first another field, then a booking.
    await ben.guests.save(again.id, {"email": Change(None, "ilse@example.org")})
    await refuses(anna, "Ben", "inzwischen geändert", "Gast Weber, Ilse angelegt")
    assert (await anna.guests.get(again.id)).email == "ilse@example.org"

    todo = await anna.reminders.add(None, "Anrufen", two.day(2))
    assert todo.id is not None
    await anna.reminders.complete(todo.id)
    assert (await anna.undo.undo()).done
    assert not (await anna.reminders.get(todo.id)).completed
    assert (await anna.undo.undo()).done
    with pytest.raises(RecordMissing):
        await anna.reminders.get(todo.id)


async def test_rooms_and_what_never_comes_back(database: TestDatabase) -> None:
    async with signed_in(database, "admin") as admin:
        values: Mapping[str, object] = {
            "name": "7",
            "category": "DZ",
            "place": "Lenggries",
            "capacity": 2,
            "price_low": Decimal("50.00"),
            "price_high": Decimal("60.00"),
            "final_cleaning_fee": Decimal("30.00"),
        }
        made = await admin.rooms.create(values)
        assert made.id is not None
        await admin.rooms.save(made.id, {"price_low": Change(Decimal("50.00"), Decimal("55.00"))})
        assert (await admin.undo.undo()).done
        assert admin.store.rooms[made.id].price_low == Decimal("50.00")
        assert (await admin.undo.undo()).done
        assert admin.store.rooms == {}
        assert (await admin.undo.redo()).done
        (room,) = admin.store.rooms.values()
        assert (room.name, room.price_high) == ("7", Decimal("60.00"))
        # The old code of the key is a secret: it is neither kept nor guessed.
        await admin.rooms.save(room.id, {"key_code": Change(None, "4711")})
        await refuses(admin, "der frühere Schlüsselcode ist hier nicht bekannt")
        assert "4711" not in repr(admin.undo.entries)
        guest = await admin.guests.create({"last_name": "Weg", "first_name": "Otto", "city": "Ulm"})
        await admin.guests.delete(guest.id or 0)
        assert (await admin.undo.undo()).done
        assert [found.city for found in await admin.guests.search("Weg")] == ["Ulm"]


async def test_one_of_the_list_and_what_builds_on_it(two: Two) -> None:
    anna = two.anna
    one, other = await two.book(2, 2), await two.book(6, 2)
    for id_, text in ((one, "eins"), (other, "zwei")):
        await anna.bookings.save(id_, {"notes": Change(None, text)})
    await anna.bookings.save(other, {"notes": Change("zwei", "drei")})
    newest, second, first, *_ = anna.undo.entries
    told = await anna.undo.undo(second.number)
    assert not told.done
    assert "Ihre spätere Änderung" in told.sentence
    assert newest.words in told.sentence
    assert (await anna.undo.undo(first.number)).done
    assert (await anna.bookings.get(one)).notes is None
    assert not (await anna.undo.undo(first.number)).done
    # A new change: what was taken back is not done again any more.
    await anna.bookings.save(one, {"notes": Change(None, "vier")})
    assert not (await anna.undo.redo()).done


async def test_ten_changes_deep_and_gone_after_signing_out(two: Two) -> None:
    anna = two.anna
    booking = await two.book(5, 2)
    for number in range(12):
        before = None if number == 0 else str(number - 1)
        await anna.bookings.save(booking, {"notes": Change(before, str(number))})
    for number in range(11, 0, -1):
        assert (await anna.undo.undo()).done
        assert (await anna.bookings.get(booking)).notes == str(number - 1)
    await anna.logout()
    assert anna.undo.entries == []
    assert not (await anna.undo.undo()).done
