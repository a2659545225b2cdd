-- Sessions: who is signed in and where, and how that ends.

-- Ends what is open of a person, and tells all desks: the hint names no desk, so that none takes it for its own.
CREATE OR REPLACE FUNCTION auth.end_sessions(person bigint, reason text, besides bigint DEFAULT NULL) RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ended integer;
BEGIN
    UPDATE auth.sessions s SET ended_at = now(), end_reason = reason
     WHERE s.user_id = person AND s.id IS DISTINCT FROM besides AND s.ended_at IS NULL;
    GET DIAGNOSTICS ended = ROW_COUNT;
    IF ended > 0 THEN
        PERFORM pg_notify('presence', 'sessions:' || person || ':');
    END IF;
    RETURN ended;
END $$;

-- Own ones for everybody, those of others for admins.
CREATE OR REPLACE FUNCTION app.sessions(person bigint)
RETURNS TABLE (id bigint, desk text, host text, address text, created_at timestamptz, last_seen timestamptz,
               screen text, own boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking record;
BEGIN
    PERFORM app.require_session();
    SELECT * INTO asking FROM auth.session_of_token();
    IF person IS DISTINCT FROM asking.user_id THEN
        PERFORM app.require_admin();
    END IF;
    RETURN QUERY
    SELECT s.id, s.desk, s.host, s.address, s.created_at, s.last_seen, s.screen, s.id = asking.session_id
      FROM auth.open_sessions s WHERE s.user_id = person ORDER BY s.created_at DESC, s.id DESC;
END $$;

CREATE OR REPLACE FUNCTION app.end_session(request uuid, session bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking record;
    person bigint;
    answer jsonb;
BEGIN
    PERFORM app.require_session();
    SELECT * INTO asking FROM auth.session_of_token();
    SELECT s.user_id INTO person FROM auth.sessions s WHERE s.id = session;
    IF person IS DISTINCT FROM asking.user_id THEN
        PERFORM app.require_admin();
    END IF;
    answer := app.begin_request(request, 'end session', jsonb_build_object('id', session));
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    IF session = asking.session_id THEN
        PERFORM app.refuse('sessions_current', 'this session ends by signing out');
    END IF;
    UPDATE auth.sessions s
       SET ended_at = now(),
           end_reason = CASE WHEN person = asking.user_id THEN 'ended_by_user' ELSE 'ended_by_admin' END
     WHERE s.id = session AND s.ended_at IS NULL;
    IF NOT FOUND THEN
        RETURN app.finish_request(request, jsonb_build_object('outcome', 'missing'));
    END IF;
    PERFORM pg_notify('presence', 'sessions:' || person || ':');
    RETURN app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', session));
END $$;

-- All but the one that asks.
CREATE OR REPLACE FUNCTION app.end_sessions(request uuid, person bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking record;
    answer jsonb;
BEGIN
    PERFORM app.require_session();
    SELECT * INTO asking FROM auth.session_of_token();
    IF person IS DISTINCT FROM asking.user_id THEN
        PERFORM app.require_admin();
    END IF;
    answer := app.begin_request(request, 'end sessions', jsonb_build_object('id', person));
    IF answer IS NULL THEN
        PERFORM auth.end_sessions(person, CASE WHEN person = asking.user_id THEN 'ended_by_user'
                                               ELSE 'ended_by_admin' END, asking.session_id);
        answer := app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', person));
    END IF;
    RETURN answer;
END $$;

-- Where this session is, for colleagues to see; NULL: no booking open for editing.
CREATE OR REPLACE FUNCTION app.here(screen text, booking bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    session record;
BEGIN
    PERFORM app.require_session();
    SELECT * INTO session FROM auth.session_of_token();
    UPDATE auth.sessions s SET screen = here.screen, booking_id = here.booking
     WHERE s.id = session.session_id
       AND (s.screen IS DISTINCT FROM here.screen OR s.booking_id IS DISTINCT FROM here.booking);
    IF FOUND THEN
        PERFORM pg_notify('presence', 'sessions:' || session.user_id || ':' || split_part(session.client_id, '#', 1));
    END IF;
END $$;

GRANT EXECUTE ON FUNCTION app.sessions(bigint), app.end_session(uuid, bigint), app.end_sessions(uuid, bigint),
    app.here(text, bigint) TO booking_user;
