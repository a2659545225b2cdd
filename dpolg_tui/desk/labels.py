"""Names for queued writes, in the words of the house."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from dpolg_tui.desk.actions import GERMAN
from dpolg_tui.desk.offline import Write
from dpolg_tui.domain.german import clean_line, format_date_range, format_day_month
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Room
from dpolg_tui.domain.words import field_text, room_label
from dpolg_tui.domain.zone import in_house

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

MOST_OF_VALUE = 40
"""Characters of a new value that its label shows."""

_WORDS = {**GERMAN, "setting": "Einstellung"}
_NEW = {
    "booking": "Neue Buchung",
    "guest": "Neuer Gast",
    "room": "Neues Zimmer",
    "block": "Neue Sperre",
    "reminder": "Neue Erinnerung",
}


def of_write(desk: Desk, write: Write) -> str:
    """``Buchung 2026-118 Huber: Teilen am 27.11.`` · ``Neuer Gast Muster, Eva``."""
    if write.parts:
        return "; ".join(of_write(desk, part) for part in write.parts)
    if write.creates:
        return f"{_NEW[write.kind]}{_new_words(desk, write)}"
    name = record_name(desk, write.kind, write.record_id or 0)
    if write.delete:
        return f"{name}: löschen"
    stays = [field for field in write.changes if field.partition("/")[0] == "stay"]
    words = [_stays_words(desk, write, stays)] if stays else []
    words += [
        _field_words(desk, field, change)
        for field, change in write.typed_changes.items()
        if field not in stays
    ]
    return f"{name}: {', '.join(dict.fromkeys(words))}"


def _field_words(desk: Desk, field: str, change: Change) -> str:
    """``Notizen Hund``: with the new value, so that two changes of the same field are told apart."""
    value = clean_line(field_text(field, change.after, desk.store.rooms, _guests(desk, field, change)))
    shown = value if len(value) <= MOST_OF_VALUE else f"{value[: MOST_OF_VALUE - 1].rstrip()}…"
    return f"{field_label(field)} {shown}"


def told_apart(label: str, at: datetime, labels: Collection[str]) -> str:
    """The label with its clock where another one reads the same: ``… Notizen Hund (14:05:07)``."""
    return f"{label} ({in_house(at):%H:%M:%S})" if label in labels else label


def _guests(desk: Desk, field: str, change: Change) -> dict[int, str]:
    """How the guests of a change are called."""
    return {
        id_: ", ".join(part for part in name if part)
        for id_ in (change.before, change.after)
        if field == "guest_id" and isinstance(id_, int) and (name := desk.known.name_of(id_))
    }


def _stays_words(desk: Desk, write: Write, names: list[str]) -> str:
    """What becomes of the stays of a booking, or of a block, so that two such changes are told apart."""
    typed, rooms = write.typed_changes, desk.store.rooms
    match [(typed[name].before, typed[name].after) for name in names]:
        case [({} as before, {} as after)]:
            bars = desk.store.of_booking(write.record_id or 0) if write.kind == "booking" else []
            which = f" ({_days(before)})" if write.kind == "booking" and len(bars) != 1 else ""
            return f"{_moved(before, after, write.kind, rooms)}{which}"
        case [({} as before, {} as first), (None, {} as second)] if (
            first["room_id"] == before["room_id"] and first["departure"] == second["arrival"]
        ):
            moved = second["room_id"] != before["room_id"]
            place = f", ab da {_in_room(second['room_id'], rooms)}" if moved else ""
            return f"Teilen am {format_day_month(second['arrival'])}{place}"
        case [({}, {} as whole), ({} as gone, None)] | [({} as gone, None), ({}, {} as whole)] if (
            whole["arrival"] <= gone["arrival"] and gone["departure"] <= whole["departure"]
        ):
            return f"Verbinden zu {_days(whole)}"
        case [(None, {} as new)]:
            return f"weiterer Aufenthalt {_in_room(new['room_id'], rooms)}, {_days(new)}"
        case [({} as before, None)]:
            return f"Aufenthalt {_days(before)} entfällt"
        case several:
            days = (_days(stay) for change in several for stay in change[::-1] if isinstance(stay, Mapping))
            return f"{len(several)} Aufenthalte ({'; '.join(dict.fromkeys(days))})"


def _moved(before: Mapping[str, Any], after: Mapping[str, Any], kind: str, rooms: Mapping[int, Room]) -> str:
    """``Aufenthalt nach 2 [Wendelstein] verlegen`` · ``Abreise am 27.11.``"""
    changed = {name for name in ("room_id", "arrival", "departure") if before[name] != after[name]}
    if changed == {"arrival"}:
        return f"Anreise am {format_day_month(after['arrival'])}"
    if changed == {"departure"}:
        return f"Abreise am {format_day_month(after['departure'])}"
    noun = "Aufenthalt " if kind == "booking" else ""
    if "room_id" not in changed:
        return f"{noun}auf {_days(after)} verlegen"
    room = after["room_id"]
    place = room_label(room, rooms) if room is None else f"nach {room_label(room, rooms)} verlegen"
    return f"{noun}{place}{f', {_days(after)}' if len(changed) > 1 else ''}"


def _in_room(room_id: int | None, rooms: Mapping[int, Room]) -> str:
    words = room_label(room_id, rooms)
    return words if room_id is None else f"in {words}"


def _days(stay: Mapping[str, Any]) -> str:
    return format_date_range(stay["arrival"], stay["departure"])


def record_name(desk: Desk, kind: str, record_id: int) -> str:
    """A record as far as this desk knows it."""
    word, store = _WORDS.get(kind, kind), desk.store
    words = ""
    if kind == "booking":
        bar = next(iter(store.of_booking(record_id)), None)
        booking = desk.known.get("booking", record_id)
        if bar is not None:
            words = f"{bar.number} {bar.last_name}"
        elif booking is not None:
            words = f"{booking.number} {booking.guest_name}"
    elif kind == "guest":
        guest = desk.known.get("guest", record_id) or desk.known.get("guest line", record_id)
        words = guest.name if guest is not None else ""
    elif kind == "room" and record_id in store.rooms:
        words = store.rooms[record_id].name
    elif kind == "reminder":
        reminder = desk.known.get("reminder", record_id)
        words = reminder.title if reminder is not None else ""
    elif kind == "block" and record_id in store.occupancies:
        block = store.occupancies[record_id]
        room = store.rooms.get(block.room_id or 0)
        words = room.name if room else ""
    return clean_line(f"{word} {words}".strip())


def _new_words(desk: Desk, write: Write) -> str:
    values: dict[str, Any] = {name: change.after for name, change in write.typed_changes.items()}
    parts: list[str] = []
    if isinstance(values.get("guest_id"), int):
        parts.append(record_name(desk, "guest", values["guest_id"]).removeprefix("Gast").strip())
    parts += [str(values[name]) for name in ("last_name", "first_name", "name", "title") if values.get(name)]
    stay = values.get("stay/new") or values.get("stay")
    if stay:
        room = desk.store.rooms.get(stay["room_id"] or 0)
        parts += [room.name] if room else []
        parts.append(format_date_range(stay["arrival"], stay["departure"]))
    words = clean_line(", ".join(part for part in parts if part))
    return f" {words}" if words else ""


def wanted(desk: Desk, write: Write) -> list[str]:
    """What a write wants, a line each; of several records with their names.

    ``Buchung 2026-118 Huber: Zimmer 1, 21.–24.11.2026 → Zimmer 2, …``
    """
    lines = ["löschen"] if write.delete else []
    for one in write.parts or (write,):
        name = f"{of_write(desk, one).partition(':')[0]}: " if write.parts else ""
        lines += [f"{name}{_change(desk, field, change)}" for field, change in one.typed_changes.items()]
    return [clean_line(line) for line in lines]


def _change(desk: Desk, field: str, change: Change) -> str:
    """``Notizen: – → Hund``; of a stay what it is shows its place."""
    rooms, guests = desk.store.rooms, _guests(desk, field, change)
    before, after = (field_text(field, value, rooms, guests) for value in (change.before, change.after))
    is_stay = field.partition("/")[0] == "stay"
    if change.before is None:
        return after if is_stay else f"{field_label(field)} {after}"
    if is_stay:
        return f"{before} → {after if change.after is not None else 'entfällt'}"
    return f"{field_label(field)} {before} → {after}"
