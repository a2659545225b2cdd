"""Whoever holds config.toml can connect as booking_user: what he tries is refused or harmless."""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db import sql_files
from dpolg_tui.db.connection import Database, token_hash
from dpolg_tui.db.live import Live, LiveUpdate
from tests.databases import TestDatabase
from tests.db.waiting import until
from tests.sql.hostile import GROUPS, HARMLESS
from tests.sql.stage import Desk, Stage, change, connect, connected, open_session, stay

pytestmark = pytest.mark.both_versions


@dataclass
class Scene:
    """The shared house with one booking of a colleague, who stays connected."""

    stage: Stage
    colleague: Desk
    booking: int
    values: dict[str, object]
    tables: list[str]

    async def fingerprint(self) -> dict[str, str]:
        query = " UNION ALL ".join(
            f"SELECT '{table}', md5(coalesce(string_agg((to_jsonb(t) - 'last_seen')::text, '|' ORDER BY"
            f" to_jsonb(t)::text), '')) FROM {table} t"
            for table in self.tables
            if table != "auth.attempts"
        )
        return dict(await self.stage.superuser.fetch(query))


@pytest.fixture
async def scene(common: Stage) -> Scene:
    colleague = await common.desk("clara")
    found = await common.superuser.fetchval("SELECT min(id) FROM app.bookings")
    if found is None:
        answer = await colleague.book(common.guests[0], stay(common.rooms[0], 0, 3))
        found = answer["id"]
        await common.superuser.execute("ANALYZE")
    tables = await common.superuser.fetch(
        "SELECT c.oid::regclass::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('app', 'auth') AND c.relkind = 'r' ORDER BY 1"
    )
    values = {
        "room": common.rooms[0],
        "guest": common.guests[0],
        "booking": found,
        "pid": colleague.connection.get_server_pid(),
        "hash": token_hash(colleague.token).hex(),
        "database": common.database.name,
    }
    return Scene(common, colleague, found, values, [row["name"] for row in tables])


async def _first_failure(connection: asyncpg.Connection, statements: list[str]) -> str:
    for statement in statements:
        try:
            async with asyncio.timeout(5):
                await connection.execute(statement)
        except asyncpg.PostgresError as error:
            return str(error.sqlstate)
    return HARMLESS


def test_the_table_is_long_enough() -> None:
    names = [hostile.name for group in GROUPS.values() for hostile in group]
    assert len(names) >= 100
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "user"])
@pytest.mark.parametrize("group", GROUPS)
async def test_refused_or_harmless(scene: Scene, group: str, signed_in: bool) -> None:
    token = await open_session(scene.stage.superuser, "emil") if signed_in else None
    before = await scene.fingerprint()
    surprises = {}
    async with connected(scene.stage.database.dsn, token) as thief:
        for hostile in GROUPS[group]:
            statements = [statement.format_map(scene.values) for statement in hostile.statements]
            outcome = await _first_failure(thief, statements)
            if outcome != ((hostile.signed_in if signed_in else None) or hostile.expected):
                surprises[hostile.name] = outcome
            # While he still holds what he has, the colleague works on.
            async with asyncio.timeout(3):
                assert (await scene.colleague.booking(scene.booking))["id"] == scene.booking, hostile.name
            await thief.execute("ROLLBACK")
            await thief.execute("RESET ALL")
            assert await scene.fingerprint() == before, hostile.name
    assert surprises == {}
    async with connected(scene.stage.database.dsn) as another:
        assert await another.fetchval("SELECT app.hello() ->> 'schema_version'")
    assert await scene.stage.superuser.fetch(sql_files.read("checks.sql")) == []


@pytest.mark.parametrize("signed_in", [False, True], ids=["stranger", "user"])
async def test_no_verb_works_on_any_table(scene: Scene, signed_in: bool) -> None:
    token = await open_session(scene.stage.superuser, "emil") if signed_in else None
    outcomes = {}
    async with connected(scene.stage.database.dsn, token) as thief:
        for table in scene.tables:
            column = await scene.stage.superuser.fetchval(
                "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0"
                " AND attidentity = '' AND attgenerated = '' LIMIT 1",
                table,
            )
            for statement in (
                f"SELECT * FROM {table}",
                f"SELECT FROM {table}",
                f"INSERT INTO {table} DEFAULT VALUES",
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
                f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
                f"COPY {table} TO STDOUT",
                f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE",
                f"GRANT ALL ON {table} TO PUBLIC",
            ):
                outcomes[statement] = await _first_failure(thief, ["BEGIN", statement])
                await thief.execute("ROLLBACK")
    assert len(outcomes) >= 120
    assert {statement: state for statement, state in outcomes.items() if state != "42501"} == {}


# -- with a login of his own ---------------------------------------------------------------------


async def test_deferred_constraints_do_not_let_a_room_be_taken_twice(stage: Stage, anna: Desk) -> None:
    await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
    for mode, other in (("ALL", stage.rooms[1]), ("app.occupancies_no_overlap", stage.rooms[2])):
        await anna.connection.execute(f"BEGIN; SET CONSTRAINTS {mode} DEFERRED")
        answer = await anna.book(stage.guests[1], stay(stage.rooms[0], 2, 4))
        assert answer["outcome"] == "taken"
        block = await anna.save(
            "block",
            None,
            {"stay": change(None, stay(stage.rooms[0], 1, 2)), "kind": change(None, "house_use")},
        )
        assert block["outcome"] == "taken"
        free = await anna.book(stage.guests[1], stay(other, 2, 4))
        assert free["outcome"] == "done"
        await anna.connection.execute("COMMIT")
    overlaps = await stage.superuser.fetchval(
        "SELECT count(*) FROM app.occupancies a JOIN app.occupancies b ON a.id < b.id"
        " AND a.room_id = b.room_id AND a.arrival < b.departure AND b.arrival < a.departure"
    )
    assert overlaps == 0


async def test_audit_can_be_neither_silenced_nor_forged(stage: Stage, anna: Desk) -> None:
    await anna.connection.execute("SET app.bulk = 'on'; SET app.actor = 'admin'; SET app.client = 'x'")
    answer = await anna.save("guest", None, {"last_name": change(None, "Still")})
    await anna.save("guest", answer["id"], {"city": change(None, "Fall")})
    rows = await stage.superuser.fetch(
        "SELECT operation, username, user_id IS NOT NULL FROM app.audit_log"
        " WHERE table_name = 'guests' AND record_id = $1 ORDER BY id",
        answer["id"],
    )
    assert [tuple(row) for row in rows] == [("INSERT", "anna", True), ("UPDATE", "anna", True)]
    fed = await stage.superuser.fetchval(
        "SELECT count(*) FROM app.change_feed WHERE table_name = 'guests' AND record_id = $1", answer["id"]
    )
    assert fed == 2
    stamps = await stage.superuser.fetchrow(
        "SELECT u.username, g.version FROM app.guests g JOIN auth.users u ON u.id = g.updated_by"
        " WHERE g.id = $1",
        answer["id"],
    )
    assert tuple(stamps) == ("anna", 2)


async def test_audit_log_is_append_only_even_for_its_owner(stage: Stage) -> None:
    async with connected(stage.database.owner_dsn) as owner:
        for statement in (
            "UPDATE app.audit_log SET username = 'x'",
            "DELETE FROM app.audit_log",
            "TRUNCATE app.audit_log",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await owner.execute(statement)


async def test_a_request_id_belongs_to_whom_it_answered(stage: Stage, anna: Desk, ben: Desk) -> None:
    request = uuid4()
    changes = {"last_name": change(None, "Einmal")}
    answer = await anna.save("guest", None, changes, request=request)
    assert await anna.save("guest", None, changes, request=request) == answer
    # A colleague learns nothing by it, nor does the owner by other arguments or another function.
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await ben.save("guest", None, changes, request=request)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.save("guest", None, {"last_name": change(None, "Zweimal")}, request=request)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.save("guest", answer["id"], changes, request=request)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.save("room", None, changes, request=request)
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.guests WHERE last_name LIKE '%mal'") == 1


async def test_key_codes_are_told_to_nobody(stage: Stage, anna: Desk, admin: Desk) -> None:
    room = stage.rooms[0]
    told = [
        await admin.save("room", room, {"key_code": change(None, "geheim-neu")}),
        await anna.save("room", room, {"notes": change(None, "Fenster klemmt")}),
        await anna.save("room", room, {"notes": change("x", "y")}),
        await anna.rows("rooms"),
        await anna.rows("history", "rooms", room, 100),
        await admin.rows("history", "rooms", room, 100),
    ]
    assert "geheim" not in repr(told)
    assert told[0]["state"]["has_key_code"] is True
    stored = await stage.superuser.fetchval(
        "SELECT string_agg(a::text, ' ') || (SELECT string_agg(r::text, ' ') FROM app.requests r)"
        "  FROM app.audit_log a"
    )
    assert "geheim" not in stored
    assert "***" in stored
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await anna.save("room", None, {"key_code": change(None, "x"), "name": change(None, "x")})


async def test_forged_notifications_cost_few_queries_and_change_nothing(stage: Stage) -> None:
    token = await open_session(stage.superuser, "anna")
    database = Database(database_from_dsn(stage.database.dsn))
    database.token = token
    updates: list[LiveUpdate] = []
    live = Live(database, updates.append, lambda _state: None)
    queries = 0
    ask = live._ask

    async def counted(*arguments: object) -> None:
        nonlocal queries
        queries += 1
        await ask(*arguments)

    live._ask = counted  # type: ignore[method-assign]
    live.start()
    try:
        await until(lambda: bool(updates))
        assert updates.pop().reload
        queries = 0
        forger = await stage.stranger()
        for number in range(400):
            await forger.execute(f"NOTIFY booking, 'bookings:{number}:forged'; NOTIFY presence, 'reload:0:'")
        await forger.execute("NOTIFY room, '[/b]{}'; NOTIFY guest, ''")
        await asyncio.sleep(0.2)
        assert 1 <= queries <= 40, "one for the first hint, then one for each window of 50 ms"
        assert updates == []
    finally:
        await live.stop()
        await database.close()


# -- around the login ----------------------------------------------------------------------------


class Burglar:
    """Signs in with tags instead of passwords: what argon2 makes of them does not matter here."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self.connection = connection
        self.right = os.urandom(32)
        self.token = os.urandom(32)

    async def attempt(self, tag: bytes | None = None, *, token: bytes | None = None) -> int:
        found: int = await self.connection.fetchval(
            "SELECT app.login_attempt('anna', $1, $2, 'burglar')", tag or os.urandom(32), token or self.token
        )
        return found

    async def result(self, attempt: int, *, token: bytes | None = None) -> str | None:
        answer = await self.connection.fetchval(
            "SELECT app.login_result($1, $2)", attempt, token or self.token
        )
        return None if answer is None else str(answer["outcome"])

    async def login(self, tag: bytes | None = None) -> str:
        answer = await self.connection.fetchval(
            "CALL app.login('anna', $1, $2, 'burglar', NULL)", tag or os.urandom(32), os.urandom(32)
        )
        return str(answer["outcome"])


@pytest.fixture
async def burglar(common_database: TestDatabase) -> AsyncIterator[Burglar]:
    connection = await connect(common_database.dsn)
    burglar = Burglar(connection)
    async with connected(common_database.superuser_dsn) as superuser:
        await superuser.execute("DELETE FROM auth.attempts")
        await superuser.execute("DELETE FROM auth.sessions")
        await superuser.execute(
            "UPDATE auth.users SET verifier = $1 WHERE username = 'anna'",
            hashlib.sha256(burglar.right).digest(),
        )
    yield burglar
    connection.terminate()


async def _sessions(common_database: TestDatabase) -> int:
    async with connected(common_database.superuser_dsn) as superuser:
        found: int = await superuser.fetchval("SELECT count(*) FROM auth.sessions")
        return found


async def test_right_and_wrong(burglar: Burglar, common_database: TestDatabase) -> None:
    assert await burglar.login() == "failed"
    assert await burglar.login(burglar.right) == "ok"
    assert await _sessions(common_database) == 1


async def test_after_five_failures_the_right_password_fails_too(
    burglar: Burglar, common_database: TestDatabase
) -> None:
    assert [await burglar.login() for _ in range(5)] == ["failed"] * 5
    assert await burglar.login(burglar.right) == "failed"
    assert await _sessions(common_database) == 0
    async with connected(common_database.superuser_dsn) as superuser:
        await superuser.execute("UPDATE auth.attempts SET at = at - interval '10 minutes'")
    assert await burglar.login(burglar.right) == "ok"


async def test_four_failures_are_forgiven_after_a_success(burglar: Burglar) -> None:
    for _ in range(2):
        assert [await burglar.login() for _ in range(4)] == ["failed"] * 4
        assert await burglar.login(burglar.right) == "ok"


@pytest.mark.parametrize(
    "wrapping",
    [
        "BEGIN; {call}; ROLLBACK",
        "BEGIN; SAVEPOINT s; {call}; ROLLBACK TO s; ROLLBACK",
        "{call}; SELECT 1 / 0",
        "BEGIN ISOLATION LEVEL SERIALIZABLE; {call}; ROLLBACK",
        "DO $block$ BEGIN {call}; RAISE EXCEPTION 'forget it'; END $block$",
        "BEGIN; DO $block$ DECLARE a jsonb; BEGIN CALL app.login('anna', {tag}, sha256('t'), 'x', a);"
        " END $block$; ROLLBACK",
    ],
)
async def test_no_transaction_around_the_login_tells_anything(
    burglar: Burglar, common_database: TestDatabase, wrapping: str
) -> None:
    tag = f"'\\x{burglar.right.hex()}'"
    call = f"CALL app.login('anna', {tag}, sha256('t'), 'x', NULL)"
    told: list[str] = []
    burglar.connection.add_log_listener(lambda _connection, message: told.append(str(message)))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await burglar.connection.execute(wrapping.format(call=call, tag=tag))
    assert refused.value.sqlstate in ("2D000", "42601", "22012", "P0001")
    assert told == []
    await burglar.connection.execute("ROLLBACK")
    assert await _sessions(common_database) == 0


async def test_a_result_that_is_rolled_back_still_counts(
    burglar: Burglar, common_database: TestDatabase
) -> None:
    outcomes = []
    for _ in range(8):
        attempt = await burglar.attempt()
        await burglar.connection.execute("BEGIN")
        outcomes.append(await burglar.result(attempt))
        await burglar.connection.execute("ROLLBACK")
    assert outcomes == ["failed"] * 8
    assert await burglar.login(burglar.right) == "failed"
    assert await _sessions(common_database) == 0


async def test_an_attempt_is_judged_only_after_its_commit_once_and_by_who_made_it(burglar: Burglar) -> None:
    await burglar.connection.execute("BEGIN")
    attempt = await burglar.attempt(burglar.right)
    assert await burglar.result(attempt) is None
    await burglar.connection.execute("SAVEPOINT s")
    assert await burglar.result(await burglar.attempt(burglar.right)) is None
    await burglar.connection.execute("ROLLBACK")
    assert await burglar.result(attempt) is None, "it was never committed"
    attempt = await burglar.attempt(burglar.right)
    assert await burglar.result(attempt, token=os.urandom(32)) is None
    assert await burglar.result(attempt) == "ok"
    assert await burglar.result(attempt) is None


async def test_an_old_attempt_is_not_judged(burglar: Burglar, common_database: TestDatabase) -> None:
    attempt = await burglar.attempt(burglar.right)
    async with connected(common_database.superuser_dsn) as superuser:
        await superuser.execute("UPDATE auth.attempts SET at = at - interval '31 seconds'")
    assert await burglar.result(attempt) is None


async def test_a_recorded_login_cannot_be_replayed(burglar: Burglar, common_database: TestDatabase) -> None:
    """The token's hash is part of it, and names one session for ever."""
    replay = ("CALL app.login('anna', $1, $2, 'burglar', NULL)", burglar.right, burglar.token)
    assert (await burglar.connection.fetchval(*replay))["outcome"] == "ok"
    with pytest.raises(asyncpg.UniqueViolationError):
        await burglar.connection.fetchval(*replay)
    assert await _sessions(common_database) == 1


@pytest.mark.parametrize("order", ["as written", "backwards", "written first, judged at last"])
async def test_failures_count_in_any_order_of_commits(
    burglar: Burglar, common_database: TestDatabase, order: str
) -> None:
    """Guesses prepared in open transactions: at most five are judged, whichever is committed first."""
    waiting = [await connect(common_database.dsn) for _ in range(9)]
    burglars = []
    for number, connection in enumerate(waiting):
        another = Burglar(connection)
        await connection.execute("BEGIN")
        # The right guess is the sixth, in each order.
        right = number == (3 if order == "backwards" else 5)
        burglars.append((another, await another.attempt(burglar.right if right else None)))
    if order == "backwards":
        burglars.reverse()
    outcomes = []
    if order.endswith("last"):
        for another, _attempt in burglars:
            await another.connection.execute("COMMIT")
    for another, attempt in burglars:
        if not order.endswith("last"):
            await another.connection.execute("COMMIT")
        outcomes.append(await another.result(attempt))
    for connection in waiting:
        connection.terminate()
    assert outcomes == ["failed"] * 9
    assert await _sessions(common_database) == 0


async def test_guesses_saved_for_after_a_colleagues_login(
    burglar: Burglar, common_database: TestDatabase
) -> None:
    """A success forgives what went before it: it must not free guesses that wait to be judged."""
    guesses = [await burglar.attempt() for _ in range(10)]
    guesses.append(await burglar.attempt(burglar.right))
    async with connected(common_database.superuser_dsn) as superuser:
        # Anna herself, from the same address: written as her login would have been.
        await superuser.execute(
            "INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id, judged,"
            " succeeded) SELECT name_hash, user_id, address, sha256('anna'), 'desk', true, true"
            " FROM auth.attempts LIMIT 1"
        )
    assert {await burglar.result(guess) for guess in guesses} == {"failed"}
    assert await _sessions(common_database) == 0


async def test_a_flood_locks_out_only_itself(burglar: Burglar, common_database: TestDatabase) -> None:
    """Thirty failures from elsewhere lock the name, but not where its owner signed in lately."""
    async with connected(common_database.superuser_dsn) as superuser:
        flood = (
            "INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id, judged)"
            " SELECT auth.name_hash('anna'), u.id, ('10.0.0.' || n)::inet, sha256('x'), 'flood', true"
            " FROM auth.users u, generate_series(1, 31) n WHERE u.username = 'anna'"
        )
        await superuser.execute(flood)
        assert await burglar.login(burglar.right) == "failed", "never seen here"
        await superuser.execute("DELETE FROM auth.attempts")
        assert await burglar.login(burglar.right) == "ok"
        await superuser.execute(flood)
        assert await burglar.login(burglar.right) == "ok"
        flooding = await superuser.fetchval(
            "SELECT auth.is_locked(a) FROM auth.attempts a WHERE a.client_id = 'flood' LIMIT 1"
        )
        assert flooding


async def test_wrong_unknown_and_locked_look_the_same(burglar: Burglar) -> None:
    async def answer(name: str) -> dict[str, object]:
        found: dict[str, object] = await burglar.connection.fetchval(
            "CALL app.login($1, $2, $3, 'burglar', NULL)", name, os.urandom(32), os.urandom(32)
        )
        return found

    assert await answer("anna") == await answer("nobody") == {"outcome": "failed"}
    for _ in range(6):
        assert await answer("nobody") == {"outcome": "failed"}
    assert await answer("Passwort!123") == {"outcome": "failed"}


async def test_what_is_typed_for_a_name_is_not_kept(burglar: Burglar, common_database: TestDatabase) -> None:
    await burglar.connection.fetchval(
        "CALL app.login('Passwort!123', $1, $2, 'burglar', NULL)", os.urandom(32), os.urandom(32)
    )
    async with connected(common_database.superuser_dsn) as superuser:
        row = await superuser.fetchval("SELECT a::text FROM auth.attempts a")
    assert "Passwort" not in row


async def test_what_a_role_may_always_do_to_itself(common: Stage) -> None:
    """PostgreSQL has no privilege for it: whoever holds config.toml can lock out who connects anew.

    Settings are found by checks.sql and taken back by hardening.sql; a password only the owner can set again.
    """
    stranger = await common.stranger()
    here = f'IN DATABASE "{common.database.name}"'
    for statement in (
        "ALTER ROLE booking_user PASSWORD 'x'",
        f"ALTER ROLE booking_user {here} SET default_transaction_read_only = on",
    ):
        await stranger.execute("BEGIN")
        await stranger.execute(statement)
        await stranger.execute("ROLLBACK")


async def test_no_old_password_no_new_one(stage: Stage, anna: Desk) -> None:
    """NULL compares with nothing: it must not pass for the right one."""
    before = await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE username = 'anna'")
    for old in (None, b""):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await anna.change_password(old)
    assert await anna.change_password(os.urandom(32)) == {"outcome": "failed"}
    assert before == await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE username = 'anna'")


async def test_five_wrong_old_passwords_end_the_session(anna: Desk) -> None:
    for _ in range(5):
        await anna.change_password(os.urandom(32))
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError) as ended:
        await anna.heartbeat()
    assert ended.value.constraint_name == "session_wrong_passwords"


async def test_a_rollback_does_not_give_more_guesses(stage: Stage, anna: Desk) -> None:
    """A hijacked session: written down and judged apart, with each judgement taken back."""
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1 WHERE username = 'anna'", hashlib.sha256(right).digest()
    )
    judge = "SELECT app.password_result($1, $2, 19456, 2, 1, $3, false)"
    for _ in range(5):
        attempt = await anna.call("password_attempt", os.urandom(32))
        await anna.connection.execute("BEGIN")
        answer = await anna.connection.fetchval(judge, attempt, bytes(16), bytes(32))
        assert answer == {"outcome": "failed"}
        await anna.connection.execute("ROLLBACK")
    attempt = await anna.call("password_attempt", right)
    answer = await anna.connection.fetchval(judge, attempt, bytes(16), bytes(32))
    assert answer == {"outcome": "failed"}
    # In one transaction an attempt is not judged at all; nor is somebody else's, nor one of a login.
    again = await stage.desk("anna")
    await again.connection.execute("BEGIN")
    attempt = await again.call("password_attempt", right)
    assert await again.connection.fetchval(judge, attempt, bytes(16), bytes(32)) is None
    await again.connection.execute("ROLLBACK")
    attempt = await again.call("password_attempt", right)
    ben = await stage.desk("ben")
    assert await ben.connection.fetchval(judge, attempt, bytes(16), bytes(32)) is None
    assert (await again.connection.fetchval(judge, attempt, bytes(16), bytes(32)))["outcome"] == "done"
