-- How large the database was, a line a day: by it health knows how fast it grows.

CREATE TABLE app.sizes (
    day date CONSTRAINT sizes_pkey PRIMARY KEY,
    bytes bigint NOT NULL CONSTRAINT sizes_bytes_positive CHECK (bytes >= 0)
);
