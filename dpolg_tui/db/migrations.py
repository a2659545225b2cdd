"""Applies sql/: a new database (roles, schemas, schema, functions, hardening) and upgrades of an old one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
from dataclasses import dataclass
from typing import Any

import asyncpg

from dpolg_tui.db import errors, sql_files
from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.db.hosts import Hosts
from dpolg_tui.db.sql_files import SqlFile
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.settings import DatabaseSettings

log = logging.getLogger(__name__)

OWNER = "dpolg_owner"
CLIENT = "booking_user"
BACKUP = "dpolg_backup"
OLDEST_SERVER = 14
CONNECT_LIMIT = 15.0
"""Seconds."""

Target = str | DatabaseSettings
"""A DSN of a server of our own, or the settings of the user."""

_VERSION_TABLE = """
CREATE TABLE IF NOT EXISTS app.migrations (
    name text CONSTRAINT migrations_pkey PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)"""


class UnsuitableDatabaseError(DomainError):
    """Diese Datenbank eignet sich nicht für das Buchungssystem."""


class ChangedMigrationError(DomainError):
    """Eine schon angewandte Schemadatei wurde nachträglich verändert."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of checks.sql: something that must not be. ``kind`` is ``must`` or ``hardening``."""

    kind: str
    finding: str
    object: str


def scram_verifier(password: str, *, iterations: int = 4096, salt: bytes | None = None) -> str:
    """The SCRAM-SHA-256 verifier of a password: the password itself never travels in a statement."""
    salt = salt or os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    parts = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    salt_text, stored_text, server_text = parts
    return f"SCRAM-SHA-256${iterations}:{salt_text}${stored_text}:{server_text}"


async def initialise(
    database: Target,
    *,
    owner_password: str | None = None,
    booking_password: str | None = None,
    backup_password: str | None = None,
    admin: NewUser | None = None,
    managed: bool = False,
) -> list[str]:
    """Make roles, schemas, schema and the first admin in an empty database; returns what stays open.

    ``database`` is reached as a superuser (``managed``: as a role that may create roles and extensions).
    Existing roles are reused; a password of None leaves theirs as it is.
    """
    connection = await connect(database)
    open_points = _collect_notices(connection)
    try:
        await _check_suitable(connection, managed=managed)
        passwords = {OWNER: owner_password, CLIENT: booking_password, BACKUP: backup_password}
        async with connection.transaction():
            await make_roles(connection, passwords, managed=managed)
            await _make_schemas(connection)
        await _upgrade(connection, apply_functions=True)
        if admin is not None:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL ROLE {OWNER}")
                await create_user(connection, admin)
    finally:
        await connection.close()
    return open_points


async def missing_roles(database: Target) -> set[str]:
    """Those of our three roles that the server does not have yet: they will need a password."""
    connection = await connect(database)
    try:
        existing = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    finally:
        await connection.close()
    return {OWNER, CLIENT, BACKUP} - existing


async def upgrade(database: Target, *, only_schema_up_to: int | None = None) -> list[str]:
    """Apply outstanding files under a lock on the version table, in one transaction; returns their names.

    Five at once apply everything once. ``only_schema_up_to`` stops after that schema file, without
    functions: for the test that an upgraded database equals a fresh one.
    """
    connection = await connect(database)
    try:
        if not await connection.fetchval("SELECT to_regnamespace('app') IS NOT NULL"):
            raise UnsuitableDatabaseError(
                "In dieser Datenbank ist noch kein Buchungssystem: bitte init-db ausführen."
            )
        return await _upgrade(connection, apply_functions=only_schema_up_to is None, up_to=only_schema_up_to)
    finally:
        await connection.close()


async def outstanding(database: Target) -> list[str]:
    """Names of the files that ``upgrade`` would apply; changed schema files are its to complain about."""
    connection = await connect(database)
    try:
        if not await connection.fetchval("SELECT to_regclass('app.migrations') IS NOT NULL"):
            return []
        async with connection.transaction():
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            rows = await connection.fetch("SELECT name, checksum FROM app.migrations")
    finally:
        await connection.close()
    known = {row["name"]: row["checksum"] for row in rows}
    schema = [file.name for file in sql_files.schema_files() if file.name not in known]
    return schema + [
        file.name for file in sql_files.function_files() if known.get(file.name) != file.checksum
    ]


async def harden(database: Target) -> list[str]:
    """Run hardening.sql (idempotent); returns what only a superuser could close and stays open."""
    connection = await connect(database)
    open_points = _collect_notices(connection)
    try:
        await connection.execute(sql_files.read("hardening.sql"))
    finally:
        await connection.close()
    return open_points


async def findings(database: Target) -> list[Finding]:
    """The rows of checks.sql: none in a healthy database."""
    connection = await connect(database)
    try:
        return [Finding(*row) for row in await connection.fetch(sql_files.read("checks.sql"))]
    finally:
        await connection.close()


async def connect(database: Target) -> Any:
    """A connection for the owner's work; the caller closes it. Raises domain errors."""
    if isinstance(database, str):
        return await asyncpg.connect(database, timeout=CONNECT_LIMIT)
    try:
        return await Hosts(database).connect()
    except errors.DRIVER_ERRORS as error:
        raise errors.connect_error(error, database.address) from None


async def _check_suitable(connection: Any, *, managed: bool) -> None:
    version = connection.get_server_version().major
    if version < OLDEST_SERVER:
        raise UnsuitableDatabaseError(
            f"PostgreSQL {version} ist zu alt: gebraucht wird {OLDEST_SERVER} oder neuer."
        )
    row = await connection.fetchrow(
        "SELECT current_setting('server_encoding') AS encoding, lower('Ä') AS lower_case,"
        " (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,"
        " to_regclass('app.migrations') IS NOT NULL AS initialised,"
        " to_regnamespace('app') IS NOT NULL OR to_regnamespace('auth') IS NOT NULL AS occupied,"
        " current_database() AS name"
    )
    if row["encoding"] != "UTF8" or row["lower_case"] != "ä":
        raise UnsuitableDatabaseError(
            f"Die Datenbank {row['name']} kennt keine deutschen Kleinbuchstaben: bitte mit UTF8 und einer"
            " deutschen oder C.UTF-8-Sortierung neu anlegen (CREATE DATABASE … TEMPLATE template0"
            " ENCODING 'UTF8' LOCALE 'C.UTF-8')."
        )
    if row["initialised"]:
        raise UnsuitableDatabaseError(
            f"Die Datenbank {row['name']} ist schon eingerichtet: upgrade-db bringt sie auf den neuen Stand."
        )
    if row["occupied"]:
        raise UnsuitableDatabaseError(
            f"Die Datenbank {row['name']} ist nicht leer (Schema app oder auth): bitte eine neue anlegen."
        )
    if not row["superuser"] and not managed:
        raise UnsuitableDatabaseError(
            "init-db braucht einen Superuser; auf einem gemieteten Server hilft --managed (siehe --help)."
        )


async def make_roles(connection: Any, passwords: dict[str, str | None], *, managed: bool) -> None:
    """Our three roles and their memberships, in the caller's transaction; None leaves a password as it is."""
    existing = {row[0] for row in await connection.fetch("SELECT rolname FROM pg_roles")}
    for role, password in passwords.items():
        if role not in existing:
            # Another init-db on the same server may make the role at the same moment.
            await connection.execute(
                f"DO $$ BEGIN CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE;"
                " EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
            )
        if password is not None:
            verifier = scram_verifier(password)
            await connection.execute(f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'")
    if not managed:
        await connection.execute(f"ALTER ROLE {BACKUP} BYPASSRLS")
        await connection.execute(f"GRANT pg_read_all_data TO {BACKUP}")
    await connection.execute(f"GRANT {BACKUP} TO {OWNER}")
    if managed:
        await connection.execute(f"GRANT {OWNER} TO CURRENT_USER")


async def _make_schemas(connection: Any) -> None:
    await connection.execute(
        f"""
        CREATE SCHEMA ext;
        CREATE EXTENSION btree_gist SCHEMA ext;
        CREATE EXTENSION pg_trgm SCHEMA ext;
        GRANT USAGE ON SCHEMA ext TO {OWNER};
        CREATE SCHEMA app AUTHORIZATION {OWNER};
        CREATE SCHEMA auth AUTHORIZATION {OWNER};
        CREATE SCHEMA legacy AUTHORIZATION {OWNER};
        ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
        """
    )


async def _upgrade(connection: Any, *, apply_functions: bool, up_to: int | None = None) -> list[str]:
    applied: list[str] = []
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        if not await connection.fetchval("SELECT to_regclass('app.migrations') IS NOT NULL"):
            await connection.execute(_VERSION_TABLE)
        # Conflicts with itself, not with readers: others wait here and find everything done.
        await connection.execute("LOCK TABLE app.migrations IN SHARE ROW EXCLUSIVE MODE")
        known: dict[str, str] = {
            row["name"]: row["checksum"]
            for row in await connection.fetch("SELECT name, checksum FROM app.migrations")
        }
        for number, file in enumerate(sql_files.schema_files(), start=1):
            if up_to is not None and number > up_to:
                break
            if file.name not in known:
                await _apply(connection, file, applied)
            elif known[file.name] != file.checksum:
                raise ChangedMigrationError(
                    f"{file.name} wurde nach dem Anwenden verändert: bitte die Programmversion prüfen."
                )
        if apply_functions:
            outdated = [file for file in sql_files.function_files() if known.get(file.name) != file.checksum]
            for file in outdated:
                await _apply(connection, file, applied)
        await connection.execute("RESET ROLE")
        await connection.execute(sql_files.read("hardening.sql"))
    return applied


async def _apply(connection: Any, file: SqlFile, applied: list[str]) -> None:
    await connection.execute(file.text)
    await connection.execute(
        "INSERT INTO app.migrations (name, checksum) VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = now()",
        file.name,
        file.checksum,
    )
    applied.append(file.name)
    log.info("applied %s", file.name)


def _collect_notices(connection: Any) -> list[str]:
    """What hardening.sql reports as open, as it comes."""
    open_points: list[str] = []

    def listen(_connection: object, message: Any) -> None:
        text = str(getattr(message, "message", ""))
        if text.startswith("offen: "):
            open_points.append(text.removeprefix("offen: "))

    connection.add_log_listener(listen)
    return open_points
