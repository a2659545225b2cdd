"""What is measured of the system, and a line of what that means. ``health.judge`` makes one of the other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.problems import TITLES, Problem, Status


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the answer. ``key`` and ``problem`` are stable, for programs; the rest is for people."""

    key: str
    status: Status
    says: str
    remedy: str = ""
    """What to do, in German; empty when there is nothing to do."""
    subject: str = ""
    """Which of several: a server, a role, a table."""
    figures: Mapping[str, object] = field(default_factory=dict)
    problem: Problem | None = None
    """What is wrong; None if nothing is."""

    @property
    def title(self) -> str:
        """What was looked at, in words."""
        return TITLES[self.key]


def fine(key: str, says: str, subject: str = "", figures: Mapping[str, object] | None = None) -> Check:
    """A line that is OK."""
    return Check(key, Status.OK, says, "", subject, figures or {})


def unseen(key: str, why: str, subject: str = "") -> Check:
    """A line about what was not looked at."""
    return Check(key, Status.UNKNOWN, why or "Nicht gefragt.", "", subject)


def wrong(
    problem: Problem, says: str, remedy: str, subject: str = "", figures: Mapping[str, object] | None = None
) -> Check:
    """A warning or an error, with what to do."""
    return Check(problem.key, problem.status, says, remedy, subject, figures or {}, problem)


@dataclass(frozen=True, slots=True)
class TlsFigures:
    """How a server encrypts, without regard to whether this desk would trust it."""

    version: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class HostFigures:
    """One server of the configuration. Durations in milliseconds."""

    address: str
    local: bool
    """Only this machine reaches it there: nobody else hears what is said."""
    round_trip_ms: float | None = None
    """None if it did not answer."""
    error: str = ""
    """Why no work is possible there, in a sentence; empty if it is."""
    standby: bool = False
    """It answers but takes no writes: it follows another one."""
    tls: TlsFigures | None = None
    looked_for_tls: bool = True
    tls_address: str = ""
    """Where TLS was looked for, if not at ``address``: a socket has none, its server has for the desks."""
    no_tls: str = ""
    """Why it could not be looked for there."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate of ``ca_file``."""

    name: str
    valid_until: datetime | None
    """None: it could not be read."""


@dataclass(frozen=True, slots=True)
class RoleConnections:
    """Open connections of a role in the whole server; ``limit`` None: without."""

    role: str
    count: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class OpenTransaction:
    """A transaction that has been open for more than a second."""

    role: str
    pid: int
    seconds: int
    idle: bool
    """It waits for its client, not for the database."""


@dataclass(frozen=True, slots=True)
class SlowStatement:
    """What pg_stat_statements knows of a statement of the desks. Durations in milliseconds."""

    id: str
    function: str | None
    calls: int
    mean_ms: float
    max_ms: float


@dataclass(frozen=True, slots=True)
class TableFigures:
    """Size in bytes with indexes, and rows as the statistics count them."""

    name: str
    bytes: int
    live: int
    dead: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A replication slot: ``bytes`` of WAL are kept for it."""

    name: str
    active: bool
    bytes: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """What only somebody with pg_monitor sees."""

    connections: tuple[RoleConnections, ...] = ()
    transactions: tuple[OpenTransaction, ...] = ()
    tables: tuple[TableFigures, ...] = ()
    statements: tuple[SlowStatement, ...] | None = None
    """None: not measured, for the reason in ``no_statements``."""
    no_statements: str = ""
    checksum_failures: int | None = None
    """None without checksums."""
    archiving: bool = False
    archived: datetime | None = None
    archive_failed: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """What ``app.health()`` tells. Sizes in bytes, ``notify_queue`` from 0 to 1."""

    at: datetime
    version: str
    major: int
    migrations: Mapping[str, str]
    """Checksums of the applied files by name."""
    most_connections: int
    bytes: int
    sizes: tuple[tuple[date, int], ...]
    """The size of earlier days, the oldest first."""
    notify_queue: float
    transaction_age: int
    autovacuum: bool
    slots: tuple[Slot, ...]
    backups: BackupState
    backups_elsewhere: bool
    statistics: Statistics | None


@dataclass(frozen=True, slots=True)
class ProgramFigures:
    """This program: its version, and the files it would apply to the database."""

    version: str
    schema_version: int
    files: Mapping[str, str]
    """Checksums by name, as in ``ServerFigures.migrations``."""


@dataclass(frozen=True, slots=True)
class DatabaseVersion:
    """What the database tells anybody before the sign-in."""

    schema_version: int
    minimum_client: str


@dataclass(frozen=True, slots=True)
class TerminalFigures:
    """What this terminal can do."""

    columns: int
    lines: int
    colours: int
    """As far as known: 8, 16, 256 or 16777216; 0: none."""
    missing_keys: tuple[str, ...]
    unicode: bool
    name: str
    """TERM."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything that was measured; what was not is None, with the reason beside it."""

    now: datetime
    """By the clock of this computer."""
    program: ProgramFigures
    hosts: tuple[HostFigures, ...] = ()
    authorities: tuple[Authority, ...] = ()
    clock_offset: float | None = None
    """Seconds by which this computer's clock is ahead of the server's."""
    database: DatabaseVersion | None = None
    no_database: str = ""
    no_house: bool = False
    """The database answers, but nobody has set a house up in it."""
    unreadable: str = ""
    """What went wrong while a database that answers was asked, though it must not; empty if nothing did."""
    no_login: str = ""
    """Why who was to sign in for the figures of the server could not ask for them."""
    server: ServerFigures | None = None
    no_server: str = ""
    findings: tuple[str, ...] | None = None
    """Rows of checks.sql."""
    no_findings: str = ""
    terminal: TerminalFigures | None = None
    no_terminal: str = ""
