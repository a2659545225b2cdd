"""SQLite queries in PostgreSQL's words."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import TestDatabase
from tools.convert_sql import IDENTITY, convert_query, still_sqlite
from tools.legacy_files.schema import BY_NAME
from tools.legacy_names import BOOLEANS, IMPOSSIBLE, OVERVIEW, OVERVIEW_COLUMNS, TABLES
from tools.rename_sql import rename

TOOL = Path(__file__).parents[2] / "tools" / "convert_sql.py"


@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        # Literally the plan's.
        ("?1, ?2, ?3", "$1, $2, $3"),
        ("INTEGER PRIMARY KEY AUTOINCREMENT", IDENTITY),
        ("INTEGER PRIMARY KEY", IDENTITY),
        ("datetime('now')", "CURRENT_TIMESTAMP"),
        ("price REAL", "price DOUBLE PRECISION"),
        (
            "INSERT INTO bookings (guest_id, room_id) VALUES (?1, ?2)",
            "INSERT INTO bookings (guest_id, room_id) VALUES ($1, $2)",
        ),
        (
            "INSERT INTO bookings (guest_id, room_id, checkin_date) VALUES (?1, ?2, ?3)",
            "INSERT INTO bookings (guest_id, room_id, checkin_date) VALUES ($1, $2, $3)",
        ),
        # Pieces, by our rules alone.
        ("id integer  primary key,", f"id {IDENTITY},"),
        ("price REAL NOT NULL", "price DOUBLE PRECISION NOT NULL"),
        ("reality REALM real_price", "reality REALM real_price"),
        ("DEFAULT (DATETIME( 'now' ))", "DEFAULT (CURRENT_TIMESTAMP)"),
        ("strftime('%Y-%m', b.checkin_date)", "to_char(b.checkin_date, 'YYYY-MM')"),
        ("strftime('%d.%m.%Y %H:%M:%S', 'now')", "to_char(CURRENT_TIMESTAMP, 'DD.MM.YYYY HH24:MI:SS')"),
        # Statements, with sqlglot.
        ("SELECT ?, ?3, ?, ?1", "SELECT $1, $3, $4, $1"),
        (
            "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, p REAL, d TEXT DEFAULT (datetime('now')))",
            f"CREATE TABLE t (id {IDENTITY}, p DOUBLE PRECISION, d TEXT DEFAULT (CURRENT_TIMESTAMP))",
        ),
        (
            "SELECT strftime('%Y', 'now'), date('now')",
            "SELECT to_char(CURRENT_TIMESTAMP, 'YYYY'), CURRENT_DATE",
        ),
        ("SELECT strftime('%m', date(x)), real FROM t", "SELECT to_char(DATE(x), 'MM'), real FROM t"),
        (
            "SELECT ifnull(a, b), group_concat(c, ', '), `d e`, [f] FROM t LIMIT 5, 10",
            'SELECT COALESCE(a, b), STRING_AGG(c, \', \'), "d e", "f" FROM t LIMIT 10 OFFSET 5',
        ),
        ("INSERT OR IGNORE INTO t (a) VALUES (?)", "INSERT INTO t (a) VALUES ($1) ON CONFLICT DO NOTHING"),
        ("SELECT strftime('%Y', a, '+1 day')", "SELECT STRFTIME('%Y', a, '+1 day')"),
        ("SELECT 1; SELECT ?2;", "SELECT 1;\nSELECT $2"),
    ],
)
def test_what_is_converted(sqlite: str, postgresql: str) -> None:
    assert convert_query(sqlite) == postgresql


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'Wirklich?1 REAL und datetime(now)'",
        "SELECT 'O''Neil?', \"a ?1 REAL\"",
        "SELECT 1 /* INTEGER PRIMARY KEY ?2 */",
        "SELECT /* offen ?1",
        "SELECT strftime('%s', created_at)",
        "SELECT :name, @other",
        "PRAGMA foreign_keys = ON",
        "SELECT ((",
    ],
)
def test_what_stays(query: str) -> None:
    assert convert_query(query) == query


@given(st.text(alphabet="ab'?\"1 REAL-/*\n"))
def test_text_in_a_literal_is_never_touched(text: str) -> None:
    literal = "'" + text.replace("'", "''") + "'"
    assert convert_query(f"SELECT {literal}, ?1") == f"SELECT {literal}, $1"


def test_what_is_left_to_do_is_named() -> None:
    query = (
        "INSERT OR REPLACE INTO t SELECT ifnull(a, 'GLOB'), julianday(b), :name, strftime('%s', c) -- PRAGMA"
    )
    assert still_sqlite(convert_query(query)) == [
        "INSERT OR REPLACE",
        "julianday",
        ":name",
        "strftime",
    ]
    assert still_sqlite("SELECT a::text, ':b' FROM t") == []


def test_as_a_command() -> None:
    def run(query: str, *options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, TOOL, *options]
        return subprocess.run(command, input=query, capture_output=True, text=True, check=False)

    done = run("SELECT nachname FROM guests WHERE id = ?1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "SELECT last_name AS nachname FROM app.guests WHERE id = $1"
    kept = run("SELECT nachname FROM guests WHERE id = ?1", "--keep-names")
    assert kept.stdout == "SELECT nachname FROM guests WHERE id = $1"
    left = run("SELECT julianday(bezahlt_am) FROM bookings")
    assert left.returncode == 1
    assert left.stderr.splitlines() == [
        "still SQLite: julianday",
        "no counterpart: bookings.bezahlt_am: app.payments (amount, paid_on, method)",
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "SELECT g.vorname, b.checkin_date FROM bookings b JOIN guests g ON g.id = b.guest_id "
            "WHERE g.dpolg_mitglied = 1",
            "SELECT g.first_name AS vorname, b.checkin_date FROM app.booking_overview AS b "
            "JOIN app.guests AS g ON g.id = b.guest_id WHERE g.is_member = TRUE",
        ),
        ("UPDATE guests SET telefon = $1 WHERE id = $2", "UPDATE app.guests SET phone = $1 WHERE id = $2"),
        (
            "INSERT INTO guests (vorname, nachname) VALUES ($1, $2)",
            "INSERT INTO app.guests (first_name, last_name) VALUES ($1, $2)",
        ),
        (
            "SELECT COUNT(*) FROM guests WHERE id IN "
            "(SELECT guest_id FROM guest_companions WHERE vorname = $1)",
            "SELECT COUNT(*) FROM app.guests WHERE id IN "
            "(SELECT guest_id FROM app.companions WHERE first_name = $1)",
        ),
        ("SELECT rooms.ort AS o FROM rooms", "SELECT rooms.place AS o FROM app.rooms"),
        (
            "SELECT email_logs.recipient_email FROM email_logs",
            "SELECT email_log.recipient AS recipient_email FROM app.email_log",
        ),
        (
            "WITH x AS (SELECT id FROM rooms) SELECT id FROM x",
            "WITH x AS (SELECT id FROM app.rooms) SELECT id FROM x",
        ),
    ],
)
def test_old_names_become_new_ones(old: str, new: str) -> None:
    renamed = rename(old)
    assert (renamed.query, renamed.impossible) == (new, [])


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("SELECT gesamtpreis FROM bookings", "bookings.gesamtpreis: a line of app.price_lines"),
        ("INSERT INTO bookings (guest_id, room_id) VALUES ($1, $2)", "bookings.room_id: a stay in app.occ"),
        ("SELECT * FROM discounts", "discounts: lines of app.price_lines with kind 'discount'"),
        ("SELECT 1 FROM wetter", "wetter: no table of the old program"),
        ("SELECT haustier FROM guests", "haustier: no column of the tables"),
        ("SELECT id FROM guests, rooms", "id: could be of guests or rooms"),
        ("CREATE TABLE guests (id INT)", "a statement that makes or changes tables"),
        ("SELECT ((", "the query cannot be read"),
    ],
)
def test_what_has_no_counterpart_is_named_and_the_query_stays(query: str, named: str) -> None:
    renamed = rename(query)
    assert renamed.query == query
    assert len(renamed.impossible) == 1
    assert renamed.impossible[0].startswith(named)


def test_every_old_name_has_an_answer() -> None:
    assert TABLES.keys() | IMPOSSIBLE.keys() == BY_NAME.keys()
    for old, (_, columns) in TABLES.items():
        assert columns.keys() == {column.name for column in BY_NAME[old].columns}, old


async def test_every_new_name_is_there(database: TestDatabase) -> None:
    there = await asyncpg.connect(database.superuser_dsn)
    try:
        rows = await there.fetch(
            "SELECT table_name, column_name, data_type FROM information_schema.columns"
            " WHERE table_schema = 'app'"
        )
    finally:
        await there.close()
    types = {(row["table_name"], row["column_name"]): row["data_type"] for row in rows}
    for new, columns in TABLES.values():
        for column in columns.values():
            if not column.startswith("!"):
                assert (new, column) in types
                assert (types[new, column] == "boolean") == (column in BOOLEANS), (new, column)
    assert {(OVERVIEW, column) for column in OVERVIEW_COLUMNS} <= types.keys()


async def test_both_databases_take_it_and_agree(empty_database: TestDatabase) -> None:
    table = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, price REAL, note TEXT)"
    insert = "INSERT INTO t (note, price) VALUES (?2, ?1)"
    query = "SELECT id, price, note || ' ?1 REAL' FROM t WHERE price > ?1 ORDER BY id"
    old = sqlite3.connect(":memory:")
    try:
        old.execute(table)
        old.execute(insert, (12.5, "a"))
        expected = old.execute(query, (1,)).fetchall()
    finally:
        old.close()
    new = await asyncpg.connect(empty_database.superuser_dsn)
    try:
        await new.execute(convert_query(table))
        await new.execute(convert_query(insert), 12.5, "a")
        rows = await new.fetch(convert_query(query), 1.0)
    finally:
        await new.close()
    assert [tuple(row) for row in rows] == expected == [(1, 12.5, "a ?1 REAL")]
