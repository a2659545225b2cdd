"""The list of guests and their form on a real database."""

from __future__ import annotations

from textual import events

from dpolg_tui.domain.merge import Change
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.screens.guests import GuestsScreen
from dpolg_tui.tui.widgets.record_table import RecordTable
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks, book, house

HOSTILE = ["Müller [VIP]", "[/b]", "[bold]x", "😀😀", "x" * 100, "%_'\"\\;--"]


def table(desks: Desks) -> RecordTable:
    screen = desks.screen
    assert isinstance(screen, GuestsScreen)
    return screen.table


async def listed(desks: Desks, count: int) -> None:
    """Waits until so many guests are listed."""
    await desks.here.until(
        lambda: isinstance(desks.screen, GuestsScreen) and table(desks).row_count == count, f"{count} guests"
    )


async def test_the_search_works_while_typing_and_knows_umlauts(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await listed(desks, 2)
        await desks.ben.guests.create({"last_name": "Größl", "first_name": "Jürgen"})
        await listed(desks, 3)
        await desks.press("slash", *"groessl juer")
        await listed(desks, 1)
        await desks.here.sees("Größl, Jürgen")
        await desks.press("escape")
        await listed(desks, 3)
        await desks.press("slash", *"gibtesnicht")
        await desks.here.sees("Nichts gefunden zu „gibtesnicht“.")


async def test_a_guest_is_made_and_changed(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await listed(desks, 2)
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, GuestDialog), "form")
        await desks.type_into("last_name", "Wójcik-Öztürk [Team]")
        await desks.type_into("email", "w@example.org")
        await desks.type_into("date_of_birth", "3.4.58")
        await desks.press("ctrl+s")
        await desks.toast("Gast gespeichert.")
        await listed(desks, 3)
        table = desks.screen.query_one(RecordTable)
        await desks.here.until(lambda: table.cursor_row == 1, "the cursor on the new guest")
        (found,) = await desks.ben.guests.search("wojcik")
        guest = await desks.ben.guests.get(found.id)
        assert (guest.last_name, guest.first_name, guest.email) == (
            "Wójcik-Öztürk [Team]",
            "",
            "w@example.org",
        )
        assert guest.date_of_birth is not None
        assert guest.date_of_birth.year == 1958
        await desks.open(GuestDialog(found.id))
        assert not desks.form.dirty
        await desks.type_into("email", "")
        await desks.type_into("city", "Straßburg")
        await desks.press("ctrl+s")
        await listed(desks, 3)
        guest = await desks.ben.guests.get(found.id)
        assert (guest.email, guest.city, guest.version) == (None, "Straßburg", 2)


async def test_hostile_names_are_shown_as_they_are(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        for count, name in enumerate(HOSTILE, start=3):
            result = await desks.ben.guests.create({"last_name": name, "notes": name, "city": name})
            await listed(desks, count)
            await desks.here.sees(name[:18])
            await desks.open(GuestDialog(result.id))
            assert desks.form.field("last_name").value == name
            assert not desks.form.dirty
            await desks.press("escape")
            await listed(desks, count)


async def test_500_characters_stay_and_get_their_sentence(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await desks.open(GuestDialog())
        await desks.type_into("last_name", "y" * 500)
        desks.here.app.post_message(events.Paste("\nund\nmehr"))
        await desks.press("ctrl+s")
        field = desks.form.field("last_name")
        await desks.here.until(lambda: field.error, "sentence")
        assert "100" in field.error
        assert field.raw == "y" * 500 + "und mehr"


async def test_a_missing_name_is_said_at_the_field(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await desks.open(GuestDialog())
        await desks.type_into("email", "nur@example.org")
        await desks.press("ctrl+s")
        await desks.here.sees("Nachname fehlt: bitte ausfüllen.")
        await desks.press("escape")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")


async def test_a_colleagues_change_keeps_cursor_and_rows(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        for number in range(40):
            await desks.ben.guests.create({"last_name": f"Mayer {number:02}"})
        await listed(desks, 42)
        await desks.press(*["down"] * 30)
        marked, on_screen = table(desks).record_id, table(desks).cursor_row - table(desks).scroll_y
        assert table(desks).scroll_y > 0
        result = await desks.ben.guests.create({"last_name": "Aaron"})
        await listed(desks, 43)
        assert table(desks).record_id == marked
        assert result.id is not None
        await desks.ben.guests.save(result.id, {"city": Change(None, "Köln")})
        await desks.here.until(lambda: "Köln" in str(table(desks).get_row_at(0)), "new city")
        assert table(desks).record_id == marked
        assert table(desks).cursor_row - table(desks).scroll_y == on_screen


async def test_an_open_form_follows_and_marks(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await desks.open(GuestDialog(desks.house.huber))
        await desks.type_into("city", "Bonn")
        await desks.ben.guests.save(
            desks.house.huber, {"city": Change("Ulm", "Köln"), "street": Change(None, "Weg 1")}
        )
        await desks.toast("Ben Beispiel hat geändert: Straße")
        assert desks.form.field("street").value == "Weg 1"
        assert desks.form.field("city").raw == "Bonn"
        assert desks.form.field("city").hint == "Ben Beispiel hat gespeichert: Köln"


async def test_only_admins_delete(database: TestDatabase) -> None:
    async with house(database, GuestsScreen) as desks:
        await listed(desks, 2)
        await desks.press("delete")
        assert isinstance(desks.screen, GuestsScreen)
        assert not desks.screen.check_action("delete", ())


async def test_an_admin_deletes_a_guest_without_bookings_only(database: TestDatabase) -> None:
    async with house(database, GuestsScreen, user="admin") as desks:
        await book(desks.ben, desks.house.huber, None, 0)
        await listed(desks, 2)
        await desks.press("delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.press("j")
        await desks.toast("Zu diesem Gast gibt es Buchungen")
        await listed(desks, 2)
        await desks.press("down", "delete")
        await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
        await desks.here.sees("Yılmaz [VIP], Ayşe")
        await desks.press("j")
        await listed(desks, 1)
