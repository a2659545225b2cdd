"""What stands in the way of taking a change back, in the words of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dpolg_tui.domain import german
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.models import BookingSummary, Conflict, Outcome, Room, Status, WriteResult
from dpolg_tui.domain.undo import Entry
from dpolg_tui.domain.words import field_text, room_label

LONGEST = 60
"""Characters of a value in a sentence."""
MOST_NAMED = 3
"""Bookings that a sentence names."""


def obstacle(entry: Entry, result: WriteResult, rooms: Mapping[int, Room]) -> str:
    """Why „2026-118 verschoben“ could not be taken back: who changed what, or what takes the room."""
    match result.outcome:
        case Outcome.CONFLICT:
            who = german.clean_line(result.changed_by or "Jemand")
            changed = [_changed(conflict, rooms) for conflict in result.conflicts]
            return f"{who} hat {', '.join(changed) or 'den Eintrag'} inzwischen geändert: {_stays(entry)}"
        case Outcome.TAKEN:
            ways = [
                f"{way.label}, {german.format_date_range(way.arrival, way.departure)},"
                f" in {room_label(way.room_id, rooms)}"
                for way in result.in_the_way
            ]
            return german.clean_line(f"Das Zimmer ist inzwischen belegt ({'; '.join(ways)}): {_stays(entry)}")
        case Outcome.MISSING:
            return f"{entry.what} gibt es nicht mehr: jemand hat es inzwischen gelöscht."
        case _:
            return f"{_stays(entry)} Es wird zurückgenommen, sobald die Datenbank wieder erreichbar ist."


def referred(entry: Entry, clause: str, bookings: Sequence[BookingSummary]) -> str:
    """Why a record cannot go: ``bookings`` of a guest by their numbers, else what the ``clause`` says."""
    wanted = "wieder löschen" if entry.taken_back else "zurücknehmen"
    return f"{entry.what} lässt sich nicht {wanted}: {_belong(bookings) or clause}."


def _belong(bookings: Sequence[BookingSummary]) -> str:
    named = [f"{it.number}{' (storniert)' * (it.status is Status.CANCELLED)}" for it in bookings[:MOST_NAMED]]
    if len(bookings) > len(named):
        named.append(f"{len(bookings) - len(named)} weitere")
    match named:
        case []:
            return ""
        case [number]:
            return f"Buchung {number} gehört zu ihm"
        case [*numbers, last]:
            return f"die Buchungen {', '.join(numbers)} und {last} gehören zu ihm"
    raise AssertionError(named)


def _stays(entry: Entry) -> str:
    return f"„{entry.words}“ bleibt."


def _changed(conflict: Conflict, rooms: Mapping[int, Room]) -> str:
    """``Abreise (jetzt 24.11.2026)``; of a stay only what differs."""
    expected, theirs = conflict.before, conflict.theirs
    if isinstance(expected, Mapping) and isinstance(theirs, Mapping):
        parts = [name for name in ("room_id", "arrival", "departure") if expected[name] != theirs[name]]
        return " und ".join(_value(name, theirs[name], rooms) for name in parts)
    if conflict.field.startswith("stay/") and theirs is None:
        return "den Aufenthalt"
    return _value(conflict.field, theirs, rooms)


def _value(name: str, value: object, rooms: Mapping[int, Room]) -> str:
    words = german.clean_line(field_text(name, value, rooms))
    short = words if len(words) <= LONGEST else f"{words[: LONGEST - 1]}…"
    return f"{_ARTICLES.get(name, '')}{field_label(name)} (jetzt {short})"


_ARTICLES = {
    **dict.fromkeys(("arrival", "departure", "option_expires", "cleaning_date"), "die "),
    **dict.fromkeys(("room_id", "stay"), "das "),
    **dict.fromkeys(("notes", "persons"), "die "),
    **dict.fromkeys(("status", "reason", "guest_id"), "den "),
}
