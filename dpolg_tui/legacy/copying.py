"""Copies an old SQLite file safely, whatever state it is in.

The file itself is never written to, and nothing appears beside it: what SQLite would have to
tidy up in its folder (an unfinished journal, a log without its index) it does on a private copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from dpolg_tui.domain.zone import in_house
from dpolg_tui.legacy.errors import reason
from dpolg_tui.legacy.source import BadSource, connect, primary_code, size_of

BUSY_LIMIT = 10.0
"""Seconds to wait for the old program to finish writing."""

_MAGIC: Final = b"SQLite format 3\0"
_SMALLEST: Final = 512
_LONGEST_NAME = 50
_ATTEMPTS = 3
# Errors that only the copy can cause, since nothing else is written to.
_REFUSED: Final = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_UNWRITTEN: Final = (
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_DIR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
)


class CannotCopy(BadSource):
    """Die Kopie der alten Datei ließ sich nicht schreiben: bitte freien Platz und Zugriffsrechte prüfen."""


class _Unsteady(Exception):  # noqa: N818 - said to ourselves only
    """The file changed while it was copied."""


def check_outside(file: Path) -> None:
    name = file.name or str(file)
    try:
        if file.is_dir():
            raise BadSource(f"{name} ist ein Ordner: bitte die SQLite-Datei darin angeben.")
        if not file.exists():
            raise BadSource(f"Die Datei {name} gibt es nicht: bitte den Pfad prüfen.")
        if not file.is_file():
            raise BadSource(f"{name} ist keine gewöhnliche Datei: bitte die SQLite-Datei angeben.")
        size = size_of(file)
        with file.open("rb") as opened:
            head = opened.read(4096)
    except PermissionError as error:
        raise BadSource(
            f"Die Datei {name} darf nicht gelesen werden:"
            " bitte die Zugriffsrechte der Datei und ihres Ordners prüfen."
        ) from error
    except OSError as error:
        raise BadSource(
            f"Die Datei {name} lässt sich nicht lesen ({reason(error)}): bitte Pfad und Datenträger prüfen."
        ) from error
    if size == 0 and size_of(_beside(file, "-wal")) == 0:
        raise BadSource(
            f"Die Datei {name} ist leer: bitte die richtige Datei oder eine Sicherung davon angeben."
        )
    if size > 0 and not head.startswith(_MAGIC):
        if _looks_encrypted(head, size):
            raise BadSource(
                f"Die Datei {name} ist verschlüsselt oder keine SQLite-Datei:"
                " bitte eine unverschlüsselte Kopie der Datenbank angeben."
            )
        raise BadSource(
            f"Die Datei {name} ist keine SQLite-Datei: bitte die Datenbank des alten Programms angeben."
        )
    if size > 0 and size_of(_beside(file, "-wal")) == 0:
        _check_length(head, size, name)


def _looks_encrypted(head: bytes, size: int) -> bool:
    """Whole pages of noise: an encrypted database has no plain byte, other files have a readable head."""
    return size % _SMALLEST == 0 and size > _SMALLEST and len(set(head)) > 200 and not head[:8].isascii()


def _check_length(head: bytes, size: int, name: str) -> None:
    if size >= _SMALLEST:
        page = int.from_bytes(head[16:18], "big")
        page = 65536 if page == 1 else page
        if page < _SMALLEST or page & (page - 1):
            return  # not the header of any database: SQLite will say so
        # The number of pages counts only if the same program wrote it as wrote last.
        is_valid = head[24:28] == head[92:96]
        expected = page * int.from_bytes(head[28:32], "big") if is_valid else 0
        if size >= expected and (expected or size % max(page, 1) == 0):
            return
    else:
        expected = _SMALLEST
    missing = f" ({size} statt {expected} Bytes)" if expected > size else ""
    raise BadSource(
        f"Die Datei {name} ist unvollständig{missing}:"
        " bitte sie noch einmal kopieren oder eine Sicherung davon angeben."
    )


@contextmanager
def new_copy(file: Path, directory: Path) -> Iterator[Path]:
    """An empty file for the owner alone, named after the moment; removed again if what follows fails."""
    stamp = in_house(datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = _create(directory, f"{file.stem[:_LONGEST_NAME]}-{stamp}")
    except OSError as error:
        raise CannotCopy(
            f"In den Ordner {directory} lässt sich nicht schreiben:"
            " bitte mit --backup-dir einen anderen angeben."
        ) from error
    try:
        yield path
    except BaseException:
        for left in (path, _beside(path, "-journal")):
            left.unlink(missing_ok=True)
        raise


def _create(directory: Path, stem: str) -> Path:
    number = 1
    while True:
        path = directory / (f"{stem}.sqlite" if number == 1 else f"{stem}-{number}.sqlite")
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            number += 1
        else:
            return path


def copy(file: Path, target: Path) -> None:
    for _ in range(_ATTEMPTS):
        try:
            _copy_once(file, target)
        except _Unsteady:
            continue
        return
    raise BadSource(
        f"Die Datei {file.name} wird gerade geändert:"
        " bitte das alte Programm beenden und noch einmal versuchen."
    )


def _copy_once(file: Path, target: Path) -> None:
    """By the way that leaves the file and its folder alone, depending on what lies beside it."""
    log, index = _beside(file, "-wal"), _beside(file, "-shm")
    if index.exists() and log.exists():
        parameters = "mode=ro"  # in use, or ended without tidying up: SQLite finds its way
    elif size_of(log):
        _copy_privately(file, target)
        return
    elif _keeps_a_log(file):
        parameters = "mode=ro&immutable=1"  # otherwise SQLite would create log and index
    else:
        parameters = "mode=ro"
    before = _state(file)
    try:
        _back_up(file, target, parameters)
    except sqlite3.OperationalError as error:
        # An unfinished change of a program that crashed can only be undone where writing is allowed.
        if primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) or not _has_company(file):
            raise
        _copy_privately(file, target)
        return
    if "immutable" in parameters and _state(file) != before:
        raise _Unsteady


def _back_up(source: Path, target: Path, parameters: str) -> None:
    with closing(connect(source, parameters, timeout=BUSY_LIMIT)) as opened:
        # Taking the lock here obeys the time limit; backup() itself would wait for ever.
        opened.execute("BEGIN")
        opened.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with closing(sqlite3.connect(target, isolation_level=None)) as written:
            try:
                opened.backup(written)
                # Read-only places could not open a copy that wants a log beside it.
                written.execute("PRAGMA journal_mode = DELETE").fetchone()
            except sqlite3.OperationalError as error:
                if primary_code(error) in _REFUSED or getattr(error, "sqlite_errorcode", 0) in _UNWRITTEN:
                    raise CannotCopy from error
                raise


def _copy_privately(file: Path, target: Path) -> None:
    """Copy the file with its log or journal, and let SQLite finish or undo there what was begun."""
    try:
        with tempfile.TemporaryDirectory(prefix="migrate-data-", dir=target.parent) as directory:
            private = Path(directory) / "private.sqlite"
            before = _state(file)
            for ending in ("", "-wal", "-journal"):
                if ending == "" or _beside(file, ending).exists():
                    shutil.copyfile(_beside(file, ending), _beside(private, ending))
            if _state(file) != before:
                raise _Unsteady
            _back_up(private, target, "mode=rw")
    except PermissionError as error:
        raise BadSource(
            f"Die Dateien neben {file.name} dürfen nicht gelesen werden: bitte ihre Zugriffsrechte prüfen."
        ) from error
    except OSError as error:
        raise CannotCopy from error


def _state(file: Path) -> list[tuple[int, int] | None]:
    """Size and last change of the file and of what belongs to it."""
    state: list[tuple[int, int] | None] = []
    for ending in ("", "-wal", "-journal"):
        try:
            found = _beside(file, ending).stat()
        except FileNotFoundError:
            state.append(None)
        else:
            state.append((found.st_size, found.st_mtime_ns))
    return state


def _has_company(file: Path) -> bool:
    return size_of(_beside(file, "-wal")) > 0 or size_of(_beside(file, "-journal")) > 0


def _keeps_a_log(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(20)[18:20] == b"\x02\x02"


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)
