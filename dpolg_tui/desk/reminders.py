"""Reminders: to-dos with a due date, mostly of a booking."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from dpolg_tui import log
from dpolg_tui.db import reads, rows
from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Priority, Reminder, WriteResult

NOT_READ = (
    "Ohne Verbindung lässt sich diese Erinnerung nicht öffnen: "
    "sie wurde seit der Anmeldung noch nicht gelesen."
)


class ReminderActions(RecordActions):
    """What staff do with reminders. They are not in the store: whoever shows them reads them."""

    kind = "reminder"

    async def get(self, reminder_id: int) -> Reminder:
        """All fields. Raises RecordMissing."""
        with log.action("Erinnerung lesen"):
            return await self._desk.known.read("reminder", reminder_id, self._read, NOT_READ)

    async def _read(self, reminder_id: int) -> Reminder:
        found = await reads.reminders(self._desk.database, [reminder_id])
        if not found:
            raise RecordMissing
        return found[0]

    async def add(
        self,
        booking_id: int | None,
        title: str,
        due_date: date,
        description: str | None = None,
        priority: Priority = Priority.MEDIUM,
    ) -> WriteResult:
        """A new reminder by hand."""
        return await self.create(
            {
                "booking_id": booking_id,
                "title": title,
                "due_date": due_date,
                "description": description,
                "priority": priority,
            }
        )

    async def complete(self, reminder_id: int) -> WriteResult:
        """It is done; the database notes who and when. Done twice, the first stays named."""
        return await self.save(reminder_id, {"completed": Change(False, True)})

    async def reopen(self, reminder_id: int) -> WriteResult:
        """Completed by mistake."""
        return await self.save(reminder_id, {"completed": Change(True, False)})

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:  # noqa: ARG002
        self._desk.known.remember_reminder(rows.reminder(answer["state"]))
        return ()

    def _forget(self, record_id: int) -> tuple[int, ...]:
        self._desk.known.forget_reminder(record_id)
        return ()

    def _booking_of(self, answer: Mapping[str, Any]) -> int | None:
        booking_id: int | None = answer["state"]["booking_id"]
        return booking_id
