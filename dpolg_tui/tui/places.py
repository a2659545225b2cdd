"""The main places of the desk: which there are, for whom, and where colleagues see this desk."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from textual.screen import Screen

from dpolg_tui.domain.models import Role
from dpolg_tui.tui.screens.base import DeskScreen

if TYPE_CHECKING:
    from collections.abc import Iterable

LOCKED = "gesperrt"
"""The page of a desk whose lock is closed."""
LONGEST_PAGE = 60
FOR_ADMINS = "Die Verwaltung ist nur für Admins da: bitte dort nachfragen, wenn Sie etwas brauchen."


@dataclass(frozen=True, slots=True)
class Place:
    """A screen with a stack of its own, imported when first shown."""

    module: str
    screen: str
    role: Role | None = None
    """Only for this role; ``None``: for everybody."""

    def open(self) -> Screen[Any]:
        """A new screen of this place."""
        return cast("Screen[Any]", getattr(import_module(self.module), self.screen)())

    def allowed(self, role: Role | None) -> bool:
        """Whether somebody with ``role`` may be here."""
        return self.role in (None, role)


LOGIN = Place("dpolg_tui.tui.screens.login", "LoginScreen")
PLACES = {
    "chart": Place("dpolg_tui.tui.screens.chart", "ChartScreen"),
    "guests": Place("dpolg_tui.tui.screens.guests", "GuestsScreen"),
    "rooms": Place("dpolg_tui.tui.screens.rooms", "RoomsScreen"),
    "users": Place("dpolg_tui.tui.screens.users", "UsersScreen", Role.ADMIN),
    "audit": Place("dpolg_tui.tui.screens.audit", "AuditScreen", Role.ADMIN),
    "health": Place("dpolg_tui.tui.screens.health", "HealthScreen", Role.ADMIN),
    "legacy": Place("dpolg_tui.tui.screens.legacy", "LegacyScreen", Role.ADMIN),
}

Whereabouts = tuple[str, int | None]
"""Page, and the booking that is open for editing."""


def whereabouts(
    stack: Iterable[Screen[Any]], opened: Iterable[object], *, locked: bool
) -> Whereabouts | None:
    """Where colleagues see this desk; None while no page is open.

    ``stack`` is what lies on the screen, ``opened`` everything that is open in any place: a form
    that waits in another place still holds its booking. Behind a lock nobody edits.
    """
    pages = [screen for screen in stack if isinstance(screen, DeskScreen)]
    if not pages:
        return None
    if locked:
        return LOCKED, None
    forms = [screen for screen in opened if isinstance(screen, DeskScreen) and screen.booking_id is not None]
    holds = pages[-1].booking_id or (forms[-1].booking_id if forms else None)
    return (pages[-1].title or "")[:LONGEST_PAGE], holds
