"""Choosing two bars of the chart that are to exchange their rooms: the one picked first, then another."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message

from dpolg_tui.domain.models import Occupancy
from dpolg_tui.tui.widgets.chart_text import occupancy_name
from dpolg_tui.tui.widgets.chart_view import ChartView


class ChartSwap(ChartView):
    """While the first one is picked the cursor moves as always."""

    @dataclass
    class SwapRequested(Message):
        """Exchange the rooms of these two."""

        first: Occupancy
        second: Occupancy

    @property
    def swapping(self) -> Occupancy | None:
        """The bar that waits for another to swap with."""
        return None if self._swapping is None else self.model.source.occupancies.get(self._swapping)

    def pick_for_swap(self, occupancy: Occupancy | None) -> None:
        """Picks the first of the two; None: none any more."""
        for picked in (self.swapping, occupancy):
            place = self.model.place_of(picked) if picked is not None else None
            if place is not None:
                self._drawn.pop(place, None)
                self._refresh_row(place)
        self._swapping = occupancy.id if occupancy is not None else None
        self._refresh_detail()
        self.refresh_bindings()

    def choose_for_swap(self) -> None:
        """The bar under the cursor: the first of the two, or the second."""
        first, here = self.swapping, self.occupancy_under_cursor()
        if here is None:
            self.show_notice("Unter dem Cursor steht nichts: bitte einen Balken wählen.")
        elif first is None:
            self.pick_for_swap(here)
        elif first.id == here.id:
            self.show_notice("Das ist derselbe Balken: bitte den wählen, mit dem getauscht wird.")
        else:
            self.pick_for_swap(None)
            self.post_message(self.SwapRequested(first, here))

    def detail_text(self) -> str:
        """While one is picked: who swaps with whom."""
        first, here = self.swapping, self.occupancy_under_cursor()
        if first is None or self._notice:
            return super().detail_text()
        if here is None or here.id == first.id:
            return f"tauschen: {occupancy_name(first)} mit … · Cursor auf den anderen Balken, Enter oder s"
        return f"tauschen: {occupancy_name(first)} mit {occupancy_name(here)} · Enter oder s, Esc bricht ab"
