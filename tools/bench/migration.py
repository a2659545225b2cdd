"""The whole verified migration of an old file, beside pgloader and raw COPY of the same file."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from tests.databases import Server, TestDatabase, run
from tools.bench import ground
from tools.bench.figures import Figure, at_most_times
from tools.make_legacy_sqlite import build_rows

ROOT = Path(__file__).parents[2]
LARGE, SMALL = 1_000_000, 20_000
AIM = 1.5
FLAT = 1.25
BATCH = 5_000
EVERY = 0.02
STEP = re.compile(r"mapping step (\S+): (\d+) rows, ([\d.]+) s")
# The command as it is, but the times of the mapping's steps are told on stderr.
COMMAND = (
    "import logging, sys; handler = logging.StreamHandler();"
    "logger = logging.getLogger('dpolg_tui.legacy.mapping');"
    "logger.addHandler(handler); logger.setLevel(logging.INFO);"
    "from dpolg_tui.cli import main; sys.exit(main(sys.argv[1:]))"
)
# Between cells, at the end of a line and in place of NULL, until the batch is escaped.
_SIGNS = str.maketrans({"\3": "\t", "\4": "\n", "\2": "\\N"})


@dataclass(frozen=True, slots=True)
class Migrated:
    """One run of the command: seconds from exec to exit, highest MiB, what it says of itself."""

    seconds: float
    peak: float
    phases: list[dict[str, Any]]
    steps: dict[str, float]


def measure(*, quick: bool) -> list[Figure]:
    large = SMALL if quick else LARGE
    pgloader = shutil.which("pgloader")
    if pgloader is None:
        sys.stderr.write("migration: pgloader is not installed, so there is no ratio to it.\n")
    with tempfile.TemporaryDirectory(prefix="dpolg-bench-") as name, ground.server() as server:
        folder = Path(name)
        file = folder / "large.sqlite"
        build_rows(file, large)
        server.drop(server.clone())  # The template is not part of the first figure.
        flat = None
        if not quick:
            build_rows(folder / "small.sqlite", SMALL)
            flat = _migrate(server, folder / "small.sqlite", SMALL).peak
        copied = _timed(server, server.empty, lambda database: run(lambda: _copy(database, file, large)))
        loaded = None
        if pgloader:
            loaded = _timed(server, server.empty, lambda database: _load(pgloader, database, file, large))
        whole = _migrate(server, file, large)
    return _figures(large, whole, flat, copied, loaded)


def _figures(
    large: int, whole: Migrated, flat: float | None, copied: float, loaded: float | None
) -> list[Figure]:
    def figure(name: str, unit: str, value: float, **more: Any) -> Figure:
        return Figure(group="migration", name=name, unit=unit, value=value, samples=1, **more)

    rows = f"{large:,} rows"
    figures = []
    if loaded is not None:
        aim = at_most_times(AIM, loaded)
        figures.append(figure(f"whole, verified, {rows}", "s", whole.seconds, beside="pgloader", **aim))
    figures.append(figure(f"whole, verified, {rows}", "s", whole.seconds, baseline=copied, beside="raw COPY"))
    figures += [figure(f"phase {phase['phase']}", "s", phase["seconds"]) for phase in whole.phases]
    speeds = {"whole": large / whole.seconds} | {
        f"phase {phase['phase']}": phase["rows_per_second"]
        for phase in whole.phases
        # What a first run has nothing to do in has no speed.
        if "rows_per_second" in phase and phase["seconds"] > whole.seconds / 100
    }
    figures += [
        figure(name, "rows/s", speed, baseline=large / copied, beside="raw COPY")
        for name, speed in speeds.items()
    ]
    figures += [figure(f"mapping step {name}", "s", seconds) for name, seconds in whole.steps.items()]
    memory = {} if flat is None else at_most_times(FLAT, flat) | {"beside": f"{SMALL:,} rows"}
    figures.append(figure(f"memory, peak RSS, {rows}", "MiB", whole.peak, **memory))
    return figures


@contextmanager
def _fresh(server: Server, make: Callable[[], TestDatabase]) -> Iterator[TestDatabase]:
    """A database of its own; nobody pays for what the one before left to be written."""
    database = make()
    try:
        server.execute("CHECKPOINT")
        yield database
    finally:
        server.drop(database)


def _timed(server: Server, make: Callable[[], TestDatabase], work: Callable[[TestDatabase], object]) -> float:
    with _fresh(server, make) as database:
        began = time.perf_counter()
        work(database)
        return time.perf_counter() - began


def _migrate(server: Server, file: Path, rows: int) -> Migrated:
    """``migrate-data`` in a process of its own, into an empty house."""
    report = file.with_suffix(".json")
    output = file.with_suffix(".out")
    with _fresh(server, server.clone) as database, output.open("w+b") as told:
        began = time.perf_counter()
        process = subprocess.Popen(
            [
                sys.executable, "-c", COMMAND, "migrate-data", str(file), "--yes",
                "--dsn", f"{database.owner_dsn}?sslmode=disable",
                "--backup-dir", str(file.parent / "backups"), "--report", str(report),
            ],
            stdin=subprocess.DEVNULL, stdout=told, stderr=subprocess.STDOUT, cwd=ROOT,
        )  # fmt: skip
        try:
            peak = 0.0
            while process.poll() is None:
                peak = max(peak, _peak(process.pid))
                time.sleep(EVERY)
            seconds = time.perf_counter() - began
        finally:
            process.kill()
            process.wait()
        told.seek(0)
        text = told.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"migrate-data ended with {process.returncode}: {text[-2000:]}")
    answer = json.loads(report.read_text("utf-8"))
    if answer["rows"] != rows or answer["verified"] is not True:
        raise RuntimeError(f"{answer['rows']} of {rows} rows, verified: {answer['verified']}")
    steps = {name: float(duration) for name, _, duration in STEP.findall(text)}
    return Migrated(seconds, peak, answer["phases"], steps)


def _peak(pid: int) -> float:
    """The most MiB that were resident so far. Not ``ru_maxrss``, where the parent's peak counts too."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    return 0.0


def _load(pgloader: str, database: TestDatabase, file: Path, rows: int) -> None:
    """pgloader as it comes, with its types and its indexes."""
    done = subprocess.run(
        [pgloader, f"sqlite://{file}", f"{database.superuser_dsn}?sslmode=disable"],
        capture_output=True,
        text=True,
        check=False,
        cwd=file.parent,
        env={**os.environ, "HOME": str(file.parent)},
    )
    arrived = run(lambda: _count(database))
    # It ends with 0 also when rows were refused.
    if done.returncode or arrived != rows:
        told = f"{done.stdout[-2000:]}{done.stderr[-2000:]}"
        raise RuntimeError(f"pgloader ended with {done.returncode}, {arrived} of {rows} rows: {told}")


async def _copy(database: TestDatabase, file: Path, rows: int) -> None:
    """Each table into an unlogged one with columns of text: the least that any migration does."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as source:
            arrived = 0
            for (table,) in source.execute(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"
            ).fetchall():
                cursor = source.execute(f'SELECT * FROM "{table}"')
                columns = ", ".join(f'"{column[0]}" text' for column in cursor.description)
                await connection.execute(f'CREATE UNLOGGED TABLE "{table}" ({columns})')
                answer = await connection.copy_to_table(table, source=_pieces(cursor))
                arrived += int(answer.rpartition(" ")[2])
    finally:
        await connection.close()
    if arrived != rows:
        raise RuntimeError(f"raw COPY: {arrived} of {rows} rows")


async def _pieces(cursor: sqlite3.Cursor) -> AsyncIterator[bytes]:
    """COPY's text format; the generated texts hold none of the control characters used on the way."""
    while batch := cursor.fetchmany(BATCH):
        text = "".join(
            "\3".join(["\2" if value is None else str(value) for value in row]) + "\4" for row in batch
        )
        for plain, escaped in (("\\", r"\\"), ("\t", r"\t"), ("\n", r"\n"), ("\r", r"\r")):
            text = text.replace(plain, escaped)
        yield text.translate(_SIGNS).encode()
        await asyncio.sleep(0)


async def _count(database: TestDatabase) -> int:
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        )
        return sum([await connection.fetchval(f"SELECT count(*) FROM {name}") for (name,) in tables])
    finally:
        await connection.close()
