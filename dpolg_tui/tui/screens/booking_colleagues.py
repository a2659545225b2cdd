"""The booking form follows what colleagues do meanwhile."""

from __future__ import annotations

from abc import abstractmethod

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.tui.screens.booking_tabs import HISTORY, BookingTabs
from dpolg_tui.tui.work import read


class FollowedBooking(BookingTabs):
    """Untouched fields follow, touched ones are marked."""

    @abstractmethod
    def ask_rooms_soon(self) -> None:
        """Asks for free rooms after a moment of rest."""

    @abstractmethod
    def say_facts(self) -> None:
        """Shows the facts beside the form anew."""

    def on_record_changed(self, event: RecordChanged) -> None:
        match event.kind:
            case "booking" if event.id == self.booking_id and not event.own:
                by = event.by.display_name if event.by else "Jemand"
                if event.action == "deleted":
                    self.desk_app.show_toast(f"{by} hat diese Buchung gelöscht.", "warning")
                else:
                    read(self, self._follow(event.id, by), "Buchung lesen", group="follow")
            case "reminder" if self.booking is not None and self._is_ours(event):
                read(self, self._follow_reminder(self.booking.id, event), "Buchung lesen", group="follow")
            case "guest" if event.id == self.form.guest.peek and event.action != "deleted":
                read(self, self.learn_guest(event.id), "Gast lesen", group="learn")
        if event.kind in ("booking", "block", "room"):
            self.ask_rooms_soon()

    def _is_ours(self, event: RecordChanged) -> bool:
        """Whether a reminder is, or was, one of this booking."""
        known = self.booking.reminders if self.booking else ()
        return event.booking_id == self.booking_id or event.id in {reminder.id for reminder in known}

    async def _follow_reminder(self, booking_id: int, event: RecordChanged) -> None:
        by = event.by.display_name if event.by else "Jemand"
        await self._follow(booking_id, by)
        if not event.own:
            words = {"created": "angelegt", "updated": "geändert", "deleted": "gelöscht"}[event.action]
            self.desk_app.show_toast(f"{by} hat eine Erinnerung dieser Buchung {words}.")

    def on_store_reloaded(self) -> None:
        if self.booking is not None:
            read(self, self._follow(self.booking.id, None), "Buchung lesen", group="follow")
        self.ask_rooms_soon()

    async def learn_guest(self, guest_id: int) -> None:
        """Reads the name of a guest, also of one who is gone."""
        try:
            guest = await self.desk.guests.get(guest_id)
        except RecordMissing:
            self.form.guest.learn(guest_id, f"gelöschter Gast Nr. {guest_id}")
        else:
            self.form.guest.learn(guest.id, guest.name)

    async def _follow(self, booking_id: int, by: str | None) -> None:
        """A colleague saved this booking: untouched fields follow, touched ones are marked."""
        booking = await self.desk.bookings.get(booking_id)
        who = by or booking.updated_by or "Jemand"
        refreshed, marked = self.form.follow(booking, who)
        self.booking = booking
        self.form.note_dates()
        self.say_facts()
        self.show_sections()
        if refreshed:
            self.desk_app.show_toast(f"{who} hat geändert: {', '.join(refreshed)}.")
        if marked:
            self.desk_app.show_toast(
                f"{who} hat auch geändert: {', '.join(marked)}. Ihre Eingabe bleibt stehen.", "warning"
            )
        if self.tabs.active == HISTORY:
            self._read_history()
