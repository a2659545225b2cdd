"""Ways out of the program: each leaves the terminal as it was and says no more than it should."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.tui.desk_app import config_for, running
from tests.tui.terminal import PROGRAM, RESTORED, terminal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT], ids=lambda it: it.name)
def test_signals_restore_the_terminal(database: TestDatabase, tmp_path: Path, number: signal.Signals) -> None:
    with terminal((*PROGRAM, database.dsn), tmp_path) as window:
        window.read_until("verbunden")
        window.process.send_signal(number)
        window.read_until(None)
        assert window.process.wait(10) == 0
        for sequence in RESTORED:
            assert sequence in window.output
        assert b"Traceback" not in window.output


def test_a_closed_window_ends_the_program_also_when_no_signal_comes(
    database: TestDatabase, tmp_path: Path
) -> None:
    """As under make: the hang-up goes to the leader of the session, which waits for its child."""
    with terminal((*PROGRAM, database.dsn), tmp_path) as window:
        window.read_until("verbunden")
        window.hang_up()
        assert window.process.wait(10) == 0


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
