"""Desks without a screen on a real database: what one does, the others have."""

from __future__ import annotations

from datetime import date

import asyncpg
import pytest

from dpolg_tui.db.hosts import encode_json
from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import RecordChanged, SessionLost
from dpolg_tui.domain.errors import ClientTooOld, LoginFailed, NoSchema, NotAllowed, RuleViolated
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome, Status
from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import make_rooms, signed_in


async def test_a_new_booking_is_on_the_other_desk_with_the_name_of_who_made_it(two: Two) -> None:
    booking = await two.book()
    assert two.anna.store.of_booking(booking), "the own desk shows it at once"
    bar = await two.ben_sees(booking)
    assert (bar.last_name, bar.first_name, bar.nights) == ("Huber", "Anton", 3)
    event = two.changes("booking")[-1]
    assert (event.action, event.own, event.occupancies) == ("created", False, (bar.id,))
    assert event.by is not None
    assert event.by.username == "anna"


async def test_move_is_shown_at_once_and_taken_back_when_the_room_is_taken(two: Two) -> None:
    first = await two.book()
    second = await two.book(first=20)
    bar = two.anna.store.of_booking(second)[0]
    seen: list[date] = []
    two.anna.subscribe(
        lambda event: (
            isinstance(event, RecordChanged) and seen.append(two.anna.store.occupancies[bar.id].arrival)
        )
    )
    result = await two.anna.bookings.move(bar, bar.room_id, two.day(6), two.day(9))
    assert result.outcome is Outcome.TAKEN
    assert [other.booking_id for other in result.in_the_way] == [first]
    assert result.in_the_way[0].label.endswith(" Huber")
    assert seen == [two.day(6), two.day(20)]
    done = await two.anna.bookings.move(bar, bar.room_id, two.day(8), two.day(11))
    assert done.outcome is Outcome.DONE
    await until(lambda: two.ben.store.occupancies[bar.id].arrival == two.day(8))


async def test_of_a_guest_in_the_house_only_the_remaining_nights_move(two: Two) -> None:
    booking = await two.book(first=-2, nights=5)
    assert (await two.anna.bookings.check_in(booking)).outcome is Outcome.DONE
    bar = two.anna.store.of_booking(booking)[0]
    room = {"name": "9", "category": "DZ", "place": "Brannenburg", "capacity": 2}
    (other,) = await make_rooms(two.anna, room)
    result = await two.anna.bookings.move(bar, other, bar.arrival, bar.departure)
    assert result.outcome is Outcome.DONE
    stays = [(b.room_id, b.arrival, b.departure) for b in two.anna.store.of_booking(booking)]
    assert stays == [
        (two.house.double, two.day(-2), two.day(0)),
        (other, two.day(0), two.day(3)),
    ]


async def test_checking_out_early_frees_the_room(two: Two) -> None:
    booking = await two.book(first=-2, nights=5)
    await two.anna.bookings.check_in(booking)
    result = await two.anna.bookings.check_out(booking, two.day(0))
    assert result.outcome is Outcome.DONE
    free = await two.ben.bookings.free_rooms(two.day(0), two.day(3), 2)
    assert two.house.double in [room.room_id for room in free]
    assert (await two.ben.bookings.get(booking)).checked_out_at is not None


async def test_cancel_frees_everywhere_and_reopen_brings_back(two: Two) -> None:
    booking = await two.book()
    await two.ben_sees(booking)
    assert (await two.anna.bookings.cancel(booking, "krank")).outcome is Outcome.DONE
    assert not two.anna.store.of_booking(booking)
    await until(lambda: not two.ben.store.of_booking(booking))
    taken_by = await two.book()
    result = await two.ben.bookings.reopen(booking)
    assert (result.outcome, result.lost_room) == (Outcome.DONE, True)
    await until(lambda: two.anna.store.of_booking(booking))
    assert two.anna.store.of_booking(booking)[0].room_id is None
    assert two.anna.store.of_booking(taken_by)[0].room_id == two.house.double


async def test_different_fields_merge_and_say_so(two: Two) -> None:
    booking = await two.book()
    known = {"notes": None, "persons": 2}
    await two.ben.bookings.save(booking, {"notes": Change(None, "Kinderbett")})
    result = await two.anna.bookings.save(booking, {"persons": Change(2, 1)}, known)
    assert (result.outcome, result.merged, result.changed_by) == (Outcome.DONE, ("notes",), "Anna Beispiel")
    stored = await two.ben.bookings.get(booking)
    assert (stored.notes, stored.persons) == ("Kinderbett", 1)


async def test_the_same_field_conflicts_with_before_mine_theirs(two: Two) -> None:
    booking = await two.book()
    await two.ben.bookings.save(booking, {"notes": Change(None, "spät")})
    result = await two.anna.bookings.save(booking, {"notes": Change(None, "früh"), "persons": Change(2, 1)})
    assert result.outcome is Outcome.CONFLICT
    (conflict,) = result.conflicts
    assert (conflict.field, conflict.before, conflict.mine, conflict.theirs) == (
        "notes",
        None,
        "früh",
        "spät",
    )
    assert result.changed_by == "Ben Beispiel"
    assert (await two.ben.bookings.get(booking)).persons == 2, "all or nothing"


async def test_a_renamed_guest_has_the_new_name_on_all_bars(two: Two) -> None:
    booking = await two.book()
    await two.ben_sees(booking)
    await two.anna.guests.save(two.house.huber, {"last_name": Change("Huber", "Huber-Łuczak")})
    assert two.anna.store.of_booking(booking)[0].last_name == "Huber-Łuczak"
    await until(lambda: two.ben.store.of_booking(booking)[0].last_name == "Huber-Łuczak")


async def test_rooms_and_blocks_travel_too(two: Two) -> None:
    await two.anna.rooms.save(two.house.single, {"capacity": Change(1, 3)})
    await until(lambda: two.ben.store.rooms[two.house.single].capacity == 3)
    block = await two.anna.blocks.create(
        two.house.single, two.day(1), two.day(4), Kind.OUT_OF_ORDER, "Heizung"
    )
    assert block.id is not None
    await until(lambda: block.id in two.ben.store.occupancies)
    bar = two.ben.store.occupancies[block.id]
    assert (bar.kind, bar.reason, bar.is_block) == (Kind.OUT_OF_ORDER, "Heizung", True)
    moved = await two.ben.bookings.move(bar, two.house.single, two.day(2), two.day(5))
    assert moved.outcome is Outcome.DONE
    await until(lambda: two.anna.store.occupancies[bar.id].arrival == two.day(2))
    assert (await two.anna.blocks.delete(bar.id)).outcome is Outcome.DONE
    await until(lambda: bar.id not in two.ben.store.occupancies)


async def test_a_far_window_is_loaded_and_kept_up_to_date(two: Two) -> None:
    far = await two.book(first=900)
    assert not two.ben.store.of_booking(far)
    await two.ben.show(two.day(890), two.day(930))
    assert (await two.ben_sees(far)).arrival == two.day(900)
    near = await two.book(first=3)
    await two.ben.show(two.day(0), two.day(30))
    assert await two.ben_sees(near)
    assert not two.ben.store.of_booking(far), "a leap replaces the window"


async def test_rules_come_as_sentences_with_their_field(two: Two) -> None:
    booking = await two.book()
    with pytest.raises(RuleViolated) as caught:
        await two.anna.bookings.save(booking, {"persons": Change(2, 3)})
    assert caught.value.field == "persons"
    with pytest.raises(NotAllowed):
        await two.anna.guests.delete(two.house.yilmaz)
    with pytest.raises(RuleViolated):
        await two.anna.bookings.create(
            {
                "guest_id": two.house.huber,
                "stay/new": {"room_id": two.house.double, "arrival": two.day(1), "departure": two.day(400)},
            }
        )


async def test_the_same_request_twice_happens_once(two: Two, database: TestDatabase) -> None:
    from uuid import uuid4

    request = uuid4()
    changes = {
        "guest_id": {"to": two.house.huber},
        "stay/new": {"to": {"room_id": None, "arrival": two.day(1), "departure": two.day(2)}},
    }
    answers = [
        await two.anna.database.call("app.save_booking", request, None, changes, write=True) for _ in range(2)
    ]
    assert answers[0] == answers[1]
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        assert await owner.fetchval("SELECT count(*) FROM app.bookings") == 1
    finally:
        await owner.close()
    assert encode_json(answers[0])


async def test_presence_shows_colleagues_and_their_leaving(two: Two) -> None:
    await until(lambda: [p.initials for p in two.ben.present] == ["ab"])
    await two.anna.logout()
    await until(lambda: two.ben.present == ())


async def test_closing_a_desk_ends_its_session(two: Two, database: TestDatabase) -> None:
    await until(lambda: [p.initials for p in two.ben.present] == ["ab"])
    await two.anna.close()
    await until(lambda: two.ben.present == ())
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        reasons = await owner.fetch(
            "SELECT end_reason FROM auth.sessions WHERE ended_at IS NOT NULL AND client_id <> 'admin'"
        )
        assert [row[0] for row in reasons] == ["logout"]
    finally:
        await owner.close()


async def test_an_ended_session_is_told_and_unlocking_reads_what_was_missed(
    two: Two, database: TestDatabase
) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute(
            "UPDATE auth.sessions SET ended_at = now() WHERE user_id = (SELECT id FROM auth.users"
            " WHERE username = 'ben')"
        )
    finally:
        await owner.close()
    booking = await two.book()
    await until(lambda: any(isinstance(event, SessionLost) for event in two.heard), limit=12)
    with pytest.raises(LoginFailed):
        await two.ben.unlock("falsch")
    await two.ben.unlock(database.users["ben"].password)
    assert (await two.ben_sees(booking)).status is Status.CONFIRMED


async def test_signing_out_forgets_the_house(two: Two) -> None:
    await two.book()
    await two.anna.logout()
    assert not two.anna.store.rooms
    assert not two.anna.store.occupancies
    assert two.anna.user is None


async def test_a_client_below_the_minimum_says_so_and_stops(database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("UPDATE app.installation SET minimum_client = '99.0.0'")
    finally:
        await owner.close()
    with pytest.raises(ClientTooOld, match=r"99\.0\.0"):
        async with signed_in(database, "anna"):
            pass


async def test_signing_in_again_asks_again_for_the_minimum(two: Two, database: TestDatabase) -> None:
    await two.anna.logout()
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("UPDATE app.installation SET minimum_client = '99.0.0'")
    finally:
        await owner.close()
    with pytest.raises(ClientTooOld, match=r"99\.0\.0"):
        await two.anna.login("anna", database.users["anna"].password)
    assert await two.ben.guests.search(""), "who is at work finishes first"


async def test_a_database_without_schema_says_what_to_do(empty_database: TestDatabase) -> None:
    desk = Desk(config_for(empty_database))
    desk.start()
    try:
        with pytest.raises(NoSchema, match="init-db"):
            await desk.login("anna", "egal")
    finally:
        await desk.close()


async def test_the_log_has_ids_and_nothing_personal(two: Two, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("DEBUG"):
        booking = await two.book()
        await two.anna.guests.save(two.house.huber, {"notes": Change(None, "Geheimnis")})
        await two.anna.guests.search("Huber")
    text = caplog.text
    assert f"Booking erstellt: {booking}" in text
    assert f"Guest geändert: {two.house.huber}" in text
    for personal in ("Huber", "Anton", "Geheimnis", "anton@example.org", two.anna.database.token):
        assert personal not in text
