"""Measures servers and database for ``dpolg-tui doctor`` and the screen „Zustand“."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import asyncpg

from dpolg_tui import __version__
from dpolg_tui.db import certificates, errors, sql_files
from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.db.hosts import Hosts
from dpolg_tui.db.migrations import OWNER
from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.health_figures import (
    Authority,
    DatabaseVersion,
    HostFigures,
    OpenTransaction,
    ProgramFigures,
    RoleConnections,
    ServerFigures,
    Slot,
    SlowStatement,
    Statistics,
    TableFigures,
    TlsFigures,
)
from dpolg_tui.settings import is_loopback

if TYPE_CHECKING:
    from pathlib import Path

    from dpolg_tui.settings import DatabaseSettings

HEALTH = call_sql("app.health", 0)
_ROUND_TRIPS = 5
_GREETING_LIMIT = 2.0
"""Seconds, for a server that is known to answer on this machine."""
_EVERYWHERE = {"*": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared, not bound
_NO_SCHEMA = ("3F000", "42883", "42P01")
_NO_HOUSE = "In dieser Datenbank ist kein Buchungssystem."
_DAMAGED_STATES = ("XX001", "XX002")
_DAMAGED = (
    "Daten auf dem Server sind beschädigt: bitte die Platte prüfen und aus der letzten guten Sicherung in "
    "eine neue Datenbank wiederherstellen (docs/backup.md)."
)

T = TypeVar("T")


Clock = Callable[[], datetime]


def now() -> datetime:
    """The clock of this computer."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """What one connection told; what it did not, with the reason. ``clock_offset`` in seconds."""

    clock_offset: float | None = None
    database: DatabaseVersion | None = None
    no_database: str = ""
    findings: tuple[str, ...] | None = None
    no_findings: str = ""
    server: ServerFigures | None = None
    why: str = ""
    failed: str = ""
    """The first thing that went wrong and must not; the reasons above may be others."""


def program() -> ProgramFigures:
    """This program and the files it brings."""
    files = (*sql_files.schema_files(), *sql_files.function_files())
    return ProgramFigures(
        __version__, sql_files.schema_version(), {file.name: file.checksum for file in files}
    )


# -- before the sign-in ----------------------------------------------------------------------------


async def look_at_hosts(settings: DatabaseSettings) -> tuple[HostFigures, ...]:
    """Every server of the configuration, all at once. What is wrong with one is in its figures."""
    each = [replace(settings, hosts=(host,)) for host in settings.hosts]
    return tuple(await asyncio.gather(*(_look_at_host(one) for one in each)))


async def _look_at_host(settings: DatabaseSettings) -> HostFigures:
    [(host, port)] = settings.hosts
    figures = HostFigures(settings.address, is_loopback(host))
    by_socket = host.startswith("/")
    try:
        greeted = await certificates.greet(host, port, settings.connect_timeout)
    except (OSError, ValueError) as error:
        return replace(figures, error=errors.connect_error(error, settings.address).message)
    figures = replace(
        figures, round_trip_ms=greeted.round_trip_ms, tls=_tls(greeted), looked_for_tls=not by_socket
    )
    try:
        connection = await Hosts(settings).connect()
    except asyncpg.TargetServerAttributeNotMatched:
        return replace(figures, standby=True)
    except (*errors.DRIVER_ERRORS, DomainError) as error:
        return replace(figures, error=_refusal(error, settings, figures.tls))
    try:
        async with asyncio.timeout(settings.connect_timeout):
            figures = replace(figures, round_trip_ms=await _round_trip(connection))
        return await _look_behind_socket(connection, figures) if by_socket else figures
    except errors.DRIVER_ERRORS as error:
        return replace(figures, error=errors.connect_error(error, settings.address).message)
    finally:
        connection.terminate()
        await asyncio.sleep(0)


async def _look_behind_socket(connection: Any, figures: HostFigures) -> HostFigures:
    """How the server encrypts for the desks: they come by TCP, a socket has no certificate."""
    listens, port = await connection.fetchrow(
        "SELECT current_setting('listen_addresses'), current_setting('port')::integer",
        timeout=_GREETING_LIMIT,
    )
    addresses = [address for part in listens.split(",") if (address := part.strip())]
    if not addresses:
        return figures
    asked = _EVERYWHERE.get(addresses[0], addresses[0])
    local = all(map(is_loopback, addresses))
    figures = replace(figures, looked_for_tls=True, local=local, tls_address=f"{asked}:{port}")
    try:
        greeted = await certificates.greet(asked, port, _GREETING_LIMIT)
    except (OSError, ValueError) as error:
        return replace(figures, no_tls=errors.connect_error(error, figures.tls_address).message)
    return replace(figures, tls=_tls(greeted))


def _tls(greeted: certificates.Greeted) -> TlsFigures | None:
    return TlsFigures(greeted.tls, greeted.valid_until) if greeted.tls and greeted.valid_until else None


def _refusal(error: BaseException, settings: DatabaseSettings, tls: TlsFigures | None) -> str:
    if tls is not None and tls.valid_until <= datetime.now(UTC) and errors.is_permanent(error):
        return (
            f"Das Zertifikat von {settings.address} ist am {format_datetime(tls.valid_until)} abgelaufen: "
            "bitte es auf dem Server erneuern (docs/server.md)."
        )
    return errors.connect_error(error, settings.address).message


async def _round_trip(connection: Any) -> float:
    """Milliseconds of the quickest of some: what the network takes, without what else is going on."""
    taken = []
    for _ in range(_ROUND_TRIPS):
        begun = time.perf_counter()
        await connection.execute("SELECT 1")
        taken.append(time.perf_counter() - begun)
    return min(taken) * 1000


def authorities(ca_file: Path | None) -> tuple[Authority, ...]:
    """The certificates of ``ca_file``; none if there is no such setting."""
    if ca_file is None:
        return ()
    try:
        return tuple(Authority(ca_file.name, until) for until in certificates.of_file(ca_file))
    except (OSError, ValueError):
        return (Authority(ca_file.name, None),)


# -- with a connection -----------------------------------------------------------------------------


async def look_inside(settings: DatabaseSettings, *, clock: Clock = now) -> Seen:
    """What the database tells the role of the settings. Raises Unreachable and what connecting raises.

    What fails later costs its own lines only: a database that cannot answer one question can another.
    """
    try:
        connection = await Hosts(settings).connect()
    except errors.DRIVER_ERRORS as error:
        raise errors.connect_error(error, settings.address) from None
    failures: list[str] = []
    try:
        offset, _ = await _part(_clock_offset(connection, clock), failures)
        database, no_database = await _part(_hello(connection), failures)
        findings, no_findings = await _part(_findings(connection), failures)
        server, why = await _part(_as_owner(connection), failures)
    finally:
        connection.terminate()
        await asyncio.sleep(0)
    failed = failures[0] if failures else ""
    return Seen(offset, database, no_database, findings, no_findings, server, why, failed)


async def _part(asking: Awaitable[tuple[T | None, str]], failures: list[str]) -> tuple[T | None, str]:
    try:
        return await asking
    except errors.DRIVER_ERRORS as error:
        damaged = getattr(error, "sqlstate", None) in _DAMAGED_STATES
        failures.append(_DAMAGED if damaged else errors.translate(error).message)
        return None, failures[-1]


async def _clock_offset(connection: Any, clock: Clock) -> tuple[float, str]:
    before = clock()
    theirs: datetime = await connection.fetchval("SELECT clock_timestamp()")
    return (before + (clock() - before) / 2 - theirs).total_seconds(), ""


async def _hello(connection: Any) -> tuple[DatabaseVersion | None, str]:
    try:
        told = await connection.fetchval("SELECT app.hello()")
    except asyncpg.PostgresError as error:
        if error.sqlstate not in _NO_SCHEMA:
            raise
        return None, _NO_HOUSE
    return DatabaseVersion(told["schema_version"], told["minimum_client"]), ""


async def _findings(connection: Any) -> tuple[tuple[str, ...] | None, str]:
    """checks.sql asks catalogues that every role may read."""
    try:
        rows = await connection.fetch(sql_files.read("checks.sql"))
    except asyncpg.PostgresError as error:
        if error.sqlstate not in (*_NO_SCHEMA, "42704"):
            raise
        return None, _NO_HOUSE
    return _lines(rows), ""


async def _as_owner(connection: Any) -> tuple[ServerFigures | None, str]:
    row = await connection.fetchrow(
        "SELECT coalesce(pg_has_role(current_user, to_regrole($1::text), 'MEMBER'), false) AS owner,"
        " current_user::text AS me",
        OWNER,
    )
    if not row["owner"]:
        return (
            None,
            f"{row['me']} darf das nicht sehen: bitte mit --login als Admin oder als {OWNER} aufrufen.",
        )
    await connection.execute(f"SET ROLE {OWNER}")
    try:
        return figures(await connection.fetchval("SELECT auth.health()")), ""
    except asyncpg.PostgresError as error:
        if error.sqlstate not in _NO_SCHEMA:
            raise
        return None, "Die Datenbank kennt das noch nicht: bitte dpolg-tui upgrade-db ausführen."


async def of_server(database: Database) -> ServerFigures:
    """As an admin who is signed in, in one round trip. Raises NotAllowed."""
    return figures(await database.fetchval(HEALTH))


async def of_catalogue(database: Database) -> Seen:
    """Version, checks.sql and clock by a desk that is signed in; without the figures of the server."""
    told = await database.call("app.hello")
    rows = await database.fetch(sql_files.read("checks.sql"))
    offset, _ = await _clock_offset(database, now)
    version = DatabaseVersion(told["schema_version"], told["minimum_client"])
    return Seen(offset, version, findings=_lines(rows))


def _lines(rows: Iterable[Any]) -> tuple[str, ...]:
    return tuple(f"{kind}: {finding}: {thing}" for kind, finding, thing in rows)


# -- the answer ------------------------------------------------------------------------------------


def figures(answer: Mapping[str, Any]) -> ServerFigures:
    """The jsonb of app.health(), typed."""
    backups = answer["backups"]
    return ServerFigures(
        at=datetime.fromisoformat(answer["at"]),
        version=answer["server_version"],
        major=answer["server_major"],
        migrations=answer["migrations"],
        most_connections=answer["most_connections"],
        bytes=answer["bytes"],
        sizes=tuple((date.fromisoformat(one["day"]), one["bytes"]) for one in answer["sizes"]),
        notify_queue=float(answer["notify_queue"]),
        transaction_age=answer["transaction_age"],
        autovacuum=answer["autovacuum"],
        slots=tuple(Slot(one["name"], one["active"], int(one["bytes"] or 0)) for one in answer["slots"]),
        backups=BackupState(
            _moment(backups["last_good_backup"]),
            _moment(backups["last_good_verification"]),
            backups["overdue"],
            backups["newest_backup_ok"],
            backups["newest_verification_ok"],
            backups["newest_copy_ok"],
        ),
        backups_elsewhere=answer["backups_elsewhere"],
        statistics=_statistics(answer["statistics"]) if answer["statistics"] else None,
    )


def _statistics(answer: Mapping[str, Any]) -> Statistics:
    statements = answer["statements"]
    slowest = statements.get("slowest")
    archive = answer["archive"] or {}
    return Statistics(
        connections=tuple(
            RoleConnections(one["role"], one["count"], one["limit"]) for one in answer["connections"]
        ),
        transactions=tuple(
            OpenTransaction(one["role"], one["pid"], int(one["seconds"]), one["idle"])
            for one in answer["transactions"]
        ),
        tables=tuple(
            TableFigures(one["name"], one["bytes"], one["live"], one["dead"]) for one in answer["tables"]
        ),
        statements=None
        if slowest is None
        else tuple(
            SlowStatement(
                one["id"], one["function"], one["calls"], float(one["mean_ms"]), float(one["max_ms"])
            )
            for one in slowest
        ),
        no_statements=statements.get("missing", ""),
        checksum_failures=answer["checksum_failures"],
        archiving=answer["archive"] is not None,
        archived=_moment(archive.get("archived")),
        archive_failed=_moment(archive.get("failed")),
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
