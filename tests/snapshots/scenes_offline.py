"""What a desk shows after an interruption: what waits, what others did, what was typed and not saved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.events import Missed, QueueChanged
from dpolg_tui.desk.offline import Queued, State, Write
from dpolg_tui.domain.merge import Change
from dpolg_tui.tui.drafting import offer_drafts
from dpolg_tui.tui.work import write
from tests.tui.desk_app import Running

MOMENT = datetime(2026, 11, 21, 7, 4, tzinfo=UTC)
LONG_NAME = "Clara-Sophie Übermäßig-Langername"


def _queued(number: int, label: str, state: State, reason: str = "") -> Queued:
    typed = Write.of("booking", 3, {"notes": Change(None, "Kommt spät")})
    at = MOMENT + timedelta(minutes=number)
    return Queued(UUID(int=number), typed, label, at, state, reason=reason)


async def queue(here: Running) -> None:
    """One of each state, with the cursor on one that does not fit."""
    here.desk.outbox.items = (
        _queued(1, "Buchung 2026-3 Müller-Lüdenscheidt: Notiz", State.UNKNOWN),
        _queued(
            2,
            "Neue Buchung Müller [VIP], 2 Wendelstein, 24.–27.11.",
            State.CONFLICT,
            f"2 Wendelstein ist vom 24. bis 29.11.2026 belegt: 2026-118 {LONG_NAME}",
        ),
        _queued(3, "Gast Yılmaz, Ayşe: Telefon, E-Mail und Wohnort", State.WAITING),
        _queued(4, "Tausch 2026-119 Huber mit 2026-120 [/b] fett[red]", State.WAITING),
    )
    here.desk.tell(QueueChanged())
    here.app.action_queue()
    await here.sees("Vorgemerkte Änderungen")
    await here.pilot.press("down")


async def queue_empty(here: Running) -> None:
    here.app.action_queue()


async def missed(here: Running) -> None:
    """A short night of changes, the longest names among them."""
    lines = (
        ("Ben [Beispiel]", "Buchung 2026-3 Müller-Lüdenscheidt geändert"),
        (LONG_NAME, "Gast Müller-Lüdenscheidt, Hans-Jürgen geändert"),
        (LONG_NAME, "Zimmer 10 [Watzmann] geändert"),
        ("Jemand", "Buchung 2026-118 [/b] fett[red] angelegt"),
        ("Ben [Beispiel]", "Sperre 4 Kampenwand gelöscht"),
    )
    here.desk.missed = tuple(
        Missed(MOMENT + timedelta(minutes=number), by, what) for number, (by, what) in enumerate(lines)
    )
    here.app.action_missed()


async def missed_nothing(here: Running) -> None:
    here.app.action_missed()


async def drafts(here: Running) -> None:
    """What the program kept when it ended last time."""
    here.desk.drafts.keep(
        [
            Draft("booking", 3, "Buchung 2026-3 · Müller-Lüdenscheidt, Hans-Jürgen", {"notes": "Hund"}),
            Draft("guest", None, "Neuer Gast", {"last_name": "Neumann"}),
            Draft("room", 3, "Zimmer 10 [Watzmann]", {"notes": "x"}),
        ]
    )
    here.desk.drafts.load()
    write(here.app, offer_drafts(here.app), "Entwürfe öffnen")
