-- The networks of a key: what they may be, who changes them, and what intake makes of them.
BEGIN;
SELECT plan(73);
\ir helper.psql

SELECT sluice.organization_create('op', 'Networks');

CREATE FUNCTION pg_temp.key_in(name text, networks text[]) RETURNS sluice.key_overview LANGUAGE sql
AS $$ SELECT sluice.key_create('op', 'Networks', name, NULL, pg_temp.hash(name), U&'sk_abcd\2026wxyz',
    NULL, NULL, NULL, networks => networks) $$;

-- ---- what a network is ----
SELECT is((pg_temp.key_in('k' || v.n, ARRAY[v.given])).networks, ARRAY[v.kept::cidr], v.given)
FROM (VALUES (1, '192.0.2.0/24', '192.0.2.0/24'), (2, '192.0.2.7', '192.0.2.7/32'),
    (3, '2001:db8::/32', '2001:db8::/32'), (4, '2001:DB8:0::1', '2001:db8::1/128'),
    (5, '0.0.0.0/0', '0.0.0.0/0'), (6, '::/0', '::/0'), (7, '::ffff:192.0.2.0/120', '192.0.2.0/24'),
    (8, '::ffff:10.1.2.3', '10.1.2.3/32'), (9, '::ffff:0:0/96', '0.0.0.0/0'),
    (10, '::/64', '::/64')) AS v (n, given, kept);
SELECT is((pg_temp.key_in('sorted', ARRAY['2001:db8::/32', '10.1.0.0/16', '10.1.0.0/16', '9.0.0.0/8'])).networks,
    '{9.0.0.0/8,10.1.0.0/16,2001:db8::/32}'::cidr[], 'sorted, each once');
SELECT is((pg_temp.key_in('anywhere', NULL)).networks, NULL, 'none: everywhere');
SELECT is(cardinality((pg_temp.key_in('many', ARRAY(SELECT '10.0.0.' || i FROM generate_series(1, 200) AS i))).networks),
    200, '200 of them');
SELECT throws_ok(format('SELECT pg_temp.key_in(%L, %L)', 'bad', v.networks), '22023', v.message, v.message)
FROM (VALUES ('{}'::text[], 'networks must be 1 to 200 networks, or null for everywhere'),
    (ARRAY(SELECT '10.0.0.' || i FROM generate_series(1, 201) AS i), 'networks must be 1 to 200 networks, or null for everywhere'),
    (ARRAY['192.0.2.7/24'], '"192.0.2.7/24" has bits to the right of its mask; its network is 192.0.2.0/24'),
    (ARRAY['2001:db8::1/32'], '"2001:db8::1/32" has bits to the right of its mask; its network is 2001:db8::/32'),
    (ARRAY[NULL], '"null" is not a network, such as 192.0.2.0/24 or 2001:db8::/32')) AS v (networks, message);
SELECT throws_ok(format('SELECT pg_temp.key_in(%L, %L)', 'bad', ARRAY['192.0.2.0/24', given]), '22023',
    format('"%s" is not a network, such as 192.0.2.0/24 or 2001:db8::/32', left(given, 60)), 'not ' || left(given, 30))
FROM unnest(ARRAY['', ' ', '10', '10.1', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.256', '::/129', 'fe80::1%eth0',
    'example.com', '192.0.2.0/24,10.0.0.0/8', '192.0.2.0/255.255.255.0', repeat('1', 100)]) AS given;
CREATE FUNCTION pg_temp.column_of_error() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    name text;
BEGIN
    PERFORM pg_temp.key_in('bad', '{x}');
    RETURN NULL;
EXCEPTION WHEN invalid_parameter_value THEN
    GET STACKED DIAGNOSTICS name = COLUMN_NAME;
    RETURN name;
END
$$;
SELECT is(pg_temp.column_of_error(), 'networks', 'the parameter at fault is named');
SELECT throws_ok(format('UPDATE sluice.api_key SET networks = %L WHERE name = %L', v.networks, 'sorted'), '23514',
    NULL, v.what)
FROM (VALUES ('{}'::cidr[], 'nor does the table take an empty list'), ('{10.0.0.0/8,NULL}', 'a null in it'),
    ('{{10.0.0.0/8},{11.0.0.0/8}}', 'a list of lists')) AS v (networks, what);

-- ---- changing them ----
CREATE FUNCTION pg_temp.id_of(name text) RETURNS bigint LANGUAGE sql
RETURN (SELECT k.id FROM sluice.api_key AS k WHERE k.name = id_of.name);
SELECT is((sluice.key_networks('olga', pg_temp.id_of('anywhere'), '{10.0.0.0/8}')).networks, '{10.0.0.0/8}'::cidr[], 'set');
SELECT is((sluice.key_networks('olga', pg_temp.id_of('anywhere'), '{10.0.0.0/8}')).networks, '{10.0.0.0/8}'::cidr[], 'again');
SELECT is((sluice.key_networks('paul', pg_temp.id_of('anywhere'), '{::/0,10.0.0.0/8}')).networks, '{10.0.0.0/8,::/0}'::cidr[], 'changed');
SELECT is((sluice.key_networks('paul', pg_temp.id_of('anywhere'), NULL)).networks, NULL, 'lifted');
SELECT results_eq($$ SELECT a.actor, a.object_kind, a.object_id, a.details - 'display' FROM sluice.audit_log AS a
    WHERE a.action = 'key_networks' ORDER BY a.id $$, $$
    SELECT v.actor, 'api_key', pg_temp.id_of('anywhere')::text, v.details::jsonb FROM (VALUES
        ('olga', '{"old_networks": null, "networks": ["10.0.0.0/8"]}'),
        ('paul', '{"old_networks": ["10.0.0.0/8"], "networks": ["10.0.0.0/8", "::/0"]}'),
        ('paul', '{"old_networks": ["10.0.0.0/8", "::/0"], "networks": null}')) AS v (actor, details) $$,
    'the audit log has old and new, of what changed');
SELECT is((SELECT a.details -> 'networks' FROM sluice.audit_log AS a
    WHERE a.action = 'key_create' AND a.object_id = pg_temp.id_of('k7')::text), '["192.0.2.0/24"]'::jsonb,
    'also of a new key');
SELECT throws_ok('SELECT sluice.key_networks(''op'', 0, ''{10.0.0.0/8}'')', 'P0002', 'key 0 does not exist', 'no such key');
SELECT throws_ok('SELECT sluice.key_networks('''', pg_temp.id_of(''anywhere''), NULL)', '22023', NULL, 'no actor');
SELECT is(has_function_privilege(r, 'sluice.key_networks(text, bigint, text[])', 'EXECUTE'), r = 'sluice_admin',
    r || ' may change them or not')
FROM unnest(ARRAY['sluice_admin', 'sluice_intake', 'sluice_settings', 'sluice_reader', 'public']) AS r;

-- ---- intake ----
SELECT pg_temp.key_in('listed', '{192.0.2.0/24,2001:db8::/32}');
SELECT sluice.key_create('op', 'Networks', 'with secret', NULL, pg_temp.hash('with secret'), U&'sk_abcd\2026wxyz',
    pg_temp.hash('whs'), NULL, NULL, networks => '{192.0.2.0/24}');
SELECT sluice.key_create('op', 'Networks', 'orgs', 'product_orgs', pg_temp.hash('orgs'), U&'sk_abcd\2026wxyz',
    NULL, NULL, '{"product_org_id": "id"}', networks => '{192.0.2.0/24}');

CREATE FUNCTION pg_temp.outcome(key text, address inet, secret text DEFAULT NULL, orgs boolean DEFAULT NULL)
RETURNS sluice.intake_outcome LANGUAGE sql AS $$
    SELECT i.outcomes[1] FROM sluice.intake(ARRAY[pg_temp.sender(key, secret, orgs)], addresses => ARRAY[address]) AS i
$$;
SELECT is(pg_temp.outcome(v.key, v.address, v.secret, v.orgs), v.outcome::sluice.intake_outcome,
    format('%s from %s', v.key, v.address))
FROM (VALUES ('listed', inet '192.0.2.255', NULL, NULL::boolean, 'accepted'), ('listed', '192.0.3.0', NULL, NULL, 'wrong_network'),
    ('listed', '2001:db8:ffff::1', NULL, NULL, 'accepted'), ('listed', '2001:db9::', NULL, NULL, 'wrong_network'),
    ('listed', NULL, NULL, NULL, 'wrong_network'), ('k6', '192.0.2.1', NULL, NULL, 'wrong_network'),
    ('k5', '2001:db8::1', NULL, NULL, 'wrong_network'), ('k5', '203.0.113.1', NULL, NULL, 'accepted'),
    ('anywhere', NULL, NULL, NULL, 'accepted'), ('with secret', '198.51.100.1', NULL, NULL, 'secret_missing'),
    ('with secret', '198.51.100.1', 'wrong', NULL, 'secret_wrong'), ('with secret', '198.51.100.1', 'whs', NULL, 'wrong_network'),
    ('with secret', '192.0.2.1', 'whs', NULL, 'accepted'), ('listed', '198.51.100.1', NULL, true, 'wrong_endpoint'),
    ('unheard of', '192.0.2.1', NULL, NULL, 'unknown_key')) AS v (key, address, secret, orgs, outcome);

SELECT is((SELECT i.outcomes FROM sluice.intake(ARRAY[pg_temp.sender('anywhere'), pg_temp.sender('listed')],
    ARRAY[pg_temp.signal('{"sender": 1}')]) AS i), NULL, 'without addresses nothing is done for a key with networks');
SELECT is(sluice.intake_ordinary(ARRAY[pg_temp.sender('listed')], ARRAY[pg_temp.signal('{}')], false, false), NULL,
    'nor by the short function');
SELECT is((SELECT i.outcomes FROM sluice.intake(ARRAY[pg_temp.sender('with secret'), pg_temp.sender('anywhere')]) AS i),
    '{secret_missing,accepted}'::sluice.intake_outcome[], 'a stranger does not learn of the networks');
SELECT is_empty('SELECT FROM sluice.signal', 'nothing is stored');

CREATE TEMPORARY TABLE mixed AS SELECT * FROM sluice.intake(
    ARRAY[pg_temp.sender('listed'), pg_temp.sender('listed'), pg_temp.sender('orgs', NULL, true, 0),
        pg_temp.sender('orgs', NULL, true, 0)],
    ARRAY[pg_temp.signal('{"sender": 1, "message_id": "m"}'), pg_temp.signal('{"sender": 2, "message_id": "m"}')],
    rejects => ARRAY[ROW(1, 'r', 0, 1, 'item', 'not_an_object', 'd', NULL, '1', NULL, NULL),
        ROW(2, 'r', 0, 1, 'item', 'not_an_object', 'd', NULL, '1', NULL, NULL)]::sluice.intake_reject[],
    addresses => '{198.51.100.1,192.0.2.1,198.51.100.1,192.0.2.1}');
SELECT is(outcomes, '{wrong_network,accepted,wrong_network,other_template}'::sluice.intake_outcome[],
    'a key from two addresses') FROM mixed;
SELECT is(ids[1], NULL, 'refused, it gets no id') FROM mixed;
SELECT isnt(ids[2], NULL, 'accepted, it does') FROM mixed;
SELECT is(templates, ARRAY[NULL, NULL, NULL, '{"product_org_id": "id"}'], 'and no template') FROM mixed;
SELECT is((SELECT count(*) FROM sluice.rejected_payload), 1::bigint, 'nor are its rejects kept');
SELECT is((SELECT i.ids FROM sluice.intake(ARRAY[pg_temp.sender('listed')],
    ARRAY[pg_temp.signal('{"message_id": "m"}')], addresses => '{198.51.100.1}') AS i), NULL,
    'nor does it learn the id of a delivery');

SELECT * FROM finish();
ROLLBACK;
