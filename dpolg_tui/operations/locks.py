"""A lock between processes that ends with its holder, however that ends."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dpolg_tui.domain.errors import DomainError

_PAUSE = 0.05


class StillLocked(DomainError):  # noqa: N818 - named like the domain's errors
    """Ein anderes Programm richtet den Datenbankserver gerade ein: bitte gleich noch einmal versuchen."""


class FileLock:
    """Exclusive lock on a file, also between two holders within one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    def acquire(self, limit: float | None = None) -> None:
        """Waits for the lock, at most ``limit`` seconds."""
        deadline = None if limit is None else time.monotonic() + limit
        while not self._try():
            if deadline is not None and time.monotonic() > deadline:
                raise StillLocked
            time.sleep(_PAUSE)

    def release(self) -> None:
        """Gives the lock back; harmless when it is not held."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    def _try(self) -> bool:
        handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(handle) and self._is_current(handle):
            self._handle = handle
            return True
        os.close(handle)
        return False

    def _is_current(self, handle: int) -> bool:
        """Whether the path still leads to the locked file: the last holder may have removed it."""
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False


if sys.platform == "win32":
    import msvcrt

    def _lock(handle: int) -> bool:
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _lock(handle: int) -> bool:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
