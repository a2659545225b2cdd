"""Forms of every kind that stay open while a colleague saves: they follow, mark, and move nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from textual.widgets import Input

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import StoreReloaded
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Kind
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.form import FormDialog
from dpolg_tui.tui.dialogs.reminder import ReminderDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.dialogs.user import UserDialog
from dpolg_tui.tui.widgets.booking_form import BookingForm
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house, in_days, signed_in


@dataclass
class Opened:
    """A dialog, how a colleague saves its record, and two of its fields with what is stored in them."""

    dialog: FormDialog
    save: Callable[[Desk, Changes], Awaitable[object]]
    typed_in: tuple[str, object]
    other: tuple[str, object]


async def a_room(desks: Desks) -> Opened:
    room = desks.house.single
    return Opened(
        RoomDialog(room),
        lambda desk, changes: desk.rooms.save(room, changes),
        ("category", "EZ"),
        ("building", "Haupthaus"),
    )


async def a_reminder(desks: Desks) -> Opened:
    booking = await book(desks.ben, desks.house.huber, None, 0)
    added = (await desks.ben.reminders.add(booking, "Anruf", in_days(0))).id or 0
    return Opened(
        ReminderDialog(booking, added),
        lambda desk, changes: desk.reminders.save(added, changes),
        ("title", "Anruf"),
        ("description", None),
    )


async def a_user(desks: Desks) -> Opened:
    ben = desks.ben.user
    assert ben is not None
    return Opened(
        UserDialog(ben.id),
        lambda desk, changes: desk.people.save(ben.id, changes),
        ("full_name", "Ben Beispiel"),
        ("email", "ben@example.org"),
    )


@pytest.mark.parametrize("make", [a_room, a_reminder, a_user])
async def test_what_i_type_stays_and_the_rest_follows(
    database: TestDatabase, make: Callable[[Desks], Awaitable[Opened]]
) -> None:
    async with house(database, user="admin") as desks, signed_in(database, "admin") as colleague:
        opened = await make(desks)
        await desks.open(opened.dialog)
        (mine, was), (other, before) = opened.typed_in, opened.other
        await desks.type_into(mine, "von Hand")
        await desks.press("left", "left")
        editor = desks.form.field(mine).editor_widget
        assert isinstance(editor, Input)
        at = editor.cursor_position
        await opened.save(colleague, {mine: Change(was, "anders"), other: Change(before, "a@b.example")})
        await desks.here.until(lambda: desks.form.field(other).value == "a@b.example", "followed")
        field = desks.form.field(mine)
        assert field.hint.endswith(" hat gespeichert: anders")
        assert (field.raw, editor.cursor_position, editor.has_focus) == ("von Hand", at, True)
        assert desks.form.changes() == {mine: Change(was, "von Hand")}


async def test_a_block_follows_as_a_whole(database: TestDatabase) -> None:
    async with house(database) as desks:
        today = desks.here.desk.today()
        days = [today + timedelta(number) for number in range(4)]
        made = await desks.ben.blocks.create(desks.house.single, days[0], days[2], Kind.HOUSE_USE, "Maler")
        store = desks.here.desk.store
        await desks.here.until(lambda: made.id in store.occupancies, "bar")
        await desks.open(BlockDialog(None, None, None, store.occupancies[made.id or 0]))
        await desks.type_into("reason", "Maler und Boden")
        before = {"room_id": desks.house.single, "arrival": days[0], "departure": days[2]}
        after = {"room_id": desks.house.double, "arrival": days[1], "departure": days[3]}
        await desks.ben.blocks.save(made.id or 0, {"stay": Change(before, after)})
        await desks.here.until(lambda: desks.form.values()["stay"] == after, "followed")
        assert desks.form.changes() == {"reason": Change("Maler", "Maler und Boden")}


async def test_a_dialog_follows_after_an_interruption(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open(RoomDialog(desks.house.single))
        await desks.type_into("city", "Bonn")
        own = desks.here.desk
        # As if the notice of it had been lost with the line.
        await desks.ben.rooms.save(desks.house.single, {"notes": Change(None, "Balkon")})
        await desks.here.until(lambda: own.store.rooms[desks.house.single].notes == "Balkon", "read anew")
        desks.form.load({"notes": None})
        own.tell(StoreReloaded())
        await desks.here.until(lambda: desks.form.field("notes").value == "Balkon", "followed")
        assert desks.form.field("city").raw == "Bonn"


async def test_a_stay_that_a_colleague_joined_with_another_gives_way_to_what_is_left(
    database: TestDatabase,
) -> None:
    async with house(database) as desks:
        booking_id = await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await desks.open_booking(booking_id)
        await desks.type_into("notes", "Hund")
        (first,) = (await desks.ben.bookings.get(booking_id)).stays
        was = {"room_id": first.room_id, "arrival": first.arrival, "departure": first.departure}
        now = {"room_id": desks.house.double, "arrival": in_days(1), "departure": in_days(6)}
        await desks.ben.bookings.save(
            booking_id, {f"stay/{first.id}": Change(was, None), "stay/new": Change(None, now)}
        )
        form = desks.form
        assert isinstance(form, BookingForm)
        await desks.here.until(lambda: form.room_id == desks.house.double, "followed")
        assert form.changes() == {"notes": Change(None, "Hund")}
        (left,) = (await desks.ben.bookings.get(booking_id)).stays
        assert form.originals[f"stay/{left.id}"] == now
