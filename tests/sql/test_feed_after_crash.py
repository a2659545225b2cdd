"""The change feed of a server that fell: it gives transaction numbers out again, and nothing is missed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import psutil
import pytest

from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests import standby
from tests.databases import Server, binaries_of, fast_directory, run
from tests.sql.stage import Stage, connect, new, open_stage


@pytest.fixture(params=["embedded", pytest.param("system", marks=pytest.mark.long)])
def falling(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A durable server, to be killed."""
    binaries = binaries_of(request.param)
    if binaries is None:
        pytest.skip("no PostgreSQL of the system is installed")
    shared = SharedServer(
        temporary_directory(fast_directory()),
        Options(max_connections=20),
        binaries=binaries,
        temporary=True,
    )
    run(shared.start)
    server = Server(request.param, shared)
    yield server
    server.close()


def _stop_wal_writer(server: Server) -> None:
    """What nobody commits is not written down any more."""
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    children = psutil.Process(postmaster.process.pid).children()
    next(one for one in children if "walwriter" in " ".join(one.cmdline())).suspend()


async def test_a_change_under_a_number_that_a_failed_transaction_had_is_told(falling: Server) -> None:
    database = falling.clone()
    stage = await open_stage(database)
    # What CREATE DATABASE copied of a sequence is not crash-safe before the next checkpoint.
    await stage.superuser.execute("CHECKPOINT")
    ben = await stage.desk("ben")
    _stop_wal_writer(falling)
    for _ in range(10):  # signing in takes numbers too
        await stage.superuser.execute("BEGIN; INSERT INTO app.guests (last_name) VALUES ('Nie'); ROLLBACK")
    before = (await ben.heartbeat())["snapshot"]
    await asyncio.to_thread(standby.kill, falling.cluster)
    await stage.close()
    await asyncio.to_thread(falling.cluster.start)

    restarted = Stage(falling.found_again(database), await connect(falling.cluster.dsn(database.name)))
    anna, ben = await restarted.desk("anna"), await restarted.desk("ben")
    made = await anna.save("guest", None, new(last_name="Neu"))
    told = await ben.heartbeat(before)
    xid = await restarted.superuser.fetchval("SELECT max(xid::text::bigint) FROM app.change_feed")
    seen = await restarted.superuser.fetchval(
        "SELECT pg_visible_in_snapshot($1::text::xid8, $2::text::pg_snapshot)", str(xid), before.split("@")[0]
    )
    assert seen, "the number is one that the snapshot takes for known, else this test shows nothing"
    assert not told["reload"]
    assert [change["id"] for change in told["changes"]] == [made["id"]]
    assert (await ben.heartbeat(told["snapshot"]))["changes"] == [], "told once"
    await restarted.close()
