"""What the lists share: a search that works while typing, above a table."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widgets import DataTable, Input, Static

from dpolg_tui.domain.queued import queued_words
from dpolg_tui.tui.abstract import AbstractMeta
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.field import LineInput
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row

DEBOUNCE = 0.12
"""Seconds of rest before a search is sent."""

PAGE = 200
"""Rows of a list; whoever needs others searches."""


class ListScreen(DeskScreen, metaclass=AbstractMeta):
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

    @abstractmethod
    def reload(self) -> None:
        """Read what is searched and show it."""

    @abstractmethod
    def open_record(self, record_id: int) -> None:
        """Enter on a line."""

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

    @property
    def may_undo(self) -> bool:
        return not self.search_input.has_focus

    def on_mount(self) -> None:
        self.table.focus()
        self.reload()

    def show_rows(self, rows: Sequence[Row], word: str, nothing: str, queued: int = 0) -> None:
        """Show the result of a search, how much it is, and how many of them wait to be sent."""
        page = rows[:PAGE]
        self.table.show(page)
        if not page:
            says = f"Nichts gefunden zu „{self.searched}“." if self.searched else nothing
        elif len(rows) >= PAGE:
            says = f"Die ersten {len(page)} {word}: bitte suchen, um andere zu sehen."
        else:
            says = f"{len(page)} {word}"
        says += queued_words(queued)
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
