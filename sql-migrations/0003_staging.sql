-- The staging tables: what senders delivered. They are append-only and partitioned by UTC day of
-- receipt; what consumers change is in 0005. People read the views signal_staging and
-- product_org_staging, which add the status (views/staging.sql).
--
-- Every inserted row pays for constraints and indexes, so there are no foreign keys (they also lock
-- rows of the table they point to), no triggers, no CHECK constraints, and few indexes. sluicectl
-- maintain builds the others once a day is over (day_index, 0006).

SET LOCAL ROLE sluice_owner;

-- A group takes a block of 1,024 ids with one call of nextval.
CREATE SEQUENCE sluice.signal_id AS bigint INCREMENT BY 1024;
COMMENT ON SEQUENCE sluice.signal_id IS
    'Ids of all staged rows, in blocks of 1,024. Gaps are normal, and ids are not in commit order: '
    'do not follow a table by "id > last id".';

-- Not in functions/, because migrate must not reset the constant: after a restore into another
-- cluster it is replaced (set_xact_offset). Both functions contain it, because PostgreSQL 18 does not
-- replan the callers of stored_xact when a function that it inlines is replaced.
CREATE FUNCTION sluice.xact_offset() RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 0;
COMMENT ON FUNCTION sluice.xact_offset() IS
    'Added to this cluster''s transaction ids to make stored_xact, so that stored_xact keeps '
    'rising after a restore into another cluster. 0 until then.';
CREATE FUNCTION sluice.stored_xact() RETURNS bigint
LANGUAGE sql VOLATILE
RETURN pg_current_xact_id()::text::bigint + 0;
COMMENT ON FUNCTION sluice.stored_xact() IS
    'The id of the current transaction plus xact_offset, as it is stored with new rows.';

CREATE TYPE sluice.staging_status AS ENUM
    ('pending', 'processing', 'completed', 'failed', 'skipped', 'permanently_failed');
COMMENT ON TYPE sluice.staging_status IS
    'pending until a consumer claims the row (processing); then one of the others. failed is '
    'retried.';

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
    traceparent text,
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
    'Signals as delivered, one row each, never updated. Read signal_staging, which adds the '
    'status. Partitioned by UTC day of receipt; rows without a day''s partition go to '
    'signal_default, which should stay empty.';
COMMENT ON TABLE sluice.signal_cold_storage IS
    'Signals without an identity (email, user id, CRM id, phone and so on). They move to signal '
    'once their anonymous id arrives together with an identity. Columns and partitions as in '
    'signal.';
COMMENT ON INDEX sluice.signal_pkey IS
    'id first, because the sender is told the id; organization_id, because a distributed table '
    'needs it; received_at, because a partitioned table needs it';
COMMENT ON INDEX sluice.signal_cold_storage_pkey IS 'like signal_pkey';
COMMENT ON INDEX sluice.signal_stored_xact_idx IS
    'finds time spans within a day, and new rows for consumers and followers; a few pages';
COMMENT ON INDEX sluice.signal_cold_storage_received_at_idx IS
    'finds time spans within a day; a few pages, kept up to date by autovacuum';
COMMENT ON INDEX sluice.signal_cold_storage_anonymous_id_idx IS
    'finds the signals of a visitor who has been identified';

COMMENT ON COLUMN sluice.signal_cold_storage.payload_repaired IS
    'true: the payload differs from the received bytes, see payload_raw';

-- Both tables have these columns, with the same comments.
DO $do$
DECLARE
    table_name text;
    comment record;
BEGIN
    FOREACH table_name IN ARRAY ARRAY['signal', 'signal_cold_storage']
    LOOP
        FOR comment IN VALUES
            ('id', 'from signal_id; the id in the answer to the sender'),
            ('organization_id', 'organization.id'),
            ('received_at', 'when the transaction that stored it began; decides the partition'),
            ('occurred_at', 'the signal''s own timestamp, corrected for the sender''s clock if '
                'possible; otherwise received_at'),
            ('key_id', 'the key it was sent with; api_key.id'),
            ('stored_xact', 'the transaction that stored it, see stored_xact(); 0: moved here from '
                'cold storage, see signal_move'),
            ('source', 'from path, header, payload or detection; otherwise generic'),
            ('event_type', 'the payload''s "type"'),
            ('event_name', 'the payload''s "event"'),
            ('email', 'normalised and lower-cased'),
            ('user_id', 'the sender''s id for the user'),
            ('anonymous_id', 'the sender''s id for a visitor who is not identified'),
            ('product_user_id', 'the user''s id in the sender''s product'),
            ('crm_id', 'the id of a contact or record in a CRM'),
            ('marketing_automation_id', 'the id of a lead in a marketing-automation system'),
            ('phone', 'phone number, as sent'),
            ('product_org_id', 'the account or group that it belongs to'),
            ('message_id', 'the delivery id, by which repeats are recognised'),
            ('request_id', 'X-Request-Id of the request, as in the answer and the log'),
            ('traceparent', 'traceparent of the request (W3C Trace Context), as in the log'),
            ('payload', 'the signal as received, numbers exact'),
            ('payload_raw', 'the received bytes if the payload differs from them: jsonb cannot hold '
                '\u0000 or a lone surrogate, which became U+FFFD'),
            ('envelope', 'the members beside the array of a batch'),
            ('warnings', 'values that could not be used, an array of objects; null: none')
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
    traceparent text,
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
    'Product-org updates as delivered and mapped by their key''s payload template, one row each, '
    'never updated. Read product_org_staging, which adds the status, or product_org_current for '
    'the latest state of each product org. Partitioned like signal.';
COMMENT ON COLUMN sluice.product_org_update.id IS
    'from signal_id; the id in the answer to the sender';
COMMENT ON COLUMN sluice.product_org_update.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.product_org_update.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.product_org_update.key_id IS
    'the key it was sent with, whose payload template was applied; api_key.id';
COMMENT ON COLUMN sluice.product_org_update.stored_xact IS
    'the transaction that stored it, see stored_xact()';
COMMENT ON COLUMN sluice.product_org_update.product_org_id IS
    'the sender''s id for the product org: an account, workspace or tenant';
COMMENT ON COLUMN sluice.product_org_update.name IS 'the product org''s name';
COMMENT ON COLUMN sluice.product_org_update.plan_id IS 'the sender''s id for its plan';
COMMENT ON COLUMN sluice.product_org_update.plan_name IS 'the plan''s name';
COMMENT ON COLUMN sluice.product_org_update.user_count IS 'number of users';
COMMENT ON COLUMN sluice.product_org_update.mrr IS 'monthly recurring revenue in the smallest unit of organization.currency: cents';
COMMENT ON COLUMN sluice.product_org_update.trial_status IS 'trial status, in the sender''s words';
COMMENT ON COLUMN sluice.product_org_update.last_active_at IS
    'when it was last active; decides which update is the latest';
COMMENT ON COLUMN sluice.product_org_update.feature_flags IS 'an object of flags, numbers exact';
COMMENT ON COLUMN sluice.product_org_update.custom IS
    'the template''s custom fields, an object; null if none was found';
COMMENT ON COLUMN sluice.product_org_update.warnings IS
    'fields that are null because their value was unusable, as in the answer: '
    '[{"field":…,"reason":…}]; null if there are none';
COMMENT ON COLUMN sluice.product_org_update.message_id IS
    'the delivery id, by which repeats are recognised';
COMMENT ON COLUMN sluice.product_org_update.request_id IS
    'X-Request-Id of the request, as in the answer and the log';
COMMENT ON COLUMN sluice.product_org_update.traceparent IS
    'traceparent of the request (W3C Trace Context), as in the log';
COMMENT ON COLUMN sluice.product_org_update.payload IS
    'the whole update as received, numbers exact';
COMMENT ON COLUMN sluice.product_org_update.payload_raw IS
    'the received bytes if the payload differs from them';
COMMENT ON COLUMN sluice.product_org_update.envelope IS 'the members beside the array of a batch';
COMMENT ON INDEX sluice.product_org_update_pkey IS 'like signal_pkey';
COMMENT ON INDEX sluice.product_org_update_stored_xact_idx IS 'like signal_stored_xact_idx';
COMMENT ON INDEX sluice.product_org_update_product_org_id_idx IS
    'finds all updates of a product org';

CREATE SEQUENCE sluice.rejected_payload_id AS bigint;
COMMENT ON SEQUENCE sluice.rejected_payload_id IS
    'Ids of rejected_payload. Gaps are normal, and ids are not in commit order.';

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
    envelope jsonb,
    bad_byte bigint
        CONSTRAINT rejected_payload_bad_byte_check CHECK (bad_byte >= 0),
    replayed_at timestamptz,
    replayed_by text,
    replayed_ids bigint[],
    discarded_at timestamptz,
    discarded_by text,
    PRIMARY KEY (id, organization_id, received_at),
    CONSTRAINT rejected_payload_replayed_check CHECK (
        (replayed_at IS NULL) = (replayed_by IS NULL)
        AND (replayed_at IS NULL) = (replayed_ids IS NULL)),
    CONSTRAINT rejected_payload_discarded_check CHECK (
        (discarded_at IS NULL) = (discarded_by IS NULL)
        AND (discarded_at IS NULL OR replayed_at IS NULL))
) PARTITION BY RANGE (received_at);
COMMENT ON TABLE sluice.rejected_payload IS
    'What arrived with a valid key but could not be stored as a signal: bad items of batches, '
    'stored in the same transaction as the good ones, and bodies that could not be read, of those '
    'over a size limit the beginning. Requests with Prefer: handling=strict and bodies whose announced '
    'length is over the limit are not kept. List, repair and replay with sluicectl rejected. '
    'Partitioned like signal.';
COMMENT ON COLUMN sluice.rejected_payload.id IS
    'from rejected_payload_id; the id for sluicectl rejected';
COMMENT ON COLUMN sluice.rejected_payload.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.rejected_payload.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.rejected_payload.key_id IS 'the key it was sent with; api_key.id';
COMMENT ON COLUMN sluice.rejected_payload.position IS
    'the item''s index in the body, from 0; null: the whole body';
COMMENT ON COLUMN sluice.rejected_payload.payload_bytes IS
    'the full length; null if the end was not read';
COMMENT ON COLUMN sluice.rejected_payload.truncated IS
    'true: payload is only the beginning: of a body as much as a request with one item may have, of an '
    'item its size limit';
COMMENT ON COLUMN sluice.rejected_payload.kind IS
    'how to read it: item (one JSON object), single (a body with an object or an array), batch (a '
    'body with an array or an envelope), lines (a body of NDJSON)';
COMMENT ON COLUMN sluice.rejected_payload.code IS 'the problem code that the sender was told';
COMMENT ON COLUMN sluice.rejected_payload.detail IS
    'the reason in words, with the byte offset in the decompressed body if known';
COMMENT ON COLUMN sluice.rejected_payload.source IS
    'the source from path or header; null: neither was given';
COMMENT ON COLUMN sluice.rejected_payload.request_id IS
    'X-Request-Id of the request, as in the answer and the log';
COMMENT ON COLUMN sluice.rejected_payload.payload IS
    'the bytes, decompressed unless decompression failed; the API key in them is overwritten with '
    'sk_xxx… of the same length';
COMMENT ON COLUMN sluice.rejected_payload.envelope IS
    'of an item: the members beside the array of its batch, whose defaults a replay gives it; null: '
    'there are none, or the whole body is kept';
COMMENT ON COLUMN sluice.rejected_payload.bad_byte IS
    'where payload is wrong, in bytes from 0; it may be behind the part that is kept; null: not known';
COMMENT ON COLUMN sluice.rejected_payload.replayed_at IS 'when it was last replayed; null: never';
COMMENT ON COLUMN sluice.rejected_payload.replayed_by IS 'the actor, as in audit_log';
COMMENT ON COLUMN sluice.rejected_payload.replayed_ids IS
    'ids of all rows made from it, in signal, signal_cold_storage or product_org_update';
COMMENT ON COLUMN sluice.rejected_payload.discarded_at IS
    'when somebody decided that it is not needed; null: it is, or it was replayed. Its bytes stay '
    'until the retention is over';
COMMENT ON COLUMN sluice.rejected_payload.discarded_by IS 'the actor, as in audit_log';
COMMENT ON CONSTRAINT rejected_payload_position_check ON sluice.rejected_payload IS
    'items are counted from 0';
COMMENT ON CONSTRAINT rejected_payload_bad_byte_check ON sluice.rejected_payload IS
    'bytes are counted from 0';
COMMENT ON CONSTRAINT rejected_payload_kind_check ON sluice.rejected_payload IS
    'the ways a body is read';
COMMENT ON CONSTRAINT rejected_payload_replayed_check ON sluice.rejected_payload IS
    'all three are set, or none';
COMMENT ON CONSTRAINT rejected_payload_discarded_check ON sluice.rejected_payload IS
    'both are set, or none, and not of what was replayed';
COMMENT ON INDEX sluice.rejected_payload_pkey IS 'like signal_pkey';

CREATE TABLE sluice.signal_default PARTITION OF sluice.signal DEFAULT;
COMMENT ON TABLE sluice.signal_default IS
    'rows of days without a partition; should be empty';
CREATE TABLE sluice.signal_cold_storage_default PARTITION OF sluice.signal_cold_storage DEFAULT;
COMMENT ON TABLE sluice.signal_cold_storage_default IS
    'rows of days without a partition; should be empty';
CREATE TABLE sluice.product_org_update_default PARTITION OF sluice.product_org_update DEFAULT;
COMMENT ON TABLE sluice.product_org_update_default IS
    'rows of days without a partition; should be empty';
CREATE TABLE sluice.rejected_payload_default PARTITION OF sluice.rejected_payload DEFAULT;
COMMENT ON TABLE sluice.rejected_payload_default IS
    'rows of days without a partition; should be empty';

RESET ROLE;
