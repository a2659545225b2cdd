"""Old files are copied without touching them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dpolg_tui.legacy import copying
from dpolg_tui.legacy.reader import CannotCopy, open_copy
from tests.legacy.files import GUEST, ids, make, refuses


def contents(folder: Path) -> dict[str, bytes]:
    """Every file and what is in it, except the index of the log, where readers announce themselves."""
    return {
        found.name: b"" if found.name.endswith("-shm") else found.read_bytes() for found in folder.iterdir()
    }


def test_the_copy_is_private_complete_and_named_by_its_moment(file: Path, backups: Path) -> None:
    make(file)
    before = contents(file.parent)
    source = open_copy(file, backups)
    assert contents(file.parent) == before
    assert list(backups.iterdir()) == [source.path]
    assert stat.S_IMODE(source.path.stat().st_mode) == 0o600
    assert source.path.stem.startswith("buchungen-20")
    assert source.sha256 == hashlib.sha256(source.path.read_bytes()).hexdigest()
    assert source.original == file
    assert source.size == source.path.stat().st_size
    assert (source.ignored, source.warnings) == ((), ())
    assert {name: table.rows for name, table in source.tables.items()} == {
        "bookings": 1,
        "guests": 1,
        "rooms": 1,
    }
    again = open_copy(file, backups)
    assert again.path != source.path
    assert again.sha256 == source.sha256


def test_the_log_beside_the_file_counts_while_the_old_program_is_open(file: Path, backups: Path) -> None:
    make(file, journal="WAL")
    with closing(sqlite3.connect(file, isolation_level=None)) as program:
        program.execute("PRAGMA wal_autocheckpoint = 0")
        program.execute(GUEST.format(8))
        program.execute("BEGIN IMMEDIATE")
        program.execute(GUEST.format(99))
        before = contents(file.parent)
        assert "buchungen.db-wal" in before
        source = open_copy(file, backups)
        assert contents(file.parent) == before
        program.execute("COMMIT")
    assert ids(source, "guests") == [7, 8]
    assert ids(source, "guests") == [7, 8], "reading leaves nothing beside the copy"
    assert list(backups.iterdir()) == [source.path]


def test_the_log_counts_also_after_a_crash_and_without_its_index(file: Path, backups: Path) -> None:
    made = make(file.with_name("made.db"), journal="WAL")
    with closing(sqlite3.connect(made, isolation_level=None)) as program:
        program.execute("PRAGMA wal_autocheckpoint = 0")
        program.execute(GUEST.format(8))
        for ending in ("", "-wal"):
            shutil.copyfile(made.with_name(made.name + ending), file.with_name(file.name + ending))
    for left in file.parent.glob("made*"):
        left.unlink()
    before = contents(file.parent)
    assert set(before) == {"buchungen.db", "buchungen.db-wal"}
    source = open_copy(file, backups)
    assert contents(file.parent) == before
    assert ids(source, "guests") == [7, 8]
    assert list(backups.iterdir()) == [source.path]


def test_a_file_with_a_log_that_is_closed_gets_nothing_beside_it(file: Path, backups: Path) -> None:
    make(file, journal="WAL")
    before = contents(file.parent)
    assert set(before) == {"buchungen.db"}
    source = open_copy(file, backups)
    assert contents(file.parent) == before
    assert ids(source, "rooms") == [3]


def test_an_open_write_transaction_is_not_waited_for(file: Path, backups: Path) -> None:
    make(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as program:
        program.execute("BEGIN IMMEDIATE")
        program.execute(GUEST.format(99))
        assert ids(open_copy(file, backups), "guests") == [7]
        program.execute("COMMIT")


def test_an_unfinished_change_of_a_crashed_program_is_undone_on_the_copy_only(
    file: Path, backups: Path
) -> None:
    make(file)
    crash = f"""
import os, sqlite3
c = sqlite3.connect({str(file)!r}, isolation_level=None)
c.execute("PRAGMA cache_size = 1")
c.execute("BEGIN")
c.execute("UPDATE guests SET vorname = 'half'")
many = ((i, "x" * 500) for i in range(100, 900))
c.executemany("INSERT INTO guests VALUES (?, ?, '', '', '', 0, NULL)", many)
os._exit(1)
"""
    subprocess.run([sys.executable, "-c", crash], check=False)
    before = contents(file.parent)
    assert before["buchungen.db-journal"]
    source = open_copy(file, backups)
    assert contents(file.parent) == before
    assert [cells["vorname"] for _, cells in source.rows("guests")] == [("text", "Änne".encode())]


def test_a_file_that_stays_locked_is_given_up(
    file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "BUSY_LIMIT", 0.1)
    make(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as program:
        program.execute("BEGIN EXCLUSIVE")
        refuses(file, backups, "Die Datei buchungen.db ist gesperrt: bitte das alte Programm beenden")


def test_a_file_that_changes_while_it_is_copied_is_copied_again(
    file: Path, backups: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(file, journal="WAL")
    plain = copying._back_up
    calls = []

    def disturbed(source: Path, target: Path, parameters: str) -> None:
        plain(source, target, parameters)
        calls.append(parameters)
        if len(calls) <= disturbances:
            os.utime(source, ns=(len(calls), len(calls)))

    monkeypatch.setattr(copying, "_back_up", disturbed)
    disturbances = 1
    assert ids(open_copy(file, backups), "rooms") == [3]
    assert len(calls) == 2
    disturbances = 99
    refuses(file, backups, "wird gerade geändert")


def test_a_folder_that_cannot_be_written_to_names_the_option(file: Path, tmp_path: Path) -> None:
    make(file)
    occupied = tmp_path / "occupied"
    occupied.write_text("")
    with pytest.raises(CannotCopy, match="bitte mit --backup-dir einen anderen angeben"):
        open_copy(file, occupied)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_a_full_disk_leaves_no_half_copy(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(1000000))")
    limited = f"""
import resource
from pathlib import Path
from dpolg_tui.legacy.reader import CannotCopy, open_copy
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    open_copy(Path({str(file)!r}), Path({str(backups)!r}))
except CannotCopy as error:
    print(error.message)
"""
    root = Path(__file__).parents[2]
    answer = subprocess.run(
        [sys.executable, "-c", limited], capture_output=True, text=True, check=True, cwd=root
    )
    assert "bitte freien Platz und Zugriffsrechte prüfen" in answer.stdout
    assert list(backups.iterdir()) == []
