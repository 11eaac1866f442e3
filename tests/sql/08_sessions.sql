-- What two sessions see of each other: nobody waits for a row, and a deactivation takes effect at
-- once, also inside a transaction that is open already.
--
-- The other session is a second psql with the same connection settings. Works with committed rows,
-- as it must; the scratch database goes away anyhow.
SELECT plan(11);
\ir helper.psql

SELECT sluice.organization_create('op', 'Sessions');
SELECT pg_temp.make_key('Sessions', 'shared');
CREATE TEMPORARY TABLE answer (text text);

-- One request with one item by the other session, which would rather fail than wait.
\set other 'psql -XqAtc "SET statement_timeout = 10000; SELECT (sluice.intake('
\set other :other 'ARRAY[ROW(sha256(''shared''),NULL,false,NULL)::sluice.intake_sender], ARRAY[ROW(1,''r'','
\set other :other '''s'',NULL,NULL,''a@b.c'',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,''{}'',NULL,'
\set other :other 'NULL,NULL,false,NULL)::sluice.intake_signal])).outcomes" 2>&1'

-- ---- the first use: both note it ----
BEGIN;
SELECT is((pg_temp.intake(ARRAY['shared'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[],
    'a first use, not yet committed');
\set copy_other '\\copy answer from program ' :'other'
:copy_other
SELECT results_eq('SELECT text FROM answer', ARRAY['{accepted}'],
    'another one of the same key does not wait');
COMMIT;
SELECT is((SELECT count(*) FROM sluice.key_use), 2::bigint, 'they added a row each');
TRUNCATE answer;

-- ---- a later use: both note it ----
UPDATE sluice.key_use SET used_at = now() - interval '1 hour';
BEGIN;
SELECT is((pg_temp.intake(ARRAY['shared'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[],
    'a later use, not yet committed');
:copy_other
SELECT results_eq('SELECT text FROM answer', ARRAY['{accepted}'], 'another one does not wait either');
COMMIT;
SELECT is((SELECT count(*) FROM sluice.key_use WHERE used_at > now() - interval '1 minute'),
    2::bigint, 'both were noted');
TRUNCATE answer;

-- ---- used a moment ago: nothing to write ----
CREATE TEMPORARY TABLE noted AS SELECT ctid AS place, * FROM sluice.key_use;
SELECT is((pg_temp.intake(ARRAY['shared'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[],
    'used again at once');
SELECT set_eq('SELECT ctid AS place, * FROM sluice.key_use', 'SELECT * FROM noted',
    'last use is not written again within the minute');

-- ---- deactivation by another session ----
BEGIN;
SELECT is((pg_temp.intake(ARRAY['shared'], ARRAY[1])).outcomes, '{accepted}'::sluice.intake_outcome[],
    'accepted in an open transaction');
\set deactivate 'psql -XqAtc "SELECT d.status FROM sluice.key_list(''Sessions'') AS k,'
\set deactivate :deactivate ' sluice.key_deactivate(''op'', k.id) AS d" 2>&1'
\set copy_deactivate '\\copy answer from program ' :'deactivate'
:copy_deactivate
SELECT results_eq('SELECT text FROM answer', ARRAY['deactivated'],
    'deactivated by the other session');
SELECT is((pg_temp.intake(ARRAY['shared'], ARRAY[1])).outcomes, '{deactivated}'::sluice.intake_outcome[],
    'refused from then on, in the same transaction');
COMMIT;

SELECT * FROM finish();
