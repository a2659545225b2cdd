"""What doctor says of terminals: the whole command, in terminals that can more or less."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from dpolg_tui.domain.problems import Problem

pytestmark = [
    pytest.mark.usefixtures("home"),
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pty"),
]

NOWHERE = "postgresql://booking_user@127.0.0.1:1/x"
"""What the server says is not the question here."""


def doctor(*options: str, size: tuple[int, int] = (80, 24), **environment: str) -> str:
    """What the command prints in a terminal of so many columns and lines."""
    import fcntl
    import pty
    import struct
    import termios

    near, far = pty.openpty()
    fcntl.ioctl(far, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    said: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(near, 65536):
                said.append(part)
        except OSError:
            # The other end is closed.
            return

    reader = threading.Thread(target=read)
    reader.start()
    usual = {name: value for name, value in os.environ.items() if name not in ("COLORTERM", "WT_SESSION")}
    answer = subprocess.run(
        [sys.executable, "-m", "dpolg_tui", "--dsn", NOWHERE, "doctor", *options],
        env={**usual, "PYTHONIOENCODING": "utf-8", **environment},
        stdout=far,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(far)
    reader.join(10)
    os.close(near)
    assert (answer.returncode, answer.stderr.decode()) == (3, "")
    return b"".join(said).decode(environment.get("PYTHONIOENCODING", "utf-8").partition(":")[0])


def told(output: str) -> set[Problem]:
    """The problems of the terminal that the JSON names."""
    codes = {problem.code: problem for problem in Problem}
    checks = [check for check in json.loads(output)["checks"] if check["key"] == "terminal"]
    assert all(check["says"] and check["remedy"] for check in checks if check["problem"])
    return {codes[check["problem"]] for check in checks if check["problem"]}


def test_terminals_differ() -> None:
    assert told(doctor("--json", TERM="xterm-256color")) == set()
    assert told(doctor("--json", TERM="linux", size=(60, 20))) == {
        Problem.TERMINAL_SMALL,
        Problem.TERMINAL_COLOURS,
    }
    assert told(doctor("--json", TERM="dumb", PYTHONIOENCODING="latin-1")) == {
        Problem.TERMINAL_COLOURS,
        Problem.TERMINAL_KEYS,
        Problem.TERMINAL_ENCODING,
    }


def test_a_terminal_without_utf_8_is_told_so_all_the_same() -> None:
    said = doctor(TERM="vt100", PYTHONIOENCODING="latin-1")
    assert "Umlaute und Rahmen erscheinen falsch" in said
    assert "Diese Tasten kennt das Terminal nicht: Pos1" in said
