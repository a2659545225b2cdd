"""Old files are read, whatever is in them and however damaged they are."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from dpolg_tui.legacy.reader import BadSource, open_copy
from tests.legacy.files import add, ids, make, refuses


def test_what_is_no_file(file: Path, backups: Path) -> None:
    refuses(file, backups, "Die Datei buchungen.db gibt es nicht")
    refuses(file.parent, backups, "ist ein Ordner")
    if hasattr(os, "mkfifo"):
        os.mkfifo(file)
        refuses(file, backups, "ist keine gewöhnliche Datei")
    assert not backups.exists()


@contextmanager
def without_rights(*paths: Path) -> Iterator[None]:
    for path in paths:
        path.chmod(0)
    if root := os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        for path in paths:
            path.chmod(0o700)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX only")
def test_what_may_not_be_read(file: Path, backups: Path) -> None:
    make(file)
    for closed in (file, file.parent):
        with without_rights(closed), pytest.raises(BadSource, match="darf nicht gelesen werden: bitte die "):
            open_copy(file, backups)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "ist leer"),
        (b"Name;Vorname\r\nBeispiel;Eva\r\n" * 100, "ist keine SQLite-Datei"),
        (b"PK\3\4" + bytes(1020), "ist keine SQLite-Datei"),
        (b"SQLite format 3\0", "ist unvollständig (16 statt 512 Bytes)"),
        (b"x", "ist keine SQLite-Datei"),
        (random.Random(1).randbytes(8192), "ist verschlüsselt oder keine SQLite-Datei"),
    ],
)
def test_what_is_no_database(file: Path, backups: Path, content: bytes, words: str) -> None:
    file.write_bytes(content)
    refuses(file, backups, words)


def test_an_encrypted_file_with_a_plain_header(file: Path, backups: Path) -> None:
    make(file)
    content = file.read_bytes()
    file.write_bytes(content[:100] + random.Random(2).randbytes(len(content) - 100))
    refuses(file, backups, "ist beschädigt")


@pytest.mark.parametrize("kept", [0.999, 0.7, 0.3])
def test_a_truncated_file(file: Path, backups: Path, kept: float) -> None:
    make(file)
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * kept)])
    refuses(file, backups, "ist unvollständig")


def test_a_damaged_page(file: Path, backups: Path) -> None:
    make(file)
    content = bytearray(file.read_bytes())
    content[4096 : 4096 + 200] = b"\xff" * 200
    file.write_bytes(content)
    refuses(file, backups, "ist beschädigt")


def test_a_database_of_something_else(file: Path, backups: Path) -> None:
    make(file, "DROP TABLE rooms; DROP TABLE guests")
    refuses(file, backups, "In der Datei buchungen.db fehlen die Tabellen rooms und guests")
    file.unlink()
    make(file, "DROP TABLE rooms")
    refuses(file, backups, "fehlt die Tabelle rooms")
    file.unlink()
    make(file, "DROP TABLE guests; CREATE TABLE guests (id INTEGER PRIMARY KEY, name TEXT)")
    refuses(file, backups, "fehlt der Tabelle guests die Spalte vorname")


# --- what is in it


def test_tables_and_columns_by_name(file: Path, backups: Path) -> None:
    make(
        file,
        "CREATE TABLE Reminders (Title, ID INTEGER PRIMARY KEY)",
        'CREATE TABLE "Eigene Tabelle" ("Groß%s" DECIMAL(5,2), b AS (1 + 1))',
        "CREATE VIEW v_rooms AS SELECT * FROM rooms",
        "INSERT INTO reminders VALUES ('x', 5); ANALYZE",
    )
    source = open_copy(file, backups)
    assert set(source.tables) == {"bookings", "guests", "rooms", "reminders", "Eigene Tabelle"}
    assert source.ignored == ("v_rooms",)
    reminders, own = source.tables["reminders"], source.tables["Eigene Tabelle"]
    assert [(column.name, column.declared_type) for column in reminders.columns] == [
        ("title", ""),
        ("id", "INTEGER"),
    ]
    assert [column.name for column in own.columns] == ["Groß%s", "b"]
    assert own.columns[0].declared_type == "DECIMAL(5,2)"
    assert (reminders.known, own.known, reminders.rows, own.rows) == (True, False, 1, 0)
    assert list(source.rows("reminders")) == [(5, {"title": ("text", b"x"), "id": ("integer", 5)})]


@pytest.mark.parametrize(
    "name", ["select", "order", 'a"b', "ta'b;--", "[x]", "mit\tTab\nund\\", "Ünïcode 🏠", "%d"]
)
def test_names_like_sql(file: Path, backups: Path, name: str) -> None:
    inside = name.replace('"', '""')
    make(file, f'CREATE TABLE "{inside}" ("{inside}" INTEGER); INSERT INTO "{inside}" VALUES (1), (2)')
    source = open_copy(file, backups)
    assert source.tables[name].rows == 2
    assert list(source.rows(name)) == [(1, {name: ("integer", 1)}), (2, {name: ("integer", 2)})]


VALUES = [
    *(None, 0, -1, 2**63 - 1, -(2**63), 0.1, 1e300, float("inf"), 2.0, 0.30000000000000004),
    *(
        "",
        "plain",
        "ä ß € 🏠",
        "a\nb\tc\rd",
        'q"u\\o',
        "\\N",
        "\\u0000",
        "nul\0l",
        "\x01\x02\x03\x04",
        "\x7f\x85",
    ),
    *(b"", b"blob", b"\0\xff", b"utf-8 \xc3\xa4"),
]


def test_any_value_in_any_column(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE anything (a, b INTEGER, c TEXT, d BLOB, e REAL)")
    add(file, "INSERT INTO anything (a) VALUES (?)", ((value,) for value in VALUES))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "INSERT INTO anything (a) VALUES (CAST(x'61ff62' AS TEXT)), (CAST(x'eda080' AS TEXT))"
        )
        connection.execute("INSERT INTO anything (b, c, d, e) VALUES ('x', 1, 'text', '1,50')")
    found = list(open_copy(file, backups).rows("anything"))
    cells = [row["a"] for _, row in found]
    classes = {type(None): "null", int: "integer", float: "real", str: "text", bytes: "blob"}
    expected = [
        (classes[type(value)], value.encode() if isinstance(value, str) else value) for value in VALUES
    ]
    assert cells[: len(VALUES)] == expected
    assert cells[len(VALUES) :] == [("text", b"a\xffb"), ("text", b"\xed\xa0\x80"), ("null", None)]
    assert found[-1][1] == {
        "a": ("null", None), "b": ("text", b"x"), "c": ("text", b"1"),
        "d": ("text", b"text"), "e": ("text", b"1,50"),
    }  # fmt: skip


def test_batches_hold_every_row_once_also_from_the_first_bad_text_on(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE many (t)")
    add(file, "INSERT INTO many VALUES (?)", ((f"row {number}",) for number in range(5000)))
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE many SET t = CAST(x'ff' AS TEXT) WHERE rowid IN (2500, 4000)")
    rows = [row for batch in open_copy(file, backups).batches("many") for row in batch]
    assert [row_id for row_id, _ in rows] == list(range(1, 5001))
    assert [text for _, text in rows if not text.startswith("row")] == ["\udcff", "\udcff"]
    assert rows[2498:2501] == [(2499, "row 2498"), (2500, "\udcff"), (2501, "row 2500")]


def test_large_values_come_in_small_batches(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE large (b)")
    add(file, "INSERT INTO large VALUES (?)", ((bytes(300_000),) for _ in range(40)))
    assert max(len(batch) for batch in open_copy(file, backups).batches("large")) <= 8


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        ("(id INTEGER PRIMARY KEY, x)", "(4, 'a'), (2, 'b')", [2, 4]),
        ("(nr INTEGER PRIMARY KEY, x)", "(4, 'a'), (2, 'b')", [2, 4]),
        ("(id INT PRIMARY KEY, x)", "(4, 'a'), (2, 'b')", [4, 2]),
        ("(id TEXT, x)", "('4', 'a'), ('2', 'b')", [4, 2]),
        ("(id REAL, x)", "(4, 'a'), (2, 'b')", [4, 2]),
        ("(id TEXT, x)", "('04', 'a'), ('2', 'b'), ('zwei', 'c')", [3, 2, 4]),
        ("(id, x)", "(4, 'a'), (NULL, 'b'), (4, 'c'), (x'34', 'd'), (2, 'e'), (9223372036854775807, 'f')",
         [4, 5, 6, 7, 2, 8]),
        ("(id, x)", "(NULL, 'a'), (-3, 'b')", [1, -3]),
        ("(a, x)", "(9, 'a'), (9, 'b')", [1, 2]),
        ("(rowid, oid, x)", "(9, 9, 'a'), (9, 9, 'b')", [1, 2]),
        ("(rowid, oid, _rowid_ PRIMARY KEY, x)", "(9, 9, 9, 'a'), (9, 9, 8, 'b')", [1, 2]),
        ("(id TEXT PRIMARY KEY, x) WITHOUT ROWID", "('b', 'a'), ('a', 'b')", [1, 2]),
        ("(id INTEGER PRIMARY KEY, x) WITHOUT ROWID", "(4, 'a'), (2, 'b')", [2, 4]),
        ("(a, x, PRIMARY KEY (x, a)) WITHOUT ROWID", "(1, 'b'), (2, 'a')", [1, 2]),
        ("(id, x)", "(1, 'only')", [1]),
    ],
)  # fmt: skip
def test_row_ids_are_unique_and_the_ids_that_others_refer_to(
    file: Path, backups: Path, table: str, rows: str, expected: list[int]
) -> None:
    make(file, f"CREATE TABLE odd {table}; CREATE INDEX by_x ON odd (x); INSERT INTO odd VALUES {rows}")
    source = open_copy(file, backups)
    assert ids(source, "odd") == expected
    assert [row[0] for batch in source.batches("odd") for row in batch] == expected
    assert source.tables["odd"].rows == len(expected)


def test_broken_rules_are_warnings_and_every_row_is_read(file: Path, backups: Path) -> None:
    make(
        file,
        "CREATE TABLE strict_once (id INTEGER PRIMARY KEY, a TEXT, b REAL)",
        "INSERT INTO strict_once VALUES (1, NULL, -5)",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE strict_once (id INTEGER PRIMARY KEY, a TEXT NOT NULL,"
        " b REAL CHECK (b >= 0))' WHERE name = 'strict_once'",
    )
    source = open_copy(file, backups)
    assert source.warnings
    assert ids(source, "strict_once") == [1]


def test_an_index_that_lost_rows_loses_none_here(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE t (x TEXT); CREATE INDEX by_x ON t (x); INSERT INTO t VALUES ('a'), ('b')")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET type = 'x' || type WHERE name = 'by_x'")
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = NULL, name = name WHERE 0")
        connection.execute("INSERT INTO t VALUES ('c')")
        connection.execute("UPDATE sqlite_master SET type = 'index' WHERE type = 'xindex'")
    source = open_copy(file, backups)
    assert ids(source, "t") == [1, 2, 3]
    assert source.tables["t"].rows == 3


def test_sort_orders_that_only_the_old_program_had(file: Path, backups: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.create_collation("GERMAN", lambda a, b: (a > b) - (a < b))
        connection.executescript("CREATE TABLE t (x TEXT COLLATE GERMAN); CREATE INDEX by_x ON t (x)")
        connection.executescript("INSERT INTO t VALUES ('b'), ('a')")
    make(file)
    assert ids(open_copy(file, backups), "t") == [1, 2]


def test_full_text_search_is_read_as_the_tables_behind_it(file: Path, backups: Path) -> None:
    try:
        make(file, "CREATE VIRTUAL TABLE found USING fts5(t); INSERT INTO found VALUES ('x')")
    except sqlite3.OperationalError:
        pytest.skip("this SQLite has no fts5")
    source = open_copy(file, backups)
    assert source.ignored == ("found",)
    assert source.tables["found_content"].rows == 1


@pytest.mark.parametrize("encoding", ["UTF-16le", "UTF-16be"])
def test_other_encodings(file: Path, backups: Path, encoding: str) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE first (x)")
    make(file)
    cells = next(iter(open_copy(file, backups).rows("guests")))[1]
    assert cells["nachname"] == ("text", "Straße".encode())


def test_damage_that_shows_only_while_reading(file: Path, backups: Path) -> None:
    make(file, "CREATE TABLE t (x)")
    add(file, "INSERT INTO t VALUES (?)", ((bytes(100),) for _ in range(2000)))
    source = open_copy(file, backups)
    content = bytearray(source.path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    source.path.write_bytes(content)
    with pytest.raises(BadSource, match=r"buchungen\.db ist beschädigt"):
        list(source.rows("t"))
