"""Every setting of config.toml: type, default and one German sentence, in one table.

The typed objects that the rest of the program reads are filled from this table; the example file
and ``config show`` are written from it.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.domain.problems import ACCEPTABLE
from dpolg_tui.setting_types import ConfigError, Host, Setting

if TYPE_CHECKING:
    from dpolg_tui.domain.emergency import PersonalData

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
REGIONS = ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")


SECTIONS: dict[str, str] = {
    "database": "Verbindung zur zentralen Datenbank.",
    "ui": "Aussehen und Verhalten des Bildschirms.",
    "desk": "Dieser Arbeitsplatz.",
    "log": "Protokolldatei für die Fehlersuche; sie enthält nichts Persönliches.",
    "backup": "Sicherungen: wo dpolg-tui backup läuft, also auf dem Server.",
    "doctor": "Was dpolg-tui doctor und der Bildschirm „Zustand“ sagen.",
}

SETTINGS: tuple[Setting, ...] = (
    Setting(
        "database",
        "host",
        "hosts",
        "localhost",
        "Name oder Adresse des Servers; mehrere als Liste, auch mit eigenem Port: "
        '["db1.example.org", "db2.example.org:5433"].',
        example="db.example.org",
    ),
    Setting("database", "port", "integer", 5432, "Port des Servers.", lowest=1, highest=65535),
    Setting("database", "database", "text", "dpolg_booking", "Name der Datenbank."),
    Setting(
        "database", "username", "text", "booking_user", "Datenbankrolle, mit der sich das Programm verbindet."
    ),
    Setting(
        "database",
        "password",
        "secret",
        "",
        "Passwort der Datenbankrolle; leer: aus PGPASSWORD oder der Passwortdatei (~/.pgpass).",
        example="SICHERES_PASSWORT",
    ),
    Setting(
        "database",
        "ssl_mode",
        "text",
        "",
        "Verschlüsselung: disable, allow, prefer, require, verify-ca oder verify-full; "
        "leer: verify-full, auf dem eigenen Rechner prefer.",
        choices=SSL_MODES,
    ),
    Setting(
        "database",
        "ca_file",
        "path",
        "",
        "Zertifikat der Stelle, die das Serverzertifikat ausgestellt hat; "
        "leer: ~/.postgresql/root.crt, wenn es die gibt, sonst die des Betriebssystems.",
        alias="ssl_root_cert",
    ),
    Setting(
        "database",
        "allow_unverified_server",
        "switch",
        False,
        "Erlaubt ssl_mode unterhalb von verify-full zu einem anderen Rechner; "
        "Passwort und Anmeldung gehen dann an jeden, der antwortet.",
    ),
    Setting(
        "database", "pool_min", "integer", 1, "Verbindungen, die immer offen bleiben.", lowest=0, highest=20
    ),
    Setting(
        "database", "pool_max", "integer", 2, "Verbindungen, die höchstens offen sind.", lowest=1, highest=20
    ),
    Setting(
        "database",
        "connect_timeout",
        "seconds",
        5.0,
        "Sekunden, die ein Verbindungsversuch je Server dauern darf.",
        lowest=0.1,
        highest=120,
    ),
    Setting(
        "database",
        "idle_timeout",
        "seconds",
        600.0,
        "Sekunden, nach denen eine unbenutzte Verbindung geschlossen wird.",
        lowest=1,
        highest=86400,
    ),
    Setting(
        "database",
        "action_timeout",
        "seconds",
        10.0,
        "Sekunden, die eine Anfrage an die Datenbank höchstens dauern darf.",
        lowest=0.5,
        highest=600,
    ),
    Setting(
        "ui",
        "theme",
        "text",
        "auto",
        "Farbschema: auto (passend zum Terminal), dunkel, hell oder 16 (die Farben des Terminals).",
    ),
    Setting(
        "ui",
        "idle_lock_minutes",
        "integer",
        15,
        "Minuten ohne Eingabe, nach denen der Bildschirm sperrt; 0 schaltet die Sperre ab.",
        lowest=0,
        highest=720,
    ),
    Setting(
        "ui",
        "holiday_region",
        "text",
        "BY",
        "Bundesland, dessen Feiertage der Belegungsplan zeigt (BY: Bayern).",
        choices=REGIONS,
    ),
    Setting(
        "desk",
        "name",
        "text",
        "",
        "Name dieses Arbeitsplatzes in Sitzungen und Änderungsprotokoll; leer: Name des Rechners.",
    ),
    Setting(
        "desk",
        "export_directory",
        "path",
        "",
        "Wohin Auskünfte und Protokolle gespeichert werden; leer: exports im Statusverzeichnis.",
    ),
    Setting(
        "desk",
        "export_days",
        "integer",
        7,
        "Tage, nach denen diese Dateien gelöscht werden.",
        lowest=1,
        highest=90,
    ),
    Setting(
        "desk",
        "offline_queue",
        "switch",
        True,
        "Ohne Verbindung Gespeichertes vormerken und Entwürfe behalten, in Dateien nur für diesen "
        "Benutzer des Rechners; bei gemeinsam benutzten Konten ausschalten.",
    ),
    Setting(
        "desk",
        "emergency_directory",
        "path",
        "",
        "Verzeichnis der Notfallliste, die jede Stunde geschrieben wird; ohne Verbindung bietet die "
        "Anmeldung die neueste an. Leer: keine.",
    ),
    Setting(
        "desk",
        "emergency_personal_data",
        "text",
        "names",
        "Was die Notfallliste von Gästen nennt: names, initials oder none (nur Buchungsnummern).",
        choices=("names", "initials", "none"),
    ),
    Setting(
        "log",
        "level",
        "text",
        "INFO",
        "Ab welcher Stufe protokolliert wird: DEBUG, INFO, WARNING oder ERROR.",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
    ),
    Setting(
        "log",
        "file",
        "path",
        "",
        "Protokolldatei; leer: log/dpolg-tui.log im Statusverzeichnis des Benutzers.",
    ),
    Setting(
        "log",
        "slow_action_ms",
        "integer",
        200,
        "Millisekunden, ab denen eine Aktion als langsam vermerkt wird.",
        lowest=1,
        highest=60000,
    ),
    Setting(
        "backup",
        "directory",
        "path",
        "/backups",
        "Verzeichnis der Sicherungen; eines je Datenbank.",
    ),
    Setting(
        "backup",
        "keep_daily",
        "integer",
        30,
        "Tage, von denen die jeweils letzte Sicherung bleibt.",
        lowest=1,
        highest=3650,
    ),
    Setting(
        "backup",
        "keep_weekly",
        "integer",
        8,
        "Wochen, von denen die jeweils letzte Sicherung bleibt.",
        lowest=0,
        highest=520,
    ),
    Setting(
        "backup",
        "keep_monthly",
        "integer",
        12,
        "Monate, von denen die jeweils letzte Sicherung bleibt.",
        lowest=0,
        highest=240,
    ),
    Setting(
        "backup",
        "copy_command",
        "text",
        "",
        "Befehl, der jede Datei einer Sicherung anderswohin kopiert, ohne Shell; {file} steht für die "
        'Datei, etwa "rclone copy {file} anderswo:sicherungen". Leer: keine Kopie.',
    ),
    Setting(
        "doctor",
        "accept",
        "names",
        (),
        "Warnungen, mit denen das Haus lebt, mit dem Namen, den doctor nennt, etwa "
        '["server.ended"]: sie bleiben sichtbar, warnen aber nicht mehr. Fehler lassen sich nicht hinnehmen.',
        choices=ACCEPTABLE,
    ),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}


def is_loopback(host: str) -> bool:
    """Whether ``host`` can only be this machine: localhost, 127.0.0.0/8, ::1 or a Unix socket."""
    if host.startswith(("/", "@")):
        return True
    name = host.rstrip(".").lower()
    if name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where the database is and how to reach it. The password never shows in ``repr``."""

    hosts: tuple[Host, ...] = (("localhost", 5432),)
    database: str = "dpolg_booking"
    username: str = "booking_user"
    password: str | None = field(default=None, repr=False)
    ssl_mode: str = "prefer"
    ca_file: Path | None = None
    allow_unverified_server: bool = False
    pool_min: int = 1
    pool_max: int = 2
    connect_timeout: float = 5.0
    idle_timeout: float = 600.0
    action_timeout: float = 10.0

    @property
    def is_local(self) -> bool:
        return all(is_loopback(host) for host, _ in self.hosts)

    @property
    def address(self) -> str:
        """Hosts and ports in words for messages, without user and password."""
        return ", ".join(f"{host}:{port}" for host, port in self.hosts)

    def require_verified_server(self) -> None:
        """Refuse to talk to another machine that TLS does not prove to be the right one.

        Password and session token go out in the start-up packet, before the server has proved
        anything but its certificate.
        """
        if self.is_local or self.ssl_mode == "verify-full" or self.allow_unverified_server:
            return
        remote = ", ".join(host for host, _ in self.hosts if not is_loopback(host))
        raise ConfigError(
            f'ssl_mode = "{self.ssl_mode}" prüft nicht, ob {remote} der richtige Server ist: bitte '
            'ssl_mode = "verify-full" setzen (dazu gegebenenfalls ca_file) oder ausdrücklich '
            "allow_unverified_server = true."
        )


@dataclass(frozen=True, slots=True)
class UiSettings:
    """Section [ui]."""

    theme: str = "auto"
    idle_lock_minutes: int = 15
    holiday_region: str = "BY"


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """Section [desk]."""

    name: str = ""
    export_directory: Path | None = None
    export_days: int = 7
    offline_queue: bool = True
    emergency_directory: Path | None = None
    emergency_personal_data: PersonalData = "names"


@dataclass(frozen=True, slots=True)
class LogSettings:
    """Section [log]."""

    level: str = "INFO"
    file: Path | None = None
    slow_action_ms: int = 200


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """Section [backup]."""

    directory: Path = Path("/backups")
    keep_daily: int = 30
    keep_weekly: int = 8
    keep_monthly: int = 12
    copy_command: str = ""


@dataclass(frozen=True, slots=True)
class DoctorSettings:
    """Section [doctor]. ``accept``: codes of ``domain.problems.ACCEPTABLE``."""

    accept: tuple[str, ...] = ()
