-- What happened: the audit log, the change feed of the live screens, and answered requests.

CREATE TABLE app.audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_log_pkey PRIMARY KEY,
    timestamp timestamptz NOT NULL DEFAULT now(),
    user_id bigint,
    username text,
    client_id text,
    table_name text NOT NULL,
    record_id bigint NOT NULL,
    operation text NOT NULL CONSTRAINT audit_log_operation CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    old_data jsonb,
    new_data jsonb,
    -- The booking of a stay: its history is one list.
    booking_id bigint
);
CREATE INDEX idx_audit_timestamp ON app.audit_log (timestamp DESC);
CREATE INDEX idx_audit_user ON app.audit_log (user_id);
CREATE INDEX idx_audit_record ON app.audit_log (table_name, record_id, id DESC);
CREATE INDEX idx_audit_booking ON app.audit_log (booking_id, id DESC) WHERE booking_id IS NOT NULL;

CREATE TABLE app.change_feed (
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    table_name text NOT NULL,
    record_id bigint NOT NULL,
    operation text NOT NULL,
    user_id bigint,
    client_id text,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX idx_change_feed_xid ON app.change_feed (xid);
CREATE INDEX idx_change_feed_at ON app.change_feed (at);

CREATE TABLE app.requests (
    id uuid CONSTRAINT requests_pkey PRIMARY KEY,
    user_id bigint NOT NULL CONSTRAINT requests_user_id_fkey REFERENCES auth.users ON DELETE RESTRICT,
    function text NOT NULL,
    arguments_hash bytea NOT NULL,
    answer jsonb,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX idx_requests_at ON app.requests (at);
CREATE INDEX idx_requests_user ON app.requests (user_id);
