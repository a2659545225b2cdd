"""app.save_several: bookings and blocks in one change, all of it or nothing."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.sql.bookings import booked
from tests.sql.stage import Desk, Stage, change, new, stay


def _write(kind: str, record: int, **changes: Any) -> dict[str, Any]:
    return {"kind": kind, "id": record, "changes": changes}


def _moved(bar: dict[str, Any], room: int | None = None) -> dict[str, Any]:
    """The change of a booking with one stay: another room."""
    before = {key: bar["stays"][0][key] for key in ("room_id", "arrival", "departure")}
    after = before | ({} if room is None else {"room_id": room})
    return _write("booking", bar["id"], **{f"stay/{bar['stays'][0]['id']}": change(before, after)})


async def _several(desk: Desk, *writes: dict[str, Any], request: UUID | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = await desk.call("save_several", request or uuid4(), list(writes))
    return answer


async def _bars(stage: Stage) -> dict[int, tuple[int | None, str, str]]:
    rows = await stage.superuser.fetch("SELECT id, room_id, arrival, departure FROM app.occupancies")
    return {row["id"]: (row["room_id"], str(row["arrival"]), str(row["departure"])) for row in rows}


@pytest.mark.both_versions
async def test_a_swap_of_different_lengths_happens_once_and_whole(stage: Stage, anna: Desk) -> None:
    one, two = stage.rooms[1], stage.rooms[2]
    first = await booked(anna, stage, stay(one, 0, 3))
    second = await booked(anna, stage, stay(two, 1, 7))
    block = await anna.save(
        "block", None, new(kind="house_use", reason="Probe") | {"stay": change(None, stay(one, 3, 5))}
    )
    # The longer one does not fit while the block is there; together with it, it does.
    swap = (_moved(first, room=two), _moved(second, room=one))
    answer = await _several(anna, *swap)
    assert (answer["outcome"], [other["kind"] for other in answer["in_the_way"]]) == ("taken", ["house_use"])
    cleared = _write("block", block["id"], stay=change(stay(one, 3, 5), stay(two, 3, 5)))
    request = uuid4()
    answers = [await _several(anna, *swap, cleared, request=request) for _ in range(2)]
    # What it was before is told once.
    assert [record["id"] for record in answers[0].pop("was")] == [first["id"], second["id"], block["id"]]
    assert answers[0] == answers[1]
    assert [(record["kind"], record["id"]) for record in answers[0]["records"]] == [
        ("booking", first["id"]),
        ("booking", second["id"]),
        ("block", block["id"]),
    ]
    assert [record["state"]["version"] for record in answers[0]["records"]] == [2, 2, 2]
    assert answers[0]["records"][1]["state"] == await anna.booking(second["id"])
    assert {bar[0] for bar in (await _bars(stage)).values()} == {one, two}


async def test_a_conflict_or_a_missing_record_changes_nothing(stage: Stage, anna: Desk, ben: Desk) -> None:
    one, two, three = stage.rooms[1:4]
    first = await booked(anna, stage, stay(one, 0, 3))
    second = await booked(anna, stage, stay(two, 0, 3))
    swap = (_moved(first, room=two), _moved(second, room=one))
    await ben.save("booking", second["id"], _moved(second, room=three)["changes"])
    before = await _bars(stage)
    answer = await _several(anna, *swap)
    assert (answer["outcome"], answer["kind"], answer["id"]) == ("conflict", "booking", second["id"])
    assert answer["changed_by"] == "Ben Beispiel"
    assert (await _several(anna, swap[0], _write("block", 999, reason=change(None, "x")))) == {
        "outcome": "missing",
        "kind": "block",
        "id": 999,
    }
    assert await _bars(stage) == before


async def test_two_of_the_moved_in_one_place_are_refused(stage: Stage, anna: Desk) -> None:
    first = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
    second = await booked(anna, stage, stay(stage.rooms[2], 0, 3))
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await _several(anna, _moved(first, room=stage.rooms[3]), _moved(second, room=stage.rooms[3]))
    assert refused.value.constraint_name == "stays_overlap"


@pytest.mark.parametrize("writes", [{}, [{"kind": "guest", "id": 1, "changes": {}}], "twice"])
async def test_what_is_no_list_of_writes_is_refused(stage: Stage, anna: Desk, writes: object) -> None:
    if writes == "twice":
        two = await booked(anna, stage, stay(stage.rooms[1], 0, 3))
        writes = [_write("booking", two["id"]), _write("booking", two["id"])]
    with pytest.raises((asyncpg.DataError, asyncpg.CaseNotFoundError)):
        await anna.call("save_several", uuid4(), writes)


async def test_a_join_grows_over_the_nights_of_the_stay_that_goes(stage: Stage, anna: Desk) -> None:
    room = stage.rooms[1]
    state = await booked(anna, stage, stay(room, 0, 2), stay(room, 2, 5))
    left, right = state["stays"]
    answer = await anna.save(
        "booking",
        state["id"],
        {
            f"stay/{left['id']}": change(stay(room, 0, 2), stay(room, 0, 5)),
            f"stay/{right['id']}": change(stay(room, 2, 5), None),
        },
    )
    assert answer["outcome"] == "done"
    assert list((await _bars(stage)).values()) == [
        (room, stay(room, 0, 5)["arrival"], stay(room, 0, 5)["departure"])
    ]


@pytest.mark.both_versions
async def test_crosswise_swaps_at_once_never_lock_each_other_out(stage: Stage) -> None:
    """Three desks swap around three rooms, each with the records in another order."""
    desks = [await stage.desk(name) for name in ("anna", "ben", "clara")]
    bookings = [await booked(desks[0], stage, stay(room, 0, 3)) for room in stage.rooms[1:4]]
    outcomes: list[str] = []
    for _ in range(12):
        now = [await desks[0].booking(state["id"]) for state in bookings]

        def swap(one: int, other: int, now: list[dict[str, Any]] = now) -> list[dict[str, Any]]:
            rooms = [now[one]["stays"][0]["room_id"], now[other]["stays"][0]["room_id"]]
            return [_moved(now[one], room=rooms[1]), _moved(now[other], room=rooms[0])]

        answers = await asyncio.gather(
            _several(desks[0], *swap(0, 1)), _several(desks[1], *swap(2, 1)), _several(desks[2], *swap(2, 0))
        )
        outcomes += [answer["outcome"] for answer in answers]
        assert [answer["outcome"] for answer in answers].count("done") == 1
        assert {bar[0] for bar in (await _bars(stage)).values()} == set(stage.rooms[1:4])
    assert set(outcomes) == {"done", "conflict"}
