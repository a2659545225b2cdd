"""A question with two answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Static

from dpolg_tui.tui.dialogs.base import BaseDialog


class ConfirmDialog(BaseDialog[bool]):
    """Shows lines of plain text and asks once. Answers ``True``, or ``False`` also for Esc.

    With ``danger`` the safe button has the focus, so that Enter alone loses nothing.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = "Enter wählt die markierte Schaltfläche, Tab wechselt, J und N antworten direkt."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "yes", "Ja", show=False),
        Binding("n", "cancel", "Nein", show=False),
        Binding("left,up", "app.focus_previous", show=False),
        Binding("right,down", "app.focus_next", show=False),
    ]

    def __init__(
        self,
        title: str,
        lines: str | Content | Iterable[str | Content],
        confirm_label: str,
        danger: bool = False,
        cancel_label: str = "Abbrechen",
    ) -> None:
        super().__init__(title)
        self._lines = [lines] if isinstance(lines, str | Content) else list(lines)
        self._confirm_label = confirm_label
        self._cancel_label = cancel_label
        self._danger = danger

    def on_mount(self) -> None:
        self.query_one("#cancel" if self._danger else "#confirm").focus()

    def compose_body(self) -> ComposeResult:
        for line in self._lines:
            yield Static(line if isinstance(line, Content) else Content(line), markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._confirm_label, "confirm", primary=True, danger=self._danger)
        yield self.button(self._cancel_label, "cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "confirm":
            event.stop()
            self.action_yes()

    def action_yes(self) -> None:
        """Agrees."""
        self.finish(True)

    def action_cancel(self) -> None:
        """Declines."""
        self.finish(False)


def discard_changes() -> ConfirmDialog:
    """The question before something typed is lost."""
    return ConfirmDialog(
        "Änderungen verwerfen?",
        "Die Eingaben auf dieser Seite sind noch nicht gespeichert.",
        "Verwerfen",
        danger=True,
        cancel_label="Weiter bearbeiten",
    )


def unsaved_forms(titles: list[str], then: str, *, hidden: bool) -> ConfirmDialog:
    """The question before the desk is left. ``hidden``: whoever answers is not told whose forms are open."""
    lines = (
        [f"Ungespeicherte Formulare: {len(titles)}"]
        if hidden
        else ["Noch nicht gespeichert:", *(f"• {title}" for title in titles)]
    )
    return ConfirmDialog("Nicht gespeicherte Eingaben", lines, then, danger=True)
