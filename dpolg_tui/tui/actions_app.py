"""Actions that work everywhere: help, palette, main places, lock, leave."""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action

APP_ACTIONS: tuple[Action, ...] = (
    Action("app.help", "Hilfe", "f1", "Zeigt, was auf dieser Seite geht.", "app", footer=True, priority=True),
    Action(
        "app.palette",
        "Befehle",
        "ctrl+p",
        "Alle Befehle zum Suchen und Auswählen.",
        "app",
        footer=True,
        priority=True,
        palette=False,
    ),
    Action("app.chart", "Belegungsplan", "f2", "Öffnet den Belegungsplan.", "app"),
    Action("app.guests", "Gäste", "f4", "Öffnet die Liste der Gäste.", "app"),
    Action("app.rooms", "Zimmer", "f5", "Öffnet die Liste der Zimmer.", "app"),
    Action(
        "app.users",
        "Verwaltung",
        "f9",
        "Öffnet die Benutzer: anlegen, Rolle, Zugang, Sitzungen.",
        "app",
        role=Role.ADMIN,
    ),
    Action("app.audit", "Protokoll", "", "Zeigt, wer was wann geändert hat.", "app", role=Role.ADMIN),
    Action(
        "app.health",
        "Zustand",
        "",
        "Ob Server, Verbindung und Sicherungen in Ordnung sind, und was zu tun ist.",
        "app",
        role=Role.ADMIN,
    ),
    Action("app.undo", "zurücknehmen", "ctrl+z", "Nimmt meine letzte Änderung zurück.", "app"),
    Action("app.redo", "wiederherstellen", "ctrl+y", "Stellt das zuletzt Zurückgenommene wieder her.", "app"),
    Action(
        "app.last_changes",
        "Meine letzten Änderungen",
        "",
        "Zeigt, was ich geändert habe; jede lässt sich zurücknehmen.",
        "app",
    ),
    Action(
        "app.legacy",
        "Altdaten",
        "",
        "Was bei der Datenübernahme keinen Platz fand: Quarantäne und Aufbewahrtes.",
        "app",
        role=Role.ADMIN,
    ),
    Action(
        "app.lock",
        "Sperren",
        "ctrl+l",
        "Sperrt den Bildschirm; was offen ist, bleibt offen.",
        "app",
        priority=True,
    ),
    Action(
        "app.who_is_here", "Wer ist da?", "", "Zeigt, wer angemeldet ist und woran gearbeitet wird.", "app"
    ),
    Action(
        "app.queue",
        "Vorgemerkte Änderungen",
        "",
        "Zeigt, was ohne Verbindung gespeichert wurde und noch zu senden ist.",
        "app",
    ),
    Action(
        "app.missed",
        "Während der Unterbrechung",
        "",
        "Zeigt, was andere geändert haben, während die Verbindung fehlte.",
        "app",
    ),
    Action(
        "app.emergency_list",
        "Notfallliste schreiben",
        "",
        "Schreibt die nächsten sieben Tage in eine Datei zum Drucken.",
        "app",
    ),
    Action("app.own_account", "Mein Konto", "", "Zeigt die eigenen Sitzungen; ändert das Passwort.", "app"),
    Action("app.own_password", "Passwort ändern", "", "Ändert das eigene Passwort.", "app"),
    Action(
        "app.settings", "Einstellungen", "", "Zeigt, prüft und ändert die Verbindung zur Datenbank.", "app"
    ),
    Action("app.sign_out", "Abmelden", "", "Beendet die Sitzung und zeigt die Anmeldung.", "app"),
    Action("app.leave", "Beenden", "ctrl+q", "Beendet das Programm.", "app", footer=True, priority=True),
)
