"""Ways out of the program: each leaves the terminal as it was and says no more than it should."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.tui.desk_app import config_for, running

FULL_SCREEN_OFF = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"
CURSOR_ON = b"\x1b[?25h"


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, database: TestDatabase, home: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "DPOLG", "XDG"))
        }
        environment |= {"HOME": str(home), "TERM": "xterm", "DPOLG_TUI_CONFIG": ""}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dpolg_tui", "--dsn", database.dsn],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={name: value for name, value in environment.items() if value},
            cwd=home,
            start_new_session=True,
        )
        os.close(theirs)
        self.output = b""

    def read_until(self, words: bytes | None, seconds: float = 20.0) -> None:
        """Collects output until some words come, or until the program ends."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if words is not None and words in self.output:
                return
            if not select.select([self._ours], [], [], 0.1)[0]:
                if self.process.poll() is not None:
                    return
                continue
            try:
                self.output += os.read(self._ours, 65536)
            except OSError:  # the other side is closed
                return
        raise AssertionError(f"{words!r} did not come: {self.output[-2000:]!r}")

    def hang_up(self) -> None:
        """Closes the window. The program is not the terminal's session leader: it gets no signal."""
        os.close(self._ours)
        self._ours = -1

    def close(self) -> None:
        """Ends the program if a test left it running."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        if self._ours >= 0:
            os.close(self._ours)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_signals_restore_the_terminal(database: TestDatabase, tmp_path: Path, number: signal.Signals) -> None:
    terminal = Terminal(database, tmp_path)
    try:
        terminal.read_until(b"verbunden")
        terminal.process.send_signal(number)
        terminal.read_until(None)
        assert terminal.process.wait(10) == 0
        for sequence in (FULL_SCREEN_OFF, MOUSE_OFF, CURSOR_ON):
            assert sequence in terminal.output
        assert b"Traceback" not in terminal.output
    finally:
        terminal.close()


def test_a_closed_window_ends_the_program_also_when_no_signal_comes(
    database: TestDatabase, tmp_path: Path
) -> None:
    """As under make: the hang-up goes to the leader of the session, which waits for its child."""
    terminal = Terminal(database, tmp_path)
    try:
        terminal.read_until(b"verbunden")
        terminal.hang_up()
        assert terminal.process.wait(10) == 0
    finally:
        terminal.close()


async def test_a_defect_ends_with_two_lines_and_no_locals(
    database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    def break_down() -> None:
        password = "hunter2"
        raise ValueError(f"defect {len(password)}")

    async def run_into_it() -> None:
        async with running(config_for(database)) as desk:
            desk.app.call_later(break_down)
            await desk.pilot.pause(0.5)

    with pytest.raises(ValueError, match="defect"):
        await run_into_it()
    shown = " ".join("".join(capsys.readouterr()).split())
    assert "Das Programm musste wegen eines unerwarteten Fehlers beendet werden (E-" in shown
    assert "hunter2" not in shown
    assert "Traceback" not in shown
