"""Killed at any moment (the command, the server, the connection): unchanged or complete, never between.

The moments are those at which the command says what it does next; the long tests cut it off anywhere.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import Server, TestDatabase, fast_directory, run
from tests.legacy.migration import counts, migrate, query, start, state, value
from tools.make_legacy_sqlite import LATE, build

MOMENTS = ("Einlesen …", "Zuordnen …", "Prüfen …")
EVERY_RUN = (*(pytest.param(moment, marks=pytest.mark.long) for moment in MOMENTS[:-1]), MOMENTS[-1])
"""The worst, the server's death, at the latest moment, when most is written; the others in the long run."""
ANYWHERE = range(20)
Cut = Callable[[subprocess.Popen[str]], None]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Large enough that each phase takes a while."""
    path = tmp_path_factory.mktemp("crash") / "alt.sqlite"
    return build(path, LATE, guests=2000, bookings=1500, defects={"bad_date": 0.02, "overlap": 0.02}).path


@pytest.fixture(scope="module")
def lasting() -> Iterator[Server]:
    """A server that writes to its disk before it says so, to be killed."""
    folder = temporary_directory(fast_directory())
    shared = SharedServer(folder, Options(durable=True, max_connections=40), temporary=True)
    run(shared.start)
    server = Server("embedded", shared)
    yield server
    server.close()


def reach(call: subprocess.Popen[str], moment: str) -> None:
    """Waits until the command says that it begins something."""
    assert call.stdout is not None
    for line in call.stdout:
        if line.startswith(moment):
            return
    raise AssertionError(f"the command ended before {moment}")


def wait_until_free(database: TestDatabase) -> None:
    """Until the server has noticed that nobody is there any more."""
    deadline = time.monotonic() + 30
    while value(
        database,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name = 'dpolg-tui migrate-data'",
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def check(database: TestDatabase, before: dict[str, str], file: Path, tmp_path: Path) -> None:
    """Unchanged or complete; and the next run works."""
    after = state(database)
    if after != before:
        assert value(database, "SELECT count(*) FROM legacy.runs WHERE report IS NOT NULL") == 1
        again = migrate(database, file, tmp_path / "again", "--no-backup")
        assert all(table["already_there"] == table["read"] for table in again.tables.values())
    else:
        again = migrate(database, file, tmp_path / "again", "--no-backup")
    assert again.code == 0
    assert value(database, "SELECT count(*) FROM app.guests") == counts(file)["guests"]
    assert value(database, "SELECT count(*) FROM legacy.source_rows") == 0


def kill(call: subprocess.Popen[str]) -> None:
    call.kill()


def interrupt(call: subprocess.Popen[str]) -> None:
    call.send_signal(signal.SIGINT)


@pytest.mark.long
@pytest.mark.parametrize("cut", [kill, interrupt])
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_command_is_stopped(
    moment: str, cut: Cut, database: TestDatabase, file: Path, tmp_path: Path
) -> None:
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, moment)
        cut(call)
        output, _ = call.communicate(timeout=240)
    wait_until_free(database)
    if cut is interrupt:
        assert (call.returncode, output.strip().splitlines()[-1]) == (130, "dpolg-tui: abgebrochen")
        assert not list((tmp_path / "run" / "backups").iterdir())
    assert state(database) == before
    check(database, before, file, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_connection_is_cut(moment: str, database: TestDatabase, file: Path, tmp_path: Path) -> None:
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, moment)
        query(
            database,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'dpolg-tui migrate-data'",
        )
        output, _ = call.communicate(timeout=240)
    said = output.strip().splitlines()[-1]
    assert call.returncode == 3, output
    assert "nichts verändert" in said
    assert state(database) == before
    check(database, before, file, tmp_path)


@pytest.mark.parametrize("moment", EVERY_RUN)
def test_the_server_is_killed(moment: str, lasting: Server, file: Path, tmp_path: Path) -> None:
    database = lasting.clone()
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, moment)
        kill_server(lasting)
        output, _ = call.communicate(timeout=240)
    assert call.returncode == 3, output
    lasting.cluster.start()
    database = lasting.found_again(database)
    check(database, before, file, tmp_path)


def kill_server(server: Server) -> None:
    """Postmaster and all its children at once, as when the power goes."""
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    # Stopped first: a child made while they are listed would hold the shared memory of the next start.
    os.kill(postmaster.process.pid, signal.SIGSTOP)
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(postmaster.process.pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    os.kill(postmaster.process.pid, signal.SIGKILL)
    for child in listed.stdout.split():
        try:
            os.kill(int(child), signal.SIGKILL)
        except ProcessLookupError:
            continue  # gone by itself when its parent did
    while server.cluster.postmaster() is not None:
        time.sleep(0.05)


@pytest.mark.long
@pytest.mark.parametrize("number", ANYWHERE)
@pytest.mark.parametrize("what", ["command", "connection", "server"])
def test_cut_off_anywhere(what: str, number: int, lasting: Server, file: Path, tmp_path: Path) -> None:
    database = lasting.clone()
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, MOMENTS[0])
        time.sleep(random.Random(number).uniform(0, 4))
        if what == "command":
            call.kill()
        elif what == "server":
            kill_server(lasting)
        else:
            query(
                database,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND application_name = 'dpolg-tui migrate-data'",
            )
        call.communicate(timeout=240)
    if what == "server":
        lasting.cluster.start()
        database = lasting.found_again(database)
    wait_until_free(database)
    check(database, before, file, tmp_path)


def test_no_room_for_the_copy(
    database: TestDatabase, file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "run" / "backups"
    blocked.parent.mkdir()
    blocked.write_text("a file is in the way")
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert result.code == 2
    assert "--backup-dir" in result.err
    assert value(database, "SELECT count(*) FROM legacy.runs") == 0
