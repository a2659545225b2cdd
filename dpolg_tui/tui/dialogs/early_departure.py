"""A guest leaves before the booked day: are the nights that remain given free?"""

from __future__ import annotations

from datetime import date

from textual.app import ComposeResult
from textual.widgets import Button, Static

from dpolg_tui.domain import german
from dpolg_tui.tui.dialogs.base import BaseDialog


class EarlyDepartureDialog(BaseDialog[bool]):
    """Answers True to shorten the stay, False to keep the nights, None to do nothing."""

    HELP = "Kürzen gibt das Zimmer für die restlichen Nächte frei."
    AUTO_FOCUS = "#shorten"

    def __init__(self, label: str, departure: date, leaves: date) -> None:
        super().__init__("Abreise vor dem gebuchten Tag")
        self._lines = (
            label,
            f"Gebucht bis {german.format_date(departure)}: "
            f"{german.format_nights((departure - leaves).days)} bleiben übrig.",
        )

    def compose_body(self) -> ComposeResult:
        for line in self._lines:
            yield Static(line, markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Kürzen, Zimmer frei", "shorten", primary=True)
        yield self.button("Nächte behalten", "keep")
        yield self.button("Abbrechen", "cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id in ("shorten", "keep"):
            event.stop()
            self.finish(event.button.id == "shorten")
