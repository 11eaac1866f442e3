-- What intake needs besides the staging tables: the types of its parameters and results, message
-- ids already seen, usage, refusals, and known visitors.
--
-- Requests only add rows here. If they updated a row per key or organization, they would wait for
-- each other. sluicectl maintain adds the rows up.

SET LOCAL ROLE sluice_owner;

-- ---- the interface ----
--
-- These types never change after a release, because workers of the previous version keep running
-- during an upgrade. A release that needs other columns adds a type with another name, and a
-- function that takes it, and keeps the old ones.

CREATE TYPE sluice.intake_outcome AS ENUM ('accepted', 'other_template', 'unknown_key',
    'deactivated', 'expired', 'secret_missing', 'secret_wrong', 'wrong_endpoint', 'wrong_network',
    'limit_reached');
COMMENT ON TYPE sluice.intake_outcome IS
    'The result of authenticating a sender. other_template: its key is good, but nothing was stored, '
    'because the key has another payload template than its items were made by. The sender sees '
    'only 401 for unknown_key to secret_wrong, 403 for wrong_endpoint and wrong_network, 429 for limit_reached.';

CREATE TYPE sluice.intake_sender AS (
    key_hash bytea,
    secret_hash bytea,
    for_product_orgs boolean,
    template_version bigint
);
COMMENT ON TYPE sluice.intake_sender IS
    'A key and secret at an endpoint. All requests of a group that share them are one sender.';
COMMENT ON COLUMN sluice.intake_sender.key_hash IS 'SHA-256 of the key';
COMMENT ON COLUMN sluice.intake_sender.secret_hash IS 'SHA-256 of the secret; null: none was sent';
COMMENT ON COLUMN sluice.intake_sender.for_product_orgs IS
    'true: sent to the product-orgs endpoint; otherwise to that of signals';
COMMENT ON COLUMN sluice.intake_sender.template_version IS
    'api_key.template_version of the payload template that its items were made by; 0: it has no '
    'template yet; null: its items need none';

CREATE TYPE sluice.intake_signal AS (
    sender integer,
    request_id text,
    source text,
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
    fingerprint uuid,
    occurred_at timestamptz,
    payload text,
    payload_raw bytea,
    envelope integer,
    warnings jsonb,
    cold boolean,
    traceparent text
);
COMMENT ON TYPE sluice.intake_signal IS 'A signal to store.';
COMMENT ON COLUMN sluice.intake_signal.sender IS 'index into senders, from 1';
COMMENT ON COLUMN sluice.intake_signal.request_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.source IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.event_type IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.event_name IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.email IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.user_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.anonymous_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.product_user_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.crm_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.marketing_automation_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.phone IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.product_org_id IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.message_id IS 'as in signal; null: it has none';
COMMENT ON COLUMN sluice.intake_signal.fingerprint IS
    'as in delivery; null: without a message id, so repeats are stored';
COMMENT ON COLUMN sluice.intake_signal.occurred_at IS 'null: the time of receipt';
COMMENT ON COLUMN sluice.intake_signal.payload IS
    'text, converted to jsonb row by row: an array of jsonb would hold all of a large body parsed '
    'at once';
COMMENT ON COLUMN sluice.intake_signal.payload_raw IS
    'the received bytes if the payload was repaired';
COMMENT ON COLUMN sluice.intake_signal.envelope IS 'index into envelopes, from 1; null: none';
COMMENT ON COLUMN sluice.intake_signal.warnings IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.cold IS
    'true: it has no identity, so it goes to cold storage unless its visitor is known';
COMMENT ON COLUMN sluice.intake_signal.traceparent IS 'as in signal';

CREATE TYPE sluice.intake_product_org AS (
    sender integer,
    request_id text,
    product_org_id text,
    name text,
    plan_id text,
    plan_name text,
    user_count bigint,
    mrr bigint,
    trial_status text,
    last_active_at timestamptz,
    feature_flags text,
    custom text,
    warnings jsonb,
    message_id text,
    fingerprint uuid,
    payload text,
    payload_raw bytea,
    envelope integer,
    traceparent text
);
COMMENT ON TYPE sluice.intake_product_org IS 'A product-org update to store.';
DO $do$
DECLARE
    comment record;
BEGIN
    FOR comment IN
        SELECT a.attname, coalesce(
            CASE WHEN a.attname IN ('sender', 'fingerprint', 'payload', 'payload_raw', 'envelope')
                THEN 'as in intake_signal' END, 'as in product_org_update') AS description
        FROM pg_catalog.pg_attribute AS a
        JOIN pg_catalog.pg_type AS t ON t.typrelid = a.attrelid
        WHERE t.oid = 'sluice.intake_product_org'::regtype
    LOOP
        EXECUTE format('COMMENT ON COLUMN sluice.intake_product_org.%I IS %L', comment.attname,
            comment.description);
    END LOOP;
END
$do$;
CREATE TYPE sluice.intake_reject AS (
    sender integer,
    request_id text,
    position bigint,
    payload_bytes bigint,
    kind text,
    code text,
    detail text,
    source text,
    payload bytea,
    envelope integer,
    bad_byte bigint
);
COMMENT ON TYPE sluice.intake_reject IS
    'An item or body that cannot be stored as a signal; goes to rejected_payload.';
COMMENT ON COLUMN sluice.intake_reject.sender IS 'index into senders, from 1';
COMMENT ON COLUMN sluice.intake_reject.request_id IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.position IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.payload_bytes IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.kind IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.code IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.detail IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.source IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.payload IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.envelope IS 'as in intake_signal';
COMMENT ON COLUMN sluice.intake_reject.bad_byte IS 'as in rejected_payload';

CREATE TYPE sluice.intake_refusal AS (key_hash bytea, outcome text, requests bigint);
COMMENT ON TYPE sluice.intake_refusal IS
    'How many requests with a known key a worker has refused since its last report.';
COMMENT ON COLUMN sluice.intake_refusal.key_hash IS
    'SHA-256 of the key: a worker can count only for keys that were presented to it';
COMMENT ON COLUMN sluice.intake_refusal.outcome IS
    'the reason: an intake_outcome from deactivated on';
COMMENT ON COLUMN sluice.intake_refusal.requests IS 'how many, at least 1';

CREATE TYPE sluice.intake_result AS (
    outcomes sluice.intake_outcome[],
    key_ids bigint[],
    organization_ids bigint[],
    templates text[],
    template_versions bigint[],
    ids bigint[],
    repeated boolean[],
    cold boolean[]
);
COMMENT ON TYPE sluice.intake_result IS 'The result of intake.';
COMMENT ON COLUMN sluice.intake_result.outcomes IS
    'per sender. At limit_reached a request is still accepted if each of its items has an id here: '
    'all of them are repeats';
COMMENT ON COLUMN sluice.intake_result.key_ids IS
    'per sender: api_key.id; null if the key is unknown';
COMMENT ON COLUMN sluice.intake_result.organization_ids IS
    'per sender: the key''s organization; null if the key is unknown';
COMMENT ON COLUMN sluice.intake_result.templates IS
    'per sender: the key''s payload template if the outcome is other_template; null if no sender''s is';
COMMENT ON COLUMN sluice.intake_result.template_versions IS 'their versions; null as templates';
COMMENT ON COLUMN sluice.intake_result.ids IS
    'per signal, then per product org: the id of the row, or of the first delivery of a repeat; '
    'null if the sender was refused';
COMMENT ON COLUMN sluice.intake_result.repeated IS
    'per item, as ids: true for repeats; null if there are none';
COMMENT ON COLUMN sluice.intake_result.cold IS
    'per signal: true if stored in signal_cold_storage; null if none was';

-- ---- between the functions ----

CREATE TYPE sluice.stored_items AS (ids bigint[], repeated boolean[], cold boolean[]);
COMMENT ON TYPE sluice.stored_items IS 'The result of store_items. Internal.';
COMMENT ON COLUMN sluice.stored_items.ids IS 'as in intake_result';
COMMENT ON COLUMN sluice.stored_items.repeated IS 'as in intake_result';
COMMENT ON COLUMN sluice.stored_items.cold IS 'as in intake_result';

-- ---- deliveries with an id ----

CREATE TABLE sluice.delivery (
    organization_id bigint NOT NULL,
    key_scope bigint NOT NULL,
    fingerprint uuid NOT NULL,
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (key_scope, fingerprint, organization_id)
);
COMMENT ON TABLE sluice.delivery IS
    'Deliveries with a message id, by which repeats are recognised: the same fingerprint in the '
    'same scope stores nothing and is answered with the first id. The message id itself is in the '
    'stored row. Pruned after the time in retention, 7 days by default. Not partitioned, because '
    'uniqueness over all days is its purpose.';
COMMENT ON COLUMN sluice.delivery.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.delivery.key_scope IS
    'api_key.delivery_scope or api_key.id; message ids of different scopes are unrelated';
COMMENT ON COLUMN sluice.delivery.fingerprint IS
    'of the message id, and of the content that a repeat must share: event type and event name, '
    'the product org''s id, or all bytes. The first half is of the message id alone. Made by '
    'fingerprint()';
COMMENT ON COLUMN sluice.delivery.id IS
    'the stored row: signal.id, signal_cold_storage.id or product_org_update.id';
COMMENT ON COLUMN sluice.delivery.received_at IS 'when the transaction of the first delivery began';
COMMENT ON INDEX sluice.delivery_pkey IS
    'Stores a delivery once, even if two workers receive it at the same time. organization_id '
    'comes last, because the scope implies it and it would only be compared in vain.';

CREATE UNLOGGED SEQUENCE sluice.delivery_prune_from AS bigint MINVALUE 0 START 0;
COMMENT ON SEQUENCE sluice.delivery_prune_from IS
    'The page of delivery at which prune_deliveries continues. Scanning it costs less than an '
    'index on received_at would cost each delivery.';
CREATE UNLOGGED SEQUENCE sluice.delivery_pruned_at AS bigint MINVALUE 0 START 0;
COMMENT ON SEQUENCE sluice.delivery_pruned_at IS
    'When prune_deliveries last reached the end of delivery, in seconds since 1970.';

CREATE UNLOGGED TABLE sluice.delivery_import (
    stored_xact bigint NOT NULL,
    organization_id bigint NOT NULL,
    key_scope bigint NOT NULL,
    fingerprints uuid[] NOT NULL,
    ids bigint[] NOT NULL
);
ALTER TABLE sluice.delivery_import ALTER COLUMN fingerprints SET STORAGE EXTERNAL, -- not compressed
    ALTER COLUMN ids SET STORAGE EXTERNAL;
COMMENT ON TABLE sluice.delivery_import IS
    'Deliveries of bulk imports in progress, one row per chunk and sender. bulk_finish moves them '
    'to delivery, so that no request waits for an import. Other sessions never see a row here, so '
    'a crash loses nothing.';
COMMENT ON COLUMN sluice.delivery_import.stored_xact IS 'the import''s transaction';
COMMENT ON COLUMN sluice.delivery_import.organization_id IS 'as in delivery';
COMMENT ON COLUMN sluice.delivery_import.key_scope IS 'as in delivery';
COMMENT ON COLUMN sluice.delivery_import.fingerprints IS
    'fingerprints of the chunk''s deliveries, except repeats found so far';
COMMENT ON COLUMN sluice.delivery_import.ids IS 'ids of the stored rows, one per fingerprint';

-- ---- usage ----

CREATE TABLE sluice.usage_delta (
    organization_id bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    signals integer NOT NULL,
    duplicates integer NOT NULL,
    import_xact bigint
);
-- Without a key; a publication of all tables would refuse to delete from it.
ALTER TABLE sluice.usage_delta REPLICA IDENTITY FULL;
CREATE INDEX usage_delta_organization_id_idx ON sluice.usage_delta (organization_id);
COMMENT ON TABLE sluice.usage_delta IS
    'Usage of the last minutes: one row per organization and group, added by the transaction that '
    'stored the signals. Product-org updates count as signals. sluicectl maintain adds the rows to '
    'usage_hour and usage_month. Read usage_overview.';
COMMENT ON COLUMN sluice.usage_delta.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.usage_delta.counted_at IS 'when they were received';
COMMENT ON COLUMN sluice.usage_delta.signals IS 'signals stored';
COMMENT ON COLUMN sluice.usage_delta.duplicates IS 'repeats, which were not stored';
COMMENT ON COLUMN sluice.usage_delta.import_xact IS
    'the transaction of a bulk import, whose count bulk_finish may correct; otherwise null';
COMMENT ON INDEX sluice.usage_delta_organization_id_idx IS
    'finds the recent usage of an organization with a limit';

CREATE TABLE sluice.usage_month (
    organization_id bigint NOT NULL,
    month date NOT NULL
        CONSTRAINT usage_month_month_check CHECK (extract(day FROM month) = 1),
    signals bigint NOT NULL
        CONSTRAINT usage_month_signals_check CHECK (signals >= 0),
    duplicates bigint NOT NULL
        CONSTRAINT usage_month_duplicates_check CHECK (duplicates >= 0),
    PRIMARY KEY (organization_id, month)
);
COMMENT ON TABLE sluice.usage_month IS
    'Usage per calendar month (UTC), without the last minutes, which are in usage_delta. Read '
    'usage_overview. Billing needs it, so it is kept for ever.';
COMMENT ON COLUMN sluice.usage_month.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.usage_month.month IS 'first day of the month';
COMMENT ON COLUMN sluice.usage_month.signals IS 'signals stored';
COMMENT ON COLUMN sluice.usage_month.duplicates IS 'repeats, which were not stored';
COMMENT ON CONSTRAINT usage_month_month_check ON sluice.usage_month IS 'the first day of a month';
COMMENT ON CONSTRAINT usage_month_signals_check ON sluice.usage_month IS 'not negative';
COMMENT ON CONSTRAINT usage_month_duplicates_check ON sluice.usage_month IS 'not negative';

CREATE TABLE sluice.usage_hour (
    organization_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    signals bigint NOT NULL,
    duplicates bigint NOT NULL,
    PRIMARY KEY (organization_id, hour)
);
COMMENT ON TABLE sluice.usage_hour IS
    'Usage per hour, without the last minutes, which are in usage_delta. Pruned after the time in '
    'retention.';
COMMENT ON COLUMN sluice.usage_hour.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.usage_hour.hour IS 'start of the hour';
COMMENT ON COLUMN sluice.usage_hour.signals IS 'signals stored';
COMMENT ON COLUMN sluice.usage_hour.duplicates IS 'repeats, which were not stored';

-- ---- refused requests ----

CREATE TABLE sluice.refusal_delta (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    counted_at timestamptz NOT NULL,
    reason sluice.intake_outcome NOT NULL,
    requests bigint NOT NULL
        CONSTRAINT refusal_delta_requests_check CHECK (requests > 0)
);
-- Without a key; a publication of all tables would refuse to delete from it.
ALTER TABLE sluice.refusal_delta REPLICA IDENTITY FULL;
CREATE INDEX refusal_delta_key_id_idx ON sluice.refusal_delta (organization_id, key_id, counted_at);
COMMENT ON TABLE sluice.refusal_delta IS
    'Refused requests of the last minutes, reported by the workers at most every ten seconds. '
    'sluicectl maintain adds them to refused_request. Read key_health.';
COMMENT ON COLUMN sluice.refusal_delta.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refusal_delta.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.refusal_delta.counted_at IS
    'when the worker reported them, up to ten seconds late';
COMMENT ON COLUMN sluice.refusal_delta.reason IS 'why they were refused';
COMMENT ON COLUMN sluice.refusal_delta.requests IS 'how many';
COMMENT ON CONSTRAINT refusal_delta_requests_check ON sluice.refusal_delta IS 'positive';
COMMENT ON INDEX sluice.refusal_delta_key_id_idx IS 'finds the last refusals of a key';

CREATE TABLE sluice.refused_request (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    day date NOT NULL,
    reason sluice.intake_outcome NOT NULL,
    requests bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, day, reason)
);
COMMENT ON TABLE sluice.refused_request IS
    'Refused requests with a known key per key, day (UTC) and reason, without the last minutes, '
    'which are in refusal_delta. Holds nothing that was sent. Read key_health.';
COMMENT ON COLUMN sluice.refused_request.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refused_request.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.refused_request.day IS 'UTC day';
COMMENT ON COLUMN sluice.refused_request.reason IS 'why they were refused';
COMMENT ON COLUMN sluice.refused_request.requests IS 'how many';
COMMENT ON COLUMN sluice.refused_request.last_at IS
    'when the last of them was reported, up to ten seconds late';

-- ---- visitors who are known ----

CREATE TABLE sluice.identity (
    organization_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    anonymous_id text COLLATE "C" NOT NULL,
    user_id text,
    email text,
    signal_id bigint NOT NULL,
    identified_at timestamptz NOT NULL,
    looked_at timestamptz NOT NULL DEFAULT '-infinity',
    settled_at timestamptz,
    PRIMARY KEY (organization_id, id)
);
CREATE INDEX identity_anonymous_id_idx ON sluice.identity (organization_id, anonymous_id);
CREATE INDEX identity_email_idx ON sluice.identity (organization_id, email) WHERE email IS NOT NULL;
CREATE INDEX identity_user_id_idx ON sluice.identity (organization_id, user_id)
    WHERE user_id IS NOT NULL;
CREATE INDEX identity_unsettled_idx ON sluice.identity (looked_at) WHERE settled_at IS NULL;
COMMENT ON TABLE sluice.identity IS
    'Visitors who are known: anonymous ids that arrived together with an identity. Their signals '
    'go to signal, and their earlier ones move there from signal_cold_storage. A visitor may have '
    'two rows if two signals identify it at the same time; neither waits for the other. Pruned '
    'after the time in retention; later signals identify the visitor again.';
COMMENT ON COLUMN sluice.identity.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.identity.id IS 'numbers the rows';
COMMENT ON COLUMN sluice.identity.anonymous_id IS 'the sender''s id for the visitor';
COMMENT ON COLUMN sluice.identity.user_id IS 'the user id it first arrived with';
COMMENT ON COLUMN sluice.identity.email IS 'the email it first arrived with';
COMMENT ON COLUMN sluice.identity.signal_id IS 'the signal in which they arrived together';
COMMENT ON COLUMN sluice.identity.identified_at IS 'when the transaction of that signal began';
COMMENT ON COLUMN sluice.identity.looked_at IS
    'when sluicectl maintain last searched for cold signals of this visitor';
COMMENT ON COLUMN sluice.identity.settled_at IS
    'when it had found the last of them; null: it will search again';
COMMENT ON INDEX sluice.identity_pkey IS
    'starts with the organization, like all primary keys of tenant data';
COMMENT ON INDEX sluice.identity_anonymous_id_idx IS
    'tells whether a visitor is known; not unique, so that transactions do not wait for each '
    'other';
COMMENT ON INDEX sluice.identity_email_idx IS 'finds a person''s anonymous ids, see person_signals';
COMMENT ON INDEX sluice.identity_user_id_idx IS 'finds a person''s anonymous ids, see person_signals';
COMMENT ON INDEX sluice.identity_unsettled_idx IS
    'finds the visitors that sluicectl maintain must search for';
COMMENT ON SEQUENCE sluice.identity_id_seq IS 'numbers identities';

RESET ROLE;
