"""Each rule of the mapping but those of bookings, on a few rows that are written down here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import Server
from tests.legacy.loading import booking, fates, guest, house, kept, migrated, quarantined, repairs, room


@pytest.fixture(scope="module")
def dsn(server: Server) -> Iterator[str]:
    """An empty house; every test leaves it empty."""
    clone = server.clone()
    yield clone.owner_dsn
    server.drop(clone)


async def test_guests_are_repaired_and_say_so(dsn: str) -> None:
    rows = {
        "guests": [
            guest(id=1, email="keine", notizen="Alt"),
            guest(id=2, email="beispiel@noemail.local", telefon=""),
            guest(id=3, geburtsdatum="31.12.1970", email=""),
            guest(id=4, geburtsdatum="12.1970", strasse="S" * 300),
            guest(id=5, notizen=b"Gr\xfc\xdfe".decode("utf-8", "surrogateescape"), dpolg_mitglied="ja"),
            guest(id=6, notizen="vor\0nach", dpolg_mitglied=None, created_at=None),
            guest(id=7, nachname="  "),
            guest(id=8, nachname="N" * 101),
            guest(id=9, notizen=b"\x89PNG\xff", vorname=""),
            guest(id=10, nachname=b"\x89PNG\xff"),
        ]
    }
    async with migrated(dsn, rows) as connection:
        found = {row["id"]: row for row in await connection.fetch("SELECT * FROM app.guests")}
        assert (found[1]["email"], found[1]["notes"]) == (None, "Alt\nE-Mail im Altsystem: keine")
        assert (found[2]["email"], found[2]["phone"]) == (None, None)
        assert str(found[3]["date_of_birth"]) == "1970-12-31"
        assert (found[4]["date_of_birth"], found[4]["street"]) == (None, None)
        assert "Straße im Altsystem: " + "S" * 300 in found[4]["notes"]
        assert "Geburtsdatum im Altsystem: 12.1970" in found[4]["notes"]
        assert (found[5]["notes"], found[5]["is_member"]) == ("Grüße", True)
        assert (found[6]["notes"], found[6]["is_member"]) == ("vor\ufffdnach", False)
        assert (found[9]["notes"], found[9]["first_name"]) == (None, "")
        assert found[9]["sort_key"] == "beispiel"
        assert await quarantined(connection) == {
            ("guests", 7): "empty_name",
            ("guests", 8): "text_too_long",
            ("guests", 10): "empty_name",
        }
        said = await repairs(connection)
        assert said["guests.email", "email_word"] == (1, 7, 6)
        assert said["guests.email", "email_placeholder"] == (1, 7, 6)
        assert said["guests.email", "empty"] == (1, 7, 6)
        assert said["guests.geburtsdatum", "birth_moved"] == (1, 2, 1)
        assert said["guests.notizen", "bytes"] == (2, 4, 4)
        assert said["guests.notizen", "blob"] == (1, 4, 3)
        assert (await kept(connection, "guests", 9))["notizen"][0] == "blob"


async def test_rooms(dsn: str) -> None:
    rows = {
        "rooms": [
            room(id=1, gebaeude_typ="fewo"),
            room(id=2, name="2", gebaeude_typ="Haupthaus", nebensaison_preis=0.0, hauptsaison_preis=None),
            room(id=3, name="zimmer 1", gebaeude_typ="EZ"),
            room(id=4, name="4", capacity=0),
            room(id=5, name="5", endreinigung=-1.0),
            room(id=6, name="6", gebaeude_typ="", ort=""),
        ]
    }
    async with migrated(dsn, rows) as connection:
        found = {row["id"]: row for row in await connection.fetch("SELECT * FROM app.rooms")}
        assert (found[1]["category"], found[1]["building"], found[1]["key_code"]) == ("FeWo", None, "4711#")
        assert (found[2]["category"], found[2]["building"]) == ("Zimmer", "Haupthaus")
        assert (found[2]["price_low"], found[2]["price_high"]) == (60, 60)
        assert (found[6]["category"], found[6]["place"]) == ("Zimmer", "unbekannt")
        assert await quarantined(connection) == {
            ("rooms", 3): "second_row",
            ("rooms", 4): "out_of_range",
            ("rooms", 5): "negative_money",
        }
        everything = await connection.fetchval(
            "SELECT string_agg(data::text, '') FROM (SELECT data FROM legacy.quarantine"
            " UNION ALL SELECT data FROM legacy.kept_rows) x"
        )
        assert "4711#" not in everything
        assert "***" in everything


async def test_mail_and_its_secret(dsn: str) -> None:
    config = {
        "smtp_server": "mail.example.org",
        "smtp_port": 465,
        "smtp_username": "haus",
        "smtp_password": "geheim!7",
        "from_email": "haus@example.org",
        "from_name": "Haus",
        "use_tls": 1,
        "created_at": "2025-01-01 00:00:00",
        "updated_at": "2025-01-01 00:00:00",
    }
    log = {
        "booking_id": 77,
        "guest_id": 1,
        "template_name": "invoice",
        "recipient_email": "a@example.org",
        "subject": "Rechnung",
        "error_message": "",
        "sent_at": "2025-03-01 08:00:00.123456+00",
    }
    rows = house(
        email_config=[{"id": 1} | config, {"id": 2} | config | {"smtp_password": "geheim!8"}],
        email_logs=[
            {"id": 1, "status": "gesendet"} | log,
            {"id": 2, "status": "fehler", "guest_id": 66} | log | {"guest_id": 66},
            {"id": 3, "status": "unklar"} | log,
        ],
        email_templates=[
            {
                "id": 3,
                "template_name": "invoice",
                "subject": "",
                "body": "{{GAST}}",
                "created_at": "2025-01-01 00:00:00",
                "updated_at": "2025-01-01 12:00:00",
            }
        ],
        transaction_log=[
            {"id": 1, "old_data": '{"schluesselcode": "99#x", "smtp_password":"geheim!9"}', "new_data": None}
        ],
    )
    async with migrated(dsn, rows) as connection:
        assert await connection.fetchval("SELECT smtp_password FROM app.email_settings") == "geheim!8"
        assert await quarantined(connection) == {
            ("email_config", 1): "second_row",
            ("email_logs", 3): "unknown_status",
        }
        assert await connection.fetch(
            "SELECT status, guest_id, booking_id FROM app.email_log ORDER BY id"
        ) == [("sent", 1, None), ("failed", None, None)]
        assert str(
            await connection.fetchval("SELECT updated_at AT TIME ZONE 'UTC' FROM app.email_templates")
        ) == ("2025-01-01 10:00:00")
        rest = await connection.fetchval(
            "SELECT string_agg(data::text, '') FROM (SELECT data FROM legacy.quarantine"
            " UNION ALL SELECT data FROM legacy.kept_rows) x"
        )
        assert "geheim" not in rest
        assert "99#x" not in rest


async def test_reminders_and_credit(dsn: str) -> None:
    reminder = {
        "booking_id": 1,
        "reminder_type": "auto_payment",
        "title": "Zahlung",
        "due_date": "2025-05-01",
        "priority": "high",
        "is_completed": 0,
        "is_snoozed": 0,
    }
    rows = house(
        booking(),
        reminders=[
            {"id": 1, "created_at": "2025-01-01 00:00:00"} | reminder,
            {"id": 2, "created_at": "2025-01-02 00:00:00"} | reminder,
            {"id": 3} | reminder | {"is_completed": 1},
            {"id": 4}
            | reminder
            | {
                "reminder_type": "sonstiges",
                "priority": "egal",
                "is_snoozed": 1,
                "snoozed_until": "2025-06-01",
            },
            {"id": 5} | reminder | {"due_date": "bald", "reminder_type": "manual"},
        ],
        guest_credit_transactions=[
            {"id": 1, "guest_id": 1, "amount": -50.0, "transaction_type": "used", "created_by": "System"},
            {"id": 2, "guest_id": 1, "amount": 0.0, "transaction_type": "added"},
            {"id": 3, "guest_id": 1, "amount": 5.0, "transaction_type": "geschenkt"},
        ],
    )
    async with migrated(dsn, rows) as connection:
        assert await quarantined(connection) == {
            ("reminders", 1): "second_row",
            ("reminders", 5): "unreadable_date",
            ("guest_credit_transactions", 2): "zero_money",
            ("guest_credit_transactions", 3): "unknown_kind",
        }
        found = await connection.fetchrow(
            "SELECT kind, priority, snoozed_until::text FROM app.reminders WHERE id = 4"
        )
        assert tuple(found) == ("manual", "medium", "2025-06-01")
        assert (await kept(connection, "reminders", 4))["reminder_type"] == ["text", "sonstiges"]
        assert await connection.fetchval("SELECT amount FROM app.credit_transactions") == -50


async def test_settings(dsn: str) -> None:
    rows = {
        "company_settings": [
            {"id": 1, "company_name": "Haus Muster", "fax": None, "logo_path": "/pfad/logo.png"},
            {"id": 2, "company_name": "Zweites"},
        ],
        "payment_settings": [
            {
                "id": 1,
                "iban": "DE00",
                "mwst_rate": 7.0,
                "payment_due_days": 10,
                "dpolg_rabatt": 12.0,
                "reminder_after_days": 21,
            }
        ],
        "pricing_settings": [
            {
                "id": 1,
                "hauptsaison_aktiv": 1,
                "hauptsaison_start": "2025-12-15",
                "hauptsaison_ende": "02-29",
                "mitglieder_rabatt_aktiv": 0,
                "mitglieder_rabatt_prozent": 15.0,
                "rabatt_basis": "gesamtpreis",
            }
        ],
        "notification_settings": [
            {
                "id": 1,
                "checkin_reminders_enabled": 1,
                "payment_reminder_after_days": 9000,
                "scheduler_interval_hours": 1,
            }
        ],
        "reminder_settings": [{"id": 1, "auto_reminder_payment": 0}],
        "unbekannt": [{"id": 4, "was": 1.5}],
    }
    async with migrated(dsn, rows) as connection:
        house = await connection.fetchrow("SELECT * FROM app.house_settings")
        assert (house["payment_days"], house["payment_reminder_days"]) == (10, 21)
        assert (house["member_discount_active"], house["member_discount_percentage"]) == (False, 15)
        assert (house["discount_base"], house["mail_checkin_reminders"]) == ("subtotal", True)
        assert (house["remind_payment"], house["remind_invoice"]) == (False, True)
        season = await connection.fetchrow("SELECT first_day, last_day, active FROM app.seasons")
        assert tuple(season) == ("12-15", "02-29", True)
        assert await quarantined(connection) == {("company_settings", 2): "second_row"}
        assert await kept(connection, "company_settings", 1) == {"logo_path": ["text", "/pfad/logo.png"]}
        assert (await kept(connection, "payment_settings", 1))["dpolg_rabatt"] == ["real", "12.0"]
        assert (await kept(connection, "notification_settings", 1))["payment_reminder_after_days"] == [
            "integer",
            "9000",
        ]
        assert (await fates(connection))["unbekannt", 4] == "kept"
