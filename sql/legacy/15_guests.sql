-- Guests. What does not fit into its new column moves to the notes as a whole; nothing is cut.

CREATE TEMP TABLE map_guests ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known,
       CASE WHEN coalesce(btrim(p.nachname), '') = '' THEN 'empty_name:nachname'
            WHEN length(p.nachname) > 100 THEN 'text_too_long:nachname'
            WHEN length(p.vorname) > 100 THEN 'text_too_long:vorname' END AS problem,
       legacy.joined(
           CASE WHEN btrim(p.email) <> '' AND (p.email NOT LIKE '%@%' OR length(p.email) > 254)
                THEN 'E-Mail im Altsystem: ' || p.email END,
           CASE WHEN btrim(p.rechnungs_email) <> '' AND (p.rechnungs_email NOT LIKE '%@%' OR length(p.rechnungs_email) > 254)
                THEN 'Rechnungs-E-Mail im Altsystem: ' || p.rechnungs_email END,
           CASE WHEN p.geburtsdatum <> '' AND p.d_geburtsdatum IS NULL
                THEN 'Geburtsdatum im Altsystem: ' || p.geburtsdatum END,
           legacy.moved('Anrede', p.anrede, 40),
           legacy.moved('Geschlecht', p.geschlecht, 40),
           legacy.moved('Telefon', p.telefon, 60),
           legacy.moved('Telefon geschäftlich', p.telefon_geschaeftlich, 60),
           legacy.moved('Telefon privat', p.telefon_privat, 60),
           legacy.moved('Telefon mobil', p.telefon_mobil, 60),
           legacy.moved('Fax', p.fax, 60),
           legacy.moved('Straße', p.strasse, 200),
           legacy.moved('Postleitzahl', p.plz, 20),
           legacy.moved('Ort', p.ort, 100),
           legacy.moved('Land', p.land, 100),
           legacy.moved('Geburtsort', p.geburtsort, 100),
           legacy.moved('Nationalität', p.nationalitaet, 100),
           legacy.moved('Sprache', p.sprache, 40),
           legacy.moved('Identifikationsnummer', p.identifikationsnummer, 60),
           legacy.moved('Mitgliedsnummer', p.mitgliedsnummer, 60),
           legacy.moved('Beruf', p.beruf, 100),
           legacy.moved('Dienststelle', p.dienststelle, 200),
           legacy.moved('Bundesland', p.bundesland, 60),
           legacy.moved('Debitorenkonto', p.debitorenkonto, 60),
           legacy.moved('Kennzeichen', p.kennzeichen, 40),
           legacy.moved('Leitweg-ID', p.leitweg_id, 60),
           legacy.moved('Kostenstelle', p.kostenstelle, 60),
           legacy.moved('Tags', p.tags, 1000),
           legacy.moved('Sprache der Mails', p.automail_sprache, 40)) AS moved_text
  FROM parsed_guests p;
-- Room is left for the notes of the migration itself.
UPDATE map_guests SET problem = 'text_too_long:notizen'
 WHERE problem IS NULL AND length(legacy.joined(nullif(notizen, ''), moved_text)) > 10000;

SELECT legacy.assign_ids('guests', 'guests');
SELECT legacy.make_reference('guests');

CREATE TEMP VIEW new_guests AS
SELECT new_id AS id, known, nachname AS last_name, coalesce(vorname, '') AS first_name,
       CASE WHEN email LIKE '%@%' AND lower(btrim(email)) NOT LIKE '%@noemail.local'
            THEN legacy.fitting(email, 254) END AS email,
       CASE WHEN rechnungs_email LIKE '%@%' AND lower(btrim(rechnungs_email)) NOT LIKE '%@noemail.local'
            THEN legacy.fitting(rechnungs_email, 254) END AS invoice_email,
       d_geburtsdatum AS date_of_birth,
       legacy.fitting(anrede, 40) AS salutation, legacy.fitting(geschlecht, 40) AS gender,
       legacy.fitting(telefon, 60) AS phone, legacy.fitting(telefon_geschaeftlich, 60) AS phone_business,
       legacy.fitting(telefon_privat, 60) AS phone_private, legacy.fitting(telefon_mobil, 60) AS phone_mobile,
       legacy.fitting(fax, 60) AS fax, legacy.fitting(strasse, 200) AS street, legacy.fitting(plz, 20) AS
       postal_code, legacy.fitting(ort, 100) AS city, legacy.fitting(land, 100) AS country,
       legacy.fitting(geburtsort, 100) AS place_of_birth, legacy.fitting(nationalitaet, 100) AS nationality,
       legacy.fitting(sprache, 40) AS language, legacy.fitting(identifikationsnummer, 60) AS identity_document,
       legacy.fitting(mitgliedsnummer, 60) AS member_number, legacy.fitting(beruf, 100) AS profession,
       legacy.fitting(dienststelle, 200) AS duty_station, legacy.fitting(bundesland, 60) AS federal_state,
       legacy.fitting(debitorenkonto, 60) AS debtor_account, legacy.fitting(kennzeichen, 40) AS licence_plate,
       legacy.fitting(leitweg_id, 60) AS leitweg_id, legacy.fitting(kostenstelle, 60) AS cost_centre,
       legacy.fitting(tags, 1000) AS tags, legacy.fitting(automail_sprache, 40) AS automatic_mail_language,
       coalesce(b_dpolg_mitglied, false) AS is_member, b_marketing_einwilligung AS marketing_consent,
       b_automail AS automatic_mail, legacy.joined(nullif(notizen, ''), moved_text) AS notes,
       coalesce(m_created_at, now()) AS created_at
  FROM map_guests WHERE problem IS NULL;
SELECT legacy.write('guests');

INSERT INTO migration_cell
SELECT 'guests', m.row_id, x.column_name, x.kind
  FROM map_guests m, LATERAL (VALUES
      ('email', CASE WHEN btrim(m.email) <> '' AND m.email NOT LIKE '%@%' THEN 'email_word'
                     WHEN length(m.email) > 254 THEN 'moved' END),
      ('rechnungs_email', CASE WHEN btrim(m.rechnungs_email) <> '' AND m.rechnungs_email NOT LIKE '%@%' THEN 'email_word'
                               WHEN length(m.rechnungs_email) > 254 THEN 'moved' END),
      ('geburtsdatum', CASE WHEN m.geburtsdatum <> '' AND m.d_geburtsdatum IS NULL THEN 'birth_moved' END),
      ('anrede', CASE WHEN length(m.anrede) > 40 THEN 'moved' END),
      ('geschlecht', CASE WHEN length(m.geschlecht) > 40 THEN 'moved' END),
      ('telefon', CASE WHEN length(m.telefon) > 60 THEN 'moved' END),
      ('telefon_geschaeftlich', CASE WHEN length(m.telefon_geschaeftlich) > 60 THEN 'moved' END),
      ('telefon_privat', CASE WHEN length(m.telefon_privat) > 60 THEN 'moved' END),
      ('telefon_mobil', CASE WHEN length(m.telefon_mobil) > 60 THEN 'moved' END),
      ('fax', CASE WHEN length(m.fax) > 60 THEN 'moved' END),
      ('strasse', CASE WHEN length(m.strasse) > 200 THEN 'moved' END),
      ('plz', CASE WHEN length(m.plz) > 20 THEN 'moved' END),
      ('ort', CASE WHEN length(m.ort) > 100 THEN 'moved' END),
      ('land', CASE WHEN length(m.land) > 100 THEN 'moved' END),
      ('geburtsort', CASE WHEN length(m.geburtsort) > 100 THEN 'moved' END),
      ('nationalitaet', CASE WHEN length(m.nationalitaet) > 100 THEN 'moved' END),
      ('sprache', CASE WHEN length(m.sprache) > 40 THEN 'moved' END),
      ('identifikationsnummer', CASE WHEN length(m.identifikationsnummer) > 60 THEN 'moved' END),
      ('mitgliedsnummer', CASE WHEN length(m.mitgliedsnummer) > 60 THEN 'moved' END),
      ('beruf', CASE WHEN length(m.beruf) > 100 THEN 'moved' END),
      ('dienststelle', CASE WHEN length(m.dienststelle) > 200 THEN 'moved' END),
      ('bundesland', CASE WHEN length(m.bundesland) > 60 THEN 'moved' END),
      ('debitorenkonto', CASE WHEN length(m.debitorenkonto) > 60 THEN 'moved' END),
      ('kennzeichen', CASE WHEN length(m.kennzeichen) > 40 THEN 'moved' END),
      ('leitweg_id', CASE WHEN length(m.leitweg_id) > 60 THEN 'moved' END),
      ('kostenstelle', CASE WHEN length(m.kostenstelle) > 60 THEN 'moved' END),
      ('tags', CASE WHEN length(m.tags) > 1000 THEN 'moved' END),
      ('automail_sprache', CASE WHEN length(m.automail_sprache) > 40 THEN 'moved' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND m.moved_text IS NOT NULL AND x.kind IS NOT NULL
UNION ALL
SELECT 'guests', row_id, 'email', 'email_placeholder' FROM map_guests
 WHERE problem IS NULL AND length(email) <= 254 AND lower(btrim(email)) LIKE '%@noemail.local'
UNION ALL
SELECT 'guests', row_id, 'rechnungs_email', 'email_placeholder' FROM map_guests
 WHERE problem IS NULL AND length(rechnungs_email) <= 254 AND lower(btrim(rechnungs_email)) LIKE '%@noemail.local'
UNION ALL
SELECT 'guests', row_id, 'created_at', 'created_guessed' FROM map_guests WHERE problem IS NULL AND m_created_at IS NULL
UNION ALL
SELECT 'guests', row_id, 'dpolg_mitglied', 'default' FROM map_guests
 WHERE problem IS NULL AND coalesce(dpolg_mitglied, '') = '';
SELECT legacy.count_cells('guests');
DELETE FROM migration_cell WHERE source_table = 'guests' AND column_name = 'geburtsdatum' AND kind = 'unreadable';
DELETE FROM migration_count WHERE source_table = 'guests' AND column_name = 'geburtsdatum' AND kind = 'unreadable';
