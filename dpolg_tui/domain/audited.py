"""What the audit log watches: telling columns of its tables, and kinds of entries to ask for."""

from __future__ import annotations

FIELDS: dict[str, tuple[str, ...]] = {
    table: tuple(names.split())
    for table, names in {
        "bookings": """
            number guest_id status persons option_expires foundation_case guest_is_member cleaning_date
            notes payer_id cancellation_reason cancelled_at checked_in_at checked_out_at invoice_sent_on
            invoice_sent_to dunning_sent_on
        """,
        "occupancies": "room_id arrival departure kind reason",
        "price_lines": "kind label quantity unit_price amount percentage applies_to vat_kind",
        "payments": "amount paid_on method notes",
        "booking_companions": "last_name first_name date_of_birth",
        "guests": """
            last_name first_name salutation gender email phone phone_mobile phone_private phone_business fax
            street postal_code city country date_of_birth place_of_birth nationality language
            identity_document is_member member_number profession duty_station federal_state debtor_account
            licence_plate invoice_email leitweg_id cost_centre tags marketing_consent automatic_mail
            automatic_mail_language notes
        """,
        "companions": "guest_id last_name first_name date_of_birth relationship notes",
        "credit_transactions": "guest_id amount kind notes actor",
        "rooms": """
            name category building place capacity price_low price_high final_cleaning_fee key_code street
            postal_code city notes retired_from
        """,
        "room_prices": "room_id valid_from price_low price_high final_cleaning_fee",
        "reminders": "kind title description due_date priority completed snoozed_until",
        "users": "username full_name email role active must_change_password verifier lock_lifted_at",
        "login_settings": "memory_kib iterations parallelism",
        "payers": "name company street postal_code city country contact_person notes",
        "vat_rates": "kind valid_from rate",
        "seasons": "name first_day last_day active",
        "service_templates": """
            name description price_type price applies_to active emoji colour show_in_cleaning_plan
            cleaning_plan_position vat_kind requires_dog_cleaning requires_bedding_change
            requires_deep_cleaning
        """,
        "discount_templates": """
            name description price_type price applies_to active emoji colour show_in_cleaning_plan
            cleaning_plan_position
        """,
        "email_settings": "smtp_server smtp_port smtp_username smtp_password from_email from_name use_tls",
        "email_templates": "name subject body description",
        "email_log": "guest_id template_name recipient subject status error_message sent_at",
        "company_settings": """
            company_name street postal_code city country phone fax email website tax_id ceo_name
            registry_court bank_name iban bic account_holder payment_text
        """,
        "house_settings": """
            member_discount_active member_discount_percentage discount_base vat_active payment_days
            payment_reminder_days payment_reminder_repeat_days mail_checkin_reminders mail_payment_reminders
            remind_incomplete_data remind_payment remind_checkin remind_invoice remind_confirmation
            remind_payment_days remind_checkin_days audit_retention_months
        """,
    }.items()
}
"""What staff want to know of each table that the audit log watches; the rest is bookkeeping."""

KINDS: dict[str, tuple[str, ...]] = {
    "Buchungen": ("bookings", "occupancies", "price_lines", "payments", "booking_companions"),
    "Aufenthalte und Sperren": ("occupancies",),
    "Preise und Zahlungen": ("price_lines", "payments", "credit_transactions"),
    "Gäste": ("guests", "companions", "credit_transactions"),
    "Zimmer": ("rooms", "room_prices"),
    "Erinnerungen": ("reminders",),
    "E-Mails": ("email_log",),
    "Benutzer": ("users", "login_settings"),
    "Einstellungen": (
        *(
            "house_settings",
            "company_settings",
            "vat_rates",
            "seasons",
            "service_templates",
            "discount_templates",
        ),
        *("payers", "email_settings", "email_templates"),
    ),
}
"""Kinds of entries of the audit log, as they are asked for, with their tables."""
