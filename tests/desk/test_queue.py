"""What waits in the queue is shown as it will be, can be taken back, and goes with what builds on it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import DeskEvent, RecordChanged
from dpolg_tui.domain.german import format_date_range, format_day_month
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Occupancy, Outcome, Status, WriteResult
from tests.databases import TestDatabase
from tests.desk.offline import count, cut, desk_through
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import House, furnish
from tools.wire_proxy import WireProxy, wire_proxy


@dataclass
class Cut:
    """Anna's desk with two bookings, its line cut."""

    anna: Desk
    proxy: WireProxy
    house: House
    booked: Occupancy
    other: Occupancy
    heard: list[DeskEvent]

    def day(self, offset: int) -> date:
        return self.anna.today() + timedelta(days=offset)

    def stay(self, room: int | None, first: int, nights: int = 2) -> dict[str, object]:
        return {"room_id": room, "arrival": self.day(first), "departure": self.day(first + nights)}

    def bars(self, booking_id: int | None) -> list[tuple[int | None, int, int, bool]]:
        assert booking_id is not None
        return [
            (
                bar.room_id,
                (bar.arrival - self.day(0)).days,
                (bar.departure - self.day(0)).days,
                bar.queued,
            )
            for bar in self.anna.store.of_booking(booking_id)
        ]

    async def sent(self) -> None:
        await self.proxy.accept()
        await until(lambda: not self.anna.outbox.waiting, 20)


async def book(desk: Desk, guest: int, room: int | None, first: int, nights: int = 3) -> WriteResult:
    first_day = desk.today() + timedelta(days=first)
    stay = {"room_id": room, "arrival": first_day, "departure": first_day + timedelta(days=nights)}
    return await desk.bookings.create({"guest_id": guest, "persons": 1, "stay/new": stay})


@asynccontextmanager
async def line_cut(database: TestDatabase) -> AsyncIterator[Cut]:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(wire_proxy(config_for(database).database.hosts[0]))
        anna = await stack.enter_async_context(desk_through(database, proxy))
        house = await furnish(anna)
        bars = []
        for guest, room in ((house.huber, house.single), (house.yilmaz, house.double)):
            made = await book(anna, guest, room, 5)
            assert made.id is not None
            await anna.bookings.get(made.id)
            bars += anna.store.of_booking(made.id)
        await cut(anna, proxy)
        heard: list[DeskEvent] = []
        anna.subscribe(heard.append)
        yield Cut(anna, proxy, house, bars[0], bars[1], heard)


async def test_a_booking_made_offline_has_a_bar_a_form_and_can_be_moved_before_it_is_sent(
    database: TestDatabase,
) -> None:
    async with line_cut(database) as now:
        anna, house = now.anna, now.house
        made = await book(anna, house.huber, house.double, 0)
        assert made.outcome is Outcome.QUEUED
        (bar,) = anna.store.of_booking(made.id or 0)
        assert (bar.queued, bar.number, bar.last_name, bar.status) == (
            True,
            "vorgemerkt",
            "Huber",
            Status.CONFIRMED,
        )
        assert bar.id < 0
        told = [event for event in now.heard if isinstance(event, RecordChanged)]
        assert [(event.kind, event.id, event.occupancies) for event in told] == [
            ("booking", made.id, (bar.id,))
        ]
        assert [room.room_id for room in await anna.bookings.free_rooms(now.day(0), now.day(2), 1)] == [
            house.single
        ]
        found = await anna.bookings.search("huber")
        assert {one.number for one in found} == {"vorgemerkt", now.booked.number}
        booking = await anna.bookings.get(made.id or 0)
        assert (booking.guest_name, booking.stays[0].id) == ("Huber, Anton", bar.id)
        assert await anna.bookings.history(made.id or 0) == []
        # Moved, split and noted before it is sent.
        await anna.bookings.move(bar, house.single, now.day(0), now.day(4))
        (bar,) = anna.store.of_booking(made.id or 0)
        await anna.bookings.split(bar, now.day(2), house.double)
        assert now.bars(made.id) == [(house.single, 0, 2, True), (house.double, 2, 4, True)]
        await anna.bookings.save(made.id or 0, {"notes": Change(None, "Hund")})
        assert (await anna.bookings.get(made.id or 0)).notes == "Hund"
        await now.sent()
        assert anna.outbox.items == ()
        real = anna.outbox.real_id(made.id or 0)
        assert real > 0
        assert now.bars(real) == [(house.single, 0, 2, False), (house.double, 2, 4, False)]
        assert anna.store.of_booking(made.id or 0) == []
        assert (await anna.bookings.get(made.id or 0)).notes == "Hund"
        assert await count(database, "app.bookings") == 3


async def move(now: Cut) -> WriteResult:
    return await now.anna.bookings.move(now.booked, now.house.single, now.day(7), now.day(9))


async def cancel(now: Cut) -> WriteResult:
    return await now.anna.bookings.cancel(now.booked.booking_id or 0, "krank")


async def check_in(now: Cut) -> WriteResult:
    return await now.anna.bookings.check_in(now.booked.booking_id or 0)


async def swap(now: Cut) -> WriteResult:
    return await now.anna.bookings.swap(now.booked, now.other)


async def split(now: Cut) -> WriteResult:
    return await now.anna.bookings.split(now.booked, now.day(6), now.house.single)


async def other_guest(now: Cut) -> WriteResult:
    change = Change(now.house.huber, now.house.yilmaz)
    return await now.anna.bookings.save(now.booked.booking_id or 0, {"guest_id": change})


async def rename(now: Cut) -> WriteResult:
    return await now.anna.guests.save(now.house.huber, {"last_name": Change("Huber", "Hubermann")})


Shown = list[tuple[int | None, int, int, Status | None, str]]


def shown(now: Cut) -> Shown:
    assert now.booked.booking_id is not None
    return [
        (
            bar.room_id,
            (bar.arrival - now.day(0)).days,
            (bar.departure - now.day(0)).days,
            bar.status,
            bar.last_name,
        )
        for bar in now.anna.store.of_booking(now.booked.booking_id)
    ]


CHANGES = (move, cancel, check_in, swap, split, other_guest, rename)


def anything_queued(now: Cut) -> bool:
    return any(bar.queued for bar in now.anna.store.occupancies.values())


async def test_what_is_changed_offline_is_shown_until_it_is_taken_back(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        before = shown(now)
        for change in CHANGES:
            assert (await change(now)).outcome is Outcome.QUEUED
            after = shown(now)
            assert after != before, change.__name__
            assert all(bar.queued for bar in now.anna.store.of_booking(now.booked.booking_id or 0))
            for _ in range(2):
                told = await now.anna.undo.undo()
                assert told.done, told
                assert "wird nicht gesendet" in told.sentence
                assert shown(now) == before
                assert not anything_queued(now)
                assert now.anna.outbox.items == ()
                assert (await now.anna.undo.redo()).done
                assert shown(now) == after
            assert (await now.anna.undo.undo()).done
        assert (await now.anna.undo.redo()).done
        after = shown(now)
        await now.sent()
        assert now.anna.outbox.items == ()
        assert shown(now) == after
        assert not anything_queued(now)


@pytest.mark.long
@pytest.mark.parametrize("change", CHANGES)
async def test_what_is_shown_is_what_is_saved(
    database: TestDatabase, change: Callable[[Cut], Awaitable[WriteResult]]
) -> None:
    async with line_cut(database) as now:
        await change(now)
        after = shown(now)
        await now.sent()
        assert now.anna.outbox.items == ()
        assert shown(now) == after
        assert not anything_queued(now)


async def test_blocks_made_changed_and_lifted_offline(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, house = now.anna, now.house
        made = await anna.blocks.create(house.single, now.day(0), now.day(2), Kind.OUT_OF_ORDER, "Dusche")
        bar = anna.store.occupancies[made.id or 0]
        assert (bar.room_id, bar.reason, bar.is_block, bar.queued) == (house.single, "Dusche", True, True)
        await anna.bookings.move(bar, house.double, now.day(0), now.day(3))
        await anna.blocks.save(bar.id, {"reason": Change("Dusche", "Bad")})
        bar = anna.store.occupancies[made.id or 0]
        assert (bar.room_id, bar.departure, bar.reason) == (house.double, now.day(3), "Bad")
        await now.sent()
        (real,) = [one for one in anna.store.occupancies.values() if one.is_block]
        assert (real.room_id, real.departure, real.reason, real.queued) == (
            house.double,
            now.day(3),
            "Bad",
            False,
        )
        await cut(anna, now.proxy)
        await anna.blocks.delete(real.id)
        assert real.id not in anna.store.occupancies
        assert (await anna.undo.undo()).done
        assert anna.store.occupancies[real.id] == real


async def test_a_colleagues_change_comes_through_under_what_waits(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        await cancel(now)
        stored = Occupancy(
            **{
                **{name: getattr(now.booked, name) for name in Occupancy.__slots__},
                "room_id": None,
                "version": now.booked.version + 1,
            }
        )
        assert now.anna.store.apply([stored], bookings=[stored.booking_id or 0]) == ()
        assert shown(now) == []
        assert (await now.anna.undo.undo()).done
        assert now.anna.store.of_booking(stored.booking_id or 0) == [stored]


async def test_what_is_saved_already_is_said_to_be_so(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        told = await now.anna.undo.undo()
        assert not told.done
        assert "ist schon gespeichert: zurücknehmen lässt es sich, sobald" in told.sentence


async def test_what_builds_on_a_discarded_one_goes_with_it(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna = now.anna
        guest = await anna.guests.create({"last_name": "Neumann"})
        booked = await book(anna, guest.id or 0, now.house.double, 0)
        noted = await anna.bookings.save(booked.id or 0, {"notes": Change(None, "Hund")})
        assert noted.outcome is Outcome.QUEUED
        other = await anna.guests.save(now.house.huber, {"city": Change("Ulm", "Bonn")})
        assert other.outcome is Outcome.QUEUED
        first, *rest = anna.outbox.items
        assert [one.label for one in anna.outbox.building_on(first.request)] == [
            one.label for one in rest[:2]
        ]
        assert anna.outbox.discard(first.request)
        assert [one.label for one in anna.outbox.items] == [rest[2].label]
        assert anna.store.of_booking(booked.id or 0) == []
        assert await anna.guests.search("neumann") == []
        await now.sent()
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 0


async def test_what_is_discarded_or_taken_back_is_not_called_saved(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, outbox = now.anna, now.anna.outbox
        await move(now)
        assert outbox.save_state == "queued 1"
        assert outbox.discard(outbox.items[0].request)
        assert outbox.save_state == ""
        await move(now)
        assert (await anna.undo.undo()).done
        assert outbox.save_state == ""
        assert (await anna.undo.redo()).done
        await now.sent()
        assert outbox.save_state == "done"


async def test_changes_of_one_booking_are_told_apart(database: TestDatabase) -> None:
    async with line_cut(database) as now:
        anna, house, booking = now.anna, now.house, now.booked.booking_id or 0
        name = f"Buchung {now.booked.number} Huber: "
        range_of = format_date_range

        def label() -> str:
            return anna.outbox.items[-1].label.removeprefix(name)

        await anna.bookings.move(now.booked, house.double, now.day(10), now.day(14))
        assert label() == f"Aufenthalt nach 2 [Wendelstein] verlegen, {range_of(now.day(10), now.day(14))}"
        (bar,) = anna.store.of_booking(booking)
        await anna.bookings.move(bar, house.single, bar.arrival, bar.departure)
        assert label() == "Aufenthalt nach 1 Zugspitze verlegen"
        (bar,) = anna.store.of_booking(booking)
        await anna.bookings.split(bar, now.day(12), house.single)
        assert label() == f"Teilen am {format_day_month(now.day(12))}"
        first, second = anna.store.of_booking(booking)
        await anna.bookings.move(second, house.double, second.arrival, second.departure)
        assert label() == (f"Aufenthalt nach 2 [Wendelstein] verlegen ({range_of(now.day(12), now.day(14))})")
        _, second = anna.store.of_booking(booking)
        await anna.bookings.split(second, now.day(13), None)
        assert label() == f"Teilen am {format_day_month(now.day(13))}, ab da ohne Zimmer"
        _, second, third = anna.store.of_booking(booking)
        await anna.bookings.join(second, third)
        assert label() == f"Verbinden zu {range_of(now.day(12), now.day(14))}"
        first, _ = anna.store.of_booking(booking)
        await anna.bookings.move(first, None, first.arrival, first.departure)
        assert label() == f"Aufenthalt ohne Zimmer ({range_of(now.day(10), now.day(12))})"
        first, _ = anna.store.of_booking(booking)
        await anna.bookings.move(first, None, now.day(8), first.departure)
        assert label() == f"Anreise am {format_day_month(now.day(8))} ({range_of(now.day(10), now.day(12))})"
        await anna.bookings.check_in(now.other.booking_id or 0)
        assert anna.outbox.items[-1].label.endswith(": Status eingecheckt")
        labels = [one.label for one in anna.outbox.items]
        assert len(set(labels)) == len(labels)
        await now.sent()
        assert anna.outbox.items == ()
