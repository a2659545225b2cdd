"""What is asked of the audit log."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from dpolg_tui.domain.audit import AuditFilter, parse_past_day
from dpolg_tui.domain.errors import InvalidInput

TODAY = date(2026, 11, 21)  # a Saturday


@pytest.mark.parametrize(
    ("typed", "day"),
    [
        ("heute", TODAY),
        ("gestern", date(2026, 11, 20)),
        ("mo", date(2026, 11, 16)),
        ("sa", TODAY),
        ("21.11.", TODAY),
        ("24.12.", date(2025, 12, 24)),
        ("1.5.", date(2026, 5, 1)),
        ("1.6.", date(2026, 6, 1)),
        ("24.12.24", date(2024, 12, 24)),
        ("-7", date(2026, 11, 14)),
    ],
)
def test_a_day_is_looked_for_in_the_past(typed: str, day: date) -> None:
    assert parse_past_day(typed, today=TODAY) == day


@pytest.mark.parametrize("typed", ["+2", "morgen", "24.12.2026", "30.2."])
def test_a_day_of_the_future_is_told(typed: str) -> None:
    with pytest.raises(InvalidInput):
        parse_past_day(typed, today=TODAY)


def test_both_days_of_a_period_are_wanted_whole() -> None:
    wanted = AuditFilter(first=date(2026, 10, 25), last=date(2026, 10, 25))
    assert wanted.since == datetime(2026, 10, 24, 22, tzinfo=UTC)
    assert wanted.until == datetime(2026, 10, 25, 23, tzinfo=UTC)
    assert (AuditFilter().since, AuditFilter().until) == (None, None)
