-- Login without giving hashes away: challenge, then commit-then-judge.

-- Names that look alike are one name, however they were typed.
CREATE OR REPLACE FUNCTION auth.folded(name text) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT lower(normalize(btrim(name), NFC)) $$;

CREATE OR REPLACE FUNCTION auth.name_hash(name text) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT sha256(s.pepper || convert_to(auth.folded(name), 'UTF8')) FROM auth.secrets s);
END $$;

-- Read as a whole always: an index would show in EXPLAIN (ANALYZE, BUFFERS) of a stranger whether it found somebody.
CREATE OR REPLACE FUNCTION auth.account(name text, one bigint DEFAULT NULL) RETURNS auth.users
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET enable_seqscan = on SET enable_indexscan = off SET enable_indexonlyscan = off SET enable_bitmapscan = off
AS $$
DECLARE
    person auth.users;
    folded text := auth.folded(name);
BEGIN
    -- In order: the scan does not end at the one it looked for.
    SELECT u.* INTO person FROM auth.users u WHERE lower(u.username) = folded OR u.id = one ORDER BY u.id;
    RETURN person;
END $$;

-- Parameters and salt; for unknown names a stable fake of the same shape: the parameters are those of somebody, so
-- that raising them does not tell names apart.
CREATE OR REPLACE FUNCTION app.login_challenge(name text) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    fake bytea := substr(auth.name_hash(left(name, 200)), 1, 16);
    person auth.users := auth.account(left(name, 200));
    decoy auth.users;
BEGIN
    -- Looked for even if nobody needs it: the work must not tell either.
    SELECT u.* INTO decoy FROM auth.users u ORDER BY sha256(fake || convert_to(u.id::text, 'UTF8')) LIMIT 1;
    RETURN (SELECT jsonb_build_object(
                'memory_kib', coalesce(person.memory_kib, decoy.memory_kib, s.memory_kib),
                'iterations', coalesce(person.iterations, decoy.iterations, s.iterations),
                'parallelism', coalesce(person.parallelism, decoy.parallelism, s.parallelism),
                'salt', encode(coalesce(person.salt, fake), 'hex'))
              FROM auth.secrets s);
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
    -- Nobody is 0: rows of one length.
    SELECT auth.name_hash(name), coalesce((auth.account(name)).id, 0), coalesce(inet_client_addr(), '0.0.0.0'),
           sha256(tag), login_attempt.token_hash, client
    RETURNING id INTO attempt;
    RETURN attempt;
END $$;

-- More than 5 failures of this name from this address, or 30 of this name from anywhere, in ten minutes.
-- The second limit spares addresses from which the name signed in lately: a flood locks out only itself.
CREATE OR REPLACE FUNCTION auth.is_locked(attempt auth.attempts) RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most_here constant integer := 5;
    most_anywhere constant integer := 30;
    here bigint;
    anywhere bigint;
    last_success timestamptz;
    lifted timestamptz := (auth.account(NULL, attempt.user_id)).lock_lifted_at;
BEGIN
    SELECT max(a.at) INTO last_success FROM auth.attempts a
     WHERE a.name_hash = attempt.name_hash AND a.address = attempt.address AND a.succeeded
       AND a.at > statement_timestamp() - interval '30 days';
    -- Counted whatever their number: committing guesses in another order must gain nothing. Nor does it help to
    -- write many down and have them judged after a colleague signed in, or an admin lifted the lock: both help only
    -- attempts that follow. But no further than needed: a flood makes itself no heavier.
    SELECT count(*) INTO here FROM (
        SELECT FROM auth.attempts a
         WHERE a.name_hash = attempt.name_hash AND a.address = attempt.address AND a.id <> attempt.id
           AND NOT a.succeeded AND a.at > statement_timestamp() - interval '10 minutes'
           AND (lifted IS NULL OR a.at > lifted OR attempt.at < lifted)
           AND (last_success IS NULL OR a.at > last_success OR attempt.at < last_success)
         LIMIT most_here) f;
    SELECT count(*) INTO anywhere FROM (
        SELECT FROM auth.attempts a
         WHERE a.name_hash = attempt.name_hash AND a.id <> attempt.id
           AND NOT a.succeeded AND a.at > statement_timestamp() - interval '10 minutes'
           AND (lifted IS NULL OR a.at > lifted OR attempt.at < lifted)
         LIMIT most_anywhere) f;
    RETURN here >= most_here OR (anywhere >= most_anywhere AND last_success IS NULL);
END $$;

-- Second half: judges an attempt that another, committed transaction wrote; once, and while it is fresh.
CREATE OR REPLACE FUNCTION app.login_result(attempt_id bigint, token_hash bytea) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    attempt auth.attempts;
    person auth.users;
    locked boolean;
    right_password boolean;
BEGIN
    SELECT a.* INTO attempt FROM auth.attempts a WHERE a.id = attempt_id;
    person := auth.account(NULL, attempt.user_id);
    UPDATE auth.attempts a SET judged = true, guess = NULL
     WHERE a.id = attempt_id AND NOT a.judged AND a.xid <> pg_current_xact_id()
       AND a.token_hash = login_result.token_hash AND a.at > clock_timestamp() - interval '30 seconds'
       -- One that password_attempt() wrote has its own count of failures.
       AND a.name_hash <> auth.own_password_hash(coalesce(person.username, ''));
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    -- Before the guess is looked at: else the right one would take longer than a wrong one, also while locked.
    locked := auth.is_locked(attempt);
    right_password := coalesce(person.verifier = attempt.guess, false) AND NOT locked;
    IF right_password THEN
        -- Once more, and held: a reset or a deactivation at this moment comes before or after, never between.
        SELECT u.* INTO person FROM auth.users u WHERE u.id = attempt.user_id FOR NO KEY UPDATE;
        right_password := coalesce(person.verifier = attempt.guess, false);
    END IF;
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
        'expires_at', now() + interval '12 hours', 'rehash', auth.rehash(person));
END $$;

-- The parameters under which a password is to be hashed anew, or NULL: only upward. Who must change it anyway will.
CREATE OR REPLACE FUNCTION auth.rehash(person auth.users) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT jsonb_build_object('memory_kib', greatest(s.memory_kib, person.memory_kib),
                                      'iterations', greatest(s.iterations, person.iterations),
                                      'parallelism', greatest(s.parallelism, person.parallelism))
              FROM auth.secrets s
             WHERE NOT person.must_change_password
               AND (s.memory_kib > person.memory_kib OR s.iterations > person.iterations
                    OR s.parallelism > person.parallelism));
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
        PERFORM auth.refuse_session();
    END IF;
    UPDATE auth.sessions s SET ended_at = now(), end_reason = 'logout' WHERE s.id = session.session_id;
    PERFORM pg_notify('presence', 'sessions:' || session.user_id || ':' || split_part(session.client_id, '#', 1));
END $$;

-- A change of one's own password is judged like a login: first written down and committed, then compared. Works also
-- while a given password must be changed.
DROP FUNCTION IF EXISTS app.change_password(bytea, bytea, integer, integer, integer, bytea);

CREATE OR REPLACE FUNCTION auth.own_password_hash(username text) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- A name that nobody can have: typing errors here must not lock the desk's own unlocking.
    RETURN auth.name_hash('change_password' || chr(10) || username);
END $$;

CREATE OR REPLACE FUNCTION app.password_attempt(old_tag bytea) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session record;
    attempt bigint;
BEGIN
    SELECT * INTO session FROM auth.session_of_token();
    IF session.user_id IS NULL THEN
        PERFORM auth.refuse_session();
    END IF;
    IF octet_length(old_tag) IS DISTINCT FROM 32 THEN
        RAISE EXCEPTION 'malformed password' USING ERRCODE = '22023';
    END IF;
    INSERT INTO auth.attempts (name_hash, user_id, address, guess, token_hash, client_id)
    SELECT auth.own_password_hash(session.username), s.user_id, coalesce(inet_client_addr(), '0.0.0.0'),
           sha256(old_tag), s.token_hash, s.client_id
      FROM auth.sessions s WHERE s.id = session.session_id
    RETURNING id INTO attempt;
    RETURN attempt;
END $$;

-- Five wrong ones of one session end it; what was written down and never judged counts as wrong. A renewal is the
-- same password under higher parameters: other sessions go on.
CREATE OR REPLACE FUNCTION app.password_result(
    attempt_id bigint, salt bytea, memory_kib integer, iterations integer, parallelism integer, verifier bytea,
    renewal boolean)
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant integer := 5;
    session record;
    attempt auth.attempts;
    person auth.users;
    failures bigint;
BEGIN
    SELECT * INTO session FROM auth.session_of_token();
    IF session.user_id IS NULL THEN
        PERFORM auth.refuse_session();
    END IF;
    SELECT a.* INTO attempt FROM auth.attempts a
      JOIN auth.sessions s ON s.id = session.session_id AND s.token_hash = a.token_hash
     WHERE a.id = attempt_id AND a.name_hash = auth.own_password_hash(session.username);
    UPDATE auth.attempts a SET judged = true, guess = NULL
     WHERE a.id = attempt.id AND NOT a.judged AND a.xid <> pg_current_xact_id()
       AND a.at > clock_timestamp() - interval '30 seconds';
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    SELECT count(*) INTO failures FROM auth.attempts a
     WHERE a.name_hash = attempt.name_hash AND a.token_hash = attempt.token_hash AND NOT a.succeeded
       AND a.id <> attempt.id;
    SELECT u.* INTO person FROM auth.users u WHERE u.id = session.user_id FOR NO KEY UPDATE;
    IF failures >= most OR person.verifier IS DISTINCT FROM attempt.guess THEN
        IF failures + 1 >= most THEN
            UPDATE auth.sessions s SET ended_at = now(), end_reason = 'wrong_passwords'
             WHERE s.id = session.session_id;
            PERFORM pg_notify('presence', 'sessions:' || session.user_id || ':');
        END IF;
        RETURN jsonb_build_object('outcome', 'failed');
    END IF;
    IF renewal AND (memory_kib < person.memory_kib OR iterations < person.iterations
                    OR parallelism < person.parallelism) THEN
        RAISE EXCEPTION 'parameters are only raised' USING ERRCODE = '22023';
    END IF;
    UPDATE auth.attempts a SET succeeded = true WHERE a.id = attempt.id;
    UPDATE auth.users u
       SET salt = password_result.salt, memory_kib = password_result.memory_kib,
           iterations = password_result.iterations, parallelism = password_result.parallelism,
           verifier = password_result.verifier, must_change_password = u.must_change_password AND renewal
     WHERE u.id = person.id;
    IF NOT renewal THEN
        PERFORM auth.end_sessions(person.id, 'password_changed', session.session_id);
    END IF;
    RETURN jsonb_build_object('outcome', 'done');
END $$;

CREATE OR REPLACE PROCEDURE app.change_password(
    old_tag bytea, salt bytea, memory_kib integer, iterations integer, parallelism integer, verifier bytea,
    INOUT answer jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
    attempt bigint;
BEGIN
    attempt := app.password_attempt(old_tag);
    COMMIT;
    answer := app.password_result(attempt, salt, memory_kib, iterations, parallelism, verifier, false);
END $$;

CREATE OR REPLACE PROCEDURE app.renew_verifier(
    old_tag bytea, salt bytea, memory_kib integer, iterations integer, parallelism integer, verifier bytea,
    INOUT answer jsonb)
LANGUAGE plpgsql
AS $$
DECLARE
    attempt bigint;
BEGIN
    attempt := app.password_attempt(old_tag);
    COMMIT;
    answer := app.password_result(attempt, salt, memory_kib, iterations, parallelism, verifier, true);
END $$;

GRANT EXECUTE ON FUNCTION app.login_challenge(text), app.login_attempt(text, bytea, bytea, text),
    app.login_result(bigint, bytea), app.logout(),
    app.password_attempt(bytea),
    app.password_result(bigint, bytea, integer, integer, integer, bytea, boolean) TO booking_user;
GRANT EXECUTE ON PROCEDURE app.login(text, bytea, bytea, text, jsonb),
    app.change_password(bytea, bytea, integer, integer, integer, bytea, jsonb),
    app.renew_verifier(bytea, bytea, integer, integer, integer, bytea, jsonb) TO booking_user;
