"""The database that is to take the data: may we, does it fit, what is in it; and its locks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import asyncpg

from dpolg_tui.db import errors, sql_files
from dpolg_tui.db.hosts import Hosts
from dpolg_tui.domain.errors import Busy
from dpolg_tui.legacy.errors import UnsuitableTarget

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

OWNER = "dpolg_owner"
_LOCK_ATTEMPTS = 10

# What desks write. Readers go on; a writer waits and is told after its own limit that the house is busy.
_TABLES = """
    SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY c.oid)
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'app' AND c.relkind = 'r'
       AND c.relname NOT IN ('migrations', 'requests', 'audit_log', 'change_feed')
"""


@dataclass(frozen=True, slots=True)
class Target:
    """What was found in the database."""

    address: str
    database: str
    server_version: tuple[int, int]
    rooms: int
    guests: int
    bookings: int
    runs: int
    """Migrations that were completed here."""

    @property
    def is_empty(self) -> bool:
        return not (self.rooms or self.guests or self.bookings)


async def connect(settings: DatabaseSettings) -> Any:
    """A connection for hours of work by one statement, if need be."""
    try:
        connection = await Hosts(settings).connect(
            {
                "application_name": "dpolg-tui migrate-data",
                "statement_timeout": "0",
                "idle_in_transaction_session_timeout": "0",
                "lock_timeout": "30s",
                "DateStyle": "ISO, DMY",
                "TimeZone": "UTC",
                "bytea_output": "hex",
                "client_min_messages": "warning",
            }
        )
    except errors.DRIVER_ERRORS as error:
        raise errors.connect_error(error, settings.address) from None
    for setting in (
        # A statement of a command that was killed ends soon after, and its locks with it.
        "client_connection_check_interval = '2s'",
        "transaction_timeout = 0",
        "work_mem = '64MB'",
        "temp_buffers = '64MB'",
        "maintenance_work_mem = '128MB'",
    ):
        try:
            await connection.execute(f"SET {setting}")
        except (asyncpg.UndefinedObjectError, asyncpg.InvalidParameterValueError):
            continue  # a server or platform without it
    return connection


async def look_at(connection: Any, settings: DatabaseSettings) -> Target:
    """Check rights and schema; what is in the target."""
    row = await connection.fetchrow(
        "SELECT current_user::text AS me,"
        " EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS has_owner,"
        " CASE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
        "      THEN pg_has_role(current_user, $1, 'MEMBER') ELSE false END AS may,"
        " to_regclass('app.migrations') IS NOT NULL AS initialised",
        OWNER,
    )
    if row["initialised"] and not row["may"]:
        raise UnsuitableTarget(
            f"Die Rolle {row['me']} darf hier keine Daten übernehmen: bitte mit --dsn als {OWNER} "
            "oder als Superuser aufrufen."
        )
    if not row["initialised"]:
        raise UnsuitableTarget(
            f"In der Datenbank {settings.database} ist noch kein Buchungssystem: bitte zuerst "
            "init-db ausführen."
        )
    await connection.execute(f"SET ROLE {OWNER}")
    await _check_version(connection, settings.database)
    counts = await connection.fetchrow(
        "SELECT (SELECT count(*) FROM app.rooms), (SELECT count(*) FROM app.guests),"
        " (SELECT count(*) FROM app.bookings), (SELECT count(*) FROM legacy.runs)"
    )
    version = connection.get_server_version()
    return Target(settings.address, settings.database, (version.major, version.minor), *counts)


async def _check_version(connection: Any, database: str) -> None:
    known = {
        row["name"]: row["checksum"]
        for row in await connection.fetch("SELECT name, checksum FROM app.migrations")
    }
    ours = {file.name: file.checksum for file in (*sql_files.schema_files(), *sql_files.function_files())}
    ahead = [name for name in known if name.startswith("schema/") and name not in ours]
    if ahead:
        raise UnsuitableTarget(
            f"Das Schema der Datenbank {database} ist neuer als dieses Programm: bitte das Programm "
            "aktualisieren."
        )
    if any(known.get(name) != checksum for name, checksum in ours.items()):
        raise UnsuitableTarget(
            f"Das Schema der Datenbank {database} passt nicht zu diesem Programm: bitte zuerst "
            "upgrade-db ausführen."
        )


async def lock_runs(connection: Any) -> None:
    """One migration at a time: the second waits a little for the first."""
    try:
        await connection.execute("LOCK TABLE legacy.runs IN SHARE ROW EXCLUSIVE MODE")
    except asyncpg.LockNotAvailableError:
        raise Busy(
            "In diese Datenbank werden gerade schon Daten übernommen: bitte warten, bis das fertig ist."
        ) from None


async def lock_tables(connection: Any) -> None:
    """Keep open desks from writing until the end of the transaction; their reading goes on."""
    await lock(connection, await connection.fetchval(_TABLES), "SHARE ROW EXCLUSIVE")


async def lock(connection: Any, tables: str, mode: str) -> None:
    """Lock tables until the end of the transaction, as soon as those who work there let go of them."""
    await connection.execute("SET LOCAL lock_timeout = '3s'")
    for _ in range(_LOCK_ATTEMPTS):
        try:
            # In a savepoint, so that what was already locked is free again while we wait for the rest.
            async with connection.transaction():
                await connection.execute(f"LOCK TABLE {tables} IN {mode} MODE")
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(0.3)
        else:
            return
    raise Busy(
        "An den Arbeitsplätzen wird gerade geschrieben, und das hört nicht auf: bitte die Arbeitsplätze "
        "schließen und noch einmal aufrufen."
    )
