"""The file of the queue: one of each user of an installation, private, replaced as a whole."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from dpolg_tui.db import rows
from dpolg_tui.db.hosts import decode_json, encode_json
from dpolg_tui.desk.offline import NotKept, Queued, State, write_from_json, write_to_json
from dpolg_tui.desk.private_lock import PrivateLock
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import InTheWay


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose queue it is, and of which database, as people name it."""

    user: str
    database: str
    servers: str


def owner_in(path: Path) -> Owner | None:
    """Whose a file of writes or forms is; None: nobody can tell."""
    try:
        return Owner(**decode_json(path.read_text(encoding="utf-8"))["owner"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def of_earlier_installations(own: Path, owner: Owner) -> list[tuple[Path, Owner]]:
    """Files of the same user and database name beside the own one, under another installation.

    A user who is made anew after a restore has another number: the name counts, not the name of the file.
    """
    installation = own.stem.rpartition("-")[0]
    others = (path for path in own.parent.glob("*.json") if not path.name.startswith(f"{installation}-"))
    owned = ((path, owner_in(path)) for path in sorted(others))
    return [
        (path, theirs)
        for path, theirs in owned
        if theirs is not None and (theirs.user, theirs.database) == (owner.user, owner.database)
    ]


class QueueFile:
    """The queue of one user of one installation on disk: 0600, replaced as a whole, gone when empty."""

    def __init__(self, path: Path, owner: Owner) -> None:
        self.path = path
        self._owner = owner
        self._lock = PrivateLock(path)

    def take(self) -> bool:
        """Whether no other desk of this user on this computer has it; it stays taken until ``release``."""
        try:
            return self._lock.take()
        except OSError as error:
            raise NotKept from error

    def release(self) -> None:
        """Another desk may take it."""
        self._lock.release()

    def load(self) -> list[Queued]:
        """What waits since the last time. A file that cannot be read is put aside, never overwritten."""
        try:
            found = decode_json(self.path.read_text(encoding="utf-8"))
            writes = [_queued(one) for one in found["writes"]]
            for one in writes:
                # What is shown of them must be readable, too.
                list(one.waiting())
            return writes
        except FileNotFoundError:
            return []
        except OSError as error:
            raise NotKept(
                f"Vorgemerkte Änderungen ließen sich nicht lesen: bitte {self.path} prüfen lassen."
            ) from error
        except (ValueError, KeyError, TypeError, InvalidInput):
            aside = self.path.with_suffix(f".unlesbar-{datetime.now(UTC):%Y%m%d%H%M%S}")
            self.path.replace(aside)
            raise NotKept(
                f"Vorgemerkte Änderungen waren nicht lesbar: sie liegen jetzt in {aside}."
            ) from None

    def save(self, writes: Iterable[Queued], *, durable: bool = True) -> None:
        """Raises NotKept, and then the file is as it was. ``durable``: it outlives a power cut, too."""
        content = [_queued_to_json(one) for one in writes]
        text = encode_json({"owner": asdict(self._owner), "writes": content}) if content else None
        keep(self.path, text, durable=durable)


def keep(path: Path, text: str | None, *, durable: bool = True) -> None:
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
                if durable:
                    os.fsync(file.fileno())
            Path(part).replace(path)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotKept from error


def _queued_to_json(one: Queued) -> dict[str, Any]:
    return {
        "request": str(one.request),
        "write": write_to_json(one.write),
        "label": one.label,
        "at": one.at.isoformat(),
        "state": one.state.value,
        "temporary": one.temporary,
        "reason": one.reason,
        "changed_by": one.changed_by,
        "in_the_way": [asdict(way) for way in one.in_the_way],
        "form": one.form,
    }


def _queued(value: Mapping[str, Any]) -> Queued:
    return Queued(
        request=UUID(value["request"]),
        write=write_from_json(value["write"]),
        label=value["label"],
        at=datetime.fromisoformat(value["at"]),
        state=State(value["state"]),
        temporary=value["temporary"],
        reason=value["reason"],
        changed_by=value["changed_by"],
        in_the_way=tuple(
            InTheWay(**{name: rows.json_value(name, part) for name, part in way.items()})
            for way in value.get("in_the_way", ())
        ),
        form=value.get("form", ""),
    )
