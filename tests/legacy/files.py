"""Small old files for tests, made by hand where a generated one is too orderly."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import pytest

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.legacy.reader import BadSource, SourceFile, open_copy

CORE = """
CREATE TABLE rooms (id INTEGER PRIMARY KEY, name TEXT NOT NULL, gebaeude_typ TEXT NOT NULL,
    ort TEXT NOT NULL, capacity INTEGER NOT NULL, price_member REAL NOT NULL,
    price_non_member REAL NOT NULL, schluesselcode TEXT);
CREATE TABLE guests (id INTEGER PRIMARY KEY, vorname TEXT NOT NULL, nachname TEXT NOT NULL,
    email TEXT NOT NULL, telefon TEXT NOT NULL, dpolg_mitglied BOOLEAN NOT NULL,
    created_at TEXT DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE bookings (id INTEGER PRIMARY KEY, room_id INTEGER NOT NULL, guest_id INTEGER NOT NULL,
    reservierungsnummer TEXT NOT NULL UNIQUE, checkin_date TEXT NOT NULL, checkout_date TEXT NOT NULL,
    anzahl_gaeste INTEGER NOT NULL, status TEXT NOT NULL, gesamtpreis REAL NOT NULL,
    created_at TEXT NOT NULL);
"""
ONE_OF_EACH = """
INSERT INTO rooms VALUES (3, 'Zimmer 3', 'EZ', 'Ort', 2, 45.0, 65.5, '1234');
INSERT INTO guests VALUES (7, 'Änne', 'Straße', 'a@example.org', '1', 1, '2025-01-02 03:04:05');
INSERT INTO bookings VALUES (9, 3, 7, '2025-9', '2025-02-01', '2025-02-03', 1, 'bestaetigt', 0.1,
    '2025-01-02 03:04:05');
"""
GUEST = "INSERT INTO guests VALUES ({}, 'Eva', 'Beispiel', '', '', 0, NULL)"


def make(path: Path, *scripts: str, journal: str = "DELETE") -> Path:
    """An old file with the core tables, one row in each, and what the scripts add."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        for script in (CORE, ONE_OF_EACH, *scripts):
            connection.executescript(script)
    return path


def add(path: Path, statement: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Stores rows with values that cannot be written in SQL."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(statement, rows)


def ids(source: SourceFile, table: str) -> list[int]:
    """The ids of a table's rows, in the order in which they are read."""
    return [row_id for row_id, _ in source.rows(table)]


def refuses(file: Path, backups: Path, words: str) -> None:
    """The file is refused with a sentence that has these words, and no copy is left."""
    with pytest.raises(BadSource) as caught:
        open_copy(file, backups)
    message = caught.value.message
    assert words in message
    assert message.endswith(".")
    assert message.count(": bitte ") == 1
    assert isinstance(caught.value, DomainError)
    if backups.is_dir():
        copies = [left for left in backups.iterdir() if left.suffix != ".sqlite" or left.stat().st_size == 0]
        assert not copies
