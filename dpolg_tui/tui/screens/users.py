"""The users and, below, where the marked one is signed in. For admins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.german import clean_line, format_datetime, role_label, search_key
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.people import Account, Session
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.account import THIS_SESSION
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.shown_password import ShownPasswordDialog
from dpolg_tui.tui.dialogs.user import UserDialog, access_question
from dpolg_tui.tui.screens.listing import ListScreen
from dpolg_tui.tui.widgets.record_table import Column, Row
from dpolg_tui.tui.widgets.session_table import SessionTable
from dpolg_tui.tui.work import read, write

NOT_ONESELF = ("reset_password", "switch_active", "lift_lock", "delete")
"""What only another admin does to an admin."""
ABOUT_A_USER = (*NOT_ONESELF, "end_sessions", "open")
SIGNS_OF_LIFE = 15.0
"""Seconds between two looks at what tells nobody: failed attempts, silent sessions."""


class UsersScreen(ListScreen):
    """The list of users; below it the sessions of the marked one."""

    SCOPE = "users"
    TITLE = "Benutzer"
    HELP = (
        "Sitz.: offene Sitzungen, Fehl.: Fehlversuche der letzten zehn Minuten. Unter der Liste stehen die "
        "Sitzungen des markierten Benutzers; Tab geht dorthin, a meldet dort die markierte ab. "
        "Wer schon etwas getan hat, wird deaktiviert statt gelöscht: so bleibt der Verlauf. "
        "Die Rolle steht im Formular (Enter)."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("users")
    COLUMNS = (
        Column("Benutzer", 10, 1),
        Column("Name", 13, 3),
        Column("Rolle", 8),
        Column("Stand", 22),
        Column("Letzte Anmeldung", 16, wide_from=100),
        Column("Sitz.", 5),
        Column("Fehl.", 5),
    )
    SEARCH_HINT = "Suchen: Benutzername, Name, E-Mail, Rolle"

    def __init__(self) -> None:
        super().__init__()
        self._accounts: dict[int, Account] = {}

    def compose_below(self) -> ComposeResult:
        yield Static("", id="sessions-title", markup=False)
        yield SessionTable(id="sessions-table")

    @property
    def sessions_table(self) -> SessionTable:
        """Where the marked user is signed in."""
        return self.query_one("#sessions-table", SessionTable)

    @property
    def _marked(self) -> Account | None:
        return self._accounts.get(self.table.record_id or 0)

    # Showing

    def on_mount(self) -> None:
        self.set_interval(SIGNS_OF_LIFE, self._look_again)

    def _look_again(self) -> None:
        if self.is_active:
            self.reload()

    def reload(self) -> None:
        read(self, self._load(), "Benutzer lesen", group="users")

    async def _load(self) -> None:
        accounts = await self.desk.people.users()
        self._accounts = {account.id: account for account in accounts}
        wanted = search_key(self.searched).split()
        found = [
            account
            for account in sorted(accounts, key=lambda account: search_key(account.username))
            if all(word in _search_text(account) for word in wanted)
        ]
        self.show_rows([_row(account) for account in found], "Benutzer", "Noch kein Benutzer.")
        self._read_sessions()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:  # noqa: ARG002
        self.refresh_bindings()  # the same keys mean something else in the other list

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table is self.table:
            self._read_sessions()

    def _read_sessions(self) -> None:
        account = self._marked
        self.refresh_bindings()
        title = self.query_one("#sessions-title", Static)
        if account is None:
            title.update("")
            self.sessions_table.show_sessions([])
            return
        last = _moment(account.last_login)
        came = f"zuletzt angemeldet {last}" if last else "noch nie angemeldet"
        title.update(f"Sitzungen von {clean_line(account.display_name)} · {came}")
        read(self, self._load_sessions(account.id), "Sitzungen lesen", group="sessions")

    async def _load_sessions(self, person: int) -> None:
        sessions = await self.desk.people.sessions(person)
        if person == self.table.record_id:
            self.sessions_table.show_sessions(sessions)

    def on_record_changed(self, event: RecordChanged) -> None:
        if event.kind == "user":
            self.reload_soon()

    def on_presence_changed(self) -> None:
        self.reload_soon()

    def on_screen_resume(self) -> None:
        if self._accounts:
            self.reload_soon()

    def footer_words(self) -> dict[str, str]:
        """What the keys do to whom is marked."""
        account = self._marked
        words = {"end_sessions": "abmelden" if self.sessions_table.has_focus else "überall abmelden"}
        if account is not None:
            words["switch_active"] = "deaktivieren" if account.active else "aktivieren"
        return words

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what the marked user's state allows is offered."""
        account = self._marked
        if account is None:
            return action not in ABOUT_A_USER
        if self.desk.user is not None and account.id == self.desk.user.id:
            return action not in NOT_ONESELF
        if action == "lift_lock":
            return account.locked
        return action != "delete" or not account.has_history

    # Actions

    def open_record(self, record_id: int) -> None:
        self.app.push_screen(UserDialog(record_id))

    def action_new(self) -> None:
        """A new user, whose first password is then shown."""
        dialog = UserDialog()
        self.app.push_screen(dialog, lambda made: self._created(made, dialog))

    def _created(self, user_id: int | None, dialog: UserDialog) -> None:
        if user_id is None:
            return
        self.table.go_to(user_id)
        self.reload()
        if dialog.first_password:
            name = str(dialog.form.field("username").peek)
            self.app.push_screen(ShownPasswordDialog(name, dialog.first_password))

    def action_reset_password(self) -> None:
        """A new first password for the marked user."""
        self._ask_and(self._reset_password, "Passwort neu vergeben")

    async def _reset_password(self, account: Account) -> None:
        lines = [
            f"{account.display_name} bekommt ein neues Passwort und wird überall abgemeldet.",
            "Das bisherige gilt dann nicht mehr.",
        ]
        if await self._agreed(ConfirmDialog("Passwort neu vergeben?", lines, "Neu vergeben", danger=True)):
            password = await self.desk.people.reset_password(account.id)
            await self.app.push_screen_wait(ShownPasswordDialog(account.username, password))

    def action_switch_active(self) -> None:
        """Takes access from the marked user, or gives it back."""
        self._ask_and(self._switch_active, "Zugang ändern")

    async def _switch_active(self, account: Account) -> None:
        wanted = not account.active
        if await self._agreed(access_question(account.display_name, active=wanted)):
            result = await self.desk.people.save(account.id, {"active": Change(account.active, wanted)})
            if result.conflicts:
                self.desk_app.show_toast(
                    f"{result.changed_by or 'Jemand'} hat den Zugang inzwischen geändert.", "warning"
                )
            else:
                self.desk_app.show_toast(
                    f"{account.display_name} ist {'wieder aktiv' if wanted else 'deaktiviert'}."
                )

    def action_end_sessions(self) -> None:
        """Signs the marked user out everywhere; in the list of sessions only the marked one."""
        session = self.sessions_table.marked
        if not self.sessions_table.has_focus:
            self._ask_and(self._end_sessions, "Überall abmelden")
        elif session is None:
            self.desk_app.show_toast("Hier ist niemand angemeldet.")
        elif session.own:
            self.desk_app.show_toast(THIS_SESSION, "warning")
        else:
            self._ask_and(lambda account: self._end_session(account, session), "Sitzung abmelden")

    async def _end_sessions(self, account: Account) -> None:
        lines = [f"{account.display_name}: alle offenen Sitzungen enden, außer dieser hier.", KEPT]
        if await self._agreed(ConfirmDialog("Überall abmelden?", lines, "Abmelden", danger=True)):
            await self.desk.people.end_sessions(account.id)
            self._signed_out(account)

    async def _end_session(self, account: Account, session: Session) -> None:
        since = format_datetime(session.created_at)
        lines = [f"{account.display_name} an {session.host or session.desk}, seit {since}", KEPT]
        if await self._agreed(ConfirmDialog("Sitzung abmelden?", lines, "Abmelden", danger=True)):
            await self.desk.people.end_session(session.id)
            self._signed_out(account)

    def _signed_out(self, account: Account) -> None:
        self.desk_app.show_toast(f"{account.display_name} abgemeldet.")
        self.reload_soon()

    def action_lift_lock(self) -> None:
        """Lets the marked user try again after too many failures."""
        self._ask_and(self._lift_lock, "Entsperren")

    async def _lift_lock(self, account: Account) -> None:
        await self.desk.people.lift_lock(account.id)
        self.desk_app.show_toast(f"{account.display_name} kann sich wieder anmelden.")
        self.reload_soon()

    async def action_audit(self) -> None:
        """What everybody did."""
        await self.desk_app.go_to("audit")

    def action_delete(self) -> None:
        """Deletes the marked user, who has not done anything yet."""
        self._ask_and(self._delete, "Benutzer löschen")

    async def _delete(self, account: Account) -> None:
        lines = [f"{account.username} · {account.display_name}", "Das lässt sich nicht zurücknehmen."]
        if await self._agreed(ConfirmDialog("Benutzer löschen?", lines, "Löschen", danger=True)):
            await self.desk.people.delete(account.id)
            self.desk_app.show_toast(f"Benutzer {account.username} gelöscht.")
            self.reload_soon()

    async def _agreed(self, question: ConfirmDialog) -> bool:
        return bool(cast("bool | None", await self.app.push_screen_wait(question)))

    def _ask_and(self, act: Callable[[Account], Awaitable[None]], what: str) -> None:
        account = self._marked
        if account is None:
            return

        async def run() -> None:
            await act(account)

        write(self, run(), what)


KEPT = "Was dort getippt und nicht gespeichert ist, bleibt hinter der Sperre stehen."


def state_words(account: Account) -> str:
    """Glyph and word of the strongest thing to say about an account."""
    if not account.active:
        return "○ deaktiviert"
    if account.locked:
        return "╳ gesperrt"
    return "◐ muss Passwort ändern" if account.must_change_password else "● aktiv"


def _row(account: Account) -> Row:
    cells = (
        account.username,
        account.full_name or "",
        role_label(account.role),
        state_words(account),
        _moment(account.last_login),
        str(account.open_sessions or ""),
        str(account.recent_failures or ""),
    )
    return account.id, tuple(clean_line(cell) for cell in cells), "" if account.active else "dim"


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else format_datetime(moment)


def _search_text(account: Account) -> str:
    words = (account.username, account.full_name, account.email, role_label(account.role))
    return search_key(" ".join(word for word in (*words, state_words(account)) if word))
