"""A guest of whom every text is marked, wherever it can stand."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg

from tests.sql.stage import Stage

OTHER_WORDS = {
    "guests": {"search", "sort_key"},
    "bookings": {"number", "status"},
    "occupancies": {"kind"},
    "price_lines": {"kind", "applies_to", "vat_kind"},
    # Who of the staff did it.
    "credit_transactions": {"kind", "actor"},
    "reminders": {"kind", "priority", "completed_by"},
    "email_log": {"status"},
}
"""Text columns that hold no words about a guest: derived, chosen from a list, given by the house."""

STAYS = {("guests", "country"), ("payments", "method")}
"""What the statistics and the books need, and what tells nobody who it was."""

TABLES = (
    "guests", "companions", "payers", "bookings", "occupancies", "price_lines", "payments",
    "booking_companions", "credit_transactions", "reminders", "email_log",
)  # fmt: skip


@dataclass
class Marked:
    """A guest with a word of its own in every text column of everything about him."""

    stage: Stage
    words: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Word → table and column, or "legacy" and where."""
    ids: dict[str, int] = field(default_factory=dict)

    def word(self, table: str, column: str) -> str:
        made = f"qx{len(self.words):03}zq"
        self.words[made] = (table, column)
        return made

    async def _columns(self, table: str) -> list[str]:
        rows = await self.stage.superuser.fetch(
            "SELECT column_name FROM information_schema.columns"
            " WHERE table_schema = 'app' AND table_name = $1 AND data_type = 'text'",
            table,
        )
        return [row[0] for row in rows if row[0] not in OTHER_WORDS.get(table, ())]

    async def add(self, table: str, **given: Any) -> int:
        """A row with a word in each text column; then every word is changed for another."""
        superuser, columns = self.stage.superuser, await self._columns(table)
        values = {**{name: self.word(table, name) for name in columns}, **given}
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        record: int = await superuser.fetchval(
            f"INSERT INTO app.{table} ({', '.join(values)}) VALUES ({places}) RETURNING id", *values.values()
        )
        setters = ", ".join(f"{name} = ${number}" for number, name in enumerate(columns, start=2))
        await superuser.execute(
            f"UPDATE app.{table} SET {setters} WHERE id = $1", record, *(self.word(table, c) for c in columns)
        )
        self.ids.setdefault(table, record)
        return record


async def make(stage: Stage) -> Marked:
    """A guest, a booking of long ago and a cancelled one, all that is around them, and his old rows."""
    made = Marked(stage)
    superuser = stage.superuser
    guest = await made.add("guests", is_member=True)
    companion = await made.add("companions", guest_id=guest)
    gone = await made.add("companions", guest_id=guest)
    await superuser.execute("DELETE FROM app.companions WHERE id = $1", gone)
    payer = await made.add("payers")
    booking = await made.add(
        "bookings",
        number="2019-1",
        guest_id=guest,
        status="ausgecheckt",
        guest_is_member=True,
        payer_id=payer,
    )
    cancelled = await made.add("bookings", number="2019-2", guest_id=guest, status="storniert")
    dropped = await made.add("bookings", number="2019-3", guest_id=guest)
    await superuser.execute("DELETE FROM app.bookings WHERE id = $1", dropped)
    for record, active in ((booking, True), (cancelled, False)):
        await made.add(
            "occupancies",
            booking_id=record,
            active=active,
            room_id=stage.rooms[1],
            **days("2019-05-01", "2019-05-04"),
        )
    for position, kind in enumerate(("nights", "service", "discount", "member_discount"), start=1):
        await made.add(
            "price_lines", booking_id=booking, position=position, kind=kind, unit_price=10, amount=10
        )
    await made.add("payments", booking_id=booking, amount=90, **days(paid_on="2019-05-01"))
    await made.add("booking_companions", booking_id=booking, companion_id=companion)
    await made.add("credit_transactions", guest_id=guest, booking_id=booking, amount=5, kind="added")
    await made.add("reminders", booking_id=booking, **days(due_date="2019-05-01"))
    moment = await superuser.fetchval("SELECT now()")
    await made.add("email_log", booking_id=booking, guest_id=guest, status="sent", sent_at=moment)
    # The predecessor lost the guest of a mail; the address tells whose it was.
    email = await superuser.fetchval("SELECT email FROM app.guests WHERE id = $1", guest)
    await superuser.execute(
        "INSERT INTO app.email_log (recipient, subject, status, sent_at) VALUES ($1, $2, 'failed', now())",
        email.upper(),
        made.word("email_log", "subject"),
    )
    await _stored_answers(made)
    await _old_rows(made)
    return made


def days(arrival: str | None = None, departure: str | None = None, **more: str) -> dict[str, Any]:
    given = {"arrival": arrival, "departure": departure, **more}
    return {name: date.fromisoformat(text) for name, text in given.items() if text}


async def _stored_answers(made: Marked) -> None:
    for table in ("guests", "bookings"):
        answer = {
            "outcome": "done",
            "id": made.ids[table],
            "state": {"notes": made.word("requests", "answer")},
        }
        await made.stage.superuser.execute(
            "INSERT INTO app.requests (id, user_id, function, arguments_hash, answer)"
            " SELECT $1, u.id, $2, 'x', $3 FROM auth.users u WHERE u.username = 'anna'",
            uuid4(),
            f"save {table}",
            answer,
        )


async def _old_rows(made: Marked) -> None:
    """Old ids are 7000 more; booking 7900 was deleted, booking 7901 never taken over."""
    superuser, guest = made.stage.superuser, made.ids["guests"]
    run = await superuser.fetchval(
        "INSERT INTO legacy.runs (source_sha256, program_version) VALUES ($1, 'test') RETURNING id", "a" * 64
    )
    for source, target in (
        ("guests", "guests"),
        ("bookings", "bookings"),
        ("guest_companions", "companions"),
        ("reminders", "reminders"),
    ):
        await superuser.execute(
            "INSERT INTO legacy.source_fingerprints VALUES ($1, $2, sha256('x'), $3, $4, $5)",
            source,
            made.ids[target] + 7000,
            run,
            target,
            made.ids[target],
        )
    old_guest, old_booking = guest + 7000, made.ids["bookings"] + 7000

    def cells(where: str, **ids: object) -> dict[str, list[str]]:
        return {name: ["integer", str(value)] for name, value in ids.items()} | {
            "notizen": ["text", made.word("legacy", where)]
        }

    def logged(table: str, record: int, **ids: object) -> dict[str, list[str]]:
        inner = json.dumps({**ids, "nachname": made.word("legacy", "transaction_log")})
        return {
            "table_name": ["text", table],
            "record_id": ["integer", str(record)],
            "operation_type": ["text", "UPDATE"],
            "old_data": ["text", inner],
            "new_data": ["text", inner],
            "user_action": ["text", f"Gast {made.word('legacy', 'transaction_log')} geändert"],
        }

    kept = [
        ("guests", old_guest, cells("guests")),
        ("bookings", old_booking, cells("bookings")),
        ("guest_companions", made.ids["companions"] + 7000, cells("guest_companions")),
        ("reminders", made.ids["reminders"] + 7000, cells("reminders")),
        ("unknown_table", 1, cells("unknown_table", guest_id=old_guest)),
        ("unknown_table", 2, cells("unknown_table", booking_id=old_booking)),
        ("transaction_log", 1, logged("guests", old_guest)),
        ("transaction_log", 2, logged("bookings", 7900, id=7900, guest_id=old_guest)),
        ("transaction_log", 3, logged("accompanying_guests", 5, booking_id=7900)),
        ("transaction_log", 4, logged("bookings", old_booking)),
    ]
    for table, row, data in kept:
        await superuser.execute("INSERT INTO legacy.kept_rows VALUES ($1, $2, $3, $4)", run, table, row, data)
    email = await superuser.fetchval("SELECT email FROM app.guests WHERE id = $1", guest)
    sentence = f"Die Abreise „{made.word('legacy', 'sentence')}“ liegt nicht nach der Anreise."
    for table, row, data in (
        ("bookings", 7901, cells("quarantine", guest_id=old_guest)),
        ("reminders", 80, cells("quarantine", booking_id=7901)),
        ("email_logs", 81, {**cells("quarantine"), "recipient_email": ["text", email]}),
    ):
        await superuser.execute(
            "INSERT INTO legacy.quarantine (run_id, source_table, source_id, data, reason_code, sentence)"
            " VALUES ($1, $2, $3, $4, 'x', $5)",
            run,
            table,
            row,
            data,
            sentence,
        )
    await superuser.execute(
        "INSERT INTO legacy.source_rows VALUES ($1, 'guests', $2, $3)", run, old_guest, cells("source_rows")
    )
    report = {
        "quarantine": [{"table": "bookings", "id": 7901, "sentence": sentence}],
        "quarantine_reasons": [{"table": "bookings", "code": "x", "rows": 1, "example": sentence}],
        "rows": 3,
    }
    await superuser.execute("UPDATE legacy.runs SET report = $1", report)


async def dump(superuser: asyncpg.Connection) -> dict[str, str]:
    """Every table of the database as text."""
    tables = await superuser.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND c.relkind IN ('r', 'm')"
    )
    return {
        name: await superuser.fetchval(
            f"SELECT coalesce(string_agg(t::text, E'\\n' ORDER BY t::text), '') FROM {name} t"
        )
        for (name,) in tables
    }
