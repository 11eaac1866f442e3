-- Consumers: claiming staged signals and saying what became of them; following new rows without
-- claiming. One transaction.
--
-- The new columns need no rewrite. The new indexes are made by reading the staged rows, which
-- blocks intake meanwhile: senders are answered 503 and come again. Whoever holds the table for
-- longer than lock_timeout (a dump) makes the migration fail, not intake wait; try again then.

SET LOCAL lock_timeout = '3s';
SET LOCAL ROLE sluice_owner;

-- ---- the tables ----

CREATE SEQUENCE sluice.claim_id AS bigint;
COMMENT ON SEQUENCE sluice.claim_id IS 'Numbers of claims, in all staging tables.';

-- A claim takes the rows that are due first from the beginning of an index. Every row claimed or
-- finished leaves a dead entry there, and while any transaction is open that might still see the
-- row (a dump, for hours), nobody can remove it: a claim that began at the very beginning would
-- walk over all of them, each time. So claims remember where the living begin, and begin there.
--
-- This is remembered in sequences because they are written in place: a row of a table would itself
-- gather dead versions as long as the dump runs. Nothing depends on them being right: who looks
-- begins at the very beginning again after a second, or after 20 times as long as that took.
CREATE FUNCTION sluice.make_claimable(table_name text, kind text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    parent regclass := format('sluice.%I', table_name)::regclass;
    part text;
    comment record;
    cell record;
BEGIN
    EXECUTE format('ALTER TABLE %s '
        'ADD COLUMN stored_xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint, '
        'ADD COLUMN due_at timestamptz NOT NULL DEFAULT now(), '
        'ADD COLUMN attempts smallint NOT NULL DEFAULT 0, '
        'ADD COLUMN status_at timestamptz, '
        'ADD COLUMN claim_id bigint, '
        'ADD COLUMN claim_session bigint, '
        'ADD COLUMN claimed_by text', parent);
    -- The rows that are there are due now; from now on each row has its own instant, so that even
    -- those of one large transaction stand one after the other in the queue.
    EXECUTE format('ALTER TABLE %s ALTER COLUMN due_at SET DEFAULT clock_timestamp()', parent);

    -- The partitions that are there have their own.
    FOR part IN SELECT t.relid::regclass::text FROM pg_partition_tree(parent) AS t LOOP
        FOR comment IN VALUES
            ('status', 'pending until a consumer claims it (processing), then completed, skipped, '
                'failed (tried again from due_at on) or permanently_failed. Set to pending by '
                'hand, a row is claimed again'),
            ('stored_xact', 'the transaction that stored it, never changed: what to follow the '
                'table by; see settled_xact'),
            ('due_at', 'pending, failed: from when on it may be claimed; processing: when the '
                'lease ends, after which it may be claimed by another; else without meaning'),
            ('attempts', 'how often it was claimed'),
            ('status_at', 'when a consumer last changed the status; null: none has'),
            ('claim_id', format('processing: under which claim, one number for each call of '
                'claim_%s; a report under another one is too late and changes nothing', kind)),
            ('claim_session', 'the first claim of the database session that made the last claim: '
                'which session it was'),
            ('claimed_by', 'who claimed it last, as it called itself'),
            ('error', format('what went wrong the last time, as finish_%s said; or that the lease '
                'ended too often', kind))
        LOOP
            EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', part, comment.column1,
                comment.column2);
        END LOOP;
    END LOOP;

    EXECUTE format('CREATE INDEX %I ON %s (due_at) '
        'WHERE status IN (''pending'', ''processing'', ''failed'')', table_name || '_queue_idx',
        parent);
    EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', table_name || '_queue_idx',
        'the consumers'' queue: what is to be done, by when it is due; entries go when a row is '
        'finished');
    EXECUTE format('CREATE INDEX %I ON %s (id) WHERE claim_id IS NOT NULL',
        table_name || '_claimed_idx', parent);
    EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', table_name || '_claimed_idx',
        'what is claimed right now, by id, for those who report it; intake never writes to it');
    EXECUTE format('CREATE INDEX %I ON %s USING brin (received_at, stored_xact) '
        'WITH (autosummarize = on)', table_name || '_received_at_idx', parent);
    EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', table_name || '_received_at_idx',
        'spans of time within a day, and new rows for those who follow; a few pages, filled in by '
        'autovacuum');

    FOR cell IN VALUES
        ('due', 'Where claims begin to look: due_at, in microseconds since 1970.'),
        ('received', 'Claims look at rows received from here on: microseconds since 1970.'),
        ('search', 'When a claim looks from the very beginning again: microseconds since 1970.')
    LOOP
        EXECUTE format('CREATE UNLOGGED SEQUENCE sluice.%I AS bigint MINVALUE 0 START 0',
            table_name || '_queue_' || cell.column1);
        EXECUTE format('COMMENT ON SEQUENCE sluice.%I IS %L',
            table_name || '_queue_' || cell.column1, cell.column2
            || ' Written in place by claim_rows, only to be quick: a wrong value delays rows by '
            'seconds, and after a crash it begins anew.');
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.make_claimable(text, text) IS
    'Gives a staging table, which has columns status, error and mapped_rule, what claim_rows needs: '
    'columns, indexes and three sequences. The kind is what the functions are called by: '
    'claim_signals. For migrations.';

DROP INDEX sluice.signal_staging_pending_idx;
DROP INDEX sluice.signal_staging_received_at_idx;
SELECT sluice.make_claimable('signal_staging', 'signals');

CREATE FUNCTION sluice.claimable_tables() RETURNS SETOF text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT c.relname::text FROM pg_class AS c
    WHERE c.relnamespace = 'sluice'::regnamespace AND c.relkind = 'p'
        AND to_regclass(format('sluice.%I', c.relname || '_queue_due')) IS NOT NULL
    ORDER BY 1;
END
$$;
COMMENT ON FUNCTION sluice.claimable_tables() IS
    'The staging tables that consumers claim rows of. For the functions of this schema.';

-- ---- where to begin ----

CREATE FUNCTION sluice.instant_of(cell regclass) RETURNS timestamptz
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    microseconds bigint := coalesce(pg_sequence_last_value(cell), 0);
BEGIN
    IF microseconds = 0 THEN
        RETURN '-infinity';
    END IF;
    RETURN 'epoch'::timestamptz + microseconds * interval '1 microsecond';
END
$$;
COMMENT ON FUNCTION sluice.instant_of(regclass) IS
    'The instant that a sequence holds as microseconds since 1970, -infinity when that is 0 or it '
    'was never set. For the functions of this schema.';

CREATE FUNCTION sluice.remember_instant(cell regclass, instant timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM setval(cell, CASE WHEN instant > 'epoch'
        THEN (extract(epoch FROM instant) * 1000000)::bigint ELSE 0 END);
END
$$;
COMMENT ON FUNCTION sluice.remember_instant(regclass, timestamptz) IS
    'Makes a sequence hold an instant for instant_of, which reads all before 1970 as -infinity. '
    'For the functions of this schema.';

CREATE FUNCTION sluice.search_queue(parent regclass) RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET DateStyle = 'ISO'
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off AS $$
DECLARE
    started timestamptz := clock_timestamp();
    first_due timestamptz := started - interval '1 second'; -- what comes next is not before it
    first_received timestamptz;
    part record;
    due timestamptz;
BEGIN
    -- The others go on with what they know; longer than this takes only who has died.
    PERFORM sluice.remember_instant((parent::text || '_queue_search')::regclass,
        started + interval '10 seconds');
    FOR part IN
        SELECT c.oid::regclass AS name, coalesce((regexp_match(pg_get_expr(c.relpartbound, c.oid),
            $r$FROM \('([^']+)'\)$r$))[1]::timestamptz, '-infinity') AS received_from
        FROM pg_inherits AS i
        JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = parent
    LOOP
        EXECUTE format(
            'SELECT s.due_at FROM ONLY %s AS s '
            'WHERE s.status IN (''pending'', ''processing'', ''failed'') '
            'ORDER BY s.due_at LIMIT 1', part.name) INTO due;
        first_due := least(first_due, due);
        IF due IS NOT NULL THEN
            first_received := least(first_received, part.received_from);
        END IF;
    END LOOP;
    PERFORM sluice.remember_instant((parent::text || '_queue_due')::regclass, first_due);
    PERFORM sluice.remember_instant((parent::text || '_queue_received')::regclass,
        coalesce(first_received, first_due));
    PERFORM sluice.remember_instant((parent::text || '_queue_search')::regclass, clock_timestamp()
        + greatest(interval '1 second', 20 * (clock_timestamp() - started)));
END
$$;
COMMENT ON FUNCTION sluice.search_queue(regclass) IS
    'Finds out where the queue of a partitioned staging table begins, from the very beginning of '
    'all its partitions, and notes it for claim_rows. For the functions of this schema.';

-- ---- claiming ----

CREATE FUNCTION sluice.max_attempts() RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('sluice.max_attempts', true), '')::integer, 5);
END
$$;
COMMENT ON FUNCTION sluice.max_attempts() IS
    'How often a row is claimed before it is permanently_failed: the setting sluice.max_attempts '
    '(ALTER DATABASE … SET sluice.max_attempts = 10), else 5. For the functions of this schema.';

CREATE FUNCTION sluice.check_lease(lease interval) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF lease IS NULL OR lease NOT BETWEEN interval '1 millisecond' AND interval '30 days' THEN
        RAISE EXCEPTION 'lease must be from 1 millisecond to 30 days'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_lease(interval) IS
    'Raises 22023 for a lease that makes no sense. For the functions of this schema.';

-- The statements are made at run time because they are for any staging table; planned each time,
-- they touch no more partitions than needed. What the planner may not use (SET) would be chosen
-- when statistics are older than a backlog, and would read all of it.
CREATE FUNCTION sluice.claim_rows(prototype anyelement, consumer text, max_rows integer,
    lease interval, organization text) RETURNS SETOF anyelement
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
SET jit = off AS $$
DECLARE
    parent regclass := pg_typeof(prototype)::text::regclass;
    organization_id bigint;
    due_cell regclass := (parent::text || '_queue_due')::regclass;
    search_cell regclass := (parent::text || '_queue_search')::regclass;
    search_at timestamptz;
    started timestamptz := clock_timestamp();
    attempts_allowed integer := sluice.max_attempts();
    due_from timestamptz;
    received_from timestamptz;
    received_before timestamptz;
    first_due timestamptz;
    margin interval := '1 second';
    places oid[];
    tids tid[];
    lost boolean[]; -- its lease ended too often
    part record;
    claim bigint;
    claim_session bigint;
    columns text;
BEGIN
    PERFORM sluice.check_name('consumer', consumer);
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'max_rows must be from 1 to 100000'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM sluice.check_lease(lease);
    IF organization IS NOT NULL THEN
        organization_id := sluice.organization_id_of(organization);
    END IF;

    -- One searches, the others go on. Who holds the lock may be long done, in an open transaction:
    -- then others search, too.
    search_at := sluice.instant_of(search_cell);
    IF search_at <= started AND (
        pg_try_advisory_xact_lock(parent::oid::integer, 0)
        OR search_at <= started - interval '10 seconds')
    THEN
        IF sluice.instant_of(search_cell) = search_at THEN
            PERFORM sluice.search_queue(parent);
            started := clock_timestamp();
            -- Once in a while also what claims to come from the future.
            received_before := 'infinity';
        END IF;
    END IF;
    due_from := sluice.instant_of(due_cell);
    received_from := sluice.instant_of((parent::text || '_queue_received')::regclass);
    -- Nothing is due before it was received: days later than this hold nothing that comes first.
    -- Not known while the very first search is under way.
    received_before := coalesce(received_before, CASE WHEN due_from = '-infinity' THEN 'infinity'
        ELSE due_from + interval '2 days' END);

    EXECUTE format(
        'SELECT array_agg(c.tableoid), array_agg(c.ctid), array_agg(c.lost), min(c.due_at) '
        'FROM (SELECT s.tableoid, s.ctid, s.due_at, '
        '        s.status = ''processing'' AND s.attempts >= $1 AS lost '
        '    FROM %s AS s '
        '    WHERE s.status IN (''pending'', ''processing'', ''failed'') '
        '        AND s.due_at >= $2 AND s.due_at <= $3 '
        '        AND s.received_at >= $4 AND s.received_at < $5 %s'
        '    ORDER BY s.due_at LIMIT $7 FOR UPDATE OF s SKIP LOCKED) AS c', parent,
        CASE WHEN organization_id IS NOT NULL THEN 'AND s.organization_id = $6' END)
    INTO places, tids, lost, first_due
    USING attempts_allowed, due_from, started, received_from, received_before, organization_id,
        max_rows;
    IF places IS NULL THEN
        RETURN;
    END IF;

    -- Where the next one begins. A little before, for those who are committed later than they came;
    -- the search from the very beginning finds the others. No further than somebody else has noted
    -- meanwhile, who may have found older ones.
    IF clock_timestamp() - started > interval '5 milliseconds' THEN
        margin := '50 milliseconds';
    END IF;
    IF organization_id IS NULL AND first_due - 2 * margin > due_from
        AND sluice.instant_of(due_cell) = due_from
    THEN
        PERFORM sluice.remember_instant(due_cell, first_due - margin);
    END IF;

    claim := nextval('sluice.claim_id');
    claim_session := nullif(current_setting('sluice.claim_session', true), '')::bigint;
    IF claim_session IS NULL THEN
        claim_session := claim;
        PERFORM set_config('sluice.claim_session', claim::text, false);
    END IF;
    columns := (SELECT string_agg('s.' || quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = parent AND a.attnum > 0 AND NOT a.attisdropped);
    started := clock_timestamp();
    -- The rows are locked, so they are still where they were found.
    FOR part IN
        SELECT u.place::regclass AS name, array_agg(u.tid) FILTER (WHERE NOT u.lost) AS tids,
            array_agg(u.tid) FILTER (WHERE u.lost) AS lost_tids
        FROM unnest(places, tids, lost) AS u (place, tid, lost)
        GROUP BY u.place
    LOOP
        IF part.tids IS NOT NULL THEN
            RETURN QUERY EXECUTE format(
                'UPDATE ONLY %s AS s SET status = ''processing'', attempts = s.attempts + 1, '
                '    due_at = $2, status_at = $3, claim_id = $4, claim_session = $5, '
                '    claimed_by = $6 '
                'WHERE s.ctid = ANY ($1) RETURNING %s', part.name, columns)
            USING part.tids, started + lease, started, claim, claim_session, consumer;
        END IF;
        IF part.lost_tids IS NOT NULL THEN
            EXECUTE format(
                'UPDATE ONLY %s AS s SET status = ''permanently_failed'', status_at = $2, '
                '    claim_id = NULL, error = format(''lease ended without a report, attempt %%s of %%s'', '
                '        s.attempts, $3) '
                'WHERE s.ctid = ANY ($1)', part.name)
            USING part.lost_tids, started, attempts_allowed;
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.claim_rows(anyelement, text, integer, interval, text) IS
    'claim_signals for any staging table: the first argument is a null of its row type. For the '
    'functions of this schema.';

CREATE FUNCTION sluice.claim_signals(consumer text, max_rows integer, lease interval,
    organization text DEFAULT NULL) RETURNS SETOF sluice.signal_staging
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM sluice.claim_rows(NULL::sluice.signal_staging, consumer, max_rows,
        lease, organization);
END
$$;
COMMENT ON FUNCTION sluice.claim_signals(text, integer, interval, text) IS
    'Claims up to max_rows signals that are due, about the oldest first, and returns them: '
    'nobody else gets them until they are finished (finish_signals), or the lease has ended '
    'without that. Any number of consumers may call it at the same time; none waits for another, '
    'and rows that are just being claimed are left out. Commit before the work begins: a claim '
    'that is rolled back is none. A row is claimed five times at most (sluice.max_attempts), then '
    'it is permanently_failed, also when its consumers die without a report. consumer: a name for '
    'claimed_by. organization: only its signals; each such claim reads past all that others have '
    'waiting, so it is for short queues. In the order of due_at, not of arrival, where rows come '
    'back; within one call in no order. What is committed long after its neighbours may be found a '
    'second later, or while a dump runs beside millions of finished rows, a minute. Work at least '
    'once: a consumer that dies after its work and before its report leaves the row to the next. '
    'Raises 22023 for arguments that make no sense, P0002 for an unknown organization.';

-- ---- reporting ----

CREATE FUNCTION sluice.report_rows(parent regclass, ids bigint[], claim bigint,
    status sluice.staging_status, error text, rule text, lease interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_bitmapscan = off
SET jit = off AS $$
DECLARE
    received_from timestamptz
        := sluice.instant_of((parent::text || '_queue_received')::regclass);
    started timestamptz := clock_timestamp();
    received_before timestamptz := started + interval '1 hour';
    claim_session bigint := nullif(current_setting('sluice.claim_session', true), '')::bigint;
    attempts_allowed integer := sluice.max_attempts();
    spans text[] := ARRAY[
        -- As in claim_rows, planned each time for few partitions; all the others only for those
        -- that are not there.
        's.received_at >= $4 AND s.received_at < $5',
        '(s.received_at < $4 OR s.received_at >= $5)'];
    span text;
    places oid[];
    tids tid[];
    part record;
    reported bigint := 0;
BEGIN
    FOREACH span IN ARRAY spans LOOP
        -- Each row by one descent of the index of what is claimed, however old the statistics are
        -- that the planner has: with all ids in one condition it took them for half of the table,
        -- and read all of it. For the same reason the status is asked for as text: the queue's
        -- index is none to take.
        EXECUTE format(
            'SELECT array_agg(f.tableoid), array_agg(f.ctid) '
            'FROM unnest($1) AS i (id) CROSS JOIN LATERAL ('
            '    SELECT s.tableoid, s.ctid FROM %s AS s '
            '    WHERE s.id = i.id AND s.claim_id IS NOT NULL AND s.status::text = ''processing'' '
            '        AND CASE WHEN $2 IS NULL THEN s.claim_session = $3 ELSE s.claim_id = $2 END '
            '        AND %s '
            '    LIMIT 1 FOR UPDATE OF s) AS f', parent, span)
        INTO places, tids
        USING ids, claim, claim_session, received_from, received_before;
        -- The rows are locked, so they are still where they were found.
        FOR part IN
            SELECT u.place::regclass AS name, array_agg(DISTINCT u.tid) AS tids
            FROM unnest(places, tids) AS u (place, tid)
            GROUP BY u.place
        LOOP
            EXECUTE format(
                'UPDATE ONLY %s AS s SET '
                '    status = CASE WHEN $2 = ''failed'' AND s.attempts >= $7 '
                '        THEN ''permanently_failed'' ELSE $2 END, '
                '    due_at = CASE $2 WHEN ''processing'' THEN $5 + $6 WHEN ''pending'' THEN $5 '
                '        WHEN ''failed'' THEN $5 + sluice.retry_delay(s.attempts) '
                '        ELSE s.due_at END, '
                '    claim_id = CASE $2 WHEN ''processing'' THEN s.claim_id END, '
                '    attempts = CASE $2 WHEN ''pending'' THEN s.attempts - 1 '
                '        ELSE s.attempts END, '
                '    status_at = CASE $2 WHEN ''processing'' THEN s.status_at ELSE $5 END, '
                '    error = CASE WHEN $2 IN (''processing'', ''pending'') THEN s.error '
                '        ELSE $3 END, '
                '    mapped_rule = CASE WHEN $2 IN (''processing'', ''pending'') '
                '        THEN s.mapped_rule ELSE $4 END '
                'WHERE s.ctid = ANY ($1)', part.name)
            USING part.tids, status, error, rule, started, lease, attempts_allowed;
            reported := reported + cardinality(part.tids);
        END LOOP;
        EXIT WHEN reported >= cardinality(ids);
    END LOOP;
    RETURN reported;
END
$$;
COMMENT ON FUNCTION sluice.report_rows(regclass, bigint[], bigint, sluice.staging_status, text,
    text, interval) IS
    'finish_signals, release_signals (pending) and extend_signals (processing) for any staging '
    'table. For the functions of this schema.';

CREATE FUNCTION sluice.retry_delay(attempts integer) RETURNS interval
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN least(30 * 4.0 ^ (least(attempts, 20) - 1), 21600) * (1 + random() / 5)
        * interval '1 second';
END
$$;
COMMENT ON FUNCTION sluice.retry_delay(integer) IS
    'How long a row that has failed for so many times waits: 30 seconds, then four times as long '
    'each time (2, 8, 32 minutes), six hours at most, and up to a fifth more at random, so that '
    'what failed together does not come back together. For the functions of this schema.';

CREATE FUNCTION sluice.check_final(status sluice.staging_status) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF status IS NULL OR status IN ('pending', 'processing') THEN
        RAISE EXCEPTION 'a row is finished as completed, skipped, failed or permanently_failed'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_final(sluice.staging_status) IS
    'Raises 22023 for a status that ends no claim. For the functions of this schema.';

CREATE FUNCTION sluice.finish_signals(ids bigint[], status sluice.staging_status,
    error text DEFAULT NULL, rule text DEFAULT NULL, claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_final(status);
    RETURN sluice.report_rows('sluice.signal_staging', ids, claim, status, error, rule, NULL);
END
$$;
COMMENT ON FUNCTION sluice.finish_signals(bigint[], sluice.staging_status, text, text, bigint) IS
    'Says what became of claimed signals: completed, skipped (nothing to do), failed (tried again '
    'after 30 seconds, 2, 8 and 32 minutes; permanently_failed at the fifth time, see '
    'sluice.max_attempts) or permanently_failed, with an error and the rule that was applied. '
    'Returns how many it was said of: fewer than ids when a lease had ended and another consumer '
    'has claimed the signal, or when it is finished already; those are left as they are. claim: '
    'claim_id of the claim, as claim_signals returned it; without it, all that this database '
    'session has claimed. Through a pooler that changes sessions between transactions (PgBouncer), '
    'and where claim and report are different sessions, claim must be given. Raises 22023 for any '
    'other status.';

CREATE FUNCTION sluice.release_signals(ids bigint[], claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.report_rows('sluice.signal_staging', ids, claim, 'pending', NULL, NULL, NULL);
END
$$;
COMMENT ON FUNCTION sluice.release_signals(bigint[], bigint) IS
    'Gives claimed signals back untouched, for anyone to claim at once; the claim does not count '
    'as an attempt. For consumers that end. Returns how many; claim as for finish_signals.';

CREATE FUNCTION sluice.extend_signals(ids bigint[], lease interval, claim bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_lease(lease);
    RETURN sluice.report_rows('sluice.signal_staging', ids, claim, 'processing', NULL, NULL,
        lease);
END
$$;
COMMENT ON FUNCTION sluice.extend_signals(bigint[], interval, bigint) IS
    'Makes the lease of claimed signals end so long from now. Returns for how many: the others '
    'are not the caller''s any more, who should leave them. claim as for finish_signals.';

GRANT EXECUTE ON FUNCTION
    sluice.claim_signals(text, integer, interval, text),
    sluice.finish_signals(bigint[], sluice.staging_status, text, text, bigint),
    sluice.release_signals(bigint[], bigint),
    sluice.extend_signals(bigint[], interval, bigint)
TO sluice_consumer;

-- ---- following ----

CREATE FUNCTION sluice.settled_xact() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN pg_snapshot_xmin(pg_current_snapshot())::text::bigint;
END
$$;
COMMENT ON FUNCTION sluice.settled_xact() IS
    'For following a table without claiming: every transaction before this one has ended, so all '
    'its rows can be seen, or never will be. Ask for it first, then read the rows with stored_xact '
    'from the last answer on and before this one, then keep this one: each row is read exactly '
    'once, whatever the order of commits. Ids and received_at are no substitute: rows become '
    'visible in the order of commits. A transaction that writes and stays open, anywhere in the '
    'cluster, holds the answer back (and delays rows, loses none); a dump does not. The numbers '
    'are those of one cluster: after restoring a dump into another, see the README.';
GRANT EXECUTE ON FUNCTION sluice.settled_xact() TO sluice_reader;

RESET ROLE;
