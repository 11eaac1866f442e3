-- What consumers change. The staging tables stay as delivered; a row of a queue says what is to be
-- done with a signal that consumers know of, a row of a result what was done. A signal in neither is
-- pending: no claim has come upon it yet.
--
-- Intake writes none of this. A claim that finds too little in the queue first feeds it: it takes in
-- what is visible now and was not at the last feed, by a pg_snapshot, which is exact whatever the
-- order of commits. Claiming updates a row of the queue in place (HOT: no index holds what changes),
-- finishing deletes it and adds the result.

SET LOCAL ROLE sluice_owner;

CREATE SEQUENCE sluice.claim_id AS bigint;
COMMENT ON SEQUENCE sluice.claim_id IS 'Numbers of claims, in all queues.';

CREATE TABLE sluice.claim (
    id bigint PRIMARY KEY,
    session bigint NOT NULL,
    claimed_by text NOT NULL,
    claimed_at timestamptz NOT NULL
);
COMMENT ON TABLE sluice.claim IS
    'The claims under which rows of the queues are held. sluicectl maintain removes those under which '
    'none is any more.';
COMMENT ON COLUMN sluice.claim.id IS 'from sequence claim_id; one for each call that claims';
COMMENT ON COLUMN sluice.claim.session IS
    'the first claim of the database session that made it: which session it was';
COMMENT ON COLUMN sluice.claim.claimed_by IS 'the consumer, as it called itself';
COMMENT ON COLUMN sluice.claim.claimed_at IS 'when it was made';

CREATE TYPE sluice.failure AS (failed_at timestamptz, failed_by text, error text, mapped_rule text);
COMMENT ON TYPE sluice.failure IS 'An attempt of a consumer that failed and will be repeated.';
COMMENT ON COLUMN sluice.failure.failed_at IS 'when that was reported';
COMMENT ON COLUMN sluice.failure.failed_by IS 'the consumer, as it called itself';
COMMENT ON COLUMN sluice.failure.error IS 'what went wrong, as the report said';
COMMENT ON COLUMN sluice.failure.mapped_rule IS 'which rule was applied, as the report said';

-- Not more than eight columns: the header of a row is eight bytes longer from nine on. The fillfactor
-- leaves each row of a page room to be claimed in it.
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

-- The tables for signals and for product orgs have the same columns, so they get the same comments.
DO $do$
DECLARE
    kind text;
    comment record;
BEGIN
    FOR comment IN
        SELECT k.kind, c.* FROM (VALUES ('signal'), ('product_org')) AS k (kind), (VALUES
            ('queue', 'id', 'as in the staging table'),
            ('queue', 'organization_id', 'as in the staging table'),
            ('queue', 'received_at', 'as in the staging table: where to find the row'),
            ('queue', 'due_at', 'from when on it may be claimed again after a failure; null: it has '
                'not failed, or it is claimed'),
            ('queue', 'claim_id', 'claim.id; a report under another one is too late and changes '
                'nothing; null: it is not claimed'),
            ('queue', 'lease_ends_at', 'when the claim ends without a report'),
            ('queue', 'attempts', 'how often it was claimed'),
            ('queue', 'last_failure', 'how its last attempt failed; null: none has'),
            ('result', 'id', 'as in the staging table'),
            ('result', 'organization_id', 'as in the staging table'),
            ('result', 'received_at', 'as in the staging table; decides the partition, so that results '
                'go with their signals'),
            ('result', 'finished_at', 'when it was reported'),
            ('result', 'claimed_at', 'when the claim began that ended so'),
            ('result', 'status', 'completed, skipped or permanently_failed'),
            ('result', 'attempts', 'how often it was claimed'),
            ('result', 'claimed_by', 'who did it, as it called itself'),
            ('result', 'error', 'what went wrong, as the report said'),
            ('result', 'mapped_rule', 'which rule was applied, as the report said'))
            AS c (suffix, name, description)
    LOOP
        EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', comment.kind || '_' || comment.suffix,
            comment.name, comment.description);
    END LOOP;
    FOREACH kind IN ARRAY ARRAY['signal', 'product_org'] LOOP
        EXECUTE format('COMMENT ON TABLE sluice.%I IS %L', kind || '_queue', 'What consumers know of '
            'and have not finished. Filled and emptied by the functions that claim and finish; read '
            'its staging view.');
        EXECUTE format('COMMENT ON TABLE sluice.%I IS %L', kind || '_result', 'What consumers have '
            'done, one row for each row that is finished, never updated. Partitions as in the staging '
            'table; read its staging view.');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_queue_pkey',
            'the queue, about the oldest first, and single rows for their reports');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_queue_due_at_idx',
            'what is to be tried again');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_pkey',
            'the status of a row');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_finished_at_idx',
            'what was done in a span of time');
        EXECUTE format('COMMENT ON INDEX sluice.%I IS %L', kind || '_result_failed_idx',
            'what has failed for good');
    END LOOP;
END
$do$;

CREATE TABLE sluice.feed (
    table_name text PRIMARY KEY,
    kind text NOT NULL UNIQUE,
    cluster bigint NOT NULL
);
COMMENT ON TABLE sluice.feed IS
    'The staging tables that consumers claim rows of. A feed holds the row''s lock; the row itself '
    'does not change.';
COMMENT ON COLUMN sluice.feed.table_name IS 'the staging table';
COMMENT ON COLUMN sluice.feed.kind IS 'what its queue and result are called by: signal_queue';
COMMENT ON COLUMN sluice.feed.cluster IS
    'the cluster whose transaction numbers the frontiers hold (system_identifier of '
    'pg_control_system); in another one the first feed looks again at the days since the last';
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
    'What the last feed of a queue could see; the row with the highest position counts. A new row '
    'each time, because versions of one row would pile up behind a transaction that stays open.';
COMMENT ON COLUMN sluice.feed_frontier.kind IS 'feed.kind';
COMMENT ON COLUMN sluice.feed_frontier.position IS 'rises from feed to feed';
COMMENT ON COLUMN sluice.feed_frontier.frontier IS
    'the transactions whose rows have been taken in: those that this snapshot sees';
COMMENT ON COLUMN sluice.feed_frontier.fed_at IS 'when it was taken';
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
    'Signals that were moved from cold storage to signal, with their ids and times: the days that a '
    'feed looks into need not be theirs. Pruned with delivery.';
COMMENT ON COLUMN sluice.signal_move.organization_id IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.id IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.received_at IS 'as in signal';
COMMENT ON COLUMN sluice.signal_move.stored_xact IS 'the transaction that moved it';
COMMENT ON COLUMN sluice.signal_move.moved_at IS 'when that transaction began';

-- A claim takes rows from the beginning of the queue. Every row that was finished leaves a dead
-- entry there, and while any transaction is open that might still see the row (a dump, for hours),
-- nobody can remove it: a claim that began at the very beginning would walk over all of them, each
-- time. So claims remember where the living begin, and begin there. This is remembered in sequences
-- because they are written in place: a row of a table would itself gather dead versions. Nothing
-- depends on them being right: a claim that finds too little begins at the very beginning again.
DO $do$
DECLARE
    kind text;
BEGIN
    FOREACH kind IN ARRAY ARRAY['signal', 'product_org'] LOOP
        EXECUTE format('CREATE UNLOGGED SEQUENCE sluice.%I AS bigint MINVALUE 0 START 0',
            kind || '_queue_from');
        EXECUTE format('COMMENT ON SEQUENCE sluice.%I IS %L', kind || '_queue_from',
            'The id from which claims look for rows of the queue that nobody has claimed.');
        EXECUTE format('CREATE UNLOGGED SEQUENCE sluice.%I AS bigint MINVALUE 0 START 0',
            kind || '_queue_search');
        EXECUTE format('COMMENT ON SEQUENCE sluice.%I IS %L', kind || '_queue_search',
            'When a claim may look from the very beginning again: microseconds since 1970.');
    END LOOP;
END
$do$;

RESET ROLE;
