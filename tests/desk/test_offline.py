"""A desk without a line: what is saved meanwhile is queued, and done once when the line is back."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest

from dpolg_tui.db import writes
from dpolg_tui.db.state import Phase
from dpolg_tui.desk.offline import NotKept, State
from dpolg_tui.domain.errors import OutcomeUnknown, Unreachable
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome, WriteResult
from tests.databases import TestDatabase
from tests.desk.offline import count, cut, desk_through, queue_file
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import furnish, signed_in
from tools.wire_proxy import wire_proxy


async def test_a_guest_and_his_booking_made_offline_are_saved_once_and_in_order(
    database: TestDatabase,
) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        house = await furnish(anna)
        await cut(anna, proxy)
        guest = await anna.guests.create({"last_name": "Neumann", "first_name": "Eva"})
        assert (guest.outcome, guest.id) == (Outcome.QUEUED, -1)
        assert (await anna.guests.get(-1)).name == "Neumann, Eva"
        assert [line.name for line in await anna.guests.search("neum")] == ["Neumann, Eva"]
        stay = {
            "room_id": house.double,
            "arrival": anna.today(),
            "departure": anna.today() + timedelta(5),
        }
        booked = await anna.bookings.create({"guest_id": -1, "persons": 2, "stay/new": stay})
        assert (booked.outcome, booked.id) == (Outcome.QUEUED, -2)
        assert await anna.guests.save(-1, {"city": Change(None, "Ulm")}) is not None
        assert anna.outbox.save_state == "queued 3"
        file = queue_file(anna)
        assert file.stat().st_mode & 0o777 == 0o600
        assert [one["state"] for one in json.loads(file.read_text())["writes"]] == ["waiting"] * 3
        await proxy.accept()
        await until(lambda: anna.outbox.save_state == "done", 20)
        assert not file.exists()
        assert await count(database, "app.guests WHERE last_name = 'Neumann' AND city = 'Ulm'") == 1
        assert (
            await count(
                database,
                "app.bookings b JOIN app.guests g ON g.id = b.guest_id WHERE g.last_name = 'Neumann'",
            )
            == 1
        )
        assert (await anna.guests.get(-1)).city == "Ulm", "who still holds the old id gets the guest"


async def test_days_that_are_known_need_no_line_and_others_are_refused_at_once(
    database: TestDatabase,
) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        today = anna.today()
        await cut(anna, proxy)
        async with anna.window.lock:  # as a reload holds it that waits for a server which does not answer
            await asyncio.wait_for(anna.show(today, today + timedelta(30)), 2)
            with pytest.raises(Unreachable, match="schon gelesen"):
                await asyncio.wait_for(anna.show(today, today + timedelta(900)), 2)


async def test_a_queue_outlives_its_client_and_is_sent_for_its_user_only(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            await cut(anna, proxy)
            await anna.guests.create({"last_name": "Neumann"})
            file = queue_file(anna)
        assert file.exists()
        await proxy.accept()
        async with desk_through(database, proxy, "ben") as ben:
            assert ben.outbox.items == ()
            await asyncio.sleep(0.3)
            assert await count(database, "app.guests") == 0
        async with desk_through(database, proxy) as anna:
            await until(lambda: anna.outbox.save_state == "done")
        assert await count(database, "app.guests") == 1
        assert not file.exists()


async def test_what_nobody_knows_of_is_done_once(database: TestDatabase) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        await furnish(anna)
        proxy.lose_answer_to(b"Neumann")
        saving = asyncio.create_task(anna.guests.create({"last_name": "Neumann"}))
        await until(lambda: proxy._marker is None)
        await proxy.refuse()
        assert (await saving).outcome is Outcome.QUEUED
        assert [one.state for one in anna.outbox.items] == [State.UNKNOWN]
        assert anna.outbox.save_state == "unknown"
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1
        await proxy.accept()
        await until(lambda: not anna.outbox.items, 20)
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1


async def test_what_no_longer_fits_stays_as_a_conflict_and_the_rest_goes_on(database: TestDatabase) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        signed_in(database, "ben") as ben,
        desk_through(database, proxy) as anna,
    ):
        house = await furnish(anna)
        stay = {"room_id": house.double, "arrival": anna.today(), "departure": anna.today() + timedelta(3)}
        first = await anna.bookings.create(
            {"guest_id": house.huber, "persons": 1, "stay/new": {**stay, "room_id": house.single}}
        )
        assert first.id is not None
        await until(lambda: anna.store.of_booking(first.id or 0))
        bar = anna.store.of_booking(first.id)[0]
        await anna.bookings.get(first.id)
        await cut(anna, proxy)
        moved = await anna.bookings.move(bar, house.double, bar.arrival, bar.departure)
        assert moved.outcome is Outcome.QUEUED
        assert anna.store.occupancies[bar.id].room_id == house.double, "shown where it will be"
        note = await anna.bookings.save(first.id, {"notes": Change(None, "Hund")})
        assert note.outcome is Outcome.QUEUED
        assert (await anna.bookings.get(first.id)).notes == "Hund"
        taken = await ben.bookings.create({"guest_id": house.yilmaz, "persons": 1, "stay/new": stay})
        assert taken.outcome is Outcome.DONE
        await proxy.accept()
        await until(lambda: not anna.outbox.waiting, 20)
        (conflict,) = anna.outbox.items
        assert "Yılmaz" in conflict.reason
        assert anna.store.occupancies[bar.id].room_id == house.single
        assert (await anna.bookings.get(first.id)).notes == "Hund"
        anna.outbox.discard(conflict.request)
        assert not queue_file(anna).exists()


def answer_without_waiting(write: Coroutine[Any, Any, WriteResult]) -> str:
    """The sentence with which a write is refused before it has waited for anything at all."""
    try:
        with pytest.raises(Unreachable) as refused:
            write.send(None)
    finally:
        write.close()
    return refused.value.message


async def test_with_the_queue_switched_off_a_save_is_refused_at_once(database: TestDatabase) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy, queue=False) as anna,
    ):
        await cut(anna, proxy)
        sentence = answer_without_waiting(anna.guests.create({"last_name": "Neumann"}))
        assert sentence.startswith("Nicht gespeichert: ")
        assert "offline_queue = false" in sentence
        assert (anna.outbox.items, anna.outbox.save_state) == ((), "")


async def test_a_second_window_refuses_a_save_at_once_and_saves_when_the_line_is_back(
    database: TestDatabase,
) -> None:
    async with (
        signed_in(database, "anna"),
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as second,
    ):
        await cut(second, proxy)
        sentence = answer_without_waiting(second.guests.create({"last_name": "Neumann"}))
        assert sentence.startswith("Nicht gespeichert: ")
        assert "nur das erste Fenster" in sentence
        await proxy.accept()
        await until(lambda: second.connection.phase is Phase.CONNECTED, 20)
        assert (await second.guests.create({"last_name": "Neumann"})).outcome is Outcome.DONE
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1


async def test_a_save_without_a_queue_that_finds_the_line_gone_names_no_settings(
    database: TestDatabase,
) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy, queue=False) as anna,
    ):
        await proxy.refuse()  # not known yet
        with pytest.raises((Unreachable, OutcomeUnknown)) as refused:
            await anna.guests.create({"last_name": "Neumann"})
        assert "prüfen" not in refused.value.message
        assert anna.outbox.items == ()


async def test_what_nobody_knows_of_is_done_once_also_if_the_next_try_is_refused(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = writes.save

    async def done_all_the_same(*args: Any, **more: Any) -> Any:
        await save(*args, **more)
        raise OutcomeUnknown

    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy, queue=False) as anna,
    ):
        with monkeypatch.context() as patch:
            patch.setattr(writes, "save", done_all_the_same)
            with pytest.raises(OutcomeUnknown):
                await anna.guests.create({"last_name": "Neumann"})
        await cut(anna, proxy)
        with pytest.raises(Unreachable):
            await anna.guests.create({"last_name": "Neumann"})
        assert anna.outbox.save_state == "unknown"
        await proxy.accept()
        await until(lambda: anna.connection.phase is Phase.CONNECTED, 20)
        assert (await anna.guests.create({"last_name": "Neumann"})).outcome is Outcome.DONE
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1


async def test_a_full_disk_keeps_the_form(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        await cut(anna, proxy)

        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", full)
        with pytest.raises(NotKept):
            await anna.guests.create({"last_name": "Neumann"})
        assert anna.outbox.items == ()
        assert not list(queue_file(anna).parent.glob("*.json*"))


async def test_the_same_user_at_two_places_of_one_computer(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as one, signed_in(database, "anna") as two:
        assert (one.outbox.problem, "schon einmal" in two.outbox.problem) == ("", True)


async def is_there(database: TestDatabase, last_name: str) -> None:
    """Until the server has written a guest of this name; fails after ten seconds."""
    async with asyncio.timeout(10):
        for pause in itertools.repeat(0.02):
            if await count(database, f"app.guests WHERE last_name = '{last_name}'"):
                return
            await asyncio.sleep(pause)


async def test_a_program_that_ends_in_the_middle_of_a_save_resolves_it_at_the_next_sign_in(
    database: TestDatabase,
) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            proxy.lose_answer_to(b"Neumann")
            saving = asyncio.create_task(anna.guests.create({"last_name": "Neumann"}))
            await until(lambda: proxy._marker is None)
            # A session that ends before the server has done it takes the write back.
            await is_there(database, "Neumann")
            file = queue_file(anna)
        await asyncio.gather(saving, return_exceptions=True)
        async with desk_through(database, proxy) as anna:
            await until(lambda: anna.outbox.save_state in ("", "done"))
        assert not file.exists()
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1
