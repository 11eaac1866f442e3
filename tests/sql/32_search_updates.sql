-- Searching product-org updates: what each filter finds, in parts, and how far a part came.
\ir helper.psql
BEGIN;
SELECT plan(65);

TRUNCATE sluice.product_org_update, sluice.product_org_queue, sluice.product_org_result;
SELECT sluice.organization_create('op', 'Updated'), sluice.organization_create('op', 'Updated others');
SELECT id AS mine FROM sluice.organization WHERE name = 'Updated' \gset
SELECT id AS others FROM sluice.organization WHERE name = 'Updated others' \gset
SET LOCAL ROLE sluice_owner;
SELECT sluice.make_day(t, date_trunc('day', now(), 'UTC') - d * interval '24 hours')
FROM generate_series(8, 40) AS d, unnest(ARRAY['product_org_update', 'product_org_result']) AS t;
RESET ROLE;
CREATE FUNCTION pg_temp.put(id bigint, ago interval, columns jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sluice.product_org_update
    SELECT * FROM jsonb_populate_record(NULL::sluice.product_org_update, jsonb_build_object('id', id,
        'organization_id', (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Updated'),
        'received_at', now() - ago, 'key_id', 1, 'stored_xact', 5, 'request_id', 'r-' || id, 'payload', jsonb '{}')
        || columns)
$$;
SELECT pg_temp.put(v.id * 1024, v.ago::interval, v.columns::jsonb) FROM (VALUES
    (1, '39 days', '{"product_org_id": "a", "plan_id": "p1", "plan_name": "Pro"}'),
    (2, '3 days', '{"product_org_id": "b", "plan_id": "Pro", "plan_name": "p2", "key_id": 2}'),
    (3, '26 hours', '{"product_org_id": "a", "trial_status": "ended", "payload": {"note": "Größe \"L\"", "n": 1.50}}'),
    (4, '0', '{"product_org_id": "A", "trial_status": "active", "payload": {"email": "a@b.c", "x": "100%"}}'),
    (5, '2 days', '{"product_org_id": "2048", "request_id": "import"}'),
    (6, '400 days', '{"product_org_id": "old"}')) AS v (id, ago, columns);
SELECT pg_temp.put(7 * 1024, '0', jsonb_build_object('product_org_id', 'a', 'organization_id', :others));

-- The ids that a filter finds, joined, in parts of so many rows.
CREATE FUNCTION pg_temp.found(filter jsonb, parts integer DEFAULT 100, budget interval DEFAULT '1 hour')
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := '{}';
    answer json := '{}';
    its_id constant bigint := (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Updated');
BEGIN
    FOR i IN 1..1000 LOOP
        answer := sluice.product_orgs_of(its_id, filter, (answer ->> 'next')::bigint, parts, false, budget);
        ids := ids || ARRAY(SELECT ((p ->> 'id')::bigint / 1024)::text
            FROM json_array_elements(answer -> 'product_orgs') AS p);
        IF (answer ->> 'next' IS NULL) <> (answer ->> 'searched_until' IS NULL) THEN
            RETURN 'next without searched_until';
        END IF;
        EXIT WHEN answer ->> 'next' IS NULL;
    END LOOP;
    RETURN array_to_string(ids, ' ');
END
$$;

-- ---- filters ----
CREATE TEMPORARY TABLE filter (filter jsonb, ids text);
INSERT INTO filter VALUES
    ('{}', '6 5 4 3 2 1'), ('{"product_org_id": "a"}', '3 1'), ('{"product_org_id": "old"}', '6'),
    ('{"product_org_id": "c"}', ''), ('{"request_id": "import"}', '5'), ('{"request_id": "r-5"}', ''),
    ('{"identity": "a"}', '3 1'), ('{"identity": "import"}', '5'), ('{"identity": "r-4096"}', '4'),
    ('{"identity": "2048"}', '5 2'), ('{"identity": "nobody"}', ''), ('{"identity": "99999999999999999999"}', ''),
    ('{"key": "2"}', '2'), ('{"key": "3"}', ''), ('{"plan": "Pro"}', '2 1'), ('{"plan": "p2"}', '2'),
    ('{"trial_status": "ended"}', '3'), ('{"status": "pending"}', '6 5 4 3 2 1'), ('{"status": "completed"}', ''),
    ('{"text": "grösse"}', ''), ('{"text": "GRÖßE"}', '3'), ('{"text": "größe \"l\""}', '3'), ('{"text": "\"n\": 1.50"}', '3'),
    ('{"text": "%"}', '4'), ('{"text": "_"}', ''), ('{"text": "'' OR 1 = 1 --"}', ''), ('{"text": "\\"}', '3'),
    ('{"text": "note", "product_org_id": "a", "trial_status": "ended", "status": "pending"}', '3'),
    ('{"text": "note", "plan": "Pro"}', '');
UPDATE filter SET filter = filter || '{"from": "2001-01-01T00:00:00Z"}' WHERE filter ? 'text';
SELECT is(pg_temp.found(filter), ids, filter::text) FROM filter;
SELECT is(pg_temp.found(filter, 1), ids, 'one by one: ' || filter::text) FROM filter WHERE ids LIKE '% %';
DELETE FROM sluice.product_org_update WHERE product_org_id = 'old';
SELECT is(pg_temp.found(jsonb_build_object('from', now() - v.since, 'until', now() - v.until)), v.ids, v.why)
FROM (VALUES (interval '26 hours', interval '0', '3', 'from then on, and before then'),
    ('3 days', '24 hours', '5 3 2', 'an import by its time'), ('25 hours', '-1 hour', '4', 'until later than now'),
    ('2 hours', '1 hour', '', 'nothing in between')) AS v (since, until, ids, why);
SELECT is(pg_temp.found('{}', v.parts, v.budget), '5 4 3 2 1', format('in parts of %s, for %s', v.parts, v.budget))
FROM (VALUES (1, interval '1 hour'), (2, '1 hour'), (1, '0'), (5, '1 hour'), (100, '0')) AS v (parts, budget);
SELECT is(a::text, '{"product_orgs" : [], "next" : null, "searched_until" : null}', 'below all ids is nothing')
FROM (SELECT sluice.product_orgs_of(:mine, '{}', 0, 10) AS a) AS a;

-- ---- statuses ----
INSERT INTO sluice.product_org_result (id, organization_id, received_at, finished_at, status, attempts)
VALUES (3 * 1024, :mine, now() - interval '26 hours', now(), 'completed', 1),
    (1 * 1024, :mine, now() - interval '39 days', now(), 'permanently_failed', 3);
INSERT INTO sluice.product_org_queue (id, organization_id, received_at, due_at, claim_id, attempts, last_failure)
VALUES (2 * 1024, :mine, now() - interval '3 days', NULL, 1, 1, NULL),
    (5 * 1024, :mine, now() - interval '2 days', now(), NULL, 1, ROW(now(), 'c', 'e', NULL)::sluice.failure);
SELECT is(pg_temp.found(jsonb_build_object('status', v.status)), v.ids, v.status)
FROM (VALUES ('pending', '4'), ('processing', '2'), ('completed', '3'), ('failed', '5'), ('skipped', ''),
    ('permanently_failed', '1')) AS v (status, ids);

-- ---- what is refused ----
CREATE FUNCTION pg_temp.refused(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_column text;
BEGIN
    PERFORM sluice.product_orgs_of(1, filter, NULL, 1);
    RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS its_column = COLUMN_NAME;
    RETURN its_column;
END
$$;
SELECT is(pg_temp.refused(v.filter::jsonb), v.place, v.filter) FROM (VALUES
    ('{"from": "soon"}', 'from'), ('{"from": "2031-01-01T00:00:00Z", "until": "2031-01-01T00:00:00Z"}', 'until'),
    ('{"text": "x"}', 'text'), ('{"key": "x"}', 'key'), ('{"plan": 7}', 'plan'), ('{"status": "lost"}', 'status'),
    ('{"state": "open"}', 'state'), ('{"source": "a"}', 'source'), ('{"since": "1-3:3:"}', 'since')) AS v (filter, place);

-- ---- for the tool, and large payloads ----
SELECT is(sluice.product_orgs_latest('Updated others', NULL, NULL, 10) #>> '{product_orgs,0,id}', '7168', 'by name');
SELECT is(json_array_length(sluice.product_orgs_latest('Updated', '{"identity": "a"}', NULL, 10) -> 'product_orgs'), 2,
    'with a filter');
SELECT throws_ok($$ SELECT sluice.product_orgs_latest('Nobody', '{}', NULL, 10) $$, 'P0002', NULL, 'which there must be');
SELECT pg_temp.put(8 * 1024, '0', jsonb_build_object('product_org_id', 'large', 'payload', jsonb_build_object('x', repeat('é', 40000))));
SELECT is(sluice.product_orgs_of(:mine, '{}', NULL, 1) #>> '{product_orgs,0,payload}', NULL, 'a list leaves large payloads out');
SELECT is(length(sluice.product_orgs_of(:mine, '{}', NULL, 1, true) #>> '{product_orgs,0,payload,x}'), 40000, 'a file has them');

SELECT * FROM finish();
ROLLBACK;
