-- Companions, reminders, mails, and the settings of the house.

CREATE TABLE app.companions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT companions_pkey PRIMARY KEY,
    guest_id bigint NOT NULL CONSTRAINT companions_guest_id_fkey REFERENCES app.guests ON DELETE RESTRICT,
    last_name text NOT NULL CONSTRAINT companions_last_name_length CHECK (length(btrim(last_name)) BETWEEN 1 AND 100),
    first_name text NOT NULL DEFAULT '' CONSTRAINT companions_first_name_length CHECK (length(first_name) <= 100),
    date_of_birth date CONSTRAINT companions_date_of_birth_range
        CHECK (date_of_birth BETWEEN DATE '1880-01-01' AND DATE '2200-01-01'),
    relationship text CONSTRAINT companions_relationship_length CHECK (length(relationship) BETWEEN 1 AND 100),
    notes text CONSTRAINT companions_notes_length CHECK (length(notes) BETWEEN 1 AND 10000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT companions_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT companions_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_companions_guest ON app.companions (guest_id);

-- A booking has a copy: who came along stays true when the guest's pool changes.
CREATE TABLE app.booking_companions (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT booking_companions_pkey PRIMARY KEY,
    booking_id bigint NOT NULL CONSTRAINT booking_companions_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    companion_id bigint CONSTRAINT booking_companions_companion_id_fkey REFERENCES app.companions ON DELETE SET NULL,
    last_name text NOT NULL
        CONSTRAINT booking_companions_last_name_length CHECK (length(btrim(last_name)) BETWEEN 1 AND 100),
    first_name text NOT NULL DEFAULT ''
        CONSTRAINT booking_companions_first_name_length CHECK (length(first_name) <= 100),
    date_of_birth date CONSTRAINT booking_companions_date_of_birth_range
        CHECK (date_of_birth BETWEEN DATE '1880-01-01' AND DATE '2200-01-01'),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT booking_companions_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT booking_companions_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_booking_companions_booking ON app.booking_companions (booking_id);
CREATE INDEX idx_booking_companions_companion ON app.booking_companions (companion_id);

CREATE TABLE app.reminders (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT reminders_pkey PRIMARY KEY,
    booking_id bigint CONSTRAINT reminders_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    kind text NOT NULL DEFAULT 'manual' CONSTRAINT reminders_kind CHECK (kind IN
        ('manual', 'auto_incomplete_data', 'auto_payment', 'auto_checkin', 'auto_invoice', 'auto_confirmation')),
    title text NOT NULL CONSTRAINT reminders_title_length CHECK (length(btrim(title)) BETWEEN 1 AND 300),
    description text CONSTRAINT reminders_description_length CHECK (length(description) BETWEEN 1 AND 10000),
    due_date date NOT NULL,
    priority text NOT NULL DEFAULT 'medium' CONSTRAINT reminders_priority CHECK (priority IN ('low', 'medium', 'high')),
    completed boolean NOT NULL DEFAULT false,
    completed_at timestamptz,
    completed_by text CONSTRAINT reminders_completed_by_length CHECK (length(completed_by) BETWEEN 1 AND 100),
    snoozed_until date,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT reminders_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT reminders_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    CONSTRAINT reminders_automatic_needs_booking CHECK (kind = 'manual' OR booking_id IS NOT NULL)
);
CREATE INDEX idx_reminders_due ON app.reminders (due_date) WHERE NOT completed;
CREATE INDEX idx_reminders_booking ON app.reminders (booking_id);
-- At most one open one per booking and automatic kind.
CREATE UNIQUE INDEX reminders_one_open_per_kind ON app.reminders (booking_id, kind)
    WHERE kind <> 'manual' AND NOT completed;

CREATE TABLE app.email_settings (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT email_settings_one_row CHECK (only_row),
    id bigint GENERATED ALWAYS AS (1) STORED,
    smtp_server text NOT NULL CONSTRAINT email_settings_smtp_server_length CHECK (length(smtp_server) BETWEEN 1 AND 254),
    smtp_port integer NOT NULL CONSTRAINT email_settings_smtp_port_range CHECK (smtp_port BETWEEN 1 AND 65535),
    smtp_username text CONSTRAINT email_settings_smtp_username_length CHECK (length(smtp_username) BETWEEN 1 AND 254),
    -- A secret: no function tells it to booking_user.
    smtp_password text CONSTRAINT email_settings_smtp_password_length CHECK (length(smtp_password) BETWEEN 1 AND 1000),
    from_email text NOT NULL CONSTRAINT email_settings_from_email_length CHECK (length(from_email) BETWEEN 1 AND 254),
    from_name text NOT NULL DEFAULT '' CONSTRAINT email_settings_from_name_length CHECK (length(from_name) <= 200),
    use_tls boolean NOT NULL DEFAULT true,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT email_settings_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT email_settings_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);

CREATE TABLE app.email_templates (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT email_templates_pkey PRIMARY KEY,
    name text NOT NULL CONSTRAINT email_templates_name_length CHECK (length(btrim(name)) BETWEEN 1 AND 200),
    subject text NOT NULL CONSTRAINT email_templates_subject_length CHECK (length(subject) <= 1000),
    body text NOT NULL CONSTRAINT email_templates_body_length CHECK (length(body) <= 200000),
    description text CONSTRAINT email_templates_description_length CHECK (length(description) BETWEEN 1 AND 10000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT email_templates_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT email_templates_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE UNIQUE INDEX email_templates_name_key ON app.email_templates (name);

CREATE TABLE app.email_log (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT email_log_pkey PRIMARY KEY,
    booking_id bigint CONSTRAINT email_log_booking_id_fkey REFERENCES app.bookings ON DELETE RESTRICT,
    guest_id bigint CONSTRAINT email_log_guest_id_fkey REFERENCES app.guests ON DELETE RESTRICT,
    template_name text CONSTRAINT email_log_template_name_length CHECK (length(template_name) BETWEEN 1 AND 200),
    recipient text NOT NULL CONSTRAINT email_log_recipient_length CHECK (length(recipient) <= 1000),
    subject text NOT NULL CONSTRAINT email_log_subject_length CHECK (length(subject) <= 1000),
    status text NOT NULL CONSTRAINT email_log_status CHECK (status IN ('sent', 'failed')),
    error_message text CONSTRAINT email_log_error_message_length CHECK (length(error_message) BETWEEN 1 AND 10000),
    sent_at timestamptz NOT NULL,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT email_log_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT email_log_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
CREATE INDEX idx_email_log_booking ON app.email_log (booking_id);
CREATE INDEX idx_email_log_guest ON app.email_log (guest_id);
CREATE INDEX idx_email_log_sent ON app.email_log (sent_at DESC);

-- One row each. id is constant, so that the audit log can name the record.
CREATE TABLE app.company_settings (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT company_settings_one_row CHECK (only_row),
    id bigint GENERATED ALWAYS AS (1) STORED,
    company_name text NOT NULL DEFAULT '',
    street text NOT NULL DEFAULT '',
    postal_code text NOT NULL DEFAULT '',
    city text NOT NULL DEFAULT '',
    country text NOT NULL DEFAULT 'Deutschland',
    phone text NOT NULL DEFAULT '',
    fax text NOT NULL DEFAULT '',
    email text NOT NULL DEFAULT '',
    website text NOT NULL DEFAULT '',
    tax_id text NOT NULL DEFAULT '',
    ceo_name text NOT NULL DEFAULT '',
    registry_court text NOT NULL DEFAULT '',
    bank_name text NOT NULL DEFAULT '',
    iban text NOT NULL DEFAULT '',
    bic text NOT NULL DEFAULT '',
    account_holder text NOT NULL DEFAULT '',
    payment_text text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT company_settings_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT company_settings_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);

CREATE TABLE app.house_settings (
    only_row boolean PRIMARY KEY DEFAULT true CONSTRAINT house_settings_one_row CHECK (only_row),
    id bigint GENERATED ALWAYS AS (1) STORED,
    member_discount_active boolean NOT NULL DEFAULT true,
    member_discount_percentage numeric(5,2) NOT NULL DEFAULT 15
        CONSTRAINT house_settings_member_discount_range CHECK (member_discount_percentage BETWEEN 0 AND 100),
    discount_base text NOT NULL DEFAULT 'nights'
        CONSTRAINT house_settings_discount_base CHECK (discount_base IN ('nights', 'subtotal')),
    vat_active boolean NOT NULL DEFAULT true,
    payment_days integer NOT NULL DEFAULT 14
        CONSTRAINT house_settings_payment_days_range CHECK (payment_days BETWEEN 0 AND 365),
    payment_reminder_days integer NOT NULL DEFAULT 14
        CONSTRAINT house_settings_payment_reminder_days_range CHECK (payment_reminder_days BETWEEN 0 AND 365),
    payment_reminder_repeat_days integer NOT NULL DEFAULT 14
        CONSTRAINT house_settings_payment_reminder_repeat_days_range CHECK (payment_reminder_repeat_days BETWEEN 0 AND 365),
    mail_checkin_reminders boolean NOT NULL DEFAULT false,
    mail_payment_reminders boolean NOT NULL DEFAULT false,
    remind_incomplete_data boolean NOT NULL DEFAULT true,
    remind_payment boolean NOT NULL DEFAULT true,
    remind_checkin boolean NOT NULL DEFAULT true,
    remind_invoice boolean NOT NULL DEFAULT true,
    remind_confirmation boolean NOT NULL DEFAULT false,
    remind_payment_days integer NOT NULL DEFAULT 7
        CONSTRAINT house_settings_remind_payment_days_range CHECK (remind_payment_days BETWEEN 0 AND 365),
    remind_checkin_days integer NOT NULL DEFAULT 3
        CONSTRAINT house_settings_remind_checkin_days_range CHECK (remind_checkin_days BETWEEN 0 AND 365),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by bigint CONSTRAINT house_settings_created_by_fkey REFERENCES auth.users ON DELETE RESTRICT,
    updated_at timestamptz,
    updated_by bigint CONSTRAINT house_settings_updated_by_fkey REFERENCES auth.users ON DELETE RESTRICT
);
INSERT INTO app.company_settings DEFAULT VALUES;
INSERT INTO app.house_settings DEFAULT VALUES;

-- "Indexes for every foreign key": who made and who changed a row.
DO $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['vat_rates', 'seasons', 'room_prices', 'service_templates', 'discount_templates',
        'payers', 'price_lines', 'payments', 'credit_transactions', 'companions', 'booking_companions', 'reminders',
        'email_settings', 'email_templates', 'email_log', 'company_settings', 'house_settings'] LOOP
        EXECUTE format('CREATE INDEX idx_%s_created_by ON app.%I (created_by)', t, t);
        EXECUTE format('CREATE INDEX idx_%s_updated_by ON app.%I (updated_by)', t, t);
    END LOOP;
END $$;
