"""A calendar to pick a day or a stay from; it shows the nights that are taken."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from dpolg_tui.domain import german
from dpolg_tui.domain.models import Occupancy
from dpolg_tui.domain.stay import MOST_NIGHTS
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.widgets.calendar import Months
from dpolg_tui.tui.work import read


class CalendarDialog(BaseDialog[tuple[date, date] | date]):
    """Answers (arrival, departure), or with ``one_day`` a day; None: nothing picked.

    Nights of the occupancies in ``ignore`` (the stay that is being edited) count as free.
    """

    SCOPE = "calendar"
    HELP = "Pfeile bewegen, Bild↑ und Bild↓ blättern, Enter wählt. ╳: in dieser Nacht ist das Zimmer belegt."
    BINDINGS: ClassVar[list[BindingType]] = bindings("calendar")
    AUTO_FOCUS = "Months"

    def __init__(
        self,
        room_id: int | None,
        arrival: date | None,
        departure: date | None,
        *,
        one_day: bool = False,
        ignore: Collection[int] = (),
        title: str = "",
    ) -> None:
        super().__init__(title or ("Tag wählen" if one_day else "Zeitraum wählen"))
        self._room_id = room_id
        self._arrival = arrival
        self._departure = departure
        self._one_day = one_day
        self._ignore = frozenset(ignore)
        self._picked: date | None = None
        self._taken: list[Occupancy] = []
        self._asked: tuple[date, date] | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="calendar-room", markup=False)
        today = self.desk.today()
        yield Months(self._arrival or today, today)
        yield Static("", id="calendar-says", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Abbrechen", "cancel")

    @property
    def _months(self) -> Months:
        return self.query_one(Months)

    def on_mount(self) -> None:
        room = room_label(self._room_id, self.desk.store.rooms)
        words = "Ohne Zimmer: nichts ist belegt." if self._room_id is None else f"Zimmer: {room}   ╳ belegt"
        self.query_one("#calendar-room", Static).update(words)
        self._months.taken = self._is_taken
        if self._arrival and self._departure and not self._one_day:
            self._months.chosen = (self._arrival, self._departure)
        self.call_after_refresh(self._moved)

    def on_months_moved(self) -> None:
        self._moved()

    def on_resize(self) -> None:
        self.call_after_refresh(self._moved)

    def _moved(self) -> None:
        months = self._months
        if self._picked is not None and months.cursor > self._picked:
            months.chosen = (self._picked, months.cursor)
            months.refresh()
        self._say()
        wanted = (months.first, months.last + timedelta(1))
        if self._room_id is not None and wanted != self._asked:
            self._asked = wanted
            read(self, self._load(self._room_id, *wanted), "Belegung lesen", group="taken")

    async def _load(self, room_id: int, first: date, last: date) -> None:
        self._taken = await self.desk.bookings.taken(room_id, first, last)
        self._months.refresh()
        self._say()

    def _is_taken(self, night: date) -> bool:
        return any(
            occupancy.arrival <= night < occupancy.departure
            for occupancy in self._taken
            if occupancy.id not in self._ignore
        )

    def _say(self, sentence: str = "") -> None:
        cursor = self._months.cursor
        if not sentence and self._one_day:
            sentence = f"{self._day(cursor)}: Enter wählt diesen Tag."
        elif not sentence and self._picked is None:
            sentence = f"{self._day(cursor)}: Enter wählt die Anreise."
        elif not sentence and self._picked is not None:
            nights = (cursor - self._picked).days
            sentence = f"Anreise {self._day(self._picked)}. " + (
                f"Enter wählt die Abreise {self._day(cursor)}, {german.format_nights(nights)}."
                if nights > 0
                else "Jetzt zur Abreise gehen; Enter hier beginnt neu."
            )
            if any(self._is_taken(self._picked + timedelta(n)) for n in range(max(0, nights))):
                sentence += " Darin ist das Zimmer belegt."
        self.query_one("#calendar-says", Static).update(sentence)

    @staticmethod
    def _day(day: date) -> str:
        return f"{german.format_weekday_short(day)} {german.format_date(day)}"

    def on_months_picked(self, event: Months.Picked) -> None:
        """First the arrival, then the departure."""
        event.stop()
        if self._one_day:
            self.finish(event.day)
        elif self._picked is None or event.day <= self._picked:
            self._picked = event.day
            self._months.chosen = None
            self._months.refresh()
            self._say()
        elif (event.day - self._picked).days > MOST_NIGHTS:
            self._say(f"Höchstens {MOST_NIGHTS} Nächte: bitte eine frühere Abreise wählen.")
        else:
            self.finish((self._picked, event.day))

    def action_today(self) -> None:
        """Goes to today."""
        self._months.go_to(self.desk.today())
