"""The line at the bottom."""

from __future__ import annotations

from textual.widgets import Static


class DeskFooter(Static):
    """The keys that work right now."""
