"""Every write of the desk passes here: sent at once, or queued until the database can be reached again."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dpolg_tui import locations
from dpolg_tui.db import rows
from dpolg_tui.db.state import Phase
from dpolg_tui.desk import labels
from dpolg_tui.desk.events import QueueChanged
from dpolg_tui.desk.offline import NotKept, Queued, QueueFile, State, Write
from dpolg_tui.domain.errors import (
    Busy,
    ClientTooOld,
    DomainError,
    MustChangePassword,
    NoSchema,
    OutcomeUnknown,
    ServerFull,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.log import log_defect

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dpolg_tui.desk.actions import RecordWrites
    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)

RETRY_PAUSE = 2.0
REQUESTS_KEPT = timedelta(days=25)
"""The database forgets request ids after 30 days: an unknown write that old is never sent again."""

REASONS = {
    Outcome.CONFLICT: "{who} hat inzwischen dasselbe geändert.",
    Outcome.TAKEN: "Das Zimmer ist inzwischen belegt: {way}.",
    Outcome.MISSING: "Den Eintrag gibt es nicht mehr: er wurde inzwischen gelöscht.",
}

TAKEN = "Sie sind an diesem Rechner schon einmal angemeldet: hier wird ohne Verbindung nichts vorgemerkt."


class Outbox:
    """The queue of the user who is signed in, and whether the last write is done."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._file: QueueFile | None = None
        self.items: tuple[Queued, ...] = ()
        """In the order in which they will be sent."""
        self.problem = ""
        """Why the queue of the last time could not be read."""
        self._aliases: dict[int, int] = {}
        self._under_way: dict[UUID, Write] = {}
        self._last_state = ""
        self._sender: asyncio.Task[None] | None = None

    # -- whose queue -----------------------------------------------------------------------------

    def open(self) -> None:
        """After the sign-in: the queue of this user, from the last time too."""
        user, desk = self._desk.user, self._desk
        if user is None or not desk.config.desk.offline_queue:
            return
        file = QueueFile(locations.private_file("queue", desk.instance, user.id))
        try:
            if not file.take():
                self.problem = TAKEN
                return
            self.items = tuple(file.load())
        except NotKept as error:
            self.problem = error.message
            if file.path.exists():  # never overwritten
                file.release()
                return
        self._file = file
        for one in self.items:
            if not one.write.parts and not one.write.delete and one.temporary is not None:
                desk.known.note_queued(one.write.kind, one.temporary, one.write.typed_changes)
        self.send()

    def close(self) -> None:
        """Nobody is signed in: what waits stays in the file."""
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        if self._file is not None:
            self._keep_under_way()
            self._file.release()
        self._file = None
        self._under_way.clear()
        self.problem = ""
        self.items = ()
        self._aliases.clear()
        self._last_state = ""

    def _keep_under_way(self) -> None:
        """Nobody will hear the answers any more: the next sign-in resolves them."""
        for request, write in self._under_way.items():
            item = self._item(write, request, State.UNKNOWN)
            with suppress(NotKept):
                self._replace((*self.items, item), must_be_kept=True)

    @property
    def under_way(self) -> bool:
        """Whether a write has no answer yet."""
        return bool(self._under_way)

    @property
    def must_queue(self) -> bool:
        """Whether a write would wait now: without a connection, or behind others."""
        return bool(self.waiting) or self._desk.connection.phase is Phase.OFFLINE

    @property
    def usable(self) -> bool:
        """Whether anything may be kept for this user on this computer."""
        return self._file is not None

    @property
    def waiting(self) -> int:
        """How many will be sent without anybody's doing."""
        return sum(one.open for one in self.items)

    @property
    def save_state(self) -> str:
        """Of the last write: "", "done", "under way", "unknown" or "queued n"."""
        if any(one.state is State.UNKNOWN for one in self.items):
            return "unknown"
        if self.items:
            return f"queued {len(self.items)}"
        return "under way" if self._under_way else self._last_state

    def real_id(self, record_id: int) -> int:
        """The id that the database gave to a record created here without a connection."""
        return self._aliases.get(record_id, record_id)

    # -- writing ---------------------------------------------------------------------------------

    async def write(self, write: Write, request: UUID) -> dict[str, Any]:
        """The answer of the database, or ``{"outcome": "queued"}``; otherwise raises domain errors."""
        write = write.resolved(self._aliases)
        if self._file is not None and (self.must_queue or write.temporary_ids):
            return self._queue(write, request, State.WAITING)
        self._under_way[request] = write
        self._desk.tell(QueueChanged())
        try:
            answer = await write.send(self._desk.database, request)
        except OutcomeUnknown:
            self._last_state = "unknown"
            if self._file is None:
                raise
            with suppress(NotKept):  # then its user is asked to look, as without a queue
                return self._queue(write, request, State.UNKNOWN)
            raise
        except Unreachable:
            if self._file is None:
                raise
            return self._queue(write, request, State.WAITING)
        except asyncio.CancelledError:
            if request in self._under_way:
                self._last_state = "unknown"
            raise
        else:
            self._last_state = "done"
            return answer
        finally:
            self._under_way.pop(request, None)
            self._desk.tell(QueueChanged())

    def _item(self, write: Write, request: UUID, state: State) -> Queued:
        temporary = None
        if write.creates:
            known = [one.temporary for one in self.items if one.temporary is not None]
            temporary = min([0, *known, *self._aliases]) - 1
        label = labels.of_write(self._desk, write)
        return Queued(request, write, label, datetime.now(UTC), state, temporary)

    def _queue(self, write: Write, request: UUID, state: State) -> dict[str, Any]:
        item = self._item(write, request, state)
        self._replace((*self.items, item), must_be_kept=True)
        log.info("a write was queued: %s", state.value)
        self.send()
        return {"outcome": "queued", "id": item.temporary if write.creates else write.record_id}

    def _replace(self, items: tuple[Queued, ...], *, must_be_kept: bool = False) -> None:
        """Another queue, here and in the file.

        What was sent and cannot be taken out of a full disk is sent again after a restart, under its
        request id: that does nothing.
        """
        if self._file is not None:
            try:
                self._file.save(items)
            except NotKept:
                if must_be_kept:
                    raise
                log.warning("the queue could not be written")
        self.items = items
        self._desk.tell(QueueChanged())

    def discard(self, request: UUID) -> None:
        """Its user does not want it any more."""
        self._drop(one.write for one in self.items if one.request == request)
        self._replace(tuple(one for one in self.items if one.request != request))

    def settled(self, request: UUID, result: WriteResult) -> None:
        """A conflict was opened and saved: what waited for a record of it can go on."""
        settled = next((one for one in self.items if one.request == request), None)
        if settled is None:
            return
        if settled.temporary is not None and result.id is not None:
            self._aliases[settled.temporary] = result.id
        self._replace(
            tuple(
                replace(one, state=State.WAITING, reason="")
                if one.state is State.CONFLICT and settled.temporary in one.write.temporary_ids
                else one
                for one in self.items
                if one.request != request
            )
        )
        self.send()

    # -- sending ---------------------------------------------------------------------------------

    def send(self) -> None:
        """Begin to send what waits, if the same user is signed in and the database answers."""
        if self._sender is None and self._can_send:
            # In a context of its own: who queues may be in the middle of something else.
            loop = asyncio.get_running_loop()
            self._sender = loop.create_task(self._send_all(), name="outbox", context=Context())
            self._sender.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        if self._sender is task:
            self._sender = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log_defect(error)

    @property
    def _can_send(self) -> bool:
        desk = self._desk
        return bool(
            self.waiting
            and self._file is not None
            and desk.user is not None
            and desk.listening
            and desk.connection.phase is Phase.CONNECTED
        )

    async def _send_all(self) -> None:
        done: list[str] = []
        refused: list[str] = []
        while self._can_send:
            item = next(one for one in self.items if one.open)
            write = item.write.resolved(self._aliases)
            try:
                if item.state is State.UNKNOWN and datetime.now(UTC) - item.at > REQUESTS_KEPT:
                    raise DomainError("Ob das gespeichert wurde, ist nicht mehr zu klären: bitte nachsehen.")
                if write.temporary_ids:
                    raise DomainError("Ein Eintrag, auf den sich das bezieht, ist noch nicht gespeichert.")
                answer = await write.send(self._desk.database, item.request)
            except (Unreachable, OutcomeUnknown) as error:
                if isinstance(error, OutcomeUnknown):
                    self._update(item, state=State.UNKNOWN)
                await asyncio.sleep(RETRY_PAUSE)
            except (Busy, ServerFull):
                await asyncio.sleep(RETRY_PAUSE)
            except (SessionEnded, MustChangePassword, ClientTooOld, NoSchema):
                break  # goes on when the same user has signed in again
            except DomainError as error:
                self._update(item, state=State.CONFLICT, reason=error.message)
                refused.append(item.label)
            else:
                (done if self._answered(item, write, answer) else refused).append(item.label)
        if done or refused:
            self._desk.tell(QueueChanged(tuple(done), tuple(refused)))

    def _update(self, item: Queued, **values: Any) -> None:
        self._replace(
            tuple(replace(one, **values) if one.request == item.request else one for one in self.items)
        )

        if values.get("state") is State.CONFLICT:
            self._drop([item.write])

    def _drop(self, dropped: Iterable[Write]) -> None:
        """They will not happen: bars stand where they are stored, and what is known is read anew."""
        desk = self._desk
        for write in dropped:
            for one in write.parts or (write,):
                if one.record_id is None:
                    continue
                desk.known.forget(one.kind, one.record_id)
                if one.kind == "booking":
                    desk.bookings.shown_as_stored(desk.store.of_booking(one.record_id))
                elif one.kind == "block" and (bar := desk.store.occupancies.get(one.record_id)):
                    desk.bookings.shown_as_stored([bar])

    def _deliver(self, write: Write, answer: dict[str, Any]) -> WriteResult:
        """Store and screens hear what the database answered."""
        desk = self._desk
        if write.parts:
            changes = {(part.kind, part.record_id or 0): part.typed_changes for part in write.parts}
            return desk.bookings._several_written(answer, changes)
        actions: dict[str, RecordWrites] = {
            "booking": desk.bookings,
            "guest": desk.guests,
            "room": desk.rooms,
            "block": desk.blocks,
            "reminder": desk.reminders,
        }
        one = actions[write.kind]
        if write.delete:
            return one._deleted(write.record_id or 0, answer)
        return one._written(answer, "created" if write.creates else "updated", write.typed_changes)

    def _answered(self, item: Queued, write: Write, answer: dict[str, Any]) -> bool:
        """Whether it is done; if not, it stays as a conflict."""
        try:
            result = self._deliver(write, answer)
        except Exception as error:  # noqa: BLE001 - a defect here must not send it again, nor stop the rest
            log_defect(error)
            self._desk.read_again()
            result = rows.write_result(answer, {})
        if result.outcome is Outcome.DONE:
            if item.temporary is not None and result.id is not None:
                self._aliases[item.temporary] = result.id
            rest = (one for one in self.items if one.request != item.request)
            # In the file, too: after a restart nobody knows any more what a temporary id has become.
            self._replace(tuple(replace(one, write=one.write.resolved(self._aliases)) for one in rest))
            self._last_state = "done"
            return True
        way = ", ".join(other.label for other in result.in_the_way)
        reason = REASONS[result.outcome].format(who=result.changed_by or "Jemand", way=way)
        self._update(item, state=State.CONFLICT, reason=reason, changed_by=result.changed_by)
        return False
