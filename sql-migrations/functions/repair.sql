-- What a restore can leave behind and what sluicectl migrate --repair mends of it, beside what the
-- re-appliable files set anyway. Re-appliable.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.sequences_behind()
RETURNS TABLE (sequence_name text, last_value bigint, used_value bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
BEGIN
    FOR its IN
        -- Of identity columns, and those of several tables.
        SELECT d.objid AS sequence, d.refobjid AS relation, a.attname AS column_name
        FROM pg_depend AS d
        JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
        JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.deptype = 'i' AND s.relnamespace = 'sluice'::regnamespace
        UNION ALL
        SELECT 'sluice.signal_id'::regclass, t.relation, 'id'
        FROM unnest(ARRAY['sluice.signal', 'sluice.signal_cold_storage',
            'sluice.product_org_update']::regclass[]) AS t (relation)
        UNION ALL VALUES
            ('sluice.rejected_payload_id'::regclass, 'sluice.rejected_payload'::regclass, 'id'),
            ('sluice.claim_id'::regclass, 'sluice.claim'::regclass, 'id')
    LOOP
        sequence_name := its.sequence::regclass::text;
        last_value := pg_sequence_last_value(its.sequence::regclass);
        EXECUTE format('SELECT max(%I) FROM %s', its.column_name, its.relation::regclass)
        INTO used_value;
        -- Of a block of ids the sequence gives the first.
        IF used_value >= coalesce(last_value, 0) + (SELECT q.seqincrement FROM pg_sequence AS q
            WHERE q.seqrelid = its.sequence)
        THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.sequences_behind() IS
    'The sequences that would give out what a table has already, as after a restore of data alone: the '
    'sequence, its last value, and the highest that is in use. For sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.unretained_tables() RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname::text FROM pg_class AS c
    JOIN sluice.schema_object AS o ON o.kind = 'table' AND o.name = c.relname
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'p'
        AND NOT EXISTS (SELECT FROM sluice.retention AS r
            WHERE r.table_name = c.relname AND r.days_ahead IS NOT NULL)
$$;
COMMENT ON FUNCTION sluice.unretained_tables() IS
    'The partitioned tables that retention does not know, so that maintenance makes no days of them. '
    'For sluicectl check.';

-- ---- another cluster ----

CREATE OR REPLACE FUNCTION sluice.highest_xact() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Of the tables' rows the last ones by id: transactions that are open together differ by less than
    -- what adopt_cluster adds.
    RETURN greatest(
        (SELECT max(pg_snapshot_xmax(f.frontier)::text::bigint) FROM sluice.feed_frontier AS f),
        (SELECT f.folded_xact FROM sluice.product_org_fold AS f),
        (SELECT max(m.stored_xact) + 1 FROM sluice.signal_move AS m),
        (SELECT max(l.stored_xact) + 1
            FROM (SELECT s.stored_xact FROM sluice.signal AS s ORDER BY s.id DESC LIMIT 1000) AS l),
        (SELECT max(l.stored_xact) + 1
            FROM (SELECT u.stored_xact FROM sluice.product_org_update AS u
                ORDER BY u.id DESC LIMIT 1000) AS l));
END
$$;
COMMENT ON FUNCTION sluice.highest_xact() IS
    'About the highest stored_xact there is, and one more. When it is ahead of the cluster, the rows are '
    'another cluster''s. For adopt_cluster and sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.is_ahead() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.highest_xact()
        > pg_snapshot_xmax(pg_current_snapshot())::text::bigint + sluice.xact_offset();
END
$$;
COMMENT ON FUNCTION sluice.is_ahead() IS
    'Whether there are rows of transactions that this cluster has not come to yet. For sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.raise_xacts(received_from timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Followers may have seen more of the old cluster than was restored.
    margin constant bigint := 1000000000;
    old_offset constant bigint := sluice.xact_offset();
    upto constant bigint := pg_current_xact_id()::text::bigint + old_offset;
    new_offset constant bigint := sluice.highest_xact() + margin;
    its record;
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION sluice.xact_offset() RETURNS bigint LANGUAGE sql '
        'IMMUTABLE PARALLEL SAFE RETURN %s::bigint', new_offset);
    -- What was stored here already was given numbers that are too low: those rows whose number is
    -- that of the transaction which has written them.
    FOR its IN VALUES ('signal', 'received_at'), ('product_org_update', 'received_at'),
        ('signal_move', 'moved_at')
    LOOP
        EXECUTE format('UPDATE sluice.%I AS s SET stored_xact = s.stored_xact + $1 '
            'WHERE s.%I >= $2 AND s.stored_xact > $3 AND s.stored_xact <= $4 '
            '    AND s.xmin::text::bigint = (s.stored_xact - $3) %% 4294967296',
            its.column1, its.column2)
        USING new_offset - old_offset, received_from, old_offset, upto;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.raise_xacts(timestamptz) IS
    'Makes the numbers of this cluster''s transactions higher than all that is stored, and gives what this '
    'cluster has stored since then the new ones. For adopt_cluster.';

CREATE OR REPLACE FUNCTION sluice.adopt_cluster() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known_from timestamptz; -- from here on feeds have not seen everything
    kind text;
BEGIN
    PERFORM FROM sluice.feed AS f ORDER BY f.kind FOR UPDATE;
    IF NOT sluice.is_restored() THEN
        RETURN; -- another transaction was quicker
    END IF;
    SELECT min(l.fed_at) - interval '2 days' INTO known_from
    FROM (SELECT max(f.fed_at) AS fed_at FROM sluice.feed_frontier AS f GROUP BY f.kind) AS l;
    IF sluice.is_ahead() THEN
        PERFORM sluice.raise_xacts(known_from);
    END IF;
    UPDATE sluice.feed AS f SET cluster = c.system_identifier FROM pg_control_system() AS c;
    INSERT INTO sluice.feed_frontier (kind, frontier, fed_at)
    SELECT f.kind, sluice.frontier(), now() FROM sluice.feed AS f;
    -- What was stored after the last feed, there or here, is taken in by looking at the rows.
    FOR kind IN SELECT f.kind FROM sluice.feed AS f LOOP
        PERFORM sluice.feed_unknown(kind, known_from, 'infinity');
        PERFORM sluice.look_from(kind, 0);
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.adopt_cluster() IS
    'After a restore into another cluster, whose transactions have other numbers: makes stored_xact go '
    'on rising, and feeds what was stored since the last feed. For feed, maintenance and migrate '
    '--repair.';

CREATE OR REPLACE FUNCTION sluice.is_restored() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.is_ahead() OR EXISTS (SELECT FROM sluice.feed AS f, pg_control_system() AS c
        WHERE f.cluster <> c.system_identifier);
END
$$;
COMMENT ON FUNCTION sluice.is_restored() IS
    'Whether the database came from another cluster and nobody has adopted it yet. For sluicectl check '
    'and maintenance.';

-- ---- all of it ----

CREATE OR REPLACE FUNCTION sluice.repair() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM setval(b.sequence_name::regclass, max(b.used_value))
    FROM sluice.sequences_behind() AS b GROUP BY b.sequence_name;
    -- Nothing may be dropped by a retention that nobody has decided on.
    INSERT INTO sluice.retention (table_name, keep, days_ahead, goes_with, meaning)
    SELECT u.table_name, NULL, 7, CASE WHEN right(u.table_name, 7) = '_result'
            THEN (SELECT f.table_name FROM sluice.feed AS f WHERE f.kind || '_result' = u.table_name) END,
        'given back by migrate --repair: nothing is removed'
    FROM sluice.unretained_tables() AS u (table_name)
    ON CONFLICT ON CONSTRAINT retention_pkey DO UPDATE SET days_ahead = excluded.days_ahead;
    IF sluice.is_restored() THEN
        PERFORM sluice.adopt_cluster();
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.repair() IS
    'Advances sequences that are behind their tables, gives partitioned tables without a retention one '
    'that keeps everything, and takes the database over into the cluster it was restored into. For '
    'sluicectl migrate --repair.';

GRANT EXECUTE ON FUNCTION sluice.sequences_behind(), sluice.unretained_tables(),
    sluice.highest_xact(), sluice.is_ahead(), sluice.is_restored() TO sluice_reader;

RESET ROLE;
