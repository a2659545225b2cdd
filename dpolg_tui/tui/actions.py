"""The registry of actions: every action of the program once, with label, key and help.

Each scope lists its own in ``actions_<scope>.py``; screens take their key bindings from here with
``BINDINGS = bindings("<scope>")``, and footer, command palette and F1 help read the same tuples.
"""

from __future__ import annotations

from textual.binding import Binding, BindingType

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action
from dpolg_tui.tui.actions_admin import ADMIN_ACTIONS
from dpolg_tui.tui.actions_app import APP_ACTIONS
from dpolg_tui.tui.actions_audit import AUDIT_ACTIONS
from dpolg_tui.tui.actions_chart import CHART_ACTIONS
from dpolg_tui.tui.actions_forms import FORM_ACTIONS
from dpolg_tui.tui.actions_health import HEALTH_ACTIONS

__all__ = ["ACTIONS", "Action", "actions_of", "allowed", "bindings", "key_label"]

ACTIONS: tuple[Action, ...] = (
    *CHART_ACTIONS,
    *FORM_ACTIONS,
    *ADMIN_ACTIONS,
    *AUDIT_ACTIONS,
    *HEALTH_ACTIONS,
    *APP_ACTIONS,
)

_BY_NAME = {action.name: action for action in ACTIONS}

_KEY_NAMES = {
    "enter": "Enter",
    "escape": "Esc",
    "delete": "Entf",
    "insert": "Einfg",
    "pageup": "Bild↑",
    "pagedown": "Bild↓",
    "home": "Pos1",
    "end": "Ende",
    "left": "←",
    "right": "→",
    "up": "↑",
    "down": "↓",
    "tab": "Tab",
    "space": "Leer",
    "backspace": "Rück",
    "slash": "/",
    "plus": "+",
    "minus": "-",
    "full_stop": ".",
    "comma": ",",
    "question_mark": "?",
    "ctrl": "Strg",
    "shift": "Umschalt",
    "alt": "Alt",
}


def key_label(key: str) -> str:
    """What is printed on a German keyboard for a Textual key: ``ctrl+p`` → ``Strg+P``."""
    first = key.split(",")[0]
    parts = first.split("+")
    named = [_KEY_NAMES.get(part, part) for part in parts]
    last = parts[-1]
    if (len(parts) > 1 and len(last) == 1) or (len(last) > 1 and last[0] == "f" and last[1:].isdigit()):
        named[-1] = last.upper()
    return "+".join(named)


def actions_of(scope: str, role: Role | None = None, *, everyone: bool = False) -> tuple[Action, ...]:
    """The actions of a scope that ``role`` may use, in the order of the registry."""
    return tuple(action for action in ACTIONS if action.scope == scope and (everyone or action.allowed(role)))


def allowed(scope: str, method: str, role: Role | None) -> bool:
    """Whether somebody with ``role`` may use a method of a scope; what is no action is nobody's secret."""
    action = _BY_NAME.get(f"{scope}.{method}")
    return action is None or action.allowed(role)


def bindings(scope: str) -> list[BindingType]:
    """Key bindings of all actions of a scope, for the ``BINDINGS`` of a screen or a widget."""
    return [
        Binding(
            action.key,
            action.method,
            action.label,
            show=action.footer,
            key_display=key_label(action.key),
            priority=action.priority,
            id=action.name,
        )
        for action in actions_of(scope, everyone=True)
        if action.key
    ]
