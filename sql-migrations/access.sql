-- Who may read which table. Applied last by each sluicectl migrate. Grants on functions are in the
-- functions' files.

SET LOCAL ROLE sluice_owner;

GRANT USAGE ON SCHEMA sluice TO sluice_intake, sluice_settings, sluice_consumer, sluice_reader,
    sluice_maintenance, sluice_admin;
REVOKE ALL ON SCHEMA sluice FROM PUBLIC;
REVOKE CREATE ON SCHEMA sluice FROM sluice_intake, sluice_settings, sluice_consumer, sluice_reader,
    sluice_maintenance, sluice_admin;

-- The objects that migrations have made; all others are a DBA's, and so is a detached partition.
DELETE FROM sluice.schema_object;
INSERT INTO sluice.schema_object (kind, name)
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' ELSE 'table' END, c.relname
FROM pg_catalog.pg_class AS c
WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
    AND c.relowner = 'sluice_owner'::regrole AND NOT c.relispartition
    AND c.relname !~ '_p\d{4}_\d\d_\d\d$'
UNION ALL
SELECT DISTINCT 'routine', p.proname FROM pg_catalog.pg_proc AS p
WHERE p.pronamespace = 'sluice'::regnamespace AND p.proowner = 'sluice_owner'::regrole
UNION ALL
SELECT 'type', t.typname FROM pg_catalog.pg_type AS t
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = t.typrelid
WHERE t.typnamespace = 'sluice'::regnamespace AND t.typowner = 'sluice_owner'::regrole
    AND (t.typtype = 'e' OR c.relkind = 'c');

-- Readers may read everything except the hashes of keys, secrets and tokens and the key of the settings
-- page. Programs only call functions. Objects of other owners are a DBA's and left alone.
DO $do$
DECLARE
    its record;
BEGIN
    FOR its IN SELECT c.oid::regclass AS name, c.relkind FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner = 'sluice_owner'::regrole
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM PUBLIC, sluice_intake, sluice_settings, '
            'sluice_consumer, sluice_maintenance', CASE its.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, its.name);
        CONTINUE WHEN its.relkind = 'S';
        EXECUTE format('GRANT SELECT ON %s TO sluice_reader', its.name);
    END LOOP;
    FOR its IN SELECT p.oid::regprocedure AS name FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = 'sluice'::regnamespace AND p.proowner = 'sluice_owner'::regrole
            AND has_function_privilege('public', p.oid, 'EXECUTE')
    LOOP
        EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', its.name);
    END LOOP;
END
$do$;
REVOKE SELECT ON sluice.api_key, sluice.api_token, sluice.settings_secret FROM sluice_reader;
GRANT SELECT (id, organization_id, name, endpoint_type, display, expires_at, payload_template,
    template_version, delivery_id_member, networks, successor_of, delivery_scope, limited, ordinary,
    created_at, created_by, deactivated_at, deactivated_by, previous_secret_until, secret_changed_at)
    ON sluice.api_key TO sluice_reader;
GRANT SELECT (id, organization_id, user_name, name, display, scopes, expires_at, created_at, created_by,
    last_used_at, revoked_at, revoked_by) ON sluice.api_token TO sluice_reader;
GRANT SELECT (only_row, made_at) ON sluice.settings_secret TO sluice_reader;

RESET ROLE;
