"""All fields of a guest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from dpolg_tui.desk.guests import GuestActions
from dpolg_tui.domain.german import parse_birth_date
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.widgets.fields import YES_NO, YES_NO_OPEN, ChoiceField, DateField, NotesField, TextField
from dpolg_tui.tui.widgets.form import Form, Section

GENDERS = (
    Option("keine Angabe", None),
    Option("weiblich", "weiblich"),
    Option("männlich", "männlich"),
    Option("divers", "divers"),
)


class GuestDialog(RecordDialog):
    """Creates or edits a guest."""

    KIND = "guest"
    WORD = "Gast"

    def __init__(self, guest_id: int | None = None, prefill: Mapping[str, object] | None = None) -> None:
        super().__init__("Gast" if guest_id is not None else "Neuer Gast", guest_id, prefill)
        self.add_class("wide")

    @property
    def actions(self) -> GuestActions:
        return self.desk.guests

    def make_form(self) -> Form:
        return Form(
            Section("Name"),
            TextField("salutation", max_length=40),
            TextField("last_name", required=True),
            TextField("first_name", empty=""),
            Section("Kontakt"),
            TextField("email", max_length=254),
            TextField("phone", max_length=60),
            TextField("phone_mobile", max_length=60),
            TextField("phone_private", max_length=60),
            TextField("phone_business", max_length=60),
            TextField("fax", max_length=60),
            TextField("language", max_length=40),
            Section("Anschrift"),
            TextField("street", max_length=200),
            TextField("postal_code", max_length=20),
            TextField("city"),
            TextField("country"),
            Section("Person"),
            ChoiceField("gender", GENDERS),
            DateField(
                "date_of_birth", lambda text: parse_birth_date(text, today=self.desk.today(), field=None)
            ),
            TextField("place_of_birth"),
            TextField("nationality"),
            TextField("identity_document", max_length=60),
            TextField("profession"),
            TextField("licence_plate", max_length=40),
            Section("DPolG"),
            ChoiceField("is_member", YES_NO),
            TextField("member_number", max_length=60),
            TextField("duty_station", max_length=200),
            TextField("federal_state", max_length=60),
            Section("Rechnung"),
            TextField("invoice_email", max_length=254),
            TextField("debtor_account", max_length=60),
            TextField("leitweg_id", max_length=60),
            TextField("cost_centre", max_length=60),
            Section("Sonstiges"),
            TextField("tags", max_length=1000),
            ChoiceField("marketing_consent", YES_NO_OPEN),
            ChoiceField("automatic_mail", YES_NO_OPEN),
            TextField("automatic_mail_language", max_length=40),
            NotesField("notes", max_length=10_000),
            label_width=22,
        )

    def defaults(self) -> Mapping[str, object]:
        return {"is_member": False, "first_name": ""}

    async def fetch(self, record_id: int) -> Mapping[str, object]:
        return asdict(await self.desk.guests.get(record_id))

    def loaded(self) -> None:
        if self.record_id is not None:
            names = [self.form.field(name).original for name in ("last_name", "first_name")]
            self.set_title("Gast: " + ", ".join(str(name) for name in names if name))
