"""Queues that were meant for another database: that before its restore, or one at another address.

A restored database has another id, so its users' queues bear another name. They are taken over to be
looked at, never to be sent by themselves: what they change may be another record by now.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpolg_tui.desk.offline import NotKept, Queued, State
from dpolg_tui.desk.queue_file import Owner, QueueFile, keep, of_earlier_installations

log = logging.getLogger(__name__)

REASON = "Aus der Zeit vor der Wiederherstellung der Datenbank: bitte prüfen, dann senden oder verwerfen."
ELSEWHERE = (
    "Auf diesem Rechner liegen noch Ihre vorgemerkten Änderungen für die Datenbank {database} auf {servers}:"
    " bitte dort anmelden oder {path} prüfen lassen."
)


@dataclass(slots=True)
class Found:
    """What was found; the files stay taken until ``release``."""

    queues: list[list[Queued]] = field(default_factory=list)
    elsewhere: str = ""
    """A sentence about those of another server; nobody can tell whether it is the same house."""
    _files: list[QueueFile] = field(default_factory=list)

    def add(self, file: QueueFile, items: list[Queued]) -> None:
        """What was meant for this database."""
        self._files.append(file)
        self.queues.append(items)

    def numbered(self, last: int) -> list[Queued]:
        """The items to be looked at, with temporary ids that are free here; ``last`` is taken already."""
        found: list[Queued] = []
        for queue in self.queues:
            items = _numbered(queue, last)
            last = min([last, *(one for item in items for one in item.own_ids)])
            found += items
        return found

    def remove(self) -> None:
        """They are kept elsewhere now."""
        for file in self._files:
            keep(file.path, None)

    def release(self) -> None:
        for file in self._files:
            file.release()


def look(own: Path, owner: Owner) -> Found:
    """Queues of the same user beside the own one."""
    found = Found()
    for path, theirs in of_earlier_installations(own, owner):
        if theirs != owner:
            found.elsewhere = ELSEWHERE.format(database=theirs.database, servers=theirs.servers, path=path)
            continue
        file = QueueFile(path, owner)
        try:
            items = file.load() if file.take() else []
        except NotKept as error:
            log.warning("a queue of another database could not be read: %s", type(error.__cause__).__name__)
            items = []
        if items:
            found.add(file, items)
        else:
            file.release()
    return found


def _numbered(items: list[Queued], last: int) -> list[Queued]:
    own = sorted({one for item in items for one in item.own_ids}, reverse=True)
    # Where they are free they stay: forms that were not saved may name them, too.
    taken = own and own[0] >= last
    aliases = {one: last - 1 - at for at, one in enumerate(own)} if taken else {}
    return [replace(item.resolved(aliases), state=State.OLD, reason=REASON) for item in items]
