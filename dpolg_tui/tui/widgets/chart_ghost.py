"""The bar under the hand: a stay that is being moved or whose end is being changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from dpolg_tui.domain.chart import ONE_DAY, Row, RowKey, is_retired
from dpolg_tui.domain.models import Occupancy
from dpolg_tui.tui.widgets.chart_model import ChartModel
from dpolg_tui.tui.widgets.chart_text import occupancy_name

MOST_NIGHTS = 365


class Hold(StrEnum):
    """Where the bar is held."""

    WHOLE = "whole"
    ARRIVAL = "arrival"
    DEPARTURE = "departure"


@dataclass(frozen=True, slots=True)
class Ghost:
    """Where the bar would stand if it were dropped now."""

    occupancy: Occupancy
    hold: Hold
    row: RowKey
    arrival: date
    departure: date
    pushes: bool = False
    """Whoever is in the way moves along."""

    @classmethod
    def of(cls, occupancy: Occupancy, hold: Hold, row: RowKey, *, pushes: bool = False) -> Ghost:
        """Picks a bar up."""
        return cls(occupancy, hold, row, occupancy.arrival, occupancy.departure, pushes)

    @property
    def night(self) -> date:
        """The night that the cursor follows."""
        return self.departure - ONE_DAY if self.hold is Hold.DEPARTURE else self.arrival

    def shifted(self, days: int) -> Ghost:
        """Moved along by days; an end stays at least one and at most 365 nights from the other."""
        by = timedelta(days=days)
        if self.hold is Hold.WHOLE:
            return replace(self, arrival=self.arrival + by, departure=self.departure + by)
        arrival, departure = self.arrival, self.departure
        if self.hold is Hold.ARRIVAL:
            arrival = min(arrival + by, departure - ONE_DAY)
            arrival = max(arrival, departure - timedelta(days=MOST_NIGHTS))
        else:
            departure = max(departure + by, arrival + ONE_DAY)
            departure = min(departure, arrival + timedelta(days=MOST_NIGHTS))
        return replace(self, arrival=arrival, departure=departure)

    def in_row(self, row: Row) -> Ghost:
        """Moved to another row. Ends stay in theirs."""
        return replace(self, row=row.key) if self.hold is Hold.WHOLE else self

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the bar could be dropped where it is, in words."""

    free: bool
    text: str
    allowed: bool = True
    """False: no question to anybody, it cannot stand there."""


def judge(ghost: Ghost, model: ChartModel) -> Verdict:
    """Free or taken, as far as this desk knows. The database decides in the end."""
    row = model.row(ghost.row)
    if row is None or row.is_group:
        return Verdict(False, "kein Zimmer", allowed=False)
    if row.room is None:
        if ghost.occupancy.is_block:
            return Verdict(False, "Sperre braucht ein Zimmer", allowed=False)
        return Verdict(True, "ohne Zimmer")
    blockers = model.in_the_way(row.room.id, ghost.arrival, ghost.departure, ghost.occupancy.id)
    if blockers and ghost.pushes:
        return Verdict(True, f"schiebt {occupancy_name(blockers[0])}")
    if blockers:
        return Verdict(False, f"belegt: {occupancy_name(blockers[0])}")
    if is_retired(row.room, ghost.departure - ONE_DAY):
        return Verdict(False, "stillgelegt", allowed=False)
    if not (model.is_known(ghost.arrival) and model.is_known(ghost.departure)):
        return Verdict(True, "wird geladen …")
    return Verdict(True, "frei")
