"""The zone of the house, Europe/Berlin, whatever the computer is set to."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

ZONE_NAME = "Europe/Berlin"
_WINTER = timezone(timedelta(hours=1), "CET")
_SUMMER = timezone(timedelta(hours=2), "CEST")


def in_house(moment: datetime) -> datetime:
    """The same moment, timezone-aware, on the clock of the house."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(_system_zone() or european_offset(moment))


def midnight(day: date) -> datetime:
    """The moment at which a day begins in the house."""
    naive = datetime.combine(day, time())
    # The clocks change after midnight: winter time asked of both kinds of midnight finds the right offset.
    return naive.replace(tzinfo=_system_zone() or european_offset(naive.replace(tzinfo=_WINTER)))


@lru_cache(maxsize=1)
def _system_zone() -> ZoneInfo | None:
    """The zone from the system's database, which Windows and small containers do not have."""
    try:
        return ZoneInfo(ZONE_NAME)
    except ZoneInfoNotFoundError:
        return None


def european_offset(moment: datetime) -> tzinfo:
    """Winter or summer time by the rule of the European Union, in force since 1996."""
    utc = moment.astimezone(UTC)
    start, end = (_last_sunday(utc.year, month) for month in (3, 10))
    return _SUMMER if start <= utc < end else _WINTER


def _last_sunday(year: int, month: int) -> datetime:
    """One o'clock UTC on the last Sunday of March or October: when the clocks change."""
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta((last.weekday() + 1) % 7)
