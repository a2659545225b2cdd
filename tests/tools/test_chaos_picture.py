"""The checker reads a screen as a person does, and sees what is wrong on it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dpolg_tui.domain.models import Kind, Status
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running
from tools.chaos.ground import MAKE_ROOMS
from tools.chaos.picture import Stored, differences
from tools.chaos.worker import SIZE, picture

ROOMS = [f"Zimmer {number}" for number in range(1, 5)]


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path)


async def _book(here: Running, *stays: Stored) -> None:
    desk = here.desk
    room_of = {room.name: room.id for room in desk.store.rooms.values()}
    for stay in stays:
        room = room_of[stay.room]
        if stay.status is None:
            await desk.blocks.create(room, stay.arrival, stay.departure, Kind.OUT_OF_ORDER, "Wasser")
            continue
        guest = await desk.guests.create({"last_name": stay.last_name})
        days = {"arrival": stay.arrival, "departure": stay.departure}
        values = {"guest_id": guest.id, "persons": 1, "stay/new": {"room_id": room, **days}}
        await desk.bookings.create(values)


async def test_a_right_screen_is_right_and_a_wrong_one_is_told(database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute(MAKE_ROOMS, len(ROOMS))
    await owner.close()
    async with running(config_for(database), SIZE) as here:
        await here.sign_in("anna", database.users["anna"].password)
        today = here.desk.today()
        night, week = timedelta(1), timedelta(7)
        stored = [
            Stored("Zimmer 1", today + night, today + 2 * night, Status.CONFIRMED, "chaos-d001-1-1"),
            Stored("Zimmer 2", today + night, today + week, Status.CONFIRMED, "chaos-d001-1-2"),
            Stored("Zimmer 2", today + week, today + 2 * week, Status.CONFIRMED, "chaos-d002-1-3"),
            Stored("Zimmer 3", today + night, today + 20 * week, None, ""),
        ]
        await _book(here, *stored)
        await here.until(lambda: not differences(picture(here), ROOMS, stored), "as stored")
        shown = picture(here)

    def wrong(*changed: Stored, rooms: list[str] = ROOMS, **more: Any) -> bool:
        return bool(differences({**shown, **more}, rooms, changed))

    one, two, three, block = stored
    assert wrong(two, three, block), "a bar that is not stored"
    assert wrong(*stored, replace(one, room="Zimmer 4")), "a bar that is not drawn"
    assert wrong(replace(one, departure=one.departure + night), two, three, block), "other ends"
    assert wrong(one, replace(two, last_name="chaos-d001-1-9"), three, block), "another name"
    assert wrong(one, replace(two, status=Status.CHECKED_IN), three, block), "another status"
    assert wrong(one, two, three, replace(block, status=Status.CONFIRMED)), "a stay in place of a block"
    assert wrong(*stored, rooms=[*ROOMS, "Zimmer 5"]), "a room that is not drawn"
    assert wrong(*stored, first=str(today + night)), "other days"
    assert wrong(*stored, covered_by="LockScreen"), "something lies over it"
    free = next(number for number, line in enumerate(shown["lines"]) if line.startswith(" frei "))
    lines = [line.replace("3", "4") if number == free else line for number, line in enumerate(shown["lines"])]
    assert wrong(*stored, lines=lines), "another number of free rooms"
