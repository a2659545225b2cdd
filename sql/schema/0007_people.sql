-- People at work: where a session is, and how long the audit log is kept.

-- A hint for colleagues, never a lock: it ends with the session's signs of life. No foreign key: a booking that
-- somebody has open may be deleted all the same.
ALTER TABLE auth.sessions
    ADD COLUMN screen text CONSTRAINT sessions_screen_length CHECK (length(screen) BETWEEN 1 AND 60),
    ADD COLUMN booking_id bigint;

-- Failed sign-ins before this moment lock nobody out any more, but for attempts that were made before it.
ALTER TABLE auth.users
    ADD COLUMN lock_lifted_at timestamptz,
    ADD CONSTRAINT users_username_letters CHECK (username !~ '[[:cntrl:]]');

-- What new passwords cost; a sign-in with less is hashed anew.
ALTER TABLE auth.secrets
    ADD CONSTRAINT secrets_memory CHECK (memory_kib BETWEEN 19456 AND 262144),
    ADD CONSTRAINT secrets_iterations CHECK (iterations BETWEEN 2 AND 10),
    ADD CONSTRAINT secrets_parallelism CHECK (parallelism BETWEEN 1 AND 8);

-- Exporting or anonymising a person is written down like a change.
ALTER TABLE app.audit_log DROP CONSTRAINT audit_log_operation;
ALTER TABLE app.audit_log ADD CONSTRAINT audit_log_operation
    CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'EXPORT', 'ANONYMISE'));

ALTER TABLE app.house_settings ADD COLUMN audit_retention_months integer NOT NULL DEFAULT 120
    CONSTRAINT house_settings_audit_retention_range CHECK (audit_retention_months BETWEEN 12 AND 600);

-- All that was ever written about a guest's bookings, companions, credit and mails: for export and anonymising.
CREATE INDEX idx_audit_guest_after ON app.audit_log ((new_data ->> 'guest_id')) WHERE new_data ->> 'guest_id' IS NOT NULL;
CREATE INDEX idx_audit_guest_before ON app.audit_log ((old_data ->> 'guest_id')) WHERE old_data ->> 'guest_id' IS NOT NULL;
