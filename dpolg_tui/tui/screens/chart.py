"""The occupancy chart: what staff see first, and from where they do most of their work."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain import german
from dpolg_tui.domain.holidays import public_holidays
from dpolg_tui.domain.models import BookingSummary, Occupancy, Role, Status
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.actions_chart import SCREEN_ACTIONS
from dpolg_tui.tui.dialogs.change_stay import StayChange
from dpolg_tui.tui.dialogs.filter import ChartChoice, FilterDialog
from dpolg_tui.tui.dialogs.go_to_date import GoToDateDialog
from dpolg_tui.tui.dialogs.search import SearchDialog
from dpolg_tui.tui.records import open_booking
from dpolg_tui.tui.screens import chart_flows as flows
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from dpolg_tui.tui.widgets.chart_model import ChartFilter
from dpolg_tui.tui.work import read, write

if TYPE_CHECKING:
    from dpolg_tui.desk.events import ConnectionState

AHEAD = timedelta(days=14)
"""Days beside the window that are loaded before they come into sight."""
AROUND = timedelta(days=45)
"""Days around a booking that are loaded before a jump to it."""
CLOCK = 60.0
"""Seconds between two looks at the calendar: today moves on at midnight."""
HOLIDAYS_LATER = 0.3
"""Seconds after the first picture; the calendar of holidays takes a tenth of a second to import."""

_NAMES = frozenset(action.name for action in SCREEN_ACTIONS)
_METHODS = frozenset(action.method for action in SCREEN_ACTIONS)
_WHILE_SWAPPING = frozenset({"search", "go_to", "filter"})
"""Ways to the second of two bars."""


class ChartScreen(DeskScreen):
    """Connects the chart with the desk and the dialogs."""

    SCOPE = "chart"
    TITLE = "Belegungsplan"
    HELP = (
        "Zimmer untereinander, Tage nebeneinander. Ein Balken beginnt in der zweiten Hälfte des Anreisetags "
        "und endet in der ersten des Abreisetags; der Cursor steht auf einer Nacht. "
        "○ reserviert  ◆ bestätigt  ● eingecheckt  ✓ ausgecheckt  ╳ Sperre; hinter dem Namen: "
        "! überfällig  ★ Stiftungsfall  ≡ Notizen; davor ↑: vorgemerkt, noch nicht gesendet. "
        "Maus: Klick wählt, Doppelklick öffnet, Ziehen bucht, verschiebt oder verlängert, das Rad blättert."
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        binding for binding in bindings("chart") if isinstance(binding, Binding) and binding.id in _NAMES
    ]

    def __init__(self) -> None:
        super().__init__()
        self._choice = ChartChoice()
        self._wanted: tuple[date, date] | None = None
        self._loading = False
        self._holidays: dict[int, dict[date, str]] = {}
        self.last_cancelled = ""
        """Number of the booking that was cancelled last from here."""

    def compose_body(self) -> ComposeResult:
        yield OccupancyChart(today=self.desk.today(), id="chart")

    @property
    def chart(self) -> OccupancyChart:
        """The widget."""
        return self.query_one(OccupancyChart)

    def on_mount(self) -> None:
        self._reload()
        self.chart.focus()
        self.set_timer(HOLIDAYS_LATER, self._ask_holidays)
        self.set_interval(CLOCK, lambda: self.chart.set_today(self.desk.today()))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only admins create rooms, and only the first one here; a held bar is put down first."""
        if action == "first_room":
            return self._is_admin and not self.desk.store.rooms
        if action not in _METHODS or not self.is_mounted or not self.chart.busy:
            return True
        return self.chart.ghost is None and action in _WHILE_SWAPPING

    @property
    def may_undo(self) -> bool:
        return self.is_mounted and self.chart.ghost is None

    @property
    def _is_admin(self) -> bool:
        return self.desk.user is not None and self.desk.user.role is Role.ADMIN

    # What is shown

    def _reload(self) -> None:
        self.chart.set_empty_text(
            "Noch keine Zimmer angelegt.",
            "Enter: Erstes Zimmer anlegen" if self._is_admin else "Ein Admin legt sie unter Zimmer (F5) an.",
        )
        self.chart.load(self.desk.store.rooms.values(), self.desk.store)

    def on_store_reloaded(self) -> None:
        self._reload()

    def on_record_changed(self, event: RecordChanged) -> None:
        notice = flows.news(self.chart, event)
        if event.kind == "room":
            self._reload()
        if event.occupancies:
            self.chart.occupancies_changed(event.occupancies)
        if notice:
            self.chart.show_notice(notice)

    def on_chart_view_window_changed(self, message: OccupancyChart.WindowChanged) -> None:
        """Loads days before they are in sight. One load at a time, and the last wish wins."""
        self._wanted = (message.first - AHEAD, message.last + AHEAD)
        self._load_missing()

    def on_connection_changed(self, state: ConnectionState) -> None:
        """What could not be read while the database was away is read now."""
        away = state.phase == "offline"
        clock = german.format_datetime(state.since).rpartition(" ")[2]
        self.title = f"{self.TITLE} (Stand {clock})" if away else self.TITLE
        self.show_state()
        if state.phase == "connected":
            self._load_missing()

    def _load_missing(self) -> None:
        if self._wanted and not self._loading and not self.desk.store.covers(*self._wanted):
            if self.desk.connection.phase == "offline":
                store = self.desk.store
                known = german.format_date_range(store.first, store.last)
                self.chart.show_notice(f"Ohne Verbindung ist nur bekannt, was geladen war: {known}")
                return
            self._loading = True
            read(self, self._load_wanted(), "Belegung laden", group="window")

    async def _load_wanted(self) -> None:
        try:
            while self._wanted is not None and not self.desk.store.covers(*self._wanted):
                await self.desk.show(*self._wanted)
        finally:
            self._loading = False

    def _ask_holidays(self) -> None:
        read(self, self._load_holidays(), "Feiertage laden", group="holidays")

    async def _load_holidays(self) -> None:
        await asyncio.to_thread(self._holidays_of, self.desk.today().year)
        self.chart.set_holidays(lambda day: self._holidays_of(day.year).get(day))

    def _holidays_of(self, year: int) -> dict[date, str]:
        found = self._holidays.get(year)
        if found is None:
            region = self.desk.config.ui.holiday_region
            found = self._holidays[year] = public_holidays(date(year, 1, 1), date(year, 12, 31), region)
        return found

    # From the chart

    def on_occupancy_chart_open_requested(self, message: OccupancyChart.OpenRequested) -> None:
        self._open(message.occupancy)

    def _open(self, occupancy: Occupancy) -> None:
        if occupancy.booking_id is not None:
            open_booking(self.desk_app, occupancy.booking_id)
            return
        from dpolg_tui.tui.dialogs.block import BlockDialog

        self.app.push_screen(
            BlockDialog(occupancy.room_id, occupancy.arrival, occupancy.departure, block=occupancy)
        )

    def on_occupancy_chart_create_requested(self, message: OccupancyChart.CreateRequested) -> None:
        self._create(message.room_id, message.arrival, message.departure)

    def _create(self, room_id: int | None, arrival: date, departure: date) -> None:
        from dpolg_tui.tui.screens.booking import BookingScreen

        if room_id is not None and self.desk.store.in_room(room_id, arrival, departure):
            room_id = None  # taken: the form offers those that are free
        self.app.push_screen(
            BookingScreen(room_id=room_id, arrival=arrival, departure=departure),
            lambda _: self.chart.clear_mark(),
        )

    def on_occupancy_chart_move_requested(self, message: OccupancyChart.MoveRequested) -> None:
        change = (message.room_id, message.arrival, message.departure)
        self._change(message.occupancy, *change, pushes=message.pushes)

    def _change(
        self, stay: Occupancy, room_id: int | None, arrival: date, departure: date, *, pushes: bool = False
    ) -> None:
        change = StayChange(stay, room_id, arrival, departure, self.desk.today())
        write(self, flows.change_stay(self.desk_app, change, self.chart, pushes=pushes), "Aufenthalt ändern")

    def on_chart_swap_swap_requested(self, message: OccupancyChart.SwapRequested) -> None:
        write(self, flows.swap(self.desk_app, message.first, message.second), "Zimmer tauschen")

    def on_occupancy_chart_first_room_requested(self) -> None:
        if self._is_admin:
            self.action_first_room()

    def action_first_room(self) -> None:
        """Into a house without rooms."""
        from dpolg_tui.tui.dialogs.room import RoomDialog

        self.app.push_screen(RoomDialog())

    # Keys

    def _chosen(self) -> Occupancy | None:
        """What is under the cursor, or a toast."""
        occupancy = self.chart.occupancy_under_cursor()
        if occupancy is None:
            self.desk_app.show_toast("Unter dem Cursor steht nichts: bitte einen Balken wählen.", "warning")
        return occupancy

    def _chosen_stay(self, *, departing: bool = False) -> Occupancy | None:
        """The stay under the cursor, or a toast. ``departing``: or the one that leaves on its day."""
        chart = self.chart
        stay = chart.occupancy_under_cursor()
        if departing and (stay is None or stay.is_block):
            stay = chart.departing_under_cursor() or stay
        if stay is None or stay.is_block:
            self.desk_app.show_toast("Bitte zuerst den Balken eines Gastes wählen.", "warning")
            return None
        return stay

    def action_new(self) -> None:
        """A booking of the marked nights or from the cursor on."""
        nights = self.chart.range_or_cursor()
        if nights is not None:
            self._create(nights.room_id, nights.arrival, nights.departure)
        elif self.desk.store.rooms:
            day = self.chart.cursor.day
            self._create(None, day, day + timedelta(days=1))
        else:
            self.desk_app.show_toast("Ohne Zimmer keine Buchung: bitte zuerst eines anlegen.", "warning")

    def action_search(self) -> None:
        """Finds a booking and jumps to it."""
        self.app.push_screen(SearchDialog(), self._found)

    def _found(self, found: BookingSummary | None) -> None:
        if found is None:
            return
        if found.status is Status.CANCELLED:
            open_booking(self.desk_app, found.id)
        else:
            read(self, self.jump(found), "Zum Balken springen", group="jump")

    async def jump(self, found: BookingSummary) -> None:
        """Loads the days around a booking and puts the cursor on its bar."""
        if found.occupancy_id not in self.desk.store.occupancies:
            await self.desk.show(found.arrival - AROUND, found.departure + AROUND)
        self._reload()
        if self.chart.jump_to(found.occupancy_id):
            self._show_choice()
        else:
            self.desk_app.show_toast(f"{found.number} hat keinen Balken mehr.", "warning")

    def _show_choice(self) -> None:
        """The jump may have put the filter away."""
        if self.chart.model.filter is None:
            self._choice = ChartChoice()

    def action_go_to(self) -> None:
        """Asks for a day."""
        self.app.push_screen(GoToDateDialog(self.chart.cursor.day), self._go_to)

    def _go_to(self, day: date | None) -> None:
        if day is not None:
            self.chart.go_to(day)

    def action_check_in(self) -> None:
        """The guest has arrived."""
        stay = self._chosen_stay()
        if stay is not None:
            write(self, flows.check_in(self.desk_app, stay), "Einchecken")

    def action_check_out(self) -> None:
        """The guest leaves."""
        stay = self._chosen_stay(departing=True)
        if stay is not None:
            write(self, flows.check_out(self.desk_app, stay), "Auschecken")

    def action_split(self) -> None:
        """Splits the stay before the night under the cursor."""
        stay = self._chosen()
        if stay is not None:
            write(self, flows.split(self.desk_app, stay, self.chart.cursor.day), "Aufenthalt teilen")

    def action_join(self) -> None:
        """Makes one stay of two that follow each other."""
        stay = self._chosen_stay()
        if stay is not None:
            write(self, flows.join(self.desk_app, stay), "Aufenthalte verbinden")

    def action_unassign(self) -> None:
        """Takes the room away from a stay."""
        stay = self._chosen_stay()
        if stay is None:
            return
        if stay.room_id is None:
            self.desk_app.show_toast("Dieser Aufenthalt hat noch kein Zimmer.", "warning")
        else:
            self._change(stay, None, stay.arrival, stay.departure)

    def action_block(self) -> None:
        """Blocks the marked nights, or opens the block under the cursor."""
        occupancy = self.chart.occupancy_under_cursor()
        nights = self.chart.range_or_cursor()
        if occupancy is not None and occupancy.is_block and self.chart.marked_range() is None:
            self._open(occupancy)
        elif nights is None or nights.room_id is None:
            self.desk_app.show_toast("Sperren lassen sich nur Zimmer: bitte eines wählen.", "warning")
        else:
            from dpolg_tui.tui.dialogs.block import BlockDialog

            self.app.push_screen(
                BlockDialog(nights.room_id, nights.arrival, nights.departure, begin_at="reason"),
                lambda _: self.chart.clear_mark(),
            )

    def action_cancel(self) -> None:
        """Cancels a booking with a reason, or lifts a block."""
        occupancy = self._chosen()
        if occupancy is None:
            return
        if occupancy.is_block:
            write(self, flows.lift_block(self.desk_app, occupancy), "Sperre aufheben")
        else:
            write(self, self._cancel(occupancy), "Buchung stornieren")

    async def _cancel(self, stay: Occupancy) -> None:
        if await flows.cancel(self.desk_app, stay):
            self.last_cancelled = stay.number or ""

    def action_reopen(self) -> None:
        """Finds a cancelled booking, at first the last one, and brings it back."""
        dialog = SearchDialog(
            "Stornierte Buchung wieder öffnen", text=self.last_cancelled, only=Status.CANCELLED
        )
        self.app.push_screen(dialog, self._reopen)

    def _reopen(self, found: BookingSummary | None) -> None:
        if found is not None:
            write(self, self._reopen_and_jump(found), "Buchung wieder öffnen")

    async def _reopen_and_jump(self, found: BookingSummary) -> None:
        if await flows.reopen(self.desk_app, found):
            self.last_cancelled = ""
            await self.jump(found)

    def action_filter(self) -> None:
        """Chooses what is shown."""
        self.app.push_screen(FilterDialog(self._choice, self.desk.store.rooms.values()), self._filter)

    def _filter(self, choice: ChartChoice | None) -> None:
        if choice is not None:
            read(self, self._apply(choice), "Filtern", group="filter")

    async def _apply(self, choice: ChartChoice) -> None:
        start, end = choice.free_from, choice.free_until
        if start is not None and end is not None:
            await self.desk.show(start, end)
        self._choice = choice
        if choice.is_empty:
            self.chart.set_filter(None)
            return
        store = self.desk.store
        free = None
        if start is not None and end is not None:
            # Counted once: a room does not vanish under the hand because somebody books it.
            free = {room.id for room in store.rooms.values() if not store.in_room(room.id, start, end)}
        self.chart.set_filter(
            ChartFilter(
                choice.label,
                lambda room: choice.wants_room(room) and (free is None or room.id in free),
                choice.wants_occupancy if choice.status is not None else None,
            )
        )
        if start is not None:
            self.chart.go_to(start)
        shown = len(self.chart.model.shown_rooms)
        self.desk_app.show_toast(f"Filter {german.clean_line(choice.label)}: {shown} Zimmer. f ändert ihn.")
