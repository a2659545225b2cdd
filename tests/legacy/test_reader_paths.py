"""Where the old file may lie and what it may be called."""

from __future__ import annotations

import os
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from dpolg_tui.legacy.reader import BadSource, open_copy
from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import migrate


@pytest.mark.skipif(os.name == "nt", reason="links are for administrators there")
def test_the_log_beside_the_file_counts_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    file = make(tmp_path / "real" / "buchungen.db", journal="WAL")
    link = tmp_path / "verweis.db"
    link.symlink_to(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as program:
        program.execute("PRAGMA wal_autocheckpoint = 0")
        program.execute("INSERT INTO guests SELECT 8, vorname, nachname, email, telefon, 0, '' FROM guests")
        source = open_copy(link, tmp_path / "backups")
    assert source.tables["guests"].rows == 2


@pytest.mark.parametrize("name", ["x" * 240 + ".db", "ü" * 120 + ".db", "100%25 a?b#c.db", "zwei\nZeilen.db"])
def test_any_name(name: str, tmp_path: Path) -> None:
    assert open_copy(make(tmp_path / name), tmp_path / "backups").tables["guests"].rows == 1


def test_a_name_that_is_not_utf_8(
    database: TestDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = make(tmp_path / "alt.sqlite")
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/h\xfctte.db"))
    try:
        made.rename(file)
    except OSError:
        pytest.skip("this file system takes only UTF-8")
    result = migrate(database, file, tmp_path / "run", "--dry-run", capsys=capsys)
    assert result.code == 0, result.err
    assert result.report is not None
    assert result.report["source"].endswith("h\ufffdtte.db")


def test_an_encrypted_file_that_keeps_the_first_bytes(tmp_path: Path) -> None:
    file = tmp_path / "alt.sqlite"
    file.write_bytes(b"SQLite format 3\0" + random.Random(3).randbytes(8176))
    with pytest.raises(BadSource, match="ist verschlüsselt oder beschädigt"):
        open_copy(file, tmp_path / "backups")
