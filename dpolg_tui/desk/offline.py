"""Writes that wait for the connection: kept in a file of their user, sent once and in their order.

A write bears its request id from the first try on, so the database does it once however often it is
sent. Records created here without a connection have negative ids until the database has given one.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from dpolg_tui.db import rows, writes
from dpolg_tui.db.connection import Database
from dpolg_tui.db.hosts import decode_json, encode_json
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.rearrange import RecordWrite

if sys.platform != "win32":
    import fcntl

_REFERENCES = frozenset({"guest_id", "booking_id"})
"""Fields that hold the id of another record."""


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


@dataclass(frozen=True, slots=True)
class Write:
    """One call that writes. ``record_id`` None: a new record; ``parts`` instead of both: several."""

    kind: str
    record_id: int | None = None
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """``{field: {from, to}}``"""
    delete: bool = False
    parts: tuple[Write, ...] = ()

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
        return encode_json(_write_to_json(self))

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
        """Negative ids that this write mentions."""
        found = {self.record_id} | {
            change["to"] for name, change in self.changes.items() if name in _REFERENCES
        }
        return {one for one in found if isinstance(one, int) and one < 0}.union(
            *(part.temporary_ids for part in self.parts)
        )

    def resolved(self, aliases: Mapping[int, int]) -> Write:
        """With the ids that the database gave instead of temporary ones."""

        def real(one: Any) -> Any:
            return aliases.get(one, one) if isinstance(one, int) and one < 0 else one

        return replace(
            self,
            record_id=real(self.record_id),
            changes={
                name: {side: real(value) for side, value in change.items()} if name in _REFERENCES else change
                for name, change in self.changes.items()
            },
            parts=tuple(part.resolved(aliases) for part in self.parts),
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

    @property
    def open(self) -> bool:
        """Whether it will be sent without anybody's doing."""
        return self.state is not State.CONFLICT


class QueueFile:
    """The queue of one user of one installation on disk: 0600, replaced as a whole, gone when empty."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def take(self) -> bool:
        """Whether no other desk of this user on this computer has it; it stays taken until ``release``."""
        if sys.platform == "win32":
            return True  # no such locks there
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise NotKept from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def release(self) -> None:
        """Another desk may take it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def load(self) -> list[Queued]:
        """What waits since the last time. A file that cannot be read is put aside, never overwritten."""
        try:
            found = decode_json(self.path.read_text(encoding="utf-8"))
            return [_queued(one) for one in found["writes"]]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotKept(
                f"Vorgemerkte Änderungen ließen sich nicht lesen: bitte {self.path} prüfen lassen."
            ) from error
        except (ValueError, KeyError, TypeError):
            aside = self.path.with_suffix(f".unlesbar-{datetime.now(UTC):%Y%m%d%H%M%S}")
            self.path.replace(aside)
            raise NotKept(
                f"Vorgemerkte Änderungen waren nicht lesbar: sie liegen jetzt in {aside}."
            ) from None

    def save(self, writes_: Iterable[Queued]) -> None:
        """Raises NotKept, and then the file is as it was."""
        content = [_queued_to_json(one) for one in writes_]
        keep(self.path, encode_json({"writes": content}) if content else None)


def keep(path: Path, text: str | None) -> None:
    """Replaces a private file (0600) atomically; None removes it. Raises NotKept."""
    try:
        if text is None:
            path.unlink(missing_ok=True)
            return
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotKept from error


def _plain(value: object) -> object:
    """A value as it comes back from the file."""
    return json.loads(encode_json(value))


def _write_to_json(write: Write) -> dict[str, Any]:
    return {
        "kind": write.kind,
        "id": write.record_id,
        "changes": dict(write.changes),
        "delete": write.delete,
        "parts": [_write_to_json(part) for part in write.parts],
    }


def _write_from_json(value: Mapping[str, Any]) -> Write:
    return Write(
        value["kind"],
        value["id"],
        value["changes"],
        value["delete"],
        tuple(_write_from_json(part) for part in value["parts"]),
    )


def _queued_to_json(one: Queued) -> dict[str, Any]:
    return {
        "request": str(one.request),
        "write": _write_to_json(one.write),
        "label": one.label,
        "at": one.at.isoformat(),
        "state": one.state.value,
        "temporary": one.temporary,
        "reason": one.reason,
        "changed_by": one.changed_by,
    }


def _queued(value: Mapping[str, Any]) -> Queued:
    return Queued(
        request=UUID(value["request"]),
        write=_write_from_json(value["write"]),
        label=value["label"],
        at=datetime.fromisoformat(value["at"]),
        state=State(value["state"]),
        temporary=value["temporary"],
        reason=value["reason"],
        changed_by=value["changed_by"],
    )
