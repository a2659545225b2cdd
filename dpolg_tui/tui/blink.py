"""Cursors that stand still: a blinking one sends 1.7 kB/s over SSH, all day."""

from __future__ import annotations

from textual.widget import Widget
from textual.widgets import Input


def stop_blinking(widget: Widget) -> None:
    """Stops the cursor of a field that has just got the focus."""
    if isinstance(widget, Input) or hasattr(widget, "cursor_blink"):
        widget.cursor_blink = False
