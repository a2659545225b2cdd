"""What a write has done, read from the answer of the database: for taking it back.

The difference between what was and what is counts, not what was sent: it holds what followed from a
change (a stay that lost its room) and leaves out what a colleague had changed to the same before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal, cast

from dpolg_tui.db import rows
from dpolg_tui.domain import german
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Guest, Room, Status
from dpolg_tui.domain.undo import NEW_STAY, Kind, Step
from dpolg_tui.domain.words import room_label

Answer = Mapping[str, Any]
Action = Literal["created", "updated", "deleted"]

_BOOKING_FIELDS = (
    *("guest_id", "status", "persons", "option_expires", "foundation_case", "guest_is_member"),
    *("cleaning_date", "notes", "cancellation_reason"),
)
_WITH_A_BOOKING = ("status", "guest_id", "guest_is_member")
"""What a new booking has whether it was sent or not, and what a cancelling must find as it was."""
_WRITABLE = {
    "guest": tuple(field.name for field in fields(Guest) if field.name not in ("id", "version")),
    "reminder": ("booking_id", "title", "description", "due_date", "priority", "completed", "snoozed_until"),
}
"""What a deleted record is created again from."""
_NOT_KNOWN = {
    "booking": "mit der Buchung ist gelöscht, was zu ihr gehörte",
    "room": "sein Schlüsselcode und seine früheren Preise sind mit gelöscht",
}
_OLD_KEY_CODE = "der frühere Schlüsselcode ist hier nicht bekannt"
_COMPANIONS = "die Begleitpersonen des Gastes sind mit gelöscht"


def effect(kind: str, record_id: int, action: Action, changes: Changes, answer: Answer) -> Step | None:
    """What a write did to a record; None for kinds that are not taken back (accounts)."""
    if kind not in ("booking", "block", "room", "guest", "reminder"):
        return None
    known = cast("Kind", kind)
    if action == "deleted":
        return _deleted(known, record_id, answer)
    if kind == "booking":
        return Step(known, record_id, action, _of_booking(action, changes, answer))
    was = {} if action == "created" else _before(changes, answer)
    values = {
        field: Change(was.get(field), change.after)
        for field, change in changes.items()
        # A secret is neither kept nor known as it was; what a colleague had made so is not mine.
        if field != "key_code" and (action == "created" or was[field] != change.after)
    }
    return Step(known, record_id, action, values, _OLD_KEY_CODE if "key_code" in changes else "")


def _before(changes: Changes, answer: Answer) -> Mapping[str, object]:
    """What the fields were; answered a second time that is not told again, and is what was taken for it."""
    told = answer.get("was") or {}
    return {
        field: rows.json_value(field, told[field]) if field in told else change.before
        for field, change in changes.items()
    }


def _deleted(kind: Kind, record_id: int, answer: Answer) -> Step:
    state: Answer = answer.get("state") or {}
    lost = _NOT_KNOWN.get(kind, "") or (_COMPANIONS if answer.get("had_companions") else "")
    if not state:
        lost = lost or "der gelöschte Eintrag ist hier nicht mehr bekannt"
    if kind == "block" and state:
        stay = {field: state[field] for field in ("room_id", "arrival", "departure")}
        state = {"stay": stay, "kind": state["kind"], "reason": state["reason"]}
    else:
        state = {field: state.get(field) for field in _WRITABLE.get(kind, ())}
    values = {field: rows.json_value(field, value) for field, value in state.items()} if not lost else {}
    gone = {field: Change(value, None) for field, value in values.items() if value is not None}
    return Step(kind, record_id, "deleted", gone, lost)


# Bookings


def _of_booking(action: Action, sent: Changes, answer: Answer) -> Changes:
    state, was = answer["state"], answer.get("was")
    stays = _stays(state)
    if action == "created":
        named = dict.fromkeys((*_WITH_A_BOOKING, *(field for field in sent if field in _BOOKING_FIELDS)))
        values = {field: Change(None, rows.json_value(field, state[field])) for field in named}
        return {**values, **{field: Change(None, stay) for field, stay in stays.items()}}
    if was is None:  # answered a second time: what it was is not told again
        return _as_sent(sent, stays)
    before = {field: rows.json_value(field, was[field]) for field in _BOOKING_FIELDS}
    after = {field: rows.json_value(field, state[field]) for field in _BOOKING_FIELDS}
    before.update((f, rows.json_value(f, value)) for f, value in was.items() if f.startswith("stay/"))
    after.update(stays)
    # Brought back, a cancelled booking takes its rooms again: none of its stays may have changed.
    guarded = stays if after["status"] == Status.CANCELLED else {}
    return {
        field: Change(before.get(field), after.get(field))
        for field in dict.fromkeys((*before, *after))
        if before.get(field) != after.get(field) or field in guarded
    }


def _stays(state: Answer) -> dict[str, dict[str, object]]:
    return {
        f"stay/{stay['id']}": {
            field: rows.json_value(field, stay[field]) for field in ("room_id", "arrival", "departure")
        }
        for stay in state["stays"]
    }


def _as_sent(sent: Changes, stays: Mapping[str, object]) -> Changes:
    """The changes as they were sent, new stays under their ids: the latest that are as they were wanted."""
    fresh = {field: stay for field, stay in stays.items() if field not in sent}
    effect: Changes = {}
    for field, change in sent.items():
        if not field.startswith(NEW_STAY):
            effect[field] = change
            continue
        alike = (name for name, stay in fresh.items() if stay == change.after)
        found = max(alike, key=lambda name: int(name.removeprefix("stay/")), default=None)
        if found is not None:
            del fresh[found]
            effect[found] = change
    return effect


# Names


def name(kind: str, record_id: int, answer: Answer, room_id: int | None, rooms: Mapping[int, Room]) -> str:
    """``2026-118``, ``Gast Huber, Anton``, ``Zimmer 5``, ``Sperre 5``. ``room_id``: that of a block."""
    state: Answer = answer.get("state") or {}
    match kind:
        case "booking":
            words = str(state.get("number") or f"Buchung Nr. {record_id}")
        case "guest":
            names = [str(state[part]) for part in ("last_name", "first_name") if state.get(part)]
            words = f"Gast {', '.join(names) or f'Nr. {record_id}'}"
        case "room":
            words = f"Zimmer {state.get('name') or f'Nr. {record_id}'}"
        case "block":
            words = f"Sperre {room_label(state.get('room_id', room_id), rooms)}"
        case _:
            words = f"Erinnerung {state.get('title') or f'Nr. {record_id}'}"
    return german.clean_line(words)
