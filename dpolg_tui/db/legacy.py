"""Reads of schema legacy, for admins: runs of the migration, quarantine, kept rows."""

from __future__ import annotations

from typing import Any

from dpolg_tui.db.connection import Database
from dpolg_tui.domain.legacy import LegacyEntry, LegacyRow, LegacyRun, LegacyTable, Place, cells

RUNS = "SELECT * FROM app.legacy_runs()"
TABLES = "SELECT * FROM app.legacy_tables()"
QUARANTINE = "SELECT * FROM app.legacy_quarantine($1, $2, $3)"
KEPT_ROWS = "SELECT * FROM app.legacy_kept_rows($1, $2, $3, $4)"


async def runs(database: Database) -> list[LegacyRun]:
    """All completed migrations, the first one first."""
    return [LegacyRun(*row) for row in await database.fetch(RUNS)]


async def tables(database: Database) -> list[LegacyTable]:
    """Old tables with rows in quarantine, then those with kept rows."""
    return [LegacyTable(Place(place), name, rows) for place, name, rows in await database.fetch(TABLES)]


async def quarantine(database: Database, searched: str, after: int | None, most: int) -> list[LegacyEntry]:
    """A page of the quarantine behind the cursor ``after``; ``searched``: words that are in it."""
    return [
        LegacyEntry(row["source_table"], row["source_id"], row["run_id"], row["sentence"], row["id"])
        for row in await database.fetch(QUARANTINE, searched, after, most)
    ]


async def kept_rows(
    database: Database, table: str, searched: str, after: int | None, most: int
) -> list[LegacyEntry]:
    """A page of the kept rows of an old table behind the cursor ``after``."""
    return [
        LegacyEntry(table, row["row_id"], row["run_id"], row["content"] or "", row["row_id"])
        for row in await database.fetch(KEPT_ROWS, table, searched, after, most)
    ]


async def row(database: Database, table: str, row_id: int) -> list[LegacyRow]:
    """All that is left of one old row."""
    found: list[dict[str, Any]] = await database.call("app.legacy_row", table, row_id)
    return [
        LegacyRow(Place(part["place"]), part["run_id"], part["sentence"], cells(part["data"]))
        for part in found
    ]
