-- Claiming staged rows and reporting their results.
--
-- The functions serve both kinds of rows (feed.kind), so they build their statements at run time.
-- As these are planned on each call, they touch only the partitions they need. The SET clauses rule
-- out plans that read a whole backlog, which the planner would choose with statistics older than
-- that.

SET LOCAL ROLE sluice_owner;

-- ---- what the functions share ----

CREATE OR REPLACE FUNCTION sluice.max_attempts() RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(nullif(current_setting('sluice.max_attempts', true), '')::integer, 5);
END
$$;
COMMENT ON FUNCTION sluice.max_attempts() IS
    'How many times a row may be claimed before it becomes permanently_failed: the setting '
    'sluice.max_attempts (ALTER DATABASE … SET sluice.max_attempts = 10), by default 5. Internal.';

CREATE OR REPLACE FUNCTION sluice.check_lease(lease interval) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF lease IS NULL OR lease NOT BETWEEN interval '1 millisecond' AND interval '30 days' THEN
        RAISE EXCEPTION 'lease must be from 1 millisecond to 30 days'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_lease(interval) IS
    'Raises 22023 unless the lease is from 1 millisecond to 30 days. Internal.';

CREATE OR REPLACE FUNCTION sluice.retry_delay(attempts integer) RETURNS interval
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN least(30 * 4.0 ^ (least(attempts, 20) - 1), 21600) * interval '1 second';
END
$$;
COMMENT ON FUNCTION sluice.retry_delay(integer) IS
    'How long a row waits after so many failed attempts: 30 seconds, then four times as long each '
    'time (2, 8, 32 minutes), at most six hours. Internal.';

CREATE OR REPLACE FUNCTION sluice.check_final(status sluice.staging_status) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF status IS NULL OR status IN ('pending', 'processing') THEN
        RAISE EXCEPTION 'a row is finished as completed, skipped, failed or permanently_failed'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_final(sluice.staging_status) IS
    'Raises 22023 for a status that does not finish a row. Internal.';

CREATE OR REPLACE FUNCTION sluice.claim_session() RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN nullif(current_setting('sluice.claim_session', true), '')::bigint;
END
$$;
COMMENT ON FUNCTION sluice.claim_session() IS
    'The first claim of this database session; null before that. Internal.';

-- ---- notifications ----

CREATE OR REPLACE FUNCTION sluice.notify_consumers(kind text, result bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Any login can fill the cluster's queue of notifications, by listening in a transaction that
    -- stays open, and commits fail when it is full. Consumers also look without a notification.
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('sluice_' || kind, '');
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.notify_consumers(text, bigint) IS
    'Notifies channel sluice_signal or sluice_product_org (feed.kind) of new rows when this '
    'transaction commits. Returns its second argument. Internal: called where notifies_consumers() '
    'is true.';

CREATE OR REPLACE FUNCTION sluice.notifications_set(actor text, enabled boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old constant boolean := sluice.notifies_consumers();
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF enabled IS NULL THEN
        RAISE EXCEPTION 'enabled must be true or false' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    EXECUTE format('CREATE OR REPLACE FUNCTION sluice.notifies_consumers() RETURNS boolean '
        'LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN %s',
        CASE WHEN enabled THEN 'true' ELSE 'false' END);
    PERFORM sluice.audit(actor, 0, 'notifications_set', 'notifications', 'notifies_consumers',
        jsonb_build_object('old_enabled', old, 'enabled', enabled));
END
$$;
COMMENT ON FUNCTION sluice.notifications_set(text, boolean) IS
    'Turns notifications on or off, at once in all sessions. With notifications, transactions '
    'commit one after the other, because each takes a lock that exists once per cluster.';

-- ---- feeding ----

CREATE OR REPLACE FUNCTION sluice.summarise_day(staging text) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '10ms' AS $$
DECLARE
    its record;
BEGIN
    -- Each feed reads the page ranges that are not summarised, and autovacuum may take minutes to
    -- summarise them. Not the last range, which is still being filled: its summary would slow
    -- inserts.
    FOR its IN
        SELECT x.indexrelid AS index, b.partition, ceil(pg_relation_size(b.partition)
            / current_setting('block_size')::numeric / 32)::bigint - 1 AS ranges
        FROM sluice.partition_bounds() AS b
        JOIN pg_index AS x ON x.indrelid = b.partition
        JOIN pg_inherits AS i ON i.inhrelid = x.indexrelid
            AND i.inhparent = format('sluice.%I', staging || '_stored_xact_idx')::regclass
        WHERE b.table_name = staging AND b.lower_bound <= now() AND b.upper_bound > now()
    LOOP
        FOR range IN greatest(its.ranges - 64, 0) .. its.ranges - 1 LOOP
            PERFORM brin_summarize_range(its.index, range * 32);
        END LOOP;
    END LOOP;
EXCEPTION
    WHEN lock_not_available OR insufficient_privilege THEN
        NULL; -- autovacuum holds the index, or a DBA owns the partition; autovacuum will do it
END
$$;
COMMENT ON FUNCTION sluice.summarise_day(text) IS
    'Summarises the last full page ranges of today''s partition in the index on stored_xact. '
    'Internal: called by feed.';

CREATE OR REPLACE FUNCTION sluice.feed_unknown(kind text, received_from timestamptz,
    received_before timestamptz) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_nestloop = off AS $$
DECLARE
    fed bigint;
BEGIN
    EXECUTE format(
        'WITH fed AS (INSERT INTO sluice.%1$I (id, organization_id, received_at) '
        '    SELECT s.id, s.organization_id, s.received_at FROM sluice.%2$I AS s '
        '    WHERE s.received_at >= $1 AND s.received_at < $2 '
        '        AND NOT EXISTS (SELECT FROM sluice.%1$I AS q '
        '            WHERE q.id = s.id AND q.organization_id = s.organization_id) '
        '        AND NOT EXISTS (SELECT FROM sluice.%3$I AS r WHERE r.id = s.id '
        '            AND r.organization_id = s.organization_id AND r.received_at = s.received_at '
        '            AND r.received_at >= $1 AND r.received_at < $2) '
        '    RETURNING id) SELECT count(*) FROM fed', kind || '_queue',
        (SELECT f.table_name FROM sluice.feed AS f WHERE f.kind = feed_unknown.kind),
        kind || '_result')
    INTO fed USING received_from, received_before;
    RETURN fed;
END
$$;
COMMENT ON FUNCTION sluice.feed_unknown(text, timestamptz, timestamptz) IS
    'Queues the rows received in a span of time that are neither queued nor finished, and returns '
    'how many. For rows that no feed will find. Internal.';

CREATE OR REPLACE FUNCTION sluice.await_feed(kind text) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '1s' AS $$
BEGIN
    PERFORM FROM sluice.feed AS f WHERE f.kind = await_feed.kind FOR UPDATE;
    RETURN 1;
EXCEPTION WHEN lock_not_available THEN
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION sluice.await_feed(text) IS
    'Waits up to a second for another transaction''s feed to end; returns null if it did not. '
    'Internal: called by feed.';

CREATE OR REPLACE FUNCTION sluice.feed(kind text, patient boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    most constant bigint := 500; -- transactions per feed
    own constant bigint := sluice.stored_xact();
    its_cluster bigint;
    last record;
    since bigint;
    upto pg_snapshot;
    first_id bigint;
    fed bigint;
BEGIN
    SELECT f.cluster INTO its_cluster FROM sluice.feed AS f WHERE f.kind = feed.kind
    FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN CASE WHEN patient THEN sluice.await_feed(kind) END;
    END IF;
    SELECT f.position, f.frontier, f.fed_at INTO last FROM sluice.feed_frontier AS f
    WHERE f.kind = feed.kind ORDER BY f.kind DESC, f.position DESC LIMIT 1;
    -- Only up to this transaction, whose own rows come once it has committed. If the frontier
    -- listed it as open, each feed would search for rows of the previous one.
    since := pg_snapshot_xmax(last.frontier)::text::bigint;
    upto := sluice.seen();
    IF its_cluster <> (SELECT c.system_identifier FROM pg_control_system() AS c)
        OR since > pg_snapshot_xmax(upto)::text::bigint
    THEN
        PERFORM sluice.adopt_cluster();
        PERFORM sluice.look_from(kind, 0);
        RETURN 1;
    END IF;
    upto := sluice.cut_frontier(upto, least(pg_snapshot_xmax(upto)::text::bigint, since + most,
        CASE WHEN own >= since THEN own END));
    IF upto::text = last.frontier::text THEN
        RETURN 0;
    END IF;
    -- First: with a snapshot of before another feed, as in repeatable read, this fails with 40001.
    DELETE FROM sluice.feed_frontier AS f WHERE f.kind = feed.kind AND f.position <= last.position;
    EXECUTE format(
        'WITH fed AS (INSERT INTO sluice.%I (id, organization_id, received_at) '
        '    SELECT n.id, n.organization_id, n.received_at '
        '    FROM sluice.new_rows($1, $2, $3, $4) AS n ORDER BY n.id RETURNING id) '
        'SELECT count(*), min(id) FROM fed', kind || '_queue')
    INTO fed, first_id USING kind, last.frontier, upto, last.fed_at - interval '2 days';
    INSERT INTO sluice.feed_frontier (kind, frontier, fed_at) VALUES (feed.kind, upto, now());
    IF fed > 0 THEN
        PERFORM sluice.look_from(kind, first_id);
    END IF;
    IF fed > 100 THEN
        PERFORM sluice.summarise_day(f.table_name) FROM sluice.feed AS f WHERE f.kind = feed.kind;
    END IF;
    RETURN greatest(fed, 1);
END
$$;
COMMENT ON FUNCTION sluice.feed(text, boolean) IS
    'Queues what is new since the last feed, and returns about how many rows. After very many '
    'transactions it takes only the first of them: call it until it returns 0. Returns null while '
    'another transaction feeds the same queue; a patient caller first waits up to a second. '
    'Internal: called by find_due.';

CREATE OR REPLACE FUNCTION sluice.cut_frontier(whole pg_snapshot, before bigint) RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT format('%s:%s:%s', least(pg_snapshot_xmin(whole)::text::bigint, before), before,
            string_agg(x::text, ',' ORDER BY x::text::bigint))::pg_snapshot
        FROM pg_snapshot_xip(whole) AS x WHERE x::text::bigint < before);
END
$$;
COMMENT ON FUNCTION sluice.cut_frontier(pg_snapshot, bigint) IS
    'A frontier up to, and without, the given transaction. Internal: called by feed.';

-- ---- where to look ----

CREATE OR REPLACE FUNCTION sluice.look_from(kind text, id bigint) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cell regclass := format('sluice.%I', kind || '_queue_from')::regclass;
BEGIN
    IF id < coalesce(pg_sequence_last_value(cell), 0) THEN
        PERFORM setval(cell, id);
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.look_from(text, bigint) IS
    'Makes claims start at this id if they would start at a later one. Internal.';

CREATE OR REPLACE FUNCTION sluice.may_search(kind text) RETURNS boolean
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce(pg_sequence_last_value(format('sluice.%I', kind || '_queue_search')::regclass), 0)
        <= (extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
END
$$;
COMMENT ON FUNCTION sluice.may_search(text) IS
    'Whether the queue may be searched from its beginning again. Internal.';

CREATE OR REPLACE FUNCTION sluice.searched(kind text, started timestamptz) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM setval(format('sluice.%I', kind || '_queue_search')::regclass, (extract(epoch FROM
        clock_timestamp() + 20 * (clock_timestamp() - started)) * 1000000)::bigint);
END
$$;
COMMENT ON FUNCTION sluice.searched(text, timestamptz) IS
    'Records that a search from the beginning, started then, has ended: the next may start after '
    'twenty times as long. Internal.';

-- ---- claiming ----

CREATE OR REPLACE FUNCTION sluice.lock_due(kind text, from_id bigint, max_rows integer,
    organization_id bigint) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off SET jit = off AS $$
DECLARE
    ids bigint[];
BEGIN
    EXECUTE format(
        'WITH retried AS MATERIALIZED (SELECT q.id FROM sluice.%1$I AS q '
        '    WHERE q.due_at <= $1 %2$s ORDER BY q.due_at LIMIT $2 FOR UPDATE SKIP LOCKED), '
        'others AS (SELECT q.id FROM sluice.%1$I AS q '
        '    WHERE q.id >= $3 AND q.due_at IS NULL %2$s '
        '        AND (q.claim_id IS NULL OR q.lease_ends_at <= $1) '
        '    ORDER BY q.id LIMIT $2 - (SELECT count(*) FROM retried) FOR UPDATE SKIP LOCKED) '
        'SELECT array_agg(u.id) FROM (SELECT * FROM retried UNION ALL SELECT * FROM others) AS u',
        kind || '_queue',
        CASE WHEN organization_id IS NOT NULL THEN 'AND q.organization_id = $4' ELSE '' END)
    INTO ids USING clock_timestamp(), max_rows, from_id, organization_id;
    RETURN ids;
END
$$;
COMMENT ON FUNCTION sluice.lock_due(text, bigint, integer, bigint) IS
    'Locks up to max_rows rows of a queue that may be claimed and returns their ids: retries '
    'first, then rows from the given id on. Skips rows that others have locked. Internal: called '
    'by find_due.';

CREATE OR REPLACE FUNCTION sluice.find_due(kind text, max_rows integer, organization_id bigint)
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    cell constant regclass := format('sluice.%I', kind || '_queue_from')::regclass;
    from_id bigint := coalesce(pg_sequence_last_value(cell), 0);
    started timestamptz;
    ids bigint[];
    fed bigint;
BEGIN
    ids := sluice.lock_due(kind, from_id, max_rows, organization_id);
    -- Too few: now and then search from the beginning, for rows whose claim was rolled back or
    -- whose lease has ended.
    IF coalesce(cardinality(ids), 0) < max_rows AND sluice.may_search(kind) THEN
        started := clock_timestamp();
        ids := coalesce(ids, '{}')
            || sluice.lock_due(kind, 0, max_rows - coalesce(cardinality(ids), 0), organization_id);
        ids := ARRAY(SELECT DISTINCT u.id FROM unnest(ids) AS u (id));
        PERFORM sluice.searched(kind, started);
    END IF;
    WHILE coalesce(cardinality(ids), 0) < max_rows LOOP
        fed := sluice.feed(kind, coalesce(cardinality(ids), 0) = 0);
        EXIT WHEN coalesce(fed, 0) = 0;
        from_id := least(from_id, coalesce(pg_sequence_last_value(cell), 0));
        ids := ARRAY(SELECT DISTINCT u.id FROM unnest(ids || sluice.lock_due(kind, from_id,
            max_rows, organization_id)) AS u (id) LIMIT max_rows);
    END LOOP;
    -- Not if another claim has changed it meanwhile: that one may know of older rows.
    IF organization_id IS NULL AND ids[1] > from_id
        AND coalesce(pg_sequence_last_value(cell), 0) = from_id
    THEN
        PERFORM setval(cell, (SELECT min(u.id) FROM unnest(ids) AS u (id)));
    END IF;
    RETURN ids;
END
$$;
COMMENT ON FUNCTION sluice.find_due(text, integer, bigint) IS
    'Locks up to max_rows rows of a queue that may be claimed and returns their ids; feeds the '
    'queue if it holds too few. Internal: called by claim_rows.';

CREATE OR REPLACE FUNCTION sluice.claim_rows(prototype anyelement, kind text, consumer text,
    max_rows integer, lease interval, organization text) RETURNS SETOF anyelement
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET max_parallel_workers_per_gather = 0 SET jit = off AS $$
DECLARE
    its_id bigint;
    allowed constant integer := sluice.max_attempts();
    session bigint := sluice.claim_session();
    started timestamptz;
    claim bigint;
    ids bigint[];
    first_received timestamptz;
    last_received timestamptz;
    most_attempts integer;
    columns text;
BEGIN
    PERFORM sluice.check_name('consumer', consumer);
    IF max_rows IS NULL OR max_rows NOT BETWEEN 1 AND 100000 THEN
        RAISE EXCEPTION 'max_rows must be from 1 to 100000'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM sluice.check_lease(lease);
    IF organization IS NOT NULL THEN
        its_id := sluice.organization_id_of(organization);
    END IF;
    ids := sluice.find_due(kind, max_rows, its_id);
    IF coalesce(cardinality(ids), 0) = 0 THEN
        RETURN;
    END IF;

    claim := nextval('sluice.claim_id');
    IF session IS NULL THEN
        session := claim;
        PERFORM set_config('sluice.claim_session', claim::text, false);
    END IF;
    started := clock_timestamp();
    INSERT INTO sluice.claim (id, session, claimed_by, claimed_at)
    VALUES (claim, session, consumer, started);
    EXECUTE format(
        'WITH claimed AS (UPDATE sluice.%I AS q SET claim_id = $2, lease_ends_at = $3, due_at = NULL, '
        '    attempts = q.attempts + 1 WHERE q.id = ANY ($1) '
        '    RETURNING q.id, q.received_at, q.attempts) '
        'SELECT array_agg(c.id), min(c.received_at), max(c.received_at), max(c.attempts) '
        'FROM claimed AS c',
        kind || '_queue')
    INTO ids, first_received, last_received, most_attempts
    USING ids, claim, started + lease;
    IF most_attempts > allowed THEN
        -- Rows claimed too often without a report have failed for good.
        EXECUTE format(
            'WITH lost AS (DELETE FROM sluice.%1$I AS q WHERE q.id = ANY ($1) AND q.attempts > $2 '
            '    RETURNING q.*), '
            'done AS (INSERT INTO sluice.%2$I (id, organization_id, received_at, finished_at, status, '
            '        attempts, claimed_by, error, mapped_rule) '
            '    SELECT l.id, l.organization_id, l.received_at, $3, ''permanently_failed'', '
            '        l.attempts - 1, (l.last_failure).failed_by, format(''lease ended without a report, '
            'attempt %%s of %%s'', l.attempts - 1, $2), (l.last_failure).mapped_rule FROM lost AS l '
            '    RETURNING id) '
            'SELECT ARRAY(SELECT u.id FROM unnest($1) AS u (id) EXCEPT SELECT d.id FROM done AS d)',
            kind || '_queue', kind || '_result')
        INTO ids USING ids, allowed, started;
    END IF;
    -- The columns of the staging view, without its joins: claimed rows have no result.
    columns := (SELECT string_agg(CASE a.attname
            WHEN 'status' THEN quote_literal('processing') || '::sluice.staging_status'
            WHEN 'error' THEN '(q.last_failure).error'
            WHEN 'mapped_rule' THEN '(q.last_failure).mapped_rule'
            WHEN 'attempts' THEN 'q.attempts'
            WHEN 'due_at' THEN 'q.lease_ends_at'
            WHEN 'status_at' THEN '$4'
            WHEN 'claim_id' THEN 'q.claim_id'
            WHEN 'claimed_by' THEN '$5'
            WHEN 'payload_repaired' THEN 's.payload_raw IS NOT NULL'
            ELSE 's.' || quote_ident(a.attname) END, ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = pg_typeof(prototype)::text::regclass AND a.attnum > 0
            AND NOT a.attisdropped);
    -- LIMIT 1: from the queue to the staged rows, one by one, never from a day's rows to the queue.
    RETURN QUERY EXECUTE format('SELECT %s FROM sluice.%I AS q CROSS JOIN LATERAL (SELECT * '
        'FROM sluice.%I AS t WHERE t.id = q.id AND t.organization_id = q.organization_id '
        '    AND t.received_at = q.received_at AND t.received_at BETWEEN $2 AND $3 LIMIT 1) AS s '
        'WHERE q.id = ANY ($1)', columns, kind || '_queue',
        (SELECT f.table_name FROM sluice.feed AS f WHERE f.kind = claim_rows.kind))
    USING ids, first_received, last_received, started, consumer;
END
$$;
COMMENT ON FUNCTION sluice.claim_rows(anyelement, text, text, integer, interval, text) IS
    'What claim_signals and claim_product_orgs do. The first argument is a null of the staging '
    'view''s row type. Internal.';

CREATE OR REPLACE FUNCTION sluice.claim_signals(consumer text, max_rows integer, lease interval,
    organization text DEFAULT NULL) RETURNS SETOF sluice.signal_staging
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM sluice.claim_rows(NULL::sluice.signal_staging, 'signal', consumer,
        max_rows, lease, organization);
END
$$;
COMMENT ON FUNCTION sluice.claim_signals(text, integer, interval, text) IS
    'Claims up to max_rows signals for the length of the lease and returns them, roughly the '
    'oldest first but in no fixed order. Until they are finished (finish_signals) or the lease '
    'ends, no other claim returns them. Any number of consumers may call it at once: none waits '
    'for another, and rows that another call is claiming are skipped. Commit before the work '
    'begins: a claim that is rolled back never happened, and new rows that an open claim has '
    'queued are invisible to others. Delivery is at least once: if a consumer dies before it '
    'reports, the next one gets the row. After five claims (sluice.max_attempts) a row is '
    'permanently_failed, even if no consumer reported a failure. consumer: a name for claimed_by. '
    'organization: claim only its signals; this reads past all other signals that are waiting, so '
    'use it on short queues. Raises 22023 for an invalid argument, P0002 for an unknown '
    'organization.';

CREATE OR REPLACE FUNCTION sluice.claim_product_orgs(consumer text, max_rows integer, lease interval,
    organization text DEFAULT NULL) RETURNS SETOF sluice.product_org_staging
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM sluice.claim_rows(NULL::sluice.product_org_staging, 'product_org',
        consumer, max_rows, lease, organization);
END
$$;
COMMENT ON FUNCTION sluice.claim_product_orgs(text, integer, interval, text) IS
    'Like claim_signals, for product-org updates. Updates of one product org may be with several '
    'consumers at once and in any order: read the latest state from product_org_current, or '
    'compare last_active_at and ignore older updates.';

-- ---- reporting ----

CREATE OR REPLACE FUNCTION sluice.report_rows(kind text, ids bigint[], claim bigint,
    status sluice.staging_status, error text, rule text, lease interval) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
DECLARE
    now_ constant timestamptz := clock_timestamp();
    session constant bigint := sluice.claim_session();
    allowed constant integer := sluice.max_attempts();
    queue constant text := kind || '_queue';
    mine constant text := 'q.id = ANY ($1) AND q.claim_id IS NOT NULL '
        'AND CASE WHEN $2 IS NULL THEN (SELECT c.session = $3 FROM sluice.claim AS c '
        'WHERE c.id = q.claim_id) ELSE q.claim_id = $2 END';
    reported bigint;
    kept bigint := 0;
    first_id bigint;
BEGIN
    IF status IN ('pending', 'processing') THEN
        EXECUTE format(
            'WITH u AS (UPDATE sluice.%I AS q SET '
            '    claim_id = CASE $4 WHEN ''processing'' THEN q.claim_id END, '
            '    lease_ends_at = CASE $4 WHEN ''processing'' THEN $5 + $6 END, '
            '    attempts = CASE $4 WHEN ''pending'' THEN q.attempts - 1 ELSE q.attempts END '
            'WHERE %s RETURNING q.id) SELECT count(*), min(u.id) FROM u', queue, mine)
        INTO reported, first_id USING ids, claim, session, status, now_, lease;
        IF status = 'pending' AND reported > 0 THEN
            PERFORM sluice.look_from(kind, first_id);
            IF sluice.notifies_consumers() THEN
                PERFORM sluice.notify_consumers(kind);
            END IF;
        END IF;
        RETURN reported;
    END IF;
    IF status = 'failed' THEN
        -- Up to a fifth later, by the id, so that rows that failed together are not retried
        -- together.
        EXECUTE format(
            'WITH u AS (UPDATE sluice.%I AS q SET claim_id = NULL, lease_ends_at = NULL, '
            '    last_failure = ROW($6, (SELECT c.claimed_by FROM sluice.claim AS c '
            '        WHERE c.id = q.claim_id), $4, $5)::sluice.failure, '
            '    due_at = $6 + sluice.retry_delay(q.attempts) '
            '        * (1 + (q.id + 397 * q.attempts) %% 1000 / 5000.0) '
            'WHERE %s AND q.attempts < $7 RETURNING q.id) SELECT count(*) FROM u', queue, mine)
        INTO kept USING ids, claim, session, error, rule, now_, allowed;
    END IF;
    EXECUTE format(
        'WITH done AS (DELETE FROM sluice.%I AS q WHERE %s RETURNING q.*), '
        'added AS (INSERT INTO sluice.%I (id, organization_id, received_at, finished_at, claimed_at, '
        '        status, attempts, claimed_by, error, mapped_rule) '
        '    SELECT d.id, d.organization_id, d.received_at, $6, c.claimed_at, $7, d.attempts, '
        '        c.claimed_by, $4, $5 FROM done AS d LEFT JOIN sluice.claim AS c ON c.id = d.claim_id '
        '    RETURNING id) '
        'SELECT count(*) FROM added', queue, mine, kind || '_result')
    INTO reported USING ids, claim, session, error, rule, now_,
        CASE status WHEN 'failed' THEN 'permanently_failed' ELSE status END;
    RETURN reported + kept;
END
$$;
COMMENT ON FUNCTION sluice.report_rows(text, bigint[], bigint, sluice.staging_status, text, text,
    interval) IS
    'What finish_signals, release_signals (status pending) and extend_signals (status processing) '
    'do. Internal.';

CREATE OR REPLACE FUNCTION sluice.finish_signals(ids bigint[], status sluice.staging_status,
    error text DEFAULT NULL, rule text DEFAULT NULL, claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_final(status);
    RETURN sluice.report_rows('signal', ids, claim, status, error, rule, NULL);
END
$$;
COMMENT ON FUNCTION sluice.finish_signals(bigint[], sluice.staging_status, text, text, bigint) IS
    'Reports the result of claimed signals: completed, skipped (nothing to do), failed (retried '
    'after 30 seconds, 2, 8 and 32 minutes; the fifth failure is permanently_failed, see '
    'sluice.max_attempts) or permanently_failed, with an error and the rule that was applied. '
    'Returns how many signals it changed. It leaves alone signals that are already finished, and '
    'those whose lease ended and that another consumer has claimed since. claim: the claim_id that '
    'claim_signals returned; if null, everything that this database session has claimed. Pass it '
    'behind a pooler that switches sessions between transactions (PgBouncer), and when another '
    'session reports. Raises 22023 for any other status.';

CREATE OR REPLACE FUNCTION sluice.release_signals(ids bigint[], claim bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.report_rows('signal', ids, claim, 'pending', NULL, NULL, NULL);
END
$$;
COMMENT ON FUNCTION sluice.release_signals(bigint[], bigint) IS
    'Returns claimed signals to the queue, where they can be claimed at once; the claim does not '
    'count as an attempt. For consumers that shut down. Returns how many; claim as for '
    'finish_signals.';

CREATE OR REPLACE FUNCTION sluice.extend_signals(ids bigint[], lease interval,
    claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_lease(lease);
    RETURN sluice.report_rows('signal', ids, claim, 'processing', NULL, NULL, lease);
END
$$;
COMMENT ON FUNCTION sluice.extend_signals(bigint[], interval, bigint) IS
    'Restarts the lease of claimed signals: it ends after the given interval from now. Returns how '
    'many; the caller has lost the others and must leave them alone. claim as for finish_signals.';

CREATE OR REPLACE FUNCTION sluice.finish_product_orgs(ids bigint[], status sluice.staging_status,
    error text DEFAULT NULL, rule text DEFAULT NULL, claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_final(status);
    RETURN sluice.report_rows('product_org', ids, claim, status, error, rule, NULL);
END
$$;
COMMENT ON FUNCTION sluice.finish_product_orgs(bigint[], sluice.staging_status, text, text, bigint)
    IS
    'Like finish_signals, for product-org updates.';

CREATE OR REPLACE FUNCTION sluice.release_product_orgs(ids bigint[], claim bigint DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.report_rows('product_org', ids, claim, 'pending', NULL, NULL, NULL);
END
$$;
COMMENT ON FUNCTION sluice.release_product_orgs(bigint[], bigint) IS
    'Like release_signals, for product-org updates.';

CREATE OR REPLACE FUNCTION sluice.extend_product_orgs(ids bigint[], lease interval,
    claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_lease(lease);
    RETURN sluice.report_rows('product_org', ids, claim, 'processing', NULL, NULL, lease);
END
$$;
COMMENT ON FUNCTION sluice.extend_product_orgs(bigint[], interval, bigint) IS
    'Like extend_signals, for product-org updates.';

-- ---- repeating ----

CREATE OR REPLACE FUNCTION sluice.requeue_signals(ids bigint[]) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    requeued bigint;
BEGIN
    WITH undone AS (
        DELETE FROM sluice.signal_result AS r WHERE r.id = ANY (ids) RETURNING r.*
    ), again AS (
        INSERT INTO sluice.signal_queue (id, organization_id, received_at)
        SELECT u.id, u.organization_id, u.received_at FROM undone AS u RETURNING id)
    SELECT count(*) INTO requeued FROM again;
    PERFORM sluice.look_from('signal', (SELECT min(u.id) FROM unnest(ids) AS u (id)));
    IF sluice.notifies_consumers() THEN
        PERFORM sluice.notify_consumers('signal');
    END IF;
    RETURN requeued;
END
$$;
COMMENT ON FUNCTION sluice.requeue_signals(bigint[]) IS
    'Makes finished signals pending again, as if no consumer had seen them, and returns how many. '
    'For repeating work after a mistake in a consumer.';

GRANT EXECUTE ON FUNCTION
    sluice.claim_signals(text, integer, interval, text),
    sluice.finish_signals(bigint[], sluice.staging_status, text, text, bigint),
    sluice.release_signals(bigint[], bigint),
    sluice.extend_signals(bigint[], interval, bigint),
    sluice.claim_product_orgs(text, integer, interval, text),
    sluice.finish_product_orgs(bigint[], sluice.staging_status, text, text, bigint),
    sluice.release_product_orgs(bigint[], bigint),
    sluice.extend_product_orgs(bigint[], interval, bigint)
TO sluice_consumer;
GRANT EXECUTE ON FUNCTION sluice.requeue_signals(bigint[]),
    sluice.notifications_set(text, boolean) TO sluice_admin;

RESET ROLE;
