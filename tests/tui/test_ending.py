"""The whole program in a terminal, ended from outside or by a defect: what was typed is offered next time."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dpolg_tui import log
from dpolg_tui.tui.drafting import keep_drafts
from dpolg_tui.tui.screens.booking import BookingScreen
from tests.databases import TestDatabase
from tests.legacy.full_disk import small_disk
from tests.tui.desk_app import config_for, running
from tests.tui.forms_house import Desks, book, furnish, signed_in
from tests.tui.terminal import PROGRAM, RESTORED, Terminal, surroundings, terminal

F4 = "\x1bOS"
NAME = "Neumann"
BROKEN = """
import sys
from dpolg_tui.tui.app import DeskApp
def broken(self):
    secret_of_a_guest = "Geheimrat"
    return [][len(secret_of_a_guest)]
DeskApp.action_help = broken
from dpolg_tui.cli import main
sys.exit(main())
"""
"""The program, with a defect behind F1."""


def sign_in(window: Terminal, database: TestDatabase) -> None:
    window.read_until("verbunden")
    window.press("anna\r", "anna")
    window.press(f"{database.users['anna'].password}\r", "Zimmer angelegt")


def type_a_guest(window: Terminal) -> None:
    """A form with something typed and not saved."""
    window.press(F4, "Gäste")
    window.press("n", "Neuer Gast")
    window.press(f"\t{NAME}", NAME)  # the first field is the form of address


def draft(home: Path) -> Path:
    """The file of what was typed."""
    (file,) = home.rglob("drafts/*.json")
    assert file.stat().st_mode & 0o777 == 0o600
    (kept,) = json.loads(file.read_text())["forms"]
    assert (kept["kind"], kept["raws"]["last_name"]) == ("guest", NAME)
    return file


def is_offered(database: TestDatabase, home: Path) -> None:
    """The next start asks, and opens the form."""
    with terminal((*PROGRAM, database.dsn), home) as window:
        window.read_until("verbunden")
        window.press("anna\r", "anna")
        window.press(f"{database.users['anna'].password}\r", "Vom letzten Mal ist noch da")
        window.press("\r", NAME)


def wait_for(condition: Callable[[], object], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not so in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=pytest.mark.long)], ids=lambda it: it.name
)
def test_a_signal_keeps_what_is_typed_and_restores_the_terminal(
    database: TestDatabase, tmp_path: Path, number: signal.Signals
) -> None:
    with terminal((*PROGRAM, database.dsn), tmp_path) as window:
        sign_in(window, database)
        type_a_guest(window)
        window.process.send_signal(number)
        window.read_until(None)
        assert window.process.wait(30) == 0
        for sequence in RESTORED:
            assert sequence in window.output
        assert b"Traceback" not in window.output
    draft(tmp_path)
    is_offered(database, tmp_path)


def test_a_closed_window_keeps_what_is_typed(database: TestDatabase, tmp_path: Path) -> None:
    """The program leads its session: it gets SIGHUP and a terminal that answers nothing any more."""
    with terminal((*PROGRAM, database.dsn), tmp_path, leader=True) as window:
        sign_in(window, database)
        type_a_guest(window)
        window.hang_up()
        assert window.process.wait(30) == 0
    draft(tmp_path)


def test_a_defect_in_the_terminal_restores_it_and_keeps_what_is_typed(
    database: TestDatabase, tmp_path: Path
) -> None:
    with terminal((sys.executable, "-c", BROKEN, "--dsn", database.dsn), tmp_path) as window:
        sign_in(window, database)
        type_a_guest(window)
        window.write("\x1bOP")
        window.read_until(None)
        assert window.process.wait(30) == 1
        shown = window.output.decode()
        for sequence in RESTORED:
            assert sequence in window.output
    told = " ".join(shown.split("\x1b[?1049l")[-1].split())
    assert "Traceback" not in told
    identifier = told.split("beendet werden (")[1][:8]
    (log_file,) = tmp_path.rglob("dpolg-tui.log")
    written = log_file.read_text()
    assert f"Unerwarteter Fehler {identifier}" in written
    assert "IndexError" in written
    for secret in ("Geheimrat", "secret_of_a_guest =", NAME):
        assert secret not in written
        assert secret not in told
    draft(tmp_path)


@contextmanager
def ssh_server(directory: Path, home: Path) -> Iterator[list[str]]:
    """An sshd for this user and test alone: the command of a client. Skips where there is none."""
    daemon = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if daemon is None or shutil.which("ssh") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("no sshd on this system: closing an SSH window was not tried")
    for name in ("host", "user"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name], check=True, timeout=20
        )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": directory / "host",
        "AuthorizedKeysFile": directory / "user.pub",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
    }
    settings = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    told = directory / "sshd.log"
    with told.open("w") as file:
        server = subprocess.Popen([daemon, "-D", "-e", "-f", "/dev/null", *settings], stderr=file)
    try:
        wait_for(lambda: "Server listening" in told.read_text() or server.poll() is not None)
        if server.poll() is not None:
            pytest.skip(f"sshd does not start here: {told.read_text().strip()}")
        client = [
            *("ssh", "-tt", "-F", "/dev/null", "-p", str(port), "-i", str(directory / "user")),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "127.0.0.1"),
        ]
        variables = " ".join(f"{name}={value}" for name, value in _needed(home).items())
        yield [*client, f"cd {home} && exec env {variables}"]
    finally:
        server.terminate()
        server.wait()


def _needed(home: Path) -> dict[str, str]:
    return {name: value for name, value in surroundings(home).items() if name in ("HOME", "TERM", "LANG")}


@pytest.mark.long
def test_a_closed_ssh_window_keeps_what_is_typed(database: TestDatabase, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with ssh_server(tmp_path, home) as client:
        *options, begin = client
        command = f"{begin} {' '.join(PROGRAM)} '{database.dsn}'"
        with terminal([*options, command], home) as window:
            sign_in(window, database)
            type_a_guest(window)
            assert not list(home.rglob("drafts/*.json"))
            window.process.kill()
        wait_for(lambda: list(home.rglob("drafts/*.json")))
        draft(home)


async def test_a_full_disk_is_told_and_stops_no_saving(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither drafts nor the log can be written any more: what is typed stays, and is saved."""
    with small_disk(tmp_path / "small", 1 << 20) as disk:
        monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: disk.path / "state")
        assert log.setup() is None
        try:
            async with signed_in(database, "ben") as ben:
                house = await furnish(ben)
                booking = await book(ben, house.huber, house.single, 0, notes="Hund")
                async with running(config_for(database)) as here:
                    await here.sign_in("anna", database.users["anna"].password)
                    desks = Desks(here, ben, house)
                    await desks.open_booking(booking)
                    log.LOGGER.error("the last line")
                    disk.leave(0)
                    await desks.type_into("notes", "Hund und Katze" * 400)
                    for _ in range(100):
                        log.LOGGER.error("more than fits %s", "x" * 100)
                    keep_drafts(here.app)
                    await desks.toast("bitte bald speichern")
                    await desks.press("ctrl+s")
                    await here.until(lambda: not isinstance(desks.screen, BookingScreen), "saved")
                    notes = (await ben.bookings.get(booking)).notes
                    assert notes == "Hund und Katze" * 400
        finally:
            log.shutdown()
        assert "the last line" in (disk.path / "state" / "log" / "dpolg-tui.log").read_text()


async def test_signing_in_on_a_full_disk(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with small_disk(tmp_path / "small", 1 << 16) as disk:
        monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: disk.path / "state")
        disk.leave(0)
        async with signed_in(database, "ben") as ben:
            house = await furnish(ben)
            async with running(config_for(database)) as here:
                await here.sign_in("anna", database.users["anna"].password)
                desks = Desks(here, ben, house)
                await desks.open_booking(None)
                await desks.type_into("notes", "Hund")
                keep_drafts(here.app)
                await desks.toast("bitte bald speichern")
                here.app.leave_at_once()
