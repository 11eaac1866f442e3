-- Views for people: what came in, what was refused and why, how the keys are doing. One transaction.
--
-- They are plain queries, so they cost intake nothing and are exact at the moment of the query.
-- Those over the staging tables look at the last seven days, which are a few partitions however
-- much is kept; for other spans the tables are there.

SET LOCAL ROLE sluice_owner;

CREATE VIEW sluice.intake_per_hour AS
SELECT
    o.name AS organization,
    k.id AS key_id,
    k.name AS key_name,
    s.source,
    date_trunc('hour', s.received_at, 'UTC') AS hour,
    count(*) AS signals,
    count(*) FILTER (WHERE s.cold) AS cold,
    count(*) FILTER (WHERE s.payload_repaired) AS repaired
FROM (
    SELECT w.organization_id, w.key_id, w.source, w.received_at, w.payload_repaired, false AS cold
    FROM sluice.signal_staging AS w
    WHERE w.received_at >= now() - interval '7 days'
    UNION ALL
    SELECT c.organization_id, c.key_id, c.source, c.received_at, c.payload_repaired, true
    FROM sluice.signal_cold_storage AS c
    WHERE c.received_at >= now() - interval '7 days'
) AS s
JOIN sluice.organization AS o ON o.id = s.organization_id
JOIN sluice.api_key AS k ON k.id = s.key_id
GROUP BY o.name, k.id, k.name, s.source, date_trunc('hour', s.received_at, 'UTC');
COMMENT ON VIEW sluice.intake_per_hour IS
    'How many signals of the last seven days came in by hour (UTC), source and key. Reads those '
    'days'' rows: seconds for tens of millions.';
COMMENT ON COLUMN sluice.intake_per_hour.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.intake_per_hour.key_id IS 'the key';
COMMENT ON COLUMN sluice.intake_per_hour.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.intake_per_hour.source IS 'as in signal_staging';
COMMENT ON COLUMN sluice.intake_per_hour.hour IS 'when the hour began';
COMMENT ON COLUMN sluice.intake_per_hour.signals IS 'signals received in it';
COMMENT ON COLUMN sluice.intake_per_hour.cold IS 'of them, those that wait in signal_cold_storage';
COMMENT ON COLUMN sluice.intake_per_hour.repaired IS
    'of them, those whose payload differs from what was received';

CREATE VIEW sluice.rejects_by_reason AS
SELECT
    o.name AS organization,
    k.id AS key_id,
    k.name AS key_name,
    r.code,
    r.kind,
    count(*) AS entries,
    count(*) FILTER (WHERE r.replayed_at IS NULL) AS not_replayed,
    sum(octet_length(r.payload))::bigint AS kept_bytes,
    min(r.received_at) AS first_at,
    max(r.received_at) AS last_at,
    (array_agg(r.detail ORDER BY r.received_at DESC))[1] AS last_detail
FROM sluice.organization AS o
JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
JOIN sluice.api_key AS k ON k.id = r.key_id
GROUP BY o.name, k.id, k.name, r.code, r.kind;
COMMENT ON VIEW sluice.rejects_by_reason IS
    'What is kept in rejected_payload, by key and reason. See single entries with sluicectl '
    'rejected.';
COMMENT ON COLUMN sluice.rejects_by_reason.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.key_id IS 'the key';
COMMENT ON COLUMN sluice.rejects_by_reason.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.rejects_by_reason.code IS 'why, as a problem code';
COMMENT ON COLUMN sluice.rejects_by_reason.kind IS 'item, or a whole body: single, batch, lines';
COMMENT ON COLUMN sluice.rejects_by_reason.entries IS 'how many';
COMMENT ON COLUMN sluice.rejects_by_reason.not_replayed IS 'of them, those not yet replayed';
COMMENT ON COLUMN sluice.rejects_by_reason.kept_bytes IS 'the size of what is kept';
COMMENT ON COLUMN sluice.rejects_by_reason.first_at IS 'when the first was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_at IS 'when the last was received';
COMMENT ON COLUMN sluice.rejects_by_reason.last_detail IS 'what was wrong with the last, in words';

CREATE VIEW sluice.key_health AS
SELECT
    v.organization,
    v.id AS key_id,
    v.name AS key_name,
    v.display,
    v.status,
    v.last_used_at,
    r.last_refused_at,
    r.last_refusal::text AS last_refusal,
    coalesce(r.refused_today, 0) AS refused_today,
    coalesce(r.refused_7_days, 0) AS refused_7_days
FROM sluice.key_overview AS v
LEFT JOIN LATERAL (
    SELECT max(q.last_at) AS last_refused_at,
        (array_agg(q.reason ORDER BY q.last_at DESC))[1] AS last_refusal,
        sum(q.requests) FILTER (WHERE q.day = (now() AT TIME ZONE 'UTC')::date)::bigint
            AS refused_today,
        sum(q.requests) FILTER (WHERE q.day > (now() AT TIME ZONE 'UTC')::date - 7)::bigint
            AS refused_7_days
    FROM sluice.api_key AS k
    JOIN sluice.refused_request AS q ON q.organization_id = k.organization_id AND q.key_id = k.id
    WHERE k.id = v.id
) AS r ON true;
COMMENT ON VIEW sluice.key_health IS
    'Answers "why does my webhook not work": each key with its status, its last use, and when and '
    'why a request with it was last refused. By reason and day: refused_request. A key that is '
    'not here, or with no use and no refusal, was never presented in full.';
COMMENT ON COLUMN sluice.key_health.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.key_health.key_id IS 'the key';
COMMENT ON COLUMN sluice.key_health.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.key_health.display IS 'what may be shown of the key';
COMMENT ON COLUMN sluice.key_health.status IS 'active, expired or deactivated, at this moment';
COMMENT ON COLUMN sluice.key_health.last_used_at IS
    'when a request was last accepted, up to a minute late; null: never';
COMMENT ON COLUMN sluice.key_health.last_refused_at IS
    'when a request was last refused, up to ten seconds late; null: not in the time kept';
COMMENT ON COLUMN sluice.key_health.last_refusal IS 'why: see type refusal';
COMMENT ON COLUMN sluice.key_health.refused_today IS 'requests refused on this day (UTC)';
COMMENT ON COLUMN sluice.key_health.refused_7_days IS
    'requests refused on this day and the six before';

GRANT SELECT ON sluice.intake_per_hour, sluice.rejects_by_reason, sluice.key_health
    TO sluice_reader;

RESET ROLE;
