-- The roles, their memberships, and their settings in this database. sluicectl migrate applies this
-- file first, as a superuser or as a role that owns the database and has CREATEROLE. A dump has no
-- roles, and without pg_dump -C no settings: migrate --repair restores both.

-- Roles belong to the cluster, so they may exist already.
DO $do$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['sluice_owner', 'sluice_intake', 'sluice_settings',
        'sluice_consumer', 'sluice_reader', 'sluice_maintenance', 'sluice_admin']
    LOOP
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = role_name) THEN
            BEGIN
                EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', role_name);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- created meanwhile by the migration of another database
            END;
        END IF;
    END LOOP;
    -- Since version 16 the creator of a role may grant it, but is not a member of it.
    BEGIN
        SET LOCAL ROLE sluice_owner;
        RESET ROLE;
    EXCEPTION WHEN insufficient_privilege THEN
        BEGIN
            EXECUTE pg_catalog.format('GRANT sluice_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'role "%" may not act for the roles of Sluice, which another role has made',
                current_user USING ERRCODE = 'insufficient_privilege', HINT = pg_catalog.format(
                'as a superuser: GRANT sluice_owner, sluice_intake, sluice_settings, sluice_consumer, '
                'sluice_reader, sluice_maintenance, sluice_admin TO %I WITH ADMIN OPTION', current_user);
        END;
    END;
    -- Lets settled_age see how long other roles' transactions have been open. Optional, because the
    -- migrating role may not be able to grant it.
    IF NOT pg_catalog.pg_has_role('sluice_owner', 'pg_read_all_stats', 'MEMBER') THEN
        BEGIN
            GRANT pg_read_all_stats TO sluice_owner;
        EXCEPTION WHEN insufficient_privilege THEN
            NULL;
        END;
    END IF;
    IF NOT pg_catalog.pg_has_role('sluice_admin', 'sluice_reader', 'MEMBER') THEN
        GRANT sluice_reader TO sluice_admin;
    END IF;
    IF NOT pg_catalog.pg_has_role('sluice_admin', 'sluice_maintenance', 'MEMBER') THEN
        GRANT sluice_maintenance TO sluice_admin;
    END IF;
END
$do$;

-- Settings of the roles that programs log in as, in this database only. They are not in the
-- connection string because poolers refuse them there. A login role with another name does not
-- inherit them.
DO $do$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN VALUES
        -- An accepted request is on disk, even if postgresql.conf says otherwise.
        ('sluice_intake', 'synchronous_commit', 'on'),
        ('sluice_settings', 'synchronous_commit', 'on'),
        ('sluice_admin', 'synchronous_commit', 'on'),
        -- Ends a statement just before its worker gives it up (after 5 s by default), so that it
        -- does not commit later, and the worker knows. An import sets its own.
        ('sluice_intake', 'statement_timeout', '4s'),
        -- No group waits long for a lock: another delivery of the same id, or a locked table.
        ('sluice_intake', 'lock_timeout', '1s'),
        -- A bulk upload is one transaction that waits for its sender, 300 s by default.
        ('sluice_intake', 'idle_in_transaction_session_timeout', '330s'),
        -- For small groups planning costs more than execution, and one plan suits all groups. Not
        -- set in the functions, because a distributed PostgreSQL must plan them with their values.
        ('sluice_intake', 'plan_cache_mode', 'force_generic_plan'),
        -- Compiling the statements would cost more than running them.
        ('sluice_intake', 'jit', 'off'),
        ('sluice_consumer', 'jit', 'off'),
        ('sluice_settings', 'jit', 'off'),
        ('sluice_settings', 'statement_timeout', '15s'),
        ('sluice_settings', 'idle_in_transaction_session_timeout', '15s'),
        -- The functions expect each statement to see what was committed before it. Under another
        -- isolation level, which may be the database's default, calls fail, though nothing is
        -- stored or claimed wrongly.
        ('sluice_intake', 'default_transaction_isolation', 'read committed'),
        ('sluice_settings', 'default_transaction_isolation', 'read committed'),
        ('sluice_consumer', 'default_transaction_isolation', 'read committed'),
        ('sluice_reader', 'default_transaction_isolation', 'read committed'),
        ('sluice_maintenance', 'default_transaction_isolation', 'read committed'),
        ('sluice_admin', 'default_transaction_isolation', 'read committed')
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I SET %I = %L', wanted.column1,
            pg_catalog.current_database(), wanted.column2, wanted.column3);
    END LOOP;
    -- Payloads over 2 kB are compressed on insert, with lz4 in a fraction of pglz's time.
    IF EXISTS (SELECT FROM pg_catalog.pg_settings AS s
        WHERE s.name = 'default_toast_compression' AND 'lz4' = ANY (s.enumvals))
    THEN
        EXECUTE pg_catalog.format(
            'ALTER ROLE sluice_intake IN DATABASE %I SET default_toast_compression = lz4',
            pg_catalog.current_database());
    END IF;
END
$do$;

-- After a restore without roles, everything belongs to the restoring role. A DBA's objects stay the
-- DBA's, and so does a partition of a table whose owner is right.
DO $do$
DECLARE
    statement text;
BEGIN
    IF pg_catalog.to_regclass('sluice.schema_object') IS NULL THEN
        RETURN; -- there is nothing yet
    END IF;
    FOREACH statement IN ARRAY ARRAY(
        SELECT pg_catalog.format('ALTER SCHEMA %I OWNER TO sluice_owner', n.nspname)
        FROM pg_catalog.pg_namespace AS n
        WHERE n.nspname = 'sluice' AND n.nspowner <> 'sluice_owner'::regrole
        UNION ALL
        SELECT pg_catalog.format('ALTER %s %I.%I OWNER TO sluice_owner',
            CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
            n.nspname, c.relname)
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_inherits AS i ON i.inhrelid = c.oid
        LEFT JOIN pg_catalog.pg_class AS parent ON parent.oid = i.inhparent
        WHERE n.nspname = 'sluice' AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner <> 'sluice_owner'::regrole
            AND CASE
                WHEN c.relispartition THEN c.relowner = parent.relowner
                WHEN c.relname ~ '_p\d{4}_\d\d_\d\d$' THEN c.relowner = n.nspowner -- detached
                ELSE EXISTS (SELECT FROM sluice.schema_object AS o
                    WHERE o.kind IN ('table', 'view', 'sequence') AND o.name = c.relname)
            END
            -- The sequence of an identity column goes with its table.
            AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'i'))
        UNION ALL
        SELECT pg_catalog.format('ALTER TYPE %I.%I OWNER TO sluice_owner', n.nspname, t.typname)
        FROM pg_catalog.pg_type AS t
        JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
        WHERE n.nspname = 'sluice' AND t.typowner <> 'sluice_owner'::regrole
            AND EXISTS (SELECT FROM sluice.schema_object AS o
                WHERE o.kind = 'type' AND o.name = t.typname)
        UNION ALL
        SELECT pg_catalog.format('ALTER ROUTINE %s OWNER TO sluice_owner', p.oid::regprocedure)
        FROM pg_catalog.pg_proc AS p
        WHERE p.pronamespace = pg_catalog.to_regnamespace('sluice')
            AND p.proowner <> 'sluice_owner'::regrole
            AND EXISTS (SELECT FROM sluice.schema_object AS o
                WHERE o.kind = 'routine' AND o.name = p.proname))
    LOOP
        EXECUTE statement;
    END LOOP;
END
$do$;
