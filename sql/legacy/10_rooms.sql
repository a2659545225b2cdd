-- Rooms. gebaeude_typ holds a category in younger files, a building in older ones.

CREATE TEMP TABLE map_rooms ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, false AS met, p.i_capacity AS beds,
       CASE WHEN coalesce(btrim(p.name), '') = '' THEN 'empty_name:name'
            WHEN length(p.name) > 80 THEN 'text_too_long:name'
            WHEN length(p.schluesselcode) > 80 THEN 'text_too_long:schluesselcode'
            WHEN p.i_capacity IS NULL OR p.i_capacity NOT BETWEEN 1 AND 100 THEN 'out_of_range:capacity'
            WHEN p.n_price_member < 0 THEN 'negative_money:price_member'
            WHEN p.n_price_non_member < 0 THEN 'negative_money:price_non_member'
            WHEN p.n_nebensaison_preis < 0 THEN 'negative_money:nebensaison_preis'
            WHEN p.n_hauptsaison_preis < 0 THEN 'negative_money:hauptsaison_preis'
            WHEN p.n_endreinigung < 0 THEN 'negative_money:endreinigung'
            WHEN greatest(p.n_price_non_member, p.n_nebensaison_preis, p.n_hauptsaison_preis, p.n_endreinigung) > 1000000
                THEN 'amount_too_large:hauptsaison_preis' END AS problem,
       category.name AS category,
       CASE WHEN category.name IS NULL AND btrim(p.gebaeude_typ) <> '' THEN legacy.fitting(p.gebaeude_typ, 80) END AS building,
       coalesce(CASE WHEN btrim(p.ort) <> '' THEN legacy.fitting(p.ort, 80) END, 'unbekannt') AS place,
       legacy.joined(nullif(p.notizen, ''),
           legacy.moved('Gebäude', p.gebaeude_typ, 80), legacy.moved('Ort', p.ort, 80),
           legacy.moved('Straße', p.street_address, 200), legacy.moved('Postleitzahl', p.postal_code, 20),
           legacy.moved('Stadt', p.city, 100)) AS all_notes
  FROM parsed_rooms p
  LEFT JOIN (VALUES ('App'), ('BU'), ('DZ'), ('EZ'), ('FeWo')) category (name)
         ON lower(category.name) = legacy.word_of(p.gebaeude_typ);
UPDATE map_rooms SET problem = 'text_too_long:notizen' WHERE problem IS NULL AND length(all_notes) > 10000;

-- A room that was entered here by hand, with the same name and place, is the same room: it stays as it is, the old one
-- becomes a reference to it. Where only one of the two says a building, the name must tell which one is meant.
CREATE TEMP TABLE namesake ON COMMIT DROP AS
SELECT m.row_id, r.id, r.capacity, m.building IS NULL AND r.building IS NULL
       OR lower(btrim(m.building)) = lower(btrim(r.building)) AS exact
  FROM map_rooms m
  JOIN app.rooms r ON lower(btrim(r.name)) = lower(btrim(m.name)) AND lower(btrim(r.place)) = lower(btrim(m.place))
 WHERE m.problem IS NULL AND coalesce(length(m.ort), 0) <= 80
   AND coalesce(lower(btrim(m.building)) = lower(btrim(r.building)), true)
   AND NOT EXISTS (SELECT FROM migration_earlier e WHERE e.source_table = 'rooms' AND e.row_id = m.row_id)
   AND NOT EXISTS (SELECT FROM legacy.source_fingerprints f
                    WHERE f.table_name = 'rooms' AND f.target_table = 'rooms' AND f.target_id = r.id);
UPDATE namesake SET exact = false WHERE exact IS NULL;
UPDATE map_rooms m SET met = true, known = true, new_id = n.id, beds = n.capacity
  FROM (SELECT DISTINCT ON (id) row_id, id, capacity
          FROM (SELECT DISTINCT ON (row_id) * FROM namesake n
                 WHERE exact OR NOT EXISTS (SELECT FROM namesake o WHERE o.row_id = n.row_id AND o.id <> n.id)
                 ORDER BY row_id, exact DESC, id) best
         ORDER BY id, exact DESC, row_id) n
 WHERE n.row_id = m.row_id;
UPDATE map_rooms m SET problem = 'second_row:name'
  FROM namesake n WHERE n.row_id = m.row_id AND n.exact AND NOT m.met;
UPDATE map_rooms m SET problem = 'second_row:name'
  FROM map_rooms o
 WHERE o.met AND NOT m.met AND m.problem IS NULL AND lower(btrim(o.name)) = lower(btrim(m.name))
   AND lower(btrim(o.place)) = lower(btrim(m.place))
   AND lower(btrim(coalesce(o.building, ''))) = lower(btrim(coalesce(m.building, '')));

-- The same name twice in one building: the older one keeps it.
UPDATE map_rooms m SET problem = 'second_row:name'
  FROM (SELECT row_id, row_number() OVER (PARTITION BY lower(place), lower(coalesce(building, '')), lower(name)
                                          ORDER BY row_id) AS place_in_line
          FROM map_rooms WHERE problem IS NULL AND NOT met) twin
 WHERE twin.row_id = m.row_id AND twin.place_in_line > 1;
UPDATE map_rooms m SET problem = 'second_row:name'
  FROM app.rooms r
 WHERE m.problem IS NULL AND NOT m.met AND lower(r.place) = lower(m.place) AND lower(r.name) = lower(m.name)
   AND lower(coalesce(r.building, '')) = lower(coalesce(m.building, ''))
   AND NOT EXISTS (SELECT FROM migration_earlier e WHERE e.source_table = 'rooms' AND e.row_id = m.row_id
                      AND e.target_table = 'rooms' AND e.target_id = r.id);

SELECT legacy.assign_ids('rooms', 'rooms');
INSERT INTO legacy.id_map (run_id, table_name, old_id, new_id)
SELECT current_setting('legacy.run_id')::bigint, 'rooms', row_id, new_id FROM map_rooms
 WHERE problem IS NULL AND met AND new_id <> row_id
    ON CONFLICT ON CONSTRAINT id_map_pkey DO UPDATE SET run_id = excluded.run_id, new_id = excluded.new_id;
SELECT legacy.make_reference('rooms');

CREATE TEMP VIEW new_rooms AS
SELECT new_id AS id, known, name, coalesce(category, 'Zimmer') AS category, building, place,
       i_capacity::integer AS capacity,
       round(coalesce(nullif(greatest(n_nebensaison_preis, 0), 0), n_price_non_member, n_price_member, 0), 2) AS price_low,
       round(coalesce(nullif(greatest(n_hauptsaison_preis, 0), 0), n_price_non_member, n_price_member, 0), 2) AS price_high,
       round(coalesce(n_endreinigung, 0), 2) AS final_cleaning_fee,
       nullif(schluesselcode, '') AS key_code, legacy.fitting(street_address, 200) AS street,
       legacy.fitting(postal_code, 20) AS postal_code, legacy.fitting(city, 100) AS city, all_notes AS notes
  FROM map_rooms WHERE problem IS NULL AND NOT met;
SELECT legacy.write('rooms');

INSERT INTO migration_cell
SELECT 'rooms', m.row_id, x.column_name, x.kind
  FROM map_rooms m, LATERAL (VALUES
      ('gebaeude_typ', CASE WHEN m.category <> m.gebaeude_typ THEN 'spelling' WHEN length(m.gebaeude_typ) > 80 THEN 'moved' END),
      ('ort', CASE WHEN coalesce(btrim(m.ort), '') = '' THEN 'default' WHEN length(m.ort) > 80 THEN 'moved' END),
      ('nebensaison_preis', CASE WHEN coalesce(m.n_nebensaison_preis, 0) = 0 AND coalesce(m.n_price_non_member, 0) > 0
                                 THEN 'price_fallback' END),
      ('hauptsaison_preis', CASE WHEN coalesce(m.n_hauptsaison_preis, 0) = 0 AND coalesce(m.n_price_non_member, 0) > 0
                                 THEN 'price_fallback' END),
      ('street_address', CASE WHEN length(m.street_address) > 200 THEN 'moved' END),
      ('postal_code', CASE WHEN length(m.postal_code) > 20 THEN 'moved' END),
      ('city', CASE WHEN length(m.city) > 100 THEN 'moved' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND NOT m.met AND x.kind IS NOT NULL;

-- What the old file says differently of a room that was here.
INSERT INTO migration_cell
SELECT 'rooms', m.row_id, x.column_name, x.kind
  FROM map_rooms m JOIN app.rooms r ON r.id = m.new_id, LATERAL (VALUES
      ('id', 'room_there', true),
      ('name', 'room_differs', m.name <> r.name),
      ('ort', 'room_differs', m.ort <> r.place),
      ('gebaeude_typ', 'room_differs', btrim(m.gebaeude_typ) <> '' AND (length(m.gebaeude_typ) > 80 OR
          CASE WHEN m.building IS NULL THEN coalesce(m.category, 'Zimmer') ELSE 'in ' || m.building END
          <> CASE WHEN r.building IS NULL THEN r.category ELSE 'in ' || r.building END)),
      ('capacity', 'room_differs', m.i_capacity <> r.capacity),
      ('nebensaison_preis', 'room_differs', r.price_low <> round(
          coalesce(nullif(m.n_nebensaison_preis, 0), m.n_price_non_member, m.n_price_member, 0), 2)),
      ('hauptsaison_preis', 'room_differs', r.price_high <> round(
          coalesce(nullif(m.n_hauptsaison_preis, 0), m.n_price_non_member, m.n_price_member, 0), 2)),
      ('endreinigung', 'room_differs', round(m.n_endreinigung, 2) <> r.final_cleaning_fee),
      ('schluesselcode', 'room_differs', m.schluesselcode <> '' AND m.schluesselcode IS DISTINCT FROM r.key_code),
      ('street_address', 'room_differs', m.street_address <> '' AND m.street_address IS DISTINCT FROM r.street),
      ('postal_code', 'room_differs', m.postal_code <> '' AND m.postal_code IS DISTINCT FROM r.postal_code),
      ('city', 'room_differs', m.city <> '' AND m.city IS DISTINCT FROM r.city),
      ('notizen', 'room_differs', m.notizen <> '' AND m.notizen IS DISTINCT FROM r.notes)
  ) x (column_name, kind, holds)
 WHERE m.problem IS NULL AND m.met AND x.holds;
SELECT legacy.count_cells('rooms');
