"""Opens an old SQLite file: copies it, checks it, finds out what is in it."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final

from dpolg_tui.legacy.copying import CannotCopy, check_outside, copy, new_copy
from dpolg_tui.legacy.source import (
    CORE_TABLES,
    KNOWN_TABLES,
    BadSource,
    Column,
    SourceFile,
    SourceTable,
    connect,
    primary_code,
    quoted,
    reading,
    size_of,
)

__all__ = ["BadSource", "CannotCopy", "Column", "SourceFile", "SourceTable", "open_copy"]

_PIECE = 1024 * 1024
# What the check says of rows that can be read all the same: they break a rule or lack in an index.
_READABLE: Final = re.compile(
    r"NULL value in |CHECK constraint failed in |(?:TEXT|NUMERIC|INT|REAL|BLOB|non-\w+) value in "
    r"|non-unique entry in index |row \d+ missing from index |wrong # of entries in index "
    r"|row \d+ values differ from index |rowid not at end-of-record for row \d+ of index "
)
_MISSING_ORDER: Final = re.compile(r"no such collation sequence: (.+)", re.DOTALL)
# A file is none of the old program's without these, whatever its tables are called.
_NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "rooms": ("name",),
    "guests": ("vorname", "nachname"),
    "bookings": ("room_id", "guest_id", "checkin_date", "checkout_date"),
}
_LARGEST_ID: Final = 2**62


def open_copy(file: Path, backup_dir: Path) -> SourceFile:
    """Copy the file into ``backup_dir``, check the copy and list its tables.

    Raises BadSource with one sentence if the file is none of the old program's or is damaged; no
    copy stays behind then.
    """
    # SQLite keeps log and journal beside the file itself, not beside a link to it.
    file = Path(os.path.realpath(file))
    check_outside(file)
    with new_copy(file, backup_dir) as path:
        with reading(file):
            copy(file, path)
            with closing(connect(path)) as connection:
                warnings = _check_inside(connection, file.name)
                connection.text_factory = str
                tables, ignored = _inventory(connection)
        _check_core(tables, file.name)
        return SourceFile(
            original=file,
            path=path,
            sha256=_sha256(path),
            size=size_of(path),
            tables=tables,
            ignored=ignored,
            warnings=warnings,
        )


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as opened:
        while piece := opened.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _check_inside(connection: sqlite3.Connection, name: str) -> tuple[str, ...]:
    """SQLite's own check. Rows that break rules are for the mapping to judge, a broken file is refused."""
    # Messages quote what they found, in any encoding.
    connection.text_factory = lambda stored: stored.decode("utf-8", "replace")
    messages = _check(connection)
    found = [message for message in messages if message != "ok"]
    damage = [message for message in found if not _READABLE.match(message)]
    if damage:
        raise BadSource(
            f"Die Datei {name} ist beschädigt (SQLite meldet {len(damage)} Fehler):"
            " bitte eine Sicherung davon angeben."
        )
    return tuple(found)


def _check(connection: sqlite3.Connection) -> list[str]:
    check = "integrity_check"
    while True:
        try:
            return [str(row[0]) for row in connection.execute(f"PRAGMA {check}")]
        except sqlite3.OperationalError as error:
            missing = _MISSING_ORDER.fullmatch(str(error))
            if missing is None:
                raise
            # Only indexes need a sort order that the old program brought along: the check without them.
            connection.create_collation(missing[1], _some_order)
            check = "quick_check"


def _some_order(first: str, second: str) -> int:
    return (first > second) - (first < second)


def _check_core(tables: Mapping[str, SourceTable], name: str) -> None:
    if missing := [table for table in CORE_TABLES if table not in tables]:
        raise BadSource(
            f"In der Datei {name} {_missing(missing)}: bitte die Datenbank des alten Programms angeben."
        )
    for table, columns in _NEEDED.items():
        there = {column.name for column in tables[table].columns}
        if absent := [column for column in columns if column not in there]:
            raise BadSource(
                f"In der Datei {name} fehlt der Tabelle {table} die Spalte {absent[0]}:"
                " bitte die Datenbank des alten Programms angeben."
            )


def _missing(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"fehlt die Tabelle {names[0]}"
    return f"fehlen die Tabellen {', '.join(names[:-1])} und {names[-1]}"


def _inventory(connection: sqlite3.Connection) -> tuple[dict[str, SourceTable], tuple[str, ...]]:
    tables: dict[str, SourceTable] = {}
    ignored: list[str] = []
    for kind, name, root in connection.execute(
        "SELECT type, name, rootpage FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name"
    ).fetchall():
        if name.lower().startswith("sqlite_"):
            continue
        # A virtual table has no page of its own: what it shows is in ordinary tables.
        if kind == "view" or not root:
            ignored.append(name)
            continue
        table = _describe(connection, name)
        tables[table.name] = table
    return tables, tuple(ignored)


def _describe(connection: sqlite3.Connection, name: str) -> SourceTable:
    known = name.lower() in KNOWN_TABLES
    # 1 marks what only virtual tables hide; generated columns (2, 3) are data like any other.
    found = [
        Column(row[1].lower() if known else row[1], row[2])
        for row in connection.execute(f"PRAGMA table_xinfo({quoted(name)})")
        if row[6] != 1
    ]
    rowid = _rowid_name(connection, name, found)
    origin = f"FROM {quoted(name)} {'NOT INDEXED' if rowid else _by_key(connection, name)}"
    rows = connection.execute(f"SELECT count(*) {origin}").fetchone()[0]
    row_id, first_counted, repeated = _row_ids(connection, origin, rowid, found)
    return SourceTable(
        name=name.lower() if known else name,
        columns=tuple(found),
        rows=rows,
        known=known,
        origin=origin,
        row_id=row_id,
        first_counted=first_counted,
        repeated=repeated,
    )


def _row_ids(
    connection: sqlite3.Connection, origin: str, rowid: str | None, columns: Sequence[Column]
) -> tuple[str, int, frozenset[int]]:
    """How rows are told apart: expression, first counted id (0 = none), ids that occur more than once.

    The column ``id`` counts, because other tables refer to it, also where it is no key or holds its
    numbers as text. Rows without a usable one are counted from behind the largest.
    """
    named = next((column.name for column in columns if column.name.lower() == "id"), None)
    if named is None:
        return (rowid, 0, frozenset()) if rowid else ("NULL", 1, frozenset())
    own = quoted(named)
    # All SQL here is made of quoted names.
    if rowid:
        differs = f"SELECT EXISTS (SELECT 1 {origin} WHERE {own} IS NOT {rowid})"
        if not connection.execute(differs).fetchone()[0]:
            return rowid, 0, frozenset()
    number = f"CAST({own} AS INTEGER)"
    usable = (
        f"CASE WHEN (typeof({own}) = 'integer' OR typeof({own}) = 'real' AND {number} = {own}"
        f" OR typeof({own}) = 'text' AND CAST({number} AS TEXT) = {own})"
        f" AND {number} BETWEEN {-_LARGEST_ID} AND {_LARGEST_ID} THEN {number} END"
    )
    every, with_id, different, largest = connection.execute(
        f"SELECT count(*), count(i), count(DISTINCT i), max(i) FROM (SELECT {usable} AS i {origin})"
    ).fetchone()
    if every == different:
        return usable, 0, frozenset()
    repeated: frozenset[int] = frozenset()
    if different < with_id:
        again = f"SELECT i FROM (SELECT {usable} AS i {origin}) GROUP BY i HAVING count(i) > 1"
        repeated = frozenset(row[0] for row in connection.execute(again))
    return usable, max(largest or 0, 0) + 1, repeated


def _by_key(connection: sqlite3.Connection, table: str) -> str:
    """A table without rowid is stored in the order of its key, which SQLite calls an index."""
    for row in connection.execute(f"PRAGMA index_list({quoted(table)})"):
        if row[3] == "pk":
            return f"INDEXED BY {quoted(row[1])}"
    return "NOT INDEXED"


def _rowid_name(connection: sqlite3.Connection, table: str, columns: Sequence[Column]) -> str | None:
    """What SQLite's own number of a row is called here; None if the table has none."""
    taken = {column.name.lower() for column in columns}
    for name in ("rowid", "_rowid_", "oid"):
        if name not in taken:
            try:
                connection.execute(f"SELECT {name} FROM {quoted(table)} LIMIT 0")
            except sqlite3.OperationalError as error:
                if primary_code(error) != sqlite3.SQLITE_ERROR:
                    raise
                return None
            return name
    return None
