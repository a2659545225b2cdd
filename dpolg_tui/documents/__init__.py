"""What the house prints, as PDF. Needs the extra ``pdf``; without it ``available`` says no."""

from __future__ import annotations

from importlib.util import find_spec

MISSING = "Für PDF fehlt das Zusatzpaket „pdf“: pip install 'dpolg-tui[pdf]'."
_EXTRA = ("reportlab", "font_source_sans_pro")


def available() -> bool:
    """Whether the extra is installed; loads nothing."""
    return all(find_spec(name) is not None for name in _EXTRA)
