-- What is held on a guest: telling all of it, and taking his person out of it. For admins.

-- Every field that says something about a person, and what stands there afterwards (SQL; r is the row). Nights,
-- countries, amounts and the membership that set a price stay: the statistics go on counting them.
CREATE OR REPLACE FUNCTION app.personal_fields() RETURNS TABLE (table_name text, field text, becomes text)
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    VALUES
    ('bookings', 'notes', 'NULL'), ('bookings', 'invoice_sent_to', 'NULL'),
    ('bookings', 'cancellation_reason', 'CASE WHEN r.cancellation_reason IS NOT NULL THEN ''anonymisiert'' END'),
    ('occupancies', 'reason', 'NULL'),
    ('booking_companions', 'last_name', '''anonymisiert'''), ('booking_companions', 'first_name', ''''''),
    ('booking_companions', 'date_of_birth', 'NULL'),
    -- Typed by hand, but for the name of a template.
    ('price_lines', 'label', 'coalesce((SELECT t.name FROM app.service_templates t WHERE t.id = r.service_template_id),
        (SELECT t.name FROM app.discount_templates t WHERE t.id = r.discount_template_id),
        CASE r.kind WHEN ''nights'' THEN ''Übernachtung'' WHEN ''final_cleaning'' THEN ''Endreinigung''
            WHEN ''service'' THEN ''Leistung'' WHEN ''discount'' THEN ''Rabatt''
            WHEN ''member_discount'' THEN ''Mitgliedsrabatt'' ELSE ''Differenz'' END)'),
    ('payments', 'notes', 'NULL'), ('payments', 'method', 'r.method'),
    ('credit_transactions', 'notes', 'NULL'),
    ('reminders', 'title', '''anonymisiert'''), ('reminders', 'description', 'NULL'),
    ('email_log', 'recipient', ''''''), ('email_log', 'subject', ''''''), ('email_log', 'template_name', 'NULL'),
    ('email_log', 'error_message', 'NULL'),
    ('payers', 'name', '''anonymisiert'''), ('payers', 'company', 'NULL'), ('payers', 'street', 'NULL'),
    ('payers', 'postal_code', 'NULL'), ('payers', 'city', 'NULL'), ('payers', 'country', 'NULL'),
    ('payers', 'contact_person', 'NULL'), ('payers', 'notes', 'NULL'),
    -- The pool is deleted; of its rows only the audit log still tells.
    ('companions', 'last_name', NULL), ('companions', 'first_name', NULL), ('companions', 'date_of_birth', NULL),
    ('companions', 'relationship', NULL), ('companions', 'notes', NULL),
    ('guests', 'last_name', '''anonymisiert'''), ('guests', 'first_name', ''''''), ('guests', 'is_member', 'false'),
    ('guests', 'country', 'r.country'), ('guests', 'salutation', 'NULL'), ('guests', 'gender', 'NULL'),
    ('guests', 'email', 'NULL'), ('guests', 'phone', 'NULL'), ('guests', 'phone_business', 'NULL'),
    ('guests', 'phone_private', 'NULL'), ('guests', 'phone_mobile', 'NULL'), ('guests', 'fax', 'NULL'),
    ('guests', 'street', 'NULL'), ('guests', 'postal_code', 'NULL'), ('guests', 'city', 'NULL'),
    ('guests', 'date_of_birth', 'NULL'), ('guests', 'place_of_birth', 'NULL'), ('guests', 'nationality', 'NULL'),
    ('guests', 'language', 'NULL'), ('guests', 'identity_document', 'NULL'), ('guests', 'member_number', 'NULL'),
    ('guests', 'profession', 'NULL'), ('guests', 'duty_station', 'NULL'), ('guests', 'federal_state', 'NULL'),
    ('guests', 'debtor_account', 'NULL'), ('guests', 'licence_plate', 'NULL'), ('guests', 'invoice_email', 'NULL'),
    ('guests', 'leitweg_id', 'NULL'), ('guests', 'cost_centre', 'NULL'), ('guests', 'tags', 'NULL'),
    ('guests', 'marketing_consent', 'NULL'), ('guests', 'automatic_mail', 'NULL'),
    ('guests', 'automatic_mail_language', 'NULL'), ('guests', 'notes', 'NULL')
$$;

-- The live rows about a guest. A mail without guest is his by its address; a payer is his if nobody else uses it.
CREATE OR REPLACE FUNCTION app.records_of_guest(guest bigint) RETURNS TABLE (table_name text, record_id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    booked constant bigint[] := ARRAY(SELECT b.id FROM app.bookings b WHERE b.guest_id = guest);
    address constant text := (SELECT lower(g.email) FROM app.guests g WHERE g.id = guest);
BEGIN
    RETURN QUERY
    SELECT 'guests', guest
    UNION ALL SELECT 'companions', c.id FROM app.companions c WHERE c.guest_id = guest
    UNION ALL SELECT 'bookings', b FROM unnest(booked) b
    UNION ALL SELECT 'occupancies', o.id FROM app.occupancies o WHERE o.booking_id = ANY (booked)
    UNION ALL SELECT 'price_lines', l.id FROM app.price_lines l WHERE l.booking_id = ANY (booked)
    UNION ALL SELECT 'payments', p.id FROM app.payments p WHERE p.booking_id = ANY (booked)
    UNION ALL SELECT 'booking_companions', c.id FROM app.booking_companions c WHERE c.booking_id = ANY (booked)
    UNION ALL SELECT 'reminders', r.id FROM app.reminders r WHERE r.booking_id = ANY (booked)
    UNION ALL SELECT 'credit_transactions', t.id FROM app.credit_transactions t WHERE t.guest_id = guest
    UNION ALL SELECT 'email_log', m.id FROM app.email_log m
               WHERE m.guest_id = guest OR m.booking_id = ANY (booked) AND m.guest_id IS NULL
                  OR m.guest_id IS NULL AND m.booking_id IS NULL AND lower(m.recipient) = address
    UNION ALL SELECT 'payers', p.id FROM app.payers p
               WHERE p.id IN (SELECT b.payer_id FROM app.bookings b WHERE b.guest_id = guest)
                 AND NOT EXISTS (SELECT FROM app.bookings b WHERE b.payer_id = p.id AND b.guest_id <> guest);
END $$;

-- Entries of the audit log about these records, and about those that are gone or were once his; some come twice.
CREATE OR REPLACE FUNCTION app.audit_of_guest(guest bigint, tables text[], records bigint[]) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    ever record;
BEGIN
    -- A table at a time: with the ids known the planner takes the index.
    FOR ever IN
        SELECT e.name, array_agg(DISTINCT e.id) AS ids
          FROM (SELECT a.table_name, a.record_id FROM app.audit_log a WHERE a.new_data ->> 'guest_id' = guest::text
                UNION ALL
                SELECT a.table_name, a.record_id FROM app.audit_log a WHERE a.old_data ->> 'guest_id' = guest::text
                UNION ALL
                SELECT * FROM unnest(tables, records)) e (name, id)
         GROUP BY e.name
    LOOP
        RETURN QUERY SELECT a.id FROM app.audit_log a WHERE a.table_name = ever.name AND a.record_id = ANY (ever.ids);
        IF ever.name = 'bookings' THEN
            RETURN QUERY SELECT a.id FROM app.audit_log a WHERE a.booking_id = ANY (ever.ids);
        END IF;
    END LOOP;
END $$;

-- Not '' and not null: those say nothing.
CREATE OR REPLACE FUNCTION app.without_person(name text, data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT data || coalesce((SELECT jsonb_object_agg(p.field, '***') FROM app.personal_fields() p
                              WHERE p.table_name = name AND coalesce(data ->> p.field, '') <> ''), '{}')
$$;

-- The rows of one table about a guest, without what only the program needs. Not for booking_user.
CREATE OR REPLACE FUNCTION app.told_rows(name text, tables text[], records bigint[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found jsonb;
BEGIN
    EXECUTE format('SELECT coalesce(jsonb_agg(to_jsonb(r) - $1 ORDER BY r.id), ''[]'') FROM app.%I r '
                   'WHERE r.id IN (SELECT h.id FROM unnest($2, $3) h (name, id) WHERE h.name = %L)', name, name)
       INTO found
      USING ARRAY['search', 'sort_key', 'occupies', 'version', 'created_by', 'updated_by'], tables, records;
    RETURN found;
END $$;

-- All that is held on a guest. Written down in the audit log once per request, and never kept as an answer.
CREATE OR REPLACE FUNCTION app.export_guest(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    tables text[];
    records bigint[];
    address text;
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    IF NOT EXISTS (SELECT FROM app.guests g WHERE g.id = record) THEN
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    IF app.begin_request(request, 'export guests', jsonb_build_object('id', record)) IS NULL THEN
        PERFORM app.note_in_audit('guests', record, 'EXPORT');
        PERFORM app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', record));
    END IF;
    SELECT lower(g.email) INTO address FROM app.guests g WHERE g.id = record;
    SELECT array_agg(h.table_name), array_agg(h.record_id) INTO tables, records FROM app.records_of_guest(record) h;
    SELECT jsonb_build_object('outcome', 'done', 'id', record, 'exported_at', now())
           || jsonb_object_agg(t.name, app.told_rows(t.name, tables, records))
      INTO answer
      FROM unnest(ARRAY['guests', 'companions', 'bookings', 'occupancies', 'price_lines', 'payments',
                        'booking_companions', 'reminders', 'credit_transactions', 'email_log', 'payers']) t (name);
    RETURN answer || jsonb_build_object(
        'rooms', (SELECT coalesce(jsonb_object_agg(r.id, r.name), '{}') FROM app.rooms r
                   WHERE r.id IN (SELECT o.room_id FROM app.occupancies o JOIN app.bookings b ON b.id = o.booking_id
                                   WHERE b.guest_id = record)),
        -- Without the names of staff: they are not his data.
        'audit_log', (SELECT coalesce(jsonb_agg(jsonb_build_object('timestamp', a.timestamp, 'operation', a.operation,
                          'table', a.table_name, 'id', a.record_id, 'before', a.old_data, 'after', a.new_data)
                          ORDER BY a.id), '[]')
                        FROM app.audit_log a WHERE a.id = ANY (ARRAY(SELECT app.audit_of_guest(record, tables, records)))),
        'legacy', (SELECT coalesce(jsonb_agg(jsonb_build_object('table', l.table_name, 'id', l.row_id, 'data',
                          (SELECT jsonb_object_agg(key, legacy.clean_cell(value) -> 1) FROM jsonb_each(l.data)))
                          ORDER BY l.table_name, l.row_id), '[]')
                     FROM legacy.rows_of_guest(tables, records, address) l));
END $$;

CREATE OR REPLACE FUNCTION app.note_in_audit(name text, record bigint, operation text, booking bigint DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO app.audit_log (user_id, username, client_id, table_name, record_id, operation, booking_id)
    SELECT s.user_id, s.username, s.client_id, name, record, operation, booking FROM auth.session_of_token() s;
END $$;

-- The name, notes and all else that tells who it was; see personal_fields(). Cannot be undone.
CREATE OR REPLACE FUNCTION app.anonymise_guest(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    tables text[];
    records bigint[];
    address text;
    t record;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'anonymise guests', jsonb_build_object('id', record));
    IF answer IS NULL THEN
        -- For update: nobody books for him meanwhile.
        SELECT lower(g.email) INTO address FROM app.guests g WHERE g.id = record FOR UPDATE;
        IF NOT FOUND THEN
            RETURN app.finish_request(request, jsonb_build_object('outcome', 'missing'));
        END IF;
        PERFORM FROM app.bookings b WHERE b.guest_id = record ORDER BY b.id FOR NO KEY UPDATE;
        IF EXISTS (
            SELECT FROM app.bookings b
             WHERE b.guest_id = record AND (b.status IN ('reserviert', 'eingecheckt') OR b.status = 'bestaetigt' AND EXISTS (
                   SELECT FROM app.occupancies o WHERE o.booking_id = b.id AND o.departure >= app.today()))) THEN
            PERFORM app.refuse('anonymise_open_bookings', 'the guest has bookings that are not over');
        END IF;
        SELECT array_agg(h.table_name), array_agg(h.record_id) INTO tables, records FROM app.records_of_guest(record) h;
        -- First of all: without it the log lets itself not be masked. For the bookings too: their history tells it,
        -- and the data migration leaves alone what was touched here.
        PERFORM app.note_in_audit('guests', record, 'ANONYMISE');
        PERFORM app.note_in_audit('bookings', b.id, 'ANONYMISE', b.id) FROM app.bookings b WHERE b.guest_id = record;
        PERFORM legacy.anonymise(tables, records, address);
        FOR t IN SELECT p.table_name, string_agg(format('%I = %s', p.field, p.becomes), ', ') AS setters
                   FROM app.personal_fields() p WHERE p.becomes IS NOT NULL
                  GROUP BY p.table_name ORDER BY p.table_name <> 'bookings', p.table_name
        LOOP
            EXECUTE format('UPDATE app.%I r SET %s WHERE r.id IN '
                           '(SELECT h.id FROM unnest($1, $2) h (name, id) WHERE h.name = %L)',
                           t.table_name, t.setters, t.table_name) USING tables, records;
        END LOOP;
        DELETE FROM app.companions c WHERE c.guest_id = record;
        -- What the lines above have just written there too.
        UPDATE app.audit_log a SET old_data = app.without_person(a.table_name, a.old_data),
                                   new_data = app.without_person(a.table_name, a.new_data)
         WHERE a.id = ANY (ARRAY(SELECT app.audit_of_guest(record, tables, records)))
           AND coalesce(a.old_data, a.new_data) IS NOT NULL;
        UPDATE app.requests q SET answer = (
            SELECT jsonb_object_agg(key, value) FROM jsonb_each(q.answer)
             WHERE key IN ('outcome', 'id', 'version', 'lost_room'))
         WHERE EXISTS (SELECT FROM unnest(tables, records) h (name, id)
                        WHERE q.function LIKE '% ' || h.name AND q.answer ->> 'id' = h.id::text);
        answer := app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', record));
    END IF;
    RETURN answer || (SELECT jsonb_build_object('version', g.version, 'state', jsonb_build_object(
                                 'last_name', g.last_name, 'first_name', g.first_name))
                        FROM app.guests g WHERE g.id = record);
END $$;

GRANT EXECUTE ON FUNCTION app.export_guest(uuid, bigint), app.anonymise_guest(uuid, bigint) TO booking_user;
