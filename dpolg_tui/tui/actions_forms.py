"""Actions of the forms and lists: booking, guests, rooms, and the dialogs with keys of their own.

In a form letters are typed, so its keys are Strg with a letter that inputs, terminals and tmux leave
alone.
"""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action

FORM_ACTIONS: tuple[Action, ...] = (
    Action(
        "reminders.new",
        "neu",
        "n",
        "Legt eine Erinnerung an.",
        "reminders",
        footer=True,
        palette=False,
    ),
    Action(
        "reminders.open",
        "öffnen",
        "enter",
        "Öffnet die markierte Erinnerung.",
        "reminders",
        footer=True,
        palette=False,
    ),
    Action(
        "reminders.complete",
        "erledigt",
        "space",
        "Hakt die markierte Erinnerung ab; eine erledigte ist danach wieder offen.",
        "reminders",
        footer=True,
        palette=False,
    ),
    Action("booking.save", "speichern", "ctrl+s", "Speichert, was geändert ist.", "booking", footer=True),
    Action(
        "booking.calendar",
        "Kalender",
        "ctrl+o",
        "Öffnet den Kalender für das Datumsfeld, in dem Sie stehen, sonst für Anreise und Abreise.",
        "booking",
        footer=True,
    ),
    Action("booking.open_guest", "Gast öffnen", "ctrl+g", "Zeigt alle Angaben des Gastes.", "booking"),
    Action(
        "booking.next_tab",
        "Abschnitt",
        "ctrl+t",
        "Geht zum nächsten Abschnitt; in den Listen auch mit ← und →.",
        "booking",
        footer=True,
    ),
    Action(
        "booking.new_reminder",
        "neue Erinnerung",
        "",
        "Legt eine Erinnerung zu dieser Buchung an.",
        "booking",
    ),
    Action("booking.to_reminders", "Erinnerungen", "", "Geht zum Abschnitt Erinnerungen.", "booking"),
    Action("booking.to_history", "Verlauf", "", "Geht zum Abschnitt Verlauf.", "booking"),
    Action("booking.new_guest", "neuer Gast", "ctrl+n", "Legt einen neuen Gast an.", "booking", footer=True),
    Action(
        "booking.cancel",
        "stornieren",
        "ctrl+r",
        "Storniert die Buchung (mit Grund) oder holt eine stornierte zurück.",
        "booking",
    ),
    Action(
        "booking.delete",
        "Buchung löschen",
        "",
        "Löscht eine Buchung ohne Check-in und Zahlung für immer; sonst bitte stornieren.",
        "booking",
        role=Role.ADMIN,
    ),
    Action(
        "booking.leave", "zurück", "escape", "Verlässt das Formular.", "booking", footer=True, palette=False
    ),
    Action("guests.new", "neuer Gast", "n", "Legt einen neuen Gast an.", "guests", footer=True),
    Action(
        "guests.open", "öffnen", "enter", "Öffnet den markierten Gast.", "guests", footer=True, palette=False
    ),
    Action(
        "guests.search", "suchen", "slash", "Sucht nach Name, E-Mail, Telefon, Ort.", "guests", footer=True
    ),
    Action(
        "guests.delete",
        "löschen",
        "delete",
        "Löscht den markierten Gast, wenn nichts mehr auf ihn verweist.",
        "guests",
        role=Role.ADMIN,
        footer=True,
    ),
    Action(
        "guests.export",
        "Daten exportieren",
        "x",
        "Schreibt alles, was über den markierten Gast gespeichert ist, in zwei Dateien.",
        "guests",
        role=Role.ADMIN,
        footer=True,
    ),
    Action(
        "guests.anonymise",
        "anonymisieren",
        "a",
        "Löscht alle persönlichen Angaben des markierten Gastes für immer.",
        "guests",
        role=Role.ADMIN,
        footer=True,
    ),
    Action(
        "guests.leave",
        "zurück",
        "escape",
        "Leert die Suche, dann zurück zum Belegungsplan.",
        "guests",
        palette=False,
    ),
    Action(
        "rooms.new",
        "neues Zimmer",
        "n",
        "Legt ein neues Zimmer an.",
        "rooms",
        role=Role.ADMIN,
        footer=True,
    ),
    Action(
        "rooms.open", "öffnen", "enter", "Öffnet das markierte Zimmer.", "rooms", footer=True, palette=False
    ),
    Action(
        "rooms.search", "suchen", "slash", "Sucht nach Name, Zimmerart, Gebäude, Ort.", "rooms", footer=True
    ),
    Action(
        "rooms.block", "sperren", "b", "Sperrt das markierte Zimmer für einen Zeitraum.", "rooms", footer=True
    ),
    Action(
        "rooms.delete",
        "löschen",
        "delete",
        "Hebt in der Liste der Sperren die markierte auf; Admins löschen ein Zimmer, das nie belegt war.",
        "rooms",
        footer=True,
    ),
    Action(
        "rooms.leave",
        "zurück",
        "escape",
        "Leert die Suche, dann zurück zum Belegungsplan.",
        "rooms",
        palette=False,
    ),
    Action(
        "legacy.open",
        "öffnen",
        "enter",
        "Zeigt alle Angaben der markierten Zeile; in der Liste der Tabellen geht Enter zu deren Zeilen.",
        "legacy",
        footer=True,
        palette=False,
    ),
    Action("legacy.search", "suchen", "slash", "Sucht nach Wörtern und Nummern.", "legacy", footer=True),
    Action("legacy.next", "weiter", "plus", "Zeigt die nächsten Zeilen.", "legacy", footer=True),
    Action("legacy.back", "vorige", "minus", "Zeigt die vorigen Zeilen.", "legacy", footer=True),
    Action(
        "legacy.leave",
        "zurück",
        "escape",
        "Leert die Suche, dann zurück zum Belegungsplan.",
        "legacy",
        palette=False,
    ),
    Action("dialog.save", "übernehmen", "ctrl+s", "Übernimmt die Eingaben.", "dialog", footer=True),
    Action(
        "record.history",
        "Verlauf",
        "ctrl+t",
        "Zeigt, wer den Eintrag wann geändert hat; noch einmal: zurück zu den Angaben.",
        "record",
        footer=True,
        palette=False,
    ),
    Action("conflict.mine", "meins", "m", "In dieser Zeile soll mein Wert gelten.", "conflict", footer=True),
    Action(
        "conflict.theirs",
        "gespeichertes",
        "g",
        "In dieser Zeile soll gelten, was gespeichert ist.",
        "conflict",
        footer=True,
    ),
    Action(
        "conflict.save",
        "übernehmen",
        "ctrl+s",
        "Übernimmt die Auswahl und speichert.",
        "conflict",
        footer=True,
    ),
    Action(
        "last_changes.take_back",
        "zurücknehmen",
        "enter",
        "Nimmt die markierte Änderung zurück; eine zurückgenommene wird wiederhergestellt.",
        "last_changes",
        footer=True,
        palette=False,
    ),
    Action("calendar.today", "heute", "t", "Geht zum heutigen Tag.", "calendar", footer=True),
    Action(
        "login.settings",
        "Einstellungen",
        "f8",
        "Zeigt, prüft und ändert die Verbindung zur Datenbank, dazu Farbschema und Sperre.",
        "login",
        footer=True,
        palette=False,
    ),
    Action(
        "settings.test",
        "Verbindung testen",
        "ctrl+t",
        "Versucht die Verbindung mit diesen Angaben, ohne sie zu speichern.",
        "settings",
        footer=True,
    ),
    Action(
        "settings.save",
        "speichern",
        "ctrl+s",
        "Speichert die Angaben in der Konfigurationsdatei und benutzt sie.",
        "settings",
        footer=True,
    ),
    Action(
        "settings.leave",
        "zurück",
        "escape",
        "Verlässt die Einstellungen.",
        "settings",
        footer=True,
        palette=False,
    ),
)
