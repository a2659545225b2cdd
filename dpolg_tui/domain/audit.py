"""The audit log: what is asked of it, and one entry of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dpolg_tui.domain.models import HistoryEntry
from dpolg_tui.domain.zone import midnight


@dataclass(frozen=True, slots=True)
class AuditEntry(HistoryEntry):
    """An entry of the whole log, newest first by ``id``."""

    user_id: int | None = None
    booking_id: int | None = None
    """The booking to which the record belongs."""
    label: str | None = None
    """Booking number, or name of the guest, room or user; None when the record is gone or has no name."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries are wanted; what is empty does not matter."""

    user_id: int | None = None
    tables: tuple[str, ...] = ()
    record_id: int | None = None
    """Of one of ``tables``; of ``bookings``, with all that belongs to the booking."""
    first: date | None = None
    last: date | None = None
    """Both days in the house, both wanted."""
    field: str | None = None

    @property
    def since(self) -> datetime | None:
        """The moment from which on entries are wanted."""
        return None if self.first is None else midnight(self.first)

    @property
    def until(self) -> datetime | None:
        """The moment before which entries are wanted."""
        return None if self.last is None else midnight(self.last + timedelta(1))
