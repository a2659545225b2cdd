"""After a restore of the database what waited for the one before is offered, never sent by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import asyncpg

from dpolg_tui.desk.offline import State
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome
from tests.databases import TestDatabase
from tests.desk.offline import count, cut, desk_through, queue_file
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import furnish
from tools.wire_proxy import wire_proxy


async def restore(database: TestDatabase) -> None:
    """What a restore does besides bringing back the data."""
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("SELECT auth.after_restore()")
    finally:
        await owner.close()


def old_files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.json"))


async def test_an_old_queue_is_offered_and_sent_only_when_its_user_says_so(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            house = await furnish(anna)
            await cut(anna, proxy)
            guest = await anna.guests.create({"last_name": "Neumann"})
            day = anna.today()
            stay = {"room_id": house.double, "arrival": day, "departure": day + timedelta(2)}
            await anna.bookings.create({"guest_id": guest.id, "persons": 1, "stay/new": stay})
            await anna.guests.save(house.huber, {"city": Change("Ulm", "Bonn")})
            directory = queue_file(anna).parent
            assert old_files(directory) == [queue_file(anna)]
            # Made anew after the restore a user has another number: the name counts.
            queue_file(anna).rename(directory / f"{anna.instance}-4711.json")
        await restore(database)
        await proxy.accept()
        async with desk_through(database, proxy) as anna:
            outbox = anna.outbox
            assert outbox.from_before_restore == 3
            assert [one.state for one in outbox.items] == [State.OLD] * 3
            assert "vor der Wiederherstellung" in outbox.items[0].reason
            assert old_files(directory) == [queue_file(anna)], "now it is the queue of the restored one"
            assert anna.store.occupancies == {}
            # Something new meanwhile is sent as ever.
            made = await anna.guests.create({"last_name": "Neu"})
            assert made.outcome is Outcome.DONE
            await asyncio.sleep(0.3)
            assert len(outbox.items) == 3
            outbox.send_again(outbox.items[0].request)
            await until(lambda: len(outbox.items) == 2)
            assert [one.state for one in outbox.items] == [State.OLD] * 2
            outbox.send_again(outbox.items[0].request)
            await until(lambda: len(outbox.items) == 1)
            assert outbox.discard(outbox.items[0].request)
            assert old_files(directory) == []
    assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1
    assert await count(database, "app.bookings") == 1
    assert await count(database, "app.guests WHERE city = 'Bonn'") == 0


async def test_an_old_file_that_could_not_be_removed_offers_nothing_twice(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            await cut(anna, proxy)
            await anna.guests.create({"last_name": "Neumann"})
            before = queue_file(anna)
        text = before.read_text()
        await restore(database)
        await proxy.accept()
        async with desk_through(database, proxy) as anna:
            assert len(anna.outbox.items) == 1
        before.write_text(text)
        async with desk_through(database, proxy) as anna:
            assert len(anna.outbox.items) == 1
            assert old_files(before.parent) == [queue_file(anna)]


async def test_a_desk_that_was_open_during_the_restore_sends_nothing_by_itself(
    database: TestDatabase,
) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        await cut(anna, proxy)
        await anna.guests.create({"last_name": "Neumann"})
        await restore(database)
        await proxy.accept()
        await asyncio.sleep(1.0)
        assert await count(database, "app.guests") == 0
        await anna.unlock(database.users["anna"].password)
        assert [one.state for one in anna.outbox.items] == [State.OLD]
        await asyncio.sleep(0.5)
        assert await count(database, "app.guests") == 0
        anna.outbox.send_again(anna.outbox.items[0].request)
        await until(lambda: not anna.outbox.items, 20)
        assert await count(database, "app.guests") == 1


async def test_a_queue_of_another_server_is_named_and_left_there(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            await cut(anna, proxy)
            await anna.guests.create({"last_name": "Neumann"})
            file = queue_file(anna)
        await proxy.accept()
        await restore(database)
        async with (
            wire_proxy(config_for(database).database.hosts[0]) as another,
            desk_through(database, another) as anna,
        ):
            assert anna.outbox.items == ()
            assert f":{proxy.port}" in anna.outbox.problem
            assert file.exists()
