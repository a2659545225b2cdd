-- What happens behind every change: stamps, audit log, change feed, notification.

-- Bulk work of the owner (migration, demo house) writes one reload row instead of a line per row.
CREATE OR REPLACE FUNCTION app.in_bulk_work() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(current_setting('app.bulk', true), '') = 'on'
           AND pg_has_role(session_user, 'dpolg_owner', 'MEMBER')
$$;

CREATE OR REPLACE FUNCTION app.stamp_row() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking bigint;
BEGIN
    IF app.in_bulk_work() THEN
        RETURN NEW;
    END IF;
    asking := app.session_user_id();
    IF TG_OP = 'INSERT' THEN
        IF asking IS NOT NULL THEN
            NEW.version := 1;
            NEW.created_at := now();
            NEW.created_by := asking;
            NEW.updated_at := NULL;
            NEW.updated_by := NULL;
        END IF;
    ELSE
        NEW.version := OLD.version + 1;
        NEW.created_at := OLD.created_at;
        NEW.created_by := OLD.created_by;
        NEW.updated_at := now();
        NEW.updated_by := asking;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION app.index_guest() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.sort_key := app.search_key(concat_ws(' ', NEW.last_name, NEW.first_name));
    NEW.search := app.search_key(concat_ws(' ', NEW.last_name, NEW.first_name, NEW.email, NEW.city,
        NEW.member_number, NEW.phone, NEW.phone_private, NEW.phone_mobile, NEW.phone_business,
        -- Typed without the blanks and strokes that somebody else put in.
        regexp_replace(concat_ws(' ', NEW.phone, NEW.phone_mobile, NEW.phone_private), '[^0-9 ]', '', 'g'),
        regexp_replace(concat_ws('/', NEW.phone, NEW.phone_mobile, NEW.phone_private), '[^0-9/]', '', 'g')));
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION app.notify_change(channel text, table_name text, record_id bigint, client_id text)
RETURNS void
LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    -- Anyone can listen: table, id and desk, nothing else.
    SELECT pg_notify(channel, table_name || ':' || record_id || ':' || coalesce(split_part(client_id, '#', 1), ''))
$$;

-- Arguments: notification channel, name in the feed, column of the parent. With a parent, the feed names it:
-- what changes a stay, a price line or a payment changes the booking.
CREATE OR REPLACE FUNCTION app.record_change() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    before jsonb;
    after jsonb;
    session record;
    changed_id bigint;
    parent_id bigint;
    told_id bigint;
    of_booking bigint;
    bookkeeping constant text[] := ARRAY['version', 'updated_at', 'updated_by', 'search', 'sort_key', 'occupies'];
    kept jsonb;
BEGIN
    IF app.in_bulk_work() THEN
        RETURN NULL;
    END IF;
    IF TG_OP <> 'INSERT' THEN before := app.mask(TG_TABLE_NAME, to_jsonb(OLD)); END IF;
    IF TG_OP <> 'DELETE' THEN after := app.mask(TG_TABLE_NAME, to_jsonb(NEW)); END IF;
    changed_id := (coalesce(after, before) ->> 'id')::bigint;
    parent_id := (coalesce(after, before) ->> TG_ARGV[2])::bigint;
    told_id := coalesce(parent_id, changed_id);
    of_booking := CASE WHEN TG_TABLE_NAME = 'bookings' THEN changed_id
                       ELSE (coalesce(after, before) ->> 'booking_id')::bigint END;
    SELECT * INTO session FROM auth.session_of_token();
    IF TG_OP = 'UPDATE' THEN
        -- Only what changed; a secret that changed says so without its value.
        SELECT jsonb_object_agg(key, before -> key), jsonb_object_agg(key, value)
          INTO kept, after
          FROM jsonb_each(after)
         WHERE before -> key IS DISTINCT FROM value AND key <> ALL (bookkeeping);
        before := kept;
    ELSE
        before := before - bookkeeping;
        after := after - bookkeeping;
    END IF;
    IF TG_OP <> 'UPDATE' OR after IS NOT NULL THEN
        INSERT INTO app.audit_log (user_id, username, client_id, table_name, record_id, operation,
                                   old_data, new_data, booking_id)
        VALUES (session.user_id,
                coalesce(session.username, nullif(current_setting('app.actor', true), ''), session_user),
                session.client_id, TG_TABLE_NAME, changed_id, TG_OP, before, after, of_booking);
    END IF;
    IF TG_ARGV[2] = 'booking_id' AND parent_id IS NOT NULL THEN
        -- The booking carries the version; it was written in this transaction, or is now.
        UPDATE app.bookings b SET version = b.version + 1
         WHERE b.id = parent_id AND coalesce(b.updated_at, b.created_at) IS DISTINCT FROM now();
    ELSE
        INSERT INTO app.change_feed (table_name, record_id, operation, user_id, client_id)
        VALUES (TG_ARGV[1], told_id, CASE WHEN parent_id IS NULL THEN TG_OP ELSE 'UPDATE' END,
                session.user_id, split_part(session.client_id, '#', 1));
        PERFORM app.notify_change(TG_ARGV[0], TG_ARGV[1], told_id, session.client_id);
    END IF;
    RETURN NULL;
END $$;

-- Secrets never reach the audit log: a short fingerprint under the installation's pepper tells only that they changed.
CREATE OR REPLACE FUNCTION app.mask(table_name text, data jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    secret text;
BEGIN
    FOREACH secret IN ARRAY CASE table_name
        WHEN 'rooms' THEN ARRAY['key_code']
        WHEN 'users' THEN ARRAY['salt', 'verifier']
        WHEN 'email_settings' THEN ARRAY['smtp_password']
        ELSE ARRAY[]::text[] END
    LOOP
        IF data ->> secret IS NOT NULL THEN
            data := jsonb_set(data, ARRAY[secret], to_jsonb('***' || (
                SELECT left(encode(sha256(s.pepper || convert_to(data ->> secret, 'UTF8')), 'hex'), 6)
                  FROM auth.secrets s)));
        END IF;
    END LOOP;
    RETURN data;
END $$;

-- One row for everybody: "read everything again". Used after bulk work.
CREATE OR REPLACE FUNCTION app.announce_reload() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    channel text;
BEGIN
    INSERT INTO app.change_feed (table_name, record_id, operation) VALUES ('reload', 0, 'UPDATE');
    FOREACH channel IN ARRAY ARRAY['booking', 'guest', 'room', 'reminder', 'user', 'setting', 'presence'] LOOP
        PERFORM pg_notify(channel, 'reload:0:');
    END LOOP;
END $$;

CREATE OR REPLACE TRIGGER room_stamp BEFORE INSERT OR UPDATE ON app.rooms
    FOR EACH ROW EXECUTE FUNCTION app.stamp_row();
CREATE OR REPLACE TRIGGER guest_stamp BEFORE INSERT OR UPDATE ON app.guests
    FOR EACH ROW EXECUTE FUNCTION app.stamp_row();
CREATE OR REPLACE TRIGGER guest_index BEFORE INSERT OR UPDATE ON app.guests
    FOR EACH ROW EXECUTE FUNCTION app.index_guest();
CREATE OR REPLACE TRIGGER booking_stamp BEFORE INSERT OR UPDATE ON app.bookings
    FOR EACH ROW EXECUTE FUNCTION app.stamp_row();
CREATE OR REPLACE TRIGGER occupancy_stamp BEFORE INSERT OR UPDATE ON app.occupancies
    FOR EACH ROW EXECUTE FUNCTION app.stamp_row();
CREATE OR REPLACE TRIGGER user_stamp BEFORE INSERT OR UPDATE OF
    username, full_name, email, role, active, must_change_password, verifier, lock_lifted_at ON auth.users
    FOR EACH ROW EXECUTE FUNCTION app.stamp_row();

CREATE OR REPLACE TRIGGER room_audit AFTER INSERT OR UPDATE OR DELETE ON app.rooms
    FOR EACH ROW EXECUTE FUNCTION app.record_change('room', 'rooms');
CREATE OR REPLACE TRIGGER guest_audit AFTER INSERT OR UPDATE OR DELETE ON app.guests
    FOR EACH ROW EXECUTE FUNCTION app.record_change('guest', 'guests');
CREATE OR REPLACE TRIGGER booking_audit AFTER INSERT OR UPDATE OR DELETE ON app.bookings
    FOR EACH ROW EXECUTE FUNCTION app.record_change('booking', 'bookings');
CREATE OR REPLACE TRIGGER occupancy_audit AFTER INSERT OR UPDATE OR DELETE ON app.occupancies
    FOR EACH ROW EXECUTE FUNCTION app.record_change('room', 'blocks', 'booking_id');
CREATE OR REPLACE TRIGGER user_audit AFTER INSERT OR DELETE OR UPDATE OF
    username, full_name, email, role, active, must_change_password, verifier, lock_lifted_at ON auth.users
    FOR EACH ROW EXECUTE FUNCTION app.record_change('user', 'users');

-- The tables around the booking. Stamps and audit as above; the third argument names the parent.
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT * FROM (VALUES
        ('price_line', 'price_lines', '''booking'', ''bookings'', ''booking_id'''),
        ('payment', 'payments', '''booking'', ''bookings'', ''booking_id'''),
        ('booking_companion', 'booking_companions', '''booking'', ''bookings'', ''booking_id'''),
        ('companion', 'companions', '''guest'', ''guests'', ''guest_id'''),
        ('credit_transaction', 'credit_transactions', '''guest'', ''guests'', ''guest_id'''),
        ('room_price', 'room_prices', '''room'', ''rooms'', ''room_id'''),
        ('reminder', 'reminders', '''reminder'', ''reminders'''),
        ('payer', 'payers', '''setting'', ''payers'''),
        ('vat_rate', 'vat_rates', '''setting'', ''settings'''),
        ('season', 'seasons', '''setting'', ''settings'''),
        ('service_template', 'service_templates', '''setting'', ''settings'''),
        ('discount_template', 'discount_templates', '''setting'', ''settings'''),
        ('email_settings', 'email_settings', '''setting'', ''settings'''),
        ('email_template', 'email_templates', '''setting'', ''settings'''),
        ('email_log', 'email_log', '''setting'', ''email_log'''),
        ('company_settings', 'company_settings', '''setting'', ''settings'''),
        ('house_settings', 'house_settings', '''setting'', ''settings''')) x (trigger_name, table_name, arguments)
    LOOP
        EXECUTE format('CREATE OR REPLACE TRIGGER %I BEFORE INSERT OR UPDATE ON app.%I '
                       'FOR EACH ROW EXECUTE FUNCTION app.stamp_row()', t.trigger_name || '_stamp', t.table_name);
        EXECUTE format('CREATE OR REPLACE TRIGGER %I AFTER INSERT OR UPDATE OR DELETE ON app.%I '
                       'FOR EACH ROW EXECUTE FUNCTION app.record_change(%s)',
                       t.trigger_name || '_audit', t.table_name, t.arguments);
    END LOOP;
END $$;
