"""The test scenarios of the client's plans, on real applications and a real database."""

from __future__ import annotations

import asyncio
import random
import time
from datetime import timedelta

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Occupancy, Outcome, Status
from dpolg_tui.tui.dialogs.taken import TakenDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from tests.databases import TestDatabase
from tests.desks import five
from tests.tui.desk_app import Running
from tests.tui.forms_house import House, furnish, make_rooms


async def _furnished(here: Running) -> House:
    return await furnish(here.desk)


async def _book_by_keyboard(here: Running, last_name: str, arrival: str, nights: str, notes: str) -> None:
    """n on the chart, the guest by typing, dates the German way, Ctrl+S."""
    await here.pilot.press("n")
    await here.until(lambda: isinstance(here.app.screen, BookingScreen), "booking form")
    form = here.app.screen.query_one("BookingForm")
    await here.pilot.press(*last_name)
    await here.sees(f"{last_name}, ")
    await here.pilot.press("enter")
    for name, text in (("arrival", arrival), ("departure", nights), ("notes", notes)):
        form.field(name).editor_widget.focus()  # type: ignore[attr-defined]
        await here.pilot.pause()
        await here.pilot.press("end", "ctrl+u", *text)
    await here.pilot.press("ctrl+s")


async def test_single_client(database: TestDatabase) -> None:
    """Start, login, create a booking; the row is read back with plain SQL."""
    async with five.desks(database, ["anna"]) as (here,):
        house = await _furnished(here)
        await _book_by_keyboard(here, "Huber", "+5", "+3", "Kinderbett")
        await here.until(lambda: here.desk.store.occupancies, "the bar")
        arrival = here.desk.today() + timedelta(days=5)
    found = await five.rows(
        database,
        "SELECT b.guest_id, b.status, b.persons, b.notes, o.arrival, o.departure, u.username"
        " FROM app.bookings b JOIN app.occupancies o ON o.booking_id = b.id"
        " JOIN auth.users u ON u.id = b.created_by",
    )
    assert [tuple(row) for row in found] == [
        (house.huber, "bestaetigt", 1, "Kinderbett", arrival, arrival + timedelta(days=3), "anna")
    ]
    overview = await five.rows(
        database, "SELECT checkin_date, checkout_date, version FROM app.booking_overview"
    )
    assert [tuple(row) for row in overview] == [(arrival, arrival + timedelta(days=3), 1)]


async def test_multi_client(database: TestDatabase) -> None:
    """A creates, B sees it at once, B edits, A sees it; nobody's cursor moves."""
    async with five.desks(database, ["anna", "ben"]) as (anna, ben):
        house = await _furnished(anna)
        await ben.until(lambda: len(ben.desk.store.rooms) == 2, "rooms")
        await ben.pilot.press("right", "right", "down")
        before = _cursor(ben)
        today = anna.desk.today()
        stay = {
            "room_id": house.double,
            "arrival": today + timedelta(days=1),
            "departure": today + timedelta(days=5),
        }
        made = await anna.desk.bookings.create({"guest_id": house.huber, "persons": 2, "stay/new": stay})
        assert made.id is not None
        await ben.sees("Huber +1")
        await ben.sees("Anna Beispiel")
        assert _cursor(ben) == before

        screen = await five.open_form(ben, booking_id=made.id)
        screen.form.field("persons").editor_widget.focus()
        await ben.pilot.press("end", "ctrl+u", "1", "ctrl+s")
        await anna.until(lambda: anna.desk.store.of_booking(made.id or 0)[0].persons == 1, "one person")
        await anna.until(lambda: "Huber +1" not in anna.text(), "the bar without +1")
        assert "Huber" in anna.text()


def _cursor(here: Running) -> tuple[object, ...]:
    chart = here.app.screen.query_one("OccupancyChart")
    return (chart.cursor, chart.scroll_offset)  # type: ignore[attr-defined]


async def test_stress_five_clients(database: TestDatabase) -> None:
    """Five desks work at once: every desk's chart is the database's, and no night is sold twice."""
    await _stress(database, seconds=8)


@pytest.mark.long
async def test_stress_five_clients_for_minutes(database: TestDatabase) -> None:
    await _stress(database, seconds=180)


async def _stress(database: TestDatabase, seconds: float) -> None:
    async with five.desks(database) as desks:
        house = await _furnished(desks[0])
        rooms = (
            {"name": f"{number}", "category": "DZ", "place": "Brannenburg", "capacity": 2}
            for number in range(3, 9)
        )
        await make_rooms(desks[0].desk, *rooms)
        for here in desks:
            await here.until(lambda here=here: len(here.desk.store.rooms) == 8, "rooms")
        end = time.monotonic() + seconds
        tallies = await asyncio.gather(
            *(_work(here, house, random.Random(f"{seconds} {n}"), end) for n, here in enumerate(desks))
        )
        done = sum(tally["done"] for tally in tallies)
        refused = sum(tally["taken"] for tally in tallies)
        assert done > 50, tallies
        assert refused > 0, "the desks never met: the test would show nothing"
        assert await five.overlaps(database) == 0
        await five.all_equal(database, desks)
        async with five.desks(database, ["admin"]) as fresh:
            pictures = [await five.chart_lines(here) for here in (*fresh, *desks)]
        for picture in pictures[1:]:
            assert picture == pictures[0], "a desk that watched looks different from one just opened"


async def _work(here: Running, house: House, chance: random.Random, end: float) -> dict[str, int]:
    """What a member of staff does all day, quickly: books, moves, extends, cancels, blocks, looks around."""
    desk = here.desk
    tally = {"done": 0, "taken": 0, "conflict": 0, "missing": 0, "refused": 0}
    while time.monotonic() < end:
        await here.pilot.press(chance.choice(["left", "right", "up", "down", "pagedown", "pageup", "t", "z"]))
        try:
            outcome = await _one_action(desk, house, chance)
        except DomainError:
            tally["refused"] += 1  # a rule of the house, e.g. check-in without a room
            continue
        if outcome is not None:
            tally[outcome.value] += 1
        await asyncio.sleep(chance.random() * 0.1)
    return tally


async def _one_action(desk: Desk, house: House, chance: random.Random) -> Outcome | None:
    first = desk.today() + timedelta(days=chance.randrange(0, 20))
    last = first + timedelta(days=chance.randrange(1, 6))
    room = chance.choice([None, *desk.store.rooms])
    bars = list(desk.store.occupancies.values())
    action = chance.choice(
        ["book", "book", "book", "move", "move", "extend", "cancel", "block", "lift", "note"]
    )
    stay = chance.choice(bars) if bars else None
    if action == "book" or stay is None:
        made = await desk.bookings.create(
            {
                "guest_id": chance.choice([house.huber, house.yilmaz]),
                "stay/new": {"room_id": room, "arrival": first, "departure": last},
            }
        )
        return made.outcome
    return await _change(desk, stay, action, room, chance)


async def _change(
    desk: Desk, bar: Occupancy, action: str, room: int | None, chance: random.Random
) -> Outcome | None:
    match action:
        case "move" if not bar.is_block or room is not None:
            return (await desk.bookings.move(bar, room, bar.arrival, bar.departure)).outcome
        case "extend":
            later = bar.departure + timedelta(days=1)
            return (await desk.bookings.move(bar, bar.room_id, bar.arrival, later)).outcome
        case "cancel" if bar.booking_id is not None and bar.status is Status.CONFIRMED:
            return (await desk.bookings.cancel(bar.booking_id, "Übung")).outcome
        case "block" if room is not None:
            block = await desk.blocks.create(room, bar.arrival, bar.departure, Kind.OUT_OF_ORDER, "Heizung")
            return block.outcome
        case "lift" if bar.is_block:
            return (await desk.blocks.delete(bar.id)).outcome
        case "note" if bar.booking_id is not None:
            booking = await desk.bookings.get(bar.booking_id)
            text = f"Notiz {chance.randrange(1000)}"
            return (await desk.bookings.save(booking.id, {"notes": Change(booking.notes, text)})).outcome
        case _:
            return None


@pytest.mark.long
async def test_of_five_desks_that_book_the_same_nights_one_succeeds(database: TestDatabase) -> None:
    """The four others see who won and still have what they typed."""
    async with five.desks(database) as desks:
        house = await _furnished(desks[0])
        for here in desks:
            await here.until(lambda here=here: len(here.desk.store.rooms) == 2, "rooms")
        arrival = desks[0].desk.today() + timedelta(days=3)
        forms = []
        for number, here in enumerate(desks):
            screen = await five.open_form(
                here, room_id=house.double, arrival=arrival, departure=arrival + timedelta(days=2)
            )
            await here.pilot.press(*"Huber")
            await here.sees("Huber, ")
            await here.pilot.press("enter")
            screen.form.field("notes").editor_widget.focus()
            await here.pilot.press(*f"Notiz {number}")
            await here.until(lambda screen=screen: screen.form.room_id == house.double, "room")
            forms.append(screen)
        await asyncio.gather(*(here.pilot.press("ctrl+s") for here in desks))
        losers = []
        for here, screen in zip(desks, forms, strict=True):
            await here.until(
                lambda here=here, screen=screen: (
                    isinstance(here.app.screen, TakenDialog)
                    or screen not in here.app.screen_stack
                    or (screen.booking is not None)
                ),
                "an answer",
            )
            if isinstance(here.app.screen, TakenDialog):
                losers.append((here, screen))
        assert len(losers) == 4
        assert await five.overlaps(database) == 0
        assert len(await five.rows(database, "SELECT id FROM app.bookings")) == 1
        for here, screen in losers:
            assert "Huber" in here.text(), "names the booking in the way"
            number = desks.index(here)
            assert screen.form.field("notes").value == f"Notiz {number}"


async def test_conflict(database: TestDatabase) -> None:
    """Two users send the same booking with version 1 and different rooms: one gets before, mine, theirs."""
    async with five.desks(database, ["anna", "ben"]) as (anna, ben):
        house = await _furnished(anna)
        today = anna.desk.today()
        room = {"name": "3", "category": "DZ", "place": "Brannenburg", "capacity": 2}
        (other,) = await make_rooms(anna.desk, room)
        nights = {"arrival": today + timedelta(days=1), "departure": today + timedelta(days=3)}
        made = await anna.desk.bookings.create(
            {"guest_id": house.huber, "stay/new": {"room_id": None, **nights}}
        )
        assert (made.id, made.version) == (made.id, 1)
        (stay,) = (await ben.desk.bookings.get(made.id or 0)).stays
        before = {"room_id": None, **nights}
        wishes = {"anna": {"room_id": house.double, **nights}, "ben": {"room_id": other, **nights}}
        results = await asyncio.gather(
            anna.desk.bookings.save(made.id or 0, {f"stay/{stay.id}": Change(before, wishes["anna"])}),
            ben.desk.bookings.save(made.id or 0, {f"stay/{stay.id}": Change(before, wishes["ben"])}),
        )
        assert sorted(result.outcome for result in results) == [Outcome.CONFLICT, Outcome.DONE]
        loser = 0 if results[0].outcome is Outcome.CONFLICT else 1
        mine, theirs = ("anna", "ben") if loser == 0 else ("ben", "anna")
        (conflict,) = results[loser].conflicts
        assert (conflict.before, conflict.mine, conflict.theirs) == (before, wishes[mine], wishes[theirs])
        assert results[loser].changed_by == f"{theirs.capitalize()} Beispiel"
