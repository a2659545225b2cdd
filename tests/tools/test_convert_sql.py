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
from tools.convert_sql import convert_query, still_sqlite

TOOL = Path(__file__).parents[2] / "tools" / "convert_sql.py"


@pytest.mark.parametrize(
    ("sqlite", "postgresql"),
    [
        (
            "INSERT INTO bookings (guest_id, room_id) VALUES (?1, ?2)",
            "INSERT INTO bookings (guest_id, room_id) VALUES ($1, $2)",
        ),
        ("SELECT ?, ?3, ?, ?1", "SELECT $1, $3, $4, $1"),
        ("id INTEGER PRIMARY KEY AUTOINCREMENT", "id SERIAL PRIMARY KEY"),
        ("id integer  primary key,", "id SERIAL PRIMARY KEY,"),
        ("price REAL NOT NULL", "price DOUBLE PRECISION NOT NULL"),
        ("reality REALM real_price", "reality REALM real_price"),
        ("DEFAULT (datetime('now'))", "DEFAULT (CURRENT_TIMESTAMP)"),
        ("DATETIME( 'now' )", "CURRENT_TIMESTAMP"),
        ("strftime('%Y-%m', b.checkin_date)", "to_char(b.checkin_date, 'YYYY-MM')"),
        ("strftime('%d.%m.%Y %H:%M:%S', 'now')", "to_char(CURRENT_TIMESTAMP, 'DD.MM.YYYY HH24:MI:SS')"),
    ],
)
def test_what_is_converted(sqlite: str, postgresql: str) -> None:
    assert convert_query(sqlite) == postgresql


@pytest.mark.parametrize(
    "query",
    [
        "SELECT 'Wirklich?1 REAL und datetime(now)'",
        "SELECT 'O''Neil?', \"a ?1 REAL\", `b?`, [c REAL]",
        "SELECT 1 -- war es ?1 REAL\n",
        "SELECT /* INTEGER PRIMARY KEY ?2 */ 1",
        "SELECT /* offen ?1",
        "SELECT strftime('%s', created_at)",
        "SELECT strftime('%Y', created_at, '+1 day')",
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
        "ifnull",
        "julianday",
        ":name",
        "strftime",
    ]
    assert still_sqlite("SELECT a::text, ':b' FROM t") == []


def test_as_a_command() -> None:
    done = subprocess.run(
        [sys.executable, TOOL], input="SELECT ?1", capture_output=True, text=True, check=True
    )
    assert done.stdout == "SELECT $1"
    left = subprocess.run(
        [sys.executable, TOOL], input="SELECT ifnull(a, 1)", capture_output=True, text=True, check=False
    )
    assert (left.returncode, left.stderr) == (1, "still SQLite: ifnull\n")


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
