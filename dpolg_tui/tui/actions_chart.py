"""Actions of the occupancy chart."""

from __future__ import annotations

from dpolg_tui.tui.action import Action

CHART_ACTIONS: tuple[Action, ...] = ()
