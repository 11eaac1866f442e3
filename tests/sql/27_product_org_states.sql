-- The current states of product orgs, their history, and the currency of their money.
BEGIN;
SELECT plan(38);
\ir helper.psql

SELECT sluice.organization_create('op', 'States') AS mine \gset
SELECT sluice.organization_create('op', 'Another') AS theirs \gset

CREATE TEMPORARY SEQUENCE ids;
CREATE FUNCTION pg_temp.update_org(organization bigint, id text, its_name text, plan text, mrr bigint,
    trial text DEFAULT NULL) RETURNS void LANGUAGE sql AS $$
    INSERT INTO sluice.product_org_update (id, received_at, organization_id, key_id, product_org_id, name, plan_id,
        plan_name, mrr, trial_status, request_id, payload)
    VALUES (nextval('ids'), now(), organization, 1, update_org.id, its_name, lower(plan), plan, mrr, trial, 'r', '{}')
$$;
SELECT pg_temp.update_org(:mine, i, n, p, m, t) FROM (VALUES
    (1, 'a', 'Acme', 'Pro', 100, 'active'), (2, 'b', 'Bolt', 'Free', 0, NULL),
    (3, E'c\n"', 'Caf\u00e9', 'Pro', 129950, 'over'), (4, 'a', 'Acme Ltd', 'Enterprise', 129900, 'over')
) AS u (nr, i, n, p, m, t) ORDER BY nr;
SELECT pg_temp.update_org(:theirs, 'z', 'Zed', 'Pro', 5);

CREATE FUNCTION pg_temp.states(before text DEFAULT NULL, max_rows integer DEFAULT 10,
    id text DEFAULT NULL, match text DEFAULT NULL, plan text DEFAULT NULL, trial text DEFAULT NULL)
RETURNS json LANGUAGE sql AS $$
    SELECT sluice.product_org_states('States', before, max_rows, id, match, plan, trial)
$$;
CREATE FUNCTION pg_temp.ids(answer json) RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(o ->> 'product_org_id', ' ') FROM json_array_elements(answer -> 'product_orgs') AS o
$$;

-- ---- states ----
SELECT is(pg_temp.ids(pg_temp.states()), E'a b c\n"', 'each product org once, by its id');
SELECT is(pg_temp.states() -> 'product_orgs' -> 0 ->> 'name', 'Acme Ltd', 'as its latest update says');
SELECT is(pg_temp.states() ->> 'next', NULL, 'that is all');
SELECT is(pg_temp.ids(pg_temp.states(max_rows => 2)), 'a b', 'two');
SELECT is(pg_temp.states(max_rows => 2) ->> 'next', '62', 'and where to go on');
SELECT is(pg_temp.ids(pg_temp.states('62')), E'c\n"', 'the others');
SELECT is(pg_temp.ids(pg_temp.states('630a22')), NULL, 'behind the last one nothing');
SELECT throws_ok(format('SELECT pg_temp.states(%L)', b), '22023', 'is not the "next" of an answer', b)
FROM unnest(ARRAY['b', '6', 'ff', 'x0']) AS b;
SELECT is(pg_temp.ids(pg_temp.states(id => 'b')), 'b', 'one');
SELECT is(pg_temp.ids(pg_temp.states(id => 'z')), NULL, 'not that of another organization');
SELECT is(pg_temp.ids(pg_temp.states(match => m)), found, format('with "%s" in id, name or plan', m))
FROM (VALUES ('ACME', 'a'), ('free', 'b'), ('enterprise', 'a'), ('%', NULL), ('b', 'b')) AS c (m, found);
SELECT is(pg_temp.ids(pg_temp.states(plan => 'pro')), E'c\n"', 'a plan by its id');
SELECT is(pg_temp.ids(pg_temp.states(plan => 'Enterprise')), 'a', 'by its name');
SELECT is(pg_temp.ids(pg_temp.states(trial => 'over')), E'a c\n"', 'a trial status');
SELECT throws_ok($$ SELECT sluice.product_org_states('Nowhere', NULL, 1, NULL, NULL, NULL, NULL) $$,
    'P0002', NULL, 'no such organization');

-- ---- history ----
SELECT is(sluice.product_org_show('States', 'a', NULL, 10) -> 'product_org' ->> 'name', 'Acme Ltd',
    'the state');
SELECT is((SELECT string_agg(u ->> 'name', ', ') FROM json_array_elements(
    sluice.product_org_show('States', 'a', NULL, 10) -> 'updates') AS u), 'Acme Ltd, Acme',
    'and the updates, newest first');
SELECT is(sluice.product_org_show('States', 'a', NULL, 1) ->> 'next',
    sluice.product_org_show('States', 'a', NULL, 1) -> 'updates' -> 0 ->> 'id', 'where to go on');
SELECT throws_ok($$ SELECT sluice.product_org_show('States', 'z', NULL, 1) $$, 'P0002',
    'organization "States" has no product org "z"', 'one that is not there');

-- ---- money ----
SELECT is(pg_temp.states(id => 'a') #>> '{product_orgs,0,mrr_amount}', '1299.00', 'in dollars');
SELECT is(pg_temp.states(id => 'a') #>> '{product_orgs,0,currency}', 'USD', 'unless said otherwise');
SELECT is(sluice.organization_currency('op', 'States', 'jpy'), :mine::bigint, 'a currency without digits');
SELECT is(pg_temp.states(id => 'a') #>> '{product_orgs,0,mrr_amount}', '129900', 'has yen');
SELECT is(sluice.product_org_show('States', 'a', NULL, 1) #>> '{updates,0,currency}', 'JPY', 'also of updates');
SELECT results_eq($$ SELECT a.details FROM sluice.audit_log AS a WHERE a.action = 'organization_currency' $$,
    $$ VALUES ('{"old_currency": "USD", "currency": "JPY"}'::jsonb) $$, 'its audit row');
SELECT is(sluice.amount_text(-1234567, c), t, c) FROM (VALUES ('KWD', '-1234.567'), ('CLF', '-123.4567')) AS m (c, t);
SELECT throws_ok(format('SELECT sluice.organization_currency(%L, %L, %L)', 'op', 'States', c), '22023',
    format('"%s" is not a currency', c), c) FROM unnest(ARRAY['XXX', '', 'EURO']) AS c;
SELECT results_eq($$ SELECT o.currency FROM sluice.organization_list() AS o WHERE o.name = 'States' $$,
    $$ VALUES ('JPY') $$, 'organization_list says it');

SELECT * FROM finish();
ROLLBACK;
