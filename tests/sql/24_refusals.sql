-- Why requests with a key were refused: counts by reason, and words.
BEGIN;
SELECT plan(21);
\ir helper.psql

SELECT sluice.organization_create('op', 'Refusals') AS mine \gset
SELECT pg_temp.make_key('Refusals', 'refused') AS refused \gset
SELECT pg_temp.make_key('Refusals', 'silent') AS silent \gset

CREATE FUNCTION pg_temp.refusal(its_id bigint, reason text) RETURNS json LANGUAGE sql AS $$
    SELECT e FROM json_array_elements(sluice.key_refusals(its_id) -> 'refusals') AS e
    WHERE e ->> 'reason' = reason
$$;

-- ---- words ----
SELECT results_eq($$ SELECT r.o::text FROM unnest(enum_range(NULL::sluice.intake_outcome)) AS r (o)
    WHERE (sluice.refusal_words(r.o)).why IS NULL $$,
    $$ VALUES ('accepted'), ('other_template'), ('unknown_key') $$, 'each reason has words');
SELECT ok(bool_and(w.why ~ '^[A-Z].*\.$' AND w.advice ~ '^[A-Z].*\.$' AND w.http_status IN (401, 403, 429)
        AND w.code IN ('unauthenticated', 'wrong_endpoint', 'wrong_network', 'limit_reached')),
    'sentences, and what the sender was answered')
FROM unnest(enum_range('deactivated'::sluice.intake_outcome, NULL)) AS o,
    LATERAL sluice.refusal_words(o) AS w;

-- ---- counts ----
SELECT is((sluice.key_refusals(:refused) -> 'refusals')::text, '[]', 'nothing was refused');
INSERT INTO sluice.refused_request (organization_id, key_id, day, reason, requests, last_at)
VALUES (:mine, :refused, (now() AT TIME ZONE 'UTC')::date - 3, 'secret_wrong', 5, now() - interval '3 days'),
    (:mine, :refused, (now() AT TIME ZONE 'UTC')::date, 'secret_wrong', 2, now() - interval '1 minute'),
    (:mine, :refused, (now() AT TIME ZONE 'UTC')::date - 3, 'secret_missing', 7, now() - interval '3 days');
INSERT INTO sluice.refusal_delta (organization_id, key_id, counted_at, reason, requests)
VALUES (:mine, :refused, now(), 'secret_wrong', 1), (:mine, :silent, now(), 'expired', 9);
SELECT is(json_array_length(sluice.key_refusals(:refused) -> 'refusals'), 2, 'by reason');
SELECT is(sluice.key_refusals(:refused) #>> '{refusals,0,reason}', 'secret_wrong', 'the latest first');
SELECT is(pg_temp.refusal(:refused, 'secret_wrong') ->> 'requests', '8', 'with those not added up yet');
SELECT is(pg_temp.refusal(:refused, 'secret_wrong') ->> 'requests_today', '3', 'today');
SELECT is(pg_temp.refusal(:refused, 'secret_wrong') ->> 'last_at', sluice.timestamp_text(now()), 'the last');
SELECT is((pg_temp.refusal(:refused, 'secret_wrong') ->> 'first_day')::date,
    (now() AT TIME ZONE 'UTC')::date - 3, 'the first');
SELECT is(pg_temp.refusal(:refused, 'secret_missing') ->> 'requests_today', '0', 'none today');
SELECT is(pg_temp.refusal(:refused, 'secret_missing') ->> 'http_status', '401', 'what was answered');
SELECT is(pg_temp.refusal(:refused, 'expired')::text, NULL, 'not another key''s');
SELECT throws_ok('SELECT sluice.key_refusals(0)', 'P0002', 'key 0 does not exist', 'of no key');

-- ---- what can be said without a refusal ----
SELECT is(sluice.key_refusals(:refused) ->> 'advice', NULL, 'a key that is refused has its reasons');
DELETE FROM sluice.refusal_delta WHERE key_id = :silent;
SELECT matches(sluice.key_refusals(:silent) ->> 'advice', '^No request with the whole key has arrived',
    'nothing has come');
SELECT is(sluice.key_refusals(:silent) ->> 'last_used_at', NULL, 'never');
INSERT INTO sluice.key_use (organization_id, key_id, used_at) VALUES (:mine, :silent, now());
SELECT is(sluice.key_refusals(:silent) ->> 'advice', NULL, 'something has');
SELECT is(sluice.key_refusals(:silent) ->> 'last_used_at', sluice.timestamp_text(now()), 'then');
UPDATE sluice.api_key SET expires_at = now() - interval '1 day', created_at = now() - interval '2 days'
WHERE id = :silent;
SELECT matches(sluice.key_refusals(:silent) ->> 'advice', 'has expired', 'an expired key');
SELECT lives_ok(format('SELECT sluice.key_deactivate(''op'', %s)', :'silent'), 'deactivated');
SELECT matches(sluice.key_refusals(:silent) ->> 'advice', 'is deactivated', 'a deactivated key');

SELECT * FROM finish();
ROLLBACK;
