-- Searching the lists that are in the order of ids, latest first: rejected payloads and product-org
-- updates. Like the search of signals (search.sql), a call works for a limited time and says how far
-- it came. It walks from the highest id to the lowest in steps that it makes longer while they cost
-- little.
--
-- Ids are not in the order of times: a transaction's rows have the time at which it began, so that an
-- import's have one. What is cut by time are therefore the days that a step reads, and its rows.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.days_with_ids(table_name text, from_at timestamptz, until_at timestamptz,
    OUT starts timestamptz[], OUT ends timestamptz[], OUT lowest bigint[], OUT highest bigint[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
#variable_conflict use_variable
DECLARE
    default_has_rows boolean;
BEGIN
    SELECT array_agg(b.lower_bound) FILTER (WHERE NOT b.is_default),
        array_agg(b.upper_bound) FILTER (WHERE NOT b.is_default), bool_or(b.is_default)
    INTO starts, ends, default_has_rows
    FROM sluice.partition_bounds() AS b
    WHERE b.table_name = table_name AND pg_relation_size(b.partition) > 0
        AND (b.is_default OR b.lower_bound < until_at AND b.upper_bound > from_at);
    -- Its rows may be of any time.
    IF default_has_rows THEN
        starts := ARRAY['-infinity'::timestamptz]; ends := ARRAY['infinity'::timestamptz];
    END IF;
    EXECUTE format('SELECT array_agg(d.starts), array_agg(d.ends), array_agg(d.lowest), array_agg(d.highest) '
        'FROM (SELECT b.starts, b.ends, (SELECT min(s.id) FROM sluice.%1$I AS s '
        'WHERE s.received_at >= b.starts AND s.received_at < b.ends) AS lowest, (SELECT max(s.id) '
        'FROM sluice.%1$I AS s WHERE s.received_at >= b.starts AND s.received_at < b.ends) AS highest '
        'FROM unnest($1, $2) AS b (starts, ends)) AS d WHERE d.highest IS NOT NULL', table_name)
    INTO starts, ends, lowest, highest USING starts, ends;
END
$$;
COMMENT ON FUNCTION sluice.days_with_ids(text, timestamptz, timestamptz) IS
    'The days of a partitioned table that have rows and lie within a span, with the lowest and the highest '
    'id in each; one day without bounds if the default partition may have rows. Internal.';

CREATE OR REPLACE FUNCTION sluice.step_by_id(starts timestamptz[], ends timestamptz[], lowest bigint[],
    highest bigint[], below bigint, width bigint, INOUT from_at timestamptz, INOUT until_at timestamptz,
    OUT top bigint, OUT bottom bigint)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    SELECT max(least(d.highest, below - 1)) INTO top
    FROM unnest(lowest, highest) AS d (lowest, highest)
    WHERE below IS NULL OR d.lowest < below;
    bottom := greatest(top - width + 1, 0);
    SELECT greatest(from_at, min(d.starts)), least(until_at, max(d.ends)) INTO from_at, until_at
    FROM unnest(starts, ends, lowest, highest) AS d (starts, ends, lowest, highest)
    WHERE d.lowest <= top AND d.highest >= bottom;
END
$$;
COMMENT ON FUNCTION sluice.step_by_id(timestamptz[], timestamptz[], bigint[], bigint[], bigint, bigint,
    timestamptz, timestamptz) IS
    'The ids below one (null: all) that the next step of a width may be of, given the days_with_ids, and the '
    'times that rows with these ids can have; top is null where no day has such. Internal.';

-- A step is of few rows, so that the next one is not too long, and of few bytes where their payloads
-- are read.
CREATE OR REPLACE FUNCTION sluice.last_of_step(table_name text, payload_bytes text, organization_id bigint,
    bottom bigint, top bigint, from_at timestamptz, until_at timestamptz) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    row_limit constant integer := 25000;
    byte_limit constant integer := 4000000;
    result bigint;
BEGIN
    EXECUTE format('SELECT b.id FROM (SELECT u.id, row_number() OVER latest AS place, '
        'sum(u.bytes) OVER latest AS bytes FROM (SELECT s.id, %2$s AS bytes FROM sluice.%1$I AS s '
        'WHERE ($1 IS NULL OR s.organization_id = $1) AND s.id BETWEEN $2 AND $3 '
        'AND s.received_at >= $4 AND s.received_at < $5 ORDER BY s.id DESC LIMIT $6) AS u '
        'WINDOW latest AS (ORDER BY u.id DESC)) AS b WHERE b.place >= $6 OR b.bytes >= $7 '
        'ORDER BY b.id DESC LIMIT 1', table_name, coalesce(payload_bytes, '0'))
    INTO result USING organization_id, bottom, top, from_at, until_at, row_limit, byte_limit;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.last_of_step(text, text, bigint, bigint, bigint, timestamptz, timestamptz) IS
    'The id of the last row that a step may read of those from top down to bottom; null: it may read all. '
    'payload_bytes is SQL for the length of a row''s payload, null if payloads are not read. Internal.';

-- More than the next row is looked at: those behind it may have come later.
CREATE OR REPLACE FUNCTION sluice.latest_of_step(table_name text, organization_id bigint, bottom bigint, top bigint,
    from_at timestamptz, until_at timestamptz) RETURNS timestamptz
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    result timestamptz;
BEGIN
    EXECUTE format('SELECT max(s.received_at) FROM sluice.%I AS s WHERE ($1 IS NULL OR s.organization_id = $1) '
        'AND s.id BETWEEN $2 AND $3 AND s.received_at >= $4 AND s.received_at < $5', table_name)
    INTO result USING organization_id, bottom, top, from_at, until_at;
    RETURN coalesce(result, least(until_at, now()));
END
$$;
COMMENT ON FUNCTION sluice.latest_of_step(text, bigint, bigint, bigint, timestamptz, timestamptz) IS
    'When the latest row of a step_by_id was received; where it has none, the latest time that one may '
    'have. Internal.';

CREATE OR REPLACE FUNCTION sluice.found_by_id(table_name text, conditions text, payload_bytes text,
    organization_id bigint, filter jsonb, before bigint, max_rows integer, budget interval,
    OUT ids bigint[], OUT times timestamptz[], OUT next bigint, OUT searched_until timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    started constant timestamptz := clock_timestamp();
    from_at constant timestamptz := coalesce((filter ->> 'from')::timestamptz, '-infinity');
    until_at constant timestamptz := coalesce((filter ->> 'until')::timestamptz, 'infinity');
    days constant record := sluice.days_with_ids(table_name, from_at, until_at);
    statement constant text := format('SELECT array_agg(f.id ORDER BY f.id DESC), '
        'array_agg(f.received_at ORDER BY f.id DESC) FROM (SELECT s.id, s.received_at FROM sluice.%I AS s '
        'WHERE ($1 IS NULL OR s.organization_id = $1) AND s.received_at >= $2 AND s.received_at < $3 '
        'AND s.id BETWEEN $6 AND $7%s ORDER BY s.id DESC LIMIT $4) AS f', table_name, conditions);
    -- All of a step's, and not only the first, or those that an index finds.
    reads_rows constant boolean := payload_bytes IS NOT NULL
        OR conditions <> '' AND NOT filter ? 'product_org_id';
    below bigint := before; -- these ids have not been searched; null: all
    width bigint := 4096; -- of a step, in ids
    step record;
    began timestamptz;
    took interval;
    more_ids bigint[];
    more_times timestamptz[];
BEGIN
    ids := '{}'; times := '{}';
    LOOP
        began := clock_timestamp();
        step := sluice.step_by_id(days.starts, days.ends, days.lowest, days.highest, below, width, from_at, until_at);
        EXIT WHEN step.top IS NULL OR next IS NOT NULL;
        below := coalesce(CASE WHEN reads_rows THEN sluice.last_of_step(table_name, payload_bytes,
            organization_id, step.bottom, step.top, step.from_at, step.until_at) END, step.bottom);
        EXECUTE statement INTO more_ids, more_times
        USING organization_id, step.from_at, step.until_at, max_rows + 1 - cardinality(ids), filter, below, step.top;
        ids := ids || more_ids; times := times || more_times;
        took := clock_timestamp() - began;
        IF cardinality(ids) > max_rows THEN
            ids := ids[:max_rows]; times := times[:max_rows];
            below := ids[max_rows];
            next := below;
        -- Also if another step as long as this one would be too much.
        ELSIF clock_timestamp() + took >= started + budget THEN
            next := below;
        END IF;
        width := CASE
            WHEN next IS NOT NULL THEN greatest(width, 20000)
            WHEN took < interval '25 milliseconds' THEN least(width * 4, 1::bigint << 40)
            WHEN took > interval '100 milliseconds' THEN greatest(width / 4, 64)
            ELSE width END;
    END LOOP;
    IF step.top IS NULL THEN
        next := NULL;
    ELSE
        searched_until := sluice.latest_of_step(table_name, organization_id, step.bottom, step.top,
            step.from_at, step.until_at);
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.found_by_id(text, text, text, bigint, jsonb, bigint, integer, interval) IS
    'The first rows of a partitioned table, up to max_rows, of an organization (null: of all), received in '
    'the filter''s span, that meet conditions (SQL, in which s is the row), with ids below '
    'before, highest first. payload_bytes as in last_of_step. When the budget is used up it stops after a '
    'step: next is where to go on, and what was received since searched_until has been searched. next is '
    'null when nothing is left. Internal.';

RESET ROLE;
