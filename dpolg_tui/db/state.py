"""The state of the connection, as the header of the screen shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum


class Phase(StrEnum):
    """Whether the desk talks to the database."""

    CONNECTED = "connected"
    CONNECTING = "connecting"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class ConnectionState:
    """``since`` when the phase lasts, and why, in a German sentence, if it is ``offline``."""

    phase: Phase = Phase.CONNECTING
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    reason: str | None = None

    def to(self, phase: Phase, reason: str | None = None) -> ConnectionState:
        """The next state; the time stands still while only the reason changes."""
        since = self.since if phase is self.phase else datetime.now(UTC)
        return ConnectionState(phase, since, reason)
