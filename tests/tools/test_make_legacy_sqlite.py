"""Generated files of the predecessor: sound without defects, spoiled exactly where they say so."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tools.make_legacy_sqlite import (
    DEFECTS,
    EARLY,
    LAST,
    LATE,
    MIDDLE,
    STAGES,
    Built,
    applicable,
    build,
    build_newer,
    build_rows,
)

TOOL = Path(__file__).parents[2] / "tools" / "make_legacy_sqlite.py"
SMALL: dict[str, Any] = {"guests": 40, "bookings": 60, "log_rows": 60}
OVERLAPS = """
    SELECT max(a.id, b.id) FROM bookings a JOIN bookings b
        ON a.id < b.id AND a.room_id = b.room_id
        AND a.checkin_date < b.checkout_date AND b.checkin_date < a.checkout_date
     WHERE a.status <> 'storniert' AND b.status <> 'storniert'
"""


def ask(path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        return database.execute(query).fetchall()


def values(built: Built, defect: str, column: str) -> list[Any]:
    """What the column holds in the rows that the defect hit, without rows of tables that lack it."""
    return [
        ask(built.path, f"SELECT {column} FROM {table} WHERE id = {number}")[0][0]
        for table, number, changed in built.cells[defect]
        if changed == column
    ]


def ids(built: Built, defect: str, table: str = "bookings") -> list[int]:
    return sorted(number for hit, number in built.hits[defect] if hit == table)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_tables_and_sound_contents(stage: int, tmp_path: Path) -> None:
    built = build(tmp_path / "alt.sqlite", stage, **SMALL)
    assert len(built.counts) == stage + 5
    assert (built.counts["guests"], built.counts["bookings"], built.counts["rooms"]) == (40, 60, 16)
    assert ask(built.path, "PRAGMA integrity_check") == [("ok",)]
    assert ask(built.path, "PRAGMA foreign_key_check") == []
    assert ask(built.path, OVERLAPS) == []
    assert (
        ask(
            built.path,
            "SELECT id FROM bookings WHERE "
            "abs(grundpreis + services_preis - rabatt_preis - gesamtpreis) > 0.001"
            " OR gesamtpreis <> round(gesamtpreis, 2) OR checkout_date <= checkin_date"
            " OR julianday(checkout_date) - julianday(checkin_date) <> anzahl_naechte",
        )
        == []
    ), "sums and nights"
    assert (
        ask(
            built.path,
            "SELECT b.id FROM bookings b JOIN rooms r ON r.id = b.room_id WHERE b.anzahl_gaeste > r.capacity",
        )
        == []
    )
    assert built.hits == {}
    logs = built.counts.get("email_logs", 0) + built.counts.get("transaction_log", 0)
    assert logs == (0 if stage < 4 else 60)


def test_the_stages_of_the_sample_files_have_their_columns(tmp_path: Path) -> None:
    columns = {
        stage: {
            table: {name for (name,) in ask(built.path, f"SELECT name FROM pragma_table_info('{table}')")}
            for table in ("rooms", "guests", "bookings")
        }
        for stage in (EARLY, MIDDLE, LATE)
        if (built := build(tmp_path / f"{stage}.sqlite", stage, **SMALL))
    }
    assert [len(tables["guests"]) for tables in columns.values()] == [15, 15, 36]
    assert [len(tables["bookings"]) for tables in columns.values()] == [17, 24, 27]
    assert [len(tables["rooms"]) for tables in columns.values()] == [8, 11, 15]


def test_the_order_of_appended_columns_differs_from_house_to_house(tmp_path: Path) -> None:
    orders = set()
    for seed in range(4):
        built = build(tmp_path / f"{seed}.sqlite", MIDDLE, seed=seed, **SMALL)
        orders.add(tuple(ask(built.path, "SELECT name FROM pragma_table_info('guests')")))
        assert ask(built.path, "SELECT count(*) FROM guests WHERE email LIKE '%@example.org'") == [(40,)]
    assert len(orders) > 1


def test_a_young_file_can_have_fewer_columns_or_tables(tmp_path: Path) -> None:
    built = build(tmp_path / "a.sqlite", LATE, without={"bookings.ist_dpolg_mitglied", "reminders"}, **SMALL)
    assert "reminders" not in built.counts
    assert ("ist_dpolg_mitglied",) not in ask(built.path, "SELECT name FROM pragma_table_info('bookings')")
    with pytest.raises(ValueError, match=r"no such table or column: bookings\.wetter"):
        build(tmp_path / "b.sqlite", without={"bookings.wetter"})


def test_the_same_seed_makes_the_same_file(tmp_path: Path) -> None:
    rates = dict.fromkeys(DEFECTS, 0.03)
    first, second, third = (
        build(tmp_path / name, LAST, seed=seed, defects=rates, **SMALL)
        for name, seed in (("a", 7), ("b", 7), ("c", 8))
    )
    assert first.path.read_bytes() == second.path.read_bytes() != third.path.read_bytes()
    assert (first.hits, first.counts) == (second.hits, second.counts)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_hits_what_it_says(name: str, tmp_path: Path) -> None:
    sound = build(tmp_path / "sound.sqlite", LAST, guests=120, bookings=200)
    built = build(tmp_path / "spoiled.sqlite", LAST, guests=120, bookings=200, defects={name: 0.1})
    assert set(built.hits) == {name}
    assert built.hits[name] or name == "unknown_view"
    assert len(set(built.hits[name])) == len(built.hits[name])
    added = {table: count - sound.counts.get(table, 0) for table, count in built.counts.items()}
    for table, number in built.hits[name]:
        assert added[table] or ask(built.path, f'SELECT 1 FROM "{table}" WHERE id = {number}') == [(1,)]
    assert ask(built.path, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.parametrize("stage", STAGES)
def test_all_defects_together_in_every_stage(stage: int, tmp_path: Path) -> None:
    built = build(tmp_path / "alt.sqlite", stage, seed=stage, defects=dict.fromkeys(DEFECTS, 0.02), **SMALL)
    hits = [hit for found in built.hits.values() for hit in found]
    assert len(set(hits)) == len(hits), "a row has at most one defect"
    missed = {name for name in DEFECTS if not built.hits[name]}
    assert missed.isdisjoint({"overlap", "bad_date", "orphan_guest", "unknown_status", "email_word"})
    assert {name for name in DEFECTS if built.hits[name]} <= set(applicable(stage))
    assert ask(built.path, "PRAGMA integrity_check") == [("ok",)]


def test_the_rate_counts(tmp_path: Path) -> None:
    built = build(
        tmp_path / "a.sqlite", defects={"email_word": 0.25, "bad_date": 0.001, "noemail": 0}, **SMALL
    )
    assert (len(built.hits["email_word"]), len(built.hits["bad_date"])) == (10, 1)
    assert "noemail" not in built.hits
    whole = build(tmp_path / "b.sqlite", defects={"phone_word": 1}, **SMALL)
    assert len(whole.hits["phone_word"]) == 40


def test_overlaps_are_where_they_are_said_to_be(tmp_path: Path) -> None:
    built = build(tmp_path / "a.sqlite", defects={"overlap": 0.1}, **SMALL)
    later = {
        number
        for (number,) in ask(
            built.path,
            f"SELECT CASE WHEN (a.created_at, a.id) > (b.created_at, b.id) THEN a.id ELSE b.id END "
            f"{OVERLAPS[OVERLAPS.index('FROM') :]}",
        )
    }
    assert sorted(later) == ids(built, "overlap")
    triple = build(tmp_path / "b.sqlite", defects={"overlap_triple": 0.05}, **SMALL)
    pairs = ask(triple.path, OVERLAPS)
    assert len(ids(triple, "overlap_triple")) == 2 * len(pairs) / 3
    chain = build(tmp_path / "c.sqlite", defects={"overlap_chain": 0.05}, **SMALL)
    assert len(ids(chain, "overlap_chain")) == len(ask(chain.path, OVERLAPS))


def test_values_of_some_defects(tmp_path: Path) -> None:
    chosen = (
        *("zero_stay", "julian_date", "integer_as_text", "invalid_utf8", "nul_byte", "money_text"),
        *("partial_birth_date", "boolean_text", "null_boolean", "raw_percentage", "second_settings_row"),
    )
    built = build(tmp_path / "a.sqlite", LAST, guests=200, bookings=300, defects=dict.fromkeys(chosen, 0.02))
    for number in ids(built, "zero_stay"):
        assert ask(built.path, f"SELECT checkin_date = checkout_date FROM bookings WHERE id = {number}") == [
            (1,)
        ]
    for number in ids(built, "julian_date"):
        assert ask(
            built.path,
            "SELECT typeof(checkin_date), date(checkout_date) > date(checkin_date) FROM bookings "
            f"WHERE id = {number}",
        ) == [("real", 1)]
    for table, number, column in built.cells["integer_as_text"]:
        assert ask(built.path, f"SELECT typeof({column}) FROM {table} WHERE id = {number}") == [("text",)]
    assert any("\udcfc" in value for value in values(built, "invalid_utf8", "notizen"))
    assert all("\x00" in value for value in values(built, "nul_byte", "notizen"))
    assert all("," in value for value in values(built, "money_text", "gesamtpreis"))
    assert set(values(built, "boolean_text", "dpolg_mitglied")) <= {"true", "false", "TRUE"}
    assert set(values(built, "null_boolean", "bezahlt")) == {None}
    assert set(values(built, "raw_percentage", "calculated_price")) <= {5.0, 10.0}
    assert ask(built.path, "SELECT count(*) FROM company_settings") == [(2,)]


def test_secrets_are_named(tmp_path: Path) -> None:
    built = build(tmp_path / "a.sqlite", defects={"secret_in_log": 0.05, "second_email_config": 1}, **SMALL)
    stored = {code for (code,) in ask(built.path, "SELECT schluesselcode FROM rooms") if code}
    stored |= {word for (word,) in ask(built.path, "SELECT smtp_password FROM email_config")}
    assert stored < built.secrets
    assert len(built.secrets) == len(stored) + 2, "two in the log"


def test_the_last_change_is_in_the_wal_alone(tmp_path: Path) -> None:
    built = build(tmp_path / "a.sqlite", wal=True, **SMALL)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.sqlite", "a.sqlite-wal"]
    (hit,) = built.hits["wal"]
    assert built.counts["guests"] == 41
    with closing(sqlite3.connect(f"file:{built.path}?immutable=1", uri=True)) as database:
        assert database.execute("SELECT count(*) FROM guests").fetchone() == (40,)
    assert ask(built.path, f"SELECT nachname FROM guests WHERE id = {hit[1]}") == [("Walprotokoll",)]


def test_so_many_rows_exactly(tmp_path: Path) -> None:
    for stage in (EARLY + 3, LATE):
        assert build_rows(tmp_path / f"{stage}.sqlite", 5000, stage).rows == 5000
    with pytest.raises(ValueError, match="1,000 or more"):
        build_rows(tmp_path / "few.sqlite", 10)


def test_the_same_house_some_days_later(tmp_path: Path) -> None:
    rates = {"invalid_utf8": 0.05, "bad_date": 0.05, "unknown_column": 0.1}
    earlier = build(tmp_path / "a.sqlite", defects=rates, **SMALL)
    newer = build_newer(tmp_path / "b.sqlite", earlier.path, changed=0.1, added=0.1, removed=0.05)
    assert newer.counts["bookings"] == 60 + len(ids(newer, "added")) - len(ids(newer, "removed"))
    assert newer.counts["guests"] == 40 + len(ids(newer, "added", "guests"))
    before, after = (
        dict(ask(built.path, "SELECT id, bemerkungen FROM bookings")) for built in (earlier, newer)
    )
    assert sorted(before.keys() - after.keys()) == ids(newer, "removed")
    assert sorted(after.keys() - before.keys()) == ids(newer, "added")
    kept = before.keys() & after.keys()
    assert sorted(number for number in kept if before[number] != after[number]) == ids(newer, "changed")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"stage": 26}, "there are stages 1 to 25"),
        ({"defects": {"erdbeben": 1}}, "no such defect: erdbeben"),
        ({"defects": {"overlap": 1.5}}, "between 0 and 1"),
        ({"guests": 0, "bookings": 3}, "bookings need guests"),
    ],
)
def test_what_cannot_be_made_is_said(arguments: dict[str, Any], problem: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=problem):
        build(tmp_path / "a.sqlite", **arguments)


def test_a_house_without_anything(tmp_path: Path) -> None:
    built = build(tmp_path / "a.sqlite", guests=0, bookings=0, rooms=0, defects=dict.fromkeys(DEFECTS, 0.5))
    assert built.counts["bookings"] == built.counts["rooms"] == 0


def test_as_a_command(tmp_path: Path) -> None:
    command = [
        sys.executable,
        TOOL,
        tmp_path / "a.sqlite",
        "--stage",
        "1",
        "--guests",
        "20",
        "--bookings",
        "30",
    ]
    done = subprocess.run(
        [*command, "--defect", "overlap=0.1"], capture_output=True, text=True, check=True
    ).stdout
    assert "20  guests" in done
    assert "3  × overlap" in done
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "gibt es schon" in again.stderr
    newer = [sys.executable, TOOL, tmp_path / "b.sqlite", "--newer-than", tmp_path / "a.sqlite"]
    assert "× changed" in subprocess.run(newer, capture_output=True, text=True, check=True).stdout
    shown = subprocess.run(
        [sys.executable, TOOL, "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(name in shown for name in DEFECTS)
