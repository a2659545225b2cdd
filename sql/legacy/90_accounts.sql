-- Accounts: quarantine, what stays in this schema, repairs, sequences; each old row has exactly one fate.

DO $$
DECLARE
    t record;
    troubled boolean;
    unknown text[];
    run constant bigint := current_setting('legacy.run_id')::bigint;
BEGIN
    FOR t IN SELECT source_table, CASE WHEN source_table = 'bookings' THEN
                    'UNION ALL SELECT row_id, split_part(warning, '':'', 1), split_part(warning, '':'', 2) '
                    'FROM map_bookings WHERE problem IS NULL AND warning LIKE ''stay_too_long%''' ELSE '' END AS more
               FROM migration_target
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT row_id, '''', '''' FROM map_%s WHERE problem IS NOT NULL %s)',
                       t.source_table, t.more) INTO troubled;
        IF troubled THEN
            EXECUTE format('INSERT INTO legacy.quarantine (run_id, source_table, source_id, data, reason_code, sentence) '
                'SELECT $1, %1$L, m.row_id, legacy.masked(s.data), r.code, '
                '       format(r.sentence, coalesce(l.label, m.column_name), '
                '              coalesce(left(coalesce(o.data, s.data) -> m.column_name ->> 1, 200), ''—'')) '
                '  FROM (SELECT row_id, split_part(problem, '':'', 1) AS code, split_part(problem, '':'', 2) AS column_name '
                '          FROM map_%1$s WHERE problem IS NOT NULL %2$s) m '
                '  JOIN legacy.source_rows s ON s.table_name = %1$L AND s.row_id = m.row_id '
                '  JOIN migration_reason r ON r.code = m.code '
                '  LEFT JOIN migration_odd o ON o.table_name = %1$L AND o.row_id = m.row_id '
                '  LEFT JOIN migration_label l ON l.column_name = m.column_name ORDER BY m.row_id',
                t.source_table, t.more)
                USING run;
        END IF;
        -- Bytes that had to be replaced, in rows that were migrated.
        IF EXISTS (SELECT FROM migration_odd o WHERE o.table_name = t.source_table) THEN
            EXECUTE format('INSERT INTO migration_cell SELECT %1$L, m.row_id, c.key, '
                '       CASE WHEN c.key IN (''schluesselcode'', ''smtp_password'') THEN ''secret_bytes'' '
                '            WHEN o.data -> c.key ->> 0 = ''null'' THEN ''blob'' ELSE ''bytes'' END '
                '  FROM migration_odd o JOIN map_%1$s m ON m.row_id = o.row_id AND m.problem IS NULL '
                '  JOIN legacy.source_rows s ON s.table_name = %1$L AND s.row_id = o.row_id, jsonb_each(s.data) c '
                ' WHERE o.table_name = %1$L AND c.value ->> 0 IN (''blob'', ''text64'') '
                '   AND EXISTS (SELECT FROM migration_column k WHERE k.table_name = %1$L AND k.column_name = c.key)',
                t.source_table);
        END IF;
        -- Columns that nobody knows. All rows of a table have the same ones.
        PERFORM set_config('enable_seqscan', 'off', true);
        SELECT array_agg(k) INTO unknown
          FROM (SELECT s.data FROM legacy.source_rows s WHERE s.table_name = t.source_table LIMIT 1) f,
               jsonb_object_keys(f.data) k
         WHERE NOT EXISTS (SELECT FROM migration_column c WHERE c.table_name = t.source_table AND c.column_name = k);
        PERFORM set_config('enable_seqscan', 'on', true);
        IF unknown IS NOT NULL THEN
            EXECUTE format('INSERT INTO migration_cell SELECT %1$L, m.row_id, c.key, ''unknown_column'' '
                '  FROM map_%1$s m JOIN legacy.source_rows s ON s.table_name = %1$L AND s.row_id = m.row_id, '
                '       jsonb_each(s.data) c '
                ' WHERE m.problem IS NULL AND c.value ->> 0 <> ''null'' AND c.key = ANY ($1)', t.source_table)
                USING unknown;
        END IF;
    END LOOP;
END $$;

-- Whole rows of tables without a place here, single cells of the others. Secrets stay nowhere but in their own column.
INSERT INTO legacy.kept_rows (run_id, table_name, row_id, data)
SELECT current_setting('legacy.run_id')::bigint, s.table_name, s.row_id, legacy.masked(s.data)
  FROM legacy.source_rows s
 WHERE s.table_name NOT IN (SELECT source_table FROM migration_target);
CREATE TEMP TABLE kept_cell ON COMMIT DROP AS
SELECT DISTINCT x.source_table, x.row_id, x.column_name FROM migration_cell x JOIN migration_kind k USING (kind)
 WHERE k.keeps AND (k.kind = 'room_differs' OR NOT EXISTS (SELECT FROM migration_column m WHERE m.table_name = x.source_table
                                  AND m.column_name = x.column_name AND m.type = 's'));
ANALYZE kept_cell;
DO $$
DECLARE
    t text;
BEGIN
    -- One table after the other, so that of the raw rows only those are read that may have such cells.
    FOR t IN SELECT DISTINCT source_table FROM kept_cell LOOP
        INSERT INTO legacy.kept_rows (run_id, table_name, row_id, data)
        SELECT current_setting('legacy.run_id')::bigint, t, c.row_id,
               legacy.masked(jsonb_object_agg(c.column_name, s.data -> c.column_name))
          FROM kept_cell c JOIN legacy.source_rows s ON s.table_name = t AND s.row_id = c.row_id
         WHERE c.source_table = t AND s.data -> c.column_name ->> 0 IS NOT NULL
         GROUP BY c.row_id;
    END LOOP;
END $$;

-- Before: values of the column in the migrated rows; after: those that are still in its place.
INSERT INTO migration_repair
SELECT r.source_table, r.column_name, r.kind, r.affected, coalesce(f.rows, 0),
       coalesce(f.rows, 0) - CASE WHEN k.removes THEN least(r.affected, f.rows) ELSE 0 END, k.sentence
  FROM (SELECT source_table, column_name, kind, count(*) AS affected FROM migration_cell GROUP BY 1, 2, 3
        UNION ALL
        SELECT c.source_table, c.column_name, c.kind, c.rows FROM migration_count c JOIN migration_kind k USING (kind)
         WHERE NOT k.keeps AND c.kind <> 'filled') r
  JOIN migration_kind k ON k.kind = r.kind AND k.sentence IS NOT NULL
  LEFT JOIN (SELECT source_table, column_name, sum(rows)::bigint AS rows FROM (
                 SELECT source_table, column_name, rows FROM migration_count WHERE kind = 'filled'
                 UNION ALL
                 SELECT source_table, column_name, count(*) FROM migration_cell WHERE kind = 'blob' GROUP BY 1, 2) v
              GROUP BY 1, 2) f ON f.source_table = r.source_table AND f.column_name = r.column_name;

-- One line per old row.
DO $$
DECLARE
    parts text;
    t record;
    counted bigint;
    expected bigint;
BEGIN
    SELECT string_agg(format('SELECT %1$L::text AS source_table, row_id, '
               'CASE WHEN problem IS NULL THEN ''migrated'' ELSE ''quarantined'' END AS fate, '
               'CASE WHEN problem IS NULL THEN %2$L END AS target_table, CASE WHEN problem IS NULL THEN new_id END AS target_id '
               'FROM map_%1$s', source_table, target_table), ' UNION ALL ')
      INTO parts FROM migration_target;
    EXECUTE 'CREATE TEMP TABLE migration_fate ON COMMIT DROP AS ' || parts
        || ' UNION ALL SELECT table_name, row_id, ''kept'', NULL, NULL FROM legacy.kept_rows k'
        || ' WHERE k.run_id = ' || current_setting('legacy.run_id')
        || ' AND NOT EXISTS (SELECT FROM migration_target t WHERE t.source_table = k.table_name)';
    FOR t IN SELECT source_table, count(*) AS fates FROM migration_fate GROUP BY 1 LOOP
        SELECT count(*) INTO counted FROM legacy.source_rows s WHERE s.table_name = t.source_table;
        IF counted <> t.fates THEN
            RAISE EXCEPTION 'accounts of % do not balance: % rows, % fates', t.source_table, counted, t.fates;
        END IF;
    END LOOP;
    SELECT count(*) INTO expected FROM legacy.source_rows;
    SELECT count(*) INTO counted FROM migration_fate;
    IF counted <> expected THEN
        RAISE EXCEPTION 'accounts do not balance: % rows, % fates', expected, counted;
    END IF;
END $$;

-- Behind the largest id of each table, also of old rows that are in quarantine.
DO $$
DECLARE
    t record;
    largest bigint;
    old_largest bigint;
    source text;
BEGIN
    FOR t IN SELECT c.oid::regclass AS name, c.relname, pg_get_serial_sequence(c.oid::regclass::text, 'id') AS sequence
               FROM pg_class c
              WHERE c.relnamespace = 'app'::regnamespace AND c.relkind = 'r'
                AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'id' AND a.attidentity <> '')
    LOOP
        EXECUTE format('SELECT max(id) FROM %s', t.name) INTO largest;
        FOR source IN SELECT m.source_table FROM migration_target m WHERE m.target_table = t.relname LOOP
            EXECUTE format('SELECT max(row_id) FROM map_%s WHERE row_id BETWEEN 1 AND 4503599627370496', source) INTO old_largest;
            largest := greatest(largest, old_largest);
        END LOOP;
        IF largest > coalesce(pg_sequence_last_value(t.sequence::regclass), 0) THEN
            -- Unlike setval, it is undone when the migration is.
            EXECUTE format('ALTER SEQUENCE %s RESTART WITH %s', t.sequence, largest + 1);
        END IF;
    END LOOP;
END $$;
DROP INDEX legacy.source_rows_of_run;
