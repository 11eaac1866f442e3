-- What people look for is found by indexes: how many pages each look-up reads of days that are over. Few
-- rows here; what may grow with the number of days is a few pages a day, as many as the descents of
-- larger indexes take, and with that of rows nothing. tests/bench/lookups has ten million rows.
BEGIN;
SELECT plan(22);

TRUNCATE sluice.signal, sluice.signal_cold_storage, sluice.signal_queue, sluice.signal_result, sluice.identity;
CREATE FUNCTION pg_temp.days() RETURNS integer LANGUAGE sql RETURN 20;
SET LOCAL ROLE sluice_owner;
SELECT sluice.make_day(t, date_trunc('day', now(), 'UTC') - d * interval '24 hours')
FROM generate_series(8, pg_temp.days()) AS d,
    unnest(ARRAY['signal', 'signal_cold_storage', 'signal_result']) AS t;
RESET ROLE;
SELECT sluice.organization_create('op', 'Lookups');
SELECT id AS mine FROM sluice.organization WHERE name = 'Lookups' \gset
-- The days -1 to -20, 1,000 rows each; one person has a row a day. None today: its partition has no
-- index for most of these questions.
INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source, event_name, email,
    user_id, anonymous_id, phone, message_id, request_id, payload)
SELECT d * 10000 + i, :mine, at, at, 1, 'generic', 'e', 'p' || i || '@example.com', 'u' || i, 'a' || i,
    CASE WHEN i % 10 = 0 THEN '+' || i END, 'm' || d || '-' || i, 'r' || d || '-' || i, '{}'
FROM generate_series(1, pg_temp.days()) AS d, generate_series(1, 1000) AS i,
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - d * interval '24 hours' + i * interval '1 second' AS at) AS t;
INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id, source, anonymous_id,
    request_id, payload)
SELECT d * 10000 + 5000 + i, :mine, at, at, 1, 'generic', 'a' || i, 'c' || d || '-' || i, '{}'
FROM generate_series(1, pg_temp.days()) AS d, generate_series(1, 500) AS i,
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - d * interval '24 hours' + i * interval '1 second' AS at) AS t;
INSERT INTO sluice.signal_result (id, organization_id, received_at, finished_at, claimed_at, status, attempts,
    claimed_by)
SELECT s.id, s.organization_id, s.received_at, s.received_at + interval '2 seconds', s.received_at,
    CASE WHEN s.id % 500 = 0 THEN 'permanently_failed' ELSE 'completed' END::sluice.staging_status, 1, 'c'
FROM sluice.signal AS s
UNION ALL -- enough to make the BRIN index worth while
SELECT d * 10000 + 5000 + i, :mine, at, at, at, 'completed', 1, 'c'
FROM generate_series(1, pg_temp.days()) AS d, generate_series(1, 4000) AS i,
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - d * interval '24 hours' + i * interval '1 second' AS at) AS t;
INSERT INTO sluice.identity (organization_id, anonymous_id, user_id, email, signal_id, identified_at)
SELECT :mine, 'a' || i, 'u' || i, 'p' || i || '@example.com', i, now() FROM generate_series(1, 2000) AS i;
CREATE FUNCTION pg_temp.index_all() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
    more integer := 1;
BEGIN
    WHILE more > 0 LOOP
        more := sluice.index_days(1000);
        made := made + more;
    END LOOP;
    RETURN made;
END
$$;
SELECT cmp_ok(pg_temp.index_all(), '>=', 10 * pg_temp.days(), 'days that are over have their indexes');
ANALYZE sluice.signal, sluice.signal_cold_storage, sluice.signal_result, sluice.signal_queue, sluice.claim,
    sluice.identity;
SELECT brin_summarize_new_values(x.indexrelid) FROM sluice.partition_bounds() AS b
JOIN pg_index AS x ON x.indrelid = b.partition JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'brin'
WHERE b.table_name IN ('signal', 'signal_cold_storage', 'signal_result');

-- The pages that a statement reads once it is planned, and the rows it returns. It changes nothing.
CREATE FUNCTION pg_temp.reads(role name, statement text, OUT pages bigint, OUT n bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE format('SET LOCAL ROLE %I', role);
    FOR i IN 1..2 LOOP -- the first time hint bits are set, and catalogs read
        BEGIN
            EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json, TIMING off) ' || statement INTO plan;
            RAISE EXCEPTION USING ERRCODE = 'XX999';
        EXCEPTION WHEN SQLSTATE 'XX999' THEN
            NULL;
        END;
    END LOOP;
    RESET ROLE;
    pages := (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
        + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
    n := (plan -> 0 -> 'Plan' ->> 'Actual Rows')::numeric; -- 1.00 since version 18
END
$$;
-- a_day: how many pages a day may be, a_row: how many a row found. Reading a day would be 25.
SELECT ok(r.n = v.rows AND r.pages <= v.a_day * (pg_temp.days() + 8) + v.a_row * v.rows,
    format('%s: %s rows by %s pages', v.what, r.n, r.pages))
FROM (VALUES
    ('id alone', 'SELECT * FROM sluice.signal_staging WHERE id = 70123', 1, 4, 10),
    ('email', $$ SELECT * FROM sluice.signal WHERE email = 'p77@example.com' $$, 20, 4, 10),
    ('user id', $$ SELECT * FROM sluice.signal WHERE user_id = 'u77' $$, 20, 4, 10),
    ('anonymous id', $$ SELECT * FROM sluice.signal WHERE anonymous_id = 'a77' $$, 20, 4, 10),
    ('phone', $$ SELECT * FROM sluice.signal WHERE phone = '+70' $$, 20, 4, 10),
    ('message id', $$ SELECT * FROM sluice.signal WHERE message_id = 'm7-123' $$, 1, 4, 10),
    ('request id', $$ SELECT * FROM sluice.signal WHERE request_id = 'r7-123' $$, 1, 4, 10),
    ('a person''s status, day by day', $$ SELECT id, status FROM sluice.signal_staging
        WHERE email = 'p77@example.com' $$, 20, 4, 10),
    ('the latest 50', 'SELECT * FROM sluice.signal_staging ORDER BY id DESC LIMIT 50', 50, 4, 10),
    ('an organization''s latest 50',
        format('SELECT * FROM sluice.signal_staging WHERE organization_id = %s ORDER BY id DESC LIMIT 50', :mine), 50,
        4, 10),
    ('the failed of a week', $$ SELECT * FROM sluice.signal_failed WHERE received_at >= now() - interval '7 days' $$,
        (SELECT count(*) FROM sluice.signal_result WHERE status = 'permanently_failed'
            AND received_at >= now() - interval '7 days')::integer, 1, 10),
    ('the failed of all days', 'SELECT * FROM sluice.signal_failed', 2 * pg_temp.days(), 1, 10),
    ('the slowest consumers of a day', $$ SELECT claimed_by, avg(finished_at - claimed_at) FROM sluice.signal_result
        WHERE finished_at >= date_trunc('day', now(), 'UTC') - interval '3 days'
            AND finished_at < date_trunc('day', now(), 'UTC') - interval '2 days' GROUP BY claimed_by $$, 1, 4, 100))
    AS v (what, statement, rows, a_day, a_row)
CROSS JOIN LATERAL pg_temp.reads('sluice_reader', v.statement) AS r;
-- Seven indexes of signal, of which one is asked twice, and that of cold storage twice.
SELECT ok(r.n = 40 AND r.pages <= 20 * (pg_temp.days() + 8) + 10 * 40,
    format('all about a person: %s rows by %s pages', r.n, r.pages))
FROM pg_temp.reads('sluice_admin', $$ SELECT * FROM sluice.person_signals('Lookups', 'p77@example.com') $$) AS r;
-- A search mostly reads the catalogs of each day's partition; by all ids it asks nine indexes of a day, and
-- three of its cold signals.
SELECT ok(r.pages <= v.a_day * (pg_temp.days() + 8) + 500 + v.a_row * 60,
    format('search by %s: %s pages', v.filter, r.pages))
FROM (VALUES ('{"email": "p77@example.com"}', 48, 20), ('{"message_id": "m7-123"}', 48, 1),
    ('{"request_id": "c7-123"}', 48, 1), ('{"identity": "p77@example.com"}', 60, 20)) AS v (filter, a_day, a_row)
CROSS JOIN LATERAL pg_temp.reads('sluice_admin', format('SELECT sluice.signals_search(''Lookups'', %L, NULL, 50)',
    v.filter)) AS r;
SELECT ok(r.pages <= 20 * (pg_temp.days() + 8) + 40 * 40, format('deleting all about a person: %s pages', r.pages))
FROM pg_temp.reads('sluice_admin', $$ SELECT sluice.person_delete('op', 'Lookups', 'p77@example.com') $$) AS r;
SELECT is((SELECT count(*) FROM sluice.person_signals('Lookups', 'p77@example.com')), 40::bigint,
    'all about a person, staged and cold');
SELECT is(sluice.person_delete('op', 'Lookups', 'p77@example.com'), 40::bigint, 'all of it is deleted');

SELECT * FROM finish();
ROLLBACK;
