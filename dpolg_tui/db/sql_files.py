"""Where the .sql files are, in which order they apply, and what version of the schema they make."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_SCHEMA_NAME = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file: its name in the version table ("schema/0001_accounts.sql"), text and checksum."""

    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def sql_directory() -> Path:
    """``<package>/sql`` of an installed wheel, else ``<checkout>/sql``."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "sql"
    return inside if inside.is_dir() else package.parent / "sql"


def schema_files() -> tuple[SqlFile, ...]:
    """Numbered files, each applied once, in the order of their numbers."""
    return _read("schema")


def function_files() -> tuple[SqlFile, ...]:
    """Repeatable files: applied again when their text changed, in the order of their names."""
    return _read("functions")


def legacy_files() -> tuple[SqlFile, ...]:
    """The steps that map the predecessor's rows, in the order of their names; part of no schema."""
    return _read("legacy")


def read(name: str) -> str:
    """The text of ``hardening.sql`` or ``checks.sql``."""
    return (sql_directory() / name).read_text(encoding="utf-8")


@cache
def schema_version() -> int:
    """The version that this program's files make."""
    return max(_number(path) for path in (sql_directory() / "schema").glob("*.sql"))


def _number(path: Path) -> int:
    match = _SCHEMA_NAME.fullmatch(path.name)
    if match is None:
        raise ValueError(f"{path.name} is no name of a schema file (0001_words.sql)")
    return int(match[1])


def _read(folder: str) -> tuple[SqlFile, ...]:
    paths = sorted((sql_directory() / folder).glob("*.sql"))
    return tuple(SqlFile(f"{folder}/{path.name}", path.read_text(encoding="utf-8")) for path in paths)
