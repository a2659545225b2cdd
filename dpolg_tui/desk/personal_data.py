"""Personal data of a guest: all of it into two files, or out of the house. For admins."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from dpolg_tui import log
from dpolg_tui.db import personal_data, rows
from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.errors import OutcomeUnknown
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.domain.person_report import person_report

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk


class PersonalDataActions:
    """What admins do when a guest asks about his data."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unsure: tuple[int, UUID] | None = None
        """A guest of whom nobody knows whether he was anonymised: the same once more is the same request."""

    async def export(self, guest_id: int) -> tuple[Path, Path]:
        """Everything held on a guest: a JSON file and a readable text. Raises RecordMissing, NotWritten."""
        with log.action("Auskunft erstellen"):
            found = await personal_data.export_guest(self._desk.database, guest_id, uuid4())
            return await asyncio.to_thread(self._write, guest_id, found)

    def _write(self, guest_id: int, found: Mapping[str, Any]) -> tuple[Path, Path]:
        files, name = self._desk.files, f"auskunft-gast-{guest_id}"
        with files.new(name, "json") as (json_path, file):
            json.dump(found, file, ensure_ascii=False, indent=2)
            with files.new(name, "txt") as (text_path, text):
                text.write(person_report(found))
        return json_path, text_path

    async def anonymise(self, guest_id: int) -> WriteResult:
        """Take the person out of a guest, his bookings, the log and the old data. It cannot be undone.

        Raises RuleViolated while a booking is not over.
        """
        unsure, self._unsure = self._unsure, None
        request = unsure[1] if unsure is not None and unsure[0] == guest_id else uuid4()
        try:
            with log.action("Gast anonymisieren"):
                answer = await personal_data.anonymise_guest(self._desk.database, guest_id, request)
        except (OutcomeUnknown, asyncio.CancelledError):
            self._unsure = guest_id, request
            raise
        self._desk.writes_answered += 1
        result = rows.write_result(answer, {})
        if result.outcome is Outcome.DONE:
            self._done(guest_id, answer["state"])
        return result

    def _done(self, guest_id: int, state: Mapping[str, Any]) -> None:
        """Bars show the name, which is gone; their notes follow with the news of the database."""
        store = self._desk.store
        self._desk.known.forget_person(guest_id)
        touched: list[int] = []
        for booking_id in store.bookings_of_guests([guest_id]):
            renamed = [
                replace(bar, last_name=state["last_name"], first_name=state["first_name"], has_notes=False)
                for bar in store.of_booking(booking_id)
            ]
            touched += store.apply(renamed, bookings=[booking_id])
        log.write_done("Guest", "anonymisiert", guest_id)
        self._desk.tell(
            RecordChanged(
                "guest", guest_id, "updated", own=True, by=self._desk.user, occupancies=tuple(touched)
            )
        )
