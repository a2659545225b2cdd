-- Rules of auth.users for everybody, the owner's command line included: triggers.

CREATE OR REPLACE FUNCTION auth.normal_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    NEW.username := normalize(btrim(NEW.username), NFC);
    NEW.full_name := nullif(btrim(NEW.full_name), '');
    NEW.email := nullif(btrim(NEW.email), '');
    IF NEW.email NOT LIKE '%_@_%' AND (TG_OP = 'INSERT' OR NEW.email IS DISTINCT FROM OLD.email) THEN
        PERFORM app.refuse('users_email_at', 'an e-mail address has an @');
    END IF;
    RETURN NEW;
END $$;

-- Always in the order of ids and before the first of them is changed: two admins who demote each other at the same
-- moment wait for each other, they never deadlock.
CREATE OR REPLACE FUNCTION auth.lock_accounts(besides bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM FROM auth.users u WHERE u.id = besides OR (u.role = 'admin' AND u.active)
      ORDER BY u.id FOR NO KEY UPDATE;
END $$;

CREATE OR REPLACE FUNCTION auth.lock_admins() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.lock_accounts(NULL);
    RETURN NULL;
END $$;

-- Who has left a trace: anything that names him, besides attempts to sign in.
CREATE OR REPLACE FUNCTION auth.people_with_history(one bigint DEFAULT NULL) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    traces text;
BEGIN
    SELECT string_agg(format('EXISTS (SELECT FROM %s r WHERE r.%I = u.id)', c.conrelid::regclass, a.attname), ' OR '
                      ORDER BY c.conrelid <> 'auth.sessions'::regclass, c.conname)
      INTO traces
      FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
     WHERE c.contype = 'f' AND c.confrelid = 'auth.users'::regclass AND c.conrelid <> 'auth.attempts'::regclass;
    RETURN QUERY EXECUTE 'SELECT u.id FROM auth.users u WHERE ($1 IS NULL OR u.id = $1) AND ('
        || 'EXISTS (SELECT FROM app.audit_log r WHERE r.user_id = u.id) OR ' || traces || ')' USING one;
END $$;

-- Before the change: afterwards a deactivated person would not be known as the one who asks.
CREATE OR REPLACE FUNCTION auth.refuse_own_role() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF app.session_user_id() = OLD.id
       AND (TG_OP = 'DELETE' OR NEW.role IS DISTINCT FROM OLD.role OR NEW.active IS DISTINCT FROM OLD.active) THEN
        PERFORM app.refuse('users_own_role', 'nobody changes his own role');
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION auth.check_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    demoted boolean := OLD.role = 'admin' AND OLD.active;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.role = OLD.role AND NEW.active = OLD.active THEN
            RETURN NULL;
        END IF;
        demoted := demoted AND NOT (NEW.role = 'admin' AND NEW.active);
    END IF;
    IF demoted AND NOT EXISTS (SELECT FROM auth.users u WHERE u.role = 'admin' AND u.active) THEN
        PERFORM app.refuse('users_last_admin', 'somebody must be an active admin');
    END IF;
    IF TG_OP = 'UPDATE' THEN
        PERFORM auth.end_sessions(OLD.id, CASE WHEN OLD.active AND NOT NEW.active THEN 'deactivated'
                                               ELSE 'role_changed' END);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION auth.forget_user() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF EXISTS (SELECT FROM auth.people_with_history(OLD.id)) THEN
        PERFORM app.refuse('users_with_history', 'this user has left traces');
    END IF;
    UPDATE auth.attempts a SET user_id = NULL WHERE a.user_id = OLD.id;
    RETURN OLD;
END $$;

CREATE OR REPLACE TRIGGER user_normal BEFORE INSERT OR UPDATE OF username, full_name, email ON auth.users
    FOR EACH ROW EXECUTE FUNCTION auth.normal_user();
CREATE OR REPLACE TRIGGER user_before_own BEFORE UPDATE OF role, active OR DELETE ON auth.users
    FOR EACH ROW EXECUTE FUNCTION auth.refuse_own_role();
CREATE OR REPLACE TRIGGER user_locks BEFORE UPDATE OF role, active OR DELETE ON auth.users
    FOR EACH STATEMENT EXECUTE FUNCTION auth.lock_admins();
CREATE OR REPLACE TRIGGER user_forget BEFORE DELETE ON auth.users
    FOR EACH ROW EXECUTE FUNCTION auth.forget_user();
CREATE OR REPLACE TRIGGER user_rules AFTER UPDATE OF role, active OR DELETE ON auth.users
    FOR EACH ROW EXECUTE FUNCTION auth.check_user();
