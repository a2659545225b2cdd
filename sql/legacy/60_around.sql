-- Who came along, credit, reminders.

CREATE TEMP TABLE map_accompanying_guests ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking, c.new_id AS companion,
       CASE WHEN b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN b.new_id IS NULL THEN 'parent_quarantined:booking_id'
            WHEN coalesce(btrim(p.nachname), '') = '' THEN 'empty_name:nachname'
            WHEN length(p.nachname) > 100 THEN 'text_too_long:nachname'
            WHEN length(p.vorname) > 100 THEN 'text_too_long:vorname' END AS problem
  FROM parsed_accompanying_guests p
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id
  LEFT JOIN ref_guest_companions c ON c.old_id = p.i_companion_id;
SELECT legacy.assign_ids('accompanying_guests', 'booking_companions');
CREATE TEMP VIEW new_booking_companions AS
SELECT m.new_id AS id, m.known, m.booking AS booking_id, m.companion AS companion_id, m.nachname AS last_name,
       coalesce(m.vorname, '') AS first_name, m.d_geburtsdatum AS date_of_birth, coalesce(b.created, now()) AS created_at
  FROM map_accompanying_guests m LEFT JOIN map_bookings b ON b.row_id = m.i_booking_id
 WHERE m.problem IS NULL;
SELECT legacy.write('booking_companions');
INSERT INTO migration_cell
SELECT 'accompanying_guests', row_id, 'companion_id', 'parent_missing' FROM map_accompanying_guests
 WHERE problem IS NULL AND companion IS NULL AND companion_id <> '';
SELECT legacy.count_cells('accompanying_guests');

CREATE TEMP TABLE map_guest_credit_transactions ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, g.new_id AS guest, b.new_id AS booking,
       CASE WHEN g.old_id IS NULL THEN 'parent_missing:guest_id'
            WHEN g.new_id IS NULL THEN 'parent_quarantined:guest_id'
            WHEN p.n_amount IS NULL THEN 'unreadable_money:amount'
            WHEN round(p.n_amount, 2) = 0 THEN 'zero_money:amount'
            WHEN abs(p.n_amount) > 1000000 THEN 'amount_too_large:amount'
            WHEN coalesce(lower(btrim(p.transaction_type)), '') NOT IN ('added', 'used', 'expired', 'refund')
                THEN 'unknown_kind:transaction_type' END AS problem,
       legacy.joined(nullif(p.notes, ''), legacy.moved('Angelegt von', p.created_by, 100)) AS all_notes
  FROM parsed_guest_credit_transactions p
  LEFT JOIN ref_guests g ON g.old_id = p.i_guest_id
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id;
UPDATE map_guest_credit_transactions SET problem = 'text_too_long:notes' WHERE problem IS NULL AND length(all_notes) > 10000;
SELECT legacy.assign_ids('guest_credit_transactions', 'credit_transactions');
CREATE TEMP VIEW new_credit_transactions AS
SELECT new_id AS id, known, guest AS guest_id, booking AS booking_id, round(n_amount, 2) AS amount,
       lower(btrim(transaction_type)) AS kind, all_notes AS notes, legacy.fitting(created_by, 100) AS actor,
       coalesce(m_created_at, now()) AS created_at
  FROM map_guest_credit_transactions WHERE problem IS NULL;
SELECT legacy.write('credit_transactions');
INSERT INTO migration_cell
SELECT 'guest_credit_transactions', m.row_id, x.column_name, x.kind
  FROM map_guest_credit_transactions m, LATERAL (VALUES
      ('booking_id', CASE WHEN m.booking IS NULL AND m.booking_id <> '' THEN 'parent_missing' END),
      ('transaction_type', CASE WHEN m.transaction_type <> lower(btrim(m.transaction_type)) THEN 'spelling' END),
      ('created_by', CASE WHEN length(m.created_by) > 100 THEN 'moved' END),
      ('created_at', CASE WHEN m.m_created_at IS NULL THEN 'created_guessed' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL;
SELECT legacy.count_cells('guest_credit_transactions');

-- An automatic reminder belongs to a booking. An unknown kind becomes one by hand: somebody will look at it.
CREATE TEMP TABLE map_reminders ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, b.new_id AS booking, k.kind,
       coalesce(p.m_created_at, p.m_updated_at, now()) AS created,
       CASE WHEN coalesce(btrim(p.title), '') = '' THEN 'empty_name:title'
            WHEN length(p.title) > 300 THEN 'text_too_long:title'
            WHEN p.d_due_date IS NULL THEN 'unreadable_date:due_date'
            WHEN k.kind <> 'manual' AND b.old_id IS NULL THEN 'parent_missing:booking_id'
            WHEN k.kind <> 'manual' AND b.new_id IS NULL THEN 'parent_quarantined:booking_id' END AS problem,
       legacy.joined(nullif(p.description, ''), legacy.moved('Erledigt von', p.completed_by, 100)) AS all_notes
  FROM parsed_reminders p
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id,
       LATERAL (SELECT CASE WHEN lower(btrim(p.reminder_type)) IN ('auto_incomplete_data', 'auto_payment', 'auto_checkin',
                                                                   'auto_invoice', 'auto_confirmation')
                            THEN lower(btrim(p.reminder_type)) ELSE 'manual' END AS kind) k;
UPDATE map_reminders SET problem = 'text_too_long:description' WHERE problem IS NULL AND length(all_notes) > 10000;
SELECT legacy.assign_ids('reminders', 'reminders');
-- At most one open one per booking and automatic kind: the newest stays.
UPDATE map_reminders m SET problem = 'second_row:reminder_type'
  FROM (SELECT row_id, row_number() OVER (PARTITION BY booking, kind ORDER BY created DESC, row_id DESC) AS place_in_line
          FROM map_reminders WHERE problem IS NULL AND kind <> 'manual' AND b_is_completed IS NOT TRUE) twin
 WHERE twin.row_id = m.row_id AND twin.place_in_line > 1;
UPDATE map_reminders m SET problem = 'second_row:reminder_type'
  FROM app.reminders r
 WHERE m.problem IS NULL AND m.kind <> 'manual' AND m.b_is_completed IS NOT TRUE AND NOT r.completed
   AND r.booking_id = m.booking AND r.kind = m.kind AND NOT (m.known AND m.new_id = r.id);
CREATE TEMP VIEW new_reminders AS
SELECT new_id AS id, known, booking AS booking_id, kind, title, all_notes AS description, d_due_date AS due_date,
       CASE WHEN lower(btrim(priority)) IN ('low', 'medium', 'high') THEN lower(btrim(priority)) ELSE 'medium' END AS priority,
       coalesce(b_is_completed, false) AS completed, m_completed_at AS completed_at,
       legacy.fitting(completed_by, 100) AS completed_by, CASE WHEN b_is_snoozed THEN d_snoozed_until END AS snoozed_until,
       created AS created_at, m_updated_at AS updated_at
  FROM map_reminders WHERE problem IS NULL;
SELECT legacy.write('reminders');
INSERT INTO migration_cell
SELECT 'reminders', m.row_id, x.column_name, x.kind
  FROM map_reminders m, LATERAL (VALUES
      ('booking_id', CASE WHEN m.booking IS NULL AND m.booking_id <> '' THEN 'parent_missing' END),
      ('reminder_type', CASE WHEN m.kind IS DISTINCT FROM m.reminder_type THEN 'replaced' END),
      ('priority', CASE WHEN coalesce(m.priority, '') NOT IN ('low', 'medium', 'high') THEN 'replaced' END),
      ('completed_by', CASE WHEN length(m.completed_by) > 100 THEN 'moved' END),
      ('snoozed_until', CASE WHEN m.b_is_snoozed IS NOT TRUE AND m.snoozed_until <> '' THEN 'placeless' END),
      ('is_snoozed', CASE WHEN m.b_is_snoozed AND m.d_snoozed_until IS NULL THEN 'replaced' END),
      ('created_at', CASE WHEN m.m_created_at IS NULL THEN 'created_guessed' END)
  ) x (column_name, kind)
 WHERE m.problem IS NULL AND x.kind IS NOT NULL;
SELECT legacy.count_cells('reminders');
