"""The occupancy chart as a picture that follows its data: rooms, occupancies, days in sight.

A change never moves the cursor, the scroll position or the marked nights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer

from dpolg_tui.domain.chart import (
    PAST_DAYS,
    ZOOMS,
    Grouping,
    Row,
    RowKey,
)
from dpolg_tui.domain.models import Occupancy, Room
from dpolg_tui.tui.widgets.chart_lines import COLOUR_KEYS, EARLIEST, LATEST, Cell, ChartLines
from dpolg_tui.tui.widgets.chart_model import ChartFilter, OccupancySource

NOTICE_SECONDS = 6.0


class ChartView(ChartLines):
    """Takes rooms and occupancies, and keeps everything in its place when they change."""

    @dataclass
    class WindowChanged(Message):
        """Other days are in sight: they have to be loaded."""

        first: date
        last: date

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ChartView.WindowChanged)

    @dataclass
    class CursorMoved(Message):
        """The cursor is somewhere else; ``occupancy`` is what it is on."""

        cell: Cell
        occupancy: Occupancy | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, ChartView.CursorMoved)

    _notice_timer: Timer | None = None

    # --- What it shows ------------------------------------------------------------------------

    def set_rooms(self, rooms: Iterable[Room]) -> None:
        """The rooms of the house. Cursor and scroll position stay on their rooms."""
        self.model.rooms = {room.id: room for room in rooms}
        self._arrange()

    def set_source(self, source: OccupancySource) -> None:
        """Where occupancies come from; also call it when everything was read anew."""
        self.model.source = source
        self._arrange()

    def load(self, rooms: Iterable[Room], source: OccupancySource) -> None:
        """Everything was read anew."""
        self.model.source = source
        self.set_rooms(rooms)

    def drawn_occupancy(self, occupancy_id: int) -> Occupancy | None:
        """An occupancy as it is drawn now: before a change that is not yet shown."""
        key = self.model.drawn_in(occupancy_id)
        drawn = self._drawn.get(key) if key is not None else None
        found = (bar.occupancy for bar in drawn.bars) if drawn else ()
        return next((it for it in found if it.id == occupancy_id), None)

    def show_notice(self, text: str) -> None:
        """News in the detail line for a few seconds, or until the cursor moves."""
        self._notice = text
        self._refresh_detail()
        if self._notice_timer is not None:
            self._notice_timer.stop()
        self._notice_timer = self.set_timer(NOTICE_SECONDS, self._clear_notice)

    def _clear_notice(self) -> None:
        self._notice = ""
        self._refresh_detail()

    def occupancies_changed(self, ids: Iterable[int]) -> None:
        """Some were added, changed or removed: draws their rows again and nothing else."""
        touched = self.model.changed(ids, self._first)
        for key in touched.rows:
            self._drawn.pop(key, None)
        if touched.layout:
            self._arrange()
            return
        for key in touched.rows:
            self._refresh_row(key)
        self._refresh_bottom()

    def set_today(self, today: date) -> None:
        """Another day has begun."""
        if today != self._today:
            self._today = today
            self._forget_all()

    def set_holidays(self, holiday: Callable[[date], str | None]) -> None:
        """Names the public holiday of a day. Given late: the calendar takes time to load."""
        self._holiday = holiday
        self._forget_all()

    def set_filter(self, chart_filter: ChartFilter | None) -> None:
        """Shows only some rooms, and mutes bars that do not match."""
        self.model.filter = chart_filter
        self._arrange()

    def set_colour_key(self, name: str) -> None:
        """What colours mean: ``status``, ``building`` or ``category``."""
        if name not in COLOUR_KEYS:
            raise ValueError(name)
        self._colour_key = name
        self._group_numbers = {}
        self._forget_all()

    def set_grouping(self, grouping: Grouping) -> None:
        """Groups the rooms of a place by building or category."""
        self.model.grouping = grouping
        self._arrange()

    @property
    def zoom(self) -> int:
        """Columns a day."""
        return self._zoom

    def set_zoom(self, zoom: int) -> None:
        """Columns a day: 2, 4 or 6. The cursor stays in sight."""
        if zoom not in ZOOMS:
            raise ValueError(zoom)
        self._zoom = zoom
        self._window_changed()
        self._reveal_day(self.cursor.day)

    def set_empty_text(self, *lines: str) -> None:
        """What a house without rooms shows."""
        self._empty_text = lines
        self.refresh()

    def fold(self, group: RowKey, folded: bool | None = None) -> None:
        """Folds a group, unfolds it, or (None) does the other."""
        now = group in self.model.folded
        if folded is None or folded != now:
            self.model.folded = self.model.folded ^ {group}
            self._arrange()

    # --- The cursor's place ---------------------------------------------------------------------

    @property
    def cursor_row(self) -> Row | None:
        """The row of the cursor."""
        return self.model.row(self.cursor.row)

    def occupancy_under_cursor(self) -> Occupancy | None:
        """Who has the room in the night under the cursor."""
        row = self.cursor_row
        return self.model.at(row, self.cursor.day) if row else None

    def departing_under_cursor(self) -> Occupancy | None:
        """Who leaves the room under the cursor on its day."""
        row = self.cursor_row
        return self.model.departing(row, self.cursor.day) if row else None

    def place_cursor(self, row: RowKey, day: date) -> None:
        """Puts the cursor somewhere and brings it into sight."""
        day = min(max(day, EARLIEST), LATEST)
        self._reveal_day(day)
        self._reveal_row(row)
        self.cursor = Cell(row, day)

    def go_to(self, day: date) -> None:
        """Shows a day with two before it; the cursor goes there."""
        self.show_from(day - timedelta(days=PAST_DAYS))
        self.place_cursor(self.cursor.row, day)

    def _row_from(self, key: RowKey, by: int) -> Row | None:
        """The row some stops further, not past the ends."""
        stops = self.model.stops()
        if not stops:
            return None
        here = self.model.index.get(key, stops[0])
        at = min(range(len(stops)), key=lambda number: abs(stops[number] - here))
        return self.model.rows[stops[min(max(at + by, 0), len(stops) - 1)]]

    # --- Arranging ----------------------------------------------------------------------------

    def _arrange(self) -> None:
        """Rows may have changed: arranges them; the top row and the cursor stay what they were."""
        model = self.model
        rows_before, top_before = model.rows, self.scroll_offset.y
        changed = model.rebuild(self._first)
        self._group_numbers = {}
        if changed:
            # Rows above may come or go: what stood on top stays there, or the next that is left.
            top = next(
                (model.index[row.key] for row in rows_before[top_before:] if row.key in model.index), 0
            )
            self._measure()
            if rows_before and top != top_before:
                self._scroll_rows(top)
            self._keep_cursor(rows_before)
        self._forget_all()

    def _keep_cursor(self, rows_before: Sequence[Row]) -> None:
        """The cursor's row may be gone: to its heading if that was folded, else to a neighbour."""
        model = self.model
        stops = model.stops()
        if not stops:
            return
        row = model.row(self.cursor.row)
        if row is not None and (not row.is_group or row.folded):
            return
        before = next((number for number, it in enumerate(rows_before) if it.key == self.cursor.row), 0)
        group = rows_before[before].group if rows_before else None
        heading = model.row(group) if group is not None else None
        if row is not None and row.is_group:
            # Its heading was opened again: on to the first row below.
            heading, before = None, model.index[row.key] + 1
        if heading is not None and heading.folded:
            target = heading
        else:
            target = model.rows[min(stops, key=lambda number: abs(number - before))]
        self._anchor = None
        self.cursor = Cell(target.key, self.cursor.day)

    def _measure(self) -> None:
        """Tells Textual how many lines there are. Lays out: only when that changed."""
        size = Size(max(1, self.size.width), self.top + len(self.model.rows) + self.bottom)
        if size.height != self.virtual_size.height:
            self.virtual_size = size

    def show_from(self, first: date) -> None:
        """The leftmost day. The cursor stays where it is."""
        first = min(max(first, EARLIEST), LATEST)
        if first == self._first:
            return
        before, self._first = self._first, first
        if self.model.retirements_between(before, first):
            self._arrange()
        self._window_changed()

    def _window_changed(self) -> None:
        self._measure()
        self._forget_all()
        window = self.window
        self.post_message(self.WindowChanged(window.first, window.last))

    def on_resize(self) -> None:
        """Other days are in sight; the cursor stays in it."""
        self._window_changed()
        self._reveal_day(self.cursor.day)
        self._reveal_row(self.cursor.row)

    def watch_show_vertical_scrollbar(self) -> None:
        """It takes a column."""
        self._window_changed()

    def notify_style_update(self) -> None:
        """The theme has changed: every style is another."""
        super().notify_style_update()
        self._component_rich_styles = {}
        self._forget_all()

    def _reveal_day(self, day: date) -> None:
        window = self.window
        if window.shows_night(day):
            return
        if day <= window.first:
            self.show_from(day)
        else:
            nights = max(1, (window.width - window.half) // window.zoom)
            self.show_from(day - timedelta(days=nights - 1))

    def _reveal_row(self, key: RowKey) -> None:
        number = self.model.index.get(key)
        if number is None:
            return
        height, at = self.body_height, self.scroll_offset.y
        heading = number - 1 if number and self.model.rows[number - 1].is_group else number
        if heading < at:
            self._scroll_rows(heading)
        elif number >= at + height:
            self._scroll_rows(number - height + 1)

    def _scroll_rows(self, to: int) -> None:
        self.scroll_to(y=to, animate=False, immediate=True)
