"""A table of the predecessor as text: its columns, and the stage from which on each is there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``stage`` 0 stands in the first CREATE TABLE, others were appended."""

    name: str
    declared: str
    rules: str = ""
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Table:
    """One table; from ``rebuilt`` on it was made anew with all columns in order and looser rules."""

    name: str
    stage: int
    columns: tuple[Column, ...]
    tail: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    rebuilt: int | None = None
    looser: tuple[str, ...] = ()


def columns(text: str, stage: int = 0) -> tuple[Column, ...]:
    """Columns from ``name TYPE rules; name TYPE rules``."""
    found = []
    for part in text.split(";"):
        name, declared, *rules = part.split()
        found.append(Column(name, declared, " ".join(rules), stage))
    return tuple(found)


def texts(names: str, stage: int = 0) -> tuple[Column, ...]:
    return tuple(Column(name, "TEXT", "", stage) for name in names.split())
