"""Which backups stay: newest of thirty days, eight weeks, twelve months."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from dpolg_tui.config import BackupSettings
from dpolg_tui.db.backups import Facts
from dpolg_tui.operations import manifest
from dpolg_tui.operations.manifest import FileMark, Manifest
from dpolg_tui.operations.retention import kept, prune

FIRST = datetime(2024, 1, 1, 2, tzinfo=UTC)
PLAN = BackupSettings()


def nightly(days: int) -> list[str]:
    return [manifest.name_at(FIRST + timedelta(days=day)) for day in range(days)]


def test_after_two_years_thirty_days_eight_weeks_twelve_months_are_left() -> None:
    names = nightly(731)  # until 31 December 2025
    stay = kept(names, PLAN)
    assert set(names[-30:]) <= stay
    days = {manifest.day_of(name).date().isoformat() for name in stay - set(names[-30:])}
    # Sundays of the weeks before December (the daily ones begin on the 2nd), and the ends of the months.
    assert days == {
        *("2025-11-30", "2025-11-23", "2025-11-16"),
        *("2025-10-31", "2025-09-30", "2025-08-31", "2025-07-31", "2025-06-30", "2025-05-31"),
        *("2025-04-30", "2025-03-31", "2025-02-28", "2025-01-31"),
    }


def test_nothing_that_one_night_keeps_was_dropped_the_night_before() -> None:
    """Pruned every night for two years, the same is left as if it were pruned once at the end."""
    names = nightly(731)
    there: set[str] = set()
    for name in names:
        there = kept([*there, name], PLAN)
    assert there == kept(names, PLAN)


def test_all_of_the_newest_day_stay() -> None:
    """The backup before an upgrade must not go because another one follows an hour later."""
    today = [manifest.name_at(FIRST + timedelta(hours=hour)) for hour in (0, 5, 6)]
    assert kept(today, PLAN) == set(today)
    tomorrow = manifest.name_at(FIRST + timedelta(days=1))
    assert kept([*today, tomorrow], PLAN) == {today[-1], tomorrow}


def test_after_a_long_pause_nothing_is_lost() -> None:
    names = nightly(10)
    late = manifest.name_at(FIRST + timedelta(days=800))
    assert kept([*names, late], PLAN) == {*names, late}


def make(directory: Path, name: str, database: str = "dpolg_booking") -> None:
    facts = Facts(database, "0", "18.1", 18, 8, 1, {}, FIRST)
    mark = FileMark(f"{name}.dump", 1, "0" * 64)
    Manifest(facts, "0.1.0", 18, mark, mark, {}).write(directory / f"{name}.json")
    for suffix in (".dump", ".globals.sql"):
        (directory / f"{name}{suffix}").write_bytes(b"x")


def test_only_our_own_files_go(tmp_path: Path) -> None:
    names = nightly(40)
    for name in names:
        make(tmp_path, name)
    other = manifest.name_at(FIRST - timedelta(days=500))
    make(tmp_path, other, "another_house")
    broken = manifest.name_at(FIRST - timedelta(days=600))
    make(tmp_path, broken)
    (tmp_path / f"{broken}.json").write_text("{")
    for name in ("dpolg_backup_20200101_030000.dump", "notizen.txt", "dpolg_backup_alt.json"):
        (tmp_path / name).touch()
    before = {path.name for path in tmp_path.iterdir()}
    gone = prune(tmp_path, "dpolg_booking", BackupSettings(keep_daily=5, keep_weekly=0, keep_monthly=0))
    assert gone == names[:-5]
    after = {path.name for path in tmp_path.iterdir()}
    assert before - after == {
        f"{name}{suffix}" for name in gone for suffix in (".dump", ".globals.sql", ".json")
    }


def test_an_empty_directory(tmp_path: Path) -> None:
    assert prune(tmp_path, "dpolg_booking", PLAN) == []


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (datetime(2026, 11, 22, 2, 0, tzinfo=UTC), "dpolg_backup_20261122_030000"),
        (datetime(2026, 7, 1, 1, 0, 7, tzinfo=UTC), "dpolg_backup_20260701_030007"),
    ],
)
def test_names_are_of_the_clock_of_the_house(moment: datetime, name: str) -> None:
    assert manifest.name_at(moment) == name
