-- Usage and refusals: the totals plus the rows of the last minutes. A view reads both in one
-- snapshot, so nothing is missed or counted twice while sluicectl maintain adds rows to the totals.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.usage_overview WITH (security_invoker = true) AS
SELECT
    o.name AS organization,
    u.month,
    sum(u.signals)::bigint AS signals,
    sum(u.duplicates)::bigint AS duplicates,
    o.signal_limit,
    o.overages
FROM (
    SELECT m.organization_id, m.month, m.signals, m.duplicates FROM sluice.usage_month AS m
    UNION ALL
    SELECT d.organization_id, date_trunc('month', d.counted_at AT TIME ZONE 'UTC')::date, d.signals,
        d.duplicates
    FROM sluice.usage_delta AS d
) AS u
JOIN sluice.organization AS o ON o.id = u.organization_id
GROUP BY o.id, o.name, u.month;
COMMENT ON VIEW sluice.usage_overview IS
    'Usage of each organization per calendar month (UTC), exact at the time of the query, with the '
    'current limit.';
COMMENT ON COLUMN sluice.usage_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.usage_overview.month IS 'the first day of the month';
COMMENT ON COLUMN sluice.usage_overview.signals IS 'signals stored; the number that counts';
COMMENT ON COLUMN sluice.usage_overview.duplicates IS 'repeats, which do not count';
COMMENT ON COLUMN sluice.usage_overview.signal_limit IS 'the limit per month; 0: none';
COMMENT ON COLUMN sluice.usage_overview.overages IS 'true: signals over the limit are accepted';

CREATE OR REPLACE VIEW sluice.refusal WITH (security_invoker = true) AS
SELECT r.organization_id, r.key_id, r.day, r.reason, sum(r.requests)::bigint AS requests,
    max(r.last_at) AS last_at
FROM (
    SELECT f.organization_id, f.key_id, f.day, f.reason, f.requests, f.last_at
    FROM sluice.refused_request AS f
    UNION ALL
    SELECT d.organization_id, d.key_id, (d.counted_at AT TIME ZONE 'UTC')::date, d.reason,
        d.requests, d.counted_at
    FROM sluice.refusal_delta AS d
) AS r
GROUP BY r.organization_id, r.key_id, r.day, r.reason;
COMMENT ON VIEW sluice.refusal IS
    'Refused requests with a known key, per key, day (UTC) and reason, up to ten seconds late.';
COMMENT ON COLUMN sluice.refusal.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refusal.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.refusal.day IS 'UTC day';
COMMENT ON COLUMN sluice.refusal.reason IS 'why they were refused';
COMMENT ON COLUMN sluice.refusal.requests IS 'how many';
COMMENT ON COLUMN sluice.refusal.last_at IS 'when the last of them was reported';

RESET ROLE;
