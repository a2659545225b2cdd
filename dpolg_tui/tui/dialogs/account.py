"""The own account: where I am signed in, and my password."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button, Static

from dpolg_tui.desk.events import DeskEvent, PresenceChanged, RecordChanged
from dpolg_tui.domain.german import format_datetime, role_label
from dpolg_tui.domain.people import Session
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.widgets.session_table import SessionTable
from dpolg_tui.tui.work import read, write

THIS_SESSION = "Das ist diese Sitzung: „Abmelden“ (Strg+P) beendet sie."


class AccountDialog(Hearing, BaseDialog[None]):
    """Own sessions, each of which can be ended here, and the way to a new password."""

    SCOPE = "account"
    HELP = "Eine Sitzung, die Sie nicht kennen: abmelden und gleich das Passwort ändern."
    BINDINGS: ClassVar[list[BindingType]] = bindings("account")
    AUTO_FOCUS = "SessionTable"

    def __init__(self) -> None:
        super().__init__("Mein Konto")
        self.add_class("wide")

    def compose_body(self) -> ComposeResult:
        user = self.desk.user
        if user is not None:
            words = (user.display_name, "bold"), f" · Benutzername {user.username} · {role_label(user.role)}"
            yield Static(Content.assemble(*words), markup=False)
        yield SessionTable()

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Passwort ändern", "change")
        yield self.button("Schließen", "cancel")

    @property
    def table(self) -> SessionTable:
        """The own sessions."""
        return self.query_one(SessionTable)

    def on_mount(self) -> None:
        self._reload()

    def heard(self, event: DeskEvent) -> None:
        if isinstance(event, PresenceChanged) or (isinstance(event, RecordChanged) and event.kind == "user"):
            self._reload()

    def _reload(self) -> None:
        if self.desk.user is not None:
            read(self, self._load(self.desk.user.id), "Sitzungen lesen", group="sessions")

    async def _load(self, person: int) -> None:
        self.table.show_sessions(await self.desk.people.sessions(person))

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "change":
            event.stop()
            self.action_password()

    def action_password(self) -> None:
        """Another password."""
        self.desk_app.action_own_password()

    def action_end_session(self) -> None:
        """Ends the marked session."""
        session = self.table.marked
        if session is not None and session.own:
            self.desk_app.show_toast(THIS_SESSION, "warning")
        elif session is not None:
            where = f"An {session.host or session.desk}, seit {format_datetime(session.created_at)}"
            self._ask_and_end("Sitzung abmelden?", where, lambda: self._end(session))

    def action_end_others(self) -> None:
        """Ends all own sessions but this one."""
        others = [session for session in self.table.sessions.values() if not session.own]
        if others:
            self._ask_and_end("Alle anderen abmelden?", f"Andere Sitzungen: {len(others)}", self._end_all)
        else:
            self.desk_app.show_toast("Sie sind nur hier angemeldet.")

    def _ask_and_end(self, title: str, line: str, end: Callable[[], Coroutine[Any, Any, None]]) -> None:
        async def run() -> None:
            question = ConfirmDialog(title, line, "Abmelden", danger=True)
            if await self.app.push_screen_wait(question):
                await end()
                self.desk_app.show_toast("Abgemeldet.")
                self._reload()

        write(self, run(), "Abmelden")

    async def _end(self, session: Session) -> None:
        await self.desk.people.end_session(session.id)

    async def _end_all(self) -> None:
        if self.desk.user is not None:
            await self.desk.people.end_sessions(self.desk.user.id)
