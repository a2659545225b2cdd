"""The policy that docs/security.md shows and nobody installs: it does what is said there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dpolg_tui.db import sql_files
from tests.sql.stage import Desk, Stage, change, connected, day, stay

pytestmark = pytest.mark.both_versions

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"


async def test_everybody_sees_his_own_bookings_only(stage: Stage, anna: Desk, ben: Desk, admin: Desk) -> None:
    example = re.search(
        r"```sql\n(.*?CREATE POLICY user_bookings.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL
    )
    assert example
    assert (
        await stage.superuser.fetchval("SELECT count(*) FROM pg_policy WHERE polname = 'user_bookings'") == 0
    )
    async with connected(stage.database.owner_dsn) as owner:
        await owner.execute(example[1])
        mine = await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
        theirs = await ben.book(stage.guests[1], stay(stage.rooms[1], 0, 3))
        assert (mine["outcome"], theirs["outcome"]) == ("done", "done")
        assert await anna.booking(mine["id"])
        for other in (anna, admin):
            assert await other.booking(theirs["id"]) is None
            assert await other.rows("search_bookings", theirs["state"]["number"], 10) == []
            changed = await other.save("booking", theirs["id"], {"notes": change(None, "x")})
            assert changed["outcome"] == "missing"
        # On the chart a nameless bar, and nobody takes the room twice.
        bars = await anna.rows("chart", day(0), day(3))
        assert {(bar["room_id"], bar["last_name"]) for bar in bars} == {
            (stage.rooms[0], "Müller"),
            (stage.rooms[1], None),
        }
        again = await anna.book(stage.guests[0], stay(stage.rooms[1], 1, 2))
        assert again["outcome"] == "taken"
        assert "Weiß" not in repr(again)
        # The owner's own work goes on, and nothing of it is a finding.
        assert await owner.fetchval("SELECT count(*) FROM app.bookings") == 2
        assert await stage.superuser.fetch(sql_files.read("checks.sql")) == []
        await owner.execute("DROP POLICY user_bookings ON app.bookings")
    assert (await anna.booking(theirs["id"]))["last_name"] == "Weiß"
