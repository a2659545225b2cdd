"""The history of a record: who changed what, when, from the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from rich.cells import cell_len
from rich.text import Text
from textual.widgets import DataTable

from dpolg_tui.domain.words import HistoryLine

WIDEST = 40
"""Columns of a value; the audit log itself keeps all of it."""

MOST_LINES = 200


COLUMNS = ("Wann", "Wer", "Feld", "vorher", "nachher")


class HistoryTable(DataTable[Text]):
    """A line per changed field, newest first."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False)

    def on_mount(self) -> None:
        self.add_columns(*COLUMNS)

    def show(self, lines: Iterable[HistoryLine]) -> None:
        """Replace what is shown; the cursor stays on its line number, the eye where it is."""
        at, scroll = self.cursor_row, self.scroll_offset
        rows = [
            [_cell(part) for part in (line.when, line.who, line.what, line.before, line.after)]
            for line in islice(lines, MOST_LINES)
        ]
        if not rows:
            rows = [[Text(words) for words in ("–", "", "noch nichts aufgezeichnet", "", "")]]
        # Widths that the table finds by itself come too late for a paint in between, which it then keeps.
        self.clear(columns=True)
        for number, title in enumerate(COLUMNS):
            self.add_column(title, width=max(cell_len(title), *(row[number].cell_len for row in rows)))
        for row in rows:
            self.add_row(*row)
        self.move_cursor(row=min(at, len(rows) - 1), animate=False, scroll=False)
        self.scroll_to(x=scroll.x, y=scroll.y, animate=False)


def _cell(words: str) -> Text:
    return Text(words if len(words) <= WIDEST else words[: WIDEST - 1] + "…", no_wrap=True)
