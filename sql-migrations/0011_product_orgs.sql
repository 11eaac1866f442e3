-- Product-org updates: product_org_staging, where they land and are claimed like signals, and
-- product_org_current, the latest state of each product org. One transaction.
--
-- sluice.intake stores them (0006). The current state is not kept by intake: a row that is updated by
-- each transaction that brings news of a busy product org would make them wait for each other, and
-- would gather versions as long as a dump runs. So sluicectl maintain folds what has been stored into
-- a table, and the view adds what has come since.

SET LOCAL ROLE sluice_owner;

-- ---- where they land ----

CREATE TABLE sluice.product_org_staging (
    organization_id bigint NOT NULL,
    id bigint NOT NULL DEFAULT nextval('sluice.signal_id'),
    received_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    status sluice.staging_status NOT NULL DEFAULT 'pending',
    payload_repaired boolean NOT NULL DEFAULT false,
    product_org_id text COLLATE "C" NOT NULL,
    name text,
    plan_id text,
    plan_name text,
    user_count bigint,
    mrr bigint,
    trial_status text,
    last_active_at timestamptz,
    feature_flags jsonb
        CONSTRAINT product_org_staging_feature_flags_check
        CHECK (jsonb_typeof(feature_flags) = 'object'),
    custom jsonb
        CONSTRAINT product_org_staging_custom_check CHECK (jsonb_typeof(custom) = 'object'),
    warnings jsonb
        CONSTRAINT product_org_staging_warnings_check CHECK (jsonb_typeof(warnings) = 'array'),
    message_id text,
    request_id text NOT NULL,
    mapped_rule text,
    error text,
    payload jsonb NOT NULL,
    payload_raw bytea,
    PRIMARY KEY (organization_id, id, received_at),
    CONSTRAINT product_org_staging_payload_raw_check CHECK (payload_raw IS NULL OR payload_repaired)
) PARTITION BY RANGE (received_at);

COMMENT ON TABLE sluice.product_org_staging IS
    'Product-org updates as delivered, mapped by the payload template of their key, one row each, '
    'waiting for or done by consumers. One partition per UTC day of receipt; rows outside of all '
    'days go to product_org_staging_default, which should stay empty. The latest state of each '
    'product org: product_org_current.';
COMMENT ON COLUMN sluice.product_org_staging.organization_id IS 'whose update it is; organization.id';
COMMENT ON COLUMN sluice.product_org_staging.id IS
    'from sequence signal_id; what the sender was told in the answer';
COMMENT ON COLUMN sluice.product_org_staging.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.product_org_staging.key_id IS
    'the key it was sent with, whose payload template was applied; api_key.id';
COMMENT ON COLUMN sluice.product_org_staging.payload_repaired IS
    'true: the payload differs from what was received, because jsonb cannot hold some of it '
    '(\u0000 or a lone surrogate became U+FFFD)';
COMMENT ON COLUMN sluice.product_org_staging.product_org_id IS
    'the sender''s id of the product org: an account, workspace or tenant of its product';
COMMENT ON COLUMN sluice.product_org_staging.name IS 'what it is called';
COMMENT ON COLUMN sluice.product_org_staging.plan_id IS 'the sender''s id of its plan';
COMMENT ON COLUMN sluice.product_org_staging.plan_name IS 'what the plan is called';
COMMENT ON COLUMN sluice.product_org_staging.user_count IS 'how many users it has';
COMMENT ON COLUMN sluice.product_org_staging.mrr IS 'monthly recurring revenue in cents';
COMMENT ON COLUMN sluice.product_org_staging.trial_status IS
    'whether it tries the product, in the sender''s words';
COMMENT ON COLUMN sluice.product_org_staging.last_active_at IS
    'when it was last active, as the sender says; decides which update is the latest';
COMMENT ON COLUMN sluice.product_org_staging.feature_flags IS 'an object of flags, numbers exact';
COMMENT ON COLUMN sluice.product_org_staging.custom IS
    'what the template has under "custom", numbers exact; null when nothing of it was found';
COMMENT ON COLUMN sluice.product_org_staging.warnings IS
    'fields that are null although the payload had something for them, as in the answer: '
    '[{"field":…,"reason":…}]; null when there are none';
COMMENT ON COLUMN sluice.product_org_staging.message_id IS
    'the delivery''s id by which the sender could recognise it';
COMMENT ON COLUMN sluice.product_org_staging.request_id IS
    'of the request that brought it: the answer''s X-Request-Id, also in the log';
COMMENT ON COLUMN sluice.product_org_staging.mapped_rule IS 'which rule a consumer applied';
COMMENT ON COLUMN sluice.product_org_staging.payload IS
    'all of the update, from the received text, numbers exact';
COMMENT ON COLUMN sluice.product_org_staging.payload_raw IS
    'the received bytes, only when payload_repaired';
COMMENT ON INDEX sluice.product_org_staging_pkey IS 'as that of signal_staging';
COMMENT ON CONSTRAINT product_org_staging_payload_raw_check ON sluice.product_org_staging IS
    'received bytes are kept only where the payload differs from them';
COMMENT ON CONSTRAINT product_org_staging_feature_flags_check ON sluice.product_org_staging IS
    'an object, as the template''s field takes';
COMMENT ON CONSTRAINT product_org_staging_custom_check ON sluice.product_org_staging IS
    'an object of names and values';
COMMENT ON CONSTRAINT product_org_staging_warnings_check ON sluice.product_org_staging IS
    'an array of fields and reasons';

SELECT sluice.make_claimable('product_org_staging', 'product_orgs');
CREATE INDEX product_org_staging_product_org_idx
    ON sluice.product_org_staging (organization_id, product_org_id);
COMMENT ON INDEX sluice.product_org_staging_product_org_idx IS
    'all updates of a product org, for people and for product_org_current';
GRANT SELECT ON sluice.product_org_staging TO sluice_reader;

-- As in 0003: pg_partman computes bounds in the session's time zone.
SET LOCAL TimeZone = 'UTC';
DO $do$
BEGIN
    PERFORM partman.create_parent(
        p_parent_table => 'sluice.product_org_staging',
        p_control => 'received_at',
        p_type => 'native',
        p_interval => 'daily',
        p_premake => 7,
        p_automatic_maintenance => 'off',
        p_jobmon => false);
    UPDATE partman.part_config
    SET inherit_privileges = true, infinite_time_partitions = true, ignore_default_data = true
    WHERE parent_table = 'sluice.product_org_staging';
    PERFORM partman.reapply_privileges('sluice.product_org_staging');
END
$do$;

INSERT INTO sluice.retention (table_name, keep, meaning) VALUES
    ('product_org_staging', interval '90 days',
        'the days'' partitions are dropped, whatever the status of their updates; '
        'product_org_current keeps the latest state of each product org');

-- ---- consumers ----

CREATE FUNCTION sluice.claim_product_orgs(consumer text, max_rows integer, lease interval,
    organization text DEFAULT NULL) RETURNS SETOF sluice.product_org_staging
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM sluice.claim_rows(NULL::sluice.product_org_staging, consumer,
        max_rows, lease, organization);
END
$$;
COMMENT ON FUNCTION sluice.claim_product_orgs(text, integer, interval, text) IS
    'claim_signals for product-org updates. Updates of one product org may be with several '
    'consumers at the same time, and are not in order: who needs the latest state reads '
    'product_org_current, or keeps last_active_at and leaves older updates aside.';

CREATE FUNCTION sluice.finish_product_orgs(ids bigint[], status sluice.staging_status,
    error text DEFAULT NULL, rule text DEFAULT NULL, claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_final(status);
    RETURN sluice.report_rows('sluice.product_org_staging', ids, claim, status, error, rule, NULL);
END
$$;
COMMENT ON FUNCTION sluice.finish_product_orgs(bigint[], sluice.staging_status, text, text,
    bigint) IS 'finish_signals for product-org updates.';

CREATE FUNCTION sluice.release_product_orgs(ids bigint[], claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.report_rows('sluice.product_org_staging', ids, claim, 'pending', NULL, NULL,
        NULL);
END
$$;
COMMENT ON FUNCTION sluice.release_product_orgs(bigint[], bigint) IS
    'release_signals for product-org updates.';

CREATE FUNCTION sluice.extend_product_orgs(ids bigint[], lease interval,
    claim bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_lease(lease);
    RETURN sluice.report_rows('sluice.product_org_staging', ids, claim, 'processing', NULL, NULL,
        lease);
END
$$;
COMMENT ON FUNCTION sluice.extend_product_orgs(bigint[], interval, bigint) IS
    'extend_signals for product-org updates.';

GRANT EXECUTE ON FUNCTION
    sluice.claim_product_orgs(text, integer, interval, text),
    sluice.finish_product_orgs(bigint[], sluice.staging_status, text, text, bigint),
    sluice.release_product_orgs(bigint[], bigint),
    sluice.extend_product_orgs(bigint[], interval, bigint)
TO sluice_consumer;

-- Read from the queues' indexes: what is finished does not slow it down.
CREATE VIEW sluice.backlog AS
SELECT
    o.name AS organization,
    s.table_name,
    count(*) FILTER (WHERE s.status = 'pending') AS pending,
    count(*) FILTER (WHERE s.status = 'processing') AS processing,
    count(*) FILTER (WHERE s.status = 'processing' AND s.due_at < now()) AS lease_ended,
    count(*) FILTER (WHERE s.status = 'failed') AS failed,
    min(s.received_at) FILTER (WHERE s.status = 'pending') AS oldest_pending_at,
    now() - min(s.received_at) FILTER (WHERE s.status = 'pending') AS oldest_pending_age
FROM (
    SELECT 'signal_staging' AS table_name, a.organization_id, a.status, a.due_at, a.received_at
    FROM sluice.signal_staging AS a
    WHERE a.status IN ('pending', 'processing', 'failed')
    UNION ALL
    SELECT 'product_org_staging', p.organization_id, p.status, p.due_at, p.received_at
    FROM sluice.product_org_staging AS p
    WHERE p.status IN ('pending', 'processing', 'failed')
) AS s
JOIN sluice.organization AS o ON o.id = s.organization_id
GROUP BY o.name, s.table_name;
COMMENT ON VIEW sluice.backlog IS
    'What consumers have still to do, by organization and staging table; where there is nothing to '
    'do there is no row.';
COMMENT ON COLUMN sluice.backlog.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.backlog.table_name IS 'signal_staging or product_org_staging';
COMMENT ON COLUMN sluice.backlog.pending IS 'rows that wait for a consumer';
COMMENT ON COLUMN sluice.backlog.processing IS 'rows that a consumer has claimed';
COMMENT ON COLUMN sluice.backlog.lease_ended IS
    'of them, those whose lease has ended without a report: claimed again soon';
COMMENT ON COLUMN sluice.backlog.failed IS 'rows that will be tried again';
COMMENT ON COLUMN sluice.backlog.oldest_pending_at IS 'when the oldest waiting one was received';
COMMENT ON COLUMN sluice.backlog.oldest_pending_age IS 'how long it has waited';
GRANT SELECT ON sluice.backlog TO sluice_reader;

-- ---- the latest state ----

CREATE TABLE sluice.product_org_state (
    organization_id bigint NOT NULL,
    product_org_id text COLLATE "C" NOT NULL,
    name text,
    plan_id text,
    plan_name text,
    user_count bigint,
    mrr bigint,
    trial_status text,
    last_active_at timestamptz,
    feature_flags jsonb,
    custom jsonb,
    received_at timestamptz NOT NULL,
    id bigint NOT NULL,
    key_id bigint NOT NULL,
    PRIMARY KEY (organization_id, product_org_id)
) WITH (fillfactor = 80);
COMMENT ON TABLE sluice.product_org_state IS
    'The latest update of each product org, as of the last sluicectl maintain. Read '
    'product_org_current, which adds what has come since. Kept for ever, also when the update itself '
    'is past retention.';
COMMENT ON COLUMN sluice.product_org_state.organization_id IS 'whose it is; organization.id';
COMMENT ON COLUMN sluice.product_org_state.product_org_id IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.name IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.plan_id IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.plan_name IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.user_count IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.mrr IS 'as in product_org_staging, in cents';
COMMENT ON COLUMN sluice.product_org_state.trial_status IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.last_active_at IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.feature_flags IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.custom IS 'as in product_org_staging';
COMMENT ON COLUMN sluice.product_org_state.received_at IS 'when the update was received';
COMMENT ON COLUMN sluice.product_org_state.id IS
    'which update it was; product_org_staging.id, as long as that is kept';
COMMENT ON COLUMN sluice.product_org_state.key_id IS 'the key it was sent with; api_key.id';

-- Transactions are numbered by each cluster: the numbers of another one mean nothing here.
CREATE TABLE sluice.product_org_fold (
    only_row boolean PRIMARY KEY DEFAULT true
        CONSTRAINT product_org_fold_only_row_check CHECK (only_row),
    cluster bigint NOT NULL,
    folded_xact bigint NOT NULL
);
COMMENT ON TABLE sluice.product_org_fold IS
    'Up to where product_org_staging has been folded into product_org_state. One row.';
COMMENT ON COLUMN sluice.product_org_fold.only_row IS 'true';
COMMENT ON COLUMN sluice.product_org_fold.cluster IS
    'the database cluster whose transaction number it is (system_identifier of pg_control_system): '
    'in any other, into which this was restored, all is folded anew, which changes nothing that is '
    'right';
COMMENT ON COLUMN sluice.product_org_fold.folded_xact IS
    'rows with a stored_xact before this one are in product_org_state';
COMMENT ON CONSTRAINT product_org_fold_only_row_check ON sluice.product_org_fold IS 'one row';
INSERT INTO sluice.product_org_fold (cluster, folded_xact)
SELECT c.system_identifier, 0 FROM pg_catalog.pg_control_system() AS c;

-- What is new is little, but the planner cannot know it: for a lower bound alone it expects a third of
-- all rows, for a span few.
CREATE VIEW sluice.product_org_news AS
SELECT s.organization_id, s.product_org_id, s.name, s.plan_id, s.plan_name, s.user_count, s.mrr,
    s.trial_status, s.last_active_at, s.feature_flags, s.custom, s.received_at, s.id, s.key_id,
    s.stored_xact
FROM sluice.product_org_staging AS s
WHERE s.stored_xact >= (SELECT CASE WHEN f.cluster = c.system_identifier THEN f.folded_xact
        ELSE 0 END
    FROM sluice.product_org_fold AS f, pg_catalog.pg_control_system() AS c)
    AND s.stored_xact < 9223372036854775807;
COMMENT ON VIEW sluice.product_org_news IS
    'What product_org_staging has that is not in product_org_state yet. For product_org_current and '
    'fold_product_orgs.';

-- What arrives without last_active_at was so when it was received.
CREATE VIEW sluice.product_org_current AS
SELECT t.organization_id, t.product_org_id, t.name, t.plan_id, t.plan_name, t.user_count, t.mrr,
    t.trial_status, t.last_active_at, t.feature_flags, t.custom, t.received_at, t.id, t.key_id
FROM sluice.product_org_state AS t
WHERE NOT EXISTS (SELECT FROM sluice.product_org_news AS n
    WHERE n.organization_id = t.organization_id AND n.product_org_id = t.product_org_id
        AND (coalesce(n.last_active_at, n.received_at), n.received_at, n.id)
            > (coalesce(t.last_active_at, t.received_at), t.received_at, t.id))
UNION ALL
SELECT n.organization_id, n.product_org_id, n.name, n.plan_id, n.plan_name, n.user_count, n.mrr,
    n.trial_status, n.last_active_at, n.feature_flags, n.custom, n.received_at, n.id, n.key_id
FROM (
    SELECT DISTINCT ON (m.organization_id, m.product_org_id) m.*
    FROM sluice.product_org_news AS m
    ORDER BY m.organization_id, m.product_org_id,
        coalesce(m.last_active_at, m.received_at) DESC, m.received_at DESC, m.id DESC
) AS n
WHERE NOT EXISTS (SELECT FROM sluice.product_org_state AS t
    WHERE t.organization_id = n.organization_id AND t.product_org_id = n.product_org_id
        AND (coalesce(t.last_active_at, t.received_at), t.received_at, t.id)
            >= (coalesce(n.last_active_at, n.received_at), n.received_at, n.id));
COMMENT ON VIEW sluice.product_org_current IS
    'The latest state of each product org, one row each, exact at the moment of the query: of its '
    'updates the one with the latest last_active_at (received_at where that is null), of those the '
    'one received last. Reads product_org_state and what has come since the last sluicectl '
    'maintain, so it is as quick as that is small.';

DO $do$
DECLARE
    view_name text;
    comment record;
BEGIN
    FOREACH view_name IN ARRAY ARRAY['product_org_news', 'product_org_current'] LOOP
        FOR comment IN
            SELECT a.attname, coalesce(col_description('sluice.product_org_state'::regclass,
                t.attnum), 'as in product_org_staging') AS description
            FROM pg_catalog.pg_attribute AS a
            LEFT JOIN pg_catalog.pg_attribute AS t
                ON t.attrelid = 'sluice.product_org_state'::regclass AND t.attname = a.attname
            WHERE a.attrelid = format('sluice.%I', view_name)::regclass AND a.attnum > 0
        LOOP
            EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', view_name, comment.attname,
                comment.description);
        END LOOP;
    END LOOP;
END
$do$;
GRANT SELECT ON sluice.product_org_state, sluice.product_org_fold, sluice.product_org_news,
    sluice.product_org_current TO sluice_reader;

CREATE FUNCTION sluice.fold_product_orgs(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    settled bigint := sluice.settled_xact(); -- before anything is read
    its_cluster bigint := (SELECT c.system_identifier FROM pg_control_system() AS c);
    first bigint;
    upto bigint;
    folded bigint;
BEGIN
    PERFORM FROM sluice.product_org_fold AS f FOR NO KEY UPDATE;
    -- So many transactions at a time, each of which has stored a row or many, from the first one
    -- that has stored any.
    SELECT min(n.stored_xact) INTO first
    FROM sluice.product_org_news AS n WHERE n.stored_xact < settled;
    IF first IS NULL THEN
        UPDATE sluice.product_org_fold AS f
        SET cluster = its_cluster, folded_xact = settled;
        RETURN 0;
    END IF;
    upto := least(first + max_rows, settled);

    INSERT INTO sluice.product_org_state AS t (organization_id, product_org_id, name, plan_id,
        plan_name, user_count, mrr, trial_status, last_active_at, feature_flags, custom, received_at,
        id, key_id)
    SELECT DISTINCT ON (n.organization_id, n.product_org_id) n.organization_id, n.product_org_id,
        n.name, n.plan_id, n.plan_name, n.user_count, n.mrr, n.trial_status, n.last_active_at,
        n.feature_flags, n.custom, n.received_at, n.id, n.key_id
    FROM sluice.product_org_news AS n
    WHERE n.stored_xact < upto
    ORDER BY n.organization_id, n.product_org_id,
        coalesce(n.last_active_at, n.received_at) DESC, n.received_at DESC, n.id DESC
    ON CONFLICT (organization_id, product_org_id) DO UPDATE
    SET name = excluded.name, plan_id = excluded.plan_id, plan_name = excluded.plan_name,
        user_count = excluded.user_count, mrr = excluded.mrr, trial_status = excluded.trial_status,
        last_active_at = excluded.last_active_at, feature_flags = excluded.feature_flags,
        custom = excluded.custom, received_at = excluded.received_at, id = excluded.id,
        key_id = excluded.key_id
    WHERE (coalesce(t.last_active_at, t.received_at), t.received_at, t.id)
        < (coalesce(excluded.last_active_at, excluded.received_at), excluded.received_at,
            excluded.id);
    GET DIAGNOSTICS folded = ROW_COUNT;
    UPDATE sluice.product_org_fold AS f
    SET cluster = its_cluster, folded_xact = upto;
    RETURN greatest(folded, 1);
END
$$;
COMMENT ON FUNCTION sluice.fold_product_orgs(integer) IS
    'A maintenance step: folds the product-org updates of up to so many transactions into '
    'product_org_state and returns how many product orgs changed, 1 at least while there are '
    'updates left.';

INSERT INTO sluice.maintenance_step (name, position, unit, description) VALUES
    -- Before partitions are dropped: what is in them must be known by then.
    ('fold_product_orgs', 50, 'product orgs', 'the latest state of each product org');

RESET ROLE;
