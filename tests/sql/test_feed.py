"""The heartbeat: nothing that was committed is missed, nothing is told twice, and who is here."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from uuid import uuid4

import asyncpg
import pytest

from tests.db.waiting import until
from tests.sql.stage import Desk, Stage, change, connected, new, stay


async def test_nothing_missed_and_nothing_twice_under_concurrent_writers(stage: Stage) -> None:
    """Eight writers, a third of whose transactions roll back or dawdle; a reader that polls all the time."""
    reader = await stage.desk("anna")
    writers = [await stage.desk(name) for name in ("ben", "clara", "david", "emil") for _ in range(2)]
    heard: Counter[int] = Counter()
    committed: set[int] = set()
    writing = True

    async def listen() -> None:
        answer = await reader.heartbeat()
        while True:
            last = not writing
            answer = await reader.heartbeat(answer["snapshot"])
            assert not answer["reload"]
            heard.update(entry["id"] for entry in answer["changes"] if entry["table"] == "guests")
            if last:
                return

    async def write(desk: Desk, seed: int) -> None:
        generator = random.Random(seed)
        for _ in range(25):
            await desk.connection.execute("BEGIN")
            made = [
                (await desk.save("guest", None, new(last_name="Strom")))["id"]
                for _ in range(generator.randrange(1, 4))
            ]
            await asyncio.sleep(generator.choice([0, 0, 0.002, 0.02]))
            if generator.random() < 0.33:
                await desk.connection.execute("ROLLBACK")
            else:
                await desk.connection.execute("COMMIT")
                committed.update(made)

    listening = asyncio.create_task(listen())
    await asyncio.gather(*(write(desk, number) for number, desk in enumerate(writers)))
    writing = False
    async with asyncio.timeout(10):
        await listening
    assert len(committed) > 150
    assert set(heard) == committed
    assert set(heard.values()) == {1}


async def test_what_a_change_tells(stage: Stage, anna: Desk, ben: Desk) -> None:
    snapshot = (await anna.heartbeat())["snapshot"]
    answer = await ben.book(stage.guests[0], stay(stage.rooms[0], 0, 1))
    block = await ben.save(
        "block", None, new(kind="house_use") | {"stay": change(None, stay(stage.rooms[1], 0, 1))}
    )
    told = await anna.heartbeat(snapshot)
    client = await stage.superuser.fetchval(
        "SELECT split_part(s.client_id, '#', 1) FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id"
        " WHERE u.username = 'ben'"
    )
    assert [(c["table"], c["id"], c["operation"], c["client"]) for c in told["changes"]] == [
        ("bookings", answer["id"], "INSERT", client),
        ("blocks", block["id"], "INSERT", client),
    ]
    assert (await anna.heartbeat(told["snapshot"]))["changes"] == []
    # The stay of a booking is told as its booking, with a new version.
    key = f"stay/{answer['state']['stays'][0]['id']}"
    moved = {key: change(stay(stage.rooms[0], 0, 1), stay(stage.rooms[0], 0, 2))}
    assert (await ben.save("booking", answer["id"], moved))["version"] == 2
    (entry,) = (await anna.heartbeat(told["snapshot"]))["changes"]
    assert (entry["table"], entry["id"], entry["operation"]) == ("bookings", answer["id"], "UPDATE")


async def test_created_and_deleted_in_between_is_told_as_deleted_last(
    stage: Stage, anna: Desk, admin: Desk
) -> None:
    snapshot = (await anna.heartbeat())["snapshot"]
    answer = await admin.book(stage.guests[0], stay(stage.rooms[0], 0, 1))
    await admin.delete("booking", answer["id"])
    told = (await anna.heartbeat(snapshot))["changes"]
    assert [entry["operation"] for entry in told] == ["INSERT", "DELETE"]


async def test_hints_name_table_id_and_desk_and_nothing_else(stage: Stage) -> None:
    heard: list[tuple[str, str]] = []
    async with connected(stage.database.dsn) as stranger:
        for channel in ("booking", "room", "guest", "user", "presence"):
            await stranger.add_listener(channel, lambda _c, _p, name, payload: heard.append((name, payload)))
        desk = await stage.desk("ben", client="abcd1234#rechner-im-buero")
        answer = await desk.book(stage.guests[0], stay(stage.rooms[0], 0, 1), notes="geheim")
        block = await desk.save(
            "block", None, new(kind="house_use") | {"stay": change(None, stay(stage.rooms[1], 0, 1))}
        )
        await desk.save("guest", stage.guests[0], {"city": change("München", "Fall")})
        await desk.call("logout")
        await until(lambda: len(heard) >= 4)
    user = await stage.superuser.fetchval("SELECT id FROM auth.users WHERE username = 'ben'")
    assert heard == [
        ("booking", f"bookings:{answer['id']}:abcd1234"),
        ("room", f"blocks:{block['id']}:abcd1234"),
        ("guest", f"guests:{stage.guests[0]}:abcd1234"),
        ("presence", f"sessions:{user}:abcd1234"),
    ]


async def _feed(stage: Stage, rows: int, *, table: str = "guests", same: bool = False) -> None:
    await stage.superuser.execute(
        "INSERT INTO app.change_feed (table_name, record_id, operation)"
        f" SELECT '{table}', {'1' if same else 'n'}, 'UPDATE' FROM generate_series(1, {rows}) n"
    )


@pytest.mark.parametrize(("rows", "reload"), [(500, False), (501, True), (6000, True)])
async def test_too_many_changes_mean_reload(stage: Stage, anna: Desk, rows: int, reload: bool) -> None:
    snapshot = (await anna.heartbeat())["snapshot"]
    await _feed(stage, rows)
    answer = await anna.heartbeat(snapshot)
    assert answer["reload"] is reload
    assert len(answer["changes"]) == (0 if reload else rows)
    assert (await anna.heartbeat(answer["snapshot"]))["changes"] == []


async def test_many_changes_of_one_record_hide_no_other(stage: Stage, anna: Desk) -> None:
    snapshot = (await anna.heartbeat())["snapshot"]
    async with stage.superuser.transaction():
        await _feed(stage, 3000, same=True)
        await _feed(stage, 1, table="rooms")
    answer = await anna.heartbeat(snapshot)
    assert answer["reload"] or {entry["table"] for entry in answer["changes"]} == {"guests", "rooms"}


async def test_bulk_work_and_old_snapshots_mean_reload(stage: Stage, anna: Desk) -> None:
    first = await anna.heartbeat()
    assert (first["reload"], first["changes"]) == (False, [])
    async with connected(stage.database.owner_dsn) as owner:
        await owner.execute("SELECT app.announce_reload()")
    second = await anna.heartbeat(first["snapshot"])
    assert (second["reload"], second["changes"]) == (True, [])
    assert (await anna.heartbeat(second["snapshot"]))["reload"] is False
    await stage.superuser.execute("UPDATE app.installation SET feed_floor = pg_current_xact_id()")
    assert (await anna.heartbeat(first["snapshot"]))["reload"] is True
    assert (await anna.heartbeat((await anna.heartbeat())["snapshot"]))["reload"] is False


async def test_presence(stage: Stage, anna: Desk, ben: Desk, admin: Desk) -> None:
    second = await stage.desk("anna", client="abcd0123#buero")
    await second.call("here", "Buchung", 17)

    async def present() -> list[str]:
        return [person["username"] for person in (await anna.heartbeat())["present"]]

    # A line per desk, with its place.
    assert await present() == ["anna", "anna", "ben", "admin"]
    entry = (await anna.heartbeat())["present"][1]
    assert entry.pop("since")
    assert entry == {
        "user_id": 1, "username": "anna", "full_name": "Anna Beispiel", "role": "user",
        "desk": "abcd0123", "screen": "Buchung", "booking_id": 17,
    }  # fmt: skip
    await ben.call("logout")
    await stage.superuser.execute(
        "UPDATE auth.sessions s SET last_seen = now() - interval '151 seconds'"
        " FROM auth.users u WHERE u.id = s.user_id AND u.username = 'admin'"
    )
    assert await present() == ["anna", "anna"]
    # The heartbeat is what keeps a session present; once a minute it is written down.
    await admin.heartbeat()
    assert await present() == ["anna", "anna", "admin"]
    await second.call("logout")
    assert await present() == ["anna", "admin"]


async def test_a_heartbeat_keeps_the_session_and_writes_once_a_minute(stage: Stage, anna: Desk) -> None:
    async def seen() -> tuple[object, object]:
        return tuple(await stage.superuser.fetchrow("SELECT xmin::text, last_seen FROM auth.sessions"))

    before = await seen()
    await anna.heartbeat()
    assert await seen() == before
    await stage.superuser.execute("UPDATE auth.sessions SET last_seen = now() - interval '29 minutes'")
    await anna.heartbeat()
    age = await stage.superuser.fetchval("SELECT extract(epoch FROM now() - last_seen) FROM auth.sessions")
    assert age < 60


async def test_refused_requests_leave_nothing_in_the_feed(stage: Stage, anna: Desk) -> None:
    await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 1))
    snapshot = (await anna.heartbeat())["snapshot"]
    assert (await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 1)))["outcome"] == "taken"
    with pytest.raises(asyncpg.CheckViolationError):
        await anna.save("guest", None, new(last_name=" "), request=uuid4())
    assert (await anna.heartbeat(snapshot))["changes"] == []
