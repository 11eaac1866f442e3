-- What a login without any grant, and each role beyond its own, can do to the others: nothing.
--
-- The hostile one has a session of its own (dblink), whose transaction stays open with all that it could
-- get, while intake, claims and followers go on here and would rather fail than wait.
BEGIN;
SELECT plan(78);
\ir helper.psql

SELECT sluice.organization_create('tester', 'Hostile');
SELECT sluice.organization_create('tester', 'Victim');
SELECT pg_temp.make_key('Hostile', 'hostile-key');
SELECT pg_temp.make_key('Victim', 'victim-key');
SELECT pg_temp.make_key('Victim', 'victim-secret', 'right');
SELECT pg_temp.make_key('Victim', 'victim-expired', expires_at => now() + interval '1 day');
UPDATE sluice.api_key SET expires_at = now() - interval '1 day' WHERE name = 'victim-expired';
SELECT sluice.key_deactivate('tester', pg_temp.make_key('Victim', 'victim-deactivated'));

-- As if the role had logged in: session_user is the role, too.
CREATE FUNCTION pg_temp.logged_in(role_name text, statement text) RETURNS text LANGUAGE sql
RETURN format('SET LOCAL SESSION AUTHORIZATION %I; %s; RESET SESSION AUTHORIZATION', role_name,
    statement);

CREATE EXTENSION dblink SCHEMA tap;
CREATE FUNCTION pg_temp.other() RETURNS text LANGUAGE sql
RETURN (SELECT format('host=%s port=%s dbname=%s user=%s',
    split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'),
    current_database(), session_user));
-- The error's code, or null.
CREATE FUNCTION pg_temp.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM tap.dblink_exec('hostile', 'SAVEPOINT try');
    PERFORM FROM tap.dblink('hostile', statement) AS r (result text);
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    PERFORM tap.dblink_exec('hostile', 'ROLLBACK TO try');
    RETURN SQLSTATE;
END
$$;
SELECT tap.dblink_connect('hostile', pg_temp.other());
SELECT tap.dblink_exec('hostile', $$
    DO 'BEGIN CREATE ROLE sluice_test_hostile; EXCEPTION WHEN duplicate_object THEN NULL; END' $$);

-- The others' work, within ten seconds and a second for a lock.
CREATE FUNCTION pg_temp.others_work(email text) RETURNS SETOF text LANGUAGE plpgsql
SET lock_timeout = '1s' SET statement_timeout = '10s' AS $$
DECLARE
    since pg_snapshot := sluice.frontier();
BEGIN
    SET LOCAL ROLE sluice_intake;
    RETURN NEXT CASE WHEN sluice.intake_ordinary(ARRAY[pg_temp.sender('victim-key')],
        ARRAY[pg_temp.signal(jsonb_build_object('email', email))], false, false) > 0
        THEN 'ordinary' END;
    RETURN NEXT (SELECT i.outcomes[1] FROM sluice.intake(ARRAY[pg_temp.sender('victim-key')],
        ARRAY[pg_temp.signal(jsonb_build_object('email', email, 'message_id', email))]) AS i);
    SET LOCAL ROLE sluice_reader;
    RETURN NEXT (SELECT count(*) || ' unseen' FROM sluice.signals_between(since, sluice.frontier()) AS s
        WHERE s.email = others_work.email); -- its own transaction is not over
    SET LOCAL ROLE sluice_consumer;
    PERFORM sluice.claim_signals('me', 10, '1 min');
    SET LOCAL ROLE sluice_maintenance;
    RETURN NEXT CASE WHEN sluice.maintenance_do('fold_usage', 1000) >= 2 THEN 'folded' END;
    SET LOCAL ROLE sluice_intake;
    RETURN NEXT CASE WHEN sluice.metrics() ~ '\nsluice_signals_total [0-9]+\n' THEN 'metrics' END;
    RESET ROLE;
END
$$;
CREATE FUNCTION pg_temp.expected() RETURNS text[] LANGUAGE sql
RETURN ARRAY['ordinary', 'accepted', '0 unseen', 'folded', 'metrics'];

-- ---- without any grant ----
SELECT tap.dblink_exec('hostile', 'SET SESSION AUTHORIZATION sluice_test_hostile');
SELECT tap.dblink_exec('hostile', 'BEGIN');
-- What any login may do, and no more than a nuisance: all advisory locks of small numbers and of the
-- tables' own, the catalogues against DDL, a transaction with a number, a snapshot, a notification.
SELECT is(pg_temp.try(statement), NULL, 'anybody: ' || statement) FROM unnest(ARRAY[
    'SELECT count(pg_advisory_lock(n))::text FROM generate_series(-2000, 2000) AS n',
    'SELECT count(pg_advisory_xact_lock(c.oid::bigint))::text FROM pg_class AS c',
    'SELECT count(pg_advisory_lock(hashtext(p.proname)))::text FROM pg_proc AS p',
    'LOCK TABLE pg_catalog.pg_proc, pg_catalog.pg_class IN ACCESS SHARE MODE',
    'CREATE TEMPORARY TABLE signal AS SELECT 1 AS id',
    'SELECT pg_current_xact_id()::text',
    'SELECT count(*)::text FROM pg_proc AS p WHERE p.pronamespace = ''sluice''::regnamespace',
    'NOTIFY sluice_signal']) AS statement;
SELECT is(pg_temp.try(format('LOCK TABLE sluice.%I IN ACCESS SHARE MODE', name)), '42501',
    'nobody locks ' || name)
FROM unnest(ARRAY['api_key', 'organization', 'signal', 'signal_default', 'delivery', 'usage_delta',
    'key_use', 'feed', 'maintenance_step']) AS name;
SELECT is(pg_temp.try(statement), '42501', 'nobody: ' || statement) FROM unnest(ARRAY[
    'SELECT FROM sluice.api_key FOR UPDATE',
    'SELECT FROM pg_catalog.pg_proc FOR UPDATE',
    'SELECT FROM pg_catalog.pg_database FOR KEY SHARE',
    'LOCK TABLE pg_catalog.pg_type IN ROW SHARE MODE',
    'LOCK TABLE pg_catalog.pg_index IN SHARE MODE',
    'REINDEX TABLE sluice.signal_queue',
    'TRUNCATE sluice.usage_delta',
    'COMMENT ON TABLE sluice.signal IS ''mine''',
    'CREATE TABLE sluice.mine ()',
    'ALTER ROLE sluice_intake CONNECTION LIMIT 0',
    'SELECT pg_terminate_backend(a.pid)::text FROM pg_stat_activity AS a WHERE a.pid = '
        || pg_backend_pid(),
    'SELECT pg_switch_wal()::text',
    'SELECT nextval(''sluice.signal_id'')::text',
    'SELECT setval(''sluice.signal_queue_from'', 1)::text',
    'SELECT sluice.notify_consumers(''signal'')::text',
    'SELECT sluice.notifications_set(''me'', true)::text',
    'SELECT sluice.intake(''{}'')::text']) AS statement;
SELECT is(ARRAY(SELECT pg_temp.others_work('beside nobody')), pg_temp.expected(),
    'the others work beside what nobody holds');
SELECT tap.dblink_exec('hostile', 'ROLLBACK');
SELECT tap.dblink_exec('hostile', 'RESET SESSION AUTHORIZATION');
SELECT FROM tap.dblink('hostile', 'SELECT pg_advisory_unlock_all()::text') AS r (result text);

-- ---- who may read, and who may claim ----
SELECT tap.dblink_exec('hostile', 'SET SESSION AUTHORIZATION sluice_reader');
SELECT tap.dblink_exec('hostile', 'BEGIN');
SELECT is(pg_temp.try('LOCK TABLE sluice.' || name || ' IN ACCESS SHARE MODE'), NULL,
    'a reader holds ' || name) FROM unnest(ARRAY['signal', 'organization', 'delivery']) AS name;
SELECT is(pg_temp.try('LOCK TABLE sluice.' || name || ' IN ROW SHARE MODE'), '42501',
    'a reader does not lock ' || name) FROM unnest(ARRAY['signal', 'api_key', 'delivery']) AS name;
SELECT is(pg_temp.try('SELECT FROM sluice.organization FOR KEY SHARE'), '42501',
    'a reader locks no row');
SELECT is(ARRAY(SELECT pg_temp.others_work('beside a reader')), pg_temp.expected(),
    'the others work beside a reader who stays');
SELECT tap.dblink_exec('hostile', 'ROLLBACK');
SELECT tap.dblink_exec('hostile', 'RESET SESSION AUTHORIZATION');
SELECT tap.dblink_exec('hostile', 'SET SESSION AUTHORIZATION sluice_consumer');
SELECT tap.dblink_exec('hostile', 'BEGIN');
SELECT is(pg_temp.try('SELECT id::text FROM sluice.claim_signals(''hostile'', 1, ''1 min'')'), NULL,
    'a consumer claims and does not commit');
SELECT is(ARRAY(SELECT pg_temp.others_work('beside a consumer')), pg_temp.expected(),
    'the others work beside an open claim');
SELECT tap.dblink_exec('hostile', 'ROLLBACK');
SELECT tap.dblink_exec('hostile', 'RESET SESSION AUTHORIZATION');
SELECT tap.dblink_exec('hostile', 'DROP ROLE sluice_test_hostile');
SELECT tap.dblink_disconnect('hostile');

-- ---- usage is what was stored by whom ----
CREATE FUNCTION pg_temp.used(organization text) RETURNS bigint LANGUAGE sql AS $$
    SELECT coalesce(sum(u.signals), 0)::bigint FROM sluice.usage_list(organization, NULL) AS u
$$;
CREATE TEMPORARY TABLE before AS SELECT pg_temp.used('Hostile') AS hostile, pg_temp.used('Victim') AS victim;
SELECT throws_ok(pg_temp.logged_in('sluice_intake', format(
    'SELECT sluice.intake(%L::sluice.intake_sender[], %L::sluice.intake_signal[])',
    ARRAY[pg_temp.sender('hostile-key')], ARRAY[pg_temp.signal(jsonb_build_object('sender', n))])),
    'XX000', NULL, format('intake: an item of sender %s', n)) FROM unnest(ARRAY[0, 2, -1]) AS n;
SELECT throws_ok(pg_temp.logged_in('sluice_intake', format(
    'SELECT sluice.intake_ordinary(%L::sluice.intake_sender[], %L::sluice.intake_signal[], false, false)',
    ARRAY[pg_temp.sender('hostile-key')], ARRAY[pg_temp.signal(jsonb_build_object('sender', n))])),
    '23502', NULL, format('intake_ordinary: an item of sender %s', n)) FROM unnest(ARRAY[0, 2, -1]) AS n;
SELECT lives_ok(pg_temp.logged_in('sluice_intake', format(
    'SELECT sluice.intake(%L::sluice.intake_sender[], %L::sluice.intake_signal[])',
    ARRAY[pg_temp.sender(key, secret)], ARRAY[pg_temp.signal('{}')])),
    'without a good key: ' || key)
FROM (VALUES ('no such key', NULL), ('victim-expired', NULL), ('victim-deactivated', NULL),
    ('victim-secret', NULL), ('victim-secret', 'wrong')) AS v (key, secret);
SELECT is(pg_temp.used('Victim'), (SELECT b.victim FROM before AS b), 'nothing is counted for a victim');
SELECT throws_ok(pg_temp.logged_in('sluice_intake', statement), '42501', NULL, 'sluice_intake: ' || statement)
FROM unnest(ARRAY['INSERT INTO sluice.usage_delta VALUES (1, now(), -5, 0)',
    'UPDATE sluice.usage_month SET signals = 0', 'DELETE FROM sluice.usage_delta',
    'SELECT sluice.signals_of_month(1)']) AS statement;
-- The same ids again and again, in and out of bulk, each ended twice.
CREATE FUNCTION pg_temp.again(in_bulk boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR turn IN 1..3 LOOP
        PERFORM sluice.intake(ARRAY[pg_temp.sender('hostile-key')], ARRAY(
            SELECT pg_temp.signal(jsonb_build_object('email', 'a@b.c', 'message_id', 'm' || n % 3))
            FROM generate_series(1, 10) AS n), in_bulk => in_bulk);
        PERFORM sluice.bulk_finish(), sluice.bulk_finish();
    END LOOP;
END
$$;
SELECT pg_temp.again(b) FROM unnest(ARRAY[true, false, true]) AS b;
SELECT is(pg_temp.used('Hostile') - (SELECT b.hostile FROM before AS b), 3::bigint,
    'of the same ids again and again the first are counted');
SELECT is_empty('SELECT FROM sluice.usage_delta WHERE signals < 0 OR duplicates < 0',
    'no usage is negative');
SELECT throws_ok('INSERT INTO sluice.usage_month VALUES (1, date_trunc(''month'', now()), -1, 0)',
    '23514', NULL, 'what is billed cannot be negative');

-- ---- the audit log ----
SELECT lives_ok(pg_temp.logged_in('sluice_admin', statement), 'sluice_admin: ' || statement)
FROM unnest(ARRAY['SELECT sluice.retention_set(''somebody else'', ''delivery'', ''9 days'', NULL)',
    'SELECT sluice.organization_limit(''somebody else'', ''Victim'', 5, false)',
    'SELECT sluice.notifications_set(''somebody else'', true)',
    'SELECT sluice.notifications_set(''somebody else'', false)']) AS statement;
SELECT results_eq($$
    SELECT a.action, a.session_role, a.details::text FROM sluice.audit_log AS a
    WHERE a.actor = 'somebody else' ORDER BY a.id
$$, $$ VALUES
    ('retention_set', 'sluice_admin', '{"keep": "9 days", "expired": "drop", "old_keep": "7 days", '
        '"old_expired": "drop"}'),
    ('organization_limit', 'sluice_admin', '{"overages": false, "old_overages": false, '
        '"signal_limit": 5, "old_signal_limit": 0}'),
    ('notifications_set', 'sluice_admin', '{"enabled": true, "old_enabled": false}'),
    ('notifications_set', 'sluice_admin', '{"enabled": false, "old_enabled": true}')
$$, 'under whatever name, the role that was logged in is noted, and the values before');

-- ---- maintenance ----
SELECT lives_ok(pg_temp.logged_in('sluice_maintenance',
    'SELECT sluice.maintenance_do(s.name, 10) FROM sluice.maintenance_steps() AS s'),
    'sluice_maintenance does every step');
SELECT throws_ok(pg_temp.logged_in('sluice_maintenance', format('SELECT sluice.maintenance_do(%L, 1)', step)),
    'P0002', NULL, 'and nothing that is none: ' || step)
FROM unnest(ARRAY['max_attempts', 'durable', 'repair', 'fold_usage(1); DROP TABLE sluice.signal; --']) AS step;

-- ---- every reason for 401 takes the same path ----
CREATE FUNCTION pg_temp.buffers(key text, secret text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    FOR turn IN 1..2 LOOP -- the first makes plans
        EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT sluice.intake(%L::sluice.intake_sender[], '
            '%L::sluice.intake_signal[])', ARRAY[pg_temp.sender(key, secret)],
            ARRAY[pg_temp.signal('{"email": "a@b.c", "message_id": "m"}')]) INTO plan;
    END LOOP;
    RETURN (plan #>> '{0,Plan,Shared Hit Blocks}')::bigint;
END
$$;
SET LOCAL enable_seqscan = off; -- a table of one page may be read without its index
DISCARD PLANS;
CREATE TEMPORARY TABLE reason AS
SELECT v.*, pg_temp.buffers(v.key, v.secret) AS buffers
FROM (VALUES ('unknown', 'no such key', NULL), ('deactivated', 'victim-deactivated', NULL),
    ('expired', 'victim-expired', NULL), ('no secret', 'victim-secret', NULL),
    ('wrong secret', 'victim-secret', 'wrong')) AS v (name, key, secret);
SELECT is(r.buffers, (SELECT u.buffers FROM reason AS u WHERE u.name = 'unknown') + 1,
    r.name || ': one page more than for an unknown key, the one that holds it')
FROM reason AS r WHERE r.name <> 'unknown';

SELECT * FROM finish();
ROLLBACK;
