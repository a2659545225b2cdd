"""What each constraint of the database means to the person who typed: the field and a German sentence."""

from __future__ import annotations

from dpolg_tui.db import constraints_around, constraints_people
from dpolg_tui.db.constraints_around import Meaning
from dpolg_tui.domain.labels import field_label

# Longest text of each field that has a limit. Fields of the first group must not be empty.
_REQUIRED_LENGTHS = {
    "rooms": {"name": 80, "category": 40, "place": 80},
    "guests": {"last_name": 100},
    "bookings": {"number": 40, "cancellation_reason": 500},
    "users": {"username": 50},
}
_LENGTHS = {
    "rooms": {"building": 80, "key_code": 80, "street": 200, "postal_code": 20, "city": 100, "notes": 10000},
    "guests": {
        "first_name": 100,
        "salutation": 40,
        "gender": 40,
        "email": 254,
        "phone": 60,
        "phone_business": 60,
        "phone_private": 60,
        "phone_mobile": 60,
        "fax": 60,
        "street": 200,
        "postal_code": 20,
        "city": 100,
        "country": 100,
        "place_of_birth": 100,
        "nationality": 100,
        "language": 40,
        "identity_document": 60,
        "member_number": 60,
        "profession": 100,
        "duty_station": 200,
        "federal_state": 60,
        "debtor_account": 60,
        "licence_plate": 40,
        "invoice_email": 254,
        "leitweg_id": 60,
        "cost_centre": 60,
        "tags": 1000,
        "automatic_mail_language": 40,
        "notes": 10000,
    },
    "bookings": {"notes": 10000},
    "occupancies": {"reason": 500},
    "users": {"full_name": 100},
}

_SIGNED_WORK = (
    "Der Benutzer hat schon etwas eingetragen und bleibt deshalb erhalten: bitte deaktivieren statt löschen."
)
_DEFECT = "Die Angaben widersprechen einander: bitte den Eintrag neu öffnen und die Änderung wiederholen."


def _lengths() -> dict[str, Meaning]:
    found: dict[str, Meaning] = {}
    for table, fields in (*_REQUIRED_LENGTHS.items(), *constraints_around.REQUIRED_LENGTHS.items()):
        for name, longest in fields.items():
            found[f"{table}_{name}_length"] = (
                name,
                f"{field_label(name, table)} darf nicht leer sein und hat höchstens {longest} Zeichen.",
            )
    for table, fields in (*_LENGTHS.items(), *constraints_around.LENGTHS.items()):
        for name, longest in fields.items():
            found[f"{table}_{name}_length"] = (
                name,
                f"{field_label(name, table)} hat höchstens {longest} Zeichen: bitte kürzen.",
            )
    return found


def _stamps() -> dict[str, Meaning]:
    return {
        f"{table}_{stamp}_by_fkey": (None, _SIGNED_WORK)
        for table in ("rooms", "guests", "bookings", "occupancies", "users")
        for stamp in ("created", "updated")
    }


CONSTRAINTS: dict[str, Meaning] = {
    **_lengths(),
    **_stamps(),
    **constraints_around.around(_DEFECT, _SIGNED_WORK),
    **constraints_people.people(_DEFECT, _SIGNED_WORK),
    # rooms
    "rooms_name_key": (
        "name",
        "Ein Zimmer mit diesem Namen gibt es dort schon: bitte einen anderen Namen wählen.",
    ),
    "rooms_capacity_range": ("capacity", "Ein Zimmer hat 1 bis 100 Betten."),
    "rooms_price_low_positive": ("price_low", "Preise dürfen nicht negativ sein."),
    "rooms_price_high_positive": ("price_high", "Preise dürfen nicht negativ sein."),
    "rooms_final_cleaning_fee_positive": ("final_cleaning_fee", "Die Endreinigung darf nicht negativ sein."),
    # guests
    "guests_date_of_birth_range": (
        "date_of_birth",
        "Das Geburtsdatum liegt vor 1880 oder in ferner Zukunft: bitte prüfen.",
    ),
    # bookings
    "bookings_guest_id_fkey": (
        "guest_id",
        "Zu diesem Gast gibt es Buchungen, oder er wurde inzwischen gelöscht: "
        "bitte einen Gast aus der Liste wählen; Gäste mit Buchungen bleiben erhalten.",
    ),
    "bookings_number_key": (
        "number",
        "Diese Reservierungsnummer gibt es schon: bitte noch einmal speichern.",
    ),
    "bookings_status": ("status", "Diesen Status gibt es nicht: bitte einen aus der Liste wählen."),
    "bookings_persons_range": ("persons", "Eine Buchung hat 1 bis 200 Personen."),
    "bookings_cancellation_reason_given": (
        "cancellation_reason",
        "Zum Stornieren bitte einen Grund angeben.",
    ),
    "bookings_id_occupies_key": (None, _DEFECT),
    # stays and blocks
    "occupancies_no_overlap": (
        "stay",
        "Das Zimmer ist in diesem Zeitraum schon belegt: bitte ein anderes wählen.",
    ),
    "occupancies_nights": (
        "departure",
        "Ein Aufenthalt dauert 1 bis 365 Nächte: bitte An- und Abreise prüfen.",
    ),
    "occupancies_years": ("arrival", "Die Anreise liegt vor 1990 oder nach 2199: bitte das Jahr prüfen."),
    "occupancies_room_id_fkey": (
        "room_id",
        "Zu diesem Zimmer gibt es Belegungen, oder es wurde inzwischen gelöscht: "
        "bitte ein Zimmer aus der Liste wählen; Zimmer mit Belegungen nur stilllegen.",
    ),
    "occupancies_booking_id_fkey": (
        None,
        "Die Buchung wurde inzwischen gelöscht oder geändert: bitte neu öffnen.",
    ),
    "occupancies_kind": ("kind", "Diese Art der Sperre gibt es nicht: bitte eine aus der Liste wählen."),
    "occupancies_kind_matches_booking": ("kind", _DEFECT),
    "occupancies_block_has_room": ("room_id", "Eine Sperre gilt für ein Zimmer: bitte eines wählen."),
    "occupancies_block_is_active": (None, _DEFECT),
    # raised by the functions that write
    "status_transition": (
        "status",
        "Von diesem Status aus geht das nicht: bitte einen anderen Status wählen.",
    ),
    "persons_within_capacity": ("persons", "Für so viele Personen sind zu wenige Betten da: bitte prüfen."),
    "stays_need_room": ("stay", "Zum Einchecken braucht jeder Aufenthalt ein Zimmer: bitte eines wählen."),
    "stays_overlap": (
        "stay",
        "Zwei dieser Aufenthalte belegen dasselbe Zimmer in derselben Nacht: bitte einen davon ändern.",
    ),
    "booking_has_stay": ("stay", "Eine Buchung braucht mindestens einen Aufenthalt."),
    "booking_has_guest": (
        "guest_id",
        "Eine Buchung braucht einen Gast: bitte einen wählen oder neu anlegen.",
    ),
    "booking_not_used": (
        None,
        "Der Gast war schon im Haus: die Buchung bleibt erhalten und wird nicht gelöscht.",
    ),
    "booking_without_payments": (
        None,
        "Für diese Buchung gibt es Zahlungen: bitte stornieren statt löschen.",
    ),
    "room_not_retired": (
        "room_id",
        "Das Zimmer ist in diesem Zeitraum stillgelegt: bitte ein anderes wählen.",
    ),
    "rooms_retired_from_free": (
        "retired_from",
        "Ab diesem Tag ist das Zimmer noch belegt: bitte die Belegungen zuerst verlegen.",
    ),
    # bookkeeping of the database itself: nobody types these
    "audit_log_operation": (None, _DEFECT),
    "number_counters_last_positive": (None, _DEFECT),
    "installation_one_row": (None, _DEFECT),
    "secrets_one_row": (None, _DEFECT),
    "backups_kind": (None, _DEFECT),
    "backups_file_name": (None, _DEFECT),
    "backups_bytes_positive": (None, _DEFECT),
    "backups_sha256_form": (None, _DEFECT),
    "backups_note_length": (None, _DEFECT),
    "backups_seconds_positive": (None, _DEFECT),
    "sizes_pkey": (None, _DEFECT),
    "sizes_bytes_positive": (None, _DEFECT),
}

# A primary key that collides is a defect of the program, whatever the table.
for _table in (
    "users",
    "sessions",
    "attempts",
    "installation",
    "secrets",
    "rooms",
    "guests",
    "number_counters",
    "bookings",
    "occupancies",
    "audit_log",
    "requests",
    "migrations",
    "backups",
):
    CONSTRAINTS[f"{_table}_pkey"] = (None, _DEFECT)
