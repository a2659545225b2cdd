"""How to get to the screen „Zustand“, with figures of a fixed day."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from dpolg_tui.desk.health import HealthActions
from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.health_figures import (
    DatabaseVersion,
    Figures,
    HostFigures,
    OpenTransaction,
    ProgramFigures,
    RoleConnections,
    ServerFigures,
    SlowStatement,
    Statistics,
    TableFigures,
    TerminalFigures,
    TlsFigures,
)
from tests.tui.desk_app import Running

NOW = datetime(2026, 11, 21, 13, 5, tzinfo=UTC)
SERVER = ServerFigures(
    at=NOW,
    version="17.2",
    major=17,
    migrations={},
    most_connections=57,
    bytes=84 * 1024**2,
    sizes=((date(2026, 10, 25), 71 * 1024**2),),
    notify_queue=0.0,
    transaction_age=180_000,
    autovacuum=True,
    slots=(),
    backups=BackupState(
        NOW - timedelta(hours=57), NOW - timedelta(days=3), True, newest_ok=True, verification_ok=True
    ),
    backups_elsewhere=False,
    statistics=Statistics(
        connections=(RoleConnections("booking_user", 11, 25), RoleConnections("dpolg_owner", 1, None)),
        transactions=(OpenTransaction("dpolg_owner", 4711, 340, idle=True),),
        tables=(TableFigures("app.audit_log", 22 * 1024**2, 41_000, 12),),
        statements=(SlowStatement("1", "app.chart", 900, 14.2, 88.0),),
    ),
)
FIGURES = Figures(
    now=NOW,
    program=ProgramFigures("1.0.0", 9, {}),
    hosts=(
        HostFigures("db.example.org:5432", False, 12.3, tls=TlsFigures("TLSv1.3", NOW + timedelta(days=12))),
        HostFigures("db2.example.org:5432", False, 13.1, standby=True, looked_for_tls=False),
    ),
    clock_offset=0.04,
    database=DatabaseVersion(9, "1.0.0"),
    server=SERVER,
    findings=(),
)
"""A house that nobody has looked after for a while."""


class Measured(HealthActions):
    """Always the same figures, as no server gives them."""

    async def look_around(self, terminal: TerminalFigures) -> Figures:
        return replace(FIGURES, terminal=replace(terminal, colours=256**3, unicode=True))

    async def look(self, before: Figures, terminal: TerminalFigures) -> Figures:  # noqa: ARG002
        return await self.look_around(terminal)


async def health(here: Running) -> None:
    """The screen, on a line that says what to do."""
    here.desk.health = Measured(here.desk)
    await here.app.action_health()
    await here.sees("älter als ein Tag")
