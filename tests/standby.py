"""A standby of a server of our own: made, waited for, promoted."""

from __future__ import annotations

import asyncio
import shutil
import time

import asyncpg
import psutil

from dpolg_tui.operations.embedded import HOST, SUPERUSER, Cluster, _make_directory

WAIT = 60.0
_PAUSE = 0.02


def allow_replication(primary: Cluster) -> None:
    """Who has the superuser's password may copy all of it, from the server's next start or reload on."""
    replication = f"host replication all {HOST}/32 scram-sha-256\nhost all all {HOST}/32 scram-sha-256\n"
    primary._write(primary.data / "pg_hba.conf", replication)


def follow(primary: Cluster, standby: Cluster) -> None:
    """Makes the standby from a running primary and starts it; what was in its place is gone."""
    standby.stop()
    shutil.rmtree(standby.data, ignore_errors=True)
    _make_directory(standby.home, standby.account)
    command = [primary.binaries.program("pg_basebackup"), "-D", standby.data, "-h", HOST, "-p"]
    command += [str(primary.port), "-U", SUPERUSER, "-R", "-X", "stream", "-c", "fast"]
    answer = primary.account.run(
        command, directory=standby.home, environment={"PGPASSWORD": primary.secret(SUPERUSER)}
    )
    assert answer.returncode == 0, answer.stdout
    standby.start()


async def wait_until_synchronous(superuser: asyncpg.Connection) -> None:
    """From the return on, the primary acknowledges nothing that its standby does not have."""
    await until_true(superuser, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming')")
    # Not earlier: every commit would wait for the copy.
    await superuser.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
    await superuser.execute("SELECT pg_reload_conf()")
    await until_true(superuser, "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE sync_state = 'sync')")


def kill(server: Cluster) -> None:
    """All of it at once, as when the machine goes."""
    postmaster = server.postmaster()
    assert postmaster is not None
    process = psutil.Process(postmaster.process.pid)
    gone = [process, *process.children(recursive=True)]
    for one in gone:
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(gone, timeout=10)


async def promote(superuser: asyncpg.Connection) -> None:
    """Makes a standby the primary; takes writes when this returns."""
    assert await superuser.fetchval("SELECT pg_promote()")
    await until_true(superuser, "SELECT NOT pg_is_in_recovery()")


async def until_true(connection: asyncpg.Connection, query: str) -> None:
    """Asks until the answer is true; fails after a minute."""
    end = time.monotonic() + WAIT
    while not await connection.fetchval(query):
        assert time.monotonic() < end, f"never so: {query}"
        await asyncio.sleep(_PAUSE)
