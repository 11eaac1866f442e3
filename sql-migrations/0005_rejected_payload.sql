-- What authenticated senders delivered and what could not become a signal: kept with its bytes, so
-- that a sender that never reads its answer loses nothing, and a DBA can repair and replay. One
-- transaction.

SET LOCAL ROLE sluice_owner;

-- ---- the table ----

CREATE SEQUENCE sluice.rejected_payload_id AS bigint;
COMMENT ON SEQUENCE sluice.rejected_payload_id IS
    'Ids of rejected_payload. Gaps are normal, and ids are not in the order of commits.';

CREATE TABLE sluice.rejected_payload (
    organization_id bigint NOT NULL,
    id bigint NOT NULL DEFAULT nextval('sluice.rejected_payload_id'),
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
    PRIMARY KEY (organization_id, id, received_at),
    CONSTRAINT rejected_payload_replayed_check CHECK (
        (replayed_at IS NULL) = (replayed_by IS NULL)
        AND (replayed_at IS NULL) = (replayed_ids IS NULL))
) PARTITION BY RANGE (received_at);

COMMENT ON TABLE sluice.rejected_payload IS
    'What senders with a good key delivered and what could not be stored as a signal: bad items '
    'of batches, stored in the same transaction as the good ones, and bodies that could not be '
    'read. Nothing is kept for Prefer: handling=strict, nor of what is over a size limit of the '
    'body. See, repair and replay with sluicectl rejected. One partition per UTC day of receipt, '
    'as in signal_staging.';
COMMENT ON COLUMN sluice.rejected_payload.organization_id IS 'whose it is; organization.id';
COMMENT ON COLUMN sluice.rejected_payload.id IS
    'from sequence rejected_payload_id; what sluicectl rejected takes';
COMMENT ON COLUMN sluice.rejected_payload.received_at IS
    'when the transaction that stored it began; decides the partition';
COMMENT ON COLUMN sluice.rejected_payload.key_id IS 'the key it was sent with; api_key.id';
COMMENT ON COLUMN sluice.rejected_payload.position IS
    'which item of the body it was, from 0; null: it is the whole body';
COMMENT ON COLUMN sluice.rejected_payload.payload_bytes IS
    'how long it was in full; null when its end was not read';
COMMENT ON COLUMN sluice.rejected_payload.truncated IS
    'true: payload holds the beginning only, as much as the limit of one item allows';
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
    'ids of all signals that were made of it, in signal_staging or signal_cold_storage';
COMMENT ON CONSTRAINT rejected_payload_position_check ON sluice.rejected_payload IS
    'items are counted from 0';
COMMENT ON CONSTRAINT rejected_payload_kind_check ON sluice.rejected_payload IS
    'the ways a body is read';
COMMENT ON CONSTRAINT rejected_payload_replayed_check ON sluice.rejected_payload IS
    'when, by whom and as what belong together';
COMMENT ON INDEX sluice.rejected_payload_pkey IS 'as that of signal_staging';

GRANT SELECT ON sluice.rejected_payload TO sluice_reader;

-- As in 0003; pg_partman computes bounds in the session's time zone.
SET LOCAL TimeZone = 'UTC';
DO $do$
BEGIN
    PERFORM partman.create_parent(
        p_parent_table => 'sluice.rejected_payload',
        p_control => 'received_at',
        p_type => 'native',
        p_interval => 'daily',
        p_premake => 7,
        p_automatic_maintenance => 'off', -- see maintain_partitions
        p_jobmon => false);
    UPDATE partman.part_config
    SET inherit_privileges = true,
        infinite_time_partitions = true,
        ignore_default_data = true
    WHERE parent_table = 'sluice.rejected_payload';
    PERFORM partman.reapply_privileges('sluice.rejected_payload');
END
$do$;

CREATE OR REPLACE FUNCTION sluice.maintain_partitions() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET TimeZone = 'UTC' AS $$
DECLARE
    callers_path text := pg_catalog.current_setting('search_path');
    table_name text;
BEGIN
    PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false);
    FOR table_name IN
        SELECT c.parent_table FROM partman.part_config AS c
        WHERE starts_with(c.parent_table, 'sluice.')
        ORDER BY c.parent_table
    LOOP
        PERFORM partman.run_maintenance(table_name, p_jobmon => false);
    END LOOP;
    PERFORM pg_catalog.set_config('search_path', callers_path, false);
END
$$;

-- ---- storing ----

-- What intake and replay have in common. Items are addressed by subscript: PL/pgSQL keeps its array
-- variables taken apart, passes them on as they are, and a subscript costs the same wherever it
-- points. No SET clauses: entering and leaving one costs every group several microseconds; those who
-- call it have set them.
CREATE FUNCTION sluice.store_signals(
    outcomes smallint[], organization_ids bigint[], key_ids bigint[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], cold boolean[], payloads jsonb[], payloads_raw bytea[])
RETURNS bigint[]
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    items integer := cardinality(item_requests);
    ids bigint[];
BEGIN
    -- The caller's mistake, not the sender's: an item must not vanish for it.
    IF (items = ALL (ARRAY[cardinality(sources), cardinality(event_types),
            cardinality(event_names), cardinality(emails), cardinality(user_ids),
            cardinality(anonymous_ids), cardinality(message_ids),
            cardinality(store_signals.occurred_at), cardinality(cold),
            cardinality(payloads), cardinality(payloads_raw)])
        AND 1 <= ALL (item_requests) AND cardinality(outcomes) >= ALL (item_requests)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of items do not fit together'
            USING ERRCODE = 'internal_error';
    END IF;

    -- Ids come first, so that they stand where their items stand.
    ids := ARRAY(
        SELECT CASE WHEN outcomes[i.request] = 0 THEN nextval('sluice.signal_id') END
        FROM unnest(item_requests) WITH ORDINALITY AS i (request, n)
        ORDER BY i.n);

    INSERT INTO sluice.signal_staging (organization_id, id, received_at, occurred_at, key_id,
        payload_repaired, source, event_type, event_name, email, user_id, anonymous_id, message_id,
        request_id, payload, payload_raw)
    SELECT organization_ids[item_requests[i]], ids[i], now(),
        coalesce(store_signals.occurred_at[i], now()), key_ids[item_requests[i]],
        payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
        user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]], payloads[i],
        payloads_raw[i]
    FROM generate_series(1, items) AS i
    WHERE ids[i] IS NOT NULL AND cold[i] IS NOT TRUE;

    IF true = ANY (cold) THEN
        INSERT INTO sluice.signal_cold_storage (organization_id, id, received_at, occurred_at,
            key_id, payload_repaired, source, event_type, event_name, email, user_id,
            anonymous_id, message_id, request_id, payload, payload_raw)
        SELECT organization_ids[item_requests[i]], ids[i], now(),
            coalesce(store_signals.occurred_at[i], now()), key_ids[item_requests[i]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i], payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL AND cold[i] IS TRUE;
    END IF;
    RETURN ids;
END
$$;
COMMENT ON FUNCTION sluice.store_signals(smallint[], bigint[], bigint[], text[], integer[], text[],
    text[], text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]) IS
    'Stores the items of those requests whose outcome is 0, and returns per item the new row''s '
    'id, else null. The first four arrays have one element a request, the others one an item, as '
    'for intake_signals. Asks nobody for a key. For the functions of this schema.';

-- Plain statements one after the other, each over the whole group.
--
-- Plans are made once a session (plan_cache_mode): planning anew cost more than running for small
-- groups. The plans do not depend on the arrays' sizes; the key look-ups are written so that each
-- is one descent of an index.
CREATE FUNCTION sluice.intake_signals(
    key_hashes bytea[], secret_hashes bytea[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], cold boolean[], payloads jsonb[], payloads_raw bytea[],
    reject_requests integer[], reject_positions bigint[], reject_codes text[],
    reject_details text[], reject_kinds text[], reject_sources text[], reject_payloads bytea[],
    reject_lengths bigint[],
    OUT outcomes smallint[], OUT ids bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    requests integer := cardinality(key_hashes);
    rejects integer := greatest(cardinality(reject_requests), cardinality(reject_payloads));
    organization_ids bigint[]; -- per request, null where nobody was recognised
    key_ids bigint[];
    stale_organization_ids bigint[]; -- keys whose last use must be written down
    stale_key_ids bigint[];
BEGIN
    -- The caller's mistake, not the sender's: nothing must vanish for it.
    IF (requests = ALL (ARRAY[cardinality(secret_hashes), cardinality(request_ids)])) IS NOT TRUE
        OR rejects > 0 AND (rejects = ALL (ARRAY[cardinality(reject_requests),
            cardinality(reject_positions), cardinality(reject_codes), cardinality(reject_details),
            cardinality(reject_kinds), cardinality(reject_sources), cardinality(reject_payloads),
            cardinality(reject_lengths)])
        AND 1 <= ALL (reject_requests) AND requests >= ALL (reject_requests)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of intake_signals do not fit together'
            USING ERRCODE = 'internal_error';
    END IF;

    -- Accepted means committed. Settings between off and on are the DBA's business; these two
    -- would answer before the rows are on disk here or on a synchronous standby.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    SELECT coalesce(array_agg(a.outcome), '{}'), coalesce(array_agg(a.organization_id), '{}'),
        coalesce(array_agg(a.key_id), '{}')
    INTO outcomes, organization_ids, key_ids
    FROM (
        SELECT k.organization_id, k.id AS key_id,
            CASE
                WHEN k.id IS NULL
                    OR k.deactivated_at IS NOT NULL
                    OR k.expires_at <= now()
                    OR (k.secret_hash IS NOT NULL
                        AND k.secret_hash IS DISTINCT FROM r.secret_hash)
                    THEN 1
                WHEN k.endpoint_type <> 'signal_staging' THEN 2
                ELSE 0
            END::smallint AS outcome
        FROM unnest(key_hashes, secret_hashes) WITH ORDINALITY AS r (key_hash, secret_hash, n)
        LEFT JOIN LATERAL (
            SELECT c.id, c.organization_id, c.endpoint_type, c.secret_hash, c.expires_at,
                c.deactivated_at
            FROM sluice.api_key AS c
            WHERE c.key_hash = r.key_hash
            LIMIT 1 -- keeps the planner from joining by a scan of all keys
        ) AS k ON true
        ORDER BY r.n
    ) AS a;

    ids := sluice.store_signals(outcomes, organization_ids, key_ids, request_ids, item_requests,
        sources, event_types, event_names, emails, user_ids, anonymous_ids, message_ids,
        intake_signals.occurred_at, cold, payloads, payloads_raw);

    IF rejects > 0 THEN
        INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, position,
            payload_bytes, kind, code, detail, source, request_id, payload)
        SELECT organization_ids[reject_requests[i]], now(), key_ids[reject_requests[i]],
            reject_positions[i], reject_lengths[i], reject_kinds[i], reject_codes[i],
            reject_details[i], reject_sources[i], request_ids[reject_requests[i]],
            reject_payloads[i]
        FROM generate_series(1, rejects) AS i
        WHERE outcomes[reject_requests[i]] = 0;
    END IF;

    -- Last used: looked at each time, written rarely. Whoever writes holds the advisory lock of
    -- a slot until its transaction ends and touches that slot's rows only, so that nobody waits
    -- for a row; a taken lock is passed over, never waited for.
    SELECT array_agg(u.organization_id), array_agg(u.key_id)
    INTO stale_organization_ids, stale_key_ids
    FROM (
        SELECT DISTINCT organization_ids[r] AS organization_id, key_ids[r] AS key_id
        FROM generate_series(1, requests) AS r
        WHERE outcomes[r] = 0
    ) AS u
    WHERE coalesce((SELECT max(a.last_used_at) FROM sluice.key_activity AS a
        WHERE a.organization_id = u.organization_id AND a.key_id = u.key_id)
        < now() - interval '45 seconds', true);

    IF stale_key_ids IS NOT NULL THEN
        INSERT INTO sluice.key_activity AS a (organization_id, key_id, slot, last_used_at)
        SELECT stale.organization_id, stale.key_id, free.slot, now()
        FROM (
            SELECT s AS slot FROM generate_series(0, 63) AS s
            WHERE pg_try_advisory_xact_lock('sluice.key_activity'::regclass::oid::integer, s)
            LIMIT 1
        ) AS free
        CROSS JOIN unnest(stale_organization_ids, stale_key_ids)
            AS stale (organization_id, key_id)
        ON CONFLICT (organization_id, key_id, slot)
        DO UPDATE SET last_used_at = greatest(a.last_used_at, excluded.last_used_at);
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[],
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[], integer[],
    bigint[], text[], text[], text[], text[], bytea[], bigint[]) IS
    'Authenticates a group of requests and stores their signals, all in the caller''s '
    'transaction. The first three arrays have one element a request: SHA-256 of the key, SHA-256 '
    'of the secret (null: none was sent), request id. Up to payloads_raw the others have one '
    'element an item, the first of them the number of its request, from 1. outcomes, per request: '
    '0 accepted, 1 not authenticated (key unknown, deactivated or expired, or its secret absent '
    'or wrong), 2 the key is not for signals. ids, per item: the new row''s id, null when its '
    'request was not accepted. A request may have no items: then it is only authenticated. Cold '
    'items go to signal_cold_storage, the others to signal_staging; a null occurred_at means '
    'receipt, payloads_raw holds the received bytes where the payload was repaired. The last '
    'eight arrays are what the requests brought and what cannot be a signal, as the columns of '
    'rejected_payload (lengths: payload_bytes); it goes there when its request was accepted. They '
    'may be null when there is nothing. Also notes the keys'' last use, and turns '
    'synchronous_commit on when it is off or local. A payload that jsonb cannot hold fails the '
    'call with SQLSTATE 22xxx or 54xxx; nothing is stored then.';
GRANT EXECUTE ON FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[],
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[], integer[],
    bigint[], text[], text[], text[], text[], bytea[], bigint[])
    TO sluice_intake;

-- For workers of the version before, which go on during an upgrade.
CREATE OR REPLACE FUNCTION sluice.intake_signals(
    key_hashes bytea[], secret_hashes bytea[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], cold boolean[], payloads jsonb[], payloads_raw bytea[],
    OUT outcomes smallint[], OUT ids bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    SELECT s.outcomes, s.ids INTO outcomes, ids
    FROM sluice.intake_signals(key_hashes, secret_hashes, request_ids, item_requests, sources,
        event_types, event_names, emails, user_ids, anonymous_ids, message_ids,
        intake_signals.occurred_at, cold, payloads, payloads_raw,
        NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS s;
END
$$;
COMMENT ON FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[],
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]) IS
    'intake_signals without rejects, as workers of the version before call it.';

-- ---- looking and replaying ----

CREATE VIEW sluice.rejected_overview AS
SELECT
    r.id,
    o.name AS organization,
    r.key_id,
    k.display AS key_display,
    r.received_at,
    r.request_id,
    r.position,
    r.kind,
    r.code,
    r.detail,
    r.source,
    octet_length(r.payload)::bigint AS kept_bytes,
    r.payload_bytes,
    r.truncated,
    r.replayed_at,
    r.replayed_by,
    r.replayed_ids
-- From the organizations on, because the primary key begins with them.
FROM sluice.organization AS o
JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
JOIN sluice.api_key AS k ON k.id = r.key_id;
COMMENT ON VIEW sluice.rejected_overview IS
    'rejected_payload as people want to see it: with names, without the bytes. The shape of '
    'rejected_list and rejected_show.';
COMMENT ON COLUMN sluice.rejected_overview.id IS 'the entry''s id';
COMMENT ON COLUMN sluice.rejected_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.rejected_overview.key_id IS 'the key it was sent with';
COMMENT ON COLUMN sluice.rejected_overview.key_display IS 'what may be shown of the key';
COMMENT ON COLUMN sluice.rejected_overview.received_at IS 'when it was received';
COMMENT ON COLUMN sluice.rejected_overview.request_id IS 'of the request that brought it';
COMMENT ON COLUMN sluice.rejected_overview.position IS
    'which item of the body it was, from 0; null: the whole body';
COMMENT ON COLUMN sluice.rejected_overview.kind IS 'item, single, batch or lines';
COMMENT ON COLUMN sluice.rejected_overview.code IS 'why it was rejected, as a problem code';
COMMENT ON COLUMN sluice.rejected_overview.detail IS 'the same in words';
COMMENT ON COLUMN sluice.rejected_overview.source IS
    'the source by path or header; null: none was given';
COMMENT ON COLUMN sluice.rejected_overview.kept_bytes IS 'how many bytes are kept';
COMMENT ON COLUMN sluice.rejected_overview.payload_bytes IS
    'how long it was in full; null when its end was not read';
COMMENT ON COLUMN sluice.rejected_overview.truncated IS 'true when only the beginning is kept';
COMMENT ON COLUMN sluice.rejected_overview.replayed_at IS 'when it was replayed; null: it was not';
COMMENT ON COLUMN sluice.rejected_overview.replayed_by IS 'who replayed it';
COMMENT ON COLUMN sluice.rejected_overview.replayed_ids IS 'ids of the signals made of it';

GRANT SELECT ON sluice.rejected_overview TO sluice_reader;

CREATE FUNCTION sluice.rejected_show(id bigint) RETURNS sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.rejected_overview;
BEGIN
    SELECT * INTO result FROM sluice.rejected_overview AS v WHERE v.id = rejected_show.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_show.id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejected_show(bigint) IS
    'One entry of rejected_payload as rejected_overview shows it. Raises P0002 when there is none.';

CREATE FUNCTION sluice.rejected_bytes(id bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result bytea;
BEGIN
    SELECT r.payload INTO result
    FROM sluice.organization AS o
    JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
    WHERE r.id = rejected_bytes.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_bytes.id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejected_bytes(bigint) IS
    'The kept bytes of one entry of rejected_payload. Raises P0002 when there is none.';

CREATE FUNCTION sluice.rejected_list(organization_name text, since timestamptz)
RETURNS SETOF sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF organization_name IS NOT NULL THEN
        PERFORM sluice.organization_id_of(organization_name);
    END IF;
    RETURN QUERY
    SELECT * FROM sluice.rejected_overview AS v
    WHERE (organization_name IS NULL OR v.organization = organization_name)
        AND v.received_at >= coalesce(since, '-infinity')
    ORDER BY v.received_at, v.id;
END
$$;
COMMENT ON FUNCTION sluice.rejected_list(text, timestamptz) IS
    'The entries of rejected_payload of an organization, or with null of all, received at or '
    'after an instant, or with null ever, as rejected_overview shows them, the oldest first. '
    'Raises P0002 for an unknown organization.';

CREATE FUNCTION sluice.rejected_replay(actor text, id bigint, again boolean,
    sources text[], event_types text[], event_names text[], emails text[], user_ids text[],
    anonymous_ids text[], message_ids text[], occurred_at timestamptz[], cold boolean[],
    payloads jsonb[], payloads_raw bytea[]) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
    new_ids bigint[];
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF coalesce(cardinality(payloads), 0) = 0 THEN
        RAISE EXCEPTION 'there is no signal to store' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT r.organization_id, r.received_at, r.key_id, r.request_id, r.replayed_at, r.replayed_by
    INTO entry
    FROM sluice.organization AS o
    JOIN sluice.rejected_payload AS r ON r.organization_id = o.id
    WHERE r.id = rejected_replay.id
    FOR UPDATE OF r;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_replay.id
            USING ERRCODE = 'no_data_found';
    ELSIF entry.replayed_at IS NOT NULL AND again IS NOT TRUE THEN
        RAISE EXCEPTION 'rejected payload % was replayed already, by %', rejected_replay.id,
            entry.replayed_by USING ERRCODE = 'raise_exception';
    END IF;
    new_ids := sluice.store_signals('{0}', ARRAY[entry.organization_id], ARRAY[entry.key_id],
        ARRAY[entry.request_id], array_fill(1, ARRAY[cardinality(payloads)]), sources, event_types,
        event_names, emails, user_ids, anonymous_ids, message_ids,
        -- It happened when it was received, not when it was replayed.
        ARRAY(SELECT coalesce(u.instant, entry.received_at)
            FROM unnest(rejected_replay.occurred_at) WITH ORDINALITY AS u (instant, n)
            ORDER BY u.n),
        cold, payloads, payloads_raw);
    UPDATE sluice.rejected_payload AS r
    SET replayed_at = clock_timestamp(), replayed_by = actor,
        replayed_ids = coalesce(r.replayed_ids, '{}') || new_ids
    WHERE r.organization_id = entry.organization_id AND r.id = rejected_replay.id
        AND r.received_at = entry.received_at;
    PERFORM sluice.audit(actor, entry.organization_id, 'rejected_replay', 'rejected_payload',
        rejected_replay.id::text, jsonb_build_object('signals', cardinality(new_ids),
            'again', entry.replayed_at IS NOT NULL));
    RETURN new_ids;
END
$$;
COMMENT ON FUNCTION sluice.rejected_replay(text, bigint, boolean, text[], text[], text[], text[],
    text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]) IS
    'Stores signals that were made of an entry of rejected_payload (actor, id, whether it may have '
    'been replayed before, and the items as for intake_signals) under its organization, key and '
    'request id, whatever became of the key since; marks the entry as replayed and returns the '
    'new ids, all in one transaction. A null occurred_at means the original receipt. Raises P0002 '
    'when there is no such entry, P0001 when it was replayed before, 22023 when there is no item.';

COMMENT ON COLUMN sluice.audit_log.action IS
    'what was done: organization_create, member_add, member_remove, key_create, key_deactivate, '
    'rejected_replay';
COMMENT ON COLUMN sluice.audit_log.object_kind IS
    'organization, member, api_key or rejected_payload';
COMMENT ON TABLE sluice.audit_log IS
    'Every change of organizations, members and keys, and every replay, written by the function '
    'that made it, in the same transaction. Rows are only ever added. Holds no key, secret or '
    'hash.';
COMMENT ON SCHEMA sluice IS
    'Sluice, webhook intake: what senders delivered (signal_staging, signal_cold_storage, '
    'rejected_payload), who may send (organization, api_key) and who changed what (audit_log). '
    'Programs call the functions; people read the tables and views as sluice_reader. Changed by '
    'sluicectl migrate only.';

GRANT EXECUTE ON FUNCTION
    sluice.rejected_list(text, timestamptz),
    sluice.rejected_show(bigint),
    sluice.rejected_bytes(bigint),
    sluice.rejected_replay(text, bigint, boolean, text[], text[], text[], text[], text[], text[],
        text[], timestamptz[], boolean[], jsonb[], bytea[])
TO sluice_admin;

RESET ROLE;
