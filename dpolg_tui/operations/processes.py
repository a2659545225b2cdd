"""Processes told apart for certain: by their number and the moment they started.

A number alone is given out again. A process that has ended but was not collected by its
parent counts as gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Process:
    """One process of this machine; equal only if number and start agree."""

    pid: int
    started: str

    def lives(self) -> bool:
        """Whether this very process still runs."""
        return find(self.pid) == self


def current() -> Process:
    """The process that asks."""
    process = find(os.getpid())
    if process is None:
        raise OSError(f"cannot read the start time of process {os.getpid()}")
    return process


def began(process: Process) -> float | None:
    """Seconds since 1970 at which it started, where the system says so (Windows)."""
    return int(process.started) / 1e7 - 11_644_473_600 if sys.platform == "win32" else None


def find(pid: int) -> Process | None:
    """The running process with this number, or None."""
    if pid <= 0:
        return None
    started = _started(pid)
    return None if started is None else Process(pid, started)


if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
    _RUNNING = 259

    def _started(pid: int) -> str | None:
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        kernel.OpenProcess.restype = wintypes.HANDLE
        handle = kernel.OpenProcess(_QUERY, False, pid)
        if not handle:
            return None
        try:
            code = wintypes.DWORD()
            kernel.GetExitCodeProcess(wintypes.HANDLE(handle), ctypes.byref(code))
            times = [wintypes.FILETIME() for _ in range(4)]
            kernel.GetProcessTimes(wintypes.HANDLE(handle), *map(ctypes.byref, times))
        finally:
            kernel.CloseHandle(wintypes.HANDLE(handle))
        if code.value != _RUNNING:
            return None
        return str(times[0].dwHighDateTime << 32 | times[0].dwLowDateTime)

    def command_line(pid: int) -> str | None:  # noqa: ARG001 - Windows keeps it to the process itself
        """The command line of a process; not told on Windows."""
        return None

elif sys.platform == "linux":

    def _started(pid: int) -> str | None:
        try:
            # The name in brackets may hold blanks and brackets: count the fields after it.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, ticks = fields[0], fields[19]
        if state in "ZX":
            return None
        # Ticks count from the boot, so the same pair could come back after one.
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()[:8]
        return f"{boot}.{ticks}"

    def command_line(pid: int) -> str | None:
        """The command line of a process, its arguments separated by blanks."""
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return None

else:

    def _started(pid: int) -> str | None:
        state, _, started = _ask_ps(pid, "state=,lstart=").partition(" ")
        if not started or state.startswith("Z"):
            return None
        return "".join(letter if letter.isalnum() else "." for letter in started.strip())

    def command_line(pid: int) -> str | None:
        """The command line of a process."""
        return _ask_ps(pid, "command=") or None

    def _ask_ps(pid: int, columns: str) -> str:
        answer = subprocess.run(
            ["ps", "-ww", "-o", columns, "-p", str(pid)],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
        return answer.stdout.strip()
