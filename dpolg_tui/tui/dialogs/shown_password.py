"""A password that the program made, shown once."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Static

from dpolg_tui.tui.dialogs.base import BaseDialog


class ShownPasswordDialog(BaseDialog[bool]):
    """Stays until somebody says that it is noted: neither Esc nor a hasty Enter closes it."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = (
        "Das Passwort wird nur jetzt gezeigt und steht nirgends sonst. Es gilt bis zur ersten Anmeldung: "
        "dabei wird ein eigenes verlangt. Geht es verloren, vergibt „Passwort neu“ ein anderes."
    )

    def __init__(self, username: str, password: str) -> None:
        super().__init__("Passwort für die erste Anmeldung")
        self._username = username
        self._password = password

    def compose_body(self) -> ComposeResult:
        yield Static(Content.assemble("Benutzername  ", (self._username, "bold")), markup=False)
        yield Static(Content.assemble("Passwort      ", (self._password, "bold")), markup=False, id="shown")
        yield Static("")
        yield Static(
            Content(
                "Bitte jetzt notieren und persönlich übergeben: es wird nicht noch einmal gezeigt. "
                "Bei der ersten Anmeldung wird ein eigenes Passwort verlangt."
            ),
            classes="hint",
        )

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Ist notiert  (Tab, dann Enter)", "noted", primary=True)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc does not close it."""
        return False if action == "cancel" else super().check_action(action, parameters)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        self.finish(True)
