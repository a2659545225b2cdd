"""What must not come back, or not here: one sentence each, and every database of the server is as it was."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpolg_tui.db import migrations, sql_files
from dpolg_tui.db.restored import CannotRestore
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import backup, manifest
from dpolg_tui.operations import restore as restoring
from dpolg_tui.operations.backup import Made
from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.restore import Plan, restore
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import OPTIONS, Server, Servers, TestDatabase, binaries_of, run
from tests.legacy.full_disk import Disk, small_disk
from tests.legacy.test_full_disk import move_wal
from tests.operations.backups import Restores, ask, backups_in, databases, settings_of, sibling

MB = 1024**2
NAME = "dpolg_restored"


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup with something in it, and the server it came from."""

    server: Server
    database: TestDatabase
    made: Made

    def copy_to(self, directory: Path) -> Path:
        """The same files elsewhere, to be spoilt."""
        stem = self.made.file.name.removesuffix(".dump")
        for suffix in (".dump", ".json", ".globals.sql"):
            (directory / f"{stem}{suffix}").write_bytes(
                self.made.file.with_name(f"{stem}{suffix}").read_bytes()
            )
        return directory / self.made.file.name


@pytest.fixture(scope="module")
def kept(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    database = server.clone()
    directory = tmp_path_factory.mktemp("backups")
    fill = (
        "INSERT INTO app.guests (last_name) SELECT 'Gast ' || n FROM generate_series(1, 3000) n RETURNING 1"
    )
    run(lambda: ask(database.superuser_dsn, fill))
    made = run(lambda: backup.make(settings_of(database.backup_dsn), backups_in(directory)))
    yield Kept(server, database, made)
    server.drop(database)


@pytest.fixture
async def restores() -> AsyncIterator[Restores]:
    made = Restores()
    yield made
    await made.close()


async def refused(server: Server, plan: Plan) -> str:
    """The sentence; nothing may have come or gone on the server."""
    before = await databases(server)
    with pytest.raises(DomainError) as failed:
        await restore(settings_of(server.cluster.dsn()), plan)
    assert await databases(server) == before, failed.value.message
    assert "\n" not in failed.value.message
    return failed.value.message


async def test_a_truncated_file(kept: Kept, tmp_path: Path) -> None:
    dump = kept.copy_to(tmp_path)
    with dump.open("r+b") as file:
        file.truncate(dump.stat().st_size * 2 // 3)
    assert "ist unvollständig oder verändert" in await refused(kept.server, Plan(dump, NAME))
    # Without its manifest the size is not known; pg_restore notices.
    said = await refused(kept.server, Plan(dump, NAME, unverified=True))
    assert "pg_restore ist gescheitert" in said or "ist beschädigt" in said
    assert "bitte" in said


async def test_a_damaged_file(kept: Kept, tmp_path: Path) -> None:
    dump = kept.copy_to(tmp_path)
    quarter = dump.stat().st_size // 4
    with dump.open("r+b") as file:
        # Half of the file: a few bytes may hit a right that is not restored, and then do no harm.
        file.seek(quarter)
        spoilt = bytes(255 - byte for byte in file.read(2 * quarter))
        file.seek(quarter)
        file.write(spoilt)
    assert "die Prüfsumme stimmt nicht" in await refused(kept.server, Plan(dump, NAME))
    assert "bitte" in await refused(kept.server, Plan(dump, NAME, unverified=True))


async def test_what_is_no_backup_at_all(kept: Kept, tmp_path: Path) -> None:
    text = tmp_path / "brief.dump"
    text.write_text("Sehr geehrte Damen und Herren")
    assert "keine Sicherung" in await refused(kept.server, Plan(text, NAME, unverified=True))
    assert "fehlt die Begleitdatei brief.json" in await refused(kept.server, Plan(text, NAME))
    assert "gibt es nicht" in await refused(kept.server, Plan(tmp_path / "fehlt.dump", NAME))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "facts": {}}'])
async def test_a_damaged_manifest(kept: Kept, tmp_path: Path, text: str) -> None:
    dump = kept.copy_to(tmp_path)
    manifest.beside(dump).write_text(text)
    assert "ist beschädigt" in await refused(kept.server, Plan(dump, NAME))


async def test_a_manifest_of_later_times(kept: Kept, tmp_path: Path) -> None:
    dump = kept.copy_to(tmp_path)
    content = json.loads(manifest.beside(dump).read_text())
    manifest.beside(dump).write_text(json.dumps({**content, "format": 2}))
    assert "von einem neueren Programm" in await refused(kept.server, Plan(dump, NAME))
    content["facts"]["schema_version"] = sql_files.schema_version() + 1
    manifest.beside(dump).write_text(json.dumps(content))
    assert "dieses Programm aktualisieren" in await refused(kept.server, Plan(dump, NAME))


@pytest.mark.parametrize("spoil", ["rows", "hash", "missing", "more"])
async def test_rows_that_are_not_those_of_the_backup(kept: Kept, tmp_path: Path, spoil: str) -> None:
    dump = kept.copy_to(tmp_path)
    content = json.loads(manifest.beside(dump).read_text())
    tables = content["tables"]
    said = {
        "rows": "app.guests hat 3000 statt 2999 Zeilen",
        "hash": "app.guests hat andere Inhalte",
        "missing": "app.gone fehlt",
        "more": "app.guests ist zu viel",
    }[spoil]
    if spoil == "rows":
        tables["app.guests"]["rows"] -= 1
    elif spoil == "hash":
        tables["app.guests"]["hash"] = "0" * 32
    elif spoil == "missing":
        tables["app.gone"] = {"rows": 0, "hash": "0" * 32}
    else:
        del tables["app.guests"]
    manifest.beside(dump).write_text(json.dumps(content))
    assert said in await refused(kept.server, Plan(dump, NAME))


async def test_a_name_that_is_taken(kept: Kept) -> None:
    before = await ask(kept.database.superuser_dsn, "SELECT count(*) FROM app.guests")
    said = await refused(kept.server, Plan(kept.made.file, kept.database.name))
    assert f"Eine Datenbank {kept.database.name} gibt es schon" in said
    assert await ask(kept.database.superuser_dsn, "SELECT count(*) FROM app.guests") == before
    assert "gibt es schon" in await refused(kept.server, Plan(kept.made.file, "postgres"))


@pytest.mark.parametrize("name", ["", "Häuser", 'x"; DROP DATABASE postgres', "host=evil", "x" * 64, "1a"])
async def test_a_name_that_does_not_do(kept: Kept, name: str) -> None:
    assert "taugt nicht als Name" in await refused(kept.server, Plan(kept.made.file, name))


async def test_a_name_that_is_taken_meanwhile(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def overlooked(found: object, source: object, plan: object) -> None:
        pass

    monkeypatch.setattr(restoring, "_require_suitable", overlooked)
    said = await refused(kept.server, Plan(kept.made.file, kept.database.name))
    assert "gibt es inzwischen" in said
    assert await ask(kept.database.superuser_dsn, "SELECT count(*) FROM app.guests") == 3000


async def test_somebody_who_may_not_make_databases(kept: Kept) -> None:
    with pytest.raises(CannotRestore, match="braucht einen Superuser"):
        await restore(settings_of(kept.database.owner_dsn), Plan(kept.made.file, NAME))
    assert NAME not in await databases(kept.server)


async def test_an_older_server(kept: Kept, servers: Servers) -> None:
    older = servers.get("system")
    if older is None:
        pytest.skip("no PostgreSQL >= 14 on this system: nothing older than the embedded one to restore into")
    major = older.cluster.binaries.major
    if major >= kept.server.cluster.binaries.major:
        pytest.skip(f"the system's PostgreSQL {major} is not older than the embedded one")
    said = await refused(older, Plan(kept.made.file, NAME))
    assert f"stammt von PostgreSQL {kept.server.cluster.binaries.major}, dieser Server ist" in said


async def test_a_newer_server_takes_it(
    kept: Kept, servers: Servers, restores: Restores, tmp_path: Path
) -> None:
    older = servers.get("system")
    if older is None:
        pytest.skip("no PostgreSQL >= 14 on this system: nothing older than the embedded one to come from")
    database = older.clone()
    try:
        made = await backup.make(settings_of(database.backup_dsn), backups_in(tmp_path))
        done = await restores.into(kept.server, made.file, "from_older")
        assert (done.manifest, done.findings) == (made.manifest, [])
    finally:
        older.drop(database)


async def test_without_its_manifest_it_comes_back_uncompared(
    kept: Kept, restores: Restores, tmp_path: Path
) -> None:
    dump = tmp_path / "allein.dump"
    dump.write_bytes(kept.made.file.read_bytes())
    done = await restores.into(kept.server, dump, NAME, unverified=True)
    assert (done.manifest, done.findings) == (None, [])
    there = sibling(kept.database, NAME, kept.database.superuser_dsn)
    assert await ask(there, "SELECT count(*) FROM app.guests") == 3000
    row = "SELECT kind || ' ' || file FROM app.backups WHERE kind = 'restore'"
    assert await ask(there, row) == "restore allein.dump"


async def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    server: Server, restores: Restores, tmp_path: Path
) -> None:
    """Taken before an upgrade that went wrong: what it lacks is applied, and its rows are all there."""
    old = server.empty()
    try:
        async with asyncio.timeout(120):
            await ask(old.superuser_dsn, "SELECT 1")
            await _make_old(old)
            made = await backup.make(settings_of(old.backup_dsn), backups_in(tmp_path))
        assert not made.recorded
        assert made.manifest.facts.schema_version == 7
        done = await restores.into(server, made.file, NAME)
        assert done.findings == []
        version = "SELECT (app.hello() ->> 'schema_version')::integer"
        assert await ask(server.cluster.dsn(NAME), version) == sql_files.schema_version()
    finally:
        server.drop(old)


async def _make_old(old: TestDatabase) -> None:
    connection = await migrations.connect(old.superuser_dsn)
    try:
        await migrations._make_schemas(connection)
    finally:
        await connection.close()
    await migrations.upgrade(old.superuser_dsn, only_schema_up_to=7)


# -- a server without our roles, and one whose disk is small ------------------------------------


async def test_another_server_gets_the_roles_with_new_passwords(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left after the loss of a server: the backup, and passwords that somebody chooses."""
    binaries = binaries_of("embedded")
    assert binaries is not None
    spoilt = kept.copy_to(tmp_path)
    content = json.loads(manifest.beside(spoilt).read_text())
    content["tables"]["app.guests"]["rows"] -= 1
    manifest.beside(spoilt).write_text(json.dumps(content))
    async with SharedServer(temporary_directory(), OPTIONS, binaries=binaries, temporary=True) as other:
        chosen = {"dpolg_owner": "o-1", "booking_user": "b-2", "dpolg_backup": "s-3"}
        settings = settings_of(other.cluster.dsn())
        await ask(other.cluster.dsn(), "CREATE ROLE dpolg_owner LOGIN PASSWORD 'o-1'")
        with pytest.raises(CannotRestore, match="gleicht der Sicherung nicht"):
            await restore(settings, Plan(spoilt, NAME, password=chosen.__getitem__))
        ours = "SELECT array_agg(rolname::text) FROM pg_roles WHERE rolname = ANY ('{%s}')"
        assert await ask(other.cluster.dsn(), ours % ",".join(chosen)) == ["dpolg_owner"], "as it was before"

        async def given_to_a_role(*_: object) -> None:
            await ask(other.cluster.dsn(), "CREATE DATABASE theirs OWNER booking_user")
            raise CannotRestore("pg_restore ist gescheitert.")

        with monkeypatch.context() as patched:
            patched.setattr(restoring, "_fill", given_to_a_role)
            with pytest.raises(CannotRestore, match="Übrig bleiben die neuen Rollen booking_user, dpolg_b"):
                await restore(settings, Plan(spoilt, NAME, password=chosen.__getitem__))
        await ask(other.cluster.dsn(), "DROP DATABASE theirs")
        await ask(other.cluster.dsn(), "DROP ROLE booking_user, dpolg_backup")

        done = await restore(settings, Plan(kept.made.file, NAME, password=chosen.__getitem__))
        assert (done.new_roles, done.findings) == ({"booking_user", "dpolg_backup"}, [])
        for role, password in chosen.items():
            dsn = other.cluster.dsn(NAME, role, password)
            assert await ask(dsn, "SELECT current_user::text") == role


@dataclass(frozen=True, slots=True)
class Cramped:
    """A server on a small disk."""

    server: Server
    disk: Disk


@pytest.fixture
def cramped() -> Iterator[Cramped]:
    folder = temporary_directory()
    try:
        with small_disk(folder / "disk", 1024 * MB) as disk, small_disk(folder / "wal", 1024 * MB) as wal:
            settings = {"min_wal_size": "32MB", "max_wal_size": "64MB", "shared_buffers": "16MB"}
            options = Options(settings=settings)
            shared = SharedServer(temporary_directory(disk.path), options, temporary=True)
            run(shared.start)
            server = Server("embedded", shared)
            try:
                # Else the server would end for want of its log of changes: another story, told elsewhere.
                move_wal(server, wal)
                yield Cramped(server, disk)
            finally:
                disk.resize(1024 * MB)
                server.close()
    finally:
        shutil.rmtree(folder)


async def test_too_little_space_on_the_server(
    kept: Kept, cramped: Cramped, monkeypatch: pytest.MonkeyPatch
) -> None:
    cramped.disk.leave(40 * MB)
    said = await refused(cramped.server, Plan(kept.made.file, NAME))
    assert "zu wenig Platz: frei sind" in said
    # And where nobody can look beforehand, as on another machine.
    monkeypatch.setattr(restoring, "_require_space", lambda *_: None)
    for spare in (3, 11, 30):
        # At once, before anything is filled in, and in the middle: the server with its other houses lives on.
        cramped.disk.leave(spare * MB)
        said = await refused(cramped.server, Plan(kept.made.file, NAME))
        assert said == (
            "Das Wiederherstellen ist nicht möglich (kein Platz mehr): bitte auf der Festplatte des Servers "
            "Platz schaffen. Nichts wurde verändert."
        )
    assert "PANIC" not in cramped.server.cluster.log_file.read_text()


async def test_a_server_that_ends_meanwhile(
    kept: Kept, cramped: Cramped, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await databases(cramped.server)

    async def ends(*_: object) -> None:
        await asyncio.to_thread(cramped.server.cluster.stop)
        raise CannotRestore("pg_restore ist gescheitert.")

    monkeypatch.setattr(restoring, "_fill", ends)
    with pytest.raises(CannotRestore, match="Übrig bleibt die Datenbank") as failed:
        await restore(settings_of(cramped.server.cluster.dsn()), Plan(kept.made.file, NAME))
    await asyncio.to_thread(cramped.server.cluster.start)
    [left] = await databases(cramped.server) - before
    assert left in failed.value.message


# -- being told to stop ----------------------------------------------------------------------------


async def test_ctrl_c_leaves_nothing(kept: Kept, tmp_path: Path) -> None:
    before = await databases(kept.server)
    call = _begin_restore(kept, tmp_path)
    try:
        async with asyncio.timeout(60):
            while not (tmp_path / "begun").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.05)
        assert len(await databases(kept.server)) == len(before) + 1
        call.send_signal(signal.SIGINT)
        _, said = await asyncio.to_thread(call.communicate, timeout=60)
    finally:
        call.kill()
    assert (call.returncode, said.splitlines()[-1]) == (130, "dpolg-tui: abgebrochen")
    assert await databases(kept.server) == before


def _begin_restore(kept: Kept, directory: Path) -> subprocess.Popen[str]:
    """The command with a pg_restore that takes for ever."""
    script = directory / "pg_restore"
    script.write_text(
        "#!/bin/sh\ncase \"$1\" in --version) echo 'pg_restore (PostgreSQL) 18.0';; --list) ;;"
        " *) touch begun; exec sleep 60;; esac\n"
    )
    script.chmod(0o755)
    program = "from dpolg_tui.cli import main; import sys; sys.exit(main())"
    arguments = ["--dsn", kept.server.cluster.dsn(), "restore", str(kept.made.file), "--into", NAME]
    path = f"{directory}:{os.environ['PATH']}"
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=directory,
        env={**os.environ, "PATH": path, "XDG_STATE_HOME": str(directory)},
        stderr=subprocess.PIPE,
        text=True,
    )
