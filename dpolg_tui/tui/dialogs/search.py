"""Finds bookings as you type: by guest, number or part of them."""

from __future__ import annotations

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.timer import Timer
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from dpolg_tui.domain import german
from dpolg_tui.domain.models import BookingSummary, Status
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.chart_text import cut
from dpolg_tui.tui.widgets.field import LineInput
from dpolg_tui.tui.work import read

DEBOUNCE = 0.12
"""Seconds of rest after typing before the database is asked."""
FEWEST_LETTERS = 2
LINE = 69
"""Cells of a line of the list, beside its scrollbar: longer ones would take two lines."""


class SearchDialog(BaseDialog[BookingSummary]):
    """Answers the booking that was chosen. ``only``: shows bookings of one status."""

    HELP = (
        "Tippen sucht nach Gast oder Reservierungsnummer; ü und ue, ß und ss sind dasselbe. "
        "↓ und ↑ wählen, Enter springt zum Balken; eine stornierte Buchung wird geöffnet."
    )
    AUTO_FOCUS = "Input"

    def __init__(self, title: str = "Suchen", *, text: str = "", only: Status | None = None) -> None:
        super().__init__(title)
        self._text = text
        self._only = only
        self._found: list[BookingSummary] = []
        self._found_for = ""
        self._enter_waits = False
        self._timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield LineInput(self._text, placeholder="Gast oder Nummer", id="search-text")
        yield OptionList(id="search-found", compact=True)
        yield Static("", id="search-hint", classes="hint", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        found = self.query_one(OptionList)
        found.can_focus = False
        self._say("Mindestens zwei Zeichen eingeben.")
        if self._text:
            self._ask()

    @property
    def _typed(self) -> str:
        return self.query_one(LineInput).value.strip()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._enter_waits = False
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._ask)

    def _ask(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        text = self._typed
        if len(text) < FEWEST_LETTERS:
            self._show(text, [], "Mindestens zwei Zeichen eingeben.")
        else:
            read(self, self._search(text), "Buchungen suchen", group="search")

    async def _search(self, text: str) -> None:
        found = await self.desk.bookings.search(text)
        if self._only is not None:
            found = [it for it in found if it.status is self._only]
        self._show(text, found, "" if found else "Nichts gefunden: bitte kürzer oder anders schreiben.")
        if self._enter_waits and text == self._typed and len(found) == 1:
            self.finish(found[0])

    def _show(self, text: str, found: list[BookingSummary], hint: str) -> None:
        self._found, self._found_for = found, text
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options([Option(self._line(it)) for it in found])
        options.highlighted = 0 if found else None
        self._say(hint)

    def _say(self, hint: str) -> None:
        self.query_one("#search-hint", Static).update(hint)

    def _line(self, found: BookingSummary) -> Text:
        parts = [
            f"{german.status_glyph(found.status)} {found.number}",
            found.guest_name,
            german.format_date_range(found.arrival, found.departure),
            room_label(found.room_id, self.desk.store.rooms),
            german.status_label(found.status),
        ]
        return Text(cut(german.clean_line(" · ".join(parts)), LINE))

    def on_key(self, event: events.Key) -> None:
        """The cursor stays in the line while arrows choose."""
        options = self.query_one(OptionList)
        match event.key:
            case "down":
                options.action_cursor_down()
            case "up":
                options.action_cursor_up()
            case "enter":
                self._enter(options.highlighted)
            case _:
                return
        event.stop()
        event.prevent_default()

    def _enter(self, number: int | None) -> None:
        """Chooses; ahead of the answer never what an older text found, but the only hit once it is there."""
        if self._found_for == self._typed:
            self._choose(number)
        else:
            self._ask()
            self._enter_waits = True

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._choose(event.option_index)

    def _choose(self, number: int | None) -> None:
        if number is not None and number < len(self._found):
            self.finish(self._found[number])
