-- Searching signals: what each filter finds, in which order, in parts, and how much is read.
\ir helper.psql
BEGIN;
SELECT plan(68);

TRUNCATE sluice.signal, sluice.signal_cold_storage, sluice.signal_queue, sluice.signal_result;
SELECT sluice.organization_create('op', 'Search'), sluice.organization_create('op', 'Search others');
SELECT id AS mine FROM sluice.organization WHERE name = 'Search' \gset
SELECT id AS others FROM sluice.organization WHERE name = 'Search others' \gset
SELECT pg_temp.make_key('Search', 'first') AS first, pg_temp.make_key('Search', 'second') AS second \gset
SET LOCAL ROLE sluice_owner;
SELECT sluice.make_day(t, date_trunc('day', now(), 'UTC') - d * interval '24 hours')
FROM generate_series(8, 40) AS d, unnest(ARRAY['signal', 'signal_cold_storage', 'signal_result']) AS t;
RESET ROLE;
CREATE FUNCTION pg_temp.put(id bigint, ago interval, columns jsonb DEFAULT '{}', organization bigint DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    mine constant bigint := (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Search');
    all_of jsonb := jsonb_build_object('id', id, 'organization_id', coalesce(organization, mine),
        'received_at', now() - ago, 'occurred_at', now() - ago, 'key_id', 1, 'stored_xact', 5, 'source', 'generic',
        'request_id', 'r-' || id, 'payload', jsonb '{}') || columns;
BEGIN
    IF columns ? 'cold' THEN
        INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id, stored_xact,
            source, anonymous_id, message_id, request_id, payload)
        SELECT c.id, c.organization_id, c.received_at, c.occurred_at, c.key_id, c.stored_xact, c.source,
            c.anonymous_id, c.message_id, c.request_id, c.payload
        FROM jsonb_populate_record(NULL::sluice.signal_cold_storage, all_of) AS c;
    ELSE
        INSERT INTO sluice.signal SELECT * FROM jsonb_populate_record(NULL::sluice.signal, all_of);
    END IF;
END
$$;
SELECT pg_temp.put(v.id, v.ago::interval, v.columns::jsonb) FROM (VALUES
    (1, '0', '{"email": "jane@example.com", "source": "crm", "event_name": "Signed up", "event_type": "track"}'),
    (2, '0', '{"user_id": "u-2", "payload": {"note": "Grüße an \"Jane\"", "n": 1.50}}'),
    (3, '10 minutes', '{"anonymous_id": "a-3", "cold": true}'),
    (4, '26 hours', '{"email": "jane@example.com", "message_id": "m-4", "event_type": "identify"}'),
    (5, '3 days', '{"phone": "+4912345", "crm_id": "c-5", "key_id": 2}'),
    (6, '3 days', '{"anonymous_id": "a-3", "message_id": "m-6", "cold": true}'),
    (7, '39 days', '{"email": "jane@example.com", "source": "rare"}'),
    (8, '400 days', '{"email": "jane@example.com"}')) AS v (id, ago, columns);
SELECT pg_temp.put(9, '0', '{"email": "jane@example.com", "user_id": "u-2"}', :others);

-- The ids that a filter finds, joined; with the whole answer in "parts" of that many rows.
CREATE FUNCTION pg_temp.found(filter jsonb, parts integer DEFAULT 100, budget interval DEFAULT '1 hour')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := '{}';
    answer json := '{}';
    mine constant bigint := (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Search');
BEGIN
    FOR i IN 1..1000 LOOP
        answer := sluice.signals_of(mine, filter, answer ->> 'next', parts, false, budget);
        ids := ids || ARRAY(SELECT s ->> 'id' FROM json_array_elements(answer -> 'signals') AS s);
        IF (answer ->> 'next' IS NULL) <> (answer ->> 'searched_until' IS NULL) THEN
            RETURN 'next without searched_until';
        END IF;
        EXIT WHEN answer ->> 'next' IS NULL;
    END LOOP;
    RETURN array_to_string(ids, ' ');
END
$$;
SELECT is(pg_temp.found(v.filter::jsonb), v.ids, v.filter) FROM (VALUES
    ('{}', '2 1 3 4 6 5 7 8'),
    ('{"email": "Jane@Example.COM"}', '1 4 7 8'), ('{"email": "nobody@example.com"}', ''),
    ('{"user_id": "u-2"}', '2'), ('{"anonymous_id": "a-3"}', '3 6'), ('{"message_id": "m-4"}', '4'),
    ('{"message_id": "m-6"}', '6'), ('{"request_id": "r-5"}', '5'), ('{"request_id": "r-6"}', '6'),
    ('{"identity": "JANE@example.com"}', '1 4 7 8'), ('{"identity": "+4912345"}', '5'),
    ('{"identity": "c-5"}', '5'), ('{"identity": "a-3"}', '3 6'), ('{"identity": "r-6"}', '6'),
    ('{"identity": "m-6"}', '6'), ('{"identity": "7"}', '7'), ('{"identity": "6"}', '6'), ('{"identity": "u-3"}', ''),
    ('{"source": "rare"}', '7'), ('{"source": "nowhere"}', ''), ('{"event": "Signed up"}', '1'),
    ('{"event": "identify"}', '4'), ('{"key": "2"}', '5'), ('{"status": "cold_storage"}', '3 6'),
    ('{"status": "cold_storage", "email": "jane@example.com"}', ''),
    ('{"status": "pending", "email": "jane@example.com"}', '1 4 7 8'), ('{"status": "completed"}', ''),
    ('{"text": "grüße AN", "from": "2001-01-01T00:00:00Z"}', '2'),
    ('{"text": "an \"jane\"", "from": "2001-01-01T00:00:00Z"}', '2'),
    ('{"text": "\"n\": 1.50", "from": "2001-01-01T00:00:00Z"}', '2'),
    ('{"text": "jane%", "from": "2001-01-01T00:00:00Z"}', ''),
    ('{"email": "jane@example.com", "source": "rare"}', '7')) AS v (filter, ids);
SELECT is(pg_temp.found(jsonb_build_object('from', now() - v.since, 'until', now() - v.until)), v.ids, v.why)
FROM (VALUES (interval '26 hours', interval '0', '3 4', 'from then on, and before then'),
    ('25 hours', '-1 hour', '2 1 3', 'until later than now'), ('2 hours', '1 hour', '', 'nothing in between'))
    AS v (since, until, ids, why);

-- ---- parts ----
SELECT is(pg_temp.found('{}', v.parts, v.budget), '2 1 3 4 6 5 7 8', format('in parts of %s, for %s', v.parts, v.budget))
FROM (VALUES (1, interval '1 hour'), (2, '1 hour'), (3, '0'), (8, '1 hour'), (100, '0')) AS v (parts, budget);
SELECT is(a ->> 'searched_until' < sluice.timestamp_text(now()) AND a ->> 'next' LIKE '%-0' AND a ->> 'signals' = '[]',
    true, 'without time to go on, an empty part says how far it came')
FROM (SELECT sluice.signals_of(:mine, '{"source": "rare"}', NULL, 10, false, '0') AS a) AS a;
SELECT is(sluice.signals_of(:mine, '{"email": "jane@example.com"}', NULL, 2, false, '1 hour') ->> 'searched_until',
    sluice.timestamp_text(now() - interval '26 hours'), 'a full part came as far as its last row');

-- ---- statuses ----
INSERT INTO sluice.signal_result (id, organization_id, received_at, finished_at, status, attempts)
VALUES (4, :mine, now() - interval '26 hours', now(), 'completed', 1),
    (7, :mine, now() - interval '39 days', now(), 'permanently_failed', 3);
INSERT INTO sluice.signal_queue (id, organization_id, received_at, due_at, claim_id, attempts, last_failure)
VALUES (1, :mine, now(), NULL, 1, 1, NULL),
    (5, :mine, now() - interval '3 days', now(), NULL, 1, ROW(now(), 'c', 'e', NULL)::sluice.failure);
SELECT is(pg_temp.found(jsonb_build_object('status', v.status)), v.ids, v.status)
FROM (VALUES ('pending', '2 8'), ('processing', '1'), ('completed', '4'), ('failed', '5'), ('skipped', ''),
    ('permanently_failed', '7')) AS v (status, ids);

-- ---- what has been stored since ----
CREATE TEMPORARY TABLE moment AS SELECT sluice.signals_of(:mine, '{}', NULL, 1) ->> 'live' AS live;
SELECT is(pg_temp.found(jsonb_build_object('since', m.live)), '', 'nothing has been stored since') FROM moment AS m;

-- ---- what is refused ----
CREATE FUNCTION pg_temp.refused(filter jsonb, before text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_column text;
BEGIN
    PERFORM sluice.signals_of(1, filter, before, 1);
    RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS its_column = COLUMN_NAME;
    RETURN its_column;
END
$$;
SELECT is(pg_temp.refused(v.filter::jsonb, v.before), v.place, format('%s, %s', v.filter, v.before)) FROM (VALUES
    ('{"from": "soon"}', NULL, 'from'), ('{"until": "2031-02-30T00:00:00Z"}', NULL, 'until'),
    ('{"from": "2031-01-01T00:00:00Z", "until": "2031-01-01T00:00:00Z"}', NULL, 'until'),
    ('{"text": "x"}', NULL, 'text'), ('{"text": "x", "since": "1-3:3:"}', NULL, 'accepted'), ('{"key": "x"}', NULL, 'key'), ('{"status": "x"}', NULL, 'status'),
    ('{"since": "x"}', NULL, 'since'), ('{"since": "1-5:3:"}', NULL, 'since'), ('{"mail": "x"}', NULL, 'mail'),
    ('{}', 'x', 'before'), ('{}', '1-', 'before'), ('{}', '1-1', 'accepted')) AS v (filter, before, place);

-- ---- text in an import, whose rows have one time ----
SELECT sluice.organization_create('op', 'Import') AS import \gset
INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source, request_id, payload)
SELECT 5000000 + n, :import, now() - interval '1 hour', now(), 1, 'generic', 'r',
    jsonb_build_object('n', n, 'word', CASE WHEN n IN (7, 30000, 59999) THEN 'needle' ELSE 'hay' END)
FROM generate_series(1, 60000) AS n;
INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id, source, request_id,
    payload)
SELECT 5060000 + n, :import, now() - interval '1 hour', now(), 1, 'generic', 'r',
    jsonb_build_object('n', n, 'word', CASE WHEN n = 2 THEN 'needle' ELSE 'hay' END)
FROM generate_series(1, 3) AS n;
SELECT is(ARRAY[l.last_id, l.lowest_id, l.highest_id], ARRAY[5060003::bigint - 24999, 5060003 - 24999, 5060003],
    'a step ends within the import')
FROM sluice.search_last(:import, now() - interval '1 day', now(), NULL, NULL) AS l;
SELECT is(l.last_id, NULL, 'but not where few are left')
FROM sluice.search_last(:import, now() - interval '1 day', now(), now() - interval '1 hour', 5024000) AS l;
UPDATE sluice.signal SET payload = jsonb_build_object('long', (SELECT string_agg(md5(n::text), '')
    FROM generate_series(1, 200000) AS n)) WHERE organization_id = :import AND id = 5050000;
SELECT is(l.last_id, 5050000::bigint, 'a large payload ends a step, too')
FROM sluice.search_last(:import, now() - interval '1 day', now(), NULL, NULL) AS l;
CREATE FUNCTION pg_temp.parts(budget interval, OUT hits text, OUT parts integer) LANGUAGE plpgsql AS $$
DECLARE
    answer json;
    filter constant jsonb := jsonb_build_object('text', 'NEEDLE', 'from', now() - interval '1 day');
    its_id constant bigint := (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Import');
BEGIN
    hits := ''; parts := 0;
    LOOP
        answer := sluice.signals_of(its_id, filter, answer ->> 'next', 10, false, budget);
        parts := parts + 1;
        hits := concat_ws(' ', nullif(hits, ''), (SELECT string_agg(((s ->> 'id')::bigint - 5000000)::text, ' ')
            FROM json_array_elements(answer -> 'signals') AS s));
        EXIT WHEN answer ->> 'next' IS NULL;
    END LOOP;
END
$$;
SELECT is(hits, '60002 59999 30000 7', 'all are found, in order') FROM pg_temp.parts('1 hour');
SELECT is(hits, '60002 59999 30000 7', 'also step by step') FROM pg_temp.parts('0');
SELECT cmp_ok(parts, '>=', 4, 'each of which ends a part when there is no time') FROM pg_temp.parts('0');

SELECT * FROM finish();
ROLLBACK;
