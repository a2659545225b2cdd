"""A record in a dialog: loads it, follows colleagues, saves what changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import Button

from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.events import DeskEvent, RecordChanged, StoreReloaded
from dpolg_tui.desk.offline import saving
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.tui.abstract import AbstractMeta
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.drafting import draft_of
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.saving import queued_sentence, save_changes, saved_sentence, show_at_field
from dpolg_tui.tui.typed import Typed
from dpolg_tui.tui.widgets.form import Form
from dpolg_tui.tui.work import read, write


class FormDialog(Hearing, BaseDialog[int], metaclass=AbstractMeta):
    """Creates or edits one record; answers its id once it is saved.

    Subclasses make the form and say how to read, create and save.
    """

    SCOPE = "dialog"
    HELP = "Tab und Enter gehen zum nächsten Feld. Gespeichert wird nur, was geändert ist."
    KIND: ClassVar[str]
    """Kind of record, as the desk's events name it."""
    WORD: ClassVar[str]
    """The record in the sentences of toasts."""
    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    AUTO_FOCUS = ""  # set once there is something to type in
    typed: Typed | None = None
    """What was typed before and is wanted again."""

    def __init__(
        self, title: str, record_id: int | None, prefill: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(title)
        self.record_id = record_id
        self.form = self.make_form()
        self._prefill = dict(prefill or {})
        self._saving = False

    # What subclasses say

    @abstractmethod
    def make_form(self) -> Form:
        """The fields."""

    @abstractmethod
    async def fetch(self, record_id: int) -> Mapping[str, object]:
        """The stored values."""

    def defaults(self) -> Mapping[str, object]:
        """What a new record starts with."""
        return {}

    def judge(self, values: Mapping[str, object]) -> None:
        """Rules that concern several fields; raises ``InvalidInput``."""

    async def agreed(self) -> bool:
        """Asks before something with consequences is saved; False: back to the form."""
        return True

    @abstractmethod
    async def create(self, values: dict[str, object]) -> WriteResult:
        """Stores a new record."""

    @abstractmethod
    async def save(self, record_id: int, changes: Changes, known: Mapping[str, object]) -> WriteResult:
        """Stores what changed. ``known`` is what the form took for stored."""

    def loaded(self) -> None:
        """The stored values are shown."""

    async def taken(self, result: WriteResult) -> None:
        """The room is taken in that time; only records with dates meet this."""

    # The dialog

    def compose_body(self) -> ComposeResult:
        yield self.form

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Speichern  Strg+S", "save", primary=True)
        yield self.button("Abbrechen", "cancel")

    def on_mount(self) -> None:
        if self.record_id is None:
            self.form.load({**self.defaults(), **self._prefill})
            self._type_again()
            self.form.focus_first()
            self.loaded()
        else:
            self.form.ready = False
            read(self, self._load(self.record_id), f"{self.WORD} lesen", failed=self._not_loaded)

    async def _load(self, record_id: int) -> None:
        values = await self.fetch(record_id)
        self.form.load(values)
        self.form.ready = True
        self._type_again()
        self.form.focus_first()
        self.loaded()

    def _not_loaded(self, error: DomainError) -> bool:
        self.desk_app.show_toast(error.message, "error")
        self.finish(None)
        return True

    def set_title(self, title: str) -> None:
        """Name the record on the frame."""
        self.title = title
        self.query_one(".dialog").border_title = Content(title)

    @property
    def dirty(self) -> bool:
        return self.form.dirty

    def draft(self) -> Draft | None:
        if self.desk.outbox.has_form(self.form.draft_id):
            return None  # it is in the queue, also if the program is killed now
        return draft_of(self.KIND, self.record_id, self.title or self.WORD, self.form, typed=self.typed)

    def heard(self, event: DeskEvent) -> None:
        if isinstance(event, StoreReloaded) and self.record_id is not None and self.form.ready:
            # After an interruption nobody says what was changed, nor by whom.
            read(self, self._follow(self.record_id, "Jemand"), f"{self.WORD} lesen", group="follow")
        if not isinstance(event, RecordChanged) or event.own or self.record_id is None:
            return
        if self.concerns(event):
            by = event.by.display_name if event.by else "Jemand"
            if event.action == "deleted":
                self.desk_app.show_toast(f"{by} hat diesen Eintrag gelöscht: {self.title}", "warning")
            else:
                read(self, self._follow(self.record_id, by), f"{self.WORD} lesen", group="follow")

    def concerns(self, event: RecordChanged) -> bool:
        """Whether an event is about this record."""
        return event.kind == self.KIND and event.id == self.record_id

    async def _follow(self, record_id: int, by: str) -> None:
        refreshed, marked = self.form.colleague_saved(await self.fetch(record_id), by)
        if refreshed:
            self.desk_app.show_toast(f"{by} hat geändert: {', '.join(refreshed)}")
        if marked:
            self.desk_app.show_toast(
                f"{by} hat auch geändert: {', '.join(marked)}. Ihre Eingabe bleibt stehen.", "warning"
            )

    # Saving

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            event.stop()
            self.action_save()

    def action_save(self) -> None:
        """Saves, or shows at which field something is missing."""
        if self._saving or not self.form.ready:
            return
        self._saving = True
        write(self, self._save(), f"{self.WORD} speichern", failed=self._failed)

    async def _save(self) -> None:
        try:
            self.form.clear_errors()
            values = self.form.values()
            self.judge(values)
            if not await self.agreed():
                return
            with saving(self.form.draft_id):
                result = await self._send(values)
            if result is None:
                return
            match result.outcome:
                case Outcome.DONE:
                    self.desk_app.show_toast(saved_sentence(self.WORD, result))
                    self.finish(result.id if result.id is not None else self.record_id)
                    self._saved(result)
                case Outcome.QUEUED:
                    self.desk_app.show_toast(queued_sentence(self.WORD))
                    self.finish(result.id)
                    self._saved(result)
                case Outcome.TAKEN:
                    await self.taken(result)
                case _:
                    self.desk_app.show_toast(
                        "Den Eintrag gibt es nicht mehr: er wurde inzwischen gelöscht. "
                        "Ihre Eingaben stehen noch hier.",
                        "error",
                    )
        finally:
            self._saving = False

    async def _send(self, values: Mapping[str, object]) -> WriteResult | None:
        record_id = self.record_id
        if record_id is None:
            return await self.create({name: value for name, value in values.items() if value is not None})
        return await save_changes(
            self.desk_app, self.form, lambda changes, known: self.save(record_id, changes, known)
        )

    def _saved(self, result: WriteResult) -> None:
        if self.typed is not None:
            self.typed.saved(result)

    def _type_again(self) -> None:
        if self.typed is not None:
            self.typed.put_into(self.form)
            if self.typed.sentence:
                self.desk_app.show_toast(self.typed.sentence, "warning")

    def _failed(self, error: DomainError) -> bool:
        return show_at_field(self.form, error)
