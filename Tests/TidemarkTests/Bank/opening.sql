-- What is there when the connector is started. The rows lie in the tables in another order than they were created in.
INSERT INTO customers (id, first_name, last_name, email, date_of_birth, address, tier, risk_score, kyc_status, annual_income, created_at)
SELECT bank.id('customer', n), 'F' || n, 'O''Neil', n || '@example.com', '1980-02-29', '{"country": "CH"}', 'basic', n + 0.5, 'pending', 1e6 + n,
    bank.moment(0)
FROM generate_series(0, 7) n;
INSERT INTO accounts (id, customer_id, account_type, balance, minimum_balance, created_at)
SELECT bank.id('account', n), bank.id('customer', n), 'checking', 1000.01 * n, n * 0.1, bank.moment(0) FROM generate_series(0, 7) n;
CALL bank.open_shops(0, 1, 2, 3, 4);
DO $$
BEGIN
    FOR step IN 0..149 LOOP
        CALL bank.pay(step * 71 % 150);
        IF step % 5 = 0 THEN CALL bank.log_in(step * 71 % 150); END IF;
    END LOOP;
END $$;
