"""F1: what the visible screen is for and which keys work on it."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from dpolg_tui.tui.actions import Action, actions_of, key_label
from dpolg_tui.tui.dialogs.base import BaseDialog

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

Row = tuple[str, str]
COLUMNS = 67
"""Cells inside the dialog, which is as wide as a terminal of 80 columns allows."""


def help_for(app: DeskApp, screen: Screen[Any]) -> tuple[str, str, list[tuple[str, list[Row]]]]:
    """Title, text and keys of a screen or dialog for the user who is signed in."""
    scope = getattr(screen, "SCOPE", "")
    own = [_row(action) for action in actions_of(scope, app.role)] if scope else []
    known = {action.method for action in actions_of(scope, everyone=True)} if scope else set()
    own += [
        (binding.key_display or key_label(binding.key), binding.description)
        for node, binding, enabled, _tooltip in screen.active_bindings.values()
        if node is screen and enabled and _described(binding) and binding.action not in known
    ]
    everywhere = [
        _row(action)
        for action in actions_of("app", app.role)
        if app.check_action(action.method, ()) is not False
    ]
    sections = [("Auf dieser Seite", own), ("Überall", everywhere)]
    return screen.title or "", str(getattr(screen, "HELP", "")), [part for part in sections if part[1]]


def _described(binding: Binding) -> bool:
    return bool(binding.description) and not binding.system and binding.show


def _row(action: Action) -> Row:
    keys = " ".join(key_label(key) for key in action.key.split(",")) if action.key else "Strg+P"
    return keys, action.help if action.label == action.help else f"{action.label}: {action.help}"


class HelpDialog(BaseDialog[None]):
    """Help of one screen, to scroll through."""

    OVER_LOCK = True
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Schließen", key_display="Esc"),
        Binding("enter,q", "cancel", "Schließen", show=False),
    ]

    def __init__(self, title: str, text: str, sections: list[tuple[str, list[Row]]]) -> None:
        super().__init__(f"Hilfe: {title}" if title else "Hilfe")
        self._text = text
        self._sections = sections

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="help-body"):
            if self._text:
                yield Static(Content(self._text), markup=False)
            for heading, rows in self._sections:
                yield Static(Content.styled(heading, "bold"), classes="help-heading", markup=False)
                yield Static(_table(rows), markup=False)


def _table(rows: list[Row]) -> Content:
    """Keys in one column, words in the other, wrapped under themselves."""
    width = max(Content(keys).cell_length for keys, _ in rows)
    parts: list[str | tuple[str, str]] = []
    for keys, words in rows:
        pad = " " * (width - Content(keys).cell_length + 2)
        lines = textwrap.wrap(words, COLUMNS - width - 2)
        parts += [(keys, "bold $text-accent"), pad, f"\n{' ' * (width + 2)}".join(lines), "\n"]
    return Content.assemble(*parts[:-1])
