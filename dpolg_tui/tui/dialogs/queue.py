"""What waits to be sent: the queued writes, and what to do with those that do not fit any more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Button, DataTable, Static

from dpolg_tui.desk.events import DeskEvent, QueueChanged
from dpolg_tui.desk.offline import Queued
from dpolg_tui.desk.outbox import REASONS
from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.domain.models import Outcome
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.queued import QueuedDialog, ask_to_discard, state_words
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.typed import Typed
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk

COLUMNS = (Column("seit", 12), Column("Änderung", 24, 3), Column("Stand", 24, 3))
NOTHING = "Es ist nichts vorgemerkt."


class QueueDialog(Hearing, BaseDialog[None]):
    """The list of queued writes; Enter opens one that does not fit, Entf discards one."""

    HELP = (
        "Was ohne Verbindung gespeichert wurde, wird der Reihe nach gesendet, sobald sie wieder da ist. "
        "Was nicht mehr passt, öffnet Enter mit den eingegebenen Daten; die Leertaste zeigt, was gewollt war "
        "und was im Weg ist; Entf verwirft eine Änderung."
    )
    AUTO_FOCUS = "RecordTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("delete", "discard", show=False),
        Binding("space", "look", show=False),
    ]

    def __init__(self) -> None:
        super().__init__("Vorgemerkte Änderungen")
        self.add_class("wide")

    def compose_body(self) -> ComposeResult:
        yield RecordTable(COLUMNS)
        yield Static("", id="queue-says", classes="hint", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Öffnen  Enter", "open", primary=True)
        yield self.button("Ansehen  Leertaste", "look")
        yield self.button("Verwerfen  Entf", "discard", danger=True)
        yield self.button("Schließen", "cancel")

    def on_mount(self) -> None:
        self._show()

    def heard(self, event: DeskEvent) -> None:
        if isinstance(event, QueueChanged):
            self._show()

    def _show(self) -> None:
        items = self.desk.outbox.items
        today = self.desk.today()
        self.query_one(RecordTable).show([_row(number, item, today) for number, item in enumerate(items)])
        self._say()

    def _say(self) -> None:
        """The chosen change in full: the table may have no room for it."""
        item = self._chosen
        words = f"{item.label} – {state_words(item)}" if item else self.desk.outbox.problem or NOTHING
        self.query_one("#queue-says", Static).update(clean_line(words))

    def on_data_table_row_highlighted(self) -> None:
        self._say()

    @property
    def _chosen(self) -> Queued | None:
        at = self.query_one(RecordTable).record_id
        items = self.desk.outbox.items
        return items[at] if at is not None and at < len(items) else None

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self._open()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "open":
            event.stop()
            self._open()
        elif event.button.id == "look":
            event.stop()
            self.action_look()
        elif event.button.id == "discard":
            event.stop()
            self.action_discard()

    def _open(self) -> None:
        """The form of what does not fit; where there is none, what was wanted and what is in the way."""
        item = self._chosen
        screen = None
        if item is not None and not item.open and item.reason != REASONS[Outcome.MISSING]:
            screen = form_of(self.desk, item)
        if screen is None:
            self.action_look()
            return
        self.finish(None)
        self.app.call_later(self.app.push_screen, screen)

    def action_look(self) -> None:
        """One write in full."""
        item = self._chosen
        if item is not None:
            self.app.push_screen(QueuedDialog(item), self._looked)

    def _looked(self, to_the_chart: bool | None) -> None:
        if to_the_chart:
            self.finish(None)

    def action_discard(self) -> None:
        """Forgets a queued write after asking."""
        item = self._chosen
        if item is not None:
            ask_to_discard(self, item, lambda: None)


def _row(number: int, item: Queued, today: date) -> Row:
    cells = (format_datetime(item.at, today), clean_line(item.label), clean_line(state_words(item)))
    return number, cells, ""


def form_of(desk: Desk, item: Queued) -> Screen[Any] | None:
    """The form of a write that does not fit, with the typed data in it; None where there is no form."""
    write = item.write.resolved({one: desk.outbox.real_id(one) for one in item.write.temporary_ids})
    if write.parts or write.delete:
        return None
    values = {name: change.after for name, change in write.typed_changes.items()}
    stays = [value for name, value in values.items() if name.startswith("stay/")]
    if len(stays) > 1 or None in stays:
        return None  # a form edits one stay, and does not remove it
    if isinstance(guest := values.get("guest_id"), int) and guest < 0:
        values.pop("guest_id")  # never saved: to be chosen anew
    for name, stay in values.items():
        if isinstance(stay, Mapping) and (stay.get("room_id") or 0) < 0:
            values[name] = {**stay, "room_id": None}  # so is the room
    typed = Typed(
        values,
        sentence=item.reason,
        saved=lambda result: desk.outbox.settled(item.request, result),
        request=str(item.request),
    )
    return open_form(desk, write.kind, write.record_id, typed)


def open_form(desk: Desk, kind: str, record_id: int | None, typed: Typed) -> Screen[Any] | None:
    """The form of a record, or of a new one, with something typed in it; None where there is no form."""
    from dpolg_tui.tui.dialogs.block import BlockDialog
    from dpolg_tui.tui.dialogs.guest import GuestDialog
    from dpolg_tui.tui.dialogs.reminder import ReminderDialog
    from dpolg_tui.tui.dialogs.room import RoomDialog
    from dpolg_tui.tui.screens.booking import BookingScreen

    form: Any
    match kind:
        case "booking":
            form = BookingScreen(record_id)
        case "guest":
            form = GuestDialog(record_id)
        case "room":
            form = RoomDialog(record_id)
        case "reminder":
            booking_id = typed.values.get("booking_id")
            form = ReminderDialog(booking_id if isinstance(booking_id, int) else None, record_id)
        case "block":
            block = desk.store.occupancies.get(record_id) if record_id is not None else None
            if record_id is not None and block is None:
                return None
            form = BlockDialog(None, None, None, block=block)
        case _:
            return None
    form.typed = typed
    return form  # type: ignore[no-any-return]
