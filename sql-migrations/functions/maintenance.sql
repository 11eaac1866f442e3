-- The other steps of sluicectl maintain, and how steps are run.
--
-- Attaching a partition locks the default partition exclusively, dropping one locks the whole
-- table, and intake waits behind such a lock and behind a request for it. So no step waits for a
-- lock longer than lock_timeout of maintenance_do: if a dump holds the table, the step fails with
-- 55P03 and runs again later. For the same reason each call is a transaction of its own and does
-- one small piece of work.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.prune_rows(table_name text, time_column text, max_rows integer)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keep constant interval := (SELECT r.keep FROM sluice.retention AS r
        WHERE r.table_name = prune_rows.table_name);
    pruned bigint;
BEGIN
    EXECUTE format('WITH pruned AS (DELETE FROM sluice.%1$I AS t WHERE t.ctid = ANY (ARRAY('
        'SELECT o.ctid FROM sluice.%1$I AS o WHERE o.%2$I < now() - $1 LIMIT $2 '
        'FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM pruned', table_name, time_column)
    INTO pruned USING keep, max_rows;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION sluice.prune_rows(text, text, integer) IS
    'Deletes up to max_rows rows of a table whose time_column is past retention, and returns how '
    'many; none if retention.keep is null. Internal.';

CREATE OR REPLACE FUNCTION sluice.prune_deliveries(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keep constant interval := (SELECT r.keep FROM sluice.retention AS r WHERE r.table_name = 'delivery');
    pages constant bigint := pg_relation_size('sluice.delivery')
        / current_setting('block_size')::bigint;
    page bigint := coalesce(pg_sequence_last_value('sluice.delivery_prune_from'), 0);
    upto bigint;
    pruned bigint := 0;
BEGIN
    -- Scans the whole table once an hour, a few pages at a time.
    IF page = 0 AND extract(epoch FROM clock_timestamp())
        < coalesce(pg_sequence_last_value('sluice.delivery_pruned_at'), 0) + 3600
    THEN
        RETURN 0;
    END IF;
    WHILE pruned = 0 AND page < pages LOOP
        upto := page + greatest(max_rows / 100, 1); -- a page holds at most some 100 rows
        WITH gone AS (
            DELETE FROM sluice.delivery AS d
            WHERE d.ctid >= format('(%s,0)', page)::tid AND d.ctid < format('(%s,0)', upto)::tid
                AND d.received_at < now() - keep
            RETURNING 1)
        SELECT count(*) INTO pruned FROM gone;
        page := upto;
    END LOOP;
    IF page >= pages THEN
        page := 0;
        PERFORM setval('sluice.delivery_pruned_at', extract(epoch FROM clock_timestamp())::bigint);
    END IF;
    PERFORM setval('sluice.delivery_prune_from', page);
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION sluice.prune_deliveries(integer) IS
    'Maintenance step: deletes deliveries past retention. A repeat of one is stored again.';

CREATE OR REPLACE FUNCTION sluice.prune_identities(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('identity', 'identified_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_identities(integer) IS
    'Maintenance step: deletes identities past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_refused_requests(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('refused_request', 'last_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_refused_requests(integer) IS
    'Maintenance step: deletes counts of refused requests past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_usage_hours(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('usage_hour', 'hour', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_usage_hours(integer) IS
    'Maintenance step: deletes hours of usage past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_tokens(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('api_token', 'expires_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_tokens(integer) IS
    'Maintenance step: deletes tokens of the settings API past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_moves(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('signal_move', 'moved_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_moves(integer) IS
    'Maintenance step: deletes records of moved signals past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_queues(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    pruned bigint;
BEGIN
    FOR its IN
        SELECT f.kind, t.keep_from FROM sluice.feed AS f
        JOIN sluice.partitioned_table AS t ON t.table_name = f.table_name
        WHERE t.keep_from IS NOT NULL
    LOOP
        EXECUTE format('WITH pruned AS (DELETE FROM sluice.%1$I AS t WHERE t.ctid = ANY (ARRAY('
            'SELECT q.ctid FROM sluice.%1$I AS q WHERE q.received_at < $1 LIMIT $2 '
            'FOR UPDATE SKIP LOCKED)) RETURNING 1) SELECT count(*) FROM pruned', its.kind || '_queue')
        INTO pruned USING its.keep_from, max_rows;
        IF pruned > 0 THEN
            RETURN pruned;
        END IF;
    END LOOP;
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.prune_queues(integer) IS
    'Maintenance step: removes rows from the queues whose day is past retention.';

CREATE OR REPLACE FUNCTION sluice.prune_claims(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    pruned bigint;
BEGIN
    -- The rows of a recent claim may not be visible yet.
    WITH pruned AS (DELETE FROM sluice.claim AS c WHERE c.ctid = ANY (ARRAY(
        SELECT o.ctid FROM sluice.claim AS o
        WHERE o.claimed_at < now() - interval '1 hour' AND o.id NOT IN (
            SELECT q.claim_id FROM sluice.signal_queue AS q WHERE q.claim_id IS NOT NULL
            UNION ALL
            SELECT q.claim_id FROM sluice.product_org_queue AS q WHERE q.claim_id IS NOT NULL)
        LIMIT max_rows FOR UPDATE SKIP LOCKED)) RETURNING 1)
    SELECT count(*) INTO pruned FROM pruned;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION sluice.prune_claims(integer) IS
    'Maintenance step: deletes claims that hold no rows any more.';

CREATE OR REPLACE FUNCTION sluice.feed_stragglers(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    fed bigint;
BEGIN
    IF sluice.is_restored() THEN
        PERFORM sluice.adopt_cluster();
        RETURN 1;
    END IF;
    -- A feed looks at the days from two days before the last feed on. This step finds rows of older
    -- days, which a DBA has loaded or a very long transaction has stored, one day per call.
    FOR its IN
        SELECT f.kind, b.partition_name, b.lower_bound, b.upper_bound, n.changes
        FROM sluice.feed AS f
        JOIN sluice.partition_bounds() AS b ON b.table_name = f.table_name
        CROSS JOIN LATERAL (SELECT pg_stat_get_tuples_inserted(b.partition) AS changes) AS n
        LEFT JOIN sluice.fed_day AS d ON d.partition_name = b.partition_name
        WHERE b.upper_bound < now() - interval '2 days' AND n.changes IS DISTINCT FROM d.changes
        ORDER BY b.upper_bound DESC
    LOOP
        INSERT INTO sluice.fed_day AS d (partition_name, changes)
        VALUES (its.partition_name, its.changes)
        ON CONFLICT ON CONSTRAINT fed_day_pkey DO UPDATE SET changes = excluded.changes;
        fed := sluice.feed_unknown(its.kind, its.lower_bound, its.upper_bound);
        IF fed > 0 THEN
            PERFORM sluice.look_from(its.kind, 0);
        END IF;
        RETURN greatest(fed, 1);
    END LOOP;
    DELETE FROM sluice.fed_day AS d WHERE NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.partition_name = d.partition_name);
    RETURN 0;
END
$$;
COMMENT ON FUNCTION sluice.feed_stragglers(integer) IS
    'Maintenance step: queues rows of one older day, which feeds no longer look at, if the number of '
    'inserts in the server''s statistics is not that of the last time.';

-- ---- how they are run ----

CREATE OR REPLACE FUNCTION sluice.maintenance_steps()
RETURNS TABLE (name text, unit text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT s.name, s.unit FROM sluice.maintenance_step AS s ORDER BY s.position
$$;
COMMENT ON FUNCTION sluice.maintenance_steps() IS 'The rows of maintenance_step, in order.';

CREATE OR REPLACE FUNCTION sluice.maintenance_do(step text, max_rows integer) RETURNS bigint
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
    PERFORM FROM sluice.maintenance_step AS s WHERE s.name = step FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another run is at step "%"', step USING ERRCODE = 'lock_not_available';
    END IF;
    EXECUTE format('SELECT sluice.%I($1)', step) INTO worked USING max_rows;
    RETURN worked;
END
$$;
COMMENT ON FUNCTION sluice.maintenance_do(text, integer) IS
    'Calls a maintenance step once and returns how much it did; 0 if nothing is left to do. Raises '
    '55P03 if a table is in use or another run is at this step: try again later. Raises P0002 for '
    'an unknown step.';

CREATE OR REPLACE FUNCTION sluice.maintenance_record(actor text, step text, result text, worked bigint,
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
    'Records in maintenance_run how a step ended. Raises P0002 for an unknown step.';

CREATE OR REPLACE FUNCTION sluice.maintenance_detached()
RETURNS TABLE (partition_name text, table_name text, lower_bound timestamptz, upper_bound timestamptz)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT c.oid::regclass::text, d.table_name, d.lower_bound, d.upper_bound
    FROM sluice.detached_partition AS d
    JOIN pg_class AS c ON c.oid = sluice.detached_table(d.partition_name)
    WHERE NOT c.relispartition
    ORDER BY d.lower_bound, d.table_name;
END
$$;
COMMENT ON FUNCTION sluice.maintenance_detached() IS
    'The partitions of detached_partition that still exist, qualified, oldest first. For sluicectl '
    'maintain --archive.';

CREATE OR REPLACE FUNCTION sluice.maintenance_archived(actor text, partition_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '200ms' AS $$
DECLARE
    its record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT d.partition_name, d.table_name, c.oid::regclass AS name INTO its
    FROM sluice.detached_partition AS d
    JOIN pg_class AS c ON c.oid = sluice.detached_table(d.partition_name)
    WHERE c.oid = to_regclass(maintenance_archived.partition_name) AND NOT c.relispartition;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'detached partition "%" does not exist', partition_name
            USING ERRCODE = 'no_data_found';
    END IF;
    EXECUTE format('DROP TABLE %s', its.name);
    DELETE FROM sluice.detached_partition AS d WHERE d.partition_name = its.partition_name;
    PERFORM sluice.audit(actor, 0, 'partition_archived', 'partition', its.partition_name,
        jsonb_build_object('table', its.table_name));
END
$$;
COMMENT ON FUNCTION sluice.maintenance_archived(text, text) IS
    'Drops a detached partition that has been archived; name as in maintenance_detached. Raises '
    'P0002 if there is none, 55P03 if it is in use.';

CREATE OR REPLACE FUNCTION sluice.retention_set(actor text, table_name text, keep interval,
    expired text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    old record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT r.keep, r.expired, r.goes_with, r.days_ahead INTO old FROM sluice.retention AS r
    WHERE r.table_name = retention_set.table_name FOR NO KEY UPDATE;
    IF NOT FOUND OR old.goes_with IS NOT NULL THEN
        RAISE EXCEPTION 'table "%" has no retention of its own', table_name
            USING ERRCODE = 'no_data_found';
    END IF;
    IF keep NOT BETWEEN interval '1 day' AND interval '100 years'
        OR expired NOT IN ('drop', 'detach')
    THEN
        RAISE EXCEPTION 'keep must be from 1 day to 100 years, and expired drop or detach'
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF expired = 'detach' AND old.days_ahead IS NULL THEN
        RAISE EXCEPTION 'table "%" has no partitions to detach', table_name
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE sluice.retention AS r
    SET keep = retention_set.keep, expired = coalesce(retention_set.expired, r.expired)
    WHERE r.table_name = retention_set.table_name;
    PERFORM sluice.audit(actor, 0, 'retention_set', 'retention', table_name, jsonb_build_object(
        'old_keep', old.keep, 'old_expired', old.expired, 'keep', keep,
        'expired', coalesce(expired, old.expired)));
END
$$;
COMMENT ON FUNCTION sluice.retention_set(text, text, interval, text) IS
    'Sets how long a table keeps its rows. keep null: for ever. expired: drop or detach; null '
    'leaves it as it is. Raises P0002 for a table without a retention of its own, 22023 for an '
    'invalid value.';

CREATE OR REPLACE FUNCTION sluice.fold_product_orgs(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settled constant bigint := sluice.settled_xact(); -- before anything is read
    first bigint;
    upto bigint;
    folded bigint;
BEGIN
    PERFORM FROM sluice.product_org_fold AS f FOR NO KEY UPDATE;
    -- max_rows transactions at a time, each with one or more rows, from the first with any.
    SELECT min(n.stored_xact) INTO first
    FROM sluice.product_org_news AS n WHERE n.stored_xact < settled;
    IF first IS NULL THEN
        UPDATE sluice.product_org_fold AS f SET folded_xact = settled;
        RETURN 0;
    END IF;
    upto := least(first + max_rows, settled);

    WITH folded AS (
        INSERT INTO sluice.product_org_state AS t (organization_id, product_org_id, name, plan_id,
            plan_name, user_count, mrr, trial_status, last_active_at, feature_flags, custom,
            received_at, id, key_id)
        SELECT DISTINCT ON (n.organization_id, n.product_org_id) n.organization_id,
            n.product_org_id, n.name, n.plan_id, n.plan_name, n.user_count, n.mrr, n.trial_status,
            n.last_active_at, n.feature_flags, n.custom, n.received_at, n.id, n.key_id
        FROM sluice.product_org_news AS n
        WHERE n.stored_xact < upto
        ORDER BY n.organization_id, n.product_org_id,
            coalesce(n.last_active_at, n.received_at) DESC, n.received_at DESC, n.id DESC
        ON CONFLICT (organization_id, product_org_id) DO UPDATE
        SET name = excluded.name, plan_id = excluded.plan_id, plan_name = excluded.plan_name,
            user_count = excluded.user_count, mrr = excluded.mrr,
            trial_status = excluded.trial_status, last_active_at = excluded.last_active_at,
            feature_flags = excluded.feature_flags, custom = excluded.custom,
            received_at = excluded.received_at, id = excluded.id, key_id = excluded.key_id
        WHERE (coalesce(t.last_active_at, t.received_at), t.received_at, t.id)
            < (coalesce(excluded.last_active_at, excluded.received_at), excluded.received_at,
                excluded.id)
        RETURNING 1)
    SELECT count(*) INTO folded FROM folded;
    UPDATE sluice.product_org_fold AS f SET folded_xact = upto;
    RETURN greatest(folded, 1);
END
$$;
COMMENT ON FUNCTION sluice.fold_product_orgs(integer) IS
    'Maintenance step: folds the product-org updates of up to max_rows transactions into '
    'product_org_state, and returns how many product orgs changed, at least 1 while updates are '
    'left.';

INSERT INTO sluice.maintenance_step (name, position, unit, description) VALUES
    ('fold_product_orgs', 50, 'product orgs', 'updates the latest state of each product org'),
    ('move_default_rows', 100, 'rows', 'moves rows from default partitions to their days'),
    ('make_partitions', 200, 'partitions', 'creates the partitions of the coming days, and missing ones'),
    ('drop_partitions', 300, 'partitions', 'drops or detaches partitions past retention'),
    ('prune_default_rows', 400, 'rows', 'deletes rows past retention from default partitions'),
    ('fold_usage', 500, 'rows', 'adds up usage by hour and month'),
    ('fold_refusals', 510, 'rows', 'adds up refused requests by day'),
    ('fold_key_use', 520, 'rows', 'keeps the last use of each key'),
    ('resolve_identities', 600, 'visitors or signals', 'moves cold signals of known visitors to signal'),
    ('feed_stragglers', 650, 'rows', 'queues new rows of older days'),
    ('prune_deliveries', 700, 'rows', 'deletes deliveries past retention'),
    ('prune_moves', 710, 'rows', 'deletes records of moved signals past retention'),
    ('prune_queues', 720, 'rows', 'deletes queued rows past retention'),
    ('prune_claims', 730, 'rows', 'deletes claims that hold no rows'),
    ('prune_identities', 800, 'rows', 'deletes identities past retention'),
    ('prune_refused_requests', 900, 'rows', 'deletes counts of refused requests past retention'),
    ('prune_usage_hours', 1000, 'rows', 'deletes hours of usage past retention'),
    ('prune_tokens', 1010, 'tokens', 'deletes tokens of the settings API past retention'),
    ('index_days', 1050, 'indexes', 'builds the indexes of past days'),
    ('count_rows', 1100, 'rows', 'counts rows of changed partitions for the statistics')
ON CONFLICT (name) DO UPDATE
SET position = excluded.position, unit = excluded.unit, description = excluded.description;

GRANT EXECUTE ON FUNCTION
    sluice.maintenance_steps(),
    sluice.maintenance_do(text, integer),
    sluice.maintenance_record(text, text, text, bigint, text),
    sluice.maintenance_detached(),
    sluice.maintenance_archived(text, text)
TO sluice_maintenance;
GRANT EXECUTE ON FUNCTION sluice.retention_set(text, text, interval, text) TO sluice_admin;

RESET ROLE;
