"""Actions of the screen „Zustand“."""

from __future__ import annotations

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.action import Action

HEALTH_ACTIONS: tuple[Action, ...] = (
    Action(
        "health.look_around",
        "neu prüfen",
        "r",
        "Prüft alles neu, auch Server, Zertifikate und Rechte.",
        "health",
        role=Role.ADMIN,
        footer=True,
    ),
    Action(
        "health.leave",
        "zurück",
        "escape",
        "Zurück zur Verwaltung.",
        "health",
        role=Role.ADMIN,
        footer=True,
        palette=False,
    ),
)
