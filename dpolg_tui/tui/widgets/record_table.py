"""A table of records that stands still while its content changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

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

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        id: str | None = None,  # noqa: A002
        follows_top: bool = False,
    ) -> None:
        """``follows_top``: who looks at the first line sees what comes in above it."""
        super().__init__(cursor_type="row", zebra_stripes=False, id=id)
        self._all = tuple(columns)
        self._follows_top = follows_top
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
        ids = [row[0] for row in rows]
        known = len(self._shown)
        if known and ids[:known] == [row[0] for row in self._shown]:
            # More below: what is there need not be drawn anew.
            self._replace(rows[:known])
            for row in rows[known:]:
                self._add(row)
            self._shown = list(rows)
            self.virtual_size = self.virtual_size.with_height(self.header_height + len(ids))
            return
        self._shown = list(rows)
        self.clear()
        for row in rows:
            self._add(row)
        to = ids.index(record_id) if record_id in ids else min(at, max(0, len(ids) - 1))
        self.move_cursor(row=to, animate=False, scroll=False)
        # The marked line stays where the eye is, whatever came or went above it.
        moved = to - at if record_id in ids else 0
        if self._follows_top and scroll < 1:
            moved = max(0, to + self.header_height + 1 - self.size.height)
        # The table itself counts its lines later, and would not yet scroll to a new last one.
        self.virtual_size = self.virtual_size.with_height(self.header_height + len(ids))
        self.scroll_to(y=max(0, scroll + moved), animate=False)
