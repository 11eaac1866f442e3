-- The functions of the settings service, which logs in as sluice_settings and may call nothing
-- else. Each takes the user name from the web server and an organization, and checks itself what
-- the user may do there. An intruder in the service would still need the name of a member, and see
-- no hash.
--
-- SQLSTATEs: SL001 not a member of the organization, SL002 role too low, SL003 no organization
-- given by a member of several, SL007 a token without the scope.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.settings_csrf_key() RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT s.csrf_key FROM sluice.settings_secret AS s);
END
$$;
COMMENT ON FUNCTION sluice.settings_csrf_key() IS 'The key that signs the settings page''s tokens.';

CREATE OR REPLACE FUNCTION sluice.valid_token(user_name text) RETURNS sluice.api_token
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT t FROM sluice.api_token AS t
        WHERE t.id = sluice.token_id_of(valid_token.user_name) AND t.revoked_at IS NULL
            AND t.expires_at > now());
END
$$;
COMMENT ON FUNCTION sluice.valid_token(text) IS
    'The token that is named by token:ID:USER; null if it is not, or has expired or been revoked. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.membership(user_name text, organization_id bigint,
    needed sluice.member_role) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    is_token constant boolean := sluice.token_id_of(user_name) IS NOT NULL;
    token constant sluice.api_token := sluice.valid_token(user_name);
BEGIN
    SELECT count(*) AS n, min(m.organization_id) AS id, min(m.role) AS role INTO its
    FROM sluice.member AS m
    WHERE m.user_name = CASE WHEN is_token THEN token.user_name ELSE membership.user_name END
        AND (NOT is_token OR m.organization_id = token.organization_id)
        AND (membership.organization_id IS NULL OR m.organization_id = membership.organization_id);
    IF its.n = 0 THEN
        RAISE EXCEPTION 'not a member' USING ERRCODE = 'SL001';
    ELSIF its.n > 1 THEN
        RAISE EXCEPTION 'member of several organizations' USING ERRCODE = 'SL003';
    ELSIF its.role < needed THEN
        RAISE EXCEPTION 'role is too low' USING ERRCODE = 'SL002';
    END IF;
    RETURN its.id;
END
$$;
COMMENT ON FUNCTION sluice.membership(text, bigint, sluice.member_role) IS
    'The organization''s id if the user is a member with at least this role. With a null '
    'organization, the only one of which the user is a member. A token (token:ID:USER) has the role '
    'that its member has, in its organization only, while it is valid. Raises SL001 if the user is not a '
    'member (or the organization does not exist), SL002 if the role is too low, SL003 if the '
    'organization is null and the user has several. Internal.';

CREATE OR REPLACE FUNCTION sluice.settings_me(user_name text)
RETURNS TABLE (id bigint, name text, role text, may_manage_keys boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    is_token constant boolean := sluice.token_id_of(user_name) IS NOT NULL;
    token constant sluice.api_token := sluice.valid_token(user_name);
BEGIN
    RETURN QUERY
    SELECT o.id, o.name, m.role::text, m.role >= 'editor'
    FROM sluice.member AS m
    JOIN sluice.organization AS o ON o.id = m.organization_id
    WHERE m.user_name = CASE WHEN is_token THEN token.user_name ELSE settings_me.user_name END
        AND (NOT is_token OR m.organization_id = token.organization_id)
    ORDER BY o.name;
END
$$;
COMMENT ON FUNCTION sluice.settings_me(text) IS
    'The user''s organizations, and what the user may do there; of a token (token:ID:USER) its own.';

CREATE OR REPLACE FUNCTION sluice.settings_keys(user_name text, organization_id bigint,
    before bigint DEFAULT NULL, max_rows integer DEFAULT 101, match text DEFAULT NULL,
    endpoint_type text DEFAULT NULL, status text DEFAULT NULL) RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM sluice.keys_of(
        sluice.membership(user_name, organization_id, 'editor'), settings_keys.before,
        least(settings_keys.max_rows, 101), settings_keys.match, settings_keys.endpoint_type,
        settings_keys.status);
END
$$;
COMMENT ON FUNCTION sluice.settings_keys(text, bigint, bigint, integer, text, text, text) IS
    'Like keys_of, at most 101: one more than a part of the list has, to tell whether there are '
    'more. For editors, admins and owners. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_key(user_name text, organization_id bigint, id bigint)
RETURNS sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.membership(user_name, organization_id, 'editor');
    result sluice.key_overview;
BEGIN
    SELECT * INTO result FROM sluice.key_overview AS v
    WHERE v.organization_id = its_id AND v.id = settings_key.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % does not exist', settings_key.id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.settings_key(text, bigint, bigint) IS
    'One key of an organization. For editors, admins and owners. Raises P0002 if there is none, '
    'and as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_key_create(user_name text, organization_id bigint, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb, delivery_id_member text DEFAULT NULL, networks text[] DEFAULT NULL)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(user_name, sluice.membership(user_name, organization_id, 'editor'),
        settings_key_create.name, settings_key_create.endpoint_type,
        settings_key_create.key_hash, settings_key_create.display,
        settings_key_create.secret_hash, settings_key_create.expires_at,
        settings_key_create.payload_template, settings_key_create.delivery_id_member,
        settings_key_create.networks);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea,
    timestamptz, jsonb, text, text[]) IS
    'Like key_create. For editors, admins and owners. Raises as key_add and membership do.';

CREATE OR REPLACE FUNCTION sluice.settings_key_deactivate(user_name text, organization_id bigint, id bigint)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_deactivate.id);
    RETURN sluice.key_deactivate(user_name, settings_key_deactivate.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_deactivate(text, bigint, bigint) IS
    'Like key_deactivate. For editors, admins and owners. Raises as settings_key does.';

CREATE OR REPLACE FUNCTION sluice.settings_statistics(user_name text, organization_id bigint, span text)
RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.statistics_of(sluice.membership(user_name, organization_id, 'viewer'), span);
END
$$;
COMMENT ON FUNCTION sluice.settings_statistics(text, bigint, text) IS
    'Like statistics_of. For all members. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_usage(user_name text, organization_id bigint,
    before date DEFAULT NULL, max_rows integer DEFAULT 12) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.usage_of(sluice.membership(user_name, organization_id, 'editor'),
        settings_usage.before, least(settings_usage.max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_usage(text, bigint, date, integer) IS
    'Like usage_of, at most 100 months. For editors, admins and owners. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_audit(user_name text, organization_id bigint, before bigint,
    max_rows integer) RETURNS json
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.audit_of(sluice.membership(user_name, organization_id, 'editor'), before,
        least(max_rows, 100));
END
$$;
COMMENT ON FUNCTION sluice.settings_audit(text, bigint, bigint, integer) IS
    'Like audit_of, at most 100. For editors, admins and owners. Raises as membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_may_manage_keys(user_name text, organization_id bigint)
RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.membership(user_name, organization_id, 'editor');
END
$$;
COMMENT ON FUNCTION sluice.settings_may_manage_keys(text, bigint) IS
    'The organization''s id if the user may manage keys. For requests that need nothing else from '
    'the database, such as the trial of a template. Raises as membership does.';

GRANT EXECUTE ON FUNCTION
    sluice.settings_csrf_key(),
    sluice.settings_me(text),
    sluice.settings_keys(text, bigint, bigint, integer, text, text, text),
    sluice.settings_key(text, bigint, bigint),
    sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb,
        text, text[]),
    sluice.settings_key_deactivate(text, bigint, bigint),
    sluice.settings_statistics(text, bigint, text),
    sluice.settings_usage(text, bigint, date, integer),
    sluice.settings_audit(text, bigint, bigint, integer),
    sluice.settings_may_manage_keys(text, bigint)
TO sluice_settings;

RESET ROLE;
