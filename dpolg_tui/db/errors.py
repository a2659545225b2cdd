"""The one place where errors of the database and its driver become errors of the house.

Decided by SQLSTATE and constraint name. Nothing of the server's own text goes on to the screen or
the log: DETAIL and often the message itself repeat what people typed.
"""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import traceback

import asyncpg

from dpolg_tui.db.constraints import CONSTRAINTS
from dpolg_tui.db.constraints_around import REFERRED
from dpolg_tui.domain.errors import (
    Busy,
    Defect,
    DomainError,
    InvalidInput,
    MustChangePassword,
    NoSchema,
    NotAllowed,
    RecordMissing,
    RuleViolated,
    ServerFull,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.log import error_id as new_error_id

log = logging.getLogger(__name__)

RETRYABLE = frozenset({"40001", "40P01", "55P03"})
"""Serialization failure, deadlock, lock not available: the same statement may succeed at once."""

DRIVER_ERRORS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
"""Everything that the driver raises for reasons outside this program."""

_LOST_CLASSES = ("08", "57P")
_LOST_STATES = frozenset({"25006", "53300"})

_SENTENCES: dict[str, tuple[type[DomainError], str | None]] = {
    "28000": (SessionEnded, None),
    "42501": (NotAllowed, None),
    "3F000": (NoSchema, None),
    "53100": (ServerFull, None),
    "53200": (
        Busy,
        "Dem Datenbankserver fehlt Arbeitsspeicher: bitte eine Person mit der Rolle Admin verständigen.",
    ),
    "53300": (
        Busy,
        "Am Datenbankserver sind alle Plätze belegt: bitte gleich noch einmal versuchen "
        "oder einen Arbeitsplatz schließen, der nicht gebraucht wird.",
    ),
    "54000": (
        ServerFull,
        "Die Warteschlange des Datenbankservers ist voll: "
        "bitte sofort eine Person mit der Rolle Admin verständigen.",
    ),
    "57014": (
        Busy,
        "Die Anfrage dauerte zu lange und wurde abgebrochen: bitte enger suchen oder später versuchen.",
    ),
    "P0002": (RecordMissing, None),
}
_KEPT = "Nichts Eingegebenes ist verloren: "
_AGAIN = f"{_KEPT}bitte neu anmelden."
_SESSION_ENDS = {
    "session_expired": f"Ihre Anmeldung ist abgelaufen. {_AGAIN}",
    "session_logout": f"Sie haben sich an diesem Arbeitsplatz abgemeldet. {_AGAIN}",
    "session_replaced": f"An diesem Arbeitsplatz wurde neu angemeldet. {_AGAIN}",
    "session_deactivated": f"Ihr Zugang wurde deaktiviert. {_KEPT}bitte einen Admin fragen.",
    "session_role_changed": f"Ihre Rolle wurde geändert. {_AGAIN}",
    "session_password_reset": f"Ihr Passwort wurde zurückgesetzt. {_KEPT}"
    "bitte mit dem neuen Passwort von Ihrem Admin anmelden.",
    "session_password_changed": f"Ihr Passwort wurde an einem anderen Arbeitsplatz geändert. {_KEPT}"
    "bitte mit dem neuen anmelden.",
    "session_ended_by_admin": f"Ein Admin hat Sie abgemeldet. {_AGAIN}",
    "session_ended_by_user": f"Sie haben diesen Arbeitsplatz von einem anderen aus abgemeldet. {_AGAIN}",
    "session_wrong_passwords": f"Zu oft ein falsches Passwort: Sie wurden abgemeldet. {_AGAIN}",
    "session_restored": f"Die Datenbank wurde aus einer Sicherung wiederhergestellt. {_AGAIN}",
}
"""Why a session is over, by the name that the database gives."""

# By OpenSSL's codes for what it found.
_OTHER_NAME = "gilt für einen anderen Namen: bitte den Server (host) so schreiben, wie er dort steht."
_CERTIFICATES: dict[int, str] = {
    9: "gilt noch nicht: bitte die Uhr dieses Rechners und des Servers prüfen.",
    10: "ist abgelaufen: bitte auf dem Server erneuern.",
    62: _OTHER_NAME,
    64: _OTHER_NAME,
}
_UNKNOWN_AUTHORITY = "kommt von keiner bekannten Stelle: bitte die Zertifikatsdatei (ca_file) prüfen."

# A firewall that does not keep silent, and a network that is off.
_NO_WAY = (errno.EHOSTUNREACH, errno.ENETUNREACH)

_RULES: dict[str, str] = {
    "23502": "Eine Pflichtangabe fehlt: bitte das Feld ausfüllen.",
    "23503": "Der Eintrag wird noch gebraucht oder wurde inzwischen gelöscht.",
    "23505": "Das gibt es schon: bitte eine andere Angabe wählen.",
    "23514": "Die Datenbank lässt diese Angaben nicht zu: bitte prüfen und berichtigen.",
    "23P01": "Das Zimmer ist in diesem Zeitraum schon belegt: bitte ein anderes wählen.",
}


def _state(error: BaseException) -> str:
    return str(getattr(error, "sqlstate", None) or "")


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone or useless: terminate it, connect again, repeat the call."""
    if isinstance(error, asyncpg.PostgresError):
        state = _state(error)
        return state != "57014" and (state.startswith(_LOST_CLASSES) or state in _LOST_STATES)
    if isinstance(error, asyncpg.OutdatedSchemaCacheError | asyncpg.ClientConfigurationError):
        return False
    if isinstance(error, asyncpg.InterfaceError):
        # A wrong kind of argument is refused by the driver before anything is sent: a defect of ours.
        return not isinstance(error, ValueError | TypeError)
    return isinstance(error, OSError | TimeoutError | asyncpg.InternalClientError)


def is_retryable(error: BaseException) -> bool:
    """Whether the same statement may succeed at once on the same connection."""
    return _state(error) in RETRYABLE


def is_stale_plan(error: BaseException) -> bool:
    """Whether a prepared statement outlived an upgrade of the database: prepare it again."""
    return isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.OutdatedSchemaCacheError)


def is_permanent(error: BaseException) -> bool:
    """Whether connecting again cannot help before somebody changes the settings."""
    if isinstance(error, ssl.SSLCertVerificationError | asyncpg.ClientConfigurationError | DomainError):
        return True
    return isinstance(error, asyncpg.PostgresError) and _state(error)[:2] in ("28", "3D")


def connect_error(error: BaseException, address: str) -> DomainError:
    """The domain error for a connection that could not be opened to ``address``."""
    if isinstance(error, DomainError):
        return error
    state = _state(error)
    sentence = None
    if isinstance(error, asyncpg.PostgresError):
        sentence = {
            "28P01": "Die Datenbank nimmt Benutzer und Passwort der Konfiguration nicht an: "
            "bitte Benutzer (username) und Passwort (password) prüfen.",
            "28000": "Der Datenbankserver lässt diese Rolle von diesem Rechner nicht zu: "
            "bitte Benutzer (username), Verschlüsselung (ssl_mode) und die Zugangsregeln des Servers prüfen.",
            "3D000": "Diese Datenbank gibt es auf dem Server nicht: bitte ihren Namen (database) prüfen.",
            "42501": "Die Rolle der Konfiguration darf diese Datenbank nicht benutzen: "
            "bitte Datenbank (database) und Benutzer (username) prüfen.",
            "57P03": "Der Datenbankserver startet gerade: der Arbeitsplatz verbindet sich von selbst.",
        }.get(state)
        if sentence is None and state in _SENTENCES:
            return translate(error)
    elif isinstance(error, ssl.SSLCertVerificationError):
        sentence = f"Das Zertifikat von {address} " + _CERTIFICATES.get(error.verify_code, _UNKNOWN_AUTHORITY)
    elif isinstance(error, ConnectionError) and "SSL" in str(error):
        sentence = (
            f"{address} bietet keine verschlüsselte Verbindung an: "
            "bitte den Server oder die Verschlüsselung (ssl_mode) prüfen."
        )
    elif isinstance(error, socket.gaierror):
        sentence = f"{_unknown(address)} ist unbekannt: bitte Server (host) und Netzwerk prüfen."
    elif isinstance(error, FileNotFoundError | ConnectionRefusedError) and address.startswith("/"):
        # A directory of sockets: the server's own timers.
        sentence = (
            f"Auf diesem Rechner läuft keine Datenbank (in {address} antwortet niemand): "
            "bitte mit systemctl status postgresql nachsehen."
        )
    elif isinstance(error, ConnectionRefusedError):
        sentence = (
            f"Auf {address} antwortet keine Datenbank: bitte Server (host) und Port (port) prüfen "
            "und ob der Server läuft."
        )
    elif isinstance(error, TimeoutError) or getattr(error, "errno", None) in _NO_WAY:
        sentence = f"{address} antwortet nicht: bitte Netzwerk und Firewall prüfen."
    elif isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        sentence = f"{address} nimmt keine Änderungen an: er springt ein, wenn der Hauptserver ausfällt."
    return Unreachable(sentence)


def _unknown(address: str) -> str:
    """The name that is not known, or names of which one is not, without ports: those are never looked up."""
    names = [one.rpartition(":")[0] for one in address.split(", ")]
    return f"{'Der Name' if len(names) == 1 else 'Einer der Namen'} {', '.join(names)}"


def translate(error: BaseException) -> DomainError:
    """The domain error for ``error``; what nobody foresaw is logged and becomes a Defect with its number."""
    if isinstance(error, DomainError):
        return error
    state = _state(error)
    constraint = getattr(error, "constraint_name", None)
    if constraint == "must_change_password":
        return MustChangePassword()
    if is_retryable(error):
        return Busy()
    if constraint in CONSTRAINTS:
        field, sentence = CONSTRAINTS[constraint]
        referred = REFERRED.get(constraint or "", "")
        return RuleViolated(sentence, field=field, constraint=constraint, referred=referred)
    if state in _SENTENCES:
        kind, text = _SENTENCES[state]
        return kind(text if kind is not SessionEnded else _SESSION_ENDS.get(constraint or ""))
    if is_lost(error):
        return Unreachable()
    if state in _RULES:
        return RuleViolated(
            _RULES[state], field=getattr(error, "column_name", None) or None, constraint=constraint or None
        )
    if state == "22001":
        return InvalidInput("Ein Text ist zu lang: bitte kürzen.")
    if state in ("22007", "22008"):
        return InvalidInput("Ein Datum ist nicht gültig oder liegt zu weit weg: bitte prüfen.")
    if state in ("22003",):
        return InvalidInput("Eine Zahl ist zu groß: bitte prüfen.")
    if state in ("22021", "22P05"):
        return InvalidInput("Der Text enthält ein Zeichen, das nicht gespeichert werden kann: bitte löschen.")
    return defect(error)


def defect(error: BaseException) -> Defect:
    """Log an error nobody foresaw, without any value in it, and give it a number."""
    error_id = new_error_id()
    facts = {
        name: getattr(error, name, None)
        for name in (
            "sqlstate",
            "schema_name",
            "table_name",
            "column_name",
            "constraint_name",
            "server_source_function",
        )
    }
    known = " ".join(f"{name}={value}" for name, value in facts.items() if value)
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("error %s: %s %s\n%s", error_id, type(error).__name__, known, where)
    return Defect(error_id)
