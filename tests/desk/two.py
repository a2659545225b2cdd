"""Two desks without a screen in one house."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import date, timedelta

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import DeskEvent, RecordChanged
from dpolg_tui.domain.models import Occupancy, Outcome
from tests.tui.forms_house import House


async def until(condition: Callable[[], object], limit: float = 5.0) -> None:
    """Waits until something is so; what is not there yet (LookupError) is not so."""
    end = time.monotonic() + limit

    def so() -> bool:
        try:
            return bool(condition())
        except LookupError:
            return False

    while not so():
        assert time.monotonic() < end, "not so in time"
        await asyncio.sleep(0.01)


class Two:
    """Two desks of two colleagues in one house, and what the second one heard."""

    def __init__(self, anna: Desk, ben: Desk, house: House) -> None:
        self.anna, self.ben, self.house = anna, ben, house
        self.heard: list[DeskEvent] = []
        ben.subscribe(self.heard.append)

    def day(self, offset: int) -> date:
        return self.anna.today() + timedelta(days=offset)

    async def book(self, first: int = 5, nights: int = 3, room: int | None = None) -> int:
        stay = {
            "room_id": room or self.house.double,
            "arrival": self.day(first),
            "departure": self.day(first + nights),
        }
        result = await self.anna.bookings.create(
            {"guest_id": self.house.huber, "persons": 2, "stay/new": stay}
        )
        assert result.outcome is Outcome.DONE
        assert result.id is not None
        return result.id

    async def ben_sees(self, booking_id: int) -> Occupancy:
        await until(lambda: self.ben.store.of_booking(booking_id))
        return self.ben.store.of_booking(booking_id)[0]

    def changes(self, kind: str) -> list[RecordChanged]:
        return [event for event in self.heard if isinstance(event, RecordChanged) and event.kind == kind]
