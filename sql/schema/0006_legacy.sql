-- What the data migration keeps: raw rows that found no place, quarantine, ids that changed, fingerprints.

-- IF NOT EXISTS would still ask for CREATE on the database, which init-db has not granted yet.
DO $$
BEGIN
    IF to_regnamespace('legacy') IS NULL THEN
        CREATE SCHEMA legacy;
    END IF;
END $$;

CREATE TABLE legacy.runs (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT runs_pkey PRIMARY KEY,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source_sha256 text NOT NULL CONSTRAINT runs_source_sha256_form CHECK (source_sha256 ~ '^[0-9a-f]{64}$'),
    program_version text NOT NULL,
    report jsonb
);

-- Raw rows: each cell [storage class, text]; BLOB and text with NUL as base64. Staging during a run; what has no
-- place in the new schema stays. No row security: COPY refuses tables that have it; nobody but the owner has rights.
CREATE UNLOGGED TABLE legacy.source_rows (
    run_id bigint NOT NULL,
    table_name text NOT NULL,
    row_id bigint NOT NULL,
    data jsonb NOT NULL
);

-- Logged, unlike the staging: what stays for good must survive a crash.
CREATE TABLE legacy.kept_rows (
    run_id bigint NOT NULL CONSTRAINT kept_rows_run_id_fkey REFERENCES legacy.runs ON DELETE RESTRICT,
    table_name text NOT NULL,
    row_id bigint NOT NULL,
    -- Whole rows of unknown tables; of known tables only the columns that have no place.
    data jsonb NOT NULL,
    CONSTRAINT kept_rows_pkey PRIMARY KEY (run_id, table_name, row_id)
);

CREATE TABLE legacy.quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT quarantine_pkey PRIMARY KEY,
    run_id bigint NOT NULL CONSTRAINT quarantine_run_id_fkey REFERENCES legacy.runs ON DELETE RESTRICT,
    source_table text NOT NULL,
    source_id bigint NOT NULL,
    data jsonb NOT NULL,
    reason_code text NOT NULL,
    sentence text NOT NULL
);
CREATE INDEX idx_quarantine_source ON legacy.quarantine (source_table, source_id);
CREATE INDEX idx_quarantine_run ON legacy.quarantine (run_id);

CREATE TABLE legacy.id_map (
    run_id bigint NOT NULL CONSTRAINT id_map_run_id_fkey REFERENCES legacy.runs ON DELETE RESTRICT,
    table_name text NOT NULL,
    old_id bigint NOT NULL,
    new_id bigint NOT NULL,
    CONSTRAINT id_map_pkey PRIMARY KEY (table_name, old_id)
);
CREATE INDEX idx_id_map_run ON legacy.id_map (run_id);

CREATE TABLE legacy.source_fingerprints (
    table_name text NOT NULL,
    id bigint NOT NULL,
    sha256 bytea NOT NULL CONSTRAINT source_fingerprints_length CHECK (octet_length(sha256) = 32),
    -- No foreign key: it would be checked a million times for one and the same run.
    run_id bigint NOT NULL,
    -- Where the row is now; NULL: in quarantine, or kept in this schema.
    target_table text,
    target_id bigint,
    CONSTRAINT source_fingerprints_pkey PRIMARY KEY (table_name, id)
);
