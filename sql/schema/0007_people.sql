-- People at work: where a session is, and how long the audit log is kept.

-- A hint for colleagues, never a lock: it ends with the session's signs of life. No foreign key: a booking that
-- somebody has open may be deleted all the same.
ALTER TABLE auth.sessions
    ADD COLUMN screen text CONSTRAINT sessions_screen_length CHECK (length(screen) BETWEEN 1 AND 60),
    ADD COLUMN booking_id bigint;

-- Exporting or anonymising a person is written down like a change.
ALTER TABLE app.audit_log DROP CONSTRAINT audit_log_operation;
ALTER TABLE app.audit_log ADD CONSTRAINT audit_log_operation
    CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE', 'EXPORT', 'ANONYMISE'));

ALTER TABLE app.house_settings ADD COLUMN audit_retention_months integer NOT NULL DEFAULT 120
    CONSTRAINT house_settings_audit_retention_range CHECK (audit_retention_months BETWEEN 12 AND 600);
