"""Whether a stored cell is the value that the old file has, or says where it went."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from dpolg_tui.legacy import readings

Data = dict[str, Any]

_MOVED = re.compile(r"[\w ./-]{1,40} im Altsystem: |Bei der Übernahme aus dem Altsystem ")
_SECRET_INSIDE = re.compile(
    r'("(?:schluesselcode|smtp_password)"\s*:\s*)("(?:[^"\\]|\\.)*"|[^",}\s]+)', re.IGNORECASE
)


def is_cell(cell: Any, value: Any) -> bool:
    """Whether a kept cell ``[storage class, text]`` is this value."""
    if not isinstance(cell, list) or len(cell) != 2:
        return False
    kind, text = cell
    match kind, value:
        case "text", str():
            return bool(text == value)
        case "text64", str():
            return b64decode(text) == value.encode("utf-8", "surrogateescape")
        case "blob", bytes():
            return b64decode(text) == value
        case "integer", int():
            return int(text) == value
        case "real", float():
            return float(text) == value or value != value
    return False


def has_grown(value: Any, stored: str) -> bool:
    """Whether notes are the old ones, and after them what the migration moved there."""
    written = readings.as_text(value)
    if not stored.startswith(written):
        return False
    added = stored[len(written) :].lstrip("\n")
    return _MOVED.match(added) is not None and (not written or stored[len(written)] == "\n")


def is_clean(value: Any) -> bool:
    """Whether PostgreSQL takes the value as it is; of others a readable form is stored."""
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)
    return not isinstance(value, bytes)


def is_masked(cell: Any, value: Any) -> bool:
    """Whether a kept cell is this text but for the secrets in it: the old log has whole records."""
    if not isinstance(value, str) or not _SECRET_INSIDE.search(value):
        return False
    return is_cell(cell, _SECRET_INSIDE.sub(r'\1"***"', value))


def is_anywhere(column: str, value: Any, notes: str, hidden: list[Data]) -> bool:
    """Whether the original of a repaired cell is in the notes, in quarantine or kept."""
    if any(is_cell(data.get(column), value) for data in hidden):
        return True
    written = readings.as_text(value).strip()
    return bool(written) and written in notes
