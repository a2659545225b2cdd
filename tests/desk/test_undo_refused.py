"""What is new and referred to stays, and whoever takes it back hears what refers to it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dpolg_tui.desk import Desk
from tests.databases import TestDatabase
from tests.desk.two import Two
from tests.tui.forms_house import signed_in


async def booked(desk: Desk, two: Two, guest: int | None, first: int) -> tuple[int, str]:
    """A booking without a room: its id and number."""
    stay = {"room_id": None, "arrival": two.day(first), "departure": two.day(first + 1)}
    made = await desk.bookings.create({"guest_id": guest, "persons": 1, "stay/new": stay})
    assert made.id is not None
    return made.id, (await desk.bookings.get(made.id)).number


async def test_a_new_guest_who_has_bookings_stays(two: Two) -> None:
    anna, ben = two.anna, two.ben
    made = await anna.guests.create({"last_name": "Weber", "first_name": "Ilse"})
    namesake = await ben.guests.create({"last_name": "Weber", "first_name": "Ilse"})
    await booked(ben, two, namesake.id, 1)
    first, one = await booked(ben, two, made.id, 1)
    told = await anna.undo.undo()
    assert not told.done
    assert told.sentence == (f"Gast Weber, Ilse lässt sich nicht zurücknehmen: Buchung {one} gehört zu ihm.")
    assert told.sentence == anna.undo.entries[0].obstacle
    await ben.bookings.cancel(first, "krank")
    _, other = await booked(ben, two, made.id, 3)
    told = await anna.undo.undo()
    assert told.sentence == (
        "Gast Weber, Ilse lässt sich nicht zurücknehmen: "
        f"die Buchungen {one} (storniert) und {other} gehören zu ihm."
    )


async def test_a_new_booking_that_was_taken_back_keeps_its_new_guest(two: Two) -> None:
    anna = two.anna
    made = await anna.guests.create({"last_name": "Weber"})
    _, number = await booked(anna, two, made.id, 1)
    assert (await anna.undo.undo()).done
    told = await anna.undo.undo()
    assert not told.done
    assert told.sentence == (
        f"Gast Weber lässt sich nicht zurücknehmen: Buchung {number} (storniert) gehört zu ihm."
    )


async def test_a_guest_who_came_back_and_is_booked_is_not_deleted_again(database: TestDatabase) -> None:
    async with signed_in(database, "admin") as admin:
        made = await admin.guests.create({"last_name": "Weber"})
        await admin.guests.delete(made.id or 0)
        assert (await admin.undo.undo()).done
        (back,) = await admin.guests.search("Weber")
        async with signed_in(database, "ben") as ben:
            day = ben.today()
            stay = {"room_id": None, "arrival": day, "departure": day + timedelta(1)}
            booking = await ben.bookings.create({"guest_id": back.id, "persons": 1, "stay/new": stay})
            number = (await ben.bookings.get(booking.id or 0)).number
        told = await admin.undo.redo()
        assert told.sentence == (
            f"Gast Weber lässt sich nicht wieder löschen: Buchung {number} gehört zu ihm."
        )


async def test_a_new_room_that_is_used_stays(database: TestDatabase) -> None:
    async with signed_in(database, "admin") as admin, signed_in(database, "ben") as ben:
        values: dict[str, object] = {"name": "7", "category": "DZ", "place": "Lenggries", "capacity": 2}
        prices = dict.fromkeys(("price_low", "price_high", "final_cleaning_fee"), Decimal("50.00"))
        room = await admin.rooms.create({**values, **prices})
        guest = await ben.guests.create({"last_name": "Weber"})
        day = ben.today()
        stay = {"room_id": room.id, "arrival": day, "departure": day + timedelta(1)}
        booking = await ben.bookings.create({"guest_id": guest.id, "persons": 1, "stay/new": stay})
        await ben.bookings.cancel(booking.id or 0, "krank")
        told = await admin.undo.undo()
        assert not told.done
        assert told.sentence == (
            "Zimmer 7 lässt sich nicht zurücknehmen: zu ihm gibt es Belegungen, auch stornierte zählen."
        )
