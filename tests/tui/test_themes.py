"""The themes in terminals that do not know all colours."""

from __future__ import annotations

import pytest
from rich.color import Color as TerminalColor
from rich.color import ColorSystem
from textual.color import Color
from textual.theme import Theme

from dpolg_tui.tui.themes import THEMES

WEEKEND = 0.7
"""Share of $panel over $background, as chart.tcss has it."""


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_with_256_colours_backgrounds_are_greys_that_differ(theme: Theme) -> None:
    background, panel = Color.parse(theme.background or ""), Color.parse(theme.panel or "")
    shown = [_with_256_colours(one) for one in (background, background.blend(panel, WEEKEND), panel)]
    assert all(len(set(one)) == 1 for one in shown), shown
    assert len(set(shown)) == len(shown), shown


def _with_256_colours(color: Color) -> tuple[int, int, int]:
    return TerminalColor.parse(color.hex6).downgrade(ColorSystem.EIGHT_BIT).get_truecolor()
