-- intake: who gets in, what is stored where, and that ids stand where their items stand.
BEGIN;
SELECT plan(89);
\ir helper.psql

SELECT sluice.organization_create('op', 'Intake'), sluice.organization_create('op', 'Neighbour');
CREATE TEMPORARY TABLE keys AS
SELECT 'plain' AS name, pg_temp.make_key('Intake', 'plain') AS id
UNION ALL SELECT 'secret', pg_temp.make_key('Intake', 'secret', secret => 'whs')
UNION ALL SELECT 'gone', pg_temp.make_key('Intake', 'gone')
UNION ALL SELECT 'expired', pg_temp.make_key('Intake', 'expired',
    expires_at => now() - '1 us'::interval)
UNION ALL SELECT 'expires now', pg_temp.make_key('Intake', 'expires now', expires_at => now())
UNION ALL SELECT 'expires next', pg_temp.make_key('Intake', 'expires next',
    expires_at => now() + '1 us'::interval)
UNION ALL SELECT 'orgs', pg_temp.make_key('Intake', 'orgs', endpoint_type => 'product_orgs')
UNION ALL SELECT 'orgs gone', pg_temp.make_key('Intake', 'orgs gone', endpoint_type => 'product_orgs')
UNION ALL SELECT 'orgs secret', pg_temp.make_key('Intake', 'orgs secret', 'whs', NULL,
    'product_orgs')
UNION ALL SELECT 'neighbour', pg_temp.make_key('Neighbour', 'neighbour');
SELECT count(sluice.key_deactivate('op', id)) FROM keys WHERE name IN ('gone', 'orgs gone');

CREATE FUNCTION pg_temp.stored() RETURNS TABLE (id bigint, key text, request_id text, n integer)
LANGUAGE sql AS $$
    SELECT s.id, k.name, s.request_id, (s.payload ->> 'n')::integer
    FROM sluice.signal_staging AS s JOIN keys AS k ON k.id = s.key_id
$$;

-- ---- outcomes, one request each ----
SELECT is((pg_temp.intake(ARRAY[k], ARRAY[1], ARRAY[secret])).outcomes, ARRAY[outcome]::sluice.intake_outcome[], what)
FROM (VALUES
    ('plain', NULL, 'accepted', 'a good key'),
    ('plain', 'any', 'accepted', 'a secret nobody asked for is ignored'),
    ('plain', '', 'accepted', 'also an empty one'),
    ('secret', 'whs', 'accepted', 'a key with its secret'),
    ('secret', NULL, 'secret_missing', 'without it'),
    ('secret', '', 'secret_wrong', 'with an empty one'),
    ('secret', 'whs2', 'secret_wrong', 'with a wrong one'),
    ('secret', 'secret', 'secret_wrong', 'with the key as secret'),
    ('unknown', NULL, 'unknown_key', 'an unknown key'),
    ('', NULL, 'unknown_key', 'an empty key'),
    (NULL, NULL, 'unknown_key', 'no key at all'),
    ('gone', NULL, 'deactivated', 'a deactivated key'),
    ('expired', NULL, 'expired', 'an expired key'),
    ('expires now', NULL, 'expired', 'a key at the very instant of its expiration'),
    ('expires next', NULL, 'accepted', 'a microsecond before'),
    ('orgs', NULL, 'wrong_endpoint', 'a key for product orgs'),
    ('orgs gone', NULL, 'deactivated', 'a deactivated one'),
    ('orgs secret', NULL, 'secret_missing', 'one without its secret'),
    ('orgs secret', 'whs', 'wrong_endpoint', 'with it')) AS v (k, secret, outcome, what);
SELECT bag_eq('SELECT key FROM pg_temp.stored()',
    ARRAY['plain', 'plain', 'plain', 'secret', 'expires next'],
    'what was accepted is stored, nothing else');
SELECT is(pg_temp.intake(ARRAY['gone'], ARRAY[1, 1]),
    ROW('{deactivated}'::sluice.intake_outcome[], NULL::bigint[], NULL::boolean[], NULL::boolean[],
        NULL::text[], NULL::bigint[]),
    'a refused request''s items have no ids');
DELETE FROM sluice.signal;

-- ---- several requests in one call ----
CREATE TEMPORARY TABLE several AS SELECT * FROM pg_temp.intake(
    ARRAY['plain', 'unknown', 'secret', 'orgs', 'plain', 'neighbour', 'gone'],
    ARRAY[5, 1, 2, 6, 1, 4, 3, 7, 5, 6],
    ARRAY[NULL, NULL, 'whs', NULL, NULL, NULL, NULL]);
SELECT is(outcomes, '{accepted,unknown_key,accepted,wrong_endpoint,accepted,accepted,deactivated}'::sluice.intake_outcome[], 'outcomes of several requests') FROM several;
SELECT is(ARRAY(SELECT id IS NOT NULL FROM unnest(ids) WITH ORDINALITY AS u (id, i) ORDER BY i),
    '{t,t,f,t,t,f,t,f,t,t}'::boolean[], 'ids for the accepted ones'' items') FROM several;
SELECT set_eq('SELECT id, n FROM pg_temp.stored()',
    'SELECT id, i::integer FROM several, unnest(ids) WITH ORDINALITY AS u (id, i) WHERE id IS NOT NULL',
    'each id is the id of its item');
SELECT ok((SELECT array_agg(id ORDER BY i) = array_agg(id ORDER BY id)
    FROM several, unnest(ids) WITH ORDINALITY AS u (id, i) WHERE id IS NOT NULL),
    'ids rise in the items'' order');
SELECT set_eq('SELECT n, key, request_id FROM pg_temp.stored()',
    $$ VALUES (1, 'plain', 'request-5'), (2, 'plain', 'request-1'), (4, 'neighbour', 'request-6'),
        (5, 'plain', 'request-1'), (7, 'secret', 'request-3'), (9, 'plain', 'request-5'),
        (10, 'neighbour', 'request-6') $$, 'each row has its own request''s key and id');
SELECT is_empty($$ SELECT s.id FROM sluice.signal_staging AS s JOIN sluice.api_key AS k ON k.id = s.key_id
    WHERE k.organization_id <> s.organization_id $$, 'and that key''s organization');
DELETE FROM sluice.signal;

-- ---- nothing in it ----
SELECT is((pg_temp.intake('{}', '{}')).outcomes, '{}'::sluice.intake_outcome[], 'no request');
SELECT is((pg_temp.intake(ARRAY['plain', 'unknown', 'orgs'], '{}')).outcomes,
    '{accepted,unknown_key,wrong_endpoint}'::sluice.intake_outcome[], 'requests without items are only authenticated');
SELECT is_empty('SELECT * FROM pg_temp.stored()', 'nothing is stored then');
SELECT results_eq($$ SELECT i.organization_ids FROM sluice.intake(ARRAY[pg_temp.sender('plain'),
        pg_temp.sender('unknown'), pg_temp.sender('neighbour')]) AS i $$,
    $$ SELECT ARRAY[a.id, NULL, b.id] FROM sluice.organization AS a, sluice.organization AS b
    WHERE a.name = 'Intake' AND b.name = 'Neighbour' $$, 'whose keys they are');

-- ---- every column ----
CREATE TEMPORARY TABLE whole AS SELECT * FROM sluice.intake(ARRAY[pg_temp.sender('plain')], ARRAY[
    ROW(1, 'rid', 'segment', 'track', 'signup', 'a@example.com', 'u1', 'anon', 'pu', 'crm', 'ma', '+1',
        'org', 'm1', sluice.event_fingerprint('m1', 'track', 'signup'), '2020-02-29 12:34:56.789012+00', '{"a": 1e400, "b": 0.10}', '\x7b7d', 2,
        '[{"field": "timestamp"}]', false, '00-trace'),
    pg_temp.signal('{"payload": "{\"c\": 12345678901234567890123}"}')]::sluice.intake_signal[],
    envelopes => ARRAY['{"n": 1}', '{"sentAt": "x"}']::jsonb[]);
SELECT results_eq($$ SELECT k.name, s.received_at, s.occurred_at, s.status::text, s.payload_repaired,
        s.source, s.event_type, s.event_name, s.email, s.user_id, s.anonymous_id, s.product_user_id,
        s.crm_id, s.marketing_automation_id, s.phone, s.product_org_id, s.message_id, s.request_id,
        s.traceparent, s.mapped_rule, s.error, s.payload::text, s.payload_raw, s.envelope, s.warnings
    FROM sluice.signal_staging AS s JOIN sluice.api_key AS k ON k.id = s.key_id, whole
    WHERE s.id = whole.ids[1] $$,
    format($$ VALUES ('plain', now(), '2020-02-29 12:34:56.789012+00'::timestamptz, 'pending', true,
        'segment', 'track', 'signup', 'a@example.com', 'u1', 'anon', 'pu', 'crm', 'ma', '+1', 'org',
        'm1', 'rid', '00-trace', NULL::text, NULL::text, %L, '\x7b7d'::bytea, '{"sentAt": "x"}'::jsonb,
        '[{"field": "timestamp"}]'::jsonb) $$, '{"a": 1' || repeat('0', 400) || ', "b": 0.10}'),
    'a row with everything');
SELECT results_eq($$ SELECT s.occurred_at, s.payload_repaired, s.source, s.event_type, s.event_name,
        s.email, s.user_id, s.anonymous_id, s.message_id, s.payload::text, s.payload_raw, s.envelope
    FROM sluice.signal_staging AS s, whole WHERE s.id = whole.ids[2] $$,
    $$ VALUES (now(), false, 'generic', NULL::text, NULL::text, NULL::text, NULL::text, NULL::text,
        NULL::text, '{"c": 12345678901234567890123}', NULL::bytea, NULL::jsonb) $$,
    'a row with nothing but a payload; occurred when received; cold null is not cold');
DELETE FROM sluice.signal;

-- ---- the ordinary group ----
CREATE FUNCTION pg_temp.ordinary(keys text[], n integer, columns jsonb DEFAULT '{}',
    with_message_ids boolean DEFAULT false, with_visitors boolean DEFAULT false) RETURNS bigint
LANGUAGE sql AS $$
    SELECT sluice.intake_ordinary(ARRAY(SELECT pg_temp.sender(k) FROM unnest(keys) AS k),
        ARRAY(SELECT pg_temp.signal(columns || jsonb_build_object('payload',
            jsonb_build_object('n', i)::text, 'sender', 1 + i % cardinality(keys)))
        FROM generate_series(1, n) AS i), with_message_ids, with_visitors)
$$;
CREATE TEMPORARY TABLE ordinary AS SELECT pg_temp.ordinary(ARRAY['plain'], 33) AS first_id;
SELECT set_eq('SELECT id, n FROM pg_temp.stored()',
    'SELECT first_id + i - 1, i FROM ordinary, generate_series(1, 33) AS i', 'each item follows the first');
SELECT is((SELECT signals FROM sluice.usage_delta ORDER BY counted_at DESC, signals DESC LIMIT 1), 33,
    'they are counted');
DELETE FROM sluice.signal;
SELECT pg_temp.ordinary(ARRAY['plain', 'neighbour'], 6);
SELECT set_eq('SELECT n, key FROM pg_temp.stored()', $$ SELECT i, CASE i % 2 WHEN 0 THEN 'plain'
    ELSE 'neighbour' END FROM generate_series(1, 6) AS i $$, 'of several senders, each under its key');
DELETE FROM sluice.signal;
SELECT is(pg_temp.ordinary(ARRAY['plain', k], 2), NULL, 'not with ' || k)
FROM unnest(ARRAY['gone', 'expired', 'secret', 'orgs', 'unknown']) AS k;
SELECT is(pg_temp.ordinary(ARRAY[k], 2), NULL, 'nor with ' || k || ' alone')
FROM unnest(ARRAY['gone', 'expired', 'secret', 'orgs', 'unknown']) AS k;
SELECT is(pg_temp.ordinary(ARRAY['plain'], 1, '{"anonymous_id": "new", "email": "n@example.com"}',
    with_visitors => true), NULL, 'nor with a visitor who is new');
SELECT is_empty('SELECT * FROM pg_temp.stored()', 'then nothing is stored');
SELECT isnt(pg_temp.ordinary(ARRAY['plain'], 1, '{"message_id": "o1"}', true), NULL, 'an id, once');
SELECT throws_ok($$ SELECT pg_temp.ordinary(ARRAY['plain'], 1, '{"message_id": "o1"}', true) $$, '23505',
    NULL, 'twice is for intake');
SELECT throws_ok($$ SELECT pg_temp.ordinary(ARRAY['plain'], 2, '{"message_id": "o2"}', true) $$, '23505',
    NULL, 'also within a group');
SELECT sluice.organization_limit('op', 'Neighbour', 100, false);
SELECT is(pg_temp.ordinary(ARRAY['neighbour'], 1), NULL, 'nor an organization with a limit');
SELECT sluice.organization_limit('op', 'Neighbour', 100, true);
SELECT isnt(pg_temp.ordinary(ARRAY['neighbour'], 1), NULL, 'unless it may go beyond it');
DELETE FROM sluice.signal;

-- ---- cold ----
CREATE TEMPORARY TABLE mixed AS SELECT * FROM pg_temp.intake(ARRAY['plain', 'unknown'],
    ARRAY[1, 1, 2, 1, 2], cold => ARRAY[true, false, true, true, false]);
SELECT set_eq('SELECT id, n FROM pg_temp.stored()', 'SELECT ids[2], 2 FROM mixed',
    'what is warm is staged');
SELECT set_eq($$ SELECT id, (payload ->> 'n')::integer FROM sluice.signal_cold_storage $$,
    'SELECT ids[i], i FROM mixed, unnest(ARRAY[1, 4]) AS i', 'what is cold is in cold storage');
SELECT is(ids[3], NULL, 'a refused cold item is nowhere') FROM mixed;
SELECT results_eq($$ SELECT s.request_id, s.received_at,
        s.organization_id = k.organization_id
    FROM sluice.signal_cold_storage AS s JOIN sluice.api_key AS k ON k.id = s.key_id LIMIT 1 $$,
    $$ VALUES ('request-1', now(), true) $$, 'with the same columns');
SELECT is((pg_temp.intake(ARRAY['plain'], ARRAY[1], cold => ARRAY[true])).outcomes, '{accepted}'::sluice.intake_outcome[],
    'only cold items');
DELETE FROM sluice.signal;
DELETE FROM sluice.signal_cold_storage;

-- ---- many ----
CREATE TEMPORARY TABLE many AS SELECT * FROM pg_temp.intake(ARRAY['plain'], array_fill(1, ARRAY[5000]));
SELECT is(cardinality(ids), 5000, '5,000 items') FROM many;
SELECT set_eq('SELECT id, n FROM pg_temp.stored()',
    'SELECT id, i::integer FROM many, unnest(ids) WITH ORDINALITY AS u (id, i)',
    'each under its id');
DELETE FROM sluice.signal;
CREATE TEMPORARY TABLE crowd AS SELECT * FROM pg_temp.intake(
    ARRAY(SELECT CASE i % 3 WHEN 0 THEN 'plain' WHEN 1 THEN 'unknown' ELSE 'neighbour' END
        FROM generate_series(1, 512) AS i),
    ARRAY(SELECT i FROM generate_series(512, 1, -1) AS i));
SELECT set_eq('SELECT n, key FROM pg_temp.stored()',
    $$ SELECT 513 - i, CASE i % 3 WHEN 0 THEN 'plain' ELSE 'neighbour' END
    FROM generate_series(1, 512) AS i WHERE i % 3 <> 1 $$, '512 requests, items in another order');
DELETE FROM sluice.signal;

-- ---- what must fail, and leave nothing ----
PREPARE items(text, text) AS SELECT * FROM sluice.intake(ARRAY[pg_temp.sender('plain')],
    ARRAY[pg_temp.signal('{}'), ROW(1, 'r', $2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
        NULL, NULL, NULL, NULL, $1, NULL, NULL, NULL, NULL, NULL)::sluice.intake_signal]);
SELECT throws_ok(format($$ EXECUTE items(%L, 's') $$, poison), state, NULL, what)
FROM (VALUES ('{"a": "\u0000"}', '22P05', 'a payload with \u0000'),
    ('{"a": "\ud800"}', '22P02', 'with a lone surrogate'),
    ('{"a": 1e400000}', '22003', 'with a number out of range'),
    (repeat('[', 1000000), '54001', 'nested too deeply'),
    ('{"a": ', '22P02', 'that is no JSON')) AS v (poison, state, what);
SELECT throws_ok($$ EXECUTE items(NULL, 's') $$, '23502', NULL, 'no payload');
SELECT throws_ok($$ EXECUTE items('{}', NULL) $$, '23502', NULL, 'no source');
SELECT throws_ok(format($$ SELECT pg_temp.intake(ARRAY['plain'], %L) $$, items), 'XX000',
    'an item names no sender', 'items of request ' || items)
FROM unnest(ARRAY['{1,0}', '{1,2}', '{1,-1}']) AS items;
SELECT is_empty('SELECT * FROM pg_temp.stored()', 'nothing of it is stored');

-- ---- commits are durable ----
CREATE FUNCTION pg_temp.commit_after(before text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', before, true);
    PERFORM pg_temp.intake(ARRAY['plain'], ARRAY[1]);
    RETURN current_setting('synchronous_commit');
END
$$;
SELECT is(pg_temp.commit_after(before), after, format('synchronous_commit %s becomes %s', before, after))
FROM (VALUES ('off', 'on'), ('local', 'on'), ('on', 'on'),
    ('remote_apply', 'remote_apply')) AS v (before, after);

-- ---- last used ----
SELECT set_eq($$ SELECT name FROM sluice.key_list('Intake') WHERE last_used_at = now() $$,
    ARRAY['plain', 'secret', 'expires next'], 'accepted keys were used, refused ones were not');

UPDATE sluice.key_use SET used_at = now() - interval '21 seconds';
SELECT pg_temp.intake(ARRAY['plain'], ARRAY[1], recently_used => true);
SELECT is((SELECT count(*) FROM sluice.key_use WHERE used_at = now()), 0::bigint,
    'what the caller has had noted is left alone');
SELECT pg_temp.intake(ARRAY['plain'], ARRAY[1]);
SELECT is((SELECT count(*) FROM sluice.key_use WHERE used_at = now()), 1::bigint,
    'else it is noted, after 20 seconds');
UPDATE sluice.key_use SET used_at = now() - interval '19 seconds';
SELECT pg_temp.intake(ARRAY['plain'], ARRAY[1]);
SELECT is((SELECT count(*) FROM sluice.key_use WHERE used_at = now()), 0::bigint,
    'and not before');
UPDATE sluice.key_use SET used_at = now() - interval '1 hour' - key_id * interval '1 second';
CREATE TEMPORARY TABLE used AS SELECT id, last_used_at FROM sluice.key_list('Intake');
SELECT ok(sluice.fold_key_use(1000) > 1, 'uses are added up');
SELECT is_empty('SELECT FROM sluice.key_use', 'all of them');
SELECT set_eq($$ SELECT id, last_used_at FROM sluice.key_list('Intake') $$, 'SELECT * FROM used',
    'without changing what is shown');

-- ---- several requests of one sender ----
DELETE FROM sluice.signal;
CREATE TEMPORARY TABLE shared AS SELECT * FROM pg_temp.intake(ARRAY['unknown', 'plain', 'neighbour'],
    ARRAY[1, 2, 3, 4, 4], senders => ARRAY[2, 1, 2, 3]);
SELECT is(outcomes, '{unknown_key,accepted,accepted}'::sluice.intake_outcome[], 'an outcome for each sender') FROM shared;
SELECT results_eq($$ SELECT s.id, (s.payload ->> 'n')::integer, k.name, s.request_id
    FROM sluice.signal_staging AS s JOIN sluice.api_key AS k ON k.id = s.key_id ORDER BY 2 $$,
    $$ SELECT ids[n], n, key, request FROM shared, (VALUES (1, 'plain', 'request-1'),
        (3, 'plain', 'request-3'), (4, 'neighbour', 'request-4'), (5, 'neighbour', 'request-4'))
        AS v (n, key, request) $$, 'each item under its sender''s key and its request');
SELECT is(ids[2], NULL, 'what an unknown sender brought is nowhere') FROM shared;
SELECT throws_ok(format($$ SELECT pg_temp.intake(ARRAY['plain'], ARRAY[1], senders => %L) $$, senders),
    'XX000', NULL, 'senders ' || senders)
FROM unnest(ARRAY['{0}', '{2}', '{-1}']) AS senders;

SELECT * FROM finish();
ROLLBACK;
