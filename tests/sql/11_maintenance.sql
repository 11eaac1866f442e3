-- Retention and the steps of maintenance, one after the other, as the role that runs them. Locks and
-- other sessions are in tests/e2e/test_maintain.py.
BEGIN;
SELECT plan(100);

DELETE FROM sluice.signal; -- of tests that commit

CREATE FUNCTION pg_temp.today() RETURNS timestamptz LANGUAGE sql
    AS $$ SELECT date_trunc('day', now(), 'UTC') $$;
CREATE FUNCTION pg_temp.day(days integer) RETURNS timestamptz LANGUAGE sql
    AS $$ SELECT pg_temp.today() + days * interval '24 hours' $$;
CREATE FUNCTION pg_temp.part(days integer, parent text DEFAULT 'signal') RETURNS text
LANGUAGE sql AS $$ SELECT parent || to_char(pg_temp.day(days) AT TIME ZONE 'UTC', '"_p"YYYY_MM_DD') $$;
-- Rows received so many days from today, at noon.
CREATE FUNCTION pg_temp.put(days integer, rows integer DEFAULT 1) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
        request_id, payload)
    SELECT nextval('sluice.signal_id'), 1, pg_temp.day(days) + interval '12 hours', now(), 1, 'generic', 'day ' || days,
        jsonb_build_object('n', n)
    FROM generate_series(1, rows) AS n
$$;
CREATE FUNCTION pg_temp.step(name text, max_rows integer DEFAULT 5000) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    worked bigint;
BEGIN
    SET LOCAL ROLE sluice_maintenance;
    worked := sluice.maintenance_do(name, max_rows);
    RESET ROLE;
    RETURN worked;
END
$$;
-- All that a step does.
CREATE FUNCTION pg_temp.steps(name text, max_rows integer DEFAULT 5000) RETURNS bigint[]
LANGUAGE plpgsql AS $$
DECLARE
    done bigint[] := '{}';
BEGIN
    LOOP
        done := done || pg_temp.step(name, max_rows);
        EXIT WHEN done[cardinality(done)] = 0;
    END LOOP;
    RETURN done;
END
$$;
CREATE FUNCTION pg_temp.rows_in(name text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM sluice.%I', name) INTO n;
    RETURN n;
END
$$;
CREATE FUNCTION pg_temp.keep(kept interval, name text DEFAULT 'signal') RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE sluice_admin;
    PERFORM sluice.retention_set('dba', name, kept, NULL);
    RESET ROLE;
END
$$;

-- ---- how long ----
SELECT results_eq('SELECT table_name, keep, goes_with FROM sluice.retention ORDER BY 1', $$
    VALUES ('api_token', interval '90 days', NULL), ('delivery', '7 days', NULL),
        ('identity', '365 days', NULL),
        ('product_org_result', NULL, 'product_org_update'),
        ('product_org_update', '90 days', NULL), ('refused_request', '90 days', NULL),
        ('rejected_payload', '30 days', NULL), ('signal', '90 days', NULL),
        ('signal_cold_storage', '90 days', NULL), ('signal_move', '7 days', NULL),
        ('signal_result', NULL, 'signal'), ('usage_hour', '40 days', NULL) $$,
    'what is kept for how long, by default');
SELECT throws_ok(format('SELECT pg_temp.keep(%L)', kept), '22023', NULL, 'not ' || kept)
FROM unnest(ARRAY['90', '0 days', '-1 day', '23:59', '101 years']) AS kept;
SELECT throws_ok($$ SELECT sluice.retention_set('dba', 'delivery', '7 days', 'detach') $$, '22023',
    'table "delivery" has no partitions to detach', 'only partitions are detached');
RESET ROLE;
SELECT lives_ok(format('SELECT pg_temp.keep(%L)', kept), coalesce(kept, 'for ever') || ' can be said')
FROM unnest(ARRAY['1 day', '6 months', '100 years', NULL]) AS kept;
SELECT is(keep, NULL, 'and is kept') FROM sluice.retention WHERE table_name = 'signal';
SELECT pg_temp.keep('90 days');
SELECT is((SELECT array_agg(keep_from ORDER BY table_name) FROM sluice.partitioned_table),
    ARRAY[pg_temp.day(-90), pg_temp.day(-90), pg_temp.day(-30), pg_temp.day(-90), pg_temp.day(-90),
        pg_temp.day(-90)], 'whole days, in UTC; results as their rows');
SELECT results_eq($$ SELECT details ->> 'old_keep', details ->> 'keep', session_role = session_user
    FROM sluice.audit_log WHERE action = 'retention_set' ORDER BY id DESC LIMIT 1 $$,
    $$ VALUES (NULL, '90 days', true) $$, 'what was said is in the audit log');
SELECT throws_ok(format($$ SELECT sluice.retention_set('dba', %L, '1 day', NULL) $$, name), 'P0002', NULL,
    name || ' has no retention of its own') FROM unnest(ARRAY['signal_result', 'organization']) AS name;
SELECT is(first_day, pg_temp.day(-90), 'the first day that may be made') FROM sluice.partitioned_table
WHERE table_name = 'signal';
SELECT is(last_day, pg_temp.day(7), 'and the last') FROM sluice.partitioned_table
WHERE table_name = 'signal';

-- ---- what there is ----
SELECT is((SELECT count(*) FROM sluice.partition_overview WHERE table_name = 'signal'),
    (SELECT count(*) FROM pg_inherits WHERE inhparent = 'sluice.signal'::regclass),
    'the overview has all partitions');
SELECT results_eq($$ SELECT lower_bound, upper_bound, is_default, past_retention
    FROM sluice.partition_overview WHERE partition_name = pg_temp.part(0) $$,
    $$ VALUES (pg_temp.today(), pg_temp.day(1), false, false) $$, 'with their bounds');
SELECT results_eq($$ SELECT lower_bound, upper_bound, is_default, past_retention
    FROM sluice.partition_overview WHERE partition_name = 'signal_default' $$,
    $$ VALUES (NULL::timestamptz, NULL::timestamptz, true, false) $$, 'and the default one');
SELECT ok(bool_and(bytes > 0 AND rows_estimate >= 0), 'and their sizes') FROM sluice.partition_overview;
SET LOCAL DateStyle = 'German';
SET LOCAL TimeZone = 'Asia/Kathmandu';
SELECT results_eq($$ SELECT lower_bound, upper_bound FROM sluice.partition_bounds()
    WHERE partition_name = pg_temp.part(0) $$, $$ VALUES (pg_temp.today(), pg_temp.day(1)) $$,
    'whatever the session''s style of dates');
SELECT is_empty('SELECT sluice.default_partitions_in_use()', 'the default partitions are empty');

-- ---- the steps ----
SELECT results_eq('SELECT name FROM sluice.maintenance_step WHERE position <= 400 ORDER BY position',
    ARRAY['fold_product_orgs', 'move_default_rows', 'make_partitions', 'drop_partitions',
        'prune_default_rows'],
    'the steps and their order');
SELECT is_empty($$ SELECT name FROM sluice.maintenance_step WHERE NOT EXISTS (
    SELECT FROM pg_proc WHERE oid = to_regprocedure(format('sluice.%I(integer)', name))
        AND prorettype = 'bigint'::regtype AND NOT prosecdef) $$, 'each is a function that fits');
SELECT is(pg_temp.steps(name), '{0}', name || ' has nothing to do at first')
FROM sluice.maintenance_step WHERE position <= 400 ORDER BY position;
SELECT throws_ok($$ SELECT pg_temp.step('intake') $$, 'P0002', 'maintenance step "intake" does not exist',
    'not any function');
RESET ROLE;
SELECT throws_ok($$ SELECT pg_temp.step('lower(''x''); SELECT ') $$, 'P0002', NULL, 'not any text');
RESET ROLE;
SELECT throws_ok(format($$ SELECT pg_temp.step('drop_partitions', %s) $$, n), '22023', NULL,
    format('not %s rows', n)) FROM unnest(ARRAY['0', 'NULL', '1000001']) AS n;
RESET ROLE;

-- ---- rows of the default partition: few ----
SELECT pg_temp.put(d) FROM unnest(ARRAY[-500, -457, -455, -200, -91, -90, -40, -20, 8, 300]) AS d;
SELECT pg_temp.put(-30, 3);
SELECT results_eq('SELECT sluice.default_partitions_in_use()', ARRAY['signal_default'],
    'rows outside of all days are seen');
SELECT is(pg_temp.rows_in('signal_default'), 13::bigint, 'all are in the default partition');
SELECT is(pg_temp.step('move_default_rows'), 1::bigint, 'one day');
SELECT is(pg_temp.rows_in(pg_temp.part(-20)), 1::bigint, 'the latest first');
SELECT is(pg_temp.steps('move_default_rows'), '{3,1,1,0}', 'then the others, as far as they are kept');
SELECT is(pg_temp.rows_in(pg_temp.part(-30)), 3::bigint, 'all rows of a day');
SELECT is(pg_temp.rows_in(pg_temp.part(-90)), 1::bigint, 'the last day that is kept');
SELECT bag_eq('SELECT request_id FROM sluice.signal_default',
    ARRAY['day -500', 'day -457', 'day -455', 'day -200', 'day -91', 'day 8', 'day 300'],
    'what is past retention or far ahead stays');
SELECT is((SELECT count(*) FROM sluice.signal), 13::bigint, 'nothing is lost');
SELECT is((SELECT relowner::regrole::text FROM pg_class
    WHERE oid = format('sluice.%I', pg_temp.part(-30))::regclass), 'sluice_owner',
    'the new partition has the owner');
SELECT ok(has_table_privilege('sluice_reader', format('sluice.%I', pg_temp.part(-30)), 'SELECT'),
    'the grants');
SELECT is(has_table_privilege('sluice_intake', format('sluice.%I', pg_temp.part(-30)), 'INSERT'), false,
    'no more');
SELECT is((SELECT count(*) FROM pg_index
    WHERE indrelid = format('sluice.%I', pg_temp.part(-30))::regclass), 2::bigint, 'and the indexes');
SELECT is(pg_temp.steps('prune_default_rows', 2), '{2,1,0}', 'what is past retention is deleted');
SELECT bag_eq('SELECT request_id FROM sluice.signal_default',
    ARRAY['day -500', 'day -457', 'day 8', 'day 300'], 'unless its time is implausible');

-- ---- partitions ----
SELECT isnt_empty($$ SELECT * FROM sluice.missing_days('signal') $$, 'there are gaps now');
SELECT ok(bool_and(n IN (0, 1)), 'partitions are made one by one')
FROM unnest(pg_temp.steps('make_partitions', 1)) AS n;
SELECT is_empty($$ SELECT * FROM sluice.missing_days('signal') $$, 'until there is no gap');
SELECT is((SELECT count(*) FROM sluice.partition_bounds() WHERE table_name = 'signal'
    AND NOT is_default), 98::bigint, 'and not more than that');
SELECT is((SELECT min(lower_bound) FROM sluice.partition_bounds()
    WHERE table_name = 'rejected_payload'), pg_temp.day(-7),
    'before the oldest partition there is nothing to make');
DO $do$
BEGIN
    EXECUTE format('DROP TABLE sluice.%I', pg_temp.part(7));
    EXECUTE format('DROP TABLE sluice.%I', pg_temp.part(0));
    EXECUTE format('ALTER TABLE sluice.signal DETACH PARTITION sluice.%I', pg_temp.part(-3));
    EXECUTE format('DROP TABLE sluice.%I', pg_temp.part(-4));
END
$do$;
SELECT pg_temp.step('make_partitions');
SELECT isnt(to_regclass(format('sluice.%I', pg_temp.part(0))), NULL, 'today comes first');
SELECT pg_temp.step('make_partitions');
SELECT isnt(to_regclass(format('sluice.%I', pg_temp.part(7))), NULL, 'then the coming days');
SELECT is(pg_temp.steps('make_partitions'), '{1,0}', 'then the gaps');
SELECT is_empty($$ SELECT FROM sluice.partition_bounds() WHERE partition_name = pg_temp.part(-3) $$,
    'a partition that was detached is left alone');
SELECT pg_temp.put(-3);
SELECT is(pg_temp.steps('move_default_rows'), '{0}', 'and so are rows of its day');
DELETE FROM sluice.signal WHERE request_id = 'day -3';
DO $do$
BEGIN
    EXECUTE format('DROP TABLE sluice.%I', pg_temp.part(-3));
END
$do$;
SELECT is(pg_temp.steps('make_partitions'), '{1,0}', 'until it is gone');

SELECT pg_temp.keep('30 days');
SELECT is((SELECT count(*) FROM sluice.partition_overview WHERE past_retention), 60::bigint,
    'partitions past retention are seen');
SELECT is(pg_temp.step('drop_partitions'), 1::bigint, 'they are dropped one by one');
SELECT is(to_regclass(format('sluice.%I', pg_temp.part(-90))), NULL, 'the oldest first');
SELECT is(cardinality(pg_temp.steps('drop_partitions')), 60, 'until none is left');
SELECT is((SELECT min(lower_bound) FROM sluice.partition_bounds() WHERE table_name = 'signal'),
    pg_temp.day(-30), 'a day that is not over by then is kept');
SELECT is((SELECT min(lower_bound) FROM sluice.partition_bounds()
    WHERE table_name = 'signal_cold_storage'), pg_temp.day(-7), 'other tables are not touched');
SELECT pg_temp.keep(NULL);
SELECT is(pg_temp.steps('drop_partitions') || pg_temp.steps('prune_default_rows'), '{0,0}',
    'what is kept for ever is kept');
SELECT pg_temp.keep('90 days');

-- ---- rows of the default partition: many ----
DO $do$
BEGIN
    EXECUTE format('DROP TABLE sluice.%I, sluice.%I, sluice.%I, sluice.%I', pg_temp.part(0),
        pg_temp.part(-1), pg_temp.part(-2), pg_temp.part(-10));
END
$do$;
SELECT pg_temp.put(-2, 5), pg_temp.put(0, 8), pg_temp.put(-10, 2);
SELECT is(pg_temp.step('move_default_rows', 7), 13::bigint,
    'when there are many of a day, the default partition becomes theirs');
SELECT results_eq($$ SELECT lower_bound, upper_bound FROM sluice.partition_bounds()
    WHERE partition_name = pg_temp.part(-2) $$, $$ VALUES (pg_temp.day(-2), pg_temp.day(1)) $$,
    'with the days between them');
SELECT is(pg_temp.rows_in(pg_temp.part(-2)), 13::bigint, 'and their rows');
SELECT is(pg_temp.rows_in('signal_default'), 6::bigint, 'the others are in a new one');
SELECT is(obj_description(format('sluice.%I', pg_temp.part(-2))::regclass, 'pg_class'),
    format('received from %s and before %s (UTC)', to_char(pg_temp.day(-2) AT TIME ZONE 'UTC',
    'YYYY-MM-DD'), to_char(pg_temp.day(1) AT TIME ZONE 'UTC', 'YYYY-MM-DD')), 'its comment says so');
SELECT is(obj_description('sluice.signal_default'::regclass, 'pg_class'),
    obj_description('sluice.rejected_payload_default'::regclass, 'pg_class'),
    'the new one has the comment of every default partition');
SELECT is_empty($$ SELECT indexrelid::regclass FROM pg_index
    WHERE indrelid = format('sluice.%I', pg_temp.part(-2))::regclass
        AND indexrelid::regclass::text !~ pg_temp.part(-2) $$, 'indexes are named after their table');
SELECT is(pg_temp.steps('move_default_rows', 7), '{2,0}', 'from which the next days are moved');
SELECT is(pg_temp.steps('make_partitions'), '{0}', 'no day is missing');
SELECT is((SELECT count(*) FROM sluice.signal), 23::bigint, 'nothing is lost');

-- ---- what became of it ----
SET LOCAL ROLE sluice_admin;
SELECT sluice.maintenance_record('me', 'drop_partitions', 'done', 3, NULL);
SELECT sluice.maintenance_record('you', 'drop_partitions', 'busy', 1, 'in use');
SELECT sluice.maintenance_record('you', 'make_partitions', 'failed', 0, 'oh');
RESET ROLE;
SELECT results_eq('SELECT step, result, worked, message, actor, done_at FROM sluice.maintenance_run
    ORDER BY step', $$ VALUES ('drop_partitions', 'busy', 1::bigint, 'in use', 'you', now()),
    ('make_partitions', 'failed', 0, 'oh', 'you', NULL) $$, 'the last run, and when it was done');
SELECT throws_ok($$ SELECT sluice.maintenance_record('me', 'x', 'done', 0, NULL) $$, 'P0002', NULL,
    'of steps that there are');
SELECT throws_ok($$ SELECT sluice.maintenance_record('me', 'drop_partitions', 'x', 0, NULL) $$, '23514',
    NULL, 'that end in one of the ways');

-- ---- what a DBA has set on the tables reaches new partitions ----
DO $do$
BEGIN
    EXECUTE format('ALTER TABLE sluice.%I SET (autovacuum_vacuum_scale_factor = 0.3)', pg_temp.part(7));
    EXECUTE format('ALTER TABLE sluice.%I REPLICA IDENTITY FULL', pg_temp.part(7));
    GRANT SELECT (id) ON sluice.signal TO sluice_consumer WITH GRANT OPTION;
    CREATE INDEX own_idx ON sluice.signal (source);
    ALTER TABLE sluice.signal ADD COLUMN own text DEFAULT 'mine';
    UPDATE sluice.retention SET days_ahead = 9 WHERE table_name = 'signal';
END
$do$;
SELECT is(pg_temp.step('make_partitions', 1), 1::bigint, 'one more day, but for that in the default one');
CREATE TEMPORARY TABLE made AS SELECT format('sluice.%I', pg_temp.part(9))::regclass AS oid;
SELECT is(array_to_string(c.reloptions, ',') || ' ' || c.relreplident::text,
    'autovacuum_vacuum_scale_factor=0.3 f', 'options and replica identity')
FROM pg_class AS c, made WHERE c.oid = made.oid;
SELECT ok(has_column_privilege('sluice_consumer', oid, 'id', 'SELECT WITH GRANT OPTION'),
    'grants of columns, with their grant option') FROM made;
SELECT is((SELECT count(*) FROM pg_index, made WHERE indrelid = made.oid), 3::bigint, 'an own index');
SELECT pg_temp.put(9);
SELECT is((SELECT own FROM sluice.signal WHERE request_id = 'day 9'), 'mine',
    'an own column');

-- ---- days that are over get their indexes ----
SELECT is(pg_temp.step('index_days', 1), 1::bigint, 'one, if no more are asked for');
-- A day is over a quarter of an hour after its end.
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = format('sluice.%I', pg_temp.part(
        CASE WHEN now() < pg_temp.today() + interval '15 minutes' THEN -2 ELSE -1 END,
        'signal_cold_storage'))::regclass), 4::bigint, 'the latest day that is over first');
DELETE FROM sluice.day_index WHERE suffix NOT IN ('email_day', 'request_id_day');
SELECT ok(cardinality(pg_temp.steps('index_days', 1)) > 10, 'as day_index says');
SELECT is((SELECT count(*) FROM pg_index WHERE indrelid = format('sluice.%I', pg_temp.part(-2))::regclass),
    3::bigint, 'the partition of today has none');

-- ---- archiving ----
SELECT lives_ok($$ SELECT sluice.retention_set('dba', 'signal', '20 days', 'detach') $$, 'detach instead');
SELECT ok(pg_temp.step('drop_partitions') = 1, 'a partition goes');
SELECT results_eq('SELECT partition_name, table_name, upper_bound <= pg_temp.day(-20)
    FROM sluice.detached_partition ORDER BY detached_at LIMIT 1',
    $$ SELECT pg_temp.part(-30), 'signal', true $$, 'and is left to the DBA');
SELECT isnt(to_regclass(format('sluice.%I', pg_temp.part(-30))), NULL, 'who still has it');
SELECT results_eq('SELECT partition_name, table_name FROM sluice.maintenance_detached() LIMIT 1',
    $$ SELECT 'sluice.' || pg_temp.part(-30), 'signal' $$, 'it is listed');
SELECT throws_ok(format('SELECT sluice.maintenance_archived(%L, %L)', 'dba', name), 'P0002', NULL,
    name || ' was not detached')
FROM unnest(ARRAY['sluice.signal_default', 'sluice.nothing']) AS name;
SELECT lives_ok(format('SELECT sluice.maintenance_archived(%L, %L)', 'dba', 'sluice.' || pg_temp.part(-30)),
    'once it is archived');
SELECT is(to_regclass(format('sluice.%I', pg_temp.part(-30))), NULL, 'it is dropped');

SELECT * FROM finish();
ROLLBACK;
