"""Back to the minute before a wrong mass change, from a base backup and the archived write-ahead log."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from dpolg_tui.db import migrations
from dpolg_tui.operations.embedded import HOST, Cluster, Options, _make_directory
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import Server, TestDatabase, binaries_of, fast_directory
from tests.operations.backups import ask, contents
from tests.sql.stage import Desk, Stage, new, open_stage, stay

pytestmark = pytest.mark.long

_WAIT = 60.0


@dataclass(frozen=True, slots=True)
class Archived:
    """A house whose write-ahead log is archived, and where."""

    home: Path
    primary: Cluster
    database: TestDatabase

    @property
    def archive(self) -> Path:
        return self.home / "archive"

    def base_backup(self) -> Cluster:
        """A copy of the running server, checked against its manifest; not started."""
        copy = Cluster(self.home / "copy", self.primary.binaries, self._recovery(""))
        _make_directory(copy.home, copy.account)
        tools = self.primary.binaries
        command = [tools.program("pg_basebackup"), "-D", copy.data, "-h", HOST, "-p", str(self.primary.port)]
        command += ["-U", "postgres", "-X", "fetch", "-c", "fast"]
        password = {"PGPASSWORD": self.primary.secret("postgres")}
        for one in (command, [tools.program("pg_verifybackup"), copy.data]):
            answer = self.primary.account.run(one, directory=copy.home, environment=password)
            assert answer.returncode == 0, answer.stdout
        return copy

    def recover(self, copy: Cluster, moment: str) -> None:
        """Plays the archived log into the copy, up to that moment."""
        copy.options = self._recovery(moment)
        signal = copy.data / "recovery.signal"
        signal.touch()
        copy.account.give(signal)
        copy.start()

    def _recovery(self, moment: str) -> Options:
        settings = {
            "restore_command": f"cp {self.archive}/%f %p",
            "recovery_target_time": moment,
            "recovery_target_action": "promote",
        }
        return Options(settings=settings)


@pytest.fixture
def archived() -> Iterator[Archived]:
    binaries = binaries_of("embedded")
    assert binaries is not None
    home = temporary_directory(fast_directory())
    command = f"test ! -f {home}/archive/%f && cp %p {home}/archive/%f"
    settings = {"archive_mode": "on", "archive_command": command, "archive_timeout": "60"}
    primary = Cluster(home / "primary", binaries, Options(settings=settings))
    try:
        _make_directory(home / "archive", primary.account)
        primary.create()
        replication = f"host replication all {HOST}/32 scram-sha-256\nhost all all {HOST}/32 scram-sha-256\n"
        primary._write(primary.data / "pg_hba.conf", replication)
        primary.start()
        database = Server("embedded", cast(SharedServer, SimpleNamespace(cluster=primary))).clone()
        yield Archived(home, primary, database)
    finally:
        for cluster in (primary, Cluster(home / "copy", binaries)):
            cluster.stop()
        shutil.rmtree(home)


@pytest.fixture
async def stage(archived: Archived) -> AsyncIterator[Stage]:
    opened = await open_stage(archived.database)
    yield opened
    await opened.close()


async def _work(desk: Desk, stage: Stage, numbers: range) -> None:
    for number in numbers:
        guest = await desk.save("guest", None, new(last_name=f"Gast {number}"))
        await desk.book(guest["id"], stay(stage.rooms[number % 4], number * 2, number * 2 + 2))


async def test_back_to_the_moment_before_a_wrong_change(archived: Archived, stage: Stage) -> None:
    superuser = stage.superuser
    anna = await stage.desk("anna")
    await _work(anna, stage, range(10))
    copy = await asyncio.to_thread(archived.base_backup)
    await _work(anna, stage, range(10, 30))
    wanted = await contents(archived.database.superuser_dsn)
    moment = await superuser.fetchval("SELECT clock_timestamp()::text")
    await superuser.execute("UPDATE app.guests SET last_name = 'Falsch'; DELETE FROM app.reminders")
    await _work(anna, stage, range(30, 35))
    await _until_archived(superuser)
    await asyncio.to_thread(archived.primary.stop)

    await asyncio.to_thread(archived.recover, copy, moment)
    again = copy.dsn(archived.database.name)
    await _until_promoted(again)
    assert await contents(again) == wanted
    assert await ask(again, "SELECT count(*) FROM app.guests WHERE last_name LIKE 'Gast %'") == 30
    assert await migrations.findings(again) == []
    # As docs/backup.md says: before any desk gets there.
    owner = copy.dsn(archived.database.name, "dpolg_owner")
    await ask(owner, "SELECT auth.after_restore()")
    assert await ask(again, "SELECT count(*) FROM auth.sessions WHERE ended_at IS NULL") == 0


async def _until_archived(superuser: asyncpg.Connection) -> None:
    """All that was written so far is in the archive."""
    last = await superuser.fetchval("SELECT pg_walfile_name(pg_switch_wal())")
    end = time.monotonic() + _WAIT
    while (await superuser.fetchval("SELECT last_archived_wal FROM pg_stat_archiver") or "") < last:
        assert time.monotonic() < end, await superuser.fetchrow("SELECT * FROM pg_stat_archiver")
        await asyncio.sleep(0.05)


async def _until_promoted(dsn: str) -> None:
    end = time.monotonic() + _WAIT
    while await ask(dsn, "SELECT pg_is_in_recovery()"):
        assert time.monotonic() < end, "still in recovery"
        await asyncio.sleep(0.05)
