"""Two colleagues at work."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.tui.forms_house import furnish, signed_in


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the desks remember goes to a directory of this test."""
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: state)
    return state


@pytest.fixture
async def two(database: TestDatabase) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        anna = await stack.enter_async_context(signed_in(database, "anna"))
        ben = await stack.enter_async_context(signed_in(database, "ben"))
        house = await furnish(anna)
        await until(lambda: len(ben.store.rooms) == 2)
        yield Two(anna, ben, house)
