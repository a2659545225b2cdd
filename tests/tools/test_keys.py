"""The page of keys is what the registry says, complete, and one sheet of paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpolg_tui.tui.actions import ACTIONS, Action
from tools import keys

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["tasten.md", "tasten.html"])
def test_the_page_is_what_the_registry_says(name: str) -> None:
    path = DOCS / name
    assert path.read_text("utf-8") == keys.document(path.suffix), "please run make keys"


@pytest.mark.parametrize(
    "action", [action for action in ACTIONS if action.key], ids=lambda action: action.name
)
def test_every_key_is_on_the_page(action: Action) -> None:
    assert any(
        keys._keys(action) in line and action.label.split()[0] in line for line in keys.section(action.scope)
    )


def test_it_is_one_sheet() -> None:
    lines = keys.page().splitlines()
    assert len(lines) <= keys.LINES
    assert max(map(len, lines)) <= 2 * keys.COLUMN + len(keys._GAP)


def test_every_place_of_the_page_has_a_heading() -> None:
    assert {action.scope for action in ACTIONS if action.key} <= set(keys.SCOPES)
