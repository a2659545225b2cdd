"""The log of a whole session at DEBUG, with everything slow and much going wrong: nobody's name is in it."""

from __future__ import annotations

import asyncio
import gc
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import asyncpg
import pytest
from textual.widgets import Button, Input

from dpolg_tui import log
from dpolg_tui.desk import Desk
from dpolg_tui.domain.errors import Defect, DomainError, LoginFailed
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from dpolg_tui.settings import DeskSettings, LogSettings
from dpolg_tui.tui import work
from dpolg_tui.tui.screens.login import LoginScreen
from dpolg_tui.tui.screens.settings import SettingsScreen
from tests.databases import TestDatabase
from tests.desks.five import open_form
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import signed_in
from tools.bench import actions
from tools.wire_proxy import WireProxy, wire_proxy

TYPED = "Zwetschgenbaum"
"""A surname that somebody types, wherever there is room for it."""
SECRET = "Kufe-Amsel-Tropfen-9"
DAY = timedelta(days=1)

PERSONAL = """
    SELECT value FROM app.guests g, jsonb_each_text(to_jsonb(g)) WHERE key = ANY (ARRAY[
        'last_name', 'first_name', 'email', 'phone', 'phone_business', 'phone_private', 'phone_mobile', 'fax',
        'street', 'date_of_birth', 'identity_document', 'member_number', 'licence_plate', 'invoice_email',
        'duty_station', 'profession', 'notes'])
    UNION SELECT full_name FROM auth.users
    UNION SELECT email FROM auth.users
    UNION SELECT key_code FROM app.rooms
    UNION SELECT notes FROM app.bookings
    UNION SELECT last_name FROM app.companions
    UNION SELECT first_name FROM app.companions
    UNION SELECT last_name FROM app.booking_companions
    UNION SELECT first_name FROM app.booking_companions
    UNION SELECT title FROM app.reminders
    UNION SELECT description FROM app.reminders
"""
_TOO_SHORT = 3


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Everything is logged, and every action is a slow one."""
    path = tmp_path / "log" / "dpolg-tui.log"
    assert log.setup(LogSettings(level="DEBUG", file=path, slow_action_ms=0)) is None
    yield path
    log.shutdown()


async def _values(database: TestDatabase) -> set[str]:
    """What is in the database about people."""
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        found = {row[0] for row in await owner.fetch(PERSONAL) if row[0]}
    finally:
        await owner.close()
    return {line.strip() for value in found for line in value.splitlines()}


def _found(values: set[str], text: str) -> set[str]:
    """Which of the values stand in a text as words; of short ones only those written the same."""
    hits = set()
    for value in values:
        if len(value) < _TOO_SHORT or (value.isdigit() and len(value) < 2 * _TOO_SHORT):
            continue
        flags = re.IGNORECASE if len(value) > 2 * _TOO_SHORT else 0
        if re.search(rf"(?<!\w){re.escape(value)}(?!\w)", text, flags):
            hits.add(value)
    return hits


@pytest.fixture
async def proxy(database: TestDatabase) -> AsyncIterator[WireProxy]:
    async with wire_proxy(config_for(database).database.hosts[0]) as running_proxy:
        yield running_proxy


async def _fill(database: TestDatabase, today: date) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        await load_house(owner, generate(1, today, HouseSize(rooms=6, guests=40)))
    finally:
        await owner.close()


async def test_nothing_personal_and_no_secret_is_in_the_log_of_a_whole_session(
    database: TestDatabase, proxy: WireProxy, log_file: Path, tmp_path: Path
) -> None:
    config = config_for(database)
    config = replace(
        config,
        database=replace(config.database, hosts=(proxy.address,), action_timeout=20.0),
        desk=DeskSettings(export_directory=tmp_path / "exports", emergency_directory=tmp_path / "emergency"),
    )
    await _fill(database, Desk(config).today())
    values = await _values(database)
    tokens: set[str] = set()
    async with running(config, (120, 40)) as here:
        await _sign_in(here, database)
        tokens.add(here.desk.database.token)
        await _every_action(here.desk)
        await _people_and_their_data(here.desk)
        await _screens(here)
        await _refusals(here.desk, database)
        ids = await _defects(here, database)
        await _without_a_line(here, proxy)
        await _lock_and_leave(here, database)
        tokens.add(here.desk.database.token)
    # What an anonymised guest is called, and what the log calls doing so, is nobody's name.
    values |= await _values(database) - {"anonymisiert"}
    secrets = {user.password for user in database.users.values()} | tokens | {SECRET}
    secrets.add(str(config.database.password))
    text = "".join(path.read_text("utf-8") for path in sorted(log_file.parent.iterdir()))
    # It is the log of all this, and it says who was slow, with round trips, and what failed, with an id.
    assert text.count("Booking erstellt: ") > 2
    assert re.search(r"Langsame Aktion Gast suchen: \d+ ms, 1 Umlauf", text)
    assert len(ids) == 2
    assert {error_id for error_id in ids if f" {error_id}" in text} == ids
    assert " DEBUG " in text
    assert len(values) > 100
    personal = _found(values | {TYPED}, text)
    assert personal == set(), [line for line in text.splitlines() if _found(personal, line)]
    assert {secret for secret in secrets if secret in text} == set()


async def _sign_in(here: Running, database: TestDatabase) -> None:
    """Not at once: a name in the wrong field, a wrong password."""
    await here.connected()
    await here.fill("#username", TYPED)
    await here.fill("#password", SECRET)
    here.app.screen.query_one("#submit", Button).press()
    await here.sees("Anmeldung fehlgeschlagen")
    await here.pilot.press("f8")
    await here.until(lambda: isinstance(here.app.screen, SettingsScreen), "settings")
    assert isinstance(here.app.screen, SettingsScreen)
    here.app.screen.form.put({"password": SECRET})
    await here.pilot.press("ctrl+t")
    await here.sees("fehlgeschlagen")
    here.app.screen.form.put({"password": ""})
    await here.pilot.press("escape")
    await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
    admin = database.users["admin"]
    await here.sign_in(admin.username, admin.password)


async def _every_action(desk: Desk) -> None:
    for source in (actions.every(desk, desk.today() + 200 * DAY, "Mül"), actions.rooms(desk)):
        async for action in source:
            await action.run()
    for _ in range(3):
        await desk.undo.undo()
        await desk.undo.redo()


async def _people_and_their_data(desk: Desk) -> None:
    guest = (
        await desk.guests.create({"last_name": TYPED, "first_name": "Eva", "email": "eva@zwetsch.test"})
    ).id
    assert guest is not None
    await desk.personal_data.export(guest)
    await desk.personal_data.anonymise(guest)
    made, _password = await desk.people.create({"username": "zwetschge", "full_name": f"Otto {TYPED}"})
    assert made.id is not None
    await desk.people.reset_password(made.id)
    await desk.people.sessions(made.id)
    await desk.emergency.write()


async def _screens(here: Running) -> None:
    """Every place, something typed in each."""
    for key in ("f4", "f5", "f9", "f2"):
        await here.pilot.press(key)
        await here.pilot.pause(0.1)
    await here.pilot.press("f4")
    await here.until(lambda: here.app.current_mode == "guests", "guests")
    here.app.screen.query_one("#list-search", Input).value = TYPED
    await here.pilot.pause(0.3)
    await here.app.run_action("audit")
    await here.pilot.pause(0.3)
    await here.pilot.press("f2")
    form = await open_form(here)
    form.form.put({"notes": f"{TYPED} kommt spät"})
    await here.pilot.press("ctrl+s")
    await here.pilot.pause(0.2)
    form.form.put({"notes": None})
    form.leave()
    await here.until(lambda: here.app.screen is not form, "form left")


async def _refusals(desk: Desk, database: TestDatabase) -> None:
    """What the database refuses, with values in its DETAIL."""
    guest = (await desk.guests.search("a"))[0].id
    with suppress(DomainError):
        await desk.people.create({"username": "anna", "full_name": TYPED})
    with suppress(DomainError):
        await desk.guests.create({"last_name": TYPED * 20})
    with suppress(DomainError):
        await desk.guests.create({"last_name": TYPED, "date_of_birth": date(1700, 1, 1)})
    with suppress(DomainError):
        await desk.guests.delete(guest)
    async with signed_in(database, "ben") as ben:
        made = await ben.guests.create({"last_name": TYPED, "first_name": "Ilse"})
        assert made.id is not None
        await desk.guests.save(made.id, {"city": Change(None, "Zwetschgenhausen")})
        other = await ben.guests.save(made.id, {"city": Change(None, "Pflaumenheim")})
        assert other.outcome is Outcome.CONFLICT
        with suppress(DomainError):
            await ben.personal_data.export(made.id)


async def _defects(here: Running, database: TestDatabase) -> set[str]:
    """What nobody foresaw, each with a name in its text: here, in the database, in a forgotten task.

    Answers the ids that whoever works here learns.
    """
    superuser = await asyncpg.connect(database.superuser_dsn)
    try:
        await superuser.execute(f"""
            CREATE OR REPLACE FUNCTION app.guest(record bigint) RETURNS jsonb LANGUAGE plpgsql STABLE
            SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$BEGIN
            RAISE EXCEPTION 'nobody knows {TYPED}' USING ERRCODE = 'XX000', DETAIL = '{TYPED}'; END$$""")
    finally:
        await superuser.close()
    with pytest.raises(Defect) as caught:
        await here.desk.guests.get(1)

    async def fails(words: str) -> None:
        raise ValueError(words)

    work.write(here.app, fails(f"'{TYPED}' is not a number"), "Versuch")
    await here.sees("Unerwarteter Fehler")
    ids = {caught.value.error_id, *re.findall(r"Unerwarteter Fehler (E-[0-9A-F]{6})", here.text())}
    unsubscribe = here.desk.subscribe(lambda _event: {}[TYPED])
    here.desk.read_again()
    await here.pilot.pause(0.3)
    unsubscribe()
    forgotten = asyncio.get_running_loop().create_task(fails(f"'{TYPED}' was forgotten"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del forgotten
    gc.collect()
    logging.getLogger("asyncpg").error("unknown value '%s'", TYPED)
    return ids


async def _without_a_line(here: Running, proxy: WireProxy) -> None:
    desk = here.desk
    await proxy.refuse()
    await here.until(lambda: desk.connection.phase == "offline", "offline")
    made = await desk.guests.create({"last_name": TYPED, "first_name": "Offline"})
    assert made.outcome is Outcome.QUEUED
    with suppress(DomainError):
        await desk.bookings.search(TYPED)
    await proxy.accept()
    await here.until(lambda: desk.connection.phase == "connected" and not desk.outbox.waiting, "sent")


async def _lock_and_leave(here: Running, database: TestDatabase) -> None:
    desk, admin = here.desk, database.users["admin"]
    here.app.lock_session()
    with suppress(LoginFailed):
        await desk.unlock(SECRET)
    await desk.unlock(admin.password)
    await here.app.unlocked()
    with suppress(LoginFailed):
        await desk.change_password(SECRET, "drei grüne Tannen")
    here.app.action_sign_out()
    await here.until(lambda: isinstance(here.app.screen, LoginScreen), "login")
