"""A house of a fixed day, small enough to read: five rooms, a few stays of every kind, difficult names."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from dpolg_tui.operations.house import BookingRow, GuestRow, House, HouseSize, OccupancyRow, RoomRow

DAY = date(2026, 11, 21)
"""Today, as far as the desk knows."""
LONG = "Übermäßig-Langername " * 4
HOSTILE = ("Müller [VIP]", "[/b] fett[red]", "😀 Łukasz‑Çelik", LONG.strip(), "Zeile1\nZeile2\tTab")
_MADE = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)

_ROOMS = (
    ("1 Zugspitze", "EZ", "Haupthaus", "Brannenburg", 1, "38.00"),
    ("2 Wendelstein", "DZ", "Haupthaus", "Brannenburg", 2, "58.00"),
    ("10 [Watzmann]", "DZ", "Haupthaus", "Brannenburg", 3, "69.00"),
    ("4 Kampenwand", "App", "Bergblick", "Bayrischzell", 4, "89.00"),
    ("5 Hochries", "FeWo", None, "Tegernsee", 6, "119.00"),
)
_GUESTS = (
    ("Huber", "Eva", "Ulm"),
    ("Yılmaz", "Ayşe", "Köln"),
    ("Müller-Lüdenscheidt", "Hans-Jürgen", "München"),
    *((name, "Jo", "Ort [1]") for name in HOSTILE),
)
# Guest, room (from 1, None: without), first day from today, nights, status, and what else is not usual.
_STAYS: tuple[tuple[int, int | None, int, int, str, dict[str, Any]], ...] = (
    (1, 1, -3, 3, "ausgecheckt", {}),
    (2, 1, 0, 4, "eingecheckt", {"notes": "Kommt mit dem Zug."}),
    (3, 2, -1, 4, "bestaetigt", {"persons": 2}),  # arrival overdue
    (4, 2, 3, 5, "reserviert", {"option_expires": DAY - timedelta(days=2), "persons": 2}),
    (5, 3, -2, 6, "eingecheckt", {"foundation_case": True, "persons": 3}),
    (6, 3, 4, 9, "bestaetigt", {"persons": 2, "notes": "[b]Späte[/b] Anreise.\nHund 🐕 kommt mit."}),
    (7, 4, 1, 30, "bestaetigt", {"persons": 4}),
    (8, 5, -40, 50, "eingecheckt", {"persons": 5}),
    (1, None, 2, 3, "bestaetigt", {}),
    (2, 5, 20, 4, "storniert", {"cancellation_reason": "Krankheit [grippe]"}),
)
_BLOCKS = ((4, -2, 1, "out_of_order", "Heizung"), (1, 6, 8, "house_use", "Vorstand [intern]"))


class SmallHouse(House):
    """Fixed rows in place of generated ones."""

    def rooms(self):  # type: ignore[no-untyped-def]
        for number, (name, category, building, place, beds, price) in enumerate(_ROOMS, 1):
            yield _row(
                RoomRow,
                id=number,
                name=name,
                category=category,
                building=building,
                place=place,
                capacity=beds,
                price_low=Decimal(price) - 10,
                price_high=Decimal(price),
                final_cleaning_fee=Decimal("25.00"),
                key_code="4711",
                city=place,
                created_at=_MADE,
            )

    def guests(self):  # type: ignore[no-untyped-def]
        for number, (last_name, first_name, city) in enumerate(_GUESTS, 1):
            yield _row(
                GuestRow,
                id=number,
                last_name=last_name,
                first_name=first_name,
                city=city,
                email=f"gast{number}@example.org",
                phone=f"0800 {number:03}",
                is_member=number % 2 == 0,
                member_number=f"{number:07}" if number % 2 == 0 else None,
                created_at=_MADE,
            )

    def bookings(self):  # type: ignore[no-untyped-def]
        for number, (guest, _, first, nights, status, more) in enumerate(_STAYS, 1):
            came = status in ("eingecheckt", "ausgecheckt")
            yield _row(
                BookingRow,
                id=number,
                number=f"2026-{number}",
                guest_id=guest,
                status=status,
                guest_is_member=guest % 2 == 0,
                checked_in_at=_noon(first) if came else None,
                checked_out_at=_noon(first + nights) if status == "ausgecheckt" else None,
                cancelled_at=_noon(-1) if status == "storniert" else None,
                created_at=_MADE,
                **{"persons": 1, "foundation_case": False, **more},
            )

    def occupancies(self):  # type: ignore[no-untyped-def]
        for number, (_, room, first, nights, status, _) in enumerate(_STAYS, 1):
            yield _row(
                OccupancyRow,
                id=number,
                room_id=room,
                arrival=DAY + timedelta(days=first),
                departure=DAY + timedelta(days=first + nights),
                booking_id=number,
                kind="stay",
                active=status != "storniert",
                created_at=_MADE,
            )
        for number, (room, first, last, kind, reason) in enumerate(_BLOCKS, len(_STAYS) + 1):
            yield _row(
                OccupancyRow,
                id=number,
                room_id=room,
                arrival=DAY + timedelta(days=first),
                departure=DAY + timedelta(days=last),
                kind=kind,
                reason=reason,
                active=True,
                created_at=_MADE,
            )


def small_house() -> SmallHouse:
    """The rows, ready for ``load_house``."""
    return SmallHouse(DAY, 0, HouseSize(rooms=len(_ROOMS), guests=len(_GUESTS)))


def _noon(day: int) -> datetime:
    return datetime(DAY.year, DAY.month, DAY.day, 12, tzinfo=UTC) + timedelta(days=day)


def _row(table: Any, /, **values: Any) -> Any:
    """A row whose other columns are empty."""
    return table(**(dict.fromkeys(table._fields) | values))


OLD_DATA = """
INSERT INTO legacy.runs (started_at, source_sha256, program_version)
VALUES ('2026-11-20 09:15+01', repeat('0', 64), '1');
INSERT INTO legacy.quarantine (run_id, source_table, source_id, data, reason_code, sentence) VALUES
    (1, 'rooms', 12, '{"id": ["integer", "12"], "name": ["text", "Zimmer [12]"], "notizen": ["null", null],
                       "schluesselcode": ["text", "***"], "capacity": ["text", "viele"]}',
     'out_of_range', 'Die Bettenzahl „viele“ ist hier nicht möglich.'),
    (1, 'bookings', 371, '{}', 'departure_not_after_arrival',
     'Die Abreise „2025-02-03“ liegt nicht nach der Anreise.'),
    (1, 'additional_services', 44, '{}', 'parent_quarantined',
     'Die Buchung mit der Nummer 371 ist selbst in Quarantäne.');
INSERT INTO legacy.kept_rows
SELECT 1, t, n, '{"wert": ["text", "x"]}'
  FROM unnest(ARRAY['booking_attributes', 'wünsche']) t, generate_series(1, 3) n;
INSERT INTO legacy.kept_rows VALUES (1, 'rooms', 12, '{"price_member": ["real", "45.5"]}');
"""
"""What a data migration left behind."""
