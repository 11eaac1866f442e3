-- The tables refuse by themselves what the functions refuse: constraints at their edges.
BEGIN;
SELECT plan(50);
\ir helper.psql

INSERT INTO sluice.organization (name, created_by) VALUES ('Edges', 'tester'), ('Others', 'tester');
CREATE FUNCTION pg_temp.edges() RETURNS bigint LANGUAGE sql
    AS $$ SELECT id FROM sluice.organization WHERE name = 'Edges' $$;
CREATE FUNCTION pg_temp.others() RETURNS bigint LANGUAGE sql
    AS $$ SELECT id FROM sluice.organization WHERE name = 'Others' $$;

-- names of organizations, members, keys; actors
PREPARE organization(text) AS INSERT INTO sluice.organization (name, created_by) VALUES ($1,
    'tester');
SELECT lives_ok($$ EXECUTE organization('x') $$, 'organization name of 1 character');
SELECT lives_ok(format('EXECUTE organization(%L)', repeat('x', 199)), 'of 199');
SELECT lives_ok(format('EXECUTE organization(%L)', repeat(U&'\+01F600', 200)),
    'of 200, counted in characters');
SELECT throws_ok(format('EXECUTE organization(%L)', repeat('x', 201)), '23514', NULL, 'of 201');
SELECT throws_ok($$ EXECUTE organization('') $$, '23514', NULL, 'of none');
SELECT throws_ok($$ EXECUTE organization(NULL) $$, '23502', NULL, 'null');
SELECT throws_ok($$ EXECUTE organization(E'a\nb') $$, '23514', NULL, 'with a control character');
SELECT throws_ok($$ EXECUTE organization('Edges') $$, '23505', NULL, 'taken');

PREPARE member(bigint, text, text) AS
    INSERT INTO sluice.member (organization_id, user_name, role, added_by)
    VALUES ($1, $2, $3::sluice.member_role, 'tester');
SELECT lives_ok($$ EXECUTE member(pg_temp.edges(), 'a', 'owner') $$, 'an owner');
SELECT throws_ok($$ EXECUTE member(pg_temp.edges(), 'b', 'owner') $$, '23505', NULL,
    'a second owner');
SELECT lives_ok($$ EXECUTE member(pg_temp.others(), 'a', 'owner') $$,
    'the same user owns another organization');
SELECT lives_ok($$ EXECUTE member(pg_temp.edges(), 'b', 'admin') $$, 'an admin');
SELECT lives_ok($$ EXECUTE member(pg_temp.edges(), 'c', 'admin') $$, 'a second admin');
SELECT throws_ok($$ EXECUTE member(pg_temp.edges(), 'b', 'viewer') $$, '23505', NULL,
    'a second role for one user');
SELECT throws_ok($$ UPDATE sluice.member SET role = 'owner'
    WHERE organization_id = pg_temp.edges() AND user_name = 'b' $$, '23505', NULL,
    'a second owner by update');
SELECT throws_ok($$ EXECUTE member(pg_temp.edges(), '', 'viewer') $$, '23514', NULL,
    'no user name');
SELECT lives_ok(format('EXECUTE member(pg_temp.edges(), %L, %L)', repeat('u', 200), 'viewer'),
    'user name of 200');
SELECT throws_ok(format('EXECUTE member(pg_temp.edges(), %L, %L)', repeat('u', 201), 'viewer'),
    '23514', NULL, 'of 201');
SELECT throws_ok($$ EXECUTE member(pg_temp.edges(), 'd', 'king') $$, '22P02', NULL, 'unknown role');
SELECT throws_ok($$ SELECT sluice.member_add('t', 'Nowhere', 'd', 'viewer') $$, 'P0002', NULL,
    'unknown organization');

CREATE FUNCTION pg_temp.insert_key(name text DEFAULT 'k' || random(), endpoint text DEFAULT 'signal_staging',
    key_hash bytea DEFAULT sha256(random()::text::bytea),
    display text DEFAULT U&'sk_aZ09\2026zA90', secret_hash bytea DEFAULT NULL,
    expires_at timestamptz DEFAULT NULL, template jsonb DEFAULT NULL,
    deactivated_at timestamptz DEFAULT NULL, deactivated_by text DEFAULT NULL) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO sluice.api_key (organization_id, name, endpoint_type, key_hash, display, secret_hash,
        expires_at, payload_template, created_by, deactivated_at, deactivated_by)
    VALUES (pg_temp.edges(), name, endpoint::sluice.endpoint_type, key_hash, display, secret_hash,
        expires_at, template, 'tester', deactivated_at, deactivated_by)
$$;
SELECT lives_ok($$ SELECT pg_temp.insert_key() $$, 'a key');
SELECT lives_ok(format('SELECT pg_temp.insert_key(%L)', repeat('k', 200)), 'key name of 200');
SELECT throws_ok(format('SELECT pg_temp.insert_key(%L)', repeat('k', 201)), '23514', NULL,
    'of 201');
SELECT throws_ok($$ SELECT pg_temp.insert_key('') $$, '23514', NULL, 'of none');
SELECT throws_ok($$ SELECT pg_temp.insert_key(key_hash => decode(repeat('00', 31), 'hex')) $$,
    '23514', NULL, 'key hash of 31 bytes');
SELECT lives_ok($$ SELECT pg_temp.insert_key(key_hash => decode(repeat('00', 32), 'hex')) $$,
    'of 32');
SELECT throws_ok($$ SELECT pg_temp.insert_key(key_hash => decode(repeat('00', 33), 'hex')) $$,
    '23514', NULL, 'of 33');
SELECT throws_ok($$ SELECT pg_temp.insert_key(key_hash => NULL) $$, '23502', NULL, 'null');
SELECT throws_ok($$ SELECT pg_temp.insert_key(key_hash => decode(repeat('00', 32), 'hex')) $$,
    '23505', NULL, 'a key hash that is there');
SELECT throws_ok($$ SELECT pg_temp.insert_key(secret_hash => decode(repeat('00', 31), 'hex')) $$,
    '23514', NULL, 'secret hash of 31 bytes');
SELECT lives_ok($$ SELECT pg_temp.insert_key(secret_hash => decode(repeat('00', 32), 'hex')) $$,
    'of 32');
SELECT throws_ok($$ SELECT pg_temp.insert_key(secret_hash => decode(repeat('00', 33), 'hex')) $$,
    '23514', NULL, 'of 33');
SELECT throws_ok($$ SELECT pg_temp.insert_key(display => U&'sk_aaaaa\2026zzzz') $$, '23514', NULL,
    'a display that shows one character too many');
SELECT throws_ok($$ SELECT pg_temp.insert_key(display => 'sk_0123456789abcdefghijklmnopqrstuvwxyzAB') $$,
    '23514', NULL, 'a whole key as display');
SELECT throws_ok($$ SELECT pg_temp.insert_key(expires_at => 'infinity') $$, '23514', NULL,
    'an infinite expiration');
SELECT throws_ok($$ SELECT pg_temp.insert_key(template => '{"product_org_id": "a"}') $$, '23514', NULL,
    'a template for signals');
SELECT throws_ok($$ SELECT pg_temp.insert_key(endpoint => 'product_orgs') $$, '23514', NULL,
    'no template for product orgs');
SELECT lives_ok($$ SELECT pg_temp.insert_key(endpoint => 'product_orgs',
    template => '{"product_org_id": "a"}') $$, 'a template for product orgs');
SELECT throws_ok($$ SELECT pg_temp.insert_key(endpoint => 'product_orgs', template => '{"name": "a"}') $$,
    '23514', NULL, 'one without product_org_id');
SELECT throws_ok($$ SELECT pg_temp.insert_key(endpoint => 'product_orgs',
    template => '{"product_org_id": null}') $$, '23514', NULL, 'one where it is null');
SELECT throws_ok($$ SELECT pg_temp.insert_key(endpoint => 'product_orgs',
    template => '["product_org_id"]') $$, '23514', NULL, 'one that is an array');
SELECT throws_ok($$ SELECT pg_temp.insert_key(deactivated_at => now()) $$, '23514', NULL,
    'deactivated by nobody');
SELECT throws_ok($$ SELECT pg_temp.insert_key(deactivated_by => 'x') $$, '23514', NULL,
    'deactivated at no time');

PREPARE audit(text, jsonb) AS
    INSERT INTO sluice.audit_log (organization_id, actor, action, object_kind, object_id, details)
    VALUES (pg_temp.edges(), $1, 'test', 'test', '1', $2);
SELECT throws_ok($$ EXECUTE audit('', '{}') $$, '23514', NULL, 'nobody as actor');
SELECT throws_ok($$ EXECUTE audit('a', '[]') $$, '23514', NULL, 'details that are no object');
SELECT lives_ok($$ EXECUTE audit('a', '{}') $$, 'an audit row');

PREPARE migration(integer, bytea) AS
    INSERT INTO sluice.schema_migration (version, name, checksum) VALUES ($1, 'n', $2);
SELECT throws_ok($$ EXECUTE migration(0, decode(repeat('00', 32), 'hex')) $$, '23514', NULL,
    'migration 0');
SELECT throws_ok($$ EXECUTE migration(9999, decode(repeat('00', 31), 'hex')) $$, '23514', NULL,
    'a checksum of 31 bytes');

PREPARE signal(jsonb) AS
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
        request_id, payload)
    VALUES (1, 1, now(), now(), 1, 'generic', 'r', $1);
SELECT throws_ok($$ EXECUTE signal(NULL) $$, '23502', NULL, 'a signal without payload');
SELECT throws_ok($$ INSERT INTO sluice.usage_month VALUES (1, '2026-11-01', -1, 0) $$, '23514', NULL,
    'negative usage');

SELECT * FROM finish();
ROLLBACK;
