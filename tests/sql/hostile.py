"""What a holder of config.toml may try, before and after signing in as a mere user."""

from __future__ import annotations

from dataclasses import dataclass

HARMLESS = "harmless"
DENIED = "42501"
NO_SESSION = "28000"


@dataclass(frozen=True)
class Hostile:
    """Statements, sent one after the other, and the SQLSTATE of the first that fails.

    ``{room}``, ``{guest}``, ``{booking}``, ``{pid}`` (of a colleague's connection) and ``{hash}`` (of a
    colleague's token) are filled in.
    """

    name: str
    statements: tuple[str, ...]
    expected: str
    """Without login, and with one if ``signed_in`` says nothing else."""
    signed_in: str | None = None


def _refused(name: str, *statements: str) -> Hostile:
    return Hostile(name, statements, DENIED)


def _harmless(name: str, *statements: str) -> Hostile:
    return Hostile(name, statements, HARMLESS)


def _needs_login(name: str, *statements: str, then: str) -> Hostile:
    return Hostile(name, statements, NO_SESSION, then)


LOCKS = (
    _refused("lock bookings", "BEGIN", "LOCK TABLE app.bookings IN ACCESS EXCLUSIVE MODE"),
    _refused("lock bookings lightly", "BEGIN", "LOCK TABLE app.bookings IN ACCESS SHARE MODE"),
    _refused("lock the view", "BEGIN", "LOCK TABLE app.booking_overview IN SHARE MODE"),
    _refused("lock the catalogue", "BEGIN", "LOCK TABLE pg_catalog.pg_class IN SHARE MODE"),
    _refused("lock the settings", "BEGIN", "LOCK TABLE pg_catalog.pg_settings IN ACCESS EXCLUSIVE MODE"),
    _refused("lock rows", "SELECT * FROM app.rooms FOR UPDATE"),
    _refused("advisory lock", "SELECT pg_advisory_lock(1)"),
    _refused("advisory lock, shared", "SELECT pg_advisory_xact_lock_shared(1)"),
    _refused("advisory lock, tried", "SELECT pg_try_advisory_lock(1, 2)"),
    _harmless("vacuum full", "VACUUM FULL app.bookings"),
    _harmless("analyze", "ANALYZE app.bookings"),
    _refused("reindex", "REINDEX TABLE app.bookings"),
    _refused("cluster", "CLUSTER app.bookings USING bookings_pkey"),
    _harmless("no time-outs", "SET statement_timeout = 0", "SET lock_timeout = 0", "BEGIN", "SELECT 1"),
)

DISTURBANCE = (
    _refused("end a colleague's connection", "SELECT pg_terminate_backend({pid})"),
    _refused("cancel a colleague's query", "SELECT pg_cancel_backend({pid})"),
    _refused("sleep", "SELECT pg_sleep(60)"),
    _refused("sleep for", "SELECT pg_sleep_for('1 minute')"),
    _refused("sleep until", "SELECT pg_sleep_until('tomorrow')"),
    _refused("large object", "SELECT lo_create(0)"),
    _refused("large object with content", "SELECT lo_from_bytea(0, '\\x00')"),
    _refused("large object of a file", "SELECT lo_import('/etc/passwd')"),
    _harmless("forged notification", "NOTIFY booking, 'bookings:{booking}:'", "NOTIFY room, 'reload:0:'"),
    _harmless("garbage in a notification", "NOTIFY booking, '[/b] {guest}; DROP TABLE'"),
    _harmless("drop owned", "DROP OWNED BY booking_user CASCADE"),
    _refused("reassign owned", "REASSIGN OWNED BY dpolg_owner TO booking_user"),
    _refused("stop the roles' password", "ALTER ROLE dpolg_owner PASSWORD 'x'"),
    Hostile("rename itself", ("ALTER ROLE booking_user RENAME TO somebody",), "0A000"),
    _refused("one connection for all", "ALTER ROLE booking_user CONNECTION LIMIT 0"),
    _refused("one token for all", "ALTER ROLE booking_user SET app.session_token = 'x'"),
    _refused("settings of the server", "ALTER SYSTEM SET work_mem = '64kB'"),
    _refused("settings of the database", 'ALTER DATABASE "{database}" SET statement_timeout = 1'),
    _refused("reload", "SELECT pg_reload_conf()"),
    _refused("statistics away", "SELECT pg_stat_reset()"),
    _refused("switch the log", "SELECT pg_switch_wal()"),
    _refused("replication slot", "SELECT pg_create_physical_replication_slot('full')"),
    _refused("publication", "CREATE PUBLICATION everything FOR ALL TABLES"),
)

TRESPASSING = (
    _refused("another role", "SET ROLE dpolg_owner"),
    _refused("another role by function", "SELECT set_config('role', 'dpolg_owner', false)"),
    _refused("another identity", "SET SESSION AUTHORIZATION dpolg_owner"),
    _refused("grant oneself a role", "GRANT dpolg_backup TO booking_user"),
    _refused("become superuser", "ALTER ROLE booking_user SUPERUSER"),
    _refused("create a role", "CREATE ROLE friend"),
    _refused("create a database", "CREATE DATABASE copy TEMPLATE dpolg_template"),
    _refused("create a schema", "CREATE SCHEMA mine"),
    _refused("move an extension", "ALTER EXTENSION btree_gist SET SCHEMA public"),
    _refused("create in app", "CREATE TABLE app.mine (id bigint)"),
    _refused("create in auth", "CREATE TABLE auth.mine (id bigint)"),
    _refused("create in public", "CREATE TABLE public.mine (id bigint)"),
    _refused("create in ext", "CREATE FUNCTION ext.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'"),
    _refused("temporary table", "CREATE TEMP TABLE users (role text)"),
    _refused("temporary view", "CREATE TEMP VIEW users AS SELECT 'admin' AS role"),
    _refused(
        "temporary function", "CREATE FUNCTION pg_temp.now() RETURNS date LANGUAGE sql AS 'SELECT NULL'"
    ),
    _refused("grant", "GRANT SELECT ON app.guests TO booking_user"),
    _refused("policy", "CREATE POLICY mine ON app.guests USING (true)"),
    _refused("no audit", "ALTER TABLE app.rooms DISABLE TRIGGER room_audit"),
    _refused("no audit by replication role", "SET session_replication_role = replica"),
    _refused(
        "own trigger", "CREATE TRIGGER t AFTER INSERT ON app.rooms EXECUTE FUNCTION app.announce_reload()"
    ),
    _refused("own rule", "CREATE RULE r AS ON INSERT TO app.audit_log DO INSTEAD NOTHING"),
    _refused(
        "event trigger", "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION app.record_change()"
    ),
    _refused("own check of sessions", "ALTER FUNCTION app.require_session() SECURITY INVOKER"),
    _refused(
        "replace the check of sessions",
        "CREATE OR REPLACE FUNCTION app.require_session() RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
    ),
    _refused("drop", "DROP TABLE app.audit_log"),
    _refused("comment", "COMMENT ON TABLE app.rooms IS 'mine'"),
    _refused("load a library", "LOAD '/tmp/evil.so'"),
)

READING = (
    _refused("guests", "SELECT * FROM app.guests"),
    _refused("one column", "SELECT key_code FROM app.rooms"),
    _refused("count", "SELECT count(*) FROM auth.users"),
    _refused("the view", "SELECT * FROM app.booking_overview"),
    _refused("copy out", "COPY app.guests TO STDOUT"),
    _refused("copy a query out", "COPY (SELECT * FROM auth.users) TO STDOUT"),
    _refused("copy into a file", "COPY (SELECT 1) TO '/tmp/dpolg-hostile'"),
    _refused("copy to a program", "COPY (SELECT 1) TO PROGRAM 'id'"),
    _refused("copy from a program", "COPY app.guests FROM PROGRAM 'id'"),
    _refused("cursor", "BEGIN", "DECLARE c CURSOR FOR SELECT * FROM app.guests"),
    _refused("prepared", "PREPARE p AS SELECT * FROM auth.users", "EXECUTE p"),
    _refused("in a block", "DO $$ BEGIN PERFORM * FROM auth.secrets; END $$"),
    _refused("plan as an oracle", "EXPLAIN SELECT * FROM app.guests WHERE email = 'erika@example.org'"),
    _refused("run as an oracle", "EXPLAIN ANALYZE SELECT * FROM app.guests WHERE email LIKE 'e%'"),
    _needs_login(
        "function as an oracle", "EXPLAIN ANALYZE SELECT * FROM app.search_guests('e', 1)", then=HARMLESS
    ),
    _needs_login(
        "short-circuit", "SELECT 1 WHERE EXISTS (SELECT FROM app.search_guests('e', 1))", then=HARMLESS
    ),
    _needs_login("without row security", "SET row_security = off", "SELECT * FROM app.rooms()", then=DENIED),
    _refused("passwords", "SELECT * FROM pg_authid"),
    _refused("passwords by view", "SELECT * FROM pg_shadow"),
    _refused("colleagues' queries", "SELECT query FROM pg_stat_activity"),
    _refused("colleagues' queries by function", "SELECT pg_stat_get_backend_activity(1)"),
    _refused("colleagues' addresses", "SELECT * FROM pg_stat_get_activity(NULL)"),
    _refused("files", "SELECT pg_read_file('postgresql.conf')"),
    _refused("directories", "SELECT pg_ls_dir('.')"),
    _refused("rules of access", "SELECT * FROM pg_hba_file_rules"),
    _refused("place of the data", "SHOW data_directory"),
    # The statistics hold values of the tables; 22012 is the division by the number of rows seen.
    Hostile(
        "statistics", ("SELECT 1 / count(*) FROM pg_stats WHERE schemaname IN ('app', 'auth')",), "22012"
    ),
    _refused("statistics, raw", "SELECT * FROM pg_statistic"),
    _refused("parameters into the log", "SET log_parameter_max_length = -1"),
    _refused("statements into the log", "SET log_statement = 'all'"),
)

WRITING = (
    _refused(
        "forged audit",
        "INSERT INTO app.audit_log (table_name, record_id, operation) VALUES ('x', 1, 'DELETE')",
    ),
    _refused("clean audit", "TRUNCATE app.audit_log"),
    _refused("become admin", "UPDATE auth.users SET role = 'admin'"),
    _refused(
        "forged session",
        "INSERT INTO auth.sessions (user_id, token_hash, client_id) VALUES (1, '\\x00', 'x')",
    ),
    _refused(
        "forged feed", "INSERT INTO app.change_feed (table_name, record_id, operation) VALUES ('x', 1, 'x')"
    ),
    _refused("forget attempts", "DELETE FROM auth.attempts"),
    _refused("copy in", "COPY app.rooms (name) FROM STDIN"),
    _refused("sequence", "SELECT nextval('app.bookings_id_seq')"),
    _refused("sequence set", "SELECT setval('app.bookings_id_seq', 1)"),
    _refused(
        "upsert", "INSERT INTO app.number_counters VALUES (2030, 9) ON CONFLICT (year) DO UPDATE SET last = 9"
    ),
)

INTERNALS = tuple(
    _refused(call.partition("(")[0], f"SELECT {call}")
    for call in (
        'app.write_fields(\'rooms\', {room}, \'{{"name": {{"to": "x"}}}}\')',
        "app.save_record('rooms', gen_random_uuid(), {room}, '{{}}', '{{}}', '{{}}')",
        "app.delete_record('bookings', gen_random_uuid(), {booking})",
        "app.write_booking({booking}, NULL, '{{}}', '{{}}')",
        "app.insert_booking('{{}}')",
        "app.booking_state({booking})",
        "app.in_the_way('[]', NULL, NULL)",
        "app.begin_request(gen_random_uuid(), 'x', '{{}}')",
        "app.finish_request(gen_random_uuid(), '{{}}')",
        "app.last_change_by('rooms', {room})",
        "app.changed_by('rooms', {room}, '{{}}')",
        "app.mask('rooms', '{{}}')",
        "app.announce_reload()",
        "app.notify_change('booking', 'bookings', 1, 'x')",
        "app.session_user_id()",
        "app.require_session()",
        "app.in_bulk_work()",
        "auth.session_of_token()",
        "auth.name_hash('anna')",
        "auth.create_user('evil', NULL, NULL, 'admin', '\\x00', '\\x00', 19456, 2, 1, false)",
    )
)

TOKENS = (
    Hostile("guessed token", ("SET app.session_token = 'guess'", "SELECT * FROM app.rooms()"), NO_SESSION),
    Hostile("empty token", ("SET app.session_token = ''", "SELECT * FROM app.rooms()"), NO_SESSION),
    Hostile(
        "hash for a token", ("SET app.session_token = '{hash}'", "SELECT * FROM app.rooms()"), NO_SESSION
    ),
    Hostile(
        "token with a quote",
        ("SET app.session_token = ''' OR true --'", "SELECT app.heartbeat(NULL)"),
        NO_SESSION,
    ),
    Hostile(
        "actor and bulk instead of a session",
        (
            "SET app.session_token = ''",
            "SET app.bulk = 'on'",
            "SET app.actor = 'admin'",
            "SELECT app.logout()",
        ),
        NO_SESSION,
    ),
    _harmless("search path", "SET search_path = pg_temp, app", "SELECT app.hello()"),
)

ARGUMENTS = (
    _needs_login(
        "huge search", "SELECT * FROM app.search_guests(repeat('ä%', 3000000), 2147483647)", then=HARMLESS
    ),
    _needs_login("infinite window", "SELECT * FROM app.chart('-infinity', 'infinity')", then=HARMLESS),
    _needs_login(
        "infinite stay", "SELECT * FROM app.free_rooms('-infinity', 'infinity', -1, NULL)", then=HARMLESS
    ),
    _needs_login("history of users", "SELECT * FROM app.history('users', 1, 10)", then=DENIED),
    _needs_login("history of a catalogue", "SELECT * FROM app.history('pg_authid', 1, 10)", then=DENIED),
    _needs_login("forged snapshot", "SELECT app.heartbeat('9:1:')", then="22P02"),
    _needs_login("ancient snapshot", "SELECT app.heartbeat('3:3:')", then=HARMLESS),
    _needs_login("no request", "SELECT app.save_guest(NULL, NULL, '{{}}')", then="22004"),
    _needs_login("no object", "SELECT app.save_booking(gen_random_uuid(), NULL, '[]')", then="22023"),
    _needs_login(
        "huge note",
        "SELECT app.save_guest(gen_random_uuid(), {guest}, jsonb_build_object('notes',"
        " jsonb_build_object('to', repeat('x', 3000000))))",
        then="23514",
    ),
    _needs_login(
        "forged version",
        'SELECT app.save_guest(gen_random_uuid(), {guest}, \'{{"version": {{"from": 1, "to": 9}}}}\')',
        then="42703",
    ),
    _needs_login(
        "forged stamp",
        'SELECT app.save_booking(gen_random_uuid(), {booking}, \'{{"created_by": {{"to": 1}}}}\')',
        then="42703",
    ),
    _needs_login(
        "SQL for a field",
        "SELECT app.save_guest(gen_random_uuid(), {guest}, '{{\"city = ''x'' --\": {{\"to\": \"x\"}}}}')",
        then="42703",
    ),
    _needs_login("delete a booking", "SELECT app.delete_booking(gen_random_uuid(), {booking})", then=DENIED),
    _needs_login("delete a guest", "SELECT app.delete_guest(gen_random_uuid(), {guest})", then=DENIED),
    _needs_login("delete a room", "SELECT app.delete_room(gen_random_uuid(), {room})", then=DENIED),
    _needs_login(
        "change a key code",
        'SELECT app.save_room(gen_random_uuid(), {room}, \'{{"key_code": {{"to": "0000"}}}}\')',
        then=DENIED,
    ),
    Hostile(
        "NUL in json",
        ('SELECT app.save_guest(gen_random_uuid(), 1, \'{{"city": {{"to": "\\u0000"}}}}\')',),
        "22P05",
    ),
    Hostile(
        "half a character", ('SELECT app.save_guest(gen_random_uuid(), 1, \'{{"a": "\\ud800"}}\')',), "22P02"
    ),
    Hostile("NUL in text", ("SELECT app.login_challenge(E'a\\x00b')",), "22021"),
    Hostile(
        "malformed attempt", ("SELECT app.login_attempt(repeat('x', 201), '\\x00', '\\x00', 'x')",), "22023"
    ),
    _harmless("result of another's attempt", "SELECT app.login_result(1, sha256('guess'))"),
)

GROUPS = {
    "locks": LOCKS,
    "disturbance": DISTURBANCE,
    "trespassing": TRESPASSING,
    "reading": READING,
    "writing": WRITING,
    "internals": INTERNALS,
    "tokens": TOKENS,
    "arguments": ARGUMENTS,
}
