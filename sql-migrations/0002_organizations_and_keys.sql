-- Who may send and who may change that: organizations, their members, API keys, and the audit log;
-- the functions by which all of it is changed. One transaction.
--
-- On a distributed PostgreSQL organization and api_key are reference tables (few rows, on every
-- node); the other tables are distributed by organization_id.

SET LOCAL ROLE sluice_owner;

-- ---- tables ----

CREATE TABLE sluice.organization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
        CONSTRAINT organization_name_check
        CHECK (char_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);
COMMENT ON TABLE sluice.organization IS
    'The tenants. Everything that is delivered belongs to one of them. Never deleted. A reference '
    'table on a distributed PostgreSQL.';
COMMENT ON COLUMN sluice.organization.id IS 'the organization_id of every other table';
COMMENT ON COLUMN sluice.organization.name IS
    'unique, 1 to 200 characters, no control characters; what operators type';
COMMENT ON COLUMN sluice.organization.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.organization.created_by IS 'the actor who created it, as in audit_log';
COMMENT ON CONSTRAINT organization_name_check ON sluice.organization IS
    '1 to 200 characters, none of them a control character: names are shown in terminals and logs';

CREATE TYPE sluice.member_role AS ENUM ('viewer', 'editor', 'admin', 'owner');
COMMENT ON TYPE sluice.member_role IS
    'What a member may do, rising, so that roles compare with < and >. Owner, admin and editor '
    'manage keys; a viewer looks at staging statistics and nothing else.';

CREATE TABLE sluice.member (
    organization_id bigint NOT NULL REFERENCES sluice.organization,
    user_name text NOT NULL
        CONSTRAINT member_user_name_check
        CHECK (char_length(user_name) BETWEEN 1 AND 200 AND user_name !~ '[[:cntrl:]]'),
    role sluice.member_role NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    added_by text NOT NULL,
    PRIMARY KEY (organization_id, user_name)
);
CREATE UNIQUE INDEX member_owner_key ON sluice.member (organization_id) WHERE role = 'owner';
COMMENT ON TABLE sluice.member IS
    'Who may change an organization''s keys through the settings service. One role per user and '
    'organization.';
COMMENT ON COLUMN sluice.member.organization_id IS 'the organization';
COMMENT ON COLUMN sluice.member.user_name IS
    'the user as the web server names it (REMOTE_USER), 1 to 200 characters';
COMMENT ON COLUMN sluice.member.role IS 'owner > admin > editor > viewer';
COMMENT ON COLUMN sluice.member.added_at IS 'when the user became a member';
COMMENT ON COLUMN sluice.member.added_by IS 'the actor who added the user, as in audit_log';
COMMENT ON CONSTRAINT member_user_name_check ON sluice.member IS
    '1 to 200 characters, none of them a control character';
COMMENT ON INDEX sluice.member_owner_key IS 'an organization has one owner at most';

CREATE TYPE sluice.endpoint_type AS ENUM ('signal_staging', 'product_orgs');
COMMENT ON TYPE sluice.endpoint_type IS
    'Which webhook paths a key is good for: signals (signal_staging) or product-org updates.';

CREATE TABLE sluice.api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL REFERENCES sluice.organization,
    name text NOT NULL
        CONSTRAINT api_key_name_check
        CHECK (char_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    endpoint_type sluice.endpoint_type NOT NULL DEFAULT 'signal_staging',
    key_hash bytea NOT NULL
        CONSTRAINT api_key_key_hash_check CHECK (octet_length(key_hash) = 32),
    display text NOT NULL
        CONSTRAINT api_key_display_check
        CHECK (display ~ '^sk_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'),
    secret_hash bytea
        CONSTRAINT api_key_secret_hash_check CHECK (octet_length(secret_hash) = 32),
    expires_at timestamptz
        CONSTRAINT api_key_expires_at_check CHECK (isfinite(expires_at)),
    payload_template jsonb,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    deactivated_at timestamptz,
    deactivated_by text,
    CONSTRAINT api_key_payload_template_check CHECK (
        CASE endpoint_type
            WHEN 'signal_staging' THEN payload_template IS NULL
            ELSE coalesce(jsonb_typeof(payload_template) = 'object'
                AND jsonb_typeof(payload_template -> 'product_org_id') = 'string', false)
        END),
    CONSTRAINT api_key_deactivated_check
        CHECK ((deactivated_at IS NULL) = (deactivated_by IS NULL))
);
CREATE UNIQUE INDEX api_key_key_hash_key ON sluice.api_key (key_hash);
CREATE INDEX api_key_organization_id_idx ON sluice.api_key (organization_id, id);
COMMENT ON TABLE sluice.api_key IS
    'API keys. A key itself is shown once, when it is made, and not stored: only its SHA-256 is. '
    'Keys are never deleted, only deactivated. A reference table on a distributed PostgreSQL. For '
    'a readable list see key_overview.';
COMMENT ON COLUMN sluice.api_key.id IS 'the key_id of other tables';
COMMENT ON COLUMN sluice.api_key.organization_id IS 'whose key it is';
COMMENT ON COLUMN sluice.api_key.name IS 'what people call it, 1 to 200 characters; not unique';
COMMENT ON COLUMN sluice.api_key.endpoint_type IS
    'which webhook paths it is good for; fixed at creation';
COMMENT ON COLUMN sluice.api_key.key_hash IS 'SHA-256 of the key; not readable by sluice_reader';
COMMENT ON COLUMN sluice.api_key.display IS
    'what may be shown of the key: sk_, 4 characters, an ellipsis, the last 4';
COMMENT ON COLUMN sluice.api_key.secret_hash IS
    'SHA-256 of the secret that every request must carry in X-Api-Secret; null: the key has none. '
    'Not readable by sluice_reader';
COMMENT ON COLUMN sluice.api_key.expires_at IS
    'from this instant on the key is refused; null: never expires';
COMMENT ON COLUMN sluice.api_key.payload_template IS
    'how a product-org payload maps to columns: an object of field to dot path, product_org_id '
    'among them; null for signal keys';
COMMENT ON COLUMN sluice.api_key.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.api_key.created_by IS 'the actor who created it, as in audit_log';
COMMENT ON COLUMN sluice.api_key.deactivated_at IS
    'when it was deactivated, for good; null: it was not';
COMMENT ON COLUMN sluice.api_key.deactivated_by IS 'the actor who deactivated it';
COMMENT ON CONSTRAINT api_key_name_check ON sluice.api_key IS
    '1 to 200 characters, none of them a control character';
COMMENT ON CONSTRAINT api_key_key_hash_check ON sluice.api_key IS 'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_key_display_check ON sluice.api_key IS
    'no more of the key than may be shown';
COMMENT ON CONSTRAINT api_key_secret_hash_check ON sluice.api_key IS 'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_key_expires_at_check ON sluice.api_key IS
    'null, not infinity, says never';
COMMENT ON CONSTRAINT api_key_payload_template_check ON sluice.api_key IS
    'required for product_orgs, refused for signal_staging';
COMMENT ON CONSTRAINT api_key_deactivated_check ON sluice.api_key IS
    'when and by whom belong together';
COMMENT ON INDEX sluice.api_key_key_hash_key IS
    'A key is looked up before its organization is known, so this unique index does not begin '
    'with organization_id as the others do; that is why api_key is a reference table on a '
    'distributed PostgreSQL.';
COMMENT ON INDEX sluice.api_key_organization_id_idx IS 'lists an organization''s keys';

CREATE TABLE sluice.key_activity (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    slot smallint NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id, slot)
) WITH (fillfactor = 50);
COMMENT ON TABLE sluice.key_activity IS
    'When each key was last used, in a few rows a key, so that transactions that use the same key '
    'at the same time write to different rows and never wait for each other. Read the maximum (or '
    'key_overview). Written by intake_signals when the last note is 45 seconds old, so it lags by '
    'less than a minute. Half of each page is left free for updates in place.';
COMMENT ON COLUMN sluice.key_activity.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.key_activity.key_id IS
    'the key; no foreign key, which would lock the api_key row';
COMMENT ON COLUMN sluice.key_activity.slot IS
    '0 to 63: of the advisory lock that the writing transaction held; says nothing about the use';
COMMENT ON COLUMN sluice.key_activity.last_used_at IS
    'when a request with this key was last accepted by a writer of this slot';

CREATE TABLE sluice.audit_log (
    organization_id bigint NOT NULL REFERENCES sluice.organization,
    id bigint GENERATED ALWAYS AS IDENTITY,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL
        CONSTRAINT audit_log_actor_check
        CHECK (char_length(actor) BETWEEN 1 AND 200 AND actor !~ '[[:cntrl:]]'),
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT audit_log_details_check CHECK (jsonb_typeof(details) = 'object'),
    PRIMARY KEY (organization_id, id)
);
COMMENT ON TABLE sluice.audit_log IS
    'Every change of organizations, members and keys, written by the function that made it, in '
    'the same transaction. Rows are only ever added. Holds no key, secret or hash.';
COMMENT ON COLUMN sluice.audit_log.organization_id IS 'whose object was changed';
COMMENT ON COLUMN sluice.audit_log.id IS
    'rises with time, but gaps and small disorder are possible';
COMMENT ON COLUMN sluice.audit_log.occurred_at IS 'when the change''s transaction began';
COMMENT ON COLUMN sluice.audit_log.actor IS
    'who did it, as the calling program says: an operator''s or a web user''s name';
COMMENT ON COLUMN sluice.audit_log.action IS
    'what was done: organization_create, member_add, member_remove, key_create, key_deactivate';
COMMENT ON COLUMN sluice.audit_log.object_kind IS 'organization, member or api_key';
COMMENT ON COLUMN sluice.audit_log.object_id IS
    'the object''s id; a member''s user name';
COMMENT ON COLUMN sluice.audit_log.details IS 'what else is worth knowing, as a JSON object';
COMMENT ON CONSTRAINT audit_log_actor_check ON sluice.audit_log IS
    '1 to 200 characters, none of them a control character';
COMMENT ON CONSTRAINT audit_log_details_check ON sluice.audit_log IS 'a JSON object';

-- ---- views ----

CREATE VIEW sluice.key_overview AS
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
    k.payload_template
FROM sluice.api_key AS k
JOIN sluice.organization AS o ON o.id = k.organization_id;
COMMENT ON VIEW sluice.key_overview IS
    'API keys as people want to see them: with status and last use, without hashes. The shape of '
    'key_create, key_list, key_show and key_deactivate.';
COMMENT ON COLUMN sluice.key_overview.id IS 'the key''s id';
COMMENT ON COLUMN sluice.key_overview.organization IS 'the organization''s name';
COMMENT ON COLUMN sluice.key_overview.name IS 'the key''s name';
COMMENT ON COLUMN sluice.key_overview.display IS 'what may be shown of the key';
COMMENT ON COLUMN sluice.key_overview.endpoint_type IS 'signal_staging or product_orgs';
COMMENT ON COLUMN sluice.key_overview.has_secret IS 'true when requests must carry X-Api-Secret';
COMMENT ON COLUMN sluice.key_overview.status IS 'active, expired or deactivated, at this moment';
COMMENT ON COLUMN sluice.key_overview.expires_at IS 'when it expires; null: never';
COMMENT ON COLUMN sluice.key_overview.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.key_overview.created_by IS 'who created it';
COMMENT ON COLUMN sluice.key_overview.last_used_at IS
    'when a request was last accepted, up to a minute late; null: never';
COMMENT ON COLUMN sluice.key_overview.deactivated_at IS 'when it was deactivated; null: it was not';
COMMENT ON COLUMN sluice.key_overview.deactivated_by IS 'who deactivated it';
COMMENT ON COLUMN sluice.key_overview.payload_template IS
    'the payload template of a product_orgs key';

-- ---- what the functions share ----

CREATE FUNCTION sluice.organization_id_of(organization_name text) RETURNS bigint
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    found_id bigint;
BEGIN
    SELECT o.id INTO found_id FROM sluice.organization AS o
    WHERE o.name = organization_id_of.organization_name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organization "%" does not exist', organization_name
            USING ERRCODE = 'no_data_found';
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_id_of(text) IS
    'The id of the organization of that name; raises P0002 when there is none. For the functions '
    'of this schema.';

CREATE FUNCTION sluice.check_name(what text, value text) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF value IS NULL OR value = '' THEN
        RAISE EXCEPTION '% is missing', what USING ERRCODE = 'invalid_parameter_value';
    ELSIF char_length(value) > 200 THEN
        RAISE EXCEPTION '% is longer than 200 characters', what
            USING ERRCODE = 'invalid_parameter_value';
    ELSIF value ~ '[[:cntrl:]]' THEN
        RAISE EXCEPTION '% contains a control character', what
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
END
$$;
COMMENT ON FUNCTION sluice.check_name(text, text) IS
    'Raises 22023 unless the value is 1 to 200 characters without control characters; "what" '
    'names it in the message. For the functions of this schema.';

CREATE FUNCTION sluice.audit(actor text, organization_id bigint, action text, object_kind text,
    object_id text, details jsonb) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM sluice.check_name('actor', actor);
    INSERT INTO sluice.audit_log (organization_id, actor, action, object_kind, object_id, details)
    VALUES (audit.organization_id, audit.actor, audit.action, audit.object_kind, audit.object_id,
        coalesce(audit.details, '{}'));
END
$$;
COMMENT ON FUNCTION sluice.audit(text, bigint, text, text, text, jsonb) IS
    'Adds a row to audit_log; raises 22023 when the actor is missing. For the functions of this '
    'schema, which call it in the transaction of the change.';

-- ---- organizations and members ----

CREATE FUNCTION sluice.organization_create(actor text, name text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    new_id bigint;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('organization name', organization_create.name);
    INSERT INTO sluice.organization AS o (name, created_by)
    VALUES (organization_create.name, actor)
    ON CONFLICT ON CONSTRAINT organization_name_key DO NOTHING
    RETURNING o.id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'organization "%" already exists', organization_create.name
            USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, new_id, 'organization_create', 'organization', new_id::text,
        jsonb_build_object('name', organization_create.name));
    RETURN new_id;
END
$$;
COMMENT ON FUNCTION sluice.organization_create(text, text) IS
    'Creates an organization and returns its id. Raises 23505 when the name is taken, 22023 when '
    'it or the actor is refused.';

CREATE FUNCTION sluice.organization_list()
RETURNS TABLE (id bigint, name text, created_at timestamptz, created_by text, members bigint,
    keys bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT o.id, o.name, o.created_at, o.created_by,
        (SELECT count(*) FROM sluice.member AS m WHERE m.organization_id = o.id),
        (SELECT count(*) FROM sluice.api_key AS k
            WHERE k.organization_id = o.id AND k.deactivated_at IS NULL)
    FROM sluice.organization AS o
    ORDER BY o.name;
END;
COMMENT ON FUNCTION sluice.organization_list() IS
    'All organizations by name, with the numbers of their members and of their keys that are not '
    'deactivated.';

CREATE FUNCTION sluice.member_add(actor text, organization_name text, user_name text, role text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    owner_name text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('user name', member_add.user_name);
    IF member_add.role IS NULL
        OR member_add.role <> ALL (enum_range(NULL::sluice.member_role)::text[])
    THEN
        RAISE EXCEPTION 'role must be owner, admin, editor or viewer'
            USING ERRCODE = 'invalid_parameter_value';
    END IF;
    its_id := sluice.organization_id_of(organization_name);
    -- No arbiter: either unique index may be the one that objects.
    INSERT INTO sluice.member (organization_id, user_name, role, added_by)
    VALUES (its_id, member_add.user_name, member_add.role::sluice.member_role, actor)
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT m.user_name INTO owner_name FROM sluice.member AS m
        WHERE m.organization_id = its_id AND m.role = 'owner'
            AND m.user_name <> member_add.user_name AND member_add.role = 'owner';
        IF FOUND THEN
            RAISE EXCEPTION 'organization "%" already has the owner "%"', organization_name,
                owner_name USING ERRCODE = 'unique_violation';
        END IF;
        RAISE EXCEPTION 'user "%" is already a member of organization "%"', member_add.user_name,
            organization_name USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, its_id, 'member_add', 'member', member_add.user_name,
        jsonb_build_object('role', member_add.role));
END
$$;
COMMENT ON FUNCTION sluice.member_add(text, text, text, text) IS
    'Makes a user a member of an organization (actor, organization, user, role). Raises 23505 for '
    'a member or a second owner, P0002 for an unknown organization, 22023 for a refused value. A '
    'role is changed by removing the member and adding it again.';

CREATE FUNCTION sluice.member_list(organization_name text)
RETURNS TABLE (user_name text, role text, added_at timestamptz, added_by text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint := sluice.organization_id_of(organization_name);
BEGIN
    RETURN QUERY
    SELECT m.user_name, m.role::text, m.added_at, m.added_by
    FROM sluice.member AS m
    WHERE m.organization_id = its_id
    ORDER BY m.role DESC, m.user_name;
END
$$;
COMMENT ON FUNCTION sluice.member_list(text) IS
    'The members of an organization, the owner first. Raises P0002 for an unknown organization.';

CREATE FUNCTION sluice.member_remove(actor text, organization_name text, user_name text)
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    old_role text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    its_id := sluice.organization_id_of(organization_name);
    DELETE FROM sluice.member AS m
    WHERE m.organization_id = its_id AND m.user_name = member_remove.user_name
    RETURNING m.role::text INTO old_role;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'user "%" is not a member of organization "%"', member_remove.user_name,
            organization_name USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM sluice.audit(actor, its_id, 'member_remove', 'member', member_remove.user_name,
        jsonb_build_object('role', old_role));
END
$$;
COMMENT ON FUNCTION sluice.member_remove(text, text, text) IS
    'Ends a membership (actor, organization, user). Raises P0002 when there is none.';

-- ---- keys ----

CREATE FUNCTION sluice.key_show(id bigint) RETURNS sluice.key_overview
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
    'One key as key_overview shows it. Raises P0002 when there is none.';

CREATE FUNCTION sluice.key_list(organization_name text) RETURNS SETOF sluice.key_overview
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF organization_name IS NOT NULL THEN
        PERFORM sluice.organization_id_of(organization_name);
    END IF;
    RETURN QUERY
    SELECT * FROM sluice.key_overview AS v
    WHERE organization_name IS NULL OR v.organization = organization_name
    ORDER BY v.organization, v.id;
END
$$;
COMMENT ON FUNCTION sluice.key_list(text) IS
    'The keys of an organization, or with null of all, as key_overview shows them, oldest first. '
    'Raises P0002 for an unknown organization.';

CREATE FUNCTION sluice.key_create(actor text, organization_name text, name text,
    endpoint_type text, key_hash bytea, display text, secret_hash bytea, expires_at timestamptz,
    payload_template jsonb) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    its_type text := coalesce(key_create.endpoint_type, 'signal_staging');
    new_id bigint;
    refusal text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    PERFORM sluice.check_name('key name', key_create.name);
    refusal := CASE
        WHEN its_type <> ALL (enum_range(NULL::sluice.endpoint_type)::text[])
            THEN 'endpoint type must be signal_staging or product_orgs'
        WHEN key_create.key_hash IS NULL OR octet_length(key_create.key_hash) <> 32
            THEN 'key hash must be a SHA-256'
        WHEN octet_length(key_create.secret_hash) <> 32
            THEN 'secret hash must be a SHA-256'
        WHEN key_create.display IS NULL
            OR key_create.display !~ '^sk_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'
            THEN 'display must be sk_, 4 characters, an ellipsis and 4 characters'
        WHEN NOT isfinite(key_create.expires_at)
            THEN 'expiration must be an instant'
        WHEN its_type = 'signal_staging' AND key_create.payload_template IS NOT NULL
            THEN 'a signal_staging key takes no payload template'
        WHEN its_type = 'product_orgs' AND key_create.payload_template IS NULL
            THEN 'a product_orgs key needs a payload template'
        WHEN jsonb_typeof(key_create.payload_template) <> 'object'
            THEN 'payload template must be a JSON object'
        WHEN its_type = 'product_orgs' AND jsonb_typeof(key_create.payload_template
            -> 'product_org_id') IS DISTINCT FROM 'string'
            THEN 'payload template must map product_org_id'
    END;
    IF refusal IS NOT NULL THEN
        RAISE EXCEPTION '%', refusal USING ERRCODE = 'invalid_parameter_value';
    END IF;
    its_id := sluice.organization_id_of(organization_name);
    INSERT INTO sluice.api_key AS k (organization_id, name, endpoint_type, key_hash, display,
        secret_hash, expires_at, payload_template, created_by)
    VALUES (its_id, key_create.name, its_type::sluice.endpoint_type, key_create.key_hash,
        key_create.display, key_create.secret_hash, key_create.expires_at,
        key_create.payload_template, actor)
    ON CONFLICT DO NOTHING
    RETURNING k.id INTO new_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this key already exists' USING ERRCODE = 'unique_violation';
    END IF;
    PERFORM sluice.audit(actor, its_id, 'key_create', 'api_key', new_id::text,
        jsonb_build_object('name', key_create.name, 'display', key_create.display,
            'endpoint_type', its_type, 'has_secret', key_create.secret_hash IS NOT NULL,
            'expires_at', key_create.expires_at));
    RETURN sluice.key_show(new_id);
END
$$;
COMMENT ON FUNCTION
    sluice.key_create(text, text, text, text, bytea, text, bytea, timestamptz, jsonb) IS
    'Stores a key that the caller has made (actor, organization, name, endpoint type, SHA-256 of '
    'the key, what may be shown of it, SHA-256 of the secret or null, expiration or null, payload '
    'template or null) and returns it as key_show does. Raises P0002 for an unknown organization, '
    '23505 for a key that exists, 22023 for a refused value.';

CREATE FUNCTION sluice.key_deactivate(actor text, id bigint) RETURNS sluice.key_overview
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    its_id bigint;
    its_display text;
BEGIN
    PERFORM sluice.check_name('actor', actor);
    UPDATE sluice.api_key AS k
    SET deactivated_at = clock_timestamp(), deactivated_by = actor
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
    'Deactivates a key (actor, id) and returns it as key_show does. Requests that authenticate '
    'after the commit are refused. Again: keeps the first instant and adds nothing to the audit '
    'log. Raises P0002 when there is no such key.';

-- ---- grants ----

GRANT SELECT ON sluice.organization, sluice.member, sluice.key_activity, sluice.audit_log,
    sluice.key_overview TO sluice_reader;
GRANT SELECT (id, organization_id, name, endpoint_type, display, expires_at, payload_template,
    created_at, created_by, deactivated_at, deactivated_by) ON sluice.api_key TO sluice_reader;

GRANT EXECUTE ON FUNCTION
    sluice.organization_create(text, text),
    sluice.organization_list(),
    sluice.member_add(text, text, text, text),
    sluice.member_list(text),
    sluice.member_remove(text, text, text),
    sluice.key_create(text, text, text, text, bytea, text, bytea, timestamptz, jsonb),
    sluice.key_list(text),
    sluice.key_show(bigint),
    sluice.key_deactivate(text, bigint)
TO sluice_admin;

RESET ROLE;
