-- Idempotent. Run by init-db, upgrade-db, restore and for test clones: database ACLs and role settings are in no
-- dump, and a copy by TEMPLATE drops them. What only a superuser can do is skipped (NOTICE) for others.

-- Second fence behind a mistaken GRANT: row security on every table, open for the owner only.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT n.nspname, c.relname, c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname IN ('app', 'auth') AND c.relkind IN ('r', 'p')
    LOOP
        EXECUTE format('ALTER TABLE %I.%I ENABLE ROW LEVEL SECURITY', t.nspname, t.relname);
        EXECUTE format('ALTER TABLE %I.%I FORCE ROW LEVEL SECURITY', t.nspname, t.relname);
        IF NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = t.oid AND p.polname = 'owner_only') THEN
            EXECUTE format('CREATE POLICY owner_only ON %I.%I FOR ALL TO dpolg_owner USING (true) WITH CHECK (true)',
                           t.nspname, t.relname);
        END IF;
    END LOOP;
END $$;

REVOKE ALL ON ALL TABLES IN SCHEMA app, auth FROM PUBLIC, booking_user;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA app, auth FROM PUBLIC, booking_user;
REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA app, auth FROM PUBLIC;
REVOKE EXECUTE ON ALL PROCEDURES IN SCHEMA app, auth FROM PUBLIC;
REVOKE ALL ON SCHEMA app, auth FROM PUBLIC;
REVOKE ALL ON SCHEMA auth FROM booking_user;
GRANT USAGE ON SCHEMA app TO booking_user;

-- With it a client has the plans of inner queries sent to it, and in them the values: key codes, salts.
DO $$
DECLARE
    f record;
BEGIN
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
              WHERE n.nspname IN ('app', 'auth') AND p.prosecdef AND has_function_privilege('booking_user', p.oid, 'EXECUTE')
                AND NOT 'debug_print_plan=off' = ANY (coalesce(p.proconfig, '{}'))
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET debug_print_plan = off', f.name);
    END LOOP;
END $$;

DO $$
DECLARE
    mine boolean := pg_has_role(current_user, (SELECT d.datdba FROM pg_database d
                                                WHERE d.datname = current_database()), 'MEMBER');
BEGIN
    IF mine THEN
        EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO booking_user, dpolg_backup', current_database());
        EXECUTE format('GRANT CONNECT, CREATE, TEMPORARY ON DATABASE %I TO dpolg_owner', current_database());
    ELSE
        RAISE NOTICE 'offen: Rechte der Datenbank (nur ihr Eigentümer kann sie entziehen)';
    END IF;
    IF pg_has_role(current_user, 'dpolg_owner', 'MEMBER') THEN
        -- The global form: "IN SCHEMA" cannot take back what PUBLIC has by default.
        ALTER DEFAULT PRIVILEGES FOR ROLE dpolg_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
    END IF;
END $$;

DO $$
DECLARE
    f record;
BEGIN
    -- By it app.health() sees the connections of all roles. Only what is not so yet, as below.
    IF NOT EXISTS (SELECT FROM pg_auth_members m WHERE m.member = 'dpolg_owner'::regrole
                      AND m.roleid = 'pg_monitor'::regrole) THEN
        BEGIN
            GRANT pg_monitor TO dpolg_owner;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'offen: Messwerte des Servers (GRANT pg_monitor TO dpolg_owner)';
            WHEN unique_violation THEN
                NULL; -- Another database of this server was hardened at the same moment.
        END;
    END IF;
    IF NOT (SELECT r.rolsuper FROM pg_roles r WHERE r.rolname = current_user) THEN
        RAISE NOTICE 'offen: eingebaute Funktionen und Rolleneinstellungen (nur ein Superuser kann sie sperren)';
        RETURN;
    END IF;
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
    REVOKE ALL ON SCHEMA ext FROM PUBLIC, booking_user;
    -- Ending and watching colleagues, locks without a table, large objects (they broke the backup); counters of rows,
    -- which tell a name that somebody has from others.
    FOR f IN SELECT p.oid::regprocedure AS name FROM pg_proc p
              WHERE p.pronamespace = 'pg_catalog'::regnamespace
                AND (p.proname IN ('pg_terminate_backend', 'pg_cancel_backend', 'pg_sleep', 'pg_sleep_for',
                                   'pg_sleep_until', 'lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put', 'lowrite',
                                   'lo_import', 'lo_export', 'lo_open')
                     OR p.proname LIKE 'pg\_stat\_get\_%'
                     OR p.proname LIKE 'pg\_advisory\_%' OR p.proname LIKE 'pg\_try\_advisory\_%')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f.name);
    END LOOP;
    -- By it app.heartbeat() knows that the server has crashed since.
    GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_get_bgwriter_stat_reset_time() TO dpolg_owner;
    -- By these app.health() knows connections, transactions, dead rows, damaged pages and a failing archive.
    GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_get_activity(integer), pg_catalog.pg_stat_get_live_tuples(oid),
        pg_catalog.pg_stat_get_dead_tuples(oid), pg_catalog.pg_stat_get_db_checksum_failures(oid),
        pg_catalog.pg_stat_get_archiver() TO dpolg_owner;
    REVOKE SELECT ON pg_catalog.pg_stat_activity FROM PUBLIC;
    -- With UPDATE on this view anybody could lock it, and with it the backup. SET and set_config() go on working.
    REVOKE UPDATE ON pg_catalog.pg_settings FROM PUBLIC;
    -- A role may change its own settings, for all who connect after it: what is not ours is taken back.
    FOR f IN SELECT d.datname AS database, split_part(s, '=', 1) AS name
               FROM pg_db_role_setting r LEFT JOIN pg_database d ON d.oid = r.setdatabase,
                    unnest(r.setconfig) s
              WHERE r.setrole = 'booking_user'::regrole
                AND (d.datname = current_database()
                     OR r.setdatabase = 0 AND split_part(s, '=', 1) NOT IN (
                         'log_parameter_max_length', 'log_parameter_max_length_on_error', 'statement_timeout',
                         'lock_timeout', 'idle_in_transaction_session_timeout', 'jit'))
    LOOP
        EXECUTE format('ALTER ROLE booking_user %s RESET %I',
                       coalesce('IN DATABASE ' || quote_ident(f.database), ''), f.name);
    END LOOP;
    -- Parameters hold login tags and personal data: never in the server's log; the role cannot switch it back.
    -- Only what is not so yet: two who harden at once would disturb each other.
    FOR f IN SELECT split_part(s, '=', 1) AS name, split_part(s, '=', 2) AS value
               FROM unnest(ARRAY['log_parameter_max_length=0', 'log_parameter_max_length_on_error=0',
                                 'statement_timeout=10s', 'lock_timeout=5s',
                                 'idle_in_transaction_session_timeout=15s', 'jit=off']) s
              WHERE NOT EXISTS (SELECT FROM pg_db_role_setting d WHERE d.setrole = 'booking_user'::regrole
                                   AND d.setdatabase = 0 AND s = ANY (d.setconfig))
    LOOP
        EXECUTE format('ALTER ROLE booking_user SET %I = %L', f.name, f.value);
    END LOOP;
    IF (SELECT r.rolconnlimit FROM pg_roles r WHERE r.rolname = 'booking_user')
       <> greatest(current_setting('max_connections')::integer - 5, 5) THEN
        EXECUTE format('ALTER ROLE booking_user CONNECTION LIMIT %s',
                       greatest(current_setting('max_connections')::integer - 5, 5));
    END IF;
END $$;
