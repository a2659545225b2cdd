-- The one write path: request, merge by field, constraint as judge, answer.

-- NULL: go on. Otherwise the answer that this request got before.
CREATE OR REPLACE FUNCTION app.begin_request(request uuid, function_name text, arguments jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    -- Once more: the session may have ended since the function that writes looked at it.
    asking bigint := app.require_session();
    hash bytea := sha256(convert_to(arguments::text, 'UTF8'));
    before app.requests;
BEGIN
    IF request IS NULL THEN
        RAISE EXCEPTION 'a write needs a request id' USING ERRCODE = '22004';
    END IF;
    -- A twin still under way is waited for.
    INSERT INTO app.requests (id, user_id, function, arguments_hash) VALUES (request, asking, function_name, hash)
    ON CONFLICT ON CONSTRAINT requests_pkey DO NOTHING;
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT r.* INTO before FROM app.requests r WHERE r.id = request;
    IF before.user_id <> asking OR before.function <> function_name OR before.arguments_hash <> hash
       OR before.answer IS NULL THEN
        RAISE EXCEPTION 'this request id was used for something else' USING ERRCODE = '42501';
    END IF;
    RETURN before.answer;
END $$;

-- Only what was done is kept; what was refused may be tried again.
CREATE OR REPLACE FUNCTION app.finish_request(request uuid, answer jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF answer ->> 'outcome' = 'done' THEN
        -- A session that ended while this write waited: its rows would be signed by nobody.
        PERFORM app.require_session();
        UPDATE app.requests r SET answer = finish_request.answer WHERE r.id = request;
    ELSE
        DELETE FROM app.requests r WHERE r.id = request;
    END IF;
    RETURN answer;
END $$;

CREATE OR REPLACE FUNCTION app.refuse(rule text, message text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION '%', message USING ERRCODE = '23514', CONSTRAINT = rule;
END $$;

-- A field conflicts only if its stored value is neither what the desk saw nor what it wants.
-- theirs: the stored values; changes: {field: {from, to}}. Both in the types of the table.
CREATE OR REPLACE FUNCTION app.conflicts(theirs jsonb, changes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT jsonb_object_agg(key, jsonb_build_object('before', value -> 'from', 'mine', value -> 'to',
                                                    'theirs', coalesce(theirs -> key, 'null')))
      FROM jsonb_each(changes)
     WHERE coalesce(theirs -> key, 'null') <> coalesce(value -> 'from', 'null')
       AND coalesce(theirs -> key, 'null') <> coalesce(value -> 'to', 'null')
$$;

-- "10" and 10.00, '2026-1-5' and '2026-01-05' are the same: values go through the types of the table.
CREATE OR REPLACE FUNCTION app.normal_changes(table_name text, changes jsonb, allowed text[]) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unknown text;
    froms jsonb;
    tos jsonb;
BEGIN
    SELECT key INTO unknown FROM jsonb_each(changes) WHERE key <> ALL (allowed) LIMIT 1;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'no such field' USING ERRCODE = '42703';
    END IF;
    EXECUTE format('SELECT to_jsonb(jsonb_populate_record(NULL::app.%I, $1)), '
                   'to_jsonb(jsonb_populate_record(NULL::app.%I, $2))', table_name, table_name)
       INTO froms, tos
      USING (SELECT coalesce(jsonb_object_agg(key, value -> 'from'), '{}') FROM jsonb_each(changes)),
            (SELECT coalesce(jsonb_object_agg(key, value -> 'to'), '{}') FROM jsonb_each(changes));
    -- They would reach the terminals of colleagues as commands; lines and tabs are text.
    IF EXISTS (SELECT FROM jsonb_each_text(tos) WHERE value ~ '[\u0001-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]') THEN
        PERFORM app.refuse('no_control_characters', 'text must not control a terminal');
    END IF;
    RETURN (SELECT coalesce(jsonb_object_agg(key, jsonb_build_object('from', froms -> key, 'to', tos -> key)), '{}')
              FROM jsonb_each(changes));
END $$;

-- Writes only the columns that are named.
CREATE OR REPLACE FUNCTION app.write_fields(table_name text, record bigint, changes jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    columns text;
    setters text;
    written bigint := record;
    tos jsonb := (SELECT coalesce(jsonb_object_agg(key, value -> 'to'), '{}') FROM jsonb_each(changes));
BEGIN
    SELECT string_agg(format('%I', key), ', '), string_agg(format('%I = n.%I', key, key), ', ')
      INTO columns, setters FROM jsonb_each(changes);
    IF columns IS NULL THEN
        RETURN written;
    ELSIF record IS NULL THEN
        EXECUTE format('INSERT INTO app.%I (%s) SELECT %s FROM jsonb_populate_record(NULL::app.%I, $1) RETURNING id',
                       table_name, columns, columns, table_name) INTO written USING tos;
    ELSE
        EXECUTE format('UPDATE app.%I t SET %s FROM jsonb_populate_record(NULL::app.%I, $1) n WHERE t.id = $2',
                       table_name, setters, table_name) USING tos, record;
    END IF;
    RETURN written;
END $$;

CREATE OR REPLACE FUNCTION app.last_change_by(table_name text, record bigint) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    name text;
BEGIN
    EXECUTE format('SELECT coalesce(u.full_name, u.username) FROM app.%I t JOIN auth.users u '
                   'ON u.id = coalesce(t.updated_by, t.created_by) WHERE t.id = $1', table_name)
       INTO name USING record;
    RETURN name;
END $$;

-- Who gave the fields in conflict the values that they have: whoever changed other fields since is not named.
CREATE OR REPLACE FUNCTION app.changed_by(table_name text, record bigint, conflicting jsonb) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
    WITH places (fields) AS (SELECT ARRAY['room_id', 'arrival', 'departure'])
    SELECT coalesce((
        SELECT coalesce(u.full_name, a.username)
          FROM places, app.audit_log a LEFT JOIN auth.users u ON u.id = a.user_id
         WHERE (a.table_name = changed_by.table_name AND a.record_id = record
                AND (a.new_data ?| ARRAY(SELECT jsonb_object_keys(conflicting))
                     -- Of a block the place is one field.
                     OR conflicting ? 'stay' AND a.new_data ?| fields))
            OR (a.table_name = 'occupancies'
                AND a.record_id = ANY (ARRAY(SELECT substr(key, 6)::bigint FROM jsonb_object_keys(conflicting) key
                                              WHERE key ~ '^stay/[0-9]+$'))
                AND (a.operation = 'DELETE' OR a.new_data ?| fields))
         ORDER BY a.id DESC LIMIT 1),
        app.last_change_by(table_name, record))
$$;

-- Guests, rooms and later kinds without rules of their own.
CREATE OR REPLACE FUNCTION app.save_record(
    table_name text, request uuid, record bigint, changes jsonb, allowed text[], hidden text[])
RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb := app.begin_request(request, 'save ' || table_name,
                                      jsonb_build_object('id', record, 'changes', changes));
    wanted jsonb := app.normal_changes(table_name, changes, allowed);
    theirs jsonb;
    conflicting jsonb;
    written bigint;
    -- What it was, for taking the change back; told once and kept nowhere.
    was jsonb := '{}';
BEGIN
    IF answer IS NULL AND record IS NOT NULL THEN
        EXECUTE format('SELECT to_jsonb(t) FROM app.%I t WHERE t.id = $1 FOR NO KEY UPDATE', table_name)
           INTO theirs USING record;
        IF theirs IS NULL THEN
            answer := jsonb_build_object('outcome', 'missing');
        ELSE
            -- A secret is never told: it is written as it comes.
            conflicting := app.conflicts(theirs, wanted - hidden);
            IF conflicting IS NOT NULL THEN
                answer := jsonb_build_object('outcome', 'conflict', 'conflicts', conflicting,
                                             'changed_by', app.changed_by(table_name, record, conflicting));
            END IF;
        END IF;
        IF answer IS NOT NULL THEN
            RETURN app.finish_request(request, answer);
        END IF;
    END IF;
    IF answer IS NULL THEN
        IF theirs IS NOT NULL THEN
            was := jsonb_build_object('was', (
                SELECT coalesce(jsonb_object_agg(key, theirs -> key), '{}') FROM jsonb_object_keys(wanted - hidden) key));
        END IF;
        written := app.write_fields(table_name, record, wanted);
        answer := app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', written));
    END IF;
    EXECUTE format('SELECT to_jsonb(t) FROM app.%I t WHERE t.id = $1', table_name)
       INTO theirs USING (answer ->> 'id')::bigint;
    IF theirs IS NULL THEN
        -- Done once, deleted since, asked again.
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    RETURN answer || was || jsonb_build_object('version', theirs -> 'version', 'state', theirs
        - hidden - ARRAY['search', 'sort_key', 'created_at', 'created_by', 'updated_at', 'updated_by']
        -- Of a secret it is only told whether there is one.
        || (SELECT coalesce(jsonb_object_agg('has_' || h, theirs ->> h IS NOT NULL), '{}') FROM unnest(hidden) h));
END $$;

CREATE OR REPLACE FUNCTION app.save_guest(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN app.save_record('guests', request, record, changes, ARRAY[
        'last_name', 'first_name', 'salutation', 'gender', 'email', 'phone', 'phone_business', 'phone_private',
        'phone_mobile', 'fax', 'street', 'postal_code', 'city', 'country', 'date_of_birth', 'place_of_birth',
        'nationality', 'language', 'identity_document', 'is_member', 'member_number', 'profession', 'duty_station',
        'federal_state', 'debtor_account', 'licence_plate', 'invoice_email', 'leitweg_id', 'cost_centre', 'tags',
        'marketing_consent', 'automatic_mail', 'automatic_mail_language', 'notes'], ARRAY[]::text[]);
END $$;

CREATE OR REPLACE FUNCTION app.save_room(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_taken date;
BEGIN
    PERFORM app.require_session();
    -- A new room has prices too.
    IF record IS NULL OR changes ?| ARRAY['key_code', 'price_low', 'price_high', 'final_cleaning_fee'] THEN
        PERFORM app.require_admin();
    END IF;
    IF record IS NOT NULL AND changes #>> '{retired_from,to}' IS NOT NULL THEN
        PERFORM FROM app.rooms r WHERE r.id = record FOR NO KEY UPDATE;
        SELECT max(o.departure) INTO last_taken FROM app.occupancies o WHERE o.room_id = record AND o.active;
        IF last_taken > (changes #>> '{retired_from,to}')::date THEN
            PERFORM app.refuse('rooms_retired_from_free', 'the room is taken after that day');
        END IF;
    END IF;
    RETURN app.save_record('rooms', request, record, changes, ARRAY[
        'name', 'category', 'building', 'place', 'capacity', 'price_low', 'price_high', 'final_cleaning_fee',
        'key_code', 'street', 'postal_code', 'city', 'notes', 'retired_from'], ARRAY['key_code']);
END $$;

-- Deleting is for admins; the foreign keys refuse what is still referred to.
CREATE OR REPLACE FUNCTION app.delete_record(table_name text, request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb := app.begin_request(request, 'delete ' || table_name, jsonb_build_object('id', record));
    gone jsonb;
BEGIN
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    EXECUTE format('DELETE FROM app.%I t WHERE t.id = $1 RETURNING to_jsonb(t)', table_name) INTO gone USING record;
    answer := app.finish_request(request, CASE WHEN gone IS NULL THEN jsonb_build_object('outcome', 'missing')
                                               ELSE jsonb_build_object('outcome', 'done', 'id', record) END);
    -- What it was, for taking the deletion back; told once and kept nowhere.
    RETURN answer || jsonb_build_object('state', gone - ARRAY['key_code', 'search', 'sort_key']);
END $$;

CREATE OR REPLACE FUNCTION app.delete_guest(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    had_companions boolean;
BEGIN
    PERFORM app.require_admin();
    -- The pool of companions is the guest's own; whatever else refers to the guest keeps both.
    DELETE FROM app.companions c WHERE c.guest_id = record;
    had_companions := FOUND;
    RETURN app.delete_record('guests', request, record) || jsonb_build_object('had_companions', had_companions);
END $$;

CREATE OR REPLACE FUNCTION app.delete_room(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    DELETE FROM app.room_prices p WHERE p.room_id = record;
    RETURN app.delete_record('rooms', request, record);
END $$;

GRANT EXECUTE ON FUNCTION app.save_guest(uuid, bigint, jsonb), app.save_room(uuid, bigint, jsonb),
    app.delete_guest(uuid, bigint), app.delete_room(uuid, bigint) TO booking_user;
