"""What is measured on: a durable PostgreSQL, houses of any size, desks that are signed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import date

import asyncpg

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.desk import Desk
from dpolg_tui.operations.binaries import find_embedded
from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.house import DEFAULT_SEED, HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import Server, TestDatabase, run

STAFF = ("anna", "ben", "clara", "david", "emil", "admin")
WARM_LIMIT = 60.0


@contextmanager
def server() -> Iterator[Server]:
    """The embedded PostgreSQL as the demo runs it: what is committed is on the disk."""
    shared = SharedServer(temporary_directory(), Options(), binaries=find_embedded(), temporary=True)
    run(shared.start)
    started = Server("embedded", shared)
    try:
        yield started
    finally:
        started.close()


@contextmanager
def house(server: Server, size: str | HouseSize, today: date | None = None) -> Iterator[TestDatabase]:
    """A database with schema, six users and a generated house."""
    database = server.clone()

    async def fill() -> None:
        connection = await asyncpg.connect(database.owner_dsn)
        try:
            await load_house(connection, generate(DEFAULT_SEED, today or date.today(), size))  # noqa: DTZ011
        finally:
            await connection.close()
        # Bulk loading leaves no hint bits: the first reader of each page would write it.
        superuser = await asyncpg.connect(database.superuser_dsn)
        try:
            await superuser.execute("VACUUM ANALYZE")
        finally:
            await superuser.close()

    try:
        run(fill)
        yield database
    finally:
        server.drop(database)


def config(database: TestDatabase, port: int | None = None) -> Config:
    """The configuration of a client of this database, through another port if one is given."""
    settings = database_from_dsn(f"{database.dsn}?sslmode=disable")
    if port is not None:
        settings = replace(settings, hosts=tuple((host, port) for host, _ in settings.hosts))
    return Config(database=settings)


@asynccontextmanager
async def desk(database: TestDatabase, username: str, port: int | None = None) -> AsyncIterator[Desk]:
    """A desk whose user is signed in and whose statements are prepared."""
    opened = Desk(config(database, port))
    opened.start()
    try:
        await opened.login(username, database.users[username].password)
        await opened.database.wait_warm(WARM_LIMIT)
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def desks(database: TestDatabase, number: int) -> AsyncIterator[list[Desk]]:
    """Several desks, each with a user of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(desk(database, name)) for name in STAFF[:number]]


async def settle(seconds: float = 0.3) -> None:
    """Lets news and background work of what went before come to an end."""
    await asyncio.sleep(seconds)
