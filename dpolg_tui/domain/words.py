"""Words for the values of fields: for conflicts, history, audit log. (Names of fields: domain/labels.)"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from dpolg_tui.domain import german
from dpolg_tui.domain.audit import AuditEntry
from dpolg_tui.domain.audited import FIELDS
from dpolg_tui.domain.labels import TABLES, field_label, value_label
from dpolg_tui.domain.models import HistoryEntry, Kind, Room, Status

EMPTY = "–"
"""Stands for "nothing" wherever a value is shown beside others."""

WITHOUT_ROOM = "ohne Zimmer"


def _text(value: object) -> str:
    return " ".join(str(value).split())


def _date(value: object) -> str:
    return german.format_date(value if isinstance(value, date) else date.fromisoformat(str(value)))


def _moment(value: object) -> str:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return german.format_datetime(moment)


def _money(value: object) -> str:
    return german.format_money(Decimal(str(value)))


def _yes_no(value: object) -> str:
    return ("nein", "ja")[value] if isinstance(value, bool) else _text(value)


def _status(value: object) -> str:
    word = str(value)
    return german.status_label(Status(word)) if word in set(Status) else value_label("status", word)


def _secret(value: object) -> str:  # noqa: ARG001 - also the fingerprint of a secret stays here
    return "geheim"


def _kind(value: object) -> str:
    word = str(value)
    return german.kind_label(Kind(word)) if word in set(Kind) else value_label("kind", word)


def _number(value: object) -> str:
    return german.format_number(Decimal(str(value)))


def _word_of(name: str) -> Callable[[object], str]:
    return lambda value: value_label(name, value)


_WRITERS: Mapping[str, Callable[[object], str]] = {
    **dict.fromkeys(
        [
            "option_expires",
            "cleaning_date",
            "arrival",
            "departure",
            "retired_from",
            "date_of_birth",
            "paid_on",
            "due_date",
            "snoozed_until",
            "invoice_sent_on",
            "dunning_sent_on",
            "valid_from",
            "first_day",
            "last_day",
        ],
        _date,
    ),
    **dict.fromkeys(
        ["cancelled_at", "checked_in_at", "checked_out_at", "sent_at", "lock_lifted_at"], _moment
    ),
    **dict.fromkeys(["price_low", "price_high", "final_cleaning_fee", "unit_price", "amount"], _money),
    **dict.fromkeys(["quantity", "percentage", "price", "rate", "member_discount_percentage"], _number),
    **{
        name: _word_of(name)
        for name in (
            *("priority", "applies_to", "vat_kind", "role", "price_type", "discount_base"),
            "cleaning_plan_position",
        )
    },
    **dict.fromkeys(["key_code", "verifier", "smtp_password"], _secret),
    **dict.fromkeys(
        [
            "foundation_case",
            "guest_is_member",
            "is_member",
            "marketing_consent",
            "automatic_mail",
            "has_key_code",
            "completed",
            "active",
            "must_change_password",
            "use_tls",
            "show_in_cleaning_plan",
            "requires_dog_cleaning",
            "requires_bedding_change",
            "requires_deep_cleaning",
            "member_discount_active",
            "vat_active",
            "mail_checkin_reminders",
            "mail_payment_reminders",
            "remind_incomplete_data",
            "remind_payment",
            "remind_checkin",
            "remind_invoice",
            "remind_confirmation",
        ],
        _yes_no,
    ),
    "status": _status,
    "kind": _kind,
}
"""How values are written; all others are plain text."""

SILENT = frozenset(
    [
        "id",
        "only_row",
        "version",
        "search",
        "sort_key",
        "active",
        "occupies",
        "booking_id",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
        "position",
        "service_template_id",
        "discount_template_id",
        "companion_id",
        # The line of the history has both.
        "completed_at",
        "completed_by",
        # How a password is checked, and when it was.
        "salt",
        "memory_kib",
        "iterations",
        "parallelism",
        "last_login",
    ]
)
"""Columns whose change tells staff nothing, unless ``FIELDS`` names them for their table."""

OPERATIONS = {
    "INSERT": "angelegt",
    "DELETE": "gelöscht",
    "EXPORT": "Daten exportiert",
    "ANONYMISE": "anonymisiert",
}
"""What was done to a whole record."""

_OWN = frozenset(["bookings", "occupancies", "rooms", "guests"])
"""Tables whose fields need no word before them to be understood."""

_ONE_ROW = frozenset(["house_settings", "company_settings", "email_settings"])


def room_label(room_id: int | None, rooms: Mapping[int, Room]) -> str:
    """Name of a room, also of one that this desk does not know (any more)."""
    if room_id is None:
        return WITHOUT_ROOM
    room = rooms.get(room_id)
    return room.name if room else f"Zimmer Nr. {room_id}"


def stay_text(room_id: int | None, arrival: date, departure: date, rooms: Mapping[int, Room]) -> str:
    """A stay in one line: room, dates and nights."""
    return (
        f"{room_label(room_id, rooms)}, {german.format_date_range(arrival, departure)}, "
        f"{german.format_nights((departure - arrival).days)}"
    )


def _as_date(value: object) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def field_text(
    name: str, value: object, rooms: Mapping[int, Room], guests: Mapping[int, str] | None = None
) -> str:
    """The value of a field in words, typed or as it stands in the audit log."""
    if isinstance(value, Mapping) and {"room_id", "arrival", "departure"} <= value.keys():
        room_id = value["room_id"]
        return stay_text(
            None if room_id is None else int(room_id),
            _as_date(value["arrival"]),
            _as_date(value["departure"]),
            rooms,
        )
    if name == "guest_id" and isinstance(value, int):
        return (guests or {}).get(value, f"Gast Nr. {value}")
    if name == "room_id":
        return room_label(None if value is None else int(str(value)), rooms)
    if value is None or value == "":
        return EMPTY
    try:
        return _WRITERS.get(name, _text)(value)
    except (ValueError, ArithmeticError):
        # The audit log also keeps values of older versions of the program.
        return _text(value)


LINES_EACH = 100
"""More than an entry has fields: a line's id is that of its entry times this, plus its place."""


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One changed field in the history of a record."""

    id: int
    """The same whenever the history is read again."""
    when: str
    who: str
    desk: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One changed field of an entry, in words."""

    name: str
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One changed field of an entry of the audit log, in words."""

    when: str
    who: str
    desk: str
    kind: str
    record: str
    what: str
    before: str
    after: str


def guests_in(entries: Iterable[HistoryEntry]) -> set[int]:
    """The guests that a history names by id."""
    named = {
        values.get("guest_id") for entry in entries for values in (entry.old_data or {}, entry.new_data or {})
    }
    return {guest_id for guest_id in named if isinstance(guest_id, int)}


def desk_name(client_id: str | None) -> str:
    """``Empfang`` for ``1f3a#Empfang``; work at the server has no desk."""
    return "Server" if client_id is None else client_id.partition("#")[2] or client_id


def who(entry: HistoryEntry) -> str:
    """Who did it."""
    return german.clean_line(entry.username or "System")


def kind_of(entry: HistoryEntry) -> str:
    """What kind of record it is: an occupancy without a booking is a block."""
    values = {**(entry.old_data or {}), **(entry.new_data or {})}
    block = entry.table_name == "occupancies" and (
        values.get("kind") in (Kind.OUT_OF_ORDER, Kind.HOUSE_USE)
        or (isinstance(entry, AuditEntry) and entry.booking_id is None)
    )
    return "Sperre" if block else TABLES.get(entry.table_name, entry.table_name)


def record_name(entry: AuditEntry) -> str:
    """``2026-118`` or ``Huber, Anton``; of a record that is gone its last known name, else its number."""
    if entry.label:
        return german.clean_line(entry.label)
    values = {**(entry.new_data or {}), **(entry.old_data or {})}
    for names in (("number",), ("last_name", "first_name"), ("title",), ("username",), ("name",)):
        if values.get(names[0]):
            return german.clean_line(", ".join(str(values[name]) for name in names if values.get(name)))
    return "" if entry.table_name in _ONE_ROW else f"Nr. {entry.record_id}"


def record_words(entry: AuditEntry) -> str:
    """``Gast Huber, Anton``; what there is only one of needs no name."""
    return f"{kind_of(entry)} {record_name(entry)}".rstrip()


def field_changes(
    entry: HistoryEntry, rooms: Mapping[int, Room], guests: Mapping[int, str] | None = None
) -> Iterator[FieldChange]:
    """What an entry changed, a field each."""
    old, new = entry.old_data or {}, entry.new_data or {}
    telling = FIELDS.get(entry.table_name, ())
    # The database keeps keys by their length: the order of the forms is easier to read.
    for name in sorted({*old, *new}, key=lambda name: (telling.index(name) if name in telling else 99, name)):
        before, after = old.get(name), new.get(name)
        if name in SILENT and name not in telling:
            continue
        # Of a change both may be masked, and so alike.
        if entry.operation != "UPDATE" and not (before or after):
            continue
        if name == "kind" and Kind.STAY in (before, after):
            continue
        words = [
            field_text(name, values[name], rooms, guests) if name in values else "" for values in (old, new)
        ]
        yield FieldChange(name, field_label(name, entry.table_name), *words)


def history_lines(
    entries: Iterable[HistoryEntry],
    rooms: Mapping[int, Room],
    guests: Mapping[int, str] | None = None,
    own: str = "",
) -> Iterator[HistoryLine]:
    """The history of a record in words: a line per changed field, in the order of the entries.

    ``own``: a further table whose fields need not say to what they belong.
    """
    for entry in entries:
        kind = kind_of(entry)
        about = german.format_datetime(entry.timestamp), who(entry), desk_name(entry.client_id)
        prefix = "" if entry.table_name in (*_OWN, own) else f"{kind}: "
        first = entry.id * LINES_EACH
        if entry.operation in OPERATIONS:
            yield HistoryLine(first, *about, f"{kind} {OPERATIONS[entry.operation]}", "", "")
        for line, change in enumerate(field_changes(entry, rooms, guests), first + 1):
            yield HistoryLine(line, *about, prefix + change.label, change.before, change.after)


def audit_lines(
    entries: Iterable[AuditEntry], rooms: Mapping[int, Room], field: str | None = None
) -> Iterator[AuditLine]:
    """The audit log in words: a line for what was done to a whole record, and one per changed field.

    ``field``: no other field is wanted.
    """
    for entry in entries:
        about = (
            german.format_datetime(entry.timestamp),
            who(entry),
            desk_name(entry.client_id),
            kind_of(entry),
            record_name(entry),
        )
        if entry.operation in OPERATIONS:
            yield AuditLine(*about, OPERATIONS[entry.operation], "", "")
        for change in field_changes(entry, rooms):
            if field in (None, change.name):
                yield AuditLine(*about, change.label, change.before, change.after)
