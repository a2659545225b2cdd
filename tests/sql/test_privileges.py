"""booking_user holds EXECUTE on a known list of functions and nothing else; strangers learn nothing."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest

from dpolg_tui.db import migrations, sql_files
from tests.databases import Server, TestDatabase
from tests.sql.stage import Desk, Stage, connected

pytestmark = pytest.mark.both_versions


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
    "granted function that lets its plans be printed": (
        "ALTER FUNCTION app.rooms() RESET debug_print_plan",
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
        ("pg_monitor", "dpolg_owner"),
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
