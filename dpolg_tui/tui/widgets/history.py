"""The history of a record: who changed what, when and where, from the audit log."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable, Static

from dpolg_tui.domain.words import HistoryLine
from dpolg_tui.tui.widgets.record_table import Column, RecordTable

MOST_LINES = 200
NOTHING = "Noch nichts aufgezeichnet."
COLUMNS = (
    Column("Wann", 16),
    Column("Wer", 8, 1),
    Column("Platz", 10, 1, wide_from=110),
    Column("Feld", 14, 3),
    Column("vorher", 10, 3),
    Column("nachher", 12, 3),
)


class History(Vertical):
    """A line per changed field, newest first; below them the marked line in full."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[int, HistoryLine] = {}

    def compose(self) -> ComposeResult:
        yield RecordTable(COLUMNS, id="history-table", follows_top=True)
        yield Static("", id="history-line", markup=False)

    @property
    def table(self) -> RecordTable:
        """The lines."""
        return self.query_one("#history-table", RecordTable)

    def show(self, lines: Iterable[HistoryLine]) -> None:
        """Replace what is shown; the cursor stays on its line."""
        self._lines = {line.id: line for line in islice(lines, MOST_LINES)}
        self.table.show(
            [
                (line.id, (line.when, line.who, line.desk, line.what, line.before, line.after), "")
                for line in self._lines.values()
            ]
        )
        self._show_line()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._show_line()

    def _show_line(self) -> None:
        line = self._lines.get(self.table.record_id or 0)
        words = NOTHING
        if line is not None:
            values = f": {line.before or '–'} → {line.after or '–'}" if line.before or line.after else ""
            words = f"{line.when} · {line.who} · Platz {line.desk}\n{line.what}{values}"
        self.query_one("#history-line", Static).update(words)
