"""How the system is doing: what ``dpolg-tui doctor`` says, live, for admins."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from dpolg_tui.domain.errors import DomainError, SessionEnded
from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.health import GLYPHS, LABELS, judge, summary
from dpolg_tui.domain.health_figures import Check, Figures, TerminalFigures
from dpolg_tui.domain.problems import Status
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row
from dpolg_tui.tui.work import read

REFRESH = 10.0
"""Seconds between two looks while the screen is open."""
_COLOURS = {"truecolor": 256**3, "256": 256, "windows": 256**3, "standard": 16}
_ORDER = (Status.ERROR, Status.WARNING, Status.ACCEPTED, Status.OK, Status.UNKNOWN)


class HealthScreen(DeskScreen):
    """A line for each thing that was looked at, the worst first; below it what to do about the marked one."""

    SCOPE = "health"
    TITLE = "Zustand"
    HELP = (
        "Ob alles in Ordnung ist: Server, Verschlüsselung, Verbindungen, Größe, Sicherungen. Was nicht "
        "stimmt, steht oben; unten steht, was zu tun ist. Die Zahlen kommen alle zehn Sekunden neu, Server, "
        "Zertifikate und Rechte mit r. Dasselbe sagt auf dem Server: dpolg-tui doctor"
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("health")
    COLUMNS = (Column("Stand", 15), Column("Was", 20, 1), Column("Befund", 30, 4))

    def __init__(self) -> None:
        super().__init__()
        self._figures: Figures | None = None
        self._checks: dict[int, Check] = {}
        self._ids: dict[tuple[str, str, int], int] = {}
        """A number for each line that there has been: the cursor stays on its line."""

    def compose_body(self) -> ComposeResult:
        yield Static("", id="health-says", markup=False)
        yield RecordTable(self.COLUMNS, id="health-table", follows_top=True)
        yield Static("", id="health-line", markup=False)

    @property
    def table(self) -> RecordTable:
        """The lines."""
        return self.query_one("#health-table", RecordTable)

    def on_mount(self) -> None:
        self.table.focus()
        self.set_interval(REFRESH, self._look_if_shown)
        self.action_look_around()

    def on_screen_resume(self) -> None:
        self._look_if_shown()

    def on_resize(self) -> None:
        """The size of the terminal is one of the lines."""
        self._look_if_shown()

    def on_store_reloaded(self) -> None:
        self.action_look_around()

    # Looking

    def _look_if_shown(self) -> None:
        if self.is_current and self._figures is not None:
            read(self, self._look(self._figures), "Zustand ansehen", group="health", failed=self._failed)

    async def _look(self, before: Figures) -> None:
        self.take(await self.desk.health.look(before, self._terminal))

    def action_look_around(self) -> None:
        """Looks at everything anew."""
        read(self, self._look_around(), "Zustand prüfen", group="health", failed=self._failed)

    async def _look_around(self) -> None:
        self.take(await self.desk.health.look_around(self._terminal))

    def _failed(self, error: DomainError) -> bool:
        # Not as a message over the screen, which would come back every ten seconds.
        if isinstance(error, SessionEnded):
            return False
        seen = f" Was hier steht, ist vom {format_datetime(self._figures.now)}." if self._figures else ""
        self.query_one("#health-says", Static).update(f"{error.message}{seen}")
        return True

    @property
    def _terminal(self) -> TerminalFigures:
        console = self.app.console
        return TerminalFigures(
            columns=self.app.size.width,
            lines=self.app.size.height,
            colours=_COLOURS.get(console.color_system or "", 0),
            missing_keys=(),
            unicode=console.encoding.startswith("utf"),
            name="",
        )

    # Showing

    def take(self, figures: Figures) -> None:
        """Show what was measured."""
        self._figures = figures
        checks = list(judge(figures, self.desk.config.doctor.accept))
        checks.sort(key=lambda check: _ORDER.index(check.status))
        seen: dict[tuple[str, str], int] = {}
        self._checks = {}
        for check in checks:
            name = check.key, check.subject
            seen[name] = seen.get(name, 0) + 1
            number = self._ids.setdefault((*name, seen[name]), len(self._ids) + 1)
            self._checks[number] = check
        self.table.show([_row(number, check) for number, check in self._checks.items()])
        says = f"{summary(checks)} · Stand {format_datetime(figures.now)}"
        self.query_one("#health-says", Static).update(says)
        self._show_line()

    def _show_line(self) -> None:
        """The marked line in full, and what to do."""
        check = self._checks.get(self.table.record_id or 0)
        text = ""
        if check is not None:
            text = f"{_what(check)}: {check.says}"
            if check.remedy:
                text = f"{text}\n→ {check.remedy}"
        self.query_one("#health-line", Static).update(text)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._show_line()

    async def action_leave(self) -> None:
        """Esc: back to the administration."""
        await self.desk_app.go_to("users")


def _what(check: Check) -> str:
    return f"{check.title} {check.subject}".rstrip()


def _row(number: int, check: Check) -> Row:
    style = "bold" if check.status in (Status.ERROR, Status.WARNING) else ""
    return number, (f"{GLYPHS[check.status]} {LABELS[check.status]}", _what(check), check.says), style
