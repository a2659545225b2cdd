"""The tabs of the booking form around the stay: sections, history, and what is done in them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static, TabbedContent, TabPane

from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.models import Booking, Outcome, Reminder, WriteResult
from dpolg_tui.domain.people import Presence
from dpolg_tui.domain.words import guests_in, history_lines
from dpolg_tui.tui.abstract import AbstractMeta
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.reminder import ReminderDialog
from dpolg_tui.tui.saving import queued_sentence
from dpolg_tui.tui.screens.leaving import LeavableScreen
from dpolg_tui.tui.widgets.booking_sections import (
    BookingSection,
    CompanionsSection,
    PaymentsSection,
    PricesSection,
    RemindersSection,
    ReminderTable,
)
from dpolg_tui.tui.widgets.history import History
from dpolg_tui.tui.work import read, write

if TYPE_CHECKING:
    from dpolg_tui.tui.widgets.booking_form import BookingForm

STAY, PAYMENTS, REMINDERS, HISTORY = "tab-stay", "tab-payments", "tab-reminders", "tab-history"
SECTIONS: dict[str, tuple[str, type[BookingSection]]] = {
    "tab-prices": ("Leistungen & Preis", PricesSection),
    PAYMENTS: ("Zahlungen & Rechnung", PaymentsSection),
    "tab-companions": ("Begleitpersonen", CompanionsSection),
    REMINDERS: ("Erinnerungen", RemindersSection),
}
TABS = (STAY, *SECTIONS, HISTORY)
WIDE = 100
"""Columns from which on all titles fit in full."""


def editing_words(others: Iterable[Presence]) -> str:
    """``wird gerade von Ben Beispiel und Clara Beispiel bearbeitet``"""
    names = dict.fromkeys("Ihnen an einem anderen Platz" if one.own else one.display_name for one in others)
    return f"wird gerade von {clean_line(' und '.join(names))} bearbeitet" if names else ""


class BookingTabs(LeavableScreen, metaclass=AbstractMeta):
    """Everything of the booking screen that is not the stay itself."""

    booking_id: int | None
    booking: Booking | None
    _tab = STAY
    _left_at: Widget | None = None
    """The field of the stay that had the cursor."""

    def compose_body(self) -> ComposeResult:
        with TabbedContent(id="booking-tabs"):
            with TabPane("Aufenthalt", id=STAY):
                yield from self.compose_stay()
            # A section is made when it is first looked at: the form opens as fast without.
            for name, (title, _) in SECTIONS.items():
                yield TabPane(Content(title), id=name)
            with TabPane("Verlauf", id=HISTORY):
                yield History()
        yield Static("", id="booking-editing", markup=False)

    @abstractmethod
    def compose_stay(self) -> ComposeResult:
        """The fields of the stay."""

    @property
    @abstractmethod
    def form(self) -> BookingForm:
        """The fields."""

    @property
    def may_undo(self) -> bool:
        return isinstance(self.focused, ReminderTable)

    @property
    def tabs(self) -> TabbedContent:
        """The tabs."""
        return self.query_one("#booking-tabs", TabbedContent)

    # Colleagues

    def on_presence_changed(self) -> None:
        self.show_editing()

    def show_editing(self) -> None:
        """Names who else has this booking open: a hint, never a lock."""
        others = () if self.booking_id is None else self.desk.editing(self.booking_id)
        line = self.query_one("#booking-editing", Static)
        line.update(editing_words(others))
        line.display = bool(others)

    def on_resize(self, event: events.Resize) -> None:
        """In a narrow terminal the tabs have room for a word each."""
        title = SECTIONS[PAYMENTS][0] if event.size.width >= WIDE else "Zahlungen"
        self.tabs.get_tab(PAYMENTS).label = Content(title)

    # Turning

    def action_next_tab(self) -> None:
        """To the next tab, after the last one to the first."""
        self.action_turn_tab(1)

    def action_turn_tab(self, step: int) -> None:
        """To another tab, round and round."""
        self._go_to(TABS[(TABS.index(self.tabs.active or STAY) + step) % len(TABS)])

    def action_to_reminders(self) -> None:
        """To the reminders."""
        self._go_to(REMINDERS)

    def action_to_history(self) -> None:
        """To the history."""
        self._go_to(HISTORY)

    def _go_to(self, name: str) -> None:
        if self._tab == STAY and self.focused is not None and self.form in self.focused.ancestors:
            self._left_at = self.focused
        self.tabs.active = name

    async def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        name = event.pane.id or STAY
        if name == self._tab:
            return
        self._tab = name
        if name == STAY:
            (self._left_at or self.form.room.editor_widget).focus()
        elif name == HISTORY:
            self.query_one(History).table.focus()
            self._read_history()
        else:
            sections = event.pane.query(BookingSection)
            section = sections.first() if sections else SECTIONS[name][1]()
            if not section.is_attached:
                await event.pane.mount(section)
            self._fill(section)
            section.table.focus()

    # Showing

    def show_sections(self) -> None:
        """Shows the booking in all sections that were looked at, and how much is to be done."""
        self.show_editing()
        for section in self.query(BookingSection):
            self._fill(section)
        reminders = self.booking.reminders if self.booking else ()
        open_ones = sum(not reminder.completed for reminder in reminders)
        count = f" {open_ones if open_ones < 10 else '9+'}" if open_ones else ""
        self.tabs.get_tab(REMINDERS).label = Content(f"{SECTIONS[REMINDERS][0]}{count}")

    def _fill(self, section: BookingSection) -> None:
        section.show(self.booking, self.form.price, self.desk.today())

    # History

    def _read_history(self) -> None:
        if self.booking_id is not None:
            read(self, self._load_history(self.booking_id), "Verlauf lesen", group="history")

    async def _load_history(self, booking_id: int) -> None:
        entries = await self.desk.bookings.history(booking_id)
        field = self.form.guest
        for guest_id in guests_in(entries) - field.known_names.keys():
            await self.learn_guest(guest_id)
        lines = history_lines(entries, self.desk.store.rooms, field.known_names)
        self.query_one(History).show(lines)

    @abstractmethod
    async def learn_guest(self, guest_id: int) -> None:
        """Reads the name of a guest."""

    # Deleting

    def action_delete(self) -> None:
        """Deletes the booking after asking: for what was entered by mistake."""
        if self.booking is None:
            self.desk_app.show_toast("Diese Buchung ist noch nicht gespeichert: Esc verwirft sie.", "warning")
        else:
            write(self, self._delete(self.booking), "Buchung löschen")

    async def _delete(self, booking: Booking) -> None:
        lines = [
            f"{booking.number} · {booking.guest_name}",
            "Die Buchung wird mit Aufenthalten, Preisen und Erinnerungen gelöscht. Das lässt sich nicht "
            "zurücknehmen. Wer abgesagt hat, wird storniert, nicht gelöscht.",
        ]
        question = ConfirmDialog("Buchung löschen?", lines, "Löschen", danger=True)
        if not await self.app.push_screen_wait(question):
            return
        result = await self.desk.bookings.delete(booking.id)
        if result.outcome is Outcome.DONE:
            self.desk_app.show_toast(f"Buchung {booking.number} gelöscht.")
        elif result.outcome is Outcome.QUEUED:
            self.desk_app.show_toast(queued_sentence(f"Buchung {booking.number} löschen"))
        else:
            self.desk_app.show_toast("Diese Buchung wurde inzwischen gelöscht.", "warning")
        self.leave()

    # Reminders

    def on_reminder_table_wanted(self, event: ReminderTable.Wanted) -> None:
        event.stop()
        reminder = self._reminder(event.reminder_id)
        if event.what == "new":
            self.action_new_reminder()
        elif reminder is None:
            self.desk_app.show_toast("Hier steht noch keine Erinnerung: n legt eine an.", "warning")
        elif event.what == "open":
            self.app.push_screen(ReminderDialog(self.booking_id, reminder.id))
        else:
            write(self, self._complete(reminder), "Erinnerung abhaken")

    def _reminder(self, reminder_id: int | None) -> Reminder | None:
        reminders = self.booking.reminders if self.booking else ()
        return next((reminder for reminder in reminders if reminder.id == reminder_id), None)

    def action_new_reminder(self) -> None:
        """A reminder of this booking."""
        if self.booking_id is None:
            self.desk_app.show_toast(
                "Bitte die Buchung zuerst speichern (Strg+S): danach gibt es Erinnerungen.", "warning"
            )
        else:
            self.app.push_screen(ReminderDialog(self.booking_id))

    async def _complete(self, reminder: Reminder) -> None:
        """Done; or open again, if it was done already."""
        reminders = self.desk.reminders
        result: WriteResult = await (
            reminders.reopen(reminder.id) if reminder.completed else reminders.complete(reminder.id)
        )
        if result.outcome is Outcome.DONE:
            self.desk_app.show_toast(
                "Erinnerung ist wieder offen." if reminder.completed else "Erinnerung erledigt."
            )
        elif result.outcome is Outcome.QUEUED:
            self.desk_app.show_toast(queued_sentence("Erinnerung"))
        else:
            self.desk_app.show_toast("Diese Erinnerung wurde inzwischen gelöscht.", "warning")
