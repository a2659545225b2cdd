"""Actions of the audit log."""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action


def _act(name: str, key: str, label: str, text: str, *, footer: bool = True, palette: bool = True) -> Action:
    scope = name.partition(".")[0]
    return Action(name, label, key, text, scope, role=Role.ADMIN, footer=footer, palette=palette)


AUDIT_ACTIONS: tuple[Action, ...] = (
    _act(
        "audit.show", "enter", "ganz zeigen", "Zeigt den markierten Vorgang mit allen Feldern.", palette=False
    ),
    _act("audit.open", "o", "öffnen", "Öffnet, was geändert wurde: Buchung, Gast, Zimmer …"),
    _act("audit.filter", "f", "Filter", "Wählt Benutzer, Art, Eintrag, Feld und Zeitraum."),
    _act("audit.only", "d", "nur dies", "Zeigt nur die Vorgänge zum markierten Eintrag; noch einmal: alle."),
    _act("audit.export", "ctrl+e", "CSV", "Schreibt, was der Filter zeigt, in eine CSV-Datei."),
    _act(
        "audit.leave",
        "escape",
        "zurück",
        "Hebt den Filter auf, dann zurück zur Verwaltung.",
        footer=False,
        palette=False,
    ),
    _act("audit_entry.open", "o", "öffnen", "Öffnet, was geändert wurde.", palette=False),
    _act("audit_entry.only", "d", "nur dies", "Zeigt nur die Vorgänge zu diesem Eintrag.", palette=False),
)
