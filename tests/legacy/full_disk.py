"""A disk of a size that a test chooses, and changes while something writes to it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PAGE = 4096


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system in memory, mounted on ``path``."""

    path: Path

    def used(self) -> int:
        """Bytes in use."""
        return shutil.disk_usage(self.path).used

    def resize(self, size: int) -> None:
        """Changes how much fits on it, at least a page; what is there stays."""
        pages = max(1, size // PAGE)  # none at all would mean: as much as you like
        subprocess.run(["mount", "-o", f"remount,size={pages * PAGE}", self.path], check=True, timeout=10)

    def leave(self, spare: int) -> None:
        """Makes it so small that only ``spare`` bytes are free. Who writes meanwhile is only faster."""
        for _ in range(50):
            try:
                self.resize(self.used() + spare)
            except subprocess.CalledProcessError:
                continue  # more is in use than a moment ago
            return
        raise AssertionError("the disk could not be made small")


@contextmanager
def small_disk(path: Path, size: int) -> Iterator[Disk]:
    """A disk of that size at ``path``; skips where nothing may be mounted."""
    path.mkdir(parents=True, exist_ok=True)
    refused = "only root may mount" if os.name != "posix" or os.geteuid() != 0 else ""
    if not refused:
        answer = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs", path],
            capture_output=True,
            text=True,
            check=False,
            timeout=10,
        )
        refused = answer.stderr.strip()
    if refused:
        pytest.skip(f"no disk of our own to fill: {refused}")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", path], check=True, timeout=10)
