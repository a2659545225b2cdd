"""Forms that were open and not saved when the program ended, for the next start of the same user."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from dpolg_tui import locations
from dpolg_tui.db.hosts import decode_json, encode_json
from dpolg_tui.desk.offline import NotKept
from dpolg_tui.desk.private_lock import PrivateLock
from dpolg_tui.desk.queue import owner_of
from dpolg_tui.desk.queue_file import keep, of_earlier_installations

if TYPE_CHECKING:
    from pathlib import Path

    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed into a form. ``raws``: what its editors held; ``values``: what has no editor."""

    kind: str
    record_id: int | None
    title: str
    raws: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    """Of the form: a queued write names it, too."""
    request: str = ""
    """The queued write that the form was opened with."""
    old: bool = False
    """From before a restore of the database: its record may be another one by now."""


UNREADABLE = "Nicht gespeicherte Eingaben vom letzten Mal waren nicht lesbar: sie liegen jetzt in {path}."
NOT_OURS = "Weitere nicht gespeicherte Eingaben sind hier nicht zugänglich: bitte {path} prüfen lassen."
CANNOT_KEEP = (
    "Nicht gespeicherte Eingaben lassen sich auf diesem Rechner nicht zwischenlagern: bitte bald speichern "
    "und {path} prüfen lassen."
)
ELSEWHERE = (
    "Auf diesem Rechner liegen noch nicht gespeicherte Eingaben von Ihnen für die Datenbank {database} auf "
    "{servers}: bitte dort anmelden oder {path} prüfen lassen."
)
MOST_DESKS = 20
"""Of one user on one computer at a time, that keep drafts."""


class Drafts:
    """The drafts of the user who is signed in: a private file of this desk, gone when there are none."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._path: Path | None = None
        self._lock: PrivateLock | None = None
        self._kept: str | None = None
        """What is in the file, as far as this desk has written it."""
        self._open: tuple[Draft, ...] = ()
        self._saved: set[str] = set()
        self.pending: tuple[Draft, ...] = ()
        """Of the last time, until the user has said what shall become of them."""
        self.problem = ""
        """What could not be read, or where others lie."""

    def open(self) -> None:
        """After the sign-in: takes the first file of this user that no other desk has; reads what waits."""
        still_open = {one.id for one in self._open}
        self.close()
        for path in self._paths():
            lock = PrivateLock(path)
            try:
                if lock.take():
                    self._path, self._lock = path, lock
                    # At once: whoever keeps the open forms before the user was asked must not lose these.
                    self.load()
                    self._take_old(still_open)
                    return
            except OSError as error:
                log.warning("drafts cannot be kept: %s", type(error).__name__)
                self.close()
                self.problem = CANNOT_KEEP.format(path=path.parent)
                return

    def close(self) -> None:
        """Nobody is signed in: what was kept stays in its file."""
        if self._lock is not None:
            self._lock.release()
        self._path = self._lock = self._kept = None
        self._open = self.pending = ()
        self.problem = ""

    def _paths(self) -> list[Path]:
        user = self._desk.user
        if user is None or not self._desk.config.desk.offline_queue:
            return []
        first = locations.private_file("drafts", self._desk.instance, user.id)
        return [first, *(first.with_stem(f"{first.stem}.{number}") for number in range(2, MOST_DESKS + 1))]

    def load(self) -> tuple[Draft, ...]:
        """What was kept, also by desks that have ended; what cannot be read is nothing worth stopping for."""
        if self._path is None:
            return ()
        found = {one.id or str(at): one for at, one in enumerate(self._read(self._path))}
        for path in self._paths():
            lock = PrivateLock(path)
            if path == self._path or not path.exists() or not self._is_ours(lock, path):
                continue
            found.update({one.id or f"{path.stem} {at}": one for at, one in enumerate(self._read(path))})
            self._take_over(found.values(), path)
            lock.release()
        # The program was killed between saving and forgetting the draft: it is in the queue already.
        self.pending = tuple(one for one in found.values() if not self._desk.outbox.has_form(one.id))
        return self.pending

    def _take_old(self, still_open: Set[str]) -> None:
        """Those for the database before its restore, except of forms that are open at this very desk."""
        owner = owner_of(self._desk)
        for path, theirs in of_earlier_installations(self._paths()[0], owner):
            if theirs != owner:
                if self._desk.demo_users:
                    continue  # a demo is made anew each time
                self.problem = ELSEWHERE.format(database=theirs.database, servers=theirs.servers, path=path)
                continue
            lock = PrivateLock(path)
            if not self._is_ours(lock, path):
                continue
            # Those that are there already: their file could not be removed the last time.
            known = {*still_open, *(one.id for one in self.pending if one.id)}
            found = [replace(one, old=True) for one in self._read(path) if one.id not in known]
            self._take_over([*self.pending, *found], path)
            lock.release()

    def _is_ours(self, lock: PrivateLock, path: Path) -> bool:
        """Takes a further file unless another desk has it. One that we may not have stops nothing."""
        try:
            return lock.take()
        except OSError as error:
            log.warning("drafts could not be taken over: %s", type(error).__name__)
            self.problem = NOT_OURS.format(path=path)
            return False

    def _read(self, path: Path) -> list[Draft]:
        """What is in a file that we have; one that cannot be read is put aside."""
        try:
            found = decode_json(path.read_text(encoding="utf-8"))
            return [Draft(**one) for one in found["forms"]]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            aside = path.with_suffix(f".unlesbar-{datetime.now(UTC):%Y%m%d%H%M%S}")
            log.warning("drafts could not be read and are put aside: %s", type(error).__name__)
            path.replace(aside)
            self.problem = UNREADABLE.format(path=aside)
            return []

    def _take_over(self, drafts: Iterable[Draft], path: Path) -> None:
        # What is in the queue already is not typed once more.
        self.pending = tuple(one for one in drafts if not self._desk.outbox.has_form(one.id))
        try:
            self.keep(())
            keep(path, None)
        except NotKept as error:
            log.warning("drafts stay where they are: %s", type(error.__cause__).__name__)

    def keep(self, drafts: Iterable[Draft]) -> None:
        """Replaces what is kept, besides those that wait for an answer. Raises NotKept."""
        if self._path is None:
            return
        self._open = tuple(one for one in drafts if one.id not in self._saved)
        wanted = [*self.pending, *self._open]
        text = encode_json(self._content(wanted)) if wanted else ""
        if text != self._kept:
            keep(self._path, text or None)
            self._kept = text

    def _content(self, drafts: Iterable[Draft]) -> dict[str, Any]:
        owner = owner_of(self._desk)
        return {"owner": asdict(owner), "forms": [asdict(one) for one in drafts]}

    def saved(self, form: str) -> None:
        """A form is saved or queued: from now on its draft would only do the same twice."""
        if not form:
            return
        self._saved.add(form)
        try:
            self.keep(self._open)
        except NotKept as error:
            log.warning("a draft could not be removed: %s", type(error.__cause__).__name__)

    def decided(self, still_waiting: Iterable[Draft] = ()) -> None:
        """The user has said what shall become of the pending ones, except of these."""
        self.pending = tuple(still_waiting)
