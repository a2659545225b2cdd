-- Mail: settings, templates, log.

CREATE TEMP TABLE map_email_config ON COMMIT DROP AS
SELECT p.*, 1::bigint AS new_id, false AS known,
       CASE WHEN coalesce(p.smtp_server, '') = '' THEN 'empty_name:smtp_server'
            WHEN length(p.smtp_server) > 254 THEN 'text_too_long:smtp_server'
            WHEN coalesce(p.i_smtp_port, 0) NOT BETWEEN 1 AND 65535 THEN 'out_of_range:smtp_port'
            WHEN length(p.smtp_username) > 254 THEN 'text_too_long:smtp_username'
            WHEN length(p.smtp_password) > 1000 THEN 'text_too_long:smtp_password'
            WHEN coalesce(p.from_email, '') = '' THEN 'empty_name:from_email'
            WHEN length(p.from_email) > 254 THEN 'text_too_long:from_email'
            WHEN length(p.from_name) > 200 THEN 'text_too_long:from_name' END AS problem
  FROM parsed_email_config p;
UPDATE map_email_config SET problem = 'second_row:id'
 WHERE problem IS NULL AND row_id < (SELECT max(row_id) FROM map_email_config WHERE problem IS NULL);
-- Settings that somebody made in the new system stay; those of an earlier run give way.
UPDATE map_email_config m SET problem = 'second_row:id'
 WHERE m.problem IS NULL AND EXISTS (SELECT FROM app.email_settings)
   AND NOT EXISTS (SELECT FROM migration_earlier e WHERE e.source_table = 'email_config' AND e.target_table = 'email_settings');
INSERT INTO migration_target VALUES ('email_config', 'email_settings');
INSERT INTO app.email_settings AS s (smtp_server, smtp_port, smtp_username, smtp_password, from_email, from_name, use_tls,
                                     created_at, updated_at)
SELECT smtp_server, i_smtp_port, nullif(smtp_username, ''), nullif(smtp_password, ''), from_email, coalesce(from_name, ''),
       coalesce(b_use_tls, true), coalesce(m_created_at, now()), m_updated_at
  FROM map_email_config WHERE problem IS NULL
    ON CONFLICT (only_row) DO UPDATE SET
       smtp_server = excluded.smtp_server, smtp_port = excluded.smtp_port, smtp_username = excluded.smtp_username,
       smtp_password = excluded.smtp_password, from_email = excluded.from_email, from_name = excluded.from_name,
       use_tls = excluded.use_tls, updated_at = excluded.updated_at;
SELECT legacy.count_cells('email_config');

CREATE TEMP TABLE map_email_templates ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known,
       CASE WHEN coalesce(btrim(p.template_name), '') = '' THEN 'empty_name:template_name'
            WHEN length(p.template_name) > 200 THEN 'text_too_long:template_name'
            WHEN length(p.subject) > 1000 THEN 'text_too_long:subject'
            WHEN length(p.body) > 200000 THEN 'text_too_long:body'
            WHEN length(p.description) > 10000 THEN 'text_too_long:description' END AS problem
  FROM parsed_email_templates p;
UPDATE map_email_templates m SET problem = 'second_row:template_name'
 WHERE m.problem IS NULL
   AND (EXISTS (SELECT FROM map_email_templates o
                 WHERE o.problem IS NULL AND o.template_name = m.template_name AND o.row_id < m.row_id)
        OR EXISTS (SELECT FROM app.email_templates t WHERE t.name = m.template_name AND NOT EXISTS (
               SELECT FROM migration_earlier e WHERE e.source_table = 'email_templates' AND e.row_id = m.row_id
                  AND e.target_table = 'email_templates' AND e.target_id = t.id)));
SELECT legacy.assign_ids('email_templates', 'email_templates');
CREATE TEMP VIEW new_email_templates AS
SELECT new_id AS id, known, template_name AS name, coalesce(subject, '') AS subject, coalesce(body, '') AS body,
       nullif(description, '') AS description, coalesce(m_created_at, m_updated_at, now()) AS created_at,
       -- Alone among all moments this one was written two hours ahead of UTC.
       m_updated_at - CASE WHEN updated_at ~ '(Z|UTC|[+-]\d\d(:?\d\d)?)\s*$' AND updated_at !~ '^\s*\d{4}-\d\d-\d\d\s*$'
                           THEN interval '0' ELSE interval '2 hours' END AS updated_at
  FROM map_email_templates WHERE problem IS NULL;
SELECT legacy.write('email_templates');
INSERT INTO migration_cell
SELECT 'email_templates', row_id, 'created_at', 'created_guessed' FROM map_email_templates
 WHERE problem IS NULL AND m_created_at IS NULL;
SELECT legacy.count_cells('email_templates');

CREATE TEMP TABLE map_email_logs ON COMMIT DROP AS
SELECT p.*, p.row_id AS new_id, false AS known, g.new_id AS guest, b.new_id AS booking, s.new_status,
       CASE WHEN s.new_status IS NULL THEN 'unknown_status:status'
            WHEN p.m_sent_at IS NULL THEN 'unreadable_date:sent_at'
            WHEN length(p.recipient_email) > 1000 THEN 'text_too_long:recipient_email'
            WHEN length(p.subject) > 1000 THEN 'text_too_long:subject'
            WHEN length(p.template_name) > 200 THEN 'text_too_long:template_name'
            WHEN length(p.error_message) > 10000 THEN 'text_too_long:error_message' END AS problem
  FROM parsed_email_logs p
  LEFT JOIN ref_guests g ON g.old_id = p.i_guest_id
  LEFT JOIN ref_bookings b ON b.old_id = p.i_booking_id
  LEFT JOIN (VALUES ('gesendet', 'sent'), ('sent', 'sent'), ('fehler', 'failed'), ('failed', 'failed')) s (old_status, new_status)
         ON s.old_status = lower(btrim(p.status));
SELECT legacy.assign_ids('email_logs', 'email_log');
CREATE TEMP VIEW new_email_log AS
SELECT new_id AS id, known, booking AS booking_id, guest AS guest_id, nullif(template_name, '') AS template_name,
       coalesce(recipient_email, '') AS recipient, coalesce(subject, '') AS subject, new_status AS status,
       nullif(error_message, '') AS error_message, m_sent_at AS sent_at, m_sent_at AS created_at
  FROM map_email_logs WHERE problem IS NULL;
SELECT legacy.write('email_log');
INSERT INTO migration_cell
SELECT 'email_logs', row_id, 'booking_id', 'parent_missing' FROM map_email_logs
 WHERE problem IS NULL AND booking IS NULL AND booking_id <> ''
UNION ALL
SELECT 'email_logs', row_id, 'guest_id', 'parent_missing' FROM map_email_logs
 WHERE problem IS NULL AND guest IS NULL AND guest_id <> ''
UNION ALL
SELECT 'email_logs', row_id, 'status', 'spelling' FROM map_email_logs
 WHERE problem IS NULL AND status NOT IN ('gesendet', 'fehler', 'sent', 'failed');
SELECT legacy.count_cells('email_logs');
