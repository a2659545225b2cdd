"""A small house on a real database, colleagues who are signed in, and the application on one screen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from textual import events
from textual.screen import Screen

from dpolg_tui.db import writes
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import login, logout
from dpolg_tui.desk import Desk
from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Status
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.rooms import RoomsScreen
from dpolg_tui.tui.widgets.form import Form
from tests.databases import USERS, TestDatabase
from tests.tui.desk_app import TIMEOUT, Running, config_for


@asynccontextmanager
async def signed_in(database: TestDatabase, username: str) -> AsyncIterator[Desk]:
    """A desk without a screen: a colleague."""
    desk = Desk(config_for(database))
    desk.start()
    try:
        user = database.users[username]
        await desk.login(user.username, user.password)
        yield desk
    finally:
        await asyncio.wait_for(desk.close(), TIMEOUT)


@dataclass
class House:
    """Ids of what is there."""

    single: int
    double: int
    huber: int
    yilmaz: int


async def make_rooms(desk: Desk, *rooms: Mapping[str, object]) -> list[int]:
    """Rooms made by the admin, who alone may; their ids once this desk knows them."""
    admin = Database(desk.config.database, client="admin")
    admin.start()
    try:
        await login(admin, "admin", USERS["admin"].password)
        made = []
        for values in rooms:
            changes = {field: Change(None, value) for field, value in values.items()}
            made.append(int((await writes.save(admin, "room", None, changes))["id"]))
        await logout(admin)
    finally:
        await admin.close()
    async with asyncio.timeout(TIMEOUT):
        while not desk.store.rooms.keys() >= set(made):  # noqa: ASYNC110 - a store tells nobody
            await asyncio.sleep(0.01)
    return made


async def furnish(desk: Desk) -> House:
    """Two rooms and two guests."""

    def room(name: str, capacity: int, price: str) -> dict[str, object]:
        return {
            "name": name,
            "category": "EZ" if capacity == 1 else "DZ",
            "place": "Brannenburg",
            "building": "Haupthaus",
            "capacity": capacity,
            "price_low": Decimal(price),
            "price_high": Decimal(price) + 10,
            "final_cleaning_fee": Decimal("30.00"),
        }

    async def guest(last_name: str, first_name: str, **more: object) -> int:
        result = await desk.guests.create({"last_name": last_name, "first_name": first_name, **more})
        assert result.id is not None
        return result.id

    single, double = await make_rooms(
        desk, room("1 Zugspitze", 1, "45.00"), room("2 [Wendelstein]", 2, "60.00")
    )
    return House(
        single=single,
        double=double,
        huber=await guest("Huber", "Anton", email="anton@example.org", city="Ulm"),
        yilmaz=await guest("Yılmaz [VIP]", "Ayşe", phone="0123 456"),
    )


def in_days(days: int) -> date:
    """A day counted from a Monday well in the future, so that no rule about today meets it."""
    return date(2031, 3, 3) + timedelta(days)


async def book(
    desk: Desk, guest_id: int, room_id: int | None, first: int, nights: int = 3, **more: object
) -> int:
    """A booking made by a desk; its id."""
    result = await desk.bookings.create(
        {
            "guest_id": guest_id,
            "status": Status.CONFIRMED,
            "persons": 1,
            "stay/new": {"room_id": room_id, "arrival": in_days(first), "departure": in_days(first + nights)},
            **more,
        }
    )
    assert result.id is not None, result
    return result.id


@dataclass
class Desks:
    """The desk with the screen, a colleague's without, and the house."""

    here: Running
    ben: Desk
    house: House

    @property
    def screen(self) -> Screen[Any]:
        return self.here.app.screen

    @property
    def form(self) -> Form:
        return self.screen.query_one(Form)

    async def open(self, screen: Screen[Any]) -> None:
        """Pushes a screen and waits until its form is there."""
        self.here.app.push_screen(screen)
        await self.here.until(lambda: self.screen is screen, "screen")
        await self.here.until(lambda: self.form.ready, "form")

    async def open_booking(self, booking_id: int | None = None, **wish: Any) -> BookingScreen:
        """Opens the booking form."""
        screen = BookingScreen(booking_id, **wish)
        await self.open(screen)
        return screen

    async def type_into(self, name: str, text: str) -> None:
        """Replaces what a field holds, by paste as a terminal sends it."""
        self.form.field(name).editor_widget.focus()
        await self.here.pilot.pause()
        await self.here.pilot.press("end", "ctrl+u")
        if text:
            self.here.app.post_message(events.Paste(text))
        await self.here.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Presses keys."""
        await self.here.pilot.press(*keys)
        await self.here.pilot.pause()

    async def toast(self, words: str) -> None:
        """Waits until a toast says something."""
        await self.here.until(
            lambda: any(words in note.message for note in self.here.app._notifications), f"toast {words!r}"
        )


@asynccontextmanager
async def house(
    database: TestDatabase,
    screen: Callable[[], Screen[Any]] = RoomsScreen,
    user: str = "anna",
    size: tuple[int, int] = (80, 24),
) -> AsyncIterator[Desks]:
    """The application on a screen for one user, a colleague, and a small house."""
    async with AsyncExitStack() as stack:
        ben = await stack.enter_async_context(signed_in(database, "ben"))
        things = await furnish(ben)
        desk = await stack.enter_async_context(signed_in(database, user))
        app = DeskApp(desk, start_screen=screen)
        pilot = await stack.enter_async_context(app.run_test(size=size, notifications=True))
        desks = Desks(Running(app, pilot), ben, things)
        await desks.here.until(lambda: len(desk.store.rooms) == 2, "rooms")
        yield desks


def german(days: int) -> str:
    """A day as staff type it."""
    return format_date(in_days(days))


async def choose_guest(desks: Desks, typed: str, seen: str) -> None:
    """Types into the search and takes the first that is found."""
    await desks.type_into("guest_id", typed)
    await desks.here.sees(seen)
    await desks.press("enter")


async def left(desks: Desks) -> None:
    """Waits until the form is closed."""
    await desks.here.until(lambda: not isinstance(desks.screen, BookingScreen), "form closed")
