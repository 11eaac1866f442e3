-- Which partitions exist, and which should. Days are UTC days in any session's time zone.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.partition_bounds()
RETURNS TABLE (table_name text, partition_name text, partition oid, is_default boolean,
    lower_bound timestamptz, upper_bound timestamptz)
LANGUAGE plpgsql STABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO' SET TimeZone = 'UTC' AS $$
BEGIN
    RETURN QUERY
    SELECT p.relname::text, CASE WHEN c.relnamespace = p.relnamespace THEN c.relname::text
            ELSE c.oid::regclass::text END,
        c.oid, b.bounds = 'DEFAULT',
        (regexp_match(b.bounds, $r$FROM \('([^']+)'\)$r$))[1]::timestamptz,
        (regexp_match(b.bounds, $r$TO \('([^']+)'\)$r$))[1]::timestamptz
    FROM pg_class AS p
    JOIN pg_inherits AS i ON i.inhparent = p.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bounds)
    WHERE p.relnamespace = 'sluice'::regnamespace AND p.relkind = 'p'
        AND b.bounds IS NOT NULL; -- null: dropped just now
END
$$;
COMMENT ON FUNCTION sluice.partition_bounds() IS
    'All partitions of the schema''s tables with their bounds: lower inclusive, upper exclusive; '
    'null for default partitions. partition_name is qualified if the partition is in another '
    'schema.';
GRANT EXECUTE ON FUNCTION sluice.partition_bounds() TO sluice_reader;

CREATE OR REPLACE VIEW sluice.partitioned_table AS
SELECT p.relname::text AS table_name, p.oid AS parent, k.partdefid AS default_partition,
    r.keep, r.expired, t.keep_from,
    greatest(t.keep_from, t.today - interval '8784 hours') AS first_day,
    t.today,
    t.today + o.days_ahead * interval '24 hours' AS last_day
FROM sluice.retention AS o
JOIN pg_catalog.pg_class AS p ON p.relname = o.table_name
    AND p.relnamespace = 'sluice'::regnamespace
JOIN pg_catalog.pg_partitioned_table AS k ON k.partrelid = p.oid
JOIN sluice.retention AS r ON r.table_name = coalesce(o.goes_with, o.table_name)
CROSS JOIN LATERAL (SELECT
    pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC') AS today,
    pg_catalog.date_trunc('day', (pg_catalog.now() AT TIME ZONE 'UTC') - r.keep) AT TIME ZONE 'UTC'
        AS keep_from) AS t
WHERE o.days_ahead IS NOT NULL;
COMMENT ON VIEW sluice.partitioned_table IS
    'The tables with one partition per day, and the days that they should have. For maintenance.';
COMMENT ON COLUMN sluice.partitioned_table.table_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.partitioned_table.parent IS 'the table''s oid';
COMMENT ON COLUMN sluice.partitioned_table.default_partition IS
    'the default partition''s oid; 0: it was detached';
COMMENT ON COLUMN sluice.partitioned_table.keep IS 'as in retention; null: for ever';
COMMENT ON COLUMN sluice.partitioned_table.expired IS 'as in retention';
COMMENT ON COLUMN sluice.partitioned_table.keep_from IS
    'earlier days are past retention; null: none';
COMMENT ON COLUMN sluice.partitioned_table.first_day IS
    'the first day that may get a partition: within retention and the last 366 days';
COMMENT ON COLUMN sluice.partitioned_table.today IS 'the current UTC day';
COMMENT ON COLUMN sluice.partitioned_table.last_day IS
    'the last day that gets a partition in advance';

CREATE OR REPLACE VIEW sluice.partition_overview AS
SELECT b.table_name, b.partition_name, b.lower_bound, b.upper_bound,
    -- The statistics' counter; after a crash or a restore, the estimate of the last ANALYZE.
    coalesce(nullif(pg_catalog.pg_stat_get_live_tuples(c.oid), 0),
        greatest(c.reltuples, 0)::bigint) AS rows_estimate,
    pg_catalog.pg_total_relation_size(c.oid) AS bytes,
    b.is_default,
    coalesce(b.upper_bound <= t.keep_from, false) AS past_retention
FROM sluice.partition_bounds() AS b
JOIN pg_catalog.pg_class AS c ON c.oid = b.partition
LEFT JOIN sluice.partitioned_table AS t ON t.table_name = b.table_name;
COMMENT ON VIEW sluice.partition_overview IS
    'All partitions: their days, their size, and whether sluicectl maintain will drop or detach '
    'them.';
COMMENT ON COLUMN sluice.partition_overview.table_name IS 'the partitioned table';
COMMENT ON COLUMN sluice.partition_overview.partition_name IS
    'the partition; qualified if it is in another schema';
COMMENT ON COLUMN sluice.partition_overview.lower_bound IS
    'start of its day, a UTC midnight; null for the default partition';
COMMENT ON COLUMN sluice.partition_overview.upper_bound IS
    'end of its day, exclusive; null for the default partition. More than a day after lower_bound '
    'if a full default partition was turned into the partition of its days';
COMMENT ON COLUMN sluice.partition_overview.rows_estimate IS
    'estimated number of rows, from the statistics';
COMMENT ON COLUMN sluice.partition_overview.bytes IS 'size on disk, with indexes and TOAST';
COMMENT ON COLUMN sluice.partition_overview.is_default IS
    'true: holds rows of days without a partition; should be empty';
COMMENT ON COLUMN sluice.partition_overview.past_retention IS
    'true: the whole day is past retention, and maintenance will remove it';

CREATE OR REPLACE VIEW sluice.countable_partition AS
SELECT b.partition_name, b.partition, b.lower_bound, b.upper_bound, v.table_name, v.sequence_name,
    v.joins || CASE WHEN b.is_default OR v.joins = '' THEN ''
        ELSE format(' AND r.received_at >= %L AND r.received_at < %L', b.lower_bound, b.upper_bound)
        END AS joins,
    v.source, v.status, n.changes, c.id AS partition_id,
    c.changes AS counted_changes, coalesce(c.last_id, 0) AS last_id, c.counted_at,
    coalesce(c.counted_at + greatest(c.took * 20, '30 seconds'), '-infinity') AS due_at
FROM (VALUES
    ('signal', 'signal_id', 'signal_result', 'p.source',
        'CASE WHEN r.id IS NOT NULL THEN r.status::text WHEN q.claim_id IS NOT NULL '
        'THEN ''processing'' WHEN (q.last_failure).failed_at IS NOT NULL THEN ''failed'' '
        'ELSE ''pending'' END',
        'LEFT JOIN sluice.signal_queue AS q ON q.id = p.id AND q.organization_id = p.organization_id '
        'LEFT JOIN sluice.signal_result AS r ON r.id = p.id '
        'AND r.organization_id = p.organization_id AND r.received_at = p.received_at'),
    ('signal_cold_storage', 'signal_id', NULL, 'p.source', quote_literal(''), ''),
    ('product_org_update', 'signal_id', NULL, NULL, NULL, ''), -- by key only
    ('rejected_payload', 'rejected_payload_id', NULL, quote_literal(''), quote_literal(''), ''))
    AS v (table_name, sequence_name, result_table, source, status, joins)
JOIN sluice.partition_bounds() AS b ON b.table_name = v.table_name
LEFT JOIN sluice.partition_bounds() AS w ON w.table_name = v.result_table
    AND w.lower_bound = b.lower_bound
CROSS JOIN LATERAL (SELECT pg_stat_get_tuples_inserted(b.partition)
    + pg_stat_get_tuples_deleted(b.partition)
    + coalesce(pg_stat_get_tuples_inserted(w.partition)
        + pg_stat_get_tuples_deleted(w.partition), 0)) AS n (changes)
LEFT JOIN sluice.counted_partition AS c ON c.partition_name = b.partition_name
-- A DBA may have moved a partition or changed its owner.
WHERE pg_catalog.has_table_privilege('sluice_owner', b.partition, 'SELECT')
    AND pg_catalog.has_schema_privilege('sluice_owner', (SELECT p.relnamespace
        FROM pg_catalog.pg_class AS p WHERE p.oid = b.partition), 'USAGE');
COMMENT ON VIEW sluice.countable_partition IS
    'The partitions that count_rows counts, how, and when it last did. Internal: for count_rows, '
    'count_live and count_keys.';
COMMENT ON COLUMN sluice.countable_partition.partition_name IS 'the partition';
COMMENT ON COLUMN sluice.countable_partition.partition IS 'the partition''s oid';
COMMENT ON COLUMN sluice.countable_partition.lower_bound IS 'as in partition_overview';
COMMENT ON COLUMN sluice.countable_partition.upper_bound IS 'as in partition_overview';
COMMENT ON COLUMN sluice.countable_partition.table_name IS 'the table it is a partition of';
COMMENT ON COLUMN sluice.countable_partition.sequence_name IS 'the sequence of its ids';
COMMENT ON COLUMN sluice.countable_partition.joins IS
    'SQL that joins the results and the queue to a row p; empty if it has none';
COMMENT ON COLUMN sluice.countable_partition.source IS
    'SQL for the source of a row p; null: it is counted by key only';
COMMENT ON COLUMN sluice.countable_partition.status IS 'SQL for the status of a row p; null as source';
COMMENT ON COLUMN sluice.countable_partition.changes IS 'as in counted_partition, at present';
COMMENT ON COLUMN sluice.countable_partition.partition_id IS
    'counted_partition.id; null: never counted';
COMMENT ON COLUMN sluice.countable_partition.counted_changes IS 'as in counted_partition';
COMMENT ON COLUMN sluice.countable_partition.last_id IS 'as in counted_partition; 0: never counted';
COMMENT ON COLUMN sluice.countable_partition.counted_at IS 'as in counted_partition';
COMMENT ON COLUMN sluice.countable_partition.due_at IS 'when it may be counted again';

RESET ROLE;
