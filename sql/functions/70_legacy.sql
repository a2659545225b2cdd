-- Reading the predecessor's cells. A cell is [storage class, text]; what cannot be read becomes NULL, never an error.
-- Small SQL functions without settings: the planner puts them into the statements that call them.

-- Functions that catch an error cannot run in parallel workers, nor can those that call them.

-- With a zone ('…T22:00:00Z', as browsers write a local midnight) it is the day in Berlin.
CREATE OR REPLACE FUNCTION legacy.unusual_day_of(value text) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    typed constant text := btrim(value, E' \t\r\n');
    part text[];
    found date;
BEGIN
    IF typed ~ '^\d{4}-\d{1,2}-\d{1,2}[T ].*(Z|[+-]\d\d(:?\d\d)?)$' THEN
        found := (legacy.moment_of(typed) AT TIME ZONE 'Europe/Berlin')::date;
    ELSIF typed ~ '^\d{4}-\d{1,2}-\d{1,2}([T ]+\d{1,2}:\d\d(:\d\d([.,]\d+)?)?)?$' THEN
        part := regexp_match(typed, '^(\d{4})-(\d{1,2})-(\d{1,2})');
        found := make_date(part[1]::integer, part[2]::integer, part[3]::integer);
    ELSIF typed ~ '^\d{1,2}\.\s*\d{1,2}\.\s*\d{4}$' THEN
        part := regexp_match(typed, '^(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})$');
        found := make_date(part[3]::integer, part[2]::integer, part[1]::integer);
    ELSIF typed ~ '^\d{7}(\.\d{1,15})?$' THEN
        -- A Julian day number begins at noon.
        found := DATE '2000-01-01' + (floor(typed::numeric + 0.5) - 2451545)::integer;
    END IF;
    RETURN CASE WHEN found >= DATE '1880-01-01' AND found < DATE '2200-01-01' THEN found END;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR numeric_value_out_of_range THEN
    RETURN NULL;
END $$;

-- Days between 1880 and 2199. The usual form is checked by pattern, which is cheap, but for the 29th of February;
-- all else takes the long way.
CREATE OR REPLACE FUNCTION legacy.day_of(value text) RETURNS date
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN value ~ '^(19|20)\d\d-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)$'
                THEN value::date
                WHEN value IS NULL OR value = '' THEN NULL
                ELSE legacy.unusual_day_of(value) END
$$;

CREATE OR REPLACE FUNCTION legacy.unusual_moment_of(value text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD' SET timezone = 'UTC'
AS $$
DECLARE
    typed constant text := btrim(value, E' \t\r\n');
    found timestamptz;
BEGIN
    IF typed ~ '^\d{4}-\d{1,2}-\d{1,2}([T ]+\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*(Z|UTC|[+-]\d\d(:?\d\d)?)?)?$' THEN
        found := typed::timestamptz;
    END IF;
    RETURN CASE WHEN found >= TIMESTAMPTZ '1880-01-01 00:00:00+00' AND found < TIMESTAMPTZ '2200-01-01 00:00:00+00'
                THEN found END;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format OR invalid_time_zone_displacement_value
               OR numeric_value_out_of_range THEN
    RETURN NULL;
END $$;

-- The predecessor wrote moments in UTC and said so nowhere.
CREATE OR REPLACE FUNCTION legacy.moment_of(value text) RETURNS timestamptz
LANGUAGE sql STABLE
AS $$
    SELECT CASE WHEN value ~ '^(19|20)\d\d-((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)'
                           ' ([01]\d|2[0-3]):[0-5]\d:[0-5]\d$'
                THEN value::timestamp AT TIME ZONE 'UTC'
                WHEN value IS NULL OR value = '' THEN NULL
                ELSE legacy.unusual_moment_of(value) END
$$;

CREATE OR REPLACE FUNCTION legacy.typed_money_of(value text) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN t ~ '^[+-]?\d{1,12}(\.\d{1,20})?$' THEN t::numeric
                WHEN t ~ '^[+-]?\d{1,12}(,\d{1,20})?$' THEN replace(t, ',', '.')::numeric
                WHEN t ~ '^[+-]?\d{1,3}(\.\d{3})+,\d{1,20}$' THEN replace(replace(t, '.', ''), ',', '.')::numeric END
      FROM (SELECT btrim(regexp_replace(value, '(€|EUR)', '', 'g'), E' \t\r\n\u00a0') AS t) x
$$;

-- Not rounded: what is lost by rounding is counted. Numbers need no pattern; texts may have a comma or a euro sign.
CREATE OR REPLACE FUNCTION legacy.money_of(value text, storage text) RETURNS numeric
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN storage IN ('real', 'integer')
                THEN CASE WHEN value !~ '[ny]' THEN value::numeric END
                WHEN storage = 'text' AND value <> '' THEN legacy.typed_money_of(value) END
$$;

CREATE OR REPLACE FUNCTION legacy.integer_of(value text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    -- The first pattern has next to no states, and is what nearly all values need.
    SELECT CASE WHEN value !~ '[^0-9]' AND length(value) BETWEEN 1 AND 18 THEN value::bigint
                WHEN value ~ '^\s*[+-]?\d{1,18}(\.0+)?\s*$' THEN split_part(value, '.', 1)::bigint
                WHEN value ~ '^-?\d{19}$' THEN CASE WHEN value::numeric BETWEEN -9223372036854775807 AND 9223372036854775807
                                                    THEN value::bigint END END
$$;

CREATE OR REPLACE FUNCTION legacy.flag_of(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE value WHEN '0' THEN false WHEN '1' THEN true
                ELSE CASE WHEN lower(btrim(value)) IN ('1', '1.0', 'true', 't', 'ja', 'j', 'yes', 'y', 'wahr', 'on') THEN true
                          WHEN lower(btrim(value)) IN ('0', '0.0', 'false', 'f', 'nein', 'n', 'no', 'falsch', 'off') THEN false
                     END END
$$;

-- A text that the new column can hold; a longer one moves to the notes as a whole.
CREATE OR REPLACE FUNCTION legacy.fitting(value text, most integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN value = '' OR length(value) > most THEN NULL ELSE value END $$;

CREATE OR REPLACE FUNCTION legacy.moved(label text, value text, most integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT CASE WHEN length(value) > most THEN label || ' im Altsystem: ' || value END $$;

CREATE OR REPLACE FUNCTION legacy.joined(VARIADIC parts text[]) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT nullif(array_to_string(parts, E'\n'), '') $$;

-- Bytes that are no clean text: without NUL, and if they are not UTF-8, as Windows wrote them. Other BLOBs are no text.
CREATE OR REPLACE FUNCTION legacy.clean_cell(cell jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    bytes bytea;
    readable text;
BEGIN
    IF cell ->> 0 NOT IN ('blob', 'text64') THEN
        RETURN cell;
    END IF;
    bytes := decode(cell ->> 1, 'base64');
    WHILE position('\x00'::bytea IN bytes) > 0 LOOP
        bytes := overlay(bytes PLACING '\xefbfbd'::bytea FROM position('\x00'::bytea IN bytes) FOR 1);
    END LOOP;
    BEGIN
        readable := convert_from(bytes, 'UTF8');
    EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
        IF cell ->> 0 = 'blob' THEN
            RETURN '["null", null]'::jsonb;
        END IF;
        BEGIN
            readable := convert_from(bytes, 'WIN1252');
        EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
            readable := convert_from(bytes, 'LATIN1');
        END;
    END;
    RETURN jsonb_build_array('text', readable);
END $$;

CREATE OR REPLACE FUNCTION legacy.clean_row(data jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE
AS $$ SELECT jsonb_object_agg(key, legacy.clean_cell(value)) FROM jsonb_each(data) $$;

-- Key codes and mail passwords stay in no raw row, also not inside the old program's own log or a copied table.
CREATE OR REPLACE FUNCTION legacy.without_secrets(data jsonb) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT jsonb_object_agg(key, CASE
               WHEN value ->> 1 IS NULL OR value ->> 1 = '' THEN value
               WHEN key IN ('schluesselcode', 'smtp_password') THEN '["text", "***"]'::jsonb
               WHEN key IN ('old_data', 'new_data') THEN jsonb_build_array(value -> 0, regexp_replace(
                   value ->> 1, '("(?:schluesselcode|smtp_password)"\s*:\s*)("(?:[^"\\]|\\.)*"|[^",}\s]+)',
                   '\1"***"', 'gi'))
               ELSE value END) FROM jsonb_each(data)
$$;

CREATE OR REPLACE FUNCTION legacy.masked(data jsonb) RETURNS jsonb
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    SELECT CASE WHEN data ?| ARRAY['schluesselcode', 'smtp_password']
                     OR lower(data -> 'old_data' ->> 1) LIKE ANY ('{%schluesselcode%,%smtp\\_password%}')
                     OR lower(data -> 'new_data' ->> 1) LIKE ANY ('{%schluesselcode%,%smtp\\_password%}')
                THEN legacy.without_secrets(data) ELSE data END
$$;
