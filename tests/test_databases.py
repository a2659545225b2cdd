"""The fixtures themselves: a database of its own for each test, and nothing left behind."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db.migrations import findings, harden
from dpolg_tui.operations.embedded import wait_until
from tests.databases import PRIVILEGES, TestDatabase

_LASTING_TEST = """
import time
from pathlib import Path

def test_lasts(server):
    Path({note!r}).write_text(str(server.cluster.home.parent))
    time.sleep(60)
"""


@pytest.mark.both_versions
@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_has_its_own_database(database: TestDatabase, turn: int) -> None:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        assert await connection.fetchval("SELECT to_regclass('public.mark')") is None, turn
        await connection.execute("CREATE TABLE public.mark ()")
        users = await connection.fetch("SELECT username, role, must_change_password FROM auth.users")
    finally:
        await connection.close()
    expected = {(user.username, user.role.value, False) for user in database.users.values()}
    assert {tuple(user) for user in users} == expected
    assert len(expected) == 6


@pytest.mark.both_versions
async def test_each_role_gets_in_as_itself(database: TestDatabase) -> None:
    roles = []
    for dsn in (database.dsn, database.owner_dsn, database.backup_dsn):
        connection = await asyncpg.connect(dsn)
        roles.append(await connection.fetchval("SELECT session_user::text"))
        await connection.close()
    assert roles == ["booking_user", "dpolg_owner", "dpolg_backup"]


@pytest.mark.both_versions
async def test_a_clone_is_hardened(database: TestDatabase) -> None:
    """It gets the privileges only: hardening it anew changes nothing."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        before = await connection.fetch(PRIVILEGES, database.name)
        await harden(database.superuser_dsn)
        assert sorted(before) == sorted(await connection.fetch(PRIVILEGES, database.name)) != []
    finally:
        await connection.close()
    assert await findings(database.superuser_dsn) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
def test_interrupted_run_leaves_nothing(tmp_path: Path, name: str) -> None:
    note = tmp_path / "note"
    test = tmp_path / "test_lasting.py"
    test.write_text(_LASTING_TEST.format(note=str(note)))
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tests.conftest", str(test)],
        cwd=Path(__file__).parents[1],
        stdout=subprocess.DEVNULL,
    ) as run:
        try:
            assert wait_until(lambda: note.exists() and bool(note.read_text()), 30)
            run.send_signal(signal.Signals[name])
            run.wait(30)
        finally:
            run.kill()
    folder = Path(note.read_text())
    assert folder.name.startswith("dpolg-server-")
    assert wait_until(lambda: not folder.exists(), 15)
