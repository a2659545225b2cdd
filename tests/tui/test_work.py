"""Work outside the message handlers: errors become words, slow work shows and can be cancelled."""

from __future__ import annotations

import asyncio

import pytest
from textual.widgets._toast import Toast

from dpolg_tui.domain.errors import DomainError, NotAllowed, SessionEnded
from dpolg_tui.tui import work
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from tests.databases import TestDatabase
from tests.tui.desk_app import Running, config_for, running


def toasts(desk: Running) -> list[str]:
    return [str(toast.render()) for toast in desk.app.screen.query(Toast)]


async def fail(error: Exception) -> None:
    """Work that fails."""
    raise error


async def test_every_line_of_a_note_is_drawn(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        for words in (18, 36, 54, 72):
            desk.app.show_toast(f"{'ab ' * (words - 1)}{words}")  # full lines, the last one included
            await desk.sees(f"ab {words}")


async def test_errors_become_words(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        work.read(desk.app.screen, fail(NotAllowed("Das darf nur [b]Admin[/b] [/x].")), "Lesen")
        await desk.sees("Das darf nur [b]Admin[/b] [/x].")
        work.write(desk.app.screen, fail(ValueError("secret detail")), "Schreiben")
        await desk.sees("Unerwarteter Fehler E-")
        assert "secret detail" not in desk.text()
        shown: list[str] = []

        def beside_the_field(error: DomainError) -> bool:
            shown.append(error.message)
            return True

        work.write(desk.app.screen, fail(NotAllowed("am Feld")), "Schreiben", failed=beside_the_field)
        await desk.until(lambda: shown == ["am Feld"])
        assert not any("am Feld" in toast for toast in toasts(desk))
        work.write(desk.app.screen, fail(SessionEnded()), "Schreiben")
        await desk.until(lambda: desk.app.locked, "locked")


async def test_slow_work_shows_and_can_be_cancelled(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "SLOW", 0.05)
    monkeypatch.setattr(work, "CANCELLABLE", 0.2)
    async with running(config_for(database), size=(120, 30)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        ended: list[bool] = []

        async def endless() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append(True)

        work.write(desk.app.screen, endless(), "Buchung speichern")
        await desk.sees("Buchung speichern …")
        await desk.sees("(Strg+C bricht ab)")
        await desk.pilot.press("ctrl+c")
        await desk.until(lambda: ended, "cancelled")
        await desk.sees("Abgebrochen: bitte nachsehen")
        assert "Buchung speichern" not in desk.text().splitlines()[0]


async def test_a_newer_read_replaces_the_older_and_a_write_is_never_replaced(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        done: list[str] = []

        async def wait(name: str) -> None:
            await asyncio.sleep(0.05)
            done.append(name)

        for number in range(3):
            work.read(desk.app.screen, wait(f"read {number}"), "Lesen")
            work.write(desk.app.screen, wait(f"write {number}"), "Schreiben")
        await desk.until(lambda: len(done) == 4)
        await desk.pilot.pause(0.1)
        assert sorted(done) == ["read 2", "write 0", "write 1", "write 2"]


async def test_enter_and_escape_at_once_close_one_dialog(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        place = desk.app.screen
        answers: list[bool | None] = []
        desk.app.push_screen(ConfirmDialog("Frage", "Ja?", "Ja"), answers.append)
        await desk.pilot.pause()
        dialog = desk.app.screen
        assert isinstance(dialog, ConfirmDialog)
        dialog.action_yes()
        dialog.action_cancel()
        await desk.until(lambda: desk.app.screen is place, "closed")
        assert answers == [True]


async def test_a_dialog_that_ends_under_help_waits_for_its_turn(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        place = desk.app.screen
        answers: list[bool | None] = []
        dialog = ConfirmDialog("Frage", "Ja?", "Ja")
        desk.app.push_screen(dialog, answers.append)
        await desk.pilot.pause()
        await desk.pilot.press("f1")
        dialog.finish(True)
        await desk.pilot.pause()
        assert answers == []
        assert len(desk.app.screen_stack) == 3
        await desk.pilot.press("escape")
        await desk.until(lambda: desk.app.screen is place, "both closed")
        assert answers == [True]
