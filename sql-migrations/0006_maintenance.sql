-- What keeps the tables from growing for ever and makes them quick to search: how long each is kept,
-- which indexes a day gets when it is over, the steps of sluicectl maintain, and what they counted.

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
    'How long the tables keep what is in them. Changed by sluicectl retention, which the audit log '
    'notes; the next sluicectl maintain acts on it. A table that is not here keeps everything.';
COMMENT ON COLUMN sluice.retention.table_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.retention.keep IS
    'what is older may be removed; null: nothing ever. Partitions go when all of their day is older';
COMMENT ON COLUMN sluice.retention.expired IS
    'what becomes of a partition whose day is over: drop it, or detach it and leave it to the DBA, '
    'see detached_partition';
COMMENT ON COLUMN sluice.retention.days_ahead IS
    'for how many days to come partitions are made; null: the table has none';
COMMENT ON COLUMN sluice.retention.goes_with IS
    'the table whose keep and expired count for this one, so that results go with their rows; null: '
    'its own';
COMMENT ON COLUMN sluice.retention.meaning IS 'what is removed then, and what that entails';
COMMENT ON CONSTRAINT retention_keep_check ON sluice.retention IS
    'a day at least: 90 without a unit would be seconds';
COMMENT ON CONSTRAINT retention_expired_check ON sluice.retention IS 'the two ways to go';
COMMENT ON CONSTRAINT retention_days_ahead_check ON sluice.retention IS 'a day at least';
INSERT INTO sluice.retention (table_name, keep, days_ahead, goes_with, meaning) VALUES
    ('signal', '90 days', 7, NULL,
        'the days'' partitions are dropped, whatever the status of their signals'),
    ('signal_result', NULL, 7, 'signal', 'as signal, day by day'),
    ('signal_cold_storage', '90 days', 7, NULL,
        'the days'' partitions are dropped; signals that were not identified by then are gone'),
    ('product_org_update', '90 days', 7, NULL,
        'the days'' partitions are dropped, whatever the status of their updates; '
        'product_org_current keeps the latest state of each product org'),
    ('product_org_result', NULL, 7, 'product_org_update', 'as product_org_update, day by day'),
    ('rejected_payload', '30 days', 7, NULL,
        'the days'' partitions are dropped; what was not replayed by then is gone'),
    ('delivery', '7 days', NULL, NULL,
        'rows are deleted; a repeat of such a delivery is stored again'),
    ('signal_move', '7 days', NULL, NULL, 'rows are deleted; signals stay where they were moved'),
    ('identity', '365 days', NULL, NULL,
        'rows are deleted; the visitor is unknown until identified again'),
    ('refused_request', '90 days', NULL, NULL,
        'rows are deleted; key_health does not know of them'),
    ('usage_hour', '40 days', NULL, NULL,
        'rows are deleted; what is billed by month stays, and statistics show the last 30 days');

CREATE TABLE sluice.detached_partition (
    partition_name text PRIMARY KEY,
    table_name text NOT NULL,
    lower_bound timestamptz NOT NULL,
    upper_bound timestamptz NOT NULL,
    detached_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.detached_partition IS
    'Partitions that sluicectl maintain has detached instead of dropping (retention.expired). They '
    'are plain tables now, dropped by sluicectl maintain --archive or by the DBA; a row whose table is '
    'gone is removed.';
COMMENT ON COLUMN sluice.detached_partition.partition_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.detached_partition.table_name IS 'what it was a partition of';
COMMENT ON COLUMN sluice.detached_partition.lower_bound IS 'its day began then';
COMMENT ON COLUMN sluice.detached_partition.upper_bound IS 'its day ended then';
COMMENT ON COLUMN sluice.detached_partition.detached_at IS 'when it was detached';

CREATE TABLE sluice.fed_day (
    partition_name text PRIMARY KEY,
    changes bigint NOT NULL
);
COMMENT ON TABLE sluice.fed_day IS
    'Which partitions of days long past feed_stragglers has looked at, so that it looks again only '
    'after rows were added, or the statistics reset. Written by sluicectl maintain.';
COMMENT ON COLUMN sluice.fed_day.partition_name IS 'as in partition_overview';
COMMENT ON COLUMN sluice.fed_day.changes IS
    'rows inserted, as the server''s statistics had it before';

CREATE TABLE sluice.day_index (
    table_name text NOT NULL,
    suffix text NOT NULL,
    definition text NOT NULL,
    PRIMARY KEY (table_name, suffix)
);
COMMENT ON TABLE sluice.day_index IS
    'The indexes that sluicectl maintain gives to the partition of a day that is over: they would '
    'cost each request too much while the day lasts. A DBA may add and remove rows.';
COMMENT ON COLUMN sluice.day_index.table_name IS 'the partitioned table';
COMMENT ON COLUMN sluice.day_index.suffix IS 'what the index is called by, behind the partition''s name';
COMMENT ON COLUMN sluice.day_index.definition IS 'what follows ON partition in CREATE INDEX';
INSERT INTO sluice.day_index (table_name, suffix, definition)
SELECT 'signal', n.name || '_day', format('(%1$I) WHERE %1$I IS NOT NULL', n.name)
FROM unnest(ARRAY['email', 'user_id', 'anonymous_id', 'product_user_id', 'crm_id',
    'marketing_automation_id', 'phone', 'message_id']) AS n (name)
UNION ALL VALUES
    ('signal', 'request_id_day', '(request_id)'),
    ('signal', 'organization_id_day', '(organization_id, id)'),
    ('signal_cold_storage', 'request_id_day', '(request_id)'),
    ('signal_cold_storage', 'organization_id_day', '(organization_id, id)');

CREATE TABLE sluice.maintenance_step (
    name text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    unit text NOT NULL,
    description text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.maintenance_step IS
    'What sluicectl maintain does: functions sluice.NAME(max_rows integer) that do at most so much '
    'and return how much they did, called again and again until they return 0.';
COMMENT ON COLUMN sluice.maintenance_step.name IS 'the function, in schema sluice';
COMMENT ON COLUMN sluice.maintenance_step.position IS 'steps run in this order';
COMMENT ON COLUMN sluice.maintenance_step.unit IS 'what the function counts: rows, partitions';
COMMENT ON COLUMN sluice.maintenance_step.description IS 'what it is for';
COMMENT ON COLUMN sluice.maintenance_step.added_at IS
    'when it was added; from then on it has to be run at least daily';

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
COMMENT ON TABLE sluice.maintenance_run IS
    'The last run of each step of sluicectl maintain, one row each.';
COMMENT ON COLUMN sluice.maintenance_run.step IS 'maintenance_step.name';
COMMENT ON COLUMN sluice.maintenance_run.ended_at IS 'when the last run of the step ended';
COMMENT ON COLUMN sluice.maintenance_run.result IS
    'done (nothing is left), more (its time was up), busy (a table was in use), failed; the next run '
    'goes on in any case';
COMMENT ON COLUMN sluice.maintenance_run.worked IS
    'how much that run did, in maintenance_step.unit';
COMMENT ON COLUMN sluice.maintenance_run.message IS 'why it was busy or failed';
COMMENT ON COLUMN sluice.maintenance_run.actor IS 'who ran it, as in audit_log';
COMMENT ON COLUMN sluice.maintenance_run.done_at IS 'when it last was done; null: never yet';
COMMENT ON CONSTRAINT maintenance_run_result_check ON sluice.maintenance_run IS
    'the ways a step ends';

-- Counting ten million rows takes seconds, so sluicectl maintain counts partitions that have changed
-- and keeps the result; what came in since is counted when it is asked for, as far as it is little.

CREATE TABLE sluice.counted_partition (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partition_name text NOT NULL UNIQUE,
    changes bigint NOT NULL,
    last_id bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    took interval NOT NULL
);
COMMENT ON TABLE sluice.counted_partition IS
    'The partitions whose rows were counted, and when. Written by sluicectl maintain.';
COMMENT ON COLUMN sluice.counted_partition.id IS 'the partition_id of hourly_count';
COMMENT ON COLUMN sluice.counted_partition.partition_name IS 'the partition, in schema sluice';
COMMENT ON COLUMN sluice.counted_partition.changes IS
    'rows inserted and deleted in it and in its results, as the server''s statistics had it before; '
    'when they say something else now, it is counted again';
COMMENT ON COLUMN sluice.counted_partition.last_id IS
    'the last id that was given out before; rows with later ids are not counted';
COMMENT ON COLUMN sluice.counted_partition.counted_at IS
    'when counting began; a later change of a row''s status is not known';
COMMENT ON COLUMN sluice.counted_partition.took IS
    'how long counting took; for twenty times as long it is not done again';
COMMENT ON CONSTRAINT counted_partition_partition_name_key ON sluice.counted_partition IS
    'each once';
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
    'How many rows each counted partition has, by organization, hour, source and status: what '
    'statistics are made of.';
COMMENT ON COLUMN sluice.hourly_count.organization_id IS 'whose rows; organization.id';
COMMENT ON COLUMN sluice.hourly_count.hour IS 'the hour of their receipt (UTC)';
COMMENT ON COLUMN sluice.hourly_count.partition_id IS 'counted_partition.id';
COMMENT ON COLUMN sluice.hourly_count.table_name IS
    'the table: signal, signal_cold_storage or rejected_payload';
COMMENT ON COLUMN sluice.hourly_count.source IS
    'their source; "(other)" for those beyond the 30 most frequent of an organization and '
    'partition; "" for rejected payloads';
COMMENT ON COLUMN sluice.hourly_count.status IS 'their status; "" where there is none';
COMMENT ON COLUMN sluice.hourly_count.entries IS 'how many';
COMMENT ON INDEX sluice.hourly_count_pkey IS 'begins with the organization, as all primary keys do';
COMMENT ON INDEX sluice.hourly_count_partition_id_idx IS 'to replace what was counted before';

RESET ROLE;
