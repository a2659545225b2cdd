"""Actions of the administration, and of the lists of sessions."""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action


def _act(name: str, key: str, label: str, text: str, *, footer: bool = True, palette: bool = True) -> Action:
    return Action(f"users.{name}", label, key, text, "users", role=Role.ADMIN, footer=footer, palette=palette)


USER_ACTIONS: tuple[Action, ...] = (
    _act("new", "n", "neu", "Legt einen Benutzer an; das erste Passwort wird einmal gezeigt."),
    _act("lift_lock", "e", "entsperren", "Hebt die Sperre nach zu vielen Fehlversuchen auf."),
    _act("open", "enter", "öffnen", "Öffnet den markierten Benutzer.", palette=False),
    _act("reset_password", "w", "Passwort neu", "Vergibt ein neues Passwort und meldet ihn überall ab."),
    _act("switch_active", "d", "de-/aktivieren", "Nimmt den Zugang oder gibt ihn wieder."),
    _act(
        "end_sessions",
        "a",
        "abmelden",
        "Meldet den markierten Benutzer überall ab; in der Liste der Sitzungen nur die markierte.",
    ),
    _act("delete", "delete", "löschen", "Löscht einen Benutzer, der noch nie etwas getan hat."),
    _act("audit", "p", "Protokoll", "Zeigt, wer was wann geändert hat.", palette=False),
    _act("search", "slash", "suchen", "Sucht nach Benutzername, Name, E-Mail, Rolle.", footer=False),
    _act(
        "leave", "escape", "zurück", "Leert die Suche, dann zum Belegungsplan.", footer=False, palette=False
    ),
)

SESSION_ACTIONS: tuple[Action, ...] = (
    Action(
        "account.end_session",
        "abmelden",
        "a,delete",
        "Meldet die markierte Sitzung ab.",
        "account",
        footer=True,
        palette=False,
    ),
    Action(
        "account.end_others",
        "alle anderen abmelden",
        "l",
        "Meldet alle eigenen Sitzungen ab, nur diese nicht.",
        "account",
        footer=True,
        palette=False,
    ),
    Action("account.password", "Passwort", "p", "Ändert das eigene Passwort.", "account", footer=True),
)

ADMIN_ACTIONS: tuple[Action, ...] = (*USER_ACTIONS, *SESSION_ACTIONS)
