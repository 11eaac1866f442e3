-- Maintenance: how long each table keeps its rows, the indexes of past days, the steps of sluicectl
-- maintain, and the row counts for the statistics.

SET LOCAL ROLE sluice_owner;

CREATE TABLE sluice.retention (
    table_name text PRIMARY KEY,
    keep interval
        CONSTRAINT retention_keep_check CHECK (keep BETWEEN '1 day' AND '100 years'),
    expired text NOT NULL DEFAULT 'drop'
        CONSTRAINT retention_expired_check CHECK (expired IN ('drop', 'detach')),
    days_ahead integer
        CONSTRAINT retention_days_ahead_check CHECK (days_ahead BETWEEN 1 AND 366),
    goes_with text,
    meaning text NOT NULL
);
COMMENT ON TABLE sluice.retention IS
    'How long each table keeps its rows. Set by sluicectl retention, which is audited; the next '
    'sluicectl maintain applies it. Tables that are not listed keep everything.';
COMMENT ON COLUMN sluice.retention.table_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.retention.keep IS
    'older rows are removed; null: kept for ever. A partition goes when its whole day is older';
COMMENT ON COLUMN sluice.retention.expired IS
    'what happens to a partition past retention: drop, or detach and leave it to the DBA '
    '(detached_partition)';
COMMENT ON COLUMN sluice.retention.days_ahead IS
    'how many days ahead partitions are made; null: the table is not partitioned';
COMMENT ON COLUMN sluice.retention.goes_with IS
    'the table whose keep and expired apply here too, so that results go with their rows; null: '
    'none';
COMMENT ON COLUMN sluice.retention.meaning IS 'what removing the rows entails';
COMMENT ON CONSTRAINT retention_keep_check ON sluice.retention IS
    'at least a day: a plain 90 would be 90 seconds';
COMMENT ON CONSTRAINT retention_expired_check ON sluice.retention IS 'drop or detach';
COMMENT ON CONSTRAINT retention_days_ahead_check ON sluice.retention IS 'at least a day';
INSERT INTO sluice.retention (table_name, keep, days_ahead, goes_with, meaning) VALUES
    ('signal', '90 days', 7, NULL,
        'partitions are dropped, whatever the status of their signals'),
    ('signal_result', NULL, 7, 'signal', 'as signal, day by day'),
    ('signal_cold_storage', '90 days', 7, NULL,
        'partitions are dropped, with signals whose visitor was never identified'),
    ('product_org_update', '90 days', 7, NULL,
        'partitions are dropped, whatever the status of their updates; '
        'product_org_current keeps the latest state of each product org'),
    ('product_org_result', NULL, 7, 'product_org_update', 'as product_org_update, day by day'),
    ('rejected_payload', '30 days', 7, NULL,
        'partitions are dropped, with payloads that were not replayed'),
    ('delivery', '7 days', NULL, NULL,
        'rows are deleted; a later repeat is stored again'),
    ('signal_move', '7 days', NULL, NULL,
        'rows are deleted; followers that lag behind miss the moved signals'),
    ('identity', '365 days', NULL, NULL,
        'rows are deleted; the visitor is unknown until identified again'),
    ('refused_request', '90 days', NULL, NULL,
        'rows are deleted, and with them their counts in key_health'),
    ('api_token', '90 days', NULL, NULL,
        'tokens of the settings API are deleted so long after their expiration; the audit log keeps '
        'their names'),
    ('usage_hour', '40 days', NULL, NULL,
        'rows are deleted; the months stay, and statistics show at most 30 days');

CREATE TABLE sluice.detached_partition (
    partition_name text PRIMARY KEY,
    table_name text NOT NULL,
    lower_bound timestamptz NOT NULL,
    upper_bound timestamptz NOT NULL,
    detached_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.detached_partition IS
    'Partitions that sluicectl maintain has detached instead of dropping (retention.expired). They '
    'are plain tables now: sluicectl maintain --archive or a DBA drops them. The row of a dropped '
    'table is removed.';
COMMENT ON COLUMN sluice.detached_partition.partition_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.detached_partition.table_name IS 'the table it was a partition of';
COMMENT ON COLUMN sluice.detached_partition.lower_bound IS 'start of its day';
COMMENT ON COLUMN sluice.detached_partition.upper_bound IS 'end of its day';
COMMENT ON COLUMN sluice.detached_partition.detached_at IS 'when it was detached';

CREATE TABLE sluice.fed_day (
    partition_name text PRIMARY KEY,
    changes bigint NOT NULL
);
COMMENT ON TABLE sluice.fed_day IS
    'The older partitions that feed_stragglers has searched; it searches one again only when the '
    'number of inserts has changed. Written by sluicectl maintain.';
COMMENT ON COLUMN sluice.fed_day.partition_name IS 'as in partition_overview';
COMMENT ON COLUMN sluice.fed_day.changes IS
    'rows inserted before the search, from the server''s statistics';

CREATE TABLE sluice.day_index (
    table_name text NOT NULL,
    suffix text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (table_name, suffix)
);
COMMENT ON TABLE sluice.day_index IS
    'Indexes that sluicectl maintain builds on the partition of a past day; during the day they '
    'would cost each request too much. A DBA may add and remove rows.';
COMMENT ON COLUMN sluice.day_index.table_name IS 'the partitioned table';
COMMENT ON COLUMN sluice.day_index.suffix IS
    'the index name is the partition''s name, an underscore and this';
COMMENT ON COLUMN sluice.day_index.definition IS
    'the part of CREATE INDEX that follows the table name';
-- A hash index where nearly every row has a value: a look-up reads one page instead of three. Where
-- few rows have one, a B-tree is smaller.
INSERT INTO sluice.day_index (table_name, suffix, definition)
SELECT 'signal', n.name || '_day', format('USING %2$s (%1$I) WHERE %1$I IS NOT NULL', n.name, n.method)
FROM (VALUES ('email', 'hash'), ('user_id', 'hash'), ('anonymous_id', 'hash'),
    ('message_id', 'hash'), ('request_id', 'hash'), ('product_user_id', 'btree'),
    ('crm_id', 'btree'), ('marketing_automation_id', 'btree'), ('phone', 'btree')) AS n (name, method)
UNION ALL VALUES
    ('signal', 'organization_id_day', '(organization_id, id)'),
    ('signal_cold_storage', 'request_id_day', 'USING hash (request_id)'),
    ('signal_cold_storage', 'message_id_day', 'USING hash (message_id) WHERE message_id IS NOT NULL'),
    ('signal_cold_storage', 'organization_id_day', '(organization_id, id)');

CREATE TABLE sluice.maintenance_step (
    name text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    unit text NOT NULL,
    description text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.maintenance_step IS
    'The steps of sluicectl maintain: functions sluice.NAME(max_rows integer) that do a limited '
    'piece of work and return how much they did. They are called until they return 0.';
COMMENT ON COLUMN sluice.maintenance_step.name IS 'the function, in schema sluice';
COMMENT ON COLUMN sluice.maintenance_step.position IS 'the order of the steps';
COMMENT ON COLUMN sluice.maintenance_step.unit IS 'what the function counts';
COMMENT ON COLUMN sluice.maintenance_step.description IS 'what the step does';
COMMENT ON COLUMN sluice.maintenance_step.added_at IS
    'when the step was added; since then it must run at least daily';

CREATE TABLE sluice.maintenance_run (
    step text PRIMARY KEY,
    ended_at timestamptz NOT NULL,
    result text NOT NULL
        CONSTRAINT maintenance_run_result_check CHECK (result IN ('done', 'more', 'busy', 'failed')),
    worked bigint NOT NULL,
    message text,
    actor text NOT NULL,
    done_at timestamptz
);
COMMENT ON TABLE sluice.maintenance_run IS 'The last run of each step of sluicectl maintain.';
COMMENT ON COLUMN sluice.maintenance_run.step IS 'maintenance_step.name';
COMMENT ON COLUMN sluice.maintenance_run.ended_at IS 'when it ended';
COMMENT ON COLUMN sluice.maintenance_run.result IS
    'done (nothing left), more (out of time), busy (a table was in use) or failed; the next run '
    'continues in any case';
COMMENT ON COLUMN sluice.maintenance_run.worked IS 'how much it did, in maintenance_step.unit';
COMMENT ON COLUMN sluice.maintenance_run.message IS 'why it was busy or failed';
COMMENT ON COLUMN sluice.maintenance_run.actor IS 'who ran it, as in audit_log';
COMMENT ON COLUMN sluice.maintenance_run.done_at IS 'when the result was last done; null: never';
COMMENT ON CONSTRAINT maintenance_run_result_check ON sluice.maintenance_run IS
    'the ways a step can end';

-- Counting ten million rows takes seconds. So sluicectl maintain counts partitions that have
-- changed and keeps the result, and a query counts only the rows since then, if they are few.

CREATE TABLE sluice.counted_partition (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_name text NOT NULL UNIQUE,
    changes bigint NOT NULL,
    last_id bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    took interval NOT NULL
);
COMMENT ON TABLE sluice.counted_partition IS
    'The partitions whose rows are counted in hourly_count and key_count. Written by sluicectl '
    'maintain.';
COMMENT ON COLUMN sluice.counted_partition.id IS 'partition_id in hourly_count and key_count';
COMMENT ON COLUMN sluice.counted_partition.partition_name IS 'the partition, in schema sluice';
COMMENT ON COLUMN sluice.counted_partition.changes IS
    'rows inserted into and deleted from it and its results before the count, from the server''s '
    'statistics; if the number has changed, it is counted again';
COMMENT ON COLUMN sluice.counted_partition.last_id IS
    'the last id assigned before the count; later ids are not counted';
COMMENT ON COLUMN sluice.counted_partition.counted_at IS
    'when counting began; later changes of status are not counted';
COMMENT ON COLUMN sluice.counted_partition.took IS
    'how long counting took; it is not repeated for twenty times as long';
COMMENT ON CONSTRAINT counted_partition_partition_name_key ON sluice.counted_partition IS
    'one row per partition';
COMMENT ON SEQUENCE sluice.counted_partition_id_seq IS 'numbers counted partitions';

CREATE TABLE sluice.hourly_count (
    organization_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    partition_id integer NOT NULL,
    table_name text NOT NULL,
    source text NOT NULL,
    status text NOT NULL,
    entries bigint NOT NULL,
    PRIMARY KEY (organization_id, hour, partition_id, source, status)
);
CREATE INDEX hourly_count_partition_id_idx ON sluice.hourly_count (partition_id);
COMMENT ON TABLE sluice.hourly_count IS
    'Number of rows per counted partition, organization, hour, source and status. The statistics '
    'are made from it.';
COMMENT ON COLUMN sluice.hourly_count.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.hourly_count.hour IS 'the hour of receipt (UTC)';
COMMENT ON COLUMN sluice.hourly_count.partition_id IS 'counted_partition.id';
COMMENT ON COLUMN sluice.hourly_count.table_name IS
    'signal, signal_cold_storage or rejected_payload';
COMMENT ON COLUMN sluice.hourly_count.source IS
    '"(other)" for sources after the 30 most frequent of an organization and partition; "" for '
    'rejected payloads';
COMMENT ON COLUMN sluice.hourly_count.status IS '"" where rows have no status';
COMMENT ON COLUMN sluice.hourly_count.entries IS 'number of rows';
COMMENT ON INDEX sluice.hourly_count_pkey IS
    'starts with the organization, like all primary keys of tenant data';
COMMENT ON INDEX sluice.hourly_count_partition_id_idx IS
    'finds the rows to replace when a partition is counted again';

CREATE TABLE sluice.key_count (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    day date NOT NULL,
    partition_id integer NOT NULL,
    table_name text NOT NULL,
    entries bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, day, partition_id)
);
CREATE INDEX key_count_partition_id_idx ON sluice.key_count (partition_id);
COMMENT ON TABLE sluice.key_count IS
    'Number of rows per counted partition, key and day (UTC), of the days since a week ago. The '
    'volumes of keys are made from it.';
COMMENT ON COLUMN sluice.key_count.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.key_count.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.key_count.day IS 'the day of receipt (UTC)';
COMMENT ON COLUMN sluice.key_count.partition_id IS 'counted_partition.id';
COMMENT ON COLUMN sluice.key_count.table_name IS
    'signal, signal_cold_storage, product_org_update or rejected_payload';
COMMENT ON COLUMN sluice.key_count.entries IS 'number of rows';
COMMENT ON COLUMN sluice.key_count.last_at IS 'when the last of them was received';
COMMENT ON INDEX sluice.key_count_pkey IS
    'starts with the organization, like all primary keys of tenant data';
COMMENT ON INDEX sluice.key_count_partition_id_idx IS
    'finds the rows to replace when a partition is counted again';

RESET ROLE;
