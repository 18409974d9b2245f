-- What merchant_performance_analytics must hold: every payment as it was inserted, and the merchants as they are in the end.
SELECT merchant_id, window_end, count(*), sum(amount), min(amount), max(amount), count(*) FILTER (WHERE status = 'completed'),
    count(*) FILTER (WHERE status = 'failed'), count(DISTINCT customer_id), coalesce(max(name), ''), coalesce(max(business_type), ''),
    coalesce(max(address ->> 'country'), 'UNKNOWN'), coalesce(bool_or(is_active), false)::integer
FROM history.transactions
    LEFT JOIN merchants ON merchants.id = merchant_id,
    LATERAL (SELECT (floor(extract(epoch FROM transactions.created_at) / 60) * 60 + 60)::bigint AS window_end) AS windows
WHERE merchant_id IS NOT NULL
GROUP BY merchant_id, window_end
