"""Asks why a booking is cancelled."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, Static

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.fields import TextField
from dpolg_tui.tui.widgets.form import Form


class CancelDialog(BaseDialog[str]):
    """Answers the reason, or None: not cancelled."""

    SCOPE = "dialog"
    HELP = "Eine stornierte Buchung bleibt erhalten und gibt das Zimmer frei. Der Grund steht im Verlauf."
    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    AUTO_FOCUS = "Input"

    def __init__(self, label: str) -> None:
        super().__init__("Buchung stornieren")
        self._label = label
        self._reason = TextField("cancellation_reason", "Grund", max_length=500, required=True)

    def compose_body(self) -> ComposeResult:
        yield Static(self._label, markup=False)
        yield Form(self._reason)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Stornieren", "save", danger=True)
        yield self.button("Zurück", "cancel")

    @property
    def dirty(self) -> bool:
        return self._reason.touched

    def on_key(self, event: events.Key) -> None:
        """Enter in the only field is as good as the button."""
        if event.key == "enter" and self._reason.editor_widget.has_focus:
            event.stop()
            self.action_save()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            event.stop()
            self.action_save()

    def action_save(self) -> None:
        """Cancels, if there is a reason."""
        try:
            reason = self._reason.value
        except InvalidInput as error:
            self._reason.error = error.message
            self._reason.editor_widget.focus()
            return
        self.finish(str(reason))
