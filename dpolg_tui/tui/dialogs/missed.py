"""What colleagues did while this desk was cut off."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import DataTable, Static

from dpolg_tui.desk.events import Missed
from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.record_table import Column, RecordTable

COLUMNS = (Column("Zeit", 12), Column("Wer", 18, 1), Column("Was", 30, 3))
NOTHING = "Seit der Anmeldung gab es keine Unterbrechung, während der sich etwas geändert hat."


class MissedDialog(BaseDialog[None]):
    """The changes of the last interruption, in their order."""

    HELP = "Die Änderungen der letzten Unterbrechung. Der Belegungsplan zeigt sie schon."
    AUTO_FOCUS = "RecordTable"

    def __init__(self) -> None:
        super().__init__("Während der Unterbrechung")
        self.add_class("wide")
        self._changes: tuple[Missed, ...] = ()

    def compose_body(self) -> ComposeResult:
        yield RecordTable(COLUMNS)
        yield Static("", id="missed-says", classes="hint", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Schließen", "cancel", primary=True)

    def on_mount(self) -> None:
        today, self._changes = self.desk.today(), self.desk.missed
        self.query_one(RecordTable).show(
            [
                (number, (format_datetime(one.at, today), clean_line(one.by), clean_line(one.what)), "")
                for number, one in enumerate(self._changes)
            ]
        )
        self._say()

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._say()

    def _say(self) -> None:
        """The chosen change in full: the table may have no room for it."""
        at = self.query_one(RecordTable).record_id
        one = None if at is None else self._changes[at]
        self.query_one("#missed-says", Static).update(
            NOTHING if one is None else clean_line(f"{one.by}: {one.what}")
        )
