"""The verbs backup, backup verify and restore, and the backup that upgrade-db makes first."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.db import backups, migrations
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import backup, backup_verification, dumps
from dpolg_tui.operations.passwords import Passwords, Whose
from dpolg_tui.operations.restore import Plan, restore

if TYPE_CHECKING:
    from dpolg_tui.settings import BackupSettings, DatabaseSettings

FINE, FAILED = 0, 1

_WHOSE: dict[str, Whose] = {
    migrations.OWNER: "owner",
    migrations.CLIENT: "booking_user",
    migrations.BACKUP: "backup",
}


@dataclass(frozen=True, slots=True)
class RestoreOptions:
    """What ``restore`` was asked to do."""

    file: Path
    into: str
    without_manifest: bool
    passwords: Passwords


def make_backup(database: DatabaseSettings, settings: BackupSettings) -> int:
    """Make one and say where it is. Returns the exit code."""
    made = asyncio.run(backup.make(database, settings))
    tell(made)
    for problem in made.problems:
        sys.stderr.write(f"dpolg-tui: {problem}\n")
    return FAILED if made.problems else FINE


def verify_backup(database: DatabaseSettings, settings: BackupSettings) -> int:
    """Try the newest one. Returns the exit code."""
    done = asyncio.run(backup_verification.verify(database, settings.directory))
    _say(
        f"{done.dump.name} lässt sich wiederherstellen: {done.restored.tables} Tabellen mit "
        f"{done.restored.rows} Zeilen gleichen der Sicherung ({done.restored.seconds:.0f} s)."
    )
    return FINE


def restore_backup(server: DatabaseSettings, options: RestoreOptions) -> int:
    """Restore a file into a new database and say what comes next. Returns the exit code."""

    def password(role: str) -> str:
        return options.passwords.get(_WHOSE[role])

    plan = Plan(options.file, options.into, options.without_manifest, password)
    done = asyncio.run(restore(server, plan))
    compared = "ohne Vergleich" if done.manifest is None else "alle gleich der Sicherung"
    _say(
        f"Wiederhergestellt nach {options.into}: {done.tables} Tabellen mit {done.rows} Zeilen, {compared} "
        f"({done.seconds:.0f} s). Alle Anmeldungen sind beendet, die Benutzer melden sich neu an."
    )
    desks_use = done.manifest.facts.database if done.manifest is not None else "ihre bisherige Datenbank"
    if options.into != desks_use:
        _say(f"Arbeitsplätze benutzen weiter {desks_use}: wie getauscht wird, steht in docs/backup.md.")
    for finding in done.findings:
        sys.stderr.write(f"checks.sql: {finding.kind}: {finding.finding}: {finding.object}\n")
    return FAILED if done.findings else FINE


async def before_upgrade(database: DatabaseSettings, settings: BackupSettings) -> backup.Made | None:
    """A backup if there is something to apply; None if not. Raises with the way to do without."""
    if not await migrations.outstanding(database):
        return None
    try:
        made = await backup.make(database, settings)
    except (backup.BackupFailed, backups.CannotBackUp, dumps.NoProgram) as error:
        raise DomainError(
            f"Vor dem Aktualisieren wird gesichert, und das ging nicht: {error.message} Oder mit --no-backup "
            "darauf verzichten. Nichts wurde verändert."
        ) from None
    for problem in made.problems:
        # There is a backup, and that is what the upgrade needs; a later one will be copied.
        sys.stderr.write(f"Warnung: {problem}\n")
    return made


async def record_late(database: DatabaseSettings, made: backup.Made) -> None:
    """Note a backup that was older than the history itself."""
    if not made.recorded:
        async with backups.as_backup_role(database) as connection:
            await backups.record(connection, made.entry)


def tell(made: backup.Made) -> None:
    """Say what was made, and what went."""
    what = made.manifest
    _say(
        f"Gesichert: {made.file} ({_size(what.dump.bytes)}, {len(what.tables)} Tabellen mit {what.rows} "
        f"Zeilen, {made.seconds:.1f} s)."
    )
    if made.pruned:
        _say(f"Gelöscht: {len(made.pruned)} Sicherungen, deren Zeit um war.")


def _size(count: int) -> str:
    return f"{count / 1024**2:.1f} MB".replace(".", ",") if count >= 1024**2 else f"{count // 1024 + 1} kB"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
