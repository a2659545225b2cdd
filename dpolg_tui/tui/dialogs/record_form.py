"""A form dialog with the history of its record on a second page."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.desk.events import DeskEvent, RecordChanged
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import WriteResult
from dpolg_tui.domain.words import history_lines
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.form import FormDialog
from dpolg_tui.tui.widgets.history import History
from dpolg_tui.tui.work import read

LEAST_HEIGHT = 12
TO_HISTORY, TO_FORM = "Verlauf  Strg+T", "Angaben  Strg+T"


class RecordDialog(FormDialog):
    """Creates or edits a record that the desk has actions for, and shows who changed it."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("record")

    @property
    @abstractmethod
    def actions(self) -> RecordActions:
        """The desk's actions for this kind of record."""

    async def create(self, values: dict[str, object]) -> WriteResult:
        return await self.actions.create(values)

    async def save(self, record_id: int, changes: Changes, known: Mapping[str, object]) -> WriteResult:
        return await self.actions.save(record_id, changes, known)

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        if self.record_id is not None:
            history = History()
            history.display = False
            yield history

    def compose_buttons(self) -> ComposeResult:
        if self.record_id is not None:
            yield self.button(TO_HISTORY, "history")
        yield from super().compose_buttons()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A new record has no history; a form that is still being read has no place for it."""
        return action != "history" or (self.record_id is not None and self.form.ready)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "history":
            event.stop()
            self.action_history()

    @property
    def _history(self) -> History:
        return self.query_one(History)

    def action_history(self) -> None:
        """From the fields to the history, and back."""
        history, form = self._history, self.form
        to_history = not history.display
        # As high as the form, so that the frame stays where it is; a small form is too small for it.
        # The height of a large one is set, and its history has the same.
        height = form.styles.height
        if to_history and (height is None or height.is_auto):
            history.styles.height = max(form.size.height, LEAST_HEIGHT)
        history.display, form.display = to_history, not to_history
        self.query_one("#history", Button).label = Content(TO_FORM if to_history else TO_HISTORY)
        if to_history:
            history.table.focus()
            self._read_history()
        else:
            form.focus_first()

    def _read_history(self) -> None:
        if self.record_id is not None:
            read(self, self._load_history(self.record_id), "Verlauf lesen", group="history")

    async def _load_history(self, record_id: int) -> None:
        entries = await self.actions.history(record_id)
        self._history.show(history_lines(entries, self.desk.store.rooms, own=f"{self.KIND}s"))

    def action_save(self) -> None:
        """Saves; where something is missing the form shows it, so it must be in sight."""
        if self.record_id is not None and self._history.display:
            self.action_history()
        super().action_save()

    def heard(self, event: DeskEvent) -> None:
        """What a colleague changed is in the history, too."""
        super().heard(event)
        mine = isinstance(event, RecordChanged) and self.record_id is not None and self.concerns(event)
        if mine and self._history.display:
            self._read_history()
