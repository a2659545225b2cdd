"""Public holidays, by the library ``holidays``: loaded late, it costs over 100 ms to import."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

from dpolg_tui.domain.errors import InvalidInput

DEFAULT_REGION = "BY"


def public_holidays(first: date, last: date, region: str = DEFAULT_REGION) -> dict[date, str]:
    """German names of the public holidays from ``first`` to ``last``, both included.

    ``region`` is the short name of a federal state (``BY`` is Bavaria). Raises InvalidInput for
    any other. The first call loads the library: not on the way to a first picture.
    """
    return {
        day: name
        for year in range(first.year, last.year + 1)
        for day, name in _of_year(year, region)
        if first <= day <= last
    }


@lru_cache(maxsize=128)
def _of_year(year: int, region: str) -> tuple[tuple[date, str], ...]:
    from holidays.countries.germany import Germany

    if region not in Germany.subdivisions:
        known = ", ".join(Germany.subdivisions)
        raise InvalidInput(f"Das Bundesland „{region}“ ist nicht bekannt: bitte {known} wählen.", "region")
    # Bavaria's Assumption Day holds in Catholic communities only; the house is in one of them
    categories = ("public", "catholic") if region == DEFAULT_REGION else ("public",)
    found = Germany(subdiv=region, years=year, language="de", categories=categories)
    return tuple(sorted(found.items()))
