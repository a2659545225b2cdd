-- Must return no row. class 'must': our own schemas; 'hardening': what only a superuser could close.
SELECT 'must' AS class, 'booking_user has a table privilege' AS finding, c.oid::regclass::text AS object
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND (has_table_privilege('booking_user', c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
        OR has_any_column_privilege('booking_user', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES'))
UNION ALL
SELECT 'must', 'booking_user has a sequence privilege', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth', 'legacy') 
   -- CASE: the planner may otherwise ask this of tables, which is an error.
   AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege('booking_user', c.oid, 'USAGE, SELECT, UPDATE') END
UNION ALL
SELECT 'must', 'booking_user may use or create in a schema', n.nspname
  FROM pg_namespace n
 WHERE (n.nspname IN ('auth', 'legacy') AND has_schema_privilege('booking_user', n.oid, 'USAGE'))
    OR (n.nspname IN ('app', 'auth', 'legacy') AND has_schema_privilege('booking_user', n.oid, 'CREATE'))
UNION ALL
SELECT 'must', 'table without forced row security', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth') AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity)
UNION ALL
SELECT 'must', 'policy for somebody besides the owner', p.polname || ' on ' || p.polrelid::regclass
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth') AND p.polroles <> ARRAY['dpolg_owner'::regrole::oid]
UNION ALL
SELECT 'must', 'not owned by dpolg_owner', c.oid::regclass::text
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname IN ('app', 'auth') AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> 'dpolg_owner'::regrole
UNION ALL
SELECT 'must', 'definer function without a safe search_path', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('app', 'auth') AND p.prosecdef
   AND NOT 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))
UNION ALL
SELECT 'must', 'granted function that lets its plans be printed', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('app', 'auth') AND p.prosecdef AND has_function_privilege('booking_user', p.oid, 'EXECUTE')
   AND NOT 'debug_print_plan=off' = ANY (coalesce(p.proconfig, '{}'))
UNION ALL
SELECT 'must', 'function that PUBLIC may execute', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('app', 'auth')
   AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
                WHERE a.grantee = 0 AND a.privilege_type = 'EXECUTE')
UNION ALL
-- Whatever booking_user may call begins with the session check, but for the greeting and the login.
SELECT 'must', 'granted function without a session check first', p.oid::regprocedure::text
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE n.nspname IN ('app', 'auth') AND has_function_privilege('booking_user', p.oid, 'EXECUTE')
   AND p.proname NOT IN ('hello', 'login_challenge', 'login_attempt', 'login_result', 'login', 'logout',
                         'change_password', 'renew_verifier', 'password_attempt', 'password_result')
   AND NOT (p.prosecdef AND p.prosrc ~ '^\s*(DECLARE.*?)?\sBEGIN\s+PERFORM app\.require_(session|admin)\(\);')
UNION ALL
SELECT 'must', 'booking_user is a superuser or may bypass row security', r.rolname
  FROM pg_roles r WHERE r.rolname = 'booking_user' AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb)
UNION ALL
SELECT 'must', 'booking_user is a member of a role', m.roleid::regrole::text
  FROM pg_auth_members m WHERE m.member = 'booking_user'::regrole
UNION ALL
SELECT 'hardening', 'database privilege of PUBLIC', a.privilege_type
  FROM pg_database d, aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
 WHERE d.datname = current_database() AND a.grantee = 0
UNION ALL
SELECT 'hardening', 'booking_user may create temporary tables or schemas', current_database()
 WHERE has_database_privilege('booking_user', current_database(), 'TEMPORARY')
    OR has_database_privilege('booking_user', current_database(), 'CREATE')
UNION ALL
SELECT 'hardening', 'schema public is open', n.nspname
  FROM pg_namespace n
 WHERE n.nspname IN ('public', 'ext') AND (has_schema_privilege('booking_user', n.oid, 'USAGE')
                                           OR has_schema_privilege('booking_user', n.oid, 'CREATE'))
UNION ALL
SELECT 'hardening', 'open built-in function', p.oid::regprocedure::text
  FROM pg_proc p
 WHERE p.pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('booking_user', p.oid, 'EXECUTE')
   AND (p.proname IN ('pg_terminate_backend', 'pg_cancel_backend', 'pg_sleep', 'pg_sleep_for', 'pg_sleep_until',
                      'lo_create', 'lo_creat', 'lo_from_bytea', 'lo_put', 'lowrite', 'lo_import', 'lo_export', 'lo_open')
        OR p.proname LIKE 'pg\_stat\_get\_%'
        OR p.proname LIKE 'pg\_advisory\_%' OR p.proname LIKE 'pg\_try\_advisory\_%')
UNION ALL
SELECT 'hardening', 'pg_stat_activity is open', 'pg_stat_activity'
 WHERE has_table_privilege('booking_user', 'pg_catalog.pg_stat_activity', 'SELECT')
UNION ALL
SELECT 'hardening', 'pg_settings can be locked', 'pg_settings'
 WHERE has_table_privilege('booking_user', 'pg_catalog.pg_settings', 'UPDATE')
UNION ALL
SELECT 'hardening', 'role setting missing', s.setting
  FROM unnest(ARRAY['log_parameter_max_length=0', 'log_parameter_max_length_on_error=0', 'statement_timeout=10s',
                    'lock_timeout=5s', 'idle_in_transaction_session_timeout=15s']) s (setting)
 WHERE NOT EXISTS (SELECT FROM pg_db_role_setting d
                    WHERE d.setrole = 'booking_user'::regrole AND d.setdatabase = 0 AND s.setting = ANY (d.setconfig))
UNION ALL
SELECT 'hardening', 'role setting that is not ours', s.setting
  FROM pg_db_role_setting d, unnest(d.setconfig) s (setting)
 WHERE d.setrole = 'booking_user'::regrole
   AND (d.setdatabase = (SELECT b.oid FROM pg_database b WHERE b.datname = current_database())
        OR d.setdatabase = 0 AND split_part(s.setting, '=', 1) NOT IN (
            'log_parameter_max_length', 'log_parameter_max_length_on_error', 'statement_timeout', 'lock_timeout',
            'idle_in_transaction_session_timeout', 'jit'))
UNION ALL
SELECT 'hardening', 'booking_user has no connection limit', r.rolname
  FROM pg_roles r WHERE r.rolname = 'booking_user' AND r.rolconnlimit = -1
