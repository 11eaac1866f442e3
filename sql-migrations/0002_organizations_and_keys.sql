-- Organizations, their members, API keys, tokens of the settings API, and the audit log.
--
-- In a distributed PostgreSQL organization, api_key and api_token are reference tables: few rows, on
-- every node. All other tables are distributed by organization_id. No foreign key points to organization;
-- the functions check it, and organizations are never deleted.

SET LOCAL ROLE sluice_owner;

CREATE TABLE sluice.organization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
        CONSTRAINT organization_name_check
        CHECK (char_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    signal_limit bigint NOT NULL DEFAULT 0
        CONSTRAINT organization_signal_limit_check CHECK (signal_limit >= 0),
    overages boolean NOT NULL DEFAULT false,
    currency text NOT NULL DEFAULT 'USD'
        CONSTRAINT organization_currency_check CHECK (currency ~ '^[A-Z]{3}$'),
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);
CREATE UNIQUE INDEX organization_name_key ON sluice.organization (lower(name));
COMMENT ON TABLE sluice.organization IS
    'The tenants. Everything that is delivered belongs to one of them. Rows are never deleted.';
COMMENT ON COLUMN sluice.organization.id IS 'organization_id in the other tables';
COMMENT ON COLUMN sluice.organization.name IS 'unique in whatever case; operators type it';
COMMENT ON INDEX sluice.organization_name_key IS
    'no two names differ only in case, so that nobody takes one for the other';
COMMENT ON COLUMN sluice.organization.signal_limit IS
    'signals and product-org updates per calendar month (UTC); 0: no limit';
COMMENT ON COLUMN sluice.organization.overages IS
    'true: signals over the limit are accepted and counted; false: they are refused with 429';
COMMENT ON COLUMN sluice.organization.currency IS
    'what its product orgs'' money is in, a code of ISO 4217; organization_currency changes it';
COMMENT ON CONSTRAINT organization_currency_check ON sluice.organization IS
    'three capital letters';
COMMENT ON COLUMN sluice.organization.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.organization.created_by IS 'the actor, as in audit_log';
COMMENT ON CONSTRAINT organization_name_check ON sluice.organization IS
    '1 to 200 characters; no control characters, because terminals and logs show names';
COMMENT ON CONSTRAINT organization_signal_limit_check ON sluice.organization IS 'not negative';
COMMENT ON SEQUENCE sluice.organization_id_seq IS 'numbers organizations';

CREATE TYPE sluice.member_role AS ENUM ('viewer', 'editor', 'admin', 'owner');
COMMENT ON TYPE sluice.member_role IS
    'What a member may do, in rising order, so that roles compare with < and >. Owners, admins and '
    'editors manage keys; viewers only see staging statistics.';

CREATE TABLE sluice.member (
    organization_id bigint NOT NULL,
    user_name text NOT NULL
        CONSTRAINT member_user_name_check
        CHECK (char_length(user_name) BETWEEN 1 AND 200 AND user_name !~ '[[:cntrl:]]'),
    role sluice.member_role NOT NULL,
    added_at timestamptz NOT NULL DEFAULT now(),
    added_by text NOT NULL,
    PRIMARY KEY (organization_id, user_name)
);
CREATE UNIQUE INDEX member_owner_key ON sluice.member (organization_id) WHERE role = 'owner';
CREATE INDEX member_user_name_idx ON sluice.member (user_name);
COMMENT ON TABLE sluice.member IS
    'The users who may use an organization''s settings. One role per user and organization.';
COMMENT ON COLUMN sluice.member.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.member.user_name IS
    'the user name that the web server passes on (REMOTE_USER)';
COMMENT ON COLUMN sluice.member.role IS 'owner > admin > editor > viewer';
COMMENT ON COLUMN sluice.member.added_at IS 'when the user became a member';
COMMENT ON COLUMN sluice.member.added_by IS 'the actor, as in audit_log';
COMMENT ON CONSTRAINT member_user_name_check ON sluice.member IS
    '1 to 200 characters, no control characters';
COMMENT ON INDEX sluice.member_owner_key IS 'at most one owner per organization';
COMMENT ON INDEX sluice.member_user_name_idx IS 'finds a user''s organizations';

CREATE TYPE sluice.endpoint_type AS ENUM ('signal_staging', 'product_orgs');
COMMENT ON TYPE sluice.endpoint_type IS
    'The webhook paths that a key works on: signals (signal_staging) or product-org updates '
    '(product_orgs).';

CREATE TABLE sluice.api_key (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL,
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
    previous_secret_hash bytea
        CONSTRAINT api_key_previous_secret_hash_check
        CHECK (octet_length(previous_secret_hash) = 32),
    previous_secret_until timestamptz
        CONSTRAINT api_key_previous_secret_until_check CHECK (isfinite(previous_secret_until)),
    secret_changed_at timestamptz,
    expires_at timestamptz
        CONSTRAINT api_key_expires_at_check CHECK (isfinite(expires_at)),
    payload_template jsonb,
    template_version bigint GENERATED ALWAYS AS
        (hashtextextended(payload_template::text, 0)) STORED,
    delivery_id_member text
        CONSTRAINT api_key_delivery_id_member_check
        CHECK (char_length(delivery_id_member) BETWEEN 1 AND 200
            AND delivery_id_member !~ '[[:cntrl:]]'),
    networks cidr[]
        CONSTRAINT api_key_networks_check
        CHECK (array_ndims(networks) = 1 AND cardinality(networks) BETWEEN 1 AND 200
            AND array_position(networks, NULL) IS NULL),
    successor_of bigint,
    delivery_scope bigint,
    limited boolean NOT NULL DEFAULT false,
    ordinary boolean NOT NULL GENERATED ALWAYS AS
        (NOT limited AND delivery_id_member IS NULL AND networks IS NULL) STORED,
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
    CONSTRAINT api_key_previous_secret_check CHECK (
        CASE
            WHEN previous_secret_until IS NULL THEN previous_secret_hash IS NULL
            ELSE secret_hash IS NOT NULL
        END),
    CONSTRAINT api_key_successor_of_check
        CHECK ((successor_of IS NULL) = (delivery_scope IS NULL)),
    CONSTRAINT api_key_deactivated_check
        CHECK ((deactivated_at IS NULL) = (deactivated_by IS NULL)),
    -- No unique index can say that keys of one name must have one scope. GiST has an operator class
    -- with <> for addresses, and for no other type without an extension: hence numbers as addresses.
    CONSTRAINT api_key_name_excl EXCLUDE USING gist (
        (inet '8000::' + organization_id) inet_ops WITH =,
        (inet '8000::' + hashtextextended(lower(name), 0)) inet_ops WITH =,
        (inet '8000::' + coalesce(delivery_scope, id)) inet_ops WITH <>
    ) WHERE (deactivated_at IS NULL)
);
CREATE UNIQUE INDEX api_key_key_hash_key ON sluice.api_key (key_hash);
CREATE INDEX api_key_organization_id_idx ON sluice.api_key (organization_id, id);
CREATE INDEX api_key_successor_of_idx ON sluice.api_key (successor_of)
    WHERE successor_of IS NOT NULL;
CREATE INDEX api_key_name_idx ON sluice.api_key (organization_id, lower(name))
    WHERE deactivated_at IS NULL;
COMMENT ON TABLE sluice.api_key IS
    'API keys. The key itself is shown once, at creation; the table stores its SHA-256. Keys are '
    'never deleted, only deactivated. Read key_overview.';
COMMENT ON COLUMN sluice.api_key.id IS 'key_id in the other tables';
COMMENT ON COLUMN sluice.api_key.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.api_key.name IS
    'unique in whatever case among the keys of an organization that are not deactivated; a key and '
    'its successors share it (api_key_name_excl)';
COMMENT ON COLUMN sluice.api_key.endpoint_type IS
    'the webhook paths it works on; fixed at creation';
COMMENT ON COLUMN sluice.api_key.key_hash IS 'SHA-256 of the key; hidden from sluice_reader';
COMMENT ON COLUMN sluice.api_key.display IS
    'the part of the key that may be shown: sk_, 4 characters, an ellipsis, the last 4';
COMMENT ON COLUMN sluice.api_key.secret_hash IS
    'SHA-256 of the secret that requests must carry in X-Api-Secret; null: no secret. Hidden from '
    'sluice_reader';
COMMENT ON COLUMN sluice.api_key.previous_secret_hash IS
    'SHA-256 of the previous secret; null: there was none. Valid until previous_secret_until. Hidden '
    'from sluice_reader';
COMMENT ON COLUMN sluice.api_key.previous_secret_until IS
    'end of the overlap: until then the previous secret is valid, too, or requests need none if '
    'there was none; null: no overlap';
COMMENT ON COLUMN sluice.api_key.secret_changed_at IS
    'when the secret was last enabled, rotated or removed; null: not since the key was created';
COMMENT ON COLUMN sluice.api_key.expires_at IS
    'the key is refused from this time on; null: never expires';
COMMENT ON COLUMN sluice.api_key.payload_template IS
    'maps a product-org payload to columns: an object of fields and dot paths; null for signal '
    'keys';
COMMENT ON COLUMN sluice.api_key.template_version IS
    'a hash of payload_template, by which a worker sees that it has another one; null for signal keys';
COMMENT ON COLUMN sluice.api_key.delivery_id_member IS
    'the member of a payload that is its delivery''s id, by name or by a path with dots; null: only '
    'those that all senders share (messageId, message_id)';
COMMENT ON COLUMN sluice.api_key.networks IS
    'requests are accepted only from clients in one of these networks; null: from everywhere';
COMMENT ON COLUMN sluice.api_key.successor_of IS
    'the key that this one replaces by rotation; null: none';
COMMENT ON COLUMN sluice.api_key.delivery_scope IS
    'the first key of a chain of rotations, which all share one scope of message ids; null: the '
    'key''s own id';
COMMENT ON COLUMN sluice.api_key.limited IS
    'true: the organization has a signal limit and no overages. Copied here by organization_limit '
    'and key_add, so that a request reads one row';
COMMENT ON COLUMN sluice.api_key.ordinary IS
    'true: intake_ordinary takes its signals, because nothing but key and secret decides about them';
COMMENT ON COLUMN sluice.api_key.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.api_key.created_by IS 'the actor, as in audit_log';
COMMENT ON COLUMN sluice.api_key.deactivated_at IS 'when it was deactivated; null: it is not';
COMMENT ON COLUMN sluice.api_key.deactivated_by IS 'the actor, as in audit_log';
COMMENT ON CONSTRAINT api_key_name_check ON sluice.api_key IS
    '1 to 200 characters, no control characters';
COMMENT ON CONSTRAINT api_key_key_hash_check ON sluice.api_key IS 'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_key_display_check ON sluice.api_key IS
    'shows no more than 8 characters of the key';
COMMENT ON CONSTRAINT api_key_secret_hash_check ON sluice.api_key IS 'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_key_previous_secret_hash_check ON sluice.api_key IS
    'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_key_previous_secret_until_check ON sluice.api_key IS
    'an overlap has an end: not infinity';
COMMENT ON CONSTRAINT api_key_previous_secret_check ON sluice.api_key IS
    'an overlap needs a present secret, and a previous one needs an overlap';
COMMENT ON CONSTRAINT api_key_expires_at_check ON sluice.api_key IS
    'null means never, not infinity';
COMMENT ON CONSTRAINT api_key_payload_template_check ON sluice.api_key IS
    'required for product_orgs, not allowed for signal_staging';
COMMENT ON CONSTRAINT api_key_delivery_id_member_check ON sluice.api_key IS
    '1 to 200 characters, no control characters';
COMMENT ON CONSTRAINT api_key_networks_check ON sluice.api_key IS
    '1 to 200 networks, in a plain list; null means everywhere, not an empty list';
COMMENT ON CONSTRAINT api_key_successor_of_check ON sluice.api_key IS
    'successors, and only they, share a scope';
COMMENT ON CONSTRAINT api_key_deactivated_check ON sluice.api_key IS 'both are set, or neither';
COMMENT ON CONSTRAINT api_key_name_excl ON sluice.api_key IS
    'two keys of an organization that are not deactivated have one name, in whatever case, only if one '
    'is a successor of the other (delivery_scope); functions say so before, in words (claim_key_name). '
    'Names are compared by a hash of 64 bits';
COMMENT ON INDEX sluice.api_key_key_hash_key IS
    'Without organization_id, unlike the other unique indexes: a key is looked up before its '
    'organization is known.';
COMMENT ON INDEX sluice.api_key_organization_id_idx IS 'lists an organization''s keys';
COMMENT ON INDEX sluice.api_key_name_idx IS 'finds who has a name (claim_key_name)';
COMMENT ON INDEX sluice.api_key_successor_of_idx IS 'finds the successor of a key';
COMMENT ON SEQUENCE sluice.api_key_id_seq IS 'numbers keys';

CREATE TYPE sluice.token_scope AS ENUM ('read', 'keys', 'rejects', 'organization');
COMMENT ON TYPE sluice.token_scope IS
    'What a token of the settings API may be used for: read everything that its member may see; make '
    'and change keys; replay and discard rejected payloads; change members, limit and currency of the '
    'organization.';

CREATE TABLE sluice.api_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization_id bigint NOT NULL,
    user_name text NOT NULL,
    name text NOT NULL
        CONSTRAINT api_token_name_check
        CHECK (char_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    token_hash bytea NOT NULL
        CONSTRAINT api_token_token_hash_check CHECK (octet_length(token_hash) = 32),
    display text NOT NULL
        CONSTRAINT api_token_display_check
        CHECK (display ~ '^slt_[0-9A-Za-z]{4}\u2026[0-9A-Za-z]{4}$'),
    scopes sluice.token_scope[] NOT NULL
        CONSTRAINT api_token_scopes_check
        CHECK (array_ndims(scopes) = 1 AND array_position(scopes, NULL) IS NULL),
    expires_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    last_used_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    CONSTRAINT api_token_expires_at_check CHECK (expires_at <= created_at + interval '366 days'),
    CONSTRAINT api_token_revoked_check CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
CREATE UNIQUE INDEX api_token_token_hash_key ON sluice.api_token (token_hash);
CREATE INDEX api_token_organization_id_idx ON sluice.api_token (organization_id, id);
COMMENT ON TABLE sluice.api_token IS
    'Tokens by which programs use the settings API. A token acts for the member that it belongs to, '
    'with the role that the member has at that time and within the token''s scopes. The token itself '
    'is shown once, at creation; the table stores its SHA-256. Read token_overview.';
COMMENT ON COLUMN sluice.api_token.id IS 'token:ID:USER is the actor of what it is used for';
COMMENT ON COLUMN sluice.api_token.organization_id IS
    'organization.id; the token is for this organization only';
COMMENT ON COLUMN sluice.api_token.user_name IS 'member.user_name, for whom the token acts';
COMMENT ON COLUMN sluice.api_token.name IS '1 to 200 characters; not unique';
COMMENT ON COLUMN sluice.api_token.token_hash IS 'SHA-256 of the token; hidden from sluice_reader';
COMMENT ON COLUMN sluice.api_token.display IS
    'the part of the token that may be shown: slt_, 4 characters, an ellipsis, the last 4';
COMMENT ON COLUMN sluice.api_token.scopes IS 'what it may be used for';
COMMENT ON COLUMN sluice.api_token.expires_at IS 'the token is refused from this time on';
COMMENT ON COLUMN sluice.api_token.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.api_token.created_by IS 'the actor, as in audit_log';
COMMENT ON COLUMN sluice.api_token.last_used_at IS
    'when a request with it was last authenticated, up to a minute late; null: never';
COMMENT ON COLUMN sluice.api_token.revoked_at IS 'when it was revoked; null: it is not';
COMMENT ON COLUMN sluice.api_token.revoked_by IS 'the actor, as in audit_log';
COMMENT ON CONSTRAINT api_token_name_check ON sluice.api_token IS
    '1 to 200 characters, no control characters';
COMMENT ON CONSTRAINT api_token_token_hash_check ON sluice.api_token IS 'a SHA-256 has 32 bytes';
COMMENT ON CONSTRAINT api_token_display_check ON sluice.api_token IS
    'shows no more than 8 characters of the token';
COMMENT ON CONSTRAINT api_token_scopes_check ON sluice.api_token IS
    'a plain list of at least one';
COMMENT ON CONSTRAINT api_token_expires_at_check ON sluice.api_token IS
    'every token expires, after a year at the latest';
COMMENT ON CONSTRAINT api_token_revoked_check ON sluice.api_token IS 'both are set, or neither';
COMMENT ON INDEX sluice.api_token_token_hash_key IS
    'Without organization_id, like api_key_key_hash_key: a token is looked up before its '
    'organization is known.';
COMMENT ON INDEX sluice.api_token_organization_id_idx IS 'lists an organization''s tokens';
COMMENT ON SEQUENCE sluice.api_token_id_seq IS 'numbers tokens';

CREATE TABLE sluice.key_use (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    used_at timestamptz NOT NULL
);
-- Without a primary key, a publication of all tables would make DELETE fail.
ALTER TABLE sluice.key_use REPLICA IDENTITY FULL;
CREATE INDEX key_use_key_id_idx ON sluice.key_use (organization_id, key_id, used_at);
COMMENT ON TABLE sluice.key_use IS
    'Recent uses of keys. An accepting transaction adds a row if the key''s last one is 20 seconds '
    'old. It updates nothing, so that requests with the same key never wait for each other. '
    'sluicectl maintain moves the last use to key_activity. Read key_overview.';
COMMENT ON COLUMN sluice.key_use.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.key_use.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.key_use.used_at IS 'when the accepting transaction began';
COMMENT ON INDEX sluice.key_use_key_id_idx IS 'finds a key''s last use';

CREATE TABLE sluice.key_activity (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id)
);
COMMENT ON TABLE sluice.key_activity IS
    'When each key was last used, as of the last sluicectl maintain; later uses are in key_use. '
    'Read key_overview.';
COMMENT ON COLUMN sluice.key_activity.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.key_activity.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.key_activity.last_used_at IS
    'when a request with this key was last accepted';

CREATE TABLE sluice.audit_log (
    organization_id bigint NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    occurred_at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL
        CONSTRAINT audit_log_actor_check
        CHECK (char_length(actor) BETWEEN 1 AND 200 AND actor !~ '[[:cntrl:]]'),
    session_role text NOT NULL DEFAULT session_user,
    action text NOT NULL,
    object_kind text NOT NULL,
    object_id text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
        CONSTRAINT audit_log_details_check CHECK (jsonb_typeof(details) = 'object'),
    PRIMARY KEY (organization_id, id)
);
COMMENT ON TABLE sluice.audit_log IS
    'Every change to organizations, members, keys, tokens, limits and retention, every replay, and every '
    'deletion of a person. The function that makes the change adds the row in the same '
    'transaction. Rows are only added. Holds no key, secret or hash.';
COMMENT ON COLUMN sluice.audit_log.organization_id IS
    'organization.id; 0: a change to the whole installation';
COMMENT ON COLUMN sluice.audit_log.id IS 'rises with time, but with gaps and not strictly';
COMMENT ON COLUMN sluice.audit_log.occurred_at IS 'when the transaction of the change began';
COMMENT ON COLUMN sluice.audit_log.actor IS
    'who made the change, as reported by the calling program: an operator, a web user, or '
    'token:ID:USER for a token of the settings API, whose name is in the details';
COMMENT ON COLUMN sluice.audit_log.session_role IS
    'the database role that was logged in; the calling program cannot choose it';
COMMENT ON COLUMN sluice.audit_log.action IS
    'organization_create, organization_rename, organization_limit, member_add, member_role, '
    'member_remove, key_create, key_edit, key_rotate, key_deactivate, key_networks, secret_enable, secret_rotate, '
    'secret_retire, secret_remove, token_create, token_revoke, rejected_replay, rejected_discard, retention_set, '
    'notifications_set or person_delete';
COMMENT ON COLUMN sluice.audit_log.object_kind IS
    'organization, member, api_key, api_token, rejected_payload, retention, notifications or person';
COMMENT ON COLUMN sluice.audit_log.object_id IS
    'the object''s id, a member''s user name, or a table''s name; empty for a person';
COMMENT ON COLUMN sluice.audit_log.details IS 'what else is worth knowing';
COMMENT ON CONSTRAINT audit_log_actor_check ON sluice.audit_log IS
    '1 to 200 characters, no control characters';
COMMENT ON CONSTRAINT audit_log_details_check ON sluice.audit_log IS 'a JSON object';
COMMENT ON SEQUENCE sluice.audit_log_id_seq IS 'numbers entries of the audit log';

CREATE TABLE sluice.settings_secret (
    only_row boolean PRIMARY KEY DEFAULT true
        CONSTRAINT settings_secret_only_row_check CHECK (only_row),
    csrf_key bytea NOT NULL
        CONSTRAINT settings_secret_csrf_key_check CHECK (octet_length(csrf_key) = 32),
    made_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sluice.settings_secret IS
    'The key with which the settings service signs the tokens of its page; one row, different in '
    'every installation. Only the service can read it. Replacing it invalidates the tokens of open '
    'pages, which must then be reloaded.';
COMMENT ON COLUMN sluice.settings_secret.only_row IS 'always true';
COMMENT ON COLUMN sluice.settings_secret.csrf_key IS
    '32 random bytes: SHA-256 of two gen_random_uuid(), which use the system''s strong random '
    'source';
COMMENT ON COLUMN sluice.settings_secret.made_at IS 'when it was generated';
COMMENT ON CONSTRAINT settings_secret_only_row_check ON sluice.settings_secret IS 'one row';
COMMENT ON CONSTRAINT settings_secret_csrf_key_check ON sluice.settings_secret IS
    'the key length of HMAC-SHA256';
INSERT INTO sluice.settings_secret (csrf_key)
VALUES (sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())));

RESET ROLE;
