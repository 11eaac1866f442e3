-- Organizations and members by their functions, with errors and audit rows.
BEGIN;
SELECT plan(57);
\ir helper.psql

CREATE TEMPORARY TABLE created AS
    SELECT n AS name, sluice.organization_create('op', n) AS id FROM unnest(ARRAY['Zeta', 'Alpha']) AS n;
SELECT set_eq('SELECT id, name FROM created',
    $$ SELECT id, name FROM sluice.organization WHERE created_by = 'op' $$,
    'organization_create returns the id');
SELECT is(array_agg(name ORDER BY id), ARRAY['Zeta', 'Alpha'], 'both are there')
FROM sluice.organization WHERE created_by = 'op';
SELECT results_eq($$ SELECT name, created_by, members, keys FROM sluice.organization_list()
    WHERE created_by = 'op' $$,
    $$ VALUES ('Alpha', 'op', 0::bigint, 0::bigint), ('Zeta', 'op', 0, 0) $$,
    'organization_list is sorted by name');
SELECT results_eq($$ SELECT a.actor, a.action, a.object_kind, a.object_id = o.id::text, a.details
    FROM sluice.audit_log AS a JOIN sluice.organization AS o ON o.id = a.organization_id
    WHERE o.name = 'Zeta' $$,
    $$ VALUES ('op', 'organization_create', 'organization', true, '{"name": "Zeta"}'::jsonb) $$,
    'its audit row');

SELECT throws_ok($$ SELECT sluice.organization_create('op', 'Zeta') $$, '23505',
    'organization "Zeta" already exists', 'a second one of that name');
SELECT throws_ok($$ SELECT sluice.organization_create('op', '') $$, '22023',
    'organization name is missing', 'no name');
SELECT throws_ok($$ SELECT sluice.organization_create('op', NULL) $$, '22023',
    'organization name is missing', 'null as name');
SELECT lives_ok(format('SELECT sluice.organization_create(%L, %L)', 'op', repeat('n', 200)),
    'a name of 200 characters');
SELECT throws_ok(format('SELECT sluice.organization_create(%L, %L)', 'op', repeat('n', 201)), '22023',
    'organization name is longer than 200 characters', 'of 201');
SELECT throws_ok($$ SELECT sluice.organization_create('op', E'a\u001bb') $$, '22023',
    'organization name contains a control character', 'a terminal escape');
SELECT throws_ok($$ SELECT sluice.organization_create('', 'N') $$, '22023', 'actor is missing',
    'no actor');
SELECT throws_ok($$ SELECT sluice.organization_create(NULL, 'N') $$, '22023', 'actor is missing',
    'null as actor');
SELECT throws_ok(format('SELECT sluice.organization_create(%L, %L)', repeat('a', 201), 'N'), '22023',
    'actor is longer than 200 characters', 'an actor of 201');
SELECT is_empty($$ SELECT FROM sluice.organization WHERE name IN ('N', '') $$,
    'what was refused is not there');

-- ---- another name ----
SELECT is(sluice.organization_rename('op', 'Alpha', 'Beta'), o.id, 'its id stays')
FROM sluice.organization AS o WHERE o.name = 'Alpha';
SELECT results_eq($$ SELECT a.details FROM sluice.audit_log AS a JOIN sluice.organization AS o
    ON o.id = a.organization_id WHERE o.name = 'Beta' AND a.action = 'organization_rename' $$,
    $$ VALUES ('{"old_name": "Alpha", "name": "Beta"}'::jsonb) $$, 'its audit row');
SELECT throws_ok($$ SELECT sluice.organization_rename('op', 'Beta', 'Zeta') $$, '23505',
    'organization "Zeta" already exists', 'a name that is taken');
SELECT throws_ok($$ SELECT sluice.organization_rename('op', 'Alpha', 'N') $$, 'P0002',
    'organization "Alpha" does not exist', 'one that is not there');
SELECT throws_ok($$ SELECT sluice.organization_rename('op', 'Beta', '') $$, '22023',
    'organization name is missing', 'no name');
SELECT lives_ok($$ SELECT sluice.organization_rename('op', 'Beta', 'Alpha') $$, 'and back');

-- ---- names: no white space at the ends, and unique in whatever case ----
SELECT throws_ok($$ SELECT sluice.organization_create('op', 'zETA') $$, '23505',
    'organization "Zeta" already exists', 'the name of another in another case');
SELECT throws_ok($$ SELECT sluice.organization_create('op', E'\u00a0Zeta\n') $$, '23505',
    'organization "Zeta" already exists', 'with white space at its ends');
SELECT throws_ok($$ SELECT sluice.organization_create('op', E' \t\u3000') $$, '22023',
    'organization name is missing', 'nothing but white space');
SELECT throws_ok($$ SELECT sluice.organization_rename('op', 'Alpha', 'ZETA ') $$, '23505',
    'organization "Zeta" already exists', 'nor by another name');
SELECT lives_ok($$ SELECT sluice.organization_rename('op', 'Alpha', ' ALPHA ') $$,
    'its own name in another case');
SELECT is(count(*), 1::bigint, 'without the blanks') FROM sluice.organization WHERE name = 'ALPHA';
SELECT lives_ok($$ SELECT sluice.organization_rename('op', 'ALPHA', 'Alpha') $$, 'and back');
SELECT lives_ok($$ SELECT sluice.organization_create('op', E' Two\u2003 words ') $$, 'a new one');
SELECT is(count(*), 1::bigint, 'what is inside stays') FROM sluice.organization
WHERE name = E'Two\u2003 words';

-- ---- members ----
SELECT lives_ok(format('SELECT sluice.member_add(%L, %L, %L, %L)', 'op', 'Zeta', u, r),
    format('%s as %s', u, r))
FROM (VALUES ('vera', 'viewer'), ('olga', 'owner'), ('ada', 'admin'), ('eva', 'editor'), ('abe', 'admin'))
    AS m (u, r);
SELECT results_eq($$ SELECT user_name, role, added_by FROM sluice.member_list('Zeta') $$,
    $$ VALUES ('olga', 'owner', 'op'), ('abe', 'admin', 'op'), ('ada', 'admin', 'op'),
        ('eva', 'editor', 'op'), ('vera', 'viewer', 'op') $$, 'member_list, the owner first');
SELECT is_empty($$ SELECT * FROM sluice.member_list('Alpha') $$, 'an organization without members');
SELECT is((SELECT members FROM sluice.organization_list() WHERE name = 'Zeta'), 5::bigint,
    'organization_list counts them');
SELECT is((SELECT count(*) FROM sluice.audit_log WHERE action = 'member_add' AND actor = 'op'), 5::bigint,
    'an audit row each');
SELECT results_eq($$ SELECT object_kind, object_id, details FROM sluice.audit_log
    WHERE action = 'member_add' AND object_id = 'eva' $$,
    $$ VALUES ('member', 'eva', '{"role": "editor"}'::jsonb) $$, 'saying who and what');

SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', 'otto', 'owner') $$, '23505',
    'organization "Zeta" already has the owner "olga"', 'a second owner');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', 'ada', 'viewer') $$, '23505',
    'user "ada" is already a member of organization "Zeta"', 'a member again');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', 'olga', 'owner') $$, '23505',
    'user "olga" is already a member of organization "Zeta"', 'the owner again');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', 'x', 'king') $$, '22023',
    'role must be owner, admin, editor or viewer', 'an unknown role');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', 'x', NULL) $$, '22023',
    'role must be owner, admin, editor or viewer', 'null as role');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Nowhere', 'x', 'viewer') $$, 'P0002',
    'organization "Nowhere" does not exist', 'an unknown organization');
SELECT throws_ok($$ SELECT sluice.member_add('op', 'Zeta', '', 'viewer') $$, '22023',
    'user name is missing', 'no user');
SELECT throws_ok($$ SELECT sluice.member_add('', 'Zeta', 'x', 'viewer') $$, '22023',
    'actor is missing', 'no actor');
SELECT throws_ok($$ SELECT * FROM sluice.member_list('Nowhere') $$, 'P0002',
    'organization "Nowhere" does not exist', 'members of an unknown organization');
SELECT is((SELECT count(*) FROM sluice.audit_log WHERE action = 'member_add' AND actor = 'op'), 5::bigint,
    'what was refused has no audit row');

SELECT throws_ok($$ SELECT sluice.member_remove('op', 'Zeta', 'olga') $$, 'SL004', 'the owner cannot be removed',
    'the owner stays');
SELECT sluice.member_add('op', 'Zeta', 'otto', 'viewer');
SELECT lives_ok($$ SELECT sluice.member_role_set('op', 'Zeta', 'otto', 'owner') $$, 'another comes');
SELECT lives_ok($$ SELECT sluice.member_remove('op', 'Zeta', 'olga') $$, 'then the former owner leaves');
SELECT results_eq($$ SELECT actor, object_kind, object_id, details FROM sluice.audit_log
    WHERE action = 'member_remove' $$,
    $$ VALUES ('op', 'member', 'olga', '{"role": "admin"}'::jsonb) $$, 'with an audit row');
SELECT throws_ok($$ SELECT sluice.member_remove('op', 'Zeta', 'olga') $$, 'P0002',
    'user "olga" is not a member of organization "Zeta"', 'once only');
SELECT throws_ok($$ SELECT sluice.member_remove('op', 'Nowhere', 'olga') $$, 'P0002',
    'organization "Nowhere" does not exist', 'from an unknown organization');
SELECT throws_ok($$ SELECT sluice.member_remove(NULL, 'Zeta', 'ada') $$, '22023', 'actor is missing',
    'by nobody');
SELECT is((SELECT count(*) FROM sluice.member_list('Zeta')), 5::bigint, 'five members in the end');

SELECT * FROM finish();
ROLLBACK;
