-- The five tables that the job reads, and the truth about them: triggers keep every row of the two streams as it was inserted.
CREATE TABLE customers (
    id uuid PRIMARY KEY, first_name varchar(100) NOT NULL, last_name varchar(100) NOT NULL, email varchar(255) NOT NULL, phone varchar(20),
    date_of_birth date, ssn varchar(11), address jsonb, tier varchar(20) NOT NULL, risk_score numeric(5, 2), kyc_status varchar(20) NOT NULL,
    is_active boolean NOT NULL DEFAULT true, credit_score integer, annual_income numeric(15, 2), preferences jsonb, notes text,
    created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(), version integer NOT NULL DEFAULT 1
);
CREATE TABLE accounts (
    id uuid PRIMARY KEY, customer_id uuid NOT NULL, account_number varchar(20), account_type varchar(20) NOT NULL,
    currency char(3) NOT NULL DEFAULT 'EUR', balance numeric(15, 2) NOT NULL, available_balance numeric(15, 2), credit_limit numeric(15, 2),
    interest_rate numeric(5, 4), is_active boolean NOT NULL DEFAULT true, is_frozen boolean NOT NULL DEFAULT false,
    minimum_balance numeric(15, 2) NOT NULL DEFAULT 0, notes text, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1
);
CREATE TABLE merchants (
    id uuid PRIMARY KEY, name varchar(255) NOT NULL, business_type varchar(50), mcc_code char(4), address jsonb, phone varchar(20),
    website varchar(255), tax_id varchar(50), is_active boolean NOT NULL DEFAULT true, about text, created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(), version integer NOT NULL DEFAULT 1
);
CREATE TABLE transactions (
    id uuid PRIMARY KEY, transaction_type varchar(30) NOT NULL, status varchar(20) NOT NULL, from_account_id uuid, to_account_id uuid,
    customer_id uuid NOT NULL, amount numeric(15, 2) NOT NULL, currency char(3) NOT NULL DEFAULT 'EUR', exchange_rate numeric(10, 6),
    fee_amount numeric(15, 2) NOT NULL DEFAULT 0, description text, merchant_id uuid, reference_number varchar(50), transaction_location jsonb,
    device_fingerprint varchar(255), ip_address inet, user_agent text, risk_score numeric(5, 2), compliance_flags jsonb,
    processing_time_ms integer, tags text[], metadata jsonb, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1
);
CREATE TABLE customer_sessions (
    id uuid PRIMARY KEY, customer_id uuid NOT NULL, session_id varchar(255) NOT NULL, channel varchar(20), device_type varchar(20),
    ip_address inet, location jsonb, notes text, started_at timestamptz NOT NULL, ended_at timestamptz, actions_count integer NOT NULL DEFAULT 0,
    transactions_count integer NOT NULL DEFAULT 0, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL DEFAULT 1
);

CREATE SCHEMA history;
CREATE TABLE history.transactions AS SELECT * FROM transactions;
CREATE TABLE history.customer_sessions AS SELECT * FROM customer_sessions;
CREATE FUNCTION history.keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- By names: a column that is added later has no history.
    CASE TG_TABLE_NAME
        WHEN 'transactions' THEN INSERT INTO history.transactions SELECT * FROM jsonb_populate_record(NULL::history.transactions, to_jsonb(NEW));
        ELSE INSERT INTO history.customer_sessions SELECT * FROM jsonb_populate_record(NULL::history.customer_sessions, to_jsonb(NEW));
    END CASE;
    RETURN NULL;
END $$;
CREATE TRIGGER keep AFTER INSERT ON transactions FOR EACH ROW EXECUTE FUNCTION history.keep();
CREATE TRIGGER keep AFTER INSERT ON customer_sessions FOR EACH ROW EXECUTE FUNCTION history.keep();

-- What the bank does. `moment`: where a numbered event lies in time; five seconds apart, with microseconds, ending before now.
CREATE SCHEMA bank;
CREATE TABLE bank.opening AS SELECT date_trunc('minute', now()) - interval '2 hours' AS at;
CREATE FUNCTION bank.moment(number integer) RETURNS timestamptz LANGUAGE sql AS $$
    SELECT at + number * interval '5 s' + (number * 7919 % 4000000) * interval '1 us' FROM bank.opening
$$;
CREATE FUNCTION bank.id(kind text, number integer) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT md5(kind || number)::uuid $$;

CREATE PROCEDURE bank.pay(number integer) LANGUAGE sql AS $$
    INSERT INTO transactions (
        id, customer_id, transaction_type, status, from_account_id, amount, exchange_rate, fee_amount, description, merchant_id,
        transaction_location, device_fingerprint, ip_address, risk_score, compliance_flags, tags, created_at
    ) VALUES (
        bank.id('transaction', number), bank.id('customer', number / 3 % 8), (ARRAY['purchase', 'transfer', 'atm_withdrawal'])[number % 3 + 1],
        (ARRAY['completed', 'pending', 'completed', 'failed'])[number % 4 + 1], bank.id('account', number / 3 % 8),
        -- Amounts of every length that base64 makes of an unscaled number, negative ones too.
        CASE number % 6 WHEN 0 THEN 0.01 WHEN 1 THEN 12.5 WHEN 2 THEN -1.28 WHEN 3 THEN 327.68 WHEN 4 THEN 99999999.99 ELSE number * 10.07 END,
        CASE number % 5 WHEN 0 THEN 1.0625 END, number % 7 * 0.35, E'payment "' || number || E'"\tin Zürich \\ 💶',
        CASE WHEN number % 9 > 0 THEN bank.id('merchant', number % 5) END,
        CASE WHEN number % 4 > 0 THEN jsonb_build_object('country', (ARRAY['CH', 'DE', 'FR'])[number % 3 + 1], 'city', 'São Paulo') END,
        'FP' || number % 13, '10.0.0.1', CASE WHEN number % 3 > 0 THEN number % 100 + 0.25 END, '[{"rule": "none"}]', ARRAY['a', 'b"c'],
        bank.moment(number)
    )
$$;
CREATE PROCEDURE bank.log_in(number integer) LANGUAGE sql AS $$
    INSERT INTO customer_sessions (id, customer_id, session_id, channel, device_type, started_at, ended_at, actions_count) VALUES (
        bank.id('session', number), bank.id('customer', number % 8), 'S-' || number, (ARRAY['mobile', 'web'])[number % 2 + 1], 'phone', bank.moment(number),
        CASE WHEN number % 3 = 0 THEN bank.moment(number) + interval '90 s' END, number % 30
    )
$$;
-- A long address is stored beside its row (TOAST): an update of another column doesn't send it.
CREATE FUNCTION bank.long_text() RETURNS text LANGUAGE sql AS $$ SELECT string_agg(md5(n::text), '') FROM generate_series(1, 300) n $$;
CREATE PROCEDURE bank.open_shops(VARIADIC numbers integer[]) LANGUAGE sql AS $$
    INSERT INTO merchants (id, name, business_type, mcc_code, address, created_at)
    SELECT bank.id('merchant', n), 'Merchant ' || n || ' & Söhne', 'hotel', '5812', jsonb_build_object(
        'country', (ARRAY['CH', 'DE', 'FR', 'IT', 'AT'])[n + 1], 'directions', CASE WHEN n < 2 THEN bank.long_text() ELSE 'left' END
    ), bank.moment(0)
    FROM unnest(numbers) n
$$;
