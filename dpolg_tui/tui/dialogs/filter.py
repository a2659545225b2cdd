"""Chooses what the occupancy chart shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Occupancy, Room, Status
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.widgets.fields import ChoiceField, DateField
from dpolg_tui.tui.widgets.form import Form

ALL = "alle"


@dataclass(frozen=True, slots=True)
class ChartChoice:
    """What is wanted; None: no matter."""

    place: str | None = None
    building: str | None = None
    category: str | None = None
    status: Status | None = None
    free_from: date | None = None
    free_until: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is shown."""
        return self == ChartChoice()

    @property
    def label(self) -> str:
        """The choice in a few words."""
        parts = [part for part in (self.place, self.building, self.category) if part]
        if self.status is not None:
            parts.append(german.status_label(self.status))
        if self.free_from is not None and self.free_until is not None:
            parts.append(f"frei {german.format_date_range(self.free_from, self.free_until)}")
        return ", ".join(parts)

    def wants_room(self, room: Room) -> bool:
        """Whether a room matches, apart from being free."""
        return (
            self.place in (None, room.place)
            and self.building in (None, room.building)
            and self.category in (None, room.category)
        )

    def wants_occupancy(self, occupancy: Occupancy) -> bool:
        """Whether a bar stands out."""
        return self.status in (None, occupancy.status)


class FilterDialog(BaseDialog[ChartChoice]):
    """Answers the choice; an empty one shows everything again."""

    SCOPE = "dialog"
    HELP = (
        "Zimmer, die nicht passen, werden ausgeblendet; Aufenthalte mit anderem Status werden blass. "
        "Mit „frei ab“ und „frei bis“ bleiben nur Zimmer, die in diesen Nächten frei sind."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    AUTO_FOCUS = "Choice"

    def __init__(self, choice: ChartChoice, rooms: Iterable[Room]) -> None:
        super().__init__("Filter")
        self._choice = choice
        self._rooms = list(rooms)

    def compose_body(self) -> ComposeResult:
        rooms = self._rooms
        shown = [status for status in Status if status is not Status.CANCELLED]
        yield Form(
            _field("place", "Ort", _names(room.place for room in rooms)),
            _field("building", "Gebäude", _names(room.building for room in rooms)),
            _field("category", "Zimmerart", _names(room.category for room in rooms)),
            _field("status", "Status", [Option(german.status_label(it), it) for it in shown]),
            DateField("free_from", self._parse_from, "frei ab"),
            DateField("free_until", self._parse_until, "frei bis"),
        )

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Anwenden  Strg+S", "apply", primary=True)
        yield self.button("Alles zeigen", "all")
        yield self.button("Abbrechen", "cancel")

    def on_mount(self) -> None:
        for name in ("place", "building", "category", "status"):
            self.query_one(f"#field-{name}", ChoiceField).load(getattr(self._choice, name))
        for name in ("free_from", "free_until"):
            self.query_one(f"#field-{name}", DateField).load(getattr(self._choice, name))

    def _parse_from(self, text: str) -> date:
        return german.parse_date(text, today=self.desk.today())

    def _parse_until(self, text: str) -> date:
        today = self.desk.today()
        start = self.query_one("#field-free_from", DateField).day
        return german.parse_departure(text, arrival=start or today, today=today, field="free_until")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "all":
            event.stop()
            self.finish(ChartChoice())
        elif event.button.id == "apply":
            event.stop()
            self.action_save()

    def action_save(self) -> None:
        """Answers with what is chosen, or shows at which day something is wrong."""
        days: dict[str, date | None] = {}
        for name in ("free_from", "free_until"):
            field = self.query_one(f"#field-{name}", DateField)
            try:
                value = field.value
            except InvalidInput as error:
                field.error = error.message
                field.editor_widget.focus()
                return
            days[name] = value if isinstance(value, date) else None
        start, end = days["free_from"], days["free_until"]
        if (start is None) != (end is None) or (start and end and end <= start):
            field = self.query_one("#field-free_until", DateField)
            field.error = "Bitte beide Tage angeben, das Ende nach dem Anfang."
            field.editor_widget.focus()
            return
        chosen = {
            name: self.query_one(f"#field-{name}", ChoiceField).value
            for name in ("place", "building", "category", "status")
        }
        self.finish(ChartChoice(**chosen, **days))  # type: ignore[arg-type]


def _names(values: Iterable[str | None]) -> list[Option]:
    names = {value for value in values if value}
    return [Option(name, name) for name in sorted(names, key=german.natural_key)]


def _field(name: str, label: str, options: Sequence[Option]) -> ChoiceField:
    return ChoiceField(name, [Option(ALL, None), *options], label)
