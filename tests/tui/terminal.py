"""The program in a terminal of its own, as a window shows it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

FULL_SCREEN_OFF = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"
CURSOR_ON = b"\x1b[?25h"
RESTORED = (FULL_SCREEN_OFF, MOUSE_OFF, CURSOR_ON)
PROGRAM = (sys.executable, "-m", "dpolg_tui", "--dsn")
QUIET = 0.5
"""Seconds without output after which a picture is complete."""
LEADER = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal that of the session, as sshd and every terminal window do."""


def surroundings(home: Path) -> dict[str, str]:
    """The environment of a user whose home is ``home``."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "DPOLG", "XDG"))}
    return kept | {"HOME": str(home), "TERM": "xterm", "LANG": "C.UTF-8"}


class Terminal:
    """What is shown, as bytes, and the keys. ``leader``: the program gets the hang-up of its window."""

    def __init__(self, command: Sequence[str], home: Path, *, leader: bool = False) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-c", LEADER, *command] if leader else list(command),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=surroundings(home),
            cwd=home,
            start_new_session=True,
        )
        os.close(theirs)
        self.output = b""

    def read_until(self, words: str | None, seconds: float = 60.0) -> None:
        """Collects output until some words come, or until the program ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if words is not None and words.encode() in self.output:
                return
            if not select.select([self._ours], [], [], 0.1)[0]:
                if words is None and self.process.poll() is not None:
                    return
                continue
            try:
                self.output += os.read(self._ours, 65536)
            except OSError:  # the other side is closed
                break
        assert words is None, f"{words!r} did not come: {self.output[-3000:]!r}"

    def write(self, keys: str) -> None:
        """Types."""
        os.write(self._ours, keys.encode())

    def press(self, keys: str, then: str) -> None:
        """Types, waits for what appears, and until nothing more is drawn: then the next keys go there."""
        self.output = b""
        self.write(keys)
        self.read_until(then)
        while select.select([self._ours], [], [], QUIET)[0]:
            self.output += os.read(self._ours, 65536)

    def hang_up(self) -> None:
        """Closes the window."""
        os.close(self._ours)
        self._ours = -1

    def close(self) -> None:
        """Ends the program if a test left it running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            os.close(self._ours)


@contextmanager
def terminal(command: Sequence[str], home: Path, *, leader: bool = False) -> Iterator[Terminal]:
    """A window that is closed at the end."""
    opened = Terminal(command, home, leader=leader)
    try:
        yield opened
    finally:
        opened.close()
