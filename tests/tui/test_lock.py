"""The lock: by key, by idleness, by a lost session; everything open is still there afterwards."""

from __future__ import annotations

import asyncpg
from textual.widgets import Button

from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.screens.lock import LockScreen
from dpolg_tui.tui.screens.login import LoginScreen
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running, ui


async def unlock(desk: Running, password: str) -> None:
    """Types the password into the lock screen."""
    await desk.fill("#unlock-password", password)
    desk.app.screen.query_one("#unlock", Button).press()
    await desk.pilot.pause()


async def test_lock_and_unlock_keep_what_is_open(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        before = desk.app.screen
        await desk.pilot.press("ctrl+p")
        dialog = desk.app.screen
        assert dialog is not before
        await desk.pilot.press("ctrl+l")
        assert isinstance(desk.app.screen, LockScreen)
        assert desk.app.screen.styles.background.a == 1 or desk.app.native_ansi_color
        await desk.pilot.press("escape")
        assert isinstance(desk.app.screen, LockScreen)
        await unlock(desk, "wrong password")
        await desk.sees("Das Passwort stimmt nicht")
        await unlock(desk, anna.password)
        await desk.until(lambda: desk.app.screen is dialog, "dialog again")


async def test_keys_do_not_reach_what_is_locked(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        await desk.pilot.press("ctrl+l", "ctrl+p", "f4", "ctrl+l")
        assert isinstance(desk.app.screen, LockScreen)
        assert desk.app.current_mode == "chart"
        assert len(desk.app.screen_stack) == 2


async def test_idleness_locks_and_input_postpones_it(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database, ui=ui(idle_lock_minutes=1))) as desk:
        await desk.sign_in(anna.username, anna.password)
        desk.app._last_activity -= 30
        desk.app.lock_if_idle()
        assert not desk.app.locked
        desk.app._last_activity -= 40
        await desk.pilot.press("left")
        desk.app.lock_if_idle()
        assert not desk.app.locked
        desk.app._last_activity -= 61
        desk.app.lock_if_idle()
        await desk.until(lambda: desk.app.locked, "locked")


async def test_zero_minutes_never_lock(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database, ui=ui(idle_lock_minutes=0))) as desk:
        await desk.sign_in(anna.username, anna.password)
        desk.app._last_activity -= 100_000
        desk.app.lock_if_idle()
        assert not desk.app.locked


async def test_a_session_that_was_ended_locks_and_can_be_resumed(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        place = desk.app.screen
        owner = await asyncpg.connect(database.owner_dsn)
        await owner.execute("DELETE FROM auth.sessions")
        await owner.close()
        desk.app.action_own_password()
        await desk.pilot.pause()
        await desk.fill("#old", anna.password)
        await desk.fill("#new", "drei grüne Tannen")
        await desk.fill("#again", "drei grüne Tannen")
        desk.app.screen.query_one("#save", Button).press()
        await desk.until(lambda: desk.app.locked, "locked")
        await unlock(desk, anna.password)
        await desk.until(lambda: not desk.app.locked, "unlocked")
        await desk.pilot.press("escape")
        await desk.until(lambda: desk.app.screen is place, "chart again")


async def test_somebody_else_signs_out_instead(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        await desk.pilot.press("ctrl+l")
        desk.app.screen.query_one("#sign-out", Button).press()
        await desk.until(lambda: isinstance(desk.app.screen, LoginScreen), "login")
        assert desk.desk.user is None


async def test_signing_out_of_a_locked_desk_names_nobody(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        guest = await desk.desk.guests.create({"last_name": "Mustermann"})
        assert guest.id is not None
        form = GuestDialog(guest.id)
        desk.app.call_later(desk.app.push_screen, form)
        await desk.sees("Gast: Mustermann")
        await desk.until(lambda: form.form.ready, "loaded")
        form.form.put({"city": "Straßburg"})
        await desk.until(lambda: form.dirty, "dirty")
        await desk.pilot.press("ctrl+l")
        desk.app.screen.query_one("#sign-out", Button).press()
        await desk.sees("Nicht gespeicherte Eingaben")
        assert "Mustermann" not in desk.text()
        await desk.pilot.press("escape")
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "lock again")


async def test_a_question_that_comes_while_locked_stays_behind_the_lock(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        place = desk.app.screen
        await desk.pilot.press("ctrl+l")
        answers: list[bool | None] = []
        desk.app.push_screen(ConfirmDialog("Zimmer belegt", "2026-118 Muster", "Ja"), answers.append)
        await desk.pilot.pause()
        await desk.until(lambda: isinstance(desk.app.screen, LockScreen), "lock on top")
        assert "Muster" not in desk.text()
        await unlock(desk, anna.password)
        await desk.sees("2026-118 Muster")
        await desk.pilot.press("enter")
        await desk.until(lambda: desk.app.screen is place, "chart again")
        assert answers == [True]
        assert not desk.app.locked


async def test_notes_that_come_while_locked_are_shown_afterwards(database: TestDatabase) -> None:
    anna = database.users["anna"]
    async with running(config_for(database)) as desk:
        await desk.sign_in(anna.username, anna.password)
        await desk.pilot.press("ctrl+l")
        desk.app.notify("Ben hat 2026-118 Muster geändert")
        await desk.pilot.pause(0.1)
        assert "Muster" not in desk.text()
        await unlock(desk, anna.password)
        await desk.sees("Ben hat 2026-118 Muster geändert")
