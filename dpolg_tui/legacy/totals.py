"""What the verification counts and adds up over all tables: accounts, records, money, the next numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from dpolg_tui.legacy import readings

_NAMED = 20

# Tables whose records come one from one old row: none may be missing, none too many.
_COUNTED = ("rooms", "guests", "bookings", "occupancies", "booking_companions", "companions", "payers",
            "credit_transactions", "reminders", "email_templates", "email_log", "service_templates",
            "discount_templates")  # fmt: skip


@dataclass(slots=True)
class Verification:
    """What was compared, and what differs."""

    rows: int = 0
    cells: int = 0
    read: dict[str, int] = field(default_factory=dict)
    money: dict[str, str] = field(default_factory=dict)
    differences: int = 0
    named: list[str] = field(default_factory=list)

    def differ(self, sentence: str) -> None:
        self.differences += 1
        if len(self.named) < _NAMED:
            self.named.append(sentence)

    def as_json(self) -> dict[str, Any]:
        return {"rows": self.rows, "cells": self.cells, "money": self.money}


class Money:
    """Sums of the old amounts, added up while reading."""

    def __init__(self) -> None:
        self.totals = Decimal(0)
        self.paid = Decimal(0)
        self.credit = Decimal(0)


async def remember(connection: Any) -> None:
    """Before the mapping: how many records there are, and which numbers rows have had."""
    counts = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM app.{name}" for name in _COUNTED)
    await connection.execute(
        "CREATE TEMP TABLE verification_before (name text, records bigint) ON COMMIT DROP;"
        f" INSERT INTO verification_before {counts};"
        " CREATE TEMP TABLE verification_rooms ON COMMIT DROP AS"
        " SELECT id, r::text AS record FROM app.rooms r"
    )


async def check_totals(connection: Any, result: Verification, money: Money) -> None:
    """Everything that is a sum over whole tables."""
    await _check_fates(connection, result)
    await _check_records(connection, result)
    await _check_money(connection, result, money)
    await _check_numbers(connection, result)


async def _check_fates(connection: Any, result: Verification) -> None:
    """Nothing is accounted for that the file does not have, and the sums agree."""
    booked = await connection.fetch(
        "SELECT source_table, sum(rows)::bigint AS rows FROM ("
        " SELECT source_table, count(*) AS rows FROM migration_account GROUP BY 1 UNION ALL"
        " SELECT source_table, count(*) FROM migration_settled GROUP BY 1) x GROUP BY 1"
    )
    accounted = {row["source_table"]: row["rows"] for row in booked}
    for name in sorted({*accounted, *result.read}):
        if accounted.get(name, 0) != result.read.get(name, 0):
            result.differ(f"{name}: {result.read.get(name, 0)} gelesen, {accounted.get(name, 0)} verbucht")


async def _check_records(connection: Any, result: Verification) -> None:
    """No record came into being without an old row."""
    migrated = {
        row["target_table"]: (row["all"], row["new"])
        for row in await connection.fetch(
            "SELECT f.target_table, count(*) AS all, count(*) - count(coalesce(e.row_id, r.id)) AS new"
            "  FROM migration_account f"
            "  LEFT JOIN (SELECT DISTINCT source_table, row_id FROM migration_earlier) e"
            "    ON e.source_table = f.source_table AND e.row_id = f.row_id"
            "  LEFT JOIN verification_rooms r ON f.target_table = 'rooms' AND r.id = f.target_id"
            " WHERE f.fate = 'migrated' GROUP BY 1"
        )
    }
    for name in _COUNTED:
        row = await connection.fetchrow(
            f"SELECT (SELECT count(*) FROM app.{name}) AS now,"
            " (SELECT records FROM verification_before WHERE name = $1) AS before",
            name,
        )
        # A stay is made anew with its booking.
        added = (
            migrated.get("bookings", (0, 0))[0] if name == "occupancies" else migrated.get(name, (0, 0))[1]
        )
        expected = row["before"] + added
        if row["now"] != expected:
            result.differ(f"{name}: {expected} Einträge erwartet, {row['now']} gefunden")
    changed = await connection.fetchval(
        "SELECT count(*) FROM verification_rooms b LEFT JOIN app.rooms r ON r.id = b.id"
        " WHERE b.record IS DISTINCT FROM r::text AND b.id NOT IN"
        "  (SELECT target_id FROM migration_earlier WHERE target_table = 'rooms')"
    )
    if changed:
        result.differ(f"rooms: {changed} Zimmer, die schon da waren, sind nicht mehr, wie sie waren")


async def _check_money(connection: Any, result: Verification, money: Money) -> None:
    """Sums of the old file against sums of the target, to the cent."""
    sums = (
        ("price_lines", "booking_id", "bookings", money.totals),
        ("payments", "booking_id", "bookings", money.paid),
        ("credit_transactions", "id", "guest_credit_transactions", money.credit),
    )
    for name, column, source, expected in sums:
        stored = await connection.fetchval(
            f"SELECT coalesce(sum(x.amount), 0) FROM app.{name} x"
            f" JOIN migration_account f ON f.target_id = x.{column}"
            " WHERE f.source_table = $1 AND f.fate = 'migrated'",
            source,
        )
        result.money[name] = readings.cents(stored)
        if stored != expected:
            result.differ(
                f"Summe {name}: {readings.cents(expected)} in der Datei, {readings.cents(stored)} im Ziel"
            )
    unequal = await connection.fetchval(
        "SELECT count(*) FROM (SELECT target_id FROM migration_account WHERE source_table = 'bookings'"
        " AND fate = 'migrated') f WHERE (SELECT sum(p.amount) FROM app.payments p WHERE "
        "p.booking_id = f.target_id)"
        " <> (SELECT sum(l.amount) FROM app.price_lines l WHERE l.booking_id = f.target_id)"
    )
    if unequal:
        result.differ(f"bei {unequal} bezahlten Buchungen ist die Zahlung nicht der Gesamtpreis")


async def _check_numbers(connection: Any, result: Verification) -> None:
    """The next record gets a number that nobody has; the next booking too."""
    for name in (*_COUNTED, "price_lines", "payments"):
        taken = await connection.fetchval(
            f"SELECT coalesce(max(id), 0) >= (SELECT last_value + is_called::int FROM app.{name}_id_seq)"
            f" FROM app.{name}"
        )
        if taken:
            result.differ(f"{name}: der Zähler der Nummern liegt nicht hinter der größten")
    behind = await connection.fetch(
        "SELECT n.year FROM (SELECT split_part(number, '-', 1)::int AS year,"
        "  max(split_part(number, '-', 2)::bigint) AS largest FROM app.bookings"
        "  WHERE number ~ '^(19|20|21)\\d\\d-\\d{1,15}$' GROUP BY 1) n"
        " LEFT JOIN app.number_counters c ON c.year = n.year WHERE coalesce(c.last, 0) < n.largest "
        "ORDER BY 1"
    )
    for row in behind:
        result.differ(f"Zähler der Reservierungsnummern {row['year']}: nicht hinter der größten")
