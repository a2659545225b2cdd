"""A second run with ``--update``: what the new version of a row may and may not do to what is there."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import execute, migrate, query, value

MORE = "".join(
    f"INSERT INTO guests VALUES ({number}, 'Kim', 'Gast {number}', '', '', 0, '2025-01-02 03:04:05');"
    f"INSERT INTO bookings VALUES ({number}, 3, {number}, '2025-{number}', '2025-03-{number}',"
    f" '2025-03-{number + 1}', 1, 'bestaetigt', 100, '2025-01-02 03:04:05');"
    for number in range(10, 28)
)


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as old, old:
        for statement in statements:
            old.execute(statement)


def test_a_version_that_is_not_valid_leaves_the_record_as_it_was(
    database: TestDatabase, tmp_path: Path
) -> None:
    path = make(tmp_path / "alt.sqlite", MORE)
    assert migrate(database, path, tmp_path / "run").code == 0
    change(
        path,
        "UPDATE bookings SET checkout_date = '2025-03-01' WHERE id = 10",
        "UPDATE guests SET nachname = '' WHERE id = 11",
        "UPDATE bookings SET status = 'eingecheckt' WHERE id = 11",
    )
    result = migrate(database, path, tmp_path / "run", "--update", "--no-backup")
    assert result.report is not None
    assert {
        (row["table"], row["id"]): (row["taken"], row["obstacle"]) for row in result.report["changed"]
    } == {
        ("bookings", 10): (
            False,
            "die neue Fassung ist ungültig: Die Abreise „2025-03-01“ liegt nicht nach der Anreise.",
        ),
        ("bookings", 11): (True, None),
        ("guests", 11): (False, "die neue Fassung ist ungültig: Der Nachname fehlt."),
    }
    assert result.tables["bookings"]["changed_not_taken"] == 1
    stays = query(
        database,
        "SELECT b.id, b.status, (SELECT count(*) FROM app.occupancies o WHERE o.booking_id = b.id),"
        " (SELECT sum(l.amount)::text FROM app.price_lines l WHERE l.booking_id = b.id)"
        " FROM app.bookings b WHERE b.id IN (10, 11) ORDER BY b.id",
    )
    assert [tuple(row) for row in stays] == [
        (10, "bestaetigt", 1, "100.00"),
        (11, "eingecheckt", 1, "100.00"),
    ]
    assert value(database, "SELECT count(*) FROM legacy.quarantine") == 0

    change(
        path,
        "UPDATE bookings SET checkout_date = '2025-03-11', gesamtpreis = 120 WHERE id = 10",
        "UPDATE guests SET nachname = 'Neu' WHERE id = 11",
    )
    assert migrate(database, path, tmp_path / "run", "--update", "--no-backup").code == 0
    assert value(database, "SELECT last_name FROM app.guests WHERE id = 11") == "Neu"
    assert value(database, "SELECT sum(amount)::text FROM app.price_lines WHERE booking_id = 10") == "120.00"
    counts = query(database, "SELECT (SELECT count(*) FROM app.guests), (SELECT count(*) FROM app.bookings)")
    assert tuple(counts[0]) == (19, 19), "a corrected row is not a second one"


@pytest.mark.parametrize("created", ["''", "'2025-01-02 03:04:05.123456+00'", "'2025-1-2 3:04:05'"])
def test_a_house_is_known_again_by_what_its_file_said(
    created: str, database: TestDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also rows in quarantine, with a new number or without a readable moment, when all of them changed."""
    path = make(
        tmp_path / "alt.sqlite",
        MORE,
        f"UPDATE guests SET created_at = {created}; UPDATE bookings SET created_at = {created};"
        "UPDATE bookings SET checkout_date = 'x' WHERE id < 18;"
        "UPDATE bookings SET reservierungsnummer = id || '-TEMP' WHERE id > 18;"
        "UPDATE bookings SET reservierungsnummer = 'TEMP' WHERE id = 20",
    )
    assert migrate(database, path, tmp_path / "run").code == 0
    change(path, "ALTER TABLE guests ADD COLUMN neu TEXT", "ALTER TABLE bookings ADD COLUMN neu TEXT")
    result = migrate(database, path, tmp_path / "run", "--no-backup", capsys=capsys)
    assert result.code == 0, result.err
    assert result.tables["bookings"]["changed_not_taken"] == 19
    change(path, "UPDATE guests SET created_at = '2024-09-09 00:00:00', nachname = 'Fremd'")
    assert migrate(database, path, tmp_path / "run", "--no-backup", capsys=capsys).code == 1


def test_rows_that_got_a_new_id_are_renewed_under_it(
    database: TestDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    execute(
        database,
        "SET app.bulk = 'on'",
        "INSERT INTO app.rooms (id, name, category, place, capacity) OVERRIDING SYSTEM VALUE"
        " VALUES (3, 'Neues Zimmer', 'EZ', 'Ort', 1)",
        "INSERT INTO app.guests (id, last_name) OVERRIDING SYSTEM VALUE VALUES (7, 'Neu'), (10, 'Auch neu')",
        "INSERT INTO app.bookings (id, number, guest_id) OVERRIDING SYSTEM VALUE VALUES (9, 'N-1', 7)",
    )
    path = make(tmp_path / "alt.sqlite", MORE)
    assert migrate(database, path, tmp_path / "run", "--no-backup").code == 0
    change(
        path,
        "UPDATE bookings SET gesamtpreis = gesamtpreis + 1",
        "UPDATE guests SET vorname = 'Anders'",
        "UPDATE rooms SET capacity = 4",
    )
    result = migrate(database, path, tmp_path / "run", "--update", "--no-backup", capsys=capsys)
    assert result.code == 0, result.err
    met = query(
        database,
        "SELECT b.number, b.id <> 9 AS new_id, g.first_name, r.capacity, r.name FROM app.bookings b"
        " JOIN app.guests g ON g.id = b.guest_id JOIN app.occupancies o ON o.booking_id = b.id"
        " JOIN app.rooms r ON r.id = o.room_id WHERE b.number IN ('2025-9', '2025-10') ORDER BY b.id DESC",
    )
    assert [tuple(row) for row in met] == [
        ("2025-9", True, "Anders", 4, "Zimmer 3"),
        ("2025-10", True, "Anders", 4, "Zimmer 3"),
    ]
