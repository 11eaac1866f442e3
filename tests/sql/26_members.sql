-- Members and limits as the settings service changes them: who may do what, and one owner at any time.
BEGIN;
SELECT plan(65);
\ir helper.psql

SELECT sluice.organization_create('op', 'Members') AS mine \gset
SELECT sluice.member_add('op', 'Members', u, r) FROM (VALUES ('olga', 'owner'), ('adam', 'admin'),
    ('ada', 'admin'), ('edith', 'editor'), ('vera', 'viewer')) AS m (u, r);

CREATE FUNCTION pg_temp.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN '00000';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
CREATE FUNCTION pg_temp.roles() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(m.user_name || '=' || m.role, ' ' ORDER BY m.role DESC, m.user_name)
    FROM sluice.member AS m WHERE m.organization_id = (SELECT o.id FROM sluice.organization AS o
        WHERE o.name = 'Members')
$$;
-- What a call gives, undone afterwards.
CREATE FUNCTION pg_temp.tried(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    roles text;
BEGIN
    BEGIN
        EXECUTE 'SELECT sluice.' || call;
        roles := pg_temp.roles();
        RAISE EXCEPTION 'undone' USING ERRCODE = 'SL999';
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE = 'SL999' THEN
            RETURN roles;
        END IF;
        RETURN SQLSTATE;
    END;
END
$$;

-- ---- the list ----
SELECT is((SELECT string_agg(m ->> 'user', ' ') FROM json_array_elements(
    sluice.settings_members('edith', NULL) -> 'members') AS m), 'olga ada adam edith vera', 'the owner first');
SELECT is(pg_temp.outcome($$ SELECT sluice.settings_members('vera', NULL) $$), 'SL002', 'not for viewers');
SELECT is(pg_temp.outcome($$ SELECT sluice.settings_members('sven', NULL) $$), 'SL001', 'nor for strangers');

-- ---- in parts ----
SELECT sluice.organization_create('op', 'Crowd') AS crowd \gset
SELECT sluice.member_add('op', 'Crowd', U&'m \00e4' || n, CASE WHEN n = 4 THEN 'owner' WHEN n % 2 = 0
    THEN 'admin' ELSE 'editor' END) FROM generate_series(1, 7) AS n;
CREATE FUNCTION pg_temp.part(before text, max_rows integer, match text DEFAULT NULL, OUT names text,
    OUT next text) LANGUAGE plpgsql AS $$
DECLARE
    answer constant json := sluice.settings_members(U&'m \00e44', NULL, before, max_rows, match);
BEGIN
    next := answer ->> 'next';
    names := (SELECT string_agg(right(m ->> 'user', 1), '') FROM json_array_elements(answer -> 'members') AS m);
END
$$;
SELECT is((pg_temp.part(NULL, 100)).names, '4261357', 'all: the owner, admins, editors');
SELECT is((pg_temp.part(NULL, 100)).next, NULL, 'that is the end');
SELECT names, next FROM pg_temp.part(NULL, 2) \gset first_
SELECT is(:'first_names'::text, '42', 'the first part');
SELECT sluice.member_add('op', 'Crowd', U&'m \00e40', 'admin');
SELECT names, next FROM pg_temp.part(:'first_next', 3) \gset second_
SELECT is(:'second_names'::text, '613', 'the next one, across roles; what has come before it moves nothing');
SELECT is((pg_temp.part(:'second_next', 2)).names, '57', 'exactly the last ones');
SELECT is((pg_temp.part(:'second_next', 2)).next, NULL, 'and no more');
SELECT is((pg_temp.part(NULL, 5, U&'\00c45')).names, '5', 'a part of the name, in whatever case');
SELECT is((pg_temp.part(NULL, 5, 'nobody')).names, NULL, 'of nobody');
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_members(U&''m \00e44'', NULL, %L, 5)', b)), '22023',
    'not the next of an answer: ' || b) FROM unnest(ARRAY['x', encode('king x', 'hex')]) AS b;
DELETE FROM sluice.member WHERE organization_id = :crowd;

-- ---- adding ----
SELECT is(pg_temp.tried(format('settings_member_add(%L, NULL, ''new'', %L)', a.actor, a.role)), a.result,
    a.actor || ' adds ' || coalesce(a.role, 'nothing'))
FROM (VALUES ('olga', 'admin', 'olga=owner ada=admin adam=admin new=admin edith=editor vera=viewer'),
    ('olga', 'owner', 'SL004'), ('olga', 'king', '22023'), ('olga', NULL, '22023'),
    ('adam', 'editor', 'olga=owner ada=admin adam=admin edith=editor new=editor vera=viewer'),
    ('adam', 'viewer', 'olga=owner ada=admin adam=admin edith=editor new=viewer vera=viewer'),
    ('adam', 'admin', 'SL002'), ('adam', 'owner', 'SL002'), ('edith', 'viewer', 'SL002'),
    ('vera', 'viewer', 'SL002'), ('sven', 'viewer', 'SL001')) AS a (actor, role, result);
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_member_add(''olga'', NULL, %L, ''viewer'')', n)), '22023',
    'no name') FROM unnest(ARRAY[NULL, '', repeat('x', 201), E'a\nb']) AS n;
SELECT is(pg_temp.tried($$ settings_member_add('olga', NULL, 'vera', 'viewer') $$), pg_temp.roles(), 'again');
SELECT is(pg_temp.tried($$ settings_member_add('olga', NULL, 'vera', 'editor') $$), '23505', 'with another role');

-- ---- changing ----
SELECT is(pg_temp.tried(format('settings_member_role(%L, NULL, %L, %L)', a.actor, a.member, a.role)), a.result,
    format('%s makes %s %s', a.actor, a.member, a.role))
FROM (VALUES ('olga', 'vera', 'admin', 'olga=owner ada=admin adam=admin vera=admin edith=editor'),
    ('olga', 'adam', 'viewer', 'olga=owner ada=admin edith=editor adam=viewer vera=viewer'),
    ('olga', 'adam', 'owner', 'adam=owner ada=admin olga=admin edith=editor vera=viewer'),
    ('olga', 'olga', 'admin', 'SL004'), ('olga', 'olga', 'owner', pg_temp.roles()),
    ('olga', 'nobody', 'viewer', 'P0002'), ('olga', 'vera', 'king', '22023'),
    ('adam', 'vera', 'editor', 'olga=owner ada=admin adam=admin edith=editor vera=editor'),
    ('adam', 'vera', 'admin', 'SL002'), ('adam', 'ada', 'viewer', 'SL002'), ('adam', 'adam', 'owner', 'SL002'),
    ('adam', 'olga', 'viewer', 'SL002'), ('edith', 'vera', 'viewer', 'SL002'), ('vera', 'vera', 'editor', 'SL002'))
    AS a (actor, member, role, result);

-- ---- removing ----
SELECT is(pg_temp.tried(format('settings_member_remove(%L, NULL, %L)', a.actor, a.member)), a.result,
    format('%s removes %s', a.actor, a.member))
FROM (VALUES ('olga', 'adam', 'olga=owner ada=admin edith=editor vera=viewer'), ('olga', 'olga', 'SL004'),
    ('adam', 'edith', 'olga=owner ada=admin adam=admin vera=viewer'), ('adam', 'ada', 'SL002'),
    ('adam', 'olga', 'SL002'), ('adam', 'adam', 'olga=owner ada=admin edith=editor vera=viewer'),
    ('vera', 'vera', 'olga=owner ada=admin adam=admin edith=editor'), ('vera', 'edith', 'SL002'),
    ('olga', 'nobody', pg_temp.roles())) AS a (actor, member, result);

-- ---- the tool, and what is recorded ----
SELECT lives_ok($$ SELECT sluice.member_role_set('op', 'Members', 'edith', 'owner') $$, 'the ownership passes on');
SELECT is(pg_temp.roles(), 'edith=owner ada=admin adam=admin olga=admin vera=viewer', 'in one step');
SELECT results_eq($$ SELECT actor, object_id, details FROM sluice.audit_log WHERE action = 'member_role' $$,
    $$ VALUES ('op', 'edith', '{"role": "owner", "old_role": "editor", "former_owner": "olga"}'::jsonb) $$, 'audited');
SELECT throws_ok($$ SELECT sluice.member_remove('op', 'Members', 'edith') $$, 'SL004', 'the owner cannot be removed',
    'not by the tool either');

-- ---- the limit ----
SELECT is(sluice.settings_currency('edith', NULL, 'eur') ->> 'currency', 'EUR', 'the currency, by the owner');
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_currency(%L, NULL, %L)', a.actor, a.code)), a.result,
    a.actor || ' sets the currency') FROM (VALUES ('edith', 'EURO', '22023'), ('edith', NULL, '22023'),
    ('olga', 'EUR', 'SL002'), ('sven', 'EUR', 'SL001')) AS a (actor, code, result);
SELECT is(sluice.settings_limit('edith', NULL, 500, true) ->> 'signal_limit', '500', 'by the owner');
SELECT is(pg_temp.outcome(format('SELECT sluice.settings_limit(%L, NULL, %s, NULL)', a.actor, a.n)), a.result,
    a.actor || ' sets the limit')
FROM (VALUES ('adam', 5, 'SL002'), ('edith', -1, '22023')) AS a (actor, n, result);

SELECT * FROM finish();
ROLLBACK;
