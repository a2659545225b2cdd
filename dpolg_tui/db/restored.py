"""The database's side of a restore: a new database, what it holds, and the end of the sessions in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import asyncpg

from dpolg_tui.db import backups, errors, fingerprints, migrations
from dpolg_tui.db.backups import Entry
from dpolg_tui.db.fingerprints import TableMark
from dpolg_tui.db.migrations import OWNER, Finding, connect
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.settings import DatabaseSettings

_NO_SUCH_LOCALE = ("22023", "42809", "42601", "0A000", "42704", "58P01")
"""What CREATE DATABASE says of a sort order or of an option that this server does not have."""

_BALLAST = "public.dpolg_restore_ballast"


class CannotRestore(DomainError):  # noqa: N818 - named like the domain's errors
    """Hier lässt sich nicht wiederherstellen."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a server is before anything is written."""

    major: int
    superuser: bool
    databases: frozenset[str]
    data_directory: str


@asynccontextmanager
async def maintenance(server: DatabaseSettings) -> AsyncIterator[Any]:
    """A connection for work on databases as a whole, without time limits."""
    connection = await connect(server)
    try:
        try:
            await connection.execute(
                "SET statement_timeout = 0; SET lock_timeout = '60s';"
                " SET application_name = 'dpolg-tui restore'"
            )
            yield connection
        except errors.DRIVER_ERRORS as error:
            raise errors.translate(error) from None
    finally:
        await connection.close()


async def look_at(server: DatabaseSettings) -> Server:
    """The server as it is now."""
    async with maintenance(server) as connection:
        superuser = await connection.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
        rows = await connection.fetch("SELECT datname FROM pg_database")
        directory = await connection.fetchval("SHOW data_directory") if superuser else ""
        return Server(
            connection.get_server_version().major, superuser, frozenset(row[0] for row in rows), directory
        )


async def create(server: DatabaseSettings, name: str, collation: Mapping[str, str | None]) -> None:
    """A new database that nobody else may enter yet, sorted as the old one if this server can."""
    async with maintenance(server) as connection:
        for options in _localities(collation):
            try:
                await connection.execute(
                    f"CREATE DATABASE {_quoted(name)} TEMPLATE template0 ENCODING 'UTF8' {options}"
                )
            except asyncpg.PostgresError as error:
                if error.sqlstate not in _NO_SUCH_LOCALE:
                    raise
            else:
                break
        else:
            raise CannotRestore("Dieser Server kann keine Datenbank mit UTF-8 anlegen.")
        await connection.execute(f"REVOKE ALL ON DATABASE {_quoted(name)} FROM PUBLIC")


async def rename(server: DatabaseSettings, name: str, final: str) -> None:
    """Give a database its final name; raises CannotRestore if that was taken meanwhile."""
    async with maintenance(server) as connection:
        try:
            await connection.execute(f"ALTER DATABASE {_quoted(name)} RENAME TO {_quoted(final)}")
        except asyncpg.DuplicateDatabaseError:
            raise CannotRestore(
                f"Eine Datenbank {final} gibt es inzwischen: bitte mit --into einen anderen Namen nennen."
            ) from None


async def take_ballast(database: DatabaseSettings) -> None:
    """Occupy 16 MB that ``drop`` gives back first.

    Dropping a database begins with a checkpoint, and one that finds no room at all ends the whole server.
    In one transaction: where there is no room for it, the part that was taken goes at once.
    """
    async with maintenance(database) as connection, connection.transaction():
        await connection.execute(f"CREATE TABLE {_BALLAST} (filling text)")
        await connection.execute(f"ALTER TABLE {_BALLAST} ALTER filling SET STORAGE PLAIN")
        await connection.execute(
            f"INSERT INTO {_BALLAST} SELECT repeat('x', 8000) FROM generate_series(1, 2048)"  # noqa: S608
        )


async def drop(server: DatabaseSettings, name: str) -> None:
    """Remove a database that we have made, if it is there."""
    if name not in (await look_at(server)).databases:
        return
    async with maintenance(replace(server, database=name)) as connection:
        await connection.execute(f"DROP TABLE IF EXISTS {_BALLAST}")
    async with maintenance(server) as connection:
        await connection.execute(f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)")


async def make_roles(server: DatabaseSettings, passwords: Mapping[str, str | None]) -> None:
    """Our three roles where they are missing; a password of None leaves theirs as it is."""
    async with maintenance(server) as connection, connection.transaction():
        await migrations.make_roles(connection, dict(passwords), managed=False)


async def drop_roles(server: DatabaseSettings, roles: Collection[str]) -> None:
    """Remove roles that we have made, as far as they are there."""
    async with maintenance(server) as connection, connection.transaction():
        for role in sorted(roles):
            await connection.execute(f"DROP ROLE IF EXISTS {_quoted(role)}")


async def marks(database: DatabaseSettings) -> dict[str, TableMark]:
    """What the restored tables hold, before anything in them is changed."""
    async with maintenance(database) as connection, connection.transaction(readonly=True):
        return await fingerprints.take(connection)


async def finish(database: DatabaseSettings, entry: Entry) -> list[Finding]:
    """Bring schema and privileges up to date, end old sessions, note the restore; rows of checks.sql."""
    await migrations.upgrade(database)
    async with maintenance(database) as connection:
        await connection.execute(f"DROP TABLE {_BALLAST}")
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            await connection.execute("SELECT auth.after_restore()")
            await backups.record(connection, entry)
        behind = await fingerprints.sequences_behind(connection)
        # A dump may bring no statistics; without them the first searches are slow.
        await connection.execute("ANALYZE")
    late = [Finding("must", "sequence behind its table", name) for name in behind]
    return late + await migrations.findings(database)


def _localities(collation: Mapping[str, str | None]) -> list[str]:
    """Ways to say the old sort order, then one that every server has, then the server's own."""
    provider, locale = collation.get("provider"), collation.get("locale")
    both = " ".join(
        f"{name} {_literal(value)}"
        for name, value in (("LC_COLLATE", collation.get("collate")), ("LC_CTYPE", collation.get("ctype")))
        if value
    )
    ways = []
    if provider == "b" and locale:
        ways.append(f"LOCALE_PROVIDER builtin BUILTIN_LOCALE {_literal(locale)} {both}")
    elif provider == "i" and locale:
        ways.append(f"LOCALE_PROVIDER icu ICU_LOCALE {_literal(locale)} {both}")
    elif provider == "c" and both:
        ways.append(f"LOCALE_PROVIDER libc {both}")
    if both:
        ways.append(both)
    return [*ways, "LOCALE 'C.UTF-8'", ""]


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'


def _literal(text: str) -> str:
    doubled = text.replace("'", "''")
    return f"'{doubled}'"
