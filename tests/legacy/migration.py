"""Runs the command on a test database, and looks at what it left there."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dpolg_tui import cli
from dpolg_tui.legacy import mapping
from tests.databases import TestDatabase, run

WENT = ("migrated", "quarantined", "kept_in_legacy", "already_there", "changed_not_taken")


@dataclass(frozen=True, slots=True)
class Run:
    """What one call did."""

    code: int
    report: dict[str, Any] | None
    out: str = ""
    err: str = ""

    @property
    def tables(self) -> dict[str, dict[str, int]]:
        assert self.report is not None, self.err
        return self.report["tables"]


def arguments(
    database: TestDatabase, file: Path, folder: Path, *flags: str, dsn: str | None = None
) -> list[str]:
    """The command line of a call that asks nothing."""
    return [
        "migrate-data", str(file), "--dsn", dsn or database.owner_dsn, "--yes",
        "--backup-dir", str(folder / "backups"), "--report", str(folder / "report.json"), *flags,
    ]  # fmt: skip


def migrate(
    database: TestDatabase, file: Path, folder: Path, *flags: str, capsys: Any = None, dsn: str | None = None
) -> Run:
    """One call in this process."""
    folder.mkdir(exist_ok=True)
    path = folder / "report.json"
    path.unlink(missing_ok=True)
    code = cli.main(arguments(database, file, folder, *flags, dsn=dsn))
    captured = capsys.readouterr() if capsys else None
    return Run(
        code,
        json.loads(path.read_text("utf-8")) if path.exists() else None,
        captured.out if captured else "",
        captured.err if captured else "",
    )


def start(database: TestDatabase, file: Path, folder: Path, *flags: str) -> subprocess.Popen[str]:
    """One call in a process of its own; its lines come as it works."""
    folder.mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-m", "dpolg_tui", *arguments(database, file, folder, *flags)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def query(database: TestDatabase, sql: str, *parameters: object) -> list[asyncpg.Record]:
    """Rows, as the superuser sees them."""

    async def fetch() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database.superuser_dsn)
        try:
            return await connection.fetch(sql, *parameters)
        finally:
            await connection.close()

    return run(fetch)


def value(database: TestDatabase, sql: str, *parameters: object) -> Any:
    """One value."""
    return query(database, sql, *parameters)[0][0]


def execute(database: TestDatabase, *statements: str) -> None:
    """Statements of the superuser, in one session."""

    async def work() -> None:
        connection = await asyncpg.connect(database.superuser_dsn)
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    run(work)


def state(database: TestDatabase) -> dict[str, str]:
    """A fingerprint of every table and sequence: equal before and after means nothing changed."""
    tables = query(
        database,
        "SELECT format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind FROM pg_class c"
        " JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind IN ('r', 'S') ORDER BY 1",
    )
    found: dict[str, str] = {}
    for table in tables:
        if table["kind"] == "S":
            # An identity of the migration's own tables may leave a gap; those of the house may not.
            if table["name"].startswith("app."):
                found[table["name"]] = value(
                    database, f"SELECT last_value || ' ' || is_called FROM {table['name']}"
                )
        elif table["name"] != "auth.sessions":
            found[table["name"]] = value(
                database,
                "SELECT count(*) || ' ' || coalesce(md5(string_agg(md5(t::text), '' ORDER BY "
                "t::text)), '')"
                f" FROM {table['name']} t",
            )
    return found


@contextmanager
def source(path: Path) -> Iterator[sqlite3.Connection]:
    """The old file, to look into or to change."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def counts(path: Path) -> dict[str, int]:
    """Rows of every table, counted by SQLite."""
    with source(path) as connection:
        names = [
            row[0]
            for row in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            )
        ]
        quoted = {name: name.replace('"', '""') for name in names}
        return {
            name: connection.execute(f'SELECT count(*) FROM "{quoted[name]}"').fetchone()[0] for name in names
        }


def accounted(tables: Mapping[str, Mapping[str, int]]) -> None:
    """Every row that was read went somewhere."""
    for name, numbers in tables.items():
        went = sum(
            numbers[key]
            for key in ("migrated", "quarantined", "kept_in_legacy", "already_there", "changed_not_taken")
        )
        assert numbers["read"] == went, name


def move_away(monkeypatch: pytest.MonkeyPatch, guests: str) -> None:
    """From now on the mapping gives guests (an SQL condition) another town than the file has."""
    honest = mapping.apply

    async def dishonest(connection: Any, *rest: Any) -> None:
        await honest(connection, *rest)
        await connection.execute(f"UPDATE app.guests SET city = 'Anderswo' WHERE {guests}")

    monkeypatch.setattr(mapping, "apply", dishonest)
