"""Somebody with psql and a user's password who goes about it in several steps: nothing comes of it."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.db.connection import token_hash
from tests.databases import Server
from tests.sql.stage import Desk, Stage, change, connect, connected, new, open_session, stay

pytestmark = pytest.mark.both_versions

SALT = "substr(sha256('s'), 1, 16)"
PASSWORD = (bytes(16), 19456, 2, 1, bytes(32))
ENDED = asyncpg.InvalidAuthorizationSpecificationError
TOO_LONG = asyncpg.InvalidTransactionStateError


# -- after the end -------------------------------------------------------------------------------


@pytest.mark.parametrize("begin", ["BEGIN", "BEGIN ISOLATION LEVEL REPEATABLE READ", "BEGIN READ ONLY"])
async def test_an_open_transaction_does_not_outlive_its_session(stage: Stage, anna: Desk, begin: str) -> None:
    """Opened and used before the deactivation, it would see and write as if nothing had happened."""
    await anna.connection.execute(begin)
    await anna.connection.fetch("SELECT 1 FROM pg_catalog.pg_class LIMIT 1")
    if "READ" not in begin:
        await anna.rows("rooms")
    await stage.superuser.execute("UPDATE auth.users SET active = false WHERE username = 'anna'")
    with pytest.raises((ENDED, TOO_LONG)):
        await anna.save("guest", None, new(last_name="Nachher"))
    await anna.connection.execute("ROLLBACK")
    for function in ("rooms", "colleagues"):
        with pytest.raises(ENDED):
            await anna.rows(function)
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.guests WHERE last_name = 'Nachher'") == 0


async def test_a_demoted_admin_makes_no_other_admin(stage: Stage) -> None:
    await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'emil'")
    emil = await stage.desk("emil")
    await emil.connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
    await emil.connection.fetch("SELECT 1 FROM pg_catalog.pg_class LIMIT 1")
    await stage.superuser.execute("UPDATE auth.users SET role = 'user' WHERE username = 'emil'")
    with pytest.raises(TOO_LONG):
        await emil.call("create_user", uuid4(), new(username="evil", role="admin"), *PASSWORD)
    await emil.connection.execute("ROLLBACK")
    again = await stage.desk("emil")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await again.call("create_user", uuid4(), new(username="evil", role="admin"), *PASSWORD)
    assert await stage.superuser.fetchval("SELECT count(*) FROM auth.users WHERE role = 'admin'") == 1


async def test_one_endless_statement_ends_with_its_session(stage: Stage, anna: Desk) -> None:
    """Within it statement_timestamp() stands still, and a block may even commit: the clock decides."""
    # Older than twelve hours in a moment: the statement begins before, and asks after it.
    await stage.superuser.execute(
        "UPDATE auth.sessions SET created_at = clock_timestamp() - interval '12 hours' + interval '1 second'"
        " WHERE token_hash = $1",
        token_hash(anna.token),
    )
    for body in ("PERFORM app.heartbeat(NULL);", "PERFORM app.heartbeat(NULL); COMMIT;"):
        with pytest.raises(ENDED):
            await anna.connection.execute(f"DO $$ BEGIN LOOP {body} END LOOP; END $$", timeout=9)


async def test_nothing_is_dated_back(stage: Stage, anna: Desk) -> None:
    """now() is the beginning of the transaction: an old one would stamp with its own time."""
    query = "SELECT pg_get_functiondef('auth.session_of_token()'::regprocedure)"
    source = await stage.superuser.fetchval(query)
    shortened = source.replace("interval '1 minute'", "interval '0.2 seconds'")
    assert shortened != source
    await stage.superuser.execute(shortened)
    await anna.connection.execute("BEGIN")
    await asyncio.sleep(0.3)
    with pytest.raises(TOO_LONG):
        await anna.save("guest", None, new(last_name="Gestern"))
    await anna.connection.execute("ROLLBACK")
    answer = await anna.save("guest", None, new(last_name="Heute"))
    age = await stage.superuser.fetchval(
        "SELECT clock_timestamp() - created_at FROM app.guests WHERE id = $1", answer["id"]
    )
    assert age < timedelta(seconds=30)


@pytest.mark.parametrize(
    "spoil", ["created_at = now() - interval '13 hours'", "last_seen = now() - interval '1 hour'"]
)
async def test_no_call_revives_a_session(stage: Stage, anna: Desk, spoil: str) -> None:
    await stage.superuser.execute(
        f"UPDATE auth.sessions SET {spoil} WHERE token_hash = $1", token_hash(anna.token)
    )
    before = await stage.superuser.fetch("SELECT s.* FROM auth.sessions s")
    for call in (
        "heartbeat(NULL)",
        "here('Plan', NULL)",
        "logout()",
        "password_attempt(sha256('x'))",
        "rooms()",
    ):
        with pytest.raises(ENDED):
            await anna.connection.fetch(f"SELECT app.{call}")
    # Nor does a sign-in with the old token: it names one session for ever.
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1 WHERE username = 'anna'", hashlib.sha256(right).digest()
    )
    login = "CALL app.login('anna', $1, $2, 'x', NULL)"
    with pytest.raises(asyncpg.UniqueViolationError):
        await anna.connection.fetchval(login, right, token_hash(anna.token))
    assert await stage.superuser.fetch("SELECT s.* FROM auth.sessions s") == before


# -- secrets by detours --------------------------------------------------------------------------


async def test_plans_do_not_show_what_is_in_the_rows(stage: Stage, anna: Desk) -> None:
    """debug_print_plan is everybody's to set, and its plans hold the values of a function's variables."""
    told: list[str] = []
    stranger = await stage.stranger()
    for connection in (anna.connection, stranger):
        connection.add_log_listener(lambda _connection, message: told.append(repr(message.as_dict())))
        await connection.execute(
            "SET client_min_messages = 'debug5'; SET debug_print_plan = on; SET debug_print_rewritten = on;"
            " SET debug_print_parse = on; SET debug_pretty_print = off"
        )
    secret = " ".join(str(byte) for byte in b"geheim-1")
    await stranger.fetchval("SELECT 'geheim-1'::text")
    assert secret in "".join(told), "this is how it would look"
    told.clear()
    await anna.save("room", stage.rooms[0], {"notes": change(None, "x")})
    await anna.rows("rooms")
    await anna.rows("history", "rooms", stage.rooms[0], 10)
    salt = bytes.fromhex((await stranger.fetchval("SELECT app.login_challenge('nobody')"))["salt"])
    everything = "".join(told)
    assert everything
    assert secret not in everything
    assert " ".join(str(byte - 256 if byte > 127 else byte) for byte in salt) not in everything


async def test_errors_do_not_show_rows(stage: Stage, anna: Desk) -> None:
    """A constraint's DETAIL would quote the failing row, key code and all: row security keeps it back."""
    room = stage.rooms[0]
    for changes in (
        {"capacity": change(1, -1)},
        {"name": change("1", "2")},
        {"retired_from": change(None, "20000-01-01")},
        {"notes": change(None, "x" * 20_000)},
    ):
        with pytest.raises(asyncpg.IntegrityConstraintViolationError) as refused:
            await anna.save("room", room, changes)
        assert refused.value.detail is None
        assert "geheim" not in repr(refused.value.as_dict())


async def _work(connection: asyncpg.Connection, statement: str, *, times: int = 6) -> tuple[int, ...]:
    """The least of some runs: pages touched, records and bytes written."""
    runs = []
    for _ in range(times):
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, BUFFERS, WAL, FORMAT JSON) {statement}")
        plan = json.loads(told)[0]["Plan"]
        pages = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] + plan["Local Hit Blocks"]
        runs.append((pages, plan["WAL Records"], plan["WAL Bytes"]))
    return tuple(min(values) for values in zip(*runs, strict=True))


@pytest.mark.parametrize("seqscan", ["on", "off"])
async def test_the_same_work_for_known_and_unknown_names(stage: Stage, seqscan: str) -> None:
    """Not the time is compared but what takes it: a stranger may even have it shown."""
    await stage.superuser.execute(
        "INSERT INTO auth.users (username, salt, verifier, memory_kib, iterations, parallelism)"
        " SELECT 'filler' || n, substr(sha256('s'), 1, 16), sha256('v'), 19456, 2, 1"
        "  FROM generate_series(1, 500) n"
    )
    await stage.superuser.execute("VACUUM ANALYZE auth.users")
    stranger = await stage.stranger()
    await stranger.execute(f"SET enable_seqscan = {seqscan}")
    works: dict[str, dict[str, tuple[int, ...]]] = {}
    # The first one only warms up.
    for name in ("warm", "nobody", "filler9", "nobodyelse", "anna", "filler499", "unknown"):
        attempt = f"SELECT app.login_attempt('{name}', sha256('x'), sha256('t'), 'x')"
        # Else each name would find its attempts on other pages.
        await stage.superuser.execute("TRUNCATE auth.attempts")
        works[name] = {
            "challenge": await _work(stranger, f"SELECT app.login_challenge('{name}')"),
            "attempt": await _work(stranger, attempt),
            "result": await _judged(stranger, attempt),
        }
    del works["warm"]
    for step in ("challenge", "attempt", "result"):
        assert len({work[step] for work in works.values()}) == 1, {
            name: work[step] for name, work in works.items()
        }


async def _judged(stranger: asyncpg.Connection, attempt: str) -> tuple[int, ...]:
    runs = []
    for _ in range(6):
        number = await stranger.fetchval(attempt)
        runs.append(await _work(stranger, f"SELECT app.login_result({number}, sha256('t'))", times=1))
    return tuple(min(values) for values in zip(*runs, strict=True))


async def test_while_locked_the_right_password_is_no_different(stage: Stage) -> None:
    stranger = await stage.stranger()
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = sha256(sha256('right')) WHERE username = 'anna'"
    )
    attempt = "SELECT app.login_attempt('anna', sha256('{}'), sha256('t'), 'x')"
    for _ in range(6):
        await stranger.fetchval("CALL app.login('anna', sha256('wrong'), sha256('t'), 'x', NULL)")
    wrong, right = [await _judged(stranger, attempt.format(guess)) for guess in ("wrong", "right")]
    assert wrong == right
    assert await stage.superuser.fetchval("SELECT count(*) FROM auth.sessions") == 0


# -- halves in another order ---------------------------------------------------------------------


async def test_a_guess_of_a_session_is_not_judged_as_a_sign_in(stage: Stage, anna: Desk) -> None:
    """Else a stolen desk could try five more passwords in each ten minutes, and told at the right one."""
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1 WHERE username = 'anna'", hashlib.sha256(right).digest()
    )
    for guess in (os.urandom(32), right):
        attempt = await anna.call("password_attempt", guess)
        assert await anna.call("login_result", attempt, token_hash(anna.token)) is None
    # The other way round: written by a sign-in, also under the name that those guesses count for.
    for name in ("anna", "change_password\nanna"):
        attempt = await anna.call("login_attempt", name, right, token_hash(anna.token), "x")
        answer = await anna.call("password_result", attempt, *PASSWORD, False)
        assert answer is None or name != "anna"
    assert await stage.superuser.fetchval("SELECT count(*) FROM auth.sessions WHERE ended_at IS NULL") == 1


async def test_a_renewal_is_undone_with_its_judgement_and_counts_all_the_same(
    stage: Stage, anna: Desk
) -> None:
    before = await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE username = 'anna'")
    call = f"CALL app.renew_verifier(sha256('x'), {SALT}, 19456, 2, 1, sha256('v'), NULL)"
    for wrapping in ("BEGIN; {}; ROLLBACK", "BEGIN; SAVEPOINT s; {}; COMMIT", "{}; SELECT 1 / 0"):
        with pytest.raises(asyncpg.PostgresError):
            await anna.connection.execute(wrapping.format(call))
        await anna.connection.execute("ROLLBACK")
    outcomes = []
    for _ in range(5):
        attempt = await anna.call("password_attempt", os.urandom(32))
        await anna.connection.execute("BEGIN")
        outcomes.append((await anna.call("password_result", attempt, *PASSWORD, True))["outcome"])
        await anna.connection.execute("ROLLBACK")
    assert outcomes == ["failed"] * 5
    attempt = await anna.call("password_attempt", os.urandom(32))
    assert (await anna.call("password_result", attempt, *PASSWORD, True))["outcome"] == "failed"
    with pytest.raises(ENDED):
        await anna.heartbeat()
    assert await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE username = 'anna'") == before


async def test_costs_only_rise(stage: Stage, anna: Desk) -> None:
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1, iterations = 3 WHERE username = 'anna'",
        hashlib.sha256(right).digest(),
    )
    attempt = await anna.call("password_attempt", right)
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await anna.call("password_result", attempt, *PASSWORD, True)
    assert await stage.superuser.fetchval("SELECT iterations FROM auth.users WHERE username = 'anna'") == 3


# -- as a colleague ------------------------------------------------------------------------------


async def test_a_stay_of_another_booking_is_not_reached(stage: Stage, anna: Desk, ben: Desk) -> None:
    mine = await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
    theirs = await ben.book(stage.guests[1], stay(stage.rooms[1], 0, 3))
    other = theirs["state"]["stays"][0]["id"]
    for value in (None, stay(stage.rooms[2], 5, 6)):
        for known in (None, stay(stage.rooms[1], 0, 3)):
            await anna.save("booking", mine["id"], {f"stay/{other}": change(known, value)})
    after = await ben.booking(theirs["id"])
    assert (after["stays"], after["version"]) == (theirs["state"]["stays"], theirs["version"])


async def test_a_colleagues_desk_name_does_not_end_his_session(stage: Stage, anna: Desk) -> None:
    """It may be claimed, it says nothing about a person: the audit log names who signed in."""
    client = await stage.superuser.fetchval(
        "SELECT client_id FROM auth.sessions WHERE token_hash = $1", token_hash(anna.token)
    )
    right, token = os.urandom(32), os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1 WHERE username = 'emil'", hashlib.sha256(right).digest()
    )
    stranger = await stage.stranger()
    answer = await stranger.fetchval("CALL app.login('emil', $1, $2, $3, NULL)", right, token, client)
    assert answer["outcome"] == "ok"
    assert (await anna.heartbeat())["snapshot"]
    claimed = await open_session(stage.superuser, "emil", client=client)
    async with connected(stage.database.dsn, claimed) as connection:
        emil = Desk("emil", claimed, connection)
        saved = await emil.save("guest", None, new(last_name="Fremd"))
    assert (
        await stage.superuser.fetchval(
            "SELECT username FROM app.audit_log WHERE table_name = 'guests' AND record_id = $1", saved["id"]
        )
        == "emil"
    )


async def test_a_place_is_shown_under_the_own_name_only(stage: Stage, anna: Desk, ben: Desk) -> None:
    booked = await ben.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
    await anna.call("here", "Ben Beispiel", booked["id"])
    present = {entry["username"]: entry["screen"] for entry in (await ben.heartbeat())["present"]}
    assert present == {"anna": "Ben Beispiel", "ben": None}
    # A hint, never a lock.
    answer = await ben.save("booking", booked["id"], {"notes": change(None, "x")})
    assert answer["outcome"] == "done"


# -- floods --------------------------------------------------------------------------------------


@asynccontextmanager
async def _from_another_address(server: Server, address: str) -> AsyncIterator[int]:
    """A port whose connections reach the server from this address of the machine."""
    writers: list[asyncio.StreamWriter] = []

    async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(
            "127.0.0.1", server.cluster.port, local_addr=(address, 0)
        )
        writers.extend((writer, far_writer))
        await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer), return_exceptions=True)

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    rules = server.cluster.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(before + f"host all all {address}/32 scram-sha-256\n")
    async with connected(server.cluster.dsn()) as superuser:
        await superuser.execute("SELECT pg_reload_conf()")
        try:
            yield listening.sockets[0].getsockname()[1]
        finally:
            rules.write_text(before)
            await superuser.execute("SELECT pg_reload_conf()")
            for writer in writers:
                writer.close()
            listening.close()


async def test_a_flood_from_elsewhere_locks_nobody_out(server: Server, stage: Stage) -> None:
    """Forty wrong guesses of an address: from there even the right one fails, at the house anna signs in."""
    right = os.urandom(32)
    await stage.superuser.execute(
        "UPDATE auth.users SET verifier = $1 WHERE username = 'anna'", hashlib.sha256(right).digest()
    )

    async def login(connection: asyncpg.Connection, tag: bytes) -> str:
        answer: dict[str, Any] = await connection.fetchval(
            "CALL app.login('anna', $1, $2, 'x', NULL)", tag, os.urandom(32)
        )
        return str(answer["outcome"])

    house = await connect(stage.database.dsn)
    assert await login(house, right) == "ok"
    async with _from_another_address(server, "127.0.0.2") as port:
        flood = await _connect_soon(stage.database.dsn.replace(f":{server.cluster.port}/", f":{port}/"))
        assert str(await flood.fetchval("SELECT inet_client_addr()")) == "127.0.0.2"
        assert {await login(flood, os.urandom(32)) for _ in range(40)} == {"failed"}
        assert await login(flood, right) == "failed"
        assert await login(house, right) == "ok"
        flood.terminate()
    house.terminate()


async def _connect_soon(dsn: str) -> asyncpg.Connection:
    """The server takes a moment to read its rules again."""
    for _ in range(50):
        try:
            return await connect(dsn)
        except asyncpg.InvalidAuthorizationSpecificationError:
            await asyncio.sleep(0.1)
    return await connect(dsn)
