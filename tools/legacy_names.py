"""Where the predecessor's tables and columns went; what has no counterpart says why.

A table maps to a table of schema app, or to None with the reason in ``IMPOSSIBLE``. A column whose new name
starts with "!" has no column of its own: the rest says where its value is.
"""

from __future__ import annotations


def _columns(text: str, **others: str) -> dict[str, str]:
    """Columns from ``same other=new``, and those with a sentence."""
    found = {}
    for word in text.split():
        old, _, new = word.partition("=")
        found[old] = new or old
    return found | {old: f"!{why}" for old, why in others.items()}


_LINES = "a line of app.price_lines; the total is the sum of amount"
_STAY = "a stay in app.occupancies (room_id, arrival, departure)"
_PAID = "app.payments (amount, paid_on, method)"
_SEASON = "app.seasons (first_day, last_day, active)"
_BANK = "app.company_settings"

TABLES: dict[str, tuple[str, dict[str, str]]] = {
    "rooms": (
        "rooms",
        _columns(
            "id name gebaeude_typ=category capacity ort=place schluesselcode=key_code "
            "nebensaison_preis=price_low hauptsaison_preis=price_high endreinigung=final_cleaning_fee "
            "street_address=street postal_code city notizen=notes",
            price_member="price_low with the member discount off",
            price_non_member="price_low, price_high",
        ),
    ),
    "guests": (
        "guests",
        _columns(
            "id vorname=first_name nachname=last_name email telefon=phone dpolg_mitglied=is_member "
            "strasse=street plz=postal_code ort=city mitgliedsnummer=member_number notizen=notes "
            "beruf=profession bundesland=federal_state dienststelle=duty_station created_at "
            "anrede=salutation geschlecht=gender land=country telefon_geschaeftlich=phone_business "
            "telefon_privat=phone_private telefon_mobil=phone_mobile fax geburtsdatum=date_of_birth "
            "geburtsort=place_of_birth sprache=language nationalitaet=nationality "
            "identifikationsnummer=identity_document debitorenkonto=debtor_account kennzeichen=licence_plate "
            "rechnungs_email=invoice_email marketing_einwilligung=marketing_consent leitweg_id "
            "kostenstelle=cost_centre tags automail=automatic_mail automail_sprache=automatic_mail_language"
        ),
    ),
    "bookings": (
        "bookings",
        _columns(
            "id guest_id reservierungsnummer=number anzahl_gaeste=persons status bemerkungen=notes "
            "created_at updated_at ist_stiftungsfall=foundation_case payment_recipient_id=payer_id "
            "putzplan_checkout_date=cleaning_date ist_dpolg_mitglied=guest_is_member "
            "mahnung_gesendet_am=dunning_sent_on rechnung_versendet_am=invoice_sent_on "
            "rechnung_versendet_an=invoice_sent_to",
            room_id=_STAY,
            checkin_date=_STAY,
            checkout_date=_STAY,
            anzahl_naechte="departure - arrival of app.occupancies",
            gesamtpreis=_LINES,
            grundpreis=_LINES,
            services_preis=_LINES,
            rabatt_preis=_LINES,
            bezahlt=_PAID,
            bezahlt_am=_PAID,
            zahlungsmethode=_PAID,
            anzahl_begleitpersonen="count of app.booking_companions",
        ),
    ),
    "accompanying_guests": (
        "booking_companions",
        _columns(
            "id booking_id vorname=first_name nachname=last_name geburtsdatum=date_of_birth companion_id"
        ),
    ),
    "guest_companions": (
        "companions",
        _columns(
            "id guest_id vorname=first_name nachname=last_name geburtsdatum=date_of_birth "
            "beziehung=relationship notizen=notes created_at"
        ),
    ),
    "service_templates": (
        "service_templates",
        _columns(
            "id name description price is_active=active created_at updated_at emoji color_hex=colour "
            "show_in_cleaning_plan cleaning_plan_position requires_dog_cleaning requires_bedding_change "
            "requires_deep_cleaning price_type applies_to"
        ),
    ),
    "discount_templates": (
        "discount_templates",
        _columns(
            "id name description discount_type=price_type discount_value=price is_active=active created_at "
            "updated_at emoji color_hex=colour show_in_cleaning_plan cleaning_plan_position applies_to"
        ),
    ),
    "payment_recipients": (
        "payers",
        _columns(
            "id name company street plz=postal_code city country contact_person notes created_at updated_at"
        ),
    ),
    "guest_credit_transactions": (
        "credit_transactions",
        _columns("id guest_id amount transaction_type=kind booking_id notes created_by=actor created_at"),
    ),
    "email_config": (
        "email_settings",
        _columns(
            "id smtp_server smtp_port smtp_username smtp_password from_email from_name use_tls created_at "
            "updated_at"
        ),
    ),
    "email_templates": (
        "email_templates",
        _columns("id template_name=name subject body description created_at updated_at"),
    ),
    "email_logs": (
        "email_log",
        _columns(
            "id booking_id guest_id template_name recipient_email=recipient subject status error_message "
            "sent_at"
        ),
    ),
    "reminders": (
        "reminders",
        _columns(
            "id booking_id reminder_type=kind title description due_date priority is_completed=completed "
            "completed_at completed_by snoozed_until created_at updated_at",
            is_snoozed="snoozed_until IS NOT NULL",
        ),
    ),
    "reminder_settings": (
        "house_settings",
        _columns(
            "id auto_reminder_incomplete_data=remind_incomplete_data auto_reminder_payment=remind_payment "
            "auto_reminder_checkin=remind_checkin auto_reminder_invoice=remind_invoice "
            "auto_reminder_confirmation=remind_confirmation updated_at"
        ),
    ),
    "notification_settings": (
        "house_settings",
        _columns(
            "id checkin_reminders_enabled=mail_checkin_reminders "
            "payment_reminders_enabled=mail_payment_reminders "
            "payment_reminder_after_days=payment_reminder_days "
            "payment_reminder_repeat_days updated_at",
            scheduler_interval_hours="nothing: no program waits by the clock any more",
        ),
    ),
    "pricing_settings": (
        "house_settings",
        _columns(
            "id mitglieder_rabatt_aktiv=member_discount_active "
            "mitglieder_rabatt_prozent=member_discount_percentage rabatt_basis=discount_base updated_at",
            hauptsaison_aktiv=_SEASON,
            hauptsaison_start=_SEASON,
            hauptsaison_ende=_SEASON,
        ),
    ),
    "payment_settings": (
        "house_settings",
        _columns(
            "id payment_due_days=payment_days reminder_after_days=payment_reminder_days "
            "dpolg_rabatt=member_discount_percentage updated_at",
            mwst_rate="app.vat_rates (kind, valid_from, rate)",
            bank_name=_BANK,
            iban=_BANK,
            bic=_BANK,
            account_holder=_BANK,
            payment_text=_BANK,
        ),
    ),
    "company_settings": (
        "company_settings",
        _columns(
            "id company_name street_address=street plz=postal_code city country phone fax email website "
            "tax_id ceo_name registry_court updated_at",
            logo_path="nothing: it was a path on somebody's PC",
        ),
    ),
}
_KEPT = "rows are kept in legacy.kept_rows"
IMPOSSIBLE: dict[str, str] = {
    "additional_services": "lines of app.price_lines with kind 'service'",
    "booking_services": "lines of app.price_lines with a service_template_id",
    "discounts": "lines of app.price_lines with kind 'discount'",
    "booking_discounts": "lines of app.price_lines with a discount_template_id",
    "booking_attributes": _KEPT,
    "booking_attribute_assignments": _KEPT,
    "backup_settings": _KEPT,
    "transaction_log": f"{_KEPT}; what happens now is in app.audit_log",
    "seasons": f"{_KEPT}; no price code ever read them",
    "room_prices": f"{_KEPT}; no price code ever read them",
    "price_history": f"{_KEPT}; no price code ever read them",
    "audit_log": f"{_KEPT}; what happens now is in app.audit_log",
}
#: What was 0 or 1 and is a truth value now, by its new name.
BOOLEANS = frozenset(
    {
        *("is_member", "marketing_consent", "automatic_mail", "foundation_case", "guest_is_member", "active"),
        *("show_in_cleaning_plan", "requires_dog_cleaning", "requires_bedding_change"),
        *("requires_deep_cleaning", "completed", "use_tls", "member_discount_active"),
        *("remind_incomplete_data", "remind_payment", "remind_checkin", "remind_invoice"),
        *("remind_confirmation", "mail_checkin_reminders", "mail_payment_reminders"),
    }
)
#: A row per stay under the old names: answers what asks for nothing but these columns of bookings.
OVERVIEW = "booking_overview"
OVERVIEW_COLUMNS = frozenset(
    {"id", "guest_id", "room_id", "checkin_date", "checkout_date", "status", "created_at"}
)
