"""Whether a stored cell is the value that the old file has, or says where it went."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

from dpolg_tui.legacy import readings

Data = dict[str, Any]

_MOVED = re.compile(r"[\w ./-]{1,40} im Altsystem: |Bei der Übernahme aus dem Altsystem ")
_SECRET_INSIDE = re.compile(
    r"""(["'](?:schluesselcode|smtp_password)\\*["']\s*[:=]\s*)"""
    r"""(\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^"',}\s]+)""",
    re.IGNORECASE,
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
    written = repr(value) if isinstance(value, float) else readings.as_text(value)
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
    if not isinstance(value, str | bytes):
        return False
    readable = value if isinstance(value, str) and is_clean(value) else readings.as_readable(value)
    masked = _SECRET_INSIDE.sub(r'\1"***"', readable)
    return masked != readable and is_cell(cell, masked)


def is_anywhere(column: str, value: Any, notes: str, hidden: list[Data]) -> bool:
    """Whether the original of a repaired cell is in the notes, in quarantine or kept."""
    cells = [data.get(column) for data in hidden]
    if any(is_cell(cell, value) or is_masked(cell, value) for cell in cells):
        return True
    written = readings.as_text(value).strip()
    return bool(written) and written in notes
