-- rejected_payload: what intake keeps there, who sees it, and replaying.
BEGIN;
SELECT plan(56);
\ir helper.psql

DELETE FROM sluice.signal_staging; -- other tests leave rows
SELECT sluice.organization_create('op', 'Rejects'), sluice.organization_create('op', 'Neighbour');
CREATE TEMPORARY TABLE keys AS
SELECT name, pg_temp.make_key(organization, name, endpoint_type => type) AS id
FROM (VALUES ('Rejects', 'plain', 'signal_staging'), ('Rejects', 'gone', 'signal_staging'),
    ('Rejects', 'orgs', 'product_orgs'), ('Neighbour', 'neighbour', 'signal_staging'))
    AS v (organization, name, type);
SELECT sluice.key_deactivate('op', id) FROM keys WHERE name = 'gone';

-- Requests without items; a reject for each number of a request.
CREATE FUNCTION pg_temp.reject(keys text[], requests integer[], positions bigint[] DEFAULT NULL,
    kinds text[] DEFAULT NULL, payloads bytea[] DEFAULT NULL, lengths bigint[] DEFAULT NULL)
RETURNS smallint[] LANGUAGE sql AS $$
    SELECT outcomes FROM sluice.intake(
        ARRAY(SELECT pg_temp.hash(k) FROM unnest(keys) WITH ORDINALITY AS u (k, i) ORDER BY i),
        array_fill(NULL::bytea, ARRAY[cardinality(keys)]),
        ARRAY(SELECT 'request-' || i FROM generate_series(1, cardinality(keys)) AS i),
        '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', requests,
        coalesce(positions, ARRAY(SELECT i::bigint - 1 FROM generate_series(1,
            cardinality(requests)) AS i)),
        array_fill('not_an_object'::text, ARRAY[cardinality(requests)]),
        array_fill('not an object at byte 1'::text, ARRAY[cardinality(requests)]),
        coalesce(kinds, array_fill('item'::text, ARRAY[cardinality(requests)])),
        array_fill('crm'::text, ARRAY[cardinality(requests)]),
        coalesce(payloads, array_fill('\x37'::bytea, ARRAY[cardinality(requests)])),
        coalesce(lengths, array_fill(1::bigint, ARRAY[cardinality(requests)])), NULL, NULL, NULL, false)
$$;

-- ---- the table ----
SELECT indexes_are('sluice', 'rejected_payload', ARRAY['rejected_payload_pkey']);
SELECT is(pg_get_constraintdef(k.oid), 'PRIMARY KEY (organization_id, id, received_at)', k.conname::text)
FROM pg_constraint AS k WHERE k.conrelid = 'sluice.rejected_payload'::regclass AND k.contype = 'p';
SELECT ok(relkind = 'p', 'it is partitioned') FROM pg_class
WHERE oid = 'sluice.rejected_payload'::regclass;

-- ---- what is kept ----
SELECT is(pg_temp.reject(ARRAY['plain', 'unknown', 'neighbour', 'gone', 'orgs', 'plain'],
    ARRAY[1, 1, 2, 3, 4, 5, 6]), '{0,1,0,2,6,0}'::smallint[], 'outcomes');
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
SELECT is_empty('SELECT FROM sluice.signal_staging UNION ALL SELECT FROM sluice.signal_cold_storage',
    'no signal is made of it');
SELECT is(tableoid::regclass::text,
    to_char(now() AT TIME ZONE 'UTC', '"sluice.rejected_payload_p"YYYY_MM_DD'),
    'it is in the partition of its UTC day') FROM sluice.rejected_payload LIMIT 1;
DELETE FROM sluice.rejected_payload;

-- ---- together with signals ----
CREATE TEMPORARY TABLE together AS SELECT * FROM sluice.intake(
    ARRAY[pg_temp.hash('unknown'), pg_temp.hash('plain')], '{NULL,NULL}', '{r1,r2}',
    '{2,1}', '{s,s}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}', '{NULL,NULL}',
    '{NULL,NULL}', '{NULL,NULL}', '{f,f}', ARRAY['{"n": 1}', '{"n": 2}'], '{NULL,NULL}',
    '{2,1}', '{1,1}', '{c,c}', '{d,d}', '{item,item}', '{NULL,NULL}', '{"\\x31","\\x32"}', '{1,1}',
    NULL, NULL, NULL, false);
SELECT is(outcomes, '{1,0}'::smallint[], 'one of two is accepted') FROM together;
SELECT is((SELECT array_agg(payload) FROM sluice.signal_staging), ARRAY['{"n": 1}']::jsonb[],
    'its signal is staged');
SELECT is((SELECT array_agg(payload) FROM sluice.rejected_payload), ARRAY['\x31'::bytea],
    'and its reject is kept');
SELECT is((SELECT array_agg(request_id || coalesce(source, ' -')) FROM sluice.rejected_payload),
    '{"r2 -"}', 'with its request');
DELETE FROM sluice.signal_staging;
DELETE FROM sluice.rejected_payload;

-- ---- what must fail ----
SELECT throws_ok(format($$ SELECT pg_temp.reject(ARRAY['plain'], %L) $$, requests), 'XX000',
    'arrays of intake do not fit together', 'rejects of request ' || requests)
FROM unnest(ARRAY['{1,0}', '{1,2}', '{-1}', '{NULL}']) AS requests;
SELECT throws_ok(format($$ SELECT pg_temp.reject(ARRAY['plain'], '{1}', %s) $$, rest), 'XX000',
    'arrays of intake do not fit together', 'not as long: ' || rest)
FROM unnest(ARRAY['positions => ''{1,2}''', 'kinds => ''{}''', 'payloads => ''{NULL,NULL}''',
    'lengths => ''{}''']) AS rest;
SELECT throws_ok($$ SELECT pg_temp.reject(ARRAY['plain'], '{}', payloads => '{NULL}') $$, 'XX000',
    'arrays of intake do not fit together', 'bytes of no request');
SELECT throws_ok(format($$ SELECT pg_temp.reject(ARRAY['plain'], '{1}', %s) $$, rest), state, NULL, rest)
FROM (VALUES ('positions => ''{-1}''', '23514'), ('kinds => ''{other}''', '23514'),
    ('kinds => ''{NULL}''', '23502'), ('payloads => ''{NULL}''', '23502')) AS v (rest, state);
SELECT is_empty('SELECT FROM sluice.rejected_payload', 'nothing of it is kept');

-- ---- the function that workers of the version before call ----
CREATE TEMPORARY TABLE older AS SELECT * FROM sluice.intake_signals(
    ARRAY[pg_temp.hash('plain'), pg_temp.hash('gone')], '{NULL,NULL}', '{r1,r2}', '{1,2,1}',
    '{a,b,c}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}',
    '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{NULL,NULL,NULL}', '{f,f,t}',
    ARRAY['{}', '{}', '{}']::jsonb[], '{NULL,NULL,NULL}', NULL, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL);
SELECT is(outcomes, '{0,1}'::smallint[], 'it has the same outcomes') FROM older;
SELECT is(ids[2], NULL, 'and ids') FROM older;
SELECT is((SELECT id FROM sluice.signal_staging), ids[1], 'it stages') FROM older;
SELECT is((SELECT id FROM sluice.signal_cold_storage), ids[3], 'and stores cold') FROM older;
DELETE FROM sluice.signal_staging;
DELETE FROM sluice.signal_cold_storage;

-- ---- looking ----
SELECT pg_temp.reject(ARRAY['plain', 'neighbour'], ARRAY[1, 2, 1], ARRAY[0, 1, NULL]);
UPDATE sluice.rejected_payload SET received_at = now() - '1 day'::interval WHERE position = 1;
SELECT results_eq(format($$ SELECT organization, "position" FROM sluice.rejected_list(%s) $$, arguments),
    format('SELECT * FROM (VALUES %s) AS v (a, b)', expected), arguments)
FROM (VALUES
    ('NULL, NULL', $$('Neighbour', 1::bigint), ('Rejects', 0), ('Rejects', NULL)$$),
    ('''Neighbour'', NULL', $$('Neighbour', 1::bigint)$$),
    ('NULL, now()', $$('Rejects', 0::bigint), ('Rejects', NULL)$$),
    ('''Rejects'', now() - ''2 days''::interval', $$('Rejects', 0::bigint), ('Rejects', NULL)$$))
    AS v (arguments, expected);
SELECT is_empty($$ SELECT * FROM sluice.rejected_list(NULL, now() + '1 us'::interval) $$, 'none later');
SELECT throws_ok($$ SELECT * FROM sluice.rejected_list('Nobody', NULL) $$, 'P0002',
    'organization "Nobody" does not exist');
CREATE TEMPORARY TABLE it AS SELECT r.* FROM sluice.rejected_payload AS r WHERE r.position = 0;
SELECT results_eq('SELECT (sluice.rejected_show(id)).* FROM it',
    'SELECT v.* FROM sluice.rejected_overview AS v, it WHERE v.id = it.id', 'one as the view shows it');
SELECT is(v.key_display, U&'sk_aaaa\2026zzzz', 'with what may be shown of the key')
FROM it, sluice.rejected_overview AS v WHERE v.id = it.id;
SELECT is(sluice.rejected_bytes(id), '\x37'::bytea, 'its bytes') FROM it;
SELECT throws_ok(format('SELECT sluice.%s(-1)', function), 'P0002',
    'rejected payload -1 does not exist', function || ' of none')
FROM unnest(ARRAY['rejected_show', 'rejected_bytes']) AS function;

-- ---- replaying ----
UPDATE sluice.rejected_payload SET received_at = now() - '1 hour'::interval WHERE position = 0;
CREATE FUNCTION pg_temp.replay(id bigint, again boolean DEFAULT false, n integer DEFAULT 2,
    actor text DEFAULT 'dba') RETURNS bigint[] LANGUAGE sql AS $$
    SELECT sluice.rejected_replay(actor, id, again, (ARRAY['crm', 'web'])[:n],
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::text, ARRAY[n]),
        array_fill(NULL::text, ARRAY[n]), array_fill(NULL::text, ARRAY[n]),
        (ARRAY['2020-01-01 00:00+00', NULL]::timestamptz[])[:n], (ARRAY[false, true])[:n],
        (ARRAY['{"n": 1}', '{"n": 2}'])[:n], (ARRAY[NULL, '\x7b7d']::bytea[])[:n])
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
SELECT results_eq($$ SELECT s.id, s.key_id = it.key_id, s.occurred_at, s.source, s.payload_repaired,
        s.payload_raw
    FROM sluice.signal_cold_storage AS s, it $$,
    $$ SELECT ids[2], true, now() - '1 hour'::interval, 'web', true, '\x7b7d'::bytea
    FROM replayed $$, 'the other is cold, and occurred when it was received');
SELECT ok(r.replayed_at >= now() AND r.replayed_by = 'dba' AND r.replayed_ids = ids, 'it is marked')
FROM sluice.rejected_payload AS r, it, replayed WHERE r.id = it.id;
SELECT is(count(*), 1::bigint, 'and nothing else is') FROM sluice.rejected_payload
WHERE replayed_at IS NOT NULL;
SELECT throws_ok('SELECT pg_temp.replay(id) FROM it', 'P0001', format(
    'rejected payload %s was replayed already, by dba', id)) FROM it;
SELECT throws_ok('SELECT pg_temp.replay(id, NULL) FROM it', 'P0001', NULL, 'nor with again null');
SELECT is(cardinality(pg_temp.replay(id, true, 1, 'other')), 1, 'again, when asked for') FROM it;
SELECT is(r.replayed_by || cardinality(r.replayed_ids), 'other3', 'all ids are remembered')
FROM sluice.rejected_payload AS r, it WHERE r.id = it.id;
SELECT results_eq($$ SELECT a.actor, a.object_id, a.organization_id, a.details
    FROM sluice.audit_log AS a WHERE a.action = 'rejected_replay' ORDER BY a.id $$,
    $$ SELECT v.actor, it.id::text, it.organization_id, v.details::jsonb
    FROM it, (VALUES ('dba', '{"again": false, "signals": 2, "duplicates": 0}'),
        ('other', '{"again": true, "signals": 1, "duplicates": 0}')) AS v (actor, details) $$,
    'each replay is in the audit log');
SELECT throws_ok($$ SELECT sluice.rejected_replay('dba', it.id, true, '{s}', '{NULL}', '{NULL}',
    '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{NULL}', '{f}', '{"{}","{}"}', '{NULL,NULL}') FROM it $$,
    'XX000', 'arrays of items do not fit together');
SELECT throws_ok($$ UPDATE sluice.rejected_payload SET replayed_at = now(), replayed_by = NULL $$,
    '23514', NULL, 'when, by whom and as what belong together');

SELECT * FROM finish();
ROLLBACK;
