"""Everything about a guest is told by the export, and nothing of it is left after anonymising."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.domain.person_report import person_report
from tests.sql.stage import Desk, Stage, change, connected, new, stay

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

_TABLES = (
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


async def _make(stage: Stage) -> Marked:
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
            **_days("2019-05-01", "2019-05-04"),
        )
    for position, kind in enumerate(("nights", "service", "discount", "member_discount"), start=1):
        await made.add(
            "price_lines", booking_id=booking, position=position, kind=kind, unit_price=10, amount=10
        )
    await made.add("payments", booking_id=booking, amount=90, **_days(paid_on="2019-05-01"))
    await made.add("booking_companions", booking_id=booking, companion_id=companion)
    await made.add("credit_transactions", guest_id=guest, booking_id=booking, amount=5, kind="added")
    await made.add("reminders", booking_id=booking, **_days(due_date="2019-05-01"))
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


def _days(arrival: str | None = None, departure: str | None = None, **more: str) -> dict[str, Any]:
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


async def _dump(superuser: asyncpg.Connection) -> dict[str, str]:
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


_FIGURES = """
SELECT (SELECT jsonb_agg(x) FROM (
           SELECT g.country, b.guest_is_member, b.status, sum(o.departure - o.arrival), sum(b.persons)
             FROM app.occupancies o JOIN app.bookings b ON b.id = o.booking_id
             JOIN app.guests g ON g.id = b.guest_id
            GROUP BY 1, 2, 3 ORDER BY 1, 2, 3) x) AS stays,
       (SELECT jsonb_agg(x) FROM (SELECT l.booking_id, l.kind, sum(l.amount) FROM app.price_lines l
                                   GROUP BY 1, 2 ORDER BY 1, 2) x) AS lines,
       (SELECT jsonb_agg(x) FROM (SELECT p.booking_id, p.method, p.paid_on, p.amount FROM app.payments p
                                   ORDER BY p.id) x) AS payments,
       (SELECT jsonb_agg(x) FROM (SELECT t.guest_id, t.kind, sum(t.amount) FROM app.credit_transactions t
                                   GROUP BY 1, 2) x) AS credit,
       (SELECT count(*) FROM app.booking_companions) AS companions
"""


@pytest.mark.both_versions
async def test_a_guest_is_told_whole_and_goes_whole(stage: Stage, admin: Desk, anna: Desk) -> None:
    made = await _make(stage)
    guest = made.ids["guests"]
    others = await anna.book(stage.guests[0], stay(stage.rooms[2], 0, 2), notes="bleibt so")
    figures = dict(await stage.superuser.fetchrow(_FIGURES))

    told = await admin.call("export_guest", uuid4(), guest)
    for text in (json.dumps(told, ensure_ascii=False), person_report(told)):
        untold = {place for word, place in made.words.items() if word not in text}
        assert untold <= {("requests", "answer"), ("legacy", "sentence")}, "copies of what is told elsewhere"
    assert "search" not in told["guests"][0]
    log = await _last_of(stage, "EXPORT")
    assert (log["record_id"], log["username"], log["old_data"], log["new_data"]) == (
        guest,
        "admin",
        None,
        None,
    )
    assert "qx" not in await stage.superuser.fetchval(
        "SELECT coalesce(string_agg(r::text, ''), '') FROM app.requests r WHERE r.function = 'export guests'"
    )

    before = await stage.superuser.fetchval("SELECT version FROM app.guests WHERE id = $1", guest)
    answer = await admin.call("anonymise_guest", uuid4(), guest)
    assert (answer["outcome"], answer["state"]) == ("done", {"last_name": "anonymisiert", "first_name": ""})
    assert answer["version"] == before + 1

    left = {
        (table, made.words[word])
        for table, text in (await _dump(stage.superuser)).items()
        for word in re.findall(r"qx\d+zq", text)
    }
    assert left == {(f"app.{table}", (table, column)) for table, column in STAYS}
    assert dict(await stage.superuser.fetchrow(_FIGURES)) == figures
    log = await _last_of(stage, "ANONYMISE")
    assert (log["record_id"], log["username"], log["old_data"], log["new_data"]) == (
        guest,
        "admin",
        None,
        None,
    )
    state = await anna.booking(made.ids["bookings"])
    assert (state["guest_name"], state["notes"], state["guest_is_member"]) == ("anonymisiert", None, True)
    assert {line["label"] for line in state["price_lines"]} == {
        "Übernachtung", "Leistung", "Rabatt", "Mitgliedsrabatt",
    }  # fmt: skip
    assert (await anna.booking(others["id"]))["notes"] == "bleibt so"
    assert await anna.rows("search_guests", "qx00", 10) == []
    # What is masked still tells which fields were changed, when and by whom.
    assert {"last_name": "***"}.items() <= (await _log_of(stage, "guests", guest))[0]["new_data"].items()


async def _last_of(stage: Stage, operation: str) -> dict[str, Any]:
    row = await stage.superuser.fetchrow(
        "SELECT * FROM app.audit_log WHERE operation = $1 AND table_name = 'guests'", operation
    )
    return dict(row)


async def _log_of(stage: Stage, table: str, record: int) -> list[dict[str, Any]]:
    rows = await stage.superuser.fetch(
        "SELECT * FROM app.audit_log WHERE table_name = $1 AND record_id = $2 ORDER BY id", table, record
    )
    return [dict(row) for row in rows]


async def test_every_text_column_about_a_guest_is_on_the_list(stage: Stage) -> None:
    """A new column must be decided upon: personal, or no words about a guest."""
    listed = {
        (row["table_name"], row["field"])
        for row in await stage.superuser.fetch("SELECT * FROM app.personal_fields()")
    }
    rows = await stage.superuser.fetch(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'app'"
        " AND table_name = ANY ($1) AND data_type IN ('text', 'jsonb')",
        list(_TABLES),
    )
    found = {(row[0], row[1]) for row in rows}
    assert {place for place in found - listed if place[1] not in OTHER_WORDS.get(place[0], ())} == set()
    referring = await stage.superuser.fetch(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'app'"
        " AND column_name IN ('guest_id', 'booking_id', 'companion_id', 'payer_id')"
        " AND table_name <> 'audit_log'"
        " AND table_name NOT IN (SELECT viewname FROM pg_views)"
    )
    assert {row[0] for row in referring} <= set(_TABLES)


async def test_what_is_not_over_is_refused(stage: Stage, admin: Desk, anna: Desk) -> None:
    guest = stage.guests[0]
    booked = await anna.book(guest, stay(stage.rooms[1], 0, 2), notes="morgen")
    for status in ("bestaetigt", "reserviert"):
        if status != "bestaetigt":
            await anna.save("booking", booked["id"], {"status": change("bestaetigt", status)})
        request = uuid4()
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await admin.call("anonymise_guest", request, guest)
        assert refused.value.constraint_name == "anonymise_open_bookings"
    await anna.save(
        "booking",
        booked["id"],
        {"status": change("reserviert", "storniert"), "cancellation_reason": change(None, "krank")},
    )
    # The request that was refused may be tried again; done, it is answered the same way again.
    first = await admin.call("anonymise_guest", request, guest)
    assert first["outcome"] == "done"
    assert await admin.call("anonymise_guest", request, guest) == first
    assert (await anna.booking(booked["id"]))["cancellation_reason"] == "anonymisiert"
    told = await stage.superuser.fetch("SELECT table_name FROM app.audit_log WHERE operation = 'ANONYMISE'")
    assert [row[0] for row in told] == ["guests", "bookings"]
    assert (await admin.call("anonymise_guest", uuid4(), 999_999))["outcome"] == "missing"
    assert (await admin.call("export_guest", uuid4(), 999_999))["outcome"] == "missing"


async def test_a_shared_payer_and_a_booking_given_away_stay(stage: Stage, admin: Desk, anna: Desk) -> None:
    erika, weiss = stage.guests
    payer = await stage.superuser.fetchval("INSERT INTO app.payers (name) VALUES ('Amt') RETURNING id")
    given = await anna.book(erika, stay(stage.rooms[1], 0, 2), notes="von Erika")
    await anna.save(
        "booking", given["id"], {"guest_id": change(erika, weiss), "notes": change("von Erika", "neu")}
    )
    await stage.superuser.execute("UPDATE app.bookings SET payer_id = $1", payer)
    old = await stage.superuser.fetchval(
        "INSERT INTO app.bookings (number, guest_id, status, payer_id, guest_is_member)"
        " VALUES ('2019-9', $1, 'ausgecheckt', $2, false) RETURNING id",
        erika,
        payer,
    )
    await admin.call("anonymise_guest", uuid4(), erika)
    assert await stage.superuser.fetchval("SELECT name FROM app.payers") == "Amt"
    state = await anna.booking(given["id"])
    assert (state["guest_name"], state["notes"]) == ("Weiß, Jürgen", "neu")
    assert (await anna.booking(old))["guest_name"] == "anonymisiert"
    log = json.dumps([row["old_data"] for row in await _log_of(stage, "bookings", given["id"])])
    assert "von Erika" not in log


async def test_a_booking_made_at_the_same_moment_counts(stage: Stage, admin: Desk, anna: Desk) -> None:
    guest = stage.guests[0]
    async with anna.connection.transaction():
        await anna.book(guest, stay(stage.rooms[1], 0, 2))
        anonymising = asyncio.create_task(admin.call("anonymise_guest", uuid4(), guest))
        while not await stage.superuser.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not anonymising.done()
            await asyncio.sleep(0.01)
    with pytest.raises(asyncpg.CheckViolationError, match="not over"):
        await anonymising
    # The other way round: who books waits, and books for somebody without a name.
    other = stage.guests[1]
    async with admin.connection.transaction():
        await admin.call("anonymise_guest", uuid4(), other)
        booking = asyncio.create_task(anna.book(other, stay(stage.rooms[2], 0, 2), notes="neu"))
        while not await stage.superuser.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
            assert not booking.done()
            await asyncio.sleep(0.01)
    assert (await booking)["state"]["guest_name"] == "anonymisiert"


async def test_users_may_neither(stage: Stage, anna: Desk) -> None:
    for function in ("export_guest", "anonymise_guest"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await anna.call(function, uuid4(), stage.guests[0])
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.guests WHERE last_name = 'Müller'") == 1


async def test_colleagues_see_it(stage: Stage, admin: Desk, ben: Desk) -> None:
    snapshot = (await ben.heartbeat())["snapshot"]
    await admin.call("anonymise_guest", uuid4(), stage.guests[0])
    changes = (await ben.heartbeat(snapshot))["changes"]
    assert [(told["table"], told["id"]) for told in changes] == [("guests", stage.guests[0])]


async def test_the_owner_cannot_mask_by_himself(stage: Stage, anna: Desk) -> None:
    """Masking needs the line in the log that says so."""
    await anna.save("guest", None, new(last_name="Neu"))
    masking = "UPDATE app.audit_log SET new_data = app.without_person(table_name, new_data)"
    async with connected(stage.database.owner_dsn) as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await owner.execute(masking)
        for change_ in ("new_data = '{}'", "username = 'x'", 'new_data = new_data || \'{"last_name": "x"}\''):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(
                    "INSERT INTO app.audit_log (table_name, record_id, operation)"
                    " VALUES ('guests', 1, 'ANONYMISE');"
                    f"UPDATE app.audit_log SET {change_} WHERE operation = 'INSERT'"
                )
