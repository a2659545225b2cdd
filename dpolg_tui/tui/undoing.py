"""Strg+Z and Strg+Y: my last changes are taken back and done again, with a sentence about each."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from dpolg_tui.desk.undo import Told
from dpolg_tui.domain.german import clean_line
from dpolg_tui.tui.work import write

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp


UNDO_INSTEAD = "Noch einmal Strg+Z nimmt stattdessen „{}“ zurück."
REDO_INSTEAD = "Noch einmal Strg+Y stellt stattdessen „{}“ wieder her."


def tell(app: DeskApp, told: Told, offer: str = "") -> None:
    """What became of it, as a toast. ``offer``: how to go on to another change, whose words it takes."""
    sentence = f"{told.sentence} {offer.format(told.instead)}" if told.instead and offer else told.sentence
    app.show_toast(clean_line(sentence), "information" if told.done else "warning")


class UndoActions:
    """The actions of the app; where they make sense the screens say (``may_undo``)."""

    @property
    def _me(self) -> DeskApp:
        return cast("DeskApp", self)

    def action_undo(self) -> None:
        write(self._me, self._undo(), "Zurücknehmen")

    async def _undo(self) -> None:
        tell(self._me, await self._me.desk.undo.undo(), UNDO_INSTEAD)

    def action_redo(self) -> None:
        write(self._me, self._redo(), "Wiederherstellen")

    async def _redo(self) -> None:
        tell(self._me, await self._me.desk.undo.redo(), REDO_INSTEAD)

    def action_last_changes(self) -> None:
        from dpolg_tui.tui.dialogs.last_changes import LastChangesDialog

        self._me.push_screen(LastChangesDialog())
