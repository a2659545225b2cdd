"""All fields of a user."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import ClassVar, cast

from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.german import role_label
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import Role, WriteResult
from dpolg_tui.domain.people import Account, check_email
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.form import FormDialog
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.widgets.fields import ChoiceField, TextField
from dpolg_tui.tui.widgets.form import Form

ROLES = tuple(Option(role_label(role), role) for role in (Role.USER, Role.ADMIN))
ACCESS = (Option("● aktiv", True), Option("○ deaktiviert", False))


class EmailField(TextField):
    """Where a colleague gets mail."""

    def read(self, raw: object) -> object:
        super().read(raw)
        return check_email(str(raw))


class UserDialog(FormDialog):
    """Creates or edits a user. Nobody changes the own role or takes the own access."""

    KIND = "user"
    WORD = "Benutzer"
    HELP: ClassVar[str] = (
        "Der Benutzername dient zur Anmeldung, Groß- und Kleinschreibung sind gleich. "
        "Eine andere Rolle und ein deaktivierter Zugang melden den Benutzer überall ab; "
        "was dort getippt ist, bleibt stehen. Die eigene Rolle ändert nur ein anderer Admin."
    )

    def __init__(self, user_id: int | None = None) -> None:
        self._role = ChoiceField("role", ROLES)
        self._active = ChoiceField("active", ACCESS, "Zugang")
        super().__init__("Benutzer" if user_id is not None else "Neuer Benutzer", user_id)
        self.first_password = ""
        """Of a user who was just created."""

    def make_form(self) -> Form:
        return Form(
            TextField("username", max_length=50, required=True),
            TextField("full_name", placeholder="Vorname Nachname"),
            EmailField("email"),
            self._role,
            self._active,
        )

    def on_mount(self) -> None:
        own = self.desk.user is not None and self.record_id == self.desk.user.id
        self._role.disabled = self._active.disabled = own
        self._active.display = self.record_id is not None

    def defaults(self) -> Mapping[str, object]:
        return {"role": Role.USER, "active": True}

    async def fetch(self, record_id: int) -> Mapping[str, object]:
        return asdict(await self._account(record_id))

    async def _account(self, record_id: int) -> Account:
        for account in await self.desk.people.users():
            if account.id == record_id:
                return account
        raise RecordMissing

    def loaded(self) -> None:
        if self.record_id is not None:
            self.set_title(f"Benutzer: {self.form.field('username').original}")

    async def agreed(self) -> bool:
        """Asks before somebody is signed out everywhere."""
        if self.record_id is None or not (self._role.touched or self._active.touched):
            return True
        name = str(self.form.field("full_name").original or self.form.field("username").original)
        question = role_question(name, self._role.value) if self._role.touched else None
        if self._active.touched:
            question = access_question(name, active=bool(self._active.value))
        return question is None or bool(cast("bool | None", await self.app.push_screen_wait(question)))

    async def create(self, values: dict[str, object]) -> WriteResult:
        wanted = {name: value for name, value in values.items() if name != "active"}
        result, self.first_password = await self.desk.people.create(wanted)
        return result

    async def save(self, record_id: int, changes: Changes, known: Mapping[str, object]) -> WriteResult:
        return await self.desk.people.save(record_id, changes, known)


def role_question(name: str, role: object) -> ConfirmDialog:
    """Before a role is changed."""
    lines = [
        f"{name} wird {role_label(Role(str(role)))} und dafür überall abgemeldet.",
        "Mit dem Passwort geht es dort weiter, Getipptes bleibt stehen.",
    ]
    return ConfirmDialog("Rolle ändern?", lines, "Rolle ändern", danger=True)


def access_question(name: str, *, active: bool) -> ConfirmDialog:
    """Before access is taken or given back."""
    if active:
        return ConfirmDialog("Zugang wieder geben?", f"{name} kann sich wieder anmelden.", "Aktivieren")
    lines = [
        f"{name} wird überall abgemeldet und kann sich nicht mehr anmelden.",
        "Buchungen und Verlauf behalten den Namen.",
    ]
    return ConfirmDialog("Zugang deaktivieren?", lines, "Deaktivieren", danger=True)
