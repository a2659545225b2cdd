"""The probe names the step that fails, on real servers."""

from __future__ import annotations

from dataclasses import replace

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.probe import ProbeStep, Result, Step, failure, probe
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase
from tools.wire_proxy import WireProxy

PATIENT = 30.0
"""Seconds: a busy machine must not look like a silent server."""


@pytest.fixture
def settings(settings: DatabaseSettings) -> DatabaseSettings:
    return replace(settings, connect_timeout=PATIENT)


async def _failed(settings: DatabaseSettings) -> ProbeStep:
    """The step that failed; those before went well, those after were not tried."""
    steps = await probe(settings)
    found = failure(steps)
    assert found is not None
    assert [step.step for step in steps] == list(Step)
    at = steps.index(found)
    assert {step.result for step in steps[:at]} <= {Result.OK}
    assert {step.result for step in steps[at + 1 :]} <= {Result.SKIPPED}
    return found


async def test_everything_works(settings: DatabaseSettings) -> None:
    steps = await probe(settings)
    assert [step.step for step in steps] == list(Step)
    assert {step.result for step in steps} == {Result.OK}
    assert failure(steps) is None


async def test_an_unknown_name(settings: DatabaseSettings) -> None:
    unknown = replace(settings, hosts=(("no-such-host.invalid", 5432),), ssl_mode="verify-full")
    failed = await _failed(unknown)
    assert failed.step is Step.NAME
    assert "Server (host)" in failed.sentence


async def test_a_port_where_nobody_answers(settings: DatabaseSettings) -> None:
    failed = await _failed(replace(settings, hosts=(("127.0.0.1", 1),)))
    assert failed.step is Step.PORT
    assert "Port (port)" in failed.sentence


async def test_a_server_that_is_silent(through_proxy: DatabaseSettings, proxy: WireProxy) -> None:
    proxy.fall_silent()
    failed = await _failed(replace(through_proxy, connect_timeout=0.3))
    assert failed.step is Step.PORT
    assert "antwortet nicht" in failed.sentence


async def test_a_server_without_encryption(settings: DatabaseSettings) -> None:
    failed = await _failed(replace(settings, ssl_mode="require"))
    assert failed.step is Step.TLS
    assert "Verschlüsselung (ssl_mode)" in failed.sentence


@pytest.mark.parametrize("password", ["wrong", None])
async def test_a_wrong_password(settings: DatabaseSettings, password: str | None) -> None:
    failed = await _failed(replace(settings, password=password))
    assert failed.step is Step.PASSWORD
    assert "Passwort (password)" in failed.sentence


async def test_an_unknown_role(settings: DatabaseSettings) -> None:
    assert (await _failed(replace(settings, username="nobody"))).step is Step.PASSWORD


async def test_a_database_that_is_not_there(settings: DatabaseSettings) -> None:
    failed = await _failed(replace(settings, database="no_such_database"))
    assert failed.step is Step.DATABASE
    assert "(database)" in failed.sentence


async def test_a_database_without_schema(empty_database: TestDatabase) -> None:
    failed = await _failed(replace(database_from_dsn(empty_database.superuser_dsn), connect_timeout=PATIENT))
    assert failed.step is Step.SCHEMA
    assert "init-db" in failed.sentence


async def _said_by_hello(database: TestDatabase, answer: str) -> ProbeStep:
    """What the probe says when the database tells something else about itself."""
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        await connection.execute(f"""
            CREATE OR REPLACE FUNCTION app.hello() RETURNS jsonb LANGUAGE sql STABLE SECURITY DEFINER
            SET search_path = pg_catalog, pg_temp AS $$ SELECT '{answer}'::jsonb $$""")
    finally:
        await connection.close()
    return await _failed(replace(database_from_dsn(database.dsn), connect_timeout=PATIENT))


async def test_a_schema_that_is_older_than_the_program(database: TestDatabase) -> None:
    failed = await _said_by_hello(database, '{"schema_version": 1, "minimum_client": "0.0.1"}')
    assert failed.step is Step.SCHEMA
    assert "upgrade-db" in failed.sentence


async def test_a_schema_that_wants_a_newer_program(database: TestDatabase) -> None:
    failed = await _said_by_hello(database, '{"schema_version": 999, "minimum_client": "99.0"}')
    assert failed.step is Step.SCHEMA
    assert "99.0 oder neuer installieren" in failed.sentence


async def test_one_server_of_several_is_enough(settings: DatabaseSettings) -> None:
    steps = await probe(replace(settings, hosts=(("127.0.0.1", 1), *settings.hosts)))
    assert {step.result for step in steps if step.host == "127.0.0.1:1"} == {
        Result.OK,
        Result.FAILED,
        Result.SKIPPED,
    }
    assert failure(steps) is None
