"""What doctor looks at and what can be wrong with it: names that stay, for programs and settings."""

from __future__ import annotations

from enum import Enum, StrEnum


class Status(StrEnum):
    """How something stands."""

    OK = "ok"
    UNKNOWN = "unknown"
    """Not looked at: it says why."""
    ACCEPTED = "accepted"
    """A warning that the house knows of and lives with: ``[doctor] accept``."""
    WARNING = "warning"
    ERROR = "error"


TITLES = {
    "host": "Server",
    "primary": "Schreibender Server",
    "tls": "Verschlüsselung",
    "clock": "Uhr",
    "database": "Datenbank",
    "login": "Anmeldung",
    "program": "Programm",
    "schema": "Schema",
    "server": "PostgreSQL",
    "checks": "Rechte (checks.sql)",
    "connections": "Verbindungen",
    "transactions": "Offene Transaktionen",
    "statements": "Langsame Abfragen",
    "dead_rows": "Tote Zeilen",
    "pages": "Prüfsummen",
    "archive": "WAL-Archiv",
    "size": "Größe",
    "vacuum": "Autovacuum",
    "notify_queue": "Benachrichtigungen",
    "slots": "Replikation",
    "backup": "Sicherung",
    "backup_copy": "Kopie der Sicherung",
    "verification": "Probe der Sicherung",
    "terminal": "Terminal",
}
"""What people call what is looked at, by its key."""


class Problem(Enum):
    """Something that is wrong: ``key.what`` and how bad it is. A test provokes each on a real server."""

    HOST_UNUSABLE = "host.unusable", Status.ERROR
    HOST_ONE_UNUSABLE = "host.one_unusable", Status.WARNING
    HOST_SLOW = "host.slow", Status.WARNING
    PRIMARY_MISSING = "primary.missing", Status.ERROR
    TLS_MISSING = "tls.missing", Status.ERROR
    TLS_ENDING = "tls.ending", Status.WARNING
    TLS_ENDED = "tls.ended", Status.ERROR
    TLS_CA_ENDING = "tls.ca_ending", Status.WARNING
    TLS_CA_ENDED = "tls.ca_ended", Status.ERROR
    CLOCK_OFF = "clock.off", Status.WARNING
    CLOCK_WRONG = "clock.wrong", Status.ERROR
    DATABASE_UNREADABLE = "database.unreadable", Status.ERROR
    LOGIN_FAILED = "login.failed", Status.ERROR
    PROGRAM_OLD = "program.old", Status.ERROR
    SCHEMA_NEWER = "schema.newer", Status.WARNING
    SCHEMA_DIFFERS = "schema.differs", Status.WARNING
    SCHEMA_BEHIND = "schema.behind", Status.ERROR
    SCHEMA_MISSING = "schema.missing", Status.ERROR
    SERVER_ENDED = "server.ended", Status.WARNING
    CHECKS_HARDENING = "checks.hardening", Status.WARNING
    CHECKS_MUST = "checks.must", Status.ERROR
    CONNECTIONS_SCARCE = "connections.scarce", Status.WARNING
    CONNECTIONS_USED_UP = "connections.used_up", Status.ERROR
    TRANSACTIONS_LONG = "transactions.long", Status.WARNING
    TRANSACTIONS_VERY_LONG = "transactions.very_long", Status.ERROR
    STATEMENTS_SLOW = "statements.slow", Status.WARNING
    DEAD_ROWS_MANY = "dead_rows.many", Status.WARNING
    PAGES_DAMAGED = "pages.damaged", Status.ERROR
    ARCHIVE_FAILING = "archive.failing", Status.ERROR
    SIZE_GROWN = "size.grown", Status.WARNING
    VACUUM_BEHIND = "vacuum.behind", Status.WARNING
    VACUUM_FAR_BEHIND = "vacuum.far_behind", Status.ERROR
    VACUUM_OFF = "vacuum.off", Status.ERROR
    NOTIFY_QUEUE_FILLING = "notify_queue.filling", Status.WARNING
    NOTIFY_QUEUE_NEARLY_FULL = "notify_queue.nearly_full", Status.ERROR
    SLOTS_UNFETCHED = "slots.unfetched", Status.WARNING
    SLOTS_HUGE = "slots.huge", Status.ERROR
    BACKUP_NEVER = "backup.never", Status.ERROR
    BACKUP_OVERDUE = "backup.overdue", Status.ERROR
    BACKUP_FAILED = "backup.failed", Status.WARNING
    BACKUP_COPY_FAILED = "backup_copy.failed", Status.WARNING
    VERIFICATION_FAILED = "verification.failed", Status.ERROR
    VERIFICATION_NEVER = "verification.never", Status.WARNING
    VERIFICATION_OLD = "verification.old", Status.WARNING
    TERMINAL_SMALL = "terminal.small", Status.WARNING
    TERMINAL_COLOURS = "terminal.colours", Status.WARNING
    TERMINAL_KEYS = "terminal.keys", Status.WARNING
    TERMINAL_ENCODING = "terminal.encoding", Status.WARNING

    def __init__(self, code: str, status: Status) -> None:
        self.code = code
        self.status = status

    @property
    def key(self) -> str:
        """What it is a problem of: a key of ``TITLES``."""
        return self.code.partition(".")[0]


ACCEPTABLE = tuple(problem.code for problem in Problem if problem.status is Status.WARNING)
"""What ``[doctor] accept`` may name: nobody lives with an error."""
