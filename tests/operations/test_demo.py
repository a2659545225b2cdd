"""The demo as its users start it: joined, stopped, killed, begun anew."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dpolg_tui import cli
from dpolg_tui.config import Config
from dpolg_tui.operations import binaries, demo
from dpolg_tui.operations.embedded import wait_until
from dpolg_tui.operations.shared import Folder, temporary_directory

TABLES = ("rooms", "guests", "bookings", "occupancies", "number_counters")


class Serving:
    """A process that runs ``dpolg-tui demo --serve``."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dpolg_tui", "demo", "--serve", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        self.answer: dict[str, Any] = {}
        self.errors = ""

    def wait(self) -> Serving:
        """Until it serves."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.end()
            pytest.fail(f"the demo did not start: {self.errors}")
        self.answer = json.loads(line)
        return self

    def wait_for_sentence(self, part: str) -> None:
        """Until it says something on stderr."""
        assert self.process.stderr is not None
        while line := self.process.stderr.readline():
            if part in line:
                return
        pytest.fail(f"the demo never said {part!r}")

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait for the end; nothing more may come on stdout."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)
        output, self.errors = self.process.communicate(timeout=60)
        assert output == ""
        return self.process.returncode

    @property
    def dsn(self) -> str:
        return str(self.answer["dsn"])

    @property
    def owner_dsn(self) -> str:
        return str(self.answer["owner_dsn"])


Serve = Callable[..., Serving]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home of its own for everything that the demo keeps."""
    # Not tmp_path: that is closed to the account which runs the server when the tests run as root.
    directory = temporary_directory()
    monkeypatch.setenv("HOME", str(directory))
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(directory / name.lower()))
    for name in [name for name in os.environ if name.startswith(("PG", "DPOLG_TUI_"))]:
        monkeypatch.delenv(name)
    yield directory
    folder = folder_of(directory)
    if folder.path.exists():
        watchdog = folder.watchdog()
        folder.forget()
        if watchdog is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(watchdog.pid, signal.SIGKILL)
    shutil.rmtree(directory)


@pytest.fixture
def serve(home: Path) -> Iterator[Serve]:  # noqa: ARG001 - the processes inherit its environment
    """Start demos; whatever a test leaves running is ended."""
    started: list[Serving] = []

    def start(*arguments: str, wait: bool = True) -> Serving:
        started.append(Serving(*arguments))
        return started[-1].wait() if wait else started[-1]

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.process.kill()
            serving.process.communicate()


def folder_of(home: Path) -> Folder:
    return Folder(home / "xdg_data_home" / "dpolg-tui" / "demo")


def ask(dsn: str, work: Callable[[asyncpg.Connection], Coroutine[Any, Any, Any]]) -> Any:
    async def call() -> Any:
        connection = await asyncpg.connect(dsn, ssl=False, timeout=10)
        try:
            return await work(connection)
        finally:
            await connection.close()

    return asyncio.run(call())


def house_hash(owner_dsn: str) -> str:
    """Of every row of the house."""

    async def read(connection: asyncpg.Connection) -> str:
        found = hashlib.sha256()
        for table in TABLES:
            rows = await connection.fetch(f"SELECT t::text FROM app.{table} t")
            found.update("\n".join(sorted(row[0] for row in rows)).encode())
        return found.hexdigest()

    return str(ask(owner_dsn, read))


def is_stopped(home: Path) -> bool:
    folder = folder_of(home)
    cluster = folder.cluster()
    return not folder.holders() and (cluster is None or cluster.postmaster() is None)


def test_serve_prints_where_the_house_is_and_a_second_one_joins(serve: Serve, home: Path) -> None:
    first = serve("--size", "small")
    assert set(first.answer) == {"dsn", "owner_dsn", "users"}
    assert "//booking_user:" in first.dsn
    assert "//dpolg_owner:" in first.owner_dsn
    assert [user["role"] for user in first.answer["users"]] == ["user", "user", "admin"]
    assert all(set(user) == {"username", "password", "role"} for user in first.answer["users"])
    assert ask(first.dsn, lambda c: c.fetchval("SELECT app.hello()"))
    assert ask(first.owner_dsn, lambda c: c.fetchval("SELECT count(*) FROM app.rooms")) == 16
    assert ask(first.owner_dsn, lambda c: c.fetchval("SELECT backups_elsewhere FROM app.installation"))
    kept = folder_of(home).path / "demo.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600

    second = serve("--seed", "5")
    assert second.answer == first.answer
    assert first.end() == 0
    assert ask(second.dsn, lambda c: c.fetchval("SELECT app.hello()"))
    assert second.end(signal.SIGINT) == 0
    assert "--reset" in second.errors, "another seed was asked for than the stored one"
    assert is_stopped(home)
    with pytest.raises(OSError, match="Connect call failed"):
        ask(first.dsn, lambda c: c.fetchval("SELECT 1"))


def test_a_killed_demo_leaves_nothing_that_the_next_one_does_not_clean_up(serve: Serve, home: Path) -> None:
    first = serve()
    before = house_hash(first.owner_dsn)
    first.end(signal.SIGKILL)
    second = serve()
    assert second.answer["users"] == first.answer["users"]
    assert house_hash(second.owner_dsn) == before
    second.end(signal.SIGKILL)
    assert wait_until(lambda: is_stopped(home), 20), "nobody is left, so the server has to stop by itself"


@pytest.mark.long
def test_reset_begins_anew_with_the_same_house_for_the_same_seed(serve: Serve) -> None:
    first = serve("--seed", "11")
    before = house_hash(first.owner_dsn)
    refused = serve("--reset", wait=False)
    assert refused.process.wait(30) == 1
    assert refused.end() == 1
    assert len(refused.errors.splitlines()) == 1
    assert "noch" in refused.errors
    assert house_hash(first.owner_dsn) == before
    assert first.end(signal.SIGHUP) == 0

    again = serve("--reset", "--seed", "11")
    assert house_hash(again.owner_dsn) == before
    assert [user["username"] for user in again.answer["users"]] == [
        user["username"] for user in first.answer["users"]
    ]
    assert again.answer["users"] != first.answer["users"], "passwords are made anew"
    assert again.end() == 0

    other = serve("--reset", "--seed", "12")
    assert house_hash(other.owner_dsn) != before


@pytest.mark.long
def test_stopped_while_it_is_filled_it_begins_anew_the_next_time(serve: Serve, home: Path) -> None:
    first = serve("--size", "large", wait=False)
    first.wait_for_sentence("100.000")
    assert first.end() == 0
    assert is_stopped(home)
    second = serve("--size", "empty")
    assert ask(second.owner_dsn, lambda c: c.fetchval("SELECT count(*) FROM app.rooms")) == 0
    assert ask(second.owner_dsn, lambda c: c.fetchval("SELECT count(*) FROM auth.users")) == 3


def test_the_desk_gets_the_database_and_the_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home)
    seen: list[Config] = []

    def open_desk(config: Config) -> int:
        seen.append(config)
        assert not is_stopped(home)
        return 7

    options = argparse.Namespace(reset=False, seed=None, size="empty", serve=False, config=None, dsn=None)
    assert demo.run(options, open_desk) == 7
    assert is_stopped(home)
    [config] = seen
    assert config.database.database == "dpolg_booking"
    assert config.database.username == "booking_user"
    assert config.database.ssl_mode == "disable"
    assert config.database.is_local
    assert [role for _, _, role in config.demo_users] == ["user", "user", "admin"]
    assert "password" not in repr(config)


def test_without_postgresql_one_sentence_names_the_remedy(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(home)
    monkeypatch.setattr(binaries, "find_embedded", lambda: None)
    monkeypatch.setattr(binaries, "find_system", list)
    assert cli.main(["demo", "--serve"]) == 1
    answer = capsys.readouterr()
    assert answer.out == ""
    [sentence] = answer.err.splitlines()
    assert "embedded" in sentence
    assert is_stopped(home)


def test_users_have_names_from_the_seed_and_new_passwords() -> None:
    first, second = demo.make_users(3), demo.make_users(3)
    assert [user.username for user in first] == [user.username for user in second]
    assert [user.password for user in first] != [user.password for user in second]
    assert len({user.username for user in first}) == 3
    for user in first:
        assert user.username.isascii()
        assert " " in demo.full_name(user.username)
        assert len(user.password) >= 12
