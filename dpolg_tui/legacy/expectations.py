"""What the verification expects to find where: for each old column its place in the new schema.

``sql`` is the place, as an expression over ``t``, the record that a row became. Old columns that are
not listed here must be found among the kept rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dpolg_tui.legacy import readings
from dpolg_tui.legacy.places import Expectation, Place, columns, created, single

_BOOKING: Final = Place("booking_id", "t.booking_id", readings.WHOLE, reference="bookings")
_GUEST: Final = Place("guest_id", "t.guest_id", readings.WHOLE, reference="guests")

_STAY: Final = "(SELECT o.{} FROM app.occupancies o WHERE o.booking_id = t.id)"
_PAYMENT: Final = "(SELECT p.{} FROM app.payments p WHERE p.booking_id = t.id)"

_SEASON: Final = "(SELECT s.{} FROM app.seasons s WHERE s.name = 'Hauptsaison')"
_FORM_OF_LINE: Final = "CASE WHEN t.percentage IS NULL THEN 'fixed' ELSE 'percent' END"
# Nearly all have two places at most, as the old amounts are read.
_PERCENTAGE: Final = (
    "CASE WHEN t.percentage = round(t.percentage, 2) THEN round(t.percentage, 2) ELSE t.percentage END"
)
_PERCENT: Final = dict.fromkeys(("percent", "percentage", "prozent"), "percent")
_FORM: Final = readings.one_of(
    {"": "fixed", "fixed": "fixed", "fest": "fixed", "betrag": "fixed", **_PERCENT}
)
_BASE: Final = readings.one_of(
    {"": "nights", "overnight_price": "nights", "total_price": "subtotal", "gesamtpreis": "subtotal"}
)

EXPECTATIONS: Final[Mapping[str, Expectation]] = {
    "rooms": Expectation(
        "rooms",
        (
            *columns("name ort:place", needed=True),
            Place("capacity", "t.capacity", readings.WHOLE, needed=True),
            Place(
                "gebaeude_typ",
                "CASE WHEN t.building IS NULL THEN t.category ELSE 'in ' || t.building END",
                readings.KIND_OF_ROOM,
                needed=True,
            ),
            *columns("schluesselcode:key_code street_address:street postal_code city notizen:notes"),
            *columns(
                "nebensaison_preis:price_low hauptsaison_preis:price_high endreinigung:final_cleaning_fee",
                readings.MONEY_OR_NONE,
                needed=True,
            ),
        ),
        notes="t.notes",
    ),
    "guests": Expectation(
        "guests",
        (
            *columns("nachname:last_name", needed=True),
            *columns("vorname:first_name"),
            Place("email", "t.email", readings.EMAIL),
            *columns(
                "telefon:phone strasse:street plz:postal_code ort:city "
                "mitgliedsnummer:member_number notizen:notes"
                " beruf:profession bundesland:federal_state dienststelle:duty_station anrede:salutation"
                " geschlecht:gender land:country telefon_geschaeftlich:phone_business "
                "telefon_privat:phone_private"
                " telefon_mobil:phone_mobile fax geburtsort:place_of_birth sprache:language"
                " nationalitaet:nationality identifikationsnummer:identity_document "
                "debitorenkonto:debtor_account"
                " kennzeichen:licence_plate leitweg_id kostenstelle:cost_centre tags"
                " automail_sprache:automatic_mail_language"
            ),
            Place("rechnungs_email", "t.invoice_email", readings.EMAIL),
            Place("geburtsdatum", "t.date_of_birth", readings.DATE),
            Place("dpolg_mitglied", "t.is_member", readings.YES_OR_NO, needed=True),
            *columns("marketing_einwilligung:marketing_consent automail:automatic_mail", readings.BOOLEAN),
            created(),
        ),
        notes="t.notes",
    ),
    "bookings": Expectation(
        "bookings",
        (
            Place("reservierungsnummer", "t.number", needed=True),
            _GUEST,
            Place("room_id", _STAY.format("room_id"), readings.WHOLE, reference="rooms"),
            Place("checkin_date", _STAY.format("arrival"), readings.DATE, needed=True),
            Place("checkout_date", _STAY.format("departure"), readings.DATE, needed=True),
            Place("status", "t.status", readings.STATUS),
            Place("anzahl_gaeste", "t.persons", readings.WHOLE, needed=True),
            Place(
                "gesamtpreis",
                "(SELECT coalesce(sum(l.amount), 0.00) FROM app.price_lines l WHERE l.booking_id = t.id)",
                readings.MONEY_OR_NONE,
            ),
            Place("bemerkungen", "t.notes"),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
            *columns(
                "ist_stiftungsfall:foundation_case ist_dpolg_mitglied:guest_is_member",
                readings.YES_OR_NO,
                needed=True,
            ),
            *columns(
                "putzplan_checkout_date:cleaning_date mahnung_gesendet_am:dunning_sent_on"
                " rechnung_versendet_am:invoice_sent_on",
                readings.DATE,
            ),
            Place("rechnung_versendet_an", "t.invoice_sent_to"),
            Place("payment_recipient_id", "t.payer_id", readings.WHOLE, reference="payment_recipients"),
            Place(
                "bezahlt",
                "EXISTS (SELECT FROM app.payments p WHERE p.booking_id = t.id)",
                readings.YES_OR_NO,
                needed=True,
            ),
            Place("bezahlt_am", _PAYMENT.format("paid_on"), readings.DATE, needed=True),
            Place("zahlungsmethode", _PAYMENT.format("method"), needed=True),
        ),
        frozenset(
            ("anzahl_begleitpersonen", "anzahl_naechte", "grundpreis", "services_preis", "rabatt_preis")
        ),
        notes="t.notes",
    ),
    "accompanying_guests": Expectation(
        "booking_companions",
        (
            _BOOKING,
            *columns("nachname:last_name", needed=True),
            *columns("vorname:first_name"),
            Place("geburtsdatum", "t.date_of_birth", readings.DATE),
            Place("companion_id", "t.companion_id", readings.WHOLE, reference="guest_companions"),
        ),
    ),
    "guest_companions": Expectation(
        "companions",
        (
            _GUEST,
            *columns("nachname:last_name", needed=True),
            *columns("vorname:first_name beziehung:relationship notizen:notes"),
            Place("geburtsdatum", "t.date_of_birth", readings.DATE),
            created(),
        ),
        notes="t.notes",
    ),
    "additional_services": Expectation(
        "price_lines",
        (
            _BOOKING,
            *columns("service_name:label", needed=True),
            Place("service_price", "t.amount", readings.MONEY),
            Place("price_type", _FORM_OF_LINE, _FORM, needed=True),
            Place("original_value", f"coalesce({_PERCENTAGE}, t.amount)", readings.NUMBER, needed=True),
            Place("applies_to", "coalesce(t.applies_to, 'nights')", _BASE, needed=True),
            created(),
        ),
    ),
    "discounts": Expectation(
        "price_lines",
        (
            _BOOKING,
            *columns("discount_name:label", needed=True),
            Place("discount_type", _FORM_OF_LINE, _FORM),
            Place("discount_value", f"coalesce({_PERCENTAGE}, -t.amount)", readings.NUMBER),
            created(),
        ),
    ),
    "booking_services": Expectation(
        "price_lines",
        (
            _BOOKING,
            Place(
                "service_template_id",
                "t.service_template_id",
                readings.WHOLE,
                reference="service_templates",
            ),
            Place("calculated_price", "abs(t.amount)", readings.NUMBER, needed=True),
            created(),
        ),
    ),
    "booking_discounts": Expectation(
        "price_lines",
        (
            _BOOKING,
            Place(
                "discount_template_id",
                "t.discount_template_id",
                readings.WHOLE,
                reference="discount_templates",
            ),
            Place("calculated_price", "abs(t.amount)", readings.NUMBER, needed=True),
            created(),
        ),
    ),
    "service_templates": Expectation(
        "service_templates",
        (
            *columns("name", needed=True),
            *columns("description emoji color_hex:colour"),
            Place("price", "t.price", readings.MONEY_OR_NONE, needed=True),
            *columns(
                "is_active:active show_in_cleaning_plan requires_dog_cleaning requires_bedding_change"
                " requires_deep_cleaning",
                readings.YES_OR_NO,
                needed=True,
            ),
            Place("price_type", "t.price_type", _FORM, needed=True),
            Place("applies_to", "t.applies_to", _BASE, needed=True),
            Place("cleaning_plan_position", "t.cleaning_plan_position"),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
        notes="t.description",
    ),
    "discount_templates": Expectation(
        "discount_templates",
        (
            *columns("name", needed=True),
            *columns("description emoji color_hex:colour cleaning_plan_position"),
            Place("discount_type", "t.price_type", _FORM, needed=True),
            Place("applies_to", "t.applies_to", _BASE, needed=True),
            Place("discount_value", "t.price", readings.MONEY_OR_NONE, needed=True),
            *columns("is_active:active show_in_cleaning_plan", readings.YES_OR_NO, needed=True),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
        notes="t.description",
    ),
    "payment_recipients": Expectation(
        "payers",
        (
            *columns("name", needed=True),
            *columns("company street plz:postal_code city country contact_person notes"),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
        notes="t.notes",
    ),
    "guest_credit_transactions": Expectation(
        "credit_transactions",
        (
            _GUEST,
            _BOOKING,
            Place("amount", "t.amount", readings.MONEY),
            *columns("transaction_type:kind", needed=True),
            *columns("notes created_by:actor"),
            created(),
        ),
        notes="t.notes",
    ),
    "reminders": Expectation(
        "reminders",
        (
            _BOOKING,
            *columns("reminder_type:kind title priority", needed=True),
            *columns("description completed_by"),
            Place("due_date", "t.due_date", readings.DATE, needed=True),
            Place("is_completed", "t.completed", readings.YES_OR_NO, needed=True),
            Place("completed_at", "t.completed_at", readings.MOMENT),
            Place("is_snoozed", "t.snoozed_until IS NOT NULL", readings.YES_OR_NO, needed=True),
            Place("snoozed_until", "t.snoozed_until", readings.DATE),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
        notes="t.description",
    ),
    "email_config": Expectation(
        "email_settings",
        (
            *columns("smtp_server from_email", needed=True),
            *columns("smtp_username from_name"),
            Place("smtp_password", "t.smtp_password"),
            Place("smtp_port", "t.smtp_port", readings.WHOLE, needed=True),
            Place("use_tls", "t.use_tls", readings.BOOLEAN, needed=True),
            created(),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
    ),
    "email_templates": Expectation(
        "email_templates",
        (
            *columns("template_name:name subject body", needed=True),
            *columns("description"),
            created(),
            Place("updated_at", "t.updated_at", readings.SUMMER_MOMENT),
        ),
        notes="t.description",
    ),
    "email_logs": Expectation(
        "email_log",
        (
            _BOOKING,
            _GUEST,
            *columns("recipient_email:recipient subject", needed=True),
            *columns("template_name error_message"),
            Place(
                "status",
                "t.status",
                readings.one_of(
                    {"sent": "sent", "gesendet": "sent", "failed": "failed", "fehler": "failed"},
                ),
            ),
            Place("sent_at", "t.sent_at", readings.MOMENT, needed=True),
        ),
    ),
    "company_settings": Expectation(
        "company_settings",
        (
            *columns(
                "company_name street_address:street plz:postal_code city country phone fax email website"
            ),
            *columns("tax_id ceo_name registry_court"),
            Place("updated_at", "t.updated_at", readings.MOMENT),
        ),
    ),
    "payment_settings": Expectation(
        "company_settings",
        (
            *single("company_settings", "bank_name iban bic account_holder payment_text"),
            *single(
                "house_settings",
                "payment_due_days:payment_days reminder_after_days:payment_reminder_days",
                readings.WHOLE,
            ),
            *single("house_settings", "dpolg_rabatt:member_discount_percentage", readings.MONEY),
        ),
    ),
    "pricing_settings": Expectation(
        "house_settings",
        (
            *single("house_settings", "mitglieder_rabatt_aktiv:member_discount_active", readings.YES_OR_NO),
            *single("house_settings", "mitglieder_rabatt_prozent:member_discount_percentage", readings.MONEY),
            Place(
                "rabatt_basis",
                "(SELECT x.discount_base FROM app.house_settings x)",
                readings.one_of({"zimmerpreis": "nights", "gesamtpreis": "subtotal"}),
                needed=True,
            ),
            Place("hauptsaison_aktiv", _SEASON.format("active"), readings.YES_OR_NO, needed=True),
            Place("hauptsaison_start", _SEASON.format("first_day"), readings.MONTH_AND_DAY, needed=True),
            Place("hauptsaison_ende", _SEASON.format("last_day"), readings.MONTH_AND_DAY, needed=True),
        ),
    ),
    "notification_settings": Expectation(
        "house_settings",
        (
            *single(
                "house_settings",
                "checkin_reminders_enabled:mail_checkin_reminders "
                "payment_reminders_enabled:mail_payment_reminders",
                readings.YES_OR_NO,
            ),
            *single(
                "house_settings",
                "payment_reminder_after_days:payment_reminder_days payment_reminder_repeat_days",
                readings.WHOLE,
            ),
        ),
    ),
    "reminder_settings": Expectation(
        "house_settings",
        single(
            "house_settings",
            "auto_reminder_incomplete_data:remind_incomplete_data auto_reminder_payment:remind_payment"
            " auto_reminder_checkin:remind_checkin auto_reminder_invoice:remind_invoice"
            " auto_reminder_confirmation:remind_confirmation",
            readings.BOOLEAN,
        ),
    ),
}
