"""A room is taken: who is in the way, and which rooms are free instead."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, OptionList, Static
from textual.widgets.option_list import Option

from dpolg_tui.domain import german
from dpolg_tui.domain.models import FreeRoom, InTheWay, Occupancy, Room
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.search import LINE
from dpolg_tui.tui.widgets.chart_text import cut


def in_the_way(occupancy: Occupancy) -> InTheWay:
    """A bar of the chart as the database would name it."""
    label = (
        f"{german.kind_label(occupancy.kind)}: {occupancy.reason or ''}".rstrip(": ")
        if occupancy.is_block
        else f"{occupancy.number} {occupancy.last_name}"
    )
    return InTheWay(
        occupancy.id,
        occupancy.booking_id,
        occupancy.room_id or 0,
        occupancy.arrival,
        occupancy.departure,
        label,
    )


NEIGHBOURS = "neighbours"


class TakenDialog(BaseDialog["int | str"]):
    """Answers the id of a free room, or None: none of them; ``NEIGHBOURS``: shift who is in the way.

    ``shifts`` offers that; a sentence says why it cannot be.
    """

    HELP = (
        "Pfeile wählen ein freies Zimmer, Enter nimmt es, Esc lässt alles, wie es ist. Auf dem Plan gibt es "
        "auch „Nachbarn mitverschieben“ (Tab): wer im Weg ist, rückt so weit wie nötig auf andere Tage."
    )
    BINDINGS: ClassVar[list[BindingType]] = []
    AUTO_FOCUS = "OptionList, Button"

    def __init__(
        self, taken_by: Sequence[InTheWay], free: Sequence[FreeRoom], shifts: bool | str = False
    ) -> None:
        super().__init__("Zimmer ist belegt")
        self._shifts = shifts
        self._taken_by = taken_by
        self._free = free

    def _ordered(self, rooms: Mapping[int, Room]) -> list[FreeRoom]:
        """Those with enough beds first, in natural order."""
        known = [it for it in self._free if it.room_id in rooms]
        return sorted(known, key=lambda it: (not it.fits, german.natural_key(rooms[it.room_id].name)))

    def compose_body(self) -> ComposeResult:
        rooms = self.desk.store.rooms
        for taken in self._taken_by:
            dates = german.format_date_range(taken.arrival, taken.departure)
            line = f"{room_label(taken.room_id, rooms)}: {taken.label} · {dates}"
            yield Static(german.clean_line(line), markup=False)
        if isinstance(self._shifts, str):
            yield Static(self._shifts, classes="hint", markup=False)
        self._free = self._ordered(rooms)
        if not self._free:
            yield Static(
                "In dieser Zeit ist kein anderes Zimmer frei: bitte andere Tage wählen.", markup=False
            )
            return
        yield Static("In dieser Zeit frei:", classes="hint", markup=False)
        yield OptionList(*(Option(_label(rooms[it.room_id], it.fits)) for it in self._free), compact=True)

    def compose_buttons(self) -> ComposeResult:
        if self._shifts is True:
            yield self.button("Nachbarn mitverschieben", NEIGHBOURS)
        yield self.button("Zurück", "cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == NEIGHBOURS:
            event.stop()
            self.finish(NEIGHBOURS)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.finish(self._free[event.option_index].room_id)


def _label(room: Room, fits: bool) -> Text:
    parts = [room.name, room.category, f"{room.capacity} P", german.format_money(room.price_low)]
    if room.building:
        parts.append(room.building)
    if not fits:
        parts.append("zu wenig Betten")
    return Text(cut(german.clean_line(" · ".join(parts)), LINE))
