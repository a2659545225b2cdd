"""Queues that were meant for another database: that before its restore, or one at another address.

A restored database has another id, so its users' queues bear another name. They are taken over to be
looked at, never to be sent by themselves: what they change may be another record by now.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from dpolg_tui.desk.offline import NotKept, Queued, State
from dpolg_tui.desk.queue_file import Owner, QueueFile, keep

log = logging.getLogger(__name__)

REASON = "Aus der Zeit vor der Wiederherstellung der Datenbank: bitte prüfen, dann senden oder verwerfen."
ELSEWHERE = (
    "Auf diesem Rechner liegen noch Ihre vorgemerkten Änderungen für die Datenbank {database} auf {servers}:"
    " bitte dort anmelden oder {path} prüfen lassen."
)


@dataclass(slots=True)
class Found:
    """What was found; the files stay taken until ``release``."""

    items: list[Queued] = field(default_factory=list)
    elsewhere: str = ""
    """A sentence about those of another server; nobody can tell whether it is the same house."""
    _files: list[QueueFile] = field(default_factory=list)

    def add(self, file: QueueFile, items: Iterable[Queued]) -> None:
        """What was meant for this database."""
        self._files.append(file)
        self.items += items

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
    user = own.stem.rpartition("-")[2]
    for path in sorted(own.parent.glob(f"*-{user}.json")):
        if path == own or path.name.startswith("."):
            continue
        file = QueueFile(path, owner)
        try:
            items = file.load() if file.take() else []
        except NotKept as error:
            log.warning("a queue of another database could not be read: %s", type(error.__cause__).__name__)
            items = []
        theirs = file.found
        if items and theirs == owner:
            found.add(file, items)
            continue
        file.release()
        if items and theirs is not None and (theirs.user, theirs.database) == (owner.user, owner.database):
            found.elsewhere = ELSEWHERE.format(database=theirs.database, servers=theirs.servers, path=path)
    return found


def numbered(items: Iterable[Queued], last: int) -> list[Queued]:
    """The items to be looked at, with temporary ids that are free here; ``last`` is taken already."""
    items = list(items)
    own = sorted({one for item in items for one in item.own_ids}, reverse=True)
    aliases = {one: last - 1 - at for at, one in enumerate(own)}
    return [replace(item.resolved(aliases), state=State.OLD, reason=REASON) for item in items]
