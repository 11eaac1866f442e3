-- What workers call: intake_ordinary for nearly every group, intake for any group, bulk_finish at
-- the end of a bulk import, and intake_probe while the database hangs.
--
-- The functions run a few plain statements, each over the whole group. Statistics may be outdated,
-- so no statement leaves the planner a choice: look-ups descend an index once per item (LATERAL …
-- LIMIT 1, or a scalar subquery), whatever the size of the table.

SET LOCAL ROLE sluice_owner;

-- ---- rules ----
--
-- Without a SET clause, so that they are inlined into the statements that use them.

CREATE OR REPLACE FUNCTION sluice.key_outcome(k sluice.api_key, secret_hash bytea,
    for_product_orgs boolean) RETURNS sluice.intake_outcome
LANGUAGE sql STABLE
RETURN CASE
    WHEN k.id IS NULL THEN 'unknown_key'::sluice.intake_outcome
    WHEN k.deactivated_at IS NOT NULL THEN 'deactivated'::sluice.intake_outcome
    WHEN k.expires_at <= now() THEN 'expired'::sluice.intake_outcome
    WHEN k.secret_hash IS NOT NULL AND (k.secret_hash = secret_hash) IS NOT TRUE
        AND (k.previous_secret_until > now()
            AND (k.previous_secret_hash IS NULL OR k.previous_secret_hash = secret_hash)) IS NOT TRUE
    THEN CASE WHEN secret_hash IS NULL THEN 'secret_missing'::sluice.intake_outcome
        ELSE 'secret_wrong'::sluice.intake_outcome END
    WHEN (k.endpoint_type = 'product_orgs') IS DISTINCT FROM coalesce(for_product_orgs, false)
        THEN 'wrong_endpoint'::sluice.intake_outcome
    ELSE 'accepted'::sluice.intake_outcome
END;
COMMENT ON FUNCTION sluice.key_outcome(sluice.api_key, bytea, boolean) IS
    'The outcome for a key with this secret (its SHA-256; null: none was sent) at this endpoint, '
    'wherever it is sent from. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_accepts(k sluice.api_key, secret_hash bytea,
    for_product_orgs boolean) RETURNS boolean
LANGUAGE sql STABLE
RETURN k.deactivated_at IS NULL AND (k.expires_at <= now()) IS NOT TRUE
    AND (k.secret_hash IS NULL OR k.secret_hash = secret_hash)
    AND (k.endpoint_type = 'product_orgs') = coalesce(for_product_orgs, false);
COMMENT ON FUNCTION sluice.key_accepts(sluice.api_key, bytea, boolean) IS
    'True only if key_outcome is accepted, and false also in the overlap of two secrets if the new '
    'one was not sent: without the overlap, the ordinary group costs less. Internal.';

-- What workers compute for themselves, see fcgi-app/key/fingerprint.h.
CREATE OR REPLACE FUNCTION sluice.fingerprint(message_id text, kind text, content bytea)
RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN (encode(substr(sha256(convert_to(message_id, 'UTF8')), 1, 8), 'hex')
    || lpad(to_hex((
        ('x' || encode(substr(sha256(convert_to(message_id, 'UTF8')), 9, 8), 'hex'))::bit(64)
        # ('x' || encode(substr(sha256(convert_to(kind, 'UTF8') || '\x00'::bytea || content), 1, 8),
            'hex'))::bit(64))::bigint), 16, '0'))::uuid;
COMMENT ON FUNCTION sluice.fingerprint(text, text, bytea) IS
    'delivery.fingerprint of a message id and content of a kind: event, product_org or bytes. 16 '
    'bytes of the SHA-256 of the id, the second half XORed with the first eight of that of kind and '
    'content, with zero bytes between them.';

CREATE OR REPLACE FUNCTION sluice.event_fingerprint(message_id text, event_type text,
    event_name text) RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN sluice.fingerprint(message_id, 'event', convert_to(coalesce(event_type, ''), 'UTF8')
    || '\x00'::bytea || convert_to(coalesce(event_name, ''), 'UTF8'));
COMMENT ON FUNCTION sluice.event_fingerprint(text, text, text) IS
    'delivery.fingerprint of a signal, whose repeats have its event type and event name.';

CREATE OR REPLACE FUNCTION sluice.product_org_fingerprint(message_id text, product_org_id text)
RETURNS uuid
LANGUAGE sql IMMUTABLE
RETURN sluice.fingerprint(message_id, 'product_org', convert_to(product_org_id, 'UTF8'));
COMMENT ON FUNCTION sluice.product_org_fingerprint(text, text) IS
    'delivery.fingerprint of a product-org update, whose repeats are of its product org.';

CREATE OR REPLACE FUNCTION sluice.item_id(blocks bigint[], item bigint) RETURNS bigint
LANGUAGE sql IMMUTABLE
RETURN blocks[1 + (item - 1) / 1024] + (item - 1) % 1024;
COMMENT ON FUNCTION sluice.item_id(bigint[], bigint) IS
    'The id of an item, counted from 1, in the blocks of ids that its group has taken. Internal.';

-- With off or local an answer could come before the rows are on disk, here or on a synchronous
-- standby. The choice between the other settings is the DBA's.
CREATE OR REPLACE FUNCTION sluice.durable() RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'on', true);
END
$$;
COMMENT ON FUNCTION sluice.durable() IS
    'Turns synchronous_commit on for this transaction. Internal.';

-- ---- storing ----

CREATE OR REPLACE FUNCTION sluice.store_signals(organization_ids bigint[], key_ids bigint[],
    blocks bigint[], signals sluice.intake_signal[], envelopes jsonb[], wanted boolean[])
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    xact constant bigint := sluice.stored_xact();
BEGIN
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, stored_xact,
        source, event_type, event_name, email, user_id, anonymous_id, product_user_id, crm_id,
        marketing_automation_id, phone, product_org_id, message_id, request_id, traceparent,
        payload, payload_raw, envelope, warnings)
    SELECT sluice.item_id(blocks, s.ordinality), organization_ids[s.sender], now(),
        coalesce(s.occurred_at, now()), key_ids[s.sender], xact, s.source,
        s.event_type, s.event_name, s.email, s.user_id, s.anonymous_id, s.product_user_id, s.crm_id,
        s.marketing_automation_id, s.phone, s.product_org_id, s.message_id, s.request_id,
        s.traceparent, s.payload::jsonb, s.payload_raw, envelopes[s.envelope], s.warnings
    FROM unnest(signals) WITH ORDINALITY AS s
    WHERE wanted IS NULL OR wanted[s.ordinality];
END
$$;
COMMENT ON FUNCTION sluice.store_signals(bigint[], bigint[], bigint[], sluice.intake_signal[],
    jsonb[], boolean[]) IS
    'Inserts the wanted signals of a group (null: all of them). organization_ids and key_ids are '
    'per sender. Internal: has no SET clause, so search_path is the caller''s.';

-- ---- the ordinary group ----

CREATE OR REPLACE FUNCTION sluice.intake_ordinary(senders sluice.intake_sender[],
    signals sluice.intake_signal[], with_message_ids boolean, with_visitors boolean,
    envelopes jsonb[] DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organization_ids bigint[]; -- per sender
    key_ids bigint[];
    key_scopes bigint[];
    before_first bigint; -- the id before the first signal's
    one_sender constant boolean := cardinality(senders) = 1;
    xact constant bigint := sluice.stored_xact();
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM sluice.durable();
    END IF;
    IF one_sender THEN
        -- The query below for one sender, the most frequent case; this form is cheaper.
        SELECT ARRAY[c.organization_id], ARRAY[c.id], ARRAY[coalesce(c.delivery_scope, c.id)]
        INTO organization_ids, key_ids, key_scopes
        FROM sluice.api_key AS c
        WHERE c.key_hash = senders[1].key_hash AND c.ordinary
            AND sluice.key_accepts(c, senders[1].secret_hash, senders[1].for_product_orgs);
        IF NOT FOUND THEN
            RETURN NULL;
        END IF;
    ELSE
        SELECT array_agg(k.organization_id), array_agg(k.id), array_agg(k.key_scope)
        INTO organization_ids, key_ids, key_scopes
        FROM unnest(senders) AS s
        CROSS JOIN LATERAL (
            SELECT c.id, c.organization_id, coalesce(c.delivery_scope, c.id) AS key_scope
            FROM sluice.api_key AS c
            WHERE c.key_hash = s.key_hash AND c.ordinary
                AND sluice.key_accepts(c, s.secret_hash, s.for_product_orgs)
            LIMIT 1 -- rules out a join that scans all keys
        ) AS k;
        IF cardinality(key_ids) IS DISTINCT FROM cardinality(senders) THEN
            RETURN NULL;
        END IF;
    END IF;
    IF with_visitors THEN
        PERFORM FROM unnest(signals) AS s
        WHERE s.anonymous_id IS NOT NULL
            AND coalesce(s.email, s.user_id, s.product_user_id, s.crm_id,
                s.marketing_automation_id, s.phone) IS NOT NULL
            AND (SELECT true FROM sluice.identity AS i
                WHERE i.organization_id = organization_ids[s.sender]
                    AND i.anonymous_id = s.anonymous_id LIMIT 1) IS NULL
        LIMIT 1;
        IF FOUND THEN
            RETURN NULL; -- a new visitor, whom intake records
        END IF;
    END IF;

    before_first := nextval('sluice.signal_id') - 1;
    IF with_message_ids THEN
        INSERT INTO sluice.delivery (organization_id, key_scope, fingerprint, id, received_at)
        SELECT organization_ids[s.sender], key_scopes[s.sender], s.fingerprint,
            before_first + s.ordinality, now()
        FROM unnest(signals) WITH ORDINALITY AS s
        WHERE s.fingerprint IS NOT NULL
        ORDER BY 3, 2; -- the order of note_deliveries, so that transactions cannot deadlock
    END IF;
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, stored_xact,
        source, event_type, event_name, email, user_id, anonymous_id, product_user_id, crm_id,
        marketing_automation_id, phone, product_org_id, message_id, request_id, traceparent,
        payload, payload_raw, envelope, warnings)
    SELECT before_first + s.ordinality, organization_ids[s.sender], now(),
        coalesce(s.occurred_at, now()), key_ids[s.sender], xact, s.source, s.event_type, s.event_name,
        s.email, s.user_id, s.anonymous_id, s.product_user_id, s.crm_id, s.marketing_automation_id,
        s.phone, s.product_org_id, s.message_id, s.request_id, s.traceparent, s.payload::jsonb,
        s.payload_raw, envelopes[s.envelope], s.warnings
    FROM unnest(signals) WITH ORDINALITY AS s;
    IF one_sender THEN
        INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates)
        VALUES (organization_ids[1], now(), cardinality(signals), 0);
    ELSE
        INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates)
        SELECT organization_ids[s.sender], now(), count(*), 0 FROM unnest(signals) AS s GROUP BY 1;
    END IF;
    -- notifies_consumers() is inlined as a constant, so while it is false it costs nothing.
    RETURN CASE WHEN sluice.notifies_consumers() THEN sluice.notify_consumers('signal', before_first + 1)
        ELSE before_first + 1 END;
END
$$;
COMMENT ON FUNCTION sluice.intake_ordinary(sluice.intake_sender[], sluice.intake_signal[], boolean,
    boolean, jsonb[]) IS
    'Authenticates the senders of a group of up to 1,024 signals and stores the signals, in the '
    'caller''s transaction. Returns the id of the first signal; the others follow one by one. '
    'Returns null and stores nothing if a sender is refused or sends the older of two secrets, or '
    'its key is not ordinary, or if a visitor is identified for the first time; raises 23505 if a '
    'signal was delivered before. In these cases send the group to intake instead. No signal may be '
    'cold. with_message_ids: a signal has a fingerprint. with_visitors: a signal has both an '
    'anonymous id and an identity. The last use of a key is not noted, so every key must have been '
    'noted within the last half minute.';

-- ---- any group: its parts ----

CREATE OR REPLACE FUNCTION sluice.signals_of_month(organization_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
BEGIN
    -- In one statement, while fold_usage moves rows from one table to the other.
    RETURN (SELECT coalesce(sum(u.signals), 0) FROM (
        SELECT m.signals FROM sluice.usage_month AS m
        WHERE m.organization_id = signals_of_month.organization_id AND m.month = this_month
        UNION ALL
        SELECT d.signals FROM sluice.usage_delta AS d
        WHERE d.organization_id = signals_of_month.organization_id
            AND d.counted_at >= this_month::timestamp AT TIME ZONE 'UTC') AS u);
END
$$;
COMMENT ON FUNCTION sluice.signals_of_month(bigint) IS
    'How many signals an organization has used this month (UTC). Internal.';

-- One descent of the primary key for each item, whatever the statistics say.
CREATE OR REPLACE FUNCTION sluice.delivered_ids(organization_id bigint, key_scope bigint,
    fingerprints uuid[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN ARRAY(SELECT coalesce((SELECT d.id FROM sluice.delivery AS d
            WHERE d.key_scope = delivered_ids.key_scope AND d.fingerprint = u.fingerprint
                AND d.organization_id = delivered_ids.organization_id LIMIT 1), 0)
        FROM (SELECT unnest(fingerprints) AS fingerprint) AS u);
END
$$;
COMMENT ON FUNCTION sluice.delivered_ids(bigint, bigint, uuid[]) IS
    'For each item of a sender, the id of its first delivery, or 0 (an array without nulls can be '
    'indexed directly). Internal: has no SET clause, so search_path is the caller''s.';

CREATE OR REPLACE FUNCTION sluice.delivered_ids(organization_ids bigint[], key_scopes bigint[],
    senders integer[], fingerprints uuid[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN ARRAY(SELECT coalesce((SELECT d.id FROM sluice.delivery AS d
            WHERE d.key_scope = key_scopes[u.sender] AND d.fingerprint = u.fingerprint
                AND d.organization_id = organization_ids[u.sender] LIMIT 1), 0)
        FROM (SELECT unnest(senders) AS sender, unnest(fingerprints) AS fingerprint) AS u);
END
$$;
COMMENT ON FUNCTION sluice.delivered_ids(bigint[], bigint[], integer[], uuid[]) IS
    'The same for a group, by sender. Internal.';

CREATE OR REPLACE FUNCTION sluice.note_chunk(organization_id bigint, key_scope bigint,
    fingerprints uuid[], ids bigint[], accepted boolean) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    sample constant uuid[] := ARRAY(SELECT fingerprints[g * cardinality(fingerprints) / 8 + i]
        FROM generate_series(0, 7) AS g, generate_series(1, 4) AS i);
    delivered bigint[];
BEGIN
    -- An import may take minutes, and requests must not wait for its deliveries: bulk_finish records
    -- them. Items are looked up only if one of a sample is a repeat. Otherwise bulk_finish finds the
    -- few that may be there.
    IF NOT accepted OR 0 < ANY (sluice.delivered_ids(organization_id, key_scope, sample)) THEN
        delivered := sluice.delivered_ids(organization_id, key_scope, fingerprints);
    END IF;
    -- As they are, if all are kept: taking the arrays apart costs a tenth of an import.
    IF accepted AND delivered IS NULL AND array_position(fingerprints, NULL) IS NULL THEN
        INSERT INTO sluice.delivery_import (stored_xact, organization_id, key_scope, fingerprints, ids)
        VALUES (sluice.stored_xact(), organization_id, key_scope, fingerprints, ids);
    ELSIF accepted THEN
        INSERT INTO sluice.delivery_import (stored_xact, organization_id, key_scope, fingerprints, ids)
        SELECT sluice.stored_xact(), note_chunk.organization_id, note_chunk.key_scope,
            array_agg(u.fingerprint), array_agg(u.id)
        FROM (SELECT unnest(fingerprints) AS fingerprint, unnest(ids) AS id,
            unnest(delivered) AS first_id) AS u
        WHERE u.fingerprint IS NOT NULL AND coalesce(u.first_id, 0) = 0
        HAVING count(*) > 0;
    END IF;
    RETURN delivered;
END
$$;
COMMENT ON FUNCTION sluice.note_chunk(bigint, bigint, uuid[], bigint[], boolean) IS
    'Keeps the deliveries of a chunk of an import for bulk_finish; of a sender that is not accepted '
    'they are only looked up. Returns like note_deliveries; null also if there may be a few '
    'repeats. Internal.';

CREATE OR REPLACE FUNCTION sluice.note_deliveries(organization_ids bigint[], key_scopes bigint[],
    senders integer[], fingerprints uuid[], ids bigint[], wanted boolean[]) RETURNS bigint[]
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
    n_added bigint;
    delivered bigint[];
BEGIN
    -- One order everywhere, so that transactions with the same ids cannot deadlock. The fingerprint
    -- first, because it decides nearly every comparison. Of equal items in a group the first is
    -- stored.
    WITH added AS (
        INSERT INTO sluice.delivery (organization_id, key_scope, fingerprint, id, received_at)
        SELECT organization_ids[u.sender], key_scopes[u.sender], u.fingerprint, u.id, now()
        FROM (SELECT unnest(senders) AS sender, unnest(fingerprints) AS fingerprint,
            unnest(ids) AS id, unnest(wanted) AS wanted) AS u
        WHERE u.fingerprint IS NOT NULL AND u.wanted
        ORDER BY 3, 2, 4
        ON CONFLICT DO NOTHING
        RETURNING id)
    SELECT count(*) INTO n_added FROM added;
    IF n_added = cardinality(array_remove(fingerprints, NULL)) THEN
        RETURN NULL;
    END IF;
    delivered := sluice.delivered_ids(organization_ids, key_scopes, senders, fingerprints);
    IF EXISTS (SELECT FROM unnest(delivered, fingerprints, wanted) AS u (first_id, fingerprint, wanted)
        WHERE u.first_id = 0 AND u.fingerprint IS NOT NULL AND u.wanted)
    THEN
        RAISE EXCEPTION 'a delivery was pruned meanwhile' -- after the INSERT had found it
            USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN ARRAY(SELECT CASE WHEN u.first_id = u.id THEN 0 ELSE u.first_id END
        FROM (SELECT unnest(delivered) AS first_id, unnest(ids) AS id) AS u);
END
$$;
COMMENT ON FUNCTION sluice.note_deliveries(bigint[], bigint[], integer[], uuid[], bigint[],
    boolean[]) IS
    'Records the deliveries of the wanted items of a group; others are only looked up. Returns for '
    'each item the id of its first delivery if it is a repeat, else 0; returns null if no item is '
    'a repeat. The first two arrays are per sender, the others per item; without a message id '
    'fingerprints is null. Internal.';

CREATE OR REPLACE FUNCTION sluice.note_visitors(organization_ids bigint[], blocks bigint[],
    signals sluice.intake_signal[], wanted boolean[], in_bulk boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_organization_ids bigint[];
    found_anonymous_ids text[];
BEGIN
    WITH seen AS (
        SELECT DISTINCT ON (organization_ids[s.sender], s.anonymous_id COLLATE "C")
            organization_ids[s.sender] AS organization_id, s.anonymous_id COLLATE "C" AS anonymous_id,
            s.user_id, s.email, s.ordinality
        FROM unnest(signals) WITH ORDINALITY AS s
        WHERE wanted[s.ordinality] AND s.anonymous_id IS NOT NULL
            AND coalesce(s.email, s.user_id, s.product_user_id, s.crm_id, s.marketing_automation_id,
                s.phone) IS NOT NULL
        ORDER BY organization_ids[s.sender], s.anonymous_id COLLATE "C", s.ordinality
    ), added AS (
        INSERT INTO sluice.identity AS i (organization_id, anonymous_id, user_id, email, signal_id,
            identified_at)
        SELECT v.organization_id, v.anonymous_id, v.user_id, v.email,
            sluice.item_id(blocks, v.ordinality), now()
        FROM seen AS v
        WHERE (SELECT true FROM sluice.identity AS k WHERE k.organization_id = v.organization_id
            AND k.anonymous_id = v.anonymous_id LIMIT 1) IS NULL
        RETURNING i.organization_id, i.anonymous_id)
    SELECT array_agg(a.organization_id), array_agg(a.anonymous_id)
    INTO found_organization_ids, found_anonymous_ids FROM added AS a;
    IF found_anonymous_ids IS NOT NULL AND NOT in_bulk THEN
        -- Only today's rows, and few of them, so that the request does not wait. sluicectl maintain
        -- moves the others.
        PERFORM sluice.move_identified(found_organization_ids, found_anonymous_ids,
            date_trunc('day', now(), 'UTC'), 100);
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.note_visitors(bigint[], bigint[], sluice.intake_signal[], boolean[],
    boolean) IS
    'Records the visitors that the wanted signals identify for the first time and, unless in bulk, '
    'moves their recent signals out of cold storage. Internal.';

CREATE OR REPLACE FUNCTION sluice.store_cold(organization_ids bigint[], key_ids bigint[],
    blocks bigint[], signals sluice.intake_signal[], envelopes jsonb[], wanted boolean[])
RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    xact constant bigint := sluice.stored_xact();
BEGIN
    INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id,
        stored_xact, source, event_type, event_name, anonymous_id, message_id,
        request_id, traceparent, payload, payload_raw, envelope, warnings)
    SELECT sluice.item_id(blocks, s.ordinality), organization_ids[s.sender], now(),
        coalesce(s.occurred_at, now()), key_ids[s.sender], xact, s.source,
        s.event_type, s.event_name, s.anonymous_id, s.message_id, s.request_id, s.traceparent,
        s.payload::jsonb, s.payload_raw, envelopes[s.envelope], s.warnings
    FROM unnest(signals) WITH ORDINALITY AS s
    WHERE wanted[s.ordinality];
END
$$;
COMMENT ON FUNCTION sluice.store_cold(bigint[], bigint[], bigint[], sluice.intake_signal[], jsonb[],
    boolean[]) IS
    'Like store_signals, into signal_cold_storage. Internal.';

CREATE OR REPLACE FUNCTION sluice.store_product_orgs(organization_ids bigint[], key_ids bigint[],
    blocks bigint[], before bigint, product_orgs sluice.intake_product_org[], envelopes jsonb[],
    wanted boolean[]) RETURNS void
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    xact constant bigint := sluice.stored_xact();
BEGIN
    INSERT INTO sluice.product_org_update (id, organization_id, received_at, key_id, stored_xact,
        product_org_id, name, plan_id, plan_name, user_count, mrr, trial_status,
        last_active_at, feature_flags, custom, warnings, message_id, request_id, traceparent,
        payload, payload_raw, envelope)
    SELECT sluice.item_id(blocks, before + p.ordinality), organization_ids[p.sender], now(),
        key_ids[p.sender], xact, p.product_org_id, p.name, p.plan_id,
        p.plan_name, p.user_count, p.mrr, p.trial_status, p.last_active_at, p.feature_flags::jsonb,
        p.custom::jsonb, p.warnings, p.message_id, p.request_id, p.traceparent, p.payload::jsonb,
        p.payload_raw, envelopes[p.envelope]
    FROM unnest(product_orgs) WITH ORDINALITY AS p
    WHERE wanted[before + p.ordinality];
END
$$;
COMMENT ON FUNCTION sluice.store_product_orgs(bigint[], bigint[], bigint[], bigint,
    sluice.intake_product_org[], jsonb[], boolean[]) IS
    'Inserts the wanted product-org updates of a group. before: how many signals precede them in '
    'the group''s numbering. Internal: has no SET clause, so search_path is the caller''s.';

CREATE OR REPLACE FUNCTION sluice.store_items(outcomes sluice.intake_outcome[],
    organization_ids bigint[], key_ids bigint[], key_scopes bigint[],
    signals sluice.intake_signal[], product_orgs sluice.intake_product_org[], envelopes jsonb[],
    in_bulk boolean) RETURNS sluice.stored_items
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.stored_items;
    n_signals constant bigint := coalesce(cardinality(signals), 0);
    items constant bigint := n_signals + coalesce(cardinality(product_orgs), 0);
    blocks bigint[];
    senders integer[]; -- per item
    fingerprints uuid[]; -- per item, null without a message id
    delivered bigint[]; -- per item, the id of its first delivery if it is a repeat, else 0
    wanted boolean[]; -- per item
    staged boolean[]; -- per signal, wanted and not cold
    with_cold boolean;
    with_visitors boolean;
    n_stored bigint;
    n_known bigint; -- items with an id
BEGIN
    -- Per item whether its sender is accepted, and which steps the group needs. For few
    -- columns this costs less than FROM unnest(signals), which copies them all.
    SELECT coalesce(array_agg(outcomes[s.sender] = 'accepted'), '{}'), array_agg(s.sender),
        array_agg(s.fingerprint), bool_or(s.cold),
        bool_or(s.anonymous_id IS NOT NULL AND coalesce(s.email, s.user_id, s.product_user_id,
            s.crm_id, s.marketing_automation_id, s.phone) IS NOT NULL)
    INTO wanted, senders, fingerprints, with_cold, with_visitors
    FROM (SELECT (u.signal).* FROM (SELECT unnest(signals) AS signal) AS u) AS s;
    IF items > n_signals THEN
        SELECT wanted || array_agg(outcomes[p.sender] = 'accepted'), senders || array_agg(p.sender),
            fingerprints || array_agg(p.fingerprint)
        INTO wanted, senders, fingerprints
        FROM unnest(product_orgs) AS p;
    END IF;
    -- An index without a sender is a mistake of the caller, and must not lose the item.
    IF array_position(wanted, NULL) IS NOT NULL THEN
        RAISE EXCEPTION 'an item names no sender' USING ERRCODE = 'internal_error';
    END IF;
    IF in_bulk AND cardinality(outcomes) > 1 THEN
        RAISE EXCEPTION 'an import has one sender' USING ERRCODE = 'internal_error';
    END IF;
    blocks := ARRAY(SELECT nextval('sluice.signal_id') FROM generate_series(0, (items - 1) / 1024));
    result.ids := ARRAY(SELECT CASE WHEN u.wanted THEN sluice.item_id(blocks, u.item) END
        FROM (SELECT unnest(wanted) AS wanted, generate_series(1, items) AS item) AS u);

    -- For senders at their limit, repeats are only looked up: they are answered like the first
    -- time.
    IF cardinality(array_remove(fingerprints, NULL)) > 0 THEN
        IF in_bulk THEN
            delivered := sluice.note_chunk(organization_ids[1], key_scopes[1], fingerprints,
                result.ids, wanted[1]);
        ELSE
            delivered := sluice.note_deliveries(organization_ids, key_scopes, senders, fingerprints,
                result.ids, wanted);
        END IF;
        IF delivered IS NOT NULL THEN
            SELECT array_agg(u.first > 0), array_agg(CASE WHEN u.first > 0 THEN u.first ELSE u.own END),
                array_agg(u.wanted AND u.first = 0)
            INTO result.repeated, result.ids, wanted
            FROM (SELECT unnest(delivered) AS first, unnest(result.ids) AS own,
                unnest(wanted) AS wanted) AS u;
        END IF;
    END IF;

    IF n_signals > 0 THEN
        IF with_visitors THEN
            PERFORM sluice.note_visitors(organization_ids, blocks, signals, wanted, in_bulk);
        END IF;
        IF with_cold THEN
            result.cold := ARRAY(
                SELECT wanted[s.ordinality] AND s.cold IS TRUE AND (s.anonymous_id IS NULL
                    OR (SELECT true FROM sluice.identity AS k
                        WHERE k.organization_id = organization_ids[s.sender]
                            AND k.anonymous_id = s.anonymous_id LIMIT 1) IS NULL)
                FROM unnest(signals) WITH ORDINALITY AS s ORDER BY s.ordinality);
        END IF;
        IF true = ANY (result.cold) THEN
            PERFORM sluice.store_cold(organization_ids, key_ids, blocks, signals, envelopes,
                result.cold);
            staged := ARRAY(SELECT wanted[i] AND NOT result.cold[i]
                FROM generate_series(1, n_signals) AS i ORDER BY i);
        ELSE
            result.cold := NULL;
            staged := wanted;
        END IF;
        IF true = ANY (staged) THEN
            PERFORM sluice.store_signals(organization_ids, key_ids, blocks, signals, envelopes,
                CASE WHEN false = ANY (staged) THEN staged END);
        END IF;
    END IF;
    IF items > n_signals THEN
        PERFORM sluice.store_product_orgs(organization_ids, key_ids, blocks, n_signals, product_orgs,
            envelopes, wanted);
    END IF;

    IF cardinality(outcomes) = 1 THEN
        -- The query below for one sender; this form is cheaper.
        n_stored := cardinality(array_positions(wanted, true));
        n_known := cardinality(array_remove(result.ids, NULL));
        INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates, import_xact)
        SELECT organization_ids[1], now(), n_stored, n_known - n_stored,
            CASE WHEN in_bulk THEN sluice.stored_xact() END
        WHERE n_known > 0;
    ELSE
        INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates)
        SELECT organization_ids[u.sender], now(), count(*) FILTER (WHERE u.wanted),
            count(*) FILTER (WHERE NOT u.wanted)
        FROM (SELECT unnest(senders) AS sender, unnest(result.ids) AS id, unnest(wanted) AS wanted)
            AS u
        WHERE u.id IS NOT NULL
        GROUP BY organization_ids[u.sender];
    END IF;
    IF sluice.notifies_consumers() THEN
        IF true = ANY (staged) THEN
            PERFORM sluice.notify_consumers('signal');
        END IF;
        IF true = ANY (wanted[n_signals + 1:]) THEN
            PERFORM sluice.notify_consumers('product_org');
        END IF;
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.store_items(sluice.intake_outcome[], bigint[], bigint[], bigint[],
    sluice.intake_signal[], sluice.intake_product_org[], jsonb[], boolean) IS
    'Stores the items of accepted senders, except repeats, and counts them. The first four arrays '
    'are per sender. Does not authenticate. Internal: called by intake and rejected_replay.';

-- ---- any group ----

CREATE OR REPLACE FUNCTION sluice.note_use(organization_ids bigint[], key_ids bigint[],
    outcomes sluice.intake_outcome[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO sluice.key_use (organization_id, key_id, used_at)
    SELECT u.organization_id, u.key_id, now()
    FROM (
        SELECT DISTINCT organization_ids[i] AS organization_id, key_ids[i] AS key_id
        FROM generate_subscripts(outcomes, 1) AS i
        WHERE outcomes[i] = 'accepted'
    ) AS u
    WHERE (SELECT true FROM sluice.key_use AS k
        WHERE k.organization_id = u.organization_id AND k.key_id = u.key_id
            AND k.used_at >= now() - interval '20 seconds'
        LIMIT 1) IS NULL;
END
$$;
COMMENT ON FUNCTION sluice.note_use(bigint[], bigint[], sluice.intake_outcome[]) IS
    'Records a use of the accepted senders'' keys, unless one was recorded in the last 20 seconds. '
    'Internal: called by intake.';

CREATE OR REPLACE FUNCTION sluice.note_refusals(refusals sluice.intake_refusal[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO sluice.refusal_delta (organization_id, key_id, counted_at, reason, requests)
    SELECT k.organization_id, k.id, now(), r.outcome::sluice.intake_outcome,
        sum(least(r.requests, 1000000)) -- far more than a worker has counted; the sums must fit
    FROM unnest(refusals) AS r
    JOIN sluice.api_key AS k ON k.key_hash = r.key_hash
    WHERE r.outcome::sluice.intake_outcome >= 'deactivated' AND r.requests > 0
    GROUP BY k.organization_id, k.id, r.outcome;
END
$$;
COMMENT ON FUNCTION sluice.note_refusals(sluice.intake_refusal[]) IS
    'Counts refused requests by key and reason. Internal: called by intake.';

-- Without SET clauses, like the rules above.
CREATE OR REPLACE FUNCTION sluice.names_somebody(value text) RETURNS boolean
LANGUAGE sql IMMUTABLE
RETURN octet_length(value) <= 1024
    AND value !~ replace('^_*(0|null|undefined|0{32}|0{8}(-0{4}){3}-0{12})?_*$', '_',
        -- the blanks of base/unicode.c
        '[\u0001-\u0020\u007f-\u00a0\u00ad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f'
        '\u3000\u3164\ufeff\ufff9-\ufffd]');
COMMENT ON FUNCTION sluice.names_somebody(text) IS
    'Whether a text can be an id: not over 1,024 bytes, and without blanks around it (Unicode''s '
    'white space, what shows as nothing, control characters, U+FFFD) neither empty nor 0, null, '
    'undefined or a nil UUID. The workers'' rule (model/identity.h) for a member that a key names.';

CREATE OR REPLACE FUNCTION sluice.own_id(member text, payload jsonb) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN (
    SELECT v.value #>> '{}'
    FROM (SELECT coalesce(payload -> member, payload #> string_to_array(member, '.')) AS value) AS v
    WHERE jsonb_typeof(v.value) IN ('string', 'number')
        AND sluice.names_somebody(v.value #>> '{}')
        AND (jsonb_typeof(v.value) = 'string' OR v.value <> '0'));
COMMENT ON FUNCTION sluice.own_id(text, jsonb) IS
    'The delivery''s id that a payload has in the member that its key names; null when there is none.';

CREATE OR REPLACE FUNCTION sluice.with_own_ids(signals sluice.intake_signal[], id_members text[])
RETURNS sluice.intake_signal[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(s.sender, s.request_id, s.source, s.event_type, s.event_name, s.email, s.user_id,
            s.anonymous_id, s.product_user_id, s.crm_id, s.marketing_automation_id, s.phone,
            s.product_org_id, coalesce(o.id, s.message_id), CASE WHEN o.id IS NULL THEN s.fingerprint
                ELSE sluice.event_fingerprint(o.id, s.event_type, s.event_name) END, s.occurred_at,
             s.payload, s.payload_raw, s.envelope, s.warnings, s.cold, s.traceparent
            )::sluice.intake_signal
        FROM unnest(signals) WITH ORDINALITY AS s
        CROSS JOIN LATERAL (SELECT CASE WHEN id_members[s.sender] IS NOT NULL
            THEN sluice.own_id(id_members[s.sender], s.payload::jsonb) END AS id) AS o
        ORDER BY s.ordinality);
END
$$;
COMMENT ON FUNCTION sluice.with_own_ids(sluice.intake_signal[], text[]) IS
    'Signals with the ids that their payloads have in the members that their keys name, by sender. '
    'Such an id takes precedence. Internal: called by intake and rejected_replay.';

CREATE OR REPLACE FUNCTION sluice.with_own_ids(product_orgs sluice.intake_product_org[],
    id_members text[]) RETURNS sluice.intake_product_org[]
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(
        SELECT ROW(p.sender, p.request_id, p.product_org_id, p.name, p.plan_id, p.plan_name,
            p.user_count, p.mrr, p.trial_status, p.last_active_at, p.feature_flags, p.custom,
            p.warnings, coalesce(o.id, p.message_id), CASE WHEN o.id IS NULL THEN p.fingerprint
                ELSE sluice.product_org_fingerprint(o.id, p.product_org_id) END, p.payload,
            p.payload_raw, p.envelope, p.traceparent)::sluice.intake_product_org
        FROM unnest(product_orgs) WITH ORDINALITY AS p
        CROSS JOIN LATERAL (SELECT CASE WHEN id_members[p.sender] IS NOT NULL
            THEN sluice.own_id(id_members[p.sender], p.payload::jsonb) END AS id) AS o
        ORDER BY p.ordinality);
END
$$;
COMMENT ON FUNCTION sluice.with_own_ids(sluice.intake_product_org[], text[]) IS
    'The same for product-org updates.';

CREATE OR REPLACE FUNCTION sluice.intake(senders sluice.intake_sender[],
    signals sluice.intake_signal[] DEFAULT NULL,
    product_orgs sluice.intake_product_org[] DEFAULT NULL, envelopes jsonb[] DEFAULT NULL,
    rejects sluice.intake_reject[] DEFAULT NULL, refusals sluice.intake_refusal[] DEFAULT NULL,
    in_bulk boolean DEFAULT false, recently_used boolean DEFAULT false,
    addresses inet[] DEFAULT NULL)
RETURNS sluice.intake_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.intake_result;
    stored sluice.stored_items;
    key_scopes bigint[];
    templates text[]; -- of keys that have another template than their items were made by
    template_versions bigint[];
    with_templates boolean;
    id_members text[];
    with_id_members boolean;
    limited_ids bigint[]; -- organizations of accepted senders that have a limit
    full_ids bigint[]; -- those that have reached it
    with_networks boolean; -- an accepted sender's key has some
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM sluice.durable();
    END IF;

    -- The same work for every reason to refuse. The aggregates rely on the subquery's order: a
    -- DISTINCT or ORDER BY in one of them would, since version 16, reorder the others.
    SELECT coalesce(array_agg(a.outcome), '{}'), coalesce(array_agg(a.id), '{}'),
        array_agg(a.organization_id), array_agg(a.key_scope),
        array_agg(a.template), array_agg(a.template_version), bool_or(a.template IS NOT NULL),
        array_agg(a.delivery_id_member), bool_or(a.delivery_id_member IS NOT NULL),
        array_agg(a.organization_id) FILTER (WHERE a.limited AND a.outcome = 'accepted'),
        bool_or(a.has_networks AND a.outcome = 'accepted')
    INTO result.outcomes, result.key_ids, result.organization_ids, key_scopes, templates,
        template_versions, with_templates, id_members, with_id_members, limited_ids, with_networks
    FROM (
        SELECT coalesce(k.outcome, 'unknown_key') AS outcome, k.id, k.organization_id, k.limited,
            -- Without a scope, a refused sender's items are not looked up.
            CASE WHEN k.outcome = 'accepted' THEN k.key_scope END AS key_scope,
            k.template_version, k.delivery_id_member, k.has_networks,
            CASE WHEN k.outcome = 'accepted' AND s.template_version <> k.template_version
                THEN k.payload_template::text END AS template
        FROM unnest(senders) WITH ORDINALITY AS s
        LEFT JOIN LATERAL (
            SELECT c.id, c.organization_id, coalesce(c.delivery_scope, c.id) AS key_scope,
                c.payload_template, c.template_version, c.delivery_id_member, c.limited,
                sluice.key_outcome(c, s.secret_hash, s.for_product_orgs) AS outcome,
                c.networks IS NOT NULL AS has_networks
            FROM sluice.api_key AS c
            WHERE c.key_hash = s.key_hash
            LIMIT 1
        ) AS k ON true
        ORDER BY s.ordinality
    ) AS a;
    IF with_networks AND addresses IS NULL THEN
        RETURN NULL;
    ELSIF with_networks THEN
        FOR i IN 1 .. cardinality(senders) LOOP
            IF result.outcomes[i] = 'accepted'
                AND NOT sluice.is_allowed(result.key_ids[i], addresses[i])
            THEN
                result.outcomes[i] := 'wrong_network';
                key_scopes[i] := NULL;
                templates[i] := NULL;
            END IF;
        END LOOP;
    END IF;
    IF limited_ids IS NOT NULL THEN
        full_ids := ARRAY(SELECT o.id FROM sluice.organization AS o
            WHERE o.id = ANY (limited_ids) AND sluice.signals_of_month(o.id) >= o.signal_limit);
        result.outcomes := ARRAY(
            SELECT CASE WHEN o.outcome = 'accepted'
                AND result.organization_ids[o.n] = ANY (full_ids)
                THEN 'limit_reached' ELSE o.outcome END
            FROM unnest(result.outcomes) WITH ORDINALITY AS o (outcome, n) ORDER BY o.n);
    END IF;
    IF with_templates THEN
        FOR i IN 1 .. cardinality(senders) LOOP
            IF templates[i] IS NOT NULL THEN
                result.outcomes[i] := 'other_template';
                key_scopes[i] := NULL;
            END IF;
        END LOOP;
        result.templates := templates;
        result.template_versions := template_versions;
    END IF;

    IF (cardinality(signals) > 0 OR cardinality(product_orgs) > 0)
        AND result.outcomes && '{accepted,limit_reached}'
    THEN
        IF with_id_members THEN
            signals := sluice.with_own_ids(signals, id_members);
            product_orgs := sluice.with_own_ids(product_orgs, id_members);
        END IF;
        stored := sluice.store_items(result.outcomes, result.organization_ids, result.key_ids,
            key_scopes, signals, product_orgs, envelopes, in_bulk);
        result.ids := stored.ids;
        result.repeated := stored.repeated;
        result.cold := stored.cold;
    END IF;
    IF cardinality(rejects) > 0 THEN
        INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, position,
            payload_bytes, kind, code, detail, source, request_id, payload, envelope, bad_byte)
        SELECT result.organization_ids[r.sender], now(), result.key_ids[r.sender], r.position,
            r.payload_bytes, r.kind, r.code, r.detail, r.source, r.request_id, r.payload,
            envelopes[r.envelope], r.bad_byte
        FROM unnest(rejects) AS r
        WHERE result.outcomes[r.sender] = 'accepted';
    END IF;
    IF NOT recently_used AND 'accepted' = ANY (result.outcomes) THEN
        PERFORM sluice.note_use(result.organization_ids, result.key_ids, result.outcomes);
    END IF;
    IF cardinality(refusals) > 0 THEN
        PERFORM sluice.note_refusals(refusals);
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.intake(sluice.intake_sender[], sluice.intake_signal[],
    sluice.intake_product_org[], jsonb[], sluice.intake_reject[], sluice.intake_refusal[], boolean,
    boolean, inet[]) IS
    'Authenticates the senders of a group and stores what they sent, in the caller''s transaction. '
    'Arrays may be null; a sender without items is only authenticated. envelopes: items refer to '
    'them by number. in_bulk: this call is part of a bulk import of one sender, which ends with '
    'bulk_finish. '
    'recently_used: the last use of every key was noted within the last half minute, so it is not '
    'noted again. addresses: the client''s, per sender; one that is null is not known, and in no '
    'network. Without addresses the call returns null and stores nothing if an accepted sender''s '
    'key has networks: call again with them. Turns synchronous_commit on if it is off or local. If '
    'jsonb cannot hold a payload, the call fails with SQLSTATE 22xxx or 54xxx and stores nothing.';

-- ---- the end of a bulk import ----

CREATE OR REPLACE FUNCTION sluice.note_import(xact bigint, OUT repeated_ids bigint[])
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- In the order of note_deliveries. Of equal items the first is stored.
    adding constant text := 'INSERT INTO sluice.delivery AS d (organization_id, key_scope, fingerprint, '
        '    id, received_at) '
        'SELECT u.organization_id, u.key_scope, u.fingerprint, u.id, now() '
        'FROM (SELECT i.organization_id, i.key_scope, unnest(i.fingerprints) AS fingerprint, '
        '    unnest(i.ids) AS id FROM sluice.delivery_import AS i WHERE i.stored_xact = $1) AS u '
        'ORDER BY u.fingerprint, u.key_scope, u.id ';
BEGIN
    -- Usually there are no conflicts, and a plain INSERT costs half of one with ON CONFLICT.
    EXECUTE adding USING xact;
EXCEPTION WHEN unique_violation THEN
    EXECUTE 'WITH noted AS (' || adding || 'ON CONFLICT DO NOTHING RETURNING d.id) '
        'SELECT array_agg(r.id) FROM (SELECT unnest(i.ids) AS id FROM sluice.delivery_import AS i '
        '    WHERE i.stored_xact = $1 EXCEPT SELECT n.id FROM noted AS n) AS r'
    INTO repeated_ids USING xact;
END
$$;
COMMENT ON FUNCTION sluice.note_import(bigint) IS
    'Records the deliveries of an import. Returns the ids of the items that were delivered before, '
    'null if there are none. Internal: called by bulk_finish.';

CREATE OR REPLACE FUNCTION sluice.bulk_finish() RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    xact constant bigint := sluice.stored_xact();
    repeated_ids bigint[];
BEGIN
    -- From here on a request with one of the same ids waits for the commit.
    repeated_ids := sluice.note_import(xact);
    DELETE FROM sluice.delivery_import AS i WHERE i.stored_xact = xact;
    IF repeated_ids IS NULL THEN
        RETURN 0;
    END IF;

    -- Signals that another transaction has delivered meanwhile, or this one twice.
    WITH staged AS (
        DELETE FROM sluice.signal AS s WHERE s.id = ANY (repeated_ids) AND s.received_at = now()
        RETURNING s.organization_id
    ), cold AS (
        DELETE FROM sluice.signal_cold_storage AS s
        WHERE s.id = ANY (repeated_ids) AND s.received_at = now()
        RETURNING s.organization_id
    ), removed AS (
        SELECT u.organization_id, count(*) AS signals
        FROM (SELECT * FROM staged UNION ALL SELECT * FROM cold) AS u
        GROUP BY u.organization_id
    ), counted AS (
        DELETE FROM sluice.usage_delta AS d WHERE d.import_xact = xact
        RETURNING d.organization_id, d.signals, d.duplicates
    )
    INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates)
    SELECT c.organization_id, now(), greatest(sum(c.signals) - coalesce(max(r.signals), 0), 0),
        sum(c.duplicates) + coalesce(max(r.signals), 0)
    FROM counted AS c LEFT JOIN removed AS r ON r.organization_id = c.organization_id
    GROUP BY c.organization_id;
    RETURN cardinality(repeated_ids);
END
$$;
COMMENT ON FUNCTION sluice.bulk_finish() IS
    'Ends the bulk import of this transaction (calls of intake with in_bulk): records its '
    'deliveries, and deletes and uncounts the signals that were delivered meanwhile or twice in '
    'the import. Returns how many. Commit right after it: until then a request with one of the '
    'same ids waits.';

-- ---- a probe ----

-- Short of waiting: while a worker probes, it refuses all requests.
CREATE OR REPLACE FUNCTION sluice.intake_probe() RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '100ms' AS $$
DECLARE
    xact constant bigint := sluice.stored_xact();
BEGIN
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM sluice.durable();
    END IF;
    PERFORM FROM sluice.api_key AS k LIMIT 1;
    BEGIN
        INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, stored_xact,
            source, request_id, payload) VALUES (0, 0, now(), now(), 0, xact, 'probe', 'probe', '{}');
        INSERT INTO sluice.signal_cold_storage (id, organization_id, received_at, occurred_at, key_id,
            stored_xact, source, request_id, payload)
        VALUES (0, 0, now(), now(), 0, xact, 'probe', 'probe', '{}');
        INSERT INTO sluice.product_org_update (id, organization_id, received_at, key_id, stored_xact,
            product_org_id, request_id, payload)
        VALUES (0, 0, now(), 0, xact, 'probe', 'probe', '{}');
        INSERT INTO sluice.rejected_payload (id, organization_id, received_at, key_id, kind, code,
            detail, request_id, payload)
        VALUES (0, 0, now(), 0, 'item', 'probe', 'probe', 'probe', '');
        INSERT INTO sluice.identity (organization_id, anonymous_id, signal_id, identified_at)
        VALUES (0, 'probe', 0, now());
        INSERT INTO sluice.delivery (organization_id, key_scope, fingerprint, id, received_at)
        VALUES (0, 0, gen_random_uuid(), 0, now());
        INSERT INTO sluice.usage_delta (organization_id, counted_at, signals, duplicates)
        VALUES (0, now(), 0, 0);
        RAISE SQLSTATE 'SL000';
    EXCEPTION WHEN SQLSTATE 'SL000' THEN
        -- The rows are gone, but the transaction has written, so its commit waits as others do.
        RETURN;
    END;
END
$$;
COMMENT ON FUNCTION sluice.intake_probe() IS
    'Finds out whether a group could be committed: writes to each table that intake writes to, and '
    'takes that back. Fails where it would have to wait for a lock.';

-- ---- what became of a commit ----

CREATE OR REPLACE FUNCTION sluice.intake_commit_status(xact xid8 DEFAULT NULL,
    stored_at timestamptz DEFAULT NULL, OUT server text, OUT started timestamptz, OUT status text)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    stored constant bigint := xact::text::bigint + sluice.xact_offset();
BEGIN
    started := pg_postmaster_start_time();
    BEGIN
        -- The control file's own timeline is that of the last checkpoint, so after a promotion the old one.
        server := (SELECT c.system_identifier FROM pg_control_system() AS c) || '/'
            || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8);
    EXCEPTION WHEN OTHERS THEN
        NULL; -- a standby, or a service that does not tell
    END;
    IF xact IS NULL THEN
        RETURN;
    END IF;
    BEGIN
        status := pg_xact_status(xact);
    EXCEPTION WHEN invalid_parameter_value THEN
        status := 'aborted'; -- This server has not come that far: after a crash it forgot the transaction.
    END;
    -- Rows prove the commit. The id alone does not, because after a crash it may be given again.
    IF EXISTS (SELECT FROM sluice.signal AS r WHERE r.received_at = stored_at AND r.stored_xact = stored)
        OR EXISTS (SELECT FROM sluice.signal_cold_storage AS r
            WHERE r.received_at = stored_at AND r.stored_xact = stored)
        OR EXISTS (SELECT FROM sluice.product_org_update AS r
            WHERE r.received_at = stored_at AND r.stored_xact = stored)
    THEN
        status := 'committed';
        -- This transaction writes, too, so that its own commit waits for the standbys that the other
        -- may still be waiting for.
        IF current_setting('synchronous_commit') IN ('off', 'local') THEN
            PERFORM sluice.durable();
        END IF;
        PERFORM pg_logical_emit_message(true, 'sluice', '');
    ELSIF status = 'committed' THEN
        status := 'in progress'; -- its rows are not visible yet, or it is not the one that was asked for
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.intake_commit_status(xid8, timestamptz) IS
    'What became of a group by its transaction''s id and now(): committed, if rows of it are there '
    'and the transaction that asked has itself been committed; aborted; in progress, or not known '
    '(ask again); null if that is too long ago. All but committed are true of the group only on the '
    'server that it was sent to: the one that started at the same time, or has the same system '
    'identifier and timeline (server; null if they cannot be read). A group without rows in the '
    'staging tables, such as one of repeats, is never committed here.';

GRANT EXECUTE ON FUNCTION
    sluice.intake_ordinary(sluice.intake_sender[], sluice.intake_signal[], boolean, boolean, jsonb[]),
    sluice.intake(sluice.intake_sender[], sluice.intake_signal[], sluice.intake_product_org[], jsonb[],
        sluice.intake_reject[], sluice.intake_refusal[], boolean, boolean, inet[]),
    sluice.bulk_finish(), sluice.intake_probe(),
    sluice.intake_commit_status(xid8, timestamptz)
TO sluice_intake;

-- To find an id in delivery.
GRANT EXECUTE ON FUNCTION sluice.fingerprint(text, text, bytea),
    sluice.event_fingerprint(text, text, text), sluice.product_org_fingerprint(text, text)
TO sluice_reader;

RESET ROLE;
