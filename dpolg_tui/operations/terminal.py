"""What the terminal can do: its size, colours and keys, as far as a program can know."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TextIO

from dpolg_tui.domain.health_figures import TerminalFigures

_TRUE_COLOUR = 256**3
_KEYS = {
    **{f"kf{number}": f"F{number}" for number in range(1, 11)},
    "khome": "Pos1",
    "kend": "Ende",
    "kpp": "Bild↑",
    "knp": "Bild↓",
    "kdch1": "Entf",
}
"""Names of terminfo for keys that the desk uses."""


def look(
    environment: Mapping[str, str] | None = None, output: TextIO | None = None
) -> TerminalFigures | None:
    """The terminal of ``output`` (stdout); None if it is none, as under cron."""
    environment = os.environ if environment is None else environment
    output = output or sys.stdout
    if not output.isatty():
        return None
    size = os.get_terminal_size(output.fileno())
    name = environment.get("TERM", "")
    colours, missing = _described(name, output.fileno())
    if environment.get("COLORTERM", "").lower() in ("truecolor", "24bit") or "WT_SESSION" in environment:
        colours = _TRUE_COLOUR
    return TerminalFigures(
        columns=size.columns,
        lines=size.lines,
        colours=colours,
        missing_keys=missing,
        unicode=(output.encoding or "").lower().replace("-", "") == "utf8",
        name=name,
    )


def _described(name: str, descriptor: int) -> tuple[int, tuple[str, ...]]:
    """Colours and missing keys by the description of this terminal."""
    try:
        import curses
    except ImportError:
        # Windows has no descriptions; its terminals know all keys and colours.
        return _TRUE_COLOUR, ()
    try:
        curses.setupterm(name or "unknown", descriptor)
    except curses.error:
        return 0, tuple(_KEYS.values())
    missing = tuple(key for capability, key in _KEYS.items() if not curses.tigetstr(capability))
    return max(0, curses.tigetnum("colors")), missing
