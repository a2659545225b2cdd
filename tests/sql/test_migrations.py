"""init-db and upgrade-db: the same database by every way, once, and a sentence for what does not fit."""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db import errors, migrations, sql_files
from dpolg_tui.db.constraints import CONSTRAINTS
from dpolg_tui.db.sql_files import SqlFile
from tests.databases import Server, TestDatabase
from tests.sql.stage import connected

SCHEMA_FILES = len(sql_files.schema_files())

# Everything that a database consists of, as lines of text. The names of the columns are for the reader.
_CATALOGUE = """
SELECT 'relation' AS kind, c.oid::regclass::text AS object,
       format('%s owner=%s acl=%s rls=%s,%s options=%s', c.relkind, c.relowner::regrole,
              (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(c.relacl) a), c.relrowsecurity,
              c.relforcerowsecurity, c.reloptions) AS detail
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('app', 'auth')
UNION ALL
SELECT 'column', format('%s.%s', a.attrelid::regclass, a.attname),
       format('%s %s notnull=%s identity=%s generated=%s default=%s acl=%s', a.attnum,
              format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated,
              pg_get_expr(d.adbin, d.adrelid), a.attacl)
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 WHERE n.nspname IN ('app', 'auth') AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', format('%s %s', r.conrelid::regclass, r.conname), pg_get_constraintdef(r.oid)
  FROM pg_constraint r JOIN pg_namespace n ON n.oid = r.connamespace WHERE n.nspname IN ('app', 'auth')
UNION ALL
SELECT 'index', i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth')
UNION ALL
SELECT 'view', v.viewname, v.definition FROM pg_views v WHERE v.schemaname IN ('app', 'auth')
UNION ALL
SELECT 'function', p.oid::regprocedure::text,
       format('%s owner=%s acl=%s', md5(pg_get_functiondef(p.oid)), p.proowner::regrole,
              (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(p.proacl) a))
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('app', 'auth')
UNION ALL
SELECT 'trigger', format('%s %s', t.tgrelid::regclass, t.tgname),
       format('%s %s', pg_get_triggerdef(t.oid), t.tgenabled)
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth') AND NOT t.tgisinternal
UNION ALL
SELECT 'policy', format('%s %s', p.polrelid::regclass, p.polname),
       format('%s %s %s %s %s', p.polcmd, p.polpermissive, p.polroles::regrole[],
              pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
  FROM pg_policy p
UNION ALL
SELECT 'schema', n.nspname, format('owner=%s acl=%s', n.nspowner::regrole,
       (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(n.nspacl) a))
  FROM pg_namespace n WHERE n.nspname IN ('app', 'auth', 'ext', 'public')
UNION ALL
SELECT 'default privileges', format('%s %s', d.defaclrole::regrole, d.defaclobjtype), d.defaclacl::text
  FROM pg_default_acl d
UNION ALL
SELECT 'extension', e.extname, e.extnamespace::regnamespace::text FROM pg_extension e
UNION ALL
SELECT 'built-in', p.oid::regprocedure::text, p.proacl::text
  FROM pg_proc p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.proacl IS NOT NULL
UNION ALL
SELECT 'database', 'acl', (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM unnest(d.datacl) a)
  FROM pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT 'applied', m.name, m.checksum FROM app.migrations m
"""


async def _catalogue(dsn: str) -> dict[tuple[str, str], str]:
    async with connected(dsn) as superuser:
        rows = await superuser.fetch(_CATALOGUE)
    return {(row["kind"], row["object"]): row["detail"] for row in rows}


def _difference(
    one: dict[tuple[str, str], str], other: dict[tuple[str, str], str]
) -> dict[tuple[str, str], tuple[str | None, str | None]]:
    return {
        key: (one.get(key), other.get(key))
        for key in sorted(one.keys() | other.keys())
        if one.get(key) != other.get(key)
    }


async def _prepare(database: TestDatabase) -> None:
    """Schemas and roles, but no table: what the very first version began with."""
    async with connected(database.superuser_dsn) as superuser, superuser.transaction():
        await migrations._make_schemas(superuser)


@pytest.mark.both_versions
async def test_upgraded_equals_fresh_from_every_version(server: Server, database: TestDatabase) -> None:
    fresh = await _catalogue(database.superuser_dsn)
    assert len(fresh) > 300
    for version in range(1, SCHEMA_FILES + 1):
        old = server.empty()
        try:
            await _prepare(old)
            # One at a time, as the versions came out.
            for step in range(1, version + 1):
                applied = await migrations.upgrade(old.superuser_dsn, only_schema_up_to=step)
                assert applied == [sql_files.schema_files()[step - 1].name]
            applied = await migrations.upgrade(old.superuser_dsn)
            assert len(applied) == SCHEMA_FILES - version + len(sql_files.function_files())
            assert _difference(fresh, await _catalogue(old.superuser_dsn)) == {}, version
            assert await migrations.findings(old.superuser_dsn) == []
            assert await migrations.upgrade(old.superuser_dsn) == []
        finally:
            server.drop(old)


async def test_five_upgrades_at_once_apply_once(server: Server, database: TestDatabase) -> None:
    old = server.empty()
    try:
        await _prepare(old)
        await migrations.upgrade(old.superuser_dsn, only_schema_up_to=1)
        applied = await asyncio.gather(*(migrations.upgrade(old.superuser_dsn) for _ in range(5)))
        everything = [file.name for file in (*sql_files.schema_files()[1:], *sql_files.function_files())]
        assert sorted(filter(None, applied)) == [everything]
        assert (
            _difference(await _catalogue(database.superuser_dsn), await _catalogue(old.superuser_dsn)) == {}
        )
    finally:
        server.drop(old)


async def test_upgrade_as_the_owner(database: TestDatabase) -> None:
    """The everyday way: no superuser needed, and what one closed stays closed."""
    before = await _catalogue(database.superuser_dsn)
    assert await migrations.upgrade(database.owner_dsn) == []
    assert _difference(before, await _catalogue(database.superuser_dsn)) == {}


async def test_a_changed_function_file_is_applied_again(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sql_files.function_files()
    changed = replace(files[0], text=files[0].text + "\n-- changed\n")
    monkeypatch.setattr(sql_files, "function_files", lambda: (changed, *files[1:]))
    assert await migrations.upgrade(database.owner_dsn) == [changed.name]
    assert await migrations.upgrade(database.owner_dsn) == []
    assert await migrations.findings(database.superuser_dsn) == []


async def test_a_changed_schema_file_gets_its_sentence(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sql_files.schema_files()
    changed = replace(files[1], text=files[1].text + "\n-- changed\n")
    monkeypatch.setattr(sql_files, "schema_files", lambda: (files[0], changed, *files[2:]))
    with pytest.raises(migrations.ChangedMigrationError) as refused:
        await migrations.upgrade(database.owner_dsn)
    assert refused.value.message == (
        f"{changed.name} wurde nach dem Anwenden verändert: bitte die Programmversion prüfen."
    )


async def test_a_failing_file_leaves_nothing_behind(
    database: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await _catalogue(database.superuser_dsn)
    good = SqlFile("schema/0098_good.sql", "CREATE TABLE app.good (id bigint);")
    bad = SqlFile("schema/0099_bad.sql", "CREATE TABLE app.bad (id bigint); SELECT 1 / 0;")
    files = sql_files.schema_files()
    monkeypatch.setattr(sql_files, "schema_files", lambda: (*files, good, bad))
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrations.upgrade(database.owner_dsn)
    assert _difference(before, await _catalogue(database.superuser_dsn)) == {}
    # Without the bad one it goes through, and the new table is closed like the others.
    monkeypatch.setattr(sql_files, "schema_files", lambda: (*files, good))
    assert await migrations.upgrade(database.owner_dsn) == [good.name]
    assert await migrations.findings(database.superuser_dsn) == []


# -- init-db on what does not fit ----------------------------------------------------------------


async def test_init_refuses_a_database_that_is_in_use(
    server: Server, database: TestDatabase, empty_database: TestDatabase
) -> None:
    with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
        await migrations.initialise(database.superuser_dsn)
    assert refused.value.message == (
        f"Die Datenbank {database.name} ist schon eingerichtet: upgrade-db bringt sie auf den neuen Stand."
    )
    async with connected(empty_database.superuser_dsn) as superuser:
        await superuser.execute("CREATE SCHEMA app; CREATE TABLE app.foreign_work (id int)")
    with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
        await migrations.initialise(empty_database.superuser_dsn)
    assert "ist nicht leer" in refused.value.message
    with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
        await migrations.initialise(server.cluster.dsn(empty_database.name, "dpolg_owner"))
    assert "ist nicht leer" in refused.value.message
    async with connected(empty_database.superuser_dsn) as superuser:
        assert await superuser.fetchval("SELECT count(*) FROM pg_tables WHERE schemaname = 'app'") == 1


async def test_upgrade_of_an_empty_database(empty_database: TestDatabase) -> None:
    with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
        await migrations.upgrade(empty_database.superuser_dsn)
    assert "bitte init-db ausführen" in refused.value.message


async def test_init_needs_a_superuser(empty_database: TestDatabase) -> None:
    with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
        await migrations.initialise(empty_database.owner_dsn)
    assert "--managed" in refused.value.message


@pytest.mark.parametrize(
    "options",
    ["ENCODING 'LATIN1' LOCALE 'C'", "ENCODING 'SQL_ASCII' LOCALE 'C'", "ENCODING 'UTF8' LOCALE 'C'"],
)
async def test_init_refuses_a_database_without_german_letters(server: Server, options: str) -> None:
    name = f"wrong_{hashlib.sha256(options.encode()).hexdigest()[:8]}"
    server.execute(f'CREATE DATABASE "{name}" TEMPLATE template0 {options}')
    try:
        with pytest.raises(migrations.UnsuitableDatabaseError) as refused:
            await migrations.initialise(server.cluster.dsn(name))
        assert "deutschen Kleinbuchstaben" in refused.value.message
    finally:
        server.execute(f'DROP DATABASE "{name}"')


@pytest.mark.both_versions
async def test_two_houses_on_one_server_share_the_roles(
    database: TestDatabase, empty_database: TestDatabase
) -> None:
    await migrations.initialise(empty_database.superuser_dsn)
    assert await migrations.findings(empty_database.superuser_dsn) == []
    difference = _difference(
        await _catalogue(database.superuser_dsn), await _catalogue(empty_database.superuser_dsn)
    )
    assert difference == {}
    async with connected(empty_database.dsn) as client:
        greeting = await client.fetchval("SELECT app.hello()")
    assert greeting["schema_version"] == sql_files.schema_version()
    async with connected(database.dsn) as client:
        assert greeting["instance_id"] != (await client.fetchval("SELECT app.hello()"))["instance_id"]


# -- the text of sql/ ----------------------------------------------------------------------------

# Newer than PostgreSQL 14, with the version that brought it.
_TOO_NEW = {
    r"\bMERGE\s+INTO\b": 15,
    r"\bNULLS\s+(NOT\s+)?DISTINCT\b": 15,
    r"\bsecurity_invoker\b": 15,
    r"\bregexp_(count|instr|like|substr)\b": 15,
    r"\bpg_parameter_acl\b|\bGRANT\s+SET\s+ON\s+PARAMETER\b": 15,
    r"\bON\s+DELETE\s+SET\s+(NULL|DEFAULT)\s*\(": 15,
    r"\bany_value\s*\(": 16,
    r"\bJSON_(ARRAY|ARRAYAGG|OBJECT|OBJECTAGG)\s*\(": 16,
    r"\bIS\s+(NOT\s+)?JSON\b": 16,
    r"\b(array_shuffle|array_sample|random_normal|date_add|date_subtract|system_user)\b": 16,
    r"\bWITH\s+(INHERIT|SET)\s+(TRUE|FALSE|OPTION)\b": 16,
    r"\b0[xob][0-9a-f]+\b": 16,
    r"\b\d+_\d+\b(?=[^'\"]*;)": 16,
    r"\bJSON_(TABLE|EXISTS|QUERY|VALUE|SCALAR|SERIALIZE)\s*\(": 17,
    r"\bMAINTAIN\b": 17,
    r"\b(to_bin|to_oct|xmltext|unicode_assigned|uuid_extract_\w+|pg_basetype)\s*\(": 17,
    r"\bAT\s+LOCAL\b": 17,
    r"\btransaction_timeout\b": 17,
    r"\brandom\s*\(\s*\S": 17,
    r"\b(uuidv4|uuidv7|casefold|array_sort|array_reverse|crc32c?)\s*\(": 18,
    r"\bWITHOUT\s+OVERLAPS\b|\bPERIOD\s+\w+\s*\)": 18,
    r"\bRETURNING\s+(WITH|OLD\.|NEW\.|old\.|new\.)": 18,
    r"\bVIRTUAL\b|\bNOT\s+ENFORCED\b": 18,
}


def _sources() -> list[Path]:
    return sorted(sql_files.sql_directory().rglob("*.sql"))


def _without_comments(text: str) -> str:
    return re.sub(r"--[^\n]*", "", text)


def test_sql_uses_nothing_newer_than_14() -> None:
    assert len(_sources()) >= 10
    found = [
        (path.name, version, match[0])
        for path in _sources()
        for pattern, version in _TOO_NEW.items()
        for match in re.finditer(pattern, _without_comments(path.read_text()), re.IGNORECASE)
    ]
    assert found == []


@pytest.mark.parametrize(
    "statement",
    [
        "MERGE INTO app.rooms USING x ON true WHEN MATCHED THEN DO NOTHING;",
        "CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT;",
        "CREATE VIEW v WITH (security_invoker = true) AS SELECT 1;",
        "SELECT any_value(x) FROM t;",
        "SELECT json_object('a': 1);",
        "SELECT * FROM JSON_TABLE(x, '$');",
        "GRANT a TO b WITH INHERIT FALSE;",
        "SELECT uuidv7();",
        "SELECT x IS JSON;",
        "GRANT MAINTAIN ON t TO r;",
    ],
)
def test_the_scan_sees_what_is_too_new(statement: str) -> None:
    assert any(re.search(pattern, statement, re.IGNORECASE) for pattern in _TOO_NEW)


def test_definer_functions_never_take_names_from_the_search_path() -> None:
    """A table or function of ours is always written with its schema."""
    names = set()
    for path in _sources():
        names.update(re.findall(r"CREATE (?:TABLE|VIEW) (?:app|auth)\.(\w+)", path.read_text()))
        names.update(re.findall(r"(?:FUNCTION|PROCEDURE) (?:app|auth)\.(\w+)", path.read_text()))
    assert len(names) >= 50
    bare = [
        (path.name, match[0])
        for path in _sources()
        for match in re.finditer(
            rf"\b(?:FROM|JOIN|INTO|UPDATE|PERFORM|CALL)\s+({'|'.join(names)})\b(?!\.)",
            _without_comments(path.read_text()),
        )
        # RETURNING … INTO and SELECT … INTO name variables.
        if not re.match(r"INTO\s", match[0])
    ]
    assert bare == []


async def test_every_constraint_has_its_sentence(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        rows = await superuser.fetch(
            """
            SELECT c.conname AS name FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
             WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.contype IN ('c', 'f', 'p', 'u', 'x')
            UNION
            SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
              JOIN pg_namespace n ON n.oid = x.relnamespace
             WHERE n.nspname IN ('app', 'auth', 'legacy') AND i.indisunique"""
        )
    stored = {row["name"] for row in rows}
    raised = set()
    for path in _sources():
        raised.update(re.findall(r"app\.refuse\('(\w+)'", path.read_text()))
    assert len(raised) >= 8
    assert {name for name in stored | raised if name not in CONSTRAINTS} == set()
    # And no sentence for what no longer exists.
    assert set(CONSTRAINTS) - stored - raised - {"last_admin"} == set()
    assert errors.CONSTRAINTS is CONSTRAINTS


async def test_every_foreign_key_has_an_index(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        rows = await superuser.fetch(
            """
            SELECT c.conname FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace
             WHERE n.nspname IN ('app', 'auth') AND c.contype = 'f'
               AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid
                                AND i.indkey[0] = c.conkey[1] AND i.indpred IS NULL)"""
        )
    assert [row["conname"] for row in rows] == []


async def test_the_indexes_of_the_plan(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        rows = await superuser.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'app' AND indexname = ANY ($1)",
            ["idx_bookings_dates", "idx_bookings_room", "idx_bookings_guest", "idx_bookings_status",
             "idx_audit_timestamp", "idx_audit_user"],
        )  # fmt: skip
    definitions = {row["indexname"]: row["indexdef"].partition(" USING btree ")[2] for row in rows}
    assert definitions == {
        "idx_bookings_dates": "(arrival, departure)",
        "idx_bookings_room": "(room_id, arrival)",
        "idx_bookings_guest": "(guest_id)",
        "idx_bookings_status": "(status) WHERE (status <> 'storniert'::text)",
        "idx_audit_timestamp": '("timestamp" DESC)',
        "idx_audit_user": "(user_id)",
    }
