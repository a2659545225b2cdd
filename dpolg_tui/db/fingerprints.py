"""What is in a database, in few numbers: rows and a hash of each table, equal only if all rows are equal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SCHEMAS = ("app", "auth", "legacy")

# The text of a row must not depend on the server or on the role that asks.
_FORM = """
SET LOCAL row_security = off; SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC';
SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1;
SET LOCAL bytea_output = 'hex'; SET LOCAL xmlbinary = 'base64'"""

_TABLES = """
SELECT n.nspname || '.' || c.relname AS name, format('%I.%I', n.nspname, c.relname) AS quoted
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
 ORDER BY 1"""

# Sums do not depend on the order of rows and need no memory for them. The odd alias: a column of that name
# would take precedence over the row.
_MARK = """
SELECT count(*) AS rows,
       coalesce(sum(('x' || encode(substr(h.hash, 1, 8), 'hex'))::bit(64)::bigint), 0)::text AS first,
       coalesce(sum(('x' || encode(substr(h.hash, 9, 8), 'hex'))::bit(64)::bigint), 0)::text AS second
  FROM (SELECT sha256(convert_to("whole row"::text, 'UTF8')) AS hash FROM ONLY {table} "whole row") h"""

_NUMBERED = """
SELECT format('%I.%I', n.nspname, c.relname) AS quoted, quote_ident(a.attname) AS column_name,
       pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) AS sequence
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
   AND (a.attidentity <> '' OR a.atthasdef)
   AND pg_get_serial_sequence(format('%I.%I', n.nspname, c.relname), a.attname) IS NOT NULL
 ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class TableMark:
    """A table's number of rows, and 128 bits (hex) over all of them whatever their order."""

    rows: int
    hash: str


async def take(connection: Any) -> dict[str, TableMark]:
    """The mark of every table of ours by its name ("app.rooms"), within the caller's transaction.

    ``connection`` is that of a role that row security lets pass; any other gets an error, never half a table.
    """
    await connection.execute(_FORM)
    marks = {}
    for table in await connection.fetch(_TABLES, list(SCHEMAS)):
        row = await connection.fetchrow(_MARK.format(table=table["quoted"]))
        hashed = "".join(f"{int(row[part]) % 2**64:016x}" for part in ("first", "second"))
        marks[table["name"]] = TableMark(row["rows"], hashed)
    return marks


async def sequences_behind(connection: Any) -> list[str]:
    """Sequences that would give a number that is taken already."""
    behind = []
    for column in await connection.fetch(_NUMBERED, list(SCHEMAS)):
        late: bool = await connection.fetchval(
            f"SELECT coalesce(max(t.{column['column_name']}), 0)"  # noqa: S608 - names quoted by the server
            f" > (SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM {column['sequence']} s)"
            f" FROM {column['quoted']} t"
        )
        if late:
            behind.append(column["sequence"])
    return behind


def differences(wanted: dict[str, TableMark], found: dict[str, TableMark]) -> list[str]:
    """What differs, a German phrase for each table."""
    told = []
    for name in sorted(wanted.keys() | found.keys()):
        want, have = wanted.get(name), found.get(name)
        if want is None or have is None:
            told.append(f"{name} {'fehlt' if have is None else 'ist zu viel'}")
        elif want.rows != have.rows:
            told.append(f"{name} hat {have.rows} statt {want.rows} Zeilen")
        elif want != have:
            told.append(f"{name} hat andere Inhalte")
    return told
