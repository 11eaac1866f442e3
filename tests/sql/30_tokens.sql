-- Tokens of the settings API: who makes and revokes them, what they may do, and what ends them.
BEGIN;
SELECT plan(65);
\ir helper.psql

SELECT sluice.organization_create('op', 'Tokens') AS mine \gset
SELECT sluice.organization_create('op', 'Other tokens') AS other \gset
SELECT sluice.member_add('op', 'Tokens', u, r) FROM (VALUES ('olga', 'owner'), ('adam', 'admin'),
    ('edith', 'editor'), ('emil', 'editor'), ('vera', 'viewer')) AS m (u, r);
SELECT sluice.member_add('op', 'Other tokens', 'edith', 'owner');

CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    its_column text;
BEGIN
    EXECUTE statement;
    RETURN '00000';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS its_column = COLUMN_NAME;
    RETURN concat_ws(' ', SQLSTATE, nullif(its_column, ''));
END
$$;
-- A token whose plain text is its name.
CREATE FUNCTION pg_temp.make(user_name text, name text, scopes text[],
    expires_at timestamptz DEFAULT now() + interval '1 day', organization bigint DEFAULT NULL)
RETURNS sluice.token_overview LANGUAGE sql
RETURN sluice.settings_token_create(user_name, coalesce(organization, (SELECT o.id
    FROM sluice.organization AS o WHERE o.name = 'Tokens')), name, pg_temp.hash(name),
    U&'slt_aaaa\2026zzzz', scopes, expires_at);
CREATE FUNCTION pg_temp.use(name text, scope text DEFAULT NULL) RETURNS text LANGUAGE sql
RETURN sluice.settings_token_use(pg_temp.hash(name), scope);

-- ---- making ----
SELECT is((SELECT concat_ws(' ', t.organization, t.name, t.user_name, t.scopes, t.status, t.created_by,
    t.last_used_at IS NULL) FROM pg_temp.make('edith', ' ci ', ARRAY['keys', 'read', 'keys']) AS t),
    'Tokens ci edith {read,keys} active edith t', 'a token as it is stored: tidy, each scope once');
SELECT is((SELECT count(*) FROM pg_temp.make('edith', ' ci ', ARRAY['read'])), 1::bigint, 'a retry finds it');
SELECT is((SELECT count(*) FROM sluice.api_token), 1::bigint, 'and makes no second one');
SELECT is(pg_temp.outcome($$ SELECT pg_temp.make('adam', ' ci ', ARRAY['read']) $$), '23505',
    'but not for another user');
SELECT is(pg_temp.outcome(format('SELECT pg_temp.make(%L, %L, %L, %L)', t.who, t.name, t.scopes, t.expires)),
    t.result, concat_ws(' ', t.who, left(t.name, 9), t.scopes, t.expires))
FROM (VALUES
    ('vera', 'x', '{read}', now() + interval '1 day', 'SL002'),
    ('sven', 'x', '{read}', now() + interval '1 day', 'SL001'),
    ('edith', '', '{read}', now() + interval '1 day', '22023 name'),
    ('edith', repeat('x', 201), '{read}', now() + interval '1 day', '22023 name'),
    ('edith', 'x', '{}', now() + interval '1 day', '22023 scopes'),
    ('edith', 'x', '{write}', now() + interval '1 day', '22023 scopes'),
    ('edith', 'x', '{read,NULL}', now() + interval '1 day', '22023 scopes'),
    ('edith', 'x', NULL, now() + interval '1 day', '22023 scopes'),
    ('edith', 'x', '{organization}', now() + interval '1 day', '22023 scopes'),
    ('edith', 'x', '{read}', NULL, '22023 expires_at'),
    ('edith', 'x', '{read}', 'infinity', '22023 expires_at'),
    ('edith', 'x', '{read}', now(), '22023 expires_at'),
    ('edith', 'x', '{read}', now() + interval '367 days', '22023 expires_at'),
    ('edith', 'x', '{read}', now() + interval '366 days', '00000'),
    ('adam', 'y', '{organization}', now() + interval '1 day', '00000')) AS t (who, name, scopes, expires, result);
SELECT is(pg_temp.outcome(format($$ SELECT sluice.settings_token_create('edith', %s, 'n', %L, %L, '{read}',
    now() + interval '1 day') $$, :mine, h, d)), '22023', 'no hash, no display')
FROM (VALUES (NULL::bytea, U&'slt_aaaa\2026zzzz'), ('\x00', U&'slt_aaaa\2026zzzz'),
    (pg_temp.hash('n'), NULL), (pg_temp.hash('n'), U&'sk_aaaa\2026zzzz')) AS t (h, d);
SELECT is(pg_temp.outcome($$ SELECT pg_temp.make('edith', 'two', ARRAY['read'], organization => 0) $$), 'SL001',
    'not in an organization that is not there');
SELECT is((SELECT t.user_name FROM sluice.token_create('op', 'Tokens', 'emil', 'by op', pg_temp.hash('by op'),
    U&'slt_aaaa\2026zzzz', ARRAY['keys'], now() + interval '1 hour') AS t), 'emil', 'an operator makes one for a member');
SELECT is(pg_temp.outcome($$ SELECT sluice.token_create('op', 'Tokens', 'sven', 'no', pg_temp.hash('no'),
    U&'slt_aaaa\2026zzzz', ARRAY['keys'], now() + interval '1 hour') $$), 'P0002', 'not for a stranger');
SELECT is(pg_temp.outcome($$ SELECT sluice.token_create('op', 'Tokens', 'vera', 'no', pg_temp.hash('no'),
    U&'slt_aaaa\2026zzzz', ARRAY['read'], now() + interval '1 hour') $$), '22023 scopes', 'nor for a viewer');
SELECT is((SELECT a.details - 'expires_at' FROM sluice.audit_log AS a WHERE a.action = 'token_create'
    AND a.actor = 'edith' ORDER BY a.id LIMIT 1),
    U&'{"name": "ci", "display": "slt_aaaa\2026zzzz", "user": "edith", "scopes": ["read", "keys"]}'::jsonb,
    'making is in the audit log, without the hash');

-- ---- using ----
SELECT id AS ci FROM sluice.api_token WHERE name = 'ci' \gset
SELECT is(pg_temp.use(' ci '), format('token:%s:edith', :ci), 'a token is known by its hash');
SELECT is(pg_temp.use(' ci ', 'keys'), format('token:%s:edith', :ci), 'and has its scopes');
SELECT is(pg_temp.outcome($$ SELECT pg_temp.use(' ci ', 'organization') $$), 'SL007', 'no others');
SELECT is(pg_temp.use('made up'), NULL, 'another hash is no token''s');
SELECT is((SELECT t.last_used_at FROM sluice.token_overview AS t WHERE t.id = :ci), now(), 'the use is noted');
SELECT format('token:%s:edith', :ci) AS ci_name \gset
SELECT is(sluice.membership(:'ci_name', NULL, 'editor'), :mine::bigint, 'its organization needs no name');
SELECT is(sluice.membership(:'ci_name', :mine, 'editor'), :mine::bigint, 'but may have it');
SELECT is(pg_temp.outcome(format('SELECT sluice.membership(%L, %s, ''viewer'')', :'ci_name', :other)), 'SL001',
    'another organization of its user is not its own');
SELECT is(pg_temp.outcome(format('SELECT sluice.membership(%L, NULL, ''admin'')', :'ci_name')), 'SL002',
    'it has its user''s role');
SELECT is((SELECT string_agg(m.name || '=' || m.role, ' ') FROM sluice.settings_me(:'ci_name') AS m),
    'Tokens=editor', 'it sees its organization only');
SELECT is(pg_temp.outcome(format($$ SELECT sluice.settings_token_create(%L, NULL, 'child', pg_temp.hash('child'),
    U&'slt_aaaa\2026zzzz', '{read}', now() + interval '1 day') $$, :'ci_name')), 'P0002', 'it makes no other token');
SELECT lives_ok(format($$ SELECT sluice.settings_key_create(%L, NULL, 'by token', 'signal_staging',
    pg_temp.hash('k'), U&'sk_aaaa\2026zzzz', NULL, NULL, NULL) $$, :'ci_name'), 'it makes a key');
SELECT is((SELECT concat_ws(' ', a.actor, a.details ->> 'token', a.details ->> 'name') FROM sluice.audit_log AS a
    WHERE a.action = 'key_create' AND a.organization_id = :mine), :'ci_name' || ' ci by token',
    'and the audit log says which token');
SELECT is(pg_temp.outcome($$ SELECT sluice.member_add('op', 'Tokens', 'token:1:x', 'viewer') $$), '22023 user',
    'nobody is called like a token');
SELECT is(sluice.token_id_of(n), NULL, n || ' is no token''s name')
FROM unnest(ARRAY['token:', 'token:x:y', 'token:1', 'atoken:1:y', 'token:1234567890123456789:y']) AS n;

-- ---- another role, no member any more ----
SELECT sluice.member_role_set('op', 'Tokens', 'edith', 'viewer');
SELECT is(pg_temp.outcome(format('SELECT sluice.membership(%L, NULL, ''editor'')', :'ci_name')), 'SL002',
    'a lower role is lower at once');
SELECT sluice.member_remove('op', 'Tokens', 'edith');
SELECT is((SELECT a.details FROM sluice.audit_log AS a WHERE a.action = 'member_remove'),
    '{"role": "viewer", "revoked_tokens": 2}'::jsonb, 'the tokens of a former member are revoked');
SELECT is(pg_temp.use(' ci '), NULL, 'and not known any more');
SELECT sluice.member_add('op', 'Tokens', 'edith', 'editor');
SELECT is(pg_temp.use(' ci '), NULL, 'even if the user comes back');
SELECT is(pg_temp.outcome(format('SELECT sluice.membership(%L, NULL, ''viewer'')', :'ci_name')), 'SL001',
    'not in the middle of a request either');

-- ---- revoking, expiring ----
SELECT id AS by_op FROM sluice.api_token WHERE name = 'by op' \gset
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_token_revoke(%L, %s, %s)', t.who, t.organization, :by_op)),
    t.result, t.who || ' revokes') FROM (VALUES ('edith', :mine, 'SL002'), ('vera', :mine, 'SL002'),
    ('sven', :mine, 'SL001'), ('edith', :other, 'P0002'), ('emil', :mine, '00000')) AS t (who, organization, result);
SELECT is((SELECT concat_ws(' ', t.status, t.revoked_by) FROM sluice.settings_token_revoke('adam', :mine, :by_op) AS t),
    'revoked emil', 'a second time changes nothing');
SELECT is((SELECT count(*) FROM sluice.audit_log AS a WHERE a.action = 'token_revoke'), 1::bigint, 'and is not logged');
SELECT is(pg_temp.use('by op'), NULL, 'a revoked token is not known');
UPDATE sluice.api_token SET created_at = now() - interval '100 days', expires_at = now() WHERE name = 'y';
SELECT is(pg_temp.use('y'), NULL, 'nor is an expired one');
SELECT is((SELECT string_agg(concat_ws('=', t.name, t.status), ' ') FROM sluice.settings_tokens('olga', :mine) AS t),
    'by op=revoked y=expired x=revoked ci=revoked', 'the list, newest first');
SELECT is((SELECT string_agg(t.name, ' ') FROM sluice.settings_tokens('olga', :mine, NULL, 2) AS t), 'by op y',
    'in parts');
SELECT is((SELECT string_agg(t.name, ' ') FROM sluice.settings_tokens('olga', :mine,
    (SELECT id FROM sluice.api_token WHERE name = 'y'), 2) AS t), 'x ci', 'each behind the one before');
UPDATE sluice.api_token SET expires_at = now() - interval '91 days' WHERE name = 'y';
SELECT is(sluice.prune_tokens(10), 1::bigint, 'one past retention is deleted');

SELECT * FROM finish();
ROLLBACK;
