-- Searching rejected payloads: what each filter finds, in bytes of any kind, in parts, and how far a part came.
\ir helper.psql
BEGIN;
SELECT plan(104);

TRUNCATE sluice.rejected_payload;
SELECT sluice.organization_create('op', 'Finds'), sluice.organization_create('op', 'Finds others');
SELECT id AS mine FROM sluice.organization WHERE name = 'Finds' \gset
SELECT id AS others FROM sluice.organization WHERE name = 'Finds others' \gset
SET LOCAL ROLE sluice_owner;
SELECT sluice.make_day('rejected_payload', date_trunc('day', now(), 'UTC') - d * interval '24 hours')
FROM generate_series(8, 40) AS d;
RESET ROLE;
CREATE FUNCTION pg_temp.put(id bigint, ago interval, payload bytea, columns jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql AS $$
    INSERT INTO sluice.rejected_payload (id, organization_id, received_at, key_id, kind, code, detail, source,
        request_id, payload, replayed_at, replayed_by, replayed_ids, discarded_at, discarded_by)
    SELECT r.id, r.organization_id, r.received_at, r.key_id, 'item', r.code, 'd', r.source, r.request_id, put.payload,
        r.replayed_at, r.replayed_by, r.replayed_ids, r.discarded_at, r.discarded_by
    FROM jsonb_populate_record(NULL::sluice.rejected_payload, jsonb_build_object('id', id, 'organization_id',
        (SELECT o.id FROM sluice.organization AS o WHERE o.name = 'Finds'), 'received_at', now() - ago, 'key_id', 1,
        'code', 'malformed_json', 'request_id', 'r-' || id) || columns) AS r
$$;
-- 6 is an import's, which began before 5 came; 8 came before all days.
SELECT pg_temp.put(v.id, v.ago::interval, v.payload::bytea, v.columns::jsonb) FROM (VALUES
    (1, '39 days', '{"email": "Jane@Example.com", "n": 142', '{"source": "rare"}'),
    (2, '3 days', '{"email": "mary.jane@example.com", "u": "u-77"', '{"key_id": 2}'),
    (3, '26 hours', '"jane@example.com.au" 4.2 \200\377\000 {"to": "Jane@example.com."', '{"code": "not_an_object"}'),
    (4, '10 minutes', 'x\303\251y "Gr\303\266\303\237e \\"L\\"" 100% _ \\\\n', '{"source": "crm", "replayed_at":
        "2026-01-01T00:00:00Z", "replayed_by": "op", "replayed_ids": [1]}'),
    (5, '0', '\000\\000 a\000b u-7 ''quoted''', '{"discarded_at": "2026-01-01T00:00:00Z", "discarded_by": "op"}'),
    (6, '2 days', '', '{"request_id": "import"}'),
    (8, '400 days', '{"email": "jane@example.com"', '{}')) AS v (id, ago, payload, columns);
SELECT pg_temp.put(7, '0', '{"email": "jane@example.com"', jsonb_build_object('organization_id', :others));

-- The ids that a filter finds, joined, in parts of so many rows.
CREATE FUNCTION pg_temp.found(filter jsonb, parts integer DEFAULT 100, budget interval DEFAULT '1 hour',
    organization text DEFAULT 'Finds') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ids text[] := '{}';
    answer json := '{}';
    its_id constant bigint := (SELECT o.id FROM sluice.organization AS o WHERE o.name = organization);
BEGIN
    FOR i IN 1..1000 LOOP
        answer := sluice.rejects_of(its_id, filter, (answer ->> 'next')::bigint, parts, false, budget);
        ids := ids || ARRAY(SELECT r ->> 'id' FROM json_array_elements(answer -> 'rejects') AS r);
        IF (answer ->> 'next' IS NULL) <> (answer ->> 'searched_until' IS NULL) THEN
            RETURN 'next without searched_until';
        END IF;
        EXIT WHEN answer ->> 'next' IS NULL;
    END LOOP;
    RETURN array_to_string(ids, ' ');
END
$$;

-- ---- filters, of all days and of those that are no partition's ----
CREATE TEMPORARY TABLE filter (filter jsonb, ids text);
INSERT INTO filter VALUES
    ('{}', '8 6 5 4 3 2 1'),
    ('{"source": "rare"}', '1'), ('{"source": "nowhere"}', ''), ('{"request_id": "import"}', '6'),
    ('{"request_id": "impor"}', ''), ('{"code": "not_an_object"}', '3'), ('{"key": "2"}', '2'), ('{"key": "3"}', ''),
    ('{"state": "open"}', '8 6 3 2 1'), ('{"state": "replayed"}', '4'), ('{"state": "discarded"}', '5'),
    ('{"identity": "jane@example.com"}', '8 3 1'), ('{"identity": "JANE@EXAMPLE.COM"}', '8 3 1'),
    ('{"identity": "jane@example.com.au"}', '3'), ('{"identity": "mary.jane@example.com"}', '2'),
    ('{"identity": "ane@example.com"}', ''), ('{"identity": "jane@example.co"}', ''), ('{"identity": "example.com"}', ''),
    ('{"identity": "u-77"}', '2'), ('{"identity": "u-7"}', '5'), ('{"identity": "7"}', ''), ('{"identity": "U-77"}', '2'),
    ('{"identity": "42"}', ''), ('{"identity": "142"}', '1'), ('{"identity": "2"}', '2'), ('{"identity": "4"}', '4'),
    ('{"identity": "4.2"}', '3'), ('{"identity": "import"}', '6'), ('{"identity": "r-6"}', ''), ('{"identity": "r-3"}', '3'),
    ('{"identity": "y"}', ''), ('{"identity": "xéy"}', '4'), ('{"identity": "(.*)"}', ''), ('{"identity": "100%"}', '4'),
    ('{"identity": "1000000000000000000000"}', ''), ('{"identity": "quoted"}', '5'),
    ('{"text": "mail"}', '8 2 1'), ('{"text": "GRößE"}', '4'), ('{"text": "GRÖßE"}', '4'), ('{"text": "XÉY"}', '4'), ('{"text": "größe \"l\""}', '4'), ('{"text": "é"}', '4'),
    ('{"text": "303"}', ''), ('{"text": "200"}', ''), ('{"text": "000"}', '5'), ('{"text": "\\000"}', '5'),
    ('{"text": "a\\000b"}', ''), ('{"text": "\\n"}', '4'), ('{"text": "\\"}', '5 4'), ('{"text": "%"}', '4'),
    ('{"text": "_"}', '4'), ('{"text": "''"}', '5'), ('{"text": "'' OR 1 = 1 --"}', ''), ('{"text": "\""}', '8 4 3 2 1'),
    ('{"text": "mail", "source": "rare", "code": "malformed_json", "state": "open", "identity": "142"}', '1'),
    ('{"text": "mail", "source": "rare", "state": "replayed"}', '');
UPDATE filter SET filter = filter || '{"from": "2001-01-01T00:00:00Z"}' WHERE filter ? 'text';
SELECT is(pg_temp.found(filter), ids, filter::text) FROM filter;
SELECT is(pg_temp.found(filter, 1), ids, 'one by one: ' || filter::text) FROM filter WHERE ids LIKE '% %';
DELETE FROM sluice.rejected_payload WHERE id = 8;
SELECT is(pg_temp.found(jsonb_build_object('from', now() - v.since, 'until', now() - v.until)), v.ids, v.why)
FROM (VALUES (interval '26 hours', interval '0', '4 3', 'from then on, and before then'),
    ('3 days', '24 hours', '6 3 2', 'an import by its time'), ('25 hours', '-1 hour', '5 4', 'until later than now'),
    ('2 hours', '1 hour', '', 'nothing in between'), ('500 days', '50 days', '', 'or before all'))
    AS v (since, until, ids, why);

-- ---- parts ----
SELECT is(pg_temp.found('{}', v.parts, v.budget), '6 5 4 3 2 1', format('in parts of %s, for %s', v.parts, v.budget))
FROM (VALUES (1, interval '1 hour'), (2, '1 hour'), (1, '0'), (6, '1 hour'), (7, '0'), (100, '0')) AS v (parts, budget);
SELECT is(sluice.rejects_of(:mine, '{}', 0, 10)::text, sluice.rejects_of(:mine, '{}', 1, 10)::text, 'below all ids is nothing');
SELECT is(sluice.rejects_of(:mine, '{}', 0, 10) ->> 'next', NULL, 'and the end');
SELECT is(r ->> 'searched_until', sluice.timestamp_text(now()), 'behind the import is a later one, which is told')
FROM (SELECT sluice.rejects_of(:mine, '{}', NULL, 1) AS r) AS r;
SELECT is(r ->> 'searched_until', sluice.timestamp_text(now() - interval '26 hours'), 'what is behind came before')
FROM (SELECT sluice.rejects_of(:mine, '{}', 5, 1) AS r) AS r;
SELECT is(json_array_length(sluice.rejects_search(NULL, '{"identity": "jane@example.com"}', NULL, 10) -> 'rejects'), 3,
    'of all organizations, for the tool');
SELECT is(sluice.rejects_search('Finds others', '{}', NULL, 10) #>> '{rejects,0,id}', '7', 'or of one');
SELECT throws_ok($$ SELECT sluice.rejects_search('Nobody', '{}', NULL, 10) $$, 'P0002', NULL, 'which there must be');

-- ---- what is refused ----
CREATE FUNCTION pg_temp.refused(filter jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_column text;
BEGIN
    PERFORM sluice.rejects_of(1, filter, NULL, 1);
    RETURN 'accepted';
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS its_column = COLUMN_NAME;
    RETURN its_column;
END
$$;
SELECT is(pg_temp.refused(v.filter::jsonb), v.place, v.filter) FROM (VALUES
    ('{"from": "soon"}', 'from'), ('{"until": "2031-02-30T00:00:00Z"}', 'until'),
    ('{"from": "2031-01-01T00:00:00Z", "until": "2031-01-01T00:00:00Z"}', 'until'), ('{"text": "x"}', 'text'),
    ('{"key": "x"}', 'key'), ('{"key": 7}', 'key'), ('{"source": null}', 'source'), ('{"state": "lost"}', 'state'),
    ('{"status": "pending"}', 'status'), ('{"email": "a"}', 'email'), ('{"since": "1-3:3:"}', 'since'), ('[]', '')) AS v (filter, place);

-- ---- bytes, and how much of them ----
SELECT pg_temp.put(9, '0', convert_to('{"a": "' || repeat('é', 4000) || '", "email": "late@example.com"', 'UTF8'));
SELECT is(pg_temp.found('{"identity": "late@example.com"}'), '9', 'behind what is shown');
SELECT is(octet_length(r ->> 'preview') < 4097 AND (r ->> 'truncated')::boolean, true, 'the list has the beginning')
FROM (SELECT sluice.rejects_of(:mine, '{}', 10, 1) #> '{rejects,0}' AS r) AS r;
SELECT is(r ->> 'preview', convert_from(p.payload, 'UTF8'), 'a file has all')
FROM (SELECT sluice.rejects_of(:mine, '{}', 10, 1, true) #> '{rejects,0}' AS r) AS r, sluice.rejected_payload AS p
WHERE p.id = 9;
SELECT sluice.member_add('op', 'Finds', u, u) FROM unnest(ARRAY['viewer', 'editor']) AS u;
SELECT is(length(r #>> '{rejects,0,preview}') > 4000, u = 'editor', 'all bytes in a file of ' || u)
FROM unnest(ARRAY['viewer', 'editor']) AS u, sluice.settings_rejects(u, :mine, '{}', 10, 1, true) AS r;

-- ---- steps ----
SELECT sluice.organization_create('op', 'Many rejects') AS many \gset
INSERT INTO sluice.rejected_payload (id, organization_id, received_at, key_id, kind, code, detail, request_id, payload)
SELECT 100000 + n, :many, now() - interval '1 hour', 1, 'item', 'c', 'd', 'r',
    CASE WHEN n IN (7, 30000, 59999) THEN 'needle' ELSE 'hay' END::bytea
FROM generate_series(1, 60000) AS n;
SELECT is(sluice.last_of_step('rejected_payload', NULL, :many, 0, 200000, '-infinity', 'infinity'), 135001::bigint,
    'a step ends within an import');
SELECT is(sluice.last_of_step('rejected_payload', NULL, :many, 150000, 160000, '-infinity', 'infinity'), NULL,
    'but not where few are left');
UPDATE sluice.rejected_payload SET payload = repeat('a', 5000000)::bytea WHERE id = 150000;
SELECT is(sluice.last_of_step('rejected_payload', 'octet_length(s.payload)', :many, 0, 200000, '-infinity', 'infinity'),
    150000::bigint, 'a large payload ends a step, too');
SELECT is(pg_temp.found('{"text": "NEEDLE", "from": "2001-01-01T00:00:00Z"}', 10, budget, 'Many rejects'),
    '159999 130000 100007', 'all are found, for ' || budget) FROM unnest(ARRAY[interval '0', '1 hour']) AS budget;
SELECT is(a ->> 'rejects' = '[]' AND a ->> 'next' > '0' AND a ->> 'searched_until' = sluice.timestamp_text(now() - interval '1 hour'),
    true, 'without time to go on, an empty part says how far it came')
FROM (SELECT sluice.rejects_of(:many, '{"source": "rare"}', NULL, 10, false, '0') AS a) AS a;

SELECT * FROM finish();
ROLLBACK;
