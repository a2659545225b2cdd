"""Names of the predecessor in a query to the names of the new schema; what has none is named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlglot
from sqlglot import exp

from tools.legacy_names import BOOLEANS, IMPOSSIBLE, OVERVIEW, OVERVIEW_COLUMNS, TABLES

_SCOPES = (exp.Select, exp.Insert, exp.Update, exp.Delete)


@dataclass(slots=True)
class Renamed:
    """A query with new names, and what could not be renamed, in order and once each."""

    query: str
    impossible: list[str] = field(default_factory=list)

    def complain(self, what: str) -> None:
        """Remembers what has no counterpart."""
        if what not in self.impossible:
            self.impossible.append(what)


def rename(query: str) -> Renamed:
    """A PostgreSQL query with old names; one that cannot be read or makes tables stays as it is."""
    renamed = Renamed(query)
    try:
        statements = [found for found in sqlglot.parse(query, read="postgres") if found is not None]
    except sqlglot.ParseError:
        renamed.complain("the query cannot be read: names stay")
        return renamed
    for statement in statements:
        if isinstance(statement, (exp.Create, exp.Drop, exp.Alter, exp.Command)):
            renamed.complain("a statement that makes or changes tables: the new schema has its own")
            continue
        _Statement(statement, renamed).rename()
    if not renamed.impossible:
        texts = (found.sql(dialect="postgres", normalize_functions=False) for found in statements)
        renamed.query = ";\n".join(texts)
    return renamed


class _Statement:
    """One statement: first every name is looked up, then all are changed."""

    def __init__(self, root: exp.Expr, renamed: Renamed) -> None:
        self._root = root
        self._renamed = renamed
        self._made_here = {found.alias_or_name.lower() for found in root.find_all(exp.CTE)}
        self._tables: dict[int, dict[str, str]] = {}
        self._aliases = {found.alias.lower() for found in root.find_all(exp.Alias)}

    def rename(self) -> None:
        tables = [found for found in self._root.find_all(exp.Table) if self._is_old(found)]
        for table in tables:
            scope = self._tables.setdefault(id(table.find_ancestor(*_SCOPES)), {})
            scope[table.alias_or_name.lower()] = table.name.lower()
        columns = [
            (column, old)
            for column in self._root.find_all(exp.Column)
            if not column.name.startswith("$") and (old := self._table_of(column))
        ]
        listed = list(self._listed())
        by_overview = self._by_overview(columns, listed)
        for column, old in columns:
            self._rename_column(column, old, by_overview)
        for identifier, old in listed:
            if new := self._new_name(old, identifier.name):
                identifier.set("this", new)
        for table in tables:
            self._rename_table(table, by_overview)

    def _is_old(self, table: exp.Table) -> bool:
        name = table.name.lower()
        if table.args.get("db") or name in self._made_here:
            return False
        if name in IMPOSSIBLE:
            self._renamed.complain(f"{name}: {IMPOSSIBLE[name]}")
        elif name not in TABLES:
            self._renamed.complain(f"{name}: no table of the old program")
        return name in TABLES

    def _table_of(self, column: exp.Column) -> str | None:
        """The old table a column belongs to; the nearest scope first, then those around it."""
        scope, owner = column.find_ancestor(*_SCOPES), column.table.lower()
        name = column.name.lower()
        while scope is not None:
            tables = self._tables.get(id(scope), {})
            if owner in tables:
                return tables[owner]
            holders = {old for old in tables.values() if name in TABLES[old][1]} if not owner else set()
            if len(holders) == 1:
                return holders.pop()
            if len(holders) > 1:
                self._renamed.complain(f"{name}: could be of {' or '.join(sorted(holders))}")
                return None
            scope = scope.find_ancestor(*_SCOPES)
        if not owner and name not in self._aliases and self._tables and not self._made_here:
            self._renamed.complain(f"{name}: no column of the tables in the query")
        return None

    def _listed(self) -> Iterator[tuple[exp.Identifier, str]]:
        """The columns that an INSERT names."""
        for insert in self._root.find_all(exp.Insert):
            target = insert.this
            if isinstance(target, exp.Schema) and target.this.name.lower() in TABLES:
                for identifier in target.expressions:
                    yield identifier, target.this.name.lower()

    def _by_overview(
        self, columns: list[tuple[exp.Column, str]], listed: list[tuple[exp.Identifier, str]]
    ) -> bool:
        """Whether all that is asked of bookings stands in the view that keeps the old names."""
        asked = {column.name.lower() for column, old in columns if old == "bookings"}
        stays = any(TABLES["bookings"][1].get(name, "").startswith("!") for name in asked)
        reads = isinstance(self._root, exp.Query) and not listed
        return reads and stays and asked <= OVERVIEW_COLUMNS

    def _new_name(self, old: str, name: str) -> str | None:
        new = TABLES[old][1].get(name.lower())
        if new is None:
            self._renamed.complain(f"{old}.{name}: no column of the old program")
        elif new.startswith("!"):
            self._renamed.complain(f"{old}.{name}: {new[1:]}")
        else:
            return new
        return None

    def _rename_column(self, column: exp.Column, old: str, by_overview: bool) -> None:
        if isinstance(column.this, exp.Star) or (old == "bookings" and by_overview):
            return
        if not (new := self._new_name(old, column.name)):
            return
        if isinstance(column.parent, exp.Select) and column.arg_key == "expressions" and new != column.name:
            # A report keeps its headings.
            kept = column.copy()
            column.replace(exp.alias_(kept, column.name, copy=False))
            column = kept
        if new in BOOLEANS:
            _truth(column)
        qualifier = column.args.get("table")
        if qualifier is not None and qualifier.name.lower() == old:
            qualifier.set("this", TABLES[old][0])
        column.this.set("this", new)

    def _rename_table(self, table: exp.Table, by_overview: bool) -> None:
        old = table.name.lower()
        new = OVERVIEW if old == "bookings" and by_overview else TABLES[old][0]
        table.set("this", exp.to_identifier(new))
        table.set("db", exp.to_identifier("app"))


def _truth(column: exp.Column) -> None:
    """``= 0`` and ``= 1`` beside a truth value become FALSE and TRUE."""
    beside = column.parent
    if isinstance(beside, (exp.EQ, exp.NEQ)):
        other = beside.expression if beside.this is column else beside.this
        if isinstance(other, exp.Literal) and other.name in ("0", "1"):
            other.replace(exp.Boolean(this=other.name == "1"))
