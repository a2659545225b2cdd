"""A backup while five desks write, and what comes back from it: the house of one moment, and no session."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db import migrations
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.operations import backup, manifest
from dpolg_tui.operations.backup import BackupFailed
from dpolg_tui.operations.locks import FileLock
from tests.databases import Server, TestDatabase
from tests.legacy.full_disk import small_disk
from tests.operations.backups import Restores, ask, backups_in, contents, settings_of, sibling
from tests.sql.stage import Desk, Stage, connected, new, open_session, open_stage, stay

DESKS = ("anna", "ben", "clara", "david", "emil")
MB = 1024**2


@pytest.fixture
async def stage(database: TestDatabase) -> AsyncIterator[Stage]:
    opened = await open_stage(database)
    yield opened
    await opened.close()


@pytest.fixture
async def restores() -> AsyncIterator[Restores]:
    made = Restores()
    yield made
    await made.close()


class Writers:
    """Five desks that create guests with bookings, as fast as they can."""

    def __init__(self, desks: list[Desk]) -> None:
        self.acknowledged = 0
        self._stopped = False
        self._progress = asyncio.Event()
        self._tasks = [asyncio.create_task(self._write(desk, number)) for number, desk in enumerate(desks)]

    async def _write(self, desk: Desk, number: int) -> None:
        written = 0
        while not self._stopped:
            written += 1
            guest = await desk.save("guest", None, new(last_name=f"Gast {number}-{written}"))
            booking = await desk.book(guest["id"], stay(None, written % 300, written % 300 + 2))
            assert booking["outcome"] == "done"
            self.acknowledged += 1
            self._progress.set()

    async def reach(self, count: int) -> None:
        while self.acknowledged < count:
            self._progress.clear()
            await self._progress.wait()

    async def stop(self) -> None:
        self._stopped = True
        await asyncio.gather(*self._tasks)


@pytest.mark.both_versions
async def test_what_five_desks_write_meanwhile_comes_back_as_one_moment(
    server: Server, stage: Stage, restores: Restores, tmp_path: Path
) -> None:
    database = stage.database
    desks = [await stage.desk(name) for name in DESKS]
    writers = Writers(desks)
    await writers.reach(20)
    before = writers.acknowledged
    made = await backup.make(settings_of(database.backup_dsn), backups_in(tmp_path / "b"))
    after = writers.acknowledged
    await writers.stop()
    assert after > before, "the desks went on meanwhile"

    name = f"{database.name}_again"
    done = await restores.into(server, made.file, name)
    again = sibling(database, name, database.superuser_dsn)
    assert (done.manifest, done.findings, done.tables) == (made.manifest, [], len(made.manifest.tables))
    # One moment: what was acknowledged before is in it, nothing is there by half.
    guests = await ask(again, "SELECT count(*) FROM app.guests WHERE last_name LIKE 'Gast %'")
    bookings = await ask(again, "SELECT count(*) FROM app.bookings")
    assert isinstance(guests, int)
    assert isinstance(bookings, int)
    assert before <= bookings <= guests <= bookings + len(DESKS)
    half = """
        SELECT (SELECT count(*) FROM app.bookings b
                 WHERE NOT EXISTS (SELECT FROM app.occupancies o WHERE o.booking_id = b.id)
                    OR NOT EXISTS (SELECT FROM app.audit_log a WHERE a.table_name = 'bookings'
                                      AND a.record_id = b.id AND a.operation = 'INSERT'))
             + (SELECT count(*) FROM app.audit_log a
                 WHERE a.table_name = 'bookings' AND a.operation = 'INSERT'
                   AND NOT EXISTS (SELECT FROM app.bookings b WHERE b.id = a.record_id))
             + (SELECT count(*) FROM app.requests r) - (SELECT count(*) FROM app.guests g
                   WHERE g.last_name LIKE 'Gast %') - (SELECT count(*) FROM app.bookings)"""
    assert await ask(again, half) == 0
    assert await migrations.findings(again) == []
    # The sessions of before are over there, and go on here.
    there = await asyncpg.connect(
        sibling(database, name, database.dsn), server_settings={"app.session_token": desks[0].token}
    )
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError) as refused:
        await there.fetch("SELECT * FROM app.rooms()")
    assert refused.value.constraint_name == "session_restored"
    await there.close()
    assert await desks[0].rows("rooms")
    instance = "SELECT instance_id::text FROM app.installation"
    assert await ask(again, instance) != await ask(database.superuser_dsn, instance)
    assert await ask(again, "SELECT count(*) FROM app.change_feed") == 0
    # And it can be worked with: numbers go on where they were.
    await _signed_in_again_books(sibling(database, name, database.dsn), again)


async def _signed_in_again_books(dsn: str, superuser_dsn: str) -> None:
    async with connected(superuser_dsn) as superuser:
        token = await open_session(superuser, "anna")
    async with connected(dsn, token) as connection:
        desk = Desk("anna", token, connection)
        guest = await desk.save("guest", None, new(last_name="Danach"))
        assert (await desk.book(guest["id"], stay(None, 1, 3)))["outcome"] == "done"


async def test_in_a_quiet_house_every_row_is_the_same(
    server: Server, stage: Stage, restores: Restores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = await stage.desk("anna")
    guest = await anna.save("guest", None, new(last_name="Größenwahn-Łukasz", notes="Zeile 1\nZeile 2"))
    await anna.book(guest["id"], stay(stage.rooms[0], 0, 3))
    await stage.superuser.execute('CREATE TABLE legacy.odd ("whole row" text, t double precision)')
    await stage.superuser.execute("INSERT INTO legacy.odd VALUES ('a', 0.1), (NULL, 'NaN'), ('', 1e300)")
    before = await contents(stage.database.superuser_dsn)
    made = await backup.make(settings_of(stage.database.owner_dsn), backups_in(tmp_path / "b"))
    assert made.manifest.tables["legacy.odd"].rows == 3

    async def nothing(*_: object) -> list[object]:
        return []

    # What a restore changes on purpose is left out: only the copy is of interest here.
    monkeypatch.setattr("dpolg_tui.db.restored.finish", nothing)
    name = f"{stage.database.name}_again"
    await restores.into(server, made.file, name)
    after = await contents(sibling(stage.database, name, stage.database.superuser_dsn))
    assert before == after
    assert len(after) == len(made.manifest.tables)


async def test_the_files_are_whole_private_and_without_passwords(stage: Stage, tmp_path: Path) -> None:
    directory = tmp_path / "deep" / "backups"
    made = await backup.make(settings_of(stage.database.backup_dsn), backups_in(directory))
    name = made.file.name.removesuffix(".dump")
    assert sorted(path.name for path in directory.iterdir()) == [
        ".lock",
        f"{name}.dump",
        f"{name}.globals.sql",
        f"{name}.json",
    ]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert made.file.read_bytes().startswith(b"PGDMP")
    roles = (directory / f"{name}.globals.sql").read_text()
    assert "CREATE ROLE booking_user" in roles
    assert "GRANT pg_read_all_data TO dpolg_backup" in roles
    assert "SCRAM-SHA-256" not in roles
    assert "PASSWORD" not in roles.upper().replace("NO-ROLE-PASSWORDS", "")
    told = json.loads((directory / f"{name}.json").read_text())
    assert told["dump"]["bytes"] == made.file.stat().st_size
    assert manifest.read(directory / f"{name}.json") == made.manifest


async def test_every_desk_is_told_of_it(stage: Stage, tmp_path: Path) -> None:
    anna = await stage.desk("anna")
    made = await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))
    [state] = await anna.rows("backup_state")
    assert made.recorded
    assert state["newest_backup_ok"]
    assert state["last_good_backup"] is not None
    row = await stage.superuser.fetchrow("SELECT * FROM app.backups")
    assert (row["kind"], row["file"], row["bytes"], row["sha256"]) == (
        "backup",
        made.file.name,
        made.file.stat().st_size,
        made.manifest.dump.sha256,
    )


async def test_a_failure_is_in_the_history_and_leaves_no_file(stage: Stage, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 64 * MB) as disk:
        await stage.superuser.execute(
            "CREATE TABLE legacy.bulk AS SELECT gen_random_uuid() AS id FROM generate_series(1, 20000)"
        )
        disk.leave(MB)
        with pytest.raises(BackupFailed, match="zu wenig Platz: frei sind") as early:
            await backup.make(settings_of(stage.database.backup_dsn), backups_in(disk.path))
        assert [path.name for path in disk.path.iterdir()] == [".lock"]
        row = await stage.superuser.fetchrow("SELECT kind, ok, note FROM app.backups")
        assert (row["kind"], row["ok"], row["note"]) == ("backup", False, early.value.message)


async def test_a_disk_that_fills_meanwhile_leaves_no_file(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.superuser.execute(
        "CREATE TABLE legacy.bulk AS SELECT gen_random_uuid() AS id FROM generate_series(1, 50000)"
    )
    monkeypatch.setattr(backup, "_require_space", lambda *_: None)
    with small_disk(tmp_path / "disk", 64 * MB) as disk:
        disk.leave(300_000)
        with pytest.raises(BackupFailed, match="kein Platz mehr"):
            await backup.make(settings_of(stage.database.backup_dsn), backups_in(disk.path))
        assert [path.name for path in disk.path.iterdir()] == [".lock"]


async def test_a_line_that_is_cut_leaves_no_file(stage: Stage, tmp_path: Path) -> None:
    """In the middle: pg_dump and the hashes wait for a table that somebody has locked."""
    superuser = stage.superuser
    async with connected(stage.database.superuser_dsn) as holder:
        await holder.execute("BEGIN; LOCK TABLE app.guests IN ACCESS EXCLUSIVE MODE")
        running = asyncio.create_task(
            backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))
        )
        waiting = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE usename = 'dpolg_backup' AND wait_event_type = 'Lock'"
        )
        async with asyncio.timeout(60):
            while await superuser.fetchval(waiting) < 2:  # noqa: ASYNC110 - the server has no event for it
                await asyncio.sleep(0.05)
        assert len(_names(tmp_path)) == 4
        await superuser.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dpolg_backup'"
        )
        with pytest.raises((Unreachable, BackupFailed)):
            await running
    assert _names(tmp_path) == [".lock"]


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (
            "echo 'pg_dump: error: kaputt' >&2; exit 1",
            "Die Sicherung ist gescheitert (pg_dump: error: kaputt)",
        ),
        ("exit 0", "Die Sicherung ist gescheitert (pg_restore: error"),
    ],
)
async def test_a_pg_dump_that_fails_or_writes_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    program = tmp_path / "pg_dump"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    real = backup.dumps.find_program
    monkeypatch.setattr(
        backup.dumps, "find_program", lambda name, *more: program if name == "pg_dump" else real(name, *more)
    )
    with pytest.raises(BackupFailed) as failed:
        await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path / "b"))
    assert failed.value.message.startswith(said)
    assert [path.name for path in (tmp_path / "b").iterdir()] == [".lock"]
    assert await stage.superuser.fetchval("SELECT note FROM app.backups WHERE NOT ok") == failed.value.message


async def test_what_a_killed_backup_left_goes_with_the_next(stage: Stage, tmp_path: Path) -> None:
    rubbish = tmp_path / "dpolg_backup_20260101_030000.dump.part"
    rubbish.write_bytes(b"PGDMP")
    foreign = tmp_path / "wichtig.part"
    foreign.touch()
    await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))
    assert not rubbish.exists()
    assert foreign.exists()


async def test_two_at_once_do_not_disturb_each_other(stage: Stage, tmp_path: Path) -> None:
    lock = FileLock(tmp_path / ".lock")
    lock.acquire(0)
    with pytest.raises(BackupFailed, match="läuft gerade eine andere Sicherung"):
        await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))
    lock.release()
    await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))


async def test_what_root_makes_belongs_to_the_account_of_the_timers(stage: Stage, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can make files for another account")
    directory = tmp_path / "backups"
    directory.mkdir(mode=0o700)
    shutil.chown(directory, "nobody")
    await backup.make(settings_of(stage.database.backup_dsn), backups_in(directory))
    assert {path.owner() for path in directory.iterdir()} == {"nobody"}
    assert {path.suffix for path in directory.iterdir()} == {"", ".dump", ".sql", ".json"}


async def test_who_may_not_read_everything_gets_a_sentence(stage: Stage, tmp_path: Path) -> None:
    with pytest.raises(backup.backups.CannotBackUp, match="booking_user darf nicht sichern"):
        await backup.make(settings_of(stage.database.dsn), backups_in(tmp_path))
    async with connected(stage.database.superuser_dsn) as superuser:
        await superuser.execute("ALTER ROLE dpolg_backup NOBYPASSRLS")
        try:
            with pytest.raises(backup.backups.CannotBackUp, match="Sicherung des Anbieters"):
                await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path))
        finally:
            await superuser.execute("ALTER ROLE dpolg_backup BYPASSRLS")
    assert manifest.names_in(tmp_path) == []


async def test_a_directory_that_cannot_be(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackupFailed, match="lässt sich nicht anlegen"):
        await backup.make(settings_of(stage.database.backup_dsn), backups_in(tmp_path / "file" / "b"))


async def test_the_password_is_in_no_argument(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs are run by name and their arguments written down by a script of the same name."""
    seen = tmp_path / "arguments"
    real = {name: backup.dumps.find_program(name, 18) for name in ("pg_dump", "pg_dumpall")}

    def spied(name: str, _at_least: int, _programs: object = None) -> Path:
        script = tmp_path / name
        script.write_text(f'#!/bin/sh\necho "$0 $@" >> {seen}\nexec {real[name]} "$@"\n')
        script.chmod(0o700)
        return script

    monkeypatch.setattr(backup.dumps, "find_program", spied)
    settings = settings_of(stage.database.backup_dsn)
    await backup.make(settings, backups_in(tmp_path / "b"))
    calls = [line for line in seen.read_text().splitlines() if "--version" not in line]
    assert len(calls) == 2
    assert settings.password is not None
    assert settings.password not in seen.read_text()
    assert os.environ.get("PGPASSWORD") is None
