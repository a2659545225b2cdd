"""The part of the settings screen that is about the screen and the user: theme, idle lock, own password."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Button

from dpolg_tui.config import Arguments, database_from_dsn, load
from dpolg_tui.tui.dialogs.password import PasswordDialog
from dpolg_tui.tui.screens.login import LoginScreen
from dpolg_tui.tui.themes import DARK, LIGHT
from tests.databases import TestDatabase
from tests.tui.desk_app import running
from tests.tui.settings_form import (
    clear_environment,
    fields_of,
    open_settings,
    open_signed_in,
    settings_file,
    stored,
    type_in,
)


@pytest.fixture(autouse=True)
def without_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    clear_environment(monkeypatch)


async def test_theme_and_idle_lock_are_used_at_once(database: TestDatabase, home: Path) -> None:
    settings, anna = database_from_dsn(database.dsn), database.users["anna"]
    before = settings_file(settings)
    async with running(stored(home, before), (120, 40)) as here:
        await here.sign_in(anna.username, anna.password)
        assert here.app.theme == DARK
        connected_by = here.desk.database
        await open_signed_in(here)
        assert (fields_of(here)["theme"].value, fields_of(here)["idle_lock_minutes"].value) == ("auto", 7)
        await type_in(here, idle_lock_minutes=721)
        await here.pilot.press("ctrl+s")
        await here.until(
            lambda: "720" in fields_of(here)["idle_lock_minutes"].error, "a sentence at the field"
        )
        await type_in(here, theme="hell", idle_lock_minutes=0)
        await here.pilot.press("ctrl+s")
        await here.sees("Konfiguration gespeichert!")
        await here.until(lambda: len(here.app.screen_stack) == 1, "the chart")
        assert "nach dem Abmelden" not in here.text()
        assert here.app.theme == LIGHT
        assert here.app.screen.styles.background.hex.lower() == "#f7f8fa"
        here.app._last_activity -= 24 * 3600
        here.app.lock_if_idle()
        assert not here.app.locked
        await open_signed_in(here)
        await type_in(here, idle_lock_minutes=1)
        await here.pilot.press("ctrl+s")
        await here.until(lambda: len(here.app.screen_stack) == 1, "the chart")
        here.app._last_activity -= 61
        here.app.lock_if_idle()
        await here.until(lambda: here.app.locked, "the lock")
        assert here.desk.database is connected_by
    after = before.replace("idle_lock_minutes = 7\n", 'idle_lock_minutes = 1\ntheme = "hell"\n')
    assert (home / "config.toml").read_text("utf-8") == after
    async with running(load(Arguments())) as here:
        assert here.app.theme == LIGHT


async def test_a_theme_of_the_file_that_is_none_of_ours_stays(database: TestDatabase, home: Path) -> None:
    text = settings_file(database_from_dsn(database.dsn)) + 'theme = "nord"\n'
    async with running(stored(home, text)) as here:
        await open_settings(here)
        assert fields_of(here)["theme"].value == "nord"
        await here.sees("nord ▾")
        await type_in(here, idle_lock_minutes=8)
        await here.pilot.press("ctrl+s")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
    assert (home / "config.toml").read_text("utf-8") == text.replace("= 7", "= 8")


@pytest.mark.long
async def test_other_places_wear_the_new_theme_too(database: TestDatabase, home: Path) -> None:
    anna = database.users["anna"]
    async with running(stored(home, settings_file(database_from_dsn(database.dsn))), (120, 40)) as here:
        await here.sign_in(anna.username, anna.password)
        await here.pilot.press("f4")
        await here.until(lambda: here.app.current_mode == "guests", "guests")
        await here.pilot.press("f2")
        await here.until(lambda: here.app.current_mode == "chart", "chart")
        dark = here.app.current_theme
        worn = {widget.styles.background.hex.lower() for widget in here.app.screen.query("*")}
        assert worn & {dark.background, dark.surface, dark.panel}
        await open_signed_in(here)
        await type_in(here, theme="hell")
        await here.pilot.press("ctrl+s")
        await here.until(lambda: len(here.app.screen_stack) == 1, "the chart")
        await here.pilot.press("f4")
        await here.until(lambda: here.app.current_mode == "guests", "guests")
        assert here.app.screen.styles.background.hex.lower() == "#f7f8fa"
        shown = {widget.styles.background.hex.lower() for widget in here.app.screen.query("*")}
        assert not shown & {dark.background, dark.surface, dark.panel}


async def test_the_own_password_is_changed_from_here(database: TestDatabase, home: Path) -> None:
    anna = database.users["anna"]
    async with running(stored(home, settings_file(database_from_dsn(database.dsn)))) as here:
        await open_settings(here)
        assert not here.app.screen.query("#password")
        await here.pilot.press("escape")
        await here.sign_in(anna.username, anna.password)
        await open_signed_in(here)
        await here.sees("Eigenes Passwort …")
        here.app.screen.query_one("#password", Button).focus()
        await here.pilot.press("enter")
        await here.until(lambda: isinstance(here.app.screen, PasswordDialog), "the dialog")
