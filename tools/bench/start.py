"""From exec to the first typed letter on the screen, and memory, beside a bare Textual application."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import TestDatabase
from tools.bench import ground
from tools.bench.figures import Figure, at_most_times, median, percentile

COLUMNS, ROWS = 80, 24
LIMIT = 30.0
START_AIM = 1.4
MEMORY_AIM = 1.6
ROOT = Path(__file__).parents[2]
BARE = (sys.executable, str(Path(__file__).with_name("bare.py")))
DESK = (sys.executable, "-m", "dpolg_tui")
FIELD = "enutzername"
"""The cursor of a bare field stands on the first letter and is drawn on its own."""
LETTER = "W"
"""On neither screen before it is typed."""


@dataclass(slots=True)
class Started:
    """One start: milliseconds until the field is drawn and until it takes a letter; MiB then."""

    drawn: float
    usable: float
    rss: float
    pss: float


def measure(*, quick: bool) -> list[Figure]:
    starts = 2 if quick else 15
    bare: list[Started] = []
    desk: list[Started] = []
    signed_in: list[tuple[float, float]] = []
    with ground.server() as server, ground.house(server, "small") as database, _home(database) as home:
        # In turns; the first of each fills the file cache and writes byte code.
        for number in range(starts + 1):
            for command, kept in ((BARE, bare), (DESK, desk)):
                with _terminal(command, home) as terminal:
                    started = terminal.start()
                    if number:
                        kept.append(started)
        for _ in range(1 if quick else 3):
            with _terminal(DESK, home) as terminal:
                terminal.start()
                signed_in.append(terminal.sign_in(database))
            # The next login would begin in the field of the password.
            (home / ".local/state/dpolg-tui/last_username").unlink()
    figures = []
    for name, unit, values, beside, aim in (
        ("start → login drawn", "ms", [it.drawn for it in desk], [it.drawn for it in bare], START_AIM),
        ("start → takes a letter", "ms", [it.usable for it in desk], [it.usable for it in bare], START_AIM),
        ("memory at the login, RSS", "MiB", [it.rss for it in desk], [it.rss for it in bare], MEMORY_AIM),
        ("memory at the login, PSS", "MiB", [it.pss for it in desk], [it.pss for it in bare], MEMORY_AIM),
        ("memory on the chart, RSS", "MiB", [it[0] for it in signed_in], [it.rss for it in bare], MEMORY_AIM),
        ("memory on the chart, PSS", "MiB", [it[1] for it in signed_in], [it.pss for it in bare], MEMORY_AIM),
    ):
        figures.append(
            Figure(
                group="start",
                name=name,
                unit=unit,
                value=median(values),
                p99=percentile(values, 0.99),
                samples=len(values),
                beside="bare app",
                **at_most_times(aim, median(beside)),  # type: ignore[arg-type]
            )
        )
    return figures


@contextmanager
def _home(database: TestDatabase) -> Iterator[Path]:
    """A home of its own with a config.toml for this database."""
    with tempfile.TemporaryDirectory(prefix="dpolg-bench-home-") as name:
        settings = ground.config(database).database
        (host, port), *_ = settings.hosts
        file = Path(name, "config.toml")
        file.touch(mode=0o600)
        file.write_text(
            f'[database]\nhost = "{host}"\nport = {port}\ndatabase = "{settings.database}"\n'
            f'username = "{settings.username}"\npassword = "{settings.password}"\nssl_mode = "disable"\n',
            encoding="utf-8",
        )
        yield Path(name)


class _Terminal:
    """A pseudo terminal with a program in it."""

    def __init__(self, command: tuple[str, ...], home: Path) -> None:
        self._seen = ""
        self._began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            environment = {
                "HOME": str(home),
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "TERM": "xterm-256color",
                "PYTHONPATH": str(ROOT),
                "DPOLG_TUI_CONFIG": str(home / "config.toml"),
                "TEXTUAL_DISABLE_KITTY_KEY": "1",
            }
            with contextlib.suppress(OSError):
                os.execve(command[0], command, environment)  # noqa: S606
            os._exit(127)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def start(self) -> Started:
        """Waits for the field, types a letter, waits until it is there."""
        self._wait_for(FIELD)
        drawn = time.perf_counter() - self._began
        self._seen = ""
        self._type(LETTER)
        self._wait_for(LETTER)
        usable = time.perf_counter() - self._began
        self._rest()
        return Started(1000 * drawn, 1000 * usable, *_memory(self.pid))

    def sign_in(self, database: TestDatabase) -> tuple[float, float]:
        """Signs in and waits for the chart; MiB then."""
        user = database.users["anna"]
        # At the pace of a person: what follows a Tab at once would still go to the field before.
        for keys in ("\x7f", user.username, "\t", user.password, "\r"):
            self._type(keys)
            self._rest(0.2)
        self._wait_for("Belegungsplan")
        self._rest(3.0)
        return _memory(self.pid)

    def end(self) -> None:
        """Ends the program, gently if it lets us."""
        os.kill(self.pid, signal.SIGTERM)
        for _ in range(100):
            self._read(0.02)
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                break
        else:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    def _type(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def _wait_for(self, text: str) -> None:
        end = time.perf_counter() + LIMIT
        while text not in self._seen:
            if time.perf_counter() > end:
                raise RuntimeError(f"{text!r} did not appear: {self._seen[-2000:]!r}")
            self._read(0.05)

    def _rest(self, seconds: float = 0.5) -> None:
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            self._read(left)

    def _read(self, seconds: float) -> None:
        if select.select([self._fd], [], [], seconds)[0]:
            # Linux reports the end of the program as an error.
            with contextlib.suppress(OSError):
                self._seen += os.read(self._fd, 65536).decode(errors="replace")


@contextmanager
def _terminal(command: tuple[str, ...], home: Path) -> Iterator[_Terminal]:
    terminal = _Terminal(command, home)
    try:
        yield terminal
    finally:
        terminal.end()


def _memory(pid: int) -> tuple[float, float]:
    """Resident and proportional MiB of a process."""
    fields = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()[1:]:
        name, _, value = line.partition(":")
        fields[name] = int(value.split()[0]) / 1024
    return fields["Rss"], fields["Pss"]
