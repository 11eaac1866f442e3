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

CREATE OR REPLACE FUNCTION sluice.key_counts_live(organization_id bigint, since timestamptz,
    max_rows integer, OUT key_ids bigint[], OUT days date[], OUT tables text[], OUT counts bigint[],
    OUT lasts timestamptz[], OUT as_of timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    part record;
    its_keys bigint[];
    its_days date[];
    its_counts bigint[];
    its_lasts timestamptz[];
    n bigint;
    room bigint := max_rows;
BEGIN
    as_of := now();
    FOR part IN
        SELECT * FROM sluice.countable_partition AS p
        WHERE coalesce(p.upper_bound > since AND p.lower_bound <= now(), true)
        ORDER BY p.lower_bound DESC NULLS LAST, p.partition_name
    LOOP
        -- The latest ids, by the primary key.
        EXECUTE format($q$
            SELECT array_agg(g.key_id), array_agg(g.day), array_agg(g.n), array_agg(g.last_at),
                coalesce(sum(g.n), 0)
            FROM (
                SELECT r.key_id, r.day, count(*) AS n, max(r.received_at) AS last_at
                FROM (
                    SELECT p.key_id, p.received_at, (p.received_at AT TIME ZONE 'UTC')::date AS day
                    FROM %s AS p
                    WHERE p.organization_id = $1 AND p.id > $2
                    ORDER BY p.id
                    LIMIT $3
                ) AS r
                GROUP BY 1, 2
            ) AS g
            $q$, part.partition::regclass)
        INTO its_keys, its_days, its_counts, its_lasts, n
        USING organization_id, part.last_id, room + 1;
        IF n > room THEN
            as_of := least(as_of, coalesce(part.counted_at, part.lower_bound, since));
        ELSIF n > 0 THEN
            room := room - n;
            key_ids := key_ids || its_keys;
            days := days || its_days;
            counts := counts || its_counts;
            lasts := lasts || its_lasts;
            tables := tables || array_fill(part.table_name, ARRAY[cardinality(its_keys)]);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.key_counts_live(bigint, timestamptz, integer) IS
    'Counts up to max_rows rows of an organization that count_rows has not counted, by key and day. '
    'as_of: up to when the counts are complete. Internal: called by key_volumes_of.';

CREATE OR REPLACE FUNCTION sluice.key_volumes_of(organization_id bigint, key_id bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    max_live constant integer := 10000; -- some 20 ms
    today constant date := (now() AT TIME ZONE 'UTC')::date;
    first_day constant date := today - 6;
    live record;
    result json;
BEGIN
    IF key_id IS NOT NULL AND NOT EXISTS (SELECT FROM sluice.api_key AS k
        WHERE k.organization_id = organization_id AND k.id = key_id) THEN
        RAISE EXCEPTION 'key % does not exist', key_id USING ERRCODE = 'no_data_found';
    END IF;
    live := sluice.key_counts_live(organization_id, first_day::timestamp AT TIME ZONE 'UTC',
        max_live);
    WITH event AS (
        SELECT c.key_id, c.day, c.last_at,
            CASE WHEN c.table_name = 'rejected_payload' THEN 0 ELSE c.entries END AS accepted,
            CASE WHEN c.table_name = 'rejected_payload' THEN c.entries ELSE 0 END AS rejected,
            0 AS refused
        FROM (
            SELECT k.key_id, k.day, k.table_name, k.entries, k.last_at
            FROM sluice.key_count AS k
            WHERE k.organization_id = organization_id
            UNION ALL
            SELECT l.* FROM unnest(live.key_ids, live.days, live.tables, live.counts, live.lasts)
                AS l (key_id, day, table_name, entries, last_at)
        ) AS c
        UNION ALL
        SELECT r.key_id, r.day, r.last_at, 0, 0, r.requests
        FROM sluice.refusal AS r
        WHERE r.organization_id = organization_id
    ), daily AS MATERIALIZED (
        SELECT e.key_id, e.day, sum(e.accepted) AS accepted, sum(e.rejected) AS rejected,
            sum(e.refused) AS refused,
            max(e.last_at) FILTER (WHERE e.rejected > 0) AS last_rejected_at
        FROM event AS e
        WHERE e.day BETWEEN first_day AND today AND (key_id IS NULL OR e.key_id = key_id)
        GROUP BY e.key_id, e.day
    ), volume AS (
        SELECT k.id, coalesce(sum(d.accepted), 0) AS accepted,
            coalesce(sum(d.rejected), 0) AS rejected, coalesce(sum(d.refused), 0) AS refused,
            coalesce(sum(d.accepted) FILTER (WHERE d.day = today), 0) AS accepted_today,
            coalesce(sum(d.rejected) FILTER (WHERE d.day = today), 0) AS rejected_today,
            coalesce(sum(d.refused) FILTER (WHERE d.day = today), 0) AS refused_today,
            max(d.last_rejected_at) AS last_rejected_at
        FROM (SELECT d.key_id AS id FROM daily AS d UNION SELECT key_id) AS k
        LEFT JOIN daily AS d ON d.key_id = k.id
        WHERE k.id IS NOT NULL
        GROUP BY k.id
        ORDER BY sum(d.accepted) DESC NULLS LAST, k.id
        LIMIT max_rows
    )
    SELECT json_build_object(
        'as_of', sluice.timestamp_text(live.as_of),
        'first_day', first_day,
        'volumes', (SELECT coalesce(json_agg(json_build_object(
                'key_id', v.id,
                'key_name', o.name,
                'accepted_today', v.accepted_today,
                'accepted_7_days', v.accepted,
                'accepted_by_day', (SELECT json_agg(coalesce(d.accepted, 0) ORDER BY n)
                    FROM generate_series(0, 6) AS n
                    LEFT JOIN daily AS d ON d.key_id = v.id AND d.day = first_day + n),
                'rejected_today', v.rejected_today,
                'rejected_7_days', v.rejected,
                'refused_today', v.refused_today,
                'refused_7_days', v.refused,
                'last_accepted_at', sluice.timestamp_text(o.last_used_at),
                'last_rejected_at', sluice.timestamp_text(v.last_rejected_at),
                'last_refused_at', sluice.timestamp_text(o.last_refused_at))
            ORDER BY v.accepted DESC, v.id), '[]')
            FROM volume AS v
            JOIN sluice.key_overview AS o ON o.organization_id = organization_id AND o.id = v.id))
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.key_volumes_of(bigint, bigint, integer) IS
    'What came with the keys of an organization today and on the six days before (UTC), as a JSON '
    'object: signals and product-org updates accepted, items rejected, requests refused, and when '
    'the last of each was; the busiest key first, at most max_rows (null: all). Keys with which '
    'nothing came are left out, unless key_id (null: all) names one. as_of: up to when the counts '
    'are complete. Raises P0002 for another organization''s key. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_volumes(organization_name text, key_id bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_volumes_of(sluice.organization_id_of(organization_name), key_id, max_rows);
END
$$;
COMMENT ON FUNCTION sluice.key_volumes(text, bigint, integer) IS
    'Like key_volumes_of. Raises P0002 for an unknown organization, too.';

CREATE OR REPLACE FUNCTION sluice.settings_key_volumes(user_name text, organization_id bigint,
    key_id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_volumes_of(sluice.membership(user_name, organization_id, 'editor'), key_id,
        NULL);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_volumes(text, bigint, bigint) IS
    'Like key_volumes_of. For editors, admins and owners. Raises as membership does, too.';

GRANT EXECUTE ON FUNCTION sluice.key_volumes(text, bigint, integer) TO sluice_admin;
GRANT EXECUTE ON FUNCTION sluice.settings_key_volumes(text, bigint, bigint) TO sluice_settings;

RESET ROLE;
