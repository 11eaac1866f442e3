-- What became of a group whose connection was lost, as workers ask: intake_commit_status. With committed
-- transactions, as it must be.
SELECT plan(16);
\ir helper.psql

SELECT sluice.organization_create('op', 'Commits');
SELECT pg_temp.make_key('Commits', 'committed');
CREATE TEMPORARY TABLE group_of (what text, xact xid8, stored_at timestamptz);
CREATE FUNCTION pg_temp.status_of(what text) RETURNS text LANGUAGE sql AS $$
    SELECT s.status FROM group_of AS g, sluice.intake_commit_status(g.xact, g.stored_at) AS s
    WHERE g.what = status_of.what
$$;
CREATE FUNCTION pg_temp.note(what text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO group_of VALUES (what, pg_current_xact_id(), now())
$$;

BEGIN;
SELECT pg_temp.intake(ARRAY['committed'], ARRAY[1]) \g /dev/null
SELECT pg_temp.note('committed');
COMMIT;
SELECT is(pg_temp.status_of('committed'), 'committed', 'its rows are there');

-- An aborted one takes its note along, so the id is kept by psql.
BEGIN;
SELECT pg_temp.intake(ARRAY['committed'], ARRAY[1]) \g /dev/null
SELECT pg_current_xact_id() AS xact, now() AS stored_at \gset
ROLLBACK;
INSERT INTO group_of VALUES ('aborted', :'xact', :'stored_at');
SELECT is(pg_temp.status_of('aborted'), 'aborted', 'rolled back');

BEGIN;
SELECT pg_temp.note('in progress');
SELECT is(pg_temp.status_of('in progress'), 'in progress', 'not at its end');
COMMIT;
SELECT is(pg_temp.status_of('in progress'), 'in progress', 'committed without rows, which proves nothing');

-- After a crash an id may be given again.
INSERT INTO group_of SELECT 'same id', g.xact, g.stored_at - interval '1 microsecond'
FROM group_of AS g WHERE g.what = 'committed';
SELECT is(pg_temp.status_of('same id'), 'in progress', 'another transaction with this id is not it');
INSERT INTO group_of SELECT 'same time', :'xact', g.stored_at FROM group_of AS g WHERE g.what = 'committed';
SELECT is(pg_temp.status_of('same time'), 'aborted', 'another transaction of this time is not it');
INSERT INTO group_of VALUES ('future', (pg_current_xact_id()::text::bigint + 1000000)::text::xid8, now());
SELECT is(pg_temp.status_of('future'), 'aborted', 'the server has forgotten it');
INSERT INTO group_of VALUES ('old', '3', now());
SELECT ok(pg_temp.status_of('old') IS DISTINCT FROM 'committed', 'too long ago');

-- ---- other tables ----
SELECT pg_temp.make_key('Commits', 'orgs', NULL, NULL, 'product_orgs');
BEGIN;
INSERT INTO sluice.product_org_update (id, organization_id, received_at, key_id, product_org_id, request_id,
    payload) VALUES (1, 1, now(), 1, 'o', 'r', '{}');
SELECT pg_temp.note('product org');
COMMIT;
SELECT is(pg_temp.status_of('product org'), 'committed', 'a product org');
BEGIN;
INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id, source,
    request_id, payload) VALUES (1, 1, now(), now(), 1, 's', 'r', '{}');
SELECT pg_temp.note('cold');
COMMIT;
SELECT is(pg_temp.status_of('cold'), 'committed', 'a cold signal');

-- ---- the server ----
SELECT matches((sluice.intake_commit_status()).server,
    '^' || (SELECT system_identifier FROM pg_control_system()) || '/0000000[1-9A-F]$',
    'the system identifier and the timeline');
SELECT is((sluice.intake_commit_status()).started, pg_postmaster_start_time(), 'and the start');
SELECT is((sluice.intake_commit_status()).status, NULL, 'of no transaction nothing is said');

-- ---- durability: the answer waits as the commit does ----
BEGIN;
SELECT sluice.intake_commit_status() \g /dev/null
SELECT is(pg_current_xact_id_if_assigned(), NULL, 'a greeting writes nothing');
COMMIT;
BEGIN;
SET LOCAL synchronous_commit = off;
SELECT pg_temp.status_of('committed') \g /dev/null
SELECT isnt(pg_current_xact_id_if_assigned(), NULL, 'that something is committed is an answer of a commit');
SELECT is(current_setting('synchronous_commit'), 'on', 'which is durable');
COMMIT;

SELECT * FROM finish();
