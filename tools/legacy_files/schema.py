"""The predecessor's tables as they grew: stage 1 has 6 of them, each later stage one more, up to 30.

A column belongs to a table from its first stage on; later ones were appended by ALTER, in an order that
differed from house to house. The text is what SQLite keeps in ``sqlite_master`` after such an ALTER.
"""

from __future__ import annotations

from tools.legacy_files.table import Table, columns, texts

#: Stages that the sample files have: 6, 24 and 26 tables.
EARLY, MIDDLE, LATE, LAST = 1, 19, 21, 25
CORE_TABLES = 6


_ID = "id INTEGER PRIMARY KEY AUTOINCREMENT; "
_ONE_ROW = "id INTEGER PRIMARY KEY CHECK(id = 1); "
_CREATED = "created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP"
_UPDATED = "updated_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP"
_OF_A_BOOKING = "FOREIGN KEY (booking_id) REFERENCES bookings (id) ON DELETE CASCADE"
_LEAVES_THE_BOOKING = "FOREIGN KEY (booking_id) REFERENCES bookings (id) ON DELETE SET NULL"
_OF_A_GUEST = "FOREIGN KEY (guest_id) REFERENCES guests (id) ON DELETE CASCADE"
_PLAN = (
    "emoji TEXT; color_hex TEXT; show_in_cleaning_plan INTEGER DEFAULT 0; "
    "cleaning_plan_position TEXT DEFAULT 'start'"
)

TABLES: tuple[Table, ...] = (
    Table(
        "rooms",
        1,
        columns(
            _ID + "name TEXT NOT NULL; gebaeude_typ TEXT NOT NULL; capacity INTEGER NOT NULL; "
            "price_member REAL NOT NULL; price_non_member REAL NOT NULL; ort TEXT NOT NULL; "
            "schluesselcode TEXT"
        )
        + columns(
            "nebensaison_preis REAL DEFAULT 0.0; hauptsaison_preis REAL DEFAULT 0.0; "
            "endreinigung REAL DEFAULT 0.0",
            5,
        )
        + texts("street_address postal_code city notizen", 20),
    ),
    Table(
        "guests",
        1,
        columns(
            _ID
            + "vorname TEXT NOT NULL; nachname TEXT NOT NULL; email TEXT NOT NULL; telefon TEXT NOT NULL; "
            "dpolg_mitglied BOOLEAN NOT NULL; strasse TEXT; plz TEXT; ort TEXT"
        )
        + texts("mitgliedsnummer notizen beruf bundesland dienststelle", 1)
        + columns("created_at TEXT DEFAULT CURRENT_TIMESTAMP", 1)
        + texts(
            "anrede geschlecht land telefon_geschaeftlich telefon_privat telefon_mobil fax geburtsdatum "
            "geburtsort sprache nationalitaet identifikationsnummer debitorenkonto kennzeichen "
            "rechnungs_email",
            20,
        )
        + columns("marketing_einwilligung BOOLEAN DEFAULT 0", 20)
        + texts("leitweg_id kostenstelle tags", 20)
        + columns("automail INTEGER; automail_sprache TEXT", 21),
        indexes=("email",),
        rebuilt=21,
        looser=("telefon",),
    ),
    Table(
        "bookings",
        1,
        columns(
            _ID + "room_id INTEGER NOT NULL; guest_id INTEGER NOT NULL; "
            "reservierungsnummer TEXT NOT NULL UNIQUE; checkin_date TEXT NOT NULL; "
            "checkout_date TEXT NOT NULL; anzahl_gaeste INTEGER NOT NULL; status TEXT NOT NULL; "
            "gesamtpreis REAL NOT NULL; bemerkungen TEXT; " + _CREATED
        )
        + columns(
            "anzahl_begleitpersonen INTEGER DEFAULT 0; grundpreis REAL DEFAULT 0; "
            "services_preis REAL DEFAULT 0; rabatt_preis REAL DEFAULT 0; anzahl_naechte INTEGER DEFAULT 0; "
            "updated_at TEXT DEFAULT CURRENT_TIMESTAMP",
            1,
        )
        + columns("bezahlt INTEGER DEFAULT 0; bezahlt_am TEXT; zahlungsmethode TEXT", 6)
        + texts("mahnung_gesendet_am", 7)
        + texts("rechnung_versendet_am rechnung_versendet_an", 8)
        + columns("ist_stiftungsfall BOOLEAN DEFAULT FALSE", 16)
        + columns("payment_recipient_id INTEGER; putzplan_checkout_date TEXT", 20)
        + columns("ist_dpolg_mitglied INTEGER NOT NULL DEFAULT 0", 21),
        (
            "FOREIGN KEY (room_id) REFERENCES rooms (id)",
            "FOREIGN KEY (guest_id) REFERENCES guests (id)",
        ),
        ("checkin_date, checkout_date", "room_id", "guest_id"),
    ),
    Table(
        "accompanying_guests",
        1,
        columns(
            _ID
            + "booking_id INTEGER NOT NULL; vorname TEXT NOT NULL; nachname TEXT NOT NULL; geburtsdatum TEXT"
        )
        + columns("companion_id INTEGER", 13),
        (_OF_A_BOOKING,),
        ("booking_id",),
    ),
    Table(
        "additional_services",
        1,
        columns(
            _ID + "booking_id INTEGER NOT NULL; service_name TEXT NOT NULL; "
            "service_price REAL NOT NULL CHECK(service_price >= 0); created_at TEXT DEFAULT CURRENT_TIMESTAMP"
        )
        + columns(
            "price_type TEXT DEFAULT 'fixed'; original_value REAL DEFAULT 0; "
            "applies_to TEXT DEFAULT 'overnight_price'",
            22,
        ),
        (_OF_A_BOOKING,),
        ("booking_id",),
    ),
    Table(
        "discounts",
        1,
        columns(
            _ID + "booking_id INTEGER NOT NULL; discount_name TEXT NOT NULL; "
            "discount_type TEXT NOT NULL CHECK(discount_type IN ('percent', 'fixed')); "
            "discount_value REAL NOT NULL CHECK(discount_value >= 0); "
            "created_at TEXT DEFAULT CURRENT_TIMESTAMP"
        ),
        (_OF_A_BOOKING,),
        ("booking_id",),
    ),
    Table(
        "email_config",
        2,
        columns(
            _ID + "smtp_server TEXT NOT NULL; smtp_port INTEGER NOT NULL; smtp_username TEXT NOT NULL; "
            "smtp_password TEXT NOT NULL; from_email TEXT NOT NULL; from_name TEXT NOT NULL; "
            "use_tls INTEGER NOT NULL DEFAULT 1; " + _CREATED + "; " + _UPDATED
        ),
    ),
    Table(
        "email_templates",
        3,
        columns(
            _ID + "template_name TEXT NOT NULL UNIQUE; subject TEXT NOT NULL; body TEXT NOT NULL; "
            "description TEXT; " + _CREATED + "; " + _UPDATED
        ),
    ),
    Table(
        "email_logs",
        4,
        columns(
            _ID + "booking_id INTEGER; guest_id INTEGER NOT NULL; template_name TEXT NOT NULL; "
            "recipient_email TEXT NOT NULL; subject TEXT NOT NULL; status TEXT NOT NULL; "
            "error_message TEXT; sent_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP"
        ),
        (_LEAVES_THE_BOOKING, _OF_A_GUEST),
        ("booking_id", "guest_id"),
    ),
    Table(
        "company_settings",
        5,
        columns(
            _ONE_ROW + "company_name TEXT NOT NULL; street_address TEXT NOT NULL; plz TEXT NOT NULL; "
            "city TEXT NOT NULL; country TEXT NOT NULL DEFAULT 'Deutschland'; phone TEXT NOT NULL; fax TEXT; "
            "email TEXT NOT NULL; website TEXT NOT NULL; tax_id TEXT NOT NULL; ceo_name TEXT NOT NULL; "
            "registry_court TEXT NOT NULL; logo_path TEXT; " + _UPDATED
        ),
    ),
    Table(
        "payment_settings",
        6,
        columns(
            _ONE_ROW + "bank_name TEXT NOT NULL; iban TEXT NOT NULL; bic TEXT NOT NULL; "
            "account_holder TEXT NOT NULL; "
            "mwst_rate REAL NOT NULL CHECK(mwst_rate >= 0 AND mwst_rate <= 100); "
            "payment_due_days INTEGER NOT NULL DEFAULT 14; reminder_after_days INTEGER NOT NULL DEFAULT 14; "
            "payment_text TEXT; " + _UPDATED
        )
        + columns("dpolg_rabatt REAL DEFAULT 15.0", 9),
    ),
    Table(
        "service_templates",
        7,
        columns(
            _ID + "name TEXT NOT NULL UNIQUE; description TEXT; price REAL NOT NULL CHECK(price >= 0); "
            "is_active INTEGER NOT NULL DEFAULT 1; " + _CREATED + "; " + _UPDATED
        )
        + columns(_PLAN, 17)
        + columns(
            "requires_dog_cleaning INTEGER DEFAULT 0; requires_bedding_change INTEGER DEFAULT 0; "
            "requires_deep_cleaning INTEGER DEFAULT 0",
            20,
        )
        + columns("price_type TEXT DEFAULT 'fixed'; applies_to TEXT DEFAULT 'overnight_price'", 22),
        indexes=("is_active",),
    ),
    Table(
        "discount_templates",
        8,
        columns(
            _ID + "name TEXT NOT NULL UNIQUE; description TEXT; "
            "discount_type TEXT NOT NULL CHECK(discount_type IN ('percent', 'fixed')); "
            "discount_value REAL NOT NULL CHECK(discount_value >= 0); "
            "is_active INTEGER NOT NULL DEFAULT 1; " + _CREATED + "; " + _UPDATED
        )
        + columns(_PLAN + "; applies_to TEXT DEFAULT 'total_price'", 17),
        indexes=("is_active",),
    ),
    Table(
        "notification_settings",
        9,
        columns(
            _ONE_ROW + "checkin_reminders_enabled BOOLEAN NOT NULL DEFAULT 1; "
            "payment_reminders_enabled BOOLEAN NOT NULL DEFAULT 1; "
            "payment_reminder_after_days INTEGER NOT NULL DEFAULT 14; "
            "payment_reminder_repeat_days INTEGER NOT NULL DEFAULT 14; "
            "scheduler_interval_hours INTEGER NOT NULL DEFAULT 1; " + _UPDATED
        ),
    ),
    Table(
        "backup_settings",
        10,
        columns(
            _ONE_ROW + "auto_backup_enabled BOOLEAN NOT NULL DEFAULT 1; "
            "backup_interval TEXT NOT NULL DEFAULT 'on_startup'; max_backups INTEGER NOT NULL DEFAULT 10; "
            "last_backup_at TEXT"
        ),
    ),
    Table(
        "transaction_log",
        11,
        columns(
            _ID + "operation_type TEXT NOT NULL; table_name TEXT NOT NULL; record_id INTEGER NOT NULL; "
            "old_data TEXT; new_data TEXT; user_action TEXT NOT NULL; "
            "created_at DATETIME DEFAULT CURRENT_TIMESTAMP; can_undo INTEGER DEFAULT 1"
        ),
        indexes=("created_at DESC",),
    ),
    Table(
        "pricing_settings",
        12,
        columns(
            _ONE_ROW + "hauptsaison_aktiv BOOLEAN NOT NULL DEFAULT 1; "
            "hauptsaison_start TEXT NOT NULL DEFAULT '06-01'; "
            "hauptsaison_ende TEXT NOT NULL DEFAULT '08-31'; "
            "mitglieder_rabatt_aktiv BOOLEAN NOT NULL DEFAULT 1; "
            "mitglieder_rabatt_prozent REAL NOT NULL DEFAULT 15.0; "
            "rabatt_basis TEXT NOT NULL DEFAULT 'zimmerpreis' "
            "CHECK(rabatt_basis IN ('zimmerpreis', 'gesamtpreis')); " + _UPDATED
        ),
    ),
    Table(
        "guest_companions",
        13,
        columns(
            _ID + "guest_id INTEGER NOT NULL; vorname TEXT NOT NULL; nachname TEXT NOT NULL; "
            "geburtsdatum TEXT; beziehung TEXT; notizen TEXT; " + _CREATED
        ),
        (_OF_A_GUEST,),
    ),
    Table(
        "reminders",
        14,
        columns(
            _ID + "booking_id INTEGER; reminder_type TEXT NOT NULL CHECK(reminder_type IN ('manual', "
            "'auto_incomplete_data', 'auto_payment', 'auto_checkin', 'auto_invoice')); title TEXT NOT NULL; "
            "description TEXT; due_date TEXT NOT NULL; "
            "priority TEXT NOT NULL CHECK(priority IN ('low', 'medium', 'high')) DEFAULT 'medium'; "
            "is_completed INTEGER NOT NULL DEFAULT 0; completed_at TEXT; "
            "is_snoozed INTEGER NOT NULL DEFAULT 0; snoozed_until TEXT; " + _CREATED + "; " + _UPDATED
        )
        + texts("completed_by", 22),
        (_OF_A_BOOKING,),
        ("due_date", "is_completed", "booking_id"),
        rebuilt=23,
        looser=("reminder_type",),
    ),
    Table(
        "reminder_settings",
        15,
        columns(
            _ONE_ROW + "auto_reminder_incomplete_data INTEGER NOT NULL DEFAULT 1; "
            "auto_reminder_payment INTEGER NOT NULL DEFAULT 1; "
            "auto_reminder_checkin INTEGER NOT NULL DEFAULT 1; "
            "auto_reminder_invoice INTEGER NOT NULL DEFAULT 1; " + _UPDATED
        )
        + columns("auto_reminder_confirmation INTEGER DEFAULT 1", 23),
    ),
    Table(
        "booking_attributes",
        16,
        columns(
            _ID + "name TEXT NOT NULL UNIQUE; emoji TEXT; color_hex TEXT; "
            "price_modifier_type TEXT NOT NULL DEFAULT 'none'; "
            "price_modifier_value REAL NOT NULL DEFAULT 0.0; applies_to TEXT DEFAULT 'total_price'; "
            "show_in_cleaning_plan INTEGER NOT NULL DEFAULT 0; cleaning_plan_position TEXT DEFAULT 'start'; "
            "is_active INTEGER NOT NULL DEFAULT 1; " + _CREATED + "; " + _UPDATED
        ),
        indexes=("is_active",),
    ),
    Table(
        "booking_attribute_assignments",
        17,
        columns(_ID + "booking_id INTEGER NOT NULL; attribute_id INTEGER NOT NULL; " + _CREATED),
        (
            _OF_A_BOOKING,
            "FOREIGN KEY (attribute_id) REFERENCES booking_attributes (id) ON DELETE CASCADE",
            "UNIQUE(booking_id, attribute_id)",
        ),
        ("booking_id", "attribute_id"),
    ),
    Table(
        "booking_services",
        18,
        columns(_ID + "booking_id INTEGER NOT NULL; service_template_id INTEGER NOT NULL")
        + columns("calculated_price REAL", 22),
        (
            _OF_A_BOOKING,
            "FOREIGN KEY (service_template_id) REFERENCES service_templates (id) ON DELETE CASCADE",
            "UNIQUE(booking_id, service_template_id)",
        ),
        ("booking_id", "service_template_id"),
    ),
    Table(
        "booking_discounts",
        19,
        columns(_ID + "booking_id INTEGER NOT NULL; discount_template_id INTEGER NOT NULL")
        + columns("calculated_price REAL", 22),
        (
            _OF_A_BOOKING,
            "FOREIGN KEY (discount_template_id) REFERENCES discount_templates (id) ON DELETE CASCADE",
            "UNIQUE(booking_id, discount_template_id)",
        ),
        ("booking_id", "discount_template_id"),
    ),
    Table(
        "payment_recipients",
        20,
        columns(
            _ID + "name TEXT NOT NULL; company TEXT; street TEXT; plz TEXT; city TEXT; "
            "country TEXT NOT NULL DEFAULT 'Deutschland'; contact_person TEXT; notes TEXT; "
            + _CREATED
            + "; updated_at TEXT DEFAULT CURRENT_TIMESTAMP"
        ),
    ),
    Table(
        "guest_credit_transactions",
        21,
        columns(
            _ID + "guest_id INTEGER NOT NULL; amount REAL NOT NULL; transaction_type TEXT NOT NULL "
            "CHECK(transaction_type IN ('added', 'used', 'expired', 'refund')); booking_id INTEGER; "
            "notes TEXT; created_by TEXT DEFAULT 'System'; " + _CREATED
        ),
        (_OF_A_GUEST, _LEAVES_THE_BOOKING),
        ("guest_id", "booking_id"),
    ),
    Table(
        "seasons",
        22,
        columns(
            _ID + "name TEXT NOT NULL; start_date TEXT NOT NULL; end_date TEXT NOT NULL; "
            "is_active INTEGER NOT NULL DEFAULT 1; " + _CREATED
        ),
    ),
    Table(
        "room_prices",
        23,
        columns(_ID + "room_id INTEGER NOT NULL; season_id INTEGER; price REAL NOT NULL; valid_from TEXT"),
        ("FOREIGN KEY (room_id) REFERENCES rooms (id)",),
    ),
    Table(
        "price_history",
        24,
        columns(
            _ID + "room_id INTEGER NOT NULL; old_price REAL; new_price REAL; changed_at TEXT; reason TEXT"
        ),
    ),
    Table(
        "audit_log",
        25,
        columns(_ID + "table_name TEXT NOT NULL; record_id INTEGER; action TEXT; details TEXT; " + _CREATED),
    ),
)
VIEWS = (
    "CREATE VIEW v_belegung AS SELECT r.name, b.checkin_date, b.checkout_date, b.status "
    "FROM bookings b JOIN rooms r ON r.id = b.room_id",
    "CREATE VIEW v_room_prices AS SELECT r.name, p.price FROM room_prices p JOIN rooms r ON r.id = p.room_id",
)
BY_NAME = {table.name: table for table in TABLES}
STAGES = range(1, len(TABLES) - CORE_TABLES + 2)
