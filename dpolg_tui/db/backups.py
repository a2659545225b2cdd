"""What a backup asks the database, and the line it leaves there about itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from dpolg_tui.db import errors
from dpolg_tui.db.migrations import BACKUP, Target, connect
from dpolg_tui.domain.errors import DomainError

Kind = Literal["backup", "copy", "verification", "restore"]

_NOTE_LONGEST = 500
# Its desks' limits are wrong for a backup: it takes as long as it takes.
_PATIENT = """
SET statement_timeout = 0; SET lock_timeout = '60s'; SET idle_in_transaction_session_timeout = 0;
SET application_name = 'dpolg-tui backup'"""


class CannotBackUp(DomainError):  # noqa: N818 - named like the domain's errors
    """Diese Datenbank lässt sich so nicht sichern."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a database is: its server, size in bytes, place in the history of the schema, and sort order."""

    database: str
    instance_id: str
    server_version: str
    server_major: int
    schema_version: int
    bytes: int
    collation: dict[str, str | None]
    """``provider`` (c, i, b; None before PostgreSQL 15), ``collate``, ``ctype``, ``locale``."""
    moment: datetime
    """When the snapshot was taken, by the server's clock."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the history. ``file`` is a name without directory; ``seconds`` is what it took."""

    kind: Kind
    ok: bool
    seconds: float
    file: str | None = None
    bytes: int | None = None
    sha256: str | None = None
    note: str | None = None


@asynccontextmanager
async def as_backup_role(database: Target) -> AsyncIterator[Any]:
    """A connection that reads everything. Raises CannotBackUp, Unreachable and the other domain errors."""
    connection = await connect(database)
    try:
        try:
            await connection.execute(_PATIENT)
            await _take_role(connection)
            yield connection
        except errors.DRIVER_ERRORS as error:
            raise errors.translate(error) from None
    finally:
        await connection.close()


async def _take_role(connection: Any) -> None:
    row = await connection.fetchrow(
        "SELECT to_regclass('app.migrations') IS NOT NULL AS initialised,"
        " (SELECT r.rolbypassrls FROM pg_roles r WHERE r.rolname = $1::text) AS bypasses,"
        " coalesce(pg_has_role(current_user, to_regrole($1::text), 'MEMBER'), false) AS member,"
        " current_user AS me, current_database() AS database",
        BACKUP,
    )
    if not row["initialised"]:
        raise CannotBackUp(
            f"In der Datenbank {row['database']} ist kein Buchungssystem: bitte [database] database prüfen."
        )
    if not row["member"]:
        raise CannotBackUp(f"{row['me']} darf nicht sichern: bitte als {BACKUP} oder dpolg_owner verbinden.")
    if not row["bypasses"]:
        raise CannotBackUp(
            f"Die Rolle {BACKUP} darf hier nicht alles lesen (BYPASSRLS fehlt, üblich bei gemieteten "
            "Datenbanken): bitte die Sicherung des Anbieters benutzen, siehe docs/backup.md."
        )
    await connection.execute(f"SET ROLE {BACKUP}")


async def facts(connection: Any) -> Facts:
    """What this database is, in the caller's transaction."""
    row = await connection.fetchrow(
        "SELECT current_database() AS database, (SELECT i.instance_id::text FROM app.installation i),"
        " split_part(current_setting('server_version'), ' ', 1) AS server_version,"
        " current_setting('server_version_num')::integer / 10000 AS server_major,"
        " (SELECT max(substring(m.name FROM '^schema/(\\d+)_')::integer) FROM app.migrations m)"
        " AS schema_version,"
        " pg_database_size(d.oid) AS bytes, d.datcollate AS collate, d.datctype AS ctype,"
        # Columns that only newer versions have.
        " to_jsonb(d) ->> 'datlocprovider' AS provider,"
        " coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale, now() AS moment"
        "  FROM pg_database d WHERE d.datname = current_database()"
    )
    return Facts(
        database=row["database"],
        instance_id=row["instance_id"],
        server_version=row["server_version"],
        server_major=row["server_major"],
        schema_version=row["schema_version"],
        bytes=row["bytes"],
        collation={name: row[name] for name in ("provider", "collate", "ctype", "locale")},
        moment=row["moment"],
    )


async def record(connection: Any, entry: Entry) -> bool:
    """Write the line; False where the schema is older than the history."""
    known = await connection.fetchval(
        "SELECT to_regprocedure('app.record_backup(text,text,bigint,text,boolean,text,numeric)') IS NOT NULL"
    )
    if not known:
        return False
    await connection.execute(
        "SELECT app.record_backup($1, $2, $3, $4, $5, $6, $7::double precision::numeric)",
        entry.kind,
        entry.file,
        entry.bytes,
        entry.sha256,
        entry.ok,
        _note(entry.note),
        entry.seconds,
    )
    return True


def _note(text: str | None) -> str | None:
    if not text:
        return None
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return plain[:_NOTE_LONGEST] or None
