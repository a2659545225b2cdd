-- Views that read the old tables: each column as text, and typed where it is not text.

-- Rows with cells that are no clean text are few: their cleaned copies stand in for them.
CREATE TEMP TABLE migration_odd (table_name text, row_id bigint, data jsonb) ON COMMIT DROP;
DO $$
DECLARE
    t text;
    odd text;
BEGIN
    -- The staging has seen which tables have any.
    FOR t IN SELECT DISTINCT table_name FROM migration_column
              WHERE coalesce(current_setting('legacy.odd_tables', true), '') = ''
                 OR current_setting('legacy.odd_tables', true)::jsonb ? table_name LOOP
        SELECT string_agg(format('data -> %L ->> 0 IN (''blob'', ''text64'')', column_name), ' OR ') INTO odd
          FROM migration_column c WHERE c.table_name = t
           AND EXISTS (SELECT FROM jsonb_object_keys((SELECT data FROM legacy.source_rows s
                       WHERE s.table_name = t LIMIT 1)) k WHERE k = c.column_name);
        IF odd IS NOT NULL THEN
            EXECUTE format('INSERT INTO migration_odd SELECT table_name, row_id, legacy.clean_row(data) '
                           'FROM legacy.source_rows WHERE table_name = %L AND (%s)', t, odd);
        END IF;
    END LOOP;
END $$;
CREATE INDEX ON migration_odd (table_name, row_id);
ANALYZE migration_odd;

DO $$
DECLARE
    t text;
    raw text;
    typed text;
    some_odd boolean;
    -- The staging has seen in which columns all days and moments are written as usual; others are looked at first.
    usual constant jsonb := coalesce(nullif(current_setting('legacy.usual', true), ''), '{}');
BEGIN
    FOR t IN SELECT DISTINCT table_name FROM migration_column LOOP
        SELECT string_agg(format('s.data -> %1$L ->> 1 AS %1$I', column_name)
                          || CASE type WHEN 'n' THEN format(', s.data -> %1$L ->> 0 AS c_%1$s', column_name) ELSE '' END, ', '),
               string_agg(CASE type
                   WHEN 'n' THEN format(', legacy.money_of(r.%1$I, r.c_%1$s) AS n_%1$s', column_name)
                   WHEN 'd' THEN format(CASE WHEN usual -> t ->> column_name = 'd' THEN ', r.%1$I::date AS d_%1$s'
                                             ELSE ', legacy.day_of(r.%1$I) AS d_%1$s' END, column_name)
                   WHEN 'm' THEN format(CASE WHEN usual -> t ->> column_name = 'm'
                                             THEN ', r.%1$I::timestamp AT TIME ZONE ''UTC'' AS m_%1$s'
                                             ELSE ', legacy.moment_of(r.%1$I) AS m_%1$s' END, column_name)
                   WHEN 'b' THEN format(', legacy.flag_of(r.%1$I) AS b_%1$s', column_name)
                   WHEN 'i' THEN format(', legacy.integer_of(r.%1$I) AS i_%1$s', column_name) END, '')
          INTO raw, typed
          FROM migration_column WHERE table_name = t;
        some_odd := EXISTS (SELECT FROM migration_odd o WHERE o.table_name = t);
        -- OFFSET 0: each cell is taken out of the row once, and typed once, however often it is looked at.
        EXECUTE format('CREATE TEMP VIEW parsed_%1$s AS SELECT r.*%2$s FROM (SELECT s.row_id, %3$s FROM %4$s s OFFSET 0) r OFFSET 0',
            t, typed, raw,
            CASE WHEN some_odd THEN format(
                '(SELECT x.row_id, coalesce(o.data, x.data) AS data FROM legacy.source_rows x '
                'LEFT JOIN migration_odd o ON o.table_name = %1$L AND o.row_id = x.row_id WHERE x.table_name = %1$L)', t)
            ELSE format('(SELECT x.row_id, x.data FROM legacy.source_rows x WHERE x.table_name = %L)', t) END);
    END LOOP;
END $$;
