"""What the lists share: a search that works while typing, and a table that stands still."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import DataTable, Input, Static

from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.field import LineInput

DEBOUNCE = 0.12
"""Seconds of rest before a search is sent."""

PAGE = 200
"""Rows of a list; whoever needs others searches."""

Row = tuple[int, tuple[str, ...], str]
"""Id of the record, its cells, and the style of the row."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its least width, its share of the columns that are left over, and when it shows."""

    title: str
    least: int
    share: int = 0
    wide_from: int = 0
    """Shown from this many columns of the terminal on."""


class RecordTable(DataTable[Text]):
    """A table of records, as wide as the screen. New content keeps the cursor on its record."""

    PADDING = 2
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home", "scroll_top", show=False),
        Binding("end", "scroll_bottom", show=False),
    ]

    def __init__(self, columns: Sequence[Column], *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(cursor_type="row", zebra_stripes=False, id=id)
        self._all = tuple(columns)
        self._fitted = 0
        self._shown: list[Row] = []
        self._wanted: int | None = None

    def go_to(self, record_id: int) -> None:
        """Puts the cursor on a record as soon as it is shown."""
        self._wanted = record_id
        self.show(self._shown)

    @property
    def record_id(self) -> int | None:
        """The record under the cursor."""
        return self._shown[self.cursor_row][0] if 0 <= self.cursor_row < len(self._shown) else None

    def on_resize(self) -> None:
        """Other widths for another screen."""
        if self.size.width != self._fitted:
            self._fitted = self.size.width
            self._fit()

    def _fit(self) -> None:
        at, scroll = self.cursor_row, self.scroll_y
        self.clear(columns=True)
        wanted = self._visible
        spare = self._fitted - sum(column.least + self.PADDING for column in wanted) - 1
        shares = sum(column.share for column in wanted)
        for column in wanted:
            more = max(0, spare) * column.share // shares if shares else 0
            self.add_column(column.title, width=column.least + more, key=column.title)
        for row in self._shown:
            self._add(row)
        self.move_cursor(row=at, animate=False, scroll=False)
        self.scroll_to(y=scroll, animate=False)

    @property
    def _visible(self) -> list[Column]:
        return [column for column in self._all if column.wide_from <= self._fitted]

    def _cells(self, row: Row) -> list[tuple[str, Text]]:
        """(column, cell) of what is shown of a row."""
        visible = self._visible
        return [
            (column.title, Text(words, row[2], no_wrap=True, overflow="ellipsis"))
            for column, words in zip(self._all, row[1], strict=True)
            if column in visible
        ]

    def _add(self, row: Row) -> None:
        self.add_row(*(cell for _, cell in self._cells(row)), key=str(row[0]))

    def show(self, rows: Sequence[Row]) -> None:
        """Replace what is shown."""
        self._replace(rows)
        wanted = next((at for at, row in enumerate(self._shown) if row[0] == self._wanted), None)
        if wanted is not None and self._fitted:
            self._wanted = None
            self.move_cursor(row=wanted, animate=False)

    def _replace(self, rows: Sequence[Row]) -> None:
        if not self._fitted:
            self._shown = list(rows)
            return
        if [row[0] for row in rows] == [row[0] for row in self._shown]:
            for old, new in zip(self._shown, rows, strict=True):
                if old != new:
                    for title, cell in self._cells(new):
                        self.update_cell(str(new[0]), title, cell)
            self._shown = list(rows)
            return
        at, record_id, scroll = self.cursor_row, self.record_id, self.scroll_y
        self._shown = list(rows)
        self.clear()
        for row in rows:
            self._add(row)
        ids = [row[0] for row in rows]
        to = ids.index(record_id) if record_id in ids else min(at, max(0, len(ids) - 1))
        self.move_cursor(row=to, animate=False, scroll=False)
        # The marked line stays where the eye is, whatever came or went above it.
        moved = to - at if record_id in ids else 0
        self.scroll_to(y=max(0, scroll + moved), animate=False)


class ListScreen(DeskScreen):
    """A list of records with a search line above it."""

    COLUMNS: ClassVar[tuple[Column, ...]]
    SEARCH_HINT: ClassVar[str]
    BINDINGS: ClassVar[list[BindingType]] = []

    _rest: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield LineInput(placeholder=self.SEARCH_HINT, id="list-search")
        yield RecordTable(self.COLUMNS, id="list-table")
        yield from self.compose_below()
        yield Static("", id="list-says", markup=False)

    def compose_below(self) -> ComposeResult:
        """Widgets between the table and the last line."""
        yield from ()

    def reload(self) -> None:
        """Read what is searched and show it."""
        raise NotImplementedError

    def open_record(self, record_id: int) -> None:
        """Enter on a line."""
        raise NotImplementedError

    @property
    def table(self) -> RecordTable:
        """The list."""
        return self.query_one("#list-table", RecordTable)

    @property
    def search_input(self) -> Input:
        """The search line."""
        return self.query_one("#list-search", Input)

    @property
    def searched(self) -> str:
        """What is searched."""
        return self.search_input.value.strip()

    def on_mount(self) -> None:
        self.table.focus()
        self.reload()

    def show_rows(self, rows: Sequence[Row], word: str, nothing: str) -> None:
        """Show the result of a search, and how much it is."""
        page = rows[:PAGE]
        self.table.show(page)
        if not page:
            says = f"Nichts gefunden zu „{self.searched}“." if self.searched else nothing
        elif len(rows) >= PAGE:
            says = f"Die ersten {len(page)} {word}: bitte suchen, um andere zu sehen."
        else:
            says = f"{len(page)} {word}"
        self.query_one("#list-says", Static).update(says)

    def reload_soon(self) -> None:
        """Read again after a moment of rest."""
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(DEBOUNCE, self.reload)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.reload_soon()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes to the list."""
        event.stop()
        self.table.focus()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        if event.data_table is self.table and self.table.record_id is not None:
            self.open_record(self.table.record_id)

    def on_store_reloaded(self) -> None:
        self.reload()

    def action_open(self) -> None:
        """Opens the marked record."""
        if self.table.record_id is not None:
            self.open_record(self.table.record_id)

    def action_search(self) -> None:
        """To the search line."""
        self.search_input.focus()

    async def action_leave(self) -> None:
        """Esc: the search is emptied and left, then back to the chart."""
        if self.searched or self.search_input.has_focus:
            self.search_input.value = ""
            self.table.focus()
        else:
            await self.desk_app.action_chart()
