-- What intake needs beside the staging tables: its arguments and answers by name, the deliveries it
-- has seen, what it counts, and the visitors it knows.
--
-- Whatever a request adds here is added, not updated: rows that all requests of a key would update
-- make them wait for each other. sluicectl maintain adds the rows up.

SET LOCAL ROLE sluice_owner;

-- ---- the interface ----
--
-- A type of this section never changes after a release, because workers of the version before go on
-- during an upgrade: what a later release needs is a type with another name, and a function that
-- takes it beside the one that takes these.

CREATE TYPE sluice.intake_outcome AS ENUM ('accepted', 'unknown_key', 'deactivated', 'expired',
    'secret_missing', 'secret_wrong', 'wrong_endpoint', 'limit_reached');
COMMENT ON TYPE sluice.intake_outcome IS
    'What became of a sender''s requests. The sender is told no more than 401 for unknown_key to '
    'secret_wrong, 403 for wrong_endpoint and 429 for limit_reached.';

CREATE TYPE sluice.intake_sender AS (
    key_hash bytea,
    secret_hash bytea,
    for_product_orgs boolean,
    wants_template boolean
);
COMMENT ON TYPE sluice.intake_sender IS
    'A key with a secret at an endpoint, however many requests of a group came with it.';
COMMENT ON COLUMN sluice.intake_sender.key_hash IS 'SHA-256 of the key';
COMMENT ON COLUMN sluice.intake_sender.secret_hash IS
    'SHA-256 of the secret; null: none was sent';
COMMENT ON COLUMN sluice.intake_sender.for_product_orgs IS
    'true: the endpoint of product orgs; else that of signals';
COMMENT ON COLUMN sluice.intake_sender.wants_template IS
    'true: the key''s payload template is to be returned';

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
    repeat_by_bytes boolean,
    occurred_at timestamptz,
    payload text,
    payload_raw bytea,
    envelope integer,
    warnings jsonb,
    cold boolean
);
COMMENT ON TYPE sluice.intake_signal IS
    'A signal to be stored. Columns without a comment of their own are those of table signal.';
COMMENT ON COLUMN sluice.intake_signal.sender IS 'the number of its sender, from 1';
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
COMMENT ON COLUMN sluice.intake_signal.message_id IS 'as in signal; null: it has no id';
COMMENT ON COLUMN sluice.intake_signal.repeat_by_bytes IS
    'true: a repeat is the same id with the same bytes (a mail''s message_id); else the same id with '
    'the same event type and event name';
COMMENT ON COLUMN sluice.intake_signal.occurred_at IS 'null: receipt';
COMMENT ON COLUMN sluice.intake_signal.payload IS
    'text, which becomes jsonb row by row: as an array of jsonb a large body would be taken apart at '
    'once';
COMMENT ON COLUMN sluice.intake_signal.payload_raw IS
    'the received bytes where the payload was repaired, else null';
COMMENT ON COLUMN sluice.intake_signal.envelope IS
    'the number of its envelope among those of the call, from 1; null: none';
COMMENT ON COLUMN sluice.intake_signal.warnings IS 'as in signal';
COMMENT ON COLUMN sluice.intake_signal.cold IS
    'true: it has no identity, so that it is stored cold unless its visitor is known';

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
    repeat_by_bytes boolean,
    payload text,
    payload_raw bytea,
    envelope integer
);
COMMENT ON TYPE sluice.intake_product_org IS
    'An update of a product org to be stored, with the columns of product_org_update.';
DO $do$
DECLARE
    comment record;
BEGIN
    FOR comment IN
        SELECT a.attname, coalesce(
            CASE WHEN a.attname IN ('sender', 'repeat_by_bytes', 'payload', 'payload_raw', 'envelope')
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
COMMENT ON COLUMN sluice.intake_product_org.repeat_by_bytes IS
    'true: a repeat is the same id with the same bytes; else the same id for the same product org';

CREATE TYPE sluice.intake_reject AS (
    sender integer,
    request_id text,
    position bigint,
    payload_bytes bigint,
    kind text,
    code text,
    detail text,
    source text,
    payload bytea
);
COMMENT ON TYPE sluice.intake_reject IS
    'What a request brought and what cannot be stored as a signal, to be kept in rejected_payload.';
COMMENT ON COLUMN sluice.intake_reject.sender IS 'the number of its sender, from 1';
COMMENT ON COLUMN sluice.intake_reject.request_id IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.position IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.payload_bytes IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.kind IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.code IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.detail IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.source IS 'as in rejected_payload';
COMMENT ON COLUMN sluice.intake_reject.payload IS 'as in rejected_payload';

CREATE TYPE sluice.intake_refusal AS (key_hash bytea, outcome text, requests bigint);
COMMENT ON TYPE sluice.intake_refusal IS
    'How many requests with a known key were refused since the worker last said.';
COMMENT ON COLUMN sluice.intake_refusal.key_hash IS
    'SHA-256 of the key: nobody counts for a key that was not presented';
COMMENT ON COLUMN sluice.intake_refusal.outcome IS
    'why: a label of intake_outcome from deactivated on';
COMMENT ON COLUMN sluice.intake_refusal.requests IS 'how many, 1 at least';

CREATE TYPE sluice.intake_result AS (
    outcomes sluice.intake_outcome[],
    key_ids bigint[],
    templates text[],
    ids bigint[],
    repeated boolean[],
    cold boolean[]
);
COMMENT ON TYPE sluice.intake_result IS 'What intake returns.';
COMMENT ON COLUMN sluice.intake_result.outcomes IS
    'per sender. With limit_reached a request is accepted all the same when each of its items has '
    'an id here, which is that of the first delivery';
COMMENT ON COLUMN sluice.intake_result.key_ids IS
    'per sender: api_key.id, null when the key is unknown';
COMMENT ON COLUMN sluice.intake_result.templates IS
    'per sender: the payload template where it was wanted and the sender accepted or at its limit; '
    'null as a whole when none was wanted';
COMMENT ON COLUMN sluice.intake_result.ids IS
    'per signal, then per product org: of the stored row, or of the first delivery where repeated '
    'is true; null when its sender was refused';
COMMENT ON COLUMN sluice.intake_result.repeated IS
    'per item, as ids: it had been delivered before; null as a whole when none had';
COMMENT ON COLUMN sluice.intake_result.cold IS
    'per signal: stored in signal_cold_storage; null as a whole when none was';

-- ---- between the functions ----

CREATE TYPE sluice.delivery_key AS (
    item bigint,
    organization_id bigint,
    key_scope bigint,
    message_id text,
    says text
);
COMMENT ON TYPE sluice.delivery_key IS
    'An item with a message id: its number in the group, and its key in delivery.';
COMMENT ON COLUMN sluice.delivery_key.item IS 'signals first, then product orgs, from 1';
COMMENT ON COLUMN sluice.delivery_key.organization_id IS 'as in delivery';
COMMENT ON COLUMN sluice.delivery_key.key_scope IS 'as in delivery';
COMMENT ON COLUMN sluice.delivery_key.message_id IS 'as in delivery';
COMMENT ON COLUMN sluice.delivery_key.says IS 'as in delivery';

CREATE TYPE sluice.stored_items AS (ids bigint[], repeated boolean[], cold boolean[]);
COMMENT ON TYPE sluice.stored_items IS 'What store_items returns.';
COMMENT ON COLUMN sluice.stored_items.ids IS 'as in intake_result';
COMMENT ON COLUMN sluice.stored_items.repeated IS 'as in intake_result';
COMMENT ON COLUMN sluice.stored_items.cold IS 'as in intake_result';

-- ---- deliveries with an id ----

CREATE TABLE sluice.delivery (
    organization_id bigint NOT NULL,
    key_scope bigint NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    says text COLLATE "C" NOT NULL,
    id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (key_scope, message_id, says, organization_id)
);
COMMENT ON TABLE sluice.delivery IS
    'The deliveries that came with an id, so that a repeat is recognised: the same id under the same '
    'key that says the same stores nothing and is answered with the first id. Pruned by sluicectl '
    'maintain after the time in retention, 7 days by default. Not partitioned, because the primary '
    'key is what stores a delivery once.';
COMMENT ON COLUMN sluice.delivery.organization_id IS 'whose it is; organization.id';
COMMENT ON COLUMN sluice.delivery.key_scope IS
    'the key it was sent with, or the first of those that it replaced; ids of two scopes never meet';
COMMENT ON COLUMN sluice.delivery.message_id IS
    'the sender''s id; of one over 400 bytes its SHA-256 in hexadecimal digits after "sha256:"';
COMMENT ON COLUMN sluice.delivery.says IS
    'what it says, in two lines: event type and event name; "product org" and its id; "bytes" and '
    'their SHA-256 where repeats are recognised by them. Each shortened as message_id';
COMMENT ON COLUMN sluice.delivery.id IS
    'what was stored for it: signal.id or product_org_update.id';
COMMENT ON COLUMN sluice.delivery.received_at IS 'when the first delivery''s transaction began';
COMMENT ON INDEX sluice.delivery_pkey IS
    'stores a delivery once, also when two workers get it at the same time; the organization, which its '
    'key implies, comes last, so that it is not compared at each step';

CREATE UNLOGGED SEQUENCE sluice.delivery_prune_from AS bigint MINVALUE 0 START 0;
COMMENT ON SEQUENCE sluice.delivery_prune_from IS
    'The page of delivery from which prune_deliveries goes on. An index on received_at would cost each '
    'delivery more than all of this walk.';
CREATE UNLOGGED SEQUENCE sluice.delivery_pruned_at AS bigint MINVALUE 0 START 0;
COMMENT ON SEQUENCE sluice.delivery_pruned_at IS
    'When prune_deliveries came to the end of delivery the last time: seconds since 1970.';

CREATE UNLOGGED TABLE sluice.delivery_import (
    stored_xact bigint NOT NULL,
    blocks bigint[] NOT NULL,
    keys sluice.delivery_key[] NOT NULL
);
ALTER TABLE sluice.delivery_import ALTER COLUMN keys SET STORAGE EXTERNAL; -- not compressed
COMMENT ON TABLE sluice.delivery_import IS
    'The deliveries of bulk imports that are under way, a row for each chunk: bulk_finish takes them '
    'into delivery at the end, so that no other request waits for an import. Empty to everybody else, '
    'so nothing is lost with it in a crash.';
COMMENT ON COLUMN sluice.delivery_import.stored_xact IS 'the transaction of the import';
COMMENT ON COLUMN sluice.delivery_import.blocks IS 'the blocks of ids that the chunk has taken';
COMMENT ON COLUMN sluice.delivery_import.keys IS
    'the deliveries that are not in delivery, as far as was looked';

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
    'Accepted signals of the last minutes, a row for each organization of each group, added in the '
    'transaction that stored them; a product-org update counts as one. sluicectl maintain adds them '
    'up in usage_hour and usage_month. Read usage_overview.';
COMMENT ON COLUMN sluice.usage_delta.organization_id IS 'whose signals; organization.id';
COMMENT ON COLUMN sluice.usage_delta.counted_at IS 'when they were received';
COMMENT ON COLUMN sluice.usage_delta.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_delta.duplicates IS
    'how many were not, because they had been delivered before';
COMMENT ON COLUMN sluice.usage_delta.import_xact IS
    'the transaction of a bulk import, which bulk_finish may correct; else null';
COMMENT ON INDEX sluice.usage_delta_organization_id_idx IS
    'what an organization with a limit has used since the last sluicectl maintain';

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
    'Accepted signals of each calendar month (UTC), but for the last minutes, which are in '
    'usage_delta. Read usage_overview. Kept for ever: it is what is billed.';
COMMENT ON COLUMN sluice.usage_month.organization_id IS 'whose signals; organization.id';
COMMENT ON COLUMN sluice.usage_month.month IS 'the first day of the month';
COMMENT ON COLUMN sluice.usage_month.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_month.duplicates IS
    'how many were not, because they had been delivered before';
COMMENT ON CONSTRAINT usage_month_month_check ON sluice.usage_month IS 'a month''s first day';
COMMENT ON CONSTRAINT usage_month_signals_check ON sluice.usage_month IS 'a number of signals';
COMMENT ON CONSTRAINT usage_month_duplicates_check ON sluice.usage_month IS 'a number of signals';

CREATE TABLE sluice.usage_hour (
    organization_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    signals bigint NOT NULL,
    duplicates bigint NOT NULL,
    PRIMARY KEY (organization_id, hour)
);
COMMENT ON TABLE sluice.usage_hour IS
    'Accepted signals by hour, but for the last minutes, which are in usage_delta. Pruned after the '
    'time in retention.';
COMMENT ON COLUMN sluice.usage_hour.organization_id IS 'whose signals; organization.id';
COMMENT ON COLUMN sluice.usage_hour.hour IS 'when the hour began';
COMMENT ON COLUMN sluice.usage_hour.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_hour.duplicates IS
    'how many were not, because they had been delivered before';

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
    'Refused requests of the last minutes, as the workers counted them, every ten seconds at most. '
    'sluicectl maintain adds them up in refused_request. Read key_health.';
COMMENT ON COLUMN sluice.refusal_delta.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refusal_delta.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.refusal_delta.counted_at IS
    'when they were written down, up to ten seconds late';
COMMENT ON COLUMN sluice.refusal_delta.reason IS 'why';
COMMENT ON COLUMN sluice.refusal_delta.requests IS 'how many';
COMMENT ON CONSTRAINT refusal_delta_requests_check ON sluice.refusal_delta IS
    'a number of requests';
COMMENT ON INDEX sluice.refusal_delta_key_id_idx IS 'the last refusals of a key';

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
    'Why requests with a known key were refused, counted by key and day (UTC), but for the last '
    'minutes, which are in refusal_delta. Nothing that was sent is in it. Read key_health.';
COMMENT ON COLUMN sluice.refused_request.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refused_request.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.refused_request.day IS 'when (UTC)';
COMMENT ON COLUMN sluice.refused_request.reason IS 'why';
COMMENT ON COLUMN sluice.refused_request.requests IS 'how many';
COMMENT ON COLUMN sluice.refused_request.last_at IS
    'when the last of them was written down, up to ten seconds late';

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
    'Anonymous ids that arrived together with an email or a user id. Their signals go to signal, '
    'those that wait in signal_cold_storage are moved there. Two signals that identify the same '
    'visitor at the same time may both leave a row: neither waits for the other. Pruned by sluicectl '
    'maintain after the time in retention; a visitor who comes back is identified again.';
COMMENT ON COLUMN sluice.identity.organization_id IS 'whose visitor it is; organization.id';
COMMENT ON COLUMN sluice.identity.id IS 'numbers the rows';
COMMENT ON COLUMN sluice.identity.anonymous_id IS 'the visitor, as the sender names it';
COMMENT ON COLUMN sluice.identity.user_id IS 'the user id it first arrived with';
COMMENT ON COLUMN sluice.identity.email IS 'the email it first arrived with';
COMMENT ON COLUMN sluice.identity.signal_id IS 'the signal that brought them together';
COMMENT ON COLUMN sluice.identity.identified_at IS 'when that signal''s transaction began';
COMMENT ON COLUMN sluice.identity.looked_at IS
    'when sluicectl maintain last looked for its waiting signals';
COMMENT ON COLUMN sluice.identity.settled_at IS
    'when the last of its waiting signals had been moved; null: sluicectl maintain looks again';
COMMENT ON INDEX sluice.identity_pkey IS 'begins with the organization, as all primary keys do';
COMMENT ON INDEX sluice.identity_anonymous_id_idx IS
    'whether a visitor is known; not unique, so that no transaction waits for another';
COMMENT ON INDEX sluice.identity_email_idx IS 'the anonymous ids of a person, see person_signals';
COMMENT ON INDEX sluice.identity_user_id_idx IS 'the anonymous ids of a person, see person_signals';
COMMENT ON INDEX sluice.identity_unsettled_idx IS 'what sluicectl maintain has to look at';
COMMENT ON SEQUENCE sluice.identity_id_seq IS 'numbers identities';

RESET ROLE;
