-- API keys by their functions: creation, what is shown, deactivation, errors, audit rows.
BEGIN;
SELECT plan(87);
\ir helper.psql

SELECT sluice.organization_create('op', n) FROM unnest(ARRAY['Keys', 'Other keys']) AS n;

-- key_create with one argument out of the ordinary.
CREATE FUNCTION pg_temp.create_key(actor text DEFAULT 'op', organization text DEFAULT 'Keys',
    name text DEFAULT 'k ' || random(), endpoint text DEFAULT 'signal_staging',
    key_hash bytea DEFAULT sha256(random()::text::bytea), display text DEFAULT U&'sk_abcd\2026wxyz',
    secret_hash bytea DEFAULT NULL, expires_at timestamptz DEFAULT NULL, template jsonb DEFAULT NULL,
    id_member text DEFAULT NULL)
RETURNS sluice.key_overview LANGUAGE sql
AS $$ SELECT * FROM sluice.key_create(actor, organization, name, endpoint, key_hash, display,
    secret_hash, expires_at, template, id_member) $$;

CREATE TEMPORARY TABLE made AS SELECT * FROM pg_temp.create_key(name => 'first');
SELECT results_eq($$ SELECT organization, name, display, endpoint_type, has_secret, status, expires_at,
        created_at, created_by, last_used_at, deactivated_at, deactivated_by, payload_template
    FROM made $$,
    $$ VALUES ('Keys', 'first', U&'sk_abcd\2026wxyz', 'signal_staging', false, 'active',
        NULL::timestamptz, now(), 'op', NULL::timestamptz, NULL::timestamptz, NULL::text, NULL::jsonb) $$,
    'key_create returns the key');
SELECT results_eq('SELECT * FROM made', 'SELECT v.* FROM made, sluice.key_show(made.id) AS v',
    'key_show shows the same');
SELECT results_eq('SELECT * FROM made', $$ SELECT * FROM sluice.key_list('Keys') $$,
    'so does key_list');
SELECT columns_are('sluice', 'key_overview', ARRAY['id', 'organization', 'name', 'display',
    'endpoint_type', 'has_secret', 'status', 'expires_at', 'created_at', 'created_by', 'last_used_at',
    'deactivated_at', 'deactivated_by', 'payload_template', 'organization_id', 'last_refused_at',
    'last_refusal', 'delivery_id_member', 'networks', 'successor_of', 'successor', 'secret_made_at',
    'old_secret_until', 'secret_needed_from']);
SELECT results_eq($$ SELECT a.actor, a.object_kind, a.object_id, a.details FROM sluice.audit_log AS a
    WHERE a.action = 'key_create' AND a.organization_id
        = (SELECT id FROM sluice.organization WHERE name = 'Keys') $$,
    $$ SELECT 'op', 'api_key', id::text, jsonb_build_object('name', 'first', 'display', display,
        'endpoint_type', 'signal_staging', 'has_secret', false, 'expires_at', NULL,
        'delivery_id_member', NULL, 'networks', NULL) FROM made $$,
    'its audit row');

SELECT is((pg_temp.create_key(endpoint => NULL)).endpoint_type, 'signal_staging',
    'signal_staging is the default');
SELECT is((pg_temp.create_key(secret_hash => pg_temp.hash('s'))).has_secret, true, 'with a secret');
SELECT is((pg_temp.create_key(expires_at => now() + '1 hour')).status, 'active', 'not yet expired');
SELECT is((pg_temp.create_key(expires_at => now() + '1 us')).status, 'active',
    'a microsecond before the expiration');
SELECT throws_ok(format('SELECT pg_temp.create_key(expires_at => %L)', t), '22023',
    'expiration must be in the future', 'not at ' || t)
FROM unnest(ARRAY[now(), now() - interval '1 year']) AS t;
SELECT is((pg_temp.create_key(name => 'expiring', expires_at => now() + '1 us')).expires_at,
    now() + '1 us', 'what expires');
UPDATE sluice.api_key SET expires_at = now() WHERE name = 'expiring';
SELECT is(v.status, 'expired', 'at the expiration') FROM sluice.key_overview AS v
WHERE v.name = 'expiring';
DELETE FROM sluice.api_key WHERE name = 'expiring';
SELECT is((pg_temp.create_key(name => 'never')).expires_at, NULL, 'a key that never expires');
SELECT is((pg_temp.create_key(endpoint => 'product_orgs',
    template => '{"product_org_id": "groupId", "custom": {"a": "b.c"}}')).payload_template,
    '{"product_org_id": "groupId", "custom": {"a": "b.c"}}'::jsonb, 'a product-org key');
SELECT lives_ok(format('SELECT pg_temp.create_key(name => %L)', repeat('k', 200)), 'a name of 200');

SELECT is((pg_temp.create_key(id_member => 'event.id')).delivery_id_member, 'event.id',
    'a member with the delivery''s id');
SELECT lives_ok(format('SELECT pg_temp.create_key(id_member => %L)', repeat('m', 200)),
    'such a member of 200');
SELECT throws_ok(format('SELECT pg_temp.create_key(id_member => %L)', m.member), '22023',
    'delivery id member must be 1 to 200 characters, no control characters', m.what)
FROM (VALUES (repeat('m', 201), 'a member of 201'), ('', 'an empty member'), (E'a\tb', 'a tab in it'))
    AS m (member, what);
SELECT throws_ok(format('SELECT pg_temp.create_key(name => %L)', repeat('k', 201)), '22023',
    'key name is longer than 200 characters', 'a name of 201');
SELECT throws_ok($$ SELECT pg_temp.create_key(name => '') $$, '22023', 'key name is missing',
    'no name');
SELECT throws_ok($$ SELECT pg_temp.create_key(name => NULL) $$, '22023', 'key name is missing',
    'null as name');
SELECT throws_ok($$ SELECT pg_temp.create_key(name => E'a\tb') $$, '22023',
    'key name contains a control character', 'a tab in the name');
SELECT throws_ok($$ SELECT pg_temp.create_key(actor => '') $$, '22023', 'actor is missing',
    'no actor');
SELECT throws_ok($$ SELECT pg_temp.create_key(organization => 'Nowhere') $$, 'P0002',
    'organization "Nowhere" does not exist', 'an unknown organization');
SELECT throws_ok($$ SELECT pg_temp.create_key(organization => NULL) $$, 'P0002', NULL,
    'null as organization');
SELECT throws_ok($$ SELECT pg_temp.create_key(endpoint => 'other') $$, '22023',
    'endpoint type must be signal_staging or product_orgs', 'an unknown endpoint type');
SELECT throws_ok($$ SELECT pg_temp.create_key(key_hash => '\x00') $$, '22023',
    'key hash must be a SHA-256', 'a short hash');
SELECT throws_ok($$ SELECT pg_temp.create_key(key_hash => NULL) $$, '22023',
    'key hash must be a SHA-256', 'no hash');
SELECT throws_ok($$ SELECT pg_temp.create_key(secret_hash => '\x') $$, '22023',
    'secret hash must be a SHA-256', 'an empty secret hash');
SELECT throws_ok($$ SELECT pg_temp.create_key(display => 'sk_0123456789abcdefghijklmnopqrstuvwxyzAB') $$,
    '22023', 'display must be sk_, 4 characters, an ellipsis and 4 characters', 'a whole key');
SELECT throws_ok($$ SELECT pg_temp.create_key(display => NULL) $$,
    '22023', 'display must be sk_, 4 characters, an ellipsis and 4 characters', 'no display');
SELECT throws_ok($$ SELECT pg_temp.create_key(expires_at => '-infinity') $$, '22023',
    'expiration must be a timestamp', 'an infinite expiration');
SELECT throws_ok($$ SELECT pg_temp.create_key(template => '{"product_org_id": "a"}') $$, '22023',
    'a signal_staging key takes no payload template', 'a template for signals');
SELECT throws_ok($$ SELECT pg_temp.create_key(endpoint => 'product_orgs') $$, '22023',
    'a product_orgs key needs a payload template', 'none for product orgs');
SELECT throws_ok($$ SELECT pg_temp.create_key(endpoint => 'product_orgs', template => '"a"') $$, '22023',
    'payload template must be a JSON object', 'a template that is a string');
SELECT throws_ok($$ SELECT pg_temp.create_key(endpoint => 'product_orgs', template => '{}') $$, '22023',
    'payload template must map product_org_id', 'an empty template');
SELECT is(count(DISTINCT (k).id), 1::bigint, 'a retry returns the same key')
FROM (SELECT pg_temp.create_key(name => 'twice', key_hash => pg_temp.hash('twice')) AS k
    FROM generate_series(1, 2)) AS c;
SELECT is(count(*), 1::bigint, 'and is no change') FROM sluice.audit_log
WHERE details ->> 'name' = 'twice';
SELECT throws_ok($$ SELECT pg_temp.create_key(actor => 'other', key_hash => pg_temp.hash('twice')) $$,
    '23505', 'this key already exists', 'somebody else''s key');
UPDATE sluice.api_key SET created_at = now() - interval '1 hour' WHERE name = 'twice';
SELECT throws_ok($$ SELECT pg_temp.create_key(key_hash => pg_temp.hash('twice')) $$,
    '23505', 'this key already exists', 'and one of an hour ago');

SELECT is((SELECT keys FROM sluice.organization_list() WHERE name = 'Keys'), 11::bigint,
    'organization_list counts the keys');
SELECT lives_ok($$ SELECT pg_temp.create_key(organization => 'Other keys', name => 'theirs') $$,
    'a key of another organization');
SELECT results_eq($$ SELECT DISTINCT organization FROM sluice.key_list('Other keys') $$,
    ARRAY['Other keys'], 'each sees its own');
SELECT is((SELECT count(*) FROM sluice.key_list(NULL)),
    (SELECT count(*) FROM sluice.api_key), 'null lists all');

-- ---- names ----
SELECT (pg_temp.create_key(name => U&' Named \00c4 ')).id AS named \gset
SELECT throws_ok(format('SELECT pg_temp.create_key(name => %L)', n), 'SL005', 'another key is named "' || n || '"',
    'taken in whatever case') FROM unnest(ARRAY[U&'Named \00c4', U&'NAMED \00e4']) AS n;
SELECT lives_ok($$ SELECT pg_temp.create_key(name => U&'Named \00c4', organization => 'Other keys') $$,
    'not in another organization');
SELECT (pg_temp.create_key(name => 'another')).id AS another \gset
SELECT throws_ok(format($$ SELECT sluice.key_edit('op', %s, U&'named \00e4', NULL, NULL) $$, :another), 'SL005',
    NULL, 'nor by editing');
SELECT lives_ok(format($$ SELECT sluice.key_edit('op', %s, U&'NAMED \00c4', NULL, NULL) $$, :named),
    'its own name in another case');
SELECT (sluice.key_rotate('op', :named, sha256('successor'), U&'sk_abcd\2026wxyz', NULL)).id AS successor \gset
SELECT is((sluice.key_show(:successor)).name, U&'NAMED \00c4', 'a successor shares it');
SELECT lives_ok(format($$ SELECT sluice.key_edit('op', %s, U&'Named \00c4', NULL, NULL) $$, :successor),
    'and may write it in another case');
SELECT sluice.key_deactivate('op', :successor);
SELECT throws_ok($$ SELECT pg_temp.create_key(name => U&'Named \00c4') $$, 'SL005', NULL, 'the old key has it still');
SELECT sluice.key_deactivate('op', :named);
SELECT lives_ok($$ SELECT pg_temp.create_key(name => U&'Named \00c4') $$, 'deactivated keys free it');

-- Not by a statement of a DBA's own either.
SELECT sluice.organization_create('op', 'Plain') AS plain \gset
SELECT sluice.organization_create('op', 'Moved') AS moved \gset
CREATE FUNCTION pg_temp.insert_key(its_name text, at_ timestamptz DEFAULT NULL, old bigint DEFAULT NULL,
    organization text DEFAULT 'Plain') RETURNS bigint LANGUAGE sql AS $$
    INSERT INTO sluice.api_key (organization_id, name, key_hash, display, created_by, deactivated_at,
        deactivated_by, successor_of, delivery_scope)
    SELECT o.id, its_name, sha256(random()::text::bytea), U&'sk_abcd\2026wxyz', 'dba', at_,
        CASE WHEN at_ IS NOT NULL THEN 'dba' END, old, old
    FROM sluice.organization AS o WHERE o.name = organization
    RETURNING id
$$;
SELECT pg_temp.insert_key(U&'Pl\00e4in') AS first \gset
SELECT throws_ok($$ SELECT pg_temp.insert_key(U&'PL\00c4IN') $$, '23P01', NULL, 'a second key');
SELECT lives_ok($$ SELECT pg_temp.insert_key(U&'pl\00e4in', organization => 'Moved') $$, 'elsewhere');
SELECT lives_ok($$ SELECT pg_temp.insert_key('other') $$, 'of another name');
SELECT throws_ok($$ UPDATE sluice.api_key SET name = U&'pl\00e4in' WHERE name = 'other' $$, '23P01', NULL,
    'by renaming');
SELECT throws_ok(format('UPDATE sluice.api_key SET organization_id = %s WHERE id = %s', :moved, :first), '23P01',
    NULL, 'by moving');
SELECT lives_ok($$ SELECT pg_temp.insert_key(U&'pl\00e4in', now()) $$, 'a deactivated one may have it');
SELECT throws_ok(format('UPDATE sluice.api_key SET deactivated_at = NULL, deactivated_by = NULL '
    'WHERE organization_id = %s AND deactivated_at IS NOT NULL', :plain), '23P01', NULL, 'until it is active again');
UPDATE sluice.api_key SET expires_at = now() WHERE id = :first;
SELECT throws_ok($$ SELECT pg_temp.insert_key(U&'pl\00e4in') $$, '23P01', NULL, 'an expired one keeps it');
SELECT lives_ok(format($$ SELECT pg_temp.insert_key(U&'pl\00e4in', NULL, %s) $$, :first), 'a successor');
SELECT lives_ok(format($$ SELECT pg_temp.insert_key(U&'pl\00e4in', NULL, %s) $$, :first), 'and another');
UPDATE sluice.api_key SET deactivated_at = now(), deactivated_by = 'dba' WHERE id = :first;
SELECT throws_ok($$ SELECT pg_temp.insert_key(U&'pl\00e4in') $$, '23P01', NULL, 'successors keep it');
UPDATE sluice.api_key SET deactivated_at = now(), deactivated_by = 'dba' WHERE organization_id = :plain;
SELECT lives_ok($$ SELECT pg_temp.insert_key(U&'pl\00e4in') $$, 'without any it is free');

-- ---- in parts ----
SELECT sluice.organization_create('op', 'Parts') AS parts \gset
SELECT pg_temp.create_key(organization => 'Parts', name => 'part ' || n, actor => 'op' || n % 2)
FROM generate_series(1, 7) AS n;
SELECT sluice.key_deactivate('op', k.id) FROM sluice.api_key AS k
WHERE k.organization_id = :parts AND k.name = 'part 2';
UPDATE sluice.api_key SET expires_at = now() WHERE organization_id = :parts AND name = 'part 3';
CREATE FUNCTION pg_temp.listed(before text DEFAULT NULL, max_rows integer DEFAULT NULL,
    match text DEFAULT NULL, endpoint_type text DEFAULT NULL, status text DEFAULT NULL)
RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(substr(k.name, 6), ' ') FROM sluice.key_list('Parts', (SELECT a.id
        FROM sluice.api_key AS a WHERE a.name = 'part ' || before), max_rows, match, endpoint_type,
        status) AS k
$$;
SELECT is(pg_temp.listed(), '7 6 5 4 3 2 1', 'all, the newest first');
SELECT is(pg_temp.listed(max_rows => 3), '7 6 5', 'the first part');
SELECT is(pg_temp.listed('5', 3), '4 3 2', 'the next one');
SELECT pg_temp.create_key(organization => 'Parts', name => 'part 8');
SELECT is(pg_temp.listed('2', 3), '1', 'what has come meanwhile moves nothing');
SELECT is(pg_temp.listed(match => 'PART 4'), '4', 'a name in whatever case');
SELECT is(pg_temp.listed(match => 'op0'), '6 4 2', 'who created it');
SELECT is(pg_temp.listed(match => U&'abcd\2026', max_rows => 2), '8 7', 'what may be shown');
SELECT is(string_agg(pg_temp.listed(status => s), ';' ORDER BY s), '8 7 6 5 4 1;2;3', 'by status')
FROM unnest(ARRAY['active', 'deactivated', 'expired']) AS s;
SELECT is(pg_temp.listed(endpoint_type => 'product_orgs'), NULL, 'by endpoint type');
SELECT is_empty($$ SELECT v.name FROM sluice.key_overview AS v
    WHERE NOT EXISTS (SELECT FROM sluice.key_list(NULL, v.id + 1, 1, status => v.status) AS k
        WHERE k.id = v.id) $$, 'each key is in the list of its status');
SELECT throws_ok($$ SELECT * FROM sluice.key_list('Nowhere') $$, 'P0002',
    'organization "Nowhere" does not exist', 'keys of an unknown organization');
SELECT throws_ok($$ SELECT * FROM sluice.key_show(0) $$, 'P0002', 'key 0 does not exist',
    'an unknown key');

-- ---- deactivation ----
CREATE TEMPORARY TABLE gone AS
    SELECT v.* FROM made, sluice.key_deactivate('first actor', made.id) AS v;
SELECT results_eq($$ SELECT status, deactivated_by, deactivated_at BETWEEN now() AND clock_timestamp()
    FROM gone $$, $$ VALUES ('deactivated', 'first actor', true) $$, 'key_deactivate');
SELECT results_eq($$ SELECT v.* FROM made, sluice.key_deactivate('second actor', made.id) AS v $$,
    'SELECT * FROM gone', 'again: keeps the first instant and actor');
SELECT results_eq($$ SELECT a.actor, a.object_kind, a.details FROM sluice.audit_log AS a
    JOIN made ON a.object_id = made.id::text WHERE a.action = 'key_deactivate' $$,
    $$ SELECT 'first actor', 'api_key', jsonb_build_object('display', display) FROM made $$,
    'one audit row');
SELECT throws_ok($$ SELECT sluice.key_deactivate('op', 0) $$, 'P0002', 'key 0 does not exist',
    'an unknown key cannot be deactivated');
SELECT throws_ok($$ SELECT sluice.key_deactivate(NULL, 0) $$, '22023', 'actor is missing',
    'nor by nobody');
SELECT is((SELECT keys FROM sluice.organization_list() WHERE name = 'Keys'), 12::bigint,
    'a deactivated key is not counted');

SELECT is_empty($$ SELECT a.details FROM sluice.audit_log AS a
    JOIN sluice.api_key AS k ON a.object_id = k.id::text
    WHERE a.details::text ~* encode(k.key_hash, 'hex')
        OR a.details::text ~* coalesce(encode(k.secret_hash, 'hex'), 'none')
        OR a.details::text ~ 'sk_[0-9A-Za-z]{5}|whs_' $$,
    'the audit log holds no secret and no hash');

SELECT * FROM finish();
ROLLBACK;
