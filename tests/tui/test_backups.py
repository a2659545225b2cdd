"""The warning about backups at a desk: a note after the sign-in and a word in the header, while it is so."""

from __future__ import annotations

import asyncpg
import pytest

from dpolg_tui.desk import Desk, backups
from dpolg_tui.desk.events import BackupStateChanged, DeskEvent
from dpolg_tui.domain.german import format_date, today
from tests.databases import TestDatabase
from tests.desk.two import until
from tests.tui.desk_app import config_for, running

WORD = "Sicherung prüfen"
RECORD = "SELECT app.record_backup('backup', 'dpolg_backup_20300101_030000.dump', 1, NULL, true, NULL, 1)"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups, "LOOK_PAUSE", 0.1)
    monkeypatch.setattr(backups, "ASK_PAUSE", 0.1)


async def _execute(dsn: str, statement: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _grow_old(database: TestDatabase) -> None:
    statement = "UPDATE app.installation SET created_at = now() - interval '2 days'"
    await _execute(database.superuser_dsn, statement)


@pytest.mark.parametrize(
    ("username", "words", "size"),
    [("anna", "Rolle Admin Bescheid", (80, 24)), ("admin", "einrichten", (160, 50))],
)
async def test_a_house_without_backups_is_told_until_there_is_one(
    database: TestDatabase, username: str, words: str, size: tuple[int, int]
) -> None:
    await _grow_old(database)
    async with running(config_for(database), size=size) as desk:
        await desk.sign_in(username, database.users[username].password)
        await desk.sees(words)
        await desk.until(lambda: WORD in desk.text().splitlines()[0], "the header")
        assert "Belegungsplan" in desk.text().splitlines()[0]
        assert "● verbunden" in desk.text().splitlines()[0]
        desk.app.clear_notifications()
        await _execute(database.backup_dsn, RECORD)
        await desk.until(lambda: WORD not in desk.text().splitlines()[0], "the header without it")


async def test_the_next_one_who_signs_in_is_told_too(database: TestDatabase) -> None:
    await _grow_old(database)
    desk = Desk(config_for(database))
    desk.start()
    try:
        for username, words in (("anna", "Rolle Admin Bescheid"), ("admin", "einrichten")):
            heard: list[DeskEvent] = []
            stop = desk.subscribe(heard.append)
            await desk.login(username, database.users[username].password)
            await until(lambda heard=heard: any(isinstance(one, BackupStateChanged) for one in heard))
            [told] = [one for one in heard if isinstance(one, BackupStateChanged)]
            assert told.warning == desk.backups.warning
            assert words in (told.warning or "")
            stop()
            await desk.logout()
            assert desk.backups.warning is None
    finally:
        await desk.close()


async def test_on_the_first_day_nothing_is_said(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("admin", database.users["admin"].password)
        await desk.until(lambda: desk.desk.backups.known, "the answer")
        await desk.until(lambda: format_date(today()) in desk.text().splitlines()[0], "today")
        assert WORD not in desk.text()
