-- What happened to backups, so that every desk can warn when the last good one is too old.

CREATE TABLE app.backups (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT backups_pkey PRIMARY KEY,
    -- copy: taken to another place by the command of the settings.
    kind text NOT NULL CONSTRAINT backups_kind CHECK (kind IN ('backup', 'copy', 'verification', 'restore')),
    at timestamptz NOT NULL DEFAULT now(),
    -- Without its directory: that is the server's business alone.
    file text CONSTRAINT backups_file_name
        CHECK (length(file) BETWEEN 1 AND 255 AND file !~ '[/\\[:cntrl:]]'),
    bytes bigint CONSTRAINT backups_bytes_positive CHECK (bytes >= 0),
    sha256 text CONSTRAINT backups_sha256_form CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    ok boolean NOT NULL,
    note text CONSTRAINT backups_note_length CHECK (length(note) BETWEEN 1 AND 500 AND note !~ '[[:cntrl:]]'),
    seconds numeric(10, 2) CONSTRAINT backups_seconds_positive CHECK (seconds >= 0),
    server_version text NOT NULL
);
-- The newest of a kind, and the newest good one: what every desk asks for.
CREATE INDEX idx_backups_newest ON app.backups (kind, at DESC);

-- For a house whose provider makes the backups, and for the demo: then no desk warns.
ALTER TABLE app.installation ADD COLUMN backups_elsewhere boolean NOT NULL DEFAULT false;
