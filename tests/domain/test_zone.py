"""The clock of the house, with and without the system's zone database."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain import german, zone


@settings(max_examples=200, deadline=None)
@given(st.datetimes(datetime(1996, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_the_rule_agrees_with_the_zone_database(moment: datetime) -> None:
    there = moment.astimezone(ZoneInfo(zone.ZONE_NAME))
    assert moment.astimezone(zone.european_offset(moment)).utcoffset() == there.utcoffset()


@pytest.mark.parametrize(("month", "day", "before"), [(3, 29, 1), (10, 25, 2)])
def test_clocks_change_at_one_o_clock_utc(month: int, day: int, before: int) -> None:
    change = datetime(2026, month, day, 1, tzinfo=UTC)
    hours = [zone.in_house(moment).utcoffset() for moment in (change - timedelta(seconds=1), change)]
    assert hours == [timedelta(hours=before), timedelta(hours=3 - before)]


def test_a_computer_without_zone_database_shows_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zone, "_system_zone", lambda: None)
    assert german.format_datetime(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "02.07.2026 00:30"
    assert german.format_datetime(datetime(2026, 1, 1, 22, 30, tzinfo=UTC)) == "01.01.2026 23:30"


@pytest.mark.parametrize(
    "day", [date(2026, 3, 29), date(2026, 3, 30), date(2026, 10, 25), date(2026, 10, 26)]
)
def test_a_day_begins_at_midnight_also_around_the_change_of_clocks(
    day: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    for without_database in (False, True):
        if without_database:
            monkeypatch.setattr(zone, "_system_zone", lambda: None)
        start = zone.in_house(zone.midnight(day))
        assert (start.date(), start.hour, start.minute) == (day, 0, 0)
