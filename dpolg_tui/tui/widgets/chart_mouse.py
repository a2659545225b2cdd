"""What the mouse means on the occupancy chart: select, open, mark, move, extend."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from textual import events

from dpolg_tui.domain.chart import Row
from dpolg_tui.domain.models import Occupancy
from dpolg_tui.tui.widgets.chart_ghost import Ghost, Hold
from dpolg_tui.tui.widgets.chart_swap import ChartSwap

if TYPE_CHECKING:
    from dpolg_tui.tui.widgets.chart import OccupancyChart


@dataclass(slots=True)
class _Press:
    """Where the button went down, and on what."""

    row: Row
    night: date
    occupancy: Occupancy | None
    hold: Hold
    moved: bool = False


class MouseGestures:
    """From pressing to releasing the left button."""

    def __init__(self, chart: OccupancyChart) -> None:
        self._chart = chart
        self._press: _Press | None = None

    def down(self, event: events.MouseDown) -> None:
        """Selects what is under the pointer."""
        chart = self._chart
        row = chart.row_at(event.y)
        if event.button != 1 or row is None:
            return
        if row.is_group:
            chart.fold(row.key)
            return
        if chart.ghost is not None:
            chart.hold(None)
        chart.clear_mark()
        column = event.x - chart.room_width
        night = chart.window.night_at(column) if column >= 0 else chart.cursor.day
        occupancy, hold = None, Hold.WHOLE
        for bar in chart.bars_in(row) if column >= 0 else ():
            if bar.start <= column < bar.end:
                occupancy, hold = (
                    bar.occupancy,
                    _part(column, bar.start, bar.end, bar.cut_left, bar.cut_right),
                )
        chart.place_cursor(row.key, night)
        if column >= 0:
            self._press = _Press(row, night, occupancy, hold)
            chart.capture_mouse()

    def move(self, event: events.MouseMove) -> None:
        """Dragging marks empty nights, or moves the bar or its end."""
        press, chart = self._press, self._chart
        if press is None:
            return
        night = chart.window.night_at(event.x - chart.room_width)
        row = chart.row_at(event.y) or press.row
        if not press.moved and night == press.night and row.key == press.row.key:
            return
        press.moved = True
        if press.occupancy is None:
            if night != chart.cursor.day or chart.marked_range() is None:
                chart.mark(press.night, night)
            return
        ghost = Ghost.of(press.occupancy, press.hold, press.row.key).shifted((night - press.night).days)
        if not row.is_group:
            ghost = ghost.in_row(row)
        if ghost != chart.ghost:
            chart.hold(ghost)

    def up(self, event: events.MouseUp) -> None:
        """Releasing books what was marked, or asks for the move."""
        press, chart = self._press, self._chart
        if press is None:
            return
        self._press = None
        chart.release_mouse()
        event.stop()
        if not press.moved:
            return
        if press.occupancy is not None:
            chart.drop()
        elif (marked := chart.marked_range()) is not None:
            chart.post_message(chart.CreateRequested(marked.room_id, marked.arrival, marked.departure))

    def click(self, event: events.Click) -> None:
        """A double click on a bar opens it."""
        chart = self._chart
        occupancy = chart.occupancy_under_cursor()
        if event.chain == 2 and occupancy is not None and chart.row_at(event.y) == chart.cursor_row:
            chart.post_message(chart.OpenRequested(occupancy))


def _part(column: int, start: int, end: int, cut_left: bool, cut_right: bool) -> Hold:
    """The outermost column of a bar is an end, if the bar is wide enough and its end in sight."""
    if end - start >= 4:
        if column == start and not cut_left:
            return Hold.ARRIVAL
        if column == end - 1 and not cut_right:
            return Hold.DEPARTURE
    return Hold.WHOLE


class MouseChart(ChartSwap):
    """Hands what the mouse does to the gestures; the wheel scrolls rooms or days."""

    _gestures: MouseGestures

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._gestures.down(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        self._gestures.move(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self._gestures.up(event)

    def on_click(self, event: events.Click) -> None:
        self._gestures.click(event)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1, sideways=event.shift or event.ctrl)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1, sideways=event.shift or event.ctrl)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        self._wheel(event, 1, sideways=True)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        self._wheel(event, -1, sideways=True)

    def _wheel(self, event: events.MouseEvent, direction: int, *, sideways: bool) -> None:
        event.stop()
        event.prevent_default()
        if sideways or self.max_scroll_y == 0:
            self.show_from(self._first + timedelta(days=2 * direction))
        else:
            self._scroll_rows(self.scroll_offset.y + 2 * direction)
