"""One row of the old file with all its cells, as far as schema legacy has them."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.legacy import LegacyRow, Place
from dpolg_tui.domain.words import EMPTY
from dpolg_tui.tui.dialogs.base import BaseDialog

LONGEST = 20_000
"""Characters of a cell that are shown."""


class LegacyRowDialog(BaseDialog[None]):
    """Shows a row: why it is in quarantine, what of it is kept."""

    HELP = "Pfeiltasten blättern, Esc schließt. Schlüsselcodes und Passwörter stehen hier als ***."
    AUTO_FOCUS = "VerticalScroll"

    def __init__(self, title: str, parts: Sequence[LegacyRow]) -> None:
        super().__init__(clean_line(title))
        self._parts = parts

    def compose_body(self) -> ComposeResult:
        with VerticalScroll(id="legacy-row"):
            if not self._parts:
                yield Static("Diese Zeile ist nicht mehr in den Altdaten.", markup=False)
            for number, part in enumerate(self._parts):
                gap = "help-heading" if number else ""
                yield Static(Content.styled(_heading(part), "bold"), classes=gap, markup=False)
                for name, text in part.cells:
                    yield Static(_line(name, text), markup=False)


def _heading(part: LegacyRow) -> str:
    if part.place is Place.QUARANTINE:
        return f"In Quarantäne: {clean_line(part.sentence or '')}"
    return "Aufbewahrt"


def _line(name: str, text: str | None) -> Content:
    lines = (text or EMPTY)[:LONGEST].splitlines() or [EMPTY]
    if text and len(text) > LONGEST:
        lines.append(f"… ({len(text)} Zeichen)")
    words = "\n".join(clean_line(line) for line in lines)
    return Content.assemble((clean_line(name), "$text-accent"), "  ", words)
