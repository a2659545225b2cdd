"""Draws the lines of the occupancy chart as strips. Knows rows, days and styles, not the widget.

A bar is one segment between two edges of half a cell (``▐`` and ``▌``), so that turnovers show as
a gap and every bar has an end also where there is no colour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from dpolg_tui.domain import german
from dpolg_tui.domain.chart import Bar, DayTotals, Row, Window
from dpolg_tui.domain.models import Kind, Occupancy, Room, Status
from dpolg_tui.tui.widgets.chart_text import bar_text, cut, fit, plain

STATUS_STYLES: Mapping[Status | None, str] = {
    Status.RESERVED: "chart--reserved",
    Status.CONFIRMED: "chart--confirmed",
    Status.CHECKED_IN: "chart--checked-in",
    Status.CHECKED_OUT: "chart--checked-out",
    # Cancelled stays are not drawn; a booking that is just being cancelled may pass by.
    Status.CANCELLED: "chart--muted",
}
KEY_STYLES = tuple(f"chart--key-{number}" for number in range(6))
COMPONENTS = frozenset(
    [
        *STATUS_STYLES.values(),
        *KEY_STYLES,
        "chart--out-of-order",
        "chart--house-use",
        "chart--foundation",
        "chart--muted",
        "chart--picked",
        "chart--ghost-free",
        "chart--ghost-taken",
        "chart--cursor",
        "chart--mark",
        "chart--grid",
        "chart--weekend",
        "chart--today",
        "chart--header",
        "chart--header-weekend",
        "chart--header-today",
        "chart--room",
        "chart--room-cursor",
        "chart--group",
        "chart--totals",
        "chart--totals-odd",
        "chart--totals-today",
        "chart--detail",
    ]
)

Styles = Mapping[str, Style]


@dataclass(slots=True)
class Painter:
    """What all lines of one picture share. A new one is made when any of it changes."""

    styles: Styles
    window: Window
    today: date
    room_width: int
    holiday: Callable[[date], str | None]
    style_of: Callable[[Occupancy], str]
    """Component class of an occupancy's bar, by the colour key."""
    known: Callable[[date], bool]
    """Whether the occupancies of a day are loaded."""
    _grid: Strip | None = None
    _empty: Strip | None = None
    _edges: dict[tuple[str, str], Style] = field(default_factory=dict)

    # Days

    def day_style(self, day: date) -> str:
        """Component class of a day's background."""
        if day == self.today:
            return "chart--today"
        if day.weekday() >= 5 or self.holiday(day):
            return "chart--weekend"
        return "chart--grid"

    def _day_cell(self, day: date) -> str:
        zoom = self.window.zoom
        if not self.known(day):
            return "…" + " " * (zoom - 1)
        if zoom == 2:
            return "  "
        return ("┃" if day == self.today else "│") + " " * (zoom - 1)

    @property
    def grid(self) -> Strip:
        """An empty row: days with their tint, neighbours of one tint in one segment."""
        if self._grid is None:
            self._grid = self._by_days(self._day_cell, self.day_style)
        return self._grid

    def _by_days(self, text_of: Callable[[date], str], style_of: Callable[[date], str]) -> Strip:
        window = self.window
        segments: list[Segment] = []
        run, run_style = "", ""
        for index in range(window.days):
            day = window.day(index)
            style = style_of(day)
            if style != run_style and run:
                segments.append(Segment(run, self.styles[run_style]))
                run = ""
            run_style = style
            run += text_of(day)
        segments.append(Segment(run, self.styles[run_style]))
        return Strip(segments).crop(0, window.width)

    # Header

    def months(self, left: str) -> Strip:
        """The line of months: each name where the month begins in sight; ``▼`` over today."""
        window = self.window
        line = [" "] * window.width
        marker = window.day_columns(self.today)[0] + window.half - 1
        start = 0
        while start < window.days:
            first = window.day(start)
            end = start + 1
            while end < window.days and window.day(end).month == first.month:
                end += 1
            space = min(end * window.zoom, window.width) - start * window.zoom
            name = german.format_month(first)
            if len(name) + 1 > space:
                name = f"{first.month:02}.{first.year % 100:02}"
            at = start * window.zoom
            if at <= marker <= at + len(name) and len(name) + marker + 3 - at <= space:
                at = marker + 2
            if len(name) <= space:
                line[at : at + len(name)] = name
            start = end
        if 0 <= marker < window.width and line[marker] == " ":
            line[marker] = "▼"
        header = self.styles["chart--header"]
        return Strip([Segment(fit(left, self.room_width), header), Segment("".join(line), header)])

    def _header_style(self, day: date) -> str:
        return {
            "chart--today": "chart--header-today",
            "chart--weekend": "chart--header-weekend",
            "chart--grid": "chart--header",
        }[self.day_style(day)]

    def days(self, left: str) -> list[Strip]:
        """The line of days, in the narrowest zoom two: letters, and numbers of every other day."""
        zoom = self.window.zoom
        texts: list[Callable[[date], str]]
        if zoom == 2:
            # Two digits a day would run into one another: Mondays, firsts and today are enough.
            texts = [
                lambda day: german.format_weekday_short(day)[0] + " ",
                lambda day: f"{day.day:2}" if day.weekday() == 0 or day == self.today else "  ",
            ]
        elif zoom == 4:
            texts = [lambda day: f"{german.format_weekday_short(day)}{day.day:2}"]
        else:
            texts = [
                lambda day: fit(
                    f"{german.format_weekday_short(day)} {day.day:2}{'*' if self.holiday(day) else ''}", zoom
                )
            ]
        lefts = [left] + [""] * (len(texts) - 1)
        return [
            self._with_left(text, "chart--header", self._by_days(of, self._header_style))
            for text, of in zip(lefts, texts, strict=True)
        ]

    def _with_left(self, left: str, style: str, body: Strip) -> Strip:
        return Strip([Segment(fit(left, self.room_width), self.styles[style]), *body])

    # Body

    def group(self, row: Row, *, has_cursor: bool) -> Strip:
        """A heading over the whole width."""
        width = self.width
        sign = "▸" if row.folded else "▾"
        count = f" ({row.rooms} Zimmer)" if row.folded and row.rooms else ""
        text = cut(f"{sign} {plain(row.label)}{count}", width - 1) + " "
        style = self.styles["chart--cursor" if has_cursor else "chart--group"]
        return Strip([Segment(text + "─" * (width - cell_len(text)), style)])

    def with_room(self, row: Row, days: Strip, *, has_cursor: bool) -> Strip:
        """The whole line: the frozen column, with name at the left and beds at the right, and the days."""
        style = self.styles["chart--room-cursor" if has_cursor else "chart--room"]
        sign = "▸" if has_cursor else " "
        if row.room is None:
            text = fit(sign, self.room_width)
        else:
            right = _room_facts(row.room, self.room_width)
            text = f"{sign}{fit(plain(row.label), self.room_width - 2 - cell_len(right))}{right} "
        return Strip([Segment(text, style), *days], self.width)

    @property
    def width(self) -> int:
        """Columns of a whole line."""
        return self.room_width + self.window.width

    @property
    def empty(self) -> Strip:
        """A line below the last row."""
        if self._empty is None:
            room = Segment(" " * self.room_width, self.styles["chart--room"])
            self._empty = Strip([room, *self.grid], self.width)
        return self._empty

    def row(self, bars: Sequence[Bar], picked: int | None = None) -> Strip:
        """The days of a room or lane with its bars, without the frozen column."""
        grid = self.grid
        segments: list[Segment] = []
        column = 0
        for bar in bars:
            if bar.start > column:
                segments.extend(grid.crop(column, bar.start))
            name = "chart--picked" if bar.occupancy.id == picked else self.style_of(bar.occupancy)
            segments.extend(self.bar(bar, name))
            column = bar.end
        if column < self.window.width:
            segments.extend(grid.crop(column, self.window.width))
        return Strip(segments, self.window.width)

    def bar(self, bar: Bar, style: str, text: str | None = None) -> list[Segment]:
        """The segments of a bar. ``text`` replaces what it says."""
        left = "◀" if bar.cut_left else "▐"
        right = "▶" if bar.cut_right else "▌"
        width = bar.width
        if width <= 1:
            return [Segment(left if bar.cut_left and not bar.cut_right else right, self.styles[style])]
        # In two or three columns the glyph needs the place; the gap at the end is enough.
        left = left if width > 3 else ""
        inside = width - len(left) - len(right)
        body = bar_text(bar.occupancy, inside, self.today) if text is None else fit(text, inside)
        segments = []
        if left:
            segments.append(self._edge(left, style, bar.start))
        segments.append(Segment(body, self.styles[style]))
        segments.append(self._edge(right, style, bar.end - 1))
        return segments

    def _edge(self, char: str, style: str, column: int) -> Segment:
        """The end of a bar: half a cell in its colour, or an arrow on it."""
        if char in "◀▶":
            return Segment(char, self.styles[style])
        below = self.day_style(self.window.day_at(column))
        edge = self._edges.get((style, below))
        if edge is None:
            edge = Style(color=self.styles[style].bgcolor, bgcolor=self.styles[below].bgcolor)
            self._edges[style, below] = edge
        return Segment(char, edge)

    # Below

    def totals(self, label: str, totals: Sequence[DayTotals], figure: Callable[[DayTotals], str]) -> Strip:
        """A line of figures, one a day; ``…`` where the day is not loaded."""
        zoom = self.window.zoom

        def text_of(day: date) -> str:
            if not self.known(day):
                return "…".center(zoom)
            text = figure(totals[(day - self.window.first).days])
            return text.center(zoom) if len(text) <= zoom else "+" * min(2, zoom)

        def style_of(day: date) -> str:
            if day == self.today:
                return "chart--totals-today"
            # In two columns figures of two digits touch: every other day looks different.
            return "chart--totals-odd" if zoom == 2 and day.toordinal() % 2 else "chart--totals"

        return self._with_left(f" {label}", "chart--totals", self._by_days(text_of, style_of))

    def detail(self, text: str) -> Strip:
        """The line that follows the cursor."""
        width = self.width
        return Strip([Segment(fit(f" {text}", width), self.styles["chart--detail"])])


def overlay(strip: Strip, start: int, end: int, segments: Sequence[Segment]) -> Strip:
    """The strip with other segments in the columns from start to end."""
    width = strip.cell_length
    return Strip([*strip.crop(0, start), *segments, *strip.crop(end, width)], width)


def _room_facts(room: Room, width: int) -> str:
    beds = f"{room.capacity}P"
    return f"{fit(plain(room.category), 5)}{beds:>3}" if width >= 24 else beds


def block_style(kind: Kind) -> str:
    """Component class of a block."""
    return "chart--out-of-order" if kind is Kind.OUT_OF_ORDER else "chart--house-use"
