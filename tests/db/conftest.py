"""A database seen through the proxy that breaks the network."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase
from tools.wire_proxy import WireProxy, wire_proxy


@pytest.fixture
def settings(database: TestDatabase) -> DatabaseSettings:
    """Straight to the server, as booking_user."""
    return database_from_dsn(database.dsn)


@pytest.fixture
async def proxy(settings: DatabaseSettings) -> AsyncIterator[WireProxy]:
    """In front of the server."""
    async with wire_proxy(settings.hosts[0]) as running:
        yield running


@pytest.fixture
def through_proxy(settings: DatabaseSettings, proxy: WireProxy) -> DatabaseSettings:
    """By way of the proxy, with limits short enough for a test."""
    return replace(settings, hosts=(proxy.address,), connect_timeout=1.0, action_timeout=1.0)


@pytest.fixture
async def nap(database: TestDatabase) -> str:
    """A function that sleeps: booking_user may not use PostgreSQL's own."""
    superuser = await asyncpg.connect(database.superuser_dsn)
    await superuser.execute("""
        GRANT USAGE ON SCHEMA public TO booking_user;
        CREATE FUNCTION public.nap(seconds float8, answer text) RETURNS text LANGUAGE plpgsql VOLATILE
        SECURITY DEFINER AS $$BEGIN PERFORM pg_sleep(seconds); RETURN answer; END $$;
        GRANT EXECUTE ON FUNCTION public.nap(float8, text) TO booking_user""")
    await superuser.close()
    return "SELECT public.nap($1, $2)"


@pytest.fixture
async def desk(through_proxy: DatabaseSettings) -> AsyncIterator[Database]:
    """A desk's connection by way of the proxy."""
    database = Database(through_proxy)
    yield database
    await database.close()
