"""Backs the target up before anything is written: by pg_dump, into a file that is whole or absent."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.domain.zone import in_house
from dpolg_tui.legacy.errors import NoBackup, reason
from dpolg_tui.operations.binaries import find_embedded

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

_ROLE = "dpolg_backup"
"""Row security is forced on every table: only this role may read past it."""


async def back_up(settings: DatabaseSettings, server_version: tuple[int, int], directory: Path) -> Path:
    """Dump the target into ``directory``; the finished file. Raises NoBackup with the remedy."""
    program = find_pg_dump(server_version[0])
    stamp = in_house(datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    target = directory / f"{_file_name(settings.database)}-{stamp}.dump"
    draft = target.with_name(f"{target.name}.part")
    try:
        await _dump(program, settings, draft)
        _sync(draft)
        draft.rename(target)
        _sync(directory)
    except OSError as error:
        raise NoBackup(
            f"Die Sicherung nach {directory} ist nicht möglich ({reason(error)}): "
            "bitte Platz schaffen oder mit --backup-dir einen anderen Ordner nennen."
        ) from None
    finally:
        draft.unlink(missing_ok=True)
    return target


def find_pg_dump(server_major: int, programs: Iterable[Path] | None = None) -> Path:
    """A pg_dump that is not older than the server: the system's first, newest first, else the wheel's."""
    found: list[tuple[int, Path]] = []
    for program in _candidates() if programs is None else programs:
        if (version := _version(program)) is not None:
            found.append((version, program))
    fitting = [program for version, program in found if version >= server_major]
    if fitting:
        return fitting[0]
    seen = (
        f"gefunden wurde nur Version {max(version for version, _ in found)}" if found else "keines gefunden"
    )
    raise NoBackup(
        f"Zum Sichern des Ziels fehlt pg_dump ab Version {server_major} ({seen}): bitte den "
        "PostgreSQL-Client "
        "oder das Extra „embedded“ installieren, oder mit --no-backup darauf verzichten."
    )


def _candidates() -> list[Path]:
    name = "pg_dump.exe" if os.name == "nt" else "pg_dump"
    folders = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: _number(path.parent.name), reverse=True
    )
    programs = [folder / name for folder in folders]
    # On Debian the one in the PATH is a wrapper that picks a version by a cluster: it comes second.
    if on_path := shutil.which("pg_dump"):
        programs.append(Path(on_path))
    if embedded := find_embedded():
        programs.append(embedded.program("pg_dump"))
    return [program for program in programs if program.is_file()]


def _version(program: Path) -> int | None:
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)(?:\.\d+)*", answer.stdout)
    return int(match[1]) if answer.returncode == 0 and match else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


async def _dump(program: Path, settings: DatabaseSettings, draft: Path) -> None:
    # Made by us and for us alone before pg_dump writes into it: it holds the whole house.
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    command = [str(program), "--format=custom", "--no-password", f"--role={_ROLE}", f"--file={draft}"]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=_environment(settings),
    )
    try:
        _, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        if b"No space left on device" in complaint:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        lines = complaint.decode(errors="replace").strip().splitlines() or ["kein Grund genannt"]
        raise NoBackup(
            f"pg_dump konnte das Ziel nicht sichern ({lines[0]}): bitte beheben, "
            "oder mit --no-backup darauf verzichten."
        )


def _environment(settings: DatabaseSettings) -> dict[str, str]:
    """Where and as whom, for libpq: nothing of it, least of all the password, shows in ``ps``."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    surroundings |= {
        "PGHOST": ",".join(host for host, _ in settings.hosts),
        "PGPORT": ",".join(str(port) for _, port in settings.hosts),
        "PGDATABASE": settings.database,
        "PGUSER": settings.username,
        "PGSSLMODE": settings.ssl_mode,
        "PGTARGETSESSIONATTRS": "read-write",
        "PGCONNECT_TIMEOUT": str(max(2, round(settings.connect_timeout))),
        "LC_ALL": "C.UTF-8",
    }
    if settings.password is not None:
        surroundings["PGPASSWORD"] = settings.password
    if settings.ca_file is not None:
        surroundings["PGSSLROOTCERT"] = str(settings.ca_file)
    elif settings.ssl_mode in ("verify-full", "verify-ca"):
        # As our own connections: the certificates of the system.
        surroundings["PGSSLROOTCERT"] = "system"
    return surroundings


def _file_name(database: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", database) or "database"


def _sync(path: Path) -> None:
    if path.is_dir() and os.name == "nt":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
