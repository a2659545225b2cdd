"""Which host is taken, what TLS demands, and the probe that names the step that fails."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import replace

import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.hosts import Hosts, ssl_context
from dpolg_tui.db.probe import Result, Step, probe
from dpolg_tui.domain.errors import (
    DomainError,
    Unreachable,
)
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase
from tools.wire_proxy import WireProxy

GRACE = 0.2

# -- hosts and TLS ---------------------------------------------------------------------------------


async def test_second_host_is_tried_when_the_first_is_silent(
    through_proxy: DatabaseSettings, settings: DatabaseSettings, proxy: WireProxy
) -> None:
    proxy.fall_silent()
    both = replace(through_proxy, hosts=(proxy.address, settings.hosts[0]), connect_timeout=3.0)
    hosts = Hosts(both)
    started = time.monotonic()
    connection = await hosts.connect()
    assert hosts.host_limit <= time.monotonic() - started < hosts.host_limit + GRACE
    connection.terminate()
    started = time.monotonic()
    (await hosts.connect()).terminate()
    assert time.monotonic() - started < 1.0
    await asyncio.sleep(0)


async def test_unverified_server_elsewhere_is_refused() -> None:
    desk = Database(DatabaseSettings(hosts=(("192.0.2.1", 5432),), ssl_mode="require"))
    try:
        started = time.monotonic()
        with pytest.raises(DomainError, match="allow_unverified_server"):
            await desk.call("app.hello", limit=5)
        assert time.monotonic() - started < GRACE
    finally:
        await desk.close()


async def test_verify_full_refuses_a_server_without_tls(settings: DatabaseSettings) -> None:
    desk = Database(replace(settings, ssl_mode="verify-full"))
    try:
        with pytest.raises(Unreachable, match="verschlüsselte"):
            await desk.call("app.hello", limit=1.0)
    finally:
        await desk.close()


def test_ssl_contexts() -> None:
    full, chain, none = (ssl_context(mode, None) for mode in ("verify-full", "verify-ca", "require"))
    assert (full.check_hostname, full.verify_mode.name) == (True, "CERT_REQUIRED")
    assert (chain.check_hostname, chain.verify_mode.name) == (False, "CERT_REQUIRED")
    assert (none.check_hostname, none.verify_mode.name) == (False, "CERT_NONE")


async def test_wrong_password_is_said_at_once(settings: DatabaseSettings) -> None:
    desk = Database(replace(settings, password="wrong"))
    try:
        started = time.monotonic()
        with pytest.raises(Unreachable, match="password"):
            await desk.call("app.hello", limit=5)
        assert time.monotonic() - started < 1.0
    finally:
        await desk.close()


# -- probe -----------------------------------------------------------------------------------------


async def _failing(settings: DatabaseSettings) -> Step | None:
    steps = await probe(settings)
    assert [step.step for step in steps] == list(Step)
    failed = [step for step in steps if step.result is Result.FAILED]
    assert len(failed) <= 1
    if failed:
        after = steps[steps.index(failed[0]) + 1 :]
        assert all(step.result is Result.SKIPPED for step in after)
        assert failed[0].sentence.endswith(".")
        return failed[0].step
    return None


async def test_probe_names_the_step_that_fails(
    settings: DatabaseSettings, empty_database: TestDatabase
) -> None:
    host, port = settings.hosts[0]
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
        assert await _failing(settings) is None
        assert await _failing(replace(settings, hosts=(("no-such-host.invalid", port),))) is Step.NAME
        assert await _failing(replace(settings, hosts=((host, closed),))) is Step.PORT
    assert await _failing(replace(settings, ssl_mode="verify-full")) is Step.TLS
    assert await _failing(replace(settings, password="wrong")) is Step.PASSWORD
    assert await _failing(replace(settings, database="no_such_database")) is Step.DATABASE
    assert await _failing(database_from_dsn(empty_database.superuser_dsn)) is Step.SCHEMA
