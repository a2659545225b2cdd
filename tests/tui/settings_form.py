"""The settings screen over a configuration file of its own: opened, filled in, read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dpolg_tui.config import Arguments, Config, load
from dpolg_tui.settings import DatabaseSettings
from dpolg_tui.tui.screens.settings import SettingsScreen
from dpolg_tui.tui.widgets.field import Field
from tests.tui.desk_app import Running


def clear_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer without any configuration."""
    for name in [name for name in os.environ if name.startswith(("PG", "DPOLG_TUI_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLORTERM", "truecolor")
    # A busy machine must not look like a silent server.
    monkeypatch.setenv("DPOLG_TUI_DATABASE_CONNECT_TIMEOUT", "30")


def settings_file(database: DatabaseSettings, **other: object) -> str:
    """A config.toml with comments for this database."""
    values = {
        "host": database.hosts[0][0],
        "port": database.hosts[0][1],
        "database": database.database,
        "password": database.password,
        **other,
    }
    lines = (
        f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        for key, value in values.items()
    )
    return "# Unser Haus\n[database]\n" + "  # von Hand\n".join(lines) + "\n\n[ui]\nidle_lock_minutes = 7\n"


def stored(home: Path, text: str) -> Config:
    path = home / "config.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    return load(Arguments())


def fields_of(here: Running) -> dict[str, Field]:
    assert isinstance(here.app.screen, SettingsScreen)
    return here.app.screen.form.fields


async def open_settings(here: Running) -> None:
    """From the login."""
    await here.pilot.press("f8")
    await here.until(lambda: isinstance(here.app.screen, SettingsScreen) and here.app.screen.is_mounted)


async def open_signed_in(here: Running) -> None:
    """From the palette."""
    await here.pilot.press("ctrl+p")
    await here.pilot.press(*"einstellungen", "enter")
    await here.until(lambda: isinstance(here.app.screen, SettingsScreen) and here.app.screen.is_mounted)


async def type_in(here: Running, **values: object) -> None:
    """Puts values into the fields as the user would."""
    assert isinstance(here.app.screen, SettingsScreen)
    here.app.screen.form.put(values)
    await here.pilot.pause()


async def type_address(here: Running, database: DatabaseSettings, /, **other: object) -> None:
    (host, port), *_ = database.hosts
    values = {"host": host, "port": port, "database": database.database, "username": database.username}
    await type_in(here, **{**values, "password": database.password, **other})


async def verdict(here: Running) -> str:
    """The verdict of a trial, on one line."""
    await here.pilot.press("ctrl+t")
    await here.sees("Verbindung ")
    await here.until(lambda: "fehlgeschlagen" in here.text() or "erfolgreich" in here.text(), "a verdict")
    return " ".join(here.text().split())
