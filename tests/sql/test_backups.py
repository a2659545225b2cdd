"""The history of backups: who may write it, what everybody is told, and when the last good one is too old."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.sql.stage import Desk, Stage, connected

RECORD = "SELECT app.record_backup($1, $2, $3, $4, $5, $6, $7)"
FILE = "dpolg_backup_20300301_030000.dump"
NOTHING_YET = {
    "last_good_backup": None,
    "last_good_verification": None,
    "newest_backup_ok": None,
    "newest_verification_ok": None,
    "newest_copy_ok": None,
    "overdue": False,
}


@pytest.fixture
async def backup(stage: Stage) -> AsyncIterator[asyncpg.Connection]:
    """As dpolg_backup."""
    async with connected(stage.database.backup_dsn) as connection:
        yield connection


async def _record(
    connection: asyncpg.Connection, kind: str = "backup", *, ok: bool = True, file: str | None = FILE
) -> int:
    found: int = await connection.fetchval(RECORD, kind, file, 4711, "0f" * 32, ok, None, 1.25)
    return found


async def _state(desk: Desk) -> dict[str, Any]:
    [row] = await desk.rows("backup_state")
    return row


async def _ages(stage: Stage, interval: str) -> None:
    """Time passes: whoever owns the table could do this only after switching the trigger off."""
    await stage.superuser.execute(
        "ALTER TABLE app.backups DISABLE TRIGGER backups_append_only;"
        f"UPDATE app.backups SET at = at - interval '{interval}';"
        f"UPDATE app.installation SET created_at = created_at - interval '{interval}';"
        "ALTER TABLE app.backups ENABLE TRIGGER backups_append_only"
    )


async def test_what_is_recorded_stands_there_with_the_servers_moment(
    stage: Stage, backup: asyncpg.Connection
) -> None:
    number = await _record(backup)
    row = await stage.superuser.fetchrow(
        "SELECT *, now() - at < interval '1 minute' AS recent FROM app.backups"
    )
    assert row["recent"]
    assert {name: row[name] for name in ("id", "kind", "file", "bytes", "sha256", "ok", "note")} == {
        "id": number,
        "kind": "backup",
        "file": FILE,
        "bytes": 4711,
        "sha256": "0f" * 32,
        "ok": True,
        "note": None,
    }
    assert float(row["seconds"]) == 1.25
    version = backup.get_server_version()
    assert row["server_version"].startswith(f"{version.major}")


async def test_every_desk_is_told_how_it_stands(anna: Desk, backup: asyncpg.Connection) -> None:
    assert await _state(anna) == NOTHING_YET, "not on the first day"
    await _record(backup)
    await _record(backup, "verification")
    good = await _state(anna)
    assert good["last_good_backup"] is not None
    assert good["last_good_verification"] is not None
    await _record(backup, ok=False, file=None)
    await _record(backup, "verification", ok=False)
    await _record(backup, "copy", ok=False)
    bad = await _state(anna)
    assert bad == {
        **good,
        "newest_backup_ok": False,
        "newest_verification_ok": False,
        "newest_copy_ok": False,
    }


@pytest.mark.parametrize(("age", "overdue"), [("24 hours", False), ("25 hours", True)])
async def test_a_backup_older_than_a_day_is_overdue(
    stage: Stage, anna: Desk, backup: asyncpg.Connection, age: str, overdue: bool
) -> None:
    await _record(backup)
    await _ages(stage, age)
    assert (await _state(anna))["overdue"] is overdue
    await _record(backup, ok=False)
    assert (await _state(anna))["overdue"] is overdue, "a failed one changes nothing"
    await _record(backup)
    assert not (await _state(anna))["overdue"]


async def test_a_house_without_any_backup_is_told_from_the_second_day_on(stage: Stage, anna: Desk) -> None:
    await _ages(stage, "24 hours")
    assert not (await _state(anna))["overdue"]
    await _ages(stage, "2 hours")
    assert (await _state(anna))["overdue"]
    await stage.superuser.execute("UPDATE app.installation SET backups_elsewhere = true")
    assert not (await _state(anna))["overdue"]


async def test_only_dpolg_backup_and_the_owner_record(stage: Stage, anna: Desk) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await _record(anna.connection)
    async with connected(stage.database.owner_dsn) as owner:
        await _record(owner)
    assert (await _state(anna))["newest_backup_ok"]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE app.backups SET ok = true", "DELETE FROM app.backups", "TRUNCATE app.backups"],
)
async def test_nobody_rewrites_the_history(stage: Stage, backup: asyncpg.Connection, statement: str) -> None:
    await _record(backup, ok=False)
    async with connected(stage.database.owner_dsn) as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
            await owner.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await backup.execute(statement)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await backup.execute(
            "INSERT INTO app.backups (kind, ok, server_version) VALUES ('backup', true, '1')"
        )


@pytest.mark.parametrize(
    ("arguments", "constraint"),
    [
        (("restored", FILE, 1, None, True, None, 1), "backups_kind"),
        (("backup", "/backups/a.dump", 1, None, True, None, 1), "backups_file_name"),
        (("backup", "..\\a.dump", 1, None, True, None, 1), "backups_file_name"),
        (("backup", FILE, -1, None, True, None, 1), "backups_bytes_positive"),
        (("backup", FILE, 1, "abc", True, None, 1), "backups_sha256_form"),
        (("backup", FILE, 1, None, False, "a\nb", 1), "backups_note_length"),
        (("backup", FILE, 1, None, False, "x" * 501, 1), "backups_note_length"),
        (("backup", FILE, 1, None, True, None, -1), "backups_seconds_positive"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    backup: asyncpg.Connection, arguments: tuple[object, ...], constraint: str
) -> None:
    with pytest.raises(asyncpg.CheckViolationError) as refused:
        await backup.execute(RECORD, *arguments)
    assert refused.value.constraint_name == constraint
