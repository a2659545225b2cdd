-- What has had its time.

-- A little at each call: it also runs within heartbeats, which must stay quick. Returns how many rows went.
DROP FUNCTION IF EXISTS app.forget_the_old();
CREATE OR REPLACE FUNCTION app.forget_the_old(most integer DEFAULT 1000) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    purged xid8;
    gone bigint;
    total bigint;
BEGIN
    WITH gone AS (
        DELETE FROM app.change_feed c WHERE c.ctid = ANY (ARRAY(
            SELECT f.ctid FROM app.change_feed f WHERE f.at < now() - interval '7 days' ORDER BY f.at LIMIT most))
        RETURNING c.xid)
    SELECT (SELECT g.xid FROM gone g ORDER BY g.xid DESC LIMIT 1), count(*) INTO purged, total FROM gone;
    -- A desk whose snapshot is older may have missed what is gone now: it reads everything again.
    UPDATE app.installation i SET feed_floor = purged WHERE purged > i.feed_floor;
    DELETE FROM app.requests r WHERE r.id = ANY (ARRAY(
        SELECT q.id FROM app.requests q WHERE q.at < now() - interval '30 days' LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM auth.attempts a WHERE a.id = ANY (ARRAY(
        SELECT t.id FROM auth.attempts t WHERE t.at < now() - interval '90 days' LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    total := total + gone;
    DELETE FROM auth.sessions s WHERE s.id = ANY (ARRAY(
        SELECT o.id FROM auth.sessions o WHERE o.last_seen < now() - interval '90 days' LIMIT most));
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN total + gone;
END $$;

-- The owner's, in a restored copy and before any desk gets there: sessions of the old house are over, its transaction
-- numbers mean nothing here, and desks that come over read everything anew.
CREATE OR REPLACE FUNCTION auth.after_restore() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE auth.sessions s SET ended_at = now(), end_reason = 'restored' WHERE s.ended_at IS NULL;
    UPDATE auth.attempts a SET judged = true, guess = NULL WHERE NOT a.judged;
    TRUNCATE app.change_feed;
    UPDATE app.installation i SET instance_id = gen_random_uuid(), feed_floor = '0';
END $$;

-- The owner's verb: everything at once.
CREATE OR REPLACE FUNCTION auth.housekeeping() RETURNS jsonb
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM auth.note_size();
    RETURN jsonb_build_object('audit', auth.prune_audit_log(), 'others', app.forget_the_old(NULL));
END $$;
