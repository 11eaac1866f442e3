-- Metrics in Prometheus' text format (version 0.0.4), for GET /metrics.
--
-- They cover all organizations together and name none. A monitoring system may ask every few
-- seconds, so the cost must not depend on how many signals are kept.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.oldest_due(kind text) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    queued timestamptz;
    retried timestamptz;
BEGIN
    -- One index entry, from where claims look; the SETs rule out other plans.
    EXECUTE format('SELECT q.received_at FROM sluice.%I AS q WHERE q.id >= $1 AND q.due_at IS NULL '
        'AND (q.claim_id IS NULL OR q.lease_ends_at <= $2) ORDER BY q.id LIMIT 1', kind || '_queue')
    INTO queued USING coalesce(pg_sequence_last_value(format('sluice.%I', kind || '_queue_from')::regclass),
        0), now();
    EXECUTE format('SELECT q.due_at FROM sluice.%I AS q WHERE q.due_at <= $1 '
        'ORDER BY q.due_at LIMIT 1', kind || '_queue')
    INTO retried USING now();
    -- Rows that are not queued yet are later, except those of long transactions.
    RETURN coalesce(least(queued, retried), (SELECT min(n.received_at) FROM sluice.unfed(kind) AS n));
END
$$;
COMMENT ON FUNCTION sluice.oldest_due(text) IS
    'When the oldest row that could be claimed became due (feed.kind); null if there is none. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.metric(name text, type text, help text, label text, label_values text[],
    samples numeric[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN format(E'# HELP %1$s %2$s\n# TYPE %1$s %3$s\n', name, help, type)
        || coalesce((SELECT string_agg(name
            || CASE WHEN label IS NULL THEN '' ELSE format('{%s="%s"}', label,
                replace(replace(replace(label_values[i], E'\\', E'\\\\'), '"', E'\\"'),
                    E'\n', E'\\n')) END
            || ' ' || coalesce(samples[i]::text, 'NaN') || E'\n', '' ORDER BY i)
        FROM generate_subscripts(samples, 1) AS i), '');
END
$$;
COMMENT ON FUNCTION sluice.metric(text, text, text, text, text[], numeric[]) IS
    'One metric in Prometheus'' text format, with one sample for each value of the label. A metric '
    'without a label has one sample. Internal.';

CREATE OR REPLACE FUNCTION sluice.partition_metrics() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    metrics text := '';
    names text[];
    numbers numeric[];
    used text[] := ARRAY(SELECT sluice.default_partitions_in_use());
    age numeric;
BEGIN
    SELECT array_agg(b.table_name ORDER BY b.table_name),
        array_agg((b.partition_name = ANY (used))::integer ORDER BY b.table_name)
    INTO names, numbers
    FROM sluice.partition_bounds() AS b
    WHERE b.is_default;
    metrics := metrics || sluice.metric('sluice_default_partition_in_use', 'gauge',
        'Whether the table''s default partition holds rows, whose days have no partition: '
        'maintenance is late, or a timestamp is wrong.', 'table', names, numbers);

    SELECT array_agg(a.table_name ORDER BY a.table_name), array_agg(a.days ORDER BY a.table_name)
    INTO names, numbers
    FROM (SELECT b.table_name, count(*) FILTER (WHERE b.lower_bound > now()) AS days
        FROM sluice.partition_bounds() AS b GROUP BY b.table_name) AS a;
    metrics := metrics || sluice.metric('sluice_partitions_ahead', 'gauge',
        'Number of coming days for which the table has partitions.', 'table', names, numbers);

    -- A step that never ran counts from when it was added, so that an alert fires where maintenance
    -- was never set up.
    SELECT extract(epoch FROM now() - min(coalesce(r.done_at, s.added_at))) INTO age
    FROM sluice.maintenance_step AS s
    LEFT JOIN sluice.maintenance_run AS r ON r.step = s.name;
    metrics := metrics || sluice.metric('sluice_maintenance_age_seconds', 'gauge',
        'Time since the least recent run of a step of sluicectl maintain, or since the step was '
        'added if it never ran.', NULL, NULL, ARRAY[round(greatest(age, 0), 3)]);
    RETURN metrics;
END
$$;
COMMENT ON FUNCTION sluice.partition_metrics() IS
    'The metrics of partitions and maintenance. Internal: called by metrics.';

CREATE OR REPLACE FUNCTION sluice.usage_metrics() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    metrics text := '';
    names text[];
    numbers numeric[];
    signals numeric;
    duplicates numeric;
BEGIN
    -- In one statement, while fold_usage moves rows from one table to the other.
    SELECT coalesce(sum(u.signals), 0), coalesce(sum(u.duplicates), 0) INTO signals, duplicates
    FROM (SELECT m.signals, m.duplicates FROM sluice.usage_month AS m
        UNION ALL
        SELECT d.signals, d.duplicates FROM sluice.usage_delta AS d) AS u;
    metrics := metrics
        || sluice.metric('sluice_signals_total', 'counter',
            'Signals and product-org updates that were stored.', NULL, NULL, ARRAY[signals])
        || sluice.metric('sluice_duplicates_total', 'counter',
            'Repeats, which were not stored.', NULL, NULL,
            ARRAY[duplicates]);

    -- Today only: a sum over all days would drop when old days are pruned, and a counter that drops
    -- is taken for a restart at zero.
    SELECT array_agg(v.reason ORDER BY v.reason), array_agg(v.requests ORDER BY v.reason)
    INTO names, numbers
    FROM (SELECT r.reason, coalesce(sum(q.requests), 0) AS requests
        FROM unnest(enum_range('deactivated'::sluice.intake_outcome, NULL)) AS r (reason)
        LEFT JOIN sluice.refusal AS q ON q.reason = r.reason
            AND q.day = (now() AT TIME ZONE 'UTC')::date
        GROUP BY r.reason) AS v;
    metrics := metrics || sluice.metric('sluice_refused_requests_total', 'counter',
        'Requests with a known key that were refused, up to ten seconds late; reset at midnight '
        'UTC.', 'reason', names, numbers);
    RETURN metrics;
END
$$;
COMMENT ON FUNCTION sluice.usage_metrics() IS
    'The metrics of stored signals and refused requests. Internal: called by metrics.';

CREATE OR REPLACE FUNCTION sluice.consumer_metrics() RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    metrics text := '';
    names text[];
    numbers numeric[];
BEGIN
    SELECT array_agg(k.name ORDER BY k.name), array_agg(round(coalesce(
            extract(epoch FROM now() - sluice.oldest_due(k.kind)), 0), 3) ORDER BY k.name)
    INTO names, numbers
    FROM (VALUES ('signal_staging', 'signal'), ('product_org_staging', 'product_org'))
        AS k (name, kind);
    metrics := metrics
        || sluice.metric('sluice_oldest_pending_age_seconds', 'gauge',
            'How long the first due row of the table has waited for a consumer, 0 if none has. '
            'Rows are due if they were never claimed, if the delay after a failure is over, or if '
            'their lease has ended.', 'table', names, numbers)
        || sluice.metric('sluice_settled_age_seconds', 'gauge',
            'How long the oldest transaction that writes has been open, anywhere in the cluster: '
            'readers by settled_xact() see nothing later. NaN if it is not visible.',
            NULL, NULL, ARRAY[round(extract(epoch FROM sluice.settled_age()), 3)])
        || sluice.metric('sluice_settled_lag_transactions', 'gauge',
            'How many transaction ids settled_xact() is behind the next one.', NULL, NULL,
            ARRAY[pg_snapshot_xmax(pg_current_snapshot())::text::bigint + sluice.xact_offset()
                - sluice.settled_xact()]);
    RETURN metrics;
END
$$;
COMMENT ON FUNCTION sluice.consumer_metrics() IS
    'The metrics of queues and followers. Internal: called by metrics.';

CREATE OR REPLACE FUNCTION sluice.metrics() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '1s' AS $$
BEGIN
    RETURN sluice.partition_metrics() || sluice.usage_metrics() || sluice.consumer_metrics()
        || sluice.metric('sluice_schema_version', 'gauge', 'The last migration that was applied.',
            NULL, NULL, ARRAY[(SELECT max(m.version) FROM sluice.schema_migration AS m)]);
END
$$;
COMMENT ON FUNCTION sluice.metrics() IS
    'The answer of GET /metrics: the state of tables, maintenance and queues in Prometheus'' text '
    'format, for all organizations together. Its cost does not depend on how many signals are '
    'kept. Raises 55P03 if a default partition is locked for longer than a second.';

GRANT EXECUTE ON FUNCTION sluice.metrics() TO sluice_intake, sluice_reader;

RESET ROLE;
