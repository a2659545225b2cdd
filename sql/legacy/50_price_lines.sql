-- What a booking costs: a snapshot whose lines add up to the old total to the cent. Nothing is computed anew.

CREATE TEMP TABLE map_additional_services ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking,
       lower(btrim(p.price_type)) IN ('percent', 'percentage', 'prozent') AS is_percent,
       CASE WHEN b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN b.new_id IS NULL THEN 'parent_quarantined:booking_id'
            WHEN coalesce(btrim(p.service_name), '') = '' THEN 'empty_name:service_name'
            WHEN length(p.service_name) > 300 THEN 'text_too_long:service_name'
            WHEN p.n_service_price IS NULL THEN 'unreadable_money:service_price'
            WHEN p.n_service_price < 0 THEN 'negative_money:service_price'
            WHEN p.n_service_price > 1000000 THEN 'amount_too_large:service_price' END AS problem
  FROM parsed_additional_services p LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id;

CREATE TEMP TABLE map_booking_services ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking, t.new_id AS template,
       CASE WHEN b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN b.new_id IS NULL THEN 'parent_quarantined:booking_id'
            WHEN t.old_id IS NULL THEN 'parent_missing:service_template_id'
            WHEN t.new_id IS NULL THEN 'parent_quarantined:service_template_id'
            WHEN p.n_calculated_price < 0 THEN 'negative_money:calculated_price'
            WHEN p.n_calculated_price > 1000000 THEN 'amount_too_large:calculated_price' END AS problem
  FROM parsed_booking_services p
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id
  LEFT JOIN ref_service_templates t ON t.old_id = p.i_service_template_id;

CREATE TEMP TABLE map_discounts ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking,
       lower(btrim(p.discount_type)) IN ('percent', 'percentage', 'prozent') AS is_percent,
       CASE WHEN b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN b.new_id IS NULL THEN 'parent_quarantined:booking_id'
            WHEN coalesce(btrim(p.discount_name), '') = '' THEN 'empty_name:discount_name'
            WHEN length(p.discount_name) > 300 THEN 'text_too_long:discount_name'
            WHEN coalesce(lower(btrim(p.discount_type)), '') NOT IN ('percent', 'percentage', 'prozent', 'fixed', 'fest', 'betrag')
                THEN 'unknown_kind:discount_type'
            WHEN p.n_discount_value IS NULL THEN 'unreadable_money:discount_value'
            WHEN p.n_discount_value < 0 THEN 'negative_money:discount_value'
            WHEN p.n_discount_value > CASE WHEN lower(btrim(p.discount_type)) LIKE 'p%' THEN 1000 ELSE 1000000 END
                THEN 'amount_too_large:discount_value' END AS problem
  FROM parsed_discounts p LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id;

CREATE TEMP TABLE map_booking_discounts ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking, t.new_id AS template,
       CASE WHEN b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN b.new_id IS NULL THEN 'parent_quarantined:booking_id'
            WHEN t.old_id IS NULL THEN 'parent_missing:discount_template_id'
            WHEN t.new_id IS NULL THEN 'parent_quarantined:discount_template_id'
            WHEN p.n_calculated_price < 0 THEN 'negative_money:calculated_price'
            WHEN p.n_calculated_price > 1000000 THEN 'amount_too_large:calculated_price' END AS problem
  FROM parsed_booking_discounts p
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id
  LEFT JOIN ref_discount_templates t ON t.old_id = p.i_discount_template_id;

-- The free services keep their ids; all other lines come behind them.
DELETE FROM app.price_lines WHERE booking_id IN (SELECT new_id FROM map_bookings WHERE known AND problem IS NULL);
SELECT legacy.assign_ids('additional_services', 'price_lines');
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['booking_services', 'discounts', 'booking_discounts'] LOOP
        EXECUTE format('UPDATE map_%1$s SET problem = CASE WHEN i_id IS NULL THEN ''unreadable_id:id'' ELSE ''second_row:id'' END '
                       'WHERE id <> '''' AND i_id IS DISTINCT FROM row_id', t);
        INSERT INTO migration_target VALUES (t, 'price_lines');
    END LOOP;
END $$;

CREATE TEMP TABLE bill ON COMMIT DROP AS
SELECT b.row_id, b.new_id AS booking, round(b.n_gesamtpreis, 2) AS total, b.created,
       round(coalesce(b.n_grundpreis, 0), 2) AS nights, round(coalesce(b.n_services_preis, 0), 2) AS services,
       round(coalesce(b.n_rabatt_preis, 0), 2) AS discounts,
       -- The oldest files know only the total.
       coalesce(b.n_grundpreis, b.n_services_preis, b.n_rabatt_preis) IS NOT NULL AS has_parts,
       b.n_gesamtpreis - (coalesce(b.n_grundpreis, 0) + coalesce(b.n_services_preis, 0) - coalesce(b.n_rabatt_preis, 0))
           AS difference,
       b.d_checkout_date - b.d_checkin_date AS days, round(coalesce(r.n_endreinigung, 0), 2) AS cleaning_fee
  FROM map_bookings b LEFT JOIN map_rooms r ON r.row_id = b.i_room_id
 WHERE b.problem IS NULL;

-- The bookings of an earlier run whose services are new now: their lines are as they were, and get more.
CREATE TEMP TABLE line (booking bigint, rank integer, seq bigint, kind text, label text, amount numeric, percentage numeric,
    applies_to text, vat_kind text, service_template_id bigint, discount_template_id bigint, created_at timestamptz,
    source_table text, row_id bigint, id bigint) ON COMMIT DROP;
INSERT INTO line
SELECT s.booking, 3, s.row_id, 'service', s.service_name, round(s.n_service_price, 2),
       CASE WHEN s.is_percent AND s.n_original_value > 0 AND s.n_original_value <= 1000 THEN round(s.n_original_value, 3) END,
       CASE WHEN s.is_percent THEN CASE lower(btrim(s.applies_to)) WHEN 'total_price' THEN 'subtotal' ELSE 'nights' END END,
       'other', NULL, NULL, s.m_created_at, 'additional_services', s.row_id, s.new_id
  FROM map_additional_services s WHERE s.problem IS NULL;
-- calculated_price is an amount, but for percentages it may hold the bare percentage.
INSERT INTO line
SELECT s.booking, 4, s.row_id, 'service', t.name,
       round(CASE WHEN t.price_type = 'fixed' THEN coalesce(nullif(s.n_calculated_price, 0), t.price)
                  WHEN s.n_calculated_price > 0 AND s.n_calculated_price <> t.price THEN s.n_calculated_price
                  ELSE t.price / 100 * CASE WHEN b.nights IS NULL THEN 0 WHEN b.nights = 0 THEN b.total
                                            WHEN t.applies_to = 'subtotal' THEN b.nights + b.services ELSE b.nights END
             END, 2),
       CASE WHEN t.price_type = 'percent' THEN t.price END, CASE WHEN t.price_type = 'percent' THEN t.applies_to END,
       t.vat_kind, t.id, NULL, s.m_created_at, 'booking_services', s.row_id, NULL
  FROM map_booking_services s JOIN app.service_templates t ON t.id = s.template LEFT JOIN bill b ON b.booking = s.booking
 WHERE s.problem IS NULL;
-- A percentage given by hand was of nights and services.
INSERT INTO line
SELECT d.booking, 6, d.row_id, 'discount', d.discount_name,
       -round(CASE WHEN d.is_percent
                   THEN d.n_discount_value / 100 * CASE WHEN b.nights IS NULL THEN 0 WHEN b.nights = 0 THEN b.total
                                                           ELSE b.nights + b.services END
                   ELSE d.n_discount_value END, 2),
       CASE WHEN d.is_percent THEN round(d.n_discount_value, 3) END, CASE WHEN d.is_percent THEN 'subtotal' END,
       'lodging', NULL, NULL, d.m_created_at, 'discounts', d.row_id, NULL
  FROM map_discounts d LEFT JOIN bill b ON b.booking = d.booking
 WHERE d.problem IS NULL;
INSERT INTO line
SELECT d.booking, 7, d.row_id, 'discount', t.name,
       -round(CASE WHEN t.price_type = 'fixed' THEN coalesce(nullif(d.n_calculated_price, 0), t.price)
                   WHEN d.n_calculated_price > 0 AND d.n_calculated_price <> t.price THEN d.n_calculated_price
                   ELSE t.price / 100 * CASE WHEN b.nights IS NULL THEN 0 WHEN b.nights = 0 THEN b.total
                                             WHEN t.applies_to = 'subtotal' THEN b.nights + b.services ELSE b.nights END
              END, 2),
       CASE WHEN t.price_type = 'percent' THEN t.price END, CASE WHEN t.price_type = 'percent' THEN t.applies_to END,
       'lodging', NULL, t.id, d.m_created_at, 'booking_discounts', d.row_id, NULL
  FROM map_booking_discounts d JOIN app.discount_templates t ON t.id = d.template LEFT JOIN bill b ON b.booking = d.booking
 WHERE d.problem IS NULL;
ANALYZE line;

-- What the stored sums hold beyond the single items: final cleaning, the member discount, or things nobody listed.
CREATE TEMP TABLE rest ON COMMIT DROP AS
SELECT b.*, CASE WHEN b.has_parts THEN b.services - coalesce(i.services, 0) ELSE 0 END AS services_rest,
       CASE WHEN b.has_parts THEN b.discounts + coalesce(i.discounts, 0) ELSE 0 END AS discount_rest,
       coalesce(i.services, 0) + coalesce(i.discounts, 0) AS items
  FROM bill b
  LEFT JOIN (SELECT booking, sum(amount) FILTER (WHERE kind = 'service') AS services,
                    sum(amount) FILTER (WHERE kind = 'discount') AS discounts FROM line GROUP BY booking) i USING (booking);
INSERT INTO line (booking, rank, seq, kind, label, amount, vat_kind, percentage, applies_to, created_at)
SELECT r.booking, x.rank, 0, x.kind, x.label, x.amount, x.vat_kind, x.percentage, x.applies_to, r.created
  FROM rest r CROSS JOIN app.house_settings h,
       LATERAL (SELECT CASE WHEN abs(r.discount_rest - r.nights * h.member_discount_percentage / 100) <= 0.01 THEN 'nights'
                            WHEN abs(r.discount_rest - (r.nights + r.services) * h.member_discount_percentage / 100) <= 0.01
                            THEN 'subtotal' END AS member_base
                 WHERE r.discount_rest > 0
                 UNION ALL SELECT NULL WHERE r.discount_rest <= 0) member,
       LATERAL (VALUES
           (1, 'nights', CASE r.days WHEN 1 THEN 'Übernachtung (1 Nacht)' ELSE format('Übernachtung (%s Nächte)', r.days) END,
            CASE WHEN r.has_parts THEN r.nights ELSE r.total - r.items END, 'lodging', NULL::numeric, NULL::text),
           (2, 'final_cleaning', 'Endreinigung',
            CASE WHEN r.services_rest = r.cleaning_fee THEN r.services_rest END, 'final_cleaning', NULL, NULL),
           (5, 'service', CASE WHEN r.services_rest > 0 THEN 'Weitere Leistungen laut Altsystem'
                               ELSE 'Leistungen: Abweichung laut Altsystem' END,
            CASE WHEN r.services_rest <> r.cleaning_fee THEN r.services_rest END, 'other', NULL, NULL),
           (8, 'member_discount', 'Mitgliederrabatt',
            CASE WHEN member.member_base IS NOT NULL THEN -r.discount_rest END, 'lodging',
            h.member_discount_percentage, member.member_base),
           (9, 'discount', CASE WHEN r.discount_rest > 0 THEN 'Weiterer Rabatt laut Altsystem'
                                ELSE 'Rabatt: Abweichung laut Altsystem' END,
            CASE WHEN member.member_base IS NULL THEN -r.discount_rest END, 'lodging', NULL, NULL),
           (10, 'difference', CASE WHEN abs(round(r.difference, 6)) > 0.01 THEN 'Differenz zum Gesamtpreis laut Altsystem'
                                   ELSE 'Rundung' END,
            CASE WHEN r.has_parts THEN r.total - (r.nights + r.services - r.discounts) END, 'lodging', NULL, NULL)
       ) x (rank, kind, label, amount, vat_kind, percentage, applies_to)
 WHERE x.amount <> 0;

-- Lines of a booking that is there already come behind those that it has.
CREATE TEMP TABLE numbered ON COMMIT DROP AS
SELECT l.*, row_number() OVER (ORDER BY l.booking, l.rank, l.seq) AS place,
       row_number() OVER (PARTITION BY l.booking ORDER BY l.rank, l.seq) AS position
  FROM line l;
CREATE TEMP TABLE behind ON COMMIT DROP AS
SELECT greatest((SELECT max(id) FROM app.price_lines), (SELECT max(id) FROM line), 0) AS id;
CREATE TEMP VIEW new_price_lines AS
SELECT coalesce(l.id, start.id + l.place) AS id, false AS known, l.booking AS booking_id,
       (coalesce(p.position, 0) + l.position)::integer AS position,
       l.kind, l.label, 1 AS quantity, l.amount AS unit_price, l.amount, l.percentage, l.applies_to, l.vat_kind,
       l.service_template_id, l.discount_template_id, coalesce(l.created_at, now()) AS created_at
  FROM numbered l
 CROSS JOIN behind start
  LEFT JOIN (SELECT booking_id, max(position) AS position FROM app.price_lines GROUP BY booking_id) p ON p.booking_id = l.booking;
SELECT legacy.write('price_lines');

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['booking_services', 'discounts', 'booking_discounts'] LOOP
        EXECUTE format('UPDATE map_%1$s m SET new_id = start.id + l.place FROM numbered l, behind start '
                       'WHERE l.source_table = %1$L AND l.row_id = m.row_id', t);
    END LOOP;
END $$;

INSERT INTO migration_difference
SELECT 'bookings', row_id, 'gesamtpreis', total, round(total - difference, 2)
  FROM bill WHERE has_parts AND abs(round(difference, 6)) > 0.01;
INSERT INTO migration_cell
SELECT 'bookings', r.row_id, x.column_name, x.kind
  FROM rest r, LATERAL (VALUES
      ('services_preis', CASE WHEN r.services_rest <> 0 AND r.services_rest <> r.cleaning_fee THEN 'services_rest' END),
      ('rabatt_preis', CASE WHEN r.discount_rest <> 0
                                 AND NOT EXISTS (SELECT FROM line l WHERE l.booking = r.booking AND l.kind = 'member_discount')
                            THEN 'discount_rest' END),
      ('gesamtpreis', CASE WHEN r.has_parts AND abs(round(r.difference, 6)) <= 0.01
                                AND r.total <> r.nights + r.services - r.discounts THEN 'cent_line' END)
  ) x (column_name, kind)
 WHERE x.kind IS NOT NULL
UNION ALL
SELECT 'additional_services', s.row_id, x.column_name, 'placeless'
  FROM map_additional_services s, LATERAL (VALUES
      ('price_type', s.price_type <> '' AND s.price_type <> 'fixed' AND (s.is_percent AND s.n_original_value > 0) IS NOT TRUE),
      ('original_value', s.original_value <> '' AND coalesce(s.n_original_value, -1) NOT IN (0, s.n_service_price)
                         AND (s.is_percent AND s.n_original_value BETWEEN 0 AND 1000
                              AND round(s.n_original_value, 3) = s.n_original_value) IS NOT TRUE),
      ('applies_to', s.applies_to <> '' AND s.applies_to <> 'overnight_price'
                     AND (s.is_percent AND s.applies_to = 'total_price') IS NOT TRUE)
  ) x (column_name, stays)
 WHERE s.problem IS NULL AND x.stays
UNION ALL
SELECT l.source_table, l.row_id, 'calculated_price', 'placeless'
  FROM (SELECT 'booking_services' AS source_table, row_id, n_calculated_price, calculated_price FROM map_booking_services
         WHERE problem IS NULL AND calculated_price <> ''
        UNION ALL SELECT 'booking_discounts', row_id, n_calculated_price, calculated_price FROM map_booking_discounts
         WHERE problem IS NULL AND calculated_price <> '') c
  JOIN line l USING (source_table, row_id)
 WHERE abs(l.amount) IS DISTINCT FROM c.n_calculated_price;
SELECT legacy.count_cells(t) FROM unnest(ARRAY['additional_services', 'booking_services', 'discounts', 'booking_discounts']) t;
