"""What one desk writes reaches another; hints are untrusted, nothing is missed when the network breaks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import groupby
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.db.connection import Database
from dpolg_tui.db.live import Intervals, Live, LiveUpdate
from dpolg_tui.db.login import login, logout
from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.domain.models import RealtimeEvent
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase
from tests.db.waiting import until
from tools.wire_proxy import WireProxy


@dataclass
class Watched:
    """A signed-in desk and everything its listener told it."""

    database: Database
    live: Live = field(init=False)
    intervals: Intervals = field(default_factory=lambda: Intervals(heartbeat=30.0))
    updates: list[LiveUpdate] = field(default_factory=list)
    states: list[ConnectionState] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.live = Live(
            self.database,
            self.updates.append,
            self.states.append,
            self.ended.append,
            intervals=self.intervals,
        )

    @property
    def events(self) -> list[RealtimeEvent]:
        return [event for update in self.updates for event in update.events]

    @property
    def types(self) -> list[str]:
        return [event.type for event in self.events]

    async def listening(self) -> None:
        self.live.start()
        await until(lambda: self.live.state.phase is Phase.CONNECTED)


Open = Callable[..., Awaitable[Watched]]


@pytest.fixture
async def watch(
    settings: DatabaseSettings, through_proxy: DatabaseSettings, database: TestDatabase
) -> AsyncIterator[Open]:
    """Opens watched desks; ``proxied`` ones by way of the proxy."""
    opened: list[Watched] = []

    async def open_desk(name: str, *, proxied: bool = False, intervals: Intervals | None = None) -> Watched:
        desk = Database(through_proxy if proxied else settings)
        watched = Watched(desk, intervals=intervals or Intervals(heartbeat=30.0))
        opened.append(watched)
        await login(desk, name, database.users[name].password)
        return watched

    yield open_desk
    for watched in opened:
        await watched.live.stop()
        await watched.database.close()


async def save_guest(desk: Database, last_name: str, guest: int | None = None) -> int:
    changes = {"last_name": {"from": None, "to": last_name}}
    if guest is not None:
        before = await desk.fetchval("SELECT last_name FROM app.guest($1)", guest)
        changes = {"last_name": {"from": before, "to": last_name}}
    answer = await desk.call("app.save_guest", uuid4(), guest, changes, write=True)
    assert answer["outcome"] == "done"
    return int(answer["id"])


async def test_first_update_is_a_reload_with_who_is_here(watch: Open) -> None:
    anna, ben = await watch("anna"), await watch("ben")
    await anna.listening()
    (first,) = anna.updates
    assert first.reload
    assert first.events == ()
    assert [person.display_name for person in first.present] == ["Anna Beispiel", "Ben Beispiel"]
    assert [person.initials for person in first.present] == ["ab", "bb"]
    assert not ben.updates


@pytest.mark.both_versions
async def test_change_reaches_the_other_desk_at_once(watch: Open) -> None:
    anna, ben = await watch("anna"), await watch("ben")
    await anna.listening()
    await ben.listening()
    started = time.monotonic()
    guest = await save_guest(anna.database, "Yılmaz")
    await until(lambda: bool(ben.events))
    assert time.monotonic() - started < 1.0
    (event,) = ben.events
    assert event.type == "guest-created"
    assert event.payload == {"id": guest, "own": False}
    assert event.user_id is not None
    assert event.timestamp.tzinfo is not None
    assert not anna.events


async def test_own_changes_come_with_the_next_heartbeat(watch: Open) -> None:
    """They cost no question of their own: the desk knows them from the answer."""
    anna = await watch("anna", intervals=Intervals(heartbeat=0.3))
    await anna.listening()
    guest = await save_guest(anna.database, "Nowak")
    await until(lambda: bool(anna.events))
    assert anna.events[0].payload == {"id": guest, "own": True}


@pytest.mark.both_versions
async def test_a_write_is_one_round_trip_while_listening(watch: Open, proxy: WireProxy) -> None:
    anna = await watch("anna", proxied=True)
    await anna.listening()
    await save_guest(anna.database, "Warm")
    await asyncio.sleep(0.1)
    proxy.reset()
    await save_guest(anna.database, "Kowalska-Meyer")
    await asyncio.sleep(0.1)
    assert proxy.traffic.round_trips == 1


async def test_hints_of_one_moment_are_fetched_together(watch: Open, proxy: WireProxy) -> None:
    anna = await watch("anna")
    ben = await watch("ben", proxied=True, intervals=Intervals(heartbeat=30.0, window=0.3))
    await anna.listening()
    await ben.listening()
    proxy.reset()
    for number in range(20):
        await save_guest(anna.database, f"Gast {number}")
    await until(lambda: len(ben.events) == 20)
    assert proxy.traffic.round_trips <= 4
    assert set(ben.types) == {"guest-created"}


async def test_forged_and_unreadable_hints_do_nothing(
    watch: Open, proxy: WireProxy, database: TestDatabase
) -> None:
    anna = await watch("anna", proxied=True)
    await anna.listening()
    before = len(anna.updates)
    forger = await asyncpg.connect(database.dsn)
    try:
        proxy.reset()
        for payload in (
            "",
            "x",
            "bookings:1",
            "DROP TABLE:1:x",
            "bookings:one:x",
            "ü:1:x",
            "a:1:b:c",
            "[/b]",
        ):
            await forger.execute(f"SELECT pg_notify('booking', '{payload}')")
        await asyncio.sleep(0.2)
        assert proxy.traffic.round_trips == 0
        started = time.monotonic()
        for number in range(500):
            await forger.execute(f"SELECT pg_notify('guest', 'guests:{number}:deadbeef')")
        took = time.monotonic() - started
        await asyncio.sleep(0.2)
        assert 1 <= proxy.traffic.round_trips <= 3 + (took + 0.2) / anna.intervals.window
        assert len(anna.updates) == before
        assert anna.live.state.phase is Phase.CONNECTED
    finally:
        await forger.close()


@pytest.mark.both_versions
async def test_nothing_is_missed_while_cut_off(watch: Open, proxy: WireProxy) -> None:
    anna, ben = await watch("anna"), await watch("ben", proxied=True)
    await ben.listening()
    await proxy.refuse()
    await until(lambda: ben.live.state.phase is Phase.OFFLINE)
    assert ben.live.state.reason
    guests = [await save_guest(anna.database, f"Gast {number}") for number in range(5)]
    await proxy.accept()
    await until(lambda: len(ben.events) == 5)
    assert [event.payload["id"] for event in ben.events] == guests
    phases = [phase for phase, _ in groupby(state.phase for state in ben.states)]
    assert phases == [Phase.CONNECTED, Phase.OFFLINE, Phase.CONNECTED]
    assert [update.reload for update in ben.updates].count(True) == 1
    # And it listens again.
    await save_guest(anna.database, "danach")
    await until(lambda: len(ben.events) == 6)


async def test_closed_connection_is_noticed_at_once(watch: Open, proxy: WireProxy) -> None:
    anna = await watch("anna", proxied=True)
    await anna.listening()
    started = time.monotonic()
    await proxy.refuse()
    await until(lambda: anna.live.state.phase is Phase.OFFLINE)
    assert time.monotonic() - started < 0.2


async def test_silent_peer_is_noticed_by_the_heartbeat(watch: Open, proxy: WireProxy) -> None:
    defaults = Intervals()
    assert defaults.heartbeat + defaults.limit < 15
    anna = await watch("anna", proxied=True, intervals=Intervals(heartbeat=0.3, limit=0.2))
    await anna.listening()
    proxy.fall_silent()
    started = time.monotonic()
    await until(lambda: anna.live.state.phase is Phase.OFFLINE)
    assert time.monotonic() - started < 0.3 + 0.2 + 0.2
    proxy.speak()
    await until(lambda: anna.live.state.phase is Phase.CONNECTED)


async def test_presence_follows_sign_in_and_log_out(watch: Open) -> None:
    anna = await watch("anna")
    await anna.listening()
    ben = await watch("ben")
    await until(lambda: len(anna.updates[-1].present) == 2)
    assert anna.updates[-1].presence_changed
    await logout(ben.database)
    await until(lambda: len(anna.updates[-1].present) == 1)


async def test_end_of_the_session_is_told_once_and_healed_by_a_login(
    watch: Open, database: TestDatabase
) -> None:
    anna = await watch("anna", intervals=Intervals(heartbeat=0.1))
    await anna.listening()
    superuser = await asyncpg.connect(database.superuser_dsn)
    await superuser.execute("UPDATE auth.sessions SET ended_at = now()")
    await superuser.close()
    await until(lambda: bool(anna.ended))
    await asyncio.sleep(0.5)
    assert len(anna.ended) == 1
    await login(anna.database, "anna", database.users["anna"].password)
    before = len(anna.updates)
    ben = await watch("ben")
    await save_guest(ben.database, "wieder da")
    await until(lambda: len(anna.updates) > before)
    assert len(anna.ended) == 1


async def test_unlocking_goes_on_without_a_gap(watch: Open, database: TestDatabase) -> None:
    anna = await watch("anna", intervals=Intervals(heartbeat=0.02))
    ben = await watch("ben")
    await anna.listening()
    writing = asyncio.create_task(_write(ben.database, 30))
    for _ in range(3):
        await login(anna.database, "anna", database.users["anna"].password)
        await asyncio.sleep(0.05)
    written = await writing
    await until(lambda: len(anna.events) >= len(written))
    assert [event.payload["id"] for event in anna.events] == written
    assert anna.ended == []


async def _write(desk: Database, number: int) -> list[int]:
    ids = []
    for name in range(number):
        ids.append(await save_guest(desk, f"Gast {name}"))
        await asyncio.sleep(0.01)
    return ids


async def test_unlocking_does_not_look_like_a_broken_connection(watch: Open, database: TestDatabase) -> None:
    anna, ben = await watch("anna"), await watch("ben")
    await ben.listening()
    for number in range(1, 4):
        await login(ben.database, "ben", database.users["ben"].password)
        await save_guest(anna.database, f"Gast {number}")
        await until(lambda number=number: len(ben.events) == number)
    await asyncio.sleep(0.1)
    assert [state.phase for state in ben.states] == [Phase.CONNECTED]


async def test_restored_database_means_reload(watch: Open, database: TestDatabase) -> None:
    anna = await watch("anna", intervals=Intervals(heartbeat=0.1))
    await anna.listening()
    superuser = await asyncpg.connect(database.superuser_dsn)
    await superuser.execute("UPDATE app.installation SET instance_id = gen_random_uuid()")
    await superuser.close()
    await until(lambda: [update.reload for update in anna.updates].count(True) == 2)


async def test_bulk_work_means_reload(watch: Open, database: TestDatabase) -> None:
    anna = await watch("anna")
    await anna.listening()
    owner = await asyncpg.connect(database.owner_dsn)
    await owner.execute("SELECT app.announce_reload()")
    await owner.close()
    await until(lambda: [update.reload for update in anna.updates].count(True) == 2)


async def test_defect_of_a_callback_does_not_stop_the_updates(
    settings: DatabaseSettings, watch: Open, caplog: pytest.LogCaptureFixture, database: TestDatabase
) -> None:
    seen: list[LiveUpdate] = []

    def broken(update: LiveUpdate) -> None:
        seen.append(update)
        raise ZeroDivisionError

    desk = Database(settings)
    live = Live(desk, broken, lambda _: None, intervals=Intervals(heartbeat=30))
    try:
        await login(desk, "clara", database.users["clara"].password)
        live.start()
        await until(lambda: bool(seen))
        ben = await watch("ben")
        await save_guest(ben.database, "trotzdem")
        await until(lambda: any(update.events for update in seen))
        assert "ZeroDivisionError" in caplog.text
    finally:
        await live.stop()
        await desk.close()


async def test_delay_beside_a_raw_listener(watch: Open, database: TestDatabase) -> None:
    """From the commit to the callback of the other desk: one question more than the bare notification."""
    anna, ben = await watch("anna"), await watch("ben")
    await ben.listening()
    told: list[float] = []
    ben.live._on_changes = lambda _: told.append(time.perf_counter())
    arrived: list[float] = []
    raw = await asyncpg.connect(database.dsn)
    await raw.add_listener("guest", lambda *_: arrived.append(time.perf_counter()))
    try:
        for number in range(1, 41):
            await save_guest(anna.database, f"Gast {number}")
            await until(lambda number=number: len(told) == len(arrived) == number)  # type: ignore[misc]
            await asyncio.sleep(anna.intervals.window)
    finally:
        await raw.close()
    delays = sorted(mine - bare for mine, bare in zip(told, arrived, strict=True))
    assert delays[-4] < 0.04, delays


async def test_stop_and_start_again(watch: Open) -> None:
    anna = await watch("anna")
    await anna.listening()
    await anna.live.stop()
    await anna.listening()
    assert [update.reload for update in anna.updates] == [True, True]


def test_intervals_are_settable() -> None:
    assert replace(Intervals(), heartbeat=1.0).limit == 4.0
