"""Command palette and help: in German, from the registry, for the role."""

from __future__ import annotations

from textual.widgets import OptionList

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.dialogs.help import HelpDialog, help_for
from dpolg_tui.tui.dialogs.palette import PaletteDialog, offers
from tests.databases import TestDatabase
from tests.tui.desk_app import config_for, running


async def test_palette_finds_and_runs(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        await desk.pilot.press("ctrl+p")
        assert isinstance(desk.app.screen, PaletteDialog)
        await desk.pilot.press(*"abmel")
        await desk.sees("Abmelden")
        await desk.fill("#palette-search", "quit")
        await desk.sees("Kein Befehl passt dazu.")
        await desk.fill("#palette-search", "")
        await desk.pilot.press(*"GAESTE liste")
        await desk.until(lambda: desk.app.screen.query_one(OptionList).option_count == 1, "one match")
        await desk.pilot.press("enter")
        await desk.until(lambda: desk.app.current_mode == "guests", "guests")


async def test_palette_says_when_nothing_matches(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        await desk.pilot.press("ctrl+p")
        await desk.pilot.press(*"xyzzy")
        await desk.sees("Kein Befehl passt dazu.")
        await desk.pilot.press("enter", "escape")
        assert not isinstance(desk.app.screen, PaletteDialog)


async def test_users_are_not_offered_what_admins_may(database: TestDatabase) -> None:
    for name in ("anna", "admin"):
        async with running(config_for(database)) as desk:
            await desk.sign_in(name, database.users[name].password)
            for place in ("chart", "guests", "rooms"):
                await desk.app.run_action(place)
                await desk.pilot.pause()
                screen = desk.app.screen
                roles = {action.role for action, _node in offers(desk.app, screen)}  # type: ignore[arg-type]
                assert name == "admin" or Role.ADMIN not in roles
                methods = {action.method for action, _node in offers(desk.app, screen)}  # type: ignore[arg-type]
                assert ("legacy" in methods) is (name == "admin")
            await desk.app.run_action("health")
            assert (desk.app.current_mode == "health") is (name == "admin")
            await desk.app.run_action("legacy")
            assert (desk.app.current_mode == "legacy") is (name == "admin")


async def test_help_of_every_place_also_over_dialogs(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        for key in ("f2", "f4", "f5"):
            await desk.pilot.press(key)
            _title, text, sections = help_for(desk.app, desk.app.screen)
            assert text
            assert [heading for heading, _rows in sections] == ["Auf dieser Seite", "Überall"]
        await desk.pilot.press("ctrl+p", "f1")
        assert isinstance(desk.app.screen, HelpDialog)
        await desk.pilot.press("f1", "escape")
        assert isinstance(desk.app.screen, PaletteDialog)
