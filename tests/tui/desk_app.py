"""The real application on a real database, driven by Textual's Pilot."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Input

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.desk import Desk
from dpolg_tui.settings import UiSettings
from dpolg_tui.tui.app import DeskApp
from tests.databases import TestDatabase

TIMEOUT = 30.0


def config_for(database: TestDatabase, **more: Any) -> Config:
    """The configuration of a client of this database."""
    return Config(database=database_from_dsn(database.dsn), **more)


@dataclass
class Running:
    """An application under test."""

    app: DeskApp
    pilot: Pilot[None]

    @property
    def desk(self) -> Desk:
        return self.app.desk

    async def until(self, condition: Callable[[], object], what: str = "") -> None:
        """Waits until something is so; fails after half a minute."""
        end = time.monotonic() + TIMEOUT
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"not so after {TIMEOUT} s: {what}\n{self.text()}")
            await self.pilot.pause(0.02)
        await self.pilot.pause()

    def text(self) -> str:
        """What is on the screen, as lines of text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)

    async def sees(self, words: str) -> None:
        """Waits until some words are on the screen."""
        await self.until(lambda: words in self.text(), f"{words!r} on the screen")

    async def fill(self, selector: str, value: str) -> None:
        """Puts a value into a field of the visible screen."""
        self.app.screen.query_one(selector, Input).value = value
        await self.pilot.pause()

    async def connected(self) -> None:
        """Waits for the connection."""
        await self.until(lambda: self.desk.connection.phase == "connected", "connected")

    async def sign_in(self, username: str, password: str) -> None:
        """Signs in through the login screen."""
        await self.connected()
        await self.fill("#username", username)
        await self.fill("#password", password)
        self.app.screen.query_one("#password").focus()
        await self.pilot.press("enter")
        await self.until(lambda: self.app.signed_in_places and self.app.current_mode == "chart", "chart")


@asynccontextmanager
async def running(config: Config, size: tuple[int, int] = (80, 24)) -> AsyncIterator[Running]:
    """Starts the application as ``run_desk`` does, without a terminal."""
    desk = Desk(config)
    desk.start()
    app = DeskApp(desk)
    try:
        async with app.run_test(size=size, notifications=True) as pilot:
            yield Running(app, pilot)
    finally:
        await asyncio.wait_for(desk.close(), TIMEOUT)


def ui(**more: Any) -> UiSettings:
    """Settings of the screen that differ from the default."""
    return UiSettings(**more)
