-- The guests' companions, and who pays the bill.

CREATE TEMP TABLE map_guest_companions ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, g.new_id AS guest,
       CASE WHEN g.old_id IS NULL THEN 'parent_missing:guest_id'
            WHEN g.new_id IS NULL THEN 'parent_quarantined:guest_id'
            WHEN coalesce(btrim(p.nachname), '') = '' THEN 'empty_name:nachname'
            WHEN length(p.nachname) > 100 THEN 'text_too_long:nachname'
            WHEN length(p.vorname) > 100 THEN 'text_too_long:vorname' END AS problem,
       legacy.joined(nullif(p.notizen, ''),
           CASE WHEN p.geburtsdatum <> '' AND p.d_geburtsdatum IS NULL
                THEN 'Geburtsdatum im Altsystem: ' || p.geburtsdatum END,
           legacy.moved('Beziehung', p.beziehung, 100)) AS all_notes
  FROM parsed_guest_companions p LEFT JOIN ref_guests g ON g.old_id = p.i_guest_id;
UPDATE map_guest_companions SET problem = 'text_too_long:notizen' WHERE problem IS NULL AND length(all_notes) > 10000;

SELECT legacy.assign_ids('guest_companions', 'companions');
SELECT legacy.make_reference('guest_companions');

CREATE TEMP VIEW new_companions AS
SELECT new_id AS id, known, guest AS guest_id, nachname AS last_name, coalesce(vorname, '') AS first_name,
       d_geburtsdatum AS date_of_birth, legacy.fitting(beziehung, 100) AS relationship, all_notes AS notes,
       coalesce(m_created_at, now()) AS created_at
  FROM map_guest_companions WHERE problem IS NULL;
SELECT legacy.write('companions');

INSERT INTO migration_cell
SELECT 'guest_companions', m.row_id, x.column_name, x.kind
  FROM map_guest_companions m, LATERAL (VALUES
      ('geburtsdatum', CASE WHEN m.geburtsdatum <> '' AND m.d_geburtsdatum IS NULL THEN 'birth_moved' END),
      ('beziehung', CASE WHEN length(m.beziehung) > 100 THEN 'moved' END),
      ('created_at', CASE WHEN m.m_created_at IS NULL THEN 'created_guessed' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL;
SELECT legacy.count_cells('guest_companions');
DELETE FROM migration_cell WHERE source_table = 'guest_companions' AND column_name = 'geburtsdatum' AND kind = 'unreadable';
DELETE FROM migration_count WHERE source_table = 'guest_companions' AND column_name = 'geburtsdatum' AND kind = 'unreadable';

CREATE TEMP TABLE map_payment_recipients ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known,
       CASE WHEN coalesce(btrim(p.name), '') = '' THEN 'empty_name:name'
            WHEN length(p.name) > 200 THEN 'text_too_long:name' END AS problem,
       legacy.joined(nullif(p.notes, ''),
           legacy.moved('Firma', p.company, 200), legacy.moved('Straße', p.street, 200),
           legacy.moved('Postleitzahl', p.plz, 20), legacy.moved('Ort', p.city, 100), legacy.moved('Land', p.country, 100),
           legacy.moved('Ansprechpartner', p.contact_person, 200)) AS all_notes
  FROM parsed_payment_recipients p;
UPDATE map_payment_recipients SET problem = 'text_too_long:notes' WHERE problem IS NULL AND length(all_notes) > 10000;

SELECT legacy.assign_ids('payment_recipients', 'payers');
SELECT legacy.make_reference('payment_recipients');

CREATE TEMP VIEW new_payers AS
SELECT new_id AS id, known, name, legacy.fitting(company, 200) AS company, legacy.fitting(street, 200) AS street,
       legacy.fitting(plz, 20) AS postal_code, legacy.fitting(city, 100) AS city, legacy.fitting(country, 100) AS country,
       legacy.fitting(contact_person, 200) AS contact_person, all_notes AS notes,
       coalesce(m_created_at, m_updated_at, now()) AS created_at, m_updated_at AS updated_at
  FROM map_payment_recipients WHERE problem IS NULL;
SELECT legacy.write('payers');

INSERT INTO migration_cell
SELECT 'payment_recipients', m.row_id, x.column_name, x.kind
  FROM map_payment_recipients m, LATERAL (VALUES
      ('company', CASE WHEN length(m.company) > 200 THEN 'moved' END),
      ('street', CASE WHEN length(m.street) > 200 THEN 'moved' END),
      ('plz', CASE WHEN length(m.plz) > 20 THEN 'moved' END),
      ('city', CASE WHEN length(m.city) > 100 THEN 'moved' END),
      ('country', CASE WHEN length(m.country) > 100 THEN 'moved' END),
      ('contact_person', CASE WHEN length(m.contact_person) > 200 THEN 'moved' END),
      ('created_at', CASE WHEN m.m_created_at IS NULL THEN 'created_guessed' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL;
SELECT legacy.count_cells('payment_recipients');
