"""A file that one program at a time has: whoever ends, however, gives it back."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class PrivateLock:
    """Beside ``path`` a lock file (0600) that stays, so that nobody locks one that is just removed."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".lock")
        self._held: int | None = None

    def take(self) -> bool:
        """Whether it is free; it stays taken until ``release``. Raises OSError where nothing can be kept."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform == "win32":
                msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._held = lock
        return True

    def release(self) -> None:
        """Another one may take it."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
