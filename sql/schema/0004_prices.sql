-- What a stay costs and who pays it: price lists, price lines, payments, credit, payers.

CREATE TABLE app.vat_rates (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT vat_rates_pkey PRIMARY KEY,
    kind text NOT NULL CONSTRAINT vat_rates_kind
        CHECK (kind IN ('lodging', 'final_cleaning', 'food', 'drinks', 'parking', 'other')),
    valid_from date NOT NULL,
    rate numeric(5,2) NOT NULL CONSTRAINT vat_rates_rate_range CHECK (rate BETWEEN 0 AND 100),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT vat_rates_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT vat_rates_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT vat_rates_kind_valid_from_key UNIQUE (kind, valid_from)
);
INSERT INTO app.vat_rates (kind, valid_from, rate) VALUES
    ('lodging', '2010-01-01', 7), ('final_cleaning', '2010-01-01', 7),
    ('food', '2024-01-01', 19), ('food', '2026-01-01', 7),
    ('drinks', '2010-01-01', 19), ('parking', '2010-01-01', 19), ('other', '2010-01-01', 19);

CREATE TABLE app.seasons (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT seasons_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT seasons_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 80),
    -- 'MM-DD', both included; the end before the start crosses New Year.
    first_day text NOT NULL CONSTRAINT seasons_first_day_form CHECK (first_day ~ '^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'),
    last_day text NOT NULL CONSTRAINT seasons_last_day_form CHECK (last_day ~ '^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$'),
    active boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT seasons_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT seasons_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE UNIQUE INDEX seasons_name_key ON app.seasons (lower(name));

CREATE TABLE app.room_prices (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT room_prices_pkey PRIMARY KEY,
    room_id bigint NOT NULL CONSTRAINT room_prices_room_id_fkey REFERENCES app.rooms ON DELETE RESTRICT,
    valid_from date NOT NULL,
    price_low numeric(10,2) NOT NULL CONSTRAINT room_prices_price_low_positive CHECK (price_low >= 0),
    price_high numeric(10,2) NOT NULL CONSTRAINT room_prices_price_high_positive CHECK (price_high >= 0),
    final_cleaning_fee numeric(10,2) NOT NULL
        CONSTRAINT room_prices_final_cleaning_fee_positive CHECK (final_cleaning_fee >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT room_prices_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT room_prices_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT room_prices_room_valid_from_key UNIQUE (room_id, valid_from)
);

-- A service or a discount from the price list; a price line keeps name and amount as a snapshot.
CREATE TABLE app.service_templates (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT service_templates_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT service_templates_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    description text CONSTRAINT service_templates_description_length CHECK (length(description) BETWEEN 1 AND 10000),
    price_type text NOT NULL DEFAULT 'fixed' CONSTRAINT service_templates_price_type
        CHECK (price_type IN ('fixed', 'percent')),
    price numeric(10,2) NOT NULL CONSTRAINT service_templates_price_positive CHECK (price >= 0),
    -- What a percentage refers to: the nights, or nights and fixed services.
    applies_to text NOT NULL DEFAULT 'nights' CONSTRAINT service_templates_applies_to
        CHECK (applies_to IN ('nights', 'subtotal')),
    vat_kind text NOT NULL DEFAULT 'other' CONSTRAINT service_templates_vat_kind
        CHECK (vat_kind IN ('lodging', 'final_cleaning', 'food', 'drinks', 'parking', 'other')),
    active boolean NOT NULL DEFAULT true,
    emoji text CONSTRAINT service_templates_emoji_length CHECK (length(emoji) BETWEEN 1 AND 16),
    colour text CONSTRAINT service_templates_colour_length CHECK (length(colour) BETWEEN 1 AND 16),
    show_in_cleaning_plan boolean NOT NULL DEFAULT false,
    cleaning_plan_position text CONSTRAINT service_templates_cleaning_plan_position
        CHECK (cleaning_plan_position IN ('start', 'end')),
    requires_dog_cleaning boolean NOT NULL DEFAULT false,
    requires_bedding_change boolean NOT NULL DEFAULT false,
    requires_deep_cleaning boolean NOT NULL DEFAULT false,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT service_templates_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT service_templates_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE UNIQUE INDEX service_templates_name_key ON app.service_templates (name);

CREATE TABLE app.discount_templates (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT discount_templates_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT discount_templates_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    description text CONSTRAINT discount_templates_description_length CHECK (length(description) BETWEEN 1 AND 10000),
    price_type text NOT NULL DEFAULT 'percent' CONSTRAINT discount_templates_price_type
        CHECK (price_type IN ('fixed', 'percent')),
    price numeric(10,2) NOT NULL CONSTRAINT discount_templates_price_positive CHECK (price >= 0),
    applies_to text NOT NULL DEFAULT 'nights' CONSTRAINT discount_templates_applies_to
        CHECK (applies_to IN ('nights', 'subtotal')),
    active boolean NOT NULL DEFAULT true,
    emoji text CONSTRAINT discount_templates_emoji_length CHECK (length(emoji) BETWEEN 1 AND 16),
    colour text CONSTRAINT discount_templates_colour_length CHECK (length(colour) BETWEEN 1 AND 16),
    show_in_cleaning_plan boolean NOT NULL DEFAULT false,
    cleaning_plan_position text CONSTRAINT discount_templates_cleaning_plan_position
        CHECK (cleaning_plan_position IN ('start', 'end')),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT discount_templates_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT discount_templates_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE UNIQUE INDEX discount_templates_name_key ON app.discount_templates (name);

CREATE TABLE app.payers (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payers_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT payers_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    company text CONSTRAINT payers_company_length CHECK (length(company) BETWEEN 1 AND 200),
    street text CONSTRAINT payers_street_length CHECK (length(street) BETWEEN 1 AND 200),
    postal_code text CONSTRAINT payers_postal_code_length CHECK (length(postal_code) BETWEEN 1 AND 20),
    city text CONSTRAINT payers_city_length CHECK (length(city) BETWEEN 1 AND 100),
    country text CONSTRAINT payers_country_length CHECK (length(country) BETWEEN 1 AND 100),
    contact_person text CONSTRAINT payers_contact_person_length CHECK (length(contact_person) BETWEEN 1 AND 200),
    notes text CONSTRAINT payers_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT payers_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT payers_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);

ALTER TABLE app.bookings
    ADD COLUMN payer_id bigint CONSTRAINT bookings_payer_id_fkey REFERENCES app.payers ON DELETE RESTRICT,
    -- What the predecessor noted down of its mails; invoices come with their own table.
    ADD COLUMN invoice_sent_on date,
    ADD COLUMN invoice_sent_to text
        CONSTRAINT bookings_invoice_sent_to_length CHECK (length(invoice_sent_to) BETWEEN 1 AND 254),
    ADD COLUMN dunning_sent_on date;
CREATE INDEX idx_bookings_payer ON app.bookings (payer_id);

-- What a booking costs, line by line; the total is their sum. Discounts are negative.
CREATE TABLE app.price_lines (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT price_lines_pkey PRIMARY KEY,
    booking_id bigint NOT NULL CONSTRAINT price_lines_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    position integer NOT NULL CONSTRAINT price_lines_position_positive CHECK (position > 0),
    kind text NOT NULL CONSTRAINT price_lines_kind CHECK (kind IN
        ('nights', 'final_cleaning', 'service', 'discount', 'member_discount', 'difference')),
    label text NOT NULL CONSTRAINT price_lines_label_length CHECK (length(btrim(label)) BETWEEN 1 AND 300),
    quantity numeric(10,2) NOT NULL DEFAULT 1 CONSTRAINT price_lines_quantity_positive CHECK (quantity > 0),
    unit_price numeric(10,2) NOT NULL,
    amount numeric(10,2) NOT NULL,
    percentage numeric(7,3) CONSTRAINT price_lines_percentage_range CHECK (percentage BETWEEN 0 AND 1000),
    applies_to text CONSTRAINT price_lines_applies_to CHECK (applies_to IN ('nights', 'subtotal')),
    vat_kind text NOT NULL DEFAULT 'other' CONSTRAINT price_lines_vat_kind
        CHECK (vat_kind IN ('lodging', 'final_cleaning', 'food', 'drinks', 'parking', 'other')),
    service_template_id bigint
        CONSTRAINT price_lines_service_template_id_fkey REFERENCES app.service_templates ON DELETE RESTRICT,
    discount_template_id bigint
        CONSTRAINT price_lines_discount_template_id_fkey REFERENCES app.discount_templates ON DELETE RESTRICT,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT price_lines_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT price_lines_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT price_lines_booking_position_key UNIQUE (booking_id, position) DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX idx_price_lines_service_template ON app.price_lines (service_template_id);
CREATE INDEX idx_price_lines_discount_template ON app.price_lines (discount_template_id);

CREATE TABLE app.payments (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT payments_pkey PRIMARY KEY,
    booking_id bigint NOT NULL CONSTRAINT payments_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    -- Negative: paid back.
    amount numeric(10,2) NOT NULL CONSTRAINT payments_amount_not_zero CHECK (amount <> 0),
    paid_on date NOT NULL,
    method text NOT NULL CONSTRAINT payments_method_length CHECK (length(btrim(method)) BETWEEN 1 AND 60),
    notes text CONSTRAINT payments_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT payments_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT payments_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_payments_booking ON app.payments (booking_id);

-- Signed ledger; the balance of a guest is the sum and never below zero (held by the writing functions).
CREATE TABLE app.credit_transactions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT credit_transactions_pkey PRIMARY KEY,
    guest_id bigint NOT NULL CONSTRAINT credit_transactions_guest_id_fkey REFERENCES app.guests ON DELETE RESTRICT,
    booking_id bigint CONSTRAINT credit_transactions_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    amount numeric(10,2) NOT NULL CONSTRAINT credit_transactions_amount_not_zero CHECK (amount <> 0),
    kind text NOT NULL CONSTRAINT credit_transactions_kind CHECK (kind IN ('added', 'used', 'expired', 'refund')),
    notes text CONSTRAINT credit_transactions_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    -- Who did it, as the predecessor wrote it; new rows have created_by.
    actor text CONSTRAINT credit_transactions_actor_length CHECK (length(actor) BETWEEN 1 AND 100),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT credit_transactions_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT credit_transactions_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_credit_transactions_guest ON app.credit_transactions (guest_id);
CREATE INDEX idx_credit_transactions_booking ON app.credit_transactions (booking_id);
