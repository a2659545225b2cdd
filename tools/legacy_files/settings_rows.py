"""Settings, templates and what the last files were filled with: a handful of fixed rows a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from tools.legacy_files.bookings import TODAY, Room, moment

SMTP_PASSWORD = "q8Zr-geheim-7Kp2"  # invented
_MADE = moment((TODAY - 300, 36000))
_CHANGED = moment((TODAY - 3, 65953))
_GREETINGS = (
    "Guten Tag {{gast_vorname}} {{gast_nachname}}",
    "Hallo {gast_vorname} {gast_nachname}",
    "{{GAST_VORNAME}} {{GAST_NACHNAME}}",
)
_FIXED: dict[str, tuple[tuple[Any, ...], ...]] = {
    "email_config": (
        (
            *(1, "smtp.example.org", 465, "stiftung@example.org", SMTP_PASSWORD, "stiftung@example.org"),
            *("Stiftung der Probe", 1, _MADE, _MADE),
        ),
    ),
    "company_settings": (
        (
            *(1, "Stiftung Probe gGmbH", "Almweg 1", "83735", "Rosenberg", "Deutschland", "030 23125-100"),
            *(None, "info@example.org", "https://example.org", "143/683/57644", "Ada Beispiel", "München"),
            *("/Users/ada/Bilder/logo.png", _CHANGED),
        ),
    ),
    "payment_settings": (
        (
            *(1, "Bank der Probe", "DE02 1203 0000 0000 2020 51", "BYLADEM1001", "Stiftung Probe", 7.0),
            *(14, 14, None, _MADE, 15.0),
        ),
    ),
    "notification_settings": ((1, 1, 1, 14, 14, 1, _CHANGED),),
    "backup_settings": ((1, 1, "on_startup", 10, _CHANGED),),
    "pricing_settings": ((1, 1, "06-01", "08-31", 1, 15.0, "zimmerpreis", _CHANGED),),
    "reminder_settings": ((1, 1, 1, 1, 1, _CHANGED, 1),),
    "booking_attributes": (
        (1, "Ruhiges Zimmer", "🤫", "#22c55e", "none", 0.0, "total_price", 0, "start", 1, _MADE, _MADE),
        (2, "Spät", None, None, "percent", 5.0, "overnight_price", 1, "end", 0, _MADE, _MADE),
    ),
    "seasons": (
        (1, "Hauptsaison", "2025-06-01", "2025-08-31", 1, _MADE),
        (2, "Nebensaison", "2025-09-01", "2026-05-31", 1, _MADE),
    ),
    "audit_log": ((1, "rooms", 1, "seed", '{"source": "default"}', _MADE),),
}
_TEMPLATES = ("confirmation", "reminder", "invoice", "payment_reminder", "cancellation")


def rows(table: str, rooms: Sequence[Room]) -> Iterator[tuple[Any, ...]]:
    """The rows of a table that does not grow with the house."""
    if table == "email_templates":
        for number, name in enumerate(_TEMPLATES, 1):
            body = f"{_GREETINGS[number % 3]},\n\nZimmer {{zimmer_name}}.\n\nUnbekannt: {{gibt_es_nicht}}\n"
            subject = "Ihre Buchung {reservierungsnummer}"
            yield (number, name, subject, body, "Vorlage" if number % 2 else None, _MADE, _CHANGED)
    elif table == "room_prices":
        for number, room in enumerate(rooms, 1):
            yield (number, room.id, 1, room.high / 100 + 1, "2025-01-01")
    elif table == "price_history":
        for number, room in enumerate(rooms, 1):
            yield (number, room.id, None, room.low / 100, _MADE, "Grundwert")
    else:
        yield from _FIXED[table]
