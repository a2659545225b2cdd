"""The queue of the user who is signed in: what waits to be sent, and what its user decides about it."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from dpolg_tui import locations
from dpolg_tui.desk import restored
from dpolg_tui.desk.events import Kind, QueueChanged, RecordChanged
from dpolg_tui.desk.offline import NotKept, Queued, State, Write
from dpolg_tui.desk.queue_file import Owner, QueueFile
from dpolg_tui.domain.models import WriteResult
from dpolg_tui.domain.queued import Name, Waiting

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)

TAKEN = "Sie sind an diesem Rechner schon einmal angemeldet: hier wird ohne Verbindung nichts vorgemerkt."
_NOT_SAVED = "Nicht gespeichert: {why} Bitte speichern, sobald die Verbindung wieder da ist."
_WHY_TAKEN = "ohne Verbindung merkt nur das erste Fenster dieses Benutzers vor."
_WHY_OFF = "an diesem Rechner wird ohne Verbindung nichts vorgemerkt (offline_queue = false)."
_WHY_ACCOUNT = "Zugänge lassen sich nur mit Verbindung ändern."
_WHY_UNREADABLE = "was an diesem Rechner vorgemerkt ist, ließ sich nicht lesen."


Shown = dict[tuple[Kind, int], tuple[Waiting, ...]]
"""What is shown to be done to each record."""


class Queue(ABC):
    """Kept in a file of its user; what stores and screens show follows it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._file: QueueFile | None = None
        self.items: tuple[Queued, ...] = ()
        """In the order in which they will be sent."""
        self.problem = ""
        """Why the queue of the last time could not be read, or where another one lies."""
        self.from_before_restore = 0
        """How many were found that were meant for the database before its restore."""
        self._aliases: dict[int, int] = {}
        self._under_way: dict[UUID, Queued] = {}
        self._sending: UUID | None = None
        self._taken_back: list[Queued] = []
        self._last_state = ""
        """Of the last write that had an answer: "", "done" or "unknown"."""
        self._forms: frozenset[str] = frozenset()
        self._forms_found: frozenset[str] = frozenset()
        self._shown: Shown = {}

    # -- whose queue -----------------------------------------------------------------------------

    def open(self) -> None:
        """After the sign-in: the queue of this user, from the last time too."""
        user, desk = self._desk.user, self._desk
        if user is None or not desk.config.desk.offline_queue:
            return
        owner = owner_of(desk)
        file = QueueFile(locations.private_file("queue", desk.instance, user.id), owner)
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
        self._forms_found = self._forms = frozenset(one.form for one in self.items)
        found = restored.look(file.path, owner)
        self.problem = self.problem or found.elsewhere
        if found.queues:
            # Those that are here already: their file could not be removed the last time.
            known = {one.request for one in self.items}
            items = [one for one in found.numbered(self._last_number) if one.request not in known]
            with suppress(NotKept):  # then they stay in their file for the next time
                self._replace((*self.items, *items), must_be_kept=True)
                found.remove()
                self.from_before_restore = len(items)
        found.release()
        self.show()
        self.send()

    def close(self) -> None:
        """Nobody is signed in: what waits stays in the file."""
        if self._file is not None:
            self.keep_under_way()
            self._file.release()
        self._file = None
        self._under_way.clear()
        self.problem = ""
        self.items = ()
        self._forms = self._forms_found = frozenset()
        self._aliases.clear()
        self._taken_back.clear()
        self.from_before_restore = 0
        self.show()

    def keep_under_way(self) -> None:
        """Nobody will hear these answers any more: the next sign-in resolves them."""
        for item in tuple(self._under_way.values()):
            with suppress(NotKept):
                self._replace((*self.items, item), must_be_kept=True)
        self._under_way.clear()

    @abstractmethod
    def send(self) -> None:
        """Begin to send what waits, if it can be sent."""

    @property
    def usable(self) -> bool:
        """Whether anything may be kept for this user on this computer."""
        return self._file is not None

    def keeps(self, write: Write) -> bool:
        """Whether it may wait. Who may work here is decided at once or not at all."""
        return self._file is not None and write.kind != "user"

    def refusal(self, write: Write) -> str:
        """What a save is told that cannot be sent, where it may not be kept: why, and what to do."""
        if write.kind == "user":
            why = _WHY_ACCOUNT
        elif not self._desk.config.desk.offline_queue:
            why = _WHY_OFF
        else:
            why = _WHY_TAKEN if self.problem == TAKEN else _WHY_UNREADABLE
        return _NOT_SAVED.format(why=why)

    @property
    def waiting(self) -> int:
        """How many will be sent without anybody's doing."""
        return sum(one.open for one in self.items)

    def has_form(self, form: str) -> bool:
        """Whether what was typed into a form is in the file of the queue, or was there at the sign-in."""
        return bool(form) and (form in self._forms or form in self._forms_found)

    def real_id(self, record_id: int) -> int:
        """The id that the database gave to a record created here without a connection."""
        return self._aliases.get(record_id, record_id)

    @property
    def _last_number(self) -> int:
        """The temporary id that was given last."""
        known = [one for item in (*self.items, *self._under_way.values()) for one in item.own_ids]
        return min([0, *known, *self._aliases])

    # -- what is kept and shown ------------------------------------------------------------------

    def _replace(self, items: tuple[Queued, ...], *, must_be_kept: bool = False) -> None:
        """Another queue, here and in the file.

        What was sent and cannot be taken out of a full disk is sent again after a restart, under its
        request id: that does nothing.
        """
        try:
            self._save(items, durable=True)
        except NotKept:
            if must_be_kept:
                raise
            log.warning("the queue could not be written")
        self.items = items
        self.show()
        self._desk.tell(QueueChanged())

    def _save(self, items: Collection[Queued], *, durable: bool) -> None:
        if self._file is None:
            return
        known = {one.request for one in items}
        under_way = [one for one in self._under_way.values() if one.request not in known]
        # What is on its way is unknown to whoever reads the file.
        sent = (replace(one, state=State.UNKNOWN) if one.request == self._sending else one for one in items)
        self._file.save([*sent, *under_way], durable=durable)
        self._forms = frozenset(one.form for one in (*items, *under_way))

    def _journal(self) -> None:
        """What is on its way is in the file before it is sent, so that a killed program does it once."""
        try:
            self._save(self.items, durable=bool(self.items))
        except NotKept:
            log.warning("what is being saved could not be noted")

    def show(self) -> None:
        """Store and known records show what will be; the screens hear which records that changes."""
        desk, before = self._desk, self._shown
        self._shown = now = _by_record(self.changes())
        shown = desk.store.show_waiting(self.changes(), self._names(), desk.known.name_of)
        bars: dict[tuple[Kind, int], list[int]] = {(kind, id_): ids for (kind, id_), ids in shown.items()}
        touched = [key for key in {**before, **now} if before.get(key) != now.get(key)]
        for key in dict.fromkeys((*bars, *touched)):
            kind, record_id = key
            booking_id = self._booking_of(record_id, before, now) if kind == "reminder" else None
            occupancies = tuple(bars.get(key, ()))
            desk.tell(RecordChanged(kind, record_id, "updated", True, None, occupancies, booking_id))

    def _booking_of(self, reminder_id: int, *shown: Shown) -> int | None:
        """The booking to which a reminder belongs, also one that is not there any more."""
        made = [
            one.wanted for each in shown for one in each.get(("reminder", reminder_id), ()) if one.creates
        ]
        return made[-1].get("booking_id") if made else self._desk.known.booking_of(reminder_id)

    def changes(self, kind: str | None = None, record_id: int | None = None) -> Iterator[Waiting]:
        """What will be sent, record by record; of one record, or of one kind."""
        for item in self.items:
            if not item.open:
                continue
            for one in item.waiting():
                if kind in (None, one.kind) and record_id in (None, one.record_id):
                    yield one

    def _names(self) -> dict[int, Name]:
        """How guests will be called."""
        names: dict[int, Name] = {}
        for one in self.changes("guest"):
            wanted = one.wanted
            if wanted.keys() & {"last_name", "first_name"}:
                last, first = names.get(one.record_id) or self._desk.known.name_of(one.record_id) or ("", "")
                names[one.record_id] = (wanted.get("last_name", last), wanted.get("first_name", first))
        return names

    # -- what its user decides -------------------------------------------------------------------

    def building_on(self, request: UUID) -> tuple[Queued, ...]:
        """Later ones that need this one: they refer to what it creates, or change the same after it."""
        at = next((number for number, one in enumerate(self.items) if one.request == request), None)
        if at is None:
            return ()
        needed, found = [self.items[at]], []
        for later in self.items[at + 1 :]:
            if any(_builds_on(later, one) for one in needed):
                needed.append(later)
                found.append(later)
        return tuple(found)

    def discard(self, request: UUID) -> bool:
        """Its user does not want it any more, nor what builds on it. False: it is being sent."""
        gone = {request, *(one.request for one in self.building_on(request))}
        if self._sending in gone:
            return False
        self._last_state = ""  # what was saved before is not what the user sees go
        self._replace(tuple(one for one in self.items if one.request not in gone))
        return True

    @property
    def last_waiting(self) -> Queued | None:
        """The last change that will be sent: it is the last of all, for whatever is done then waits, too."""
        return next((one for one in reversed(self.items) if one.open), None)

    def take_back_last(self) -> Queued | None:
        """Takes the last change out; None: there is none, or nobody knows whether it is saved already."""
        item = self.last_waiting
        if item is None or item.state is not State.WAITING or item.request == self._sending:
            return None
        self._last_state = ""
        self._replace(tuple(one for one in self.items if one.request != item.request))
        self._taken_back.append(item)
        return item

    def put_back(self) -> Queued | None:
        """What was taken back last waits again; None: there is none."""
        if not self._taken_back:
            return None
        item = self._taken_back.pop().resolved(self._aliases)
        self._replace((*self.items, item), must_be_kept=True)
        self.send()
        return item

    def send_again(self, request: UUID) -> None:
        """Its user has looked: a refused one is tried once more as it is, after what it needs."""
        self._replace(
            tuple(
                replace(one, state=State.WAITING, reason="", in_the_way=()) if one.request == request else one
                for one in self.items
            )
        )
        self.send()

    def settled(self, request: UUID, result: WriteResult) -> None:
        """A refused one was opened and saved: what waited for a record of it can go on."""
        settled = next((one for one in self.items if one.request == request), None)
        if settled is None:
            return
        needed = settled.temporary
        if needed is not None and result.id is not None:
            self._aliases[needed] = result.id
        self._replace(
            tuple(
                replace(one, state=State.WAITING, reason="").resolved(self._aliases)
                if one.state is State.CONFLICT and needed in one.write.temporary_ids
                else one.resolved(self._aliases)
                for one in self.items
                if one.request != request
            )
        )
        self.send()

    def learn(self, item: Queued, answer: dict[str, Any], record_id: int | None) -> None:
        """Which ids the database has given to what a write created."""
        if item.temporary is not None and record_id is not None:
            self._aliases[item.temporary] = record_id
        records = answer.get("records") or [answer]
        stays = [stay for one in records if one.get("state") for stay in one["state"].get("stays") or ()]
        for temporary, wanted in item.write.new_stays.items():
            alike = [
                stay for stay in stays if all(str(stay[name]) == str(value) for name, value in wanted.items())
            ]
            if alike:
                newest = max(alike, key=lambda stay: int(stay["id"]))
                stays.remove(newest)
                self._aliases[temporary] = newest["id"]


def _by_record(waiting: Iterable[Waiting]) -> Shown:
    found: Shown = {}
    for one in waiting:
        key = (one.kind, one.record_id)
        found[key] = (*found.get(key, ()), one)
    return found


def _builds_on(later: Queued, earlier: Queued) -> bool:
    if later.write.temporary_ids & earlier.own_ids:
        return True
    mine = {(one.kind, one.record_id): one for one in earlier.waiting()}
    for one in later.waiting():
        before = mine.get((one.kind, one.record_id))
        if before is not None and (
            before.changes.keys() & one.changes.keys() or one.deletes or before.deletes
        ):
            return True
    return False


def owner_of(desk: Desk) -> Owner:
    """Who is signed in where, as people name it."""
    database = desk.config.database
    name = "demo" if desk.demo_users else database.database
    servers = ", ".join(f"{host}:{port}" for host, port in database.hosts)
    return Owner(desk.user.username.casefold() if desk.user else "", name, servers)
