"""The migration from end to end: one file, one transaction, one report."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from dpolg_tui import __version__, locations
from dpolg_tui.db import errors
from dpolg_tui.domain.errors import DomainError, OutcomeUnknown, ServerFull
from dpolg_tui.legacy import (
    accounting,
    backup,
    fingerprints,
    indexes,
    mapping,
    reader,
    renewal,
    second_reading,
    staging,
    target,
    totals,
    verify,
)
from dpolg_tui.legacy.errors import Declined, UnsuitableTarget, reason
from dpolg_tui.setting_types import ConfigError

if TYPE_CHECKING:
    from dpolg_tui.legacy.fingerprints import Settled
    from dpolg_tui.legacy.options import Options
    from dpolg_tui.legacy.report import Screen
    from dpolg_tui.legacy.target import Target
    from dpolg_tui.settings import DatabaseSettings

ACTOR = "migrate-data"
LOG = "transaction_log"


@dataclass(frozen=True, slots=True)
class Plan:
    """What was found, before anything is written: shown for the question."""

    source: Any
    target: Target
    options: Options
    directory: Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened."""

    report: dict[str, Any]

    @property
    def quarantined(self) -> int:
        return sum(table["quarantined"] for table in self.report["tables"].values())


Ask = Callable[[Plan], bool]


class _DryRunOver(Exception):  # noqa: N818 - not an error: it rolls the transaction back
    """Everything went well; nothing stays."""


async def migrate(settings: DatabaseSettings, options: Options, screen: Screen, ask: Ask) -> Outcome:
    """Take the file over, or leave the target exactly as it was. Raises domain errors only."""
    started = datetime.now(UTC)
    directory = _backup_directory(options)
    connection = await target.connect(settings)
    source: Any = None
    finished = False
    try:
        found = await target.look_at(connection, settings)
        if options.into_empty_only and not found.is_empty:
            raise UnsuitableTarget(
                f"Die Datenbank {found.database} ist nicht leer ({found.guests} Gäste, {found.bookings} "
                "Buchungen): ohne --into-empty-only werden die Daten dazugenommen."
            )
        with screen.phase("copy"):
            source = await asyncio.to_thread(reader.open_copy, options.file, directory)
        if not ask(Plan(source, found, options, directory)):
            raise Declined
        dump = await _back_up(settings, options, found, directory, screen)
        report: dict[str, Any] = {
            "program_version": __version__,
            # A name from another system need not be UTF-8.
            "source": os.fsencode(options.file).decode("utf-8", "replace"),
            "source_sha256": source.sha256,
            "source_ignored": list(source.ignored),
            "source_warnings": list(source.warnings[:1000]),
            "source_copy": None if options.dry_run else os.fsencode(source.path).decode("utf-8", "replace"),
            "target": {
                "address": found.address,
                "database": found.database,
                "server_version": ".".join(map(str, found.server_version)),
            },
            "backup": str(dump) if dump else None,
            "dry_run": options.dry_run,
            "verified": False,
            "started_at": started.isoformat(timespec="seconds"),
        }
        await _take_over(connection, source, options, screen, report)
        finished = True
    except errors.DRIVER_ERRORS as error:
        raise _nothing_changed(_in_words(error)) from error
    finally:
        connection.terminate()
        if source is not None and (options.dry_run or not finished):
            await asyncio.to_thread(source.path.unlink, missing_ok=True)
    report["finished_at"] = datetime.now(UTC).isoformat(timespec="seconds")
    report["phases"] = screen.phases()
    return Outcome(report)


def _backup_directory(options: Options) -> Path:
    directory = options.backup_dir or locations.data_directory() / "backups"
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"Der Ordner {directory} lässt sich nicht anlegen ({reason(error)}): "
            "bitte mit --backup-dir einen anderen nennen."
        ) from None
    return directory.resolve()


async def _back_up(
    settings: DatabaseSettings, options: Options, found: Target, directory: Path, screen: Screen
) -> Path | None:
    if options.no_backup or found.is_empty:
        return None
    if options.dry_run:
        # Nothing will be written; but that the backup is possible belongs to the rehearsal.
        backup.find_pg_dump(found.server_version[0])
        return None
    with screen.phase("backup"):
        return await backup.back_up(settings, found.server_version, directory)


async def _take_over(
    connection: Any, source: Any, options: Options, screen: Screen, report: dict[str, Any]
) -> None:
    """Everything that writes: one transaction."""
    transaction = connection.transaction()
    await transaction.start()
    try:
        await _work(connection, source, options, screen, report)
        if options.dry_run:
            raise _DryRunOver
    except _DryRunOver:
        await transaction.rollback()
    except BaseException:
        await _roll_back(connection, transaction)
        raise
    else:
        with screen.phase("commit"):
            await _commit(transaction)


async def _work(
    connection: Any, source: Any, options: Options, screen: Screen, report: dict[str, Any]
) -> None:
    await connection.execute(
        f"SET LOCAL ROLE {target.OWNER}; SET LOCAL app.bulk = 'on'; SET LOCAL app.actor = '{ACTOR}';"
        " SET LOCAL search_path = pg_catalog"
    )
    await target.lock_runs(connection)
    run_id: int = await connection.fetchval(
        "INSERT INTO legacy.runs (source_sha256, program_version) VALUES ($1, $2) RETURNING id",
        source.sha256,
        __version__,
    )
    report["run_id"] = run_id
    # A new file for the table: raw rows with their secrets leave the disk whatever happens next.
    await connection.execute("TRUNCATE legacy.source_rows")
    left_out: dict[str, int] = {}
    if options.without_transaction_log and (log := source.tables.get(LOG)) is not None:
        left_out[LOG] = log.rows
        source = replace(source, tables={name: table for name, table in source.tables.items() if name != LOG})
    with screen.phase("staging", sum(table.rows for table in source.tables.values())) as progress:
        read = await staging.load(connection, source, run_id, progress)
    total = sum(read.values())
    await target.lock_tables(connection)
    async with second_reading.started(source) as parts:
        settled, aside = await _map(connection, run_id, options, screen, total)
        with screen.phase("indexing", total):
            await indexes.bring_back(connection, aside)
        with screen.phase("verifying", total) as progress:
            result = await verify.check(connection, source, run_id, await parts, progress)
    report |= await accounting.collect(connection, run_id, read, settled, left_out)
    report["verified"] = True
    report["checked"] = result.as_json()
    await connection.execute("TRUNCATE legacy.source_rows")
    report["phases"] = screen.phases()
    await connection.execute(
        "UPDATE legacy.runs SET report = $2::jsonb WHERE id = $1", run_id, json.loads(json.dumps(report))
    )
    await connection.execute("SELECT app.announce_reload()")


async def _map(
    connection: Any, run_id: int, options: Options, screen: Screen, total: int
) -> tuple[Settled, indexes.Aside]:
    """Compare and map; once more without the rows that would spoil what an earlier run took over."""
    refused: dict[tuple[str, int], str] = {}
    while True:
        attempt = connection.transaction() if options.update else None
        if attempt is not None:
            await attempt.start()
        with screen.phase("comparing", total):
            settled = await fingerprints.settle(connection, run_id, options, refused)
            await totals.remember(connection)
            aside = await indexes.step_aside(connection, total)
        with screen.phase("mapping", total) as progress:
            await mapping.apply(connection, run_id, options, progress)
        with screen.phase("recording", total):
            await accounting.settle_accounts(connection)
            await fingerprints.record(connection, run_id, earlier=settled.earlier)
        if attempt is None:
            return settled, aside
        invalid = await renewal.now_invalid(connection, run_id)
        if not invalid:
            await attempt.commit()
            return settled, aside
        await attempt.rollback()
        if invalid.keys() <= refused.keys():
            raise RuntimeError("rows that were refused are taken over all the same")
        refused |= invalid


async def _roll_back(connection: Any, transaction: Any) -> None:
    """Let go of everything; a connection that is gone has done it already."""
    if connection.is_closed():
        return
    with contextlib.suppress(*errors.DRIVER_ERRORS):
        async with asyncio.timeout(5):
            await transaction.rollback()


async def _commit(transaction: Any) -> None:
    try:
        await transaction.commit()
    except errors.DRIVER_ERRORS as error:
        if isinstance(error, asyncpg.PostgresError) and not errors.is_lost(error):
            raise
        raise OutcomeUnknown(
            "Die Verbindung riss beim Abschließen ab, ob alles übernommen ist, ist offen: bitte "
            "noch einmal "
            "aufrufen; was schon da ist, wird nicht doppelt übernommen."
        ) from error


def _in_words(error: BaseException) -> DomainError:
    if isinstance(error, asyncpg.DiskFullError):
        return ServerFull(
            "Die Festplatte des Servers ist voll: bitte dort Platz schaffen und noch einmal aufrufen."
        )
    return errors.translate(error)


def _nothing_changed(error: DomainError) -> DomainError:
    """The same error, and the comfort that goes with it."""
    error.message = f"{error.message.rstrip('.')}. Am Ziel wurde nichts verändert."
    return error
