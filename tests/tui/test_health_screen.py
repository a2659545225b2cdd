"""The screen „Zustand“ on a real database: what is wrong stands on top with what to do, and it is live."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dpolg_tui.config import DoctorSettings
from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import NotAllowed
from dpolg_tui.domain.health import LABELS
from dpolg_tui.domain.health_figures import TerminalFigures
from dpolg_tui.domain.problems import Status
from dpolg_tui.tui.screens.health import HealthScreen
from tests.databases import TestDatabase
from tests.sql.stage import connected
from tests.tui.desk_app import config_for
from tests.tui.forms_house import Desks, house, signed_in
from tools.wire_proxy import wire_proxy

TERMINAL = TerminalFigures(80, 24, 256, (), unicode=True, name="xterm-256color")


def rows(desks: Desks) -> list[str]:
    assert isinstance(desks.screen, HealthScreen)
    table = desks.screen.table
    return [" | ".join(map(str, table.get_row_at(at))) for at in range(table.row_count)]


async def test_what_is_wrong_comes_to_the_top_by_itself(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpolg_tui.tui.screens.health.REFRESH", 0.2)
    async with house(database, HealthScreen, user="admin") as desks:
        await desks.here.until(lambda: any("Schema" in row for row in rows(desks)), "first look")
        assert not [row for row in rows(desks) if LABELS[Status.ERROR] in row]
        async with connected(database.superuser_dsn) as owner:
            await owner.execute("UPDATE app.installation SET created_at = now() - interval '2 days'")
        await desks.here.until(lambda: "Fehler | Sicherung" in rows(desks)[0], "no backup")
        await desks.press("home")
        await desks.here.sees("→ Bitte auf dem Server dpolg-tui backup ausführen")


async def test_a_small_window_is_a_warning_until_the_desk_accepts_it(database: TestDatabase) -> None:
    async with house(database, HealthScreen, user="admin", size=(60, 20)) as desks:
        desk = desks.here.desk
        await desks.here.until(lambda: any("60 × 20" in row for row in rows(desks)), "first look")
        assert "Warnung | Terminal" in rows(desks)[0]
        desk.config = replace(desk.config, doctor=DoctorSettings(("terminal.small",)))
        await desks.press("r")
        await desks.here.until(lambda: "bekannt | Terminal" in rows(desks)[0], "accepted")
        assert "1 bekannt" in desks.here.text()


async def test_only_admins_look(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as anna:
        with pytest.raises(NotAllowed):
            await anna.health.look_around(TERMINAL)


async def test_a_look_is_one_round_trip(database: TestDatabase) -> None:
    config = config_for(database)
    async with wire_proxy(config.database.hosts[0]) as proxy:
        desk = Desk(replace(config, database=replace(config.database, hosts=(proxy.address,))))
        desk.start()
        try:
            await desk.login("admin", database.users["admin"].password)
            await desk.database.wait_warm()
            figures = await desk.health.look_around(TERMINAL)
            trips = []
            for _ in range(5):
                proxy.reset()
                await desk.health.look(figures, TERMINAL)
                trips.append(proxy.traffic.round_trips)
        finally:
            await desk.close()
    # The first on another connection prepares; a heartbeat may fall into one of them.
    assert min(trips) == 1
