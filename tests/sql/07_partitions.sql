-- Days of receipt are UTC days, whatever the time zone; what lies outside goes to the default
-- partition; partitions made later are like those made first.
BEGIN;
SELECT plan(27);
\ir helper.psql

CREATE TEMPORARY VIEW partition AS
SELECT p.relname::text AS parent, c.relname::text AS name, c.oid, c.relowner,
    (regexp_match(pg_get_expr(c.relpartbound, c.oid), $r$FROM \('([^']+)'\)$r$))[1]::timestamptz AS lower,
    (regexp_match(pg_get_expr(c.relpartbound, c.oid), $r$TO \('([^']+)'\)$r$))[1]::timestamptz AS upper,
    pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT' AS is_default
FROM pg_inherits AS i
JOIN pg_class AS c ON c.oid = i.inhrelid
JOIN pg_class AS p ON p.oid = i.inhparent
WHERE p.relname IN ('signal', 'signal_cold_storage', 'rejected_payload', 'product_org_update',
        'signal_result', 'product_org_result')
    AND p.relnamespace = 'sluice'::regnamespace;

SELECT isnt(current_setting('TimeZone'), 'UTC', 'the session''s time zone is another one');
SELECT is_empty($$ SELECT * FROM partition
    WHERE NOT is_default AND (lower AT TIME ZONE 'UTC' <> date_trunc('day', lower AT TIME ZONE 'UTC')
        OR upper - lower <> '24 hours') $$, 'bounds are UTC midnights, a day apart');
SELECT is_empty($$ SELECT * FROM partition WHERE NOT is_default
    AND name <> parent || to_char(lower AT TIME ZONE 'UTC', '"_p"YYYY_MM_DD') $$,
    'names say the day');
SELECT is_empty($$ SELECT * FROM partition AS a WHERE NOT is_default
    AND lower > (SELECT min(lower) FROM partition AS b WHERE b.parent = a.parent)
    AND NOT EXISTS (SELECT FROM partition AS b WHERE b.parent = a.parent AND b.upper = a.lower) $$,
    'there is no gap');
SELECT ok(bool_and(days >= 7), 'seven days lie ahead') FROM (
    SELECT count(*) FILTER (WHERE lower > now()) AS days FROM partition GROUP BY parent) AS d;
SELECT set_eq('SELECT parent FROM partition WHERE is_default',
    ARRAY['signal', 'signal_cold_storage', 'rejected_payload', 'product_org_update', 'signal_result',
        'product_org_result'],
    'each has a default partition');

-- ---- where rows land ----
CREATE FUNCTION pg_temp.put(at timestamptz) RETURNS text LANGUAGE sql AS $$
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
        request_id, payload)
    VALUES (nextval('sluice.signal_id'), 1, at, at, 1, 'generic', 'r', '{}') RETURNING tableoid::regclass::text
$$;
CREATE FUNCTION pg_temp.day(at timestamptz) RETURNS text LANGUAGE sql
    AS $$ SELECT to_char(at AT TIME ZONE 'UTC', '"sluice.signal_p"YYYY_MM_DD') $$;
CREATE FUNCTION pg_temp.midnight() RETURNS timestamptz LANGUAGE sql
    AS $$ SELECT date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' $$;
SELECT is(pg_temp.put(now()), pg_temp.day(now()), 'now');
SELECT is(pg_temp.put(pg_temp.midnight()), pg_temp.day(now()), 'the first instant of the day');
SELECT is(pg_temp.put(pg_temp.midnight() - '1 us'::interval), pg_temp.day(now() - '1 day'::interval),
    'the last of the day before');
SELECT is(pg_temp.put(pg_temp.midnight() + '24 hours'::interval - '1 us'::interval), pg_temp.day(now()),
    'the last of the day');
SELECT is(pg_temp.put(max(upper) - '1 us'::interval), pg_temp.day(max(lower)),
    'the last instant of all')
FROM partition WHERE parent = 'signal';
SELECT is(pg_temp.put(max(upper)), 'sluice.signal_default', 'after the last day: default')
FROM partition WHERE parent = 'signal';
SELECT is(pg_temp.put('1999-12-31 23:59:59+00'), 'sluice.signal_default',
    'before the first day: default');

SELECT sluice.organization_create('op', 'Partitions');
SELECT pg_temp.make_key('Partitions', 'partitions');
CREATE TEMPORARY TABLE both_kinds AS
    SELECT * FROM pg_temp.intake(ARRAY['partitions'], ARRAY[1, 1], cold => ARRAY[false, true]);
SELECT is((SELECT s.tableoid::regclass::text FROM sluice.signal AS s, both_kinds
    WHERE s.id = ids[1]), pg_temp.day(now()),
    'what intake stages is in the day''s partition');
SELECT is((SELECT s.tableoid::regclass::text FROM sluice.signal_cold_storage AS s, both_kinds
    WHERE s.id = ids[2]), replace(pg_temp.day(now()), 'signal_p', 'signal_cold_storage_p'),
    'and what is cold, too');
SELECT is((SELECT count(*) FROM sluice.signal_default), 2::bigint, 'only two were outside');

-- ---- maintenance ----
DELETE FROM sluice.signal;
DO $do$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT p.name FROM partition AS p WHERE lower > now() + '2 days'::interval LOOP
        EXECUTE format('DROP TABLE sluice.%I', name);
    END LOOP;
END
$do$;
SELECT is(max(days), 2::bigint, 'two days ahead are left') FROM (
    SELECT count(*) FILTER (WHERE lower > now()) AS days FROM partition GROUP BY parent) AS d;
-- As the caller who may do least, in a time zone whose days are not all 24 hours long.
SET LOCAL TimeZone = 'America/New_York';
CREATE FUNCTION pg_temp.make_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE sluice_maintenance;
    WHILE sluice.maintenance_do('make_partitions', 1) > 0 LOOP END LOOP;
    RESET ROLE;
END
$$;
SELECT pg_temp.make_all();
SELECT is(current_setting('search_path'), 'tap', 'maintenance leaves the search path alone');
SELECT is(current_setting('TimeZone'), 'America/New_York', 'and the time zone');
SELECT ok(min(days) >= 7, 'maintenance makes seven, also without any new row') FROM (
    SELECT count(*) FILTER (WHERE lower > now()) AS days FROM partition GROUP BY parent) AS d;
SELECT is_empty($$ SELECT * FROM partition
    WHERE NOT is_default AND (lower AT TIME ZONE 'UTC' <> date_trunc('day', lower AT TIME ZONE 'UTC')
        OR upper - lower <> '24 hours') $$, 'still UTC midnights, a day apart');
SELECT is_empty($$ SELECT * FROM partition WHERE relowner <> 'sluice_owner'::regrole $$,
    'the new ones belong to sluice_owner');
SELECT is_empty($$ SELECT * FROM partition WHERE NOT has_table_privilege('sluice_reader', oid,
    'SELECT')
    OR has_table_privilege('sluice_intake', oid, 'SELECT, INSERT, UPDATE, DELETE') $$,
    'with the grants of the parent');
SELECT is_empty($$ SELECT name FROM partition WHERE parent = 'signal'
    AND (SELECT count(*) FROM pg_index WHERE indrelid = partition.oid) <> 2 $$, 'and its indexes');
SELECT is(pg_temp.put(now() + '6 days'::interval), pg_temp.day(now() + '6 days'::interval),
    'rows go there');

-- ---- far enough ahead for the clocks to change in New York, whatever the day is ----
UPDATE sluice.retention SET days_ahead = 245 WHERE table_name = 'signal_cold_storage';
SELECT pg_temp.make_all();
SELECT is_empty($$ SELECT * FROM partition
    WHERE NOT is_default AND (lower AT TIME ZONE 'UTC' <> date_trunc('day', lower AT TIME ZONE 'UTC')
        OR upper - lower <> '24 hours') $$, 'a day is a UTC day also where the clocks change');
SELECT isnt(count(DISTINCT extract(timezone FROM lower)), 1::bigint, 'which they did')
FROM partition WHERE NOT is_default;

SELECT * FROM finish();
ROLLBACK;
