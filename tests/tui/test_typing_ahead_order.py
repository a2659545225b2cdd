"""The order of keys and clicks in a bare app: nothing overtakes what was typed before it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.screen import ModalScreen
from textual.widgets import Input

from dpolg_tui.tui.typing_ahead import LONGEST, TypingAhead


class Ask(ModalScreen[None]):
    """A dialog with one field."""

    def compose(self) -> ComposeResult:
        yield Input(id="asked")


class Fields(TypingAhead):
    """Two fields, and a key whose action takes longer than a key is waited for."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f5", "ask_late")]

    def compose(self) -> ComposeResult:
        yield Input(id="first")
        yield Input(id="second")

    async def action_ask_late(self) -> None:
        await asyncio.sleep(LONGEST * 1.5)
        self.push_screen(Ask())

    def typed(self, name: str) -> str:
        return self.screen.query_one(f"#{name}", Input).value


def burst(app: Fields, *keys: str) -> None:
    for key in keys:
        single = len(key) == 1
        app.post_message(events.Key(_character_to_key(key) if single else key, key if single else None))


def click(app: Fields, name: str) -> None:
    region = app.query_one(f"#{name}").region
    at = (region.x + 3, region.y + 1)
    for kind in (events.MouseDown, events.MouseUp):
        app.post_message(kind(None, *at, 0, 0, 1, False, False, False, *at))


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    for _ in range(500):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("never so")


async def test_a_click_does_not_overtake_what_was_typed_before_it() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        burst(app, *"Huber")
        click(app, "second")
        burst(app, *"Anna")
        await until(pilot, lambda: len(app.typed("first") + app.typed("second")) == len("HuberAnna"))
        assert (app.typed("first"), app.typed("second")) == ("Huber", "Anna")


async def test_what_is_typed_behind_a_dialog_that_came_late_goes_into_it() -> None:
    app = Fields()
    async with app.run_test() as pilot:
        burst(app, "f5", *"Huber")
        await until(pilot, lambda: isinstance(app.screen, Ask) and app.typed("asked") == "Huber")
