"""What a desk tells its screens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.domain.models import User

__all__ = [
    "Action",
    "BackupStateChanged",
    "ConnectionChanged",
    "ConnectionState",
    "DeskEvent",
    "Interrupted",
    "Kind",
    "Phase",
    "PresenceChanged",
    "QueueChanged",
    "RecordChanged",
    "SessionLost",
    "StoreReloaded",
]

Kind = Literal["booking", "block", "room", "guest", "reminder", "user", "setting"]
Action = Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """The connection was made, lost or is being made again."""

    state: ConnectionState


@dataclass(frozen=True, slots=True)
class PresenceChanged:
    """Somebody signed in, left or went to another place: see ``desk.present``."""


@dataclass(frozen=True, slots=True)
class QueueChanged:
    """What waits to be sent, or whether the last write is done: see ``desk.outbox``."""

    done: tuple[str, ...] = ()
    """Labels of queued writes that are done now."""
    refused: tuple[str, ...] = ()
    """Labels of those that do not fit any more."""


@dataclass(frozen=True, slots=True)
class Missed:
    """A colleague's change while this desk was cut off."""

    at: datetime
    by: str
    what: str


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The connection is back, and others changed something meanwhile: see ``desk.missed``."""

    changes: int | None
    """None: more than can be counted, everything was read anew."""
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EmergencyListFailed:
    """The hourly emergency list could not be written; told once, tried on."""

    sentence: str


@dataclass(frozen=True, slots=True)
class BackupStateChanged:
    """There is something to say about the backups, or (None) not any more."""

    warning: str | None


@dataclass(frozen=True, slots=True)
class SessionLost:
    """The session ended without the user's doing: sign in again, everything open stays."""

    reason: str


@dataclass(frozen=True, slots=True)
class StoreReloaded:
    """Rooms and occupancies were read anew: draw everything."""


@dataclass(frozen=True, slots=True)
class RecordChanged:
    """A record changed, here (``own``) or at another desk; the store shows it already."""

    kind: Kind
    id: int
    action: Action
    own: bool
    by: User | None = None
    occupancies: tuple[int, ...] = ()
    """Bars that appeared, changed or went."""
    booking_id: int | None = None
    """The booking of a reminder; None also when the reminder was deleted."""


DeskEvent = (
    BackupStateChanged
    | ConnectionChanged
    | EmergencyListFailed
    | Interrupted
    | PresenceChanged
    | QueueChanged
    | SessionLost
    | StoreReloaded
    | RecordChanged
)
