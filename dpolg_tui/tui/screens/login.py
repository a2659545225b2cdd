"""The login."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Button, Input, Static

from dpolg_tui import locations
from dpolg_tui.desk.emergency import EmergencyFile, newest
from dpolg_tui.domain.errors import DomainError, LoginFailed, MustChangePassword
from dpolg_tui.domain.german import role_label
from dpolg_tui.domain.models import Role
from dpolg_tui.tui import work
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.header import connection_words

if TYPE_CHECKING:
    from dpolg_tui.desk.events import ConnectionState

LOGIN_LABEL = "Anmelden"
EMERGENCY_LABEL = "Notfallliste ansehen"
WORKING_LABEL = "Anmelden…"


def last_username() -> str:
    """Who signed in here last; empty where nobody did or the file cannot be read."""
    try:
        return locations.last_username_file().read_text(encoding="utf-8").strip()[:50]
    except (OSError, UnicodeDecodeError):
        return ""


def remember_username(username: str) -> None:
    """Keeps the name, and only the name, for the next login. A convenience: may fail."""
    file = locations.last_username_file()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{username}\n", encoding="utf-8")
    except OSError:
        return


class DemoInput(Input):
    """A field of the demo's login: a digit in the empty field chooses one of the demo's users."""

    def __init__(self, value: str = "", *, users: int, password: bool = False, id: str) -> None:  # noqa: A002
        super().__init__(value, password=password, id=id, max_length=200, classes="framed")
        self._users = users

    async def _on_key(self, event: events.Key) -> None:
        digit = event.character or ""
        if not self.value and digit.isdecimal() and 1 <= int(digit) <= self._users:
            event.stop()
            event.prevent_default()
            self.post_message(DemoUser.Chosen(int(digit)))
            return
        await super()._on_key(event)


class DemoUser(Static):
    """A line of the demo's list of users; a click chooses it."""

    class Chosen(Message):
        """The user was clicked, or the digit typed."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self, number: int, username: str, password: str, role: str) -> None:
        super().__init__(
            Content.assemble((f"{number}", "bold $text-accent"), f"  {username:<14} {password:<26} {role}"),
            classes="demo-user",
            markup=False,
        )
        self._number = number

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Chosen(self._number))


class LoginScreen(DeskScreen):
    """Name and password, and whether the database answers."""

    SCOPE = "login"
    TITLE = "Anmeldung"
    HELP = (
        "Benutzername und Passwort eingeben, Enter meldet an. Fehlt die Verbindung, versucht das "
        "Programm es von selbst weiter; F8 zeigt, wohin es sich verbindet."
    )
    AUTO_FOCUS: ClassVar[str | None] = ""
    BINDINGS: ClassVar[list[BindingType]] = bindings("login")

    def compose_body(self) -> ComposeResult:
        with Vertical(id="login"), Vertical(id="login-box") as box:
            box.border_title = "DPolG Buchungssystem"
            users = len(self.desk.demo_users)
            name = DemoInput(last_username(), users=users, id="username")
            name.border_title = "Benutzername"
            yield name
            password = DemoInput(users=users, password=True, id="password")
            password.border_title = "Passwort"
            yield password
            yield Button(LOGIN_LABEL, id="submit", variant="primary", disabled=True)
            yield Static("", id="login-error", classes="error", markup=False)
            yield Static("", id="login-state", markup=False)
            yield Button(EMERGENCY_LABEL, id="emergency")
            if users:
                yield Static("Vorführung: Ziffer oder Klick wählt", classes="hint", markup=False)
                for number, (username, secret, role) in enumerate(self.desk.demo_users, 1):
                    yield DemoUser(number, username, secret, role_label(Role(role)))

    def on_mount(self) -> None:
        self.query_one("#password" if self._user.value else "#username", Input).focus()
        self._show_connection(self.desk.connection)
        if self.desk.settings.first_start:
            self.call_after_refresh(self.action_settings)

    def action_settings(self) -> None:
        """The connection to the database; not while somebody is being signed in."""
        if not self._busy:
            self.desk_app.action_settings()

    @property
    def _user(self) -> Input:
        return self.query_one("#username", Input)

    @property
    def _password(self) -> Input:
        return self.query_one("#password", Input)

    @property
    def _button(self) -> Button:
        return self.query_one("#submit", Button)

    @property
    def _busy(self) -> bool:
        return str(self._button.label) == WORKING_LABEL

    def _show_error(self, message: str) -> None:
        self.query_one("#login-error", Static).update(Content(message))

    def _show_connection(self, state: ConnectionState) -> None:
        first_start = self.desk.settings.first_start
        words, colour = connection_words(state, first_start=first_start)
        away = state.phase == "offline" and not first_start
        reason = f": {state.reason}" if state.reason and state.phase != "connected" else ""
        if first_start and state.phase != "connected":
            reason = ": F8 zeigt die Einstellungen."
        going_on = "\nEs wird von selbst weiter versucht; F8 zeigt die Einstellungen." if away else ""
        self.query_one("#login-state", Static).update(Content.styled(f"{words}{reason}{going_on}", colour))
        self.query_one("#emergency").display = away and self._emergency_file() is not None

    def _emergency_file(self) -> EmergencyFile | None:
        return newest(self.desk.config.desk.emergency_directory)

    def on_connection_changed(self, state: ConnectionState) -> None:
        self._show_connection(state)

    def _update_button(self, label: str | None = None) -> None:
        for button in self.query("#submit").results(Button):  # none when the program is being left
            if label is not None:
                button.label = label
            filled = self._user.value.strip() and self._password.value
            button.disabled = str(button.label) == WORKING_LABEL or not filled

    def on_input_changed(self) -> None:
        self._update_button()

    def on_demo_user_chosen(self, event: DemoUser.Chosen) -> None:
        username, password, _role = self.desk.demo_users[event.number - 1]
        self._user.value = username
        self._password.value = password
        self._update_button()
        self._button.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "username" and not self._password.value:
            self._password.focus()
        else:
            self.submit()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "submit":
            self.submit()
        elif event.button.id == "emergency" and (file := self._emergency_file()) is not None:
            from dpolg_tui.tui.dialogs.emergency import EmergencyDialog

            self.app.push_screen(EmergencyDialog(file))

    def submit(self) -> None:
        """Signs in with what stands in the fields."""
        if self._busy or not (self._user.value.strip() and self._password.value):
            return
        self._show_error("")
        self._update_button(WORKING_LABEL)
        work.write(
            self, self._login(self._user.value.strip(), self._password.value), "Anmelden", failed=self._failed
        )

    async def _login(self, username: str, password: str) -> None:
        try:
            forced = (await self.desk.login(username, password)).must_change_password
        except MustChangePassword:
            forced = True
        finally:
            self._update_button(LOGIN_LABEL)
        # Whoever sits down here next must find nothing to sign in with.
        self._password.value = ""
        if forced:
            from dpolg_tui.tui.dialogs.password import PasswordDialog

            if not await self.app.push_screen_wait(PasswordDialog(forced=True, old=password)):
                await self.desk.logout()
                self._show_error("Ohne eigenes Passwort ist keine Anmeldung möglich.")
                return
        remember_username(username)
        await self.desk_app.signed_in()

    def _failed(self, error: DomainError) -> bool:
        self._show_error(error.message)
        if isinstance(error, LoginFailed):
            self._password.value = ""
        self._password.focus()
        return True

    def on_screen_resume(self) -> None:
        if self._user.value:
            self._password.focus()
