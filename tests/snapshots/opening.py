"""The application on a day, and what scenes look for in the house."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, timedelta
from unittest.mock import patch

from dpolg_tui.config import Config
from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Occupancy, Status
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.screens.booking import BookingScreen
from tests.tui.desk_app import TIMEOUT, Running

Scene = Callable[[Running], Awaitable[None]]

DAY = timedelta(days=1)


@asynccontextmanager
async def opened(
    config: Config, today: date, size: tuple[int, int], account: tuple[str, str] | None
) -> AsyncIterator[Running]:
    """The application on a day; on the chart if there is an account (name, password), else on the login."""
    with patch.object(Desk, "today", lambda _: today):
        desk = Desk(config)
        desk.start()
        try:
            if account is not None:
                await desk.login(*account)
            app = DeskApp(desk)
            async with app.run_test(size=size, notifications=True) as pilot:
                here = Running(app, pilot)
                if account is None:
                    await here.connected()
                else:
                    await app.signed_in()
                    await here.until(lambda: app.current_mode == "chart", "chart")
                    await here.until(lambda: desk.connection.phase == "connected", "connected")
                    # A dialog opened over a chart that was never laid out has nothing behind it.
                    await here.sees("Belegungsplan")
                app.clear_notifications()
                yield here
            # So that the next one does not see this one's user among the colleagues.
            await desk.logout()
        finally:
            await asyncio.wait_for(desk.close(), TIMEOUT)


def room_ids(here: Running) -> list[int]:
    return sorted(here.desk.store.rooms)


def a_stay(here: Running, status: Status) -> Occupancy:
    """The first stay of that status that arrives soon, in a room."""
    today = here.desk.today()
    found = (
        bar
        for bar in here.desk.store.occupancies.values()
        if bar.status is status and bar.room_id is not None and bar.departure > today + 2 * DAY
    )
    return min(found, key=lambda bar: (abs(bar.arrival - today), bar.id))


def two_stays(here: Running) -> tuple[Occupancy, Occupancy]:
    """Two stays in different rooms, of which one is in the house."""
    first = a_stay(here, Status.CHECKED_IN)
    second = a_stay(here, Status.CONFIRMED)
    assert first.room_id != second.room_id
    return first, second


async def open_booking(here: Running, screen: BookingScreen) -> None:
    here.app.push_screen(screen)
    await here.until(lambda: here.app.screen is screen and screen.is_mounted, "booking screen")
    await here.until(lambda: screen.form.ready, "booking form")
