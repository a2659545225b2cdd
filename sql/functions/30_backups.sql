-- The history of backups: written by dpolg_backup, told to everybody in six columns.

CREATE OR REPLACE FUNCTION app.guard_backups() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION 'the history of backups is append-only' USING ERRCODE = '42501';
END $$;

CREATE OR REPLACE TRIGGER backups_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON app.backups
    FOR EACH STATEMENT EXECUTE FUNCTION app.guard_backups();

-- For dpolg_backup and the owner; no client may execute it. What was measured outside comes as given, moment and
-- server version are the server's own.
CREATE OR REPLACE FUNCTION app.record_backup(
    kind text, file text, bytes bigint, sha256 text, ok boolean, note text, seconds numeric) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    written bigint;
BEGIN
    INSERT INTO app.backups (kind, file, bytes, sha256, ok, note, seconds, server_version)
    VALUES (record_backup.kind, record_backup.file, record_backup.bytes, record_backup.sha256, record_backup.ok,
            record_backup.note, record_backup.seconds, split_part(current_setting('server_version'), ' ', 1))
    RETURNING backups.id INTO written;
    RETURN written;
END $$;

-- Overdue: no good backup for a day, nor since the house was set up. The hour more is for the night in which the
-- clocks change and for the backup itself. The ok columns are NULL where there was none of the kind yet.
CREATE OR REPLACE FUNCTION auth.backup_state()
RETURNS TABLE (last_good_backup timestamptz, last_good_verification timestamptz, newest_backup_ok boolean,
               newest_verification_ok boolean, newest_copy_ok boolean, overdue boolean)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN QUERY
    SELECT good.backup, good.verification, newest.backup, newest.verification, newest.copy,
           NOT i.backups_elsewhere
           AND coalesce(good.backup, i.created_at) <= statement_timestamp() - interval '25 hours'
      FROM app.installation i,
           LATERAL (SELECT (SELECT max(b.at) FROM app.backups b WHERE b.kind = 'backup' AND b.ok) AS backup,
                           (SELECT max(b.at) FROM app.backups b WHERE b.kind = 'verification' AND b.ok)
                               AS verification) good,
           LATERAL (SELECT (SELECT b.ok FROM app.backups b WHERE b.kind = 'backup'
                             ORDER BY b.at DESC, b.id DESC LIMIT 1) AS backup,
                           (SELECT b.ok FROM app.backups b WHERE b.kind = 'verification'
                             ORDER BY b.at DESC, b.id DESC LIMIT 1) AS verification,
                           (SELECT b.ok FROM app.backups b WHERE b.kind = 'copy'
                             ORDER BY b.at DESC, b.id DESC LIMIT 1) AS copy) newest;
END $$;

CREATE OR REPLACE FUNCTION app.backup_state()
RETURNS TABLE (last_good_backup timestamptz, last_good_verification timestamptz, newest_backup_ok boolean,
               newest_verification_ok boolean, newest_copy_ok boolean, overdue boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM app.require_session();
    RETURN QUERY SELECT * FROM auth.backup_state();
END $$;

GRANT USAGE ON SCHEMA app TO dpolg_backup;
GRANT EXECUTE ON FUNCTION app.record_backup(text, text, bigint, text, boolean, text, numeric) TO dpolg_backup;
GRANT EXECUTE ON FUNCTION app.backup_state() TO booking_user;
