"""The audit log as a whole: who reads it, that nobody rewrites it, and what goes after its term."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui import cli
from tests.databases import TestDatabase, run
from tests.sql.stage import Desk, Stage, change, connect, connected, new, stay

_NOTHING: dict[str, Any] = {
    "person": None, "tables": None, "record": None, "first": None, "last": None, "field": None,
    "before": None, "most": 1000,
}  # fmt: skip


async def audit(desk: Desk, **wanted: Any) -> list[dict[str, Any]]:
    return await desk.rows("audit", *{**_NOTHING, **wanted}.values())


@pytest.mark.both_versions
async def test_filters_and_pages(stage: Stage, admin: Desk, anna: Desk, ben: Desk) -> None:
    guest = stage.guests[0]
    booked = await anna.book(guest, stay(stage.rooms[1], 0, 2))
    await anna.save("booking", booked["id"], {"notes": change(None, "spät")})
    await ben.save("guest", guest, {"city": change("München", "Ulm"), "is_member": change(False, True)})
    await admin.save("room", stage.rooms[0], {"key_code": change(None, "neu")})
    everything = await audit(admin)
    ids = [row["id"] for row in everything]
    assert ids == sorted(ids, reverse=True)
    pages: list[int] = []
    while page := await audit(admin, before=pages[-1] if pages else None, most=3):
        pages += [row["id"] for row in page]
    assert pages == ids

    of_ben = await audit(admin, person=await _id(stage, "ben"))
    assert [(row["username"], row["table_name"], row["label"]) for row in of_ben] == [
        ("Ben Beispiel", "guests", "Müller, Erika")
    ]
    assert of_ben[0]["client_id"].endswith("#ben")
    assert of_ben[0]["new_data"] == {"city": "Ulm", "is_member": True}
    whole = await audit(admin, tables=["bookings"], record=booked["id"])
    assert [row["table_name"] for row in whole] == ["bookings", "occupancies", "bookings"]
    assert {row["label"] for row in whole} == {booked["state"]["number"]}
    assert await audit(admin, tables=["guests"], record=booked["id"] + 100_000) == []
    assert {row["table_name"] for row in await audit(admin, tables=["rooms", "guests"])} == {
        "rooms",
        "guests",
    }
    (told,) = await audit(admin, tables=["guests"], field="city", person=await _id(stage, "ben"))
    assert told["id"] == of_ben[0]["id"]
    assert [row["table_name"] for row in await audit(admin, field="notes")] == ["bookings"]
    now = datetime.now(UTC)
    assert await audit(admin, first=now + timedelta(hours=1)) == []
    assert await audit(admin, last=now - timedelta(hours=1)) == []
    assert len(await audit(admin, first=now - timedelta(hours=1), last=now + timedelta(hours=1))) == len(ids)
    (key,) = await audit(admin, field="key_code", person=await _id(stage, "admin"))
    assert key["new_data"]["key_code"].startswith("***")


async def _id(stage: Stage, username: str) -> int:
    found: int = await stage.superuser.fetchval("SELECT id FROM auth.users WHERE username = $1", username)
    return found


async def test_only_admins_see_all_of_it(stage: Stage, admin: Desk, anna: Desk) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await audit(anna)
    guest = (await anna.save("guest", None, new(last_name="Neu", is_member=True, member_number="4711")))["id"]
    await anna.save("guest", guest, {"member_number": change("4711", "4712")})
    await anna.save("guest", guest, {"member_number": change("4712", None), "city": change(None, "Ulm")})
    booked = await anna.book(guest, stay(stage.rooms[1], 0, 2), guest_is_member=True)
    for kind, record, entries in (("guests", guest, 2), ("bookings", booked["id"], 2)):
        told = await anna.rows("history", kind, record, 100)
        assert len(told) == entries, "what changed only the membership is no entry for users"
        assert not {"is_member", "member_number", "guest_is_member"} & {
            name for row in told for name in (*(row["old_data"] or {}), *(row["new_data"] or {}))
        }
        assert told[0]["client_id"].endswith("#anna")
    told = await admin.rows("history", "guests", guest, 100)
    assert told[1]["new_data"] == {"member_number": "4712"}
    assert "guest_is_member" in (await admin.rows("history", "bookings", booked["id"], 100))[-1]["new_data"]


_REWRITING = (
    "UPDATE app.audit_log SET username = 'x'",
    "UPDATE app.audit_log SET new_data = '{}'",
    "UPDATE app.audit_log SET new_data = app.without_person(table_name, new_data)",
    "DELETE FROM app.audit_log",
    "DELETE FROM app.audit_log WHERE timestamp < now() - interval '20 years'",
    "TRUNCATE app.audit_log",
)


@pytest.mark.both_versions
async def test_nobody_rewrites_it(stage: Stage, admin: Desk, anna: Desk) -> None:
    """Neither its owner, nor an admin by a function that runs as the owner, whatever settings he makes."""
    await anna.save("guest", None, new(last_name="Neu"))
    await stage.superuser.execute(
        "INSERT INTO app.audit_log (timestamp, table_name, record_id, operation)"
        " VALUES (now() - interval '30 years', 'guests', 1, 'DELETE')"
    )
    before = await stage.superuser.fetchval(
        "SELECT string_agg(a::text, ' ' ORDER BY id) FROM app.audit_log a"
    )
    for number, statement in enumerate(_REWRITING):
        await stage.superuser.execute(
            f"CREATE FUNCTION app.mistake_{number}() RETURNS void LANGUAGE plpgsql SECURITY DEFINER"
            " SET search_path = pg_catalog, pg_temp"
            f" AS $$ BEGIN PERFORM app.require_admin(); {statement}; END $$;"
            f"ALTER FUNCTION app.mistake_{number}() OWNER TO dpolg_owner;"
            f"GRANT EXECUTE ON FUNCTION app.mistake_{number}() TO booking_user"
        )
        await admin.connection.execute("SET app.bulk = 'on'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await admin.call(f"mistake_{number}")
    async with connected(stage.database.owner_dsn) as owner:
        for statement in (*_REWRITING[:4], _REWRITING[5]):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await owner.execute(statement)
    after = await stage.superuser.fetchval("SELECT string_agg(a::text, ' ' ORDER BY id) FROM app.audit_log a")
    assert after == before


async def test_pruning_keeps_the_months_that_are_not_over(stage: Stage, admin: Desk) -> None:
    """Twelve months are kept, and of the thirteenth what began within the month."""
    await stage.superuser.execute("UPDATE app.house_settings SET audit_retention_months = 12")
    await stage.superuser.execute(
        """
        INSERT INTO app.audit_log (timestamp, table_name, record_id, operation)
        SELECT date_trunc('month', now() AT TIME ZONE 'Europe/Berlin' - interval '12 months')
               AT TIME ZONE 'Europe/Berlin' + x.shift, 'guests', x.number, 'DELETE'
          FROM (VALUES (1, interval '-1 second'), (2, interval '0'), (3, interval '20 days'),
                       (4, interval '-3 years')) x (number, shift)
        """
    )
    async with connected(stage.database.owner_dsn) as owner:
        assert await owner.fetchval("SELECT auth.prune_audit_log()") == 2
        assert await owner.fetchval("SELECT auth.prune_audit_log()") == 0
    left = await stage.superuser.fetch(
        "SELECT record_id FROM app.audit_log WHERE operation = 'DELETE' ORDER BY 1"
    )
    assert [row[0] for row in left] == [2, 3]
    for desk in (admin.connection, await stage.stranger()):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await desk.execute("SELECT auth.prune_audit_log()")


def test_the_verb(database: TestDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    async def make_old() -> None:
        superuser = await connect(database.superuser_dsn)
        await superuser.execute(
            "INSERT INTO app.audit_log (timestamp, table_name, record_id, operation)"
            " VALUES (now() - interval '30 years', 'guests', 1, 'DELETE');"
            "INSERT INTO auth.attempts (name_hash, address, token_hash, client_id, at)"
            " SELECT '\\x00', '127.0.0.1', '\\x00', 'old', now() - interval '91 days'"
            " FROM generate_series(1, 1500)"
        )
        await superuser.close()

    run(make_old)
    assert cli.main(["housekeeping", "--dsn", database.owner_dsn]) == 0
    assert "1 Protokolleinträge" in (out := capsys.readouterr().out)
    assert "1500 alte" in out
    assert cli.main(["housekeeping", "--dsn", database.dsn]) == 2
    assert "booking_user" in capsys.readouterr().err


async def test_an_export_is_no_history_of_a_change(stage: Stage, admin: Desk, anna: Desk) -> None:
    await admin.call("export_guest", uuid4(), stage.guests[0])
    (told, *_older) = await anna.rows("history", "guests", stage.guests[0], 10)
    assert (told["operation"], told["username"], told["new_data"]) == ("EXPORT", "Admin Beispiel", None)
