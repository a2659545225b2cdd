"""A large migration takes ways of its own: tables without indexes, the second reading beside the mapping.

Here a small file takes them. It must end like any other, and leave the same schema behind.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dpolg_tui.legacy import indexes, second_reading
from dpolg_tui.operations.binaries import find_embedded
from tests.databases import Server, TestDatabase
from tests.legacy.migration import arguments, migrate, move_away, query, state
from tests.legacy.test_crash import check, reach, wait_until_free
from tools.make_legacy_sqlite import LATE, applicable, build

# A file that keeps its indexes is killed at each of them in test_crash.
MOMENTS = (
    pytest.param("Zuordnen …", marks=pytest.mark.long),
    "Indizes aufbauen …",
    pytest.param("Prüfen …", marks=pytest.mark.long),
)
# The command, for which any file is a large one.
AS_LARGE = (
    "import sys; from dpolg_tui.legacy import indexes, second_reading;"
    "indexes.WORTH_IT = second_reading.WORTH_IT = 0;"
    "from dpolg_tui.cli import main; sys.exit(main(sys.argv[1:]))"
)
INDEXES = """
    SELECT i.oid::regclass::text AS name, x.indisvalid AND x.indisready AND x.indislive AS whole,
           x.indisprimary, x.indisunique, x.indimmediate, pg_get_indexdef(i.oid) AS definition
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE i.relnamespace IN ('app'::regnamespace, 'legacy'::regnamespace) ORDER BY 1
"""
SAME = ("tables", "repairs", "differences", "quarantine_reasons", "quarantine", "kept", "new_ids", "checked")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A house with some of everything that may be wrong."""
    defects = dict.fromkeys(applicable(LATE), 0.02)
    return build(tmp_path / "alt.sqlite", LATE, guests=200, bookings=300, defects=defects).path


@pytest.fixture
def as_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any file is a large one."""
    monkeypatch.setattr(indexes, "WORTH_IT", 0)
    monkeypatch.setattr(second_reading, "WORTH_IT", 0)


def schema(database: TestDatabase) -> str:
    """The schema as a backup has it, and the indexes as the server sees them."""
    embedded = find_embedded()
    assert embedded is not None
    # The line with a key that is new in each dump.
    dump = [
        line
        for line in subprocess.run(
            [embedded.bin / "pg_dump", "--schema-only", "--dbname", database.superuser_dsn],
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()
        if not line.startswith(("\\restrict", "\\unrestrict"))
    ]  # fmt: skip
    return "\n".join([*dump, *(str(dict(row)) for row in query(database, INDEXES))])


@pytest.mark.long
@pytest.mark.both_versions
def test_a_large_migration_ends_like_a_small_one(
    file: Path, server: Server, database: TestDatabase, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    small = migrate(database, file, tmp_path / "small")
    other = server.clone()
    try:
        before = schema(other)
        removed: list[str] = []
        request.getfixturevalue("as_large")
        step_aside = indexes.step_aside

        async def watched(connection: Any, rows: int) -> indexes.Aside:
            aside = await step_aside(connection, rows)
            removed.extend((*aside.definitions, *aside.references))
            return aside

        request.getfixturevalue("monkeypatch").setattr(indexes, "step_aside", watched)
        large = migrate(other, file, tmp_path / "large")
        assert large.report is not None
        assert small.report is not None
        assert len(removed) > 40
        assert {name: large.report[name] for name in SAME} == {name: small.report[name] for name in SAME}
        assert schema(other) == before
        # What is there already needs its indexes: they stay from now on.
        removed.clear()
        assert migrate(other, file, tmp_path / "again", "--no-backup").code == 0
        assert removed == []
    finally:
        server.drop(other)


@pytest.mark.usefixtures("as_large")
def test_a_difference_is_found_and_the_indexes_are_back(
    file: Path,
    database: TestDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    move_away(monkeypatch, "id IN (5, 50)")
    before = state(database), schema(database)
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert result.code == 1
    assert "2 Unterschiede gefunden" in result.err
    assert "guests 50: Spalte ort" in result.err
    assert (state(database), schema(database)) == before


@contextmanager
def reader(database: TestDatabase) -> Iterator[None]:
    """Somebody whose transaction has read the guests, and does not end."""
    reads, done = threading.Event(), threading.Event()

    async def read() -> None:
        connection = await asyncpg.connect(database.superuser_dsn)
        async with connection.transaction():
            await connection.fetch("SELECT FROM app.guests")
            reads.set()
            await asyncio.to_thread(done.wait)
        await connection.close()

    with ThreadPoolExecutor(1) as executor:
        reading = executor.submit(asyncio.run, read())
        try:
            assert reads.wait(30)
            yield
        finally:
            done.set()
            reading.result(30)


@pytest.mark.long
@pytest.mark.usefixtures("as_large")
def test_who_reads_is_left_alone(
    file: Path, database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpolg_tui.legacy.target._LOCK_ATTEMPTS", 1)
    with reader(database):
        assert migrate(database, file, tmp_path / "run").code == 0


@pytest.mark.long
@pytest.mark.parametrize("moment", MOMENTS)
def test_it_is_killed(moment: str, database: TestDatabase, tmp_path: Path) -> None:
    file = build(tmp_path / "alt.sqlite", LATE, guests=200, bookings=300, defects={"overlap": 0.05}).path
    before, catalogue = state(database), schema(database)
    with subprocess.Popen(
        [sys.executable, "-u", "-c", AS_LARGE, *arguments(database, file, tmp_path, "--no-backup")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        cwd=Path(__file__).parents[2], env={**os.environ, "PGSSLMODE": "disable"},
    ) as call:  # fmt: skip
        reach(call, moment)
        call.kill()
    wait_until_free(database)
    assert (state(database), schema(database)) == (before, catalogue)
    check(database, before, file, tmp_path)
