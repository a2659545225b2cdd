"""A pseudo terminal with a program in it, as somebody in front of it sees it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

LIMIT = 60.0
"""Seconds until something that must appear is given up; generous for a crowded machine."""


class Terminal:
    """Started at once; the program is ended with the ``with`` block."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        columns: int = 80,
        rows: int = 24,
    ) -> None:
        self.seen = ""
        """What came since ``forget``."""
        self.received = 0
        """Bytes."""
        self.ended = False
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            with contextlib.suppress(OSError):
                os.execvpe(str(command[0]), [str(word) for word in command], dict(environment))  # noqa: S606
            os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    def type(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str, limit: float = LIMIT) -> None:
        """Reads until ``text`` has come since ``forget``; fails with what came instead."""
        end = time.monotonic() + limit
        while text not in self.seen:
            if time.monotonic() > end or self.ended:
                raise AssertionError(f"{text!r} did not appear: {self.seen[-2000:]!r}")
            self._read(0.1)

    def rest(self, quiet: float = 0.3, limit: float = LIMIT) -> None:
        """Reads until nothing has come for ``quiet`` seconds."""
        end = time.monotonic() + limit
        while self._read(quiet) and time.monotonic() < end:
            pass

    def forget(self) -> None:
        """From now on only what comes counts as seen."""
        self.seen = ""

    def read_to_end(self, limit: float = LIMIT) -> int:
        """Reads until the program has ended; its exit code."""
        end = time.monotonic() + limit
        while not self.ended:
            if time.monotonic() > end:
                raise AssertionError(f"the program goes on: {self.seen[-2000:]!r}")
            self._read(0.1)
        return self._wait()

    def end(self) -> None:
        """Ends the program, gently if it lets us."""
        if self.pid == 0:
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)
        for _ in range(100):
            self._read(0.05)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.pid = 0
        os.close(self._fd)

    def _wait(self) -> int:
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        os.close(self._fd)
        return os.waitstatus_to_exitcode(status)

    def _read(self, seconds: float) -> bool:
        if self.ended:
            time.sleep(min(seconds, 0.05))
            return False
        if not select.select([self._fd], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._fd, 65536)
        except OSError:
            # How Linux reports that the program has closed its terminal.
            data = b""
        self.ended = not data
        self.received += len(data)
        self.seen += data.decode(errors="replace")
        return bool(data)
