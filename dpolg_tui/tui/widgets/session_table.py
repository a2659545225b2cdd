"""A list of sessions: from which desk, since when, and how long it has been silent."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.domain.people import Session
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row

COLUMNS = (
    Column("Arbeitsplatz", 15, 2),
    Column("Adresse", 15, 1, wide_from=100),
    Column("angemeldet seit", 16),
    Column("zuletzt", 9),
    Column("Seite", 15, 2),
)
ROUNDED = 2
"""Minutes within which a session counts as here: signs of life are written down about once a minute."""
THIS = "hier"
"""In place of the silence of the session that asks."""


class SessionTable(RecordTable):
    """Sessions of one person, the one that spoke last on top."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(COLUMNS, id=id)
        self.sessions: dict[int, Session] = {}

    def show_sessions(self, sessions: Iterable[Session]) -> None:
        """Replace what is shown; the cursor stays on its session."""
        ordered = sorted(sessions, key=lambda session: (not session.own, session.created_at))
        self.sessions = {session.id: session for session in ordered}
        self.show([_row(session, datetime.now(UTC)) for session in ordered])

    @property
    def marked(self) -> Session | None:
        """The session under the cursor."""
        return self.sessions.get(self.record_id or 0)


def _row(session: Session, now: datetime) -> Row:
    cells = (
        session.host or session.desk,
        session.address or "",
        format_datetime(session.created_at),
        THIS if session.own else silence(now - session.last_seen),
        session.screen or "",
    )
    return session.id, tuple(clean_line(cell) for cell in cells), ""


def silence(time: timedelta) -> str:
    """How long ago the last sign of life was: ``jetzt``, ``vor 3 min``, ``vor 2 h``."""
    minutes = int(time.total_seconds()) // 60
    if minutes < ROUNDED:
        return "jetzt"
    return f"vor {minutes} min" if minutes < 60 else f"vor {minutes // 60} h"
