"""Makes a file: lays out the tables of a stage, fills them, spoils them, says what it did."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from tools.legacy_files import (
    defects_of_bookings,
    defects_of_people,
    defects_of_records,
    layout,
    rows,
    schema,
    settings_rows,
)
from tools.legacy_files.table import Column
from tools.legacy_files.workshop import Defect, Workshop

#: Every defect by name, in the order in which they are applied; a row has at most one of them.
DEFECTS: Mapping[str, Defect] = {
    defect.name: defect
    for module in (defects_of_bookings, defects_of_people, defects_of_records)
    for defect in module.DEFECTS
}
_FIRST = ("guest_companions",)
_LAST = ("email_logs", "transaction_log")


@dataclass(frozen=True, slots=True)
class Built:
    """What a generated file holds, known without reading it the way the migration does."""

    path: Path
    stage: int
    #: Rows of every table, unknown ones too, without SQLite's own.
    counts: dict[str, int]
    #: Per defect the rows that have it; of a table without ids the position of the row.
    hits: dict[str, tuple[tuple[str, int], ...]]
    #: Per defect the cells that were changed.
    cells: dict[str, tuple[tuple[str, int, str], ...]]
    #: Key codes and mail passwords: none may be found anywhere but in their column.
    secrets: frozenset[str]

    @property
    def rows(self) -> int:
        """Rows of all tables together."""
        return sum(self.counts.values())


def build(
    path: Path,
    stage: int = schema.LATE,
    *,
    guests: int = 300,
    bookings: int = 200,
    rooms: int | None = None,
    log_rows: int | None = None,
    seed: int = 0,
    defects: Mapping[str, float] | None = None,
    wal: bool = False,
    without: Collection[str] = (),
) -> Built:
    """A file of this schema stage; without defects it is sound: every sum right, nothing overlapping.

    ``log_rows`` is shared out between mail log and transaction log (default: three per booking).
    ``defects`` gives the rate of eligible rows per name, at least one row; what a stage has not, nothing
    happens to. ``wal`` leaves the last change in a ``-wal`` beside the file. ``without`` names tables or
    ``table.column`` that the file never got.
    """
    rates = dict(defects or {})
    _check(rates, guests, bookings)
    rng = random.Random(seed)
    file = layout.layout(stage, rng, without)
    logs = 3 * bookings if log_rows is None else log_rows
    mails = 0 if not file.has("email_logs") else logs // 4 if file.has("transaction_log") else logs
    # Real houses have 16 rooms; more only where the bookings would reach over centuries.
    room_count = max(16, bookings // 800) if rooms is None else rooms
    house = rows.House(rng, file, room_count, guests, bookings, mails, logs - mails)
    return _write(path, house, rates, wal, None)


def build_rows(
    path: Path,
    total: int = 1_000_000,
    stage: int = schema.LATE,
    *,
    seed: int = 0,
    defects: Mapping[str, float] | None = None,
) -> Built:
    """A file of exactly so many rows (1,000 or more; defects may add some), in fixed shares; for benches."""
    rates = dict(defects or {})
    if total < 1000:
        raise ValueError("a file counted in rows has 1,000 or more")
    bookings = total * 15 // 100
    _check(rates, total * 12 // 100, bookings)
    rng = random.Random(seed)
    file = layout.layout(stage, rng)
    room_count = max(16, bookings // 800)
    house = rows.House(rng, file, room_count, total * 12 // 100, bookings, total * 15 // 100, 0)
    return _write(path, house, rates, False, total)


def build_newer(
    path: Path,
    earlier: Path,
    *,
    seed: int = 0,
    changed: float = 0.02,
    added: float = 0.02,
    removed: float = 0.0,
) -> Built:
    """The same house some days later: ``hits`` has the rows ``changed``, ``added`` and ``removed``."""
    shutil.copyfile(earlier, path)
    rng = random.Random(seed)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        file = _layout_of(database)
        work = Workshop(database, file, rng)
        database.execute("BEGIN")
        work.defect = "removed"
        for number in work.pick("bookings", removed):
            database.execute("DELETE FROM bookings WHERE id = ?", (number,))
            work.note("bookings", number)
        for work.defect, rate in (("changed", changed), ("added", added)):
            for table, column in (("guests", "notizen"), ("bookings", "bemerkungen")):
                for number in work.pick(table, rate):
                    text = {column: f"Nachgetragen {number}"}
                    if work.defect == "changed":
                        work.set(table, number, text)
                    elif table == "guests":
                        work.copy(table, number, **text)
                    else:
                        _add_booking(work, number, text)
        database.execute("COMMIT")
        return _built(path, file.stage, work)


def applicable(stage: int) -> Iterator[str]:
    """The names of the defects that a stage can have."""
    return (name for name, defect in DEFECTS.items() if defect.first_stage <= stage)


def _check(rates: Mapping[str, float], guests: int, bookings: int) -> None:
    if unknown := sorted(set(rates) - set(DEFECTS)):
        raise ValueError(f"no such defect: {', '.join(unknown)}")
    if wrong := sorted(name for name, rate in rates.items() if not 0 <= rate <= 1):
        raise ValueError(f"a rate is between 0 and 1: {', '.join(wrong)}")
    if guests < 0 or bookings < 0 or (bookings and not guests):
        raise ValueError("bookings need guests, and neither is negative")


def _write(path: Path, house: rows.House, rates: Mapping[str, float], wal: bool, total: int | None) -> Built:
    file = house.file
    chosen = [defect for name, defect in DEFECTS.items() if rates.get(name, 0) > 0]
    untyped = {column for defect in chosen for column in defect.untyped}
    loosened = {table for defect in chosen for table in defect.loosens}
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = OFF")
        database.execute("PRAGMA synchronous = OFF")
        database.execute("BEGIN")
        for table in layout.creation_order(file):
            database.execute(layout.create(table, file, untyped, loosened))
        _fill(database, house, total)
        work = Workshop(database, file, random.Random(house.rng.random()), secrets=_secrets(database, file))
        for defect in chosen:
            work.defect = defect.name
            work.hits.setdefault(defect.name, {})
            if defect.first_stage <= file.stage:
                defect.spoil(work, rates[defect.name])
        for statement in layout.indexes(file):
            database.execute(statement)
        if file.stage == schema.LAST:
            for statement in schema.VIEWS:
                database.execute(statement)
        database.execute("COMMIT")
        if file.stage >= schema.LAST - 1:
            database.execute("ANALYZE")
    if wal:
        return _change_in_the_wal(path, work)
    with closing(sqlite3.connect(path)) as work.database:
        return _built(path, file.stage, work)


def _fill(database: sqlite3.Connection, house: rows.House, total: int | None) -> None:
    """Those that others refer to first, the logs last: they take what is missing to the total."""
    tables = house.file.tables
    middle = [table for table in tables if table not in _FIRST + _LAST]
    for table in (
        *(name for name in _FIRST if name in tables),
        *middle,
        *(name for name in _LAST if name in tables),
    ):
        if total is not None and table in _LAST:
            written = _count(database, (name for name in tables if name != table))
            last = table == [name for name in _LAST if name in tables][-1]
            if last:
                house.mail_count = house.log_count = max(0, total - written)
        columns = tables[table]
        positions = {column.name: index for index, column in enumerate(schema.BY_NAME[table].columns)}
        names = ", ".join(column.name for column in columns)
        places = ", ".join("?" * len(columns))
        project = itemgetter(*(positions[column.name] for column in columns))
        database.executemany(
            f"INSERT INTO {table} ({names}) VALUES ({places})", map(project, house.rows(table))
        )


def _count(database: sqlite3.Connection, tables: Iterable[str]) -> int:
    return sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def _secrets(database: sqlite3.Connection, file: layout.Layout) -> set[str]:
    found = {settings_rows.SMTP_PASSWORD} if file.has("email_config") else set()
    if file.has("rooms", "schluesselcode"):
        query = "SELECT schluesselcode FROM rooms WHERE schluesselcode IS NOT NULL"
        found.update(code for (code,) in database.execute(query))
    return found


def _change_in_the_wal(path: Path, work: Workshop) -> Built:
    """One more guest, committed but only in the write-ahead log, as if the program had just been killed."""
    aside = path.with_name(path.name + ".building")
    path.rename(aside)
    with closing(sqlite3.connect(aside, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        work.database, work.defect = database, "wal"
        values = {"vorname": "Nur im", "nachname": "Walprotokoll", "email": "wal@example.org"}
        if work.file.has("guests"):
            work.insert("guests", values | {"telefon": "030 23125999", "dpolg_mitglied": 0})
        # Whoever opens the copy and closes it again moves the change into the file: read it here.
        built = _built(path, work.file.stage, work)
        shutil.copyfile(aside, path)
        shutil.copyfile(f"{aside}-wal", f"{path}-wal")
    aside.unlink()
    return built


def _built(path: Path, stage: int, work: Workshop) -> Built:
    names = [
        name
        for (name,) in work.database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid"
        )
    ]
    counts = {name: _count(work.database, ('"' + name.replace('"', '""') + '"',)) for name in names}
    return Built(
        path,
        stage,
        counts,
        {name: tuple(hits) for name, hits in work.hits.items()},
        {name: tuple(cells) for name, cells in work.cells.items()},
        frozenset(work.secrets),
    )


def _layout_of(database: sqlite3.Connection) -> layout.Layout:
    """The layout of a file that is there already."""
    names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    known = [name for name in names if name in schema.BY_NAME]
    found = layout.Layout(max(1, len(known) - schema.CORE_TABLES + 1))
    for name in known:
        columns = database.execute(f"PRAGMA table_info({name})").fetchall()
        found.tables[name] = tuple(Column(column, declared) for _, column, declared, *_ in columns)
    return found


def _add_booking(work: Workshop, like: int, text: Mapping[str, Any]) -> None:
    """A new booking behind every other stay."""
    (last,) = work.database.execute(
        "SELECT coalesce(max(date(checkout_date)), '2026-01-01') FROM bookings"
        " WHERE date(checkout_date) BETWEEN '2000-01-01' AND '2100-01-01'"
    ).fetchone()
    (number,) = work.database.execute("SELECT max(id) + 1 FROM bookings").fetchone()
    (start,) = work.database.execute("SELECT date(?, '+1 day')", (last,)).fetchone()
    (end,) = work.database.execute("SELECT date(?, '+3 days')", (start,)).fetchone()
    values = {"checkin_date": start, "checkout_date": end, "anzahl_naechte": 3, "status": "bestaetigt"}
    work.copy("bookings", like, reservierungsnummer=f"2025-{number}", **values, **text)
