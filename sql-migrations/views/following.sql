-- Which rows are new: for the consumers' queues, and for following the tables without claiming. In
-- views/ because the view backlog needs these functions.
--
-- Transactions do not commit in the order in which they begin, so neither ids nor times tell which
-- rows are new. A frontier does: it is the set of transactions that a snapshot sees. The rows
-- between two frontiers are exactly those that the later one sees and the earlier one does not. A
-- transaction that stays open delays only its own rows.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.seen() RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen constant pg_snapshot := pg_current_snapshot();
    own constant text := pg_current_xact_id_if_assigned()::text;
    shift constant bigint := sluice.xact_offset();
BEGIN
    -- The current transaction may still store rows, so it counts as open.
    RETURN (SELECT format('%s:%s:%s', pg_snapshot_xmin(seen)::text::bigint + shift,
            pg_snapshot_xmax(seen)::text::bigint + shift,
            string_agg((o.number + shift)::text, ',' ORDER BY o.number))::pg_snapshot
        FROM (SELECT x::text::bigint AS number FROM pg_snapshot_xip(seen) AS x
            UNION SELECT own::bigint WHERE own::bigint < pg_snapshot_xmax(seen)::text::bigint) AS o
        WHERE o.number >= pg_snapshot_xmin(seen)::text::bigint);
END
$$;
COMMENT ON FUNCTION sluice.seen() IS
    'The transactions whose rows this snapshot sees, in the numbers of stored_xact, without the '
    'current transaction. Internal: called by frontier, and where the result is stored in the same '
    'transaction.';

CREATE OR REPLACE FUNCTION sluice.frontier() RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    seen constant pg_snapshot := sluice.seen();
    written pg_lsn;
    give_up constant timestamptz :=
        clock_timestamp() + 3 * current_setting('wal_writer_delay')::interval;
BEGIN
    -- After a crash the server reuses the ids of transactions whose end was not on disk yet:
    -- rollbacks and asynchronous commits. Rows stored under such an id would be missed. A rollback
    -- is on disk after at most three rounds of the WAL writer; a standby replays only what is on
    -- disk.
    IF NOT pg_is_in_recovery() THEN
        written := pg_current_wal_insert_lsn();
        WHILE pg_current_wal_flush_lsn() < written AND clock_timestamp() < give_up LOOP
            PERFORM pg_sleep(0.002);
        END LOOP;
    END IF;
    RETURN seen;
END
$$;
COMMENT ON FUNCTION sluice.frontier() IS
    'The transactions whose rows this snapshot sees, in the numbers of stored_xact, without the '
    'current transaction. A follower keeps it and passes it to signals_between next time. Waits '
    'until a crash of the server cannot undo it: usually not at all, at most three times '
    'wal_writer_delay.';

CREATE OR REPLACE FUNCTION sluice.between_frontiers(earlier pg_snapshot, later pg_snapshot,
    OUT since bigint, OUT until bigint, OUT still_open bigint[], OUT late bigint[])
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    since := pg_snapshot_xmax(earlier)::text::bigint;
    until := pg_snapshot_xmax(later)::text::bigint;
    still_open := ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(later) AS x);
    late := ARRAY(SELECT x::text::bigint FROM pg_snapshot_xip(earlier) AS x
        WHERE NOT x::text::bigint = ANY (still_open));
END
$$;
COMMENT ON FUNCTION sluice.between_frontiers(pg_snapshot, pg_snapshot) IS
    'The transactions that the later frontier sees and the earlier one does not: from since on and '
    'before until, except still_open; and late, which were open at the earlier one. Internal.';

CREATE OR REPLACE FUNCTION sluice.new_rows(kind text, earlier pg_snapshot, later pg_snapshot,
    received_from timestamptz)
RETURNS TABLE (id bigint, organization_id bigint, received_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    span record := sluice.between_frontiers(earlier, later);
    staging text := (SELECT f.table_name FROM sluice.feed AS f WHERE f.kind = new_rows.kind);
BEGIN
    -- Planned each time, so that only the partitions of the last days are read.
    RETURN QUERY EXECUTE format(
        'SELECT s.id, s.organization_id, s.received_at FROM sluice.%I AS s '
        'WHERE s.received_at >= $1 AND s.stored_xact >= $2 AND s.stored_xact < $3 '
        '    AND NOT s.stored_xact = ANY ($4)', staging)
    USING received_from, span.since, span.until, span.still_open;
    IF cardinality(span.late) > 0 THEN
        RETURN QUERY EXECUTE format(
            'SELECT s.id, s.organization_id, s.received_at '
            'FROM unnest($1) AS l (number) JOIN sluice.%I AS s ON s.stored_xact = l.number '
            'WHERE s.received_at >= $2', staging)
        USING span.late, received_from;
    END IF;
    IF kind = 'signal' THEN
        RETURN QUERY SELECT m.id, m.organization_id, m.received_at
        FROM sluice.signal_move AS m
        WHERE m.stored_xact >= span.since AND m.stored_xact < span.until
            AND NOT m.stored_xact = ANY (span.still_open)
        UNION ALL
        SELECT m.id, m.organization_id, m.received_at
        FROM unnest(span.late) AS l (number)
        JOIN sluice.signal_move AS m ON m.stored_xact = l.number;
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.new_rows(text, pg_snapshot, pg_snapshot, timestamptz) IS
    'The rows of a staging table (feed.kind) that are new between two frontiers: received since a '
    'time, or moved out of cold storage. Internal: called by feed and unfed.';

CREATE OR REPLACE FUNCTION sluice.unfed(kind text)
RETURNS TABLE (id bigint, organization_id bigint, received_at timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
BEGIN
    SELECT f.frontier, f.fed_at INTO last FROM sluice.feed_frontier AS f
    WHERE f.kind = unfed.kind ORDER BY f.kind DESC, f.position DESC LIMIT 1;
    RETURN QUERY SELECT * FROM sluice.new_rows(kind, last.frontier, sluice.seen(),
        last.fed_at - interval '2 days');
END
$$;
COMMENT ON FUNCTION sluice.unfed(text) IS
    'The rows of a staging table (feed.kind) that no claim has queued yet. For backlog and '
    'metrics.';

CREATE OR REPLACE FUNCTION sluice.signals_between(earlier pg_snapshot, later pg_snapshot)
RETURNS SETOF sluice.signal
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    span record := sluice.between_frontiers(earlier, later);
BEGIN
    RETURN QUERY
    SELECT s.* FROM sluice.signal AS s
    WHERE s.stored_xact >= span.since AND s.stored_xact < span.until
        AND NOT s.stored_xact = ANY (span.still_open);
    IF cardinality(span.late) > 0 THEN
        RETURN QUERY
        SELECT s.* FROM unnest(span.late) AS l (number)
        JOIN sluice.signal AS s ON s.stored_xact = l.number;
    END IF;
    RETURN QUERY
    SELECT s.* FROM sluice.signal_move AS m
    JOIN sluice.signal AS s ON s.id = m.id AND s.organization_id = m.organization_id
        AND s.received_at = m.received_at
    WHERE m.stored_xact >= span.since AND m.stored_xact < span.until
            AND NOT m.stored_xact = ANY (span.still_open)
        OR m.stored_xact = ANY (span.late);
END
$$;
COMMENT ON FUNCTION sluice.signals_between(pg_snapshot, pg_snapshot) IS
    'The signals that the later of two frontiers sees and the earlier one does not, for following '
    'without claiming. Call frontier(), then this function with the frontier kept from last time, '
    'then keep the new one; in one transaction or several. Each signal is returned exactly once, '
    'whatever the order of commits, also on a hot standby and after a restore.';

CREATE OR REPLACE FUNCTION sluice.settled_xact() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint + sluice.xact_offset();
END
$$;
COMMENT ON FUNCTION sluice.settled_xact() IS
    'Every transaction with a lower stored_xact has ended: its rows are visible, or never will be. '
    'A writing transaction that stays open anywhere in the cluster holds this back; it does not '
    'hold back frontiers.';

CREATE OR REPLACE FUNCTION sluice.settled_age() RETURNS interval
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    started timestamptz;
BEGIN
    SELECT o.started INTO started
    FROM (SELECT a.backend_xid AS number, a.xact_start AS started FROM pg_stat_activity AS a
        WHERE a.backend_xid IS NOT NULL
        UNION ALL
        SELECT p.transaction, p.prepared FROM pg_prepared_xacts AS p) AS o
    ORDER BY age(o.number) DESC LIMIT 1;
    IF NOT FOUND THEN
        RETURN interval '0';
    END IF;
    RETURN CASE WHEN started < clock_timestamp() THEN clock_timestamp() - started
        WHEN started IS NOT NULL THEN interval '0' END;
END
$$;
COMMENT ON FUNCTION sluice.settled_age() IS
    'How long the oldest writing transaction has been open, anywhere in the cluster, including '
    'prepared ones: settled_xact waits for it. Null if sluice_owner is not a member of '
    'pg_read_all_stats and so cannot see it.';

GRANT EXECUTE ON FUNCTION sluice.xact_offset(), sluice.seen(), sluice.frontier(),
    sluice.between_frontiers(pg_snapshot, pg_snapshot),
    sluice.new_rows(text, pg_snapshot, pg_snapshot, timestamptz), sluice.unfed(text),
    sluice.signals_between(pg_snapshot, pg_snapshot), sluice.settled_xact(), sluice.settled_age()
TO sluice_reader;

RESET ROLE;
