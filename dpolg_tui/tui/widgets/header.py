"""The line on top: house, screen, day, who is signed in, who else is, and the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.content import Content
from textual.widget import Widget

from dpolg_tui.domain.german import format_date, format_weekday_short

if TYPE_CHECKING:
    from dpolg_tui.desk.events import ConnectionState
    from dpolg_tui.tui.app import DeskApp

PRODUCT = "DPolG Buchungssystem"
FULL_NAMES_FROM = 100
"""Columns from which names are written out; below there are initials."""


def connection_words(state: ConnectionState) -> tuple[str, str]:
    """Glyph and word for the connection, and the colour that goes with it."""
    match state.phase:
        case "connected":
            return "● verbunden", "$text-success"
        case "connecting":
            return "◐ verbinde …", "$text-warning"
        case _:
            return f"○ offline seit {state.since.astimezone():%H:%M}", "$text-error"


class DeskHeader(Widget):
    """Paints itself for the width it has: what matters least goes first when it gets narrow."""

    ALLOW_SELECT = False

    def on_mount(self) -> None:
        # At midnight the date changes.
        self.set_interval(60, self.show_state)
        self._shown = self._parts()

    def on_resize(self) -> None:
        self.refresh()

    def show_state(self) -> None:
        """Paints again if something has changed."""
        parts = self._parts()
        if parts != self._shown:
            self._shown = parts
            self.refresh()

    def _parts(self) -> tuple[str, str, str, str, str, tuple[str, str]]:
        app = cast("DeskApp", self.app)
        desk = app.desk
        today = desk.today()
        day = f"{format_weekday_short(today)} {format_date(today)}"
        who = others = ""
        if desk.user is not None:
            wide = self.app.size.width >= FULL_NAMES_FROM
            who = f"Angemeldet als: {desk.user.display_name}" if wide else desk.user.initials
            if desk.present:
                initials = " ".join(colleague.initials for colleague in desk.present)
                others = f"(+{len(desk.present)}: {initials})"
        underway = f"… {app.underway}" if app.underway else ""
        return self.screen.title or "", day, who, others, underway, connection_words(desk.connection)

    def render(self) -> Content:
        self._shown = self._parts()
        place, day, who, others, underway, (connection, colour) = self._shown
        width = self.size.width
        few = others.partition(":")[0] + ")" if others else ""
        # From the fullest to the barest: the first that fits is painted.
        layouts = [
            (f"{PRODUCT} · {place}", [underway or day, who, others]),
            (f"DPolG · {place}", [underway or day, who, others]),
            (f"{PRODUCT} · {place}", [underway or day, who, few]),
            (f"DPolG · {place}", [underway or day, who, few]),
            (place, [underway or day, who, few]),
            (place, [who]),
        ]
        left, right = "", ""
        for left, items in layouts:
            right = "  ".join(item for item in items if item)
            used = Content(f"{left}  {right}  {connection}").cell_length + 2
            if used <= width:
                break
        # On the sixteen-colour blue only brightness is readable; glyph and word say it anyway.
        state = Content.styled(connection, "bold" if self.app.native_ansi_color else colour)
        gap = max(2, width - 2 - Content(f"{left}{right}{connection}").cell_length - (2 if right else 0))
        return Content.assemble(
            " ", (left, "bold"), " " * gap, right, "  " if right else "", state, " "
        ).truncate(width, ellipsis=True)
