-- Bookings and their stays.

CREATE TEMP TABLE map_bookings ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, NULL::text AS warning, NULL::text AS added_note,
       g.new_id AS guest, r.new_id AS room, y.new_id AS payer, m.beds, gm.b_dpolg_mitglied AS guest_was_member,
       coalesce(p.m_created_at, p.m_updated_at, now()) AS created,
       p.reservierungsnummer AS number, p.d_checkout_date AS departure, s.new_status,
       CASE WHEN g.old_id IS NULL THEN 'parent_missing:guest_id'
            WHEN g.new_id IS NULL THEN 'parent_quarantined:guest_id'
            WHEN r.old_id IS NULL THEN 'parent_missing:room_id'
            WHEN r.new_id IS NULL THEN 'parent_quarantined:room_id'
            WHEN length(p.reservierungsnummer) > 400 THEN 'text_too_long:reservierungsnummer'
            WHEN p.d_checkin_date IS NULL THEN 'unreadable_date:checkin_date'
            WHEN p.d_checkout_date IS NULL THEN 'unreadable_date:checkout_date'
            WHEN p.d_checkout_date <= p.d_checkin_date THEN 'departure_not_after_arrival:checkout_date'
            WHEN p.d_checkin_date NOT BETWEEN DATE '1990-01-01' AND DATE '2199-12-31' THEN 'date_out_of_range:checkin_date'
            WHEN s.new_status IS NULL THEN 'unknown_status:status'
            WHEN p.i_anzahl_gaeste IS NULL OR p.i_anzahl_gaeste NOT BETWEEN 1 AND 200 THEN 'out_of_range:anzahl_gaeste'
            WHEN p.n_gesamtpreis IS NULL THEN 'unreadable_money:gesamtpreis'
            WHEN p.n_grundpreis IS NULL AND p.grundpreis <> '' THEN 'unreadable_money:grundpreis'
            WHEN p.n_services_preis IS NULL AND p.services_preis <> '' THEN 'unreadable_money:services_preis'
            WHEN p.n_rabatt_preis IS NULL AND p.rabatt_preis <> '' THEN 'unreadable_money:rabatt_preis'
            WHEN p.n_gesamtpreis < 0 THEN 'negative_money:gesamtpreis'
            WHEN p.n_grundpreis < 0 THEN 'negative_money:grundpreis'
            WHEN p.n_services_preis < 0 THEN 'negative_money:services_preis'
            WHEN p.n_rabatt_preis < 0 THEN 'negative_money:rabatt_preis'
            WHEN greatest(p.n_gesamtpreis, p.n_grundpreis, p.n_services_preis, p.n_rabatt_preis) > 1000000
                THEN 'amount_too_large:gesamtpreis' END AS problem
  FROM parsed_bookings p
  LEFT JOIN ref_guests g ON g.old_id = p.i_guest_id
  LEFT JOIN map_guests gm ON gm.row_id = p.i_guest_id
  LEFT JOIN ref_rooms r ON r.old_id = p.i_room_id
  LEFT JOIN map_rooms m ON m.row_id = p.i_room_id
  LEFT JOIN ref_payment_recipients y ON y.old_id = p.i_payment_recipient_id
  LEFT JOIN (VALUES ('reserviert', 'reserviert'), ('gebucht', 'reserviert'), ('vorläufig', 'reserviert'),
                    ('vorlaeufig', 'reserviert'), ('angefragt', 'reserviert'), ('bestaetigt', 'bestaetigt'),
                    ('bestätigt', 'bestaetigt'), ('stiftungsfall', 'bestaetigt'), ('eingecheckt', 'eingecheckt'),
                    ('aktiv', 'eingecheckt'), ('ausgecheckt', 'ausgecheckt'), ('abgeschlossen', 'ausgecheckt'),
                    ('storniert', 'storniert')) s (old_status, new_status)
         ON s.old_status = legacy.word_of(normalize(p.status));

SELECT legacy.assign_ids('bookings', 'bookings');

-- What does not fit elsewhere moves to the notes; some room is left for notes of the migration itself.
UPDATE map_bookings m SET added_note = x.moved_text
  FROM (SELECT row_id, legacy.joined(
            CASE WHEN putzplan_checkout_date <> '' AND d_putzplan_checkout_date IS NULL
                 THEN 'Putzplan-Datum im Altsystem: ' || putzplan_checkout_date END,
            CASE WHEN bezahlt_am <> '' AND d_bezahlt_am IS NULL THEN 'Bezahlt am im Altsystem: ' || bezahlt_am END,
            CASE WHEN mahnung_gesendet_am <> '' AND d_mahnung_gesendet_am IS NULL
                 THEN 'Mahnung gesendet am im Altsystem: ' || mahnung_gesendet_am END,
            CASE WHEN rechnung_versendet_am <> '' AND d_rechnung_versendet_am IS NULL
                 THEN 'Rechnung versendet am im Altsystem: ' || rechnung_versendet_am END,
            legacy.moved('Rechnung versendet an', rechnung_versendet_an, 254),
            legacy.moved('Zahlungsmethode', zahlungsmethode, 60)) AS moved_text FROM map_bookings) x
 WHERE x.row_id = m.row_id AND x.moved_text IS NOT NULL;
UPDATE map_bookings SET problem = 'text_too_long:bemerkungen'
 WHERE problem IS NULL AND length(legacy.joined(bemerkungen, added_note)) > 9000;

-- Reservation numbers stay as they are; a placeholder, or a number that another booking has, gets a new one of its
-- year, behind the largest of all, also of those in quarantine.
CREATE TEMP TABLE renumbered ON COMMIT DROP AS
SELECT row_id, extract(year FROM created AT TIME ZONE 'Europe/Berlin')::integer AS year, false AS twin
  FROM map_bookings
 WHERE problem IS NULL AND (reservierungsnummer IS NULL OR btrim(reservierungsnummer) = '' OR length(reservierungsnummer) > 40
                            OR upper(btrim(reservierungsnummer)) ~ '^((\d{4}|YYYY)-)?TEMP$');
INSERT INTO renumbered
SELECT m.row_id, extract(year FROM m.created AT TIME ZONE 'Europe/Berlin')::integer, true
  FROM (SELECT row_id, row_number() OVER (PARTITION BY reservierungsnummer ORDER BY row_id) AS place_in_line
          FROM map_bookings
         WHERE problem IS NULL AND reservierungsnummer IN (
               SELECT reservierungsnummer FROM map_bookings WHERE problem IS NULL GROUP BY 1 HAVING count(*) > 1)) twin
  JOIN map_bookings m USING (row_id)
 WHERE twin.place_in_line > 1 AND NOT EXISTS (SELECT FROM renumbered r WHERE r.row_id = m.row_id)
UNION
SELECT m.row_id, extract(year FROM m.created AT TIME ZONE 'Europe/Berlin')::integer, true
  FROM map_bookings m JOIN app.bookings b ON b.number = m.reservierungsnummer
 WHERE m.problem IS NULL AND NOT (m.known AND m.new_id = b.id)
   AND NOT EXISTS (SELECT FROM renumbered r WHERE r.row_id = m.row_id);
CREATE TEMP TABLE largest_number ON COMMIT DROP AS
SELECT year, max(last) AS last
  FROM (SELECT left(number, 4)::integer AS year, substr(number, 6)::bigint AS last
          FROM map_bookings WHERE number ~ '^\d{4}-\d{1,15}$'
        UNION ALL SELECT year, last FROM app.number_counters
        UNION ALL SELECT left(number, 4)::integer, substr(number, 6)::bigint
          FROM app.bookings WHERE number ~ '^\d{4}-\d{1,15}$') n GROUP BY year;
-- A booking of an earlier run that came without a number has got one already.
UPDATE map_bookings m SET number = b.number
  FROM app.bookings b WHERE m.known AND b.id = m.new_id AND m.row_id IN (SELECT row_id FROM renumbered);
UPDATE map_bookings m
   SET number = n.year || '-' || n.following,
       added_note = CASE WHEN n.twin OR length(m.reservierungsnummer) > 40
                         THEN legacy.joined(m.added_note, 'Reservierungsnummer im Altsystem: ' || m.reservierungsnummer)
                         ELSE m.added_note END
  FROM (SELECT r.row_id, r.year, r.twin,
               coalesce(l.last, 0) + row_number() OVER (PARTITION BY r.year ORDER BY r.row_id) AS following
          FROM renumbered r LEFT JOIN largest_number l USING (year)) n
 WHERE n.row_id = m.row_id AND NOT m.known;
INSERT INTO app.number_counters (year, last)
SELECT year, max(last) FROM (
    SELECT year, last FROM largest_number
    UNION ALL SELECT left(m.number, 4)::integer, substr(m.number, 6)::bigint
      FROM map_bookings m WHERE m.row_id IN (SELECT row_id FROM renumbered)) n
 GROUP BY year
    ON CONFLICT (year) DO UPDATE SET last = greatest(number_counters.last, excluded.last);

-- Over 365 nights: cut, and without a room, so that staff can look at it.
UPDATE map_bookings SET warning = 'stay_too_long:checkout_date', departure = d_checkin_date + 365, room = NULL,
       added_note = legacy.joined(added_note, format(
           'Bei der Übernahme aus dem Altsystem auf 365 Nächte gekürzt: die Abreise war der %s.',
           to_char(d_checkout_date, 'DD.MM.YYYY')))
 WHERE problem IS NULL AND d_checkout_date - d_checkin_date > 365;

-- Overlaps: in the order in which they were created, each stay keeps its room if no other one kept it before. Stays and
-- blocks that are in the new system already come first. Only groups of stays that touch each other are looked at.
CREATE TEMP TABLE crowded ON COMMIT DROP AS
SELECT *, sum(starts) OVER (PARTITION BY room ORDER BY arrival, departure, row_id) AS crowd
  FROM (SELECT *, CASE WHEN arrival < max(departure) OVER (PARTITION BY room ORDER BY arrival, departure, row_id
                                                  ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
                       THEN 0 ELSE 1 END AS starts
          FROM (SELECT row_id, room, d_checkin_date AS arrival, departure, created FROM map_bookings
                 WHERE problem IS NULL AND room IS NOT NULL AND new_status <> 'storniert'
                UNION ALL
                SELECT -o.id, o.room_id, o.arrival, o.departure, '-infinity' FROM app.occupancies o
                 WHERE o.active AND o.room_id IS NOT NULL
                   AND NOT EXISTS (SELECT FROM map_bookings m WHERE m.known AND m.new_id = o.booking_id)) s) s;
DELETE FROM crowded c USING (SELECT room, crowd FROM crowded GROUP BY 1, 2 HAVING count(*) = 1) alone
 WHERE alone.room = c.room AND alone.crowd = c.crowd;
CREATE INDEX ON crowded (row_id);
CREATE INDEX ON crowded (room, crowd);
ANALYZE crowded;
DO $$
DECLARE
    stay record;
    at_work text;
    taken datemultirange;
BEGIN
    FOR stay IN SELECT *, room || '/' || crowd AS place FROM crowded ORDER BY room, crowd, created, row_id LOOP
        IF at_work IS DISTINCT FROM stay.place THEN
            at_work := stay.place;
            taken := '{}';
        END IF;
        IF stay.created > '-infinity' AND taken && daterange(stay.arrival, stay.departure) THEN
            UPDATE crowded SET starts = -1 WHERE row_id = stay.row_id AND created > '-infinity';
        ELSE
            taken := taken + datemultirange(daterange(stay.arrival, stay.departure));
        END IF;
    END LOOP;
END $$;
UPDATE map_bookings m SET room = NULL, added_note = legacy.joined(m.added_note, format(
           'Bei der Übernahme aus dem Altsystem ohne Zimmer: „%s“ ist vom %s bis %s schon belegt (%s). Bitte ein Zimmer wählen.',
           r.name, to_char(m.d_checkin_date, 'DD.MM.YYYY'), to_char(m.departure, 'DD.MM.YYYY'), x.others)),
       warning = 'overlap'
  FROM (SELECT c.row_id, string_agg(coalesce(b.number, 'Belegung im neuen System'), ', ' ORDER BY o.created, o.row_id)
                         FILTER (WHERE o.place_in_line <= 5)
                         || CASE WHEN count(*) > 5 THEN ' …' ELSE '' END AS others
          FROM crowded c
          JOIN LATERAL (SELECT k.*, row_number() OVER (ORDER BY k.created, k.row_id) AS place_in_line
                          FROM crowded k
                         WHERE k.room = c.room AND k.crowd = c.crowd AND k.starts >= 0
                           AND k.arrival < c.departure AND k.departure > c.arrival) o ON true
          LEFT JOIN map_bookings b ON b.row_id = o.row_id AND o.created > '-infinity'
         WHERE c.starts = -1 GROUP BY c.row_id) x,
       app.rooms r
 WHERE x.row_id = m.row_id AND r.id = m.room;

SELECT legacy.make_reference('bookings');

CREATE TEMP VIEW new_bookings AS
SELECT new_id AS id, known, number, guest AS guest_id, new_status AS status, i_anzahl_gaeste::integer AS persons,
       coalesce(b_ist_stiftungsfall, false) OR legacy.word_of(status) = 'stiftungsfall' AS foundation_case,
       coalesce(b_ist_dpolg_mitglied, guest_was_member, false) AS guest_is_member,
       d_putzplan_checkout_date AS cleaning_date, legacy.joined(nullif(bemerkungen, ''), added_note) AS notes,
       CASE WHEN new_status = 'storniert' THEN 'Aus dem Altsystem übernommen' END AS cancellation_reason,
       CASE WHEN new_status = 'storniert' THEN coalesce(m_updated_at, created) END AS cancelled_at,
       payer AS payer_id, d_rechnung_versendet_am AS invoice_sent_on,
       legacy.fitting(rechnung_versendet_an, 254) AS invoice_sent_to, d_mahnung_gesendet_am AS dunning_sent_on,
       created AS created_at, m_updated_at AS updated_at
  FROM map_bookings WHERE problem IS NULL;
-- Stays, lines and payments of a booking that is taken over once more are made anew.
DELETE FROM app.occupancies WHERE booking_id IN (SELECT id FROM new_bookings WHERE known);
SELECT legacy.write('bookings');

CREATE TEMP VIEW new_occupancies AS
SELECT start.id + row_number() OVER (ORDER BY d_checkin_date, room, row_id) AS id, false AS known, room AS room_id,
       d_checkin_date AS arrival, departure, new_id AS booking_id, 'stay' AS kind, new_status <> 'storniert' AS active,
       created AS created_at, m_updated_at AS updated_at
  FROM map_bookings, (SELECT coalesce(max(id), 0) AS id FROM app.occupancies) start
 WHERE problem IS NULL;
SELECT legacy.write('occupancies');

INSERT INTO migration_cell
SELECT 'bookings', m.row_id, x.column_name, x.kind
  FROM map_bookings m, LATERAL (VALUES
      ('status', CASE WHEN m.new_status <> m.status THEN 'spelling' END),
      ('status', CASE WHEN m.new_status = 'storniert' THEN 'reason_default' END),
      ('reservierungsnummer', CASE WHEN m.number IS DISTINCT FROM m.reservierungsnummer THEN 'number_replaced' END),
      ('room_id', CASE WHEN m.warning = 'overlap' THEN 'overlap' END),
      ('room_id', CASE WHEN m.warning LIKE 'stay_too_long%' THEN 'stay_cut' END),
      ('checkout_date', CASE WHEN m.warning LIKE 'stay_too_long%' THEN 'stay_cut' END),
      ('anzahl_gaeste', CASE WHEN m.i_anzahl_gaeste > m.beds THEN 'too_many_persons' END),
      ('created_at', CASE WHEN m.m_created_at IS NULL THEN 'created_guessed' END),
      ('payment_recipient_id', CASE WHEN m.payment_recipient_id <> '' AND m.payer IS NULL THEN 'parent_missing' END),
      -- 0 means: never computed.
      ('anzahl_naechte', CASE WHEN coalesce(m.i_anzahl_naechte, -1) NOT IN (0, m.d_checkout_date - m.d_checkin_date)
                                   AND m.anzahl_naechte <> '' THEN 'placeless' END),
      ('anzahl_begleitpersonen', CASE WHEN coalesce(m.i_anzahl_begleitpersonen, -1) NOT IN (0, m.i_anzahl_gaeste - 1)
                                           AND m.anzahl_begleitpersonen <> '' THEN 'placeless' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL
UNION ALL
SELECT 'bookings', m.row_id, x.column_name, x.kind
  FROM map_bookings m, LATERAL (VALUES
      ('putzplan_checkout_date', CASE WHEN m.putzplan_checkout_date <> '' AND m.d_putzplan_checkout_date IS NULL THEN 'moved' END),
      ('bezahlt_am', CASE WHEN m.bezahlt_am <> '' AND m.d_bezahlt_am IS NULL THEN 'moved' END),
      ('mahnung_gesendet_am', CASE WHEN m.mahnung_gesendet_am <> '' AND m.d_mahnung_gesendet_am IS NULL THEN 'moved' END),
      ('rechnung_versendet_am', CASE WHEN m.rechnung_versendet_am <> '' AND m.d_rechnung_versendet_am IS NULL THEN 'moved' END),
      ('rechnung_versendet_an', CASE WHEN length(m.rechnung_versendet_an) > 254 THEN 'moved' END),
      ('zahlungsmethode', CASE WHEN length(m.zahlungsmethode) > 60 THEN 'moved' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND m.added_note IS NOT NULL AND x.kind IS NOT NULL;
SELECT legacy.count_cells('bookings');
DELETE FROM migration_cell c WHERE source_table = 'bookings' AND kind = 'unreadable'
   AND column_name IN ('putzplan_checkout_date', 'bezahlt_am', 'mahnung_gesendet_am', 'rechnung_versendet_am');
DELETE FROM migration_count c WHERE source_table = 'bookings' AND kind = 'unreadable'
   AND column_name IN ('putzplan_checkout_date', 'bezahlt_am', 'mahnung_gesendet_am', 'rechnung_versendet_am');
