"""Whoever holds config.toml can connect as booking_user: what he tries is refused or harmless."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from uuid import uuid4

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db import sql_files
from dpolg_tui.db.connection import Database, token_hash
from dpolg_tui.db.live import Live, LiveUpdate
from tests.db.waiting import until
from tests.sql import hostile, hostile_user
from tests.sql.hostile import HARMLESS
from tests.sql.stage import Desk, Stage, change, connected, new, open_session, stay

pytestmark = pytest.mark.both_versions
GROUPS = {**hostile.GROUPS, **hostile_user.GROUPS}


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
        await colleague.save("reminder", None, new(title="Anrufen", due_date="2030-03-01", booking_id=found))
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
        "attempt": await colleague.call("password_attempt", os.urandom(32)),
        **await common.superuser.fetchrow(
            "SELECT (SELECT min(o.id) FROM app.occupancies o WHERE o.booking_id = $1) AS stay,"
            " (SELECT min(r.id) FROM app.reminders r) AS reminder,"
            " (SELECT u.id FROM auth.users u WHERE u.username = 'emil') AS me,"
            " (SELECT u.id FROM auth.users u WHERE u.username = 'admin') AS admin,"
            " s.user_id AS colleague, s.id AS session, split_part(s.client_id, '#', 1) AS desk"
            "  FROM auth.sessions s WHERE s.token_hash = $2",
            found,
            token_hash(colleague.token),
        ),
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


def test_the_tables_are_long_enough() -> None:
    names = [attempt.name for group in GROUPS.values() for attempt in group]
    assert len(names) >= 270
    assert len(set(names)) == len(names)
    assert sum(map(len, hostile_user.GROUPS.values())) >= 110


@pytest.mark.parametrize(
    ("group", "signed_in"),
    # What a stranger gets for the others is in the matrix.
    [(group, False) for group in hostile.GROUPS] + [(group, True) for group in GROUPS],
)
async def test_refused_or_harmless(scene: Scene, group: str, signed_in: bool) -> None:
    token = await open_session(scene.stage.superuser, "emil") if signed_in else None
    own = await scene.stage.superuser.fetchval("SELECT max(id) FROM auth.sessions")
    values = {**scene.values, "own_session": own}
    before = await scene.fingerprint()
    surprises = {}
    async with connected(scene.stage.database.dsn, token) as thief:
        for attempt in GROUPS[group]:
            statements = [statement.format_map(values) for statement in attempt.statements]
            outcome = await _first_failure(thief, statements)
            if outcome != ((attempt.signed_in if signed_in else None) or attempt.expected):
                surprises[attempt.name] = outcome
            # While he still holds what he has, the colleague works on.
            async with asyncio.timeout(3):
                assert (await scene.colleague.booking(scene.booking))["id"] == scene.booking, attempt.name
            await thief.execute("ROLLBACK")
            await thief.execute("RESET ALL")
            assert await scene.fingerprint() == before, attempt.name
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
