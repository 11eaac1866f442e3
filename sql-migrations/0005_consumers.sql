-- What consumers change. The staging tables stay as delivered. A queue holds the rows that are
-- waiting or claimed, a result table those that are finished. A row in neither is pending: no claim
-- has queued it yet.
--
-- Intake does not write here. A claim that finds too few rows in the queue feeds it first: it adds
-- the rows that are visible now and were not at the last feed. A pg_snapshot tells them apart, so
-- this is exact in any order of commits. A claim updates its rows in place (HOT, as no index holds
-- the columns that change); finishing deletes them and adds results.

SET LOCAL ROLE sluice_owner;

CREATE SEQUENCE sluice.claim_id AS bigint;
COMMENT ON SEQUENCE sluice.claim_id IS 'Numbers the claims of all queues.';

CREATE TABLE sluice.claim (
    id bigint PRIMARY KEY,
    session bigint NOT NULL,
    claimed_by text NOT NULL,
    claimed_at timestamptz NOT NULL
);
COMMENT ON TABLE sluice.claim IS
    'Claims that hold rows of a queue. sluicectl maintain deletes those that hold none.';
COMMENT ON COLUMN sluice.claim.id IS 'from claim_id; one per call';
COMMENT ON COLUMN sluice.claim.session IS
    'the first claim of the same database session, which identifies the session';
COMMENT ON COLUMN sluice.claim.claimed_by IS 'the name that the consumer gave';
COMMENT ON COLUMN sluice.claim.claimed_at IS 'when it was made';

CREATE TYPE sluice.failure AS (failed_at timestamptz, failed_by text, error text, mapped_rule text);
COMMENT ON TYPE sluice.failure IS 'A failed attempt that will be retried.';
COMMENT ON COLUMN sluice.failure.failed_at IS 'when the consumer reported it';
COMMENT ON COLUMN sluice.failure.failed_by IS 'the name that the consumer gave';
COMMENT ON COLUMN sluice.failure.error IS 'the error that it reported';
COMMENT ON COLUMN sluice.failure.mapped_rule IS 'the rule that it reported';

-- At most eight columns: with nine, the header of a row with nulls is eight bytes longer. The
-- fillfactor leaves room on the page for a claimed version of each row.
CREATE TABLE sluice.signal_queue (
    id bigint NOT NULL,
    organization_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    due_at timestamptz,
    claim_id bigint,
    lease_ends_at timestamptz,
    attempts smallint NOT NULL DEFAULT 0,
    last_failure sluice.failure,
    PRIMARY KEY (id, organization_id)
) WITH (fillfactor = 43, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX signal_queue_due_at_idx ON sluice.signal_queue (due_at) WHERE due_at IS NOT NULL;
CREATE TABLE sluice.product_org_queue (LIKE sluice.signal_queue INCLUDING ALL)
    WITH (fillfactor = 43, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE sluice.signal_result (
    id bigint NOT NULL,
    organization_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    finished_at timestamptz NOT NULL,
    claimed_at timestamptz,
    status sluice.staging_status NOT NULL,
    attempts smallint NOT NULL,
    claimed_by text,
    error text,
    mapped_rule text,
    PRIMARY KEY (id, organization_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX signal_result_finished_at_idx ON sluice.signal_result
    USING brin (finished_at) WITH (pages_per_range = 32);
CREATE INDEX signal_result_failed_idx ON sluice.signal_result (received_at)
    WHERE status = 'permanently_failed';
CREATE TABLE sluice.product_org_result (
    LIKE sluice.signal_result INCLUDING DEFAULTS,
    PRIMARY KEY (id, organization_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX product_org_result_finished_at_idx ON sluice.product_org_result
    USING brin (finished_at) WITH (pages_per_range = 32);
CREATE INDEX product_org_result_failed_idx ON sluice.product_org_result (received_at)
    WHERE status = 'permanently_failed';
CREATE TABLE sluice.signal_result_default PARTITION OF sluice.signal_result DEFAULT;
CREATE TABLE sluice.product_org_result_default PARTITION OF sluice.product_org_result DEFAULT;

-- The tables for signals and for product orgs have the same columns and comments.
DO $do$
DECLARE
    kind text;
    comment record;
BEGIN
    FOR comment IN
        SELECT k.kind, c.* FROM (VALUES ('signal'), ('product_org')) AS k (kind), (VALUES
            ('queue', 'id', 'as in the staging table'),
            ('queue', 'organization_id', 'as in the staging table'),
            ('queue', 'received_at', 'as in the staging table; leads to the row''s partition'),
            ('queue', 'due_at', 'when a failed row may be claimed again; null: not failed, or claimed'),
            ('queue', 'claim_id', 'claim.id; reports with any other claim are ignored; null: not '
                'claimed'),
            ('queue', 'lease_ends_at', 'when the claim ends if nothing is reported'),
            ('queue', 'attempts', 'number of claims'),
            ('queue', 'last_failure', 'the last failed attempt; null: none'),
            ('result', 'id', 'as in the staging table'),
            ('result', 'organization_id', 'as in the staging table'),
            ('result', 'received_at', 'as in the staging table; decides the partition, so that results '
                'are dropped with their rows'),
            ('result', 'finished_at', 'when the consumer reported it'),
            ('result', 'claimed_at', 'when the last claim began'),
            ('result', 'status', 'completed, skipped or permanently_failed'),
            ('result', 'attempts', 'number of claims'),
            ('result', 'claimed_by', 'the name that the consumer gave'),
            ('result', 'error', 'the error that the consumer reported'),
            ('result', 'mapped_rule', 'the rule that the consumer reported'))
            AS c (suffix, name, description)
    LOOP
        EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', comment.kind || '_' || comment.suffix,
            comment.name, comment.description);
    END LOOP;
    FOREACH kind IN ARRAY ARRAY['signal', 'product_org'] LOOP
        EXECUTE format('COMMENT ON TABLE sluice.%I IS %L', kind || '_queue', 'Rows that are waiting, '
            'claimed or to be retried. Written by the functions that claim and finish; read the '
            'staging view.');
        EXECUTE format('COMMENT ON TABLE sluice.%I IS %L', kind || '_result', 'Finished rows, never '
            'updated. Partitioned like the staging table; read the staging view.');
        EXECUTE format('COMMENT ON TABLE sluice.%I IS %L', kind || '_result_default',
            'rows of days without a partition; should be empty');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_queue_pkey',
            'finds rows to claim, roughly the oldest first, and claimed rows');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_queue_due_at_idx',
            'finds rows to retry');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_pkey',
            'finds the status of a row');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_finished_at_idx',
            'finds what was finished in a span of time');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_failed_idx',
            'finds rows that failed for good');
    END LOOP;
END
$do$;

-- Not in functions/, because migrate must not reset it: notifications_set replaces it. It is a
-- constant, so reading it costs nothing, and a change invalidates the plans of all sessions at
-- once.
CREATE FUNCTION sluice.notifies_consumers() RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN false;
COMMENT ON FUNCTION sluice.notifies_consumers() IS
    'Whether transactions that store rows notify consumers. Set by notifications_set. Internal.';

CREATE TABLE sluice.feed (
    table_name text PRIMARY KEY,
    kind text NOT NULL UNIQUE,
    cluster bigint NOT NULL
);
COMMENT ON TABLE sluice.feed IS
    'The staging tables whose rows consumers can claim. Feeding a queue locks its row here and '
    'changes nothing in it.';
COMMENT ON COLUMN sluice.feed.table_name IS 'the staging table';
COMMENT ON COLUMN sluice.feed.kind IS
    'the prefix of its queue and result: signal_queue, signal_result';
COMMENT ON COLUMN sluice.feed.cluster IS
    'system_identifier of the cluster to which the frontiers belong. In any other cluster the '
    'first feed adopts the database (adopt_cluster)';
INSERT INTO sluice.feed (table_name, kind, cluster)
SELECT v.table_name, v.kind, c.system_identifier
FROM (VALUES ('signal', 'signal'), ('product_org_update', 'product_org')) AS v (table_name, kind),
    pg_catalog.pg_control_system() AS c;

CREATE TABLE sluice.feed_frontier (
    kind text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    frontier pg_snapshot NOT NULL,
    fed_at timestamptz NOT NULL,
    PRIMARY KEY (kind, position)
);
COMMENT ON TABLE sluice.feed_frontier IS
    'What the last feed of a queue has seen: the row with the highest position. Each feed adds a '
    'row and deletes the one before, because updates of a single row would pile up versions behind '
    'a transaction that stays open.';
COMMENT ON COLUMN sluice.feed_frontier.kind IS 'feed.kind';
COMMENT ON COLUMN sluice.feed_frontier.position IS 'rises with each feed';
COMMENT ON COLUMN sluice.feed_frontier.frontier IS
    'the queue has the rows of all transactions that this snapshot sees';
COMMENT ON COLUMN sluice.feed_frontier.fed_at IS 'when the frontier was taken';
COMMENT ON SEQUENCE sluice.feed_frontier_position_seq IS 'numbers feeds';
INSERT INTO sluice.feed_frontier (kind, frontier, fed_at)
SELECT f.kind, pg_current_snapshot(), now() FROM sluice.feed AS f;

CREATE TABLE sluice.signal_move (
    organization_id bigint NOT NULL,
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    stored_xact bigint NOT NULL DEFAULT sluice.stored_xact(),
    moved_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (stored_xact, id, organization_id)
);
COMMENT ON TABLE sluice.signal_move IS
    'Signals that were moved from cold storage to signal. Feeds and followers read it, because a '
    'moved signal keeps its day, which may be older than the days they look at. Pruned after the '
    'time in retention.';
COMMENT ON COLUMN sluice.signal_move.organization_id IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.id IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.received_at IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.stored_xact IS 'the transaction that moved it';
COMMENT ON COLUMN sluice.signal_move.moved_at IS 'when that transaction began';

-- Finished rows leave dead entries at the start of the queue's index. While a long transaction (a
-- dump) might still see them, vacuum cannot remove them, and a claim that started there would walk
-- over all of them. So claims remember the first id worth looking at. They keep it in a sequence,
-- which is written in place; a table row would itself gather dead versions. The value need not be
-- right: a claim that finds too few rows searches from the beginning.
DO $do$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['signal', 'product_org'] LOOP
        EXECUTE format('CREATE UNLOGGED SEQUENCE sluice.%I AS bigint MINVALUE 0 START 0',
            kind || '_queue_from');
        EXECUTE format('COMMENT ON SEQUENCE sluice.%I IS %L', kind || '_queue_from',
            'The id from which claims look for rows that are not claimed.');
        EXECUTE format('CREATE UNLOGGED SEQUENCE sluice.%I AS bigint MINVALUE 0 START 0',
            kind || '_queue_search');
        EXECUTE format('COMMENT ON SEQUENCE sluice.%I IS %L', kind || '_queue_search',
            'When a claim may search from the beginning again, in microseconds since 1970.');
    END LOOP;
END
$do$;

RESET ROLE;
