-- Changes of API keys: editing, rotation, secrets; and what was changed.
--
-- A change locks the key's row against other changes. Requests only read it, so none waits.
--
-- SQLSTATE SL004: the key is not in a state that allows the change; SL005: the name is taken.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.key_to_change(actor text, id bigint) RETURNS sluice.api_key
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its sluice.api_key;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    SELECT * INTO its FROM sluice.api_key AS k WHERE k.id = key_to_change.id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % does not exist', key_to_change.id USING ERRCODE = 'no_data_found';
    ELSIF its.deactivated_at IS NOT NULL THEN
        RAISE EXCEPTION 'key % is deactivated', its.id USING ERRCODE = 'SL004';
    END IF;
    RETURN its;
END
$$;
COMMENT ON FUNCTION sluice.key_to_change(text, bigint) IS
    'A key, locked until the end of the transaction. Raises P0002 if there is none, SL004 if it is '
    'deactivated, 22023 without an actor. Internal.';

CREATE OR REPLACE FUNCTION sluice.check_overlap(overlap interval) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF overlap IS NULL OR overlap < interval '0' OR overlap > interval '90 days' THEN
        RAISE EXCEPTION 'overlap must be from 0 to 90 days'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'overlap_seconds';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_overlap(interval) IS
    'Raises 22023 for an overlap that no rotation may have. Internal.';

-- ---- editing ----

CREATE OR REPLACE FUNCTION sluice.key_edit(actor text, id bigint, name text, expires_at timestamptz,
    payload_template jsonb, networks text[] DEFAULT NULL) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.api_key := sluice.key_to_change(actor, key_edit.id);
    its_name constant text := coalesce(sluice.tidy_name(key_edit.name), its.name);
    its_end constant timestamptz := coalesce(key_edit.expires_at, its.expires_at);
    its_template constant jsonb := coalesce(key_edit.payload_template, its.payload_template);
    its_networks constant cidr[] := CASE WHEN key_edit.networks IS NULL THEN its.networks
        WHEN key_edit.networks <> '{}' THEN sluice.read_networks(key_edit.networks) END;
    its_scope constant bigint := coalesce(its.delivery_scope, its.id);
    old jsonb;
    new jsonb;
BEGIN
    PERFORM sluice.check_key(its_name, its.endpoint_type::text, its.key_hash, its.display, NULL,
        nullif(key_edit.expires_at, 'infinity'), its_template, its.delivery_id_member);
    SELECT jsonb_object_agg(c.member, c.old), jsonb_object_agg(c.member, c.new) INTO old, new
    FROM (VALUES ('name', to_jsonb(its.name), to_jsonb(its_name)),
        ('expires_at', to_jsonb(its.expires_at), to_jsonb(nullif(its_end, 'infinity'))),
        ('payload_template', its.payload_template, its_template),
        ('networks', to_jsonb(its.networks), to_jsonb(its_networks))) AS c (member, old, new)
    WHERE c.old IS DISTINCT FROM c.new;
    IF its_name <> its.name THEN
        PERFORM sluice.claim_key_name(its.organization_id, its_name, its_scope);
    END IF;
    IF new IS NOT NULL THEN
        BEGIN
            UPDATE sluice.api_key AS k
            SET name = its_name, expires_at = nullif(its_end, 'infinity'),
                payload_template = its_template, networks = its_networks
            WHERE k.id = its.id;
        EXCEPTION WHEN exclusion_violation OR unique_violation THEN
            -- Named without these functions, the other key was not there to be seen, as in key_add.
            PERFORM sluice.claim_key_name(its.organization_id, its_name, its_scope);
            RAISE;
        END;
        PERFORM sluice.audit(actor, its.organization_id, 'key_edit', 'api_key', its.id::text,
            jsonb_build_object('display', its.display, 'old', old, 'new', new));
    END IF;
    RETURN sluice.key_show(its.id);
END
$$;
COMMENT ON FUNCTION sluice.key_edit(text, bigint, text, timestamptz, jsonb, text[]) IS
    'Changes the name, expiration (infinity: never), payload template and networks (an empty array: '
    'from everywhere) of a key, and returns it as key_show does. Null leaves a value as it is. '
    'Holds for requests that authenticate after the commit. Raises as key_to_change does, SL005 if '
    'another key has the name, and 22023 for an invalid value, with the parameter as the error''s column.';

-- ---- rotation ----

-- All columns, also those of a later version and a DBA's own, so that no setting is forgotten.
CREATE OR REPLACE FUNCTION sluice.key_insert(its sluice.api_key) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    columns constant text := (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = 'sluice.api_key'::regclass AND a.attnum > 0 AND NOT a.attisdropped
            AND a.attgenerated = '');
BEGIN
    EXECUTE format('INSERT INTO sluice.api_key (%1$s) OVERRIDING SYSTEM VALUE '
        'SELECT %1$s FROM (SELECT ($1).*) AS its', columns) USING its;
END
$$;
COMMENT ON FUNCTION sluice.key_insert(sluice.api_key) IS
    'Inserts a row into api_key as it is, but for generated columns. Internal: called by key_rotate.';

CREATE OR REPLACE FUNCTION sluice.key_rotate(actor text, id bigint, key_hash bytea, display text,
    secret_hash bytea, overlap interval DEFAULT '24 hours', expires_at timestamptz DEFAULT NULL)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its sluice.api_key := sluice.key_to_change(actor, key_rotate.id);
    old_id constant bigint := its.id;
    old_end constant timestamptz := least(its.expires_at, now() + key_rotate.overlap);
    successor constant bigint := sluice.key_of_retry(actor, its.organization_id,
        key_rotate.key_hash, its.id);
BEGIN
    IF successor IS NOT NULL THEN
        RETURN sluice.key_show(successor);
    END IF;
    PERFORM sluice.check_overlap(overlap);
    PERFORM FROM sluice.api_key AS k WHERE k.successor_of = old_id AND k.deactivated_at IS NULL;
    IF FOUND THEN
        RAISE EXCEPTION 'key % has been rotated already', old_id
            USING ERRCODE = 'SL004', HINT = format('its successor is key %s', (
                SELECT max(k.id) FROM sluice.api_key AS k WHERE k.successor_of = old_id));
    ELSIF key_rotate.expires_at IS NULL AND its.expires_at <= now() THEN
        RAISE EXCEPTION 'the key has expired: its successor needs an expiration of its own'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'expires_at';
    END IF;
    -- What is the successor's own; the other columns are copied.
    its.successor_of := old_id;
    its.delivery_scope := coalesce(its.delivery_scope, old_id);
    its.id := nextval('sluice.api_key_id_seq');
    its.key_hash := key_rotate.key_hash;
    its.display := key_rotate.display;
    its.secret_hash := CASE WHEN its.secret_hash IS NOT NULL THEN key_rotate.secret_hash END;
    its.previous_secret_hash := NULL;
    its.previous_secret_until := NULL;
    its.secret_changed_at := NULL;
    its.expires_at := nullif(coalesce(key_rotate.expires_at, its.expires_at), 'infinity');
    its.created_at := now();
    its.created_by := actor;
    PERFORM sluice.check_key(its.name, its.endpoint_type::text, its.key_hash, its.display,
        its.secret_hash, its.expires_at, its.payload_template, its.delivery_id_member);
    SELECT o.signal_limit > 0 AND NOT o.overages INTO STRICT its.limited
    FROM sluice.organization AS o WHERE o.id = its.organization_id FOR SHARE; -- as key_add does
    PERFORM sluice.key_insert(its);
    UPDATE sluice.api_key AS k SET expires_at = old_end WHERE k.id = old_id;
    PERFORM sluice.audit(actor, its.organization_id, 'key_rotate', 'api_key', old_id::text,
        jsonb_build_object('successor', its.id, 'successor_display', its.display,
            'has_secret', its.secret_hash IS NOT NULL, 'expires_at', old_end,
            'successor_expires_at', its.expires_at));
    RETURN sluice.key_show(its.id);
END
$$;
COMMENT ON FUNCTION sluice.key_rotate(text, bigint, bytea, text, bytea, interval, timestamptz) IS
    'Makes a successor of a key and returns it as key_show does: another key, and another secret if '
    'the old key has one, with the same settings and the same scope of delivery ids. The old key '
    'expires after the overlap (0: at once, up to 90 days). expires_at is the successor''s; null: '
    'as the old key''s, infinity: never. secret_hash is ignored for a key without a secret. A '
    'retry by the same actor with the same hash within an hour returns the successor again. Raises '
    'as key_to_change does, SL004 if the key has a successor that is not deactivated, 22023 for an '
    'invalid value, 23505 if the new key exists.';

-- ---- secrets ----

CREATE OR REPLACE FUNCTION sluice.check_secret_change(its sluice.api_key, action text, overlap interval)
RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    overlapping constant boolean := coalesce(its.previous_secret_until > now(), false);
BEGIN
    IF action = 'enable' AND its.secret_hash IS NOT NULL THEN
        RAISE EXCEPTION 'key % has a secret already', its.id USING ERRCODE = 'SL004';
    ELSIF action <> 'enable' AND its.secret_hash IS NULL THEN
        RAISE EXCEPTION 'key % has no secret', its.id USING ERRCODE = 'SL004';
    ELSIF action = 'rotate' AND overlapping AND overlap > interval '0' THEN
        RAISE EXCEPTION 'key % is still in an overlap, and no third secret can be valid', its.id
            USING ERRCODE = 'SL004', HINT = 'end the overlap first, or rotate without one';
    ELSIF action = 'retire' AND NOT overlapping THEN
        RAISE EXCEPTION 'key % is in no overlap of secrets', its.id USING ERRCODE = 'SL004';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_secret_change(sluice.api_key, text, interval) IS
    'Raises SL004 if the key''s secret cannot be changed so. Internal: called by key_secret.';

CREATE OR REPLACE FUNCTION sluice.key_secret(actor text, id bigint, action text,
    secret_hash bytea DEFAULT NULL, overlap interval DEFAULT '24 hours') RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.api_key := sluice.key_to_change(actor, key_secret.id);
    makes constant boolean := action IN ('enable', 'rotate');
    until timestamptz := CASE WHEN makes AND overlap > interval '0' THEN now() + overlap END;
BEGIN
    IF action IS NULL OR action NOT IN ('enable', 'rotate', 'retire', 'remove') THEN
        RAISE EXCEPTION 'action must be enable, rotate, retire or remove'
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'action';
    ELSIF makes AND (key_secret.secret_hash IS NULL OR octet_length(key_secret.secret_hash) <> 32)
    THEN
        RAISE EXCEPTION 'secret hash must be a SHA-256' USING ERRCODE = 'invalid_parameter_value';
    ELSIF makes AND its.secret_hash = key_secret.secret_hash
        AND its.secret_changed_at > now() - interval '1 hour'
    THEN
        RETURN sluice.key_show(its.id); -- a retry, as in key_of_retry
    END IF;
    PERFORM sluice.check_overlap(overlap);
    PERFORM sluice.check_secret_change(its, action, overlap);
    UPDATE sluice.api_key AS k
    SET secret_hash = CASE WHEN makes THEN key_secret.secret_hash
            WHEN action = 'retire' THEN k.secret_hash END,
        previous_secret_hash = CASE WHEN until IS NOT NULL THEN k.secret_hash END,
        previous_secret_until = until,
        secret_changed_at = CASE WHEN action = 'retire' THEN k.secret_changed_at ELSE now() END
    WHERE k.id = its.id;
    PERFORM sluice.audit(actor, its.organization_id, 'secret_' || action, 'api_key', its.id::text,
        jsonb_build_object('display', its.display)
            || CASE WHEN makes THEN jsonb_build_object('overlap_until', until) ELSE '{}' END);
    RETURN sluice.key_show(its.id);
END
$$;
COMMENT ON FUNCTION sluice.key_secret(text, bigint, text, bytea, interval) IS
    'Changes the secret of a key and returns the key as key_show does. action: enable gives a key '
    'without a secret one, and requests need none for the overlap; rotate replaces the secret, and '
    'the old one is valid, too, for the overlap (0: not at all, up to 90 days); retire ends an '
    'overlap; remove leaves the key without a secret. A retry with the same hash within an hour '
    'changes nothing. Raises as key_to_change does, SL004 if the key''s secret cannot be changed '
    'so, 22023 for an invalid value.';

-- ---- what was changed ----

CREATE OR REPLACE FUNCTION sluice.key_history(id bigint, before bigint DEFAULT NULL,
    max_rows integer DEFAULT 200) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.key_overview := sluice.key_show(key_history.id);
    before_id constant bigint := coalesce(key_history.before, 9223372036854775807);
BEGIN
    RETURN (WITH looked AS MATERIALIZED (
        SELECT * FROM sluice.audit_log AS l
        WHERE l.organization_id = its.organization_id AND l.object_kind = 'api_key'
            AND l.object_id = its.id::text AND l.id < before_id
        ORDER BY l.id DESC
        LIMIT key_history.max_rows + 1
    ), hit AS (
        SELECT * FROM looked AS l ORDER BY l.id DESC LIMIT key_history.max_rows
    )
    SELECT json_build_object('entries', (SELECT coalesce(json_agg(json_build_object(
                'id', a.id,
                'occurred_at', sluice.timestamp_text(a.occurred_at),
                'actor', a.actor,
                'action', a.action,
                'object_kind', a.object_kind,
                'object_id', a.object_id,
                'details', a.details,
                'template_before', jsonb_pretty(a.details #> '{old,payload_template}'),
                'template_after', jsonb_pretty(a.details #> '{new,payload_template}'))
            ORDER BY a.id DESC), '[]') FROM hit AS a),
        'next', CASE WHEN (SELECT count(*) FROM looked) > key_history.max_rows
            THEN (SELECT min(a.id) FROM hit AS a) END));
END
$$;
COMMENT ON FUNCTION sluice.key_history(bigint, bigint, integer) IS
    'The latest changes to a key from the audit log, newest first, as a JSON object: up to max_rows '
    'with an id below before; a changed payload template also as text in lines. Raises P0002 if '
    'there is no such key.';

CREATE OR REPLACE FUNCTION sluice.key_payload(id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its constant sluice.key_overview := sluice.key_show(key_payload.id);
    result json;
BEGIN
    WITH looked AS MATERIALIZED (
        SELECT p.id, p.received_at, p.key_id FROM sluice.product_org_update AS p
        WHERE p.organization_id = its.organization_id
        ORDER BY p.id DESC
        LIMIT 5000
    ), hit AS (
        SELECT l.id, l.received_at FROM looked AS l
        WHERE l.key_id IN (its.id, its.successor_of) ORDER BY l.id DESC LIMIT 1
    )
    SELECT json_build_object('received_at', sluice.timestamp_text(p.received_at),
        'payload', sluice.shown(p.payload))
    INTO result
    FROM hit AS h
    JOIN sluice.product_org_update AS p ON p.id = h.id AND p.received_at = h.received_at;
    RETURN coalesce(result, json_build_object('received_at', NULL, 'payload', NULL));
END
$$;
COMMENT ON FUNCTION sluice.key_payload(bigint) IS
    'The latest payload that came with a product-org key or the one that it replaces, for trying '
    'another template, as a JSON object; null if there is none among the organization''s latest '
    '5,000, or if it is over 64 KiB. Raises P0002 if there is no such key.';

GRANT EXECUTE ON FUNCTION
    sluice.key_edit(text, bigint, text, timestamptz, jsonb, text[]),
    sluice.key_rotate(text, bigint, bytea, text, bytea, interval, timestamptz),
    sluice.key_secret(text, bigint, text, bytea, interval),
    sluice.key_history(bigint, bigint, integer),
    sluice.key_payload(bigint)
TO sluice_admin;

-- ---- for the settings service ----

CREATE OR REPLACE FUNCTION sluice.settings_key_edit(user_name text, organization_id bigint, id bigint,
    name text, expires_at timestamptz, payload_template jsonb, networks text[] DEFAULT NULL)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_edit.id);
    RETURN sluice.key_edit(user_name, settings_key_edit.id, settings_key_edit.name,
        settings_key_edit.expires_at, settings_key_edit.payload_template,
        settings_key_edit.networks);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_edit(text, bigint, bigint, text, timestamptz, jsonb, text[]) IS
    'Like key_edit. For editors, admins and owners. Raises as settings_key and key_edit do.';

CREATE OR REPLACE FUNCTION sluice.settings_key_rotate(user_name text, organization_id bigint, id bigint,
    key_hash bytea, display text, secret_hash bytea, overlap interval, expires_at timestamptz)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_rotate.id);
    RETURN sluice.key_rotate(user_name, settings_key_rotate.id, settings_key_rotate.key_hash,
        settings_key_rotate.display, settings_key_rotate.secret_hash, overlap,
        settings_key_rotate.expires_at);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_rotate(text, bigint, bigint, bytea, text, bytea, interval,
    timestamptz) IS
    'Like key_rotate. For editors, admins and owners. Raises as settings_key and key_rotate do.';

CREATE OR REPLACE FUNCTION sluice.settings_key_secret(user_name text, organization_id bigint, id bigint,
    action text, secret_hash bytea, overlap interval) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_secret.id);
    RETURN sluice.key_secret(user_name, settings_key_secret.id, action,
        settings_key_secret.secret_hash, overlap);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_secret(text, bigint, bigint, text, bytea, interval) IS
    'Like key_secret. For editors, admins and owners. Raises as settings_key and key_secret do.';

CREATE OR REPLACE FUNCTION sluice.settings_key_history(user_name text, organization_id bigint,
    id bigint, before bigint DEFAULT NULL, max_rows integer DEFAULT 100) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_history.id);
    RETURN sluice.key_history(settings_key_history.id, settings_key_history.before,
        least(settings_key_history.max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_key_history(text, bigint, bigint, bigint, integer) IS
    'Like key_history, at most 100. For editors, admins and owners. Raises as settings_key does.';

CREATE OR REPLACE FUNCTION sluice.settings_key_payload(user_name text, organization_id bigint,
    id bigint) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_payload.id);
    RETURN sluice.key_payload(settings_key_payload.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_payload(text, bigint, bigint) IS
    'Like key_payload. For editors, admins and owners. Raises as settings_key does.';

GRANT EXECUTE ON FUNCTION
    sluice.settings_key_edit(text, bigint, bigint, text, timestamptz, jsonb, text[]),
    sluice.settings_key_rotate(text, bigint, bigint, bytea, text, bytea, interval, timestamptz),
    sluice.settings_key_secret(text, bigint, bigint, text, bytea, interval),
    sluice.settings_key_history(text, bigint, bigint, bigint, integer),
    sluice.settings_key_payload(text, bigint, bigint)
TO sluice_settings;

RESET ROLE;
