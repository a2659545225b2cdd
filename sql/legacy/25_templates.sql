-- Services and discounts of the price list.

CREATE TEMP TABLE map_service_templates ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known,
       CASE WHEN coalesce(btrim(p.name), '') = '' THEN 'empty_name:name'
            WHEN length(p.name) > 200 THEN 'text_too_long:name'
            WHEN p.n_price IS NULL THEN 'unreadable_money:price'
            WHEN p.n_price < 0 THEN 'negative_money:price'
            WHEN p.n_price > 1000000 THEN 'amount_too_large:price' END AS problem,
       CASE WHEN lower(btrim(p.price_type)) IN ('percent', 'percentage', 'prozent') THEN 'percent' ELSE 'fixed' END AS new_price_type,
       CASE lower(btrim(p.applies_to)) WHEN 'total_price' THEN 'subtotal' WHEN 'gesamtpreis' THEN 'subtotal' ELSE 'nights' END
           AS base,
       legacy.joined(nullif(p.description, ''), legacy.moved('Emoji', p.emoji, 16), legacy.moved('Farbe', p.color_hex, 16))
           AS all_notes
  FROM parsed_service_templates p;
CREATE TEMP TABLE map_discount_templates ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known,
       CASE WHEN coalesce(btrim(p.name), '') = '' THEN 'empty_name:name'
            WHEN length(p.name) > 200 THEN 'text_too_long:name'
            WHEN p.n_discount_value IS NULL THEN 'unreadable_money:discount_value'
            WHEN p.n_discount_value < 0 THEN 'negative_money:discount_value'
            WHEN lower(btrim(p.discount_type)) NOT IN ('percent', 'percentage', 'prozent', 'fixed', 'fest', 'betrag')
                 OR coalesce(p.discount_type, '') = '' THEN 'unknown_kind:discount_type'
            WHEN p.n_discount_value > CASE WHEN lower(btrim(p.discount_type)) LIKE 'p%' THEN 1000 ELSE 1000000 END
                THEN 'amount_too_large:discount_value' END AS problem,
       CASE WHEN lower(btrim(p.discount_type)) LIKE 'p%' THEN 'percent' ELSE 'fixed' END AS new_price_type,
       CASE lower(btrim(p.applies_to)) WHEN 'total_price' THEN 'subtotal' WHEN 'gesamtpreis' THEN 'subtotal' ELSE 'nights' END
           AS base,
       legacy.joined(nullif(p.description, ''), legacy.moved('Emoji', p.emoji, 16), legacy.moved('Farbe', p.color_hex, 16))
           AS all_notes
  FROM parsed_discount_templates p;
UPDATE map_service_templates SET problem = 'out_of_range:price'
 WHERE problem IS NULL AND new_price_type = 'percent' AND n_price > 1000;
UPDATE map_service_templates SET problem = 'text_too_long:description' WHERE problem IS NULL AND length(all_notes) > 10000;
UPDATE map_discount_templates SET problem = 'text_too_long:description' WHERE problem IS NULL AND length(all_notes) > 10000;

-- One name, one template: the older row keeps it.
UPDATE map_service_templates m SET problem = 'second_row:name'
 WHERE m.problem IS NULL
   AND (EXISTS (SELECT FROM map_service_templates o WHERE o.problem IS NULL AND o.name = m.name AND o.row_id < m.row_id)
        OR EXISTS (SELECT FROM app.service_templates t WHERE t.name = m.name AND NOT EXISTS (
               SELECT FROM migration_earlier e WHERE e.source_table = 'service_templates' AND e.row_id = m.row_id
                  AND e.target_table = 'service_templates' AND e.target_id = t.id)));
UPDATE map_discount_templates m SET problem = 'second_row:name'
 WHERE m.problem IS NULL
   AND (EXISTS (SELECT FROM map_discount_templates o WHERE o.problem IS NULL AND o.name = m.name AND o.row_id < m.row_id)
        OR EXISTS (SELECT FROM app.discount_templates t WHERE t.name = m.name AND NOT EXISTS (
               SELECT FROM migration_earlier e WHERE e.source_table = 'discount_templates' AND e.row_id = m.row_id
                  AND e.target_table = 'discount_templates' AND e.target_id = t.id)));

SELECT legacy.assign_ids('service_templates', 'service_templates');
SELECT legacy.make_reference('service_templates');
SELECT legacy.assign_ids('discount_templates', 'discount_templates');
SELECT legacy.make_reference('discount_templates');

CREATE TEMP VIEW new_service_templates AS
SELECT new_id AS id, known, name, all_notes AS description, new_price_type AS price_type, round(n_price, 2) AS price,
       base AS applies_to, coalesce(b_is_active, true) AS active, legacy.fitting(emoji, 16) AS emoji,
       legacy.fitting(color_hex, 16) AS colour, coalesce(b_show_in_cleaning_plan, false) AS show_in_cleaning_plan,
       CASE WHEN cleaning_plan_position IN ('start', 'end') THEN cleaning_plan_position END AS cleaning_plan_position,
       coalesce(b_requires_dog_cleaning, false) AS requires_dog_cleaning,
       coalesce(b_requires_bedding_change, false) AS requires_bedding_change,
       coalesce(b_requires_deep_cleaning, false) AS requires_deep_cleaning,
       coalesce(m_created_at, m_updated_at, now()) AS created_at, m_updated_at AS updated_at
  FROM map_service_templates WHERE problem IS NULL;
SELECT legacy.write('service_templates');

CREATE TEMP VIEW new_discount_templates AS
SELECT new_id AS id, known, name, all_notes AS description, new_price_type AS price_type,
       round(n_discount_value, 2) AS price, base AS applies_to, coalesce(b_is_active, true) AS active,
       legacy.fitting(emoji, 16) AS emoji, legacy.fitting(color_hex, 16) AS colour,
       coalesce(b_show_in_cleaning_plan, false) AS show_in_cleaning_plan,
       CASE WHEN cleaning_plan_position IN ('start', 'end') THEN cleaning_plan_position END AS cleaning_plan_position,
       coalesce(m_created_at, m_updated_at, now()) AS created_at, m_updated_at AS updated_at
  FROM map_discount_templates WHERE problem IS NULL;
SELECT legacy.write('discount_templates');

INSERT INTO migration_cell
SELECT t.source_table, t.row_id, x.column_name, x.kind
  FROM (SELECT 'service_templates' AS source_table, row_id, price_type, applies_to, emoji, color_hex,
               cleaning_plan_position, m_created_at FROM map_service_templates WHERE problem IS NULL
        UNION ALL
        SELECT 'discount_templates', row_id, NULL, applies_to, emoji, color_hex, cleaning_plan_position, m_created_at
          FROM map_discount_templates WHERE problem IS NULL) t,
       LATERAL (VALUES
           ('price_type', CASE WHEN t.price_type NOT IN ('', 'fixed', 'percent') THEN 'replaced' END),
           ('applies_to', CASE WHEN t.applies_to NOT IN ('', 'overnight_price', 'total_price') THEN 'replaced' END),
           ('emoji', CASE WHEN length(t.emoji) > 16 THEN 'moved' END),
           ('color_hex', CASE WHEN length(t.color_hex) > 16 THEN 'moved' END),
           ('cleaning_plan_position', CASE WHEN t.cleaning_plan_position NOT IN ('', 'start', 'end') THEN 'replaced' END),
           ('created_at', CASE WHEN t.m_created_at IS NULL THEN 'created_guessed' END)
       ) x (column_name, kind)
 WHERE x.kind IS NOT NULL
UNION ALL
SELECT 'discount_templates', row_id, 'discount_type', 'replaced' FROM map_discount_templates
 WHERE problem IS NULL AND discount_type NOT IN ('percent', 'fixed');
SELECT legacy.count_cells('service_templates');
SELECT legacy.count_cells('discount_templates');
