"""Restores a backup into a new database: compared with its manifest, hardened, without old sessions.

The work happens in a database with a name of its own that gets the wanted one at the very end; whatever goes
wrong, that database is removed and everything else is as it was.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.db import fingerprints, restored, sql_files
from dpolg_tui.db.backups import Entry
from dpolg_tui.db.migrations import BACKUP, CLIENT, OWNER, Finding, missing_roles
from dpolg_tui.db.restored import CannotRestore, Server
from dpolg_tui.domain.errors import DomainError, ServerFull
from dpolg_tui.operations import dumps, manifest
from dpolg_tui.operations.files import reason, sha256_of
from dpolg_tui.operations.manifest import Manifest

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

log = logging.getLogger(__name__)

MAINTENANCE = "postgres"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,62}")
_RESERVE = 64 * 1024**2
"""Bytes that must stay free beside the restored database."""
_MADE_BY = {
    "server": re.compile(r"Dumped from database version: (\d+)"),
    "program": re.compile(r"Dumped by pg_dump version: (\d+)"),
}

AskPassword = Callable[[str], str | None]
"""The password for a role that the server does not have yet; None: a role without one."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to restore where. ``unverified``: without its manifest, so that nothing can be compared."""

    dump: Path
    into: str
    unverified: bool = False
    password: AskPassword = field(default=lambda role: None, repr=False)  # noqa: ARG005


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of it. ``findings`` are the rows of checks.sql."""

    manifest: Manifest | None
    tables: int
    rows: int
    seconds: float
    findings: list[Finding]
    new_roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Source:
    """The dump, read as far as possible without a server."""

    manifest: Manifest | None
    server_major: int
    program_major: int
    contents: str
    """What pg_restore lists."""


async def restore(server: DatabaseSettings, plan: Plan) -> Restored:
    """Do it. ``server`` is reached as a superuser; its ``database`` does not matter.

    Raises CannotRestore (nothing was changed), NoProgram, BadManifest and what a connection raises.
    """
    started = time.monotonic()
    elsewhere = replace(server, database=MAINTENANCE)
    source = await _read_source(plan)
    found = await restored.look_at(elsewhere)
    _require_suitable(found, source, plan)
    _require_space(server, found, source.manifest)
    program = dumps.find_program("pg_restore", max(source.program_major, found.major))
    missing = await missing_roles(elsewhere)
    passwords = {role: plan.password(role) if role in missing else None for role in (OWNER, CLIENT, BACKUP)}
    draft = f"dpolg_restore_{secrets.token_hex(4)}"
    try:
        await restored.make_roles(elsewhere, passwords)
        collation: Mapping[str, str | None] = source.manifest.facts.collation if source.manifest else {}
        await restored.create(elsewhere, draft, collation)
        target = replace(server, database=draft)
        await restored.take_ballast(target)
        await _fill(program, plan.dump, target, source.contents)
        marks = await restored.marks(target)
        _compare(source.manifest, marks)
        entry = Entry("restore", True, time.monotonic() - started, plan.dump.name, plan.dump.stat().st_size)
        findings = await restored.finish(target, entry)
        await restored.rename(elsewhere, draft, plan.into)
    except BaseException as error:
        # Also when we are told to stop: a half-filled database must not stay.
        await asyncio.shield(_remove(elsewhere, draft, missing, error))
        if isinstance(error, ServerFull):
            raise _no_room() from None
        raise
    rows = sum(mark.rows for mark in marks.values())
    seconds = time.monotonic() - started
    log.info("restored %d tables with %d rows in %.1f s", len(marks), rows, seconds)
    return Restored(source.manifest, len(marks), rows, seconds, findings, frozenset(missing))


async def _remove(
    elsewhere: DatabaseSettings, draft: str, new_roles: Collection[str], failure: BaseException
) -> None:
    said = failure.message if isinstance(failure, DomainError) else "Das Wiederherstellen brach ab."
    try:
        await restored.drop(elsewhere, draft)
    except DomainError:
        raise CannotRestore(
            f"{said} Übrig bleibt die Datenbank {draft}: bitte mit DROP DATABASE löschen, wenn der Server "
            "wieder antwortet."
        ) from failure
    try:
        await restored.drop_roles(elsewhere, new_roles)
    except DomainError:
        raise CannotRestore(
            f"{said} Übrig bleiben die neuen Rollen {', '.join(sorted(new_roles))}: bitte mit DROP ROLE "
            "löschen."
        ) from failure


async def _read_source(plan: Plan) -> _Source:
    """The manifest, and that the dump is whole and readable here."""
    dump = plan.dump
    try:
        if not dump.is_file():
            raise CannotRestore(f"Die Sicherung {dump} gibt es nicht: bitte den Pfad prüfen.")
        if dump.name.endswith((manifest.MANIFEST, manifest.GLOBALS)):
            raise CannotRestore(
                f"{dump.name} ist nicht die Sicherung selbst: bitte die Datei desselben Namens nennen, die "
                f"auf {manifest.DUMP} endet."
            )
        described = None if plan.unverified else _described(dump)
        if described is not None:
            await asyncio.to_thread(_check_file, dump, described)
        listed = await dumps.run([dumps.newest_program("pg_restore"), "--list", dump])
    except dumps.ProgramFailed as error:
        if "unsupported version" in error.message:
            raise CannotRestore(
                f"{dump.name} stammt von einem neueren pg_dump: bitte den PostgreSQL-Client in der Version "
                "des alten Servers oder neuer installieren."
            ) from None
        raise CannotRestore(
            f"{dump.name} ist beschädigt oder keine Sicherung ({error.message}): bitte eine andere benutzen."
        ) from None
    except OSError as error:
        raise CannotRestore(
            f"{dump} ist nicht lesbar ({reason(error)}): bitte Rechte und Datenträger prüfen."
        ) from None
    made_by = {name: _major(pattern, listed) for name, pattern in _MADE_BY.items()}
    if described is not None:
        return _Source(described, described.facts.server_major, described.dumped_by, listed)
    return _Source(None, made_by["server"], made_by["program"], listed)


def _described(dump: Path) -> Manifest:
    file = manifest.beside(dump)
    try:
        return manifest.read(file)
    except FileNotFoundError:
        raise CannotRestore(
            f"Zu {dump.name} fehlt die Begleitdatei {file.name}: bitte danebenlegen, oder mit "
            "--without-manifest ungeprüft wiederherstellen."
        ) from None


def _check_file(dump: Path, described: Manifest) -> None:
    size = dump.stat().st_size
    if size != described.dump.bytes:
        raise CannotRestore(
            f"{dump.name} ist unvollständig oder verändert ({size} statt {described.dump.bytes} Bytes): "
            "bitte eine andere Sicherung benutzen."
        )
    if sha256_of(dump) != described.dump.sha256:
        raise CannotRestore(
            f"{dump.name} ist beschädigt (die Prüfsumme stimmt nicht): bitte eine andere Sicherung benutzen."
        )


def _major(pattern: re.Pattern[str], listed: str) -> int:
    match = pattern.search(listed)
    return int(match[1]) if match else 0


def _require_suitable(found: Server, source: _Source, plan: Plan) -> None:
    if _NAME.fullmatch(plan.into) is None:
        raise CannotRestore(
            f"„{plan.into}“ taugt nicht als Name: bitte Buchstaben ohne Umlaute, Ziffern und _ benutzen."
        )
    if plan.into in found.databases:
        raise CannotRestore(
            f"Eine Datenbank {plan.into} gibt es schon: bitte mit --into einen neuen Namen nennen; "
            "sie wird nicht überschrieben."
        )
    if not found.superuser:
        raise CannotRestore(
            "restore braucht einen Superuser: bitte mit --dsn postgresql://postgres@… aufrufen."
        )
    if found.major < source.server_major:
        raise CannotRestore(
            f"Die Sicherung stammt von PostgreSQL {source.server_major}, dieser Server ist Version "
            f"{found.major}: bitte einen ab Version {source.server_major} benutzen."
        )
    if source.manifest is not None and source.manifest.facts.schema_version > sql_files.schema_version():
        raise CannotRestore(
            f"Die Sicherung gehört zu einem neueren Programm ({source.manifest.program}): bitte zuerst "
            "dieses Programm aktualisieren."
        )


def _require_space(server: DatabaseSettings, found: Server, described: Manifest | None) -> None:
    """Only where the server's disk is ours to look at: elsewhere the server says so when it is full."""
    folder = Path(found.data_directory)
    try:
        if described is None or not server.is_local or not (folder / "PG_VERSION").is_file():
            return
        free = shutil.disk_usage(folder).free
    except OSError:
        # Not for our eyes: as on another machine.
        return
    wanted = described.facts.bytes * 5 // 4 + _RESERVE
    if free < wanted:
        raise CannotRestore(
            f"Auf der Festplatte des Servers ist zu wenig Platz: frei sind {free // 1024**2} MB, gebraucht "
            f"werden etwa {wanted // 1024**2 + 1} MB. Bitte dort Platz schaffen."
        )


async def _fill(program: Path, dump: Path, target: DatabaseSettings, contents: str) -> None:
    # What hardening.sql took away from built-in functions is in the dump too, and a newer server may not have
    # them any more: there it is taken away anew.
    wanted = "".join(line for line in contents.splitlines(keepends=True) if " ACL pg_catalog " not in line)
    try:
        # A file that is still open could not be read by another program on Windows.
        with tempfile.TemporaryDirectory(prefix="dpolg-restore-") as folder:
            listed = Path(folder) / "contents.list"
            listed.write_text(wanted, encoding="utf-8")
            command: list[str | Path] = [program, "--exit-on-error", "--no-password", f"--use-list={listed}"]
            await dumps.run([*command, f"--dbname={target.database}", dump], target)
    except dumps.ProgramFailed as error:
        raise CannotRestore(
            f"pg_restore ist gescheitert ({error.message}): bitte beheben oder eine andere Sicherung "
            "benutzen. Nichts wurde verändert."
        ) from None
    except OSError as error:
        raise _no_room(reason(error)) from None


def _no_room(why: str = "kein Platz mehr") -> CannotRestore:
    return CannotRestore(
        f"Das Wiederherstellen ist nicht möglich ({why}): bitte auf der Festplatte des Servers Platz "
        "schaffen. Nichts wurde verändert."
    )


def _compare(described: Manifest | None, found: Mapping[str, fingerprints.TableMark]) -> None:
    if described is None:
        return
    different = fingerprints.differences(dict(described.tables), dict(found))
    if different:
        shown = "; ".join(different[:3]) + ("; …" if len(different) > 3 else "")
        raise CannotRestore(
            f"Das Wiederhergestellte gleicht der Sicherung nicht ({shown}): bitte eine andere benutzen. "
            "Nichts wurde verändert."
        )
