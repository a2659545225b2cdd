"""What is held on a guest, as a text that he can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from dpolg_tui.domain import german
from dpolg_tui.domain.audited import FIELDS
from dpolg_tui.domain.labels import TABLES, field_label
from dpolg_tui.domain.models import HistoryEntry, Kind
from dpolg_tui.domain.words import EMPTY, OPERATIONS, SILENT, WITHOUT_ROOM, field_changes, field_text

Row = Mapping[str, Any]

_OF_A_BOOKING = ("occupancies", "price_lines", "payments", "booking_companions", "reminders")
_MOMENTS = {"completed_at": "Erledigt am", "created_at": "Angelegt am", "updated_at": "Geändert am"}
_OF_A_GUEST = ("companions", "credit_transactions", "email_log", "payers")


def person_report(export: Mapping[str, Any]) -> str:
    """The answer of the database's export in words: lists of rows per table, log, rows of the old system."""
    when = german.format_datetime(datetime.fromisoformat(export["exported_at"]))
    lines = [f"Gespeicherte Daten zum Gast Nr. {export['id']}, Stand {when}"]
    for guest in export["guests"]:
        lines += _block("guests", guest, export)
    for table in _OF_A_GUEST:
        for row in export[table]:
            lines += _block(table, row, export)
    for booking in export["bookings"]:
        lines += _block("bookings", booking, export)
        for table in _OF_A_BOOKING:
            for row in export[table]:
                if row["booking_id"] == booking["id"]:
                    lines += _block(table, row, export, "  ")
    lines += ["", "Änderungen"]
    for entry in export["audit_log"]:
        lines += _changed(entry, export["rooms"])
    if export["legacy"]:
        lines += ["", "Aus dem Altsystem aufbewahrt"]
        for row in export["legacy"]:
            lines += [f"  {row['table']} {row['id']}"]
            lines += [
                f"    {name}: {_one_line(value)}" for name, value in (row["data"] or {}).items() if value
            ]
    return "\n".join(lines) + "\n"


def _block(table: str, row: Row, export: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    if not indent:
        yield ""
    yield f"{indent}{TABLES.get(table, table)}"
    telling = FIELDS.get(table, ())
    for name in (*telling, *(name for name in row if name not in telling and name not in SILENT), *_MOMENTS):
        value = row.get(name)
        words = _words(name, value, export["rooms"])
        if words != EMPTY and value != Kind.STAY:
            yield f"{indent}  {_MOMENTS.get(name) or field_label(name, table)}: {words}"


def _words(name: str, value: Any, rooms: Mapping[str, str]) -> str:
    if value is None and name != "room_id":
        return EMPTY
    if name == "room_id":
        return WITHOUT_ROOM if value is None else rooms.get(str(value), f"Zimmer Nr. {value}")
    if name.endswith("_at") and isinstance(value, str):
        return german.format_datetime(datetime.fromisoformat(value))
    return _one_line(field_text(name, value, {}))


def _changed(entry: Row, rooms: Mapping[str, str]) -> Iterable[str]:
    when = german.format_datetime(datetime.fromisoformat(entry["timestamp"]))
    known = HistoryEntry(
        id=0,
        timestamp=datetime.fromisoformat(entry["timestamp"]),
        username=None,
        table_name=entry["table"],
        record_id=entry["id"],
        operation=entry["operation"],
        old_data=entry["before"],
        new_data=entry["after"],
    )
    done = OPERATIONS.get(entry["operation"], "geändert")
    yield f"  {when}  {TABLES.get(entry['table'], entry['table'])} {done}"
    old, new = entry["before"] or {}, entry["after"] or {}
    for change in field_changes(known, {}):
        before, after = change.before, change.after
        if change.name == "room_id":
            before, after = (
                _words("room_id", values["room_id"], rooms) if "room_id" in values else ""
                for values in (old, new)
            )
        yield f"    {change.label}: {before or EMPTY} → {after or EMPTY}"


def _one_line(value: object) -> str:
    return " ".join(str(value).split())
