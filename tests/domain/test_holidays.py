"""Public holidays of the house's federal state."""

from __future__ import annotations

from datetime import date

import pytest

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.holidays import public_holidays


def test_bavaria_has_its_thirteen_days() -> None:
    days = public_holidays(date(2026, 1, 1), date(2026, 12, 31))
    assert len(days) == 13
    assert days[date(2026, 1, 6)] == "Heilige Drei Könige"
    assert days[date(2026, 4, 3)] == "Karfreitag"
    assert days[date(2026, 8, 15)] == "Mariä Himmelfahrt"
    assert days[date(2026, 10, 3)] == "Tag der Deutschen Einheit"


def test_both_ends_count_and_a_range_may_cross_new_year() -> None:
    assert set(public_holidays(date(2026, 12, 26), date(2027, 1, 1))) == {
        date(2026, 12, 26),
        date(2027, 1, 1),
    }
    assert public_holidays(date(2026, 11, 2), date(2026, 12, 24)) == {}
    assert public_holidays(date(2027, 1, 2), date(2026, 12, 1)) == {}


def test_another_state_has_other_days() -> None:
    berlin = public_holidays(date(2026, 1, 1), date(2026, 12, 31), "BE")
    assert date(2026, 1, 6) not in berlin
    assert date(2026, 3, 8) in berlin


def test_an_unknown_state_gets_its_sentence() -> None:
    with pytest.raises(InvalidInput, match="Das Bundesland „XX“ ist nicht bekannt: bitte BB, BE") as caught:
        public_holidays(date(2026, 1, 1), date(2026, 1, 2), "XX")
    assert caught.value.field == "region"
