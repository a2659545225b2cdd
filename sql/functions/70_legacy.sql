-- Reading the predecessor's cells. A cell is [storage class, text]; what cannot be read becomes NULL, never an error.
-- Small SQL functions without settings: the planner puts them into the statements that call them.

-- Functions that catch an error cannot run in parallel workers, nor can those that call them.

-- With a zone ('…T22:00:00Z', as browsers write a local midnight) it is the day in Berlin.
CREATE OR REPLACE FUNCTION legacy.unusual_day_of(value text) RETURNS date
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET datestyle = 'ISO, YMD'
AS $$
DECLARE
    typed constant text := btrim(value, E' \t\r\n\u00a0');
    part text[];
    found date;
BEGIN
    IF typed ~ '^\d{4}-\d{1,2}-\d{1,2}[T ].*(Z|UTC|[+-]\d\d(:?\d\d)?)$' THEN
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
    typed constant text := btrim(value, E' \t\r\n\u00a0');
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
                WHEN value ~ '^-?\d{19}$' THEN CASE WHEN value::numeric BETWEEN -9223372036854775808 AND 9223372036854775807
                                                    THEN value::bigint END END
$$;

-- A word as it is compared: without the blanks and line ends around it, in small letters.
CREATE OR REPLACE FUNCTION legacy.word_of(value text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT replace(lower(btrim(value, E' \t\r\n\u00a0')), 'Ä', 'ä') $$;

CREATE OR REPLACE FUNCTION legacy.flag_of(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT CASE value WHEN '0' THEN false WHEN '1' THEN true
                ELSE CASE WHEN legacy.word_of(value) IN ('1', '1.0', 'true', 't', 'ja', 'j', 'yes', 'y', 'wahr', 'on') THEN true
                          WHEN legacy.word_of(value) IN ('0', '0.0', 'false', 'f', 'nein', 'n', 'no', 'falsch', 'off') THEN false
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
AS $$
    -- The bytes of a secret stay nowhere else: if they are no text, it is their digits that are stored.
    SELECT jsonb_object_agg(key, CASE
               WHEN key IN ('schluesselcode', 'smtp_password') AND legacy.clean_cell(value) ->> 0 = 'null' AND value ->> 0 = 'blob'
               THEN jsonb_build_array('text', encode(decode(value ->> 1, 'base64'), 'hex'))
               ELSE legacy.clean_cell(value) END) FROM jsonb_each(data)
$$;

-- Key codes and mail passwords stay in no raw row, also not inside the old program's own log, a copied table or bytes.
CREATE OR REPLACE FUNCTION legacy.without_secrets(data jsonb) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    SELECT jsonb_object_agg(c.key, CASE
               WHEN c.value ->> 1 IS NULL OR c.value ->> 1 = '' THEN c.value
               WHEN lower(c.key) IN ('schluesselcode', 'smtp_password') THEN '["text", "***"]'::jsonb
               WHEN t.readable ->> 1 ~* '["''](schluesselcode|smtp_password)' THEN jsonb_build_array('text', regexp_replace(
                   t.readable ->> 1, '(["''](?:schluesselcode|smtp_password)\\*["'']\s*[:=]\s*)'
                   '(\\"[^"\\]*\\"|"(?:[^"\\]|\\.)*"|''(?:[^'']|'''')*''|[^"'',}\s]+)', '\1"***"', 'gi'))
               ELSE c.value END)
      FROM jsonb_each(data) c, LATERAL (SELECT legacy.clean_cell(c.value) AS readable) t
$$;

CREATE OR REPLACE FUNCTION legacy.masked(data jsonb) RETURNS jsonb
LANGUAGE sql STABLE
AS $$
    -- Next to nothing for rows without: most of a large file comes by here.
    SELECT CASE WHEN lower(data::text) LIKE ANY (ARRAY['%schluesselcode%', '%smtp\_password%', '%["text64", %', '%["blob", %'])
                THEN legacy.without_secrets(data) ELSE data END
$$;
