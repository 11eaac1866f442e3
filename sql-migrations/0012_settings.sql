-- What the settings service asks for. One transaction.
--
-- It logs in as sluice_settings, which may call the functions below and nothing else. Each takes the
-- user, as the web server names him, and an organization, and looks up for itself what that user may
-- do there: whoever takes the service over still needs the name of a member, and learns no hash.
--
-- Errors of its own, all of class SL: SL001 no member of the organization, SL002 the role is too low,
-- SL003 a member of several organizations who names none.

-- As in 0001: for those who log in under this name. Its statements are short; what has not ended by
-- then is waited for by nobody.
DO $do$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['statement_timeout = ''15s''',
        'idle_in_transaction_session_timeout = ''15s''', 'jit = off']
    LOOP
        EXECUTE pg_catalog.format('ALTER ROLE sluice_settings IN DATABASE %I SET %s',
            pg_catalog.current_database(), setting);
    END LOOP;
END
$do$;

SET LOCAL ROLE sluice_owner;

-- ---- who is asking ----

CREATE TABLE sluice.settings_secret (
    only_row boolean PRIMARY KEY DEFAULT true
        CONSTRAINT settings_secret_only_row_check CHECK (only_row),
    csrf_key bytea NOT NULL
        CONSTRAINT settings_secret_csrf_key_check CHECK (octet_length(csrf_key) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.settings_secret IS
    'The key under which the settings service signs the tokens of its page, of this installation '
    'alone; one row. Readable by the service only. Another key ends the tokens that are out, so that '
    'pages have to be loaded again.';
COMMENT ON COLUMN sluice.settings_secret.only_row IS 'always true';
COMMENT ON COLUMN sluice.settings_secret.csrf_key IS
    '32 random bytes: sha256 of two gen_random_uuid(), which take theirs from the system''s strong '
    'source';
COMMENT ON COLUMN sluice.settings_secret.made_at IS 'when it was made';
COMMENT ON CONSTRAINT settings_secret_only_row_check ON sluice.settings_secret IS 'one row';
COMMENT ON CONSTRAINT settings_secret_csrf_key_check ON sluice.settings_secret IS
    'a key of HMAC-SHA256';
INSERT INTO sluice.settings_secret (csrf_key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

CREATE FUNCTION sluice.settings_csrf_key() RETURNS bytea
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN (SELECT s.csrf_key FROM sluice.settings_secret AS s);
END
$$;
COMMENT ON FUNCTION sluice.settings_csrf_key() IS
    'The key of the settings page''s tokens. For the settings service.';

CREATE FUNCTION sluice.membership(user_name text, organization_id bigint,
    needed sluice.member_role) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found record;
BEGIN
    SELECT count(*) AS n, min(m.organization_id) AS id, min(m.role) AS role INTO found
    FROM sluice.member AS m
    WHERE m.user_name = membership.user_name
        AND (membership.organization_id IS NULL OR m.organization_id = membership.organization_id);
    IF found.n = 0 THEN
        RAISE EXCEPTION 'not a member' USING ERRCODE = 'SL001';
    ELSIF found.n > 1 THEN
        RAISE EXCEPTION 'member of several organizations' USING ERRCODE = 'SL003';
    ELSIF found.role < needed THEN
        RAISE EXCEPTION 'role is too low' USING ERRCODE = 'SL002';
    END IF;
    RETURN found.id;
END
$$;
COMMENT ON FUNCTION sluice.membership(text, bigint, sluice.member_role) IS
    'The id of an organization if the user is a member of it and has at least this role; with null '
    'the only one that he is a member of. Raises SL001 for no member (also of an organization that '
    'does not exist), SL002 for a lower role, SL003 for null and several. For the functions of this '
    'schema.';

CREATE FUNCTION sluice.settings_me(user_name text)
RETURNS TABLE (id bigint, name text, role text, may_manage_keys boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT o.id, o.name, m.role::text, m.role >= 'editor'
    FROM sluice.member AS m
    JOIN sluice.organization AS o ON o.id = m.organization_id
    WHERE m.user_name = settings_me.user_name
    ORDER BY o.name;
END
$$;
COMMENT ON FUNCTION sluice.settings_me(text) IS
    'The organizations that a user is a member of, and what he may do there.';

-- ---- keys ----

-- Two more columns: why a key that was presented was not accepted.
CREATE OR REPLACE VIEW sluice.key_overview AS
SELECT
    k.id,
    o.name AS organization,
    k.name,
    k.display,
    k.endpoint_type::text AS endpoint_type,
    k.secret_hash IS NOT NULL AS has_secret,
    CASE
        WHEN k.deactivated_at IS NOT NULL THEN 'deactivated'
        WHEN k.expires_at <= now() THEN 'expired'
        ELSE 'active'
    END AS status,
    k.expires_at,
    k.created_at,
    k.created_by,
    (SELECT max(a.last_used_at) FROM sluice.key_activity AS a
        WHERE a.organization_id = k.organization_id AND a.key_id = k.id) AS last_used_at,
    k.deactivated_at,
    k.deactivated_by,
    k.payload_template,
    k.organization_id,
    r.last_at AS last_refused_at,
    r.reason::text AS last_refusal
FROM sluice.api_key AS k
JOIN sluice.organization AS o ON o.id = k.organization_id
LEFT JOIN LATERAL (
    SELECT q.last_at, q.reason FROM sluice.refused_request AS q
    WHERE q.organization_id = k.organization_id AND q.key_id = k.id
    ORDER BY q.last_at DESC
    LIMIT 1) AS r ON true;
COMMENT ON COLUMN sluice.key_overview.organization_id IS 'the organization; organization.id';
COMMENT ON COLUMN sluice.key_overview.last_refused_at IS
    'when a request with the key was last refused, up to ten seconds late; null: not in the time kept';
COMMENT ON COLUMN sluice.key_overview.last_refusal IS 'why: see type refusal';

-- From here on by the organization's id; the function with its name is below.
CREATE FUNCTION sluice.key_add(actor text, organization_id bigint, name text, endpoint_type text,
    key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_type text := coalesce(key_add.endpoint_type, 'signal_staging');
    new_id bigint;
    refusal text[]; -- the parameter, and what is wrong with it
BEGIN
    PERFORM sluice.check_name('actor', actor);
    BEGIN
        PERFORM sluice.check_name('key name', key_add.name);
    EXCEPTION WHEN invalid_parameter_value THEN
        refusal := ARRAY['name', SQLERRM];
    END;
    refusal := coalesce(refusal, CASE
        WHEN its_type <> ALL (enum_range(NULL::sluice.endpoint_type)::text[])
            THEN ARRAY['endpoint_type', 'endpoint type must be signal_staging or product_orgs']
        WHEN key_add.key_hash IS NULL OR octet_length(key_add.key_hash) <> 32
            THEN ARRAY['', 'key hash must be a SHA-256']
        WHEN octet_length(key_add.secret_hash) <> 32
            THEN ARRAY['', 'secret hash must be a SHA-256']
        WHEN key_add.display IS NULL
            OR key_add.display !~ '^sk_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'
            THEN ARRAY['', 'display must be sk_, 4 characters, an ellipsis and 4 characters']
        WHEN NOT isfinite(key_add.expires_at)
            THEN ARRAY['expires_at', 'expiration must be an instant']
        WHEN its_type = 'signal_staging' AND key_add.payload_template IS NOT NULL
            THEN ARRAY['payload_template', 'a signal_staging key takes no payload template']
        WHEN its_type = 'product_orgs' AND key_add.payload_template IS NULL
            THEN ARRAY['payload_template', 'a product_orgs key needs a payload template']
        WHEN jsonb_typeof(key_add.payload_template) <> 'object'
            THEN ARRAY['payload_template', 'payload template must be a JSON object']
        WHEN its_type = 'product_orgs' AND jsonb_typeof(key_add.payload_template
            -> 'product_org_id') IS DISTINCT FROM 'string'
            THEN ARRAY['payload_template', 'payload template must map product_org_id']
    END);
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal[2]
            USING ERRCODE = 'invalid_parameter_value', COLUMN = refusal[1];
    END IF;
    INSERT INTO sluice.api_key AS k (organization_id, name, endpoint_type, key_hash, display,
        secret_hash, expires_at, payload_template, created_by)
    VALUES (key_add.organization_id, key_add.name, its_type::sluice.endpoint_type,
        key_add.key_hash, key_add.display, key_add.secret_hash, key_add.expires_at,
        key_add.payload_template, actor)
    ON CONFLICT DO NOTHING
    RETURNING k.id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this key already exists' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, key_add.organization_id, 'key_create', 'api_key', new_id::text,
        jsonb_build_object('name', key_add.name, 'display', key_add.display,
            'endpoint_type', its_type, 'has_secret', key_add.secret_hash IS NOT NULL,
            'expires_at', key_add.expires_at));
    RETURN sluice.key_show(new_id);
END
$$;
COMMENT ON FUNCTION
    sluice.key_add(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb) IS
    'What key_create and settings_key_create do. Raises 23505 for a key that exists, 22023 for a '
    'refused value, with the parameter as the error''s column. For the functions of this schema.';

CREATE OR REPLACE FUNCTION sluice.key_create(actor text, organization_name text, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(actor, sluice.organization_id_of(organization_name), key_create.name,
        key_create.endpoint_type, key_create.key_hash, key_create.display, key_create.secret_hash,
        key_create.expires_at, key_create.payload_template);
END
$$;

CREATE FUNCTION sluice.settings_keys(user_name text, organization_id bigint)
RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.membership(user_name, organization_id, 'editor');
BEGIN
    RETURN QUERY
    SELECT * FROM sluice.key_overview AS v WHERE v.organization_id = its_id ORDER BY v.id DESC;
END
$$;
COMMENT ON FUNCTION sluice.settings_keys(text, bigint) IS
    'The keys of an organization as key_overview shows them, newest first, for an editor, admin or '
    'owner of it. Raises as membership does.';

CREATE FUNCTION sluice.settings_key(user_name text, organization_id bigint, id bigint)
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
    'One key of an organization, for an editor, admin or owner of it. Raises P0002 when it has no '
    'such key, and as membership does.';

CREATE FUNCTION sluice.settings_key_create(user_name text, organization_id bigint, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RETURN sluice.key_add(user_name, sluice.membership(user_name, organization_id, 'editor'),
        settings_key_create.name, settings_key_create.endpoint_type,
        settings_key_create.key_hash, settings_key_create.display,
        settings_key_create.secret_hash, settings_key_create.expires_at,
        settings_key_create.payload_template);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea,
    timestamptz, jsonb) IS
    'As key_create, for an editor, admin or owner of the organization. Raises as key_add and '
    'membership do.';

CREATE FUNCTION sluice.settings_key_deactivate(user_name text, organization_id bigint, id bigint)
RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.settings_key(user_name, organization_id, settings_key_deactivate.id);
    RETURN sluice.key_deactivate(user_name, settings_key_deactivate.id);
END
$$;
COMMENT ON FUNCTION sluice.settings_key_deactivate(text, bigint, bigint) IS
    'As key_deactivate, for an editor, admin or owner of the organization whose key it is. Raises as '
    'settings_key does.';

-- ---- grants ----

GRANT EXECUTE ON FUNCTION
    sluice.settings_csrf_key(),
    sluice.settings_me(text),
    sluice.settings_keys(text, bigint),
    sluice.settings_key(text, bigint, bigint),
    sluice.settings_key_create(text, bigint, text, text, bytea, text, bytea, timestamptz, jsonb),
    sluice.settings_key_deactivate(text, bigint, bigint)
TO sluice_settings;

RESET ROLE;
