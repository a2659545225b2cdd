"""app.save_reminder, app.reminders, and what app.booking tells of prices, payments and companions."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.sql.stage import DAY, Desk, Stage, change, day, new, stay

pytestmark = pytest.mark.both_versions


@pytest.fixture
async def booking(stage: Stage, anna: Desk) -> int:
    answer = await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
    number: int = answer["id"]
    return number


def todo(booking: int | None, **more: object) -> dict[str, Any]:
    return new(**{"booking_id": booking, "title": "Anzahlung prüfen", "due_date": DAY.isoformat(), **more})


async def refused(desk: Desk, record: int | None, changes: dict[str, Any]) -> str:
    """Name of the rule that refuses a change."""
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as error:
        await desk.save("reminder", record, changes)
    return str(error.value.constraint_name)


async def test_a_reminder_is_made_read_and_told(anna: Desk, ben: Desk, booking: int) -> None:
    snapshot = (await ben.heartbeat())["snapshot"]
    answer = await anna.save("reminder", None, todo(booking, priority="high", description="bis Montag"))
    assert (answer["outcome"], answer["version"]) == ("done", 1)
    state = (await ben.booking(booking))["reminders"]
    assert state == [
        {
            "id": answer["id"], "booking_id": booking, "kind": "manual", "title": "Anzahlung prüfen",
            "description": "bis Montag", "due_date": DAY.isoformat(), "priority": "high", "completed": False,
            "completed_at": None, "completed_by": None, "snoozed_until": None, "version": 1,
        }
    ]  # fmt: skip
    rows = await ben.rows("reminders", [answer["id"], 999])
    assert [(row["booking_id"], row["title"]) for row in rows] == [(booking, "Anzahlung prüfen")]
    changes = (await ben.heartbeat(snapshot))["changes"]
    assert [(row["table"], row["id"], row["operation"]) for row in changes] == [
        ("reminders", answer["id"], "INSERT")
    ]


async def test_completing_names_who_and_when_and_the_first_stays(anna: Desk, ben: Desk, booking: int) -> None:
    reminder = (await anna.save("reminder", None, todo(booking)))["id"]
    done = {"completed": change(False, True)}
    request = uuid4()
    first = await anna.save("reminder", reminder, done, request=request)
    assert first["state"]["completed_by"] == "Anna Beispiel"
    assert first["state"]["completed_at"] is not None
    assert first.pop("was") == {"completed": False}  # told once
    assert await anna.save("reminder", reminder, done, request=request) == first
    second = await ben.save("reminder", reminder, done)
    assert second["outcome"] == "done"
    assert second["state"]["completed_by"] == "Anna Beispiel"
    opened = await ben.save("reminder", reminder, {"completed": change(True, False)})
    assert (opened["state"]["completed_at"], opened["state"]["completed_by"]) == (None, None)


async def test_a_forged_completion_or_kind_is_no_field(anna: Desk, booking: int) -> None:
    for field, value in (("completed_by", "Ben"), ("completed_at", "2020-01-01"), ("kind", "auto_payment")):
        with pytest.raises(asyncpg.UndefinedColumnError):
            await anna.save("reminder", None, todo(booking, **{field: value}))


async def test_fields_merge_and_conflict(anna: Desk, ben: Desk, booking: int) -> None:
    reminder = (await anna.save("reminder", None, todo(booking)))["id"]
    await ben.save("reminder", reminder, {"title": change("Anzahlung prüfen", "bens")})
    merged = await anna.save("reminder", reminder, {"due_date": change(DAY.isoformat(), day(2).isoformat())})
    assert (merged["outcome"], merged["state"]["title"]) == ("done", "bens")
    answer = await anna.save("reminder", reminder, {"title": change("Anzahlung prüfen", "annas")})
    assert answer["outcome"] == "conflict"
    assert answer["conflicts"]["title"]["theirs"] == "bens"
    assert answer["changed_by"] == "Ben Beispiel"  # of the title; the date is Anna's


async def test_what_is_missing_or_wrong_is_named(anna: Desk, booking: int) -> None:
    assert await refused(anna, None, todo(booking, title=None)) == "reminders_title_length"
    assert await refused(anna, None, todo(booking, title="  ")) == "reminders_title_length"
    assert await refused(anna, None, todo(booking, due_date=None)) == "reminder_has_due_date"
    assert await refused(anna, None, todo(booking, priority="sofort")) == "reminders_priority"
    assert await refused(anna, None, todo(999)) == "reminders_booking_id_fkey"
    reminder = (await anna.save("reminder", None, todo(booking)))["id"]
    assert await refused(anna, reminder, {"title": change("Anzahlung prüfen", None)}) == (
        "reminders_title_length"
    )
    assert (await anna.save("reminder", 999, {"completed": change(False, True)}))["outcome"] == "missing"


async def test_cancelling_a_booking_closes_its_reminders(stage: Stage, anna: Desk, booking: int) -> None:
    reminder = (await anna.save("reminder", None, todo(booking)))["id"]
    other = (await anna.save("reminder", None, todo(None)))["id"]
    await anna.save(
        "booking",
        booking,
        {"status": change("bestaetigt", "storniert"), "cancellation_reason": change(None, "krank")},
    )
    found = {row["id"]: row["completed"] for row in await anna.rows("reminders", [reminder, other])}
    assert found == {reminder: True, other: False}
    assert stage.rooms


async def test_history_knows_reminders(anna: Desk, booking: int) -> None:
    reminder = (await anna.save("reminder", None, todo(booking)))["id"]
    await anna.save("reminder", reminder, {"completed": change(False, True)})
    of_booking = await anna.rows("history", "bookings", booking, 50)
    assert [row["operation"] for row in of_booking if row["table_name"] == "reminders"] == [
        "UPDATE",
        "INSERT",
    ]
    assert len(await anna.rows("history", "reminders", reminder, 50)) == 2


async def test_only_admins_delete_a_reminder_and_it_goes_with_its_booking(
    anna: Desk, admin: Desk, booking: int
) -> None:
    first = (await anna.save("reminder", None, todo(booking)))["id"]
    second = (await anna.save("reminder", None, todo(booking)))["id"]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.delete("reminder", first)
    assert (await admin.delete("reminder", first))["outcome"] == "done"
    assert (await admin.delete("booking", booking))["outcome"] == "done"
    assert await anna.rows("reminders", [first, second]) == []


async def _furnish(stage: Stage, booking: int) -> None:
    await stage.superuser.execute(
        """
        WITH payer AS (INSERT INTO app.payers (name) VALUES ('Stiftung e. V.') RETURNING id)
        UPDATE app.bookings b SET payer_id = payer.id FROM payer WHERE b.id = $1""",
        booking,
    )
    await stage.superuser.execute(
        """
        INSERT INTO app.price_lines
               (booking_id, position, kind, label, quantity, unit_price, amount, percentage)
        VALUES ($1, 2, 'discount', 'Rabatt', 1, -18, -18, 15),
               ($1, 1, 'nights', 'Nächte', 3, 40, 120, NULL)""",
        booking,
    )
    await stage.superuser.execute(
        """
        INSERT INTO app.payments (booking_id, amount, paid_on, method)
        VALUES ($1, 50, '2030-02-02', 'Überweisung'), ($1, 30.5, '2030-02-01', 'bar')""",
        booking,
    )
    await stage.superuser.execute(
        "INSERT INTO app.booking_companions (booking_id, last_name, first_name, date_of_birth)"
        " VALUES ($1, 'Müller', 'Kim', '2015-05-05')",
        booking,
    )
    await stage.superuser.execute(
        "INSERT INTO app.credit_transactions (guest_id, amount, kind)"
        " VALUES ($1, 20, 'added'), ($1, -5, 'used')",
        stage.guests[0],
    )


async def test_a_booking_tells_what_stands_around_it(stage: Stage, anna: Desk, booking: int) -> None:
    bare = await anna.booking(booking)
    assert (bare["total"], bare["paid"], bare["price_lines"], bare["payments"]) == (None, 0, [], [])
    assert (bare["companions"], bare["reminders"], bare["payer_name"]) == ([], [], None)
    await _furnish(stage, booking)
    state = await anna.booking(booking)
    assert [(line["position"], line["label"], line["amount"]) for line in state["price_lines"]] == [
        (1, "Nächte", 120),
        (2, "Rabatt", -18),
    ]
    assert (state["total"], state["paid"], state["credit_balance"]) == (102, 80.5, 15)
    assert [payment["method"] for payment in state["payments"]] == ["bar", "Überweisung"]
    assert state["companions"][0]["first_name"] == "Kim"
    assert state["payer_name"] == "Stiftung e. V."
    # The answer of a write carries the same state.
    saved = await anna.save("booking", booking, {"notes": change(None, "x")})
    assert saved["state"]["total"] == 102


async def test_money_received_keeps_its_booking(stage: Stage, anna: Desk, admin: Desk, booking: int) -> None:
    await _furnish(stage, booking)
    with pytest.raises(asyncpg.IntegrityConstraintViolationError) as error:
        await admin.delete("booking", booking)
    assert error.value.constraint_name == "booking_without_payments"
    assert len((await anna.booking(booking))["price_lines"]) == 2
