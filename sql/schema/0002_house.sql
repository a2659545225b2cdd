-- The house: rooms, guests, bookings and what takes a room.

CREATE FUNCTION app.search_key(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$
    -- ü = ue = u and ß = ss, so that every way of typing a name finds it; also sorts the German way.
    SELECT btrim(regexp_replace(replace(replace(replace(
        translate(regexp_replace(normalize(replace(lower(normalize(value, NFC)), 'ß', 'ss'), NFKD),
                                 U&'[\0300-\036f]', '', 'g'),
                  'łıđøæðþ', 'lidoadt'),
        'ae', 'a'), 'oe', 'o'), 'ue', 'u'), '\s+', ' ', 'g'))
$$;

CREATE TABLE app.rooms (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT rooms_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT rooms_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 80),
    category text NOT NULL CONSTRAINT rooms_category_length CHECK (length(btrim(category)) BETWEEN 1 AND 40),
    building text CONSTRAINT rooms_building_length CHECK (length(btrim(building)) BETWEEN 1 AND 80),
    place text NOT NULL CONSTRAINT rooms_place_length CHECK (length(btrim(place)) BETWEEN 1 AND 80),
    capacity integer NOT NULL CONSTRAINT rooms_capacity_range CHECK (capacity BETWEEN 1 AND 100),
    price_low numeric(10,2) NOT NULL DEFAULT 0 CONSTRAINT rooms_price_low_positive CHECK (price_low >= 0),
    price_high numeric(10,2) NOT NULL DEFAULT 0 CONSTRAINT rooms_price_high_positive CHECK (price_high >= 0),
    final_cleaning_fee numeric(10,2) NOT NULL DEFAULT 0
        CONSTRAINT rooms_final_cleaning_fee_positive CHECK (final_cleaning_fee >= 0),
    key_code text CONSTRAINT rooms_key_code_length CHECK (length(key_code) BETWEEN 1 AND 80),
    street text CONSTRAINT rooms_street_length CHECK (length(street) BETWEEN 1 AND 200),
    postal_code text CONSTRAINT rooms_postal_code_length CHECK (length(postal_code) BETWEEN 1 AND 20),
    city text CONSTRAINT rooms_city_length CHECK (length(city) BETWEEN 1 AND 100),
    notes text CONSTRAINT rooms_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    retired_from date,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT rooms_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT rooms_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
-- The same name may exist in another place or building, never twice in one.
CREATE UNIQUE INDEX rooms_name_key ON app.rooms (lower(place), lower(coalesce(building, '')), lower(name));
CREATE INDEX idx_rooms_created_by ON app.rooms (created_by);
CREATE INDEX idx_rooms_updated_by ON app.rooms (updated_by);

CREATE TABLE app.guests (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT guests_pkey PRIMARY KEY,
    last_name text NOT NULL CONSTRAINT guests_last_name_length CHECK (length(btrim(last_name)) BETWEEN 1 AND 100),
    first_name text NOT NULL DEFAULT '' CONSTRAINT guests_first_name_length CHECK (length(first_name) <= 100),
    salutation text CONSTRAINT guests_salutation_length CHECK (length(salutation) BETWEEN 1 AND 40),
    gender text CONSTRAINT guests_gender_length CHECK (length(gender) BETWEEN 1 AND 40),
    email text CONSTRAINT guests_email_length CHECK (length(email) BETWEEN 1 AND 254),
    phone text CONSTRAINT guests_phone_length CHECK (length(phone) BETWEEN 1 AND 60),
    phone_business text CONSTRAINT guests_phone_business_length CHECK (length(phone_business) BETWEEN 1 AND 60),
    phone_private text CONSTRAINT guests_phone_private_length CHECK (length(phone_private) BETWEEN 1 AND 60),
    phone_mobile text CONSTRAINT guests_phone_mobile_length CHECK (length(phone_mobile) BETWEEN 1 AND 60),
    fax text CONSTRAINT guests_fax_length CHECK (length(fax) BETWEEN 1 AND 60),
    street text CONSTRAINT guests_street_length CHECK (length(street) BETWEEN 1 AND 200),
    postal_code text CONSTRAINT guests_postal_code_length CHECK (length(postal_code) BETWEEN 1 AND 20),
    city text CONSTRAINT guests_city_length CHECK (length(city) BETWEEN 1 AND 100),
    country text CONSTRAINT guests_country_length CHECK (length(country) BETWEEN 1 AND 100),
    date_of_birth date CONSTRAINT guests_date_of_birth_range
        CHECK (date_of_birth BETWEEN DATE '1880-01-01' AND DATE '2200-01-01'),
    place_of_birth text CONSTRAINT guests_place_of_birth_length CHECK (length(place_of_birth) BETWEEN 1 AND 100),
    nationality text CONSTRAINT guests_nationality_length CHECK (length(nationality) BETWEEN 1 AND 100),
    language text CONSTRAINT guests_language_length CHECK (length(language) BETWEEN 1 AND 40),
    identity_document text
        CONSTRAINT guests_identity_document_length CHECK (length(identity_document) BETWEEN 1 AND 60),
    is_member boolean NOT NULL DEFAULT false,
    member_number text CONSTRAINT guests_member_number_length CHECK (length(member_number) BETWEEN 1 AND 60),
    profession text CONSTRAINT guests_profession_length CHECK (length(profession) BETWEEN 1 AND 100),
    duty_station text CONSTRAINT guests_duty_station_length CHECK (length(duty_station) BETWEEN 1 AND 200),
    federal_state text CONSTRAINT guests_federal_state_length CHECK (length(federal_state) BETWEEN 1 AND 60),
    debtor_account text CONSTRAINT guests_debtor_account_length CHECK (length(debtor_account) BETWEEN 1 AND 60),
    licence_plate text CONSTRAINT guests_licence_plate_length CHECK (length(licence_plate) BETWEEN 1 AND 40),
    invoice_email text CONSTRAINT guests_invoice_email_length CHECK (length(invoice_email) BETWEEN 1 AND 254),
    leitweg_id text CONSTRAINT guests_leitweg_id_length CHECK (length(leitweg_id) BETWEEN 1 AND 60),
    cost_centre text CONSTRAINT guests_cost_centre_length CHECK (length(cost_centre) BETWEEN 1 AND 60),
    tags text CONSTRAINT guests_tags_length CHECK (length(tags) BETWEEN 1 AND 1000),
    marketing_consent boolean,
    automatic_mail boolean,
    automatic_mail_language text
        CONSTRAINT guests_automatic_mail_language_length CHECK (length(automatic_mail_language) BETWEEN 1 AND 40),
    notes text CONSTRAINT guests_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    -- Written by trigger: what the search reads, and the German order of names.
    search text NOT NULL DEFAULT '',
    sort_key text NOT NULL DEFAULT '',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT guests_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT guests_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_guests_search ON app.guests USING gin (search ext.gin_trgm_ops);
CREATE INDEX idx_guests_sort ON app.guests (sort_key text_pattern_ops, id);
CREATE INDEX idx_guests_created_by ON app.guests (created_by);
CREATE INDEX idx_guests_updated_by ON app.guests (updated_by);

CREATE TABLE app.number_counters (
    year integer CONSTRAINT number_counters_pkey PRIMARY KEY,
    last bigint NOT NULL CONSTRAINT number_counters_last_positive CHECK (last >= 0)
);

CREATE TABLE app.bookings (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT bookings_pkey PRIMARY KEY,
    number text NOT NULL CONSTRAINT bookings_number_length CHECK (length(number) BETWEEN 1 AND 40),
    guest_id bigint NOT NULL CONSTRAINT bookings_guest_id_fkey REFERENCES app.guests ON DELETE RESTRICT,
    status text NOT NULL DEFAULT 'bestaetigt' CONSTRAINT bookings_status
        CHECK (status IN ('reserviert', 'bestaetigt', 'eingecheckt', 'ausgecheckt', 'storniert')),
    -- The exclusion constraint looks at occupancies.active; this is what keeps it true to the status.
    occupies boolean NOT NULL GENERATED ALWAYS AS (status <> 'storniert') STORED,
    persons integer NOT NULL DEFAULT 1 CONSTRAINT bookings_persons_range CHECK (persons BETWEEN 1 AND 200),
    option_expires date,
    foundation_case boolean NOT NULL DEFAULT false,
    guest_is_member boolean NOT NULL DEFAULT false,
    cleaning_date date,
    notes text CONSTRAINT bookings_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    cancellation_reason text
        CONSTRAINT bookings_cancellation_reason_length CHECK (length(btrim(cancellation_reason)) BETWEEN 1 AND 500),
    cancelled_at timestamptz,
    checked_in_at timestamptz,
    checked_out_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT bookings_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT bookings_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT bookings_number_key UNIQUE (number),
    CONSTRAINT bookings_id_occupies_key UNIQUE (id, occupies),
    CONSTRAINT bookings_cancellation_reason_given CHECK (status <> 'storniert' OR cancellation_reason IS NOT NULL)
);
CREATE INDEX idx_bookings_guest ON app.bookings (guest_id);
CREATE INDEX idx_bookings_status ON app.bookings (status) WHERE status <> 'storniert';
CREATE INDEX idx_bookings_number ON app.bookings (number text_pattern_ops);
CREATE INDEX idx_bookings_created_by ON app.bookings (created_by);
CREATE INDEX idx_bookings_updated_by ON app.bookings (updated_by);

CREATE TABLE app.occupancies (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT occupancies_pkey PRIMARY KEY,
    room_id bigint CONSTRAINT occupancies_room_id_fkey REFERENCES app.rooms ON DELETE RESTRICT,
    arrival date NOT NULL,
    departure date NOT NULL,
    booking_id bigint,
    kind text NOT NULL DEFAULT 'stay'
        CONSTRAINT occupancies_kind CHECK (kind IN ('stay', 'out_of_order', 'house_use')),
    reason text CONSTRAINT occupancies_reason_length CHECK (length(reason) BETWEEN 1 AND 500),
    active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT occupancies_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT occupancies_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT occupancies_nights CHECK (departure - arrival BETWEEN 1 AND 365),
    CONSTRAINT occupancies_years CHECK (arrival BETWEEN DATE '1990-01-01' AND DATE '2199-12-31'),
    CONSTRAINT occupancies_kind_matches_booking CHECK ((kind = 'stay') = (booking_id IS NOT NULL)),
    CONSTRAINT occupancies_block_has_room CHECK (booking_id IS NOT NULL OR room_id IS NOT NULL),
    CONSTRAINT occupancies_block_is_active CHECK (booking_id IS NOT NULL OR active),
    CONSTRAINT occupancies_booking_id_fkey FOREIGN KEY (booking_id, active)
        REFERENCES app.bookings (id, occupies) ON UPDATE CASCADE ON DELETE RESTRICT,
    -- Impossible to double-book, whatever the client does. Deferrable, so that one UPDATE can swap.
    CONSTRAINT occupancies_no_overlap
        EXCLUDE USING gist (room_id WITH =, daterange(arrival, departure, '[)') WITH &&)
        WHERE (active) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX idx_bookings_dates ON app.occupancies (arrival, departure);
CREATE INDEX idx_bookings_room ON app.occupancies (room_id, arrival);
CREATE INDEX idx_occupancies_booking ON app.occupancies (booking_id, active);
CREATE INDEX idx_occupancies_created_by ON app.occupancies (created_by);
CREATE INDEX idx_occupancies_updated_by ON app.occupancies (updated_by);

-- For people with psql: the columns of the plan, a row per stay.
CREATE VIEW app.booking_overview AS
SELECT b.id, b.guest_id, o.room_id, o.arrival AS checkin_date, o.departure AS checkout_date,
       b.status, b.created_at, b.created_by, b.version
  FROM app.bookings b JOIN app.occupancies o ON o.booking_id = b.id;
