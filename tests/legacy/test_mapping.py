"""Each rule of the mapping on a few rows that are written down here."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from dpolg_tui.db import sql_files
from dpolg_tui.legacy.mapping import STEPS
from tests.databases import Server
from tests.legacy.loading import (
    booking,
    fates,
    guest,
    house,
    kept,
    lines,
    migrated,
    quarantined,
    repairs,
    take_over,
)


@pytest.fixture(scope="module")
def dsn(server: Server) -> Iterator[str]:
    """An empty house; every test leaves it empty."""
    clone = server.clone()
    yield clone.owner_dsn
    server.drop(clone)


async def test_ids_numbers_and_counters(dsn: str) -> None:
    rows = house(
        booking(id=7, reservierungsnummer="2025-41"),
        booking(
            id=9,
            room_id=1,
            checkin_date="2025-07-01",
            checkout_date="2025-07-02",
            reservierungsnummer="RES-2024-003",
        ),
        guests=[guest(), guest(id=88)],
    )
    async with migrated(dsn, rows) as connection:
        assert await connection.fetch("SELECT id, number FROM app.bookings ORDER BY id") == [
            (7, "2025-41"),
            (9, "RES-2024-003"),
        ]
        assert await connection.fetchval("SELECT last FROM app.number_counters WHERE year = 2025") == 41
        assert await connection.fetchval("SELECT nextval('app.guests_id_seq')") == 89
        assert await connection.fetchval("SELECT nextval('app.bookings_id_seq')") == 10
        assert set((await fates(connection)).values()) == {"migrated"}
        stay = await connection.fetchrow("SELECT * FROM app.occupancies WHERE booking_id = 7")
        assert (stay["room_id"], str(stay["arrival"]), str(stay["departure"])) == (
            1,
            "2025-06-01",
            "2025-06-04",
        )


async def test_a_row_in_quarantine_keeps_its_id_free(dsn: str) -> None:
    async with migrated(dsn, house(booking(id=500, status="verloren"))) as connection:
        assert await connection.fetchval("SELECT nextval('app.bookings_id_seq')") == 501


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"checkin_date": "2025-02-30"}, "unreadable_date"),
        ({"checkout_date": None}, "unreadable_date"),
        ({"checkin_date": "0025-05-01"}, "unreadable_date"),
        ({"checkin_date": "1985-05-01", "checkout_date": "1985-05-02"}, "date_out_of_range"),
        ({"checkout_date": "2025-06-01"}, "departure_not_after_arrival"),
        ({"checkout_date": "2025-05-01"}, "departure_not_after_arrival"),
        ({"status": "vielleicht"}, "unknown_status"),
        ({"status": None}, "unknown_status"),
        ({"gesamtpreis": -0.01}, "negative_money"),
        ({"rabatt_preis": -5.0}, "negative_money"),
        ({"gesamtpreis": "viel"}, "unreadable_money"),
        ({"gesamtpreis": None}, "unreadable_money"),
        ({"gesamtpreis": 1e300}, "amount_too_large"),
        ({"gesamtpreis": float("inf")}, "unreadable_money"),
        ({"anzahl_gaeste": 0}, "out_of_range"),
        ({"anzahl_gaeste": "zwei"}, "out_of_range"),
        ({"guest_id": 99}, "parent_missing"),
        ({"room_id": None}, "parent_missing"),
        ({"bemerkungen": "x" * 12_000}, "text_too_long"),
    ],
)
async def test_what_is_no_booking(values: dict[str, Any], reason: str, dsn: str) -> None:
    children = {
        "accompanying_guests": [{"id": 1, "booking_id": 1, "vorname": "Kim", "nachname": "Beispiel"}],
        "additional_services": [{"id": 1, "booking_id": 1, "service_name": "Hund", "service_price": 5.0}],
        "reminders": [
            {
                "id": 1,
                "booking_id": 1,
                "reminder_type": "auto_payment",
                "title": "Zahlung",
                "due_date": "2025-05-01",
                "priority": "high",
            },
            {
                "id": 2,
                "booking_id": 1,
                "reminder_type": "manual",
                "title": "Anrufen",
                "due_date": "2025-05-01",
                "priority": "high",
            },
        ],
    }
    async with migrated(dsn, house(booking(**values), **children)) as connection:
        assert await quarantined(connection) == {
            ("bookings", 1): reason,
            ("accompanying_guests", 1): "parent_quarantined",
            ("additional_services", 1): "parent_quarantined",
            ("reminders", 1): "parent_quarantined",
        }
        row = await connection.fetchrow("SELECT * FROM legacy.quarantine WHERE source_table = 'bookings'")
        assert row["sentence"].endswith(".")
        assert '"gesamtpreis"' in row["data"]
        # An optional parent is left out, and the report says so.
        assert await connection.fetchval("SELECT booking_id FROM app.reminders WHERE id = 2") is None
        assert (await repairs(connection))["reminders.booking_id", "parent_missing"] == (1, 1, 0)
        assert (await kept(connection, "reminders", 2))["booking_id"] == ["integer", "1"]


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2025-06-01 00:00:00", "2025-06-01"),
        ("2025-06-01T12:00:00Z", "2025-06-01"),
        ("2025-05-31T22:00:00.000Z", "2025-06-01"),
        ("01.06.2025", "2025-06-01"),
        ("1. 6. 2025", "2025-06-01"),
        (2460827.5, "2025-06-01"),
        ("2024-02-29", "2024-02-29"),
    ],
)
async def test_days_written_otherwise(written: object, day: str, dsn: str) -> None:
    rows = house(booking(checkin_date=written, checkout_date="2025-06-02" if day > "2025" else "2024-03-01"))
    async with migrated(dsn, rows) as connection:
        assert str(await connection.fetchval("SELECT arrival FROM app.occupancies")) == day
        if written != day:
            assert (await repairs(connection))["bookings.checkin_date", "date_form"] == (1, 1, 1)
            assert (await kept(connection, "bookings", 1))["checkin_date"][1] == str(written)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("gebucht", "reserviert"),
        ("Vorläufig", "reserviert"),
        ("angefragt", "reserviert"),
        ("aktiv", "eingecheckt"),
        ("abgeschlossen", "ausgecheckt"),
        ("bestätigt", "bestaetigt"),
        ("BESTÄTIGT", "bestaetigt"),
        ("stiftungsfall", "bestaetigt"),
        ("storniert", "storniert"),
    ],
)
async def test_statuses(written: str, stored: str, dsn: str) -> None:
    async with migrated(dsn, house(booking(status=written))) as connection:
        row = await connection.fetchrow("SELECT * FROM app.bookings")
        assert row["status"] == stored
        assert row["foundation_case"] == (written == "stiftungsfall")
        assert (row["cancellation_reason"] is not None) == (stored == "storniert")
        assert (("bookings.status", "spelling") in await repairs(connection)) == (written != stored)


async def test_overlapping_triple_is_decided_by_age(dsn: str) -> None:
    # The second overlaps both others, which do not meet; it was made between them.
    rows = house(
        booking(
            id=1, checkin_date="2025-06-01", checkout_date="2025-06-04", created_at="2025-01-03 00:00:00"
        ),
        booking(
            id=2, checkin_date="2025-06-03", checkout_date="2025-06-07", created_at="2025-01-02 00:00:00"
        ),
        booking(
            id=3, checkin_date="2025-06-06", checkout_date="2025-06-09", created_at="2025-01-01 00:00:00"
        ),
        booking(id=4, checkin_date="2025-06-06", checkout_date="2025-06-09", status="storniert"),
        booking(id=5, checkin_date="2025-06-09", checkout_date="2025-06-10"),
    )
    async with migrated(dsn, rows) as connection:
        rooms = dict(await connection.fetch("SELECT booking_id, room_id FROM app.occupancies"))
        assert rooms == {1: 1, 2: None, 3: 1, 4: 1, 5: 1}
        note = await connection.fetchval("SELECT notes FROM app.bookings WHERE id = 2")
        assert "„Zimmer 1“ ist vom 03.06.2025 bis 07.06.2025 schon belegt (2025-3, 2025-1)" in note
        assert (await repairs(connection))["bookings.room_id", "overlap"] == (1, 5, 4)
        assert await quarantined(connection) == {}


async def test_overlap_with_what_the_new_system_has(dsn: str) -> None:
    before = """
        INSERT INTO app.rooms (id, name, category, place, capacity) OVERRIDING SYSTEM VALUE
        VALUES (5, 'Neu', 'DZ', 'Da', 2);
        INSERT INTO app.guests (id, last_name) OVERRIDING SYSTEM VALUE VALUES (1, 'Schon da');
        INSERT INTO app.bookings (id, number, guest_id) OVERRIDING SYSTEM VALUE VALUES (1, '2025-1', 1)
    """
    async with migrated(
        dsn,
        house(booking(id=1), booking(id=2, checkin_date="2025-08-01", checkout_date="2025-08-02")),
        before=before,
    ) as connection:
        ids = dict(await connection.fetch("SELECT table_name || old_id, new_id FROM legacy.id_map"))
        assert ids == {"guests1": 2, "bookings1": 3}
        rows = await connection.fetch("SELECT id, guest_id, number FROM app.bookings ORDER BY id")
        assert rows == [(1, 1, "2025-1"), (2, 2, "2025-2"), (3, 2, "2025-3")]
        assert "Reservierungsnummer im Altsystem: 2025-1" in await connection.fetchval(
            "SELECT notes FROM app.bookings WHERE id = 3"
        )
        assert await connection.fetchval("SELECT last_name FROM app.guests WHERE id = 1") == "Schon da"
        assert await connection.fetchval("SELECT last FROM app.number_counters WHERE year = 2025") == 3


async def test_long_stay_is_cut_and_its_original_in_quarantine(dsn: str) -> None:
    async with migrated(dsn, house(booking(checkout_date="2027-06-01"))) as connection:
        stay = await connection.fetchrow("SELECT room_id, departure - arrival AS nights FROM app.occupancies")
        assert tuple(stay) == (None, 365)
        assert await quarantined(connection) == {("bookings", 1): "stay_too_long"}
        assert (await fates(connection))["bookings", 1] == "migrated"
        assert "01.06.2027" in await connection.fetchval("SELECT notes FROM app.bookings")


async def test_placeholder_and_double_numbers(dsn: str) -> None:
    rows = house(
        *(
            booking(
                id=number,
                reservierungsnummer=text,
                checkin_date=f"2025-{number:02}-01",
                checkout_date=f"2025-{number:02}-02",
            )
            for number, text in enumerate(["TEMP", "2025-TEMP", "", None, "2025-70", "2025-70"], 1)
        )
    )
    async with migrated(dsn, rows) as connection:
        numbers = dict(await connection.fetch("SELECT id, number FROM app.bookings"))
        assert numbers == {1: "2025-71", 2: "2025-72", 3: "2025-73", 4: "2025-74", 5: "2025-70", 6: "2025-75"}
        assert await connection.fetchval("SELECT last FROM app.number_counters WHERE year = 2025") == 75
        assert (await kept(connection, "bookings", 2))["reservierungsnummer"] == ["text", "2025-TEMP"]


async def test_lines_add_up_to_the_old_total(dsn: str) -> None:
    rows = house(
        booking(gesamtpreis=227.0049, grundpreis=200.0, services_preis=100.0, rabatt_preis=72.9951),
        booking(
            id=2,
            checkin_date="2025-07-01",
            checkout_date="2025-07-02",
            gesamtpreis=99.0,
            grundpreis=0.0,
            services_preis=0.0,
        ),
        booking(
            id=3,
            checkin_date="2025-08-01",
            checkout_date="2025-08-02",
            gesamtpreis=10.005,
            grundpreis=5.0025,
            services_preis=5.0025,
        ),
        additional_services=[{"id": 4, "booking_id": 1, "service_name": "Hund", "service_price": 15.0}],
        service_templates=[{"id": 2, "name": "Frühstück", "price": 45.0, "is_active": 1}],
        booking_services=[{"id": 8, "booking_id": 1, "service_template_id": 2}],
        discounts=[
            {
                "id": 1,
                "booking_id": 1,
                "discount_name": "Verein",
                "discount_type": "percent",
                "discount_value": 10.0,
            }
        ],
        discount_templates=[{"id": 1, "name": "Treue", "discount_type": "fixed", "discount_value": 13.0}],
        booking_discounts=[{"id": 1, "booking_id": 1, "discount_template_id": 1}],
    )
    async with migrated(dsn, rows) as connection:
        assert await lines(connection) == [
            ("nights", "Übernachtung (3 Nächte)", "200.00"),
            ("final_cleaning", "Endreinigung", "40.00"),
            ("service", "Hund", "15.00"),
            ("service", "Frühstück", "45.00"),
            ("discount", "Verein", "-30.00"),
            ("discount", "Treue", "-13.00"),
            ("member_discount", "Mitgliederrabatt", "-30.00"),
        ]
        assert await lines(connection, 2) == [
            ("difference", "Differenz zum Gesamtpreis laut Altsystem", "99.00")
        ]
        totals = await connection.fetch(
            "SELECT booking_id, sum(amount) FROM app.price_lines GROUP BY 1 ORDER BY 1"
        )
        assert totals == [(1, Decimal("227.00")), (2, Decimal("99.00")), (3, Decimal("10.01"))]
        differences = await connection.fetch("SELECT row_id, stored, computed FROM migration_difference")
        assert differences == [(2, Decimal("99.00"), Decimal("0.00"))]
        assert await connection.fetchval("SELECT id FROM app.price_lines WHERE label = 'Hund'") == 4


@pytest.mark.parametrize(
    ("stored", "amount"), [(10.0, "14.00"), (17.5, "17.50"), (None, "14.00"), (0.0, "14.00")]
)
async def test_calculated_price_may_be_a_bare_percentage(stored: float | None, amount: str, dsn: str) -> None:
    rows = house(
        booking(),
        service_templates=[
            {
                "id": 2,
                "name": "Kurtaxe",
                "price": 10.0,
                "price_type": "percent",
                "applies_to": "overnight_price",
            }
        ],
        booking_services=[{"id": 8, "booking_id": 1, "service_template_id": 2, "calculated_price": stored}],
    )
    async with migrated(dsn, rows) as connection:
        assert ("service", "Kurtaxe", amount) in await lines(connection)


@pytest.mark.parametrize(
    ("values", "payment"),
    [
        (
            {"bezahlt": 1, "bezahlt_am": "2025-05-05", "zahlungsmethode": "PayPal"},
            ("180.00", "2025-05-05", "PayPal"),
        ),
        ({"bezahlt": "true"}, ("180.00", "2025-02-03", "unbekannt")),
        ({"bezahlt": 1, "gesamtpreis": 0.0, "grundpreis": 0.0, "services_preis": 0.0}, None),
        ({"bezahlt": 0, "bezahlt_am": "2025-05-05"}, None),
        ({"bezahlt": None}, None),
    ],
)
async def test_paid(values: dict[str, Any], payment: tuple[str, str, str] | None, dsn: str) -> None:
    async with migrated(dsn, house(booking(**values))) as connection:
        found = await connection.fetch("SELECT amount::text, paid_on::text, method FROM app.payments")
        assert [tuple(row) for row in found] == ([payment] if payment else [])
        if values.get("bezahlt_am") and not payment:
            assert (await kept(connection, "bookings", 1))["bezahlt_am"] == ["text", "2025-05-05"]


async def test_unknown_columns_stay(dsn: str) -> None:
    async with migrated(dsn, house(booking(haustier="Dackel", leer=None))) as connection:
        assert await kept(connection, "bookings", 1) == {"haustier": ["text", "Dackel"]}


async def test_ids_that_no_counter_could_follow(dsn: str) -> None:
    largest = 2**63 - 1
    rows = house(booking(guest_id=largest), guests=[guest(id=largest), guest(id=-4)])
    async with migrated(dsn, rows) as connection:
        ids = dict(await connection.fetch("SELECT old_id, new_id FROM legacy.id_map"))
        assert ids == {-4: 1, largest: 2}
        assert await connection.fetchval("SELECT guest_id FROM app.bookings") == 2
        assert await connection.fetchval("SELECT nextval('app.guests_id_seq')") == 3


async def test_a_second_file_refers_to_rows_of_the_first(dsn: str) -> None:
    async with migrated(dsn, house(booking())) as connection:
        await connection.execute("DISCARD TEMP")
        await connection.execute(
            "CREATE TEMP TABLE migration_settled AS SELECT t AS source_table, 1::bigint AS row_id"
            " FROM unnest(ARRAY['rooms', 'guests']) t;"
            "CREATE TEMP TABLE migration_earlier AS SELECT t AS source_table, 1::bigint AS row_id,"
            " t AS target_table, 1::bigint AS target_id FROM unnest(ARRAY['rooms', 'guests', 'bookings']) t"
        )
        new = booking(id=2, checkin_date="2025-09-01", checkout_date="2025-09-02")
        changed = booking(id=1, gesamtpreis=190.0, bemerkungen="anders")
        await take_over(connection, {"bookings": [changed, new]})
        rows = await connection.fetch("SELECT id, guest_id, notes FROM app.bookings ORDER BY id")
        assert rows == [(1, 1, "anders"), (2, 1, None)]
        stays = await connection.fetch("SELECT room_id, booking_id FROM app.occupancies ORDER BY booking_id")
        assert stays == [(1, 1), (1, 2)]
        assert (
            await connection.fetchval("SELECT sum(amount) FROM app.price_lines WHERE booking_id = 1") == 190
        )


def test_every_file_is_a_step() -> None:
    assert [file.name for file in sql_files.legacy_files()] == [f"legacy/{name}.sql" for name in STEPS]


@pytest.mark.both_versions
async def test_both_versions(server: Server) -> None:
    clone = server.clone()
    try:
        async with migrated(clone.owner_dsn, house(booking(), booking(id=2))) as connection:
            assert set((await fates(connection)).values()) == {"migrated"}
            triggers = "SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O' AND NOT tgisinternal"
            assert await connection.fetchval(triggers) == 0
    finally:
        server.drop(clone)
