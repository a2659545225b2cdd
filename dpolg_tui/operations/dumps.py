"""PostgreSQL's own programs for dumps: which of them fits, and running them without showing a password."""

from __future__ import annotations

import asyncio
import errno
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations.binaries import find_embedded

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

BACKUP_ROLE = "dpolg_backup"
"""Row security is forced on every table: only this role may read past it."""

_FULL = (b"No space left on device", b"kein Speicherplatz mehr")
_NO_TLS = b"SSL support is not compiled in"
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep the certificates that they trust, in one file."""
_KNOWS_THE_SYSTEM = 16
"""The first version whose programs find those by themselves."""


class NoProgram(DomainError):  # noqa: N818 - named like the domain's errors
    """Ein Programm von PostgreSQL fehlt: bitte den PostgreSQL-Client installieren."""


class ProgramFailed(DomainError):  # noqa: N818 - named like the domain's errors
    """Ein Programm von PostgreSQL ist gescheitert; ``message`` ist die erste Zeile seiner Begründung."""


def find_program(name: str, at_least: int, programs: Iterable[Path] | None = None) -> Path:
    """The program (``pg_dump`` …) of the lowest major version from ``at_least`` on. Raises NoProgram.

    Not the newest: that may say what an older server does not understand.
    """
    found = [
        (version, number, program)
        for number, program in enumerate(candidates(name) if programs is None else programs)
        if (version := version_of(program)) is not None
    ]
    fitting = [entry for entry in found if entry[0] >= at_least]
    if fitting:
        return min(fitting)[2]
    seen = (
        f"gefunden wurde nur Version {max(version for version, _, _ in found)}"
        if found
        else "keines gefunden"
    )
    raise NoProgram(
        f"Es fehlt {name} ab Version {at_least} ({seen}): bitte den PostgreSQL-Client (postgresql-client-"
        f"{at_least}) oder das Extra „embedded“ installieren."
    )


def newest_program(name: str) -> Path:
    """The program of the highest version: it reads every dump that can be read here. Raises NoProgram."""
    found = [(version, program) for program in candidates(name) if (version := version_of(program))]
    if not found:
        return find_program(name, 14, [])
    return max(found, key=lambda entry: entry[0])[1]


def candidates(name: str) -> list[Path]:
    """Where the program is on this machine: the system's, then the wheel's."""
    file = f"{name}.exe" if os.name == "nt" else name
    programs = [folder / file for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    # On Debian the one in the PATH is a wrapper that picks a version by a cluster: it comes later.
    if on_path := shutil.which(name):
        programs.append(Path(on_path))
    if embedded := find_embedded():
        programs.append(embedded.program(name))
    return [program for program in programs if program.is_file()]


def version_of(program: Path) -> int | None:
    """The major version that a program says it has; None if it does not run."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)(?:\.\d+)*", answer.stdout)
    return int(match[1]) if answer.returncode == 0 and match else None


async def run(command: Sequence[str | Path], settings: DatabaseSettings | None = None) -> str:
    """Run a program to its end; what it printed. Ends it when we are cancelled.

    ``settings``: the server it talks to. Raises ProgramFailed, NoProgram if this one cannot do what the
    connection needs, and OSError (ENOSPC) for a full disk.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(settings, Path(command[0])),
    )
    try:
        printed, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        if any(words in complaint for words in _FULL):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if _NO_TLS in complaint:
            raise NoProgram(
                f"{Path(command[0]).name} des Extras „embedded“ kann keine verschlüsselte Verbindung: bitte "
                "den PostgreSQL-Client (postgresql-client) ab der Version des Servers installieren."
            )
        lines = complaint.decode(errors="replace").strip().splitlines() or ["kein Grund genannt"]
        raise ProgramFailed(lines[0])
    return printed.decode(errors="replace")


def environment(settings: DatabaseSettings | None, program: Path) -> dict[str, str]:
    """Where and as whom, for libpq: nothing of it, least of all the password, shows in ``ps``.

    Raises NoProgram if the program cannot find the certificates of the system.
    """
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    surroundings |= {"LC_ALL": "C.UTF-8"}
    if settings is None:
        return surroundings
    surroundings |= {
        "PGHOST": ",".join(host for host, _ in settings.hosts),
        "PGPORT": ",".join(str(port) for _, port in settings.hosts),
        "PGDATABASE": settings.database,
        "PGUSER": settings.username,
        "PGSSLMODE": settings.ssl_mode,
        "PGTARGETSESSIONATTRS": "read-write",
        "PGCONNECT_TIMEOUT": str(max(2, round(settings.connect_timeout))),
    }
    if settings.password is not None:
        surroundings["PGPASSWORD"] = settings.password
    if settings.ca_file is not None:
        surroundings["PGSSLROOTCERT"] = str(settings.ca_file)
    elif settings.ssl_mode in ("verify-full", "verify-ca"):
        surroundings["PGSSLROOTCERT"] = _system_certificates(settings.ssl_mode, program)
    return surroundings


def _system_certificates(ssl_mode: str, program: Path) -> str:
    """What our own connections trust without a ca_file. Every version reads a bundle; few know the system."""
    bundles = (ssl.get_default_verify_paths().cafile, *_BUNDLES)
    for bundle in bundles:
        if bundle is not None and Path(bundle).is_file():
            return bundle
    if ssl_mode == "verify-full" and (version_of(program) or 0) >= _KNOWS_THE_SYSTEM:
        return "system"
    raise NoProgram(
        f"{program.name} findet die Zertifikate des Systems nicht: bitte unter [database] ca_file die Datei "
        "der Zertifizierungsstelle nennen oder den PostgreSQL-Client ab Version "
        f"{_KNOWS_THE_SYSTEM} installieren."
    )
