-- What is known of the old file: tables and columns, kinds of repair, reasons for quarantine.

SET LOCAL work_mem = '256MB';
SET LOCAL jit = off;
-- The raw rows of one table lie together.
CREATE INDEX source_rows_of_run ON legacy.source_rows USING brin (table_name) WITH (pages_per_range = 16);
ANALYZE legacy.source_rows;

-- Left by the comparison with an earlier run, if there was one.
CREATE TEMP TABLE IF NOT EXISTS migration_settled (source_table text, row_id bigint) ON COMMIT DROP;
CREATE TEMP TABLE IF NOT EXISTS migration_earlier
    (source_table text, row_id bigint, target_table text, target_id bigint) ON COMMIT DROP;

-- Types: t text, e text that may be empty in the new table, s secret, i integer, n money, d day, m moment, b flag.
-- A column with ! has no place of its own in the new schema and stays in legacy.kept_rows; in one with ? the mapping
-- says for each row whether it must stay.
CREATE TEMP TABLE migration_column ON COMMIT DROP AS
SELECT x.table_name, rtrim(split_part(c, ':', 1), '!?') AS column_name, split_part(c, ':', 2) AS type,
       split_part(c, ':', 1) LIKE '%!' AS placeless
  FROM (VALUES
    ('rooms', 'id:i name:t gebaeude_typ:t ort:t capacity:i price_member!:n price_non_member!:n schluesselcode:s
               nebensaison_preis:n hauptsaison_preis:n endreinigung:n street_address:t postal_code:t city:t notizen:t'),
    ('guests', 'id:i vorname:e nachname:t email:t telefon:t dpolg_mitglied:b strasse:t plz:t ort:t mitgliedsnummer:t
                notizen:t beruf:t bundesland:t dienststelle:t created_at:m anrede:t geschlecht:t land:t
                telefon_geschaeftlich:t telefon_privat:t telefon_mobil:t fax:t geburtsdatum:d geburtsort:t sprache:t
                nationalitaet:t identifikationsnummer:t debitorenkonto:t kennzeichen:t rechnungs_email:t leitweg_id:t
                kostenstelle:t tags:t marketing_einwilligung:b automail:b automail_sprache:t'),
    ('guest_companions', 'id:i guest_id:i vorname:e nachname:t geburtsdatum:d beziehung:t notizen:t created_at:m'),
    ('payment_recipients', 'id:i name:t company:t street:t plz:t city:t country:t contact_person:t notes:t
                            created_at:m updated_at:m'),
    ('service_templates', 'id:i name:t description:t price:n is_active:b created_at:m updated_at:m emoji:t color_hex:t
                           show_in_cleaning_plan:b cleaning_plan_position:t requires_dog_cleaning:b
                           requires_bedding_change:b requires_deep_cleaning:b price_type:t applies_to:t'),
    ('discount_templates', 'id:i name:t description:t discount_type:t discount_value:n is_active:b created_at:m
                            updated_at:m emoji:t color_hex:t show_in_cleaning_plan:b cleaning_plan_position:t
                            applies_to:t'),
    ('company_settings', 'id:i company_name:e street_address:e plz:e city:e country:e phone:e fax:e email:e website:e
                          tax_id:e ceo_name:e registry_court:e logo_path!:t updated_at:m'),
    ('payment_settings', 'id:i bank_name:e iban:e bic:e account_holder:e mwst_rate!:n payment_due_days:i
                          reminder_after_days?:i payment_text:t updated_at!:t dpolg_rabatt?:n'),
    ('pricing_settings', 'id:i hauptsaison_aktiv:b hauptsaison_start:t hauptsaison_ende:t mitglieder_rabatt_aktiv:b
                          mitglieder_rabatt_prozent:n rabatt_basis:t updated_at!:t'),
    ('notification_settings', 'id:i checkin_reminders_enabled:b payment_reminders_enabled:b
                               payment_reminder_after_days:i payment_reminder_repeat_days:i
                               scheduler_interval_hours!:i updated_at!:t'),
    ('reminder_settings', 'id:i auto_reminder_incomplete_data:b auto_reminder_payment:b auto_reminder_checkin:b
                           auto_reminder_invoice:b auto_reminder_confirmation:b updated_at!:t'),
    ('bookings', 'id:i room_id:i guest_id:i reservierungsnummer:t checkin_date:d checkout_date:d anzahl_gaeste:i status:t
                  gesamtpreis:n bemerkungen:t created_at:m updated_at:m anzahl_begleitpersonen?:i anzahl_naechte?:i
                  grundpreis:n services_preis:n rabatt_preis:n bezahlt:b bezahlt_am:d zahlungsmethode:t
                  mahnung_gesendet_am:d rechnung_versendet_am:d rechnung_versendet_an:t ist_stiftungsfall:b
                  payment_recipient_id:i putzplan_checkout_date:d ist_dpolg_mitglied:b'),
    ('additional_services', 'id:i booking_id:i service_name:t service_price:n created_at:m price_type?:t original_value?:n
                             applies_to?:t'),
    ('booking_services', 'id:i booking_id:i service_template_id:i calculated_price?:n created_at:m'),
    ('discounts', 'id:i booking_id:i discount_name:t discount_type:t discount_value:n created_at:m'),
    ('booking_discounts', 'id:i booking_id:i discount_template_id:i calculated_price?:n created_at:m'),
    ('accompanying_guests', 'id:i booking_id:i vorname:e nachname:t geburtsdatum:d companion_id:i'),
    ('guest_credit_transactions', 'id:i guest_id:i amount:n transaction_type:t booking_id:i notes:t created_by:t
                                   created_at:m'),
    ('reminders', 'id:i booking_id:i reminder_type:t title:t description:t due_date:d priority:t is_completed:b
                   completed_at:m is_snoozed:b snoozed_until?:d created_at:m updated_at:m completed_by:t'),
    ('email_config', 'id:i smtp_server:t smtp_port:i smtp_username:t smtp_password:s from_email:t from_name:e use_tls:b
                      created_at:m updated_at:m'),
    ('email_templates', 'id:i template_name:t subject:e body:e description:t created_at:m updated_at:m'),
    ('email_logs', 'id:i booking_id:i guest_id:i template_name:t recipient_email:e subject:e status:t error_message:t
                    sent_at:m')
  ) x (table_name, columns), regexp_split_to_table(x.columns, '\s+') c;

-- keeps: the original cells stay in legacy.kept_rows. removes: the column has a value less afterwards.
CREATE TEMP TABLE migration_kind ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('empty', false, true, 'Leere Texte gelten als nicht angegeben.'),
    ('rounded', false, false, 'Auf ganze Cent gerundet, kaufmännisch.'),
    ('flag_form', false, false, 'Anders geschriebenes Ja oder Nein erkannt.'),
    ('date_form', true, false, 'Anders geschriebenes Datum erkannt; das Original bleibt im Schema legacy.'),
    ('unreadable', true, true, 'Nicht lesbar: hier gilt „nicht angegeben“ oder der übliche Wert; das Original bleibt im Schema legacy.'),
    ('replaced', true, false, 'Wert, den das neue System nicht kennt: hier gilt der übliche; das Original bleibt im Schema legacy.'),
    ('spelling', true, false, 'Andere Schreibweise vereinheitlicht; das Original bleibt im Schema legacy.'),
    ('bytes', true, false, 'Unlesbare Zeichen ersetzt; das Original bleibt im Schema legacy.'),
    ('blob', true, true, 'Kein Text, sondern Binärdaten: bleibt im Schema legacy.'),
    ('secret_bytes', false, false, 'Unlesbare Zeichen eines Geheimnisses ersetzt; das Original steht nur in der alten Datei.'),
    ('default', false, false, 'Fehlte: hier gilt der übliche Wert.'),
    ('created_guessed', false, false, 'Zeitpunkt der Anlage fehlte: geschätzt aus der letzten Änderung, sonst die Übernahme.'),
    ('email_word', false, true, 'Kein @: das Wort steht jetzt in den Notizen.'),
    ('email_placeholder', true, true, '@noemail.local heißt: keine E-Mail-Adresse.'),
    ('moved', false, true, 'Passt nicht in das neue Feld: steht jetzt vollständig in den Notizen.'),
    ('birth_moved', false, true, 'Kein vollständiges Datum: steht jetzt in den Notizen.'),
    ('price_fallback', false, false, 'Saisonpreis war nie eingestellt: hier gilt der alte Preis für Nichtmitglieder.'),
    ('number_replaced', true, false, 'Platzhalter oder doppelte Reservierungsnummer durch eine neue Nummer ersetzt.'),
    ('new_id', false, false, 'Nummer des Datensatzes war inzwischen vergeben: neue Nummer in legacy.id_map.'),
    ('room_there', false, false, 'Ein Zimmer dieses Namens war schon da: es bleibt, wie es ist, und bekommt die Buchungen.'),
    ('room_differs', true, true, 'Beim Zimmer, das schon da war, steht etwas anderes, und das gilt; das Original bleibt im Schema legacy.'),
    ('parent_missing', true, true, 'Verweis auf einen Datensatz, den es nicht mehr gibt oder der in Quarantäne ist: entfällt.'),
    ('too_many_persons', false, false, 'Mehr Personen als Betten: übernommen, wie es ist; bitte prüfen.'),
    ('overlap', true, true, 'Doppelt belegt: der Aufenthalt der später angelegten Buchung steht unter „Ohne Zimmer“.'),
    ('stay_cut', true, false, 'Über 365 Nächte: auf 365 gekürzt und ohne Zimmer; das Original ist in Quarantäne.'),
    ('paid_on_guessed', false, false, 'Bezahlt ohne Datum: hier gilt der Tag der letzten Änderung.'),
    ('paid_nothing', true, false, 'Als bezahlt vermerkt bei 0,00 €: keine Zahlung.'),
    ('unpaid_details', true, true, 'Zahlungsangaben ohne Zahlung bleiben im Schema legacy.'),
    ('reason_default', false, false, 'Storniert ohne Grund: „Aus dem Altsystem übernommen“.'),
    ('services_rest', false, false, 'Leistungen ohne Einzelposten: eine Sammelzeile ergänzt.'),
    ('discount_rest', false, false, 'Rabatt ohne Einzelposten: eine Sammelzeile ergänzt.'),
    ('cent_line', false, false, 'Rundungscent: eine eigene Zeile, damit die Summe stimmt.'),
    ('placeless', true, false, NULL),
    ('unknown_column', true, false, NULL)
  ) x (kind, keeps, removes, sentence);

-- %1$s: what it is, %2$s: the value.
CREATE TEMP TABLE migration_reason ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('unreadable_id', 'Die Nummer des Datensatzes ist nicht lesbar: „%2$s“.'),
    ('second_row', 'Hier darf es nur einen Datensatz geben, dies ist ein weiterer (%1$s „%2$s“).'),
    ('parent_missing', '%1$s mit der Nummer %2$s fehlt in der alten Datei.'),
    ('parent_quarantined', '%1$s mit der Nummer %2$s ist selbst in Quarantäne.'),
    ('unreadable_date', '%1$s „%2$s“ ist kein Datum.'),
    ('departure_not_after_arrival', 'Die Abreise „%2$s“ liegt nicht nach der Anreise.'),
    ('date_out_of_range', '%1$s „%2$s“ liegt nicht zwischen 1990 und 2199.'),
    ('stay_too_long', 'Die Abreise „%2$s“ liegt mehr als 365 Nächte nach der Anreise: gekürzt und ohne Zimmer übernommen.'),
    ('unknown_status', 'Den Status „%2$s“ gibt es nicht.'),
    ('unknown_kind', '%1$s „%2$s“ ist unbekannt.'),
    ('negative_money', '%1$s ist negativ: %2$s.'),
    ('zero_money', '%1$s ist null.'),
    ('unreadable_money', '%1$s „%2$s“ ist kein Betrag.'),
    ('amount_too_large', '%1$s ist unglaubhaft hoch: %2$s.'),
    ('out_of_range', '%1$s „%2$s“ ist hier nicht möglich.'),
    ('empty_name', '%1$s fehlt.'),
    ('text_too_long', '%1$s ist zu lang für das neue System.')
  ) x (code, sentence);

CREATE TEMP TABLE migration_label ON COMMIT DROP AS
SELECT * FROM (VALUES
    ('id', 'Nummer'), ('name', 'Der Name'), ('nachname', 'Der Nachname'), ('vorname', 'Der Vorname'), ('ort', 'Der Ort'),
    ('capacity', 'Die Bettenzahl'), ('room_id', 'Das Zimmer'), ('guest_id', 'Der Gast'), ('booking_id', 'Die Buchung'),
    ('service_template_id', 'Die Leistung'), ('discount_template_id', 'Der Rabatt'), ('checkin_date', 'Die Anreise'),
    ('checkout_date', 'Die Abreise'), ('anzahl_gaeste', 'Die Personenzahl'), ('gesamtpreis', 'Der Gesamtpreis'),
    ('grundpreis', 'Der Grundpreis'), ('services_preis', 'Der Preis der Leistungen'), ('rabatt_preis', 'Der Rabatt'),
    ('nebensaison_preis', 'Der Preis der Nebensaison'), ('hauptsaison_preis', 'Der Preis der Hauptsaison'),
    ('endreinigung', 'Die Endreinigung'), ('price_member', 'Der Mitgliederpreis'),
    ('price_non_member', 'Der Preis für Nichtmitglieder'), ('service_price', 'Der Preis der Leistung'), ('price', 'Der Preis'),
    ('discount_value', 'Der Rabatt'), ('amount', 'Der Betrag'), ('service_name', 'Der Name der Leistung'),
    ('discount_name', 'Der Name des Rabatts'), ('discount_type', 'Die Rabattart'), ('transaction_type', 'Die Buchungsart'),
    ('due_date', 'Die Fälligkeit'), ('title', 'Der Titel'), ('sent_at', 'Der Zeitpunkt des Versands'), ('status', 'Der Status'),
    ('template_name', 'Der Name der Vorlage'), ('smtp_server', 'Der Mailserver'), ('smtp_port', 'Der Port'),
    ('from_email', 'Der Absender'), ('notizen', 'Die Notiz'), ('notes', 'Die Notiz'), ('bemerkungen', 'Die Bemerkung'),
    ('description', 'Die Beschreibung'), ('subject', 'Der Betreff'), ('body', 'Der Text'),
    ('recipient_email', 'Der Empfänger'), ('error_message', 'Die Fehlermeldung'), ('schluesselcode', 'Der Schlüsselcode'),
    ('reminder_type', 'Die Art der Erinnerung'), ('smtp_password', 'Das Passwort'), ('smtp_username', 'Der Benutzername'),
    ('from_name', 'Der Absendername'), ('reservierungsnummer', 'Die Reservierungsnummer')
  ) x (column_name, label);

CREATE TEMP TABLE migration_cell (source_table text, row_id bigint, column_name text, kind text) ON COMMIT DROP;
CREATE TEMP TABLE migration_count (source_table text, column_name text, kind text, rows bigint) ON COMMIT DROP;
CREATE TEMP TABLE migration_target (source_table text, target_table text) ON COMMIT DROP;
CREATE TEMP TABLE migration_difference
    (source_table text, row_id bigint, what text, stored numeric, computed numeric) ON COMMIT DROP;
CREATE TEMP TABLE migration_repair
    (source_table text, column_name text, kind text, affected bigint, before_count bigint, after_count bigint,
     sentence text) ON COMMIT DROP;
