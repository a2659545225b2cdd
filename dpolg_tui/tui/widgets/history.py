"""The history of a record: who changed what, when, from the audit log."""

from __future__ import annotations

from collections.abc import Iterable

from rich.text import Text
from textual.widgets import DataTable

from dpolg_tui.tui.labels import HistoryLine

WIDEST = 40
"""Columns of a value; the audit log itself keeps all of it."""

MOST_LINES = 200


class HistoryTable(DataTable[Text]):
    """A line per changed field, newest first."""

    def __init__(self) -> None:
        super().__init__(cursor_type="row", zebra_stripes=False)

    def on_mount(self) -> None:
        self.add_columns("Wann", "Wer", "Feld", "vorher", "nachher")

    def show(self, lines: Iterable[HistoryLine]) -> None:
        """Replace what is shown; the cursor stays on its line number."""
        at = self.cursor_row
        self.clear()
        for number, line in enumerate(lines):
            if number == MOST_LINES:
                break
            self.add_row(*(_cell(part) for part in (line.when, line.who, line.what, line.before, line.after)))
        if not self.row_count:
            self.add_row(Text("–"), Text(""), Text("noch nichts aufgezeichnet"), Text(""), Text(""))
        self.move_cursor(row=min(at, max(0, self.row_count - 1)))


def _cell(words: str) -> Text:
    return Text(words if len(words) <= WIDEST else words[: WIDEST - 1] + "…", no_wrap=True)
