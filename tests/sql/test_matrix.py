"""Every function and table, asked by everybody: allowed or refused exactly as docs/security.md says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db.migrations import harden
from tests.databases import Server, TestDatabase
from tests.sql.stage import Stage, connect, connected, open_session, open_stage

pytestmark = pytest.mark.both_versions

DOCUMENT = Path(__file__).parents[2] / "docs" / "security.md"
YES, NO_SESSION, DENIED = "yes", "28000", "42501"
OTHER_FUNCTIONS, RELATIONS = "every other function", "every table, view and sequence"
BROKEN = ("25000", "42883", "42P01", "25P02", "57014", "XX000")
"""States that are neither an answer nor a refusal: the question was wrong."""

# Who asks (a column of the table) -> names of such sessions -> the constraint by which they are refused.
STATES: dict[str, dict[str, str]] = {
    "not signed in": {"no token": "", "empty token": "", "guessed token": ""},
    "user": {"user": ""},
    "admin": {"admin": ""},
    "expired session": {
        "12 hours old": "session_expired",
        "idle": "session_expired",
        "signed out": "session_logout",
    },
    "deactivated user": {"deactivated": "session_deactivated", "deactivated admin": "session_deactivated"},
    "session of a restored backup": {
        "restored user": "session_restored",
        "restored admin": "session_restored",
    },
    "password to be changed": {
        "given password": "must_change_password",
        "given password, admin": "must_change_password",
    },
}

# A harmless value of each type; {me} and {mine} are the person who asks and a second session of his.
ARGUMENTS = {
    "bigint": "-1",
    "integer": "10",
    "date": "DATE '2030-01-01'",
    "text": "'x'",
    "uuid": "gen_random_uuid()",
    "jsonb": "'{}'::jsonb",
    "bytea": "sha256('x')",
    "boolean": "false",
    "bigint[]": "ARRAY[-1]::bigint[]",
    "text[]": "ARRAY['x']",
    "timestamp with time zone": "TIMESTAMPTZ '2030-01-01 00:00+00'",
}
CALLS = {
    "app.sessions()": "app.sessions({me})",
    "app.end_session()": "app.end_session(gen_random_uuid(), {mine})",
    "app.end_sessions()": "app.end_sessions(gen_random_uuid(), {me})",
    "app.history()": "app.history('rooms', {room}, 10)",
    "app.heartbeat()": "app.heartbeat(NULL)",
}
# The lines of the table that begin with an ellipsis: the same functions with other arguments.
SPECIAL = {
    "of somebody else": (
        "app.sessions({admin})",
        "app.sessions(NULL)",
        "app.end_session(gen_random_uuid(), {theirs})",
        "app.end_sessions(gen_random_uuid(), {admin})",
    ),
    "of what somebody else created": ("app.take_back(gen_random_uuid(), 'room', {room}, 1)",),
    "of users": tuple(
        f"app.history({kind}, 1, 10)" for kind in ("'users'", "'audit_log'", "'email_settings'", "NULL")
    ),
    "of a new room": tuple(
        f"app.save_room(gen_random_uuid(), {record}, '{{{changes}}}')"
        for record, changes in (
            ("NULL", '"name": {"to": "77"}'),
            ("{room}", '"price_low": {"to": 1}'),
            ("{room}", '"price_high": {"to": 1}'),
            ("{room}", '"final_cleaning_fee": {"to": 1}'),
            ("{room}", '"key_code": {"to": "1"}'),
            ("{room}", '"notes": {"to": "x"}, "key_code": null'),
        )
    ),
}


@dataclass(frozen=True)
class Line:
    """One line of the table: ``verdicts`` by the name of the column."""

    what: str
    functions: tuple[str, ...]
    verdicts: dict[str, str]


def read_table() -> list[Line]:
    """The table below "The matrix"."""
    text = DOCUMENT.read_text("utf-8").partition("\n## The matrix\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in row.strip("|").split("|")]
        for row in text.splitlines()
        if row.startswith("|")
    ]
    head, lines = rows[0], rows[2:]
    assert head[1:] == list(STATES)
    return [
        Line(
            row[0],
            tuple(re.findall(r"`((?:app|auth)\.\w+\(\))`", row[0])),
            dict(zip(head[1:], row[1:], strict=True)),
        )
        for row in lines
    ]


@dataclass
class Asking:
    """A connection of somebody, and what his calls are filled with."""

    connection: asyncpg.Connection
    values: dict[str, object]

    async def ask(self, statement: str) -> tuple[str, str]:
        """SQLSTATE (``yes`` if it is no refusal) and constraint; nothing of it stays."""
        try:
            # Within BEGIN and after SAVEPOINT s.
            await self.connection.execute(f"ROLLBACK TO s; {statement}")
        except asyncpg.PostgresError as error:
            refused = error.sqlstate in (NO_SESSION, DENIED, *BROKEN)
            return str(error.sqlstate) if refused else YES, error.constraint_name or ""
        return YES, ""


class House:
    """The database, its restored copy, and a connection per kind of session."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.asking: dict[str, Asking] = {}

    async def calls(self, *, granted: bool) -> dict[str, list[str]]:
        """Name -> a call per function of ours that booking_user may (or may not) execute."""
        rows = await self.stage.superuser.fetch(
            "SELECT n.nspname AS schema, p.proname AS name, p.prokind = 'p' AS procedure,"
            "       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes::oid[]) t) AS types"
            "  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            # Triggers cannot be called at all.
            " WHERE n.nspname IN ('app', 'auth', 'legacy', 'ext') AND p.prorettype <> 'trigger'::regtype"
            "   AND (n.nspname = 'app' AND has_function_privilege('booking_user', p.oid, 'EXECUTE')) = $1",
            granted,
        )
        calls: dict[str, list[str]] = {}
        for row in rows:
            name = f"{row['schema']}.{row['name']}()"
            values = [
                ARGUMENTS[kind] if granted else ARGUMENTS.get(kind, f"NULL::{kind}") for kind in row["types"]
            ]
            # Without USAGE on the schema it does not even matter what there is.
            listed = ", ".join(values) if row["schema"] == "app" else ""
            call = CALLS.get(name, f"{name[:-2]}({listed})") if granted else f"{name[:-2]}({listed})"
            calls.setdefault(name, []).append(f"CALL {call}" if row["procedure"] else f"SELECT * FROM {call}")
        return calls

    async def relations(self) -> list[str]:
        """A statement per way to a table, view or sequence."""
        rows = await self.stage.superuser.fetch(
            "SELECT c.oid::regclass::text AS name, c.relkind::text AS kind"
            "  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')"
        )
        assert len(rows) >= 40
        statements = [f"SELECT * FROM {row['name']}" for row in rows]
        for row in rows:
            if row["kind"] == "r":
                statements += [
                    f"INSERT INTO {row['name']} DEFAULT VALUES",
                    f"DELETE FROM {row['name']}",
                    f"TRUNCATE {row['name']}",
                ]
            elif row["kind"] == "S":
                statements.append(f"SELECT nextval('{row['name']}')")
        return statements

    async def surprises(self, line: Line, statements: list[str]) -> list[str]:
        """What is answered otherwise than the line says."""
        found = []
        for column, sessions in STATES.items():
            expected = line.verdicts[column]
            # What nobody may use is refused whoever asks: once for each column will do.
            for session, constraint in list(sessions.items())[: None if line.functions else 1]:
                asking = self.asking[session]
                named = constraint if expected != YES and line.functions else None
                # Not held for longer: an idle transaction is ended by the server, an old one has no session.
                await asking.connection.execute("BEGIN; SAVEPOINT s")
                for statement in statements:
                    filled = re.sub(r"\{(\w+)\}", lambda m: str(asking.values[m[1]]), statement)  # noqa: B023
                    state, by = await asking.ask(filled)
                    if state != expected or (named is not None and by != named):
                        found.append(f"{session}: {filled}: {state} {by}, not {expected}")
                await asking.connection.execute("ROLLBACK")
        return found


async def _person(stage: Stage, name: str, role: str, *, must_change: bool = False) -> int:
    found: int = await stage.superuser.fetchval(
        "INSERT INTO auth.users (username, role, salt, verifier, memory_kib, iterations, parallelism,"
        " must_change_password) VALUES ($1, $2, substr(sha256('s'), 1, 16), sha256('v'), 19456, 2, 1, $3)"
        " RETURNING id",
        name,
        role,
        must_change,
    )
    return found


async def _sign_in(stage: Stage) -> tuple[dict[str, str], dict[str, dict[str, object]]]:
    """Token and values of every kind of session."""
    superuser = stage.superuser
    room = stage.rooms[0]
    admin = await superuser.fetchval("SELECT id FROM auth.users WHERE username = 'admin'")
    await open_session(superuser, "admin")
    theirs = await superuser.fetchval("SELECT max(id) FROM auth.sessions")
    tokens: dict[str, str] = {"empty token": "", "guessed token": "0" * 64}
    values: dict[str, dict[str, object]] = {}
    nobody = {"me": -1, "mine": -1, "theirs": theirs, "admin": admin, "room": room}
    for session in (name for sessions in STATES.values() for name in sessions):
        values[session] = dict(nobody)
        if "token" in session:
            continue
        role = "admin" if "admin" in session else "user"
        name = f"matrix {session}"
        person = await _person(stage, name, role, must_change="given" in session)
        await open_session(superuser, name)
        second = await superuser.fetchval("SELECT max(id) FROM auth.sessions")
        tokens[session] = await open_session(superuser, name)
        values[session] |= {"me": person, "mine": second}
    return tokens, values


async def _end(superuser: asyncpg.Connection, values: dict[str, dict[str, object]]) -> None:
    """What happened to the sessions that are over."""
    for session, statement in {
        "12 hours old": "UPDATE auth.sessions SET created_at = now() - interval '12 hours 1 second'",
        "idle": "UPDATE auth.sessions SET last_seen = now() - interval '30 minutes 1 second'",
        "signed out": "UPDATE auth.sessions SET ended_at = now(), end_reason = 'logout'",
    }.items():
        await superuser.execute(f"{statement} WHERE user_id = $1", values[session]["me"])
    # As an admin does it; the trigger ends the sessions.
    for session in STATES["deactivated user"]:
        await superuser.execute("UPDATE auth.users SET active = false WHERE id = $1", values[session]["me"])


@pytest.fixture
async def house(server: Server, database: TestDatabase) -> AsyncIterator[House]:
    furnished = await open_stage(database)
    tokens, values = await _sign_in(furnished)
    await furnished.close()
    copy = server.empty()
    try:
        await _restore(server, database, copy)
        async with AsyncExitStack() as stack:
            superuser = await stack.enter_async_context(connected(database.superuser_dsn))
            await _end(superuser, values)
            stage = Stage(database, superuser)
            found = House(stage)
            for sessions in STATES.values():
                for session in sessions:
                    dsn = copy.dsn if session.startswith("restored") else database.dsn
                    connection = await stack.enter_async_context(connected(dsn, tokens.get(session)))
                    found.asking[session] = Asking(connection, values[session])
            yield found
    finally:
        server.drop(copy)


async def _restore(server: Server, database: TestDatabase, copy: TestDatabase) -> None:
    """A copy with all rows, as from a backup, made ready as the owner does it."""
    async with connected(server.cluster.dsn()) as elsewhere:
        await elsewhere.execute(f'DROP DATABASE "{copy.name}"')
        await elsewhere.execute(f'CREATE DATABASE "{copy.name}" TEMPLATE "{database.name}"')
    await harden(copy.superuser_dsn)
    owner = await connect(copy.owner_dsn)
    await owner.execute("SELECT auth.after_restore()")
    await owner.close()


def test_the_table_has_every_verdict() -> None:
    lines = read_table()
    assert {verdict for line in lines for verdict in line.verdicts.values()} == {YES, NO_SESSION, DENIED}
    assert [line.what for line in lines if not line.functions] == [
        line.what for line in lines if line.what.startswith((OTHER_FUNCTIONS, RELATIONS))
    ]


async def test_everybody_gets_what_the_document_says(house: House) -> None:
    granted = await house.calls(granted=True)
    refused = await house.calls(granted=False)
    surprises: list[str] = []
    named: list[str] = []
    for line in read_table():
        if line.what.startswith("…"):
            statements = [
                f"SELECT * FROM {call}"
                for words, calls in SPECIAL.items()
                if words in line.what
                for call in calls
            ]
        elif line.what.startswith(OTHER_FUNCTIONS):
            statements = [call for calls in refused.values() for call in calls]
            assert len(statements) >= 60
        elif line.what.startswith(RELATIONS):
            statements = await house.relations()
        else:
            named += line.functions
            statements = [call for name in line.functions for call in granted.get(name, [])]
        assert statements, line.what
        surprises += await house.surprises(line, statements)
    assert sorted(named) == sorted(granted), "docs/security.md names exactly what booking_user may execute"
    assert surprises == [], "\n".join(surprises)


async def test_a_restored_copy_is_another_installation(house: House) -> None:
    here = await house.asking["user"].connection.fetchval("SELECT app.hello() ->> 'instance_id'")
    there = await house.asking["restored user"].connection.fetchval("SELECT app.hello() ->> 'instance_id'")
    assert here != there
