"""Every path the program uses, in one place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import platformdirs

APP = "dpolg-tui"


def expanded(path: str | Path) -> Path:
    """The path with ``~`` and ``~name`` replaced; a name that nobody has stays, and is not found."""
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path's raises for such a name


def user_config_directory() -> Path:
    return platformdirs.user_config_path(APP, appauthor=False)


def data_directory() -> Path:
    """Where the demo keeps its PostgreSQL cluster."""
    return platformdirs.user_data_path(APP, appauthor=False)


def state_directory() -> Path:
    """What the program remembers for itself: log file, last user name."""
    return platformdirs.user_state_path(APP, appauthor=False)


def log_file() -> Path:
    return state_directory() / "log" / "dpolg-tui.log"


def export_directory() -> Path:
    """Files with personal data that somebody asked for; they have a term."""
    return state_directory() / "exports"


def private_file(name: str, instance: str, user_id: int) -> Path:
    """What waits for one user of one installation: ``queue`` (writes) or ``drafts`` (forms)."""
    return state_directory() / name / f"{instance}-{user_id}.json"


def last_username_file() -> Path:
    return state_directory() / "last_username"


def user_config_file() -> Path:
    return user_config_directory() / "config.toml"


def system_config_file() -> Path:
    return Path("/etc") / APP / "config.toml"


def config_files() -> tuple[Path, ...]:
    """Where a configuration is looked for when nobody names one; the first that exists is used."""
    own = (Path.cwd() / "config.toml", user_config_file())
    # On Windows /etc is a folder of the current drive, which any of its users may make.
    return own if sys.platform == "win32" else (*own, system_config_file())


def libpq_password_file(environment: Mapping[str, str]) -> Path:
    """Where PostgreSQL's own programs look for a password file when none is named."""
    return (
        _libpq_directory(environment) / "pgpass.conf" if sys.platform == "win32" else Path.home() / ".pgpass"
    )


def libpq_root_certificate(environment: Mapping[str, str]) -> Path:
    """Where PostgreSQL's own programs look for the certificate of the authority they trust."""
    return _libpq_directory(environment) / "root.crt"


def libpq_service_files(environment: Mapping[str, str]) -> tuple[Path, ...]:
    """Service files in the order in which PostgreSQL's own programs read them."""
    files = []
    if named := environment.get("PGSERVICEFILE"):
        files.append(expanded(named))
    elif sys.platform == "win32":
        files.append(_libpq_directory(environment) / ".pg_service.conf")
    else:
        files.append(Path.home() / ".pg_service.conf")
    if directory := environment.get("PGSYSCONFDIR"):
        files.append(Path(directory) / "pg_service.conf")
    return tuple(files)


def _libpq_directory(environment: Mapping[str, str]) -> Path:
    if sys.platform == "win32":
        return Path(environment.get("APPDATA", os.fspath(Path.home()))) / "postgresql"
    return Path.home() / ".postgresql"
