-- What the screens read. Tables of plain columns (no ranges, no composites: asyncpg would ask for their types).

CREATE OR REPLACE FUNCTION app.heartbeat(snapshot text) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    most constant integer := 500;
    session record;
    since pg_snapshot;
    crashed boolean;
    began timestamptz := pg_postmaster_start_time();
    life text;
    answer jsonb;
BEGIN
    PERFORM app.require_session();
    -- Statistics are thrown away after a crash, also after one that the server's first process survives.
    IF has_function_privilege('pg_catalog.pg_stat_get_bgwriter_stat_reset_time()', 'EXECUTE') THEN
        began := greatest(began, pg_stat_get_bgwriter_stat_reset_time());
    END IF;
    life := extract(epoch FROM began)::text;
    since := split_part(snapshot, '@', 1)::pg_snapshot;
    -- A server that crashed gives the numbers of its last failed transactions out again: by the desk's snapshot their
    -- changes would look known.
    crashed := split_part(snapshot, '@', 2) <> life;
    SELECT * INTO session FROM auth.session_of_token();
    IF session.last_seen < statement_timestamp() - interval '1 minute' THEN
        UPDATE auth.sessions s SET last_seen = statement_timestamp() WHERE s.id = session.session_id;
        PERFORM app.forget_the_old();
    END IF;
    -- Asking also frees a full notification queue. Snapshot and changes must come from one statement.
    SELECT jsonb_build_object(
               'snapshot', pg_current_snapshot()::text || '@' || life,
               'instance_id', i.instance_id,
               'notification_queue', pg_notification_queue_usage(),
               'reload', coalesce(f.reload, false)
                         OR (since IS NOT NULL AND pg_snapshot_xmin(since) <= i.feed_floor),
               'changes', CASE WHEN f.reload THEN '[]'::jsonb
                               ELSE coalesce(f.changes, '[]'::jsonb) END)
      INTO answer
      FROM app.installation i
      LEFT JOIN LATERAL (
          -- Too many to tell one by one, or more than were looked at.
          SELECT bool_or(c.table_name = 'reload') OR count(*) > most OR sum(c.rows) >= 5 * most AS reload,
                 jsonb_agg(jsonb_build_object('table', c.table_name, 'id', c.record_id, 'operation', c.operation,
                     'user_id', c.user_id, 'client', c.client_id, 'at', c.at) ORDER BY c.at) AS changes
            FROM (SELECT n.table_name, n.record_id, n.user_id, n.client_id, max(n.at) AS at, count(*) AS rows,
                         CASE WHEN bool_or(n.operation = 'DELETE') THEN 'DELETE'
                              WHEN bool_or(n.operation = 'INSERT') THEN 'INSERT' ELSE 'UPDATE' END AS operation
                    FROM (SELECT * FROM app.change_feed cf
                           WHERE cf.xid >= pg_snapshot_xmin(since) AND NOT pg_visible_in_snapshot(cf.xid, since)
                          UNION ALL
                          SELECT * FROM app.change_feed cf
                           WHERE crashed AND cf.at >= began AND pg_visible_in_snapshot(cf.xid, since)
                           LIMIT 5 * most) n
                   GROUP BY n.xid, n.table_name, n.record_id, n.user_id, n.client_id
                   LIMIT most + 1) c
      ) f ON since IS NOT NULL;
    RETURN answer || jsonb_build_object('present', (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'user_id', u.id, 'username', u.username, 'full_name', u.full_name, 'role', u.role, 'desk', s.desk,
                   'screen', s.screen, 'booking_id', s.booking_id, 'since', s.created_at) ORDER BY u.id, s.id), '[]')
          FROM auth.open_sessions s JOIN auth.users u ON u.id = s.user_id
         WHERE s.last_seen > statement_timestamp() - interval '150 seconds'));
END $$;

CREATE OR REPLACE FUNCTION app.colleagues()
RETURNS TABLE (id bigint, username text, full_name text, role text, active boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY SELECT u.id, u.username, u.full_name, u.role, u.active FROM auth.users u ORDER BY u.id;
END $$;

CREATE OR REPLACE FUNCTION app.rooms()
RETURNS TABLE (id bigint, name text, category text, building text, place text, capacity integer,
               price_low numeric, price_high numeric, final_cleaning_fee numeric, street text, postal_code text,
               city text, notes text, retired_from date, has_key_code boolean, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY SELECT r.id, r.name, r.category, r.building, r.place, r.capacity, r.price_low, r.price_high,
                        r.final_cleaning_fee, r.street, r.postal_code, r.city, r.notes, r.retired_from,
                        r.key_code IS NOT NULL, r.version
                   FROM app.rooms r ORDER BY r.id;
END $$;

-- A bar of the chart. The owner's: booking_user reaches it through the functions below only.
CREATE OR REPLACE VIEW app.bars AS
SELECT o.id, o.room_id, o.arrival, o.departure, o.kind, o.reason, o.booking_id,
       b.number, b.status, b.guest_id, g.last_name, g.first_name, b.persons,
       b.foundation_case, b.option_expires, b.notes IS NOT NULL AS has_notes,
       coalesce(b.version, o.version) AS version
  FROM app.occupancies o
  LEFT JOIN app.bookings b ON b.id = o.booking_id
  LEFT JOIN app.guests g ON g.id = b.guest_id
 WHERE o.active;

-- The bars of [first, last). The third condition keeps it flat: no stay is longer than 365 nights.
CREATE OR REPLACE FUNCTION app.chart(first date, last date, room bigint DEFAULT NULL)
RETURNS TABLE (id bigint, room_id bigint, arrival date, departure date, kind text, reason text, booking_id bigint,
               number text, status text, guest_id bigint, last_name text, first_name text, persons integer,
               foundation_case boolean, option_expires date, has_notes boolean, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    -- Two statements: each keeps the plan that suits it.
    IF room IS NULL THEN
        RETURN QUERY SELECT b.* FROM app.bars b
         WHERE b.arrival < last AND b.departure > first AND b.arrival >= first - 365;
    ELSE
        RETURN QUERY SELECT b.* FROM app.bars b
         WHERE b.room_id = room AND b.arrival < last AND b.departure > first AND b.arrival >= first - 365;
    END IF;
END $$;

-- The same rows by id: what a desk fetches after a hint. Ids that do not come back are gone.
CREATE OR REPLACE FUNCTION app.chart_rows(bookings bigint[], blocks bigint[])
RETURNS TABLE (id bigint, room_id bigint, arrival date, departure date, kind text, reason text, booking_id bigint,
               number text, status text, guest_id bigint, last_name text, first_name text, persons integer,
               foundation_case boolean, option_expires date, has_notes boolean, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY SELECT b.* FROM app.bars b WHERE b.booking_id = ANY (bookings)
                  UNION ALL
                 SELECT b.* FROM app.bars b WHERE b.id = ANY (blocks) AND b.booking_id IS NULL;
END $$;

-- Not for booking_user: the caller has checked the session.
CREATE OR REPLACE FUNCTION app.stay_value(room_id bigint, arrival date, departure date) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT jsonb_build_object('room_id', $1, 'arrival', $2, 'departure', $3) $$;

-- What stands around a booking: what it costs, what was paid, who comes along, what is to be done.
CREATE OR REPLACE FUNCTION app.around_booking(booking bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
BEGIN
    SELECT jsonb_build_object(
               'total', sum(l.amount),
               'price_lines', coalesce(jsonb_agg(jsonb_build_object('position', l.position, 'kind', l.kind,
                   'label', l.label, 'quantity', l.quantity, 'unit_price', l.unit_price, 'amount', l.amount,
                   'percentage', l.percentage) ORDER BY l.position, l.id), '[]'))
      INTO answer FROM app.price_lines l WHERE l.booking_id = booking;
    RETURN answer || (
        SELECT jsonb_build_object(
                   'paid', coalesce(sum(p.amount), 0),
                   'payments', coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'amount', p.amount,
                       'paid_on', p.paid_on, 'method', p.method, 'notes', p.notes) ORDER BY p.paid_on, p.id), '[]'))
          FROM app.payments p WHERE p.booking_id = booking) || (
        SELECT jsonb_build_object('companions', coalesce(jsonb_agg(jsonb_build_object('id', c.id,
                   'last_name', c.last_name, 'first_name', c.first_name, 'date_of_birth', c.date_of_birth)
                   ORDER BY c.id), '[]'))
          FROM app.booking_companions c WHERE c.booking_id = booking) || (
        SELECT jsonb_build_object('reminders', coalesce(jsonb_agg(to_jsonb(r)
                   - ARRAY['created_at', 'created_by', 'updated_at', 'updated_by'] ORDER BY r.due_date, r.id), '[]'))
          FROM app.reminders r WHERE r.booking_id = booking);
END $$;

CREATE OR REPLACE FUNCTION app.booking_state(booking bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT to_jsonb(b) - ARRAY['occupies', 'created_by', 'updated_by'] || jsonb_build_object(
                   'guest_name', concat_ws(', ', g.last_name, nullif(g.first_name, '')),
                   'last_name', g.last_name, 'first_name', g.first_name,
                   'created_by', coalesce(c.full_name, c.username),
                   'updated_by', coalesce(u.full_name, u.username),
                   'stays', (SELECT jsonb_agg(jsonb_build_object('id', o.id)
                                              || app.stay_value(o.room_id, o.arrival, o.departure)
                                              ORDER BY o.arrival, o.id)
                               FROM app.occupancies o WHERE o.booking_id = b.id),
                   'payer_name', (SELECT p.name FROM app.payers p WHERE p.id = b.payer_id),
                   'credit_balance', (SELECT coalesce(sum(t.amount), 0) FROM app.credit_transactions t
                                       WHERE t.guest_id = b.guest_id)) || app.around_booking(b.id)
          FROM app.bookings b
          JOIN app.guests g ON g.id = b.guest_id
          LEFT JOIN auth.users c ON c.id = b.created_by
          LEFT JOIN auth.users u ON u.id = b.updated_by
         WHERE b.id = booking);
END $$;

CREATE OR REPLACE FUNCTION app.booking(record bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN app.booking_state(record);
END $$;

CREATE OR REPLACE FUNCTION app.guest(record bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN (SELECT to_jsonb(g) - ARRAY['search', 'sort_key', 'created_at', 'created_by', 'updated_at', 'updated_by']
              FROM app.guests g WHERE g.id = record);
END $$;

-- Every word must be found somewhere; one that begins the name comes first. Nothing found: similar words.
-- The index serves LIKE with one pattern, not LIKE ALL: the longest word finds, the others only check.
CREATE OR REPLACE FUNCTION app.search_guests(query text, max_rows integer)
RETURNS TABLE (id bigint, last_name text, first_name text, city text, email text, phone text, is_member boolean,
               bookings bigint, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    key text := app.search_key(left(query, 200));
    patterns text[];
    longest text;
    prefix text;
    wanted integer := greatest(1, least(max_rows, 200));
    found bigint[];
BEGIN
    PERFORM app.require_session();
    SELECT array_agg('%' || replace(replace(replace(w, '\', '\\'), '%', '\%'), '_', '\_') || '%'
                     ORDER BY length(w) DESC)
      INTO patterns FROM regexp_split_to_table(key, '\s+') w WHERE w <> '';
    longest := patterns[1];
    prefix := replace(replace(replace(key, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    IF patterns IS NULL OR length(key) < 3 THEN
        -- Too short for trigrams: by the beginning of the name, in the order of names.
        SELECT array_agg(s.id) INTO found
          FROM (SELECT g.id FROM app.guests g WHERE g.sort_key LIKE prefix ORDER BY g.sort_key, g.id LIMIT wanted) s;
    ELSE
        SELECT array_agg(s.id) INTO found
          FROM (SELECT g.id FROM app.guests g WHERE g.search LIKE longest AND g.search LIKE ALL (patterns)
                 ORDER BY g.sort_key LIKE prefix DESC, g.sort_key, g.id LIMIT wanted) s;
        IF found IS NULL THEN
            SELECT array_agg(s.id) INTO found
              FROM (SELECT g.id FROM app.guests g WHERE key OPERATOR(ext.<%) g.search
                     ORDER BY key OPERATOR(ext.<<->) g.search, g.id LIMIT wanted) s;
        END IF;
    END IF;
    RETURN QUERY
    SELECT g.id, g.last_name, g.first_name, g.city, g.email, coalesce(g.phone, g.phone_mobile, g.phone_private),
           g.is_member, (SELECT count(*) FROM app.bookings b WHERE b.guest_id = g.id), g.version
      FROM unnest(found) WITH ORDINALITY f (id, position) JOIN app.guests g ON g.id = f.id
     ORDER BY f.position;
END $$;

-- By number or by guest: the booking of exactly that number, then the coming stays. What fits too many
-- is looked for among the newest.
CREATE OR REPLACE FUNCTION app.search_bookings(query text, max_rows integer)
RETURNS TABLE (id bigint, number text, guest_name text, status text, arrival date, departure date,
               room_id bigint, occupancy_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    newest constant integer := 1000;
    key text := app.search_key(left(query, 200));
    patterns text[];
    longest text;
    prefix text := replace(replace(replace(key, '\', '\\'), '%', '\%'), '_', '\_') || '%';
    wanted integer := greatest(1, least(max_rows, 200));
    today date := app.today();
BEGIN
    PERFORM app.require_session();
    IF key = '' THEN
        RETURN;
    END IF;
    SELECT array_agg('%' || replace(replace(replace(w, '\', '\\'), '%', '\%'), '_', '\_') || '%'
                     ORDER BY length(w) DESC)
      INTO patterns FROM regexp_split_to_table(key, '\s+') w WHERE w <> '';
    longest := patterns[1];
    RETURN QUERY
    WITH fitting AS MATERIALIZED (
        SELECT b.id FROM app.bookings b WHERE b.number LIKE upper(prefix)
        UNION
        SELECT b.id FROM app.guests g JOIN app.bookings b ON b.guest_id = g.id
         WHERE CASE WHEN length(key) < 3 THEN g.sort_key LIKE prefix
                    ELSE g.search LIKE longest AND g.search LIKE ALL (patterns) END),
    hits AS (
        SELECT b.id FROM app.bookings b WHERE b.number = upper(key)
        UNION
        (SELECT f.id FROM fitting f ORDER BY f.id DESC LIMIT newest))
    SELECT b.id, b.number, concat_ws(', ', g.last_name, nullif(g.first_name, '')), b.status, o.arrival, o.departure,
           o.room_id, o.id
      FROM hits h
      JOIN app.bookings b ON b.id = h.id
      JOIN app.guests g ON g.id = b.guest_id
      JOIN LATERAL (SELECT s.* FROM app.occupancies s WHERE s.booking_id = b.id ORDER BY s.arrival, s.id LIMIT 1) o
        ON true
     ORDER BY b.number <> upper(key), o.departure < today, abs(o.arrival - today), b.id
     LIMIT wanted;
END $$;

-- The one availability query: rooms with nothing in [arrival, departure), besides this booking itself.
CREATE OR REPLACE FUNCTION app.free_rooms(arrival date, departure date, persons integer, except_booking bigint)
RETURNS TABLE (room_id bigint, fits boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY
    SELECT r.id, r.capacity >= coalesce(persons, 1)
      FROM app.rooms r
     WHERE (r.retired_from IS NULL OR r.retired_from >= free_rooms.departure)
       AND NOT EXISTS (
           SELECT FROM app.occupancies o
            WHERE o.room_id = r.id AND o.active
              AND o.arrival < free_rooms.departure AND o.departure > free_rooms.arrival
              AND o.arrival >= free_rooms.arrival - 365
              -- A block has no booking: it is always in the way.
              AND (o.booking_id IS NULL OR o.booking_id IS DISTINCT FROM except_booking))
     ORDER BY r.id;
END $$;

GRANT EXECUTE ON FUNCTION app.heartbeat(text), app.colleagues(), app.rooms(), app.chart(date, date, bigint),
    app.chart_rows(bigint[], bigint[]), app.booking(bigint), app.guest(bigint),
    app.search_guests(text, integer), app.search_bookings(text, integer),
    app.free_rooms(date, date, integer, bigint) TO booking_user;
