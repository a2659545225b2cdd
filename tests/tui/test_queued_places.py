"""What waits to be sent is seen where its user looks: every row of the table in docs/offline.md."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from dpolg_tui.desk import Desk
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome, WriteResult
from dpolg_tui.tui.screens.chart import ChartScreen
from dpolg_tui.tui.screens.guests import GuestsScreen
from dpolg_tui.tui.screens.rooms import RoomsScreen
from dpolg_tui.tui.widgets.booking_sections import ReminderTable
from dpolg_tui.tui.widgets.record_table import RecordTable
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks
from tests.tui.offline_desk import cut_off, offline
from tests.tui.test_booking_sections import REMINDERS, turn_to

DOCUMENT = Path(__file__).parents[2] / "docs" / "offline.md"


SINGLE, DOUBLE = "1 Zugspitze", "2 [Wendelstein]"


@dataclass
class Cut:
    """The application of an admin without a line, and the ids of what was there before."""

    desks: Desks
    moved: int
    cancelled: int
    deleted: int
    renamed: int
    ticked: int
    ziegler: int
    changed_block: int
    lifted_block: int
    geigelstein: int

    @property
    def desk(self) -> Desk:
        return self.desks.here.desk

    def day(self, offset: int) -> date:
        return self.desk.today() + timedelta(offset)


async def _furnish(desks: Desks) -> Cut:
    """What is changed later; all of it is known here when the line is cut."""
    desk, house = desks.here.desk, desks.house
    day = desk.today()

    async def made(result: Awaitable[WriteResult]) -> int:
        done = await result
        assert done.id is not None, done
        return done.id

    def stay(room: int, first: int) -> dict[str, object]:
        return {"room_id": room, "arrival": day + timedelta(first), "departure": day + timedelta(first + 2)}

    async def booked(guest: int, first: int) -> int:
        values = {"guest_id": guest, "persons": 1, "stay/new": stay(house.single, first)}
        return await made(desk.bookings.create(values))

    async def blocked(first: int, reason: str) -> int:
        last = day + timedelta(first + 1)
        room = house.single
        return await made(desk.blocks.create(room, day + timedelta(first), last, Kind.OUT_OF_ORDER, reason))

    moved = await booked(house.huber, 0)
    reminders = [await made(desk.reminders.add(moved, title, day)) for title in ("Anruf", "Schlüssel")]
    guests = [await made(desk.guests.create({"last_name": name})) for name in ("Maier", "Ott", "Ziegler")]
    bookings = [await booked(guests[0], 4), await booked(guests[1], 8)]
    blocks = [await blocked(16, "Dusche"), await blocked(18, "Dach")]
    room = await made(desk.rooms.create(ROOM | {"name": "4 Geigelstein"}))
    for booking in (moved, *bookings):
        await desk.bookings.get(booking)
    await desk.guests.search("")
    return Cut(desks, moved, *bookings, *reminders, guests[2], *blocks, room)


ROOM = {
    "category": "EZ",
    "place": "Brannenburg",
    "capacity": 1,
    "price_low": Decimal("40.00"),
    "price_high": Decimal("40.00"),
}


# What is done


async def book(cut: Cut) -> WriteResult:
    house = cut.desks.house
    stay = {"room_id": house.double, "arrival": cut.day(12), "departure": cut.day(14)}
    return await cut.desk.bookings.create({"guest_id": house.yilmaz, "persons": 1, "stay/new": stay})


async def move(cut: Cut) -> WriteResult:
    bar = cut.desk.store.of_booking(cut.moved)[0]
    return await cut.desk.bookings.move(bar, cut.desks.house.double, bar.arrival, bar.departure)


async def block(cut: Cut) -> WriteResult:
    room = cut.desks.house.single
    return await cut.desk.blocks.create(room, cut.day(20), cut.day(22), Kind.HOUSE_USE, "Chor")


# What is seen: a mark, or none, for each time that it is there


def listed(words: str) -> Callable[[Cut], list[bool]]:
    """In the tables of the screen."""

    def seen(cut: Cut) -> list[bool]:
        rows = [
            "".join(str(cell) for cell in table.get_row_at(number))
            for table in cut.desks.screen.query(RecordTable)
            for number in range(table.row_count)
        ]
        return ["↑" in row for row in rows if words in row]

    return seen


def on_chart(name: str, room: str) -> Callable[[Cut], list[bool]]:
    """In a room of the chart, as it is drawn: a short bar shows the beginning of a name."""

    def seen(cut: Cut) -> list[bool]:
        lines = [line for line in cut.desks.here.text().splitlines() if room in line]
        return [found == "↑" for line in lines for found in re.findall(rf"(\S) {re.escape(name)}", line)]

    return seen


def blocked(reason: str) -> Callable[[Cut], list[bool]]:
    """Below the list of rooms, and as a bar."""

    def seen(cut: Cut) -> list[bool]:
        bars = [bar.queued for bar in cut.desk.store.occupancies.values() if bar.reason == reason]
        return [*listed(reason)(cut), *bars]

    return seen


@dataclass(frozen=True)
class Step:
    """A write, and what is seen of it where: before, while it waits, and when it is sent."""

    screen: str
    change: Callable[[Cut], Awaitable[WriteResult]]
    seen: Callable[[Cut], list[bool]]
    appears: bool = True
    """Something is there that was not there before; else something goes."""
    times: int = 1

    @property
    def before(self) -> list[bool]:
        return [] if self.appears else [False] * self.times

    @property
    def waiting(self) -> list[bool]:
        return [True] * self.times if self.appears else []

    @property
    def sent(self) -> list[bool]:
        return [False] * self.times if self.appears else []


STEPS = {
    "booking made": Step("chart", book, on_chart("Yıl", DOUBLE)),
    "booking changed": Step("chart", move, on_chart("Hub", DOUBLE)),
    "booking cancelled": Step(
        "chart",
        lambda cut: cut.desk.bookings.cancel(cut.cancelled, "krank"),
        on_chart("Mai", SINGLE),
        appears=False,
    ),
    "booking deleted": Step(
        "chart", lambda cut: cut.desk.bookings.delete(cut.deleted), on_chart("Ott", SINGLE), appears=False
    ),
    "reminder made": Step(
        "booking", lambda cut: cut.desk.reminders.add(cut.moved, "Kaution", cut.day(2)), listed("Kaution")
    ),
    "reminder changed": Step(
        "booking",
        lambda cut: cut.desk.reminders.save(cut.renamed, {"title": Change("Anruf", "Anruf um zwei")}),
        listed("Anruf um zwei"),
    ),
    "reminder ticked off": Step(
        "booking", lambda cut: cut.desk.reminders.complete(cut.ticked), listed("erledigt Admin Beispiel")
    ),
    "guest made": Step(
        "guests", lambda cut: cut.desk.guests.create({"last_name": "Neumann"}), listed("Neumann")
    ),
    "guest changed": Step(
        "guests",
        lambda cut: cut.desk.guests.save(cut.desks.house.huber, {"city": Change("Ulm", "Bonn")}),
        listed("Bonn"),
    ),
    "guest deleted": Step(
        "guests", lambda cut: cut.desk.guests.delete(cut.ziegler), listed("Ziegler"), appears=False
    ),
    "block made": Step("rooms", block, blocked("Chor"), times=2),
    "block changed": Step(
        "rooms",
        lambda cut: cut.desk.blocks.save(cut.changed_block, {"reason": Change("Dusche", "Bad")}),
        blocked("Bad"),
        times=2,
    ),
    "block lifted": Step(
        "rooms", lambda cut: cut.desk.blocks.delete(cut.lifted_block), blocked("Dach"), appears=False, times=2
    ),
    "room made": Step(
        "rooms", lambda cut: cut.desk.rooms.create(ROOM | {"name": "3 Hochfelln"}), listed("3 Hochfelln")
    ),
    "room changed": Step(
        "rooms",
        lambda cut: cut.desk.rooms.save(cut.desks.house.single, {"capacity": Change(1, 7)}),
        listed("Haupthaus7"),
    ),
    "room deleted": Step(
        "rooms", lambda cut: cut.desk.rooms.delete(cut.geigelstein), listed("4 Geigelstein"), appears=False
    ),
}


def test_every_row_of_the_table_is_tried() -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition("### Where what waits is seen")[2]
    rows = re.findall(r"^\| (?!Queued)([^|]+?) \|", text.partition("\n## ")[0], re.MULTILINE)
    assert sorted(rows) == sorted(STEPS)


async def open_screen(cut: Cut, name: str) -> None:
    """Shows where these things are seen, with the cursor where Strg+Z counts."""
    desks = cut.desks
    while not isinstance(desks.screen, ChartScreen):
        await desks.here.app.pop_screen()
        await desks.here.pilot.pause()
    match name:
        case "booking":
            await desks.open_booking(cut.moved)
            await turn_to(desks, REMINDERS)
        case "guests":
            desks.here.app.push_screen(GuestsScreen())
            await desks.here.sees("Huber, Anton")
        case "rooms":
            screen = RoomsScreen()
            desks.here.app.push_screen(screen)
            await desks.here.until(lambda: screen.query("#blocks-title") and screen.table.row_count, "rooms")
            await desks.here.sees("Sperren von Zimmer 1 Zugspitze")


async def sees(cut: Cut, step: Step, wanted: list[bool], when: str) -> None:
    await cut.desks.here.until(lambda: step.seen(cut) == wanted, f"{when}: {wanted}")


async def test_what_waits_is_seen_on_every_screen_and_plain_once_when_it_is_sent(
    database: TestDatabase,
) -> None:
    async with cut_off(database, "admin") as (desks, proxy):
        cut = await _furnish(desks)
        await offline(desks, proxy)
        screens = dict.fromkeys(step.screen for step in STEPS.values())
        for screen in screens:
            await open_screen(cut, screen)
            for name, step in STEPS.items():
                if step.screen != screen:
                    continue
                await sees(cut, step, step.before, f"{name}, before")
                assert (await step.change(cut)).outcome is Outcome.QUEUED
                await sees(cut, step, step.waiting, f"{name}, waiting")
                await desks.press("ctrl+z")
                await sees(cut, step, step.before, f"{name}, taken back")
                await desks.press("ctrl+y")
                await sees(cut, step, step.waiting, f"{name}, put back")
            if screen == "booking":
                assert desks.screen.query_one(ReminderTable).has_focus
                await desks.here.sees("Erinnerungen 2")
        assert desks.here.desk.outbox.save_state == f"queued {len(STEPS)}"
        await proxy.accept()
        await desks.here.until(lambda: not cut.desk.outbox.items, "sent")
        for screen in screens:
            await open_screen(cut, screen)
            for name, step in STEPS.items():
                if step.screen == screen:
                    await sees(cut, step, step.sent, f"{name}, sent")
