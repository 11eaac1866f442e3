-- rejected_payload: what intake keeps there, who sees it, replaying and discarding.
BEGIN;
SELECT plan(120);
\ir helper.psql

DELETE FROM sluice.signal; -- other tests leave rows
SELECT sluice.organization_create('op', 'Rejects'), sluice.organization_create('op', 'Neighbour');
CREATE TEMPORARY TABLE keys AS
SELECT name, pg_temp.make_key(organization, name, endpoint_type => type) AS id
FROM (VALUES ('Rejects', 'plain', 'signal_staging'), ('Rejects', 'gone', 'signal_staging'),
    ('Rejects', 'orgs', 'product_orgs'), ('Neighbour', 'neighbour', 'signal_staging'))
    AS v (organization, name, type);
SELECT sluice.key_deactivate('op', id) FROM keys WHERE name = 'gone';

-- Senders without signals; a reject for each number of a sender.
CREATE FUNCTION pg_temp.reject(keys text[], requests integer[], positions bigint[] DEFAULT NULL,
    kinds text[] DEFAULT NULL, payloads bytea[] DEFAULT NULL, lengths bigint[] DEFAULT NULL,
    signals sluice.intake_signal[] DEFAULT NULL, in_envelopes integer[] DEFAULT NULL)
RETURNS sluice.intake_outcome[] LANGUAGE sql AS $$
    SELECT (sluice.intake(ARRAY(SELECT pg_temp.sender(k) FROM unnest(keys) AS k), signals, rejects =>
        ARRAY(SELECT ROW(requests[i], 'request-' || requests[i],
                CASE WHEN positions IS NULL THEN i - 1 ELSE positions[i] END,
                CASE WHEN lengths IS NULL THEN 1 ELSE lengths[i] END,
                CASE WHEN kinds IS NULL THEN 'item' ELSE kinds[i] END, 'not_an_object',
                'not an object at byte 1', 'crm',
                CASE WHEN payloads IS NULL THEN '\x37' ELSE payloads[i] END, in_envelopes[i], i)::sluice.intake_reject
            FROM generate_subscripts(requests, 1) AS i ORDER BY i),
        envelopes => '{"{\"n\": 1}","{\"n\": 2}"}')).outcomes
$$;

-- ---- the table ----
SELECT indexes_are('sluice', 'rejected_payload', ARRAY['rejected_payload_pkey']);
SELECT is(pg_get_constraintdef(k.oid), 'PRIMARY KEY (id, organization_id, received_at)', k.conname::text)
FROM pg_constraint AS k WHERE k.conrelid = 'sluice.rejected_payload'::regclass AND k.contype = 'p';
SELECT ok(relkind = 'p', 'it is partitioned') FROM pg_class
WHERE oid = 'sluice.rejected_payload'::regclass;

-- ---- what is kept ----
SELECT is(pg_temp.reject(ARRAY['plain', 'unknown', 'neighbour', 'gone', 'orgs', 'plain'],
    ARRAY[1, 1, 2, 3, 4, 5, 6]), '{accepted,unknown_key,accepted,deactivated,wrong_endpoint,accepted}'::sluice.intake_outcome[], 'outcomes');
SELECT results_eq($$ SELECT k.name, r.position, r.request_id, r.organization_id = a.organization_id
    FROM sluice.rejected_payload AS r JOIN keys AS k ON k.id = r.key_id
    JOIN sluice.api_key AS a ON a.id = r.key_id ORDER BY r.position $$,
    $$ VALUES ('plain', 0::bigint, 'request-1', true), ('plain', 1, 'request-1', true),
        ('neighbour', 3, 'request-3', true), ('plain', 6, 'request-6', true) $$,
    'those of accepted requests, with their own key and organization');
DELETE FROM sluice.rejected_payload;

SELECT pg_temp.reject(ARRAY['plain'], ARRAY[1, 1, 1, 1], ARRAY[NULL, 3, 0, NULL],
    ARRAY['single', 'item', 'lines', 'batch'], ARRAY['\x00ff', '\x', '\x7b', '\x7b7b']::bytea[],
    ARRAY[2, 0, 2, NULL]);
SELECT results_eq($$ SELECT position, kind, payload, payload_bytes, truncated, code, detail, source,
        received_at, replayed_at, replayed_by, replayed_ids
    FROM sluice.rejected_payload ORDER BY id $$,
    $$ SELECT v.*, 'not_an_object', 'not an object at byte 1', 'crm', now(), NULL::timestamptz,
        NULL::text, NULL::bigint[]
    FROM (VALUES (NULL::bigint, 'single', '\x00ff'::bytea, 2::bigint, false),
        (3, 'item', '\x', 0, false), (0, 'lines', '\x7b', 2, true),
        (NULL, 'batch', '\x7b7b', NULL, true)) AS v $$, 'every column');
SELECT is_empty('SELECT FROM sluice.signal UNION ALL SELECT FROM sluice.signal_cold_storage',
    'no signal is made of it');
SELECT is(tableoid::regclass::text,
    to_char(now() AT TIME ZONE 'UTC', '"sluice.rejected_payload_p"YYYY_MM_DD'),
    'it is in the partition of its UTC day') FROM sluice.rejected_payload LIMIT 1;
DELETE FROM sluice.rejected_payload;

SELECT pg_temp.reject(ARRAY['plain'], ARRAY[1, 1], in_envelopes => ARRAY[2, NULL]);
SELECT results_eq('SELECT envelope::text FROM sluice.rejected_overview ORDER BY id',
    $$ VALUES ('{"n": 2}'), (NULL) $$, 'each has its own envelope');
DELETE FROM sluice.rejected_payload;

-- ---- together with signals ----
CREATE TEMPORARY TABLE together AS SELECT pg_temp.reject(ARRAY['unknown', 'plain'], ARRAY[2, 1],
    payloads => ARRAY['\x31', '\x32']::bytea[], signals => ARRAY[
        pg_temp.signal('{"sender": 2, "payload": "{\"n\": 1}"}'),
        pg_temp.signal('{"sender": 1, "payload": "{\"n\": 2}"}')]) AS outcomes;
SELECT is(outcomes, '{unknown_key,accepted}'::sluice.intake_outcome[], 'one of two is accepted') FROM together;
SELECT is((SELECT array_agg(payload) FROM sluice.signal_staging), ARRAY['{"n": 1}']::jsonb[],
    'its signal is staged');
SELECT is((SELECT array_agg(payload) FROM sluice.rejected_payload), ARRAY['\x31'::bytea],
    'and its reject is kept');
SELECT is((SELECT array_agg(request_id) FROM sluice.rejected_payload), '{request-2}',
    'with its request');
DELETE FROM sluice.signal;
DELETE FROM sluice.rejected_payload;

-- ---- what must fail ----
SELECT throws_ok(format($$ SELECT pg_temp.reject(ARRAY['plain'], '{1}', %s) $$, rest), state, NULL, rest)
FROM (VALUES ('positions => ''{-1}''', '23514'), ('kinds => ''{other}''', '23514'),
    ('kinds => ''{NULL}''', '23502'), ('payloads => ''{NULL}''', '23502')) AS v (rest, state);
SELECT is_empty('SELECT FROM sluice.rejected_payload', 'nothing of it is kept');

-- ---- looking ----
SELECT pg_temp.reject(ARRAY['plain', 'neighbour'], ARRAY[1, 2, 1], ARRAY[0, 1, NULL]);
UPDATE sluice.rejected_payload SET received_at = now() - '1 day'::interval WHERE position = 1;
SELECT results_eq(format($$ SELECT organization, "position" FROM sluice.rejected_list(%s) $$, arguments),
    format('SELECT * FROM (VALUES %s) AS v (a, b)', expected), arguments)
FROM (VALUES
    ('NULL, NULL', $$('Neighbour', 1::bigint), ('Rejects', 0), ('Rejects', NULL)$$),
    ('''Neighbour'', NULL', $$('Neighbour', 1::bigint)$$),
    ('NULL, now()', $$('Rejects', 0::bigint), ('Rejects', NULL)$$),
    ('''Rejects'', now() - ''2 days''::interval', $$('Rejects', 0::bigint), ('Rejects', NULL)$$),
    ('NULL, NULL, (SELECT id FROM sluice.api_key WHERE name = ''neighbour'')', $$('Neighbour', 1::bigint)$$),
    ('NULL, NULL, NULL, NULL, ''open''', $$('Neighbour', 1::bigint), ('Rejects', 0), ('Rejects', NULL)$$))
    AS v (arguments, expected);
SELECT is_empty($$ SELECT * FROM sluice.rejected_list(NULL, now() + '1 us'::interval) $$, 'none later');
SELECT is_empty($$ SELECT * FROM sluice.rejected_list(NULL, NULL, code => 'other') $$,
    'none of another code');
SELECT is_empty($$ SELECT * FROM sluice.rejected_list(NULL, NULL, state => 'replayed') $$, 'none replayed');
SELECT throws_ok($$ SELECT * FROM sluice.rejected_list('Nobody', NULL) $$, 'P0002',
    'organization "Nobody" does not exist');
CREATE TEMPORARY TABLE it AS SELECT r.* FROM sluice.rejected_payload AS r WHERE r.position = 0;
SELECT results_eq('SELECT (sluice.rejected_show(id)).* FROM it',
    'SELECT v.* FROM sluice.rejected_overview AS v, it WHERE v.id = it.id', 'one as the view shows it');
SELECT is(v.key_display, U&'sk_aaaa\2026zzzz', 'with what may be shown of the key')
FROM it, sluice.rejected_overview AS v WHERE v.id = it.id;
SELECT is(sluice.rejected_bytes(id), '\x37'::bytea, 'its bytes') FROM it;
SELECT is(v.bad_byte, 1::bigint, 'where it is bad') FROM sluice.rejected_overview AS v, it WHERE v.id = it.id;
SELECT is(sluice.rejected_reason(id)::jsonb, '{"why": "The item is not a JSON object",
    "place": {"line": 1, "column": 2, "before": "7", "bad": "", "after": ""}}', 'the same for people') FROM it;
SELECT is(sluice.reject_why('lines', code), why, 'why: ' || code) FROM (VALUES
    ('malformed_json', 'The body is not valid JSON'), ('not_a_batch', 'The body has no array of items'), ('of_tomorrow', 'The body was refused: of_tomorrow'))
    AS v (code, why);
SELECT is(sluice.place_in(bytes, at)::jsonb, place::jsonb, note) FROM (VALUES
    ('{"a":}'::bytea, 5, '{"line":1,"column":6,"before":"{\"a\":","bad":"}","after":""}', 'one line'),
    (convert_to(E'{\n "ä": ö,\n}', 'UTF8'), 9,
        '{"line":2,"column":7,"before":" \"ä\": ","bad":"ö","after":","}', 'characters are counted'),
    ('\x7bff0a7d', 1, '{"line":1,"column":2,"before":"{","bad":"\\377","after":""}', 'no text'),
    ('\xe4e42e', 2, '{"line":1,"column":3,"before":"\\344\\344","bad":".","after":""}', 'bytes are counted'),
    ('\x7b0a007d', 2, '{"line":2,"column":1,"before":"","bad":"\\000","after":"}"}', 'a NUL'),
    ('\x5c78', 1, '{"line":1,"column":2,"before":"\\","bad":"x","after":""}', 'a backslash'),
    ('[', 1, '{"line":1,"column":2,"before":"[","bad":"","after":""}', 'at the end'),
    (convert_to(repeat('ä', 50) || '!' || repeat('ä', 50), 'UTF8'), 100, format(
        '{"line":1,"column":51,"before":"%1$s","bad":"!","after":"%1$s"}', repeat('ä', 30)),
        'a part of a long line'),
    (convert_to(repeat('€', 50) || 'x' || '!' || repeat('€', 19) || 'ab€', 'UTF8'), 151, format(
        '{"line":1,"column":52,"before":"%sx","bad":"!","after":"%sab"}', repeat('€', 19),
        repeat('€', 19)), 'that begins and ends with whole characters'))
    AS v (bytes, at, place, note);
SELECT is(sluice.place_in('[', at)::jsonb, NULL, 'no place') FROM unnest('{2,NULL}'::bigint[]) AS at;
SELECT throws_ok(format('SELECT sluice.%s(-1)', function), 'P0002',
    'rejected payload -1 does not exist', function || ' of none')
FROM unnest(ARRAY['rejected_show', 'rejected_bytes', 'rejected_reason']) AS function;

-- ---- replaying ----
UPDATE sluice.rejected_payload SET received_at = now() - '1 hour'::interval WHERE position = 0;
CREATE FUNCTION pg_temp.replay(id bigint, again boolean DEFAULT false, n integer DEFAULT 2,
    actor text DEFAULT 'dba') RETURNS bigint[] LANGUAGE sql AS $$
    SELECT sluice.rejected_replay(actor, id, again, (ARRAY[
        pg_temp.signal('{"source": "crm", "occurred_at": "2020-01-01 00:00+00", "cold": false,
            "payload": "{\"n\": 1}"}'),
        pg_temp.signal('{"source": "web", "cold": true, "payload": "{\"n\": 2}",
            "payload_raw": "\\x7b7d"}')])[:n], NULL)
$$;
SELECT throws_ok('SELECT pg_temp.replay(-1)', 'P0002', 'rejected payload -1 does not exist');
SELECT throws_ok('SELECT pg_temp.replay(id, n => 0) FROM it', '22023', 'there is no signal to store');
SELECT throws_ok($$ SELECT pg_temp.replay(id, actor => '') FROM it $$, '22023', 'actor is missing');
SELECT sluice.key_deactivate('op', id) FROM keys WHERE name = 'plain';
CREATE TEMPORARY TABLE replayed AS SELECT pg_temp.replay(id) AS ids FROM it;
SELECT is(cardinality(ids), 2, 'two signals of one entry, though the key is deactivated') FROM replayed;
SELECT results_eq($$ SELECT s.id, s.organization_id = it.organization_id, s.key_id = it.key_id,
        s.received_at, s.occurred_at, s.source, s.payload, s.request_id, s.payload_repaired
    FROM sluice.signal_staging AS s, it $$,
    $$ SELECT ids[1], true, true, now(), '2020-01-01 00:00+00'::timestamptz, 'crm',
        '{"n": 1}'::jsonb, 'request-1', false FROM replayed $$, 'the one is staged');
SELECT results_eq($$ SELECT s.id, s.key_id = it.key_id, s.occurred_at, s.source, s.payload_raw
    FROM sluice.signal_cold_storage AS s, it $$,
    $$ SELECT ids[2], true, now() - '1 hour'::interval, 'web', '\x7b7d'::bytea
    FROM replayed $$, 'the other is cold, and occurred when it was received');
SELECT ok(r.replayed_at >= now() AND r.replayed_by = 'dba' AND r.replayed_ids = ids, 'it is marked')
FROM sluice.rejected_payload AS r, it, replayed WHERE r.id = it.id;
SELECT is(count(*), 1::bigint, 'and nothing else is') FROM sluice.rejected_payload
WHERE replayed_at IS NOT NULL;
SELECT throws_ok('SELECT pg_temp.replay(id) FROM it', 'SL004', format(
    'rejected payload %s was replayed already, by dba', id)) FROM it;
SELECT throws_ok('SELECT pg_temp.replay(id, NULL) FROM it', 'SL004', NULL, 'nor with again null');
SELECT is(cardinality(pg_temp.replay(id, true, 1, 'other')), 1, 'again, when asked for') FROM it;
SELECT is(r.replayed_by || cardinality(r.replayed_ids), 'other3', 'all ids are remembered')
FROM sluice.rejected_payload AS r, it WHERE r.id = it.id;
SELECT results_eq($$ SELECT a.actor, a.object_id, a.organization_id, a.details
    FROM sluice.audit_log AS a WHERE a.action = 'rejected_replay' ORDER BY a.id $$,
    $$ SELECT v.actor, it.id::text, it.organization_id, v.details::jsonb
    FROM it, (VALUES ('dba', '{"again": false, "edited": false, "signals": 2, "duplicates": 0}'),
        ('other', '{"again": true, "edited": false, "signals": 1, "duplicates": 0}')) AS v (actor, details) $$,
    'each replay is in the audit log');
SELECT throws_ok($$ UPDATE sluice.rejected_payload SET replayed_at = now(), replayed_by = NULL $$,
    '23514', NULL, 'when, by whom and as what belong together');


-- ---- discarding ----
CREATE TEMPORARY TABLE other AS SELECT r.id, r.organization_id FROM sluice.rejected_payload AS r
WHERE r.position = 1;
SELECT throws_ok($$ SELECT sluice.rejected_discard('dba', -1) $$, 'P0002',
    'rejected payload -1 does not exist');
SELECT throws_ok($$ SELECT sluice.rejected_discard('', id) FROM other $$, '22023', 'actor is missing');
SELECT throws_ok($$ SELECT sluice.rejected_discard('dba', id) FROM it $$, 'SL004', format(
    'rejected payload %s was replayed already, by other', id)) FROM it;
SELECT lives_ok($$ SELECT sluice.rejected_discard('dba', id) FROM other $$, 'one that is open');
SELECT throws_ok($$ SELECT sluice.rejected_discard('dba', id) FROM other $$, 'SL004', format(
    'rejected payload %s was discarded already, by dba', id)) FROM other;
SELECT results_eq($$ SELECT id, state, discarded_by, discarded_at >= now(), kept_bytes
    FROM sluice.rejected_list(NULL, NULL, state => 'discarded') $$,
    $$ SELECT id, 'discarded', 'dba', true, 1::bigint FROM other $$, 'it is marked, and its bytes stay');
SELECT results_eq('SELECT "position" FROM sluice.rejected_list(NULL, NULL, state => ''open'')',
    'VALUES (NULL::bigint)', 'neither it nor the replayed one is open');
SELECT is(sum(open), 1::numeric, 'nor counted as such') FROM sluice.rejects_by_reason;
SELECT throws_ok('SELECT pg_temp.replay(id) FROM other', 'SL004', format(
    'rejected payload %s was discarded, by dba', id)) FROM other;
SELECT is(cardinality(pg_temp.replay(id, true, 1)), 1, 'it is replayed when asked for') FROM other;
SELECT is(v.state, 'replayed', 'and then no longer discarded')
FROM sluice.rejected_overview AS v, other WHERE v.id = other.id;
SELECT results_eq($$ SELECT a.actor, a.object_id, a.organization_id, a.details
    FROM sluice.audit_log AS a WHERE a.action = 'rejected_discard' $$,
    $$ SELECT 'dba', id::text, organization_id, '{"code": "not_an_object"}'::jsonb FROM other $$,
    'it is in the audit log once');

-- ---- what is edited ----
SELECT pg_temp.reject(ARRAY['neighbour'], ARRAY[1, 1, 1], ARRAY[10, 11, 12]);
CREATE TEMPORARY TABLE theirs AS SELECT r.id, r.organization_id, r.key_id, r.position
FROM sluice.rejected_payload AS r WHERE r.position >= 10;
CREATE TEMPORARY TABLE edited AS SELECT sluice.rejected_replay('olga', id, false, ARRAY[
    pg_temp.signal('{"payload": "{}", "cold": false}'),
    pg_temp.signal('{"payload": "{}", "cold": false, "warnings": [{"field": "time"}]}')], NULL,
    edited => true) AS ids FROM theirs WHERE position = 10;
SELECT results_eq('SELECT warnings FROM sluice.signal_staging AS s, edited AS e WHERE s.id = ANY (e.ids) ORDER BY s.id',
    $$ VALUES ('[{"field": "payload", "reason": "was edited by olga before it was replayed"}]'::jsonb),
        ('[{"field": "time"}, {"field": "payload", "reason": "was edited by olga before it was replayed"}]') $$,
    'what is stored of edited bytes says so');
SELECT is(details->'edited', 'true', 'the audit log as well') FROM sluice.audit_log ORDER BY id DESC LIMIT 1;
SELECT is(r.payload, '\x37'::bytea, 'the bytes that are kept stay as they are')
FROM sluice.rejected_payload AS r, theirs AS t WHERE r.id = t.id AND t.position = 10;

-- ---- the limit, and a key that is gone ----
SELECT sluice.organization_limit('op', 'Neighbour', 1, false);
SELECT throws_ok('SELECT pg_temp.replay(id) FROM theirs WHERE position = 11', 'SL006',
    'the organization has used up its signals of the month');
SELECT sluice.organization_limit('op', 'Neighbour', 1, true);
SELECT lives_ok('SELECT pg_temp.replay(id) FROM theirs WHERE position = 11', 'with overages');
UPDATE sluice.rejected_payload SET key_id = -1 WHERE position = 12;
SELECT throws_ok('SELECT pg_temp.replay(id) FROM theirs WHERE position = 12', 'P0002',
    'key -1 does not exist');
UPDATE sluice.rejected_payload AS r SET key_id = t.key_id FROM theirs AS t WHERE t.id = r.id;

-- ---- for the settings service ----
SELECT sluice.member_add('op', 'Neighbour', 'edith', 'editor'), sluice.member_add('op', 'Neighbour', 'vera', 'viewer'),
    sluice.member_add('op', 'Rejects', 'adam', 'admin');
CREATE TEMPORARY TABLE last AS SELECT * FROM theirs WHERE position = 12;
SELECT throws_ok(format('SELECT sluice.%s(''%s'', NULL, %s%s)', f, who, id, rest), state, NULL,
    f || ': ' || who)
FROM last, (VALUES ('settings_reject', ''), ('settings_rejected_show', ''), ('settings_rejected_bytes', ''),
    ('settings_rejected_replay', ', false, NULL, NULL, NULL, false'), ('settings_rejected_discard', ''))
    AS c (f, rest), (VALUES ('vera', 'SL002'), ('adam', 'P0002'), ('nobody', 'SL001')) AS u (who, state);
SELECT is((sluice.settings_reject('edith', NULL, id)->>'id')::bigint, id, 'one as JSON') FROM last;
SELECT is(sluice.settings_reject('edith', NULL, id)->>'state', 'open', 'with its state') FROM last;
SELECT is(sluice.settings_rejected_bytes('edith', NULL, id), '\x37'::bytea, 'its bytes') FROM last;
SELECT is((sluice.settings_rejected_show('edith', NULL, id)).id, id, 'one as a row') FROM last;
SELECT is(sluice.settings_rejected_place('edith', NULL, '{', 1)->>'column', '2', 'a place') FROM last;
SELECT is(k->>'why' || '|' || (k->>'key_status') || '|' || (k->>'open'), 'The item is not a JSON object|active|1',
    'the kinds of open ones')
FROM json_array_elements(sluice.settings_reject_kinds('vera', NULL)->'kinds') AS k LIMIT 1;
INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, payload_bytes, kind, code, detail,
    request_id, payload)
SELECT r.organization_id, r.received_at, r.key_id, 1, 'item', c.code, 'd', 'r', '1'
FROM last AS l JOIN sluice.rejected_payload AS r ON r.id = l.id,
    (VALUES ('few', 2), ('rare', 1), ('many', 5), ('some', 3)) AS c (code, n), generate_series(1, c.n);
CREATE TEMPORARY TABLE part AS SELECT sluice.settings_reject_kinds('vera', NULL, NULL, 2) AS its;
CREATE FUNCTION pg_temp.kinds(its json) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(concat_ws(' ', k->>'code', k->>'open'), ', ') FROM json_array_elements(its->'kinds') AS k
$$;
SELECT is(pg_temp.kinds(its), 'many 5, some 3', 'the most frequent kinds first') FROM part;
INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, payload_bytes, kind, code, detail,
    request_id, payload)
SELECT r.organization_id, r.received_at, r.key_id, 1, 'item', c.code, 'd', 'r', '1'
FROM last AS l JOIN sluice.rejected_payload AS r ON r.id = l.id, (VALUES ('few'), ('new')) AS c (code),
    generate_series(1, 9);
UPDATE part SET its = sluice.settings_reject_kinds('vera', NULL, its->>'next', 2);
SELECT is(pg_temp.kinds(its), 'few 2, rare 1', 'the next behind them, whatever came meanwhile') FROM part;
SELECT is(pg_temp.kinds(sluice.settings_reject_kinds('vera', NULL, its->>'next', 2)), 'not_an_object 1',
    'up to the last') FROM part;
SELECT is(sluice.settings_reject_kinds('vera', NULL, its->>'next', 2)->>'next', NULL, 'which tells no next') FROM part;
SELECT is(pg_temp.kinds(sluice.settings_reject_kinds('vera', NULL, NULL, 1)), 'few 11', 'from the beginning all count');
SELECT is(pg_temp.kinds(sluice.reject_kinds('Neighbour', NULL, NULL)),
    'few 11, new 9, many 5, some 3, rare 1, not_an_object 1', 'all, for the tool');
SELECT throws_ok('SELECT sluice.reject_kinds(''Nobody'', NULL, NULL)', 'P0002', NULL, 'of an unknown organization');
SELECT throws_ok(format('SELECT sluice.settings_reject_kinds(''vera'', NULL, %L)', before), '22023', NULL,
    'no next: ' || before) FROM (VALUES (''), ('1-2'), ('1-2-x'), ('1-2-3-4')) AS v (before);
DELETE FROM sluice.rejected_payload WHERE request_id = 'r' AND code IN ('few', 'rare', 'many', 'some', 'new');
SELECT results_eq($$ SELECT v.id FROM last AS l, sluice.settings_rejected_kind('edith', NULL, 'not_an_object',
        l.key_id, l.id - 1, l.id, 10) AS v $$, 'SELECT id FROM last', 'those of a kind within their ids');
SELECT is(json_array_length(sluice.settings_rejects('vera', NULL, '{"state": "replayed"}', NULL, 10)->'rejects'), 3, 'by state');
SELECT is(json_array_length(sluice.settings_rejects('vera', NULL, '{"code": "c"}', NULL, 10)->'rejects'), 0, 'by code');
SELECT is(json_array_length(sluice.settings_rejects('vera', NULL, '{"key": "0"}', NULL, 10)->'rejects'), 0, 'by key');
SELECT lives_ok(format($$ SELECT sluice.settings_rejected_discard('edith', NULL, %s) $$, id), 'discarded') FROM last;
SELECT is(sluice.settings_reject('edith', NULL, id)->>'discarded_by', 'edith', 'by whom') FROM last;

SELECT * FROM finish();
ROLLBACK;
