"""The settings of this computer as people set them: shown, tried out, saved, and used at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui import config as configuration
from dpolg_tui import config_file, locations
from dpolg_tui.config import Config
from dpolg_tui.db.probe import ProbeStep, Result, Step, failure, probe
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.log import action
from dpolg_tui.setting_types import ConfigError, Host, parse_hosts
from dpolg_tui.settings import DatabaseSettings

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

__all__ = ["AUTOMATIC", "FIELDS", "OF_SCREEN", "ProbeStep", "Result", "SettingsActions", "Step", "Trial"]

AUTOMATIC = ""
"""The mode of encryption that follows from the server: verified, unless it is this computer."""
FIELDS: dict[str, str] = {
    "host": "Server",
    "port": "Port",
    "database": "Datenbank",
    "username": "Benutzer",
    "password": "Passwort",
    "ssl_mode": "Verschlüsselung",
    "ca_file": "CA-Datei",
}
"""The settings of section [database] that people see, with their words."""
OF_SCREEN: dict[str, str] = {"theme": "Farbschema", "idle_lock_minutes": "Sperre nach"}
"""Those of section [ui]."""
_NAMES = {*(f"database.{key}" for key in FIELDS), *(f"ui.{key}" for key in OF_SCREEN)}
_FIELD_OF_STEP = {
    Step.NAME: "host",
    Step.PORT: "port",
    Step.TLS: "ssl_mode",
    Step.PASSWORD: "password",
    Step.DATABASE: "database",
    Step.SCHEMA: "database",
}
_IN_DEMO = "Die Vorführung hat ihre eigene Datenbank: gespeichert werden kann hier nichts."
_TYPE_IT_AGAIN = (
    "Das gespeicherte Passwort gilt nur für den bisherigen Server und Benutzer: bitte hier neu eingeben."
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What a trial of the connection found. ``sentence`` and ``field`` are empty when it works."""

    steps: tuple[ProbeStep, ...]
    sentence: str = ""
    field: str = ""
    """The setting to look at first."""

    @property
    def works(self) -> bool:
        return not self.sentence


class SettingsActions:
    """Reads, tries and saves what people set of config.toml.

    Values are those of a form: ``{"host": "a, b:5433", "port": 5432, "password": "", "theme": "auto", …}``.
    An empty password keeps the one that is known.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @property
    def path(self) -> Path:
        """The file that is saved to."""
        return self._config.save_path

    @property
    def may_save(self) -> bool:
        """Not in a demo: its database is none of the file's."""
        return self._config.arguments is not None

    @property
    def first_start(self) -> bool:
        """Whether nobody has said yet where the database is."""
        return self._config.first_start

    @property
    def has_password(self) -> bool:
        """Whether one is known, wherever it comes from."""
        return bool(self._config.database.password)

    @property
    def _config(self) -> Config:
        return self._desk.latest_config

    def stored(self) -> dict[str, object]:
        """What is in force now, for the form; never the password, which could be copied out of there."""
        database = self._config.database
        port = database.hosts[0][1]
        ports = {port for _, port in database.hosts}
        return {
            "host": "" if self.first_start else ", ".join(_written(host, ports) for host in database.hosts),
            "port": port,
            "database": database.database,
            "username": database.username,
            "password": "",
            "ssl_mode": AUTOMATIC if self._is_default("ssl_mode") else database.ssl_mode,
            "ca_file": "" if self._is_default("ca_file") else self._beside(database.ca_file),
            "theme": self._config.ui.theme,
            "idle_lock_minutes": self._config.ui.idle_lock_minutes,
        }

    def _beside(self, path: Path | None) -> str:
        """A path as people type it: of a file beside config.toml its name."""
        return "" if path is None else path.name if path.parent == self.path.parent else str(path)

    def fixed(self) -> dict[str, str]:
        """Where a value comes from that the file cannot change, by setting: the environment, for example."""
        if not self.may_save:
            return {}
        found = {
            value.setting.key: value.origin
            for value in self._config.values
            if value.above_file and value.setting.name in _NAMES
        }
        if "host" in found:
            found.setdefault("port", found["host"])
        return found

    def _is_default(self, key: str) -> bool:
        values = self._config.values if self.may_save else ()
        return any(v.setting.name == f"database.{key}" and v.origin == configuration.DEFAULT for v in values)

    # Trying and saving

    async def test(self, values: Mapping[str, object]) -> Trial:
        """Try the connection with these values, without saving. Raises InvalidInput with the field."""
        with action("Verbindung testen"):
            steps = tuple(await probe(self._candidate(values)))
        failed = failure(list(steps))
        if failed is None:
            return Trial(steps)
        field = _FIELD_OF_STEP[failed.step]
        return Trial(steps, failed.sentence, "ca_file" if "(ca_file)" in failed.sentence else field)

    async def save(self, values: Mapping[str, object]) -> tuple[str, ...]:
        """Write what changed to the file and use it.

        A connection is used now, or after signing out if somebody is signed in (``waits``); the rest now.
        Answers what is to be said about the file, besides that it is saved. Raises InvalidInput with
        the field, or ConfigError if the file cannot be written.
        """
        if not self.may_save:
            raise ConfigError(_IN_DEMO)
        before = self._config
        stored, fixed = self.stored(), self.fixed()
        of_screen = {key: values[key] for key in OF_SCREEN if key not in fixed and values[key] != stored[key]}
        changes = {"database": self.changes(values), "ui": of_screen}
        self._candidate(values)  # judges them
        with action("Einstellungen speichern"):
            await asyncio.to_thread(
                config_file.save, before.save_path, {name: keys for name, keys in changes.items() if keys}
            )
        loaded = configuration.load(before.arguments)
        await self._desk.use(loaded)
        return tuple(warning for warning in loaded.warnings if warning not in before.warnings)

    @property
    def waits(self) -> bool:
        """Whether a saved connection is used only after signing out."""
        return self._desk.latest_config.database != self._desk.config.database

    def changes(self, values: Mapping[str, object]) -> dict[str, object]:
        """What [database] must say anew, as TOML values by key; None: nothing. Raises InvalidInput."""
        stored, fixed = self.stored(), self.fixed()
        wanted = {key: values[key] for key in FIELDS if key not in fixed}
        changed = {key: value for key, value in wanted.items() if value != stored[key]}
        hosts = _hosts(values)
        if "host" not in fixed and (self.first_start or {"host", "port"} & changed.keys()):
            # A port may stand in either: what is on the screen counts.
            ports = {port for _, port in hosts}
            written = [_written(host, ports) for host in hosts]
            changed["host"] = written[0] if len(written) == 1 else written
            if "port" not in fixed:
                changed["port"] = values["port"]
        for key in ("ssl_mode", "ca_file"):
            if key in changed:
                changed[key] = changed[key] or None
        self._require_own_password(hosts, values)
        return changed

    def _require_own_password(self, hosts: tuple[Host, ...], values: Mapping[str, object]) -> None:
        """The password goes to nobody else than before, unless whoever sits here knows it."""
        database = self._config.database
        elsewhere = set(hosts) - set(database.hosts) or values["username"] != database.username
        own = (
            any(value.setting.secret and value.origin.startswith("Datei ") for value in self._config.values)
            or not self.may_save
        )
        if elsewhere and own and self.has_password and not values["password"]:
            raise InvalidInput(_TYPE_IT_AGAIN, "password")

    def _candidate(self, values: Mapping[str, object]) -> DatabaseSettings:
        """The connection as it would be with these values; the sentence at the field if it is none."""
        config = self._config
        changes = self.changes(values)
        file = config.save_path.parent / locations.expanded(str(values["ca_file"]))
        if changes.get("ca_file") and file.name != "system" and not file.is_file():
            raise InvalidInput(f"Die Datei {file} gibt es nicht: bitte den Ort prüfen.", "ca_file")
        if self.may_save:
            named = {f"database.{key}": value for key, value in changes.items()}
            database = configuration.load(config.arguments, None, named).database
        else:
            database = replace(
                config.database,
                hosts=_hosts(values),
                database=str(values["database"]),
                username=str(values["username"]),
                password=str(values["password"]) or config.database.password,
            )
        try:
            database.require_verified_server()
        except ConfigError:
            raise InvalidInput(
                f"„{database.ssl_mode}“ prüft nicht, ob es der richtige Server ist: bitte "
                "„automatisch“ wählen, dazu nötigenfalls eine CA-Datei.",
                "ssl_mode",
            ) from None
        return database


def _hosts(values: Mapping[str, object]) -> tuple[Host, ...]:
    """The servers of the form with their ports. Raises InvalidInput."""
    port = values["port"]
    assert isinstance(port, int)  # noqa: S101 - the form has judged it
    try:
        return tuple((name, own or port) for name, own in parse_hosts(str(values["host"])))
    except ValueError as error:
        raise InvalidInput(f"Server {error}.", "host") from error


def _written(host: Host, ports: set[int]) -> str:
    """A server as the form and the file have it: with its port if not all have the same."""
    name, port = host
    if len(ports) == 1:
        return name
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"
