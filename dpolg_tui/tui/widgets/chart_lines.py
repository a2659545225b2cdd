"""The lines of the occupancy chart: what stands where, and what is drawn again.

Header, room column and totals do not scroll: ``render_line`` draws them at their place. What a
row shows without cursor, mark and held bar is kept, and only lines that changed are drawn again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dpolg_tui.domain import german
from dpolg_tui.domain.chart import (
    ONE_DAY,
    PAST_DAYS,
    Bar,
    Row,
    RowKey,
    Window,
    bars_of,
)
from dpolg_tui.domain.models import Occupancy, Room
from dpolg_tui.tui.widgets.chart_ghost import Ghost, Hold, judge
from dpolg_tui.tui.widgets.chart_model import ChartModel
from dpolg_tui.tui.widgets.chart_paint import (
    COMPONENTS,
    KEY_STYLES,
    STATUS_STYLES,
    Painter,
    block_style,
    overlay,
)
from dpolg_tui.tui.widgets.chart_text import free_detail, occupancy_detail, plain, room_name

COLOUR_KEYS = {"status": "Status", "building": "Gebäude", "category": "Zimmerart"}
EARLIEST, LATEST = date(1990, 1, 1), date(2190, 1, 1)
"""Far enough for any house; dates do not run out at the ends of the calendar."""
MANY_ROOMS = 40
"""From here on arrivals and departures need a line each at four columns a day."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A place on the chart: a row and the night after a day."""

    row: RowKey
    day: date


@dataclass(frozen=True, slots=True)
class MarkedRange:
    """Nights in a room, marked or about to be booked."""

    room_id: int | None
    arrival: date
    departure: date


@dataclass(frozen=True, slots=True)
class _Drawn:
    """A row without cursor, mark and held bar: its days, and the line with the room column."""

    bars: list[Bar]
    days: Strip
    line: Strip


class ChartLines(ScrollView, can_focus=True):
    """Draws rooms, days and bars. ``ChartView`` arranges them, ``OccupancyChart`` adds keys and mouse."""

    COMPONENT_CLASSES: ClassVar[set[str]] = set(COMPONENTS)
    ALLOW_SELECT = False

    cursor: reactive[Cell] = reactive(Cell(RowKey("room"), date(2000, 1, 1)), repaint=False, init=False)

    def __init__(self, *, today: date, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.model = ChartModel()
        self._today = today
        self._first = today - timedelta(days=PAST_DAYS)
        self._zoom = 4
        self._colour_key = "status"
        self._holiday: Callable[[date], str | None] = lambda day: None  # noqa: ARG005
        self._component_rich_styles: dict[str, Style] = {}
        self._painter: Painter | None = None
        self._drawn: dict[RowKey, _Drawn] = {}
        self._group_numbers: dict[str, int] = {}
        self._ghost: Ghost | None = None
        self._swapping: int | None = None
        self._anchor: date | None = None
        self._notice = ""
        self._empty_text: Sequence[str] = ("Noch keine Zimmer angelegt.",)
        self.set_reactive(ChartLines.cursor, Cell(RowKey("room"), today))

    # --- Where things are ---------------------------------------------------------------------

    @property
    def inner_width(self) -> int:
        """Columns beside the scrollbar."""
        return self.size.width - self.scrollbar_size_vertical

    @property
    def room_width(self) -> int:
        """Columns of the frozen room column."""
        width = self.inner_width
        return 20 if width < 100 else 26 if width < 140 else 32

    @property
    def window(self) -> Window:
        """The days in sight."""
        return Window(self._first, max(self._zoom, self.inner_width - self.room_width), self._zoom)

    @property
    def top(self) -> int:
        """Lines of the header."""
        return 3 if self._zoom == 2 else 2

    @property
    def _splits_totals(self) -> bool:
        return self._zoom == 2 or (self._zoom == 4 and len(self.model.rooms) > MANY_ROOMS)

    @property
    def bottom(self) -> int:
        """Lines of totals and detail."""
        return 4 if self._splits_totals else 3

    @property
    def body_height(self) -> int:
        """Lines for rows."""
        return max(1, self.size.height - self.top - self.bottom)

    def row_at(self, y: int) -> Row | None:
        """The row on a line of the widget."""
        number = y - self.top + self.scroll_offset.y
        if y < self.top or y >= self.top + self.body_height or number >= len(self.model.rows):
            return None
        return self.model.rows[number]

    def bars_in(self, row: Row) -> list[Bar]:
        """The bars of a row in sight."""
        return self._row_drawn(row).bars

    # --- What has to be drawn again -------------------------------------------------------------

    def _forget_all(self) -> None:
        """Every line is another."""
        self._painter = None
        self._drawn.clear()
        self.refresh()

    def _refresh_row(self, key: RowKey) -> None:
        number = self.model.index.get(key)
        if number is None:
            return
        y = number - self.scroll_offset.y
        if 0 <= y < self.body_height:
            self.refresh(Region(0, self.top + y, self.size.width, 1))

    def _refresh_bottom(self) -> None:
        self.refresh(Region(0, self.size.height - self.bottom, self.size.width, self.bottom))

    def _refresh_detail(self) -> None:
        self.refresh(Region(0, self.size.height - 1, self.size.width, 1))

    def _refresh_days(self) -> None:
        self.refresh(Region(0, 1, self.size.width, self.top - 1))

    # --- Drawing --------------------------------------------------------------------------------

    @property
    def painter(self) -> Painter:
        """Made once for a window of days."""
        if self._painter is None:
            if not self._component_rich_styles:
                # Slow, so once for a theme.
                self._component_rich_styles = {
                    name: self.get_component_rich_style(name) for name in COMPONENTS
                }
            self._painter = Painter(
                self._component_rich_styles,
                self.window,
                self._today,
                self.room_width,
                self._holiday,
                self._style_of,
                self.model.is_known,
            )
        return self._painter

    def _style_of(self, occupancy: Occupancy) -> str:
        """Component class of a bar, by filter and colour key."""
        chosen = self.model.filter.occupancies if self.model.filter else None
        if chosen is not None and not chosen(occupancy):
            return "chart--muted"
        if occupancy.is_block:
            return block_style(occupancy.kind)
        room = self.model.rooms.get(occupancy.room_id) if occupancy.room_id is not None else None
        if self._colour_key == "status" or room is None:
            return "chart--foundation" if occupancy.foundation_case else STATUS_STYLES[occupancy.status]
        return KEY_STYLES[self._group_number(room) % len(KEY_STYLES)]

    def _group_number(self, room: Room) -> int:
        if not self._group_numbers:
            names = sorted({self._group_name(it) for it in self.model.rooms.values()}, key=german.natural_key)
            self._group_numbers = {name: number for number, name in enumerate(names)}
        return self._group_numbers[self._group_name(room)]

    def _group_name(self, room: Room) -> str:
        return room.category if self._colour_key == "category" else room.building or room.place

    def _row_drawn(self, row: Row) -> _Drawn:
        drawn = self._drawn.get(row.key)
        if drawn is None:
            painter = self.painter
            if row.is_group:
                line = painter.group(row, has_cursor=False)
                drawn = _Drawn([], line, line)
            else:
                window = painter.window
                bars = bars_of(self.model.occupancies_of(row, window), window)
                picked = self._ghost.occupancy.id if self._ghost else self._swapping
                days = painter.row(bars, picked)
                drawn = _Drawn(bars, days, painter.with_room(row, days, has_cursor=False))
            self._drawn[row.key] = drawn
        return drawn

    def render_line(self, y: int) -> Strip:
        """One line of the widget, from its top."""
        height = self.size.height
        if y < self.top:
            strip = self._header_line(y)
        elif y >= height - self.bottom:
            strip = self._bottom_line(y - (height - self.bottom))
        else:
            strip = self._body_line(y)
        width = self.inner_width
        return strip if strip.cell_length == width else strip.crop_extend(0, width, None)

    def _header_line(self, y: int) -> Strip:
        painter = self.painter
        if y == 0:
            return painter.months(f" Farben: {COLOUR_KEYS[self._colour_key]}")
        chart_filter = self.model.filter
        left = f" Filter: {plain(chart_filter.label)}" if chart_filter else " Zimmer"
        strip = painter.days(left)[y - 1]
        start, end = painter.window.crop(*painter.window.day_columns(self.cursor.day))
        if start >= end:
            return strip
        start, end = start + painter.room_width, end + painter.room_width
        return overlay(
            strip, start, end, [Segment(strip.crop(start, end).text, painter.styles["chart--cursor"])]
        )

    def _body_line(self, y: int) -> Strip:
        row = self.row_at(y)
        if row is None:
            return self._empty_line(y)
        has_cursor = row.key == self.cursor.row
        holds = self._ghost is not None and self._ghost.row == row.key
        if not has_cursor and not holds:
            return self._row_drawn(row).line
        painter = self.painter
        if row.is_group:
            return painter.group(row, has_cursor=has_cursor)
        days = self._row_drawn(row).days
        if has_cursor:
            days = self._with_cursor(row, days)
        if self._ghost is not None and holds:
            days = self._with_ghost(self._ghost, days)
        return painter.with_room(row, days, has_cursor=has_cursor)

    def _with_cursor(self, row: Row, strip: Strip) -> Strip:
        """The nights of the mark or the cursor; brackets where nothing else stands."""
        if self._ghost is not None:
            return strip
        painter, day = self.painter, self.cursor.day
        window = painter.window
        if self._anchor is not None:
            first, last = sorted((self._anchor, day))
            start, end = window.crop(*window.span(first, last + ONE_DAY))
            if start >= end:
                return strip
            words = f" {(last - first).days + 1} N " if end - start >= 8 else ""
            text = "[" + words.center(end - start - 2, "─") + "]" if end - start >= 2 else "["
            return overlay(strip, start, end, [Segment(text, painter.styles["chart--mark"])])
        start, end = window.crop(*window.span(day, day + ONE_DAY))
        if start >= end:
            return strip
        text = strip.crop(start, end).text
        if end - start >= 2 and self.model.at(row, day) is None:
            text = "[" + " " * (end - start - 2) + "]"
        return overlay(strip, start, end, [Segment(text, painter.styles["chart--cursor"])])

    def _with_ghost(self, ghost: Ghost, strip: Strip) -> Strip:
        painter = self.painter
        window = painter.window
        start, end = window.span(ghost.arrival, ghost.departure)
        left, right = window.crop(start, end)
        if left >= right:
            return strip
        verdict = judge(ghost, self.model)
        style = "chart--ghost-free" if verdict.free else "chart--ghost-taken"
        sign = "✓" if verdict.free else "✗"
        bar = Bar(ghost.occupancy, left, right, start < left, end > right)
        return overlay(strip, left, right, painter.bar(bar, style, f"{sign} {verdict.text}"))

    def _empty_line(self, y: int) -> Strip:
        """Below the last row, or a house without rooms: friendly words."""
        painter = self.painter
        room = painter.styles["chart--room"]
        if self.model.shown_rooms:
            return painter.empty
        lines = (
            self._empty_text if not self.model.rooms else ("Kein Zimmer passt zum Filter.", "f ändert ihn.")
        )
        number = y - self.top - max(0, self.body_height // 2 - len(lines))
        text = lines[number] if 0 <= number < len(lines) else ""
        return Strip([Segment(text.center(self.inner_width), room)])

    def _bottom_line(self, number: int) -> Strip:
        painter = self.painter
        if number == self.bottom - 1:
            return painter.detail(self.detail_text())
        totals = self.model.totals(painter.window)
        if number == 0:
            return painter.totals("frei", totals, lambda day: str(day.free))
        if not self._splits_totals:
            return painter.totals("an / ab", totals, lambda day: _pair(day.arrivals, day.departures))
        if number == 1:
            return painter.totals("an", totals, lambda day: str(day.arrivals or "·"))
        return painter.totals("ab", totals, lambda day: str(day.departures or "·"))

    def detail_text(self) -> str:
        """The words for what is under the cursor, marked or held."""
        model, ghost, day = self.model, self._ghost, self.cursor.day
        if ghost is not None:
            what = {Hold.WHOLE: "verschieben", Hold.ARRIVAL: "Anreise", Hold.DEPARTURE: "Abreise"}[ghost.hold]
            what = "mit Nachbarn" if ghost.pushes else what
            row = model.row(ghost.row)
            verdict = judge(ghost, model)
            dates = german.format_date_range(ghost.arrival, ghost.departure)
            dates = dates.removesuffix(str(self._today.year))
            return " · ".join(
                [
                    f"{what}: {'✓' if verdict.free else '✗'} {verdict.text}",
                    room_name(row.room_id if row else None, model.rooms),
                    dates,
                    german.format_nights(ghost.nights),
                ]
            )
        row = model.row(self.cursor.row)
        if self._notice:
            return self._notice
        if row is None:
            return ""
        if self._anchor is not None:
            first, last = sorted((self._anchor, day))
            nights = (last - first).days + 1
            name = room_name(row.room_id, model.rooms)
            dates = german.format_date_range(first, last + ONE_DAY)
            return f"markiert: {name} · {dates} · {german.format_nights(nights)} · n bucht, b sperrt"
        occupancy = model.at(row, day)
        if occupancy is not None:
            return occupancy_detail(occupancy, model.rooms, self._today, self.inner_width - 2)
        totals = None
        window = self.painter.window
        if model.is_known(day) and window.first <= day <= window.last:
            totals = model.totals(window)[(day - window.first).days]
        return free_detail(day, self._holiday(day), row.room, totals, self.inner_width - 2)


def _pair(arrivals: int, departures: int) -> str:
    return f"{arrivals}/{departures}" if arrivals or departures else "·"
