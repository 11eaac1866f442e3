-- Searching the signals of an organization over the whole retention, newest first. Each call works for
-- a limited time: it walks from the newest day to the oldest in spans that it makes longer while they
-- cost little, and says how far it came.
--
-- A filter is a JSON object whose members are texts:
--
--   identity        an email, a phone number, or any id of the signal, of its person or request
--   email, user_id, anonymous_id, message_id, request_id, source
--   event           the event's name or type
--   key             the id of a key
--   status          as in signal_staging, or cold_storage
--   from, until     when it was received: from then on; before then
--   text            is in the payload, in whatever case; needs from, or since
--   since           what an earlier answer called "live": only what has been stored since; with "-" and
--                   the snapshot of another, until that one

SET LOCAL ROLE sluice_owner;

-- ---- positions in the list, and moments to follow it from ----

CREATE OR REPLACE FUNCTION sluice.microseconds(moment timestamptz) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (extract(epoch FROM moment) * 1000000)::bigint;
END
$$;
COMMENT ON FUNCTION sluice.microseconds(timestamptz) IS 'Microseconds since 1970. Internal.';

CREATE OR REPLACE FUNCTION sluice.of_microseconds(n bigint) RETURNS timestamptz
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN timestamptz '1970-01-01 00:00:00+00' + n * interval '1 microsecond';
END
$$;
COMMENT ON FUNCTION sluice.of_microseconds(bigint) IS 'The inverse of microseconds. Internal.';

CREATE OR REPLACE FUNCTION sluice.read_since(since text, OUT received_from timestamptz,
    OUT earlier pg_snapshot, OUT later pg_snapshot)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A bulk import may be under way for minutes: its rows have the time at which it began.
    received_from := sluice.of_microseconds(split_part(since, '-', 1)::bigint) - interval '15 minutes';
    earlier := split_part(since, '-', 2)::pg_snapshot;
    later := coalesce(nullif(split_part(since, '-', 3), '')::pg_snapshot, sluice.seen());
EXCEPTION WHEN data_exception THEN
    RAISE EXCEPTION 'is not the "live" of an answer'
        USING ERRCODE = 'invalid_parameter_value', COLUMN = 'since';
END
$$;
COMMENT ON FUNCTION sluice.read_since(text) IS
    'Reads a moment to follow from. Raises 22023 for any other text. Internal.';

-- ---- a filter as SQL ----

CREATE OR REPLACE FUNCTION sluice.check_search(filter jsonb, members text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    from_at timestamptz;
    until_at timestamptz;
    place text := 'from';
    unknown constant text := (SELECT min(k) FROM jsonb_object_keys(filter) AS k WHERE k <> ALL (members));
    no_text constant text := (SELECT min(f.key) FROM jsonb_each(filter) AS f WHERE jsonb_typeof(f.value) <> 'string');
BEGIN
    from_at := (filter ->> 'from')::timestamptz;
    place := 'until';
    until_at := (filter ->> 'until')::timestamptz;
    IF from_at >= until_at THEN
        RAISE EXCEPTION 'is not after "from"' USING ERRCODE = 'invalid_parameter_value', COLUMN = 'until';
    ELSIF filter ? 'text' AND from_at IS NULL AND NOT filter ? 'since' THEN
        RAISE EXCEPTION 'needs a time from which on to search ("from")'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'text';
    ELSIF filter ->> 'key' !~ '^[0-9]{1,18}$' THEN
        RAISE EXCEPTION 'is not an id' USING ERRCODE = 'invalid_parameter_value', COLUMN = 'key';
    ELSIF filter ->> 'status' <> ALL (enum_range(NULL::sluice.staging_status)::text[] || text 'cold_storage') THEN
        RAISE EXCEPTION 'is not a status' USING ERRCODE = 'invalid_parameter_value', COLUMN = 'status';
    ELSIF filter ->> 'state' <> ALL (ARRAY['open', 'replayed', 'discarded']) THEN
        RAISE EXCEPTION 'is not a state' USING ERRCODE = 'invalid_parameter_value', COLUMN = 'state';
    ELSIF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'is not known here' USING ERRCODE = 'invalid_parameter_value', COLUMN = unknown;
    ELSIF no_text IS NOT NULL THEN
        RAISE EXCEPTION 'is not a text' USING ERRCODE = 'invalid_parameter_value', COLUMN = no_text;
    END IF;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RAISE EXCEPTION 'is not a timestamp' USING ERRCODE = 'invalid_parameter_value', COLUMN = place;
END
$$;
COMMENT ON FUNCTION sluice.check_search(jsonb, text[]) IS
    'Raises 22023 with the name of the member of a filter that cannot be used, in a list that takes these '
    'members. Internal.';

-- The statements of all lists have the span as $2 to $3, how many rows as $4, and the filter as $5.
CREATE OR REPLACE FUNCTION sluice.condition_of_columns(filter jsonb, columns text[]) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN coalesce((SELECT string_agg(format(' AND s.%I = %s', c, CASE c
                WHEN 'email' THEN 'lower($5 ->> ''email'')' ELSE format('$5 ->> %L', c) END), '')
            FROM unnest(columns) AS c
            WHERE filter ? c), '')
        || CASE WHEN filter ? 'key' THEN ' AND s.key_id = ($5 ->> ''key'')::bigint' ELSE '' END;
END
$$;
COMMENT ON FUNCTION sluice.condition_of_columns(jsonb, text[]) IS
    'What a filter asks of a row''s key and of those of these columns that it names, as SQL. Internal.';

CREATE OR REPLACE FUNCTION sluice.condition_of_identity(filter jsonb, columns text[], otherwise text DEFAULT NULL)
RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN CASE WHEN filter ? 'identity' THEN ' AND (' || (SELECT string_agg(format('s.%I = %s', c,
            CASE c WHEN 'email' THEN 'lower($5 ->> ''identity'')' ELSE '$5 ->> ''identity''' END), ' OR ')
            FROM unnest(columns) AS c)
        || CASE WHEN filter ->> 'identity' ~ '^[0-9]{1,18}$'
            THEN ' OR s.id = ($5 ->> ''identity'')::bigint' ELSE '' END
        || coalesce(' OR ' || otherwise, '') || ')' ELSE '' END;
END
$$;
COMMENT ON FUNCTION sluice.condition_of_identity(jsonb, text[], text) IS
    'What a filter''s identity asks of a row: that its id or one of these columns is it, or otherwise (SQL, or '
    'null), as SQL. Internal.';

CREATE OR REPLACE FUNCTION sluice.condition_of_payload(filter jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- As a reader writes it, or as JSON does.
    RETURN CASE WHEN filter ? 'text' THEN ' AND (strpos(lower(s.payload::text), lower($5 ->> ''text'')) > 0 OR '
        'strpos(lower(s.payload::text), lower(substr(($5 -> ''text'')::text, 2, length(($5 -> ''text'')::text) - 2))) '
        '> 0)' ELSE '' END;
END
$$;
COMMENT ON FUNCTION sluice.condition_of_payload(jsonb) IS
    'What a filter''s text asks of a row''s payload, as SQL. Internal.';

CREATE OR REPLACE FUNCTION sluice.condition_of_status(its_status text, entity text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result constant text := format('EXISTS (SELECT FROM sluice.%I AS r WHERE r.id = s.id '
        'AND r.organization_id = s.organization_id AND r.received_at = s.received_at '
        'AND r.received_at >= $2 AND r.received_at < $3', entity || '_result');
    queued constant text := format('EXISTS (SELECT FROM sluice.%I AS q WHERE q.id = s.id '
        'AND q.organization_id = s.organization_id AND ', entity || '_queue');
BEGIN
    RETURN CASE
        WHEN its_status IS NULL THEN ''
        WHEN its_status = 'pending' THEN ' AND NOT ' || result || ') AND NOT ' || queued
            || '(q.claim_id IS NOT NULL OR (q.last_failure).failed_at IS NOT NULL))'
        WHEN its_status = 'processing' THEN ' AND ' || queued || 'q.claim_id IS NOT NULL)'
        WHEN its_status = 'failed' THEN ' AND ' || queued
            || 'q.claim_id IS NULL AND (q.last_failure).failed_at IS NOT NULL)'
        ELSE format(' AND %s AND r.status = %L)', result, its_status) END;
END
$$;
COMMENT ON FUNCTION sluice.condition_of_status(text, text) IS
    'What a status (null: any) asks of a row of an entity, signal or product_org, as SQL that holds nothing '
    'of a filter''s values but the status. Internal.';

CREATE OR REPLACE FUNCTION sluice.search_condition(filter jsonb, cold boolean) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- $8 to $11: between_frontiers
    id_columns constant text[] := CASE WHEN cold THEN ARRAY['anonymous_id', 'message_id', 'request_id']
        ELSE ARRAY['email', 'user_id', 'anonymous_id', 'message_id', 'request_id', 'product_user_id', 'crm_id',
            'marketing_automation_id', 'phone'] END;
BEGIN
    RETURN sluice.condition_of_identity(filter, id_columns)
        || sluice.condition_of_columns(filter, ARRAY['email', 'user_id', 'anonymous_id', 'message_id', 'request_id',
            'source'])
        || CASE WHEN filter ? 'event'
            THEN ' AND $5 ->> ''event'' IN (s.event_name, s.event_type)' ELSE '' END
        || CASE WHEN filter ? 'since' THEN ' AND (s.stored_xact >= $8 AND s.stored_xact < $9 '
            'AND NOT s.stored_xact = ANY ($10) OR s.stored_xact = ANY ($11))' ELSE '' END
        || sluice.condition_of_payload(filter)
        || CASE WHEN cold THEN '' ELSE sluice.condition_of_status(filter ->> 'status', 'signal') END;
END
$$;
COMMENT ON FUNCTION sluice.search_condition(jsonb, boolean) IS
    'What a filter asks of a row s of signal or signal_cold_storage, as SQL that holds nothing of its '
    'values but a status. Internal.';

CREATE OR REPLACE FUNCTION sluice.search_statement(filter jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- $6 and $7: the row that the list goes on behind, or null; $12 and $13: the last
    -- one that may be looked at, or null; $14 and $15: the ids that are between them, in whose index
    -- they are found without all others of an import
    part constant text := '(SELECT s.id, s.received_at, %L::boolean AS cold FROM sluice.%I AS s '
        'WHERE s.organization_id = $1 AND s.received_at >= $2 AND s.received_at < $3 '
        'AND ($6::timestamptz IS NULL OR (s.received_at, s.id) < ($6, $7)) '
        'AND ($12::timestamptz IS NULL OR (s.received_at, s.id) >= ($12, $13) '
        'AND s.id BETWEEN $14 AND $15)%s '
        'ORDER BY s.received_at DESC, s.id DESC LIMIT $4)';
    is_cold constant boolean := filter ->> 'status' = 'cold_storage';
    parts text[] := ARRAY[]::text[];
BEGIN
    IF is_cold IS NOT TRUE THEN
        parts := parts || format(part, false, 'signal', sluice.search_condition(filter, false));
    END IF;
    -- Cold signals have neither email nor user id.
    IF coalesce(is_cold, true) AND NOT filter ?| ARRAY['email', 'user_id'] THEN
        parts := parts || format(part, true, 'signal_cold_storage', sluice.search_condition(filter, true));
    END IF;
    RETURN 'SELECT array_agg(f.id ORDER BY f.received_at DESC, f.id DESC), '
        'array_agg(f.received_at ORDER BY f.received_at DESC, f.id DESC), '
        'array_agg(f.cold ORDER BY f.received_at DESC, f.id DESC) FROM (SELECT * FROM ('
        || coalesce(nullif(array_to_string(parts, ' UNION ALL '), ''),
            'SELECT 0::bigint AS id, now() AS received_at, false AS cold LIMIT 0')
        || ') AS u ORDER BY received_at DESC, id DESC LIMIT $4) AS f';
END
$$;
COMMENT ON FUNCTION sluice.search_statement(jsonb) IS
    'The query for the rows of one span that a filter lets through. Internal.';

-- An import is stored with one time, so that no span divides it; and a text is sought in each payload.
CREATE OR REPLACE FUNCTION sluice.search_last(organization_id bigint, lower_bound timestamptz, upper_bound timestamptz,
    after_at timestamptz, after_id bigint, OUT last_at timestamptz, OUT last_id bigint, OUT lowest_id bigint,
    OUT highest_id bigint)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    row_limit constant integer := 25000;
    byte_limit constant integer := 4000000; -- as they are stored
BEGIN
    SELECT b.received_at, b.id, b.lowest, b.highest INTO last_at, last_id, lowest_id, highest_id
    FROM (SELECT u.received_at, u.id, row_number() OVER newest AS place, sum(u.bytes) OVER newest AS bytes,
            min(u.id) OVER newest AS lowest, max(u.id) OVER newest AS highest
        FROM ((SELECT s.received_at, s.id, pg_column_size(s.payload) AS bytes FROM sluice.signal AS s
                WHERE s.organization_id = organization_id AND s.received_at >= lower_bound
                    AND s.received_at < upper_bound
                    AND (after_at IS NULL OR (s.received_at, s.id) < (after_at, after_id))
                ORDER BY s.received_at DESC, s.id DESC LIMIT row_limit)
            UNION ALL
            (SELECT s.received_at, s.id, pg_column_size(s.payload) FROM sluice.signal_cold_storage AS s
                WHERE s.organization_id = organization_id AND s.received_at >= lower_bound
                    AND s.received_at < upper_bound
                    AND (after_at IS NULL OR (s.received_at, s.id) < (after_at, after_id))
                ORDER BY s.received_at DESC, s.id DESC LIMIT row_limit)) AS u
        WINDOW newest AS (ORDER BY u.received_at DESC, u.id DESC)) AS b
    WHERE b.place >= row_limit OR b.bytes >= byte_limit
    ORDER BY b.received_at DESC, b.id DESC
    LIMIT 1;
END
$$;
COMMENT ON FUNCTION sluice.search_last(bigint, timestamptz, timestamptz, timestamptz, bigint) IS
    'The last signal of a span, behind another or null, whose payload may be read in one step, and the lowest '
    'and highest id of those that are; null: all of them may. Internal.';

-- ---- the walk ----

CREATE OR REPLACE FUNCTION sluice.search_days(filter jsonb, OUT by_index boolean, OUT starts timestamptz[],
    OUT longest interval[])
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    -- How many pages a span without an index may read, some of them with large values elsewhere.
    page_limit constant float8 := CASE WHEN filter ? 'text' THEN 400 ELSE 3000 END;
BEGIN
    by_index := filter ?| ARRAY['identity', 'email', 'user_id', 'anonymous_id', 'message_id', 'request_id'];
    SELECT array_agg(d.lower_bound ORDER BY d.lower_bound DESC), array_agg(least(interval '1 day',
        interval '1 day' * (page_limit / greatest(1, d.pages))) ORDER BY d.lower_bound DESC)
    INTO starts, longest
    FROM (SELECT b.lower_bound, sum(CASE WHEN by_index AND to_regclass(format('sluice.%I',
                b.partition_name || '_request_id_day')) IS NOT NULL THEN 0
            ELSE pg_relation_size(b.partition) / 8192 END) AS pages
        FROM sluice.partition_bounds() AS b
        WHERE b.table_name IN ('signal', 'signal_cold_storage') AND b.lower_bound <= now()
        GROUP BY b.lower_bound) AS d;
END
$$;
COMMENT ON FUNCTION sluice.search_days(jsonb) IS
    'Whether a filter is answered by the indexes of days that are over; the starts of the days of the '
    'signals'' tables, latest first; and the longest span in each that can be searched with this '
    'filter at once. Internal.';

-- The planner takes the rows of a span to lie all over the partition, where they lie together: with
-- many of them it would rather read all.
CREATE OR REPLACE FUNCTION sluice.signals_found(organization_id bigint, filter jsonb, before text, max_rows integer,
    budget interval, OUT ids bigint[], OUT times timestamptz[], OUT cold boolean[], OUT next text,
    OUT searched_until timestamptz)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET jit = off SET enable_seqscan = off AS $$
DECLARE
    started constant timestamptz := clock_timestamp();
    statement constant text := sluice.search_statement(filter);
    days constant record := sluice.search_days(filter);
    since constant record := sluice.read_since(filter ->> 'since');
    new constant record := sluice.between_frontiers(since.earlier, since.later);
    lowest constant timestamptz := greatest((filter ->> 'from')::timestamptz, since.received_from,
        '-infinity');
    reads_payloads constant boolean := filter ? 'text' AND NOT days.by_index;
    after_at timestamptz := sluice.of_microseconds(split_part(before, '-', 1)::bigint);
    after_id bigint := split_part(before, '-', 2)::bigint;
    last record; -- the last row that a step may look at; null: the span's last one
    upper_bound timestamptz := least((filter ->> 'until')::timestamptz,
        after_at + CASE after_id WHEN 0 THEN interval '0' ELSE interval '1 microsecond' END, 'infinity');
    lower_bound timestamptz;
    -- Filters find little, and where the last call has ended was little.
    span interval := CASE WHEN days.by_index OR after_id = 0 THEN interval '1 day'
        WHEN filter = '{}' THEN interval '1 minute' ELSE interval '1 hour' END;
    day integer := 1;
    began timestamptz;
    took interval;
    more_ids bigint[];
    more_times timestamptz[];
    more_cold boolean[];
BEGIN
    ids := '{}'; times := '{}'; cold := '{}';
    LOOP
        -- The newest day that begins before the bound; null: there is none.
        WHILE days.starts[day] >= upper_bound LOOP
            day := day + 1;
        END LOOP;
        lower_bound := greatest(least(upper_bound, now()) - least(span, days.longest[day]), days.starts[day]);
        IF days.starts[day] IS NULL OR lower_bound <= lowest THEN
            lower_bound := lowest;
        END IF;
        began := clock_timestamp();
        SELECT l.* INTO last FROM sluice.search_last(organization_id, lower_bound, upper_bound,
            after_at, after_id) AS l WHERE reads_payloads;
        EXECUTE statement INTO more_ids, more_times, more_cold
        USING organization_id, lower_bound, upper_bound, max_rows + 1 - cardinality(ids), filter, after_at, after_id,
            new.since, new.until, new.still_open, new.late, last.last_at, last.last_id, last.lowest_id,
            last.highest_id;
        ids := ids || more_ids; times := times || more_times; cold := cold || more_cold;
        IF cardinality(ids) > max_rows THEN
            ids := ids[:max_rows]; times := times[:max_rows]; cold := cold[:max_rows];
            searched_until := times[max_rows];
            next := sluice.microseconds(searched_until) || '-' || ids[max_rows];
            RETURN;
        END IF;
        EXIT WHEN lower_bound = lowest AND last.last_at IS NULL;
        IF last.last_at IS NULL THEN
            upper_bound := lower_bound;
        ELSE
            after_at := last.last_at; after_id := last.last_id;
            upper_bound := after_at + interval '1 microsecond';
        END IF;
        took := clock_timestamp() - began;
        -- Also if another step as long as this one would be too much.
        IF clock_timestamp() + took >= started + budget THEN
            searched_until := coalesce(last.last_at, lower_bound);
            next := sluice.microseconds(searched_until) || '-' || coalesce(last.last_id, 0);
            RETURN;
        END IF;
        span := CASE
            WHEN took < interval '25 milliseconds' THEN least(span * 4, interval '1 day')
            WHEN took > interval '100 milliseconds' THEN greatest(span / 4, interval '1 second')
            ELSE span END;
    END LOOP;
END
$$;
COMMENT ON FUNCTION sluice.signals_found(bigint, jsonb, text, integer, interval) IS
    'The first rows, up to max_rows, that a filter lets through, newest first, behind the "next" of an '
    'earlier call. When the budget is used up it stops after a step: next is where to go on, and '
    'what was received since searched_until has been searched. next is null when nothing is left. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.signals_of(organization_id bigint, filter jsonb, before text, max_rows integer,
    whole boolean DEFAULT false, budget interval DEFAULT '400 milliseconds') RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    hits record;
    rows json := json '[]';
BEGIN
    PERFORM sluice.check_search(filter, ARRAY['identity', 'email', 'user_id', 'anonymous_id', 'message_id',
        'request_id', 'source', 'event', 'key', 'status', 'from', 'until', 'text', 'since']);
    IF before !~ '^[0-9]{1,16}-[0-9]{1,18}$' THEN
        RAISE EXCEPTION 'is not the "next" of an answer'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'before';
    END IF;
    hits := sluice.signals_found(organization_id, filter, before, max_rows, budget);
    IF cardinality(hits.ids) > 0 THEN
        WITH hit AS MATERIALIZED (
            SELECT h.id, h.received_at, h.cold
            FROM unnest(hits.ids, hits.times, hits.cold) AS h (id, received_at, cold)
        ), full_row AS (
            SELECT f.*
            FROM hit AS h
            CROSS JOIN LATERAL (
                SELECT s.id, s.received_at, s.occurred_at, s.source, s.event_type, s.event_name, s.email, s.user_id,
                    s.anonymous_id, s.message_id, s.status::text AS status, s.error, s.key_id, s.request_id, s.payload
                FROM sluice.signal_staging AS s
                WHERE NOT h.cold AND s.organization_id = organization_id AND s.id = h.id
                    AND s.received_at = h.received_at
                UNION ALL
                SELECT c.id, c.received_at, c.occurred_at, c.source, c.event_type, c.event_name, c.email, c.user_id,
                    c.anonymous_id, c.message_id, 'cold_storage', NULL, c.key_id, c.request_id, c.payload
                FROM sluice.signal_cold_storage AS c
                WHERE h.cold AND c.organization_id = organization_id AND c.id = h.id
                    AND c.received_at = h.received_at
            ) AS f
        )
        SELECT json_agg(json_build_object(
                'id', f.id,
                'received_at', sluice.timestamp_text(f.received_at),
                'occurred_at', sluice.timestamp_text(f.occurred_at),
                'source', f.source,
                'event_type', f.event_type,
                'event_name', f.event_name,
                'email', f.email,
                'user_id', f.user_id,
                'anonymous_id', f.anonymous_id,
                'message_id', f.message_id,
                'status', f.status,
                'error', f.error,
                'key_id', f.key_id,
                'key_name', k.name,
                'request_id', f.request_id,
                'payload_bytes', octet_length(f.payload::text),
                'payload', CASE WHEN whole THEN f.payload::json ELSE sluice.shown(f.payload) END)
            ORDER BY f.received_at DESC, f.id DESC)
        INTO rows
        FROM full_row AS f
        LEFT JOIN sluice.api_key AS k ON k.id = f.key_id;
    END IF;
    RETURN json_build_object(
        'signals', rows,
        'next', hits.next,
        'searched_until', sluice.timestamp_text(hits.searched_until),
        'live', sluice.microseconds(now()) || '-' || sluice.seen());
END
$$;
COMMENT ON FUNCTION sluice.signals_of(bigint, jsonb, text, integer, boolean, interval) IS
    'An organization''s signals, staged and cold, that a filter lets through, as a JSON object: up to '
    'max_rows, newest first, behind the "next" of an earlier answer. With "next", there may be more: '
    'so far what was received since searched_until has been searched. live is what a later filter '
    'may have as its since. Unless whole, payloads over 64 KiB are null. Raises 22023 for a filter '
    'that cannot be used. Internal.';

CREATE OR REPLACE FUNCTION sluice.settings_signals(user_name text, organization_id bigint, filter jsonb, before text,
    max_rows integer, whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.signals_of(sluice.membership(user_name, organization_id, 'viewer'), filter, before,
        least(max_rows, 100), coalesce(whole, false));
END
$$;
COMMENT ON FUNCTION sluice.settings_signals(text, bigint, jsonb, text, integer, boolean) IS
    'Like signals_of, at most 100. For all members. Raises as signals_of and membership do.';

CREATE OR REPLACE FUNCTION sluice.signals_search(organization_name text, filter jsonb, before text, max_rows integer,
    whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.signals_of(sluice.organization_id_of(organization_name), filter, before, max_rows,
        coalesce(whole, false), interval '10 seconds');
END
$$;
COMMENT ON FUNCTION sluice.signals_search(text, jsonb, text, integer, boolean) IS
    'Like signals_of, by the organization''s name, for up to ten seconds. Raises P0002 if there is none.';

GRANT EXECUTE ON FUNCTION sluice.settings_signals(text, bigint, jsonb, text, integer, boolean) TO sluice_settings;
GRANT EXECUTE ON FUNCTION sluice.signals_search(text, jsonb, text, integer, boolean) TO sluice_admin;

RESET ROLE;
