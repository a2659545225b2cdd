"""The main places: each has its own stack of screens, imported when first shown."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from textual.screen import Screen

PLACES = {
    "chart": ("dpolg_tui.tui.screens.chart", "ChartScreen"),
    "guests": ("dpolg_tui.tui.screens.guests", "GuestsScreen"),
    "rooms": ("dpolg_tui.tui.screens.rooms", "RoomsScreen"),
    "legacy": ("dpolg_tui.tui.screens.legacy", "LegacyScreen"),
}
FOR_ADMINS = frozenset({"legacy"})


def load(module: str, name: str) -> Screen[Any]:
    """A screen of that class."""
    return cast("Screen[Any]", getattr(import_module(module), name)())
