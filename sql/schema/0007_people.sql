-- People at work: where a session is, and how long the audit log is kept.

-- A hint for colleagues, never a lock: it ends with the session's signs of life. No foreign key: a booking that
-- somebody has open may be deleted all the same.
ALTER TABLE auth.sessions
    ADD COLUMN screen text CONSTRAINT sessions_screen_length
        CHECK (length(screen) BETWEEN 1 AND 60 AND screen !~ '[[:cntrl:]]'),
    ADD COLUMN booking_id bigint;

-- Failed sign-ins before this moment lock nobody out any more, but for attempts that were made before it.
ALTER TABLE auth.users
    ADD COLUMN lock_lifted_at timestamptz,
    ADD CONSTRAINT users_username_letters CHECK (concat_ws(' ', username, full_name, email) !~ '[[:cntrl:]]');

-- A key to users would be looked up for names that somebody has, and for no others: a difference in time.
ALTER TABLE auth.attempts DROP CONSTRAINT attempts_user_id_fkey;
-- A flood of failures elsewhere must not slow down whoever signs in.
CREATE INDEX idx_attempts_address ON auth.attempts (name_hash, address, at);
CREATE INDEX idx_attempts_success ON auth.attempts (name_hash, address, at) WHERE succeeded;

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

-- A day that the desks' calendar does not have would stop every desk that reads it.
ALTER TABLE app.rooms ADD CONSTRAINT rooms_retired_from_range
    CHECK (retired_from BETWEEN DATE '0001-01-01' AND DATE '9999-12-31');
ALTER TABLE app.bookings
    ADD CONSTRAINT bookings_option_expires_range
        CHECK (option_expires BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'),
    ADD CONSTRAINT bookings_cleaning_date_range CHECK (cleaning_date BETWEEN DATE '0001-01-01' AND DATE '9999-12-31');
ALTER TABLE app.reminders
    ADD CONSTRAINT reminders_due_date_range CHECK (due_date BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'),
    ADD CONSTRAINT reminders_snoozed_until_range CHECK (snoozed_until BETWEEN DATE '0001-01-01' AND DATE '9999-12-31');
