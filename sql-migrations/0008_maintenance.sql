-- What keeps the tables from growing for ever: how long each is kept, and the steps by which
-- `sluicectl maintain` makes partitions, empties the default ones and drops the old ones. One
-- transaction.
--
-- Attaching a partition locks the default partition against everybody, dropping one the whole table.
-- Whoever waits for such a lock makes all others wait behind it, so nothing here waits for more than
-- lock_timeout: behind a reader that stays for hours (pg_dump), a step fails with 55P03 and is done
-- another time. For the same reason a step does one small piece of work per call, and each call is a
-- transaction of its own.
--
-- pg_partman still makes the tables partitioned and keeps their configuration. Its functions for
-- making and dropping partitions are not used: they work on all of a table in one transaction, turn
-- the SQLSTATE of a lock that was not granted into P0001, and set search_path for the session.

SET LOCAL ROLE sluice_owner;

-- ---- how long ----

CREATE TABLE sluice.retention (
    table_name text PRIMARY KEY,
    keep interval
        CONSTRAINT retention_keep_check CHECK (keep BETWEEN '1 day' AND '100 years'),
    meaning text NOT NULL
);
COMMENT ON TABLE sluice.retention IS
    'How long the tables keep what is in them. A member of sluice_admin may change it (UPDATE of '
    'keep); the next sluicectl maintain acts on it. A table that is not here keeps everything.';
COMMENT ON COLUMN sluice.retention.table_name IS 'the table, in schema sluice';
COMMENT ON COLUMN sluice.retention.keep IS
    'what is older may be removed; null: nothing ever. Partitions are dropped when all of their day '
    'is older, at the earliest';
COMMENT ON COLUMN sluice.retention.meaning IS 'what is removed then, and what that entails';
COMMENT ON CONSTRAINT retention_keep_check ON sluice.retention IS
    'a day at least: 90 without a unit would be seconds';

GRANT SELECT ON sluice.retention TO sluice_reader;
GRANT UPDATE (keep) ON sluice.retention TO sluice_admin;

-- Whoever had told pg_partman keeps what was said.
INSERT INTO sluice.retention (table_name, keep, meaning)
SELECT v.table_name,
    CASE WHEN c.retention IS NULL THEN v.keep ELSE greatest(c.retention::interval, '1 day') END,
    v.meaning
FROM (VALUES
    ('signal_staging', interval '90 days',
        'the days'' partitions are dropped, whatever the status of their signals'),
    ('signal_cold_storage', interval '90 days',
        'the days'' partitions are dropped; signals that were not identified by then are gone'),
    ('rejected_payload', interval '30 days',
        'the days'' partitions are dropped; what was not replayed by then is gone'),
    ('delivery', interval '7 days',
        'rows are deleted; a repeat of such a delivery is stored again'),
    ('identity', interval '365 days',
        'rows are deleted; the visitor is unknown until identified again'),
    ('refused_request', interval '90 days', 'rows are deleted; key_health does not know of them'),
    ('usage_hour', interval '40 days',
        'rows are deleted; what is billed by month stays, and statistics show the last 30 days'))
    AS v (table_name, keep, meaning)
LEFT JOIN partman.part_config AS c ON c.parent_table = 'sluice.' || v.table_name;
UPDATE partman.part_config SET retention = NULL WHERE starts_with(parent_table, 'sluice.');

-- ---- what there is ----

CREATE FUNCTION sluice.partition_bounds()
RETURNS TABLE (table_name text, partition_name text, partition oid, is_default boolean,
    lower_bound timestamptz, upper_bound timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO' SET TimeZone = 'UTC' AS $$
BEGIN
    RETURN QUERY
    SELECT p.relname::text, c.relname::text, c.oid, b.bounds = 'DEFAULT',
        (regexp_match(b.bounds, $r$FROM \('([^']+)'\)$r$))[1]::timestamptz,
        (regexp_match(b.bounds, $r$TO \('([^']+)'\)$r$))[1]::timestamptz
    FROM pg_class AS p
    JOIN pg_inherits AS i ON i.inhparent = p.oid
    JOIN pg_class AS c ON c.oid = i.inhrelid
    CROSS JOIN LATERAL pg_get_expr(c.relpartbound, c.oid) AS b (bounds)
    WHERE p.relnamespace = 'sluice'::regnamespace AND p.relkind = 'p'
        AND b.bounds IS NOT NULL; -- null: dropped just now
END
$$;
COMMENT ON FUNCTION sluice.partition_bounds() IS
    'All partitions of the schema with their bounds, in which the upper one is not included; null '
    'for default partitions. For partition_overview and maintenance.';
GRANT EXECUTE ON FUNCTION sluice.partition_bounds() TO sluice_reader;

-- UTC days, whatever the time zone of the session.
CREATE VIEW sluice.partitioned_table AS
SELECT p.relname::text AS table_name, d.relname::text AS default_partition,
    c.control AS time_column, c.datetime_string AS name_format, r.keep, t.keep_from,
    greatest(t.keep_from, t.today - interval '8784 hours') AS first_day,
    t.today AS today,
    t.today + c.premake * interval '24 hours' AS last_day
FROM partman.part_config AS c
JOIN pg_catalog.pg_class AS p ON p.oid = pg_catalog.to_regclass(c.parent_table)
JOIN pg_catalog.pg_partitioned_table AS k ON k.partrelid = p.oid
JOIN pg_catalog.pg_class AS d ON d.oid = k.partdefid
LEFT JOIN sluice.retention AS r ON r.table_name = p.relname
CROSS JOIN LATERAL (SELECT
    pg_catalog.date_trunc('day', pg_catalog.now(), 'UTC') AS today,
    pg_catalog.date_trunc('day', (pg_catalog.now() AT TIME ZONE 'UTC') - r.keep) AT TIME ZONE 'UTC'
        AS keep_from) AS t
WHERE p.relnamespace = 'sluice'::regnamespace AND c.partition_interval = '1 day';
COMMENT ON VIEW sluice.partitioned_table IS
    'The tables with one partition per day, as pg_partman''s configuration and retention have them. '
    'For maintenance.';
COMMENT ON COLUMN sluice.partitioned_table.table_name IS 'the table';
COMMENT ON COLUMN sluice.partitioned_table.default_partition IS
    'its partition for what belongs to none of the days';
COMMENT ON COLUMN sluice.partitioned_table.time_column IS 'the column that decides the day';
COMMENT ON COLUMN sluice.partitioned_table.name_format IS
    'what is appended to the table''s name and _p, for to_char';
COMMENT ON COLUMN sluice.partitioned_table.keep IS 'as in retention; null: for ever';
COMMENT ON COLUMN sluice.partitioned_table.keep_from IS
    'what lies before this day is past retention; null: nothing is';
COMMENT ON COLUMN sluice.partitioned_table.first_day IS
    'the first day for which a partition may be made: not past retention, nor older than 366 days';
COMMENT ON COLUMN sluice.partitioned_table.today IS 'the day that began last';
COMMENT ON COLUMN sluice.partitioned_table.last_day IS 'the last day that is made ahead';
GRANT SELECT ON sluice.partitioned_table TO sluice_reader;

CREATE VIEW sluice.partition_overview AS
SELECT b.table_name, b.partition_name, b.lower_bound, b.upper_bound,
    -- The statistics' counter; after a crash or a restore the last ANALYZE.
    coalesce(nullif(pg_catalog.pg_stat_get_live_tuples(c.oid), 0),
        greatest(c.reltuples, 0)::bigint) AS rows_estimate,
    pg_catalog.pg_total_relation_size(c.oid) AS bytes,
    b.is_default,
    coalesce(b.upper_bound <= t.keep_from, false) AS past_retention
FROM sluice.partition_bounds() AS b
JOIN pg_catalog.pg_class AS c ON c.oid = b.partition
LEFT JOIN sluice.partitioned_table AS t ON t.table_name = b.table_name;
COMMENT ON VIEW sluice.partition_overview IS
    'All partitions: which days they are for, how large they are, and whether sluicectl maintain '
    'will drop them.';
COMMENT ON COLUMN sluice.partition_overview.table_name IS 'the partitioned table';
COMMENT ON COLUMN sluice.partition_overview.partition_name IS 'the partition, a table in schema sluice';
COMMENT ON COLUMN sluice.partition_overview.lower_bound IS
    'its first instant, a UTC midnight; null for the default partition';
COMMENT ON COLUMN sluice.partition_overview.upper_bound IS
    'the first instant after it; null for the default partition. More than a day later where a full '
    'default partition was made the partition of its days';
COMMENT ON COLUMN sluice.partition_overview.rows_estimate IS
    'about how many rows it holds, from the statistics';
COMMENT ON COLUMN sluice.partition_overview.bytes IS 'on disk, with its indexes and large values';
COMMENT ON COLUMN sluice.partition_overview.is_default IS
    'true: for rows that belong to none of the days; should be empty';
COMMENT ON COLUMN sluice.partition_overview.past_retention IS
    'true: all of it is older than retention keeps, so that maintenance drops it';
GRANT SELECT ON sluice.partition_overview TO sluice_reader;

CREATE FUNCTION sluice.default_partitions_in_use() RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
    used boolean;
BEGIN
    FOR name IN SELECT b.partition_name FROM sluice.partition_bounds() AS b
        WHERE b.is_default ORDER BY 1
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM sluice.%I)', name) INTO used;
        IF used THEN
            RETURN NEXT name;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.default_partitions_in_use() IS
    'The default partitions that hold rows. sluicectl maintain moves those of the last days; what '
    'stays has a time far outside of them.';
GRANT EXECUTE ON FUNCTION sluice.default_partitions_in_use() TO sluice_reader;

-- ---- making one ----

CREATE FUNCTION sluice.partition_name_of(table_name text, day timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT t.table_name || '_p' || to_char(day AT TIME ZONE 'UTC', t.name_format)
        FROM sluice.partitioned_table AS t WHERE t.table_name = partition_name_of.table_name);
END
$$;
COMMENT ON FUNCTION sluice.partition_name_of(text, timestamptz) IS
    'What pg_partman would call the partition of a day.';

CREATE FUNCTION sluice.missing_days(table_name text) RETURNS SETOF timestamptz
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
        -- Taken: a partition that was detached, to be kept for example. Its day is left alone.
        AND to_regclass(format('sluice.%I', t.table_name || '_p'
            || to_char(d.day AT TIME ZONE 'UTC', t.name_format))) IS NULL
    ORDER BY d.day;
END
$$;
COMMENT ON FUNCTION sluice.missing_days(text) IS
    'The days between first_day and last_day of partitioned_table that a table has no partition for.';

CREATE FUNCTION sluice.partition_create(table_name text, partition_name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent oid := format('sluice.%I', table_name)::regclass;
    tablespace_name name;
    granted record;
BEGIN
    SELECT s.spcname INTO tablespace_name
    FROM pg_class AS c JOIN pg_tablespace AS s ON s.oid = c.reltablespace WHERE c.oid = parent;
    EXECUTE format('CREATE TABLE sluice.%I (LIKE sluice.%I INCLUDING ALL)', partition_name,
        table_name) || coalesce(' TABLESPACE ' || quote_ident(tablespace_name), '');
    PERFORM partman.inherit_template_properties(c.parent_table, 'sluice', partition_name)
    FROM partman.part_config AS c
    WHERE c.parent_table = 'sluice.' || table_name AND c.template_table IS NOT NULL;
    FOR granted IN
        SELECT a.privilege_type, a.grantee::regrole::text AS grantee
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a
        WHERE c.oid = parent AND a.grantee <> c.relowner AND a.grantee <> 0
    LOOP
        EXECUTE format('GRANT %s ON sluice.%I TO %s', granted.privilege_type, partition_name,
            granted.grantee);
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.partition_create(text, text) IS
    'Creates a table that can be attached to a partitioned table: its columns, constraints, indexes '
    'and grants, and what pg_partman''s template adds.';

CREATE FUNCTION sluice.partition_attach(table_name text, partition_name text,
    lower_bound timestamptz, upper_bound timestamptz) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('ALTER TABLE sluice.%I ATTACH PARTITION sluice.%I FOR VALUES FROM (%L) TO (%L)',
        table_name, partition_name,
        to_char(lower_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'),
        to_char(upper_bound AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"+00"'));
END
$$;
COMMENT ON FUNCTION sluice.partition_attach(text, text, timestamptz, timestamptz) IS
    'Attaches a table as the partition of a span of time.';

-- ---- the steps: one piece of work per call ----

CREATE FUNCTION sluice.columns_of(table_name text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = format('sluice.%I', table_name)::regclass AND a.attnum > 0
            AND NOT a.attisdropped AND a.attgenerated = '');
END
$$;
COMMENT ON FUNCTION sluice.columns_of(text) IS
    'The columns of a table that can be inserted into, for a statement.';

CREATE FUNCTION sluice.move_rows(source text, target text, condition text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns text := sluice.columns_of(source);
    moved bigint;
BEGIN
    EXECUTE format('INSERT INTO sluice.%1$I (%2$s) SELECT %2$s FROM sluice.%3$I WHERE %4$s', target,
        columns, source, condition);
    GET DIAGNOSTICS moved = ROW_COUNT;
    EXECUTE format('DELETE FROM sluice.%I WHERE %s', source, condition);
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.move_rows(text, text, text) IS
    'Moves rows from one table into another of the same columns and returns how many. The caller '
    'has locked the source against everybody, or two statements would not see the same rows.';

CREATE FUNCTION sluice.move_default_day(table_name text, day timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    name text := sluice.partition_name_of(table_name, day);
    moved bigint;
BEGIN
    SELECT * INTO part FROM sluice.partitioned_table AS t
    WHERE t.table_name = move_default_day.table_name;
    EXECUTE format('LOCK TABLE ONLY sluice.%I IN SHARE UPDATE EXCLUSIVE MODE', table_name);
    -- Readers too: whoever saw a row here must not look for it in vain while it is on its way.
    EXECUTE format('LOCK TABLE sluice.%I IN ACCESS EXCLUSIVE MODE', part.default_partition);
    IF EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.table_name = move_default_day.table_name
            AND b.lower_bound < day + interval '1 day' AND b.upper_bound > day)
    THEN
        RETURN 0; -- another run was quicker
    END IF;
    PERFORM sluice.partition_create(table_name, name);
    moved := sluice.move_rows(part.default_partition, name, format('%1$I >= %2$L AND %1$I < %3$L',
        part.time_column, day, day + interval '1 day'));
    PERFORM sluice.partition_attach(table_name, name, day, day + interval '1 day');
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.move_default_day(text, timestamptz) IS
    'Makes the partition of a day and moves the rows of that day from the default partition into it.';

CREATE FUNCTION sluice.make_default_days(table_name text, lower_bound timestamptz,
    upper_bound timestamptz) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    name text := sluice.partition_name_of(table_name, lower_bound);
    index_name text;
    moved bigint := 0;
BEGIN
    SELECT * INTO part FROM sluice.partitioned_table AS t
    WHERE t.table_name = make_default_days.table_name;
    EXECUTE format('LOCK TABLE ONLY sluice.%I IN ACCESS EXCLUSIVE MODE', table_name);
    EXECUTE format('LOCK TABLE sluice.%I IN ACCESS EXCLUSIVE MODE', part.default_partition);
    EXECUTE format('ALTER TABLE sluice.%I DETACH PARTITION sluice.%I', table_name,
        part.default_partition);
    EXECUTE format('ALTER TABLE sluice.%I RENAME TO %I', part.default_partition, name);
    FOR index_name IN SELECT c.relname FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        WHERE i.indrelid = format('sluice.%I', name)::regclass
            AND starts_with(c.relname, part.default_partition)
    LOOP
        EXECUTE format('ALTER INDEX sluice.%I RENAME TO %I', index_name,
            overlay(index_name PLACING name FROM 1 FOR length(part.default_partition)));
    END LOOP;
    PERFORM sluice.partition_create(table_name, part.default_partition);
    EXECUTE format('ALTER TABLE sluice.%I ATTACH PARTITION sluice.%I DEFAULT', table_name,
        part.default_partition);
    -- Attaching looks through all rows while everybody waits. Mostly they are all in the span, so
    -- it is not asked before whether they are.
    BEGIN
        PERFORM sluice.partition_attach(table_name, name, lower_bound, upper_bound);
    EXCEPTION WHEN check_violation THEN
        moved := sluice.move_rows(name, part.default_partition,
            format('%1$I < %2$L OR %1$I >= %3$L', part.time_column, lower_bound, upper_bound));
        PERFORM sluice.partition_attach(table_name, name, lower_bound, upper_bound);
    END;
    RETURN moved;
END
$$;
COMMENT ON FUNCTION sluice.make_default_days(text, timestamptz, timestamptz) IS
    'Makes the default partition that of a span of days, without moving its rows, and puts an empty '
    'one in its place; rows outside of the span go there, their number is returned.';

CREATE FUNCTION sluice.move_default_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    days timestamptz[]; -- that have rows in the default partition and could have a partition
    counts bigint[];
    span record;
    moved bigint;
    busy text;
    failure text;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t ORDER BY t.table_name LOOP
        BEGIN
            EXECUTE format($q$
                SELECT array_agg(r.day ORDER BY r.day), array_agg(r.n ORDER BY r.day)
                FROM (SELECT date_trunc('day', %1$I, 'UTC') AS day, count(*) AS n
                    FROM sluice.%2$I WHERE %1$I >= $1 AND %1$I < $2 GROUP BY 1) AS r
                WHERE r.day IN (SELECT sluice.missing_days($3))
                $q$, part.time_column, part.default_partition)
            INTO days, counts
            USING part.first_day, part.last_day + interval '1 day', part.table_name;
            CONTINUE WHEN days IS NULL;

            IF max_rows >= ALL (counts) THEN
                -- The latest first: once today has its partition, no more rows come.
                moved := sluice.move_default_day(part.table_name, days[cardinality(days)]);
                RETURN greatest(moved, 1);
            END IF;
            -- So many that moving them would take long, and each partition that is attached has all
            -- of them looked through: the days without a partition, as far as they are one after
            -- the other, get this one.
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
    'A maintenance step: takes the rows of one day from a default partition into a partition made '
    'for that day, or, when there are more than max_rows of a day, makes the default partition the '
    'partition of its days. Rows of days outside of first_day and last_day of partitioned_table '
    'stay.';

CREATE FUNCTION sluice.raise_step(busy text, failure text) RETURNS void
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
    'How a maintenance step ends that found nothing that it could do: raises P0001 with the failure, '
    'or 55P03 when a table was locked, else returns.';

CREATE FUNCTION sluice.make_partitions(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    day timestamptz;
    used boolean;
    busy text;
    failure text;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t ORDER BY t.table_name LOOP
        BEGIN
            -- Today and the coming days first, then gaps, the latest first.
            FOR day IN
                SELECT m.day FROM sluice.missing_days(part.table_name) AS m (day)
                WHERE m.day >= least(part.today, (SELECT min(b.lower_bound)
                    FROM sluice.partition_bounds() AS b WHERE b.table_name = part.table_name))
                ORDER BY m.day < part.today, abs(extract(epoch FROM m.day - part.today))
            LOOP
                -- Then it is for move_default_rows.
                EXECUTE format('SELECT EXISTS (SELECT FROM sluice.%1$I WHERE %2$I >= $1 AND %2$I < $2)',
                    part.default_partition, part.time_column)
                INTO used USING day, day + interval '1 day';
                CONTINUE WHEN used;
                PERFORM sluice.move_default_day(part.table_name, day);
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
    'A maintenance step: makes one partition that is missing, of the days between the oldest '
    'partition and last_day of partitioned_table.';

CREATE FUNCTION sluice.drop_partitions(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    busy text;
    failure text;
BEGIN
    FOR part IN
        SELECT b.table_name, b.partition_name, t.default_partition
        FROM sluice.partition_bounds() AS b
        JOIN sluice.partitioned_table AS t ON t.table_name = b.table_name
        WHERE b.upper_bound <= t.keep_from
        ORDER BY b.table_name, b.lower_bound
    LOOP
        CONTINUE WHEN part.table_name = busy; -- each try makes the intake wait
        BEGIN
            -- In the order in which others come to them.
            EXECUTE format('LOCK TABLE ONLY sluice.%I IN ACCESS EXCLUSIVE MODE', part.table_name);
            EXECUTE format('LOCK TABLE sluice.%I IN ACCESS EXCLUSIVE MODE', part.default_partition);
            EXECUTE format('DROP TABLE sluice.%I', part.partition_name);
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
    'A maintenance step: drops one partition that is past retention, the oldest.';

CREATE FUNCTION sluice.prune_default_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    pruned bigint;
BEGIN
    FOR part IN SELECT * FROM sluice.partitioned_table AS t
        WHERE t.keep_from IS NOT NULL ORDER BY t.table_name
    LOOP
        EXECUTE format('DELETE FROM sluice.%1$I WHERE ctid = ANY (ARRAY('
            'SELECT d.ctid FROM sluice.%1$I AS d WHERE d.%2$I >= $1 AND d.%2$I < $2 LIMIT $3))',
            part.default_partition, part.time_column)
        USING part.keep_from - interval '366 days', part.keep_from, max_rows;
        GET DIAGNOSTICS pruned = ROW_COUNT;
        IF pruned > 0 THEN
            RETURN pruned;
        END IF;
    END LOOP;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.prune_default_rows(integer) IS
    'A maintenance step: deletes rows of a default partition that are past retention. Those that '
    'are more than 366 days past it stay: their time is more likely wrong than old.';

-- ---- the order of the steps, and what became of them ----

CREATE TABLE sluice.maintenance_step (
    name text PRIMARY KEY,
    position integer NOT NULL UNIQUE,
    unit text NOT NULL,
    description text NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.maintenance_step IS
    'What sluicectl maintain does: functions sluice.NAME(max_rows integer) that do at most so much '
    'and return how much they did, called again and again until they return 0. Migrations add rows.';
COMMENT ON COLUMN sluice.maintenance_step.name IS 'the function, in schema sluice';
COMMENT ON COLUMN sluice.maintenance_step.position IS 'steps run in this order';
COMMENT ON COLUMN sluice.maintenance_step.unit IS 'what the function counts: rows, partitions';
COMMENT ON COLUMN sluice.maintenance_step.description IS 'what it is for';
COMMENT ON COLUMN sluice.maintenance_step.added_at IS
    'when it was added; from then on it has to be run at least daily';
GRANT SELECT ON sluice.maintenance_step TO sluice_reader;

INSERT INTO sluice.maintenance_step (name, position, unit, description) VALUES
    ('move_default_rows', 100, 'rows', 'rows of default partitions into partitions of their days'),
    ('make_partitions', 200, 'partitions', 'the partitions of the coming days, and missing ones'),
    ('drop_partitions', 300, 'partitions', 'partitions past retention'),
    ('prune_default_rows', 400, 'rows', 'rows of default partitions past retention'),
    ('fold_usage', 500, 'rows', 'minutes that are over, added up into usage_month'),
    ('resolve_identities', 600, 'visitors or signals', 'cold signals of visitors who are known'),
    ('prune_deliveries', 700, 'rows', 'deliveries past retention'),
    ('prune_identities', 800, 'rows', 'identities past retention'),
    ('prune_refused_requests', 900, 'rows', 'counts of refused requests past retention'),
    ('prune_usage_hours', 1000, 'rows', 'hours of usage past retention');

CREATE TABLE sluice.maintenance_run (
    step text PRIMARY KEY,
    ended_at timestamptz NOT NULL,
    result text NOT NULL
        CONSTRAINT maintenance_run_result_check CHECK (result IN ('done', 'more', 'busy', 'failed')),
    worked bigint NOT NULL,
    message text,
    actor text NOT NULL,
    done_at timestamptz
);
COMMENT ON TABLE sluice.maintenance_run IS
    'The last run of each step of sluicectl maintain, one row each.';
COMMENT ON COLUMN sluice.maintenance_run.step IS 'maintenance_step.name';
COMMENT ON COLUMN sluice.maintenance_run.ended_at IS 'when the last run of the step ended';
COMMENT ON COLUMN sluice.maintenance_run.result IS
    'done (nothing is left), more (its time was up), busy (a table was in use), failed; the next run '
    'goes on in any case';
COMMENT ON COLUMN sluice.maintenance_run.worked IS 'how much that run did, in maintenance_step.unit';
COMMENT ON COLUMN sluice.maintenance_run.message IS 'why it was busy or failed';
COMMENT ON COLUMN sluice.maintenance_run.actor IS 'who ran it, as in audit_log';
COMMENT ON COLUMN sluice.maintenance_run.done_at IS 'when it last was done; null: never yet';
COMMENT ON CONSTRAINT maintenance_run_result_check ON sluice.maintenance_run IS
    'the ways a step ends';
GRANT SELECT ON sluice.maintenance_run TO sluice_reader;

CREATE FUNCTION sluice.maintenance_do(step text, max_rows integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms' AS $$
DECLARE
    worked bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM sluice.maintenance_step AS s WHERE s.name = step) THEN
        RAISE EXCEPTION 'maintenance step "%" does not exist', step USING ERRCODE = 'no_data_found';
    ELSIF (max_rows BETWEEN 1 AND 1000000) IS NOT TRUE THEN
        RAISE EXCEPTION 'max_rows must be 1 to 1000000'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('SELECT sluice.%I($1)', step) INTO worked USING max_rows;
    RETURN worked;
END
$$;
COMMENT ON FUNCTION sluice.maintenance_do(text, integer) IS
    'Calls a step of maintenance_step once and returns how much it did, 0 when nothing is left. '
    'Raises 55P03 when a table is in use: to be done another time. P0002 for an unknown step.';

CREATE FUNCTION sluice.maintenance_record(actor text, step text, result text, worked bigint,
    message text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF NOT EXISTS (SELECT FROM sluice.maintenance_step AS s WHERE s.name = step) THEN
        RAISE EXCEPTION 'maintenance step "%" does not exist', step USING ERRCODE = 'no_data_found';
    END IF;
    INSERT INTO sluice.maintenance_run AS r
        (step, ended_at, result, worked, message, actor, done_at)
    VALUES (maintenance_record.step, now(), maintenance_record.result, maintenance_record.worked,
        maintenance_record.message, maintenance_record.actor,
        CASE maintenance_record.result WHEN 'done' THEN now() END)
    ON CONFLICT ON CONSTRAINT maintenance_run_pkey DO UPDATE
    SET ended_at = excluded.ended_at, result = excluded.result, worked = excluded.worked,
        message = excluded.message, actor = excluded.actor,
        done_at = coalesce(excluded.done_at, r.done_at);
END
$$;
COMMENT ON FUNCTION sluice.maintenance_record(text, text, text, bigint, text) IS
    'Notes in maintenance_run how a step ended: actor, step, result, how much was done, and why not '
    'more. Raises P0002 for an unknown step.';

GRANT EXECUTE ON FUNCTION
    sluice.maintenance_do(text, integer),
    sluice.maintenance_record(text, text, text, bigint, text)
TO sluice_admin;

CREATE OR REPLACE FUNCTION sluice.maintain_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms' AS $$
DECLARE
    step text;
    worked bigint;
BEGIN
    FOREACH step IN ARRAY ARRAY['move_default_rows', 'make_partitions', 'drop_partitions']
    LOOP
        LOOP
            BEGIN
                EXECUTE format('SELECT sluice.%I($1)', step) INTO worked USING 5000;
            EXCEPTION WHEN lock_not_available THEN
                RAISE WARNING '%: %', step, SQLERRM;
                EXIT;
            END;
            EXIT WHEN worked = 0;
        END LOOP;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.maintain_partitions() IS
    'The steps of sluicectl maintain that concern partitions, in one transaction, which keeps the '
    'locks of all of them until it ends; so rather run sluicectl maintain. A step that finds a table '
    'in use is a warning, to be done another time.';

RESET ROLE;
