-- Finding a key by its hash.
BEGIN;
SELECT plan(6);
\ir helper.psql

SELECT sluice.organization_create('op', 'Finding') AS mine \gset
SELECT sluice.organization_create('op', 'Other') AS other \gset
SELECT pg_temp.make_key('Finding', 'sought') AS sought \gset
SELECT pg_temp.make_key('Other', 'foreign') AS foreign_key \gset
SELECT sluice.member_add('op', 'Finding', 'finder', 'editor');

SELECT is((sluice.key_find(pg_temp.hash('sought'))).id, :sought::bigint, 'by its hash');
SELECT throws_ok($$ SELECT sluice.key_find(sha256('none')) $$, 'P0002', 'this key does not exist', 'none');
SELECT throws_ok('SELECT sluice.key_find(NULL)', 'P0002', 'this key does not exist', 'of nothing');
SELECT is((sluice.settings_key_find('finder', NULL, pg_temp.hash('sought'))).id, :sought::bigint, 'a member');
SELECT throws_ok($$ SELECT sluice.settings_key_find('finder', NULL, pg_temp.hash('foreign')) $$, 'P0002',
    'this key does not exist', 'not another organization''s');
SELECT sluice.key_deactivate('op', :sought);
SELECT is((sluice.key_find(pg_temp.hash('sought'))).status, 'deactivated', 'a deactivated one');

SELECT * FROM finish();
ROLLBACK;
