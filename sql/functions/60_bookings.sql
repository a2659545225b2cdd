-- Bookings, and what they share with blocks: everything that takes a room.

-- What takes one of these rooms in these nights. targets: [{room_id, arrival, departure}].
CREATE OR REPLACE FUNCTION app.in_the_way(targets jsonb, except_booking bigint, except_occupancy bigint) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
                   'occupancy_id', o.id, 'booking_id', o.booking_id, 'room_id', o.room_id,
                   'arrival', o.arrival, 'departure', o.departure,
                   'label', CASE WHEN b.id IS NULL THEN coalesce(o.reason, '')
                                 ELSE b.number || ' ' || g.last_name END,
                   'kind', o.kind) ORDER BY o.arrival, o.id), '[]')
          FROM jsonb_to_recordset(targets) t (room_id bigint, arrival date, departure date)
          JOIN app.occupancies o ON o.room_id = t.room_id AND o.active AND o.arrival < t.departure
               AND o.departure > t.arrival AND o.arrival >= t.arrival - 365
          LEFT JOIN app.bookings b ON b.id = o.booking_id
          LEFT JOIN app.guests g ON g.id = b.guest_id
         WHERE (except_booking IS NULL OR o.booking_id IS DISTINCT FROM except_booking)
           AND o.id IS DISTINCT FROM except_occupancy);
END $$;

CREATE OR REPLACE FUNCTION app.normal_stay(value jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT CASE WHEN jsonb_typeof(value) = 'object' THEN
        app.stay_value((value ->> 'room_id')::bigint, (value ->> 'arrival')::date, (value ->> 'departure')::date) END
$$;

-- {field: {from, to}} of a stay: room, arrival and departure are one field.
CREATE OR REPLACE FUNCTION app.normal_stays(changes jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce(jsonb_object_agg(key, jsonb_build_object('from', app.normal_stay(value -> 'from'),
                                                             'to', app.normal_stay(value -> 'to'))), '{}')
      FROM jsonb_each(changes)
     WHERE key = 'stay' OR key LIKE 'stay/%'
$$;

-- Changes of a booking or a block: its fields in the types of the tables, and each stay as one field.
CREATE OR REPLACE FUNCTION app.normal_write(kind text, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stays jsonb := app.normal_stays(changes);
    fields jsonb := changes - ARRAY(SELECT jsonb_object_keys(stays));
BEGIN
    CASE kind
        WHEN 'booking' THEN
            RETURN stays || app.normal_changes('bookings', fields, ARRAY['guest_id', 'status', 'persons',
                'option_expires', 'foundation_case', 'guest_is_member', 'cleaning_date', 'notes',
                'cancellation_reason']);
        WHEN 'block' THEN
            RETURN stays || app.normal_changes('occupancies', fields, ARRAY['kind', 'reason']);
    END CASE;
END $$;

-- Locks a booking or a block: its stored values as changes name them, NULL if there is none.
CREATE OR REPLACE FUNCTION app.lock_record(kind text, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stored jsonb;
BEGIN
    IF kind = 'block' THEN
        SELECT to_jsonb(o) || jsonb_build_object('stay', app.stay_value(o.room_id, o.arrival, o.departure))
          INTO stored FROM app.occupancies o WHERE o.id = record AND o.booking_id IS NULL FOR NO KEY UPDATE;
        RETURN stored;
    END IF;
    SELECT to_jsonb(b) INTO stored FROM app.bookings b WHERE b.id = record FOR NO KEY UPDATE;
    -- A statement of its own: what was waited for is seen.
    RETURN stored || (SELECT coalesce(jsonb_object_agg('stay/' || o.id,
                                                       app.stay_value(o.room_id, o.arrival, o.departure)), '{}')
                        FROM app.occupancies o WHERE o.booking_id = record);
END $$;

CREATE OR REPLACE FUNCTION app.lock_rooms(rooms bigint[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Always in the order of ids: two desks never wait for each other.
    PERFORM FROM app.rooms r WHERE r.id = ANY (rooms) ORDER BY r.id FOR NO KEY UPDATE;
END $$;

-- The rules of a booking that no single row can hold. Checked only for what this change touches.
CREATE OR REPLACE FUNCTION app.check_booking(booking bigint, old_status text, touched text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    now_is app.bookings;
    allowed constant jsonb := '{
        "reserviert": ["bestaetigt", "eingecheckt", "storniert"],
        "bestaetigt": ["reserviert", "eingecheckt", "storniert"],
        "eingecheckt": ["reserviert", "bestaetigt", "ausgecheckt"],
        "ausgecheckt": ["eingecheckt"],
        "storniert": ["reserviert", "bestaetigt"]}';
    stays_touched boolean := EXISTS (SELECT FROM unnest(touched) t WHERE t LIKE 'stay%');
BEGIN
    SELECT b.* INTO now_is FROM app.bookings b WHERE b.id = booking;
    IF old_status <> now_is.status AND NOT allowed -> old_status ? now_is.status THEN
        PERFORM app.refuse('status_transition', 'this change of status is not possible');
    END IF;
    IF now_is.status IN ('eingecheckt', 'ausgecheckt') AND (stays_touched OR old_status <> now_is.status)
       AND EXISTS (SELECT FROM app.occupancies o WHERE o.booking_id = booking AND o.room_id IS NULL) THEN
        PERFORM app.refuse('stays_need_room', 'a guest in the house needs a room');
    END IF;
    IF stays_touched AND EXISTS (
        SELECT FROM app.occupancies o JOIN app.rooms r ON r.id = o.room_id
         WHERE o.booking_id = booking AND o.departure > r.retired_from) THEN
        PERFORM app.refuse('room_not_retired', 'the room is retired by then');
    END IF;
    IF (stays_touched OR 'persons' = ANY (touched)) AND EXISTS (
        -- At each beginning of a stay: the beds of all rooms that the booking has in that night.
        SELECT FROM app.occupancies o
         WHERE o.booking_id = booking
           AND (SELECT CASE WHEN bool_or(s.room_id IS NULL) THEN NULL ELSE sum(r.capacity) END
                  FROM app.occupancies s LEFT JOIN app.rooms r ON r.id = s.room_id
                 WHERE s.booking_id = booking AND s.arrival <= o.arrival AND s.departure > o.arrival) < now_is.persons)
    THEN
        PERFORM app.refuse('persons_within_capacity', 'more persons than beds');
    END IF;
END $$;

-- Stays of the booking to where they are wanted.
CREATE OR REPLACE FUNCTION app.place_stays(booking bigint, stays jsonb) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- One statement for all of them: they may exchange their rooms.
    UPDATE app.occupancies o
       SET room_id = (s.value #>> '{to,room_id}')::bigint,
           arrival = (s.value #>> '{to,arrival}')::date, departure = (s.value #>> '{to,departure}')::date
      FROM jsonb_each(stays) s
     WHERE o.booking_id = booking AND s.key = 'stay/' || o.id AND jsonb_typeof(s.value -> 'to') = 'object'
       AND app.stay_value(o.room_id, o.arrival, o.departure) <> s.value -> 'to';
END $$;

-- Writes fields and stays of a locked booking. Raises 23P01 when a room is taken, at the latest when judged.
CREATE OR REPLACE FUNCTION app.write_booking(booking bigint, current app.bookings, fields jsonb, stays jsonb)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    new_status text := coalesce(fields #>> '{status,to}', current.status);
    lost_room boolean := false;
BEGIN
    IF current.status = 'storniert' AND new_status <> 'storniert' THEN
        -- Brought back: into its room if that is still free, else into the unassigned lane.
        UPDATE app.occupancies o SET room_id = NULL
         WHERE o.booking_id = booking AND o.room_id IS NOT NULL AND NOT stays ? ('stay/' || o.id)
           AND EXISTS (SELECT FROM app.occupancies t WHERE t.room_id = o.room_id AND t.active
                          AND t.arrival < o.departure AND t.departure > o.arrival AND t.arrival >= o.arrival - 365);
        lost_room := FOUND;
        -- Those that are to be elsewhere go there while they take no room yet.
        PERFORM app.place_stays(booking, stays);
    END IF;
    IF new_status <> current.status THEN
        fields := fields || jsonb_build_object(
            'cancelled_at', jsonb_build_object('to', CASE WHEN new_status = 'storniert' THEN now() END),
            'checked_in_at', jsonb_build_object('to', CASE
                WHEN new_status = 'eingecheckt' AND current.status <> 'ausgecheckt' THEN now()
                WHEN new_status IN ('eingecheckt', 'ausgecheckt') THEN current.checked_in_at END),
            'checked_out_at', jsonb_build_object('to', CASE WHEN new_status = 'ausgecheckt' THEN now() END));
        IF new_status <> 'storniert' THEN
            fields := fields || '{"cancellation_reason": {"to": null}}';
            -- What the cancelling closed is open again; what somebody had done before stays done.
            UPDATE app.reminders r SET completed = false
             WHERE r.booking_id = booking AND r.completed AND r.completed_at = current.cancelled_at;
        ELSE
            UPDATE app.reminders r SET completed = true WHERE r.booking_id = booking AND NOT r.completed;
        END IF;
    END IF;
    PERFORM app.write_fields('bookings', booking, fields);
    IF fields ? 'guest_id' AND NOT fields ? 'guest_is_member' THEN
        UPDATE app.bookings b SET guest_is_member = g.is_member
          FROM app.guests g WHERE b.id = booking AND g.id = b.guest_id AND b.guest_is_member <> g.is_member;
    END IF;
    -- What goes makes room for what stays: two stays may become one.
    DELETE FROM app.occupancies o USING jsonb_each(stays) s
     WHERE o.booking_id = booking AND s.key = 'stay/' || o.id AND jsonb_typeof(s.value -> 'to') <> 'object';
    PERFORM app.place_stays(booking, stays);
    INSERT INTO app.occupancies (booking_id, kind, active, room_id, arrival, departure)
    SELECT booking, 'stay', new_status <> 'storniert', (s.value #>> '{to,room_id}')::bigint,
           (s.value #>> '{to,arrival}')::date, (s.value #>> '{to,departure}')::date
      FROM jsonb_each(stays) s
     WHERE jsonb_typeof(s.value -> 'to') = 'object'
       -- Also one that somebody removed and that is wanted back: it has a new id then.
       AND NOT EXISTS (SELECT FROM app.occupancies o WHERE o.booking_id = booking AND s.key = 'stay/' || o.id)
     ORDER BY s.key;
    IF NOT EXISTS (SELECT FROM app.occupancies o WHERE o.booking_id = booking) THEN
        PERFORM app.refuse('booking_has_stay', 'a booking needs a stay');
    END IF;
    PERFORM app.check_booking(booking, current.status,
        ARRAY(SELECT jsonb_object_keys(fields) UNION ALL SELECT jsonb_object_keys(stays)));
    RETURN lost_room;
END $$;

CREATE OR REPLACE FUNCTION app.save_booking(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    wanted jsonb;
    stays jsonb;
    fields jsonb;
    theirs jsonb;
    conflicting jsonb;
    current app.bookings;
    booking bigint := record;
    lost_room boolean;
    others jsonb;
BEGIN
    PERFORM app.require_session();
    answer := app.begin_request(request, 'save bookings', jsonb_build_object('id', record, 'changes', changes));
    IF answer IS NOT NULL THEN
        RETURN app.with_booking_state(answer);
    END IF;
    wanted := app.normal_write('booking', changes);
    stays := app.normal_stays(wanted);
    fields := wanted - ARRAY(SELECT jsonb_object_keys(stays));
    IF record IS NOT NULL THEN
        theirs := app.lock_record('booking', record);
        IF theirs IS NULL THEN
            RETURN app.finish_request(request, jsonb_build_object('outcome', 'missing'));
        END IF;
        current := jsonb_populate_record(NULL::app.bookings, theirs);
        conflicting := app.conflicts(theirs, wanted);
        IF conflicting IS NOT NULL THEN
            RETURN app.finish_request(request, jsonb_build_object('outcome', 'conflict', 'conflicts', conflicting,
                'changed_by', app.changed_by('bookings', record, conflicting), 'state', app.booking_state(record)));
        END IF;
    END IF;
    PERFORM app.lock_rooms(ARRAY(
        SELECT (s.value #>> '{to,room_id}')::bigint FROM jsonb_each(stays) s
        UNION SELECT o.room_id FROM app.occupancies o WHERE o.booking_id = record));
    BEGIN
        -- Also after SET CONSTRAINTS DEFERRED by the caller.
        SET CONSTRAINTS app.occupancies_no_overlap IMMEDIATE;
        IF record IS NULL THEN
            booking := app.insert_booking(fields);
            SELECT b.* INTO current FROM app.bookings b WHERE b.id = booking;
            fields := '{}';
        END IF;
        lost_room := app.write_booking(booking, current, fields, stays);
    EXCEPTION WHEN exclusion_violation THEN
        others := app.in_the_way((SELECT jsonb_agg(s.value -> 'to') FROM jsonb_each(stays) s
                                   WHERE jsonb_typeof(s.value -> 'to') = 'object'), record, NULL);
        IF others = '[]' THEN
            PERFORM app.refuse('stays_overlap', 'two stays of this booking share a room and a night');
        END IF;
        RETURN app.finish_request(request,
            jsonb_build_object('outcome', 'taken', 'id', record, 'in_the_way', others));
    END;
    -- Beside what it is now what it was: the difference is what this change did, with all that followed from it.
    RETURN app.with_booking_state(app.finish_request(request,
        jsonb_build_object('outcome', 'done', 'id', booking, 'lost_room', lost_room)))
        || CASE WHEN theirs IS NULL THEN '{}' ELSE jsonb_build_object('was', theirs) END;
END $$;

CREATE OR REPLACE FUNCTION app.with_booking_state(answer jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    state jsonb := app.booking_state((answer ->> 'id')::bigint);
BEGIN
    IF state IS NULL THEN
        -- Done once, deleted since, asked again.
        RETURN jsonb_build_object('outcome', 'missing');
    END IF;
    RETURN answer || jsonb_build_object('version', state -> 'version', 'state', state);
END $$;

CREATE OR REPLACE FUNCTION app.insert_booking(fields jsonb) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    this_year integer := extract(year FROM app.today());
    next_number bigint;
    booking bigint;
BEGIN
    -- The row of the year is locked until commit: numbers follow each other.
    INSERT INTO app.number_counters AS c (year, last) VALUES (this_year, 1)
    ON CONFLICT ON CONSTRAINT number_counters_pkey DO UPDATE SET last = c.last + 1
    RETURNING last INTO next_number;
    IF fields #>> '{status,to}' IN ('eingecheckt', 'ausgecheckt', 'storniert') THEN
        PERFORM app.refuse('status_transition', 'a new booking is reserved or confirmed');
    END IF;
    IF fields #>> '{guest_id,to}' IS NULL THEN
        PERFORM app.refuse('booking_has_guest', 'a booking needs a guest');
    END IF;
    INSERT INTO app.bookings (number, guest_id, status, persons, option_expires, foundation_case, guest_is_member,
                              cleaning_date, notes)
    SELECT this_year || '-' || next_number, n.guest_id, coalesce(n.status, 'bestaetigt'), coalesce(n.persons, 1),
           n.option_expires, coalesce(n.foundation_case, false),
           coalesce(n.guest_is_member, g.is_member, false), n.cleaning_date, n.notes
      FROM jsonb_populate_record(NULL::app.bookings,
               (SELECT jsonb_object_agg(key, value -> 'to') FROM jsonb_each(fields))) n
      LEFT JOIN app.guests g ON g.id = n.guest_id
    RETURNING id INTO booking;
    RETURN booking;
END $$;

CREATE OR REPLACE FUNCTION app.delete_booking(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    answer jsonb;
    current app.bookings;
BEGIN
    PERFORM app.require_admin();
    answer := app.begin_request(request, 'delete bookings', jsonb_build_object('id', record));
    IF answer IS NOT NULL THEN
        RETURN answer;
    END IF;
    SELECT b.* INTO current FROM app.bookings b WHERE b.id = record FOR UPDATE;
    IF NOT FOUND THEN
        RETURN app.finish_request(request, jsonb_build_object('outcome', 'missing'));
    END IF;
    IF current.checked_in_at IS NOT NULL OR current.status IN ('eingecheckt', 'ausgecheckt') THEN
        PERFORM app.refuse('booking_not_used', 'the guest has been in the house');
    ELSIF EXISTS (SELECT FROM app.payments p WHERE p.booking_id = record) THEN
        PERFORM app.refuse('booking_without_payments', 'money was received for this booking');
    END IF;
    DELETE FROM app.occupancies o WHERE o.booking_id = record;
    -- What is only part of it goes with it; money received and mails sent keep it.
    DELETE FROM app.reminders r WHERE r.booking_id = record;
    DELETE FROM app.price_lines l WHERE l.booking_id = record;
    DELETE FROM app.booking_companions c WHERE c.booking_id = record;
    DELETE FROM app.bookings b WHERE b.id = record;
    RETURN app.finish_request(request, jsonb_build_object('outcome', 'done', 'id', record));
END $$;

GRANT EXECUTE ON FUNCTION app.save_booking(uuid, bigint, jsonb), app.delete_booking(uuid, bigint) TO booking_user;
