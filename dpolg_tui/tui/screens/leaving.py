"""Screens that lie over a place, hold something typed, and give way to it again."""

from __future__ import annotations

from typing import ClassVar

from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.work import write


class LeavableScreen(DeskScreen):
    """Esc leads back. Subclasses set ``LEAVING``, the name of the job, and call ``super().__init__``."""

    LEAVING: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._leaving = False

    def action_leave(self) -> None:
        """Back, after asking if something typed would be lost."""
        if self.dirty:
            write(self, self._ask_and_leave(), self.LEAVING)
        else:
            self.leave()

    async def _ask_and_leave(self) -> None:
        if await self.ask_to_leave():
            self.leave()

    def leave(self) -> None:
        """Closes this screen; under another one (help, lock, another place) as soon as it is on top."""
        self._leaving = True
        if self.is_active:
            self.dismiss()

    def on_screen_resume(self) -> None:
        if self._leaving:
            self._leaving = False
            self.call_later(self.leave)
