"""Rows that waited in quarantine for what they refer to come over when it does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.databases import Server, TestDatabase
from tests.legacy.migration import Run, accounted, migrate, query, source, value
from tools.make_legacy_sqlite import LATE, build

TABLES = ("rooms", "guests", "bookings", "occupancies", "price_lines", "payments", "booking_companions",
          "companions", "reminders", "credit_transactions")  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A house without defects."""
    return build(tmp_path / "alt.sqlite", LATE, guests=40, bookings=80).path


def again(database: TestDatabase, file: Path, tmp_path: Path, *flags: str) -> Run:
    result = migrate(database, file, tmp_path / "run", "--no-backup", *flags)
    assert result.code == 0
    accounted(result.tables)
    return result


def content(database: TestDatabase) -> dict[str, Any]:
    """Numbers of the house, and the money of each booking."""
    found: dict[str, Any] = {
        name: value(database, f"SELECT array_agg(id ORDER BY id) FROM app.{name}")
        for name in TABLES
        if name not in ("price_lines", "occupancies", "payments", "booking_companions")
    }
    found |= {name: value(database, f"SELECT count(*) FROM app.{name}") for name in TABLES}
    lines = query(database, "SELECT booking_id, sum(amount) FROM app.price_lines GROUP BY 1 ORDER BY 1")
    found["money"] = [tuple(row) for row in lines]
    found["quarantine"] = value(database, "SELECT count(*) FROM legacy.quarantine")
    return found


def busiest(file: Path, column: str) -> int:
    """The parent on which most bookings with services depend."""
    with source(file) as old:
        found: int = old.execute(
            f"SELECT b.{column} FROM bookings b JOIN additional_services s ON s.booking_id = b.id"
            " GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
        ).fetchone()[0]
    return found


@pytest.mark.parametrize(
    ("parent", "column", "spoil"),
    [
        pytest.param("guests", "guest_id", "nachname = ''", marks=pytest.mark.long),
        ("rooms", "room_id", "capacity = -1"),
    ],
)
def test_a_corrected_parent_brings_all_that_waited_for_it(
    parent: str, column: str, spoil: str, server: Server, database: TestDatabase, file: Path, tmp_path: Path
) -> None:
    fresh = server.clone()
    again(fresh, file, tmp_path)
    expected = content(fresh)
    server.drop(fresh)
    record = busiest(file, column)
    with source(file) as old:
        right = old.execute(f"SELECT * FROM {parent} WHERE id = ?", (record,)).fetchone()
        old.execute(f"UPDATE {parent} SET {spoil} WHERE id = ?", (record,))
    first = again(database, file, tmp_path)
    waiting = first.tables["bookings"]["quarantined"]
    assert waiting > 0
    assert first.tables["additional_services"]["quarantined"] > 0
    before = content(database)
    with source(file) as old:
        old.execute(f"REPLACE INTO {parent} VALUES ({', '.join('?' * len(right))})", right)
    # The parent itself is a changed row.
    result = again(database, file, tmp_path)
    assert result.tables[parent]["changed_not_taken"] == 1
    assert content(database) == before
    result = again(database, file, tmp_path, "--update")
    assert result.tables["bookings"]["migrated"] == waiting
    assert content(database) == expected
    result = again(database, file, tmp_path, "--update")
    assert all(table["already_there"] == table["read"] for table in result.tables.values())


def test_a_parent_that_was_missing_brings_them_without_update(
    database: TestDatabase, file: Path, tmp_path: Path
) -> None:
    guest, room = busiest(file, "guest_id"), busiest(file, "room_id")
    gone: dict[str, Any] = {}
    with source(file) as old:
        for table, record in (("guests", guest), ("rooms", room)):
            gone[table] = old.execute(f"SELECT * FROM {table} WHERE id = ?", (record,)).fetchone()
            old.execute(f"DELETE FROM {table} WHERE id = ?", (record,))
        both = old.execute(
            "SELECT count(*) FROM bookings WHERE guest_id = ? AND room_id = ?", (guest, room)
        ).fetchone()[0]
        if not both:
            old.execute(
                "UPDATE bookings SET room_id = ?"
                " WHERE id = (SELECT min(id) FROM bookings WHERE guest_id = ?)",
                (room, guest),
            )
            both = 1
    waiting = again(database, file, tmp_path).tables["bookings"]["quarantined"]
    for table in ("guests", "rooms"):
        with source(file) as old:
            marks = ", ".join("?" * len(gone[table]))
            old.execute(f"INSERT INTO {table} VALUES ({marks})", gone[table])
        result = again(database, file, tmp_path)
        assert result.tables[table]["migrated"] == 1
        if table == "guests":
            still = value(database, "SELECT count(*) FROM legacy.quarantine WHERE source_table = 'bookings'")
            assert both <= still < waiting
    assert value(database, "SELECT count(*) FROM legacy.quarantine") == 0
    with source(file) as old:
        total = old.execute("SELECT sum(round(gesamtpreis * 100)) FROM bookings").fetchone()[0]
    assert value(database, "SELECT sum(amount) * 100 FROM app.price_lines") == total


def test_a_price_line_that_waited_for_its_template_waits_for_update_with_its_booking(
    database: TestDatabase, file: Path, tmp_path: Path
) -> None:
    with source(file) as old:
        link, template, booking = old.execute(
            "SELECT s.id, s.service_template_id, s.booking_id FROM booking_services s LIMIT 1"
        ).fetchone()
        old.execute(
            "DELETE FROM booking_services WHERE service_template_id = ? AND id <> ?", (template, link)
        )
        gone = old.execute("SELECT * FROM service_templates WHERE id = ?", (template,)).fetchone()
        old.execute("DELETE FROM service_templates WHERE id = ?", (template,))
    assert again(database, file, tmp_path).tables["booking_services"]["quarantined"] == 1
    lines = "SELECT count(*), sum(amount) FROM app.price_lines WHERE booking_id = $1 AND kind = 'service'"
    before = query(database, lines, booking)[0]
    total = value(database, "SELECT sum(amount) FROM app.price_lines WHERE booking_id = $1", booking)
    with source(file) as old:
        old.execute(f"INSERT INTO service_templates VALUES ({', '.join('?' * len(gone))})", gone)
    result = again(database, file, tmp_path)
    assert result.tables["service_templates"]["migrated"] == 1
    assert result.tables["booking_services"]["changed_not_taken"] == 1
    assert query(database, lines, booking)[0] == before
    result = again(database, file, tmp_path, "--update")
    assert result.tables["bookings"]["migrated"] == 1
    named = value(
        database,
        "SELECT count(*) FROM app.price_lines WHERE booking_id = $1 AND service_template_id = $2",
        booking, template,
    )  # fmt: skip
    assert named == 1
    assert value(database, "SELECT sum(amount) FROM app.price_lines WHERE booking_id = $1", booking) == total
    assert value(database, "SELECT count(*) FROM legacy.quarantine") == 0
