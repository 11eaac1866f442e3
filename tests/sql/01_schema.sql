-- What holds for every object of the schema: owner, comment, closed by default.
BEGIN;
SELECT plan(19);

SELECT is_empty($$
    SELECT format('%s %s', d.type, d.identity)
    FROM (
        SELECT 'pg_class'::regclass AS catalog, c.oid, 0 AS part
        FROM pg_class AS c
        WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
        UNION ALL
        SELECT 'pg_class'::regclass, i.indexrelid, 0
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE c.relnamespace = 'sluice'::regnamespace AND NOT c.relispartition
            AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = c.oid)
        UNION ALL
        SELECT 'pg_class'::regclass, c.oid, a.attnum
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'c')
            AND a.attnum > 0 AND NOT a.attisdropped AND NOT c.relispartition
        UNION ALL
        SELECT 'pg_proc'::regclass, p.oid, 0 FROM pg_proc AS p
        WHERE p.pronamespace = 'sluice'::regnamespace
        UNION ALL
        SELECT 'pg_type'::regclass, t.oid, 0 FROM pg_type AS t
        LEFT JOIN pg_class AS k ON k.oid = t.typrelid
        WHERE t.typnamespace = 'sluice'::regnamespace
            AND (t.typtype IN ('e', 'd', 'r') OR k.relkind = 'c')
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid, 0
        FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
        WHERE k.connamespace = 'sluice'::regnamespace AND k.contype = 'c' AND NOT c.relispartition
        UNION ALL
        SELECT 'pg_namespace'::regclass, 'sluice'::regnamespace, 0
    ) AS o
    CROSS JOIN LATERAL pg_identify_object(o.catalog, o.oid, o.part) AS d
    WHERE NOT EXISTS (SELECT FROM pg_description AS t
        WHERE t.classoid = o.catalog AND t.objoid = o.oid AND t.objsubid = o.part
            AND t.description <> '')
$$, 'every table, partition, column, view, sequence, index, function, type and check has a comment');

SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relowner <> 'sluice_owner'::regrole
    UNION ALL
    SELECT p.oid::regprocedure::oid::regclass FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace AND p.proowner <> 'sluice_owner'::regrole
    UNION ALL
    SELECT t.oid::regclass FROM pg_type AS t
    WHERE t.typnamespace = 'sluice'::regnamespace AND t.typowner <> 'sluice_owner'::regrole
$$, 'sluice_owner owns every table, partition, index, sequence, function and type');
SELECT schema_owner_is('sluice', 'sluice_owner');
SELECT is((SELECT rolcanlogin FROM pg_roles WHERE rolname = 'sluice_owner'), false,
    'sluice_owner cannot log in');
SELECT is_empty($$
    SELECT rolname FROM pg_roles WHERE rolname ~ '^sluice_'
        AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)
$$, 'no role has more than ordinary rights');

SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace AND has_function_privilege('public', p.oid,
    'EXECUTE')
$$, 'no function is for everybody');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace
        AND NOT coalesce('search_path=pg_catalog, pg_temp' = ANY (p.proconfig), false)
        -- These become part of the statements that use them, or run within functions that have one.
        AND p.proname NOT IN ('key_outcome', 'key_accepts', 'fingerprint', 'event_fingerprint', 'product_org_fingerprint', 'item_id',
            'xact_offset', 'notifies_consumers', 'stored_xact', 'store_signals', 'store_cold', 'store_product_orgs',
            'delivered_ids', 'names_somebody', 'own_id')
$$, 'every function has its own search path');

-- A function of a later migration is closed from the start.
SET LOCAL ROLE sluice_owner;
CREATE FUNCTION sluice.later() RETURNS integer LANGUAGE sql RETURN 1;
RESET ROLE;
SELECT is(has_function_privilege('public', 'sluice.later()', 'EXECUTE'), false,
    'nor is a function that comes later');

-- ---- what every request would pay for, or anybody could stop ----
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace AND p.prosrc ~* 'advisory'
$$, 'nothing depends on advisory locks, which any login can take');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace AND p.prosrc ~* 'GET DIAGNOSTICS|ROW_COUNT'
$$, 'nothing learns what was stored from a row count');
SELECT is_empty($$
    SELECT p.oid::regprocedure FROM pg_proc AS p
    WHERE p.pronamespace = 'sluice'::regnamespace AND p.pronargs > 20
$$, 'no function has more than 20 parameters');
SELECT is_empty('SELECT extname FROM pg_extension WHERE extname NOT IN (''plpgsql'', ''pgtap'')',
    'no extension is needed');
SELECT indexes_are('sluice', 'signal', ARRAY['signal_pkey', 'signal_stored_xact_idx']);
SELECT indexes_are('sluice', 'signal_cold_storage',
    ARRAY['signal_cold_storage_pkey', 'signal_cold_storage_received_at_idx',
        'signal_cold_storage_anonymous_id_idx']);
SELECT index_is_type('sluice', 'signal', 'signal_stored_xact_idx', 'brin');
SELECT results_eq($$
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_attribute AS a
    WHERE a.attrelid = 'sluice.signal'::regclass AND a.attnum > 0 ORDER BY 1
$$, $$
    SELECT a.attname::text, format_type(a.atttypid, a.atttypmod), a.attnotnull
    FROM pg_attribute AS a
    WHERE a.attrelid = 'sluice.signal_cold_storage'::regclass AND a.attnum > 0
        AND a.attgenerated = '' ORDER BY 1
$$, 'signal_cold_storage has the columns of signal');
SELECT enum_has_labels('sluice', 'staging_status',
    ARRAY['pending', 'processing', 'completed', 'failed', 'skipped', 'permanently_failed']);
SELECT ok('owner'::sluice.member_role > 'admin' AND 'admin'::sluice.member_role > 'editor'
    AND 'editor'::sluice.member_role > 'viewer', 'owner > admin > editor > viewer');

SELECT bag_eq($$
    SELECT r.rolname || ' ' || c
    FROM pg_db_role_setting AS s
    JOIN pg_roles AS r ON r.oid = s.setrole
    JOIN pg_database AS d ON d.oid = s.setdatabase AND d.datname = current_database()
    CROSS JOIN unnest(s.setconfig) AS c
    WHERE r.rolname ~ '^sluice_' AND split_part(c, '=', 1) <> 'default_toast_compression'
$$, $$
    SELECT format('sluice_%s default_transaction_isolation=read committed', r)
    FROM unnest('{intake,settings,consumer,reader,maintenance,admin}'::text[]) AS r
    UNION ALL
    VALUES ('sluice_admin synchronous_commit=on'),
        ('sluice_consumer jit=off'),
        ('sluice_intake idle_in_transaction_session_timeout=330s'),
        ('sluice_intake jit=off'),
        ('sluice_intake lock_timeout=1s'),
        ('sluice_intake plan_cache_mode=force_generic_plan'),
        ('sluice_intake statement_timeout=4s'),
        ('sluice_intake synchronous_commit=on'),
        ('sluice_settings idle_in_transaction_session_timeout=15s'),
        ('sluice_settings jit=off'),
        ('sluice_settings statement_timeout=15s'),
        ('sluice_settings synchronous_commit=on')
$$, 'the roles have their settings in this database');

SELECT * FROM finish();
ROLLBACK;
