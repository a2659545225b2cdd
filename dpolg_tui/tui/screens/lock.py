"""The lock: covers everything until the same user gives the password again."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from dpolg_tui.domain.errors import DomainError, LoginFailed, MustChangePassword
from dpolg_tui.tui import work
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.password import PasswordDialog

WRONG = "Das Passwort stimmt nicht: bitte noch einmal eingeben."


class _OwnPasswordDialog(PasswordDialog):
    """An own password in place of one that an admin gave, while what was open lies below."""

    OVER_LOCK = True
    GIVE_UP = "Abbrechen"


class LockScreen(BaseDialog[None]):
    """Opaque; what was open lies untouched below it. Somebody else may sign out instead."""

    HELP = "Das Passwort öffnet den Bildschirm wieder so, wie er war."
    LOCKS = True
    AUTO_FOCUS = "#unlock-password"

    def __init__(self, reason: str) -> None:
        super().__init__("Gesperrt")
        self._reason = reason

    def compose_body(self) -> ComposeResult:
        user = self.desk.user
        yield Static(Content(self._reason), id="lock-reason", markup=False)
        yield Static(
            Content.assemble("Angemeldet als ", (user.display_name if user else "", "bold")), markup=False
        )
        box = Input(password=True, id="unlock-password", max_length=200, classes="framed")
        box.border_title = "Passwort"
        yield box
        yield Static("", id="unlock-error", classes="error", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Entsperren", "unlock", primary=True)
        yield self.button("Abmelden", "sign-out")

    def because(self, reason: str) -> None:
        """Says why it is closed, also to a desk that was locked before its session ended."""
        self._reason = reason
        for line in self.query("#lock-reason").results(Static):
            line.update(Content(reason))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc does not open a lock."""
        return False if action == "cancel" else super().check_action(action, parameters)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "unlock":
            self.unlock()
        else:
            self.desk_app.action_sign_out()

    def on_input_submitted(self) -> None:
        self.unlock()

    def unlock(self) -> None:
        """Asks the database whether the password is right."""
        button = self.query_one("#unlock", Button)
        password = self.query_one("#unlock-password", Input).value
        if not password or button.disabled:
            return
        button.disabled = True
        self._say("")
        work.write(self, self._unlock(password), "Entsperren", failed=self._failed)

    async def _unlock(self, password: str) -> None:
        try:
            await self.desk.unlock(password)
        except MustChangePassword:
            if await self.app.push_screen_wait(_OwnPasswordDialog(forced=True, old=password)):
                raise LoginFailed("Ihr eigenes Passwort gilt ab jetzt: bitte damit entsperren.") from None
            raise
        finally:
            for button in self.query("#unlock"):
                button.disabled = False
        await self.desk_app.unlocked()

    def _say(self, message: str) -> None:
        self.query_one("#unlock-error", Static).update(Content(message))

    def _failed(self, error: DomainError) -> bool:
        # There is no user name to check here.
        self._say(WRONG if error.message == LoginFailed().message else error.message)
        box = self.query_one("#unlock-password", Input)
        if isinstance(error, LoginFailed):
            box.value = ""
        box.focus()
        return True
