"""What follows once a backup is made: its copy elsewhere, and old ones that go. Both, whatever fails."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from dpolg_tui.operations import backup, manifest
from tests.databases import TestDatabase
from tests.operations.backups import backups_in, settings_of
from tests.sql.stage import Stage, open_stage


@pytest.fixture
async def stage(database: TestDatabase) -> AsyncIterator[Stage]:
    opened = await open_stage(database)
    yield opened
    await opened.close()


async def test_the_copy_takes_every_file_elsewhere(stage: Stage, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    command = f"cp -- {{file}} '{elsewhere}'"
    here = backups_in(tmp_path / "b", copy_command=command)
    made = await backup.make(settings_of(stage.database.backup_dsn), here)
    assert (elsewhere / made.file.name).read_bytes() == made.file.read_bytes()
    assert len(list(elsewhere.iterdir())) == 3
    anna = await stage.desk("anna")
    [state] = await anna.rows("backup_state")
    assert state["newest_copy_ok"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{sys.executable} -c 'import sys; sys.exit(\"kein Netz\")'", "kein Netz"),
        ("/gibt/es/nicht {file}", "ist gescheitert (gibt es nicht)"),
        ("cp 'offen", "No closing quotation"),
        (f"{sys.executable} -c 'import time; time.sleep(600)'", "sie dauerte zu lange"),
    ],
)
async def test_a_copy_that_fails_is_told_but_the_backup_is_good(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str, said: str
) -> None:
    if "sleep" in command:
        monkeypatch.setattr(backup, "_COPY_LIMIT", 0.2)
    made = await backup.make(
        settings_of(stage.database.backup_dsn), backups_in(tmp_path, copy_command=command)
    )
    [problem] = made.problems
    assert said in problem
    assert problem.endswith("bitte den Befehl prüfen und von Hand kopieren.")
    assert len(manifest.names_in(tmp_path)) == 1
    anna = await stage.desk("anna")
    [state] = await anna.rows("backup_state")
    assert (state["newest_backup_ok"], state["newest_copy_ok"]) == (True, False)


async def test_old_ones_that_cannot_go_keep_no_backup_from_its_second_place(
    stage: Stage, tmp_path: Path
) -> None:
    """And whatever fails after it, all of it is told."""
    here, elsewhere = tmp_path / "b", tmp_path / "elsewhere"
    elsewhere.mkdir()
    settings = backups_in(here, keep_daily=1, keep_weekly=1, keep_monthly=1)
    recent = await backup.make(settings_of(stage.database.backup_dsn), settings)
    for year in (2020, 2021):
        for suffix in (".dump", ".json"):
            kept = here / f"{recent.file.stem}{suffix}"
            (here / f"dpolg_backup_{year}0101_030000{suffix}").write_bytes(kept.read_bytes())
    (here / "dpolg_backup_20200101_030000.globals.sql").mkdir()  # does not go like a file

    copied = replace(settings, copy_command=f"cp -- {{file}} {elsewhere}")
    made = await backup.make(settings_of(stage.database.backup_dsn), copied)
    [problem] = made.problems
    assert problem == (
        f"Alte Sicherungen in {here} ließen sich nicht löschen (das ist ein Ordner): bitte die Rechte "
        "des Verzeichnisses prüfen, sonst läuft die Festplatte voll."
    )
    assert len(list(elsewhere.iterdir())) == 3
    assert len(manifest.names_in(here)) == 2, "the other old one went"

    (here / "dpolg_backup_20200101_030000.json").write_bytes(recent.file.with_suffix(".json").read_bytes())
    (here / "dpolg_backup_20200101_030000.dump").touch()
    made = await backup.make(settings_of(stage.database.backup_dsn), replace(settings, copy_command="false"))
    assert [problem.partition(" ")[0] for problem in made.problems] == ["Die", "Alte"]


async def test_a_connection_that_ends_during_the_copy_costs_only_the_note(
    stage: Stage, tmp_path: Path
) -> None:
    program = tmp_path / "copy.py"
    program.write_text(
        "import asyncio, asyncpg, sys\n"
        "async def end():\n"
        "    superuser = await asyncpg.connect(sys.argv[1])\n"
        "    await superuser.execute('SELECT pg_terminate_backend(pid) FROM pg_stat_activity'\n"
        "                            \" WHERE application_name = 'dpolg-tui backup'\"\n"
        "                            ' AND datname = current_database()')\n"
        "asyncio.run(end())\n"
    )
    command = f"{sys.executable} {program} {stage.database.superuser_dsn}"
    made = await backup.make(
        settings_of(stage.database.backup_dsn), backups_in(tmp_path / "b", copy_command=command)
    )
    [problem] = made.problems
    assert problem.startswith("Die Kopie ließ sich in der Datenbank nicht vermerken. ")
    assert made.recorded
