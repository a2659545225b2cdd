"""One queued write in full: what was wanted, why it does not fit, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Button, Static

from dpolg_tui.desk import labels
from dpolg_tui.desk.offline import Queued, State
from dpolg_tui.domain.german import clean_line, format_date_range, format_datetime
from dpolg_tui.domain.models import BookingSummary, Status
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.screens.chart import ChartScreen
from dpolg_tui.tui.work import read

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

STATES = {
    State.WAITING: "wartet auf die Verbindung",
    State.UNKNOWN: "ungewiss: wird noch einmal gesendet, doppelt gespeichert wird nichts",
}
BEING_SENT = "Das wird gerade gesendet: bitte gleich noch einmal versuchen."


def state_words(item: Queued) -> str:
    """Whether it waits, or why it does not fit."""
    return STATES.get(item.state) or item.reason or "passt nicht mehr"


class QueuedDialog(BaseDialog[bool]):
    """What is chosen here is done here; answers ``True`` if the chart shall be seen."""

    HELP = (
        "Zum Plan zeigt die Stelle, um die es geht. Noch einmal senden versucht dieselbe Änderung von neuem, "
        "etwa wenn das Zimmer wieder frei ist. Entf verwirft sie."
    )
    AUTO_FOCUS = "Button"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("delete", "discard", show=False)]

    def __init__(self, item: Queued) -> None:
        super().__init__("Vorgemerkte Änderung")
        self.add_class("wide")
        self._item = item

    def compose_body(self) -> ComposeResult:
        item = self._item
        rooms = self.desk.store.rooms
        with VerticalScroll(can_focus=False):
            yield _line(f"{format_datetime(item.at)}  {item.label}")
            yield _line("Gewollt:", "hint")
            for line in labels.wanted(self.desk, item.write):
                yield _line(f"• {line}")
            yield _line(f"Stand: {state_words(item)}", "hint")
            for way in item.in_the_way:
                dates = format_date_range(way.arrival, way.departure)
                yield _line(f"• Im Weg: {way.label} · {room_label(way.room_id, rooms)} · {dates}")

    def compose_buttons(self) -> ComposeResult:
        if self._place is not None:
            yield self.button("Zum Plan", "chart", primary=True)
        if not self._item.open:
            yield self.button("Noch einmal senden", "send")
        yield self.button("Verwerfen  Entf", "discard", danger=True)
        yield self.button("Schließen", "cancel")

    @property
    def _place(self) -> BookingSummary | None:
        """A bar on the chart that it is about: that which is in the way, else the first of its own."""
        for way in self._item.in_the_way:
            return _at(way.occupancy_id, way.booking_id, way.label, way.room_id, (way.arrival, way.departure))
        store = self.desk.store
        for one in self._item.waiting():
            bars = [] if one.kind == "block" else store.of_booking(one.record_id)
            if one.kind == "block" and one.record_id in store.occupancies:
                bars = [store.occupancies[one.record_id]]
            for bar in bars if one.kind in ("booking", "block") else ():
                name = labels.record_name(self.desk, one.kind, one.record_id)
                return _at(bar.id, bar.booking_id, name, bar.room_id, (bar.arrival, bar.departure))
        return None

    def on_button_pressed(self, event: Button.Pressed) -> None:
        match event.button.id:
            case "chart":
                event.stop()
                self._to_chart()
            case "send":
                event.stop()
                self.desk.outbox.send_again(self._item.request)
                self.finish(None)
            case "discard":
                event.stop()
                self.action_discard()

    def _to_chart(self) -> None:
        place, app = self._place, self.desk_app
        self.finish(True)
        if place is not None:
            app.call_later(_show_on_chart, app, place)

    def action_discard(self) -> None:
        """Forgets the write after asking."""
        ask_to_discard(self, self._item, lambda: self.finish(None))


def _line(text: str, classes: str = "") -> Static:
    return Static(clean_line(text), classes=classes, markup=False)


def _at(
    occupancy_id: int, booking_id: int | None, name: str, room_id: int | None, days: tuple[date, date]
) -> BookingSummary:
    return BookingSummary(booking_id or 0, name, "", Status.CONFIRMED, *days, room_id, occupancy_id)


async def _show_on_chart(app: DeskApp, place: BookingSummary) -> None:
    await app.go_to("chart")
    chart = next((screen for screen in reversed(app.screen_stack) if isinstance(screen, ChartScreen)), None)
    if chart is not None:
        read(chart, chart.jump(place), "Zum Balken springen", group="jump")


def ask_to_discard(dialog: BaseDialog[Any], item: Queued, discarded: Callable[[], None]) -> None:
    """Forgets a queued write, and what builds on it, if its user agrees."""
    outbox = dialog.desk.outbox
    lines = [item.label]
    if item.state is State.UNKNOWN:
        lines.append("Vielleicht ist das schon gespeichert: bitte danach nachsehen.")
    building = outbox.building_on(item.request)
    if building:
        lines += ["Darauf bauen auf und werden mit verworfen:", *(f"• {one.label}" for one in building)]
    question = ConfirmDialog(
        "Änderung verwerfen?", [clean_line(line) for line in lines], "Verwerfen", danger=True
    )

    def answered(agreed: bool | None) -> None:
        if not agreed:
            return
        if outbox.discard(item.request):
            discarded()
        else:
            dialog.desk_app.show_toast(BEING_SENT, "warning")

    dialog.app.push_screen(question, answered)
