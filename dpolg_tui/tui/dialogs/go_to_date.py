"""Asks for a day to go to."""

from __future__ import annotations

from datetime import date

from textual.app import ComposeResult
from textual.widgets import Button, Input, Static

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.field import LineInput


class GoToDateDialog(BaseDialog[date]):
    """Answers the day. ``reference`` is what +2 counts from."""

    HELP = "Zum Beispiel 24.12. · 3.4.27 · heute · morgen · +14 (Tage ab dem Cursor) · mo."
    AUTO_FOCUS = "Input"

    def __init__(self, reference: date) -> None:
        super().__init__("Gehe zu Datum")
        self._reference = reference

    def compose_body(self) -> ComposeResult:
        yield LineInput(placeholder="24.12. · +14 · mo · heute", id="go-to-day")
        yield Static("", id="go-to-note", classes="hint", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Gehe zu", "go", primary=True)
        yield self.button("Abbrechen", "cancel")

    def _day(self) -> date:
        text = self.query_one(LineInput).value
        return german.parse_date(text, today=self.desk.today(), reference=self._reference)

    def _note(self, text: str, *, error: bool = False) -> None:
        note = self.query_one("#go-to-note", Static)
        note.set_class(error, "error")
        note.update(text)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Shows how the text is understood, while it is typed."""
        event.stop()
        try:
            day = self._day()
        except InvalidInput:
            # Half a date is no mistake yet: Enter says what is missing.
            self._note("")
        else:
            self._note(f"{german.format_weekday(day)}, {german.format_date(day)}")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._go()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "go":
            event.stop()
            self._go()

    def _go(self) -> None:
        try:
            day = self._day()
        except InvalidInput as error:
            self._note(error.message, error=True)
        else:
            self.finish(day)
