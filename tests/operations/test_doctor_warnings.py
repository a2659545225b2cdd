"""Every problem of ``Problem`` is brought about in earnest; here those of one database."""

from __future__ import annotations

import ast
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dpolg_tui.db import health
from dpolg_tui.domain.health import END_OF_SUPPORT
from dpolg_tui.domain.health_figures import Figures
from dpolg_tui.domain.problems import TITLES, Problem, Status
from tests.databases import TestDatabase
from tests.operations.backups import settings_of
from tests.operations.doctor_looks import Looked, by_key, look, told
from tests.sql.stage import connected
from tools.wire_proxy import wire_proxy

pytestmark = pytest.mark.usefixtures("home")


def provoked() -> set[str]:
    """The problems that tests of doctor name, those that ask for them by ``told`` or ``judged``."""
    found = set()
    for module in Path(__file__).parent.glob("test_doctor*.py"):
        for test in ast.parse(module.read_text(encoding="utf-8")).body:
            parts = list(ast.walk(test))
            called = {ast.unparse(part.func) for part in parts if isinstance(part, ast.Call)}
            if called & {"told", "judged"}:
                named = (part for part in parts if isinstance(part, ast.Attribute))
                found |= {part.attr for part in named if ast.unparse(part.value) == "Problem"}
    return found


def test_every_problem_is_provoked_on_a_server_or_a_terminal() -> None:
    assert {problem.name for problem in Problem} - provoked() == set()


def test_codes_are_of_a_line_and_there_is_one_of_each() -> None:
    assert {problem.key for problem in Problem} <= TITLES.keys()
    assert len({problem.code for problem in Problem}) == len(Problem)


def test_the_page_names_every_problem_and_how_bad_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "health.md").read_text(encoding="utf-8")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]] for line in page.splitlines() if line[:3] == "| `"
    ]
    for problem in Problem:
        what = f"`{problem.code.partition('.')[2]}`"
        [row] = [row for row in rows if f"`{problem.key}`" in row[0].split(", ") and len(row) == 4]
        warning, error = (what in cell for cell in row[2:])
        assert (warning, error) == (problem.status is Status.WARNING, problem.status is Status.ERROR), problem


# -- where it is -----------------------------------------------------------------------------------


async def test_a_dead_second_server_is_a_warning_and_a_dead_only_one_an_error(database: TestDatabase) -> None:
    settings = settings_of(database.owner_dsn)
    dead = ("127.0.0.1", 1)
    found = await look(replace(settings, hosts=(*settings.hosts, dead)))
    told(found, Problem.HOST_ONE_UNUSABLE, "127.0.0.1:1")
    assert found["backup"][0].status is Status.OK
    alone = await look(replace(settings, hosts=(dead,)))
    told(alone, Problem.HOST_UNUSABLE, "127.0.0.1:1")
    assert alone["backup"][0].status is Status.UNKNOWN


async def test_a_wrong_password_is_told(database: TestDatabase) -> None:
    found = await look(replace(settings_of(database.owner_dsn), password="wrong"))
    told(found, Problem.HOST_UNUSABLE, "Benutzer und Passwort")


async def test_a_far_network(database: TestDatabase) -> None:
    settings = settings_of(database.owner_dsn)
    async with wire_proxy(settings.hosts[0]) as proxy:
        proxy.delay = 0.08
        hosts = await health.look_at_hosts(replace(settings, hosts=(proxy.address,)))
    found = by_key(Figures(health.now(), health.program(), hosts))
    check = told(found, Problem.HOST_SLOW, "ms: das Arbeiten wird zäh")
    assert isinstance(measured := check.figures["round_trip_ms"], float)
    assert measured >= 160


@pytest.mark.parametrize(
    ("shift", "problem", "words"),
    [
        (timedelta(minutes=5), Problem.CLOCK_OFF, "5 Minuten vor"),
        (timedelta(hours=-3), Problem.CLOCK_WRONG, "3 Stunden nach"),
    ],
)
async def test_a_wrong_clock(database: TestDatabase, shift: timedelta, problem: Problem, words: str) -> None:
    found = await look(database.owner_dsn, clock=lambda: datetime.now(UTC) + shift)
    told(found, problem, words)


# -- versions and rights ---------------------------------------------------------------------------


async def test_a_database_that_is_behind(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute(
            "UPDATE app.migrations SET checksum = 'old' WHERE name = 'functions/31_health.sql'"
        )
        told(await look(database.owner_dsn), Problem.SCHEMA_DIFFERS, "functions/31_health.sql")
        await owner.execute("DELETE FROM app.migrations WHERE name LIKE 'schema/0009%'")
        told(await look(database.dsn), Problem.SCHEMA_BEHIND, "nicht auf dem Stand")
        await owner.execute("INSERT INTO app.migrations VALUES ('schema/9999_later.sql', 'x')")
        told(await look(database.owner_dsn), Problem.SCHEMA_NEWER, "neuer als dieses Programm")


async def test_a_database_without_house(empty_database: TestDatabase) -> None:
    found = await look(empty_database.superuser_dsn)
    assert "init-db" in told(found, Problem.SCHEMA_MISSING, "kein Buchungssystem").remedy
    assert "database" not in found


async def test_a_program_that_is_too_old(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE app.installation SET minimum_client = '99.0.0'")
    told(await look(database.owner_dsn), Problem.PROGRAM_OLD, "zu alt")


async def test_a_server_whose_version_has_ended(database: TestDatabase) -> None:
    async with connected(database.owner_dsn) as owner:
        major = owner.get_server_version().major
        shown = (await owner.fetchval("SHOW server_version")).split()[0]
    last = datetime.combine(END_OF_SUPPORT[major], datetime.min.time(), UTC) + timedelta(hours=12)
    found = await look(database.owner_dsn, clock=lambda: last)
    assert found["server"][0].status is Status.OK
    found = await look(database.owner_dsn, clock=lambda: last + timedelta(days=1))
    told(found, Problem.SERVER_ENDED, f"Version {shown}: seit {last:%d.%m.%Y}")


async def test_rights_that_are_not_as_they_must_be(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute("GRANT EXECUTE ON FUNCTION pg_catalog.pg_sleep(double precision) TO PUBLIC")
        told(await look(database.dsn), Problem.CHECKS_HARDENING, "1 Abweichung: hardening")
        await superuser.execute("GRANT SELECT ON app.rooms TO booking_user")
    for dsn in (database.owner_dsn, database.dsn):
        told(await look(dsn), Problem.CHECKS_MUST, "app.rooms")


async def test_statistics_of_statements_that_nobody_loads(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute("CREATE EXTENSION pg_stat_statements SCHEMA ext")
    [check] = (await look(database.owner_dsn))["statements"]
    assert check.status is Status.UNKNOWN
    assert "shared_preload_libraries" in check.says


# -- what it holds ---------------------------------------------------------------------------------


async def test_a_database_that_grows_unusually(database: TestDatabase) -> None:
    """The size is the server's own: a table whose file became large, without a byte that is written."""
    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute("INSERT INTO app.sizes VALUES (app.today() - 20, 12000000)")
        file = await superuser.fetchval(
            "SELECT current_setting('data_directory') || '/' || pg_relation_filepath('app.audit_log')"
        )
        assert (await look(database.owner_dsn))["size"][0].status is Status.OK
        os.truncate(file, 600 * 1024**2)
        check = told(
            await look(database.owner_dsn), Problem.SIZE_GROWN, "ungewöhnlich viel. Am größten: app.audit_log"
        )
    assert "seit" in check.says


async def test_backups_that_are_old_failed_or_not_verified(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE app.installation SET created_at = now() - interval '3 days'")
        told(await look(database.owner_dsn), Problem.BACKUP_NEVER, "noch keine")
        await owner.execute("ALTER TABLE app.backups DISABLE TRIGGER backups_append_only")

        async def record(kind: str, age: str, *, ok: bool) -> Looked:
            await owner.execute(
                "INSERT INTO app.backups (kind, at, ok, server_version)"
                " VALUES ($1, now() - $2::text::interval, $3, '1')",
                kind,
                age,
                ok,
            )
            return await look(database.owner_dsn)

        told(await record("backup", "2 days", ok=True), Problem.BACKUP_OVERDUE, "älter als ein Tag")
        found = await record("backup", "3 hours", ok=True)
        assert found["backup"][0].status is Status.OK
        told(found, Problem.VERIFICATION_NEVER, "Noch nie")
        told(await record("backup", "2 hours", ok=False), Problem.BACKUP_FAILED, "gescheitert")
        told(await record("copy", "2 hours", ok=False), Problem.BACKUP_COPY_FAILED, "gescheitert")
        told(await record("verification", "9 days", ok=True), Problem.VERIFICATION_OLD, "über eine Woche")
        found = await record("verification", "1 day", ok=False)
        told(found, Problem.VERIFICATION_FAILED, "nicht wiederherstellen")
