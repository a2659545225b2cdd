"""The one question before a stay moves: dates, room, nights and price, before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from dpolg_tui.domain import german
from dpolg_tui.domain.models import Occupancy, Room
from dpolg_tui.domain.rearrange import Place, moves_remaining, price_of
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.rearrange import money


@dataclass(frozen=True, slots=True)
class StayChange:
    """What is about to change."""

    occupancy: Occupancy
    room_id: int | None
    arrival: date
    departure: date
    today: date

    @property
    def moves_remaining(self) -> bool:
        """A guest in the house takes only the nights that remain to another room."""
        return moves_remaining(self.occupancy, self.room_id, self.departure, self.today)

    @property
    def changes_anything(self) -> bool:
        """Whether anything would be different."""
        stay = self.occupancy
        return (self.room_id, self.arrival, self.departure) != (stay.room_id, stay.arrival, stay.departure)

    @property
    def place(self) -> Place:
        """Where the stay is wanted."""
        return Place(self.room_id, self.arrival, self.departure)

    def price_before(self, rooms: Mapping[int, Room]) -> Decimal | None:
        """Nights and final cleaning as it stands; None without a room."""
        return price_of((Place.of(self.occupancy),), rooms)

    def price_after(self, rooms: Mapping[int, Room]) -> Decimal | None:
        """The same afterwards; of a guest in the house the nights already stayed keep their room's price."""
        stay = self.occupancy
        if not self.moves_remaining:
            return price_of((self.place,), rooms)
        stayed = Place(stay.room_id, stay.arrival, self.today)
        return price_of((stayed, Place(self.room_id, self.today, self.departure)), rooms)


class ChangeStayDialog(ConfirmDialog):
    """Answers True to go on."""

    HELP = "Enter bestätigt, Esc lässt alles, wie es ist. Der Preis ist eine Information."

    def __init__(self, change: StayChange, rooms: Mapping[int, Room]) -> None:
        stay = change.occupancy
        what = "Sperre" if stay.is_block else "Aufenthalt"
        lines = [_heading(stay)]
        if change.moves_remaining:
            lines.append(
                f"Der Gast ist im Haus: bis {german.format_date(change.today)} bleibt er in "
                f"{room_label(stay.room_id, rooms)}, nur die restlichen Nächte ziehen um."
            )
        super().__init__(f"{what} ändern?", lines, "Ändern")
        self._change, self._rooms = change, rooms

    def compose_body(self) -> ComposeResult:
        yield from super().compose_body()
        yield Static(self._table(), classes="stay-table")

    def _table(self) -> Table:
        change, rooms = self._change, self._rooms
        stay = change.occupancy
        moved = change.today if change.moves_remaining else change.arrival
        rows = [
            ("Zimmer", room_label(stay.room_id, rooms), room_label(change.room_id, rooms)),
            (
                "Zeitraum",
                german.format_date_range(stay.arrival, stay.departure),
                german.format_date_range(moved, change.departure),
            ),
            (
                "Nächte",
                german.format_nights(stay.nights),
                german.format_nights((change.departure - moved).days),
            ),
        ]
        if not stay.is_block:
            rows.append(("Preis", money(change.price_before(rooms)), money(change.price_after(rooms))))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), highlight=False)
        for heading in ("", "vorher", "nachher"):
            table.add_column(heading, overflow="ellipsis", max_width=30)
        for label, before, after in rows:
            sign = " " if before == after else "→"
            table.add_row(*(Text(text) for text in (label, before, f"{sign} {after}")))
        return table


def _heading(stay: Occupancy) -> str:
    if stay.is_block:
        return f"{german.kind_label(stay.kind)}: {german.clean_line(stay.reason or '')}"
    return german.clean_line(f"{stay.number} · {stay.last_name}, {stay.first_name}")
