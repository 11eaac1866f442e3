-- Where signals land: signal_staging for consumers, signal_cold_storage for those without an
-- identity. Partitioned by day of receipt, UTC. One transaction.
--
-- No foreign keys (they lock rows of the table they point to), no triggers, and only the indexes
-- below: all of it would be paid for by each request.

SET LOCAL ROLE sluice_owner;

CREATE SEQUENCE sluice.signal_id AS bigint;
COMMENT ON SEQUENCE sluice.signal_id IS
    'Ids of everything that is delivered, in all staging tables. Gaps are normal, and ids are not '
    'in the order of commits: do not follow a table by "id > last id".';

CREATE TYPE sluice.staging_status AS ENUM
    ('pending', 'processing', 'completed', 'failed', 'skipped', 'permanently_failed');
COMMENT ON TYPE sluice.staging_status IS
    'What became of a delivered row: pending until a consumer claims it (processing), then one of '
    'the others; failed is tried again.';

CREATE TABLE sluice.signal_staging (
    organization_id bigint NOT NULL,
    id bigint NOT NULL DEFAULT nextval('sluice.signal_id'),
    received_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    status sluice.staging_status NOT NULL DEFAULT 'pending',
    payload_repaired boolean NOT NULL DEFAULT false,
    source text NOT NULL,
    event_type text,
    event_name text,
    email text,
    user_id text,
    anonymous_id text,
    message_id text,
    request_id text NOT NULL,
    mapped_rule text,
    error text,
    payload jsonb NOT NULL,
    payload_raw bytea,
    PRIMARY KEY (organization_id, id, received_at),
    CONSTRAINT signal_staging_payload_raw_check CHECK (payload_raw IS NULL OR payload_repaired)
) PARTITION BY RANGE (received_at);

CREATE TABLE sluice.signal_cold_storage (
    LIKE sluice.signal_staging INCLUDING DEFAULTS,
    PRIMARY KEY (organization_id, id, received_at),
    CONSTRAINT signal_cold_storage_payload_raw_check CHECK (payload_raw IS NULL OR payload_repaired)
) PARTITION BY RANGE (received_at);

CREATE INDEX signal_staging_pending_idx ON sluice.signal_staging (id) WHERE status = 'pending';
CREATE INDEX signal_staging_received_at_idx ON sluice.signal_staging USING brin (received_at);
CREATE INDEX signal_cold_storage_received_at_idx
    ON sluice.signal_cold_storage USING brin (received_at);

COMMENT ON TABLE sluice.signal_staging IS
    'Signals as delivered, one row each, waiting for or done by consumers. One partition per UTC '
    'day of receipt; rows outside of all days go to signal_staging_default, which should stay '
    'empty.';
COMMENT ON TABLE sluice.signal_cold_storage IS
    'Signals that name nobody (no email, user id, CRM id, phone and so on). They wait here until '
    'their anonymous id is identified. Columns and partitions as in signal_staging.';
COMMENT ON INDEX sluice.signal_staging_pkey IS
    'Begins with the organization, so that the table distributes by it; then the id, because '
    'people look for the id that the sender was given. Spans of time are served by the partitions '
    'and the BRIN index; received_at is in it because a partitioned table demands that.';
COMMENT ON INDEX sluice.signal_cold_storage_pkey IS 'as that of signal_staging';
COMMENT ON INDEX sluice.signal_staging_pending_idx IS
    'the consumers'' queue, oldest first, of all organizations; entries go when the status '
    'changes';
COMMENT ON INDEX sluice.signal_staging_received_at_idx IS
    'spans of time within a day; a few pages, filled in by autovacuum';
COMMENT ON INDEX sluice.signal_cold_storage_received_at_idx IS
    'spans of time within a day; a few pages, filled in by autovacuum';
COMMENT ON CONSTRAINT signal_staging_payload_raw_check ON sluice.signal_staging IS
    'received bytes are kept only where the payload differs from them';
COMMENT ON CONSTRAINT signal_cold_storage_payload_raw_check ON sluice.signal_cold_storage IS
    'received bytes are kept only where the payload differs from them';

-- Both tables have the same columns, so they get the same comments.
DO $do$
DECLARE
    table_name text;
    comment record;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['signal_staging', 'signal_cold_storage']
    LOOP
        FOR comment IN VALUES
            ('organization_id', 'whose signal it is; organization.id'),
            ('id', 'from sequence signal_id; what the sender was told in the answer'),
            ('received_at', 'when the transaction that stored it began; decides the partition'),
            ('occurred_at', 'when it happened, as its timestamp says; else as received_at'),
            ('key_id', 'the key it was sent with; api_key.id'),
            ('status', 'pending until a consumer claims it'),
            ('payload_repaired', 'true: the payload differs from what was received, because jsonb '
                'cannot hold some of it (\u0000 or a lone surrogate became U+FFFD)'),
            ('source', 'by path, header, payload or detection; else generic'),
            ('event_type', 'the payload''s "type"'),
            ('event_name', 'the payload''s "event"'),
            ('email', 'lower-cased; from the top level, traits, properties or context.traits'),
            ('user_id', 'the sender''s id of the user'),
            ('anonymous_id', 'the sender''s id of a visitor it does not know'),
            ('message_id', 'the delivery''s id by which the sender could recognise it'),
            ('request_id',
                'of the request that brought it: the answer''s X-Request-Id, also in the log'),
            ('mapped_rule', 'which rule a consumer applied'),
            ('error', 'what went wrong for a consumer'),
            ('payload', 'the signal itself, from the received text, numbers exact'),
            ('payload_raw', 'the received bytes, only when payload_repaired')
        LOOP
            EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', table_name, comment.column1,
                comment.column2);
        END LOOP;
    END LOOP;
END
$do$;

GRANT SELECT ON sluice.signal_staging, sluice.signal_cold_storage TO sluice_reader;

-- pg_partman computes bounds in the session's time zone.
SET LOCAL TimeZone = 'UTC';
DO $do$
DECLARE
    table_name text;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['sluice.signal_staging', 'sluice.signal_cold_storage']
    LOOP
        PERFORM partman.create_parent(
            p_parent_table => table_name,
            p_control => 'received_at',
            p_type => 'native',
            p_interval => 'daily',
            p_premake => 7,
            p_automatic_maintenance => 'off', -- see maintain_partitions
            p_jobmon => false);
        UPDATE partman.part_config
        SET inherit_privileges = true, -- owner and grants come from the parent
            infinite_time_partitions = true, -- make days ahead even after a quiet week
            ignore_default_data = true -- one stray row must not open a gap of days
        WHERE parent_table = table_name;
        PERFORM partman.reapply_privileges(table_name);
    END LOOP;
END
$do$;

-- pg_partman sets search_path for the session, which outlives a SET clause of this function; so it
-- is set and put back by hand.
CREATE FUNCTION sluice.maintain_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET TimeZone = 'UTC' AS $$
DECLARE
    callers_path text := pg_catalog.current_setting('search_path');
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
    PERFORM partman.run_maintenance('sluice.signal_staging', p_jobmon => false);
    PERFORM partman.run_maintenance('sluice.signal_cold_storage', p_jobmon => false);
    PERFORM pg_catalog.set_config('search_path', callers_path, false);
END
$$;
COMMENT ON FUNCTION sluice.maintain_partitions() IS
    'Makes the partitions of the coming seven days and drops those past the retention set in '
    'partman.part_config (none by default). To be called daily. pg_partman''s own run over all '
    'tables leaves these out, because it would cut days in the caller''s time zone instead of '
    'UTC.';
GRANT EXECUTE ON FUNCTION sluice.maintain_partitions() TO sluice_admin;

RESET ROLE;
