"""A room that cannot be booked for a while: out of order, or used by the house."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import cast

from dpolg_tui.desk.blocks import BlockActions
from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.errors import InvalidInput, RecordMissing
from dpolg_tui.domain.german import (
    format_date_range,
    format_nights,
    kind_label,
    natural_key,
    parse_date,
    parse_departure,
)
from dpolg_tui.domain.models import Kind, Occupancy, WriteResult
from dpolg_tui.domain.stay import MOST_NIGHTS
from dpolg_tui.domain.words import room_label
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.widgets.field import Field
from dpolg_tui.tui.widgets.fields import ChoiceField, DateField, TextField
from dpolg_tui.tui.widgets.form import Form

STAY = {"stay": ("room_id", "arrival", "departure")}


class BlockDialog(RecordDialog):
    """Creates or edits a block; answers the id of its occupancy."""

    KIND = "block"
    WORD = "Sperre"

    def __init__(
        self,
        room_id: int | None,
        arrival: date | None,
        departure: date | None,
        block: Occupancy | None = None,
        *,
        begin_at: str = "",
    ) -> None:
        """``begin_at``: the field to begin with, where those before it are filled in."""
        self._block = block
        self._begin_at = begin_at
        super().__init__(
            "Sperre ändern" if block else "Zimmer sperren",
            block.id if block else None,
            None if block else {"room_id": room_id, "arrival": arrival, "departure": departure},
        )

    @property
    def actions(self) -> BlockActions:
        return self.desk.blocks

    def make_form(self) -> Form:
        self._arrival = DateField("arrival", self._parse_first, "Von", required=True)
        self._departure = DateField("departure", self._parse_last, "Bis (frei ab)", required=True)
        form = Form(
            ChoiceField("room_id", required=True),
            self._arrival,
            self._departure,
            ChoiceField(
                "kind",
                [Option(kind_label(kind), kind) for kind in (Kind.OUT_OF_ORDER, Kind.HOUSE_USE)],
                "Art",
            ),
            TextField("reason", max_length=500, required=True),
        )
        form.groups = dict(STAY)
        return form

    def _parse_first(self, text: str) -> date:
        return parse_date(text, today=self.desk.today())

    def _parse_last(self, text: str) -> date:
        today = self.desk.today()
        return parse_departure(text, arrival=self._arrival.day or today, today=today, field=None)

    def on_mount(self) -> None:
        rooms = self.desk.store.rooms
        field = self.form.field("room_id")
        if isinstance(field, ChoiceField):
            field.choice.set_options(
                [
                    Option(room_label(room.id, rooms), room.id)
                    for room in sorted(rooms.values(), key=lambda room: natural_key(room.name))
                ]
            )

    def defaults(self) -> Mapping[str, object]:
        return {"kind": Kind.OUT_OF_ORDER}

    async def fetch(self, record_id: int) -> Mapping[str, object]:
        # The store holds the window of the chart: a block outside it is known only as it was given.
        block = self.desk.store.occupancies.get(record_id) or self._block
        if block is None:
            raise RecordMissing
        return {
            "stay": {"room_id": block.room_id, "arrival": block.arrival, "departure": block.departure},
            "kind": block.kind,
            "reason": block.reason,
        }

    def loaded(self) -> None:
        self._note_nights()
        if self._begin_at:
            self.form.field(self._begin_at).editor_widget.focus()

    def concerns(self, event: RecordChanged) -> bool:
        return event.kind == "block" and self.record_id in (event.id, *event.occupancies)

    def on_field_changed(self, event: Field.Changed) -> None:
        if event.field in (self._arrival, self._departure):
            self._note_nights()

    def _note_nights(self) -> None:
        first, last = self._arrival.day, self._departure.day
        self._departure.note = format_nights((last - first).days) if first and last and last > first else ""

    def judge(self, values: Mapping[str, object]) -> None:  # noqa: ARG002
        first, last = self._arrival.day, self._departure.day
        if first is None or last is None:
            return
        if last <= first:
            raise InvalidInput("Das Ende muss nach dem Anfang liegen: mindestens eine Nacht.", "departure")
        if last - first > timedelta(MOST_NIGHTS):
            raise InvalidInput(
                f"Eine Sperre dauert höchstens {MOST_NIGHTS} Nächte: bitte längere in Stücken anlegen.",
                "departure",
            )

    async def create(self, values: dict[str, object]) -> WriteResult:
        stay = cast("dict[str, object]", values["stay"])
        return await self.desk.blocks.create(
            cast("int", stay["room_id"]),
            cast("date", stay["arrival"]),
            cast("date", stay["departure"]),
            Kind(str(values["kind"])),
            str(values["reason"]),
        )

    async def taken(self, result: WriteResult) -> None:
        way = ", ".join(
            f"{other.label} ({format_date_range(other.arrival, other.departure)})"
            for other in result.in_the_way
        )
        self.form.show_error(
            "room_id",
            f"In dieser Zeit ist das Zimmer belegt: {way}. Bitte anderes Zimmer oder andere Tage wählen.",
        )
