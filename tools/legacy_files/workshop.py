"""Where a finished file is spoiled: picks rows that are sound still, changes them, remembers which."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.legacy_files.layout import Layout


@dataclass(slots=True)
class Workshop:
    """One file under one defect at a time; ``defect`` says which."""

    database: sqlite3.Connection
    file: Layout
    rng: random.Random
    defect: str = ""
    hits: dict[str, dict[tuple[str, int], None]] = field(default_factory=dict)
    cells: dict[str, list[tuple[str, int, str]]] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)
    _touched: set[tuple[str, int]] = field(default_factory=set)

    def pick(self, table: str, rate: float, where: str = "", *, needs: Sequence[str] = ()) -> list[int]:
        """Ids of rows to spoil: a share of those still sound, at least one; none without the columns."""
        if not self.file.has(table, *needs) or rate <= 0:
            return []
        free = self.free(table, where)
        wanted = min(len(free), max(1, round(rate * len(free))))
        return sorted(self.rng.sample(free, wanted))

    def free(self, table: str, where: str = "") -> list[int]:
        """Ids of the rows that nothing has spoiled yet."""
        query = f"SELECT id FROM {table} {'WHERE ' + where if where else ''} ORDER BY id"
        return [number for (number,) in self.database.execute(query) if (table, number) not in self._touched]

    def row(self, table: str, number: int, columns: str) -> tuple[Any, ...]:
        """Values of one row."""
        found: tuple[Any, ...] = self.database.execute(
            f"SELECT {columns} FROM {table} WHERE id = ?", (number,)
        ).fetchone()
        return found

    def set(self, table: str, number: int, values: Mapping[str, Any], *, as_text: bool = False) -> None:
        """Writes into a row; ``as_text`` stores bytes as TEXT. Columns this file has not are left out."""
        present = {name: value for name, value in values.items() if self.file.has(table, name)}
        place = "CAST(? AS TEXT)" if as_text else "?"
        sets = ", ".join(f"{name} = {place}" for name in present)
        self.database.execute(f"UPDATE {table} SET {sets} WHERE id = ?", (*present.values(), number))
        self.note(table, number, *present)

    def insert(self, table: str, values: Mapping[str, Any]) -> int:
        """A new row behind the others; says its id."""
        (number,) = self.database.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").fetchone()
        present = {"id": number} | {
            name: value for name, value in values.items() if self.file.has(table, name)
        }
        places = ", ".join("?" * len(present))
        self.database.execute(
            f"INSERT INTO {table} ({', '.join(present)}) VALUES ({places})", tuple(present.values())
        )
        self.note(table, number, *present)
        return int(number)

    def copy(self, table: str, number: int, **changed: Any) -> int:
        """The same row once more under a new id."""
        (new,) = self.database.execute(f"SELECT max(id) + 1 FROM {table}").fetchone()
        changed["id"] = new
        names = [column.name for column in self.file.tables[table]]
        quoted = {name: '"' + name.replace('"', '""') + '"' for name in names}
        taken = ", ".join("?" if name in changed else quoted[name] for name in names)
        self.database.execute(
            f"INSERT INTO {table} ({', '.join(quoted.values())}) SELECT {taken} FROM {table} WHERE id = ?",
            (*(changed[name] for name in names if name in changed), number),
        )
        self.note(table, int(new), *names)
        return int(new)

    def note(self, table: str, number: int, *columns: str) -> None:
        """This row has the defect now; no other may come upon it."""
        self.hits.setdefault(self.defect, {})[table, number] = None
        self.cells.setdefault(self.defect, []).extend((table, number, column) for column in columns)
        self.leave_alone(table, number)

    def leave_alone(self, table: str, number: int) -> None:
        """No defect may come upon this row: one depends on it."""
        self._touched.add((table, number))


@dataclass(frozen=True, slots=True)
class Defect:
    """A kind of trouble: what it does, and what a file must look like so that SQLite lets it happen."""

    name: str
    sentence: str
    spoil: Callable[[Workshop, float], None]
    #: The first stage that has what it spoils.
    first_stage: int = 1
    #: Tables made without NOT NULL, UNIQUE and CHECK.
    loosens: tuple[str, ...] = ()
    #: Columns declared without a type, so that any storage class stays.
    untyped: tuple[tuple[str, str], ...] = ()


def each(
    table: str, values: Callable[[Workshop, int], Mapping[str, Any]], where: str = "", *needs: str
) -> Callable[[Workshop, float], None]:
    """A defect that writes the same kind of value into picked rows of one table."""

    def spoil(work: Workshop, rate: float) -> None:
        for number in work.pick(table, rate, where, needs=needs):
            work.set(table, number, values(work, number))

    return spoil


def one_of(column: str, *choices: Any) -> Callable[[Workshop, int], dict[str, Any]]:
    """For ``each``: any of the values into the column."""
    return lambda work, _: {column: work.rng.choice(choices)}
