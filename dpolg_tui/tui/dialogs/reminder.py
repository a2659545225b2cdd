"""A reminder: what is to be done, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.reminders import ReminderActions
from dpolg_tui.domain.german import parse_date
from dpolg_tui.domain.labels import value_label
from dpolg_tui.domain.models import Priority, WriteResult
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.drafting import draft_of
from dpolg_tui.tui.widgets.fields import ChoiceField, DateField, NotesField, TextField
from dpolg_tui.tui.widgets.form import Form


class ReminderDialog(RecordDialog):
    """Creates or edits a reminder of a booking."""

    KIND = "reminder"
    WORD = "Erinnerung"
    HELP = (
        "Titel und Tag genügen. Tage: heute · morgen · +7 · mo · 21.11. "
        "Eine zurückgestellte Erinnerung gilt bis zu ihrem Tag nicht als fällig."
    )

    def __init__(self, booking_id: int | None, reminder_id: int | None = None) -> None:
        self._booking_id = booking_id
        super().__init__("Erinnerung" if reminder_id is not None else "Neue Erinnerung", reminder_id)

    @property
    def actions(self) -> ReminderActions:
        return self.desk.reminders

    def make_form(self) -> Form:
        return Form(
            TextField("title", max_length=300, required=True),
            DateField("due_date", self._parse_day, required=True),
            ChoiceField("priority", [Option(value_label("priority", each), each) for each in Priority]),
            DateField("snoozed_until", self._parse_day, "Zurückstellen bis"),
            NotesField("description", max_length=10_000),
            label_width=18,
        )

    def _parse_day(self, text: str) -> date:
        return parse_date(text, today=self.desk.today())

    def draft(self) -> Draft | None:
        if self.desk.outbox.has_form(self.form.draft_id):
            return None  # it is in the queue, also if the program is killed now
        values = {"booking_id": self._booking_id}
        return draft_of(self.KIND, self.record_id, self.WORD, self.form, values, self.typed)

    def defaults(self) -> Mapping[str, object]:
        return {"priority": Priority.MEDIUM}

    async def fetch(self, record_id: int) -> Mapping[str, object]:
        return asdict(await self.desk.reminders.get(record_id))

    async def create(self, values: dict[str, object]) -> WriteResult:
        return await super().create({**values, "booking_id": self._booking_id})
