-- Product-org updates: what intake stores of them beside signals, consumers, and the latest state.
BEGIN;
SELECT plan(59);
\ir helper.psql

DELETE FROM sluice.product_org_update; -- what other tests have committed
DELETE FROM sluice.signal;
SELECT sluice.organization_create('op', 'Orgs'), sluice.organization_create('op', 'Neighbours');
SELECT pg_temp.make_key('Orgs', 'signals'),
    pg_temp.make_key('Orgs', 'orgs', endpoint_type => 'product_orgs'),
    pg_temp.make_key('Orgs', 'orgs with secret', 'whs', endpoint_type => 'product_orgs'),
    pg_temp.make_key('Neighbours', 'neighbours', endpoint_type => 'product_orgs');

-- ---- endpoints ----
SELECT is((pg_temp.intake(ARRAY['orgs', 'orgs', 'signals', 'signals', 'nobody', 'nobody'], '{}',
    for_product_orgs => ARRAY[true, NULL, NULL, true, true, NULL])).outcomes,
    '{accepted,wrong_endpoint,accepted,wrong_endpoint,unknown_key,unknown_key}'::sluice.intake_outcome[], 'each key for its endpoint, an unknown one for none');
SELECT is((pg_temp.intake(ARRAY['orgs with secret', 'orgs with secret', 'orgs with secret'], '{}',
    secrets => ARRAY[NULL, 'no', 'whs'], for_product_orgs => ARRAY[true, true, true])).outcomes,
    '{secret_missing,secret_wrong,accepted}'::sluice.intake_outcome[], 'with its secret');

-- ---- templates ----
SELECT is((pg_temp.intake(ARRAY['orgs', 'nobody', 'signals', 'orgs with secret', 'neighbours'], '{}',
    for_product_orgs => ARRAY[true, true, true, true, true],
    template_versions => ARRAY[0, 0, 0, 0, NULL])).templates::jsonb[],
    ARRAY['{"product_org_id": "id"}', NULL, NULL, NULL, NULL]::jsonb[],
    'the template is for those who are accepted');
CREATE TEMPORARY TABLE versions AS
SELECT k.name, k.template_version AS version FROM sluice.api_key AS k WHERE k.template_version IS NOT NULL;
CREATE TEMPORARY TABLE stale AS SELECT * FROM pg_temp.intake(ARRAY['orgs', 'neighbours'], ARRAY[1, 2],
    for_product_orgs => ARRAY[true, true], product_org_ids => ARRAY['stale', 'fresh'],
    template_versions => (SELECT ARRAY[v.version + 1, v.version] FROM versions AS v WHERE v.name = 'orgs'));
SELECT is(outcomes, '{other_template,accepted}'::sluice.intake_outcome[],
    'items of another template are not stored') FROM stale;
SELECT is(new_versions[1], (SELECT v.version FROM versions AS v WHERE v.name = 'orgs'),
    'its version is told') FROM stale;
SELECT ok(ids[1] IS NULL AND ids[2] IS NOT NULL, 'but those of the key''s') FROM stale;
SELECT set_eq('SELECT product_org_id COLLATE "default" FROM sluice.product_org_staging', ARRAY['fresh'],
    'really');
DELETE FROM sluice.product_org_update;
UPDATE sluice.api_key SET payload_template = '{"product_org_id": "other"}' WHERE name = 'orgs';
SELECT isnt((SELECT k.template_version FROM sluice.api_key AS k WHERE k.name = 'orgs'),
    (SELECT v.version FROM versions AS v WHERE v.name = 'orgs'), 'a DBA''s own change is seen');
UPDATE sluice.api_key SET payload_template = '{"product_org_id": "id"}' WHERE name = 'orgs';
SELECT is((pg_temp.intake(ARRAY['orgs'], '{}', for_product_orgs => ARRAY[true])).templates, NULL,
    'and who ask for it');
-- ---- storing ----
CREATE TEMPORARY TABLE mixed AS SELECT * FROM sluice.intake(ARRAY[pg_temp.sender('orgs', NULL, true),
        pg_temp.sender('signals')],
    ARRAY[pg_temp.signal('{"sender": 2, "message_id": "m2", "payload": "{\"n\": 2}"}')],
    ARRAY[pg_temp.product_org('{"product_org_id": "a", "name": "A", "message_id": "m1",
            "last_active_at": "2026-11-14 10:00:00+00", "payload": "{\"n\": 1}"}'),
        pg_temp.product_org('{"product_org_id": "b", "payload": "{\"n\": 3}"}'),
        pg_temp.product_org('{"product_org_id": "a", "message_id": "m1", "name": "other"}'),
        pg_temp.product_org('{"product_org_id": "c", "message_id": "m1"}')]);
SELECT is(outcomes, '{accepted,accepted}'::sluice.intake_outcome[], 'signals and updates in one group') FROM mixed;
SELECT is(repeated, '{f,f,f,t,f}'::boolean[], 'a repeat is the same id of the same product org') FROM mixed;
SELECT is(ids[4], ids[2], 'with the first id') FROM mixed;
DELETE FROM sluice.product_org_update WHERE product_org_id = 'c';
SELECT results_eq('SELECT id, product_org_id COLLATE "default", name, last_active_at, payload, message_id, request_id
    FROM sluice.product_org_staging ORDER BY id', $$
    SELECT ids[2], 'a', 'A', timestamptz '2026-11-14 10:00:00+00', jsonb '{"n": 1}', 'm1', 'request-1'
    FROM mixed UNION ALL SELECT ids[3], 'b', NULL, NULL, '{"n": 3}', NULL, 'request-1' FROM mixed $$,
    'updates are here');
SELECT results_eq('SELECT id, payload, source FROM sluice.signal_staging',
    $$ SELECT ids[1], jsonb '{"n": 2}', 'generic' FROM mixed $$, 'signals there');
SELECT is((SELECT signals || ' ' || duplicates FROM sluice.usage_list('Orgs', NULL)), '4 1',
    'all are counted');
SELECT is((pg_temp.intake(ARRAY['orgs', 'neighbours'], ARRAY[1, 2],
    for_product_orgs => ARRAY[true, true], product_org_ids => ARRAY['a', 'a'],
    message_ids => ARRAY['m1', 'm1'])).repeated, '{t,f}'::boolean[],
    'also alone; ids belong to the key');
SELECT is((pg_temp.intake(ARRAY['signals'], ARRAY[1], for_product_orgs => ARRAY[true],
    product_org_ids => ARRAY['x'])).ids, NULL, 'what is refused is not stored');
SELECT is_empty($$ SELECT FROM sluice.product_org_staging WHERE product_org_id = 'x' $$, 'really not');

CREATE TEMPORARY TABLE stored AS SELECT (sluice.intake(ARRAY[pg_temp.sender('orgs', NULL, true)],
    product_orgs => ARRAY[ROW(1, 'whole', 'whole', 'N', 'P', 'PN', 9223372036854775807, -1, 'T',
        '2020-02-29 12:34:56.789012+00', '{"f": 1.50}', '{"c": []}', '[{"field": "x"}]', NULL, NULL,
        '{"p": 0.10}', '\x7b7d', 1, '00-trace')::sluice.intake_product_org],
    envelopes => ARRAY['{"sentAt": 1}']::jsonb[])).ids;
SELECT results_eq($$ SELECT name, plan_id, plan_name, user_count, mrr, trial_status, last_active_at,
    feature_flags, custom, warnings, payload, payload_raw, payload_repaired, status::text,
    envelope, traceparent, received_at = now(), stored_xact = sluice.stored_xact()
    FROM sluice.product_org_staging AS p, stored WHERE p.id = stored.ids[1] $$, $$
    VALUES ('N', 'P', 'PN', 9223372036854775807, -1::bigint, 'T',
        timestamptz '2020-02-29 12:34:56.789012+00', jsonb '{"f": 1.50}', jsonb '{"c": []}',
        jsonb '[{"field": "x"}]', jsonb '{"p": 0.10}', '\x7b7d'::bytea, true, 'pending',
        jsonb '{"sentAt": 1}', '00-trace', true, true) $$,
    'every column');
SELECT throws_ok($$ SELECT pg_temp.intake(ARRAY['orgs'], ARRAY[1], for_product_orgs => ARRAY[true],
    product_org_ids => ARRAY[NULL]::text[]) $$, '23502', NULL, 'an update of no product org');

-- ---- the month's limit ----
SELECT sluice.organization_limit('op', 'Neighbours', 1, false);
CREATE TEMPORARY TABLE full_up AS SELECT * FROM pg_temp.intake(
    ARRAY['neighbours', 'neighbours', 'neighbours'], ARRAY[1, 2],
    for_product_orgs => ARRAY[true, true, true], template_versions => ARRAY[NULL, NULL, 0],
    product_org_ids => ARRAY['n', 'a'], message_ids => ARRAY[NULL, 'm1']);
SELECT is(outcomes, '{limit_reached,limit_reached,other_template}'::sluice.intake_outcome[], 'the limit is reached') FROM full_up;
SELECT is(repeated, '{f,t}'::boolean[], 'nothing new, but repeats') FROM full_up;
SELECT ok(ids[1] IS NULL AND ids[2] IS NOT NULL, 'which are told by their ids') FROM full_up;
SELECT is(templates::jsonb[], ARRAY[NULL, NULL, '{"product_org_id": "id"}']::jsonb[],
    'and templates for what may be one') FROM full_up;

-- ---- consumers ----
DELETE FROM sluice.product_org_update;
SELECT pg_temp.intake(ARRAY['orgs'], array_fill(1, ARRAY[4]), for_product_orgs => ARRAY[true],
    product_org_ids => ARRAY['o1', 'o2', 'o3', 'o4']);
-- As a feed would, which leaves what this transaction stores to later ones.
SELECT sluice.feed_unknown('product_org', now() - interval '1 day', 'infinity'),
    sluice.feed_unknown('signal', now() - interval '1 day', 'infinity'),
    sluice.look_from('product_org', 0);
CREATE TEMPORARY TABLE claimed AS
SELECT * FROM sluice.claim_product_orgs('tester', 3, '1 minute', 'Orgs');
SELECT set_eq('SELECT product_org_id FROM claimed', ARRAY['o1', 'o2', 'o3'], 'the oldest are claimed');
SELECT is((SELECT count(*) FROM sluice.claim_product_orgs('other', 10, '1 minute', 'Neighbours')),
    0::bigint, 'by organization');
SELECT is((SELECT array_agg(product_org_id) FROM sluice.claim_product_orgs('other', 10, '1 minute')),
    ARRAY['o4'], 'nothing twice');
SELECT is(sluice.finish_product_orgs(ARRAY(SELECT id FROM claimed WHERE product_org_id = 'o1'),
    'completed', rule => 'r'), 1::bigint, 'finished');
SELECT is(sluice.extend_product_orgs(ARRAY(SELECT id FROM claimed WHERE product_org_id = 'o2'), '1 hour'),
    1::bigint, 'extended');
SELECT is(sluice.release_product_orgs(ARRAY(SELECT id FROM claimed WHERE product_org_id = 'o3')),
    1::bigint, 'released');
SELECT results_eq('SELECT product_org_id COLLATE "default", status::text, mapped_rule, attempts::integer
    FROM sluice.product_org_staging ORDER BY 1', $$ VALUES ('o1', 'completed', 'r', 1),
    ('o2', 'processing', NULL, 1), ('o3', 'pending', NULL, 0), ('o4', 'processing', NULL, 1) $$,
    'and so they are');
SELECT is(sluice.finish_signals(ARRAY(SELECT id FROM claimed), 'completed'), 0::bigint,
    'they are no signals');
SELECT throws_ok(format('SELECT sluice.finish_product_orgs(''{1}'', %L)', status), '22023', NULL,
    coalesce(status, 'null') || ' ends nothing') FROM unnest(ARRAY['pending', 'processing', NULL]) AS status;
SELECT throws_ok($$ SELECT sluice.extend_product_orgs('{1}', '31 days') $$, '22023', NULL, 'nor for so long');
SELECT results_eq('SELECT organization, table_name, pending, processing FROM sluice.backlog ORDER BY 2', $$
    VALUES ('Orgs', 'product_org_staging', 1::bigint, 2::bigint),
        ('Orgs', 'signal_staging', 1, 0) $$, 'the backlog of both tables');

-- ---- the latest state ----
DELETE FROM sluice.product_org_update;
DELETE FROM sluice.product_org_state;
-- As if a transaction that has ended had stored it at that time.
CREATE FUNCTION pg_temp.update(key text, org text, name text, active text, received text DEFAULT '-1 hour')
RETURNS void LANGUAGE sql AS $$
    SELECT pg_temp.intake(ARRAY[key], ARRAY[1], for_product_orgs => ARRAY[true],
        product_org_ids => ARRAY[org], names => ARRAY[name],
        last_active_at => ARRAY[active]::timestamptz[]);
    UPDATE sluice.product_org_update AS p
    SET received_at = now() + received::interval, stored_xact = 10
    WHERE p.product_org_id = org AND p.name = update.name
$$;
CREATE FUNCTION pg_temp.latest() RETURNS TABLE (organization text, id text, name text) LANGUAGE sql AS $$
    SELECT o.name, c.product_org_id, c.name FROM sluice.product_org_current AS c
    JOIN sluice.organization AS o ON o.id = c.organization_id
$$;
CREATE FUNCTION pg_temp.fold(rows integer DEFAULT 1000) RETURNS bigint LANGUAGE sql
    RETURN sluice.fold_product_orgs(rows);
SELECT sluice.organization_limit('op', 'Neighbours', 0, false);
SELECT is_empty('SELECT pg_temp.latest()', 'at first there is none');
UPDATE sluice.product_org_fold SET folded_xact = 0;
SELECT pg_temp.update('orgs', 'one', 'old', '2026-01-01'), pg_temp.update('orgs', 'one', 'new', '2026-03-01'),
    pg_temp.update('orgs', 'one', 'middle', '2026-02-01'),
    pg_temp.update('neighbours', 'one', 'theirs', '2025-01-01'),
    pg_temp.update('orgs', 'two', 'first', '2026-01-01', '-2 hours'),
    pg_temp.update('orgs', 'two', 'second', '2026-01-01', '-1 hours'),
    pg_temp.update('orgs', 'three', 'by id', '2026-01-01'),
    pg_temp.update('orgs', 'three', 'by greater id', '2026-01-01'),
    pg_temp.update('orgs', 'four', 'long ago', '2026-01-01', '-3 hours'),
    pg_temp.update('orgs', 'four', 'just received', NULL, '-2 hours');
PREPARE latest AS SELECT * FROM pg_temp.latest();
PREPARE expected AS VALUES ('Orgs', 'one', 'new'), ('Neighbours', 'one', 'theirs'),
    ('Orgs', 'two', 'second'), ('Orgs', 'three', 'by greater id'), ('Orgs', 'four', 'just received');
SELECT set_eq('latest', 'expected', 'by last activity, else receipt, then receipt, then id');
SELECT is_empty('SELECT FROM sluice.product_org_state', 'before anything is folded');
SELECT is(pg_temp.fold(), 5::bigint, 'folded');
SELECT set_eq('latest', 'expected', 'nothing changes by that');
SELECT is((SELECT count(*) FROM sluice.product_org_state), 5::bigint, 'but all is there');
SELECT is(pg_temp.fold(), 0::bigint, 'and nothing is left');
SELECT is((SELECT count(*) FROM sluice.product_org_news), 0::bigint, 'that would be new');
DELETE FROM sluice.product_org_update;
SELECT set_eq('latest', 'expected', 'past retention it is still known');

UPDATE sluice.product_org_fold SET folded_xact = 0;
SELECT pg_temp.update('orgs', 'one', 'too late', '2026-02-15'), pg_temp.update('orgs', 'two', 'next', '2026-06-01');
PREPARE later AS VALUES ('Orgs', 'one', 'new'), ('Neighbours', 'one', 'theirs'),
    ('Orgs', 'two', 'next'), ('Orgs', 'three', 'by greater id'), ('Orgs', 'four', 'just received');
SELECT set_eq('latest', 'later', 'what is known already and what comes later');
SELECT is(pg_temp.fold(), 1::bigint, 'folded: one has changed');
SELECT set_eq('latest', 'later', 'as before');

-- ---- up to where ----
SELECT pg_temp.update('orgs', 'five', 'open', '2026-01-01');
UPDATE sluice.product_org_update SET stored_xact = sluice.stored_xact() WHERE name = 'open';
SELECT is(pg_temp.fold(), 0::bigint, 'what a transaction stores that has not ended is left');
SELECT is((SELECT name FROM pg_temp.latest() WHERE id = 'five'), 'open', 'and seen by who sees it');
UPDATE sluice.product_org_fold SET folded_xact = 0;
DELETE FROM sluice.product_org_state;
UPDATE sluice.product_org_update SET stored_xact = CASE name WHEN 'too late' THEN 10 ELSE 200 END
WHERE name IN ('too late', 'next');
SELECT is(pg_temp.fold(100), 1::bigint, 'so many transactions at a time');
SELECT is((SELECT array_agg(name) FROM sluice.product_org_state), ARRAY['too late'], 'the first ones first');
SELECT set_eq($$ SELECT name FROM pg_temp.latest() $$, ARRAY['too late', 'next', 'open'], 'all are seen');
SELECT is(pg_temp.fold(100), 1::bigint, 'then the next');
SELECT is(pg_temp.fold(100), 0::bigint, 'until none is left');

-- ---- the table ----
SELECT indexes_are('sluice', 'product_org_update', ARRAY['product_org_update_pkey',
    'product_org_update_stored_xact_idx', 'product_org_update_product_org_id_idx']);
SELECT is((SELECT count(*) FROM pg_inherits WHERE inhparent = 'sluice.product_org_update'::regclass) >= 9,
    true, 'days, and the default partition');
SELECT throws_ok($$ INSERT INTO sluice.product_org_fold (only_row, folded_xact)
    VALUES (false, 1) $$, '23514', NULL, 'there is one place to be at');

SELECT * FROM finish();
ROLLBACK;
