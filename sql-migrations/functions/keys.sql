-- API keys.

SET LOCAL ROLE sluice_owner;

CREATE OR REPLACE FUNCTION sluice.key_show(id bigint) RETURNS sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    result sluice.key_overview;
BEGIN
    SELECT * INTO result FROM sluice.key_overview AS v WHERE v.id = key_show.id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'key % does not exist', key_show.id USING ERRCODE = 'no_data_found';
    END IF;
    RETURN result;
END
$$;
COMMENT ON FUNCTION sluice.key_show(bigint) IS
    'One key, as in key_overview. Raises P0002 if there is none.';

-- First the ids: a key's last use and refusal are looked up only for those that are returned.
CREATE OR REPLACE FUNCTION sluice.keys_of(organization_id bigint, before bigint, max_rows integer,
    match text, endpoint_type text, status text) RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_variable
DECLARE
    before_id constant bigint := coalesce(before, 9223372036854775807);
BEGIN
    RETURN QUERY
    WITH hit AS MATERIALIZED (
        SELECT k.id FROM sluice.api_key AS k
        WHERE (organization_id IS NULL OR k.organization_id = organization_id)
            AND k.id < before_id
            AND (match IS NULL
                OR strpos(lower(concat_ws(E'\n', k.name, k.display, k.created_by)), lower(match)) > 0)
            AND (endpoint_type IS NULL OR k.endpoint_type::text = endpoint_type)
            -- As key_overview has it.
            AND (status IS NULL OR status = CASE
                WHEN k.deactivated_at IS NOT NULL THEN 'deactivated'
                WHEN k.expires_at <= now() THEN 'expired'
                ELSE 'active' END)
        ORDER BY k.id DESC
        LIMIT max_rows
    )
    SELECT v.* FROM hit AS h JOIN sluice.key_overview AS v ON v.id = h.id ORDER BY v.id DESC;
END
$$;
COMMENT ON FUNCTION sluice.keys_of(bigint, bigint, integer, text, text, text) IS
    'The newest keys of an organization, or of all, as in key_overview: up to max_rows with an id '
    'below before; with match in the name, the part that may be shown or the creator, in whatever '
    'case; with this endpoint type and status; what is null leaves all. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_list(organization_name text, before bigint DEFAULT NULL,
    max_rows integer DEFAULT NULL, match text DEFAULT NULL, endpoint_type text DEFAULT NULL,
    status text DEFAULT NULL) RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id constant bigint := CASE WHEN organization_name IS NOT NULL
        THEN sluice.organization_id_of(organization_name) END;
BEGIN
    RETURN QUERY SELECT * FROM sluice.keys_of(its_id, key_list.before, key_list.max_rows,
        key_list.match, key_list.endpoint_type, key_list.status);
END
$$;
COMMENT ON FUNCTION sluice.key_list(text, bigint, integer, text, text, text) IS
    'Like keys_of, by the organization''s name (null: of all). Raises P0002 for an unknown '
    'organization.';

CREATE OR REPLACE FUNCTION sluice.check_key(name text, endpoint_type text, key_hash bytea,
    display text, secret_hash bytea, expires_at timestamptz, payload_template jsonb,
    delivery_id_member text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    refusal text[]; -- the parameter, and what is wrong with it
BEGIN
    BEGIN
        PERFORM sluice.check_name('key name', name);
    EXCEPTION WHEN invalid_parameter_value THEN
        refusal := ARRAY['name', SQLERRM];
    END;
    refusal := coalesce(refusal, CASE
        WHEN endpoint_type <> ALL (enum_range(NULL::sluice.endpoint_type)::text[])
            THEN ARRAY['endpoint_type', 'endpoint type must be signal_staging or product_orgs']
        WHEN key_hash IS NULL OR octet_length(key_hash) <> 32
            THEN ARRAY['', 'key hash must be a SHA-256']
        WHEN octet_length(secret_hash) <> 32
            THEN ARRAY['', 'secret hash must be a SHA-256']
        WHEN display IS NULL OR display !~ '^sk_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'
            THEN ARRAY['', 'display must be sk_, 4 characters, an ellipsis and 4 characters']
        WHEN NOT isfinite(expires_at)
            THEN ARRAY['expires_at', 'expiration must be a timestamp']
        WHEN expires_at <= now()
            THEN ARRAY['expires_at', 'expiration must be in the future']
        WHEN endpoint_type = 'signal_staging' AND payload_template IS NOT NULL
            THEN ARRAY['payload_template', 'a signal_staging key takes no payload template']
        WHEN endpoint_type = 'product_orgs' AND payload_template IS NULL
            THEN ARRAY['payload_template', 'a product_orgs key needs a payload template']
        WHEN jsonb_typeof(payload_template) <> 'object'
            THEN ARRAY['payload_template', 'payload template must be a JSON object']
        WHEN endpoint_type = 'product_orgs'
            AND jsonb_typeof(payload_template -> 'product_org_id') IS DISTINCT FROM 'string'
            THEN ARRAY['payload_template', 'payload template must map product_org_id']
        WHEN char_length(delivery_id_member) NOT BETWEEN 1 AND 200
            OR delivery_id_member ~ '[[:cntrl:]]'
            THEN ARRAY['delivery_id_member', 'delivery id member must be 1 to 200 characters, no '
                'control characters']
    END);
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = refusal[1];
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_key(text, text, bytea, text, bytea, timestamptz, jsonb, text) IS
    'Raises 22023 for an invalid value of a new or edited key, with the parameter as the error''s '
    'column. Internal.';

-- A key made by a request with an idempotency token follows from the token, so the retry of a
-- request whose answer was lost presents the same hash.
CREATE OR REPLACE FUNCTION sluice.key_of_retry(actor text, organization_id bigint, key_hash bytea,
    successor_of bigint) RETURNS bigint
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT k.id FROM sluice.api_key AS k
        WHERE k.key_hash = key_of_retry.key_hash
            AND k.organization_id = key_of_retry.organization_id
            AND k.created_by = key_of_retry.actor
            AND k.created_at > now() - interval '1 hour'
            AND k.successor_of IS NOT DISTINCT FROM key_of_retry.successor_of);
END
$$;
COMMENT ON FUNCTION sluice.key_of_retry(text, bigint, bytea, bigint) IS
    'The id of the key with this hash if the same actor has made it within the last hour; null '
    'otherwise. Internal.';

-- The constraint api_key_name_excl refuses a name that is taken, but not in words for its user. Whoever
-- takes one locks the organization first, and sees what was taken before.
CREATE OR REPLACE FUNCTION sluice.claim_key_name(organization_id bigint, name text, scope bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM FROM sluice.organization AS o WHERE o.id = claim_key_name.organization_id
    FOR NO KEY UPDATE;
    PERFORM FROM sluice.api_key AS k
    WHERE k.organization_id = claim_key_name.organization_id
        AND lower(k.name) = lower(claim_key_name.name) AND k.deactivated_at IS NULL
        AND coalesce(k.delivery_scope, k.id) IS DISTINCT FROM claim_key_name.scope;
    IF FOUND THEN
        RAISE EXCEPTION 'another key is named "%"', claim_key_name.name
            USING ERRCODE = 'SL005', COLUMN = 'name',
                HINT = 'choose another name; a key that is deactivated frees its own';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.claim_key_name(bigint, text, bigint) IS
    'Raises SL005 if another key of the organization that is not deactivated has this name, in '
    'whatever case; scope: the delivery_scope, or else the id, of the key that takes it, whose '
    'predecessors and successors have the same; null: a new key. The organization stays locked until '
    'the end of the transaction. Internal.';

-- The settings service passes the organization's id, sluicectl its name (key_create).
CREATE OR REPLACE FUNCTION sluice.key_add(actor text, organization_id bigint, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb, delivery_id_member text, networks text[]) RETURNS sluice.key_overview
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_name constant text := sluice.tidy_name(key_add.name);
    its_type constant text := coalesce(key_add.endpoint_type, 'signal_staging');
    new_id bigint;
    its_limit boolean;
    its_networks constant cidr[] := sluice.read_networks(networks);
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_key(its_name, its_type, key_add.key_hash, key_add.display,
        key_add.secret_hash, key_add.expires_at, key_add.payload_template,
        key_add.delivery_id_member);
    SELECT o.signal_limit > 0 AND NOT o.overages INTO STRICT its_limit FROM sluice.organization AS o
    WHERE o.id = key_add.organization_id
    FOR NO KEY UPDATE; -- so that a new limit reaches all keys, and a retry sees the first request's
    new_id := sluice.key_of_retry(actor, key_add.organization_id, key_add.key_hash, NULL);
    IF new_id IS NOT NULL THEN
        RETURN sluice.key_show(new_id);
    END IF;
    PERFORM sluice.claim_key_name(key_add.organization_id, its_name, NULL);
    INSERT INTO sluice.api_key AS k (organization_id, name, endpoint_type, key_hash, display,
        secret_hash, expires_at, payload_template, delivery_id_member, networks, limited, created_by)
    VALUES (key_add.organization_id, its_name, its_type::sluice.endpoint_type,
        key_add.key_hash, key_add.display, key_add.secret_hash, key_add.expires_at,
        key_add.payload_template, key_add.delivery_id_member, its_networks, its_limit, actor)
    ON CONFLICT DO NOTHING
    RETURNING k.id INTO new_id;
    IF NOT FOUND THEN
        -- Inserted without this function, the other key was not there to be seen.
        PERFORM sluice.claim_key_name(key_add.organization_id, its_name, NULL);
        RAISE EXCEPTION 'this key already exists' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, key_add.organization_id, 'key_create', 'api_key', new_id::text,
        jsonb_build_object('name', its_name, 'display', key_add.display,
            'endpoint_type', its_type, 'has_secret', key_add.secret_hash IS NOT NULL,
            'expires_at', key_add.expires_at, 'delivery_id_member', key_add.delivery_id_member,
            'networks', its_networks));
    RETURN sluice.key_show(new_id);
END
$$;
COMMENT ON FUNCTION sluice.key_add(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb,
    text, text[]) IS
    'What key_create and settings_key_create do. The name is stored without white space at its '
    'ends. Returns the key if the same actor has made it '
    'within the last hour. Raises 23505 if it exists otherwise, SL005 as claim_key_name does, 22023 '
    'for an invalid value, with the parameter as the error''s column. Internal.';

CREATE OR REPLACE FUNCTION sluice.key_create(actor text, organization_name text, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb, delivery_id_member text DEFAULT NULL, networks text[] DEFAULT NULL)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(actor, sluice.organization_id_of(organization_name), key_create.name,
        key_create.endpoint_type, key_create.key_hash, key_create.display, key_create.secret_hash,
        key_create.expires_at, key_create.payload_template, key_create.delivery_id_member,
        key_create.networks);
END
$$;
COMMENT ON FUNCTION sluice.key_create(text, text, text, text, bytea, text, bytea, timestamptz,
    jsonb, text, text[]) IS
    'Stores a key that the caller has generated, and returns it as key_show does. key_hash and '
    'secret_hash are SHA-256; secret_hash, expires_at, payload_template, delivery_id_member and '
    'networks (as in key_networks) may be null. A retry by the same actor with the same hash within '
    'an hour returns the key again. Raises P0002 for an unknown organization, 23505 if the key '
    'exists otherwise, SL005 if another key has the name, 22023 for an invalid value.';

CREATE OR REPLACE FUNCTION sluice.key_deactivate(actor text, id bigint) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    its_display text;
    at_ constant timestamptz := clock_timestamp();
BEGIN
    PERFORM sluice.check_name('actor', actor);
    UPDATE sluice.api_key AS k
    SET deactivated_at = at_, deactivated_by = actor
    WHERE k.id = key_deactivate.id AND k.deactivated_at IS NULL
    RETURNING k.organization_id, k.display INTO its_id, its_display;
    IF FOUND THEN
        PERFORM sluice.audit(actor, its_id, 'key_deactivate', 'api_key', key_deactivate.id::text,
            jsonb_build_object('display', its_display));
    END IF;
    RETURN sluice.key_show(key_deactivate.id);
END
$$;
COMMENT ON FUNCTION sluice.key_deactivate(text, bigint) IS
    'Deactivates a key and returns it as key_show does. Requests that authenticate after the '
    'commit are refused. Deactivating a key again changes nothing. Raises P0002 if there is no '
    'such key.';

GRANT EXECUTE ON FUNCTION
    sluice.key_create(text, text, text, text, bytea, text, bytea, timestamptz, jsonb, text, text[]),
    sluice.key_list(text, bigint, integer, text, text, text),
    sluice.key_show(bigint),
    sluice.key_deactivate(text, bigint)
TO sluice_admin;

RESET ROLE;
