"""What colleagues did while this desk was cut off."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.record_table import Column, RecordTable

COLUMNS = (Column("Zeit", 16), Column("Wer", 18, 1), Column("Was", 30, 3))
NOTHING = "Seit der Anmeldung gab es keine Unterbrechung, während der sich etwas geändert hat."


class MissedDialog(BaseDialog[None]):
    """The changes of the last interruption, in their order."""

    HELP = "Die Änderungen der letzten Unterbrechung. Der Belegungsplan zeigt sie schon."
    AUTO_FOCUS = "RecordTable"

    def __init__(self) -> None:
        super().__init__("Während der Unterbrechung")
        self.add_class("wide")

    def compose_body(self) -> ComposeResult:
        yield RecordTable(COLUMNS)
        yield Static("" if self.desk.missed else NOTHING, classes="hint", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Schließen", "cancel", primary=True)

    def on_mount(self) -> None:
        self.query_one(RecordTable).show(
            [
                (number, (format_datetime(one.at), clean_line(one.by), clean_line(one.what)), "")
                for number, one in enumerate(self.desk.missed)
            ]
        )
