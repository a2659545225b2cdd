"""Applications without a terminal that paint all the same: every byte for the terminal passes ``written``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import App, ComposeResult
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Region
from textual.pilot import Pilot
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

QUIET = 0.06
"""Seconds without output after which a picture counts as painted: more than three of Textual's frames."""

Written = Callable[[float, str], None]


class PaintingDriver(HeadlessDriver):
    """Not headless, so Textual renders everything down to the escape sequences; nothing is sent."""

    written: Written | None = None

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        if self.written is not None:
            self.written(time.perf_counter(), data)

    def flush(self) -> None:
        """There is nothing to flush."""


class Painted:
    """Listens to what an application paints."""

    def __init__(self, app: App[Any]) -> None:
        driver = app._driver
        assert isinstance(driver, PaintingDriver)
        driver.written = self._note
        self._driver = driver
        self._app = app
        self.last = 0.0
        self.bytes = 0
        self._sought = ""
        self._found: asyncio.Future[float] | None = None

    def _note(self, when: float, data: str) -> None:
        # The marks around a frame are no picture.
        if data.startswith("\x1b[?2026"):
            return
        self.last = when
        self.bytes += len(data)
        if self._found is not None and not self._found.done() and self._sought in data:
            self._found.set_result(when)

    def seek(self, text: str) -> asyncio.Future[float]:
        """The moment at which ``text`` is painted."""
        self._sought = text
        self._found = asyncio.get_running_loop().create_future()
        return self._found

    async def key(self, key: str) -> tuple[float, float] | None:
        """Presses a key; seconds until the last byte of its picture, and seconds of computing.

        None if nothing was painted.
        """
        self.bytes = 0
        computing = time.process_time()
        pressed = time.perf_counter()
        self._app.post_message(events.Key(key, None))
        while (rest := QUIET - (time.perf_counter() - max(pressed, self.last))) > 0:  # noqa: ASYNC110
            await asyncio.sleep(rest)
        if not self.bytes:
            return None
        return self.last - pressed, time.process_time() - computing


@asynccontextmanager
async def painting(app: App[Any], size: tuple[int, int]) -> AsyncIterator[tuple[Pilot[Any], Painted]]:
    """Runs the application at this size."""
    app.driver_class = PaintingDriver
    async with app.run_test(headless=False, size=size, notifications=True) as pilot:
        yield pilot, Painted(app)


class BareGrid(ScrollView, can_focus=True):
    """The least that could be called a chart: a line per room, a cell per day, a cursor.

    The baseline of the chart: the Line API, one segment per bar, only old and new line refreshed.
    """

    BINDINGS = [  # noqa: RUF012 - Textual's way
        ("left", "step(-1, 0)"),
        ("right", "step(1, 0)"),
        ("up", "step(0, -1)"),
        ("down", "step(0, 1)"),
    ]
    CELL = 4
    cursor = reactive((3, 3), repaint=False)

    def render_line(self, y: int) -> Strip:
        column, row = self.cursor
        width = self.size.width
        segments = [Segment(f"{y:>20} ", Style(color="cyan"))]
        for day in range((width - 21) // self.CELL):
            here = (day, y) == (column, row)
            segments.append(Segment("▐██▌", Style(reverse=here, color="green" if day % 3 else "blue")))
        return Strip(segments).adjust_cell_length(width)

    def action_step(self, days: int, rows: int) -> None:
        column, row = self.cursor
        most = (self.size.width - 21) // self.CELL - 1
        self.cursor = (min(max(column + days, 0), most), min(max(row + rows, 0), self.size.height - 1))

    def watch_cursor(self, old: tuple[int, int], new: tuple[int, int]) -> None:
        for row in {old[1], new[1]}:
            self.refresh(Region(0, row, self.size.width, 1))


class BareGridApp(App[None]):
    """Nothing but the bare grid."""

    def compose(self) -> ComposeResult:
        yield BareGrid()

    def on_mount(self) -> None:
        self.query_one(BareGrid).focus()
