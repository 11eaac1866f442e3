-- Roles, what they may be granted, and their settings in this database. Applied first by each
-- `sluicectl migrate`, as the role that migrates: a superuser, or a role that owns the database and
-- has CREATEROLE. Re-appliable; `migrate --repair` applies it after a restore, which carries no roles
-- and, without pg_dump -C, no settings.

-- Roles belong to the whole cluster, so another database may have brought them already.
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
                NULL; -- another database's migration was quicker
            END;
        END IF;
    END LOOP;
    -- From version 16 on whoever creates a role may grant it, but is not yet one of its members.
    BEGIN
        SET LOCAL ROLE sluice_owner;
        RESET ROLE;
    EXCEPTION WHEN insufficient_privilege THEN
        EXECUTE pg_catalog.format('GRANT sluice_owner TO %I', current_user);
    END;
    IF NOT pg_catalog.pg_has_role('sluice_admin', 'sluice_reader', 'MEMBER') THEN
        GRANT sluice_reader TO sluice_admin;
    END IF;
    IF NOT pg_catalog.pg_has_role('sluice_admin', 'sluice_maintenance', 'MEMBER') THEN
        GRANT sluice_maintenance TO sluice_admin;
    END IF;
END
$do$;

-- Settings of the roles that programs log in as, for this database only. They are set here and not
-- in the connection string because poolers refuse the latter. A login role of another name gets them
-- only when it is given them.
DO $do$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN VALUES
        -- What was answered is on disk, even where postgresql.conf says otherwise.
        ('sluice_intake', 'synchronous_commit', 'on'),
        ('sluice_settings', 'synchronous_commit', 'on'),
        ('sluice_admin', 'synchronous_commit', 'on'),
        -- Ends a statement whose worker gave up long ago (its own limit is 5 s by default), so that
        -- no forgotten insert commits later.
        ('sluice_intake', 'statement_timeout', '30s'),
        -- No group waits long for another's row: two deliveries of one id, or a locked table.
        ('sluice_intake', 'lock_timeout', '1s'),
        -- A bulk upload is one transaction that waits for its sender, 300 s by default.
        ('sluice_intake', 'idle_in_transaction_session_timeout', '330s'),
        -- Planning anew costs more than running for small groups, and the statements are such that
        -- one plan is right for all groups. Set here and not in the functions, which a distributed
        -- PostgreSQL has to plan with their values.
        ('sluice_intake', 'plan_cache_mode', 'force_generic_plan'),
        -- The statements cost less than compiling them would.
        ('sluice_intake', 'jit', 'off'),
        ('sluice_consumer', 'jit', 'off'),
        ('sluice_settings', 'jit', 'off'),
        ('sluice_settings', 'statement_timeout', '15s'),
        ('sluice_settings', 'idle_in_transaction_session_timeout', '15s')
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE %I IN DATABASE %I SET %I = %L', wanted.column1,
            pg_catalog.current_database(), wanted.column2, wanted.column3);
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

-- After a restore without roles everything belongs to the role that restored it. What a DBA has put
-- into the schema stays the DBA's, and so does a partition whose table is in order.
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
