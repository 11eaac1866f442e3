-- Who may send and who may change that: organizations, their members, API keys, and the audit log.
--
-- On a distributed PostgreSQL organization and api_key are reference tables (few rows, on every
-- node); the other tables are distributed by organization_id. No foreign key points to organization:
-- the functions look it up, and it is never deleted.

SET LOCAL ROLE sluice_owner;

CREATE TABLE sluice.organization (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
        CONSTRAINT organization_name_check
        CHECK (char_length(name) BETWEEN 1 AND 200 AND name !~ '[[:cntrl:]]'),
    signal_limit bigint NOT NULL DEFAULT 0
        CONSTRAINT organization_signal_limit_check CHECK (signal_limit >= 0),
    overages boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL
);
COMMENT ON TABLE sluice.organization IS
    'The tenants. Everything that is delivered belongs to one of them. Never deleted.';
COMMENT ON COLUMN sluice.organization.id IS 'the organization_id of every other table';
COMMENT ON COLUMN sluice.organization.name IS
    'unique, 1 to 200 characters, no control characters; what operators type';
COMMENT ON COLUMN sluice.organization.signal_limit IS
    'how many signals, product-org updates among them, a calendar month (UTC) may have; 0: any '
    'number';
COMMENT ON COLUMN sluice.organization.overages IS
    'true: signals beyond the limit are accepted and counted; false: they are refused with 429';
COMMENT ON COLUMN sluice.organization.created_at IS 'when it was created';
COMMENT ON COLUMN sluice.organization.created_by IS 'the actor who created it, as in audit_log';
COMMENT ON CONSTRAINT organization_name_check ON sluice.organization IS
    '1 to 200 characters, none of them a control character: names are shown in terminals and logs';
COMMENT ON CONSTRAINT organization_signal_limit_check ON sluice.organization IS
    '0 stands for no limit';
COMMENT ON SEQUENCE sluice.organization_id_seq IS 'numbers organizations';

CREATE TYPE sluice.member_role AS ENUM ('viewer', 'editor', 'admin', 'owner');
COMMENT ON TYPE sluice.member_role IS
    'What a member may do, rising, so that roles compare with < and >. Owner, admin and editor '
    'manage keys; a viewer looks at staging statistics and nothing else.';

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
    'Who may change an organization''s keys through the settings service. One role per user and '
    'organization.';
COMMENT ON COLUMN sluice.member.organization_id IS 'organization.id';
COMMENT ON COLUMN sluice.member.user_name IS
    'the user as the web server names it (REMOTE_USER), 1 to 200 characters';
COMMENT ON COLUMN sluice.member.role IS 'owner > admin > editor > viewer';
COMMENT ON COLUMN sluice.member.added_at IS 'when the user became a member';
COMMENT ON COLUMN sluice.member.added_by IS 'the actor who added the user, as in audit_log';
COMMENT ON CONSTRAINT member_user_name_check ON sluice.member IS
    '1 to 200 characters, none of them a control character';
COMMENT ON INDEX sluice.member_owner_key IS 'an organization has one owner at most';
COMMENT ON INDEX sluice.member_user_name_idx IS 'the organizations of a user';

CREATE TYPE sluice.endpoint_type AS ENUM ('signal_staging', 'product_orgs');
COMMENT ON TYPE sluice.endpoint_type IS
    'Which webhook paths a key is good for: signals (signal_staging) or product-org updates.';

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
    expires_at timestamptz
        CONSTRAINT api_key_expires_at_check CHECK (isfinite(expires_at)),
    payload_template jsonb,
    successor_of bigint,
    delivery_scope bigint,
    limited boolean NOT NULL DEFAULT false,
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
    CONSTRAINT api_key_successor_of_check
        CHECK ((successor_of IS NULL) = (delivery_scope IS NULL)),
    CONSTRAINT api_key_deactivated_check
        CHECK ((deactivated_at IS NULL) = (deactivated_by IS NULL))
);
CREATE UNIQUE INDEX api_key_key_hash_key ON sluice.api_key (key_hash);
CREATE INDEX api_key_organization_id_idx ON sluice.api_key (organization_id, id);
COMMENT ON TABLE sluice.api_key IS
    'API keys. A key itself is shown once, when it is made, and not stored: only its SHA-256 is. '
    'Keys are never deleted, only deactivated. For a readable list see key_overview.';
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
    'from this time on the key is refused; null: never expires';
COMMENT ON COLUMN sluice.api_key.payload_template IS
    'how a product-org payload maps to columns: an object of field to dot path, product_org_id '
    'among them; null for signal keys';
COMMENT ON COLUMN sluice.api_key.successor_of IS
    'the key that this one replaces by rotation; null: none';
COMMENT ON COLUMN sluice.api_key.delivery_scope IS
    'the first key of a chain of rotations, whose delivery ids this one shares; null: its own id';
COMMENT ON COLUMN sluice.api_key.limited IS
    'true: its organization has a signal limit and no overages; kept here by organization_limit and '
    'key_create, so that a request looks at one row';
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
COMMENT ON CONSTRAINT api_key_successor_of_check ON sluice.api_key IS
    'a successor, and only a successor, shares a scope';
COMMENT ON CONSTRAINT api_key_deactivated_check ON sluice.api_key IS
    'when and by whom belong together';
COMMENT ON INDEX sluice.api_key_key_hash_key IS
    'A key is looked up before its organization is known, so this unique index does not hold '
    'organization_id as the others do.';
COMMENT ON INDEX sluice.api_key_organization_id_idx IS 'lists an organization''s keys';
COMMENT ON SEQUENCE sluice.api_key_id_seq IS 'numbers keys';

CREATE TABLE sluice.key_use (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    used_at timestamptz NOT NULL
);
-- Without a key; a publication of all tables would refuse to delete from it.
ALTER TABLE sluice.key_use REPLICA IDENTITY FULL;
CREATE INDEX key_use_key_id_idx ON sluice.key_use (organization_id, key_id, used_at);
COMMENT ON TABLE sluice.key_use IS
    'That a key was used, added by the accepting transaction when its last note is 20 seconds old. '
    'Rows are only added, so transactions with the same key never wait for each other; sluicectl '
    'maintain keeps the last in key_activity. Read key_overview.';
COMMENT ON COLUMN sluice.key_use.organization_id IS 'the key''s organization';
COMMENT ON COLUMN sluice.key_use.key_id IS 'api_key.id';
COMMENT ON COLUMN sluice.key_use.used_at IS 'when the accepting transaction began';
COMMENT ON INDEX sluice.key_use_key_id_idx IS 'the last use of a key';

CREATE TABLE sluice.key_activity (
    organization_id bigint NOT NULL,
    key_id bigint NOT NULL,
    last_used_at timestamptz NOT NULL,
    PRIMARY KEY (organization_id, key_id)
);
COMMENT ON TABLE sluice.key_activity IS
    'When each key was last used, as of the last sluicectl maintain; later uses are in key_use. Read '
    'key_overview.';
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
    'Every change of organizations, members, keys, limits and retention, every replay and every '
    'deletion of a person, written by the function that made it, in the same transaction. Rows are '
    'only ever added. Holds no key, secret or hash.';
COMMENT ON COLUMN sluice.audit_log.organization_id IS
    'whose object was changed; 0: of the whole installation';
COMMENT ON COLUMN sluice.audit_log.id IS
    'rises with time, but gaps and small disorder are possible';
COMMENT ON COLUMN sluice.audit_log.occurred_at IS 'when the change''s transaction began';
COMMENT ON COLUMN sluice.audit_log.actor IS
    'who did it, as the calling program says: an operator''s or a web user''s name';
COMMENT ON COLUMN sluice.audit_log.session_role IS
    'the database role that was logged in, which the calling program cannot choose';
COMMENT ON COLUMN sluice.audit_log.action IS
    'what was done: organization_create, organization_limit, member_add, member_remove, '
    'key_create, key_deactivate, rejected_replay, retention_set, notifications_set, person_delete';
COMMENT ON COLUMN sluice.audit_log.object_kind IS
    'organization, member, api_key, rejected_payload, retention, notifications or person';
COMMENT ON COLUMN sluice.audit_log.object_id IS
    'the object''s id; a member''s user name; a table''s name';
COMMENT ON COLUMN sluice.audit_log.details IS 'what else is worth knowing, as a JSON object';
COMMENT ON CONSTRAINT audit_log_actor_check ON sluice.audit_log IS
    '1 to 200 characters, none of them a control character';
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

RESET ROLE;
