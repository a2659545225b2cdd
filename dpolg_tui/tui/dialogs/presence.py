"""Who is here: names, pages, and which booking somebody has open."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import Static

from dpolg_tui.desk.events import DeskEvent, PresenceChanged
from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.domain.people import Presence
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row

COLUMNS = (Column("Name", 20, 3), Column("Seite", 20, 2), Column("seit", 16))
NOBODY = "Außer Ihnen ist gerade niemand angemeldet."


class PresenceDialog(Hearing, BaseDialog[None]):
    """A list that follows the colleagues while it is open."""

    HELP = (
        "Wer eine Buchung offen hat, wird auch in der Buchung selbst genannt. "
        "Das ist ein Hinweis, keine Sperre: speichern können alle, Änderungen werden zusammengeführt."
    )
    AUTO_FOCUS = "RecordTable"

    def __init__(self) -> None:
        super().__init__("Wer ist da?")
        self.add_class("wide")

    def compose_body(self) -> ComposeResult:
        yield RecordTable(COLUMNS)
        yield Static("", id="presence-says", classes="hint", markup=False)

    def on_mount(self) -> None:
        self._show()

    def heard(self, event: DeskEvent) -> None:
        if isinstance(event, PresenceChanged):
            self._show()

    def _show(self) -> None:
        present = sorted(self.desk.present, key=lambda one: (one.own, one.display_name, one.desk))
        self.query_one(RecordTable).show([_row(number, one) for number, one in enumerate(present)])
        self.query_one("#presence-says", Static).update("" if present else NOBODY)


def _row(number: int, one: Presence) -> Row:
    name = f"{one.display_name} (Sie selbst, anderer Platz)" if one.own else one.display_name
    return number, (clean_line(name), clean_line(one.screen or ""), format_datetime(one.since)), ""
