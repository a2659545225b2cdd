"""A conflict names who gave the field its value, not who changed anything else of the record since."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sql.stage import Desk, Stage, change, new, stay

BEN, CLARA = "Ben Beispiel", "Clara Beispiel"


@pytest.fixture
async def clara(stage: Stage) -> Desk:
    return await stage.desk("clara")


async def conflict(desk: Desk, kind: str, record: int, changes: dict[str, Any]) -> str | None:
    answer = await desk.save(kind, record, changes)
    assert answer["outcome"] == "conflict"
    name: str | None = answer["changed_by"]
    return name


@pytest.mark.both_versions
async def test_of_a_guest_and_a_booking(stage: Stage, anna: Desk, ben: Desk, clara: Desk) -> None:
    guest = stage.guests[0]
    await ben.save("guest", guest, {"city": change("München", "Ulm")})
    await clara.save("guest", guest, {"notes": change(None, "Hund")})
    await anna.save("guest", guest, {"profession": change(None, "Polizistin")})
    assert await conflict(anna, "guest", guest, {"city": change("München", "Bonn")}) == BEN
    assert await conflict(anna, "guest", guest, {"notes": change(None, "Katze")}) == CLARA

    made = await clara.book(guest, stay(stage.rooms[1], 0, 3), notes="früh")
    booking, (first,) = made["id"], made["state"]["stays"]
    field, before = f"stay/{first['id']}", stay(stage.rooms[1], 0, 3)
    await ben.save("booking", booking, {field: change(before, stay(stage.rooms[1], 0, 4))})
    await clara.save("booking", booking, {"persons": change(1, 2)})
    wanted = {field: change(before, stay(stage.rooms[1], 1, 3))}
    assert await conflict(anna, "booking", booking, wanted) == BEN
    several = [{"kind": "booking", "id": booking, "changes": wanted}]
    answer = await anna.call("save_several", "7b0e4f0e-6d0e-4f53-9c43-6f35c4c9a001", several)
    assert (answer["outcome"], answer["changed_by"]) == ("conflict", BEN)
    # What nobody has changed since is of whoever made it.
    assert await conflict(anna, "booking", booking, {"notes": change(None, "spät")}) == CLARA


async def test_of_a_stay_that_went_and_of_a_block(stage: Stage, anna: Desk, ben: Desk, clara: Desk) -> None:
    one, other = stay(stage.rooms[1], 0, 2), stay(stage.rooms[2], 2, 4)
    made = await anna.book(stage.guests[0], one, other)
    booking, gone = made["id"], made["state"]["stays"][1]["id"]
    await ben.save("booking", booking, {f"stay/{gone}": change(other, None)})
    await clara.save("booking", booking, {"persons": change(1, 2)})
    wanted = {f"stay/{gone}": change(other, stay(stage.rooms[2], 2, 5))}
    assert await conflict(anna, "booking", booking, wanted) == BEN

    place = stay(stage.rooms[3], 0, 2)
    block = (await anna.save("block", None, new(kind="out_of_order") | {"stay": change(None, place)}))["id"]
    await ben.save("block", block, {"stay": change(place, stay(stage.rooms[3], 0, 3))})
    await clara.save("block", block, {"reason": change(None, "Heizung")})
    wanted = {"stay": change(place, stay(stage.rooms[3], 1, 2))}
    assert await conflict(anna, "block", block, wanted) == BEN
    # The log of that time is not kept for ever: then the last change of the record has to do.
    await stage.superuser.execute("ALTER TABLE app.audit_log DISABLE TRIGGER USER")
    await stage.superuser.execute("DELETE FROM app.audit_log")
    assert await conflict(anna, "block", block, wanted) == CLARA
