-- Repairs after a restore that re-applying the files does not make: sequences, and transaction ids
-- of another cluster.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.sequences_behind()
RETURNS TABLE (sequence_name text, last_value bigint, used_value bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
BEGIN
    FOR its IN
        -- The sequences of identity columns, then those that several tables share.
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
        -- The sequence returns the first id of a block.
        IF used_value >= coalesce(last_value, 0) + (SELECT q.seqincrement FROM pg_sequence AS q
            WHERE q.seqrelid = its.sequence)
        THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.sequences_behind() IS
    'Sequences that would return values already in use, as after a restore of data alone: the '
    'name, its last value, and the highest value in use. For sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.unretained_tables() RETURNS SETOF text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT c.relname::text FROM pg_class AS c
    JOIN sluice.schema_object AS o ON o.kind = 'table' AND o.name = c.relname
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'p'
        AND NOT EXISTS (SELECT FROM sluice.retention AS r
            WHERE r.table_name = c.relname AND r.days_ahead IS NOT NULL)
$$;
COMMENT ON FUNCTION sluice.unretained_tables() IS
    'The partitioned tables without a row in retention, for which maintenance makes no partitions. '
    'For sluicectl check.';

-- ---- another cluster ----

CREATE OR REPLACE FUNCTION sluice.highest_xact() RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Of the large tables only the last rows by id: an earlier row's stored_xact can be higher, but
    -- by far less than the margin that raise_xacts adds.
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
    'Roughly one more than the highest stored_xact. Internal: called by adopt_cluster and '
    'sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.is_ahead() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.highest_xact()
        > pg_snapshot_xmax(pg_current_snapshot())::text::bigint + sluice.xact_offset();
END
$$;
COMMENT ON FUNCTION sluice.is_ahead() IS
    'Whether there are rows with a stored_xact that this cluster has not reached yet. For '
    'sluicectl check.';

CREATE OR REPLACE FUNCTION sluice.set_xact_offset(value bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    EXECUTE format('CREATE OR REPLACE FUNCTION sluice.xact_offset() RETURNS bigint LANGUAGE sql '
        'IMMUTABLE PARALLEL SAFE RETURN %s::bigint', value);
    EXECUTE format('CREATE OR REPLACE FUNCTION sluice.stored_xact() RETURNS bigint LANGUAGE sql '
        'VOLATILE RETURN pg_current_xact_id()::text::bigint + %s::bigint', value);
END
$$;
COMMENT ON FUNCTION sluice.set_xact_offset(bigint) IS
    'Sets xact_offset, at once in all sessions. Internal: called by raise_xacts.';

CREATE OR REPLACE FUNCTION sluice.raise_xacts(received_from timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- Followers may have seen rows of the old cluster that were not restored.
    margin constant bigint := 1000000000;
    old_offset constant bigint := sluice.xact_offset();
    upto constant bigint := pg_current_xact_id()::text::bigint + old_offset;
    new_offset constant bigint := sluice.highest_xact() + margin;
    its record;
BEGIN
    PERFORM sluice.set_xact_offset(new_offset);
    -- Rows that this cluster has stored already have numbers that are too low. Their xmin tells
    -- them from the restored rows.
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
    'Raises xact_offset above every stored_xact and renumbers the rows that this cluster has '
    'stored since then. Internal: called by adopt_cluster.';

CREATE OR REPLACE FUNCTION sluice.adopt_cluster() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    known_from timestamptz; -- feeds may have missed rows received since then
    kind text;
BEGIN
    PERFORM FROM sluice.feed AS f ORDER BY f.kind FOR UPDATE;
    IF NOT sluice.is_restored() THEN
        RETURN; -- another transaction has adopted it
    END IF;
    SELECT min(l.fed_at) - interval '2 days' INTO known_from
    FROM (SELECT max(f.fed_at) AS fed_at FROM sluice.feed_frontier AS f GROUP BY f.kind) AS l;
    IF sluice.is_ahead() THEN
        PERFORM sluice.raise_xacts(known_from);
    END IF;
    UPDATE sluice.feed AS f SET cluster = c.system_identifier FROM pg_control_system() AS c;
    INSERT INTO sluice.feed_frontier (kind, frontier, fed_at)
    SELECT f.kind, sluice.seen(), now() FROM sluice.feed AS f;
    -- Rows stored since the last feed, in either cluster, are found by comparing the tables.
    FOR kind IN SELECT f.kind FROM sluice.feed AS f LOOP
        PERFORM sluice.feed_unknown(kind, known_from, 'infinity');
        PERFORM sluice.look_from(kind, 0);
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.adopt_cluster() IS
    'Adapts the database to this cluster after a restore from another one, whose transaction ids '
    'are unrelated: stored_xact keeps rising, and rows stored since the last feed are queued. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.is_restored() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.is_ahead() OR EXISTS (SELECT FROM sluice.feed AS f, pg_control_system() AS c
        WHERE f.cluster <> c.system_identifier);
END
$$;
COMMENT ON FUNCTION sluice.is_restored() IS
    'Whether the database was restored from another cluster and not adopted yet (adopt_cluster). '
    'For sluicectl check.';

-- ---- all of it ----

CREATE OR REPLACE FUNCTION sluice.repair() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM setval(b.sequence_name::regclass, max(b.used_value))
    FROM sluice.sequences_behind() AS b GROUP BY b.sequence_name;
    -- Keep everything until somebody decides otherwise.
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
    'Advances sequences that are behind their tables, gives partitioned tables without retention one '
    'that keeps everything, and adopts a database restored from another cluster. For sluicectl '
    'migrate --repair.';

GRANT EXECUTE ON FUNCTION sluice.sequences_behind(), sluice.unretained_tables(),
    sluice.highest_xact(), sluice.is_ahead(), sluice.is_restored() TO sluice_reader;

RESET ROLE;
