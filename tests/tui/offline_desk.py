"""The application behind a line that can be cut."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from dpolg_tui.config import Config
from dpolg_tui.db.state import Phase
from dpolg_tui.desk import Desk
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.screens.chart import ChartScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for
from tests.tui.forms_house import Desks, furnish, signed_in
from tools.wire_proxy import WireProxy, wire_proxy


def through(database: TestDatabase, proxy: WireProxy, *, queue: bool = True) -> Config:
    config = config_for(database)
    return replace(
        config,
        database=replace(config.database, hosts=(proxy.address,), action_timeout=3.0),
        desk=replace(config.desk, offline_queue=queue),
    )


@asynccontextmanager
async def cut_off(
    database: TestDatabase, user: str = "anna", *, queue: bool = True
) -> AsyncIterator[tuple[Desks, WireProxy]]:
    """The application behind a proxy, a colleague beside it."""
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(wire_proxy(config_for(database).database.hosts[0]))
        ben = await stack.enter_async_context(signed_in(database, "ben"))
        things = await furnish(ben)
        desk = Desk(through(database, proxy, queue=queue))
        desk.start()
        stack.push_async_callback(desk.close)
        someone = database.users[user]
        await desk.login(someone.username, someone.password)
        app = DeskApp(desk, start_screen=ChartScreen)
        pilot = await stack.enter_async_context(app.run_test(size=(110, 30), notifications=True))
        app.add_mode("chart", ChartScreen)  # somebody is signed in
        yield Desks(Running(app, pilot), ben, things), proxy


async def offline(desks: Desks, proxy: WireProxy) -> None:
    await proxy.refuse()
    await desks.here.until(lambda: desks.here.desk.connection.phase is Phase.OFFLINE, "offline")
