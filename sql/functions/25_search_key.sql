-- What the search reads. Nearly all names and addresses are ASCII once the umlauts are gone: they are spared the
-- normalisation, which costs ten times as much. What stays has the same key either way.
CREATE OR REPLACE FUNCTION app.search_key(value text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    plain text := replace(replace(replace(replace(lower(value), 'ä', 'a'), 'ö', 'o'), 'ü', 'u'), 'ß', 'ss');
BEGIN
    -- ü = ue = u and ß = ss, so that every way of typing a name finds it; also sorts the German way.
    IF octet_length(plain) <> length(plain) THEN
        plain := translate(regexp_replace(normalize(replace(lower(normalize(value, NFC)), 'ß', 'ss'), NFKD),
                                          U&'[\0300-\036f]', '', 'g'),
                           'łıđøæðþ', 'lidoadt');
    END IF;
    plain := replace(replace(replace(plain, 'ae', 'a'), 'oe', 'o'), 'ue', 'u');
    IF plain ~ '[^ -~]|  ' THEN
        plain := regexp_replace(plain, '\s+', ' ', 'g');
    END IF;
    RETURN btrim(plain);
END $$;
