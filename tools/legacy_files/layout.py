"""Which tables and columns one file has, in which order, and the statements that make them."""

from __future__ import annotations

import random
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from tools.legacy_files.schema import BY_NAME, LAST, STAGES, TABLES
from tools.legacy_files.table import Column, Table

_HARMLESS = re.compile(r"PRIMARY KEY(?: AUTOINCREMENT)?|DEFAULT (?:'[^']*'|\S+)")


@dataclass(frozen=True, slots=True)
class Layout:
    """The tables of one file with their columns in the file's order."""

    stage: int
    tables: dict[str, tuple[Column, ...]] = field(default_factory=dict)

    def has(self, table: str, *columns: str) -> bool:
        """Whether this file has the table, and all of the columns."""
        names = {column.name for column in self.tables.get(table, ())}
        return bool(names) and names.issuperset(columns)


def layout(stage: int, rng: random.Random, without: Collection[str] = ()) -> Layout:
    """The tables of a stage; ``without`` names tables and ``table.column`` that this file never got."""
    if stage not in STAGES:
        raise ValueError(f"there are stages {STAGES.start} to {STAGES.stop - 1}, not {stage}")
    known = {name for table in TABLES for name in (table.name, *_qualified(table))}
    if unknown := sorted(set(without) - known):
        raise ValueError(f"no such table or column: {', '.join(unknown)}")
    found = Layout(stage)
    for table in TABLES:
        if table.stage <= stage and table.name not in without:
            found.tables[table.name] = tuple(
                column
                for column in _in_the_files_order(table, stage, rng)
                if f"{table.name}.{column.name}" not in without
            )
    return found


def create(
    table: str, file: Layout, untyped: Collection[tuple[str, str]] = (), loosened: Collection[str] = ()
) -> str:
    """The CREATE TABLE of a table in this file; loosened: no rules but the key; untyped: no affinity."""
    spec = BY_NAME[table]
    rebuilt = spec.rebuilt is not None and spec.rebuilt <= file.stage
    lines = []
    for column in file.tables[table]:
        declared = "" if (table, column.name) in untyped else column.declared
        rules = column.rules
        if table in loosened:
            rules = " ".join(_HARMLESS.findall(rules))
        elif rebuilt and column.name in spec.looser:
            rules = "" if "CHECK" not in rules else "NOT NULL"
        lines.append(" ".join(filter(None, (column.name, declared, rules))))
    present = {column.name for column in file.tables[table]}
    for rule in spec.tail:
        named = rule[rule.index("(") + 1 : rule.index(")")].split(", ")
        if present.issuperset(named) and not (table in loosened and rule.startswith("UNIQUE")):
            lines.append(rule)
    return f"CREATE TABLE {table} (\n            " + ",\n            ".join(lines) + "\n        )"


def creation_order(file: Layout) -> Iterator[str]:
    """Tables as they stand in the file: a rebuilt one comes last."""
    last = [name for name in file.tables if (BY_NAME[name].rebuilt or LAST + 1) <= file.stage]
    yield from (name for name in file.tables if name not in last)
    yield from last


def indexes(file: Layout) -> Iterator[str]:
    """The CREATE INDEX statements of a file."""
    for name, columns in file.tables.items():
        present = {column.name for column in columns}
        for number, indexed in enumerate(BY_NAME[name].indexes, 1):
            if present.issuperset(indexed.removesuffix(" DESC").split(", ")):
                yield f"CREATE INDEX idx_{name}_{number} ON {name}({indexed})"


def _qualified(table: Table) -> Iterator[str]:
    return (f"{table.name}.{column.name}" for column in table.columns)


def _in_the_files_order(table: Table, stage: int, rng: random.Random) -> Iterator[Column]:
    """First the columns of the first CREATE, then what came later; what came together, in any order."""
    if table.rebuilt is not None and table.rebuilt <= stage:
        yield from (column for column in table.columns if column.stage <= stage)
        return
    yield from (column for column in table.columns if column.stage == 0)
    for later in sorted({column.stage for column in table.columns} - {0}):
        together = [column for column in table.columns if column.stage == later]
        rng.shuffle(together)
        if later <= stage:
            yield from together
