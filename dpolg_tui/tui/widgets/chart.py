"""The occupancy chart: the picture with a cursor, marked nights, and bars that can be moved.

Fed with plain data; everything the user wants is posted as a message.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from dpolg_tui.domain.chart import ONE_DAY, PAST_DAYS
from dpolg_tui.domain.models import Occupancy
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.actions_chart import CURSOR_ACTIONS
from dpolg_tui.tui.widgets.chart_ghost import Ghost, Hold, judge
from dpolg_tui.tui.widgets.chart_lines import EARLIEST, LATEST, Cell, MarkedRange
from dpolg_tui.tui.widgets.chart_look import LookChart
from dpolg_tui.tui.widgets.chart_mouse import MouseGestures

_NAMES = frozenset(action.name for action in CURSOR_ACTIONS)
_PICKS = frozenset({"pick_up", "push", "edit_departure", "edit_arrival", "mark"})
_NOT_WHILE_HOLDING = _PICKS | {"swap", "today", "fold"}


class OccupancyChart(LookChart, can_focus=True):
    """See the module."""

    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in bindings("chart") if isinstance(binding, Binding) and binding.id in _NAMES
    ]

    @dataclass
    class RangeMarked(Message):
        """Nights are marked; None: no more."""

        marked: MarkedRange | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, OccupancyChart.RangeMarked)

    @dataclass
    class OpenRequested(Message):
        """Open this booking or block."""

        occupancy: Occupancy

    @dataclass
    class CreateRequested(Message):
        """Book these nights."""

        room_id: int | None
        arrival: date
        departure: date

    @dataclass
    class MoveRequested(Message):
        """A bar was dropped elsewhere or has another end. ``free``: as far as the chart knows."""

        occupancy: Occupancy
        room_id: int | None
        arrival: date
        departure: date
        free: bool
        pushes: bool = False
        """Whoever is in the way shall move along."""

    @dataclass
    class FirstRoomRequested(Message):
        """Enter in a house without rooms."""

    @dataclass
    class HoldChanged(Message):
        """A bar was picked up, moved along or let go."""

        ghost: Ghost | None

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, OccupancyChart.HoldChanged)

    def __init__(self, *, today: date, id: str | None = None) -> None:  # noqa: A002
        super().__init__(today=today, id=id)
        self._mark_sticks = False
        self._gestures = MouseGestures(self)

    # --- Cursor and range ---------------------------------------------------------------------

    def marked_range(self) -> MarkedRange | None:
        """The marked nights, if any are marked."""
        row = self.cursor_row
        if self._anchor is None or row is None or row.is_group:
            return None
        first, last = sorted((self._anchor, self.cursor.day))
        return MarkedRange(row.room_id, first, last + ONE_DAY)

    def range_or_cursor(self) -> MarkedRange | None:
        """The marked nights, or the one under the cursor; None on a heading."""
        row = self.cursor_row
        if row is None or row.is_group:
            return None
        day = self.cursor.day
        return self.marked_range() or MarkedRange(row.room_id, day, day + ONE_DAY)

    def mark(self, first: date, last: date, *, sticks: bool = True) -> None:
        """Marks nights in the cursor's row; the cursor goes to the last."""
        self._anchor, self._mark_sticks = first, sticks
        self.cursor = Cell(self.cursor.row, last)
        self._mark_changed()

    def clear_mark(self) -> None:
        """Nothing is marked any more."""
        if self._anchor is not None:
            self._anchor, self._mark_sticks = None, False
            self._mark_changed()

    def _mark_changed(self) -> None:
        self._refresh_row(self.cursor.row)
        self._refresh_bottom()
        self.refresh_bindings()
        self.post_message(self.RangeMarked(self.marked_range()))

    def watch_cursor(self, old: Cell, new: Cell) -> None:
        """Draws the old and the new place, nothing else."""
        if self._anchor is not None and old.row != new.row and not self._mark_sticks:
            self._anchor = None
            self.refresh_bindings()
        self._notice = ""
        self._refresh_row(old.row)
        if new.row != old.row:
            self._refresh_row(new.row)
        if new.day != old.day:
            self._refresh_days()
        self._refresh_detail()
        self.post_message(self.CursorMoved(new, self.occupancy_under_cursor()))

    def jump_to(self, occupancy_id: int) -> bool:
        """Puts the cursor on an occupancy, unfolding and unfiltering what hides it.

        False if it is not loaded.
        """
        occupancy = self.model.source.occupancies.get(occupancy_id)
        if occupancy is None:
            return False
        self._let_go()
        self.clear_mark()
        window = self.window
        if not (window.shows_night(occupancy.arrival) and occupancy.departure <= window.last):
            self.show_from(occupancy.arrival - timedelta(days=PAST_DAYS))
        key = self.model.place_of(occupancy)
        if key is not None and key not in self.model.index:
            self.model.filter = None
            self.model.folded = frozenset()
            self._arrange()
        if key is None or key not in self.model.index:
            return False
        self.place_cursor(key, occupancy.arrival)
        return True

    def step(self, rows: int = 0, days: int = 0) -> None:
        """Moves the cursor, or what it holds."""
        if self._ghost is not None:
            self._move_ghost(rows, days)
            return
        if days and self._anchor is not None and not self._mark_sticks:
            self.clear_mark()
        row = self._row_from(self.cursor.row, rows)
        if row is not None:
            self.place_cursor(row.key, self.cursor.day + timedelta(days=days))

    # --- Picking up ---------------------------------------------------------------------------

    @property
    def ghost(self) -> Ghost | None:
        """The bar that is held, and where it would stand."""
        return self._ghost

    @property
    def busy(self) -> bool:
        """Whether a bar is held, or picked for a swap."""
        return self._ghost is not None or self._swapping is not None

    def start_move(self, *, pushes: bool = False) -> bool:
        """Picks up the bar under the cursor; ``pushes``: whoever is in the way shall move along."""
        return self._hold(Hold.WHOLE, pushes=pushes)

    def start_edit_end(self, end: str) -> bool:
        """Holds one end of the bar under the cursor: ``arrival`` or ``departure``."""
        return self._hold(Hold(end))

    def _hold(self, hold: Hold, *, pushes: bool = False) -> bool:
        occupancy = self.occupancy_under_cursor()
        if occupancy is None:
            return False
        self.hold(Ghost.of(occupancy, hold, self.cursor.row, pushes=pushes))
        return True

    def hold(self, ghost: Ghost | None) -> None:
        """Holds a bar at a place; None lets go."""
        before, self._ghost = self._ghost, ghost
        if ghost is not None:
            if before is None:
                self.clear_mark()
            self._reveal_row(ghost.row)
            self._reveal_day(ghost.night)
            self.cursor = Cell(ghost.row, ghost.night)
        for held in (before, ghost):
            if held is None:
                continue
            self._refresh_row(held.row)
            if before is None or ghost is None:
                place = self.model.place_of(held.occupancy)
                if place is not None:
                    self._drawn.pop(place, None)
                    self._refresh_row(place)
        self._refresh_detail()
        if (before is None) != (ghost is None):
            self.refresh_bindings()
        self.post_message(self.HoldChanged(ghost))

    def _move_ghost(self, rows: int, days: int) -> None:
        ghost = self._ghost
        assert ghost is not None  # noqa: S101 - only called while holding
        moved = ghost.shifted(days)
        if rows:
            row = self._row_from(ghost.row, rows)
            if row is not None and not row.is_group:
                moved = moved.in_row(row)
        if moved.arrival > EARLIEST and moved.departure < LATEST:
            self.hold(moved)

    def _let_go(self) -> None:
        if self._ghost is not None:
            self.hold(None)

    def drop(self) -> None:
        """Drops the bar: asks for the move if it would change anything."""
        ghost = self._ghost
        if ghost is None:
            return
        verdict = judge(ghost, self.model)
        if not verdict.allowed:
            self.app.bell()
            return
        row = self.model.row(ghost.row)
        room_id = row.room_id if row else None
        self.hold(None)
        here = ghost.occupancy
        if (room_id, ghost.arrival, ghost.departure) != (here.room_id, here.arrival, here.departure):
            self.post_message(
                self.MoveRequested(here, room_id, ghost.arrival, ghost.departure, verdict.free, ghost.pushes)
            )

    # --- Keys ---------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """While a bar is held, only what moves it and puts it down; Esc only while it ends something."""
        if action == "let_go":
            return self.busy or self._anchor is not None
        if self._ghost is not None:
            return action not in _NOT_WHILE_HOLDING
        return self._swapping is None or action not in _PICKS

    def footer_words(self) -> dict[str, str]:
        """What keys mean just now, where it is not what the registry says."""
        if self._ghost is not None:
            return {"enter": "ablegen", "let_go": "zurücklegen"}
        if self._swapping is not None:
            return {"enter": "tauschen", "let_go": "abbrechen"}
        return {"enter": "buchen"} if self._anchor is not None else {}

    def action_left(self) -> None:
        self.step(days=-1)

    def action_right(self) -> None:
        self.step(days=1)

    def action_up(self) -> None:
        self.step(rows=-1)

    def action_down(self) -> None:
        self.step(rows=1)

    def action_extend_left(self) -> None:
        self._extend(-1)

    def action_extend_right(self) -> None:
        self._extend(1)

    def _extend(self, days: int) -> None:
        if self._ghost is not None:
            self._move_ghost(0, days)
            return
        anchor = self.cursor.day if self._anchor is None else self._anchor
        self._reveal_day(self.cursor.day + timedelta(days=days))
        self.mark(anchor, self.cursor.day + timedelta(days=days), sticks=self._mark_sticks)

    def action_page_left(self) -> None:
        self._page(-1)

    def action_page_right(self) -> None:
        self._page(1)

    def _page(self, direction: int) -> None:
        days = direction * max(1, self.window.whole_days - 1)
        if self._ghost is None:
            self.show_from(self._first + timedelta(days=days))
        self.step(days=days)

    def action_page_up(self) -> None:
        self.step(rows=-self.body_height)

    def action_page_down(self) -> None:
        self.step(rows=self.body_height)

    def action_home(self) -> None:
        """The first day in sight; from there the first row."""
        if self._ghost is None:
            first = self.window.first
            self._jump_in_window(first, 0 if self.cursor.day == first else None)

    def action_end(self) -> None:
        """The last day in sight; from there the last row."""
        if self._ghost is None:
            window = self.window
            last = window.night_at(window.width - window.zoom)
            self._jump_in_window(last, -1 if self.cursor.day == last else None)

    def _jump_in_window(self, day: date, stop: int | None) -> None:
        stops = self.model.stops()
        if stop is None or not stops:
            self.place_cursor(self.cursor.row, day)
        else:
            self.place_cursor(self.model.rows[stops[stop]].key, day)

    def action_today(self) -> None:
        if self._ghost is None:
            self.go_to(self._today)

    def action_mark(self) -> None:
        row = self.cursor_row
        if self._ghost is not None or row is None or row.is_group:
            return
        if self._anchor is None:
            self.mark(self.cursor.day, self.cursor.day)
        else:
            self.clear_mark()

    def action_let_go(self) -> None:
        if self._ghost is not None:
            self.hold(None)
        elif self._swapping is not None:
            self.pick_for_swap(None)
        else:
            self.clear_mark()

    def action_swap(self) -> None:
        self.clear_mark()
        self.choose_for_swap()

    def action_pick_up(self) -> None:
        self._say_unless(self.start_move())

    def action_push(self) -> None:
        self._say_unless(self.start_move(pushes=True))

    def action_edit_departure(self) -> None:
        self._say_unless(self.start_edit_end("departure"))

    def action_edit_arrival(self) -> None:
        self._say_unless(self.start_edit_end("arrival"))

    def _say_unless(self, held: bool) -> None:
        if not held:
            self.show_notice("Unter dem Cursor steht nichts: bitte einen Balken wählen.")

    def action_enter(self) -> None:
        if self._ghost is not None:
            self.drop()
            return
        if self._swapping is not None:
            self.choose_for_swap()
            return
        row, occupancy = self.cursor_row, self.occupancy_under_cursor()
        if not self.model.rooms:
            self.post_message(self.FirstRoomRequested())
        elif row is not None and row.is_group:
            self.fold(row.key)
        elif occupancy is not None and self._anchor is None:
            self.post_message(self.OpenRequested(occupancy))
        elif (nights := self.range_or_cursor()) is not None:
            self.post_message(self.CreateRequested(nights.room_id, nights.arrival, nights.departure))
