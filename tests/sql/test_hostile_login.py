"""Around the login: guesses, their counting, and what may be undone by whom."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator

import asyncpg
import pytest

from tests.databases import TestDatabase
from tests.sql.stage import Desk, Stage, connect, connected

pytestmark = pytest.mark.both_versions


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
