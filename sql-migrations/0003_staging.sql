-- Where deliveries land. The tables are append-only and partitioned by UTC day of receipt; what
-- consumers change is in 0005. People read them through the views of the contract's names
-- (views/staging.sql): signal_staging is signal with its status.
--
-- No foreign keys (they lock rows of the table they point to), no triggers, no CHECK constraints on
-- what each request inserts, and few indexes: all of it would be paid for by each row. Days that are
-- over get their indexes from sluicectl maintain (day_index, 0006).

SET LOCAL ROLE sluice_owner;

-- 1,024 ids at a time: a group takes a block of them by one call of nextval.
CREATE SEQUENCE sluice.signal_id AS bigint INCREMENT BY 1024;
COMMENT ON SEQUENCE sluice.signal_id IS
    'Ids of everything that is delivered, in all staging tables, by blocks of 1,024. Gaps are normal, '
    'and ids are not in the order of commits: do not follow a table by "id > last id".';

-- Kept out of functions/: a dump takes them along as they are, and migrate --repair replaces the
-- constant after a restore into a younger cluster.
CREATE FUNCTION sluice.xact_offset() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 0;
COMMENT ON FUNCTION sluice.xact_offset() IS
    'What is added to this cluster''s transaction numbers to make stored_xact, so that the numbers '
    'go on rising after a restore into another cluster. 0 until then.';
CREATE FUNCTION sluice.stored_xact() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN pg_current_xact_id()::text::bigint + sluice.xact_offset();
COMMENT ON FUNCTION sluice.stored_xact() IS
    'The number of the current transaction, as kept with what it stores.';

CREATE TYPE sluice.staging_status AS ENUM
    ('pending', 'processing', 'completed', 'failed', 'skipped', 'permanently_failed');
COMMENT ON TYPE sluice.staging_status IS
    'What became of a delivered row: pending until a consumer claims it (processing), then one of '
    'the others; failed is tried again.';

CREATE TABLE sluice.signal (
    id bigint NOT NULL,
    organization_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    occurred_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    stored_xact bigint NOT NULL DEFAULT sluice.stored_xact(),
    source text NOT NULL,
    event_type text,
    event_name text,
    email text,
    user_id text,
    anonymous_id text,
    product_user_id text,
    crm_id text,
    marketing_automation_id text,
    phone text,
    product_org_id text,
    message_id text,
    request_id text NOT NULL,
    payload jsonb NOT NULL,
    payload_raw bytea,
    envelope jsonb,
    warnings jsonb,
    PRIMARY KEY (id, organization_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX signal_stored_xact_idx ON sluice.signal USING brin (received_at, stored_xact)
    WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE sluice.signal_cold_storage (
    LIKE sluice.signal INCLUDING DEFAULTS,
    payload_repaired boolean NOT NULL GENERATED ALWAYS AS (payload_raw IS NOT NULL) STORED,
    PRIMARY KEY (id, organization_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX signal_cold_storage_received_at_idx
    ON sluice.signal_cold_storage USING brin (received_at);
CREATE INDEX signal_cold_storage_anonymous_id_idx
    ON sluice.signal_cold_storage (organization_id, anonymous_id) WHERE anonymous_id IS NOT NULL;

COMMENT ON TABLE sluice.signal IS
    'Signals as delivered, one row each, never updated. Read signal_staging, which adds the status. '
    'One partition per UTC day of receipt; rows outside of all days go to signal_default, which '
    'should stay empty.';
COMMENT ON TABLE sluice.signal_cold_storage IS
    'Signals that name nobody (no email, user id, CRM id, phone and so on). They are moved to signal '
    'when their anonymous id arrives together with an identity. Columns and partitions as in signal.';
COMMENT ON INDEX sluice.signal_pkey IS
    'By id, because that is what a sender is told; the organization, so that the table distributes '
    'by it; received_at, because a partitioned table demands it.';
COMMENT ON INDEX sluice.signal_cold_storage_pkey IS 'as that of signal';
COMMENT ON INDEX sluice.signal_stored_xact_idx IS
    'spans of time within a day, and new rows for consumers and followers; a few pages';
COMMENT ON INDEX sluice.signal_cold_storage_received_at_idx IS
    'spans of time within a day; a few pages, filled in by autovacuum';
COMMENT ON INDEX sluice.signal_cold_storage_anonymous_id_idx IS
    'the waiting signals of a visitor who is identified';

COMMENT ON COLUMN sluice.signal_cold_storage.payload_repaired IS
    'true: the payload differs from what was received, see payload_raw';

-- The other columns are those of both tables, and get the same comments.
DO $do$
DECLARE
    table_name text;
    comment record;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['signal', 'signal_cold_storage']
    LOOP
        FOR comment IN VALUES
            ('id', 'from sequence signal_id; what the sender was told in the answer'),
            ('organization_id', 'whose signal it is; organization.id'),
            ('received_at', 'when the transaction that stored it began; decides the partition'),
            ('occurred_at', 'when it happened, as its timestamp says, corrected for the sender''s '
                'clock where that is known; else as received_at'),
            ('key_id', 'the key it was sent with; api_key.id'),
            ('stored_xact', 'the transaction that stored it, see stored_xact(); 0: it was moved '
                'here from cold storage, see signal_move'),
            ('source', 'by path, header, payload or detection; else generic'),
            ('event_type', 'the payload''s "type"'),
            ('event_name', 'the payload''s "event"'),
            ('email', 'normalised and lower-cased'),
            ('user_id', 'the sender''s id of the user'),
            ('anonymous_id', 'the sender''s id of a visitor it does not know'),
            ('product_user_id', 'the user''s id in the sender''s product'),
            ('crm_id', 'the id of a contact or record in a CRM'),
            ('marketing_automation_id', 'the id of a lead in a marketing automation'),
            ('phone', 'as sent'),
            ('product_org_id', 'the account or group of the product that it concerns'),
            ('message_id', 'the delivery''s id by which a repeat is recognised'),
            ('request_id',
                'of the request that brought it: the answer''s X-Request-Id, also in the log'),
            ('payload', 'the signal itself, from the received text, numbers exact'),
            ('payload_raw', 'the received bytes where the payload differs from them, because jsonb '
                'cannot hold some of it (\u0000 or a lone surrogate became U+FFFD); else null'),
            ('envelope', 'what stood beside the array of a batch; null without one'),
            ('warnings', 'what was there but could not be used, an array of objects; null: nothing')
        LOOP
            EXECUTE format('COMMENT ON COLUMN sluice.%I.%I IS %L', table_name, comment.column1,
                comment.column2);
        END LOOP;
    END LOOP;
END
$do$;

CREATE TABLE sluice.product_org_update (
    id bigint NOT NULL,
    organization_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    stored_xact bigint NOT NULL DEFAULT sluice.stored_xact(),
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
    warnings jsonb,
    message_id text,
    request_id text NOT NULL,
    payload jsonb NOT NULL,
    payload_raw bytea,
    envelope jsonb,
    PRIMARY KEY (id, organization_id, received_at)
) PARTITION BY RANGE (received_at);
CREATE INDEX product_org_update_stored_xact_idx ON sluice.product_org_update
    USING brin (received_at, stored_xact) WITH (pages_per_range = 32, autosummarize = on);
CREATE INDEX product_org_update_product_org_id_idx
    ON sluice.product_org_update (organization_id, product_org_id);
COMMENT ON TABLE sluice.product_org_update IS
    'Product-org updates as delivered, mapped by the payload template of their key, one row each, '
    'never updated. Read product_org_staging, which adds the status, or product_org_current, the '
    'latest state of each product org. Partitions as in signal.';
COMMENT ON COLUMN sluice.product_org_update.id IS
    'from sequence signal_id; what the sender was told in the answer';
COMMENT ON COLUMN sluice.product_org_update.organization_id IS 'whose update it is; organization.id';
COMMENT ON COLUMN sluice.product_org_update.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.product_org_update.key_id IS
    'the key it was sent with, whose payload template was applied; api_key.id';
COMMENT ON COLUMN sluice.product_org_update.stored_xact IS
    'the transaction that stored it, see stored_xact()';
COMMENT ON COLUMN sluice.product_org_update.product_org_id IS
    'the sender''s id of the product org: an account, workspace or tenant of its product';
COMMENT ON COLUMN sluice.product_org_update.name IS 'what it is called';
COMMENT ON COLUMN sluice.product_org_update.plan_id IS 'the sender''s id of its plan';
COMMENT ON COLUMN sluice.product_org_update.plan_name IS 'what the plan is called';
COMMENT ON COLUMN sluice.product_org_update.user_count IS 'how many users it has';
COMMENT ON COLUMN sluice.product_org_update.mrr IS 'monthly recurring revenue in cents';
COMMENT ON COLUMN sluice.product_org_update.trial_status IS
    'whether it tries the product, in the sender''s words';
COMMENT ON COLUMN sluice.product_org_update.last_active_at IS
    'when it was last active, as the sender says; decides which update is the latest';
COMMENT ON COLUMN sluice.product_org_update.feature_flags IS 'an object of flags, numbers exact';
COMMENT ON COLUMN sluice.product_org_update.custom IS
    'what the template has under "custom", an object; null when nothing of it was found';
COMMENT ON COLUMN sluice.product_org_update.warnings IS
    'fields that are null although the payload had something for them, as in the answer: '
    '[{"field":…,"reason":…}]; null when there are none';
COMMENT ON COLUMN sluice.product_org_update.message_id IS
    'the delivery''s id by which a repeat is recognised';
COMMENT ON COLUMN sluice.product_org_update.request_id IS
    'of the request that brought it: the answer''s X-Request-Id, also in the log';
COMMENT ON COLUMN sluice.product_org_update.payload IS
    'all of the update, from the received text, numbers exact';
COMMENT ON COLUMN sluice.product_org_update.payload_raw IS
    'the received bytes where the payload differs from them; else null';
COMMENT ON COLUMN sluice.product_org_update.envelope IS
    'what stood beside the array of a batch; null without one';
COMMENT ON INDEX sluice.product_org_update_pkey IS 'as that of signal';
COMMENT ON INDEX sluice.product_org_update_stored_xact_idx IS 'as that of signal';
COMMENT ON INDEX sluice.product_org_update_product_org_id_idx IS
    'all updates of a product org, for people and for product_org_current';

CREATE SEQUENCE sluice.rejected_payload_id AS bigint;
COMMENT ON SEQUENCE sluice.rejected_payload_id IS
    'Ids of rejected_payload. Gaps are normal, and ids are not in the order of commits.';

CREATE TABLE sluice.rejected_payload (
    id bigint NOT NULL DEFAULT nextval('sluice.rejected_payload_id'),
    organization_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    key_id bigint NOT NULL,
    position bigint
        CONSTRAINT rejected_payload_position_check CHECK (position >= 0),
    payload_bytes bigint,
    truncated boolean NOT NULL
        GENERATED ALWAYS AS (payload_bytes IS NULL OR payload_bytes > octet_length(payload)) STORED,
    kind text NOT NULL
        CONSTRAINT rejected_payload_kind_check
        CHECK (kind IN ('item', 'single', 'batch', 'lines')),
    code text NOT NULL,
    detail text NOT NULL,
    source text,
    request_id text NOT NULL,
    payload bytea NOT NULL,
    replayed_at timestamptz,
    replayed_by text,
    replayed_ids bigint[],
    PRIMARY KEY (id, organization_id, received_at),
    CONSTRAINT rejected_payload_replayed_check CHECK (
        (replayed_at IS NULL) = (replayed_by IS NULL)
        AND (replayed_at IS NULL) = (replayed_ids IS NULL))
) PARTITION BY RANGE (received_at);
COMMENT ON TABLE sluice.rejected_payload IS
    'What senders with a good key delivered and what could not be stored as a signal: bad items '
    'of batches, stored in the same transaction as the good ones, and bodies that could not be '
    'read, of those over a size limit the beginning. Nothing is kept for Prefer: '
    'handling=strict, nor of a body whose announced length is over the limit. See, repair and '
    'replay with sluicectl rejected. Partitions as in signal.';
COMMENT ON COLUMN sluice.rejected_payload.id IS
    'from sequence rejected_payload_id; what sluicectl rejected takes';
COMMENT ON COLUMN sluice.rejected_payload.organization_id IS 'whose it is; organization.id';
COMMENT ON COLUMN sluice.rejected_payload.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.rejected_payload.key_id IS 'the key it was sent with; api_key.id';
COMMENT ON COLUMN sluice.rejected_payload.position IS
    'which item of the body it was, from 0; null: it is the whole body';
COMMENT ON COLUMN sluice.rejected_payload.payload_bytes IS
    'how long it was in full; null when its end was not read';
COMMENT ON COLUMN sluice.rejected_payload.truncated IS
    'true: payload holds the beginning only, of a body as much as a request with one item may have';
COMMENT ON COLUMN sluice.rejected_payload.kind IS
    'how it was to be read: item (one JSON object), single (a body with one object or an array), '
    'batch (a body with an array or an envelope), lines (a body in NDJSON)';
COMMENT ON COLUMN sluice.rejected_payload.code IS
    'why it was rejected: the problem code that the sender was told';
COMMENT ON COLUMN sluice.rejected_payload.detail IS
    'the same in words, where known with the byte of the (decompressed) body';
COMMENT ON COLUMN sluice.rejected_payload.source IS
    'the source by path or header; null: none was given, so payload or detection decides';
COMMENT ON COLUMN sluice.rejected_payload.request_id IS
    'of the request that brought it: the answer''s X-Request-Id, also in the log';
COMMENT ON COLUMN sluice.rejected_payload.payload IS
    'the bytes: decompressed, unless that was what failed; the presented API key in them is '
    'overwritten by sk_xxx… of the same length';
COMMENT ON COLUMN sluice.rejected_payload.replayed_at IS
    'when it was last stored after all; null: it was not';
COMMENT ON COLUMN sluice.rejected_payload.replayed_by IS 'the actor who did that, as in audit_log';
COMMENT ON COLUMN sluice.rejected_payload.replayed_ids IS
    'ids of all signals that were made of it, in signal or signal_cold_storage';
COMMENT ON CONSTRAINT rejected_payload_position_check ON sluice.rejected_payload IS
    'items are counted from 0';
COMMENT ON CONSTRAINT rejected_payload_kind_check ON sluice.rejected_payload IS
    'the ways a body is read';
COMMENT ON CONSTRAINT rejected_payload_replayed_check ON sluice.rejected_payload IS
    'when, by whom and as what belong together';
COMMENT ON INDEX sluice.rejected_payload_pkey IS 'as that of signal';

CREATE TABLE sluice.signal_default PARTITION OF sluice.signal DEFAULT;
CREATE TABLE sluice.signal_cold_storage_default PARTITION OF sluice.signal_cold_storage DEFAULT;
CREATE TABLE sluice.product_org_update_default PARTITION OF sluice.product_org_update DEFAULT;
CREATE TABLE sluice.rejected_payload_default PARTITION OF sluice.rejected_payload DEFAULT;

RESET ROLE;
