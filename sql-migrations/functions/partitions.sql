-- Creating and removing partitions, one per UTC day. maintenance.sql says how the steps are run.
--
-- Partitions are addressed by oid, because a DBA may have moved one to another schema.

SET LOCAL ROLE sluice_owner;

-- ---- one partition ----

CREATE OR REPLACE FUNCTION sluice.day_name(table_name text, day timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN table_name || '_p' || to_char(day AT TIME ZONE 'UTC', 'YYYY_MM_DD');
END
$$;
COMMENT ON FUNCTION sluice.day_name(text, timestamptz) IS
    'The name of a day''s partition. Internal.';

CREATE OR REPLACE FUNCTION sluice.missing_days(table_name text) RETURNS SETOF timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
BEGIN
    RETURN QUERY
    SELECT d.day
    FROM sluice.partitioned_table AS t
    CROSS JOIN LATERAL generate_series(t.first_day, t.last_day, '1 day') AS d (day)
    WHERE t.table_name = missing_days.table_name
        AND NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b
            WHERE b.table_name = missing_days.table_name
                AND b.lower_bound < d.day + interval '1 day' AND b.upper_bound > d.day)
        -- Not if the name is taken, for example by a partition that was detached.
        AND to_regclass(format('sluice.%I', sluice.day_name(t.table_name, d.day))) IS NULL
    ORDER BY d.day;
END
$$;
COMMENT ON FUNCTION sluice.missing_days(text) IS
    'The days from first_day to last_day of partitioned_table that have no partition. Internal.';

CREATE OR REPLACE FUNCTION sluice.partition_create(table_name text, partition_name text)
RETURNS regclass
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent constant regclass := format('sluice.%I', table_name)::regclass;
    model record;
    latest oid; -- the latest partition, on which a DBA may have set options
    made regclass;
    its record;
BEGIN
    SELECT c.relowner, c.relacl, c.relrowsecurity, s.spcname INTO model
    FROM pg_class AS c LEFT JOIN pg_tablespace AS s ON s.oid = c.reltablespace WHERE c.oid = parent;
    SELECT b.partition INTO latest FROM sluice.partition_bounds() AS b
    WHERE b.table_name = partition_create.table_name AND NOT b.is_default
    ORDER BY b.upper_bound DESC LIMIT 1;
    EXECUTE format('CREATE TABLE sluice.%I (LIKE %s INCLUDING ALL)', partition_name, parent)
        || coalesce(' WITH (' || (SELECT array_to_string(c.reloptions, ', ')
            FROM pg_class AS c WHERE c.oid = latest AND c.reloptions IS NOT NULL) || ')', '')
        -- Rather elsewhere than not at all.
        || CASE WHEN has_tablespace_privilege(model.spcname, 'CREATE')
            THEN ' TABLESPACE ' || quote_ident(model.spcname) ELSE '' END;
    made := format('sluice.%I', partition_name)::regclass;
    FOR its IN
        SELECT a.privilege_type, a.is_grantable, NULL::name AS column_name,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS grantee
        FROM aclexplode(model.relacl) AS a WHERE a.grantee <> model.relowner
        UNION ALL
        SELECT a.privilege_type, a.is_grantable, c.attname,
            CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
        FROM pg_attribute AS c CROSS JOIN LATERAL aclexplode(c.attacl) AS a
        WHERE c.attrelid = parent AND c.attacl IS NOT NULL
    LOOP
        EXECUTE format('GRANT %s%s ON %s TO %s%s', its.privilege_type,
            coalesce(' (' || quote_ident(its.column_name) || ')', ''), made, its.grantee,
            CASE WHEN its.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
    END LOOP;
    -- FULL or NOTHING; an index as replica identity is not copied.
    SELECT c.relreplident INTO its FROM pg_class AS c WHERE c.oid = latest;
    IF its.relreplident IN ('f', 'n') THEN
        EXECUTE format('ALTER TABLE %s REPLICA IDENTITY %s', made,
            CASE its.relreplident WHEN 'f' THEN 'FULL' ELSE 'NOTHING' END);
    END IF;
    -- The table's policies apply to queries of the table. Without this, a query of the partition
    -- itself would evade them.
    IF model.relrowsecurity THEN
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', made);
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION sluice.partition_create(text, text) IS
    'Creates a table that can become a partition: with the columns, constraints, indexes and grants '
    'of the partitioned table, with row-level security if that has it, and with the storage options '
    'and replica identity of its latest partition. Internal.';

CREATE OR REPLACE FUNCTION sluice.partition_attach(parent regclass, partition regclass,
    lower_bound timestamptz, upper_bound timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)', parent, partition,
        to_char(lower_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'),
        to_char(upper_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'));
    EXECUTE format('COMMENT ON TABLE %s IS %L', partition, 'received from '
        || to_char(lower_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' and before '
        || to_char(upper_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD') || ' (UTC)');
END
$$;
COMMENT ON FUNCTION sluice.partition_attach(regclass, regclass, timestamptz, timestamptz) IS
    'Attaches a table as the partition of a span of time, and comments it. Internal.';

CREATE OR REPLACE FUNCTION sluice.move_rows(source regclass, target regclass, condition text)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns constant text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = source AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '');
    moved bigint;
BEGIN
    EXECUTE format('WITH moved AS (DELETE FROM %s WHERE %s RETURNING %s), '
        'stored AS (INSERT INTO %s (%s) SELECT * FROM moved RETURNING 1) SELECT count(*) FROM stored',
        source, condition, columns, target, columns) INTO moved;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.move_rows(regclass, regclass, text) IS
    'Moves rows to another table with the same columns and returns how many. Internal.';

-- ---- the steps: one piece of work per call ----

CREATE OR REPLACE FUNCTION sluice.raise_step(busy text, failure text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF failure IS NOT NULL THEN
        RAISE EXCEPTION '%', failure USING ERRCODE = 'raise_exception';
    ELSIF busy IS NOT NULL THEN
        RAISE EXCEPTION '% is in use', busy USING ERRCODE = 'lock_not_available',
            DETAIL = 'A lock was not granted in time; waiting longer would stop the intake.';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.raise_step(text, text) IS
    'Ends a maintenance step that could do nothing: raises P0001 with the failure, or 55P03 if a '
    'table was locked. Internal.';

CREATE OR REPLACE FUNCTION sluice.default_partitions_in_use() RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    used boolean;
BEGIN
    FOR its IN SELECT b.partition_name, b.partition FROM sluice.partition_bounds() AS b
        JOIN pg_class AS c ON c.oid = b.partition
        -- A DBA may have moved a partition or changed its owner.
        WHERE b.is_default AND has_table_privilege(c.oid, 'SELECT')
            AND has_schema_privilege(c.relnamespace, 'USAGE')
        ORDER BY 1
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s)', its.partition::regclass) INTO used;
        IF used THEN
            RETURN NEXT its.partition_name;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.default_partitions_in_use() IS
    'The default partitions that hold rows. sluicectl maintain moves rows of recent days; the '
    'timestamps of the others are far off.';

CREATE OR REPLACE FUNCTION sluice.make_day(table_name text, day timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    its record;
    made regclass;
    moved bigint := 0;
BEGIN
    SELECT t.parent::regclass AS parent, t.default_partition INTO its
    FROM sluice.partitioned_table AS t WHERE t.table_name = make_day.table_name;
    EXECUTE format('LOCK TABLE ONLY %s IN SHARE UPDATE EXCLUSIVE MODE', its.parent);
    IF its.default_partition <> 0 THEN
        -- Excludes readers too, so that they do not miss rows that are being moved.
        EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', its.default_partition::regclass);
    END IF;
    IF EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.table_name = make_day.table_name
            AND b.lower_bound < day + interval '1 day' AND b.upper_bound > day)
    THEN
        RETURN 0; -- another run has made it
    END IF;
    made := sluice.partition_create(table_name, sluice.day_name(table_name, day));
    IF its.default_partition <> 0 THEN
        moved := sluice.move_rows(its.default_partition::regclass, made,
            format('received_at >= %L AND received_at < %L', day, day + interval '1 day'));
    END IF;
    PERFORM sluice.partition_attach(its.parent, made, day, day + interval '1 day');
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.make_day(text, timestamptz) IS
    'Creates a day''s partition and moves the day''s rows from the default partition into it. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.make_default_days(table_name text, lower_bound timestamptz,
    upper_bound timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    its record;
    old_name text;
    comment text;
    name constant text := sluice.day_name(table_name, lower_bound);
    index_name text;
    spare regclass;
    moved bigint := 0;
BEGIN
    SELECT t.parent::regclass AS parent, t.default_partition::regclass AS part INTO its
    FROM sluice.partitioned_table AS t WHERE t.table_name = make_default_days.table_name;
    SELECT c.relname, obj_description(c.oid, 'pg_class') INTO old_name, comment
    FROM pg_class AS c WHERE c.oid = its.part;
    EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', its.parent);
    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', its.part);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', its.parent, its.part);
    EXECUTE format('ALTER TABLE %s RENAME TO %I', its.part, name);
    FOR index_name IN SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = its.part AND starts_with(c.relname, old_name)
            -- Not if an index of a detached partition still has the name.
            AND to_regclass(format('sluice.%I',
                overlay(c.relname PLACING name FROM 1 FOR length(old_name)))) IS NULL
    LOOP
        EXECUTE format('ALTER INDEX sluice.%I RENAME TO %I', index_name,
            overlay(index_name PLACING name FROM 1 FOR length(old_name)));
    END LOOP;
    spare := sluice.partition_create(table_name, old_name);
    -- Attaching scans all rows under the lock. Usually they are all in the span, so do not scan
    -- twice.
    BEGIN
        PERFORM sluice.partition_attach(its.parent, its.part, lower_bound, upper_bound);
    EXCEPTION WHEN check_violation THEN
        -- Straight into the table, so that logical replication does not publish these rows again.
        moved := sluice.move_rows(its.part, spare,
            format('received_at < %L OR received_at >= %L', lower_bound, upper_bound));
        PERFORM sluice.partition_attach(its.parent, its.part, lower_bound, upper_bound);
    END;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', its.parent, spare);
    EXECUTE format('COMMENT ON TABLE %s IS %L', spare, comment);
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.make_default_days(text, timestamptz, timestamptz) IS
    'Turns the default partition into the partition of a span of days, without moving its rows, '
    'and adds an empty default partition. Moves rows outside of the span there and returns how '
    'many. Internal.';

CREATE OR REPLACE FUNCTION sluice.move_default_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    days timestamptz[]; -- that have rows in the default partition and could have a partition
    counts bigint[];
    span record;
    busy text;
    failure text;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t
        WHERE t.default_partition <> 0 ORDER BY t.table_name
    LOOP
        BEGIN
            EXECUTE format($q$
                SELECT array_agg(r.day ORDER BY r.day), array_agg(r.n ORDER BY r.day)
                FROM (SELECT date_trunc('day', received_at, 'UTC') AS day, count(*) AS n
                    FROM %s WHERE received_at >= $1 AND received_at < $2 GROUP BY 1) AS r
                WHERE r.day IN (SELECT sluice.missing_days($3))
                $q$, part.default_partition::regclass)
            INTO days, counts
            USING part.first_day, part.last_day + interval '1 day', part.table_name;
            CONTINUE WHEN days IS NULL;

            IF max_rows >= ALL (counts) THEN
                -- The latest first: once today has its partition, no more rows come.
                RETURN greatest(sluice.make_day(part.table_name, days[cardinality(days)]), 1);
            END IF;
            -- Moving that many would take long, and attaching a partition scans them all. So the
            -- default partition becomes that of consecutive days without one: those with most rows.
            SELECT min(r.day) AS lower_bound, max(r.day) + interval '1 day' AS upper_bound,
                sum(r.n)::bigint AS n
            INTO span
            FROM unnest(days, counts) AS r (day, n)
            JOIN (SELECT m.day, m.day - row_number() OVER (ORDER BY m.day) * interval '1 day' AS gap
                FROM sluice.missing_days(part.table_name) AS m (day)) AS g ON g.day = r.day
            GROUP BY g.gap
            ORDER BY sum(r.n) DESC
            LIMIT 1;
            PERFORM sluice.make_default_days(part.table_name, span.lower_bound, span.upper_bound);
            RETURN span.n;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                busy := part.table_name;
            WHEN OTHERS THEN
                failure := format('%s: %s', part.table_name, SQLERRM);
        END;
    END LOOP;
    PERFORM sluice.raise_step(busy, failure);
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.move_default_rows(integer) IS
    'Maintenance step: moves the rows of one day from a default partition to a new partition for '
    'that day. If the day has more than max_rows rows, the default partition itself becomes the '
    'partition of its days. Rows outside of first_day to last_day of partitioned_table stay.';

CREATE OR REPLACE FUNCTION sluice.make_partitions(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    day timestamptz;
    used boolean := false;
    busy text;
    failure text;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t ORDER BY t.table_name LOOP
        BEGIN
            -- Today and the coming days, then gaps from the latest on.
            FOR day IN
                SELECT m.day FROM sluice.missing_days(part.table_name) AS m (day)
                WHERE m.day >= least(part.today, (SELECT min(b.lower_bound)
                    FROM sluice.partition_bounds() AS b WHERE b.table_name = part.table_name))
                ORDER BY m.day < part.today, abs(extract(epoch FROM m.day - part.today))
            LOOP
                IF part.default_partition <> 0 THEN
                    -- Days with rows are left to move_default_rows.
                    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %s '
                        'WHERE received_at >= $1 AND received_at < $2)',
                        part.default_partition::regclass)
                    INTO used USING day, day + interval '1 day';
                END IF;
                CONTINUE WHEN used;
                PERFORM sluice.make_day(part.table_name, day);
                RETURN 1;
            END LOOP;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                busy := part.table_name;
            WHEN OTHERS THEN
                failure := format('%s: %s', part.table_name, SQLERRM);
        END;
    END LOOP;
    PERFORM sluice.raise_step(busy, failure);
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.make_partitions(integer) IS
    'Maintenance step: creates one missing partition between the oldest partition and last_day of '
    'partitioned_table.';

CREATE OR REPLACE FUNCTION sluice.detached_table(partition_name text) RETURNS regclass
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(to_regclass(format('sluice.%I', partition_name)), to_regclass(partition_name));
END
$$;
COMMENT ON FUNCTION sluice.detached_table(text) IS
    'The table that detached_partition names; null if it was dropped. Internal.';

CREATE OR REPLACE FUNCTION sluice.drop_partitions(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    busy text;
    failure text;
BEGIN
    DELETE FROM sluice.detached_partition AS d
    WHERE sluice.detached_table(d.partition_name) IS NULL;
    FOR part IN
        SELECT b.table_name, b.partition::regclass AS name, b.partition_name, b.lower_bound,
            b.upper_bound, t.parent::regclass AS parent, t.default_partition, t.expired
        FROM sluice.partition_bounds() AS b
        JOIN sluice.partitioned_table AS t ON t.table_name = b.table_name
        JOIN pg_class AS c ON c.oid = b.partition
        -- A partition that a DBA owns, or has moved out of reach, is left to the DBA.
        WHERE b.upper_bound <= t.keep_from AND c.relowner = 'sluice_owner'::regrole
            AND has_schema_privilege('sluice_owner', c.relnamespace, 'USAGE')
        ORDER BY b.table_name, b.lower_bound
    LOOP
        CONTINUE WHEN part.table_name = busy; -- each attempt makes intake wait
        BEGIN
            -- In the same order as intake.
            EXECUTE format('LOCK TABLE ONLY %s IN ACCESS EXCLUSIVE MODE', part.parent);
            IF part.default_partition <> 0 THEN
                EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE',
                    part.default_partition::regclass);
            END IF;
            IF part.expired = 'detach' THEN
                EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', part.parent, part.name);
                INSERT INTO sluice.detached_partition (partition_name, table_name, lower_bound,
                    upper_bound)
                VALUES (part.partition_name, part.table_name, part.lower_bound, part.upper_bound)
                ON CONFLICT ON CONSTRAINT detached_partition_pkey
                DO UPDATE SET detached_at = excluded.detached_at;
            ELSE
                EXECUTE format('DROP TABLE %s', part.name);
            END IF;
            RETURN 1;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                busy := part.table_name;
            WHEN OTHERS THEN
                failure := format('%s: %s', part.partition_name, SQLERRM);
        END;
    END LOOP;
    PERFORM sluice.raise_step(busy, failure);
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.drop_partitions(integer) IS
    'Maintenance step: drops or detaches (retention.expired) the oldest partition that is past '
    'retention.';

CREATE OR REPLACE FUNCTION sluice.prune_default_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    pruned bigint;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t
        WHERE t.keep_from IS NOT NULL AND t.default_partition <> 0 ORDER BY t.table_name
    LOOP
        EXECUTE format('WITH pruned AS (DELETE FROM %1$s WHERE ctid = ANY (ARRAY('
            'SELECT d.ctid FROM %1$s AS d WHERE d.received_at >= $1 AND d.received_at < $2 LIMIT $3)) '
            'RETURNING 1) SELECT count(*) FROM pruned', part.default_partition::regclass)
        INTO pruned USING part.keep_from - interval '366 days', part.keep_from, max_rows;
        IF pruned > 0 THEN
            RETURN pruned;
        END IF;
    END LOOP;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.prune_default_rows(integer) IS
    'Maintenance step: deletes rows past retention from default partitions. Rows more than 366 '
    'days past it stay: such a timestamp is more likely wrong than old.';

CREATE OR REPLACE FUNCTION sluice.index_days(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    missing record;
    busy text;
    failure text;
    made integer := 0;
BEGIN
    FOR missing IN
        SELECT b.partition::regclass AS name, d.suffix, d.definition,
            left(c.relname, 62 - length(d.suffix)) || '_' || d.suffix AS index_name
        FROM sluice.day_index AS d
        JOIN sluice.partition_bounds() AS b ON b.table_name = d.table_name
        JOIN pg_class AS c ON c.oid = b.partition
        -- The day's last bulk import has ended by then.
        WHERE b.upper_bound <= now() - interval '15 minutes' AND c.relowner = 'sluice_owner'::regrole
            -- A DBA may have moved it to a schema where sluice_owner may not create indexes.
            AND has_schema_privilege('sluice_owner', c.relnamespace, 'USAGE')
            AND has_schema_privilege('sluice_owner', c.relnamespace, 'CREATE')
            AND NOT EXISTS (SELECT FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid
                WHERE i.indrelid = b.partition
                    AND x.relname = left(c.relname, 62 - length(d.suffix)) || '_' || d.suffix)
        ORDER BY b.upper_bound DESC, d.suffix
    LOOP
        CONTINUE WHEN missing.name::text = busy;
        BEGIN
            EXECUTE format('CREATE INDEX %I ON %s %s', missing.index_name, missing.name,
                missing.definition);
            EXECUTE format('COMMENT ON INDEX %s.%I IS %L', (SELECT n.nspname::regnamespace
                    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                    WHERE c.oid = missing.name), missing.index_name,
                'made when the day was over, see day_index');
            made := made + 1;
        EXCEPTION
            WHEN lock_not_available OR deadlock_detected THEN
                busy := missing.name::text;
            WHEN OTHERS THEN
                failure := format('%s: %s', missing.index_name, SQLERRM);
        END;
        -- Many at a time on small partitions: finding a missing index takes longer than building
        -- it.
        EXIT WHEN made >= least(max_rows, 100) OR pg_relation_size(missing.name) > 1000000;
    END LOOP;
    IF made = 0 THEN
        PERFORM sluice.raise_step(busy, failure);
    END IF;
    RETURN made;
END
$$;
COMMENT ON FUNCTION sluice.index_days(integer) IS
    'Maintenance step: creates a missing index of day_index on the partition of a past day, the '
    'latest day first; up to a hundred at a time on partitions under a megabyte. It blocks writers '
    'to that partition, but intake writes to today''s only.';

GRANT EXECUTE ON FUNCTION sluice.default_partitions_in_use(), sluice.day_name(text, timestamptz)
TO sluice_reader;

-- A new database gets the partitions of the last and the coming days here; sluicectl maintain makes
-- the later ones.
DO $do$
BEGIN
    IF NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b WHERE NOT b.is_default) THEN
        PERFORM sluice.make_day(t.table_name, m.day)
        FROM sluice.partitioned_table AS t, sluice.missing_days(t.table_name) AS m (day)
        WHERE m.day >= t.today - interval '7 days';
    END IF;
END
$do$;

RESET ROLE;
