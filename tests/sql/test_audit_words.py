"""Every column that the audit log watches has its German word, or is bookkeeping."""

from __future__ import annotations

import asyncpg

from dpolg_tui.domain.audited import FIELDS, KINDS
from dpolg_tui.domain.labels import TABLES, field_label
from dpolg_tui.domain.words import SILENT, field_text
from tests.databases import TestDatabase

WATCHED = """
    SELECT c.relname AS name, array_agg(a.attname::text) AS columns
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE EXISTS (SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
                    WHERE t.tgrelid = c.oid AND p.proname = 'record_change')
     GROUP BY c.relname"""

KINDS_OF_COLUMNS = """
    SELECT c.relname AS name, a.attname AS column_name, y.typname AS kind
      FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid JOIN pg_type y ON y.oid = a.atttypid
     WHERE c.relnamespace IN ('app'::regnamespace, 'auth'::regnamespace)"""


async def test_every_watched_column_has_a_word(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        watched = {row["name"]: set(row["columns"]) for row in await connection.fetch(WATCHED)}
    finally:
        await connection.close()
    # What a function writes into the log, without a table that is watched.
    watched["login_settings"] = {"memory_kib", "iterations", "parallelism"}
    assert FIELDS.keys() == watched.keys() == {table for tables in KINDS.values() for table in tables}
    assert watched.keys() <= TABLES.keys()
    for table, columns in watched.items():
        assert columns - SILENT - set(FIELDS[table]) == set(), table
        assert set(FIELDS[table]) <= columns, table
        assert [name for name in FIELDS[table] if field_label(name, table) == name] == [], table


async def test_every_watched_value_is_written_in_german(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        kinds = {
            (row["name"], row["column_name"]): row["kind"] for row in await connection.fetch(KINDS_OF_COLUMNS)
        }
    finally:
        await connection.close()
    samples = {
        "date": ("2031-03-04", "04.03.2031"),
        "timestamptz": ("2031-03-04T11:00:00+00:00", "04.03.2031 12:00"),
        "numeric": (12.5, "12,5"),
        "bool": (True, "ja"),
    }
    for table, names in FIELDS.items():
        for name in names:
            if sample := samples.get(kinds.get((table, name), "")):
                value, words = sample
                assert field_text(name, value, {}).startswith(words), (table, name)
