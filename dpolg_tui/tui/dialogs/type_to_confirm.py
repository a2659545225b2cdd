"""A question that is answered by typing a word: for what cannot be taken back."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from dpolg_tui.domain.german import search_key
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.field import LineInput


class TypeToConfirmDialog(BaseDialog[bool]):
    """Answers ``True`` once the word is typed; umlauts and capitals may be typed as is convenient."""

    AUTO_FOCUS = "Input"
    HELP = "Tippen Sie das genannte Wort, dann Enter. Esc bricht ab, ohne dass etwas geschieht."

    def __init__(self, title: str, lines: Iterable[str], what: str, word: str, confirm_label: str) -> None:
        """``what`` names what is to be typed ("den Nachnamen")."""
        super().__init__(title)
        self._lines = list(lines)
        self._what, self._word = what, word
        self._confirm_label = confirm_label

    def compose_body(self) -> ComposeResult:
        for line in self._lines:
            yield Static(Content(line), markup=False)
        yield Static(Content(f"Zur Bestätigung bitte {self._what} eintippen: {self._word}"), markup=False)
        yield LineInput(id="confirm-word")
        yield Static("", id="confirm-says", classes="error", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._confirm_label, "confirm", danger=True)
        yield self.button("Abbrechen", "cancel")

    def _answer(self) -> None:
        """Agrees if the word is right, else says so."""
        field = self.query_one("#confirm-word", Input)
        if search_key(field.value) == search_key(self._word):
            self.finish(True)
            return
        says = "Das stimmt nicht überein: bitte genau abtippen oder mit Esc abbrechen."
        self.query_one("#confirm-says", Static).update(says)
        field.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.query_one("#confirm-says", Static).update("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._answer()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "confirm":
            event.stop()
            self._answer()

    def action_cancel(self) -> None:
        """Declines."""
        self.finish(False)
