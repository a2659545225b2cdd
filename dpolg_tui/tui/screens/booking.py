"""The booking form: create, edit, cancel, bring back. Its other tabs are in ``booking_tabs``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.offline import saving
from dpolg_tui.domain.errors import DomainError, InvalidInput
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Booking, FreeRoom, Outcome, Status, WriteResult
from dpolg_tui.domain.stay import may_change
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.calendar import CalendarDialog
from dpolg_tui.tui.dialogs.cancel import CancelDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.drafting import draft_of
from dpolg_tui.tui.records import open_guest
from dpolg_tui.tui.saving import queued_sentence, save_changes, saved_sentence, show_at_field
from dpolg_tui.tui.screens.booking_colleagues import FollowedBooking
from dpolg_tui.tui.screens.booking_tabs import STAY
from dpolg_tui.tui.typed import Typed
from dpolg_tui.tui.widgets.booking_form import BookingForm
from dpolg_tui.tui.widgets.field import Field
from dpolg_tui.tui.widgets.fields import DateField
from dpolg_tui.tui.widgets.guest_field import GuestField, prefill_from
from dpolg_tui.tui.work import read, write

REST = 0.2
"""Seconds of rest after typing before free rooms are asked for."""


class BookingScreen(FollowedBooking):
    """A booking, new or stored. Leaves only when asked to, or when all is saved."""

    SCOPE = "booking"
    TITLE = "Buchung"
    LEAVING = "Formular verlassen"
    HELP = (
        "Gast: tippen sucht nach Name, E-Mail oder Telefon; ↓ und Enter wählen. "
        "Daten: 21.11. · 21.11.26 · heute · +2 · mo; bei der Abreise ist +3 drei Nächte. "
        "Gespeichert wird nur, was geändert ist. "
        "Strg+T geht zu Preis, Zahlungen, Begleitpersonen, Erinnerungen und Verlauf; "
        "in den Erinnerungen: n neu, Leertaste erledigt, Enter öffnet."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("booking")
    AUTO_FOCUS = ""  # set when the booking is read
    typed: Typed | None = None
    """What was typed before and is wanted again."""

    def __init__(
        self,
        booking_id: int | None = None,
        room_id: int | None = None,
        arrival: date | None = None,
        departure: date | None = None,
    ) -> None:
        super().__init__()
        self.booking_id = booking_id
        self.booking: Booking | None = None
        self.title = "Buchung" if booking_id is not None else "Neue Buchung"
        self._wish = {"room_id": room_id, "arrival": arrival, "departure": departure}
        self._saving = False
        self._rest: Timer | None = None

    def compose_stay(self) -> ComposeResult:
        with Horizontal():
            yield BookingForm()
            with VerticalScroll(id="booking-side", can_focus=False):
                yield Static("", id="booking-facts", markup=False)

    @property
    def form(self) -> BookingForm:
        """The fields."""
        return self.query_one(BookingForm)

    @property
    def dirty(self) -> bool:
        # While it closes, the fields go before the screen does.
        return any(form.dirty for form in self.query(BookingForm))

    def draft(self) -> Draft | None:
        if self.desk.outbox.has_form(self.form.draft_id):
            return None  # it is in the queue, also if the program is killed now
        return draft_of("booking", self.booking_id, self.title or "Buchung", self.form, typed=self.typed)

    # Loading

    def on_mount(self) -> None:
        if self.booking_id is not None:
            self.form.ready = False
            read(self, self._load(self.booking_id), "Buchung lesen", failed=self._not_loaded)
            return
        self.form.load_new(self._wish)
        self._type_again()
        self._dates_changed()
        self.form.guest.editor_widget.focus()

    async def _load(self, booking_id: int) -> None:
        self._show(await self.desk.bookings.get(booking_id))
        self.form.ready = True
        self._type_again()
        self.form.room.editor_widget.focus()
        self._dates_changed()

    def _show(self, booking: Booking) -> None:
        self.booking = booking
        self.title = f"Buchung {booking.number}"
        self.form.load_booking(booking, self.typed.stay if self.typed is not None else "")
        self.show_sections()
        self.show_state()

    def _type_again(self) -> None:
        if self.typed is None:
            return
        self.typed.put_into(self.form)
        if self.typed.guest_id is not None:
            read(self, self._choose_guest(self.typed.guest_id), "Gast lesen", group="guest")
        if self.typed.sentence:
            self.desk_app.show_toast(self.typed.sentence, "warning")

    def _not_loaded(self, error: DomainError) -> bool:
        self.desk_app.show_toast(error.message, "error")
        self.leave()
        return True

    # While typing

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field.key in ("arrival", "departure", "persons"):
            self._dates_changed()
        else:
            self.say_facts()

    def _dates_changed(self) -> None:
        self.form.note_dates()
        self.say_facts()
        self.ask_rooms_soon()

    def ask_rooms_soon(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self._ask_rooms)

    def _ask_rooms(self) -> None:
        period = self.form.period
        if period is None:
            self.form.offer_rooms(None)
        else:
            read(self, self._load_rooms(*period), "Freie Zimmer suchen", group="rooms")

    async def _load_rooms(self, arrival: date, departure: date) -> None:
        self.form.offer_rooms(await self._free_rooms(arrival, departure))
        self.say_facts()

    async def _free_rooms(self, arrival: date, departure: date) -> list[FreeRoom]:
        persons = self.form.persons.number or 1
        return await self.desk.bookings.free_rooms(
            arrival, departure, persons, except_booking=self.booking_id
        )

    def say_facts(self) -> None:
        self.query_one("#booking-facts", Static).update(self.form.facts(self.booking))

    # Guest

    def on_guest_field_new_wanted(self, event: GuestField.NewWanted) -> None:
        event.stop()
        self._new_guest(event.typed)

    def action_new_guest(self) -> None:
        """A guest that does not exist yet, with what was typed."""
        self._new_guest(self.form.guest.typed)

    def _new_guest(self, typed: str) -> None:
        self.app.push_screen(GuestDialog(prefill=prefill_from(typed)), self._guest_chosen)

    def _guest_chosen(self, guest_id: int | None) -> None:
        if guest_id is not None:
            read(self, self._choose_guest(guest_id), "Gast lesen", group="guest")

    async def _choose_guest(self, guest_id: int) -> None:
        guest = await self.desk.guests.get(guest_id)
        self.form.guest.choose(guest.id, guest.name)

    def action_open_guest(self) -> None:
        """All fields of the chosen guest."""
        guest_id = self.form.guest.peek
        if isinstance(guest_id, int):
            open_guest(self.desk_app, guest_id)
        else:
            self.desk_app.show_toast("Bitte zuerst einen Gast wählen.", "warning")

    # Calendar

    def action_calendar(self) -> None:
        """A day for the date field that has the cursor, else arrival and departure."""
        form = self.form
        field = next((field for field in form.query(DateField) if field.editor_widget.has_focus), None)
        if field is not None and field not in (form.arrival, form.departure):
            dialog = CalendarDialog(
                None, field.day or form.arrival.day, None, one_day=True, title=field.label
            )
        else:
            own = [stay.id for stay in self.booking.stays if stay.id is not None] if self.booking else []
            dialog = CalendarDialog(form.room_id, form.arrival.day, form.departure.day, ignore=own)
            field = None

        def picked(answer: tuple[date, date] | date | None) -> None:
            if isinstance(answer, tuple):
                form.put({"arrival": answer[0], "departure": answer[1]})
                form.persons.editor_widget.focus()
            elif answer is not None and field is not None:
                form.put({field.key: answer})

        self.app.push_screen(dialog, picked)

    # Saving

    def action_save(self) -> None:
        """Saves what changed, or shows at which field something is missing."""
        if self._saving or not self.form.ready:
            return
        self._saving = True
        write(self, self._save(), "Buchung speichern", failed=self._failed)

    async def _save(self) -> None:
        try:
            self.form.clear_errors()
            self.form.judge(self.booking)
            with saving(self.form.draft_id):
                result = await self._send()
            if result is None:
                return
            match result.outcome:
                case Outcome.DONE:
                    self.desk_app.show_toast(saved_sentence(self._saved_name(result), result))
                    self._saved(result)
                case Outcome.QUEUED:
                    self.desk_app.show_toast(queued_sentence(self._saved_name(result)))
                    self._saved(result)
                case Outcome.TAKEN:
                    await self._room_taken(result)
                case _:
                    self.desk_app.show_toast(
                        "Diese Buchung wurde inzwischen gelöscht: sie lässt sich nicht mehr speichern. "
                        "Ihre Eingaben stehen noch hier.",
                        "error",
                    )
        finally:
            self._saving = False

    def _saved(self, result: WriteResult) -> None:
        if self.typed is not None:
            self.typed.saved(result)
        self.leave()

    def _saved_name(self, result: WriteResult) -> str:
        """The booking with its number; a new one that has no room says where to find it."""
        if self.booking is not None:
            return f"Buchung {self.booking.number}"
        stays = self.desk.store.occupancies.values()
        new = next((stay for stay in stays if stay.booking_id == result.id), None)
        if new is None:
            return "Buchung"
        name = "Buchung" if new.queued else f"Buchung {new.number}"
        return name if new.room_id else f"{name} unter „Ohne Zimmer“"

    async def _send(self) -> WriteResult | None:
        booking = self.booking
        if booking is None:
            wanted = {name: value for name, value in self.form.values().items() if value is not None}
            return await self.desk.bookings.create(wanted)
        reason = booking.cancellation_reason
        if self.form.status == Status.CANCELLED and booking.status != Status.CANCELLED:
            reason = cast("str | None", await self.app.push_screen_wait(CancelDialog(self._label(booking))))
            if reason is None:
                return None

        async def save(changes: Changes, known: Mapping[str, object]) -> WriteResult:
            if reason != booking.cancellation_reason:
                changes = {**changes, "cancellation_reason": Change(booking.cancellation_reason, reason)}
            return await self.desk.bookings.save(booking.id, changes, known)

        async def stay_gone(wanted: bool) -> None:
            self.booking = await self.desk.bookings.get(booking.id)
            self.form.stay_gone(self.booking, wanted=wanted)

        return await save_changes(self.desk_app, self.form, save, self.form.guest.known_names, stay_gone)

    def _failed(self, error: DomainError) -> bool:
        if isinstance(error, InvalidInput):
            self.tabs.active = STAY
        return show_at_field(self.form, error)

    async def _room_taken(self, result: WriteResult) -> None:
        """Somebody else has the room: names the booking in the way and offers free rooms."""
        from dpolg_tui.tui.dialogs.taken import TakenDialog

        period = self.form.period
        free = await self._free_rooms(*period) if period else []
        self.form.offer_rooms(free)
        self.form.show_error("room_id", self.form.taken_sentence(result.in_the_way))
        chosen = await self.app.push_screen_wait(TakenDialog(result.in_the_way, free))
        if chosen is not None:
            self.form.put({"room_id": chosen})
            self.desk_app.show_toast("Zimmer übernommen. Strg+S speichert noch einmal.")

    # Cancel, bring back, leave

    def action_cancel(self) -> None:
        """Cancels with a reason; a cancelled booking is brought back."""
        if self.booking is None:
            self.desk_app.show_toast("Diese Buchung ist noch nicht gespeichert: Esc verwirft sie.", "warning")
        elif self.dirty:
            self.desk_app.show_toast(
                "Bitte zuerst speichern (Strg+S) oder die Eingaben verwerfen.", "warning"
            )
        elif self.booking.status == Status.CANCELLED:
            write(self, self._reopen(self.booking), "Buchung zurückholen")
        elif not may_change(self.booking.status, Status.CANCELLED):
            self.desk_app.show_toast(
                "Wer eingecheckt oder ausgecheckt ist, kann nicht storniert werden.", "warning"
            )
        else:
            write(self, self._cancel(self.booking), "Buchung stornieren")

    async def _cancel(self, booking: Booking) -> None:
        reason = cast("str | None", await self.app.push_screen_wait(CancelDialog(self._label(booking))))
        if reason is not None:
            result = await self.desk.bookings.cancel(booking.id, reason)
            self._status_changed(result, f"Buchung {booking.number} storniert.")

    async def _reopen(self, booking: Booking) -> None:
        result = await self.desk.bookings.reopen(booking.id)
        where = " Das Zimmer ist inzwischen belegt: sie steht jetzt ohne Zimmer." if result.lost_room else ""
        self._status_changed(result, f"Buchung {booking.number} ist zurückgeholt.{where}")

    def _status_changed(self, result: WriteResult, sentence: str) -> None:
        if result.outcome in (Outcome.DONE, Outcome.QUEUED):
            done = result.outcome is Outcome.DONE
            self.desk_app.show_toast(sentence if done else queued_sentence("Änderung"))
            self.leave()
        elif result.outcome is Outcome.MISSING:
            self.desk_app.show_toast("Diese Buchung wurde inzwischen gelöscht.", "error")
        else:
            who = result.changed_by or "Jemand"
            self.desk_app.show_toast(f"{who} hat den Status inzwischen geändert: bitte prüfen.", "warning")

    @staticmethod
    def _label(booking: Booking) -> str:
        return f"{booking.number} · {booking.guest_name}"
