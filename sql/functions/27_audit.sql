-- The audit log: who may read what of it, and that nobody rewrites it.

-- A row that is masked changes nothing but values of old_data and new_data, and those into '***'.
CREATE OR REPLACE FUNCTION app.only_masked(before jsonb, after jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT (before IS NULL) = (after IS NULL)
           AND NOT EXISTS (SELECT FROM jsonb_each(before) b FULL JOIN jsonb_each(after) a ON a.key = b.key
                            WHERE b.key IS NULL OR a.key IS NULL OR (a.value <> b.value AND a.value <> '"***"'))
$$;

-- Whole months only: what began its term within a month stays until that month is over.
CREATE OR REPLACE FUNCTION app.audit_kept_since() RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT date_trunc('month', statement_timestamp() AT TIME ZONE 'Europe/Berlin'
                                       - make_interval(months => h.audit_retention_months)) AT TIME ZONE 'Europe/Berlin'
              FROM app.house_settings h);
END $$;

-- Judged by what would happen, not by a switch that somebody could set: besides new rows, only the owner's pruning
-- of what had its term, and masking in a transaction that has written ANONYMISE into the log before.
CREATE OR REPLACE FUNCTION app.guard_audit_log() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF pg_has_role(session_user, 'dpolg_owner', 'MEMBER') AND OLD.timestamp < app.audit_kept_since() THEN
            RETURN OLD;
        END IF;
    ELSIF TG_OP = 'UPDATE' THEN
        IF to_jsonb(OLD) - ARRAY['old_data', 'new_data'] = to_jsonb(NEW) - ARRAY['old_data', 'new_data']
           AND app.only_masked(OLD.old_data, NEW.old_data) AND app.only_masked(OLD.new_data, NEW.new_data)
           AND EXISTS (SELECT FROM app.audit_log a WHERE a.timestamp = now() AND a.operation = 'ANONYMISE') THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = '42501';
END $$;

CREATE OR REPLACE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON app.audit_log
    FOR EACH ROW EXECUTE FUNCTION app.guard_audit_log();
CREATE OR REPLACE TRIGGER audit_not_truncated BEFORE TRUNCATE ON app.audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION app.guard_audit_log();
DROP FUNCTION IF EXISTS app.refuse_change();

-- The owner's: booking_user has no way to it, and the trigger asks who it is.
CREATE OR REPLACE FUNCTION auth.prune_audit_log() RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    gone bigint;
BEGIN
    DELETE FROM app.audit_log a WHERE a.timestamp < app.audit_kept_since();
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;

-- Union membership is for admins, but for where it sets a price.
CREATE OR REPLACE FUNCTION app.without_membership(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT nullif(data - ARRAY['is_member', 'member_number', 'guest_is_member'], '{}') $$;

-- Who did what to one record, newest first; a booking's history has its stays in it.
DROP FUNCTION IF EXISTS app.history(text, bigint, integer);
CREATE FUNCTION app.history(kind text, record bigint, max_rows integer)
RETURNS TABLE (id bigint, "timestamp" timestamptz, username text, table_name text, record_id bigint, operation text,
               old_data jsonb, new_data jsonb, client_id text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    wanted integer := greatest(1, least(max_rows, 500));
    all_of_it boolean;
BEGIN
    PERFORM app.require_session();
    IF kind IS NULL OR kind NOT IN ('bookings', 'guests', 'rooms', 'occupancies', 'reminders') THEN
        RAISE EXCEPTION 'no history of %', kind USING ERRCODE = '42501';
    END IF;
    SELECT s.role = 'admin' INTO all_of_it FROM auth.session_of_token() s;
    RETURN QUERY
    SELECT t.id, t.timestamp, coalesce(u.full_name, t.username), t.table_name, t.record_id, t.operation,
           t.old_data, t.new_data, t.client_id
      FROM (SELECT a.id, a.timestamp, a.user_id, a.username, a.table_name, a.record_id, a.operation, a.client_id,
                   CASE WHEN all_of_it THEN a.old_data ELSE app.without_membership(a.old_data) END AS old_data,
                   CASE WHEN all_of_it THEN a.new_data ELSE app.without_membership(a.new_data) END AS new_data
              FROM app.audit_log a
             WHERE CASE WHEN kind = 'bookings' THEN a.booking_id = record
                        ELSE a.table_name = kind AND a.record_id = record END) t
      LEFT JOIN auth.users u ON u.id = t.user_id
     -- Nothing else changed: then there was nothing to see.
     WHERE t.operation <> 'UPDATE' OR t.new_data IS NOT NULL
     ORDER BY t.id DESC LIMIT wanted;
END $$;

-- The whole log, newest first, a page at a time: before_id is the last one seen. NULL: does not matter.
-- label: what the record is called now. parent_id: the guest or room that a companion, credit or price belongs to.
DROP FUNCTION IF EXISTS app.audit(bigint, text[], bigint, timestamptz, timestamptz, text, bigint, integer);
CREATE FUNCTION app.audit(person bigint, tables text[], record bigint, first timestamptz, last timestamptz,
                                     field text, before_id bigint, max_rows integer)
RETURNS TABLE (id bigint, "timestamp" timestamptz, user_id bigint, username text, client_id text, table_name text,
               record_id bigint, operation text, old_data jsonb, new_data jsonb, booking_id bigint, label text,
               parent_id bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
DECLARE
    wanted integer := greatest(1, least(max_rows, 1000));
BEGIN
    PERFORM app.require_admin();
    RETURN QUERY
    SELECT t.id, t.timestamp, t.user_id, coalesce(u.full_name, t.username), t.client_id, t.table_name, t.record_id,
           t.operation, t.old_data, t.new_data, t.booking_id,
           CASE WHEN t.booking_id IS NOT NULL THEN (SELECT b.number FROM app.bookings b WHERE b.id = t.booking_id)
                WHEN t.table_name = 'guests' THEN
                    (SELECT concat_ws(', ', g.last_name, nullif(g.first_name, '')) FROM app.guests g
                      WHERE g.id = t.record_id)
                WHEN t.table_name = 'rooms' THEN (SELECT r.name FROM app.rooms r WHERE r.id = t.record_id)
                WHEN t.table_name = 'users' THEN
                    (SELECT coalesce(p.full_name, p.username) FROM auth.users p WHERE p.id = t.record_id) END,
           CASE t.table_name
                WHEN 'companions' THEN (SELECT c.guest_id FROM app.companions c WHERE c.id = t.record_id)
                WHEN 'credit_transactions' THEN
                    (SELECT c.guest_id FROM app.credit_transactions c WHERE c.id = t.record_id)
                WHEN 'email_log' THEN (SELECT m.guest_id FROM app.email_log m WHERE m.id = t.record_id)
                WHEN 'room_prices' THEN (SELECT r.room_id FROM app.room_prices r WHERE r.id = t.record_id) END
      FROM (SELECT a.* FROM app.audit_log a
             WHERE (before_id IS NULL OR a.id < before_id)
               AND (person IS NULL OR a.user_id = person)
               AND (first IS NULL OR a.timestamp >= first)
               AND (last IS NULL OR a.timestamp < last)
               -- Of a booking with all that belongs to it.
               AND (record IS NULL AND (tables IS NULL OR a.table_name = ANY (tables))
                    OR a.record_id = record AND (tables IS NULL OR a.table_name = ANY (tables))
                    OR a.booking_id = record AND (tables IS NULL OR 'bookings' = ANY (tables)))
               AND (field IS NULL OR a.old_data ->> field IS DISTINCT FROM a.new_data ->> field)
             ORDER BY a.id DESC LIMIT wanted) t
      LEFT JOIN auth.users u ON u.id = t.user_id
     ORDER BY t.id DESC;
END $$;

GRANT EXECUTE ON FUNCTION app.history(text, bigint, integer),
    app.audit(bigint, text[], bigint, timestamptz, timestamptz, text, bigint, integer) TO booking_user;
