"""Fixtures of the screens' tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What the program remembers goes to a directory of this test."""
    state = tmp_path / "state"
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: state)
    return state
