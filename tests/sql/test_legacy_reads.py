"""What admins read of schema legacy: pages, search, whole rows. (Others: test_privileges.py.)"""

from __future__ import annotations

from typing import Any

import pytest

from tests.sql.stage import Desk, Stage

pytestmark = pytest.mark.both_versions

WISH = "Später Gast, Straße 5"


async def run_of(stage: Stage) -> int:
    number: int = await stage.superuser.fetchval(
        "INSERT INTO legacy.runs (source_sha256, program_version, report)"
        " VALUES (repeat('a', 64), '1.0', '{\"rows\": 7}') RETURNING id"
    )
    return number


async def keep(stage: Stage, run_id: int, table: str, row_id: int, data: dict[str, Any]) -> None:
    await stage.superuser.execute(
        "INSERT INTO legacy.kept_rows VALUES ($1, $2, $3, $4)", run_id, table, row_id, data
    )


@pytest.fixture
async def runs(stage: Stage) -> list[int]:
    """Two runs, five kept rows of one table, two rows of another, three in quarantine."""
    first, second = await run_of(stage), await run_of(stage)
    for row_id in (-3, 1, 2, 2**40):
        await keep(stage, first, "reste", row_id, {"id": ["integer", str(row_id)], "wunsch": ["text", WISH]})
    await keep(stage, second, "reste", 1, {"bild": ["blob", "AAEC"], "leer": ["null", None]})
    await keep(stage, first, "guests", 5, {"neu": ["text64", "4pi6"], "code": ["text", "***"]})
    await keep(stage, second, "guests", 6, {"neu": ["real", "1.5"]})
    for number, table in enumerate(("guests", "bookings", "bookings"), 5):
        await stage.superuser.execute(
            "INSERT INTO legacy.quarantine (run_id, source_table, source_id, data, reason_code, sentence)"
            " VALUES ($1, $2, $3, $4, 'empty_name', 'Der Nachname fehlt.')",
            first, table, number, {"id": ["integer", str(number)]},
        )  # fmt: skip
    return [first, second]


async def test_runs_and_tables_are_counted(admin: Desk, runs: list[int]) -> None:
    found = await admin.rows("legacy_runs")
    assert [(row["id"], row["program_version"], row["source_rows"]) for row in found] == [
        (number, "1.0", 7) for number in runs
    ]
    tables = await admin.rows("legacy_tables")
    assert [tuple(row.values()) for row in tables] == [
        ("quarantine", "bookings", 2),
        ("quarantine", "guests", 1),
        ("kept", "guests", 2),
        ("kept", "reste", 5),
    ]


async def test_the_quarantine_comes_in_pages_and_is_searched(admin: Desk, runs: list[int]) -> None:
    seen: list[int] = []
    after = None
    while page := await admin.rows("legacy_quarantine", "", after, 2):
        seen += [row["source_id"] for row in page]
        after = page[-1]["id"]
    assert seen == [5, 6, 7]
    for searched, expected in {
        "NACHNAME bookings": [6, 7],
        "empty_name 5": [5],
        "nichts": [],
        "%": [],
        "   ": [5, 6, 7],
    }.items():
        page = await admin.rows("legacy_quarantine", searched, None, 100)
        assert [row["source_id"] for row in page] == expected
    assert await admin.rows("legacy_quarantine", None, None, None) == []
    assert await admin.rows("legacy_quarantine", "x" * 300_000, None, 2**31 - 1) == []
    assert runs


async def test_a_page_of_kept_rows_never_parts_what_two_runs_kept_of_one_row(
    admin: Desk, runs: list[int]
) -> None:
    pages = []
    after = None
    while page := await admin.rows("legacy_kept_rows", "reste", "", after, 2):
        pages.append(sorted((row["row_id"], row["run_id"]) for row in page))
        after = page[-1]["row_id"]
    first, second = runs
    assert pages == [[(-3, first), (1, first), (1, second)], [(2, first), (2**40, first)]]
    found = await admin.rows("legacy_kept_rows", "reste", "straße GAST", None, 10)
    assert [row["row_id"] for row in found] == [-3, 1, 2, 2**40]
    assert found[0]["content"] == f"wunsch {WISH}"
    assert await admin.rows("legacy_kept_rows", "gibt es nicht", "", None, 10) == []


async def test_all_that_is_left_of_a_row(admin: Desk, runs: list[int]) -> None:
    found = await admin.call("legacy_row", "guests", 5)
    assert [(part["place"], part["sentence"], part["data"]) for part in found] == [
        ("quarantine", "Der Nachname fehlt.", {"id": ["integer", "5"]}),
        ("kept", None, {"neu": ["text64", "4pi6"], "code": ["text", "***"]}),
    ]
    assert [part["run_id"] for part in await admin.call("legacy_row", "reste", 1)] == runs
    assert await admin.call("legacy_row", "guests", 999) == []
