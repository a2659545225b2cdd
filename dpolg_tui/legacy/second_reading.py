"""The second reading of the old file, in a process of its own, while the server maps what the first brought.

The process gets the description of the file on its standard input, answers with what it read, and ends.
It knows nothing of the target.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeAlias

from dpolg_tui.legacy.lines import Part, parts_of
from dpolg_tui.legacy.source import SourceFile

Parts: TypeAlias = Mapping[str, Sequence[Part]]
"""By table, in the order of the file."""

WORTH_IT: Final = 50_000
"""Rows. Fewer are read here before another process would have started."""


def read(source: SourceFile) -> Parts:
    """Read the whole file, here and now."""
    return {name: list(parts_of(source, name)) for name in source.tables}


@asynccontextmanager
async def started(source: SourceFile) -> AsyncIterator[asyncio.Task[Parts]]:
    """Read the file beside whatever else is done; who leaves early leaves nothing running."""
    rows = sum(table.rows for table in source.tables.values())
    work = _elsewhere(source) if rows >= WORTH_IT else asyncio.to_thread(read, source)
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


async def _elsewhere(source: SourceFile) -> Parts:
    package = Path(__file__).parents[2]
    path = os.pathsep.join([str(package), *filter(None, [os.environ.get("PYTHONPATH")])])
    # Not in the terminal's group: Ctrl-C is the command's affair, which ends this process too.
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        cwd=package, env={**os.environ, "PYTHONPATH": path}, start_new_session=True,
    )  # fmt: skip
    try:
        answer, _ = await process.communicate(pickle.dumps(source))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    if process.returncode:
        # What keeps it from reading is said by reading here.
        return await asyncio.to_thread(read, source)
    parts: Parts = pickle.loads(answer)  # noqa: S301 - from a process that we started
    return parts


def _main() -> None:
    source: SourceFile = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started us
    sys.stdout.buffer.write(pickle.dumps(read(source)))


if __name__ == "__main__":
    _main()
