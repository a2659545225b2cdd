"""``doctor``: looks at everything that can be seen, judges it, and says what to do."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dpolg_tui.db import health, login
from dpolg_tui.db.connection import Database
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.health import GLYPHS, LABELS, judge, summary, unreachable, worst
from dpolg_tui.domain.health_figures import Check, Figures, ServerFigures
from dpolg_tui.domain.models import Role, User
from dpolg_tui.domain.problems import Status
from dpolg_tui.operations import terminal

if TYPE_CHECKING:
    from dpolg_tui.operations.passwords import Passwords
    from dpolg_tui.settings import DatabaseSettings

FINE, FAILED, UNREACHABLE = 0, 1, 3
FORMAT = 1
"""Of the JSON: grows when a key changes its meaning or goes."""
_LABEL_WIDTH = max(map(len, LABELS.values()))


@dataclass(frozen=True, slots=True)
class DoctorOptions:
    """What ``doctor`` was asked for. ``login`` None: as the role of the connection."""

    json: bool
    quiet: bool
    strict: bool
    login: str | None
    passwords: Passwords
    accept: tuple[str, ...] = ()
    """Warnings that are none here: ``[doctor] accept``."""


def run(settings: DatabaseSettings, options: DoctorOptions) -> int:
    """Look, print, and tell by the exit code: 0, 1 for an error (a warning too if strict), 3 unreachable."""
    password = ""
    if options.login is not None:
        password = options.passwords.existing("admin", f"Passwort von {options.login}")
    figures = asyncio.run(examine(settings, options.login, password))
    figures = replace(
        figures,
        terminal=terminal.look(),
        no_terminal="Die Ausgabe geht nicht in ein Terminal: dort aufrufen, wo gearbeitet wird.",
    )
    checks = judge(figures, options.accept)
    write = _write_json if options.json else _write
    write(figures, checks, options)
    if unreachable(figures):
        return UNREACHABLE
    bad = worst(checks)
    return FAILED if bad is Status.ERROR or (bad is Status.WARNING and options.strict) else FINE


async def examine(
    settings: DatabaseSettings,
    username: str | None = None,
    password: str = "",
    *,
    clock: health.Clock = health.now,
) -> Figures:
    """Measure all but the terminal. Never raises for what is wrong with the system."""
    hosts = await health.look_at_hosts(settings)
    figures = Figures(
        now=clock(),
        program=health.program(),
        hosts=hosts,
        authorities=health.authorities(settings.ca_file),
    )
    try:
        seen = await health.look_inside(settings, clock=clock)
    except DomainError as error:
        why = f"Keine Verbindung. {error.message}"
        return replace(figures, no_database=why, no_server=why, no_findings=why)
    figures = replace(
        figures,
        clock_offset=seen.clock_offset,
        database=seen.database,
        no_database=seen.no_database,
        no_house=seen.database is None and not seen.failed,
        unreadable=seen.failed,
        findings=seen.findings,
        no_findings=seen.no_findings,
        server=seen.server,
        no_server=seen.why,
    )
    if username is not None and seen.server is None and seen.database is not None:
        server, why = await _as_admin(settings, username, password)
        figures = replace(figures, server=server, no_server=why, no_login=why)
    return figures


async def _as_admin(
    settings: DatabaseSettings, username: str, password: str
) -> tuple[ServerFigures | None, str]:
    """Sign in, ask, sign out. Without an answer: why."""
    database = Database(settings)
    try:
        user = await login.login(database, username, password)
        try:
            return await _ask(database, user)
        finally:
            await login.logout(database)
    except DomainError as error:
        # Wrong password, no free connection, an older schema: the other lines are told all the same.
        return None, error.message
    finally:
        await database.close()


async def _ask(database: Database, user: User) -> tuple[ServerFigures | None, str]:
    if user.role is not Role.ADMIN:
        return None, f"{user.username} hat nicht die Rolle Admin: bitte als Admin anmelden."
    if user.must_change_password:
        return None, f"{user.username} muss zuerst am Arbeitsplatz ein eigenes Passwort festlegen."
    return await health.of_server(database), ""


def _write(figures: Figures, checks: tuple[Check, ...], options: DoctorOptions) -> None:
    if not options.quiet:
        sys.stdout.write(f"Zustand am {format_datetime(figures.now)}: {summary(checks)}\n\n")
    unknown: dict[str, list[str]] = {}
    for check in checks:
        if check.status is Status.UNKNOWN:
            # What one reason explains is one line.
            unknown.setdefault(check.says, []).append(check.title)
        elif check.status in (Status.WARNING, Status.ERROR) or not options.quiet:
            _write_line(check.status, f"{check.title} {check.subject}".rstrip(), check.says)
            if check.remedy:
                sys.stdout.write(f"  {' ' * _LABEL_WIDTH}  → {check.remedy}\n")
    for reason, titles in unknown.items():
        if not options.quiet:
            _write_line(Status.UNKNOWN, ", ".join(titles), reason)
    _write_acceptable(checks)


def _write_acceptable(checks: tuple[Check, ...]) -> None:
    """How a warning that nothing can be done about stops to come every day."""
    warnings = {check.problem.code for check in checks if check.problem and check.status is Status.WARNING}
    if warnings:
        names = ", ".join(f'"{name}"' for name in sorted(warnings))
        sys.stdout.write(
            "\nWarnungen, mit denen das Haus lebt, nennt config.toml unter [doctor] (docs/health.md): "
            f"accept = [{names}]\n"
        )


def _write_line(status: Status, what: str, says: str) -> None:
    sys.stdout.write(f"{GLYPHS[status]} {LABELS[status].ljust(_LABEL_WIDTH)}  {what}: {says}\n")


def _write_json(figures: Figures, checks: tuple[Check, ...], options: DoctorOptions) -> None:
    shown = [c for c in checks if not options.quiet or c.status in (Status.WARNING, Status.ERROR)]
    answer = {
        "format": FORMAT,
        "at": figures.now.isoformat(),
        "program": figures.program.version,
        "status": "unreachable" if unreachable(figures) else worst(checks).value,
        "checks": [
            {
                "key": check.key,
                "problem": check.problem.code if check.problem else None,
                "subject": check.subject or None,
                "status": check.status.value,
                "says": check.says,
                "remedy": check.remedy or None,
                "figures": dict(check.figures),
            }
            for check in shown
        ],
    }
    sys.stdout.write(f"{json.dumps(answer, ensure_ascii=False, indent=2)}\n")
