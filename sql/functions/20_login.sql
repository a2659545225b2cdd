-- Login without giving hashes away: challenge, then commit-then-judge.

CREATE OR REPLACE FUNCTION auth.name_hash(name text) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT sha256(s.pepper || convert_to(lower(name), 'UTF8')) FROM auth.secrets s);
END $$;

-- Parameters and salt; for unknown names a stable fake of the same shape.
CREATE OR REPLACE FUNCTION app.login_challenge(name text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fake bytea := substr(auth.name_hash(left(name, 200)), 1, 16);
BEGIN
    RETURN (SELECT jsonb_build_object(
                'memory_kib', coalesce(u.memory_kib, s.memory_kib),
                'iterations', coalesce(u.iterations, s.iterations),
                'parallelism', coalesce(u.parallelism, s.parallelism),
                'salt', encode(coalesce(u.salt, fake), 'hex'))
              FROM auth.secrets s LEFT JOIN auth.users u ON lower(u.username) = lower(left(name, 200)));
END $$;

-- First half: writes the attempt down. The caller commits before it is judged.
CREATE OR REPLACE FUNCTION app.login_attempt(name text, tag bytea, token_hash bytea, client text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt bigint;
BEGIN
    IF octet_length(tag) IS DISTINCT FROM 32 OR octet_length(token_hash) IS DISTINCT FROM 32
       OR name IS NULL OR length(name) > 200 OR client !~ '^[[:alnum:]_.#-]{1,100}$' THEN
        RAISE EXCEPTION 'malformed login' USING ERRCODE = '22023';
    END IF;
    INSERT INTO auth.attempts (name_hash, user_id, address, guess, token_hash, client_id)
    SELECT auth.name_hash(name), (SELECT u.id FROM auth.users u WHERE lower(u.username) = lower(name)),
           coalesce(inet_client_addr(), '0.0.0.0'), sha256(tag), login_attempt.token_hash, client
    RETURNING id INTO attempt;
    RETURN attempt;
END $$;

-- More than 5 failures of this name from this address, or 30 of this name from anywhere, in ten minutes.
-- The second limit spares addresses from which the name signed in lately: a flood locks out only itself.
CREATE OR REPLACE FUNCTION auth.is_locked(attempt auth.attempts) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    here bigint;
    anywhere bigint;
    known boolean;
    last_success timestamptz;
BEGIN
    SELECT max(a.at) INTO last_success FROM auth.attempts a
     WHERE a.name_hash = attempt.name_hash AND a.address = attempt.address AND a.succeeded
       AND a.at > statement_timestamp() - interval '30 days';
    known := last_success IS NOT NULL;
    -- Counted whatever their number: committing guesses in another order must gain nothing. Nor does it help to
    -- write many down and have them judged after a colleague signed in: a success only clears what follows it.
    SELECT count(*) FILTER (WHERE a.address = attempt.address
                              AND (a.at > coalesce(last_success, '-infinity') OR attempt.at < last_success)),
           count(*)
      INTO here, anywhere
      FROM auth.attempts a
     WHERE a.name_hash = attempt.name_hash AND a.id <> attempt.id AND NOT a.succeeded
       AND a.at > statement_timestamp() - interval '10 minutes';
    RETURN here >= 5 OR (anywhere >= 30 AND NOT known);
END $$;

-- Second half: judges an attempt that another, committed transaction wrote; once, and while it is fresh.
CREATE OR REPLACE FUNCTION app.login_result(attempt_id bigint, token_hash bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt auth.attempts;
    person auth.users;
    right_password boolean;
BEGIN
    SELECT a.* INTO attempt FROM auth.attempts a WHERE a.id = attempt_id;
    UPDATE auth.attempts a SET judged = true, guess = NULL
     WHERE a.id = attempt_id AND NOT a.judged AND a.xid <> pg_current_xact_id()
       AND a.token_hash = login_result.token_hash AND a.at > clock_timestamp() - interval '30 seconds';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT u.* INTO person FROM auth.users u WHERE u.id = attempt.user_id;
    right_password := coalesce(person.verifier = attempt.guess, false) AND NOT auth.is_locked(attempt);
    IF NOT right_password THEN
        RAISE LOG 'dpolg login failed from %', attempt.address;
        RETURN jsonb_build_object('outcome', 'failed');
    END IF;
    IF NOT person.active THEN
        RETURN jsonb_build_object('outcome', 'deactivated');
    END IF;
    UPDATE auth.attempts a SET succeeded = true WHERE a.id = attempt_id;
    -- The same desk again (unlocking): its session before is over.
    UPDATE auth.sessions s SET ended_at = now(), end_reason = 'replaced'
     WHERE s.user_id = person.id AND s.client_id = attempt.client_id AND s.ended_at IS NULL;
    INSERT INTO auth.sessions (token_hash, user_id, client_id, address)
    VALUES (attempt.token_hash, person.id, attempt.client_id, attempt.address);
    UPDATE auth.users u SET last_login = now() WHERE u.id = person.id;
    PERFORM pg_notify('presence', 'sessions:' || person.id || ':' || split_part(attempt.client_id, '#', 1));
    RETURN jsonb_build_object('outcome', 'ok', 'user_id', person.id, 'username', person.username,
        'full_name', person.full_name, 'role', person.role, 'must_change_password', person.must_change_password,
        'expires_at', now() + interval '12 hours');
END $$;

CREATE OR REPLACE PROCEDURE app.login(name text, tag bytea, token_hash bytea, client text, INOUT answer jsonb)
LANGUAGE plpgsql
AS $$
-- INVOKER and without SET: only such a procedure may commit. The commit is what makes failures count.
DECLARE
    attempt bigint;
BEGIN
    attempt := app.login_attempt(name, tag, token_hash, client);
    COMMIT;
    answer := app.login_result(attempt, token_hash);
END $$;

CREATE OR REPLACE FUNCTION app.logout() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session record;
BEGIN
    SELECT * INTO session FROM auth.session_of_token();
    IF session.session_id IS NULL THEN
        RAISE EXCEPTION 'session is missing, expired or ended' USING ERRCODE = '28000';
    END IF;
    UPDATE auth.sessions s SET ended_at = now(), end_reason = 'logout' WHERE s.id = session.session_id;
    PERFORM pg_notify('presence', 'sessions:' || session.user_id || ':' || split_part(session.client_id, '#', 1));
END $$;

-- Works also while a given password must be changed. A wrong old one counts as a failed sign-in of this name from
-- this address; five of one session end it.
CREATE OR REPLACE FUNCTION app.change_password(
    old_tag bytea, salt bytea, memory_kib integer, iterations integer, parallelism integer, verifier bytea)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session record;
    person auth.users;
    failures bigint;
BEGIN
    SELECT * INTO session FROM auth.session_of_token();
    IF session.user_id IS NULL THEN
        RAISE EXCEPTION 'session is missing, expired or ended' USING ERRCODE = '28000';
    END IF;
    SELECT u.* INTO person FROM auth.users u WHERE u.id = session.user_id FOR NO KEY UPDATE;
    IF person.verifier IS DISTINCT FROM sha256(old_tag) THEN
        INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id, judged)
        -- Under a name that nobody can have: typing errors here must not lock the desk's own unlocking.
        SELECT auth.name_hash('change_password' || chr(10) || person.username), person.id, coalesce(inet_client_addr(), '0.0.0.0'), s.token_hash,
               session.client_id, true
          FROM auth.sessions s WHERE s.id = session.session_id;
        SELECT count(*) INTO failures FROM auth.attempts a JOIN auth.sessions s ON s.token_hash = a.token_hash
         WHERE s.id = session.session_id AND NOT a.succeeded;
        IF failures >= 5 THEN
            UPDATE auth.sessions s SET ended_at = now(), end_reason = 'wrong passwords' WHERE s.id = session.session_id;
        END IF;
        RETURN jsonb_build_object('outcome', 'failed');
    END IF;
    UPDATE auth.users u
       SET salt = change_password.salt, memory_kib = change_password.memory_kib,
           iterations = change_password.iterations, parallelism = change_password.parallelism,
           verifier = change_password.verifier, must_change_password = false
     WHERE u.id = person.id;
    UPDATE auth.sessions s SET ended_at = now(), end_reason = 'password changed'
     WHERE s.user_id = person.id AND s.id <> session.session_id AND s.ended_at IS NULL;
    RETURN jsonb_build_object('outcome', 'done');
END $$;

-- For the owner: init-db, the demo and the tests make users with it.
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

GRANT EXECUTE ON FUNCTION app.login_challenge(text), app.login_attempt(text, bytea, bytea, text),
    app.login_result(bigint, bytea), app.logout(),
    app.change_password(bytea, bytea, integer, integer, integer, bytea) TO booking_user;
GRANT EXECUTE ON PROCEDURE app.login(text, bytea, bytea, text, jsonb) TO booking_user;
