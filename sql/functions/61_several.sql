-- Several bookings and blocks in one action (swap, shift with neighbours): all of it happens or nothing.

-- writes: [{kind: booking | block, id, changes}], every record once. Answers the records with their state, or the
-- one that is missing or in conflict, or what is in the way besides the bars that were to move.
CREATE OR REPLACE FUNCTION app.save_several(request uuid, writes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    wanted jsonb;
    stored jsonb[] := '{}';
    theirs jsonb;
    conflicting jsonb;
    bookings bigint[];
    blocks bigint[];
    targets jsonb;
    others jsonb;
    one record;
BEGIN
    PERFORM app.require_session();
    answer := app.begin_request(request, 'save several', writes);
    IF answer IS NOT NULL THEN
        RETURN app.with_several_states(answer);
    END IF;
    -- Bookings before blocks, each in the order of ids, then rooms: two desks never wait for each other.
    SELECT coalesce(jsonb_agg(jsonb_build_object('kind', w.kind, 'id', w.id,
                                                 'changes', app.normal_write(w.kind, w.changes))
                              ORDER BY w.kind DESC, w.id), '[]'),
           array_agg(w.id) FILTER (WHERE w.kind = 'booking'), array_agg(w.id) FILTER (WHERE w.kind = 'block')
      INTO wanted, bookings, blocks
      FROM jsonb_to_recordset(writes) w (kind text, id bigint, changes jsonb);
    IF (SELECT count(*) > count(DISTINCT (w -> 'kind', w -> 'id')) FROM jsonb_array_elements(wanted) w) THEN
        RAISE EXCEPTION 'a record is named twice' USING ERRCODE = '22023';
    END IF;
    FOR one IN SELECT w.value ->> 'kind' AS kind, (w.value ->> 'id')::bigint AS id, w.value -> 'changes' AS changes
                 FROM jsonb_array_elements(wanted) WITH ORDINALITY w ORDER BY w.ordinality LOOP
        theirs := app.lock_record(one.kind, one.id);
        answer := jsonb_build_object('kind', one.kind, 'id', one.id);
        IF theirs IS NULL THEN
            RETURN app.finish_request(request, answer || '{"outcome": "missing"}');
        END IF;
        conflicting := app.conflicts(theirs, one.changes);
        IF conflicting IS NOT NULL THEN
            RETURN app.finish_request(request, answer || jsonb_build_object(
                'outcome', 'conflict', 'conflicts', conflicting, 'changed_by', app.changed_by(
                    CASE one.kind WHEN 'booking' THEN 'bookings' ELSE 'occupancies' END, one.id, conflicting)));
        END IF;
        stored := stored || theirs;
    END LOOP;
    targets := (
        SELECT coalesce(jsonb_agg(s.value -> 'to'), '[]')
          FROM jsonb_array_elements(wanted) w, jsonb_each(app.normal_stays(w -> 'changes')) s
         WHERE jsonb_typeof(s.value -> 'to') = 'object');
    PERFORM app.lock_rooms(ARRAY(
        SELECT (t ->> 'room_id')::bigint FROM jsonb_array_elements(targets) t
        UNION SELECT o.room_id FROM app.occupancies o WHERE o.booking_id = ANY (bookings)
        UNION SELECT o.room_id FROM app.occupancies o WHERE o.id = ANY (blocks)));
    BEGIN
        -- Where one leaves and another comes is judged when all have moved.
        SET CONSTRAINTS app.occupancies_no_overlap DEFERRED;
        FOR one IN SELECT w.value ->> 'kind' AS kind, (w.value ->> 'id')::bigint AS id, w.ordinality AS number,
                          w.value -> 'changes' AS changes, app.normal_stays(w.value -> 'changes') AS stays
                     FROM jsonb_array_elements(wanted) WITH ORDINALITY w ORDER BY w.ordinality LOOP
            IF one.kind = 'block' THEN
                PERFORM app.write_block(one.id, one.changes);
            ELSE
                PERFORM app.write_booking(one.id, jsonb_populate_record(NULL::app.bookings, stored[one.number]),
                    one.changes - ARRAY(SELECT jsonb_object_keys(one.stays)), one.stays);
            END IF;
        END LOOP;
        SET CONSTRAINTS app.occupancies_no_overlap IMMEDIATE;
    EXCEPTION WHEN exclusion_violation THEN
        others := (
            SELECT jsonb_agg(x.other ORDER BY x.other ->> 'arrival', x.other ->> 'occupancy_id')
              FROM (SELECT DISTINCT other FROM jsonb_array_elements(app.in_the_way(targets, NULL, NULL)) other) x
             WHERE NOT (x.other ->> 'occupancy_id')::bigint = ANY (coalesce(blocks, '{}'))
               AND NOT EXISTS (SELECT FROM jsonb_array_elements(wanted) w
                                WHERE w -> 'changes' ? ('stay/' || (x.other ->> 'occupancy_id'))));
        IF others IS NULL THEN
            PERFORM app.refuse('stays_overlap', 'two of these stays share a room and a night');
        END IF;
        RETURN app.finish_request(request, jsonb_build_object('outcome', 'taken', 'in_the_way', others));
    END;
    RETURN app.with_several_states(app.finish_request(request, jsonb_build_object(
        'outcome', 'done', 'records', (SELECT jsonb_agg(w - 'changes') FROM jsonb_array_elements(wanted) w))))
        || jsonb_build_object('was', to_jsonb(stored));
END $$;

-- The records of an answer as they are now; one that was deleted since has no state.
CREATE OR REPLACE FUNCTION app.with_several_states(answer jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN answer || jsonb_build_object('records', (
        SELECT coalesce(jsonb_agg(r || jsonb_build_object('state', CASE r ->> 'kind'
                   WHEN 'booking' THEN app.booking_state((r ->> 'id')::bigint)
                   ELSE (SELECT to_jsonb(o) FROM app.occupancies o
                          WHERE o.id = (r ->> 'id')::bigint AND o.booking_id IS NULL) END)), '[]')
          FROM jsonb_array_elements(answer -> 'records') r));
END $$;

GRANT EXECUTE ON FUNCTION app.save_several(uuid, jsonb) TO booking_user;
