-- How the database is doing, for admins and for the owner's doctor. Figures only: no text of a statement, no address of
-- a client. Statistics are open to dpolg_owner by hardening.sql; where no superuser has run it, they are left out.

CREATE OR REPLACE FUNCTION auth.note_size() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO app.sizes (day, bytes) VALUES (app.today(), pg_database_size(current_database()))
    ON CONFLICT ON CONSTRAINT sizes_pkey DO UPDATE SET bytes = excluded.bytes;
    DELETE FROM app.sizes s WHERE s.day < app.today() - 400;
END $$;

CREATE OR REPLACE FUNCTION auth.sees_statistics() RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN pg_has_role('pg_read_all_stats', 'USAGE')
           AND (SELECT bool_and(has_function_privilege(f.name, 'EXECUTE'))
                  FROM unnest(ARRAY['pg_catalog.pg_stat_get_activity(integer)', 'pg_catalog.pg_stat_get_live_tuples(oid)',
                                    'pg_catalog.pg_stat_get_dead_tuples(oid)', 'pg_catalog.pg_stat_get_archiver()',
                                    'pg_catalog.pg_stat_get_db_checksum_failures(oid)']) f (name));
END $$;

-- Connections of each role in the whole server, since limits count there, and what has been open longest here.
CREATE OR REPLACE FUNCTION auth.health_activity() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found jsonb;
BEGIN
    WITH clients AS MATERIALIZED (
        SELECT r.rolname::text AS role, r.rolconnlimit, a.pid, a.datid, a.application_name, a.state,
               extract(epoch FROM clock_timestamp() - a.xact_start) AS seconds
          FROM pg_stat_get_activity(NULL) a JOIN pg_roles r ON r.oid = a.usesysid
         WHERE a.backend_type = 'client backend'
    )
    SELECT jsonb_build_object(
        'connections',
        (SELECT coalesce(jsonb_agg(jsonb_build_object('role', c.role, 'count', c.count, 'limit', c.most)
                                   ORDER BY c.role), '[]')
           FROM (SELECT k.role, count(*), nullif(max(k.rolconnlimit), -1) AS most FROM clients k GROUP BY k.role) c),
        'transactions',
        (SELECT coalesce(jsonb_agg(jsonb_build_object('role', t.role, 'pid', t.pid, 'seconds', round(t.seconds),
                                                      'idle', t.state LIKE 'idle%') ORDER BY t.seconds DESC), '[]')
           FROM (SELECT * FROM clients k
                  WHERE k.seconds > 1 AND k.pid <> pg_backend_pid()
                    AND k.datid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                  ORDER BY k.seconds DESC LIMIT 5) t))
      INTO found;
    RETURN found;
END $$;

-- The largest tables, and those with the most dead rows.
CREATE OR REPLACE FUNCTION auth.health_tables() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        WITH tables AS MATERIALIZED (
            SELECT n.nspname || '.' || c.relname AS name, pg_total_relation_size(c.oid) AS bytes,
                   pg_stat_get_live_tuples(c.oid) AS live, pg_stat_get_dead_tuples(c.oid) AS dead
              FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind = 'r')
        SELECT coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'bytes', t.bytes, 'live', t.live, 'dead', t.dead)
                                  ORDER BY t.bytes DESC, t.name), '[]')
          FROM (SELECT s.*, row_number() OVER (ORDER BY s.bytes DESC, s.name) AS large,
                       row_number() OVER (ORDER BY s.dead DESC, s.name) AS worn FROM tables s) t
         WHERE t.large <= 5 OR t.worn <= 5);
END $$;

-- What desks wait for longest. Of a statement only the function that it calls is told: pg_stat_statements replaces
-- values in queries but not in other commands, and a text with values has no business here.
CREATE OR REPLACE FUNCTION auth.health_statements() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    place text := (SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
                    WHERE e.extname = 'pg_stat_statements');
    slowest jsonb;
BEGIN
    IF place IS NULL THEN
        RETURN jsonb_build_object('missing', 'not_installed');
    END IF;
    EXECUTE format($query$
        SELECT coalesce(jsonb_agg(jsonb_build_object('id', s.queryid::text, 'function', s.function, 'calls', s.calls,
                                                     'mean_ms', s.mean, 'max_ms', s.max) ORDER BY s.mean DESC), '[]')
          FROM (SELECT q.queryid, q.calls, round(q.mean_exec_time::numeric, 1) AS mean,
                       round(q.max_exec_time::numeric, 1) AS max,
                       (SELECT n.nspname || '.' || p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                         WHERE n.nspname IN ('app', 'auth')
                           AND n.nspname || '.' || p.proname = substring(q.query FROM '\m(?:app|auth)\.[a-z_0-9]+')
                         LIMIT 1) AS function
                  FROM %I.pg_stat_statements q
                 WHERE q.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                   AND q.userid = 'booking_user'::regrole AND q.calls >= 5
                 ORDER BY q.mean_exec_time DESC LIMIT 5) s
        $query$, place) INTO slowest;
    RETURN jsonb_build_object('slowest', slowest);
EXCEPTION
    WHEN object_not_in_prerequisite_state THEN RETURN jsonb_build_object('missing', 'not_loaded');
    WHEN insufficient_privilege THEN RETURN jsonb_build_object('missing', 'not_allowed');
    WHEN undefined_column OR undefined_table THEN RETURN jsonb_build_object('missing', 'too_old');
END $$;

CREATE OR REPLACE FUNCTION auth.health_statistics() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF NOT auth.sees_statistics() THEN
        RETURN NULL;
    END IF;
    RETURN auth.health_activity() || jsonb_build_object(
        'tables', auth.health_tables(),
        'statements', auth.health_statements(),
        -- NULL without checksums.
        'checksum_failures', (SELECT pg_stat_get_db_checksum_failures(d.oid) FROM pg_database d
                               WHERE d.datname = current_database()),
        'archive', CASE WHEN current_setting('archive_mode') <> 'off' THEN (
            SELECT jsonb_build_object('archived', a.last_archived_time, 'failed', a.last_failed_time)
              FROM pg_stat_get_archiver() a) END);
END $$;

CREATE OR REPLACE FUNCTION auth.health() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN jsonb_build_object(
        'at', clock_timestamp(),
        'server_version', split_part(current_setting('server_version'), ' ', 1),
        'server_major', current_setting('server_version_num')::integer / 10000,
        'minimum_client', (SELECT i.minimum_client FROM app.installation i),
        'migrations', (SELECT jsonb_object_agg(m.name, m.checksum) FROM app.migrations m),
        'most_connections', current_setting('max_connections')::integer
                            - current_setting('superuser_reserved_connections')::integer,
        'bytes', pg_database_size(current_database()),
        'sizes', (SELECT coalesce(jsonb_agg(jsonb_build_object('day', s.day, 'bytes', s.bytes) ORDER BY s.day), '[]')
                    FROM app.sizes s WHERE s.day >= app.today() - 35),
        'notify_queue', round(pg_notification_queue_usage()::numeric, 4),
        'transaction_age', (SELECT age(d.datfrozenxid) FROM pg_database d WHERE d.datname = current_database()),
        'autovacuum', current_setting('autovacuum')::boolean,
        'slots', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                             'name', r.slot_name, 'active', r.active,
                             'bytes', pg_wal_lsn_diff(pg_current_wal_lsn(), r.restart_lsn)) ORDER BY r.slot_name), '[]')
                    FROM pg_replication_slots r WHERE NOT r.temporary),
        'backups', (SELECT to_jsonb(b) FROM auth.backup_state() b),
        'backups_elsewhere', (SELECT i.backups_elsewhere FROM app.installation i),
        'statistics', auth.health_statistics());
END $$;

CREATE OR REPLACE FUNCTION app.health() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN auth.health();
END $$;

GRANT EXECUTE ON FUNCTION app.health() TO booking_user;
