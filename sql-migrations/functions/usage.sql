-- Adding up usage, refusals and key uses.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.fold_usage(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded bigint;
BEGIN
    -- Rows of open transactions are not visible yet, and stay for the next run.
    WITH taken AS (
        DELETE FROM sluice.usage_delta AS d
        WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM sluice.usage_delta AS o
            LIMIT max_rows FOR UPDATE SKIP LOCKED))
        RETURNING d.organization_id, d.counted_at, d.signals, d.duplicates
    ), months AS (
        INSERT INTO sluice.usage_month AS m (organization_id, month, signals, duplicates)
        SELECT t.organization_id, date_trunc('month', t.counted_at AT TIME ZONE 'UTC')::date,
            sum(t.signals), sum(t.duplicates)
        FROM taken AS t GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (organization_id, month) DO UPDATE
        SET signals = m.signals + excluded.signals, duplicates = m.duplicates + excluded.duplicates
    ), hours AS (
        INSERT INTO sluice.usage_hour AS h (organization_id, hour, signals, duplicates)
        SELECT t.organization_id, date_trunc('hour', t.counted_at, 'UTC'), sum(t.signals),
            sum(t.duplicates)
        FROM taken AS t GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (organization_id, hour) DO UPDATE
        SET signals = h.signals + excluded.signals, duplicates = h.duplicates + excluded.duplicates
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END
$$;
COMMENT ON FUNCTION sluice.fold_usage(integer) IS
    'Maintenance step: adds rows of usage_delta to usage_month and usage_hour.';

CREATE OR REPLACE FUNCTION sluice.fold_refusals(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded bigint;
BEGIN
    WITH taken AS (
        DELETE FROM sluice.refusal_delta AS d
        WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM sluice.refusal_delta AS o
            LIMIT max_rows FOR UPDATE SKIP LOCKED))
        RETURNING d.organization_id, d.key_id, d.counted_at, d.reason, d.requests
    ), days AS (
        INSERT INTO sluice.refused_request AS r (organization_id, key_id, day, reason, requests,
            last_at)
        SELECT t.organization_id, t.key_id, (t.counted_at AT TIME ZONE 'UTC')::date, t.reason,
            sum(t.requests), max(t.counted_at)
        FROM taken AS t GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
        ON CONFLICT (organization_id, key_id, day, reason) DO UPDATE
        SET requests = r.requests + excluded.requests,
            last_at = greatest(r.last_at, excluded.last_at)
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END
$$;
COMMENT ON FUNCTION sluice.fold_refusals(integer) IS
    'Maintenance step: adds rows of refusal_delta to refused_request.';

CREATE OR REPLACE FUNCTION sluice.fold_key_use(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    folded bigint;
BEGIN
    WITH taken AS (
        DELETE FROM sluice.key_use AS d
        WHERE d.ctid = ANY (ARRAY(SELECT o.ctid FROM sluice.key_use AS o
            -- note_use needs the last half minute.
            WHERE o.used_at < now() - interval '30 seconds'
            LIMIT max_rows FOR UPDATE SKIP LOCKED))
        RETURNING d.organization_id, d.key_id, d.used_at
    ), lasts AS (
        INSERT INTO sluice.key_activity AS a (organization_id, key_id, last_used_at)
        SELECT t.organization_id, t.key_id, max(t.used_at)
        FROM taken AS t GROUP BY 1, 2 ORDER BY 1, 2
        ON CONFLICT (organization_id, key_id) DO UPDATE
        SET last_used_at = greatest(a.last_used_at, excluded.last_used_at)
    )
    SELECT count(*) INTO folded FROM taken;
    RETURN folded;
END
$$;
COMMENT ON FUNCTION sluice.fold_key_use(integer) IS
    'Maintenance step: moves the last use of each key from key_use to key_activity.';

CREATE OR REPLACE FUNCTION sluice.usage_list(organization_name text, month date)
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
    'The usage_overview row of every organization (or of one) for the month of the given day '
    '(null: this month), also without any usage. Raises P0002 for an unknown organization.';

GRANT EXECUTE ON FUNCTION sluice.usage_list(text, date) TO sluice_admin;

RESET ROLE;
