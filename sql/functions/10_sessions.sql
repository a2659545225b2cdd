-- Who is asking. Every function for booking_user starts with require_session() or require_admin().

CREATE OR REPLACE FUNCTION auth.session_of_token(
    OUT session_id bigint, OUT user_id bigint, OUT username text, OUT full_name text, OUT role text,
    OUT must_change_password boolean, OUT client_id text, OUT last_seen timestamptz, OUT expires_at timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    token text := current_setting('app.session_token', true);
BEGIN
    IF token IS NULL OR token = '' THEN
        RETURN;
    END IF;
    -- In an old snapshot a session that has ended would go on, and with the time of an old transaction what is
    -- written now would be dated back.
    IF current_setting('transaction_isolation') <> 'read committed'
       OR clock_timestamp() > transaction_timestamp() + interval '1 minute' THEN
        RAISE EXCEPTION 'a session works in READ COMMITTED and in transactions of less than a minute'
            USING ERRCODE = '25000';
    END IF;
    -- By the clock: one endless statement must not outlive its session.
    SELECT s.id, u.id, u.username, u.full_name, u.role, u.must_change_password, s.client_id, s.last_seen,
           s.created_at + interval '12 hours'
      INTO session_id, user_id, username, full_name, role, must_change_password, client_id, last_seen, expires_at
      FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
     WHERE s.token_hash = sha256(convert_to(token, 'UTF8'))
       AND s.ended_at IS NULL
       AND s.created_at > clock_timestamp() - interval '12 hours'
       AND s.last_seen > clock_timestamp() - interval '30 minutes'
       AND u.active;
END $$;

-- Sessions that are good for work, whoever asks.
CREATE OR REPLACE VIEW auth.open_sessions AS
SELECT s.id, s.user_id, split_part(s.client_id, '#', 1) AS desk, nullif(split_part(s.client_id, '#', 2), '') AS host,
       host(s.address) AS address, s.created_at, s.last_seen, s.screen, s.booking_id
  FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
 WHERE s.ended_at IS NULL AND u.active
   AND s.created_at > statement_timestamp() - interval '12 hours'
   AND s.last_seen > statement_timestamp() - interval '30 minutes';

-- Raised, never an empty answer: an empty chart would look like a free house. Whoever had a session is told how it
-- ended; a token that never had one learns nothing.
CREATE OR REPLACE FUNCTION auth.refuse_session() RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    token text := current_setting('app.session_token', true);
    reason text;
BEGIN
    IF token <> '' THEN
        SELECT 'session_' || coalesce(s.end_reason, CASE WHEN u.active THEN 'expired' ELSE 'deactivated' END)
          INTO reason
          FROM auth.sessions s JOIN auth.users u ON u.id = s.user_id
         WHERE s.token_hash = sha256(convert_to(token, 'UTF8'));
    END IF;
    RAISE EXCEPTION 'session is missing, expired or ended'
        USING ERRCODE = '28000', CONSTRAINT = coalesce(reason, '');
END $$;

-- For triggers: NULL for the owner's own work.
CREATE OR REPLACE FUNCTION app.session_user_id() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT s.user_id FROM auth.session_of_token() s);
END $$;

CREATE OR REPLACE FUNCTION app.require_session() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session record;
BEGIN
    SELECT * INTO session FROM auth.session_of_token();
    IF session.user_id IS NULL THEN
        PERFORM auth.refuse_session();
    END IF;
    IF session.must_change_password THEN
        RAISE EXCEPTION 'the given password must be changed first'
            USING ERRCODE = '42501', CONSTRAINT = 'must_change_password';
    END IF;
    RETURN session.user_id;
END $$;

CREATE OR REPLACE FUNCTION app.require_admin() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking bigint := app.require_session();
BEGIN
    IF (SELECT s.role FROM auth.session_of_token() s) IS DISTINCT FROM 'admin' THEN
        RAISE EXCEPTION 'only admins may do this' USING ERRCODE = '42501';
    END IF;
    RETURN asking;
END $$;

-- Schema version, oldest client that may work with it, which installation. All that is told before login.
CREATE OR REPLACE FUNCTION app.hello() RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT jsonb_build_object(
                'schema_version', (SELECT max(substring(m.name FROM '^schema/(\d+)_')::integer) FROM app.migrations m),
                'minimum_client', i.minimum_client,
                'instance_id', i.instance_id)
              FROM app.installation i);
END $$;

CREATE OR REPLACE FUNCTION app.today() RETURNS date
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT (statement_timestamp() AT TIME ZONE 'Europe/Berlin')::date $$;

GRANT EXECUTE ON FUNCTION app.hello() TO booking_user;
