"""Fields and forms by themselves: parsing, sentences, what is touched, what a colleague's save does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest
from textual import events
from textual.app import ComposeResult
from textual.pilot import Pilot

import dpolg_tui.tui
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import parse_date, parse_departure
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Conflict
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.typing_ahead import TypingAhead
from dpolg_tui.tui.widgets.field import Field
from dpolg_tui.tui.widgets.fields import (
    YES_NO,
    ChoiceField,
    DateField,
    MoneyField,
    NotesField,
    NumberField,
    TextField,
)
from dpolg_tui.tui.widgets.form import Form, Section

TODAY = date(2026, 11, 21)
STYLES = Path(dpolg_tui.tui.__file__).parent / "styles" / "forms.tcss"
STAY = {"room_id": 1, "arrival": date(2026, 11, 21), "departure": date(2026, 11, 24)}
HOSTILE = ["Müller [VIP]", "[/b]", "[bold red]x", "😀 Familie", "x" * 100, "O'Brien; DROP TABLE", "İı ß"]


class FormApp(TypingAhead):
    """Nothing but a form."""

    CSS_PATH: ClassVar[Any] = [STYLES]

    def compose(self) -> ComposeResult:
        self.arrival = DateField("arrival", lambda text: parse_date(text, today=TODAY), required=True)
        self.departure = DateField(
            "departure",
            lambda text: parse_departure(text, arrival=self.arrival.day or TODAY, today=TODAY, field=None),
            required=True,
        )
        yield Form(
            Section("Name"),
            TextField("last_name", required=True),
            TextField("first_name", empty=""),
            ChoiceField("room_id", [Option("1", 1), Option("[2]", 2), Option("ohne Zimmer", None)]),
            self.arrival,
            self.departure,
            NumberField("persons", 1, 10, required=True),
            MoneyField("price_low"),
            ChoiceField("is_member", YES_NO),
            NotesField("notes", max_length=100),
        )

    @property
    def form(self) -> Form:
        return self.query_one(Form)


def stored() -> dict[str, object]:
    return {
        "last_name": "Huber",
        "first_name": "",
        "stay/7": dict(STAY),
        "persons": 2,
        "price_low": Decimal("45.00"),
        "is_member": False,
        "notes": None,
    }


@asynccontextmanager
async def a_form() -> AsyncIterator[tuple[FormApp, Pilot[None]]]:
    app = FormApp()
    async with app.run_test(size=(80, 24)) as pilot:
        app.form.load(stored(), {"stay/7": ("room_id", "arrival", "departure")})
        await pilot.pause()
        yield app, pilot


async def typed(app: FormApp, pilot: Pilot[None], name: str, text: str) -> Field:
    """Replace what a field holds by typing."""
    field = app.form.field(name)
    field.editor_widget.focus()
    await pilot.pause()
    await pilot.press("end", "ctrl+u", *(_keys(text)))
    await pilot.pause()
    return field


def _keys(text: str) -> list[str]:
    return ["space" if sign == " " else sign for sign in text]


@pytest.mark.parametrize("name", ["last_name", "notes"])
async def test_keys_of_one_burst_take_effect_in_the_order_in_which_they_were_typed(name: str) -> None:
    async with a_form() as (app, pilot):
        field = app.form.field(name)
        field.put("")
        field.editor_widget.focus()
        await pilot.pause()
        keys = (*"Mülr", "backspace", *"ler", "left", "left", "left", "left", "backspace", *"ue", "end", *"!")
        for key in keys:
            app.post_message(events.Key(key, key if len(key) == 1 else None))
        for _ in range(500):
            if field.raw == "Mueller!":
                break
            await pilot.pause(0.02)
        assert field.raw == "Mueller!"


async def test_a_loaded_form_is_clean_and_returns_what_it_got() -> None:
    async with a_form() as (app, _):
        assert not app.form.dirty
        assert app.form.values() == stored()
        assert app.form.changes() == {}


async def test_only_what_changed_is_a_change() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "last_name", "Maier")
        await typed(app, pilot, "departure", "+5")
        assert app.form.changes() == {
            "last_name": Change("Huber", "Maier"),
            "stay/7": Change(STAY, {**STAY, "departure": date(2026, 11, 26)}),
        }


async def test_typing_something_back_is_no_change() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "price_low", "45")
        await typed(app, pilot, "arrival", "21.11.")
        assert not app.form.dirty
        assert app.form.changes() == {}


async def test_a_day_is_written_out_when_the_field_is_left() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "departure", "+2")
        assert field.raw == "+2"
        await pilot.press("tab")
        await pilot.pause()
        assert field.raw == "23.11.2026"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("arrival", "31.02.", "31.02."),
        ("departure", "quatsch", "quatsch"),
        ("persons", "0", "1 bis 10"),
        ("persons", "viele", "ganze Zahl"),
        ("price_low", "12,345", "zwei Stellen"),
        ("last_name", "", "fehlt"),
        ("last_name", "   ", "fehlt"),
        ("arrival", "", "fehlt"),
    ],
)
async def test_bad_input_gets_its_sentence_at_the_field_and_stays(name: str, text: str, says: str) -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, name, text)
        await pilot.press("tab")
        with pytest.raises(InvalidInput) as caught:
            app.form.values()
        await pilot.pause()
        assert caught.value.field == name
        assert says in field.error
        assert str(field.raw).strip() == text.strip()
        assert field.editor_widget.has_focus
        assert field.size.height >= 2, "there is room for the sentence"
        await pilot.press("x")
        assert field.error == "", "typing on takes the sentence away"


async def test_too_long_text_is_kept_and_judged() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "last_name", "")
        app.post_message(events.Paste("ä" * 500))
        await pilot.pause()
        assert field.raw == "ä" * 500
        with pytest.raises(InvalidInput, match="500 Zeichen"):
            app.form.values()


async def test_pasted_line_breaks_become_spaces() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "last_name", "")
        app.post_message(events.Paste("von der\r\nHeide\n\nund"))
        await pilot.pause()
        assert field.value == "von der Heide und"


async def test_notes_keep_their_lines() -> None:
    async with a_form() as (app, pilot):
        field = app.form.field("notes")
        field.editor_widget.focus()
        await pilot.pause()
        app.post_message(events.Paste("eins\nzwei  \n\n"))
        await pilot.pause()
        assert field.value == "eins\nzwei"


@pytest.mark.parametrize("name", HOSTILE)
async def test_any_name_is_shown_as_it_is(name: str) -> None:
    async with a_form() as (app, pilot):
        app.form.load({"last_name": name})
        await pilot.pause()
        assert app.form.field("last_name").value == name
        app.form.colleague_saved({"last_name": name + "!"}, by=name)
        await pilot.pause()
        app.form.field("last_name").error = name
        await pilot.pause()


async def test_choices_step_with_arrows_and_space() -> None:
    async with a_form() as (app, pilot):
        member = app.form.field("is_member")
        member.editor_widget.focus()
        await pilot.press("space")
        assert member.value is True
        await pilot.press("space")
        assert member.value is False
        room = app.form.field("room_id")
        room.editor_widget.focus()
        await pilot.press("right", "right", "right")
        assert room.value is None
        await pilot.press("left")
        assert room.value == 2


async def test_untouched_fields_follow_a_colleague() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "last_name", "Maier")
        refreshed, marked = app.form.colleague_saved(
            {**stored(), "persons": 4, "price_low": Decimal(50)}, "Ben"
        )
        assert (set(refreshed), marked) == ({"Personen", "Preis Nebensaison"}, [])
        assert app.form.field("persons").value == 4
        assert app.form.changes() == {"last_name": Change("Huber", "Maier")}


async def test_touched_fields_stay_and_name_the_colleagues_value() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "last_name", "Maier")
        refreshed, marked = app.form.colleague_saved({**stored(), "last_name": "Huber-Lang"}, "Ben")
        assert (refreshed, marked) == ([], ["Nachname"])
        assert field.raw == "Maier"
        assert field.hint == "Ben hat gespeichert: Huber-Lang"
        assert app.form.changes() == {"last_name": Change("Huber", "Maier")}, "saving shall find the conflict"


async def test_the_same_change_by_both_is_none_any_more() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "last_name", "Maier")
        assert app.form.colleague_saved({**stored(), "last_name": "Maier"}, "Ben") == (["Nachname"], [])
        assert field.hint == ""
        assert app.form.changes() == {}


async def test_text_under_the_caret_does_not_move() -> None:
    async with a_form() as (app, pilot):
        field = app.form.field("last_name")
        field.editor_widget.focus()
        await pilot.pause()
        app.form.colleague_saved({**stored(), "last_name": "Lang"}, "Ben")
        assert field.raw == "Huber"
        assert "Lang" in field.hint
        await pilot.press("tab")
        await pilot.pause()
        assert field.value == "Lang", "once the user has left, it follows"


async def test_of_a_stay_all_fields_follow_or_none() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "departure", "30.11.2026")
        theirs = {"room_id": 2, "arrival": date(2026, 11, 20), "departure": date(2026, 11, 24)}
        _, marked = app.form.colleague_saved({**stored(), "stay/7": theirs}, "Ben")
        assert set(marked) == {"Zimmer", "Anreise"}
        assert app.form.field("room_id").value == 1
        assert app.form.field("room_id").hint == "Ben hat gespeichert: [2]"
        assert app.form.changes()["stay/7"] == Change(STAY, {**STAY, "departure": date(2026, 11, 30)})


async def test_leaving_one_field_of_a_changed_stay_mixes_nothing() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "departure", "30.11.2026")
        theirs = {**STAY, "arrival": date(2026, 11, 20)}
        app.form.colleague_saved({**stored(), "stay/7": theirs}, "Ben")
        app.form.field("arrival").editor_widget.focus()
        await pilot.pause()
        await pilot.press("tab")
        await pilot.pause()
        assert app.form.field("arrival").value == STAY["arrival"]
        assert app.form.changes()["stay/7"] == Change(STAY, {**STAY, "departure": date(2026, 11, 30)})


async def test_a_stay_under_the_caret_follows_as_a_whole_once_it_is_left() -> None:
    async with a_form() as (app, pilot):
        arrival = app.form.field("arrival")
        arrival.editor_widget.focus()
        await pilot.pause()
        theirs = {"room_id": 2, "arrival": date(2026, 11, 20), "departure": date(2026, 11, 22)}
        refreshed, marked = app.form.colleague_saved({**stored(), "stay/7": theirs}, "Ben")
        assert (refreshed, set(marked)) == ([], {"Zimmer", "Anreise", "Abreise"})
        assert app.form.values() == stored()
        app.form.field("persons").editor_widget.focus()
        await pilot.pause()
        assert app.form.values() == {**stored(), "stay/7": theirs}
        assert app.form.changes() == {}
        assert not app.form.field("room_id").hint


async def test_what_a_colleague_takes_back_is_not_named_any_longer() -> None:
    async with a_form() as (app, pilot):
        field = await typed(app, pilot, "last_name", "Maier")
        app.form.colleague_saved({**stored(), "last_name": "Lang"}, "Ben")
        assert field.hint
        app.form.colleague_saved(stored(), "Ben")
        assert (field.hint, field.raw) == ("", "Maier")
        assert app.form.changes() == {"last_name": Change("Huber", "Maier")}
        first = app.form.field("first_name")
        first.editor_widget.focus()
        await pilot.pause()
        app.form.colleague_saved({**stored(), "first_name": "Eva"}, "Ben")
        app.form.colleague_saved(stored(), "Ben")
        await pilot.press("tab")
        await pilot.pause()
        assert first.value == "", "not what was stored only for a moment"


async def test_the_same_move_by_both_is_none_any_more_and_another_stays_a_whole() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "departure", "30.11.2026")
        mine = {**STAY, "departure": date(2026, 11, 30)}
        assert app.form.colleague_saved({**stored(), "stay/7": mine}, "Ben") == (["Abreise"], [])
        assert app.form.changes() == {}
    async with a_form() as (app, pilot):
        await typed(app, pilot, "departure", "30.11.2026")
        app.form.colleague_saved({**stored(), "stay/7": {**mine, "room_id": 2}}, "Ben")
        assert app.form.changes() == {"stay/7": Change(STAY, mine)}, "half agreed is not agreed"


async def test_what_is_chosen_in_a_conflict_is_sent_against_what_is_stored() -> None:
    async with a_form() as (app, pilot):
        await typed(app, pilot, "last_name", "Maier")
        await typed(app, pilot, "departure", "30.11.2026")
        mine = {**STAY, "departure": date(2026, 11, 30)}
        theirs = {**STAY, "room_id": 2}
        conflicts = [
            Conflict("last_name", "Huber", "Maier", "Lang"),
            Conflict("stay/7", STAY, mine, theirs),
        ]
        app.form.settle(conflicts, {"last_name": "Lang", "stay/7": mine})
        assert app.form.changes() == {"stay/7": Change(theirs, mine)}
        assert app.form.field("last_name").value == "Lang"


async def test_an_error_of_a_group_is_shown_at_its_first_field() -> None:
    async with a_form() as (app, pilot):
        assert app.form.show_error("stay", "Das Zimmer ist belegt.")
        assert app.form.field("room_id").error == "Das Zimmer ist belegt."
        assert app.form.show_error("stay/7", "Noch einmal.")
        assert not app.form.show_error(None, "Wohin?")
        assert not app.form.show_error("nowhere", "Wohin?")
        await pilot.pause()
