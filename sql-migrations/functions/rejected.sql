-- Listing, replaying and discarding rejected payloads, for the tool and for the settings service.
--
-- SQLSTATE SL004: it was replayed or discarded before. SL006: the organization is at its limit.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.rejected_show(id bigint) RETURNS sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.rejected_overview;
BEGIN
    SELECT * INTO result FROM sluice.rejected_overview AS v WHERE v.id = rejected_show.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_show.id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejected_show(bigint) IS
    'One rejected payload, as in rejected_overview. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.rejected_bytes(id bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result bytea;
BEGIN
    SELECT r.payload INTO result
    FROM sluice.rejected_payload AS r
    WHERE r.id = rejected_bytes.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_bytes.id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejected_bytes(bigint) IS
    'The stored bytes of a rejected payload. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.reject_why(kind text, code text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    it constant text := CASE WHEN kind IS NULL THEN 'It' WHEN kind = 'item' THEN 'The item'
        ELSE 'The body' END;
BEGIN
    RETURN CASE reject_why.code
        WHEN 'malformed_json' THEN it || ' is not valid JSON'
        WHEN 'not_an_object' THEN it || ' is not a JSON object'
        WHEN 'item_too_large' THEN it || ' is larger than one item may be'
        WHEN 'nesting_too_deep' THEN it || ' nests arrays and objects too deeply'
        WHEN 'number_too_large' THEN it || ' has a number of more digits than can be stored'
        WHEN 'invalid_value' THEN it || ' has a value that the database does not take'
        WHEN 'not_a_batch' THEN it || ' has no array of items'
        WHEN 'too_many_items' THEN it || ' has more items than one request may have'
        WHEN 'body_too_large' THEN it || ' is larger than one request may be'
        WHEN 'malformed_coding' THEN it || ' is compressed, and is damaged or ends too early'
        WHEN 'unsupported_coding' THEN it || ' is compressed in a way that is not supported'
        WHEN 'unsupported_media_type' THEN it || ' is neither JSON nor a form without files'
        WHEN 'missing_product_org_id' THEN
            it || ' has no product org id where the key''s payload template looks for it'
        ELSE it || ' was refused: ' || code
    END;
END
$$;
COMMENT ON FUNCTION sluice.reject_why(text, text) IS
    'Why a payload of a kind (null: of several) was rejected with a code, in words for whoever is to '
    'repair it. Internal.';

CREATE OR REPLACE FUNCTION sluice.rejected_reason(id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result json;
BEGIN
    SELECT json_build_object('why', sluice.reject_why(r.kind, r.code),
        'place', sluice.place_in(r.payload, r.bad_byte))
    INTO result
    FROM sluice.rejected_payload AS r
    WHERE r.id = rejected_reason.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_reason.id
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejected_reason(bigint) IS
    'Why a payload was rejected, as a JSON object: why, in words, and place, where, as place_in says '
    'it; that is null if it is not known, or behind what is kept. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.rejected_place(bytes bytea, bad_byte bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.place_in(bytes, bad_byte);
END
$$;
COMMENT ON FUNCTION sluice.rejected_place(bytea, bigint) IS
    'The place in bytes that are not kept, such as edited ones, as place_in says it.';

CREATE OR REPLACE FUNCTION sluice.rejected_list(organization_name text, since timestamptz,
    key_id bigint DEFAULT NULL, code text DEFAULT NULL, state text DEFAULT NULL)
RETURNS SETOF sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF organization_name IS NOT NULL THEN
        PERFORM sluice.organization_id_of(organization_name);
    END IF;
    RETURN QUERY
    SELECT * FROM sluice.rejected_overview AS v
    WHERE (organization_name IS NULL OR v.organization = organization_name)
        AND v.received_at >= coalesce(since, '-infinity')
        AND (rejected_list.key_id IS NULL OR v.key_id = rejected_list.key_id)
        AND (rejected_list.code IS NULL OR v.code = rejected_list.code)
        AND (rejected_list.state IS NULL OR v.state = rejected_list.state)
    ORDER BY v.received_at, v.id;
END
$$;
COMMENT ON FUNCTION sluice.rejected_list(text, timestamptz, bigint, text, text) IS
    'The rejected payloads of an organization (null: of all) received since a time (null: ever), '
    'as in rejected_overview, oldest first; of one key, code or state where these are not null. '
    'Raises P0002 for an unknown organization.';

CREATE OR REPLACE FUNCTION sluice.rejected_try(id bigint, again boolean, ahead bigint DEFAULT 0)
RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
BEGIN
    SELECT r.organization_id, r.replayed_by, r.discarded_by INTO entry
    FROM sluice.rejected_payload AS r
    WHERE r.id = rejected_try.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_try.id
            USING ERRCODE = 'no_data_found';
    ELSIF entry.replayed_by IS NOT NULL AND again IS NOT TRUE THEN
        RAISE EXCEPTION 'rejected payload % was replayed already, by %', rejected_try.id,
            entry.replayed_by USING ERRCODE = 'SL004';
    ELSIF entry.discarded_by IS NOT NULL AND again IS NOT TRUE THEN
        RAISE EXCEPTION 'rejected payload % was discarded, by %', rejected_try.id,
            entry.discarded_by USING ERRCODE = 'SL004';
    END IF;
    PERFORM FROM sluice.organization AS o
    WHERE o.id = entry.organization_id AND o.signal_limit > 0 AND NOT o.overages
        AND sluice.signals_of_month(o.id) + ahead >= o.signal_limit;
    IF FOUND THEN
        RAISE EXCEPTION 'the organization has used up its signals of the month'
            USING ERRCODE = 'SL006', HINT = 'have the limit raised or overages allowed';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.rejected_try(bigint, boolean, bigint) IS
    'What rejected_replay checks before it stores the items of a rejected payload: raises P0002 if '
    'there is none, SL004 if it was replayed or discarded before, unless again, and SL006 if the '
    'organization is at its limit, or would be with so many signals ahead of it.';

CREATE OR REPLACE FUNCTION sluice.rejected_replay(actor text, id bigint, again boolean,
    signals sluice.intake_signal[], product_orgs sluice.intake_product_org[],
    envelopes jsonb[] DEFAULT NULL, edited boolean DEFAULT false) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
    stored sluice.stored_items;
    at_ constant timestamptz := clock_timestamp();
    remark jsonb; -- for what is stored of edited bytes
BEGIN
    PERFORM sluice.check_name('actor', actor);
    IF coalesce(cardinality(signals), 0) + coalesce(cardinality(product_orgs), 0) = 0 THEN
        RAISE EXCEPTION 'there is no signal to store' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    SELECT r.organization_id, r.received_at, r.key_id, r.request_id, r.replayed_at INTO entry
    FROM sluice.rejected_payload AS r
    WHERE r.id = rejected_replay.id
    FOR UPDATE;
    PERFORM sluice.rejected_try(rejected_replay.id, again);
    IF edited THEN
        remark := jsonb_build_array(jsonb_build_object('field', 'payload', 'reason',
            'was edited by ' || actor || ' before it was replayed'));
    END IF;
    -- Without a timestamp, they happened when they were received, not when they are replayed.
    FOR i IN 1 .. coalesce(cardinality(signals), 0) LOOP
        signals[i].sender := 1;
        signals[i].request_id := entry.request_id;
        signals[i].occurred_at := coalesce(signals[i].occurred_at, entry.received_at);
        signals[i].warnings := coalesce(signals[i].warnings || remark, signals[i].warnings, remark);
    END LOOP;
    FOR i IN 1 .. coalesce(cardinality(product_orgs), 0) LOOP
        product_orgs[i].sender := 1;
        product_orgs[i].request_id := entry.request_id;
        product_orgs[i].warnings := coalesce(product_orgs[i].warnings || remark,
            product_orgs[i].warnings, remark);
    END LOOP;
    SELECT s.* INTO stored
    FROM sluice.api_key AS k
    CROSS JOIN LATERAL sluice.store_items('{accepted}', ARRAY[k.organization_id], ARRAY[k.id],
        ARRAY[coalesce(k.delivery_scope, k.id)],
        sluice.with_own_ids(signals, ARRAY[k.delivery_id_member]),
        sluice.with_own_ids(product_orgs, ARRAY[k.delivery_id_member]), envelopes, false) AS s
    WHERE k.id = entry.key_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % does not exist', entry.key_id USING ERRCODE = 'no_data_found';
    END IF;
    UPDATE sluice.rejected_payload AS r
    SET replayed_at = at_, replayed_by = actor, discarded_at = NULL, discarded_by = NULL,
        replayed_ids = coalesce(r.replayed_ids, '{}') || stored.ids
    WHERE r.organization_id = entry.organization_id AND r.id = rejected_replay.id
        AND r.received_at = entry.received_at;
    PERFORM sluice.audit(actor, entry.organization_id, 'rejected_replay', 'rejected_payload',
        rejected_replay.id::text, jsonb_build_object('signals', cardinality(stored.ids),
            'duplicates', (SELECT count(*) FROM unnest(stored.repeated) AS u (it) WHERE u.it),
            'again', entry.replayed_at IS NOT NULL, 'edited', edited IS TRUE));
    RETURN stored.ids;
END
$$;
COMMENT ON FUNCTION sluice.rejected_replay(text, bigint, boolean, sluice.intake_signal[],
    sluice.intake_product_org[], jsonb[], boolean) IS
    'Stores the items that were read from a rejected payload, with its organization, key and '
    'request id, even if the key is no longer valid; marks the payload as replayed and returns the '
    'ids. A repeat returns the id of the first delivery. again: replay it even if it was replayed '
    'or discarded before. Items and envelopes are as for intake; a null occurred_at means the original time of '
    'receipt. edited: the items are not of the bytes that are kept, which a warning at each says. '
    'Raises as rejected_try does, P0002 also if its key is gone, and 22023 without items.';

CREATE OR REPLACE FUNCTION sluice.rejected_discard(actor text, id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    entry record;
    at_ timestamptz := clock_timestamp();
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT r.organization_id, r.received_at, r.code, r.replayed_by, r.discarded_by INTO entry
    FROM sluice.rejected_payload AS r
    WHERE r.id = rejected_discard.id
    FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', rejected_discard.id
            USING ERRCODE = 'no_data_found';
    ELSIF entry.replayed_by IS NOT NULL THEN
        RAISE EXCEPTION 'rejected payload % was replayed already, by %', rejected_discard.id,
            entry.replayed_by USING ERRCODE = 'SL004';
    ELSIF entry.discarded_by IS NOT NULL THEN
        RAISE EXCEPTION 'rejected payload % was discarded already, by %', rejected_discard.id,
            entry.discarded_by USING ERRCODE = 'SL004';
    END IF;
    UPDATE sluice.rejected_payload AS r
    SET discarded_at = at_, discarded_by = actor
    WHERE r.organization_id = entry.organization_id AND r.id = rejected_discard.id
        AND r.received_at = entry.received_at;
    PERFORM sluice.audit(actor, entry.organization_id, 'rejected_discard', 'rejected_payload',
        rejected_discard.id::text, jsonb_build_object('code', entry.code));
END
$$;
COMMENT ON FUNCTION sluice.rejected_discard(text, bigint) IS
    'Marks a rejected payload as not needed: it is no longer open, and is not replayed unless asked '
    'to again. Its bytes stay until the retention is over. Raises P0002 if there is none, SL004 if '
    'it was replayed or discarded before.';

-- ---- for the settings service ----

CREATE OR REPLACE FUNCTION sluice.check_reject_of(user_name text, organization_id bigint, id bigint)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    PERFORM FROM sluice.rejected_payload AS r
    WHERE r.organization_id = its_id AND r.id = check_reject_of.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'rejected payload % does not exist', check_reject_of.id
            USING ERRCODE = 'no_data_found';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_reject_of(text, bigint, bigint) IS
    'Raises P0002 unless the organization has this rejected payload, and as membership does for '
    'whoever is not an editor, admin or owner. Internal.';

CREATE OR REPLACE FUNCTION sluice.settings_reject(user_name text, organization_id bigint, id bigint)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    PERFORM sluice.check_reject_of(user_name, its_id, settings_reject.id);
    RETURN (SELECT sluice.rejects_shown(ARRAY[r.id], ARRAY[r.received_at], false)->0
        FROM sluice.rejected_payload AS r
        WHERE r.organization_id = its_id AND r.id = settings_reject.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_reject(text, bigint, bigint) IS
    'One rejected payload as in rejects_shown. For editors, admins and owners. Raises P0002 if there is '
    'none, and as membership does.';

CREATE OR REPLACE FUNCTION sluice.read_kind_next(next text) RETURNS bigint[]
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    place constant text[] := regexp_match(next, '^(\d{1,18})-(\d{1,18})-(\d{1,18})$');
BEGIN
    IF next IS NOT NULL AND place IS NULL THEN
        RAISE EXCEPTION 'is not the "next" of an answer'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'before';
    END IF;
    RETURN place::bigint[];
END
$$;
COMMENT ON FUNCTION sluice.read_kind_next(text) IS
    'The numbers in a "next" of reject_kinds_of; null for null. Raises 22023 for any other '
    'text. Internal.';

-- The following parts count what the first one has counted: what is rejected meanwhile would move
-- a kind up, and one that nobody has seen yet would be left out.
CREATE OR REPLACE FUNCTION sluice.reject_kinds_of(organization_id bigint, before text,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    -- The latest id of the first part; how many of the last kind are open, and their latest id.
    place constant bigint[] := coalesce(sluice.read_kind_next(before),
        array_fill(9223372036854775807, ARRAY[3]));
    result json;
BEGIN
    WITH kind AS MATERIALIZED (
        SELECT r.code, r.key_id, count(*) AS open, max(r.id) AS until,
            max(r.received_at) AS last_at, count(*) FILTER (WHERE r.kind = 'item') AS items
        FROM sluice.rejected_payload AS r
        WHERE r.organization_id = organization_id AND r.replayed_at IS NULL
            AND r.discarded_at IS NULL AND r.id <= place[1]
        GROUP BY r.code, r.key_id
    ), looked AS MATERIALIZED (
        SELECT * FROM kind AS k WHERE (k.open, k.until) < (place[2], place[3])
        ORDER BY k.open DESC, k.until DESC LIMIT max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.open DESC, l.until DESC LIMIT max_rows
    )
    SELECT json_build_object(
        'kinds', (SELECT coalesce(json_agg(json_build_object(
                'code', h.code,
                'why', sluice.reject_why(CASE WHEN h.items = h.open THEN 'item'
                    WHEN h.items = 0 THEN 'single' END, h.code),
                'key_id', h.key_id,
                'key_name', k.name,
                'key_status', k.status,
                'open', h.open,
                'until', h.until,
                'last_at', sluice.timestamp_text(h.last_at))
            ORDER BY h.open DESC, h.until DESC), '[]')
            FROM hit AS h LEFT JOIN sluice.key_overview AS k ON k.id = h.key_id),
        'next', CASE WHEN (SELECT count(*) FROM looked) > max_rows
            THEN (SELECT concat_ws('-', least(place[1], (SELECT max(k.until) FROM kind AS k)),
                h.open, h.until) FROM hit AS h ORDER BY h.open, h.until LIMIT 1) END)
    INTO result;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.reject_kinds_of(bigint, text, integer) IS
    'An organization''s open rejected payloads counted by reason and key, the most frequent kinds '
    'first, each with the latest id, as a JSON object: up to max_rows behind those of the part whose '
    'next is before; what is null leaves all. Raises as read_kind_next does. Internal.';

CREATE OR REPLACE FUNCTION sluice.reject_kinds(organization_name text, before text,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.reject_kinds_of(sluice.organization_id_of(organization_name), before, max_rows);
END
$$;
COMMENT ON FUNCTION sluice.reject_kinds(text, text, integer) IS
    'Like reject_kinds_of, by the organization''s name. Raises P0002 if there is none.';

CREATE OR REPLACE FUNCTION sluice.settings_reject_kinds(user_name text, organization_id bigint,
    before text DEFAULT NULL, max_rows integer DEFAULT 100) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.reject_kinds_of(sluice.membership(user_name, organization_id, 'viewer'), before,
        least(max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_reject_kinds(text, bigint, text, integer) IS
    'Like reject_kinds_of, at most 100. For all members. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_show(user_name text, organization_id bigint,
    id bigint) RETURNS sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_reject_of(user_name, organization_id, settings_rejected_show.id);
    RETURN sluice.rejected_show(settings_rejected_show.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_show(text, bigint, bigint) IS
    'Like rejected_show. For editors, admins and owners. Raises as check_reject_of does.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_bytes(user_name text, organization_id bigint,
    id bigint) RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_reject_of(user_name, organization_id, settings_rejected_bytes.id);
    RETURN sluice.rejected_bytes(settings_rejected_bytes.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_bytes(text, bigint, bigint) IS
    'Like rejected_bytes. For editors, admins and owners. Raises as check_reject_of does.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_place(user_name text, organization_id bigint,
    bytes bytea, bad_byte bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.membership(user_name, organization_id, 'editor');
    RETURN sluice.place_in(bytes, bad_byte);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_place(text, bigint, bytea, bigint) IS
    'Like rejected_place. For editors, admins and owners. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_kind(user_name text, organization_id bigint,
    code text, key_id bigint, after bigint, until bigint, max_rows integer)
RETURNS SETOF sluice.rejected_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    RETURN QUERY
    SELECT v.* FROM sluice.rejected_payload AS r
    JOIN sluice.rejected_overview AS v ON v.id = r.id AND v.received_at = r.received_at
    WHERE r.organization_id = its_id AND r.code = settings_rejected_kind.code
        AND r.key_id = settings_rejected_kind.key_id
        AND r.id > coalesce(settings_rejected_kind.after, 0) AND r.id <= settings_rejected_kind.until
        AND r.replayed_at IS NULL AND r.discarded_at IS NULL
    ORDER BY r.id LIMIT settings_rejected_kind.max_rows;
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_kind(text, bigint, text, bigint, bigint, bigint, integer) IS
    'The open rejected payloads with a code and a key, as in rejected_overview, the oldest first: at '
    'most max_rows with an id above after, up to until. For editors, admins and owners. Raises as '
    'membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_try(user_name text, organization_id bigint,
    id bigint) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_reject_of(user_name, organization_id, settings_rejected_try.id);
    PERFORM sluice.rejected_try(settings_rejected_try.id, true);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_try(text, bigint, bigint) IS
    'Like rejected_try with again: for editors, admins and owners. Raises as rejected_try and '
    'check_reject_of do.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_replay(user_name text, organization_id bigint,
    id bigint, again boolean, signals sluice.intake_signal[],
    product_orgs sluice.intake_product_org[], envelopes jsonb[], edited boolean) RETURNS bigint[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_reject_of(user_name, organization_id, settings_rejected_replay.id);
    RETURN sluice.rejected_replay(user_name, settings_rejected_replay.id, again, signals,
        product_orgs, envelopes, edited);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_replay(text, bigint, bigint, boolean,
    sluice.intake_signal[], sluice.intake_product_org[], jsonb[], boolean) IS
    'Like rejected_replay. For editors, admins and owners. Raises as rejected_replay and '
    'check_reject_of do.';

CREATE OR REPLACE FUNCTION sluice.settings_rejected_discard(user_name text, organization_id bigint,
    id bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_reject_of(user_name, organization_id, settings_rejected_discard.id);
    PERFORM sluice.rejected_discard(user_name, settings_rejected_discard.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_rejected_discard(text, bigint, bigint) IS
    'Like rejected_discard. For editors, admins and owners. Raises as rejected_discard and '
    'check_reject_of do.';

GRANT EXECUTE ON FUNCTION
    sluice.rejected_discard(text, bigint),
    sluice.rejected_list(text, timestamptz, bigint, text, text),
    sluice.reject_kinds(text, text, integer),
    sluice.rejected_show(bigint),
    sluice.rejected_bytes(bigint),
    sluice.rejected_reason(bigint),
    sluice.rejected_place(bytea, bigint),
    sluice.rejected_try(bigint, boolean, bigint),
    sluice.rejected_replay(text, bigint, boolean, sluice.intake_signal[],
        sluice.intake_product_org[], jsonb[], boolean)
TO sluice_admin;

GRANT EXECUTE ON FUNCTION
    sluice.settings_reject(text, bigint, bigint),
    sluice.settings_reject_kinds(text, bigint, text, integer),
    sluice.settings_rejected_show(text, bigint, bigint),
    sluice.settings_rejected_bytes(text, bigint, bigint),
    sluice.settings_rejected_place(text, bigint, bytea, bigint),
    sluice.settings_rejected_kind(text, bigint, text, bigint, bigint, bigint, integer),
    sluice.settings_rejected_try(text, bigint, bigint),
    sluice.settings_rejected_replay(text, bigint, bigint, boolean, sluice.intake_signal[],
        sluice.intake_product_org[], jsonb[], boolean),
    sluice.settings_rejected_discard(text, bigint, bigint)
TO sluice_settings;

RESET ROLE;
