"""What staff do with a bar of the chart, from the question to the toast. Runs inside a worker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, cast

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain import german
from dpolg_tui.domain import rearrange as plans
from dpolg_tui.domain.chart import is_retired, room_key
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import (
    BookingSummary,
    FreeRoom,
    InTheWay,
    Occupancy,
    Outcome,
    Status,
    WriteResult,
)
from dpolg_tui.domain.rearrange import Plan
from dpolg_tui.domain.stay import may_change
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog, StayChange
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.early_departure import EarlyDepartureDialog
from dpolg_tui.tui.dialogs.rearrange import RearrangeDialog
from dpolg_tui.tui.dialogs.taken import TakenDialog, in_the_way
from dpolg_tui.tui.saving import queued_sentence
from dpolg_tui.tui.widgets.chart import OccupancyChart

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

DAY = timedelta(days=1)


def stay_label(stay: Occupancy) -> str:
    """``2026-118 · Huber, Eva``."""
    return german.clean_line(f"{stay.number} · {stay.last_name}, {stay.first_name}")


def _is_done(app: DeskApp, result: WriteResult, sentence: str) -> bool:
    """Says what became of a write that nothing stood in the way of."""
    match result.outcome:
        case Outcome.DONE:
            app.show_toast(sentence)
            return True
        case Outcome.QUEUED:
            app.show_toast(queued_sentence("Änderung"))
            return True
        case Outcome.CONFLICT:
            who = result.changed_by or "Jemand"
            app.show_toast(
                f"{who} hat das inzwischen geändert: bitte ansehen und noch einmal versuchen.", "warning"
            )
        case Outcome.TAKEN:
            names = ", ".join(way.label for way in result.in_the_way)
            app.show_toast(f"Das Zimmer ist inzwischen belegt: {german.clean_line(names)}.", "warning")
        case Outcome.MISSING:
            app.show_toast("Das gibt es nicht mehr: jemand hat es inzwischen gelöscht.", "warning")
    return False


# --- Moving and other days ------------------------------------------------------------------------


async def change_stay(
    app: DeskApp, change: StayChange, chart: OccupancyChart, *, pushes: bool = False
) -> None:
    """Asks once, moves, and where the room is taken offers those that are free, or to shift the neighbours.

    The cursor follows into a room that was chosen there. ``pushes``: shifts them without this offer.
    """
    desk, stay, dropped = app.desk, change.occupancy, change.room_id
    while change.changes_anything:
        ways = _known_ways(app, change)
        if ways and pushes:
            await make_room(app, change)
            return
        if not ways:
            if not await app.push_screen_wait(ChangeStayDialog(change, desk.store.rooms)):
                return
            result = await desk.bookings.move(stay, change.room_id, change.arrival, change.departure)
            if result.outcome is not Outcome.TAKEN:
                where = room_label(change.room_id, desk.store.rooms)
                dates = german.format_date_range(change.arrival, change.departure)
                what = "Sperre" if stay.is_block else stay.number
                done = _is_done(app, result, german.clean_line(f"{what}: {where}, {dates}"))
                if done and change.room_id is not None and change.room_id != dropped:
                    chart.place_cursor(room_key(change.room_id), chart.cursor.day)
                return
            ways = result.in_the_way
        chosen = await _way_out(app, change, ways)
        if chosen is None:
            return
        if isinstance(chosen, str):
            await make_room(app, change)
            return
        change = replace(change, room_id=chosen)


def _known_ways(app: DeskApp, change: StayChange) -> Sequence[InTheWay]:
    """Who is in the way as far as this desk knows, so that no question is asked in vain."""
    if change.room_id is None:
        return ()
    first = change.today if change.moves_remaining else change.arrival
    found = app.desk.store.in_room(change.room_id, first, change.departure)
    return [in_the_way(other) for other in found if other.id != change.occupancy.id]


async def _way_out(app: DeskApp, change: StayChange, ways: Sequence[InTheWay]) -> int | str | None:
    """Another room, or the neighbours shifted; None: nothing of that."""
    free = [
        it for it in await _free_rooms(app, change) if replace(change, room_id=it.room_id).changes_anything
    ]
    shifts: bool | str = True
    try:
        _room_made(app, change)
    except InvalidInput as why_not:
        shifts = why_not.message
    return cast("int | str | None", await app.push_screen_wait(TakenDialog(ways, free, shifts)))


async def _free_rooms(app: DeskApp, change: StayChange) -> Sequence[FreeRoom]:
    """Free rooms, from what this desk shows if it can: the answer stands there at once."""
    store, stay = app.desk.store, change.occupancy
    first = change.today if change.moves_remaining else change.arrival
    persons = max(1, stay.persons)
    if not store.covers(first, change.departure):
        return await app.desk.bookings.free_rooms(first, change.departure, persons, stay.booking_id)
    return [
        FreeRoom(room.id, room.capacity >= persons)
        for room in store.rooms.values()
        if not is_retired(room, change.departure - DAY)
        and all(other.id == stay.id for other in store.in_room(room.id, first, change.departure))
    ]


# --- Several bars at once ---------------------------------------------------------------------------


def _room_made(app: DeskApp, change: StayChange) -> Plan:
    return app.desk.bookings.make_room(change.occupancy, change.place)


async def make_room(app: DeskApp, change: StayChange) -> None:
    """Moves a bar and shifts who is in the way."""
    plan = _room_made(app, change)
    await _rearrange(app, "Mit Nachbarn verschieben?", plan, "Verschieben", "Verschoben")


async def swap(app: DeskApp, first: Occupancy, second: Occupancy) -> None:
    """Exchanges the rooms of two bars."""
    plan = plans.swap(first, second, app.desk.today())
    await _rearrange(app, "Zimmer tauschen?", plan, "Tauschen", "Getauscht")


async def split(app: DeskApp, stay: Occupancy, day: date) -> None:
    """Two stays in the same room; the second can then go elsewhere."""
    plan = plans.split(stay, day, stay.room_id)
    await _rearrange(app, "Aufenthalt teilen?", plan, "Teilen", "Geteilt (m verschiebt jeden Teil für sich)")


async def join(app: DeskApp, stay: Occupancy) -> None:
    """One stay with the next of the same booking."""
    other = plans.next_part(stay, app.desk.store.of_booking(stay.booking_id or 0))
    if other is None:
        app.show_toast(
            f"Neben {plans.bar_label(stay)} liegt kein zweiter Aufenthalt derselben Buchung.", "warning"
        )
        return
    plan = plans.join(stay, other, app.desk.today())
    await _rearrange(app, "Aufenthalte verbinden?", plan, "Verbinden", "Verbunden")


async def _rearrange(app: DeskApp, title: str, plan: Plan, button: str, done: str) -> None:
    """Asks once and does it, unless somebody else is known to be in the way."""
    desk = app.desk
    moved = {step.bar.id for step in plan}
    places = [place for step in plan for place in step.places if place.room_id is not None]
    ways = {
        plans.bar_label(other): None
        for place in places
        for other in desk.store.in_room(place.room_id, place.arrival, place.departure)
        if other.id not in moved
    }
    if ways:
        app.show_toast(f"Im Weg: {', '.join(ways)}. Bitte zuerst verschieben.", "warning")
        return
    if not await app.push_screen_wait(RearrangeDialog(title, plan, desk.store.rooms, button)):
        return
    names = ", ".join(dict.fromkeys(plans.bar_label(step.bar) for step in plan))
    _is_done(app, await desk.bookings.rearrange(plan), f"{done}: {names}.")


# --- Arriving and leaving -------------------------------------------------------------------------


async def check_in(app: DeskApp, stay: Occupancy) -> None:
    """Checks in; asks if the day of arrival is another or the stay has no room."""
    if stay.booking_id is None or stay.status is None:
        return
    if stay.status is Status.CHECKED_IN or not may_change(stay.status, Status.CHECKED_IN):
        app.show_toast(f"{stay_label(stay)} ist {german.status_label(stay.status)}.", "warning")
        return
    today = app.desk.today()
    doubts = []
    if stay.arrival > today:
        doubts.append(f"Die Anreise ist erst am {german.format_date(stay.arrival)}.")
    if stay.room_id is None:
        doubts.append("Der Aufenthalt hat noch kein Zimmer.")
    if stay.status is Status.CHECKED_OUT:
        doubts.append("Der Gast ist schon ausgecheckt: das nimmt den Check-out zurück.")
    if doubts:
        dialog = ConfirmDialog("Trotzdem einchecken?", [stay_label(stay), *doubts], "Einchecken")
        if not await app.push_screen_wait(dialog):
            return
    result = await app.desk.bookings.check_in(stay.booking_id)
    _is_done(app, result, f"{stay_label(stay)} ist eingecheckt.")


async def check_out(app: DeskApp, stay: Occupancy) -> None:
    """Checks out; who leaves early is asked whether the remaining nights become free."""
    if stay.booking_id is None or stay.status is None:
        return
    if stay.status is not Status.CHECKED_IN:
        app.show_toast(
            f"{stay_label(stay)} ist {german.status_label(stay.status)}: auschecken lässt sich nur, "
            "wer eingecheckt ist.",
            "warning",
        )
        return
    # Whoever leaves on the day of arrival has still taken one night.
    leaves = max(app.desk.today(), stay.arrival + DAY)
    shorten: bool | None = False
    if leaves < stay.departure:
        dialog = EarlyDepartureDialog(stay_label(stay), stay.departure, leaves)
        shorten = cast("bool | None", await app.push_screen_wait(dialog))
        if shorten is None:
            return
    result = await app.desk.bookings.check_out(stay.booking_id, leaves if shorten else None)
    _is_done(app, result, f"{stay_label(stay)} ist ausgecheckt.")


# --- Cancelling and bringing back -----------------------------------------------------------------


async def cancel(app: DeskApp, stay: Occupancy) -> bool:
    """Cancels with a reason. True if it was done."""
    if stay.booking_id is None or stay.status is None:
        return False
    if not may_change(stay.status, Status.CANCELLED):
        app.show_toast(
            f"{stay_label(stay)} ist {german.status_label(stay.status)} und lässt sich nicht stornieren.",
            "warning",
        )
        return False
    reason = cast("str | None", await app.push_screen_wait(CancelDialog(stay_label(stay))))
    if reason is None:
        return False
    result = await app.desk.bookings.cancel(stay.booking_id, reason)
    return _is_done(app, result, f"{stay_label(stay)} ist storniert. r holt die Buchung zurück.")


async def lift_block(app: DeskApp, block: Occupancy) -> None:
    """Removes a block after asking."""
    dates = german.format_date_range(block.arrival, block.departure)
    room = room_label(block.room_id, app.desk.store.rooms)
    why = ": ".join(filter(None, (german.kind_label(block.kind), block.reason)))
    what = german.clean_line(f"{room}, {dates}: {why}")
    dialog = ConfirmDialog("Sperre aufheben?", what, "Aufheben", danger=True)
    if await app.push_screen_wait(dialog):
        _is_done(app, await app.desk.blocks.delete(block.id), "Die Sperre ist aufgehoben.")


async def reopen(app: DeskApp, found: BookingSummary) -> bool:
    """Brings a cancelled booking back. True if it was done."""
    result = await app.desk.bookings.reopen(found.id)
    lost = " Ihr Zimmer ist inzwischen belegt: sie steht unter „Ohne Zimmer“." if result.lost_room else ""
    return _is_done(app, result, f"{found.number} ist wieder offen.{lost}")


# --- News -----------------------------------------------------------------------------------------


def news(chart: OccupancyChart, event: RecordChanged) -> str:
    """What a colleague has done, in a few words; empty for own changes. Before it is drawn."""
    if event.own or event.by is None or event.kind == "guest":
        return ""
    occupancies = chart.model.source.occupancies
    rooms = chart.model.rooms
    before = next((it for it in map(chart.drawn_occupancy, event.occupancies) if it is not None), None)
    now = next((occupancies[it] for it in event.occupancies if it in occupancies), None)
    shown = now or before
    if event.kind == "room":
        what = room_label(event.id, rooms)
    elif shown is None:
        return ""
    elif shown.is_block:
        what = f"Sperre in {room_label(shown.room_id, rooms)}"
    else:
        what = f"{shown.number} {shown.last_name}"
    return f"» {german.clean_line(f'{event.by.display_name} hat {what} {_verb(event, before, now)}')}"


def _verb(event: RecordChanged, before: Occupancy | None, now: Occupancy | None) -> str:
    if event.action != "updated":
        return "angelegt" if event.action == "created" else "gelöscht"
    if event.kind == "booking" and now is None:
        return "storniert"
    if before is not None and now is not None:
        if before.room_id != now.room_id:
            return "verschoben"
        if (before.arrival, before.departure) != (now.arrival, now.departure):
            return "auf andere Tage gelegt"
        if before.status is not now.status and now.status is not None:
            return f"auf {german.status_label(now.status)} gesetzt"
    return "geändert"
