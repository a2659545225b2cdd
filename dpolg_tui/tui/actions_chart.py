"""Actions of the occupancy chart."""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action


def _act(name: str, key: str, label: str, text: str, *, footer: bool = False) -> Action:
    return Action(f"chart.{name}", label, key, text, "chart", footer=footer)


def _move(name: str, key: str, text: str) -> Action:
    """A movement of the cursor: a key and a line of help, nothing for footer or palette."""
    return Action(f"chart.{name}", text, key, text, "chart", palette=False)


CURSOR_ACTIONS: tuple[Action, ...] = (
    _act("enter", "enter", "öffnen", "Öffnet die Buchung; legt Verschobenes ab.", footer=True),
    _act("pick_up", "m", "verschieben", "Hebt auf: Pfeile bewegen, Enter legt ab, Esc zurück.", footer=True),
    _act(
        "swap", "s", "tauschen", "Tauscht die Zimmer zweier Balken: erst den einen, dann den anderen wählen."
    ),
    _act("push", "S", "mit Nachbarn", "Hebt auf wie m; wer im Weg ist, wird mitverschoben."),
    _act("edit_departure", "e", "Abreise ändern", "Ändert das Ende: Pfeile, Enter, Esc."),
    _act("edit_arrival", "E", "Anreise ändern", "Ändert den Beginn: Pfeile, Enter, Esc."),
    _act("today", "t", "heute", "Geht zum heutigen Tag.", footer=True),
    _act("zoom", "z", "Zoom", "Wechselt zwischen 2, 4 und 6 Spalten je Tag."),
    _act("mark", "v", "markieren", "Beginnt einen Zeitraum: Pfeile erweitern ihn, Esc hebt ihn auf."),
    _act("colour_key", "c", "Farben", "Wechselt die Bedeutung der Farben: Status, Gebäude, Zimmerart."),
    _act("fold", "space", "Gruppe auf/zu", "Klappt die Gruppe unter dem Cursor zu oder auf."),
    _act("grouping", "k", "Gruppieren", "Gruppiert nach Gebäude oder nach Zimmerart."),
    _move("left", "left", "einen Tag zurück"),
    _move("right", "right", "einen Tag weiter"),
    _move("up", "up", "ein Zimmer nach oben"),
    _move("down", "down", "ein Zimmer nach unten"),
    _move("extend_left", "shift+left", "markiert einen Tag zurück"),
    _move("extend_right", "shift+right", "markiert einen Tag weiter"),
    _move("page_left", "pageup", "ein Fenster zurück"),
    _move("page_right", "pagedown", "ein Fenster weiter"),
    _move("page_up", "ctrl+up", "eine Seite Zimmer nach oben"),
    _move("page_down", "ctrl+down", "eine Seite Zimmer nach unten"),
    _move("home", "home", "erster Tag im Fenster, dann erstes Zimmer"),
    _move("end", "end", "letzter Tag im Fenster, dann letztes Zimmer"),
    Action(
        "chart.let_go",
        "aufheben",
        "escape",
        "Legt Verschobenes zurück oder hebt die Markierung auf.",
        "chart",
        footer=True,
        palette=False,
    ),
)
"""Handled by the chart widget itself."""

SCREEN_ACTIONS: tuple[Action, ...] = (
    _act("new", "n", "neu", "Neue Buchung im markierten Zeitraum oder ab dem Cursor.", footer=True),
    _act("search", "slash", "suchen", "Sucht Gäste und Buchungen und springt zum Balken.", footer=True),
    _act("go_to", "g", "gehe zu", "Geht zu einem Datum: 24.12., +14, mo …"),
    _act("check_in", "i", "einchecken", "Checkt den Gast ein."),
    _act("check_out", "o", "auschecken", "Checkt den Gast aus; früher abgereist wird das Zimmer frei."),
    _act("split", "x", "teilen", "Teilt den Aufenthalt vor der Nacht unter dem Cursor."),
    _act("join", "X", "verbinden", "Verbindet den Aufenthalt mit dem nächsten derselben Buchung."),
    _act("unassign", "u", "ohne Zimmer", "Nimmt dem Aufenthalt das Zimmer, ohne ihn zu stornieren."),
    _act("block", "b", "Sperre", "Sperrt das Zimmer im markierten Zeitraum oder öffnet die Sperre."),
    _act("filter", "f", "Filter", "Zeigt nur bestimmte Zimmer oder Aufenthalte."),
    _act("cancel", "delete", "stornieren", "Storniert die Buchung mit Grund; hebt eine Sperre auf."),
    _act("reopen", "r", "wieder öffnen", "Sucht eine stornierte Buchung und öffnet sie wieder."),
    Action(
        "chart.first_room",
        "Erstes Zimmer anlegen",
        "",
        "Öffnet das Formular für ein neues Zimmer.",
        "chart",
        role=Role.ADMIN,
    ),
)
"""Handled by the chart screen, with the desk."""

_FOOTER_ORDER = ("new", "enter", "let_go", "pick_up", "search", "today")
"""The footer of 80 columns has place for the first of these."""


def _place(action: Action) -> int:
    return _FOOTER_ORDER.index(action.method) if action.method in _FOOTER_ORDER else len(_FOOTER_ORDER)


CHART_ACTIONS: tuple[Action, ...] = tuple(sorted((*SCREEN_ACTIONS, *CURSOR_ACTIONS), key=_place))
