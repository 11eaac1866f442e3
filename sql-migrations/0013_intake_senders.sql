-- Intake in fewer and smaller steps. One transaction.
--
-- For a group of ordinary size starting a statement costs more than running it, and preparing an
-- expression more than evaluating it (tests/bench/RESULTS.md has the figures). So who sends is looked
-- up once a group, however many requests came with the same key; what is rarely the case is looked
-- for on the way; and functions return a type, because a list of OUT parameters is read from the
-- catalog and taken apart at each call.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.writer_slot() RETURNS smallint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    class constant integer := 'sluice.key_activity'::regclass::oid::integer;
    own constant smallint := pg_backend_pid() % 64;
BEGIN
    IF pg_try_advisory_xact_lock(class, own) THEN -- nearly always
        RETURN own;
    END IF;
    FOR slot IN 0..63 LOOP
        IF pg_try_advisory_xact_lock(class, slot) THEN
            RETURN slot;
        END IF;
    END LOOP;
    -- More writers than slots: one waits for another's commit.
    PERFORM pg_advisory_xact_lock(class, own);
    RETURN own;
END
$$;

DROP FUNCTION sluice.intake(bytea[], bytea[], text[], integer[], text[], text[], text[],
    text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], integer[], bigint[],
    text[], text[], text[], text[], bytea[], bigint[], bigint[], smallint[], integer[], boolean,
    boolean[], integer[], text[], text[], text[], text[], bigint[], bigint[], text[],
    timestamptz[], text[], text[], text[]);
DROP FUNCTION sluice.store_items(smallint[], bigint[], bigint[], text[], integer[], text[],
    text[], text[], text[], text[], text[], text[], timestamptz[], text[], bytea[], text[], text[],
    text[], text[], bigint[], bigint[], text[], timestamptz[], text[], text[], text[], boolean,
    smallint, boolean[]);

-- ---- storing ----

CREATE TYPE sluice.stored_items AS (cold boolean[], ids bigint[], repeated boolean[]);
COMMENT ON TYPE sluice.stored_items IS
    'What store_items returns: arrays with one element an item.';
COMMENT ON COLUMN sluice.stored_items.cold IS
    'as it was given, but false for visitors who are known; null: none is cold';
COMMENT ON COLUMN sluice.stored_items.ids IS
    'of the stored row, or of the first delivery where repeated is true; null: not stored';
COMMENT ON COLUMN sluice.stored_items.repeated IS
    'it had been delivered before; null: none had';

-- What intake and replay have in common. Items are addressed by subscript: PL/pgSQL keeps its array
-- variables taken apart, passes them on as they are, and a subscript costs the same wherever it
-- points. No SET clauses: entering and leaving one costs every group several microseconds; those who
-- call it have set them. An array that would hold nothing but nulls is null itself, which a
-- subscript reads the same; whole steps are passed over for it.
--
-- Payloads come as text and become jsonb row by row: as an array of jsonb all of them would be taken
-- apart at once, which took 1.9 GB for a body of 8 MiB, and those of refused requests too.
--
-- An item is a signal, or with a product_org_id an update of a product org; a group may hold both.
CREATE FUNCTION sluice.store_items(
    outcomes smallint[], organization_ids bigint[], key_ids bigint[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], payloads text[], payloads_raw bytea[],
    product_org_ids text[], names text[], plan_ids text[], plan_names text[],
    user_counts bigint[], mrrs bigint[], trial_statuses text[], last_active_at timestamptz[],
    feature_flags text[], customs text[], warnings text[], in_bulk boolean,
    writer smallint, cold boolean[], senders integer[] DEFAULT '{1}')
RETURNS sluice.stored_items
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    items integer := cardinality(item_requests);
    ids bigint[];
    repeated boolean[];
    new_ids bigint[]; -- per item, null where nothing is to be stored
    with_id bigint;
    added bigint;
    found_organization_ids bigint[]; -- of visitors that were not known
    found_anonymous_ids text[];
    stored bigint := 0;
    more bigint;
BEGIN
    -- The caller's mistake, not the sender's: an item must not vanish for it.
    IF (items = ALL (ARRAY[cardinality(sources), cardinality(payloads),
            coalesce(cardinality(product_org_ids), items)])
        AND 1 <= ALL (item_requests) AND cardinality(senders) >= ALL (item_requests)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of items do not fit together'
            USING ERRCODE = 'internal_error';
    END IF;

    -- Ids come first, so that they stand where their items stand.
    ids := ARRAY(
        SELECT CASE WHEN outcomes[senders[i.request]] = 0 THEN nextval('sluice.signal_id') END
        FROM unnest(item_requests) WITH ORDINALITY AS i (request, n)
        ORDER BY i.n);
    new_ids := ids;

    -- Deliveries with an id. In one order everywhere, so that two transactions with the same ids
    -- wait for each other in that order. A bulk import only looks for those that are there: it may
    -- last for minutes, and nobody shall wait for it (bulk_finish). So does who has reached the
    -- limit: what was accepted before is still answered so.
    IF message_ids IS NOT NULL THEN
        SELECT count(*) INTO with_id FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL;
        IF with_id > 0 AND NOT in_bulk THEN
            INSERT INTO sluice.delivery (organization_id, key_id, message_id, signal_id, received_at)
            SELECT organization_ids[senders[item_requests[i]]], key_ids[senders[item_requests[i]]],
                message_ids[i], ids[i], now()
            FROM generate_series(1, items) AS i
            WHERE ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL
            ORDER BY organization_ids[senders[item_requests[i]]],
                key_ids[senders[item_requests[i]]], message_ids[i] COLLATE "C", i
            ON CONFLICT (organization_id, key_id, message_id) DO NOTHING;
            GET DIAGNOSTICS added = ROW_COUNT;
        END IF;
        IF with_id > coalesce(added, 0) OR 7 = ANY (outcomes) THEN
            ids := ARRAY(
                SELECT CASE WHEN message_ids[i] IS NOT NULL
                        AND (new_ids[i] IS NOT NULL OR outcomes[senders[item_requests[i]]] = 7)
                    THEN (SELECT d.signal_id FROM sluice.delivery AS d
                        WHERE d.organization_id = organization_ids[senders[item_requests[i]]]
                            AND d.key_id = key_ids[senders[item_requests[i]]]
                            AND d.message_id = message_ids[i])
                    END
                FROM generate_series(1, items) AS i
                ORDER BY i);
            repeated := ARRAY(SELECT ids[i] IS NOT NULL AND ids[i] IS DISTINCT FROM new_ids[i]
                FROM generate_series(1, items) AS i ORDER BY i);
            IF NOT in_bulk AND EXISTS (SELECT FROM generate_series(1, items) AS i
                WHERE new_ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL AND ids[i] IS NULL)
            THEN
                -- It was there a moment ago and was pruned since.
                RAISE EXCEPTION 'a delivery was pruned meanwhile'
                    USING ERRCODE = 'serialization_failure';
            END IF;
            ids := ARRAY(SELECT coalesce(ids[i], new_ids[i])
                FROM generate_series(1, items) AS i ORDER BY i);
            new_ids := ARRAY(SELECT CASE WHEN NOT repeated[i] THEN new_ids[i] END
                FROM generate_series(1, items) AS i ORDER BY i);
        END IF;
    END IF;

    -- Visitors who are known.
    IF anonymous_ids IS NOT NULL AND (emails IS NOT NULL OR user_ids IS NOT NULL) THEN
        SELECT array_agg(v.organization_id), array_agg(v.anonymous_id)
        INTO found_organization_ids, found_anonymous_ids
        FROM (
            SELECT DISTINCT organization_ids[senders[item_requests[i]]] AS organization_id,
                anonymous_ids[i] COLLATE "C" AS anonymous_id
            FROM generate_series(1, items) AS i
            WHERE new_ids[i] IS NOT NULL AND anonymous_ids[i] IS NOT NULL
                AND (emails[i] IS NOT NULL OR user_ids[i] IS NOT NULL)
        ) AS v
        WHERE NOT EXISTS (SELECT FROM sluice.identity AS k
            WHERE k.organization_id = v.organization_id AND k.anonymous_id = v.anonymous_id);
        IF found_anonymous_ids IS NOT NULL THEN
            INSERT INTO sluice.identity (organization_id, anonymous_id, user_id, email, signal_id,
                identified_at)
            SELECT v.organization_id, v.anonymous_id, user_ids[v.first], emails[v.first],
                new_ids[v.first], now()
            FROM (
                SELECT f.organization_id, f.anonymous_id, min(i) AS first
                FROM unnest(found_organization_ids, found_anonymous_ids)
                    AS f (organization_id, anonymous_id)
                JOIN generate_series(1, items) AS i
                    ON organization_ids[senders[item_requests[i]]] = f.organization_id
                    AND anonymous_ids[i] COLLATE "C" = f.anonymous_id
                WHERE new_ids[i] IS NOT NULL AND (emails[i] IS NOT NULL OR user_ids[i] IS NOT NULL)
                GROUP BY f.organization_id, f.anonymous_id
            ) AS v;
        END IF;
    END IF;
    IF anonymous_ids IS NOT NULL AND cold IS NOT NULL THEN
        cold := ARRAY(
            SELECT cold[i] AND NOT (anonymous_ids[i] IS NOT NULL AND EXISTS (
                SELECT FROM sluice.identity AS k
                WHERE k.organization_id = organization_ids[senders[item_requests[i]]]
                    AND k.anonymous_id = anonymous_ids[i]))
            FROM generate_series(1, items) AS i
            ORDER BY i);
    END IF;

    -- Not for a group of product-org updates alone.
    IF product_org_ids IS NULL OR array_position(product_org_ids, NULL) IS NOT NULL THEN
        INSERT INTO sluice.signal_staging (organization_id, id, received_at, occurred_at, key_id,
            payload_repaired, source, event_type, event_name, email, user_id, anonymous_id, message_id,
            request_id, payload, payload_raw)
        SELECT organization_ids[senders[item_requests[i]]], new_ids[i], now(),
            coalesce(store_items.occurred_at[i], now()), key_ids[senders[item_requests[i]]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND cold[i] IS NOT TRUE
            AND product_org_ids[i] IS NULL;
        GET DIAGNOSTICS stored = ROW_COUNT;
    END IF;

    IF cold IS NOT NULL THEN
        INSERT INTO sluice.signal_cold_storage (organization_id, id, received_at, occurred_at,
            key_id, payload_repaired, source, event_type, event_name, email, user_id,
            anonymous_id, message_id, request_id, payload, payload_raw)
        SELECT organization_ids[senders[item_requests[i]]], new_ids[i], now(),
            coalesce(store_items.occurred_at[i], now()), key_ids[senders[item_requests[i]]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND cold[i] IS TRUE;
        GET DIAGNOSTICS more = ROW_COUNT;
        stored := stored + more;
    END IF;

    IF product_org_ids IS NOT NULL THEN
        INSERT INTO sluice.product_org_staging (organization_id, id, received_at, key_id,
            payload_repaired, product_org_id, name, plan_id, plan_name, user_count, mrr,
            trial_status, last_active_at, feature_flags, custom, warnings, message_id, request_id,
            payload, payload_raw)
        SELECT organization_ids[senders[item_requests[i]]], new_ids[i], now(), key_ids[senders[item_requests[i]]],
            payloads_raw[i] IS NOT NULL, product_org_ids[i], names[i], plan_ids[i], plan_names[i],
            user_counts[i], mrrs[i], trial_statuses[i], store_items.last_active_at[i],
            feature_flags[i]::jsonb, customs[i]::jsonb, warnings[i]::jsonb, message_ids[i],
            request_ids[item_requests[i]], payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND product_org_ids[i] IS NOT NULL;
        GET DIAGNOSTICS more = ROW_COUNT;
        stored := stored + more;
    END IF;

    IF NOT in_bulk AND found_anonymous_ids IS NOT NULL THEN
        -- What came lately from visitors who are known now. The rest is left to maintain: this
        -- request does not wait for many rows, nor for a look into the partitions of many days.
        PERFORM sluice.move_identified(found_organization_ids, found_anonymous_ids,
            now() - interval '1 day', 100);
    END IF;

    IF in_bulk THEN
        NULL; -- bulk_finish counts
    ELSIF outcomes = '{0}' THEN
        -- One sender, as nearly always: nothing is to be told apart, which is half of the cost.
        INSERT INTO sluice.usage_minute AS u (organization_id, minute, slot, signals, duplicates)
        VALUES (organization_ids[1], date_trunc('minute', now()), writer, stored, items - stored)
        ON CONFLICT (organization_id, minute, slot) DO UPDATE
        SET signals = u.signals + excluded.signals,
            duplicates = u.duplicates + excluded.duplicates;
    ELSE
        INSERT INTO sluice.usage_minute AS u (organization_id, minute, slot, signals, duplicates)
        SELECT organization_ids[senders[item_requests[i]]], date_trunc('minute', now()), writer,
            count(new_ids[i]), count(*) - count(new_ids[i])
        FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL
        GROUP BY organization_ids[senders[item_requests[i]]]
        ON CONFLICT (organization_id, minute, slot) DO UPDATE
        SET signals = u.signals + excluded.signals,
            duplicates = u.duplicates + excluded.duplicates;
    END IF;
    RETURN (cold, ids, repeated);
END
$$;
COMMENT ON FUNCTION sluice.store_items(smallint[], bigint[], bigint[], text[], integer[], text[],
    text[], text[], text[], text[], text[], text[], timestamptz[], text[], bytea[], text[], text[],
    text[], text[], bigint[], bigint[], text[], timestamptz[], text[], text[], text[], boolean,
    smallint, boolean[], integer[]) IS
    'Stores the items of those senders whose outcome is 0; of those with outcome 7 it only looks up '
    'what was delivered before. The first three arrays have one element a sender, request_ids and '
    'senders (the number of its sender, from 1) one a request, the others one an item, as for intake. '
    'Counts what it stored for its organization (writer: from writer_slot), unless in_bulk: then '
    'bulk_finish does, and a delivery''s id is only looked for. Asks nobody for a key. For the '
    'functions of this schema.';

-- ---- intake ----

CREATE TYPE sluice.intake_result AS (outcomes smallint[], key_ids bigint[], ids bigint[],
    repeated boolean[], cold boolean[], templates text[]);
COMMENT ON TYPE sluice.intake_result IS 'What intake returns.';
COMMENT ON COLUMN sluice.intake_result.outcomes IS
    'per sender: 0 accepted, 1 unknown key, 2 deactivated, 3 expired, 4 secret missing, 5 secret '
    'wrong, 6 the key is for the other endpoint, 7 the month''s limit is reached, 8 a bulk import of '
    'this key is about to commit: to be sent again. With 7 a request is accepted all the same when '
    'each of its items was delivered before';
COMMENT ON COLUMN sluice.intake_result.key_ids IS
    'per sender: null when the key is unknown; api_key.id';
COMMENT ON COLUMN sluice.intake_result.ids IS
    'per item: of the stored row, or of the first delivery where repeated is true; null when its '
    'request was not accepted. Null as a whole: nothing was';
COMMENT ON COLUMN sluice.intake_result.repeated IS
    'per item: it had been delivered before; null: none had';
COMMENT ON COLUMN sluice.intake_result.cold IS
    'per item: stored in signal_cold_storage; null: none was';
COMMENT ON COLUMN sluice.intake_result.templates IS
    'per element of template_senders: the key''s payload template, null when the sender was not '
    'recognised; null: none was wanted';

-- Plain statements one after the other, each over the whole group.
--
-- Plans are made once a session (plan_cache_mode): planning anew cost more than running for small
-- groups. The plans do not depend on the arrays' sizes; the key look-ups are written so that each
-- is one descent of an index.
CREATE FUNCTION sluice.intake(
    key_hashes bytea[], secret_hashes bytea[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], item_cold boolean[], payloads text[], payloads_raw bytea[],
    reject_requests integer[], reject_positions bigint[], reject_codes text[],
    reject_details text[], reject_kinds text[], reject_sources text[], reject_payloads bytea[],
    reject_lengths bigint[], refused_key_ids bigint[], refusals smallint[],
    refusal_counts integer[], in_bulk boolean,
    for_product_orgs boolean[] DEFAULT NULL, template_senders integer[] DEFAULT NULL,
    product_org_ids text[] DEFAULT NULL, names text[] DEFAULT NULL, plan_ids text[] DEFAULT NULL,
    plan_names text[] DEFAULT NULL, user_counts bigint[] DEFAULT NULL, mrrs bigint[] DEFAULT NULL,
    trial_statuses text[] DEFAULT NULL, last_active_at timestamptz[] DEFAULT NULL,
    feature_flags text[] DEFAULT NULL, customs text[] DEFAULT NULL, warnings text[] DEFAULT NULL,
    request_senders integer[] DEFAULT NULL, recently_used boolean DEFAULT false)
RETURNS sluice.intake_result
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    result sluice.intake_result;
    stored sluice.stored_items;
    requests integer := cardinality(request_ids);
    rejects integer := greatest(cardinality(reject_requests), cardinality(reject_payloads));
    senders integer[] := request_senders;
    organization_ids bigint[]; -- per sender, null where nobody was recognised
    limited boolean; -- some of the organizations have a limit
    full_ids bigint[]; -- those that have reached it
    busy_key_ids bigint[];
    stale_organization_ids bigint[]; -- keys whose last use must be written down
    stale_key_ids bigint[];
    my_slot smallint;
BEGIN
    IF senders IS NULL THEN
        -- Workers of the version before name none: each request has its own.
        senders := ARRAY(SELECT generate_series(1, requests));
    END IF;

    -- The caller's mistake, not the sender's: nothing must vanish for it.
    IF (cardinality(senders) = requests AND 1 <= ALL (senders)
        AND cardinality(key_hashes) >= ALL (senders)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of intake do not fit together'
            USING ERRCODE = 'internal_error';
    END IF;
    IF rejects > 0 THEN
        IF (rejects = ALL (ARRAY[cardinality(reject_requests),
                coalesce(cardinality(reject_positions), rejects), cardinality(reject_codes),
                cardinality(reject_details), cardinality(reject_kinds),
                coalesce(cardinality(reject_sources), rejects), cardinality(reject_payloads),
                coalesce(cardinality(reject_lengths), rejects)])
            AND 1 <= ALL (reject_requests) AND requests >= ALL (reject_requests)) IS NOT TRUE
        THEN
            RAISE EXCEPTION 'arrays of intake do not fit together'
                USING ERRCODE = 'internal_error';
        END IF;
    END IF;

    -- Accepted means committed. Settings between off and on are the DBA's business; these two
    -- would answer before the rows are on disk here or on a synchronous standby.
    IF current_setting('synchronous_commit') IN ('off', 'local') THEN
        PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    SELECT coalesce(array_agg(a.outcome), '{}'), array_agg(a.organization_id),
        coalesce(array_agg(a.key_id), '{}'), bool_or(a.limited)
    INTO result.outcomes, organization_ids, result.key_ids, limited
    FROM (
        SELECT k.organization_id, k.id AS key_id, k.limited,
            CASE
                WHEN k.id IS NULL THEN 1
                WHEN k.deactivated_at IS NOT NULL THEN 2
                WHEN k.expires_at <= now() THEN 3
                WHEN k.secret_hash <> secret_hashes[s.n] THEN 5
                WHEN k.secret_hash IS NOT NULL AND secret_hashes[s.n] IS NULL THEN 4
                WHEN k.endpoint_type <> CASE WHEN for_product_orgs[s.n]
                    THEN 'product_orgs'::sluice.endpoint_type ELSE 'signal_staging' END THEN 6
                ELSE 0
            END::smallint AS outcome
        FROM unnest(key_hashes) WITH ORDINALITY AS s (key_hash, n)
        LEFT JOIN LATERAL (
            SELECT c.id, c.organization_id, c.endpoint_type, c.secret_hash, c.expires_at,
                c.deactivated_at, o.signal_limit > 0 AND NOT o.overages AS limited
            FROM sluice.api_key AS c
            JOIN sluice.organization AS o ON o.id = c.organization_id
            WHERE c.key_hash = s.key_hash
            LIMIT 1 -- keeps the planner from joining by a scan of all keys
        ) AS k ON true
        ORDER BY s.n
    ) AS a;

    IF limited THEN
        full_ids := ARRAY(SELECT o.id FROM sluice.organization AS o
            WHERE o.id = ANY (organization_ids) AND o.signal_limit > 0 AND NOT o.overages
                AND sluice.signals_of_month(o.id) >= o.signal_limit);
        result.outcomes := ARRAY(
            SELECT CASE WHEN outcome = 0 AND organization_ids[n] = ANY (full_ids) THEN 7
                ELSE outcome END
            FROM unnest(result.outcomes) WITH ORDINALITY AS u (outcome, n) ORDER BY n);
    END IF;

    -- Keys with a bulk import that is about to commit: whoever brings ids would have to wait for it,
    -- and all others of the group too.
    IF message_ids IS NOT NULL AND NOT in_bulk THEN
        busy_key_ids := ARRAY(SELECT k.id
            FROM (SELECT DISTINCT result.key_ids[s] AS id
                FROM generate_series(1, cardinality(key_hashes)) AS s
                WHERE result.outcomes[s] = 0 OFFSET 0) AS k
            CROSS JOIN LATERAL sluice.delivery_lock(k.id) AS l
            WHERE NOT pg_try_advisory_xact_lock_shared(l.class, l.number));
        IF cardinality(busy_key_ids) > 0 THEN
            result.outcomes := ARRAY(
                SELECT CASE WHEN outcome = 0 AND result.key_ids[n] = ANY (busy_key_ids) THEN 8
                    ELSE outcome END
                FROM unnest(result.outcomes) WITH ORDINALITY AS u (outcome, n) ORDER BY n);
        END IF;
    END IF;

    IF result.outcomes && '{0,7}' OR refused_key_ids IS NOT NULL THEN
        my_slot := sluice.writer_slot();
    END IF;

    IF cardinality(item_requests) > 0 AND result.outcomes && '{0,7}' THEN
        stored := sluice.store_items(result.outcomes, organization_ids, result.key_ids, request_ids,
            item_requests, sources, event_types, event_names, emails, user_ids, anonymous_ids,
            message_ids, intake.occurred_at, payloads, payloads_raw, product_org_ids, names,
            plan_ids, plan_names, user_counts, mrrs, trial_statuses, intake.last_active_at,
            feature_flags, customs, warnings, in_bulk, my_slot, item_cold, senders);
        result.ids := stored.ids;
        result.repeated := stored.repeated;
        result.cold := stored.cold;
    END IF;

    IF template_senders IS NOT NULL THEN
        IF (1 <= ALL (template_senders) AND cardinality(key_hashes) >= ALL (template_senders))
            IS NOT TRUE
        THEN
            RAISE EXCEPTION 'arrays of intake do not fit together'
                USING ERRCODE = 'internal_error';
        END IF;
        -- Also at the limit: whether all was delivered before is seen when the items are here.
        result.templates := ARRAY(
            SELECT CASE WHEN result.outcomes[t.sender] IN (0, 7) THEN (
                SELECT k.payload_template::text
                FROM sluice.api_key AS k WHERE k.id = result.key_ids[t.sender]) END
            FROM unnest(template_senders) WITH ORDINALITY AS t (sender, n)
            ORDER BY t.n);
    END IF;

    IF rejects > 0 THEN
        INSERT INTO sluice.rejected_payload (organization_id, received_at, key_id, position,
            payload_bytes, kind, code, detail, source, request_id, payload)
        SELECT organization_ids[senders[reject_requests[i]]], now(),
            result.key_ids[senders[reject_requests[i]]], reject_positions[i], reject_lengths[i],
            reject_kinds[i], reject_codes[i], reject_details[i], reject_sources[i],
            request_ids[reject_requests[i]], reject_payloads[i]
        FROM generate_series(1, rejects) AS i
        WHERE result.outcomes[senders[reject_requests[i]]] = 0;
    END IF;

    -- Last used: looked at often, written rarely.
    IF NOT recently_used AND 0 = ANY (result.outcomes) THEN
        SELECT array_agg(u.organization_id), array_agg(u.key_id)
        INTO stale_organization_ids, stale_key_ids
        FROM (
            SELECT DISTINCT organization_ids[s] AS organization_id, result.key_ids[s] AS key_id
            FROM generate_series(1, cardinality(key_hashes)) AS s
            WHERE result.outcomes[s] = 0
        ) AS u
        WHERE (SELECT true FROM sluice.key_activity AS a
            WHERE a.organization_id = u.organization_id AND a.key_id = u.key_id
                AND a.last_used_at >= now() - interval '20 seconds'
            LIMIT 1) IS NULL; -- as a join it might be a scan of all keys
        IF stale_key_ids IS NOT NULL THEN
            INSERT INTO sluice.key_activity AS a (organization_id, key_id, slot, last_used_at)
            SELECT stale.organization_id, stale.key_id, my_slot, now()
            FROM unnest(stale_organization_ids, stale_key_ids)
                AS stale (organization_id, key_id)
            ON CONFLICT (organization_id, key_id, slot)
            DO UPDATE SET last_used_at = greatest(a.last_used_at, excluded.last_used_at);
        END IF;
    END IF;

    IF refused_key_ids IS NOT NULL THEN
        INSERT INTO sluice.refused_request AS r (organization_id, key_id, day, reason, slot,
            requests, last_at)
        SELECT k.organization_id, k.id, (now() AT TIME ZONE 'UTC')::date,
            (enum_range(NULL::sluice.refusal))[refusals[i] - 1], my_slot,
            sum(refusal_counts[i]), now()
        FROM generate_series(1, cardinality(refused_key_ids)) AS i
        JOIN sluice.api_key AS k ON k.id = refused_key_ids[i]
        WHERE refusals[i] BETWEEN 2 AND 7
        GROUP BY k.organization_id, k.id, refusals[i]
        ON CONFLICT (organization_id, key_id, day, reason, slot)
        DO UPDATE SET requests = r.requests + excluded.requests, last_at = excluded.last_at
        WHERE r.last_at <= excluded.last_at - interval '1 second';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.intake(bytea[], bytea[], text[], integer[], text[], text[], text[],
    text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], integer[], bigint[],
    text[], text[], text[], text[], bytea[], bigint[], bigint[], smallint[], integer[], boolean,
    boolean[], integer[], text[], text[], text[], text[], bigint[], bigint[], text[],
    timestamptz[], text[], text[], text[], integer[], boolean) IS
    'Authenticates a group of requests and stores their signals and product-org updates, all in '
    'the caller''s transaction. A sender is a key with a secret (null: none was sent) at an endpoint '
    '(for_product_orgs: that of product orgs); key_hashes, secret_hashes, both SHA-256, and '
    'for_product_orgs have one element a sender. request_ids and request_senders, the number of the '
    'request''s sender from 1, have one a request; without request_senders each request is its own '
    'sender. From item_requests, the number of the item''s request from 1, to payloads_raw there is '
    'one element an item; a null occurred_at means receipt, payloads_raw holds the received bytes '
    'where the payload was repaired. The next eight are what the requests brought and what cannot be '
    'a signal, as the columns of rejected_payload (lengths: payload_bytes); it goes there when its '
    'request was accepted. Then refusals of earlier requests, to be counted: key, outcome, how many. '
    'in_bulk: the call is a part of a bulk import, which ends with bulk_finish. template_senders: '
    'the numbers of the senders whose key''s payload template is wanted. The next eleven have one '
    'element an item: one with a product_org_id is an update of a product org, of which message id '
    'and payload stand among the others, else it is a signal. An array that would hold only nulls '
    'may be null itself. A request may have no items: then it is only authenticated. '
    'recently_used: a call for each of these keys was committed without it less than half a minute '
    'ago; else their last use is noted. Turns synchronous_commit on when it is off or local. A payload '
    'that jsonb cannot hold fails the call with SQLSTATE 22xxx or 54xxx; nothing is stored then.';
GRANT EXECUTE ON FUNCTION
    sluice.intake(bytea[], bytea[], text[], integer[], text[], text[], text[],
        text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], integer[], bigint[],
        text[], text[], text[], text[], bytea[], bigint[], bigint[], smallint[], integer[], boolean,
        boolean[], integer[], text[], text[], text[], text[], bigint[], bigint[], text[],
        timestamptz[], text[], text[], text[], integer[], boolean)
TO sluice_intake;

RESET ROLE;
