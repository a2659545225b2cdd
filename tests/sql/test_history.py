"""What every change leaves behind: audit log, stamps, history; guests and rooms, by whom they are written."""

from __future__ import annotations

import json
from typing import Any

import asyncpg
import pytest

from tests.sql.stage import Desk, Stage, change, connected, new, stay


async def _audit(stage: Stage, table: str, record: int) -> list[dict[str, Any]]:
    rows = await stage.superuser.fetch(
        "SELECT operation, username, client_id, old_data, new_data, booking_id FROM app.audit_log"
        " WHERE table_name = $1 AND record_id = $2 ORDER BY id",
        table,
        record,
    )
    return [dict(row) for row in rows]


async def test_insert_and_delete_keep_the_row_update_what_changed(
    stage: Stage, anna: Desk, admin: Desk
) -> None:
    answer = await anna.save("guest", None, new(last_name="Neu", city="Fall", notes="lang"))
    guest = answer["id"]
    await anna.save("guest", guest, {"city": change("Fall", "Lenggries"), "notes": change("lang", "lang")})
    await anna.save("guest", guest, {"notes": change("lang", None)})
    await admin.delete("guest", guest)
    created, moved, emptied, deleted = await _audit(stage, "guests", guest)
    assert (created["operation"], created["old_data"]) == ("INSERT", None)
    assert created["new_data"].items() >= {"last_name": "Neu", "city": "Fall", "is_member": False}.items()
    assert (moved["old_data"], moved["new_data"]) == ({"city": "Fall"}, {"city": "Lenggries"})
    assert (emptied["old_data"], emptied["new_data"]) == ({"notes": "lang"}, {"notes": None})
    assert (deleted["operation"], deleted["new_data"], deleted["username"]) == ("DELETE", None, "admin")
    assert deleted["old_data"]["city"] == "Lenggries"
    assert created["client_id"].endswith("#anna")
    assert not {"search", "sort_key", "version", "updated_at"} & created["new_data"].keys()


async def test_a_change_that_changes_nothing_leaves_no_line(stage: Stage, anna: Desk) -> None:
    guest = stage.guests[0]
    before = len(await _audit(stage, "guests", guest))
    answer = await anna.save("guest", guest, {"city": change("München", "München")})
    assert answer["outcome"] == "done"
    assert len(await _audit(stage, "guests", guest)) == before
    assert (await anna.save("guest", guest, {}))["outcome"] == "done"


async def test_the_history_of_a_booking_has_its_stays_in_it(stage: Stage, anna: Desk, ben: Desk) -> None:
    answer = await anna.book(stage.guests[0], stay(stage.rooms[1], 0, 3))
    key = f"stay/{answer['state']['stays'][0]['id']}"
    await ben.save("booking", answer["id"], {"notes": change(None, "x")})
    await anna.save(
        "booking", answer["id"], {key: change(stay(stage.rooms[1], 0, 3), stay(stage.rooms[2], 0, 3))}
    )
    await anna.save(
        "booking",
        answer["id"],
        {"status": change("bestaetigt", "storniert"), "cancellation_reason": change(None, "krank")},
    )
    history = await anna.rows("history", "bookings", answer["id"], 100)
    assert [row["id"] for row in history] == sorted((row["id"] for row in history), reverse=True)
    told = [(row["table_name"], row["operation"], row["username"]) for row in reversed(history)]
    assert told == [
        ("bookings", "INSERT", "Anna Beispiel"),
        ("occupancies", "INSERT", "Anna Beispiel"),
        ("bookings", "UPDATE", "Ben Beispiel"),
        ("occupancies", "UPDATE", "Anna Beispiel"),
        ("bookings", "UPDATE", "Anna Beispiel"),
        ("occupancies", "UPDATE", "Anna Beispiel"),
    ]
    moves = [(row["old_data"], row["new_data"]) for row in history if "room_id" in (row["old_data"] or {})]
    assert moves == [({"room_id": stage.rooms[1]}, {"room_id": stage.rooms[2]})]
    assert len(await anna.rows("history", "bookings", answer["id"], 2)) == 2


async def test_history_of_other_kinds(stage: Stage, anna: Desk, admin: Desk) -> None:
    await admin.save("room", stage.rooms[0], {"key_code": change(None, "anders"), "notes": change(None, "x")})
    (latest, *_rest) = await anna.rows("history", "rooms", stage.rooms[0], 10)
    assert latest["new_data"]["notes"] == "x"
    assert latest["new_data"]["key_code"].startswith("***")
    assert latest["new_data"]["key_code"] != latest["old_data"]["key_code"]
    assert "anders" not in json.dumps(latest["new_data"])
    block = await anna.save(
        "block", None, new(kind="house_use") | {"stay": change(None, stay(stage.rooms[1], 0, 1))}
    )
    (row,) = await anna.rows("history", "occupancies", block["id"], 10)
    assert row["operation"] == "INSERT"
    for kind in ("users", "sessions", "audit_log", "", None):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await anna.rows("history", kind, 1, 10)


async def test_stamps(stage: Stage, anna: Desk, ben: Desk) -> None:
    answer = await anna.save("guest", None, new(last_name="Stempel"))

    async def stamps() -> tuple[Any, ...]:
        row = await stage.superuser.fetchrow(
            "SELECT g.version, c.username, u.username, g.updated_at >= g.created_at FROM app.guests g"
            " LEFT JOIN auth.users c ON c.id = g.created_by LEFT JOIN auth.users u ON u.id = g.updated_by"
            " WHERE g.id = $1",
            answer["id"],
        )
        return tuple(row)

    assert await stamps() == (1, "anna", None, None)
    await ben.save("guest", answer["id"], {"city": change(None, "Fall")})
    assert await stamps() == (2, "anna", "ben", True)
    conflict = await anna.save("guest", answer["id"], {"city": change(None, "Bonn")})
    assert (conflict["outcome"], conflict["changed_by"]) == ("conflict", "Ben Beispiel")


async def test_the_owners_own_work(stage: Stage) -> None:
    """Without a session: no user but an actor, and given time stamps are kept."""
    async with connected(stage.database.owner_dsn) as owner:
        await owner.execute("SET app.actor = 'migrate-data'")
        guest = await owner.fetchval(
            "INSERT INTO app.guests (last_name, created_at) VALUES ('Alt', '2015-05-05') RETURNING id"
        )
        await owner.execute("SET app.bulk = 'on'")
        silent = await owner.fetchval("INSERT INTO app.guests (last_name) VALUES ('Masse') RETURNING id")
        await owner.execute("SELECT app.announce_reload()")
    created = await stage.superuser.fetchval(
        "SELECT created_at::date::text FROM app.guests WHERE id = $1", guest
    )
    assert created == "2015-05-05"
    (line,) = await _audit(stage, "guests", guest)
    assert (line["username"], line["client_id"]) == ("migrate-data", None)
    assert await _audit(stage, "guests", silent) == []
    assert await stage.superuser.fetchval("SELECT search FROM app.guests WHERE id = $1", silent) == "masse"


async def test_guest_rules(anna: Desk) -> None:
    for changes, rule in (
        (new(last_name=""), "guests_last_name_length"),
        (new(last_name="   "), "guests_last_name_length"),
        (new(last_name="x" * 101), "guests_last_name_length"),
        (new(last_name="X", notes="x" * 10001), "guests_notes_length"),
        (new(last_name="X", date_of_birth="1700-01-01"), "guests_date_of_birth_range"),
        (new(last_name="X", email=""), "guests_email_length"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as refused:
            await anna.save("guest", None, changes)
        assert refused.value.constraint_name == rule
    with pytest.raises(asyncpg.NotNullViolationError) as missing:
        await anna.save("guest", None, new(city="Fall"))
    assert missing.value.column_name == "last_name"
    odd = "[b]Müller[/b]\n😀" + "é" * 60
    answer = await anna.save("guest", None, new(last_name=odd, marketing_consent=None))
    assert answer["state"]["last_name"] == odd


async def test_room_rules(admin: Desk) -> None:
    base = {"category": "DZ", "place": "Fall", "building": "Haus A", "capacity": 2}
    answer = await admin.save("room", None, new(name="77", price_low="12.345", **base))
    assert (answer["outcome"], answer["state"]["price_low"]) == ("done", 12.35)
    for name in ("77", "77".upper()):
        with pytest.raises(asyncpg.UniqueViolationError) as refused:
            await admin.save("room", None, new(name=name, **{**base, "place": "FALL"}))
        assert refused.value.constraint_name == "rooms_name_key"
    assert (await admin.save("room", None, new(name="77", **{**base, "building": "Haus B"})))[
        "outcome"
    ] == "done"
    for changes, rule in (
        (new(name="78", **{**base, "capacity": 0}), "rooms_capacity_range"),
        (new(name="78", price_low=-1, **base), "rooms_price_low_positive"),
        (new(name=" ", **base), "rooms_name_length"),
    ):
        with pytest.raises(asyncpg.CheckViolationError) as wrong:
            await admin.save("room", None, changes)
        assert wrong.value.constraint_name == rule
    conflict = await admin.save("room", answer["id"], {"price_low": change("9.99", "20")})
    assert conflict["outcome"] == "conflict"
    assert conflict["conflicts"]["price_low"] == {"before": 9.99, "mine": 20, "theirs": 12.35}


async def test_saving_a_room_leaves_its_secret_alone(stage: Stage, anna: Desk, admin: Desk) -> None:
    room = stage.rooms[0]
    answer = await anna.save("room", room, {"street": change(None, "Am Hang 1")})
    assert answer["state"]["has_key_code"] is True
    answer = await admin.save("room", room, {"key_code": change(None, None)})
    assert answer["state"]["has_key_code"] is False
