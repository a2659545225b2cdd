"""Desks when something goes wrong: a late answer, a refused load, a screen with a defect."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from dpolg_tui.db import reads, writes
from dpolg_tui.db.connection import Database
from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import StoreReloaded
from dpolg_tui.domain.errors import Busy, MustChangePassword, OutcomeUnknown, Unreachable
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Occupancy, Outcome, Room
from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.tui.desk_app import config_for


async def test_a_screen_with_a_defect_stops_neither_the_others_nor_the_updates(two: Two) -> None:
    heard: list[object] = []

    def broken(_: object) -> None:
        raise RuntimeError("a defect of a screen")

    for desk in (two.anna, two.ben):
        desk.subscribe(broken)
        desk.subscribe(heard.append)
    first = await two.book()
    await two.ben_sees(first)
    second = await two.book(first=20)
    await two.ben_sees(second)
    assert heard


async def test_a_defect_while_reading_news_becomes_a_reload(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, failures = reads.chart_rows, [ValueError("not as expected")]

    async def once_broken(*args: Any) -> list[Occupancy]:
        if failures:
            raise failures.pop()
        return await read(*args)

    monkeypatch.setattr(reads, "chart_rows", once_broken)
    booking = await two.book()
    await two.ben_sees(booking)
    assert not failures
    await two.ben_sees(await two.book(first=20))


async def test_after_a_failed_first_load_signing_in_again_works_at_once(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, failures = reads.rooms, [Busy()]

    async def once_busy(*args: Any) -> Any:
        if failures:
            raise failures.pop()
        return await read(*args)

    monkeypatch.setattr(reads, "rooms", once_busy)
    desk = Desk(config_for(database))
    desk.start()
    anna = database.users["anna"]
    try:
        with pytest.raises(Busy):
            await desk.login(anna.username, anna.password)
        assert desk.user is None
        async with asyncio.timeout(5):
            await desk.login(anna.username, anna.password)
        assert desk.user is not None
    finally:
        await desk.close()


async def test_a_login_cancelled_while_loading_leaves_nobody_signed_in(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, never = asyncio.Event(), asyncio.Event()
    read = reads.rooms

    async def stuck(*_: Any) -> Any:
        reading.set()
        await never.wait()

    monkeypatch.setattr(reads, "rooms", stuck)
    desk = Desk(config_for(database))
    desk.start()
    anna = database.users["anna"]
    try:
        login = asyncio.create_task(desk.login(anna.username, anna.password))
        await reading.wait()
        login.cancel()
        with pytest.raises(asyncio.CancelledError):
            await login
        assert desk.user is None
        monkeypatch.setattr(reads, "rooms", read)
        never.set()
    finally:
        await desk.close()


async def test_an_own_change_made_while_everything_is_read_again_stays(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await two.book()
    bar = two.anna.store.of_booking(booking)[0]
    read, has_read, go_on = reads.chart, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> list[Occupancy]:
        rows = await read(*args)
        has_read.set()
        await go_on.wait()
        return rows

    heard: list[object] = []
    two.anna.subscribe(heard.append)
    monkeypatch.setattr(reads, "chart", slow)
    two.anna.read_again()
    await has_read.wait()
    moved = await two.anna.bookings.move(bar, bar.room_id, two.day(30), two.day(33))
    assert moved.outcome is Outcome.DONE
    go_on.set()
    await until(lambda: StoreReloaded() in heard)
    assert two.anna.store.occupancies[bar.id].arrival == two.day(30)


async def test_an_own_change_into_a_window_that_is_being_read_is_in_it(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await two.book(first=900)
    read, has_read, go_on = reads.chart, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> list[Occupancy]:
        rows = await read(*args)
        has_read.set()
        await go_on.wait()
        return rows

    monkeypatch.setattr(reads, "chart", slow)
    showing = asyncio.create_task(two.anna.show(two.day(890), two.day(930)))
    await has_read.wait()
    (stay,) = (await two.anna.bookings.get(booking)).stays
    before = {"room_id": stay.room_id, "arrival": stay.arrival, "departure": stay.departure}
    after = {**before, "arrival": two.day(901)}
    assert (await two.anna.bookings.save(booking, {f"stay/{stay.id}": Change(before, after)})).version == 2
    go_on.set()
    await showing
    assert [bar.arrival for bar in two.anna.store.of_booking(booking)] == [two.day(901)]


async def test_a_desk_that_is_behind_catches_up_with_one_read(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, reads_begun, go_on = reads.chart_rows, list[None](), asyncio.Event()

    async def slow(database: Database, *args: Any) -> list[Occupancy]:
        if database is two.ben.database:
            reads_begun.append(None)
            await go_on.wait()
        return await read(database, *args)

    monkeypatch.setattr(reads, "chart_rows", slow)
    bookings = [await two.book()]
    await until(lambda: reads_begun)
    for number in range(1, 6):
        bookings.append(await two.book(first=5 + 10 * number))
        await until(lambda number=number: two.ben._updates.qsize() == number)  # type: ignore[misc]
    await two.anna.bookings.save(bookings[-1], {"notes": Change(None, "ruhig")})
    await until(lambda: two.ben._updates.qsize() == len(bookings))
    go_on.set()
    for booking in bookings:
        await two.ben_sees(booking)
    assert len(reads_begun) == 2
    told = [event.id for event in two.changes("booking") if event.action == "created"]
    assert told == bookings, "each of them is told"


async def test_days_that_wait_for_a_reload_are_given_up_at_the_limit(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(database)
    desk = Desk(replace(config, database=replace(config.database, action_timeout=1.0)))
    desk.start()
    try:
        await desk.login("anna", database.users["anna"].password)
        read, reading, go_on = reads.rooms, asyncio.Event(), asyncio.Event()

        async def slow(*args: Any) -> list[Room]:
            reading.set()
            await go_on.wait()
            return await read(*args)

        monkeypatch.setattr(reads, "rooms", slow)
        desk.read_again()
        await reading.wait()
        wanted = (desk.today() + timedelta(900), desk.today() + timedelta(930))
        with pytest.raises(Unreachable):
            await asyncio.wait_for(desk.show(*wanted), 20)
        assert not desk.store.covers(*wanted)
        go_on.set()
    finally:
        await desk.close()


async def _unknown(*_: Any, **__: Any) -> Any:
    raise OutcomeUnknown


async def test_a_move_that_nobody_knows_of_and_that_did_not_happen_is_taken_back(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.anna.outbox.close()  # as with offline_queue = false
    booking = await two.book()
    bar = two.anna.store.of_booking(booking)[0]
    with monkeypatch.context() as patch:
        patch.setattr(writes, "save", _unknown)
        with pytest.raises(OutcomeUnknown):
            await two.anna.bookings.move(bar, bar.room_id, two.day(30), two.day(33))
    await until(lambda: two.anna.store.occupancies[bar.id] == bar)


async def test_a_move_that_nobody_knows_of_and_that_did_happen_is_shown(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    two.anna.outbox.close()  # as with offline_queue = false
    booking = await two.book()
    bar = two.anna.store.of_booking(booking)[0]
    save = writes.save

    async def done_all_the_same(*args: Any, **more: Any) -> Any:
        await save(*args, **more)
        raise OutcomeUnknown

    with monkeypatch.context() as patch:
        patch.setattr(writes, "save", done_all_the_same)
        with pytest.raises(OutcomeUnknown):
            await two.anna.bookings.move(bar, bar.room_id, two.day(30), two.day(33))
    await until(lambda: two.anna.store.occupancies[bar.id].arrival == two.day(30))


async def test_two_moves_under_way_that_are_both_refused_leave_the_bar_where_it_stood(
    two: Two, monkeypatch: pytest.MonkeyPatch
) -> None:
    booking = await two.book()
    bar = two.anna.store.of_booking(booking)[0]
    answers: list[asyncio.Future[Any]] = []

    async def refused_later(*_: Any, **__: Any) -> Any:
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    with monkeypatch.context() as patch:
        patch.setattr(writes, "save", refused_later)
        first = asyncio.create_task(two.anna.bookings.move(bar, bar.room_id, two.day(30), two.day(33)))
        await until(lambda: len(answers) == 1)
        shown = two.anna.store.occupancies[bar.id]
        second = asyncio.create_task(two.anna.bookings.move(shown, bar.room_id, two.day(40), two.day(43)))
        await until(lambda: len(answers) == 2)
        for answer in answers:
            answer.set_exception(Busy())
        assert [type(it) for it in await asyncio.gather(first, second, return_exceptions=True)] == [
            Busy,
            Busy,
        ]
    assert two.anna.store.occupancies[bar.id] == bar


async def test_saving_again_what_nobody_knows_of_happens_once(
    two: Two, monkeypatch: pytest.MonkeyPatch, database: TestDatabase
) -> None:
    two.anna.outbox.close()  # as with offline_queue = false
    save = writes.save

    async def done_all_the_same(*args: Any, **more: Any) -> Any:
        await save(*args, **more)
        raise OutcomeUnknown

    values = {"last_name": "Neumann", "date_of_birth": date(1980, 2, 29)}
    with monkeypatch.context() as patch:
        patch.setattr(writes, "save", done_all_the_same)
        with pytest.raises(OutcomeUnknown):
            await two.anna.guests.create(values)
    again = await two.anna.guests.create(values)
    assert again.outcome is Outcome.DONE
    assert again.id is not None
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        count = "SELECT count(*) FROM app.guests WHERE last_name = 'Neumann'"
        assert await owner.fetchval(count) == 1
        assert (await two.anna.guests.create(values)).id != again.id, "known by now: another one is wanted"
        assert await owner.fetchval(count) == 2
    finally:
        await owner.close()


async def test_a_stay_that_a_colleague_moved_is_named_as_merged(two: Two) -> None:
    booking = await two.book()
    bar = two.anna.store.of_booking(booking)[0]
    before = {"room_id": bar.room_id, "arrival": bar.arrival, "departure": bar.departure}
    known = {"notes": None, f"stay/{bar.id}": before}
    assert (await two.ben.bookings.move(bar, bar.room_id, two.day(7), two.day(10))).outcome is Outcome.DONE
    result = await two.anna.bookings.save(booking, {"notes": Change(None, "Kinderbett")}, known)
    assert (result.outcome, result.merged) == (Outcome.DONE, (f"stay/{bar.id}",))


async def test_unlocking_with_a_password_that_must_be_changed_says_so(
    two: Two, database: TestDatabase
) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("UPDATE auth.users SET must_change_password = true WHERE username = 'ben'")
    finally:
        await owner.close()
    with pytest.raises(MustChangePassword):
        await two.ben.unlock(database.users["ben"].password)
