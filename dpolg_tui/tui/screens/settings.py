"""The settings of this computer: the connection to the database, tried out and saved, and the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Button, Static

from dpolg_tui.desk.settings import AUTOMATIC, FIELDS, OF_SCREEN, Result, Trial
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.saving import NOTHING_CHANGED, show_at_field
from dpolg_tui.tui.screens.leaving import LeavableScreen
from dpolg_tui.tui.widgets.field import Field, LineInput
from dpolg_tui.tui.widgets.fields import ChoiceField, NumberField, TextField
from dpolg_tui.tui.widgets.form import Form, Section
from dpolg_tui.tui.work import read, write

TESTING = "Die Verbindung wird getestet …"
LOOK_HERE = "◀ bitte prüfen"
MODES = (
    Option("automatisch", AUTOMATIC),
    Option("geprüft (verify-full)", "verify-full"),
    Option("ohne Servernamen (verify-ca)", "verify-ca"),
    Option("ungeprüft (require)", "require"),
    Option("wenn möglich (prefer)", "prefer"),
    Option("nur auf Verlangen (allow)", "allow"),
    Option("keine (disable)", "disable"),
)
THEMES = (
    Option("automatisch", "auto"),
    Option("dunkel", "dunkel"),
    Option("hell", "hell"),
    Option("Farben des Terminals", "16"),
)
_GLYPHS = {Result.OK: ("✓", "$text-success"), Result.FAILED: ("✗", "$text-error"), Result.SKIPPED: ("–", "")}


class SettingField(TextField):
    """A line of text with room for a word beside it."""

    EDITOR_WIDTH = 36


class HiddenField(SettingField):
    """A password: not shown, kept as it was typed, and never what is stored."""

    def editor(self) -> Widget:
        editor = LineInput(placeholder=self._placeholder)
        editor.password = True
        return editor

    def read(self, raw: object) -> object:
        return str(raw)

    def write(self, value: object) -> str:
        return str(value or "")


class WholeField(NumberField):
    """A number, with as much room beside it as the others have."""

    EDITOR_WIDTH = 36


class OptionField(ChoiceField):
    """One of a few, too."""

    EDITOR_WIDTH = 36


class SettingsScreen(LeavableScreen):
    """Where the database is and how to reach it; theme and idle lock. Works before the login, too."""

    SCOPE = "settings"
    LEAVING = "Einstellungen verlassen"
    TITLE = "Einstellungen"
    HELP = (
        "Server: Name oder Adresse; mehrere durch Komma getrennt, auch mit eigenem Port "
        "(db2.example.org:5433). Ein leeres Passwort lässt das gespeicherte gelten. Verschlüsselung "
        "„automatisch“ prüft das Zertifikat des Servers, außer auf diesem Rechner; die CA-Datei braucht nur, "
        "wer eine eigene Zertifizierungsstelle hat. „Verbindung testen“ nennt den Schritt, an dem es hakt, "
        "und speichert nichts. Farbschema und Sperre gelten mit dem Speichern; ein Terminal mit sechzehn "
        "Farben zeigt immer seine eigenen."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("settings")
    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self) -> None:
        super().__init__()
        self._saving = False

    def compose_body(self) -> ComposeResult:
        settings = self.desk.settings
        known = "unverändert" if settings.has_password else ""
        with Vertical(id="settings"):
            yield Static("Datenbankverbindung", classes="settings-title", markup=False)
            yield Form(
                SettingField("host", FIELDS["host"], max_length=500, required=True, placeholder="Server-IP"),
                WholeField("port", 1, 65535, required=True, label=FIELDS["port"]),
                SettingField("database", FIELDS["database"], required=True),
                SettingField("username", FIELDS["username"], required=True),
                HiddenField("password", FIELDS["password"], placeholder=known),
                OptionField("ssl_mode", MODES, FIELDS["ssl_mode"]),
                SettingField(
                    "ca_file",
                    FIELDS["ca_file"],
                    max_length=1000,
                    empty="",
                    placeholder="nur bei eigener CA, etwa ca.crt",
                ),
                Section("Bildschirm"),
                OptionField("theme", self._themes(), OF_SCREEN["theme"]),
                WholeField("idle_lock_minutes", 0, 720, required=True, label=OF_SCREEN["idle_lock_minutes"]),
            )
            with Horizontal(classes="dialog-buttons"):
                yield BaseDialog.button("Verbindung testen  Strg+T", "test")
                yield BaseDialog.button("Speichern  Strg+S", "save", primary=True)
                if self.desk.user is not None:
                    yield BaseDialog.button("Eigenes Passwort …", "password")
            with VerticalScroll(id="settings-result", can_focus=False):
                yield Static(self._where_saved(), id="settings-says", markup=False)

    def _where_saved(self) -> Content:
        """What stands below the form as long as nothing else is to be said."""
        settings = self.desk.settings
        if not settings.may_save:
            told = "Vorführung: die Angaben lassen sich ansehen und testen, aber nicht speichern."
        else:
            told = f"Gespeichert wird in {settings.path}."
        return Content.styled(told, "$text-muted")

    def _themes(self) -> tuple[Option, ...]:
        """What there is to choose from, and what somebody wrote into the file."""
        written = self.desk.settings.stored()["theme"]
        known = any(option.value == written for option in THEMES)
        return THEMES if known else (*THEMES, Option(str(written), written))

    @property
    def form(self) -> Form:
        """The fields."""
        return self.query_one(Form)

    @property
    def dirty(self) -> bool:
        return self.is_mounted and self.form.dirty

    def on_mount(self) -> None:
        settings = self.desk.settings
        self.form.load(settings.stored())
        self.form.field("idle_lock_minutes").note = "Minuten; 0: nie"
        for key, origin in settings.fixed().items():
            self.form.field(key).forbid(origin)
        self.form.focus_first()

    # While typing

    def on_field_changed(self, event: Field.Changed) -> None:
        """What was found out is about other values now."""
        event.stop()
        self._forget_trial()

    def _forget_trial(self) -> None:
        self.say(self._where_saved())
        for field in self.form.fields.values():
            if field.note == LOOK_HERE:
                field.note = ""

    def say(self, words: Content) -> None:
        """Puts words below the form."""
        self.query_one("#settings-says", Static).update(words)
        self.call_after_refresh(self._let_scroll)

    def on_resize(self) -> None:
        self.call_after_refresh(self._let_scroll)

    def _let_scroll(self) -> None:
        """Tab stops at what was found if it is longer than its place: the keyboard scrolls it then."""
        if self.is_mounted:
            found = self.query_one("#settings-result", VerticalScroll)
            found.can_focus = found.max_scroll_y > 0

    def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        if event.button.id == "test":
            self.action_test()
        elif event.button.id == "save":
            self.action_save()
        elif event.button.id == "password":
            self.desk_app.action_own_password()

    # Trying

    def action_test(self) -> None:
        """Tries the connection with what is typed."""
        self._forget_trial()
        read(self, self._test(), "Verbindung testen", group="test", failed=self._failed)

    async def _test(self) -> None:
        self.form.clear_errors()
        values = self.form.values()
        self.say(Content(TESTING))
        try:
            trial = await self.desk.settings.test(values)
        except BaseException:
            self.say(self._where_saved())
            raise
        self.say(report(trial))
        if trial.field:
            self.form.field(trial.field).note = LOOK_HERE

    def _failed(self, error: DomainError) -> bool:
        if not show_at_field(self.form, error):
            self.say(Content.styled(error.message, "$text-error"))
        return True

    # Saving

    def action_save(self) -> None:
        """Saves, uses what is saved, and closes."""
        if self._saving:
            return
        if not self.dirty and not self.desk.settings.first_start:
            self.desk_app.show_toast(NOTHING_CHANGED)
            return
        self._saving = True
        self._forget_trial()
        write(self, self._save(), "Konfiguration speichern", failed=self._failed)

    async def _save(self) -> None:
        try:
            self.form.clear_errors()
            warnings = await self.desk.settings.save(self.form.values())
        finally:
            self._saving = False
        self.desk_app.use_theme()
        later = " Die Verbindung gilt nach dem Abmelden." if self.desk.settings.waits else ""
        self.desk_app.show_toast(f"Konfiguration gespeichert!{later}")
        for warning in warnings:
            self.desk_app.show_toast(warning, "warning")
        self.form.load(self.desk.settings.stored())
        self.leave()


def report(trial: Trial) -> Content:
    """What a trial found: the verdict, then every step of every server."""
    if trial.works:
        lines = [Content.styled("Verbindung erfolgreich!", "bold $text-success")]
    else:
        lines = [Content.styled(f"Verbindung fehlgeschlagen: {trial.sentence}", "bold $text-error")]
    hosts = list(dict.fromkeys(step.host for step in trial.steps))
    for host in hosts:
        if len(hosts) > 1:
            lines.append(Content(host))
        for step in trial.steps:
            if step.host == host:
                glyph, colour = _GLYPHS[step.result]
                told = step.sentence if step.result is Result.OK or len(hosts) > 1 else ""
                words = f" {step.step}: {told}" if told else f" {step.step}"
                lines.append(Content.assemble((glyph, colour), words))
    return Content("\n").join(lines)
