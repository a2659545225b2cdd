"""booking_user holds EXECUTE on a known list of functions and nothing else; strangers learn nothing."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from dpolg_tui.db import migrations, sql_files
from dpolg_tui.db.connection import new_token
from tests.databases import Server, TestDatabase
from tests.sql.stage import Desk, Stage, connected, open_session

pytestmark = pytest.mark.both_versions

WITHOUT_SESSION = {"hello", "login_challenge", "login_attempt", "login_result", "login"}
FOR_EVERYBODY = {
    "logout", "change_password", "heartbeat", "colleagues", "rooms", "chart", "chart_rows", "booking",
    "guest", "search_guests", "search_bookings", "free_rooms", "history", "save_booking", "save_guest",
    "save_room", "save_block", "delete_block", "save_reminder", "reminders",
}  # fmt: skip
FOR_ADMINS = {
    "delete_booking", "delete_guest", "delete_room", "delete_reminder", "legacy_runs", "legacy_tables",
    "legacy_quarantine", "legacy_kept_rows", "legacy_row",
}  # fmt: skip

# A value of each type that a function of ours takes; made without a session, it must not matter which.
DUMMIES = {
    "bigint": "1",
    "integer": "10",
    "date": "DATE '2030-01-01'",
    "text": "'x'",
    "uuid": "gen_random_uuid()",
    "jsonb": '\'{"stay": {"to": "x"}}\'::jsonb',
    "bytea": "'\\x00'::bytea",
    "bigint[]": "ARRAY[1]::bigint[]",
}

_EXECUTABLE = """
SELECT p.proname, p.prokind = 'p' AS procedure,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) t) AS types
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('app', 'auth') AND has_function_privilege('booking_user', p.oid, 'EXECUTE')"""


async def _calls(superuser: asyncpg.Connection, *, but: set[str]) -> list[str]:
    """A statement per executable function, once with NULLs, once with values."""
    calls = []
    for row in await superuser.fetch(_EXECUTABLE):
        if row["proname"] in but:
            continue
        for pick in (lambda name: f"NULL::{name}", DUMMIES.__getitem__):
            arguments = ", ".join(map(pick, row["types"]))
            calls.append(f"SELECT * FROM app.{row['proname']}({arguments})")
    return calls


async def _states(connection: asyncpg.Connection, calls: list[str]) -> dict[str, str]:
    """What each call is answered with: its SQLSTATE, or what it told."""
    found = {}
    for call in calls:
        try:
            rows = await connection.fetch(call)
        except asyncpg.PostgresError as error:
            found[call] = error.sqlstate
        else:
            found[call] = f"answered: {rows}"
    return found


async def test_exactly_these_functions(common: Stage) -> None:
    rows = await common.superuser.fetch(_EXECUTABLE)
    names = [row["proname"] for row in rows]
    assert sorted(names) == sorted(WITHOUT_SESSION | FOR_EVERYBODY | FOR_ADMINS)


async def test_no_privilege_on_any_table_column_or_sequence(common: Stage) -> None:
    granted = await common.superuser.fetch("""
        SELECT c.oid::regclass AS object, a.privilege_type
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL aclexplode(c.relacl) a
         WHERE n.nspname IN ('app', 'auth', 'ext', 'public') AND a.grantee IN (0, 'booking_user'::regrole)
        UNION ALL
        SELECT t.attrelid::regclass, a.privilege_type
          FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL aclexplode(t.attacl) a
         WHERE n.nspname IN ('app', 'auth', 'ext', 'public')""")
    assert not granted
    usable = await common.superuser.fetch("""
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('app', 'auth') AND CASE WHEN c.relkind = 'S'
               THEN has_sequence_privilege('booking_user', c.oid, 'USAGE, SELECT, UPDATE')
               WHEN c.relkind IN ('r', 'v')
               THEN has_table_privilege('booking_user', c.oid,
                                        'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
                    OR has_any_column_privilege('booking_user', c.oid,
                                                'SELECT, INSERT, UPDATE, REFERENCES') END""")
    assert not usable


async def _no_token(_stage: Stage) -> str:
    return ""


async def _guessed(_stage: Stage) -> str:
    return new_token()


def _session(spoil: str) -> Callable[[Stage], object]:
    async def make(stage: Stage) -> str:
        token = await open_session(stage.superuser, "emil")
        await stage.superuser.execute(
            spoil.replace("$session", "s.token_hash = sha256(convert_to($1, 'UTF8'))"), token
        )
        return token

    return make


TOKENS = {
    "none": _no_token,
    "guessed": _guessed,
    "expired": _session(
        "UPDATE auth.sessions s SET created_at = now() - interval '12 hours 1 second' WHERE $session"
    ),
    "idle": _session(
        "UPDATE auth.sessions s SET last_seen = now() - interval '30 minutes 1 second' WHERE $session"
    ),
    "ended": _session("UPDATE auth.sessions s SET ended_at = now() WHERE $session"),
    "deactivated": _session(
        "UPDATE auth.users u SET active = false FROM auth.sessions s WHERE s.user_id = u.id AND $session"
    ),
}


@pytest.mark.parametrize("kind", TOKENS)
async def test_no_function_tells_a_stranger_anything(common: Stage, kind: str) -> None:
    token = await TOKENS[kind](common)
    calls = await _calls(common.superuser, but=WITHOUT_SESSION)
    try:
        async with connected(common.database.dsn, token or None) as connection:
            states = await _states(connection, calls)
    finally:
        await common.superuser.execute("UPDATE auth.users SET active = true WHERE NOT active")
    assert len(states) >= 35
    assert {call: state for call, state in states.items() if state != "28000"} == {}


async def test_until_the_password_is_changed_nothing_else_works(common: Stage) -> None:
    token = await open_session(common.superuser, "emil")
    await common.superuser.execute(
        "UPDATE auth.users SET must_change_password = true WHERE username = 'emil'"
    )
    calls = await _calls(common.superuser, but=WITHOUT_SESSION | {"logout", "change_password"})
    try:
        async with connected(common.database.dsn, token) as connection:
            states = await _states(connection, calls)
            with pytest.raises(asyncpg.InsufficientPrivilegeError) as refused:
                await connection.fetch("SELECT * FROM app.rooms()")
            # By this name the client tells it from a missing right.
            assert refused.value.constraint_name == "must_change_password"
            await connection.execute("SELECT app.logout()")
    finally:
        await common.superuser.execute("UPDATE auth.users SET must_change_password = false")
    assert {call: state for call, state in states.items() if state != "42501"} == {}


async def test_what_is_for_admins_refuses_users(common: Stage) -> None:
    desk = await common.desk("anna")
    calls = await _calls(common.superuser, but=WITHOUT_SESSION | FOR_EVERYBODY)
    assert len(calls) == 2 * len(FOR_ADMINS)
    states = await _states(desk.connection, calls)
    assert set(states.values()) == {"42501"}
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.save("room", common.rooms[0], {"key_code": {"from": None, "to": "0000"}})


async def test_what_may_be_known_without_login(common: Stage) -> None:
    stranger = await common.stranger()
    assert set(await stranger.fetchval("SELECT app.hello()")) == {
        "schema_version", "minimum_client", "instance_id",
    }  # fmt: skip
    known = await stranger.fetchval("SELECT app.login_challenge('anna')")
    costs = {
        "memory_kib": known["memory_kib"],
        "iterations": known["iterations"],
        "parallelism": known["parallelism"],
    }
    # New users get the parameters of the fakes; the users of the tests have weaker ones.
    await common.superuser.execute(
        "UPDATE auth.secrets SET memory_kib = $1, iterations = $2, parallelism = $3", *costs.values()
    )
    unknown = await stranger.fetchval("SELECT app.login_challenge('nobody')")
    assert unknown.keys() == known.keys()
    assert {**unknown, "salt": ""} == {**known, "salt": ""}
    assert len(unknown["salt"]) == len(known["salt"]) == 32
    assert await stranger.fetchval("SELECT app.login_challenge('NOBODY')") == unknown
    assert await stranger.fetchval("SELECT app.login_challenge('nobody2')") != unknown
    assert await stranger.fetchval("SELECT app.login_challenge('ANNA')") == known


# -- checks.sql ----------------------------------------------------------------------------------

# Finding of checks.sql -> something that brings it about, and the object that it must name.
BREAKS: dict[str, tuple[str, str]] = {
    "booking_user has a table privilege": ("GRANT SELECT (city) ON app.guests TO booking_user", "app.guests"),
    "booking_user has a sequence privilege": (
        "GRANT USAGE ON SEQUENCE app.rooms_id_seq TO booking_user",
        "app.rooms_id_seq",
    ),
    "booking_user may use or create in a schema": ("GRANT USAGE ON SCHEMA auth TO booking_user", "auth"),
    "table without forced row security": (
        "ALTER TABLE app.audit_log NO FORCE ROW LEVEL SECURITY",
        "app.audit_log",
    ),
    "policy for somebody besides the owner": (
        "CREATE POLICY open ON app.rooms FOR SELECT TO booking_user USING (true)",
        "open on app.rooms",
    ),
    "not owned by dpolg_owner": ("ALTER TABLE app.requests OWNER TO dpolg_backup", "app.requests"),
    "definer function without a safe search_path": (
        "ALTER FUNCTION app.rooms() RESET search_path",
        "app.rooms()",
    ),
    "function that PUBLIC may execute": (
        "GRANT EXECUTE ON FUNCTION app.write_fields(text, bigint, jsonb) TO PUBLIC",
        "app.write_fields(text,bigint,jsonb)",
    ),
    "granted function without a session check first": (
        "GRANT EXECUTE ON FUNCTION auth.is_locked(auth.attempts) TO booking_user",
        "auth.is_locked(auth.attempts)",
    ),
    "booking_user is a superuser or may bypass row security": (
        "ALTER ROLE booking_user BYPASSRLS",
        "booking_user",
    ),
    "booking_user is a member of a role": ("GRANT dpolg_backup TO booking_user", "dpolg_backup"),
    "database privilege of PUBLIC": ('GRANT CONNECT ON DATABASE "{database}" TO PUBLIC', "CONNECT"),
    "booking_user may create temporary tables or schemas": (
        'GRANT TEMPORARY ON DATABASE "{database}" TO booking_user',
        "{database}",
    ),
    "schema public is open": ("GRANT USAGE ON SCHEMA ext TO PUBLIC", "ext"),
    "open built-in function": (
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_terminate_backend(integer, bigint) TO PUBLIC",
        "pg_terminate_backend(integer,bigint)",
    ),
    "pg_stat_activity is open": ("GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC", "pg_stat_activity"),
    "pg_settings can be locked": ("GRANT UPDATE ON pg_catalog.pg_settings TO PUBLIC", "pg_settings"),
    "role setting missing": (
        "ALTER ROLE booking_user RESET log_parameter_max_length",
        "log_parameter_max_length=0",
    ),
    "role setting that is not ours": (
        'ALTER ROLE booking_user IN DATABASE "{database}" SET default_transaction_read_only = on',
        "default_transaction_read_only=on",
    ),
    "booking_user has no connection limit": ("ALTER ROLE booking_user CONNECTION LIMIT -1", "booking_user"),
}


async def test_every_check_finds_what_it_is_for(common: Stage) -> None:
    text = sql_files.read("checks.sql")
    assert set(re.findall(r"'(?:must|hardening)'(?: AS class)?, '([^']+)'", text)) == set(BREAKS)
    assert await common.superuser.fetch(text) == []
    for finding, (statement, named) in BREAKS.items():
        turn = common.superuser.transaction()
        await turn.start()
        try:
            await common.superuser.execute(statement.format(database=common.database.name))
            found = await common.superuser.fetch(text)
        finally:
            await turn.rollback()
        assert (finding, named.format(database=common.database.name)) in {
            (row["finding"], row["object"]) for row in found
        }, finding
    assert await common.superuser.fetch(text) == []


async def test_more_ways_to_a_finding(common: Stage) -> None:
    """Several checks cover more than one mistake."""
    mistakes = [
        "GRANT SELECT ON app.booking_overview TO booking_user",
        "GRANT TRUNCATE ON auth.users TO PUBLIC",
        "GRANT CREATE ON SCHEMA app TO booking_user",
        "ALTER TABLE auth.secrets DISABLE ROW LEVEL SECURITY",
        "CREATE TABLE app.forgotten (id bigint)",
        "ALTER ROLE booking_user CREATEROLE",
        "GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_lock(bigint) TO booking_user",
        "CREATE FUNCTION app.sloppy() RETURNS bigint LANGUAGE sql AS 'SELECT 1';"
        " GRANT EXECUTE ON FUNCTION app.sloppy() TO booking_user",
        "CREATE OR REPLACE FUNCTION app.guest(record bigint) RETURNS jsonb LANGUAGE plpgsql STABLE"
        " SECURITY DEFINER SET search_path = pg_catalog, pg_temp"
        " AS $$ BEGIN RETURN app.booking_state(record); END $$",
    ]
    for mistake in mistakes:
        turn = common.superuser.transaction()
        await turn.start()
        try:
            await common.superuser.execute(mistake)
            assert await common.superuser.fetch(sql_files.read("checks.sql")), mistake
        finally:
            await turn.rollback()


async def test_hardening_closes_again_what_was_opened(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute(
            f"""
            GRANT ALL ON DATABASE "{database.name}" TO PUBLIC;
            GRANT ALL ON ALL TABLES IN SCHEMA app TO booking_user;
            GRANT USAGE ON ALL SEQUENCES IN SCHEMA app TO PUBLIC;
            GRANT EXECUTE ON FUNCTION app.write_fields(text, bigint, jsonb) TO PUBLIC;
            GRANT ALL ON SCHEMA ext, public TO PUBLIC;
            GRANT SELECT ON pg_catalog.pg_stat_activity TO PUBLIC;
            ALTER ROLE booking_user IN DATABASE "{database.name}" SET statement_timeout = 1;
            ALTER TABLE app.guests DISABLE ROW LEVEL SECURITY"""
        )
    assert len(await migrations.findings(database.superuser_dsn)) >= 10
    await migrations.harden(database.superuser_dsn)
    assert await migrations.findings(database.superuser_dsn) == []


# -- the other roles -----------------------------------------------------------------------------


async def test_roles_have_no_more_than_they_need(common: Stage) -> None:
    rows = await common.superuser.fetch(
        "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin"
        " FROM pg_roles WHERE rolname IN ('dpolg_owner', 'booking_user', 'dpolg_backup')"
    )
    rights = {row["rolname"]: tuple(row)[1:] for row in rows}
    nothing_but_login = (False, False, False, False, False, True)
    assert rights == {
        "dpolg_owner": nothing_but_login,
        "booking_user": nothing_but_login,
        "dpolg_backup": (False, False, False, False, True, True),
    }
    members = await common.superuser.fetch(
        "SELECT roleid::regrole::text AS role, member::regrole::text AS member FROM pg_auth_members"
        " WHERE member::regrole::text IN ('dpolg_owner', 'booking_user', 'dpolg_backup')"
    )
    assert {tuple(row) for row in members} == {
        ("dpolg_backup", "dpolg_owner"),
        ("pg_read_all_data", "dpolg_backup"),
    }


async def test_owner_sees_its_rows_and_the_backup_reads_only(common: Stage) -> None:
    async with connected(common.database.owner_dsn) as owner:
        assert await owner.fetchval("SELECT count(*) FROM app.rooms") == len(common.rooms)
    async with connected(common.database.backup_dsn) as backup:
        assert await backup.fetchval("SELECT count(*) FROM app.rooms") == len(common.rooms)
        for statement in (
            "DELETE FROM app.rooms",
            "INSERT INTO app.number_counters VALUES (1999, 1)",
            "UPDATE auth.users SET role = 'admin'",
            "SELECT app.write_fields('rooms', 1, '{}')",
            "SELECT app.session_user_id()",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await backup.execute(statement)


async def test_the_backup_role_dumps_everything(server: Server, common: Stage, tmp_path: Path) -> None:
    program = server.cluster.binaries.program("pg_dump")
    if not program.is_file():
        pytest.skip(f"{program} is not installed")

    def dump(dsn: str) -> subprocess.CompletedProcess[str]:
        parts = urlsplit(dsn)
        return subprocess.run(
            [program, "--format=plain", f"--file={tmp_path / 'dump.sql'}", "--no-password"],
            env={
                **os.environ,
                "PGHOST": str(parts.hostname),
                "PGPORT": str(parts.port),
                "PGUSER": unquote(str(parts.username)),
                "PGPASSWORD": unquote(str(parts.password)),
                "PGDATABASE": parts.path[1:],
            },
            capture_output=True,
            text=True,
            check=False,
        )

    done = dump(common.database.backup_dsn)
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "dump.sql").read_text()
    assert "COPY app.guests" in text
    assert "Müller\tErika" in text
    assert "FORCE ROW LEVEL SECURITY" in text
    refused = dump(common.database.dsn)
    assert refused.returncode != 0
    assert "permission denied" in refused.stderr


async def test_a_desk_is_not_disturbed_by_the_limits(anna: Desk) -> None:
    """The settings of the role are what a client gets that asks for nothing."""
    row = await anna.connection.fetchrow(
        "SELECT current_setting('statement_timeout'), current_setting('lock_timeout'),"
        " current_setting('idle_in_transaction_session_timeout'), current_setting('log_parameter_max_length')"
    )
    assert tuple(row) == ("10s", "5s", "15s", "0")
    for name in ("log_parameter_max_length", "log_parameter_max_length_on_error"):
        try:
            await anna.connection.execute(f"SET {name} = -1")
        except asyncpg.InsufficientPrivilegeError:
            continue
        assert name == "log_parameter_max_length_on_error"
