"""The settings screen on real servers: tries, names what fails, saves, and the desk goes on from there."""

from __future__ import annotations

import stat
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Button
from textual.widgets._toast import Toast

from dpolg_tui import locations
from dpolg_tui.config import Arguments, database_from_dsn, load
from dpolg_tui.settings import DatabaseSettings
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.screens.login import LoginScreen
from dpolg_tui.tui.screens.settings import LOOK_HERE, SettingsScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import config_for, running
from tests.tui.settings_form import (
    clear_environment,
    fields_of,
    open_settings,
    open_signed_in,
    settings_file,
    stored,
    type_address,
    type_in,
    verdict,
)


@pytest.fixture(autouse=True)
def without_environment(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    clear_environment(monkeypatch)


async def test_the_first_start_opens_it_and_the_desk_connects_without_a_restart(
    database: TestDatabase, home: Path
) -> None:
    settings, anna = database_from_dsn(database.dsn), database.users["anna"]
    async with running(load(Arguments())) as here:
        await here.until(lambda: isinstance(here.app.screen, SettingsScreen), "settings")
        await here.sees("Datenbankverbindung")
        await here.sees("Server-IP")
        await here.sees("○ nicht eingerichtet")
        await here.pilot.press("escape")
        await here.sees("○ nicht eingerichtet: F8 zeigt die Einstellungen.")
        assert "offline" not in here.text()
        await here.pilot.press("f8")
        await here.sees("Server-IP")
        await type_address(here, settings)
        assert settings.password not in here.text()
        await here.pilot.press("ctrl+t")
        await here.sees("Verbindung erfolgreich!")
        await here.sees("✓ Buchungssystem")
        assert not (home / ".config").exists()
        await here.pilot.press("ctrl+s")
        await here.sees("Konfiguration gespeichert!")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
        await here.sign_in(anna.username, anna.password)
    path = home / ".config" / "dpolg-tui" / "config.toml"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    loaded = load(Arguments())
    assert (loaded.source, loaded.database) == (path, replace(settings, connect_timeout=30.0))
    async with running(loaded) as here:
        await here.connected()
        assert isinstance(here.app.screen, LoginScreen)


async def test_each_step_that_fails_is_named_and_nothing_typed_is_lost(
    database: TestDatabase, empty_database: TestDatabase
) -> None:
    settings = database_from_dsn(database.dsn)
    empty = database_from_dsn(empty_database.superuser_dsn)
    tries: tuple[tuple[DatabaseSettings, dict[str, object], str, str, str], ...] = (
        (settings, {"host": "no-such-host.invalid"}, "Name", "host", "Server (host)"),
        (settings, {"port": 1}, "Port", "port", "antwortet keine Datenbank"),
        (settings, {"ssl_mode": "require"}, "Verschlüsselung", "ssl_mode", "bietet keine verschlüsselte"),
        (settings, {"password": "falsch"}, "Rolle und Passwort", "password", "Passwort (password)"),
        (settings, {"database": "gibt_es_nicht"}, "Datenbank", "database", "Diese Datenbank gibt es"),
        (empty, {}, "Buchungssystem", "database", "init-db"),
    )
    async with running(load(Arguments()), (120, 40)) as here:
        await here.until(lambda: isinstance(here.app.screen, SettingsScreen), "settings")
        for database_settings, wrong, step, field, words in tries:
            await type_address(here, database_settings, **wrong)
            said = await verdict(here)
            assert "Verbindung fehlgeschlagen: " in said
            assert words in said
            assert f"✗ {step}" in said
            fields = fields_of(here)
            assert [name for name in fields if fields[name].note == LOOK_HERE] == [field]
            for name, value in wrong.items():
                assert fields[name].value == value
            await type_in(here, ssl_mode="")
            assert "fehlgeschlagen" not in here.text()
        assert not locations.user_config_file().exists()


async def test_saving_keeps_comments_the_old_file_and_what_was_not_touched(
    database: TestDatabase, home: Path
) -> None:
    settings = database_from_dsn(database.dsn)
    before = settings_file(replace(settings, hosts=(("127.0.0.1", 1),)))
    async with running(stored(home, before)) as here:
        await here.sees("○ offline")
        await open_settings(here)
        assert fields_of(here)["password"].value == ""
        assert "unverändert" in here.text()
        await type_in(here, port=settings.hosts[0][1], password=settings.password)
        await here.pilot.press("ctrl+s")
        await here.sees("● verbunden")
    after = (home / "config.toml").read_text("utf-8")
    assert after == before.replace("port = 1", f"port = {settings.hosts[0][1]}")
    assert (home / "config.toml.bak").read_text("utf-8") == before


async def test_the_stored_password_goes_to_no_other_server(database: TestDatabase, home: Path) -> None:
    settings = database_from_dsn(database.dsn)
    async with running(stored(home, settings_file(settings, host="localhost"))) as here:
        await open_settings(here)
        for other in ({"host": "127.0.0.1"}, {"username": "nobody"}, {"port": 1}):
            await type_in(here, host="localhost", port=settings.hosts[0][1], username="booking_user")
            await type_in(here, **other)
            for key in ("ctrl+t", "ctrl+s"):
                await here.pilot.press(key)
                await here.sees("bitte hier neu eingeben")
                assert here.app.focused is fields_of(here)["password"].editor_widget
        # One server less, or another order, is no other server.
        await type_in(here, host="localhost", port=settings.hosts[0][1], database="gibt_es_nicht")
        assert "Diese Datenbank gibt es" in await verdict(here)


async def test_what_cannot_be_is_said_at_its_field(database: TestDatabase, home: Path) -> None:
    settings = database_from_dsn(database.dsn)
    text = settings_file(settings, host="localhost")
    right = {"host": "localhost", "port": settings.hosts[0][1], "ca_file": "", "ssl_mode": "", "password": ""}
    wrong: tuple[tuple[dict[str, object], str, str], ...] = (
        ({"host": "ein haus"}, "host", "Name oder die Adresse eines Servers"),
        ({"host": ""}, "host", "Server fehlt"),
        ({"host": "db.example.org:99999"}, "host", "Port zwischen 1 und 65535"),
        ({"port": 70000}, "port", "65535"),
        ({"ca_file": "fehlt.crt"}, "ca_file", "gibt es nicht"),
        ({"host": "192.0.2.1", "ssl_mode": "require", "password": "x"}, "ssl_mode", "„automatisch“"),
    )
    async with running(stored(home, text), (160, 40)) as here:
        await open_settings(here)
        fields = fields_of(here)
        for typed, name, words in wrong:
            for key in ("ctrl+t", "ctrl+s"):
                await type_in(here, **{**right, **typed})
                assert not any(field.error for field in fields.values())
                await here.pilot.press(key)
                await here.until(lambda name=name: fields[name].error, "a sentence at the field")
                assert words in fields[name].error
                assert here.app.focused is fields[name].editor_widget
    assert (home / "config.toml").read_text("utf-8") == text


async def test_several_servers_of_which_one_works(database: TestDatabase, home: Path) -> None:
    settings = database_from_dsn(database.dsn)
    host, port = settings.hosts[0]
    config = stored(home, settings_file(settings))
    async with running(config, (120, 40)) as here:
        await open_settings(here)
        await type_in(here, host=f"{host}, {host}:1", password=settings.password)
        said = await verdict(here)
        assert "Verbindung erfolgreich!" in said
        assert f"{host}:{port} ✓ Name" in said
        assert "✗ Port: " in said
        await here.pilot.press("ctrl+s")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
        await here.connected()
        await open_settings(here)
        assert fields_of(here)["host"].value == f"{host}:{port}, {host}:1"
        assert not here.app.screen.dirty  # type: ignore[attr-defined]
    assert load(Arguments()).database.hosts == ((host, port), (host, 1))


async def test_a_small_window_shows_every_server_to_who_has_no_mouse(
    database: TestDatabase, home: Path
) -> None:
    settings = database_from_dsn(database.dsn)
    host, _ = settings.hosts[0]
    async with running(stored(home, settings_file(settings)), (80, 24)) as here:
        await open_settings(here)
        await type_in(here, host=f"{host}, {host}:1", password=settings.password)
        assert "✗ Port: " not in await verdict(here)
        found = here.app.screen.query_one("#settings-result")
        await here.until(lambda: found.can_focus, "a place to scroll")
        here.app.screen.query_one("#save").focus()
        await here.pilot.press("tab", "end")
        await here.sees("✗ Port: ")


async def test_what_the_environment_says_cannot_be_changed_here(
    database: TestDatabase, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = database_from_dsn(database.dsn)
    monkeypatch.setenv("PGHOST", settings.hosts[0][0])
    config = stored(home, settings_file(settings, host="db.example.org"))
    async with running(config, (120, 40)) as here:
        await open_settings(here)
        fields = fields_of(here)
        assert [name for name in fields if fields[name].disabled] == ["host", "port"]
        await here.sees("Umgebung PGHOST")
        await type_in(here, database="gibt_es_nicht")
        assert "✗ Datenbank" in await verdict(here)


async def test_a_file_that_cannot_be_written_is_said_and_what_is_typed_stays(
    database: TestDatabase, home: Path
) -> None:
    (home / ".config").write_text("no directory")
    settings = database_from_dsn(database.dsn)
    async with running(load(Arguments())) as here:
        await here.until(lambda: isinstance(here.app.screen, SettingsScreen), "settings")
        await type_address(here, settings)
        await here.pilot.press("ctrl+s")
        await here.until(lambda: "Rechte und Platz dort prüfen" in " ".join(here.text().split()))
        assert fields_of(here)["password"].value == settings.password
        await here.pilot.press("escape")
        await here.until(lambda: isinstance(here.app.screen, ConfirmDialog), "question")
        await here.pilot.press("escape")
        await here.until(lambda: isinstance(here.app.screen, SettingsScreen), "back")
        assert fields_of(here)["password"].value == settings.password


async def test_while_signed_in_it_is_used_after_signing_out(database: TestDatabase, home: Path) -> None:
    settings, anna = database_from_dsn(database.dsn), database.users["anna"]
    async with running(stored(home, settings_file(settings))) as here:
        await here.sign_in(anna.username, anna.password)
        await open_signed_in(here)
        await type_in(here, port=1, password=settings.password)
        await here.pilot.press("ctrl+s")
        await here.sees("Konfiguration gespeichert! Die Verbindung")
        await here.until(lambda: here.app.current_mode == "chart" and len(here.app.screen_stack) == 1)
        assert here.desk.connection.phase == "connected"
        here.app.action_sign_out()
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
        await here.sees("Auf 127.0.0.1:1 antwortet keine")
        await open_settings(here)
        await type_in(here, port=settings.hosts[0][1], password=settings.password)
        await here.pilot.press("ctrl+s")
        await here.sign_in(anna.username, anna.password)


async def test_the_demo_tries_but_does_not_save(database: TestDatabase) -> None:
    config = config_for(database, demo_users=(("anna", database.users["anna"].password, "user"),))
    async with running(config) as here:
        await here.connected()
        await open_settings(here)
        await here.sees("Vorführung")
        assert "erfolgreich" in await verdict(here)
        await type_in(here, database="anders")
        here.app.screen.query_one("#save", Button).press()
        await here.sees("Die Vorführung hat ihre eigene Datenbank")
    assert not locations.user_config_file().exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
async def test_what_is_wrong_with_the_file_is_said_at_the_start_and_saving_mends_it(
    database: TestDatabase, home: Path
) -> None:
    stored(home, settings_file(database_from_dsn(database.dsn)))
    (home / "config.toml").chmod(0o666)
    async with running(load(Arguments())) as here:
        await here.until(lambda: here.app.screen.query(Toast))
        assert any("für andere schreibbar" in one.message for one in here.app._notifications)
        await open_settings(here)
        await type_in(here, theme="dunkel")
        await here.pilot.press("ctrl+s")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
    assert load(Arguments()).warnings == ()


async def test_a_file_beside_the_settings_is_shown_as_it_is_typed(database: TestDatabase, home: Path) -> None:
    (home / "ca.crt").touch()
    text = settings_file(database_from_dsn(database.dsn), ca_file="ca.crt")
    async with running(stored(home, text)) as here:
        await open_settings(here)
        assert fields_of(here)["ca_file"].value == "ca.crt"
        await type_in(here, idle_lock_minutes=8)
        await here.pilot.press("ctrl+s")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
    assert (home / "config.toml").read_text("utf-8") == text.replace("= 7", "= 8")
    assert load(Arguments()).database.ca_file == home / "ca.crt"


async def test_nothing_changed_is_said(database: TestDatabase, home: Path) -> None:
    async with running(stored(home, settings_file(database_from_dsn(database.dsn)))) as here:
        await open_settings(here)
        await here.pilot.press("ctrl+s")
        await here.sees("nichts geändert")
        await here.pilot.press("escape")
        await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
    assert not (home / "config.toml.bak").exists()
