"""Sessions of users as admins see and end them, the lock-out after failures, and what a password costs."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db import errors
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import Parameters, login, read_challenge
from dpolg_tui.domain.errors import LoginFailed, SessionEnded
from tests.sql.people import ROUNDS, refused, reset, user_id
from tests.sql.stage import Desk, Stage, change

pytestmark = pytest.mark.both_versions


# -- sessions ------------------------------------------------------------------------------------


async def test_sessions_are_seen_and_ended(stage: Stage, admin: Desk, anna: Desk, ben: Desk) -> None:
    me, colleague = await user_id(stage, "anna"), await user_id(stage, "ben")
    other = await stage.desk("anna", client="beef0001#buero")
    await other.call("here", "Gäste", None)
    mine = await anna.rows("sessions", me)
    assert [(row["own"], row["desk"], row["host"], row["screen"]) for row in mine] == [
        (False, "beef0001", "buero", "Gäste"),
        (True, mine[1]["desk"], "anna", None),
    ]
    assert [row["own"] for row in await admin.rows("sessions", me)] == [False, False]
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.rows("sessions", colleague)
    of_ben = (await ben.rows("sessions", colleague))[0]["id"]
    for session in (of_ben, 999_999):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await anna.call("end_session", uuid4(), session)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.call("end_sessions", uuid4(), colleague)
    assert await refused(anna.call("end_session", uuid4(), mine[1]["id"])) == "sessions_current"
    ended = await anna.call("end_session", uuid4(), mine[0]["id"])
    assert ended == {"outcome": "done", "id": mine[0]["id"]}
    assert await refused(other.heartbeat()) == "session_ended_by_user"
    assert (await anna.call("end_session", uuid4(), mine[0]["id"]))["outcome"] == "missing"
    assert (await admin.call("end_session", uuid4(), of_ben))["outcome"] == "done"
    assert await refused(ben.heartbeat()) == "session_ended_by_admin"
    third = await stage.desk("anna")
    await anna.call("end_sessions", uuid4(), me)
    assert await refused(third.heartbeat()) == "session_ended_by_user"
    await admin.call("end_sessions", uuid4(), me)
    assert await refused(anna.heartbeat()) == "session_ended_by_admin"
    assert await admin.rows("sessions", me) == []


async def test_a_session_that_ended_says_why(stage: Stage, admin: Desk) -> None:
    anna, desk = await user_id(stage, "anna"), await stage.desk("anna")
    await admin.save("user", anna, {"active": change(True, False)})
    assert await refused(desk.heartbeat()) == "session_deactivated"
    # Reactivated: what ended stays ended.
    await admin.save("user", anna, {"active": change(False, True)})
    assert await refused(desk.heartbeat()) == "session_deactivated"
    desk = await stage.desk("anna")
    await admin.save("user", anna, {"role": change("user", "admin")})
    assert await refused(desk.heartbeat()) == "session_role_changed"
    desk = await stage.desk("anna")
    await reset(admin, anna)
    assert await refused(desk.heartbeat()) == "session_password_reset"
    assert await refused(desk.call("logout")) == "session_password_reset"
    assert await refused(desk.change_password(bytes(32))) == "session_password_reset"
    await stage.superuser.execute("UPDATE auth.users SET must_change_password = false")
    desk = await stage.desk("anna")
    await stage.superuser.execute("UPDATE auth.sessions SET last_seen = now() - interval '31 minutes'")
    assert await refused(desk.heartbeat()) == "session_expired"
    # A token that never had a session is told nothing.
    assert await refused((await stage.stranger()).execute("SELECT * FROM app.rooms()")) == "28000"
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError) as error:
        await desk.heartbeat()
    sentence = errors.translate(error.value)
    assert isinstance(sentence, SessionEnded)
    assert "abgelaufen" in sentence.message


async def test_a_login_and_a_reset_at_the_same_moment(stage: Stage, admin: Desk) -> None:
    """Never a session under the old password that outlives the reset."""
    settings = database_from_dsn(stage.database.dsn)
    anna, password = await user_id(stage, "anna"), stage.database.users["anna"].password
    kept = await stage.superuser.fetchrow("SELECT salt, verifier FROM auth.users WHERE id = $1", anna)
    for _ in range(ROUNDS):
        await stage.superuser.execute(
            "UPDATE auth.users SET salt = $2, verifier = $3, must_change_password = false WHERE id = $1",
            anna,
            *kept,
        )
        desk = Database(settings)
        signing_in = asyncio.create_task(login(desk, "anna", password))
        await asyncio.sleep(0.02)
        await reset(admin, anna)
        with suppress(LoginFailed):
            await signing_in
        left = await stage.superuser.fetchval(
            "SELECT count(*) FROM auth.sessions WHERE user_id = $1 AND ended_at IS NULL", anna
        )
        await desk.close()
        assert left == 0


# -- lock-out ------------------------------------------------------------------------------------


async def failures(stage: Stage, name: str, address: str, count: int) -> None:
    await stage.superuser.executemany(
        "INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id, judged)"
        " SELECT auth.name_hash($1), (SELECT id FROM auth.users WHERE username = $1), $2::text::inet,"
        " sha256('x'), 'x', true",
        [(name, address)] * count,
    )


async def test_a_lock_is_shown_and_lifted(stage: Stage, admin: Desk) -> None:
    anna = await user_id(stage, "anna")
    own_address = await admin.connection.fetchval("SELECT host(coalesce(inet_client_addr(), '0.0.0.0'))")

    async def shown() -> tuple[int, bool]:
        (row,) = [row for row in await admin.rows("users") if row["id"] == anna]
        return row["recent_failures"], row["locked"]

    assert await shown() == (0, False)
    await failures(stage, "anna", own_address, 4)
    assert await shown() == (4, False)
    await failures(stage, "anna", own_address, 1)
    assert await shown() == (5, True)
    desk = Database(database_from_dsn(stage.database.dsn))
    with pytest.raises(LoginFailed):
        await login(desk, "anna", stage.database.users["anna"].password)
    assert (await admin.call("lift_lock", uuid4(), anna))["state"]["locked"] is False
    assert await shown() == (0, False)
    await login(desk, "anna", stage.database.users["anna"].password)
    await desk.close()
    logged = await stage.superuser.fetchval(
        "SELECT new_data FROM app.audit_log WHERE table_name = 'users' ORDER BY id DESC LIMIT 1"
    )
    assert list(logged) == ["lock_lifted_at"]
    # Thirty from everywhere lock new addresses.
    for number in range(30):
        await failures(stage, "anna", f"192.0.2.{number}", 1)
    assert await shown() == (30, True)
    await reset(admin, anna)
    assert await shown() == (0, False)


async def test_guesses_saved_for_after_the_lifting(stage: Stage, admin: Desk) -> None:
    """Many written down before an admin lifts the lock, judged afterwards: they do not profit."""
    person = await user_id(stage, "anna")
    right, stranger = os.urandom(32), await stage.stranger()
    await stage.superuser.execute("UPDATE auth.users SET verifier = sha256($1) WHERE id = $2", right, person)
    attempt = "SELECT app.login_attempt('anna', $1, $2, 'aaaa0000#x')"
    saved = []
    for guess in [os.urandom(32) for _ in range(7)] + [right]:
        token = os.urandom(32)
        saved.append((await stranger.fetchval(attempt, guess, token), token))
    await admin.call("lift_lock", uuid4(), person)
    for number, token in saved:
        answer = await stranger.fetchval("SELECT app.login_result($1, $2)", number, token)
        assert answer == {"outcome": "failed"}
    token = os.urandom(32)
    number = await stranger.fetchval(attempt, right, token)
    assert (await stranger.fetchval("SELECT app.login_result($1, $2)", number, token))["outcome"] == "ok"


# -- what a password costs -----------------------------------------------------------------------


async def test_a_sign_in_raises_the_costs_once(stage: Stage, admin: Desk) -> None:
    person = stage.database.users["anna"]
    for wrong, rule in (
        ((8, 2, 1), "secrets_memory"),
        ((19456, 11, 1), "secrets_iterations"),
        ((19456, 2, 0), "secrets_parallelism"),
    ):
        assert await refused(admin.call("save_login_settings", uuid4(), *wrong)) == rule
    raised = Parameters(20480, 3, 2)
    await admin.call("save_login_settings", uuid4(), raised.memory_kib, raised.iterations, raised.parallelism)
    assert await admin.call("login_settings") == {"memory_kib": 20480, "iterations": 3, "parallelism": 2}
    stranger = await stage.stranger()
    # Before the first sign-in names with and without an account still look alike.
    known = read_challenge(await stranger.fetchval("SELECT app.login_challenge('anna')"))
    assert known[0] == read_challenge(await stranger.fetchval("SELECT app.login_challenge('nobody')"))[0]
    other = await stage.desk("anna")
    desk = Database(database_from_dsn(stage.database.dsn))
    await login(desk, "anna", person.password)
    parameters, salt = read_challenge(await desk.call("app.login_challenge", "anna"))
    assert parameters == raised
    assert salt != known[1]
    # Nobody is signed out by it, and the next time there is nothing to do.
    await other.heartbeat()
    await login(desk, "anna", person.password)
    assert read_challenge(await desk.call("app.login_challenge", "anna"))[1] == salt
    # Lower settings lower nothing.
    await admin.call("save_login_settings", uuid4(), 19456, 2, 1)
    await login(desk, "anna", person.password)
    assert read_challenge(await desk.call("app.login_challenge", "anna"))[0] == raised
    await desk.close()
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await _renew(stage, parallelism=1)
    audited = await stage.superuser.fetch(
        "SELECT username, old_data, new_data FROM app.audit_log WHERE table_name = 'login_settings'"
        " ORDER BY id DESC LIMIT 2"
    )
    assert audited[1]["username"] == "admin"
    assert audited[1]["new_data"] == {"memory_kib": 20480, "iterations": 3, "parallelism": 2}


async def _renew(stage: Stage, parallelism: int) -> None:
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = sha256($1) WHERE username = 'anna'", right
    )
    desk = await stage.desk("anna")
    await desk.connection.fetchval(
        "CALL app.renew_verifier($1, $2, 20480, 3, $3, $4, NULL)",
        right,
        bytes(16),
        parallelism,
        bytes(32),
    )
