"""Days and moments that the mapping takes as they are: only where each one is written as usual."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpolg_tui.legacy.usual import Usual

DAYS = ["2026-01-31", "2024-02-29", "1900-12-31", "2099-02-28"]
MOMENTS = ["2026-01-31 00:00:00", "2024-02-29 23:59:59"]


def form(*values: object) -> str | None:
    seen = Usual(["spalte"])
    for number, value in enumerate(values):
        seen.look([(number, value)])
    at_once = Usual(["spalte"])
    at_once.look([(number, value) for number, value in enumerate(values)])
    assert seen.forms() == at_once.forms()
    return seen.forms().get("spalte")


def test_usual_columns() -> None:
    assert form(*DAYS, None) == "d"
    assert form(None, *MOMENTS) == "m"
    assert form(None, None) is None


@pytest.mark.parametrize(
    "odd",
    ["", "2025-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "2026-1-1", "31.01.2026",
     " 2026-01-31", "2026-01-31 ", "2026-01-31T00:00:00", "2026-01-31 24:00:00", "2026-01-31 00:00:60",
     "2026-01-31 00:00:00.5", "2026-01-31 00:00:00Z", "2026-01-31 00:00", "2100-01-01",
     "２０２６-01-31", 5, 2.5, b"2026-01-31"],
)  # fmt: skip
def test_one_odd_value_is_enough(odd: object) -> None:
    assert form(*DAYS, odd) is None
    assert form(odd, *DAYS) is None
    assert form(*MOMENTS, odd) is None


@given(
    st.lists(
        st.from_regex(
            re.compile(r"(19|20)\d\d-[01]\d-[0-3]\d( [0-2]\d:[0-6]\d:[0-6]\d)?", re.ASCII), fullmatch=True
        )
    )
)
def test_what_is_usual_is_valid(values: list[str]) -> None:
    if form(*values):
        for value in values:
            assert datetime.fromisoformat(value)
