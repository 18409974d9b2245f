-- What customer_transaction_metrics must hold: every payment as it was inserted, whatever became of it.
SELECT customer_id, window_end, count(*), sum(amount), min(amount), max(amount), sum(fee_amount), count(*) FILTER (WHERE status = 'completed'),
    count(*) FILTER (WHERE status = 'failed'), count(*) FILTER (WHERE status = 'pending'), count(DISTINCT merchant_id),
    (sum(coalesce(risk_score, 0)) * 100)::bigint
FROM history.transactions, LATERAL (SELECT (floor(extract(epoch FROM created_at) / 30) * 30 + 30)::bigint AS window_end) AS windows
GROUP BY customer_id, window_end
