"""Keys that arrive in one burst, as over a slow line: each is carried out before the next."""

from __future__ import annotations

from textual import events
from textual.keys import _character_to_key
from textual.widgets import Input

from dpolg_tui.tui.dialogs.search import SearchDialog
from tests.databases import TestDatabase
from tests.tui.chart_screen import at_the_chart
from tests.tui.desk_app import Running
from tests.tui.forms_house import house


def burst(here: Running, *keys: str) -> None:
    """Sends keys as a terminal does that delivers them all at once."""
    for key in keys:
        single = len(key) == 1
        here.app.post_message(events.Key(_character_to_key(key) if single else key, key if single else None))


async def test_letters_are_not_typed_before_what_is_to_be_deleted_goes(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        field = desks.form.field("guest_id")
        for _ in range(5):
            burst(desks.here, *"Hbue", "backspace", "backspace", "backspace", *"uber", "home", *"A ")
            await desks.here.until(lambda: field.raw == (None, "A Huber"), "typed in order")
            burst(desks.here, "end", "ctrl+u")
            await desks.here.until(lambda: field.raw == (None, ""), "emptied")


async def test_a_key_of_one_field_is_not_carried_out_in_the_next(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open_booking()
        burst(desks.here, "tab", *"21.11.20315", "backspace", "tab", *"+33", "backspace", "tab")
        await desks.here.until(lambda: desks.form.field("room_id").editor_widget.has_focus, "third field")
        assert desks.form.field("arrival").raw == "21.11.2031"
        assert desks.form.field("departure").raw == "24.11.2031"


async def test_what_is_typed_behind_the_key_of_a_dialog_goes_into_it(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        burst(chart.run, "/", *"uber")
        await chart.at(SearchDialog)
        search = chart.run.app.screen.query_one(Input)
        await chart.run.until(lambda: search.value == "uber", "typed into the search")


async def test_the_keyboard_lives_on_where_a_key_was_lost_with_its_widget(database: TestDatabase) -> None:
    async with at_the_chart(database) as chart:
        burst(chart.run, "/", *"ub", "escape", "/", *"hub", "escape", "f2", "/", *"er")
        await chart.run.until(
            lambda: isinstance(chart.run.app.focused, Input) and chart.run.app.focused.value == "er",
            "typed into the last search",
        )
