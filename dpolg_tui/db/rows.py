"""Answers of the database as domain values, and domain values as its jsonb arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar, cast

from dpolg_tui.domain.booked import BookedLine, Companion, LineKind, Payment
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import kind_label
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import (
    Booking,
    BookingSummary,
    Conflict,
    Guest,
    GuestSummary,
    HistoryEntry,
    InTheWay,
    Kind,
    Occupancy,
    Outcome,
    Priority,
    Reminder,
    Role,
    Room,
    Status,
    Stay,
    User,
    WriteResult,
)
from dpolg_tui.domain.pricing import round_cents

Row = Mapping[str, Any]
KindT = TypeVar("KindT")

_DATES = frozenset(
    {
        "option_expires",
        "cleaning_date",
        "date_of_birth",
        "retired_from",
        "arrival",
        "departure",
        "paid_on",
        "due_date",
        "snoozed_until",
        "invoice_sent_on",
        "dunning_sent_on",
    }
)
_MOMENTS = frozenset(
    {"created_at", "updated_at", "cancelled_at", "checked_in_at", "checked_out_at", "completed_at"}
)
_MONEY = frozenset(
    {
        "price_low",
        "price_high",
        "final_cleaning_fee",
        "amount",
        "unit_price",
        "total",
        "paid",
        "credit_balance",
    }
)
_NUMBERS = frozenset({"quantity", "percentage"})
_GUEST_FIELDS = tuple(field.name for field in fields(Guest))
_REMINDER_FIELDS = tuple(field.name for field in fields(Reminder) if field.name not in ("priority", "queued"))
_BOOKING_FIELDS = tuple(
    field.name
    for field in fields(Booking)
    if field.name not in ("stays", "status", "price_lines", "payments", "companions", "reminders")
)


def json_value(field: str, value: object) -> Any:
    """A value of a jsonb answer in its Python type, told by the name of its field.

    Raises InvalidInput with the field's name where the text is none of that type.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        return {key: json_value(key, inner) for key, inner in value.items()}
    try:
        return _typed(field, value)
    except (ValueError, InvalidOperation):
        # The text itself stays out: it may be a guest's.
        raise InvalidInput(
            f"{field_label(field)}: der Wert ist nicht lesbar, bitte dieses Feld neu eingeben.", field
        ) from None


def _typed(field: str, value: object) -> Any:
    if field in _DATES:
        return date.fromisoformat(str(value))
    if field in _MOMENTS:
        return datetime.fromisoformat(str(value))
    if field in _MONEY:
        return round_cents(Decimal(str(value)))
    if field in _NUMBERS:
        return Decimal(str(value))
    return value


def changes_argument(changes: Changes) -> dict[str, dict[str, object]]:
    """``{field: {from, to}}`` for a write function."""
    return {field: {"from": change.before, "to": change.after} for field, change in changes.items()}


def occupancy(row: Row) -> Occupancy:
    """A row of app.chart or app.chart_rows."""
    return Occupancy(
        id=row["id"],
        room_id=row["room_id"],
        arrival=row["arrival"],
        departure=row["departure"],
        kind=Kind(row["kind"]),
        reason=row["reason"],
        booking_id=row["booking_id"],
        number=row["number"],
        status=None if row["status"] is None else Status(row["status"]),
        guest_id=row["guest_id"],
        last_name=row["last_name"] or "",
        first_name=row["first_name"] or "",
        persons=row["persons"] or 0,
        foundation_case=bool(row["foundation_case"]),
        option_expires=row["option_expires"],
        has_notes=bool(row["has_notes"]),
        version=row["version"],
    )


def room(row: Row) -> Room:
    """A row of app.rooms, or the state in the answer of a write."""
    return Room(
        id=row["id"],
        name=row["name"],
        category=row["category"],
        building=row["building"],
        place=row["place"],
        capacity=row["capacity"],
        price_low=Decimal(row["price_low"]),
        price_high=Decimal(row["price_high"]),
        final_cleaning_fee=Decimal(row["final_cleaning_fee"]),
        street=row["street"],
        postal_code=row["postal_code"],
        city=row["city"],
        notes=row["notes"],
        retired_from=json_value("retired_from", row["retired_from"]),
        has_key_code=bool(row["has_key_code"]),
        version=row["version"],
    )


def stay(value: Row) -> Stay:
    return Stay(
        id=value["id"],
        room_id=value["room_id"],
        arrival=json_value("arrival", value["arrival"]),
        departure=json_value("departure", value["departure"]),
    )


def booking(state: Row) -> Booking:
    """The jsonb of app.booking."""
    values = {field: json_value(field, state[field]) for field in _BOOKING_FIELDS}
    return Booking(
        **values,
        status=Status(state["status"]),
        stays=tuple(stay(value) for value in state["stays"]),
        price_lines=tuple(booked_line(value) for value in state["price_lines"]),
        payments=tuple(Payment(**_values(value)) for value in state["payments"]),
        companions=tuple(Companion(**_values(value)) for value in state["companions"]),
        reminders=tuple(reminder(value) for value in state["reminders"]),
    )


def known(kind: type[KindT], row: Row, **converted: object) -> KindT:
    """A dataclass of those columns that it has: a newer database may answer with more."""
    names = (field.name for field in fields(cast("type[Any]", kind)))
    return kind(**{name: row[name] for name in names if name in row and name not in converted}, **converted)


def _values(state: Row) -> dict[str, Any]:
    return {field: json_value(field, value) for field, value in state.items()}


def booked_line(state: Row) -> BookedLine:
    return BookedLine(**{**_values(state), "kind": LineKind(state["kind"])})


def reminder(state: Row) -> Reminder:
    """Of the jsonb of a booking, or of the answer of a write."""
    values = {field: json_value(field, state[field]) for field in _REMINDER_FIELDS}
    return Reminder(**values, priority=Priority(state["priority"]))


def reminder_row(row: Row) -> Reminder:
    """A row of app.reminders."""
    return known(Reminder, row, priority=Priority(row["priority"]))


def guest(state: Row) -> Guest:
    """The jsonb of app.guest."""
    return Guest(**{field: json_value(field, state[field]) for field in _GUEST_FIELDS})


def guest_summary(row: Row) -> GuestSummary:
    return known(GuestSummary, row)


def booking_summary(row: Row) -> BookingSummary:
    return known(BookingSummary, row, status=Status(row["status"]))


def history_entry(row: Row) -> HistoryEntry:
    return known(HistoryEntry, row)


def user(row: Row) -> User:
    return User(
        id=row["id"] if "id" in row else row["user_id"],
        username=row["username"],
        full_name=row["full_name"],
        role=Role(row["role"]),
    )


def _label(other: Row) -> str:
    if other["booking_id"] is not None:
        return str(other["label"])
    kind = kind_label(Kind(other["kind"]))
    return f"{kind}: {other['label']}" if other["label"] else kind


def occupancies_of(state: Row) -> tuple[Occupancy, ...]:
    """The bars of a booking, from the jsonb of app.booking: none when it is cancelled."""
    booked = booking(state)
    if booked.status is Status.CANCELLED:
        return ()
    return tuple(
        Occupancy(
            id=value.id or 0,
            room_id=value.room_id,
            arrival=value.arrival,
            departure=value.departure,
            kind=Kind.STAY,
            booking_id=booked.id,
            number=booked.number,
            status=booked.status,
            guest_id=booked.guest_id,
            last_name=state["last_name"],
            first_name=state["first_name"],
            persons=booked.persons,
            foundation_case=booked.foundation_case,
            option_expires=booked.option_expires,
            has_notes=booked.notes is not None,
            version=booked.version,
        )
        for value in booked.stays
    )


def _is_as_known(field: str, stored: Any, known: object) -> bool:
    value = json_value(field, stored)
    if isinstance(value, dict) and isinstance(known, Mapping):
        return all(value.get(name) == inner for name, inner in known.items())
    return bool(value == known)


def write_result(answer: Row, wanted: Changes, *, known: Mapping[str, object] | None = None) -> WriteResult:
    """The answer of a write function.

    ``known`` is what the desk took for stored before: fields that differ from it afterwards, and that
    were not sent, are what a colleague changed (``merged``).
    """
    outcome = Outcome(answer["outcome"])
    state: Row = answer.get("state") or {}
    merged: tuple[str, ...] = ()
    if outcome is Outcome.DONE and known is not None:
        stored = {**state, **{f"stay/{value['id']}": value for value in state.get("stays") or ()}}
        merged = tuple(
            field
            for field, before in known.items()
            if field in stored and field not in wanted and not _is_as_known(field, stored[field], before)
        )
    return WriteResult(
        outcome=outcome,
        id=answer.get("id"),
        version=answer.get("version"),
        merged=merged,
        conflicts=tuple(
            Conflict(
                field,
                *(json_value(field, values[part]) for part in ("before", "mine", "theirs")),
            )
            for field, values in (answer.get("conflicts") or {}).items()
        ),
        in_the_way=tuple(
            InTheWay(
                occupancy_id=other["occupancy_id"],
                booking_id=other["booking_id"],
                room_id=other["room_id"],
                arrival=json_value("arrival", other["arrival"]),
                departure=json_value("departure", other["departure"]),
                label=_label(other),
            )
            for other in answer.get("in_the_way") or ()
        ),
        changed_by=answer.get("changed_by") or state.get("updated_by"),
        lost_room=bool(answer.get("lost_room")),
    )
