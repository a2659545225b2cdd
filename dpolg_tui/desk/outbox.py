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

from dpolg_tui.db import rows
from dpolg_tui.db.state import Phase
from dpolg_tui.desk import labels
from dpolg_tui.desk.events import QueueChanged
from dpolg_tui.desk.offline import NotKept, Queued, State, Write, form_in_hand
from dpolg_tui.desk.queue import Queue
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


class Outbox(Queue):
    """Sends, and knows whether the last write is done."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._sender: asyncio.Task[None] | None = None

    def close(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            self._sender = None
        super().close()
        self._last_state = ""

    @property
    def under_way(self) -> bool:
        """Whether a write has no answer yet."""
        return bool(self._under_way)

    @property
    def must_queue(self) -> bool:
        """Whether a write would wait now: without a connection, or behind others."""
        return bool(self.waiting) or self._desk.connection.phase is Phase.OFFLINE

    @property
    def save_state(self) -> str:
        """Of the last write: "", "done", "under way", "unknown" or "queued n"."""
        if any(one.state is State.UNKNOWN for one in self.items):
            return "unknown"
        if self.items:
            return f"queued {len(self.items)}"
        return "under way" if self._under_way else self._last_state

    # -- writing ---------------------------------------------------------------------------------

    async def write(self, write: Write, request: UUID) -> dict[str, Any]:
        """The answer of the database, or ``{"outcome": "queued"}``; otherwise raises domain errors.

        Without a queue it raises Unreachable at once while the database is known to be away.
        """
        item = self._item(write.resolved(self._aliases), request)
        self._taken_back.clear()
        keeps = self.keeps(write)
        if keeps and (self.must_queue or item.write.temporary_ids):
            return self._queue(item, State.WAITING)
        if not keeps and self._desk.connection.phase is Phase.OFFLINE:
            raise Unreachable(self.refusal(write))
        self._under_way[request] = item
        self._journal()
        self._desk.tell(QueueChanged())
        try:
            answer = await item.write.send(self._desk.database, request)
        except OutcomeUnknown:
            self._last_state = "unknown"
            if not keeps:
                raise
            with suppress(NotKept):  # then its user is asked to look, as without a queue
                return self._queue(item, State.UNKNOWN)
            raise
        except Unreachable:
            if not keeps:
                # Not sent. That the settings may be wrong is no advice to whom they have served so far.
                raise Unreachable(self.refusal(write)) from None
            return self._queue(item, State.WAITING)
        except asyncio.CancelledError:
            if request in self._under_way:
                self._last_state = "unknown"
            raise
        else:
            is_done = answer["outcome"] == Outcome.DONE
            self._last_state = "done" if is_done else ""
            if is_done:
                self._desk.drafts.saved(item.form)
            return answer
        finally:
            if self._under_way.pop(request, None) is not None:
                self._journal()
            self._desk.tell(QueueChanged())

    def _item(self, write: Write, request: UUID) -> Queued:
        """As it would be queued; new records and stays get ids for the time until then."""
        last, temporary = self._last_number, None
        if write.creates:
            temporary = last = last - 1
        write, _ = write.numbered(last)
        label = labels.of_write(self._desk, write)
        at = datetime.now(UTC)
        return Queued(request, write, label, at, State.UNKNOWN, temporary, form=form_in_hand())

    def _queue(self, item: Queued, state: State) -> dict[str, Any]:
        label = labels.told_apart(item.label, item.at, [one.label for one in self.items])
        self._replace((*self.items, replace(item, label=label, state=state)), must_be_kept=True)
        self._desk.drafts.saved(item.form)
        log.info("a write was queued: %s", state.value)
        self.send()
        return {"outcome": "queued", "id": item.temporary if item.write.creates else item.write.record_id}

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
            item = item.resolved(self._aliases)
            try:
                answer = await self._send(item)
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
                (done if self._answered(item, answer) else refused).append(item.label)
        if done or refused:
            self._desk.tell(QueueChanged(tuple(done), tuple(refused)))

    async def _send(self, item: Queued) -> dict[str, Any]:
        if item.state is State.UNKNOWN and datetime.now(UTC) - item.at > REQUESTS_KEPT:
            raise DomainError("Ob das gespeichert wurde, ist nicht mehr zu klären: bitte nachsehen.")
        if item.write.temporary_ids:
            raise DomainError("Ein Eintrag, auf den sich das bezieht, ist noch nicht gespeichert.")
        self._sending = item.request
        self._journal()
        try:
            return await item.write.send(self._desk.database, item.request)
        finally:
            self._sending = None

    def _update(self, item: Queued, **values: Any) -> None:
        self._replace(
            tuple(replace(one, **values) if one.request == item.request else one for one in self.items)
        )

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
            "user": desk.people,  # what was being saved when the program was killed
        }
        one = actions[write.kind]
        if write.delete:
            return one._deleted(write.record_id or 0, answer)
        return one._written(answer, "created" if write.creates else "updated", write.typed_changes)

    def _answered(self, item: Queued, answer: dict[str, Any]) -> bool:
        """Whether it is done; if not, it stays as a conflict."""
        try:
            result = self._deliver(item.write, answer)
        except Exception as error:  # noqa: BLE001 - a defect here must not send it again, nor stop the rest
            log_defect(error)
            self._desk.read_again()
            result = rows.write_result(answer, {})
        if result.outcome is Outcome.DONE:
            self.learn(item, answer, result.id)
            rest = (one for one in self.items if one.request != item.request)
            # In the file, too: after a restart nobody knows any more what a temporary id has become.
            self._replace(tuple(one.resolved(self._aliases) for one in rest))
            self._last_state = "done"
            return True
        way = ", ".join(other.label for other in result.in_the_way)
        reason = REASONS[result.outcome].format(who=result.changed_by or "Jemand", way=way)
        self._update(
            item,
            state=State.CONFLICT,
            reason=reason,
            changed_by=result.changed_by,
            in_the_way=result.in_the_way,
        )
        return False
