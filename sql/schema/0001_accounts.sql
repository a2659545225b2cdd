-- Who may work here: users, sessions, sign-in attempts; and what this installation is.
-- Schemas app, auth and ext exist already (init-db makes them); this runs as dpolg_owner.

CREATE TABLE app.installation (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT installation_one_row CHECK (only_row),
    instance_id uuid NOT NULL DEFAULT gen_random_uuid(),
    minimum_client text NOT NULL DEFAULT '0.1.0',
    -- Changes of older transactions are no longer in the feed: an older snapshot means reload.
    feed_floor xid8 NOT NULL DEFAULT '0',
    created_at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO app.installation DEFAULT VALUES;

CREATE TABLE auth.secrets (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT secrets_one_row CHECK (only_row),
    -- Function bodies are readable by everybody: the pepper of the fake salts lives here.
    pepper bytea NOT NULL,
    memory_kib integer NOT NULL DEFAULT 65536,
    iterations integer NOT NULL DEFAULT 3,
    parallelism integer NOT NULL DEFAULT 4
);
INSERT INTO auth.secrets (pepper)
VALUES (sha256(decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')));

CREATE TABLE auth.users (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT users_pkey PRIMARY KEY,
    username text NOT NULL
        CONSTRAINT users_username_length CHECK (length(username) BETWEEN 1 AND 50 AND username = btrim(username)),
    full_name text CONSTRAINT users_full_name_length CHECK (length(full_name) BETWEEN 1 AND 100),
    email text CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 100),
    role text NOT NULL DEFAULT 'user' CONSTRAINT users_role CHECK (role IN ('admin', 'user')),
    active boolean NOT NULL DEFAULT true,
    must_change_password boolean NOT NULL DEFAULT true,
    memory_kib integer NOT NULL CONSTRAINT users_memory CHECK (memory_kib BETWEEN 19456 AND 262144),
    iterations integer NOT NULL CONSTRAINT users_iterations CHECK (iterations BETWEEN 2 AND 10),
    parallelism integer NOT NULL CONSTRAINT users_parallelism CHECK (parallelism BETWEEN 1 AND 8),
    salt bytea NOT NULL CONSTRAINT users_salt_length CHECK (octet_length(salt) = 16),
    -- sha256 of the argon2id tag: a leaked table does not log in.
    verifier bytea NOT NULL CONSTRAINT users_verifier_length CHECK (octet_length(verifier) = 32),
    last_login timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT users_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT users_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE UNIQUE INDEX users_username_key ON auth.users (lower(username));
CREATE INDEX idx_users_created_by ON auth.users (created_by);
CREATE INDEX idx_users_updated_by ON auth.users (updated_by);

CREATE TABLE auth.sessions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT sessions_pkey PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT sessions_token_length CHECK (octet_length(token_hash) = 32),
    user_id bigint NOT NULL CONSTRAINT sessions_user_id_fkey REFERENCES auth.users ON DELETE RESTRICT,
    -- "desk#host": the desk part goes into notifications, the host only into the audit log.
    client_id text NOT NULL CONSTRAINT sessions_client_length CHECK (length(client_id) BETWEEN 1 AND 100),
    address inet,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    end_reason text,
    CONSTRAINT sessions_token_key UNIQUE (token_hash)
);
CREATE INDEX idx_sessions_user ON auth.sessions (user_id);
CREATE INDEX idx_sessions_open ON auth.sessions (last_seen) WHERE ended_at IS NULL;

CREATE TABLE auth.attempts (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT attempts_pkey PRIMARY KEY,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- People type passwords into the name field: only a peppered hash of the name is kept.
    name_hash bytea NOT NULL,
    user_id bigint CONSTRAINT attempts_user_id_fkey REFERENCES auth.users ON DELETE RESTRICT,
    address inet NOT NULL,
    guess bytea,
    token_hash bytea NOT NULL,
    client_id text NOT NULL CONSTRAINT attempts_client_length CHECK (length(client_id) BETWEEN 1 AND 100),
    judged boolean NOT NULL DEFAULT false,
    succeeded boolean NOT NULL DEFAULT false
);
CREATE INDEX idx_attempts_name ON auth.attempts (name_hash, at);
CREATE INDEX idx_attempts_at ON auth.attempts (at);
CREATE INDEX idx_attempts_user ON auth.attempts (user_id);
