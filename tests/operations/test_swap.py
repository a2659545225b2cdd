"""Going back to a backup with desks at work, word for word as docs/backup.md says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.desk.events import DeskEvent, SessionLost
from dpolg_tui.operations import backup
from tests.databases import Server, TestDatabase
from tests.desk.two import until
from tests.operations.backups import Restores, ask, backups_in, settings_of, sibling
from tests.tui.forms_house import furnish, signed_in

DOCUMENT = Path(__file__).parents[2] / "docs" / "backup.md"


@pytest.fixture
async def restores() -> AsyncIterator[Restores]:
    made = Restores()
    yield made
    await made.close()


def statements(names: dict[str, str]) -> list[str]:
    """The block that swaps the databases, with names of this test."""
    [block] = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    for name, ours in names.items():
        block = block.replace(name, ours)
    return [line for line in block.splitlines() if line]


async def test_desks_come_over_and_sign_in_again(
    server: Server, database: TestDatabase, restores: Restores, tmp_path: Path
) -> None:
    restored, before = f"{database.name}_new", f"{database.name}_before"
    names = {"dpolg_booking": database.name, "dpolg_before": before, "dpolg_new": restored}
    async with AsyncExitStack() as stack:
        anna = await stack.enter_async_context(signed_in(database, "anna"))
        house = await furnish(anna)
        made = await backup.make(settings_of(database.backup_dsn), backups_in(tmp_path))
        late = await anna.guests.create({"last_name": "Zu-Spät"})
        heard: list[DeskEvent] = []
        anna.subscribe(heard.append)
        await restores.into(server, made.file, restored)
        maintenance = await asyncpg.connect(server.cluster.dsn())
        try:
            for statement in statements(names):
                await maintenance.execute(statement)
        finally:
            await maintenance.close()
        try:
            await until(lambda: any(isinstance(event, SessionLost) for event in heard), 30)
            [lost] = [event for event in heard if isinstance(event, SessionLost)][:1]
            assert "aus einer Sicherung wiederhergestellt" in lost.reason
            await anna.unlock(database.users["anna"].password)
            await until(lambda: anna.connection.phase == "connected", 30)
            found = await anna.guests.search("Huber", 10)
            assert [guest.id for guest in found] == [house.huber]
            assert await anna.guests.search("Zu-Spät", 10) == []
        finally:
            server.execute(f'ALTER DATABASE "{before}" ALLOW_CONNECTIONS true')
            late_there = f"SELECT count(*) FROM app.guests WHERE id = {late.id}"
            assert await ask(sibling(database, before, database.superuser_dsn), late_there) == 1
            server.execute(f'DROP DATABASE "{before}" WITH (FORCE)')
