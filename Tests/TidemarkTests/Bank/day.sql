-- What happens while the connector runs; each step is a transaction of its own.
DO $$
DECLARE
    payment uuid;
BEGIN
    FOR step IN 150..389 LOOP
        CALL bank.pay(step);
        IF step % 5 = 0 THEN CALL bank.log_in(step); END IF;
        COMMIT;
        payment := bank.id('transaction', step - 20);
        CASE step % 12
            WHEN 1 THEN UPDATE transactions SET status = 'completed', updated_at = bank.moment(step) WHERE id = payment;
            WHEN 3 THEN UPDATE transactions SET amount = amount + 1000 WHERE id = payment;
            WHEN 5 THEN DELETE FROM transactions WHERE id = payment;
            WHEN 6 THEN UPDATE transactions SET id = bank.id('renamed', step) WHERE id = payment;
            WHEN 7 THEN UPDATE transactions SET customer_id = bank.id('customer', (step + 1) % 8) WHERE id = payment;
            WHEN 8 THEN UPDATE customer_sessions SET ended_at = bank.moment(step), actions_count = 99 WHERE id = bank.id('session', step - step % 5);
            WHEN 9 THEN DELETE FROM customer_sessions WHERE id = bank.id('session', step - step % 5 - 5);
            WHEN 10 THEN UPDATE accounts SET balance = balance - 0.01 WHERE id = bank.id('account', step % 8);
            ELSE NULL;
        END CASE;
        COMMIT;
        IF step = 200 THEN
            -- All are gone, and four of the five are opened again.
            TRUNCATE merchants;
            CALL bank.open_shops(0, 1, 2, 4);
            COMMIT;
        END IF;
        IF step = 270 THEN
            ALTER TABLE transactions ADD COLUMN card_present boolean;
            ALTER TABLE merchants ADD COLUMN rating numeric(3, 1) DEFAULT 4.5;
            COMMIT;
        END IF;
    END LOOP;
END $$;
-- Neither sends the long address.
UPDATE merchants SET is_active = false, rating = 1.5 WHERE id = bank.id('merchant', 0);
UPDATE merchants SET name = 'Renamed' WHERE id = bank.id('merchant', 1);
DELETE FROM merchants WHERE id = bank.id('merchant', 4);
