-- How much comes with each key: counted on the spot, and by maintenance.
BEGIN;
SELECT plan(26);
\ir helper.psql

SELECT sluice.organization_create('op', 'Volumes') AS mine \gset
SELECT sluice.organization_create('op', 'Volumes of others') AS theirs \gset
SELECT pg_temp.make_key('Volumes', 'busy') AS busy \gset
SELECT pg_temp.make_key('Volumes', 'silent') AS silent \gset
SELECT pg_temp.make_key('Volumes of others', 'theirs') AS foreign_key \gset

CREATE FUNCTION pg_temp.volume(its_key bigint, member text) RETURNS text LANGUAGE sql AS $$
    SELECT e ->> member FROM json_array_elements(
        sluice.key_volumes('Volumes', its_key, NULL) -> 'volumes') AS e
$$;
CREATE FUNCTION pg_temp.put(organization bigint, its_key bigint, at timestamptz, n integer)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, source,
        request_id, payload)
    SELECT nextval('sluice.signal_id'), organization, at, at, its_key, 's', 'r', '{}'
    FROM generate_series(1, n)
$$;
CREATE FUNCTION pg_temp.count_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_stat_force_next_flush();
    INSERT INTO sluice.counted_partition (partition_name, changes, last_id, counted_at, took)
    SELECT p.partition_name, -1, 0, '-infinity', '0' FROM sluice.countable_partition AS p
    ON CONFLICT (partition_name) DO UPDATE SET changes = -1, counted_at = '-infinity';
    LOOP
        EXIT WHEN sluice.count_rows(1) = 0;
    END LOOP;
END
$$;

-- ---- counted on the spot ----
SELECT is((sluice.key_volumes('Volumes', NULL, NULL) -> 'volumes')::text, '[]', 'nothing came');
SELECT is(pg_temp.volume(:silent, 'accepted_7_days'), '0', 'a key that is asked for is there');
SELECT throws_ok(format('SELECT sluice.key_volumes(''Volumes'', %s, NULL)', :foreign_key), 'P0002',
    NULL, 'another organization''s key');
SELECT throws_ok('SELECT sluice.key_volumes(''Nobody'', NULL, NULL)', 'P0002', NULL,
    'an unknown organization');
SELECT pg_temp.put(:mine, :busy, now(), 3);
SELECT pg_temp.put(:mine, :busy, now() - interval '2 days', 4);
SELECT pg_temp.put(:mine, :busy, now() - interval '9 days', 5);
SELECT pg_temp.put(:theirs, :foreign_key, now(), 7);
INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id,
    source, request_id, payload)
SELECT nextval('sluice.signal_id'), :mine, now(), now(), :busy, 's', 'r', '{}';
INSERT INTO sluice.product_org_update (id, organization_id, received_at, key_id, product_org_id,
    request_id, payload)
SELECT nextval('sluice.signal_id'), :mine, now(), :busy, 'o', 'r', '{}';
INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, payload_bytes, kind,
    code, detail, request_id, payload)
SELECT :mine, now() - interval '1 day', :busy, 1, 'item', 'c', 'd', 'r', '1';
INSERT INTO sluice.refusal_delta (organization_id, key_id, counted_at, reason, requests)
VALUES (:mine, :busy, now(), 'secret_wrong', 6);
SELECT is(pg_temp.volume(:busy, 'accepted_today'), '5', 'signals, cold ones and product orgs');
SELECT is(pg_temp.volume(:busy, 'accepted_7_days'), '9', 'of a week');
SELECT is(pg_temp.volume(:busy, 'accepted_by_day'), '[0, 0, 0, 0, 4, 0, 5]', 'by day');
SELECT is(pg_temp.volume(:busy, 'rejected_today') || pg_temp.volume(:busy, 'rejected_7_days'),
    '01', 'rejected');
SELECT is(pg_temp.volume(:busy, 'last_rejected_at'),
    sluice.timestamp_text(now() - interval '1 day'), 'the last rejected');
SELECT is(pg_temp.volume(:busy, 'refused_today') || pg_temp.volume(:busy, 'refused_7_days'),
    '66', 'refused');
SELECT is(json_array_length(sluice.key_volumes('Volumes', NULL, NULL) -> 'volumes'), 1,
    'only keys with which something came');
SELECT is(sluice.key_volumes('Volumes', NULL, NULL) ->> 'as_of', sluice.timestamp_text(now()),
    'up to now');

-- ---- counted before ----
SELECT pg_temp.count_all();
SELECT is((SELECT sum(entries) FROM sluice.key_count WHERE organization_id = :mine
    AND day > (now() AT TIME ZONE 'UTC')::date - 7), 10::numeric, 'the week is counted');
SELECT is((SELECT count(*) FROM sluice.hourly_count WHERE organization_id = :mine
    AND table_name = 'product_org_update'), 0::bigint, 'product orgs by key only');
SELECT is(pg_temp.volume(:busy, 'accepted_by_day'), '[0, 0, 0, 0, 4, 0, 5]', 'with the same result');
SELECT pg_temp.put(:mine, :silent, now(), 2);
SELECT is(pg_temp.volume(:silent, 'accepted_today'), '2', 'with what came since');
SELECT is((SELECT string_agg(e ->> 'key_name', ' ') FROM json_array_elements(
    sluice.key_volumes('Volumes', NULL, NULL) -> 'volumes') AS e), 'busy silent',
    'the busiest first');
SELECT is(json_array_length(sluice.key_volumes('Volumes', NULL, 1) -> 'volumes'), 1, 'at most');
UPDATE sluice.counted_partition SET counted_at = now() - interval '1 minute';
SELECT pg_temp.put(:mine, :silent, now(), 10001);
SELECT is(pg_temp.volume(:silent, 'accepted_today'), '0', 'unless it is much');
SELECT is((sluice.key_volumes('Volumes', NULL, NULL) ->> 'as_of')::timestamptz < now(), true,
    'which as_of tells');

-- ---- of the keys of a part of the list ----
SELECT sluice.member_add('op', 'Volumes', 'volumes-editor', 'editor');
SELECT pg_temp.make_key('Volumes', 'later') AS later \gset
CREATE FUNCTION pg_temp.part(before bigint, match text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(e ->> 'key_name', ' ') || '|' || coalesce(v ->> 'next', '-')
    FROM (SELECT sluice.settings_key_volumes('volumes-editor', NULL, NULL, 2, before, match) AS v) AS v,
        json_array_elements(v -> 'volumes') AS e
    GROUP BY v ->> 'next'
$$;
SELECT is(pg_temp.part(NULL), 'later silent|' || :silent, 'in the order of the keys');
SELECT is(pg_temp.part(:silent), 'busy|-', 'up to the last');
SELECT is(pg_temp.part(NULL, 'US'), 'busy|-', 'of those that match');
SELECT is(sluice.settings_key_volumes('volumes-editor', NULL, :busy) -> 'volumes' -> 0 ->> 'accepted_by_day',
    '[0, 0, 0, 0, 4, 0, 5]', 'of one');
SELECT is(sluice.settings_key_volumes('volumes-editor', NULL, NULL, 1) -> 'volumes' -> 0 ->> 'accepted_by_day',
    '[0, 0, 0, 0, 0, 0, 0]', 'all days of a key with which nothing came');
SELECT is(sluice.settings_key_volumes('volumes-editor', NULL, NULL, 9, NULL, NULL, 'product_orgs') ->> 'volumes',
    '[]', 'of no key');
SELECT * FROM finish();
ROLLBACK;
