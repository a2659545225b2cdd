"""Writes the page of keys to print, from the registry of actions.

    .venv/bin/python tools/keys.py docs/tasten.md docs/tasten.html

The ending decides: a Markdown document, or a page that a browser prints on one A4.
"""

from __future__ import annotations

import html
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.actions import ACTIONS, Action, key_label

COLUMN = 47
"""Signs of a column; two of them and what is between are as wide as A4 in the type of the page."""
LINES = 87
"""Lines that A4 has room for."""
_KEYS = 15
_GAP = "   "
SCOPES = {
    "app": "Überall",
    "chart": "Belegungsplan (F2)",
    "booking": "Buchung",
    "reminders": "Erinnerungen einer Buchung",
    "guests": "Gäste (F4)",
    "rooms": "Zimmer (F5)",
    "dialog": "Formulare und Fenster",
    "record": "Gast, Zimmer, Sperre, Erinnerung",
    "calendar": "Kalender",
    "conflict": "Gleichzeitig geändert",
    "last_changes": "Meine letzten Änderungen",
    "account": "Mein Konto",
    "login": "Anmeldung",
    "settings": "Einstellungen",
    "users": "Verwaltung: Benutzer (F9)",
    "audit": "Protokoll (F9, p)",
    "audit_entry": "Ein Vorgang im Protokoll",
    "health": "Zustand",
    "legacy": "Altdaten",
}
"""The places of the program in the order of the page. A new scope needs its line here."""
_ADMINS = ("users", "audit", "audit_entry", "health", "legacy")
_HEAD = """\
# Alle Tasten

Zum Ausdrucken: [tasten.html](tasten.html) im Browser öffnen und drucken, das ist ein Blatt A4.
Erklärt sind die Tasten im [Handbuch](handbuch.md), am Bildschirm zeigt sie `F1`.
Geschrieben von `make keys` aus dem Programm selbst.

```text
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="de">
<head>
<meta charset="utf-8">
<title>DPolG Buchungssystem: alle Tasten</title>
<style>
@page {{ size: A4; margin: 10mm; }}
pre {{ font: 8pt/8.9pt "DejaVu Sans Mono", Menlo, Consolas, monospace; margin: 0; }}
</style>
</head>
<body>
<pre>{page}</pre>
</body>
</html>
"""


def page() -> str:
    """The keys in two columns of text."""
    sections = [*map(section, ordered_scopes()), _without_key()]
    halves = [(_column(sections[:cut]), _column(sections[cut:])) for cut in range(len(sections))]
    left, right = min(halves, key=lambda half: max(map(len, half)))
    left += [""] * (len(right) - len(left))
    right += [""] * (len(left) - len(right))
    rows = [f"{one:<{COLUMN}}{_GAP}{other}".rstrip() for one, other in zip(left, right, strict=True)]
    return "\n".join(["DPolG Buchungssystem: alle Tasten      * nur mit der Rolle Admin", "", *rows]).rstrip()


def _column(sections: list[list[str]]) -> list[str]:
    """One below the other, an empty line between."""
    return [line for lines in sections for line in (*lines, "")][:-1]


def ordered_scopes() -> list[str]:
    """All scopes that have keys; complains about one that has no place on the page."""
    used = {action.scope for action in ACTIONS if action.key}
    if missing := used - set(SCOPES):
        raise SystemExit(f"tools/keys.py needs a heading for {', '.join(sorted(missing))}")
    return [scope for scope in SCOPES if scope in used]


def section(scope: str) -> list[str]:
    """A heading and a line for each key of a scope."""
    found = [action for action in ACTIONS if action.scope == scope and action.key]
    lines = [line for action in found for line in _lines(_keys(action), _words(action))]
    return [_heading(SCOPES[scope], admin=scope in _ADMINS), *lines]


def _without_key() -> list[str]:
    found: Iterable[Action] = (action for action in ACTIONS if not action.key and action.palette)
    return [_heading("Ohne eigene Taste: Strg+P"), *(f"  {_words(action)}" for action in found)]


def _heading(words: str, *, admin: bool = False) -> str:
    return f"── {words}{' *' if admin else ''} ".ljust(COLUMN, "─")


def _lines(keys: str, words: str) -> list[str]:
    first, *rest = textwrap.wrap(words, COLUMN - _KEYS - 2)
    return [f"  {keys:<{_KEYS}}{first}", *(f"  {'':<{_KEYS}}{line}" for line in rest)]


def _keys(action: Action) -> str:
    shown = [key_label(key) for key in action.key.split(",")]
    # A capital letter is a key with Umschalt, which nobody sees on a keyboard.
    return " ".join(f"Umschalt+{key}" if len(key) == 1 and key.isupper() else key for key in shown)


def _words(action: Action) -> str:
    star = " *" if action.role is Role.ADMIN and action.scope not in _ADMINS else ""
    return f"{action.label}{star}"


def document(ending: str) -> str:
    """The page as Markdown (``.md``) or for a browser (``.html``)."""
    if ending == ".html":
        return _PAGE.format(page=html.escape(page(), quote=False))
    return f"{_HEAD}{page()}\n```\n"


def main(argv: list[str]) -> int:
    """Writes the files; the exit code."""
    for name in argv:
        path = Path(name)
        path.write_text(document(path.suffix), encoding="utf-8")
    return 0 if argv else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
