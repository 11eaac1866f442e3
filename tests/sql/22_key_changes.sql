-- Changes of API keys: editing, rotation, secrets, and what the audit log says of them.
BEGIN;
SELECT plan(91);
\ir helper.psql

SELECT sluice.organization_create('op', 'Changes') AS mine \gset
SELECT pg_temp.make_key('Changes', 'plain') AS plain \gset
SELECT (sluice.key_create('op', 'Changes', 'accounts', 'product_orgs', pg_temp.hash('accounts'),
    U&'sk_acco\2026unts', NULL, '2999-01-01Z', '{"product_org_id": "id"}')).id AS accounts \gset

CREATE FUNCTION pg_temp.details(its_action text, its_id bigint) RETURNS jsonb LANGUAGE sql AS $$
    SELECT a.details FROM sluice.audit_log AS a WHERE a.action = its_action
        AND a.object_kind = 'api_key' AND a.object_id = its_id::text ORDER BY a.id DESC LIMIT 1
$$;
-- The outcome for a key with a secret, as workers learn it: from both functions.
CREATE FUNCTION pg_temp.outcome(key text, secret text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its sluice.api_key;
    outcome sluice.intake_outcome;
    secret_hash constant bytea := pg_temp.hash(secret);
BEGIN
    SELECT * INTO its FROM sluice.api_key AS k WHERE k.key_hash = pg_temp.hash(key);
    outcome := sluice.key_outcome(its, secret_hash, false);
    IF sluice.key_accepts(its, secret_hash, false) AND outcome <> 'accepted' THEN
        RETURN 'differs';
    END IF;
    RETURN outcome;
END
$$;

-- ---- editing ----
SELECT results_eq(format('SELECT name, expires_at FROM sluice.key_edit(''ed'', %s, ''renamed'', '
    '''2998-01-01Z'', NULL)', :'plain'), $$ VALUES ('renamed', '2998-01-01Z'::timestamptz) $$,
    'name and expiration');
SELECT is(pg_temp.details('key_edit', :plain) - 'display',
    '{"old": {"name": "plain", "expires_at": null}}'::jsonb
        || jsonb_build_object('new', jsonb_build_object('name', 'renamed',
            'expires_at', to_jsonb('2998-01-01Z'::timestamptz))),
    'old and new are in the audit log');
SELECT is((sluice.key_edit('ed', :plain, NULL, 'infinity', NULL)).expires_at, NULL, 'for ever');
SELECT is(pg_temp.details('key_edit', :plain) -> 'new', '{"expires_at": null}', 'which it says');
SELECT is((sluice.key_edit('ed', :plain, NULL, NULL, NULL)).name, 'renamed', 'nothing to change');
SELECT is((sluice.key_edit('ed', :plain, 'renamed', 'infinity', NULL)).name, 'renamed', 'nor here');
SELECT is((sluice.key_edit('ed', :accounts, NULL, NULL,
    '{"product_org_id": "groupId", "mrr": "traits.mrr"}')).payload_template ->> 'mrr', 'traits.mrr',
    'a template');
SELECT is(pg_temp.details('key_edit', :accounts) - 'display',
    '{"old": {"payload_template": {"product_org_id": "id"}},
      "new": {"payload_template": {"product_org_id": "groupId", "mrr": "traits.mrr"}}}'::jsonb,
    'old and new of it');
SELECT is((sluice.key_show(:accounts)).expires_at, '2999-01-01Z'::timestamptz, 'the rest stays');
SELECT is(count(*), 3::bigint, 'an entry for each change') FROM sluice.audit_log
WHERE action = 'key_edit' AND organization_id = :mine;
SELECT is((sluice.key_edit('ed', :plain, NULL, NULL, NULL, '{10.0.0.0/8,::/0}')).networks,
    '{10.0.0.0/8,::/0}', 'networks');
SELECT is(pg_temp.details('key_edit', :plain) - 'display',
    '{"old": {"networks": null}, "new": {"networks": ["10.0.0.0/8", "::/0"]}}', 'old and new of them');
SELECT is((sluice.key_edit('ed', :plain, 'renamed', NULL, NULL)).networks, '{10.0.0.0/8,::/0}',
    'which stay');
SELECT is((sluice.key_edit('ed', :plain, NULL, NULL, NULL, '{}')).networks, NULL, 'everywhere');
SELECT throws_ok(format('SELECT sluice.key_edit(''ed'', %s, %s)', k.id, k.arguments), k.state, k.message,
    k.message)
FROM (VALUES (:plain, ''''', NULL, NULL', '22023', 'key name is missing'),
    (:plain, 'NULL, now(), NULL', '22023', 'expiration must be in the future'),
    (:plain, 'NULL, ''-infinity'', NULL', '22023', 'expiration must be a timestamp'),
    (:plain, 'NULL, NULL, ''{"product_org_id": "a"}''', '22023',
        'a signal_staging key takes no payload template'),
    (:accounts, 'NULL, NULL, ''{}''', '22023', 'payload template must map product_org_id'),
    (:plain, 'NULL, NULL, NULL, ''{10.0.0.1/8}''', '22023',
        '"10.0.0.1/8" has bits to the right of its mask; its network is 10.0.0.0/8'),
    (:plain, 'NULL, NULL, NULL, ''{NULL}''', '22023',
        '"null" is not a network, such as 192.0.2.0/24 or 2001:db8::/32'),
    (0, '''n'', NULL, NULL', 'P0002', 'key 0 does not exist')) AS k (id, arguments, state, message);
SELECT throws_ok(format('SELECT sluice.key_edit('''', %s, ''n'', NULL, NULL)', :'plain'), '22023',
    'actor is missing', 'by nobody');

-- ---- rotation ----
-- A DBA's own column and a setting of each kind.
ALTER TABLE sluice.api_key ADD COLUMN cost_centre text,
    ADD COLUMN has_centre boolean GENERATED ALWAYS AS (cost_centre IS NOT NULL) STORED;
UPDATE sluice.api_key
SET cost_centre = 'c7', delivery_id_member = 'event.id', networks = '{10.0.0.0/8}'
WHERE id = :accounts;
CREATE FUNCTION pg_temp.rotate(id bigint, key text, overlap interval DEFAULT '24 hours',
    expires_at timestamptz DEFAULT NULL, actor text DEFAULT 'ro') RETURNS sluice.key_overview
LANGUAGE sql AS $$
    SELECT * FROM sluice.key_rotate(actor, id, pg_temp.hash(key), U&'sk_next\2026next',
        pg_temp.hash(key || ' secret'), overlap, expires_at)
$$;
CREATE TEMPORARY TABLE next AS SELECT * FROM pg_temp.rotate(:accounts, 'accounts 2');
SELECT results_eq('SELECT name, endpoint_type, payload_template, expires_at, delivery_id_member, has_secret,
    status, created_by, created_at, last_used_at FROM next',
    format('SELECT name, endpoint_type, payload_template, ''2999-01-01Z''::timestamptz, '
    'delivery_id_member, has_secret, ''active'', ''ro'', now(), NULL::timestamptz '
    'FROM sluice.key_show(%s)', :'accounts'), 'the successor has the settings');
SELECT is(to_jsonb(n) - d.own, to_jsonb(k) - d.own, 'all of them, a DBA''s column, too')
FROM sluice.api_key AS k, sluice.api_key AS n, (VALUES (ARRAY['id', 'key_hash', 'display', 'successor_of',
    'delivery_scope', 'expires_at', 'created_at', 'created_by', 'secret_changed_at'])) AS d (own)
WHERE k.id = :accounts AND n.id = (SELECT id FROM next);
SELECT results_eq(format('SELECT successor, status, expires_at FROM sluice.key_show(%s)', :'accounts'),
    'SELECT id, ''active'', now() + interval ''24 hours'' FROM next',
    'the old key goes on for the overlap');
SELECT is(successor_of, :accounts::bigint, 'both are linked') FROM next;
SELECT is(k.delivery_scope, :accounts::bigint, 'and share a scope') FROM sluice.api_key AS k
WHERE k.id = (SELECT id FROM next);
SELECT is(pg_temp.details('key_rotate', :accounts), jsonb_build_object('successor', id,
    'successor_display', display, 'has_secret', false, 'expires_at', now() + interval '24 hours',
    'successor_expires_at', expires_at), 'the audit log') FROM next;
SELECT is((pg_temp.rotate(:accounts, 'accounts 2')).id, id, 'a retry returns the same key') FROM next;
SELECT is(count(*), 1::bigint, 'and changes nothing') FROM sluice.audit_log
WHERE action = 'key_rotate' AND object_id = :'accounts';
SELECT throws_ok(format('SELECT pg_temp.rotate(%s, ''accounts 2'', actor => ''other'')', :'accounts'),
    'SL004', NULL, 'not somebody else''s');
SELECT throws_ok(format('SELECT pg_temp.rotate(%s, ''accounts 3'')', :'accounts'), 'SL004',
    format('key %s has been rotated already', :'accounts'), 'one successor');
CREATE TEMPORARY TABLE third AS SELECT v.* FROM next, pg_temp.rotate(next.id, 'accounts 3', '0') AS v;
SELECT is(k.delivery_scope, :accounts::bigint, 'the scope is that of the first')
FROM sluice.api_key AS k JOIN third USING (id);
SELECT is(v.status, 'expired', 'without overlap the old key ends at once')
FROM next, sluice.key_show(next.id) AS v;
SELECT is((sluice.key_show(:accounts)).expires_at, now() + interval '24 hours', 'the first goes on');
SELECT lives_ok('SELECT sluice.key_deactivate(''ro'', id) FROM third', 'a successor that is no use');
SELECT throws_ok('SELECT pg_temp.rotate(id, ''accounts 4'') FROM next', '22023',
    'the key has expired: its successor needs an expiration of its own', 'an expired key');
CREATE TEMPORARY TABLE fourth AS
    SELECT v.* FROM next, pg_temp.rotate(next.id, 'accounts 4', expires_at => '2030-01-01Z') AS v;
SELECT is(f.expires_at, '2030-01-01Z'::timestamptz, 'its successor''s own expiration') FROM fourth AS f;
SELECT is(v.successor, f.id, 'the latest successor') FROM fourth AS f, next, sluice.key_show(next.id) AS v;
SELECT is((pg_temp.rotate(f.id, 'accounts 5', expires_at => 'infinity')).expires_at, NULL, 'or none')
FROM fourth AS f;
SELECT throws_ok(format('SELECT pg_temp.rotate(%s, ''n'', %L)', :'plain', o), '22023',
    'overlap must be from 0 to 90 days', 'an overlap of ' || coalesce(o, 'null'))
FROM unnest(ARRAY['-1 s', '90 days 1 s', NULL]) AS o;
SELECT throws_ok(format('SELECT pg_temp.rotate(%s, ''n'', expires_at => now())', :'plain'), '22023',
    'expiration must be in the future', 'a successor that has expired');
SELECT throws_ok(format('SELECT pg_temp.rotate(%s, ''accounts'')', :'plain'), '23505', NULL,
    'a key that there is');
SELECT throws_ok('SELECT pg_temp.rotate(id, ''n'') FROM third', 'SL004', NULL, 'a deactivated key');
SELECT throws_ok('SELECT sluice.key_edit(''ed'', id, ''n'', NULL, NULL) FROM third', 'SL004', NULL,
    'which is not edited either');
SELECT throws_ok('SELECT pg_temp.rotate(0, ''n'')', 'P0002', 'key 0 does not exist', 'no key');
SELECT sluice.organization_limit('op', 'Changes', 5, false);
SELECT pg_temp.rotate(:plain, 'plain 2') AS rotated \gset
SELECT is(k.limited, true, 'the organization''s limit is the successor''s, too')
FROM sluice.api_key AS k WHERE k.key_hash = pg_temp.hash('plain 2');
SELECT sluice.organization_limit('op', 'Changes', 0, false);

-- ---- secrets ----
SELECT pg_temp.make_key('Changes', 'guarded') AS guarded \gset
CREATE FUNCTION pg_temp.secret(id bigint, action text, secret text DEFAULT NULL,
    overlap interval DEFAULT '1 hour') RETURNS sluice.key_overview LANGUAGE sql AS $$
    SELECT * FROM sluice.key_secret('se', id, action, pg_temp.hash(secret), overlap)
$$;
CREATE FUNCTION pg_temp.outcomes(key text) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(pg_temp.outcome(key, s), ' ' ORDER BY n)
    FROM unnest(ARRAY[NULL, 'a', 'b', 'x']) WITH ORDINALITY AS u (s, n)
$$;
-- As if its time had gone by.
CREATE FUNCTION pg_temp.let_overlap_end(its_id bigint) RETURNS void LANGUAGE sql AS $$
    UPDATE sluice.api_key SET previous_secret_until = now() WHERE id = its_id
$$;
SELECT is(pg_temp.outcomes('guarded'), 'accepted accepted accepted accepted', 'without a secret');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, %L, ''a'')', :'guarded', a), 'SL004',
    format('key %s has no secret', :'guarded'), a || ': it has none')
FROM unnest(ARRAY['rotate', 'retire', 'remove']) AS a;
SELECT results_eq(format('SELECT has_secret, secret_made_at, secret_needed_from, old_secret_until '
    'FROM pg_temp.secret(%s, ''enable'', ''a'')', :'guarded'),
    $$ VALUES (true, now(), now() + interval '1 hour', NULL::timestamptz) $$, 'one is enabled');
SELECT is(pg_temp.outcomes('guarded'), 'accepted accepted accepted accepted',
    'until the overlap ends none is needed');
SELECT is((pg_temp.secret(:guarded, 'enable', 'a', '5 hours')).secret_needed_from,
    now() + interval '1 hour', 'a retry changes nothing');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, ''enable'', ''b'')', :'guarded'), 'SL004',
    format('key %s has a secret already', :'guarded'), 'it has one');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, ''rotate'', ''b'')', :'guarded'), 'SL004', NULL,
    'not while none is needed');
SELECT pg_temp.let_overlap_end(:guarded);
SELECT is(pg_temp.outcomes('guarded'), 'secret_missing accepted secret_wrong secret_wrong',
    'then it is');
SELECT results_eq(format('SELECT has_secret, secret_needed_from, old_secret_until '
    'FROM pg_temp.secret(%s, ''rotate'', ''b'')', :'guarded'),
    $$ VALUES (true, NULL::timestamptz, now() + interval '1 hour') $$, 'another one');
SELECT is(pg_temp.outcomes('guarded'), 'secret_missing accepted accepted secret_wrong',
    'both are valid');
SELECT is(pg_temp.details('secret_rotate', :guarded) -> 'overlap_until',
    to_jsonb(now() + interval '1 hour'), 'which the audit log says');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, ''rotate'', ''x'')', :'guarded'), 'SL004', NULL,
    'no third one');
SELECT is((pg_temp.secret(:guarded, 'retire')).old_secret_until, NULL, 'the old one is retired');
SELECT is(pg_temp.outcomes('guarded'), 'secret_missing secret_wrong accepted secret_wrong',
    'the new one is valid');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, ''retire'')', :'guarded'), 'SL004', NULL,
    'nothing to retire');
SELECT lives_ok(format('SELECT pg_temp.secret(%s, ''rotate'', ''a'')', :'guarded'), 'and back');
SELECT is((pg_temp.secret(:guarded, 'rotate', 'x', '0')).old_secret_until, NULL,
    'without overlap even in one');
SELECT is(pg_temp.outcomes('guarded'), 'secret_missing secret_wrong secret_wrong accepted',
    'both old ones are gone');
SELECT pg_temp.secret(:guarded, 'rotate', 'a') AS a, pg_temp.rotate(:guarded, 'guarded 2') AS b \gset
SELECT is(pg_temp.outcome('guarded 2', 'guarded 2 secret'), 'accepted', 'a successor''s own secret');
SELECT is(pg_temp.outcome('guarded 2', s), 'secret_wrong', 'not the old key''s ' || s)
FROM unnest(ARRAY['a', 'x']) AS s;
SELECT is((pg_temp.secret(:guarded, 'remove')).has_secret, false, 'removed');
SELECT is(pg_temp.outcomes('guarded'), 'accepted accepted accepted accepted', 'then none is needed');
SELECT throws_ok(format('SELECT pg_temp.secret(%s, %s)', :'guarded', s.arguments), '22023', s.message,
    s.message)
FROM (VALUES ('NULL', 'action must be enable, rotate, retire or remove'),
    ('''drop''', 'action must be enable, rotate, retire or remove'),
    ('''enable''', 'secret hash must be a SHA-256'),
    ('''enable'', ''a'', ''91 days''', 'overlap must be from 0 to 90 days')) AS s (arguments, message);

-- ---- what was changed ----
SELECT is((SELECT string_agg(e ->> 'action', ' ')
    FROM json_array_elements(sluice.key_history(:accounts) -> 'entries') AS e),
    'key_rotate key_edit key_create', 'the history of a key');
SELECT is(e ->> 'template_before', E'{\n    "product_org_id": "id"\n}', 'a template in lines')
FROM json_array_elements(sluice.key_history(:accounts) -> 'entries') AS e
WHERE e ->> 'action' = 'key_edit';
SELECT sluice.key_history(:accounts, max_rows => 2) AS first \gset
SELECT is((SELECT string_agg(e ->> 'action', ' ') FROM json_array_elements(:'first'::json -> 'entries') AS e),
    'key_rotate key_edit', 'the first part');
SELECT is((SELECT string_agg(e ->> 'action', ' ') FROM json_array_elements(
    sluice.key_history(:accounts, (:'first'::json ->> 'next')::bigint, 2) -> 'entries') AS e),
    'key_create', 'the next one');
SELECT is(sluice.key_history(:accounts, (:'first'::json ->> 'next')::bigint, 1) ->> 'next', NULL, 'and no more');
SELECT is(sluice.key_history(:accounts, 1)::text, '{"entries" : [], "next" : null}', 'behind the end');
SELECT throws_ok('SELECT sluice.key_history(0)', 'P0002', 'key 0 does not exist', 'of no key');
SELECT is(sluice.key_payload(:accounts)::text, '{"received_at" : null, "payload" : null}',
    'no payload yet');
INSERT INTO sluice.product_org_update (id, organization_id, received_at, key_id, product_org_id,
    request_id, payload)
VALUES (nextval('sluice.signal_id'), :mine, now(), :accounts, 'a', 'r', '{"n": 1.50}');
SELECT is(sluice.key_payload(:accounts) ->> 'payload', '{"n": 1.50}', 'the latest one');
SELECT is(sluice.key_payload(id) ->> 'payload', '{"n": 1.50}', 'or that of the key before') FROM next;
SELECT is(sluice.key_payload(:plain) ->> 'payload', NULL, 'not another key''s');
SELECT is_empty($$ SELECT a.details FROM sluice.audit_log AS a
    JOIN sluice.api_key AS k ON a.object_id = k.id::text
    WHERE a.details::text ~* encode(k.key_hash, 'hex')
        OR a.details::text ~* coalesce(encode(k.secret_hash, 'hex'), 'none') $$,
    'the audit log holds no hash');

SELECT * FROM finish();
ROLLBACK;
