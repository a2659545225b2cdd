-- Taking back what was created: the own record goes again, also for those who may not delete.

-- seen: the version after the last own change. Refused while anything refers to the record.
CREATE OR REPLACE FUNCTION app.take_back(request uuid, kind text, record bigint, seen integer) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    table_name text := '{"guest": "guests", "room": "rooms", "block": "occupancies", "reminder": "reminders"}'::jsonb
                       ->> kind;
    stored jsonb;
BEGIN
    PERFORM app.require_session();
    IF table_name IS NULL THEN
        RAISE EXCEPTION 'nothing of this kind is taken back' USING ERRCODE = '22023';
    END IF;
    answer := app.begin_request(request, 'take back ' || table_name, jsonb_build_object('id', record, 'seen', seen));
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    EXECUTE format('SELECT to_jsonb(t) FROM app.%I t WHERE t.id = $1 FOR UPDATE', table_name) INTO stored USING record;
    IF stored IS NULL OR (kind = 'block' AND stored ->> 'booking_id' IS NOT NULL) THEN
        RETURN app.finish_request(request, '{"outcome": "missing"}');
    ELSIF (stored ->> 'created_by')::bigint IS DISTINCT FROM app.session_user_id() THEN
        RAISE EXCEPTION 'somebody else created this' USING ERRCODE = '42501';
    ELSIF (stored ->> 'version')::integer IS DISTINCT FROM seen THEN
        RETURN app.finish_request(request, jsonb_build_object(
            'outcome', 'conflict', 'id', record, 'changed_by', app.last_change_by(table_name, record)));
    ELSIF kind = 'room' THEN
        DELETE FROM app.room_prices p WHERE p.room_id = record;
    END IF;
    EXECUTE format('DELETE FROM app.%I t WHERE t.id = $1', table_name) USING record;
    RETURN app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', record));
END $$;

GRANT EXECUTE ON FUNCTION app.take_back(uuid, text, bigint, integer) TO booking_user;
