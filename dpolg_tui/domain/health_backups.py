"""What the history of backups means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.health_figures import Check, ServerFigures, fine, wrong
from dpolg_tui.domain.problems import Problem

VERIFICATION_WARNING = timedelta(days=8)
"""The timer comes weekly; a day more for its randomness."""


def judge_backups(server: ServerFigures) -> Iterator[Check]:
    state = server.backups
    values: dict[str, object] = {"last_good": iso(state.last_good), "elsewhere": server.backups_elsewhere}
    last = (
        f"Die letzte gute ist vom {format_datetime(state.last_good)}"
        if state.last_good
        else "Es gibt noch keine"
    )
    run = "Bitte auf dem Server dpolg-tui backup ausführen und dem Hinweis folgen (docs/backup.md)."
    if state.overdue and state.last_good:
        yield wrong(Problem.BACKUP_OVERDUE, f"{last}: älter als ein Tag.", run, figures=values)
    elif state.overdue:
        yield wrong(Problem.BACKUP_NEVER, f"{last}, und das seit über einem Tag.", run, figures=values)
    elif state.newest_ok is False:
        says = f"{last}, der letzte Versuch ist gescheitert."
        yield wrong(Problem.BACKUP_FAILED, says, run, figures=values)
    elif state.last_good is None and server.backups_elsewhere:
        yield fine("backup", "Gesichert wird anderswo, so ist es eingestellt.", figures=values)
    else:
        yield fine("backup", f"{last}.", figures=values)
    if state.copy_ok is not None:
        yield _copy(ok=state.copy_ok)
    if not server.backups_elsewhere:
        yield _verification(server)


def _copy(*, ok: bool) -> Check:
    if ok:
        return fine("backup_copy", "Die letzte ist angekommen.")
    return wrong(
        Problem.BACKUP_COPY_FAILED,
        "Die letzte Kopie ist gescheitert: die Sicherung liegt nur auf dem Server.",
        "Bitte [backup] copy_command auf dem Server prüfen.",
    )


def _verification(server: ServerFigures) -> Check:
    state = server.backups
    values: dict[str, object] = {"last_good": iso(state.last_verified)}
    run = "Bitte auf dem Server dpolg-tui backup verify ausführen und dem Hinweis folgen (docs/backup.md)."
    if state.verification_ok is False:
        says = "Die letzte Sicherung ließ sich bei der Probe nicht wiederherstellen."
        return wrong(Problem.VERIFICATION_FAILED, says, run, figures=values)
    if state.last_verified is None:
        if state.last_good is None:
            return fine("verification", "Noch ist nichts zu proben.", figures=values)
        return wrong(Problem.VERIFICATION_NEVER, "Noch nie geprobt.", run, figures=values)
    says = f"Zuletzt gelungen am {format_datetime(state.last_verified)}."
    if server.at - state.last_verified > VERIFICATION_WARNING:
        says = f"{says} Das ist über eine Woche her."
        return wrong(Problem.VERIFICATION_OLD, says, run, figures=values)
    return fine("verification", says, figures=values)


def iso(moment: datetime | None) -> str | None:
    """A moment for programs."""
    return moment.isoformat() if moment else None
