-- "Paid" becomes a payment of the whole total.

CREATE TEMP TABLE paid ON COMMIT DROP AS
SELECT row_id, new_id AS booking, round(n_gesamtpreis, 2) AS amount,
       coalesce(d_bezahlt_am, (coalesce(m_updated_at, created) AT TIME ZONE 'Europe/Berlin')::date) AS paid_on,
       coalesce(CASE WHEN btrim(zahlungsmethode) <> '' THEN legacy.fitting(zahlungsmethode, 60) END, 'unbekannt') AS method,
       coalesce(m_updated_at, created) AS created
  FROM map_bookings WHERE problem IS NULL AND b_bezahlt;

DELETE FROM app.payments WHERE booking_id IN (SELECT new_id FROM map_bookings WHERE known AND problem IS NULL);
CREATE TEMP VIEW new_payments AS
SELECT start.id + row_number() OVER (ORDER BY row_id) AS id, false AS known, booking AS booking_id, amount, paid_on, method,
       created AS created_at
  FROM paid, (SELECT coalesce(max(id), 0) AS id FROM app.payments) start
 WHERE amount <> 0;
SELECT legacy.write('payments');

INSERT INTO migration_cell
SELECT 'bookings', p.row_id, x.column_name, x.kind
  FROM paid p JOIN map_bookings m USING (row_id), LATERAL (VALUES
      ('bezahlt', CASE WHEN p.amount = 0 THEN 'paid_nothing' END),
      ('bezahlt_am', CASE WHEN p.amount = 0 AND m.bezahlt_am <> '' THEN 'unpaid_details'
                          WHEN m.d_bezahlt_am IS NULL THEN 'paid_on_guessed' END),
      ('zahlungsmethode', CASE WHEN p.amount = 0 AND m.zahlungsmethode <> '' THEN 'unpaid_details'
                               WHEN coalesce(btrim(m.zahlungsmethode), '') = '' THEN 'default' END)
  ) x (column_name, kind)
 WHERE x.kind IS NOT NULL
UNION ALL
SELECT 'bookings', m.row_id, x.column_name, 'unpaid_details'
  FROM map_bookings m, LATERAL (VALUES ('bezahlt_am', m.bezahlt_am), ('zahlungsmethode', m.zahlungsmethode)) x (column_name, value)
 WHERE m.problem IS NULL AND b_bezahlt IS NOT TRUE AND x.value <> '';
