"""The audit log: what is asked of it, and one entry of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import clean_line, format_date, parse_date
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
    parent_id: int | None = None
    """The guest or room to which a companion, credit, mail or price belongs; None when the record is gone."""


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


def parse_past_day(text: str, *, today: date, field: str | None = None) -> date:
    """A day of the past as ``parse_date``; ``24.12.`` and ``mo`` are the last one, ``-7`` is seven days ago.

    Raises InvalidInput, also for a day of the future.
    """
    if ago := re.fullmatch(r"[-\N{MINUS SIGN}] *([0-9]{1,4})", clean_line(text)):
        return today - timedelta(int(ago[1]))
    day = parse_date(text, today=today, field=field)
    if not clean_line(text).startswith("+") and "morgen" not in text.lower():
        for back in (7, 366):
            day = day if day <= today else parse_date(text, today=today - timedelta(back), field=field)
    if day > today:
        raise InvalidInput(
            f"Der {format_date(day)} liegt in der Zukunft: bitte einen Tag bis heute eingeben.", field
        )
    return day
