"""What documents may name: files, functions, tests, commands, and what the database has."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import asyncpg

from dpolg_tui.arguments import build_parser
from tests.databases import TestDatabase

ROOT = Path(__file__).parents[2]


@cache
def defined(path: Path) -> frozenset[str]:
    """Functions and classes of a Python file."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def every_test() -> frozenset[str]:
    """The names of all tests."""
    return frozenset(
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in defined(path)
        if name.startswith("test_")
    )


def verbs() -> set[str]:
    """What may follow ``dpolg-tui``."""
    return set(re.findall(r"^ {4}([a-z-]+)(?:  |$)", build_parser().format_help(), re.MULTILINE))


async def catalogue(database: TestDatabase) -> set[str]:
    """Every name that the document may use of the database."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        found = await connection.fetch("""
            WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('app', 'auth'))
            SELECT o.nspname || '.' || c.relname FROM pg_class c JOIN ours o ON o.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'v')
            UNION SELECT o.nspname || '.' || c.relname || '.' || a.attname
              FROM pg_class c JOIN ours o ON o.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
             WHERE c.relkind IN ('r', 'v') AND a.attnum > 0 AND NOT a.attisdropped
            UNION SELECT c.relname FROM pg_class c JOIN ours o ON o.oid = c.relnamespace WHERE c.relkind = 'i'
            UNION SELECT c.conname FROM pg_constraint c JOIN ours o ON o.oid = c.connamespace
            UNION SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
              JOIN ours o ON o.oid = c.relnamespace WHERE NOT t.tgisinternal
            UNION SELECT o.nspname || '.' || p.proname || '()'
              FROM pg_proc p JOIN ours o ON o.oid = p.pronamespace
            UNION SELECT rolname FROM pg_roles
            UNION SELECT s.setrole::regrole::text || ': ' || unnest(s.setconfig) FROM pg_db_role_setting s
             WHERE s.setrole <> 0
        """)
    finally:
        await connection.close()
    return {row[0] for row in found}


def problem(name: str, known: set[str]) -> str | None:
    """Why a name in backticks is wrong, or None."""
    if name in known:
        return None
    path, colon, rest = name.partition("::")
    if colon:
        file = ROOT / path
        return None if file.is_file() and rest in defined(file) else "no such function or class"
    path, colon, rest = name.partition(": ")
    if colon and (ROOT / path).is_file():
        return None if rest in (ROOT / path).read_text("utf-8") else "no such text in the file"
    if command := re.fullmatch(r"make ([a-z-]+)", name):
        makefile = (ROOT / "Makefile").read_text("utf-8")
        return None if re.search(rf"^{command[1]}:", makefile, re.MULTILINE) else "no such target"
    if command := re.fullmatch(r"dpolg-tui ([a-z-]+)( \w+)?", name):
        return None if command[1] in verbs() else "no such verb"
    return None if (ROOT / name).exists() else "neither a file nor a known name"
