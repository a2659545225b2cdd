"""Strg+Z and Strg+Y: my last changes are taken back and done again, with a sentence about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dpolg_tui.desk.undo import Told
from dpolg_tui.tui.work import write

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp


def tell(app: DeskApp, told: Told) -> None:
    """What became of it, as a toast."""
    app.show_toast(told.sentence, "information" if told.done else "warning")


class UndoActions:
    """The actions of the app; where they make sense the screens say (``may_undo``)."""

    @property
    def _me(self) -> DeskApp:
        return cast("DeskApp", self)

    def action_undo(self) -> None:
        write(self._me, self._undo(), "Zurücknehmen")

    async def _undo(self) -> None:
        tell(self._me, await self._me.desk.undo.undo())

    def action_redo(self) -> None:
        write(self._me, self._redo(), "Wiederherstellen")

    async def _redo(self) -> None:
        tell(self._me, await self._me.desk.undo.redo())

    def action_last_changes(self) -> None:
        from dpolg_tui.tui.dialogs.last_changes import LastChangesDialog

        self._me.push_screen(LastChangesDialog())
