-- Ready for a distributed PostgreSQL, as far as catalogues and the functions' texts can show: what
-- Citus refuses or runs on one node only is not there.
BEGIN;
SELECT plan(13);

-- Few rows, on every node, joined with anything. The others with an organization_id are distributed by
-- it, those without are the coordinator's own.
CREATE TEMPORARY TABLE reference (name text);
INSERT INTO reference VALUES ('organization'), ('api_key'), ('api_token');
CREATE TEMPORARY TABLE distributed AS
SELECT c.oid, c.relname::text AS name FROM pg_class AS c
WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    AND EXISTS (SELECT FROM pg_attribute AS a
        WHERE a.attrelid = c.oid AND a.attname = 'organization_id')
    AND c.relname NOT IN (SELECT r.name FROM reference AS r);

-- Functions as they are written, and those that workers call or that these call.
CREATE TEMPORARY TABLE function AS
SELECT p.oid, p.proname::text AS name, pg_get_functiondef(p.oid) AS definition FROM pg_proc AS p
WHERE p.pronamespace = 'sluice'::regnamespace;
CREATE TEMPORARY TABLE hot AS
WITH RECURSIVE called AS (
    SELECT f.* FROM function AS f WHERE f.name IN ('intake_ordinary', 'intake', 'bulk_finish')
    UNION
    SELECT f.* FROM called AS c JOIN function AS f
        ON f.name IN (SELECT m[1] FROM regexp_matches(c.definition, 'sluice\.(\w+)\(', 'g') AS m))
SELECT * FROM called;
SELECT cmp_ok((SELECT count(*) FROM hot), '>', 15::bigint, 'the functions of intake are found');

-- ---- tables ----
SELECT set_has('SELECT name FROM distributed', $$ VALUES ('signal'), ('signal_cold_storage'),
    ('product_org_update'), ('rejected_payload'), ('signal_queue'), ('product_org_queue'),
    ('signal_result'), ('product_org_result'), ('signal_move'), ('delivery'), ('delivery_import'), ('identity'),
    ('usage_delta'), ('usage_hour'), ('usage_month'), ('refusal_delta'), ('refused_request'),
    ('key_use'), ('key_activity'), ('member'), ('audit_log'), ('hourly_count'), ('key_count'),
    ('product_org_state') $$, 'tenant data is distributed');
SELECT bag_eq($$
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p')
        AND NOT c.relispartition AND c.oid NOT IN (SELECT d.oid FROM distributed AS d)
$$, ARRAY['organization', 'api_key', 'api_token', 'schema_migration', 'schema_file', 'settings_secret',
    'claim', 'feed', 'feed_frontier', 'retention', 'detached_partition', 'schema_object', 'fed_day',
    'day_index', 'maintenance_step', 'maintenance_run', 'counted_partition', 'product_org_fold'],
    'other tables are reference tables or hold nothing of a tenant but what a transaction deletes itself');
SELECT is_empty($$
    SELECT d.name FROM distributed AS d JOIN pg_attribute AS a ON a.attrelid = d.oid
    WHERE a.attname = 'organization_id' AND NOT a.attnotnull
$$, 'every row of a distributed table has an organization');
SELECT is_empty($$
    SELECT i.indexrelid::regclass FROM distributed AS d JOIN pg_index AS i ON i.indrelid = d.oid
    WHERE (i.indisunique OR i.indisexclusion) AND NOT EXISTS (SELECT FROM pg_attribute AS a
        WHERE a.attrelid = d.oid AND a.attnum = ANY (i.indkey) AND a.attname = 'organization_id')
$$, 'organization_id is part of every primary key and unique index of tenant data');
SELECT is_empty($$
    SELECT c.conname FROM pg_constraint AS c
    WHERE c.contype = 'f' AND c.connamespace = 'sluice'::regnamespace
$$, 'there are no foreign keys');
SELECT is_empty($$
    SELECT t.tgname FROM pg_trigger AS t JOIN pg_class AS c ON c.oid = t.tgrelid
    WHERE c.relnamespace = 'sluice'::regnamespace AND NOT t.tgisinternal
$$, 'no triggers');

-- ---- functions ----
SELECT is_empty($$
    SELECT p.oid::regprocedure, c FROM pg_proc AS p CROSS JOIN unnest(p.proconfig) AS c
    WHERE p.pronamespace = 'sluice'::regnamespace AND c LIKE 'plan_cache_mode=%'
    UNION ALL
    SELECT f.oid::regprocedure, '' FROM function AS f WHERE f.definition ~ 'plan_cache_mode'
$$, 'no function forces a kind of plan');
SELECT is_empty($$
    SELECT f.oid::regprocedure FROM function AS f
    WHERE f.definition ~ '\m(ctid|tableoid)\M' AND f.name !~ '^(prune|fold)_'
$$, 'nothing but the maintenance of counters and of rows past retention knows of places of rows');
SELECT is_empty($$
    SELECT f.oid::regprocedure, u[2], c[1] FROM function AS f
    CROSS JOIN regexp_matches(f.definition, '\mUPDATE\s+(?:sluice\.(?:%\d?\$?I|(\w+))|SET\M)([^;]*)',
        'g') AS u
    CROSS JOIN regexp_matches(u[2], '(\w+)\(', 'g') AS c
    WHERE (u[1] IS NULL OR u[1] IN (SELECT d.name FROM distributed AS d)) AND EXISTS (SELECT FROM pg_proc AS p WHERE p.proname = c[1] AND p.provolatile = 'v'
        AND p.pronamespace IN ('sluice'::regnamespace, 'pg_catalog'::regnamespace))
$$, 'no UPDATE calls a volatile function');
SELECT is_empty($$
    SELECT h.oid::regprocedure, m[1] FROM hot AS h
    CROSS JOIN regexp_matches(h.definition, 'LATERAL\s*\([^;]*?\mFROM\s+sluice\.(\w+)', 'g') AS m
    WHERE m[1] NOT IN (SELECT r.name FROM reference AS r)
$$, 'intake joins by LATERAL with reference tables only');
SELECT is_empty($$
    SELECT h.oid::regprocedure FROM hot AS h WHERE h.definition ~ 'LATERAL\s+sluice\.'
$$, 'and not with its own functions');
-- Not yet: these look up an item each by its own descent of an index, whatever the statistics say. A call
-- for one organization would join its items instead. There must be no more of them.
SELECT bag_eq($$
    SELECT h.name FROM hot AS h
    WHERE EXISTS (SELECT FROM regexp_matches(h.definition, '\(SELECT[^;()]*\mFROM\s+sluice\.(\w+)[^;()]*'
            '(?:\([^()]*\)[^;()]*)*LIMIT 1\)', 'g') AS m
        WHERE m[1] IN (SELECT d.name FROM distributed AS d))
$$, ARRAY['intake_ordinary', 'delivered_ids', 'delivered_ids', 'note_visitors', 'store_items',
    'note_use'], 'correlated subqueries over items are where they are known to be');

SELECT * FROM finish();
ROLLBACK;
