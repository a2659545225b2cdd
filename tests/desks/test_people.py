"""People at several desks at once: access taken, roles changed, two admins, who works on what."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import pytest
from textual.widgets import Button, Static

from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.shown_password import ShownPasswordDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.lock import LockScreen
from dpolg_tui.tui.screens.users import UsersScreen
from tests.databases import TestDatabase
from tests.desks import five
from tests.tui.desk_app import Running
from tests.tui.forms_house import book, furnish

SENTENCE = "Kommt spät, bitte Schlüssel hinterlegen"


async def _promote(database: TestDatabase, username: str) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await owner.execute("UPDATE auth.users SET role = 'admin' WHERE username = $1", username)
    finally:
        await owner.close()


async def _open_users(here: Running, username: str) -> UsersScreen:
    """F9, and the cursor on a user."""
    await here.pilot.press("f9")
    await here.until(lambda: isinstance(here.app.screen, UsersScreen), "users")
    screen = here.app.screen
    assert isinstance(screen, UsersScreen)
    await here.until(lambda: screen.table.row_count > 1, "rows")
    wanted = next(account.id for account in screen._accounts.values() if account.username == username)
    await here.pilot.press("home")
    while screen.table.record_id != wanted:
        await here.pilot.press("down")
    return screen


async def _agree(here: Running) -> None:
    await here.until(lambda: isinstance(here.app.screen, ConfirmDialog), "question")
    await here.pilot.press("j")


async def _unlock(here: Running, password: str) -> None:
    await here.fill("#unlock-password", password)
    here.app.screen.query_one("#unlock", Button).press()
    await here.pilot.pause()


async def _typed_booking(here: Running, booking_id: int) -> BookingScreen:
    """The booking form with something typed and not saved."""
    screen = await five.open_form(here, booking_id=booking_id)
    await here.until(lambda: screen.form.ready, "loaded")
    screen.form.field("notes").editor_widget.focus()
    await here.pilot.press(*(key for letter in SENTENCE for key in _keys(letter)))
    return screen


def _keys(letter: str) -> tuple[str, ...]:
    return ({" ": "space", ",": "comma"}.get(letter, letter),)


async def _locked_with(here: Running, words: str) -> None:
    await here.until(lambda: isinstance(here.app.screen, LockScreen), "locked")
    await here.until(
        lambda: words in str(here.app.screen.query_one("#lock-reason", Static).render()), "the reason"
    )


async def test_a_deactivated_desk_locks_with_the_reason_and_keeps_what_was_typed(
    database: TestDatabase,
) -> None:
    async with five.desks(database, ["admin", "ben"]) as (admin, ben):
        house = await furnish(admin.desk)
        booking = await book(admin.desk, house.huber, house.double, 3)
        form = await _typed_booking(ben, booking)
        users = await _open_users(admin, "ben")
        await admin.pilot.press("d")
        await _agree(admin)
        await _locked_with(ben, "deaktiviert")
        assert SENTENCE not in ben.text()
        await _unlock(ben, database.users["ben"].password)
        await ben.sees("Benutzer deaktiviert")
        await admin.until(lambda: users._marked is not None and not users._marked.active, "seen")
        await admin.pilot.press("d")
        await _agree(admin)
        await admin.until(lambda: users._marked is not None and users._marked.active, "active again")
        await _unlock(ben, database.users["ben"].password)
        await ben.until(lambda: ben.app.screen is form, "the form again")
        assert form.form.field("notes").raw == SENTENCE
        await ben.pilot.press("ctrl+s")
        await ben.until(lambda: not form.is_attached, "saved")
        found = await five.rows(database, "SELECT notes FROM app.bookings WHERE id = $1", booking)
        assert found[0]["notes"] == SENTENCE


async def test_a_demoted_admin_goes_on_as_a_user_without_the_administration(database: TestDatabase) -> None:
    await _promote(database, "anna")
    async with five.desks(database, ["admin", "anna"]) as (admin, anna):
        house = await furnish(admin.desk)
        form = await _typed_booking(anna, await book(admin.desk, house.huber, house.double, 3))
        await _open_users(anna, "clara")
        await anna.pilot.press("w")
        await anna.until(lambda: isinstance(anna.app.screen, ConfirmDialog), "a question left open")
        await _open_users(admin, "anna")
        await admin.pilot.press("enter")
        await admin.until(lambda: bool(admin.app.screen.query("Form")), "form")
        dialog = admin.app.screen
        await admin.until(lambda: dialog.form.ready, "loaded")  # type: ignore[attr-defined]
        dialog.form.put({"role": "user"})  # type: ignore[attr-defined]
        await admin.pilot.press("ctrl+s")
        await _agree(admin)
        await _locked_with(anna, "Rolle")
        await _unlock(anna, database.users["anna"].password)
        await anna.until(lambda: not anna.app.locked, "unlocked")
        await anna.until(lambda: anna.app.screen is form, "the form, not the administration")
        assert form.form.field("notes").raw == SENTENCE
        assert "users" not in anna.app.signed_in_places
        anna.app.clear_notifications()
        await anna.pilot.press("f9")
        await anna.sees("nur für Admins")
        assert anna.app.underway is None


@pytest.mark.long
async def test_a_reset_password_is_replaced_over_the_open_form(database: TestDatabase) -> None:
    async with five.desks(database, ["admin", "ben"]) as (admin, ben):
        house = await furnish(admin.desk)
        form = await _typed_booking(ben, await book(admin.desk, house.huber, house.double, 3))
        await _open_users(admin, "ben")
        await admin.pilot.press("w")
        await _agree(admin)
        await admin.until(lambda: isinstance(admin.app.screen, ShownPasswordDialog), "password")
        given = admin.app.screen
        assert isinstance(given, ShownPasswordDialog)
        await _locked_with(ben, "Passwort")
        await _unlock(ben, given._password)
        own = "drei grüne Tannen am Bach"
        await ben.sees("Neues Passwort noch einmal")
        await ben.fill("#new", own)
        await ben.fill("#again", own)
        await ben.pilot.press("enter")
        ben.app.screen.query_one("#save", Button).press()
        await ben.sees("gilt ab jetzt")
        await _unlock(ben, own)
        await ben.until(lambda: ben.app.screen is form, "the form again")
        assert form.form.field("notes").raw == SENTENCE


@pytest.mark.long
async def test_two_admins_at_once_see_each_other_and_no_cursor_jumps(database: TestDatabase) -> None:
    await _promote(database, "anna")
    async with five.desks(database, ["admin", "anna"], size=(80, 24)) as (admin, anna):
        mine, theirs = await _open_users(admin, "clara"), await _open_users(anna, "david")
        before = _cursor(mine), _cursor(theirs)
        await admin.pilot.press("d")
        await _agree(admin)
        await anna.until(lambda: _state(theirs, "clara") == (False, "user"), "seen by the other")
        assert theirs.table.record_id == before[1]
        await anna.pilot.press("d")
        await _agree(anna)
        await admin.until(lambda: _state(mine, "david") == (False, "user"), "seen by the first")
        assert mine.table.record_id == before[0]
        # Each takes the other's role at the same moment: one admin is left, and one of them is told.
        ids = {account.username: account for account in mine._accounts.values()}
        for here, victim in ((admin, "anna"), (anna, "admin")):
            await _demote(here, ids[victim].id)
        for here in (admin, anna):
            await here.pilot.press("j")
        await admin.until(lambda: admin.app.locked or anna.app.locked, "one has lost the role")
        found = await five.rows(database, "SELECT count(*) FROM auth.users WHERE role = 'admin' AND active")
        assert found[0][0] == 1


async def _demote(here: Running, user_id: int) -> None:
    from dpolg_tui.tui.dialogs.user import UserDialog

    dialog = UserDialog(user_id)
    here.app.call_later(here.app.push_screen, dialog)
    await here.until(lambda: here.app.screen is dialog and dialog.form.ready, "form")
    dialog.form.put({"role": "user"})
    await here.pilot.press("ctrl+s")
    await here.until(lambda: isinstance(here.app.screen, ConfirmDialog), "question")


def _cursor(screen: UsersScreen) -> int | None:
    return screen.table.record_id


def _state(screen: UsersScreen, username: str) -> tuple[bool, str]:
    account = next(account for account in screen._accounts.values() if account.username == username)
    return account.active, str(account.role)


async def test_who_edits_the_same_booking_is_named_and_nothing_moves(database: TestDatabase) -> None:
    async with five.desks(database, ["anna", "ben"], size=(80, 24)) as (anna, ben):
        house = await furnish(anna.desk)
        booking = await book(anna.desk, house.huber, house.double, 3)
        mine = await _typed_booking(anna, booking)
        where = mine.focused, mine.form.scroll_offset, mine.form.region.y
        theirs = await five.open_form(ben, booking_id=booking)
        await anna.sees("wird gerade von Ben Beispiel bearbeitet")
        await ben.sees("wird gerade von Anna Beispiel bearbeitet")
        assert (mine.focused, mine.form.scroll_offset, mine.form.region.y) == where
        assert mine.form.field("notes").raw == SENTENCE
        # Another page does not close the form, so the hint stays; leaving it takes it away.
        await ben.pilot.press("f4")
        await anna.until(_sees_page(anna, "Gäste"), "the other page")
        await anna.sees("wird gerade von Ben Beispiel bearbeitet")
        await ben.pilot.press("f2")
        await ben.until(lambda: ben.app.screen is theirs, "form again")
        await ben.pilot.press("escape")
        await anna.until(lambda: "wird gerade von" not in anna.text(), "no hint any more")


def _sees_page(here: Running, page: str) -> Callable[[], bool]:
    return lambda: page in [one.screen for one in here.desk.present]
