"""A process that uses a shared server until it is told to stop: ``python -m tests.operations.holder FOLDER``.

Prints one line of JSON once the server is usable. With ``--temporary`` the server is a throw-away one.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.shared import SharedServer, told_to_stop


async def main() -> None:
    """Joins, tells where the server is, waits."""
    stop = asyncio.create_task(told_to_stop())
    await asyncio.sleep(0)  # its signal handlers stand before anybody can know of us
    server = SharedServer(Path(sys.argv[1]), Options(durable=False), temporary="--temporary" in sys.argv)
    async with server:
        postmaster = server.cluster.postmaster()
        assert postmaster is not None
        answer = {
            "created": server.created,
            "dsn": server.cluster.dsn(),
            "pid": postmaster.process.pid,
            "home": str(server.cluster.home),
        }
        print(json.dumps(answer), flush=True)  # noqa: T201 - what the test waits for
        await stop


if __name__ == "__main__":
    asyncio.run(main())
