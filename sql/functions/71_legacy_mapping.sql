-- What the mapping steps (sql/legacy) share. They work on the temporary tables of the run:
-- parsed_X (view: the old columns as text, and typed as n_ d_ m_ b_ i_), map_X (a row per old row, with problem and
-- new_id), new_X (view: the columns of the new table), migration_*.

-- A row per old row: ids that were taken meanwhile get new ones behind all others.
CREATE OR REPLACE FUNCTION legacy.assign_ids(source text, target text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    next_id bigint;
    run constant bigint := current_setting('legacy.run_id')::bigint;
BEGIN
    EXECUTE format('UPDATE map_%1$s SET problem = CASE WHEN i_id IS NULL THEN ''unreadable_id:id'' ELSE ''second_row:id'' END '
                   'WHERE id <> '''' AND i_id IS DISTINCT FROM row_id', source);
    -- A row of an earlier run keeps its record; if that was removed to be made anew, its id.
    EXECUTE format('UPDATE map_%1$s m SET new_id = e.target_id, '
                   'known = EXISTS (SELECT FROM app.%2$I t WHERE t.id = e.target_id) FROM migration_earlier e '
                   'WHERE e.source_table = %1$L AND e.target_table = %2$L AND e.row_id = m.row_id', source, target);
    -- Ids that JavaScript, or a sequence at its end, could not carry on from are replaced as well.
    EXECUTE format('SELECT greatest((SELECT max(id) FROM app.%2$I), (SELECT max(row_id) FROM map_%1$s '
                   'WHERE row_id BETWEEN 1 AND 4503599627370496), 0)', source, target) INTO next_id;
    EXECUTE format('UPDATE map_%1$s m SET new_id = n.new_id FROM ('
                   'SELECT row_id, $1 + row_number() OVER (ORDER BY row_id) AS new_id FROM map_%1$s '
                   'WHERE problem IS NULL AND NOT known AND (new_id NOT BETWEEN 1 AND 4503599627370496 '
                   'OR new_id IN (SELECT t.id FROM app.%2$I t))) n WHERE n.row_id = m.row_id', source, target)
        USING next_id;
    EXECUTE format('INSERT INTO legacy.id_map (run_id, table_name, old_id, new_id) '
                   'SELECT $1, %1$L, row_id, new_id FROM map_%1$s '
                   'WHERE problem IS NULL AND NOT known AND new_id <> row_id '
                   'ON CONFLICT ON CONSTRAINT id_map_pkey DO UPDATE SET run_id = excluded.run_id, new_id = excluded.new_id',
                   source) USING run;
    EXECUTE format('INSERT INTO migration_cell SELECT %1$L, row_id, ''id'', ''new_id'' FROM map_%1$s '
                   'WHERE problem IS NULL AND NOT known AND new_id <> row_id', source);
    INSERT INTO migration_target (source_table, target_table) VALUES (source, target);
    EXECUTE format('ANALYZE map_%s (row_id, new_id, known, problem)', source);
END $$;

-- What others refer to: old id, new id (NULL: the row is in quarantine); also rows of earlier runs.
CREATE OR REPLACE FUNCTION legacy.make_reference(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    EXECUTE format('CREATE TEMP TABLE ref_%1$s ON COMMIT DROP AS '
                   'SELECT row_id AS old_id, CASE WHEN problem IS NULL THEN new_id END AS new_id FROM map_%1$s '
                   'UNION ALL SELECT s.row_id, e.target_id FROM migration_settled s '
                   'LEFT JOIN migration_earlier e ON e.source_table = s.source_table AND e.row_id = s.row_id '
                   'WHERE s.source_table = %1$L', source);
    EXECUTE format('ANALYZE ref_%s', source);
END $$;

-- From new_X into app.X. Rows of an earlier run are updated, all others inserted with their ids.
CREATE OR REPLACE FUNCTION legacy.write(target text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns text;
    assignments text;
    written bigint;
    again boolean;
    trigger_name name;
    idle constant name[] := ARRAY(
        SELECT g.tgname FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
         WHERE g.tgrelid = format('app.%I', target)::regclass AND NOT g.tgisinternal
           AND p.proname IN ('stamp_row', 'record_change'));
BEGIN
    SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum),
           string_agg(format('%1$I = n.%1$I', attname), ', ' ORDER BY attnum) FILTER (WHERE attname <> 'id')
      INTO columns, assignments
      FROM pg_attribute
     WHERE attrelid = ('pg_temp.new_' || target)::regclass AND attnum > 0 AND attname <> 'known';
    -- In bulk work these two do nothing, a million times.
    FOREACH trigger_name IN ARRAY idle LOOP
        EXECUTE format('ALTER TABLE app.%I DISABLE TRIGGER %I', target, trigger_name);
    END LOOP;
    EXECUTE format('INSERT INTO app.%1$I (%2$s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM new_%1$s WHERE NOT known',
                   target, columns);
    EXECUTE format('SELECT EXISTS (SELECT FROM new_%s WHERE known)', target) INTO again;
    IF again THEN
        EXECUTE format('UPDATE app.%1$I t SET %2$s FROM new_%1$s n WHERE n.known AND t.id = n.id', target, assignments);
    END IF;
    FOREACH trigger_name IN ARRAY idle LOOP
        EXECUTE format('ALTER TABLE app.%I ENABLE TRIGGER %I', target, trigger_name);
    END LOOP;
END $$;

-- One look at the typed columns of a table: which kinds of repair occur, and how often. Counted are migrated rows.
CREATE OR REPLACE FUNCTION legacy.count_cells(source text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    looks text;
    counts jsonb;
    look record;
BEGIN
    CREATE TEMP TABLE look ON COMMIT DROP AS
    SELECT row_number() OVER (ORDER BY c.column_name, k.kind) AS number, c.column_name, k.kind, k.condition
      FROM migration_column c,
           LATERAL (VALUES
               ('filled', format('%I IS NOT NULL', c.column_name)),
               ('empty', CASE WHEN c.type <> 'e' THEN format('%I = ''''', c.column_name) END),
               ('placeless', CASE WHEN c.placeless THEN format('%I <> ''''', c.column_name) END),
               ('rounded', CASE WHEN c.type = 'n' AND NOT c.placeless
                                THEN format('round(n_%1$s, 2) <> n_%1$s', c.column_name) END),
               ('flag_form', CASE WHEN c.type = 'b' AND NOT c.placeless
                                  THEN format('b_%1$s IS NOT NULL AND %1$I NOT IN (''0'', ''1'')', c.column_name) END),
               ('date_form', CASE WHEN c.type IN ('d', 'm') AND NOT c.placeless THEN format(
                   '%1$s_%2$s IS NOT NULL AND %2$I NOT LIKE %3$L', c.type, c.column_name,
                   CASE c.type WHEN 'd' THEN '____-__-__' ELSE '____-__-__ __:__:__%' END) END),
               ('unreadable', CASE WHEN c.type IN ('d', 'm', 'n', 'b', 'i') AND NOT c.placeless THEN format(
                   '%1$s_%2$s IS NULL AND %2$I <> ''''', c.type, c.column_name) END)
           ) k (kind, condition)
     WHERE c.table_name = source AND c.column_name <> 'id' AND k.condition IS NOT NULL;
    SELECT string_agg(format('count(*) FILTER (WHERE %s)', condition), ', ' ORDER BY number) INTO looks FROM look;
    EXECUTE format('SELECT jsonb_build_array(%s) FROM map_%s WHERE problem IS NULL', looks, source) INTO counts;
    INSERT INTO migration_count SELECT source, l.column_name, l.kind, (counts ->> (l.number - 1)::integer)::bigint
      FROM look l WHERE (counts ->> (l.number - 1)::integer)::bigint > 0;
    -- Those whose original must be kept are listed one by one.
    FOR look IN SELECT l.column_name, l.kind, l.condition FROM look l JOIN migration_kind k USING (kind)
                 WHERE k.keeps AND (counts ->> (l.number - 1)::integer)::bigint > 0
    LOOP
        EXECUTE format('INSERT INTO migration_cell SELECT %L, row_id, %L, %L FROM map_%s WHERE problem IS NULL AND %s',
                       source, look.column_name, look.kind, source, look.condition);
    END LOOP;
    DROP TABLE look;
END $$;
