"""Makes a backup: a dump and a manifest of the same snapshot, whole or absent.

While it runs desks go on working: pg_dump and the hashes see one moment, and neither locks anything that a
desk needs.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpolg_tui import __version__
from dpolg_tui.db import backups, errors, fingerprints
from dpolg_tui.db.backups import Entry
from dpolg_tui.db.fingerprints import TableMark
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import dumps, manifest, retention
from dpolg_tui.operations.files import give_to_owner_of, make_private, reason, sha256_of, sync
from dpolg_tui.operations.locks import FileLock, StillLocked
from dpolg_tui.operations.manifest import DRAFT, DUMP, GLOBALS, MANIFEST, FileMark, Manifest

if TYPE_CHECKING:
    from dpolg_tui.settings import BackupSettings, DatabaseSettings

log = logging.getLogger(__name__)

_RESERVE = 16 * 1024**2
"""Bytes that must stay free beside the backup."""
_COPY_LIMIT = 6 * 3600.0
"""Seconds for one file."""


class BackupFailed(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Sicherung ist nicht gelungen."""


class CopyFailed(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Sicherung liegt auf dem Server, aber nicht an ihrem zweiten Ort."""


@dataclass(frozen=True, slots=True)
class Made:
    """A finished backup. ``seconds`` it took; ``recorded``: the database knows of it."""

    file: Path
    manifest: Manifest
    seconds: float
    recorded: bool = False
    pruned: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    """What went wrong once it was made, in sentences: it is whole, but not copied, or old ones stay."""

    @property
    def entry(self) -> Entry:
        """The line for the history."""
        dump = self.manifest.dump
        return Entry("backup", True, self.seconds, dump.name, dump.bytes, dump.sha256)


async def make(database: DatabaseSettings, settings: BackupSettings) -> Made:
    """Make a backup, copy it, forget old ones.

    Raises BackupFailed, NoProgram, CannotBackUp and what a connection raises, each with the remedy; failures
    after the connection are in the history too. Once it is made nothing is raised: see ``Made.problems``.
    """
    started = time.monotonic()
    directory = prepare_directory(settings.directory)
    with _alone_in(directory):
        async with backups.as_backup_role(database) as connection:
            try:
                with _told_as_failure(directory):
                    file, written = await _write(connection, database, directory)
            except (DomainError, *errors.DRIVER_ERRORS) as error:
                failure = errors.translate(error)
                await _record_failure(connection, time.monotonic() - started, failure)
                raise failure from None
            made = Made(file, written, time.monotonic() - started)
            recorded, problems = await _record(connection, made.entry)
            problems += await _copy(connection, made, settings)
            pruned, not_pruned = await asyncio.to_thread(_prune, directory, written.facts.database, settings)
    log.info("backup of %d bytes in %.1f s", written.dump.bytes, made.seconds)
    return replace(made, recorded=recorded, pruned=pruned, problems=(*problems, *not_pruned))


async def _record(connection: Any, entry: Entry) -> tuple[bool, list[str]]:
    """Whether the history has it, and a sentence if that failed: a copy may outlast the connection."""
    try:
        return await backups.record(connection, entry), []
    except errors.DRIVER_ERRORS as error:
        what = "Die Kopie" if entry.kind == "copy" else "Die Sicherung"
        said = errors.translate(error).message
        return False, [f"{what} ließ sich in der Datenbank nicht vermerken. {said}"]


def _prune(directory: Path, database: str, settings: BackupSettings) -> tuple[tuple[str, ...], list[str]]:
    """The names of the old ones that went, and a sentence if that failed."""
    try:
        return tuple(retention.prune(directory, database, settings)), []
    except OSError as error:
        return (), [
            f"Alte Sicherungen in {directory} ließen sich nicht löschen ({reason(error)}): bitte die Rechte "
            "des Verzeichnisses prüfen, sonst läuft die Festplatte voll."
        ]


async def _record_failure(connection: Any, seconds: float, failure: DomainError) -> None:
    try:
        await backups.record(connection, Entry("backup", False, seconds, note=failure.message))
    except errors.DRIVER_ERRORS as error:
        # The first failure is the one to tell; most likely it is the same one.
        log.warning("the failed backup could not be recorded: %s", type(error).__name__)


def prepare_directory(directory: Path) -> Path:
    """The directory, made for us alone if it is not there. Raises BackupFailed."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return directory.resolve()
    except OSError as error:
        raise BackupFailed(
            f"Das Verzeichnis {directory} lässt sich nicht anlegen ({reason(error)}): bitte mit --directory "
            "oder [backup] directory ein anderes nennen oder es als root anlegen."
        ) from None


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """One backup at a time: the second one would take the first one's draft for rubbish."""
    lock = FileLock(directory / ".lock")
    try:
        lock.acquire(0)
        # By hand as root (upgrade-db does it first): the timer's account must get in the next night, too.
        give_to_owner_of(directory, directory / ".lock")
    except StillLocked:
        raise BackupFailed(
            f"In {directory} läuft gerade eine andere Sicherung: bitte ihr Ende abwarten."
        ) from None
    except OSError as error:
        raise _failure(directory, error) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _told_as_failure(directory: Path) -> Iterator[None]:
    """Inside files are written: an OSError is about them, not about the connection."""
    try:
        yield
    except dumps.ProgramFailed as error:
        raise BackupFailed(f"Die Sicherung ist gescheitert ({error.message}): bitte beheben.") from None
    except OSError as error:
        if isinstance(error, ConnectionError | TimeoutError):
            raise
        raise _failure(directory, error) from None


def _failure(directory: Path, error: OSError) -> BackupFailed:
    return BackupFailed(
        f"Die Sicherung nach {directory} ist nicht möglich ({reason(error)}): "
        "bitte dort Platz und Rechte prüfen."
    )


async def _write(connection: Any, database: DatabaseSettings, directory: Path) -> tuple[Path, Manifest]:
    _tidy(directory)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        facts = await backups.facts(connection)
        program = dumps.find_program("pg_dump", facts.server_major)
        _require_space(directory, facts.bytes)
        name = _free_name(directory)
        dump, roles = directory / f"{name}{DUMP}", directory / f"{name}{GLOBALS}"
        drafts = [Path(f"{file}{DRAFT}") for file in (dump, roles, directory / f"{name}{MANIFEST}")]
        try:
            for draft in drafts:
                make_private(draft)
                give_to_owner_of(directory, draft)
            tables = await _dump(connection, database, program, drafts[0], drafts[1])
            await dumps.run([dumps.newest_program("pg_restore"), "--list", drafts[0]])
            marks = [
                await asyncio.to_thread(_mark, draft, final)
                for draft, final in zip(drafts, (dump, roles), strict=False)
            ]
            dumped_by = dumps.version_of(program) or facts.server_major
            written = Manifest(facts, __version__, dumped_by, marks[0], marks[1], tables)
            written.write(drafts[2])
            await asyncio.to_thread(_publish, drafts)
        finally:
            for draft in drafts:
                draft.unlink(missing_ok=True)
    return dump, written


def _tidy(directory: Path) -> None:
    """Removes what a backup left that was killed."""
    for left in directory.glob(f"dpolg_backup_*{DRAFT}"):
        left.unlink(missing_ok=True)


async def _dump(
    connection: Any, database: DatabaseSettings, program: Path, draft: Path, roles: Path
) -> dict[str, TableMark]:
    """Dump and hash at the same time, and both the same moment."""
    snapshot = await connection.fetchval("SELECT pg_export_snapshot()")
    common = ["--no-password", f"--role={dumps.BACKUP_ROLE}", "--lock-wait-timeout=60s"]
    dump: list[str | Path] = [
        program,
        "--format=custom",
        f"--snapshot={snapshot}",
        f"--file={draft}",
        *common,
    ]
    dumping = asyncio.create_task(dumps.run(dump, database))
    try:
        marks = await fingerprints.take(connection)
        await dumping
    finally:
        dumping.cancel()
        await asyncio.wait({dumping})
    # Passwords stay out: a stolen backup must not open the server.
    roles_only = [
        "--globals-only",
        "--no-role-passwords",
        f"--database={database.database}",
        f"--file={roles}",
    ]
    globals_program = dumps.find_program("pg_dumpall", connection.get_server_version().major)
    await dumps.run([globals_program, *roles_only, *common], database)
    return marks


def _require_space(directory: Path, database_bytes: int) -> None:
    """Half as much again as the newest backup; before the first one a quarter of the database, which is
    generous for what compresses to a tenth."""
    names = manifest.names_in(directory)
    newest = directory / f"{names[-1]}{DUMP}" if names else None
    wanted = newest.stat().st_size * 3 // 2 if newest else database_bytes // 4
    free = shutil.disk_usage(directory).free
    if free < wanted + _RESERVE:
        raise BackupFailed(
            f"Für die Sicherung ist in {directory} zu wenig Platz: frei sind {free // 1024**2} MB, gebraucht "
            f"werden etwa {(wanted + _RESERVE) // 1024**2 + 1} MB. Bitte dort Platz schaffen."
        )


def _free_name(directory: Path) -> str:
    while True:
        name = manifest.name_at(datetime.now(UTC))
        if not any(directory.glob(f"{name}.*")):
            return name
        time.sleep(0.2)


def _mark(draft: Path, final: Path) -> FileMark:
    return FileMark(final.name, draft.stat().st_size, sha256_of(draft))


def _publish(drafts: list[Path]) -> None:
    """All on the disk, then their names; the manifest's comes last."""
    for draft in drafts:
        sync(draft)
    for draft in drafts:
        draft.rename(draft.with_name(draft.name.removesuffix(DRAFT)))
    sync(drafts[0].parent)


async def _copy(connection: Any, made: Made, settings: BackupSettings) -> list[str]:
    """Run the copy command for each file; what came of it is in the history. Sentences if it failed."""
    if not settings.copy_command.strip():
        return []
    started = time.monotonic()
    dump = made.file
    failures: list[str] = []
    entry = Entry("copy", True, 0, dump.name, made.manifest.dump.bytes)
    try:
        for file in (dump, dump.with_name(dump.name.replace(DUMP, GLOBALS)), manifest.beside(dump)):
            await _copy_file(file, settings.copy_command)
    except CopyFailed as error:
        failures = [error.message]
        entry = Entry("copy", False, 0, dump.name, note=error.message)
    _, unrecorded = await _record(connection, replace(entry, seconds=time.monotonic() - started))
    return failures + unrecorded


async def _copy_file(file: Path, command: str) -> None:
    try:
        words = shlex.split(command)
        if not any("{file}" in word for word in words):
            words.append("{file}")
        async with asyncio.timeout(_COPY_LIMIT):
            await dumps.run([word.replace("{file}", str(file)) for word in words])
    except (dumps.ProgramFailed, OSError, ValueError) as error:
        said = error.message if isinstance(error, dumps.ProgramFailed) else str(error)
        if isinstance(error, TimeoutError):
            said = "sie dauerte zu lange"
        elif isinstance(error, OSError):
            said = reason(error)
        raise CopyFailed(
            f"Die Sicherung {file.name} ist gemacht, aber ihre Kopie mit [backup] copy_command ist "
            f"gescheitert ({said}): bitte den Befehl prüfen und von Hand kopieren."
        ) from None
