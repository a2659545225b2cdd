"""Strg+Z and Strg+Y: on the chart, in the list of my last changes, and in fields, where they are for text."""

from __future__ import annotations

from textual.widgets import Input

from dpolg_tui.domain.merge import Change
from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog
from dpolg_tui.tui.dialogs.last_changes import LastChangesDialog
from dpolg_tui.tui.screens.guests import GuestsScreen
from tests.databases import TestDatabase
from tests.tui.chart_screen import DAY, at_the_chart
from tests.tui.desk_app import Running
from tests.tui.forms_house import house


async def toast(here: Running, words: str) -> None:
    await here.until(
        lambda: any(words in note.message for note in here.app._notifications), f"toast {words!r}"
    )


async def test_a_move_is_taken_back_and_done_again(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        stay = await chart.book(chart.house.single, 1, 2)
        before = chart.stay(stay)
        assert before is not None

        def room() -> int | None:
            bar = chart.stay(stay)
            return None if bar is None else bar.room_id

        await chart.cursor_on(stay)
        # Nothing done so far, but a colleague's booking: that is not mine to take back.
        await chart.press("ctrl+z")
        await toast(chart.run, "nichts zurückzunehmen")
        await chart.press("m", "right", "down")
        await chart.press("ctrl+z")  # held in the hand: nothing happens
        await chart.press("enter")
        await chart.at(ChangeStayDialog)
        await chart.press("enter")
        await chart.back()
        await chart.run.until(lambda: room() == chart.house.double and chart.run.desk.undo.entries, "moved")
        await chart.press("ctrl+z")
        await toast(chart.run, f"Zurückgenommen: {before.number} verschoben")
        assert (room(), (chart.stay(stay) or before).arrival) == (chart.house.single, before.arrival)
        await chart.press("ctrl+y")
        await toast(chart.run, f"Wiederhergestellt: {before.number} verschoben")
        assert room() == chart.house.double
        theirs = chart.colleague.store.occupancies
        await chart.run.until(lambda: theirs[stay].room_id == chart.house.double, "at Ben's")
        moved = theirs[stay]
        await chart.colleague.bookings.move(moved, moved.room_id, moved.arrival, moved.departure + DAY)
        await chart.press("ctrl+z")
        await toast(chart.run, "Ben Beispiel hat die Abreise (jetzt")
        assert room() == chart.house.double


async def test_the_list_takes_back_one_and_says_what_is_in_the_way(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        here, desk = desks.here, desks.here.desk
        huber, yilmaz = desks.house.huber, desks.house.yilmaz
        await desk.guests.save(huber, {"city": Change("Ulm", "Rosenheim")})
        await desk.guests.save(yilmaz, {"phone": Change("0123 456", "0800 1")})
        await desks.ben.guests.save(yilmaz, {"phone": Change("0800 1", "0800 2")})
        here.app.action_last_changes()
        await here.until(lambda: isinstance(here.app.screen, LastChangesDialog), "dialog")
        await here.sees("Gast Yılmaz [VIP")
        await desks.press("enter")
        await here.sees("! etwas im Weg")
        await here.sees("Ben Beispiel hat Telefon")
        await desks.press("down", "enter")
        await here.sees("zurückgenommen")
        assert (await desk.guests.get(huber)).city == "Ulm"
        await desks.press("enter")
        await desks.toast("Wiederhergestellt: Gast Huber, Anton: Wohnort geändert")
        assert (await desk.guests.get(huber)).city == "Rosenheim"
        # On the list itself Strg+Z takes back the last one that stands.
        await desks.press("escape")
        await here.until(lambda: isinstance(here.app.screen, GuestsScreen), "list")
        await desks.ben.guests.save(yilmaz, {"phone": Change("0800 2", "0800 1")})
        await desks.press("ctrl+z")
        await desks.toast("Zurückgenommen: Gast Yılmaz [VIP], Ayşe: Telefon geändert")


async def test_a_second_time_goes_on_to_the_change_before(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        here, desk = desks.here, desks.here.desk
        huber, yilmaz = desks.house.huber, desks.house.yilmaz
        await desk.guests.save(huber, {"city": Change("Ulm", "Rosenheim")})
        await desk.guests.save(yilmaz, {"phone": Change("0123 456", "0800 1")})
        await desks.ben.guests.save(yilmaz, {"phone": Change("0800 1", "0800 2")})
        await desks.press("ctrl+z")
        await desks.toast(
            "Noch einmal Strg+Z nimmt stattdessen „Gast Huber, Anton: Wohnort geändert“ zurück."
        )
        await desks.press("ctrl+z")
        await desks.toast("Zurückgenommen: Gast Huber, Anton: Wohnort geändert („Gast Yılmaz [VIP], Ayşe")
        assert (await desk.guests.get(huber)).city == "Ulm"
        await desks.press("ctrl+z")
        await desks.toast("Davor ist nichts mehr")
        await here.until(lambda: desk.undo.entries[0].obstacle, "still in the list")


async def test_in_a_text_field_it_is_for_the_text_only(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        here, desk = desks.here, desks.here.desk
        await desk.guests.save(desks.house.huber, {"city": Change("Ulm", "Rosenheim")})
        await desks.press("slash", "h", "u", "b", "space", "a")
        field = here.app.screen.query_one("#list-search", Input)
        shown = []
        for key in ("ctrl+z", "ctrl+z", "ctrl+z", "ctrl+z", "ctrl+y", "ctrl+y"):
            await desks.press(key)
            shown.append(field.value)
        assert shown == ["hub ", "hub", "", "", "hub", "hub "]
        assert (await desk.guests.get(desks.house.huber)).city == "Rosenheim"
        # Back in the list the last change is meant.
        await desks.press("enter", "ctrl+z")
        await desks.toast("Zurückgenommen: Gast Huber, Anton: Wohnort geändert")
        # In a form there is only text.
        await desks.open_booking(None)
        await desks.press("ctrl+y")
        assert (await desk.guests.get(desks.house.huber)).city == "Ulm"
        assert (await desk.undo.redo()).done
        for name in ("notes", "guest_id"):
            await desks.type_into(name, "Hund")
            assert "Hund" in str(desks.form.field(name).raw)
            await desks.press(*["ctrl+z"] * 5)
            assert desks.form.field(name).raw in ("", (None, ""))
        assert not desk.undo.entries[0].taken_back
        assert (await desk.guests.get(desks.house.huber)).city == "Rosenheim"
