"""The users screen, the own account and who is here, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import Deactivated, LoginFailed
from dpolg_tui.domain.models import Role
from dpolg_tui.tui.actions import actions_of
from dpolg_tui.tui.dialogs.account import AccountDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.help import help_for
from dpolg_tui.tui.dialogs.palette import PaletteDialog
from dpolg_tui.tui.dialogs.presence import PresenceDialog
from dpolg_tui.tui.dialogs.shown_password import ShownPasswordDialog
from dpolg_tui.tui.dialogs.user import UserDialog
from dpolg_tui.tui.screens.users import UsersScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import Desks, house, signed_in

SIZES = ((80, 24), (160, 50))


@asynccontextmanager
async def administration(
    database: TestDatabase, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[tuple[Desks, UsersScreen]]:
    """The users screen of the admin; Ben is signed in at another desk."""
    async with house(database, UsersScreen, user="admin", size=size) as desks:
        screen = desks.screen
        assert isinstance(screen, UsersScreen)
        await desks.here.until(lambda: screen.table.row_count == 6, "users")
        yield desks, screen


async def go_to(desks: Desks, screen: UsersScreen, username: str) -> None:
    """Puts the cursor on a user, with the keyboard."""
    ids = {account.username: account.id for account in screen._accounts.values()}
    await desks.press("home")
    for _ in ids:
        if screen.table.record_id == ids[username]:
            return
        await desks.press("down")
    raise AssertionError(f"{username} is not in the list")


async def answer(desks: Desks, key: str) -> None:
    """Answers the question that comes."""
    await desks.here.until(lambda: isinstance(desks.screen, ConfirmDialog), "question")
    await desks.press(key)


def line_of(desks: Desks, words: str) -> str:
    return next((line for line in desks.here.text().splitlines() if words in line), "")


async def shown_password(desks: Desks) -> str:
    """Reads the password that is shown once, and closes its dialog deliberately."""
    await desks.here.until(lambda: isinstance(desks.screen, ShownPasswordDialog), "password")
    dialog = desks.screen
    assert isinstance(dialog, ShownPasswordDialog)
    await desks.press("enter", "escape")
    assert desks.screen is dialog, "neither Enter nor Esc closes it"
    await desks.here.sees(dialog._password)
    await desks.press("tab", "enter")
    await desks.here.until(lambda: isinstance(desks.screen, UsersScreen), "list again")
    return dialog._password


async def failures(database: TestDatabase, username: str, times: int) -> None:
    """Wrong passwords at the login."""
    desk = Desk(config_for(database))
    desk.start()
    try:
        for _ in range(times):
            with pytest.raises(LoginFailed):
                await desk.login(username, "falsch geraten")
    finally:
        await desk.close()


@pytest.mark.parametrize("size", SIZES)
async def test_users_are_listed_with_what_matters(database: TestDatabase, size: tuple[int, int]) -> None:
    async with administration(database, size) as (desks, screen):
        await desks.here.until(lambda: "Benutzer" in line_of(desks, " ben "), "the line of Ben")
        line = line_of(desks, " ben ")
        assert "Ben Beispiel" in line
        assert "● aktiv" in line
        await go_to(desks, screen, "ben")
        await desks.here.sees("Sitzungen von Ben Beispiel")
        await desks.here.until(lambda: screen.sessions_table.row_count == 1, "Ben's session")
        await desks.press("slash", *"admin")
        await desks.here.until(lambda: screen.table.row_count == 1, "found by role or name")


async def test_a_user_is_made_and_signs_in_with_the_password_shown_once(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, UserDialog), "form")
        await desks.press(*"Fritz", "enter", *"Fritz", "space", *"Neu", "enter", "ctrl+s")
        password = await shown_password(desks)
        await desks.here.until(lambda: "muss Passwort ändern" in line_of(desks, "Fritz Neu"), "the new line")
        assert screen.table.record_id == next(
            account.id for account in screen._accounts.values() if account.username == "Fritz"
        )
        desk = Desk(config_for(database))
        desk.start()
        try:
            assert (await desk.login("fritz", password)).must_change_password
        finally:
            await desk.close()
        assert password not in desks.here.text()


async def test_a_name_that_exists_is_refused_at_its_field(database: TestDatabase) -> None:
    async with administration(database) as (desks, _):
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, UserDialog), "form")
        await desks.type_into("username", "BEN")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: desks.form.field("username").error, "sentence")
        assert desks.form.field("username").raw == "BEN"


async def test_an_email_without_an_at_is_refused_at_its_field(database: TestDatabase) -> None:
    async with administration(database) as (desks, _):
        await desks.press("n")
        await desks.here.until(lambda: isinstance(desks.screen, UserDialog), "form")
        await desks.type_into("username", "fritz")
        await desks.type_into("email", "fritz.example.org")
        await desks.press("ctrl+s")
        await desks.here.until(lambda: "@" in desks.form.field("email").error, "sentence")
        assert desks.form.field("username").raw == "fritz"
        assert desks.form.field("email").raw == "fritz.example.org"
        await desks.type_into("email", "fritz@example.org")
        await desks.press("ctrl+s")
        await shown_password(desks)


async def test_nobody_changes_the_own_role_or_access(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "admin")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, UserDialog) and desks.form.ready, "form")
        assert desks.form.field("role").disabled
        assert desks.form.field("active").disabled
        await desks.type_into("full_name", "Ada [Min]")
        await desks.press("ctrl+s")
        await desks.here.sees("Ada [Min]")
        for action in ("switch_active", "reset_password", "delete"):
            assert not screen.check_action(action, ())


async def test_a_role_is_changed_in_the_form_after_a_question(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "clara")
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, UserDialog) and desks.form.ready, "form")
        desks.form.put({"role": Role.ADMIN})
        await desks.press("ctrl+s")
        await answer(desks, "n")
        assert isinstance(desks.screen, UserDialog), "back to the form, nothing lost"
        assert desks.form.dirty
        await desks.press("ctrl+s")
        await answer(desks, "j")
        await desks.here.until(lambda: "Admin" in line_of(desks, " clara"), "the new role")


async def test_access_is_taken_and_given_back(database: TestDatabase) -> None:
    clara = database.users["clara"]
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "clara")
        await desks.here.sees("d deaktivieren")
        await desks.press("d")
        await answer(desks, "j")
        await desks.here.until(lambda: "○ deaktiviert" in line_of(desks, " clara"), "deactivated")
        desk = Desk(config_for(database))
        desk.start()
        try:
            with pytest.raises(Deactivated):
                await desk.login(clara.username, clara.password)
            await desks.here.sees("d aktivieren")
            await desks.press("d")
            await answer(desks, "enter")
            await desks.here.until(lambda: "● aktiv" in line_of(desks, " clara"), "active again")
            await desk.login(clara.username, clara.password)
        finally:
            await desk.close()


async def test_a_password_is_given_anew(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "clara")
        await desks.press("w")
        await answer(desks, "j")
        password = await shown_password(desks)
        await desks.here.until(lambda: "muss Passwort ändern" in line_of(desks, " clara"), "the state")
        desk = Desk(config_for(database))
        desk.start()
        try:
            assert (await desk.login("clara", password)).must_change_password
        finally:
            await desk.close()


async def test_a_lock_after_failures_is_seen_and_lifted(database: TestDatabase) -> None:
    clara = database.users["clara"]
    async with administration(database) as (desks, screen):
        assert not screen.check_action("lift_lock", ())
        await failures(database, "clara", 5)
        screen.reload()
        await desks.here.until(lambda: "╳ gesperrt" in line_of(desks, " clara"), "locked")
        assert line_of(desks, " clara").rstrip().endswith("5")
        await go_to(desks, screen, "clara")
        await desks.press("e")
        await desks.here.until(lambda: "● aktiv" in line_of(desks, " clara"), "lifted")
        async with signed_in(database, clara.username) as desk:
            assert desk.user is not None


async def test_only_who_left_no_traces_is_deleted(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "ben")
        assert not screen.check_action("delete", ()), "Ben has made rooms and guests"
        await go_to(desks, screen, "emil")
        await desks.press("delete")
        await answer(desks, "j")
        await desks.here.until(lambda: screen.table.row_count == 5, "gone")


async def test_one_session_is_ended(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen), signed_in(database, "ben"):
        await go_to(desks, screen, "ben")
        await desks.here.until(lambda: screen.sessions_table.row_count == 2, "two sessions")
        await desks.press("tab")
        await desks.here.until(lambda: screen.sessions_table.has_focus, "sessions")
        await desks.press("down", "a")
        await answer(desks, "j")
        await desks.here.until(lambda: screen.sessions_table.row_count == 1, "one left")
        await desks.press("shift+tab", "a")
        await answer(desks, "j")
        await desks.here.until(lambda: screen.sessions_table.row_count == 0, "none left")


async def test_the_session_that_asks_is_not_ended(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen):
        await go_to(desks, screen, "admin")
        await desks.here.until(lambda: screen.sessions_table.row_count == 1, "own session")
        await desks.press("tab", "a")
        await desks.toast("Das ist diese Sitzung")


async def test_another_admins_work_appears_and_moves_nothing(database: TestDatabase) -> None:
    async with administration(database) as (desks, screen), signed_in(database, "admin") as other:
        await go_to(desks, screen, "clara")
        before = screen.table.record_id
        _, password = await other.people.create({"username": "aaa [1]", "role": Role.USER})
        assert password
        await desks.here.sees("aaa [1]")
        assert screen.table.record_id == before
        await desks.here.sees("Sitzungen von Clara")


async def test_administration_is_hidden_from_users_and_says_so_when_called(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as here:
        await here.sign_in(anna.username, anna.password)
        assert "app.users" not in {action.name for action in actions_of("app", Role.USER)}
        _, _, sections = help_for(here.app, here.app.screen)
        assert not [row for _, rows in sections for row in rows if "F9" in row[0]]
        await here.pilot.press("ctrl+p")
        await here.until(lambda: isinstance(here.app.screen, PaletteDialog), "palette")
        await here.pilot.press(*"verwalt")
        await here.sees("Kein Befehl passt dazu.")
        await here.pilot.press("escape", "f9")
        await here.sees("nur für Admins")
        assert here.app.current_mode == "chart"


async def test_f9_opens_it_for_admins(database: TestDatabase) -> None:
    admin = database.users["admin"]
    async with running(config_for(database)) as here:
        await here.sign_in(admin.username, admin.password)
        await here.pilot.press("f9")
        await here.sees("Anna Beispiel")
        await here.pilot.press("escape")
        await here.until(lambda: here.app.current_mode == "chart", "chart")


# The own account, and who is here


async def _by_palette(here: Running, words: str) -> None:
    await here.pilot.press("ctrl+p", *words)
    await here.pilot.pause()
    await here.pilot.press("enter")


async def test_own_sessions_are_seen_and_ended(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as here, signed_in(database, "anna") as elsewhere:
        await here.sign_in(anna.username, anna.password)
        await _by_palette(here, "konto")
        await here.until(lambda: isinstance(here.app.screen, AccountDialog), "own account")
        dialog = here.app.screen
        assert isinstance(dialog, AccountDialog)
        await here.until(lambda: dialog.table.row_count == 2, "two sessions")
        await here.pilot.press("home", "a")
        await here.sees("Das ist diese Sitzung")
        await here.pilot.press("l")
        await here.until(lambda: isinstance(here.app.screen, ConfirmDialog), "question")
        await here.pilot.press("j")
        await here.until(lambda: dialog.table.row_count == 1, "one left")
        assert elsewhere.user is not None
        await here.pilot.press("p")
        await here.sees("Bisheriges Passwort")


async def test_who_is_here_names_pages(database: TestDatabase) -> None:
    anna, ben = database.users["anna"], database.users["ben"]
    async with running(config_for(database)) as here:
        await here.sign_in(anna.username, anna.password)
        await _by_palette(here, "wer ist")
        await here.until(lambda: isinstance(here.app.screen, PresenceDialog), "dialog")
        await here.sees("niemand angemeldet")
        async with running(config_for(database)) as colleague:
            await colleague.sign_in(ben.username, ben.password)
            await colleague.pilot.press("f4")
            await here.sees("Ben Beispiel")
            await here.sees("Gäste")
            await colleague.pilot.press("ctrl+l")
            await here.sees("gesperrt")
