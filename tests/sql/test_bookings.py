"""app.save_booking, app.delete_booking, app.save_block and app.delete_block."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from tests.sql.bookings import booked, only_stay, refused, set_status
from tests.sql.stage import Desk, Stage, change, day, new, stay

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
    assert only_stay(state) == stay(stage.rooms[1], 0, 3)
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
    before = await booked(anna, stage, notes="bleibt", persons=2)
    answer = await anna.save("booking", before["id"], {"cleaning_date": change(None, day(3).isoformat())})
    after = answer["state"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"cleaning_date", "version", "updated_at", "updated_by"}


async def test_values_go_through_the_types_of_the_table(stage: Stage, anna: Desk) -> None:
    before = await booked(anna, stage, persons=2, option_expires="2030-01-05")
    answer = await anna.save(
        "booking",
        before["id"],
        {"persons": change("2", "1"), "option_expires": change("2030-1-5", "2030-1-6")},
    )
    assert answer["outcome"] == "done"
    assert (answer["state"]["persons"], answer["state"]["option_expires"]) == (1, "2030-01-06")


async def test_different_fields_merge(stage: Stage, anna: Desk, ben: Desk) -> None:
    seen = await booked(anna, stage, notes="alt")
    await ben.save("booking", seen["id"], {"notes": change("alt", "von Ben")})
    stays = {f"stay/{seen['stays'][0]['id']}": change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))}
    answer = await anna.save("booking", seen["id"], {"persons": change(1, 2), **stays})
    assert answer["outcome"] == "done"
    assert (answer["state"]["notes"], answer["state"]["persons"]) == ("von Ben", 2)
    assert answer["state"]["stays"][0]["room_id"] == stage.rooms[2]
    assert answer["version"] == 3


async def test_the_same_change_by_two_is_no_conflict(stage: Stage, anna: Desk, ben: Desk) -> None:
    seen = await booked(anna, stage, notes="alt")
    await ben.save("booking", seen["id"], {"notes": change("alt", "neu")})
    answer = await anna.save("booking", seen["id"], {"notes": change("alt", "neu")})
    assert answer["outcome"] == "done"


async def test_conflict_tells_before_mine_and_theirs_and_writes_nothing(
    stage: Stage, anna: Desk, ben: Desk
) -> None:
    seen = await booked(anna, stage, notes="alt")
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
    seen = await booked(anna, stage)
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
    seen = await booked(anna, stage)
    await admin.delete("booking", seen["id"])
    assert (await anna.save("booking", seen["id"], {"notes": change(None, "x")}))["outcome"] == "missing"
    assert (await admin.delete("booking", seen["id"]))["outcome"] == "missing"
    assert (await anna.delete("block", 999))["outcome"] == "missing"
    assert await anna.booking(999) is None


# -- taken ---------------------------------------------------------------------------------------


async def test_taken_names_who_is_in_the_way(stage: Stage, anna: Desk, ben: Desk) -> None:
    first = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
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
    await booked(anna, stage, stay(stage.rooms[1], 0, 3))
    await booked(anna, stage, stay(stage.rooms[1], 3, 4))
    await booked(anna, stage, stay(stage.rooms[1], -1, 0))


async def test_stays_without_a_room_never_collide(stage: Stage, anna: Desk) -> None:
    for _ in range(3):
        await booked(anna, stage, stay(None, 0, 3))


async def test_a_change_into_a_taken_room_leaves_everything_as_it_was(stage: Stage, anna: Desk) -> None:
    await booked(anna, stage, stay(stage.rooms[2], 0, 3))
    mine = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
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


# -- delete --------------------------------------------------------------------------------------


async def test_delete(stage: Stage, anna: Desk, admin: Desk) -> None:
    state = await booked(anna, stage, stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.delete("booking", state["id"])
    assert await refused(admin.delete("guest", stage.guests[0])) == "bookings_guest_id_fkey"
    assert await refused(admin.delete("room", stage.rooms[1])) == "occupancies_room_id_fkey"
    request = uuid4()
    assert (await admin.delete("booking", state["id"], request=request))["outcome"] == "done"
    assert (await admin.delete("booking", state["id"], request=request))["outcome"] == "done"
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.occupancies") == 0
    assert (await admin.delete("guest", stage.guests[0]))["outcome"] == "done"
    assert (await admin.delete("room", stage.rooms[1]))["outcome"] == "done"


async def test_a_booking_whose_guest_was_in_the_house_stays(stage: Stage, anna: Desk, admin: Desk) -> None:
    state = await booked(anna, stage)
    await set_status(anna, state["id"], "bestaetigt", "eingecheckt")
    assert await refused(admin.delete("booking", state["id"])) == "booking_not_used"
    await set_status(anna, state["id"], "eingecheckt", "ausgecheckt")
    assert await refused(admin.delete("booking", state["id"])) == "booking_not_used"


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
    assert await refused(anna.save("block", None, new(kind="stay") | place)) == rule
    assert await refused(anna.save("block", None, new(kind="house_use"))) == rule
    assert await refused(anna.save("block", None, place)) == rule
    assert await refused(anna.save("block", None, new(kind="urlaub") | place)) == "occupancies_kind"
    nowhere = {"stay": change(None, stay(None, 0, 1))}
    assert (
        await refused(anna.save("block", None, new(kind="house_use") | nowhere))
        == "occupancies_block_has_room"
    )
    state = await booked(anna, stage)
    occupancy = state["stays"][0]["id"]
    assert (await anna.save("block", occupancy, {"reason": change(None, "x")}))["outcome"] == "missing"
    assert await refused(anna.delete("block", occupancy)) == rule
