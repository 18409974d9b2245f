-- What happens while the connector lies dead, and the row by which its end is known.
DO $$
BEGIN
    FOR step IN 390..539 LOOP
        CALL bank.pay(step);
        IF step % 5 = 0 THEN CALL bank.log_in(step); END IF;
        UPDATE transactions SET card_present = true, status = 'completed' WHERE id = bank.id('transaction', step - 1);
        COMMIT;
    END LOOP;
END $$;
UPDATE merchants SET business_type = 'closed' WHERE id = bank.id('merchant', 2);
INSERT INTO customers (id, first_name, last_name, email, tier, kyc_status, created_at)
VALUES (bank.id('last', 0), 'Last', 'Row', 'last@example.com', 'basic', 'pending', bank.moment(540));
