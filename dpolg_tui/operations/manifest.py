"""What belongs to one backup: its files, and the manifest that says what must be in them.

A backup is three files of one name: ``.dump`` (pg_dump -Fc), ``.globals.sql`` (roles without passwords) and
``.json``, the manifest. That one is written last: a dump without it was never finished.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dpolg_tui.db.backups import Facts
from dpolg_tui.db.fingerprints import TableMark
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.zone import in_house
from dpolg_tui.operations.files import reason

FORMAT = 1
DUMP, GLOBALS, MANIFEST = ".dump", ".globals.sql", ".json"
DRAFT = ".part"
_NAME = re.compile(r"dpolg_backup_\d{8}_\d{6}")


class BadManifest(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Begleitdatei der Sicherung ist nicht lesbar."""


@dataclass(frozen=True, slots=True)
class FileMark:
    """A file as it was when the backup was made; ``name`` without directory."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    facts: Facts
    program: str
    """The version of dpolg-tui."""
    dumped_by: int
    """Major version of pg_dump: an older pg_restore cannot read its file."""
    dump: FileMark
    globals: FileMark
    tables: Mapping[str, TableMark]

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables.values())

    def write(self, file: Path) -> None:
        """Put it into a file that exists already, readable for us alone."""
        content: dict[str, Any] = {"format": FORMAT, **asdict(self)}
        content["facts"]["moment"] = self.facts.moment.isoformat()
        file.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(file: Path) -> Manifest:
    """The manifest in a file. Raises BadManifest, and FileNotFoundError if there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        if content["format"] > FORMAT:
            raise BadManifest(
                f"{file.name} stammt von einem neueren Programm: bitte das dieser Sicherung benutzen."
            )
        facts = content["facts"]
        return Manifest(
            facts=Facts(**{**facts, "moment": datetime.fromisoformat(facts["moment"])}),
            program=content["program"],
            dumped_by=content["dumped_by"],
            dump=FileMark(**content["dump"]),
            globals=FileMark(**content["globals"]),
            tables={name: TableMark(**mark) for name, mark in content["tables"].items()},
        )
    except FileNotFoundError:
        raise
    except OSError as error:
        raise BadManifest(
            f"Die Begleitdatei {file} ist nicht lesbar ({reason(error)}): bitte die Rechte prüfen."
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadManifest(
            f"Die Begleitdatei {file} ist beschädigt: bitte eine andere Sicherung benutzen, oder diese mit "
            "--without-manifest ungeprüft wiederherstellen."
        ) from error


def name_at(moment: datetime) -> str:
    """The name of a backup of that moment, by the house's clock: ``dpolg_backup_20261122_030000``."""
    return f"dpolg_backup_{in_house(moment):%Y%m%d_%H%M%S}"


def day_of(name: str) -> datetime:
    """When a backup was made, from its name (the house's clock, without zone)."""
    return datetime.strptime(name.removeprefix("dpolg_backup_"), "%Y%m%d_%H%M%S")  # noqa: DTZ007


def names_in(directory: Path) -> list[str]:
    """Names of the finished backups in a directory, oldest first. Raises OSError."""
    return sorted(
        name
        for path in directory.iterdir()
        if path.name.endswith(MANIFEST)
        and _NAME.fullmatch(name := path.name.removesuffix(MANIFEST))
        and (directory / f"{name}{DUMP}").is_file()
    )


def beside(dump: Path) -> Path:
    """Where the manifest of a dump is."""
    return dump.with_name(f"{dump.name.removesuffix(DUMP)}{MANIFEST}")
