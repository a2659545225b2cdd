"""Proves that a backup can be restored: into a throw-away server, compared row by row with its manifest."""

from __future__ import annotations

import logging
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui import config
from dpolg_tui.db import backups
from dpolg_tui.db.backups import Entry
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import manifest
from dpolg_tui.operations.binaries import Binaries, find_embedded, find_system
from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.files import reason
from dpolg_tui.operations.manifest import DUMP, Manifest
from dpolg_tui.operations.restore import MAINTENANCE, Plan, Restored, restore
from dpolg_tui.operations.shared import temporary_server

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

log = logging.getLogger(__name__)

_RESERVE = 256 * 1024**2
"""Bytes for a new server's own files."""
_FRUGAL = Options(durable=False, max_connections=20, settings={"max_wal_size": "256MB"})


class NotVerified(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Sicherung ließ sich nicht prüfen."""


@dataclass(frozen=True, slots=True)
class Verified:
    """A backup that could be restored. ``recorded``: the database knows of it."""

    dump: Path
    restored: Restored
    recorded: bool


async def verify(database: DatabaseSettings, directory: Path) -> Verified:
    """Restore the newest backup of ``database`` in the directory and write the verdict into its history.

    Raises NotVerified, CannotRestore, NoProgram and what a connection raises; failures are recorded too.
    """
    started = time.monotonic()
    async with backups.as_backup_role(database) as connection:
        name = await connection.fetchval("SELECT current_database()")
        file: str | None = None
        try:
            dump, described = _newest(directory, name)
            file = dump.name
            result = await _try(dump, described)
        except DomainError as error:
            seconds = time.monotonic() - started
            await backups.record(connection, Entry("verification", False, seconds, file, note=error.message))
            raise
        mark = described.dump
        entry = Entry("verification", True, time.monotonic() - started, file, mark.bytes, mark.sha256)
        recorded = await backups.record(connection, entry)
    log.info("backup verified in %.1f s", entry.seconds)
    return Verified(dump, result, recorded)


def sufficient(major: int) -> Binaries:
    """Programs of a server that takes a backup of this major version: the same if there, else the next one.

    Raises NotVerified.
    """
    embedded = find_embedded()
    found = [*find_system(), *([embedded] if embedded else [])]
    fitting = [binaries for binaries in found if binaries.major >= major]
    if not fitting:
        seen = f"gefunden wurde Version {max(each.major for each in found)}" if found else "keines gefunden"
        raise NotVerified(
            f"Zum Prüfen fehlt PostgreSQL ab Version {major} ({seen}): bitte das Paket postgresql-{major} "
            "oder das Extra „embedded“ installieren."
        )
    return min(fitting, key=lambda binaries: binaries.major)


def _newest(directory: Path, database: str) -> tuple[Path, Manifest]:
    try:
        names = manifest.names_in(directory)
    except OSError as error:
        raise NotVerified(
            f"Das Verzeichnis {directory} ist nicht lesbar ({reason(error)}): bitte Pfad und Rechte prüfen."
        ) from None
    for name in reversed(names):
        dump = directory / f"{name}{DUMP}"
        described = manifest.read(manifest.beside(dump))
        if described.facts.database == database:
            return dump, described
    raise NotVerified(
        f"In {directory} gibt es keine Sicherung der Datenbank {database}: bitte zuerst dpolg-tui backup."
    )


async def _try(dump: Path, described: Manifest) -> Restored:
    binaries = sufficient(described.facts.server_major)
    free = shutil.disk_usage(tempfile.gettempdir()).free
    wanted = described.facts.bytes * 3 // 2 + _RESERVE
    if free < wanted:
        raise NotVerified(
            f"Zum Prüfen ist in {tempfile.gettempdir()} zu wenig Platz: frei sind {free // 1024**2} MB, "
            f"gebraucht werden etwa {wanted // 1024**2 + 1} MB. Bitte Platz schaffen oder TMPDIR setzen."
        )
    async with temporary_server(_FRUGAL, binaries) as cluster:
        server = config.database_from_dsn(f"{cluster.dsn(MAINTENANCE)}?sslmode=disable")
        result = await restore(server, Plan(dump, "dpolg_verification"))
    wrong = [finding for finding in result.findings if finding.kind == "must"]
    if wrong:
        raise NotVerified(
            f"{dump.name} ist wiederherstellbar, aber checks.sql findet etwas: {wrong[0].finding}, "
            f"{wrong[0].object}."
        )
    return result
