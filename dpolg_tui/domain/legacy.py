"""What the data migration left in schema ``legacy``, as admins read it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class Place(StrEnum):
    """Where rows of the old file are that are not in the house's tables."""

    QUARANTINE = "quarantine"
    """No valid row could be made of it."""
    KEPT = "kept"
    """The new system has no place for it, or for some of its columns."""


@dataclass(frozen=True, slots=True)
class LegacyRun:
    """One completed migration; ``rows`` of the old file."""

    id: int
    started_at: datetime
    source_sha256: str
    program_version: str
    rows: int | None


@dataclass(frozen=True, slots=True)
class LegacyTable:
    """A table of the old file with rows in a place."""

    place: Place
    name: str
    rows: int


@dataclass(frozen=True, slots=True)
class LegacyEntry:
    """A row of the old file in a list. ``says``: why it is in quarantine, or how it begins."""

    table: str
    row_id: int
    run_id: int
    says: str
    cursor: int
    """The next page begins behind this number."""


@dataclass(frozen=True, slots=True)
class LegacyRow:
    """What is left of a row: all its cells as (column, text or None), or only some of them if kept."""

    place: Place
    run_id: int
    sentence: str | None
    cells: tuple[tuple[str, str | None], ...]


def cells(data: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    """Raw cells ``[storage class, text]`` in words, by the names of their columns."""
    return tuple((name, _cell(*data[name])) for name in sorted(data))


def _cell(storage: str, text: str | None) -> str | None:
    if storage == "null" or text is None:
        return None
    if storage == "text64":
        return base64.b64decode(text).decode("utf-8", "replace")
    if storage == "blob":
        return f"(Binärdaten, {len(base64.b64decode(text))} Bytes)"
    return text
