-- What the house needs on paper when the computers fail: who comes, goes, stays; what is blocked, what to clean.

-- Not for booking_user: the caller has checked the session. Without a first day: today in the house.
CREATE OR REPLACE FUNCTION app.emergency_days(first date, days integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    begins date := coalesce(first, app.today());
    ends date := begins + greatest(1, least(coalesce(days, 7), 31));
BEGIN
    RETURN jsonb_build_object('made_at', statement_timestamp(), 'first', begins, 'last', ends) || (
        -- Also who should have left, who left just now, and whose room is cleaned later than the departure.
        WITH wanted AS MATERIALIZED (
            SELECT o.id FROM app.occupancies o
             WHERE o.active AND o.arrival < ends AND o.departure >= begins AND o.arrival >= begins - 366
            UNION
            SELECT o.id FROM app.bookings b JOIN app.occupancies o ON o.booking_id = b.id AND o.active
             WHERE b.status = 'eingecheckt' AND o.departure < begins
               AND NOT EXISTS (SELECT FROM app.occupancies later
                                WHERE later.booking_id = b.id AND later.departure > o.departure)
            UNION
            SELECT o.id FROM app.bookings b JOIN app.occupancies o ON o.booking_id = b.id AND o.active
             WHERE b.cleaning_date >= begins AND b.cleaning_date < ends)
        SELECT jsonb_build_object('taken', coalesce(jsonb_agg(jsonb_build_object(
                   'room_id', o.room_id, 'room', r.name, 'building', r.building, 'place', r.place,
                   'arrival', o.arrival, 'departure', o.departure, 'kind', o.kind, 'reason', o.reason,
                   'number', b.number, 'status', b.status, 'persons', b.persons,
                   'last_name', g.last_name, 'first_name', g.first_name,
                   -- The day that is set counts for the last room of a guest who moves.
                   'cleaning', CASE WHEN EXISTS (SELECT FROM app.occupancies later
                                                  WHERE later.booking_id = b.id AND later.departure > o.departure)
                                    THEN o.departure ELSE coalesce(b.cleaning_date, o.departure) END)
                   ORDER BY r.place, r.building NULLS FIRST, r.name, r.id, o.arrival, o.id), '[]'))
          FROM wanted w
          JOIN app.occupancies o ON o.id = w.id
          LEFT JOIN app.rooms r ON r.id = o.room_id
          LEFT JOIN app.bookings b ON b.id = o.booking_id
          LEFT JOIN app.guests g ON g.id = b.guest_id);
END $$;

CREATE OR REPLACE FUNCTION app.emergency_list(first date, days integer) RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN app.emergency_days(first, days);
END $$;

GRANT EXECUTE ON FUNCTION app.emergency_list(date, integer) TO booking_user;
