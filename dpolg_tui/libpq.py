"""Connection strings, service files and password files, as PostgreSQL's own programs read them.

Error messages never repeat parts of a connection string that could belong to a password.
"""

from __future__ import annotations

import configparser
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote

from dpolg_tui import locations
from dpolg_tui.setting_types import ConfigError, Host, did_you_mean

Parameters = dict[str, str]

# libpq's name of a parameter → the setting it fills.
SETTING_OF = {
    "host": "database.host",
    "port": "database.port",
    "dbname": "database.database",
    "user": "database.username",
    "password": "database.password",
    "sslmode": "database.ssl_mode",
    "sslrootcert": "database.ca_file",
    "connect_timeout": "database.connect_timeout",
}
# libpq's environment variables → the parameter.
VARIABLES = {
    "PGHOST": "host",
    "PGHOSTADDR": "hostaddr",
    "PGPORT": "port",
    "PGDATABASE": "dbname",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGPASSFILE": "passfile",
    "PGSERVICE": "service",
    "PGSSLMODE": "sslmode",
    "PGSSLROOTCERT": "sslrootcert",
    "PGCONNECT_TIMEOUT": "connect_timeout",
}
_SPECIAL = {"hostaddr", "passfile", "service"}
# What libpq knows and this program decides by itself; the first group goes unmentioned.
_SILENTLY_IGNORED = {
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "target_session_attrs",
}
_IGNORED = {
    "channel_binding",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "max_protocol_version",
    "min_protocol_version",
    "options",
    "replication",
    "require_auth",
    "requirepeer",
    "requiressl",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslkeylogfile",
    "sslnegotiation",
    "sslpassword",
    "sslsni",
    "tcp_user_timeout",
}
_KNOWN = {*SETTING_OF, *_SPECIAL, *_SILENTLY_IGNORED, *_IGNORED}
_URI = re.compile(r"(postgresql|postgres)://", re.IGNORECASE)


def parse_dsn(dsn: str) -> Parameters:
    """The parameters of a URL or of a ``key=value`` string, under libpq's names."""
    text = dsn.strip()
    if scheme := _URI.match(text):
        parameters = _parse_uri(text[scheme.end() :])
    elif "://" in text.split("=", 1)[0] or "=" not in text:
        raise ConfigError(
            "Die DSN ist keine: erwartet wird postgresql://benutzer@server:5432/datenbank oder "
            '"host=server dbname=datenbank user=benutzer".'
        )
    else:
        parameters = dict(_parse_pairs(text))
    return _checked(parameters, "In der DSN")


def ignored(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Parameters that are valid but have no effect here."""
    names = sorted(_IGNORED & parameters.keys())
    if "hostaddr" in parameters and parameters.get("host") != parameters["hostaddr"]:
        names.append("hostaddr")
    return tuple(names)


def read_service(name: str, environment: Mapping[str, str]) -> Parameters:
    """The parameters of a service from the first service file that has it."""
    tried = []
    for path in locations.libpq_service_files(environment):
        tried.append(str(path))
        if not path.is_file():
            continue
        file = configparser.ConfigParser(
            interpolation=None, delimiters=("=",), comment_prefixes=("#",), default_section="\0", strict=False
        )
        try:
            file.read_string(path.read_text("utf-8"))
        except (configparser.Error, OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"Die Servicedatei {path} ist nicht lesbar: bitte ihre Form [name] und schlüssel=wert prüfen."
            ) from error
        if file.has_section(name):
            return _checked(dict(file.items(name)), f"In der Servicedatei {path}")
    raise ConfigError(f"Den Service „{name}“ gibt es nicht; gesucht in {', '.join(tried)}.")


def find_password(
    path: Path, hosts: tuple[Host, ...], database: str, username: str
) -> tuple[str | None, str | None]:
    """The password that a password file has for the first of ``hosts`` it knows, and a warning.

    As in PostgreSQL's own programs a file that others may read is not used.
    """
    try:
        if str(path) == os.devnull:
            return None, None
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            return None, f"Die Passwortdatei {path} ist keine Datei und wird nicht verwendet."
        if sys.platform != "win32" and mode & 0o077:
            return None, (
                f"Die Passwortdatei {path} ist für andere lesbar und wird nicht verwendet: "
                f"bitte mit chmod 600 {path} schützen."
            )
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return None, None
    except (OSError, UnicodeDecodeError):
        return None, f"Die Passwortdatei {path} ist nicht lesbar und wird nicht verwendet."
    entries = [_password_fields(line) for line in lines if line and not line.startswith("#")]
    for host, port in hosts:
        wanted = ("localhost" if host.startswith(("/", "@")) else host, str(port), database, username)
        for entry in entries:
            if len(entry) >= 5 and all(
                have in ("*", want) for have, want in zip(entry, wanted, strict=False)
            ):
                return entry[4], None
    return None, None


def _password_fields(line: str) -> list[str]:
    """Split at colons; a backslash takes the next sign as it is."""
    fields = [""]
    signs = iter(line)
    for sign in signs:
        if sign == "\\":
            fields[-1] += next(signs, "\\")
        elif sign == ":":
            fields.append("")
        else:
            fields[-1] += sign
    return fields


def _checked(parameters: Parameters, where: str) -> Parameters:
    # libpq takes JDBC's ssl=true for sslmode=require.
    if parameters.get("ssl") == "true":
        del parameters["ssl"]
        parameters.setdefault("sslmode", "require")
    for name in parameters:
        if name not in _KNOWN:
            shown = name if re.fullmatch(r"[A-Za-z_]{1,40}", name) else "?"
            raise ConfigError(f"{where} ist „{shown}“ unbekannt{did_you_mean(shown, _KNOWN)}.")
    if "hostaddr" in parameters:
        parameters.setdefault("host", parameters["hostaddr"])
    return {name: value for name, value in parameters.items() if value}


def _parse_uri(text: str) -> Parameters:
    parameters: Parameters = {}
    authority = re.match(r"[^/@]*@", text)
    if authority:
        user, colon, password = authority.group()[:-1].partition(":")
        parameters["user"] = _decode(user)
        if colon:
            parameters["password"] = _decode(password)
        text = text[authority.end() :]
    match = re.match(r"([^/?]*)(?:/([^?]*))?(?:\?(.*))?$", text, re.DOTALL)
    assert match is not None, "the pattern matches every text"  # noqa: S101
    servers, database, query = match.groups()
    if "@" in servers or "@" in (database or ""):
        raise ConfigError(
            "In der DSN steht ein @ zu viel: bitte Sonderzeichen im Passwort kodieren "
            "(@ als %40, / als %2F, : als %3A)."
        )
    if servers:
        hosts, ports = zip(*(_parse_server(server) for server in servers.split(",")), strict=True)
        parameters["host"] = ",".join(hosts)
        if any(ports):
            parameters["port"] = ",".join(ports)
    if database:
        parameters["dbname"] = _decode(database)
    for pair in (query or "").split("&"):
        if not pair:
            continue
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError("In der DSN fehlt hinter einem Namen nach dem ? das Gleichheitszeichen.")
        parameters[_decode(name)] = _decode(value)
    return parameters


def _parse_server(server: str) -> tuple[str, str]:
    bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.%]+)\](?::(.*))?", server)
    host, port = bracketed.groups(default="") if bracketed else server.partition(":")[::2]
    if port and not (port.isascii() and port.isdigit()):
        raise ConfigError(
            "In der DSN ist der Port keine Zahl: bitte prüfen, auch ob im Passwort ein /, : oder @ steht "
            "(als %2F, %3A, %40 schreiben)."
        )
    return _decode(host), port


def _decode(text: str) -> str:
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        raise ConfigError("In der DSN steht ein % ohne zwei Hexziffern: ein Prozentzeichen ist %25.")
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError as error:
        raise ConfigError("In der DSN steht eine %-Folge, die kein UTF-8 ist.") from error
    if "\0" in decoded:
        raise ConfigError("In der DSN ist %00 nicht erlaubt.")
    return decoded


def _parse_pairs(text: str) -> Iterator[tuple[str, str]]:
    """libpq's ``key = value`` list: values with spaces in single quotes, backslash escapes."""
    pair = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)", re.DOTALL)
    position = 0
    while position < len(text):
        match = pair.match(text, position)
        if match is None:
            raise ConfigError(
                "Die DSN ist nicht lesbar: erwartet wird name=wert, durch Leerzeichen getrennt, "
                "Werte mit Leerzeichen in einfachen Anführungszeichen."
            )
        name, quoted, plain = match.groups()
        yield name, re.sub(r"\\(.)", r"\1", quoted if quoted is not None else plain, flags=re.DOTALL)
        position = match.end()
        if not text[position:].strip():
            return
