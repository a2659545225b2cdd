"""The login screen on a real database."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import asyncpg
from textual import events
from textual.widgets import Button, Input

from dpolg_tui import locations
from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.settings import DatabaseSettings
from dpolg_tui.tui.dialogs.password import PasswordDialog
from dpolg_tui.tui.screens.login import LoginScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import config_for, running
from tools.wire_proxy import wire_proxy


async def test_signs_in_and_remembers_only_the_name(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sees("● verbunden")
        button = desk.app.screen.query_one("#submit", Button)
        assert button.disabled
        await desk.fill("#username", anna.username)
        assert button.disabled
        await desk.fill("#password", anna.password)
        assert not button.disabled
        await desk.sign_in(anna.username, anna.password)
        assert desk.desk.user is not None
        assert desk.desk.user.username == "anna"
        await desk.sees("Echtzeit-Sync verbunden")
    assert locations.last_username_file().read_text(encoding="utf-8") == "anna\n"
    async with running(config_for(database)) as desk:
        await desk.pilot.pause()
        assert desk.app.screen.query_one("#username", Input).value == "anna"
        assert desk.app.focused is not None
        assert desk.app.focused.id == "password"


async def test_wrong_password_and_unknown_name_say_the_same(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.connected()
        said = []
        for name in ("anna", "nobody"):
            await desk.fill("#username", name)
            await desk.fill("#password", "wrong password")
            desk.app.screen.query_one("#password").focus()
            await desk.pilot.press("enter")
            await desk.sees("Anmeldung fehlgeschlagen")
            said.append([line for line in desk.text().splitlines() if "fehlgeschlagen" in line])
            assert desk.app.screen.query_one("#username", Input).value == name
            assert desk.app.screen.query_one("#password", Input).value == ""
        assert said[0] == said[1]
        assert isinstance(desk.app.screen, LoginScreen)


async def test_keys_that_come_in_one_burst_find_their_field(database: TestDatabase) -> None:
    """As a password manager types: without a pause the key after Tab must not land where Tab was pressed."""
    async with running(config_for(database)) as desk:
        await desk.connected()
        desk.app.screen.query_one("#username").focus()
        await desk.pilot.pause()
        for key in (*"anna", "tab", *"geheim", "shift+tab", "x"):
            desk.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await desk.pilot.pause()
        await desk.until(lambda: desk.app.screen.query_one("#username", Input).value.endswith("x"))
        assert desk.app.screen.query_one("#password", Input).value == "geheim"
        assert "geheim" not in desk.app.screen.query_one("#username", Input).value


async def test_an_unreachable_server_is_said_before_anything_is_typed() -> None:
    nowhere = DatabaseSettings(hosts=(("127.0.0.1", 1),), connect_timeout=1.0)
    async with running(Config(database=nowhere)) as desk:
        await desk.sees("○ offline seit")


async def test_demo_users_are_listed_and_a_digit_chooses(database: TestDatabase) -> None:
    users = tuple((user.username, user.password, str(user.role)) for user in database.users.values())[:3]
    async with running(config_for(database, demo_users=users)) as desk:
        await desk.connected()
        for username, password, _role in users:
            assert username in desk.text()
            assert password in desk.text()
        await desk.pilot.press("2")
        assert desk.app.screen.query_one("#username", Input).value == users[1][0]
        await desk.pilot.press("enter")
        await desk.until(lambda: desk.app.current_mode == "chart", "chart")
        assert desk.desk.user is not None
        assert desk.desk.user.username == users[1][0]


async def test_without_demo_a_digit_is_a_digit(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.pilot.press("2")
        assert desk.app.screen.query_one("#username", Input).value == "2"


async def test_a_given_password_must_be_changed_first(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    await connection.execute("UPDATE auth.users SET must_change_password = true WHERE username = 'ben'")
    await connection.close()
    ben = database.users["ben"]
    async with running(config_for(database)) as desk:
        await desk.connected()
        await desk.fill("#username", "ben")
        await desk.fill("#password", ben.password)
        desk.app.screen.query_one("#submit", Button).press()
        await desk.until(lambda: isinstance(desk.app.screen, PasswordDialog), "password dialog")
        await desk.pilot.press("escape")
        await desk.sees("Ohne eigenes Passwort ist keine Anmeldung möglich.")
        # Whoever sits down here next finds nothing to sign in with.
        assert not desk.app.screen.query_one("#password", Input).value
        await desk.fill("#password", ben.password)
        desk.app.screen.query_one("#submit", Button).press()
        await desk.until(lambda: isinstance(desk.app.screen, PasswordDialog), "password dialog")
        await desk.fill("#new", "zu kurz")
        await desk.fill("#again", "zu kurz")
        desk.app.screen.query_one("#save", Button).press()
        await desk.sees("zu kurz: bitte mindestens 12 Zeichen")
        await desk.fill("#new", "drei grüne Tannen")
        desk.app.screen.query_one("#save", Button).press()
        await desk.sees("sind verschieden")
        await desk.fill("#again", "drei grüne Tannen")
        desk.app.screen.query_one("#save", Button).press()
        await desk.until(lambda: desk.app.current_mode == "chart", "chart")
    async with running(config_for(database)) as desk:
        await desk.sign_in("ben", "drei grüne Tannen")


async def test_signing_out_goes_back_to_the_login(database: TestDatabase) -> None:
    anna, ben = database.users["anna"], database.users["ben"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        desk.app.action_sign_out()
        await desk.until(lambda: isinstance(desk.app.screen, LoginScreen), "login")
        assert desk.desk.user is None
        assert desk.app.signed_in_places == []
        assert desk.app.screen.query_one("#password", Input).value == ""
        await desk.sign_in(ben.username, ben.password)
        assert desk.desk.user is not None
        assert desk.desk.user.username == "ben"


async def test_the_own_password_can_be_changed(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        desk.app.action_own_password()
        await desk.until(lambda: isinstance(desk.app.screen, PasswordDialog), "password dialog")
        await desk.fill("#new", "drei grüne Tannen")
        await desk.fill("#again", "drei grüne Tannen")
        desk.app.screen.query_one("#save", Button).press()
        await desk.sees("Bitte das bisherige Passwort eingeben.")
        await desk.fill("#old", "wrong password")
        desk.app.screen.query_one("#save", Button).press()
        await desk.sees("Das bisherige Passwort stimmt nicht")
        await desk.sees("Speichern")
        await desk.fill("#old", anna.password)
        desk.app.screen.query_one("#save", Button).press()
        await desk.sees("Passwort geändert")
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, "drei grüne Tannen")


async def test_a_database_without_schema_says_so(empty_database: TestDatabase) -> None:
    async with running(Config(database=database_from_dsn(empty_database.superuser_dsn))) as desk:
        await desk.connected()
        await desk.fill("#username", "anna")
        await desk.fill("#password", "whatever")
        desk.app.screen.query_one("#submit", Button).press()
        await desk.sees("noch kein Buchungssystem")


async def test_without_a_connection_it_keeps_trying_and_offers_the_emergency_list(
    database: TestDatabase, tmp_path: Path
) -> None:
    (tmp_path / "notfall-20260101.txt").write_text("alt", encoding="utf-8")
    newest = tmp_path / "notfall-20261122.txt"
    newest.write_text("Anreisen heute: 2 [Wendelstein] Huber", encoding="utf-8")
    os.utime(tmp_path / "notfall-20260101.txt", (0, 0))
    config = config_for(database)
    async with wire_proxy(config.database.hosts[0]) as proxy:
        await proxy.refuse()
        config = replace(
            config,
            database=replace(config.database, hosts=(proxy.address,)),
            desk=replace(config.desk, emergency_directory=tmp_path),
        )
        async with running(config) as desk:
            await desk.sees("von selbst weiter versucht")
            await desk.pilot.click("#emergency")
            await desk.sees("Anreisen heute: 2 [Wendelstein] Huber")
            await desk.pilot.press("escape")
            await proxy.accept()
            await desk.sees("● verbunden")
            assert not desk.app.screen.query_one("#emergency").display
            await desk.sign_in("anna", database.users["anna"].password)
