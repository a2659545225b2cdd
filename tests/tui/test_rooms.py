"""The list of rooms, their form and their blocks on a real database."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.screens.rooms import RoomsScreen
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house


def rooms_screen(desks: Desks) -> RoomsScreen:
    screen = desks.screen
    assert isinstance(screen, RoomsScreen)
    return screen


async def test_rooms_are_listed_with_what_matters_and_searched(database: TestDatabase) -> None:
    async with house(database, size=(120, 30)) as desks:
        for words in (
            "1 Zugspitze",
            "2 [Wendelstein]",
            "EZ",
            "Brannenburg",
            "Haupthaus",
            "45,00 €",
            "30,00 €",
        ):
            await desks.here.sees(words)
        await desks.press("slash", *"wendel dz")
        await desks.here.until(lambda: rooms_screen(desks).table.row_count == 1, "search")


async def test_a_room_is_made(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, RoomDialog), "form")
        for name, text in {
            "name": "10 [Alpspitze]",
            "category": "FeWo",
            "place": "Lenggries",
            "capacity": "4",
            "price_low": "80",
            "price_high": "1.095,50 €",
            "key_code": "4711",
        }.items():
            await desks.type_into(name, text)
        await desks.press("ctrl+s")
        await desks.toast("Zimmer gespeichert.")
        await desks.here.sees("10 [Alpspitze]")
        table = rooms_screen(desks).table
        await desks.here.until(lambda: table.cursor_row == 2, "the cursor on the new room")
        await desks.press("home")
        assert table.cursor_row == 0
        await desks.press("end")
        assert table.cursor_row == 2
        (room,) = [room for room in desks.here.desk.store.rooms.values() if room.capacity == 4]
        assert (room.price_low, room.price_high) == (Decimal("80.00"), Decimal("1095.50"))
        assert room.final_cleaning_fee == Decimal("0.00")
        assert room.has_key_code


async def test_a_long_name_is_refused_under_the_word_of_its_field(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, RoomDialog), "form")
        await desks.type_into("name", "[/b]😀 " * 100)
        await desks.press("ctrl+s")
        await desks.here.sees("Name ist mit 599 Zeichen zu lang")


async def test_opening_and_saving_a_room_changes_nothing(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        await desks.open(RoomDialog(desks.house.double))
        assert not desks.form.dirty
        await desks.press("ctrl+s")
        await desks.toast("nichts geändert")
        await desks.type_into("notes", "Balkon")
        await desks.press("ctrl+s")
        await desks.toast("Zimmer gespeichert.")
        room = desks.here.desk.store.rooms[desks.house.double]
        assert (room.notes, room.version, room.building) == ("Balkon", 2, "Haupthaus")


async def test_bad_room_data_gets_its_sentence(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        await desks.open(RoomDialog(desks.house.double))
        await desks.type_into("price_low", "zwölf")
        await desks.type_into("capacity", "0")
        await desks.type_into("name", "")
        await desks.press("ctrl+s")
        await desks.here.sees("Name fehlt")
        assert "kein Betrag" in desks.form.field("price_low").error
        assert "1 bis 100" in desks.form.field("capacity").error


async def test_a_name_that_exists_is_refused_by_the_database_at_its_field(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.open(RoomDialog(desks.house.double))
        await desks.type_into("name", "1 zugspitze")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: desks.form.field("name").error, "sentence")
        assert desks.form.field("name").raw == "1 zugspitze"


async def test_a_retired_room_says_so(database: TestDatabase) -> None:
    async with house(database, size=(120, 30)) as desks:
        await desks.open(RoomDialog(desks.house.single))
        await desks.type_into("retired_from", "1.4.2031")
        await desks.press("ctrl+s")
        await desks.here.sees("stillgelegt ab")


async def test_a_colleagues_change_appears_in_the_list(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.press("down")
        await desks.ben.rooms.save(desks.house.single, {"name": Change("1 Zugspitze", "1 [/b] Watzmann")})
        await desks.here.sees("1 [/b] Watz")
        assert rooms_screen(desks).table.record_id == desks.house.double


async def test_a_room_is_blocked_and_the_block_lifted(database: TestDatabase) -> None:
    async with house(database) as desks:
        await desks.press("down", "b")
        await desks.here.until(lambda: isinstance(desks.screen, BlockDialog), "form")
        await desks.type_into("departure", "+10")
        await desks.here.sees("10 Nächte")
        await desks.type_into("reason", "Heizung [defekt]")
        await desks.press("ctrl+s")
        await desks.toast("Sperre gespeichert.")
        await desks.here.sees("Heizung [defekt]")
        (block,) = [bar for bar in desks.here.desk.store.occupancies.values() if bar.is_block]
        assert (block.room_id, block.nights, block.kind) == (desks.house.double, 10, Kind.OUT_OF_ORDER)
        await desks.press("tab")
        await desks.here.until(lambda: rooms_screen(desks).blocks_table.has_focus, "blocks")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, BlockDialog), "form")
        await desks.here.until(lambda: desks.form.ready, "loaded")
        await desks.type_into("reason", "Wasser")
        await desks.press("ctrl+s")
        await desks.here.sees("Wasser")
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.here.until(lambda: rooms_screen(desks).blocks_table.row_count == 0, "lifted")


async def test_a_block_in_the_way_of_a_booking_names_it(database: TestDatabase) -> None:
    async with house(database) as desks:
        today = desks.here.desk.today()
        await desks.ben.bookings.create(
            {
                "guest_id": desks.house.huber,
                "stay/new": {
                    "room_id": desks.house.double,
                    "arrival": today,
                    "departure": today + timedelta(3),
                },
            }
        )
        await desks.open(BlockDialog(desks.house.double, today, today + timedelta(2)))
        await desks.type_into("reason", "Maler")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: desks.form.field("room_id").error, "sentence")
        assert "Huber" in desks.form.field("room_id").error
        assert desks.form.field("reason").raw == "Maler"


async def test_a_block_of_more_than_a_year_is_refused(database: TestDatabase) -> None:
    async with house(database) as desks:
        today = desks.here.desk.today()
        await desks.open(BlockDialog(desks.house.double, today, today))
        await desks.type_into("reason", "lange")
        await desks.press("ctrl+s")
        await desks.here.sees("mindestens eine")
        await desks.type_into("departure", "+366")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: "365" in desks.form.field("departure").error, "sentence")


async def test_only_admins_delete_rooms(database: TestDatabase) -> None:
    async with house(database) as desks:
        assert not rooms_screen(desks).check_action("delete", ())
        await desks.press("delete")
        assert isinstance(desks.screen, RoomsScreen)


async def test_an_admin_deletes_an_unused_room(database: TestDatabase) -> None:
    async with house(database, user="admin") as desks:
        await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.toast("Zu diesem Zimmer gibt es Belegungen")
        await desks.here.until(lambda: isinstance(desks.screen, RoomsScreen), "list")
        await desks.press("down", "delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.here.sees("Zimmer 2 [Wendelstein]")
        await desks.press("j")
        await desks.here.until(lambda: rooms_screen(desks).table.row_count == 1, "gone")
