-- Moving the cold signals of known visitors to signal.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.move_identified(organization_ids bigint[], anonymous_ids text[],
    received_from timestamptz, max_rows integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ids bigint[];
    first_at timestamptz;
    last_at timestamptz;
BEGIN
    -- Skips rows that another transaction is moving, so that each moves once.
    SELECT array_agg(w.id), min(w.received_at), max(w.received_at) INTO ids, first_at, last_at
    FROM (
        SELECT c.id, c.received_at
        FROM unnest(organization_ids, anonymous_ids) AS v (organization_id, anonymous_id)
        JOIN sluice.signal_cold_storage AS c ON c.organization_id = v.organization_id
            AND c.anonymous_id = v.anonymous_id AND c.received_at >= received_from
        LIMIT max_rows
        FOR UPDATE OF c SKIP LOCKED
    ) AS w;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    WITH moved AS (
        DELETE FROM sluice.signal_cold_storage AS c
        WHERE c.id = ANY (ids) AND c.received_at BETWEEN first_at AND last_at
        RETURNING c.*
    ), noted AS (
        INSERT INTO sluice.signal_move (organization_id, id, received_at)
        SELECT m.organization_id, m.id, m.received_at FROM moved AS m
    )
    INSERT INTO sluice.signal (id, organization_id, received_at, occurred_at, key_id, stored_xact,
        source, event_type, event_name, email, user_id, anonymous_id, product_user_id, crm_id,
        marketing_automation_id, phone, product_org_id, message_id, request_id, traceparent,
        payload, payload_raw, envelope, warnings)
    SELECT m.id, m.organization_id, m.received_at, m.occurred_at, m.key_id, 0, m.source, m.event_type,
        m.event_name, m.email, m.user_id, m.anonymous_id, m.product_user_id, m.crm_id,
        m.marketing_automation_id, m.phone, m.product_org_id, m.message_id, m.request_id,
        m.traceparent, m.payload, m.payload_raw, m.envelope, m.warnings
    FROM moved AS m;
    IF sluice.notifies_consumers() THEN
        PERFORM sluice.notify_consumers('signal');
    END IF;
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION sluice.move_identified(bigint[], text[], timestamptz, integer) IS
    'Moves up to max_rows signals of these visitors (organization_ids and anonymous_ids in '
    'parallel), received since then, from signal_cold_storage to signal, and returns how many. Ids '
    'and times stay. Internal.';

CREATE OR REPLACE FUNCTION sluice.resolve_identities(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    organization_ids bigint[];
    identity_ids bigint[];
    anonymous_ids text[];
    moved bigint;
BEGIN
    SELECT array_agg(u.organization_id), array_agg(u.id), array_agg(u.anonymous_id)
    INTO organization_ids, identity_ids, anonymous_ids
    FROM (
        SELECT k.organization_id, k.id, k.anonymous_id FROM sluice.identity AS k
        WHERE k.settled_at IS NULL AND k.looked_at < now() - interval '1 minute'
        ORDER BY k.looked_at
        LIMIT max_rows
        FOR UPDATE SKIP LOCKED
    ) AS u;
    IF identity_ids IS NULL THEN
        RETURN 0;
    END IF;
    moved := sluice.move_identified(organization_ids, anonymous_ids, '-infinity', max_rows);
    IF moved < max_rows THEN
        -- A transaction that began before the visitor was known may still store a cold signal. None
        -- lasts 15 minutes (statement_timeout and idle_in_transaction_session_timeout of
        -- sluice_intake).
        UPDATE sluice.identity AS k
        SET looked_at = now(),
            settled_at = CASE WHEN k.identified_at < now() - interval '15 minutes' THEN now() END
        FROM unnest(organization_ids, identity_ids) AS u (organization_id, id)
        WHERE k.organization_id = u.organization_id AND k.id = u.id;
    END IF;
    RETURN greatest(moved, cardinality(identity_ids));
END
$$;
COMMENT ON FUNCTION sluice.resolve_identities(integer) IS
    'Maintenance step: moves cold signals of up to max_rows identified visitors to signal, and '
    'returns how many signals or visitors it handled. Intake itself moves a few recent signals at '
    'once; this does the rest.';

RESET ROLE;
