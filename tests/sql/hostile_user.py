"""What somebody may try with psql and the password of a mere user."""

from __future__ import annotations

import json

from tests.sql.hostile import DENIED, HARMLESS, NO_SESSION, Hostile

_PASSWORD = "sha256('x'), 19456, 2, 1, sha256('x')"
_SALT = "substr(sha256('x'), 1, 16), 19456, 2, 1, sha256('x')"
_LONG = "25000"
"""Neither in old snapshots nor in old transactions."""


def _attempt(name: str, *statements: str, then: str = DENIED) -> Hostile:
    return Hostile(name, statements, then)


def _call(name: str, call: str, then: str = DENIED) -> Hostile:
    return _attempt(name, f"SELECT * FROM {call}", then=then)


def _save(kind: str, changes: object) -> str:
    """A call of the write function; ``new room``: without an id."""
    name = kind.removeprefix("new ")
    record = "NULL" if kind != name else f"{{{kind}}}"
    written = json.dumps(changes).replace("'", "''").replace("{", "{{").replace("}", "}}")
    return f"app.save_{name}(gen_random_uuid(), {record}, '{written}')"


def _field(name: str, kind: str, changes: object, then: str) -> Hostile:
    return _call(name, _save(kind, changes), then)


def _account(name: str, who: str, **changes: object) -> Hostile:
    written = _save("user", {field: {"to": value} for field, value in changes.items()})
    return _call(name, written.replace("{user}", who))


BECOME_ADMIN = (
    _account("promote oneself", "{me}", role="admin"),
    _account("demote an admin", "{admin}", role="user"),
    _account("send an admin away", "{admin}", active=False),
    _account("take over a name", "{me}", username="admin2"),
    _account("change nothing", "{me}"),
    _call(
        "an account of one's own making",
        'app.create_user(gen_random_uuid(), \'{{"username": {{"to": "evil"}}, "role": {{"to": "admin"}}}}\','
        f" {_SALT})",
    ),
    _call("the admin's password", f"app.reset_password(gen_random_uuid(), {{admin}}, {_SALT})"),
    _call("one's own without the old one", f"app.reset_password(gen_random_uuid(), {{me}}, {_SALT})"),
    _call("delete an admin", "app.delete_user(gen_random_uuid(), {admin})"),
    _call("lift one's own lock", "app.lift_lock(gen_random_uuid(), {me})"),
    _call("list of accounts", "app.users()"),
    _call("costs of passwords", "app.login_settings()"),
    _call("cheaper passwords", "app.save_login_settings(gen_random_uuid(), 19456, 2, 1)"),
    _call("role with a field of a guest", "app.save_user(NULL, NULL, NULL)"),
    _attempt(
        "settings that sound right",
        "SET app.role = 'admin'",
        "SET app.user_id = '{admin}'",
        "SET app.actor = 'admin'",
        "SET app.bulk = 'on'",
        "SELECT * FROM app.users()",
    ),
    _attempt(
        "in a cursor that stays", "DECLARE c CURSOR WITH HOLD FOR SELECT * FROM app.users()", then=DENIED
    ),
    _attempt("list of accounts in a block", "DO $$ BEGIN PERFORM app.users(); END $$"),
    _attempt(
        "refusal caught",
        "DO $$ BEGIN PERFORM app.delete_user(gen_random_uuid(), {admin});"
        " EXCEPTION WHEN insufficient_privilege THEN NULL; END $$",
        then=HARMLESS,
    ),
)

OLD_SNAPSHOTS = (
    *(
        _attempt(f"in {name}", f"BEGIN ISOLATION LEVEL {name}", "SELECT * FROM app.rooms()", then=_LONG)
        for name in ("REPEATABLE READ", "SERIALIZABLE")
    ),
    _attempt(
        "snapshot of a colleague",
        "BEGIN",
        "SELECT pg_export_snapshot()",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        then="25001",
    ),
    _attempt(
        "by default", "SET default_transaction_isolation = 'serializable'", "SELECT app.logout()", then=_LONG
    ),
    _attempt(
        "password in an old snapshot",
        "BEGIN ISOLATION LEVEL REPEATABLE READ",
        "SELECT app.password_attempt(sha256('x'))",
        then=_LONG,
    ),
    _attempt("prepared for later", "BEGIN", "PREPARE TRANSACTION 'later'", then="55000"),
)

COLLEAGUES = (
    _call("a colleague's sessions", "app.sessions({colleague})"),
    _call("everybody's sessions", "app.sessions(NULL)"),
    _call("end a colleague's session", "app.end_session(gen_random_uuid(), {session})"),
    _call("end a session that is not there", "app.end_session(gen_random_uuid(), 999999999)"),
    _call("end all of a colleague's", "app.end_sessions(gen_random_uuid(), {colleague})"),
    _call("end all of everybody's", "app.end_sessions(gen_random_uuid(), NULL)"),
    _call("end the own one from within", "app.end_session(gen_random_uuid(), {own_session})", "23514"),
    _attempt(
        "a desk's name for a token",
        "SET app.session_token = '{desk}'",
        "SELECT app.heartbeat(NULL)",
        then=NO_SESSION,
    ),
    _call("judge a colleague's guess", f"app.password_result({{attempt}}, {_SALT}, false)", HARMLESS),
    _call("judge it as a renewal", f"app.password_result({{attempt}}, {_SALT}, true)", HARMLESS),
    _attempt(
        "judge it as a login",
        "SELECT app.login_result({attempt}, '\\x{hash}')",
        then=HARMLESS,
    ),
    _attempt(
        "a password within a transaction",
        "BEGIN",
        f"CALL app.change_password(sha256('x'), {_SALT}, NULL)",
        then="2D000",
    ),
    _attempt(
        "a renewal within a transaction",
        "BEGIN",
        f"CALL app.renew_verifier(sha256('x'), {_SALT}, NULL)",
        then="2D000",
    ),
    _call("judged, never written", f"app.password_result(-1, {_SALT}, false)", HARMLESS),
    _attempt("half a password", "SELECT app.password_attempt('\\x00')", then="22023"),
    _attempt(
        "forged presence",
        "NOTIFY presence, 'sessions:{colleague}:'",
        "NOTIFY \"user\", 'users:{colleague}:'",
        then=HARMLESS,
    ),
    _attempt("listening", "LISTEN presence", 'LISTEN "user"', "UNLISTEN *", then=HARMLESS),
    _call("at a place too long", "app.here(repeat('x', 61), NULL)", "23514"),
    _call("a command for a place", "app.here(E'\\x1b]0;x', NULL)", "23514"),
    _call("no place", "app.here('', NULL)", "23514"),
)

HISTORY = (
    _call("the audit log", "app.audit(NULL, NULL, NULL, NULL, NULL, NULL, NULL, 10)"),
    _call("one's own part of it", "app.audit({me}, ARRAY['users'], NULL, NULL, NULL, NULL, NULL, 10)"),
    *(
        _call(f"history of {kind}", f"app.history('{kind}', 1, 10)")
        for kind in ("login_settings", "house_settings", "email_settings", "payers", "sessions", "requests")
    ),
    _call("history by SQL", "app.history('rooms'' OR true --', {room}, 10)"),
    _call("all that is held on a guest", "app.export_guest(gen_random_uuid(), {guest})"),
    _call("a guest without a name", "app.anonymise_guest(gen_random_uuid(), {guest})"),
    *(
        _attempt(name, statement)
        for name, statement in {
            "no more append-only": "ALTER TABLE app.audit_log DISABLE TRIGGER audit_append_only",
            "without the trigger": "DROP TRIGGER audit_append_only ON app.audit_log",
            "another guard": "CREATE OR REPLACE FUNCTION app.guard_audit_log() RETURNS trigger"
            " LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
            "masked rows": "UPDATE app.audit_log SET old_data = NULL, new_data = NULL",
            "an old row": "DELETE FROM app.audit_log WHERE timestamp < '2000-01-01'",
            "versions": "UPDATE app.guests SET version = version + 1",
            "who made it": "UPDATE app.bookings SET created_by = 1, created_at = '2000-01-01'",
            "answers of others": "SELECT answer FROM app.requests",
            "answers forged": "UPDATE app.requests SET answer = '{{}}'",
            "the feed": "DELETE FROM app.change_feed",
            "shorter retention": "UPDATE app.house_settings SET audit_retention_months = 12",
            "another installation": "UPDATE app.installation SET minimum_client = '99'",
            "verifiers": "SELECT salt, verifier FROM auth.users",
            "pepper": "SELECT pepper FROM auth.secrets",
            "tokens": "SELECT token_hash FROM auth.sessions",
            "mail password": "SELECT smtp_password FROM app.email_settings",
            "key codes": "SELECT key_code FROM app.rooms",
            "raw old rows": "SELECT * FROM legacy.kept_rows",
        }.items()
    ),
    _attempt(
        "settings of a maintenance",
        "SET app.maintenance = 'on'",
        "SET app.anonymise = 'on'",
        "SET app.actor = 'dpolg_owner'",
        "DELETE FROM app.audit_log",
    ),
)

HOUSE = (
    _call("delete a reminder", "app.delete_reminder(gen_random_uuid(), {reminder})"),
    _call("a stay as a block", "app.delete_block(gen_random_uuid(), {stay})", "23514"),
    _field("a cheaper room", "room", {"price_low": {"from": 40, "to": 0}}, DENIED),
    _field("no cleaning fee", "room", {"final_cleaning_fee": {"to": "NaN"}}, DENIED),
    _field("a room of one's own", "new room", {"name": {"to": "99"}}, DENIED),
    _field("a key code by the way", "room", {"notes": {"to": "x"}, "key_code": 1}, DENIED),
    _field("paid", "booking", {"payments": {"to": []}}, "42703"),
    _field("another number", "booking", {"number": {"to": "1"}}, "42703"),
    _field("another id", "booking", {"id": {"to": 1}}, "42703"),
    _field("checked in by hand", "booking", {"checked_in_at": {"to": "2020-01-01"}}, "42703"),
    _field("over the house's head", "booking", {"occupies": {"to": False}}, "42703"),
    _field(
        "out without in",
        "booking",
        {"status": {"from": "bestaetigt", "to": "ausgecheckt"}},
        "23514",
    ),
    _field("who did it", "reminder", {"completed_by": {"to": "Clara"}}, "42703"),
    _field("an automatic kind", "reminder", {"kind": {"to": "auto_payment"}}, "42703"),
    _field("another search", "guest", {"search": {"to": "x"}}, "42703"),
    _field("dated back", "guest", {"updated_at": {"to": "2000-01-01"}}, "42703"),
    _field("a day no desk can read", "room", {"retired_from": {"to": "20000-01-01"}}, "23514"),
    _field("for ever", "booking", {"option_expires": {"to": "infinity"}}, "23514"),
    _field("due when?", "reminder", {"snoozed_until": {"to": "99999-01-01"}}, "23514"),
    _field("a command for a terminal", "new guest", {"last_name": {"to": "\x1b]52;c;x"}}, "23514"),
    _field("another one", "booking", {"notes": {"to": "\x9b2J"}}, "23514"),
)

TYPES = (
    *(
        _field(f"{value!r} for changes of a {kind}", kind, value, "22023")
        for kind in ("guest", "room", "reminder")
        for value in ([], "x", 7, None)
    ),
    _field("a list for a booking", "booking", ["status"], "22023"),
    _field("a number for a change", "guest", {"city": 5}, HARMLESS),
    _field("maybe", "guest", {"is_member": {"to": "maybe"}}, "22P02"),
    _field("half a person", "booking", {"persons": {"to": 1.5}}, "22P02"),
    _field("endless persons", "booking", {"persons": {"to": 10**12}}, "22003"),
    _field("a guest who is none", "new booking", {"guest_id": {"to": 999999}}, "23503"),
    # Done, but nothing is there to be done.
    *(
        _attempt(
            f"{name} for a stay",
            "BEGIN",
            f"SELECT {_save('booking', {key: {'to': 'x'}})}",
            then=HARMLESS,
        )
        for name, key in {"a word": "stay/new", "SQL": "stay/1; DROP"}.items()
    ),
    _attempt(
        "depth",
        "SELECT app.save_guest(gen_random_uuid(), NULL, (repeat('[', 500000) || repeat(']', 500000))::jsonb)",
        then="54001",
    ),
    _call(
        "a hundred thousand fields",
        "app.save_guest(gen_random_uuid(), {guest}, (SELECT jsonb_object_agg('f' || n, n)"
        " FROM generate_series(1, 100000) n))",
        "42703",
    ),
    _call(
        "a huge name for a field",
        "app.save_guest(gen_random_uuid(), {guest}, jsonb_build_object(repeat('x', 1000000), 1))",
        "42703",
    ),
    *(
        _call(f"search for {name}", f"app.search_guests({text}, 10)", HARMLESS)
        for name, text in {
            "SQL": "'''; DROP TABLE app.guests; --'",
            "a regular expression": "'(((((.*)*)*)*)*)'",
            "backslashes": "repeat('\\', 200)",
            "signs of LIKE": "'%_%'",
        }.items()
    ),
    _call("bookings by SQL", "app.search_bookings('1'' UNION SELECT * FROM auth.users --', 10)", HARMLESS),
    _call("no rooms at all", "app.free_rooms(NULL, NULL, NULL, NULL)", HARMLESS),
    _call("ids by the million", "app.reminders(ARRAY(SELECT generate_series(1, 1000000)))", HARMLESS),
    _attempt(
        "other quotes",
        "SET standard_conforming_strings = off",
        "SELECT * FROM app.history('rooms\\' OR true --', 1, 10)",
    ),
)

SERVER = (
    *(
        _attempt(name, statement)
        for name, statement in {
            "counters of a transaction": "SELECT * FROM pg_stat_xact_all_tables",
            "counters of tables": "SELECT * FROM pg_stat_user_tables",
            "counters of functions": "SELECT * FROM pg_stat_user_functions",
            "counters of databases": "SELECT * FROM pg_stat_database",
            "colleagues' addresses by number": "SELECT pg_stat_get_backend_client_addr(1)",
            "who is there": "SELECT pg_stat_get_backend_idset()",
            "an operator": "CREATE OPERATOR public.= (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq)",
            "a type": "CREATE TYPE public.bigint AS (x int)",
            "a cast": "CREATE CAST (text AS bytea) WITHOUT FUNCTION",
            "a language": "CREATE LANGUAGE evil HANDLER plpgsql_call_handler",
            "a wrapper": "CREATE FOREIGN DATA WRAPPER evil",
            "another owner": "ALTER FUNCTION app.rooms() OWNER TO booking_user",
            "plans again": "ALTER FUNCTION app.rooms() RESET debug_print_plan",
            "another search_path": "ALTER FUNCTION app.rooms() SET search_path = pg_temp",
        }.items()
    ),
    _attempt(
        "a table before ours",
        "SET search_path = pg_temp, app, auth",
        "CREATE TEMP TABLE sessions (id bigint)",
    ),
    _attempt(
        "a search_path within",
        "BEGIN",
        "SET LOCAL search_path = auth",
        "SELECT * FROM users",
        then="42P01",
    ),
    _attempt(
        "a token set within",
        "BEGIN",
        "SET LOCAL app.session_token = '{hash}'",
        "SELECT app.heartbeat(NULL)",
        then=NO_SESSION,
    ),
    _attempt(
        "no token, then a write",
        "SELECT set_config('app.session_token', '', false), app.save_guest(gen_random_uuid(), NULL,"
        ' \'{{"last_name": {{"to": "x"}}}}\')',
        then=NO_SESSION,
    ),
    _attempt(
        "signed out and written in one breath",
        "BEGIN",
        'SELECT app.logout(), app.save_guest(gen_random_uuid(), NULL, \'{{"last_name": {{"to": "x"}}}}\')',
        then=NO_SESSION,
    ),
    _attempt("a long notification", "SELECT pg_notify('user', repeat('x', 9000))", then="22023"),
)

GROUPS = {
    "become admin": BECOME_ADMIN,
    "old snapshots": OLD_SNAPSHOTS,
    "colleagues": COLLEAGUES,
    "history": HISTORY,
    "house": HOUSE,
    "types": TYPES,
    "server": SERVER,
}
