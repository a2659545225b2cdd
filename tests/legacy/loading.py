"""The simplest staging there is, to test the mapping alone; and a run around it."""

from __future__ import annotations

import base64
import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from dpolg_tui.legacy import mapping
from dpolg_tui.legacy.options import Options, silent

Rows = Mapping[str, Sequence[Mapping[str, object]]]


def read_file(path: Path) -> dict[str, list[dict[str, object]]]:
    """All rows of all tables; text that is not UTF-8 as str with surrogates."""
    connection = sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda stored: stored.decode("utf-8", "surrogateescape")
    connection.row_factory = sqlite3.Row
    names = [
        row[0]
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    ]
    rows = {name: [dict(row) for row in connection.execute(f'SELECT * FROM "{name}"')] for name in names}
    connection.close()
    return rows


def cell(value: object) -> list[str | None]:
    """[storage class, text]"""
    match value:
        case None:
            return ["null", None]
        case bool() | int():
            return ["integer", str(int(value))]
        case float():
            return ["real", repr(value)]
        case bytes():
            return ["blob", base64.b64encode(value).decode()]
        case str():
            stored = value.encode("utf-8", "surrogateescape")
            try:
                stored.decode()
            except UnicodeDecodeError:
                return ["text64", base64.b64encode(stored).decode()]
            if "\0" in value:
                return ["text64", base64.b64encode(stored).decode()]
            return ["text", value]
    raise TypeError(type(value))


async def stage(connection: asyncpg.Connection[Any], rows: Rows) -> int:
    """Start a run and put the rows into the staging; the id of the run."""
    run_id: int = await connection.fetchval(
        "INSERT INTO legacy.runs (source_sha256, program_version) VALUES ($1, 'test') RETURNING id", "0" * 64
    )
    await connection.execute("TRUNCATE legacy.source_rows")
    for table, table_rows in rows.items():
        taken: set[int] = set()
        numbered = []
        for row in table_rows:
            row_id = row.get("id")
            if not isinstance(row_id, int) or row_id in taken:
                row_id = max(taken, default=0) + 1_000_000
            taken.add(row_id)
            data = json.dumps({name: cell(value) for name, value in row.items()})
            numbered.append((run_id, table, row_id, data))
        await connection.executemany("INSERT INTO legacy.source_rows VALUES ($1, $2, $3, $4::jsonb)", numbered)
    return run_id


@asynccontextmanager
async def owner(dsn: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection in a transaction of bulk work, as the migration has it."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute(
                "SET LOCAL app.bulk = 'on'; SET LOCAL app.actor = 'migrate-data'; SET LOCAL search_path = pg_catalog"
            )
            yield connection
    finally:
        await connection.close()


async def migrate(connection: asyncpg.Connection[Any], rows: Rows) -> int:
    """Stage and map."""
    run_id = await stage(connection, rows)
    await mapping.apply(connection, run_id, Options(file=Path("test.sqlite")), silent)
    return run_id
