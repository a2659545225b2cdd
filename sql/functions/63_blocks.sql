-- Blocks: rooms out of order or used by the house.

-- Writes what is wanted of a locked block.
CREATE OR REPLACE FUNCTION app.write_block(block bigint, wanted jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    target jsonb := wanted #> '{stay,to}';
BEGIN
    UPDATE app.occupancies o
       SET room_id = CASE WHEN target IS NULL THEN o.room_id ELSE (target ->> 'room_id')::bigint END,
           arrival = coalesce((target ->> 'arrival')::date, o.arrival),
           departure = coalesce((target ->> 'departure')::date, o.departure),
           kind = coalesce(wanted #>> '{kind,to}', o.kind),
           reason = CASE WHEN wanted ? 'reason' THEN wanted #>> '{reason,to}' ELSE o.reason END
     WHERE o.id = block;
END $$;

-- Blocks. Fields: stay {room_id, arrival, departure}, kind, reason.
CREATE OR REPLACE FUNCTION app.save_block(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    wanted jsonb;
    target jsonb;
    theirs jsonb;
    conflicting jsonb;
    block bigint := record;
BEGIN
    PERFORM app.require_session();
    answer := app.begin_request(request, 'save blocks', jsonb_build_object('id', record, 'changes', changes));
    IF answer IS NOT NULL THEN
        RETURN answer || jsonb_build_object('version', (SELECT o.version FROM app.occupancies o
                                                         WHERE o.id = (answer ->> 'id')::bigint));
    END IF;
    wanted := app.normal_write('block', changes);
    target := wanted #> '{stay,to}';
    IF record IS NULL AND (target IS NULL OR NOT wanted ? 'kind' OR wanted #>> '{kind,to}' = 'stay') THEN
        PERFORM app.refuse('occupancies_kind_matches_booking', 'a block is no stay');
    END IF;
    IF record IS NOT NULL THEN
        theirs := app.lock_record('block', record);
        IF theirs IS NULL THEN
            RETURN app.finish_request(request, jsonb_build_object('outcome', 'missing'));
        END IF;
        conflicting := app.conflicts(theirs, wanted);
        IF conflicting IS NOT NULL THEN
            RETURN app.finish_request(request, jsonb_build_object('outcome', 'conflict', 'conflicts', conflicting,
                'changed_by', app.changed_by('occupancies', record, conflicting)));
        END IF;
    END IF;
    PERFORM app.lock_rooms(ARRAY[(target ->> 'room_id')::bigint, (theirs ->> 'room_id')::bigint]);
    BEGIN
        SET CONSTRAINTS app.occupancies_no_overlap IMMEDIATE;
        IF record IS NULL THEN
            INSERT INTO app.occupancies (room_id, arrival, departure, kind, reason)
            VALUES ((target ->> 'room_id')::bigint, (target ->> 'arrival')::date, (target ->> 'departure')::date,
                    wanted #>> '{kind,to}', wanted #>> '{reason,to}')
            RETURNING id INTO block;
        ELSE
            PERFORM app.write_block(record, wanted);
        END IF;
    EXCEPTION WHEN exclusion_violation THEN
        RETURN app.finish_request(request, jsonb_build_object('outcome', 'taken', 'id', record, 'in_the_way',
            app.in_the_way(jsonb_build_array(target), NULL, record)));
    END;
    answer := app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', block));
    IF theirs IS NOT NULL THEN
        answer := answer || jsonb_build_object('was', (
            SELECT coalesce(jsonb_object_agg(key, theirs -> key), '{}') FROM jsonb_object_keys(wanted) key));
    END IF;
    RETURN answer || jsonb_build_object('version', (SELECT o.version FROM app.occupancies o WHERE o.id = block));
END $$;

-- Lifting a block is everyday work, not an admin's.
CREATE OR REPLACE FUNCTION app.delete_block(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    IF EXISTS (SELECT FROM app.occupancies o WHERE o.id = record AND o.booking_id IS NOT NULL) THEN
        PERFORM app.refuse('occupancies_kind_matches_booking', 'a stay is no block');
    END IF;
    RETURN app.delete_record('occupancies', request, record);
END $$;

GRANT EXECUTE ON FUNCTION app.save_block(uuid, bigint, jsonb), app.delete_block(uuid, bigint) TO booking_user;
