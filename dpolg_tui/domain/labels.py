"""The German name of every field that people edit: for forms, messages, conflicts and history."""

from __future__ import annotations

_LABELS = {
    # bookings
    "number": "Reservierungsnummer",
    "guest_id": "Gast",
    "status": "Status",
    "persons": "Personen",
    "stay": "Zimmer und Zeitraum",
    "room_id": "Zimmer",
    "arrival": "Anreise",
    "departure": "Abreise",
    "option_expires": "Option bis",
    "foundation_case": "Stiftungsfall",
    "guest_is_member": "Mitglied bei Buchung",
    "cleaning_date": "Reinigung am",
    "notes": "Notizen",
    "cancellation_reason": "Stornogrund",
    "cancelled_at": "Storniert am",
    "checked_in_at": "Eingecheckt am",
    "checked_out_at": "Ausgecheckt am",
    # blocks
    "kind": "Art der Sperre",
    "reason": "Grund",
    # rooms
    "name": "Zimmer",
    "category": "Zimmerart",
    "building": "Gebäude",
    "place": "Ort",
    "capacity": "Betten",
    "price_low": "Preis Nebensaison",
    "price_high": "Preis Hauptsaison",
    "final_cleaning_fee": "Endreinigung",
    "key_code": "Schlüsselcode",
    "has_key_code": "Schlüsselcode",
    "retired_from": "Stillgelegt ab",
    # guests
    "last_name": "Nachname",
    "first_name": "Vorname",
    "salutation": "Anrede",
    "gender": "Geschlecht",
    "email": "E-Mail",
    "phone": "Telefon",
    "phone_business": "Telefon dienstlich",
    "phone_private": "Telefon privat",
    "phone_mobile": "Mobiltelefon",
    "fax": "Fax",
    "street": "Straße",
    "postal_code": "PLZ",
    "city": "Wohnort",
    "country": "Land",
    "date_of_birth": "Geburtsdatum",
    "place_of_birth": "Geburtsort",
    "nationality": "Staatsangehörigkeit",
    "language": "Sprache",
    "identity_document": "Ausweisnummer",
    "is_member": "DPolG-Mitglied",
    "member_number": "Mitgliedsnummer",
    "profession": "Beruf",
    "duty_station": "Dienststelle",
    "federal_state": "Bundesland",
    "debtor_account": "Debitorenkonto",
    "licence_plate": "Kennzeichen",
    "invoice_email": "E-Mail für Rechnungen",
    "leitweg_id": "Leitweg-ID",
    "cost_centre": "Kostenstelle",
    "tags": "Merkmale",
    "marketing_consent": "Werbung erlaubt",
    "automatic_mail": "Automatische E-Mails",
    "automatic_mail_language": "Sprache der E-Mails",
    # users
    "username": "Benutzername",
    "full_name": "Name",
    "role": "Rolle",
    "password": "Passwort",
}


def field_label(field: str) -> str:
    """``Anreise`` for ``arrival``; ``stay/17`` is a stay; a name without a label stays as it is."""
    return _LABELS.get(field.partition("/")[0], field)
