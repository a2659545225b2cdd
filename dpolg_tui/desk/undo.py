"""My last changes: kept as they are answered, taken back and done again as new changes.

Whatever is written through the actions of this package comes by here; a new kind of record needs
no more than its words. One user's list: it goes with the session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, cast
from uuid import UUID, uuid4

from dpolg_tui import log
from dpolg_tui.db import writes
from dpolg_tui.desk import effects
from dpolg_tui.desk.effects import Action
from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput, NotAllowed, OutcomeUnknown, RecordMissing, RuleViolated
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import BookingSummary, Outcome, WriteResult
from dpolg_tui.domain.rearrange import RecordWrite
from dpolg_tui.domain.undo import Entry, Kind, LastChanges, Record, Step, Steps, inverse, verb
from dpolg_tui.domain.undo_words import obstacle, referred

if TYPE_CHECKING:
    from dpolg_tui.desk.actions import RecordWrites
    from dpolg_tui.desk.desk import Desk

NOTHING_TO_UNDO = "Es gibt nichts zurückzunehmen: seit der Anmeldung ist hier nichts geändert."
NOTHING_TO_REDO = "Es gibt nichts wiederherzustellen: zuletzt wurde nichts zurückgenommen."
WHEN_CONNECTED = "zurücknehmen lässt es sich, sobald die Verbindung wieder da ist."
NOTHING_MORE = (
    "Davor ist nichts mehr, was sich zurücknehmen oder wiederherstellen ließe. Was im Weg ist, steht unter"
    " „Meine letzten Änderungen“."
)

MOST_SEARCHED = 200
"""Bookings that are looked through for those of a guest who cannot go."""

_taking_back: ContextVar[dict[Record, Step] | None] = ContextVar("taking_back", default=None)
"""What the writes of an undo do, while it runs in this task: they are no changes of their own."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of it, in a sentence."""

    done: bool
    sentence: str
    passable: bool = False
    """Something is in the way of this change only: another one may be tried instead."""
    instead: str = ""
    """The change that the next call is about, in its words; empty if there is none."""


class Undo:
    """Takes back and does again. One at a time, so that the last change is the last."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.last_changes = LastChanges()
        self._versions: dict[Record, int] = {}
        """Of own new records, after the last own change: whoever changed them since stands in the way."""
        self._one_at_a_time = asyncio.Lock()
        self._unsure: tuple[Record, UUID] | None = None

    @property
    def entries(self) -> list[Entry]:
        """Newest first."""
        return self.last_changes.entries[::-1]

    def clear(self) -> None:
        """Somebody signed out: what one has done is nothing that the next one could take back."""
        self.last_changes.clear()
        self._versions.clear()

    # -- what is changed --------------------------------------------------------------------------

    def note(
        self, kind: str, record_id: int, action: Action, changes: Changes, answer: Mapping[str, Any]
    ) -> None:
        """A write of this desk is done."""
        step = effects.effect(kind, record_id, action, changes, answer)
        if step is not None:
            self._note_version(step, answer)
            self._add([step], self._name(step, answer), verb(step))

    def note_several(self, answer: Mapping[str, Any], changes: Mapping[tuple[str, int], Changes]) -> None:
        """A write of several records is done: one change."""
        records = answer["records"]
        before = answer.get("was") or [None] * len(records)
        steps: list[Step] = []
        names: list[str] = []
        for record, was in zip(records, before, strict=True):
            kind, record_id, state = record["kind"], record["id"], record["state"]
            if state is None:
                continue  # done once, deleted since
            found = effects.effect(
                kind, record_id, "updated", changes[(kind, record_id)], {"state": state, "was": was}
            )
            if found is not None:
                self._note_version(found, state)
                steps.append(found)
                names.append(self._name(found, {"state": state}))
        if steps:
            verbs = {verb(step) for step in steps}
            self._add(steps, ", ".join(names), verbs.pop() if len(verbs) == 1 else "verschoben")

    def _note_version(self, step: Step, state: Mapping[str, Any]) -> None:
        if step.action != "deleted" and state.get("version") is not None:
            self._versions[(step.kind, step.id)] = state["version"]

    def _add(self, steps: list[Step], what: str, did: str) -> None:
        collected = _taking_back.get()
        if collected is not None:
            collected.update({(step.kind, step.id): step for step in steps})
            return
        if not any(step.does_something for step in steps):
            return  # a colleague had already made it so: there is nothing of mine to take back
        self.last_changes.add(datetime.now(UTC), what, did, tuple(steps))
        known = {(step.kind, step.id) for entry in self.last_changes.entries for step in entry.steps}
        self._versions = {record: version for record, version in self._versions.items() if record in known}

    def _name(self, step: Step, answer: Mapping[str, Any]) -> str:
        bar = self._desk.store.occupancies.get(step.id) if step.kind == "block" else None
        stay = step.changes["stay"].after if "stay" in step.changes else None
        room_id = stay["room_id"] if isinstance(stay, Mapping) else bar.room_id if bar is not None else None
        return effects.name(step.kind, step.id, answer, room_id, self._desk.store.rooms)

    # -- taking back and doing again --------------------------------------------------------------

    async def undo(self, number: int | None = None) -> Told:
        """Take back the last change, or the one of that number. Raises Unreachable and its like.

        If it cannot be taken back, the next call says so again only if something else is in its way
        now; otherwise it goes on to the one before.
        """
        async with self._one_at_a_time:
            if number is None:
                return self._unqueue() or await self._first_of(
                    self.last_changes.to_undo(), self._undo, NOTHING_TO_UNDO
                )
            entry = self.last_changes.get(number)
            if entry is None:
                return Told(False, NOTHING_TO_UNDO)
            if entry.taken_back:
                return Told(False, f"Schon zurückgenommen: {entry.words}.")
            return await self._undo(entry)

    async def redo(self, number: int | None = None) -> Told:
        """Do again what was taken back last, or the change of that number. Goes on as ``undo``."""
        async with self._one_at_a_time:
            if number is None:
                if (item := self._desk.outbox.put_back()) is not None:
                    return Told(True, f"Wieder vorgemerkt: {item.label}")
                return await self._first_of(self.last_changes.to_redo(), self._redo, NOTHING_TO_REDO)
            entry = self.last_changes.get(number)
            if entry is None or not self.last_changes.may_redo(entry):
                return Told(False, NOTHING_TO_REDO)
            return await self._redo(entry)

    def _unqueue(self) -> Told | None:
        """The last change waits to be sent: it never will be. None: nothing waits."""
        outbox = self._desk.outbox
        last = outbox.last_waiting
        if last is None:
            return None
        if outbox.take_back_last() is None:
            return Told(False, f"„{last.label}“ ist vielleicht schon gespeichert: {WHEN_CONNECTED}")
        return Told(True, f"Zurückgenommen, wird nicht gesendet: {last.label}")

    async def _first_of(
        self, entries: list[Entry], attempt: Callable[[Entry], Awaitable[Told]], nothing: str
    ) -> Told:
        """The first that succeeds; beyond one that does not only if the user knows why it does not."""
        passed: list[Entry] = []
        for number, entry in enumerate(entries):
            if self._stays_with(entry, passed):
                passed.append(entry)
                continue
            told = await attempt(entry)
            if told.done and passed:
                return Told(True, f"{told.sentence} („{passed[0].words}“ bleibt)")
            if told.done or not told.passable:
                return told
            passed.append(entry)
            if not self.last_changes.was_told(entry, told.sentence):
                return replace(told, instead=self._beyond(entries[number + 1 :], passed))
        return Told(False, NOTHING_MORE if passed else nothing)

    def _beyond(self, entries: list[Entry], passed: list[Entry]) -> str:
        """The change that is meant after the ``passed`` ones, in its words."""
        for entry in entries:
            if not self._stays_with(entry, passed):
                return entry.words
            passed.append(entry)
        return ""

    def _stays_with(self, entry: Entry, passed: list[Entry]) -> bool:
        """Whether going on from the ``passed`` ones need not stop here: it cannot be done either."""
        if not passed:
            return False
        later = self.last_changes.builds_on(entry)
        return bool(entry.lost) or (later is not None and later.number in [it.number for it in passed])

    async def _undo(self, entry: Entry) -> Told:
        later = self.last_changes.builds_on(entry)
        if later is not None:
            when = german.format_datetime(later.at)
            then = f" und bleibt: {later.lost}" if later.lost else ": bitte zuerst die"
            return self._in_the_way(
                entry, f"Ihre spätere Änderung „{later.words}“ ({when}) baut darauf auf{then}."
            )
        sent = tuple(inverse(step) for step in reversed(entry.steps))
        with log.action("Änderung zurücknehmen"):
            done = await self._send(entry, sent)
        if isinstance(done, Told):
            return self._in_the_way(entry, done.sentence, passable=done.passable)
        self.last_changes.took_back(entry, sent, done)
        return Told(True, f"Zurückgenommen: {entry.words}")

    async def _redo(self, entry: Entry) -> Told:
        sent = tuple(inverse(step) for step in reversed(entry.undone))
        with log.action("Änderung wiederherstellen"):
            done = await self._send(entry, sent)
        if isinstance(done, Told):
            return self._in_the_way(entry, done.sentence, passable=done.passable)
        self.last_changes.did_again(entry, sent, done)
        return Told(True, f"Wiederhergestellt: {entry.words}")

    def _in_the_way(self, entry: Entry, sentence: str, *, passable: bool = True) -> Told:
        self.last_changes.stood_in_the_way(entry, sentence)
        return Told(False, sentence, passable)

    async def _send(self, entry: Entry, sent: Steps) -> Steps | Told:
        """What ``sent`` did, in its order; or what stands in the way."""
        if entry.lost:
            return Told(False, f"„{entry.words}“ lässt sich nicht zurücknehmen: {entry.lost}.", True)
        if self._desk.outbox.must_queue:
            return Told(False, f"„{entry.words}“ ist schon gespeichert: {WHEN_CONNECTED}")
        collected: dict[Record, Step] = {}
        token = _taking_back.set(collected)
        try:
            result = await self._write(sent)
        except (RuleViolated, InvalidInput, NotAllowed) as error:
            return Told(False, await self._refused(entry, sent[0], error), True)
        finally:
            _taking_back.reset(token)
        if result.outcome is not Outcome.DONE:
            sentence = obstacle(entry, result, self._desk.store.rooms)
            return Told(False, sentence, result.outcome is not Outcome.QUEUED)
        by_kind = {step.kind: step for step in collected.values()}
        return tuple(
            # What is created again has another id; what goes again was known before.
            by_kind.get(step.kind, step)
            if step.action == "created"
            else step
            if step.action == "deleted"
            else collected.get((step.kind, step.id), step)
            for step in sent
        )

    async def _refused(
        self, entry: Entry, step: Step, error: RuleViolated | InvalidInput | NotAllowed
    ) -> str:
        """Why the database does not do it. What a form says of a choice in a list is no answer to Strg+Z."""
        if not isinstance(error, RuleViolated) or not error.referred or step.action != "deleted":
            return f"„{entry.words}“ bleibt: {error.message}"
        return referred(entry, error.referred, await self._bookings_of(step) if step.kind == "guest" else ())

    async def _bookings_of(self, guest: Step) -> Sequence[BookingSummary]:
        """All that the search finds of a guest, by number; cancelled ones are on no chart."""
        known = (guest.changes[part].before for part in ("last_name", "first_name") if part in guest.changes)
        name = [str(part) for part in known if part]
        bookings: list[BookingSummary] = []
        for found in await self._desk.bookings.search(" ".join(name), most=MOST_SEARCHED):
            if found.guest_name != ", ".join(name):
                continue
            with suppress(RecordMissing):  # deleted since: it is not in the way any more
                if (await self._desk.bookings.get(found.id)).guest_id == guest.id:
                    bookings.append(found)
        return sorted(bookings, key=lambda it: it.id)

    async def _write(self, sent: Steps) -> WriteResult:
        if len(sent) > 1:
            return await self._desk.bookings.save_several(
                tuple(
                    RecordWrite(cast('Literal["booking", "block"]', step.kind), step.id, step.changes)
                    for step in sent
                )
            )
        step = sent[0]
        actions = self._actions(step.kind)
        match step.action:
            case "created":
                return await actions._save(None, step.changes)
            case "updated":
                return await actions.save(step.id, step.changes)
            case "deleted":
                return await self._take_back(step)

    async def _take_back(self, step: Step) -> WriteResult:
        """An own new record goes again, if nobody has changed it or refers to it."""
        record = (step.kind, step.id)
        unsure, self._unsure = self._unsure, None
        request = unsure[1] if unsure is not None and unsure[0] == record else uuid4()
        try:
            with log.action("Neues zurücknehmen"):
                answer = await writes.take_back(
                    self._desk.database, step.kind, step.id, self._versions.get(record, 0), request=request
                )
        except (OutcomeUnknown, asyncio.CancelledError):
            self._unsure = record, request
            raise
        return self._actions(step.kind)._deleted(step.id, answer)

    def _actions(self, kind: Kind) -> RecordWrites:
        desk = self._desk
        by_kind: dict[Kind, RecordWrites] = {
            "booking": desk.bookings,
            "block": desk.blocks,
            "room": desk.rooms,
            "guest": desk.guests,
            "reminder": desk.reminders,
        }
        return by_kind[kind]
