"""The own password: old, new, new again."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Button, Input, Static

from dpolg_tui.domain.errors import DomainError, InvalidInput
from dpolg_tui.domain.passwords import LONGEST, RULE, check_password
from dpolg_tui.tui import work
from dpolg_tui.tui.dialogs.base import BaseDialog


def _field(name: str, title: str) -> Input:
    field = Input(password=True, id=name, max_length=LONGEST + 1, classes="framed")
    field.border_title = title
    return field


class PasswordDialog(BaseDialog[bool]):
    """Changes the password. ``forced``: after the first sign-in with a given one, knowing ``old``."""

    AUTO_FOCUS: ClassVar[str | None] = ""
    HELP = RULE
    GIVE_UP = "Abmelden"
    """What is left to whoever is forced to change the password, and does not."""

    def __init__(self, *, forced: bool = False, old: str = "") -> None:
        super().__init__("Neues Passwort festlegen" if forced else "Passwort ändern")
        self._forced = forced
        self._old = old

    def on_mount(self) -> None:
        self.query_one("#new" if self._old else "#old").focus()

    def compose_body(self) -> ComposeResult:
        if self._forced:
            yield Static(Content("Bitte ersetzen Sie das mitgeteilte Passwort durch ein eigenes."))
        yield Static(Content(RULE), classes="hint")
        if not self._old:
            yield _field("old", "Bisheriges Passwort")
        yield _field("new", "Neues Passwort")
        yield _field("again", "Neues Passwort noch einmal")
        yield Static("", id="password-error", classes="error", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Speichern", "save", primary=True)
        yield self.button(self.GIVE_UP if self._forced else "Abbrechen", "cancel")

    def _value(self, name: str) -> str:
        return self.query_one(f"#{name}", Input).value

    def _show(self, message: str, field: str = "new") -> None:
        self.query_one("#password-error", Static).update(Content(message))
        self.query_one("#save", Button).disabled = False
        for box in self.query(f"#{field}").results(Input):
            box.focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            event.stop()
            self.save()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.input.id == "again":
            self.save()
        else:
            self.focus_next()

    def save(self) -> None:
        """Checks what was typed and sends it."""
        button = self.query_one("#save", Button)
        if button.disabled or self.desk.user is None:
            return
        old, new = self._old or self._value("old"), self._value("new")
        try:
            if not old:
                raise InvalidInput("Bitte das bisherige Passwort eingeben.", "old")
            check_password(new, self.desk.user.username, full_name=self.desk.user.full_name)
            if new == old:
                raise InvalidInput("Das neue Passwort ist das alte: bitte ein anderes wählen.", "new")
            if new != self._value("again"):
                raise InvalidInput("Die beiden neuen Passwörter sind verschieden.", "again")
        except InvalidInput as error:
            self._show(error.message, error.field or "new")
            return
        button.disabled = True
        work.write(self, self._change(old, new), "Passwort ändern", failed=self._failed)

    async def _change(self, old: str, new: str) -> None:
        await self.desk.change_password(old, new)
        self.finish(True)
        self.app.notify("Passwort geändert")

    def _failed(self, error: DomainError) -> bool:
        self._show(error.message, getattr(error, "field", None) or ("new" if self._old else "old"))
        return True
