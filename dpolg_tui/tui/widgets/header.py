"""The line on top."""

from __future__ import annotations

from textual.widgets import Static


class DeskHeader(Static):
    """House, screen, day, who is signed in, who else is, and whether the database answers."""

    def show_state(self) -> None:
        """Paints again what may have changed."""
        self.refresh()
