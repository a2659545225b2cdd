"""Meanings of the constraints around the booking: prices, payments, companions, reminders, mails, settings.

Part of ``constraints.py``, which reads better without these many tables.
"""

from __future__ import annotations

from dpolg_tui.domain.labels import field_label

Meaning = tuple[str | None, str]

STAMPED = (
    "vat_rates",
    "seasons",
    "room_prices",
    "service_templates",
    "discount_templates",
    "payers",
    "price_lines",
    "payments",
    "credit_transactions",
    "companions",
    "booking_companions",
    "reminders",
    "email_settings",
    "email_templates",
    "email_log",
    "company_settings",
    "house_settings",
)
"""Tables that know who made and who changed a row."""

# Longest text of each field that has a limit. Fields of the first group must not be empty.
REQUIRED_LENGTHS = {
    "seasons": {"name": 80},
    "service_templates": {"name": 200},
    "discount_templates": {"name": 200},
    "payers": {"name": 200},
    "price_lines": {"label": 300},
    "payments": {"method": 60},
    "companions": {"last_name": 100},
    "booking_companions": {"last_name": 100},
    "reminders": {"title": 300},
    "email_settings": {"smtp_server": 254, "from_email": 254},
    "email_templates": {"name": 200},
}
_TEMPLATE = {"description": 10000, "emoji": 16, "colour": 16}
LENGTHS = {
    "bookings": {"invoice_sent_to": 254},
    "service_templates": _TEMPLATE,
    "discount_templates": _TEMPLATE,
    "payers": {
        "company": 200,
        "street": 200,
        "postal_code": 20,
        "city": 100,
        "country": 100,
        "contact_person": 200,
        "notes": 10000,
    },
    "payments": {"notes": 10000},
    "credit_transactions": {"notes": 10000, "actor": 100},
    "companions": {"first_name": 100, "relationship": 100, "notes": 10000},
    "booking_companions": {"first_name": 100},
    "reminders": {"description": 10000, "completed_by": 100},
    "email_settings": {"smtp_username": 254, "smtp_password": 1000, "from_name": 200},
    "email_templates": {"subject": 1000, "body": 200000, "description": 10000},
    "email_log": {"template_name": 200, "recipient": 1000, "subject": 1000, "error_message": 10000},
}

# Columns that only take some words: offered in lists, so nobody can mistype them.
_CHOICES = {
    "vat_rates": ("kind",),
    "service_templates": ("price_type", "applies_to", "vat_kind", "cleaning_plan_position"),
    "discount_templates": ("price_type", "applies_to", "cleaning_plan_position"),
    "price_lines": ("kind", "applies_to", "vat_kind"),
    "credit_transactions": ("kind",),
    "reminders": ("kind", "priority"),
    "email_log": ("status",),
    "house_settings": ("discount_base",),
}
_NOT_NEGATIVE = {
    "room_prices": ("price_low", "price_high", "final_cleaning_fee"),
    "service_templates": ("price",),
    "discount_templates": ("price",),
}
_NOT_ZERO = {"payments": ("amount",), "credit_transactions": ("amount",)}
_RANGES = {
    "vat_rates_rate_range": ("rate", 0, 100),
    "price_lines_percentage_range": ("percentage", 0, 1000),
    "email_settings_smtp_port_range": ("smtp_port", 1, 65535),
    "house_settings_member_discount_range": ("member_discount_percentage", 0, 100),
    **{
        f"house_settings_{name}_range": (name, 0, 365)
        for name in (
            "payment_days",
            "payment_reminder_days",
            "payment_reminder_repeat_days",
            "remind_payment_days",
            "remind_checkin_days",
        )
    },
}
_PARENTS = {
    "booking_id": "Die Buchung wurde inzwischen gelöscht, oder zu ihr ist etwas eingetragen, das bleibt: "
    "bitte neu öffnen.",
    "guest_id": "Der Gast wurde inzwischen gelöscht, oder zu ihm ist etwas eingetragen, das bleiben muss: "
    "bitte einen Gast aus der Liste wählen.",
    "room_id": "Das Zimmer wurde inzwischen gelöscht, oder es hat eigene Preise: bitte neu öffnen.",
    "payer_id": "Den Zahler gibt es nicht mehr, oder Buchungen verweisen auf ihn: "
    "bitte einen aus der Liste wählen.",
    "companion_id": "Die Begleitperson wurde inzwischen gelöscht: bitte neu öffnen.",
    "service_template_id": "Die Leistung gibt es nicht mehr, oder Buchungen verweisen auf sie: "
    "bitte eine aus der Liste wählen.",
    "discount_template_id": "Den Rabatt gibt es nicht mehr, oder Buchungen verweisen auf ihn: "
    "bitte einen aus der Liste wählen.",
}
REFERRED = {
    "bookings_guest_id_fkey": "zu ihm gibt es Buchungen, auch stornierte zählen",
    "credit_transactions_guest_id_fkey": "zu ihm ist Guthaben eingetragen",
    "companions_guest_id_fkey": "zu ihm sind Begleitpersonen eingetragen",
    "email_log_guest_id_fkey": "an ihn wurde eine E-Mail verschickt",
    "occupancies_room_id_fkey": "zu ihm gibt es Belegungen, auch stornierte zählen",
    "room_prices_room_id_fkey": "zu ihm gibt es eigene Preise",
}
"""The same constraints when the record that they refer to was to go: what refers to it, as a clause."""
_CHILDREN = {
    "bookings": ("payer_id",),
    "room_prices": ("room_id",),
    "price_lines": ("booking_id", "service_template_id", "discount_template_id"),
    "payments": ("booking_id",),
    "credit_transactions": ("guest_id", "booking_id"),
    "companions": ("guest_id",),
    "booking_companions": ("booking_id", "companion_id"),
    "reminders": ("booking_id",),
    "email_log": ("booking_id", "guest_id"),
}
_BIRTH = "Das Geburtsdatum liegt vor 1880 oder in ferner Zukunft: bitte prüfen."
_YEARS = "Dieses Datum hat kein Kalender: bitte ein Jahr von 1 bis 9999 angeben."
_DAY_OF_YEAR = "Tag und Monat bitte wie 24.12. angeben."
_NAME_TAKEN = "Diesen Namen gibt es schon: bitte einen anderen wählen."

_SINGLE: dict[str, Meaning] = {
    "vat_rates_kind_valid_from_key": (
        "valid_from",
        "Für diesen Tag gibt es schon einen Satz: bitte diesen ändern.",
    ),
    "room_prices_room_valid_from_key": (
        "valid_from",
        "Für diesen Tag gibt es schon einen Preis dieses Zimmers: bitte diesen ändern.",
    ),
    "seasons_first_day_form": ("first_day", _DAY_OF_YEAR),
    "seasons_last_day_form": ("last_day", _DAY_OF_YEAR),
    "seasons_name_key": ("name", _NAME_TAKEN),
    "service_templates_name_key": ("name", _NAME_TAKEN),
    "discount_templates_name_key": ("name", _NAME_TAKEN),
    "email_templates_name_key": ("name", _NAME_TAKEN),
    "price_lines_position_positive": ("position", "Zeilen eines Preises zählen ab 1: bitte neu öffnen."),
    "price_lines_quantity_positive": ("quantity", "Die Menge muss größer als 0 sein."),
    "price_lines_booking_position_key": (
        "position",
        "An dieser Stelle steht inzwischen eine andere Zeile: bitte die Buchung neu öffnen.",
    ),
    "companions_date_of_birth_range": ("date_of_birth", _BIRTH),
    "booking_companions_date_of_birth_range": ("date_of_birth", _BIRTH),
    "no_control_characters": (
        None,
        "Ein Text enthält Steuerzeichen, die nicht zu sehen sind: bitte dort neu eintippen.",
    ),
    "rooms_retired_from_range": ("retired_from", _YEARS),
    "bookings_option_expires_range": ("option_expires", _YEARS),
    "bookings_cleaning_date_range": ("cleaning_date", _YEARS),
    "reminders_due_date_range": ("due_date", _YEARS),
    "reminders_snoozed_until_range": ("snoozed_until", _YEARS),
    "reminders_automatic_needs_booking": (
        "booking_id",
        "Eine automatische Erinnerung gehört zu einer Buchung: bitte neu öffnen.",
    ),
    "reminders_one_open_per_kind": (
        "completed",
        "Zu dieser Buchung ist schon eine gleiche automatische Erinnerung offen: bitte diese erledigen.",
    ),
    "anonymise_open_bookings": (
        None,
        "Der Gast hat noch Buchungen, die nicht vorbei sind: bitte diese zuerst auschecken oder stornieren.",
    ),
    "reminder_has_due_date": (
        "due_date",
        "Wann soll erinnert werden? Bitte einen Tag angeben, zum Beispiel morgen oder 24.12.",
    ),
}


def around(defect: str, signed_work: str) -> dict[str, Meaning]:
    """All of them. ``defect``: what nobody can cause by typing; ``signed_work``: who did something stays."""
    found: dict[str, Meaning] = dict(_SINGLE)
    for table, names in _CHOICES.items():
        for name in names:
            found[f"{table}_{name}"] = (
                name,
                f"{field_label(name, table)}: diesen Wert gibt es nicht, bitte einen aus der Liste wählen.",
            )
    for table, names in _NOT_NEGATIVE.items():
        for name in names:
            found[f"{table}_{name}_positive"] = (name, "Preise dürfen nicht negativ sein.")
    for table, names in _NOT_ZERO.items():
        for name in names:
            found[f"{table}_{name}_not_zero"] = (name, "Der Betrag darf nicht 0 sein.")
    for constraint, (name, lowest, highest) in _RANGES.items():
        found[constraint] = (
            name,
            f"{field_label(name)}: bitte einen Wert von {lowest} bis {highest} angeben.",
        )
    for table, names in _CHILDREN.items():
        for name in names:
            found[f"{table}_{name}_fkey"] = (name, _PARENTS[name])
    for table in STAMPED:
        found[f"{table}_pkey"] = (None, defect)
        for stamp in ("created", "updated"):
            found[f"{table}_{stamp}_by_fkey"] = (None, signed_work)
    for table in ("email_settings", "company_settings", "house_settings"):
        found[f"{table}_one_row"] = (None, defect)
    # The data migration's own bookkeeping: nobody types these.
    for constraint in (
        "runs_pkey",
        "runs_source_sha256_form",
        "kept_rows_pkey",
        "kept_rows_run_id_fkey",
        "quarantine_pkey",
        "quarantine_run_id_fkey",
        "id_map_pkey",
        "id_map_run_id_fkey",
        "source_fingerprints_pkey",
        "source_fingerprints_length",
    ):
        found[constraint] = (None, defect)
    return found
