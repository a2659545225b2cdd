"""The emergency list on this computer: looked for without a connection, shown as it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

MOST_BYTES = 1_000_000
PATTERN = "notfall-*.txt"


@dataclass(frozen=True, slots=True)
class EmergencyFile:
    """Where it is, and when it was written."""

    path: Path
    at: datetime

    def read(self) -> str:
        """Its text, pages joined; empty if it is gone or cannot be read."""
        try:
            with self.path.open("rb") as file:
                return file.read(MOST_BYTES).decode("utf-8", errors="replace").replace("\f", "")
        except OSError:
            return ""


def newest(directory: Path | None) -> EmergencyFile | None:
    """The list written last, if there is one."""
    if directory is None:
        return None
    try:
        found = [(path.stat().st_mtime, path) for path in directory.glob(PATTERN)]
    except OSError:
        return None
    if not found:
        return None
    written, path = max(found)
    return EmergencyFile(path, datetime.fromtimestamp(written, UTC))
