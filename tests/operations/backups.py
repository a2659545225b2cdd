"""What the tests of backups share: settings of a test database, and looking into two databases at once."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import asyncpg

from dpolg_tui.config import BackupSettings, DatabaseSettings, database_from_dsn
from dpolg_tui.db.restored import drop
from dpolg_tui.operations import restore as restoring
from dpolg_tui.operations.restore import Plan, Restored
from tests.databases import Server, TestDatabase

TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind = 'r' ORDER BY 1"""


def settings_of(dsn: str) -> DatabaseSettings:
    """As the command line makes them."""
    return database_from_dsn(f"{dsn}?sslmode=disable")


def backups_in(directory: Path, **values: object) -> BackupSettings:
    return replace(BackupSettings(directory=directory), **values)


async def contents(dsn: str) -> dict[str, str]:
    """Every row of every table, in its own order: what the manifest's hashes are compared with."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET timezone = 'UTC'")
        found = {}
        for [table] in await connection.fetch(TABLES):
            rows = await connection.fetch(f"SELECT t::text FROM {table} t ORDER BY 1")
            found[table] = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
        return found
    finally:
        await connection.close()


async def ask(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def databases(server: Server) -> set[str]:
    """Names of all databases of a server."""
    names = await ask(server.cluster.dsn(), "SELECT array_agg(datname::text) FROM pg_database")
    assert isinstance(names, list)
    return set(names)


class Restores:
    """Restores into new databases and drops them at the end."""

    def __init__(self) -> None:
        self._made: list[tuple[Server, str]] = []

    async def into(self, server: Server, dump: Path, name: str, *, unverified: bool = False) -> Restored:
        self._made.append((server, name))
        return await restoring.restore(settings_of(server.cluster.dsn()), Plan(dump, name, unverified))

    async def close(self) -> None:
        for server, name in self._made:
            await drop(settings_of(server.cluster.dsn()), name)


def sibling(database: TestDatabase, name: str, dsn: str) -> str:
    """The same address with another database."""
    return dsn.replace(f"/{database.name}", f"/{name}")
