-- Statistics, the latest rows, usage and the audit log, as JSON for the settings page and
-- sluicectl.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.count_partition(partition_name text, its_id integer,
    ids_until bigint) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
BEGIN
    SELECT * INTO part FROM sluice.countable_partition AS p
    WHERE p.partition_name = count_partition.partition_name;
    DELETE FROM sluice.hourly_count AS h WHERE h.partition_id = its_id;
    IF part.source IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format($q$
        INSERT INTO sluice.hourly_count
            (organization_id, hour, partition_id, table_name, source, status, entries)
        SELECT r.organization_id, r.hour, $1, $3,
            CASE WHEN r.place <= 30 THEN r.source ELSE '(other)' END, r.status, sum(r.n)
        FROM (
            SELECT w.*, dense_rank() OVER (PARTITION BY w.organization_id
                ORDER BY w.n_of_source DESC, w.source) AS place
            FROM (
                SELECT g.*, sum(g.n) OVER (PARTITION BY g.organization_id, g.source) AS n_of_source
                FROM (
                    SELECT p.organization_id, date_trunc('hour', p.received_at) AS hour,
                        %1$s AS source, %2$s AS status, count(*) AS n
                    FROM %3$s AS p %4$s
                    WHERE p.id <= $2
                    GROUP BY 1, 2, 3, 4
                ) AS g
            ) AS w
        ) AS r
        GROUP BY 1, 2, 5, 6
        $q$, part.source, part.status, part.partition::regclass, part.joins)
    USING its_id, ids_until, part.table_name;
    RETURN (SELECT coalesce(sum(h.entries), 0) FROM sluice.hourly_count AS h
        WHERE h.partition_id = its_id);
END
$$;
COMMENT ON FUNCTION sluice.count_partition(text, integer, bigint) IS
    'Counts the rows of a partition with ids up to ids_until in hourly_count, under '
    'counted_partition.id, and returns how many there are. Internal: called by count_rows.';

CREATE OR REPLACE FUNCTION sluice.count_rows(max_rows integer) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    part record;
    its_id integer;
    ids_until bigint;
    started timestamptz := clock_timestamp();
    counted bigint;
BEGIN
    DELETE FROM sluice.hourly_count AS h
    USING sluice.counted_partition AS c
    WHERE h.partition_id = c.id AND NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.partition_name = c.partition_name);
    DELETE FROM sluice.key_count AS k
    USING sluice.counted_partition AS c
    WHERE k.partition_id = c.id AND NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.partition_name = c.partition_name);
    DELETE FROM sluice.counted_partition AS c
    WHERE NOT EXISTS (SELECT FROM sluice.partition_bounds() AS b
        WHERE b.partition_name = c.partition_name);

    SELECT * INTO part FROM sluice.countable_partition AS p
    WHERE p.changes <> coalesce(p.counted_changes, 0) AND p.due_at <= now()
    ORDER BY p.upper_bound DESC NULLS LAST, p.partition_name
    LIMIT 1;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    -- All ids of the last block count as assigned.
    EXECUTE format('SELECT q.last_value + s.increment_by - 1 FROM sluice.%I AS q, pg_sequences AS s '
        'WHERE s.schemaname = ''sluice'' AND s.sequencename = %L', part.sequence_name,
        part.sequence_name) INTO ids_until;
    INSERT INTO sluice.counted_partition AS c
        (partition_name, changes, last_id, counted_at, took)
    VALUES (part.partition_name, part.changes, ids_until, started, '0')
    ON CONFLICT ON CONSTRAINT counted_partition_partition_name_key DO UPDATE
    SET changes = excluded.changes, last_id = excluded.last_id, counted_at = excluded.counted_at
    RETURNING c.id INTO its_id;
    counted := greatest(sluice.count_partition(part.partition_name, its_id, ids_until),
        sluice.count_keys(part.partition_name, its_id, ids_until));
    UPDATE sluice.counted_partition AS c SET took = clock_timestamp() - started WHERE c.id = its_id;
    RETURN greatest(counted, 1);
END
$$;
COMMENT ON FUNCTION sluice.count_rows(integer) IS
    'Maintenance step: counts the rows of the latest partition that has changed, and returns how '
    'many there are. A partition is not counted again for twenty times as long as counting took.';

CREATE OR REPLACE FUNCTION sluice.count_live(organization_id bigint, since timestamptz,
    everything boolean, by_key boolean, max_rows integer, OUT times timestamptz[],
    OUT tables text[], OUT key_ids bigint[], OUT sources text[], OUT statuses text[],
    OUT counts bigint[], OUT lasts timestamptz[], OUT as_of timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
    period constant text := CASE WHEN by_key THEN 'day' ELSE 'hour' END;
    key_column constant text := CASE WHEN by_key THEN 'p.key_id' ELSE 'NULL::bigint' END;
    part record;
    its_times timestamptz[];
    its_keys bigint[];
    its_sources text[];
    its_statuses text[];
    its_counts bigint[];
    its_lasts timestamptz[];
    n bigint;
    room bigint := max_rows;
BEGIN
    as_of := now();
    FOR part IN
        SELECT * FROM sluice.countable_partition AS p
        WHERE coalesce(p.upper_bound > since AND p.lower_bound <= now(), true)
            AND (by_key OR p.source IS NOT NULL)
        ORDER BY p.lower_bound DESC NULLS LAST, p.partition_name
    LOOP
        IF by_key THEN
            part.source := 'NULL';
            part.status := 'NULL';
            part.joins := '';
        END IF;
        -- The latest ids, by the primary key.
        EXECUTE format($q$
            SELECT array_agg(g.time), array_agg(g.key_id), array_agg(g.source),
                array_agg(g.status), array_agg(g.n), array_agg(g.last_at), coalesce(sum(g.n), 0)
            FROM (
                SELECT r.time, r.key_id, r.source, r.status, count(*) AS n,
                    max(r.received_at) AS last_at
                FROM (
                    SELECT p.received_at, date_trunc(%1$L, p.received_at) AS time,
                        %2$s AS key_id, %3$s AS source, %4$s AS status
                    FROM %5$s AS p %6$s
                    WHERE p.organization_id = $1 AND p.id > $2
                    ORDER BY p.id
                    LIMIT $3
                ) AS r
                GROUP BY 1, 2, 3, 4
            ) AS g
            $q$, period, key_column, part.source, part.status, part.partition::regclass, part.joins)
        INTO its_times, its_keys, its_sources, its_statuses, its_counts, its_lasts, n
        USING organization_id, CASE WHEN everything THEN 0 ELSE part.last_id END, room + 1;
        IF n > room AND everything THEN
            as_of := NULL;
            RETURN;
        ELSIF n > room THEN
            as_of := least(as_of, coalesce(part.counted_at, part.lower_bound, since));
        ELSIF n > 0 THEN
            room := room - n;
            times := times || its_times;
            key_ids := key_ids || its_keys;
            sources := sources || its_sources;
            statuses := statuses || its_statuses;
            counts := counts || its_counts;
            lasts := lasts || its_lasts;
            tables := tables || array_fill(part.table_name, ARRAY[cardinality(its_times)]);
        END IF;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.count_live(bigint, timestamptz, boolean, boolean, integer) IS
    'Counts up to max_rows rows of an organization: all since a time (everything), or only those '
    'that count_rows has not counted; by key and day (by_key), or by hour, source and status, '
    'without product orgs. times: the beginning of the hour or day; lasts: when the last of them '
    'was received. as_of: up to when the counts are complete; null if everything was asked for and '
    'there is more than max_rows. Internal: called by counts_since and key_volumes_of.';

CREATE OR REPLACE FUNCTION sluice.timestamp_text(value timestamptz) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN to_json(value AT TIME ZONE 'UTC') #>> '{}' || 'Z';
END
$$;
COMMENT ON FUNCTION sluice.timestamp_text(timestamptz) IS
    'A timestamp in ISO 8601 and UTC, independent of the session''s settings. Internal.';

CREATE OR REPLACE FUNCTION sluice.counts_since(organization_id bigint, since timestamptz,
    OUT hours timestamptz[], OUT tables text[], OUT sources text[], OUT statuses text[],
    OUT counts bigint[], OUT as_of timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    max_live constant integer := 10000; -- some 20 ms
    few boolean := (SELECT coalesce(sum(h.entries), 0) FROM sluice.hourly_count AS h
        WHERE h.organization_id = organization_id AND h.hour >= since) <= max_live;
    live record := sluice.count_live(organization_id, since, few, false, max_live);
BEGIN
    IF live.as_of IS NULL THEN
        few := false; -- many have come since they were counted
        live := sluice.count_live(organization_id, since, few, false, max_live);
    END IF;
    IF NOT few THEN
        SELECT array_agg(h.hour), array_agg(h.table_name), array_agg(h.source),
            array_agg(h.status), array_agg(h.entries)
        INTO hours, tables, sources, statuses, counts
        FROM sluice.hourly_count AS h
        WHERE h.organization_id = organization_id AND h.hour >= since;
    END IF;
    hours := hours || live.times;
    tables := tables || live.tables;
    sources := sources || live.sources;
    statuses := statuses || live.statuses;
    counts := counts || live.counts;
    as_of := live.as_of;
END
$$;
COMMENT ON FUNCTION sluice.counts_since(bigint, timestamptz) IS
    'The number of an organization''s rows since a time by hour, table, source and status: from '
    'hourly_count, and counted on the spot if they are few. as_of: up to when they are complete. '
    'Internal: called by statistics_of.';

CREATE OR REPLACE FUNCTION sluice.duplicates_since(organization_id bigint, since timestamptz)
RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
BEGIN
    RETURN (SELECT coalesce(sum(u.duplicates), 0) FROM (
        SELECT h.duplicates FROM sluice.usage_hour AS h
        WHERE h.organization_id = organization_id AND h.hour >= since
        UNION ALL
        SELECT d.duplicates FROM sluice.usage_delta AS d
        WHERE d.organization_id = organization_id AND d.counted_at >= since) AS u);
END
$$;
COMMENT ON FUNCTION sluice.duplicates_since(bigint, timestamptz) IS
    'How many repeats an organization has sent since a time. Internal: called by statistics_of.';

CREATE OR REPLACE FUNCTION sluice.statistics_of(organization_id bigint, span text) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
#variable_conflict use_variable
DECLARE
    bucket text := CASE span WHEN '30d' THEN 'day' ELSE 'hour' END;
    since timestamptz := date_trunc(bucket, now()) - CASE span WHEN '24h' THEN interval '23 hours'
        WHEN '7d' THEN interval '167 hours' WHEN '30d' THEN interval '29 days' END;
    counts record;
    result json;
BEGIN
    IF since IS NULL THEN
        RAISE EXCEPTION 'window must be 24h, 7d or 30d'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'window';
    END IF;
    counts := sluice.counts_since(organization_id, since);
    WITH counted AS MATERIALIZED (
        SELECT c.* FROM unnest(counts.tables, counts.hours, counts.sources,
            counts.statuses, counts.counts) AS c (table_name, hour, source, status, entries)
        WHERE c.hour >= since
    ), place AS (
        SELECT c.source, row_number() OVER (ORDER BY c.source = '(other)', sum(c.entries) DESC,
            c.source) AS place
        FROM counted AS c
        WHERE c.table_name <> 'rejected_payload'
        GROUP BY c.source
    ), series AS (
        SELECT date_trunc(bucket, c.hour) AS at,
            CASE WHEN p.place <= 12 THEN c.source ELSE '(other)' END AS source,
            sum(c.entries) AS signals
        FROM counted AS c
        JOIN place AS p ON p.source = c.source
        WHERE c.table_name <> 'rejected_payload'
        GROUP BY 1, 2
    )
    SELECT json_build_object(
        'window', span,
        'from', sluice.timestamp_text(since),
        'to', sluice.timestamp_text(now()),
        'as_of', sluice.timestamp_text(counts.as_of),
        'bucket_seconds', CASE bucket WHEN 'day' THEN 86400 ELSE 3600 END,
        'totals', (SELECT json_object_agg(s.status, (SELECT coalesce(sum(c.entries), 0)
                FROM counted AS c WHERE c.table_name = 'signal' AND c.status = s.status::text))
            FROM unnest(enum_range(NULL::sluice.staging_status)) AS s (status)),
        'cold_storage', (SELECT coalesce(sum(c.entries), 0) FROM counted AS c
            WHERE c.table_name = 'signal_cold_storage'),
        'rejected', (SELECT coalesce(sum(c.entries), 0) FROM counted AS c
            WHERE c.table_name = 'rejected_payload'),
        'duplicates', sluice.duplicates_since(organization_id, since),
        'series', (SELECT coalesce(json_agg(json_build_object(
                'at', sluice.timestamp_text(s.at), 'source', s.source, 'signals', s.signals)
            ORDER BY s.at, s.source), '[]') FROM series AS s))
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.statistics_of(bigint, text) IS
    'What an organization received in the last 24h, 7d or 30d, as a JSON object: rows by status, '
    'and rows by source and hour or day, with sources after the 12 most frequent as "(other)". '
    'as_of: up to when it is complete. Raises 22023 for another window. Internal.';

CREATE OR REPLACE FUNCTION sluice.shown(value jsonb) RETURNS json
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    written text := value::text;
BEGIN
    RETURN CASE WHEN octet_length(written) <= 65536 THEN written::json END;
END
$$;
COMMENT ON FUNCTION sluice.shown(jsonb) IS
    'The value, or null if it is over 64 KiB. For lists. Internal.';

CREATE OR REPLACE FUNCTION sluice.preview(bytes bytea, was_cut boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- The last character may be incomplete.
    FOR missing IN 0..CASE WHEN was_cut THEN 3 ELSE 0 END LOOP
        BEGIN
            RETURN convert_from(substring(bytes FOR octet_length(bytes) - missing), 'UTF8');
        EXCEPTION WHEN character_not_in_repertoire THEN
            NULL;
        END;
    END LOOP;
    RETURN encode(bytes, 'escape');
END
$$;
COMMENT ON FUNCTION sluice.preview(bytea, boolean) IS
    'Bytes as text: UTF-8 as it is, without a character cut off at the end; otherwise with \nnn '
    'for bytes that are not ASCII. Internal.';

CREATE OR REPLACE FUNCTION sluice.place_in(bytes bytea, bad_byte bigint) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    around constant integer := 60;
    at_ integer;
    head text;
    line bytea;
    shown text;
    before_ bytea;
    width integer := 1;
    after_ bytea;
BEGIN
    IF bad_byte IS NULL OR bad_byte > octet_length(bytes) THEN
        RETURN NULL;
    END IF;
    at_ := bad_byte;
    -- Line feeds, and bytes without a meaning as text, survive this encoding.
    head := encode(substring(bytes FOR at_), 'escape');
    line := decode(split_part(head, E'\n', -1), 'escape');
    shown := sluice.preview(line, false);
    before_ := substring(line FROM greatest(octet_length(line) - around, 0) + 1);
    -- Neither side begins or ends within a character.
    WHILE octet_length(before_) < octet_length(line) AND octet_length(before_) > 0
        AND get_byte(before_, 0) BETWEEN 128 AND 191 LOOP
        before_ := substring(before_ FROM 2);
    END LOOP;
    IF at_ < octet_length(bytes) AND get_byte(bytes, at_) >= 192 THEN
        WHILE at_ + width < octet_length(bytes) AND width < 4
            AND get_byte(bytes, at_ + width) BETWEEN 128 AND 191 LOOP
            width := width + 1;
        END LOOP;
    END IF;
    after_ := decode(split_part(encode(substring(bytes FROM at_ + width + 1 FOR around), 'escape'),
        E'\n', 1), 'escape');
    RETURN json_build_object(
        'line', 1 + length(head) - length(replace(head, E'\n', '')),
        'column', 1 + CASE WHEN convert_to(shown, 'UTF8') = line THEN length(shown)
            ELSE octet_length(line) END,
        'before', sluice.preview(before_, false),
        'bad', sluice.preview(substring(bytes FROM at_ + 1 FOR width), false),
        'after', sluice.preview(after_, octet_length(after_) = around));
END
$$;
COMMENT ON FUNCTION sluice.place_in(bytea, bigint) IS
    'A place in bytes for people, as a JSON object: its line and column, from 1, the character that '
    'is bad there, empty at the end of the bytes, and what stands before and after it in its line. '
    'As text like preview; what is no text has a column for each byte. Null if it is not in the bytes. Internal.';

CREATE OR REPLACE FUNCTION sluice.usage_of(organization_id bigint, before date DEFAULT NULL,
    max_rows integer DEFAULT 12) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    this_month constant date := date_trunc('month', now() AT TIME ZONE 'UTC')::date;
    last_month constant date := least(this_month, (date_trunc('month', before) - interval '1 month')::date);
    first_month constant date := (last_month - (max_rows - 1) * interval '1 month')::date;
    result json;
BEGIN
    WITH used AS MATERIALIZED (
        SELECT u.month, u.signals, u.duplicates FROM sluice.usage_overview AS u
        WHERE u.organization = (SELECT o.name FROM sluice.organization AS o
            WHERE o.id = organization_id)
    ), listed AS (
        SELECT m.month::date AS month, coalesce(u.signals, 0) AS signals,
            coalesce(u.duplicates, 0) AS duplicates
        FROM generate_series(first_month, last_month, interval '1 month') AS m (month)
        LEFT JOIN used AS u ON u.month = m.month::date
    )
    SELECT json_build_object(
        'month', to_char(this_month, 'YYYY-MM'),
        'signals', coalesce(u.signals, 0),
        'duplicates', coalesce(u.duplicates, 0),
        'signal_limit', o.signal_limit,
        'overages', o.overages,
        'currency', o.currency,
        'months', (SELECT coalesce(json_agg(json_build_object('month', to_char(l.month, 'YYYY-MM'),
                'signals', l.signals, 'duplicates', l.duplicates) ORDER BY l.month DESC), '[]')
            FROM listed AS l),
        'next', CASE WHEN EXISTS (SELECT FROM used AS e WHERE e.month < first_month)
            THEN to_char(first_month, 'YYYY-MM') END)
    INTO result
    FROM sluice.organization AS o
    LEFT JOIN used AS u ON u.month = this_month
    WHERE o.id = organization_id;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.usage_of(bigint, date, integer) IS
    'An organization''s usage this month, with its limit and currency, and that of up to max_rows months, '
    'the latest first: those before the month of before, or this one and those before it; as a JSON '
    'object. next is the last of them while there is usage before it. Internal.';

CREATE OR REPLACE FUNCTION sluice.audit_of(organization_id bigint, before bigint, max_rows integer,
    match text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    before_id bigint := coalesce(before, 9223372036854775807);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT * FROM sluice.audit_log AS a
        WHERE a.organization_id = organization_id AND a.id < before_id
            AND (match IS NULL
                OR strpos(lower(concat_ws(E'\n', a.actor, a.action, a.object_id)), lower(match)) > 0)
            AND a.occurred_at >= coalesce(since, '-infinity')
            AND a.occurred_at < coalesce(until, 'infinity')
        ORDER BY a.id DESC
        LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.id DESC LIMIT max_rows
    )
    SELECT json_build_object(
        'entries', (SELECT coalesce(json_agg(json_build_object(
                'id', h.id,
                'occurred_at', sluice.timestamp_text(h.occurred_at),
                'actor', h.actor,
                'action', h.action,
                'object_kind', h.object_kind,
                'object_id', h.object_id,
                'details', h.details)
            ORDER BY h.id DESC), '[]') FROM hit AS h),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN (SELECT min(h.id) FROM hit AS h) END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.audit_of(bigint, bigint, integer, text, timestamptz, timestamptz) IS
    'An organization''s latest audit-log entries as a JSON object: up to max_rows with an id below '
    'before, with match in the actor, action or object (in whatever case), from since on and before '
    'until; what is null leaves all. Internal.';

CREATE OR REPLACE FUNCTION sluice.statistics(organization_name text, span text) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.statistics_of(sluice.organization_id_of(organization_name), span);
END
$$;
COMMENT ON FUNCTION sluice.statistics(text, text) IS
    'Like statistics_of, by the organization''s name. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.audit_entries(organization_name text, before bigint, max_rows integer,
    match text DEFAULT NULL, since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.audit_of(sluice.organization_id_of(organization_name), before, max_rows, match,
        since, until);
END
$$;
COMMENT ON FUNCTION sluice.audit_entries(text, bigint, integer, text, timestamptz, timestamptz) IS
    'Like audit_of, by the organization''s name. Raises P0002 if there is none.';

GRANT EXECUTE ON FUNCTION
    sluice.statistics(text, text),
    sluice.audit_entries(text, bigint, integer, text, timestamptz, timestamptz)
TO sluice_admin;

RESET ROLE;
