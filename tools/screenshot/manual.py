"""The pictures of docs/handbuch.md: which screens of the generated house, seen by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from dpolg_tui.desk.events import QueueChanged
from dpolg_tui.desk.offline import Queued, State, Write
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Conflict, FreeRoom, InTheWay, Occupancy, Status
from tests.snapshots import scenes_chart, scenes_health, scenes_people, scenes_settings
from tests.snapshots.opening import Scene, a_stay, room_ids
from tests.snapshots.scenes import help_page, lock, palette, stay
from tests.tui.desk_app import Running

SIZE = (104, 30)
"""Readable in a document, and more than the least that the desk needs."""
_MOMENT = datetime(2026, 11, 21, 11, 4, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: how to get there, and who looks; ``None``: nobody has signed in."""

    scene: Scene
    user: str | None = "anna"


def _label(bar: Occupancy) -> str:
    return f"Buchung {bar.number} {bar.last_name}"


async def _taken(here: Running) -> None:
    """Somebody else's stay is in the way."""
    from dpolg_tui.tui.dialogs.taken import TakenDialog

    bar = a_stay(here, Status.CONFIRMED)
    room_id = bar.room_id or room_ids(here)[0]
    way = InTheWay(
        bar.id, bar.booking_id, room_id, bar.arrival, bar.departure, f"{bar.number} {bar.last_name}"
    )
    free = [
        FreeRoom(number, here.desk.store.rooms[number].capacity >= 2)
        for number in room_ids(here)[1:6]
        if number != bar.room_id
    ]
    here.app.push_screen(TakenDialog([way], free, shifts=True))


async def _conflict(here: Running) -> None:
    """A colleague saved the same fields a moment earlier."""
    from dpolg_tui.tui.dialogs.conflict import ConflictDialog

    conflicts = (
        Conflict("notes", None, "Kommt erst gegen 22 Uhr", "Kommt mit Hund"),
        Conflict("persons", 2, 3, 1),
    )
    here.app.push_screen(ConflictDialog(conflicts, "Ben Beispiel"))


async def _queue(here: Running) -> None:
    """Two changes wait, one does not fit any more."""
    first, second = a_stay(here, Status.CONFIRMED), a_stay(here, Status.CHECKED_IN)
    room = here.desk.store.rooms[first.room_id or room_ids(here)[0]]
    told = (
        (_label(second), State.WAITING, ""),
        (
            f"Neue Buchung, {room.name}",
            State.CONFLICT,
            f"{room.name} ist in diesen Nächten belegt: {first.number} {first.last_name}",
        ),
    )
    typed = Write.of("booking", 3, {"notes": Change(None, "Kommt spät")})
    here.desk.outbox.items = tuple(
        Queued(UUID(int=number), typed, label, _MOMENT + timedelta(minutes=number), state, reason=reason)
        for number, (label, state, reason) in enumerate(told, start=1)
    )
    here.desk.tell(QueueChanged())
    here.app.action_queue()
    await here.sees("Vorgemerkte Änderungen")
    await here.pilot.press("down")


async def _users(here: Running) -> None:
    await here.pilot.press("f9")
    await here.sees("Clara Beispiel")


PICTURES: dict[str, Picture] = {
    "anmeldung": Picture(stay, None),
    "belegungsplan": Picture(stay),
    "markieren": Picture(scenes_chart.marked),
    "neue-buchung": Picture(scenes_chart.booking_new),
    "suchen": Picture(scenes_chart.search),
    "aendern": Picture(scenes_chart.change_stay),
    "kalender": Picture(scenes_chart.calendar),
    "gleichzeitig": Picture(_conflict),
    "belegt": Picture(_taken),
    "vorgemerkt": Picture(_queue),
    "gesperrt": Picture(lock),
    "hilfe": Picture(help_page),
    "befehle": Picture(palette),
    "gaeste": Picture(scenes_people.guests),
    "benutzer": Picture(_users, "admin"),
    "einstellungen": Picture(scenes_settings.typed),
    "zustand": Picture(scenes_health.health, "admin"),
}
"""By the name of the file in docs/pictures."""
