"""Writes that wait for the connection: kept in a file of their user, sent once and in their order.

A write bears its request id from the first try on, so the database does it once however often it is
sent. Records created here without a connection have negative ids until the database has given one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from dpolg_tui.db import rows, writes
from dpolg_tui.db.connection import Database
from dpolg_tui.db.hosts import encode_json
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import InTheWay
from dpolg_tui.domain.queued import Waiting
from dpolg_tui.domain.rearrange import RecordWrite

_REFERENCES = frozenset({"guest_id", "booking_id", "room_id"})
"""Fields that hold the id of another record; stays hold that of a room."""


class NotKept(DomainError):  # noqa: N818 - named like the domain's errors
    """Auf diesem Rechner ließ sich nichts ablegen (voll?): Ihre Eingaben stehen noch hier."""


class State(StrEnum):
    """What is known of a write in the queue."""

    WAITING = "waiting"
    """Not sent yet."""
    UNKNOWN = "unknown"
    """Sent, and the answer was lost: sending it again tells."""
    CONFLICT = "conflict"
    """The database does not take it as it is: its user must decide."""
    OLD = "old"
    """From before a restore of the database: its user must look at it first."""


@dataclass(frozen=True, slots=True)
class Write:
    """One call that writes. ``record_id`` None: a new record; ``parts`` instead of both: several."""

    kind: str
    record_id: int | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{field: {from, to}}``"""
    delete: bool = False
    parts: tuple[Write, ...] = ()
    stays: Mapping[str, int] = field(default_factory=dict)
    """Ids of new stays until the database has given one: ``{"stay/new1": -7}``. Not sent."""

    @classmethod
    def of(cls, kind: str, record_id: int | None, changes: Changes, *, delete: bool = False) -> Write:
        return cls(kind, record_id, rows.changes_argument(changes), delete=delete)

    @classmethod
    def several(cls, changed: Iterable[RecordWrite]) -> Write:
        return cls("several", parts=tuple(cls.of(one.kind, one.id, one.changes) for one in changed))

    @property
    def creates(self) -> bool:
        return self.record_id is None and not self.parts

    @property
    def key(self) -> str:
        """The same for the same wish."""
        return encode_json(write_to_json(self))

    @property
    def raw_changes(self) -> Changes:
        """As the database gets them."""
        return {name: Change(change["from"], change["to"]) for name, change in self.changes.items()}

    @property
    def typed_changes(self) -> Changes:
        """With dates and amounts as such."""
        return {
            name: Change(*(rows.json_value(name, _plain(change[side])) for side in ("from", "to")))
            for name, change in self.changes.items()
        }

    @property
    def temporary_ids(self) -> set[int]:
        """Negative ids of records and stays that this write refers to."""
        found: set[object] = {self.record_id, *(_stay_id(name) for name in self.changes)}
        for name, change in self.changes.items():
            values = change["to"] if isinstance(change["to"], Mapping) else {name: change["to"]}
            found |= {value for name, value in values.items() if name in _REFERENCES}
        return {one for one in found if isinstance(one, int) and one < 0}.union(
            *(part.temporary_ids for part in self.parts)
        )

    @property
    def new_stays(self) -> dict[int, Mapping[str, Any]]:
        """Where its new stays shall be, as sent, by their temporary ids."""
        own = {id_: self.changes[name]["to"] for name, id_ in self.stays.items()}
        for part in self.parts:
            own |= part.new_stays
        return own

    def numbered(self, last: int) -> tuple[Write, int]:
        """With ids for its new stays, and the last one that was given; ``last`` is taken already."""
        parts, stays = [], dict(self.stays)
        for part in self.parts:
            numbered, last = part.numbered(last)
            parts.append(numbered)
        for name in self.changes:
            if name.startswith("stay/new") and name not in stays:
                last -= 1
                stays[name] = last
        return replace(self, parts=tuple(parts), stays=stays), last

    def resolved(self, aliases: Mapping[int, int]) -> Write:
        """With the ids that the database gave instead of temporary ones."""

        def real(one: Any) -> Any:
            return aliases.get(one, one) if isinstance(one, int) and one < 0 else one

        def value_of(name: str, value: Any) -> Any:
            if isinstance(value, Mapping):
                return {inner: value_of(inner, one) for inner, one in value.items()}
            return real(value) if name in _REFERENCES else value

        def change_of(name: str, change: Mapping[str, Any]) -> Mapping[str, Any]:
            return {side: value_of(name, value) for side, value in change.items()}

        def name_of(name: str) -> str:
            number = _stay_id(name)
            return name if number is None else f"stay/{real(number)}"

        return replace(
            self,
            record_id=real(self.record_id),
            changes={name_of(name): change_of(name, change) for name, change in self.changes.items()},
            parts=tuple(part.resolved(aliases) for part in self.parts),
            stays={name: real(one) for name, one in self.stays.items()},
        )

    async def send(self, database: Database, request: UUID) -> dict[str, Any]:
        """The answer of the database. Raises domain errors."""
        if self.parts:
            changed = [RecordWrite(one.kind, one.record_id or 0, one.raw_changes) for one in self.parts]  # type: ignore[arg-type]
            return await writes.save_several(database, changed, request=request)
        if self.delete:
            return await writes.delete(database, self.kind, self.record_id or 0, request=request)
        return await writes.save(database, self.kind, self.record_id, self.raw_changes, request=request)


@dataclass(frozen=True, slots=True)
class Queued:
    """A write that waits. ``temporary``: the id that a record created by it has until it is sent."""

    request: UUID
    write: Write
    label: str
    at: datetime
    state: State
    temporary: int | None = None
    reason: str = ""
    """Why it is a conflict, in a German sentence."""
    changed_by: str | None = None
    """Who changed the record meanwhile, if that is why."""
    in_the_way: tuple[InTheWay, ...] = ()
    """Who has the room, if that is why."""
    form: str = ""
    """The form that it was typed into: nobody needs its draft any more."""

    @property
    def open(self) -> bool:
        """Whether it will be sent without anybody's doing."""
        return self.state in (State.WAITING, State.UNKNOWN)

    @property
    def writes(self) -> tuple[Write, ...]:
        """Those of single records."""
        return self.write.parts or (self.write,)

    @property
    def own_ids(self) -> set[int]:
        """The temporary ids that it gives: of its record and of its stays."""
        return {*self.write.new_stays, *([] if self.temporary is None else [self.temporary])}

    def resolved(self, aliases: Mapping[int, int]) -> Queued:
        """With other ids: real ones, or other temporary ones."""
        temporary = None if self.temporary is None else aliases.get(self.temporary, self.temporary)
        return replace(self, write=self.write.resolved(aliases), temporary=temporary)

    def waiting(self) -> Iterator[Waiting]:
        """What it will do to each record."""
        for write in self.writes:
            record_id = self.temporary if write.creates else write.record_id
            if record_id is not None:
                yield Waiting(
                    write.kind,  # type: ignore[arg-type]  # of a single record
                    record_id,
                    write.typed_changes,
                    write.creates,
                    write.delete,
                    write.stays,
                )


_saving_form: ContextVar[str] = ContextVar("saving_form", default="")


@contextmanager
def saving(form: str) -> Iterator[None]:
    """What is written inside was typed into this form."""
    token = _saving_form.set(form)
    try:
        yield
    finally:
        _saving_form.reset(token)


def form_in_hand() -> str:
    """The form that is being saved in this task, or nothing."""
    return _saving_form.get()


def _stay_id(name: str) -> int | None:
    """The temporary id in the name of a field, ``stay/-7``."""
    number = name.removeprefix("stay/")
    return int(number) if number != name and number.startswith("-") else None


def _plain(value: object) -> object:
    """A value as it comes back from the file."""
    return json.loads(encode_json(value))


def write_to_json(write: Write) -> dict[str, Any]:
    """As the file holds it."""
    return {
        "kind": write.kind,
        "id": write.record_id,
        "changes": dict(write.changes),
        "delete": write.delete,
        "parts": [write_to_json(part) for part in write.parts],
        "stays": dict(write.stays),
    }


def write_from_json(value: Mapping[str, Any]) -> Write:
    """Raises KeyError or TypeError."""
    return Write(
        value["kind"],
        value["id"],
        value["changes"],
        value["delete"],
        tuple(write_from_json(part) for part in value["parts"]),
        value.get("stays", {}),
    )
