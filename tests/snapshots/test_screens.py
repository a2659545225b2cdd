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
from tests.databases import Server, TestDatabase, run
from tests.snapshots.conftest import PICTURES, Compare
from tests.snapshots.house import DAY, HOSTILE, OLD_DATA, small_house
from tests.snapshots.scenes import SCENES, opened
from tests.tui.desk_app import config_for

SIZES = ((80, 24), (160, 50))
ADMIN = {"room", "rooms", "legacy", "legacy-row"}
"""Seen as admin: with what only admins see."""
EMPTY = "chart-empty"


@pytest.fixture(scope="module")
def small(server: Server) -> Iterator[TestDatabase]:
    """The small house. Nothing in here writes to it."""
    database = server.clone()

    async def fill() -> None:
        connection = await asyncpg.connect(database.owner_dsn)
        try:
            await load_house(connection, small_house())
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


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
@pytest.mark.parametrize("name", SCENES)
async def test_screen(small: TestDatabase, compare: Compare, name: str, size: tuple[int, int]) -> None:
    async with opened(config_for(small), DAY, size, _account(small, name)) as here:
        await SCENES[name](here)
        assert _fits(await compare(here, f"{name}-{size[0]}x{size[1]}"), size)


@pytest.mark.parametrize("size", SIZES, ids="{0[0]}x{0[1]}".format)
async def test_empty_house(empty: TestDatabase, compare: Compare, size: tuple[int, int]) -> None:
    user = empty.users["admin"]
    async with opened(config_for(empty), DAY, size, (user.username, user.password)) as here:
        shown = await compare(here, f"{EMPTY}-{size[0]}x{size[1]}")
        assert "Erstes Zimmer anlegen" in shown


def test_no_picture_is_left_over() -> None:
    names = {f"{name}-{width}x{height}.txt" for name in (*SCENES, EMPTY) for width, height in SIZES}
    assert {file.name for file in PICTURES.iterdir()} == names


WITH_A_GUEST = ("cancel", "change-stay", "search", "booking", "guest", "guests")


@pytest.mark.parametrize("guest", range(4, 4 + len(HOSTILE)))
async def test_difficult_names_are_shown_as_they_are(small: TestDatabase, guest: int) -> None:
    name = " ".join(HOSTILE[guest - 4].split())
    async with opened(config_for(small), DAY, (160, 50), _account(small, "chart")) as here:
        stays = here.desk.store.occupancies
        bar = next(bar for bar in stays.values() if bar.guest_id == guest)
        # The scenes take the first confirmed stay that they find.
        stays.clear()
        stays[bar.id] = replace(bar, status=Status.CONFIRMED)
        for scene in WITH_A_GUEST:
            await SCENES[scene](here)
            await here.sees(name[:12])
            while len(here.app.screen_stack) > 1:
                await here.app.pop_screen()
