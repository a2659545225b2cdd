"""What keys change of the chart's look: zoom, colours, groups."""

from __future__ import annotations

from dpolg_tui.domain.chart import ZOOMS, Grouping
from dpolg_tui.tui.widgets.chart_lines import COLOUR_KEYS
from dpolg_tui.tui.widgets.chart_mouse import MouseChart


class LookChart(MouseChart):
    """The chart without cursor and keys that change a stay."""

    def action_zoom(self) -> None:
        self.set_zoom(ZOOMS[(ZOOMS.index(self._zoom) + 1) % len(ZOOMS)])

    def action_colour_key(self) -> None:
        names = list(COLOUR_KEYS)
        self.set_colour_key(names[(names.index(self._colour_key) + 1) % len(names)])

    def action_grouping(self) -> None:
        by_building = self.model.grouping is Grouping.BUILDING
        self.set_grouping(Grouping.CATEGORY if by_building else Grouping.BUILDING)

    def action_fold(self) -> None:
        row = self.cursor_row
        if row is not None and self._ghost is None:
            self.fold(row.group)
