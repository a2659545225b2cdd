"""Columns of an old file in which every day or moment is written as the old program wrote it.

The mapping then takes it as it is: to look at each one again costs more than all the rest of it.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any, Final

from dpolg_tui.legacy.source import Batch

# By position in "2026-01-31 12:34:56".
_FIRST: Final = date(2000, 1, 1)
_LEAP_DAY: Final = "02-29"
_DAY: Final[tuple[tuple[slice, frozenset[str]], ...]] = (
    (slice(0, 5), frozenset(f"{year}-" for year in range(1900, 2100))),
    (slice(5, 10), frozenset(f"{_FIRST + timedelta(days=number):%m-%d}" for number in range(366))),
)
_MOMENT: Final = (
    *_DAY,
    (slice(10, 13), frozenset(f" {hour:02}" for hour in range(24))),
    (slice(13, 16), frozenset(f":{minute:02}" for minute in range(60))),
    (slice(16, None), frozenset(f":{second:02}" for second in range(60))),
)
_FORMS: Final = {"d": (*_DAY, (slice(10, None), frozenset(("",)))), "m": _MOMENT}


class Usual:
    """What is known of the columns of one table after the batches seen so far."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._forms: dict[int, str | None] = dict.fromkeys(range(1, len(columns) + 1))

    def look(self, batch: Batch) -> None:
        """See one more batch."""
        for number, form in list(self._forms.items()):
            values = [value for row in batch if (value := row[number]) is not None]
            if not values:
                continue
            if type(values[0]) is not str or any(type(value) is not str for value in values):
                del self._forms[number]
                continue
            for name in (form,) if form else _FORMS:
                if _all_are(values, name):
                    self._forms[number] = name
                    break
            else:
                del self._forms[number]

    def forms(self) -> dict[str, str]:
        """By column: d for days, m for moments."""
        return {self._columns[number - 1]: form for number, form in self._forms.items() if form}


def _all_are(values: Collection[Any], form: str) -> bool:
    if not all({value[part] for value in values} <= allowed for part, allowed in _FORMS[form]):
        return False
    return all(isleap(int(value[:4])) for value in values if value[5:10] == _LEAP_DAY)
