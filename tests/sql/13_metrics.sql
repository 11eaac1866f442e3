-- What is said to monitoring: the format, and that each number follows what it is about.
BEGIN;
SELECT plan(40);
\ir helper.psql

DELETE FROM sluice.signal; -- of tests that commit
SELECT sluice.organization_create('tester', 'Metrics');
SELECT pg_temp.make_key('Metrics', 'metrics-key');
SELECT pg_temp.make_key('Metrics', 'metrics-secret', 'right');

-- The samples as the workers' role gets them.
CREATE FUNCTION pg_temp.lines() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    metrics text;
BEGIN
    SET LOCAL ROLE sluice_intake;
    metrics := sluice.metrics();
    RESET ROLE;
    RETURN QUERY SELECT l FROM regexp_split_to_table(rtrim(metrics, E'\n'), E'\n') AS l;
END
$$;
CREATE FUNCTION pg_temp.sample(name text) RETURNS numeric LANGUAGE sql AS $$
    SELECT substr(l, length(name) + 2)::numeric FROM pg_temp.lines() AS l
    WHERE starts_with(l, name || ' ')
$$;
CREATE FUNCTION pg_temp.put(received_at timestamptz, table_name text DEFAULT 'signal')
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('INSERT INTO sluice.%I (id, organization_id, received_at, occurred_at, '
        'key_id, source, request_id, payload) '
        'VALUES (nextval(''sluice.signal_id''), 1, $1, now(), 1, ''generic'', ''r'', ''{}'')',
        table_name) USING received_at;
END
$$;

-- ---- the format ----
SELECT is(right(sluice.metrics(), 1), E'\n', 'the last line ends');
SELECT is_empty($$ SELECT l FROM pg_temp.lines() AS l WHERE l !~ ('^(# HELP sluice_[a-z_]+ [^\\]+'
    '|# TYPE sluice_[a-z_]+ (gauge|counter)|sluice_[a-z_]+({[a-z]+="[a-z_]+"})? [0-9]+(\.[0-9]+)?)$') $$,
    'each line is a help, a type or a sample');
SELECT bag_eq($$ SELECT split_part(l, ' ', 3) || ' ' || split_part(l, ' ', 4) FROM pg_temp.lines() AS l
    WHERE l ~ '^# TYPE ' $$, ARRAY['sluice_default_partition_in_use gauge',
    'sluice_partitions_ahead gauge', 'sluice_maintenance_age_seconds gauge',
    'sluice_signals_total counter', 'sluice_duplicates_total counter',
    'sluice_refused_requests_total counter', 'sluice_oldest_pending_age_seconds gauge',
    'sluice_settled_age_seconds gauge', 'sluice_settled_lag_transactions gauge', 'sluice_schema_version gauge'], 'these metrics there are');
SELECT is_empty($$ SELECT l FROM pg_temp.lines() AS l WHERE l ~* 'Metrics( |$|-)|tester' $$,
    'no name of an organization, key or person');
SELECT is(sluice.metric('m', 'gauge', 'Help.', 'l', ARRAY[E'a"b\\c\nd', 'e'], ARRAY[1, 2.50]),
    E'# HELP m Help.\n# TYPE m gauge\nm{l="a\\"b\\\\c\\nd"} 1\nm{l="e"} 2.50\n',
    'values of labels are escaped');
SELECT is(sluice.metric('m', 'counter', 'Help.', NULL, NULL, ARRAY[12345678901234567890]),
    E'# HELP m Help.\n# TYPE m counter\nm 12345678901234567890\n', 'no label, a large number');
SELECT is(sluice.metric('m', 'gauge', 'Help.', NULL, NULL, ARRAY[NULL::numeric]),
    E'# HELP m Help.\n# TYPE m gauge\nm NaN\n', 'what is not known');
SELECT is(sluice.metric('m', 'gauge', 'Help.', 'l', NULL, NULL),
    E'# HELP m Help.\n# TYPE m gauge\n', 'no samples');

-- ---- partitions ----
SELECT is(pg_temp.sample(format('sluice_default_partition_in_use{table="%s"}', t)), 0::numeric,
    'nothing in the default partition of ' || t)
FROM unnest(ARRAY['signal', 'signal_cold_storage', 'rejected_payload']) AS t;
SELECT pg_temp.put(now() + interval '100 days');
SELECT is(pg_temp.sample('sluice_default_partition_in_use{table="signal"}'), 1::numeric,
    'a row in a default partition is seen');
SELECT is(pg_temp.sample('sluice_default_partition_in_use{table="signal_cold_storage"}'), 0::numeric,
    'there only');
SELECT pg_temp.put(now() - interval '3000 days', 'signal_cold_storage');
SELECT is(pg_temp.sample('sluice_default_partition_in_use{table="signal_cold_storage"}'), 1::numeric,
    'or there');
DELETE FROM sluice.signal_default;
DELETE FROM sluice.signal_cold_storage_default;
SELECT is(pg_temp.sample('sluice_default_partition_in_use{table="signal"}'), 0::numeric,
    'and no longer when it is gone');

SELECT is(pg_temp.sample('sluice_partitions_ahead{table="signal"}'), 7::numeric,
    'so many days are made ahead');
SELECT sluice.day_name('signal', date_trunc('day', now(), 'UTC') + interval '7 days')
    AS last_partition \gset
DROP TABLE sluice.:last_partition;
SELECT is(pg_temp.sample('sluice_partitions_ahead{table="signal"}'), 6::numeric, 'one less');
SELECT is(pg_temp.sample('sluice_partitions_ahead{table="rejected_payload"}'), 7::numeric,
    'of this table');

-- ---- maintenance ----
DELETE FROM sluice.maintenance_run;
UPDATE sluice.maintenance_step SET added_at = now() - interval '1 hour';
SELECT is(pg_temp.sample('sluice_maintenance_age_seconds'), 3600.000,
    'what was never done is as old as it is known');
SELECT sluice.maintenance_record('tester', s.name, 'done', 1, NULL) FROM sluice.maintenance_step AS s;
SELECT is(pg_temp.sample('sluice_maintenance_age_seconds'), 0.000, 'all is done');
UPDATE sluice.maintenance_run SET done_at = now() - interval '90 seconds' WHERE step = 'fold_usage';
SELECT sluice.maintenance_record('tester', 'fold_usage', 'busy', 0, 'in use');
SELECT is(pg_temp.sample('sluice_maintenance_age_seconds'), 90.000,
    'the step that has waited longest decides, and a run that did not do it changes nothing');

-- ---- what came in ----
CREATE TEMPORARY TABLE before AS SELECT pg_temp.sample('sluice_signals_total') AS signals,
    pg_temp.sample('sluice_duplicates_total') AS duplicates;
SELECT pg_temp.intake(ARRAY['metrics-key'], ARRAY[1, 1, 1], message_ids => ARRAY['a', 'b', 'a']);
SELECT is(pg_temp.sample('sluice_signals_total') - signals, 2::numeric, 'what is stored counts')
FROM before;
SELECT is(pg_temp.sample('sluice_duplicates_total') - duplicates, 1::numeric,
    'repeats count beside') FROM before;
SELECT ok(sluice.fold_usage(100000) > 0, 'they are added up');
SELECT is(pg_temp.sample('sluice_signals_total') - signals, 2::numeric,
    'which changes nothing') FROM before;
SELECT is(pg_temp.sample('sluice_duplicates_total') - duplicates, 1::numeric) FROM before;

-- ---- what was refused ----
DELETE FROM sluice.refused_request;
SELECT is(pg_temp.sample(format('sluice_refused_requests_total{reason="%s"}', r)), 0::numeric, 'none: ' || r)
FROM unnest(enum_range('deactivated'::sluice.intake_outcome, NULL)) AS r;
INSERT INTO sluice.refused_request (organization_id, key_id, day, reason, requests, last_at)
SELECT k.organization_id, k.id, (now() AT TIME ZONE 'UTC')::date - d.ago, 'secret_wrong', d.requests,
    now()
FROM sluice.api_key AS k
CROSS JOIN (VALUES (0, 3), (1, 100)) AS d (ago, requests)
WHERE k.name LIKE 'metrics-%';
INSERT INTO sluice.refusal_delta (organization_id, key_id, counted_at, reason, requests)
SELECT k.organization_id, k.id, now(), 'secret_wrong', 4 FROM sluice.api_key AS k
WHERE k.name LIKE 'metrics-%';
SELECT is(pg_temp.sample('sluice_refused_requests_total{reason="secret_wrong"}'), 14::numeric,
    'of all keys, of this day, added up or not');
SELECT is(pg_temp.sample('sluice_refused_requests_total{reason="expired"}'), 0::numeric,
    'by reason');

-- ---- the queue ----
DELETE FROM sluice.signal;
DELETE FROM sluice.signal_queue;
SELECT is(pg_temp.sample('sluice_oldest_pending_age_seconds{table="signal_staging"}'), 0::numeric,
    'nothing waits');
SELECT pg_temp.put(now() - interval '1 minute');
-- As a feed would, which leaves what this transaction stores to later ones.
SELECT sluice.feed_unknown('signal', now() - interval '1 day', now()), sluice.look_from('signal', 0);
SELECT is(pg_temp.sample('sluice_oldest_pending_age_seconds{table="signal_staging"}'), 60.000,
    'one has waited');
SELECT is((SELECT count(*) FROM sluice.claim_signals('tester', 10, '1 hour')), 1::bigint, 'claimed');
SELECT is(pg_temp.sample('sluice_oldest_pending_age_seconds{table="signal_staging"}'), 0::numeric,
    'it waits no more');
UPDATE sluice.signal_queue SET lease_ends_at = now() - interval '30 seconds';
SELECT is(pg_temp.sample('sluice_oldest_pending_age_seconds{table="signal_staging"}'), 60.000,
    'until the lease has ended');

SELECT * FROM finish();
ROLLBACK;
