"""Rooms that were entered by hand before the data came: the old room is that room and brings its bookings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dpolg_tui.legacy import mapping
from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import Run, accounted, execute, migrate, query, source, state, value

BY_HAND = (
    "INSERT INTO app.rooms (name, category, building, place, capacity, price_low, price_high, key_code,"
    " notes) VALUES ('Zimmer 1', 'DZ', NULL, 'Ort', 3, 70, 80, 'neu', 'von Hand'),"
    " ('zimmer 3', 'EZ', 'Haus A', 'ORT', 1, 65.5, 65.5, '1234', NULL),"
    " ('Anderes', 'EZ', NULL, 'Ort', 1, 0, 0, NULL, NULL),"
    " ('Müller', 'EZ', 'Haus A', 'Ort', 2, 45, 45, NULL, NULL)"
)
OLD = """
INSERT INTO rooms VALUES (1, 'Altes', 'EZ', 'Ort', 1, 1, 1, NULL),
    (5, ' ZIMMER 1', 'DZ', 'Ort ', 2, 45, 66, 'alt'),
    (6, 'Zimmer 1', 'DZ', 'ort', 2, 45, 66, NULL), (8, 'Zimmer 1', 'DZ', 'Anderswo', 2, 45, 66, NULL),
    (9, 'Zimmer 3 ', 'EZ', 'Ort', 2, 45, 66, NULL),
    (11, CAST(X'4DFC6C6C6572' AS TEXT), 'Haus A', 'Ort', 2, 45, 45, NULL);
INSERT INTO guests VALUES (1, 'Änne', 'Straße', 'a@example.org', '1', 1, '2025-01-02 03:04:05');
INSERT INTO bookings VALUES
    (1, 5, 7, '2025-1', '2025-02-01', '2025-02-03', 3, 'bestaetigt', 10, '2025-01-02 03:04:05'),
    (2, 5, 7, '2025-2', '2025-02-03', '2025-02-05', 2, 'bestaetigt', 10, '2025-01-02 03:04:06'),
    (3, 6, 7, '2025-3', '2025-02-03', '2025-02-05', 2, 'bestaetigt', 10, '2025-01-02 03:04:07');
"""
ROOMS = "SELECT r::text FROM app.rooms r WHERE id <= (SELECT min(id) + 3 FROM app.rooms) ORDER BY id"


@pytest.fixture
def file(database: TestDatabase, tmp_path: Path) -> Path:
    execute(database, BY_HAND)
    return make(tmp_path / "alt.sqlite", OLD)


def taken_over(database: TestDatabase, file: Path, tmp_path: Path, *flags: str, capsys: Any = None) -> Run:
    result = migrate(database, file, tmp_path / "run", "--no-backup", *flags, capsys=capsys)
    assert result.code == 0, result.err
    accounted(result.tables)
    return result


def test_the_old_room_is_the_one_that_is_there(
    database: TestDatabase, file: Path, tmp_path: Path, capsys: Any
) -> None:
    before = query(database, ROOMS)
    result = taken_over(database, file, tmp_path, capsys=capsys)
    assert result.report is not None
    assert query(database, ROOMS) == before
    first, third, _ = (row[0] for row in query(database, "SELECT id FROM app.rooms ORDER BY id LIMIT 3"))
    # The second old one of the same name is in quarantine, and its booking with it.
    assert {(row["table"], row["id"], row["code"]) for row in result.report["quarantine"]} == {
        ("rooms", 6, "second_row"),
        ("rooms", 9, "second_row"),
        ("bookings", 3, "parent_quarantined"),
    }
    stays = query(database, "SELECT b.number, o.room_id FROM app.occupancies o JOIN app.bookings b"
                            " ON b.id = o.booking_id ORDER BY 1")  # fmt: skip
    assert [tuple(row) for row in stays] == [("2025-1", first), ("2025-2", first), ("2025-9", third)]
    assert {(row[0], row[1]) for row in query(
        database, "SELECT old_id, new_id FROM legacy.id_map WHERE table_name = 'rooms'"
    )} >= {(5, first), (3, third)}  # fmt: skip
    assert value(database, "SELECT count(*) FROM app.guests") == 2, "guests are never merged"
    # Each field that differs is named; its old value is kept, but for the key code.
    there = {row["id"]: (row["number"], row["columns"]) for row in result.report["attention"]
             if row["kind"] == "room_there"}  # fmt: skip
    assert there == {
        5: ("Zimmer 1", "capacity, hauptsaison_preis, name, nebensaison_preis, ort, schluesselcode"),
        3: ("zimmer 3", "capacity, gebaeude_typ, name, ort"),
        11: ("Müller", ""),
    }
    assert "Zimmer war schon da, seine Werte gelten: zimmer 3 (capacity" in result.out
    kept = value(
        database, "SELECT data::text FROM legacy.kept_rows WHERE table_name = 'rooms' AND row_id = 5"
    )
    assert '["text", "***"]' in kept
    assert "alt" not in kept
    assert result.report["secrets_only_in_copy"] == [
        {"table": "rooms", "column": "schluesselcode", "rows": 1},
    ]
    assert result.out.splitlines()[-3] == (
        "ACHTUNG: 1 × bleibt eine Buchung in Quarantäne: 1, weil ihr Zimmer oder Gast es ist (2 Zimmer). "
        "Bitte diese Zimmer und Gäste im alten Programm berichtigen und noch einmal mit --update aufrufen: "
        "dann kommen die Buchungen mit."
    )
    # The beds are those of the room that is there.
    assert not [row for row in result.report["attention"] if row["kind"] == "too_many_persons"]


def test_a_second_run_knows_it(database: TestDatabase, file: Path, tmp_path: Path) -> None:
    taken_over(database, file, tmp_path)
    before = state(database)["app.rooms"]
    with source(file) as old:
        old.execute("UPDATE rooms SET capacity = 4 WHERE id = 3")
        old.execute("INSERT INTO rooms VALUES (10, 'ZIMMER 3', 'Haus A', 'Ort', 1, 1, 1, NULL)")
        old.execute("INSERT INTO bookings SELECT 10, 3, 7, '2025-10', '2025-08-01', '2025-08-03', 1,"
                    " 'bestaetigt', 1, created_at FROM bookings WHERE id = 9")  # fmt: skip
    result = taken_over(database, file, tmp_path, "--update")
    assert result.tables["rooms"]["quarantined"] == 1
    assert result.tables["rooms"]["migrated"] + result.tables["rooms"]["changed_not_taken"] == 1
    assert result.tables["bookings"]["migrated"] == 1
    assert state(database)["app.rooms"] == before


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ("UPDATE app.rooms SET building = 'B' WHERE name = 'Anderes'", "rooms: 1 Zimmer, die schon da waren"),
        (
            "UPDATE migration_fate SET target_id = (SELECT id FROM app.rooms WHERE name = 'Anderes')"
            " WHERE source_table = 'rooms' AND row_id = 5",
            "rooms 5: Spalte name ist weder",
        ),
        (
            "DELETE FROM legacy.kept_rows WHERE table_name = 'rooms' AND row_id = 3",
            "rooms 3: Spalte capacity ist weder",
        ),
    ],
)
def test_only_what_is_named_may_differ(
    spoil: str, said: str, database: TestDatabase, file: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    honest = mapping.apply

    async def dishonest(connection: Any, *rest: Any) -> None:
        await honest(connection, *rest)
        await connection.execute(spoil)

    monkeypatch.setattr(mapping, "apply", dishonest)
    before = state(database)
    result = migrate(database, file, tmp_path / "run", "--no-backup", capsys=capsys)
    assert (result.code, state(database)) == (1, before)
    assert said in result.err
