-- Searching rejected payloads (search_by_id.sql).
--
-- A filter is a JSON object whose members are texts:
--
--   identity        the id of the rejected payload or of its request; or an email or id that stands whole
--                   in the kept bytes, not as a part of a longer one
--   request_id, source, code
--   key             the id of a key
--   state           open, replayed or discarded
--   from, until     when it was received: from then on; before then
--   text            is in the kept bytes; needs from
--
-- What is sought in bytes is found in either case of its ASCII letters; other letters as they are given, all
-- small, all capital, or capital where a word begins.

SET LOCAL ROLE sluice_owner;

-- ---- bytes ----

CREATE OR REPLACE FUNCTION sluice.searchable(bytes bytea) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- A character for each byte. There is none for 0, which no text has either; with \134 for the
    -- backslash itself, each backslash begins the code of a byte.
    IF position('\x00'::bytea IN bytes) > 0 THEN
        bytes := decode(replace(replace(encode(bytes, 'escape'), '\\', '\134'), '\000', '\001'), 'escape');
    END IF;
    RETURN lower(convert_from(bytes, 'LATIN1') COLLATE "C");
END
$$;
COMMENT ON FUNCTION sluice.searchable(bytea) IS
    'Bytes, whatever they are, as text in which the same of another text is sought; ASCII letters are '
    'small. Internal.';

CREATE OR REPLACE FUNCTION sluice.spellings_of(sought text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT DISTINCT unnest(ARRAY[c, substr(to_json(c)::text, 2, length(to_json(c)::text) - 2)])
        FROM unnest(ARRAY[sought, lower(sought), upper(sought), initcap(sought)]) AS c);
END
$$;
COMMENT ON FUNCTION sluice.spellings_of(text) IS
    'A text as it is given, small, capital, and capital where a word begins, each also as JSON writes it. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.spellings(sought text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT sluice.searchable(convert_to(s, 'UTF8')) FROM unnest(sluice.spellings_of(sought)) AS s);
END
$$;
COMMENT ON FUNCTION sluice.spellings(text) IS 'The spellings_of a text, searchable. Internal.';

-- Within an email, an id or a number stand letters, digits and these signs; a point only before one of
-- them, so that a sentence may end behind it.
CREATE OR REPLACE FUNCTION sluice.whole_pattern(sought text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN '(^|[^a-z0-9_@%+.\u0080-\u00ff-])'
        || regexp_replace(sluice.searchable(convert_to(sought, 'UTF8')) COLLATE "C", '([!-/:-@[-`{-~])', '\\\1', 'g')
        || '($|[^a-z0-9_@%+.\u0080-\u00ff-]|\.($|[^a-z0-9_@%+\u0080-\u00ff-]))';
END
$$;
COMMENT ON FUNCTION sluice.whole_pattern(text) IS
    'A regular expression for a text, searchable, that is not a part of a longer word, address or number. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.bytes_have(bytes bytea, sought text[], pattern text DEFAULT NULL)
RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hay constant text COLLATE "C" := sluice.searchable(bytes);
    each text COLLATE "C";
BEGIN
    FOREACH each IN ARRAY sought LOOP
        IF strpos(hay, each) > 0 AND (pattern IS NULL OR hay ~ (pattern COLLATE "C")) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
COMMENT ON FUNCTION sluice.bytes_have(bytea, text[], text) IS
    'Whether one of these texts, searchable, is in bytes, and these match a pattern unless it is null. '
    'Internal.';

-- Calling a function takes far longer than looking into bytes of a usual length, so it is called only for
-- those that may have what is sought. 'escape' writes each byte by itself: what is in the bytes is in that, too.
CREATE OR REPLACE FUNCTION sluice.escaped_patterns(sought text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN ARRAY(SELECT '%' || regexp_replace(lower(encode(convert_to(s, 'UTF8'), 'escape') COLLATE "C"),
        '([%_\\])', '\\\1', 'g') || '%' FROM unnest(sluice.spellings_of(sought)) AS s);
END
$$;
COMMENT ON FUNCTION sluice.escaped_patterns(text) IS
    'Patterns for LIKE: the small letters of escaped bytes match one if a text may be in the bytes. Internal.';

CREATE OR REPLACE FUNCTION sluice.bytes_condition(member text, pattern text) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN format('(lower(encode(s.payload, ''escape'') COLLATE "C") LIKE ANY (sluice.escaped_patterns($5 ->> %1$L)) '
        'AND sluice.bytes_have(s.payload, sluice.spellings($5 ->> %1$L), %2$s))', member, pattern);
END
$$;
COMMENT ON FUNCTION sluice.bytes_condition(text, text) IS
    'What a member of a filter, and a pattern (SQL) as bytes_have takes it, ask of the bytes of a row s, as SQL. '
    'Internal.';

-- ---- the list ----

CREATE OR REPLACE FUNCTION sluice.rejects_condition(filter jsonb) RETURNS text
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.condition_of_columns(filter, ARRAY['request_id', 'source', 'code'])
        || CASE filter ->> 'state' WHEN 'open' THEN ' AND s.replayed_at IS NULL AND s.discarded_at IS NULL'
            WHEN 'replayed' THEN ' AND s.replayed_at IS NOT NULL'
            WHEN 'discarded' THEN ' AND s.discarded_at IS NOT NULL' ELSE '' END
        || CASE WHEN filter ? 'text' THEN ' AND ' || sluice.bytes_condition('text', 'NULL') ELSE '' END
        || sluice.condition_of_identity(filter, ARRAY['request_id'],
            sluice.bytes_condition('identity', 'sluice.whole_pattern($5 ->> ''identity'')'));
END
$$;
COMMENT ON FUNCTION sluice.rejects_condition(jsonb) IS
    'What a filter asks of a row s of rejected_payload, as SQL that holds nothing of its values. Internal.';

CREATE OR REPLACE FUNCTION sluice.rejects_shown(ids bigint[], times timestamptz[], whole boolean) RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
#variable_conflict use_variable
DECLARE
    result json;
BEGIN
    SELECT coalesce(json_agg(json_build_object(
            'id', r.id,
            'received_at', sluice.timestamp_text(r.received_at),
            'organization', o.name,
            'key_id', r.key_id,
            'key_name', k.name,
            'source', r.source,
            'kind', r.kind,
            'code', r.code,
            'why', sluice.reject_why(r.kind, r.code),
            'detail', r.detail,
            'position', r.position,
            'payload_bytes', r.payload_bytes,
            'request_id', r.request_id,
            'preview', sluice.preview(p.beginning, r.truncated OR p.longer),
            'truncated', r.truncated OR p.longer,
            'bad_byte', r.bad_byte,
            'place', sluice.place_in(r.payload, r.bad_byte),
            'state', CASE WHEN r.replayed_at IS NOT NULL THEN 'replayed'
                WHEN r.discarded_at IS NOT NULL THEN 'discarded' ELSE 'open' END,
            'replayed_at', sluice.timestamp_text(r.replayed_at),
            'replayed_by', r.replayed_by,
            'discarded_at', sluice.timestamp_text(r.discarded_at),
            'discarded_by', r.discarded_by)
        ORDER BY r.id DESC), '[]')
    INTO result
    FROM unnest(ids, times) AS h (id, received_at)
    CROSS JOIN LATERAL (SELECT * FROM sluice.rejected_payload AS t
        WHERE t.id = h.id AND t.received_at = h.received_at LIMIT 1) AS r
    CROSS JOIN LATERAL (SELECT CASE WHEN whole THEN r.payload ELSE substring(r.payload FOR 4096) END AS beginning,
        NOT whole AND octet_length(r.payload) > 4096 AS longer) AS p
    JOIN sluice.organization AS o ON o.id = r.organization_id
    LEFT JOIN sluice.api_key AS k ON k.id = r.key_id;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.rejects_shown(bigint[], timestamptz[], boolean) IS
    'Rejected payloads, by their ids and times, as a JSON array, latest first: each with its bytes as text, '
    'or unless whole the first of them. Internal.';

CREATE OR REPLACE FUNCTION sluice.rejects_of(organization_id bigint, filter jsonb, before bigint, max_rows integer,
    whole boolean DEFAULT false, budget interval DEFAULT '400 milliseconds') RETURNS json
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    hits record;
BEGIN
    PERFORM sluice.check_search(filter, ARRAY['identity', 'request_id', 'source', 'code', 'key', 'state', 'from',
        'until', 'text']);
    hits := sluice.found_by_id('rejected_payload', sluice.rejects_condition(filter),
        CASE WHEN filter ?| ARRAY['identity', 'text'] THEN 'octet_length(s.payload)' END,
        organization_id, filter, before, max_rows, budget);
    RETURN json_build_object(
        'rejects', sluice.rejects_shown(hits.ids, hits.times, whole),
        'next', hits.next,
        'searched_until', sluice.timestamp_text(hits.searched_until));
END
$$;
COMMENT ON FUNCTION sluice.rejects_of(bigint, jsonb, bigint, integer, boolean, interval) IS
    'The rejected payloads of an organization (null: of all) that a filter lets through, as a JSON object: '
    'up to max_rows, latest first, as in rejects_shown, with ids below before. With "next", there may be '
    'more: so far what was received since searched_until has been searched. Raises 22023 for a filter that '
    'cannot be used. Internal.';

-- The bytes are for those who may repair them; a viewer sees how they begin, in files as in the list.
CREATE OR REPLACE FUNCTION sluice.settings_rejects(user_name text, organization_id bigint, filter jsonb,
    before bigint, max_rows integer, whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'viewer');
BEGIN
    RETURN sluice.rejects_of(its_id, filter, before, least(max_rows, 100),
        whole AND (SELECT m.may_manage_keys FROM sluice.settings_me(user_name) AS m WHERE m.id = its_id));
END
$$;
COMMENT ON FUNCTION sluice.settings_rejects(text, bigint, jsonb, bigint, integer, boolean) IS
    'Like rejects_of, at most 100. For all members; whole for editors, admins and owners only. Raises as '
    'rejects_of and membership do.';

CREATE OR REPLACE FUNCTION sluice.rejects_search(organization_name text, filter jsonb, before bigint,
    max_rows integer, whole boolean DEFAULT false) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.rejects_of(CASE WHEN organization_name IS NOT NULL
        THEN sluice.organization_id_of(organization_name) END, filter, before, max_rows, coalesce(whole, false),
        interval '10 seconds');
END
$$;
COMMENT ON FUNCTION sluice.rejects_search(text, jsonb, bigint, integer, boolean) IS
    'Like rejects_of, by the organization''s name (null: all organizations), for up to ten seconds. Raises '
    'P0002 if there is none.';

GRANT EXECUTE ON FUNCTION sluice.settings_rejects(text, bigint, jsonb, bigint, integer, boolean) TO sluice_settings;
GRANT EXECUTE ON FUNCTION sluice.rejects_search(text, jsonb, bigint, integer, boolean) TO sluice_admin;

RESET ROLE;
