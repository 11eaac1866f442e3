-- Consumers: what is claimed, for how long, what becomes of it, and who may say so. Works with committed
-- rows: what a transaction stores, a claim takes in when it has committed. More sessions are in
-- tests/e2e/test_consumers.py.
SELECT plan(88);
\ir helper.psql

-- What other tests have committed.
TRUNCATE sluice.signal, sluice.signal_queue, sluice.signal_result, sluice.claim;
SELECT sluice.organization_create('op', 'Consumers'), sluice.organization_create('op', 'Others');
SELECT pg_temp.make_key('Consumers', 'consumed'), pg_temp.make_key('Others', 'others');

-- Rows are called by their n, ids by subscripts.
CREATE TEMPORARY TABLE staged AS SELECT (pg_temp.intake(ARRAY['consumed'],
    array_fill(1, ARRAY[10]))).ids;
CREATE FUNCTION pg_temp.id(VARIADIC n integer[]) RETURNS bigint[] LANGUAGE sql
    AS $$ SELECT ARRAY(SELECT ids[i] FROM unnest(n) AS i) FROM staged $$;
CREATE FUNCTION pg_temp.claim(max_rows integer, lease text DEFAULT '1 minute',
    organization text DEFAULT NULL) RETURNS SETOF integer LANGUAGE sql
    AS $$ SELECT (payload ->> 'n')::integer
        FROM sluice.claim_signals('tester', max_rows, lease::interval, organization) $$;
CREATE FUNCTION pg_temp.row(n integer) RETURNS sluice.signal_staging LANGUAGE sql
    AS $$ SELECT * FROM sluice.signal_staging WHERE id = (pg_temp.id(n))[1] $$;
-- Makes a row due, as time would, and lets claims look at once.
CREATE FUNCTION pg_temp.look() RETURNS bigint LANGUAGE sql
    AS $$ SELECT setval('sluice.signal_queue_search', 0) $$;
CREATE FUNCTION pg_temp.due(VARIADIC n integer[]) RETURNS void LANGUAGE sql AS $$
    UPDATE sluice.signal_queue SET
        due_at = CASE WHEN due_at IS NOT NULL THEN clock_timestamp() - interval '1 microsecond' END,
        lease_ends_at = CASE WHEN claim_id IS NOT NULL
            THEN clock_timestamp() - interval '1 microsecond' END
    WHERE id = ANY (pg_temp.id(VARIADIC n));
    SELECT pg_temp.look() $$;

-- ---- claiming ----
SELECT is(status, 'pending', 'a row begins as pending') FROM pg_temp.row(1);
SELECT ok(attempts = 0 AND status_at IS NULL AND claim_id IS NULL AND claimed_by IS NULL,
    'without a claim') FROM pg_temp.row(1);
SELECT is((SELECT pending FROM sluice.backlog WHERE organization = 'Consumers'), 10::bigint,
    'all are waiting, though nobody has looked yet');
SELECT is_empty('SELECT FROM sluice.signal_queue', 'really nobody');
SELECT set_eq('SELECT pg_temp.claim(3)', '{1,2,3}'::integer[], 'the oldest are claimed first');
SELECT set_eq('SELECT pg_temp.claim(3)', '{4,5,6}'::integer[], 'then the next');
SELECT is(status, 'processing', 'a claimed row is processing') FROM pg_temp.row(1);
SELECT ok(attempts = 1 AND claimed_by = 'tester' AND claim_id IS NOT NULL AND status_at > received_at
    AND due_at = status_at + interval '1 minute', 'with claim, name, time and lease')
FROM pg_temp.row(1);
SELECT ok((pg_temp.row(1)).claim_id = (pg_temp.row(3)).claim_id
    AND (pg_temp.row(1)).claim_id < (pg_temp.row(4)).claim_id, 'each call is a claim of its own');
SELECT is((SELECT count(DISTINCT session) FROM sluice.claim), 1::bigint, 'all of one session');
SELECT results_eq($$ SELECT s.id, s.status::text, s.attempts::integer, s.payload, s.email, s.claimed_by
    FROM sluice.claim_signals('whole', 1, '1 hour') AS s $$,
    $$ SELECT (pg_temp.id(7))[1], 'processing', 1, '{"n": 7}'::jsonb, NULL::text, 'whole' $$,
    'what is returned is the row as it is after the claim');
SELECT set_eq('SELECT pg_temp.claim(100)', '{8,9,10}'::integer[], 'no more than there are');
SELECT is_empty('SELECT pg_temp.claim(100)', 'nothing is claimed twice');

SELECT throws_ok(format($$ SELECT * FROM sluice.claim_signals(%L, %L, %L) $$, consumer, max_rows, lease),
    state, NULL, what)
FROM (VALUES ('', '1', '1 min', '22023', 'a consumer without a name'),
    (NULL, '1', '1 min', '22023', 'null for one'),
    ('c', '0', '1 min', '22023', 'no rows'), ('c', NULL, '1 min', '22023', 'null rows'),
    ('c', '100001', '1 min', '22023', 'too many'),
    ('c', '1', '0', '22023', 'no lease'), ('c', '1', '-1 s', '22023', 'a lease in the past'),
    ('c', '1', NULL, '22023', 'null for a lease'), ('c', '1', 'infinity', CASE WHEN current_setting('server_version_num')::integer < 170000
        THEN '22007' ELSE '22023' END, 'a lease for ever'),
    ('c', '1', '31 days', '22023', 'nearly so')) AS v (consumer, max_rows, lease, state, what);
SELECT throws_ok($$ SELECT * FROM sluice.claim_signals('c', 1, '1 min', 'Nobody') $$, 'P0002', NULL,
    'an unknown organization');

-- ---- finishing ----
SELECT is(sluice.finish_signals(pg_temp.id(1), 'completed', rule => 'rule 7'), 1::bigint,
    'a row is completed');
SELECT ok(status = 'completed' AND mapped_rule = 'rule 7' AND error IS NULL
    AND status_at > received_at, 'with its rule') FROM pg_temp.row(1);
SELECT is(sluice.finish_signals(pg_temp.id(1), 'failed', 'late'), 0::bigint,
    'a finished row is not finished again');
SELECT is((pg_temp.row(1)).status, 'completed', 'and stays as it is');
SELECT is(sluice.finish_signals(pg_temp.id(2, 3), 'skipped', 'nothing to do', 'none'), 2::bigint,
    'several are skipped');
SELECT ok(status = 'skipped' AND error = 'nothing to do' AND mapped_rule = 'none',
    'with what the consumer said') FROM pg_temp.row(3);
SELECT is(sluice.finish_signals(pg_temp.id(4, 4, 1) || NULL::bigint, 'permanently_failed', 'hopeless'),
    1::bigint, 'repeated, finished and null ids do not count');
SELECT is(sluice.finish_signals(pg_temp.id(5), 'completed', claim => (pg_temp.row(5)).claim_id),
    1::bigint, 'by its claim');
SELECT is(sluice.finish_signals(pg_temp.id(6), 'completed', claim => (pg_temp.row(6)).claim_id + 1),
    0::bigint, 'not by another claim, though of this session');
SELECT is(sluice.finish_signals(ids, 'completed'), 0::bigint, 'no ids: ' || coalesce(ids::text, 'null'))
FROM unnest(ARRAY['{}', NULL]) AS t, LATERAL (SELECT t::bigint[] AS ids) AS i;
SELECT throws_ok(format($$ SELECT sluice.finish_signals('{1}', %L) $$, status), '22023', NULL,
    'nothing is finished as ' || coalesce(status, 'null'))
FROM unnest(ARRAY['pending', 'processing', NULL]) AS status;

-- Another session, as this one sees it when its memory is taken.
SELECT set_config('sluice.claim_session', '', false);
SELECT is(sluice.finish_signals(pg_temp.id(6), 'completed'), 0::bigint,
    'without a claim of one''s own nothing is finished');
SELECT is(sluice.finish_signals(pg_temp.id(6), 'completed', NULL, NULL, (pg_temp.row(6)).claim_id),
    1::bigint, 'except by the claim''s number');

-- ---- failing, until it is permanent ----
SELECT is((pg_temp.row(6)).claim_id, NULL, 'then it is under no claim any more');
SELECT is_empty($$ SELECT FROM sluice.signal_queue AS q JOIN sluice.signal_result AS r ON r.id = q.id $$,
    'what is done is in the queue no more');
SELECT sluice.release_signals(pg_temp.id(8, 9, 10), (pg_temp.row(8)).claim_id);
SELECT set_eq('SELECT pg_temp.claim(1)', '{8}'::integer[], 'one to fail');
SELECT is(sluice.finish_signals(pg_temp.id(8), 'failed', 'first'), 1::bigint, 'it fails');
SELECT ok(status = 'failed' AND error = 'first'
    AND due_at - status_at BETWEEN interval '30 s' AND interval '36 s', 'and waits half a minute')
FROM pg_temp.row(8);
SELECT set_eq('SELECT pg_temp.claim(100)', '{9,10}'::integer[], 'meanwhile it is not claimed');

CREATE FUNCTION pg_temp.fail_again() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 2 .. 5 LOOP
        PERFORM pg_temp.due(8);
        IF (SELECT count(*) FROM pg_temp.claim(100)) <> 1 THEN
            RETURN NEXT 'not claimed';
        END IF;
        PERFORM sluice.finish_signals(pg_temp.id(8), 'failed', 'try ' || i);
        RETURN NEXT (SELECT format('%s %s %s', attempts, status, error) FROM pg_temp.row(8));
    END LOOP;
    PERFORM pg_temp.due(8);
END
$$;
SELECT results_eq('SELECT pg_temp.fail_again()', ARRAY['2 failed try 2', '3 failed try 3',
    '4 failed try 4', '5 permanently_failed try 5'], 'the fifth time it fails permanently');
SELECT is_empty('SELECT pg_temp.claim(100)', 'then it is not claimed any more');
SELECT ok(bool_and(sluice.retry_delay(n) = seconds * interval '1 s'),
    'the delays grow fourfold up to six hours')
FROM (VALUES (1, 30), (2, 120), (3, 480), (4, 1920), (5, 7680), (6, 21600), (32767, 21600))
    AS v (n, seconds);

-- ---- the lease ends ----
SELECT pg_temp.due(9);
CREATE TEMPORARY TABLE lost AS SELECT (pg_temp.row(9)).claim_id;
SELECT set_eq($$ SELECT pg_temp.claim(100, '1 ms') $$, '{9}'::integer[],
    'a row whose lease has ended is claimed again');
SELECT is(sluice.finish_signals(pg_temp.id(9), 'completed', claim => claim_id), 0::bigint,
    'whoever had it before cannot finish it') FROM lost;
SELECT is(sluice.extend_signals(pg_temp.id(9), '1 hour', claim_id), 0::bigint, 'nor keep it')
FROM lost;
SELECT is(sluice.release_signals(pg_temp.id(9), claim_id), 0::bigint, 'nor give it back') FROM lost;
SELECT is((pg_temp.row(9)).status, 'processing', 'it is with the second one');
SELECT is(sluice.extend_signals(pg_temp.id(9), '1 hour'), 1::bigint, 'who can keep it');
SELECT ok((pg_temp.row(9)).due_at > clock_timestamp() + interval '59 min', 'for that long');
SELECT pg_temp.due(9);
SELECT is(sluice.finish_signals(pg_temp.id(9), 'completed'), 1::bigint,
    'and finish it, even late, as long as nobody else has it');

UPDATE sluice.signal_queue SET attempts = 5 WHERE id = (pg_temp.id(10))[1];
SELECT pg_temp.due(10);
SELECT is_empty('SELECT pg_temp.claim(100)', 'a lease that ended five times is not given again');
SELECT is(error, 'lease ended without a report, attempt 5 of 5', 'the row says so')
FROM pg_temp.row(10);
SELECT is((pg_temp.row(10)).status, 'permanently_failed', 'and failed permanently');

-- ---- by hand ----
SELECT is(sluice.requeue_signals(pg_temp.id(8, 10, 7)), 2::bigint, 'what is finished can be made pending');
SELECT ok(status = 'pending' AND attempts = 0 AND error IS NULL, 'as if it were new') FROM pg_temp.row(8);
SELECT set_eq('SELECT pg_temp.claim(100)', '{8,10}'::integer[], 'it is claimed again');
SET sluice.max_attempts = 1;
SELECT is(sluice.finish_signals(pg_temp.id(8), 'failed', 'again'), 1::bigint, 'it fails again');
SELECT is((pg_temp.row(8)).status, 'permanently_failed', 'for good, when one attempt is allowed');
SET sluice.max_attempts = 2;
SELECT sluice.finish_signals(pg_temp.id(10), 'failed', 'again');
SELECT is((pg_temp.row(10)).status, 'failed', 'sluice.max_attempts allows for more');
RESET sluice.max_attempts;
SELECT set_eq('SELECT id, status::text FROM sluice.signal_failed', $$
    SELECT (pg_temp.id(4))[1], 'permanently_failed' UNION ALL SELECT (pg_temp.id(8))[1],
        'permanently_failed' UNION ALL SELECT (pg_temp.id(10))[1], 'failed' $$, 'failed ones are found');

-- ---- by organization, in other partitions ----
SELECT pg_temp.intake(ARRAY['consumed', 'others'], ARRAY[1, 2, 1, 2]);
SELECT set_eq($$ SELECT pg_temp.claim(100, organization => 'Others') $$, '{2,4}'::integer[],
    'one organization''s rows');
SELECT set_eq($$ SELECT pg_temp.claim(100) $$, '{1,3}'::integer[], 'the others are still there');
CREATE FUNCTION pg_temp.put(n integer, at timestamptz) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
        request_id, payload)
    VALUES (nextval('sluice.signal_id'), 1, at, at, 1, 's', 'r', jsonb_build_object('n', n)) $$;
SELECT pg_temp.put(n, at) FROM (VALUES (1, now() - interval '1 day'), (3, now()),
    (4, now() + interval '50 days'), (2, now() + interval '5 days')) AS v (n, at);
SELECT set_eq('SELECT pg_temp.claim(100)', '{1,2,3,4}'::integer[],
    'rows of any partition, the default one too, are claimed');
SELECT is(sluice.finish_signals(ARRAY(SELECT id FROM sluice.signal WHERE request_id = 'r'),
    'completed'), 4::bigint, 'and finished');

-- What was stored in a day long past is found by maintenance.
SELECT pg_temp.put(5, now() - interval '6 days');
SELECT is_empty('SELECT pg_temp.claim(100)', 'a feed looks into the last days');
SELECT is(sluice.feed_unknown('signal', now() - interval '7 days', now() - interval '5 days'), 1::bigint,
    'others are looked at now and then');
SELECT is(sluice.feed_unknown('signal', now() - interval '7 days', now() - interval '5 days'), 0::bigint,
    'each once');
SELECT pg_temp.look();
SELECT set_eq('SELECT pg_temp.claim(100)', '{5}'::integer[], 'then they are claimed');

-- ---- a transaction's own rows ----
BEGIN;
SELECT pg_temp.put(6, now());
SELECT is_empty('SELECT pg_temp.claim(100)', 'what a transaction stores it does not claim itself');
SELECT pg_temp.put(7, now());
COMMIT;
SELECT set_eq('SELECT pg_temp.claim(100)', '{6,7}'::integer[], 'all of it comes when it has committed');

-- ---- following ----
SELECT sluice.frontier() AS earlier \gset
SELECT is_empty(format('SELECT * FROM sluice.signals_between(%L, sluice.frontier())', :'earlier'),
    'nothing is new at first');
BEGIN;
SELECT pg_temp.put(8, now());
SELECT is_empty(format('SELECT * FROM sluice.signals_between(%L, sluice.frontier())', :'earlier'),
    'nor is what this transaction stores');
SELECT sluice.frontier() AS between \gset
COMMIT;
SELECT pg_temp.put(9, now());
SELECT sluice.frontier() AS later \gset
SELECT results_eq(format($$ SELECT (payload ->> 'n')::integer FROM sluice.signals_between(%L, %L) $$,
    :'earlier', :'later'), ARRAY[8, 9], 'later it is');
SELECT set_eq(format($$ SELECT (payload ->> 'n')::integer FROM sluice.signals_between(%L, %L) $$,
    :'between', :'later'), ARRAY[8, 9], 'also from a frontier that saw it open');
SELECT is_empty(format('SELECT * FROM sluice.signals_between(%L, sluice.frontier())', :'later'),
    'and once only');
-- As in another cluster, with other numbers.
CREATE FUNCTION pg_temp.number() RETURNS bigint LANGUAGE plpgsql AS 'BEGIN RETURN sluice.stored_xact(); END';
PREPARE moved AS INSERT INTO sluice.signal_move (organization_id, id, received_at)
    VALUES (1, nextval('sluice.signal_id'), now()) RETURNING stored_xact;
SELECT pg_temp.number() AS before \gset
EXECUTE moved;
SELECT sluice.set_xact_offset(1000000000);
SELECT cmp_ok(pg_temp.number(), '>', 1000000000::bigint, 'a session that has asked for its number gets the new one');
EXECUTE moved;
SELECT is((SELECT count(*) FROM sluice.signal_move WHERE stored_xact > 1000000000), 1::bigint, 'and stores it');
DELETE FROM sluice.signal_move;
SELECT pg_temp.put(10, now());
SELECT results_eq(format($$ SELECT (payload ->> 'n')::integer
    FROM sluice.signals_between(%L, sluice.frontier()) $$, :'later'), ARRAY[10],
    'a frontier of before goes on being right');
UPDATE sluice.feed SET cluster = 1;
SELECT sluice.set_xact_offset(0);
SELECT set_eq('SELECT pg_temp.claim(100)', '{8,9,10}'::integer[],
    'a claim in another cluster takes in what nobody has claimed');
SELECT cmp_ok(sluice.xact_offset(), '>', 1000000000::bigint, 'and makes numbers go on rising');
SELECT is_empty('SELECT pg_temp.claim(100)', 'each once');

TRUNCATE sluice.signal, sluice.signal_queue, sluice.signal_result, sluice.claim;
SELECT * FROM finish();
