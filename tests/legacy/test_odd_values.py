"""Any value in any column: one cell that nobody foresaw must not stop a house from moving."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Server, TestDatabase
from tests.legacy.files import make
from tests.legacy.loading import booking, house, kept, migrated
from tests.legacy.migration import accounted, counts, migrate, query, value
from tools.make_legacy_sqlite import LAST, build

# Texts, numbers and bytes; ``memoryview`` stands for bytes that are stored as text.
ODD: tuple[Any, ...] = (
    *("", " ", "\n", "abc", "Ä", "T", "ja", "1\n", "+1", "007", "1e3", "0x10", "１２", "NaN", "inf"),
    *("12,50", "1.234,56 €", "1,234.56", "1.234", "5-", "-5,00", "0,005", "1_000", "99999999999"),
    *(2, -1, 366, 10**6 + 1, 2**31, 2**53, 2**63 - 1, -(2**63), 45296, 20240105, 1704412800000),
    *(0.005, 1.005, 2.675, 1e15, 1e16, 1e22, 1e300, 1e308, -1e308, 1e-320, float("inf")),
    *("2024-1-5", "5.1.2024", "05.01.24", "2024-01-05T22:30:00Z", "2024-01-05 22:30:00 UTC", "2024/01/05"),
    *("2024-01-05 24:00:00", "2024-01-05 23:59:60", "2024-01-05 25:00:00", "2024-01-05  1:02:03"),
    *("2024-01-05 10:20:30.1234567+0200", "2024-01-05 10:20:30+25:00", "2024-01-05 abc", "infinity"),
    *("0000-00-00", "0001-01-01", "9999-12-31 23:59:59", "2024-02-30", "2460315.5", "2460315", 2460315.25),
    *(
        "BESTÄTIGT\n",
        "Stiftungsfall ",
        "PERCENT",
        "prozent ",
        "total_price",
        "auto_payment",
        "HIGH",
        "FEHLER",
    ),
    *("2024-01-05\n", "02-30", "TEMP", "9999-1", "0000-1", "x@noemail.local ", "@", "x" * 255 + "@a.de"),
    *("x" * 41, "x" * 81, "x" * 301, "x" * 1001, "x" * 9999, "😀" * 81),
    *("a\x1fb", "a\x01\x02\x03\x04b", "\\N", "\\.", "%s", "\u2028", "\ufeff", "a\0b", "\0"),
    *(
        b"",
        b"abc",
        b"1",
        b"\0",
        b"\xff\xfe",
        b"x" * 81,
        memoryview(b"M\xfcller"),
        memoryview(b"\xed\xa0\x80"),
    ),
)
ALONE = (
    *("company_settings", "payment_settings", "pricing_settings", "notification_settings"),
    *("reminder_settings", "email_config"),
)
FRESH = {
    "rooms": "name",
    "service_templates": "name",
    "discount_templates": "name",
    "email_templates": "template_name",
    "bookings": "reservierungsnummer",
}


class House:
    """A small house of the last stage in tables that refuse nothing."""

    def __init__(self, folder: Path, declared: bool) -> None:
        self.path = folder / "alt.sqlite"
        with closing(sqlite3.connect(self.path, isolation_level=None)) as new:
            built = build(folder / "sound.sqlite", LAST, guests=12, bookings=12)
            new.execute("ATTACH ? AS sound", (str(built.path),))
            self.columns = {
                name: [(row[1], row[2]) for row in new.execute(f"PRAGMA sound.table_info({name})")]
                for (name,) in new.execute(
                    "SELECT name FROM sound.sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
                ).fetchall()
            }
            for name, columns in self.columns.items():
                forms = [
                    "id INTEGER PRIMARY KEY" if column == "id" else f"{column} {kind if declared else ''}"
                    for column, kind in columns
                ]
                new.execute(f"CREATE TABLE {name} ({', '.join(forms)})")
                new.execute(f"INSERT INTO {name} SELECT * FROM sound.{name}")

    def spoil(self, share: int) -> Mapping[tuple[str, int], tuple[str, Any]]:
        """For each column and each odd value a row more; or one in ``share``, neighbours taking turns."""
        spoiled: dict[tuple[str, int], tuple[str, Any]] = {}
        with closing(sqlite3.connect(self.path, isolation_level=None)) as old:
            old.execute("BEGIN")
            for table, columns in self.columns.items():
                first = old.execute(f"SELECT * FROM {table} ORDER BY id LIMIT 1").fetchone()
                if table in ALONE or first is None:
                    continue
                names = [name for name, _ in columns]
                sound = dict(zip(names, first, strict=True))
                for number, (column, odd) in enumerate(
                    (
                        (name, odd)
                        for turn, name in enumerate(names)
                        if name != "id"
                        for odd in (ODD if name == "schluesselcode" else ODD[turn % share :: share])
                    ),
                    100_000,
                ):
                    row = sound | {"id": number} | self._apart(old, table, number)
                    row[column] = bytes(odd) if isinstance(odd, memoryview) else odd
                    places = [
                        "CAST(? AS TEXT)" if isinstance(odd, memoryview) and name == column else "?"
                        for name in names
                    ]
                    old.execute(f"INSERT INTO {table} VALUES ({', '.join(places)})", list(row.values()))
                    spoiled[table, number] = column, odd
            old.execute("COMMIT")
        return spoiled

    def _apart(self, old: sqlite3.Connection, table: str, number: int) -> dict[str, Any]:
        """What keeps a row from being in the way of another."""
        own: dict[str, Any] = {FRESH[table]: f"{table} {number}"} if table in FRESH else {}
        if table == "bookings":
            # A room for each, behind those with an odd value.
            old.execute(
                "INSERT INTO rooms (id, name, gebaeude_typ, ort, capacity, price_member, price_non_member)"
                " VALUES (?, ?, 'DZ', 'Ort', 2, 50, 60)",
                (number + 100_000, f"Eigenes {number}"),
            )
            own |= {"room_id": number + 100_000, "checkin_date": "2024-05-01", "checkout_date": "2024-05-04"}
        if table == "reminders":
            own["reminder_type"] = "manual"
        return own

    def settings(self, odd: Any) -> None:
        """Every setting has this value."""
        with closing(sqlite3.connect(self.path)) as old, old:
            for table in ALONE:
                sets = ", ".join(f"{name} = :odd" for name, _ in self.columns[table] if name != "id")
                old.execute(f"UPDATE {table} SET {sets}", {"odd": odd})


@pytest.mark.parametrize(
    ("declared", "share"),
    [
        (False, 4),
        pytest.param(False, 1, marks=pytest.mark.long),
        pytest.param(True, 1, marks=pytest.mark.long),
    ],
)
def test_any_value_in_any_column(
    declared: bool, share: int, database: TestDatabase, tmp_path: Path, capsys: Any
) -> None:
    house = House(tmp_path, declared)
    spoiled = house.spoil(share)
    result = migrate(database, house.path, tmp_path / "run", capsys=capsys)
    assert result.code == 0, result.err
    accounted(result.tables)
    assert {name: table["read"] for name, table in result.tables.items()} == counts(house.path)
    fates = {
        (row["table_name"], row["id"])
        for row in query(database, "SELECT table_name, id FROM legacy.source_fingerprints")
    }
    assert fates >= set(spoiled)
    if not declared:
        # A key code stands nowhere else: also bytes are where the key code belongs.
        codes = query(database, "SELECT id, key_code FROM app.rooms")
        stored = {
            spoiled["rooms", row["id"]][1]: row["key_code"] for row in codes if row["id"] in _codes(spoiled)
        }
        assert (stored[b"\xff\xfe"], stored["a\0b"]) == ("fffe", "a\ufffdb")


def _codes(spoiled: Mapping[tuple[str, int], tuple[str, Any]]) -> set[int]:
    return {
        number
        for (table, number), (column, _) in spoiled.items()
        if (table, column) == ("rooms", "schluesselcode")
    }


@pytest.fixture(scope="module")
def empty_house(server: Server) -> Iterator[TestDatabase]:
    """Nobody changes it."""
    clone = server.clone()
    yield clone
    server.drop(clone)


@pytest.mark.parametrize("odd", ["2024-01-05\n", "12-31", -1, 1e308, "x" * 1001, "a\0b", b"1"])
def test_any_value_in_the_settings(odd: Any, empty_house: TestDatabase, tmp_path: Path, capsys: Any) -> None:
    house = House(tmp_path, declared=False)
    house.settings(odd)
    result = migrate(empty_house, house.path, tmp_path / "run", "--dry-run", capsys=capsys)
    assert result.code == 0, result.err
    accounted(result.tables)


def test_the_settings_are_those_with_the_number_1(database: TestDatabase, tmp_path: Path) -> None:
    path = make(
        tmp_path / "alt.sqlite",
        "CREATE TABLE company_settings (id INTEGER PRIMARY KEY, company_name TEXT);"
        "INSERT INTO company_settings VALUES (-1, 'Falsch'), (1, 'Richtig'), (2, 'Auch falsch')",
    )
    result = migrate(database, path, tmp_path / "run")
    assert result.tables["company_settings"]["quarantined"] == 2
    assert value(database, "SELECT company_name FROM app.company_settings") == "Richtig"


def test_ids_at_the_ends_of_the_range(database: TestDatabase, tmp_path: Path, capsys: Any) -> None:
    ids = (2**63 - 1, -(2**63), -5, 0, 2**53, 2**62)
    script = "".join(
        f"INSERT INTO rooms SELECT {number}, 'Z {number}', 'EZ', 'Ort', 2, 1, 1, NULL;"
        f"INSERT INTO guests SELECT {number}, 'G', 'N {number}', '', '', 0, '2025-01-01 00:00:00';"
        f"INSERT INTO bookings SELECT {number}, {number}, {number}, 'B {number}', '2025-03-01', '2025-03-02',"
        "1, 'bestaetigt', 1, '2025-01-01 00:00:00';"
        for number in ids
    )
    path = make(tmp_path / "alt.sqlite", script)
    result = migrate(database, path, tmp_path / "run", capsys=capsys)
    assert result.code == 0, result.err
    assert result.tables["bookings"]["migrated"] == len(ids) + 1
    met = query(
        database,
        "SELECT b.number, g.last_name, r.name FROM app.bookings b JOIN app.guests g ON g.id = b.guest_id"
        " JOIN app.occupancies o ON o.booking_id = b.id JOIN app.rooms r ON r.id = o.room_id",
    )
    assert {tuple(row) for row in met} >= {(f"B {number}", f"N {number}", f"Z {number}") for number in ids}


@pytest.mark.parametrize(
    ("values", "kept_columns"),
    [
        ({"price_type": None, "original_value": 12.5}, {"original_value"}),
        ({"price_type": "prozent", "original_value": "viel"}, {"price_type", "original_value"}),
        ({"price_type": None, "original_value": 0, "applies_to": "total_price"}, {"applies_to"}),
    ],
)
async def test_a_service_without_its_kind(
    values: dict[str, Any], kept_columns: set[str], empty_house: TestDatabase
) -> None:
    service = {"id": 1, "booking_id": 1, "service_name": "Hund", "service_price": 5.0} | values
    async with migrated(empty_house.owner_dsn, house(booking(), additional_services=[service])) as connection:
        assert set(await kept(connection, "additional_services", 1)) == kept_columns
