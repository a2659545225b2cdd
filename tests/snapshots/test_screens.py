"""Every screen and dialog at 80×24 and 160×50, as text that can be read in a diff.

After a wanted change: ``pytest tests/snapshots --update-snapshots``, then look at the difference.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import pytest
from rich.cells import cell_len

from dpolg_tui.domain.models import Status
from dpolg_tui.operations.house_loader import load_house
from dpolg_tui.settings import DeskSettings
from tests.databases import Server, TestDatabase, run
from tests.snapshots.conftest import PICTURES, Compare
from tests.snapshots.house import DAY, HOSTILE, OLD_DATA, small_house
from tests.snapshots.opening import opened
from tests.snapshots.scenes import SCENES
from tests.tui.desk_app import Running, config_for

SIZES = ((80, 24), (160, 50))
ADMIN = {
    *("room", "rooms", "users", "user", "shown-password", "legacy", "legacy-row"),
    "health",
    *("audit", "audit-entry", "audit-filter", "guests-admin", "export", "anonymise"),
}
"""Seen as admin: with what only admins see."""
EMPTY = "chart-empty"
DESK = DeskSettings(name="empfang")
STAFF = """
    UPDATE auth.users
       SET last_login = now(), active = username <> 'david', must_change_password = username = 'emil';
    -- Later than now, so that they still count at the end of a long run.
    INSERT INTO auth.attempts (name_hash, address, token_hash, client_id, at)
    SELECT auth.name_hash('clara'), '192.0.2.7', sha256('\\x00'), 'pc', now() + interval '1 hour'
      FROM generate_series(1, 7);
"""
"""One in each state that the list of users knows."""
HISTORY = """
    INSERT INTO app.audit_log (timestamp, user_id, username, client_id, table_name, record_id, operation,
                               old_data, new_data, booking_id)
    SELECT timestamptz '2026-11-20 08:00+01' + n * interval '1 hour', u.id, u.username, client, table_name,
           record_id, operation, old_data::jsonb, new_data::jsonb, booking_id
      FROM (VALUES
        (1, 'anna', '1f#Empfang', 'guests', 3, 'INSERT', NULL,
         '{"last_name": "Müller-Lüdenscheidt", "first_name": "Hans-Jürgen", "city": "München",
           "is_member": false, "email": "gast3@example.org", "phone": "0800 003"}', NULL),
        (2, 'anna', '1f#Empfang', 'bookings', 3, 'INSERT', NULL,
         '{"number": "2026-3", "guest_id": 3, "status": "reserviert", "persons": 2}', 3),
        (3, 'ben', '2e#Büro', 'bookings', 3, 'UPDATE', '{"status": "reserviert", "notes": null}',
         '{"status": "bestaetigt", "notes": "Kommt spät. [b]Bitte[/b] den Schlüssel in den Kasten."}',
         3),
        (4, 'ben', '2e#Büro', 'occupancies', 3, 'UPDATE', '{"room_id": 1, "departure": "2026-11-23"}',
         '{"room_id": 2, "departure": "2026-11-24"}', 3),
        (5, 'anna', '1f#Empfang', 'payments', 1, 'INSERT', NULL,
         '{"amount": "120.00", "paid_on": "2026-11-20", "method": "bar", "booking_id": 3}', 3),
        (6, 'ben', '2e#Büro', 'guests', 3, 'UPDATE', '{"city": "München", "is_member": false}',
         '{"city": "[Ulm] am Übermäßig-Langen-Fluss", "is_member": true}', NULL),
        (7, 'admin', '3d#Verwaltung', 'rooms', 3, 'UPDATE',
         '{"price_high": 65.00, "key_code": "***a1b2c3"}', '{"price_high": 69.00, "key_code": "***d4e5f6"}',
         NULL),
        (8, 'admin', '3d#Verwaltung', 'guests', 99, 'DELETE',
         '{"last_name": "Weg", "first_name": "Otto"}', NULL, NULL),
        (9, 'admin', '3d#Verwaltung', 'guests', 1, 'EXPORT', NULL, NULL, NULL),
        (10, 'admin', '3d#Verwaltung', 'house_settings', 1, 'UPDATE',
         '{"payment_days": 14, "vat_active": true}',
         '{"payment_days": 30, "vat_active": false}', NULL))
        AS entry (n, username, client, table_name, record_id, operation, old_data, new_data, booking_id)
      JOIN auth.users u USING (username)
     ORDER BY n
"""
"""What the audit log and the histories show."""


@pytest.fixture(scope="module")
def small(server: Server) -> Iterator[TestDatabase]:
    """The small house. Nothing in here writes to it."""
    database = server.clone()

    async def fill() -> None:
        connection = await asyncpg.connect(database.owner_dsn)
        try:
            await load_house(connection, small_house())
            await connection.execute(STAFF)
            await connection.execute(HISTORY)
            await connection.execute(OLD_DATA)
        finally:
            await connection.close()

    run(fill)
    yield database
    server.drop(database)


@pytest.fixture(scope="module")
def empty(server: Server) -> Iterator[TestDatabase]:
    """A house without rooms."""
    database = server.clone()
    yield database
    server.drop(database)


def _account(database: TestDatabase, name: str) -> tuple[str, str] | None:
    if name == "login":
        return None
    user = database.users["admin" if name in ADMIN else "anna"]
    return user.username, user.password


def _fits(text: str, size: tuple[int, int]) -> bool:
    lines = text.splitlines()
    return len(lines) <= size[1] and all(cell_len(line) <= size[0] for line in lines)


async def _both_sizes(here: Running, compare: Compare, name: str) -> None:
    """The picture at each size; the second after the terminal was made larger, which must be no different."""
    for size in SIZES:
        await here.pilot.resize_terminal(*size)
        assert _fits(await compare(here, f"{name}-{size[0]}x{size[1]}"), size)


@pytest.mark.parametrize("name", SCENES)
async def test_screen(small: TestDatabase, compare: Compare, name: str) -> None:
    async with opened(config_for(small, desk=DESK), DAY, SIZES[0], _account(small, name)) as here:
        await SCENES[name](here)
        await _both_sizes(here, compare, name)


async def test_empty_house(empty: TestDatabase, compare: Compare) -> None:
    user = empty.users["admin"]
    async with opened(config_for(empty), DAY, SIZES[0], (user.username, user.password)) as here:
        await _both_sizes(here, compare, EMPTY)
        assert "Erstes Zimmer anlegen" in here.text()


def test_no_picture_is_left_over() -> None:
    names = {f"{name}-{width}x{height}.txt" for name in (*SCENES, EMPTY) for width, height in SIZES}
    assert {file.name for file in PICTURES.iterdir()} == names


WITH_A_GUEST = ("cancel", "change-stay", "search", "booking", "guest", "guests")


@pytest.mark.long
async def test_difficult_names_are_shown_as_they_are(small: TestDatabase) -> None:
    async with opened(config_for(small), DAY, (110, 30), _account(small, "chart")) as here:
        stays = here.desk.store.occupancies
        bars = {bar.guest_id: bar for bar in stays.values()}
        for guest, hostile in enumerate(HOSTILE, start=4):
            name = " ".join(hostile.split())
            # The scenes take the first confirmed stay that they find.
            stays.clear()
            stays[bars[guest].id] = replace(bars[guest], status=Status.CONFIRMED)
            for scene in WITH_A_GUEST:
                await SCENES[scene](here)
                await here.sees(name[:12])
                while len(here.app.screen_stack) > 1:
                    await here.app.pop_screen()
            await here.app.switch_mode("chart")
