"""``dpolg-tui backup``, ``backup verify``, ``restore`` and the backup of ``upgrade-db``, typed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dpolg_tui import cli
from dpolg_tui.db import sql_files
from dpolg_tui.db.restored import drop
from dpolg_tui.operations import backup_verification, manifest
from dpolg_tui.operations.backup_verification import NotVerified, sufficient
from dpolg_tui.operations.binaries import find_embedded
from tests.databases import Server, TestDatabase
from tests.operations.backups import ask, databases, settings_of

Run = Callable[..., tuple[int, str, str]]
HISTORY = "SELECT array_agg(kind || CASE WHEN ok THEN '' ELSE ' ✗' END ORDER BY id) FROM app.backups"


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(home)
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """[backup] directory."""
    monkeypatch.setenv("DPOLG_TUI_BACKUP_DIRECTORY", str(tmp_path / "backups"))
    return tmp_path / "backups"


@pytest.fixture
def program(database: TestDatabase, capsys: pytest.CaptureFixture[str]) -> Run:
    """dpolg-tui as dpolg_backup: exit code, what it printed, what it complained of."""

    def run(*arguments: str, dsn: str = database.backup_dsn) -> tuple[int, str, str]:
        code = cli.main([*arguments, "--dsn", f"{dsn}?sslmode=disable"])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, "".join(line for line in err.splitlines(True) if "in --dsn steht" not in line)

    return run


@pytest.fixture
def new_name(server: Server, database: TestDatabase) -> Iterator[str]:
    """A name for a restored database, which goes at the end."""
    name = f"{database.name}_again"
    yield name
    asyncio.run(drop(settings_of(server.cluster.dsn()), name))


def history(database: TestDatabase) -> object:
    return asyncio.run(ask(database.superuser_dsn, HISTORY))


def test_backup_verify_restore(
    server: Server, database: TestDatabase, program: Run, directory: Path, new_name: str
) -> None:
    code, out, err = program("backup")
    assert (code, err) == (0, "")
    [name] = manifest.names_in(directory)
    dump = directory / f"{name}.dump"
    assert out.startswith(f"Gesichert: {dump} (")
    code, out, err = program("backup", "verify")
    assert (code, err) == (0, "")
    assert out.startswith(f"{dump.name} lässt sich wiederherstellen: ")
    assert history(database) == ["backup", "verification"]
    code, out, err = program("restore", str(dump), "--into", new_name, dsn=server.cluster.dsn())
    assert (code, err) == (0, "")
    assert f"Wiederhergestellt nach {new_name}: " in out
    assert "alle gleich der Sicherung" in out
    assert (
        f"Arbeitsplätze benutzen weiter {database.name}: wie getauscht wird, steht in docs/backup.md." in out
    )
    assert new_name in asyncio.run(databases(server))


def test_the_directory_of_the_command_line_comes_first(program: Run, directory: Path, tmp_path: Path) -> None:
    code, _, _ = program("backup", "--directory", str(tmp_path / "other"))
    assert code == 0
    assert not directory.exists()
    assert len(manifest.names_in(tmp_path / "other")) == 1


def test_a_backup_that_cannot_be_restored_is_told(
    database: TestDatabase, program: Run, directory: Path
) -> None:
    program("backup")
    [name] = manifest.names_in(directory)
    with (directory / f"{name}.dump").open("r+b") as file:
        file.seek(-100, 2)
        file.write(b"\xff" * 50)
    code, out, err = program("backup", "verify")
    assert (code, out) == (1, "")
    assert "die Prüfsumme stimmt nicht" in err
    assert history(database) == ["backup", "verification ✗"]
    note = asyncio.run(ask(database.superuser_dsn, "SELECT note FROM app.backups WHERE NOT ok"))
    assert isinstance(note, str)
    assert note in err


def test_verify_takes_the_newest_of_its_own_database(program: Run, directory: Path) -> None:
    program("backup")
    [name] = manifest.names_in(directory)
    described = manifest.read(directory / f"{name}.json")
    other = replace(described, facts=replace(described.facts, database="another"))
    later = "dpolg_backup_29991231_030000"
    other.write(directory / f"{later}.json")
    (directory / f"{later}.dump").touch()
    code, out, _ = program("backup", "verify")
    assert (code, out.partition(" ")[0]) == (0, f"{name}.dump")


def test_verify_without_any_backup(database: TestDatabase, program: Run, directory: Path) -> None:
    code, _, err = program("backup", "verify")
    assert code == 1
    assert "ist nicht lesbar" in err
    directory.mkdir()
    code, _, err = program("backup", "verify")
    assert code == 1
    assert f"keine Sicherung der Datenbank {database.name}" in err


@pytest.mark.usefixtures("directory")
def test_too_little_space_to_verify(
    database: TestDatabase, program: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("backup")
    monkeypatch.setattr(backup_verification, "_RESERVE", 1 << 60)
    code, _, err = program("backup", "verify")
    assert code == 1
    assert "zu wenig Platz" in err
    assert history(database) == ["backup", "verification ✗"]


def test_a_server_of_sufficient_version_verifies() -> None:
    embedded = find_embedded()
    assert embedded is not None
    assert sufficient(14).major >= 14
    assert sufficient(embedded.major).major >= embedded.major
    with pytest.raises(NotVerified, match="fehlt PostgreSQL ab Version 99"):
        sufficient(99)


@pytest.mark.parametrize("verb", [("backup",), ("backup", "verify")])
def test_desks_make_no_backups(database: TestDatabase, program: Run, verb: tuple[str, ...]) -> None:
    code, _, err = program(*verb, dsn=database.dsn)
    assert code == 2
    assert "Sache der Rolle dpolg_backup" in err
    assert "postgresql://dpolg_backup@" in err


@pytest.mark.usefixtures("directory")
def test_where_nothing_listens(program: Run) -> None:
    code, _, err = program("backup", dsn="postgresql://dpolg_backup@127.0.0.1:1/dpolg_booking")
    assert code == 3
    assert "antwortet keine Datenbank" in err


# -- upgrade-db ------------------------------------------------------------------------------------


@pytest.fixture
def later_version(monkeypatch: pytest.MonkeyPatch) -> str:
    """A program with a function file that has changed."""
    files = sql_files.function_files()
    changed = replace(files[0], text=files[0].text + "\n-- changed\n")
    monkeypatch.setattr(sql_files, "function_files", lambda: (changed, *files[1:]))
    return changed.name


def test_an_upgrade_is_preceded_by_a_backup(
    database: TestDatabase, program: Run, directory: Path, later_version: str
) -> None:
    code, out, _ = program("upgrade-db", dsn=database.owner_dsn)
    assert code == 0
    assert out.index("Gesichert: ") < out.index(f"Angewandt: {later_version}")
    assert len(manifest.names_in(directory)) == 1
    assert history(database) == ["backup"]


@pytest.mark.usefixtures("directory")
def test_a_copy_that_fails_is_an_exit_code_of_backup_and_a_warning_of_the_upgrade(
    database: TestDatabase, program: Run, later_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup itself is there, and both say so."""
    monkeypatch.setenv("DPOLG_TUI_BACKUP_COPY_COMMAND", "false")
    code, out, err = program("backup")
    assert (code, out.partition(" ")[0]) == (1, "Gesichert:")
    assert err.startswith("dpolg-tui: Die Sicherung dpolg_backup_")
    assert "ist gemacht, aber ihre Kopie" in err
    code, out, err = program("upgrade-db", dsn=database.owner_dsn)
    assert code == 0
    assert out.index("Gesichert: ") < out.index(f"Angewandt: {later_version}")
    assert err.startswith("Warnung: Die Sicherung dpolg_backup_")
    assert history(database) == ["backup", "copy ✗", "backup", "copy ✗"]


def test_without_anything_to_apply_there_is_none(
    database: TestDatabase, program: Run, directory: Path
) -> None:
    code, out, _ = program("upgrade-db", dsn=database.owner_dsn)
    assert (code, out) == (0, "Die Datenbank ist auf dem neuesten Stand.\n")
    assert not directory.exists()


def test_no_backup_no_upgrade(
    database: TestDatabase, program: Run, directory: Path, later_version: str
) -> None:
    directory.touch()
    code, out, err = program("upgrade-db", dsn=database.owner_dsn)
    assert (code, out) == (1, "")
    assert "mit --no-backup darauf verzichten. Nichts wurde verändert." in err
    code, out, _ = program("upgrade-db", "--no-backup", dsn=database.owner_dsn)
    assert (code, out) == (0, f"Angewandt: {later_version}\n")


@pytest.mark.usefixtures("directory")
def test_the_backup_before_the_first_history_is_noted_after_it(database: TestDatabase, program: Run) -> None:
    """As in a house that upgrades from a version without app.backups."""
    statements = (
        "DROP TABLE app.backups CASCADE",
        "DROP FUNCTION app.record_backup, app.backup_state, app.guard_backups",
        "ALTER TABLE app.installation DROP COLUMN backups_elsewhere",
        "DELETE FROM app.migrations WHERE name IN ('schema/0008_operations.sql', 'functions/30_backups.sql')",
    )
    for statement in statements:
        asyncio.run(ask(database.superuser_dsn, statement))
    code, _, _ = program("upgrade-db", dsn=database.owner_dsn)
    assert code == 0
    assert history(database) == ["backup"]
