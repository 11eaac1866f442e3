-- How much comes with each key, and how much of it is turned away: today and in the last seven days
-- (UTC).

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.count_keys(partition_name text, its_id integer, ids_until bigint)
RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM sluice.countable_partition AS p
    WHERE p.partition_name = count_keys.partition_name;
    DELETE FROM sluice.key_count AS k WHERE k.partition_id = its_id;
    IF part.upper_bound < now() - interval '8 days' THEN
        RETURN 0; -- nobody asks for them
    END IF;
    EXECUTE format($q$
        INSERT INTO sluice.key_count
            (organization_id, key_id, day, partition_id, table_name, entries, last_at)
        SELECT p.organization_id, p.key_id, (p.received_at AT TIME ZONE 'UTC')::date, $1, $3,
            count(*), max(p.received_at)
        FROM %s AS p
        WHERE p.id <= $2
        GROUP BY 1, 2, 3
        $q$, part.partition::regclass)
    USING its_id, ids_until, part.table_name;
    RETURN (SELECT coalesce(sum(k.entries), 0) FROM sluice.key_count AS k
        WHERE k.partition_id = its_id);
END
$$;
COMMENT ON FUNCTION sluice.count_keys(text, integer, bigint) IS
    'Counts the rows of a partition by key and day in key_count, as count_partition does by source '
    'and hour, and returns how many there are; those of older days are not asked for and not '
    'counted. Internal: called by count_rows.';

CREATE OR REPLACE FUNCTION sluice.key_volumes_of(organization_id bigint, key_ids bigint[],
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    max_live constant integer := 10000; -- some 20 ms
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    first_day constant date := today - 6;
    live constant record := sluice.count_live(organization_id,
        first_day::timestamp AT TIME ZONE 'UTC', false, true, max_live);
    result json;
BEGIN
    WITH event AS MATERIALIZED (
        SELECT c.key_id, c.day, c.last_at,
            CASE WHEN c.table_name = 'rejected_payload' THEN 0 ELSE c.entries END AS accepted,
            CASE WHEN c.table_name = 'rejected_payload' THEN c.entries ELSE 0 END AS rejected,
            0 AS refused
        FROM (
            SELECT k.key_id, k.day, k.table_name, k.entries, k.last_at
            FROM sluice.key_count AS k
            WHERE k.organization_id = organization_id
                AND (key_ids IS NULL OR k.key_id = ANY (key_ids))
            UNION ALL
            SELECT l.key_id, (l.at AT TIME ZONE 'UTC')::date, l.table_name, l.entries, l.last_at
            FROM unnest(live.key_ids, live.times, live.tables, live.counts, live.lasts)
                AS l (key_id, at, table_name, entries, last_at)
            WHERE key_ids IS NULL OR l.key_id = ANY (key_ids)
        ) AS c
        WHERE c.day BETWEEN first_day AND today
        UNION ALL
        SELECT r.key_id, r.day, r.last_at, 0, 0, r.requests
        FROM sluice.refusal AS r
        WHERE r.organization_id = organization_id AND r.day BETWEEN first_day AND today
            AND (key_ids IS NULL OR r.key_id = ANY (key_ids))
    ), daily AS (
        -- Each key has all days.
        SELECT e.key_id, e.day, sum(e.accepted) AS accepted, sum(e.rejected) AS rejected,
            sum(e.refused) AS refused,
            max(e.last_at) FILTER (WHERE e.rejected > 0) AS last_rejected_at
        FROM (
            SELECT * FROM event
            UNION ALL
            SELECT k.id, first_day + n, NULL, 0, 0, 0
            FROM (SELECT e.key_id FROM event AS e UNION SELECT unnest(key_ids)) AS k (id),
                generate_series(0, 6) AS n
        ) AS e
        GROUP BY e.key_id, e.day
    ), volume AS (
        SELECT d.key_id, sum(d.accepted) AS accepted, sum(d.rejected) AS rejected,
            sum(d.refused) AS refused,
            sum(d.accepted) FILTER (WHERE d.day = today) AS accepted_today,
            sum(d.rejected) FILTER (WHERE d.day = today) AS rejected_today,
            sum(d.refused) FILTER (WHERE d.day = today) AS refused_today,
            json_agg(d.accepted ORDER BY d.day) AS accepted_by_day,
            max(d.last_rejected_at) AS last_rejected_at,
            array_position(key_ids, d.key_id) AS place
        FROM daily AS d
        GROUP BY d.key_id
        ORDER BY place, accepted DESC, d.key_id
        LIMIT max_rows
    )
    SELECT json_build_object(
        'as_of', sluice.timestamp_text(live.as_of),
        'first_day', first_day,
        'volumes', coalesce(json_agg(json_build_object(
                'key_id', v.key_id,
                'key_name', o.name,
                'accepted_today', v.accepted_today,
                'accepted_7_days', v.accepted,
                'accepted_by_day', v.accepted_by_day,
                'rejected_today', v.rejected_today,
                'rejected_7_days', v.rejected,
                'refused_today', v.refused_today,
                'refused_7_days', v.refused,
                'last_accepted_at', sluice.timestamp_text(o.last_used_at),
                'last_rejected_at', sluice.timestamp_text(v.last_rejected_at),
                'last_refused_at', sluice.timestamp_text(o.last_refused_at))
            ORDER BY v.place, v.accepted DESC, v.key_id), '[]'))
    INTO result
    FROM volume AS v
    JOIN sluice.key_overview AS o ON o.organization_id = organization_id AND o.id = v.key_id;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.key_volumes_of(bigint, bigint[], integer) IS
    'What came with keys of an organization today and on the six days before (UTC), as a JSON '
    'object: signals and product-org updates accepted, items rejected, requests refused, and when '
    'the last of each was. key_ids: of these keys, in this order; null: of all with which something '
    'came, the busiest first, at most max_rows (null: all). as_of: up to when the counts are '
    'complete. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_volume_of(organization_id bigint, key_id bigint) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    IF NOT EXISTS (SELECT FROM sluice.api_key AS k
        WHERE k.organization_id = organization_id AND k.id = key_id) THEN
        RAISE EXCEPTION 'key % does not exist', key_id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN sluice.key_volumes_of(organization_id, ARRAY[key_id], 1);
END
$$;
COMMENT ON FUNCTION sluice.key_volume_of(bigint, bigint) IS
    'Like key_volumes_of, of one key. Raises P0002 for another organization''s key. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_volumes(organization_name text, key_id bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.organization_id_of(organization_name);
BEGIN
    RETURN CASE WHEN key_id IS NULL THEN sluice.key_volumes_of(its_id, NULL, max_rows)
        ELSE sluice.key_volume_of(its_id, key_id) END;
END
$$;
COMMENT ON FUNCTION sluice.key_volumes(text, bigint, integer) IS
    'Like key_volumes_of, of all keys, or like key_volume_of where key_id is not null. Raises P0002 '
    'for an unknown organization, too.';

CREATE OR REPLACE FUNCTION sluice.settings_key_volumes(user_name text, organization_id bigint,
    key_id bigint, max_rows integer DEFAULT 100, before bigint DEFAULT NULL,
    match text DEFAULT NULL, endpoint_type text DEFAULT NULL, status text DEFAULT NULL)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
    most constant integer := least(settings_key_volumes.max_rows, 100);
    listed bigint[];
    result json;
BEGIN
    IF key_id IS NOT NULL THEN
        result := sluice.key_volume_of(its_id, key_id);
    ELSE
        listed := ARRAY(SELECT k.id FROM sluice.keys_of(its_id, settings_key_volumes.before,
            most + 1, settings_key_volumes.match, settings_key_volumes.endpoint_type,
            settings_key_volumes.status) AS k ORDER BY k.id DESC);
        result := sluice.key_volumes_of(its_id, listed[:most], most);
    END IF;
    RETURN json_build_object('as_of', result->'as_of', 'first_day', result->'first_day',
        'volumes', result->'volumes',
        'next', CASE WHEN cardinality(listed) > most THEN listed[most] END);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_volumes(text, bigint, bigint, integer, bigint, text, text,
    text) IS
    'The volumes of the keys that settings_keys lists with these parameters, in its order, at most '
    '100; next is the before of the next part. Or like key_volume_of where key_id is not null. For '
    'editors, admins and owners. Raises as key_volume_of and membership do.';

GRANT EXECUTE ON FUNCTION sluice.key_volumes(text, bigint, integer) TO sluice_admin;
GRANT EXECUTE ON FUNCTION sluice.settings_key_volumes(text, bigint, bigint, integer, bigint, text,
    text, text) TO sluice_settings;

RESET ROLE;
