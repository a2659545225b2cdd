-- Reminders: reading them by id, writing them, and who completed them.

-- What a desk fetches after a hint; ids that do not come back are gone.
CREATE OR REPLACE FUNCTION app.reminders(records bigint[])
RETURNS TABLE (id bigint, booking_id bigint, kind text, title text, description text, due_date date, priority text,
               completed boolean, completed_at timestamptz, completed_by text, snoozed_until date, version integer)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY SELECT r.id, r.booking_id, r.kind, r.title, r.description, r.due_date, r.priority, r.completed,
                        r.completed_at, r.completed_by, r.snoozed_until, r.version
                   FROM app.reminders r WHERE r.id = ANY (records) ORDER BY r.id;
END $$;

-- Whoever completes first stays named. Bulk work brings both columns along.
CREATE OR REPLACE FUNCTION app.stamp_completion() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    asking bigint;
BEGIN
    IF app.in_bulk_work() OR (TG_OP = 'UPDATE' AND NEW.completed = OLD.completed) THEN
        RETURN NEW;
    END IF;
    IF NEW.completed THEN
        asking := app.session_user_id();
        NEW.completed_at := now();
        NEW.completed_by := (SELECT coalesce(u.full_name, u.username) FROM auth.users u WHERE u.id = asking);
    ELSE
        NEW.completed_at := NULL;
        NEW.completed_by := NULL;
    END IF;
    RETURN NEW;
END $$;

CREATE OR REPLACE TRIGGER reminder_completion BEFORE INSERT OR UPDATE OF completed ON app.reminders
    FOR EACH ROW EXECUTE FUNCTION app.stamp_completion();

-- Typed by people: kind stays 'manual'; the automatic kinds are not theirs to make.
CREATE OR REPLACE FUNCTION app.save_reminder(request uuid, record bigint, changes jsonb) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    IF (record IS NULL OR changes ? 'title') AND changes #>> '{title,to}' IS NULL THEN
        PERFORM app.refuse('reminders_title_length', 'a reminder needs a title');
    END IF;
    IF (record IS NULL OR changes ? 'due_date') AND changes #>> '{due_date,to}' IS NULL THEN
        PERFORM app.refuse('reminder_has_due_date', 'a reminder needs a due date');
    END IF;
    RETURN app.save_record('reminders', request, record, changes, ARRAY[
        'booking_id', 'title', 'description', 'due_date', 'priority', 'completed', 'snoozed_until'],
        ARRAY[]::text[]);
END $$;

CREATE OR REPLACE FUNCTION app.delete_reminder(request uuid, record bigint) RETURNS jsonb
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_admin();
    RETURN app.delete_record('reminders', request, record);
END $$;

GRANT EXECUTE ON FUNCTION app.reminders(bigint[]), app.save_reminder(uuid, bigint, jsonb),
    app.delete_reminder(uuid, bigint) TO booking_user;
