"""The configuration in force: command line > environment > file > default.

``load`` looks for config.toml, adds environment and ``--dsn``, checks everything and gives one
frozen ``Config``. Where each value came from stays known, for ``config show``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from dpolg_tui import config_file, libpq, locations
from dpolg_tui.config_file import save
from dpolg_tui.setting_types import ConfigError, Host, Setting, WrittenHosts, did_you_mean
from dpolg_tui.settings import (
    BY_NAME,
    SECTIONS,
    SETTINGS,
    BackupSettings,
    DatabaseSettings,
    DeskSettings,
    DoctorSettings,
    LogSettings,
    UiSettings,
    is_loopback,
)

__all__ = [
    "Arguments",
    "BackupSettings",
    "Config",
    "ConfigError",
    "DatabaseSettings",
    "DeskSettings",
    "DoctorSettings",
    "LogSettings",
    "UiSettings",
    "Value",
    "database_from_dsn",
    "find_file",
    "load",
    "save",
]

DEFAULT_PORT = 5432
DEFAULT = "Vorgabe"
# Variables of ours that are no settings, though they look like one of a section.
_OTHER_VARIABLES = {
    "DPOLG_TUI_CONFIG",
    "DPOLG_TUI_ADMIN_PASSWORD",
    "DPOLG_TUI_OWNER_PASSWORD",
    "DPOLG_TUI_BOOKING_USER_PASSWORD",
    "DPOLG_TUI_BACKUP_PASSWORD",
}


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the command line says about the configuration."""

    config: Path | None = None
    dsn: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """A value in force and where it came from, in words."""

    setting: Setting
    value: object = field(repr=False)
    origin: str

    @property
    def above_file(self) -> bool:
        """Whether it comes from where the file has no say: the command line or the environment."""
        return self.origin != DEFAULT and not self.origin.startswith(("Datei ", "Passwortdatei "))

    @property
    def shown(self) -> str:
        """The value as config.toml would have it; secrets masked."""
        if self.setting.secret:
            return '"********"' if self.value else '""'
        if self.setting.type == "hosts":
            hosts = cast(WrittenHosts, self.value)
            return config_file.toml_literal(", ".join(_written(host, port) for host, port in hosts))
        return config_file.toml_literal("" if self.value is None else self.value)


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration of this run."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    ui: UiSettings = field(default_factory=UiSettings)
    desk: DeskSettings = field(default_factory=DeskSettings)
    log: LogSettings = field(default_factory=LogSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    doctor: DoctorSettings = field(default_factory=DoctorSettings)
    source: Path | None = None
    warnings: tuple[str, ...] = ()
    # What it was loaded with, to load it again; None: made by the program, belongs to no file.
    arguments: Arguments | None = field(default=None, repr=False, compare=False)
    # (username, password, role) that the login of the demo shows.
    demo_users: tuple[tuple[str, str, str], ...] = field(default=(), repr=False)
    values: tuple[Value, ...] = field(default=(), repr=False)

    @property
    def save_path(self) -> Path:
        """Where changed settings belong: the file in use, else the user's own."""
        return self.source or locations.user_config_file()

    @property
    def first_start(self) -> bool:
        """Whether nobody has said yet where the database is: no file, and nothing beside it."""
        wanted = ("database.host", "database.password")
        said = (value for value in self.values if value.setting.name in wanted)
        return self.arguments is not None and not self.source and all(v.origin == DEFAULT for v in said)


def load(
    arguments: Arguments | None = None,
    environment: Mapping[str, str] | None = None,
    changes: Mapping[str, object] | None = None,
) -> Config:
    """The configuration in force; ``ConfigError`` with one German sentence if there is none.

    ``changes`` (TOML values by ``section.key``, None: none) count as if they stood in the file: what
    would be in force if they were saved.
    """
    arguments = arguments or Arguments()
    environment = os.environ if environment is None else environment
    warnings: list[str] = []
    layers: list[dict[str, Value]] = []
    parameters = libpq.parse_dsn(arguments.dsn) if arguments.dsn else {}
    if "password" in parameters:
        warnings.append(
            "Das Passwort in --dsn steht für andere sichtbar in der Prozessliste: besser PGPASSWORD, "
            "eine Passwortdatei oder config.toml."
        )
    layers.append(_from_parameters(parameters, "Kommandozeile (--dsn)", warnings))
    if service := parameters.get("service"):
        layers.append(_from_service(service, environment, warnings))
    layers.append(_from_own_variables(environment, warnings))
    variables = {
        name: environment[variable] for variable, name in libpq.VARIABLES.items() if environment.get(variable)
    }
    if not service and (named := variables.get("service")):
        layers.append(_from_service(named, environment, warnings))
    layers.append(_from_libpq_variables(variables, warnings))
    source = find_file(arguments, environment)
    in_file: dict[str, Value] = {}
    if source is not None:
        content = config_file.read(source)
        warnings += config_file.permission_warnings(source, content)
        in_file = {
            # A path in the file counts from where the file is.
            name: Value(
                BY_NAME[name], source.parent / value if isinstance(value, Path) else value, f"Datei {source}"
            )
            for name, value in content.items()
            if value not in ("", None)
        }
    if changes:
        _change(in_file, changes, source or locations.user_config_file())
    _drop_foreign_password(in_file, layers)
    layers.append(in_file)
    passfile = parameters.get("passfile") or variables.get("passfile")
    return replace(_assembled(layers, source, warnings, passfile, environment), arguments=arguments)


def _change(in_file: dict[str, Value], changes: Mapping[str, object], file: Path) -> None:
    """Put values in the place of those of the file."""
    for name, raw in changes.items():
        in_file.pop(name, None)
        setting = BY_NAME[name]
        try:
            value = None if raw is None else setting.from_toml(raw)
        except ValueError as error:
            raise ConfigError(f"{name} {error}.") from error
        if value not in ("", None):
            in_file[name] = Value(
                setting, file.parent / value if isinstance(value, Path) else value, f"Datei {file}"
            )


def database_from_dsn(dsn: str) -> DatabaseSettings:
    """What a DSN alone says, without environment and files: for servers that we start ourselves."""
    layers = [_from_parameters(libpq.parse_dsn(dsn), "DSN", [])]
    return _assembled(layers, None, [], os.devnull, {}).database


def find_file(arguments: Arguments, environment: Mapping[str, str]) -> Path | None:
    """The configuration file in force: the one that was named, else the first that exists."""
    if arguments.config is not None:
        named, origin = arguments.config, "--config"
    elif variable := environment.get("DPOLG_TUI_CONFIG"):
        named, origin = Path(variable), "DPOLG_TUI_CONFIG"
    else:
        return next((path for path in locations.config_files() if path.is_file()), None)
    named = locations.expanded(named)
    if not named.is_file():
        raise ConfigError(f"Die Konfigurationsdatei {named} ({origin}) gibt es nicht.")
    return named


def _from_parameters(parameters: Mapping[str, str], origin: str, warnings: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for parameter, text in parameters.items():
        name = libpq.SETTING_OF.get(parameter)
        if name is None or (parameter == "connect_timeout" and text.strip().lstrip("-0") == ""):
            # Zero means "wait for ever" to libpq; here every call has a limit.
            continue
        setting = BY_NAME[name]
        where = f"{origin}: {parameter}"
        value = _ports(text, where) if parameter == "port" else _converted(setting, text, where)
        values[name] = Value(setting, value, origin)
    warnings += [f"{origin}: „{name}“ wird hier nicht ausgewertet." for name in libpq.ignored(parameters)]
    return values


def _from_service(name: str, environment: Mapping[str, str], warnings: list[str]) -> dict[str, Value]:
    return _from_parameters(libpq.read_service(name, environment), f"Service {name}", warnings)


def _from_libpq_variables(variables: Mapping[str, str], warnings: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for variable, parameter in libpq.VARIABLES.items():
        if parameter in variables:
            one = {parameter: variables[parameter]}
            values |= _from_parameters(one, f"Umgebung {variable}", warnings)
    return values


def _from_own_variables(environment: Mapping[str, str], warnings: list[str]) -> dict[str, Value]:
    known = {setting.variable: setting for setting in SETTINGS}
    values: dict[str, Value] = {}
    for variable, text in environment.items():
        if not text or variable in _OTHER_VARIABLES:
            continue
        if setting := known.get(variable):
            value = _converted(setting, text, f"Umgebung {variable}")
            values[setting.name] = Value(setting, value, f"Umgebung {variable}")
        elif variable.startswith(tuple(f"DPOLG_TUI_{section}_".upper() for section in SECTIONS)):
            hint = did_you_mean(variable, known)
            warnings.append(f"Die Umgebungsvariable {variable} ist unbekannt{hint}.")
    return values


def _converted(setting: Setting, text: str, where: str) -> object:
    try:
        return setting.from_text(text)
    except ValueError as error:
        raise ConfigError(f"{where} {error}.") from error


def _ports(text: str, where: str) -> tuple[int, ...]:
    """libpq's list of ports, one for each host; an empty one is the usual port."""
    setting = BY_NAME["database.port"]
    return tuple(
        cast(int, _converted(setting, part.strip(), where)) if part.strip() else DEFAULT_PORT
        for part in text.split(",")
    )


def _drop_foreign_password(in_file: dict[str, Value], layers: list[dict[str, Value]]) -> None:
    """The password in the file belongs to the user in the file: nobody else signs in with it."""
    own = in_file.get("database.username")
    own_name = own.value if own else BY_NAME["database.username"].default
    above = next((layer["database.username"] for layer in layers if "database.username" in layer), None)
    if above is not None and above.value != own_name:
        in_file.pop("database.password", None)


def _assembled(
    layers: list[dict[str, Value]],
    source: Path | None,
    warnings: list[str],
    passfile: str | None,
    environment: Mapping[str, str],
) -> Config:
    values = {
        name: Value(setting, setting.from_toml(setting.default), DEFAULT) for name, setting in BY_NAME.items()
    }
    for layer in reversed(layers):
        values.update(layer)
    hosts = _hosts(values)
    if not values["database.password"].value:
        values["database.password"] = _stored_password(values, hosts, passfile, warnings, environment)
    if not values["database.ssl_mode"].value:
        mode = "prefer" if all(is_loopback(host) for host, _ in hosts) else "verify-full"
        values["database.ssl_mode"] = Value(BY_NAME["database.ssl_mode"], mode, DEFAULT)
    ca_file = values["database.ca_file"]
    if isinstance(ca_file.value, Path) and ca_file.value.name == "system":
        # libpq's word for the authorities of the operating system.
        values["database.ca_file"] = replace(ca_file, value=None)
    elif ca_file.origin == DEFAULT and environment:
        usual = locations.libpq_root_certificate(environment)
        values["database.ca_file"] = replace(ca_file, value=usual if usual.is_file() else None)
    _check_together(values)
    given = {
        section: {s.key: values[s.name].value for s in SETTINGS if s.section == section}
        for section in SECTIONS
    }
    database: dict[str, Any] = given["database"]
    del database["host"], database["port"]
    database["password"] = database["password"] or None
    return Config(
        database=DatabaseSettings(hosts=hosts, **database),
        ui=UiSettings(**cast(dict[str, Any], given["ui"])),
        desk=DeskSettings(**cast(dict[str, Any], given["desk"])),
        log=LogSettings(**cast(dict[str, Any], given["log"])),
        backup=BackupSettings(**cast(dict[str, Any], given["backup"])),
        doctor=DoctorSettings(**cast(dict[str, Any], given["doctor"])),
        source=source,
        warnings=tuple(warnings),
        values=tuple(values.values()),
    )


def _hosts(values: dict[str, Value]) -> tuple[Host, ...]:
    """Each server with its port, from the list of servers and the port or ports."""
    host, port = values["database.host"], values["database.port"]
    written = cast(WrittenHosts, host.value)
    ports = port.value if isinstance(port.value, tuple) else (port.value,)
    if len(ports) > 1:
        if len(ports) != len(written):
            raise ConfigError(
                f"{len(written)} Server, aber {len(ports)} Ports: bitte einen Port für alle oder je Server "
                "einen angeben."
            )
        written = tuple((name, own or usual) for (name, own), usual in zip(written, ports, strict=True))
        values["database.host"] = replace(host, value=written)
    values["database.port"] = replace(port, value=ports[0])
    return tuple((name, own or cast(int, ports[0])) for name, own in written)


def _stored_password(
    values: Mapping[str, Value],
    hosts: tuple[Host, ...],
    passfile: str | None,
    warnings: list[str],
    environment: Mapping[str, str],
) -> Value:
    path = locations.expanded(passfile) if passfile else locations.libpq_password_file(environment)
    database, username = (str(values[name].value) for name in ("database.database", "database.username"))
    password, warning = libpq.find_password(path, hosts, database, username)
    if warning:
        warnings.append(warning)
    return Value(
        BY_NAME["database.password"], password or "", f"Passwortdatei {path}" if password else DEFAULT
    )


def _check_together(values: Mapping[str, Value]) -> None:
    low, high = values["database.pool_min"], values["database.pool_max"]
    if cast(int, low.value) > cast(int, high.value):
        raise ConfigError(
            f"database.pool_min ({low.value}, {low.origin}) darf nicht über database.pool_max "
            f"({high.value}, {high.origin}) liegen."
        )
    ca_file, mode = values["database.ca_file"], str(values["database.ssl_mode"].value)
    if isinstance(ca_file.value, Path) and mode.startswith("verify") and not ca_file.value.is_file():
        raise ConfigError(f"Die Zertifikatsdatei {ca_file.value} ({ca_file.origin}: ca_file) gibt es nicht.")


def _written(host: str, port: int | None) -> str:
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
