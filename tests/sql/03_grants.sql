-- What each role can do, and that it can do nothing else.
BEGIN;
SELECT plan(71);
\ir helper.psql

SELECT sluice.organization_create('tester', 'Grants');
SELECT pg_temp.make_key('Grants', 'grants-key');

-- Runs a statement as a role; pgTAP itself could not run as it.
CREATE FUNCTION pg_temp.as_role(role_name text, statement text) RETURNS text LANGUAGE sql
RETURN format('SET LOCAL ROLE %I; %s; RESET ROLE', role_name, statement);

-- ---- what may be called ----
CREATE TEMPORARY TABLE callable (role_name text, function_name text);
INSERT INTO callable SELECT r, f FROM unnest(ARRAY['sluice_reader', 'sluice_admin']) AS r,
    unnest(ARRAY['xact_offset', 'seen', 'frontier', 'between_frontiers', 'new_rows', 'unfed', 'signals_between',
        'settled_xact', 'settled_age', 'day_name', 'unretained_tables', 'fingerprint',
        'event_fingerprint', 'product_org_fingerprint']) AS f;
INSERT INTO callable SELECT r, f FROM unnest(ARRAY['sluice_maintenance', 'sluice_admin']) AS r,
    unnest(ARRAY['maintenance_detached', 'maintenance_archived']) AS f;
INSERT INTO callable VALUES
    ('sluice_intake', 'intake'), ('sluice_intake', 'bulk_finish'),
    ('sluice_intake', 'intake_ordinary'), ('sluice_intake', 'intake_probe'),
    ('sluice_intake', 'intake_commit_status'),
    ('sluice_intake', 'metrics'), ('sluice_reader', 'metrics'), ('sluice_admin', 'metrics'),
    ('sluice_admin', 'statistics'), ('sluice_admin', 'signals_search'), ('sluice_admin', 'audit_entries'),
    ('sluice_settings', 'settings_csrf_key'), ('sluice_settings', 'settings_me'),
    ('sluice_settings', 'settings_keys'), ('sluice_settings', 'settings_key'),
    ('sluice_settings', 'settings_key_create'), ('sluice_settings', 'settings_key_deactivate'),
    ('sluice_settings', 'settings_may_manage_keys'), ('sluice_settings', 'settings_statistics'),
    ('sluice_settings', 'settings_signals'), ('sluice_settings', 'settings_rejects'),
    ('sluice_settings', 'settings_reject'), ('sluice_settings', 'settings_reject_kinds'),
    ('sluice_settings', 'settings_rejected_show'), ('sluice_settings', 'settings_rejected_bytes'),
    ('sluice_settings', 'settings_rejected_place'), ('sluice_settings', 'settings_rejected_kind'),
    ('sluice_settings', 'settings_rejected_replay'), ('sluice_settings', 'settings_rejected_discard'),
    ('sluice_admin', 'rejected_place'),
    ('sluice_settings', 'settings_product_orgs'),
    ('sluice_admin', 'product_orgs_latest'), ('sluice_admin', 'product_org_states'),
    ('sluice_admin', 'product_org_show'), ('sluice_admin', 'organization_currency'),
    ('sluice_settings', 'settings_product_org_states'),
    ('sluice_settings', 'settings_usage'), ('sluice_settings', 'settings_audit'),
    ('sluice_admin', 'organization_limit'), ('sluice_admin', 'organization_rename'), ('sluice_admin', 'usage_list'),
    ('sluice_consumer', 'claim_signals'), ('sluice_consumer', 'finish_signals'),
    ('sluice_consumer', 'release_signals'), ('sluice_consumer', 'extend_signals'),
    ('sluice_consumer', 'claim_product_orgs'), ('sluice_consumer', 'finish_product_orgs'),
    ('sluice_consumer', 'release_product_orgs'), ('sluice_consumer', 'extend_product_orgs'),
    ('sluice_admin', 'rejects_search'), ('sluice_admin', 'rejected_list'), ('sluice_admin', 'rejected_show'),
    ('sluice_admin', 'rejected_bytes'), ('sluice_admin', 'rejected_reason'),
    ('sluice_admin', 'rejected_replay'),
    ('sluice_admin', 'rejected_discard'), ('sluice_admin', 'reject_kinds'),
    ('sluice_admin', 'organization_create'), ('sluice_admin', 'organization_list'),
    ('sluice_admin', 'member_add'), ('sluice_admin', 'member_list'), ('sluice_admin', 'member_remove'),
    ('sluice_admin', 'key_create'), ('sluice_admin', 'key_list'), ('sluice_admin', 'key_show'),
    ('sluice_admin', 'key_edit'), ('sluice_admin', 'key_rotate'), ('sluice_admin', 'key_secret'),
    ('sluice_admin', 'key_history'), ('sluice_admin', 'key_payload'),
    ('sluice_settings', 'settings_key_edit'), ('sluice_settings', 'settings_key_rotate'),
    ('sluice_settings', 'settings_key_secret'), ('sluice_settings', 'settings_key_history'),
    ('sluice_settings', 'settings_key_payload'), ('sluice_settings', 'settings_key_refusals'), ('sluice_settings', 'settings_key_find'), ('sluice_settings', 'settings_members'),
    ('sluice_settings', 'settings_member_add'), ('sluice_settings', 'settings_member_role'),
    ('sluice_settings', 'settings_member_remove'), ('sluice_settings', 'settings_limit'), ('sluice_settings', 'settings_currency'),
    ('sluice_admin', 'member_role_set'),
    ('sluice_admin', 'key_refusals'), ('sluice_admin', 'key_volumes'), ('sluice_admin', 'key_test'),
    ('sluice_settings', 'settings_key_volumes'), ('sluice_admin', 'key_find'),
    ('sluice_admin', 'token_create'), ('sluice_admin', 'token_list'), ('sluice_admin', 'token_revoke'),
    ('sluice_settings', 'settings_token_use'), ('sluice_settings', 'settings_tokens'),
    ('sluice_settings', 'settings_token_create'), ('sluice_settings', 'settings_token_revoke'),
    ('sluice_admin', 'key_networks'),
    ('sluice_admin', 'key_deactivate'), ('sluice_maintenance', 'maintenance_do'),
    ('sluice_maintenance', 'maintenance_record'),
    ('sluice_admin', 'maintenance_do'), ('sluice_admin', 'maintenance_record'),
    ('sluice_admin', 'retention_set'), ('sluice_admin', 'notifications_set'), ('sluice_admin', 'requeue_signals'),
    ('sluice_admin', 'person_signals'), ('sluice_admin', 'person_delete'),
    ('sluice_admin', 'partition_bounds'), ('sluice_reader', 'partition_bounds'),
    ('sluice_admin', 'default_partitions_in_use'), ('sluice_reader', 'default_partitions_in_use'),
    ('sluice_admin', 'sequences_behind'), ('sluice_reader', 'sequences_behind'),
    ('sluice_admin', 'highest_xact'), ('sluice_reader', 'highest_xact'),
    ('sluice_admin', 'is_ahead'), ('sluice_reader', 'is_ahead'),
    ('sluice_admin', 'is_restored'), ('sluice_reader', 'is_restored'),
    ('sluice_admin', 'maintenance_steps'), ('sluice_maintenance', 'maintenance_steps');
SELECT bag_eq($$
    SELECT r.rolname::text, p.proname::text
    FROM pg_proc AS p
    CROSS JOIN pg_roles AS r
    WHERE p.pronamespace = 'sluice'::regnamespace AND r.rolname ~ '^sluice_'
        AND r.rolname <> 'sluice_owner' AND has_function_privilege(r.oid, p.oid, 'EXECUTE')
$$, 'SELECT * FROM callable', 'each role may call its functions and no others');

-- ---- what may be read ----
SELECT is_empty($$
    SELECT r.rolname, c.oid::regclass, x.privilege
    FROM pg_class AS c
    CROSS JOIN (VALUES ('sluice_intake'), ('sluice_settings'), ('sluice_consumer'),
        ('sluice_maintenance')) AS r (rolname)
    CROSS JOIN unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'REFERENCES']) AS x (privilege)
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND (has_any_column_privilege(r.rolname, c.oid, x.privilege)
            OR has_table_privilege(r.rolname, c.oid, 'DELETE, TRUNCATE, TRIGGER'))
$$, 'the programs'' roles reach no table');
SELECT is_empty($$
    SELECT r.rolname, c.oid::regclass, x.privilege
    FROM pg_class AS c
    CROSS JOIN (VALUES ('sluice_reader'), ('sluice_admin')) AS r (rolname)
    CROSS JOIN unnest(ARRAY['INSERT', 'UPDATE', 'REFERENCES']) AS x (privilege)
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND (has_any_column_privilege(r.rolname, c.oid, x.privilege)
            OR has_table_privilege(r.rolname, c.oid, 'DELETE, TRUNCATE, TRIGGER'))
$$, 'readers and admins write to no table');
SELECT is_empty($$
    SELECT r.rolname, c.oid::regclass
    FROM pg_class AS c CROSS JOIN pg_roles AS r
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'S' AND r.rolname ~ '^sluice_'
        AND r.rolname <> 'sluice_owner' AND has_sequence_privilege(r.oid, c.oid,
    'USAGE, SELECT, UPDATE')
$$, 'nobody reaches a sequence');
SELECT is_empty($$
    SELECT c.oid::regclass FROM pg_class AS c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND NOT has_any_column_privilege('sluice_reader', c.oid, 'SELECT')
$$, 'readers read every table, partition and view');
SELECT bag_eq($$
    SELECT c.oid::regclass::text || '.' || a.attname
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
        AND NOT has_column_privilege('sluice_reader', c.oid, a.attnum, 'SELECT')
$$, ARRAY['sluice.api_key.key_hash', 'sluice.api_key.secret_hash',
    'sluice.api_key.previous_secret_hash', 'sluice.api_token.token_hash',
    'sluice.settings_secret.csrf_key'], 'all columns but the hashes and the settings'' key');
SELECT is_empty($$
    SELECT r.rolname FROM pg_roles AS r WHERE r.rolname ~ '^sluice_' AND r.rolname <> 'sluice_owner'
        AND has_schema_privilege(r.oid, 'sluice', 'CREATE')
$$, 'nobody but the owner creates in the schema');
SELECT bag_eq($$
    SELECT r.rolname::text FROM pg_roles AS r
    WHERE r.rolname ~ '^sluice_' AND has_schema_privilege(r.oid, 'sluice', 'USAGE')
$$, ARRAY['sluice_owner', 'sluice_intake', 'sluice_settings', 'sluice_consumer', 'sluice_reader',
    'sluice_maintenance', 'sluice_admin'], 'all of them may use the schema');
SELECT is(has_schema_privilege('public', 'sluice', 'USAGE'), false, 'nobody else may');

SELECT bag_eq($$
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'v'
        AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
$$, ARRAY['key_overview', 'key_health', 'partitioned_table', 'partition_overview',
    'countable_partition'], 'views run with the rights of their readers, but for these');

-- ---- and when they try ----
SELECT lives_ok(pg_temp.as_role('sluice_intake', statement), 'sluice_intake: ' || statement)
FROM unnest(ARRAY['SELECT * FROM sluice.intake(''{}'')',
    'SELECT sluice.intake_ordinary(''{}'', ''{}'', false, false)']) AS statement;
SELECT throws_ok(pg_temp.as_role('sluice_intake', statement), '42501', NULL,
    'sluice_intake: ' || statement)
FROM unnest(ARRAY[
    'SELECT * FROM sluice.signal_staging',
    'SELECT * FROM sluice.signal_default',
    'INSERT INTO sluice.signal DEFAULT VALUES',
    'SELECT key_hash FROM sluice.api_key',
    'SELECT * FROM sluice.key_overview',
    'SELECT * FROM sluice.organization',
    'SELECT * FROM sluice.audit_log',
    'SELECT * FROM sluice.schema_migration',
    'SELECT nextval(''sluice.signal_id'')',
    'SELECT * FROM sluice.rejected_payload',
    'SELECT sluice.rejected_bytes(1)',
    'SELECT sluice.store_items(''{accepted}'', ''{1}'', ''{1}'', ''{1}'', ''{}'', NULL, NULL, false)',
    'SELECT sluice.note_refusals(''{}'')',
    'SELECT sluice.fold_usage(1)',
    'SELECT * FROM sluice.delivery',
    'SELECT * FROM sluice.identity',
    'SELECT sluice.key_list(NULL)',
    'SELECT sluice.key_deactivate(''me'', 1)',
    'SELECT sluice.organization_id_of(''Grants'')',
    'SELECT sluice.maintenance_do(''drop_partitions'', 1)',
    'CREATE TABLE sluice.mine ()']) AS statement;
-- A superuser's session could SET ROLE to anything, so membership is asked for.
SELECT is(pg_has_role(a, b, 'MEMBER'), a = 'sluice_admin' AND b <> 'sluice_owner',
    format('may %s act as %s', a, b))
FROM (VALUES ('sluice_intake', 'sluice_reader'), ('sluice_intake', 'sluice_owner'),
    ('sluice_admin', 'sluice_reader'), ('sluice_admin', 'sluice_owner'),
    ('sluice_admin', 'sluice_maintenance'), ('sluice_maintenance', 'sluice_owner'),
    ('sluice_reader', 'sluice_owner')) AS v (a, b);

SELECT lives_ok(pg_temp.as_role('sluice_reader', statement), 'sluice_reader: ' || statement)
FROM unnest(ARRAY[
    'SELECT * FROM sluice.signal_staging',
    'SELECT * FROM sluice.signal_default',
    'SELECT * FROM sluice.key_overview',
    'SELECT payload FROM sluice.rejected_payload',
    'SELECT id, name, display FROM sluice.api_key']) AS statement;
SELECT throws_ok(pg_temp.as_role('sluice_reader', statement), '42501', NULL,
    'sluice_reader: ' || statement)
FROM unnest(ARRAY[
    'SELECT * FROM sluice.api_key',
    'SELECT secret_hash FROM sluice.api_key',
    'SELECT id FROM sluice.api_key WHERE key_hash > ''\x''',
    'DELETE FROM sluice.audit_log',
    'UPDATE sluice.signal_result SET status = ''completed''']) AS statement;

SELECT lives_ok(pg_temp.as_role('sluice_consumer', statement), 'sluice_consumer: ' || statement)
FROM unnest(ARRAY[
    'SELECT id, payload FROM sluice.claim_signals(''me'', 1, ''1 min'')',
    'SELECT sluice.finish_signals(''{1}'', ''completed'')',
    'SELECT sluice.release_signals(''{1}''), sluice.extend_signals(''{1}'', ''1 min'')']) AS statement;
SELECT throws_ok(pg_temp.as_role('sluice_consumer', statement), '42501', NULL,
    'sluice_consumer: ' || statement)
FROM unnest(ARRAY[
    'SELECT * FROM sluice.signal_staging',
    'UPDATE sluice.signal_result SET status = ''completed''',
    'SELECT * FROM sluice.organization',
    'SELECT * FROM sluice.product_org_staging',
    'SELECT * FROM sluice.product_org_current',
    'SELECT * FROM sluice.claim_rows(NULL::sluice.signal_staging, ''signal'', ''me'', 1, ''1 min'', NULL)',
    'SELECT sluice.report_rows(''signal'', ''{1}'', 1, ''completed'', NULL, NULL, NULL)',
    'SELECT sluice.settled_xact()',
    'SELECT setval(''sluice.signal_queue_from'', 1)']) AS statement;
SELECT throws_ok(pg_temp.as_role('sluice_reader', $$SELECT sluice.claim_signals('me', 1, '1 min')$$),
    '42501', NULL, 'sluice_reader claims nothing');

SELECT lives_ok(pg_temp.as_role('sluice_admin', $$SELECT sluice.organization_create('me', 'Granted')$$),
    'sluice_admin creates an organization');
SELECT lives_ok(pg_temp.as_role(r, 'SELECT sluice.maintenance_do(''make_partitions'', 1)'),
    r || ' maintains partitions') FROM unnest(ARRAY['sluice_admin', 'sluice_maintenance']) AS r;
SELECT throws_ok(pg_temp.as_role('sluice_maintenance', statement), '42501', NULL,
    'sluice_maintenance: ' || statement)
FROM unnest(ARRAY['SELECT * FROM sluice.signal', 'SELECT sluice.drop_partitions(1)',
    'SELECT sluice.retention_set(''me'', ''signal'', ''1 day'', NULL)',
    'SELECT sluice.key_list(NULL)']) AS statement;
SELECT throws_ok(pg_temp.as_role('sluice_admin', 'SELECT key_hash FROM sluice.api_key'), '42501', NULL,
    'sluice_admin does not see hashes');

SELECT * FROM finish();
ROLLBACK;
