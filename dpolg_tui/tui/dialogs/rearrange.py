"""The one question before several stays change together: rooms, dates, nights and price, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import zip_longest
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from dpolg_tui.domain import german
from dpolg_tui.domain.models import Room
from dpolg_tui.domain.rearrange import Place, Plan, Step, bar_label, price_of
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog

GOES = "verbunden"
SEEN = 3
"""Bookings that are in sight without scrolling."""


def money(amount: Decimal | None) -> str:
    """An amount, or a dash where there is no room yet."""
    return "–" if amount is None else german.format_money(amount)


class RearrangeDialog(ConfirmDialog):
    """Answers True to go on. A long plan scrolls."""

    HELP = (
        "Enter bestätigt, Esc lässt alles, wie es ist; Bild↑ und Bild↓ blättern. "
        "Der Preis ist eine Information."
    )

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page(-1)", "blättern", show=False),
        Binding("pagedown", "page(1)", "blättern", show=False),
    ]

    def __init__(self, title: str, plan: Plan, rooms: Mapping[int, Room], confirm_label: str) -> None:
        super().__init__(title, (), confirm_label)
        self._plan, self._rooms = [step for step in plan if step.changes_anything], rooms

    def compose_body(self) -> ComposeResult:
        records = len(list(self._by_record()))
        if records > SEEN:
            yield Static(f"{records} Aufenthalte ändern sich, Bild↓ zeigt alle:", classes="hint")
        with VerticalScroll(classes="plan", can_focus=False):
            yield Static(self._table())

    def action_page(self, by: int) -> None:
        """Shows more of a long plan."""
        plan = self.query_one(VerticalScroll)
        plan.scroll_relative(y=by * max(1, plan.size.height - 1), animate=False)

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), highlight=False)
        for heading, width in (("", 22), ("vorher", 22), ("nachher", 24)):
            table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=width)
        for steps in self._by_record():
            label = bar_label(steps[0].bar)
            for step in steps:
                for stood, place in zip_longest([Place.of(step.bar)], step.places):
                    self._add_place(table, label, stood, place)
                    label = ""
            if not steps[0].bar.is_block:
                was = money(price_of([Place.of(step.bar) for step in steps], self._rooms))
                becomes = money(price_of([place for step in steps for place in step.places], self._rooms))
                _add(table, "", was, becomes, changed=was != becomes)
        return table

    def _by_record(self) -> Iterable[list[Step]]:
        """The parts of a booking together: they have one price."""
        found: dict[int, list[Step]] = {}
        for step in self._plan:
            found.setdefault(step.bar.booking_id or -step.bar.id, []).append(step)
        return found.values()

    def _add_place(self, table: Table, label: str, stood: Place | None, place: Place | None) -> None:
        def room(where: Place | None) -> str:
            return room_label(where.room_id, self._rooms) if where else ""

        def dates(where: Place | None) -> str:
            return german.format_date_range(where.arrival, where.departure) if where else ""

        def nights(where: Place | None) -> str:
            return german.format_nights(where.nights) if where else ""

        _add(table, label, room(stood), room(place) if place else GOES, changed=room(stood) != room(place))
        if place is None:
            _add(table, "", dates(stood), "", changed=False)
            return
        _add(table, "", dates(stood), dates(place), changed=dates(stood) != dates(place))
        _add(table, "", nights(stood), nights(place), changed=nights(stood) != nights(place))


def _add(table: Table, label: str, before: str, after: str, *, changed: bool) -> None:
    table.add_row(Text(label), Text(before), Text(f"{'→' if changed else ' '} {after}"))
