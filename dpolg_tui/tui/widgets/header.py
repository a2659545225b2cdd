"""The line on top: house, screen, day, who is signed in, who else is, and the connection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len
from textual.content import Content
from textual.widget import Widget

from dpolg_tui.domain.german import format_date, format_datetime, format_weekday_short

if TYPE_CHECKING:
    from dpolg_tui.desk.events import ConnectionState
    from dpolg_tui.domain.people import Presence
    from dpolg_tui.tui.app import DeskApp

PRODUCT = "DPolG Buchungssystem"
FULL_NAMES_FROM = 100
"""Columns from which names are written out; below there are initials."""


def connection_words(state: ConnectionState, *, first_start: bool) -> tuple[str, str]:
    """Glyph and word for the connection, and the colour that goes with it.

    ``first_start``: nobody has said yet where the database is, so nothing was lost.
    """
    match state.phase:
        case "connected":
            return "● verbunden", "$text-success"
        case _ if first_start:
            return "○ nicht eingerichtet", "$text-warning"
        case "connecting":
            return "◐ verbinde …", "$text-warning"
        case _:
            clock = format_datetime(state.since).rpartition(" ")[2]
            return f"○ offline seit {clock}", "$text-error"


def saved_words(state: str) -> tuple[str, str]:
    """Whether the last save is done, in words for much and for little room."""
    match state.split():
        case ["done"]:
            return "✓ gespeichert", "✓"
        case ["under", "way"]:
            return "speichert …", "…"
        case ["unknown"]:
            return "Speichern ungewiss", "ungewiss"
        case ["queued", number]:
            return f"{number} vorgemerkt", f"{number} vorgem."
        case _:
            return "", ""


def others_initials(present: Iterable[Presence]) -> tuple[str, ...]:
    """Initials of the colleagues, each once, however many desks they have; without oneself."""
    people = {one.user_id: one.initials for one in present if not one.own}
    return tuple(people.values())


@dataclass(frozen=True, slots=True)
class Parts:
    """What the header says, in the words for much and for little room."""

    place: str
    middle: str
    name: str
    initials: str
    others: str
    count: str
    connection: tuple[str, str]
    saved: tuple[str, str] = ("", "")
    """Whether the last save is done, in words for much and for little room."""
    backup: str = ""
    """That something is wrong with the backups; the whole sentence stood in a note."""
    busy: str = ""
    """What takes long just now, and how to cancel it."""

    def layouts(self, width: int) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Left and right side, from the fullest to the barest: the first that fits is painted."""
        full = f"{PRODUCT} · {self.place}"
        if width >= FULL_NAMES_FROM:
            yield full, (self.backup, self.middle, self.name, self.others, self.saved[0])
        for saved in dict.fromkeys(self.saved):
            yield full, (self.backup, self.middle, self.initials, self.others, saved)
            yield f"DPolG · {self.place}", (self.backup, self.middle, self.initials, self.others, saved)
            yield full, (self.backup, self.middle, self.initials, self.count, saved)
            yield f"DPolG · {self.place}", (self.backup, self.middle, self.initials, self.count, saved)
            yield self.place, (self.backup, self.middle, self.initials, self.count, saved)
        if self.busy:
            yield self.place, (self.busy,)
            yield "", (self.busy,)
        yield self.place, (self.backup, self.initials, self.saved[1])
        yield self.place, (self.initials, self.saved[1])


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

    def _parts(self) -> Parts:
        app = cast("DeskApp", self.app)
        desk = app.desk
        today = desk.today()
        user = desk.user
        initials = others_initials(desk.present) if user else ()
        return Parts(
            place=self.screen.title or "",
            middle=app.underway or f"{format_weekday_short(today)} {format_date(today)}",
            name=f"Angemeldet als: {user.display_name}" if user else "",
            initials=user.initials if user else "",
            others=f"(+{len(initials)}: {' '.join(initials)})" if initials else "",
            count=f"(+{len(initials)})" if initials else "",
            connection=connection_words(desk.connection, first_start=desk.settings.first_start),
            saved=saved_words(desk.outbox.save_state),
            backup="Sicherung prüfen" if desk.backups.warning else "",
            busy=app.underway or "",
        )

    def render(self) -> Content:
        parts = self._shown = self._parts()
        width = self.size.width
        words, colour = parts.connection
        left, right = "", ""
        for left, items in parts.layouts(width):
            right = "  ".join(item for item in items if item)
            if cell_len(f" {left}  {right}  {words} ") <= width:
                break
        gap = max(2, width - cell_len(f" {left}{right}  {words} "))
        # On the sixteen-colour blue only brightness is readable; glyph and word say it anyway.
        style = "bold" if self.app.native_ansi_color else colour
        return Content.assemble(" ", (left, "bold"), " " * gap, right, "  ", (words, style), " ").truncate(
            width, ellipsis=True
        )
