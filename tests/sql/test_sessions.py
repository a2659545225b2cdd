"""Sessions through the real login: begin, replacement, end, deactivation, change of password."""

from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import Parameters, change_password, login, logout
from dpolg_tui.domain.errors import Deactivated, LoginFailed, MustChangePassword, NotAllowed, SessionEnded
from dpolg_tui.domain.models import Role
from tests.sql.stage import Stage

pytestmark = pytest.mark.both_versions
CHEAP = Parameters(memory_kib=19_456, iterations=2, parallelism=1)


@pytest.fixture
async def desk(stage: Stage) -> AsyncIterator[Database]:
    database = Database(database_from_dsn(stage.database.dsn), client="aaaa0000#tresen")
    yield database
    await database.close()


async def _ends(stage: Stage) -> list[str | None]:
    rows = await stage.superuser.fetch("SELECT end_reason FROM auth.sessions ORDER BY id")
    return [row["end_reason"] for row in rows]


async def test_login_writes_session_and_last_login(stage: Stage, desk: Database) -> None:
    user = await login(desk, "admin", stage.database.users["admin"].password)
    assert user.role is Role.ADMIN
    row = await stage.superuser.fetchrow(
        "SELECT s.client_id, s.token_hash, s.address IS NOT NULL AS addressed,"
        " u.last_login = s.created_at AS same"
        " FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id"
    )
    assert (row["client_id"], row["token_hash"]) == ("aaaa0000#tresen", desk.token_hash)
    assert (row["addressed"], row["same"]) == (True, True)
    (attempt,) = await stage.superuser.fetch("SELECT judged, succeeded, guess FROM auth.attempts")
    assert tuple(attempt) == (True, True, None)
    assert desk.token not in await stage.superuser.fetchval(
        "SELECT string_agg(s::text, '') || (SELECT string_agg(a::text, '') FROM auth.attempts a)"
        " FROM auth.sessions s"
    )


async def test_unlocking_replaces_the_session_of_this_desk_only(stage: Stage, desk: Database) -> None:
    password = stage.database.users["anna"].password
    other = Database(database_from_dsn(stage.database.dsn), client="bbbb0000#buero")
    await login(desk, "anna", password)
    await login(other, "anna", password)
    await login(desk, "anna", password)
    assert await _ends(stage) == ["replaced", None, None]
    await other.call("app.heartbeat", None)
    await desk.call("app.heartbeat", None)
    # A colleague at the same desk ends nothing of hers.
    colleague = Database(database_from_dsn(stage.database.dsn), client="aaaa0000#tresen")
    await login(colleague, "ben", stage.database.users["ben"].password)
    await desk.call("app.heartbeat", None)
    for database in (other, colleague):
        await database.close()


async def test_logout_and_deactivation_count_at_the_next_statement(stage: Stage, desk: Database) -> None:
    anna = stage.database.users["anna"]
    await login(desk, "anna", anna.password)
    await logout(desk)
    assert await _ends(stage) == ["logout"]
    await login(desk, "anna", anna.password)
    await stage.superuser.execute("UPDATE auth.users SET active = false WHERE username = 'anna'")
    with pytest.raises(SessionEnded):
        await desk.call("app.heartbeat", None)
    with pytest.raises(Deactivated):
        await login(desk, "anna", anna.password)
    with pytest.raises(LoginFailed):
        await login(desk, "anna", "falsch")


async def test_a_new_role_counts_at_the_next_statement(stage: Stage, desk: Database) -> None:
    await login(desk, "anna", stage.database.users["anna"].password)
    delete = "SELECT app.delete_guest(gen_random_uuid(), $1)"
    with pytest.raises(NotAllowed):
        await desk.fetchval(delete, stage.guests[0])
    await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'anna'")
    with pytest.raises(SessionEnded, match="Rolle"):
        await desk.fetchval(delete, stage.guests[0])
    user = await login(desk, "anna", stage.database.users["anna"].password)
    assert user.role is Role.ADMIN
    assert (await desk.fetchval(delete, stage.guests[0]))["outcome"] == "done"
    await stage.superuser.execute("UPDATE auth.users SET role = 'user' WHERE username = 'anna'")
    with pytest.raises(SessionEnded, match="Rolle"):
        await desk.fetchval(delete, stage.guests[1])


async def test_a_given_password_must_be_changed_first(stage: Stage, desk: Database) -> None:
    anna = stage.database.users["anna"]
    await stage.superuser.execute("UPDATE auth.users SET must_change_password = true WHERE username = 'anna'")
    user = await login(desk, "anna", anna.password)
    assert user.must_change_password
    with pytest.raises(MustChangePassword):
        await desk.fetch("SELECT * FROM app.rooms()")
    with pytest.raises(LoginFailed):
        await change_password(desk, "anna", "falsch", "neu-und-lang", CHEAP)
    await change_password(desk, "anna", anna.password, "neu-und-lang", CHEAP)
    assert len(await desk.fetch("SELECT * FROM app.rooms()")) == 4
    await logout(desk)
    with pytest.raises(LoginFailed):
        await login(desk, "anna", anna.password)
    await login(desk, "anna", "neu-und-lang")


async def test_a_new_password_ends_the_other_sessions(stage: Stage, desk: Database) -> None:
    anna = stage.database.users["anna"]
    other = Database(database_from_dsn(stage.database.dsn), client="bbbb0000#buero")
    await login(desk, "anna", anna.password)
    await login(other, "anna", anna.password)
    await change_password(desk, "anna", anna.password, "neu-und-lang", CHEAP)
    await desk.call("app.heartbeat", None)
    with pytest.raises(SessionEnded):
        await other.call("app.heartbeat", None)
    await other.close()
    line = await stage.superuser.fetchrow(
        "SELECT username, new_data FROM app.audit_log WHERE table_name = 'users' ORDER BY id DESC LIMIT 1"
    )
    assert line["username"] == "anna"
    assert {key: value[:3] for key, value in line["new_data"].items()} == {"salt": "***", "verifier": "***"}


async def test_what_a_user_cannot_be(stage: Stage) -> None:
    for statement in (
        "UPDATE auth.users SET memory_kib = 8",
        "UPDATE auth.users SET iterations = 1",
        "UPDATE auth.users SET parallelism = 9",
        "UPDATE auth.users SET verifier = 'short'",
        "UPDATE auth.users SET salt = ''",
        "UPDATE auth.users SET role = 'root'",
        "UPDATE auth.users SET username = ' anna'",
        "UPDATE auth.users SET username = 'ANNA' WHERE username = 'ben'",
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError):
            await stage.superuser.execute(statement)


async def test_typing_errors_in_the_old_password_do_not_lock_the_unlocking(
    stage: Stage, desk: Database
) -> None:
    anna = stage.database.users["anna"]
    await login(desk, "anna", anna.password)
    for _ in range(4):
        with pytest.raises(LoginFailed):
            await change_password(desk, "anna", "vertippt", "neu-und-lang", CHEAP)
    with pytest.raises(LoginFailed):
        await change_password(desk, "anna", "vertippt", "neu-und-lang", CHEAP)
    with pytest.raises(SessionEnded):
        await desk.call("app.heartbeat", None)
    desk.signed_in = False
    desk.adopt(desk.sibling().token)
    await login(desk, "anna", anna.password)
