"""The primary dies, a standby is promoted: desks move over by themselves and finish what was under way."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.probe import Step, failure, probe
from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.domain.models import Outcome
from dpolg_tui.operations.embedded import HOST, Cluster, Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests import standby
from tests.databases import Server, TestDatabase, binaries_of, fast_directory
from tests.desk.two import until
from tests.sql.stage import connect, connected
from tests.tui.desk_app import TIMEOUT, config_for
from tests.tui.forms_house import furnish

pytestmark = pytest.mark.long

_WAIT = 60.0
_NIGHT = timedelta(days=1)
# What is acknowledged is on the standby and to be seen there: a failover loses nothing.
_PRIMARY = {"synchronous_commit": "remote_apply"}


class Pair:
    """A primary with the house in it, and its standby."""

    def __init__(self, primary: Cluster, other: Cluster, database: TestDatabase) -> None:
        self.primary, self.database = primary, database
        self.standby_dsn = other.dsn(database.name)
        self.hosts = ((HOST, primary.port), (HOST, other.port))

    async def promote(self) -> None:
        async with connected(self.standby_dsn) as superuser:
            await standby.promote(superuser)

    async def pause_replay(self) -> None:
        """The standby receives on, but shows nothing new: commits on the primary wait for it."""
        async with connected(self.standby_dsn) as superuser:
            await superuser.execute("SELECT pg_wal_replay_pause()")
            await standby.until_true(superuser, "SELECT pg_get_wal_replay_pause_state() = 'paused'")


async def _wait_for_standby(dsn: str) -> None:
    async with connected(dsn) as superuser:
        await standby.wait_until_synchronous(superuser)


@pytest.fixture
def pair() -> Iterator[Pair]:
    binaries = binaries_of("embedded")
    assert binaries is not None
    home = temporary_directory(fast_directory())
    primary = Cluster(home / "primary", binaries, Options(settings=_PRIMARY))
    other = Cluster(home / "standby", binaries)
    try:
        primary.create()
        standby.allow_replication(primary)
        primary.start()
        database = Server("embedded", cast(SharedServer, SimpleNamespace(cluster=primary))).clone()
        standby.follow(primary, other)
        asyncio.run(_wait_for_standby(primary.dsn()))
        yield Pair(primary, other, database)
    finally:
        for cluster in (primary, other):
            cluster.stop()
        shutil.rmtree(home)


async def test_a_standby_alone_is_named_as_what_it_is(pair: Pair) -> None:
    settings = replace(database_from_dsn(pair.database.dsn), hosts=pair.hosts[1:], connect_timeout=TIMEOUT)
    database = Database(settings)
    try:
        with pytest.raises(Unreachable, match="nimmt keine Änderungen an") as caught:
            await database.call("app.hello", limit=5.0)  # it may be promoted: a desk tries on
    finally:
        await database.close()
    assert caught.value.message == (
        f"{settings.address} nimmt keine Änderungen an: er springt ein, wenn der Hauptserver ausfällt."
    )
    failed = failure(await probe(settings))
    assert failed is not None
    assert (failed.step, failed.sentence) == (Step.DATABASE, caught.value.message)
    both = await probe(replace(settings, hosts=(pair.hosts[1], pair.hosts[0])))
    assert failure(both) is None


@asynccontextmanager
async def _desk(pair: Pair, username: str) -> AsyncIterator[Desk]:
    config = config_for(pair.database)
    desk = Desk(replace(config, database=replace(database_from_dsn(pair.database.dsn), hosts=pair.hosts)))
    desk.start()
    try:
        user = pair.database.users[username]
        await desk.login(user.username, user.password)
        yield desk
    finally:
        await asyncio.wait_for(desk.close(), TIMEOUT)


async def _lock_guests(pair: Pair) -> asyncpg.Connection:
    """Somebody on the primary in whose way every new guest is."""
    holder = await connect(pair.database.superuser_dsn)
    await holder.execute("BEGIN; LOCK TABLE app.guests IN SHARE MODE")
    return holder


async def _until_waits(pair: Pair, event: str) -> None:
    """Until the desk's save waits for this, and the standby has what the primary wrote."""
    async with connected(pair.database.superuser_dsn) as superuser:
        await standby.until_true(
            superuser,
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'booking_user'"
            f" AND query LIKE '%save_guest%' AND wait_event = '{event}')"
            " AND (SELECT flush_lsn >= pg_current_wal_flush_lsn() FROM pg_stat_replication)",
        )


@pytest.mark.parametrize("committed", [False, True], ids=["not-committed", "committed-unheard"])
async def test_a_write_under_way_when_the_primary_dies_happens_once(pair: Pair, committed: bool) -> None:
    async with _desk(pair, "anna") as anna, _desk(pair, "ben") as ben:
        house = await furnish(anna)
        await until(lambda: len(ben.store.rooms) == 2, TIMEOUT)
        marker, holders = "genau einmal", list[asyncpg.Connection]()
        if committed:
            # Its commit reaches the standby's disk, the answer never reaches the desk.
            await pair.pause_replay()
            saving = asyncio.create_task(anna.guests.create({"last_name": "Failover", "notes": marker}))
            await _until_waits(pair, "SyncRep")
        else:
            # It waits for a lock that goes with the primary.
            holder = await _lock_guests(pair)
            saving = asyncio.create_task(anna.guests.create({"last_name": "Failover", "notes": marker}))
            await _until_waits(pair, "relation")
            holders.append(holder)
        await asyncio.to_thread(standby.kill, pair.primary)
        await pair.promote()
        for holder in holders:
            holder.terminate()
        result = await asyncio.wait_for(saving, _WAIT)
        assert result.outcome in (Outcome.DONE, Outcome.QUEUED)
        await until(lambda: anna.outbox.save_state == "done" and not anna.outbox.items, _WAIT)
        for desk in (anna, ben):
            await until(lambda desk=desk: desk.connection.phase == "connected", _WAIT)  # type: ignore[misc]
            assert desk.user is not None
        async with connected(pair.standby_dsn) as superuser:
            found = await superuser.fetchval("SELECT count(*) FROM app.guests WHERE notes = $1", marker)
            assert found == 1, "a write that was under way is done exactly once"
            logged = await superuser.fetchval(
                "SELECT count(*) FROM app.audit_log WHERE table_name = 'guests' AND operation = 'INSERT'"
                " AND new_data ->> 'notes' = $1",
                marker,
            )
            assert logged == 1
            assert not await superuser.fetchval("SELECT pg_is_in_recovery()")
        # Work goes on, and the desks hear of each other on the new server.
        stay = {"room_id": house.double, "arrival": anna.today(), "departure": anna.today() + _NIGHT}
        done = await anna.bookings.create({"guest_id": house.huber, "persons": 2, "stay/new": stay})
        assert done.outcome is Outcome.DONE
        assert done.id is not None
        await until(lambda: ben.store.of_booking(cast(int, done.id)), _WAIT)
