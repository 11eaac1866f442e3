-- Roles, the schema, and the ledger of migrations.
--
-- Applied by `sluicectl migrate` as a superuser: pg_partman can be installed, and granted to
-- sluice_owner, by nobody else. One transaction.

-- Roles belong to the whole cluster, so they may be there already: another database of the
-- cluster may hold this schema too. A deployment gives LOGIN to those it uses.
DO $do$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['sluice_owner', 'sluice_intake', 'sluice_settings',
        'sluice_consumer', 'sluice_reader', 'sluice_admin']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = role_name) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database's migration was quicker
            END;
        END IF;
    END LOOP;
    IF NOT pg_catalog.pg_has_role('sluice_admin', 'sluice_reader', 'MEMBER') THEN
        GRANT sluice_reader TO sluice_admin;
    END IF;
END
$do$;

-- Settings of the roles that programs log in as, for this database only. They are set here and not
-- in the connection string because poolers refuse the latter. A login role of another name gets
-- them only when it is given them.
DO $do$
DECLARE
    role_name text;
    setting text;
BEGIN
    -- What was answered is on disk, even where postgresql.conf says otherwise.
    FOREACH role_name IN ARRAY ARRAY['sluice_intake', 'sluice_settings', 'sluice_admin']
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I SET synchronous_commit = on',
            role_name, pg_catalog.current_database());
    END LOOP;
    FOREACH setting IN ARRAY ARRAY[
        -- Ends a statement whose worker gave up long ago (its own limit is 5 s by default), so
        -- that no forgotten insert waits for a lock and commits later.
        'statement_timeout = ''30s''',
        -- A bulk upload is one transaction that waits for its sender; it may last 300 s by
        -- default. Past that, the process that owned it has hung.
        'idle_in_transaction_session_timeout = ''330s''',
        -- The statements cost less than compiling them would.
        'jit = off']
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE sluice_intake IN DATABASE %I SET %s',
            pg_catalog.current_database(), setting);
    END LOOP;
    -- Payloads over 2 kB are compressed on insert; lz4 takes a fraction of the default's time.
    IF EXISTS (SELECT FROM pg_catalog.pg_settings AS s
        WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals))
    THEN
        EXECUTE pg_catalog.format(
            'ALTER ROLE sluice_intake IN DATABASE %I SET default_toast_compression = lz4',
            pg_catalog.current_database());
    END IF;
END
$do$;

CREATE SCHEMA sluice AUTHORIZATION sluice_owner;
COMMENT ON SCHEMA sluice IS
    'Sluice, webhook intake: what senders delivered (signal_staging, signal_cold_storage), who '
    'may send (organization, api_key) and who changed what (audit_log). Programs call the '
    'functions; people read the tables and views as sluice_reader. Changed by sluicectl migrate '
    'only.';

GRANT USAGE ON SCHEMA sluice
    TO sluice_intake, sluice_settings, sluice_consumer, sluice_reader, sluice_admin;

-- pg_partman makes and drops the daily partitions. Its functions find their own tables by schema,
-- so the schema's name is part of the interface.
DO $do$
DECLARE
    schema_name name;
BEGIN
    SELECT n.nspname INTO schema_name
    FROM pg_catalog.pg_extension AS e
    JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace
    WHERE e.extname = 'pg_partman';
    IF schema_name IS NULL THEN
        CREATE SCHEMA IF NOT EXISTS partman;
        CREATE EXTENSION pg_partman SCHEMA partman;
    ELSIF schema_name <> 'partman' THEN
        RAISE EXCEPTION 'extension pg_partman is installed in schema "%"', schema_name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                HINT = 'Sluice needs it in schema "partman".';
    END IF;
END
$do$;

-- The owner creates and drops partitions itself: maintenance needs no superuser.
GRANT USAGE, CREATE ON SCHEMA partman TO sluice_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA partman TO sluice_owner;
GRANT EXECUTE ON ALL ROUTINES IN SCHEMA partman TO sluice_owner;

SET LOCAL ROLE sluice_owner;

-- Functions are for those who are named, not for everybody, here and in later migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;

CREATE TABLE sluice.schema_migration (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL CHECK (name <> ''),
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE sluice.schema_migration IS
    'The migrations that were applied, one row each, written by sluicectl migrate in the '
    'migration''s own transaction. The highest version is the schema''s.';
COMMENT ON COLUMN sluice.schema_migration.version IS
    'the number the file''s name begins with; applied in this order, without gaps';
COMMENT ON COLUMN sluice.schema_migration.name IS 'the file''s name';
COMMENT ON COLUMN sluice.schema_migration.checksum IS
    'SHA-256 of the file as applied; an applied file never changes, and the tool refuses one that '
    'did';
COMMENT ON COLUMN sluice.schema_migration.applied_at IS 'when its transaction began';
COMMENT ON COLUMN sluice.schema_migration.applied_by IS 'the database role that applied it';
COMMENT ON CONSTRAINT schema_migration_version_check ON sluice.schema_migration IS
    '0 stands for a database without the schema';
COMMENT ON CONSTRAINT schema_migration_name_check ON sluice.schema_migration IS 'not empty';
COMMENT ON CONSTRAINT schema_migration_checksum_check ON sluice.schema_migration IS
    'a SHA-256 has 32 bytes';

GRANT SELECT ON sluice.schema_migration TO sluice_reader;

RESET ROLE;
