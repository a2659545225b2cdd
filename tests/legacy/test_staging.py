"""Every cell of an old file arrives in the staging, whatever is in it."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpolg_tui.legacy import staging
from dpolg_tui.legacy.reader import BadSource, SourceFile, open_copy
from dpolg_tui.legacy.source import Cell
from tests.databases import TestDatabase
from tests.legacy.files import add, make
from tests.legacy.test_reader import VALUES
from tools.make_legacy_sqlite import EARLY, LAST, LATE, MIDDLE, build


@pytest.fixture
async def owner(database: TestDatabase) -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection of the owner; what it did is undone at the end."""
    connection = await asyncpg.connect(database.owner_dsn)
    transaction = connection.transaction()
    await transaction.start()
    yield connection
    await transaction.rollback()
    await connection.close()


async def staged(connection: asyncpg.Connection[Any]) -> dict[str, list[tuple[int, dict[str, Any]]]]:
    found: dict[str, list[tuple[int, dict[str, Any]]]] = {}
    for table, row_id, data in await connection.fetch(
        "SELECT table_name, row_id, data::text FROM legacy.source_rows WHERE run_id = 7 ORDER BY row_id"
    ):
        found.setdefault(table, []).append((row_id, json.loads(data)))
    return found


def as_read(cell: list[str]) -> Cell:
    """A staged cell as the reader gives it."""
    kind, text = cell
    match kind:
        case "null":
            assert text is None
            return "null", None
        case "integer":
            return "integer", int(text)
        case "real":
            return "real", float(text)
        case "blob":
            return "blob", b64decode(text, validate=True)
        case "text64":
            stored = b64decode(text, validate=True)
            assert b"\0" in stored or "\ufffd" in stored.decode("utf-8", "replace")
            return "text", stored
        case _:
            assert kind == "text"
            return "text", text.encode()


async def assert_complete(connection: asyncpg.Connection[Any], source: SourceFile) -> None:
    found = await staged(connection)
    for name in source.tables:
        back = [
            (row_id, {column: as_read(cell) for column, cell in row.items()})
            for row_id, row in found.pop(name, [])
        ]
        assert back == sorted(source.rows(name), key=lambda row: row[0])
    assert not found


@pytest.mark.both_versions
async def test_any_value_arrives(owner: asyncpg.Connection[Any], tmp_path: Path) -> None:
    file = make(
        tmp_path / "a.db",
        'CREATE TABLE "mit\tTab\nund\\" ("%s" , "q""\\", "\x01" INTEGER)',
        "CREATE TABLE only_bad (t)",
        "INSERT INTO only_bad VALUES (CAST(x'ff' AS TEXT)), ('x' || char(0)), (NULL)",
        "CREATE TABLE empty (t)",
    )
    add(file, 'INSERT INTO "mit\tTab\nund\\" VALUES (?, ?, ?)', ((v, v, v) for v in VALUES))
    add(file, 'INSERT INTO "mit\tTab\nund\\" VALUES (?, 1, NULL)', ((v,) for v in VALUES))
    source = open_copy(file, tmp_path / "backups")
    heard: list[tuple[str, int, int]] = []
    arrived = await staging.load(owner, source, 7, lambda *said: heard.append(said))
    assert arrived == {name: table.rows for name, table in source.tables.items()}
    await assert_complete(owner, source)
    assert ("guests", 1, 1) in heard
    assert {what for what, _, _ in heard} == {name for name, rows in arrived.items() if rows}


async def test_a_room_as_it_is_staged(owner: asyncpg.Connection[Any], tmp_path: Path) -> None:
    source = open_copy(make(tmp_path / "a.db"), tmp_path / "backups")
    await staging.load(owner, source, 7)
    assert (await staged(owner))["rooms"] == [
        (
            3,
            {
                "id": ["integer", "3"],
                "name": ["text", "Zimmer 3"],
                "gebaeude_typ": ["text", "EZ"],
                "ort": ["text", "Ort"],
                "capacity": ["integer", "2"],
                "price_member": ["real", "45.0"],
                "price_non_member": ["real", "65.5"],
                "schluesselcode": ["text", "1234"],
            },
        )
    ]


ANY_VALUE = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.text("\0\1\2\3\4\t\n\r\"\\'%{}[]:,üß€🏠"),
    st.binary(),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(ANY_VALUE, ANY_VALUE, ANY_VALUE), max_size=30))
def test_lines_of_copy_are_what_was_read(rows: list[tuple[Any, ...]]) -> None:
    """The quick way and the careful one agree, and COPY's and JSON's escapes lead back to the values."""
    names = ["a", 'b"\\%s', "ä"]
    batch = [(number, *row) for number, row in enumerate(rows, 1)]
    start = b"7\tt\t"
    source = SourceFile(Path("x"), Path("x"), "", 0, {})
    careful = staging._careful(batch, names, start, source)
    quick = staging._fast(batch, names, start) if batch else b""
    has_control = any(
        isinstance(v, str) and any(c < " " and c not in "\t\n\r" for c in v) for r in rows for v in r
    )
    assert quick is None if has_control else quick is not None
    for lines in (careful, quick):
        if lines is None:
            continue
        split = lines.decode().split("\n")
        assert split.pop() == ""
        back = []
        for line in split:
            run, table, row_id, data = line.split("\t")
            assert (run, table) == ("7", "t")
            cells = json.loads(data.replace("\\\\", "\\"))
            assert list(cells) == names
            back.append((int(row_id), *(as_read(cell) for cell in cells.values())))
        expected = [(number, *(as_stored(value) for value in values)) for number, *values in batch]
        assert back == expected


def as_stored(value: Any) -> Cell:
    if isinstance(value, str):
        return "text", value.encode()
    if value is None:
        return "null", None
    return {int: "integer", float: "real", bytes: "blob"}[type(value)], value  # type: ignore[return-value]


@pytest.mark.parametrize("stage", [EARLY, MIDDLE, LATE, LAST])
async def test_the_predecessors_stages(owner: asyncpg.Connection[Any], tmp_path: Path, stage: int) -> None:
    file = tmp_path / "a.db"
    build(file, stage, guests=50, bookings=80, seed=3, defects={})
    source = open_copy(file, tmp_path / "backups")
    await staging.load(owner, source, 7)
    await assert_complete(owner, source)


async def test_a_value_that_no_column_can_take(
    owner: asyncpg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(staging, "LARGEST_VALUE", 1024 * 1024)
    file = make(tmp_path / "a.db", "CREATE TABLE large (x)")
    add(file, "INSERT INTO large VALUES (?)", [(bytes(1024 * 1024 + 1),)])
    source = open_copy(file, tmp_path / "backups")
    with pytest.raises(BadSource, match="ist ein Wert größer als 1 MB: bitte ihn "):
        await staging.load(owner, source, 7)


async def test_stopping_in_the_middle_closes_the_file(database: TestDatabase, tmp_path: Path) -> None:
    file = make(tmp_path / "a.db", "CREATE TABLE many (x)")
    add(file, "INSERT INTO many VALUES (?)", (("x" * 200,) for _ in range(20_000)))
    source = open_copy(file, tmp_path / "backups")
    connection = await asyncpg.connect(database.owner_dsn)
    begun = asyncio.Event()
    task = asyncio.create_task(staging.load(connection, source, 7, lambda *_: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await connection.fetchval("SELECT count(*) FROM legacy.source_rows") == 0
    assert (await staging.load(connection, source, 7))["many"] == 20_000
    await connection.close()


async def test_damage_found_on_the_way_is_one_sentence(
    owner: asyncpg.Connection[Any], tmp_path: Path
) -> None:
    file = make(tmp_path / "a.db", "CREATE TABLE t (x)")
    add(file, "INSERT INTO t VALUES (?)", ((bytes(100),) for _ in range(2000)))
    source = open_copy(file, tmp_path / "backups")
    content = bytearray(source.path.read_bytes())
    content[len(content) // 2 :] = b"\xff" * (len(content) - len(content) // 2)
    source.path.write_bytes(content)
    with pytest.raises(BadSource, match=r"Die Datei a\.db ist beschädigt"):
        await staging.load(owner, source, 7)


MEASURE = """
import asyncio, asyncpg, os, resource, sys
from pathlib import Path
from dpolg_tui.legacy import staging
from dpolg_tui.legacy.reader import open_copy

async def main():
    source = open_copy(Path(sys.argv[1]), Path(sys.argv[2]))
    connection = await asyncpg.connect(os.environ["OWNER_DSN"])
    async with connection.transaction():
        await staging.load(connection, source, 7)
        await connection.execute("TRUNCATE legacy.source_rows")
    for _ in source.rows("bookings"):
        pass
    await connection.close()

asyncio.run(main())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.long
def test_memory_stays_the_same_from_ten_thousand_rows_to_a_million(
    database: TestDatabase, tmp_path: Path
) -> None:
    pytest.importorskip("resource")
    used = []
    for rows in (10_000, 1_000_000):
        file = make(tmp_path / f"{rows}.db")
        with closing(sqlite3.connect(file)) as connection, connection:
            connection.execute(
                "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
                " INSERT INTO bookings SELECT i, 3, 7, '2025-' || i, '2025-02-01', '2025-02-03', 1,"
                " 'bestaetigt', i / 7.0, 'x' FROM n",
                (rows + 9,),
            )
        command = [sys.executable, "-c", MEASURE, str(file), str(tmp_path / "backups")]
        answer = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"OWNER_DSN": database.owner_dsn},
            cwd=Path(__file__).parents[2],
        )
        used.append(int(answer.stdout) / 1024)
    assert used[1] - used[0] < 8, f"MiB: {used}"
