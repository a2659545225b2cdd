-- What the data migration kept of a guest; see 28_personal_data.sql.

-- In JSON that the old program wrote: "guest_id": 17. A look for the bare numbers first spares most of the patterns.
-- Without settings: a million calls.
CREATE OR REPLACE FUNCTION legacy.mentions(data jsonb, name text, ids text[], likes text[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE
AS $$
DECLARE
    words text := concat(data -> 'old_data' ->> 1, data -> 'new_data' ->> 1);
BEGIN
    IF 'text64' IN (data -> 'old_data' ->> 0, data -> 'new_data' ->> 0) THEN
        words := concat(legacy.clean_cell(data -> 'old_data') ->> 1, legacy.clean_cell(data -> 'new_data') ->> 1);
    END IF;
    RETURN strpos(words, name) > 0 AND words LIKE ANY (likes)
           AND words ~ ('"' || name || '"\s*:\s*"?(' || array_to_string(ids, '|') || ')"?\s*[,}]');
END $$;

-- Raw old rows about these records, and those that the new system never took: by their cells guest_id and booking_id,
-- and in the old program's log by the record or by what stands in its JSON.
CREATE OR REPLACE FUNCTION legacy.rows_of_guest(tables text[], records bigint[], address text)
RETURNS TABLE (store text, run_id bigint, table_name text, row_id bigint, data jsonb)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    known_tables text[];
    known_ids bigint[];
    guests text[];
    bookings text[];
    logged bigint[];
    logged_bookings text[];
BEGIN
    SELECT array_agg(f.table_name), array_agg(f.id) INTO known_tables, known_ids
      FROM unnest(tables, records) h (target_table, target_id)
      JOIN legacy.source_fingerprints f USING (target_table, target_id);
    guests := ARRAY(SELECT k.id::text FROM unnest(known_tables, known_ids) k (name, id) WHERE k.name = 'guests');
    SELECT array_agg(k.row_id), array_agg(k.data -> 'record_id' ->> 1) FILTER (
               WHERE k.data -> 'table_name' ->> 1 = 'bookings') INTO logged, logged_bookings
      FROM legacy.kept_rows k WHERE k.table_name = 'transaction_log' AND legacy.mentions(
               k.data, 'guest_id', guests, ARRAY(SELECT '%' || g || '%' FROM unnest(guests) g));
    -- Also bookings that never came over, or were deleted in the old program.
    bookings := ARRAY(
        SELECT k.id::text FROM unnest(known_tables, known_ids) k (name, id) WHERE k.name = 'bookings'
        UNION SELECT q.source_id::text FROM legacy.quarantine q
               WHERE q.source_table = 'bookings' AND q.data -> 'guest_id' ->> 1 = ANY (guests)
        UNION SELECT * FROM unnest(logged_bookings));
    RETURN QUERY
    SELECT s.* FROM (
        SELECT 'quarantine', q.run_id, q.source_table, q.source_id, q.data FROM legacy.quarantine q
        UNION ALL SELECT 'kept_rows', k.run_id, k.table_name, k.row_id, k.data FROM legacy.kept_rows k
        UNION ALL SELECT 'source_rows', r.run_id, r.table_name, r.row_id, r.data FROM legacy.source_rows r
    ) s (store, run_id, table_name, row_id, data)
     WHERE CASE WHEN s.table_name <> 'transaction_log' THEN
                     (s.table_name, s.row_id) IN (SELECT * FROM unnest(known_tables, known_ids))
                     OR s.data -> 'guest_id' ->> 1 = ANY (guests)
                     OR s.data -> 'booking_id' ->> 1 = ANY (bookings)
                     OR s.table_name = 'bookings' AND s.row_id::text = ANY (bookings)
                     OR lower(s.data -> 'recipient_email' ->> 1) = address
                ELSE s.row_id = ANY (logged)
                     OR (s.data -> 'table_name' ->> 1, s.data -> 'record_id' ->> 1)
                        IN (SELECT k.name, k.id::text FROM unnest(known_tables, known_ids) k (name, id))
                     OR s.data -> 'table_name' ->> 1 = 'bookings' AND s.data -> 'record_id' ->> 1 = ANY (bookings)
                     OR legacy.mentions(s.data, 'booking_id', bookings,
                                        ARRAY(SELECT '%' || b || '%' FROM unnest(bookings) b)) END;
END $$;

-- Of a raw row stays which row it is; all else goes.
CREATE OR REPLACE FUNCTION legacy.without_person(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(key, CASE
               WHEN coalesce(value ->> 1, '') = '' OR value ->> 1 ~ '^\d{1,18}$' AND key ~ '^(id|[a-z]+_id)$'
                    OR key IN ('table_name', 'operation_type') THEN value
               ELSE '["text", "***"]'::jsonb END), '{}')
      FROM jsonb_each(data)
$$;

-- Sentences quote the values of the rows, also in the report of the run.
CREATE OR REPLACE FUNCTION legacy.anonymise(tables text[], records bigint[], address text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    r record;
    quoted text[] := '{}';
BEGIN
    FOR r IN SELECT * FROM legacy.rows_of_guest(tables, records, address) LOOP
        CASE r.store
        WHEN 'quarantine' THEN
            quoted := quoted || ARRAY(SELECT q.sentence FROM legacy.quarantine q
                                       WHERE q.source_table = r.table_name AND q.source_id = r.row_id);
            UPDATE legacy.quarantine q SET data = legacy.without_person(q.data), sentence = '***'
             WHERE q.run_id = r.run_id AND q.source_table = r.table_name AND q.source_id = r.row_id;
        WHEN 'kept_rows' THEN
            UPDATE legacy.kept_rows k SET data = legacy.without_person(k.data)
             WHERE k.run_id = r.run_id AND k.table_name = r.table_name AND k.row_id = r.row_id;
        ELSE
            UPDATE legacy.source_rows s SET data = legacy.without_person(s.data)
             WHERE s.run_id = r.run_id AND s.table_name = r.table_name AND s.row_id = r.row_id;
        END CASE;
    END LOOP;
    UPDATE legacy.runs u SET report = u.report
        || jsonb_build_object('quarantine', (
               SELECT coalesce(jsonb_agg(CASE WHEN q ->> 'sentence' = ANY (quoted) THEN q || '{"sentence": "***"}'
                                              ELSE q END ORDER BY n), '[]')
                 FROM jsonb_array_elements(u.report -> 'quarantine') WITH ORDINALITY x (q, n)))
        || jsonb_build_object('quarantine_reasons', (
               SELECT coalesce(jsonb_agg(CASE WHEN q ->> 'example' = ANY (quoted) THEN q || '{"example": "***"}'
                                              ELSE q END ORDER BY n), '[]')
                 FROM jsonb_array_elements(u.report -> 'quarantine_reasons') WITH ORDINALITY x (q, n)))
     WHERE cardinality(quoted) > 0 AND u.report ? 'quarantine';
END $$;
