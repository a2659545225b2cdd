"""What goes wrong around bookings and with the file: references, settings, price links, unknown tables."""

from __future__ import annotations

import json
from typing import Any

from tools.legacy_files.workshop import Defect, Workshop, each, one_of

#: Larger than any id that a generated file has.
MISSING = 900_000_000
_CHILDREN = (
    *("accompanying_guests", "additional_services", "discounts", "booking_services", "booking_discounts"),
    *("booking_attribute_assignments", "reminders", "email_logs", "guest_credit_transactions"),
)
_OF_GUESTS = ("bookings", "email_logs", "guest_companions", "guest_credit_transactions")
_SETTINGS = (
    *("company_settings", "payment_settings", "pricing_settings", "notification_settings"),
    *("reminder_settings", "backup_settings"),
)


def _orphans(column: str, *tables: str, where: str = "") -> Any:
    def spoil(work: Workshop, rate: float) -> None:
        for table in tables:
            for number in work.pick(table, rate, where, needs=(column,)):
                work.set(table, number, {column: MISSING + number})

    return spoil


def _second_settings(work: Workshop, rate: float) -> None:
    for table in _SETTINGS:
        for number in work.pick(table, rate, "id = 1"):
            work.copy(table, number)


def _second_config(work: Workshop, rate: float) -> None:
    for number in work.pick("email_config", rate):
        secret = "zweites-Kennwort-9XqL"  # invented
        work.secrets.add(secret)
        work.copy("email_config", number, smtp_server="alt.example.org", smtp_password=secret)


def _open_twice(work: Workshop, rate: float) -> None:
    open_ones = "reminder_type <> 'manual' AND is_completed = 0 AND booking_id IS NOT NULL"
    for number in work.pick("reminders", rate, open_ones):
        work.leave_alone("reminders", number)
        work.copy("reminders", number, title="Noch einmal dasselbe")


def _raw_percentage(work: Workshop, rate: float) -> None:
    links = (
        ("booking_services", "service", "price", "price_type"),
        ("booking_discounts", "discount", "discount_value", "discount_type"),
    )
    for table, kind, value, how in links:
        reference = f"{kind}_template_id"
        percent = f"{reference} IN (SELECT id FROM {kind}_templates WHERE {how} = 'percent')"
        if not (work.file.has(table, "calculated_price") and work.file.has(f"{kind}_templates", how)):
            continue
        for number in work.pick(table, rate, percent):
            (template,) = work.row(table, number, reference)
            work.set(table, number, {"calculated_price": work.row(f"{kind}_templates", template, value)[0]})


def _links_only(work: Workshop, rate: float) -> None:
    if not work.file.has("booking_services"):
        return
    free = (
        "id NOT IN (SELECT booking_id FROM additional_services UNION SELECT booking_id FROM booking_services)"
    )
    price = work.database.execute("SELECT price FROM service_templates WHERE id = 1").fetchone()
    for number in work.pick("bookings", rate, free) if price else ():
        services, total = work.row("bookings", number, "services_preis, gesamtpreis")
        work.set(
            "bookings",
            number,
            {"services_preis": round(services + price[0], 2), "gesamtpreis": round(total + price[0], 2)},
        )
        work.insert("booking_services", {"booking_id": number, "service_template_id": 1})


def _overdrawn(work: Workshop, rate: float) -> None:
    if not work.file.has("guest_credit_transactions"):
        return
    for number in work.pick("guests", rate):
        work.leave_alone("guests", number)
        values = {"guest_id": number, "amount": -500.0, "transaction_type": "used", "created_by": "System"}
        work.insert("guest_credit_transactions", values | {"created_at": "2025-10-20 09:00:00"})


def _unknown_kind(work: Workshop, rate: float) -> None:
    for table, column in (("reminders", "reminder_type"), ("guest_credit_transactions", "transaction_type")):
        for number in work.pick(table, rate):
            work.set(table, number, {column: "sonstiges"})


def _secret_in_log(work: Workshop, rate: float) -> None:
    for number in work.pick("transaction_log", rate):
        secret = f"S{9000 + number}#log"
        work.secrets.add(secret)
        data = json.dumps({"id": 1, "name": "1 - Zugspitze", "schluesselcode": secret})
        work.set("transaction_log", number, {"table_name": "rooms", "old_data": data, "new_data": data})


def _table(statement: str, name: str, rows: Any) -> Any:
    """A table nobody knows; rate 1 gives it 100 rows."""

    def spoil(work: Workshop, rate: float) -> None:
        if rate <= 0:
            return
        work.database.execute(statement)
        quoted = '"' + name.replace('"', '""') + '"'
        for number in range(1, max(1, round(rate * 100)) + 1):
            values = rows(number)
            work.database.execute(f"INSERT INTO {quoted} VALUES ({', '.join('?' * len(values))})", values)
            work.note(name, number)

    return spoil


def _column(work: Workshop, rate: float) -> None:
    for table, column in (("guests", "haustier"), ("bookings", '"group; --"'), ("rooms", "stockwerk")):
        picked = work.pick(table, rate)
        if not picked:
            continue
        work.database.execute(f"ALTER TABLE {table} ADD COLUMN {column} TEXT")
        for number in picked:
            work.database.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (f"Wert {number}", number))
            work.note(table, number, column.strip('"'))


def _view(work: Workshop, rate: float) -> None:
    if rate > 0:
        work.database.execute("CREATE VIEW v_eigene_liste AS SELECT id, nachname FROM guests")
        work.hits.setdefault(work.defect, {})


_LIKE_SQL = 'guests"; DROP TABLE "guests'
DEFECTS = (
    Defect("orphan_guest", "bookings, mails, companions, credit of a guest that is not there",
           _orphans("guest_id", *_OF_GUESTS)),
    Defect("orphan_room", "bookings of a room that is not there", _orphans("room_id", "bookings")),
    Defect("orphan_booking", "rows of every table under a booking that is not there",
           _orphans("booking_id", *_CHILDREN)),
    Defect("orphan_companion", "companion_id leads nowhere",
           _orphans("companion_id", "accompanying_guests", where="companion_id IS NOT NULL"), 13),
    Defect("orphan_payer", "payment_recipient_id leads nowhere",
           _orphans("payment_recipient_id", "bookings", where="payment_recipient_id IS NOT NULL"), 20),
    Defect("orphan_service_template", "a linked service without template",
           _orphans("service_template_id", "booking_services"), 18),
    Defect("orphan_discount_template", "a linked discount without template",
           _orphans("discount_template_id", "booking_discounts"), 19),
    Defect("negative_line", "a service with a negative price",
           each("additional_services", one_of("service_price", -5.0, -0.01)),
           loosens=("additional_services",)),
    Defect("second_settings_row", "two rows in tables that may have one", _second_settings, 5,
           loosens=_SETTINGS),
    Defect("second_email_config", "a second row in email_config", _second_config, 2),
    Defect("duplicate_open_reminder", "two open automatic reminders of one kind on a booking", _open_twice,
           14),
    Defect("unknown_kind", "a reminder or credit entry of an unknown kind", _unknown_kind, 14,
           ("reminders", "guest_credit_transactions")),
    Defect("raw_percentage", "calculated_price holds the percentage", _raw_percentage, 22),
    Defect("link_only_services", "a booking whose only service is a linked template", _links_only, 18),
    Defect("credit_negative_balance", "a guest used more credit than there was", _overdrawn, 21),
    Defect("secret_in_log", "a key code inside the JSON of transaction_log", _secret_in_log, 11),
    Defect("unknown_table", "a table nobody knows, with a BLOB",
           _table("CREATE TABLE zimmer_fotos (id INTEGER PRIMARY KEY, room_id INTEGER, bild BLOB, titel)",
                  "zimmer_fotos", lambda n: (n, n, bytes(range(n % 50)), f"Foto {n}"))),
    Defect("table_named_like_sql", "a table and columns named like SQL",
           _table("""CREATE TABLE "guests""; DROP TABLE ""guests" ("order" TEXT, "a""b" REAL, "" TEXT)""",
                  _LIKE_SQL, lambda n: (f"'; DROP TABLE rooms; -- {n}", n / 3, None))),
    Defect("without_rowid_table", "a table without rowid",
           _table("CREATE TABLE merkmale (code TEXT PRIMARY KEY, wert) WITHOUT ROWID", "merkmale",
                  lambda n: (f"M{n:06}", n if n % 2 else f"Wert {n}"))),
    Defect("unknown_column", "columns nobody knows in guests, bookings and rooms", _column),
    Defect("unknown_view", "a view nobody knows; it has no rows of its own", _view),
)  # fmt: skip
