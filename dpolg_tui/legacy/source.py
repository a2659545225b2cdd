"""An old SQLite file as the migration sees it: its tables, and their rows one after the other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from dpolg_tui.domain.errors import DomainError

StorageClass = Literal["null", "integer", "real", "text", "blob"]
Cell: TypeAlias = tuple[StorageClass, bytes | int | float | None]
Batch: TypeAlias = list[tuple[Any, ...]]
"""Rows as (row id, value, value, …)."""

CORE_TABLES: Final = ("rooms", "guests", "bookings")
KNOWN_TABLES: Final = frozenset(
    (
        *CORE_TABLES,
        *("accompanying_guests", "guest_companions", "additional_services", "discounts"),
        *("service_templates", "discount_templates", "booking_services", "booking_discounts"),
        *("booking_attributes", "booking_attribute_assignments"),
        *("payment_recipients", "guest_credit_transactions"),
        *("email_config", "email_templates", "email_logs", "reminders", "reminder_settings"),
        *("company_settings", "payment_settings", "pricing_settings", "notification_settings"),
        *("backup_settings", "transaction_log", "seasons", "room_prices", "price_history", "audit_log"),
    )
)

_LARGEST_BATCH = 1000
_LARGEST_PART = 64
_BATCH_BYTES = 512 * 1024
# A text decoded like this shows by its lone surrogates that it is not UTF-8, and gives its bytes back.
_UNDECODABLE = "surrogateescape"
_NOT_UTF8 = "Could not decode to UTF-8"
_CLASSES: Final[Mapping[type, StorageClass]] = {
    type(None): "null",
    int: "integer",
    float: "real",
    bytes: "blob",
}


class BadSource(DomainError):  # noqa: N818 - named like the domain's errors
    """Die alte Datei lässt sich nicht lesen: bitte eine Sicherung davon angeben."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the old file; anything can stand in it, whatever type is declared."""

    name: str
    declared_type: str


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table of the old file. Names of known tables and of their columns are in small letters."""

    name: str
    columns: tuple[Column, ...]
    rows: int
    known: bool
    origin: str
    """FROM in SQL, past the indexes: they alone may be damaged, and would change the order."""
    row_id: str
    """SQL expression of the row id; NULL where the row has none of its own and is counted instead."""
    first_counted: int = 1
    """The row id of the first row without one of its own."""
    repeated: frozenset[int] = frozenset()
    """Ids that several rows have: the first keeps it, the others are counted."""

    @property
    def has_own_ids(self) -> bool:
        """Whether every row id comes from the file, so that a later copy of the file has the same ones."""
        return self.first_counted == 0

    @property
    def query(self) -> str:
        """Row id and columns in their order."""
        columns = ", ".join(quoted(column.name) for column in self.columns)
        return f"SELECT {self.row_id}, {columns} {self.origin}"


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A good old file, copied. Reading goes to the copy, which nobody changes."""

    original: Path
    path: Path
    """The copy, readable for its owner alone."""
    sha256: str
    """Of the copy; the same content gives the same one."""
    size: int
    tables: Mapping[str, SourceTable]
    ignored: tuple[str, ...] = ()
    """Views and virtual tables, whose data is in other tables."""
    warnings: tuple[str, ...] = ()
    """What SQLite's check found, none of which keeps a row from being read."""

    def rows(self, table: str) -> Iterator[tuple[int, dict[str, Cell]]]:
        """The rows in the file's order, text as the bytes it is stored as (in UTF-8, if that can be)."""
        found = self.tables[table]
        names = [column.name for column in found.columns]
        with reading(self.original), closing(connect(self.path)) as connection:
            connection.text_factory = _Text
            for batch in _numbered(found, _batches(connection, found.query)):
                for row in batch:
                    yield (
                        row[0],
                        {
                            name: ("text", bytes(value))
                            if type(value) is _Text
                            else (_CLASSES[type(value)], value)
                            for name, value in zip(names, row[1:], strict=True)
                        },
                    )

    def batches(self, table: str) -> Iterator[Batch]:
        """The rows as fast as Python can: text as ``str``, with lone surrogates where it is not UTF-8.

        A batch has some 512 KB at most, unless single rows are larger or grow suddenly.
        """
        found = self.tables[table]
        with reading(self.original), closing(connect(self.path)) as connection:
            yield from _numbered(found, _decoded(connection, found.query))


class _Text(bytes):
    """Stored as text, unlike other bytes."""

    __slots__ = ()


def quoted(name: str) -> str:
    """An identifier for SQLite, whatever it looks like."""
    return '"' + name.replace('"', '""') + '"'


def connect(
    path: Path, parameters: str = "mode=ro&immutable=1", *, timeout: float = 5.0
) -> sqlite3.Connection:
    """Opens a file; without other wishes one that nobody changes meanwhile."""
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?{parameters}",
        uri=True,
        timeout=timeout,
        isolation_level=None,
        # Whoever reads is one at a time, yet may be a thread other than the one that opened.
        check_same_thread=False,
    )
    # Neither the schema's functions nor wrong cell sizes of a file that we did not write are trusted.
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA cell_size_check = ON")
    return connection


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into a sentence that names the remedy. Their own texts may quote data."""
    try:
        yield
    except sqlite3.Error as error:
        raise BadSource(sentence_of(error, path.name)) from error
    except UnicodeDecodeError as error:
        raise BadSource(
            f"In der Datei {path.name} sind Namen von Tabellen oder Spalten nicht lesbar:"
            " bitte eine Sicherung der Datei angeben."
        ) from error


def primary_code(error: sqlite3.Error) -> int:
    """SQLite's error code; 0 if the error is the Python module's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def sentence_of(error: sqlite3.Error, name: str) -> str:
    """What an error of SQLite means to whoever has the file."""
    code = primary_code(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return f"Die Datei {name} ist gesperrt: bitte das alte Programm beenden und noch einmal versuchen."
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_READONLY):
        return (
            f"Die Datei {name} lässt sich nicht öffnen:"
            " bitte die Zugriffsrechte der Datei und ihres Ordners prüfen."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return (
            f"Die Datei {name} ist verschlüsselt oder beschädigt:"
            " bitte eine unverschlüsselte Kopie oder eine Sicherung angeben."
        )
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL):
        return (
            f"Die Datei {name} lässt sich nicht zu Ende lesen:"
            " bitte Datenträger und freien Platz prüfen oder eine Sicherung angeben."
        )
    return f"Die Datei {name} ist beschädigt: bitte eine Sicherung davon angeben."


def _batches(connection: sqlite3.Connection, query: str, skip: int = 0) -> Iterator[Batch]:
    with closing(connection.execute(f"{query} LIMIT -1 OFFSET ?", (skip,))) as cursor:
        # Fetched in small parts, sized by what came last: memory stays the same whatever the table holds.
        wanted = 1
        batch: Batch = []
        size = 0
        while part := cursor.fetchmany(wanted):
            last = sum(len(value) for value in part[-1] if isinstance(value, str | bytes)) + 16 * len(
                part[-1]
            )
            wanted = max(1, min(_LARGEST_PART, wanted * 8, _BATCH_BYTES // last))
            batch += part
            size += last * len(part)
            if size >= _BATCH_BYTES or len(batch) >= _LARGEST_BATCH:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch


def _decoded(connection: sqlite3.Connection, query: str) -> Iterator[Batch]:
    """Decoding in C is fastest, but stops at the first text that is not UTF-8; slower from there on."""
    done = 0
    try:
        for batch in _batches(connection, query):
            yield batch
            done += len(batch)
    except sqlite3.OperationalError as error:
        if not str(error).startswith(_NOT_UTF8):
            raise
    else:
        return
    connection.text_factory = lambda stored: stored.decode("utf-8", _UNDECODABLE)
    yield from _batches(connection, query, done)


def _numbered(table: SourceTable, batches: Iterator[Batch]) -> Iterator[Batch]:
    if table.has_own_ids:
        yield from batches
        return
    following = table.first_counted
    seen: set[int] = set()
    for batch in batches:
        numbered = []
        for row in batch:
            own = row[0]
            if own is None or own in seen:
                own, following = following, following + 1
            elif own in table.repeated:
                seen.add(own)
            numbered.append((own, *row[1:]))
        yield numbered


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
