"""What waits to be sent, applied to what is stored: bars and records of every kind as they will be.

Applied anew whenever one of both changes, so that discarding a write needs nothing but applying the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal, TypeVar

from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import (
    Booking,
    Guest,
    Kind,
    Occupancy,
    Priority,
    Reminder,
    Room,
    Status,
    Stay,
)

MARK = "↑"
"""Stands before whatever is shown as it will be and is not sent yet, in place of its own glyph."""

NO_NUMBER = "vorgemerkt"
"""Stands for the number of a booking that the database does not know yet."""

Name = tuple[str, str]
"""Last and first name."""
NameOf = Callable[[int], Name | None]
Record = TypeVar("Record")

_BAR_FIELDS = frozenset({"persons", "foundation_case", "option_expires"})
_BOOKING_FIELDS = frozenset(field.name for field in fields(Booking)) - {"id", "stays", "version"}
_GUEST_FIELDS = frozenset(field.name for field in fields(Guest)) - {"id", "version"}
_ROOM_FIELDS = frozenset(field.name for field in fields(Room)) - {"id", "version", "queued", "has_key_code"}
_REMINDER_FIELDS = frozenset({"booking_id", "title", "due_date", "description", "snoozed_until"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A write of one record that waits. New records and new stays have negative ids until it is sent."""

    kind: Literal["booking", "block", "guest", "room", "reminder"]
    record_id: int
    changes: Changes
    creates: bool = False
    deletes: bool = False
    stays: Mapping[str, int] = field(default_factory=dict)
    """``{"stay/new1": -7}``"""

    @property
    def wanted(self) -> dict[str, Any]:
        """The values it wants to be stored."""
        return {name: change.after for name, change in self.changes.items()}


def queued_words(number: int) -> str:
    """`` · ↑ 2 vorgemerkt``, after other words: how many are marked, which explains the mark; 0: nothing."""
    return f" · {MARK} {number} vorgemerkt" if number else ""


# Bars


def bars_with(
    bars: Iterable[Occupancy], waiting: Iterable[Waiting], name_of: NameOf
) -> tuple[Occupancy, ...]:
    """The bars of one booking, or the bar of one block, as they will be; each is marked ``queued``."""
    shown = {bar.id: bar for bar in bars}
    for one in waiting:
        if one.deletes:
            shown = {}
        elif one.kind == "block":
            shown = _block(shown, one)
        else:
            shown = _stays(shown, one, name_of)
    return tuple(replace(bar, queued=True) for bar in shown.values() if bar.status is not Status.CANCELLED)


def _block(shown: Mapping[int, Occupancy], one: Waiting) -> dict[int, Occupancy]:
    wanted = one.wanted
    place = wanted.pop("stay", None) or {}
    if "kind" in wanted:
        wanted["kind"] = Kind(wanted["kind"])
    values = {**place, **wanted}
    if one.creates:
        return {one.record_id: Occupancy(id=one.record_id, **values)}
    return {id_: replace(bar, **values) for id_, bar in shown.items()}


def _stays(shown: dict[int, Occupancy], one: Waiting, name_of: NameOf) -> dict[int, Occupancy]:
    wanted = one.wanted
    about = _about_booking(wanted, name_of)
    like = next(iter(shown.values()), None)
    if like is None and one.creates:
        like = Occupancy(
            id=0,
            room_id=None,
            arrival=date.min,
            departure=date.min,
            kind=Kind.STAY,
            booking_id=one.record_id,
            number=NO_NUMBER,
            status=Status.CONFIRMED,
            persons=1,
        )
    after = {id_: replace(bar, **about) for id_, bar in shown.items()}
    for name, place in wanted.items():
        if not name.startswith("stay/"):
            continue
        number = one.stays.get(name) or _number(name)
        if place is None:
            after.pop(number, None)
        elif number in after:
            after[number] = replace(after[number], **place)
        elif name in one.stays and like is not None:
            after[number] = replace(like, id=number, **place, **about)
    return after


def _about_booking(wanted: Mapping[str, Any], name_of: NameOf) -> dict[str, Any]:
    about = {name: value for name, value in wanted.items() if name in _BAR_FIELDS}
    if "status" in wanted:
        about["status"] = Status(wanted["status"])
    if "notes" in wanted:
        about["has_notes"] = wanted["notes"] is not None
    if "guest_id" in wanted:
        last_name, first_name = name_of(wanted["guest_id"]) or ("", "")
        about.update(guest_id=wanted["guest_id"], last_name=last_name, first_name=first_name)
    return about


def _number(name: str) -> int:
    """The id of a stored stay; 0: it has none."""
    text = name.removeprefix("stay/")
    return int(text) if text.lstrip("-").isdigit() else 0


# Records


def booking_with(booking: Booking | None, waiting: Iterable[Waiting], name_of: NameOf) -> Booking | None:
    """A booking as it will be; None: there is none, or it is known too little of it."""
    return _with(
        booking,
        waiting,
        lambda number: Booking(number, NO_NUMBER, 0, "", Status.CONFIRMED, 1, ()),
        lambda booking, one: _changed_booking(booking, one, name_of),
    )


def _with(
    record: Record | None,
    waiting: Iterable[Waiting],
    new: Callable[[int], Record],
    changed: Callable[[Record, Waiting], Record],
) -> Record | None:
    """A record after what waits, in its order; None: there is none, or it is not known here."""
    for one in waiting:
        if one.creates:
            record = new(one.record_id)
        if one.deletes:
            record = None
        if record is not None:
            record = changed(record, one)
    return record


def _changed_booking(booking: Booking, one: Waiting, name_of: NameOf) -> Booking:
    wanted = one.wanted
    plain = {name: value for name, value in wanted.items() if name in _BOOKING_FIELDS}
    if "status" in plain:
        plain["status"] = Status(plain["status"])
    if "guest_id" in plain:
        plain["guest_name"] = ", ".join(part for part in name_of(plain["guest_id"]) or () if part)
    stays = {stay.id: stay for stay in booking.stays}
    for name, place in wanted.items():
        if not name.startswith("stay/"):
            continue
        number = one.stays.get(name) or _number(name)
        if place is None:
            stays.pop(number, None)
        elif number in stays or name in one.stays:
            stays[number] = Stay(number, place["room_id"], place["arrival"], place["departure"])
    return replace(booking, **plain, stays=tuple(sorted(stays.values(), key=lambda stay: stay.arrival)))


def guest_with(guest: Guest | None, waiting: Iterable[Waiting]) -> Guest | None:
    """A guest as he will be; None: there is none, or he is not known here."""
    return _with(
        guest,
        waiting,
        lambda number: Guest(number, "", ""),
        lambda guest, one: replace(guest, **_wanted_of(one, _GUEST_FIELDS)),
    )


def room_with(room: Room | None, waiting: Iterable[Waiting]) -> Room | None:
    """A room as it will be, marked ``queued``; None: there is none. A key code is only known to be there."""
    nothing = Decimal("0.00")
    return _with(
        room,
        waiting,
        lambda number: Room(number, "", "", None, "", 1, nothing, nothing, nothing),
        _changed_room,
    )


def _changed_room(room: Room, one: Waiting) -> Room:
    has_code = one.wanted.get("key_code", room.has_key_code)
    values = _wanted_of(one, _ROOM_FIELDS)
    return replace(room, **values, has_key_code=bool(has_code), queued=True)


def reminder_with(reminder: Reminder | None, waiting: Iterable[Waiting], by: str) -> Reminder | None:
    """A reminder as it will be, marked ``queued``; None: there is none. ``by``: who completes it."""
    return _with(
        reminder,
        waiting,
        lambda number: Reminder(number, None, "", date.max),
        lambda reminder, one: _changed_reminder(reminder, one, by),
    )


def _changed_reminder(reminder: Reminder, one: Waiting, by: str) -> Reminder:
    wanted = one.wanted
    values = _wanted_of(one, _REMINDER_FIELDS)
    if "priority" in wanted:
        values["priority"] = Priority(wanted["priority"])
    if wanted.get("completed", reminder.completed) != reminder.completed:
        done = bool(wanted["completed"])
        values.update(completed=done, completed_at=None, completed_by=by if done else None)
    return replace(reminder, **values, queued=True)


def reminders_with(booking: Booking, waiting: Iterable[Waiting], by: str) -> Booking:
    """A booking with its reminders as they will be; ``waiting`` are the writes of all reminders."""
    of_each: dict[int, list[Waiting]] = {}
    for one in waiting:
        of_each.setdefault(one.record_id, []).append(one)
    if not of_each:
        return booking
    stored: dict[int, Reminder | None] = {one.id: one for one in booking.reminders}
    made = {id_: None for id_, writes in of_each.items() if writes[0].creates}
    shown = [
        reminder_with(before, of_each[id_], by) if id_ in of_each else before
        for id_, before in {**stored, **made}.items()
    ]
    there = (one for one in shown if one is not None and one.booking_id == booking.id)
    return replace(booking, reminders=tuple(sorted(there, key=lambda one: one.due_date)))


def _wanted_of(one: Waiting, names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in one.wanted.items() if name in names}
