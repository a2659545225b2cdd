-- People: who may work here. The auth functions are the owner's, for the command line; those of schema app check the
-- session and then do the same.

-- -- the owner's: init-db, the command line, the demo and the tests ----------------------------------------------

CREATE OR REPLACE FUNCTION auth.create_user(
    username text, full_name text, email text, role text, salt bytea, verifier bytea,
    memory_kib integer, iterations integer, parallelism integer, must_change boolean)
RETURNS bigint
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO auth.users (username, full_name, email, role, salt, verifier,
                            memory_kib, iterations, parallelism, must_change_password)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    RETURNING id
$$;

-- {field: {from, to}} of an account; merges by field like every save. Answers {outcome, id, conflicts, changed_by}.
CREATE OR REPLACE FUNCTION auth.save_user(record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    theirs jsonb;
    conflicting jsonb;
BEGIN
    IF EXISTS (SELECT FROM jsonb_object_keys(changes) k
                WHERE k NOT IN ('username', 'full_name', 'email', 'role', 'active')) THEN
        RAISE EXCEPTION 'no such field' USING ERRCODE = '42703';
    END IF;
    PERFORM auth.lock_accounts(record);
    SELECT to_jsonb(u) INTO theirs FROM auth.users u WHERE u.id = record;
    IF theirs IS NULL THEN
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    conflicting := app.conflicts(theirs, changes);
    IF conflicting IS NOT NULL THEN
        RETURN jsonb_build_object('outcome', 'conflict', 'conflicts', conflicting, 'changed_by', (
            SELECT coalesce(c.full_name, c.username) FROM auth.users u JOIN auth.users c
                ON c.id = coalesce(u.updated_by, u.created_by) WHERE u.id = record));
    END IF;
    UPDATE auth.users u
       SET username = CASE WHEN changes ? 'username' THEN changes #>> '{username,to}' ELSE u.username END,
           full_name = CASE WHEN changes ? 'full_name' THEN changes #>> '{full_name,to}' ELSE u.full_name END,
           email = CASE WHEN changes ? 'email' THEN changes #>> '{email,to}' ELSE u.email END,
           role = CASE WHEN changes ? 'role' THEN changes #>> '{role,to}' ELSE u.role END,
           active = CASE WHEN changes ? 'active' THEN (changes #>> '{active,to}')::boolean ELSE u.active END
     WHERE u.id = record;
    RETURN jsonb_build_object('outcome', 'done', 'id', record);
END $$;

-- A new password to be changed at the next sign-in: open sessions end, a lock is lifted.
CREATE OR REPLACE FUNCTION auth.reset_password(
    record bigint, salt bytea, memory_kib integer, iterations integer, parallelism integer, verifier bytea)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.users u
       SET salt = reset_password.salt, memory_kib = reset_password.memory_kib,
           iterations = reset_password.iterations, parallelism = reset_password.parallelism,
           verifier = reset_password.verifier, must_change_password = true, lock_lifted_at = clock_timestamp()
     WHERE u.id = record;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    PERFORM auth.end_sessions(record, 'password_reset');
    RETURN jsonb_build_object('outcome', 'done', 'id', record);
END $$;

CREATE OR REPLACE FUNCTION auth.lift_lock(record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.users u SET lock_lifted_at = clock_timestamp() WHERE u.id = record;
    RETURN jsonb_build_object('outcome', CASE WHEN FOUND THEN 'done' ELSE 'missing' END, 'id', record);
END $$;

CREATE OR REPLACE FUNCTION auth.delete_user(record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM auth.users u WHERE u.id = record;
    RETURN jsonb_build_object('outcome', CASE WHEN FOUND THEN 'done' ELSE 'missing' END, 'id', record);
END $$;

CREATE OR REPLACE FUNCTION auth.login_settings() RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('memory_kib', s.memory_kib, 'iterations', s.iterations,
                                      'parallelism', s.parallelism) FROM auth.secrets s);
END $$;

-- What new passwords cost from now on; written down like a change of a record.
CREATE OR REPLACE FUNCTION auth.save_login_settings(memory_kib integer, iterations integer, parallelism integer)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb := auth.login_settings();
    after jsonb;
    session record;
BEGIN
    UPDATE auth.secrets s
       SET memory_kib = save_login_settings.memory_kib, iterations = save_login_settings.iterations,
           parallelism = save_login_settings.parallelism;
    after := auth.login_settings();
    SELECT * INTO session FROM auth.session_of_token();
    IF before <> after THEN
        INSERT INTO app.audit_log (user_id, username, client_id, table_name, record_id, operation, old_data, new_data)
        VALUES (session.user_id,
                coalesce(session.username, nullif(current_setting('app.actor', true), ''), session_user),
                session.client_id, 'login_settings', 1, 'UPDATE', before, after);
    END IF;
    RETURN jsonb_build_object('outcome', 'done', 'id', 1);
END $$;

-- Everybody, or one. recent_failures and locked: of the last ten minutes, since an admin last lifted the lock.
CREATE OR REPLACE FUNCTION auth.accounts(one bigint DEFAULT NULL)
RETURNS TABLE (id bigint, username text, full_name text, email text, role text, active boolean,
               must_change_password boolean, last_login timestamptz, created_at timestamptz, open_sessions integer,
               recent_failures integer, locked boolean, has_history boolean, version integer)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT u.id, u.username, u.full_name, u.email, u.role, u.active, u.must_change_password, u.last_login,
           u.created_at, (SELECT count(*)::integer FROM auth.open_sessions s WHERE s.user_id = u.id),
           coalesce(f.failures, 0)::integer, coalesce(f.locked, false),
           u.id IN (SELECT h.id FROM auth.people_with_history(one) h (id)), u.version
      FROM auth.users u
      LEFT JOIN LATERAL (
          SELECT sum(p.failures) AS failures, max(p.since_success) >= 5 OR sum(p.failures) >= 30 AS locked
            FROM (SELECT count(*) FILTER (WHERE a.failed) AS failures,
                         count(*) FILTER (WHERE a.failed AND a.at > coalesce(a.last_success, '-infinity')) AS since_success
                    FROM (SELECT t.address, t.at,
                                 NOT t.succeeded AND t.at > greatest(statement_timestamp() - interval '10 minutes',
                                                                     u.lock_lifted_at) AS failed,
                                 max(t.at) FILTER (WHERE t.succeeded) OVER (PARTITION BY t.address) AS last_success
                            FROM auth.attempts t
                           WHERE t.name_hash = auth.name_hash(u.username)
                             AND t.at > statement_timestamp() - interval '30 days') a
                   GROUP BY a.address) p) f ON true
     WHERE one IS NULL OR u.id = one
     ORDER BY lower(u.username);
END $$;

-- -- for booking_user ---------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION app.users()
RETURNS TABLE (id bigint, username text, full_name text, email text, role text, active boolean,
               must_change_password boolean, last_login timestamptz, created_at timestamptz, open_sessions integer,
               recent_failures integer, locked boolean, has_history boolean, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN QUERY SELECT * FROM auth.accounts();
END $$;

-- Not for booking_user: the answer to a desk, with the account as it is now.
CREATE OR REPLACE FUNCTION app.with_account(answer jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state jsonb;
BEGIN
    IF answer ->> 'outcome' <> 'done' THEN
        RETURN answer;
    END IF;
    SELECT to_jsonb(a) INTO state FROM auth.accounts((answer ->> 'id')::bigint) a;
    IF state IS NULL THEN
        -- Done once, deleted since, asked again.
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    RETURN answer || jsonb_build_object('version', state -> 'version', 'state', state);
END $$;

CREATE OR REPLACE FUNCTION app.create_user(
    request uuid, changes jsonb, salt bytea, memory_kib integer, iterations integer, parallelism integer,
    verifier bytea)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    person bigint;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'create users', jsonb_build_object('changes', changes,
        'password', jsonb_build_array(salt, memory_kib, iterations, parallelism, verifier)));
    IF answer IS NULL THEN
        IF EXISTS (SELECT FROM jsonb_object_keys(changes) k
                    WHERE k NOT IN ('username', 'full_name', 'email', 'role')) THEN
            RAISE EXCEPTION 'no such field' USING ERRCODE = '42703';
        END IF;
        person := auth.create_user(changes #>> '{username,to}', changes #>> '{full_name,to}', changes #>> '{email,to}',
            coalesce(changes #>> '{role,to}', 'user'), salt, verifier, memory_kib, iterations, parallelism, true);
        answer := app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', person));
    END IF;
    RETURN app.with_account(answer);
END $$;

CREATE OR REPLACE FUNCTION app.save_user(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'save users', jsonb_build_object('id', record, 'changes', changes));
    IF answer IS NULL THEN
        PERFORM auth.lock_accounts(record);
        -- Once more: a colleague who held the lock may just have taken the role away.
        PERFORM app.require_admin();
        answer := app.finish_request(request, auth.save_user(record, changes));
    END IF;
    RETURN app.with_account(answer);
END $$;

CREATE OR REPLACE FUNCTION app.reset_password(
    request uuid, record bigint, salt bytea, memory_kib integer, iterations integer, parallelism integer,
    verifier bytea)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'reset password', jsonb_build_object('id', record,
        'password', jsonb_build_array(salt, memory_kib, iterations, parallelism, verifier)));
    IF answer IS NULL THEN
        IF record = app.session_user_id() THEN
            PERFORM app.refuse('users_own_password', 'the old password is asked for the own one');
        END IF;
        PERFORM auth.lock_accounts(record);
        PERFORM app.require_admin();
        answer := app.finish_request(request, auth.reset_password(record, salt, memory_kib, iterations, parallelism,
                                                                  verifier));
    END IF;
    RETURN app.with_account(answer);
END $$;

CREATE OR REPLACE FUNCTION app.lift_lock(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'lift lock', jsonb_build_object('id', record));
    IF answer IS NULL THEN
        answer := app.finish_request(request, auth.lift_lock(record));
    END IF;
    RETURN app.with_account(answer);
END $$;

CREATE OR REPLACE FUNCTION app.delete_user(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'delete users', jsonb_build_object('id', record));
    IF answer IS NULL THEN
        PERFORM auth.lock_accounts(record);
        PERFORM app.require_admin();
        answer := app.finish_request(request, auth.delete_user(record));
    END IF;
    RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION app.login_settings() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN auth.login_settings();
END $$;

CREATE OR REPLACE FUNCTION app.save_login_settings(
    request uuid, memory_kib integer, iterations integer, parallelism integer)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'save login settings',
                                jsonb_build_array(memory_kib, iterations, parallelism));
    RETURN coalesce(answer, app.finish_request(request,
        auth.save_login_settings(memory_kib, iterations, parallelism)));
END $$;

GRANT EXECUTE ON FUNCTION app.users(), app.save_user(uuid, bigint, jsonb), app.delete_user(uuid, bigint),
    app.create_user(uuid, jsonb, bytea, integer, integer, integer, bytea),
    app.reset_password(uuid, bigint, bytea, integer, integer, integer, bytea), app.lift_lock(uuid, bigint),
    app.login_settings(), app.save_login_settings(uuid, integer, integer, integer) TO booking_user;
