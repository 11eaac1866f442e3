-- What makes intake more than an insert: deliveries with an id are stored once, signals are counted
-- and limited by month, refused requests of known keys are counted, and signals of visitors who
-- are identified leave cold storage. One transaction.
--
-- All of it happens in the transaction that stores the rows, and nothing of it makes transactions
-- wait for each other for longer than one commit takes: counters have a row for each writer, and
-- where two deliver the same id the second waits for the first, which is what stores it once.

SET LOCAL ROLE sluice_owner;

-- ---- deliveries with an id ----

CREATE TABLE sluice.delivery (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    message_id text COLLATE "C" NOT NULL,
    signal_id bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, message_id)
);
CREATE INDEX delivery_received_at_idx ON sluice.delivery
    USING brin (received_at) WITH (pages_per_range = 32);
COMMENT ON TABLE sluice.delivery IS
    'The deliveries that came with an id, so that a repeat is recognised: it stores nothing and is '
    'answered with the first id. Pruned by sluicectl maintain after the time in '
    'sluice.retention, 7 days by default. Not partitioned, because the primary key is what '
    'stores a delivery once.';
COMMENT ON COLUMN sluice.delivery.organization_id IS 'whose it is; organization.id';
COMMENT ON COLUMN sluice.delivery.key_id IS
    'the key it was sent with; ids of two keys never meet; api_key.id';
COMMENT ON COLUMN sluice.delivery.message_id IS
    'the sender''s id: messageId or message_id of the item, else the header Idempotency-Key or '
    'webhook-id of a single request';
COMMENT ON COLUMN sluice.delivery.signal_id IS
    'what was stored for it; id in signal_staging, signal_cold_storage or product_org_staging';
COMMENT ON COLUMN sluice.delivery.received_at IS 'when the first delivery''s transaction began';
COMMENT ON INDEX sluice.delivery_pkey IS
    'stores a delivery once, also when two workers get it at the same time';
COMMENT ON INDEX sluice.delivery_received_at_idx IS
    'for pruning; a few pages, filled in by autovacuum';
GRANT SELECT ON sluice.delivery TO sluice_reader;

-- ---- usage and limits ----

ALTER TABLE sluice.organization
    ADD COLUMN signal_limit bigint NOT NULL DEFAULT 0
        CONSTRAINT organization_signal_limit_check CHECK (signal_limit >= 0),
    ADD COLUMN overages boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN sluice.organization.signal_limit IS
    'how many signals, product-org updates among them, a calendar month (UTC) may have; 0: any '
    'number';
COMMENT ON COLUMN sluice.organization.overages IS
    'true: signals beyond the limit are accepted and counted; false: they are refused with 429';
COMMENT ON CONSTRAINT organization_signal_limit_check ON sluice.organization IS
    '0 stands for no limit';

CREATE TABLE sluice.usage_minute (
    organization_id bigint NOT NULL,
    minute timestamptz NOT NULL,
    slot smallint NOT NULL,
    signals bigint NOT NULL,
    duplicates bigint NOT NULL,
    PRIMARY KEY (organization_id, minute, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE sluice.usage_minute IS
    'Accepted signals of the last minutes, counted in the transaction that stored them; a '
    'product-org update counts as one. A row a minute, so that no row collects versions for long while a backup keeps old ones visible; a '
    'row a slot, so that writers never wait for each other. sluicectl maintain adds rows up into '
    'usage_month. Read usage_overview.';
COMMENT ON COLUMN sluice.usage_minute.organization_id IS 'who used them; organization.id';
COMMENT ON COLUMN sluice.usage_minute.minute IS 'in which minute they were received';
COMMENT ON COLUMN sluice.usage_minute.slot IS
    'of the advisory lock that the counting transaction held; says nothing about the use';
COMMENT ON COLUMN sluice.usage_minute.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_minute.duplicates IS
    'how many were not, because they had been delivered before';

CREATE TABLE sluice.usage_month (
    organization_id bigint NOT NULL,
    month date NOT NULL
        CONSTRAINT usage_month_month_check CHECK (extract(day FROM month) = 1),
    signals bigint NOT NULL,
    duplicates bigint NOT NULL,
    added_until timestamptz NOT NULL,
    PRIMARY KEY (organization_id, month)
);
COMMENT ON TABLE sluice.usage_month IS
    'Accepted signals of each calendar month (UTC), but for the last minutes, which are in '
    'usage_minute. Read usage_overview. Kept for ever: it is what is billed.';
COMMENT ON COLUMN sluice.usage_month.organization_id IS 'who used them; organization.id';
COMMENT ON COLUMN sluice.usage_month.month IS 'the first day of the month';
COMMENT ON COLUMN sluice.usage_month.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_month.duplicates IS
    'how many were not, because they had been delivered before';
COMMENT ON COLUMN sluice.usage_month.added_until IS
    'minutes before this instant are in; a late one may still be in usage_minute';
COMMENT ON CONSTRAINT usage_month_month_check ON sluice.usage_month IS 'a month''s first day';

CREATE TABLE sluice.usage_hour (
    organization_id bigint NOT NULL,
    hour timestamptz NOT NULL,
    signals bigint NOT NULL,
    duplicates bigint NOT NULL,
    PRIMARY KEY (organization_id, hour)
);
COMMENT ON TABLE sluice.usage_hour IS
    'Accepted signals by hour, but for the last minutes, which are in usage_minute: sluicectl '
    'maintain adds them up here and into usage_month. Pruned after the time in sluice.retention.';
COMMENT ON COLUMN sluice.usage_hour.organization_id IS 'who used them; organization.id';
COMMENT ON COLUMN sluice.usage_hour.hour IS 'when the hour began';
COMMENT ON COLUMN sluice.usage_hour.signals IS 'how many were stored';
COMMENT ON COLUMN sluice.usage_hour.duplicates IS
    'how many were not, because they had been delivered before';

CREATE VIEW sluice.usage_overview AS
SELECT
    o.name AS organization,
    u.month,
    sum(u.signals)::bigint AS signals,
    sum(u.duplicates)::bigint AS duplicates,
    o.signal_limit,
    o.overages
FROM (
    SELECT m.organization_id, m.month, m.signals, m.duplicates FROM sluice.usage_month AS m
    UNION ALL
    SELECT n.organization_id, date_trunc('month', n.minute AT TIME ZONE 'UTC')::date, n.signals,
        n.duplicates
    FROM sluice.usage_minute AS n
) AS u
JOIN sluice.organization AS o ON o.id = u.organization_id
GROUP BY o.id, o.name, u.month;
COMMENT ON VIEW sluice.usage_overview IS
    'Accepted signals of each organization and calendar month (UTC), exact at the moment of the '
    'query, beside the limit that is in force now.';
COMMENT ON COLUMN sluice.usage_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.usage_overview.month IS 'the first day of the month';
COMMENT ON COLUMN sluice.usage_overview.signals IS 'how many were stored; what counts';
COMMENT ON COLUMN sluice.usage_overview.duplicates IS
    'how many had been delivered before; they do not count';
COMMENT ON COLUMN sluice.usage_overview.signal_limit IS
    'how many a month may have; 0: any number';
COMMENT ON COLUMN sluice.usage_overview.overages IS
    'true: signals beyond the limit are accepted';
GRANT SELECT ON sluice.usage_minute, sluice.usage_hour, sluice.usage_month, sluice.usage_overview
    TO sluice_reader;

CREATE FUNCTION sluice.signals_of_month(organization_id bigint) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    this_month date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    added bigint;
    added_until timestamptz;
    since bigint;
BEGIN
    SELECT m.signals, m.added_until INTO added, added_until
    FROM sluice.usage_month AS m
    WHERE m.organization_id = signals_of_month.organization_id AND m.month = this_month;
    SELECT sum(n.signals) INTO since
    FROM sluice.usage_minute AS n
    WHERE n.organization_id = signals_of_month.organization_id
        AND n.minute >= greatest(added_until, this_month::timestamp AT TIME ZONE 'UTC');
    RETURN coalesce(added, 0) + coalesce(since, 0);
END
$$;
COMMENT ON FUNCTION sluice.signals_of_month(bigint) IS
    'How many signals an organization has used in this month (UTC). For the functions of this '
    'schema: it has no SET clause of its own, so search_path is its caller''s.';

CREATE FUNCTION sluice.fold_usage(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    until timestamptz := date_trunc('minute', now()) - interval '2 minutes';
    organization_ids bigint[];
    minutes timestamptz[];
    slots smallint[];
BEGIN
    SELECT array_agg(u.organization_id), array_agg(u.minute), array_agg(u.slot)
    INTO organization_ids, minutes, slots
    FROM (
        SELECT n.organization_id, n.minute, n.slot FROM sluice.usage_minute AS n
        WHERE n.minute < until
        LIMIT max_rows
        FOR UPDATE SKIP LOCKED
    ) AS u;
    IF organization_ids IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO sluice.usage_month AS m (organization_id, month, signals, duplicates, added_until)
    SELECT n.organization_id, date_trunc('month', n.minute AT TIME ZONE 'UTC')::date,
        sum(n.signals), sum(n.duplicates), max(n.minute) + interval '1 minute'
    FROM unnest(organization_ids, minutes, slots) AS u (organization_id, minute, slot)
    JOIN sluice.usage_minute AS n ON n.organization_id = u.organization_id
        AND n.minute = u.minute AND n.slot = u.slot
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (organization_id, month) DO UPDATE
    SET signals = m.signals + excluded.signals, duplicates = m.duplicates + excluded.duplicates;
    INSERT INTO sluice.usage_hour AS h (organization_id, hour, signals, duplicates)
    SELECT n.organization_id, date_trunc('hour', n.minute, 'UTC'), sum(n.signals),
        sum(n.duplicates)
    FROM unnest(organization_ids, minutes, slots) AS u (organization_id, minute, slot)
    JOIN sluice.usage_minute AS n ON n.organization_id = u.organization_id
        AND n.minute = u.minute AND n.slot = u.slot
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (organization_id, hour) DO UPDATE
    SET signals = h.signals + excluded.signals, duplicates = h.duplicates + excluded.duplicates;
    DELETE FROM sluice.usage_minute AS n
    USING unnest(organization_ids, minutes, slots) AS u (organization_id, minute, slot)
    WHERE n.organization_id = u.organization_id AND n.minute = u.minute AND n.slot = u.slot;
    -- Up to where nothing is left: what is late is left for the next time, and counted until then
    -- by usage_overview.
    UPDATE sluice.usage_month AS m
    SET added_until = coalesce((SELECT min(n.minute) FROM sluice.usage_minute AS n
        WHERE n.organization_id = m.organization_id AND n.minute < until), until)
    WHERE m.organization_id = ANY (organization_ids)
        AND m.month = date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    RETURN cardinality(organization_ids);
END
$$;
COMMENT ON FUNCTION sluice.fold_usage(integer) IS
    'Adds up to so many rows of usage_minute, from minutes that are over, up into usage_month and '
    'usage_hour, and returns how many it took. A step of sluicectl maintain.';

CREATE FUNCTION sluice.organization_limit(actor text, name text, signal_limit bigint,
    overages boolean) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.organization_id_of(organization_limit.name);
    old record;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF organization_limit.signal_limit < 0 THEN
        RAISE EXCEPTION 'a limit is not negative' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT o.signal_limit, o.overages INTO old FROM sluice.organization AS o
    WHERE o.id = its_id FOR NO KEY UPDATE;
    UPDATE sluice.organization AS o
    SET signal_limit = coalesce(organization_limit.signal_limit, o.signal_limit),
        overages = coalesce(organization_limit.overages, o.overages)
    WHERE o.id = its_id;
    PERFORM sluice.audit(actor, its_id, 'organization_limit', 'organization', its_id::text,
        jsonb_build_object('old_signal_limit', old.signal_limit, 'old_overages', old.overages,
            'signal_limit', coalesce(organization_limit.signal_limit, old.signal_limit),
            'overages', coalesce(organization_limit.overages, old.overages)));
END
$$;
COMMENT ON FUNCTION sluice.organization_limit(text, text, bigint, boolean) IS
    'Sets how many signals a month an organization may use (actor, organization''s name, limit '
    'with 0 for any number, whether signals beyond it are accepted); null leaves a value as it '
    'is. Takes effect for requests that authenticate after the commit. Raises P0002 for an '
    'unknown organization, 22023 for a negative limit.';

CREATE FUNCTION sluice.usage_list(organization_name text, month date)
RETURNS SETOF sluice.usage_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    first_day date := date_trunc('month',
        coalesce(usage_list.month, (now() AT TIME ZONE 'UTC')::date))::date;
BEGIN
    IF organization_name IS NOT NULL THEN
        PERFORM sluice.organization_id_of(organization_name);
    END IF;
    RETURN QUERY
    SELECT o.name, first_day, coalesce(u.signals, 0), coalesce(u.duplicates, 0), o.signal_limit,
        o.overages
    FROM sluice.organization AS o
    LEFT JOIN sluice.usage_overview AS u ON u.organization = o.name AND u.month = first_day
    WHERE organization_name IS NULL OR o.name = organization_name
    ORDER BY o.name;
END
$$;
COMMENT ON FUNCTION sluice.usage_list(text, date) IS
    'usage_overview of one organization, or with null of all, for the month of a day, or with null '
    'for this one; also of those who used nothing. Raises P0002 for an unknown organization.';
GRANT EXECUTE ON FUNCTION
    sluice.organization_limit(text, text, bigint, boolean),
    sluice.usage_list(text, date)
TO sluice_admin;

-- ---- refused requests ----

CREATE TYPE sluice.refusal AS ENUM ('deactivated', 'expired', 'secret_missing', 'secret_wrong',
    'wrong_endpoint', 'limit_reached');
COMMENT ON TYPE sluice.refusal IS
    'Why a request with a known key was refused. Its sender is told no more than 401 for the first '
    'four, 403 and 429 for the others.';

CREATE TABLE sluice.refused_request (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    day date NOT NULL,
    reason sluice.refusal NOT NULL,
    slot smallint NOT NULL,
    requests bigint NOT NULL,
    last_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, day, reason, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE sluice.refused_request IS
    'Why requests with a known key were refused, counted by key and day (UTC). Workers add their '
    'counts up and write them every ten seconds, so a refused request writes nothing by itself; '
    'plain CGI writes at most once a second for a key and reason. Nothing that was sent is in it. '
    'Read key_health.';
COMMENT ON COLUMN sluice.refused_request.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.refused_request.key_id IS 'the key; api_key.id';
COMMENT ON COLUMN sluice.refused_request.day IS 'when (UTC)';
COMMENT ON COLUMN sluice.refused_request.reason IS 'why';
COMMENT ON COLUMN sluice.refused_request.slot IS
    'of the advisory lock that the counting transaction held; says nothing about the requests';
COMMENT ON COLUMN sluice.refused_request.requests IS 'how many';
COMMENT ON COLUMN sluice.refused_request.last_at IS
    'when the last of them was written down, up to ten seconds late';
GRANT SELECT ON sluice.refused_request TO sluice_reader;

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
CREATE INDEX identity_unsettled_idx ON sluice.identity (looked_at) WHERE settled_at IS NULL;
COMMENT ON TABLE sluice.identity IS
    'Anonymous ids that arrived together with an email or a user id. Their signals go to '
    'signal_staging, those that wait in signal_cold_storage are moved there. Two signals that '
    'identify the same visitor at the same time may both leave a row: nobody waits for the other. '
    'Pruned by sluicectl maintain after the time in sluice.retention; who comes back is '
    'identified again.';
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
COMMENT ON INDEX sluice.identity_unsettled_idx IS 'what sluicectl maintain has to look at';
GRANT SELECT ON sluice.identity TO sluice_reader;

CREATE INDEX signal_cold_storage_anonymous_id_idx
    ON sluice.signal_cold_storage (organization_id, anonymous_id) WHERE anonymous_id IS NOT NULL;
COMMENT ON INDEX sluice.signal_cold_storage_anonymous_id_idx IS
    'the waiting signals of a visitor who is identified';

CREATE FUNCTION sluice.move_identified(organization_ids bigint[], anonymous_ids text[],
    since timestamptz, max_rows integer) RETURNS bigint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    ids bigint[];
    owners bigint[];
    first_at timestamptz;
    last_at timestamptz;
BEGIN
    -- Who moves the same rows at the same time passes them over here, so each moves once.
    SELECT array_agg(w.id), array_agg(w.organization_id), min(w.received_at), max(w.received_at)
    INTO ids, owners, first_at, last_at
    FROM (
        SELECT c.id, c.organization_id, c.received_at
        FROM unnest(organization_ids, anonymous_ids) AS v (organization_id, anonymous_id)
        JOIN sluice.signal_cold_storage AS c ON c.organization_id = v.organization_id
            AND c.anonymous_id = v.anonymous_id AND c.received_at >= since
        LIMIT max_rows
        FOR UPDATE OF c SKIP LOCKED
    ) AS w;
    IF ids IS NULL THEN
        RETURN 0;
    END IF;
    INSERT INTO sluice.signal_staging (organization_id, id, received_at, occurred_at, key_id,
        payload_repaired, source, event_type, event_name, email, user_id, anonymous_id, message_id,
        request_id, payload, payload_raw)
    SELECT c.organization_id, c.id, c.received_at, c.occurred_at, c.key_id, c.payload_repaired,
        c.source, c.event_type, c.event_name, c.email, c.user_id, c.anonymous_id, c.message_id,
        c.request_id, c.payload, c.payload_raw
    FROM unnest(owners, ids) AS w (organization_id, id)
    JOIN sluice.signal_cold_storage AS c ON c.organization_id = w.organization_id AND c.id = w.id
    WHERE c.received_at BETWEEN first_at AND last_at;
    DELETE FROM sluice.signal_cold_storage AS c
    USING unnest(owners, ids) AS w (organization_id, id)
    WHERE c.organization_id = w.organization_id AND c.id = w.id
        AND c.received_at BETWEEN first_at AND last_at;
    RETURN cardinality(ids);
END
$$;
COMMENT ON FUNCTION sluice.move_identified(bigint[], text[], timestamptz, integer) IS
    'Moves up to so many signals of visitors (organization and anonymous id of each), received '
    'since an instant, from signal_cold_storage to signal_staging, with their ids and times, and '
    'returns how many. For the functions of this schema: it has no SET clause of its own, so '
    'search_path is its caller''s.';

CREATE FUNCTION sluice.resolve_identities(max_rows integer) RETURNS bigint
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
        -- A transaction that looked before the visitor was known may store a cold signal after it.
        -- None lasts that long (statement_timeout and idle_in_transaction_session_timeout of
        -- sluice_intake), so what is found by then is all there is.
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
    'Looks at up to so many visitors that are known and moves up to so many of their signals from '
    'signal_cold_storage to signal_staging; returns how many it dealt with, 0 when there is '
    'nothing to do for now. Intake moves what is recent and little at once; this does the rest. A '
    'step of sluicectl maintain.';

-- ---- pruning ----

-- How long is in sluice.retention, which comes with a later migration; these are called after it.

CREATE FUNCTION sluice.prune_rows(table_name text, time_column text, max_rows integer)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    keep interval := (SELECT r.keep FROM sluice.retention AS r
        WHERE r.table_name = prune_rows.table_name);
    pruned bigint;
BEGIN
    EXECUTE format(
        'DELETE FROM sluice.%1$I AS t WHERE t.ctid = ANY (ARRAY(SELECT o.ctid FROM sluice.%1$I AS o '
        '    WHERE o.%2$I < now() - $1 LIMIT $2 FOR UPDATE SKIP LOCKED))', table_name, time_column)
    USING keep, max_rows;
    GET DIAGNOSTICS pruned = ROW_COUNT;
    RETURN pruned;
END
$$;
COMMENT ON FUNCTION sluice.prune_rows(text, text, integer) IS
    'Deletes up to so many rows of a table that are past its retention, by the instant in a column '
    'of theirs, and returns how many; none where the retention is null. For the functions of this '
    'schema.';

CREATE FUNCTION sluice.prune_deliveries(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('delivery', 'received_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_deliveries(integer) IS
    'Forgets up to so many deliveries that are past their retention, and returns how many. A '
    'repeat of them is stored again. A step of sluicectl maintain.';

CREATE FUNCTION sluice.prune_identities(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('identity', 'identified_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_identities(integer) IS
    'Forgets up to so many visitors who were identified longer ago than their retention, and '
    'returns how many. A step of sluicectl maintain.';

CREATE FUNCTION sluice.prune_refused_requests(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('refused_request', 'last_at', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_refused_requests(integer) IS
    'Forgets up to so many counts of refused requests that are past their retention, and returns '
    'how many. A step of sluicectl maintain.';

CREATE FUNCTION sluice.prune_usage_hours(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.prune_rows('usage_hour', 'hour', max_rows);
END
$$;
COMMENT ON FUNCTION sluice.prune_usage_hours(integer) IS
    'Forgets up to so many hours of usage that are past their retention, and returns how many. A '
    'step of sluicectl maintain.';

-- ---- storing ----

CREATE FUNCTION sluice.writer_slot() RETURNS smallint
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    class constant integer := 'sluice.key_activity'::regclass::oid::integer;
    slot integer;
BEGIN
    SELECT s INTO slot FROM generate_series(0, 63) AS s
    WHERE pg_try_advisory_xact_lock(class, s)
    LIMIT 1;
    IF NOT FOUND THEN
        -- More writers than slots: one waits for another's commit.
        slot := pg_backend_pid() % 64;
        PERFORM pg_advisory_xact_lock(class, slot);
    END IF;
    RETURN slot;
END
$$;
COMMENT ON FUNCTION sluice.writer_slot() IS
    'Takes one of the 64 advisory locks of writers until the transaction ends, and returns its '
    'number. Whoever holds it is the only writer of counters (key_activity, usage_minute, '
    'refused_request) with that slot. For the functions of this schema: it has no SET clause of '
    'its own, so search_path is its caller''s.';

CREATE FUNCTION sluice.delivery_lock(key_id bigint, OUT class integer, OUT number integer)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    class := 'sluice.delivery'::regclass::oid::integer;
    number := (key_id & 2147483647)::integer;
END
$$;
COMMENT ON FUNCTION sluice.delivery_lock(bigint) IS
    'The advisory lock of a key''s deliveries: shared for who adds some, exclusive for a bulk '
    'import that adds all of its own before it commits. For the functions of this schema.';

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
-- product_org_staging comes with a later migration.
CREATE FUNCTION sluice.store_items(
    outcomes smallint[], organization_ids bigint[], key_ids bigint[], request_ids text[],
    item_requests integer[], sources text[], event_types text[], event_names text[],
    emails text[], user_ids text[], anonymous_ids text[], message_ids text[],
    occurred_at timestamptz[], payloads text[], payloads_raw bytea[],
    product_org_ids text[], names text[], plan_ids text[], plan_names text[],
    user_counts bigint[], mrrs bigint[], trial_statuses text[], last_active_at timestamptz[],
    feature_flags text[], customs text[], warnings text[], in_bulk boolean,
    writer smallint, INOUT cold boolean[], OUT ids bigint[], OUT repeated boolean[])
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    items integer := cardinality(item_requests);
    new_ids bigint[]; -- per item, null where nothing is to be stored
    with_id bigint;
    added bigint;
    found_organization_ids bigint[]; -- of visitors that were not known
    found_anonymous_ids text[];
BEGIN
    -- The caller's mistake, not the sender's: an item must not vanish for it.
    IF (items = ALL (ARRAY[cardinality(sources), cardinality(payloads),
            coalesce(cardinality(event_types), items), coalesce(cardinality(event_names), items),
            coalesce(cardinality(emails), items), coalesce(cardinality(user_ids), items),
            coalesce(cardinality(anonymous_ids), items), coalesce(cardinality(message_ids), items),
            coalesce(cardinality(store_items.occurred_at), items),
            coalesce(cardinality(cold), items), coalesce(cardinality(payloads_raw), items),
            coalesce(cardinality(product_org_ids), items), coalesce(cardinality(names), items),
            coalesce(cardinality(plan_ids), items), coalesce(cardinality(plan_names), items),
            coalesce(cardinality(user_counts), items), coalesce(cardinality(mrrs), items),
            coalesce(cardinality(trial_statuses), items),
            coalesce(cardinality(store_items.last_active_at), items),
            coalesce(cardinality(feature_flags), items), coalesce(cardinality(customs), items),
            coalesce(cardinality(warnings), items)])
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
    new_ids := ids;

    -- Deliveries with an id. In one order everywhere, so that two transactions with the same ids
    -- wait for each other in that order. A bulk import only looks for those that are there: it may
    -- last for minutes, and nobody shall wait for it (bulk_finish).
    IF message_ids IS NOT NULL THEN
        SELECT count(*) INTO with_id FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL;
        IF with_id > 0 AND NOT in_bulk THEN
            INSERT INTO sluice.delivery (organization_id, key_id, message_id, signal_id, received_at)
            SELECT organization_ids[item_requests[i]], key_ids[item_requests[i]], message_ids[i],
                ids[i], now()
            FROM generate_series(1, items) AS i
            WHERE ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL
            ORDER BY organization_ids[item_requests[i]], key_ids[item_requests[i]],
                message_ids[i] COLLATE "C", i
            ON CONFLICT (organization_id, key_id, message_id) DO NOTHING;
            GET DIAGNOSTICS added = ROW_COUNT;
        END IF;
        IF with_id > coalesce(added, 0) THEN
            ids := ARRAY(
                SELECT CASE WHEN new_ids[i] IS NOT NULL AND message_ids[i] IS NOT NULL
                    THEN (SELECT d.signal_id FROM sluice.delivery AS d
                        WHERE d.organization_id = organization_ids[item_requests[i]]
                            AND d.key_id = key_ids[item_requests[i]]
                            AND d.message_id = message_ids[i])
                    END
                FROM generate_series(1, items) AS i
                ORDER BY i);
            repeated := ARRAY(SELECT ids[i] IS NOT NULL AND ids[i] <> new_ids[i]
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
            SELECT DISTINCT organization_ids[item_requests[i]] AS organization_id,
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
                    ON organization_ids[item_requests[i]] = f.organization_id
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
                WHERE k.organization_id = organization_ids[item_requests[i]]
                    AND k.anonymous_id = anonymous_ids[i]))
            FROM generate_series(1, items) AS i
            ORDER BY i);
    END IF;

    -- Not for a group of product-org updates alone.
    IF product_org_ids IS NULL OR array_position(product_org_ids, NULL) IS NOT NULL THEN
        INSERT INTO sluice.signal_staging (organization_id, id, received_at, occurred_at, key_id,
            payload_repaired, source, event_type, event_name, email, user_id, anonymous_id, message_id,
            request_id, payload, payload_raw)
        SELECT organization_ids[item_requests[i]], new_ids[i], now(),
            coalesce(store_items.occurred_at[i], now()), key_ids[item_requests[i]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND cold[i] IS NOT TRUE
            AND product_org_ids[i] IS NULL;
    END IF;

    IF cold IS NOT NULL THEN
        INSERT INTO sluice.signal_cold_storage (organization_id, id, received_at, occurred_at,
            key_id, payload_repaired, source, event_type, event_name, email, user_id,
            anonymous_id, message_id, request_id, payload, payload_raw)
        SELECT organization_ids[item_requests[i]], new_ids[i], now(),
            coalesce(store_items.occurred_at[i], now()), key_ids[item_requests[i]],
            payloads_raw[i] IS NOT NULL, sources[i], event_types[i], event_names[i], emails[i],
            user_ids[i], anonymous_ids[i], message_ids[i], request_ids[item_requests[i]],
            payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND cold[i] IS TRUE;
    END IF;

    IF product_org_ids IS NOT NULL THEN
        INSERT INTO sluice.product_org_staging (organization_id, id, received_at, key_id,
            payload_repaired, product_org_id, name, plan_id, plan_name, user_count, mrr,
            trial_status, last_active_at, feature_flags, custom, warnings, message_id, request_id,
            payload, payload_raw)
        SELECT organization_ids[item_requests[i]], new_ids[i], now(), key_ids[item_requests[i]],
            payloads_raw[i] IS NOT NULL, product_org_ids[i], names[i], plan_ids[i], plan_names[i],
            user_counts[i], mrrs[i], trial_statuses[i], store_items.last_active_at[i],
            feature_flags[i]::jsonb, customs[i]::jsonb, warnings[i]::jsonb, message_ids[i],
            request_ids[item_requests[i]], payloads[i]::jsonb, payloads_raw[i]
        FROM generate_series(1, items) AS i
        WHERE new_ids[i] IS NOT NULL AND product_org_ids[i] IS NOT NULL;
    END IF;

    IF NOT in_bulk THEN
        -- What came lately from visitors who are known now. The rest is left to maintain: this
        -- request does not wait for many rows, nor for a look into the partitions of many days.
        IF found_anonymous_ids IS NOT NULL THEN
            PERFORM sluice.move_identified(found_organization_ids, found_anonymous_ids,
                now() - interval '1 day', 100);
        END IF;

        INSERT INTO sluice.usage_minute AS u (organization_id, minute, slot, signals, duplicates)
        SELECT organization_ids[item_requests[i]], date_trunc('minute', now()), writer,
            count(new_ids[i]), count(*) - count(new_ids[i])
        FROM generate_series(1, items) AS i
        WHERE ids[i] IS NOT NULL
        GROUP BY organization_ids[item_requests[i]]
        ON CONFLICT (organization_id, minute, slot) DO UPDATE
        SET signals = u.signals + excluded.signals,
            duplicates = u.duplicates + excluded.duplicates;
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.store_items(smallint[], bigint[], bigint[], text[], integer[], text[],
    text[], text[], text[], text[], text[], text[], timestamptz[], text[], bytea[], text[], text[],
    text[], text[], bigint[], bigint[], text[], timestamptz[], text[], text[], text[], boolean,
    smallint, boolean[]) IS
    'Stores the items of those requests whose outcome is 0. The first four arrays have one element '
    'a request, the others one an item, as for intake. cold comes back false for visitors '
    'who are known; ids has the id of the stored row, or of the first delivery where repeated is '
    'true; repeated is null when no item has an id that was seen before. Counts what it stored for '
    'its organization (writer: from writer_slot), unless in_bulk: then bulk_finish does, and a '
    'delivery''s id is only looked for. Asks nobody for a key. For the functions of this schema.';

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
    for_product_orgs boolean[] DEFAULT NULL, template_requests integer[] DEFAULT NULL,
    product_org_ids text[] DEFAULT NULL, names text[] DEFAULT NULL, plan_ids text[] DEFAULT NULL,
    plan_names text[] DEFAULT NULL, user_counts bigint[] DEFAULT NULL, mrrs bigint[] DEFAULT NULL,
    trial_statuses text[] DEFAULT NULL, last_active_at timestamptz[] DEFAULT NULL,
    feature_flags text[] DEFAULT NULL, customs text[] DEFAULT NULL, warnings text[] DEFAULT NULL,
    OUT outcomes smallint[], OUT key_ids bigint[], OUT ids bigint[], OUT repeated boolean[],
    OUT cold boolean[], OUT templates text[])
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    requests integer := cardinality(key_hashes);
    rejects integer := greatest(cardinality(reject_requests), cardinality(reject_payloads));
    organization_ids bigint[]; -- per request, null where nobody was recognised
    my_slot smallint;
    stale_organization_ids bigint[]; -- keys whose last use must be written down
    stale_key_ids bigint[];
    full_ids bigint[]; -- organizations that have reached their limit
    fresh integer[]; -- of their requests, those that bring something new
    busy_key_ids bigint[];
BEGIN
    -- The caller's mistake, not the sender's: nothing must vanish for it.
    IF (requests = ALL (ARRAY[coalesce(cardinality(secret_hashes), requests),
            cardinality(request_ids), coalesce(cardinality(for_product_orgs), requests)])
        AND coalesce(1 <= ALL (template_requests) AND requests >= ALL (template_requests), true))
        IS NOT TRUE
        OR rejects > 0 AND (rejects = ALL (ARRAY[cardinality(reject_requests),
            coalesce(cardinality(reject_positions), rejects), cardinality(reject_codes),
            cardinality(reject_details), cardinality(reject_kinds),
            coalesce(cardinality(reject_sources), rejects), cardinality(reject_payloads),
            coalesce(cardinality(reject_lengths), rejects)])
        AND 1 <= ALL (reject_requests) AND requests >= ALL (reject_requests)) IS NOT TRUE
    THEN
        RAISE EXCEPTION 'arrays of intake do not fit together'
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
                WHEN k.id IS NULL THEN 1
                WHEN k.deactivated_at IS NOT NULL THEN 2
                WHEN k.expires_at <= now() THEN 3
                WHEN k.secret_hash <> r.secret_hash THEN 5
                WHEN k.secret_hash IS NOT NULL AND r.secret_hash IS NULL THEN 4
                WHEN k.endpoint_type <> r.endpoint_type THEN 6
                ELSE 0
            END::smallint AS outcome
        FROM (SELECT key_hashes[n] AS key_hash, secret_hashes[n] AS secret_hash,
                CASE WHEN for_product_orgs[n] THEN 'product_orgs'::sluice.endpoint_type
                    ELSE 'signal_staging' END AS endpoint_type, n
            FROM generate_series(1, requests) AS n) AS r
        LEFT JOIN LATERAL (
            SELECT c.id, c.organization_id, c.endpoint_type, c.secret_hash, c.expires_at,
                c.deactivated_at
            FROM sluice.api_key AS c
            WHERE c.key_hash = r.key_hash
            LIMIT 1 -- keeps the planner from joining by a scan of all keys
        ) AS k ON true
        ORDER BY r.n
    ) AS a;

    -- Organizations at their limit. A repeat of what was accepted before is still answered so; who
    -- asks for a template has its items yet to come.
    full_ids := ARRAY(SELECT o.id FROM sluice.organization AS o
        WHERE o.id = ANY (organization_ids) AND o.signal_limit > 0 AND NOT o.overages
            AND sluice.signals_of_month(o.id) >= o.signal_limit);
    IF cardinality(full_ids) > 0 THEN
        fresh := ARRAY(SELECT DISTINCT item_requests[i]
            FROM generate_series(1, cardinality(item_requests)) AS i
            WHERE organization_ids[item_requests[i]] = ANY (full_ids)
                AND NOT EXISTS (SELECT FROM sluice.delivery AS d
                    WHERE d.organization_id = organization_ids[item_requests[i]]
                        AND d.key_id = key_ids[item_requests[i]]
                        AND d.message_id = message_ids[i]));
        outcomes := ARRAY(SELECT CASE WHEN outcomes[r] = 0 AND organization_ids[r] = ANY (full_ids)
                AND (r = ANY (fresh) OR NOT coalesce(r = ANY (item_requests), false)
                    AND NOT coalesce(r = ANY (template_requests), false))
                THEN 7 ELSE outcomes[r] END
            FROM generate_series(1, requests) AS r ORDER BY r);
    END IF;

    -- Keys with a bulk import that is about to commit: whoever brings ids would have to wait for it,
    -- and all others of the group too.
    IF message_ids IS NOT NULL AND NOT in_bulk THEN
        busy_key_ids := ARRAY(SELECT k.id
            FROM (SELECT DISTINCT key_ids[r] AS id FROM generate_series(1, requests) AS r
                WHERE outcomes[r] = 0 OFFSET 0) AS k
            CROSS JOIN LATERAL sluice.delivery_lock(k.id) AS l
            WHERE NOT pg_try_advisory_xact_lock_shared(l.class, l.number));
        IF cardinality(busy_key_ids) > 0 THEN
            outcomes := ARRAY(SELECT CASE WHEN outcomes[r] = 0 AND key_ids[r] = ANY (busy_key_ids)
                    THEN 8 ELSE outcomes[r] END
                FROM generate_series(1, requests) AS r ORDER BY r);
        END IF;
    END IF;

    IF 0 = ANY (outcomes) OR refused_key_ids IS NOT NULL THEN
        my_slot := sluice.writer_slot();
    END IF;

    cold := item_cold;
    IF 0 = ANY (outcomes) AND cardinality(item_requests) > 0 THEN
        SELECT s.cold, s.ids, s.repeated INTO cold, ids, repeated
        FROM sluice.store_items(outcomes, organization_ids, key_ids, request_ids, item_requests,
            sources, event_types, event_names, emails, user_ids, anonymous_ids, message_ids,
            intake.occurred_at, payloads, payloads_raw, product_org_ids, names, plan_ids,
            plan_names, user_counts, mrrs, trial_statuses, intake.last_active_at, feature_flags,
            customs, warnings, in_bulk, my_slot, cold) AS s;
    END IF;

    IF template_requests IS NOT NULL THEN
        templates := ARRAY(
            SELECT CASE WHEN outcomes[t.request] = 0 THEN (SELECT k.payload_template::text
                FROM sluice.api_key AS k WHERE k.id = key_ids[t.request]) END
            FROM unnest(template_requests) WITH ORDINALITY AS t (request, n)
            ORDER BY t.n);
    END IF;

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

    -- Last used: looked at each time, written rarely.
    IF 0 = ANY (outcomes) THEN
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
END
$$;
COMMENT ON FUNCTION sluice.intake(bytea[], bytea[], text[], integer[], text[], text[], text[],
    text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], integer[], bigint[],
    text[], text[], text[], text[], bytea[], bigint[], bigint[], smallint[], integer[], boolean,
    boolean[], integer[], text[], text[], text[], text[], bigint[], bigint[], text[],
    timestamptz[], text[], text[], text[]) IS
    'Authenticates a group of requests and stores their signals and product-org updates, all in '
    'the caller''s transaction. The first three arrays have one element a request: SHA-256 of the '
    'key, SHA-256 of the secret (null: none was sent), request id. Up to payloads_raw the others '
    'have one element an item, the first of them the number of its request, from 1; a null '
    'occurred_at means receipt, payloads_raw holds the received bytes where the payload was '
    'repaired. The next eight are what the requests brought and what cannot be a signal, as the columns of '
    'rejected_payload (lengths: payload_bytes); it goes there when its request was accepted. '
    'Then refusals of earlier requests, to be counted: key, outcome, how many. in_bulk: the call '
    'is a part of a bulk import, which ends with bulk_finish. for_product_orgs, per request: it came '
    'to the endpoint of product orgs. template_requests: the numbers of the requests whose key''s '
    'payload template is wanted. The last eleven have one element an item: one with a '
    'product_org_id is an update of a product org, of which message id and payload stand among the '
    'others, else it is a signal. An array that would hold only nulls '
    'may be null itself. A request may have no items: then it is only authenticated. '
    'outcomes, per request: 0 accepted, 1 unknown key, 2 deactivated, 3 expired, 4 secret missing, '
    '5 secret wrong, 6 the key is for the other endpoint, 7 the month''s limit is reached, 8 a bulk '
    'import of this key is about to commit: to be sent again. key_ids, per request: null when the '
    'key is unknown. ids, per item: of the stored row, or of the first delivery where repeated is '
    'true; null when its request was not accepted. cold, per item: stored in signal_cold_storage. '
    'templates, per element of template_requests: null when the request was not accepted. The last '
    'four may be null: nothing was accepted, repeated, cold, wanted. Also notes the keys'' last '
    'use, and turns synchronous_commit on when it is off or local. A payload that jsonb cannot '
    'hold fails the call with SQLSTATE 22xxx or 54xxx; nothing is stored then.';

CREATE FUNCTION sluice.bulk_finish(key_id bigint, request_id text, first_id bigint,
    last_id bigint, signals bigint, repeated bigint, with_ids boolean) RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    lock record;
    removed bigint := 0;
    removed_cold bigint;
BEGIN
    SELECT k.organization_id, k.id INTO STRICT its FROM sluice.api_key AS k
    WHERE k.id = bulk_finish.key_id;

    IF with_ids THEN
        -- Until the commit, which is near, requests that bring ids with this key are sent away: they
        -- would wait for the rows below, and whole groups with them.
        SELECT l.class, l.number INTO lock FROM sluice.delivery_lock(its.id) AS l;
        PERFORM pg_advisory_xact_lock(lock.class, lock.number);
        INSERT INTO sluice.delivery (organization_id, key_id, message_id, signal_id, received_at)
        SELECT its.organization_id, its.id, s.message_id, min(s.id), now()
        FROM (
            SELECT a.message_id, a.id FROM sluice.signal_staging AS a
            WHERE a.organization_id = its.organization_id AND a.id BETWEEN first_id AND last_id
                AND a.received_at = now() AND a.key_id = its.id
                AND a.request_id = bulk_finish.request_id AND a.message_id IS NOT NULL
            UNION ALL
            SELECT c.message_id, c.id FROM sluice.signal_cold_storage AS c
            WHERE c.organization_id = its.organization_id AND c.id BETWEEN first_id AND last_id
                AND c.received_at = now() AND c.key_id = its.id
                AND c.request_id = bulk_finish.request_id AND c.message_id IS NOT NULL
        ) AS s
        GROUP BY s.message_id
        ORDER BY s.message_id COLLATE "C"
        ON CONFLICT DO NOTHING;

        -- What another transaction delivered meanwhile, or this one twice.
        DELETE FROM sluice.signal_staging AS a
        WHERE a.organization_id = its.organization_id AND a.id BETWEEN first_id AND last_id
            AND a.received_at = now() AND a.key_id = its.id
            AND a.request_id = bulk_finish.request_id AND a.message_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM sluice.delivery AS d
                WHERE d.organization_id = its.organization_id AND d.key_id = its.id
                    AND d.message_id = a.message_id AND d.signal_id = a.id);
        GET DIAGNOSTICS removed = ROW_COUNT;
        DELETE FROM sluice.signal_cold_storage AS c
        WHERE c.organization_id = its.organization_id AND c.id BETWEEN first_id AND last_id
            AND c.received_at = now() AND c.key_id = its.id
            AND c.request_id = bulk_finish.request_id AND c.message_id IS NOT NULL
            AND NOT EXISTS (SELECT FROM sluice.delivery AS d
                WHERE d.organization_id = its.organization_id AND d.key_id = its.id
                    AND d.message_id = c.message_id AND d.signal_id = c.id);
        GET DIAGNOSTICS removed_cold = ROW_COUNT;
        removed := removed + removed_cold;
    END IF;

    INSERT INTO sluice.usage_minute AS u (organization_id, minute, slot, signals, duplicates)
    VALUES (its.organization_id, date_trunc('minute', now()), sluice.writer_slot(),
        bulk_finish.signals - removed, removed + repeated)
    ON CONFLICT (organization_id, minute, slot) DO UPDATE
    SET signals = u.signals + excluded.signals, duplicates = u.duplicates + excluded.duplicates;
    RETURN removed;
END
$$;
COMMENT ON FUNCTION sluice.bulk_finish(bigint, text, bigint, bigint, bigint, bigint, boolean) IS
    'Ends a bulk import that was stored by calls of intake with in_bulk in this transaction: notes '
    'its deliveries (with_ids: some of its signals have an id), removes those that were delivered '
    'already, and counts its signals. Takes the key''s id, the request id, the smallest and '
    'the largest id of the import, how many signals it stored, and how many it did not because '
    'they had been delivered before. Returns how many of the stored ones were duplicates too. To be followed by the commit at once: until then requests with ids of the same '
    'key are answered with outcome 8.';

GRANT EXECUTE ON FUNCTION
    sluice.intake(bytea[], bytea[], text[], integer[], text[], text[], text[],
        text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], integer[], bigint[],
        text[], text[], text[], text[], bytea[], bigint[], bigint[], smallint[], integer[], boolean,
        boolean[], integer[], text[], text[], text[], text[], bigint[], bigint[], text[],
        timestamptz[], text[], text[], text[]),
    sluice.bulk_finish(bigint, text, bigint, bigint, bigint, bigint, boolean)
TO sluice_intake;

-- ---- workers and replay of before ----

-- For workers of the version before, which go on during an upgrade. What they cannot understand is
-- a conflict for them.
CREATE OR REPLACE FUNCTION sluice.intake_signals(
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
BEGIN
    SELECT s.outcomes, coalesce(s.ids, array_fill(NULL::bigint, ARRAY[cardinality(item_requests)]))
    INTO outcomes, ids
    FROM sluice.intake(key_hashes, secret_hashes, request_ids, item_requests, sources, event_types,
        event_names, emails, user_ids, anonymous_ids, message_ids, intake_signals.occurred_at,
        cold, payloads::text[], payloads_raw, reject_requests, reject_positions, reject_codes,
        reject_details, reject_kinds, reject_sources, reject_payloads, reject_lengths,
        NULL, NULL, NULL, false) AS s;
    IF 7 = ANY (outcomes) OR 8 = ANY (outcomes) THEN
        RAISE EXCEPTION 'outcome is for newer workers' USING ERRCODE = 'serialization_failure';
    END IF;
    outcomes := ARRAY(SELECT CASE WHEN o = 0 THEN 0 WHEN o = 6 THEN 2 ELSE 1 END
        FROM unnest(outcomes) WITH ORDINALITY AS u (o, n) ORDER BY u.n);
END
$$;
COMMENT ON FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[],
    text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[], integer[],
    bigint[], text[], text[], text[], text[], bytea[], bigint[]) IS
    'intake as workers of the version before call it.';

DROP FUNCTION sluice.intake_signals(bytea[], bytea[], text[], integer[], text[], text[], text[],
    text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]);
DROP FUNCTION sluice.rejected_replay(text, bigint, boolean, text[], text[], text[], text[], text[],
    text[], text[], timestamptz[], boolean[], jsonb[], bytea[]);
DROP FUNCTION sluice.store_signals(smallint[], bigint[], bigint[], text[], integer[], text[],
    text[], text[], text[], text[], text[], text[], timestamptz[], boolean[], jsonb[], bytea[]);

CREATE FUNCTION sluice.rejected_replay(actor text, id bigint, again boolean,
    sources text[], event_types text[], event_names text[], emails text[], user_ids text[],
    anonymous_ids text[], message_ids text[], occurred_at timestamptz[], cold boolean[],
    payloads text[], payloads_raw bytea[],
    product_org_ids text[] DEFAULT NULL, names text[] DEFAULT NULL, plan_ids text[] DEFAULT NULL,
    plan_names text[] DEFAULT NULL, user_counts bigint[] DEFAULT NULL, mrrs bigint[] DEFAULT NULL,
    trial_statuses text[] DEFAULT NULL, last_active_at timestamptz[] DEFAULT NULL,
    feature_flags text[] DEFAULT NULL, customs text[] DEFAULT NULL, warnings text[] DEFAULT NULL)
RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
    lock record;
    its record;
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
    SELECT l.class, l.number INTO lock FROM sluice.delivery_lock(entry.key_id) AS l;
    PERFORM pg_advisory_xact_lock_shared(lock.class, lock.number);
    SELECT s.ids, s.repeated INTO its
    FROM sluice.store_items('{0}', ARRAY[entry.organization_id], ARRAY[entry.key_id],
        ARRAY[entry.request_id], array_fill(1, ARRAY[cardinality(payloads)]), sources, event_types,
        event_names, emails, user_ids, anonymous_ids, message_ids,
        -- It happened when it was received, not when it was replayed.
        ARRAY(SELECT coalesce(rejected_replay.occurred_at[i], entry.received_at)
            FROM generate_series(1, cardinality(payloads)) AS i ORDER BY i),
        payloads, payloads_raw, product_org_ids, names, plan_ids, plan_names, user_counts, mrrs,
        trial_statuses, rejected_replay.last_active_at, feature_flags, customs, warnings, false,
        sluice.writer_slot(), cold) AS s;
    UPDATE sluice.rejected_payload AS r
    SET replayed_at = clock_timestamp(), replayed_by = actor,
        replayed_ids = coalesce(r.replayed_ids, '{}') || its.ids
    WHERE r.organization_id = entry.organization_id AND r.id = rejected_replay.id
        AND r.received_at = entry.received_at;
    PERFORM sluice.audit(actor, entry.organization_id, 'rejected_replay', 'rejected_payload',
        rejected_replay.id::text, jsonb_build_object('signals', cardinality(its.ids),
            'duplicates', (SELECT count(*) FROM unnest(its.repeated) AS u (it) WHERE u.it),
            'again', entry.replayed_at IS NOT NULL));
    RETURN its.ids;
END
$$;
COMMENT ON FUNCTION sluice.rejected_replay(text, bigint, boolean, text[], text[], text[], text[],
    text[], text[], text[], timestamptz[], boolean[], text[], bytea[], text[], text[], text[],
    text[], bigint[], bigint[], text[], timestamptz[], text[], text[], text[]) IS
    'Stores signals or product-org updates that were made of an entry of rejected_payload (actor, id, whether it may have '
    'been replayed before, and the items as for intake) under its organization, key and '
    'request id, whatever became of the key since; marks the entry as replayed and returns the '
    'ids, of the first delivery where a signal with its id is there already, all in one '
    'transaction. A null occurred_at means the original receipt. Raises P0002 when there is no '
    'such entry, P0001 when it was replayed before, 22023 when there is no item.';
GRANT EXECUTE ON FUNCTION sluice.rejected_replay(text, bigint, boolean, text[], text[], text[],
    text[], text[], text[], text[], timestamptz[], boolean[], text[], bytea[], text[], text[],
    text[], text[], bigint[], bigint[], text[], timestamptz[], text[], text[], text[])
    TO sluice_admin;

COMMENT ON COLUMN sluice.audit_log.action IS
    'what was done: organization_create, organization_limit, member_add, member_remove, '
    'key_create, key_deactivate, rejected_replay';
COMMENT ON TABLE sluice.signal_cold_storage IS
    'Signals that name nobody (no email, user id, CRM id, phone and so on). They are moved to '
    'signal_staging, with their ids, when their anonymous id arrives together with an email or a '
    'user id. Columns and partitions as in signal_staging.';
COMMENT ON SCHEMA sluice IS
    'Sluice, webhook intake: what senders delivered (signal_staging, signal_cold_storage, '
    'product_org_staging, rejected_payload), who may send (organization, api_key), how much they did (usage_overview) '
    'and who changed what (audit_log). Programs call the functions; people read the tables and '
    'views as sluice_reader. Changed by sluicectl migrate only.';

RESET ROLE;
