"""The emergency list as it was written last, to read when the database cannot be reached."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.widgets import TextArea

from dpolg_tui.desk.emergency import EmergencyFile
from dpolg_tui.domain.german import format_datetime
from dpolg_tui.tui.dialogs.base import BaseDialog

UNREADABLE = "Die Notfallliste lässt sich gerade nicht lesen."


class EmergencyDialog(BaseDialog[None]):
    """Shows the text; nothing can be typed."""

    HELP = "Die Notfallliste von diesem Rechner, so alt wie im Titel steht. ↑ ↓ Bild↑ Bild↓ blättern."
    AUTO_FOCUS = "TextArea"

    def __init__(self, file: EmergencyFile) -> None:
        super().__init__(f"Notfallliste, Stand {format_datetime(file.at)}")
        self.add_class("wide")
        self._file = file

    def compose_body(self) -> ComposeResult:
        yield TextArea(
            self._file.read() or UNREADABLE, read_only=True, show_cursor=False, soft_wrap=False, compact=True
        )

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Schließen", "cancel", primary=True)
