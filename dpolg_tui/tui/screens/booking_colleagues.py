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
            case "booking" if self._concerns(event.id) and event.own:
                self._follow_own(event)
            case "booking" if self._concerns(event.id):
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

    def _concerns(self, booking_id: int | None) -> bool:
        """Whether it is this booking, also if that was made here and has its real id by now."""
        own = self.booking_id
        return (
            booking_id is not None and own is not None and booking_id in (own, self.desk.outbox.real_id(own))
        )

    def _follow_own(self, event: RecordChanged) -> None:
        """Sent, discarded or taken back while the form is open; after its own saving it is left."""
        if not self._leaving and self.booking is not None and event.action != "deleted":
            read(self, self._follow(self.booking.id, None, own=True), "Buchung lesen", group="follow")

    def _is_ours(self, event: RecordChanged) -> bool:
        """Whether a reminder is, or was, one of this booking."""
        known = self.booking.reminders if self.booking else ()
        return self._concerns(event.booking_id) or event.id in {reminder.id for reminder in known}

    async def _follow_reminder(self, booking_id: int, event: RecordChanged) -> None:
        by = event.by.display_name if event.by else "Jemand"
        await self._follow(booking_id, by, own=event.own)
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

    async def _follow(self, booking_id: int, by: str | None, *, own: bool = False) -> None:
        """The booking has changed: untouched fields follow, touched ones are marked.

        ``by``: the colleague who saved it; ``own``: this desk did, so that nobody needs to be told.
        """
        booking = await self.desk.bookings.get(booking_id)
        who = by or booking.updated_by or "Jemand"
        refreshed, marked = self.form.follow(booking, who)
        self.booking = booking
        self.form.note_dates()
        self.say_facts()
        self.show_sections()
        self.title = f"Buchung {booking.number}"
        self.show_state()
        if refreshed and not own:
            self.desk_app.show_toast(f"{who} hat geändert: {', '.join(refreshed)}.")
        if marked:
            self.desk_app.show_toast(
                f"{who} hat auch geändert: {', '.join(marked)}. Ihre Eingabe bleibt stehen.", "warning"
            )
        if self.tabs.active == HISTORY:
            self._read_history()
