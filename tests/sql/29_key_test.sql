-- A test event of a key.
BEGIN;
SELECT plan(15);
\ir helper.psql

SELECT sluice.organization_create('op', 'Tested') AS mine \gset
SELECT pg_temp.make_key('Tested', 'tested signals') AS signals \gset
SELECT pg_temp.make_key('Tested', 'tested orgs', NULL, NULL, 'product_orgs') AS orgs \gset
UPDATE sluice.api_key SET payload_template = '{"product_org_id": "group.id", "name": "items.1.name",
    "plan_id": "plan\\.id", "user_count": "users", "mrr": "mrr", "last_active_at": "at",
    "feature_flags": "traits.flags", "custom": {"seats": "traits.flags.seats", "same": "group.id"}}'
WHERE id = :orgs;

-- ---- a signal ----
SELECT sluice.key_test('op', :signals) AS made \gset
SELECT is(s.email || ' ' || s.event_name || ' ' || (s.payload ->> 'test'), 'lead@example.com test true',
    'a signal, marked')
FROM sluice.signal AS s WHERE s.id = (:'made'::json ->> 'id')::bigint;
SELECT is(s.message_id, :'made'::json ->> 'message_id', 'with an id of its own')
FROM sluice.signal AS s WHERE s.id = (:'made'::json ->> 'id')::bigint;
SELECT isnt(sluice.key_test('op', :signals) ->> 'id', :'made'::json ->> 'id', 'never a repeat');
SELECT is((SELECT sum(u.signals) FROM sluice.usage_overview AS u WHERE u.organization = 'Tested'), 2::numeric,
    'it counts');
SELECT is((sluice.key_show(:signals)).last_used_at, NULL, 'it is no use of the key');
SELECT is((SELECT count(*) FROM sluice.signal_staging AS s WHERE s.key_id = :signals AND s.status = 'pending'), 2::bigint,
    'consumers get it');

-- ---- a product org ----
SELECT sluice.key_test('op', :orgs) AS made \gset
SELECT is(u.product_org_id, :'made'::json ->> 'product_org_id', 'one of its own')
FROM sluice.product_org_update AS u WHERE u.id = (:'made'::json ->> 'id')::bigint;
SELECT is(ROW(u.name, u.plan_id, u.plan_name, u.user_count, u.mrr)::text, '("Test org",test,,1,0)',
    'what the template maps')
FROM sluice.product_org_update AS u WHERE u.id = (:'made'::json ->> 'id')::bigint;
SELECT is(u.custom, jsonb_build_object('seats', 'test', 'same', u.product_org_id), 'custom fields')
FROM sluice.product_org_update AS u WHERE u.id = (:'made'::json ->> 'id')::bigint;
SELECT is(u.payload #>> '{items,1,name}', 'Test org', 'the payload fits')
FROM sluice.product_org_update AS u WHERE u.id = (:'made'::json ->> 'id')::bigint;
SELECT is(u.payload ->> 'plan.id', 'test', 'a literal dot')
FROM sluice.product_org_update AS u WHERE u.id = (:'made'::json ->> 'id')::bigint;

-- ---- what is there already stays ----
SELECT is(sluice.put_at(NULL, '{a,2,b}', '1'), '{"a": [null, null, {"b": 1}]}', 'items before it');
SELECT is(sluice.put_at('{"a": "x"}', '{a,b}', '1'), '{"a": "x"}', 'a value on the way');

-- ---- which key ----
SELECT throws_ok('SELECT sluice.key_test(''op'', 0)', 'P0002', NULL, 'no such key');
SELECT sluice.key_deactivate('op', :signals);
SELECT throws_ok(format('SELECT sluice.key_test(''op'', %s)', :signals), 'SL004', NULL, 'deactivated');
SELECT * FROM finish();
ROLLBACK;
