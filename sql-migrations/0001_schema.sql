-- The schema, and the record of the files that were applied to it.
--
-- Numbered files create tables, types and sequences. They are applied once and never change after a
-- release. Functions, views and grants are in files that are applied again when they change.

CREATE SCHEMA sluice AUTHORIZATION sluice_owner;
COMMENT ON SCHEMA sluice IS
    'Sluice, webhook intake. What senders delivered: signal_staging, signal_cold_storage, '
    'product_org_staging, rejected_payload. Who may send: organization, api_key. Who changed what: '
    'audit_log. Programs call functions; people read views and tables as sluice_reader. Only '
    'sluicectl migrate changes the schema. Start with sql-migrations/README.md.';

SET LOCAL ROLE sluice_owner;

-- Nobody may call a function unless it is granted, here and in later migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE sluice_owner REVOKE EXECUTE ON ROUTINES FROM PUBLIC;

CREATE TABLE sluice.schema_migration (
    version integer PRIMARY KEY CHECK (version > 0),
    name text NOT NULL CHECK (name <> ''),
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE sluice.schema_migration IS
    'The numbered migrations that were applied. sluicectl migrate adds a row in the transaction of '
    'the migration. The highest version is the schema''s.';
COMMENT ON COLUMN sluice.schema_migration.version IS
    'the number at the start of the file name; 1, 2, 3 and so on';
COMMENT ON COLUMN sluice.schema_migration.name IS 'the file''s name';
COMMENT ON COLUMN sluice.schema_migration.checksum IS
    'SHA-256 of the file as applied; sluicectl migrate refuses a file that has changed since';
COMMENT ON COLUMN sluice.schema_migration.applied_at IS 'when its transaction began';
COMMENT ON COLUMN sluice.schema_migration.applied_by IS 'the database role that applied it';
COMMENT ON CONSTRAINT schema_migration_version_check ON sluice.schema_migration IS
    '0 stands for a database without the schema';
COMMENT ON CONSTRAINT schema_migration_name_check ON sluice.schema_migration IS 'not empty';
COMMENT ON CONSTRAINT schema_migration_checksum_check ON sluice.schema_migration IS
    'a SHA-256 has 32 bytes';

CREATE TABLE sluice.schema_file (
    name text PRIMARY KEY CHECK (name <> ''),
    checksum bytea NOT NULL CHECK (octet_length(checksum) = 32),
    applied_at timestamptz NOT NULL DEFAULT now(),
    applied_by text NOT NULL DEFAULT session_user
);
COMMENT ON TABLE sluice.schema_file IS
    'The re-appliable files as last applied: roles.sql, views/, functions/, access.sql. sluicectl '
    'migrate applies all of them again if one has changed, or after a numbered migration.';
COMMENT ON COLUMN sluice.schema_file.name IS 'the file''s path in sql-migrations';
COMMENT ON COLUMN sluice.schema_file.checksum IS 'SHA-256 of the file as applied';
COMMENT ON COLUMN sluice.schema_file.applied_at IS 'when its transaction began';
COMMENT ON COLUMN sluice.schema_file.applied_by IS 'the database role that applied it';
COMMENT ON CONSTRAINT schema_file_name_check ON sluice.schema_file IS 'not empty';
COMMENT ON CONSTRAINT schema_file_checksum_check ON sluice.schema_file IS 'a SHA-256 has 32 bytes';

CREATE TABLE sluice.schema_object (
    kind text CHECK (kind IN ('table', 'view', 'sequence', 'routine', 'type')),
    name text,
    PRIMARY KEY (kind, name)
);
COMMENT ON TABLE sluice.schema_object IS
    'The objects that migrations have made, by which check and migrate --repair tell them from a '
    'DBA''s. Rewritten by access.sql.';
COMMENT ON COLUMN sluice.schema_object.kind IS 'table, view, sequence, routine or type';
COMMENT ON COLUMN sluice.schema_object.name IS
    'the name; of a routine without its arguments. Partitions are not listed';
COMMENT ON CONSTRAINT schema_object_kind_check ON sluice.schema_object IS
    'the kinds of objects that have an owner';

RESET ROLE;
