-- Settings: one row each. What the old file does not say keeps the usual value.

DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['company_settings', 'payment_settings', 'pricing_settings', 'notification_settings',
                             'reminder_settings'] LOOP
        EXECUTE format('CREATE TEMP TABLE map_%1$s ON COMMIT DROP AS SELECT p.*, 1::bigint AS new_id, true AS known, '
                       'CASE WHEN row_number() OVER (ORDER BY row_id <> 1, row_id) > 1 THEN ''second_row:id'' END AS problem '
                       'FROM parsed_%1$s p', t);
        INSERT INTO migration_target VALUES
            (t, CASE WHEN t = 'company_settings' OR t = 'payment_settings' THEN 'company_settings' ELSE 'house_settings' END);
    END LOOP;
END $$;

UPDATE app.company_settings s SET
    company_name = coalesce(m.company_name, ''), street = coalesce(m.street_address, ''),
    postal_code = coalesce(m.plz, ''), city = coalesce(m.city, ''), country = coalesce(m.country, ''),
    phone = coalesce(m.phone, ''), fax = coalesce(m.fax, ''), email = coalesce(m.email, ''),
    website = coalesce(m.website, ''), tax_id = coalesce(m.tax_id, ''), ceo_name = coalesce(m.ceo_name, ''),
    registry_court = coalesce(m.registry_court, ''), updated_at = m.m_updated_at
  FROM map_company_settings m WHERE m.problem IS NULL;
UPDATE app.company_settings s SET
    bank_name = coalesce(m.bank_name, ''), iban = coalesce(m.iban, ''), bic = coalesce(m.bic, ''),
    account_holder = coalesce(m.account_holder, ''), payment_text = nullif(m.payment_text, '')
  FROM map_payment_settings m WHERE m.problem IS NULL;

-- The younger tables win over what payment_settings says of the same thing.
UPDATE app.house_settings s SET
    payment_days = CASE WHEN m.i_payment_due_days BETWEEN 0 AND 365 THEN m.i_payment_due_days ELSE s.payment_days END,
    payment_reminder_days = CASE WHEN m.i_reminder_after_days BETWEEN 0 AND 365
                                 THEN m.i_reminder_after_days ELSE s.payment_reminder_days END,
    member_discount_percentage = CASE WHEN m.n_dpolg_rabatt BETWEEN 0 AND 100
                                      THEN round(m.n_dpolg_rabatt, 2) ELSE s.member_discount_percentage END
  FROM map_payment_settings m WHERE m.problem IS NULL;
UPDATE app.house_settings s SET
    member_discount_active = coalesce(m.b_mitglieder_rabatt_aktiv, s.member_discount_active),
    member_discount_percentage = CASE WHEN m.n_mitglieder_rabatt_prozent BETWEEN 0 AND 100
                                      THEN round(m.n_mitglieder_rabatt_prozent, 2) ELSE s.member_discount_percentage END,
    discount_base = CASE m.rabatt_basis WHEN 'gesamtpreis' THEN 'subtotal' WHEN 'zimmerpreis' THEN 'nights'
                                        ELSE s.discount_base END
  FROM map_pricing_settings m WHERE m.problem IS NULL;
UPDATE app.house_settings s SET
    mail_checkin_reminders = coalesce(m.b_checkin_reminders_enabled, s.mail_checkin_reminders),
    mail_payment_reminders = coalesce(m.b_payment_reminders_enabled, s.mail_payment_reminders),
    payment_reminder_days = CASE WHEN m.i_payment_reminder_after_days BETWEEN 0 AND 365
                                 THEN m.i_payment_reminder_after_days ELSE s.payment_reminder_days END,
    payment_reminder_repeat_days = CASE WHEN m.i_payment_reminder_repeat_days BETWEEN 0 AND 365
                                        THEN m.i_payment_reminder_repeat_days ELSE s.payment_reminder_repeat_days END
  FROM map_notification_settings m WHERE m.problem IS NULL;
UPDATE app.house_settings s SET
    remind_incomplete_data = coalesce(m.b_auto_reminder_incomplete_data, s.remind_incomplete_data),
    remind_payment = coalesce(m.b_auto_reminder_payment, s.remind_payment),
    remind_checkin = coalesce(m.b_auto_reminder_checkin, s.remind_checkin),
    remind_invoice = coalesce(m.b_auto_reminder_invoice, s.remind_invoice),
    remind_confirmation = coalesce(m.b_auto_reminder_confirmation, s.remind_confirmation)
  FROM map_reminder_settings m WHERE m.problem IS NULL;

-- 'MM-DD'; one command of the old program wrote whole dates. 2000 had a 29th of February.
CREATE TEMP TABLE map_season ON COMMIT DROP AS
SELECT m.row_id, coalesce(m.b_hauptsaison_aktiv, true) AS active,
       CASE WHEN legacy.day_of('2000-' || d.first) IS NOT NULL THEN d.first END AS first_day,
       CASE WHEN legacy.day_of('2000-' || d.last) IS NOT NULL THEN d.last END AS last_day
  FROM map_pricing_settings m,
       LATERAL (SELECT substring(m.hauptsaison_start FROM '^\s*(?:\d{4}-)?(\d\d-\d\d)\s*$') AS first,
                       substring(m.hauptsaison_ende FROM '^\s*(?:\d{4}-)?(\d\d-\d\d)\s*$') AS last) d
 WHERE m.problem IS NULL;
INSERT INTO app.seasons (id, name, first_day, last_day, active) OVERRIDING SYSTEM VALUE
SELECT (SELECT coalesce(max(id), 0) + 1 FROM app.seasons), 'Hauptsaison', first_day, last_day, active
  FROM map_season WHERE first_day IS NOT NULL AND last_day IS NOT NULL
ON CONFLICT (lower(name)) DO UPDATE SET first_day = excluded.first_day, last_day = excluded.last_day,
                                        active = excluded.active;

INSERT INTO migration_cell
SELECT 'pricing_settings', m.row_id, x.column_name, x.kind
  FROM map_pricing_settings m JOIN map_season s USING (row_id), LATERAL (VALUES
      ('hauptsaison_aktiv', CASE WHEN s.first_day IS NULL OR s.last_day IS NULL THEN 'replaced' END),
      ('hauptsaison_start', CASE WHEN s.first_day IS NULL OR s.last_day IS NULL THEN 'replaced'
                                 WHEN s.first_day <> m.hauptsaison_start THEN 'spelling' END),
      ('hauptsaison_ende', CASE WHEN s.first_day IS NULL OR s.last_day IS NULL THEN 'replaced'
                                WHEN s.last_day <> m.hauptsaison_ende THEN 'spelling' END),
      ('mitglieder_rabatt_prozent', CASE WHEN m.n_mitglieder_rabatt_prozent NOT BETWEEN 0 AND 100 THEN 'replaced' END),
      ('rabatt_basis', CASE WHEN m.rabatt_basis NOT IN ('', 'zimmerpreis', 'gesamtpreis') THEN 'replaced' END)
  ) x (column_name, kind)
 WHERE x.kind IS NOT NULL
UNION ALL
SELECT 'payment_settings', m.row_id, x.column_name, x.kind
  FROM map_payment_settings m CROSS JOIN app.house_settings s, LATERAL (VALUES
      ('payment_due_days', CASE WHEN m.i_payment_due_days NOT BETWEEN 0 AND 365 THEN 'replaced' END),
      ('reminder_after_days', CASE WHEN m.i_reminder_after_days IS DISTINCT FROM s.payment_reminder_days
                                        AND m.reminder_after_days <> '' THEN 'placeless' END),
      ('dpolg_rabatt', CASE WHEN round(m.n_dpolg_rabatt, 2) IS DISTINCT FROM s.member_discount_percentage
                                 AND m.dpolg_rabatt <> '' THEN 'placeless' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL
UNION ALL
SELECT 'notification_settings', m.row_id, x.column_name, 'replaced'
  FROM map_notification_settings m, LATERAL (VALUES
      ('payment_reminder_after_days', m.i_payment_reminder_after_days),
      ('payment_reminder_repeat_days', m.i_payment_reminder_repeat_days)
  ) x (column_name, days)
 WHERE m.problem IS NULL AND x.days NOT BETWEEN 0 AND 365;
SELECT legacy.count_cells(t) FROM unnest(ARRAY['company_settings', 'payment_settings', 'pricing_settings',
    'notification_settings', 'reminder_settings']) t;
