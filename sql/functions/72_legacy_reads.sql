-- What the data migration could not place, for admins to read: quarantine and kept rows. Secrets were masked before.

CREATE OR REPLACE FUNCTION app.legacy_runs()
RETURNS TABLE (id bigint, started_at timestamptz, source_sha256 text, program_version text, source_rows bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN QUERY SELECT r.id, r.started_at, r.source_sha256, r.program_version, (r.report ->> 'rows')::bigint
                   FROM legacy.runs r ORDER BY r.id;
END $$;

-- Old tables with rows in quarantine or kept, each with their number.
CREATE OR REPLACE FUNCTION app.legacy_tables()
RETURNS TABLE (place text, table_name text, row_count bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN QUERY SELECT 'quarantine', q.source_table, count(*) FROM legacy.quarantine q GROUP BY q.source_table
                 UNION ALL
                 SELECT 'kept', k.table_name, count(*) FROM legacy.kept_rows k GROUP BY k.table_name
                 ORDER BY 1 DESC, 2;
END $$;

-- Every word of what is searched is in the text, in capitals or not.
CREATE OR REPLACE FUNCTION legacy.has_words(content text, searched text) RETURNS boolean
LANGUAGE sql STABLE
AS $$
    SELECT NOT EXISTS (SELECT FROM regexp_split_to_table(lower(btrim(left(searched, 200))), '\s+') w
                        WHERE strpos(lower(content), w) = 0)
$$;

-- A page behind the id ``after``, in the order of the migration. Without the rows themselves: see app.legacy_row.
CREATE OR REPLACE FUNCTION app.legacy_quarantine(searched text, after bigint, max_rows integer)
RETURNS TABLE (id bigint, run_id bigint, source_table text, source_id bigint, reason_code text, sentence text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN QUERY SELECT q.id, q.run_id, q.source_table, q.source_id, q.reason_code, q.sentence
                   FROM legacy.quarantine q
                  WHERE q.id > coalesce(after, 0)
                    AND legacy.has_words(concat_ws(' ', q.source_table, q.source_id, q.reason_code, q.sentence), searched)
                  ORDER BY q.id LIMIT least(greatest(coalesce(max_rows, 0), 0), 1000);
END $$;

-- A page behind the row ``after`` of one old table; content: the beginning of each readable cell.
CREATE OR REPLACE FUNCTION app.legacy_kept_rows(source_table text, searched text, after bigint, max_rows integer)
RETURNS TABLE (run_id bigint, row_id bigint, content text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant integer := least(greatest(coalesce(max_rows, 0), 0), 1000);
BEGIN
    PERFORM app.require_admin();
    -- Run by run, so that each is a walk along the primary key.
    RETURN QUERY SELECT p.run_id, p.row_id,
                        (SELECT left(string_agg(c.key || ' ' || left(c.value ->> 1, 60), ' · ' ORDER BY c.key), 400)
                           FROM jsonb_each(p.data) c
                          WHERE c.key <> 'id' AND c.value ->> 0 NOT IN ('null', 'blob', 'text64'))
                   FROM legacy.runs r
                  CROSS JOIN LATERAL (
                        SELECT k.run_id, k.row_id, k.data FROM legacy.kept_rows k
                         WHERE k.run_id = r.id AND k.table_name = source_table
                           AND (after IS NULL OR k.row_id > after)
                           AND legacy.has_words(k.row_id || ' ' || k.data::text, searched)
                         ORDER BY k.row_id LIMIT most) p
                  ORDER BY p.row_id FETCH FIRST (most) ROWS WITH TIES;
END $$;

-- All that is left of one old row: [{place, run_id, reason_code, sentence, data}], data as the file had it.
CREATE OR REPLACE FUNCTION app.legacy_row(source_table text, source_id bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN (SELECT coalesce(jsonb_agg(to_jsonb(part) ORDER BY part.run_id, part.place DESC), '[]') FROM (
                SELECT 'quarantine' AS place, q.run_id, q.reason_code, q.sentence, q.data
                  FROM legacy.quarantine q
                 WHERE q.source_table = legacy_row.source_table AND q.source_id = legacy_row.source_id
                UNION ALL
                SELECT 'kept', k.run_id, NULL, NULL, k.data
                  FROM legacy.runs r
                  JOIN legacy.kept_rows k ON k.run_id = r.id AND k.table_name = legacy_row.source_table
                                         AND k.row_id = legacy_row.source_id) part);
END $$;

GRANT EXECUTE ON FUNCTION app.legacy_runs(), app.legacy_tables(), app.legacy_quarantine(text, bigint, integer),
    app.legacy_kept_rows(text, text, bigint, integer), app.legacy_row(text, bigint) TO booking_user;
