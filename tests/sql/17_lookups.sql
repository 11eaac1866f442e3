-- What people look for is found by indexes: how many pages each look-up reads of days that are over. Few
-- rows here; what may grow with the number of days is four pages a day, as many as one descent of a
-- larger index takes, and with that of rows nothing.
BEGIN;
SELECT plan(13);

TRUNCATE sluice.signal, sluice.signal_queue, sluice.signal_result;
CREATE FUNCTION pg_temp.days() RETURNS integer LANGUAGE sql RETURN 20;
SET LOCAL ROLE sluice_owner;
SELECT sluice.make_day(t, date_trunc('day', now(), 'UTC') - d * interval '24 hours')
FROM generate_series(8, pg_temp.days()) AS d, unnest(ARRAY['signal', 'signal_result']) AS t;
RESET ROLE;
SELECT sluice.organization_create('op', 'Lookups');
SELECT id AS mine FROM sluice.organization WHERE name = 'Lookups' \gset
-- The days -1 to -20, 500 rows each; one person has a row a day.
INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source, event_name, email,
    user_id, anonymous_id, phone, message_id, request_id, payload)
SELECT d * 1000 + i, :mine, at, at, 1, 'generic', 'e', 'p' || i || '@example.com', 'u' || i, 'a' || i,
    CASE WHEN i % 10 = 0 THEN '+' || i END, 'm' || d || '-' || i, 'r' || d || '-' || i, '{}'
FROM generate_series(1, pg_temp.days()) AS d, generate_series(1, 500) AS i,
    LATERAL (SELECT date_trunc('day', now(), 'UTC') - d * interval '24 hours' + i * interval '1 second' AS at) AS t;
INSERT INTO sluice.signal_result (id, organization_id, received_at, finished_at, claimed_at, status, attempts,
    claimed_by)
SELECT s.id, s.organization_id, s.received_at, s.received_at + interval '2 seconds', s.received_at,
    CASE WHEN s.id % 250 = 0 THEN 'permanently_failed' ELSE 'completed' END::sluice.staging_status, 1, 'c'
FROM sluice.signal AS s;
CREATE FUNCTION pg_temp.index_all() RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    made integer := 0;
BEGIN
    WHILE sluice.index_days(1) > 0 LOOP
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
SELECT cmp_ok(pg_temp.index_all(), '>=', 10 * pg_temp.days(), 'days that are over have their indexes');
ANALYZE sluice.signal, sluice.signal_result, sluice.signal_queue, sluice.claim;
SELECT brin_summarize_new_values(x.indexrelid) FROM sluice.partition_bounds() AS b
JOIN pg_index AS x ON x.indrelid = b.partition JOIN pg_class AS c ON c.oid = x.indexrelid
JOIN pg_am AS m ON m.oid = c.relam AND m.amname = 'brin'
WHERE b.table_name IN ('signal', 'signal_result');

-- The pages that a statement reads as sluice_reader once it is planned, and the rows it returns.
CREATE FUNCTION pg_temp.reads(statement text, OUT pages bigint, OUT n bigint) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    SET LOCAL ROLE sluice_reader;
    FOR i IN 1..2 LOOP -- the first time hint bits are set, and catalogs read
        EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, FORMAT json, TIMING off) ' || statement INTO plan;
    END LOOP;
    RESET ROLE;
    pages := (plan -> 0 -> 'Plan' ->> 'Shared Hit Blocks')::bigint
        + (plan -> 0 -> 'Plan' ->> 'Shared Read Blocks')::bigint;
    n := (plan -> 0 -> 'Plan' ->> 'Actual Rows')::bigint;
END
$$;
SELECT ok(r.n = v.rows AND r.pages <= 4 * (pg_temp.days() + 8) + 10 * v.rows,
    format('%s: %s rows by %s pages', v.what, r.n, r.pages))
FROM (VALUES
    ('id alone', 'SELECT * FROM sluice.signal_staging WHERE id = 7123', 1),
    ('email', $$ SELECT * FROM sluice.signal WHERE email = 'p77@example.com' AND received_at < date_trunc('day', now(), 'UTC') $$, 20),
    ('user id', $$ SELECT * FROM sluice.signal WHERE user_id = 'u77' AND received_at < date_trunc('day', now(), 'UTC') $$, 20),
    ('anonymous id', $$ SELECT * FROM sluice.signal WHERE anonymous_id = 'a77' AND received_at < date_trunc('day', now(), 'UTC') $$, 20),
    ('phone', $$ SELECT * FROM sluice.signal WHERE phone = '+70' AND received_at < date_trunc('day', now(), 'UTC') $$, 20),
    ('message id', $$ SELECT * FROM sluice.signal WHERE message_id = 'm7-123' AND received_at < date_trunc('day', now(), 'UTC') $$, 1),
    ('request id', $$ SELECT * FROM sluice.signal WHERE request_id = 'r7-123' AND received_at < date_trunc('day', now(), 'UTC') $$, 1),
    ('the latest 50', 'SELECT * FROM sluice.signal ORDER BY id DESC LIMIT 50', 50),
    ('an organization''s latest 50', format('SELECT * FROM sluice.signal WHERE organization_id = %s ORDER BY id DESC LIMIT 50', :mine), 50),
    ('the failed of a week', $$ SELECT * FROM sluice.signal_failed WHERE received_at >= now() - interval '7 days' $$,
        (SELECT count(*) FROM sluice.signal_result WHERE status = 'permanently_failed'
            AND received_at >= now() - interval '7 days')::integer),
    ('a person''s status, day by day', $$ SELECT id, status FROM sluice.signal_staging WHERE email = 'p77@example.com'
        AND received_at < date_trunc('day', now(), 'UTC') $$, 20))
    AS v (what, statement, rows)
CROSS JOIN LATERAL pg_temp.reads(v.statement) AS r;
SELECT is((SELECT count(*) FROM sluice.person_signals('Lookups', 'p77@example.com')), 20::bigint,
    'all about a person');

SELECT * FROM finish();
ROLLBACK;
