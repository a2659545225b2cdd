"""What the actions on all kinds of records share: measuring, writing, telling the own screens."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from dpolg_tui import log
from dpolg_tui.db import reads, rows
from dpolg_tui.desk.events import Action, Kind, RecordChanged
from dpolg_tui.desk.offline import Write
from dpolg_tui.domain.errors import OutcomeUnknown, Unreachable
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import HistoryEntry, Outcome, WriteResult

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

_LOG_NAMES: dict[str, str] = {
    "booking": "Booking",
    "guest": "Guest",
    "room": "Room",
    "block": "Block",
    "reminder": "Reminder",
    "user": "User",
}
GERMAN: dict[str, str] = {
    "booking": "Buchung",
    "guest": "Gast",
    "room": "Zimmer",
    "block": "Sperre",
    "reminder": "Erinnerung",
    "user": "Benutzer",
}
_LOG_ACTIONS: dict[str, str] = {"created": "erstellt", "updated": "geändert", "deleted": "gelöscht"}
_TABLES: dict[str, str] = {
    "booking": "bookings",
    "guest": "guests",
    "room": "rooms",
    "block": "occupancies",
    "reminder": "reminders",
}
MOST_HISTORY = 200


class RecordWrites(ABC):
    """Changing and deleting one kind of record."""

    kind: Kind

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._unsure: tuple[str, UUID] | None = None
        """The last change, if nobody knows whether it happened: the same once more is the same request."""

    async def save(
        self, record_id: int, changes: Changes, known: Mapping[str, object] | None = None
    ) -> WriteResult:
        """Change the fields that are named. ``known``: what the form took for stored, to tell what merged."""
        if not changes:
            return WriteResult(Outcome.DONE, id=record_id)
        return await self._save(record_id, changes, known)

    async def delete(self, record_id: int) -> WriteResult:
        """Delete a record; the database refuses it while anything refers to it."""
        with log.action(f"{GERMAN[self.kind]} löschen"):
            answer = await self._once(Write(self.kind, record_id, delete=True))
        return self._deleted(record_id, answer)

    def _deleted(self, record_id: int, answer: dict[str, Any]) -> WriteResult:
        self._desk.writes_answered += 1
        result = rows.write_result(answer, {})
        if result.outcome is Outcome.DONE:
            self._desk.undo.note(self.kind, record_id, "deleted", {}, answer)
            touched = self._forget(record_id)
            self._desk.known.forget(self.kind, record_id)
            self._done(record_id, "deleted", touched)
        return result

    async def _save(
        self, record_id: int | None, changes: Changes, known: Mapping[str, object] | None = None
    ) -> WriteResult:
        with log.action(f"{GERMAN[self.kind]} speichern"):
            answer = await self._once(Write.of(self.kind, record_id, changes))
        return self._written(answer, "created" if record_id is None else "updated", changes, known)

    def _written(
        self,
        answer: dict[str, Any],
        action: Action,
        changes: Changes | None = None,
        known: Mapping[str, object] | None = None,
    ) -> WriteResult:
        """What an answer says; of what is done, store and screens hear."""
        changes = changes or {}
        self._desk.writes_answered += 1
        result = rows.write_result(answer, changes, known=known)
        if result.outcome is Outcome.DONE and result.id is not None:
            self._desk.known.forget(self.kind, result.id)
            touched = self._take_over(result.id, answer, changes)
            self._desk.undo.note(self.kind, result.id, action, changes, answer)
            self._done(result.id, action, touched, self._booking_of(answer))
        return result

    async def _once(self, write: Write) -> dict[str, Any]:
        """Sends ``write`` under a request id: that of the last try if nobody knows whether it happened."""
        unsure, self._unsure = self._unsure, None
        request = unsure[1] if unsure is not None and unsure[0] == write.key else uuid4()
        try:
            return await self._desk.outbox.write(write, request)
        except (OutcomeUnknown, asyncio.CancelledError):
            self._unsure = write.key, request
            raise
        except Unreachable:
            self._unsure = unsure  # not sent: what nobody knew before, nobody knows still
            raise

    @abstractmethod
    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:
        """Put the answer of a write into the store; returns the bars that changed."""

    @abstractmethod
    def _forget(self, record_id: int) -> tuple[int, ...]:
        """Take a deleted record out of the store; returns the bars that went."""

    def _booking_of(self, answer: Mapping[str, Any]) -> int | None:  # noqa: ARG002
        """The booking to which a record belongs, for screens that show it."""
        return None

    def _done(
        self, record_id: int, action: Action, touched: tuple[int, ...], booking_id: int | None = None
    ) -> None:
        log.write_done(_LOG_NAMES[self.kind], _LOG_ACTIONS[action], record_id)
        self._desk.tell(
            RecordChanged(
                self.kind,
                record_id,
                action,
                own=True,
                by=self._desk.user,
                occupancies=touched,
                booking_id=booking_id,
            )
        )


class RecordActions(RecordWrites):
    """Create, change, delete and history of one kind of record."""

    async def create(self, values: Mapping[str, object]) -> WriteResult:
        """Create a record from its values; absent ones get the default of the database."""
        return await self._save(None, {field: Change(None, value) for field, value in values.items()})

    async def history(self, record_id: int) -> list[HistoryEntry]:
        """Who changed the record, newest first."""
        record_id = self._desk.outbox.real_id(record_id)
        if record_id < 0:
            return []  # the database does not know of it yet
        with log.action(f"{GERMAN[self.kind]}: Verlauf"):
            return await reads.history(self._desk.database, _TABLES[self.kind], record_id, MOST_HISTORY)
