"""The guests: search, open, create, delete."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import BindingType

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.models import GuestSummary, Outcome
from dpolg_tui.domain.queued import MARK
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.personal_data import anonymise_guest, export_guest
from dpolg_tui.tui.records import open_guest
from dpolg_tui.tui.saving import queued_sentence
from dpolg_tui.tui.screens.listing import PAGE, ListScreen
from dpolg_tui.tui.widgets.guest_field import prefill_from
from dpolg_tui.tui.widgets.record_table import Column, Row
from dpolg_tui.tui.work import read, write


class GuestsScreen(ListScreen):
    """The list of guests."""

    SCOPE = "guests"
    TITLE = "Gäste"
    HELP = (
        "Tippen in der Suchzeile (/) sucht nach Name, E-Mail, Telefon und Ort; ü findet auch ue, ß auch ss. "
        "Admins löschen Gäste ohne Buchungen, exportieren alles, was über einen Gast gespeichert ist (x), "
        "und anonymisieren (a): dann zählen alte Buchungen weiter, aber niemand weiß mehr, wessen."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("guests")
    COLUMNS = (
        Column("Name", 22, 3),
        Column("Ort", 13, 2),
        Column("E-Mail", 18, 3),
        Column("Telefon", 12, 1),
        Column("Bu.", 3),
    )
    SEARCH_HINT = "Suchen: Name, E-Mail, Telefon, Ort"

    def __init__(self) -> None:
        super().__init__()
        self._found: dict[int, GuestSummary] = {}

    def reload(self) -> None:
        read(self, self._search(self.searched), "Gäste suchen", group="guests")

    async def _search(self, text: str) -> None:
        found = await self.desk.guests.search(text, PAGE)
        if text == self.searched:
            self._found = {guest.id: guest for guest in found}
            self.show_rows(
                [_row(guest) for guest in found], "Gäste", "Noch keine Gäste: n legt den ersten an."
            )

    def open_record(self, record_id: int) -> None:
        open_guest(self.desk_app, record_id)

    def action_new(self) -> None:
        """A new guest, named as searched."""
        self.app.push_screen(GuestDialog(prefill=prefill_from(self.searched)), self._created)

    def _created(self, guest_id: int | None) -> None:
        if guest_id is not None:
            self.table.go_to(guest_id)
            self.reload()

    def action_delete(self) -> None:
        """Deletes the marked guest after asking."""
        guest = self._found.get(self.table.record_id or 0)
        if guest is not None:
            write(self, self._delete(guest), "Gast löschen")

    async def _delete(self, guest: GuestSummary) -> None:
        lines = [guest.name, "Der Gast wird mit allen Angaben gelöscht. Das lässt sich nicht zurücknehmen."]
        if await self.app.push_screen_wait(ConfirmDialog("Gast löschen?", lines, "Löschen", danger=True)):
            result = await self.desk.guests.delete(guest.id)
            queued = result.outcome is Outcome.QUEUED
            name = f"Gast {guest.name}"
            self.desk_app.show_toast(queued_sentence(f"{name} löschen") if queued else f"{name} gelöscht.")
            self.reload()

    def action_export(self) -> None:
        """Writes all that is held on the marked guest into files, after asking twice."""
        guest = self._found.get(self.table.record_id or 0)
        if guest is not None:
            write(self, export_guest(self.desk_app, guest), "Daten exportieren")

    def action_anonymise(self) -> None:
        """Takes all personal data from the marked guest, after asking twice."""
        guest = self._found.get(self.table.record_id or 0)
        if guest is not None:
            write(self, anonymise_guest(self.desk_app, guest), "Gast anonymisieren")

    def on_record_changed(self, event: RecordChanged) -> None:
        if event.kind == "guest":
            self.reload_soon()


def _row(guest: GuestSummary) -> Row:
    name = f"{MARK} {guest.name}" if guest.queued else guest.name
    cells = (name, guest.city or "", guest.email or "", guest.phone or "", str(guest.bookings or ""))
    return guest.id, tuple(clean_line(cell) for cell in cells), ""
