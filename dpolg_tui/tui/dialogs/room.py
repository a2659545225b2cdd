"""All fields of a room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal

from dpolg_tui.desk.rooms import RoomActions
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.german import parse_date
from dpolg_tui.domain.models import Role
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.widgets.fields import DateField, MoneyField, NotesField, NumberField, TextField
from dpolg_tui.tui.widgets.form import Form, Section

MOST_BEDS = 100
FOR_ADMINS = "ändern nur Admins"


class RoomDialog(RecordDialog):
    """Creates or edits a room. Prices and key code are for admins; nobody sees the latter."""

    KIND = "room"
    WORD = "Zimmer"

    def __init__(self, room_id: int | None = None, prefill: Mapping[str, object] | None = None) -> None:
        super().__init__("Zimmer" if room_id is not None else "Neues Zimmer", room_id, prefill)
        self.add_class("wide")

    @property
    def actions(self) -> RoomActions:
        return self.desk.rooms

    def make_form(self) -> Form:
        self._key_code = TextField("key_code", max_length=80)
        self._prices = [
            MoneyField(name, required=True) for name in ("price_low", "price_high", "final_cleaning_fee")
        ]
        return Form(
            Section("Zimmer"),
            TextField("name", "Name", max_length=80, required=True),
            TextField("category", required=True, max_length=40, placeholder="EZ, DZ, App, FeWo, BU"),
            TextField("place", required=True, max_length=80),
            TextField("building", max_length=80),
            NumberField("capacity", 1, MOST_BEDS, required=True),
            Section("Preise je Nacht"),
            *self._prices,
            Section("Anschrift"),
            TextField("street", max_length=200),
            TextField("postal_code", max_length=20),
            TextField("city", "Stadt"),
            Section("Sonstiges"),
            self._key_code,
            DateField("retired_from", lambda text: parse_date(text, today=self.desk.today())),
            NotesField("notes", max_length=10_000),
            label_width=20,
        )

    def on_mount(self) -> None:
        admin = self.desk_app.role is Role.ADMIN
        self._key_code.display = admin
        if not admin:
            for field in self._prices:
                field.forbid(FOR_ADMINS)

    def defaults(self) -> Mapping[str, object]:
        return {"capacity": 2, "final_cleaning_fee": Decimal("0.00")}

    async def fetch(self, record_id: int) -> Mapping[str, object]:
        room = self.desk.store.rooms.get(record_id)
        if room is None:
            raise RecordMissing
        return asdict(room)

    def loaded(self) -> None:
        if self.record_id is None:
            return
        self.set_title(f"Zimmer: {self.form.field('name').original}")
        room = self.desk.store.rooms.get(self.record_id)
        if room is not None and room.has_key_code:
            self._key_code.input.placeholder = "hinterlegt; ein neuer Code ersetzt ihn"
