"""Converts an SQLite query to PostgreSQL, for old reports and scripts; the product does not need it.

    python tools/convert_sql.py < old.sql > new.sql

Placeholders (``?1``, ``?`` → ``$1``), ``INTEGER PRIMARY KEY [AUTOINCREMENT]`` → ``SERIAL PRIMARY KEY``,
``REAL`` → ``DOUBLE PRECISION``, ``datetime('now')`` → ``CURRENT_TIMESTAMP`` and plain ``strftime`` →
``to_char`` are converted; text in literals, quoted names and comments stays as it is. What is still
SQLite afterwards is named on stderr, with exit code 1.
"""

from __future__ import annotations

import re
import sys

_LITERAL = r"'(?:[^']|'')*'"
_KEPT = rf"""{_LITERAL} | "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^\]]*\] | --[^\n]* | /\*.*?(?:\*/|\Z)"""
_TOKEN = re.compile(
    rf"""
      (?P<now> \bdatetime \s* \( \s* 'now' \s* \) )
    | \bstrftime \s* \( \s* (?P<format> {_LITERAL} ) \s* , \s* (?P<moment> 'now' | [\w.]+ ) \s* \)
    | (?P<kept> {_KEPT} )
    | (?P<key> \b INTEGER \s+ PRIMARY \s+ KEY (?: \s+ AUTOINCREMENT )? \b )
    | (?<=\s) (?P<real> REAL ) \b
    | \? (?P<number> \d* )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_PARTS_OF_A_MOMENT = {
    "%Y": "YYYY",
    "%m": "MM",
    "%d": "DD",
    "%H": "HH24",
    "%M": "MI",
    "%S": "SS",
    "%j": "DDD",
}
_FORMAT = re.compile(rf"'(?:{'|'.join(_PARTS_OF_A_MOMENT)}|[-. :/])*'")
_STILL_SQLITE = re.compile(
    rf"""
      {_LITERAL} | --[^\n]* | /\*.*?(?:\*/|\Z) | "(?:[^"]|"")*"
    | (?P<found>
          \b (?: strftime | datetime | julianday | ifnull | group_concat | last_insert_rowid ) \s* (?=\()
        | \b (?: INSERT \s+ OR \s+ \w+ | AUTOINCREMENT | GLOB | PRAGMA | WITHOUT \s+ ROWID ) \b
        | `[^`]*` | (?<![\w:]) [:@] [a-z_]\w*
      )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)


def convert_query(sqlite_query: str) -> str:
    """The query in PostgreSQL's words; a query without SQLite's words comes back unchanged."""
    largest = 0

    def replacement(found: re.Match[str]) -> str:
        nonlocal largest
        if found["kept"]:
            return found["kept"]
        if found["now"]:
            return "CURRENT_TIMESTAMP"
        if found["format"]:
            return _to_char(found)
        if found["key"]:
            return "SERIAL PRIMARY KEY"
        if found["real"]:
            return "DOUBLE PRECISION"
        # A bare placeholder is SQLite's "one more than the largest so far".
        number = int(found["number"] or largest + 1)
        largest = max(largest, number)
        return f"${number}"

    return _TOKEN.sub(replacement, sqlite_query)


def still_sqlite(query: str) -> list[str]:
    """What a converted query still has that PostgreSQL does not know, in order."""
    return [found["found"].strip() for found in _STILL_SQLITE.finditer(query) if found["found"]]


def _to_char(found: re.Match[str]) -> str:
    if not _FORMAT.fullmatch(found["format"]):
        return found[0]
    pattern = re.sub("%.", lambda part: _PARTS_OF_A_MOMENT[part[0]], found["format"])
    moment = "CURRENT_TIMESTAMP" if found["moment"].lower() == "'now'" else found["moment"]
    return f"to_char({moment}, {pattern})"


def main() -> int:
    """Filters stdin to stdout; 1 if something is left to do by hand."""
    converted = convert_query(sys.stdin.read())
    sys.stdout.write(converted)
    left = still_sqlite(converted)
    for word in left:
        sys.stderr.write(f"still SQLite: {word}\n")
    return 1 if left else 0


if __name__ == "__main__":
    sys.exit(main())
