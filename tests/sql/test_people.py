"""Users and their sessions: who may do what to whom, also two at the same moment and also as the owner."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db import errors
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import Parameters, login, read_challenge
from dpolg_tui.domain.errors import LoginFailed, SessionEnded
from tests.sql.stage import Desk, Stage, change, connected, new, open_session

pytestmark = pytest.mark.both_versions
ROUNDS = 15


async def user_id(stage: Stage, username: str) -> int:
    return int(await stage.superuser.fetchval("SELECT id FROM auth.users WHERE username = $1", username))


async def create(desk: Desk, **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = await desk.call(
        "create_user", uuid4(), new(**fields), os.urandom(16), 19456, 2, 1, os.urandom(32)
    )
    return answer


async def reset(desk: Desk, person: int) -> dict[str, Any]:
    answer: dict[str, Any] = await desk.call(
        "reset_password", uuid4(), person, os.urandom(16), 19456, 2, 1, os.urandom(32)
    )
    return answer


async def refused(call: Coroutine[Any, Any, object]) -> str:
    """The name of the rule that refuses a call, or its SQLSTATE; "done" if none does."""
    try:
        await call
    except asyncpg.PostgresError as error:
        return str(error.constraint_name or error.sqlstate)
    return "done"


async def second_admin(stage: Stage) -> Desk:
    await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'emil'")
    return await stage.desk("emil")


# -- accounts ------------------------------------------------------------------------------------


async def test_an_account_is_made_changed_and_listed(stage: Stage, admin: Desk) -> None:
    made = await create(admin, username=" zoë ", full_name="Zoë Öztürk", email="")
    assert made["outcome"] == "done"
    state = made["state"]
    assert (state["username"], state["email"], state["role"]) == ("zoë", None, "user")
    assert (state["must_change_password"], state["has_history"], state["open_sessions"]) == (True, False, 0)
    saved = await admin.save(
        "user", made["id"], {"email": change(None, "zoe@example.org"), "role": change("user", "admin")}
    )
    assert (saved["state"]["email"], saved["state"]["role"], saved["version"]) == (
        "zoe@example.org",
        "admin",
        2,
    )
    # A colleague changed another field meanwhile: both stand. The same one: before, mine, theirs.
    again = await admin.save("user", made["id"], {"full_name": change("Zoë Öztürk", "Zoë Ö.")})
    assert again["outcome"] == "done"
    conflict = await admin.save("user", made["id"], {"full_name": change("Zoë Öztürk", "Z. Ö.")})
    assert conflict["conflicts"] == {
        "full_name": {"before": "Zoë Öztürk", "mine": "Z. Ö.", "theirs": "Zoë Ö."}
    }
    assert conflict["changed_by"] == "Admin Beispiel"
    assert [row["username"] for row in await admin.rows("users")][-1] == "zoë"
    assert (await admin.save("user", 999, {"email": change(None, "x@y.z")}))["outcome"] == "missing"
    for field in ("verifier", "must_change_password", "version", "id"):
        with pytest.raises(asyncpg.UndefinedColumnError):
            await admin.save("user", made["id"], {field: change(None, "1")})
    logged = await stage.superuser.fetch(
        "SELECT username, new_data::text FROM app.audit_log WHERE table_name = 'users' AND record_id = $1",
        made["id"],
    )
    assert [row["username"] for row in logged] == ["admin"] * 3
    assert "zoe@example.org" in logged[1]["new_data"]
    verifier = await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE id = $1", made["id"])
    assert verifier.hex() not in "".join(row["new_data"] for row in logged)


async def test_the_same_request_makes_one_account(stage: Stage, admin: Desk) -> None:
    request, secret = uuid4(), (os.urandom(16), 19456, 2, 1, os.urandom(32))
    first = await admin.call("create_user", request, new(username="zoë"), *secret)
    assert await admin.call("create_user", request, new(username="zoë"), *secret) == first
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.call("create_user", request, new(username="zoë"), *secret[:-1], os.urandom(32))
    kept = await stage.superuser.fetchval("SELECT answer FROM app.requests WHERE id = $1", request)
    assert set(kept) == {"outcome", "id"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ÄNNE", "users_username_key"),
        (unicodedata.normalize("NFD", "Änne"), "users_username_key"),
        ("  änne\t ", "users_username_letters"),
        (" ÄNNE ", "users_username_key"),
        ("än\nne", "users_username_letters"),
        ("", "users_username_length"),
        ("x" * 51, "users_username_length"),
        (None, "23502"),
        ("ännchen", "done"),
    ],
)
async def test_names_are_unique_however_they_are_typed(
    stage: Stage, admin: Desk, name: str | None, rule: str
) -> None:
    assert await refused(create(admin, username="Änne")) == "done"
    anna = await user_id(stage, "anna")
    assert await refused(admin.save("user", anna, {"username": change("anna", name)})) == rule
    await stage.superuser.execute("UPDATE auth.users SET username = 'anna' WHERE id = $1", anna)
    assert await refused(create(admin, username=name)) == rule


async def test_somebody_typed_in_pieces_signs_in(stage: Stage, admin: Desk) -> None:
    """macOS may send letters in pieces: the same name, the same salt."""
    await create(admin, username="Änne")
    stranger = await stage.stranger()
    whole = await stranger.fetchval("SELECT app.login_challenge('änne')")
    pieces = unicodedata.normalize("NFD", "ÄNNE")
    assert await stranger.fetchval("SELECT app.login_challenge($1)", pieces) == whole
    assert await stranger.fetchval("SELECT app.login_challenge('annemarie')") != whole


async def test_who_left_traces_is_not_deleted(stage: Stage, admin: Desk, anna: Desk) -> None:
    fresh = (await create(admin, username="zoë"))["id"]
    # Somebody tried this name: no trace of the person.
    await stage.superuser.execute(
        "INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id)"
        " SELECT auth.name_hash('zoë'), $1, '192.0.2.1', sha256('x'), 'x'",
        fresh,
    )
    assert await refused(admin.delete("user", await user_id(stage, "anna"))) == "users_with_history"
    # Without any session left, the audit log still names her.
    await anna.save("guest", stage.guests[0], {"city": change("München", "Ulm")})
    await stage.superuser.execute("UPDATE app.guests SET updated_by = NULL")
    await stage.superuser.execute("DELETE FROM app.requests")
    await stage.superuser.execute(
        "DELETE FROM auth.sessions WHERE user_id = $1", await user_id(stage, "anna")
    )
    assert await refused(admin.delete("user", await user_id(stage, "anna"))) == "users_with_history"
    assert (await admin.delete("user", fresh))["outcome"] == "done"
    assert (await admin.delete("user", fresh))["outcome"] == "missing"
    async with connected(stage.database.owner_dsn) as owner:
        delete = owner.execute("DELETE FROM auth.users WHERE username = 'admin'")
        assert await refused(delete) == "users_with_history"


# -- roles ---------------------------------------------------------------------------------------


async def test_nobody_changes_his_own_role(stage: Stage, admin: Desk) -> None:
    await second_admin(stage)
    me = await user_id(stage, "admin")
    for changes in ({"role": change("admin", "user")}, {"active": change(True, False)}):
        assert await refused(admin.save("user", me, changes)) == "users_own_role"
    assert await refused(reset(admin, me)) == "users_own_password"
    assert await refused(admin.delete("user", me)) == "users_own_role"
    assert (await admin.save("user", me, {"full_name": change("Admin Beispiel", "Chefin")}))["version"] == 2


async def test_the_last_admin_stays_also_for_the_owner(stage: Stage) -> None:
    async with connected(stage.database.owner_dsn) as owner:
        for statement in (
            "UPDATE auth.users SET role = 'user' WHERE username = 'admin'",
            "UPDATE auth.users SET active = false WHERE username = 'admin'",
            "UPDATE auth.users SET role = 'user'",
            "DELETE FROM auth.users",
        ):
            assert await refused(owner.execute(statement)) == "users_last_admin", statement
        # A deactivated admin is none.
        await owner.execute(
            "UPDATE auth.users SET role = 'admin', active = false WHERE username IN ('ben', 'clara')"
        )
        demote = owner.execute("UPDATE auth.users SET role = 'user' WHERE username = 'admin'")
        assert await refused(demote) == "users_last_admin"
        await owner.execute("UPDATE auth.users SET active = true WHERE username = 'ben'")
        await owner.execute("UPDATE auth.users SET role = 'user' WHERE username = 'admin'")


Strike = Callable[[Desk, int], Coroutine[Any, Any, object]]
STRIKES: dict[str, Strike] = {
    "demote": lambda desk, victim: desk.save("user", victim, {"role": change("admin", "user")}),
    "deactivate": lambda desk, victim: desk.save("user", victim, {"active": change(True, False)}),
    "reset": reset,
}


@pytest.mark.parametrize("third", [False, True], ids=["two", "three"])
@pytest.mark.parametrize(
    ("one", "other"), [("demote", "demote"), ("deactivate", "demote"), ("reset", "demote")]
)
async def test_two_admins_against_each_other(stage: Stage, one: str, other: str, third: bool) -> None:
    """Exactly one wins, whoever comes first; nobody is shown a deadlock, and there is always an admin."""
    if third:
        await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'clara'")
    for number in range(ROUNDS):
        await stage.superuser.execute(
            "UPDATE auth.users SET role = 'admin', active = true, must_change_password = false"
            " WHERE username IN ('admin', 'emil')"
        )
        first, second = await stage.desk("admin"), await stage.desk("emil")
        strikes = [
            refused(STRIKES[one](first, await user_id(stage, "emil"))),
            refused(STRIKES[other](second, await user_id(stage, "admin"))),
        ]
        if number % 2:
            ended = list(reversed(await asyncio.gather(*reversed(strikes))))
        else:
            ended = list(await asyncio.gather(*strikes))
        assert ended.count("done") == 1, ended
        (loser,) = [outcome for outcome in ended if outcome != "done"]
        assert loser in {
            "session_role_changed",
            "session_deactivated",
            "session_password_reset",
            "users_last_admin",
        }
        admins = await stage.superuser.fetchval(
            "SELECT count(*) FROM auth.users WHERE role = 'admin' AND active"
        )
        assert admins >= 1
        first.connection.terminate()
        second.connection.terminate()


async def test_two_owners_against_each_other(stage: Stage) -> None:
    """Plain UPDATEs with psql, in both orders of rows, also in a transaction that saw both as admins."""
    async with connected(stage.database.owner_dsn) as one, connected(stage.database.owner_dsn) as two:
        for number in range(ROUNDS):
            await stage.superuser.execute(
                "UPDATE auth.users SET role = 'admin' WHERE username IN ('admin', 'emil')"
            )
            level = "REPEATABLE READ" if number % 3 == 2 else "READ COMMITTED"

            async def demote(
                connection: asyncpg.Connection, name: str, other: str, level: str = level
            ) -> object:
                await connection.execute(f"BEGIN ISOLATION LEVEL {level}")
                try:
                    await connection.execute("SELECT count(*) FROM auth.users")
                    for victim in (name, other):
                        await connection.execute(
                            "UPDATE auth.users SET role = 'user' WHERE username = $1", victim
                        )
                finally:
                    await connection.execute("ROLLBACK")
                return None

            async def demote_one(connection: asyncpg.Connection, name: str, level: str = level) -> object:
                await connection.execute(f"BEGIN ISOLATION LEVEL {level}")
                try:
                    await connection.execute("SELECT count(*) FROM auth.users")
                    await connection.execute("UPDATE auth.users SET role = 'user' WHERE username = $1", name)
                except asyncpg.PostgresError:
                    await connection.execute("ROLLBACK")
                    raise
                return await connection.execute("COMMIT")

            both = await asyncio.gather(
                refused(demote(one, "admin", "emil")), refused(demote(two, "emil", "admin"))
            )
            assert set(both) <= {"users_last_admin", "40001"}
            ended = await asyncio.gather(refused(demote_one(one, "admin")), refused(demote_one(two, "emil")))
            assert ended.count("done") == 1, ended
            assert set(ended) <= {"done", "users_last_admin", "40001"}
            assert await stage.superuser.fetchval("SELECT count(*) FROM auth.users WHERE role = 'admin'") == 1


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


# -- rights --------------------------------------------------------------------------------------


async def test_users_book_but_set_no_prices(stage: Stage, anna: Desk, admin: Desk) -> None:
    room = stage.rooms[0]
    for changes in (
        {"price_low": change("40.00", "1.00")},
        {"price_high": change("50.00", "50.00")},
        {"final_cleaning_fee": change("0.00", "1.00"), "name": change("1", "eins")},
        {"key_code": change(None, "0000")},
    ):
        assert await refused(anna.save("room", room, changes)) == "42501"
        answer = await admin.save("room", room, changes)
        assert answer["outcome"] == "done"
    made = new(name="99", category="EZ", place="Fall", capacity=1)
    assert await refused(anna.save("room", None, made)) == "42501"
    assert (await admin.save("room", None, made))["outcome"] == "done"
    assert (await anna.save("room", room, {"notes": change(None, "Südseite")}))["outcome"] == "done"


async def test_what_admins_may_delete(stage: Stage, admin: Desk, anna: Desk) -> None:
    guest = (await anna.save("guest", None, new(last_name="Fort")))["id"]
    await stage.superuser.execute(
        "INSERT INTO app.companions (guest_id, last_name) VALUES ($1, 'Kind')", guest
    )
    room = (await admin.save("room", None, new(name="98", category="EZ", place="Fall", capacity=1)))["id"]
    await stage.superuser.execute(
        "INSERT INTO app.room_prices (room_id, valid_from, price_low, price_high, final_cleaning_fee)"
        " VALUES ($1, '2031-01-01', 1, 2, 3)",
        room,
    )
    booked = await anna.book(guest, {"room_id": room, "arrival": "2030-03-01", "departure": "2030-03-02"})
    for kind, record in (("guest", guest), ("room", room), ("booking", booked["id"])):
        assert await refused(anna.delete(kind, record)) == "42501"
    assert await refused(admin.delete("guest", guest)) == "bookings_guest_id_fkey"
    assert await refused(admin.delete("room", room)) == "occupancies_room_id_fkey"
    for kind, record in (("booking", booked["id"]), ("guest", guest), ("room", room)):
        assert (await admin.delete(kind, record))["outcome"] == "done"
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.companions") == 0


async def test_a_place_is_told_once_and_never_for_somebody_else(stage: Stage, anna: Desk, ben: Desk) -> None:
    heard: list[str] = []
    listener = await stage.stranger()
    await listener.add_listener("presence", lambda _c, _p, _ch, payload: heard.append(payload))
    for _ in range(3):
        await anna.call("here", "Buchung", 4)
    await ben.call("here", "Gäste", None)
    assert await refused(ben.call("here", "x" * 61, None)) == "sessions_screen_length"
    await listener.execute("SELECT 1")
    desks = [row["desk"] for row in (await anna.heartbeat())["present"]]
    assert heard == [
        f"sessions:{await user_id(stage, 'anna')}:{desks[0]}",
        f"sessions:{await user_id(stage, 'ben')}:{desks[1]}",
    ]
    # Unlocking is a new session: where it is, the desk tells again.
    token = await open_session(stage.superuser, "anna")
    async with connected(stage.database.dsn, token) as again:
        answer = await again.fetchval("SELECT app.heartbeat(NULL)")
    assert [row["screen"] for row in answer["present"]] == ["Buchung", None, "Gäste"]
