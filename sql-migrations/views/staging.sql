-- Staged rows with their status. Claims return rows of these views. They run with the rights of the
-- role that queries them, so that a DBA's row-level security on the tables applies to them.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE VIEW sluice.signal_staging WITH (security_invoker = true) AS
SELECT s.id, s.organization_id, s.key_id, s.received_at, s.occurred_at,
    CASE
        WHEN r.id IS NOT NULL THEN r.status
        WHEN q.claim_id IS NOT NULL THEN 'processing'
        WHEN (q.last_failure).failed_at IS NOT NULL THEN 'failed'
        ELSE 'pending'
    END::sluice.staging_status AS status,
    s.source, s.event_type, s.event_name, s.email, s.user_id, s.anonymous_id, s.product_user_id,
    s.crm_id, s.marketing_automation_id, s.phone, s.product_org_id, s.message_id, s.request_id,
    s.traceparent, s.payload, s.envelope, s.warnings, s.payload_raw IS NOT NULL AS payload_repaired, s.payload_raw,
    coalesce(r.error, (q.last_failure).error) AS error,
    coalesce(r.mapped_rule, (q.last_failure).mapped_rule) AS mapped_rule,
    coalesce(r.attempts, q.attempts, 0::smallint) AS attempts,
    CASE WHEN q.claim_id IS NOT NULL THEN q.lease_ends_at ELSE q.due_at END AS due_at,
    coalesce(r.finished_at, c.claimed_at, (q.last_failure).failed_at) AS status_at,
    q.claim_id,
    coalesce(r.claimed_by, c.claimed_by, (q.last_failure).failed_by) AS claimed_by,
    s.stored_xact
FROM sluice.signal AS s
LEFT JOIN sluice.signal_result AS r
    ON r.id = s.id AND r.organization_id = s.organization_id AND r.received_at = s.received_at
LEFT JOIN sluice.signal_queue AS q
    ON q.id = s.id AND q.organization_id = s.organization_id
LEFT JOIN sluice.claim AS c ON c.id = q.claim_id;
COMMENT ON VIEW sluice.signal_staging IS
    'Signals as delivered, with their status from signal_queue and signal_result; a signal that is '
    'in neither is pending. For failed signals read signal_failed and for waiting ones backlog: '
    'they do not read the whole table.';

CREATE OR REPLACE VIEW sluice.product_org_staging WITH (security_invoker = true) AS
SELECT s.id, s.organization_id, s.key_id, s.received_at,
    CASE
        WHEN r.id IS NOT NULL THEN r.status
        WHEN q.claim_id IS NOT NULL THEN 'processing'
        WHEN (q.last_failure).failed_at IS NOT NULL THEN 'failed'
        ELSE 'pending'
    END::sluice.staging_status AS status,
    s.product_org_id, s.name, s.plan_id, s.plan_name, s.user_count, s.mrr, s.trial_status,
    s.last_active_at, s.feature_flags, s.custom, s.warnings, s.message_id, s.request_id,
    s.traceparent, s.payload, s.envelope, s.payload_raw IS NOT NULL AS payload_repaired, s.payload_raw,
    coalesce(r.error, (q.last_failure).error) AS error,
    coalesce(r.mapped_rule, (q.last_failure).mapped_rule) AS mapped_rule,
    coalesce(r.attempts, q.attempts, 0::smallint) AS attempts,
    CASE WHEN q.claim_id IS NOT NULL THEN q.lease_ends_at ELSE q.due_at END AS due_at,
    coalesce(r.finished_at, c.claimed_at, (q.last_failure).failed_at) AS status_at,
    q.claim_id,
    coalesce(r.claimed_by, c.claimed_by, (q.last_failure).failed_by) AS claimed_by,
    s.stored_xact
FROM sluice.product_org_update AS s
LEFT JOIN sluice.product_org_result AS r
    ON r.id = s.id AND r.organization_id = s.organization_id AND r.received_at = s.received_at
LEFT JOIN sluice.product_org_queue AS q
    ON q.id = s.id AND q.organization_id = s.organization_id
LEFT JOIN sluice.claim AS c ON c.id = q.claim_id;
COMMENT ON VIEW sluice.product_org_staging IS
    'Product-org updates as delivered, with their status from product_org_queue and '
    'product_org_result.';

CREATE OR REPLACE VIEW sluice.signal_failed WITH (security_invoker = true) AS
SELECT s.id, s.organization_id, s.key_id, f.received_at, f.status, f.status_at, f.error,
    f.mapped_rule, f.attempts, f.claimed_by, f.due_at, s.source, s.event_type, s.event_name, s.email,
    s.user_id, s.request_id, s.payload
FROM (
    SELECT r.id, r.organization_id, r.received_at, r.status, r.finished_at AS status_at, r.error,
        r.mapped_rule, r.attempts, r.claimed_by, NULL::timestamptz AS due_at
    FROM sluice.signal_result AS r
    WHERE r.status = 'permanently_failed'
    UNION ALL
    SELECT q.id, q.organization_id, q.received_at, 'failed', (q.last_failure).failed_at,
        (q.last_failure).error, (q.last_failure).mapped_rule, q.attempts, (q.last_failure).failed_by,
        q.due_at
    FROM sluice.signal_queue AS q
    WHERE q.due_at IS NOT NULL
) AS f
CROSS JOIN LATERAL (
    SELECT * FROM sluice.signal AS t
    WHERE t.id = f.id AND t.organization_id = f.organization_id AND t.received_at = f.received_at
    LIMIT 1 -- keeps the planner from joining all days to the failed of some
) AS s;
COMMENT ON VIEW sluice.signal_failed IS
    'Signals that failed, whether they will be retried or not. Add received_at >= … to limit the '
    'days.';

CREATE OR REPLACE VIEW sluice.consumer_work WITH (security_invoker = true) AS
SELECT r.claimed_by, date_trunc('hour', r.finished_at, 'UTC') AS hour, r.status, count(*) AS signals,
    avg(r.finished_at - r.claimed_at) AS mean_time, max(r.finished_at - r.claimed_at) AS longest_time
FROM sluice.signal_result AS r
GROUP BY r.claimed_by, date_trunc('hour', r.finished_at, 'UTC'), r.status;
COMMENT ON VIEW sluice.consumer_work IS
    'What consumers finished and how long it took from claim to report, by consumer, hour (UTC) '
    'and status. Covers all days; for a shorter span query signal_result by finished_at.';

CREATE OR REPLACE VIEW sluice.queued WITH (security_invoker = true) AS
SELECT 'signal_staging' AS table_name, s.id, s.organization_id, s.received_at, s.due_at, s.claim_id,
    s.lease_ends_at, (s.last_failure).failed_at
FROM sluice.signal_queue AS s
UNION ALL
SELECT 'product_org_staging', p.id, p.organization_id, p.received_at, p.due_at, p.claim_id,
    p.lease_ends_at, (p.last_failure).failed_at
FROM sluice.product_org_queue AS p;
COMMENT ON VIEW sluice.queued IS 'Both queues, without the rows that no claim has queued yet.';

-- The columns have the comments of the tables they come from.
DO $do$
DECLARE
    comment record;
BEGIN
    FOR comment IN
        WITH own (name, description) AS (VALUES
            ('status', 'pending, processing, completed, failed (will be retried at due_at), skipped or '
                'permanently_failed'),
            ('error', 'the last error'),
            ('mapped_rule', 'the rule that a consumer reported'),
            ('attempts', 'number of claims'),
            ('due_at', 'processing: when the lease ends; failed: when it may be claimed again; '
                'otherwise null'),
            ('status_at', 'when a consumer last claimed or reported it; null: never'),
            ('claim_id', 'processing: the claim; pass it with the report'),
            ('failed_at', 'when its last attempt failed; null: never'),
            ('lease_ends_at', 'when the claim ends if nothing is reported'),
            ('claimed_by', 'the last consumer, by the name that it gave'),
            ('hour', 'start of the hour'),
            ('signals', 'number of signals'),
            ('mean_time', 'mean time from claim to report'),
            ('longest_time', 'longest time from claim to report'),
            ('payload_repaired', 'true: the payload differs from the received bytes, see payload_raw'),
            ('table_name', 'signal_staging or product_org_staging'))
        SELECT v.relname, a.attname, coalesce(o.description, (
                SELECT col_description(b.attrelid, b.attnum)
                FROM pg_catalog.pg_attribute AS b
                WHERE b.attname = a.attname AND b.attnum > 0
                    AND b.attrelid IN ('sluice.signal'::regclass, 'sluice.product_org_update'::regclass,
                        'sluice.signal_queue'::regclass)
                ORDER BY CASE b.attrelid
                    WHEN 'sluice.signal_queue'::regclass THEN 2
                    WHEN 'sluice.signal'::regclass
                        THEN CASE WHEN v.relname = 'product_org_staging' THEN 1 ELSE 0 END
                    ELSE CASE WHEN v.relname = 'product_org_staging' THEN 0 ELSE 1 END END
                LIMIT 1)) AS description
        FROM pg_catalog.pg_class AS v
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = v.oid AND a.attnum > 0
        LEFT JOIN own AS o ON o.name = a.attname
        WHERE v.relnamespace = 'sluice'::regnamespace AND v.relname IN ('signal_staging',
            'product_org_staging', 'signal_failed', 'consumer_work', 'queued')
    LOOP
        EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', comment.relname, comment.attname,
            comment.description);
    END LOOP;
END
$do$;

CREATE OR REPLACE VIEW sluice.backlog WITH (security_invoker = true) AS
SELECT
    o.name AS organization,
    s.table_name,
    count(*) FILTER (WHERE s.claim_id IS NULL AND s.failed_at IS NULL) AS pending,
    count(*) FILTER (WHERE s.claim_id IS NOT NULL) AS processing,
    count(*) FILTER (WHERE s.lease_ends_at < now() AND s.claim_id IS NOT NULL) AS lease_ended,
    count(*) FILTER (WHERE s.claim_id IS NULL AND s.failed_at IS NOT NULL) AS failed,
    min(s.received_at) FILTER (WHERE s.claim_id IS NULL AND s.failed_at IS NULL) AS oldest_pending_at,
    now() - min(s.received_at) FILTER (WHERE s.claim_id IS NULL AND s.failed_at IS NULL)
        AS oldest_pending_age
FROM (
    SELECT q.table_name, q.organization_id, q.received_at, q.claim_id, q.lease_ends_at, q.failed_at
    FROM sluice.queued AS q
    UNION ALL
    SELECT 'signal_staging', n.organization_id, n.received_at, NULL, NULL, NULL
    FROM sluice.unfed('signal') AS n
    UNION ALL
    SELECT 'product_org_staging', n.organization_id, n.received_at, NULL, NULL, NULL
    FROM sluice.unfed('product_org') AS n
) AS s
JOIN sluice.organization AS o ON o.id = s.organization_id
GROUP BY o.name, s.table_name;
COMMENT ON VIEW sluice.backlog IS
    'What consumers have left to do, by organization and staging table; no row where nothing is '
    'left.';
COMMENT ON COLUMN sluice.backlog.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.backlog.table_name IS 'signal_staging or product_org_staging';
COMMENT ON COLUMN sluice.backlog.pending IS 'rows waiting for a consumer';
COMMENT ON COLUMN sluice.backlog.processing IS 'rows that a consumer holds';
COMMENT ON COLUMN sluice.backlog.lease_ended IS
    'processing rows whose lease has ended without a report; they can be claimed again';
COMMENT ON COLUMN sluice.backlog.failed IS 'rows that will be retried';
COMMENT ON COLUMN sluice.backlog.oldest_pending_at IS 'when the oldest pending row was received';
COMMENT ON COLUMN sluice.backlog.oldest_pending_age IS 'how long that row has waited';

CREATE OR REPLACE VIEW sluice.intake_per_hour WITH (security_invoker = true) AS
SELECT
    o.name AS organization,
    k.id AS key_id,
    k.name AS key_name,
    s.source,
    date_trunc('hour', s.received_at, 'UTC') AS hour,
    count(*) AS signals,
    count(*) FILTER (WHERE s.cold) AS cold,
    count(*) FILTER (WHERE s.repaired) AS repaired
FROM (
    SELECT w.organization_id, w.key_id, w.source, w.received_at,
        w.payload_raw IS NOT NULL AS repaired, false AS cold
    FROM sluice.signal AS w
    WHERE w.received_at >= now() - interval '7 days'
    UNION ALL
    SELECT c.organization_id, c.key_id, c.source, c.received_at, c.payload_raw IS NOT NULL, true
    FROM sluice.signal_cold_storage AS c
    WHERE c.received_at >= now() - interval '7 days'
) AS s
JOIN sluice.organization AS o ON o.id = s.organization_id
JOIN sluice.api_key AS k ON k.id = s.key_id
GROUP BY o.name, k.id, k.name, s.source, date_trunc('hour', s.received_at, 'UTC');
COMMENT ON VIEW sluice.intake_per_hour IS
    'Signals received in the last seven days, by hour (UTC), source and key. Reads the rows of '
    'those days, which takes seconds for tens of millions.';
COMMENT ON COLUMN sluice.intake_per_hour.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.intake_per_hour.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.intake_per_hour.key_name IS 'the key''s name';
COMMENT ON COLUMN sluice.intake_per_hour.source IS 'as in signal_staging';
COMMENT ON COLUMN sluice.intake_per_hour.hour IS 'start of the hour';
COMMENT ON COLUMN sluice.intake_per_hour.signals IS 'signals received';
COMMENT ON COLUMN sluice.intake_per_hour.cold IS 'number of those in signal_cold_storage';
COMMENT ON COLUMN sluice.intake_per_hour.repaired IS
    'number of those whose payload differs from the received bytes';

RESET ROLE;
