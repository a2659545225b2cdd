"""How it is said where the columns of an old table must be found in the new schema."""

from __future__ import annotations

from dataclasses import dataclass

from dpolg_tui.legacy import readings
from dpolg_tui.legacy.readings import Reading


@dataclass(frozen=True, slots=True)
class Place:
    """Where the value of a column must be."""

    column: str
    sql: str
    reading: Reading = readings.TEXT
    reference: str = ""
    """The old table whose row it names: what is compared is that row's old id."""
    needed: bool = False
    """The new column takes no empty value: what stands there for one is the mapping's affair."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """The places of one old table."""

    target: str
    places: tuple[Place, ...]
    derived: frozenset[str] = frozenset()
    """Columns whose content follows from others: numbers that the old program computed."""
    notes: str = ""
    """Where a text goes that fits nowhere else, as an expression over ``t``."""


def columns(pairs: str, reading: Reading = readings.TEXT, *, needed: bool = False) -> tuple[Place, ...]:
    """Places from ``old:new old:new``."""
    places = []
    for pair in pairs.split():
        old, _, new = pair.partition(":")
        places.append(Place(old, f"t.{new or old}", reading, needed=needed))
    return tuple(places)


def single(table: str, pairs: str, reading: Reading = readings.TEXT) -> tuple[Place, ...]:
    """Places in a table with one row only."""
    places = []
    for pair in pairs.split():
        old, _, new = pair.partition(":")
        sql = f"(SELECT x.{new or old} FROM app.{table} x)"
        places.append(Place(old, sql, reading, needed=True))
    return tuple(places)


def created(old: str = "created_at", new: str = "created_at") -> Place:
    """When the record came into being."""
    return Place(old, f"t.{new}", readings.MOMENT, needed=True)
