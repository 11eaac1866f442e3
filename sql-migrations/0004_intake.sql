-- The function by which the workers store signals: the only thing that role may do. One
-- transaction.

SET LOCAL ROLE sluice_owner;

-- Plain statements one after the other, each over the whole group. Items are addressed by
-- subscript: PL/pgSQL keeps its array variables taken apart, so a subscript costs the same
-- wherever it points, and no join puts items and requests together again.
--
-- Plans are made once a session (plan_cache_mode): planning anew cost more than running for small
-- groups. The plans do not depend on the arrays' sizes; the key look-ups are written so that each
-- is one descent of an index.
CREATE FUNCTION sluice.intake_signals(
    key_hashes bytea[], secret_hashes bytea[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], cold boolean[], payloads jsonb[], payloads_raw bytea[],
    OUT outcomes smallint[], OUT ids bigint[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    requests integer := cardinality(key_hashes);
    items integer := cardinality(item_requests);
    organization_ids bigint[]; -- per request, null where nobody was recognised
    key_ids bigint[];
    stale_organization_ids bigint[]; -- keys whose last use must be written down
    stale_key_ids bigint[];
BEGIN
    -- The caller's mistake, not the sender's: an item must not vanish for it.
    IF (requests = ALL (ARRAY[cardinality(secret_hashes), cardinality(request_ids)])
        AND items = ALL (ARRAY[cardinality(sources), cardinality(event_types),
            cardinality(event_names), cardinality(emails), cardinality(user_ids),
            cardinality(anonymous_ids), cardinality(message_ids),
            cardinality(intake_signals.occurred_at), cardinality(cold),
            cardinality(payloads), cardinality(payloads_raw)])
        AND 1 <= ALL (item_requests) AND requests >= ALL (item_requests)) IS NOT TRUE
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

    -- Ids come first, so that they stand where their items stand.
    ids := ARRAY(
        SELECT CASE WHEN outcomes[i.request] = 0 THEN nextval('sluice.signal_id') END
        FROM unnest(item_requests) WITH ORDINALITY AS i (request, n)
        ORDER BY i.n);

    INSERT INTO sluice.signal_staging (organization_id, id, received_at, occurred_at, key_id,
        payload_repaired, source, event_type, event_name, email, user_id, anonymous_id, message_id,
        request_id, payload, payload_raw)
    SELECT organization_ids[item_requests[i]], ids[i], now(),
        coalesce(intake_signals.occurred_at[i], now()), key_ids[item_requests[i]],
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
            coalesce(intake_signals.occurred_at[i], now()), key_ids[item_requests[i]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i], payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL AND cold[i] IS TRUE;
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
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]) IS
    'Authenticates a group of requests and stores their signals, all in the caller''s '
    'transaction. The first three arrays have one element a request: SHA-256 of the key, SHA-256 '
    'of the secret (null: none was sent), request id. The others have one element an item, the '
    'first of them the number of its request, from 1. outcomes, per request: 0 accepted, 1 not '
    'authenticated (key unknown, deactivated or expired, or its secret absent or wrong), 2 the '
    'key is not for signals. ids, per item: the new row''s id, null when its request was not '
    'accepted. A request may have no items: then it is only authenticated. Cold items go to '
    'signal_cold_storage, the others to signal_staging; a null occurred_at means receipt, '
    'payloads_raw holds the received bytes where the payload was repaired. Also notes the keys'' '
    'last use, and turns synchronous_commit on when it is off or local. A payload that jsonb '
    'cannot hold fails the call with SQLSTATE 22xxx or 54xxx; nothing is stored then.';

GRANT EXECUTE ON FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[],
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[])
    TO sluice_intake;

RESET ROLE;
