"""Anna in front of the chart, with a colleague at another desk."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from typing import Any

from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Occupancy, Status
from dpolg_tui.tui.screens.chart import ChartScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import House, furnish, signed_in

DAY = timedelta(days=1)


class Chart:
    """The application with the chart on the screen, and short ways to look at it."""

    def __init__(self, run: Running, house: House, colleague: Desk) -> None:
        self.run, self.house, self.colleague = run, house, colleague

    @property
    def widget(self) -> OccupancyChart:
        return self.screen.chart

    @property
    def screen(self) -> ChartScreen:
        screen = next(it for it in self.run.app.screen_stack if isinstance(it, ChartScreen))
        assert isinstance(screen, ChartScreen)
        return screen

    @property
    def today(self) -> date:
        return self.run.desk.today()

    def stay(self, occupancy_id: int) -> Occupancy | None:
        return self.run.desk.store.occupancies.get(occupancy_id)

    async def press(self, *keys: str) -> None:
        await self.run.pilot.press(*keys)

    async def at(self, kind: type[Any]) -> Any:
        await self.run.until(lambda: isinstance(self.run.app.screen, kind), kind.__name__)
        return self.run.app.screen

    async def back(self) -> None:
        await self.at(ChartScreen)

    async def cursor_on(self, occupancy_id: int) -> None:
        await self.run.until(lambda: occupancy_id in self.run.desk.store.occupancies, "loaded")
        await self.run.until(lambda: self.widget.jump_to(occupancy_id), "drawn")
        await self.run.pilot.pause()

    async def book(self, room: int | None, arrival: int, nights: int, **more: object) -> int:
        """A colleague books, days counted from today; the id of the bar."""
        start = self.today + timedelta(days=arrival)
        values: dict[str, object] = {
            "guest_id": self.house.huber,
            "persons": 1,
            "stay/new": {"room_id": room, "arrival": start, "departure": start + timedelta(days=nights)},
        }
        status = more.pop("status", None)
        result = await self.colleague.bookings.create({**values, **more})
        assert result.id is not None
        booking_id = result.id
        if status is Status.CHECKED_IN:
            await self.colleague.bookings.check_in(booking_id)
        [stay] = (await self.colleague.bookings.get(booking_id)).stays
        assert stay.id is not None
        occupancy_id = stay.id
        await self.run.until(
            lambda: (found := self.stay(occupancy_id)) and status in (None, found.status), "booked"
        )
        return occupancy_id


@asynccontextmanager
async def at_the_chart(database: TestDatabase, size: tuple[int, int] = (100, 30)) -> AsyncIterator[Chart]:
    """A small house, a colleague (Ben) and Anna in front of the chart."""
    async with signed_in(database, "ben") as colleague:
        house = await furnish(colleague)
        async with running(config_for(database), size) as run:
            anna = database.users["anna"]
            await run.sign_in(anna.username, anna.password)
            chart = Chart(run, house, colleague)
            await run.until(lambda: len(chart.widget.model.rooms) == 2, "rooms")
            yield chart
