-- Tokens of the settings API: who may make and revoke them, and what a request with one may do.
--
-- The settings service gives "token:ID:USER" as the user name of a request with a token. membership
-- looks the token up again in the transaction of what is done, so that one that was revoked, or
-- whose member has another role meanwhile, does nothing.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.token_show(id bigint) RETURNS sluice.token_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.token_overview;
BEGIN
    SELECT * INTO result FROM sluice.token_overview AS v WHERE v.id = token_show.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'token % does not exist', token_show.id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.token_show(bigint) IS
    'One token, as in token_overview. Raises P0002 if there is none. Internal.';

CREATE OR REPLACE FUNCTION sluice.token_list(organization_name text)
RETURNS SETOF sluice.token_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF organization_name IS NOT NULL THEN
        PERFORM sluice.organization_id_of(organization_name);
    END IF;
    RETURN QUERY
    SELECT * FROM sluice.token_overview AS v
    WHERE organization_name IS NULL OR v.organization = organization_name
    ORDER BY v.organization, v.id;
END
$$;
COMMENT ON FUNCTION sluice.token_list(text) IS
    'The tokens of an organization (null: of all), as in token_overview, oldest first. Raises P0002 '
    'for an unknown organization.';

CREATE OR REPLACE FUNCTION sluice.check_token(name text, token_hash bytea, display text,
    scopes text[], expires_at timestamptz) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    refusal text[]; -- the parameter, and what is wrong with it
BEGIN
    BEGIN
        PERFORM sluice.check_name('token name', name);
    EXCEPTION WHEN invalid_parameter_value THEN
        refusal := ARRAY['name', SQLERRM];
    END;
    refusal := coalesce(refusal, CASE
        WHEN coalesce(cardinality(scopes), 0) = 0
            OR NOT coalesce(scopes <@ enum_range(NULL::sluice.token_scope)::text[], false)
            THEN ARRAY['scopes', 'scopes must be one or more of '
                || array_to_string(enum_range(NULL::sluice.token_scope), ', ')]
        WHEN expires_at IS NULL OR NOT isfinite(expires_at)
            THEN ARRAY['expires_at', 'a token needs an expiration']
        WHEN expires_at <= now()
            THEN ARRAY['expires_at', 'expiration must be in the future']
        WHEN expires_at > now() + interval '366 days'
            THEN ARRAY['expires_at', 'a token expires in 366 days at the latest']
        WHEN token_hash IS NULL OR octet_length(token_hash) <> 32
            THEN ARRAY['', 'token hash must be a SHA-256']
        WHEN display IS NULL OR display !~ '^slt_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'
            THEN ARRAY['', 'display must be slt_, 4 characters, an ellipsis and 4 characters']
    END);
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = refusal[1];
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_token(text, bytea, text, text[], timestamptz) IS
    'Raises 22023 for an invalid value of a new token, with the parameter as the error''s column. '
    'Internal.';

CREATE OR REPLACE FUNCTION sluice.check_token_member(organization_id bigint, user_name text,
    scopes text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    needed constant sluice.member_role := CASE WHEN 'organization' = ANY (scopes) THEN 'admin'
        ELSE 'editor' END::sluice.member_role;
    its_role sluice.member_role;
BEGIN
    -- Locked, so that the removal of the member finds the token to revoke.
    SELECT m.role INTO its_role FROM sluice.member AS m
    WHERE m.organization_id = check_token_member.organization_id
        AND m.user_name = check_token_member.user_name FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" is not a member of the organization', user_name
            USING ERRCODE = 'no_data_found';
    ELSIF its_role < needed THEN
        RAISE EXCEPTION 'a token with these scopes needs a member with the role % or higher', needed
            USING ERRCODE = 'invalid_parameter_value', COLUMN = 'scopes';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_token_member(bigint, text, text[]) IS
    'Raises P0002 unless the user is a member, 22023 if the member''s role allows no token with '
    'these scopes. Internal.';

-- The settings service passes the organization's id, sluicectl its name (token_create).
CREATE OR REPLACE FUNCTION sluice.token_add(actor text, organization_id bigint, user_name text,
    name text, token_hash bytea, display text, scopes text[], expires_at timestamptz)
RETURNS sluice.token_overview
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_name constant text := sluice.tidy_name(token_add.name);
    its_scopes sluice.token_scope[];
    new_id bigint;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_token(its_name, token_add.token_hash, token_add.display, token_add.scopes,
        token_add.expires_at);
    PERFORM sluice.check_token_member(token_add.organization_id, token_add.user_name,
        token_add.scopes);
    its_scopes := ARRAY(SELECT DISTINCT s::sluice.token_scope FROM unnest(token_add.scopes) AS s
        ORDER BY 1);
    INSERT INTO sluice.api_token AS t (organization_id, user_name, name, token_hash, display, scopes,
        expires_at, created_by)
    VALUES (token_add.organization_id, token_add.user_name, its_name, token_add.token_hash,
        token_add.display, its_scopes, token_add.expires_at, actor)
    ON CONFLICT DO NOTHING
    RETURNING t.id INTO new_id;
    IF NOT FOUND THEN
        -- The retry of a request whose answer was lost, as for keys (key_of_retry).
        SELECT t.id INTO new_id FROM sluice.api_token AS t
        WHERE t.token_hash = token_add.token_hash
            AND t.organization_id = token_add.organization_id AND t.created_by = actor
            AND t.created_at > now() - interval '1 hour';
        IF NOT FOUND THEN
            RAISE EXCEPTION 'this token already exists' USING ERRCODE = 'unique_violation';
        END IF;
        RETURN sluice.token_show(new_id);
    END IF;
    PERFORM sluice.audit(actor, token_add.organization_id, 'token_create', 'api_token',
        new_id::text, jsonb_build_object('name', its_name, 'display', token_add.display,
            'user', token_add.user_name, 'scopes', its_scopes, 'expires_at', token_add.expires_at));
    RETURN sluice.token_show(new_id);
END
$$;
COMMENT ON FUNCTION sluice.token_add(text, bigint, text, text, bytea, text, text[], timestamptz) IS
    'What token_create and settings_token_create do. The name is stored without white space at its '
    'ends, each scope once. Returns the token if the same actor has made it within the last hour. '
    'Raises 23505 if it exists otherwise, P0002 if the user is no member, 22023 for an invalid '
    'value, with the parameter as the error''s column. Internal.';

CREATE OR REPLACE FUNCTION sluice.token_create(actor text, organization_name text, user_name text,
    name text, token_hash bytea, display text, scopes text[], expires_at timestamptz)
RETURNS sluice.token_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.token_add(actor, sluice.organization_id_of(organization_name),
        token_create.user_name, token_create.name, token_create.token_hash, token_create.display,
        token_create.scopes, token_create.expires_at);
END
$$;
COMMENT ON FUNCTION sluice.token_create(text, text, text, text, bytea, text, text[], timestamptz) IS
    'Stores a token that the caller has generated, for a member of the organization, and returns it '
    'as token_show does. token_hash is a SHA-256. scopes: of token_scope. The member needs '
    'the role editor, for organization admin. Raises P0002 for an unknown organization or member, '
    '23505 if the token exists, 22023 for an invalid value.';

CREATE OR REPLACE FUNCTION sluice.token_revoke(actor text, id bigint) RETURNS sluice.token_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
    at_ constant timestamptz := clock_timestamp();
BEGIN
    PERFORM sluice.check_name('actor', actor);
    UPDATE sluice.api_token AS t SET revoked_at = at_, revoked_by = actor
    WHERE t.id = token_revoke.id AND t.revoked_at IS NULL
    RETURNING t.organization_id, t.name, t.display, t.user_name INTO its;
    IF FOUND THEN
        PERFORM sluice.audit(actor, its.organization_id, 'token_revoke', 'api_token',
            token_revoke.id::text, jsonb_build_object('name', its.name, 'display', its.display,
                'user', its.user_name));
    END IF;
    RETURN sluice.token_show(token_revoke.id);
END
$$;
COMMENT ON FUNCTION sluice.token_revoke(text, bigint) IS
    'Revokes a token and returns it as token_show does. Requests that authenticate after the commit '
    'are refused. Revoking a token again changes nothing. Raises P0002 if there is no such token.';

-- ---- for the settings service ----

CREATE OR REPLACE FUNCTION sluice.settings_token_use(token_hash bytea, scope text) RETURNS text
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its record;
BEGIN
    SELECT t.id, t.user_name, t.scopes, t.last_used_at INTO its FROM sluice.api_token AS t
    JOIN sluice.member AS m ON m.organization_id = t.organization_id AND m.user_name = t.user_name
    WHERE t.token_hash = settings_token_use.token_hash AND t.revoked_at IS NULL
        AND t.expires_at > now();
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF scope IS NOT NULL AND scope <> ALL (its.scopes::text[]) THEN
        RAISE EXCEPTION 'the token has no scope "%"', scope USING ERRCODE = 'SL007';
    ELSIF its.last_used_at > now() - interval '30 seconds' THEN
        NULL; -- recent enough
    ELSE
        UPDATE sluice.api_token AS t SET last_used_at = greatest(t.last_used_at, now())
        WHERE t.id = its.id;
    END IF;
    RETURN left(format('token:%s:%s', its.id, its.user_name), 200);
END
$$;
COMMENT ON FUNCTION sluice.settings_token_use(bytea, text) IS
    'Authenticates a request by the SHA-256 of its token: the user name to give to the other '
    'functions, or null if no valid token of a member has this hash. scope: what is needed; null: '
    'any will do. Raises SL007 if the token does not have it.';

CREATE OR REPLACE FUNCTION sluice.settings_tokens(user_name text, organization_id bigint,
    before bigint DEFAULT NULL, max_rows integer DEFAULT 101) RETURNS SETOF sluice.token_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
    before_id constant bigint := coalesce(settings_tokens.before, 9223372036854775807);
BEGIN
    RETURN QUERY
    SELECT * FROM sluice.token_overview AS v
    WHERE v.organization_id = its_id AND v.id < before_id
    ORDER BY v.id DESC
    LIMIT least(settings_tokens.max_rows, 101);
END
$$;
COMMENT ON FUNCTION sluice.settings_tokens(text, bigint, bigint, integer) IS
    'The newest tokens of an organization, as in token_overview: up to max_rows with an id below '
    'before; at most 101, as settings_keys has it. For editors, admins and owners. Raises as '
    'membership does.';

CREATE OR REPLACE FUNCTION sluice.settings_token_create(user_name text, organization_id bigint,
    name text, token_hash bytea, display text, scopes text[], expires_at timestamptz)
RETURNS sluice.token_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    -- A token for a token would outlive its expiration. The user is none: token_add finds no member.
    RETURN sluice.token_add(user_name, its_id, user_name, settings_token_create.name,
        settings_token_create.token_hash, settings_token_create.display,
        settings_token_create.scopes, settings_token_create.expires_at);
END
$$;
COMMENT ON FUNCTION sluice.settings_token_create(text, bigint, text, bytea, text, text[],
    timestamptz) IS
    'Like token_create, for the user. For editors, admins and owners, not for tokens. Raises as '
    'token_add and membership do.';

CREATE OR REPLACE FUNCTION sluice.settings_token_revoke(user_name text, organization_id bigint,
    id bigint) RETURNS sluice.token_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := sluice.membership(user_name, organization_id, 'editor');
    its_user constant text := (SELECT t.user_name FROM sluice.api_token AS t
        WHERE t.organization_id = its_id AND t.id = settings_token_revoke.id);
BEGIN
    IF its_user IS NULL THEN
        RAISE EXCEPTION 'token % does not exist', settings_token_revoke.id
            USING ERRCODE = 'no_data_found';
    ELSIF its_user <> user_name THEN
        PERFORM sluice.membership(user_name, its_id, 'admin');
    END IF;
    RETURN sluice.token_revoke(user_name, settings_token_revoke.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_token_revoke(text, bigint, bigint) IS
    'Like token_revoke. For the token''s user as an editor, and for admins and owners. Raises P0002 '
    'if the organization has no such token, and as membership does.';

GRANT EXECUTE ON FUNCTION
    sluice.token_create(text, text, text, text, bytea, text, text[], timestamptz),
    sluice.token_list(text),
    sluice.token_revoke(text, bigint)
TO sluice_admin;
GRANT EXECUTE ON FUNCTION
    sluice.settings_token_use(bytea, text),
    sluice.settings_tokens(text, bigint, bigint, integer),
    sluice.settings_token_create(text, bigint, text, bytea, text, text[], timestamptz),
    sluice.settings_token_revoke(text, bigint, bigint)
TO sluice_settings;

RESET ROLE;
