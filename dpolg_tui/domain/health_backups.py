"""What the history of backups means."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.health_figures import Check, ServerFigures, Status

BACKUP = ("backup", "Sicherung")
COPY = ("backup_copy", "Kopie der Sicherung")
VERIFICATION = ("verification", "Probe der Sicherung")
"""Key and title of each line."""

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
    if state.overdue:
        says = f"{last}: älter als ein Tag." if state.last_good else f"{last}, und das seit über einem Tag."
        yield Check(*BACKUP, Status.ERROR, says, run, figures=values)
    elif state.newest_ok is False:
        yield Check(
            *BACKUP, Status.WARNING, f"{last}, der letzte Versuch ist gescheitert.", run, figures=values
        )
    elif state.last_good is None and server.backups_elsewhere:
        yield Check(*BACKUP, Status.OK, "Gesichert wird anderswo, so ist es eingestellt.", figures=values)
    else:
        yield Check(*BACKUP, Status.OK, f"{last}.", figures=values)
    if state.copy_ok is not None:
        yield _copy(ok=state.copy_ok)
    if not server.backups_elsewhere:
        yield _verification(server)


def _copy(*, ok: bool) -> Check:
    if ok:
        return Check(*COPY, Status.OK, "Die letzte ist angekommen.")
    return Check(
        *COPY,
        Status.WARNING,
        "Die letzte Kopie ist gescheitert: die Sicherung liegt nur auf dem Server.",
        "Bitte [backup] copy_command auf dem Server prüfen.",
    )


def _verification(server: ServerFigures) -> Check:
    state = server.backups
    values: dict[str, object] = {"last_good": iso(state.last_verified)}
    run = "Bitte auf dem Server dpolg-tui backup verify ausführen und dem Hinweis folgen (docs/backup.md)."
    if state.verification_ok is False:
        says = "Die letzte Sicherung ließ sich bei der Probe nicht wiederherstellen."
        return Check(*VERIFICATION, Status.ERROR, says, run, figures=values)
    if state.last_verified is None:
        if state.last_good is None:
            return Check(*VERIFICATION, Status.OK, "Noch ist nichts zu proben.", figures=values)
        return Check(*VERIFICATION, Status.WARNING, "Noch nie geprobt.", run, figures=values)
    says = f"Zuletzt gelungen am {format_datetime(state.last_verified)}."
    if server.at - state.last_verified > VERIFICATION_WARNING:
        return Check(
            *VERIFICATION, Status.WARNING, f"{says} Das ist über eine Woche her.", run, figures=values
        )
    return Check(*VERIFICATION, Status.OK, says, figures=values)


def iso(moment: datetime | None) -> str | None:
    """A moment for programs."""
    return moment.isoformat() if moment else None
