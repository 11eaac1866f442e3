-- The settings service's functions: each for each role and for another organization, and what
-- statistics are made of.
BEGIN;
SELECT plan(308);
\ir helper.psql

DELETE FROM sluice.signal; -- of tests that commit
SELECT sluice.organization_create('tester', 'Settings') AS mine \gset
SELECT sluice.organization_create('tester', 'Theirs') AS theirs \gset
SELECT sluice.organization_create('tester', 'Third') AS third \gset
SELECT sluice.member_add('tester', 'Settings', r || '-1', r)
FROM unnest(ARRAY['owner', 'admin', 'editor', 'viewer']) AS r;
SELECT sluice.member_add('tester', 'Theirs', 'their owner', 'owner');
SELECT sluice.member_add('tester', 'Settings', 'both', 'editor');
SELECT sluice.member_add('tester', 'Third', 'both', 'viewer');
SELECT pg_temp.make_key('Settings', 'settings-key') AS my_key \gset
SELECT pg_temp.make_key('Theirs', 'their-key') AS their_key \gset

-- What a statement gives the role that the service logs in as: its SQLSTATE, or 00000.
CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    SET LOCAL ROLE sluice_settings;
    BEGIN
        EXECUTE statement;
    EXCEPTION WHEN OTHERS THEN
        RESET ROLE;
        RETURN SQLSTATE;
    END;
    RESET ROLE;
    RETURN '00000';
END
$$;
CREATE FUNCTION pg_temp.new_hash() RETURNS text LANGUAGE sql VOLATILE
RETURN format('sha256(%L)', gen_random_uuid());

-- ---- each function, each role, each organization ----
CREATE TEMPORARY TABLE call (function_name text, arguments text, needs text);
INSERT INTO call VALUES
    ('settings_keys', '', 'editor'),
    ('settings_key', format(', %s', :'my_key'), 'editor'),
    ('settings_key_edit', format(', %s, ''named'', NULL, NULL', :'my_key'), 'editor'),
    ('settings_key_secret', format(', %s, ''enable'', sha256(''''), ''0''', :'my_key'), 'editor'),
    ('settings_key_history', format(', %s', :'my_key'), 'editor'),
    ('settings_key_payload', format(', %s', :'my_key'), 'editor'),
    ('settings_members', '', 'editor'),
    ('settings_member_remove', ', ''nobody''', 'editor'),
    ('settings_limit', ', NULL, NULL', 'editor'),
    ('settings_key_refusals', format(', %s', :'my_key'), 'editor'),
    ('settings_key_volumes', ', NULL', 'editor'),
    ('settings_key_find', format(', %L::bytea', pg_temp.hash('settings-key')), 'editor'),
    ('settings_key_rotate', format(', %s, sha256(''successor''), U&''sk_aaaa\2026zzzz'', '
        'sha256(''''), ''1 h'', NULL', :'my_key'), 'editor'),
    ('settings_key_deactivate', format(', %s', :'my_key'), 'editor'),
    ('settings_may_manage_keys', '', 'editor'),
    ('settings_statistics', ', ''24h''', 'viewer'),
    ('settings_signals', ', ''{}'', NULL, 10', 'viewer'),
    ('settings_rejects', ', ''{}'', NULL, 10', 'viewer'),
    ('settings_reject_kinds', '', 'viewer'),
    ('settings_rejected_place', ', ''{'', 1', 'editor'),
    ('settings_rejected_kind', ', ''malformed_json'', 1, NULL, 9, 10', 'editor'),
    ('settings_product_orgs', ', ''{}'', NULL, 10', 'viewer'),
    ('settings_product_org_states', ', NULL, 10, NULL, NULL, NULL, NULL', 'viewer'),
    ('settings_usage', '', 'editor'),
    ('settings_audit', ', NULL, 10', 'editor');
SELECT is(pg_temp.outcome(format('SELECT sluice.%s(%L, %s%s)', c.function_name, u.name,
        coalesce(o.id, 'NULL'), c.arguments)),
    CASE WHEN u.name = 'stranger' OR o.id = :'theirs' OR o.id = '0' THEN 'SL001'
        WHEN u.name = 'viewer-1' AND c.needs = 'editor' THEN 'SL002'
        ELSE '00000' END,
    format('%s for %s, organization %s', c.function_name, u.name, coalesce(o.id, 'not named')))
FROM call AS c
CROSS JOIN (VALUES ('owner-1'), ('viewer-1'), ('stranger')) AS u (name)
CROSS JOIN (VALUES (:'mine'), (:'theirs'), ('0'), (NULL)) AS o (id)
WHERE u.name <> 'stranger' OR o.id IS NULL;
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_key_create(%L, NULL, %L, NULL, %s, '
    'U&''sk_aaaa\2026zzzz'', NULL, NULL, NULL)', u.name, 'of ' || u.name, pg_temp.new_hash())), u.outcome,
    u.name || ' creates a key')
FROM (VALUES ('owner-1', '00000'), ('admin-1', '00000'), ('editor-1', '00000'),
    ('viewer-1', 'SL002'), ('stranger', 'SL001'), ('both', 'SL003')) AS u (name, outcome);
SELECT is(pg_temp.outcome(format('SELECT sluice.%s(''editor-1'', NULL, %s%s)', f, :'their_key', rest)),
    'P0002', f || ': another organization''s key is not there')
FROM (VALUES ('settings_key', ''), ('settings_key_deactivate', ''), ('settings_key_history', ''),
    ('settings_key_payload', ''), ('settings_key_refusals', ''), ('settings_key_volumes', ''),
    ('settings_key_edit', ', ''n'', NULL, NULL'),
    ('settings_key_secret', ', ''enable'', sha256(''''), ''0'''),
    ('settings_key_rotate', ', sha256(''r''), U&''sk_aaaa\2026zzzz'', sha256(''''), ''0'', NULL'))
    AS f (f, rest);
SELECT is((sluice.key_show(:their_key)).status, 'active', 'and stays as it is');
SELECT is(pg_temp.outcome('SELECT sluice.settings_statistics(NULL, NULL, ''24h'')'), 'SL001',
    'no name is no member');
SELECT is(pg_temp.outcome('SELECT sluice.settings_statistics(''both'', NULL, ''24h'')'), 'SL003',
    'a member of two names one');
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_keys(''both'', %s)', :'third')), 'SL002',
    'the role is that of the organization');

-- ---- who is asking ----
SELECT results_eq($$ SELECT name, role, may_manage_keys FROM sluice.settings_me('both') $$,
    $$ VALUES ('Settings', 'editor', true), ('Third', 'viewer', false) $$, 'both organizations');
SELECT is_empty($$ SELECT * FROM sluice.settings_me('stranger') $$, 'none');
SELECT is(octet_length(sluice.settings_csrf_key()), 32, 'a key for tokens');
SELECT throws_ok('INSERT INTO sluice.settings_secret (only_row, csrf_key) VALUES (false, sha256(''''))',
    '23514', NULL, 'there is one');
SELECT is(pg_temp.outcome(s), '42501', s)
FROM unnest(ARRAY['SELECT csrf_key FROM sluice.settings_secret', 'SELECT * FROM sluice.api_key',
    'SELECT sluice.statistics_of(1, ''24h'')', 'SELECT sluice.membership(''owner-1'', 1, ''viewer'')',
    'SELECT sluice.key_create(''a'', ''Theirs'', ''n'', NULL, NULL, NULL, NULL, NULL, NULL)',
    'SELECT sluice.key_deactivate(''a'', 1)', 'SELECT sluice.signals_of(1, ''{}'', NULL, 1)',
    'SELECT * FROM sluice.hourly_count']) AS s;

-- ---- keys, and the parameter that is refused ----
CREATE FUNCTION pg_temp.refused(name text, endpoint text, expires timestamptz, template jsonb)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_column text;
BEGIN
    PERFORM sluice.settings_key_create('editor-1', NULL, name, endpoint,
        sha256(uuid_send(gen_random_uuid())), U&'sk_aaaa\2026zzzz', NULL, expires, template);
    RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS its_column = COLUMN_NAME;
    RETURN its_column;
END
$$;
SELECT is(pg_temp.refused(v.name, v.endpoint, v.expires, v.template), v.refused, v.refused || ' ' || v.why)
FROM (VALUES
    ('n', NULL, NULL::timestamptz, NULL::jsonb, 'accepted', 'a name is enough'),
    (repeat('n', 200), NULL, NULL, NULL, 'accepted', '200 characters'),
    (repeat('n', 201), NULL, NULL, NULL, 'name', 'too long'),
    (NULL, NULL, NULL, NULL, 'name', 'missing'),
    (E'a\tb', NULL, NULL, NULL, 'name', 'a control character'),
    ('n', 'x', NULL, NULL, 'endpoint_type', 'unknown'),
    ('n', NULL, 'infinity', NULL, 'expires_at', 'infinite'),
    ('n', 'product_orgs', NULL, NULL, 'payload_template', 'missing'),
    ('n', NULL, NULL, '{}', 'payload_template', 'not for signals'),
    ('n', 'product_orgs', NULL, '{"product_org_id": 1}', 'payload_template', 'no path'))
    AS v (name, endpoint, expires, template, refused, why);
SELECT results_eq($$ SELECT actor, action FROM sluice.audit_log WHERE action = 'key_create'
    AND actor = 'admin-1' $$, $$ VALUES ('admin-1', 'key_create') $$, 'the user is in the audit log');
INSERT INTO sluice.refused_request (organization_id, key_id, day, reason, requests, last_at)
VALUES (:mine, :my_key, current_date, 'expired', 1, now() - interval '1 hour');
INSERT INTO sluice.refusal_delta VALUES (:mine, :my_key, now(), 'deactivated', 1);
SELECT results_eq(format('SELECT last_refusal, last_refused_at FROM sluice.settings_key(''owner-1'', '
    'NULL, %s)', :'my_key'), 'SELECT ''deactivated'', now()', 'why it was last refused');

-- ---- counts ----
CREATE FUNCTION pg_temp.put(organization bigint, received_at timestamptz, source text,
    status sluice.staging_status DEFAULT 'pending', n integer DEFAULT 1) RETURNS void
LANGUAGE sql AS $$
    WITH stored AS (
        INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
            request_id, payload)
        SELECT nextval('sluice.signal_id'), organization, received_at, received_at, 1, source, 'r', '{}'
        FROM generate_series(1, n)
        RETURNING id, organization_id, received_at
    ), queued AS (
        INSERT INTO sluice.signal_queue (id, organization_id, received_at, last_failure)
        SELECT s.id, s.organization_id, s.received_at, ROW(now(), 'c', NULL, NULL)::sluice.failure FROM stored AS s WHERE status = 'failed'
    )
    INSERT INTO sluice.signal_result (id, organization_id, received_at, finished_at, status, attempts)
    SELECT s.id, s.organization_id, s.received_at, now(), status, 1
    FROM stored AS s WHERE status NOT IN ('pending', 'failed')
$$;
CREATE FUNCTION pg_temp.told(span text, name text) RETURNS text LANGUAGE sql AS $$
    SELECT s.j ->> name FROM (SELECT sluice.statistics('Settings', span) AS j) AS s
$$;
CREATE FUNCTION pg_temp.total(span text, status text) RETURNS bigint LANGUAGE sql AS $$
    SELECT (s.j -> 'totals' ->> status)::bigint
    FROM (SELECT sluice.statistics('Settings', span) AS j) AS s
$$;
-- Counts every partition there is, as sluicectl maintain would after a while; what the server's own
-- statistics say is not known before the transaction ends.
CREATE FUNCTION pg_temp.count_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_stat_force_next_flush();
    UPDATE sluice.counted_partition SET counted_at = '-infinity', changes = -1;
    LOOP
        EXIT WHEN sluice.count_rows(1) = 0;
    END LOOP;
END
$$;
SELECT pg_temp.put(:mine, now(), 'a', 'pending', 3);
SELECT pg_temp.put(:mine, now(), 'b', 'completed', 2);
SELECT pg_temp.put(:mine, now() - interval '2 days', 'a', 'failed', 5);
SELECT pg_temp.put(:mine, now() - interval '20 days', 'a', 'skipped', 7);
SELECT pg_temp.put(:theirs, now(), 'c', 'pending', 100);
INSERT INTO sluice.usage_hour VALUES (:mine, date_trunc('hour', now()), 9, 4);
INSERT INTO sluice.usage_delta VALUES (:mine, now(), 9, 1), (:theirs, now(), 9, 50);
SELECT is(pg_temp.total('24h', v.status), v.n, '24h, ' || v.status)
FROM (VALUES ('pending', 3::bigint), ('completed', 2), ('failed', 0), ('processing', 0))
    AS v (status, n);
SELECT is(pg_temp.total('7d', 'failed'), 5::bigint, '7 days');
SELECT is(pg_temp.total('7d', 'skipped'), 0::bigint);
SELECT is(pg_temp.total('30d', 'skipped'), 7::bigint, '30 days');
SELECT is(pg_temp.told('24h', 'duplicates'), '5', 'added up or not');
SELECT is(pg_temp.told('24h', 'as_of'), pg_temp.told('24h', 'to'), 'up to now');
SELECT is((SELECT string_agg(e ->> 'source' || (e ->> 'signals'), ' ' ORDER BY e ->> 'source')
    FROM json_array_elements(sluice.statistics('Settings', '24h') -> 'series') AS e), 'a3 b2',
    'by source');
SELECT throws_ok($$ SELECT sluice.statistics('Settings', '1h') $$, '22023', NULL, 'no such window');
SELECT throws_ok($$ SELECT sluice.statistics('Nobody', '24h') $$, 'P0002', NULL, 'no such organization');

-- Counted before, with the same result.
CREATE TEMPORARY TABLE told AS SELECT sluice.statistics('Settings', w) ->> 'totals' AS totals,
    sluice.statistics('Settings', w) ->> 'series' AS series, w
    FROM unnest(ARRAY['24h', '7d', '30d']) AS w;
INSERT INTO sluice.counted_partition (partition_name, changes, last_id, counted_at, took)
SELECT p.partition_name, -1, 0, '-infinity', '0' FROM sluice.countable_partition AS p;
SELECT pg_temp.count_all();
SELECT is((SELECT sum(entries) FROM sluice.hourly_count WHERE organization_id = :mine
    AND table_name = 'signal'), 17::numeric, 'all rows are counted');
SELECT is((SELECT sum(entries) FROM sluice.hourly_count WHERE organization_id = :theirs), 100::numeric,
    'those of the others, too');
-- So many that they are not counted again when somebody asks.
INSERT INTO sluice.hourly_count
SELECT :mine, date_trunc('hour', now()), c.id, 'signal', 'z', 'pending', 20000
FROM sluice.counted_partition AS c
WHERE c.partition_name = sluice.day_name('signal', date_trunc('day', now(), 'UTC'));
SELECT is(pg_temp.total('24h', 'pending'), 20003::bigint, 'what was counted is told');
SELECT is(pg_temp.told('24h', 'as_of'), pg_temp.told('24h', 'to'), 'and nothing came since');
SELECT pg_temp.put(:mine, now(), 'new', 'pending', 10);
SELECT is(pg_temp.total('24h', 'pending'), 20013::bigint, 'with what came since');
UPDATE sluice.counted_partition SET counted_at = now() - interval '1 minute';
SELECT pg_temp.put(:mine, now(), 'new', 'pending', 10000);
SELECT is(pg_temp.total('24h', 'pending'), 20003::bigint, 'unless it is much');
SELECT is(pg_temp.told('24h', 'as_of') < pg_temp.told('24h', 'to'), true, 'which as_of tells');
DELETE FROM sluice.hourly_count WHERE source = 'z';
SELECT pg_temp.count_all();
SELECT is(pg_temp.total('24h', 'pending'), 10013::bigint, 'until it is counted');
SELECT is((SELECT count(*) FROM sluice.hourly_count WHERE source = 'z'), 0::bigint,
    'counting again replaces');
-- Many sources.
SELECT pg_temp.put(:third, now(), 's' || i, 'pending', 100 - i) FROM generate_series(1, 40) AS i;
SELECT pg_temp.count_all();
SELECT is((SELECT count(*) FROM sluice.hourly_count WHERE organization_id = :third), 31::bigint,
    '30 sources and the others');
SELECT is((SELECT sum(entries) FROM sluice.hourly_count WHERE organization_id = :third), 3180::numeric);
SELECT is((SELECT count(*) FROM json_array_elements(sluice.statistics('Third', '24h') -> 'series')),
    13::bigint, 'a chart has 12 of them and the others');
SELECT is((SELECT sum((e ->> 'signals')::bigint)
    FROM json_array_elements(sluice.statistics('Third', '24h') -> 'series') AS e), 3180::numeric);
-- A partition that is gone.
SELECT sluice.day_name('signal', date_trunc('day', now(), 'UTC')) AS today \gset
DROP TABLE sluice.:"today";
SELECT pg_temp.count_all();
SELECT is_empty(format('SELECT FROM sluice.counted_partition WHERE partition_name = %L', :'today'),
    'what is gone is forgotten');
SELECT is((SELECT count(*) FROM sluice.hourly_count WHERE organization_id = :third), 0::bigint);

-- ---- previews ----
SELECT is(sluice.preview(v.bytes, v.cut), v.text, 'preview: ' || v.text)
FROM (VALUES ('\x'::bytea, false, ''), ('a<b'::bytea, false, 'a<b'),
    ('\xc3a4'::bytea, false, U&'\00e4'), ('\x61c3'::bytea, true, 'a'),
    ('\x61f09f92'::bytea, true, 'a'), ('\x61c3'::bytea, false, 'a\303'),
    ('\xff61'::bytea, false, '\377a'), ('\x610062'::bytea, false, 'a\000b'))
    AS v (bytes, cut, text);

-- ---- usage by months ----
INSERT INTO sluice.usage_month (organization_id, month, signals, duplicates)
SELECT :third, (date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month')::date, n, 1
FROM unnest(ARRAY[1, 3, 14]) AS n;
SELECT sluice.member_add('tester', 'Third', 'their editor', 'editor');
CREATE FUNCTION pg_temp.months(before date, max_rows integer) RETURNS text LANGUAGE sql AS $$
    SELECT (SELECT string_agg(m ->> 'signals', ' ') FROM json_array_elements(u -> 'months') AS m)
        || CASE WHEN u ->> 'next' IS NULL THEN '' ELSE ' …' END
    FROM sluice.settings_usage('their editor', NULL, before, max_rows) AS u
$$;
SELECT is(pg_temp.months(NULL, 12), '0 1 0 3 0 0 0 0 0 0 0 0 …', 'twelve months, and there are more');
SELECT is(pg_temp.months(NULL, 15), '0 1 0 3 0 0 0 0 0 0 0 0 0 0 14', 'to the first one with any');
SELECT is(u ->> 'next', to_char(now() AT TIME ZONE 'UTC' - interval '1 month', 'YYYY-MM'), 'the next part')
FROM sluice.settings_usage('their editor', NULL, NULL, 2) AS u;
SELECT is((SELECT string_agg(m ->> 'signals', ' ') FROM json_array_elements(
        sluice.settings_usage('their editor', NULL, (u ->> 'next' || '-01')::date, 2) -> 'months') AS m), '0 3',
    'begins with the month before')
FROM sluice.settings_usage('their editor', NULL, NULL, 2) AS u;
SELECT is(u ->> 'signals', '0', 'this month is this month')
FROM sluice.settings_usage('their editor', NULL, '2001-01-01', 2) AS u;

SELECT * FROM finish();
ROLLBACK;
