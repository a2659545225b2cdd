"""Every action of a desk costs one round trip, counted on the wire between it and the server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome, WriteResult
from tests.databases import TestDatabase
from tests.tui.desk_app import config_for
from tests.tui.forms_house import furnish
from tools.wire_proxy import WireProxy, wire_proxy


class Counted:
    """Runs actions and takes down what each cost."""

    def __init__(self, proxy: WireProxy) -> None:
        self._proxy = proxy
        self.trips: dict[str, list[int]] = {}

    async def __call__(self, name: str, action: Callable[[], Awaitable[WriteResult]]) -> int:
        """Does it; the id of the record."""
        self._proxy.reset()
        result = await action()
        self.trips.setdefault(name, []).append(self._proxy.traffic.round_trips)
        assert result.outcome is Outcome.DONE, name
        return result.id or 0


@pytest.mark.both_versions
async def test_a_write_is_one_round_trip(database: TestDatabase) -> None:
    config = config_for(database)
    async with wire_proxy(config.database.hosts[0]) as proxy:
        desk = Desk(replace(config, database=replace(config.database, hosts=(proxy.address,))))
        desk.start()
        try:
            user = database.users["anna"]
            await desk.login(user.username, user.password)
            house = await furnish(desk)
            await desk.database.wait_warm()
            await asyncio.sleep(0.2)
            count = Counted(proxy)
            for number in range(3):
                day = desk.today() + timedelta(days=10 * number)
                stay = {"room_id": house.double, "arrival": day, "departure": day + timedelta(days=3)}
                values = {"guest_id": house.huber, "persons": 1, "stay/new": stay}
                booking = await count("create", lambda values=values: desk.bookings.create(values))
                (bar,) = desk.store.of_booking(booking)
                note = {"notes": Change(None, "spät")}
                await count("change", lambda b=booking, note=note: desk.bookings.save(b, note))
                later = bar.departure + timedelta(days=1)
                await count(
                    "move", lambda bar=bar, to=later: desk.bookings.move(bar, bar.room_id, bar.arrival, to)
                )
                await count("cancel", lambda b=booking: desk.bookings.cancel(b, "Übung"))
                name = {"last_name": f"Neu{number}"}
                await count("guest", lambda name=name: desk.guests.create(name))
                block = await count(
                    "block",
                    lambda day=day: desk.blocks.create(
                        house.single, day, day + timedelta(days=1), Kind.HOUSE_USE, "Übung"
                    ),
                )
                await count("lift", lambda block=block: desk.blocks.delete(block))
        finally:
            await desk.close()
    # A heartbeat of the live connection may fall into one of the three, not into all.
    assert {name: min(trips) for name, trips in count.trips.items()} == dict.fromkeys(count.trips, 1)
