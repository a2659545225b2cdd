"""The registry of actions: complete, without contradictions, and every action has its method."""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from typing import Any

import pytest
from textual.binding import Binding

from dpolg_tui.domain.models import Role
from dpolg_tui.tui import dialogs, screens, widgets
from dpolg_tui.tui.actions import ACTIONS, Action, actions_of, bindings, key_label
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.places import PLACES

SCOPES = sorted({action.scope for action in ACTIONS} - {"app"})


def classes() -> list[type[Any]]:
    """Every screen, dialog and widget of the desk."""
    found: dict[type[Any], None] = {}
    for package in (screens, dialogs, widgets):
        for module in pkgutil.iter_modules(package.__path__):
            for thing in vars(importlib.import_module(f"{package.__name__}.{module.name}")).values():
                if isinstance(thing, type) and thing.__module__.startswith("dpolg_tui.tui."):
                    found[thing] = None
    return list(found)


def bound_by(thing: type[Any]) -> set[str]:
    """Names of the actions to which a class binds keys itself."""
    own = vars(thing).get("BINDINGS", ())
    return {binding.id for binding in own if isinstance(binding, Binding) and binding.id}


def test_names_are_unique() -> None:
    assert [name for name, times in Counter(action.name for action in ACTIONS).items() if times > 1] == []


@pytest.mark.parametrize("scope", SCOPES)
def test_no_two_actions_that_are_reachable_together_share_a_key(scope: str) -> None:
    keys = Counter(
        key
        for action in ACTIONS
        if action.scope in (scope, "app") and action.key
        for key in action.key.split(",")
    )
    assert [key for key, times in keys.items() if times > 1] == []


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_has_label_and_help(action: Action) -> None:
    assert action.label.strip()
    assert action.help.strip()
    assert action.name == f"{action.scope}.{action.method}"


@pytest.mark.parametrize("action", actions_of("app", everyone=True), ids=lambda action: action.name)
def test_the_app_has_a_method_for_every_action_of_its_own(action: Action) -> None:
    assert callable(getattr(DeskApp, f"action_{action.method}", None))


@pytest.mark.parametrize("scope", SCOPES)
def test_every_action_has_somebody_who_does_it(scope: str) -> None:
    missing = [
        action.name
        for action in actions_of(scope, everyone=True)
        if not any(
            hasattr(thing, f"action_{action.method}")
            for thing in classes()
            if getattr(thing, "SCOPE", "") == scope or action.name in bound_by(thing)
        )
    ]
    assert missing == []


def test_whoever_binds_a_key_has_the_method() -> None:
    methods = {action.name: f"action_{action.method}" for action in ACTIONS}
    missing = [
        (thing.__name__, name)
        for thing in classes()
        for name in bound_by(thing)
        if not hasattr(thing, methods[name])
    ]
    assert missing == []


def test_every_action_can_be_reached_by_key_or_palette() -> None:
    assert [action.name for action in ACTIONS if not action.key and not action.palette] == []


def test_places_are_keys_of_the_function_row() -> None:
    keys = {action.method: action.key for action in actions_of("app", everyone=True)}
    assert {place: keys[place] for place in PLACES} == {
        "chart": "f2",
        "guests": "f4",
        "rooms": "f5",
        "users": "f9",
        "audit": "",  # p in the users
        "health": "",
        "legacy": "",
    }


def test_bindings_come_from_the_registry() -> None:
    by_id = {binding.id: binding for binding in bindings("app")}  # type: ignore[union-attr]
    assert by_id["app.help"].key == "f1"  # type: ignore[union-attr]
    assert "app.sign_out" not in by_id  # no key: only the palette offers it


@pytest.mark.parametrize(
    ("key", "label"),
    [
        ("ctrl+p", "Strg+P"),
        ("f1", "F1"),
        ("delete", "Entf"),
        ("pageup", "Bild↑"),
        ("slash", "/"),
        ("n", "n"),
        ("E", "E"),
        ("j,down", "j"),
        ("shift+left", "Umschalt+←"),
    ],
)
def test_keys_are_named_as_on_a_german_keyboard(key: str, label: str) -> None:
    assert key_label(key) == label


def test_admin_actions_are_for_admins() -> None:
    action = Action("x.delete", "löschen", "", "Löscht.", "x", role=Role.ADMIN)
    assert action.allowed(Role.ADMIN)
    assert not action.allowed(Role.USER)
    assert not action.allowed(None)
