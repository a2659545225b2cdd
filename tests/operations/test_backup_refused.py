"""What a command refuses: exit code 1, one sentence with the remedy, and everything is as it was."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dpolg_tui import cli
from dpolg_tui.operations import backup, manifest
from dpolg_tui.operations.backup_verification import NotVerified, _newest
from dpolg_tui.operations.restore import CannotRestore, Plan, restore
from tests.databases import Server, TestDatabase
from tests.operations.backups import backups_in, databases, settings_of

NAME = "dpolg_refused"


@pytest.fixture(scope="module")
def dump(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A good backup, to be spoilt in copies."""
    database = server.clone()
    made = asyncio.run(
        backup.make(settings_of(database.backup_dsn), backups_in(tmp_path_factory.mktemp("good")))
    )
    yield made.file
    server.drop(database)


def _truncated(copy: Path) -> Path:
    with copy.open("r+b") as file:
        file.truncate(1000)
    return copy


def _damaged(copy: Path) -> Path:
    with copy.open("r+b") as file:
        file.seek(500)
        file.write(b"\xff" * 100)
    return copy


def _alone(copy: Path) -> Path:
    manifest.beside(copy).unlink()
    return copy


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_truncated, "ist unvollständig oder verändert (1000 statt"),
        (_damaged, "die Prüfsumme stimmt nicht"),
        (_alone, "fehlt die Begleitdatei"),
        (manifest.beside, "ist nicht die Sicherung selbst: bitte die Datei"),
        (lambda copy: copy.with_suffix(".globals.sql"), "ist nicht die Sicherung selbst: bitte die Datei"),
        (lambda copy: copy.with_name("fehlt.dump"), "gibt es nicht: bitte den Pfad prüfen"),
        (lambda copy: copy.parent, "gibt es nicht: bitte den Pfad prüfen"),
    ],
    ids=("truncated", "damaged", "no manifest", "the manifest", "the roles", "no file", "a directory"),
)
def test_restore_says_why_in_one_line(
    server: Server,
    dump: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    spoil: Callable[[Path], Path],
    said: str,
) -> None:
    for suffix in (".dump", ".json", ".globals.sql"):
        shutil.copy(dump.with_suffix(suffix), tmp_path)
    before = asyncio.run(databases(server))
    file = spoil(tmp_path / dump.name)
    code = cli.main(
        ["restore", str(file), "--into", NAME, "--dsn", f"{server.cluster.dsn()}?sslmode=disable"]
    )
    out, err = capsys.readouterr()
    [line] = [line for line in err.splitlines() if "in --dsn steht" not in line]
    assert (code, out) == (1, "")
    assert line.startswith("dpolg-tui: ")
    assert said in line
    assert asyncio.run(databases(server)) == before


@contextmanager
def powerless() -> Iterator[None]:
    """As an account that the file system refuses."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def shut() -> Iterator[Path]:
    """A directory that may be looked into, but not written."""
    directory = Path(tempfile.mkdtemp(prefix="dpolg-shut-"))
    directory.chmod(0o555)
    yield directory
    directory.chmod(0o700)
    shutil.rmtree(directory)


def test_a_directory_where_nothing_may_be_written(database: TestDatabase, shut: Path) -> None:
    settings = settings_of(database.backup_dsn)
    for directory, said in (
        (
            shut,
            f"Die Sicherung nach {shut} ist nicht möglich (keine Berechtigung): bitte dort Platz und Rechte",
        ),
        (
            shut / "new",
            f"{shut / 'new'} lässt sich nicht anlegen (keine Berechtigung): bitte mit --directory",
        ),
    ):
        with powerless(), pytest.raises(backup.BackupFailed) as refused:
            asyncio.run(backup.make(settings, backups_in(directory)))
        assert said in refused.value.message
    assert list(shut.iterdir()) == []


def test_files_that_may_not_be_read(server: Server, dump: Path, shut: Path) -> None:
    settings = settings_of(server.cluster.dsn())
    shut.chmod(0o755)
    copy = shut / dump.name
    for source, there in ((dump, copy), (manifest.beside(dump), manifest.beside(copy))):
        there.write_bytes(source.read_bytes())
        there.chmod(0o644)
    for file, said in (
        (copy, f"{copy} ist nicht lesbar (keine Berechtigung): bitte Rechte und Datenträger prüfen."),
        (manifest.beside(copy), "ist nicht lesbar (keine Berechtigung): bitte die Rechte prüfen."),
    ):
        file.chmod(0)
        with powerless(), pytest.raises((CannotRestore, manifest.BadManifest)) as refused:
            asyncio.run(restore(settings, Plan(copy, NAME)))
        assert said in refused.value.message
        file.chmod(0o644)
    shut.chmod(0)
    with powerless(), pytest.raises(NotVerified, match=r"ist nicht lesbar \(keine Berechtigung\)"):
        _newest(shut, "dpolg_booking")
    shut.chmod(0o755)
