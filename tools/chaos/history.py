"""What a desk was asked and what it was told, line by line in a file that survives a kill -9."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Any

from dpolg_tui.domain.models import Occupancy

MARKER = re.compile(r"chaos-[a-z0-9]+-[0-9]+-[0-9]+")
"""A value that only one operation ever writes: desk, start of that desk, number."""


class History:
    """Appends events: ``begin``, ``end``, ``queued``, ``sent``, ``refused``, ``unknown``.

    Times are seconds of the system's monotonic clock: the same for all processes of this computer.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def note(self, event: str, **more: Any) -> None:
        """One line, in the hands of the system before this returns."""
        line = json.dumps({"event": event, "at": time.monotonic(), **more}, default=str)
        os.write(self._file, line.encode() + b"\n")

    def close(self) -> None:
        os.close(self._file)


def read(directory: Path) -> list[dict[str, Any]]:
    """All events of all desks, by time; a line that a kill cut short was never told to anybody."""
    events: list[dict[str, Any]] = []
    for path in directory.glob("history-*.jsonl"):
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                events.append(json.loads(line))
    return sorted(events, key=lambda event: event["at"])


Place = tuple[str, int | None, str, str]
"""``booking/7`` or ``block/9``, room, arrival, departure: where something stood."""


def place(owner: str, room_id: int | None, arrival: object, departure: object) -> Place:
    """A place in the form in which desks and checker compare it."""
    return (owner, room_id, str(arrival), str(departure))


def owner(bar: Occupancy) -> str:
    """Whose place a bar is."""
    return f"block/{bar.id}" if bar.booking_id is None else f"booking/{bar.booking_id}"
