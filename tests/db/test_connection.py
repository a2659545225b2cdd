"""Calls to a real server through a network that is slow, silent or cut."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace
from datetime import date
from decimal import Decimal

import asyncpg
import pytest

from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.db.hosts import KEEPALIVE_IDLE, USER_TIMEOUT_MS, Hosts
from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.domain.errors import (
    Busy,
    Defect,
    OutcomeUnknown,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.log import action
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase
from tests.db.waiting import until
from tools.wire_proxy import WireProxy

GRACE = 0.2


@pytest.mark.both_versions
async def test_one_round_trip_per_warm_call(desk: Database, proxy: WireProxy) -> None:
    desk.warm(call_sql("app.hello", 0))
    desk.start()
    await desk.wait_warm()
    proxy.reset()
    for number in range(1, 6):
        await desk.call("app.hello")
        assert proxy.traffic.round_trips == number


async def test_a_warmed_connection_is_idle_for_the_server(
    desk: Database, database: TestDatabase, caplog: pytest.LogCaptureFixture
) -> None:
    """Prepared without a Sync it would stay inside a statement, whose time limit ends the next action."""
    desk.warm(call_sql("app.hello", 0))
    desk.start()
    await desk.wait_warm()
    superuser = await asyncpg.connect(database.superuser_dsn)
    try:
        states = await superuser.fetch(
            "SELECT state FROM pg_stat_activity WHERE datname = $1 AND usename = 'booking_user'",
            database.name,
        )
    finally:
        await superuser.close()
    assert [row["state"] for row in states] == ["idle"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_spoilt_defaults_of_the_role_do_not_stop_the_desks(
    desk: Database, database: TestDatabase
) -> None:
    """Whoever knows the password of booking_user may change the defaults of its role in this database."""
    superuser = await asyncpg.connect(database.superuser_dsn)
    role = f"ALTER ROLE booking_user IN DATABASE {database.name}"
    try:
        for setting in (
            "default_transaction_read_only = on",
            "default_transaction_isolation = 'serializable'",
            "statement_timeout = 1",
            "search_path = nowhere",
        ):
            await superuser.execute(f"{role} SET {setting}")
    finally:
        await superuser.close()
    assert await desk.fetchval("SHOW transaction_read_only") == "off"
    assert await desk.fetchval("SHOW transaction_isolation") == "read committed"
    assert (await desk.call("app.hello"))["schema_version"] >= 3


async def test_a_cold_statement_costs_one_more(desk: Database, proxy: WireProxy) -> None:
    await desk.call("app.hello")
    proxy.reset()
    assert await desk.fetchval("SELECT $1::int + 1", 1) == 2
    assert proxy.traffic.round_trips == 2
    assert await desk.fetchval("SELECT $1::int + 1", 2) == 3
    assert proxy.traffic.round_trips == 3


@pytest.mark.both_versions
async def test_connecting_costs_startup_and_scram_only(desk: Database, proxy: WireProxy) -> None:
    """On loopback without asking for TLS first; JSON without asking for its type."""
    await desk.fetchval("SELECT jsonb_build_object('a', $1::jsonb)", {"b": 1})
    assert proxy.traffic.round_trips == 3 + 2


async def test_round_trips_count_into_the_action(desk: Database) -> None:
    await desk.call("app.hello")
    with action("test") as measured:
        await desk.call("app.hello")
    assert measured.round_trips == 1


async def test_json_both_ways(desk: Database) -> None:
    value = {"day": date(2026, 11, 21), "price": Decimal("12.50"), "name": "Müller [VIP] 😀", "none": None}
    answer = await desk.fetchval("SELECT $1::jsonb || '{\"exact\": 0.10}'", value)
    assert answer == {
        "day": "2026-11-21",
        "price": "12.50",
        "name": "Müller [VIP] 😀",
        "none": None,
        "exact": Decimal("0.10"),
    }


async def test_session_token_reaches_the_server(desk: Database) -> None:
    assert await desk.fetchval("SELECT current_setting('app.session_token')") == desk.token
    assert len(desk.token) == 64


@pytest.mark.both_versions
async def test_socket_is_watched(settings: DatabaseSettings) -> None:
    connection = await Hosts(settings).connect()
    try:
        peer: socket.socket = connection._transport.get_extra_info("socket")
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == KEEPALIVE_IDLE
        assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == USER_TIMEOUT_MS
        assert await connection.fetchval("SHOW tcp_keepalives_idle") == str(KEEPALIVE_IDLE)
        assert await connection.fetchval("SHOW application_name") == "dpolg-tui"
    finally:
        connection.terminate()
        await asyncio.sleep(0)


# -- a broken network ------------------------------------------------------------------------------


@pytest.mark.both_versions
async def test_black_hole_ends_every_call_within_its_limit(desk: Database, proxy: WireProxy) -> None:
    await desk.call("app.hello")
    proxy.fall_silent()
    for limit in (0.3, 0.5, 1.0):
        started = time.monotonic()
        with pytest.raises(Unreachable):
            await desk.call("app.hello", limit=limit)
        assert limit <= time.monotonic() - started < limit + GRACE
    proxy.speak()
    assert await desk.call("app.hello", limit=3)


async def test_black_hole_under_many_calls(desk: Database, proxy: WireProxy) -> None:
    await asyncio.gather(*(desk.call("app.hello") for _ in range(4)))
    proxy.fall_silent()
    started = time.monotonic()
    results = await asyncio.gather(
        *(desk.call("app.hello", limit=0.6) for _ in range(20)), return_exceptions=True
    )
    assert time.monotonic() - started < 0.6 + GRACE
    assert all(isinstance(result, Unreachable) for result in results)


async def test_black_hole_during_a_write_says_so(desk: Database, proxy: WireProxy) -> None:
    await desk.fetchval("SELECT 1", write=True)
    proxy.fall_silent()
    with pytest.raises(OutcomeUnknown):
        await desk.fetchval("SELECT 1", write=True, limit=0.3)


async def test_black_hole_while_connecting(desk: Database, proxy: WireProxy) -> None:
    proxy.fall_silent()
    started = time.monotonic()
    with pytest.raises(Unreachable):
        await desk.fetchval("SELECT 1", write=True, limit=0.5)
    assert time.monotonic() - started < 0.5 + GRACE


async def test_cut_connections_are_repeated(desk: Database, proxy: WireProxy) -> None:
    for _ in range(3):
        await asyncio.gather(desk.call("app.hello"), desk.call("app.hello"))
        proxy.cut()
        assert await desk.call("app.hello")


async def test_cut_in_the_middle_is_repeated_with_the_same_arguments(
    desk: Database, proxy: WireProxy, nap: str
) -> None:
    call = asyncio.create_task(desk.fetchval(nap, 0.2, "same", write=True))
    await asyncio.sleep(0.1)
    proxy.cut()
    assert await call == "same"


async def test_what_must_not_be_repeated_is_not(desk: Database, proxy: WireProxy, nap: str) -> None:
    call = asyncio.create_task(desk.fetchval(nap, 0.3, "x", write=True, repeat=False))
    await asyncio.sleep(0.15)
    proxy.cut()
    with pytest.raises(OutcomeUnknown):
        await call


async def test_server_comes_back_within_the_limit(desk: Database, proxy: WireProxy) -> None:
    await desk.call("app.hello")
    await proxy.refuse()
    call = asyncio.create_task(desk.call("app.hello", limit=5))
    await asyncio.sleep(0.3)
    await proxy.accept()
    assert await call


async def test_backend_terminated_by_the_server(desk: Database, database: TestDatabase, nap: str) -> None:
    """57P01 while idle and while working."""
    await desk.call("app.hello")
    superuser = await asyncpg.connect(database.superuser_dsn)
    try:
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'dpolg-tui'"
        await superuser.execute(end)
        assert await desk.call("app.hello")
        call = asyncio.create_task(desk.fetchval(nap, 0.2, "done"))
        await asyncio.sleep(0.1)
        await superuser.execute(end)
        assert await call == "done"
    finally:
        await superuser.close()


async def test_a_cancelled_caller_keeps_the_connection_warm(
    desk: Database, proxy: WireProxy, nap: str
) -> None:
    await desk.fetchval(nap, 0, "x")
    before = proxy.traffic.connections
    for _ in range(5):
        call = asyncio.create_task(desk.fetchval(nap, 0.05, "x"))
        await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
    assert await desk.fetchval(nap, 0, "last") == "last"
    assert proxy.traffic.connections - before <= desk.settings.pool_max


async def test_never_more_connections_than_allowed(desk: Database, proxy: WireProxy, nap: str) -> None:
    await asyncio.gather(*(desk.fetchval(nap, 0.01, "x") for _ in range(30)))
    assert proxy.traffic.connections <= desk.settings.pool_max


async def test_the_lowest_number_is_restored_by_itself(desk: Database, proxy: WireProxy) -> None:
    states: list[ConnectionState] = []
    desk.on_state = states.append
    desk.warm("SELECT 41")
    desk.start()
    await desk.wait_warm()
    await proxy.refuse()
    await until(lambda: desk.state.phase is Phase.OFFLINE)
    assert desk.state.reason is not None
    await proxy.accept()
    await until(lambda: desk.state.phase is Phase.CONNECTED)
    await desk.wait_warm()
    proxy.reset()
    await desk.fetchval("SELECT 41")
    assert proxy.traffic.round_trips == 1
    assert [state.phase for state in states] == [Phase.CONNECTED, Phase.OFFLINE, Phase.CONNECTED]


async def test_idle_connections_above_the_lowest_number_are_closed(
    through_proxy: DatabaseSettings, proxy: WireProxy, nap: str
) -> None:
    desk = Database(replace(through_proxy, idle_timeout=0.2))
    try:
        desk.start()
        await asyncio.gather(*(desk.fetchval(nap, 0.05, "x") for _ in range(2)))
        assert proxy.open_connections == 2
        await until(lambda: proxy.open_connections == 1)
        await asyncio.sleep(0.4)
        assert proxy.open_connections == 1
    finally:
        await desk.close()


async def test_closing_ends_what_is_running(desk: Database, nap: str) -> None:
    call = asyncio.create_task(desk.fetchval(nap, 5, "x", limit=10))
    await asyncio.sleep(0.2)
    started = time.monotonic()
    await desk.close()
    with pytest.raises(Unreachable):
        await call
    with pytest.raises(Unreachable):
        await desk.call("app.hello")
    assert time.monotonic() - started < GRACE


# -- errors of the server --------------------------------------------------------------------------


async def test_without_login_the_session_has_ended(desk: Database) -> None:
    with pytest.raises(SessionEnded):
        await desk.call("app.colleagues")


async def test_statement_of_ours_that_is_wrong_is_a_defect(desk: Database) -> None:
    with pytest.raises(Defect):
        await desk.fetchval("SELECT 1 / 0")
    with pytest.raises(Defect):
        await desk.fetchval("SELECT $1::int", "no number")
    assert await desk.fetchval("SELECT 1") == 1


async def test_contention_is_repeated(desk: Database, database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.superuser_dsn)
    try:
        await owner.execute("""
            CREATE SEQUENCE public.attempts; GRANT USAGE ON SEQUENCE public.attempts TO booking_user;
            GRANT USAGE ON SCHEMA public TO booking_user;
            CREATE FUNCTION public.contended(wins_at bigint) RETURNS text LANGUAGE plpgsql AS $$
            BEGIN
                IF nextval('public.attempts') < wins_at THEN
                    RAISE EXCEPTION 'x' USING ERRCODE = '40P01';
                END IF;
                RETURN 'done';
            END $$;
            GRANT EXECUTE ON FUNCTION public.contended(bigint) TO booking_user""")
        assert await desk.fetchval("SELECT public.contended(4)", write=True) == "done"
        with pytest.raises(Busy):
            await desk.fetchval("SELECT public.contended(1000)", write=True)
        assert await owner.fetchval("SELECT last_value FROM public.attempts") == 8
    finally:
        await owner.close()


async def test_upgraded_function_is_prepared_again(desk: Database, database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.superuser_dsn)
    try:
        await owner.execute("""
            GRANT USAGE ON SCHEMA public TO booking_user;
            CREATE FUNCTION public.answer() RETURNS TABLE (a int) LANGUAGE sql AS 'SELECT 1';
            GRANT EXECUTE ON FUNCTION public.answer() TO booking_user""")
        assert await desk.fetchval("SELECT * FROM public.answer()") == 1
        await owner.execute("""
            DROP FUNCTION public.answer();
            CREATE FUNCTION public.answer() RETURNS TABLE (a text) LANGUAGE sql AS $$SELECT 'two'$$;
            GRANT EXECUTE ON FUNCTION public.answer() TO booking_user""")
        assert await desk.fetchval("SELECT * FROM public.answer()") == "two"
    finally:
        await owner.close()
