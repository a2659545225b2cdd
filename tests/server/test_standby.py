"""A standby made by standby.sh, promoted when the primary died under load: desks move over, nothing lost."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from dpolg_tui import config
from dpolg_tui.config import Config
from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.desk import Desk
from dpolg_tui.domain.models import Outcome, Role
from tests.server.house_server import ROOT, HouseServer, require_debian_postgresql

pytestmark = pytest.mark.long

STANDBY = ROOT / "tools" / "server" / "standby.sh"
DESKS = 5


@dataclass
class Pair:
    """Two machines on one."""

    primary: HouseServer
    standby: HouseServer

    def run(
        self, server: HouseServer, *arguments: str, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Runs standby.sh as on that machine."""
        done = subprocess.run(
            [STANDBY, *arguments, "--cluster", server.cluster, "--root", server.folder],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def kill_primary(self) -> None:
        """All of it at once, as when the machine goes."""
        pid_file = self.primary.data_directory / "postmaster.pid"
        postmaster = psutil.Process(int(pid_file.read_text().splitlines()[0]))
        gone = [postmaster, *postmaster.children(recursive=True)]
        for process in gone:
            process.kill()
        psutil.wait_procs(gone, timeout=10)


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    require_debian_postgresql()
    pair = Pair(
        HouseServer(tmp_path / "one", f"dpolgp{os.getpid()}"),
        HouseServer(tmp_path / "two", f"dpolgs{os.getpid()}"),
    )
    try:
        pair.primary.create()
        pair.standby.create()
        pair.primary.setup("--peer", f"localhost:{pair.standby.port}")
        yield pair
    finally:
        pair.standby.remove()
        pair.primary.remove()


async def test_standby_takes_over_under_load(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path / "state")
    allowed = await asyncio.to_thread(
        pair.run, pair.primary, "allow", "--standby", "127.0.0.1", "--synchronous"
    )
    password = (pair.primary.etc / "secrets" / "replication").read_text().strip()
    assert password not in allowed.stdout + pair.primary.log()
    await asyncio.to_thread(_make_second, pair)
    tried = pair.primary.program("--config", str(pair.primary.configuration), "config", "test")
    assert tried.returncode == 0
    assert "er springt ein, wenn der Hauptserver ausfällt" in tried.stdout
    assert "dpolg_standby 127.0.0.1 streaming sync" in pair.run(pair.primary, "status").stdout
    behind = pair.run(pair.standby, "status").stdout
    # Nothing has been written since the start, or a job of PostgreSQL's own did.
    last = r"(letzte Änderung von \d|seit dem Start keine Änderung)"
    assert re.search(rf"streaming von localhost\n +\d+ Byte zurück, {last}", behind), behind
    early = pair.run(pair.standby, "promote", check=False)
    assert (early.returncode, "antwortet noch" in early.stderr) == (1, True)
    with _shut_out(pair):
        early = await asyncio.to_thread(pair.run, pair.standby, "promote", check=False)
        assert (early.returncode, "antwortet noch" in early.stderr) == (1, True), early.stdout

    loaded = config.load(config.Arguments(pair.primary.configuration), environment={})
    assert len(loaded.database.hosts) == 2
    desks = [await _signed_in(loaded, pair, f"desk{number}") for number in range(DESKS)]
    acknowledged: list[str] = []
    stop = asyncio.Event()
    work = [
        asyncio.create_task(_write(desk, number, acknowledged, stop)) for number, desk in enumerate(desks)
    ]
    try:
        await _until(lambda: len(acknowledged) > 5 * DESKS)
        await asyncio.to_thread(pair.kill_primary)
        promoted = await asyncio.to_thread(pair.run, pair.standby, "promote")
        assert "der alte Hauptserver darf nicht wieder" in promoted.stdout
        before = len(acknowledged)
        await _until(lambda: len(acknowledged) > before + 5 * DESKS)
        stop.set()
        await asyncio.gather(*work)
        await _until(lambda: all(desk.outbox.waiting == 0 for desk in desks))
    finally:
        for task in work:
            task.cancel()
        for desk in desks:
            await desk.close()
    stored = pair.standby.sql("SELECT last_name FROM app.guests").splitlines()
    assert sorted(stored) == sorted(acknowledged)
    assert "Alles war schon so" not in await asyncio.to_thread(_set_up_again, pair)
    assert "Hauptserver; es folgen: niemand" in pair.run(pair.standby, "status").stdout


def test_refused_follow_leaves_everything_as_it_was(pair: Pair) -> None:
    shutil.copytree(pair.primary.etc, pair.standby.etc)
    (pair.standby.etc / "secrets" / "replication").write_text("falsch\n")
    pair.standby.setup("--standby")
    done = pair.run(
        pair.standby,
        "follow",
        "--primary",
        "localhost",
        "--primary-port",
        str(pair.primary.port),
        check=False,
    )
    assert done.returncode == 1
    assert "lässt die Abschrift nicht zu" in done.stderr
    assert pair.standby.sql("SELECT pg_is_in_recovery()", "postgres") == "f"
    refused = pair.run(pair.standby, "promote", check=False)
    assert "folgt keinem Hauptserver" in refused.stderr


@contextmanager
def _shut_out(pair: Pair) -> Iterator[None]:
    """The primary lives, but lets the standby in no longer: somebody took its rules away."""
    rules = pair.primary.cluster_directory / "pg_hba.conf"
    before = rules.read_text()
    try:
        rules.write_text(re.sub(r"# standby: begin\n.*# standby: end\n", "", before, flags=re.DOTALL))
        assert rules.read_text() != before
        pair.primary.sql("SELECT pg_reload_conf(), pg_sleep(0.5)", "postgres")
        yield
    finally:
        rules.write_text(before)
        pair.primary.sql("SELECT pg_reload_conf()", "postgres")


def _make_second(pair: Pair) -> None:
    shutil.copytree(pair.primary.etc, pair.standby.etc)
    pair.standby.setup("--standby")
    pair.run(pair.standby, "follow", "--primary", "localhost", "--primary-port", str(pair.primary.port))


def _set_up_again(pair: Pair) -> str:
    """After the promotion: timers belong here now."""
    return pair.standby.setup("--peer", f"localhost:{pair.primary.port}").stdout


async def _signed_in(loaded: Config, pair: Pair, name: str) -> Desk:
    password = secrets.token_urlsafe(12)
    owner = f"postgresql://dpolg_owner@/dpolg_booking?host=/var/run/postgresql&port={pair.primary.port}"
    await create_user(
        owner,
        NewUser(username=name, password=password, full_name=name, role=Role.USER, must_change_password=False),
    )
    desk = Desk(loaded)
    desk.start()
    await desk.login(name, password)
    return desk


async def _write(desk: Desk, number: int, acknowledged: list[str], stop: asyncio.Event) -> None:
    """Guests without a pause; a queued one counts once it was sent."""
    count = 0
    while not stop.is_set():
        name = f"Gast {number} {count}"
        count += 1
        result = await desk.guests.create({"last_name": name, "first_name": "A"})
        assert result.outcome in (Outcome.DONE, Outcome.QUEUED)
        acknowledged.append(name)
        await asyncio.sleep(0.05)


async def _until(holds: Callable[[], bool], limit: float = 120.0) -> None:
    async with asyncio.timeout(limit):
        while not holds():  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.1)
