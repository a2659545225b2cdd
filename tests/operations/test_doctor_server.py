"""What doctor says of a whole server, brought about on one that may suffer it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.domain import health_server
from dpolg_tui.domain.problems import Problem, Status
from dpolg_tui.operations.embedded import HOST, Cluster
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import OPTIONS, Server, TestDatabase, binaries_of, fast_directory, run
from tests.operations.backups import settings_of
from tests.operations.doctor_looks import look, told
from tests.sql.stage import connected

pytestmark = pytest.mark.usefixtures("home")

FRAIL = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_notify_queue_pages": "64",
    "wal_level": "replica",
    "archive_mode": "on",
    "autovacuum": "off",
    # Else the server would freeze at once what a test has aged.
    "autovacuum_freeze_max_age": "2000000000",
}
WAIT = 30.0
BY_SOCKET = "local all all scram-sha-256\n"


def outward_address() -> str | None:
    """An address by which others might reach this machine; None if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            # Nothing is sent: it only asks which way a packet would go.
            asked.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = asked.getsockname()[0]
        return address


OUTWARD = outward_address()
LISTENING = [HOST, *([OUTWARD] if OUTWARD else [])]


@pytest.fixture(scope="module")
def frail_server() -> Iterator[Server]:
    """A server of its own: what is done to it concerns all its databases."""
    binaries = binaries_of("embedded")
    assert binaries is not None
    home = temporary_directory(fast_directory())
    listening = {"listen_addresses": ",".join(LISTENING), "unix_socket_directories": str(home / "server")}
    shared = SharedServer(
        home,
        replace(OPTIONS, settings={**OPTIONS.settings, **FRAIL, **listening}),
        binaries=binaries,
        temporary=True,
    )
    run(shared.start)
    server = Server("embedded", shared)
    lines = [f"host all all {address}/32 scram-sha-256\n" for address in LISTENING]
    server.cluster._write(server.cluster.data / "pg_hba.conf", "".join([BY_SOCKET, *lines]))
    server.execute("SELECT pg_reload_conf()")
    yield server
    server.close()


@pytest.fixture
def frail(frail_server: Server) -> Iterator[TestDatabase]:
    clone = frail_server.clone()
    yield clone
    # Not while the next test stops the server.
    frail_server.execute(f'DROP DATABASE IF EXISTS "{clone.name}" WITH (FORCE)')


@contextmanager
def stopped(server: Server) -> Iterator[Cluster]:
    """The server does not run inside, and runs again after it."""
    server.cluster.stop()
    try:
        yield server.cluster
    finally:
        server.cluster.start()


async def test_a_limit_that_is_nearly_reached(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser, AsyncExitStack() as stack:
        for _ in range(9):
            await stack.enter_async_context(connected(frail.dsn))
        before = await superuser.fetchval("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'booking_user'")
        try:
            await superuser.execute("ALTER ROLE booking_user CONNECTION LIMIT 10")
            told(await look(frail.owner_dsn), Problem.CONNECTIONS_SCARCE, "9 von booking_user")
            await stack.enter_async_context(connected(frail.dsn))
            told(await look(frail.owner_dsn), Problem.CONNECTIONS_USED_UP, "abgewiesen")
            told(await look(frail.dsn), Problem.HOST_UNUSABLE, "alle Plätze belegt")
        finally:
            await superuser.execute(f"ALTER ROLE booking_user CONNECTION LIMIT {before}")


async def test_a_transaction_that_somebody_left_open(
    frail: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_server, "TRANSACTION_WARNING", 1)
    async with connected(frail.owner_dsn) as left:
        await left.execute("BEGIN; SELECT 1")
        await asyncio.sleep(2.1)
        found = await look(frail.owner_dsn)
        check = told(found, Problem.TRANSACTIONS_LONG, "wartet auf ihr Programm")
        assert str(left.get_server_pid()) in check.remedy
        monkeypatch.setattr(health_server, "TRANSACTION_ERROR", 2)
        told(await look(frail.owner_dsn), Problem.TRANSACTIONS_VERY_LONG, "dpolg_owner")


async def test_a_queue_of_notifications_that_fills_up(frail: TestDatabase) -> None:
    async with connected(frail.dsn) as stuck, connected(frail.superuser_dsn) as superuser:
        await stuck.execute("LISTEN booking")
        await stuck.execute("BEGIN; SELECT 1")
        for problem, share in ((Problem.NOTIFY_QUEUE_FILLING, 0.1), (Problem.NOTIFY_QUEUE_NEARLY_FULL, 0.5)):
            filled = 0.0
            while filled < share:
                await superuser.execute(
                    "SELECT pg_notify('booking', n || repeat('x', 7000)) FROM generate_series(1, 4) n"
                )
                filled = await superuser.fetchval("SELECT pg_notification_queue_usage()")
            told(await look(frail.owner_dsn), problem, "niemand mehr speichern")


async def test_rows_that_nobody_cleans_away(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as owner:
        await owner.execute(
            "INSERT INTO app.sizes SELECT date '1900-01-01' + n, 1 FROM generate_series(1, 20000) n"
        )
        await owner.execute("DELETE FROM app.sizes WHERE day < '2000-01-01'")
        await owner.execute("SELECT pg_stat_force_next_flush()")
        found = await look(frail.owner_dsn)
    told(found, Problem.DEAD_ROWS_MANY, "app.sizes")
    told(found, Problem.VACUUM_OFF, "autovacuum ist ausgeschaltet")


async def test_statements_are_named_by_their_function_only(frail: TestDatabase) -> None:
    assert "nicht eingerichtet" in (await look(frail.owner_dsn))["statements"][0].says
    async with connected(frail.superuser_dsn) as superuser, AsyncExitStack() as stack:
        await superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA ext")
        await superuser.execute(
            "CREATE OR REPLACE FUNCTION app.hello() RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER AS $$"
            " BEGIN PERFORM pg_catalog.pg_sleep(0.25); RETURN NULL; END $$"
        )
        # Else it is the owner's, who may not sleep.
        await superuser.execute("ALTER FUNCTION app.hello() OWNER TO CURRENT_USER")
        desks = [await stack.enter_async_context(connected(frail.dsn)) for _ in range(5)]
        await asyncio.gather(*(desk.fetchval("SELECT app.hello()") for desk in desks))
        for _ in range(5):
            await desks[0].execute("SET application_name = 'Huber, Anton'")
        await superuser.execute("ALTER FUNCTION app.hello() OWNER TO dpolg_owner")
        found = await look(frail.owner_dsn)
    told(found, Problem.STATEMENTS_SLOW, "app.hello braucht im Mittel 25")
    assert "Huber" not in repr(found)


async def test_statistics_of_statements_that_cannot_be_read(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA ext VERSION '1.4'")
        too_old = (await look(frail.owner_dsn))["statements"][0]
        await superuser.execute("DROP EXTENSION pg_stat_statements; CREATE SCHEMA elsewhere")
        await superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA elsewhere")
        # As on a rented server, where nobody could grant it.
        await superuser.execute("REVOKE pg_read_all_data FROM dpolg_backup")
        try:
            closed = (await look(frail.owner_dsn))["statements"][0]
        finally:
            await superuser.execute("GRANT pg_read_all_data TO dpolg_backup")
    assert too_old.status is closed.status is Status.UNKNOWN
    assert "zu alt" in too_old.says
    assert "gehört ins Schema ext" in closed.says


async def test_an_archive_that_fails_and_a_slot_that_nobody_fetches(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("SELECT pg_create_physical_replication_slot('gone', true)")
        await superuser.execute("ALTER SYSTEM SET archive_command = 'false'")
        try:
            await superuser.execute("SELECT pg_reload_conf()")
            await superuser.execute("CREATE TABLE public.moved (); SELECT pg_switch_wal()")
            async with asyncio.timeout(WAIT):
                while not await superuser.fetchval("SELECT failed_count FROM pg_stat_archiver"):
                    await superuser.execute("SELECT pg_sleep(0.1)")
            found = await look(frail.owner_dsn)
        finally:
            await superuser.execute("SELECT pg_drop_replication_slot('gone')")
            await superuser.execute("ALTER SYSTEM RESET archive_command")
            await superuser.execute("SELECT pg_reload_conf()")
    told(found, Problem.ARCHIVE_FAILING, "Archivieren scheitert")
    told(found, Problem.SLOTS_UNFETCHED, "gone")


async def test_without_the_right_to_statistics_it_says_so(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("REVOKE pg_monitor FROM dpolg_owner")
        try:
            found = await look(frail.owner_dsn)
        finally:
            await superuser.execute("GRANT pg_monitor TO dpolg_owner")
    for key in ("connections", "transactions", "dead_rows", "statements"):
        assert [check.status for check in found[key]] == [Status.UNKNOWN]
        assert "pg_monitor" in found[key][0].says


async def test_a_page_that_the_disk_has_damaged(frail_server: Server, frail: TestDatabase) -> None:
    other = frail_server.clone()
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("CREATE TABLE public.spoilt AS SELECT n FROM generate_series(1, 500) n")
        file = await superuser.fetchval("SELECT pg_relation_filepath('public.spoilt')")
    async with connected(other.superuser_dsn) as superuser:
        needed = await superuser.fetchval("SELECT pg_relation_filepath('app.migrations')")
    with stopped(frail_server) as cluster:
        for place in (cluster.data / file, cluster.data / needed):
            with place.open("r+b") as table:
                table.seek(8000)
                table.write(b"rost")
    frail, other = frail_server.found_again(frail), frail_server.found_again(other)
    assert (await look(frail.owner_dsn))["pages"][0].status is Status.OK
    async with connected(frail.superuser_dsn) as superuser:
        with pytest.raises(asyncpg.DataCorruptedError):
            await superuser.execute("SELECT * FROM public.spoilt")
    told(await look(frail.owner_dsn), Problem.PAGES_DAMAGED, "1-mal eine Prüfsumme falsch")
    # What doctor itself cannot read is no less an error.
    found = await look(other.owner_dsn)
    told(found, Problem.DATABASE_UNREADABLE, "Daten auf dem Server sind beschädigt")
    assert (found["host"][0].status, found["checks"][0].status) == (Status.OK, Status.OK)
    frail_server.drop(other)


@pytest.mark.parametrize(
    ("millions", "problem"), [(600, Problem.VACUUM_BEHIND), (1600, Problem.VACUUM_FAR_BEHIND)]
)
async def test_transactions_that_nobody_froze(
    frail_server: Server, frail: TestDatabase, millions: int, problem: Problem
) -> None:
    await ahead(frail_server, transactions=millions * 1_000_000 + 500_000)
    frail = frail_server.found_again(frail)
    told(await look(frail.owner_dsn), problem, f"{millions} Millionen Transaktionen")


async def test_a_slot_for_which_the_disk_fills_up(frail_server: Server, frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("SELECT pg_create_physical_replication_slot('forgotten', true)")
    await ahead(frail_server, wal="000000010000000400000001")
    frail = frail_server.found_again(frail)
    try:
        told(await look(frail.owner_dsn), Problem.SLOTS_HUGE, "GB WAL werden dafür aufgehoben")
    finally:
        async with connected(frail.superuser_dsn) as superuser:
            await superuser.execute("SELECT pg_drop_replication_slot('forgotten')")


async def ahead(server: Server, *, transactions: int = 0, wal: str = "") -> None:
    """Sets the server's counters on, as if there had been so much work; the next start goes on from there."""
    with stopped(server) as cluster:
        command: list[str | Path] = [cluster.binaries.program("pg_resetwal"), "-D", cluster.data]
        if transactions:
            command += ["-x", str(transactions)]
            # The status of transactions, two bits each, in files of 256 kB: the one that is written on next.
            status = cluster.data / "pg_xact" / f"{transactions // (4 * 256 * 1024):04X}"
            status.write_bytes(bytes(256 * 1024))
            cluster.account.give(status)
        if wal:
            command += ["-l", wal]
        answer = cluster.account.run(command, directory=cluster.home)
        assert answer.returncode == 0, answer.stdout


async def test_only_servers_that_follow_another(frail_server: Server, frail: TestDatabase) -> None:
    with stopped(frail_server) as cluster:
        signal = cluster.data / "standby.signal"
        signal.touch()
        cluster.account.give(signal)
    try:
        settings = settings_of(frail_server.found_again(frail).owner_dsn)
        by_socket = replace(settings, hosts=((str(frail_server.cluster.home), settings.hosts[0][1]),))
        seen = [await look(settings), await look(by_socket)]
    finally:
        with stopped(frail_server):
            signal.unlink()
    for found in seen:
        told(found, Problem.PRIMARY_MISSING, "niemand kann etwas speichern")
        assert "folgt" in found["host"][0].says


@pytest.mark.skipif(OUTWARD is None, reason="this machine has no address but loopback's")
async def test_a_server_without_tls_that_others_reach(frail: TestDatabase, frail_server: Server) -> None:
    settings = settings_of(frail.owner_dsn)
    assert OUTWARD is not None
    port = settings.hosts[0][1]
    away = replace(settings, hosts=((OUTWARD, port),), ssl_mode="prefer", allow_unverified_server=True)
    found = await look(away)
    assert found["host"][0].status is Status.OK
    check = told(found, Problem.TLS_MISSING, "offen durchs Netz")
    assert check.subject == f"{OUTWARD}:{port}"
    by_socket = replace(settings, hosts=((str(frail_server.cluster.home), port),))
    found = await look(by_socket)
    assert found["host"][0].status is Status.OK
    assert told(found, Problem.TLS_MISSING, "offen durchs Netz").subject == f"{HOST}:{port}"
