"""app.save_booking, app.delete_booking, app.save_block and app.delete_block."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.sql.stage import Desk, Stage, change, day, new, stay


async def _refused(awaitable: Any) -> str:
    """The name of the rule that refuses it."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
        await awaitable
    return str(refused.value.constraint_name or refused.value.column_name)


def _only_stay(state: dict[str, Any]) -> dict[str, Any]:
    (only,) = state["stays"]
    return {key: only[key] for key in ("room_id", "arrival", "departure")}


async def _booked(desk: Desk, stage: Stage, *stays: dict[str, Any], **fields: object) -> dict[str, Any]:
    """The state of a new booking."""
    answer = await desk.book(stage.guests[0], *(stays or (stay(stage.rooms[1], 0, 3),)), **fields)
    assert answer["outcome"] == "done"
    state: dict[str, Any] = answer["state"]
    return state


# -- create and change ---------------------------------------------------------------------------


async def test_create(stage: Stage, anna: Desk) -> None:
    answer = await anna.book(
        stage.guests[0],
        stay(stage.rooms[1], 0, 3),
        persons=2,
        notes="spät",
        option_expires=day(-2).isoformat(),
        status="reserviert",
    )
    year = await stage.superuser.fetchval("SELECT extract(year FROM app.today())::int")
    assert (answer["outcome"], answer["version"], answer["lost_room"]) == ("done", 1, False)
    state = answer["state"]
    assert state == await anna.booking(answer["id"])
    assert state["number"] == f"{year}-1"
    assert (state["status"], state["persons"], state["notes"]) == ("reserviert", 2, "spät")
    assert state["guest_name"] == "Müller, Erika"
    assert state["created_by"] == "Anna Beispiel"
    assert _only_stay(state) == stay(stage.rooms[1], 0, 3)
    overview = await stage.superuser.fetchrow("SELECT * FROM app.booking_overview")
    assert (overview["room_id"], overview["checkin_date"], overview["status"]) == (
        stage.rooms[1],
        day(0),
        "reserviert",
    )


async def test_defaults_and_membership_at_the_time_of_booking(stage: Stage, anna: Desk) -> None:
    answer = await anna.book(stage.guests[1], stay(None, 0, 1))
    state = answer["state"]
    assert (state["status"], state["persons"], state["guest_is_member"]) == ("bestaetigt", 1, True)
    await anna.save("guest", stage.guests[1], {"is_member": change(True, False)})
    assert (await anna.booking(answer["id"]))["guest_is_member"] is True
    # Another guest: as he is now.
    other = await anna.save("booking", answer["id"], {"guest_id": change(stage.guests[1], stage.guests[0])})
    assert other["state"]["guest_is_member"] is False


async def test_only_what_is_named_is_written(stage: Stage, anna: Desk) -> None:
    before = await _booked(anna, stage, notes="bleibt", persons=2)
    answer = await anna.save("booking", before["id"], {"cleaning_date": change(None, day(3).isoformat())})
    after = answer["state"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"cleaning_date", "version", "updated_at", "updated_by"}


async def test_values_go_through_the_types_of_the_table(stage: Stage, anna: Desk) -> None:
    before = await _booked(anna, stage, persons=2, option_expires="2030-01-05")
    answer = await anna.save(
        "booking",
        before["id"],
        {"persons": change("2", "1"), "option_expires": change("2030-1-5", "2030-1-6")},
    )
    assert answer["outcome"] == "done"
    assert (answer["state"]["persons"], answer["state"]["option_expires"]) == (1, "2030-01-06")


async def test_different_fields_merge(stage: Stage, anna: Desk, ben: Desk) -> None:
    seen = await _booked(anna, stage, notes="alt")
    await ben.save("booking", seen["id"], {"notes": change("alt", "von Ben")})
    stays = {f"stay/{seen['stays'][0]['id']}": change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))}
    answer = await anna.save("booking", seen["id"], {"persons": change(1, 2), **stays})
    assert answer["outcome"] == "done"
    assert (answer["state"]["notes"], answer["state"]["persons"]) == ("von Ben", 2)
    assert answer["state"]["stays"][0]["room_id"] == stage.rooms[2]
    assert answer["version"] == 3


async def test_the_same_change_by_two_is_no_conflict(stage: Stage, anna: Desk, ben: Desk) -> None:
    seen = await _booked(anna, stage, notes="alt")
    await ben.save("booking", seen["id"], {"notes": change("alt", "neu")})
    answer = await anna.save("booking", seen["id"], {"notes": change("alt", "neu")})
    assert answer["outcome"] == "done"


async def test_conflict_tells_before_mine_and_theirs_and_writes_nothing(
    stage: Stage, anna: Desk, ben: Desk
) -> None:
    seen = await _booked(anna, stage, notes="alt")
    key = f"stay/{seen['stays'][0]['id']}"
    was = stay(stage.rooms[1], 0, 3)
    await ben.save(
        "booking",
        seen["id"],
        {"notes": change("alt", "von Ben"), key: change(was, stay(stage.rooms[1], 0, 4))},
    )
    request = uuid4()
    changes = {
        "notes": change("alt", "von Anna"),
        "persons": change(1, 2),
        key: change(was, stay(stage.rooms[2], 0, 3)),
    }
    answer = await anna.save("booking", seen["id"], changes, request=request)
    assert (answer["outcome"], answer["changed_by"]) == ("conflict", "Ben Beispiel")
    assert answer["conflicts"] == {
        "notes": {"before": "alt", "mine": "von Anna", "theirs": "von Ben"},
        key: {"before": was, "mine": stay(stage.rooms[2], 0, 3), "theirs": stay(stage.rooms[1], 0, 4)},
    }
    assert answer["state"] == await anna.booking(seen["id"])
    assert answer["state"]["persons"] == 1
    # Decided: the same request may be sent again with what is to count now.
    decided = {"notes": change("von Ben", "von Anna"), "persons": change(1, 2)}
    assert (await anna.save("booking", seen["id"], decided, request=request))["outcome"] == "done"


async def test_two_versions_one_room_change_one_is_rejected(stage: Stage, anna: Desk, ben: Desk) -> None:
    seen = await _booked(anna, stage)
    key = f"stay/{seen['stays'][0]['id']}"
    answers = await asyncio.gather(
        anna.save(
            "booking", seen["id"], {key: change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))}
        ),
        ben.save(
            "booking", seen["id"], {key: change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[3], 0, 3))}
        ),
    )
    assert sorted(answer["outcome"] for answer in answers) == ["conflict", "done"]


async def test_missing(stage: Stage, anna: Desk, admin: Desk) -> None:
    seen = await _booked(anna, stage)
    await admin.delete("booking", seen["id"])
    assert (await anna.save("booking", seen["id"], {"notes": change(None, "x")}))["outcome"] == "missing"
    assert (await admin.delete("booking", seen["id"]))["outcome"] == "missing"
    assert (await anna.delete("block", 999))["outcome"] == "missing"
    assert await anna.booking(999) is None


# -- taken ---------------------------------------------------------------------------------------


async def test_taken_names_who_is_in_the_way(stage: Stage, anna: Desk, ben: Desk) -> None:
    first = await _booked(anna, stage, stay(stage.rooms[1], 0, 3))
    await ben.save(
        "block", None, new(kind="out_of_order", reason="Rohrbruch")
        | {"stay": change(None, stay(stage.rooms[1], 5, 6))},
    )  # fmt: skip
    count = await stage.superuser.fetchval("SELECT count(*) FROM app.bookings")
    answer = await ben.book(stage.guests[1], stay(stage.rooms[1], 2, 6), notes="behalten")
    assert answer["outcome"] == "taken"
    assert [(other["label"], other["kind"], other["arrival"]) for other in answer["in_the_way"]] == [
        (f"{first['number']} Müller", "stay", day(0).isoformat()),
        ("Rohrbruch", "out_of_order", day(5).isoformat()),
    ]
    assert answer["in_the_way"][0]["booking_id"] == first["id"]
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.bookings") == count


async def test_turnover_on_the_same_day(stage: Stage, anna: Desk) -> None:
    await _booked(anna, stage, stay(stage.rooms[1], 0, 3))
    await _booked(anna, stage, stay(stage.rooms[1], 3, 4))
    await _booked(anna, stage, stay(stage.rooms[1], -1, 0))


async def test_stays_without_a_room_never_collide(stage: Stage, anna: Desk) -> None:
    for _ in range(3):
        await _booked(anna, stage, stay(None, 0, 3))


async def test_a_change_into_a_taken_room_leaves_everything_as_it_was(stage: Stage, anna: Desk) -> None:
    await _booked(anna, stage, stay(stage.rooms[2], 0, 3))
    mine = await _booked(anna, stage, stay(stage.rooms[1], 0, 3))
    key = f"stay/{mine['stays'][0]['id']}"
    answer = await anna.save(
        "booking",
        mine["id"],
        {"notes": change(None, "x"), key: change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 2, 4))},
    )
    assert (answer["outcome"], answer["id"]) == ("taken", mine["id"])
    assert len(answer["in_the_way"]) == 1
    assert await anna.booking(mine["id"]) == mine


async def test_five_at_once_one_wins_four_see_who(stage: Stage) -> None:
    """The same room and nights at the same moment; ten rounds."""
    desks = [await stage.desk(name) for name in ("anna", "ben", "clara", "david", "emil")]
    for number in range(10):
        answers = await asyncio.gather(
            *(desk.book(stage.guests[0], stay(stage.rooms[1], number, number + 1)) for desk in desks)
        )
        (winner,) = [answer for answer in answers if answer["outcome"] == "done"]
        losers = [answer for answer in answers if answer["outcome"] == "taken"]
        assert len(losers) == 4
        for answer in losers:
            assert [other["label"] for other in answer["in_the_way"]] == [
                f"{winner['state']['number']} Müller"
            ]


# -- several stays -------------------------------------------------------------------------------


async def test_several_stays_and_a_swap_in_one_change(stage: Stage, anna: Desk) -> None:
    one, two = stage.rooms[1], stage.rooms[2]
    state = await _booked(anna, stage, stay(one, 0, 3), stay(two, 0, 3), persons=4)
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
    state = await _booked(anna, stage)
    gone = {f"stay/{state['stays'][0]['id']}": change(stay(stage.rooms[1], 0, 3), None)}
    assert await _refused(anna.save("booking", state["id"], gone)) == "booking_has_stay"
    assert await _refused(anna.book(stage.guests[0])) == "booking_has_stay"


async def test_own_stays_may_not_overlap_in_one_room(stage: Stage, anna: Desk) -> None:
    both = anna.book(stage.guests[0], stay(stage.rooms[1], 0, 3), stay(stage.rooms[1], 2, 4))
    assert await _refused(both) == "stays_overlap"


async def test_a_stay_that_a_colleague_removed_is_a_conflict(stage: Stage, anna: Desk, ben: Desk) -> None:
    state = await _booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 3, 4))
    key = f"stay/{state['stays'][1]['id']}"
    was = stay(stage.rooms[2], 3, 4)
    await ben.save("booking", state["id"], {key: change(was, None)})
    answer = await anna.save("booking", state["id"], {key: change(was, stay(stage.rooms[2], 3, 5))})
    assert answer["outcome"] == "conflict"
    assert answer["conflicts"][key]["theirs"] is None


async def test_a_stay_of_another_booking_cannot_be_moved(stage: Stage, anna: Desk) -> None:
    mine = await _booked(anna, stage, stay(stage.rooms[1], 0, 3))
    other = await _booked(anna, stage, stay(stage.rooms[2], 0, 3))
    key = f"stay/{other['stays'][0]['id']}"
    answer = await anna.save(
        "booking", mine["id"], {key: change(stay(stage.rooms[2], 0, 3), stay(stage.rooms[3], 0, 3))}
    )
    assert answer["outcome"] == "conflict"
    assert await anna.booking(other["id"]) == other


# -- status --------------------------------------------------------------------------------------

_STATUSES = ("reserviert", "bestaetigt", "eingecheckt", "ausgecheckt", "storniert")
_ALLOWED = {
    "reserviert": {"bestaetigt", "eingecheckt", "storniert"},
    "bestaetigt": {"reserviert", "eingecheckt", "storniert"},
    "eingecheckt": {"reserviert", "bestaetigt", "ausgecheckt"},
    "ausgecheckt": {"eingecheckt"},
    "storniert": {"reserviert", "bestaetigt"},
}


async def _set_status(desk: Desk, booking: int, old: str, status: str) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": change(old, status)}
    if status == "storniert":
        changes["cancellation_reason"] = change(None, "krank")
    return await desk.save("booking", booking, changes)


@pytest.mark.parametrize("old", _STATUSES)
async def test_transitions(stage: Stage, anna: Desk, old: str) -> None:
    way = {"eingecheckt": ["eingecheckt"], "ausgecheckt": ["eingecheckt", "ausgecheckt"]}.get(old, [old])
    for number, status in enumerate(_STATUSES):
        if status == old:
            continue
        state = await _booked(anna, stage, stay(stage.rooms[1], number, number + 1), status="reserviert")
        now = "reserviert"
        for step in way:
            if step != now:
                await _set_status(anna, state["id"], now, step)
                now = step
        if status in _ALLOWED[old]:
            answer = await _set_status(anna, state["id"], old, status)
            assert answer["state"]["status"] == status
        else:
            rule = await _refused(_set_status(anna, state["id"], old, status))
            assert rule == "status_transition", (old, status)


@pytest.mark.parametrize("status", ["eingecheckt", "ausgecheckt", "storniert"])
async def test_a_new_booking_is_reserved_or_confirmed(stage: Stage, anna: Desk, status: str) -> None:
    assert await _refused(anna.book(stage.guests[0], stay(None, 0, 1), status=status)) == "status_transition"
    assert await _refused(anna.book(stage.guests[0], stay(None, 0, 1), status="weg")) == "bookings_status"


async def test_check_in_and_out_are_stamped(stage: Stage, anna: Desk) -> None:
    state = await _booked(anna, stage)
    inside = (await _set_status(anna, state["id"], "bestaetigt", "eingecheckt"))["state"]
    assert inside["checked_in_at"] is not None
    out = (await _set_status(anna, state["id"], "eingecheckt", "ausgecheckt"))["state"]
    assert (out["checked_in_at"], out["checked_out_at"] is not None) == (inside["checked_in_at"], True)
    back = (await _set_status(anna, state["id"], "ausgecheckt", "eingecheckt"))["state"]
    assert (back["checked_in_at"], back["checked_out_at"]) == (inside["checked_in_at"], None)
    undone = (await _set_status(anna, state["id"], "eingecheckt", "bestaetigt"))["state"]
    assert undone["checked_in_at"] is None


async def test_check_in_needs_a_room(stage: Stage, anna: Desk) -> None:
    state = await _booked(anna, stage, stay(None, 0, 1))
    assert await _refused(_set_status(anna, state["id"], "bestaetigt", "eingecheckt")) == "stays_need_room"
    key = f"stay/{state['stays'][0]['id']}"
    both = {
        "status": change("bestaetigt", "eingecheckt"),
        key: change(stay(None, 0, 1), stay(stage.rooms[0], 0, 1)),
    }
    assert (await anna.save("booking", state["id"], both))["outcome"] == "done"
    out = {key: change(stay(stage.rooms[0], 0, 1), stay(None, 0, 1))}
    assert await _refused(anna.save("booking", state["id"], out)) == "stays_need_room"


async def test_cancelling_needs_a_reason_and_frees_the_room(stage: Stage, anna: Desk) -> None:
    state = await _booked(anna, stage)
    without = {"status": change("bestaetigt", "storniert")}
    assert await _refused(anna.save("booking", state["id"], without)) == "bookings_cancellation_reason_given"
    blank = {**without, "cancellation_reason": change(None, "  ")}
    assert await _refused(anna.save("booking", state["id"], blank)) == "bookings_cancellation_reason_length"
    cancelled = (await _set_status(anna, state["id"], "bestaetigt", "storniert"))["state"]
    assert (cancelled["cancellation_reason"], cancelled["cancelled_at"] is not None) == ("krank", True)
    assert cancelled["stays"] == state["stays"]
    assert await anna.rows("chart", day(-5), day(5)) == []
    assert await stage.superuser.fetchval("SELECT NOT active FROM app.occupancies")
    await _booked(anna, stage, stay(stage.rooms[1], 0, 3))


async def test_brought_back_into_its_room_or_without_one(stage: Stage, anna: Desk, ben: Desk) -> None:
    state = await _booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3), persons=3)
    await _set_status(anna, state["id"], "bestaetigt", "storniert")
    back = await _set_status(anna, state["id"], "storniert", "bestaetigt")
    assert (back["outcome"], back["lost_room"]) == ("done", False)
    assert back["state"]["stays"] == state["stays"]
    assert (back["state"]["cancellation_reason"], back["state"]["cancelled_at"]) == (None, None)
    await _set_status(anna, state["id"], "bestaetigt", "storniert")
    await _booked(ben, stage, stay(stage.rooms[1], 2, 5))
    back = await _set_status(anna, state["id"], "storniert", "bestaetigt")
    assert (back["outcome"], back["lost_room"]) == ("done", True)
    assert {value["room_id"] for value in back["state"]["stays"]} == {None, stage.rooms[2]}


async def test_brought_back_at_the_moment_somebody_takes_the_room(
    stage: Stage, anna: Desk, ben: Desk
) -> None:
    for number in range(8):
        state = await _booked(anna, stage, stay(stage.rooms[1], number, number + 1))
        await _set_status(anna, state["id"], "bestaetigt", "storniert")
        back, other = await asyncio.gather(
            _set_status(anna, state["id"], "storniert", "reserviert"),
            ben.book(stage.guests[1], stay(stage.rooms[1], number, number + 1)),
        )
        assert back["outcome"] == "done"
        assert back["lost_room"] is (other["outcome"] == "done")


# -- rules ---------------------------------------------------------------------------------------


async def test_nights(stage: Stage, anna: Desk) -> None:
    for first, last in ((0, 0), (0, -1), (0, 366)):
        assert await _refused(anna.book(stage.guests[0], stay(None, first, last))) == "occupancies_nights"
    assert (await anna.book(stage.guests[0], stay(None, 0, 365)))["outcome"] == "done"
    old = {"room_id": None, "arrival": "1989-12-31", "departure": "1990-01-02"}
    assert await _refused(anna.book(stage.guests[0], old)) == "occupancies_years"
    incomplete = {"room_id": None, "arrival": None, "departure": day(1).isoformat()}
    assert await _refused(anna.book(stage.guests[0], incomplete)) == "arrival"
    for value in ("2030-02-31", "morgen"):
        with pytest.raises(asyncpg.DataError):
            await anna.book(stage.guests[0], {"room_id": None, "arrival": value, "departure": "2030-03-01"})


async def test_persons_fit_into_the_rooms(stage: Stage, anna: Desk) -> None:
    single, double, other, apartment = stage.rooms
    rule = "persons_within_capacity"
    assert await _refused(anna.book(stage.guests[0], stay(single, 0, 1), persons=2)) == rule
    assert (
        await _refused(anna.book(stage.guests[0], stay(None, 0, 1), persons=201)) == "bookings_persons_range"
    )
    assert await _refused(anna.book(stage.guests[0], stay(None, 0, 1), persons=0)) == "bookings_persons_range"
    # Two rooms in the same nights add up, one after the other do not.
    assert (await anna.book(stage.guests[0], stay(double, 0, 1), stay(other, 0, 1), persons=4))[
        "outcome"
    ] == "done"
    assert (
        await _refused(anna.book(stage.guests[0], stay(double, 1, 2), stay(other, 2, 3), persons=4)) == rule
    )
    state = await _booked(anna, stage, stay(apartment, 0, 1), persons=4)
    move = {f"stay/{state['stays'][0]['id']}": change(stay(apartment, 0, 1), stay(double, 5, 6))}
    assert await _refused(anna.save("booking", state["id"], move)) == rule
    # What is not touched is not judged: the room was made smaller afterwards.
    await anna.save("room", apartment, {"capacity": change(4, 2)})
    assert (await anna.save("booking", state["id"], {"notes": change(None, "x")}))["outcome"] == "done"


async def test_retired_rooms(stage: Stage, anna: Desk) -> None:
    room = stage.rooms[1]
    state = await _booked(anna, stage, stay(room, 0, 3))
    early = {"retired_from": change(None, day(2).isoformat())}
    assert await _refused(anna.save("room", room, early)) == "rooms_retired_from_free"
    fitting = {"retired_from": change(None, day(5).isoformat())}
    assert (await anna.save("room", room, fitting))["outcome"] == "done"
    await _booked(anna, stage, stay(room, 3, 5))
    assert await _refused(anna.book(stage.guests[0], stay(room, 5, 6))) == "room_not_retired"
    longer = {f"stay/{state['stays'][0]['id']}": change(stay(room, 0, 3), stay(room, 8, 9))}
    assert await _refused(anna.save("booking", state["id"], longer)) == "room_not_retired"
    free = {row["room_id"] for row in await anna.rows("free_rooms", day(5), day(6), 1, None)}
    assert room not in free


async def test_guest_is_needed_and_must_exist(stage: Stage, anna: Desk) -> None:
    assert await _refused(anna.save("booking", None, new(stay=stay(None, 0, 1)))) == "booking_has_guest"
    assert await _refused(anna.book(999, stay(None, 0, 1))) == "bookings_guest_id_fkey"
    assert await _refused(anna.book(stage.guests[0], stay(999, 0, 1))) == "occupancies_room_id_fkey"
    state = await _booked(anna, stage)
    nobody = {"guest_id": change(stage.guests[0], None)}
    assert await _refused(anna.save("booking", state["id"], nobody)) == "guest_id"


# -- numbers and requests ------------------------------------------------------------------------


async def test_numbers_have_no_gaps_whatever_fails(stage: Stage) -> None:
    desks = [await stage.desk(name) for name in ("anna", "ben", "clara", "david", "emil")]

    async def work(desk: Desk, turn: int) -> str:
        try:
            if turn % 4 == 0:
                return str((await desk.book(stage.guests[0], stay(stage.rooms[0], 0, 3)))["outcome"])
            if turn % 4 == 1:
                await desk.book(stage.guests[0], stay(stage.rooms[0], turn, turn + 1), persons=90)
            return str((await desk.book(stage.guests[0], stay(None, 0, 1)))["outcome"])
        except asyncpg.CheckViolationError:
            return "refused"

    async def row(desk: Desk) -> list[str]:
        return [await work(desk, turn) for turn in range(12)]

    outcomes = [outcome for found in await asyncio.gather(*map(row, desks)) for outcome in found]
    assert {"done", "taken", "refused"} == set(outcomes)
    numbers = await stage.superuser.fetch(
        "SELECT split_part(number, '-', 2)::int AS n FROM app.bookings ORDER BY 1"
    )
    assert [row["n"] for row in numbers] == list(range(1, outcomes.count("done") + 1))


async def test_the_same_request_twice_happens_once(stage: Stage, anna: Desk) -> None:
    request = uuid4()
    changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], 0, 3))
    first = await anna.save("booking", None, changes, request=request)
    again = await anna.save("booking", None, changes, request=request)
    assert again == first
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.bookings") == 1
    # The answer is of today: somebody changed it since.
    await anna.save("booking", first["id"], {"notes": change(None, "x")})
    assert (await anna.save("booking", None, changes, request=request))["version"] == 2


async def test_the_same_request_at_the_same_time_happens_once(stage: Stage, anna: Desk) -> None:
    connections = [anna, *[await _same_session(stage, anna) for _ in range(3)]]
    for number in range(5):
        request = uuid4()
        changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], number, number + 1))
        answers = await asyncio.gather(
            *(desk.save("booking", None, changes, request=request) for desk in connections)
        )
        assert {answer["id"] for answer in answers} == {answers[0]["id"]}
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.bookings") == 5


async def _same_session(stage: Stage, desk: Desk) -> Desk:
    another = await stage.desk(desk.username)
    await another.connection.execute(f"SET app.session_token = '{desk.token}'")
    return Desk(desk.username, desk.token, another.connection)


async def test_what_was_refused_may_be_tried_again(stage: Stage, anna: Desk, ben: Desk) -> None:
    other = await _booked(ben, stage)
    request = uuid4()
    changes = new(guest_id=stage.guests[0], stay=stay(stage.rooms[1], 0, 3))
    assert (await anna.save("booking", None, changes, request=request))["outcome"] == "taken"
    await _set_status(ben, other["id"], "bestaetigt", "storniert")
    assert (await anna.save("booking", None, changes, request=request))["outcome"] == "done"


# -- delete --------------------------------------------------------------------------------------


async def test_delete(stage: Stage, anna: Desk, admin: Desk) -> None:
    state = await _booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.delete("booking", state["id"])
    assert await _refused(admin.delete("guest", stage.guests[0])) == "bookings_guest_id_fkey"
    assert await _refused(admin.delete("room", stage.rooms[1])) == "occupancies_room_id_fkey"
    request = uuid4()
    assert (await admin.delete("booking", state["id"], request=request))["outcome"] == "done"
    assert (await admin.delete("booking", state["id"], request=request))["outcome"] == "done"
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.occupancies") == 0
    assert (await admin.delete("guest", stage.guests[0]))["outcome"] == "done"
    assert (await admin.delete("room", stage.rooms[1]))["outcome"] == "done"


async def test_a_booking_whose_guest_was_in_the_house_stays(stage: Stage, anna: Desk, admin: Desk) -> None:
    state = await _booked(anna, stage)
    await _set_status(anna, state["id"], "bestaetigt", "eingecheckt")
    assert await _refused(admin.delete("booking", state["id"])) == "booking_not_used"
    await _set_status(anna, state["id"], "eingecheckt", "ausgecheckt")
    assert await _refused(admin.delete("booking", state["id"])) == "booking_not_used"


# -- blocks --------------------------------------------------------------------------------------


async def test_blocks(stage: Stage, anna: Desk, ben: Desk) -> None:
    room = stage.rooms[1]
    answer = await anna.save("block", None, new(kind="out_of_order", reason="Heizung")
                             | {"stay": change(None, stay(room, 0, 3))})  # fmt: skip
    assert (answer["outcome"], answer["version"]) == ("done", 1)
    block = answer["id"]
    (bar,) = await anna.rows("chart", day(0), day(1))
    assert (bar["kind"], bar["reason"], bar["booking_id"], bar["version"]) == (
        "out_of_order",
        "Heizung",
        None,
        1,
    )
    taken = await ben.book(stage.guests[0], stay(room, 1, 2))
    assert [other["label"] for other in taken["in_the_way"]] == ["Heizung"]
    changed = await ben.save(
        "block",
        block,
        {"reason": change("Heizung", None), "stay": change(stay(room, 0, 3), stay(room, 1, 3))},
    )
    assert (changed["outcome"], changed["version"]) == ("done", 2)
    conflict = await anna.save("block", block, {"reason": change("Heizung", "Fenster")})
    assert conflict["conflicts"] == {"reason": {"before": "Heizung", "mine": "Fenster", "theirs": None}}
    assert conflict["changed_by"] == "Ben Beispiel"
    request = uuid4()
    assert (await ben.delete("block", block, request=request))["outcome"] == "done"
    assert (await ben.delete("block", block, request=request))["outcome"] == "done"
    assert (await ben.save("block", block, {"reason": change(None, "x")}))["outcome"] == "missing"


async def test_a_block_is_no_stay(stage: Stage, anna: Desk) -> None:
    rule = "occupancies_kind_matches_booking"
    place = {"stay": change(None, stay(stage.rooms[0], 0, 1))}
    assert await _refused(anna.save("block", None, new(kind="stay") | place)) == rule
    assert await _refused(anna.save("block", None, new(kind="house_use"))) == rule
    assert await _refused(anna.save("block", None, place)) == rule
    assert await _refused(anna.save("block", None, new(kind="urlaub") | place)) == "occupancies_kind"
    nowhere = {"stay": change(None, stay(None, 0, 1))}
    assert (
        await _refused(anna.save("block", None, new(kind="house_use") | nowhere))
        == "occupancies_block_has_room"
    )
    state = await _booked(anna, stage)
    occupancy = state["stays"][0]["id"]
    assert (await anna.save("block", occupancy, {"reason": change(None, "x")}))["outcome"] == "missing"
    assert await _refused(anna.delete("block", occupancy)) == rule
