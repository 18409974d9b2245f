-- What customer_session_metrics must hold: every session as it began.
SELECT customer_id, window_end, count(*), sum(actions_count), floor(extract(epoch FROM min(started_at)))::bigint,
    floor(extract(epoch FROM max(started_at)))::bigint, (array_agg(session_id ORDER BY started_at DESC))[1]
FROM history.customer_sessions, LATERAL (SELECT (floor(extract(epoch FROM started_at) / 300) * 300 + 300)::bigint AS window_end) AS windows
GROUP BY customer_id, window_end
