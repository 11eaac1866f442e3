-- Deliveries with an id, usage and limits, refused requests, identities: what intake does beside
-- inserting.
BEGIN;
SELECT plan(90);
\ir helper.psql

SELECT sluice.organization_create('op', 'Rules'), sluice.organization_create('op', 'Other');
CREATE TEMPORARY TABLE keys AS
SELECT name, pg_temp.make_key(organization, name) AS id
FROM (VALUES ('Rules', 'one'), ('Rules', 'two'), ('Other', 'other')) AS v (organization, name);
CREATE FUNCTION pg_temp.used(organization text) RETURNS bigint LANGUAGE sql AS $$
    SELECT signals FROM sluice.usage_list(organization, NULL)
$$;
CREATE FUNCTION pg_temp.staged() RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM sluice.signal_staging AS s JOIN keys AS k ON k.id = s.key_id
$$;

-- ---- deliveries ----
CREATE TEMPORARY TABLE first AS SELECT * FROM pg_temp.intake(ARRAY['one'], ARRAY[1, 1, 1],
    message_ids => ARRAY['a', NULL, 'b']);
SELECT is(repeated, NULL, 'nothing is repeated the first time') FROM first;
SELECT is(pg_temp.staged(), 3::bigint, 'all are stored');
SELECT set_eq('SELECT k.name, d.fingerprint, d.id, d.received_at FROM sluice.delivery AS d
    JOIN keys AS k ON k.id = d.key_scope',
    $$ SELECT 'one' AS k, sluice.event_fingerprint('a', NULL, NULL) AS f, ids[1] AS i, now() AS r FROM first
        UNION ALL SELECT 'one', sluice.event_fingerprint('b', NULL, NULL), ids[3], now() FROM first $$,
    'those with an id are in the ledger');
CREATE TEMPORARY TABLE again AS SELECT * FROM pg_temp.intake(ARRAY['one'], ARRAY[1, 1, 1, 1],
    message_ids => ARRAY['c', 'a', NULL, 'b']);
SELECT is(repeated, '{f,t,f,t}'::boolean[], 'repeats are told') FROM again;
SELECT is(ARRAY[again.ids[2], again.ids[4]], ARRAY[first.ids[1], first.ids[3]],
    'with the first ids') FROM again, first;
SELECT is(pg_temp.staged(), 5::bigint, 'and not stored');
SELECT is((pg_temp.intake(ARRAY['two'], ARRAY[1], message_ids => ARRAY['a'])).repeated, NULL,
    'the same id with another key of the organization is another delivery');
SELECT is((pg_temp.intake(ARRAY['other'], ARRAY[1], message_ids => ARRAY['a'])).repeated, NULL,
    'and with another organization''s');
CREATE TEMPORARY TABLE twice AS SELECT * FROM pg_temp.intake(ARRAY['one', 'two', 'one'],
    ARRAY[1, 2, 3, 1], message_ids => ARRAY['t', 't', 't', 't']);
SELECT is(repeated, '{f,f,t,t}'::boolean[], 'twice in one call: once a key') FROM twice;
SELECT ok(ids[3] = ids[1] AND ids[4] = ids[1] AND ids[2] <> ids[1], 'with the first id') FROM twice;
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1], message_ids => ARRAY['A'])).repeated, NULL,
    'case matters');
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1], message_ids => ARRAY[repeat('x', 1024)])).repeated,
    NULL, 'the longest id');
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1], message_ids => ARRAY[repeat('x', 1024)])).repeated,
    '{t}'::boolean[], 'again');
SELECT is((SELECT count(*) FROM sluice.delivery AS d JOIN keys AS k ON k.id = d.key_scope
    JOIN sluice.api_key AS a ON a.id = d.key_scope WHERE a.organization_id <> d.organization_id), 0::bigint,
    'each delivery belongs to its key''s organization');
SELECT lives_ok($$ SELECT pg_temp.intake(ARRAY['nobody'], ARRAY[1], message_ids => ARRAY['n']) $$);
SELECT is_empty($$ SELECT FROM sluice.delivery WHERE fingerprint = sluice.event_fingerprint('n', NULL, NULL) $$,
    'a refused request''s id is not noted');

-- ---- what says something else ----
CREATE FUNCTION pg_temp.repeated(id text, name text, payload text DEFAULT '{}', by_bytes boolean
    DEFAULT NULL) RETURNS boolean LANGUAGE sql AS $$
    SELECT coalesce((pg_temp.intake(ARRAY['other'], ARRAY[1], message_ids => ARRAY[id],
        event_names => ARRAY[name], payloads => ARRAY[payload], by_bytes => by_bytes)).repeated[1], false)
$$;
SELECT is(pg_temp.repeated(id, name, payload, by_bytes), expected, what)
FROM (VALUES (1, 'e1', 'opened', '{"a": 1}', NULL::boolean, false, 'the first'),
    (2, 'e1', 'opened', '{"a": 2}', NULL, true, 'the same event, whatever else it says'),
    (3, 'e1', 'clicked', '{"a": 1}', NULL, false, 'another event of the same id'),
    (4, 'e1', NULL, '{"a": 1}', NULL, false, 'and one without a name'),
    (5, 'e1', NULL, '{"a": 1}', NULL, true, 'which is told, too'),
    (6, 'm1', 'delivered', '{"a": 1}', true, false, 'a mail'),
    (7, 'm1', 'delivered', '{"a": 1}', true, true, 'the same bytes'),
    (8, 'm1', 'delivered', '{"a": 2}', true, false, 'other bytes'),
    (9, 'm1', 'delivered', '{"a": 1}', NULL, false, 'an id of the other kind'))
    AS v (n, id, name, payload, by_bytes, expected, what) ORDER BY n;
DELETE FROM sluice.signal AS s USING keys AS k WHERE s.key_id = k.id AND k.name = 'other'
    AND s.message_id IN ('e1', 'm1');
DELETE FROM sluice.usage_delta AS d USING sluice.organization AS o WHERE o.id = d.organization_id
    AND o.name = 'Other';
INSERT INTO sluice.usage_delta SELECT o.id, now(), 1, 0 FROM sluice.organization AS o WHERE o.name = 'Other';
UPDATE sluice.api_key AS k SET successor_of = p.id, delivery_scope = p.id
FROM sluice.api_key AS p WHERE k.name = 'two' AND p.name = 'one';
SELECT is((pg_temp.intake(ARRAY['two'], ARRAY[1], message_ids => ARRAY['b'])).repeated, '{t}'::boolean[],
    'a key shares the deliveries of the one that it replaces');
UPDATE sluice.api_key SET successor_of = NULL, delivery_scope = NULL WHERE name = 'two';

-- A whole group of the same id, and many.
SELECT is((SELECT count(*) FROM unnest((pg_temp.intake(ARRAY['one'], array_fill(1, ARRAY[500]),
    message_ids => array_fill('same'::text, ARRAY[500]))).repeated) AS r WHERE NOT r), 1::bigint,
    'one of 500 with the same id is stored');

-- ---- usage ----
SELECT is(pg_temp.used('Rules'), pg_temp.staged() - 1, 'each stored signal counts, nothing else');
SELECT is(pg_temp.used('Other'), 1::bigint, 'for its organization');
SELECT is(duplicates, (2 + 2 + 1 + 1 + 499)::bigint, 'repeats are counted beside')
FROM sluice.usage_list('Rules', NULL);
SELECT is(pg_temp.used('Rules'), 11::bigint);
SELECT is(sum(u.signals), 12::bigint, 'when they were received') FROM sluice.usage_delta AS u
JOIN sluice.organization AS o ON o.id = u.organization_id
WHERE u.counted_at = now() AND o.name IN ('Rules', 'Other');
SELECT ok(sluice.fold_usage(1000) > 0, 'they are added up');
SELECT is(pg_temp.used('Rules'), 11::bigint, 'without changing the sum');
SELECT is(sluice.fold_usage(1000), 0::bigint, 'once');
SELECT pg_temp.intake(ARRAY['one'], ARRAY[1]);
SELECT is(pg_temp.used('Rules'), 12::bigint, 'and what comes later is added');
SELECT is(sluice.signals_of_month(o.id), 12::bigint, 'the limit sees the same')
FROM sluice.organization AS o WHERE o.name = 'Rules';
-- The month before.
INSERT INTO sluice.usage_delta
SELECT o.id, date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' - interval '1 minute', 1000, 1
FROM sluice.organization AS o WHERE o.name = 'Rules';
SELECT is(sluice.signals_of_month(o.id), 12::bigint, 'last month''s last minute is not this month''s')
FROM sluice.organization AS o WHERE o.name = 'Rules';
SELECT is(signals, 1000::bigint, 'but last month''s') FROM sluice.usage_list('Rules',
    (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 day')::date);
SELECT ok(sluice.fold_usage(1000) > 0, 'it is added up too');
SELECT is(signals, 1000::bigint, 'to its month') FROM sluice.usage_list('Rules',
    (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 day')::date);

-- ---- limits ----
SELECT sluice.organization_limit('op', 'Rules', 13, NULL);
SELECT is((pg_temp.intake(ARRAY['one', 'other'], ARRAY[1, 2])).outcomes, '{accepted,accepted}'::sluice.intake_outcome[],
    'one below the limit');
SELECT is((pg_temp.intake(ARRAY['one', 'other', 'two'], ARRAY[1, 2, 3])).outcomes, '{limit_reached,accepted,limit_reached}'::sluice.intake_outcome[],
    'at the limit; another organization is not concerned');
SELECT is(pg_temp.used('Rules'), 13::bigint, 'refused signals do not count');
SELECT is((pg_temp.intake(ARRAY['one'], '{}')).outcomes, '{limit_reached}'::sluice.intake_outcome[],
    'a request that is only authenticated is refused before its body is read');
CREATE TEMPORARY TABLE repeat AS SELECT * FROM pg_temp.intake(ARRAY['one', 'one', 'one'],
    ARRAY[1, 2, 2, 3], message_ids => ARRAY['a', 'a', 'fresh', NULL]);
SELECT is(outcomes, '{limit_reached,limit_reached,limit_reached}'::sluice.intake_outcome[], 'also who brings a repeat')
FROM repeat;
SELECT is(repeat.ids, ARRAY[first.ids[1], first.ids[1], NULL, NULL],
    'but what was accepted before is told by its first id') FROM repeat, first;
SELECT is(repeated, '{t,t,f,f}'::boolean[], 'as a repeat') FROM repeat;
SELECT is(pg_temp.used('Rules'), 13::bigint, 'that does not count either');
SELECT is((pg_temp.intake(ARRAY['one', 'other'], ARRAY[1, 2, 3], senders => ARRAY[1, 2, 1],
    message_ids => ARRAY[NULL, 'here', 'a'])).ids[1], NULL, 'together with others');
DELETE FROM sluice.key_use;
SELECT is((pg_temp.intake(ARRAY['one', 'other', 'two'], ARRAY[1, 2, 3])).outcomes, '{limit_reached,accepted,limit_reached}'::sluice.intake_outcome[],
    'refused and accepted requests in one group');
SELECT set_eq('SELECT k.name FROM sluice.key_use AS a JOIN keys AS k ON k.id = a.key_id',
    $$ VALUES ('other') $$, 'only an accepted request is a use of its key');
DELETE FROM sluice.key_use;
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1])).outcomes, '{limit_reached}'::sluice.intake_outcome[], 'all refused');
SELECT is_empty('SELECT FROM sluice.key_use', 'then no key was used');
SELECT sluice.organization_limit('op', 'Rules', NULL, true);
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[], 'with overages');
SELECT sluice.organization_limit('op', 'Rules', 0, false);
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[], 'without a limit');
SELECT throws_ok($$ SELECT sluice.organization_limit('op', 'Rules', -1, NULL) $$, '22023',
    'a limit is not negative');
SELECT throws_ok($$ SELECT sluice.organization_limit('op', 'Nowhere', 1, NULL) $$, 'P0002', NULL);
SELECT results_eq($$ SELECT details FROM sluice.audit_log AS a JOIN sluice.organization AS o
        ON o.id = a.organization_id
    WHERE o.name = 'Rules' AND action = 'organization_limit' ORDER BY a.id $$,
    $$ VALUES ('{"old_signal_limit": 0, "old_overages": false, "signal_limit": 13, "overages": false}'::jsonb),
        ('{"old_signal_limit": 13, "old_overages": false, "signal_limit": 13, "overages": true}'),
        ('{"old_signal_limit": 13, "old_overages": true, "signal_limit": 0, "overages": false}') $$,
    'changes of limits are in the audit log');

-- ---- refused requests ----
CREATE FUNCTION pg_temp.note(keys text[], outcomes text[], counts integer[]) RETURNS void
LANGUAGE sql AS $$
    SELECT sluice.intake('{}', refusals => ARRAY(
        SELECT ROW(pg_temp.hash(keys[i]), outcomes[i], counts[i])::sluice.intake_refusal
        FROM generate_subscripts(keys, 1) AS i))
$$;
SELECT pg_temp.note(ARRAY['one', 'one', 'two', 'one', 'none', 'one', 'one', 'one'], ARRAY['deactivated',
    'expired', 'limit_reached', 'deactivated', 'deactivated', 'accepted', 'unknown_key', 'secret_wrong'],
    '{1,2,3,4,5,6,7,-8}');
CREATE FUNCTION pg_temp.refused() RETURNS TABLE (name text, reason text, requests bigint) LANGUAGE sql AS $$
    SELECT k.name, r.reason::text, r.requests FROM sluice.refusal AS r JOIN keys AS k ON k.id = r.key_id
    WHERE r.day = (now() AT TIME ZONE 'UTC')::date
$$;
SELECT set_eq('SELECT * FROM pg_temp.refused()', $$ VALUES ('one', 'deactivated', 5::bigint),
    ('one', 'expired', 2), ('two', 'limit_reached', 3) $$,
    'counted by key, reason and day; for no key that is not known, nothing that is no refusal');
SELECT pg_temp.note(ARRAY['one'], '{deactivated}', '{7}');
SELECT is(requests, 12::bigint, 'another worker''s are added') FROM pg_temp.refused()
WHERE name = 'one' AND reason = 'deactivated';
SELECT is(sluice.fold_refusals(1000), 4::bigint, 'all are added up');
SELECT is(requests, 12::bigint, 'without changing the sum') FROM pg_temp.refused()
WHERE name = 'one' AND reason = 'deactivated';

-- ---- identities ----
CREATE TEMPORARY TABLE visits AS SELECT * FROM pg_temp.intake(ARRAY['one', 'other'], ARRAY[1, 1, 1, 2],
    cold => ARRAY[true, true, true, true], anonymous_ids => ARRAY['v1', 'v1', 'v2', 'v1']);
SELECT is(stored_cold, '{t,t,t,t}'::boolean[], 'unknown visitors') FROM visits;
SELECT is(count(*), 4::bigint, 'wait in cold storage') FROM sluice.signal_cold_storage;
CREATE TEMPORARY TABLE met AS SELECT * FROM pg_temp.intake(ARRAY['two'], ARRAY[1, 1, 1],
    cold => ARRAY[NULL, true, true], anonymous_ids => ARRAY['v1', 'v1', 'v2'],
    user_ids => ARRAY['u1', NULL, NULL], emails => ARRAY['v@example.com', NULL, NULL]);
SELECT is(stored_cold, '{f,f,t}'::boolean[], 'with a user id the visitor is known, also in the same call')
FROM met;
SELECT set_eq('SELECT id FROM sluice.signal_cold_storage',
    'SELECT visits.ids[3] FROM visits UNION SELECT visits.ids[4] FROM visits UNION SELECT met.ids[3] FROM met',
    'others, and another organization''s of the same name, go on waiting');
SELECT is((SELECT count(*) FROM sluice.signal_staging AS s, visits WHERE s.id IN (ids[1], ids[2])),
    2::bigint, 'the visitor''s are staged, with their ids');
SELECT results_eq($$ SELECT anonymous_id COLLATE "default", user_id, email, signal_id = met.ids[1], settled_at
    FROM sluice.identity, met $$, $$ VALUES ('v1', 'u1', 'v@example.com', true, NULL::timestamptz) $$,
    'the identity is noted');
SELECT pg_temp.intake(ARRAY['one'], ARRAY[1], anonymous_ids => ARRAY['v1'], emails => ARRAY['w@example.com']);
SELECT is(count(*), 1::bigint, 'once') FROM sluice.identity;
SELECT is((pg_temp.intake(ARRAY['one'], ARRAY[1], cold => ARRAY[true], anonymous_ids => ARRAY['v1'])).stored_cold,
    NULL, 'later signals of a known visitor are not cold');
-- As by a transaction that did not see the identity yet.
UPDATE sluice.signal_cold_storage AS c SET anonymous_id = 'v1' FROM met WHERE c.id = met.ids[3];
SELECT is(sluice.resolve_identities(1000), 1::bigint, 'maintenance looks again');
SELECT is((SELECT count(*) FROM sluice.signal_cold_storage), 2::bigint, 'and moves what it finds');
SELECT is(sluice.resolve_identities(1000), 0::bigint, 'not all the time');
UPDATE sluice.identity SET looked_at = now() - interval '1 hour', identified_at = now() - interval '1 hour';
SELECT is(sluice.resolve_identities(1000), 1::bigint, 'a last time');
SELECT is(settled_at, now(), 'then it is settled') FROM sluice.identity;
SELECT is(pg_temp.used('Rules'), (SELECT 13 + 2 + 3 + 3 + 1 + 1)::bigint, 'a move does not count again');
SELECT is((SELECT count(*) FROM sluice.signal_move), 3::bigint, 'moves are noted for those who follow');
SELECT is((SELECT count(*) FROM sluice.signal AS s JOIN sluice.signal_move AS m ON m.id = s.id
    WHERE s.stored_xact = 0 AND s.received_at = m.received_at), 3::bigint, 'instead of in the rows');

-- ---- bulk ----
CREATE TEMPORARY TABLE chunk AS SELECT * FROM pg_temp.intake(ARRAY['one'], ARRAY[1, 1, 1, 1, 1],
    message_ids => ARRAY['bulk', 'a', 'bulk', NULL, 'bulk 2'], cold => ARRAY[NULL, NULL, NULL, NULL, true],
    in_bulk => true, request_ids => ARRAY['import']);
SELECT is(repeated, '{f,t,f,f,f}'::boolean[], 'what was delivered before is seen at once') FROM chunk;
SELECT is(sluice.bulk_finish(), 1::bigint, 'what came twice is found at the end');
SELECT is_empty('SELECT FROM sluice.delivery_import', 'nothing of the import is left beside');
SELECT is(sluice.bulk_finish(), 0::bigint, 'once');
SELECT is(pg_temp.used('Rules'), 23::bigint + 3, 'and not counted');

-- One repeat among many is not looked for in the chunk: it is found at the end.
CREATE TEMPORARY TABLE rare AS SELECT * FROM pg_temp.intake(ARRAY['one'], array_fill(1, ARRAY[200]),
    message_ids => ARRAY(SELECT CASE i WHEN 10 THEN 'a' ELSE 'rare ' || i END FROM generate_series(1, 200) AS i),
    in_bulk => true);
SELECT is(repeated, NULL, 'a rare repeat is not seen at once') FROM rare;
SELECT is(sluice.bulk_finish(), 1::bigint, 'but at the end');
SELECT is((SELECT count(*) FROM sluice.signal AS s, rare WHERE s.id = ANY (rare.ids)), 199::bigint,
    'and not kept');
SELECT is((SELECT count(*) FROM sluice.delivery AS d, generate_series(1, 200) AS i
    WHERE d.fingerprint = sluice.event_fingerprint('rare ' || i, NULL, NULL)), 199::bigint,
    'the others are noted');
SELECT isnt(sluice.event_fingerprint('i', 'ab', 'c'), sluice.event_fingerprint('i', 'a', 'bc'),
    'where the type ends is not in doubt');
SELECT throws_ok($$ SELECT pg_temp.intake(ARRAY['one', 'two'], ARRAY[1, 2], in_bulk => true) $$, 'XX000',
    'an import has one sender');

SELECT * FROM finish();
ROLLBACK;
