"""What a booking may consist of: several stays, nights, persons, rooms that are retired."""

from __future__ import annotations

import asyncpg
import pytest

from tests.sql.bookings import booked, refused
from tests.sql.stage import Desk, Stage, change, day, new, stay

# -- several stays -------------------------------------------------------------------------------


async def test_several_stays_and_a_swap_in_one_change(stage: Stage, anna: Desk) -> None:
    one, two = stage.rooms[1], stage.rooms[2]
    state = await booked(anna, stage, stay(one, 0, 3), stay(two, 0, 3), persons=4)
    first, second = state["stays"]
    answer = await anna.save(
        "booking",
        state["id"],
        {
            f"stay/{first['id']}": change(stay(one, 0, 3), stay(two, 0, 3)),
            f"stay/{second['id']}": change(stay(two, 0, 3), stay(one, 0, 3)),
        },
    )
    assert answer["outcome"] == "done"
    rooms = {value["id"]: value["room_id"] for value in answer["state"]["stays"]}
    assert rooms == {first["id"]: two, second["id"]: one}
    # One removed, one added, in one change.
    answer = await anna.save(
        "booking",
        state["id"],
        {
            f"stay/{first['id']}": change(stay(two, 0, 3), None),
            "stay/new": change(None, stay(two, 3, 5)),
            "persons": change(4, 2),
        },
    )
    assert [value["arrival"] for value in answer["state"]["stays"]] == [
        day(0).isoformat(),
        day(3).isoformat(),
    ]
    assert answer["version"] == 3


async def test_a_booking_keeps_at_least_one_stay(stage: Stage, anna: Desk) -> None:
    state = await booked(anna, stage)
    gone = {f"stay/{state['stays'][0]['id']}": change(stay(stage.rooms[1], 0, 3), None)}
    assert await refused(anna.save("booking", state["id"], gone)) == "booking_has_stay"
    assert await refused(anna.book(stage.guests[0])) == "booking_has_stay"


async def test_own_stays_may_not_overlap_in_one_room(stage: Stage, anna: Desk) -> None:
    both = anna.book(stage.guests[0], stay(stage.rooms[1], 0, 3), stay(stage.rooms[1], 2, 4))
    assert await refused(both) == "stays_overlap"


async def test_a_stay_that_a_colleague_removed_is_a_conflict(stage: Stage, anna: Desk, ben: Desk) -> None:
    state = await booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 3, 4))
    key = f"stay/{state['stays'][1]['id']}"
    was = stay(stage.rooms[2], 3, 4)
    await ben.save("booking", state["id"], {key: change(was, None)})
    answer = await anna.save("booking", state["id"], {key: change(was, stay(stage.rooms[2], 3, 5))})
    assert answer["outcome"] == "conflict"
    assert answer["conflicts"][key]["theirs"] is None


async def test_a_stay_known_to_be_gone_comes_back_as_a_new_one(stage: Stage, anna: Desk, ben: Desk) -> None:
    one, two = stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 3, 5)
    state = await booked(anna, stage, one, two)
    gone = state["stays"][1]["id"]
    await ben.save("booking", state["id"], {f"stay/{gone}": change(two, None)})
    answer = await anna.save("booking", state["id"], {f"stay/{gone}": change(None, two)})
    assert answer["outcome"] == "done"
    assert [entry["departure"] for entry in answer["state"]["stays"]] == [one["departure"], two["departure"]]


async def test_a_stay_of_another_booking_cannot_be_moved(stage: Stage, anna: Desk) -> None:
    mine = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
    other = await booked(anna, stage, stay(stage.rooms[2], 0, 3))
    key = f"stay/{other['stays'][0]['id']}"
    answer = await anna.save(
        "booking", mine["id"], {key: change(stay(stage.rooms[2], 0, 3), stay(stage.rooms[3], 0, 3))}
    )
    assert answer["outcome"] == "conflict"
    assert await anna.booking(other["id"]) == other


# -- rules ---------------------------------------------------------------------------------------


async def test_nights(stage: Stage, anna: Desk) -> None:
    for first, last in ((0, 0), (0, -1), (0, 366)):
        assert await refused(anna.book(stage.guests[0], stay(None, first, last))) == "occupancies_nights"
    assert (await anna.book(stage.guests[0], stay(None, 0, 365)))["outcome"] == "done"
    old = {"room_id": None, "arrival": "1989-12-31", "departure": "1990-01-02"}
    assert await refused(anna.book(stage.guests[0], old)) == "occupancies_years"
    incomplete = {"room_id": None, "arrival": None, "departure": day(1).isoformat()}
    assert await refused(anna.book(stage.guests[0], incomplete)) == "arrival"
    for value in ("2030-02-31", "morgen"):
        with pytest.raises(asyncpg.DataError):
            await anna.book(stage.guests[0], {"room_id": None, "arrival": value, "departure": "2030-03-01"})


async def test_persons_fit_into_the_rooms(stage: Stage, anna: Desk) -> None:
    single, double, other, apartment = stage.rooms
    rule = "persons_within_capacity"
    assert await refused(anna.book(stage.guests[0], stay(single, 0, 1), persons=2)) == rule
    assert (
        await refused(anna.book(stage.guests[0], stay(None, 0, 1), persons=201)) == "bookings_persons_range"
    )
    assert await refused(anna.book(stage.guests[0], stay(None, 0, 1), persons=0)) == "bookings_persons_range"
    # Two rooms in the same nights add up, one after the other do not.
    assert (await anna.book(stage.guests[0], stay(double, 0, 1), stay(other, 0, 1), persons=4))[
        "outcome"
    ] == "done"
    assert await refused(anna.book(stage.guests[0], stay(double, 1, 2), stay(other, 2, 3), persons=4)) == rule
    state = await booked(anna, stage, stay(apartment, 0, 1), persons=4)
    move = {f"stay/{state['stays'][0]['id']}": change(stay(apartment, 0, 1), stay(double, 5, 6))}
    assert await refused(anna.save("booking", state["id"], move)) == rule
    # What is not touched is not judged: the room was made smaller afterwards.
    await anna.save("room", apartment, {"capacity": change(4, 2)})
    assert (await anna.save("booking", state["id"], {"notes": change(None, "x")}))["outcome"] == "done"


async def test_retired_rooms(stage: Stage, anna: Desk) -> None:
    room = stage.rooms[1]
    state = await booked(anna, stage, stay(room, 0, 3))
    early = {"retired_from": change(None, day(2).isoformat())}
    assert await refused(anna.save("room", room, early)) == "rooms_retired_from_free"
    fitting = {"retired_from": change(None, day(5).isoformat())}
    assert (await anna.save("room", room, fitting))["outcome"] == "done"
    await booked(anna, stage, stay(room, 3, 5))
    assert await refused(anna.book(stage.guests[0], stay(room, 5, 6))) == "room_not_retired"
    longer = {f"stay/{state['stays'][0]['id']}": change(stay(room, 0, 3), stay(room, 8, 9))}
    assert await refused(anna.save("booking", state["id"], longer)) == "room_not_retired"
    free = {row["room_id"] for row in await anna.rows("free_rooms", day(5), day(6), 1, None)}
    assert room not in free


async def test_guest_is_needed_and_must_exist(stage: Stage, anna: Desk) -> None:
    assert await refused(anna.save("booking", None, new(stay=stay(None, 0, 1)))) == "booking_has_guest"
    assert await refused(anna.book(999, stay(None, 0, 1))) == "bookings_guest_id_fkey"
    assert await refused(anna.book(stage.guests[0], stay(999, 0, 1))) == "occupancies_room_id_fkey"
    state = await booked(anna, stage)
    nobody = {"guest_id": change(stage.guests[0], None)}
    assert await refused(anna.save("booking", state["id"], nobody)) == "guest_id"
