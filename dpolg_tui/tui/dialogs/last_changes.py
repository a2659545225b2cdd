"""My last changes: what I did since I signed in, each to be taken back or done again."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.domain.undo import Entry
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.undoing import tell
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row
from dpolg_tui.tui.work import write

COLUMNS = (Column("Zeit", 12), Column("Eintrag", 14, 3), Column("Änderung", 14, 2), Column("Stand", 17))
NOTHING = "Seit der Anmeldung ist an diesem Arbeitsplatz nichts geändert."
STANDS, TAKEN_BACK = "zurücknehmbar", "zurückgenommen"
IN_THE_WAY, NEVER = "! etwas im Weg", "nicht rücknehmbar"


class ChangesTable(RecordTable):
    """The list, with Enter in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("last_changes")

    def action_take_back(self) -> None:
        """As a click on the line."""
        self.action_select_cursor()


class LastChangesDialog(BaseDialog[None]):
    """Newest first; Enter takes the marked change back, or does it again."""

    SCOPE = "last_changes"
    HELP = (
        "Zurückgenommen wird durch eine neue Änderung, die auch im Protokoll steht. Hat inzwischen jemand "
        "darauf aufgebaut, bleibt alles, wie es ist, und unter der Liste steht, was im Weg ist; "
        "frühere Änderungen lassen sich trotzdem zurücknehmen. "
        "Beim Abmelden wird die Liste geleert."
    )
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "ChangesTable"

    def __init__(self) -> None:
        super().__init__("Meine letzten Änderungen")
        self.add_class("wide")

    def compose_body(self) -> ComposeResult:
        yield ChangesTable(COLUMNS)
        yield Static("", id="last-changes-says", classes="hint", markup=False)

    @property
    def table(self) -> ChangesTable:
        """The list."""
        return self.query_one(ChangesTable)

    def on_mount(self) -> None:
        self._show()

    def _show(self) -> None:
        undo = self.desk.undo
        today = self.desk.today()
        self.table.show([_row(entry, today) for entry in undo.entries])
        self._say()

    def _say(self) -> None:
        entry = self._marked
        words = NOTHING if entry is None else clean_line(entry.obstacle or _why_never(entry))
        self.query_one("#last-changes-says", Static).update(words)

    @property
    def _marked(self) -> Entry | None:
        number = self.table.record_id
        return None if number is None else self.desk.undo.last_changes.get(number)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._say()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Takes the change back; one that was taken back is done again."""
        event.stop()
        entry = self._marked
        if entry is not None:
            what = "Wiederherstellen" if entry.taken_back else "Zurücknehmen"
            write(self, self._take_back(entry), what)

    async def _take_back(self, entry: Entry) -> None:
        undo = self.desk.undo
        tell(self.desk_app, await (undo.redo if entry.taken_back else undo.undo)(entry.number))
        if self.is_mounted:
            self._show()


def _why_never(entry: Entry) -> str:
    return f"Nicht rücknehmbar: {entry.lost}." if entry.lost else ""


def _row(entry: Entry, today: date) -> Row:
    when = format_datetime(entry.at, today)
    if entry.taken_back:
        state, style = TAKEN_BACK, "dim"
    elif entry.lost:
        state, style = NEVER, ""
    else:
        state, style = IN_THE_WAY if entry.obstacle else STANDS, ""
    return entry.number, tuple(clean_line(cell) for cell in (when, entry.what, entry.did, state)), style
