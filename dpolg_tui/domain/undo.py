"""Taking back and doing again: what a change did, its inverse, and the list of the last changes.

A change is taken back by another change, never by going back in time: what is inverted is what the
change really did, and the database judges whether it still fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Status

MOST = 50
"""Changes that are kept."""
TAKEN_BACK = "zurückgenommen"
"""Why a new booking is cancelled when it is taken back."""
NEW_STAY = "stay/new"

Kind = Literal["booking", "block", "room", "guest", "reminder"]
Record = tuple[str, int]
"""Kind and id; also of stays: a stay or record that comes back has another id."""
_REFERS: Mapping[str, str] = {"guest_id": "guest", "room_id": "room", "booking_id": "booking"}


@dataclass(frozen=True, slots=True)
class Step:
    """What happened (or is to happen) to one record.

    A new record has ``before`` None in all its fields, a deleted one ``after``. ``stay/<id>`` with None
    before or after is a stay that came or went. Equal values on both sides: it must still be so.
    """

    kind: Kind
    id: int
    action: Literal["created", "updated", "deleted"]
    changes: Changes
    lost: str = ""
    """What nobody here knows any more, as a clause; without it the step cannot be inverted."""

    @property
    def invertible(self) -> bool:
        """A new record can go again even if not all of it could come back."""
        return not self.lost or self.action == "created"

    @property
    def does_something(self) -> bool:
        """Whether anything is different afterwards."""
        return self.action != "updated" or bool(self.lost or _changed(self.changes))


Steps = tuple[Step, ...]


def inverse(step: Step) -> Step:
    """What takes a step back. Stays that come back are named ``stay/new<old id>``."""
    if step.kind == "booking" and step.action == "created":
        return replace(step, action="updated", changes=_cancelling(step.changes))
    changes = {
        _back(field, change): Change(change.after, change.before) for field, change in step.changes.items()
    }
    if step.action == "updated":
        return replace(step, changes=changes)
    return replace(step, action="created" if step.action == "deleted" else "deleted", changes=changes)


def _back(field: str, change: Change) -> str:
    went = change.after is None and field.startswith("stay/")
    return NEW_STAY + field.removeprefix("stay/") if went else field


def _cancelling(created: Changes) -> Changes:
    """A booking stays: it is cancelled, provided that it is still as it was made."""
    still = {field: Change(change.after, change.after) for field, change in created.items()}
    return {
        **still,
        "status": Change(created["status"].after, Status.CANCELLED),
        "cancellation_reason": Change(None, TAKEN_BACK),
    }


# Ids of what came back


Names = dict[Record, int]


def new_names(sent: Steps, done: Steps) -> Names:
    """Which records and stays came back under which id, from what was sent and what was done."""
    names: Names = {}
    for wanted, got in zip(sent, done, strict=True):
        if wanted.action == "created":
            names[(wanted.kind, wanted.id)] = got.id
        came = {field: change.after for field, change in got.changes.items() if change.before is None}
        for field, change in wanted.changes.items():
            if not field.startswith(NEW_STAY):
                continue
            found = next((name for name, value in came.items() if value == change.after), None)
            if found is not None:
                del came[found]
                names[("stay", int(field.removeprefix(NEW_STAY)))] = int(found.removeprefix("stay/"))
    return {record: id_ for record, id_ in names.items() if record[1] != id_}


def renamed(step: Step, names: Names) -> Step:
    """The step with the new ids, also where values refer to them."""
    changes = {
        _field(field, names): Change(_value(field, change.before, names), _value(field, change.after, names))
        for field, change in step.changes.items()
    }
    return replace(step, id=names.get((step.kind, step.id), step.id), changes=changes)


def _field(field: str, names: Names) -> str:
    kind, _, number = field.partition("/")
    if kind != "stay" or not number.isdigit():
        return field
    return f"stay/{names.get(('stay', int(number)), int(number))}"


def _value(field: str, value: object, names: Names) -> object:
    if isinstance(value, Mapping):
        return {name: _value(name, inner, names) for name, inner in value.items()}
    if isinstance(value, int) and field in _REFERS:
        return names.get((_REFERS[field], value), value)
    return value


# The list


@dataclass(frozen=True, slots=True)
class Entry:
    """One of my last changes. ``what`` names the record, ``did`` is the verb: „2026-118“ „verschoben“."""

    number: int
    at: datetime
    what: str
    did: str
    steps: Steps
    """What it did, if it was done again: then."""
    undone: Steps = ()
    """What taking it back did; empty while it stands."""
    obstacle: str = ""
    """What stood in the way at the last try."""

    @property
    def taken_back(self) -> bool:
        return bool(self.undone)

    @property
    def words(self) -> str:
        """``2026-118 verschoben``, ``2026-118: Abreise geändert``."""
        return f"{self.what}{':' if ' ' in self.did else ''} {self.did}"

    @property
    def lost(self) -> str:
        """Why it can never be taken back (or done again); empty if it can."""
        last = self.undone or self.steps
        return next((step.lost for step in last if not step.invertible), "")


class LastChanges:
    """My last changes, oldest first. What was taken back can be done again until I change something."""

    def __init__(self, most: int = MOST) -> None:
        self.entries: list[Entry] = []
        self._most = most
        self._again: list[int] = []
        self._told: set[int] = set()
        """Whose obstacle the user was told since the last change: asked again, the next is meant."""
        self._last = 0

    def add(self, at: datetime, what: str, did: str, steps: Steps) -> Entry:
        """A new change: nothing can be done again any more."""
        self._last += 1
        self._again.clear()
        self._told.clear()
        self.entries.append(Entry(self._last, at, what, did, steps))
        del self.entries[: -self._most]
        return self.entries[-1]

    def clear(self) -> None:
        self.entries.clear()
        self._again.clear()
        self._told.clear()

    def get(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries if entry.number == number), None)

    def to_undo(self) -> list[Entry]:
        """Changes that stand, the last one first."""
        return [entry for entry in reversed(self.entries) if not entry.taken_back]

    def to_redo(self) -> list[Entry]:
        """Changes that were taken back, the one taken back last first."""
        found = map(self.get, reversed(self._again))
        return [entry for entry in found if entry is not None]

    def may_redo(self, entry: Entry) -> bool:
        return entry.number in self._again

    def builds_on(self, entry: Entry) -> Entry | None:
        """A later change of mine that stands and touches the same: it must be taken back first."""
        later = (other for other in self.entries if other.number > entry.number and not other.taken_back)
        return next((other for other in later if _touch(entry.steps, other.steps)), None)

    def took_back(self, entry: Entry, sent: Steps, done: Steps) -> Entry:
        """``sent`` took the entry back; ``done`` is what it did."""
        self._again.append(entry.number)
        return self._put(replace(entry, undone=done, obstacle=""), new_names(sent, done))

    def did_again(self, entry: Entry, sent: Steps, done: Steps) -> Entry:
        """``sent`` did the entry again; ``done`` is what it did."""
        self._again.remove(entry.number)
        # A booking that was cancelled and brought back is as good as new.
        as_new = any(step.kind == "booking" and step.action == "created" for step in entry.steps)
        steps = entry.steps if as_new else done
        return self._put(replace(entry, steps=steps, undone=(), obstacle=""), new_names(sent, done))

    def stood_in_the_way(self, entry: Entry, obstacle: str) -> None:
        self._put(replace(entry, obstacle=obstacle), {})

    def was_told(self, entry: Entry, obstacle: str) -> bool:
        """Whether the user knows of this obstacle already; from now on they do."""
        known = entry.number in self._told and entry.obstacle == obstacle
        self._told.add(entry.number)
        return known

    def _put(self, entry: Entry, names: Names) -> Entry:
        self.entries = [
            _entry_renamed(entry if known.number == entry.number else known, names) for known in self.entries
        ]
        return next((known for known in self.entries if known.number == entry.number), entry)


def _entry_renamed(entry: Entry, names: Names) -> Entry:
    if not names:
        return entry
    return replace(
        entry,
        steps=tuple(renamed(step, names) for step in entry.steps),
        undone=tuple(renamed(step, names) for step in entry.undone),
    )


def _touch(earlier: Steps, later: Steps) -> bool:
    return any(_same(one, other) for one in earlier for other in later)


def _same(one: Step, other: Step) -> bool:
    if (one.kind, one.id) != (other.kind, other.id):
        return False
    if one.action != "updated" or other.action != "updated":
        return True
    return bool(_changed(one.changes) & _changed(other.changes))


def _changed(changes: Changes) -> set[str]:
    return {field for field, change in changes.items() if change.before != change.after}


# Words

_BY_STATUS = {
    Status.CANCELLED: "storniert",
    Status.CHECKED_IN: "eingecheckt",
    Status.CHECKED_OUT: "ausgecheckt",
}
_MOST_FIELDS = 3


def verb(step: Step) -> str:
    """What a step did, in a word or two: „verschoben“, „Abreise geändert“."""
    if step.action != "updated":
        return (
            "angelegt" if step.action == "created" else "gelöscht" if step.kind != "block" else "aufgehoben"
        )
    status = step.changes.get("status")
    if status is not None and status.before != status.after:
        if status.before == Status.CANCELLED:
            return "wieder geöffnet"
        return _BY_STATUS.get(Status(str(status.after)), "Status geändert")
    stays = [
        change
        for field, change in step.changes.items()
        if field.partition("/")[0] == "stay" and change.before != change.after
    ]
    if stays:
        return _stays_verb(stays)
    fields = dict.fromkeys(field_label(field) for field in step.changes if field in _changed(step.changes))
    named = list(fields)[:_MOST_FIELDS]
    more = " …" if len(fields) > len(named) else ""
    return f"{', '.join(named)}{more} geändert" if named else "geändert"


def _stays_verb(stays: Iterable[Change]) -> str:
    parts: set[str] = set()
    for change in stays:
        before, after = change.before, change.after
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            return "aufgeteilt" if before is None else "zusammengelegt"
        parts |= {name for name in ("room_id", "arrival", "departure") if before[name] != after[name]}
    return {frozenset({"departure"}): "Abreise geändert", frozenset({"arrival"}): "Anreise geändert"}.get(
        frozenset(parts), "verschoben"
    )
