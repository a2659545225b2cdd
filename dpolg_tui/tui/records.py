"""From an entry of the audit log to the record that it tells of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.screen import Screen

from dpolg_tui.domain.audit import AuditEntry
from dpolg_tui.domain.words import record_words

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

_NAMED = frozenset(["bookings", "guests", "rooms", "users"])
"""Tables whose records have a name as long as they exist."""


def open_record(app: DeskApp, entry: AuditEntry) -> None:
    """Opens the form of the record, or says why there is none."""
    record = record_words(entry)
    if entry.label is None and (entry.table_name in _NAMED or entry.booking_id is not None):
        app.show_toast(f"{record} gibt es nicht mehr: wurde inzwischen gelöscht.", "warning")
        return
    screen = _form(app, entry)
    if screen is None:
        app.show_toast(f"{record} hat keine eigene Seite: alle Angaben zeigt Enter.", "warning")
    else:
        app.push_screen(screen)


def open_booking(app: DeskApp, booking_id: int) -> None:
    """Opens its form; without a connection says at once if it was never read."""
    if refusal := app.desk.bookings.refusal(booking_id):
        app.show_toast(refusal, "error")
        return
    from dpolg_tui.tui.screens.booking import BookingScreen

    app.push_screen(BookingScreen(booking_id))


def open_guest(app: DeskApp, guest_id: int) -> None:
    """Opens its form; without a connection says at once if it was never read."""
    if refusal := app.desk.guests.refusal(guest_id):
        app.show_toast(refusal, "error")
        return
    from dpolg_tui.tui.dialogs.guest import GuestDialog

    app.push_screen(GuestDialog(guest_id))


def _form(app: DeskApp, entry: AuditEntry) -> Screen[Any] | None:
    """The form, not loaded yet: it says itself if its record is gone. Imported only when it is wanted."""
    values = {**(entry.old_data or {}), **(entry.new_data or {})}
    table, record_id = entry.table_name, entry.record_id
    # An update names only what it changed; a record that is gone is named whole.
    parent_id = record_id if table in ("guests", "rooms") else entry.parent_id
    of_room = table in ("rooms", "room_prices")
    room_id = (parent_id if of_room else None) or values.get("room_id")
    guest_id = (None if of_room else parent_id) or values.get("guest_id")
    if table == "reminders":
        from dpolg_tui.tui.dialogs.reminder import ReminderDialog

        return ReminderDialog(entry.booking_id, record_id)
    if table == "users":
        from dpolg_tui.tui.dialogs.user import UserDialog

        return UserDialog(record_id)
    if entry.booking_id is not None:
        from dpolg_tui.tui.screens.booking import BookingScreen

        return BookingScreen(entry.booking_id)
    if isinstance(guest_id, int):
        from dpolg_tui.tui.dialogs.guest import GuestDialog

        return GuestDialog(guest_id)
    block = app.desk.store.occupancies.get(record_id) if table == "occupancies" else None
    if block is not None:
        from dpolg_tui.tui.dialogs.block import BlockDialog

        return BlockDialog(block.room_id, block.arrival, block.departure, block)
    if isinstance(room_id, int):
        from dpolg_tui.tui.dialogs.room import RoomDialog

        return RoomDialog(room_id)
    return None
