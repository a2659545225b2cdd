"""A desk whose line can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg

from dpolg_tui import locations
from dpolg_tui.config import Config
from dpolg_tui.db.state import Phase
from dpolg_tui.desk import Desk
from tests.databases import TestDatabase
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tools.wire_proxy import WireProxy


def config_through(database: TestDatabase, proxy: WireProxy, *, queue: bool = True) -> Config:
    config = config_for(database)
    return replace(
        config,
        database=replace(config.database, hosts=(proxy.address,), action_timeout=3.0),
        desk=replace(config.desk, offline_queue=queue),
    )


@asynccontextmanager
async def desk_through(
    database: TestDatabase, proxy: WireProxy, user: str = "anna", *, queue: bool = True
) -> AsyncIterator[Desk]:
    desk = Desk(config_through(database, proxy, queue=queue))
    desk.start()
    try:
        someone = database.users[user]
        await desk.login(someone.username, someone.password)
        yield desk
    finally:
        await desk.close()


async def cut(desk: Desk, proxy: WireProxy) -> None:
    await proxy.refuse()
    await until(lambda: desk.connection.phase is Phase.OFFLINE)


async def count(database: TestDatabase, what: str) -> int:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        return int(await owner.fetchval(f"SELECT count(*) FROM {what}"))
    finally:
        await owner.close()


def queue_file(desk: Desk) -> Path:
    assert desk.user is not None
    return locations.private_file("queue", desk.instance, desk.user.id)
