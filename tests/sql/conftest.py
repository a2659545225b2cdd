"""A furnished database, and one that the tests of a module share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.databases import Server, TestDatabase
from tests.sql.stage import Desk, Stage, connect, open_stage


@pytest.fixture
async def stage(database: TestDatabase) -> AsyncIterator[Stage]:
    """A small house for this test alone."""
    opened = await open_stage(database)
    yield opened
    await opened.close()


@pytest.fixture
async def anna(stage: Stage) -> Desk:
    return await stage.desk("anna")


@pytest.fixture
async def ben(stage: Stage) -> Desk:
    return await stage.desk("ben")


@pytest.fixture
async def admin(stage: Stage) -> Desk:
    return await stage.desk("admin")


@pytest.fixture(scope="module")
def common_database(server: Server) -> Iterator[TestDatabase]:
    """A database for all tests of a module that leave it as it was."""
    clone = server.clone()
    yield clone
    server.drop(clone)


@pytest.fixture
async def common(common_database: TestDatabase) -> AsyncIterator[Stage]:
    """The shared house: furnished by whoever comes first."""
    stage = Stage(common_database, await connect(common_database.superuser_dsn))
    stage.rooms = [row["id"] for row in await stage.superuser.fetch("SELECT id FROM app.rooms ORDER BY id")]
    stage.guests = [row["id"] for row in await stage.superuser.fetch("SELECT id FROM app.guests ORDER BY id")]
    if not stage.rooms:
        await stage.furnish()
    yield stage
    await stage.close()
