"""What admins do with personal data, histories in the dialogs, and what users are not offered."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from dpolg_tui.domain.german import today
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.dialogs.type_to_confirm import TypeToConfirmDialog
from dpolg_tui.tui.screens.guests import GuestsScreen
from dpolg_tui.tui.screens.rooms import RoomsScreen
from dpolg_tui.tui.widgets.history import History
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Files of these tests only."""
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path)


async def guests_listed(desks: Desks) -> None:
    await desks.here.until(
        lambda: isinstance(desks.screen, GuestsScreen) and desks.screen.table.row_count == 2,
        "guests",
    )


async def asked(desks: Desks, title: str) -> None:
    await desks.here.until(lambda: desks.screen.title == title, title)


async def test_an_export_asks_twice_and_names_its_files(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="admin") as desks:
        await guests_listed(desks)
        directory = desks.here.desk.files.directory
        await desks.press("x")
        await asked(desks, "Daten exportieren?")
        await desks.press("j")
        await asked(desks, "Wirklich exportieren?")
        await desks.press("escape")
        await guests_listed(desks)
        assert not directory.exists()
        await desks.press("x")
        await asked(desks, "Daten exportieren?")
        await desks.press("j")
        await asked(desks, "Wirklich exportieren?")
        await desks.press("j")
        await desks.toast("Aufbewahrt bis")
        files = sorted(directory.iterdir(), key=lambda file: file.suffix)
        assert [file.suffix for file in files] == [".json", ".txt"]
        said = next(note.message for note in desks.here.app._notifications if "Aufbewahrt" in note.message)
        assert all(file.name in said for file in files)
        assert "Huber" in files[1].read_text("utf-8")
        assert json.loads(files[0].read_text("utf-8"))


async def test_anonymising_wants_the_name_typed(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="admin") as desks:
        await guests_listed(desks)
        await desks.press("down", "a")
        await asked(desks, "Gast anonymisieren?")
        await desks.press("j")
        await desks.here.until(lambda: isinstance(desks.screen, TypeToConfirmDialog), "second question")
        await desks.press(*"huber", "enter")
        await desks.here.sees("Das stimmt nicht überein")
        await desks.press("ctrl+u", *"yilmaz [vip]", "enter")
        await desks.toast("Der Gast ist anonymisiert.")
        guest = await desks.ben.guests.get(desks.house.yilmaz)
        assert (guest.last_name, guest.first_name, guest.phone) == ("anonymisiert", "", None)
        await desks.here.until(lambda: "Yılmaz" not in desks.here.text(), "name gone from the list")


async def test_anonymising_is_refused_while_a_booking_is_not_over(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="admin") as desks:
        await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await guests_listed(desks)
        await desks.press("a")
        await asked(desks, "Gast anonymisieren?")
        await desks.press("j")
        await desks.here.until(lambda: isinstance(desks.screen, TypeToConfirmDialog), "second question")
        await desks.press(*"Huber", "enter")
        await desks.toast("Buchungen, die nicht vorbei sind")
        assert (await desks.ben.guests.get(desks.house.huber)).last_name == "Huber"


async def test_users_are_not_offered_what_is_for_admins(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="anna", size=(160, 50)) as desks:
        await guests_listed(desks)
        for words in ("löschen", "exportieren", "anonymisieren"):
            assert words not in desks.here.text().splitlines()[-1]
        await desks.press("x", "a", "delete")
        assert isinstance(desks.screen, GuestsScreen)
        # Tried otherwise, the database refuses it, and the screen says so.
        desks.screen.action_export()
        for _ in range(2):
            await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
            await desks.press("j")
        await desks.toast("Dafür fehlt Ihnen die Berechtigung: bitte einen Admin fragen.")


async def test_users_see_prices_and_cannot_change_them(database: TestDatabase) -> None:
    async with house(database, RoomsScreen, user="anna") as desks:
        await desks.press("n")
        assert isinstance(desks.screen, RoomsScreen)
        await desks.open(RoomDialog(desks.house.double))
        price = desks.form.field("price_low")
        assert price.disabled
        assert "ändern nur Admins" in price.note
        assert not desks.form.field("key_code").display
        await desks.type_into("notes", "Balkon")
        await desks.press("ctrl+s")
        await desks.toast("Zimmer gespeichert.")
        room = desks.here.desk.store.rooms[desks.house.double]
        assert (room.notes, room.price_low) == ("Balkon", Decimal("60.00"))


async def test_every_record_has_its_history(database: TestDatabase) -> None:
    async with house(database, RoomsScreen, user="anna") as desks:
        day = today()
        block = await desks.ben.blocks.create(
            desks.house.single, day, day + timedelta(2), Kind.OUT_OF_ORDER, "Heizung [kalt]"
        )
        await desks.here.until(lambda: block.id in desks.here.desk.store.occupancies, "block")
        bar = desks.here.desk.store.occupancies[block.id or 0]
        for dialog, words in (
            (GuestDialog(desks.house.huber), "Gast angelegt"),
            (RoomDialog(desks.house.double), "Zimmer angelegt"),
            (BlockDialog(bar.room_id, bar.arrival, bar.departure, bar), "Sperre angelegt"),
        ):
            await desks.open(dialog)
            await desks.press("ctrl+t")
            await desks.here.sees(words)
            await desks.press("ctrl+t", "escape")
            await desks.here.until(lambda: isinstance(desks.screen, RoomsScreen), "list")
        await desks.open(GuestDialog())
        await desks.press("ctrl+t")
        assert not desks.screen.query(History)


async def test_a_history_follows_and_does_not_tell_users_of_membership(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="anna") as desks:
        await desks.open(GuestDialog(desks.house.huber))
        await desks.type_into("street", "Weg 1")
        await desks.press("ctrl+t")
        await desks.here.sees("angelegt")
        await desks.ben.guests.save(
            desks.house.huber, {"is_member": Change(False, True), "city": Change("Ulm", "Köln")}
        )
        history = desks.screen.query_one(History)
        fields = lambda: [str(history.table.get_row_at(at)[2]) for at in range(history.table.row_count)]  # noqa: E731
        await desks.here.until(lambda: "Wohnort" in fields(), "city")
        assert "DPolG-Mitglied" not in fields()
        await desks.press("ctrl+s")
        await desks.toast("Gast gespeichert.")
        assert (await desks.ben.guests.get(desks.house.huber)).street == "Weg 1"
