"""Everything about a guest is told by the export, and nothing of it is left after anonymising."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.domain.person_report import person_report
from tests.sql.marked_guest import OTHER_WORDS, STAYS, TABLES, dump, make
from tests.sql.stage import Desk, Stage, change, connected, new, stay

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
    made = await make(stage)
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
        for table, text in (await dump(stage.superuser)).items()
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
        list(TABLES),
    )
    found = {(row[0], row[1]) for row in rows}
    assert {place for place in found - listed if place[1] not in OTHER_WORDS.get(place[0], ())} == set()
    referring = await stage.superuser.fetch(
        "SELECT DISTINCT table_name FROM information_schema.columns WHERE table_schema = 'app'"
        " AND column_name IN ('guest_id', 'booking_id', 'companion_id', 'payer_id')"
        " AND table_name <> 'audit_log'"
        " AND table_name NOT IN (SELECT viewname FROM pg_views)"
    )
    assert {row[0] for row in referring} <= set(TABLES)


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
