"""Everything that doctor warns of, brought about in earnest on a server that may suffer it."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.certificates import SSL_REQUEST
from dpolg_tui.domain import health_server
from dpolg_tui.domain.health import judge
from dpolg_tui.domain.health_figures import Check, Figures
from dpolg_tui.domain.problems import Status
from dpolg_tui.operations.doctor import examine
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from dpolg_tui.settings import DatabaseSettings
from tests.databases import OPTIONS, Server, TestDatabase, binaries_of, fast_directory, run
from tests.operations.backups import settings_of
from tests.sql.stage import connected

pytestmark = pytest.mark.usefixtures("home")

FRAIL = {
    "shared_preload_libraries": "pg_stat_statements",
    "max_notify_queue_pages": "64",
    "wal_level": "replica",
    "archive_mode": "on",
    "archive_command": "false",
    "autovacuum": "off",
}
WAIT = 30.0


@pytest.fixture(scope="module")
def frail_server() -> Iterator[Server]:
    """A server of its own: what is done to it concerns all its databases."""
    binaries = binaries_of("embedded")
    assert binaries is not None
    shared = SharedServer(
        temporary_directory(fast_directory()),
        replace(OPTIONS, settings={**OPTIONS.settings, **FRAIL}),
        binaries=binaries,
        temporary=True,
    )
    run(shared.start)
    server = Server("embedded", shared)
    yield server
    server.close()


@pytest.fixture
def frail(frail_server: Server) -> Iterator[TestDatabase]:
    clone = frail_server.clone()
    yield clone
    frail_server.drop(clone)


def by_key(figures: Figures) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for check in judge(figures):
        found.setdefault(check.key, []).append(check)
    return found


async def look(where: str | DatabaseSettings, **more: Any) -> dict[str, list[Check]]:
    """The checks by key, as the owner sees them."""
    return by_key(await examine(settings_of(where) if isinstance(where, str) else where, **more))


def told(checks: list[Check], status: Status, words: str) -> Check:
    """The one that stands so, says these words and what to do."""
    [check] = [check for check in checks if check.status is status and words in check.says]
    assert check.remedy
    return check


# -- of one database -------------------------------------------------------------------------------


async def test_a_dead_second_server_is_a_warning_and_a_dead_only_one_an_error(database: TestDatabase) -> None:
    settings = settings_of(database.owner_dsn)
    dead = ("127.0.0.1", 1)
    found = await look(replace(settings, hosts=(*settings.hosts, dead)))
    told(found["host"], Status.WARNING, "127.0.0.1:1")
    assert found["backup"][0].status is Status.OK
    alone = await look(replace(settings, hosts=(dead,)))
    told(alone["host"], Status.ERROR, "127.0.0.1:1")
    assert alone["backup"][0].status is Status.UNKNOWN


async def test_a_wrong_password_is_told(database: TestDatabase) -> None:
    found = await look(replace(settings_of(database.owner_dsn), password="wrong"))
    told(found["host"], Status.ERROR, "Benutzer und Passwort")


@pytest.mark.parametrize(
    ("shift", "status", "words"),
    [
        (timedelta(minutes=5), Status.WARNING, "5 Minuten vor"),
        (timedelta(hours=-3), Status.ERROR, "3 Stunden nach"),
    ],
)
async def test_a_wrong_clock(database: TestDatabase, shift: timedelta, status: Status, words: str) -> None:
    found = await look(database.owner_dsn, clock=lambda: datetime.now(UTC) + shift)
    told(found["clock"], status, words)


async def test_a_database_that_is_behind(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute(
            "UPDATE app.migrations SET checksum = 'old' WHERE name = 'functions/31_health.sql'"
        )
        told((await look(database.owner_dsn))["schema"], Status.WARNING, "functions/31_health.sql")
        await owner.execute("DELETE FROM app.migrations WHERE name LIKE 'schema/0009%'")
        told((await look(database.dsn))["schema"], Status.ERROR, "nicht auf dem Stand")
        await owner.execute("INSERT INTO app.migrations VALUES ('schema/9999_later.sql', 'x')")
        told((await look(database.owner_dsn))["schema"], Status.WARNING, "neuer als dieses Programm")


async def test_a_database_without_house(empty_database: TestDatabase) -> None:
    found = await look(empty_database.superuser_dsn)
    assert "init-db" in found["schema"][0].says
    assert found["schema"][0].status is Status.UNKNOWN


async def test_a_program_that_is_too_old(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE app.installation SET minimum_client = '99.0.0'")
    told((await look(database.owner_dsn))["program"], Status.ERROR, "zu alt")


async def test_rights_that_are_not_as_they_must_be(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("GRANT SELECT ON app.rooms TO booking_user")
    for dsn in (database.owner_dsn, database.dsn):
        told((await look(dsn))["checks"], Status.ERROR, "app.rooms")


async def test_backups_that_are_old_failed_or_not_verified(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE app.installation SET created_at = now() - interval '3 days'")
        told((await look(database.owner_dsn))["backup"], Status.ERROR, "noch keine")
        await owner.execute("ALTER TABLE app.backups DISABLE TRIGGER backups_append_only")

        async def record(kind: str, age: str, *, ok: bool) -> dict[str, list[Check]]:
            await owner.execute(
                "INSERT INTO app.backups (kind, at, ok, server_version)"
                " VALUES ($1, now() - $2::text::interval, $3, '1')",
                kind,
                age,
                ok,
            )
            return await look(database.owner_dsn)

        told((await record("backup", "2 days", ok=True))["backup"], Status.ERROR, "älter als ein Tag")
        found = await record("backup", "3 hours", ok=True)
        assert found["backup"][0].status is Status.OK
        told(found["verification"], Status.WARNING, "Noch nie")
        told((await record("backup", "2 hours", ok=False))["backup"], Status.WARNING, "gescheitert")
        told((await record("copy", "2 hours", ok=False))["backup_copy"], Status.WARNING, "gescheitert")
        told(
            (await record("verification", "9 days", ok=True))["verification"],
            Status.WARNING,
            "über eine Woche",
        )
        told(
            (await record("verification", "1 day", ok=False))["verification"],
            Status.ERROR,
            "nicht wiederherstellen",
        )


# -- of a whole server -----------------------------------------------------------------------------


async def test_a_limit_that_is_nearly_reached(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser, AsyncExitStack() as stack:
        for _ in range(9):
            await stack.enter_async_context(connected(frail.dsn))
        before = await superuser.fetchval("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'booking_user'")
        try:
            await superuser.execute("ALTER ROLE booking_user CONNECTION LIMIT 10")
            told((await look(frail.owner_dsn))["connections"], Status.WARNING, "9 von booking_user")
            await stack.enter_async_context(connected(frail.dsn))
            told((await look(frail.owner_dsn))["connections"], Status.ERROR, "abgewiesen")
            refused = await look(frail.dsn)
            assert refused["host"][0].status is Status.ERROR
        finally:
            await superuser.execute(f"ALTER ROLE booking_user CONNECTION LIMIT {before}")


async def test_a_transaction_that_somebody_left_open(
    frail: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health_server, "TRANSACTION_WARNING", 1)
    async with connected(frail.owner_dsn) as left:
        await left.execute("BEGIN; SELECT 1")
        await asyncio.sleep(2.1)
        check = told((await look(frail.owner_dsn))["transactions"], Status.WARNING, "wartet auf ihr Programm")
        assert str(left.get_server_pid()) in check.remedy
        monkeypatch.setattr(health_server, "TRANSACTION_ERROR", 2)
        told((await look(frail.owner_dsn))["transactions"], Status.ERROR, "dpolg_owner")


async def test_a_queue_of_notifications_that_fills_up(frail: TestDatabase) -> None:
    async with connected(frail.dsn) as stuck, connected(frail.superuser_dsn) as superuser:
        await stuck.execute("LISTEN booking")
        await stuck.execute("BEGIN; SELECT 1")
        for status, share in ((Status.WARNING, 0.1), (Status.ERROR, 0.5)):
            filled = 0.0
            while filled < share:
                await superuser.execute(
                    "SELECT pg_notify('booking', n || repeat('x', 7000)) FROM generate_series(1, 4) n"
                )
                filled = await superuser.fetchval("SELECT pg_notification_queue_usage()")
            told((await look(frail.owner_dsn))["notify_queue"], status, "niemand mehr speichern")


async def test_rows_that_nobody_cleans_away(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as owner:
        await owner.execute(
            "INSERT INTO app.sizes SELECT date '1900-01-01' + n, 1 FROM generate_series(1, 20000) n"
        )
        await owner.execute("DELETE FROM app.sizes WHERE day < '2000-01-01'")
        await owner.execute("SELECT pg_stat_force_next_flush()")
        found = await look(frail.owner_dsn)
    told(found["dead_rows"], Status.WARNING, "app.sizes")
    told(found["vacuum"], Status.ERROR, "autovacuum ist ausgeschaltet")


async def test_statements_are_named_by_their_function_only(
    frail: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "nicht eingerichtet" in (await look(frail.owner_dsn))["statements"][0].says
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA ext")
    async with connected(frail.dsn) as desk:
        for _ in range(6):
            await desk.fetchval("SELECT app.hello()")
            await desk.execute("SET application_name = 'Huber, Anton'")
    monkeypatch.setattr(health_server, "SLOW_STATEMENT_MS", 0.0)
    found = await look(frail.owner_dsn)
    told(found["statements"], Status.WARNING, "app.hello")
    assert "Huber" not in repr(found)


async def test_an_archive_that_fails_and_a_slot_that_nobody_fetches(frail: TestDatabase) -> None:
    async with connected(frail.superuser_dsn) as superuser:
        await superuser.execute("SELECT pg_create_physical_replication_slot('gone', true)")
        try:
            await superuser.execute("CREATE TABLE public.moved (); SELECT pg_switch_wal()")
            async with asyncio.timeout(WAIT):
                while not await superuser.fetchval("SELECT failed_count FROM pg_stat_archiver"):
                    await superuser.execute("SELECT pg_sleep(0.1)")
            found = await look(frail.owner_dsn)
        finally:
            await superuser.execute("SELECT pg_drop_replication_slot('gone')")
    told(found["archive"], Status.ERROR, "Archivieren scheitert")
    told(found["slots"], Status.WARNING, "gone")


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


# -- certificates ----------------------------------------------------------------------------------


def certificate(folder: Path, days: int) -> tuple[Path, Path]:
    """Key and certificate for localhost that is valid from now for so many days; expired if negative."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate to test with")
    key, request, made = folder / f"key{days}.pem", folder / f"{days}.csr", folder / f"made{days}.pem"
    new = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-keyout", key, "-out", request]
    sign = ["x509", "-req", "-in", request, "-signkey", key, "-days", str(days), "-out", made]
    for command in (new, sign):
        subprocess.run([openssl, *map(str, command)], check=True, capture_output=True)
    return key, made


SOON, PAST = (3, Status.WARNING, "gilt nur noch bis"), (-1, Status.ERROR, "abgelaufen")


@pytest.mark.parametrize(("days", "status", "words"), [SOON, PAST])
async def test_a_certificate_that_expires(tmp_path: Path, days: int, status: Status, words: str) -> None:
    key, made = certificate(tmp_path, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As far as a server gets without anybody's password."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
                await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    settings = DatabaseSettings(
        hosts=(("localhost", port),), ssl_mode="verify-full", ca_file=made, connect_timeout=1.0
    )
    found = await look(settings)
    server.close()
    assert [check.subject for check in found["tls"]] == [settings.address, made.name]
    told(found["tls"][:1], status, words)
    told(found["tls"][1:], status, "ca_file")
    assert found["host"][0].status is Status.ERROR
    assert ("abgelaufen" in found["host"][0].says) is (days < 0)


@pytest.fixture
def with_tls(tmp_path: Path) -> Iterator[tuple[DatabaseSettings, Path]]:
    """The system's server (the embedded one knows no TLS) with a certificate that expires soon."""
    binaries = binaries_of("system")
    if binaries is None:
        pytest.skip("no PostgreSQL >= 14 on this system: the embedded one is built without TLS")
    shared = SharedServer(temporary_directory(fast_directory()), OPTIONS, binaries=binaries, temporary=True)
    run(shared.start)
    server = Server("system", shared)
    key, made = certificate(tmp_path, 3)
    for name, file in (("server.key", key), ("server.crt", made)):
        place = server.cluster.data / name
        place.write_bytes(file.read_bytes())
        place.chmod(0o600)
        server.cluster.account.give(place)
    server.execute("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    settings = database_from_dsn(server.cluster.dsn())
    yield replace(settings, hosts=(("localhost", settings.hosts[0][1]),)), made
    server.close()


async def test_a_real_server_that_is_trusted(with_tls: tuple[DatabaseSettings, Path]) -> None:
    settings, ca_file = with_tls
    trusting = replace(settings, ssl_mode="verify-full", ca_file=ca_file)
    async with asyncio.timeout(WAIT):
        # Until it has read its settings anew.
        while (found := await look(trusting))["host"][0].status is not Status.OK:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    told(found["tls"][:1], Status.WARNING, "TLSv1.3")
    stranger = await look(replace(trusting, ca_file=None))
    told(stranger["host"], Status.ERROR, "Zertifikat")
    told(stranger["tls"], Status.WARNING, "gilt nur noch bis")
